/* SPDX-License-Identifier: Apache-2.0 */
/* security: who may use a path. http-gateway.md 1.6.
 *
 * Only `{}` is open. What cannot be enforced is refused when the document is loaded. */
#include "gateway/spec/local.h"

#include <ctype.h>
#include <strings.h>

#include "src/base/alloc.h"

#define ITEMS_MAX 8 /* of any_of: each may cost a login */

/* ---- words ----------------------------------------------------------------------------------- */

struct word {
    const char *name;
    unsigned value;
};

#define SERVICE (BONDY_GRANT_CLIENT_CREDENTIALS | BONDY_GRANT_REFRESH_TOKEN)

/* What the token endpoint serves when `grants` does not say. */
static const struct word FLOWS[] = {
    {"authorization_code", SERVICE | BONDY_GRANT_AUTHORIZATION_CODE},
    {"implicit", SERVICE | BONDY_GRANT_AUTHORIZATION_CODE},
    {"resource_owner_password_credentials", SERVICE | BONDY_GRANT_PASSWORD},
    {"client_credentials", SERVICE},
    {NULL, 0},
};

static const struct word GRANTS[] = {
    {"authorization_code", BONDY_GRANT_AUTHORIZATION_CODE},
    {"client_credentials", BONDY_GRANT_CLIENT_CREDENTIALS},
    {"password", BONDY_GRANT_PASSWORD},
    {"refresh_token", BONDY_GRANT_REFRESH_TOKEN},
    {NULL, 0},
};

static const struct word PLACES[] = {
    {"header", BONDY_API_KEY_HEADER},
    {"query", BONDY_API_KEY_QUERY},
    {"cookie", BONDY_API_KEY_COOKIE},
    {NULL, 0},
};

static const struct word *find_word(const struct word *words, const json_t *value)
{
    for (; json_is_string(value) && words->name != NULL; words++)
        if (strcmp(words->name, json_string_value(value)) == 0)
            return words;
    return NULL;
}

static void check_one_of(struct spec_loader *loader, const json_t *value, const struct word *words)
{
    const char *names[8] = {NULL};

    for (size_t i = 0; words[i].name != NULL; i++)
        names[i] = words[i].name;
    bondy_check_word(loader, value, names);
}

static void check_member_word(struct spec_loader *loader, const json_t *object, const char *key,
                              const struct word *words)
{
    size_t mark = bondy_check_enter(loader, key);

    check_one_of(loader, json_object_get(object, key), words);
    bondy_check_leave(loader, mark);
}

/* ---- oauth2 ---------------------------------------------------------------------------------- */

static void check_grants(struct spec_loader *loader, const json_t *security)
{
    const json_t *list = bondy_check_member(loader, security, "grants", T_ARRAY);
    size_t outer = bondy_check_enter(loader, "grants");
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        check_one_of(loader, item, GRANTS);
        bondy_check_leave(loader, mark);
    }
    bondy_check_leave(loader, outer);
}

/* Routes are made of it: nothing that would be a pattern. */
static void check_token_path(struct spec_loader *loader, const json_t *security, const char *key)
{
    const char *path = json_string_value(bondy_check_member(loader, security, key, T_STRING));

    if (path == NULL)
        return;
    if (path[0] != '/' || path[1] == 0)
        bondy_check_fail_at(loader, key, "invalid_path", "/oauth/token",
                            path[0] == '/' ? "the path '/' alone cannot be a route"
                                           : "a path starts with '/'");
    for (; *path != 0; path++)
        if (!isalnum((unsigned char)*path) && strchr("/-._~", *path) == NULL) {
            bondy_check_fail_at(loader, key, "invalid_path", "letters, digits, '/' and -._~",
                                "'%c' cannot be in this path",
                                isprint((unsigned char)*path) ? *path : '?');
            return;
        }
}

/* What clients compare with the metadata (RFC 8414, 2): an address and nothing behind its path. */
static void check_issuer(struct spec_loader *loader, const json_t *security)
{
    const char *issuer =
        json_string_value(bondy_check_member(loader, security, "issuer", T_STRING));
    const char *rest = issuer == NULL ? NULL : strstr(issuer, "://");
    bool is_address;

    if (issuer == NULL)
        return;
    is_address = rest != NULL &&
                 (strncmp(issuer, "https://", 8) == 0 || strncmp(issuer, "http://", 7) == 0) &&
                 isalnum((unsigned char)rest[3]) && issuer[strlen(issuer) - 1] != '/';
    for (; is_address && *rest != 0; rest++)
        is_address = isalnum((unsigned char)*rest) || strchr("/-._~:", *rest) != NULL;
    if (!is_address)
        bondy_check_fail_at(loader, "issuer", "invalid_value", "https://api.example.com/v1",
                            "the issuer is a URL without query, fragment and '/' at the end");
}

static void check_scopes(struct spec_loader *loader, const json_t *security)
{
    const json_t *list = json_object_get(security, "scopes");

    bondy_check_texts(loader, security, "scopes");
    if (json_is_array(list) && json_array_size(list) == 0)
        bondy_check_fail_at(loader, "scopes", "invalid_value", "at least one group",
                            "the list is empty: without 'scopes' any token of the realm will do");
}

static void check_oauth2(struct spec_loader *loader, const json_t *security)
{
    bondy_check_require(loader, security, "flow");
    check_member_word(loader, security, "flow", FLOWS);
    if (bondy_slice_is(bondy_json_text(security, "flow"), "implicit")) {
        size_t mark = bondy_check_enter(loader, "flow");

        bondy_check_warn(loader, "deprecated_value",
                         "tokens are not handed out in URLs: 'implicit' counts as "
                         "'authorization_code'");
        bondy_check_leave(loader, mark);
    }
    check_token_path(loader, security, "token_path");
    check_token_path(loader, security, "revoke_token_path");
    check_issuer(loader, security);
    check_scopes(loader, security);
    check_grants(loader, security);
}

static char *load_path(const json_t *security, const char *key, const char *otherwise)
{
    struct bondy_slice path = bondy_json_text(security, key);

    if (path.len == 0)
        return bondy_strdup(otherwise);
    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return bondy_memdup0(path.data, path.len);
}

static void load_oauth2(const json_t *security, struct bondy_security *out)
{
    const json_t *scopes = json_object_get(security, "scopes");
    const json_t *grants = json_object_get(security, "grants"), *item;
    const struct word *flow = find_word(FLOWS, json_object_get(security, "flow"));
    struct bondy_slice issuer = bondy_json_text(security, "issuer");
    size_t i;

    out->kind = BONDY_SECURITY_OAUTH2;
    out->token_path = load_path(security, "token_path", "/oauth/token");
    out->revoke_token_path = load_path(security, "revoke_token_path", "/oauth/revoke");
    if (issuer.len > 0)
        out->issuer = bondy_memdup0(issuer.data, issuer.len);
    out->grants = flow == NULL || grants != NULL ? 0 : flow->value;
    json_array_foreach((json_t *)grants, i, item)
    {
        const struct word *grant = find_word(GRANTS, item);

        out->grants |= grant == NULL ? 0 : grant->value;
    }
    out->scopes.items = bondy_calloc(json_array_size(scopes) + 1, sizeof out->scopes.items[0]);
    json_array_foreach((json_t *)scopes, i, item)
    {
        if (json_is_string(item))
            out->scopes.items[out->scopes.count++] = bondy_strdup(json_string_value(item));
    }
}

/* ---- basic, oidc ----------------------------------------------------------------------------- */

static void check_nothing(struct spec_loader *loader, const json_t *security)
{
    (void)loader;
    (void)security;
}

static void load_basic(const json_t *security, struct bondy_security *out)
{
    (void)security;
    out->kind = BONDY_SECURITY_BASIC;
}

static void check_oidc(struct spec_loader *loader, const json_t *security)
{
    static const struct word WORDS[] = {{"redirect", 0}, {NULL, 0}};

    bondy_check_require(loader, security, "provider");
    bondy_check_member(loader, security, "provider", T_STRING);
    check_member_word(loader, security, "on_unauthenticated", WORDS);
    bondy_check_fail_at(loader, "type", "unsupported_security_type",
                        "oauth2, basic, api_key, or {} for anonymous",
                        "the security type 'oidc' is not built yet; nothing is served open "
                        "instead");
}

/* ---- api_key --------------------------------------------------------------------------------- */

static const char *key_name(const json_t *security)
{
    const json_t *name = json_object_get(security, "name");

    return json_string_value(name != NULL ? name : json_object_get(security, "header_name"));
}

static void check_key_name(struct spec_loader *loader, const json_t *security,
                           enum bondy_api_key_place place)
{
    const char *name = key_name(security);
    const char *key = json_object_get(security, "name") != NULL ? "name" : "header_name";

    if (json_object_get(security, "name") != NULL &&
        json_object_get(security, "header_name") != NULL)
        bondy_check_fail_at(loader, "header_name", "duplicate_name", NULL,
                            "'header_name' is another word for 'name': write one of them");
    if (name == NULL && place == BONDY_API_KEY_HEADER)
        return;
    if (name == NULL)
        bondy_check_require(loader, security, "name");
    else if (place == BONDY_API_KEY_QUERY ? name[0] == 0 : !bondy_check_is_token(name))
        bondy_check_fail_at(loader, key, "invalid_value", "x-api-key",
                            "'%.100s' cannot be the name of a header, parameter or cookie", name);
}

static void check_api_key(struct spec_loader *loader, const json_t *security)
{
    const struct word *place = find_word(PLACES, json_object_get(security, "in"));

    check_member_word(loader, security, "in", PLACES);
    bondy_check_member(loader, security, "name", T_STRING);
    bondy_check_member(loader, security, "header_name", T_STRING);
    bondy_check_member(loader, security, "prefix", T_STRING);
    if (place != NULL || json_object_get(security, "in") == NULL)
        check_key_name(loader, security,
                       place == NULL ? BONDY_API_KEY_HEADER
                                     : (enum bondy_api_key_place)place->value);
    if (place != NULL && place->value == BONDY_API_KEY_QUERY) {
        size_t mark = bondy_check_enter(loader, "in");

        bondy_check_warn(loader, "key_in_url",
                         "a key in a URL is written down by browsers, proxies and the logs of "
                         "others; a header keeps it");
        bondy_check_leave(loader, mark);
    }
}

static void load_api_key(const json_t *security, struct bondy_security *out)
{
    const struct word *place = find_word(PLACES, json_object_get(security, "in"));
    struct bondy_slice prefix = bondy_slice_trim(bondy_json_text(security, "prefix"));
    const char *name = key_name(security);

    out->kind = BONDY_SECURITY_API_KEY;
    out->place = place == NULL ? BONDY_API_KEY_HEADER : (enum bondy_api_key_place)place->value;
    out->name = bondy_strdup(name == NULL ? "authorization" : name);
    for (char *c = out->name; out->place == BONDY_API_KEY_HEADER && *c != 0; c++)
        *c = (char)tolower((unsigned char)*c);
    if (prefix.len > 0)
        out->prefix = bondy_memdup0(prefix.data, prefix.len);
}

/* ---- any_of ---------------------------------------------------------------------------------- */

static size_t count_items(const json_t *security)
{
    const json_t *list = json_object_get(security, "any_of"), *item;
    size_t count = 0, i;

    json_array_foreach((json_t *)list, i, item)
    {
        count += json_object_get(item, "any_of") != NULL ? count_items(item) : 1;
    }
    return count;
}

static void check_any_of(struct spec_loader *loader, const json_t *security)
{
    const json_t *list = bondy_check_member(loader, security, "any_of", T_ARRAY);
    size_t outer = bondy_check_enter(loader, "any_of");
    json_t *item;
    size_t i;

    if (list != NULL && json_array_size(list) == 0)
        bondy_check_fail(loader, "invalid_value", "at least one security", "the list is empty");
    else if (count_items(security) > ITEMS_MAX)
        bondy_check_fail(loader, "invalid_value", "8 at most",
                         "each of these may have to be tried: there are more than %d", ITEMS_MAX);
    json_array_foreach(list, i, item)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        if (json_is_object(item) && json_object_size(item) == 0)
            bondy_check_fail(loader, "invalid_value", "{} alone, or none here",
                             "with {} among them anybody gets in and nobody is asked");
        bondy_check_security(loader, item);
        bondy_check_leave(loader, mark);
    }
    bondy_check_leave(loader, outer);
}

/* Lists in lists are one list. */
static void add_items(const json_t *security, struct bondy_security *out)
{
    const json_t *list = json_object_get(security, "any_of"), *item;
    size_t i;

    json_array_foreach((json_t *)list, i, item)
    {
        if (json_object_get(item, "any_of") != NULL)
            add_items(item, out);
        else if (out->count < ITEMS_MAX)
            bondy_security_load(item, &out->items[out->count++]);
    }
}

static void load_any_of(const json_t *security, struct bondy_security *out)
{
    out->kind = BONDY_SECURITY_ANY_OF;
    out->items = bondy_calloc(ITEMS_MAX, sizeof out->items[0]);
    add_items(security, out);
}

/* ---- the table ------------------------------------------------------------------------------- */

struct security_type {
    const char *name;
    const char *keys[12];
    void (*check)(struct spec_loader *loader, const json_t *security);
    void (*load)(const json_t *security, struct bondy_security *out); /* NULL: refused */
};

static const struct security_type TYPES[] = {
    {"oauth2",
     {"type", "flow", "schemes", "token_path", "revoke_token_path", "description", "scopes",
      "grants", "issuer", NULL},
     check_oauth2,
     load_oauth2},
    {"oidc",
     {"type", "provider", "description", "on_unauthenticated", "schemes", NULL},
     check_oidc,
     NULL},
    {"basic", {"type", "schemes", "description", NULL}, check_nothing, load_basic},
    {"api_key",
     {"type", "schemes", "header_name", "in", "name", "prefix", "description", NULL},
     check_api_key,
     load_api_key},
    {"any_of", {"type", "any_of", "description", NULL}, check_any_of, load_any_of},
};

static const struct security_type *find_type(const json_t *security)
{
    struct bondy_slice name = json_object_get(security, "any_of") != NULL
                                  ? BONDY_SLICE("any_of")
                                  : bondy_json_text(security, "type");

    for (size_t i = 0; i < BONDY_COUNT(TYPES); i++)
        if (bondy_slice_is(name, TYPES[i].name))
            return &TYPES[i];
    return NULL;
}

static void refuse_type(struct spec_loader *loader, const json_t *security)
{
    static const struct word NAMES[] = {{"oauth2", 0},  {"oidc", 0},   {"basic", 0},
                                        {"api_key", 0}, {"any_of", 0}, {NULL, 0}};

    if (json_object_get(security, "type") == NULL)
        bondy_check_fail_at(loader, "type", "missing_key",
                            "oauth2, oidc, basic, api_key, or {} for anonymous",
                            "a security object that is not empty has a 'type'");
    else
        check_member_word(loader, security, "type", NAMES);
}

void bondy_check_security(struct spec_loader *loader, const json_t *security)
{
    const struct security_type *type;

    if (!bondy_check_type(loader, security, T_OBJECT, CHECK_NOW) ||
        json_object_size(security) == 0 || !bondy_expr_spend(&loader->compiler, 1))
        return;
    type = find_type(security);
    if (type == NULL ||
        (type->load == load_any_of && json_object_get(security, "any_of") == NULL)) {
        if (type != NULL)
            bondy_check_require(loader, security, "any_of");
        else
            refuse_type(loader, security);
        return;
    }
    bondy_check_keys(loader, security, type->keys);
    if (json_object_get(security, "schemes") != NULL) {
        size_t mark = bondy_check_enter(loader, "schemes");

        bondy_check_schemes(loader, json_object_get(security, "schemes"));
        bondy_check_leave(loader, mark);
    }
    type->check(loader, security);
}

void bondy_security_load(const json_t *security, struct bondy_security *out)
{
    const struct security_type *type = find_type(security);

    /* Whatever went wrong: nobody gets in. */
    *out = (struct bondy_security){.kind = BONDY_SECURITY_ANY_OF};
    if (json_is_object(security) && json_object_size(security) == 0)
        out->kind = BONDY_SECURITY_NONE;
    else if (type != NULL && type->load != NULL)
        type->load(security, out);
}

void bondy_security_fini(struct bondy_security *security)
{
    for (size_t i = 0; i < security->count; i++)
        bondy_security_fini(&security->items[i]);
    for (size_t i = 0; i < security->scopes.count; i++)
        bondy_free(security->scopes.items[i]);
    bondy_free(security->items);
    bondy_free(security->scopes.items);
    bondy_free(security->name);
    bondy_free(security->prefix);
    bondy_free(security->token_path);
    bondy_free(security->revoke_token_path);
    bondy_free(security->issuer);
}

/* ---- what the realm has to take -------------------------------------------------------------- */

static bool uses(const struct bondy_security *security, enum bondy_security_kind kind)
{
    for (size_t i = 0; i < security->count; i++)
        if (security->items[i].kind == kind)
            return true;
    return security->kind == kind;
}

static const struct bondy_path *find_user(const struct bondy_spec *spec,
                                          enum bondy_security_kind kind)
{
    for (size_t v = 0; v < spec->version_count; v++)
        for (size_t p = 0; p < spec->versions[v].path_count; p++)
            if (uses(&spec->versions[v].paths[p].security, kind))
                return &spec->versions[v].paths[p];
    return NULL;
}

void bondy_check_realm_methods(struct spec_loader *loader)
{
    static const enum bondy_security_kind KINDS[] = {BONDY_SECURITY_OAUTH2, BONDY_SECURITY_BASIC};
    static const char *const METHODS[] = {"oauth2", "password"};
    const struct bondy_spec_env *env = loader->env;
    const struct bondy_spec *spec = loader->spec;
    size_t mark = bondy_check_enter(loader, "realm_uri");

    for (size_t i = 0; i < BONDY_COUNT(KINDS) && env->realm_takes != NULL; i++) {
        const struct bondy_path *path = find_user(spec, KINDS[i]);

        if (path != NULL && spec->realm_uri != NULL &&
            !env->realm_takes(env->context, bondy_slice_text(spec->realm_uri), METHODS[i]))
            bondy_check_warn(loader, "authmethod_off",
                             "the realm's authmethods lack '%s': nobody can get in at '%.200s' "
                             "that way",
                             METHODS[i], path->key);
    }
    bondy_check_leave(loader, mark);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* oauth2: the routes of the authorization server that a version gets when one of its paths has the
 * security `oauth2`, also as one of `any_of`. oauth2-oidc.md 3.1. They are paths like those of the
 * document, whose operations name endpoints (gateway/endpoint.h); where the document has the same
 * route, that one is served. */
#include "gateway/spec/local.h"

#include "src/base/alloc.h"

#define BODY_MAX 16384
#define TOKEN_PATHS_MAX 8 /* of one version; most have one */
#define FORM "application/x-www-form-urlencoded"

/* ---- what the paths want --------------------------------------------------------------------- */

struct token_path {
    const char *path;
    unsigned grants;  /* token endpoints: of all paths that name it */
    unsigned schemes; /* of these paths */
};

struct wanted {
    struct token_path tokens[TOKEN_PATHS_MAX], revokes[TOKEN_PATHS_MAX];
    size_t token_count, revoke_count;
    unsigned grants, schemes;
    const char *issuer; /* of the first that says one */
    bool has_too_many;
};

static void want(struct wanted *wanted, struct token_path *list, size_t *count,
                 const struct token_path *one)
{
    size_t i = 0;

    while (i < *count && strcmp(list[i].path, one->path) != 0)
        i++;
    if (i == TOKEN_PATHS_MAX) {
        wanted->has_too_many = true;
        return;
    }
    if (i == *count)
        list[(*count)++] = (struct token_path){.path = one->path};
    list[i].grants |= one->grants;
    list[i].schemes |= one->schemes;
}

static void look_at(struct wanted *wanted, const struct bondy_security *security, unsigned schemes)
{
    struct token_path one = {NULL, security->grants, schemes};

    for (size_t i = 0; i < security->count; i++)
        look_at(wanted, &security->items[i], schemes);
    if (security->kind != BONDY_SECURITY_OAUTH2)
        return;
    wanted->grants |= security->grants;
    wanted->schemes |= schemes;
    if (wanted->issuer == NULL)
        wanted->issuer = security->issuer;
    one.path = security->token_path;
    want(wanted, wanted->tokens, &wanted->token_count, &one);
    one.path = security->revoke_token_path;
    want(wanted, wanted->revokes, &wanted->revoke_count, &one);
}

/* ---- making paths ---------------------------------------------------------------------------- */

struct maker {
    struct spec_loader *loader;
    struct bondy_version *version;
    const char *pointer; /* of the version */
};

static void set_media(struct bondy_media_list *list, const char *const *types, size_t count)
{
    list->items = bondy_calloc(count, sizeof *list->items);
    for (size_t i = 0; i < count; i++)
        list->items[list->count++] = (struct bondy_media){
            bondy_media_kind(bondy_slice_text(types[i])), bondy_strdup(types[i])};
}

/* `before` and `behind` the base path. */
static struct bondy_path *add_path(struct maker *maker, const char *before, const char *behind,
                                   unsigned schemes)
{
    static const char *const ACCEPTED[] = {FORM}, *const PROVIDED[] = {"application/json"};
    struct bondy_version *version = maker->version;
    struct bondy_path *path;
    struct bondy_buf whole = BONDY_BUF_EMPTY;

    version->paths =
        bondy_realloc(version->paths, (version->path_count + 1) * sizeof *version->paths);
    path = &version->paths[version->path_count++];
    *path = (struct bondy_path){.version = version, .schemes = schemes, .is_generated = true};
    bondy_buf_printf(&whole, "%s%s%s", before, version->base_path, behind);
    path->key = bondy_memdup0(whole.data, whole.len);
    bondy_buf_fini(&whole);
    set_media(&path->accepts, ACCEPTED, BONDY_COUNT(ACCEPTED));
    set_media(&path->provides, PROVIDED, BONDY_COUNT(PROVIDED));
    bondy_spec_check_route(maker->loader, path, path->key);
    return path;
}

/* The path may still move: bondy_spec_add_oauth2() sets operation->path at the end. */
static void add_operation(struct maker *maker, struct bondy_path *path, enum bondy_method method,
                          const char *endpoint)
{
    struct bondy_operation *operation = bondy_zalloc(sizeof *operation);

    operation->method = method;
    operation->action = BONDY_ACTION_ENDPOINT;
    operation->endpoint = endpoint;
    operation->body_max_bytes = BODY_MAX;
    operation->pointer = maker->pointer;
    path->operations[method] = operation;
    path->methods |= 1u << method;
}

static void add_post(struct maker *maker, const char *behind, const char *endpoint,
                     const struct token_path *like)
{
    struct bondy_path *path = add_path(maker, "", behind, like->schemes);

    path->security.grants = like->grants;
    add_operation(maker, path, BONDY_METHOD_POST, endpoint);
}

static void add_get(struct maker *maker, const char *before, const char *behind,
                    const char *endpoint, unsigned schemes)
{
    add_operation(maker, add_path(maker, before, behind, schemes), BONDY_METHOD_GET, endpoint);
}

static void add_authorize(struct maker *maker, const struct wanted *wanted)
{
    static const char *const PAGES[] = {"text/html", "application/json"};
    struct bondy_path *path = add_path(maker, "", BONDY_OAUTH2_AUTHORIZE, wanted->schemes);

    for (size_t i = 0; i < path->provides.count; i++)
        bondy_free(path->provides.items[i].type);
    bondy_free(path->provides.items);
    path->provides = (struct bondy_media_list){NULL, 0};
    set_media(&path->provides, PAGES, BONDY_COUNT(PAGES));
    path->is_page = true; /* RFC 9700, 2.6 */
    add_operation(maker, path, BONDY_METHOD_GET, "oauth2_authorize");
    add_operation(maker, path, BONDY_METHOD_POST, "oauth2_authorize");
}

/* Any token of the realm will do; what it is for, its paths say. */
static void add_me(struct maker *maker, const struct wanted *wanted)
{
    struct bondy_path *path = add_path(maker, "", BONDY_OAUTH2_ME, wanted->schemes);

    path->security.kind = BONDY_SECURITY_OAUTH2;
    add_operation(maker, path, BONDY_METHOD_GET, "oauth2_me");
}

static void add_all(struct maker *maker, const struct wanted *wanted)
{
    struct token_path whole = {NULL, wanted->grants, wanted->schemes};

    for (size_t i = 0; i < wanted->token_count; i++)
        add_post(maker, wanted->tokens[i].path, "oauth2_token", &wanted->tokens[i]);
    for (size_t i = 0; i < wanted->revoke_count; i++)
        add_post(maker, wanted->revokes[i].path, "oauth2_revoke", &wanted->revokes[i]);
    add_post(maker, BONDY_OAUTH2_INTROSPECT, "oauth2_introspect", &whole);
    add_get(maker, "", BONDY_OAUTH2_JWKS, "oauth2_jwks", wanted->schemes);
    add_get(maker, "", BONDY_OAUTH2_METADATA, "oauth2_metadata", wanted->schemes);
    if (maker->version->base_path[0] != 0)
        add_get(maker, BONDY_OAUTH2_METADATA, "", "oauth2_metadata", wanted->schemes);
    if (wanted->grants & BONDY_GRANT_AUTHORIZATION_CODE)
        add_authorize(maker, wanted);
    add_me(maker, wanted);
}

static void settle(struct bondy_version *version, const struct wanted *wanted)
{
    version->oauth2.grants = wanted->grants;
    version->oauth2.token_path = bondy_strdup(wanted->tokens[0].path);
    version->oauth2.revoke_token_path = bondy_strdup(wanted->revokes[0].path);
    if (wanted->issuer != NULL)
        version->oauth2.issuer = bondy_strdup(wanted->issuer);
    for (size_t p = 0; p < version->path_count; p++)
        for (size_t m = 0; m < BONDY_METHODS; m++)
            if (version->paths[p].operations[m] != NULL)
                version->paths[p].operations[m]->path = &version->paths[p];
}

void bondy_spec_add_oauth2(struct spec_loader *loader, struct bondy_version *version)
{
    struct spec_box *box = BONDY_CONTAINER(loader->spec, struct spec_box, spec);
    struct wanted wanted = {.token_count = 0};
    struct maker maker = {.loader = loader, .version = version};

    for (size_t i = 0; i < version->path_count; i++)
        look_at(&wanted, &version->paths[i].security, version->paths[i].schemes);
    /* What is wrong already was said where it was written. */
    if (wanted.token_count == 0 || json_array_size(loader->findings.errors) > 0)
        return;
    maker.pointer = bondy_expr_pool_text(box->pool, bondy_buf_slice(&loader->compiler.pointer));
    if (wanted.has_too_many)
        bondy_check_fail(loader, "too_many_routes", "one token_path for all",
                         "the securities of this version name more than %d token paths",
                         TOKEN_PATHS_MAX);
    add_all(&maker, &wanted);
    settle(version, &wanted);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"
#include "src/wamp/errors.h"

/* A realm is one record for its document, one for each switch that was given and one for each key
 * (cluster.md B2.3), so that replication can merge a switch with a change of the document. */

#define RESERVED_PREFIX "com.leapsight.bondy"

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static int refuse(struct bondy_edit *edit, int code, const char *uri, const char *message)
{
    return bondy_edit_refuse(edit, code, bondy_problem(uri, message, ""));
}

static int refuse_keys(struct bondy_edit *edit, json_t *problem, const char *key)
{
    json_object_set_new(problem, "keys", json_pack("[s]", key));
    return bondy_edit_refuse(edit, BONDY_EINVAL, problem);
}

/* ---- names -------------------------------------------------------------------------------- */

struct uri {
    char text[BONDY_REALM_URI_MAX];
    struct bondy_slice slice;
};

static bool canonical(const struct bondy_edit *edit, struct bondy_slice uri, struct uri *out)
{
    size_t len;

    if (!bondy_realm_canonical(edit->rules, uri, out->text, sizeof out->text, &len))
        return false;
    out->slice = bondy_slice_of(out->text, len);
    return true;
}

static int not_found(struct bondy_edit *edit, struct bondy_slice uri)
{
    json_t *problem =
        bondy_problem_format(BONDY_ERR_NOT_FOUND, BONDY_SLICE_FMT, BONDY_SLICE_ARG(uri));

    json_object_set_new(problem, "description", json_string("There is no such realm."));
    return bondy_edit_refuse(edit, BONDY_ENOENT, problem);
}

static bool is_control(struct bondy_slice uri)
{
    return bondy_slice_is(uri, BONDY_CONTROL_REALM);
}

/* The realm to be changed; not the control realm, which is nowhere. */
static int find(struct bondy_edit *edit, struct bondy_slice uri, struct uri *out,
                const struct bondy_realm **realm)
{
    if (!canonical(edit, uri, out))
        return not_found(edit, uri);
    if (is_control(out->slice))
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "This realm cannot be changed.");
    if (bondy_edit_realm(edit, out->slice, realm) < 0)
        return not_found(edit, out->slice);
    return bondy_edit_check_version(edit, "realm", (*realm)->version);
}

static int finish(struct bondy_edit *edit, struct bondy_slice uri, int rc)
{
    struct bondy_realm *realm;

    bondy_edit_forget_realm(edit);
    if (rc < 0)
        return rc;
    realm = bondy_realm_read(edit->rules, bondy_edit_view(edit), uri);
    if (realm == NULL)
        return not_found(edit, uri);
    json_decref(edit->result);
    edit->result = bondy_realm_external(realm);
    bondy_realm_unref(realm);
    return BONDY_OK;
}

/* ---- elements ----------------------------------------------------------------------------- */

static struct bondy_store_key element_key(struct bondy_slice uri, uint32_t gen, char kind,
                                          struct bondy_slice name, struct bondy_buf *subkey)
{
    bondy_buf_clear(subkey, SIZE_MAX);
    bondy_buf_append_byte(subkey, (unsigned char)kind);
    bondy_buf_append_byte(subkey, 0);
    bondy_buf_append_slice(subkey, name);
    return (struct bondy_store_key){.type = BONDY_RECORD_REALM_ELEMENT,
                                    .scope = uri,
                                    .gen = gen,
                                    .subkey = bondy_buf_slice(subkey)};
}

/* `value` NULL: not said; null: inherit. */
static int put_switch(struct bondy_edit *edit, struct bondy_slice uri, uint32_t gen,
                      const char *name, const json_t *value)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key = element_key(uri, gen, 's', bondy_slice_text(name), &subkey);
    int rc = BONDY_OK;

    if (json_is_null(value))
        rc = bondy_stored_delete(edit, &key);
    else if (value != NULL)
        rc = bondy_stored_put(edit, &key, 0, value);
    bondy_buf_fini(&subkey);
    return rc;
}

static int put_switches(struct bondy_edit *edit, struct bondy_slice uri, uint32_t gen,
                        const json_t *input)
{
    static const char *const names[] = {"allow_connections", "security_enabled"};
    int rc = BONDY_OK;

    for (size_t i = 0; rc == BONDY_OK && i < BONDY_COUNT(names); i++)
        rc = put_switch(edit, uri, gen, names[i], json_object_get(input, names[i]));
    return rc;
}

static int put_key(struct bondy_edit *edit, const struct bondy_realm *realm, char kind,
                   const json_t *body)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key = element_key(bondy_slice_text(realm->uri), realm->gen, kind,
                                             bondy_json_text(body, "kid"), &subkey);
    int rc = bondy_stored_put(edit, &key, 0, body);

    bondy_buf_fini(&subkey);
    return rc;
}

static bool is_dropped(void *context, const struct bondy_record *record)
{
    const json_t *keys = context, *one;
    struct bondy_slice kid = bondy_slice_skip(record->key.subkey, 2);
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)keys, i, one)
    {
        if (bondy_slice_eq(bondy_json_text(one, "kid"), kid))
            return false;
    }
    return true;
}

int bondy_realm_put_keys(struct bondy_edit *edit, const struct bondy_realm *realm, char kind,
                         const json_t *keys)
{
    const char prefix[2] = {kind, 0};
    const struct bondy_store_range range = {.type = BONDY_RECORD_REALM_ELEMENT,
                                            .scope = bondy_slice_text(realm->uri),
                                            .gen = realm->gen,
                                            .prefix = bondy_slice_of(prefix, sizeof prefix)};
    size_t i;
    json_t *key;
    int rc = bondy_stored_delete_range(edit, &range, is_dropped, (void *)(uintptr_t)keys);

    json_array_foreach(keys, i, key)
    {
        if (rc == BONDY_OK)
            rc = put_key(edit, realm, kind, key);
    }
    return rc;
}

static int put_given_keys(struct bondy_edit *edit, struct bondy_slice uri, const json_t *input)
{
    const json_t *signing = json_object_get(input, "private_keys");
    const json_t *encryption = json_object_get(input, "encryption_keys");
    const struct bondy_realm *realm;
    int rc = BONDY_OK;

    if (signing == NULL && encryption == NULL)
        return BONDY_OK;
    if ((rc = bondy_edit_realm(edit, uri, &realm)) == BONDY_OK && signing != NULL)
        rc = bondy_realm_put_keys(edit, realm, 'k', signing);
    if (rc == BONDY_OK && encryption != NULL)
        rc = bondy_realm_put_keys(edit, realm, 'c', encryption);
    bondy_edit_forget_realm(edit);
    return rc;
}

/* ---- the document ------------------------------------------------------------------------- */

/* A redacted secret that was sent back means the stored one, and what is redacted is only a part of
 * `info`. The caller owns the object. */
static json_t *merge_info(const json_t *stored, const json_t *input)
{
    json_t *before = json_object_get(stored, "oidc_providers"), *provider;
    json_t *info = json_deep_copy(input);
    json_t *providers = json_object_get(info, "oidc_providers");
    bool is_sent_back = false;
    const char *name;

    json_object_foreach(providers, name, provider)
    {
        json_t *secret = json_object_get(provider, "client_secret");

        if (!bondy_slice_is(text_of(secret), BONDY_REALM_REDACTED))
            continue;
        is_sent_back = true;
        secret = json_object_get(json_object_get(before, name), "client_secret");
        if (secret == NULL)
            json_object_del(provider, "client_secret");
        else
            json_object_set(provider, "client_secret", secret);
    }
    if (is_sent_back)
        json_object_update_missing(info, (json_t *)(uintptr_t)stored);
    return info;
}

static void merge_uri(const struct bondy_edit *edit, json_t *document, const char *key,
                      const json_t *value)
{
    struct uri uri;

    if (json_is_null(value))
        json_object_del(document, key);
    else if (value != NULL && canonical(edit, text_of(value), &uri))
        json_object_set_new(document, key, bondy_json_slice(uri.slice));
}

/* What is the default is not kept, so that it makes no difference whether it was said. */
static void merge_flag(json_t *document, const char *key, const json_t *value)
{
    if (json_is_true(value))
        json_object_set_new(document, key, json_true());
    else if (value != NULL)
        json_object_del(document, key);
}

/* Present members replace, null clears. */
static void merge(const struct bondy_edit *edit, json_t *document, const json_t *input)
{
    static const char *const plain[] = {"description",   "authmethods", "info",
                                        "authenticator", "authorizer",  "password_opts"};

    merge_flag(document, "is_prototype", json_object_get(input, "is_prototype"));
    merge_flag(document, "is_sso_realm", json_object_get(input, "is_sso_realm"));
    merge_uri(edit, document, "prototype_uri", json_object_get(input, "prototype_uri"));
    merge_uri(edit, document, "sso_realm_uri", json_object_get(input, "sso_realm_uri"));
    for (size_t i = 0; i < BONDY_COUNT(plain); i++) {
        json_t *value = json_object_get(input, plain[i]);

        if (value == NULL)
            continue;
        /* "" is what a realm without description shows: sent back, it is no description. */
        if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
            json_object_del(document, plain[i]);
        else if (strcmp(plain[i], "info") == 0)
            json_object_set_new(document, plain[i],
                                merge_info(json_object_get(document, "info"), value));
        else
            json_object_set(document, plain[i], value);
    }
}

/* ---- integrity (1.9) ---------------------------------------------------------------------- */

static int check_target(struct bondy_edit *edit, const json_t *document, const char *key,
                        const char *flag)
{
    struct bondy_slice uri = bondy_json_text(document, key);
    const struct bondy_store_key target = {.type = BONDY_RECORD_REALM, .subkey = uri};
    json_t *body;
    bool is_fit;

    if (uri.len == 0)
        return BONDY_OK;
    body = bondy_stored_get(bondy_edit_view(edit), &target, NULL);
    is_fit = json_is_true(json_object_get(body, flag));
    json_decref(body);
    if (is_fit)
        return BONDY_OK;
    return refuse_keys(edit,
                       bondy_problem_format(BONDY_ERR_INVALID_ARGUMENT,
                                            "'%s' names '" BONDY_SLICE_FMT
                                            "', which is no realm with '%s'.",
                                            key, BONDY_SLICE_ARG(uri), flag),
                       key);
}

static int check_pair(struct bondy_edit *edit, const json_t *document, const char *flag,
                      const char *key)
{
    json_t *problem;

    if (!json_is_true(json_object_get(document, flag)) || json_object_get(document, key) == NULL)
        return BONDY_OK;
    problem = bondy_problem_format(BONDY_ERR_INVALID_ARGUMENT, "'%s' and '%s' cannot both be set.",
                                   flag, key);
    json_object_set_new(problem, "keys", json_pack("[s, s]", flag, key));
    return bondy_edit_refuse(edit, BONDY_EINVAL, problem);
}

/* `before` NULL: a new realm. */
static int check_change(struct bondy_edit *edit, const json_t *before, const json_t *after)
{
    static const char *const flags[] = {"is_prototype", "is_sso_realm"};
    struct bondy_slice prototype = bondy_json_text(before, "prototype_uri");

    for (size_t i = 0; i < BONDY_COUNT(flags); i++)
        if (json_is_true(json_object_get(before, flags[i])) &&
            !json_is_true(json_object_get(after, flags[i])))
            return refuse_keys(edit,
                               bondy_problem_format(BONDY_ERR_INVALID_ARGUMENT,
                                                    "'%s' cannot be taken back.", flags[i]),
                               flags[i]);
    if (prototype.len > 0 && !bondy_slice_eq(prototype, bondy_json_text(after, "prototype_uri")))
        return refuse_keys(edit,
                           bondy_problem(BONDY_ERR_INVALID_ARGUMENT,
                                         "'prototype_uri' cannot be changed once it is set.", ""),
                           "prototype_uri");
    return BONDY_OK;
}

static int check_document(struct bondy_edit *edit, struct bondy_slice uri, const json_t *before,
                          const json_t *after)
{
    int rc;

    if ((rc = check_change(edit, before, after)) < 0 ||
        (rc = check_pair(edit, after, "is_prototype", "prototype_uri")) < 0 ||
        (rc = check_pair(edit, after, "is_sso_realm", "sso_realm_uri")) < 0)
        return rc;
    if (bondy_slice_eq(uri, bondy_json_text(after, "prototype_uri")) ||
        bondy_slice_eq(uri, bondy_json_text(after, "sso_realm_uri")))
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "A realm cannot be its own prototype or SSO realm.");
    if ((rc = check_target(edit, after, "prototype_uri", "is_prototype")) < 0)
        return rc;
    return check_target(edit, after, "sso_realm_uri", "is_sso_realm");
}

/* ---- creating ----------------------------------------------------------------------------- */

static int check_input(struct bondy_edit *edit, const json_t *input, bool is_update)
{
    json_t *problem;
    int rc = bondy_realm_check_input(edit, input, is_update, true, &problem);

    return rc < 0 ? bondy_edit_refuse(edit, rc, problem) : BONDY_OK;
}

static int create(struct bondy_edit *edit, struct bondy_slice uri, const json_t *input)
{
    const struct bondy_store_key key = {.type = BONDY_RECORD_REALM, .subkey = uri};
    uint32_t gen = bondy_store_next_gen(edit->write, &key);
    json_t *document = bondy_stored_body(edit);
    int rc;

    merge(edit, document, input);
    rc = check_document(edit, uri, NULL, document);
    if (rc == BONDY_OK)
        rc = bondy_stored_put(edit, &key, gen, document);
    json_decref(document);
    if (rc == BONDY_OK)
        rc = put_switches(edit, uri, gen, input);
    if (rc == BONDY_OK)
        rc = put_given_keys(edit, uri, input);
    return rc < 0 ? rc : bondy_realm_apply_nested(edit, uri, input);
}

static bool exists(struct bondy_edit *edit, struct bondy_slice uri)
{
    const struct bondy_store_key key = {.type = BONDY_RECORD_REALM, .subkey = uri};

    return bondy_stored_has(bondy_edit_view(edit), &key);
}

int bondy_realm_apply_create(struct bondy_edit *edit, const json_t *prepared)
{
    struct uri uri;
    int rc = check_input(edit, prepared, false);

    if (rc < 0)
        return rc;
    if (!canonical(edit, bondy_json_text(prepared, "uri"), &uri) ||
        (!edit->is_rebase && bondy_slice_starts(uri.slice, BONDY_SLICE(RESERVED_PREFIX))))
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "This realm URI is reserved for the router itself.");
    if (exists(edit, uri.slice)) {
        if (edit->is_rebase)
            return bondy_realm_apply_update(edit, uri.slice, prepared);
        return bondy_edit_refuse(edit, BONDY_EEXIST,
                                 bondy_problem_format(BONDY_ERR_ALREADY_EXISTS,
                                                      "There is a realm '" BONDY_SLICE_FMT
                                                      "' already.",
                                                      BONDY_SLICE_ARG(uri.slice)));
    }
    if (bondy_slice_starts(uri.slice, BONDY_SLICE(RESERVED_PREFIX)))
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "This realm URI is reserved for the router itself.");
    rc = create(edit, uri.slice, prepared);
    if (rc == BONDY_OK)
        edit->effects |= BONDY_EDIT_CREATED;
    return finish(edit, uri.slice, rc);
}

/* ---- changing ----------------------------------------------------------------------------- */

/* What the master realm cannot be is dropped from its updates (1.4), but nobody shall believe that
 * its security was disabled. The caller owns the object. */
static json_t *master_input(const json_t *input)
{
    static const char *const dropped[] = {"allow_connections", "is_prototype",  "prototype_uri",
                                          "is_sso_realm",      "sso_realm_uri", "security_enabled"};
    json_t *copy = json_copy((json_t *)(uintptr_t)input);

    for (size_t i = 0; i < BONDY_COUNT(dropped); i++)
        json_object_del(copy, dropped[i]);
    return copy;
}

/* A realm shows the password_opts that follow from its methods: sent back they are not given. */
static bool is_shown_opts(const struct bondy_realm *realm, const json_t *input)
{
    json_t *shown = bondy_password_opts_format(&realm->password_opts);
    bool is_same = json_object_get(realm->document, "password_opts") == NULL &&
                   json_equal(shown, json_object_get(input, "password_opts"));

    json_decref(shown);
    return is_same;
}

static int check_prototype_users(struct bondy_edit *edit, const struct bondy_realm *realm,
                                 const json_t *document)
{
    if (realm->is_prototype || !json_is_true(json_object_get(document, "is_prototype")) ||
        !bondy_user_exists_any(bondy_edit_view(edit), realm))
        return BONDY_OK;
    return refuse(edit, BONDY_EDENIED, BONDY_ERR_NOT_ALLOWED,
                  "A realm that has users cannot become a prototype.");
}

static int update(struct bondy_edit *edit, const struct bondy_realm *realm, struct bondy_slice uri,
                  const json_t *input)
{
    const struct bondy_store_key key = {.type = BONDY_RECORD_REALM, .subkey = uri};
    json_t *document = json_deep_copy(realm->document);
    uint32_t gen = realm->gen;
    int rc;

    merge(edit, document, input);
    if (is_shown_opts(realm, input))
        json_object_del(document, "password_opts");
    if (edit->is_file)
        json_object_set_new(document, "managed_by", json_string("file"));
    rc = check_document(edit, uri, realm->document, document);
    if (rc == BONDY_OK)
        rc = check_prototype_users(edit, realm, document);
    if (rc == BONDY_OK)
        rc = bondy_stored_put(edit, &key, gen, document);
    json_decref(document);
    if (rc == BONDY_OK)
        rc = put_switches(edit, uri, gen, input);
    bondy_edit_forget_realm(edit);
    if (rc == BONDY_OK)
        rc = put_given_keys(edit, uri, input);
    return rc < 0 ? rc : bondy_realm_apply_nested(edit, uri, input);
}

int bondy_realm_apply_update(struct bondy_edit *edit, struct bondy_slice uri,
                             const json_t *prepared)
{
    const struct bondy_realm *realm;
    struct uri found;
    unsigned before = edit->writes;
    json_t *input;
    int rc = check_input(edit, prepared, true);

    if (rc < 0 || (rc = find(edit, uri, &found, &realm)) < 0)
        return rc;
    if (realm->is_master && !edit->is_rebase &&
        json_is_false(json_object_get(prepared, "security_enabled")))
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "The security of the master realm cannot be disabled.");
    input = realm->is_master ? master_input(prepared) : json_incref((json_t *)(uintptr_t)prepared);
    rc = update(edit, realm, found.slice, input);
    json_decref(input);
    if (rc == BONDY_OK && edit->writes != before)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish(edit, found.slice, rc);
}

static int apply_switch(struct bondy_edit *edit, struct bondy_slice uri, const char *name,
                        bool is_on)
{
    const struct bondy_realm *realm;
    struct uri found;
    unsigned before = edit->writes;
    json_t *value;
    int rc = find(edit, uri, &found, &realm);

    if (rc < 0)
        return rc;
    if (realm->is_master && !is_on)
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "The master realm can be neither closed nor opened to everybody.");
    if (realm->is_master)
        return finish(edit, found.slice, BONDY_OK);
    value = json_boolean(is_on);
    rc = put_switch(edit, found.slice, realm->gen, name, value);
    json_decref(value);
    if (rc == BONDY_OK && edit->writes != before)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish(edit, found.slice, rc);
}

int bondy_realm_apply_connections(struct bondy_edit *edit, struct bondy_slice uri, bool is_allowed)
{
    return apply_switch(edit, uri, "allow_connections", is_allowed);
}

int bondy_realm_apply_security(struct bondy_edit *edit, struct bondy_slice uri, bool is_enabled)
{
    return apply_switch(edit, uri, "security_enabled", is_enabled);
}

/* ---- deleting (1.10) ---------------------------------------------------------------------- */

struct dependents {
    struct bondy_slice uri;
    json_t *found;
};

static int note_dependent(void *context, const struct bondy_record *record)
{
    struct dependents *dependents = context;
    json_t *body = bondy_stored_tree(record);

    if (bondy_slice_eq(dependents->uri, bondy_json_text(body, "prototype_uri")) ||
        bondy_slice_eq(dependents->uri, bondy_json_text(body, "sso_realm_uri")))
        json_array_append_new(dependents->found, bondy_json_slice(record->key.subkey));
    json_decref(body);
    return 0;
}

static int check_dependents(struct bondy_edit *edit, struct bondy_slice uri)
{
    const struct bondy_store_range realms = {.type = BONDY_RECORD_REALM};
    struct dependents dependents = {uri, json_array()};
    json_t *problem;

    bondy_store_view_scan(bondy_edit_view(edit), &realms, note_dependent, &dependents);
    if (json_array_size(dependents.found) == 0) {
        json_decref(dependents.found);
        return BONDY_OK;
    }
    problem = bondy_problem("bondy.error.realm_in_use",
                            "Other realms have it as prototype or SSO realm.", "");
    json_object_set_new(problem, "details", json_pack("{s:o}", "dependents", dependents.found));
    return bondy_edit_refuse(edit, BONDY_ESTATE, problem);
}

/* What belonged to the realm is hidden by its generation from now on, and purged by the store. */
int bondy_realm_apply_delete(struct bondy_edit *edit, struct bondy_slice uri, bool force)
{
    const struct bondy_realm *realm;
    struct bondy_store_key key = {.type = BONDY_RECORD_REALM};
    struct uri found;
    int rc;

    if (canonical(edit, uri, &found) &&
        (is_control(found.slice) || bondy_slice_is(found.slice, BONDY_MASTER_REALM)))
        return refuse(edit, BONDY_EINVAL, BONDY_ERR_INVALID_ARGUMENT,
                      "This realm cannot be deleted.");
    if ((rc = find(edit, uri, &found, &realm)) < 0)
        return rc;
    if (!force && bondy_user_exists_any(bondy_edit_view(edit), realm))
        return refuse(edit, BONDY_ESTATE, "bondy.error.active_users",
                      "The realm has users; use force to delete it all the same.");
    if ((rc = check_dependents(edit, found.slice)) < 0)
        return rc;
    key.subkey = found.slice;
    rc = bondy_stored_delete(edit, &key);
    bondy_edit_forget_realm(edit);
    if (rc == BONDY_OK)
        edit->effects |= BONDY_EDIT_DELETED;
    return rc;
}

/* ---- keys --------------------------------------------------------------------------------- */

static int put_missing_keys(struct bondy_edit *edit, const struct bondy_realm *realm,
                            const json_t *keys)
{
    const json_t *signing = json_object_get(keys, "signing");
    bool has_signing = bondy_realm_signing_key(realm) != NULL;
    int rc = BONDY_OK;

    for (size_t i = 0; !has_signing && rc == BONDY_OK && i < json_array_size(signing); i++)
        rc = put_key(edit, realm, 'k', json_array_get(signing, i));
    if (rc == BONDY_OK && realm->keys->encryption_count == 0)
        rc = bondy_realm_put_keys(edit, realm, 'c', json_object_get(keys, "encryption"));
    return rc;
}

/* The realm to be changed with its keys; the caller drops it. */
static int find_with_keys(struct bondy_edit *edit, struct bondy_slice uri, struct uri *out,
                          struct bondy_realm **realm)
{
    const struct bondy_realm *plain;
    int rc = find(edit, uri, out, &plain);

    if (rc == BONDY_OK)
        *realm = bondy_realm_read(edit->rules, bondy_edit_view(edit), out->slice);
    return rc;
}

int bondy_realm_apply_keys(struct bondy_edit *edit, struct bondy_slice uri, const json_t *keys)
{
    struct bondy_realm *realm = NULL;
    struct uri found;
    int rc = find_with_keys(edit, uri, &found, &realm);

    if (rc < 0)
        return rc;
    rc = put_missing_keys(edit, realm, keys);
    bondy_realm_unref(realm);
    return finish(edit, found.slice, rc);
}

/* A key that only verifies: without its private part. */
static int retire(struct bondy_edit *edit, const struct bondy_realm *realm,
                  const struct bondy_realm_key *key, uint64_t until_ms)
{
    json_t *body =
        json_pack("{s:s, s:s, s:O, s:I}", "kid", key->key->kid, "public_pem", key->key->public_pem,
                  "jwk", key->key->jwk, "retired_ms", (json_int_t)until_ms);
    int rc = put_key(edit, realm, 'k', body);

    json_decref(body);
    return rc;
}

static int drop_key(struct bondy_edit *edit, const struct bondy_realm *realm, const char *kid)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key =
        element_key(bondy_slice_text(realm->uri), realm->gen, 'k', bondy_slice_text(kid), &subkey);
    int rc = bondy_stored_delete(edit, &key);

    bondy_buf_fini(&subkey);
    return rc;
}

int bondy_realm_apply_rotate(struct bondy_edit *edit, struct bondy_slice uri, const json_t *keys,
                             uint64_t now_ms, uint64_t until_ms)
{
    const json_t *made = json_object_get(keys, "signing");
    struct bondy_realm *realm = NULL;
    struct uri found;
    int rc = find_with_keys(edit, uri, &found, &realm);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == BONDY_OK && i < realm->keys->signing_count; i++) {
        const struct bondy_realm_key *key = &realm->keys->signing[i];

        if (key->retired_ms == 0)
            rc = retire(edit, realm, key, until_ms);
        else if (key->retired_ms <= now_ms)
            rc = drop_key(edit, realm, key->key->kid);
    }
    for (size_t i = 0; rc == BONDY_OK && i < json_array_size(made); i++)
        rc = put_key(edit, realm, 'k', json_array_get(made, i));
    bondy_realm_unref(realm);
    if (rc == BONDY_OK)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish(edit, found.slice, rc);
}

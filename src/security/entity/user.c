/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/user.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/user_local.h"

/* ---- keys --------------------------------------------------------------------------------- */

struct bondy_store_key bondy_user_key(const struct bondy_realm *realm, struct bondy_slice name)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_USER,
                                    .scope = bondy_slice_text(realm->uri),
                                    .gen = realm->gen,
                                    .subkey = name};
}

bool bondy_user_fold_key(struct bondy_slice hex, char out[USER_KEY_HEX])
{
    if (hex.len != USER_KEY_HEX)
        return false;
    for (size_t i = 0; i < USER_KEY_HEX; i++) {
        char c = hex.data[i];

        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        out[i] = c;
    }
    return true;
}

void bondy_user_key_index(struct bondy_slice hex, struct bondy_slice username,
                          struct bondy_buf *out)
{
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_slice(out, hex);
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_slice(out, username);
}

bool bondy_user_realm_gen(const struct bondy_store_view *view, struct bondy_slice uri,
                          uint32_t *gen)
{
    const struct bondy_store_key key = {.type = BONDY_RECORD_REALM, .subkey = uri};
    struct bondy_record record;

    if (!bondy_store_view_get(view, &key, &record))
        return false;
    *gen = record.gen;
    return true;
}

/* ---- one user ----------------------------------------------------------------------------- */

static int take_element(void *context, const struct bondy_record *record)
{
    struct bondy_user *user = context;
    struct bondy_element element;
    json_t *body;

    if (!bondy_element_parse(record->key.subkey, &element))
        return 0;
    bondy_stored_newer(user->version, record->version);
    if (record->is_tombstone)
        return 0;
    switch (element.kind) {
    case USER_GROUP:
        json_array_append_new(user->groups, bondy_json_slice(element.value));
        break;
    case USER_KEY:
        json_array_append_new(user->keys, bondy_json_slice(element.value));
        break;
    case USER_ALIAS:
        json_array_append_new(user->aliases, bondy_json_slice(element.value));
        break;
    case USER_ENABLED:
        body = bondy_stored_tree(record);
        user->is_enabled = !json_is_false(body);
        json_decref(body);
        break;
    case USER_PASSWORD:
        json_decref(user->passwords);
        user->passwords = bondy_stored_tree(record);
        break;
    default:
        break;
    }
    return 0;
}

static void read_elements(const struct bondy_store_view *view, struct bondy_slice realm_uri,
                          uint32_t realm_gen, struct bondy_user *out)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {.type = BONDY_RECORD_USER_ELEMENT,
                                      .scope = realm_uri,
                                      .gen = realm_gen,
                                      .with_tombstones = true};

    bondy_element_prefix(bondy_slice_text(out->username), out->ugen, &prefix);
    range.prefix = bondy_buf_slice(&prefix);
    bondy_store_view_scan(view, &range, take_element, out);
    bondy_buf_fini(&prefix);
}

/* Of a user's own record. Takes `body`. */
static void fill(const struct bondy_store_view *view, struct bondy_slice realm_uri,
                 uint32_t realm_gen, const struct bondy_record *record, json_t *body,
                 struct bondy_user *out)
{
    struct bondy_slice sso = bondy_json_text(body, "sso_realm_uri");
    json_t *meta = json_object_get(body, "meta");

    *out = (struct bondy_user){
        .username = bondy_memdup0(record->key.subkey.data, record->key.subkey.len),
        .ugen = record->gen,
        .is_enabled = true,
        .is_managed = bondy_stored_is_managed(body),
        .groups = json_array(),
        .keys = json_array(),
        .passwords = json_array(),
        .aliases = json_array(),
        .meta = meta == NULL ? json_object() : json_incref(meta),
        .sso_realm_uri = sso.len == 0 ? NULL : bondy_memdup0(sso.data, sso.len),
        .created_ms = bondy_stored_created(body, record->version),
        .authrealm = bondy_memdup0(realm_uri.data, realm_uri.len),
        .auth_ugen = record->gen,
    };
    memcpy(out->version, record->version, BONDY_VERSION_LEN);
    json_decref(body);
    read_elements(view, realm_uri, realm_gen, out);
    out->updated_ms = bondy_version_wall_ms(out->version);
}

bool bondy_user_read(const struct bondy_store_view *view, struct bondy_slice realm_uri,
                     uint32_t realm_gen, struct bondy_slice name_or_alias, struct bondy_user *out)
{
    struct bondy_store_key key = {.type = BONDY_RECORD_USER, .scope = realm_uri, .gen = realm_gen};
    struct bondy_record record;
    struct bondy_name name;
    struct bondy_slice owner;
    json_t *body;

    if (!bondy_name_fold(name_or_alias, &name))
        return false;
    key.subkey = bondy_name_slice(&name);
    if ((body = bondy_stored_get(view, &key, &record)) == NULL)
        return false;
    owner = bondy_json_text(body, "alias_of");
    if (owner.len > 0) {
        bool is_name = bondy_name_fold(owner, &name);

        json_decref(body);
        key.subkey = bondy_name_slice(&name);
        if (!is_name || (body = bondy_stored_get(view, &key, &record)) == NULL)
            return false;
        /* One step, never a chain. */
        if (json_object_get(body, "alias_of") != NULL) {
            json_decref(body);
            return false;
        }
    }
    fill(view, realm_uri, realm_gen, &record, body, out);
    return true;
}

bool bondy_user_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     struct bondy_slice name_or_alias, struct bondy_user *out)
{
    return bondy_user_read(view, bondy_slice_text(realm->uri), realm->gen, name_or_alias, out);
}

void bondy_user_fini(struct bondy_user *user)
{
    bondy_free(user->username);
    json_decref(user->groups);
    json_decref(user->keys);
    json_decref(user->passwords);
    json_decref(user->aliases);
    json_decref(user->meta);
    bondy_free(user->sso_realm_uri);
    bondy_free(user->authrealm);
    *user = (struct bondy_user){0};
}

/* ---- as a login sees it (1.7) -------------------------------------------------------------- */

static void swap(json_t **a, json_t **b)
{
    json_t *held = *a;

    *a = *b;
    *b = held;
}

/* Credentials and aliases of a linked user are kept in the SSO realm. */
static void merge(struct bondy_user *user, struct bondy_user *sso)
{
    json_t *meta = json_copy(user->meta);

    swap(&user->passwords, &sso->passwords);
    swap(&user->keys, &sso->keys);
    swap(&user->aliases, &sso->aliases);
    if (json_object_size(sso->meta) > 0)
        json_object_set(meta, "sso", sso->meta);
    json_decref(user->meta);
    user->meta = meta;
    user->is_enabled = user->is_enabled && sso->is_enabled;
    bondy_free(user->authrealm);
    user->authrealm = BONDY_MOVE(sso->authrealm);
    user->auth_ugen = sso->ugen;
    bondy_stored_newer(user->version, sso->version);
}

static bool read_sso(const struct bondy_store_view *view, const char *uri,
                     struct bondy_slice name_or_alias, struct bondy_user *out)
{
    struct bondy_slice realm = bondy_slice_text(uri);
    uint32_t gen;

    return uri != NULL && bondy_user_realm_gen(view, realm, &gen) &&
           bondy_user_read(view, realm, gen, name_or_alias, out);
}

/* The canonical name behind an alias that the SSO realm knows. */
static bool find_by_sso_alias(const struct bondy_store_view *view, const struct bondy_realm *realm,
                              struct bondy_slice alias, struct bondy_user *out)
{
    struct bondy_user sso;
    bool found;

    if (!read_sso(view, realm->sso_realm_uri, alias, &sso))
        return false;
    found = bondy_user_find(view, realm, bondy_slice_text(sso.username), out);
    bondy_user_fini(&sso);
    /* A user of this realm alone is somebody else, though of the same name. */
    if (found && out->sso_realm_uri == NULL) {
        bondy_user_fini(out);
        found = false;
    }
    return found;
}

bool bondy_user_resolve(const struct bondy_store_view *view, const struct bondy_realm *realm,
                        struct bondy_slice name_or_alias, struct bondy_user *out)
{
    struct bondy_user sso;

    if (!bondy_user_find(view, realm, name_or_alias, out) &&
        !find_by_sso_alias(view, realm, name_or_alias, out))
        return false;
    if (out->sso_realm_uri == NULL)
        return true;
    /* A link into a realm that is no longer this realm's SSO realm leads nowhere. */
    if (realm->sso_realm_uri == NULL || strcmp(realm->sso_realm_uri, out->sso_realm_uri) != 0 ||
        !read_sso(view, out->sso_realm_uri, bondy_slice_text(out->username), &sso)) {
        bondy_user_fini(out);
        return false;
    }
    merge(out, &sso);
    bondy_user_fini(&sso);
    return true;
}

/* ---- by key ------------------------------------------------------------------------------- */

struct by_key {
    const struct bondy_store_view *view;
    const struct bondy_realm *realm;
    struct bondy_slice hex;
    size_t skip; /* of the subkey, up to the username */
    struct bondy_user *out;
};

/* The index may be ahead of the users after a merge: the user's own element decides. */
static int try_holder(void *context, const struct bondy_record *record)
{
    struct by_key *search = context;
    struct bondy_slice username = bondy_slice_skip(record->key.subkey, search->skip);

    if (!bondy_user_resolve(search->view, search->realm, username, search->out))
        return 0;
    if (bondy_stored_list_has(search->out->keys, search->hex))
        return 1;
    bondy_user_fini(search->out);
    return 0;
}

static bool search_keys(struct by_key *search, struct bondy_slice realm_uri, uint32_t gen)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {
        .type = BONDY_RECORD_USER_ELEMENT, .scope = realm_uri, .gen = gen};
    int rc;

    bondy_user_key_index(search->hex, BONDY_SLICE_EMPTY, &prefix);
    range.prefix = bondy_buf_slice(&prefix);
    search->skip = prefix.len;
    rc = bondy_store_view_scan(search->view, &range, try_holder, search);
    bondy_buf_fini(&prefix);
    return rc == 1;
}

bool bondy_user_find_by_key(const struct bondy_store_view *view, const struct bondy_realm *realm,
                            struct bondy_slice hex, struct bondy_user *out)
{
    char folded[USER_KEY_HEX];
    struct by_key search = {view, realm, {folded, USER_KEY_HEX}, 0, out};
    struct bondy_slice sso = bondy_slice_text(realm->sso_realm_uri);
    uint32_t gen;

    if (!bondy_user_fold_key(hex, folded))
        return false;
    if (search_keys(&search, bondy_slice_text(realm->uri), realm->gen))
        return true;
    return sso.len > 0 && bondy_user_realm_gen(view, sso, &gen) && search_keys(&search, sso, gen);
}

/* ---- outside ------------------------------------------------------------------------------ */

static json_t *upper_case_keys(const json_t *keys)
{
    json_t *list = json_array();
    char text[USER_KEY_HEX];
    size_t i;
    json_t *key;

    json_array_foreach(keys, i, key)
    {
        const char *hex = json_string_value(key);

        for (size_t j = 0; j < USER_KEY_HEX; j++)
            text[j] = hex[j] >= 'a' ? (char)(hex[j] - 'a' + 'A') : hex[j];
        json_array_append_new(list, json_stringn(text, sizeof text));
    }
    return list;
}

json_t *bondy_user_external(const struct bondy_user *user)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:b, s:O, s:O}", "type", "user", "version", "1.1",
                               "username", user->username, "enabled", user->is_enabled, "groups",
                               user->groups, "meta", user->meta);

    json_object_set_new(object, "sso_realm_uri",
                        user->sso_realm_uri == NULL ? json_null()
                                                    : json_string(user->sso_realm_uri));
    if (json_array_size(user->aliases) > 0)
        json_object_set(object, "aliases", user->aliases);
    json_object_set_new(object, "authorized_keys", upper_case_keys(user->keys));
    json_object_set_new(object, "has_authorized_keys",
                        json_boolean(json_array_size(user->keys) > 0));
    json_object_set_new(object, "has_password", json_boolean(json_array_size(user->passwords) > 0));
    bondy_stored_describe(object, user->is_managed, user->created_ms, user->updated_ms,
                          user->version);
    return object;
}

/* ---- lists -------------------------------------------------------------------------------- */

struct listing {
    const struct bondy_store_view *view;
    const struct bondy_realm *realm;
    const struct bondy_list_options *options;
    int (*fn)(void *context, const struct bondy_user *user);
    void *context;
    struct bondy_name last;
    size_t count;
    bool has_more;
};

static int list_one(void *context, const struct bondy_record *record)
{
    struct listing *listing = context;
    json_t *body = bondy_stored_tree(record);
    struct bondy_user user;
    int rc;

    if (json_object_get(body, "alias_of") != NULL) {
        json_decref(body);
        return 0;
    }
    if (listing->options->limit != 0 && listing->count == listing->options->limit) {
        json_decref(body);
        listing->has_more = true;
        return 1;
    }
    fill(listing->view, bondy_slice_text(listing->realm->uri), listing->realm->gen, record, body,
         &user);
    bondy_name_keep(record->key.subkey, &listing->last);
    listing->count++;
    rc = listing->fn(listing->context, &user);
    bondy_user_fini(&user);
    return rc;
}

bool bondy_list_range(const struct bondy_list_options *options, struct bondy_name *q,
                      struct bondy_store_range *range)
{
    if (options->q.len > 0) {
        if (!bondy_name_fold(options->q, q))
            return false; /* no name begins so */
        range->prefix = bondy_name_slice(q);
    }
    if (options->after.len == 0)
        return true;
    /* The store goes on behind a key of the range only. */
    if (bondy_slice_starts(options->after, range->prefix))
        range->after = options->after;
    else if (bondy_slice_cmp(options->after, range->prefix) > 0)
        return false;
    return true;
}

int bondy_user_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                    const struct bondy_list_options *options,
                    int (*fn)(void *context, const struct bondy_user *user), void *context,
                    struct bondy_name *next)
{
    struct listing listing = {view, realm, options, fn, context, {.len = 0}, 0, false};
    struct bondy_store_range range = {
        .type = BONDY_RECORD_USER, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};
    struct bondy_name q = {.len = 0};
    int rc;

    if (next != NULL)
        next->len = 0;
    if (!bondy_list_range(options, &q, &range))
        return 0;
    rc = bondy_store_view_scan(view, &range, list_one, &listing);
    if (listing.has_more)
        rc = 0;
    if (next != NULL && listing.has_more)
        *next = listing.last;
    return rc;
}

bool bondy_user_exists_any(const struct bondy_store_view *view, const struct bondy_realm *realm)
{
    const struct bondy_store_range range = {
        .type = BONDY_RECORD_USER, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};

    return bondy_stored_count(view, &range, 1) > 0; /* an alias has a user */
}

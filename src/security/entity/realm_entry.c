/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/realm_entry.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/security/policy/policy.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"

/* ---- the entry ---------------------------------------------------------------------------- */

static void take_document(struct bondy_realm_entry *entry, const struct bondy_record *record)
{
    json_decref(entry->document);
    entry->document = bondy_stored_tree(record);
    entry->created_ms = bondy_stored_created(entry->document, record->version);
    bondy_stored_newer(entry->version, record->version);
}

void bondy_realm_entry_init(struct bondy_realm_entry *entry, const struct bondy_record *record)
{
    *entry = (struct bondy_realm_entry){
        .uri = bondy_memdup0(record->key.subkey.data, record->key.subkey.len),
        .gen = record->gen,
        .connections_given = -1,
        .security_given = -1,
        .signing = json_object(),
        .encryption = json_object()};
    take_document(entry, record);
}

static void unref_keys(struct bondy_realm_keys *keys)
{
    if (keys == NULL || !bondy_ref_drop(&keys->ref))
        return;
    for (size_t i = 0; i < keys->signing_count; i++)
        bondy_key_destroy(keys->signing[i].key);
    bondy_free(keys->signing);
    bondy_free(keys);
}

void bondy_realm_entry_fini(struct bondy_realm_entry *entry)
{
    bondy_free(entry->uri);
    json_decref(entry->document);
    json_decref(entry->signing);
    json_decref(entry->encryption);
    unref_keys(entry->keys);
}

void bondy_realm_entry_update(struct bondy_realm_entry *entry, const struct bondy_record *record)
{
    take_document(entry, record);
}

/* kind NUL name */
static bool split(struct bondy_slice subkey, char *kind, struct bondy_slice *name)
{
    if (subkey.len < 3 || subkey.data[1] != 0)
        return false;
    *kind = subkey.data[0];
    *name = bondy_slice_skip(subkey, 2);
    return true;
}

/* Takes `body`. */
static void set_switch(struct bondy_realm_entry *entry, struct bondy_slice name, json_t *body)
{
    int given = body == NULL ? -1 : json_is_true(body);

    if (bondy_slice_is(name, "allow_connections"))
        entry->connections_given = given;
    else if (bondy_slice_is(name, "security_enabled"))
        entry->security_given = given;
    json_decref(body);
}

/* Takes `body`. */
static void set_key(json_t *bodies, struct bondy_slice kid, json_t *body)
{
    char *name = bondy_memdup0(kid.data, kid.len);

    if (body == NULL)
        json_object_del(bodies, name);
    else
        json_object_set_new(bodies, name, body);
    bondy_free(name);
}

void bondy_realm_entry_element(struct bondy_realm_entry *entry, const struct bondy_record *record)
{
    json_t *body = record->is_tombstone ? NULL : bondy_stored_tree(record);
    struct bondy_slice name;
    char kind;

    bondy_stored_newer(entry->version, record->version);
    if (!split(record->key.subkey, &kind, &name)) {
        json_decref(body);
    } else if (kind == 's') {
        set_switch(entry, name, body);
    } else if (kind == 'k') {
        set_key(entry->signing, name, body);
        unref_keys(BONDY_MOVE(entry->keys));
    } else if (kind == 'c') {
        set_key(entry->encryption, name, body);
        unref_keys(BONDY_MOVE(entry->keys));
    } else {
        json_decref(body);
    }
}

struct bondy_slice bondy_realm_entry_prototype(const struct bondy_realm_entry *entry)
{
    return bondy_json_text(entry->document, "prototype_uri");
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct bondy_key *parse_key(const struct bondy_realm_entry *entry, const char *kid,
                                   const json_t *body)
{
    struct bondy_slice pem = bondy_json_text(body, "pem");
    struct bondy_key *key = NULL;
    struct bondy_error err;

    if (pem.len == 0)
        pem = bondy_json_text(body, "public_pem");
    if (bondy_key_parse(pem, BONDY_KEY_EC_P256, bondy_slice_text(kid), &key, &err) < 0)
        bondy_log(BONDY_LOG_ERROR, "realm_key_damaged", BONDY_F_STR("realm", entry->uri),
                  BONDY_F_STR("kid", kid), BONDY_F_STR("error", err.text));
    return key;
}

static int compare_keys(const void *left, const void *right)
{
    const struct bondy_realm_key *a = left, *b = right;

    return strcmp(a->key->kid, b->key->kid);
}

/* In the order that the store has them in, however they came. */
static struct bondy_realm_keys *make_keys(const struct bondy_realm_entry *entry)
{
    struct bondy_realm_keys *keys = bondy_zalloc(sizeof *keys);
    const char *kid;
    json_t *body;

    bondy_ref_init(&keys->ref);
    keys->signing = bondy_calloc(json_object_size(entry->signing), sizeof *keys->signing);
    keys->encryption_count = json_object_size(entry->encryption);
    json_object_foreach(entry->signing, kid, body)
    {
        struct bondy_key *key = parse_key(entry, kid, body);

        if (key == NULL)
            continue;
        keys->signing[keys->signing_count++] = (struct bondy_realm_key){
            key, (uint64_t)json_integer_value(json_object_get(body, "retired_ms"))};
    }
    if (keys->signing_count > 1)
        qsort(keys->signing, keys->signing_count, sizeof *keys->signing, compare_keys);
    return keys;
}

struct bondy_realm_keys *bondy_realm_entry_keys(struct bondy_realm_entry *entry)
{
    if (entry->keys == NULL)
        entry->keys = make_keys(entry);
    bondy_ref_take(&entry->keys->ref);
    return entry->keys;
}

/* ---- the realm ---------------------------------------------------------------------------- */

/* Of the realm, else of its prototype; NULL: neither says it. Borrowed. */
static json_t *inherited(const struct bondy_realm_entry *entry,
                         const struct bondy_realm_entry *prototype, const char *key)
{
    json_t *value = json_object_get(entry->document, key);

    if ((value == NULL || json_is_null(value)) && prototype != NULL)
        value = json_object_get(prototype->document, key);
    return json_is_null(value) ? NULL : value;
}

static bool switched(int given, int prototype_given)
{
    if (given >= 0)
        return given;
    return prototype_given != 0;
}

static char *text_of(const json_t *value)
{
    return json_is_string(value)
               ? bondy_memdup0(json_string_value(value), json_string_length(value))
               : NULL;
}

/* `anonymous` is switched off for the whole node in all of them. The caller owns the list. */
static json_t *resolve_methods(const json_t *given, const struct bondy_security_rules *rules,
                               bool is_master)
{
    static const char *const usual[] = {"anonymous", "password", "oauth2",
                                        "wampcra",   "ticket",   NULL};
    static const char *const masters[] = {"cryptosign", "wampcra", "wamp-scram", "password",
                                          "ticket",     "oauth2",  NULL};
    static const char *const insecure[] = {"cryptosign", "wampcra",   "wamp-scram",
                                           "password",   "ticket",    "oauth2",
                                           "trust",      "anonymous", NULL};
    const char *const *defaults = !is_master                 ? usual
                                  : rules->insecure_defaults ? insecure
                                                             : masters;
    json_t *methods = json_array();
    json_t *method;
    size_t i;

    for (; given == NULL && *defaults != NULL; defaults++)
        json_array_append_new(methods, json_string(*defaults));
    json_array_foreach(given, i, method)
    {
        json_array_append(methods, method);
    }
    for (i = 0; !rules->allow_anonymous_user && i < json_array_size(methods);)
        if (strcmp(json_string_value(json_array_get(methods, i)), "anonymous") == 0)
            json_array_remove(methods, i);
        else
            i++;
    return methods;
}

static void resolve(struct bondy_realm *realm, const struct bondy_realm_entry *entry,
                    const struct bondy_realm_entry *prototype,
                    const struct bondy_security_rules *rules)
{
    realm->is_master = strcmp(realm->uri, BONDY_MASTER_REALM) == 0;
    realm->allows_connections =
        realm->is_master ||
        (!realm->is_prototype &&
         switched(entry->connections_given, prototype == NULL ? -1 : prototype->connections_given));
    realm->has_security =
        realm->is_master ||
        switched(entry->security_given, prototype == NULL ? -1 : prototype->security_given);
    realm->authmethods =
        resolve_methods(inherited(entry, prototype, "authmethods"), rules, realm->is_master);
    realm->allows_anonymous = bondy_realm_has_authmethod(realm, BONDY_SLICE("anonymous"));
    realm->password_opts = bondy_user_password_opts(rules, realm->authmethods,
                                                    inherited(entry, prototype, "password_opts"));
    realm->sso_realm_uri = text_of(inherited(entry, prototype, "sso_realm_uri"));
    realm->authenticator = json_incref(inherited(entry, prototype, "authenticator"));
    realm->authorizer = json_incref(inherited(entry, prototype, "authorizer"));
}

struct bondy_realm *bondy_realm_entry_make(const struct bondy_realm_entry *entry,
                                           const struct bondy_realm_entry *prototype,
                                           const struct bondy_security_rules *rules)
{
    struct bondy_realm *realm = bondy_zalloc(sizeof *realm);
    json_t *document = entry->document;
    struct bondy_slice description = bondy_json_text(document, "description");

    bondy_ref_init(&realm->ref);
    realm->uri = bondy_strdup(entry->uri);
    realm->description = bondy_memdup0(description.data, description.len);
    realm->is_prototype = json_is_true(json_object_get(document, "is_prototype"));
    realm->is_sso_realm = json_is_true(json_object_get(document, "is_sso_realm"));
    realm->prototype_uri = text_of(json_object_get(document, "prototype_uri"));
    realm->created_ms = entry->created_ms;
    realm->updated_ms = bondy_version_wall_ms(entry->version);
    realm->document = json_incref(document);
    realm->info = json_incref(json_object_get(document, "info"));
    realm->connections_given = entry->connections_given;
    realm->security_given = entry->security_given;
    realm->gen = entry->gen;
    realm->prototype_gen = prototype == NULL ? 0 : prototype->gen;
    memcpy(realm->version, entry->version, BONDY_VERSION_LEN);
    resolve(realm, entry, prototype, rules);
    return realm;
}

/* ---- from a view -------------------------------------------------------------------------- */

static int take_element(void *context, const struct bondy_record *record)
{
    bondy_realm_entry_element(context, record);
    return 0;
}

static bool read_entry(const struct bondy_store_view *view, struct bondy_slice uri,
                       struct bondy_realm_entry *entry)
{
    const struct bondy_store_key key = {.type = BONDY_RECORD_REALM, .subkey = uri};
    struct bondy_store_range elements = {
        .type = BONDY_RECORD_REALM_ELEMENT, .scope = uri, .with_tombstones = true};
    struct bondy_record record;

    if (uri.len == 0 || !bondy_store_view_get(view, &key, &record))
        return false;
    bondy_realm_entry_init(entry, &record);
    elements.gen = entry->gen;
    bondy_store_view_scan(view, &elements, take_element, entry);
    return true;
}

static struct bondy_realm *read_realm(const struct bondy_security_rules *rules,
                                      const struct bondy_store_view *view, struct bondy_slice uri,
                                      bool with_keys)
{
    struct bondy_realm_entry entry, prototype;
    struct bondy_security_rules defaults;
    struct bondy_realm *realm;
    bool has_prototype;

    if (rules == NULL) {
        bondy_security_rules_init(&defaults);
        rules = &defaults;
    }
    if (!read_entry(view, uri, &entry))
        return NULL;
    has_prototype = read_entry(view, bondy_realm_entry_prototype(&entry), &prototype);
    realm = bondy_realm_entry_make(&entry, has_prototype ? &prototype : NULL, rules);
    if (with_keys)
        realm->keys = bondy_realm_entry_keys(&entry);
    bondy_realm_entry_fini(&entry);
    if (has_prototype)
        bondy_realm_entry_fini(&prototype);
    return realm;
}

struct bondy_realm *bondy_realm_read(const struct bondy_security_rules *rules,
                                     const struct bondy_store_view *view, struct bondy_slice uri)
{
    return read_realm(rules, view, uri, true);
}

struct bondy_realm *bondy_realm_read_plain(const struct bondy_security_rules *rules,
                                           const struct bondy_store_view *view,
                                           struct bondy_slice uri)
{
    return read_realm(rules, view, uri, false);
}

/* ---- references --------------------------------------------------------------------------- */

void bondy_realm_ref(const struct bondy_realm *realm)
{
    bondy_ref_take(&((struct bondy_realm *)(uintptr_t)realm)->ref);
}

void bondy_realm_unref(const struct bondy_realm *realm)
{
    struct bondy_realm *mine = (struct bondy_realm *)(uintptr_t)realm;

    if (mine == NULL || !bondy_ref_drop(&mine->ref))
        return;
    bondy_free(mine->uri);
    bondy_free(mine->description);
    bondy_free(mine->prototype_uri);
    bondy_free(mine->sso_realm_uri);
    json_decref(mine->authmethods);
    json_decref(mine->authenticator);
    json_decref(mine->authorizer);
    json_decref(mine->info);
    json_decref(mine->document);
    unref_keys(mine->keys);
    if (mine->policy != NULL)
        bondy_policy_unref(mine->policy);
    bondy_free(mine);
}

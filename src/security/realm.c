/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/realm.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/map.h"
#include "src/sys/publish.h"
#include "src/wamp/codec.h"

/* The control thread keeps `current`; each commit that changed a realm publishes a new snapshot: a
 * map of its own with a reference to each realm. Realms are few and change seldom; readers never
 * wait. */

#define URI_MAX 1024
#define MASTER_ALIAS "bondy"

struct snapshot {
    struct bondy_retired retired;
    struct bondy_map by_uri;
};

struct bondy_realms {
    struct snapshot *published; /* RCU */
    struct bondy_map current;   /* control thread: URI to struct bondy_realm, one reference each */
    bool is_dirty;
};

/* ---- one realm --------------------------------------------------------------------------- */

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
    json_decref(mine->document);
    bondy_free(mine);
}

/* The values that follow from what was given. */
static void resolve(struct bondy_realm *realm)
{
    realm->is_master = strcmp(realm->uri, BONDY_MASTER_REALM) == 0;
    realm->allows_connections = realm->connections_given != 0;
    realm->allows_anonymous = !realm->is_master;
}

static struct bondy_realm *make_realm(const struct bondy_record *record)
{
    struct bondy_realm *realm = bondy_zalloc(sizeof *realm);
    json_t *document = bondy_value_tree(BONDY_CBOR, record->body);
    struct bondy_slice description = bondy_json_text(document, "description");

    bondy_ref_init(&realm->ref);
    realm->uri = bondy_memdup0(record->key.subkey.data, record->key.subkey.len);
    realm->description = bondy_memdup0(description.data, description.len);
    realm->created_ms = (uint64_t)json_integer_value(json_object_get(document, "created_ms"));
    realm->updated_ms = bondy_version_wall_ms(record->version);
    if (realm->created_ms == 0)
        realm->created_ms = realm->updated_ms;
    json_object_del(document, "created_ms");
    realm->document = document;
    realm->connections_given = -1;
    realm->security_given = -1;
    realm->gen = record->gen;
    memcpy(realm->version, record->version, BONDY_VERSION_LEN);
    resolve(realm);
    return realm;
}

static struct bondy_realm *copy_realm(const struct bondy_realm *from)
{
    struct bondy_realm *realm = bondy_zalloc(sizeof *realm);

    *realm = *from;
    bondy_ref_init(&realm->ref);
    realm->uri = bondy_strdup(from->uri);
    realm->description = bondy_strdup(from->description);
    json_incref(realm->document);
    return realm;
}

static json_t *resolved(json_t *value, bool is_inherited)
{
    return json_pack("{s:o, s:b}", "value", value, "inherited", is_inherited);
}

static json_t *authmethods(const struct bondy_realm *realm)
{
    json_t *given = json_object_get(realm->document, "authmethods");

    if (json_is_array(given))
        return json_incref(given);
    return realm->is_master ? json_array() : json_pack("[s]", "anonymous");
}

static json_t *effective(const struct bondy_realm *realm)
{
    bool has_methods = json_is_array(json_object_get(realm->document, "authmethods"));
    json_t *object = json_object();

    json_object_set_new(
        object, "allow_connections",
        resolved(json_boolean(realm->allows_connections), realm->connections_given < 0));
    json_object_set_new(object, "authmethods", resolved(authmethods(realm), !has_methods));
    json_object_set_new(object, "sso_realm_uri", resolved(json_null(), true));
    json_object_set_new(object, "security_enabled",
                        resolved(json_boolean(realm->is_master), realm->security_given < 0));
    return object;
}

static json_t *hex_version(const struct bondy_realm *realm)
{
    char text[2 * BONDY_VERSION_LEN + 1];

    for (int i = 0; i < BONDY_VERSION_LEN; i++)
        snprintf(text + 2 * i, 3, "%02x", realm->version[i]);
    return json_string(text);
}

static json_t *time_text(uint64_t wall_ms)
{
    char text[25];

    bondy_clock_format(wall_ms, text);
    return json_string(text);
}

json_t *bondy_realm_external(const struct bondy_realm *realm)
{
    json_t *object = json_pack("{s:s, s:s, s:b, s:b}", "uri", realm->uri, "description",
                               realm->description, "is_prototype", 0, "is_sso_realm", 0);
    json_t *methods = json_object_get(realm->document, "authmethods");

    if (realm->connections_given >= 0)
        json_object_set_new(object, "allow_connections", json_boolean(realm->connections_given));
    if (json_is_array(methods))
        json_object_set(object, "authmethods", methods);
    json_object_set_new(object, "security_status",
                        json_string(realm->is_master ? "enabled" : "disabled"));
    json_object_set_new(object, "public_keys", json_array());
    json_object_set_new(object, "effective", effective(realm));
    json_object_set_new(object, "created_at", time_text(realm->created_ms));
    json_object_set_new(object, "updated_at", time_text(realm->updated_ms));
    json_object_set_new(object, "etag", hex_version(realm));
    return object;
}

/* ---- the table --------------------------------------------------------------------------- */

static void fini_realms(struct bondy_map *map)
{
    struct bondy_slice uri;
    size_t cursor = 0;
    void *realm;

    while (bondy_map_next(map, &cursor, &uri, &realm))
        bondy_realm_unref(realm);
    bondy_map_fini(map);
}

static void free_snapshot(struct bondy_retired *retired)
{
    struct snapshot *snapshot = BONDY_CONTAINER(retired, struct snapshot, retired);

    fini_realms(&snapshot->by_uri);
    bondy_free(snapshot);
}

struct bondy_realms *bondy_realms_create(void)
{
    struct bondy_realms *realms = bondy_zalloc(sizeof *realms);

    realms->published = bondy_zalloc(sizeof *realms->published);
    return realms;
}

void bondy_realms_destroy(struct bondy_realms *realms)
{
    if (realms == NULL)
        return;
    free_snapshot(&realms->published->retired);
    fini_realms(&realms->current);
    bondy_free(realms);
}

bool bondy_realm_canonical(struct bondy_slice uri, char *out, size_t room, size_t *len)
{
    if (uri.len > room)
        return false;
    for (size_t i = 0; i < uri.len; i++)
        out[i] = (char)((uint8_t)uri.data[i] < 0x80 ? tolower((uint8_t)uri.data[i]) : uri.data[i]);
    *len = uri.len;
    if (bondy_slice_is(bondy_slice_of(out, uri.len), MASTER_ALIAS) &&
        room >= sizeof BONDY_MASTER_REALM - 1) {
        *len = sizeof BONDY_MASTER_REALM - 1;
        memcpy(out, BONDY_MASTER_REALM, *len);
    }
    return true;
}

const struct bondy_realm *bondy_realms_find(const struct bondy_realms *realms,
                                            struct bondy_slice uri)
{
    const struct snapshot *snapshot = bondy_publish_get(realms->published);
    char canonical[URI_MAX];
    size_t len;

    if (!bondy_realm_canonical(uri, canonical, sizeof canonical, &len))
        return NULL;
    return bondy_map_find(&snapshot->by_uri, bondy_slice_of(canonical, len));
}

static int by_uri(const void *a, const void *b)
{
    const struct bondy_realm *const *left = a, *const *right = b;

    return strcmp((*left)->uri, (*right)->uri);
}

json_t *bondy_realms_list(const struct bondy_realms *realms)
{
    const struct snapshot *snapshot = bondy_publish_get(realms->published);
    size_t count = snapshot->by_uri.count, filled = 0, cursor = 0;
    const struct bondy_realm **sorted = bondy_calloc(count, sizeof *sorted);
    json_t *list = json_array();
    struct bondy_slice uri;
    void *realm;

    while (filled < count && bondy_map_next(&snapshot->by_uri, &cursor, &uri, &realm))
        sorted[filled++] = realm;
    qsort(sorted, filled, sizeof *sorted, by_uri);
    for (size_t i = 0; i < filled; i++)
        json_array_append_new(list, bondy_realm_external(sorted[i]));
    bondy_free(sorted);
    return list;
}

/* ---- the feed ---------------------------------------------------------------------------- */

static void replace(struct bondy_realms *realms, struct bondy_slice uri, struct bondy_realm *realm)
{
    bondy_realm_unref(realm == NULL ? bondy_map_remove(&realms->current, uri)
                                    : bondy_map_put(&realms->current, uri, realm));
    realms->is_dirty = true;
}

static void on_realm(struct bondy_realms *realms, const struct bondy_record *record)
{
    struct bondy_realm *old = bondy_map_find(&realms->current, record->key.subkey);
    struct bondy_realm *made;

    if (record->is_tombstone) {
        replace(realms, record->key.subkey, NULL);
        return;
    }
    made = make_realm(record);
    if (old != NULL && old->gen == made->gen) {
        made->connections_given = old->connections_given;
        made->security_given = old->security_given;
        resolve(made);
    }
    replace(realms, record->key.subkey, made);
}

static struct bondy_realm *find_scope(struct bondy_realms *realms,
                                      const struct bondy_record *record)
{
    uint8_t hash[BONDY_SCOPE_HASH_LEN];
    struct bondy_slice uri;
    size_t cursor = 0;
    void *realm;

    while (bondy_map_next(&realms->current, &cursor, &uri, &realm)) {
        bondy_store_scope_hash(uri, hash);
        if (memcmp(hash, record->scope_hash, sizeof hash) == 0)
            return realm;
    }
    return NULL;
}

/* A switch of a realm: element `s \0 name`, its body a boolean. */
static void on_element(struct bondy_realms *realms, const struct bondy_record *record)
{
    struct bondy_realm *old = find_scope(realms, record), *made;
    json_t *value;
    int given;

    if (old == NULL || old->gen != record->key.gen)
        return;
    value = record->is_tombstone ? NULL : bondy_value_tree(BONDY_CBOR, record->body);
    given = value == NULL ? -1 : json_is_true(value);
    json_decref(value);
    made = copy_realm(old);
    if (bondy_slice_eq(record->key.subkey, BONDY_SLICE("s\0allow_connections")))
        made->connections_given = given;
    else if (bondy_slice_eq(record->key.subkey, BONDY_SLICE("s\0security_enabled")))
        made->security_given = given;
    if (memcmp(record->version, made->version, BONDY_VERSION_LEN) > 0) {
        memcpy(made->version, record->version, BONDY_VERSION_LEN);
        made->updated_ms = bondy_version_wall_ms(record->version);
    }
    resolve(made);
    replace(realms, bondy_slice_text(made->uri), made);
}

void bondy_realms_on_change(struct bondy_realms *realms, const struct bondy_change *change)
{
    if (change->now.key.type == BONDY_RECORD_REALM)
        on_realm(realms, &change->now);
    else if (change->now.key.type == BONDY_RECORD_REALM_ELEMENT)
        on_element(realms, &change->now);
}

void bondy_realms_publish(struct bondy_realms *realms)
{
    struct snapshot *made, *old = realms->published;
    struct bondy_slice uri;
    size_t cursor = 0;
    void *realm;

    if (!realms->is_dirty)
        return;
    realms->is_dirty = false;
    made = bondy_zalloc(sizeof *made);
    while (bondy_map_next(&realms->current, &cursor, &uri, &realm)) {
        bondy_realm_ref(realm);
        bondy_map_put(&made->by_uri, uri, realm);
    }
    bondy_publish_set(realms->published, made);
    bondy_publish_retire(&old->retired, free_snapshot);
}

static int load_one(void *context, const struct bondy_record *record)
{
    struct bondy_change change = {.now = *record};

    bondy_realms_on_change(context, &change);
    return 0;
}

int bondy_realms_load_wait(struct bondy_realms *realms, struct bondy_store *store,
                           struct bondy_error *err)
{
    /* Elements find their realm, so realms come first. */
    int rc = bondy_store_scan_wait(store, BONDY_RECORD_REALM, BONDY_SLICE_EMPTY, load_one, realms);

    if (rc == 0)
        rc = bondy_store_scan_wait(store, BONDY_RECORD_REALM_ELEMENT, BONDY_SLICE_EMPTY, load_one,
                                   realms);
    if (rc != 0)
        return bondy_fail(err, BONDY_EIO, "reading the realms from the store");
    bondy_realms_publish(realms);
    return BONDY_OK;
}

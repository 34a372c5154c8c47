/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/catalog/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/catalog/record.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/map.h"
#include "src/base/problem.h"
#include "src/base/ref.h"
#include "src/sys/publish.h"

/* The control thread keeps `current`: id to entry. An entry never changes once it is in there; what
 * changes is replaced by a new one. Publishing builds a view for readers (a map of its own with a
 * reference to each entry) and the route table of all active entries. */

enum status { STATUS_ACTIVE, STATUS_FAILED, STATUS_ORPHAN };
static const char *const status_names[] = {"active", "failed", "orphan"};

/* References: the current map, each view that holds it. */
struct entry {
    struct bondy_ref ref;
    char *id;
    char *realm_uri;
    struct bondy_api_record record;
    uint8_t version[BONDY_VERSION_LEN];
    enum status status;
    struct bondy_spec *spec; /* NULL unless active */
    json_t *problem;         /* of a failed one, or NULL */
};

struct view {
    struct bondy_retired retired;
    struct bondy_map by_id;
};

struct bondy_catalog {
    struct bondy_catalog_options options;
    struct view *published; /* RCU */
    /* Control thread only. */
    struct bondy_map current;
    struct bondy_map kept; /* hash to struct bondy_spec: compiled by jobs of this commit */
    bool is_dirty;         /* an entry changed */
    bool has_realms_changed;
};

/* ---- entries ----------------------------------------------------------------------------------*/

static void unref_entry(struct entry *entry)
{
    if (entry == NULL || !bondy_ref_drop(&entry->ref))
        return;
    bondy_free(entry->id);
    bondy_free(entry->realm_uri);
    bondy_api_record_fini(&entry->record);
    bondy_spec_unref(entry->spec);
    json_decref(entry->problem);
    bondy_free(entry);
}

static bool realm_exists(void *context, struct bondy_slice uri)
{
    return bondy_realms_find(context, uri) != NULL;
}

static bool realm_takes(void *context, struct bondy_slice uri, const char *method)
{
    const struct bondy_realm *realm = bondy_realms_find(context, uri);

    /* That it is not there is said elsewhere. */
    return realm == NULL || bondy_realm_has_authmethod(realm, bondy_slice_text(method));
}

const struct bondy_security_rules *bondy_catalog_rules(const struct bondy_catalog *catalog)
{
    return catalog->options.rules;
}

int bondy_catalog_compile(const struct bondy_catalog *catalog, const json_t *document,
                          const char *pointer, struct bondy_spec **out, json_t **problems,
                          json_t **warnings)
{
    struct bondy_spec_env env = {.realm_exists = realm_exists,
                                 .realm_takes = realm_takes,
                                 .context = (void *)(uintptr_t)catalog->options.realms,
                                 .listeners = catalog->options.listeners,
                                 .loaded_at_ms = bondy_clock_wall_ms(),
                                 .pointer = pointer};

    *out = NULL;
    *problems = NULL;
    *warnings = NULL;
    return bondy_spec_load(document, &env, out, problems, warnings);
}

/* Fills spec, status and problem. A specification that was served and lost its realm is an orphan;
 * one that never found it is a failed one. */
static void activate(struct bondy_catalog *catalog, struct entry *entry, enum status without_realm)
{
    json_t *warnings = NULL;
    int rc = BONDY_OK;

    entry->spec = bondy_map_remove(&catalog->kept, bondy_slice_text(entry->record.hash));
    if (entry->spec == NULL)
        rc = bondy_catalog_compile(catalog, entry->record.document, NULL, &entry->spec,
                                   &entry->problem, &warnings);
    json_decref(warnings);
    entry->status = rc == BONDY_OK       ? STATUS_ACTIVE
                    : rc == BONDY_ENOENT ? without_realm
                                         : STATUS_FAILED;
    if (rc < 0)
        bondy_log(BONDY_LOG_WARN, "api_spec_not_served", BONDY_F_STR("id", entry->id),
                  BONDY_F_STR("status", status_names[entry->status]),
                  BONDY_F_STR("code", bondy_problem_code(entry->problem)));
}

static struct entry *make_entry(const struct bondy_record *stored)
{
    struct entry *entry = bondy_zalloc(sizeof *entry);
    struct bondy_slice realm;

    bondy_ref_init(&entry->ref);
    entry->id = bondy_memdup0(stored->key.subkey.data, stored->key.subkey.len);
    memcpy(entry->version, stored->version, BONDY_VERSION_LEN);
    if (!bondy_api_record_decode(stored, &entry->record)) {
        bondy_log(BONDY_LOG_ERROR, "api_spec_unreadable", BONDY_F_STR("id", entry->id));
        unref_entry(entry);
        return NULL;
    }
    realm = bondy_json_text(entry->record.document, "realm_uri");
    entry->realm_uri = bondy_memdup0(realm.data, realm.len);
    return entry;
}

/* The same record, looked at again. */
static struct entry *copy_entry(const struct entry *from)
{
    struct entry *entry = bondy_zalloc(sizeof *entry);

    bondy_ref_init(&entry->ref);
    entry->id = bondy_strdup(from->id);
    entry->realm_uri = bondy_strdup(from->realm_uri);
    entry->record = from->record;
    json_incref(entry->record.document);
    memcpy(entry->version, from->version, BONDY_VERSION_LEN);
    return entry;
}

static void replace_entry(struct bondy_catalog *catalog, struct bondy_slice id, struct entry *entry)
{
    unref_entry(entry == NULL ? bondy_map_remove(&catalog->current, id)
                              : bondy_map_put(&catalog->current, id, entry));
    catalog->is_dirty = true;
}

/* ---- the feed ---------------------------------------------------------------------------------*/

static void take_record(struct bondy_catalog *catalog, const struct bondy_record *record,
                        enum status without_realm)
{
    struct entry *entry = record->is_tombstone ? NULL : make_entry(record);

    if (entry != NULL)
        activate(catalog, entry, without_realm);
    replace_entry(catalog, record->key.subkey, entry);
}

void bondy_catalog_on_change(struct bondy_catalog *catalog, const struct bondy_change *change)
{
    if (change->now.key.type == BONDY_RECORD_REALM)
        catalog->has_realms_changed = true;
    else if (change->now.key.type == BONDY_RECORD_API_SPEC)
        take_record(catalog, &change->now, STATUS_FAILED);
}

void bondy_catalog_keep(struct bondy_catalog *catalog, const char *hash, struct bondy_spec *spec)
{
    bondy_spec_unref(bondy_map_put(&catalog->kept, bondy_slice_text(hash), spec));
}

static void forget_kept(struct bondy_catalog *catalog)
{
    struct bondy_slice hash;
    size_t cursor = 0;
    void *spec;

    while (bondy_map_next(&catalog->kept, &cursor, &hash, &spec))
        bondy_spec_unref(spec);
    bondy_map_fini(&catalog->kept);
    memset(&catalog->kept, 0, sizeof catalog->kept);
}

/* Entries by id, or by the time they were first stored; the caller frees the array. */
static struct entry **sorted_entries(const struct bondy_map *map,
                                     int (*order)(const void *a, const void *b), size_t *count)
{
    struct entry **entries = bondy_calloc(map->count, sizeof *entries);
    struct bondy_slice id;
    size_t cursor = 0;
    void *entry;

    *count = 0;
    while (bondy_map_next(map, &cursor, &id, &entry))
        entries[(*count)++] = entry;
    qsort(entries, *count, sizeof *entries, order);
    return entries;
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct entry *const *)a)->id, (*(struct entry *const *)b)->id);
}

static int by_age(const void *a, const void *b)
{
    const struct entry *left = *(struct entry *const *)a, *right = *(struct entry *const *)b;

    if (left->record.loaded_ms != right->record.loaded_ms)
        return left->record.loaded_ms < right->record.loaded_ms ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* Realms came or went: what waited for one is tried again, what lost its own becomes an orphan. */
static void look_at_realms(struct bondy_catalog *catalog)
{
    size_t count;
    struct entry **entries = sorted_entries(&catalog->current, by_id, &count);

    for (size_t i = 0; i < count; i++) {
        struct entry *entry = entries[i], *again;
        bool has_realm =
            bondy_realms_find(catalog->options.realms, bondy_slice_text(entry->realm_uri)) != NULL;

        if (has_realm == (entry->status == STATUS_ACTIVE))
            continue;
        again = copy_entry(entry);
        activate(catalog, again, entry->status == STATUS_FAILED ? STATUS_FAILED : STATUS_ORPHAN);
        replace_entry(catalog, bondy_slice_text(again->id), again);
    }
    bondy_free(entries);
}

static void publish_routes(struct bondy_catalog *catalog)
{
    size_t count, used = 0, index;
    struct entry **entries = sorted_entries(&catalog->current, by_age, &count);
    const struct bondy_spec **specs = bondy_calloc(count, sizeof *specs);
    struct bondy_route_table *table;
    json_t *warnings = NULL, *warning;

    for (size_t i = 0; i < count; i++)
        if (entries[i]->status == STATUS_ACTIVE)
            specs[used++] = entries[i]->spec;
    table = bondy_route_table_build(specs, used, &warnings);
    json_array_foreach(warnings, index, warning)
        bondy_log(BONDY_LOG_WARN, "api_route_hidden",
                  BONDY_F_SLICE("message", bondy_json_text(warning, "message")),
                  BONDY_F_SLICE("api", bondy_json_text(warning, "api")),
                  BONDY_F_SLICE("other", bondy_json_text(warning, "other")));
    json_decref(warnings);
    bondy_free(specs);
    bondy_free(entries);
    catalog->options.publish(catalog->options.context, table);
}

static void fini_entries(struct bondy_map *map)
{
    struct bondy_slice id;
    size_t cursor = 0;
    void *entry;

    while (bondy_map_next(map, &cursor, &id, &entry))
        unref_entry(entry);
    bondy_map_fini(map);
}

static void free_view(struct bondy_retired *retired)
{
    struct view *view = BONDY_CONTAINER(retired, struct view, retired);

    fini_entries(&view->by_id);
    bondy_free(view);
}

static void publish_view(struct bondy_catalog *catalog)
{
    struct view *view = bondy_zalloc(sizeof *view), *old = catalog->published;
    struct bondy_slice id;
    size_t cursor = 0;
    void *entry;

    while (bondy_map_next(&catalog->current, &cursor, &id, &entry)) {
        bondy_ref_take(&((struct entry *)entry)->ref);
        bondy_map_put(&view->by_id, id, entry);
    }
    bondy_publish_set(catalog->published, view);
    if (old != NULL)
        bondy_publish_retire(&old->retired, free_view);
}

void bondy_catalog_publish(struct bondy_catalog *catalog)
{
    if (catalog->has_realms_changed)
        look_at_realms(catalog);
    if (catalog->is_dirty) {
        publish_routes(catalog);
        publish_view(catalog);
    }
    catalog->has_realms_changed = false;
    catalog->is_dirty = false;
    forget_kept(catalog);
}

/* ---- life -------------------------------------------------------------------------------------*/

struct bondy_catalog *bondy_catalog_create(const struct bondy_catalog_options *options)
{
    struct bondy_catalog *catalog = bondy_zalloc(sizeof *catalog);

    catalog->options = *options;
    catalog->published = bondy_zalloc(sizeof *catalog->published);
    return catalog;
}

void bondy_catalog_destroy(struct bondy_catalog *catalog)
{
    if (catalog == NULL)
        return;
    forget_kept(catalog);
    free_view(&catalog->published->retired);
    fini_entries(&catalog->current);
    bondy_free(catalog);
}

static int load_one(void *context, const struct bondy_record *record)
{
    /* It had its realm when it was loaded. */
    take_record(context, record, STATUS_ORPHAN);
    return 0;
}

int bondy_catalog_load_wait(struct bondy_catalog *catalog, struct bondy_store *store,
                            struct bondy_error *err)
{
    int rc =
        bondy_store_scan_wait(store, BONDY_RECORD_API_SPEC, BONDY_SLICE_EMPTY, load_one, catalog);

    if (rc < 0)
        return bondy_fail(err, rc, "the API specifications cannot be read from the store");
    catalog->is_dirty = true;
    bondy_catalog_publish(catalog);
    return BONDY_OK;
}

/* ---- reading ----------------------------------------------------------------------------------*/

static json_t *time_text(uint64_t wall_ms)
{
    char text[25];

    bondy_clock_format(wall_ms, text);
    return json_string(text);
}

static json_t *external(const struct entry *entry)
{
    const struct bondy_api_record *record = &entry->record;
    char etag[2 * BONDY_VERSION_LEN + 1];
    json_t *object = json_deep_copy(record->document);

    bondy_api_etag(entry->version, etag);
    json_object_set_new(object, "ts", json_integer((json_int_t)record->updated_ms));
    json_object_set_new(object, "loaded_at", time_text(record->loaded_ms));
    json_object_set_new(object, "updated_at", time_text(record->updated_ms));
    json_object_set_new(object, "revision", json_integer((json_int_t)record->revision));
    json_object_set_new(object, "hash", json_string(record->hash));
    json_object_set_new(object, "etag", json_string(etag));
    json_object_set_new(object, "status", json_string(status_names[entry->status]));
    if (entry->problem != NULL)
        json_object_set_new(object, "problem", json_deep_copy(entry->problem));
    return object;
}

json_t *bondy_catalog_list(const struct bondy_catalog *catalog)
{
    const struct view *view = bondy_publish_get(catalog->published);
    size_t count;
    struct entry **entries = sorted_entries(&view->by_id, by_id, &count);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, external(entries[i]));
    bondy_free(entries);
    return list;
}

static const struct entry *find_entry(const struct bondy_catalog *catalog, struct bondy_slice id)
{
    const struct view *view = bondy_publish_get(catalog->published);

    return bondy_map_find(&view->by_id, id);
}

json_t *bondy_catalog_get(const struct bondy_catalog *catalog, struct bondy_slice id)
{
    const struct entry *entry = find_entry(catalog, id);

    return entry == NULL ? NULL : external(entry);
}

json_t *bondy_catalog_routes(const struct bondy_catalog *catalog, struct bondy_slice id)
{
    const struct entry *entry = find_entry(catalog, id);

    if (entry == NULL)
        return NULL;
    return entry->spec == NULL ? json_array() : bondy_spec_routes(entry->spec);
}

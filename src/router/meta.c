/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/meta.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/router/core.h"

/* A realm without sessions has no registry: NULL. */
static struct bondy_registry *hold(const struct bondy_meta *meta)
{
    return bondy_join_find_registry(meta->thread->router, meta->realm);
}

static void release(const struct bondy_meta *meta, struct bondy_registry *registry)
{
    if (registry != NULL)
        bondy_join_release_registry(meta->thread->router, registry);
}

/* ---- all ------------------------------------------------------------------------------------- */

struct listed {
    uint64_t id;
    enum bondy_match match;
};

static int by_age(const void *left, const void *right)
{
    uint64_t a = ((const struct listed *)left)->id, b = ((const struct listed *)right)->id;

    return a < b ? -1 : a > b;
}

/* Others wait for the mutex: nothing but numbers is copied under it. */
static struct listed *copy_ids(struct bondy_registry *registry, enum bondy_kind kind, size_t *count)
{
    const struct bondy_idmap *entries = &registry->indexes[kind].by_id;
    struct listed *all = NULL;
    size_t cursor = 0;
    uint64_t id;
    void *value;

    *count = 0;
    pthread_mutex_lock(&registry->mutex);
    if (entries->count > 0)
        all = bondy_calloc(entries->count, sizeof *all);
    while (bondy_idmap_next(entries, &cursor, &id, &value))
        all[(*count)++] = (struct listed){id, ((const struct bondy_entry *)value)->match};
    pthread_mutex_unlock(&registry->mutex);
    return all;
}

json_t *bondy_meta_list(const struct bondy_meta *meta)
{
    struct bondy_registry *registry = hold(meta);
    json_t *lists[BONDY_MATCHES], *list = json_object();
    struct listed *all = NULL;
    size_t count = 0;

    for (size_t i = 0; i < BONDY_MATCHES; i++) {
        lists[i] = json_array();
        json_object_set_new(list, bondy_match_name((enum bondy_match)i), lists[i]);
    }
    if (registry != NULL)
        all = copy_ids(registry, meta->kind, &count);
    release(meta, registry);
    if (count > 0)
        qsort(all, count, sizeof *all, by_age);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(lists[all[i].match], json_integer((json_int_t)all[i].id));
    bondy_free(all);
    return list;
}

/* ---- one ------------------------------------------------------------------------------------- */

/* Calls `fn` for the entry while nobody can remove it. False: there is none. */
static bool look_at(const struct bondy_meta *meta, uint64_t id,
                    void (*fn)(void *context, struct bondy_entry *entry), void *context)
{
    struct bondy_registry *registry = id == 0 ? NULL : hold(meta);
    struct bondy_entry *entry;

    if (registry == NULL)
        return false;
    pthread_mutex_lock(&registry->mutex);
    entry = bondy_idmap_find(&registry->indexes[meta->kind].by_id, id);
    if (entry != NULL)
        fn(context, entry);
    pthread_mutex_unlock(&registry->mutex);
    release(meta, registry);
    return entry != NULL;
}

static void describe(void *context, struct bondy_entry *entry)
{
    json_t **out = context;
    char created[25];

    bondy_clock_format(entry->created_ms, created);
    *out = json_object();
    json_object_set_new(*out, "id", json_integer((json_int_t)entry->id));
    json_object_set_new(*out, "created", json_string(created));
    json_object_set_new(*out, "uri", bondy_json_slice(entry->uri));
    json_object_set_new(*out, "match", json_string(bondy_match_name(entry->match)));
}

json_t *bondy_meta_get(const struct bondy_meta *meta, uint64_t id)
{
    json_t *described = NULL;

    if (look_at(meta, id, describe, &described) && meta->kind == BONDY_REGISTRATIONS)
        json_object_set_new(described, "invoke", json_string("single"));
    return described;
}

static void take_callees(void *context, struct bondy_entry *entry)
{
    const struct bondy_callees *callees =
        bondy_publish_get(BONDY_CONTAINER(entry, struct bondy_registration, entry)->callees);
    json_t **out = context;

    *out = json_array();
    for (unsigned i = 0; i < callees->count; i++)
        json_array_append_new(*out, json_integer((json_int_t)callees->items[i].session_id));
}

json_t *bondy_meta_callees(const struct bondy_meta *meta, uint64_t id)
{
    json_t *ids = NULL;

    look_at(meta, id, take_callees, &ids);
    return ids;
}

static void count_callees(void *context, struct bondy_entry *entry)
{
    *(unsigned *)context =
        bondy_publish_get(BONDY_CONTAINER(entry, struct bondy_registration, entry)->callees)->count;
}

static void count_subscribers(void *context, struct bondy_entry *entry)
{
    *(unsigned *)context = BONDY_CONTAINER(entry, struct bondy_subscription, entry)->total;
}

bool bondy_meta_count(const struct bondy_meta *meta, uint64_t id, unsigned *out)
{
    return look_at(meta, id, meta->kind == BONDY_REGISTRATIONS ? count_callees : count_subscribers,
                   out);
}

/* ---- by URI ---------------------------------------------------------------------------------- */

uint64_t bondy_meta_lookup(const struct bondy_meta *meta, struct bondy_slice uri,
                           enum bondy_match match)
{
    struct bondy_registry *registry = hold(meta);
    const struct bondy_entry *entry =
        registry == NULL ? NULL : bondy_registry_find(registry, meta->kind, uri, match);
    uint64_t id = entry == NULL ? 0 : entry->id;

    release(meta, registry);
    return id;
}

static bool add_id(void *context, void *value)
{
    const struct bondy_entry *entry = value;

    json_array_append_new(context, json_integer((json_int_t)entry->id));
    return true;
}

json_t *bondy_meta_match(const struct bondy_meta *meta, struct bondy_slice uri)
{
    struct bondy_registry *registry = hold(meta);
    json_t *ids = json_array();

    if (registry != NULL)
        bondy_registry_match_all(registry, meta->kind, uri, add_id, ids);
    release(meta, registry);
    return ids;
}

uint64_t bondy_meta_best(const struct bondy_meta *meta, struct bondy_slice procedure)
{
    struct bondy_registry *registry = hold(meta);
    const struct bondy_registration *best = NULL;
    uint64_t id;

    if (registry != NULL)
        best = bondy_registry_best(registry, procedure, bondy_hash(procedure.data, procedure.len));
    id = best == NULL ? 0 : best->entry.id;
    release(meta, registry);
    return id;
}

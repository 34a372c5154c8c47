/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/registry.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/clock.h"
#include "src/base/map.h"
#include "src/router/stats.h"

struct bondy_registry *bondy_registry_create(const char *realm, uint32_t gen, unsigned thread_count,
                                             struct bondy_registry_numbers *numbers)
{
    struct bondy_registry *registry = bondy_zalloc(sizeof *registry);

    registry->realm = bondy_strdup(realm);
    registry->gen = gen;
    registry->thread_count = thread_count;
    registry->numbers = numbers;
    pthread_mutex_init(&registry->mutex, NULL);
    for (int kind = 0; kind < BONDY_KINDS; kind++)
        atomic_init(&registry->indexes[kind].generation,
                    atomic_fetch_add(&numbers->last_generation, 1) + 1);
    return registry;
}

void bondy_registry_destroy(struct bondy_registry *registry)
{
    for (int kind = 0; kind < BONDY_KINDS; kind++) {
        bondy_uri_table_fini(&registry->indexes[kind].exact);
        bondy_idmap_fini(&registry->indexes[kind].by_id);
        BONDY_BUG_ON(registry->indexes[kind].prefixes != NULL);
        BONDY_BUG_ON(registry->indexes[kind].wildcards != NULL);
    }
    pthread_mutex_destroy(&registry->mutex);
    bondy_free(registry->realm);
    bondy_free(registry);
}

/* ---- the trees --------------------------------------------------------------------------- */

struct retired_nodes {
    struct bondy_retired retired;
    struct bondy_trie_node *first;
};

static void free_nodes(struct bondy_retired *retired)
{
    struct retired_nodes *nodes = BONDY_CONTAINER(retired, struct retired_nodes, retired);

    bondy_trie_free_replaced(nodes->first);
    bondy_free(nodes);
}

static void retire_nodes(struct bondy_trie_node *replaced)
{
    struct retired_nodes *nodes;

    if (replaced == NULL)
        return;
    nodes = bondy_alloc(sizeof *nodes);
    nodes->first = replaced;
    bondy_publish_retire(&nodes->retired, free_nodes);
}

static void *find_in_tree(bondy_trie_root root, struct bondy_slice uri, enum bondy_match match)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    void *found;

    if (match == BONDY_MATCH_PREFIX)
        return bondy_trie_find(root, uri);
    found = bondy_trie_find(root, bondy_trie_wildcard_key(uri, &text));
    bondy_buf_fini(&text);
    return found;
}

static struct bondy_entry *find(const struct bondy_index *index, struct bondy_slice uri,
                                uint64_t hash, enum bondy_match match)
{
    if (match == BONDY_MATCH_EXACT)
        return bondy_uri_table_find(&index->exact, uri, hash);
    return find_in_tree(match == BONDY_MATCH_PREFIX ? bondy_publish_get(index->prefixes)
                                                    : bondy_publish_get(index->wildcards),
                        uri, match);
}

/* Puts the entry into its index or takes it out. The generation changes in between making it
 * visible and retiring what readers may still hold. */
static void change(struct bondy_registry *registry, enum bondy_kind kind, struct bondy_entry *entry,
                   bool is_added)
{
    struct bondy_index *index = &registry->indexes[kind];
    struct bondy_trie_node *replaced = NULL;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_slice key = entry->uri;
    struct bondy_trie_node **root = &index->prefixes;
    bondy_trie_root changed;

    if (entry->match == BONDY_MATCH_EXACT) {
        if (is_added)
            bondy_uri_table_add(&index->exact, entry->uri, entry->hash, entry);
        else
            bondy_uri_table_remove(&index->exact, entry->uri, entry->hash);
    } else {
        if (entry->match == BONDY_MATCH_WILDCARD) {
            root = &index->wildcards;
            key = bondy_trie_wildcard_key(entry->uri, &text);
        }
        changed = is_added ? bondy_trie_add(*root, key, entry, &replaced)
                           : bondy_trie_remove(*root, key, &replaced);
        bondy_publish_set(*root, (struct bondy_trie_node *)changed);
    }
    if (is_added)
        bondy_idmap_put(&index->by_id, entry->id, entry);
    else
        bondy_idmap_remove(&index->by_id, entry->id);
    bondy_stats_entry(kind, entry->match, is_added ? 1 : -1);
    atomic_store_explicit(&index->generation,
                          atomic_fetch_add(&registry->numbers->last_generation, 1) + 1,
                          memory_order_release);
    retire_nodes(replaced);
    bondy_buf_fini(&text);
}

/* ---- entries ----------------------------------------------------------------------------- */

static void free_subscription(struct bondy_retired *retired)
{
    struct bondy_entry *entry = BONDY_CONTAINER(retired, struct bondy_entry, retired);

    bondy_free(BONDY_CONTAINER(entry, struct bondy_subscription, entry));
}

static void free_registration(struct bondy_retired *retired)
{
    struct bondy_entry *entry = BONDY_CONTAINER(retired, struct bondy_entry, retired);
    struct bondy_registration *registration =
        BONDY_CONTAINER(entry, struct bondy_registration, entry);

    bondy_free(registration->callees);
    bondy_free(registration);
}

/* An entry at the start of `size` zeroed bytes, its text behind them. */
static void *entry_create(struct bondy_registry *registry, size_t size, struct bondy_slice uri,
                          uint64_t hash, enum bondy_match match)
{
    struct bondy_entry *entry = bondy_zalloc(size + uri.len);
    char *text = (char *)entry + size;

    memcpy(text, uri.data, uri.len);
    entry->uri = bondy_slice_of(text, uri.len);
    entry->id = atomic_fetch_add(&registry->numbers->last_id, 1) + 1;
    entry->hash = hash;
    entry->match = match;
    entry->created_ms = bondy_clock_wall_ms();
    return entry;
}

static struct bondy_subscription *subscription_create(struct bondy_registry *registry,
                                                      struct bondy_slice topic, uint64_t hash,
                                                      enum bondy_match match)
{
    struct bondy_subscription *subscription;
    size_t here = registry->thread_count * sizeof subscription->here[0];

    subscription = entry_create(registry, sizeof *subscription + here, topic, hash, match);
    subscription->thread_count = registry->thread_count;
    return subscription;
}

struct bondy_subscription *bondy_registry_subscribe(struct bondy_registry *registry,
                                                    struct bondy_slice topic,
                                                    enum bondy_match match, unsigned thread)
{
    uint64_t hash = bondy_hash(topic.data, topic.len);
    struct bondy_subscription *subscription;
    struct bondy_entry *entry;

    pthread_mutex_lock(&registry->mutex);
    entry = find(&registry->indexes[BONDY_SUBSCRIPTIONS], topic, hash, match);
    if (entry != NULL) {
        subscription = BONDY_CONTAINER(entry, struct bondy_subscription, entry);
    } else {
        subscription = subscription_create(registry, topic, hash, match);
        change(registry, BONDY_SUBSCRIPTIONS, &subscription->entry, true);
    }
    subscription->total++;
    atomic_fetch_add_explicit(&subscription->here[thread].count, 1, memory_order_release);
    pthread_mutex_unlock(&registry->mutex);
    return subscription;
}

void bondy_registry_unsubscribe(struct bondy_registry *registry,
                                struct bondy_subscription *subscription, unsigned thread)
{
    pthread_mutex_lock(&registry->mutex);
    atomic_fetch_sub_explicit(&subscription->here[thread].count, 1, memory_order_release);
    if (--subscription->total == 0) {
        change(registry, BONDY_SUBSCRIPTIONS, &subscription->entry, false);
        bondy_publish_retire(&subscription->entry.retired, free_subscription);
    }
    pthread_mutex_unlock(&registry->mutex);
}

static struct bondy_callees *callees_create(const struct bondy_callee *callee)
{
    struct bondy_callees *callees = bondy_zalloc(sizeof *callees + sizeof *callee);

    callees->count = 1;
    callees->items[0] = *callee;
    return callees;
}

struct bondy_registration *bondy_registry_register(struct bondy_registry *registry,
                                                   struct bondy_slice procedure,
                                                   enum bondy_match match,
                                                   const struct bondy_callee *callee,
                                                   const struct bondy_registration_options *options)
{
    uint64_t hash = bondy_hash(procedure.data, procedure.len);
    struct bondy_registration *registration = NULL;

    pthread_mutex_lock(&registry->mutex);
    /* Shared registrations join the entry found here with a new snapshot of its callees. */
    if (find(&registry->indexes[BONDY_REGISTRATIONS], procedure, hash, match) == NULL) {
        registration = entry_create(registry, sizeof *registration, procedure, hash, match);
        registration->discloses_caller = options->discloses_caller;
        registration->forwards_timeout = options->forwards_timeout;
        registration->is_by_authorizer = options->is_by_authorizer;
        registration->callees = callees_create(callee);
        change(registry, BONDY_REGISTRATIONS, &registration->entry, true);
    }
    pthread_mutex_unlock(&registry->mutex);
    return registration;
}

void bondy_registry_unregister(struct bondy_registry *registry,
                               struct bondy_registration *registration)
{
    pthread_mutex_lock(&registry->mutex);
    change(registry, BONDY_REGISTRATIONS, &registration->entry, false);
    bondy_publish_retire(&registration->entry.retired, free_registration);
    pthread_mutex_unlock(&registry->mutex);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct bondy_entry *bondy_registry_find(const struct bondy_registry *registry, enum bondy_kind kind,
                                        struct bondy_slice uri, enum bondy_match match)
{
    return find(&registry->indexes[kind], uri, bondy_hash(uri.data, uri.len), match);
}

static void match_all(const struct bondy_index *index, struct bondy_slice uri, uint64_t hash,
                      bondy_trie_visit_fn visit, void *context)
{
    void *exact = bondy_uri_table_find(&index->exact, uri, hash);

    if (exact != NULL && !visit(context, exact))
        return;
    bondy_trie_prefixes(bondy_publish_get(index->prefixes), uri, visit, context);
    bondy_trie_wildcards(bondy_publish_get(index->wildcards), uri, visit, context);
}

void bondy_registry_match(const struct bondy_registry *registry, struct bondy_slice topic,
                          uint64_t hash, bondy_trie_visit_fn visit, void *context)
{
    match_all(&registry->indexes[BONDY_SUBSCRIPTIONS], topic, hash, visit, context);
}

void bondy_registry_match_all(const struct bondy_registry *registry, enum bondy_kind kind,
                              struct bondy_slice uri, bondy_trie_visit_fn visit, void *context)
{
    match_all(&registry->indexes[kind], uri, bondy_hash(uri.data, uri.len), visit, context);
}

static bool keep_first(void *context, void *value)
{
    *(void **)context = value;
    return false;
}

struct bondy_registration *bondy_registry_best(const struct bondy_registry *registry,
                                               struct bondy_slice procedure, uint64_t hash)
{
    const struct bondy_index *index = &registry->indexes[BONDY_REGISTRATIONS];
    void *best = bondy_uri_table_find(&index->exact, procedure, hash);

    if (best == NULL)
        best = bondy_trie_longest(bondy_publish_get(index->prefixes), procedure);
    if (best == NULL)
        bondy_trie_wildcards(bondy_publish_get(index->wildcards), procedure, keep_first, &best);
    return best;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The match cache: one table for each thread and kind, one slot for a hash. A slot carries the
 * generation it was read under; generations are never used twice in a process, so a slot with the
 * realm's current one was made from the realm's current index, and what it points to is alive. */

#include "src/base/alloc.h"
#include "src/router/core.h"

#define CACHED_MATCHES_MAX 64

static struct bondy_match_slot *slot_of(struct bondy_router_thread *thread, enum bondy_kind kind,
                                        uint64_t hash)
{
    if (thread->cache[kind] == NULL)
        thread->cache[kind] = bondy_calloc(BONDY_MATCH_SLOTS, sizeof(struct bondy_match_slot));
    return &thread->cache[kind][hash & (BONDY_MATCH_SLOTS - 1)];
}

static const char *slot_uri(const struct bondy_match_slot *slot)
{
    return (const char *)slot->block + slot->count * sizeof(void *);
}

static bool slot_answers(const struct bondy_match_slot *slot, uint64_t generation, uint64_t hash,
                         struct bondy_slice uri)
{
    return slot->generation == generation && slot->hash == hash && slot->uri_len == uri.len &&
           memcmp(slot_uri(slot), uri.data, uri.len) == 0;
}

static void slot_fill(struct bondy_match_slot *slot, uint64_t generation, uint64_t hash,
                      struct bondy_slice uri, void *const *entries, size_t count)
{
    size_t size = count * sizeof(void *) + uri.len;

    if (size > slot->cap) {
        bondy_free(slot->block);
        slot->cap = (size + 63) & ~(size_t)63;
        slot->block = bondy_alloc(slot->cap);
    }
    slot->generation = generation;
    slot->hash = hash;
    slot->count = (uint32_t)count;
    slot->uri_len = (uint32_t)uri.len;
    if (count > 0)
        memcpy(slot->block, entries, count * sizeof(void *));
    memcpy((char *)slot->block + count * sizeof(void *), uri.data, uri.len);
}

struct gathering {
    struct bondy_matches *out;
    size_t cap;
};

static bool gather(void *context, void *value)
{
    struct gathering *gathering = context;
    struct bondy_matches *out = gathering->out;

    if (out->count == gathering->cap) {
        gathering->cap = gathering->cap == 0 ? 8 : gathering->cap * 2;
        out->own = bondy_realloc(out->own, gathering->cap * sizeof(void *));
    }
    out->own[out->count++] = value;
    return true;
}

bool bondy_match_knows_topic(struct bondy_router_thread *thread, struct bondy_realm_here *realm,
                             struct bondy_slice topic, uint64_t hash)
{
    uint64_t generation = bondy_registry_generation(realm->registry, BONDY_SUBSCRIPTIONS);

    return slot_answers(slot_of(thread, BONDY_SUBSCRIPTIONS, hash), generation, hash, topic);
}

void bondy_match_topic(struct bondy_router_thread *thread, struct bondy_realm_here *realm,
                       struct bondy_slice topic, uint64_t hash, struct bondy_matches *out)
{
    uint64_t generation = bondy_registry_generation(realm->registry, BONDY_SUBSCRIPTIONS);
    struct bondy_match_slot *slot = slot_of(thread, BONDY_SUBSCRIPTIONS, hash);
    struct gathering gathering = {out, 0};

    *out = (struct bondy_matches){NULL, 0, NULL};
    if (slot_answers(slot, generation, hash, topic)) {
        out->items = slot->block;
        out->count = slot->count;
        return;
    }
    bondy_registry_match(realm->registry, topic, hash, gather, &gathering);
    out->items = out->own;
    if (out->count <= CACHED_MATCHES_MAX)
        slot_fill(slot, generation, hash, topic, (void *const *)out->own, out->count);
}

void bondy_matches_fini(struct bondy_matches *matches)
{
    bondy_free(matches->own);
}

bool bondy_match_recall(struct bondy_router_thread *thread, struct bondy_realm_here *realm,
                        struct bondy_slice procedure, uint64_t *hash,
                        struct bondy_registration **out)
{
    uint64_t generation = bondy_registry_generation(realm->registry, BONDY_REGISTRATIONS);
    const struct bondy_match_slot *slot;

    *hash = bondy_hash(procedure.data, procedure.len);
    slot = slot_of(thread, BONDY_REGISTRATIONS, *hash);
    if (!slot_answers(slot, generation, *hash, procedure))
        return false;
    *out = slot->count == 0 ? NULL : *(struct bondy_registration **)slot->block;
    return true;
}

struct bondy_registration *bondy_match_procedure(struct bondy_router_thread *thread,
                                                 struct bondy_realm_here *realm,
                                                 struct bondy_slice procedure, uint64_t hash)
{
    uint64_t generation = bondy_registry_generation(realm->registry, BONDY_REGISTRATIONS);
    struct bondy_match_slot *slot = slot_of(thread, BONDY_REGISTRATIONS, hash);
    struct bondy_registration *best;

    best = bondy_registry_best(realm->registry, procedure, hash);
    slot_fill(slot, generation, hash, procedure, (void *const *)&best, best == NULL ? 0 : 1);
    return best;
}

void bondy_match_cache_fini(struct bondy_router_thread *thread)
{
    for (int kind = 0; kind < BONDY_KINDS; kind++) {
        for (size_t i = 0; thread->cache[kind] != NULL && i < BONDY_MATCH_SLOTS; i++)
            bondy_free(thread->cache[kind][i].block);
        bondy_free(thread->cache[kind]);
    }
}

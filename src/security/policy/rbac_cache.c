/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/policy/rbac_cache.h"

#include <stdlib.h>

#include "src/base/alloc.h"

_Static_assert(sizeof(struct bondy_rbac_slot) == 128, "two cache lines");

struct bondy_rbac_cache *bondy_rbac_cache_create(size_t slot_count)
{
    struct bondy_rbac_cache *cache = bondy_zalloc(sizeof *cache);

    BONDY_BUG_ON(slot_count == 0 || (slot_count & (slot_count - 1)) != 0);
    cache->mask = slot_count - 1;
    return cache;
}

void bondy_rbac_cache_destroy(struct bondy_rbac_cache *cache)
{
    if (cache == NULL)
        return;
    free(cache->slots);
    bondy_free(cache);
}

/* Slots start at a cache line, or each would touch three. */
static void take_slots(struct bondy_rbac_cache *cache)
{
    size_t size = (cache->mask + 1) * sizeof cache->slots[0];

    cache->slots = aligned_alloc(64, size);
    BONDY_BUG_ON(cache->slots == NULL);
    memset(cache->slots, 0, size);
}

bool bondy_rbac_decide_anew(struct bondy_rbac_cache *cache, const struct bondy_rbac *rbac,
                            enum bondy_permission permission, struct bondy_slice uri, uint64_t hash)
{
    bool answer = bondy_rbac_allows(rbac, permission, uri);
    struct bondy_rbac_slot *slot;

    if (uri.len == 0 || uri.len > sizeof slot->uri)
        return answer;
    if (cache->slots == NULL)
        take_slots(cache);
    slot = &cache->slots[bondy_rbac_slot_of(cache, rbac, permission, hash)];
    slot->rbac_id = rbac->id;
    slot->hash = hash;
    slot->permission = (uint8_t)permission;
    slot->is_allowed = answer;
    slot->uri_len = (uint8_t)uri.len;
    memcpy(slot->uri, uri.data, uri.len);
    return answer;
}

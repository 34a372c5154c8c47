/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_RBAC_CACHE_H
#define BONDY_SECURITY_POLICY_RBAC_CACHE_H

/* rbac_cache: decisions that one thread made before, for the message path.
 *
 * Slots of two cache lines, found by (rbac, permission, URI); a slot keeps the URI itself, so that
 * an answer never rests on a hash. Nothing is ever cleared: an rbac's id is not used again, so the
 * answers of one that is gone are never found. URIs longer than a slot holds are evaluated each
 * time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "src/security/policy/rbac.h"

#define BONDY_RBAC_SLOT_URI_MAX 109

struct bondy_rbac_slot {
    uint64_t rbac_id; /* 0: empty */
    uint64_t hash;
    uint8_t permission;
    bool is_allowed;
    uint8_t uri_len;
    char uri[BONDY_RBAC_SLOT_URI_MAX];
};

struct bondy_rbac_cache {
    struct bondy_rbac_slot *slots; /* NULL before the first use */
    size_t mask;
};

/* `slot_count`: a power of two; 128 octets each, taken at the first use. */
struct bondy_rbac_cache *bondy_rbac_cache_create(size_t slot_count);
void bondy_rbac_cache_destroy(struct bondy_rbac_cache *cache);

/* Evaluates and keeps the answer. */
bool bondy_rbac_decide_anew(struct bondy_rbac_cache *cache, const struct bondy_rbac *rbac,
                            enum bondy_permission permission, struct bondy_slice uri,
                            uint64_t hash);

/* ---- every message comes by here ---------------------------------------------------------- */

static inline size_t bondy_rbac_slot_of(const struct bondy_rbac_cache *cache,
                                        const struct bondy_rbac *rbac,
                                        enum bondy_permission permission, uint64_t hash)
{
    /* Odd factors: ids and permissions are small and must reach all bits of the index. */
    return (hash ^ rbac->id * UINT64_C(0x9e3779b97f4a7c15) >> 32 ^
            permission * UINT64_C(0x85ebca6b)) &
           cache->mask;
}

/* bondy_rbac_allows() for an rbac that is current; `hash` is bondy_hash() of the URI. */
static inline bool bondy_rbac_decide(struct bondy_rbac_cache *cache, const struct bondy_rbac *rbac,
                                     enum bondy_permission permission, struct bondy_slice uri,
                                     uint64_t hash)
{
    const struct bondy_rbac_slot *slot;

    if (rbac->is_open)
        return true;
    if (__builtin_expect(cache->slots == NULL, 0))
        return bondy_rbac_decide_anew(cache, rbac, permission, uri, hash);
    slot = &cache->slots[bondy_rbac_slot_of(cache, rbac, permission, hash)];
    if (__builtin_expect(slot->rbac_id == rbac->id && slot->hash == hash &&
                             slot->permission == permission && slot->uri_len == uri.len &&
                             memcmp(slot->uri, uri.data, uri.len) == 0,
                         1))
        return slot->is_allowed;
    return bondy_rbac_decide_anew(cache, rbac, permission, uri, hash);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_MAP_H
#define BONDY_BASE_MAP_H

/* map: hash tables of one thread (or of one writer): open addressing, a keyed hash (SipHash with a
 * random key of the process), so that a peer cannot choose keys that collide.
 *
 * Two tables with the same shape: `bondy_map` from bytes (copied, owned by the map) to a pointer,
 * `bondy_idmap` from a non-zero uint64_t to a pointer. Values are borrowed and never NULL. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/slice.h"

struct bondy_map_slot;

struct bondy_map {
    struct bondy_map_slot *slots;
    size_t count;
    size_t cap;  /* power of two, or 0 before the first insert */
    size_t used; /* slots taken, the removed ones included */
};

#define BONDY_MAP_EMPTY                                                                            \
    {                                                                                              \
        NULL, 0, 0, 0                                                                              \
    }

void bondy_map_fini(struct bondy_map *map);
/* NULL when there is none. */
void *bondy_map_find(const struct bondy_map *map, struct bondy_slice key);
/* Returns the value that was there before, or NULL. */
void *bondy_map_put(struct bondy_map *map, struct bondy_slice key, void *value);
/* Returns the value that was removed, or NULL. */
void *bondy_map_remove(struct bondy_map *map, struct bondy_slice key);
/* Walks in no particular order: start with *cursor = 0, ends with false. Removing the entry just
 * returned is allowed, inserting is not. */
bool bondy_map_next(const struct bondy_map *map, size_t *cursor, struct bondy_slice *key,
                    void **value);

struct bondy_idmap {
    struct bondy_idmap_slot *slots;
    size_t count;
    size_t cap;
    size_t used;
};

#define BONDY_IDMAP_EMPTY                                                                          \
    {                                                                                              \
        NULL, 0, 0, 0                                                                              \
    }

void bondy_idmap_fini(struct bondy_idmap *map);
void *bondy_idmap_find(const struct bondy_idmap *map, uint64_t key);
void *bondy_idmap_put(struct bondy_idmap *map, uint64_t key, void *value);
void *bondy_idmap_remove(struct bondy_idmap *map, uint64_t key);
bool bondy_idmap_next(const struct bondy_idmap *map, size_t *cursor, uint64_t *key, void **value);

/* The keyed hash itself, for tables that are kept elsewhere. */
uint64_t bondy_hash(const void *data, size_t len);
uint64_t bondy_hash_id(uint64_t id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/map.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#include "src/base/alloc.h"

/* Both tables probe linearly. A removed entry leaves a mark, so that nothing moves while somebody
 * walks; marks with nothing behind them are cleared at once, the others by the next growth. Used
 * slots, marks included, stay below three quarters, so every probe ends at an empty slot. */

#define SMALLEST_CAP 8

static unsigned char hash_key[crypto_shorthash_KEYBYTES];
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;
static atomic_bool hash_ready;

static void draw_hash_key(void)
{
    BONDY_BUG_ON(sodium_init() < 0);
    randombytes_buf(hash_key, sizeof hash_key);
    atomic_store_explicit(&hash_ready, true, memory_order_release);
}

uint64_t bondy_hash(const void *data, size_t len)
{
    static const unsigned char nothing[1];
    uint64_t hash;

    if (__builtin_expect(!atomic_load_explicit(&hash_ready, memory_order_acquire), 0))
        pthread_once(&hash_once, draw_hash_key);
    crypto_shorthash((unsigned char *)&hash, len == 0 ? nothing : data, len, hash_key);
    return hash;
}

uint64_t bondy_hash_id(uint64_t id)
{
    return bondy_hash(&id, sizeof id);
}

/* The capacity for `count` entries and one more: at most half full. */
static size_t roomy_cap(size_t count)
{
    size_t cap = SMALLEST_CAP;

    while (cap / 2 < count + 1)
        cap *= 2;
    return cap;
}

static bool is_crowded(size_t used, size_t cap)
{
    return (used + 1) * 4 > cap * 3;
}

/* ---- bytes to pointer ------------------------------------------------------------------------ */

struct bondy_map_slot {
    uint64_t hash;
    char *key; /* NULL: never used; `removed_key`: removed */
    size_t key_len;
    void *value;
};

static char removed_key[1];

static bool is_live(const struct bondy_map_slot *slot)
{
    return slot->key != NULL && slot->key != removed_key;
}

void bondy_map_fini(struct bondy_map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        if (is_live(&map->slots[i]))
            bondy_free(map->slots[i].key);
    bondy_free(map->slots);
    *map = (struct bondy_map)BONDY_MAP_EMPTY;
}

/* The slot that holds `key`, or NULL. */
static struct bondy_map_slot *locate(const struct bondy_map *map, struct bondy_slice key,
                                     uint64_t hash)
{
    size_t mask = map->cap - 1;

    if (map->count == 0)
        return NULL;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct bondy_map_slot *slot = &map->slots[i];

        if (slot->key == NULL)
            return NULL;
        if (slot->hash == hash && slot->key != removed_key && slot->key_len == key.len &&
            (key.len == 0 || memcmp(slot->key, key.data, key.len) == 0))
            return slot;
    }
}

/* The first slot on the way of `hash` that may be filled. */
static struct bondy_map_slot *vacancy(struct bondy_map_slot *slots, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);

    while (is_live(&slots[i]))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void rebuild(struct bondy_map *map)
{
    size_t cap = roomy_cap(map->count);
    struct bondy_map_slot *slots = bondy_calloc(cap, sizeof *slots);

    for (size_t i = 0; i < map->cap; i++)
        if (is_live(&map->slots[i]))
            *vacancy(slots, cap, map->slots[i].hash) = map->slots[i];
    bondy_free(map->slots);
    map->slots = slots;
    map->cap = cap;
    map->used = map->count;
}

void *bondy_map_find(const struct bondy_map *map, struct bondy_slice key)
{
    struct bondy_map_slot *slot;

    if (map->count == 0)
        return NULL;
    slot = locate(map, key, bondy_hash(key.data, key.len));
    return slot == NULL ? NULL : slot->value;
}

void *bondy_map_put(struct bondy_map *map, struct bondy_slice key, void *value)
{
    uint64_t hash = bondy_hash(key.data, key.len);
    struct bondy_map_slot *slot = locate(map, key, hash);

    BONDY_BUG_ON(value == NULL);
    if (slot != NULL) {
        void *before = slot->value;

        slot->value = value;
        return before;
    }
    if (is_crowded(map->used, map->cap))
        rebuild(map);
    slot = vacancy(map->slots, map->cap, hash);
    if (slot->key == NULL)
        map->used++;
    *slot = (struct bondy_map_slot){hash, bondy_memdup0(key.data, key.len), key.len, value};
    map->count++;
    return NULL;
}

void *bondy_map_remove(struct bondy_map *map, struct bondy_slice key)
{
    size_t mask = map->cap - 1;
    struct bondy_map_slot *slot;
    void *value;
    size_t i;

    if (map->count == 0)
        return NULL;
    slot = locate(map, key, bondy_hash(key.data, key.len));
    if (slot == NULL)
        return NULL;
    value = slot->value;
    bondy_free(slot->key);
    slot->key = removed_key;
    slot->value = NULL;
    map->count--;
    i = (size_t)(slot - map->slots);
    if (map->slots[(i + 1) & mask].key != NULL)
        return value;
    for (; map->slots[i].key == removed_key; i = (i - 1) & mask) {
        map->slots[i].key = NULL;
        map->used--;
    }
    return value;
}

bool bondy_map_next(const struct bondy_map *map, size_t *cursor, struct bondy_slice *key,
                    void **value)
{
    for (; *cursor < map->cap; (*cursor)++) {
        const struct bondy_map_slot *slot = &map->slots[*cursor];

        if (!is_live(slot))
            continue;
        (*cursor)++;
        if (key != NULL)
            *key = bondy_slice_of(slot->key, slot->key_len);
        if (value != NULL)
            *value = slot->value;
        return true;
    }
    return false;
}

/* ---- id to pointer --------------------------------------------------------------------------- */

struct bondy_idmap_slot {
    uint64_t key; /* 0: never used */
    void *value;  /* NULL with a key: removed */
};

void bondy_idmap_fini(struct bondy_idmap *map)
{
    bondy_free(map->slots);
    *map = (struct bondy_idmap)BONDY_IDMAP_EMPTY;
}

static struct bondy_idmap_slot *locate_id(const struct bondy_idmap *map, uint64_t key,
                                          uint64_t hash)
{
    size_t mask = map->cap - 1;

    if (map->count == 0)
        return NULL;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct bondy_idmap_slot *slot = &map->slots[i];

        if (slot->key == 0)
            return NULL;
        if (slot->key == key && slot->value != NULL)
            return slot;
    }
}

static struct bondy_idmap_slot *vacancy_id(struct bondy_idmap_slot *slots, size_t cap,
                                           uint64_t hash)
{
    size_t i = hash & (cap - 1);

    while (slots[i].value != NULL)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void rebuild_id(struct bondy_idmap *map)
{
    size_t cap = roomy_cap(map->count);
    struct bondy_idmap_slot *slots = bondy_calloc(cap, sizeof *slots);

    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i].value != NULL)
            *vacancy_id(slots, cap, bondy_hash_id(map->slots[i].key)) = map->slots[i];
    bondy_free(map->slots);
    map->slots = slots;
    map->cap = cap;
    map->used = map->count;
}

void *bondy_idmap_find(const struct bondy_idmap *map, uint64_t key)
{
    struct bondy_idmap_slot *slot;

    if (map->count == 0)
        return NULL;
    slot = locate_id(map, key, bondy_hash_id(key));
    return slot == NULL ? NULL : slot->value;
}

void *bondy_idmap_put(struct bondy_idmap *map, uint64_t key, void *value)
{
    uint64_t hash = bondy_hash_id(key);
    struct bondy_idmap_slot *slot = locate_id(map, key, hash);

    BONDY_BUG_ON(key == 0 || value == NULL);
    if (slot != NULL) {
        void *before = slot->value;

        slot->value = value;
        return before;
    }
    if (is_crowded(map->used, map->cap))
        rebuild_id(map);
    slot = vacancy_id(map->slots, map->cap, hash);
    if (slot->key == 0)
        map->used++;
    *slot = (struct bondy_idmap_slot){key, value};
    map->count++;
    return NULL;
}

void *bondy_idmap_remove(struct bondy_idmap *map, uint64_t key)
{
    size_t mask = map->cap - 1;
    struct bondy_idmap_slot *slot;
    void *value;
    size_t i;

    if (map->count == 0)
        return NULL;
    slot = locate_id(map, key, bondy_hash_id(key));
    if (slot == NULL)
        return NULL;
    value = slot->value;
    slot->value = NULL;
    map->count--;
    i = (size_t)(slot - map->slots);
    if (map->slots[(i + 1) & mask].key != 0)
        return value;
    for (; map->slots[i].key != 0 && map->slots[i].value == NULL; i = (i - 1) & mask) {
        map->slots[i].key = 0;
        map->used--;
    }
    return value;
}

bool bondy_idmap_next(const struct bondy_idmap *map, size_t *cursor, uint64_t *key, void **value)
{
    for (; *cursor < map->cap; (*cursor)++) {
        const struct bondy_idmap_slot *slot = &map->slots[*cursor];

        if (slot->value == NULL)
            continue;
        (*cursor)++;
        if (key != NULL)
            *key = slot->key;
        if (value != NULL)
            *value = slot->value;
        return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/sources.h"

#include <pthread.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/map.h"

#define SHARDS 32

/* Process-wide: a limit for a source address holds over all threads. The count is kept in the
 * pointer that the map stores. */
static struct shard {
    pthread_mutex_t lock; /* guards `counts` */
    struct bondy_map counts;
} shards[SHARDS] = {[0 ... SHARDS - 1] = {PTHREAD_MUTEX_INITIALIZER, BONDY_MAP_EMPTY}};

struct key {
    const void *listener;
    uint8_t host[16];
};

static struct shard *shard_of(const struct key *key)
{
    return &shards[bondy_hash(key, sizeof *key) % SHARDS];
}

static struct key make_key(const void *listener, const uint8_t host[16])
{
    struct key key;

    memset(&key, 0, sizeof key);
    key.listener = listener;
    memcpy(key.host, host, sizeof key.host);
    return key;
}

bool bondy_sources_enter(const void *listener, const uint8_t host[16], size_t max)
{
    struct key key = make_key(listener, host);
    struct shard *shard = shard_of(&key);
    struct bondy_slice text = bondy_slice_of(&key, sizeof key);
    uintptr_t count;
    bool has_room;

    pthread_mutex_lock(&shard->lock);
    count = (uintptr_t)bondy_map_find(&shard->counts, text);
    has_room = count < max;
    if (has_room)
        bondy_map_put(&shard->counts, text, (void *)(count + 1));
    pthread_mutex_unlock(&shard->lock);
    return has_room;
}

void bondy_sources_leave(const void *listener, const uint8_t host[16])
{
    struct key key = make_key(listener, host);
    struct shard *shard = shard_of(&key);
    struct bondy_slice text = bondy_slice_of(&key, sizeof key);
    uintptr_t count;

    pthread_mutex_lock(&shard->lock);
    count = (uintptr_t)bondy_map_find(&shard->counts, text);
    BONDY_BUG_ON(count == 0);
    if (count == 1)
        bondy_map_remove(&shard->counts, text);
    else
        bondy_map_put(&shard->counts, text, (void *)(count - 1));
    if (shard->counts.count == 0)
        bondy_map_fini(&shard->counts);
    pthread_mutex_unlock(&shard->lock);
}

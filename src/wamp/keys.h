/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_KEYS_H
#define BONDY_WAMP_KEYS_H

/* keys: finds keys that a dict has twice, while it is read. Inside src/wamp only.
 *
 * The keys of all open dicts lie on one stack; the innermost dict owns its top. Dicts of usual size
 * cost no memory. Large ones are sorted, never compared all with all, and looked at each time their
 * size doubles, so that the memory grows with distinct keys only (threat-model P7, P8). */

#include "src/base/buf.h"
#include "src/wamp/reader.h"

#define BONDY_KEYS_SMALL 48

struct bondy_key {
    uint32_t offset; /* from the message's first octet, or in `texts` when it was folded */
    uint32_t len : 31;
    uint32_t is_folded : 1;
};

struct bondy_keys {
    const struct bondy_serializer_ops *ops;
    const uint8_t *base;
    struct bondy_key *keys; /* `small`, or on the heap */
    uint32_t count;
    uint32_t cap;
    struct bondy_buf texts; /* of folded keys */
    struct bondy_key small[BONDY_KEYS_SMALL];
};

/* `base` must stay as long as the keys; messages are smaller than 2^31 octets. */
void bondy_keys_init(struct bondy_keys *keys, const struct bondy_serializer_ops *ops,
                     const uint8_t *base);
void bondy_keys_free(struct bondy_keys *keys);

static inline void bondy_keys_fini(struct bondy_keys *keys)
{
    if (__builtin_expect(keys->keys != keys->small || keys->texts.cap > 0, 0))
        bondy_keys_free(keys);
}

/* Adds a key to the dict whose first key is number `first`. False: it is there twice. */
bool bondy_keys_push(struct bondy_keys *keys, uint32_t first, const struct bondy_item *key);
bool bondy_keys_have_twice(struct bondy_keys *keys, uint32_t first);

/* Ends the dict whose first key is number `first`. False: a key is there twice. */
static inline bool bondy_keys_close(struct bondy_keys *keys, uint32_t first)
{
    bool is_good = keys->count - first < 2 || !bondy_keys_have_twice(keys, first);

    keys->count = first;
    return is_good;
}

#endif

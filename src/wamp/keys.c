/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/keys.h"

#include <stdlib.h>

#include "src/base/alloc.h"

#define COMPARE_ALL_UP_TO 12 /* sorting starts to be quicker about here */
#define FIRST_LOOK 1024

void bondy_keys_init(struct bondy_keys *keys, const struct bondy_serializer_ops *ops,
                     const uint8_t *base)
{
    keys->ops = ops;
    keys->base = base;
    keys->keys = keys->small;
    keys->count = 0;
    keys->cap = BONDY_KEYS_SMALL;
    keys->texts = (struct bondy_buf)BONDY_BUF_EMPTY;
}

void bondy_keys_free(struct bondy_keys *keys)
{
    if (keys->keys != keys->small)
        bondy_free(keys->keys);
    bondy_buf_fini(&keys->texts);
}

static const char *text_of(const struct bondy_keys *keys, const struct bondy_key *key)
{
    return (key->is_folded ? keys->texts.data : (const char *)keys->base) + key->offset;
}

/* Any total order does; by length first is the quickest. */
static int compare(const void *left, const void *right, void *context)
{
    const struct bondy_key *a = left;
    const struct bondy_key *b = right;

    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->len == 0 ? 0 : memcmp(text_of(context, a), text_of(context, b), a->len);
}

bool bondy_keys_have_twice(struct bondy_keys *keys, uint32_t first)
{
    struct bondy_key *own = keys->keys + first;
    uint32_t count = keys->count - first;

    if (count <= COMPARE_ALL_UP_TO) {
        for (uint32_t i = 1; i < count; i++)
            for (uint32_t j = 0; j < i; j++)
                if (compare(&own[i], &own[j], keys) == 0)
                    return true;
        return false;
    }
    qsort_r(own, count, sizeof own[0], compare, keys);
    for (uint32_t i = 1; i < count; i++)
        if (compare(&own[i - 1], &own[i], keys) == 0)
            return true;
    return false;
}

static void grow(struct bondy_keys *keys)
{
    size_t size = (size_t)keys->cap * 2 * sizeof keys->keys[0];

    if (keys->keys == keys->small) {
        keys->keys = bondy_alloc(size);
        memcpy(keys->keys, keys->small, sizeof keys->small);
    } else {
        keys->keys = bondy_realloc(keys->keys, size);
    }
    keys->cap *= 2;
}

bool bondy_keys_push(struct bondy_keys *keys, uint32_t first, const struct bondy_item *key)
{
    struct bondy_key *added;
    uint32_t own;

    if (keys->count == keys->cap)
        grow(keys);
    added = &keys->keys[keys->count++];
    added->is_folded = key->is_folded;
    if (key->is_folded) {
        size_t len = keys->ops->unfold(key, bondy_buf_reserve(&keys->texts, key->text.len));

        added->offset = (uint32_t)keys->texts.len;
        added->len = (uint32_t)len & INT32_MAX;
        keys->texts.len += len;
    } else {
        added->offset = (uint32_t)((const uint8_t *)key->text.data - keys->base);
        added->len = (uint32_t)key->text.len & INT32_MAX;
    }
    own = keys->count - first;
    return own < FIRST_LOOK || (own & (own - 1)) != 0 || !bondy_keys_have_twice(keys, first);
}

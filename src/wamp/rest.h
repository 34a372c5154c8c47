/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_REST_H
#define BONDY_WAMP_REST_H

/* rest: the walk through a container, written once and compiled into each serializer's file with
 * that file's functions, so that the compiler joins them into one loop. Inside src/wamp only.
 *
 * The stack is an array: what a peer nests never becomes recursion (threat-model P4). */

#include "src/wamp/keys.h"
#include "src/wamp/reader.h"

struct bondy_rest_ops {
    bool (*item)(struct bondy_reader *reader, struct bondy_item *item);
    int (*more)(struct bondy_reader *reader, struct bondy_frame *frame);
    bool (*colon)(struct bondy_reader *reader);
};

struct bondy_rest_frame {
    struct bondy_frame frame;
    uint32_t first_key;
};

static inline __attribute__((always_inline)) bool bondy_rest_key(struct bondy_reader *reader,
                                                                 const struct bondy_rest_ops *ops,
                                                                 const struct bondy_rest_frame *top,
                                                                 struct bondy_keys *keys)
{
    const uint8_t *start = reader->at;
    struct bondy_item key;

    if (!ops->item(reader, &key))
        return false;
    if (key.type != BONDY_VALUE_TEXT) {
        reader->at = start;
        return bondy_reader_fail(reader, "a key that is not text");
    }
    if (keys != NULL && !bondy_keys_push(keys, top->first_key, &key))
        return bondy_reader_fail(reader, "a key twice in one dict");
    return ops->colon(reader);
}

static inline __attribute__((always_inline)) void
bondy_rest_open(struct bondy_rest_frame *top, const struct bondy_item *container,
                const struct bondy_keys *keys)
{
    top->frame.left = container->count;
    top->frame.is_dict = container->type == BONDY_VALUE_DICT;
    top->frame.is_started = false;
    top->first_key = keys == NULL ? 0 : keys->count;
}

/* struct bondy_serializer_ops.rest */
static inline __attribute__((always_inline)) bool
bondy_rest_read(struct bondy_reader *reader, const struct bondy_rest_ops *ops,
                const struct bondy_item *container, struct bondy_keys *keys, uint64_t *count)
{
    struct bondy_rest_frame stack[BONDY_DEPTH_MAX + 1];
    struct bondy_rest_frame *top = stack;
    struct bondy_item item;
    int more;

    *count = 0;
    if (reader->depth >= reader->max_depth)
        return bondy_reader_fail(reader, "containers nested too deep");
    if (container->count == 0)
        return true;
    reader->depth++;
    bondy_rest_open(top, container, keys);
    for (;;) {
        if ((more = ops->more(reader, &top->frame)) < 0)
            return false;
        if (more == 0) {
            if (keys != NULL && top->frame.is_dict && !bondy_keys_close(keys, top->first_key))
                return bondy_reader_fail(reader, "a key twice in one dict");
            reader->depth--;
            if (top == stack)
                return true;
            top--;
            continue;
        }
        if (top == stack)
            (*count)++;
        if (reader->values_left-- == 0)
            return bondy_reader_fail(reader, BONDY_READER_TOO_MANY);
        if (top->frame.is_dict && !bondy_rest_key(reader, ops, top, keys))
            return false;
        if (!ops->item(reader, &item))
            return false;
        if (!bondy_item_is_container(&item))
            continue;
        if (reader->depth >= reader->max_depth)
            return bondy_reader_fail(reader, "containers nested too deep");
        reader->depth++;
        bondy_rest_open(++top, &item, keys);
    }
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* value: single values: looked at in place, as trees, checked. */
#include <string.h>

#include "src/wamp/base64.h"
#include "src/wamp/codec.h"
#include "src/wamp/keys.h"
#include "src/wamp/reader.h"

/* ---- checking ---------------------------------------------------------------------------- */

int bondy_value_check(enum bondy_serializer serializer, struct bondy_slice bytes,
                      unsigned max_depth, bool unique_keys, struct bondy_error *err)
{
    return bondy_value_check_count(serializer, bytes, max_depth, UINT64_MAX, unique_keys, err);
}

int bondy_value_check_count(enum bondy_serializer serializer, struct bondy_slice bytes,
                            unsigned max_depth, uint64_t max_values, bool unique_keys,
                            struct bondy_error *err)
{
    const struct bondy_serializer_ops *ops = bondy_reader_ops(serializer);
    struct bondy_reader reader;
    struct bondy_keys keys;
    struct bondy_item item;
    uint64_t count;
    bool is_good;

    if (bytes.len > INT32_MAX)
        return bondy_fail(err, BONDY_EPROTO, "%zu octets, at most %d can be read", bytes.len,
                          INT32_MAX);
    bondy_reader_init(&reader, bytes, max_depth);
    reader.values_left = max_values;
    bondy_keys_init(&keys, ops, reader.start);
    ops->blank(&reader);
    is_good = bondy_reader_value(&reader, ops, &item, unique_keys ? &keys : NULL, &count);
    if (is_good) {
        ops->blank(&reader);
        is_good =
            reader.at == reader.end || bondy_reader_fail(&reader, "something behind the value");
    }
    bondy_keys_fini(&keys);
    if (is_good)
        return BONDY_OK;
    return bondy_fail(
        err, strcmp(reader.problem, BONDY_READER_TOO_MANY) == 0 ? BONDY_ELIMIT : BONDY_EPROTO,
        "%s: %s at octet %zu", ops->name, reader.problem, (size_t)(reader.at - reader.start));
}

/* ---- walking ------------------------------------------------------------------------------ */

void bondy_walk_start(struct bondy_walk *walk, enum bondy_serializer serializer,
                      struct bondy_slice raw, struct bondy_buf *scratch)
{
    const struct bondy_serializer_ops *ops = bondy_reader_ops(serializer);
    struct bondy_reader reader;
    struct bondy_item item;

    *walk = (struct bondy_walk){.serializer = serializer, .scratch = scratch};
    bondy_reader_init(&reader, raw, BONDY_DEPTH_MAX);
    ops->blank(&reader);
    if (!ops->item(&reader, &item) || !bondy_item_is_container(&item))
        return;
    walk->type = item.type;
    walk->left = item.count;
    walk->rest = bondy_slice_of(reader.at, bondy_reader_left(&reader));
}

/* The text of an item that may be folded; the scratch has room for it. */
static struct bondy_slice text_of(struct bondy_walk *walk, const struct bondy_item *item)
{
    char *at;
    size_t len;

    if (!item->is_folded)
        return item->text;
    at = bondy_buf_reserve(walk->scratch, item->text.len);
    len = bondy_reader_ops(walk->serializer)->unfold(item, at);
    walk->scratch->len += len;
    return bondy_slice_of(at, len);
}

static void set_value(struct bondy_walk *walk, const struct bondy_item *item,
                      struct bondy_value *value)
{
    value->type = item->type;
    value->text = BONDY_SLICE_EMPTY;
    switch (item->type) {
    case BONDY_VALUE_BOOL:
        value->flag = item->flag;
        break;
    case BONDY_VALUE_INT:
        value->i64 = item->i64;
        break;
    case BONDY_VALUE_UINT:
        value->u64 = item->u64;
        break;
    case BONDY_VALUE_FLOAT:
        value->f64 = bondy_item_float(item);
        break;
    case BONDY_VALUE_TEXT:
        value->text = text_of(walk, item);
        if (walk->serializer == BONDY_JSON && item->is_folded && value->text.len > 0 &&
            value->text.data[0] == '\0' && bondy_base64_is_valid(bondy_slice_skip(value->text, 1)))
            value->type = BONDY_VALUE_BINARY;
        break;
    case BONDY_VALUE_BINARY:
        value->text = text_of(walk, item);
        break;
    case BONDY_VALUE_NULL:
    case BONDY_VALUE_LIST:
    case BONDY_VALUE_DICT:
        break;
    }
}

static size_t folded_len(const struct bondy_item *item)
{
    bool is_text = item->type == BONDY_VALUE_TEXT || item->type == BONDY_VALUE_BINARY;

    return is_text && item->is_folded ? item->text.len : 0;
}

/* One element of a list, or with `key` one member of a dict. What was decoded is well-formed; a
 * walk over anything else ends where it is not. */
static bool walk_next(struct bondy_walk *walk, struct bondy_slice *key, struct bondy_value *value)
{
    const struct bondy_serializer_ops *ops = bondy_reader_ops(walk->serializer);
    struct bondy_frame frame = {walk->left, key != NULL, walk->is_started};
    struct bondy_item key_item = {.type = BONDY_VALUE_NULL};
    struct bondy_reader reader;
    struct bondy_item item;
    const uint8_t *start;
    uint64_t count;

    bondy_reader_init(&reader, walk->rest, BONDY_DEPTH_MAX);
    if (ops->more(&reader, &frame) <= 0)
        return false;
    if (key != NULL && (!ops->item(&reader, &key_item) || key_item.type != BONDY_VALUE_TEXT ||
                        !ops->colon(&reader)))
        return false;
    start = reader.at;
    if (!bondy_reader_value(&reader, ops, &item, NULL, &count))
        return false;
    value->raw = bondy_slice_of(start, (size_t)(reader.at - start));
    walk->rest = bondy_slice_of(reader.at, bondy_reader_left(&reader));
    walk->left = frame.left;
    walk->is_started = true;
    /* Room for both at once, so that the second text does not move the first. */
    bondy_buf_reserve(walk->scratch, folded_len(&key_item) + folded_len(&item));
    if (key != NULL)
        *key = text_of(walk, &key_item);
    set_value(walk, &item, value);
    return true;
}

bool bondy_dict_next(struct bondy_walk *walk, struct bondy_slice *key, struct bondy_value *value)
{
    return walk->type == BONDY_VALUE_DICT && walk_next(walk, key, value);
}

bool bondy_list_next(struct bondy_walk *walk, struct bondy_value *value)
{
    return walk->type == BONDY_VALUE_LIST && walk_next(walk, NULL, value);
}

bool bondy_dict_find(enum bondy_serializer serializer, struct bondy_slice raw, const char *key,
                     struct bondy_buf *scratch, struct bondy_value *value)
{
    struct bondy_walk walk;
    struct bondy_slice at;

    bondy_walk_start(&walk, serializer, raw, scratch);
    while (bondy_dict_next(&walk, &at, value))
        if (bondy_slice_is(at, key))
            return true;
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tree: encoded values as jansson's, and jansson's as encoded values. */
#include <math.h>

#include "src/base/alloc.h"
#include "src/wamp/base64.h"
#include "src/wamp/codec.h"
#include "src/wamp/number.h"
#include "src/wamp/reader.h"

#define TREE_DEPTH_MAX 256 /* of trees made by us; those from peers have BONDY_DEPTH_MAX */

/* ---- to a tree ---------------------------------------------------------------------------- */

struct builder {
    struct bondy_reader reader;
    const struct bondy_serializer_ops *ops;
    struct bondy_buf key;
    struct bondy_buf text;
    struct {
        struct bondy_frame frame;
        json_t *container; /* borrowed from the level above, but for the first */
    } levels[BONDY_DEPTH_MAX];
    unsigned depth;
};

static struct bondy_slice text_of(const struct builder *builder, const struct bondy_item *item,
                                  struct bondy_buf *buf)
{
    if (!item->is_folded)
        return item->text;
    buf->len = 0;
    buf->len = builder->ops->unfold(item, bondy_buf_reserve(buf, item->text.len));
    return bondy_buf_slice(buf);
}

static json_t *text_node(struct bondy_slice text)
{
    json_t *node = json_stringn_nocheck(text.len == 0 ? "" : text.data, text.len);

    BONDY_BUG_ON(node == NULL);
    return node;
}

static json_t *binary_node(struct bondy_slice bytes)
{
    size_t len = bondy_base64_len(bytes.len);
    char *text = bondy_alloc(len + 1);
    json_t *node;

    text[0] = '\0';
    bondy_base64_encode(bytes, text + 1);
    node = text_node(bondy_slice_of(text, len + 1));
    bondy_free(text);
    return node;
}

static json_t *uint_node(uint64_t value)
{
    char digits[BONDY_NUMBER_LEN];

    return text_node(bondy_slice_of(digits, bondy_number_format_uint(value, digits)));
}

static json_t *float_node(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *make_node(struct builder *builder, const struct bondy_item *item)
{
    switch (item->type) {
    case BONDY_VALUE_NULL:
        return json_null();
    case BONDY_VALUE_BOOL:
        return json_boolean(item->flag);
    case BONDY_VALUE_INT:
        return json_integer(item->i64);
    case BONDY_VALUE_UINT:
        return uint_node(item->u64);
    case BONDY_VALUE_FLOAT:
        return float_node(bondy_item_float(item));
    case BONDY_VALUE_TEXT:
        return text_node(text_of(builder, item, &builder->text));
    case BONDY_VALUE_BINARY:
        return binary_node(text_of(builder, item, &builder->text));
    case BONDY_VALUE_LIST:
        return json_array();
    case BONDY_VALUE_DICT:
        return json_object();
    }
    BONDY_BUG_ON(true);
}

static json_t *build_item(struct builder *builder)
{
    struct bondy_item item;
    json_t *node;

    BONDY_BUG_ON(!builder->ops->item(&builder->reader, &item));
    node = make_node(builder, &item);
    BONDY_BUG_ON(node == NULL);
    if (bondy_item_is_container(&item)) {
        BONDY_BUG_ON(builder->depth == BONDY_DEPTH_MAX);
        builder->levels[builder->depth].frame =
            (struct bondy_frame){item.count, item.type == BONDY_VALUE_DICT, false};
        builder->levels[builder->depth].container = node;
        builder->depth++;
    }
    return node;
}

static void build_next(struct builder *builder)
{
    struct bondy_frame *frame = &builder->levels[builder->depth - 1].frame;
    json_t *container = builder->levels[builder->depth - 1].container;
    int more = builder->ops->more(&builder->reader, frame);
    struct bondy_item item;
    struct bondy_slice key;

    BONDY_BUG_ON(more < 0);
    if (more == 0) {
        builder->depth--;
        return;
    }
    if (!frame->is_dict) {
        BONDY_BUG_ON(json_array_append_new(container, build_item(builder)) < 0);
        return;
    }
    BONDY_BUG_ON(!builder->ops->item(&builder->reader, &item) || item.type != BONDY_VALUE_TEXT);
    key = text_of(builder, &item, &builder->key);
    BONDY_BUG_ON(!builder->ops->colon(&builder->reader));
    BONDY_BUG_ON(json_object_setn_new_nocheck(container, key.len == 0 ? "" : key.data, key.len,
                                              build_item(builder)) < 0);
}

json_t *bondy_value_tree(enum bondy_serializer serializer, struct bondy_slice raw)
{
    struct builder builder;
    json_t *root;

    bondy_reader_init(&builder.reader, raw, BONDY_DEPTH_MAX);
    builder.ops = bondy_reader_ops(serializer);
    builder.key = (struct bondy_buf)BONDY_BUF_EMPTY;
    builder.text = (struct bondy_buf)BONDY_BUF_EMPTY;
    builder.depth = 0;
    builder.ops->blank(&builder.reader);
    root = build_item(&builder);
    while (builder.depth > 0)
        build_next(&builder);
    bondy_buf_fini(&builder.key);
    bondy_buf_fini(&builder.text);
    return root;
}

/* ---- from a tree -------------------------------------------------------------------------- */

static void write_node(const struct bondy_serializer_ops *ops, const json_t *node,
                       struct bondy_buf *out, unsigned depth);

/* The NUL + base64 form is bytes where the serializer has them. */
static void write_string(const struct bondy_serializer_ops *ops, const json_t *node,
                         struct bondy_buf *out)
{
    struct bondy_slice text = {json_string_value(node), json_string_length(node)};
    struct bondy_slice digits = bondy_slice_skip(text, 1);
    char *bytes;

    if (ops == &bondy_codec_json || text.len == 0 || text.data[0] != '\0' ||
        !bondy_base64_is_valid(digits)) {
        ops->write_text(out, text);
        return;
    }
    bytes = bondy_alloc(digits.len);
    ops->write_binary(out, bondy_slice_of(bytes, bondy_base64_decode(digits, bytes)));
    bondy_free(bytes);
}

static void write_array(const struct bondy_serializer_ops *ops, const json_t *node,
                        struct bondy_buf *out, unsigned depth)
{
    size_t count = json_array_size(node);
    size_t mark = ops->open(out, false, count);

    for (size_t i = 0; i < count; i++) {
        ops->write_comma(out, i);
        write_node(ops, json_array_get(node, i), out, depth + 1);
    }
    ops->close(out, false, count, count, mark);
}

static void write_object(const struct bondy_serializer_ops *ops, const json_t *node,
                         struct bondy_buf *out, unsigned depth)
{
    json_t *object = (json_t *)node; /* jansson iterates over what is not const; nothing changes */
    size_t count = json_object_size(node);
    size_t mark = ops->open(out, true, count);
    uint64_t index = 0;

    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        ops->write_comma(out, index++);
        ops->write_text(out,
                        bondy_slice_of(json_object_iter_key(at), json_object_iter_key_len(at)));
        ops->write_colon(out);
        write_node(ops, json_object_iter_value(at), out, depth + 1);
    }
    ops->close(out, true, count, count, mark);
}

static void write_node(const struct bondy_serializer_ops *ops, const json_t *node,
                       struct bondy_buf *out, unsigned depth)
{
    BONDY_BUG_ON(depth > TREE_DEPTH_MAX);
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        write_object(ops, node, out, depth);
        break;
    case JSON_ARRAY:
        write_array(ops, node, out, depth);
        break;
    case JSON_STRING:
        write_string(ops, node, out);
        break;
    case JSON_INTEGER:
        ops->write_int(out, json_integer_value(node));
        break;
    case JSON_REAL:
        ops->write_float(out, json_real_value(node));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        ops->write_bool(out, json_is_true(node));
        break;
    case JSON_NULL:
        ops->write_null(out);
        break;
    }
}

void bondy_value_format(enum bondy_serializer serializer, const json_t *tree, struct bondy_buf *out)
{
    write_node(bondy_reader_ops(serializer), tree, out, 0);
}

/* ---- payloads ----------------------------------------------------------------------------- */

struct bondy_payload bondy_payload_make(enum bondy_serializer serializer, const json_t *args,
                                        const json_t *kwargs, struct bondy_buf *out)
{
    struct bondy_payload payload = {.serializer = serializer};
    size_t args_at = out->len;
    size_t kwargs_at;

    if (args != NULL) {
        payload.args_count = (uint32_t)json_array_size(args);
        bondy_value_format(serializer, args, out);
    }
    kwargs_at = out->len;
    if (kwargs != NULL) {
        payload.kwargs_count = (uint32_t)json_object_size(kwargs);
        bondy_value_format(serializer, kwargs, out);
    }
    if (args != NULL)
        payload.args = bondy_slice_of(out->data + args_at, kwargs_at - args_at);
    if (kwargs != NULL)
        payload.kwargs = bondy_slice_of(out->data + kwargs_at, out->len - kwargs_at);
    return payload;
}

json_t *bondy_payload_args(const struct bondy_payload *payload)
{
    return payload->args.len == 0 ? json_array()
                                  : bondy_value_tree(payload->serializer, payload->args);
}

json_t *bondy_payload_kwargs(const struct bondy_payload *payload)
{
    return payload->kwargs.len == 0 ? json_object()
                                    : bondy_value_tree(payload->serializer, payload->kwargs);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_ENCODE_H
#define BONDY_WAMP_ENCODE_H

/* encode: a message to parts: its head, made here, and the payload's bytes where they are. Written
 * once and compiled into each serializer's file, like rest.h. Inside src/wamp only.
 *
 * Everything made lies together in the head and is the first part; what follows it is payload in
 * place and, in JSON, the commas and brackets around it. */

#include "src/base/alloc.h"
#include "src/wamp/codec.h"
#include "src/wamp/reader.h"
#include "src/wamp/shape.h"

#define ENCODE static inline __attribute__((always_inline))

struct bondy_encoder {
    enum bondy_serializer serializer;
    const struct bondy_message *message;
    struct bondy_buf *head;
    uint64_t index; /* of the next element */
    bool has_args;
    bool has_kwargs;
};

ENCODE void bondy_encode_field(const struct bondy_encoder *encoder,
                               const struct bondy_serializer_ops *ops,
                               const struct bondy_field_out *field)
{
    struct bondy_buf *head = encoder->head;

    switch (field->type) {
    case BONDY_VALUE_NULL:
        ops->write_null(head);
        break;
    case BONDY_VALUE_BOOL:
        ops->write_bool(head, field->flag);
        break;
    case BONDY_VALUE_INT:
        ops->write_int(head, field->i64);
        break;
    case BONDY_VALUE_UINT:
        ops->write_uint(head, field->u64);
        break;
    case BONDY_VALUE_FLOAT:
        ops->write_float(head, field->f64);
        break;
    case BONDY_VALUE_TEXT:
        ops->write_text(head, field->text);
        break;
    case BONDY_VALUE_BINARY:
        ops->write_binary(head, field->text);
        break;
    case BONDY_VALUE_LIST:
    case BONDY_VALUE_DICT:
        bondy_value_format(encoder->serializer, field->tree, head);
        break;
    }
}

ENCODE void bondy_encode_dict(const struct bondy_encoder *encoder,
                              const struct bondy_serializer_ops *ops)
{
    const struct bondy_message *message = encoder->message;
    size_t mark;

    if (message->tree != NULL) {
        bondy_value_format(encoder->serializer, message->tree, encoder->head);
        return;
    }
    mark = ops->open(encoder->head, true, message->field_count);
    for (size_t i = 0; i < message->field_count; i++) {
        ops->write_comma(encoder->head, i);
        ops->write_text(encoder->head, bondy_slice_text(message->fields[i].key));
        ops->write_colon(encoder->head);
        bondy_encode_field(encoder, ops, &message->fields[i]);
    }
    ops->close(encoder->head, true, message->field_count, message->field_count, mark);
}

ENCODE void bondy_encode_element(const struct bondy_encoder *encoder,
                                 const struct bondy_serializer_ops *ops,
                                 enum bondy_shape_field field)
{
    const struct bondy_message *message = encoder->message;

    switch (field) {
    case BONDY_SHAPE_REQUEST_TYPE:
        ops->write_uint(encoder->head, message->request_type);
        break;
    case BONDY_SHAPE_ID:
    case BONDY_SHAPE_REVOKED_ID:
        ops->write_uint(encoder->head, message->id);
        break;
    case BONDY_SHAPE_ID2:
        ops->write_uint(encoder->head, message->id2);
        break;
    case BONDY_SHAPE_DICT:
    case BONDY_SHAPE_REVOKED_DICT:
        bondy_encode_dict(encoder, ops);
        break;
    case BONDY_SHAPE_URI:
        ops->write_text(encoder->head, message->uri);
        break;
    case BONDY_SHAPE_TEXT:
        ops->write_text(encoder->head, message->text);
        break;
    case BONDY_SHAPE_PAYLOAD:
    case BONDY_SHAPE_END:
    case BONDY_SHAPE_FIELDS:
        break;
    }
}

/* Whether a field of the shape is sent with this message, as an element of its own. */
ENCODE bool bondy_encode_is_sent(const struct bondy_encoder *encoder, enum bondy_shape_field field)
{
    if (field == BONDY_SHAPE_REVOKED_DICT)
        return encoder->message->id == 0;
    return field != BONDY_SHAPE_PAYLOAD;
}

/* WAMP leaves out empty ArgumentsKw at the end, and then empty Arguments. */
ENCODE void bondy_encode_look_at_payload(struct bondy_encoder *encoder,
                                         const struct bondy_shape *shape)
{
    const struct bondy_payload *payload = &encoder->message->payload;

    if (bondy_shape_last(shape) != BONDY_SHAPE_PAYLOAD)
        return;
    encoder->has_kwargs = payload->kwargs_count > 0;
    encoder->has_args = payload->args_count > 0 || encoder->has_kwargs;
}

/* Only the last field of a shape may be one that is not sent. */
ENCODE uint64_t bondy_encode_count_elements(const struct bondy_encoder *encoder,
                                            const struct bondy_shape *shape)
{
    return (uint64_t)shape->field_count + bondy_encode_is_sent(encoder, bondy_shape_last(shape)) +
           encoder->has_args + encoder->has_kwargs;
}

ENCODE void bondy_encode_add_part(struct bondy_encoded *out, struct bondy_slice part)
{
    if (part.len == 0)
        return;
    BONDY_BUG_ON(out->part_count == BONDY_ENCODED_PARTS);
    out->parts[out->part_count++] = part;
    out->len += part.len;
}

ENCODE void bondy_encode_empty_list(const struct bondy_encoder *encoder,
                                    const struct bondy_serializer_ops *ops)
{
    size_t mark = ops->open(encoder->head, false, 0);

    ops->close(encoder->head, false, 0, 0, mark);
}

/* The payload in the head, behind its last element. */
ENCODE void bondy_encode_recode_payload(struct bondy_encoder *encoder,
                                        const struct bondy_serializer_ops *ops)
{
    const struct bondy_payload *payload = &encoder->message->payload;

    if (encoder->has_args) {
        ops->write_comma(encoder->head, encoder->index++);
        if (payload->args_count > 0)
            bondy_value_recode(payload->serializer, payload->args, encoder->serializer,
                               encoder->head);
        else
            bondy_encode_empty_list(encoder, ops);
    }
    if (encoder->has_kwargs) {
        ops->write_comma(encoder->head, encoder->index++);
        bondy_value_recode(payload->serializer, payload->kwargs, encoder->serializer,
                           encoder->head);
    }
}

/* The payload as parts behind the head, whose first octet is at `start`. */
ENCODE void bondy_encode_place_payload(struct bondy_encoder *encoder,
                                       const struct bondy_serializer_ops *ops, size_t start,
                                       struct bondy_encoded *out)
{
    const struct bondy_payload *payload = &encoder->message->payload;
    struct bondy_slice comma = bondy_slice_text(ops->comma);

    ops->write_comma(encoder->head, encoder->index++);
    if (payload->args_count == 0) {
        bondy_encode_empty_list(encoder, ops);
        ops->write_comma(encoder->head, encoder->index++);
    }
    bondy_encode_add_part(out,
                          bondy_slice_of(encoder->head->data + start, encoder->head->len - start));
    if (payload->args_count > 0) {
        bondy_encode_add_part(out, payload->args);
        if (encoder->has_kwargs)
            bondy_encode_add_part(out, comma);
    }
    if (encoder->has_kwargs)
        bondy_encode_add_part(out, payload->kwargs);
    bondy_encode_add_part(out, bondy_slice_text(ops->list_end));
}

/* struct bondy_serializer_ops.encode */
ENCODE void bondy_encode_message(enum bondy_serializer serializer,
                                 const struct bondy_message *message, struct bondy_buf *head,
                                 const struct bondy_serializer_ops *ops, struct bondy_encoded *out)
{
    const struct bondy_shape *shape = bondy_shape_find((uint64_t)message->type);
    struct bondy_encoder encoder = {serializer, message, head, 0, 0, 0};
    size_t start = head->len;
    uint64_t count;
    size_t mark;

    BONDY_BUG_ON(shape == NULL);
    out->part_count = 0;
    out->len = 0;
    bondy_encode_look_at_payload(&encoder, shape);
    count = bondy_encode_count_elements(&encoder, shape);
    mark = ops->open(head, false, count);
    ops->write_comma(head, encoder.index++);
    ops->write_uint(head, message->type);
    for (unsigned i = 0; shape->fields[i] != BONDY_SHAPE_END; i++) {
        enum bondy_shape_field field = (enum bondy_shape_field)shape->fields[i];

        if (!bondy_encode_is_sent(&encoder, field))
            continue;
        ops->write_comma(head, encoder.index++);
        bondy_encode_element(&encoder, ops, field);
    }
    if (encoder.has_args && message->payload.serializer == serializer &&
        !message->payload.must_recode) {
        bondy_encode_place_payload(&encoder, ops, start, out);
        return;
    }
    bondy_encode_recode_payload(&encoder, ops);
    ops->close(head, false, count, count, mark);
    bondy_encode_add_part(out, bondy_slice_of(head->data + start, head->len - start));
}

#undef ENCODE

#endif

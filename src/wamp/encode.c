/* SPDX-License-Identifier: Apache-2.0 */
/* encode: a message to parts: its head, made here, and the payload's bytes where they are.
 *
 * Everything made lies together in the head and is the first part; what follows it is payload in
 * place and, in JSON, the commas and brackets around it. */
#include "src/base/alloc.h"
#include "src/wamp/codec.h"
#include "src/wamp/reader.h"
#include "src/wamp/shape.h"

struct encoder {
    const struct bondy_serializer_ops *ops;
    enum bondy_serializer serializer;
    const struct bondy_message *message;
    struct bondy_buf *head;
    uint64_t index; /* of the next element */
    bool has_args;
    bool has_kwargs;
};

static void write_field(const struct encoder *encoder, const struct bondy_field_out *field)
{
    const struct bondy_serializer_ops *ops = encoder->ops;
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

static void write_dict(const struct encoder *encoder)
{
    const struct bondy_message *message = encoder->message;
    const struct bondy_serializer_ops *ops = encoder->ops;
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
        write_field(encoder, &message->fields[i]);
    }
    ops->close(encoder->head, true, message->field_count, message->field_count, mark);
}

static void write_element(const struct encoder *encoder, enum bondy_shape_field field)
{
    const struct bondy_message *message = encoder->message;

    switch (field) {
    case BONDY_SHAPE_REQUEST_TYPE:
        encoder->ops->write_uint(encoder->head, message->request_type);
        break;
    case BONDY_SHAPE_ID:
    case BONDY_SHAPE_REVOKED_ID:
        encoder->ops->write_uint(encoder->head, message->id);
        break;
    case BONDY_SHAPE_ID2:
        encoder->ops->write_uint(encoder->head, message->id2);
        break;
    case BONDY_SHAPE_DICT:
    case BONDY_SHAPE_REVOKED_DICT:
        write_dict(encoder);
        break;
    case BONDY_SHAPE_URI:
        encoder->ops->write_text(encoder->head, message->uri);
        break;
    case BONDY_SHAPE_TEXT:
        encoder->ops->write_text(encoder->head, message->text);
        break;
    case BONDY_SHAPE_PAYLOAD:
    case BONDY_SHAPE_END:
    case BONDY_SHAPE_FIELDS:
        break;
    }
}

/* Whether a field of the shape is sent with this message, as an element of its own. */
static bool is_sent(const struct encoder *encoder, enum bondy_shape_field field)
{
    if (field == BONDY_SHAPE_REVOKED_DICT)
        return encoder->message->id == 0;
    return field != BONDY_SHAPE_PAYLOAD;
}

static uint64_t count_elements(const struct encoder *encoder, const struct bondy_shape *shape)
{
    uint64_t count = 1;

    for (unsigned i = 0; shape->fields[i] != BONDY_SHAPE_END; i++)
        count += is_sent(encoder, shape->fields[i]);
    return count + encoder->has_args + encoder->has_kwargs;
}

/* WAMP leaves out empty ArgumentsKw at the end, and then empty Arguments. */
static void look_at_payload(struct encoder *encoder, const struct bondy_shape *shape)
{
    const struct bondy_payload *payload = &encoder->message->payload;
    unsigned last = 0;

    while (shape->fields[last + 1] != BONDY_SHAPE_END)
        last++;
    encoder->has_kwargs = shape->fields[last] == BONDY_SHAPE_PAYLOAD && payload->kwargs_count > 0;
    encoder->has_args = shape->fields[last] == BONDY_SHAPE_PAYLOAD &&
                        (payload->args_count > 0 || encoder->has_kwargs);
}

static void add_part(struct bondy_encoded *out, struct bondy_slice part)
{
    if (part.len == 0)
        return;
    BONDY_BUG_ON(out->part_count == BONDY_ENCODED_PARTS);
    out->parts[out->part_count++] = part;
    out->len += part.len;
}

static void write_empty_list(const struct encoder *encoder)
{
    size_t mark = encoder->ops->open(encoder->head, false, 0);

    encoder->ops->close(encoder->head, false, 0, 0, mark);
}

/* The payload in the head, behind its last element. */
static void recode_payload(struct encoder *encoder)
{
    const struct bondy_payload *payload = &encoder->message->payload;

    if (encoder->has_args) {
        encoder->ops->write_comma(encoder->head, encoder->index++);
        if (payload->args_count > 0)
            bondy_value_recode(payload->serializer, payload->args, encoder->serializer,
                               encoder->head);
        else
            write_empty_list(encoder);
    }
    if (encoder->has_kwargs) {
        encoder->ops->write_comma(encoder->head, encoder->index++);
        bondy_value_recode(payload->serializer, payload->kwargs, encoder->serializer,
                           encoder->head);
    }
}

/* The payload as parts behind the head, whose first octet is at `start`. */
static void place_payload(struct encoder *encoder, size_t start, struct bondy_encoded *out)
{
    const struct bondy_payload *payload = &encoder->message->payload;
    struct bondy_slice comma = bondy_slice_text(encoder->ops->comma);

    encoder->ops->write_comma(encoder->head, encoder->index++);
    if (payload->args_count == 0) {
        write_empty_list(encoder);
        encoder->ops->write_comma(encoder->head, encoder->index++);
    }
    add_part(out, bondy_slice_of(encoder->head->data + start, encoder->head->len - start));
    if (payload->args_count > 0) {
        add_part(out, payload->args);
        if (encoder->has_kwargs)
            add_part(out, comma);
    }
    if (encoder->has_kwargs)
        add_part(out, payload->kwargs);
    add_part(out, bondy_slice_text(encoder->ops->list_end));
}

void bondy_message_encode(enum bondy_serializer serializer, const struct bondy_message *message,
                          struct bondy_buf *head, struct bondy_encoded *out)
{
    const struct bondy_shape *shape = bondy_shape_find((uint64_t)message->type);
    struct encoder encoder = {bondy_reader_ops(serializer), serializer, message, head, 0, 0, 0};
    size_t start = head->len;
    uint64_t count;
    size_t mark;

    BONDY_BUG_ON(shape == NULL);
    out->part_count = 0;
    out->len = 0;
    look_at_payload(&encoder, shape);
    count = count_elements(&encoder, shape);
    mark = encoder.ops->open(head, false, count);
    encoder.ops->write_comma(head, encoder.index++);
    encoder.ops->write_uint(head, message->type);
    for (unsigned i = 0; shape->fields[i] != BONDY_SHAPE_END; i++) {
        if (!is_sent(&encoder, shape->fields[i]))
            continue;
        encoder.ops->write_comma(head, encoder.index++);
        write_element(&encoder, shape->fields[i]);
    }
    if (encoder.has_args && message->payload.serializer == serializer &&
        !message->payload.must_recode) {
        place_payload(&encoder, start, out);
        return;
    }
    recode_payload(&encoder);
    encoder.ops->close(head, false, count, count, mark);
    add_part(out, bondy_slice_of(head->data + start, head->len - start));
}

void bondy_message_format(enum bondy_serializer serializer, const struct bondy_message *message,
                          struct bondy_buf *out)
{
    struct bondy_encoded encoded;

    bondy_message_encode(serializer, message, out, &encoded);
    for (unsigned i = 1; i < encoded.part_count; i++)
        bondy_buf_append_slice(out, encoded.parts[i]);
}

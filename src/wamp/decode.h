/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_DECODE_H
#define BONDY_WAMP_DECODE_H

/* decode: one message, walked once from its first octet to its last. Written once and compiled into
 * each serializer's file, like rest.h. Inside src/wamp only.
 *
 * The fields come from the message's shape; each kind of field has one reader. What is wrong is
 * said with the octet where reading stopped. */

#include "src/base/id.h"
#include "src/wamp/base64.h"
#include "src/wamp/codec.h"
#include "src/wamp/keys.h"
#include "src/wamp/reader.h"
#include "src/wamp/shape.h"

#define DECODE static inline __attribute__((always_inline))

struct bondy_decoder {
    struct bondy_reader reader;
    const struct bondy_codec_limits *limits;
    struct bondy_keys keys;
    struct bondy_frame list;
    bool is_ended; /* the end of `list` was read */
    struct bondy_buf *scratch;
    struct bondy_message *out;
    size_t long_uri; /* octets of a URI that is over the limit, or 0 */
};

DECODE bool bondy_decode_refuse_at(struct bondy_decoder *decoder, const uint8_t *at,
                                   const char *problem)
{
    decoder->reader.at = at;
    return bondy_reader_fail(&decoder->reader, problem);
}

/* Goes to the next element of the message: 1, or 0 when there is none. */
DECODE int bondy_decode_next_element(struct bondy_decoder *decoder,
                                     const struct bondy_serializer_ops *ops)
{
    int more = decoder->is_ended ? 0 : ops->more(&decoder->reader, &decoder->list);

    decoder->is_ended = more == 0;
    return more;
}

DECODE bool bondy_decode_need_element(struct bondy_decoder *decoder,
                                      const struct bondy_serializer_ops *ops)
{
    int more = bondy_decode_next_element(decoder, ops);

    if (more < 0)
        return false;
    return more > 0 || bondy_reader_fail(&decoder->reader, "too few elements for this message");
}

DECODE bool bondy_decode_number(struct bondy_decoder *decoder,
                                const struct bondy_serializer_ops *ops, uint64_t least,
                                uint64_t most, const char *problem, uint64_t *number)
{
    const uint8_t *start;
    struct bondy_item item;

    if (!bondy_decode_need_element(decoder, ops))
        return false;
    start = decoder->reader.at;
    if (!ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_INT || item.i64 < 0 || item.u64 < least || item.u64 > most)
        return bondy_decode_refuse_at(decoder, start, problem);
    *number = item.u64;
    return true;
}

DECODE bool bondy_decode_request_type(struct bondy_decoder *decoder,
                                      const struct bondy_serializer_ops *ops)
{
    const uint8_t *start = decoder->reader.at;
    uint64_t type;

    if (!bondy_decode_number(decoder, ops, 1, BONDY_MESSAGE_TYPES - 1, "no type of a request",
                             &type))
        return false;
    if (bondy_shape_find(type) == NULL)
        return bondy_decode_refuse_at(decoder, start, "no type of a request");
    decoder->out->request_type = (enum bondy_message_type)type;
    return true;
}

#define NOT_AN_ID "no id, which is an integer from 1 to 2^53"

DECODE bool bondy_decode_id(struct bondy_decoder *decoder, const struct bondy_serializer_ops *ops)
{
    return bondy_decode_number(decoder, ops, 1, BONDY_ID_MAX, NOT_AN_ID, &decoder->out->id);
}

DECODE bool bondy_decode_id2(struct bondy_decoder *decoder, const struct bondy_serializer_ops *ops)
{
    return bondy_decode_number(decoder, ops, 1, BONDY_ID_MAX, NOT_AN_ID, &decoder->out->id2);
}

DECODE bool bondy_decode_revoked_id(struct bondy_decoder *decoder,
                                    const struct bondy_serializer_ops *ops)
{
    return bondy_decode_number(decoder, ops, 0, BONDY_ID_MAX, NOT_AN_ID, &decoder->out->id);
}

DECODE bool bondy_decode_dict(struct bondy_decoder *decoder, const struct bondy_serializer_ops *ops)
{
    const uint8_t *start;
    struct bondy_item item;
    uint64_t count = 0;

    if (!bondy_decode_need_element(decoder, ops))
        return false;
    start = decoder->reader.at;
    if (!ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_DICT)
        return bondy_decode_refuse_at(decoder, start, "no dict where options or details should be");
    if (!ops->rest(&decoder->reader, &item, &decoder->keys, &count))
        return false;
    decoder->out->dict = bondy_slice_of(start, (size_t)(decoder->reader.at - start));
    decoder->out->dict_count = (uint32_t)count;
    return true;
}

DECODE bool bondy_decode_revoked_dict(struct bondy_decoder *decoder,
                                      const struct bondy_serializer_ops *ops)
{
    return decoder->out->id != 0 || bondy_decode_dict(decoder, ops);
}

DECODE bool bondy_decode_is_json_binary(const struct bondy_decoder *decoder,
                                        struct bondy_slice text)
{
    return decoder->out->serializer == BONDY_JSON && text.len > 0 && text.data[0] == '\0' &&
           bondy_base64_is_valid(bondy_slice_skip(text, 1));
}

/* The text itself, from the scratch when it has to be put together. A message has one text field at
 * most, so that nothing moves what was put there. */
DECODE bool bondy_decode_text_field(struct bondy_decoder *decoder,
                                    const struct bondy_serializer_ops *ops, struct bondy_slice *out)
{
    const uint8_t *start;
    struct bondy_item item;

    if (!bondy_decode_need_element(decoder, ops))
        return false;
    start = decoder->reader.at;
    if (!ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_TEXT)
        return bondy_decode_refuse_at(decoder, start, "no text where a URI or text should be");
    *out = item.text;
    if (item.is_folded) {
        char *at = bondy_buf_reserve(decoder->scratch, item.text.len);
        size_t len = ops->unfold(&item, at);

        decoder->scratch->len += len;
        *out = bondy_slice_of(at, len);
    }
    return !bondy_decode_is_json_binary(decoder, *out) ||
           bondy_decode_refuse_at(decoder, start, "bytes, not text");
}

DECODE bool bondy_decode_uri(struct bondy_decoder *decoder, const struct bondy_serializer_ops *ops)
{
    if (!bondy_decode_text_field(decoder, ops, &decoder->out->uri))
        return false;
    if (decoder->out->uri.len > decoder->limits->max_uri) {
        decoder->long_uri = decoder->out->uri.len;
        decoder->out->uri = BONDY_SLICE_EMPTY;
    }
    return true;
}

DECODE bool bondy_decode_text(struct bondy_decoder *decoder, const struct bondy_serializer_ops *ops)
{
    return bondy_decode_text_field(decoder, ops, &decoder->out->text);
}

/* One of the two optional values at the end. */
DECODE bool bondy_decode_optional(struct bondy_decoder *decoder,
                                  const struct bondy_serializer_ops *ops,
                                  enum bondy_value_type type, const char *problem,
                                  struct bondy_slice *out, uint32_t *out_count)
{
    const uint8_t *start;
    struct bondy_item item;
    uint64_t count = 0;
    int more = bondy_decode_next_element(decoder, ops);

    if (more <= 0)
        return more == 0;
    start = decoder->reader.at;
    if (!ops->item(&decoder->reader, &item))
        return false;
    if (item.type != type)
        return bondy_decode_refuse_at(decoder, start, problem);
    if (!ops->rest(&decoder->reader, &item, NULL, &count))
        return false;
    *out = bondy_slice_of(start, (size_t)(decoder->reader.at - start));
    *out_count = (uint32_t)count;
    return true;
}

DECODE bool bondy_decode_payload(struct bondy_decoder *decoder,
                                 const struct bondy_serializer_ops *ops)
{
    struct bondy_payload *payload = &decoder->out->payload;

    decoder->reader.has_indefinite = false;
    if (!bondy_decode_optional(decoder, ops, BONDY_VALUE_LIST, "no list where Arguments should be",
                               &payload->args, &payload->args_count) ||
        !bondy_decode_optional(decoder, ops, BONDY_VALUE_DICT,
                               "no dict where ArgumentsKw should be", &payload->kwargs,
                               &payload->kwargs_count))
        return false;
    payload->must_recode = decoder->reader.has_indefinite;
    return true;
}

DECODE bool bondy_decode_field(struct bondy_decoder *decoder,
                               const struct bondy_serializer_ops *ops, enum bondy_shape_field field)
{
    switch (field) {
    case BONDY_SHAPE_REQUEST_TYPE:
        return bondy_decode_request_type(decoder, ops);
    case BONDY_SHAPE_ID:
        return bondy_decode_id(decoder, ops);
    case BONDY_SHAPE_ID2:
        return bondy_decode_id2(decoder, ops);
    case BONDY_SHAPE_REVOKED_ID:
        return bondy_decode_revoked_id(decoder, ops);
    case BONDY_SHAPE_REVOKED_DICT:
        return bondy_decode_revoked_dict(decoder, ops);
    case BONDY_SHAPE_DICT:
        return bondy_decode_dict(decoder, ops);
    case BONDY_SHAPE_URI:
        return bondy_decode_uri(decoder, ops);
    case BONDY_SHAPE_TEXT:
        return bondy_decode_text(decoder, ops);
    case BONDY_SHAPE_PAYLOAD:
        return bondy_decode_payload(decoder, ops);
    case BONDY_SHAPE_END:
    case BONDY_SHAPE_FIELDS:
        break;
    }
    return false;
}

DECODE bool bondy_decode_type(struct bondy_decoder *decoder, const struct bondy_serializer_ops *ops,
                              const struct bondy_shape **shape)
{
    const uint8_t *start = decoder->reader.at;
    struct bondy_item item;
    uint64_t type;

    if (!ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_LIST)
        return bondy_decode_refuse_at(decoder, start, "no list, which every message is");
    decoder->list.left = item.count;
    decoder->reader.depth = 1;
    if (!bondy_decode_number(decoder, ops, 1, UINT64_MAX, "no message type", &type))
        return false;
    if ((*shape = bondy_shape_find(type)) == NULL)
        return bondy_decode_refuse_at(decoder, start, "a message type that WAMP does not have");
    decoder->out->type = (enum bondy_message_type)type;
    return true;
}

DECODE bool bondy_decode_message(struct bondy_decoder *decoder,
                                 const struct bondy_serializer_ops *ops)
{
    const struct bondy_shape *shape;

    ops->blank(&decoder->reader);
    if (!bondy_decode_type(decoder, ops, &shape))
        return false;
    for (unsigned i = 0; shape->fields[i] != BONDY_SHAPE_END; i++)
        if (!bondy_decode_field(decoder, ops, (enum bondy_shape_field)shape->fields[i]))
            return false;
    switch (bondy_decode_next_element(decoder, ops)) {
    case 0:
        break;
    case 1:
        return bondy_reader_fail(&decoder->reader, "too many elements for this message");
    default:
        return false;
    }
    ops->blank(&decoder->reader);
    return decoder->reader.at == decoder->reader.end ||
           bondy_reader_fail(&decoder->reader, "something behind the message");
}

#undef DECODE

#endif

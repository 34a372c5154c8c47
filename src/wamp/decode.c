/* SPDX-License-Identifier: Apache-2.0 */
/* decode: one message, walked once from its first octet to its last.
 *
 * The fields come from the message's shape; each kind of field has one reader. What is wrong is
 * said with the octet where reading stopped. */
#include <inttypes.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/wamp/base64.h"
#include "src/wamp/codec.h"
#include "src/wamp/keys.h"
#include "src/wamp/reader.h"
#include "src/wamp/shape.h"

#define MESSAGE_LEN_MAX INT32_MAX

struct decoder {
    struct bondy_reader reader;
    const struct bondy_serializer_ops *ops;
    const struct bondy_codec_limits *limits;
    struct bondy_keys keys;
    struct bondy_frame list;
    bool is_ended; /* the end of `list` was read */
    struct bondy_buf *scratch;
    struct bondy_message *out;
    size_t long_uri; /* octets of a URI that is over the limit, or 0 */
};

static bool refuse_at(struct decoder *decoder, const uint8_t *at, const char *problem)
{
    decoder->reader.at = at;
    return bondy_reader_fail(&decoder->reader, problem);
}

/* Goes to the next element of the message: 1, or 0 when there is none. */
static int next_element(struct decoder *decoder)
{
    int more = decoder->is_ended ? 0 : decoder->ops->more(&decoder->reader, &decoder->list);

    decoder->is_ended = more == 0;
    return more;
}

static bool need_element(struct decoder *decoder)
{
    int more = next_element(decoder);

    if (more < 0)
        return false;
    return more > 0 || bondy_reader_fail(&decoder->reader, "too few elements for this message");
}

static bool read_number(struct decoder *decoder, uint64_t least, uint64_t most, const char *problem,
                        uint64_t *number)
{
    const uint8_t *start;
    struct bondy_item item;

    if (!need_element(decoder))
        return false;
    start = decoder->reader.at;
    if (!decoder->ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_INT || item.i64 < 0 || item.u64 < least || item.u64 > most)
        return refuse_at(decoder, start, problem);
    *number = item.u64;
    return true;
}

static bool read_request_type(struct decoder *decoder)
{
    const uint8_t *start = decoder->reader.at;
    uint64_t type;

    if (!read_number(decoder, 1, BONDY_MESSAGE_TYPES - 1, "no type of a request", &type))
        return false;
    if (bondy_shape_find(type) == NULL)
        return refuse_at(decoder, start, "no type of a request");
    decoder->out->request_type = (enum bondy_message_type)type;
    return true;
}

#define NOT_AN_ID "no id, which is an integer from 1 to 2^53"

static bool read_id(struct decoder *decoder)
{
    return read_number(decoder, 1, BONDY_ID_MAX, NOT_AN_ID, &decoder->out->id);
}

static bool read_id2(struct decoder *decoder)
{
    return read_number(decoder, 1, BONDY_ID_MAX, NOT_AN_ID, &decoder->out->id2);
}

static bool read_revoked_id(struct decoder *decoder)
{
    return read_number(decoder, 0, BONDY_ID_MAX, NOT_AN_ID, &decoder->out->id);
}

static bool read_dict(struct decoder *decoder)
{
    const uint8_t *start;
    struct bondy_item item;
    uint64_t count = 0;

    if (!need_element(decoder))
        return false;
    start = decoder->reader.at;
    if (!decoder->ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_DICT)
        return refuse_at(decoder, start, "no dict where options or details should be");
    if (!decoder->ops->rest(&decoder->reader, &item, &decoder->keys, &count))
        return false;
    decoder->out->dict = bondy_slice_of(start, (size_t)(decoder->reader.at - start));
    decoder->out->dict_count = (uint32_t)count;
    return true;
}

static bool read_revoked_dict(struct decoder *decoder)
{
    return decoder->out->id != 0 || read_dict(decoder);
}

static bool is_json_binary(const struct decoder *decoder, struct bondy_slice text)
{
    return decoder->out->serializer == BONDY_JSON && text.len > 0 && text.data[0] == '\0' &&
           bondy_base64_is_valid(bondy_slice_skip(text, 1));
}

/* The text itself, from the scratch when it has to be put together. A message has one text field at
 * most, so that nothing moves what was put there. */
static bool read_text_field(struct decoder *decoder, struct bondy_slice *out)
{
    const uint8_t *start;
    struct bondy_item item;

    if (!need_element(decoder))
        return false;
    start = decoder->reader.at;
    if (!decoder->ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_TEXT)
        return refuse_at(decoder, start, "no text where a URI or text should be");
    *out = item.text;
    if (item.is_folded) {
        char *at = bondy_buf_reserve(decoder->scratch, item.text.len);
        size_t len = decoder->ops->unfold(&item, at);

        decoder->scratch->len += len;
        *out = bondy_slice_of(at, len);
    }
    return !is_json_binary(decoder, *out) || refuse_at(decoder, start, "bytes, not text");
}

static bool read_uri(struct decoder *decoder)
{
    if (!read_text_field(decoder, &decoder->out->uri))
        return false;
    if (decoder->out->uri.len > decoder->limits->max_uri) {
        decoder->long_uri = decoder->out->uri.len;
        decoder->out->uri = BONDY_SLICE_EMPTY;
    }
    return true;
}

static bool read_text(struct decoder *decoder)
{
    return read_text_field(decoder, &decoder->out->text);
}

/* One of the two optional values at the end. */
static bool read_optional(struct decoder *decoder, enum bondy_value_type type, const char *problem,
                          struct bondy_slice *out, uint32_t *out_count)
{
    const uint8_t *start;
    struct bondy_item item;
    uint64_t count = 0;
    int more = next_element(decoder);

    if (more <= 0)
        return more == 0;
    start = decoder->reader.at;
    if (!decoder->ops->item(&decoder->reader, &item))
        return false;
    if (item.type != type)
        return refuse_at(decoder, start, problem);
    if (!decoder->ops->rest(&decoder->reader, &item, NULL, &count))
        return false;
    *out = bondy_slice_of(start, (size_t)(decoder->reader.at - start));
    *out_count = (uint32_t)count;
    return true;
}

static bool read_payload(struct decoder *decoder)
{
    struct bondy_payload *payload = &decoder->out->payload;

    decoder->reader.has_indefinite = false;
    if (!read_optional(decoder, BONDY_VALUE_LIST, "no list where Arguments should be",
                       &payload->args, &payload->args_count) ||
        !read_optional(decoder, BONDY_VALUE_DICT, "no dict where ArgumentsKw should be",
                       &payload->kwargs, &payload->kwargs_count))
        return false;
    payload->must_recode = decoder->reader.has_indefinite;
    return true;
}

typedef bool (*read_field_fn)(struct decoder *decoder);

static const read_field_fn read_field[BONDY_SHAPE_FIELDS] = {
    [BONDY_SHAPE_REQUEST_TYPE] = read_request_type,
    [BONDY_SHAPE_ID] = read_id,
    [BONDY_SHAPE_ID2] = read_id2,
    [BONDY_SHAPE_REVOKED_ID] = read_revoked_id,
    [BONDY_SHAPE_REVOKED_DICT] = read_revoked_dict,
    [BONDY_SHAPE_DICT] = read_dict,
    [BONDY_SHAPE_URI] = read_uri,
    [BONDY_SHAPE_TEXT] = read_text,
    [BONDY_SHAPE_PAYLOAD] = read_payload,
};

static bool read_type(struct decoder *decoder, const struct bondy_shape **shape)
{
    const uint8_t *start = decoder->reader.at;
    struct bondy_item item;
    uint64_t type;

    if (!decoder->ops->item(&decoder->reader, &item))
        return false;
    if (item.type != BONDY_VALUE_LIST)
        return refuse_at(decoder, start, "no list, which every message is");
    decoder->list.left = item.count;
    decoder->reader.depth = 1;
    if (!read_number(decoder, 1, UINT64_MAX, "no message type", &type))
        return false;
    if ((*shape = bondy_shape_find(type)) == NULL)
        return refuse_at(decoder, start, "a message type that WAMP does not have");
    decoder->out->type = (enum bondy_message_type)type;
    return true;
}

static bool read_message(struct decoder *decoder)
{
    const struct bondy_shape *shape;

    decoder->ops->blank(&decoder->reader);
    if (!read_type(decoder, &shape))
        return false;
    for (unsigned i = 0; shape->fields[i] != BONDY_SHAPE_END; i++)
        if (!read_field[shape->fields[i]](decoder))
            return false;
    switch (next_element(decoder)) {
    case 0:
        break;
    case 1:
        return bondy_reader_fail(&decoder->reader, "too many elements for this message");
    default:
        return false;
    }
    decoder->ops->blank(&decoder->reader);
    return decoder->reader.at == decoder->reader.end ||
           bondy_reader_fail(&decoder->reader, "something behind the message");
}

static int refuse(const struct decoder *decoder, struct bondy_error *err)
{
    const char *name = decoder->out->type == 0 ? "message" : bondy_message_name(decoder->out->type);

    return bondy_fail(err, BONDY_EPROTO, "%s: %s at octet %zu", name, decoder->reader.problem,
                      (size_t)(decoder->reader.at - decoder->reader.start));
}

int bondy_message_decode(enum bondy_serializer serializer, struct bondy_slice bytes,
                         const struct bondy_codec_limits *limits, struct bondy_buf *scratch,
                         struct bondy_message *out, struct bondy_error *err)
{
    struct decoder decoder;
    bool is_good;

    memset(out, 0, sizeof *out);
    out->serializer = serializer;
    out->payload.serializer = serializer;
    if (bytes.len > MESSAGE_LEN_MAX)
        return bondy_fail(err, BONDY_EPROTO, "message: %zu octets, at most %d can be read",
                          bytes.len, MESSAGE_LEN_MAX);
    scratch->len = 0;
    decoder.ops = bondy_reader_ops(serializer);
    decoder.limits = limits;
    decoder.scratch = scratch;
    decoder.out = out;
    decoder.list = (struct bondy_frame){0};
    decoder.is_ended = false;
    decoder.long_uri = 0;
    bondy_reader_init(&decoder.reader, bytes, limits->max_depth);
    bondy_keys_init(&decoder.keys, decoder.ops, decoder.reader.start);
    is_good = read_message(&decoder);
    bondy_keys_fini(&decoder.keys);
    if (!is_good)
        return refuse(&decoder, err);
    if (decoder.long_uri > 0)
        return bondy_fail(err, BONDY_ELIMIT, "%s: a URI of %zu octets, at most %zu are allowed",
                          bondy_message_name(out->type), decoder.long_uri, limits->max_uri);
    return BONDY_OK;
}

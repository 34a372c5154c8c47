/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/decode.h"

#define MESSAGE_LEN_MAX INT32_MAX

static int refuse(const struct bondy_decoder *decoder, struct bondy_error *err)
{
    const char *name = decoder->out->type == 0 ? "message" : bondy_message_name(decoder->out->type);

    return bondy_fail(err, BONDY_EPROTO, "%s: %s at octet %zu", name, decoder->reader.problem,
                      (size_t)(decoder->reader.at - decoder->reader.start));
}

int bondy_message_decode(enum bondy_serializer serializer, struct bondy_slice bytes,
                         const struct bondy_codec_limits *limits, struct bondy_buf *scratch,
                         struct bondy_message *out, struct bondy_error *err)
{
    struct bondy_decoder decoder;
    const struct bondy_serializer_ops *ops = bondy_reader_ops(serializer);
    bool is_good;

    memset(out, 0, sizeof *out);
    out->serializer = serializer;
    out->payload.serializer = serializer;
    if (bytes.len > MESSAGE_LEN_MAX)
        return bondy_fail(err, BONDY_EPROTO, "message: %zu octets, at most %d can be read",
                          bytes.len, MESSAGE_LEN_MAX);
    scratch->len = 0;
    decoder.limits = limits;
    decoder.scratch = scratch;
    decoder.out = out;
    decoder.list = (struct bondy_frame){0};
    decoder.is_ended = false;
    decoder.long_uri = 0;
    bondy_reader_init(&decoder.reader, bytes, limits->max_depth);
    bondy_keys_init(&decoder.keys, ops, decoder.reader.start);
    is_good = ops->decode(&decoder);
    bondy_keys_fini(&decoder.keys);
    if (!is_good)
        return refuse(&decoder, err);
    if (decoder.long_uri > 0)
        return bondy_fail(err, BONDY_ELIMIT, "%s: a URI of %zu octets, at most %zu are allowed",
                          bondy_message_name(out->type), decoder.long_uri, limits->max_uri);
    return BONDY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/message.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/utf8.h"
#include "src/wamp/codec.h"

static const struct bondy_codec_limits limits = BONDY_CODEC_LIMITS_DEFAULT;

static void walk_dict(const struct bondy_message *message)
{
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;
    uint32_t count = 0;

    bondy_walk_start(&walk, message->serializer, message->dict, &scratch);
    while (bondy_dict_next(&walk, &key, &value)) {
        BONDY_BUG_ON(!bondy_utf8_is_valid(key));
        BONDY_BUG_ON(value.type == BONDY_VALUE_TEXT && !bondy_utf8_is_valid(value.text));
        count++;
    }
    BONDY_BUG_ON(count != message->dict_count);
    bondy_buf_fini(&scratch);
}

/* Sent on in any serializer it is a message again, with the same fields. */
static void send_on(const struct bondy_message *message, enum bondy_serializer to)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    struct bondy_message again;

    bondy_message_format(to, message, &bytes);
    BONDY_BUG_ON(bondy_message_decode(to, bondy_buf_slice(&bytes), &limits, &scratch, &again,
                                      NULL) != BONDY_OK);
    BONDY_BUG_ON(again.type != message->type || again.id != message->id ||
                 again.id2 != message->id2 || again.request_type != message->request_type);
    BONDY_BUG_ON(!bondy_slice_eq(again.uri, message->uri));
    BONDY_BUG_ON(!bondy_slice_eq(again.text, message->text));
    BONDY_BUG_ON(again.payload.args_count != message->payload.args_count);
    BONDY_BUG_ON(again.payload.kwargs_count != message->payload.kwargs_count);
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&scratch);
}

/* In JSON a URI of this form would be bytes; no peer of JSON could be sent it. */
static bool looks_like_bytes(struct bondy_slice text)
{
    return text.len > 0 && text.data[0] == '\0';
}

void fuzz_message(enum bondy_serializer serializer, const uint8_t *data, size_t size)
{
    struct bondy_slice bytes = bondy_slice_of(data, size);
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    struct bondy_message message;
    struct bondy_error err;
    int rc = bondy_message_decode(serializer, bytes, &limits, &scratch, &message, &err);

    BONDY_BUG_ON(rc != BONDY_OK && rc != BONDY_EPROTO && rc != BONDY_ELIMIT);
    BONDY_BUG_ON(rc != BONDY_OK && strlen(err.text) == 0);
    if (rc == BONDY_OK) {
        BONDY_BUG_ON(bondy_value_check(serializer, bytes, 32, false, NULL) != BONDY_OK);
        BONDY_BUG_ON(message.id > BONDY_ID_MAX || message.id2 > BONDY_ID_MAX);
        BONDY_BUG_ON(!bondy_utf8_is_valid(message.uri) || !bondy_utf8_is_valid(message.text));
        if (message.dict.len > 0) {
            walk_dict(&message);
            message.tree = bondy_value_tree(serializer, message.dict);
        }
        for (int to = BONDY_JSON; to < BONDY_SERIALIZERS; to++)
            if (to != BONDY_JSON ||
                (!looks_like_bytes(message.uri) && !looks_like_bytes(message.text)))
                send_on(&message, (enum bondy_serializer)to);
        json_decref(bondy_payload_args(&message.payload));
        json_decref(bondy_payload_kwargs(&message.payload));
        json_decref(message.tree);
    }
    bondy_buf_fini(&scratch);
}

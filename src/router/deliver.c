/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/router/core.h"
#include "src/router/stats.h"

/* More than this is given back after a message was encoded. */
#define HEAD_KEEP (64 * 1024)

bool bondy_deliver(struct bondy_session *session, const struct bondy_message *message,
                   enum bondy_send_kind kind)
{
    struct bondy_buf *head = &session->thread->head;
    struct bondy_encoded encoded;

    if (session->local != NULL) {
        session->local->on_message(session->peer, message);
        return true;
    }
    bondy_buf_clear(head, HEAD_KEEP);
    bondy_message_encode(session->serializer, message, head, &encoded);
    if (session->max_send != 0 && encoded.len > session->max_send) {
        bondy_stats_too_long(session, message->type);
        return false;
    }
    bondy_stats_message(session->stats, message->type, encoded.len);
    session->out->send(session->peer, &encoded, kind);
    return true;
}

void bondy_deliver_error(struct bondy_session *session, enum bondy_message_type request_type,
                         uint64_t request, const char *uri, const char *text)
{
    struct bondy_field_out field = {
        .key = "message", .type = BONDY_VALUE_TEXT, .text = bondy_slice_text(text)};
    struct bondy_message message = {.type = BONDY_ERROR,
                                    .request_type = request_type,
                                    .id = request,
                                    .uri = bondy_slice_text(uri),
                                    .fields = &field,
                                    .field_count = text == NULL ? 0 : 1};

    bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

void bondy_deliver_problem(struct bondy_session *session, enum bondy_message_type request_type,
                           uint64_t request, const char *uri, struct bondy_slice text)
{
    enum bondy_serializer serializer =
        session->local != NULL ? BONDY_MSGPACK : (enum bondy_serializer)session->serializer;
    struct bondy_message message = {.type = BONDY_ERROR,
                                    .request_type = request_type,
                                    .id = request,
                                    .uri = bondy_slice_text(uri)};
    json_t *args = json_array(), *kwargs = json_object();
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    json_array_append_new(args, bondy_json_slice(text));
    json_object_set(kwargs, "message", json_array_get(args, 0));
    message.payload = bondy_payload_make(serializer, args, kwargs, &bytes);
    if (!bondy_deliver(session, &message, BONDY_SEND_REPLY)) /* a long URI is in it */
        bondy_deliver_error(session, request_type, request, uri, NULL);
    bondy_buf_fini(&bytes);
    json_decref(args);
    json_decref(kwargs);
}

void bondy_deliver_ids(struct bondy_session *session, enum bondy_message_type type, uint64_t id,
                       uint64_t id2)
{
    struct bondy_message message = {.type = type, .id = id, .id2 = id2};

    bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

void bondy_shared_unref(struct bondy_shared *shared)
{
    BONDY_BUG_ON(shared->refs == 0);
    if (--shared->refs == 0)
        bondy_free(shared);
}

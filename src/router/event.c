/* SPDX-License-Identifier: Apache-2.0 */

/* One publication to the subscribers of one thread.
 *
 * An EVENT has as many encoded forms as there are framings, serializers and sets of details among
 * the receivers; each is made when the first receiver needs it and lives until the last transport
 * has written it. The payload is recoded at most once for a serializer. A subscription with a
 * single receiver gets its EVENT like a reply: copied to the end of what the connection sends. */

#include "src/base/alloc.h"
#include "src/router/broker.h"
#include "src/router/stats.h"

enum variant { PLAIN, DISCLOSED, VARIANTS };

struct forms {
    struct bondy_router_thread *thread;
    const struct bondy_publication *publication;
    const struct bondy_subscription *subscription;
    struct bondy_field_out fields[4];
    size_t field_counts[VARIANTS];
    size_t lens[BONDY_SERIALIZERS][VARIANTS]; /* of messages without frame head, once shared */
    struct bondy_payload payloads[BONDY_SERIALIZERS];
    struct { /* what starts zeroed */
        struct bondy_shared *shared[BONDY_FRAMINGS][BONDY_SERIALIZERS][VARIANTS];
        bool has_payload[BONDY_SERIALIZERS];
        struct bondy_buf recoded[BONDY_SERIALIZERS];
    } made;
};

/* Fields every receiver gets first, then those of receivers that may know the publisher. */
static void forms_init(struct forms *forms, struct bondy_router_thread *thread,
                       const struct bondy_publication *publication,
                       const struct bondy_subscription *subscription)
{
    size_t count = 0;

    memset(&forms->made, 0, sizeof forms->made);
    forms->thread = thread;
    forms->publication = publication;
    forms->subscription = subscription;
    if (subscription->entry.match != BONDY_MATCH_EXACT)
        forms->fields[count++] = (struct bondy_field_out){
            .key = "topic", .type = BONDY_VALUE_TEXT, .text = publication->topic};
    forms->field_counts[PLAIN] = count;
    forms->fields[count++] = (struct bondy_field_out){
        .key = "publisher", .type = BONDY_VALUE_INT, .i64 = (int64_t)publication->publisher};
    forms->fields[count++] = (struct bondy_field_out){
        .key = "publisher_authid", .type = BONDY_VALUE_TEXT, .text = publication->authid};
    forms->fields[count++] = (struct bondy_field_out){
        .key = "publisher_authrole", .type = BONDY_VALUE_TEXT, .text = publication->authrole};
    forms->field_counts[DISCLOSED] = count;
}

static void forms_fini(struct forms *forms)
{
    for (unsigned framing = 0; framing < BONDY_FRAMINGS; framing++) {
        for (unsigned serializer = 0; serializer < BONDY_SERIALIZERS; serializer++) {
            for (unsigned variant = 0; variant < VARIANTS; variant++) {
                if (forms->made.shared[framing][serializer][variant] != NULL)
                    bondy_shared_unref(forms->made.shared[framing][serializer][variant]);
            }
        }
    }
    for (unsigned serializer = 0; serializer < BONDY_SERIALIZERS; serializer++)
        bondy_buf_fini(&forms->made.recoded[serializer]);
}

/* The payload as this serializer has it. */
static struct bondy_payload payload_for(struct forms *forms, enum bondy_serializer serializer)
{
    const struct bondy_payload *received = &forms->publication->payload;
    struct bondy_payload *payload = &forms->payloads[serializer];
    struct bondy_buf *out = &forms->made.recoded[serializer];
    size_t args_len;

    if (received->serializer == serializer && !received->must_recode)
        return *received;
    if (forms->made.has_payload[serializer])
        return *payload;
    *payload = *received;
    payload->serializer = serializer;
    payload->must_recode = false;
    if (received->args.len > 0)
        bondy_value_recode(received->serializer, received->args, serializer, out);
    args_len = out->len;
    if (received->kwargs.len > 0)
        bondy_value_recode(received->serializer, received->kwargs, serializer, out);
    payload->args = bondy_slice_of(out->data, args_len);
    payload->kwargs =
        bondy_slice_of(out->len == args_len ? NULL : out->data + args_len, out->len - args_len);
    forms->made.has_payload[serializer] = true;
    return *payload;
}

static struct bondy_message event_message(struct forms *forms, enum bondy_serializer serializer,
                                          enum variant variant)
{
    return (struct bondy_message){.type = BONDY_EVENT,
                                  .id = forms->subscription->entry.id,
                                  .id2 = forms->publication->id,
                                  .fields = forms->fields,
                                  .field_count = forms->field_counts[variant],
                                  .payload = serializer == 0 ? forms->publication->payload
                                                             : payload_for(forms, serializer)};
}

static struct bondy_shared *make_shared(struct forms *forms, const struct bondy_session *receiver,
                                        enum variant variant)
{
    enum bondy_serializer serializer = (enum bondy_serializer)receiver->serializer;
    struct bondy_message message = event_message(forms, serializer, variant);
    struct bondy_buf *head = &forms->thread->head;
    uint8_t frame_head[BONDY_FRAME_HEAD_MAX];
    struct bondy_encoded encoded;
    struct bondy_shared *shared;
    size_t at;

    bondy_buf_clear(head, SIZE_MAX);
    bondy_message_encode(serializer, &message, head, &encoded);
    at = receiver->out->frame_head(frame_head, serializer, encoded.len);
    shared = bondy_alloc(sizeof *shared + at + encoded.len);
    forms->lens[serializer][variant] = encoded.len;
    shared->refs = 1;
    shared->len = (uint32_t)(at + encoded.len);
    memcpy(shared->bytes, frame_head, at);
    for (unsigned i = 0; i < encoded.part_count; i++) {
        if (encoded.parts[i].len > 0)
            memcpy(shared->bytes + at, encoded.parts[i].data, encoded.parts[i].len);
        at += encoded.parts[i].len;
    }
    return shared;
}

static void give(struct forms *forms, struct bondy_session *receiver, bool is_alone)
{
    enum variant variant =
        forms->publication->discloses && receiver->wants_publishers ? DISCLOSED : PLAIN;
    struct bondy_shared **shared;
    size_t len;

    if (receiver->local != NULL || is_alone) {
        struct bondy_message message =
            event_message(forms, receiver->local != NULL ? 0 : receiver->serializer, variant);

        bondy_deliver(receiver, &message, BONDY_SEND_EVENT);
        return;
    }
    shared = &forms->made.shared[receiver->out->framing][receiver->serializer][variant];
    if (*shared == NULL)
        *shared = make_shared(forms, receiver, variant);
    len = forms->lens[receiver->serializer][variant];
    if (receiver->max_send != 0 && len > receiver->max_send) {
        bondy_stats_too_long(receiver, BONDY_EVENT);
        return;
    }
    bondy_stats_message(receiver->stats, BONDY_EVENT, len);
    receiver->out->send_shared(receiver->peer, *shared, BONDY_SEND_EVENT);
}

static bool is_receiver(const struct bondy_publication *publication,
                        const struct bondy_session *session)
{
    if (publication->excludes_publisher && session->id == publication->publisher)
        return false;
    return publication->filter == NULL || bondy_filter_passes(publication->filter, session);
}

void bondy_event_spread(struct bondy_router_thread *thread, struct bondy_receivers *receivers,
                        const struct bondy_publication *publication)
{
    struct forms forms;
    size_t count = receivers->count; /* who comes during the walk came after the publication */

    forms_init(&forms, thread, publication, receivers->subscription);
    bondy_receivers_start_walk(receivers);
    for (size_t i = 0; i < count; i++) {
        struct bondy_membership *membership = receivers->items[i];

        if (membership != NULL && is_receiver(publication, membership->session))
            give(&forms, membership->session, count == 1);
    }
    bondy_receivers_end_walk(receivers);
    forms_fini(&forms);
}

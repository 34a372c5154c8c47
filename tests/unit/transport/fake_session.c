/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/transport/fake_session.h"

#include <stdio.h>

#include "src/base/alloc.h"

_Thread_local struct fake_session *fake_sessions;
_Thread_local unsigned fake_opened, fake_lost, fake_violated;
_Thread_local size_t fake_receive_max;
_Thread_local bool fake_is_silent;

void fake_reset(void)
{
    fake_opened = fake_lost = fake_violated = 0;
    fake_receive_max = 1 << 24;
    fake_is_silent = false;
}

unsigned fake_count(void)
{
    unsigned count = 0;

    for (struct fake_session *fake = fake_sessions; fake != NULL; fake = fake->next)
        count++;
    return count;
}

void bondy_shared_unref(struct bondy_shared *shared)
{
    if (--shared->refs == 0)
        bondy_free(shared);
}

struct bondy_session *bondy_session_open(struct bondy_router_thread *thread,
                                         const struct bondy_session_peer *peer,
                                         const struct bondy_session_out *out, void *transport)
{
    struct fake_session *fake = bondy_zalloc(sizeof *fake);

    (void)thread;
    fake->out = out;
    fake->transport = transport;
    fake->serializer = peer->serializer;
    fake->peer_max = peer->max_message;
    snprintf(fake->transport_name, sizeof fake->transport_name, "%s", peer->transport);
    snprintf(fake->peername, sizeof fake->peername, BONDY_SLICE_FMT,
             BONDY_SLICE_ARG(peer->peername));
    snprintf(fake->cookies, sizeof fake->cookies, BONDY_SLICE_FMT, BONDY_SLICE_ARG(peer->cookies));
    fake->next = fake_sessions;
    fake_sessions = fake;
    fake_opened++;
    return (struct bondy_session *)fake;
}

static void forget(struct fake_session *fake)
{
    struct fake_session **at = &fake_sessions;

    while (*at != fake)
        at = &(*at)->next;
    *at = fake->next;
    bondy_free(fake);
}

void fake_send(struct fake_session *fake, const void *bytes, size_t len, enum bondy_send_kind kind)
{
    struct bondy_encoded message = {
        .parts = {bondy_slice_of(bytes, len)}, .part_count = 1, .len = len};

    fake->out->send(fake->transport, &message, kind);
}

void fake_publish(const void *bytes, size_t len)
{
    struct bondy_shared *shared = NULL;

    for (struct fake_session *fake = fake_sessions; fake != NULL; fake = fake->next) {
        if (shared == NULL) {
            uint8_t head[BONDY_FRAME_HEAD_MAX];
            size_t head_len = fake->out->frame_head(head, fake->serializer, len);

            shared = bondy_alloc(sizeof *shared + head_len + len);
            shared->refs = 1;
            shared->len = (uint32_t)(head_len + len);
            memcpy(shared->bytes, head, head_len);
            memcpy(shared->bytes + head_len, bytes, len);
        }
        fake->out->send_shared(fake->transport, shared, BONDY_SEND_EVENT);
    }
    if (shared != NULL)
        bondy_shared_unref(shared);
}

void fake_close(struct fake_session *fake)
{
    const struct bondy_session_out *out = fake->out;
    void *transport = fake->transport;

    forget(fake);
    out->close(transport);
}

bool bondy_session_receive(struct bondy_session *session, struct bondy_slice bytes)
{
    struct fake_session *fake = (struct fake_session *)session;

    fake->received++;
    fake->received_bytes += bytes.len;
    if (bondy_slice_starts(bytes, BONDY_SLICE("end"))) {
        fake_send(fake, "ended", 5, BONDY_SEND_REPLY);
        fake_close(fake);
        return false;
    }
    if (!fake_is_silent)
        fake_send(fake, bytes.data, bytes.len, BONDY_SEND_REPLY);
    return true;
}

size_t bondy_session_receive_max(const struct bondy_session *session)
{
    (void)session;
    return fake_receive_max;
}

void bondy_session_violate(struct bondy_session *session, const char *what)
{
    struct fake_session *fake = (struct fake_session *)session;
    char text[128];
    int len = snprintf(text, sizeof text, "violated: %s", what);

    fake_violated++;
    fake_send(fake, text, (size_t)len, BONDY_SEND_REPLY);
    fake_close(fake);
}

void bondy_session_lost(struct bondy_session *session)
{
    fake_lost++;
    forget((struct fake_session *)session);
}

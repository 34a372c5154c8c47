/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_TRANSPORT_FAKE_SESSION_H
#define BONDY_TESTS_UNIT_TRANSPORT_FAKE_SESSION_H

/* fake_session: stands in for the router's sessions, so that the transports are tested alone. A
 * message comes back as it is; one that begins with "end" is answered "ended" and ends the session;
 * a violation is answered "violated: ..." and ends it. */

#include "src/router/session.h"

struct fake_session {
    struct fake_session *next;
    const struct bondy_session_out *out;
    void *transport;
    enum bondy_serializer serializer;
    char transport_name[8];
    char peername[128];
    char cookies[512];
    size_t peer_max;
    unsigned received;
    size_t received_bytes;
};

/* Of the calling thread: the sessions that are there, the youngest first. */
extern _Thread_local struct fake_session *fake_sessions;
extern _Thread_local unsigned fake_opened, fake_lost, fake_violated;
extern _Thread_local size_t fake_receive_max;
extern _Thread_local bool fake_is_silent; /* messages are counted, not answered */

void fake_reset(void);
unsigned fake_count(void);
void fake_send(struct fake_session *session, const void *bytes, size_t len,
               enum bondy_send_kind kind);
/* One message by reference to all sessions. */
void fake_publish(const void *bytes, size_t len);
void fake_close(struct fake_session *session);

#endif

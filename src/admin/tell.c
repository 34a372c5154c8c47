/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/tell.h"

#include "src/base/log.h"
#include "src/wamp/codec.h"

static void on_message(void *peer, const struct bondy_message *message)
{
    (void)peer;
    (void)message;
}

static void on_closed(void *peer, const char *reason)
{
    (void)reason;
    *(struct bondy_session **)peer = NULL;
}

void bondy_admin_tell_on(struct bondy_router_thread *thread, struct bondy_slice realm,
                         const char *topic, json_t *args, json_t *kwargs)
{
    static const struct bondy_session_local local = {on_message, on_closed};
    const struct bondy_identity identity = {
        .authmethod = BONDY_SLICE("local"), .authrole = BONDY_SLICE("router"), .is_trusted = true};
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_session *session = NULL;
    struct bondy_payload payload;
    struct bondy_error err = {0};
    uint64_t publication;

    session = bondy_session_open_local(thread, realm, &identity, &local, &session, &err);
    if (session == NULL) {
        bondy_log(BONDY_LOG_DEBUG, "event_not_published", BONDY_F_STR("topic", topic),
                  BONDY_F_STR("reason", err.text));
    } else {
        payload = bondy_payload_make(BONDY_MSGPACK, args, kwargs, &bytes);
        bondy_session_publish(session, bondy_slice_text(topic), NULL, &payload, &publication);
        if (session != NULL)
            bondy_session_lost(session);
    }
    bondy_buf_fini(&bytes);
    json_decref(args);
    json_decref(kwargs);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_SESSIONS_H
#define BONDY_ROUTER_SESSIONS_H

/* sessions: looks through the sessions of all threads, for administration and the meta API: lists
 * them, counts them, ends them. admin-http-api.md 8 "Sessions"; wamp.md META-SESS, SESS-CLOSE-8.
 *
 * Sessions are touched on their own threads only: the question goes to each thread as mail and the
 * answers are put together on the one that asked. */

#include "src/base/json.h"
#include "src/router/router.h"

/* What is described: the sessions, or what they have registered or subscribed to. */
enum bondy_session_view {
    BONDY_VIEW_SESSIONS,      /* as bondy_session_info() */
    BONDY_VIEW_SESSION_IDS,   /* their ids alone */
    BONDY_VIEW_REGISTRATIONS, /* one entry for each session and registration: {type, realm_uri, */
    BONDY_VIEW_SUBSCRIPTIONS  /* entry_id, uri, match_policy, session_id, authid, created, ...} */
};

struct bondy_session_query {
    struct bondy_slice realm; /* canonical */
    enum bondy_session_view view;
    /* Which; empty, 0: whatever. */
    struct bondy_slice authid;
    struct bondy_slice authrole;
    struct bondy_slice uri;  /* of an entry */
    const json_t *authroles; /* a list of names: sessions that have one of them as authrole or among
                                x_authroles; NULL: whatever. Copied */
    uint64_t subscription;   /* those that have subscribed to it */
    uint64_t session;
    uint64_t but;        /* not this one */
    bool with_local;     /* also those of HTTP requests and of this process */
    bool forgets;        /* what the realm's authorizer said about them is asked again */
    const char *reason;  /* ends them with this GOODBYE; NULL: only looks. Copied */
    const char *message; /* GOODBYE.Details.message, or NULL. Copied */
    size_t limit;        /* how many are described; 0: none, only counted */
    /* Once, on the asking thread, maybe before the question returns: how many there are (were, when
     * they were ended), and descriptions in no order; taken. */
    void (*answer)(void *context, size_t count, json_t *list);
    void *context;
};

/* Texts of the query are copied. When the thread ends before the answer, none comes. */
void bondy_sessions_query(struct bondy_router_thread *thread,
                          const struct bondy_session_query *query);

#endif

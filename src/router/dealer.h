/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_DEALER_H
#define BONDY_ROUTER_DEALER_H

/* dealer: registrations and calls.
 *
 * A call lives on the caller's thread, its invocation on the callee's. When both are the same
 * thread they point to each other; otherwise they know each other by a token that the caller's
 * thread gave. Whoever ends first tells the other side, and what arrives later finds nothing and is
 * dropped. */

#include "src/router/core.h"

/* Messages of a joined session. False: the session is gone (protocol violation). */
bool bondy_dealer_on_register(struct bondy_session *session, const struct bondy_message *message);
bool bondy_dealer_on_unregister(struct bondy_session *session, const struct bondy_message *message);
bool bondy_dealer_on_call(struct bondy_session *session, const struct bondy_message *message);
bool bondy_dealer_on_cancel(struct bondy_session *session, const struct bondy_message *message);
bool bondy_dealer_on_yield(struct bondy_session *session, const struct bondy_message *message);
bool bondy_dealer_on_error(struct bondy_session *session, const struct bondy_message *message);

/* Routes a CALL whose options were read. */
void bondy_dealer_call(struct bondy_session *session, const struct bondy_message *message,
                       const struct bondy_options *options);
/* Ends a call without an answer; the callee is interrupted (WAMP, Call Canceling: killnowait). */
void bondy_dealer_abandon(struct bondy_call *call);
/* Ends a call with an ERROR of the router. */
void bondy_dealer_fail(struct bondy_call *call, const char *uri, const char *text);
/* Ends a call with what the callee or a built-in procedure said; `answer` is a RESULT or an ERROR
 * whose id is filled in here. */
void bondy_dealer_answer(struct bondy_call *call, struct bondy_message *answer);
/* Errors for all calls that wait, before GOODBYE is answered (SESS-CLOSE-7). */
void bondy_dealer_fail_all(struct bondy_session *session);
/* Registrations that the session may not have any more are taken away; it is told. */
void bondy_dealer_revoke_illegal(struct bondy_session *session);
/* The session leaves: registrations gone, callers told, callees interrupted. */
void bondy_dealer_leave(struct bondy_session *session);

/* ---- for remote.c: the same between threads ---------------------------------------------- */

/* What an INVOCATION is made of. */
struct bondy_invoke {
    uint64_t registration_id;
    struct bondy_slice procedure; /* empty unless the registration is a pattern */
    uint64_t caller;              /* 0: not disclosed */
    struct bondy_slice caller_authid;
    struct bondy_slice caller_authrole;
    uint64_t timeout_ms; /* 0: not forwarded */
    struct bondy_payload payload;
};
/* Sends the INVOCATION to a callee of this thread. NULL: *error says why not. */
struct bondy_invoked *bondy_dealer_invoke(struct bondy_session *callee,
                                          const struct bondy_invoke *invoke, const char **error);
/* The caller does not wait any more. `interrupt`: the callee is told, if it wants to know. */
void bondy_dealer_drop_invoked(struct bondy_invoked *invoked, bool interrupt);

#endif

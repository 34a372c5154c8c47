/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_LOCAL_H
#define BONDY_ROUTER_LOCAL_H

/* local: sessions of this process's own code: gateway requests, later bridges and services.
 *
 * Everything here is called on the session's own router thread; answers come back on it too,
 * possibly before the call returns when the callee is a built-in procedure. */

#include "src/base/json.h"
#include "src/router/session.h"
#include "src/security/login/identity.h"
#include "src/security/policy/permission.h"

struct bondy_router_thread;

/* What a local session is told. RESULT, PUBLISHED and ERROR answer a call or an acknowledged
 * publish (id is the request); EVENT and INVOCATION for sessions that subscribed or registered.
 * `message` is borrowed during the call. It is a message to send: its details are in `fields`, not
 * in `dict`; its payload is as the other side encoded it. The peer may use any session of the
 * thread meanwhile, and may end its own. */
struct bondy_session_local {
    void (*on_message)(void *peer, const struct bondy_message *message);
    /* The router ended the session (realm removed, killed): its pointer is gone. */
    void (*on_closed)(void *peer, const char *reason);
};

/* Joins a realm without HELLO. NULL with BONDY_ENOENT (no such realm), BONDY_EDENIED (it takes no
 * connections, and the identity is not the router's own), BONDY_ELIMIT. The caller ends it with
 * bondy_session_lost(). Announces call_canceling, call_timeout, caller_identification; no
 * progressive results. */
struct bondy_session *bondy_session_open_local(struct bondy_router_thread *thread,
                                               struct bondy_slice realm,
                                               const struct bondy_identity *identity,
                                               const struct bondy_session_local *local, void *peer,
                                               struct bondy_error *err);

/* Whom the session speaks for: the address that procedures see as their caller's. Copied. */
void bondy_session_set_peername(struct bondy_session *session, struct bondy_slice peername);

struct bondy_call_options {
    uint64_t timeout_ms; /* 0: the configured default */
    bool disclose_me;
    json_t *extra; /* other CALL.Options, borrowed; checked like a client's; NULL none */
};
/* Sends a CALL; returns its request id. Every failure comes as an ERROR message, never as a return.
 * The payload is borrowed during the call. */
uint64_t bondy_session_call(struct bondy_session *session, struct bondy_slice procedure,
                            const struct bondy_call_options *options,
                            const struct bondy_payload *payload);
/* CANCEL, mode killnowait: no answer will come any more. */
void bondy_session_cancel(struct bondy_session *session, uint64_t request);
/* `options` are PUBLISH.Options as a tree (borrowed, may be NULL). With acknowledge=true PUBLISHED
 * or ERROR comes with the request id returned; otherwise nothing comes. *publication gets the id (0
 * when refused). */
uint64_t bondy_session_publish(struct bondy_session *session, struct bondy_slice topic,
                               const json_t *options, const struct bondy_payload *payload,
                               uint64_t *publication);

/* ---- built-in procedures ------------------------------------------------------------------------
 * The router asks its hook for procedures below `bondy.` (aliases included) and `wamp.`; they run
 * on the caller's thread, in whatever realm the caller is, and answer now or later on that thread.
 */

struct bondy_invocation; /* one running call of a built-in procedure; ends with a reply */

struct bondy_slice bondy_invocation_realm(const struct bondy_invocation *invocation);
struct bondy_slice bondy_invocation_procedure(const struct bondy_invocation *invocation);
uint64_t bondy_invocation_session(const struct bondy_invocation *invocation);
/* Whether the session is on the master realm, whose sessions may name any realm. */
bool bondy_invocation_is_master(const struct bondy_invocation *invocation);
/* Who calls; texts are borrowed until the reply. */
struct bondy_caller {
    struct bondy_slice authid;
    struct bondy_slice authrole;
    struct bondy_slice authmethod;
    struct bondy_slice peername; /* empty: a session of this process */
};
const struct bondy_caller *bondy_invocation_caller(const struct bondy_invocation *invocation);
/* Whether a grant of the caller allows it, as things are now. False when the caller has gone. */
bool bondy_invocation_may(const struct bondy_invocation *invocation,
                          enum bondy_permission permission, struct bondy_slice uri);
/* WELCOME.Details of the caller (session, authid, ...): the caller of this owns it; NULL when the
 * session has gone. */
json_t *bondy_invocation_session_info(const struct bondy_invocation *invocation);
struct bondy_router_thread *bondy_invocation_thread(const struct bondy_invocation *invocation);
/* Decoded when asked for, kept until the reply; borrowed. */
json_t *bondy_invocation_args(struct bondy_invocation *invocation);
json_t *bondy_invocation_kwargs(struct bondy_invocation *invocation);
/* The name it was called by is an old one: RESULT.Details.deprecated says the new one, static text.
 */
void bondy_invocation_deprecate(struct bondy_invocation *invocation, const char *name);
/* Exactly one of these, once, before the thread's part of the router is destroyed; takes the trees
 * (NULL = absent) and the invocation. Harmless when the caller has gone meanwhile. */
void bondy_invocation_result(struct bondy_invocation *invocation, json_t *args, json_t *kwargs);
void bondy_invocation_error(struct bondy_invocation *invocation, const char *uri, json_t *args,
                            json_t *kwargs);

typedef void (*bondy_procedure_fn)(void *context, struct bondy_invocation *invocation);

#endif

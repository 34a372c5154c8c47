/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_ROUTER_H
#define BONDY_ROUTER_ROUTER_H

/* router: dealer and broker of all realms.
 *
 * One `struct bondy_router` for the process: realms' registries, published for reading under RCU.
 * One `struct bondy_router_thread` for each I/O thread: its sessions, their pending calls and
 * invocations, and its own lists of receivers. Routing runs inline on the thread that read the
 * message; what concerns sessions of another thread is one operation for each (message, target
 * thread), posted through the hook, in order. No lock on the message path; SUBSCRIBE and REGISTER
 * take the realm's writer lock. Time comes from the wheel it is given: the same code runs with a
 * fake clock in tests. */

#include "src/base/wheel.h"
#include "src/router/local.h"
#include "src/router/session.h"
#include "src/security/login/login.h"
#include "src/sys/loop.h"
#include "src/wamp/uri.h"

struct bondy_router;
struct bondy_router_thread;

/* What a session may not do. Texts are borrowed. */
struct bondy_denial {
    struct bondy_slice realm, authid;
    struct bondy_slice peername; /* "127.0.0.1:4711" */
    enum bondy_permission permission;
    struct bondy_slice uri;
};

struct bondy_router_options {
    unsigned thread_count;
    struct bondy_realms *realms;
    enum bondy_uri_rule uri_rule;
    struct bondy_codec_limits codec_limits;
    size_t max_preauth_message; /* 64 KiB */
    size_t max_message;         /* 16 MiB */
    uint64_t call_timeout_ms;   /* 0 in CALL: this; 0 here: none */
    uint64_t max_call_timeout_ms;
    uint64_t goodbye_timeout_ms; /* wait for the peer's GOODBYE */
    size_t max_subscriptions;    /* a session */
    size_t max_registrations;
    size_t max_inflight_calls;
    const char *agent; /* WELCOME.Details.agent */
    const char *node_name;
    /* Posts a chain of mail (linked by next) to thread `to`, keeping order. Called on thread
     * `from`, once a turn and target, from bondy_router_flush(). */
    void (*post)(void *context, unsigned from, unsigned to, struct bondy_mail *first,
                 struct bondy_mail *last);
    /* Finds a built-in procedure: false when there is none with this name. */
    bool (*find_procedure)(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                           void **fn_context);
    /* HELLO for an unknown realm when realms are created automatically: starts creating it, then
     * the answer on the same thread, never from inside this call. NULL when they are not. */
    void (*auto_create)(void *context, struct bondy_slice realm, struct bondy_router_thread *thread,
                        uint64_t waiter);
    /* The name a built-in procedure has of its own, for an alias; else the URI itself. May be NULL.
     */
    struct bondy_slice (*canonical_procedure)(void *context, struct bondy_slice uri);
    void *context;
    /* Lets sessions into realms with security; NULL: nobody is. Outlives the router. */
    const struct bondy_login_ops *login;
    bool enforces_disclose; /* disclose_me needs a permission (security.rbac.enforce_disclose) */
    /* A session with a user record joined: after WELCOME, on its thread. May be NULL; may not touch
     * the session. */
    void (*on_joined)(void *context, struct bondy_router_thread *thread,
                      const struct bondy_session *session);
    /* A session was denied something, on its thread. May be NULL; may not wait, nor touch the
     * session. */
    void (*on_denied)(void *context, const struct bondy_denial *denial);
    /* What ends when its session may not have it any more. */
    enum { BONDY_STANDING_STAYS, BONDY_STANDING_SUBSCRIPTIONS, BONDY_STANDING_ALL } standing;
};

int bondy_router_create(const struct bondy_router_options *options, struct bondy_router **out,
                        struct bondy_error *err);
/* After all threads are gone, and the mail posted for them was run or will not be. */
void bondy_router_destroy(struct bondy_router *router);

/* On the thread's own loop. `wheel` outlives it. */
struct bondy_router_thread *bondy_router_thread_create(struct bondy_router *router, unsigned index,
                                                       struct bondy_wheel *wheel);
/* Disposes of what is left; local sessions are not told. Last mail may be posted: other threads'
 * loops must still be there. */
void bondy_router_thread_destroy(struct bondy_router_thread *thread);
unsigned bondy_router_thread_index(const struct bondy_router_thread *thread);
struct bondy_router *bondy_router_thread_router(const struct bondy_router_thread *thread);
/* Once a turn, before the transports flush: posts what was collected for other threads, and counts
 * what was tallied for the metrics. */
void bondy_router_flush(struct bondy_router_thread *thread);

/* All sessions of this thread but local ones get GOODBYE wamp.close.system_shutdown; new HELLOs get
 * ABORT. */
void bondy_router_thread_drain(struct bondy_router_thread *thread);
size_t bondy_router_thread_session_count(const struct bondy_router_thread *thread);
/* On each thread, after the table of realms was published without it: this thread's sessions of a
 * realm that was removed (or removed and made again) get GOODBYE wamp.close.close_realm. */
void bondy_router_thread_close_realm(struct bondy_router_thread *thread, struct bondy_slice realm);
/* On each thread, after a change of permissions was published: revokes what sessions of the realm
 * have subscribed and registered and may not have any more. `authid` empty: of all sessions. Those
 * that came while security was off get GOODBYE wamp.close.close_realm once it is on. */
void bondy_router_thread_recheck(struct bondy_router_thread *thread, struct bondy_slice realm,
                                 struct bondy_slice authid);
/* On each thread: what the realm's authorizer said about the sessions of this user (`authid` empty:
 * of everybody) is forgotten. */
void bondy_router_thread_purge(struct bondy_router_thread *thread, struct bondy_slice realm,
                               struct bondy_slice authid);
/* On each thread: sessions of this user get GOODBYE with `reason`; not the session `spared`. */
void bondy_router_thread_close_user(struct bondy_router_thread *thread, struct bondy_slice realm,
                                    struct bondy_slice authid, const char *reason, uint64_t spared);
/* The answer to auto_create: HELLO goes on (or is refused when the realm is still unknown). */
void bondy_router_thread_realm_made(struct bondy_router_thread *thread, uint64_t waiter);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_CORE_H
#define BONDY_ROUTER_CORE_H

/* core: the structs that the files of this folder share: the router, its threads, sessions, and
 * what sessions wait for. Nothing outside src/router includes this.
 *
 * Who owns what: the router owns threads' slots and registries; a thread owns its sessions,
 * realms, match caches and outboxes; a session owns its calls (as caller), invocations (as callee),
 * memberships and registrations. Everything below a thread is touched on that thread only.
 *
 * Calling out: bondy_deliver_*() may run code of a local session, which may use any session of the
 * thread and may end its own. So: first change the state, deliver last, and touch neither the
 * receiver nor what belonged to it afterwards. */

#include <pthread.h>
#include <stdatomic.h>

#include "src/base/list.h"
#include "src/base/metric.h"
#include "src/base/map.h"
#include "src/base/slab.h"
#include "src/router/options.h"
#include "src/router/pending.h"
#include "src/router/registry.h"
#include "src/router/router.h"
#include "src/security/policy/policy.h"
#include "src/security/policy/rbac_cache.h"
#include "src/wamp/features.h"

enum bondy_session_state {
    BONDY_SESSION_OPENING, /* waits for HELLO */
    BONDY_SESSION_MAKING,  /* HELLO came, its realm is being made */
    BONDY_SESSION_PROVING, /* a login is under way */
    BONDY_SESSION_JOINED,
    BONDY_SESSION_CLOSING, /* said GOODBYE, waits for the peer's */
    BONDY_SESSION_LEFT     /* GOODBYEs exchanged; the transport may say HELLO again */
};

struct bondy_stats;
struct bondy_access;
struct bondy_asking;
struct bondy_parked;
struct bondy_verdict;

/* What only a session on its way in has: from HELLO to WELCOME. */
struct bondy_joining {
    struct bondy_login *login;
    bool is_challenged; /* AUTHENTICATE is what comes next */
    struct bondy_features features;
    struct bondy_asking *asking; /* the realm's authenticator, or NULL */
    char *stash;                 /* HELLO that waits for its realm */
    size_t stash_len;
    uint64_t waiter; /* its number */
};

/* A realm as one thread sees it. Lives as long as the thread has sessions in it, or until the
 * thread hears that the realm is gone. */
struct bondy_realm_here {
    struct bondy_router_thread *thread;
    struct bondy_registry *registry;
    struct bondy_policy *policy; /* NULL: nobody asks for permissions (tests) */
    struct bondy_map accesses;   /* identity -> struct bondy_access */
    struct bondy_list sessions;
    size_t session_count;
    size_t unchecked_count;         /* of them, those that came while security was off */
    struct bondy_timer sweep_timer; /* goes on with looking at what stands */
    size_t sweep_left;              /* sessions still to be looked at */
    bondy_metric_id denials[BONDY_PERMISSIONS];
    bool is_gone; /* no longer in the thread's table */
    bool is_master;
};

struct bondy_session {
    struct bondy_list link; /* the thread's sessions */
    struct bondy_list realm_link;
    struct bondy_list access_link; /* in access->sessions */
    struct bondy_router_thread *thread;
    struct bondy_realm_here *realm; /* NULL unless joined */
    struct bondy_access *access;    /* NULL: may do everything */
    const struct bondy_session_out *out;
    const struct bondy_session_local *local; /* exactly one of out and local */
    void *peer;                              /* transport, or the local one's */
    uint64_t id;                             /* 0 unless joined, or proving */
    uint64_t next_request;                   /* what the peer's next request id must be */
    uint64_t last_invocation;                /* the last INVOCATION.Request issued */
    uint8_t state;
    uint8_t serializer;
    uint8_t roles;         /* BONDY_ROLE_BIT() of those announced */
    bool is_unchecked;     /* it came while security was off: nobody asked who it is */
    bool takes_interrupts; /* what a client's features change in what it is sent: callee, */
    bool takes_timeouts;   /* callee, */
    bool wants_publishers; /* subscriber */
    bool takes_revoked_subscriptions; /* subscriber */
    bool takes_revoked_registrations; /* callee */
    bool is_trusted;                  /* the router itself: may publish to topics of its own */
    size_t max_send;                  /* octets of a message that the peer takes; 0 = no limit */
    uint64_t auth_timeout_ms;
    struct bondy_pending_table calls;
    struct bondy_pending_table invocations;
    struct bondy_idmap memberships;   /* subscription id -> struct bondy_membership */
    struct bondy_idmap registrations; /* registration id -> struct bondy_registration */
    struct bondy_timer timer;
    struct bondy_stats *stats;
    uint64_t joined_ms;
    const char *transport;
    struct bondy_slice authid; /* in `texts` or in `random_authid` */
    struct bondy_slice authrole;
    struct bondy_slice authmethod;
    struct bondy_slice authprovider;
    struct bondy_slice peername;
    struct bondy_slice cookies; /* of the transport's request, until WELCOME; owned */
    char *texts;                /* owns what does not lie elsewhere */
    json_t *extra;              /* WELCOME.authextra, and what else is known of who logged in */
    struct bondy_joining *joining;
    struct bondy_parked *parked; /* what waits for the realm's authorizer, or NULL */
    uint64_t joined_wall_ms;
    char random_authid[36]; /* a UUID, no NUL */
};

/* One subscriber of one subscription. */
struct bondy_membership {
    struct bondy_session *session;
    struct bondy_receivers *receivers;
    size_t at;             /* its place in the receivers */
    bool is_by_authorizer; /* no grant allowed it: changes of grants do not matter to it */
};

/* The subscribers of one subscription on one thread. While somebody walks them, leaving ones only
 * empty their place; the last walker tidies up. */
struct bondy_receivers {
    struct bondy_subscription *subscription;
    struct bondy_membership **items;
    size_t count; /* places, empty ones included */
    size_t cap;
    size_t left; /* members */
    unsigned walkers;
};

struct bondy_invoked;

/* A call that waits for its answer: on the caller's thread. */
struct bondy_call {
    struct bondy_pending link; /* in caller->calls, by request id */
    struct bondy_session *caller;
    struct bondy_timer timer;
    uint64_t started_ms;
    struct bondy_slice procedure; /* in `text`, or on the heap when it is longer */
    char text[48];
    struct bondy_invoked *invoked; /* when the callee is on this thread */
    unsigned callee_thread;        /* otherwise, with the number the two threads know it by */
    uint64_t token;                /* 0: not on another thread */
};

/* An invocation that runs: on the callee's thread. */
struct bondy_invoked {
    struct bondy_pending link; /* in callee->invocations, by INVOCATION.Request */
    struct bondy_session *callee;
    struct bondy_call *call; /* when the caller is on this thread */
    unsigned caller_thread;
    uint64_t token; /* 0: same thread */
};

#define BONDY_MATCH_SLOTS 1024 /* a thread and kind; a power of two */

struct bondy_match_slot {
    uint64_t generation; /* 0: empty */
    uint64_t hash;
    uint32_t count;
    uint32_t uri_len;
    size_t cap; /* bytes of `block` */
    /* The entries, then the URI. */
    void *block;
};

struct bondy_outbox {
    struct bondy_mail *first;
    struct bondy_mail *last;
};

struct bondy_router_thread {
    struct bondy_router *router;
    unsigned index;
    struct bondy_wheel *wheel;
    struct bondy_list sessions; /* all, joined or not */
    size_t session_count;
    struct bondy_idmap by_id;     /* joined sessions */
    struct bondy_map realms;      /* canonical URI -> struct bondy_realm_here */
    struct bondy_idmap receivers; /* subscription id -> struct bondy_receivers */
    struct bondy_idmap away;      /* token -> struct bondy_call whose callee is elsewhere */
    struct bondy_idmap visiting;  /* token and thread -> struct bondy_invoked, caller elsewhere */
    struct bondy_idmap waiters;   /* waiter -> session whose realm is being made */
    uint64_t last_token;
    uint64_t last_waiter;
    struct bondy_slab *session_slab;
    struct bondy_slab *call_slab;
    struct bondy_slab *invoked_slab;
    struct bondy_slab *membership_slab;
    struct bondy_match_slot *cache[BONDY_KINDS];
    struct bondy_rbac_cache *decisions;
    struct bondy_session *watched;               /* NULL as soon as that session is freed */
    struct bondy_slice current;                  /* the message that a transport's session sent */
    const struct bondy_options *current_options; /* of the CALL or PUBLISH at hand */
    const struct bondy_verdict *verdict; /* the authorizer's, for the message that goes on now */
    bool is_by_authorizer;               /* it allowed the pattern that was authorized last */
    struct bondy_outbox *outboxes;       /* one for each thread */
    struct bondy_buf decode_scratch;
    struct bondy_buf option_scratch;
    struct bondy_buf head;   /* of the message being encoded */
    json_t *roles;           /* WELCOME.Details.roles */
    struct bondy_list stats; /* struct bondy_stats */
    bool is_draining;
};

struct bondy_router {
    struct bondy_router_options options;
    char *agent;
    char *node_name;
    struct bondy_registry_numbers numbers;
    pthread_mutex_t mutex; /* guards `registries` and their `refs` */
    struct bondy_registry *registries;
    struct bondy_router_thread *threads[]; /* each slot is its own thread's */
};

/* ---- session.c: what the other files need of sessions ------------------------------------ */

/* The login is through, or will not be. */
void bondy_session_forget_cookies(struct bondy_session *session);
/* An id of its own, under which the thread finds it from now on. */
void bondy_session_take_id(struct bondy_session *session);
/* Who it is; texts are copied. */
void bondy_session_identify(struct bondy_session *session, const struct bondy_identity *identity);
/* Joins: gives the session its realm, its id unless it has one, and what the identity may do. */
void bondy_session_enter(struct bondy_session *session, struct bondy_realm_here *realm,
                         const struct bondy_identity *identity);
/* Leaves the realm: everything it had there is gone, others are told. State is the caller's. */
void bondy_session_leave(struct bondy_session *session);
/* ABORT, then close; the session is gone. */
void bondy_session_abort(struct bondy_session *session, const char *reason, const char *message);
/* The same with more Details (borrowed; NULL: none). */
void bondy_session_abort_with(struct bondy_session *session, const char *reason,
                              const char *message, const json_t *details);
/* Handles a message that was put aside, again; its request id was counted before. False: the
 * session is gone. */
bool bondy_session_again(struct bondy_session *session, struct bondy_slice bytes);
/* A new session of the thread, zeroed where it matters. */
struct bondy_session *bondy_session_alloc(struct bondy_router_thread *thread);
/* An authid nobody else has, for sessions without identity. */
void bondy_session_make_authid(struct bondy_session *session);
/* Gives back the memory; it has left its realm. */
void bondy_session_free(struct bondy_session *session);

/* ---- join.c ------------------------------------------------------------------------------ */

/* A message of a peer that has not joined. False: the session is gone. */
bool bondy_join_receive(struct bondy_session *session, struct bondy_slice bytes);
/* The thread's view of this realm, made when it has none. */
struct bondy_realm_here *bondy_join_realm(struct bondy_router_thread *thread,
                                          const struct bondy_realm *realm);
/* The registry of a realm, whatever thread has sessions there, or NULL; given back with
 * bondy_join_release_registry(). */
struct bondy_registry *bondy_join_find_registry(struct bondy_router *router,
                                                const struct bondy_realm *realm);
void bondy_join_release_registry(struct bondy_router *router, struct bondy_registry *registry);
/* Gives up being let in: nothing of the login is left. */
void bondy_join_stop(struct bondy_session *session);
/* Ends the view when nobody uses it any more. */
void bondy_join_realm_check(struct bondy_router_thread *thread, struct bondy_realm_here *here);

/* ---- deliver.c: messages to peers -------------------------------------------------------- */

/* Gives a message to a session, whatever its peer is. False: it is longer than the peer takes;
 * nothing was sent. */
bool bondy_deliver(struct bondy_session *session, const struct bondy_message *message,
                   enum bondy_send_kind kind);
/* An ERROR of the router for a request of the session. `text` (may be NULL) goes to
 * Details.message. */
void bondy_deliver_error(struct bondy_session *session, enum bondy_message_type request_type,
                         uint64_t request, const char *uri, const char *text);
/* The same for an error that says what it says in its arguments too: [text] and {message: text}
 * (wamp-admin-api.md 1.5). */
void bondy_deliver_problem(struct bondy_session *session, enum bondy_message_type request_type,
                           uint64_t request, const char *uri, struct bondy_slice text);
/* A message of type and ids alone (SUBSCRIBED, PUBLISHED, ...). */
void bondy_deliver_ids(struct bondy_session *session, enum bondy_message_type type, uint64_t id,
                       uint64_t id2);

/* ---- match.c ----------------------------------------------------------------------------- */

struct bondy_matches {
    struct bondy_subscription **items; /* borrowed until the next look-up */
    size_t count;
    struct bondy_subscription **own; /* bondy_matches_fini frees it */
};
/* Whether the cache has the topic. Only topics that may be published to get there, so one that is
 * known need not be checked again. `hash` is bondy_hash() of the topic, here and below. */
bool bondy_match_knows_topic(struct bondy_router_thread *thread, struct bondy_realm_here *realm,
                             struct bondy_slice topic, uint64_t hash);
/* The subscriptions of a topic, through the thread's cache. The array is the caller's to end. */
void bondy_match_topic(struct bondy_router_thread *thread, struct bondy_realm_here *realm,
                       struct bondy_slice topic, uint64_t hash, struct bondy_matches *out);
void bondy_matches_fini(struct bondy_matches *matches);
/* What the cache says about a procedure; false: nothing, and bondy_match_procedure() takes the hash
 * to look it up and keep it. Only valid URIs that are no builtin's are given to that one, so one
 * that is recalled need not be checked again. */
bool bondy_match_recall(struct bondy_router_thread *thread, struct bondy_realm_here *realm,
                        struct bondy_slice procedure, uint64_t *hash,
                        struct bondy_registration **out);
struct bondy_registration *bondy_match_procedure(struct bondy_router_thread *thread,
                                                 struct bondy_realm_here *realm,
                                                 struct bondy_slice procedure, uint64_t hash);
void bondy_match_cache_fini(struct bondy_router_thread *thread);

#endif

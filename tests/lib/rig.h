/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_RIG_H
#define BONDY_TESTS_LIB_RIG_H

/* rig: the real router in one process, without loops: several router threads played by the calling
 * thread, mail between them in a queue, time that stands still until it is moved, realms made up on
 * the spot, and peers that keep what they are sent.
 *
 * Of src/security it links what the router uses without a store (policy, rbac, principal,
 * identity): realms and logins are the rig's own (rig_login.h). */

#include <jansson.h>

#include "src/base/buf.h"
#include "src/router/router.h"
#include "src/security/policy/policy.h"
#include "src/security/login/principal.h"

#define BONDY_RIG_THREADS 4
#define BONDY_RIG_REALMS 8
#define BONDY_RIG_PEERS 32
#define BONDY_RIG_USERS 16

struct bondy_rig;

struct bondy_rig_peer {
    struct bondy_rig *rig;
    char name[32];
    unsigned thread;
    enum bondy_serializer serializer;
    size_t limit; /* octets of a message it takes */
    struct bondy_session *session;
    bool is_closed;   /* the router closed the transport */
    size_t shared;    /* messages that came by reference */
    json_t *received; /* an array: messages as trees, oldest first */
};

struct bondy_realms {
    struct bondy_realm *realms[BONDY_RIG_REALMS];
};

/* Who may log in to realms with security. */
struct bondy_rig_user {
    char realm[64];
    char name[64];
    json_t *about; /* see rig_login.h */
    struct bondy_principal *principal;
    uint64_t seq;
};

struct bondy_rig {
    struct bondy_router_options options; /* may be changed before bondy_rig_start() */
    struct bondy_router *router;
    unsigned thread_count;
    struct bondy_router_thread *threads[BONDY_RIG_THREADS];
    struct bondy_wheel wheels[BONDY_RIG_THREADS];
    struct bondy_realms realms;
    struct bondy_rig_peer peers[BONDY_RIG_PEERS];
    size_t peer_count;
    struct bondy_mail *first_mail;
    struct bondy_mail *last_mail;
    bool holds_mail; /* mail stays in the queue */
    bool makes_realms;
    uint64_t waiters[BONDY_RIG_PEERS]; /* HELLOs that wait for a realm */
    struct bondy_router_thread *waiting_threads[BONDY_RIG_PEERS];
    size_t waiter_count;
    struct bondy_invocation *later; /* a call of bondy.later that waits for its reply */
    struct bondy_principals *principals;
    struct bondy_rig_user users[BONDY_RIG_USERS];
    size_t user_count;
    struct bondy_login_ops login_ops;
    struct bondy_list waiting_logins;
};

/* Router options as in the daemon's defaults, no threads yet. */
void bondy_rig_init(struct bondy_rig *rig, unsigned thread_count);
/* Makes the router, with a realm "dev" open to anonymous. */
void bondy_rig_start(struct bondy_rig *rig);
void bondy_rig_stop(struct bondy_rig *rig);

enum {
    BONDY_RIG_NO_CONNECTIONS = 1,
    BONDY_RIG_NO_ANONYMOUS = 2,
    BONDY_RIG_MASTER = 4,
    BONDY_RIG_SECURE = 8 /* users log in, and nobody may do anything that is not granted */
};
void bondy_rig_add_realm(struct bondy_rig *rig, const char *uri, unsigned flags);
/* NULL when there is none. */
struct bondy_realm *bondy_rig_realm(struct bondy_rig *rig, const char *uri);
/* Switches security on or off. */
void bondy_rig_secure(struct bondy_rig *rig, const char *uri, bool has_security);
/* The realm's policy was changed: publishes it and tells all threads. */
void bondy_rig_publish(struct bondy_rig *rig, const char *uri);
/* For tests that use the realms alone: bondy_rig_stop() does it too. */
void bondy_rig_clear_realms(struct bondy_rig *rig);
/* Removes it from the table and tells all threads. */
void bondy_rig_remove_realm(struct bondy_rig *rig, const char *uri);
/* Tells threads that the realms they wait for are made, or cannot be. */
void bondy_rig_make_realms(struct bondy_rig *rig, const char *uri);

/* A peer with this name, made on first use: on the next thread, serializer as given. */
struct bondy_rig_peer *bondy_rig_peer(struct bondy_rig *rig, const char *name,
                                      enum bondy_serializer serializer);
void bondy_rig_connect(struct bondy_rig_peer *peer);
/* Gives the session one message: a tree, or bytes as they are. */
void bondy_rig_send(struct bondy_rig_peer *peer, const json_t *message);
void bondy_rig_send_bytes(struct bondy_rig_peer *peer, struct bondy_slice bytes);
void bondy_rig_lose(struct bondy_rig_peer *peer);
/* Flushes the threads and runs mail until there is none. */
void bondy_rig_settle(struct bondy_rig *rig);
/* Moves the time, one millisecond after the other as far as timers see. */
void bondy_rig_advance(struct bondy_rig *rig, uint64_t ms);

#endif

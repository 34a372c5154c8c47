/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_FRONT_DOOR_H
#define BONDY_TRANSPORT_FRONT_DOOR_H

/* front_door: accepts, ends TLS, looks at the first bytes without consuming them, and hands the
 * connection over: 0x7F to RawSocket, GET with Upgrade: websocket to libwebsockets, the rest to the
 * HTTP server (architecture 1, 9.2, 9.3; decisions 4 and 5).
 *
 * One `struct bondy_door` for each I/O thread; it holds that thread's listening sockets
 * (SO_REUSEPORT), its lws context and its RawSocket connections. Listeners are described once for
 * all threads. */

#include <stdatomic.h>

#include "src/http/server.h"
#include "src/router/router.h"
#include "src/sys/tls.h"

enum bondy_door_accepts { BONDY_DOOR_HTTP = 1, BONDY_DOOR_WEBSOCKET = 2, BONDY_DOOR_RAWSOCKET = 4 };

/* A request to upgrade, as the listener's owner judges it. Borrowed. */
struct bondy_door_knock {
    const struct bondy_address *peer;
    struct bondy_slice host;   /* with its port */
    struct bondy_slice origin; /* empty: none */
    bool is_tls;
};

struct bondy_door_wamp_limits {
    size_t max_message;       /* wamp.*.max_frame_size, announced on RawSocket (16 MiB) */
    uint64_t auth_timeout_ms; /* HELLO to WELCOME (10 s) */
    uint64_t idle_timeout_ms; /* nothing received (8 h); 0 = never */
    bool ping_enabled;
    uint64_t ping_idle_ms;    /* silence before a ping (20 s) */
    uint64_t ping_timeout_ms; /* (10 s) */
    unsigned ping_attempts;   /* (2) */
    size_t queue_bytes;       /* outgoing queue of one connection (8 MiB) */
    size_t queue_messages;    /* (10 000) */
    uint32_t message_rate;    /* messages a second of one session, then it is not read; 0 = off */
    uint32_t message_burst;   /* messages it may send at once; at least 1 when there is a rate */
};

/* One listener, shared by the threads. The caller owns it; it outlives the doors. Counters are
 * atomic: limits hold over all threads. */
struct bondy_door_listener {
    const char *name;             /* "api_gateway.http", "wamp.tcp", ... */
    unsigned accepts;             /* bits of bondy_door_accepts */
    struct bondy_address address; /* port 0: chosen by the first thread, the others follow */
    bool reuseport;
    bool dual_stack; /* an IPv6 address takes IPv4 clients too (ip_version 46) */
    int backlog;
    unsigned unix_mode;
    bool nodelay, keepalive;
    size_t max_connections;
    size_t max_connections_per_ip; /* (1000); 0 = none */
    uint64_t handshake_timeout_ms; /* TLS, WebSocket upgrade, RawSocket octets (10 s) */
    /* NULL: plain. A reload swaps it and drops the old one's reference only after every loop thread
     * was quiescent (src/sys/publish.h): a thread takes its own reference from here. */
    struct bondy_tls *_Atomic tls;
    const struct bondy_http_listener *http;
    struct bondy_door_wamp_limits rawsocket;
    struct bondy_door_wamp_limits websocket;
    const char *websocket_path; /* "/ws" */
    bool compression;           /* permessage-deflate */
    bool is_admin_local;        /* Unix socket of the admin API: fill peer.is_local and uid */
    /* Host and Origin checks in front of an upgrade; NULL none. False: 403. */
    bool (*allow_upgrade)(void *context, const struct bondy_door_knock *knock);
    void *context;
    /* Origins whose pages may log in with a cookie, besides the listener's own; NULL-terminated
     * list, or NULL. */
    const char *const *cookie_origins;
    atomic_size_t connections;
};

struct bondy_door;

struct bondy_door_options {
    struct bondy_loop *loop;
    struct bondy_router_thread *router;
    struct bondy_http_server *http;
    unsigned reserved_fds; /* descriptors below RLIMIT_NOFILE that connections never get */
    const char *node_name; /* for metrics; static */
};

int bondy_door_create(const struct bondy_door_options *options, struct bondy_door **out,
                      struct bondy_error *err);
/* Opens a listening socket for a listener on this thread. Fills listener->address when its port was
 * 0. A Unix socket, and a listener without `reuseport`, is opened by the loop with index 0 alone;
 * for the others nothing is to be done. BONDY_EEXIST: address in use. */
int bondy_door_listen(struct bondy_door *door, struct bondy_door_listener *listener,
                      struct bondy_error *err);
/* Stops accepting on all listeners; established connections go on. */
void bondy_door_stop_listening(struct bondy_door *door);
/* Connections of WAMP sessions still open on this thread. */
size_t bondy_door_session_count(const struct bondy_door *door);
/* Closes everything that is left; step 4 and 5 of architecture 9.6. Turns the loop. */
void bondy_door_destroy(struct bondy_door *door);

#endif

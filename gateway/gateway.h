/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_GATEWAY_H
#define BONDY_GATEWAY_GATEWAY_H

/* gateway: HTTP requests in, WAMP calls and publications out, as API specifications say.
 *
 * One `struct bondy_gateway` for the process. It holds two route tables, of the public APIs and of
 * the admin API, as published snapshots: a new one is swapped in whole, requests under way keep
 * their specification by reference. Each I/O thread joins with its loop and router thread; a
 * request lives on the thread that read it. http-gateway.md 1.7 to 1.9 and part 7. */

#include <stdbool.h>

#include "gateway/cors.h"
#include "gateway/spec/table.h"
#include "src/http/server.h"
#include "src/router/router.h"

struct bondy_gateway;
struct bondy_gateway_endpoint;
struct bondy_auth;

struct bondy_gateway_options {
    unsigned thread_count;
    const struct bondy_realms *realms;
    uint64_t call_timeout_ms;     /* wamp.call_timeout; the router's options have the same */
    uint64_t max_call_timeout_ms; /* wamp.max_call_timeout; 0 = no cap */
    uint64_t max_body_values;     /* api_gateway.max_body_values; 0 = no cap */
    /* What operations with an endpoint name (endpoint.h); ends with a row without a name, borrowed.
     * NULL: none. */
    const struct bondy_gateway_endpoint *endpoints;
};

/* The caller owns it. */
struct bondy_gateway *bondy_gateway_create(const struct bondy_gateway_options *options);
/* After all threads left. The calling thread must be a registered reader (src/sys/publish.h). */
void bondy_gateway_destroy(struct bondy_gateway *gateway);

/* Who may use paths with a security: until this is called, and with NULL, nobody. Before the first
 * request. `auth` is borrowed until the last thread has left. */
void bondy_gateway_set_auth(struct bondy_gateway *gateway, struct bondy_auth *auth);

/* On the loop's thread, before its first request. */
void bondy_gateway_join(struct bondy_gateway *gateway, struct bondy_loop *loop,
                        struct bondy_router_thread *router);
/* Requests of this thread that are not over yet, also those whose client has left: a password is
 * being checked, an endpoint is at work. On the loop's thread. */
size_t bondy_gateway_pending_count(const struct bondy_gateway *gateway,
                                   const struct bondy_loop *loop);
/* On the loop's thread, after its HTTP server is gone and before its router thread goes. */
void bondy_gateway_leave(struct bondy_gateway *gateway, struct bondy_loop *loop);

enum bondy_gateway_table { BONDY_GATEWAY_PUBLIC, BONDY_GATEWAY_ADMIN, BONDY_GATEWAY_TABLES };

/* Takes the table and swaps it in; the old one is freed when no thread reads it any more. Writers
 * are serial; the calling thread is a registered reader. The new routes are served by a thread from
 * its next turn at the latest: bondy_publish_barrier_wait() waits for that. */
void bondy_gateway_publish(struct bondy_gateway *gateway, enum bondy_gateway_table which,
                           struct bondy_route_table *table);
/* Routes in the table that is served now. Any registered reader. */
size_t bondy_gateway_route_count(const struct bondy_gateway *gateway,
                                 enum bondy_gateway_table which);

/* What stands in front of routes that need more than the realm's word: the admin listener's guard.
 * Both functions run on the request's thread when its head is there. */
enum bondy_admission { BONDY_ADMISSION_YES, BONDY_ADMISSION_NO, BONDY_ADMISSION_LATER };

/* A request whose guard has not decided yet. */
struct bondy_gateway_pending;

struct bondy_gateway_guard {
    /* Comes before everything else: fixed endpoints (/ping, /metrics) and checks of Host and
     * Origin. True: it has answered. May be NULL. */
    bool (*fixed)(void *context, struct bondy_request *request);
    /* Says who asks. YES: the identity is filled, its texts are copied. NO: it has answered (401,
     * 403, 429). LATER: it ends `pending` with one of the functions below, on the same thread;
     * the body is read meanwhile, and nothing else happens. Not called
     * for OPTIONS, which carries no credentials. */
    enum bondy_admission (*admit)(void *context, struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity);
    void *context;
};

/* The request, to make an answer for it; NULL when its client has left. */
struct bondy_request *bondy_gateway_pending_request(const struct bondy_gateway_pending *pending);
/* Each ends `pending`, exactly once, also when the client has left, and before the thread leaves
 * the gateway. The identity is borrowed. */
void bondy_gateway_admitted(struct bondy_gateway_pending *pending,
                            const struct bondy_identity *identity);
/* Takes the answer; NULL is for a client that has left. */
void bondy_gateway_refused(struct bondy_gateway_pending *pending, struct bondy_response *response);

/* What the requests of one listener share: the context of bondy_gateway_handler. The caller owns
 * it; it outlives the listener's connections. */
struct bondy_gateway_listener {
    struct bondy_gateway *gateway;
    enum bondy_gateway_table table;
    unsigned scheme; /* one BONDY_SCHEME_* bit */
    struct bondy_cors cors;
    const struct bondy_gateway_guard *guard; /* NULL: each path's security decides */
};

/* on_head, on_request, on_gone for struct bondy_http_listener. */
extern const struct bondy_http_handler bondy_gateway_handler;

#endif

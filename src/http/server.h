/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_SERVER_H
#define BONDY_HTTP_SERVER_H

/* server: HTTP/1.1 on one loop by libmicrohttpd, driven with MHD_run from its epoll descriptor
 * (architecture 9.4). Connections are handed to it already accepted; it never listens.
 *
 * A request is checked by us first (threat-model H1: lengths, Host, Transfer-Encoding, header
 * octets), then goes to its listener's handler in two steps: head, and whole body. The handler
 * answers at once or later, always on the same loop, with bondy_response_send(); until then the
 * connection is suspended, watched for a client that leaves. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"
#include "src/sys/loop.h"
#include "src/sys/net.h"

struct bondy_http_server;
struct bondy_request;

struct bondy_http_limits {
    size_t max_header_size;      /* request line and headers together, octets (32 KiB): 431 / 414 */
    unsigned max_headers;        /* (100): 431 */
    size_t max_body_size;        /* (8 MiB): 413; a handler may set another one for its request */
    uint64_t request_timeout_ms; /* head (10 s) */
    uint64_t idle_timeout_ms;    /* between requests (60 s) */
    uint64_t body_timeout_ms;    /* silence inside a body (30 s): 408 or close */
    unsigned max_keepalive;      /* requests on one connection (1000) */
};

struct bondy_http_handler {
    /* The head is here and was found sound. May answer, and may set the body limit with
     * bondy_request_expect_body(). When it does not answer, the body is read next. */
    void (*on_head)(void *context, struct bondy_request *request);
    /* Head and whole body are here. Answers now or later. */
    void (*on_request)(void *context, struct bondy_request *request);
    /* The client left, or the server stops, before the answer: give up what runs for it. No answer
     * may be sent any more; the request dies after this returns. */
    void (*on_gone)(void *context, struct bondy_request *request);
};

/* Memory: libmicrohttpd gives each connection a pool for head and response head, and clears all of
 * it after each request, so that it stays resident: max_header_size and 12 KiB, for an idle
 * connection too. A listener with max_header_size 4096 has 16 KiB; the default of 32 KiB costs 44
 * KiB and about a tenth of a small request's CPU time. */

/* What the connections of one listener share. Immutable; counted by its users outside: it must
 * outlive the connections (a reload makes a new one for new connections). */
/* A value of content-security-policy among the response_headers that is sent with bodies of JSON
 * alone: they are nothing to be shown. oauth2-oidc.md 4.7. */
extern const char bondy_http_json_policy[];

struct bondy_http_listener {
    const char *name;   /* "api_gateway.http" */
    const char *scheme; /* "http" or "https" */
    struct bondy_http_limits limits;
    const struct bondy_http_handler *handler;
    void *context;
    /* Added to every response; NULL-terminated pairs, static. e.g. server, x-content-type-options.
     */
    const char *const *response_headers;
};

struct bondy_http_peer {
    struct bondy_address address;
    bool is_local; /* Unix socket */
    uint32_t uid;  /* of a local peer */
    /* The common name of its certificate, which was checked; NULL or "": none. Lives until
     * on_closed. */
    const char *certificate;
    /* Called exactly once with `token` when the connection is over, or could not be taken: who
     * counts connections lets go of this one. May be NULL. It must not call back into the server.
     */
    void (*on_closed)(void *token);
    void *token;
};

int bondy_http_server_create(struct bondy_loop *loop, unsigned max_connections,
                             struct bondy_http_server **out, struct bondy_error *err);
/* Answers 503 to what is suspended (on_gone first), drains with a deadline, stops (9.6). */
void bondy_http_server_destroy(struct bondy_http_server *server);
/* Takes `fd` in every case. The bytes not yet read from it are the request. */
int bondy_http_server_adopt(struct bondy_http_server *server, int fd,
                            const struct bondy_http_listener *listener,
                            const struct bondy_http_peer *peer, struct bondy_error *err);
/* Requests whose answer is pending. */
size_t bondy_http_server_pending(const struct bondy_http_server *server);
/* From now on every response closes its connection. */
void bondy_http_server_drain(struct bondy_http_server *server);

#endif

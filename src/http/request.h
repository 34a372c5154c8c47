/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_REQUEST_H
#define BONDY_HTTP_REQUEST_H

/* request: one HTTP request: what the client sent, borrowed until the answer. Loop thread only. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/slice.h"
#include "src/http/server.h"

enum bondy_method {
    BONDY_METHOD_GET,
    BONDY_METHOD_HEAD,
    BONDY_METHOD_POST,
    BONDY_METHOD_PUT,
    BONDY_METHOD_PATCH,
    BONDY_METHOD_DELETE,
    BONDY_METHOD_OPTIONS,
    BONDY_METHOD_OTHER,
    BONDY_METHODS
};
/* "GET"; NULL-safe for OTHER ("other"). */
const char *bondy_method_name(enum bondy_method method);

enum bondy_method bondy_request_method(const struct bondy_request *request);
/* As received: path still percent-encoded, without the query. */
struct bondy_slice bondy_request_path(const struct bondy_request *request);
/* Raw, without '?'; empty when there is none. */
struct bondy_slice bondy_request_query(const struct bondy_request *request);
/* By lower-case name; the first value, or an empty slice with data NULL. */
struct bondy_slice bondy_request_header(const struct bondy_request *request, const char *name);
/* Each header line in order; names as received. Stops when fn returns false. */
void bondy_request_headers(const struct bondy_request *request,
                           bool (*fn)(void *context, struct bondy_slice name,
                                      struct bondy_slice value),
                           void *context);
/* Host without port, lower case, and the port (0 when none was given). */
struct bondy_slice bondy_request_host(const struct bondy_request *request);
uint16_t bondy_request_port(const struct bondy_request *request);
struct bondy_slice bondy_request_body(const struct bondy_request *request);
const struct bondy_http_peer *bondy_request_peer(const struct bondy_request *request);
const struct bondy_http_listener *bondy_request_listener(const struct bondy_request *request);
struct bondy_loop *bondy_request_loop(const struct bondy_request *request);
/* Lower-case text of a UUID made for this request, or what the client sent as x-request-id when
 * that is 1..128 token characters; answered as x-request-id. */
struct bondy_slice bondy_request_id(const struct bondy_request *request);
/* The handler's own. */
void bondy_request_set_user(struct bondy_request *request, void *user);
void *bondy_request_user(const struct bondy_request *request);
/* From on_head: the most octets this request's body may have (413 before it is read, by
 * Content-Length, or as soon as it is passed) and the silence allowed inside it. */
void bondy_request_expect_body(struct bondy_request *request, size_t max_len, uint64_t timeout_ms);

/* ---- bodies by the piece ----------------------------------------------------------------------
 * A body that is too long for memory goes to a sink. Who asks may have to be found out first, and
 * what comes may have to wait for a disk: the handler pauses the request, then the client's octets
 * stay in the socket, and its client is held back by TCP. */

/* Whether the head announces a body, and its length: UINT64_MAX when it comes in chunks. */
bool bondy_request_has_body(const struct bondy_request *request);
uint64_t bondy_request_content_length(const struct bondy_request *request);

struct bondy_body_sink {
    /* The next piece, some ten KiB at most, borrowed. May pause the request, or answer it: then the
     * rest is not read, and a long one ends the connection. */
    void (*write)(void *context, struct bondy_request *request, struct bondy_slice piece);
    void *context;
};
/* Before the first octet of the body: on_request comes when the sink has seen all of it, and
 * bondy_request_body() is empty. */
void bondy_request_stream(struct bondy_request *request, const struct bondy_body_sink *sink);
/* From on_head or a sink: nothing more is read until resume; not even a "100 Continue" is sent. An
 * answer may be sent meanwhile, and the client may leave (on_gone). Our own time: the body's
 * timeout does not run. */
void bondy_request_pause(struct bondy_request *request);
/* On the request's loop; harmless when it is not paused. */
void bondy_request_resume(struct bondy_request *request);

#endif

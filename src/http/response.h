/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_RESPONSE_H
#define BONDY_HTTP_RESPONSE_H

/* response: the answer to a request: status, headers, body. Loop thread only. */

#include <jansson.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/http/request.h"

struct bondy_response;

struct bondy_response *bondy_response_create(unsigned status);
/* Only when it is not sent. */
void bondy_response_destroy(struct bondy_response *response);
/* Adds a header. BONDY_EINVAL when the name is no token, or the value has an octet below 0x20 other
 * than tab, or 0x7f (threat-model H3): nothing was added. Names go out in lower case. */
int bondy_response_header(struct bondy_response *response, const char *name,
                          struct bondy_slice value, struct bondy_error *err);
/* Replaces all headers of that name. */
int bondy_response_set_header(struct bondy_response *response, const char *name,
                              struct bondy_slice value, struct bondy_error *err);
bool bondy_response_has_header(const struct bondy_response *response, const char *name);
/* When to try again (RFC 9110, 10.2.3). */
void bondy_response_retry_after(struct bondy_response *response, unsigned seconds);
/* Takes the buffer's memory (it is empty afterwards). `content_type` is static text. */
void bondy_response_body(struct bondy_response *response, struct bondy_buf *body,
                         const char *content_type);
/* The body is `len` octets of an open file from `offset` on, sent from there: memory does not grow
 * with it. Takes `fd`, a plain file. `content_type` is static text. Reading happens on the loop,
 * 128 KiB at a time, so it should be read ahead (posix_fadvise) and not lie at the end of a
 * network. */
void bondy_response_file(struct bondy_response *response, int fd, uint64_t offset, uint64_t len,
                         const char *content_type);
/* The connection closes after this answer. */
void bondy_response_close(struct bondy_response *response);

/* Sends and takes the response; ends the request. Exactly once a request; on the request's loop,
 * from inside a handler or any later callback. HEAD gets the headers only. */
void bondy_response_send(struct bondy_request *request, struct bondy_response *response);
/* Shorthands. */
void bondy_response_empty(struct bondy_request *request, unsigned status);
/* {"code":..., "message":..., "description":...} as application/json (http-gateway.md 7.3), or RFC
 * 9457 when the client accepts application/problem+json. `extra` members (borrowed, may be NULL)
 * are merged. */

void bondy_response_problem(struct bondy_request *request, unsigned status, const char *code,
                            const char *message, const char *description, const json_t *extra);

#endif

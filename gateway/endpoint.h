/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_ENDPOINT_H
#define BONDY_GATEWAY_ENDPOINT_H

/* endpoint: routes that are answered by the program's own code and not by a WAMP call: the OAuth2
 * server's, and files of the admin API.
 *
 * A route gets here after everything that stands before any action: the path was found, the caller
 * admitted, the body is whole and of a type that the path accepts; what is in it is the endpoint's
 * business. An endpoint with `begin` is asked before the body is read, for answers and bodies that
 * do not go through memory. Where the operation names a procedure too, such
 * an endpoint comes after its call: who may not call it, or whom it refuses, is answered as for
 * every other route, and the endpoint gets its result. The rows are handed to the gateway when it
 * is made (bondy_gateway_options.endpoints), so the code behind them may stand on a higher floor.
 * All calls are on the request's loop thread. */

#include "gateway/spec/spec.h"
#include "src/http/response.h"
#include "src/router/router.h"
#include "src/security/login/identity.h"

/* One request, held by its endpoint. */
struct bondy_gateway_call;

struct bondy_gateway_endpoint {
    const char *name; /* what operations say: "oauth2_token" */
    /* Answers with bondy_gateway_call_answer(), exactly once, now or later on this thread and
     * before the thread leaves the gateway. */
    void (*serve)(void *context, struct bondy_gateway_call *call);
    void *context;
    /* Nothing of the body was read, and its type and length are not looked at by anybody else.
     * Answers, now or later, or has the body read (bondy_gateway_call_read()); `serve` comes then,
     * when all of it was seen. Not called from inside the router. NULL: the body is kept, and only
     * `serve` is called. */
    void (*begin)(void *context, struct bondy_gateway_call *call);
    /* The client has left, or the server stops, before the answer: give up what runs for it. The
     * call is still to be ended. May be NULL. */
    void (*gone)(void *context, struct bondy_gateway_call *call);
};

/* The request; NULL when its client has left. */
struct bondy_request *bondy_gateway_call_request(const struct bondy_gateway_call *call);
/* With path, version and specification; as long as the call. */
const struct bondy_operation *bondy_gateway_call_operation(const struct bondy_gateway_call *call);
/* Who asks; NULL: anybody, this route asks for nothing. */
const struct bondy_identity *bondy_gateway_call_identity(const struct bondy_gateway_call *call);
/* What a segment of the path was (":name"), decoded; data NULL: there is none. As long as the call.
 */
struct bondy_slice bondy_gateway_call_binding(const struct bondy_gateway_call *call,
                                              const char *name);
/* Of the thread that the call is on, for WAMP sessions. */
struct bondy_router_thread *bondy_gateway_call_router(const struct bondy_gateway_call *call);
/* From `begin`, or later: the body goes to the sink, at most `max_len` octets of it. */
void bondy_gateway_call_read(struct bondy_gateway_call *call, const struct bondy_body_sink *sink,
                             uint64_t max_len);
/* The first argument of the procedure's result, borrowed; NULL: there is none. */
const json_t *bondy_gateway_call_result(const struct bondy_gateway_call *call);
/* The endpoint's own. */
void bondy_gateway_call_set_user(struct bondy_gateway_call *call, void *user);
void *bondy_gateway_call_user(const struct bondy_gateway_call *call);
/* Ends the call and takes the response; NULL is for a client that has left. */
void bondy_gateway_call_answer(struct bondy_gateway_call *call, struct bondy_response *response);

#endif

/* SPDX-License-Identifier: Apache-2.0 */

/* action_endpoint: requests that the program's own code answers. The exchange is what an endpoint
 * holds, so it lives until the answer, whatever happens to the request. */

#include "gateway/endpoint.h"
#include "gateway/exchange.h"
#include "src/base/alloc.h"

static struct bondy_exchange *exchange_of(const struct bondy_gateway_call *call)
{
    return (struct bondy_exchange *)call;
}

static const struct bondy_gateway_endpoint *find(const struct bondy_exchange *exchange)
{
    const struct bondy_gateway_endpoint *row = exchange->thread->gateway->options.endpoints;

    while (row != NULL && row->name != NULL &&
           strcmp(row->name, exchange->operation->endpoint) != 0)
        row++;
    return row == NULL || row->name == NULL ? NULL : row;
}

void bondy_action_endpoint(struct bondy_exchange *exchange)
{
    const struct bondy_gateway_endpoint *row = find(exchange);

    if (row == NULL) {
        bondy_exchange_refuse(exchange, &(struct bondy_problem){.status = 501,
                                                                .code = "not_implemented",
                                                                .message = "this node does not "
                                                                           "serve this path"});
        return;
    }
    exchange->is_held = true;
    row->serve(row->context, (struct bondy_gateway_call *)exchange);
}

/* ---- before the body ------------------------------------------------------------------------- */

const struct bondy_gateway_endpoint *bondy_endpoint_early(const struct bondy_exchange *exchange)
{
    const struct bondy_gateway_endpoint *row;

    if (exchange->operation == NULL || exchange->operation->action != BONDY_ACTION_ENDPOINT ||
        bondy_request_method(exchange->request) == BONDY_METHOD_OPTIONS)
        return NULL;
    row = find(exchange);
    return row == NULL || row->begin == NULL ? NULL : row;
}

void bondy_endpoint_start(struct bondy_exchange *exchange)
{
    if (exchange->operation->uri == NULL)
        bondy_endpoint_begin(exchange);
    else
        bondy_action_call(exchange);
}

/* ---- what endpoints ask for ------------------------------------------------------------------ */

void bondy_gateway_call_read(struct bondy_gateway_call *call, const struct bondy_body_sink *sink,
                             uint64_t max_len)
{
    struct bondy_exchange *exchange = exchange_of(call);

    BONDY_BUG_ON(!exchange->is_held || exchange->early == NULL || exchange->request == NULL);
    bondy_request_stream(exchange->request, sink);
    bondy_request_expect_body(exchange->request, (size_t)max_len,
                              exchange->operation->body_read_timeout_ms);
    bondy_request_resume(exchange->request);
}

const json_t *bondy_gateway_call_result(const struct bondy_gateway_call *call)
{
    return json_array_get(exchange_of(call)->fields[BONDY_FIELD_RESULT_ARGS], 0);
}

void bondy_gateway_call_set_user(struct bondy_gateway_call *call, void *user)
{
    exchange_of(call)->endpoint_user = user;
}

void *bondy_gateway_call_user(const struct bondy_gateway_call *call)
{
    return exchange_of(call)->endpoint_user;
}

struct bondy_request *bondy_gateway_call_request(const struct bondy_gateway_call *call)
{
    return exchange_of(call)->request;
}

const struct bondy_operation *bondy_gateway_call_operation(const struct bondy_gateway_call *call)
{
    return exchange_of(call)->operation;
}

const struct bondy_identity *bondy_gateway_call_identity(const struct bondy_gateway_call *call)
{
    return exchange_of(call)->identity;
}

struct bondy_slice bondy_gateway_call_binding(const struct bondy_gateway_call *call,
                                              const char *name)
{
    return bondy_exchange_binding(exchange_of(call), name);
}

struct bondy_router_thread *bondy_gateway_call_router(const struct bondy_gateway_call *call)
{
    return exchange_of(call)->thread->router;
}

void bondy_gateway_call_answer(struct bondy_gateway_call *call, struct bondy_response *response)
{
    struct bondy_exchange *exchange = exchange_of(call);

    BONDY_BUG_ON(!exchange->is_held);
    exchange->is_held = false;
    if (exchange->request != NULL) {
        bondy_exchange_answer(exchange, response);
        return;
    }
    if (response != NULL)
        bondy_response_destroy(response);
    bondy_exchange_end(exchange);
}

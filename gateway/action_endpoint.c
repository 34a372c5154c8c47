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

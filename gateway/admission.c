/* SPDX-License-Identifier: Apache-2.0 */

/* admission: the verdict of the listener's guard or, without one, of the path's security
 * (access.h), which comes with the head or later (a password is hashed on another thread, say).
 *
 * A late one meets one of three moments: the body is still being read, then the verdict waits for
 * its end, as no answer can be sent before; the body is here, or is not to be read before it is
 * known who sends it, then the request goes on at once; or the client has left, then only the
 * memory is given back. The exchange is what the guard holds, so it lives until the verdict,
 * whatever happens to the request. */

#include "gateway/exchange.h"
#include "src/base/alloc.h"
#include "src/security/login/identity.h"

void bondy_exchange_keep_identity(struct bondy_exchange *exchange,
                                  const struct bondy_identity *identity)
{
    exchange->identity = bondy_identity_dup(identity);
    exchange->is_anonymous = bondy_slice_is(identity->authmethod, "anonymous");
}

enum bondy_admission bondy_exchange_admit(struct bondy_exchange *exchange)
{
    const struct bondy_gateway_guard *guard = exchange->listener->guard;
    struct bondy_identity identity = {0};
    enum bondy_admission admission;

    exchange->is_undecided = true; /* the verdict may come before admit returns */
    admission = guard->admit(guard->context, exchange->request,
                             (struct bondy_gateway_pending *)exchange, &identity);
    switch (admission) {
    case BONDY_ADMISSION_YES:
        exchange->is_undecided = false;
        bondy_exchange_keep_identity(exchange, &identity);
        break;
    case BONDY_ADMISSION_NO:
        bondy_request_set_user(exchange->request, NULL);
        bondy_exchange_end(exchange);
        break;
    case BONDY_ADMISSION_LATER:
        exchange->is_late = true;
        break;
    }
    return admission;
}

static struct bondy_exchange *exchange_of(const struct bondy_gateway_pending *pending)
{
    return (struct bondy_exchange *)pending;
}

struct bondy_request *bondy_gateway_pending_request(const struct bondy_gateway_pending *pending)
{
    return exchange_of(pending)->request;
}

static void send_refusal(struct bondy_exchange *exchange)
{
    bondy_exchange_answer(exchange, BONDY_MOVE(exchange->refusal));
}

/* Nobody waits any more: what is left is the exchange itself. */
static bool has_left(struct bondy_exchange *exchange)
{
    BONDY_BUG_ON(!exchange->is_undecided);
    exchange->is_undecided = false;
    if (exchange->request != NULL)
        return false;
    bondy_exchange_end(exchange);
    return true;
}

void bondy_gateway_admitted(struct bondy_gateway_pending *pending,
                            const struct bondy_identity *identity)
{
    struct bondy_exchange *exchange = exchange_of(pending);

    if (has_left(exchange))
        return;
    bondy_exchange_keep_identity(exchange, identity);
    if (exchange->is_whole || exchange->early != NULL)
        exchange->go_on(exchange);
}

void bondy_gateway_refused(struct bondy_gateway_pending *pending, struct bondy_response *response)
{
    struct bondy_exchange *exchange = exchange_of(pending);

    if (has_left(exchange)) {
        if (response != NULL)
            bondy_response_destroy(response);
        return;
    }
    BONDY_BUG_ON(response == NULL);
    exchange->refusal = response;
    if (exchange->is_whole || exchange->early != NULL)
        send_refusal(exchange);
}

bool bondy_exchange_is_admitted(struct bondy_exchange *exchange)
{
    if (!exchange->is_late)
        return true;
    exchange->is_whole = true;
    if (exchange->is_undecided)
        return false;
    if (exchange->refusal != NULL) {
        send_refusal(exchange);
        return false;
    }
    return true;
}

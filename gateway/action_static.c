/* SPDX-License-Identifier: Apache-2.0 */

/* action_static: answers from the document alone. http-gateway.md 1.8. */

#include "gateway/exchange.h"

void bondy_action_static(struct bondy_exchange *exchange)
{
    const struct bondy_operation *operation = exchange->operation;

    if (operation->static_headers != NULL &&
        !bondy_exchange_eval(exchange, operation->static_headers, &exchange->static_headers))
        return;
    if (operation->static_body != NULL &&
        !bondy_exchange_eval(exchange, operation->static_body, &exchange->static_body))
        return;
    if (operation->static_status_code != NULL &&
        !bondy_exchange_eval(exchange, operation->static_status_code, &exchange->static_status))
        return;
    bondy_exchange_succeed(exchange);
}

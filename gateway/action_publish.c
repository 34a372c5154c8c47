/* SPDX-License-Identifier: Apache-2.0 */

/* action_publish: wamp_publish. http-gateway.md 1.8. */

#include "gateway/exchange.h"

/* Always acknowledged: a publication that is refused must become an answer (403 and its kin). */
static json_t *acknowledged(const json_t *options)
{
    json_t *out = options == NULL ? json_object() : json_copy((json_t *)options);

    json_object_set_new(out, "acknowledge", json_true());
    return out;
}

void bondy_action_publish(struct bondy_exchange *exchange)
{
    struct bondy_payload payload;
    json_t *given = NULL, *options;
    struct bondy_buf memory;
    uint64_t publication = 0;

    if (!bondy_exchange_open(exchange))
        return;
    if (bondy_exchange_target(exchange) && bondy_exchange_options(exchange, &given) &&
        bondy_exchange_payload(exchange, &payload)) {
        options = acknowledged(given);
        memory = exchange->thread->payload;
        exchange->thread->payload = (struct bondy_buf)BONDY_BUF_EMPTY;
        exchange->is_waiting = true;
        bondy_session_publish(exchange->session, exchange->target, options, &payload, &publication);
        bondy_buf_fini(&exchange->thread->payload);
        exchange->thread->payload = memory;
        json_decref(options);
    }
    json_decref(given);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* action_call: wamp_call. http-gateway.md 1.8, deadline 1.2. */

#include "gateway/exchange.h"

/* Milliseconds of the first of these that is there and not 0; UINT64_MAX is "infinity". */
static uint64_t choose_timeout(const json_t *from_options, const json_t *from_action,
                               uint64_t from_defaults)
{
    uint64_t timeout_ms = 0;

    if (from_options != NULL && bondy_duration_ms(from_options, &timeout_ms) && timeout_ms != 0)
        return timeout_ms;
    if (from_action != NULL && bondy_duration_ms(from_action, &timeout_ms) && timeout_ms != 0)
        return timeout_ms;
    return from_defaults;
}

static bool find_timeout(struct bondy_exchange *exchange, const json_t *options)
{
    const struct bondy_operation *operation = exchange->operation;
    uint64_t most = exchange->thread->gateway->options.max_call_timeout_ms;
    json_t *from_action = NULL;
    uint64_t timeout_ms;

    if (operation->timeout != NULL &&
        !bondy_exchange_eval(exchange, operation->timeout, &from_action))
        return false;
    timeout_ms = choose_timeout(json_object_get(options, "timeout"), from_action,
                                operation->default_timeout_ms);
    json_decref(from_action);
    if (timeout_ms == 0)
        timeout_ms = exchange->thread->gateway->options.call_timeout_ms;
    if (most != 0 && (timeout_ms == 0 || timeout_ms > most))
        timeout_ms = most;
    exchange->timeout_ms = timeout_ms == UINT64_MAX ? 0 : timeout_ms;
    return true;
}

/* What is left of the options for CALL.Options; the caller owns it. */
static json_t *other_options(const json_t *options)
{
    json_t *extra;

    if (json_object_size(options) == 0)
        return NULL;
    extra = json_copy((json_t *)options);
    json_object_del(extra, "timeout");
    json_object_del(extra, "disclose_me");
    return extra;
}

static void call(struct bondy_exchange *exchange, const json_t *options)
{
    struct bondy_call_options how = {
        .timeout_ms = exchange->timeout_ms,
        .disclose_me = json_is_true(json_object_get(options, "disclose_me")),
    };
    struct bondy_session *session = exchange->session;
    struct bondy_payload payload;
    struct bondy_buf memory;
    uint64_t id;

    if (!bondy_exchange_payload(exchange, &payload))
        return;
    how.extra = other_options(options);
    /* A built-in procedure answers inside the call, and what it sets off may come back here. */
    memory = exchange->thread->payload;
    exchange->thread->payload = (struct bondy_buf)BONDY_BUF_EMPTY;
    exchange->is_waiting = true;
    id = bondy_session_call(session, exchange->target, &how, &payload);
    exchange->call_id = id;
    bondy_buf_fini(&exchange->thread->payload);
    exchange->thread->payload = memory;
    json_decref(how.extra);
}

void bondy_action_call(struct bondy_exchange *exchange)
{
    json_t *options = NULL;

    if (!bondy_exchange_open(exchange))
        return;
    if (bondy_exchange_target(exchange) && bondy_exchange_options(exchange, &options) &&
        find_timeout(exchange, options))
        call(exchange, options);
    json_decref(options);
}

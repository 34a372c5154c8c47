/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange.h"

#include "src/base/alloc.h"

static void forget(struct bondy_exchange *exchange)
{
    for (unsigned i = 0; i < BONDY_FIELDS; i++)
        json_decref(exchange->fields[i]);
    json_decref(exchange->static_headers);
    json_decref(exchange->static_body);
    json_decref(exchange->static_status);
    json_decref(exchange->target_value);
    bondy_buf_fini(&exchange->bindings);
    bondy_identity_free(exchange->identity);
}

void bondy_endpoint_begin(struct bondy_exchange *exchange)
{
    exchange->is_held = true;
    exchange->early->begin(exchange->early->context, (struct bondy_gateway_call *)exchange);
}

static void free_exchange(struct bondy_exchange *exchange)
{
    forget(exchange);
    if (exchange->refusal != NULL)
        bondy_response_destroy(exchange->refusal);
    bondy_spec_unref(exchange->spec);
    bondy_slab_free(exchange->thread->exchanges, exchange);
}

/* Sessions end here and not where their answer came in: there the router is still at work on
 * them. */
bool bondy_exchange_flush(struct bondy_flush *flush)
{
    struct bondy_gateway_thread *thread =
        BONDY_CONTAINER(flush, struct bondy_gateway_thread, flush);

    while (!bondy_list_is_empty(&thread->begun)) {
        struct bondy_exchange *exchange =
            BONDY_LIST_ENTRY(thread->begun.next, struct bondy_exchange, link);

        bondy_list_remove(&exchange->link);
        bondy_session_lost(BONDY_MOVE(exchange->session));
        bondy_endpoint_begin(exchange);
    }
    while (!bondy_list_is_empty(&thread->ended)) {
        struct bondy_exchange *exchange =
            BONDY_LIST_ENTRY(thread->ended.next, struct bondy_exchange, link);

        bondy_list_remove(&exchange->link);
        if (exchange->session != NULL)
            bondy_session_lost(BONDY_MOVE(exchange->session));
        free_exchange(exchange);
    }
    return false;
}

void bondy_exchange_end(struct bondy_exchange *exchange)
{
    exchange->request = NULL;
    exchange->message = NULL;
    exchange->is_waiting = false;
    bondy_list_remove(&exchange->link); /* it may be about to begin */
    if (exchange->was_opened)
        bondy_list_append(&exchange->thread->ended, &exchange->link);
    else
        free_exchange(exchange);
}

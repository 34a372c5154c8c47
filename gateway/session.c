/* SPDX-License-Identifier: Apache-2.0 */

/* session: the short-lived WAMP session of one request, and what calls and publications share. */

#include "gateway/exchange.h"
#include "src/base/log.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

/* WAMP messages nest at most 32 deep, the message list being the first container. */
#define MAX_ARGUMENT_DEPTH 31

/* A session for as long as an upload takes would be one that an operator could end, and the router
 * is at work on it: it goes first, in the flush. */
static void begin_endpoint(struct bondy_exchange *exchange)
{
    bondy_exchange_field(exchange, BONDY_FIELD_RESULT_ARGS); /* kept */
    exchange->message = NULL;
    bondy_list_append(&exchange->thread->begun, &exchange->link);
    bondy_loop_again(exchange->thread->loop);
}

static void take_answer(struct bondy_exchange *exchange, const struct bondy_message *message)
{
    exchange->is_waiting = false;
    if (exchange->request == NULL)
        return;
    exchange->message = message;
    exchange->failed = message->type == BONDY_ERROR;
    if (exchange->failed) {
        exchange->error_status =
            bondy_operation_status(exchange->operation, message->uri, exchange->is_anonymous);
        bondy_exchange_fail(exchange);
        return;
    }
    if (exchange->early != NULL) {
        begin_endpoint(exchange);
        return;
    }
    if (message->type == BONDY_PUBLISHED)
        exchange->publication = message->id2;
    bondy_exchange_succeed(exchange);
}

static void on_message(void *peer, const struct bondy_message *message)
{
    struct bondy_exchange *exchange = peer;

    switch (message->type) {
    case BONDY_RESULT:
    case BONDY_PUBLISHED:
    case BONDY_ERROR:
        if (exchange->is_waiting)
            take_answer(exchange, message);
        return;
    default:
        return;
    }
}

static void on_closed(void *peer, const char *reason)
{
    struct bondy_exchange *exchange = peer;

    exchange->session = NULL;
    exchange->is_waiting = false;
    if (exchange->request != NULL)
        bondy_exchange_refuse(
            exchange, &(struct bondy_problem){.status = 503,
                                              .code = reason,
                                              .message = "the realm of this API was closed"});
}

static const struct bondy_session_local local = {on_message, on_closed};

/* What somebody does is written down with where they did it from. */
static void say_who(struct bondy_exchange *exchange)
{
    char text[BONDY_ADDRESS_TEXT];

    bondy_address_format(&bondy_request_peer(exchange->request)->address, text);
    bondy_session_set_peername(exchange->session, bondy_slice_text(text));
}

bool bondy_exchange_open(struct bondy_exchange *exchange)
{
    struct bondy_problem problem = {.status = 503};
    struct bondy_identity identity;
    struct bondy_error err = {0};

    bondy_exchange_identity(exchange, &identity);
    exchange->session = bondy_session_open_local(exchange->thread->router,
                                                 bondy_slice_text(exchange->spec->realm_uri),
                                                 &identity, &local, exchange, &err);
    if (exchange->session != NULL) {
        exchange->was_opened = true;
        if (exchange->listener->guard != NULL || !exchange->is_anonymous)
            say_who(exchange);
        return true;
    }
    if (err.code == BONDY_ENOENT) {
        problem.code = BONDY_ERR_NO_SUCH_REALM;
        problem.message = "the realm of this API does not exist";
    } else if (err.code == BONDY_EDENIED) {
        problem.status = exchange->is_anonymous ? 401 : 403;
        problem.code = BONDY_ERR_NOT_AUTHORIZED;
        problem.message = "the realm of this API takes no connections";
    } else {
        problem.code = BONDY_ERR_UNAVAILABLE;
        problem.message = "no room for another session";
    }
    bondy_exchange_refuse(exchange, &problem);
    return false;
}

/* ---- templates ------------------------------------------------------------------------------- */

static bool refuse_form(struct bondy_exchange *exchange, const char *message)
{
    bondy_log(BONDY_LOG_WARN, "api_expression_failed", BONDY_F_STR("api", exchange->spec->id),
              BONDY_F_STR("operation", exchange->operation->pointer),
              BONDY_F_STR("problem", message));
    bondy_exchange_refuse(
        exchange, &(struct bondy_problem){.status = 500,
                                          .code = BONDY_ERR_INVALID_EXPRESSION,
                                          .message = message,
                                          .description = "an expression of the API specification "
                                                         "has a value of the wrong type"});
    return false;
}

bool bondy_exchange_target(struct bondy_exchange *exchange)
{
    if (!bondy_exchange_eval(exchange, exchange->operation->uri, &exchange->target_value))
        return false;
    if (!json_is_string(exchange->target_value))
        return refuse_form(exchange, exchange->operation->action == BONDY_ACTION_CALL
                                         ? "the procedure is not a string"
                                         : "the topic is not a string");
    exchange->target = bondy_slice_of(json_string_value(exchange->target_value),
                                      json_string_length(exchange->target_value));
    return true;
}

bool bondy_exchange_options(struct bondy_exchange *exchange, json_t **out)
{
    *out = NULL;
    if (exchange->operation->options == NULL)
        return true;
    if (!bondy_exchange_eval(exchange, exchange->operation->options, out))
        return false;
    if (json_is_null(*out)) {
        *out = NULL;
        return true;
    }
    if (json_is_object(*out))
        return true;
    json_decref(*out);
    *out = NULL;
    return refuse_form(exchange, "the options are not an object");
}

static bool is_too_deep(const json_t *value, unsigned left)
{
    const char *key;
    json_t *item;
    size_t i;

    if (!json_is_array(value) && !json_is_object(value))
        return false;
    if (left == 0)
        return true;
    json_array_foreach((json_t *)value, i, item)
    {
        if (is_too_deep(item, left - 1))
            return true;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        if (is_too_deep(item, left - 1))
            return true;
    }
    return false;
}

static bool eval_arguments(struct bondy_exchange *exchange, const struct bondy_expr *expr,
                           json_type type, const char *what, json_t **out)
{
    *out = NULL;
    if (expr == NULL)
        return true;
    if (!bondy_exchange_eval(exchange, expr, out))
        return false;
    if (json_is_null(*out)) {
        *out = NULL;
        return true;
    }
    if (json_typeof(*out) != type) {
        json_decref(*out);
        *out = NULL;
        return refuse_form(exchange, what);
    }
    if (!is_too_deep(*out, MAX_ARGUMENT_DEPTH))
        return true;
    json_decref(*out);
    *out = NULL;
    bondy_exchange_refuse(
        exchange, &(struct bondy_problem){.status = 400,
                                          .code = "invalid_data",
                                          .message = "the body nests too deep for a WAMP message"});
    return false;
}

bool bondy_exchange_payload(struct bondy_exchange *exchange, struct bondy_payload *out)
{
    const struct bondy_operation *operation = exchange->operation;
    json_t *args = NULL, *kwargs = NULL;
    bool done = false;

    if (eval_arguments(exchange, operation->args, JSON_ARRAY, "the args are not an array", &args) &&
        eval_arguments(exchange, operation->kwargs, JSON_OBJECT, "the kwargs are not an object",
                       &kwargs)) {
        bondy_buf_clear(&exchange->thread->payload, 64 << 10);
        *out = bondy_payload_make(BONDY_MSGPACK, args, kwargs, &exchange->thread->payload);
        done = true;
    }
    json_decref(args);
    json_decref(kwargs);
    return done;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* answer: from an action's outcome to status, headers and body. http-gateway.md 1.9, 7.2 and 7.3.
 */

#include <stdlib.h>

#include "gateway/draft.h"
#include "gateway/exchange.h"
#include "src/http/status.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/http/negotiate.h"
#include "src/http/range.h"
#include "src/wamp/errors.h"

static struct bondy_slice string_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static void blame_spec(struct bondy_exchange *exchange, const char *message)
{
    bondy_log(BONDY_LOG_WARN, "api_response_failed", BONDY_F_STR("api", exchange->spec->id),
              BONDY_F_STR("operation", exchange->operation->pointer),
              BONDY_F_STR("problem", message));
    bondy_exchange_refuse(
        exchange, &(struct bondy_problem){.status = 500,
                                          .code = BONDY_ERR_INVALID_EXPRESSION,
                                          .message = message,
                                          .description = "the response of the API specification "
                                                         "cannot be built from this outcome"});
}

/* RFC 9110, 13.1.2: whether the client has what we would send, by weak comparison. */
static bool has_it(const struct bondy_exchange *exchange, const struct bondy_draft *draft)
{
    struct bondy_slice given = bondy_request_header(exchange->request, "if-none-match");
    const json_t *tag = json_object_get(draft->headers, "etag");
    enum bondy_method method = bondy_request_method(exchange->request);

    return given.data != NULL && json_is_string(tag) && draft->status == 200 &&
           (method == BONDY_METHOD_GET || method == BONDY_METHOD_HEAD) &&
           bondy_range_has_tag(given, string_of(tag));
}

/* Takes the draft. */
static void respond(struct bondy_exchange *exchange, struct bondy_draft *draft)
{
    struct bondy_response *response;
    struct bondy_error err;
    int rc;

    if (has_it(exchange, draft))
        draft->status = 304;
    response = bondy_response_create(draft->status);
    rc = bondy_draft_headers(response, draft->headers, &err);

    if (rc == BONDY_OK && !bondy_draft_is_empty(draft->uri)) {
        if (json_is_string(draft->uri))
            rc = bondy_response_set_header(response, "location", string_of(draft->uri), &err);
        else
            rc = bondy_fail(&err, BONDY_EINVAL, "the uri is not text");
    }
    if (rc < 0) {
        bondy_response_destroy(response);
        bondy_draft_fini(draft);
        blame_spec(exchange, err.text);
        return;
    }
    bondy_draft_encode(draft, exchange->media, response);
    bondy_exchange_challenge(exchange, draft->status, response);
    bondy_draft_fini(draft);
    bondy_exchange_answer(exchange, response);
}

/* ---- status ---------------------------------------------------------------------------------- */

/* An integer or its decimal text; 0 for anything that is no final status. */
static unsigned status_value(const json_t *value)
{
    long number = 0;
    char *end;

    if (json_is_integer(value))
        number = (long)json_integer_value(value);
    else if (json_is_real(value))
        number = (long)json_real_value(value);
    else if (json_is_string(value) && json_string_length(value) == 3) {
        number = strtol(json_string_value(value), &end, 10);
        if (*end != '\0')
            return 0;
    }
    return number >= 200 && number <= 599 ? (unsigned)number : 0;
}

static bool has_location(const struct bondy_draft *draft)
{
    return json_object_get(draft->headers, "location") != NULL;
}

static unsigned success_status(const struct bondy_exchange *exchange,
                               const struct bondy_draft *draft)
{
    bool has_uri = !bondy_draft_is_empty(draft->uri);
    unsigned plain = bondy_draft_is_empty(draft->body) ? 204 : 200;

    switch (exchange->operation->method) {
    case BONDY_METHOD_POST:
        if (has_uri || (exchange->operation->path->is_collection && has_location(draft)))
            return 201;
        return plain;
    case BONDY_METHOD_PUT:
        return has_uri ? 201 : plain;
    case BONDY_METHOD_PATCH:
    case BONDY_METHOD_DELETE:
        return plain;
    default:
        return 200;
    }
}

/* 1.9: a status_code in the body, the status of its code, the status of the error; 500. */
static unsigned error_status(const struct bondy_exchange *exchange, const json_t *body)
{
    const json_t *member;
    struct bondy_buf uri = BONDY_BUF_EMPTY;
    unsigned status;

    if (!json_is_object(body))
        return (unsigned)exchange->error_status;
    status = status_value(json_object_get(body, "status_code"));
    if (status != 0)
        return status;
    member = json_object_get(body, "code");
    if (!json_is_string(member))
        return 500;
    bondy_status_uri(string_of(member), &uri);
    status = (unsigned)bondy_operation_status(exchange->operation, bondy_buf_slice(&uri),
                                              exchange->is_anonymous);
    bondy_buf_fini(&uri);
    return status;
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static bool eval_status(struct bondy_exchange *exchange, const struct bondy_expr *expr,
                        unsigned *out)
{
    json_t *value;

    *out = 0;
    if (expr == NULL)
        return true;
    if (!bondy_exchange_eval(exchange, expr, &value))
        return false;
    if (bondy_draft_is_empty(value) || json_is_null(value)) {
        json_decref(value);
        return true;
    }
    *out = status_value(value);
    json_decref(value);
    if (*out != 0)
        return true;
    blame_spec(exchange, "the status_code is not a number from 200 to 599");
    return false;
}

/* False: answered; the draft is gone. */
static bool eval_rule(struct bondy_exchange *exchange, const struct bondy_response_rule *rule,
                      struct bondy_draft *draft)
{
    draft->sniffs_json = rule->sniffs_json;
    if (bondy_exchange_eval(exchange, rule->headers, &draft->headers) &&
        bondy_exchange_eval(exchange, rule->body, &draft->body) &&
        (rule->uri == NULL || bondy_exchange_eval(exchange, rule->uri, &draft->uri)) &&
        eval_status(exchange, rule->status_code, &draft->status))
        return true;
    bondy_draft_fini(draft);
    return false;
}

void bondy_exchange_succeed(struct bondy_exchange *exchange)
{
    const struct bondy_response_rule *rule = &exchange->operation->on_result;
    struct bondy_draft draft = {0};

    if (!eval_rule(exchange, rule, &draft))
        return;
    if (!rule->is_given && exchange->operation->action == BONDY_ACTION_STATIC) {
        if (exchange->static_headers != NULL) {
            json_decref(draft.headers);
            draft.headers = json_incref(exchange->static_headers);
        }
        if (exchange->static_body != NULL) {
            json_decref(draft.body);
            draft.body = json_incref(exchange->static_body);
        }
        if (exchange->static_status != NULL)
            draft.status = status_value(exchange->static_status);
    }
    if (draft.status == 0)
        draft.status = success_status(exchange, &draft);
    respond(exchange, &draft);
}

static bool is_timeout(struct bondy_slice uri)
{
    return bondy_slice_is(uri, BONDY_ERR_TIMEOUT) || bondy_slice_is(uri, "bondy.error.timeout");
}

/* No on_error: the 7.3 object, made from the ERROR. */
static void fail_plainly(struct bondy_exchange *exchange)
{
    struct bondy_slice uri = exchange->message->uri;
    json_t *args = bondy_exchange_field(exchange, BONDY_FIELD_ERROR_ARGS);
    const char *message = json_string_value(json_array_get(args, 0));
    char *code = bondy_memdup0(uri.data, uri.len);

    bondy_exchange_refuse(exchange,
                          &(struct bondy_problem){.status = (unsigned)exchange->error_status,
                                                  .code = code,
                                                  .message = message});
    bondy_free(code);
}

void bondy_exchange_fail(struct bondy_exchange *exchange)
{
    const struct bondy_operation *operation = exchange->operation;
    const struct bondy_response_rule *rule =
        is_timeout(exchange->message->uri) ? &operation->on_timeout : &operation->on_error;
    struct bondy_draft draft = {0};

    if (!rule->is_given) {
        fail_plainly(exchange);
        return;
    }
    if (!eval_rule(exchange, rule, &draft))
        return;
    if (draft.status == 0)
        draft.status = error_status(exchange, draft.body);
    if (json_object_get(draft.body, "status_code") != NULL) {
        json_t *copy = json_copy(draft.body); /* what expressions give is shared */

        json_object_del(copy, "status_code");
        json_decref(draft.body);
        draft.body = copy;
    }
    respond(exchange, &draft);
}

void bondy_exchange_answer_options(struct bondy_exchange *exchange, unsigned methods)
{
    struct bondy_response *response = bondy_response_create(204);
    const struct bondy_operation *operation = exchange->operation;
    json_t *headers = NULL;
    struct bondy_error err;
    char allow[64];

    if (operation != NULL) {
        const struct bondy_response_rule *rule =
            operation->on_error.is_given ? &operation->on_error : &operation->on_result;

        if (!bondy_exchange_eval(exchange, rule->headers, &headers)) {
            bondy_response_destroy(response);
            return;
        }
    }
    if (bondy_draft_headers(response, headers, &err) < 0) {
        json_decref(headers);
        bondy_response_destroy(response);
        blame_spec(exchange, err.text);
        return;
    }
    json_decref(headers);
    bondy_route_allow(methods, allow);
    bondy_response_set_header(response, "allow", bondy_slice_text(allow), NULL);
    if (!exchange->path->is_page)
        bondy_cors_preflight(&exchange->listener->cors, exchange->request, methods, response);
    bondy_exchange_answer(exchange, response);
}

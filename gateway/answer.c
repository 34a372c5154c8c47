/* SPDX-License-Identifier: Apache-2.0 */

/* answer: from an action's outcome to status, headers and body. http-gateway.md 1.9, 7.2 and 7.3.
 */

#include <stdlib.h>

#include "gateway/exchange.h"
#include "src/http/status.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/http/negotiate.h"
#include "src/http/range.h"
#include "src/wamp/base64.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

/* What an answer is made of, evaluated; owned. */
struct draft {
    unsigned status; /* 0: not said */
    json_t *headers;
    json_t *body;
    json_t *uri;
    bool sniffs_json;
};

static void draft_fini(struct draft *draft)
{
    json_decref(draft->headers);
    json_decref(draft->body);
    json_decref(draft->uri);
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

/* ---- bodies ---------------------------------------------------------------------------------- */

static bool is_empty(const json_t *body)
{
    return body == NULL || (json_is_string(body) && json_string_length(body) == 0);
}

static struct bondy_slice string_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

/* For media types without structure: text as it is, binary decoded, the rest as JSON. */
static void put_plain(const json_t *body, struct bondy_buf *out)
{
    struct bondy_slice text;

    if (!json_is_string(body)) {
        bondy_json_format(body, out);
        return;
    }
    text = string_of(body);
    if (text.len > 0 && text.data[0] == '\0' && bondy_base64_is_valid(bondy_slice_skip(text, 1))) {
        char *room = bondy_buf_reserve(out, text.len);

        out->len += bondy_base64_decode(bondy_slice_skip(text, 1), room);
        return;
    }
    bondy_buf_append_slice(out, text);
}

static void put_lines(const json_t *body, struct bondy_buf *out)
{
    if (!json_is_array(body)) {
        bondy_json_format(body, out);
        bondy_buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < json_array_size(body); i++) {
        bondy_json_format(json_array_get(body, i), out);
        bondy_buf_append_byte(out, '\n');
    }
}

static void put_body(enum bondy_media_kind kind, const json_t *body, bool sniffs_json,
                     struct bondy_buf *out)
{
    json_t *found = NULL;

    if (sniffs_json && json_is_string(body) && kind <= BONDY_MEDIA_CBOR) {
        found = bondy_json_parse(string_of(body), 32, NULL);
        if (found != NULL && kind == BONDY_MEDIA_JSON) {
            bondy_buf_append_slice(out, string_of(body));
            json_decref(found);
            return;
        }
        if (found != NULL)
            body = found;
    }
    switch (kind) {
    case BONDY_MEDIA_JSON:
        bondy_json_format(body, out);
        break;
    case BONDY_MEDIA_MSGPACK:
        bondy_value_format(BONDY_MSGPACK, body, out);
        break;
    case BONDY_MEDIA_CBOR:
        bondy_value_format(BONDY_CBOR, body, out);
        break;
    case BONDY_MEDIA_LINES:
        put_lines(body, out);
        break;
    case BONDY_MEDIA_FORM:
    case BONDY_MEDIA_MULTIPART:
    case BONDY_MEDIA_TEXT:
    case BONDY_MEDIA_OTHER:
        put_plain(body, out);
        break;
    }
    json_decref(found);
}

/* The usual types as static text; NULL: it was put as a header. */
static const char *put_type(struct bondy_response *response, const struct bondy_media *media)
{
    struct bondy_buf type = BONDY_BUF_EMPTY;

    if (media->kind == BONDY_MEDIA_JSON)
        return "application/json; charset=utf-8";
    if (bondy_response_has_header(response, "content-type"))
        return NULL;
    bondy_buf_append_text(&type, media->type);
    if (media->kind == BONDY_MEDIA_TEXT)
        bondy_buf_append_text(&type, "; charset=utf-8");
    bondy_response_header(response, "content-type", bondy_buf_slice(&type), NULL);
    bondy_buf_fini(&type);
    return NULL;
}

static enum bondy_media_kind written_kind(const struct draft *draft,
                                          const struct bondy_media *media)
{
    const json_t *written = json_object_get(draft->headers, "content-type");
    char type[BONDY_MEDIA_TYPE_MAX];
    size_t len;

    if (!json_is_string(written))
        return media->kind;
    len = bondy_media_type(string_of(written), type);
    return len == 0 ? media->kind : bondy_media_kind((struct bondy_slice){type, len});
}

static void encode(const struct draft *draft, const struct bondy_media *media,
                   struct bondy_response *response)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    if (is_empty(draft->body) || draft->status == 204 || draft->status == 304)
        return;
    put_body(written_kind(draft, media), draft->body, draft->sniffs_json, &out);
    bondy_response_body(response, &out, put_type(response, media));
}

/* ---- headers --------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
    return strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0 ||
           strcasecmp(name, "connection") == 0;
}

static int put_header(struct bondy_response *response, const char *name, const json_t *value,
                      struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc;

    if (is_ours(name))
        return bondy_fail(err, BONDY_EINVAL, "header %s is the server's", name);
    if (json_is_string(value))
        return bondy_response_header(response, name, string_of(value), err);
    if (json_is_array(value) || json_is_object(value))
        return bondy_fail(err, BONDY_EINVAL, "the value of header %.64s is not text", name);
    bondy_json_format(value, &text);
    rc = bondy_response_header(response, name, bondy_buf_slice(&text), err);
    bondy_buf_fini(&text);
    return rc;
}

static int put_headers(struct bondy_response *response, const json_t *headers,
                       struct bondy_error *err)
{
    const char *name;
    json_t *value;
    int rc;

    if (headers == NULL || json_is_null(headers))
        return BONDY_OK;
    if (!json_is_object(headers))
        return bondy_fail(err, BONDY_EINVAL, "the headers are not an object");
    json_object_foreach((json_t *)headers, name, value)
    {
        if (json_is_null(value))
            continue;
        rc = put_header(response, name, value, err);
        if (rc < 0)
            return rc;
    }
    return BONDY_OK;
}

static void put_version(const struct bondy_exchange *exchange, struct bondy_response *response)
{
    const struct bondy_version *version = exchange->operation->path->version;

    if (version->deprecation != NULL)
        bondy_response_set_header(response, "deprecation", bondy_slice_text(version->deprecation),
                                  NULL);
    if (version->sunset != NULL)
        bondy_response_set_header(response, "sunset", bondy_slice_text(version->sunset), NULL);
    if (version->languages.count > 1 && exchange->language != NULL &&
        !bondy_response_has_header(response, "content-language"))
        bondy_response_header(response, "content-language", bondy_slice_text(exchange->language),
                              NULL);
}

/* RFC 9110, 15.5.2: 401 says how one may identify oneself. */
static void put_challenge(const struct bondy_exchange *exchange, unsigned status,
                          struct bondy_response *response)
{
    if (status == 401 && !bondy_response_has_header(response, "www-authenticate"))
        bondy_access_challenge(exchange, response);
}

/* ---- sending --------------------------------------------------------------------------------- */

void bondy_exchange_answer(struct bondy_exchange *exchange, struct bondy_response *response)
{
    struct bondy_request *request = BONDY_MOVE(exchange->request);

    if (exchange->operation != NULL)
        put_version(exchange, response);
    bondy_cors_apply(&exchange->listener->cors, request, response);
    bondy_request_set_user(request, NULL);
    bondy_response_send(request, response);
    bondy_exchange_end(exchange);
}

struct bondy_response *bondy_exchange_problem(const struct bondy_exchange *exchange,
                                              const struct bondy_problem *problem)
{
    static const struct bondy_media json = {BONDY_MEDIA_JSON, (char *)"application/json"};
    static const struct bondy_media rfc9457 = {BONDY_MEDIA_OTHER,
                                               (char *)"application/problem+json"};
    const struct bondy_media *media = exchange->media;
    bool as_rfc9457 = bondy_problem_is_wanted(exchange->request) ||
                      (exchange->operation != NULL && exchange->operation->problem_details);
    struct draft draft = {.status = problem->status};
    struct bondy_response *response = bondy_response_create(problem->status);

    if (as_rfc9457)
        media = &rfc9457;
    else if (media == NULL ||
             (media->kind != BONDY_MEDIA_MSGPACK && media->kind != BONDY_MEDIA_CBOR))
        media = &json;
    draft.body = bondy_problem_tree(exchange->request, problem, as_rfc9457);
    encode(&draft, media, response);
    draft_fini(&draft);
    put_challenge(exchange, problem->status, response);
    return response;
}

void bondy_exchange_refuse(struct bondy_exchange *exchange, const struct bondy_problem *problem)
{
    bondy_exchange_answer(exchange, bondy_exchange_problem(exchange, problem));
}

/* RFC 9110, 13.1.2: whether the client has what we would send, by weak comparison. */
static bool has_it(const struct bondy_exchange *exchange, const struct draft *draft)
{
    struct bondy_slice given = bondy_request_header(exchange->request, "if-none-match");
    const json_t *tag = json_object_get(draft->headers, "etag");
    enum bondy_method method = bondy_request_method(exchange->request);

    return given.data != NULL && json_is_string(tag) && draft->status == 200 &&
           (method == BONDY_METHOD_GET || method == BONDY_METHOD_HEAD) &&
           bondy_range_has_tag(given, string_of(tag));
}

/* Takes the draft. */
static void respond(struct bondy_exchange *exchange, struct draft *draft)
{
    struct bondy_response *response;
    struct bondy_error err;
    int rc;

    if (has_it(exchange, draft))
        draft->status = 304;
    response = bondy_response_create(draft->status);
    rc = put_headers(response, draft->headers, &err);

    if (rc == BONDY_OK && !is_empty(draft->uri)) {
        if (json_is_string(draft->uri))
            rc = bondy_response_set_header(response, "location", string_of(draft->uri), &err);
        else
            rc = bondy_fail(&err, BONDY_EINVAL, "the uri is not text");
    }
    if (rc < 0) {
        bondy_response_destroy(response);
        draft_fini(draft);
        blame_spec(exchange, err.text);
        return;
    }
    encode(draft, exchange->media, response);
    put_challenge(exchange, draft->status, response);
    draft_fini(draft);
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

static bool has_location(const struct draft *draft)
{
    return json_object_get(draft->headers, "location") != NULL;
}

static unsigned success_status(const struct bondy_exchange *exchange, const struct draft *draft)
{
    bool has_uri = !is_empty(draft->uri);
    unsigned plain = is_empty(draft->body) ? 204 : 200;

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
    if (is_empty(value) || json_is_null(value)) {
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
                      struct draft *draft)
{
    draft->sniffs_json = rule->sniffs_json;
    if (bondy_exchange_eval(exchange, rule->headers, &draft->headers) &&
        bondy_exchange_eval(exchange, rule->body, &draft->body) &&
        (rule->uri == NULL || bondy_exchange_eval(exchange, rule->uri, &draft->uri)) &&
        eval_status(exchange, rule->status_code, &draft->status))
        return true;
    draft_fini(draft);
    return false;
}

void bondy_exchange_succeed(struct bondy_exchange *exchange)
{
    const struct bondy_response_rule *rule = &exchange->operation->on_result;
    struct draft draft = {0};

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
    struct draft draft = {0};

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
    if (put_headers(response, headers, &err) < 0) {
        json_decref(headers);
        bondy_response_destroy(response);
        blame_spec(exchange, err.text);
        return;
    }
    json_decref(headers);
    bondy_route_allow(methods, allow);
    bondy_response_set_header(response, "allow", bondy_slice_text(allow), NULL);
    bondy_cors_preflight(&exchange->listener->cors, exchange->request, methods, response);
    bondy_exchange_answer(exchange, response);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* context: what expressions can ask of a request, of who asks and of an action's outcome; each made
 * when it is first wanted and kept until the exchange ends. http-gateway.md 1.8 and 2.4. */

#include <stdio.h>
#include <strings.h>

#include "gateway/exchange.h"
#include "gateway/form.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/base/utf8.h"
#include "src/security/credential/cookie.h"
#include "src/wamp/errors.h"

/* ---- values ---------------------------------------------------------------------------------- */

/* Headers are octets; what is no UTF-8 is read as ISO 8859-1, which fits every octet. */
static json_t *octets(struct bondy_slice text)
{
    struct bondy_buf wide = BONDY_BUF_EMPTY;
    json_t *value;

    if (bondy_utf8_is_valid(text))
        return bondy_json_slice(text);
    for (size_t i = 0; i < text.len; i++) {
        char out[4];

        bondy_buf_append(&wide, out, bondy_utf8_encode((unsigned char)text.data[i], out));
    }
    value = bondy_json_slice(bondy_buf_slice(&wide));
    bondy_buf_fini(&wide);
    return value;
}

static json_t *lower_text(const char *text)
{
    char out[16];
    size_t len = 0;

    for (; text[len] != '\0' && len < sizeof out; len++)
        out[len] = (char)(text[len] >= 'A' && text[len] <= 'Z' ? text[len] + 'a' - 'A' : text[len]);
    return json_stringn(out, len);
}

/* ---- request --------------------------------------------------------------------------------- */

static json_t *make_id(struct bondy_exchange *exchange)
{
    return bondy_json_slice(bondy_request_id(exchange->request));
}

static json_t *make_method(struct bondy_exchange *exchange)
{
    return lower_text(bondy_method_name(bondy_request_method(exchange->request)));
}

static json_t *make_scheme(struct bondy_exchange *exchange)
{
    return json_string(bondy_request_listener(exchange->request)->scheme);
}

static json_t *make_peername(struct bondy_exchange *exchange)
{
    char text[BONDY_ADDRESS_TEXT];

    return json_string(bondy_address_format(&bondy_request_peer(exchange->request)->address, text));
}

static json_t *make_source_ip(struct bondy_exchange *exchange)
{
    char text[BONDY_ADDRESS_TEXT];

    return json_string(
        bondy_address_format_host(&bondy_request_peer(exchange->request)->address, text));
}

static json_t *make_path(struct bondy_exchange *exchange)
{
    struct bondy_slice path = bondy_request_path(exchange->request);

    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return bondy_json_slice(path);
}

static json_t *make_host(struct bondy_exchange *exchange)
{
    return bondy_json_slice(bondy_request_host(exchange->request));
}

static json_t *make_port(struct bondy_exchange *exchange)
{
    unsigned port = bondy_request_port(exchange->request);

    if (port == 0)
        port = exchange->listener->scheme == BONDY_SCHEME_HTTPS ? 443 : 80;
    return json_integer((json_int_t)port);
}

/* An object that is being filled from the request's headers. */
struct filling {
    const struct bondy_exchange *exchange;
    json_t *object;
};

static bool is_cookie(struct bondy_slice lower)
{
    return bondy_slice_is(lower, "cookie");
}

/* The Cookie header without those that are credentials. */
static json_t *other_cookies(const struct bondy_exchange *exchange, struct bondy_slice rest)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_slice name, value;
    json_t *kept;

    if (!bondy_access_hides_in(exchange, BONDY_API_KEY_COOKIE))
        return octets(rest);
    while (bondy_cookie_next(&rest, &name, &value))
        if (!bondy_access_hides(exchange, BONDY_API_KEY_COOKIE, name))
            bondy_buf_printf(&text, "%s" BONDY_SLICE_FMT "=" BONDY_SLICE_FMT,
                             text.len == 0 ? "" : "; ", BONDY_SLICE_ARG(name),
                             BONDY_SLICE_ARG(value));
    kept = octets(bondy_buf_slice(&text));
    bondy_buf_fini(&text);
    return kept;
}

/* Equal names are joined as RFC 9110, 5.3 allows. */
static void join_header(json_t *object, struct bondy_slice lower, json_t *text)
{
    json_t *before = json_object_getn(object, lower.data, lower.len);

    if (before != NULL) {
        json_t *joined = json_sprintf("%s%s%s", json_string_value(before),
                                      is_cookie(lower) ? "; " : ", ", json_string_value(text));

        json_decref(text);
        text = joined;
    }
    json_object_setn_new_nocheck(object, lower.data, lower.len, text);
}

static bool add_header(void *context, struct bondy_slice name, struct bondy_slice value)
{
    const struct filling *filling = context;
    char text[256];
    struct bondy_slice lower = {text, name.len};

    if (name.len >= sizeof text)
        return true;
    for (size_t i = 0; i < name.len; i++)
        text[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + 'a' - 'A'
                                                                    : name.data[i]);
    if (!bondy_access_hides(filling->exchange, BONDY_API_KEY_HEADER, lower))
        join_header(filling->object, lower,
                    is_cookie(lower) ? other_cookies(filling->exchange, value) : octets(value));
    return true;
}

static json_t *make_headers(struct bondy_exchange *exchange)
{
    struct filling filling = {exchange, json_object()};

    bondy_request_headers(exchange->request, add_header, &filling);
    return filling.object;
}

/* RFC 6265, 5.4, from the other side: name=value pairs, separated by "; ". */
static bool add_cookies(void *context, struct bondy_slice header, struct bondy_slice rest)
{
    const struct filling *filling = context;
    struct bondy_slice name, value;

    if (header.len != 6 || strncasecmp(header.data, "cookie", 6) != 0)
        return true;
    while (bondy_cookie_next(&rest, &name, &value))
        if (name.len > 0 && bondy_utf8_is_valid(name) &&
            !bondy_access_hides(filling->exchange, BONDY_API_KEY_COOKIE, name))
            json_object_setn_new_nocheck(filling->object, name.data, name.len, octets(value));
    return true;
}

static json_t *make_cookies(struct bondy_exchange *exchange)
{
    struct filling filling = {exchange, json_object()};

    bondy_request_headers(exchange->request, add_cookies, &filling);
    return filling.object;
}

static json_t *make_language(struct bondy_exchange *exchange)
{
    return json_string(exchange->language);
}

/* Whether a pair of the query is a credential: its name may be percent-encoded. */
static bool is_hidden_pair(const struct bondy_exchange *exchange, struct bondy_slice pair)
{
    const char *equals = pair.len == 0 ? NULL : memchr(pair.data, '=', pair.len);
    struct bondy_buf name = BONDY_BUF_EMPTY;
    bool is_hidden;

    if (equals != NULL)
        pair.len = (size_t)(equals - pair.data);
    is_hidden = bondy_form_decode(pair, &name) &&
                bondy_access_hides(exchange, BONDY_API_KEY_QUERY, bondy_buf_slice(&name));
    bondy_buf_fini(&name);
    return is_hidden;
}

/* The query without credentials, made by `use` into a value. */
static json_t *with_query(const struct bondy_exchange *exchange,
                          json_t *(*use)(struct bondy_slice query))
{
    struct bondy_slice rest = bondy_request_query(exchange->request);
    struct bondy_buf kept = BONDY_BUF_EMPTY;
    json_t *value;

    if (!bondy_access_hides_in(exchange, BONDY_API_KEY_QUERY))
        return use(rest);
    while (rest.len > 0) {
        const char *end = memchr(rest.data, '&', rest.len);
        struct bondy_slice pair = {rest.data, end == NULL ? rest.len : (size_t)(end - rest.data)};

        rest = bondy_slice_skip(rest, pair.len + (end != NULL));
        if (is_hidden_pair(exchange, pair))
            continue;
        if (kept.len > 0)
            bondy_buf_append_byte(&kept, '&');
        bondy_buf_append_slice(&kept, pair);
    }
    value = use(bondy_buf_slice(&kept));
    bondy_buf_fini(&kept);
    return value;
}

static json_t *last_values(struct bondy_slice query)
{
    return bondy_form_tree(query, BONDY_FORM_LAST);
}

static json_t *all_values(struct bondy_slice query)
{
    return bondy_form_tree(query, BONDY_FORM_LISTS);
}

static json_t *make_query_string(struct bondy_exchange *exchange)
{
    return with_query(exchange, bondy_json_slice);
}

static json_t *make_query_params(struct bondy_exchange *exchange)
{
    return with_query(exchange, last_values);
}

static json_t *make_query_lists(struct bondy_exchange *exchange)
{
    return with_query(exchange, all_values);
}

/* One of what keep_bindings() put together; returns where the next one is. */
static const char *take_binding(const char *at, struct bondy_slice *name, struct bondy_slice *value)
{
    size_t len;

    *name = bondy_slice_text(at);
    at += name->len + 1;
    memcpy(&len, at, sizeof len);
    at += sizeof len;
    *value = bondy_slice_of(at, len);
    return at + len;
}

struct bondy_slice bondy_exchange_binding(const struct bondy_exchange *exchange, const char *wanted)
{
    const char *at = exchange->bindings.data;

    for (size_t i = 0; i < exchange->binding_count; i++) {
        struct bondy_slice name, value;

        at = take_binding(at, &name, &value);
        if (bondy_slice_is(name, wanted))
            return value;
    }
    return BONDY_SLICE_EMPTY;
}

static json_t *make_bindings(struct bondy_exchange *exchange)
{
    const char *at = exchange->bindings.data;
    json_t *object = json_object();

    for (size_t i = 0; i < exchange->binding_count; i++) {
        struct bondy_slice name, value;

        at = take_binding(at, &name, &value);
        json_object_set_new_nocheck(object, name.data, json_stringn(value.data, value.len));
    }
    return object;
}

static json_t *make_body(struct bondy_exchange *exchange)
{
    return bondy_body_tree(exchange);
}

static json_t *make_body_length(struct bondy_exchange *exchange)
{
    return json_integer((json_int_t)bondy_request_body(exchange->request).len);
}

/* W3C Trace Context: version "-" 32 hexadecimal digits "-" ...; else the request's own id. */
static json_t *make_trace_id(struct bondy_exchange *exchange)
{
    struct bondy_slice parent = bondy_request_header(exchange->request, "traceparent");

    if (parent.len >= 55 && parent.data[2] == '-' && parent.data[35] == '-' &&
        strspn(parent.data + 3, "0123456789abcdef") == 32)
        return json_stringn(parent.data + 3, 32);
    return make_id(exchange);
}

/* ---- security -------------------------------------------------------------------------------- */

static const struct bondy_identity *identity_of(struct bondy_exchange *exchange)
{
    struct bondy_identity made = bondy_identity_anonymous;
    char uuid[37];

    if (exchange->identity == NULL) {
        bondy_id_uuid4(uuid);
        made.authid = bondy_slice_text(uuid);
        exchange->identity = bondy_identity_dup(&made);
    }
    return exchange->identity;
}

void bondy_exchange_identity(struct bondy_exchange *exchange, struct bondy_identity *out)
{
    /* Without one the router draws an authid; nobody here asked for it yet. */
    *out = exchange->identity == NULL ? bondy_identity_anonymous : *exchange->identity;
}

static json_t *make_realm_uri(struct bondy_exchange *exchange)
{
    return json_string(exchange->spec->realm_uri);
}

static json_t *make_session(struct bondy_exchange *exchange)
{
    if (exchange->session == NULL)
        return NULL;
    return json_integer((json_int_t)bondy_session_id(exchange->session));
}

static json_t *make_authid(struct bondy_exchange *exchange)
{
    return bondy_json_slice(identity_of(exchange)->authid);
}

static json_t *make_authmethod(struct bondy_exchange *exchange)
{
    return bondy_json_slice(identity_of(exchange)->authmethod);
}

static json_t *make_groups(struct bondy_exchange *exchange)
{
    const struct bondy_identity *identity = identity_of(exchange);
    json_t *groups = json_array();

    for (size_t i = 0; i < identity->group_count && !exchange->is_anonymous; i++)
        json_array_append_new(groups, bondy_json_slice(identity->groups[i]));
    return groups;
}

/* As it is now, and what the token knows of the device. */
static json_t *make_meta(struct bondy_exchange *exchange)
{
    const struct bondy_identity *identity = identity_of(exchange);
    json_t *meta = json_object_get(json_object_get(identity->extra, "authextra"), "meta");
    json_t *device = json_object_get(identity->token, "client_device_id");

    if (meta == NULL)
        meta = json_object();
    else if (device != NULL)
        meta = json_copy(meta);
    else
        return json_incref(meta);
    if (device != NULL)
        json_object_set(meta, "client_device_id", device);
    return meta;
}

/* Only a token says it. */
static json_t *make_client_id(struct bondy_exchange *exchange)
{
    return json_incref(json_object_get(identity_of(exchange)->token, "client_id"));
}

/* ---- the action's outcome -------------------------------------------------------------------- */

static json_t *field_out_value(const struct bondy_field_out *field)
{
    switch (field->type) {
    case BONDY_VALUE_BOOL:
        return json_boolean(field->flag);
    case BONDY_VALUE_INT:
        return json_integer((json_int_t)field->i64);
    case BONDY_VALUE_UINT:
        return json_sprintf("%llu", (unsigned long long)field->u64);
    case BONDY_VALUE_FLOAT:
        return json_real(field->f64);
    case BONDY_VALUE_TEXT:
    case BONDY_VALUE_BINARY:
        return bondy_json_slice(field->text);
    case BONDY_VALUE_LIST:
    case BONDY_VALUE_DICT:
        return json_incref(field->tree);
    case BONDY_VALUE_NULL:
        break;
    }
    return json_null();
}

static json_t *make_details(struct bondy_exchange *exchange)
{
    const struct bondy_message *message = exchange->message;
    json_t *object;

    if (message == NULL)
        return NULL;
    if (message->tree != NULL)
        return json_incref(message->tree);
    if (message->dict.len > 0)
        return bondy_value_tree(message->serializer, message->dict);
    object = json_object();
    for (size_t i = 0; i < message->field_count; i++)
        bondy_json_with(object, message->fields[i].key, field_out_value(&message->fields[i]));
    return object;
}

static json_t *make_request_id(struct bondy_exchange *exchange)
{
    return exchange->message == NULL ? NULL : json_integer((json_int_t)exchange->message->id);
}

static json_t *make_request_type(struct bondy_exchange *exchange)
{
    return exchange->message == NULL ? NULL
                                     : json_integer((json_int_t)exchange->message->request_type);
}

static bool is_bare_timeout(const struct bondy_exchange *exchange)
{
    const struct bondy_message *message = exchange->message;

    return exchange->failed && message->payload.args_count == 0 &&
           message->payload.kwargs_count == 0 && bondy_slice_is(message->uri, BONDY_ERR_TIMEOUT);
}

static json_t *make_args(struct bondy_exchange *exchange)
{
    if (exchange->message == NULL)
        return NULL;
    if (is_bare_timeout(exchange)) /* 7.3: says how long it was waited */
        return json_pack("[o]", json_sprintf("no answer within %llu ms",
                                             (unsigned long long)exchange->timeout_ms));
    return bondy_payload_args(&exchange->message->payload);
}

static json_t *make_kwargs(struct bondy_exchange *exchange)
{
    json_t *kwargs;

    if (exchange->message == NULL)
        return NULL;
    if (!is_bare_timeout(exchange))
        return bondy_payload_kwargs(&exchange->message->payload);
    kwargs = json_object();
    bondy_json_with(kwargs, "procedure_uri", bondy_json_slice(exchange->target));
    return bondy_json_with(kwargs, "timeout", json_integer((json_int_t)exchange->timeout_ms));
}

static json_t *make_publication_id(struct bondy_exchange *exchange)
{
    return exchange->publication == 0 ? NULL : json_integer((json_int_t)exchange->publication);
}

static json_t *make_result_headers(struct bondy_exchange *exchange)
{
    return json_incref(exchange->static_headers);
}

static json_t *make_result_body(struct bondy_exchange *exchange)
{
    return json_incref(exchange->static_body);
}

static json_t *make_result_status(struct bondy_exchange *exchange)
{
    return json_incref(exchange->static_status);
}

static json_t *make_error_uri(struct bondy_exchange *exchange)
{
    return exchange->message == NULL ? NULL : bondy_json_slice(exchange->message->uri);
}

static json_t *make_error_status(struct bondy_exchange *exchange)
{
    return exchange->error_status == 0 ? NULL : json_integer(exchange->error_status);
}

static json_t *make_status_codes(struct bondy_exchange *exchange)
{
    return json_incref(exchange->operation->status_codes);
}

/* ---- the table ------------------------------------------------------------------------------- */

enum when { ALWAYS, AFTER_RESULT, AFTER_ERROR };

static const struct {
    json_t *(*make)(struct bondy_exchange *exchange);
    enum when when;
} makers[BONDY_FIELDS] = {
    [BONDY_FIELD_REQUEST_ID] = {make_id, ALWAYS},
    [BONDY_FIELD_REQUEST_METHOD] = {make_method, ALWAYS},
    [BONDY_FIELD_REQUEST_SCHEME] = {make_scheme, ALWAYS},
    [BONDY_FIELD_REQUEST_PEERNAME] = {make_peername, ALWAYS},
    [BONDY_FIELD_REQUEST_SOURCE_IP] = {make_source_ip, ALWAYS},
    [BONDY_FIELD_REQUEST_PATH] = {make_path, ALWAYS},
    [BONDY_FIELD_REQUEST_HOST] = {make_host, ALWAYS},
    [BONDY_FIELD_REQUEST_PORT] = {make_port, ALWAYS},
    [BONDY_FIELD_REQUEST_HEADERS] = {make_headers, ALWAYS},
    [BONDY_FIELD_REQUEST_COOKIES] = {make_cookies, ALWAYS},
    [BONDY_FIELD_REQUEST_LANGUAGE] = {make_language, ALWAYS},
    [BONDY_FIELD_REQUEST_QUERY_STRING] = {make_query_string, ALWAYS},
    [BONDY_FIELD_REQUEST_QUERY_PARAMS] = {make_query_params, ALWAYS},
    [BONDY_FIELD_REQUEST_QUERY_LISTS] = {make_query_lists, ALWAYS},
    [BONDY_FIELD_REQUEST_BINDINGS] = {make_bindings, ALWAYS},
    [BONDY_FIELD_REQUEST_BODY] = {make_body, ALWAYS},
    [BONDY_FIELD_REQUEST_BODY_LENGTH] = {make_body_length, ALWAYS},
    [BONDY_FIELD_REQUEST_TRACE_ID] = {make_trace_id, ALWAYS},
    [BONDY_FIELD_SECURITY_REALM_URI] = {make_realm_uri, ALWAYS},
    [BONDY_FIELD_SECURITY_SESSION] = {make_session, ALWAYS},
    [BONDY_FIELD_SECURITY_CLIENT_ID] = {make_client_id, ALWAYS},
    [BONDY_FIELD_SECURITY_USERNAME] = {make_authid, ALWAYS},
    [BONDY_FIELD_SECURITY_AUTHID] = {make_authid, ALWAYS},
    [BONDY_FIELD_SECURITY_AUTHMETHOD] = {make_authmethod, ALWAYS},
    [BONDY_FIELD_SECURITY_GROUPS] = {make_groups, ALWAYS},
    [BONDY_FIELD_SECURITY_LOCALE] = {make_language, ALWAYS},
    [BONDY_FIELD_SECURITY_META] = {make_meta, ALWAYS},
    [BONDY_FIELD_RESULT_REQUEST_ID] = {make_request_id, AFTER_RESULT},
    [BONDY_FIELD_RESULT_DETAILS] = {make_details, AFTER_RESULT},
    [BONDY_FIELD_RESULT_ARGS] = {make_args, AFTER_RESULT},
    [BONDY_FIELD_RESULT_KWARGS] = {make_kwargs, AFTER_RESULT},
    [BONDY_FIELD_RESULT_PUBLICATION_ID] = {make_publication_id, AFTER_RESULT},
    [BONDY_FIELD_RESULT_HEADERS] = {make_result_headers, AFTER_RESULT},
    [BONDY_FIELD_RESULT_BODY] = {make_result_body, AFTER_RESULT},
    [BONDY_FIELD_RESULT_STATUS_CODE] = {make_result_status, AFTER_RESULT},
    [BONDY_FIELD_ERROR_REQUEST_TYPE] = {make_request_type, AFTER_ERROR},
    [BONDY_FIELD_ERROR_REQUEST_ID] = {make_request_id, AFTER_ERROR},
    [BONDY_FIELD_ERROR_DETAILS] = {make_details, AFTER_ERROR},
    [BONDY_FIELD_ERROR_ERROR_URI] = {make_error_uri, AFTER_ERROR},
    [BONDY_FIELD_ERROR_ARGS] = {make_args, AFTER_ERROR},
    [BONDY_FIELD_ERROR_KWARGS] = {make_kwargs, AFTER_ERROR},
    [BONDY_FIELD_ERROR_STATUS_CODE] = {make_error_status, AFTER_ERROR},
    [BONDY_FIELD_STATUS_CODES] = {make_status_codes, ALWAYS},
};

json_t *bondy_exchange_field(void *context, enum bondy_field field)
{
    struct bondy_exchange *exchange = context;

    if (exchange->fields[field] == NULL && makers[field].make != NULL &&
        (makers[field].when == ALWAYS || (makers[field].when == AFTER_ERROR) == exchange->failed))
        exchange->fields[field] = makers[field].make(exchange);
    return exchange->fields[field];
}

/* ---- evaluation ------------------------------------------------------------------------------ */

static void refuse_fault(struct bondy_exchange *exchange, const struct bondy_expr_error *err)
{
    struct bondy_problem problem = {
        .status = 400,
        .code = BONDY_ERR_INVALID_ARGUMENT,
        .message = err->message,
        .description = err->description,
    };
    json_t *extra = NULL;

    if (err->fault == BONDY_FAULT_CLIENT) {
        extra = json_pack("{s:s}", "pointer", err->pointer);
        problem.extra = extra;
    } else {
        problem.status = 500;
        problem.code = BONDY_ERR_INVALID_EXPRESSION;
        bondy_log(BONDY_LOG_WARN, "api_expression_failed", BONDY_F_STR("api", exchange->spec->id),
                  BONDY_F_STR("operation", exchange->operation->pointer),
                  BONDY_F_STR("problem", err->message));
    }
    bondy_exchange_refuse(exchange, &problem);
    json_decref(extra);
}

bool bondy_exchange_eval(struct bondy_exchange *exchange, const struct bondy_expr *expr,
                         json_t **out)
{
    const struct bondy_expr_source source = {bondy_exchange_field, exchange};
    struct bondy_expr_error err;
    json_t *constant = bondy_expr_constant(expr);

    if (constant != NULL) {
        *out = json_incref(constant);
        return true;
    }
    if (bondy_expr_eval(expr, &source, out, &err) == BONDY_OK)
        return true;
    refuse_fault(exchange, &err);
    return false;
}

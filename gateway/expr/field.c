/* SPDX-License-Identifier: Apache-2.0 */
/* field: what expressions can ask of a request. http-gateway.md 2.4. */
#include "gateway/expr/local.h"

struct row {
    const char *scope; /* "action.result" */
    const char *name;  /* "args" */
    const char *full;  /* "action.result.args" */
    unsigned types;
};

#define FIELD(scope, name, types)                                                                  \
    {                                                                                              \
        scope, name, scope "." name, types                                                         \
    }

static const struct row ROWS[BONDY_FIELDS] = {
    [BONDY_FIELD_REQUEST_ID] = FIELD("request", "id", T_STRING),
    [BONDY_FIELD_REQUEST_METHOD] = FIELD("request", "method", T_STRING),
    [BONDY_FIELD_REQUEST_SCHEME] = FIELD("request", "scheme", T_STRING),
    [BONDY_FIELD_REQUEST_PEERNAME] = FIELD("request", "peername", T_STRING),
    [BONDY_FIELD_REQUEST_SOURCE_IP] = FIELD("request", "source_ip", T_STRING),
    [BONDY_FIELD_REQUEST_PATH] = FIELD("request", "path", T_STRING),
    [BONDY_FIELD_REQUEST_HOST] = FIELD("request", "host", T_STRING),
    [BONDY_FIELD_REQUEST_PORT] = FIELD("request", "port", T_INTEGER),
    [BONDY_FIELD_REQUEST_HEADERS] = FIELD("request", "headers", T_OBJECT),
    [BONDY_FIELD_REQUEST_COOKIES] = FIELD("request", "cookies", T_OBJECT),
    [BONDY_FIELD_REQUEST_LANGUAGE] = FIELD("request", "language", T_STRING),
    [BONDY_FIELD_REQUEST_QUERY_STRING] = FIELD("request", "query_string", T_STRING),
    [BONDY_FIELD_REQUEST_QUERY_PARAMS] = FIELD("request", "query_params", T_OBJECT),
    [BONDY_FIELD_REQUEST_QUERY_LISTS] = FIELD("request", "query_lists", T_OBJECT),
    [BONDY_FIELD_REQUEST_BINDINGS] = FIELD("request", "bindings", T_OBJECT),
    [BONDY_FIELD_REQUEST_BODY] = FIELD("request", "body", T_ANY),
    [BONDY_FIELD_REQUEST_BODY_LENGTH] = FIELD("request", "body_length", T_INTEGER),
    [BONDY_FIELD_REQUEST_TRACE_ID] = FIELD("request", "trace_id", T_STRING),
    [BONDY_FIELD_SECURITY_REALM_URI] = FIELD("security", "realm_uri", T_STRING),
    [BONDY_FIELD_SECURITY_SESSION] = FIELD("security", "session", T_ANY),
    [BONDY_FIELD_SECURITY_CLIENT_ID] = FIELD("security", "client_id", T_STRING),
    [BONDY_FIELD_SECURITY_USERNAME] = FIELD("security", "username", T_STRING),
    [BONDY_FIELD_SECURITY_AUTHID] = FIELD("security", "authid", T_STRING),
    [BONDY_FIELD_SECURITY_AUTHMETHOD] = FIELD("security", "authmethod", T_STRING),
    [BONDY_FIELD_SECURITY_GROUPS] = FIELD("security", "groups", T_ARRAY),
    [BONDY_FIELD_SECURITY_LOCALE] = FIELD("security", "locale", T_STRING),
    [BONDY_FIELD_SECURITY_META] = FIELD("security", "meta", T_ANY),
    [BONDY_FIELD_RESULT_REQUEST_ID] = FIELD("action.result", "request_id", T_ANY),
    [BONDY_FIELD_RESULT_DETAILS] = FIELD("action.result", "details", T_OBJECT),
    [BONDY_FIELD_RESULT_ARGS] = FIELD("action.result", "args", T_ARRAY),
    [BONDY_FIELD_RESULT_KWARGS] = FIELD("action.result", "kwargs", T_OBJECT),
    [BONDY_FIELD_RESULT_PUBLICATION_ID] = FIELD("action.result", "publication_id", T_ANY),
    [BONDY_FIELD_RESULT_HEADERS] = FIELD("action.result", "headers", T_OBJECT),
    [BONDY_FIELD_RESULT_BODY] = FIELD("action.result", "body", T_ANY),
    [BONDY_FIELD_RESULT_BODY_DECODED] = FIELD("action.result", "body_decoded", T_ANY),
    [BONDY_FIELD_RESULT_STATUS_CODE] = FIELD("action.result", "status_code", T_ANY),
    [BONDY_FIELD_RESULT_URI] = FIELD("action.result", "uri", T_STRING),
    [BONDY_FIELD_ERROR_REQUEST_TYPE] = FIELD("action.error", "request_type", T_ANY),
    [BONDY_FIELD_ERROR_REQUEST_ID] = FIELD("action.error", "request_id", T_ANY),
    [BONDY_FIELD_ERROR_DETAILS] = FIELD("action.error", "details", T_OBJECT),
    [BONDY_FIELD_ERROR_ERROR_URI] = FIELD("action.error", "error_uri", T_STRING),
    [BONDY_FIELD_ERROR_ARGS] = FIELD("action.error", "args", T_ARRAY),
    [BONDY_FIELD_ERROR_KWARGS] = FIELD("action.error", "kwargs", T_OBJECT),
    [BONDY_FIELD_ERROR_STATUS_CODE] = FIELD("action.error", "status_code", T_ANY),
    [BONDY_FIELD_ERROR_HEADERS] = FIELD("action.error", "headers", T_OBJECT),
    [BONDY_FIELD_ERROR_BODY] = FIELD("action.error", "body", T_ANY),
    [BONDY_FIELD_ERROR_BODY_DECODED] = FIELD("action.error", "body_decoded", T_ANY),
    [BONDY_FIELD_STATUS_CODES] = {"", "status_codes", "status_codes", T_OBJECT},
};

const char *bondy_field_name(enum bondy_field field)
{
    return ROWS[field].full;
}

unsigned bondy_field_types(enum bondy_field field)
{
    return ROWS[field].types;
}

/* Names of older documents (1.8, 2.4). */
static struct bondy_slice modern_name(struct bondy_slice scope, struct bondy_slice name)
{
    bool is_action = bondy_slice_starts(scope, BONDY_SLICE("action."));

    if (is_action && bondy_slice_is(name, "arguments"))
        return BONDY_SLICE("args");
    if (is_action && bondy_slice_is(name, "arguments_kw"))
        return BONDY_SLICE("kwargs");
    if (!is_action && bondy_slice_is(name, "path_params"))
        return BONDY_SLICE("bindings");
    return name;
}

bool bondy_field_find(struct bondy_slice scope, struct bondy_slice name, enum bondy_field *out)
{
    name = modern_name(scope, name);
    for (unsigned i = 0; i < BONDY_FIELDS; i++) {
        if (!bondy_slice_is(scope, ROWS[i].scope) || !bondy_slice_is(name, ROWS[i].name))
            continue;
        *out = (enum bondy_field)i;
        return true;
    }
    return false;
}

bool bondy_field_range(struct bondy_slice scope, enum bondy_field *first, enum bondy_field *last)
{
    bool is_found = false;

    for (unsigned i = 0; i < BONDY_FIELD_STATUS_CODES; i++) {
        if (!bondy_slice_is(scope, ROWS[i].scope))
            continue;
        if (!is_found)
            *first = (enum bondy_field)i;
        *last = (enum bondy_field)i;
        is_found = true;
    }
    return is_found;
}

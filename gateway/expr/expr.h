/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXPR_EXPR_H
#define BONDY_GATEWAY_EXPR_EXPR_H

/* expr: compiled values of API specifications: JSON in which strings may hold `{{ ... |> ... }}`.
 *
 * A specification is compiled once (spec.h). What depends on its variables alone is a constant by
 * then; the rest is a small immutable tree that any number of threads evaluates at the same time,
 * each with its own request. What comes from a request, an identity or a callee is data: it is
 * never parsed, evaluated or unquoted. http-gateway.md part 2.
 *
 * Evaluation allocates the result tree and nothing else; constants and looked-up members are shared
 * by reference, so a result must never be changed in place. */

#include <stdbool.h>

#include "src/base/json.h"

/* What an expression can ask of a request. One call per member, so that the one who answers can
 * build expensive members (headers, query_params, ...) when they are first wanted. */
enum bondy_field {
    BONDY_FIELD_REQUEST_ID,
    BONDY_FIELD_REQUEST_METHOD,
    BONDY_FIELD_REQUEST_SCHEME,
    BONDY_FIELD_REQUEST_PEERNAME,
    BONDY_FIELD_REQUEST_SOURCE_IP,
    BONDY_FIELD_REQUEST_PATH,
    BONDY_FIELD_REQUEST_HOST,
    BONDY_FIELD_REQUEST_PORT,
    BONDY_FIELD_REQUEST_HEADERS,
    BONDY_FIELD_REQUEST_COOKIES,
    BONDY_FIELD_REQUEST_LANGUAGE,
    BONDY_FIELD_REQUEST_QUERY_STRING,
    BONDY_FIELD_REQUEST_QUERY_PARAMS,
    BONDY_FIELD_REQUEST_QUERY_LISTS,
    BONDY_FIELD_REQUEST_BINDINGS, /* also as path_params */
    BONDY_FIELD_REQUEST_BODY,
    BONDY_FIELD_REQUEST_BODY_LENGTH,
    BONDY_FIELD_REQUEST_TRACE_ID,
    BONDY_FIELD_SECURITY_REALM_URI,
    BONDY_FIELD_SECURITY_SESSION,
    BONDY_FIELD_SECURITY_CLIENT_ID,
    BONDY_FIELD_SECURITY_USERNAME,
    BONDY_FIELD_SECURITY_AUTHID,
    BONDY_FIELD_SECURITY_AUTHMETHOD,
    BONDY_FIELD_SECURITY_GROUPS,
    BONDY_FIELD_SECURITY_LOCALE,
    BONDY_FIELD_SECURITY_META,
    /* action.result.* : `arguments` and `arguments_kw` are compiled to args and kwargs. */
    BONDY_FIELD_RESULT_REQUEST_ID,
    BONDY_FIELD_RESULT_DETAILS,
    BONDY_FIELD_RESULT_ARGS,
    BONDY_FIELD_RESULT_KWARGS,
    BONDY_FIELD_RESULT_PUBLICATION_ID,
    BONDY_FIELD_RESULT_HEADERS,
    BONDY_FIELD_RESULT_BODY,
    BONDY_FIELD_RESULT_BODY_DECODED,
    BONDY_FIELD_RESULT_STATUS_CODE,
    BONDY_FIELD_RESULT_URI,
    /* action.error.* */
    BONDY_FIELD_ERROR_REQUEST_TYPE,
    BONDY_FIELD_ERROR_REQUEST_ID,
    BONDY_FIELD_ERROR_DETAILS,
    BONDY_FIELD_ERROR_ERROR_URI,
    BONDY_FIELD_ERROR_ARGS,
    BONDY_FIELD_ERROR_KWARGS,
    BONDY_FIELD_ERROR_STATUS_CODE,
    BONDY_FIELD_ERROR_HEADERS,
    BONDY_FIELD_ERROR_BODY,
    BONDY_FIELD_ERROR_BODY_DECODED,
    /* The merged status_codes of the operation being evaluated (struct bondy_operation). */
    BONDY_FIELD_STATUS_CODES,
    BONDY_FIELDS
};

/* "request.body": for messages and tests. */
const char *bondy_field_name(enum bondy_field field);

struct bondy_expr;

/* Where the members come from. The function returns a borrowed value that stays as it is until the
 * evaluation has ended, or NULL when this request has no such member (security.meta of an anonymous
 * request; action.* before the action). Constant text of the document never passes through it. */
struct bondy_expr_source {
    json_t *(*field)(void *context, enum bondy_field field);
    void *context;
};

enum bondy_expr_fault {
    /* The client sent what the expression cannot work with: 400 `wamp.error.invalid_argument` with
     * `pointer`. The expression is rooted in request.body, query_params, query_lists, headers or
     * cookies (or a binding has the wrong form). */
    BONDY_FAULT_CLIENT,
    /* Anything else: 500 `bondy.error.http_gateway.invalid_expression`. */
    BONDY_FAULT_SPEC
};

struct bondy_expr_error {
    enum bondy_expr_fault fault;
    char pointer[256]; /* JSON pointer into `request`: "/body/name"; "" with BONDY_FAULT_SPEC */
    char message[768]; /* names expression and value: bounded, valid UTF-8, secrets masked */
    const char *description; /* static text: who is to blame */
};

/* Evaluates. On success the caller owns *out. BONDY_EINVAL fills `err`.
 * Depth and steps were bounded when the expression was compiled; text made here, and the size of a
 * result that repeats its inputs, by BONDY_EXPR_MAX_TEXT. */
int bondy_expr_eval(const struct bondy_expr *expr, const struct bondy_expr_source *source,
                    json_t **out, struct bondy_expr_error *err);

#define BONDY_EXPR_MAX_TEXT ((size_t)16 << 20) /* octets */

/* The value of an expression that needs no request, borrowed; NULL when it needs one. */
json_t *bondy_expr_constant(const struct bondy_expr *expr);

/* Which parts of the context the value may touch: bits of enum bondy_expr_root. */
enum bondy_expr_root {
    BONDY_ROOT_REQUEST = 1,
    BONDY_ROOT_SECURITY = 2,
    BONDY_ROOT_RESULT = 4,
    BONDY_ROOT_ERROR = 8,
    BONDY_ROOT_STATUS = 16
};
unsigned bondy_expr_roots(const struct bondy_expr *expr);
/* Whether it asks for this member: e.g. a request body nobody asks for need not be decoded. */
bool bondy_expr_uses(const struct bondy_expr *expr, enum bondy_field field);
/* The expression is exactly this one member, nothing applied to it: `{{request.body}}`. Then what
 * was received may be passed on as it came. */
bool bondy_expr_is_field(const struct bondy_expr *expr, enum bondy_field field);

/* ---- outside of a specification ------------------------------------------------------------ */

/* One compiled value with all it needs, e.g. a filter of a bridge. */
struct bondy_expr_program;

/* Compiles `value`, which may use `variables` (an object or NULL) and everything else that a
 * response may use. BONDY_EINVAL: *problems (NULL allowed) is an array of {pointer, code, message,
 * expected?, suggestion?, column?}; pointers into `value` start with "/value". The caller owns what
 * comes out. */
int bondy_expr_program_create(const json_t *value, const json_t *variables,
                              struct bondy_expr_program **out, json_t **problems);
void bondy_expr_program_destroy(struct bondy_expr_program *program);
/* Borrowed. */
const struct bondy_expr *bondy_expr_program_root(const struct bondy_expr_program *program);

/* Milliseconds from a JSON number, decimal text, duration text ("15s", "2m", "500ms", "1h", "1d"),
 * or "infinity" (UINT64_MAX). False for anything else. For timeouts that are expressions. */
bool bondy_duration_ms(const json_t *value, uint64_t *out);

#endif

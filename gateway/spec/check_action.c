/* SPDX-License-Identifier: Apache-2.0 */
/* check_action: one row per action type: its keys, and how it is checked and compiled.
 * http-gateway.md 1.8. */
#include "gateway/spec/local.h"

#include "src/base/alloc.h"
#include "src/wamp/uri.h"

#define NEVER_IN_ACTION (BONDY_ROOT_RESULT | BONDY_ROOT_ERROR)

struct action_type {
    const char *name;
    enum bondy_action_kind kind;
    const char *keys[20];
    void (*check)(struct spec_loader *loader, struct expr_scope *scope, const json_t *action,
                  struct bondy_operation *out);
};

static const struct bondy_expr *compile_headers(struct spec_loader *loader, const json_t *object)
{
    const struct bondy_expr *expr = NULL;
    size_t mark = bondy_check_enter(loader, "headers");
    json_t *headers = json_object_get(object, "headers");

    if (headers != NULL)
        expr = bondy_check_constant(loader, bondy_check_headers(loader, headers));
    bondy_check_leave(loader, mark);
    return expr;
}

static const struct bondy_expr *compile_status(struct spec_loader *loader, const json_t *object)
{
    const struct bondy_expr *expr = NULL;
    size_t mark = bondy_check_enter(loader, "status_code");
    json_t *status = json_object_get(object, "status_code");

    if (status != NULL && bondy_check_status(loader, status, CHECK_MAY_WAIT))
        expr = bondy_expr_finish(&loader->compiler, status);
    bondy_check_leave(loader, mark);
    return expr;
}

static void check_static(struct spec_loader *loader, struct expr_scope *scope, const json_t *action,
                         struct bondy_operation *out)
{
    (void)scope;
    out->static_headers = compile_headers(loader, action);
    out->static_body = bondy_check_compile(loader, action, "body", T_ANY);
    out->static_status_code = compile_status(loader, action);
}

/* The URI of a procedure or topic: a constant is checked now, anything else when it is used. */
static void compile_uri(struct spec_loader *loader, const json_t *action, const char *key,
                        struct bondy_operation *out)
{
    const json_t *uri;
    size_t mark = bondy_check_enter(loader, key);

    if (json_object_get(action, key) == NULL)
        bondy_check_fail(loader, "missing_key", "a WAMP URI", "'%s' is required here", key);
    bondy_check_leave(loader, mark);
    out->uri = bondy_check_compile(loader, action, key, T_STRING);
    uri = out->uri == NULL ? NULL : bondy_expr_constant(out->uri);
    if (json_is_string(uri) &&
        !bondy_uri_is_valid(bondy_slice_of(json_string_value(uri), json_string_length(uri)),
                            BONDY_MATCH_EXACT, BONDY_URI_LOOSE))
        bondy_check_fail_at(loader, key, "invalid_uri", "a WAMP URI such as com.example.list",
                            "'%.200s' is not a valid WAMP URI", json_string_value(uri));
}

/* `args` or, as older documents have it, `arguments`. */
static const struct bondy_expr *compile_either(struct spec_loader *loader, const json_t *action,
                                               const char *key, const char *alias, unsigned types)
{
    if (json_object_get(action, key) != NULL && json_object_get(action, alias) != NULL)
        bondy_check_fail_at(loader, alias, "duplicate_key", key,
                            "'%s' and '%s' are the same: only one may be given", key, alias);
    if (json_object_get(action, key) == NULL && json_object_get(action, alias) != NULL)
        key = alias;
    return bondy_check_compile(loader, action, key, types | T_NULL);
}

static void check_timeouts(struct spec_loader *loader, const json_t *action)
{
    static const char *const KEYS[] = {"timeout", "connect_timeout", "retry_timeout", NULL};
    const json_t *retries = json_object_get(action, "retries");
    size_t mark;

    for (const char *const *key = KEYS; *key != NULL; key++) {
        mark = bondy_check_enter(loader, *key);
        if (json_object_get(action, *key) != NULL)
            bondy_check_duration(loader, json_object_get(action, *key), CHECK_MAY_WAIT);
        bondy_check_leave(loader, mark);
    }
    if (retries == NULL || (json_is_integer(retries) && json_integer_value(retries) == 0))
        return;
    mark = bondy_check_enter(loader, "retries");
    if (bondy_check_type(loader, retries, T_INTEGER, CHECK_MAY_WAIT))
        bondy_check_fail(loader, "not_implemented", "0", "retries are not built yet");
    bondy_check_leave(loader, mark);
}

/* What calls and publications have in common. */
static void check_message(struct spec_loader *loader, struct expr_scope *scope,
                          const json_t *action, struct bondy_operation *out)
{
    json_t *timeout = json_object_get(action, "timeout");

    out->options = bondy_check_compile(loader, action, "options", T_OBJECT | T_NULL);
    out->args = compile_either(loader, action, "args", "arguments", T_ARRAY);
    out->kwargs = compile_either(loader, action, "kwargs", "arguments_kw", T_OBJECT);
    bondy_check_member(loader, action, "payload", T_STRING);
    check_timeouts(loader, action);
    if (timeout != NULL)
        out->timeout = bondy_expr_finish(&loader->compiler, timeout);
    if (bondy_check_is_written(scope, "timeout")) {
        const json_t *given = bondy_check_default(loader, scope, "timeout");

        if (given == NULL || !bondy_duration_ms(given, &out->default_timeout_ms))
            out->default_timeout_ms = 0;
    }
}

static void check_call(struct spec_loader *loader, struct expr_scope *scope, const json_t *action,
                       struct bondy_operation *out)
{
    compile_uri(loader, action, "procedure", out);
    check_message(loader, scope, action, out);
}

/* The code behind it does all the rest; a procedure is called before it. */
static void check_endpoint(struct spec_loader *loader, struct expr_scope *scope,
                           const json_t *action, struct bondy_operation *out)
{
    struct spec_box *box = BONDY_CONTAINER(loader->spec, struct spec_box, spec);
    struct bondy_slice name = bondy_json_text(action, "endpoint");

    if (!loader->env->is_own)
        bondy_check_fail_at(loader, "type", "unsupported_action_type",
                            "static, wamp_call or wamp_publish",
                            "the action type 'endpoint' is for the program's own documents");
    else if (name.len == 0)
        bondy_check_fail_at(loader, "endpoint", "missing_key", NULL, "'endpoint' is required here");
    else
        out->endpoint = bondy_expr_pool_text(box->pool, name);
    if (json_object_get(action, "procedure") != NULL)
        check_call(loader, scope, action, out);
}

static void check_publish(struct spec_loader *loader, struct expr_scope *scope,
                          const json_t *action, struct bondy_operation *out)
{
    compile_uri(loader, action, "topic", out);
    check_message(loader, scope, action, out);
}

/* scheme://host[:port] and nothing behind it. */
static bool is_origin(const char *text)
{
    const char *rest = NULL;

    if (strncmp(text, "http://", 7) == 0)
        rest = text + 7;
    else if (strncmp(text, "https://", 8) == 0)
        rest = text + 8;
    return rest != NULL && *rest != 0 && strpbrk(rest, "/?#@ ") == NULL;
}

static void check_forward_host(struct spec_loader *loader, const json_t *action)
{
    const json_t *host = json_object_get(action, "host");
    size_t mark = bondy_check_enter(loader, "host");

    if (host == NULL)
        bondy_check_fail(loader, "missing_key", "http://host:port", "'host' is required here");
    else if (!bondy_check_type(loader, host, T_STRING, CHECK_MAY_WAIT))
        host = NULL;
    else if (bondy_check_is_deferred(loader, host) &&
             json_object_get(action, "allow_hosts") == NULL)
        bondy_check_fail(loader, "unsafe_host", "a host known at load, or allow_hosts",
                         "the host depends on the request: list what it may become in "
                         "'allow_hosts'");
    else if (json_is_string(host) && !is_origin(json_string_value(host)))
        bondy_check_fail(loader, "invalid_host", "http://host:port",
                         "'%.200s' is not scheme, host and optional port alone",
                         json_string_value(host));
    bondy_check_leave(loader, mark);
}

/* Not built yet, and still every mistake in it is named. */
static void check_forward(struct spec_loader *loader, struct expr_scope *scope,
                          const json_t *action, struct bondy_operation *out)
{
    static const char *const METHODS[] = {"get",   "head",   "post",    "put",
                                          "patch", "delete", "options", NULL};
    size_t mark;

    (void)scope;
    (void)out;
    check_forward_host(loader, action);
    compile_headers(loader, action);
    bondy_check_compile(loader, action, "path", T_STRING);
    bondy_check_compile(loader, action, "query_string", T_STRING);
    mark = bondy_check_enter(loader, "http_method");
    bondy_check_word(loader, json_object_get(action, "http_method"), METHODS);
    bondy_check_leave(loader, mark);
    check_timeouts(loader, action);
    bondy_check_fail_at(loader, "type", "unsupported_action_type",
                        "static, wamp_call or wamp_publish",
                        "the action type 'forward' is not built yet");
}

#define MESSAGE_KEYS                                                                               \
    "options", "args", "arguments", "kwargs", "arguments_kw", "payload", "timeout",                \
        "connect_timeout", "retries", "retry_timeout"

static const struct action_type TYPES[] = {
    {"static", BONDY_ACTION_STATIC, {"type", "headers", "body", "status_code", NULL}, check_static},
    {"wamp_call",
     BONDY_ACTION_CALL,
     {"type", "procedure", MESSAGE_KEYS, "progressive", NULL},
     check_call},
    {"wamp_publish", BONDY_ACTION_PUBLISH, {"type", "topic", MESSAGE_KEYS, NULL}, check_publish},
    {"endpoint",
     BONDY_ACTION_ENDPOINT,
     {"type", "endpoint", "procedure", MESSAGE_KEYS, NULL},
     check_endpoint},
    {"forward",
     BONDY_ACTION_NONE,
     {"type", "host", "http_method", "path", "query_string", "headers", "body", "timeout",
      "connect_timeout", "retries", "retry_timeout", "follow_redirects", "tls", "allow_hosts",
      "forward_authorization", NULL},
     check_forward},
};

const char *bondy_action_name(enum bondy_action_kind kind)
{
    for (size_t i = 0; i < BONDY_COUNT(TYPES); i++)
        if (TYPES[i].kind == kind && kind != BONDY_ACTION_NONE)
            return TYPES[i].name;
    return "none";
}

static const struct action_type *find_type(const char *name)
{
    for (size_t i = 0; i < BONDY_COUNT(TYPES); i++)
        if (strcmp(name, TYPES[i].name) == 0)
            return &TYPES[i];
    return NULL;
}

static void refuse_type(struct spec_loader *loader, const json_t *type)
{
    static const char *const NAMES[] = {"static", "wamp_call", "wamp_publish", "forward", NULL};
    size_t mark = bondy_check_enter(loader, "type");

    bondy_findings_add(
        &loader->findings, bondy_buf_slice(&loader->compiler.pointer),
        &(struct bondy_finding){
            .code = "unsupported_action_type",
            .expected = "static, wamp_call or wamp_publish",
            .suggestion = bondy_json_nearest(bondy_slice_text(json_string_value(type)), NAMES)},
        "there is no action type '%.100s'", json_string_value(type));
    bondy_check_leave(loader, mark);
}

void bondy_check_action(struct spec_loader *loader, struct expr_scope *scope, const json_t *action,
                        struct bondy_operation *out)
{
    const json_t *type = json_object_get(action, "type");
    const struct action_type *row;
    const json_t *security = bondy_check_default(loader, scope, "security");
    bool is_anonymous = json_is_object(security) && json_object_size(security) == 0;

    if (action != NULL && !bondy_check_type(loader, action, T_OBJECT, CHECK_NOW))
        return;
    if (type == NULL) {
        if (out->method != BONDY_METHOD_OPTIONS)
            bondy_check_fail_at(loader, "type", "action_type_missing",
                                "static, wamp_call or wamp_publish", "an action has a 'type'");
        return;
    }
    if (bondy_check_member(loader, action, "type", T_STRING) == NULL)
        return;
    row = find_type(json_string_value(type));
    if (row == NULL) {
        refuse_type(loader, type);
        return;
    }
    out->action = row->kind;
    bondy_check_keys(loader, action, row->keys);
    bondy_check_later(loader, action);
    row->check(loader, scope, action, out);
    bondy_check_roots(loader, action, NEVER_IN_ACTION, is_anonymous ? BONDY_ROOT_SECURITY : 0);
}

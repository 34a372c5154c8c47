/* SPDX-License-Identifier: Apache-2.0 */
/* check_response: on_result, on_error, on_timeout. http-gateway.md 1.9. */
#include "gateway/spec/check.h"

static void check_headers(struct spec_loader *loader, struct expr_scope *scope, json_t *rule,
                          struct bondy_response_rule *out)
{
    size_t mark = bondy_check_enter(loader, "headers");
    json_t *headers = json_object_get(rule, "headers");
    json_t *given = headers;

    out->has_headers = headers != NULL;
    if (headers == NULL)
        given = bondy_check_default(loader, scope, "headers");
    if (headers != NULL)
        out->headers = bondy_check_constant(loader, bondy_check_headers(loader, headers));
    else if (given != NULL)
        out->headers = bondy_check_constant(loader, bondy_check_lower(loader, given));
    bondy_check_leave(loader, mark);
}

static const struct bondy_expr *compile_status(struct spec_loader *loader, const json_t *rule)
{
    const struct bondy_expr *expr = NULL;
    json_t *status = json_object_get(rule, "status_code");
    size_t mark = bondy_check_enter(loader, "status_code");

    if (status != NULL && bondy_check_status(loader, status, CHECK_MAY_WAIT))
        expr = bondy_expr_finish(&loader->compiler, status);
    bondy_check_leave(loader, mark);
    return expr;
}

static bool sniffs_json(struct spec_loader *loader, struct expr_scope *scope, const json_t *rule)
{
    static const char *const WORDS[] = {"auto", "json", NULL};
    const json_t *encoding = json_object_get(rule, "body_encoding");
    size_t mark = bondy_check_enter(loader, "body_encoding");

    if (encoding != NULL && !bondy_check_word(loader, encoding, WORDS))
        encoding = NULL;
    bondy_check_leave(loader, mark);
    if (encoding == NULL)
        encoding = bondy_check_default(loader, scope, "body_encoding");
    if (!json_is_string(encoding))
        return loader->spec->spec_version == 1;
    return strcmp(json_string_value(encoding), "auto") == 0;
}

static void check_rule(struct spec_loader *loader, struct expr_scope *scope, json_t *rule,
                       struct bondy_response_rule *out)
{
    static const char *const KEYS[] = {"headers", "body",          "status_code",
                                       "uri",     "body_encoding", NULL};

    if (rule != NULL && !bondy_check_type(loader, rule, T_OBJECT, CHECK_NOW))
        rule = NULL;
    out->is_given = rule != NULL;
    bondy_check_keys(loader, rule, KEYS);
    check_headers(loader, scope, rule, out);
    out->has_body = json_object_get(rule, "body") != NULL;
    out->body = bondy_check_compile(loader, rule, "body", T_ANY);
    if (out->body == NULL)
        out->body = bondy_check_constant(loader, json_string(""));
    if (out->headers == NULL)
        out->headers = bondy_check_constant(loader, json_object());
    out->status_code = compile_status(loader, rule);
    out->uri = bondy_check_compile(loader, rule, "uri", T_STRING);
    out->sniffs_json = sniffs_json(loader, scope, rule);
}

static void check_named(struct spec_loader *loader, struct expr_scope *scope,
                        const json_t *response, const char *key, unsigned hardly,
                        struct bondy_response_rule *out)
{
    json_t *rule = json_object_get(response, key);
    size_t mark = bondy_check_enter(loader, key);

    check_rule(loader, scope, rule, out);
    bondy_check_roots(loader, rule, 0, hardly);
    bondy_check_leave(loader, mark);
}

void bondy_check_response(struct spec_loader *loader, struct expr_scope *scope,
                          const json_t *response, struct bondy_operation *out)
{
    static const char *const KEYS[] = {"on_result", "on_error", "on_timeout", NULL};
    const json_t *security = bondy_check_default(loader, scope, "security");
    unsigned hardly =
        json_is_object(security) && json_object_size(security) == 0 ? BONDY_ROOT_SECURITY : 0;

    if (response != NULL && !bondy_check_type(loader, response, T_OBJECT, CHECK_NOW))
        response = NULL;
    bondy_check_keys(loader, response, KEYS);
    check_named(loader, scope, response, "on_result", hardly | BONDY_ROOT_ERROR, &out->on_result);
    check_named(loader, scope, response, "on_error", hardly | BONDY_ROOT_RESULT, &out->on_error);
    if (json_object_get(response, "on_timeout") == NULL)
        out->on_timeout = out->on_error;
    else
        check_named(loader, scope, response, "on_timeout", hardly | BONDY_ROOT_RESULT,
                    &out->on_timeout);
}

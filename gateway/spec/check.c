/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/spec/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"

#define MAX_KEYS 64

size_t bondy_check_enter(struct spec_loader *loader, const char *key)
{
    size_t mark = loader->compiler.pointer.len;

    bondy_json_pointer_push(&loader->compiler.pointer, bondy_slice_text(key));
    return mark;
}

size_t bondy_check_enter_index(struct spec_loader *loader, size_t index)
{
    size_t mark = loader->compiler.pointer.len;

    bondy_json_pointer_push_index(&loader->compiler.pointer, index);
    return mark;
}

void bondy_check_leave(struct spec_loader *loader, size_t mark)
{
    bondy_json_pointer_pop(&loader->compiler.pointer, mark);
}

static void __attribute__((format(printf, 3, 0)))
report(struct spec_loader *loader, const struct bondy_finding *finding, const char *format,
       va_list args)
{
    char message[900];

    vsnprintf(message, sizeof message, format, args);
    bondy_findings_add(&loader->findings, bondy_buf_slice(&loader->compiler.pointer), finding, "%s",
                       message);
}

void bondy_check_fail(struct spec_loader *loader, const char *code, const char *expected,
                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(loader, &(struct bondy_finding){.code = code, .expected = expected}, format, args);
    va_end(args);
}

void bondy_check_warn(struct spec_loader *loader, const char *code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(loader, &(struct bondy_finding){.code = code, .is_warning = true}, format, args);
    va_end(args);
}

void bondy_check_fail_at(struct spec_loader *loader, const char *key, const char *code,
                         const char *expected, const char *format, ...)
{
    size_t mark = bondy_check_enter(loader, key);
    va_list args;

    va_start(args, format);
    report(loader, &(struct bondy_finding){.code = code, .expected = expected}, format, args);
    va_end(args);
    bondy_check_leave(loader, mark);
}

bool bondy_check_is_deferred(struct spec_loader *loader, const json_t *value)
{
    return bondy_expr_is_deferred(&loader->compiler, value);
}

bool bondy_check_type(struct spec_loader *loader, const json_t *value, unsigned types,
                      enum check_when when)
{
    bool is_deferred = value != NULL && bondy_check_is_deferred(loader, value);

    if (value == NULL || bondy_expr_is_poison(&loader->compiler, value))
        return false;
    if (is_deferred && when == CHECK_NOW) {
        bondy_check_fail(loader, "not_constant", bondy_expr_type_name(types),
                         "this has to be known when the specification is loaded; the expression "
                         "depends on the request");
        return false;
    }
    if ((bondy_expr_types(&loader->compiler, value) & types) != 0)
        return true;
    bondy_check_fail(loader, "invalid_type", bondy_expr_type_name(types), "this is %s, expected %s",
                     bondy_expr_type_name(bondy_expr_types(&loader->compiler, value)),
                     bondy_expr_type_name(types));
    return false;
}

json_t *bondy_check_member(struct spec_loader *loader, const json_t *object, const char *key,
                           unsigned types)
{
    json_t *value = json_object_get(object, key);
    size_t mark = bondy_check_enter(loader, key);

    if (!bondy_check_type(loader, value, types, CHECK_NOW))
        value = NULL;
    bondy_check_leave(loader, mark);
    return value;
}

static bool is_known(const char *key, const char *const *known)
{
    if (strncmp(key, "x-", 2) == 0)
        return true;
    for (; *known != NULL; known++)
        if (strcmp(key, *known) == 0)
            return true;
    return false;
}

void bondy_check_keys(struct spec_loader *loader, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        size_t mark;

        if (is_known(key, known))
            continue;
        mark = bondy_check_enter(loader, key);
        bondy_findings_add(
            &loader->findings, bondy_buf_slice(&loader->compiler.pointer),
            &(struct bondy_finding){.code = "unknown_key",
                                    .suggestion = bondy_json_nearest(bondy_slice_text(key), known)},
            "there is no key '%.200s' here", key);
        bondy_check_leave(loader, mark);
    }
}

bool bondy_check_word(struct spec_loader *loader, const json_t *value, const char *const *words)
{
    struct bondy_buf list = BONDY_BUF_EMPTY;
    char *expected;

    if (!bondy_check_type(loader, value, T_STRING, CHECK_NOW))
        return false;
    for (const char *const *word = words; *word != NULL; word++) {
        if (strcmp(json_string_value(value), *word) == 0) {
            bondy_buf_fini(&list);
            return true;
        }
        bondy_buf_printf(&list, "%s'%s'", list.len > 0 ? ", " : "", *word);
    }
    expected = bondy_buf_take_text(&list);
    bondy_findings_add(
        &loader->findings, bondy_buf_slice(&loader->compiler.pointer),
        &(struct bondy_finding){
            .code = "invalid_value",
            .expected = expected,
            .suggestion = bondy_json_nearest(bondy_slice_text(json_string_value(value)), words)},
        "'%.200s' is not one of %s", json_string_value(value), expected);
    bondy_free(expected);
    return false;
}

bool bondy_check_integer(struct spec_loader *loader, const json_t *value, json_int_t least)
{
    if (!bondy_check_type(loader, value, T_INTEGER, CHECK_NOW))
        return false;
    if (json_integer_value(value) >= least)
        return true;
    bondy_check_fail(loader, "invalid_value", NULL,
                     "%" JSON_INTEGER_FORMAT " is too small: at least %" JSON_INTEGER_FORMAT
                     " expected",
                     json_integer_value(value), least);
    return false;
}

bool bondy_check_duration(struct spec_loader *loader, const json_t *value, enum check_when when)
{
    uint64_t ms;

    if (!bondy_check_type(loader, value, T_NUMBER | T_STRING, when))
        return false;
    if (bondy_check_is_deferred(loader, value) || bondy_duration_ms(value, &ms))
        return true;
    bondy_check_fail(loader, "invalid_duration", "milliseconds, or text such as \"15s\"",
                     "not a duration: milliseconds as a number, text such as \"15s\", or "
                     "\"infinity\" expected");
    return false;
}

bool bondy_check_status(struct spec_loader *loader, const json_t *value, enum check_when when)
{
    long long code;
    char *end = "";

    if (!bondy_check_type(loader, value, T_INTEGER | T_STRING, when))
        return false;
    if (bondy_check_is_deferred(loader, value))
        return true;
    code = json_is_integer(value) ? json_integer_value(value)
                                  : strtoll(json_string_value(value), &end, 10);
    if (*end == 0 && code >= 100 && code <= 599)
        return true;
    bondy_check_fail(loader, "invalid_status", "100 to 599",
                     "not an HTTP status code: 100 to 599 "
                     "expected");
    return false;
}

const struct bondy_expr *bondy_check_constant(struct spec_loader *loader, json_t *taken)
{
    const struct bondy_expr *expr = bondy_expr_finish(&loader->compiler, taken);

    json_decref(taken);
    return expr;
}

const struct bondy_expr *bondy_check_compile(struct spec_loader *loader, const json_t *object,
                                             const char *key, unsigned types)
{
    json_t *value = json_object_get(object, key);
    const struct bondy_expr *expr = NULL;
    size_t mark = bondy_check_enter(loader, key);

    if (bondy_check_type(loader, value, types, CHECK_MAY_WAIT))
        expr = bondy_expr_finish(&loader->compiler, value);
    bondy_check_leave(loader, mark);
    return expr;
}

static void report_roots(struct spec_loader *loader, unsigned roots, unsigned never,
                         unsigned hardly)
{
    if ((roots & never) != 0)
        bondy_check_fail(loader, "unavailable_value", "request, security or variables",
                         "'%s' does not exist yet when an action starts",
                         (roots & never & BONDY_ROOT_RESULT) != 0 ? "action.result"
                                                                  : "action.error");
    else if ((roots & hardly & BONDY_ROOT_SECURITY) != 0)
        bondy_check_warn(loader, "anonymous_security",
                         "'security' is used where the security type is not authenticated: it "
                         "describes an anonymous caller");
    else if ((roots & hardly) != 0)
        bondy_check_warn(loader, "unavailable_value", "'%s' is not there when this is evaluated",
                         (roots & hardly & BONDY_ROOT_RESULT) != 0 ? "action.result"
                                                                   : "action.error");
}

void bondy_check_roots(struct spec_loader *loader, const json_t *value, unsigned never,
                       unsigned hardly)
{
    json_t *item;
    const char *key;
    size_t i;

    if (value == NULL || bondy_expr_is_settled(&loader->compiler, value) ||
        !bondy_expr_spend(&loader->compiler, 1))
        return;
    if (bondy_check_is_deferred(loader, value)) {
        report_roots(loader, bondy_expr_roots(bondy_expr_node(&loader->compiler, (json_t *)value)),
                     never, hardly);
        return;
    }
    json_array_foreach(value, i, item)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        bondy_check_roots(loader, item, never, hardly);
        bondy_check_leave(loader, mark);
    }
    json_object_foreach((json_t *)value, key, item)
    {
        size_t mark = bondy_check_enter(loader, key);

        bondy_check_roots(loader, item, never, hardly);
        bondy_check_leave(loader, mark);
    }
}

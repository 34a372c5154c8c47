/* SPDX-License-Identifier: Apache-2.0 */
/* eval: turns a compiled expression and one request into a value. Three outcomes everywhere:
 * a value, "nothing there" (BONDY_ENOENT, which default() may still cure), or a failure whose text
 * is written (BONDY_EINVAL). */
#include "gateway/expr/local.h"

#include <stdarg.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/utf8.h"

#define SHOWN_VALUE 256

static int eval(struct expr_run *run, const struct bondy_expr *expr, json_t **out);

/* ---- messages ------------------------------------------------------------------------------ */

static const char ASK_CLIENT[] =
    "The request lacks what this operation needs, or has it in another form.";
static const char ASK_AUTHOR[] = "The expression in the API specification is at fault, or the "
                                 "action's answer lacks a member that it needs.";

bool bondy_expr_is_secret(const char *name)
{
    static const char *const WORDS[] = {"authorization", "cookie",  "password",    "passwd",
                                        "secret",        "token",   "ticket",      "api_key",
                                        "apikey",        "api-key", "private_key", "credential"};

    for (size_t i = 0; i < BONDY_COUNT(WORDS); i++)
        if (strcasestr(name, WORDS[i]) != NULL)
            return true;
    return false;
}

/* Appends text up to `cap` bytes in all, never half a character. */
static void append_bounded(struct bondy_buf *out, struct bondy_slice text, size_t cap)
{
    size_t room = cap > out->len ? cap - out->len : 0;

    if (text.len > room) {
        text.len = room;
        while (text.len > 0 && !bondy_utf8_is_valid(text))
            text.len--;
    }
    bondy_buf_append_slice(out, text);
}

static void show_members(struct bondy_buf *out, const json_t *value, size_t cap);

static void show(struct bondy_buf *out, const json_t *value, size_t cap)
{
    char *text;

    if (out->len >= cap)
        return;
    if (json_is_object(value) || json_is_array(value)) {
        show_members(out, value, cap);
        return;
    }
    if (json_is_string(value) && json_string_length(value) > cap) {
        append_bounded(out, BONDY_SLICE("\""), cap);
        append_bounded(out, bondy_slice_of(json_string_value(value), cap), cap);
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    append_bounded(out, bondy_slice_text(text == NULL ? "?" : text), cap);
    free(text);
}

static void show_members(struct bondy_buf *out, const json_t *value, size_t cap)
{
    bool is_object = json_is_object(value);
    void *at = is_object ? json_object_iter((json_t *)value) : NULL;
    size_t count = is_object ? json_object_size(value) : json_array_size(value);

    append_bounded(out, bondy_slice_text(is_object ? "{" : "["), cap);
    for (size_t i = 0; i < count && out->len < cap; i++) {
        if (i > 0)
            append_bounded(out, BONDY_SLICE(","), cap);
        if (!is_object) {
            show(out, json_array_get(value, i), cap);
            continue;
        }
        append_bounded(out, BONDY_SLICE("\""), cap);
        append_bounded(out, bondy_slice_text(json_object_iter_key(at)), cap);
        append_bounded(out, BONDY_SLICE("\":"), cap);
        if (bondy_expr_is_secret(json_object_iter_key(at)))
            append_bounded(out, BONDY_SLICE("\"***\""), cap);
        else
            show(out, json_object_iter_value(at), cap);
        at = json_object_iter_next((json_t *)value, at);
    }
    append_bounded(out, bondy_slice_text(is_object ? "}" : "]"), cap);
}

void bondy_expr_show(struct bondy_buf *out, const json_t *value, size_t cap)
{
    size_t limit = out->len + cap;

    show(out, value, limit);
    if (out->len >= limit)
        bondy_buf_append_text(out, "...");
}

/* Where an expression starts: the field, with the keys read from it. */
static const struct bondy_expr *root_of(const struct bondy_expr *expr)
{
    while (expr->kind == EXPR_PIPE)
        expr = expr->as.pipe.inner;
    return expr;
}

static bool root_field(const struct bondy_expr *root, enum bondy_field *out)
{
    if (root->kind == EXPR_MEMBER)
        root = root_of(root->as.member.inner);
    if (root->kind == EXPR_MEMBER && root->as.member.inner->kind == EXPR_FIELD)
        root = root->as.member.inner;
    if (root->kind != EXPR_FIELD)
        return false;
    *out = root->as.field;
    return true;
}

/* 2.5: what the client sent, as opposed to what the author or the callee wrote. */
static bool is_clients(enum bondy_field field, bool is_missing)
{
    switch (field) {
    case BONDY_FIELD_REQUEST_BODY:
    case BONDY_FIELD_REQUEST_QUERY_PARAMS:
    case BONDY_FIELD_REQUEST_QUERY_LISTS:
    case BONDY_FIELD_REQUEST_HEADERS:
    case BONDY_FIELD_REQUEST_COOKIES:
        return true;
    case BONDY_FIELD_REQUEST_BINDINGS:
        /* A name that the pattern lacks is the author's; text that is no number the client's. */
        return !is_missing;
    default:
        return false;
    }
}

static void append_keys(struct bondy_buf *pointer, const struct bondy_expr *root, uint32_t count)
{
    if (root->kind != EXPR_MEMBER)
        return;
    for (uint32_t i = 0; i < root->as.member.count && i < count; i++)
        bondy_json_pointer_push(pointer, bondy_slice_text(root->as.member.keys[i]));
}

/* Fills fault, pointer and description of the error about `expr`. */
static void blame(struct expr_run *run, const struct bondy_expr *expr, uint32_t key_count,
                  const char *member, bool is_missing)
{
    struct bondy_expr_error *error = run->error;
    const struct bondy_expr *root = root_of(expr);
    struct bondy_buf pointer = BONDY_BUF_EMPTY;
    enum bondy_field field;

    error->fault = BONDY_FAULT_SPEC;
    error->description = ASK_AUTHOR;
    error->pointer[0] = 0;
    if (!root_field(root, &field) || !is_clients(field, is_missing))
        return;
    error->fault = BONDY_FAULT_CLIENT;
    error->description = ASK_CLIENT;
    bondy_json_pointer_push(&pointer,
                            bondy_slice_text(bondy_field_name(field) + strlen("request.")));
    append_keys(&pointer, root, key_count);
    if (member != NULL)
        bondy_json_pointer_push(&pointer, bondy_slice_text(member));
    append_bounded(&pointer, BONDY_SLICE_EMPTY, sizeof error->pointer - 1);
    if (pointer.len >= sizeof error->pointer) {
        pointer.len = sizeof error->pointer - 1;
        while (!bondy_utf8_is_valid(bondy_buf_slice(&pointer)))
            pointer.len--;
    }
    memcpy(error->pointer, pointer.data, pointer.len);
    error->pointer[pointer.len] = 0;
    bondy_buf_fini(&pointer);
}

static void set_message(struct bondy_expr_error *error, struct bondy_buf *text)
{
    struct bondy_slice shown = bondy_buf_slice(text);

    if (shown.len >= sizeof error->message)
        shown.len = sizeof error->message - 1;
    while (shown.len > 0 && !bondy_utf8_is_valid(shown))
        shown.len--;
    memcpy(error->message, shown.data, shown.len);
    error->message[shown.len] = 0;
    bondy_buf_fini(text);
}

static void append_path(struct bondy_buf *out, const struct bondy_expr *expr, uint32_t key_count)
{
    if (expr->kind == EXPR_FIELD) {
        bondy_buf_append_text(out, bondy_field_name(expr->as.field));
    } else if (expr->kind == EXPR_MEMBER) {
        append_path(out, expr->as.member.inner, UINT32_MAX);
        for (uint32_t i = 0; i < expr->as.member.count && i < key_count; i++) {
            bondy_buf_append_byte(out, '.');
            bondy_buf_append_text(out, expr->as.member.keys[i]);
        }
    } else {
        bondy_buf_append_text(out, expr->text == NULL ? "?" : expr->text);
    }
}

static int fail_missing(struct expr_run *run)
{
    const struct bondy_expr *expr = run->missing;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    bool is_direct = expr->kind == EXPR_PIPE && root_of(expr) == expr->as.pipe.inner;
    bool is_member = run->missing_member[0] != 0;

    if (run->error == NULL)
        return BONDY_EINVAL;
    if (is_member) {
        bondy_buf_printf(&text, "no member '%s' for '", run->missing_member);
        append_bounded(&text, bondy_slice_text(expr->text == NULL ? "get" : expr->text), 500);
    } else {
        bondy_buf_append_text(&text, "no value for path '");
        append_path(&text, expr, run->missing_key + 1);
    }
    bondy_buf_append_byte(&text, '\'');
    blame(run, expr, is_member ? UINT32_MAX : run->missing_key + 1,
          is_member && is_direct ? run->missing_member : NULL, true);
    set_message(run->error, &text);
    return BONDY_EINVAL;
}

static bool reads_secret(const struct bondy_expr *root)
{
    enum bondy_field field;

    if (root_field(root, &field) && field == BONDY_FIELD_REQUEST_COOKIES)
        return true;
    for (uint32_t i = 0; root->kind == EXPR_MEMBER && i < root->as.member.count; i++)
        if (bondy_expr_is_secret(root->as.member.keys[i]))
            return true;
    return false;
}

int bondy_expr_refuse(struct expr_call *call, const json_t *left, const char *format, ...)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char reason[300];
    va_list args;

    if (call->run->error == NULL)
        return BONDY_EINVAL;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    bondy_buf_printf(&text, "%s: %s", call->use->op->name, reason);
    if (left != NULL) {
        bondy_buf_append_text(&text, ", got ");
        if (call->whole != NULL &&
            (reads_secret(root_of(call->whole)) ||
             (call->whole->text != NULL && bondy_expr_is_secret(call->whole->text))))
            bondy_buf_append_text(&text, "***");
        else
            bondy_expr_show(&text, left, SHOWN_VALUE);
    }
    if (call->whole != NULL && call->whole->text != NULL) {
        bondy_buf_append_text(&text, " in '");
        append_bounded(&text, bondy_slice_text(call->whole->text), text.len + 256);
        bondy_buf_append_byte(&text, '\'');
    }
    if (call->whole != NULL)
        blame(call->run, call->whole, UINT32_MAX, NULL, false);
    set_message(call->run->error, &text);
    return BONDY_EINVAL;
}

int bondy_expr_absent(struct expr_call *call, struct bondy_slice member)
{
    struct expr_run *run = call->run;

    run->missing = call->whole;
    if (member.len >= sizeof run->missing_member)
        member.len = sizeof run->missing_member - 1;
    while (!bondy_utf8_is_valid(member))
        member.len--;
    memcpy(run->missing_member, member.data, member.len);
    run->missing_member[member.len] = 0;
    return BONDY_ENOENT;
}

/* ---- operators ----------------------------------------------------------------------------- */

int bondy_expr_arg(struct expr_call *call, uint32_t index, json_t **out)
{
    const struct bondy_expr *arg = call->use->args[index];

    if (arg->kind == EXPR_CONSTANT) {
        *out = arg->as.constant;
        return BONDY_OK;
    }
    if (call->held[index] == NULL) {
        int rc = eval(call->run, arg, &call->held[index]);

        if (rc < 0)
            return rc;
    }
    *out = call->held[index];
    return BONDY_OK;
}

int bondy_expr_apply(struct expr_run *run, const struct bondy_expr *whole,
                     const struct bondy_expr *inner, const struct expr_use *use, json_t *left,
                     json_t **out)
{
    struct expr_call call;
    int rc;

    if (left == NULL && !use->op->takes_missing)
        return BONDY_ENOENT;
    if (left != NULL && use->op->passes_empty && json_is_string(left) &&
        json_string_length(left) == 0) {
        *out = json_incref(left);
        return BONDY_OK;
    }
    call.run = run;
    call.use = use;
    call.whole = whole;
    call.inner = inner;
    memset(call.held, 0, use->arg_count * sizeof(json_t *));
    if (left != NULL && (use->op->accepts & bondy_expr_type_of(left)) == 0)
        return bondy_expr_refuse(&call, left, "expected %s",
                                 bondy_expr_type_name(use->op->accepts));
    rc = use->op->apply(&call, left, out);
    for (uint32_t i = 0; i < use->arg_count; i++)
        json_decref(call.held[i]);
    return rc;
}

static int eval_pipe(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    json_t *left = NULL;
    int rc = eval(run, expr->as.pipe.inner, &left);

    for (uint32_t i = 0; i < expr->as.pipe.count; i++) {
        json_t *result = NULL;

        if (rc == BONDY_EINVAL)
            break;
        if (rc == BONDY_ENOENT && !expr->as.pipe.uses[i].op->takes_missing)
            continue;
        rc = bondy_expr_apply(run, expr, i == 0 ? expr->as.pipe.inner : NULL,
                              &expr->as.pipe.uses[i], left, &result);
        json_decref(left);
        left = result;
    }
    if (rc < 0)
        return rc;
    *out = left;
    return BONDY_OK;
}

/* ---- values -------------------------------------------------------------------------------- */

static int miss(struct expr_run *run, const struct bondy_expr *expr, uint32_t key)
{
    run->missing = expr;
    run->missing_key = key;
    run->missing_member[0] = 0;
    return BONDY_ENOENT;
}

static int eval_field(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    json_t *value = run->source->field(run->source->context, expr->as.field);

    if (value == NULL)
        return miss(run, expr, 0);
    *out = json_incref(value);
    return BONDY_OK;
}

static int eval_member(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    json_t *owner = NULL;
    json_t *value;
    int rc = eval(run, expr->as.member.inner, &owner);

    if (rc < 0)
        return rc;
    value = owner;
    for (uint32_t i = 0; i < expr->as.member.count; i++) {
        value = json_object_get(value, expr->as.member.keys[i]);
        if (value != NULL)
            continue;
        json_decref(owner);
        return miss(run, expr, i);
    }
    *out = json_incref(value);
    json_decref(owner);
    return BONDY_OK;
}

static int eval_whole(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    json_t *object = json_object();

    for (unsigned f = expr->as.whole.first; f <= (unsigned)expr->as.whole.last; f++) {
        json_t *value = run->source->field(run->source->context, (enum bondy_field)f);
        const char *name = strrchr(bondy_field_name((enum bondy_field)f), '.') + 1;

        if (value != NULL)
            json_object_set(object, name, value);
    }
    *out = object;
    return BONDY_OK;
}

/* 2.1: text as it is, numbers in their shortest form, containers as compact JSON. */
static int append_value(struct expr_run *run, const struct bondy_expr *expr, const json_t *value,
                        struct bondy_buf *text)
{
    if (json_is_string(value))
        bondy_buf_append(text, json_string_value(value), json_string_length(value));
    else if (bondy_expr_is_within(value, BONDY_EXPR_MAX_TEXT))
        bondy_json_format(value, text);
    if (text->len <= BONDY_EXPR_MAX_TEXT &&
        (json_is_string(value) || bondy_expr_is_within(value, BONDY_EXPR_MAX_TEXT)))
        return BONDY_OK;
    if (run->error != NULL) {
        blame(run, expr, UINT32_MAX, NULL, false);
        snprintf(run->error->message, sizeof run->error->message, "the text made here is too long");
    }
    return BONDY_EINVAL;
}

static int eval_template(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc = BONDY_OK;

    for (uint32_t i = 0; rc == BONDY_OK && i < expr->as.list.count; i++) {
        const struct bondy_expr *part = expr->as.list.items[i];
        json_t *value = NULL;

        rc = eval(run, part, &value);
        if (rc == BONDY_OK)
            rc = append_value(run, part, value, &text);
        json_decref(value);
    }
    if (rc == BONDY_OK)
        *out = json_stringn(text.data == NULL ? "" : text.data, text.len);
    bondy_buf_fini(&text);
    return rc;
}

static int eval_object(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    json_t *object = json_object();

    for (uint32_t i = 0; i < expr->as.list.count; i++) {
        json_t *value = NULL;
        int rc = eval(run, expr->as.list.items[i], &value);

        if (rc < 0) {
            json_decref(object);
            return rc;
        }
        json_object_set_new_nocheck(object, expr->as.list.names[i], value);
    }
    *out = object;
    return BONDY_OK;
}

static int eval_array(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < expr->as.list.count; i++) {
        json_t *value = NULL;
        int rc = eval(run, expr->as.list.items[i], &value);

        if (rc < 0) {
            json_decref(array);
            return rc;
        }
        json_array_append_new(array, value);
    }
    *out = array;
    return BONDY_OK;
}

static int eval(struct expr_run *run, const struct bondy_expr *expr, json_t **out)
{
    switch ((enum expr_kind)expr->kind) {
    case EXPR_CONSTANT:
        *out = json_incref(expr->as.constant);
        return BONDY_OK;
    case EXPR_FIELD:
        return eval_field(run, expr, out);
    case EXPR_WHOLE:
        return eval_whole(run, expr, out);
    case EXPR_MEMBER:
        return eval_member(run, expr, out);
    case EXPR_PIPE:
        return eval_pipe(run, expr, out);
    case EXPR_TEMPLATE:
        return eval_template(run, expr, out);
    case EXPR_OBJECT:
        return eval_object(run, expr, out);
    case EXPR_ARRAY:
        return eval_array(run, expr, out);
    }
    BONDY_BUG_ON(true);
}

int bondy_expr_eval(const struct bondy_expr *expr, const struct bondy_expr_source *source,
                    json_t **out, struct bondy_expr_error *err)
{
    struct expr_run run = {source, err, NULL, 0, ""};
    json_t *value = NULL;
    int rc = eval(&run, expr, &value);

    if (rc == BONDY_ENOENT)
        rc = fail_missing(&run);
    if (rc == BONDY_OK && expr->repeats > BONDY_EXPR_FREE_REPEATS &&
        !bondy_expr_is_within(value, BONDY_EXPR_MAX_TEXT)) {
        json_decref(value);
        rc = BONDY_EINVAL;
        if (err != NULL)
            *err = (struct bondy_expr_error){BONDY_FAULT_SPEC, "", "the value is too large",
                                             ASK_AUTHOR};
    }
    if (rc == BONDY_OK)
        *out = value;
    return rc;
}

/* ---- questions ----------------------------------------------------------------------------- */

json_t *bondy_expr_constant(const struct bondy_expr *expr)
{
    return expr->kind == EXPR_CONSTANT ? expr->as.constant : NULL;
}

bool bondy_expr_uses(const struct bondy_expr *expr, enum bondy_field field)
{
    return (expr->fields & UINT64_C(1) << field) != 0;
}

bool bondy_expr_is_field(const struct bondy_expr *expr, enum bondy_field field)
{
    return expr->kind == EXPR_FIELD && expr->as.field == field;
}

static unsigned root_bit(enum bondy_field field)
{
    if (field <= BONDY_FIELD_REQUEST_TRACE_ID)
        return BONDY_ROOT_REQUEST;
    if (field <= BONDY_FIELD_SECURITY_META)
        return BONDY_ROOT_SECURITY;
    if (field <= BONDY_FIELD_RESULT_URI)
        return BONDY_ROOT_RESULT;
    return field <= BONDY_FIELD_ERROR_BODY_DECODED ? BONDY_ROOT_ERROR : BONDY_ROOT_STATUS;
}

unsigned bondy_expr_roots(const struct bondy_expr *expr)
{
    unsigned roots = 0;

    for (unsigned f = 0; f < BONDY_FIELDS; f++)
        if (bondy_expr_uses(expr, (enum bondy_field)f))
            roots |= root_bit((enum bondy_field)f);
    return roots;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* text: a string of a document as a whole: plain, one bare expression, or a template.
 * http-gateway.md 2.1.
 *
 *   text  = *( char / "\{{" / "{{" expr "}}" ) */
#include "gateway/expr/parser.h"

#include "src/base/alloc.h"

#define MAX_PARTS 256
/* Values in one part of a text that is put together at load. */
#define MAX_FOLDED 20000

/* ---- strings ------------------------------------------------------------------------------- */

struct parts {
    json_t *items[MAX_PARTS];
    size_t count;
    size_t expressions;
    size_t last_expression;
    bool has_text; /* other than white space */
};

static bool add_part(struct expr_parser *p, struct parts *parts, json_t *item)
{
    if (parts->count < MAX_PARTS) {
        parts->items[parts->count++] = item;
        return true;
    }
    json_decref(item);
    return bondy_expr_refuse_at(p, p->at, (struct bondy_finding){.code = "too_complex"},
                                "more than %d parts in one text", MAX_PARTS);
}

static bool flush_text(struct expr_parser *p, struct parts *parts, struct bondy_buf *text)
{
    json_t *item;

    if (text->len == 0)
        return true;
    for (size_t i = 0; i < text->len; i++)
        parts->has_text = parts->has_text || !bondy_expr_is_space(text->data[i]);
    item = json_stringn(text->data, text->len);
    text->len = 0;
    return add_part(p, parts, item);
}

static bool parse_tag(struct expr_parser *p, struct parts *parts)
{
    struct expr_value value = {.half = NULL};
    size_t start = p->at;

    p->at += 2;
    p->nesting = 0;
    p->operators = 0;
    if (!bondy_expr_parse_one(p, &value)) {
        bondy_expr_set_half(&value, NULL);
        return false;
    }
    if (p->at - start > BONDY_EXPR_MAX_LEN) {
        bondy_expr_set_half(&value, NULL);
        return bondy_expr_refuse_at(p, start, (struct bondy_finding){.code = "too_long"},
                                    "an expression of more than %d octets", BONDY_EXPR_MAX_LEN);
    }
    parts->expressions++;
    parts->last_expression = parts->count;
    return add_part(p, parts, value.half);
}

static bool parse_parts(struct expr_parser *p, struct parts *parts)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    bool is_good = true;

    while (is_good && p->at < p->text.len) {
        if (bondy_expr_sees(p, "\\{{")) {
            bondy_buf_append_text(&text, "{{");
            parts->has_text = true;
            p->at += 3;
        } else if (bondy_expr_sees(p, "{{")) {
            is_good = flush_text(p, parts, &text) && parse_tag(p, parts);
        } else {
            bondy_buf_append_byte(&text, (unsigned char)p->text.data[p->at++]);
        }
    }
    is_good = is_good && flush_text(p, parts, &text);
    bondy_buf_fini(&text);
    return is_good;
}

/* All parts known: one text. */
static json_t *fold_template(struct expr_parser *p, const struct parts *parts)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *whole = NULL;

    for (size_t i = 0; i < parts->count; i++) {
        const json_t *part = parts->items[i];
        size_t before = text.len;

        if (bondy_expr_count(p->compiler, part) > MAX_FOLDED || text.len > BONDY_EXPR_MAX_TEXT / 16)
            break;
        if (json_is_string(part))
            bondy_buf_append(&text, json_string_value(part), json_string_length(part));
        else
            bondy_json_format(part, &text);
        if (!bondy_expr_spend(p->compiler, (text.len - before) / 8))
            break;
        if (i + 1 == parts->count)
            whole = json_stringn(text.data == NULL ? "" : text.data, text.len);
    }
    bondy_buf_fini(&text);
    if (whole == NULL && parts->count > 0)
        bondy_expr_refuse_at(p, 0, (struct bondy_finding){.code = "too_large"},
                             "the text made here is too long");
    return whole != NULL ? whole : json_string("");
}

static json_t *defer_template(struct expr_parser *p, const struct parts *parts)
{
    struct bondy_expr *node = bondy_expr_new_node(p, EXPR_TEMPLATE, T_STRING);

    node->as.list.items =
        bondy_expr_pool_alloc(p->compiler->pool, parts->count * sizeof *node->as.list.items);
    node->as.list.count = (uint32_t)parts->count;
    for (size_t i = 0; i < parts->count; i++) {
        node->as.list.items[i] = bondy_expr_node(p->compiler, parts->items[i]);
        bondy_expr_absorb(node, node->as.list.items[i]);
    }
    node->text = bondy_expr_pool_text(p->compiler->pool, p->text);
    return bondy_expr_defer(p->compiler, node);
}

static json_t *join_parts(struct expr_parser *p, const struct parts *parts, bool is_quoted)
{
    bool is_settled = true;

    if (!is_quoted && parts->expressions == 1 && !parts->has_text)
        return json_incref(parts->items[parts->last_expression]);
    for (size_t i = 0; i < parts->count; i++) {
        if (bondy_expr_has_poison(p->compiler, parts->items[i]))
            return json_incref(p->compiler->poison);
        is_settled = is_settled && bondy_expr_is_settled(p->compiler, parts->items[i]);
    }
    return is_settled ? fold_template(p, parts) : defer_template(p, parts);
}

/* First and last character are '"', and there is no other one. */
static bool is_quoted_form(struct bondy_slice text)
{
    return text.len >= 2 && text.data[0] == '"' &&
           memchr(text.data + 1, '"', text.len - 1) == text.data + text.len - 1;
}

json_t *bondy_expr_half_text(struct expr_compiler *compiler, struct expr_scope *scope,
                             const json_t *text)
{
    struct expr_parser p = {
        compiler, scope, bondy_slice_of(json_string_value(text), json_string_length(text)), 0, 0,
        0,        false};
    struct parts *parts;
    json_t *value;
    bool is_quoted;

    if (p.text.len < 3 || memmem(p.text.data, p.text.len, "{{", 2) == NULL)
        return json_incref((json_t *)text);
    if (!bondy_expr_spend(compiler, p.text.len / 16))
        return json_incref(compiler->poison);
    is_quoted = is_quoted_form(p.text);
    if (is_quoted) {
        p.at = 1;
        p.text.len--;
    }
    parts = bondy_zalloc(sizeof *parts);
    value = parse_parts(&p, parts) ? join_parts(&p, parts, is_quoted) : NULL;
    if (value == NULL || p.has_failed) {
        json_decref(value);
        value = json_incref(compiler->poison);
    }
    for (size_t i = 0; i < parts->count; i++)
        json_decref(parts->items[i]);
    bondy_free(parts);
    return value;
}

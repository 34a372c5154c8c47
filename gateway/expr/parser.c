/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/expr/parser.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- mistakes ------------------------------------------------------------------------------ */

/* Columns count characters, not octets. */
static size_t column_of(const struct expr_parser *p, size_t at)
{
    size_t column = 1;

    for (size_t i = 0; i < at && i < p->text.len; i++)
        column += ((unsigned char)p->text.data[i] & 0xc0) != 0x80;
    return column;
}

bool bondy_expr_refuse_at(struct expr_parser *p, size_t at, struct bondy_finding finding,
                          const char *format, ...)
{
    char message[900];
    va_list args;

    if (p->has_failed)
        return false;
    p->has_failed = true;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    finding.column = column_of(p, at);
    bondy_findings_add(p->compiler->findings, bondy_buf_slice(&p->compiler->pointer), &finding,
                       "%s", message);
    return false;
}

/* ---- characters ---------------------------------------------------------------------------- */

bool bondy_expr_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool bondy_expr_sees(const struct expr_parser *p, const char *text)
{
    return bondy_slice_starts(bondy_slice_skip(p->text, p->at), bondy_slice_text(text));
}

void bondy_expr_skip_space(struct expr_parser *p)
{
    while (p->at < p->text.len && bondy_expr_is_space(p->text.data[p->at]))
        p->at++;
}

bool bondy_expr_take(struct expr_parser *p, const char *text)
{
    bondy_expr_skip_space(p);
    if (!bondy_expr_sees(p, text))
        return false;
    p->at += strlen(text);
    return true;
}

/* ---- values -------------------------------------------------------------------------------- */

void bondy_expr_set_half(struct expr_value *value, json_t *half)
{
    json_decref(value->half);
    value->half = half;
}

struct bondy_expr *bondy_expr_new_node(struct expr_parser *p, enum expr_kind kind, unsigned types)
{
    struct bondy_expr *node = bondy_expr_pool_alloc(p->compiler->pool, sizeof *node);

    node->kind = (uint8_t)kind;
    node->types = (uint8_t)types;
    node->weight = 1;
    return node;
}

const struct bondy_expr *bondy_expr_field_node(struct expr_parser *p, enum bondy_field field)
{
    struct bondy_expr *node = bondy_expr_new_node(p, EXPR_FIELD, bondy_field_types(field));

    node->as.field = field;
    node->fields = UINT64_C(1) << field;
    node->repeats = 1;
    node->text = bondy_field_name(field);
    return node;
}

struct bondy_slice bondy_expr_span(const struct expr_parser *p, size_t from, size_t to)
{
    while (to > from && bondy_expr_is_space(p->text.data[to - 1]))
        to--;
    return (struct bondy_slice){p->text.data + from, to - from};
}

const struct bondy_expr *bondy_expr_member_node(struct expr_parser *p,
                                                const struct bondy_expr *inner,
                                                const struct bondy_slice *keys, size_t count,
                                                size_t start)
{
    struct bondy_expr *node = bondy_expr_new_node(p, EXPR_MEMBER, T_ANY);

    if (inner->kind == EXPR_FIELD && (inner->as.field == BONDY_FIELD_REQUEST_HEADERS ||
                                      inner->as.field == BONDY_FIELD_REQUEST_BINDINGS ||
                                      inner->as.field == BONDY_FIELD_REQUEST_COOKIES))
        node->types = T_STRING;
    node->as.member.inner = inner;
    node->as.member.count = (uint32_t)count;
    node->as.member.keys =
        bondy_expr_pool_alloc(p->compiler->pool, count * sizeof *node->as.member.keys);
    for (size_t i = 0; i < count; i++)
        node->as.member.keys[i] = bondy_expr_pool_text(p->compiler->pool, keys[i]);
    node->text = bondy_expr_pool_text(p->compiler->pool, bondy_expr_span(p, start, p->at));
    bondy_expr_absorb(node, inner);
    return node;
}

void bondy_expr_set_missing(struct expr_value *value, size_t at, const char *suggestion,
                            const char *format, ...)
{
    va_list args;

    bondy_expr_set_half(value, NULL);
    value->missing_at = at;
    value->suggestion = suggestion;
    va_start(args, format);
    vsnprintf(value->missing, sizeof value->missing, format, args);
    va_end(args);
}

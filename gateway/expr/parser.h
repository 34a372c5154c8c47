/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXPR_PARSER_H
#define BONDY_GATEWAY_EXPR_PARSER_H

/* parser: what the files that read one string of a specification share.
 *
 *   expr_text    the string: text, {{...}}, \{{
 *   expr_parse   operators and their arguments
 *   expr_path    variables.a.b, request.body.c
 *   expr_fold    applying an operator: now or later
 *
 * The first mistake ends a string: it is reported with its column, and the string is poison. */

#include "gateway/expr/compile.h"

struct expr_parser {
    struct expr_compiler *compiler;
    struct expr_scope *scope;
    struct bondy_slice text;
    size_t at;
    unsigned nesting;
    unsigned operators;
    bool has_failed;
};

/* A value on its way through a pipeline. */
struct expr_value {
    json_t *half;            /* owned; NULL: nothing there */
    struct bondy_expr *pipe; /* the pipeline this expression itself made: may still grow */
    size_t start;            /* where the expression starts */
    /* Why nothing is there. */
    size_t missing_at;
    char missing[300];
    const char *suggestion;
};

struct expr_args {
    json_t *items[BONDY_EXPR_MAX_ARGS];
    size_t starts[BONDY_EXPR_MAX_ARGS];
    uint32_t count;
    uint32_t literals;
    int merge_side;
};

/* Reports at `at` and gives up on the string; always false. */
bool bondy_expr_refuse_at(struct expr_parser *p, size_t at, struct bondy_finding finding,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

#define refuse(p, at, ...)                                                                         \
    bondy_expr_refuse_at((p), (at), (struct bondy_finding){.code = "invalid_expression"},          \
                         __VA_ARGS__)

bool bondy_expr_is_space(char c);
void bondy_expr_skip_space(struct expr_parser *p);
/* Whether `text` comes next. */
bool bondy_expr_sees(const struct expr_parser *p, const char *text);
/* The same behind white space, and steps over it. */
bool bondy_expr_take(struct expr_parser *p, const char *text);
/* What was written from one place to another, without white space at the end. */
struct bondy_slice bondy_expr_span(const struct expr_parser *p, size_t from, size_t to);

/* Takes `half` (NULL: nothing is there). */
void bondy_expr_set_half(struct expr_value *value, json_t *half);
void bondy_expr_set_missing(struct expr_value *value, size_t at, const char *suggestion,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));
struct bondy_expr *bondy_expr_new_node(struct expr_parser *p, enum expr_kind kind, unsigned types);
const struct bondy_expr *bondy_expr_field_node(struct expr_parser *p, enum bondy_field field);
const struct bondy_expr *bondy_expr_member_node(struct expr_parser *p,
                                                const struct bondy_expr *inner,
                                                const struct bondy_slice *keys, size_t count,
                                                size_t start);

bool bondy_expr_read_path(struct expr_parser *p, struct expr_value *out);
/* Behind "{{", up to and with "}}". */
bool bondy_expr_parse_one(struct expr_parser *p, struct expr_value *out);
/* Applies `op`, written at `at`: at once when everything it looks at is known, else it joins the
 * pipeline that a request will run. */
bool bondy_expr_apply_op(struct expr_parser *p, struct expr_value *left, const struct expr_op *op,
                         const struct expr_args *args, size_t at);

#endif

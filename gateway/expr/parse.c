/* SPDX-License-Identifier: Apache-2.0 */
/* parse: operators and their arguments. http-gateway.md 2.2.
 *
 *   expr  = path *( "|>" op )
 *   path  = key *( "." key )
 *   op    = name [ "(" args ")" ]
 *   arg   = "'" *char "'" / "{{" expr "}}" / bareword */
#include "gateway/expr/parser.h"

/* ---- arguments ----------------------------------------------------------------------------- */

static json_t *parse_quoted(struct expr_parser *p)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    size_t start = p->at++;
    json_t *value;

    for (; p->at < p->text.len && p->text.data[p->at] != '\''; p->at++) {
        char c = p->text.data[p->at];
        char next = p->at + 1 < p->text.len ? p->text.data[p->at + 1] : 0;

        if (c == '\\' && (next == '\'' || next == '\\'))
            c = p->text.data[++p->at];
        bondy_buf_append_byte(&text, (unsigned char)c);
    }
    if (p->at == p->text.len) {
        bondy_buf_fini(&text);
        refuse(p, start, "the quote that starts here is never closed");
        return NULL;
    }
    p->at++;
    value = json_stringn(text.data == NULL ? "" : text.data, text.len);
    bondy_buf_fini(&text);
    return value;
}

/* A bareword goes on to the next ',' or closing bracket. */
static json_t *parse_bareword(struct expr_parser *p, char close)
{
    size_t start = p->at;
    struct bondy_slice word;

    while (p->at < p->text.len && p->text.data[p->at] != ',' && p->text.data[p->at] != close)
        p->at++;
    word = bondy_expr_span(p, start, p->at);
    for (size_t i = 0; i < word.len; i++) {
        if (!bondy_expr_is_space(word.data[i]) &&
            !bondy_slice_starts(bondy_slice_skip(word, i), BONDY_SLICE("{{")))
            continue;
        refuse(p, start + i, "an argument with spaces or braces in it has to stand in '...'");
        return NULL;
    }
    return json_stringn(word.data, word.len);
}

static bool parse_nested(struct expr_parser *p, json_t **out)
{
    struct expr_value value = {.half = NULL};

    p->at += 2;
    if (!bondy_expr_parse_one(p, &value)) {
        bondy_expr_set_half(&value, NULL);
        return false;
    }
    *out = value.half;
    return true;
}

static bool parse_arg(struct expr_parser *p, struct expr_args *args, char close)
{
    json_t *item = NULL;

    bondy_expr_skip_space(p);
    if (args->count == BONDY_EXPR_MAX_ARGS)
        return refuse(p, p->at, "more than %d arguments", BONDY_EXPR_MAX_ARGS);
    args->starts[args->count] = p->at;
    if (bondy_expr_sees(p, "{{")) {
        if (!parse_nested(p, &item))
            return false;
    } else {
        item = bondy_expr_sees(p, "'") ? parse_quoted(p) : parse_bareword(p, close);
        if (item == NULL)
            return false;
        args->literals |= 1u << args->count;
    }
    args->items[args->count++] = item;
    bondy_expr_skip_space(p);
    if (p->at == p->text.len || (p->text.data[p->at] != ',' && p->text.data[p->at] != close))
        return refuse(p, p->at, "',' or '%c' is expected here", close);
    return true;
}

/* Behind the opening bracket, up to and with the closing one. Empty pieces are dropped. */
static bool parse_args(struct expr_parser *p, struct expr_args *args, char close)
{
    for (;;) {
        bondy_expr_skip_space(p);
        if (p->at == p->text.len)
            return refuse(p, p->at, "'%c' is missing", close);
        if (p->text.data[p->at] == close) {
            p->at++;
            return true;
        }
        if (p->text.data[p->at] == ',')
            p->at++;
        else if (!parse_arg(p, args, close))
            return false;
    }
}

static bool check_args(struct expr_parser *p, const struct expr_op *op, struct expr_args *args,
                       size_t at)
{
    if (args->count >= op->min_args && args->count <= op->max_args)
        return true;
    return bondy_expr_refuse_at(
        p, at, (struct bondy_finding){.code = "wrong_arguments", .expected = op->usage},
        "'%s' with %u argument%s: expected %s", op->name, args->count, args->count == 1 ? "" : "s",
        op->usage);
}

static bool is_blank_arg(const struct expr_args *args, uint32_t index)
{
    return (args->literals & 1u << index) != 0 &&
           strcmp(json_string_value(args->items[index]), "_") == 0;
}

/* merge(_, x) is merge(x); in merge(x, _) the left side wins. */
static bool turn_merge(struct expr_parser *p, const struct expr_op *op, struct expr_args *args,
                       size_t at)
{
    args->merge_side = 1;
    if (args->count != 2)
        return true;
    if (is_blank_arg(args, 0) == is_blank_arg(args, 1))
        return bondy_expr_refuse_at(
            p, at, (struct bondy_finding){.code = "wrong_arguments", .expected = op->usage},
            "one of two arguments of 'merge' is '_': expected %s", op->usage);
    if (is_blank_arg(args, 1)) {
        args->merge_side = -1;
        json_decref(args->items[1]);
    } else {
        json_decref(args->items[0]);
        args->items[0] = args->items[1];
        args->literals >>= 1;
    }
    args->count = 1;
    return true;
}

static bool parse_op_args(struct expr_parser *p, const struct expr_op *op, struct expr_args *args,
                          size_t at)
{
    bondy_expr_skip_space(p);
    if (bondy_expr_sees(p, "(")) {
        p->at++;
        bondy_expr_skip_space(p);
        if (op->takes_list && !bondy_expr_take(p, "["))
            return bondy_expr_refuse_at(
                p, p->at, (struct bondy_finding){.code = "wrong_arguments", .expected = op->usage},
                "'%s' takes a list: expected %s", op->name, op->usage);
        if (op->takes_list && !parse_args(p, args, ']'))
            return false;
        if (op->takes_list ? !bondy_expr_take(p, ")") : !parse_args(p, args, ')'))
            return refuse(p, p->at, "')' is missing");
    }
    return check_args(p, op, args, at) &&
           (strcmp(op->name, "merge") != 0 || turn_merge(p, op, args, at));
}

static const struct expr_op *parse_op_name(struct expr_parser *p, size_t *at)
{
    const char *names[64];
    size_t count = 0;
    const struct expr_op *op;
    struct bondy_slice name;

    bondy_expr_skip_space(p);
    *at = p->at;
    while (p->at < p->text.len && strchr("(|}", p->text.data[p->at]) == NULL &&
           !bondy_expr_is_space(p->text.data[p->at]))
        p->at++;
    name = (struct bondy_slice){p->text.data + *at, p->at - *at};
    op = bondy_expr_op_find(name);
    if (op != NULL)
        return op;
    if (name.len == 0) {
        refuse(p, *at, "an operator is expected behind '|>'");
        return NULL;
    }
    for (; count < 63 && bondy_expr_op_at(count) != NULL; count++)
        names[count] = bondy_expr_op_at(count)->name;
    names[count] = NULL;
    bondy_expr_refuse_at(p, *at,
                         (struct bondy_finding){.code = "unknown_operator",
                                                .suggestion = bondy_json_nearest(name, names)},
                         "no operator '" BONDY_SLICE_FMT "'", BONDY_SLICE_ARG(name));
    return NULL;
}

static bool parse_op(struct expr_parser *p, struct expr_value *left)
{
    struct expr_args args = {.count = 0};
    const struct expr_op *op;
    size_t at;
    bool is_good;

    if (++p->operators > BONDY_EXPR_MAX_OPERATORS)
        return bondy_expr_refuse_at(p, p->at, (struct bondy_finding){.code = "too_complex"},
                                    "more than %d operators", BONDY_EXPR_MAX_OPERATORS);
    op = parse_op_name(p, &at);
    if (op == NULL)
        return false;
    is_good = parse_op_args(p, op, &args, at) && bondy_expr_apply_op(p, left, op, &args, at);
    for (uint32_t i = 0; i < args.count; i++)
        json_decref(args.items[i]);
    return is_good;
}

/* Behind "{{", up to and with "}}". */
bool bondy_expr_parse_one(struct expr_parser *p, struct expr_value *out)
{
    size_t open = p->at - 2;

    out->start = p->at;
    if (++p->nesting > BONDY_EXPR_MAX_NESTING)
        return bondy_expr_refuse_at(p, open, (struct bondy_finding){.code = "too_complex"},
                                    "more than %d expressions inside each other",
                                    BONDY_EXPR_MAX_NESTING);
    bondy_expr_skip_space(p);
    out->start = p->at;
    if (bondy_expr_sees(p, "}}"))
        return refuse(p, open, "there is nothing bondy_expr_span '{{' and '}}'");
    if (p->at == p->text.len)
        return refuse(p, open, "the '{{' that starts here is never closed");
    if (!bondy_expr_read_path(p, out))
        return false;
    while (bondy_expr_take(p, "|>"))
        if (!parse_op(p, out))
            return false;
    if (!bondy_expr_take(p, "}}")) {
        bondy_expr_skip_space(p);
        if (p->at == p->text.len)
            return refuse(p, open, "the '{{' that starts here is never closed");
        return refuse(p, p->at, "'|>' or '}}' is expected here");
    }
    p->nesting--;
    if (out->half == NULL)
        return bondy_expr_refuse_at(
            p, out->missing_at,
            (struct bondy_finding){.code = "unknown_path", .suggestion = out->suggestion}, "%s",
            out->missing);
    return true;
}

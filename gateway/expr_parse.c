/* SPDX-License-Identifier: Apache-2.0 */
/* expr_parse: strings that hold {{...}}: parsed and evaluated in one pass as far as they go.
 * http-gateway.md 2.1 and 2.2.
 *
 *   text  = *( char / "\{{" / "{{" expr "}}" )
 *   expr  = path *( "|>" op )
 *   path  = key *( "." key )
 *   op    = name [ "(" args ")" ]
 *   arg   = "'" *char "'" / "{{" expr "}}" / bareword
 *
 * The first mistake ends a string: it is reported with its column, and the string is poison. */
#include "gateway/expr_compile.h"

#include <stdarg.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/utf8.h"

#define MAX_PARTS 256
/* Deep operators on constants that expand to more than this are refused: their cost is that of the
 * expanded value. */
#define MAX_FOLDED 20000

struct parser {
    struct expr_compiler *compiler;
    struct expr_scope *scope;
    struct bondy_slice text;
    size_t at;
    unsigned nesting;
    unsigned operators;
    bool has_failed;
};

/* A value on its way through a pipeline. */
struct value {
    json_t *half;            /* owned; NULL: nothing there */
    struct bondy_expr *pipe; /* the pipeline this expression itself made: may still grow */
    size_t start;            /* where the expression starts */
    /* Why nothing is there. */
    size_t missing_at;
    char missing[300];
    const char *suggestion;
};

struct args {
    json_t *items[BONDY_EXPR_MAX_ARGS];
    size_t starts[BONDY_EXPR_MAX_ARGS];
    uint32_t count;
    uint32_t literals;
    int merge_side;
};

static bool parse_expression(struct parser *p, struct value *out);

/* ---- mistakes ------------------------------------------------------------------------------ */

/* Columns count characters, not octets. */
static size_t column_of(const struct parser *p, size_t at)
{
    size_t column = 1;

    for (size_t i = 0; i < at && i < p->text.len; i++)
        column += ((unsigned char)p->text.data[i] & 0xc0) != 0x80;
    return column;
}

static bool refuse_with(struct parser *p, size_t at, struct bondy_finding finding,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool refuse_with(struct parser *p, size_t at, struct bondy_finding finding,
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

#define refuse(p, at, ...)                                                                         \
    refuse_with((p), (at), (struct bondy_finding){.code = "invalid_expression"}, __VA_ARGS__)

/* ---- characters ---------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool sees(const struct parser *p, const char *text)
{
    return bondy_slice_starts(bondy_slice_skip(p->text, p->at), bondy_slice_text(text));
}

static void skip_space(struct parser *p)
{
    while (p->at < p->text.len && is_space(p->text.data[p->at]))
        p->at++;
}

static bool accept(struct parser *p, const char *text)
{
    skip_space(p);
    if (!sees(p, text))
        return false;
    p->at += strlen(text);
    return true;
}

/* ---- values -------------------------------------------------------------------------------- */

static void drop_value(struct value *value)
{
    json_decref(value->half);
    value->half = NULL;
}

static void set_half(struct value *value, json_t *half)
{
    json_decref(value->half);
    value->half = half;
}

static struct bondy_expr *new_node(struct parser *p, enum expr_kind kind, unsigned types)
{
    struct bondy_expr *node = bondy_expr_pool_alloc(p->compiler->pool, sizeof *node);

    node->kind = (uint8_t)kind;
    node->types = (uint8_t)types;
    node->weight = 1;
    return node;
}

static const struct bondy_expr *field_node(struct parser *p, enum bondy_field field)
{
    struct bondy_expr *node = new_node(p, EXPR_FIELD, bondy_field_types(field));

    node->as.field = field;
    node->fields = UINT64_C(1) << field;
    node->repeats = 1;
    node->text = bondy_field_name(field);
    return node;
}

static struct bondy_slice between(const struct parser *p, size_t from, size_t to)
{
    while (to > from && is_space(p->text.data[to - 1]))
        to--;
    return (struct bondy_slice){p->text.data + from, to - from};
}

static const struct bondy_expr *member_node(struct parser *p, const struct bondy_expr *inner,
                                            const struct bondy_slice *keys, size_t count,
                                            size_t start)
{
    struct bondy_expr *node = new_node(p, EXPR_MEMBER, T_ANY);

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
    node->text = bondy_expr_pool_text(p->compiler->pool, between(p, start, p->at));
    bondy_expr_absorb(node, inner);
    return node;
}

static void set_missing(struct value *value, size_t at, const char *suggestion, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

static void set_missing(struct value *value, size_t at, const char *suggestion, const char *format,
                        ...)
{
    va_list args;

    drop_value(value);
    value->missing_at = at;
    value->suggestion = suggestion;
    va_start(args, format);
    vsnprintf(value->missing, sizeof value->missing, format, args);
    va_end(args);
}

/* ---- paths --------------------------------------------------------------------------------- */

struct path {
    struct bondy_slice keys[BONDY_EXPR_MAX_KEYS];
    size_t starts[BONDY_EXPR_MAX_KEYS];
    size_t count;
};

static bool ends_key(const struct parser *p, size_t at)
{
    char c = p->text.data[at];

    return c == '.' || c == '|' || c == '}' || is_space(c) ||
           (c == '{' && at + 1 < p->text.len && p->text.data[at + 1] == '{');
}

static bool parse_path(struct parser *p, struct path *path)
{
    path->count = 0;
    do {
        size_t start;

        skip_space(p);
        start = p->at;
        while (p->at < p->text.len && !ends_key(p, p->at))
            p->at++;
        if (p->at == start)
            return refuse(p, start,
                          path->count == 0 ? "a path is expected here, such as "
                                             "request.body or variables.name"
                                           : "a key is expected behind '.'");
        if (path->count == BONDY_EXPR_MAX_KEYS)
            return refuse(p, start, "the path has more than %d keys", BONDY_EXPR_MAX_KEYS);
        path->starts[path->count] = start;
        path->keys[path->count++] = (struct bondy_slice){p->text.data + start, p->at - start};
    } while (accept(p, "."));
    return true;
}

/* Follows the keys from `from` on below a half-evaluated value. */
static bool descend(struct parser *p, const struct path *path, size_t from, json_t *half,
                    struct value *out)
{
    struct expr_compiler *compiler = p->compiler;

    for (size_t i = from; i < path->count; i++) {
        json_t *next;

        if (bondy_expr_is_poison(compiler, half))
            break;
        if (bondy_expr_is_deferred(compiler, half)) {
            if ((bondy_expr_types(compiler, half) & T_OBJECT) == 0) {
                set_missing(out, path->starts[i], NULL, "no value for path '" BONDY_SLICE_FMT "'",
                            BONDY_SLICE_ARG(between(p, path->starts[0], p->at)));
                return true;
            }
            set_half(out, bondy_expr_defer(compiler, member_node(p, bondy_expr_node(compiler, half),
                                                                 path->keys + i, path->count - i,
                                                                 path->starts[0])));
            return true;
        }
        next = json_object_getn(half, path->keys[i].data, path->keys[i].len);
        if (next == NULL) {
            set_missing(out, path->starts[i], NULL, "no value for path '" BONDY_SLICE_FMT "'",
                        BONDY_SLICE_ARG(between(p, path->starts[0], p->at)));
            return true;
        }
        half = next;
    }
    set_half(out, json_incref(half));
    return true;
}

static bool read_names(struct parser *p, const struct path *path, enum expr_names names,
                       struct value *out)
{
    struct expr_entry *entry;

    if (path->count == 1)
        return refuse_with(p, path->starts[0],
                           (struct bondy_finding){.code = "unknown_path",
                                                  .expected = "a path such as variables.name"},
                           "'%s' has to be followed by '.' and a name",
                           bondy_expr_names_text(names));
    entry = bondy_expr_scope_find(p->scope, names, path->keys[1]);
    if (entry == NULL) {
        set_missing(out, path->starts[1], bondy_expr_scope_nearest(p->scope, names, path->keys[1]),
                    "no value for path '" BONDY_SLICE_FMT "': there is no such entry in '%s' here",
                    BONDY_SLICE_ARG(between(p, path->starts[0], p->at)),
                    bondy_expr_names_text(names));
        return true;
    }
    return descend(p, path, 2, bondy_expr_entry_value(p->compiler, entry), out);
}

static bool read_status_codes(struct parser *p, const struct path *path, struct value *out)
{
    if (p->scope->status_codes == NULL) {
        set_missing(out, path->starts[0], NULL, "there are no status codes here");
        return true;
    }
    return descend(p, path, 1, p->scope->status_codes, out);
}

/* All of request, security, action.result, action.error. */
static bool read_whole(struct parser *p, struct bondy_slice scope, struct value *out)
{
    struct bondy_expr *node = new_node(p, EXPR_WHOLE, T_OBJECT);

    if (!bondy_field_range(scope, &node->as.whole.first, &node->as.whole.last))
        return refuse(p, 0, "unknown root");
    for (unsigned f = node->as.whole.first; f <= (unsigned)node->as.whole.last; f++)
        node->fields |= UINT64_C(1) << f;
    node->repeats = node->as.whole.last - node->as.whole.first + 1;
    node->text = bondy_expr_pool_text(p->compiler->pool, scope);
    set_half(out, bondy_expr_defer(p->compiler, node));
    return true;
}

static const char *nearest_field(struct bondy_slice scope, struct bondy_slice name)
{
    const char *names[BONDY_FIELDS + 1];
    enum bondy_field first, last;
    size_t count = 0;

    if (!bondy_field_range(scope, &first, &last))
        return NULL;
    for (unsigned f = first; f <= (unsigned)last; f++)
        names[count++] = strrchr(bondy_field_name((enum bondy_field)f), '.') + 1;
    names[count] = NULL;
    return bondy_json_nearest(name, names);
}

/* `used` keys of the path name the scope. */
static bool read_promise(struct parser *p, const struct path *path, struct bondy_slice scope,
                         size_t used, struct value *out)
{
    enum bondy_field field;

    if (path->count == used)
        return read_whole(p, scope, out);
    if (!bondy_field_find(scope, path->keys[used], &field)) {
        set_missing(out, path->starts[used], nearest_field(scope, path->keys[used]),
                    "'" BONDY_SLICE_FMT "' has no member '" BONDY_SLICE_FMT "'",
                    BONDY_SLICE_ARG(scope), BONDY_SLICE_ARG(path->keys[used]));
        return true;
    }
    set_half(out, bondy_expr_defer(p->compiler, field_node(p, field)));
    if (path->count > used + 1) {
        json_t *half = json_incref(out->half);

        descend(p, path, used + 1, half, out);
        json_decref(half);
    }
    return true;
}

static bool read_action(struct parser *p, const struct path *path, struct value *out)
{
    if (path->count > 1 && bondy_slice_is(path->keys[1], "result"))
        return read_promise(p, path, BONDY_SLICE("action.result"), 2, out);
    if (path->count > 1 && bondy_slice_is(path->keys[1], "error"))
        return read_promise(p, path, BONDY_SLICE("action.error"), 2, out);
    return refuse_with(
        p, path->starts[path->count > 1],
        (struct bondy_finding){
            .code = "unknown_path",
            .expected = "action.result or action.error",
            .suggestion = path->count < 2
                              ? NULL
                              : bondy_json_nearest(path->keys[1],
                                                   (const char *const[]){"result", "error", NULL})},
        "'action' has only 'result' and 'error'");
}

static bool read_path(struct parser *p, struct value *out)
{
    static const char *const ROOTS[] = {
        "variables", "defaults", "status_codes", "request", "security", "action", NULL};
    struct path path;

    if (!parse_path(p, &path))
        return false;
    if (bondy_slice_is(path.keys[0], "variables"))
        return read_names(p, &path, NAMES_VARIABLES, out);
    if (bondy_slice_is(path.keys[0], "defaults"))
        return read_names(p, &path, NAMES_DEFAULTS, out);
    if (bondy_slice_is(path.keys[0], "status_codes"))
        return read_status_codes(p, &path, out);
    if (bondy_slice_is(path.keys[0], "request"))
        return read_promise(p, &path, BONDY_SLICE("request"), 1, out);
    if (bondy_slice_is(path.keys[0], "security"))
        return read_promise(p, &path, BONDY_SLICE("security"), 1, out);
    if (bondy_slice_is(path.keys[0], "action"))
        return read_action(p, &path, out);
    return refuse_with(
        p, path.starts[0],
        (struct bondy_finding){.code = "unknown_root",
                               .expected =
                                   "variables, defaults, status_codes, request, security or action",
                               .suggestion = bondy_json_nearest(path.keys[0], ROOTS)},
        "an expression cannot start with '" BONDY_SLICE_FMT "'", BONDY_SLICE_ARG(path.keys[0]));
}

/* ---- arguments ----------------------------------------------------------------------------- */

static json_t *parse_quoted(struct parser *p)
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
static json_t *parse_bareword(struct parser *p, char close)
{
    size_t start = p->at;
    struct bondy_slice word;

    while (p->at < p->text.len && p->text.data[p->at] != ',' && p->text.data[p->at] != close)
        p->at++;
    word = between(p, start, p->at);
    for (size_t i = 0; i < word.len; i++) {
        if (!is_space(word.data[i]) &&
            !bondy_slice_starts(bondy_slice_skip(word, i), BONDY_SLICE("{{")))
            continue;
        refuse(p, start + i, "an argument with spaces or braces in it has to stand in '...'");
        return NULL;
    }
    return json_stringn(word.data, word.len);
}

static bool parse_nested(struct parser *p, json_t **out)
{
    struct value value = {.half = NULL};

    p->at += 2;
    if (!parse_expression(p, &value)) {
        drop_value(&value);
        return false;
    }
    *out = value.half;
    return true;
}

static bool parse_arg(struct parser *p, struct args *args, char close)
{
    json_t *item = NULL;

    skip_space(p);
    if (args->count == BONDY_EXPR_MAX_ARGS)
        return refuse(p, p->at, "more than %d arguments", BONDY_EXPR_MAX_ARGS);
    args->starts[args->count] = p->at;
    if (sees(p, "{{")) {
        if (!parse_nested(p, &item))
            return false;
    } else {
        item = sees(p, "'") ? parse_quoted(p) : parse_bareword(p, close);
        if (item == NULL)
            return false;
        args->literals |= 1u << args->count;
    }
    args->items[args->count++] = item;
    skip_space(p);
    if (p->at == p->text.len || (p->text.data[p->at] != ',' && p->text.data[p->at] != close))
        return refuse(p, p->at, "',' or '%c' is expected here", close);
    return true;
}

/* Behind the opening bracket, up to and with the closing one. Empty pieces are dropped. */
static bool parse_args(struct parser *p, struct args *args, char close)
{
    for (;;) {
        skip_space(p);
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

static bool check_args(struct parser *p, const struct expr_op *op, struct args *args, size_t at)
{
    if (args->count >= op->min_args && args->count <= op->max_args)
        return true;
    return refuse_with(p, at,
                       (struct bondy_finding){.code = "wrong_arguments", .expected = op->usage},
                       "'%s' with %u argument%s: expected %s", op->name, args->count,
                       args->count == 1 ? "" : "s", op->usage);
}

static bool is_blank_arg(const struct args *args, uint32_t index)
{
    return (args->literals & 1u << index) != 0 &&
           strcmp(json_string_value(args->items[index]), "_") == 0;
}

/* merge(_, x) is merge(x); in merge(x, _) the left side wins. */
static bool turn_merge(struct parser *p, const struct expr_op *op, struct args *args, size_t at)
{
    args->merge_side = 1;
    if (args->count != 2)
        return true;
    if (is_blank_arg(args, 0) == is_blank_arg(args, 1))
        return refuse_with(p, at,
                           (struct bondy_finding){.code = "wrong_arguments", .expected = op->usage},
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

static bool parse_op_args(struct parser *p, const struct expr_op *op, struct args *args, size_t at)
{
    skip_space(p);
    if (sees(p, "(")) {
        p->at++;
        skip_space(p);
        if (op->takes_list && !accept(p, "["))
            return refuse_with(
                p, p->at, (struct bondy_finding){.code = "wrong_arguments", .expected = op->usage},
                "'%s' takes a list: expected %s", op->name, op->usage);
        if (op->takes_list && !parse_args(p, args, ']'))
            return false;
        if (op->takes_list ? !accept(p, ")") : !parse_args(p, args, ')'))
            return refuse(p, p->at, "')' is missing");
    }
    return check_args(p, op, args, at) &&
           (strcmp(op->name, "merge") != 0 || turn_merge(p, op, args, at));
}

/* ---- operators ----------------------------------------------------------------------------- */

static bool can_look(struct parser *p, const json_t *half, enum expr_look look)
{
    if (half == NULL || look == LOOK_OPAQUE)
        return true;
    if (look == LOOK_SHALLOW)
        return !bondy_expr_is_deferred(p->compiler, half);
    return bondy_expr_is_settled(p->compiler, half);
}

static bool can_fold(struct parser *p, const struct expr_op *op, const struct value *left,
                     const struct args *args)
{
    if (op->is_impure || !can_look(p, left->half, op->left))
        return false;
    for (uint32_t i = 0; i < args->count; i++)
        if (!can_look(p, args->items[i], i == 0 ? op->arg0 : op->args))
            return false;
    return true;
}

static bool has_poison(struct parser *p, const struct expr_op *op, const struct value *left,
                       const struct args *args)
{
    struct expr_compiler *compiler = p->compiler;

    if (left->half != NULL &&
        (bondy_expr_is_poison(compiler, left->half) ||
         (op->left == LOOK_DEEP && bondy_expr_has_poison(compiler, left->half))))
        return true;
    for (uint32_t i = 0; i < args->count; i++)
        if (bondy_expr_has_poison(compiler, args->items[i]))
            return true;
    return false;
}

/* A regular expression is compiled here, once; its text may not come from a request. */
static bool take_regex(struct parser *p, struct expr_use *use, const struct args *args)
{
    struct bondy_error err = {0, ""};
    struct expr_regex *regex;

    if (!json_is_string(args->items[0]))
        return refuse_with(p, args->starts[0], (struct bondy_finding){.code = "invalid_regex"},
                           "a regular expression is literal text");
    if (bondy_expr_regex_compile(
            bondy_slice_of(json_string_value(args->items[0]), json_string_length(args->items[0])),
            &regex, &err) < 0)
        return refuse_with(p, args->starts[0], (struct bondy_finding){.code = "invalid_regex"},
                           "not a regular expression: %.300s", err.text);
    bondy_expr_pool_keep_regex(p->compiler->pool, regex);
    use->regex = regex;
    return true;
}

static bool make_use(struct parser *p, const struct expr_op *op, const struct args *args,
                     struct expr_use *use)
{
    *use = (struct expr_use){.op = op,
                             .arg_count = args->count,
                             .literals = args->literals,
                             .merge_side = args->merge_side};
    return strcmp(op->name, "matches") != 0 || take_regex(p, use, args);
}

static void make_nodes(struct parser *p, const struct args *args, struct expr_use *use)
{
    use->args = bondy_expr_pool_alloc(p->compiler->pool, args->count * sizeof *use->args);
    for (uint32_t i = 0; i < args->count; i++)
        use->args[i] = bondy_expr_node(p->compiler, args->items[i]);
}

/* At load the arguments are handed over as they are, stand-ins included. */
static struct bondy_expr *raw_constants(const struct args *args)
{
    struct bondy_expr *nodes = bondy_calloc(args->count, sizeof *nodes);

    for (uint32_t i = 0; i < args->count; i++) {
        nodes[i].kind = EXPR_CONSTANT;
        nodes[i].as.constant = args->items[i];
    }
    return nodes;
}

static int apply_now(struct parser *p, struct value *left, const struct args *args,
                     const struct expr_use *use, struct bondy_expr_error *error, json_t **out,
                     struct expr_run *run)
{
    struct bondy_expr *nodes = raw_constants(args);
    const struct bondy_expr *list[BONDY_EXPR_MAX_ARGS];
    struct expr_use now = *use;
    char shown[300];
    struct bondy_slice text = between(p, left->start, p->at);
    struct bondy_expr inner = {.kind = EXPR_CONSTANT};
    struct bondy_expr whole = {.kind = EXPR_PIPE, .text = shown};
    int rc;

    snprintf(shown, sizeof shown, BONDY_SLICE_FMT, BONDY_SLICE_ARG(text));
    whole.as.pipe.inner = &inner;
    for (uint32_t i = 0; i < args->count; i++)
        list[i] = &nodes[i];
    now.args = list;
    *run = (struct expr_run){NULL, error, NULL, 0, ""};
    rc = bondy_expr_apply(run, &whole, &inner, &now, left->half, out);
    bondy_free(nodes);
    return rc;
}

static bool fold(struct parser *p, struct value *left, const struct args *args,
                 const struct expr_use *use, size_t at)
{
    struct bondy_expr_error error = {.message = ""};
    struct expr_run run;
    json_t *result = NULL;
    int rc;

    if (use->op->left == LOOK_DEEP && left->half != NULL &&
        bondy_expr_count(p->compiler, left->half) > MAX_FOLDED)
        return refuse_with(p, at, (struct bondy_finding){.code = "too_large"},
                           "'%s' on a constant of more than %d values", use->op->name, MAX_FOLDED);
    if (!bondy_expr_spend(p->compiler, left->half == NULL
                                           ? 1
                                           : json_object_size(left->half) +
                                                 json_array_size(left->half) +
                                                 json_string_length(left->half) / 16))
        return false;
    rc = apply_now(p, left, args, use, &error, &result, &run);
    if (rc == BONDY_EINVAL)
        return refuse_with(
            p, at, (struct bondy_finding){.code = "invalid_operand", .expected = use->op->usage},
            "%s", error.message);
    if (rc == BONDY_ENOENT && left->half != NULL)
        set_missing(left, at, NULL, "no member '%s' for '" BONDY_SLICE_FMT "'", run.missing_member,
                    BONDY_SLICE_ARG(between(p, left->start, p->at)));
    if (rc == BONDY_OK)
        set_half(left, result);
    left->pipe = NULL;
    return true;
}

static unsigned result_types(struct parser *p, const struct expr_op *op, unsigned left,
                             const struct args *args)
{
    unsigned types = op->yields;

    if (op->passes_empty && (left & T_STRING) != 0)
        types |= T_STRING;
    if (strcmp(op->name, "if") == 0)
        types = bondy_expr_types(p->compiler, args->items[0]) |
                bondy_expr_types(p->compiler, args->items[1]);
    if (strcmp(op->name, "default") == 0)
        types = (left & ~(unsigned)T_NULL) | bondy_expr_types(p->compiler, args->items[0]);
    return types;
}

/* A status_codes map read by a deferred expression is that of the operation in the end (1.3: such
 * an expression is evaluated in the context where it is used). */
static const struct bondy_expr *left_node(struct parser *p, json_t *half)
{
    if (bondy_idmap_find(&p->compiler->statuses, (uint64_t)(uintptr_t)half) != NULL)
        return field_node(p, BONDY_FIELD_STATUS_CODES);
    return bondy_expr_node(p->compiler, half);
}

static bool defer(struct parser *p, struct value *left, const struct args *args,
                  const struct expr_use *use, size_t at)
{
    struct expr_pool *pool = p->compiler->pool;
    unsigned types = left->half == NULL ? T_ANY : bondy_expr_types(p->compiler, left->half);
    const struct expr_op *op = use->op;
    struct bondy_expr *pipe = left->pipe;
    struct expr_use *uses;
    uint32_t count = pipe == NULL ? 0 : pipe->as.pipe.count;

    if ((types & op->accepts) == 0 && !(op->passes_empty && (types & T_STRING) != 0))
        return refuse_with(p, at,
                           (struct bondy_finding){.code = "invalid_operand", .expected = op->usage},
                           "'%s' needs %s, but what stands before it is %s", op->name,
                           bondy_expr_type_name(op->accepts), bondy_expr_type_name(types));
    uses = bondy_expr_pool_alloc(pool, (count + 1) * sizeof *uses);
    if (pipe == NULL) {
        json_t *nothing = left->half == NULL ? json_null() : NULL;

        pipe = new_node(p, EXPR_PIPE, 0);
        pipe->as.pipe.inner = left_node(p, nothing == NULL ? left->half : nothing);
        bondy_expr_absorb(pipe, pipe->as.pipe.inner);
        set_half(left, bondy_expr_defer(p->compiler, pipe));
        left->pipe = pipe;
    } else {
        memcpy(uses, pipe->as.pipe.uses, count * sizeof *uses);
    }
    uses[count] = *use;
    pipe->as.pipe.uses = uses;
    pipe->as.pipe.count = count + 1;
    pipe->types = (uint8_t)result_types(p, op, types, args);
    pipe->text = bondy_expr_pool_text(pool, between(p, left->start, p->at));
    pipe->weight++;
    for (uint32_t i = 0; i < args->count; i++)
        bondy_expr_absorb(pipe, use->args[i]);
    return true;
}

static bool apply_op(struct parser *p, struct value *left, const struct expr_op *op,
                     const struct args *args, size_t at)
{
    struct expr_use use;

    if (has_poison(p, op, left, args)) {
        set_half(left, json_incref(p->compiler->poison));
        left->pipe = NULL;
        return true;
    }
    if (left->half == NULL && !op->takes_missing)
        return true;
    if (!make_use(p, op, args, &use))
        return false;
    if (can_fold(p, op, left, args))
        return fold(p, left, args, &use, at);
    make_nodes(p, args, &use);
    return defer(p, left, args, &use, at);
}

static const struct expr_op *parse_op_name(struct parser *p, size_t *at)
{
    const char *names[64];
    size_t count = 0;
    const struct expr_op *op;
    struct bondy_slice name;

    skip_space(p);
    *at = p->at;
    while (p->at < p->text.len && strchr("(|}", p->text.data[p->at]) == NULL &&
           !is_space(p->text.data[p->at]))
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
    refuse_with(p, *at,
                (struct bondy_finding){.code = "unknown_operator",
                                       .suggestion = bondy_json_nearest(name, names)},
                "no operator '" BONDY_SLICE_FMT "'", BONDY_SLICE_ARG(name));
    return NULL;
}

static bool parse_op(struct parser *p, struct value *left)
{
    struct args args = {.count = 0};
    const struct expr_op *op;
    size_t at;
    bool is_good;

    if (++p->operators > BONDY_EXPR_MAX_OPERATORS)
        return refuse_with(p, p->at, (struct bondy_finding){.code = "too_complex"},
                           "more than %d operators", BONDY_EXPR_MAX_OPERATORS);
    op = parse_op_name(p, &at);
    if (op == NULL)
        return false;
    is_good = parse_op_args(p, op, &args, at) && apply_op(p, left, op, &args, at);
    for (uint32_t i = 0; i < args.count; i++)
        json_decref(args.items[i]);
    return is_good;
}

/* Behind "{{", up to and with "}}". */
static bool parse_expression(struct parser *p, struct value *out)
{
    size_t open = p->at - 2;

    out->start = p->at;
    if (++p->nesting > BONDY_EXPR_MAX_NESTING)
        return refuse_with(p, open, (struct bondy_finding){.code = "too_complex"},
                           "more than %d expressions inside each other", BONDY_EXPR_MAX_NESTING);
    skip_space(p);
    out->start = p->at;
    if (sees(p, "}}"))
        return refuse(p, open, "there is nothing between '{{' and '}}'");
    if (p->at == p->text.len)
        return refuse(p, open, "the '{{' that starts here is never closed");
    if (!read_path(p, out))
        return false;
    while (accept(p, "|>"))
        if (!parse_op(p, out))
            return false;
    if (!accept(p, "}}")) {
        skip_space(p);
        if (p->at == p->text.len)
            return refuse(p, open, "the '{{' that starts here is never closed");
        return refuse(p, p->at, "'|>' or '}}' is expected here");
    }
    p->nesting--;
    if (out->half == NULL)
        return refuse_with(
            p, out->missing_at,
            (struct bondy_finding){.code = "unknown_path", .suggestion = out->suggestion}, "%s",
            out->missing);
    return true;
}

/* ---- strings ------------------------------------------------------------------------------- */

struct parts {
    json_t *items[MAX_PARTS];
    size_t count;
    size_t expressions;
    size_t last_expression;
    bool has_text; /* other than white space */
};

static bool add_part(struct parser *p, struct parts *parts, json_t *item)
{
    if (parts->count < MAX_PARTS) {
        parts->items[parts->count++] = item;
        return true;
    }
    json_decref(item);
    return refuse_with(p, p->at, (struct bondy_finding){.code = "too_complex"},
                       "more than %d parts in one text", MAX_PARTS);
}

static bool flush_text(struct parser *p, struct parts *parts, struct bondy_buf *text)
{
    json_t *item;

    if (text->len == 0)
        return true;
    for (size_t i = 0; i < text->len; i++)
        parts->has_text = parts->has_text || !is_space(text->data[i]);
    item = json_stringn(text->data, text->len);
    text->len = 0;
    return add_part(p, parts, item);
}

static bool parse_tag(struct parser *p, struct parts *parts)
{
    struct value value = {.half = NULL};
    size_t start = p->at;

    p->at += 2;
    p->nesting = 0;
    p->operators = 0;
    if (!parse_expression(p, &value)) {
        drop_value(&value);
        return false;
    }
    if (p->at - start > BONDY_EXPR_MAX_LEN) {
        drop_value(&value);
        return refuse_with(p, start, (struct bondy_finding){.code = "too_long"},
                           "an expression of more than %d octets", BONDY_EXPR_MAX_LEN);
    }
    parts->expressions++;
    parts->last_expression = parts->count;
    return add_part(p, parts, value.half);
}

static bool parse_parts(struct parser *p, struct parts *parts)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    bool is_good = true;

    while (is_good && p->at < p->text.len) {
        if (sees(p, "\\{{")) {
            bondy_buf_append_text(&text, "{{");
            parts->has_text = true;
            p->at += 3;
        } else if (sees(p, "{{")) {
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
static json_t *fold_template(struct parser *p, const struct parts *parts)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *whole = NULL;

    for (size_t i = 0; i < parts->count; i++) {
        const json_t *part = parts->items[i];

        if (bondy_expr_count(p->compiler, part) > MAX_FOLDED || text.len > BONDY_EXPR_MAX_TEXT / 16)
            break;
        if (json_is_string(part))
            bondy_buf_append(&text, json_string_value(part), json_string_length(part));
        else
            bondy_json_format(part, &text);
        if (!bondy_expr_spend(p->compiler, text.len / 64))
            break;
        if (i + 1 == parts->count)
            whole = json_stringn(text.data == NULL ? "" : text.data, text.len);
    }
    bondy_buf_fini(&text);
    if (whole == NULL && parts->count > 0)
        refuse_with(p, 0, (struct bondy_finding){.code = "too_large"},
                    "the text made here is too long");
    return whole != NULL ? whole : json_string("");
}

static json_t *defer_template(struct parser *p, const struct parts *parts)
{
    struct bondy_expr *node = new_node(p, EXPR_TEMPLATE, T_STRING);

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

static json_t *join_parts(struct parser *p, const struct parts *parts, bool is_quoted)
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
    struct parser p = {
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

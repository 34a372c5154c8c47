/* SPDX-License-Identifier: Apache-2.0 */
/* fold: one operator of a pipeline, at load. What depends on nothing but the document is
 * computed now; the rest joins the pipeline. http-gateway.md 1.3: two-stage evaluation. */
#include "gateway/expr/parser.h"

#include <stdio.h>

#include "src/base/alloc.h"

/* Deep operators on constants that expand to more than this are refused: their cost is that of the
 * expanded value. */
#define MAX_FOLDED 20000

/* ---- operators ----------------------------------------------------------------------------- */

static bool can_look(struct expr_parser *p, const json_t *half, enum expr_look look)
{
    if (half == NULL || look == LOOK_OPAQUE)
        return true;
    if (look == LOOK_SHALLOW)
        return !bondy_expr_is_deferred(p->compiler, half);
    return bondy_expr_is_settled(p->compiler, half);
}

static bool can_fold(struct expr_parser *p, const struct expr_op *op, const struct expr_value *left,
                     const struct expr_args *args)
{
    if (op->is_impure || !can_look(p, left->half, op->left))
        return false;
    for (uint32_t i = 0; i < args->count; i++)
        if (!can_look(p, args->items[i], i == 0 ? op->arg0 : op->args))
            return false;
    return true;
}

static bool has_poison(struct expr_parser *p, const struct expr_op *op,
                       const struct expr_value *left, const struct expr_args *args)
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
static bool take_regex(struct expr_parser *p, struct expr_use *use, const struct expr_args *args)
{
    struct bondy_error err = {0, ""};
    struct expr_regex *regex;

    if (!json_is_string(args->items[0]))
        return bondy_expr_refuse_at(p, args->starts[0],
                                    (struct bondy_finding){.code = "invalid_regex"},
                                    "a regular expression is literal text");
    if (!bondy_expr_spend(p->compiler, 500))
        return false;
    if (bondy_expr_regex_compile(
            bondy_slice_of(json_string_value(args->items[0]), json_string_length(args->items[0])),
            &regex, &err) < 0)
        return bondy_expr_refuse_at(p, args->starts[0],
                                    (struct bondy_finding){.code = "invalid_regex"},
                                    "not a regular expression: %.300s", err.text);
    bondy_expr_pool_keep_regex(p->compiler->pool, regex);
    use->regex = regex;
    return true;
}

static bool make_use(struct expr_parser *p, const struct expr_op *op, const struct expr_args *args,
                     struct expr_use *use)
{
    *use = (struct expr_use){.op = op,
                             .arg_count = args->count,
                             .literals = args->literals,
                             .merge_side = args->merge_side};
    return strcmp(op->name, "matches") != 0 || take_regex(p, use, args);
}

static void make_nodes(struct expr_parser *p, const struct expr_args *args, struct expr_use *use)
{
    use->args = bondy_expr_pool_alloc(p->compiler->pool, args->count * sizeof *use->args);
    for (uint32_t i = 0; i < args->count; i++)
        use->args[i] = bondy_expr_node(p->compiler, args->items[i]);
}

/* At load the arguments are handed over as they are, stand-ins included. */
static struct bondy_expr *raw_constants(const struct expr_args *args)
{
    struct bondy_expr *nodes = bondy_calloc(args->count, sizeof *nodes);

    for (uint32_t i = 0; i < args->count; i++) {
        nodes[i].kind = EXPR_CONSTANT;
        nodes[i].as.constant = args->items[i];
    }
    return nodes;
}

static int apply_now(struct expr_parser *p, struct expr_value *left, const struct expr_args *args,
                     const struct expr_use *use, struct bondy_expr_error *error, json_t **out,
                     struct expr_run *run)
{
    struct bondy_expr *nodes = raw_constants(args);
    const struct bondy_expr *list[BONDY_EXPR_MAX_ARGS];
    struct expr_use now = *use;
    char shown[300];
    struct bondy_slice text = bondy_expr_span(p, left->start, p->at);
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

/* Most operators copy the outermost container, or the text. */
static size_t cost_of(const json_t *left)
{
    return left == NULL ? 1
                        : 2 * json_object_size(left) + json_array_size(left) +
                              json_string_length(left) / 8 + 1;
}

static bool fold(struct expr_parser *p, struct expr_value *left, const struct expr_args *args,
                 const struct expr_use *use, size_t at)
{
    struct bondy_expr_error error = {.message = ""};
    struct expr_run run;
    json_t *result = NULL;
    int rc;

    if (use->op->left == LOOK_DEEP && left->half != NULL &&
        bondy_expr_count(p->compiler, left->half) > MAX_FOLDED)
        return bondy_expr_refuse_at(p, at, (struct bondy_finding){.code = "too_large"},
                                    "'%s' on a constant of more than %d values", use->op->name,
                                    MAX_FOLDED);
    if (!bondy_expr_spend(p->compiler, cost_of(left->half)))
        return false;
    rc = apply_now(p, left, args, use, &error, &result, &run);
    if (rc == BONDY_EINVAL)
        return bondy_expr_refuse_at(
            p, at, (struct bondy_finding){.code = "invalid_operand", .expected = use->op->usage},
            "%s", error.message);
    if (rc == BONDY_ENOENT && left->half != NULL)
        bondy_expr_set_missing(left, at, NULL, "no member '%s' for '" BONDY_SLICE_FMT "'",
                               run.missing_member,
                               BONDY_SLICE_ARG(bondy_expr_span(p, left->start, p->at)));
    if (rc == BONDY_OK)
        bondy_expr_set_half(left, result);
    left->pipe = NULL;
    return true;
}

static unsigned result_types(struct expr_parser *p, const struct expr_op *op, unsigned left,
                             const struct expr_args *args)
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
static const struct bondy_expr *left_node(struct expr_parser *p, json_t *half)
{
    if (bondy_idmap_find(&p->compiler->statuses, (uint64_t)(uintptr_t)half) != NULL)
        return bondy_expr_field_node(p, BONDY_FIELD_STATUS_CODES);
    return bondy_expr_node(p->compiler, half);
}

static bool defer(struct expr_parser *p, struct expr_value *left, const struct expr_args *args,
                  const struct expr_use *use, size_t at)
{
    struct expr_pool *pool = p->compiler->pool;
    unsigned types = left->half == NULL ? T_ANY : bondy_expr_types(p->compiler, left->half);
    const struct expr_op *op = use->op;
    struct bondy_expr *pipe = left->pipe;
    struct expr_use *uses;
    uint32_t count = pipe == NULL ? 0 : pipe->as.pipe.count;

    if ((types & op->accepts) == 0 && !(op->passes_empty && (types & T_STRING) != 0))
        return bondy_expr_refuse_at(
            p, at, (struct bondy_finding){.code = "invalid_operand", .expected = op->usage},
            "'%s' needs %s, but what stands before it is %s", op->name,
            bondy_expr_type_name(op->accepts), bondy_expr_type_name(types));
    uses = bondy_expr_pool_alloc(pool, (count + 1) * sizeof *uses);
    if (pipe == NULL) {
        json_t *nothing = left->half == NULL ? json_null() : NULL;

        pipe = bondy_expr_new_node(p, EXPR_PIPE, 0);
        pipe->as.pipe.inner = left_node(p, nothing == NULL ? left->half : nothing);
        bondy_expr_absorb(pipe, pipe->as.pipe.inner);
        bondy_expr_set_half(left, bondy_expr_defer(p->compiler, pipe));
        left->pipe = pipe;
    } else {
        memcpy(uses, pipe->as.pipe.uses, count * sizeof *uses);
    }
    uses[count] = *use;
    pipe->as.pipe.uses = uses;
    pipe->as.pipe.count = count + 1;
    pipe->types = (uint8_t)result_types(p, op, types, args);
    pipe->text = bondy_expr_pool_text(pool, bondy_expr_span(p, left->start, p->at));
    pipe->weight++;
    for (uint32_t i = 0; i < args->count; i++)
        bondy_expr_absorb(pipe, use->args[i]);
    return true;
}

bool bondy_expr_apply_op(struct expr_parser *p, struct expr_value *left, const struct expr_op *op,
                         const struct expr_args *args, size_t at)
{
    struct expr_use use;

    if (has_poison(p, op, left, args)) {
        bondy_expr_set_half(left, json_incref(p->compiler->poison));
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

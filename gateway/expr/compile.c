/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/expr/compile.h"

#include "src/base/alloc.h"

/* What is known of a container, once and for all: compiled values are never changed. */
struct shape {
    uint32_t count;
    uint8_t depth;
    bool is_deferred;
    bool is_poisoned;
};

void bondy_expr_compiler_init(struct expr_compiler *compiler, struct expr_pool *pool,
                              struct bondy_findings *findings)
{
    *compiler = (struct expr_compiler){.pool = pool, .findings = findings};
    compiler->kept = json_array();
    compiler->poison = json_real(0);
}

static void free_shapes(struct bondy_idmap *shapes)
{
    size_t cursor = 0;
    uint64_t key;
    void *shape;

    while (bondy_idmap_next(shapes, &cursor, &key, &shape))
        bondy_free(shape);
    bondy_idmap_fini(shapes);
}

void bondy_expr_compiler_fini(struct expr_compiler *compiler)
{
    bondy_idmap_fini(&compiler->deferred);
    bondy_idmap_fini(&compiler->nodes);
    bondy_idmap_fini(&compiler->statuses);
    free_shapes(&compiler->shapes);
    bondy_buf_fini(&compiler->pointer);
    json_decref(compiler->kept);
    json_decref(compiler->poison);
}

bool bondy_expr_spend(struct expr_compiler *compiler, size_t steps)
{
    if (compiler->is_exhausted)
        return false;
    compiler->work += steps;
    if (compiler->work <= BONDY_EXPR_MAX_WORK)
        return true;
    compiler->is_exhausted = true;
    bondy_findings_add(compiler->findings, bondy_buf_slice(&compiler->pointer),
                       &(struct bondy_finding){.code = "too_complex"},
                       "the document takes too many steps to compile; what comes after this place "
                       "was not looked at");
    return false;
}

/* An address as a key. What is kept under it must stay alive: see `kept`. */
static uint64_t id_of(const json_t *value)
{
    return (uint64_t)(uintptr_t)value;
}

static void keep(struct expr_compiler *compiler, const json_t *value)
{
    json_array_append(compiler->kept, (json_t *)value);
}

json_t *bondy_expr_defer(struct expr_compiler *compiler, const struct bondy_expr *expr)
{
    json_t *stand_in = json_real(0);

    keep(compiler, stand_in);
    bondy_idmap_put(&compiler->deferred, id_of(stand_in), (void *)expr);
    return stand_in;
}

void bondy_expr_mark_status(struct expr_compiler *compiler, json_t *codes)
{
    keep(compiler, codes);
    bondy_idmap_put(&compiler->statuses, id_of(codes), codes);
}

bool bondy_expr_is_deferred(const struct expr_compiler *compiler, const json_t *value)
{
    return json_is_real(value) && bondy_idmap_find(&compiler->deferred, id_of(value)) != NULL;
}

bool bondy_expr_is_poison(const struct expr_compiler *compiler, const json_t *value)
{
    return value == compiler->poison;
}

static void add_child(struct shape *shape, const struct shape *child)
{
    shape->count =
        shape->count > UINT32_MAX - child->count ? UINT32_MAX : shape->count + child->count;
    if (child->depth >= shape->depth)
        shape->depth = child->depth < 254 ? (uint8_t)(child->depth + 1) : 255;
    shape->is_deferred = shape->is_deferred || child->is_deferred;
    shape->is_poisoned = shape->is_poisoned || child->is_poisoned;
}

static struct shape shape_of(struct expr_compiler *compiler, const json_t *value)
{
    struct shape shape = {.count = 1};
    struct shape *known;
    struct shape child;
    const json_t *item;
    size_t i;

    if (!json_is_object(value) && !json_is_array(value)) {
        shape.count += (uint32_t)(json_string_length(value) / 64);
        shape.is_poisoned = bondy_expr_is_poison(compiler, value);
        shape.is_deferred = bondy_expr_is_deferred(compiler, value);
        return shape;
    }
    known = bondy_idmap_find(&compiler->shapes, id_of(value));
    if (known != NULL)
        return *known;
    shape.depth = 1;
    json_array_foreach(value, i, item)
    {
        child = shape_of(compiler, item);
        add_child(&shape, &child);
    }
    for (void *at = json_object_iter((json_t *)value); at != NULL;
         at = json_object_iter_next((json_t *)value, at)) {
        child = shape_of(compiler, json_object_iter_value(at));
        add_child(&shape, &child);
    }
    bondy_expr_spend(compiler, 1 + json_array_size(value) + json_object_size(value));
    known = bondy_alloc(sizeof *known);
    *known = shape;
    keep(compiler, value);
    bondy_idmap_put(&compiler->shapes, id_of(value), known);
    return shape;
}

bool bondy_expr_is_settled(struct expr_compiler *compiler, const json_t *value)
{
    struct shape shape = shape_of(compiler, value);

    return !shape.is_deferred && !shape.is_poisoned;
}

bool bondy_expr_has_poison(struct expr_compiler *compiler, const json_t *value)
{
    return shape_of(compiler, value).is_poisoned;
}

size_t bondy_expr_count(struct expr_compiler *compiler, const json_t *value)
{
    return shape_of(compiler, value).count;
}

unsigned bondy_expr_depth(struct expr_compiler *compiler, const json_t *value)
{
    return shape_of(compiler, value).depth;
}

unsigned bondy_expr_types(const struct expr_compiler *compiler, const json_t *value)
{
    const struct bondy_expr *expr = NULL;

    if (bondy_expr_is_poison(compiler, value))
        return T_ANY;
    if (json_is_real(value))
        expr = bondy_idmap_find(&compiler->deferred, id_of(value));
    return expr != NULL ? expr->types : bondy_expr_type_of(value);
}

/* ---- half-evaluating ----------------------------------------------------------------------- */

static json_t *half_array(struct expr_compiler *compiler, struct expr_scope *scope,
                          const json_t *source)
{
    json_t *array = json_array();
    bool is_same = true;
    json_t *item;
    size_t i;

    json_array_foreach(source, i, item)
    {
        size_t len = compiler->pointer.len;
        json_t *value;

        bondy_json_pointer_push_index(&compiler->pointer, i);
        value = bondy_expr_half(compiler, scope, item);
        bondy_json_pointer_pop(&compiler->pointer, len);
        is_same = is_same && value == item;
        json_array_append_new(array, value);
    }
    if (!is_same)
        return array;
    json_decref(array);
    return json_incref((json_t *)source);
}

static json_t *half_object(struct expr_compiler *compiler, struct expr_scope *scope,
                           const json_t *source)
{
    json_t *object = json_object();
    bool is_same = true;
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)source, key, item)
    {
        size_t len = compiler->pointer.len;
        json_t *value;

        bondy_json_pointer_push(&compiler->pointer, bondy_slice_text(key));
        value = bondy_expr_half(compiler, scope, item);
        bondy_json_pointer_pop(&compiler->pointer, len);
        is_same = is_same && value == item;
        json_object_set_new_nocheck(object, key, value);
    }
    if (!is_same)
        return object;
    json_decref(object);
    return json_incref((json_t *)source);
}

/* As deep as the document, which was measured first. What holds no expression is shared with the
 * document. */
json_t *bondy_expr_half(struct expr_compiler *compiler, struct expr_scope *scope,
                        const json_t *source)
{
    if (!bondy_expr_spend(compiler, 1))
        return json_incref(compiler->poison);
    if (json_is_string(source))
        return bondy_expr_half_text(compiler, scope, source);
    if (json_is_array(source))
        return half_array(compiler, scope, source);
    if (json_is_object(source))
        return half_object(compiler, scope, source);
    return json_incref((json_t *)source);
}

/* ---- finishing ----------------------------------------------------------------------------- */

static struct bondy_expr *constant_node(struct expr_compiler *compiler, json_t *value)
{
    struct bondy_expr *node = bondy_expr_pool_alloc(compiler->pool, sizeof *node);

    node->kind = EXPR_CONSTANT;
    node->types = (uint8_t)bondy_expr_type_of(value);
    node->weight = 1;
    node->as.constant = bondy_expr_pool_keep(compiler->pool, value);
    return node;
}

static struct bondy_expr *list_node(struct expr_compiler *compiler, json_t *value)
{
    struct bondy_expr *node = bondy_expr_pool_alloc(compiler->pool, sizeof *node);
    bool is_object = json_is_object(value);
    size_t count = is_object ? json_object_size(value) : json_array_size(value);
    void *at = is_object ? json_object_iter(value) : NULL;

    node->kind = is_object ? EXPR_OBJECT : EXPR_ARRAY;
    node->types = (uint8_t)bondy_expr_type_of(value);
    node->weight = 1;
    node->as.list.count = (uint32_t)count;
    node->as.list.items =
        bondy_expr_pool_alloc(compiler->pool, count * sizeof *node->as.list.items);
    if (is_object)
        node->as.list.names =
            bondy_expr_pool_alloc(compiler->pool, count * sizeof *node->as.list.names);
    for (size_t i = 0; i < count; i++) {
        json_t *item = is_object ? json_object_iter_value(at) : json_array_get(value, i);

        if (is_object) {
            node->as.list.names[i] =
                bondy_expr_pool_text(compiler->pool, bondy_slice_text(json_object_iter_key(at)));
            at = json_object_iter_next(value, at);
        }
        node->as.list.items[i] = bondy_expr_node(compiler, item);
        bondy_expr_absorb(node, node->as.list.items[i]);
    }
    return node;
}

/* Containers that are used in many places become one node. */
const struct bondy_expr *bondy_expr_node(struct expr_compiler *compiler, json_t *half)
{
    struct bondy_expr *node = NULL;
    bool is_container = json_is_object(half) || json_is_array(half);

    if (json_is_real(half))
        node = bondy_idmap_find(&compiler->deferred, id_of(half));
    if (node == NULL && is_container)
        node = bondy_idmap_find(&compiler->nodes, id_of(half));
    if (node != NULL)
        return node;
    node = is_container && !bondy_expr_is_settled(compiler, half) ? list_node(compiler, half)
                                                                  : constant_node(compiler, half);
    if (is_container) {
        keep(compiler, half);
        bondy_idmap_put(&compiler->nodes, id_of(half), node);
    }
    return node;
}

const struct bondy_expr *bondy_expr_finish(struct expr_compiler *compiler, json_t *half)
{
    const struct bondy_expr *node = bondy_expr_node(compiler, half);

    if (bondy_expr_has_poison(compiler, half))
        return node;
    if (node->depth > BONDY_EXPR_MAX_DEPTH || node->weight > BONDY_EXPR_MAX_WEIGHT ||
        bondy_expr_count(compiler, half) > BONDY_EXPR_MAX_CONSTANT)
        bondy_findings_add(compiler->findings, bondy_buf_slice(&compiler->pointer),
                           &(struct bondy_finding){.code = "too_large"},
                           "the value is too large or too deep once its variables are filled in");
    return node;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXPR_COMPILE_H
#define BONDY_GATEWAY_EXPR_COMPILE_H

/* compile: the load-time half of the expression language. http-gateway.md 1.3 and part 2.
 *
 * Three steps. A scope holds the `variables` and `defaults` of a level and its parents, evaluated
 * when first asked for and then remembered. bondy_expr_half() evaluates a piece of the document
 * there: what it can, and a stand-in for what has to wait ("deferred"); a stand-in is a JSON value
 * known by its address, so that operators can move it around. bondy_expr_finish() turns such a
 * tree into an immutable expression.
 *
 * A part that failed is reported once, where it stands, and is then "poison": whatever touches it
 * is poison too and says nothing more. */

#include "gateway/expr/local.h"
#include "gateway/expr/findings.h"
#include "src/base/map.h"

enum expr_names { NAMES_VARIABLES, NAMES_DEFAULTS, NAMES_COUNT };

enum expr_entry_state { ENTRY_NEW, ENTRY_BUSY, ENTRY_DONE };

struct expr_entry {
    const char *key;
    const json_t *source;
    struct expr_scope *owner;
    enum expr_names names;
    bool is_direct; /* written beside `defaults`, not in it (http-gateway.md 1.5, Better) */
    enum expr_entry_state state;
    json_t *value;
};

struct expr_scope {
    struct expr_scope *parent;
    char *pointer; /* of the object that holds `variables` and `defaults` */
    struct expr_entry *entries[NAMES_COUNT];
    size_t counts[NAMES_COUNT];
    struct bondy_map maps[NAMES_COUNT];
    json_t *status_codes; /* merged down to this level */
    json_t *status_overlay;
};

struct expr_compiler {
    struct expr_pool *pool;
    struct bondy_findings *findings;
    struct bondy_buf pointer;    /* of what is being looked at */
    struct bondy_idmap deferred; /* stand-in -> its expression */
    struct bondy_idmap shapes;
    struct bondy_idmap nodes;
    struct bondy_idmap statuses; /* values that are a status_codes map: read late */
    json_t *kept;                /* keeps alive what the tables know by address */
    json_t *poison;
    size_t work; /* steps done: bounded, whatever the document is made of */
    unsigned entry_depth;
    struct expr_active *active;
    bool is_exhausted;
};

#define BONDY_EXPR_MAX_WORK 4000000
#define BONDY_EXPR_MAX_ENTRY_DEPTH 64
#define BONDY_EXPR_MAX_CONSTANT 100000 /* values in one constant, shared ones each time */

void bondy_expr_compiler_init(struct expr_compiler *compiler, struct expr_pool *pool,
                              struct bondy_findings *findings);
void bondy_expr_compiler_fini(struct expr_compiler *compiler);
/* Counts steps; false, with one finding, when the document costs too much. */
bool bondy_expr_spend(struct expr_compiler *compiler, size_t steps);

/* A scope below `parent` (NULL: the first). `variables`, `defaults`: objects of the document or
 * NULL, borrowed as long as the scope lives. The caller owns it. */
struct expr_scope *bondy_expr_scope_create(struct expr_scope *parent, struct bondy_slice pointer,
                                           const json_t *variables, const json_t *defaults);
void bondy_expr_scope_destroy(struct expr_scope *scope);
/* The nearest entry, or NULL. */
struct expr_entry *bondy_expr_scope_find(const struct expr_scope *scope, enum expr_names names,
                                         struct bondy_slice key);
/* Its half-evaluated value, borrowed. */
json_t *bondy_expr_entry_value(struct expr_compiler *compiler, struct expr_entry *entry);
/* Evaluates all entries of the scope itself, so that mistakes in unused ones are found too. */
void bondy_expr_scope_settle(struct expr_compiler *compiler, struct expr_scope *scope);
/* The entry whose name is nearest to `key`, or NULL. */
const char *bondy_expr_scope_nearest(const struct expr_scope *scope, enum expr_names names,
                                     struct bondy_slice key);
const char *bondy_expr_names_text(enum expr_names names);

/* Half-evaluates; mistakes are reported at compiler->pointer and below. The caller owns the
 * result. */
json_t *bondy_expr_half(struct expr_compiler *compiler, struct expr_scope *scope,
                        const json_t *source);
/* The same for one string. */
json_t *bondy_expr_half_text(struct expr_compiler *compiler, struct expr_scope *scope,
                             const json_t *text);
bool bondy_expr_is_deferred(const struct expr_compiler *compiler, const json_t *value);
bool bondy_expr_is_poison(const struct expr_compiler *compiler, const json_t *value);
/* Nothing deferred and nothing poisoned in it, however deep. */
bool bondy_expr_is_settled(struct expr_compiler *compiler, const json_t *value);
bool bondy_expr_has_poison(struct expr_compiler *compiler, const json_t *value);
/* The types that a half-evaluated value can turn out to have. */
unsigned bondy_expr_types(const struct expr_compiler *compiler, const json_t *value);
/* Says that `codes` is a status_codes map: deferred expressions read that of their operation. */
void bondy_expr_mark_status(struct expr_compiler *compiler, json_t *codes);
/* A stand-in for the expression; the caller owns it. */
json_t *bondy_expr_defer(struct expr_compiler *compiler, const struct bondy_expr *expr);
/* Values in the tree, shared ones counted each time, and its depth. */
size_t bondy_expr_count(struct expr_compiler *compiler, const json_t *value);
unsigned bondy_expr_depth(struct expr_compiler *compiler, const json_t *value);

/* The finished expression, owned by the pool. */
const struct bondy_expr *bondy_expr_finish(struct expr_compiler *compiler, json_t *half);
/* The same, without the checks of size that the outermost expression gets. */
const struct bondy_expr *bondy_expr_node(struct expr_compiler *compiler, json_t *half);

#endif

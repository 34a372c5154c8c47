/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXPR_LOCAL_H
#define BONDY_GATEWAY_EXPR_LOCAL_H

/* Inside of the expression language: nodes, operators, and what one evaluation carries along.
 *
 * While a document is compiled (expr_compile.h), values are ordinary JSON trees in which a deferred
 * expression is represented by a JSON value that the compiler knows by its address. Operators move
 * such values around without looking at them, so one implementation of every operator serves at
 * load and at request time. Only at the end is such a tree turned into nodes. */

#include <stdint.h>

#include "gateway/expr/expr.h"

#define BONDY_EXPR_MAX_LEN 4096      /* of one {{...}}, nested ones included */
#define BONDY_EXPR_MAX_NESTING 16    /* {{...}} inside {{...}} */
#define BONDY_EXPR_MAX_OPERATORS 32  /* in one outermost {{...}} */
#define BONDY_EXPR_MAX_ARGS 32       /* of one operator */
#define BONDY_EXPR_MAX_KEYS 64       /* of one path */
#define BONDY_EXPR_MAX_DEPTH 64      /* of nodes */
#define BONDY_EXPR_MAX_WEIGHT 100000 /* nodes that one evaluation visits */
#define BONDY_EXPR_MAX_VALUE_DEPTH 32
/* Results that may repeat a part of the request more often than this are measured. */
#define BONDY_EXPR_FREE_REPEATS 16

/* Types of JSON values, as a set. */
enum {
    T_OBJECT = 1,
    T_ARRAY = 2,
    T_STRING = 4,
    T_INTEGER = 8,
    T_REAL = 16,
    T_BOOLEAN = 32,
    T_NULL = 64,
    T_NUMBER = T_INTEGER | T_REAL,
    T_SCALAR = T_STRING | T_NUMBER | T_BOOLEAN | T_NULL,
    T_ANY = 127
};

enum expr_kind {
    EXPR_CONSTANT,
    EXPR_FIELD,
    EXPR_WHOLE,    /* all members of request, security, action.result or action.error */
    EXPR_MEMBER,   /* inner.key.key */
    EXPR_PIPE,     /* inner |> op |> op */
    EXPR_TEMPLATE, /* text, always a string */
    EXPR_OBJECT,
    EXPR_ARRAY
};

struct expr_pool; /* owns nodes, names, constants, compiled regular expressions */
struct expr_use;

struct bondy_expr {
    uint8_t kind;
    uint8_t types; /* what it can yield */
    uint8_t depth;
    uint32_t weight;  /* nodes visited by one evaluation, saturating */
    uint32_t repeats; /* fields read by one evaluation, saturating */
    uint64_t fields;  /* bit per enum bondy_field */
    const char *text; /* as written, for messages; NULL: nothing to show */
    union {
        json_t *constant;
        enum bondy_field field;
        struct {
            enum bondy_field first, last;
        } whole;
        struct {
            const struct bondy_expr *inner;
            const char **keys;
            uint32_t count;
        } member;
        struct {
            const struct bondy_expr *inner;
            const struct expr_use *uses;
            uint32_t count;
        } pipe;
        struct {
            const struct bondy_expr **items;
            const char **names; /* EXPR_OBJECT */
            uint32_t count;
        } list;
    } as;
};

_Static_assert(BONDY_FIELDS <= 64, "the set of fields is one word");

/* ---- operators ----------------------------------------------------------------------------- */

/* What an operator looks at. A value with deferred parts can be given at load where those parts are
 * not looked at. */
enum expr_look {
    LOOK_DEEP = 0, /* everything */
    LOOK_SHALLOW,  /* the members of the outermost container are moved, not looked at */
    LOOK_OPAQUE    /* the whole value is moved */
};

struct expr_call;
typedef int (*expr_op_fn)(struct expr_call *call, json_t *left, json_t **out);

struct expr_op {
    const char *name;
    uint8_t min_args;
    uint8_t max_args;
    bool takes_list;     /* its arguments stand in [...] */
    bool passes_empty;   /* on "" yields "" */
    bool is_impure;      /* another answer every time: never folded */
    bool takes_missing;  /* works when the left side is not there */
    uint8_t accepts;     /* types of the left side */
    uint8_t yields;      /* types of the result */
    enum expr_look left; /* what is looked at, left ... */
    enum expr_look args; /* ... and of arguments that are not the first ... */
    enum expr_look arg0; /* ... and of the first */
    expr_op_fn apply;
    const char *usage;
};

/* NULL when there is none. */
const struct expr_op *bondy_expr_op_find(struct bondy_slice name);
/* The rows of the table one after the other; NULL behind the last. */
const struct expr_op *bondy_expr_op_at(size_t index);

/* One operator in a pipeline. */
struct expr_use {
    const struct expr_op *op;
    const struct bondy_expr **args;
    uint32_t arg_count;
    uint32_t literals; /* bit n: argument n is a bareword or '...' */
    int merge_side;    /* merge(_,x): 1, merge(x,_): -1 */
    const struct expr_regex *regex;
};

/* ---- one evaluation ------------------------------------------------------------------------ */

struct expr_run {
    const struct bondy_expr_source *source; /* NULL at load */
    struct bondy_expr_error *error;
    /* What was missing last: formatted only when nothing supplies a default. */
    const struct bondy_expr *missing;
    uint32_t missing_key;
    char missing_member[128]; /* of get(); "" when a path was missing */
};

struct expr_call {
    struct expr_run *run;
    const struct expr_use *use;
    const struct bondy_expr *whole;    /* the pipeline, for messages */
    const struct bondy_expr *inner;    /* the left side when it is the first operator */
    json_t *held[BONDY_EXPR_MAX_ARGS]; /* arguments evaluated so far */
};

/* Argument `index`, borrowed until the operator ends; evaluated when first asked for. */
int bondy_expr_arg(struct expr_call *call, uint32_t index, json_t **out);
/* The text of a scalar as an argument: a string itself, a number its shortest form. `buf` is used
 * when needed. False for containers. */
bool bondy_expr_scalar_text(const json_t *value, char buf[32], struct bondy_slice *out);
/* Fails the operator: "<op>: <reason>", with the left value. Returns BONDY_EINVAL. */
int bondy_expr_refuse(struct expr_call *call, const json_t *left, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* "no such member": BONDY_ENOENT, which default() turns into a value. */
int bondy_expr_absent(struct expr_call *call, struct bondy_slice member);
/* Applies one use to `left` (borrowed; NULL: missing). BONDY_OK, BONDY_ENOENT or BONDY_EINVAL. */
int bondy_expr_apply(struct expr_run *run, const struct bondy_expr *whole,
                     const struct bondy_expr *inner, const struct expr_use *use, json_t *left,
                     json_t **out);
/* At most `cap` bytes of a value as text for a message; members with secret names are masked. */
void bondy_expr_show(struct bondy_buf *out, const json_t *value, size_t cap);
bool bondy_expr_is_secret(const char *name);
/* Whether a tree, shared parts counted each time, is about at most `cap` octets of text. */
bool bondy_expr_is_within(const json_t *value, size_t cap);
unsigned bondy_expr_type_of(const json_t *value);
/* "an object", "a string or a number" */
const char *bondy_expr_type_name(unsigned types);

/* matches(re): expr_regex.c */
struct expr_regex;
int bondy_expr_regex_compile(struct bondy_slice text, struct expr_regex **out,
                             struct bondy_error *err);
void bondy_expr_regex_destroy(struct expr_regex *regex);
/* 1 match, 0 none, BONDY_ELIMIT when the match limit was reached. */
int bondy_expr_regex_match(const struct expr_regex *regex, struct bondy_slice text);

/* ---- nodes --------------------------------------------------------------------------------- */

struct expr_pool *bondy_expr_pool_create(void);
void bondy_expr_pool_destroy(struct expr_pool *pool);
/* Zeroed memory that lives as long as the pool. */
void *bondy_expr_pool_alloc(struct expr_pool *pool, size_t size);
char *bondy_expr_pool_text(struct expr_pool *pool, struct bondy_slice text);
/* Takes a reference that is dropped with the pool; returns the value. */
json_t *bondy_expr_pool_keep(struct expr_pool *pool, json_t *value);
void bondy_expr_pool_keep_regex(struct expr_pool *pool, struct expr_regex *regex);
size_t bondy_expr_pool_size(const struct expr_pool *pool);

/* Adds what `child` says about fields, weight, repeats and depth to `parent`. */
void bondy_expr_absorb(struct bondy_expr *parent, const struct bondy_expr *child);
unsigned bondy_field_types(enum bondy_field field);
/* "request" "body" -> field; false when there is none. `scope` is request, security, action.result
 * or action.error. Knows the older names (path_params, arguments, arguments_kw). */
bool bondy_field_find(struct bondy_slice scope, struct bondy_slice name, enum bondy_field *out);
/* The fields of a scope; false when it is none. */
bool bondy_field_range(struct bondy_slice scope, enum bondy_field *first, enum bondy_field *last);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* ops: the one table of operators, and those on objects, arrays and any value.
 * http-gateway.md 2.3. */
#include "gateway/expr/ops.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"

/* ---- arrays -------------------------------------------------------------------------------- */

static int op_head(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *first = json_array_get(left, 0);

    (void)call;
    *out = first == NULL ? json_string("") : json_incref(first);
    return BONDY_OK;
}

static int op_last(struct expr_call *call, json_t *left, json_t **out)
{
    size_t count = json_array_size(left);

    (void)call;
    *out = count == 0 ? json_string("") : json_incref(json_array_get(left, count - 1));
    return BONDY_OK;
}

static int op_tail(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *rest = json_array();

    (void)call;
    for (size_t i = 1; i < json_array_size(left); i++)
        json_array_append(rest, json_array_get(left, i));
    *out = rest;
    return BONDY_OK;
}

static int op_length(struct expr_call *call, json_t *left, json_t **out)
{
    (void)call;
    *out = json_integer((json_int_t)json_array_size(left));
    return BONDY_OK;
}

static bool whole_number(const json_t *value, json_int_t *out)
{
    char *end;

    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) > 18)
        return false;
    *out = strtoll(json_string_value(value), &end, 10);
    return end == json_string_value(value) + json_string_length(value);
}

static int op_at(struct expr_call *call, json_t *left, json_t **out)
{
    json_int_t count = (json_int_t)json_array_size(left);
    json_int_t index;
    json_t *arg;
    int rc = bondy_expr_arg(call, 0, &arg);

    if (rc < 0)
        return rc;
    if (!whole_number(arg, &index))
        return bondy_expr_refuse(call, NULL, "the place is an integer");
    if (index < -count || index >= count)
        return bondy_expr_refuse(call, left, "no element %" JSON_INTEGER_FORMAT, index);
    *out = json_incref(json_array_get(left, (size_t)(index < 0 ? index + count : index)));
    return BONDY_OK;
}

/* ---- objects ------------------------------------------------------------------------------- */

static int op_size(struct expr_call *call, json_t *left, json_t **out)
{
    (void)call;
    *out = json_integer((json_int_t)json_object_size(left));
    return BONDY_OK;
}

/* Argument `index` as the name of a member, in `buf` when it is no string. */
static int key_arg(struct expr_call *call, uint32_t index, char buf[32], struct bondy_slice *out)
{
    json_t *arg;
    int rc = bondy_expr_arg(call, index, &arg);

    if (rc < 0)
        return rc;
    if (!bondy_expr_scalar_text(arg, buf, out))
        return bondy_expr_refuse(call, NULL, "a key is text");
    return BONDY_OK;
}

static int op_get(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice key;
    char buf[32];
    json_t *value;
    int rc = key_arg(call, 0, buf, &key);

    if (rc < 0)
        return rc;
    value = json_object_getn(left, key.data, key.len);
    if (value == NULL && call->use->arg_count < 2)
        return bondy_expr_absent(call, key);
    if (value == NULL && (rc = bondy_expr_arg(call, 1, &value)) < 0)
        return rc;
    *out = json_incref(value);
    return BONDY_OK;
}

static int op_put(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice key;
    char buf[32];
    json_t *value;
    int rc;

    if ((rc = key_arg(call, 0, buf, &key)) < 0 || (rc = bondy_expr_arg(call, 1, &value)) < 0)
        return rc;
    *out = json_copy(left);
    json_object_setn_new_nocheck(*out, key.data, key.len, json_incref(value));
    return BONDY_OK;
}

static int op_merge(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *other;
    int rc = bondy_expr_arg(call, 0, &other);

    if (rc < 0)
        return rc;
    if (!json_is_object(other))
        return bondy_expr_refuse(call, other, "expected an object to merge with");
    *out = json_copy(call->use->merge_side < 0 ? other : left);
    json_object_update(*out, call->use->merge_side < 0 ? left : other);
    return BONDY_OK;
}

static int op_with(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *kept = json_object();

    for (uint32_t i = 0; i < call->use->arg_count; i++) {
        struct bondy_slice key;
        char buf[32];
        json_t *value;
        int rc = key_arg(call, i, buf, &key);

        if (rc < 0) {
            json_decref(kept);
            return rc;
        }
        value = json_object_getn(left, key.data, key.len);
        if (value != NULL)
            json_object_setn_new_nocheck(kept, key.data, key.len, json_incref(value));
    }
    *out = kept;
    return BONDY_OK;
}

static int op_without(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *kept = json_copy(left);

    for (uint32_t i = 0; i < call->use->arg_count; i++) {
        struct bondy_slice key;
        char buf[32];
        int rc = key_arg(call, i, buf, &key);

        if (rc < 0) {
            json_decref(kept);
            return rc;
        }
        json_object_deln(kept, key.data, key.len);
    }
    *out = kept;
    return BONDY_OK;
}

struct member {
    struct bondy_slice key;
    json_t *value;
};

static int by_key(const void *a, const void *b)
{
    return bondy_slice_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static json_t *list_members(json_t *object, bool wants_keys)
{
    size_t count = json_object_size(object);
    struct member *members = bondy_calloc(count, sizeof *members);
    json_t *list = json_array();
    size_t i = 0;

    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        members[i].key = bondy_slice_of(json_object_iter_key(at), json_object_iter_key_len(at));
        members[i++].value = json_object_iter_value(at);
    }
    if (count > 0)
        qsort(members, count, sizeof *members, by_key);
    for (i = 0; i < count; i++)
        json_array_append_new(list, wants_keys
                                        ? json_stringn(members[i].key.data, members[i].key.len)
                                        : json_incref(members[i].value));
    bondy_free(members);
    return list;
}

static int op_keys(struct expr_call *call, json_t *left, json_t **out)
{
    (void)call;
    *out = list_members(left, true);
    return BONDY_OK;
}

static int op_values(struct expr_call *call, json_t *left, json_t **out)
{
    (void)call;
    *out = list_members(left, false);
    return BONDY_OK;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static bool numbers_equal(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    return json_number_value(a) == json_number_value(b);
}

/* JSON equality: 1 is 1.0. As deep as its values, which are bounded where they came in. */
static bool are_equal(const json_t *a, const json_t *b)
{
    size_t i;
    json_t *item;

    if (a == b)
        return true;
    if (json_is_number(a) && json_is_number(b))
        return numbers_equal(a, b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        json_array_foreach(a, i, item) if (!are_equal(item, json_array_get(b, i))) return false;
        return true;
    }
    if (json_is_object(a)) {
        if (json_object_size(a) != json_object_size(b))
            return false;
        for (void *at = json_object_iter((json_t *)a); at != NULL;
             at = json_object_iter_next((json_t *)a, at)) {
            const json_t *other =
                json_object_getn(b, json_object_iter_key(at), json_object_iter_key_len(at));

            if (other == NULL || !are_equal(json_object_iter_value(at), other))
                return false;
        }
        return true;
    }
    return json_equal(a, b);
}

/* A bareword or '...' is compared with the text form of a scalar. */
static int equals_arg(struct expr_call *call, const json_t *left, uint32_t index, bool *out)
{
    struct bondy_slice text;
    char buf[32];
    json_t *arg;
    int rc = bondy_expr_arg(call, index, &arg);

    if (rc < 0)
        return rc;
    *out = are_equal(left, arg);
    if (!*out && (call->use->literals & 1u << index) != 0 && json_is_string(arg) &&
        bondy_expr_scalar_text(left, buf, &text))
        *out =
            bondy_slice_eq(text, bondy_slice_of(json_string_value(arg), json_string_length(arg)));
    return BONDY_OK;
}

static int op_eq(struct expr_call *call, json_t *left, json_t **out)
{
    bool is_equal = false;
    int rc = equals_arg(call, left, 0, &is_equal);

    if (rc == BONDY_OK)
        *out = json_boolean(is_equal);
    return rc;
}

static int op_ne(struct expr_call *call, json_t *left, json_t **out)
{
    bool is_equal = false;
    int rc = equals_arg(call, left, 0, &is_equal);

    if (rc == BONDY_OK)
        *out = json_boolean(!is_equal);
    return rc;
}

static int op_in(struct expr_call *call, json_t *left, json_t **out)
{
    bool is_equal = false;

    for (uint32_t i = 0; !is_equal && i < call->use->arg_count; i++) {
        int rc = equals_arg(call, left, i, &is_equal);

        if (rc < 0)
            return rc;
    }
    *out = json_boolean(is_equal);
    return BONDY_OK;
}

/* Decimal text is a number here: "10" is greater than 9. */
static bool as_number(const json_t *value, double *out)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    bool has_digit = false;

    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (text == NULL || len == 0 || len > 40)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';

        has_digit = has_digit || is_digit;
        if (!is_digit && !(text[i] == '-' && i == 0) && !(text[i] == '.' && has_digit))
            return false;
    }
    if (!has_digit || strchr(text, '.') != strrchr(text, '.'))
        return false;
    *out = strtod(text, NULL);
    return true;
}

/* Less than 0, 0, more than 0: left against the argument. */
static int compare(struct expr_call *call, json_t *left, int *order)
{
    struct bondy_slice a, b;
    char a_buf[32], b_buf[32];
    double x, y;
    json_t *arg;
    int rc = bondy_expr_arg(call, 0, &arg);

    if (rc < 0)
        return rc;
    if ((bondy_expr_type_of(arg) & (T_NUMBER | T_STRING)) == 0)
        return bondy_expr_refuse(call, arg, "compares with a number or a string");
    if (json_is_integer(left) && json_is_integer(arg)) {
        *order = json_integer_value(left) < json_integer_value(arg)
                     ? -1
                     : json_integer_value(left) > json_integer_value(arg);
    } else if (as_number(left, &x) && as_number(arg, &y)) {
        *order = x < y ? -1 : x > y;
    } else {
        bondy_expr_scalar_text(left, a_buf, &a);
        bondy_expr_scalar_text(arg, b_buf, &b);
        *order = bondy_slice_cmp(a, b);
    }
    return BONDY_OK;
}

static int op_lt(struct expr_call *call, json_t *left, json_t **out)
{
    int order = 0;
    int rc = compare(call, left, &order);

    if (rc == BONDY_OK)
        *out = json_boolean(order < 0);
    return rc;
}

static int op_gt(struct expr_call *call, json_t *left, json_t **out)
{
    int order = 0;
    int rc = compare(call, left, &order);

    if (rc == BONDY_OK)
        *out = json_boolean(order > 0);
    return rc;
}

/* ---- choosing, making ---------------------------------------------------------------------- */

static int op_default(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *value = left;
    int rc = BONDY_OK;

    if (left == NULL || json_is_null(left))
        rc = bondy_expr_arg(call, 0, &value);
    if (rc == BONDY_OK)
        *out = json_incref(value);
    return rc;
}

static int op_if(struct expr_call *call, json_t *left, json_t **out)
{
    json_t *value;
    int rc = bondy_expr_arg(call, json_is_true(left) ? 0 : 1, &value);

    if (rc == BONDY_OK)
        *out = json_incref(value);
    return rc;
}

static int op_now(struct expr_call *call, json_t *left, json_t **out)
{
    char text[25];

    (void)call;
    (void)left;
    bondy_clock_format(bondy_clock_wall_ms(), text);
    *out = json_string(text);
    return BONDY_OK;
}

static int op_uuid(struct expr_call *call, json_t *left, json_t **out)
{
    char text[37];

    (void)call;
    (void)left;
    bondy_id_uuid4(text);
    *out = json_string(text);
    return BONDY_OK;
}

/* ---- the table ----------------------------------------------------------------------------- */

static const struct expr_op OPS[] = {
    /* Those of Bondy: on "" they yield "". */
    {.name = "integer",
     .passes_empty = true,
     .accepts = T_NUMBER | T_STRING,
     .yields = T_INTEGER,
     .apply = bondy_expr_op_integer,
     .usage = "integer"},
    {.name = "float",
     .passes_empty = true,
     .accepts = T_NUMBER | T_STRING,
     .yields = T_REAL,
     .apply = bondy_expr_op_float,
     .usage = "float"},
    {.name = "string",
     .passes_empty = true,
     .accepts = T_SCALAR,
     .yields = T_STRING,
     .apply = bondy_expr_op_string,
     .usage = "string"},
    {.name = "abs",
     .passes_empty = true,
     .accepts = T_NUMBER,
     .yields = T_NUMBER,
     .apply = bondy_expr_op_abs,
     .usage = "abs"},
    {.name = "head",
     .passes_empty = true,
     .accepts = T_ARRAY,
     .yields = T_ANY,
     .left = LOOK_SHALLOW,
     .apply = op_head,
     .usage = "head"},
    {.name = "last",
     .passes_empty = true,
     .accepts = T_ARRAY,
     .yields = T_ANY,
     .left = LOOK_SHALLOW,
     .apply = op_last,
     .usage = "last"},
    {.name = "tail",
     .passes_empty = true,
     .accepts = T_ARRAY,
     .yields = T_ARRAY,
     .left = LOOK_SHALLOW,
     .apply = op_tail,
     .usage = "tail"},
    {.name = "length",
     .passes_empty = true,
     .accepts = T_ARRAY,
     .yields = T_INTEGER,
     .left = LOOK_SHALLOW,
     .apply = op_length,
     .usage = "length"},
    {.name = "size",
     .passes_empty = true,
     .accepts = T_OBJECT,
     .yields = T_INTEGER,
     .left = LOOK_SHALLOW,
     .apply = op_size,
     .usage = "size"},
    {.name = "get",
     .min_args = 1,
     .max_args = 2,
     .passes_empty = true,
     .accepts = T_OBJECT,
     .yields = T_ANY,
     .left = LOOK_SHALLOW,
     .args = LOOK_OPAQUE,
     .apply = op_get,
     .usage = "get(key) or get(key, default)"},
    {.name = "put",
     .min_args = 2,
     .max_args = 2,
     .passes_empty = true,
     .accepts = T_OBJECT,
     .yields = T_OBJECT,
     .left = LOOK_SHALLOW,
     .args = LOOK_OPAQUE,
     .apply = op_put,
     .usage = "put(key, value)"},
    {.name = "merge",
     .min_args = 1,
     .max_args = 2,
     .passes_empty = true,
     .accepts = T_OBJECT,
     .yields = T_OBJECT,
     .left = LOOK_SHALLOW,
     .arg0 = LOOK_SHALLOW,
     .apply = op_merge,
     .usage = "merge(object), merge(_, object) or merge(object, _)"},
    {.name = "with",
     .min_args = 1,
     .max_args = BONDY_EXPR_MAX_ARGS,
     .takes_list = true,
     .passes_empty = true,
     .accepts = T_OBJECT,
     .yields = T_OBJECT,
     .left = LOOK_SHALLOW,
     .apply = op_with,
     .usage = "with([key, ...])"},
    {.name = "without",
     .min_args = 1,
     .max_args = BONDY_EXPR_MAX_ARGS,
     .takes_list = true,
     .passes_empty = true,
     .accepts = T_OBJECT,
     .yields = T_OBJECT,
     .left = LOOK_SHALLOW,
     .apply = op_without,
     .usage = "without([key, ...])"},
    /* Ours. */
    {.name = "default",
     .min_args = 1,
     .max_args = 1,
     .takes_missing = true,
     .accepts = T_ANY,
     .yields = T_ANY,
     .left = LOOK_SHALLOW,
     .arg0 = LOOK_OPAQUE,
     .apply = op_default,
     .usage = "default(value)"},
    {.name = "lower",
     .accepts = T_STRING,
     .yields = T_STRING,
     .apply = bondy_expr_op_lower,
     .usage = "lower"},
    {.name = "upper",
     .accepts = T_STRING,
     .yields = T_STRING,
     .apply = bondy_expr_op_upper,
     .usage = "upper"},
    {.name = "trim",
     .accepts = T_STRING,
     .yields = T_STRING,
     .apply = bondy_expr_op_trim,
     .usage = "trim"},
    {.name = "split",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_STRING,
     .yields = T_ARRAY,
     .apply = bondy_expr_op_split,
     .usage = "split('separator')"},
    {.name = "join",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_ARRAY,
     .yields = T_STRING,
     .apply = bondy_expr_op_join,
     .usage = "join('separator')"},
    {.name = "at",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_ARRAY,
     .yields = T_ANY,
     .left = LOOK_SHALLOW,
     .apply = op_at,
     .usage = "at(index)"},
    {.name = "keys",
     .accepts = T_OBJECT,
     .yields = T_ARRAY,
     .left = LOOK_SHALLOW,
     .apply = op_keys,
     .usage = "keys"},
    {.name = "values",
     .accepts = T_OBJECT,
     .yields = T_ARRAY,
     .left = LOOK_SHALLOW,
     .apply = op_values,
     .usage = "values"},
    {.name = "json",
     .accepts = T_ANY,
     .yields = T_STRING,
     .apply = bondy_expr_op_json,
     .usage = "json"},
    {.name = "parse_json",
     .accepts = T_STRING,
     .yields = T_ANY,
     .apply = bondy_expr_op_parse_json,
     .usage = "parse_json"},
    {.name = "base64",
     .accepts = T_STRING,
     .yields = T_STRING,
     .apply = bondy_expr_op_base64,
     .usage = "base64"},
    {.name = "unbase64",
     .accepts = T_STRING,
     .yields = T_STRING,
     .apply = bondy_expr_op_unbase64,
     .usage = "unbase64"},
    {.name = "url_encode",
     .accepts = T_STRING,
     .yields = T_STRING,
     .apply = bondy_expr_op_url_encode,
     .usage = "url_encode"},
    {.name = "url_query",
     .accepts = T_OBJECT,
     .yields = T_STRING,
     .apply = bondy_expr_op_url_query,
     .usage = "url_query"},
    {.name = "boolean",
     .accepts = T_BOOLEAN | T_STRING | T_NUMBER,
     .yields = T_BOOLEAN,
     .apply = bondy_expr_op_boolean,
     .usage = "boolean"},
    {.name = "not",
     .accepts = T_BOOLEAN,
     .yields = T_BOOLEAN,
     .apply = bondy_expr_op_not,
     .usage = "not"},
    {.name = "eq",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_ANY,
     .yields = T_BOOLEAN,
     .apply = op_eq,
     .usage = "eq(value)"},
    {.name = "ne",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_ANY,
     .yields = T_BOOLEAN,
     .apply = op_ne,
     .usage = "ne(value)"},
    {.name = "lt",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_NUMBER | T_STRING,
     .yields = T_BOOLEAN,
     .apply = op_lt,
     .usage = "lt(value)"},
    {.name = "gt",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_NUMBER | T_STRING,
     .yields = T_BOOLEAN,
     .apply = op_gt,
     .usage = "gt(value)"},
    {.name = "in",
     .min_args = 1,
     .max_args = BONDY_EXPR_MAX_ARGS,
     .takes_list = true,
     .accepts = T_ANY,
     .yields = T_BOOLEAN,
     .apply = op_in,
     .usage = "in([value, ...])"},
    {.name = "matches",
     .min_args = 1,
     .max_args = 1,
     .accepts = T_STRING,
     .yields = T_BOOLEAN,
     .apply = bondy_expr_op_matches,
     .usage = "matches('regular expression')"},
    {.name = "if",
     .min_args = 2,
     .max_args = 2,
     .accepts = T_BOOLEAN,
     .yields = T_ANY,
     .args = LOOK_OPAQUE,
     .arg0 = LOOK_OPAQUE,
     .apply = op_if,
     .usage = "if(then, else)"},
    {.name = "now",
     .is_impure = true,
     .takes_missing = true,
     .accepts = T_ANY,
     .yields = T_STRING,
     .apply = op_now,
     .usage = "now"},
    {.name = "uuid",
     .is_impure = true,
     .takes_missing = true,
     .accepts = T_ANY,
     .yields = T_STRING,
     .apply = op_uuid,
     .usage = "uuid"},
};

const struct expr_op *bondy_expr_op_find(struct bondy_slice name)
{
    for (size_t i = 0; i < BONDY_COUNT(OPS); i++)
        if (bondy_slice_is(name, OPS[i].name))
            return &OPS[i];
    return NULL;
}

const struct expr_op *bondy_expr_op_at(size_t index)
{
    return index < BONDY_COUNT(OPS) ? &OPS[index] : NULL;
}

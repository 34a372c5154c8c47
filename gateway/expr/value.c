/* SPDX-License-Identifier: Apache-2.0 */
/* value: what operators need to know about JSON values. */
#include "gateway/expr/local.h"

#include <stdio.h>
#include <stdlib.h>

unsigned bondy_expr_type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return T_OBJECT;
    case JSON_ARRAY:
        return T_ARRAY;
    case JSON_STRING:
        return T_STRING;
    case JSON_INTEGER:
        return T_INTEGER;
    case JSON_REAL:
        return T_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return T_BOOLEAN;
    default:
        return T_NULL;
    }
}

const char *bondy_expr_type_name(unsigned types)
{
    switch (types) {
    case T_OBJECT:
        return "an object";
    case T_ARRAY:
        return "an array";
    case T_STRING:
        return "a string";
    case T_INTEGER:
        return "an integer";
    case T_NUMBER:
        return "a number";
    case T_BOOLEAN:
        return "a boolean";
    case T_NUMBER | T_STRING:
        return "a number or a string";
    case T_NUMBER | T_STRING | T_BOOLEAN:
        return "a boolean, a number or a string";
    case T_SCALAR:
        return "a scalar";
    case T_OBJECT | T_NULL:
        return "an object or null";
    case T_ARRAY | T_NULL:
        return "an array or null";
    case T_STRING | T_NULL:
        return "a string or null";
    case T_INTEGER | T_STRING:
        return "an integer or a string";
    case T_OBJECT | T_BOOLEAN:
        return "an object or a boolean";
    case T_NULL:
        return "null";
    case T_REAL:
        return "a number";
    case T_ANY:
        return "any value";
    default:
        return "another type";
    }
}

bool bondy_expr_scalar_text(const json_t *value, char buf[32], struct bondy_slice *out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    switch (json_typeof(value)) {
    case JSON_STRING:
        *out = bondy_slice_of(json_string_value(value), json_string_length(value));
        return true;
    case JSON_INTEGER:
        snprintf(buf, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        bondy_json_format(value, &text);
        snprintf(buf, 32, BONDY_SLICE_FMT, BONDY_SLICE_ARG(bondy_buf_slice(&text)));
        bondy_buf_fini(&text);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        snprintf(buf, 32, "%s", json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        snprintf(buf, 32, "null");
        break;
    default:
        return false;
    }
    *out = bondy_slice_text(buf);
    return true;
}

/* Takes what a value costs from `left`; false when it is not enough. */
static bool pay(const json_t *value, size_t *left)
{
    size_t cost = json_is_string(value) ? 4 + json_string_length(value) : 4;
    const json_t *item;
    size_t i;

    if (cost > *left)
        return false;
    *left -= cost;
    if (json_is_array(value)) {
        json_array_foreach(value, i, item) if (!pay(item, left)) return false;
    } else if (json_is_object(value)) {
        for (void *at = json_object_iter((json_t *)value); at != NULL;
             at = json_object_iter_next((json_t *)value, at)) {
            size_t key = json_object_iter_key_len(at);

            if (key > *left)
                return false;
            *left -= key;
            if (!pay(json_object_iter_value(at), left))
                return false;
        }
    }
    return true;
}

bool bondy_expr_is_within(const json_t *value, size_t cap)
{
    return pay(value, &cap);
}

struct unit {
    const char *name;
    uint64_t ms;
};

static const struct unit UNITS[] = {{"ms", 1},          {"s", 1000},         {"m", 60000},
                                    {"h", 3600 * 1000}, {"d", 86400 * 1000}, {"", 1}};

static bool parse_duration(struct bondy_slice text, uint64_t *out)
{
    uint64_t number = 0;
    size_t i = 0;

    for (; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
        if (number > UINT64_C(1000000000000000))
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (i == 0)
        return false;
    for (const struct unit *unit = UNITS;; unit++) {
        if (bondy_slice_is(bondy_slice_skip(text, i), unit->name)) {
            *out = number > UINT64_MAX / unit->ms ? UINT64_MAX : number * unit->ms;
            return true;
        }
        if (unit->name[0] == 0)
            return false;
    }
}

bool bondy_duration_ms(const json_t *value, uint64_t *out)
{
    if (json_is_integer(value)) {
        *out = (uint64_t)json_integer_value(value);
        return json_integer_value(value) >= 0;
    }
    if (json_is_real(value)) {
        double number = json_real_value(value);

        if (number < 0 || number > 1e15)
            return false;
        *out = (uint64_t)number;
        return true;
    }
    if (!json_is_string(value))
        return false;
    if (strcmp(json_string_value(value), "infinity") == 0) {
        *out = UINT64_MAX;
        return true;
    }
    return parse_duration(bondy_slice_of(json_string_value(value), json_string_length(value)), out);
}

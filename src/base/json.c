/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/nearest.h"

/* ---- text to tree ---------------------------------------------------------------------------- */

/* Counts containers inside each other, strings skipped. Broken text may pass: jansson says better
 * what is wrong with it. */
static int check_depth(struct bondy_slice text, unsigned max_depth, struct bondy_error *err)
{
    unsigned depth = 0;
    unsigned line = 1;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '\n')
            line++;
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > max_depth)
                return bondy_fail(err, BONDY_ELIMIT,
                                  "line %u: more than %u arrays and objects inside each other",
                                  line, max_depth);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return BONDY_OK;
}

json_t *bondy_json_parse(struct bondy_slice text, unsigned max_depth, struct bondy_error *err)
{
    json_error_t problem;
    json_t *value;

    if (check_depth(text, max_depth, err) < 0)
        return NULL;
    value = json_loadb(text.data == NULL ? "" : text.data, text.len,
                       JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);
    if (value == NULL)
        bondy_fail(err, BONDY_EINVAL, "line %d, column %d: %s", problem.line, problem.column,
                   problem.text);
    return value;
}

/* ---- tree to text ---------------------------------------------------------------------------- */

static void format_text(const char *text, size_t len, struct bondy_buf *out)
{
    static const char *const short_escapes[256] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
    };
    size_t plain = 0; /* where the run not yet copied starts */

    bondy_buf_append_byte(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)
            continue;
        bondy_buf_append(out, text + plain, i - plain);
        plain = i + 1;
        if (short_escapes[c] != NULL)
            bondy_buf_append_text(out, short_escapes[c]);
        else
            bondy_buf_printf(out, "\\u%04x", c);
    }
    if (len > plain)
        bondy_buf_append(out, text + plain, len - plain);
    bondy_buf_append_byte(out, '"');
}

/* The fewest digits that give the same double again; 15 always suffice for what was written with
 * 15 or fewer, except below the smallest normal number. */
static void format_real(double value, struct bondy_buf *out)
{
    char text[32];

    for (int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    bondy_buf_append_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        bondy_buf_append_text(out, ".0");
}

static void format_value(const json_t *value, bool sorted, struct bondy_buf *out);

struct member {
    const char *key;
    size_t key_len;
    const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;

    return bondy_slice_cmp(bondy_slice_of(left->key, left->key_len),
                           bondy_slice_of(right->key, right->key_len));
}

static void format_object(const json_t *object, bool sorted, struct bondy_buf *out)
{
    /* jansson's iterators take a non-const tree but only read it. */
    json_t *tree = (json_t *)(uintptr_t)object;
    struct member *members = bondy_calloc(json_object_size(object), sizeof *members);
    size_t count = 0;

    for (void *iter = json_object_iter(tree); iter != NULL;
         iter = json_object_iter_next(tree, iter)) {
        size_t len = json_object_iter_key_len(iter);

        members[count++] =
            (struct member){json_object_iter_key(iter), len, json_object_iter_value(iter)};
    }
    if (sorted)
        qsort(members, count, sizeof *members, compare_members);
    bondy_buf_append_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            bondy_buf_append_byte(out, ',');
        format_text(members[i].key, members[i].key_len, out);
        bondy_buf_append_byte(out, ':');
        format_value(members[i].value, sorted, out);
    }
    bondy_buf_append_byte(out, '}');
    bondy_free(members);
}

static void format_array(const json_t *array, bool sorted, struct bondy_buf *out)
{
    bondy_buf_append_byte(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            bondy_buf_append_byte(out, ',');
        format_value(json_array_get(array, i), sorted, out);
    }
    bondy_buf_append_byte(out, ']');
}

static void format_value(const json_t *value, bool sorted, struct bondy_buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        format_object(value, sorted, out);
        break;
    case JSON_ARRAY:
        format_array(value, sorted, out);
        break;
    case JSON_STRING:
        format_text(json_string_value(value), json_string_length(value), out);
        break;
    case JSON_INTEGER:
        bondy_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        format_real(json_real_value(value), out);
        break;
    case JSON_TRUE:
        bondy_buf_append_text(out, "true");
        break;
    case JSON_FALSE:
        bondy_buf_append_text(out, "false");
        break;
    case JSON_NULL:
        bondy_buf_append_text(out, "null");
        break;
    }
}

void bondy_json_format(const json_t *value, struct bondy_buf *out)
{
    format_value(value, false, out);
}

void bondy_json_canonical(const json_t *value, struct bondy_buf *out)
{
    format_value(value, true, out);
}

/* ---- trees ----------------------------------------------------------------------------------- */

struct bondy_slice bondy_json_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value))
        return BONDY_SLICE_EMPTY;
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

json_t *bondy_json_with(json_t *object, const char *key, json_t *value)
{
    BONDY_BUG_ON(json_object_set_new(object, key, value) < 0);
    return object;
}

json_t *bondy_json_slice(struct bondy_slice text)
{
    json_t *value = json_stringn(text.data == NULL ? "" : text.data, text.len);

    BONDY_BUG_ON(value == NULL);
    return value;
}

/* ---- pointers -------------------------------------------------------------------------------- */

void bondy_json_pointer_push(struct bondy_buf *pointer, struct bondy_slice token)
{
    bondy_buf_append_byte(pointer, '/');
    for (size_t i = 0; i < token.len; i++) {
        char c = token.data[i];

        if (c == '~')
            bondy_buf_append_text(pointer, "~0");
        else if (c == '/')
            bondy_buf_append_text(pointer, "~1");
        else
            bondy_buf_append_byte(pointer, (unsigned char)c);
    }
}

void bondy_json_pointer_push_index(struct bondy_buf *pointer, size_t index)
{
    bondy_buf_printf(pointer, "/%zu", index);
}

void bondy_json_pointer_pop(struct bondy_buf *pointer, size_t len)
{
    BONDY_BUG_ON(len > pointer->len);
    pointer->len = len;
}

/* ---- suggestions ----------------------------------------------------------------------------- */

#define LONGEST_WORD 63

const char *bondy_json_nearest(struct bondy_slice word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t shortest = 3;

    if (word.len > LONGEST_WORD)
        return NULL;
    for (; *candidates != NULL; candidates++) {
        struct bondy_slice candidate = bondy_slice_text(*candidates);
        size_t distance;

        if (candidate.len > LONGEST_WORD)
            continue;
        distance = bondy_nearest_distance(word, candidate, false);
        if (distance < shortest && distance * 2 < candidate.len) {
            nearest = *candidates;
            shortest = distance;
        }
    }
    return nearest;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ops_text: operators on text, numbers and booleans. http-gateway.md 2.3. */
#include "gateway/expr/ops.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/utf8.h"

#define MAX_PIECES 100000
#define PARSE_DEPTH 31

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static int give_text(struct expr_call *call, struct bondy_buf *text, json_t **out)
{
    int rc = BONDY_OK;

    if (text->len > BONDY_EXPR_MAX_TEXT)
        rc = bondy_expr_refuse(call, NULL, "the result is too long");
    else
        *out = json_stringn(text->data == NULL ? "" : text->data, text->len);
    bondy_buf_fini(text);
    return rc;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static bool is_integer_text(struct bondy_slice text)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');

    if (i == text.len)
        return false;
    for (; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

int bondy_expr_op_integer(struct expr_call *call, json_t *left, json_t **out)
{
    double number = json_real_value(left);
    long long whole;

    if (json_is_integer(left)) {
        *out = json_incref(left);
        return BONDY_OK;
    }
    if (json_is_real(left)) {
        if (!(number > -9.2e18 && number < 9.2e18))
            return bondy_expr_refuse(call, left, "out of range");
        *out = json_integer((json_int_t)number);
        return BONDY_OK;
    }
    if (!is_integer_text(text_of(left)))
        return bondy_expr_refuse(call, left, "expected a decimal integer");
    errno = 0;
    whole = strtoll(json_string_value(left), NULL, 10);
    if (errno != 0)
        return bondy_expr_refuse(call, left, "out of range");
    *out = json_integer(whole);
    return BONDY_OK;
}

/* strtod also takes "inf", "nan" and hexadecimal forms. */
static bool is_float_text(struct bondy_slice text)
{
    bool has_digit = false;

    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';

        has_digit = has_digit || is_digit;
        if (!is_digit && (text.data[i] == 0 || strchr("+-.eE", text.data[i]) == NULL))
            return false;
    }
    return has_digit;
}

int bondy_expr_op_float(struct expr_call *call, json_t *left, json_t **out)
{
    double number;
    char *end;

    if (json_is_real(left)) {
        *out = json_incref(left);
        return BONDY_OK;
    }
    if (json_is_integer(left)) {
        *out = json_real((double)json_integer_value(left));
        return BONDY_OK;
    }
    if (!is_float_text(text_of(left)))
        return bondy_expr_refuse(call, left, "expected a number");
    number = strtod(json_string_value(left), &end);
    if (*end != 0 || !isfinite(number))
        return bondy_expr_refuse(call, left, "expected a number");
    *out = json_real(number);
    return BONDY_OK;
}

int bondy_expr_op_abs(struct expr_call *call, json_t *left, json_t **out)
{
    if (json_is_real(left)) {
        *out = json_real(fabs(json_real_value(left)));
        return BONDY_OK;
    }
    if (json_integer_value(left) == INT64_MIN)
        return bondy_expr_refuse(call, left, "out of range");
    *out = json_integer(llabs(json_integer_value(left)));
    return BONDY_OK;
}

int bondy_expr_op_boolean(struct expr_call *call, json_t *left, json_t **out)
{
    if (json_is_boolean(left)) {
        *out = json_incref(left);
        return BONDY_OK;
    }
    if (json_is_number(left)) {
        *out = json_boolean(json_number_value(left) != 0);
        return BONDY_OK;
    }
    if (!bondy_slice_is(text_of(left), "true") && !bondy_slice_is(text_of(left), "false"))
        return bondy_expr_refuse(call, left, "expected \"true\" or \"false\"");
    *out = json_boolean(bondy_slice_is(text_of(left), "true"));
    return BONDY_OK;
}

int bondy_expr_op_not(struct expr_call *call, json_t *left, json_t **out)
{
    (void)call;
    *out = json_boolean(!json_is_true(left));
    return BONDY_OK;
}

/* ---- text ---------------------------------------------------------------------------------- */

int bondy_expr_op_string(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice text;
    char buf[32];

    if (!bondy_expr_scalar_text(left, buf, &text))
        return bondy_expr_refuse(call, left, "expected a scalar");
    *out = json_is_string(left) ? json_incref(left) : json_stringn(text.data, text.len);
    return BONDY_OK;
}

static int change_case(struct expr_call *call, json_t *left, char from, json_t **out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_append_slice(&text, text_of(left));
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= from && text.data[i] <= from + 25)
            text.data[i] ^= 0x20;
    return give_text(call, &text, out);
}

int bondy_expr_op_lower(struct expr_call *call, json_t *left, json_t **out)
{
    return change_case(call, left, 'A', out);
}

int bondy_expr_op_upper(struct expr_call *call, json_t *left, json_t **out)
{
    return change_case(call, left, 'a', out);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int bondy_expr_op_trim(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice text = text_of(left);

    (void)call;
    while (text.len > 0 && is_blank(text.data[0]))
        text = bondy_slice_skip(text, 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    *out = json_stringn(text.data, text.len);
    return BONDY_OK;
}

static int separator_arg(struct expr_call *call, char buf[32], struct bondy_slice *out)
{
    json_t *arg;
    int rc = bondy_expr_arg(call, 0, &arg);

    if (rc < 0)
        return rc;
    if (!bondy_expr_scalar_text(arg, buf, out))
        return bondy_expr_refuse(call, NULL, "the separator is text");
    return BONDY_OK;
}

int bondy_expr_op_split(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice rest = text_of(left);
    struct bondy_slice separator;
    char buf[32];
    const char *found;
    json_t *pieces;
    int rc = separator_arg(call, buf, &separator);

    if (rc < 0)
        return rc;
    if (separator.len == 0)
        return bondy_expr_refuse(call, NULL, "the separator is empty");
    pieces = json_array();
    while (rest.len > 0 &&
           (found = memmem(rest.data, rest.len, separator.data, separator.len)) != NULL) {
        json_array_append_new(pieces, json_stringn(rest.data, (size_t)(found - rest.data)));
        rest = bondy_slice_skip(rest, (size_t)(found - rest.data) + separator.len);
        if (json_array_size(pieces) > MAX_PIECES) {
            json_decref(pieces);
            return bondy_expr_refuse(call, NULL, "more than %d pieces", MAX_PIECES);
        }
    }
    if (json_string_length(left) > 0)
        json_array_append_new(pieces, json_stringn(rest.data, rest.len));
    *out = pieces;
    return BONDY_OK;
}

int bondy_expr_op_join(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_slice separator;
    char separator_buf[32];
    json_t *item;
    size_t i;
    int rc = separator_arg(call, separator_buf, &separator);

    if (rc < 0)
        return rc;
    json_array_foreach(left, i, item)
    {
        struct bondy_slice piece;
        char buf[32];

        if (!bondy_expr_scalar_text(item, buf, &piece)) {
            bondy_buf_fini(&text);
            return bondy_expr_refuse(call, item, "element %zu is not a scalar", i);
        }
        if (text.len + separator.len + piece.len > BONDY_EXPR_MAX_TEXT)
            break;
        if (i > 0)
            bondy_buf_append_slice(&text, separator);
        bondy_buf_append_slice(&text, piece);
    }
    if (i < json_array_size(left)) {
        bondy_buf_fini(&text);
        return bondy_expr_refuse(call, NULL, "the result is too long");
    }
    return give_text(call, &text, out);
}

/* ---- forms --------------------------------------------------------------------------------- */

int bondy_expr_op_json(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    if (!bondy_expr_is_within(left, BONDY_EXPR_MAX_TEXT))
        return bondy_expr_refuse(call, NULL, "the result is too long");
    bondy_json_format(left, &text);
    return give_text(call, &text, out);
}

int bondy_expr_op_parse_json(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_error err = {0, ""};

    *out = bondy_json_parse(text_of(left), PARSE_DEPTH, &err);
    if (*out == NULL)
        return bondy_expr_refuse(call, left, "%.200s", err.text);
    return BONDY_OK;
}

int bondy_expr_op_base64(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice raw = text_of(left);
    size_t cap = sodium_base64_encoded_len(raw.len, sodium_base64_VARIANT_ORIGINAL);
    char *text;

    if (cap > BONDY_EXPR_MAX_TEXT)
        return bondy_expr_refuse(call, NULL, "the result is too long");
    text = bondy_alloc(cap);
    sodium_bin2base64(text, cap, (const unsigned char *)raw.data, raw.len,
                      sodium_base64_VARIANT_ORIGINAL);
    *out = json_string(text);
    bondy_free(text);
    return BONDY_OK;
}

int bondy_expr_op_unbase64(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice text = text_of(left);
    unsigned char *raw = bondy_alloc(text.len + 1);
    size_t len = 0;
    const char *end = NULL;
    int rc;

    rc = sodium_base642bin(raw, text.len + 1, text.data, text.len, NULL, &len, &end,
                           sodium_base64_VARIANT_ORIGINAL);
    if (rc != 0 || end != text.data + text.len)
        rc = bondy_expr_refuse(call, left, "expected base64");
    else if (!bondy_utf8_is_valid(bondy_slice_of(raw, len)))
        rc = bondy_expr_refuse(call, left, "what it holds is not UTF-8 text");
    else
        *out = json_stringn((const char *)raw, len);
    bondy_free(raw);
    return rc;
}

/* RFC 3986, Unreserved Characters. */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void append_encoded(struct bondy_slice raw, struct bondy_buf *text)
{
    static const char HEX[] = "0123456789ABCDEF";

    for (size_t i = 0; i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.data[i];

        if (is_unreserved(raw.data[i])) {
            bondy_buf_append_byte(text, c);
            continue;
        }
        bondy_buf_append_byte(text, '%');
        bondy_buf_append_byte(text, (unsigned char)HEX[c >> 4]);
        bondy_buf_append_byte(text, (unsigned char)HEX[c & 15]);
    }
}

int bondy_expr_op_url_encode(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_slice raw = text_of(left);
    struct bondy_buf text = BONDY_BUF_EMPTY;

    if (raw.len > BONDY_EXPR_MAX_TEXT / 3)
        return bondy_expr_refuse(call, NULL, "the result is too long");
    append_encoded(raw, &text);
    return give_text(call, &text, out);
}

/* Members that are no scalars have no place in a query; null is left out too. */
int bondy_expr_op_url_query(struct expr_call *call, json_t *left, json_t **out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY, scalar = BONDY_BUF_EMPTY;
    const char *key;
    json_t *value;

    json_object_foreach(left, key, value)
    {
        if (json_is_null(value) || json_is_array(value) || json_is_object(value))
            continue;
        bondy_buf_clear(&scalar, 4096);
        if (json_is_string(value))
            bondy_buf_append_slice(&scalar, text_of(value));
        else
            bondy_json_format(value, &scalar);
        if (text.len + 3 * (strlen(key) + scalar.len) > BONDY_EXPR_MAX_TEXT) {
            bondy_buf_fini(&text);
            bondy_buf_fini(&scalar);
            return bondy_expr_refuse(call, NULL, "the result is too long");
        }
        if (text.len > 0)
            bondy_buf_append_byte(&text, '&');
        append_encoded(bondy_slice_text(key), &text);
        bondy_buf_append_byte(&text, '=');
        append_encoded(bondy_buf_slice(&scalar), &text);
    }
    bondy_buf_fini(&scalar);
    return give_text(call, &text, out);
}

int bondy_expr_op_matches(struct expr_call *call, json_t *left, json_t **out)
{
    int rc = bondy_expr_regex_match(call->use->regex, text_of(left));

    if (rc < 0)
        return bondy_expr_refuse(call, NULL, "gave up: too many steps for this text");
    *out = json_boolean(rc == 1);
    return BONDY_OK;
}

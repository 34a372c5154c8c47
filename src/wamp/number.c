/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SAFE_INTEGER 9007199254740992.0 /* 2^53: below it every integer is a double */
/* More significant digits than this cannot change what a decimal rounds to, except by being there
 * at all. */
#define SIGNIFICANT_MAX 770
#define EXPONENT_MAX INT64_C(1000000000000)

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

size_t bondy_number_format_uint(uint64_t value, char *out)
{
    char reversed[BONDY_NUMBER_LEN];
    size_t len = 0;

    do {
        reversed[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

size_t bondy_number_format_int(int64_t value, char *out)
{
    if (value >= 0)
        return bondy_number_format_uint((uint64_t)value, out);
    out[0] = '-';
    return 1 + bondy_number_format_uint(UINT64_C(0) - (uint64_t)value, out + 1);
}

/* Digits d1 d2 ... dn stand for 0.d1d2...dn * 10^point. */
struct decimal {
    char digits[BONDY_NUMBER_LEN];
    int len;
    int point;
};

/* A number with few decimals, the usual case: digits / 10^k is exact when it gives the number back,
 * since both are exact doubles and division rounds correctly. */
static bool split_simple(double value, struct decimal *out)
{
    for (int k = 0; k < 16; k++) {
        double scaled = value * powers[k];

        if (scaled >= 1e15)
            return false;
        scaled = (double)(uint64_t)(scaled + 0.5);
        if (scaled / powers[k] != value)
            continue;
        out->len = (int)bondy_number_format_uint((uint64_t)scaled, out->digits);
        out->point = out->len - k;
        return true;
    }
    return false;
}

/* Any other: as many digits as it takes. The decimal separator of the locale is skipped. */
static void split_hard(double value, struct decimal *out)
{
    char text[64];
    int first = value < 2.3e-308 ? 0 : 14; /* subnormal numbers have fewer than 15 digits */

    for (int precision = first; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (precision == 16 || strtod(text, NULL) == value)
            break;
    }
    out->len = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == 'e') {
            out->point = (int)strtol(at + 1, NULL, 10) + 1;
            break;
        }
        if (*at >= '0' && *at <= '9')
            out->digits[out->len++] = *at;
    }
}

static size_t join_plain(const struct decimal *decimal, char *out)
{
    size_t len = 0;
    int at = 0;

    if (decimal->point <= 0)
        out[len++] = '0';
    for (; at < decimal->point; at++)
        out[len++] = at < decimal->len ? decimal->digits[at] : '0';
    out[len++] = '.';
    for (int zeros = decimal->point; zeros < 0; zeros++)
        out[len++] = '0';
    if (at >= decimal->len)
        out[len++] = '0';
    for (; at < decimal->len; at++)
        out[len++] = decimal->digits[at];
    return len;
}

static size_t join_scientific(const struct decimal *decimal, char *out)
{
    size_t len = 0;

    out[len++] = decimal->digits[0];
    if (decimal->len > 1)
        out[len++] = '.';
    for (int at = 1; at < decimal->len; at++)
        out[len++] = decimal->digits[at];
    out[len++] = 'e';
    return len + bondy_number_format_int(decimal->point - 1, out + len);
}

size_t bondy_number_format_float(double value, char *out)
{
    struct decimal decimal = {.len = 0};
    size_t len = 0;

    if (!isfinite(value)) {
        memcpy(out, "null", 4);
        return 4;
    }
    if (signbit(value)) {
        out[len++] = '-';
        value = -value;
    }
    if (value != 0 && (value < 1e-5 || value >= 1e15))
        split_hard(value, &decimal);
    else if (!split_simple(value, &decimal))
        split_hard(value, &decimal);
    while (decimal.len > 1 && decimal.digits[decimal.len - 1] == '0')
        decimal.len--;
    if (decimal.point > 17 || decimal.point < -4)
        return len + join_scientific(&decimal, out + len);
    return len + join_plain(&decimal, out + len);
}

/* A number of JSON taken apart: 0.d1d2... * 10^point. */
struct scanned {
    bool is_negative;
    bool is_more; /* digits other than 0 behind those kept */
    char digits[SIGNIFICANT_MAX + 32];
    int len;
    int64_t point;
};

static void scan_digits(struct bondy_slice text, size_t *at, struct scanned *out, bool is_fraction)
{
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        char digit = text.data[*at];

        if (out->len == 0 && digit == '0') {
            out->point -= is_fraction;
            continue;
        }
        out->point += !is_fraction;
        if (out->len < SIGNIFICANT_MAX)
            out->digits[out->len++] = digit;
        else if (digit != '0')
            out->is_more = true;
    }
}

static int64_t scan_exponent(struct bondy_slice text, size_t at)
{
    bool is_negative = at < text.len && text.data[at] == '-';
    int64_t exponent = 0;

    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        at++;
    for (; at < text.len && exponent < EXPONENT_MAX; at++)
        exponent = exponent * 10 + (text.data[at] - '0');
    return is_negative ? -exponent : exponent;
}

static void scan(struct bondy_slice text, struct scanned *out)
{
    size_t at = 0;

    out->is_negative = text.len > 0 && text.data[0] == '-';
    out->is_more = false;
    out->len = 0;
    out->point = 0;
    if (out->is_negative)
        at++;
    scan_digits(text, &at, out, false);
    if (at < text.len && text.data[at] == '.') {
        at++;
        scan_digits(text, &at, out, true);
    }
    if (at < text.len)
        out->point += scan_exponent(text, at + 1);
}

/* Clinger's fast path: an exact integer times or divided by an exact power of ten. */
static bool convert_simple(const struct scanned *number, double *out)
{
    int64_t exponent = number->point - number->len;
    uint64_t mantissa = 0;

    if (number->len > 15 || exponent < -22 || exponent > 22)
        return false;
    for (int i = 0; i < number->len; i++)
        mantissa = mantissa * 10 + (uint64_t)(number->digits[i] - '0');
    *out =
        exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
    return true;
}

/* Without a decimal point strtod() reads the same in every locale. */
static double convert_hard(struct scanned *number)
{
    int saved = errno;
    double value;

    if (number->is_more)
        number->digits[number->len++] = '1';
    snprintf(number->digits + number->len, 24, "e%lld", (long long)(number->point - number->len));
    value = strtod(number->digits, NULL);
    errno = saved;
    return value;
}

double bondy_number_parse(struct bondy_slice text)
{
    struct scanned number;
    double value = 0;

    scan(text, &number);
    if (number.len == 0 || number.point < -400)
        value = 0;
    else if (number.point > 400)
        value = INFINITY;
    else if (!convert_simple(&number, &value))
        value = convert_hard(&number);
    return number.is_negative ? -value : value;
}

bool bondy_number_is_finite(struct bondy_slice text)
{
    /* A double holds every number of 308 digits; without an exponent that is seen at once. */
    if (text.len <= 308 && memchr(text.data, 'e', text.len) == NULL &&
        memchr(text.data, 'E', text.len) == NULL)
        return true;
    return isfinite(bondy_number_parse(text));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* One more than the value of a character, so that 0 says it is none. */
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64};

void bondy_base64_encode(struct bondy_slice bytes, char *out)
{
    const uint8_t *in = (const uint8_t *)bytes.data;
    size_t left = bytes.len;

    for (; left >= 3; left -= 3, in += 3) {
        *out++ = alphabet[in[0] >> 2];
        *out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        *out++ = alphabet[in[2] & 63];
    }
    if (left == 0)
        return;
    *out++ = alphabet[in[0] >> 2];
    *out++ = alphabet[(in[0] & 3) << 4 | (left == 2 ? in[1] >> 4 : 0)];
    *out++ = left == 2 ? alphabet[(in[1] & 15) << 2] : '=';
    *out = '=';
}

static unsigned value_of(char character)
{
    return values[(uint8_t)character];
}

bool bondy_base64_is_valid(struct bondy_slice text)
{
    size_t digits = text.len;

    if (text.len % 4 != 0)
        return false;
    if (text.len == 0)
        return true;
    if (text.data[text.len - 1] == '=')
        digits -= text.data[text.len - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < digits; i++)
        if (value_of(text.data[i]) == 0)
            return false;
    if (digits % 4 == 3)
        return ((value_of(text.data[digits - 1]) - 1) & 3) == 0;
    if (digits % 4 == 2)
        return ((value_of(text.data[digits - 1]) - 1) & 15) == 0;
    return true;
}

size_t bondy_base64_decode(struct bondy_slice text, char *out)
{
    char *start = out;

    for (size_t at = 0; at + 4 <= text.len; at += 4) {
        const char *in = text.data + at;
        unsigned third = in[2] == '=' ? 0 : value_of(in[2]) - 1;
        unsigned fourth = in[3] == '=' ? 0 : value_of(in[3]) - 1;
        unsigned bits =
            (value_of(in[0]) - 1) << 18 | (value_of(in[1]) - 1) << 12 | third << 6 | fourth;
        size_t count = in[2] == '=' ? 1 : in[3] == '=' ? 2 : 3;

        *out++ = (char)(bits >> 16);
        if (count > 1)
            *out++ = (char)(bits >> 8);
        if (count > 2)
            *out++ = (char)bits;
    }
    return (size_t)(out - start);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* RFC 3629, Syntax of UTF-8 Byte Sequences: the lead byte gives the length and what the second byte
 * may be; every later one is 80..BF. */
static size_t sequence_len(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t len;

    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < len)
        return 0;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool bondy_utf8_is_valid(struct bondy_slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t left = text.len;

    while (left > 0) {
        size_t len;

        if (left >= sizeof(uint64_t)) {
            uint64_t word;

            memcpy(&word, at, sizeof word);
            if ((word & HIGH_BITS) == 0) {
                at += sizeof word;
                left -= sizeof word;
                continue;
            }
        }
        len = sequence_len(at, left);
        if (len == 0)
            return false;
        at += len;
        left -= len;
    }
    return true;
}

size_t bondy_utf8_decode(struct bondy_slice text, uint32_t *code_point)
{
    static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *at = (const unsigned char *)text.data;
    size_t len;

    if (text.len == 0)
        return 0;
    len = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (len > text.len)
        len = text.len;
    *code_point = at[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++)
        *code_point = *code_point << 6 | (at[i] & 0x3F);
    return len;
}

size_t bondy_utf8_encode(uint32_t code_point, char out[4])
{
    static const unsigned char lead_bits[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(lead_bits[len] | code_point);
    return len;
}

bool bondy_utf8_is_space(uint32_t code_point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0009, 0x000D}, {0x0020, 0x0020}, {0x0085, 0x0085}, {0x00A0, 0x00A0}, {0x1680, 0x1680},
        {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code_point >= ranges[i].first && code_point <= ranges[i].last)
            return true;
    return false;
}

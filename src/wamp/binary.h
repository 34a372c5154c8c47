/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_BINARY_H
#define BONDY_WAMP_BINARY_H

/* binary: what MessagePack and CBOR share: numbers of 1 to 8 octets, most significant first, and
 * containers whose count is written after their content. Inside src/wamp only. */

#include <endian.h>

#include "src/wamp/reader.h"

static inline uint64_t bondy_binary_get(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    uint16_t two;
    uint32_t four;

    switch (len) {
    case 1:
        return at[0];
    case 2:
        memcpy(&two, at, sizeof two);
        return be16toh(two);
    case 4:
        memcpy(&four, at, sizeof four);
        return be32toh(four);
    case 8:
        memcpy(&value, at, sizeof value);
        return be64toh(value);
    default: /* bignums */
        for (size_t i = 0; i < len; i++)
            value = value << 8 | at[i];
        return value;
    }
}

/* Writes a head: one octet, then `len` octets of `value`. */
static inline size_t bondy_binary_put(char *at, unsigned head, uint64_t value, size_t len)
{
    at[0] = (char)head;
    for (size_t i = len; i > 0; i--) {
        at[i] = (char)(value & 0xFF);
        value >>= 8;
    }
    return 1 + len;
}

static inline uint64_t bondy_binary_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double bondy_binary_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double bondy_binary_single(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* Puts `len` octets of head in front of the content that starts one octet behind `mark`, where one
 * octet was left free for it. */
static inline void bondy_binary_insert(struct bondy_buf *out, size_t mark, const char *head,
                                       size_t len)
{
    size_t content = out->len - mark - 1;

    bondy_buf_reserve(out, len);
    if (len > 1)
        memmove(out->data + mark + len, out->data + mark + 1, content);
    memcpy(out->data + mark, head, len);
    out->len = mark + len + content;
}

#endif

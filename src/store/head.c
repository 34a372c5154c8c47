/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/head.h"

#include <cbor/encoding.h>

#define HEAD_MAX 9
#define CBOR_NULL 0xf6

typedef size_t (*head_fn)(uint64_t, unsigned char *, size_t);

static size_t array_head(uint64_t value, unsigned char *out, size_t room)
{
    return cbor_encode_array_start((size_t)value, out, room);
}

static size_t bytes_head(uint64_t value, unsigned char *out, size_t room)
{
    return cbor_encode_bytestring_start((size_t)value, out, room);
}

void bondy_head_put(struct bondy_buf *out, enum bondy_head_major major, uint64_t value)
{
    static const head_fn encoders[] = {[BONDY_HEAD_UINT] = cbor_encode_uint,
                                       [BONDY_HEAD_BYTES] = bytes_head,
                                       [BONDY_HEAD_ARRAY] = array_head};
    unsigned char *at = (unsigned char *)bondy_buf_reserve(out, HEAD_MAX);

    out->len += encoders[major](value, at, HEAD_MAX);
}

void bondy_head_put_null(struct bondy_buf *out)
{
    bondy_buf_append_byte(out, CBOR_NULL);
}

void bondy_head_put_bytes(struct bondy_buf *out, struct bondy_slice bytes)
{
    bondy_head_put(out, BONDY_HEAD_BYTES, bytes.len);
    bondy_buf_append_slice(out, bytes);
}

/* One head of shortest or longer definite form; nothing else occurs here. */
bool bondy_head_take(struct bondy_slice *rest, enum bondy_head_major major, uint64_t *value)
{
    unsigned info, wide;
    uint64_t number = 0;

    if (rest->len == 0 || (unsigned)((uint8_t)rest->data[0] >> 5) != (unsigned)major)
        return false;
    info = (uint8_t)rest->data[0] & 0x1f;
    if (info > 27)
        return false;
    wide = info < 24 ? 0 : 1u << (info - 24);
    if (rest->len < 1 + (size_t)wide)
        return false;
    for (unsigned i = 1; i <= wide; i++)
        number = number << 8 | (uint8_t)rest->data[i];
    *value = wide == 0 ? info : number;
    *rest = bondy_slice_skip(*rest, 1 + (size_t)wide);
    return true;
}

bool bondy_head_take_bytes(struct bondy_slice *rest, struct bondy_slice *out)
{
    uint64_t len;

    if (!bondy_head_take(rest, BONDY_HEAD_BYTES, &len) || len > rest->len)
        return false;
    *out = bondy_slice_of(rest->data, (size_t)len);
    *rest = bondy_slice_skip(*rest, (size_t)len);
    return true;
}

bool bondy_head_take_null(struct bondy_slice *rest)
{
    if (rest->len == 0 || (uint8_t)rest->data[0] != CBOR_NULL)
        return false;
    *rest = bondy_slice_skip(*rest, 1);
    return true;
}

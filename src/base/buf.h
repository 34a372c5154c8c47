/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_BUF_H
#define BONDY_BASE_BUF_H

/* buf: a growing byte buffer with one owner. Bytes in use are data[0..len). */

#include "src/base/slice.h"

struct bondy_buf {
    char *data;
    size_t len;
    size_t cap;
};

#define BONDY_BUF_EMPTY                                                                            \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void bondy_buf_fini(struct bondy_buf *buf);
/* bondy_buf_reserve() when there is not enough room. */
char *bondy_buf_grow(struct bondy_buf *buf, size_t more);
void bondy_buf_append_text(struct bondy_buf *buf, const char *text);
void bondy_buf_printf(struct bondy_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops the first `count` bytes, moving the rest to the front. */
void bondy_buf_consume(struct bondy_buf *buf, size_t count);
/* The content as NUL-terminated text that the caller owns; the buffer is empty afterwards. */
char *bondy_buf_take_text(struct bondy_buf *buf);

/* ---- every message comes by here --------------------------------------------------------- */

/* Room for `more` bytes behind those in use; returns where they start. */
static inline char *bondy_buf_reserve(struct bondy_buf *buf, size_t more)
{
    if (__builtin_expect(buf->data == NULL || more > buf->cap - buf->len, 0))
        return bondy_buf_grow(buf, more);
    return buf->data + buf->len;
}

static inline void bondy_buf_append(struct bondy_buf *buf, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(bondy_buf_reserve(buf, len), data, len);
    buf->len += len;
}

static inline void bondy_buf_append_slice(struct bondy_buf *buf, struct bondy_slice slice)
{
    bondy_buf_append(buf, slice.data, slice.len);
}

static inline void bondy_buf_append_byte(struct bondy_buf *buf, unsigned byte)
{
    *bondy_buf_reserve(buf, 1) = (char)byte;
    buf->len++;
}

/* Forgets the content and keeps the memory, unless it grew beyond `keep_cap` bytes. */
static inline void bondy_buf_clear(struct bondy_buf *buf, size_t keep_cap)
{
    if (__builtin_expect(buf->cap > keep_cap, 0))
        bondy_buf_fini(buf);
    buf->len = 0;
}

static inline struct bondy_slice bondy_buf_slice(const struct bondy_buf *buf)
{
    return (struct bondy_slice){buf->data, buf->len};
}

#endif

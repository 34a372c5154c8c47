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
/* Room for `more` bytes behind those in use; returns where they start. */
char *bondy_buf_reserve(struct bondy_buf *buf, size_t more);
void bondy_buf_append(struct bondy_buf *buf, const void *data, size_t len);
void bondy_buf_append_slice(struct bondy_buf *buf, struct bondy_slice slice);
void bondy_buf_append_text(struct bondy_buf *buf, const char *text);
void bondy_buf_append_byte(struct bondy_buf *buf, unsigned byte);
void bondy_buf_printf(struct bondy_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Forgets the content and keeps the memory, unless it grew beyond `keep_cap` bytes. */
void bondy_buf_clear(struct bondy_buf *buf, size_t keep_cap);
/* Drops the first `count` bytes, moving the rest to the front. */
void bondy_buf_consume(struct bondy_buf *buf, size_t count);
/* The content as NUL-terminated text that the caller owns; the buffer is empty afterwards. */
char *bondy_buf_take_text(struct bondy_buf *buf);

static inline struct bondy_slice bondy_buf_slice(const struct bondy_buf *buf)
{
    return (struct bondy_slice){buf->data, buf->len};
}

#endif

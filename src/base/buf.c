/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "src/base/alloc.h"

#define SMALLEST_CAP 64

void bondy_buf_fini(struct bondy_buf *buf)
{
    bondy_free(buf->data);
    *buf = (struct bondy_buf)BONDY_BUF_EMPTY;
}

char *bondy_buf_grow(struct bondy_buf *buf, size_t more)
{
    size_t need = buf->len + more;
    size_t cap = buf->cap < SMALLEST_CAP ? SMALLEST_CAP : buf->cap;

    BONDY_BUG_ON(need < more);
    if (need > buf->cap) {
        while (cap < need)
            cap += cap / 2;
        buf->data = bondy_realloc(buf->data, cap);
        buf->cap = cap;
    }
    return buf->len == 0 ? buf->data : buf->data + buf->len; /* an empty buffer may have none */
}

void bondy_buf_append_text(struct bondy_buf *buf, const char *text)
{
    bondy_buf_append(buf, text, strlen(text));
}

void bondy_buf_printf(struct bondy_buf *buf, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    BONDY_BUG_ON(len < 0);
    bondy_buf_reserve(buf, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void bondy_buf_consume(struct bondy_buf *buf, size_t count)
{
    BONDY_BUG_ON(count > buf->len);
    buf->len -= count;
    if (buf->len > 0 && count > 0)
        memmove(buf->data, buf->data + count, buf->len);
}

char *bondy_buf_take_text(struct bondy_buf *buf)
{
    char *text;

    bondy_buf_append_byte(buf, '\0');
    text = buf->data;
    *buf = (struct bondy_buf)BONDY_BUF_EMPTY;
    return text;
}

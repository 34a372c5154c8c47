/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_SLICE_H
#define BONDY_BASE_SLICE_H

/* slice: borrowed bytes or text. Nothing assumes a NUL at the end, and nothing here owns. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bondy_slice {
    const char *data;
    size_t len;
};

#define BONDY_SLICE_EMPTY ((struct bondy_slice){NULL, 0})
/* A slice of a string literal. */
#define BONDY_SLICE(literal) ((struct bondy_slice){"" literal, sizeof(literal) - 1})
/* For printf: BONDY_SLICE_FMT and BONDY_SLICE_ARG(slice). */
#define BONDY_SLICE_FMT "%.*s"
#define BONDY_SLICE_ARG(slice) ((int)(slice).len), ((slice).data == NULL ? "" : (slice).data)

static inline struct bondy_slice bondy_slice_of(const void *data, size_t len)
{
    return (struct bondy_slice){(const char *)data, len};
}

static inline struct bondy_slice bondy_slice_text(const char *text)
{
    return (struct bondy_slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool bondy_slice_eq(struct bondy_slice a, struct bondy_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bondy_slice_is(struct bondy_slice a, const char *text)
{
    return bondy_slice_eq(a, bondy_slice_text(text));
}

static inline bool bondy_slice_starts(struct bondy_slice a, struct bondy_slice prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.data, prefix.data, prefix.len) == 0);
}

/* Orders by bytes, a prefix before what it starts. */
static inline int bondy_slice_cmp(struct bondy_slice a, struct bondy_slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least == 0 ? 0 : memcmp(a.data, b.data, least);

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* What is left behind the first `count` bytes; all of it gone when there are fewer. */
static inline struct bondy_slice bondy_slice_skip(struct bondy_slice a, size_t count)
{
    if (count > a.len)
        count = a.len;
    if (count == 0) /* no arithmetic with a NULL (C11, 6.5.6) */
        return a;
    return (struct bondy_slice){a.data + count, a.len - count};
}

static inline bool bondy_slice_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without white space at both ends. */
static inline struct bondy_slice bondy_slice_trim(struct bondy_slice a)
{
    while (a.len > 0 && bondy_slice_is_blank(a.data[a.len - 1]))
        a.len--;
    while (a.len > 0 && bondy_slice_is_blank(a.data[0]))
        a = bondy_slice_skip(a, 1);
    return a;
}

#endif

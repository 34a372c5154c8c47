/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/range.h"

#include <string.h>
#include <strings.h>

#define DIGITS_MAX 18 /* more octets than any file has, and no overflow */

bool bondy_range_has_tag(struct bondy_slice list, struct bondy_slice tag)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        struct bondy_slice one = list;

        if (comma != NULL)
            one.len = (size_t)(comma - list.data);
        list = bondy_slice_skip(list, comma == NULL ? list.len : one.len + 1);
        one = bondy_slice_trim(one);
        if (bondy_slice_starts(one, BONDY_SLICE("W/")))
            one = bondy_slice_skip(one, 2);
        if (bondy_slice_eq(one, tag) || bondy_slice_is(one, "*"))
            return true;
    }
    return false;
}

/* The digits in front of `text`, taken off; false: too many to be true. */
static bool take_number(struct bondy_slice *text, uint64_t *out, bool *is_there)
{
    size_t len = 0;

    *out = 0;
    for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9'; len++) {
        if (len == DIGITS_MAX)
            return false;
        *out = *out * 10 + (uint64_t)(text->data[len] - '0');
    }
    *is_there = len > 0;
    *text = bondy_slice_skip(*text, len);
    return true;
}

enum bondy_range_outcome bondy_range_parse(struct bondy_slice header, uint64_t size,
                                           uint64_t *first, uint64_t *len)
{
    struct bondy_slice rest = bondy_slice_trim(header);
    bool has_first, has_last;
    uint64_t from, to;

    if (rest.len < 6 || strncasecmp(rest.data, "bytes=", 6) != 0)
        return BONDY_RANGE_WHOLE;
    rest = bondy_slice_trim(bondy_slice_skip(rest, 6));
    if (!take_number(&rest, &from, &has_first) || rest.len == 0 || rest.data[0] != '-')
        return BONDY_RANGE_WHOLE;
    rest = bondy_slice_skip(rest, 1);
    if (!take_number(&rest, &to, &has_last) || rest.len > 0 || (!has_first && !has_last) ||
        (has_first && has_last && to < from))
        return BONDY_RANGE_WHOLE;
    if (!has_first) { /* the last `to` octets */
        *len = to < size ? to : size;
        *first = size - *len;
        return *len == 0 ? BONDY_RANGE_NONE : BONDY_RANGE_PART;
    }
    if (from >= size)
        return BONDY_RANGE_NONE;
    if (!has_last || to >= size)
        to = size - 1;
    *first = from;
    *len = to - from + 1;
    return BONDY_RANGE_PART;
}

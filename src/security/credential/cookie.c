/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/cookie.h"

bool bondy_cookie_next(struct bondy_slice *rest, struct bondy_slice *name,
                       struct bondy_slice *value)
{
    while (rest->len > 0) {
        const char *end = memchr(rest->data, ';', rest->len);
        size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
        struct bondy_slice pair = bondy_slice_of(rest->data, len);
        const char *equals = len == 0 ? NULL : memchr(pair.data, '=', len);

        *rest = bondy_slice_skip(*rest, len + (end != NULL));
        if (equals == NULL)
            continue;
        *name = bondy_slice_trim(bondy_slice_of(pair.data, (size_t)(equals - pair.data)));
        *value = bondy_slice_trim(bondy_slice_skip(pair, (size_t)(equals - pair.data) + 1));
        return true;
    }
    return false;
}

static struct bondy_slice without_quotes(struct bondy_slice value)
{
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        return bondy_slice_of(value.data + 1, value.len - 2);
    return value;
}

bool bondy_cookie_has_ticket(struct bondy_slice header)
{
    struct bondy_slice name, value;

    while (bondy_cookie_next(&header, &name, &value)) {
        if (bondy_slice_starts(name, BONDY_SLICE(BONDY_COOKIE_TICKET)))
            return true;
    }
    return false;
}

struct bondy_slice bondy_cookie_ticket(struct bondy_slice header, struct bondy_slice realm)
{
    const struct bondy_slice prefix = BONDY_SLICE(BONDY_COOKIE_TICKET);
    struct bondy_slice name, value;

    while (bondy_cookie_next(&header, &name, &value)) {
        if (bondy_slice_starts(name, prefix) &&
            bondy_slice_eq(bondy_slice_skip(name, prefix.len), realm))
            return without_quotes(value);
    }
    return BONDY_SLICE_EMPTY;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pattern_split: what a client sent, cut into the segments that patterns are compared with. */
#include "gateway/spec/pattern.h"

#include "src/base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes once into `to`; what is decoded is not looked at again ("%252e" becomes "%2e"). */
static int decode(struct bondy_slice raw, char *to, struct bondy_slice *out,
                  struct bondy_error *err)
{
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        int high, low;

        if (raw.data[i] != '%') {
            to[len++] = raw.data[i];
            continue;
        }
        high = i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
        low = i + 2 < raw.len ? hex_digit(raw.data[i + 2]) : -1;
        if (high < 0 || low < 0)
            return bondy_fail(err, BONDY_EINVAL, "broken percent-encoding in the path");
        to[len++] = (char)(high << 4 | low);
        i += 2;
    }
    *out = (struct bondy_slice){to, len};
    return BONDY_OK;
}

static bool is_dots(struct bondy_slice part)
{
    return bondy_slice_is(part, ".") || bondy_slice_is(part, "..");
}

/* A dot segment between slashes or backslashes that came in encoded. */
static bool hides_dots(struct bondy_slice segment)
{
    size_t start = 0;
    bool is_cut = false;

    for (size_t i = 0; i <= segment.len; i++) {
        if (i < segment.len && segment.data[i] != '/' && segment.data[i] != '\\')
            continue;
        is_cut = is_cut || i < segment.len;
        if (is_cut && is_dots((struct bondy_slice){segment.data + start, i - start}))
            return true;
        start = i + 1;
    }
    return false;
}

static int check_segment(struct bondy_slice segment, struct bondy_error *err)
{
    if (memchr(segment.data, 0, segment.len) != NULL)
        return bondy_fail(err, BONDY_EINVAL, "NUL in the path");
    if (!bondy_utf8_is_valid(segment))
        return bondy_fail(err, BONDY_EINVAL, "the path is not UTF-8");
    if (hides_dots(segment))
        return bondy_fail(err, BONDY_EINVAL, "a dot segment behind an encoded slash in the path");
    return BONDY_OK;
}

static int take_segment(struct bondy_path_parts *out, struct bondy_slice segment,
                        struct bondy_error *err)
{
    if (segment.len == 0 || bondy_slice_is(segment, "."))
        return BONDY_OK;
    if (bondy_slice_is(segment, "..")) {
        out->count -= out->count > 0;
        return BONDY_OK;
    }
    if (out->count == BONDY_PATH_MAX_SEGMENTS)
        return bondy_fail(err, BONDY_ELIMIT, "more than %d segments in the path",
                          BONDY_PATH_MAX_SEGMENTS);
    out->segments[out->count++] = segment;
    return BONDY_OK;
}

int bondy_path_split(struct bondy_slice path, char *scratch, struct bondy_path_parts *out,
                     struct bondy_error *err)
{
    size_t start = 1;
    int rc;

    out->count = 0;
    if (path.len == 0 || path.data[0] != '/')
        return bondy_fail(err, BONDY_EINVAL, "a path starts with '/'");
    for (size_t i = 1; i <= path.len; i++) {
        struct bondy_slice raw = {path.data + start, i - start};
        struct bondy_slice segment = raw;

        if (i < path.len && path.data[i] != '/')
            continue;
        if (raw.len > 0 && memchr(raw.data, '%', raw.len) != NULL &&
            (rc = decode(raw, scratch + start, &segment, err)) < 0)
            return rc;
        if (segment.len > 0 && (rc = check_segment(segment, err)) < 0)
            return rc;
        if ((rc = take_segment(out, segment, err)) < 0)
            return rc;
        start = i + 1;
    }
    return BONDY_OK;
}

static void lower(struct bondy_slice text, char *to)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        to[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
}

int bondy_host_split(struct bondy_slice host, char *scratch, struct bondy_path_parts *out,
                     struct bondy_error *err)
{
    size_t end = host.len;

    out->count = 0;
    if (host.len == 0)
        return BONDY_OK;
    if (memchr(host.data, 0, host.len) != NULL || !bondy_utf8_is_valid(host))
        return bondy_fail(err, BONDY_EINVAL, "the host is not text");
    lower(host, scratch);
    if (host.data[0] == '[') {
        out->segments[out->count++] = (struct bondy_slice){scratch, host.len};
        return BONDY_OK;
    }
    for (size_t i = host.len + 1; i-- > 0;) {
        if (i > 0 && scratch[i - 1] != '.')
            continue;
        if (end > i) {
            if (out->count == BONDY_PATH_MAX_SEGMENTS)
                return bondy_fail(err, BONDY_ELIMIT, "more than %d labels in the host",
                                  BONDY_PATH_MAX_SEGMENTS);
            out->segments[out->count++] = (struct bondy_slice){scratch + i, end - i};
        }
        end = i > 0 ? i - 1 : 0;
    }
    return BONDY_OK;
}

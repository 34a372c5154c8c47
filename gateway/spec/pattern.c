/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/spec/pattern.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/utf8.h"

#define REST BONDY_SLICE("[...]")
#define MAX_NAME_LEN 64
#define MAX_NAMES 16

/* Optional parts are expanded as text: "P[I]R" stands for "PR" and "PIR". A part may cut through a
 * segment ("[www.]example.org"), so nothing is split into segments before. */
struct expansion {
    char *texts[BONDY_PATTERN_MAX_VARIANTS];
    size_t count;
};

static bool starts_rest(struct bondy_slice text, size_t at)
{
    return bondy_slice_starts(bondy_slice_skip(text, at), REST);
}

/* The first '[' that opens an optional part, or text.len. */
static size_t find_optional(struct bondy_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '[')
            continue;
        if (!starts_rest(text, i))
            return i;
        i += REST.len - 1;
    }
    return text.len;
}

/* Where the bracket opened at `open` is closed; text.len when it is not. */
static size_t find_close(struct bondy_slice text, size_t open)
{
    size_t depth = 0;

    for (size_t i = open; i < text.len; i++) {
        if (text.data[i] == '[')
            depth++;
        if (text.data[i] == ']' && --depth == 0)
            return i;
    }
    return text.len;
}

static char *join(struct bondy_slice a, struct bondy_slice b, struct bondy_slice c)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_append_slice(&text, a);
    bondy_buf_append_slice(&text, b);
    bondy_buf_append_slice(&text, c);
    return bondy_buf_take_text(&text);
}

static int expand(struct expansion *out, struct bondy_slice text, struct bondy_error *err)
{
    size_t open = find_optional(text);
    size_t close = find_close(text, open);
    struct bondy_slice before = {text.data, open};
    char *without;
    char *with;
    int rc;

    if (open == text.len) {
        if (out->count == BONDY_PATTERN_MAX_VARIANTS)
            return bondy_fail(err, BONDY_EINVAL, "optional parts make more than %d readings",
                              BONDY_PATTERN_MAX_VARIANTS);
        out->texts[out->count++] = bondy_memdup0(text.data, text.len);
        return BONDY_OK;
    }
    if (close == text.len)
        return bondy_fail(err, BONDY_EINVAL, "'[' is never closed");
    without = join(before, BONDY_SLICE_EMPTY, bondy_slice_skip(text, close + 1));
    with = join(before, (struct bondy_slice){text.data + open + 1, close - open - 1},
                bondy_slice_skip(text, close + 1));
    rc = expand(out, bondy_slice_text(without), err);
    if (rc == BONDY_OK)
        rc = expand(out, bondy_slice_text(with), err);
    bondy_free(without);
    bondy_free(with);
    return rc;
}

static int check_name(struct bondy_slice name, struct bondy_error *err)
{
    bool is_good = name.len > 0 && name.len <= MAX_NAME_LEN;

    for (size_t i = 0; is_good && i < name.len; i++) {
        char c = name.data[i];

        is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                  (i > 0 && c >= '0' && c <= '9');
    }
    if (!is_good)
        return bondy_fail(err, BONDY_EINVAL,
                          "':" BONDY_SLICE_FMT "' is not a name: letters, digits and '_' expected",
                          BONDY_SLICE_ARG(name));
    return BONDY_OK;
}

static int check_literal(struct bondy_slice text, bool is_host, struct bondy_error *err)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '{' || c == '}' || c == '*')
            return bondy_fail(
                err, BONDY_EINVAL,
                "'%c' has no meaning in a pattern; write :name for one segment, [...] "
                "at the end for the rest",
                c);
        if (c == '[' || c == ']')
            return bondy_fail(err, BONDY_EINVAL, "'%c' without its partner", c);
        if (c <= ' ' || c == 0x7f || c == '?' || c == '#' || c == '\\')
            return bondy_fail(err, BONDY_EINVAL, "octet 0x%02x cannot stand in a pattern", c);
        if (is_host && (c == ':' || c == '/' || c == '@' || c >= 0x80))
            return bondy_fail(err, BONDY_EINVAL,
                              "'" BONDY_SLICE_FMT "' is not a host label (no scheme, no port, "
                              "international names in their xn-- form)",
                              BONDY_SLICE_ARG(text));
    }
    return BONDY_OK;
}

static int add_segment(struct bondy_variant *variant, struct bondy_slice text, bool is_host,
                       struct bondy_error *err)
{
    struct bondy_segment segment = {BONDY_SEGMENT_LITERAL, text};

    if (text.len == 0)
        return BONDY_OK;
    if (variant->count == BONDY_PATTERN_MAX_SEGMENTS)
        return bondy_fail(err, BONDY_EINVAL, "more than %d segments", BONDY_PATTERN_MAX_SEGMENTS);
    if (bondy_slice_eq(text, REST)) {
        segment = (struct bondy_segment){BONDY_SEGMENT_REST, BONDY_SLICE_EMPTY};
    } else if (bondy_slice_is(text, ":_")) {
        segment = (struct bondy_segment){BONDY_SEGMENT_ANY, BONDY_SLICE_EMPTY};
    } else if (text.data[0] == ':') {
        segment = (struct bondy_segment){BONDY_SEGMENT_NAMED, bondy_slice_skip(text, 1)};
        if (check_name(segment.text, err) < 0)
            return BONDY_EINVAL;
    } else if (check_literal(text, is_host, err) < 0) {
        return BONDY_EINVAL;
    } else if (!is_host && (bondy_slice_is(text, ".") || bondy_slice_is(text, ".."))) {
        return bondy_fail(err, BONDY_EINVAL, "dot segments never reach a route");
    }
    variant->segments[variant->count++] = segment;
    return BONDY_OK;
}

/* Splits at `separator`; a host's "[...]" needs no separator behind it. */
static int cut(struct bondy_variant *variant, bool is_host, struct bondy_error *err)
{
    struct bondy_slice text = bondy_slice_text(variant->text);
    char separator = is_host ? '.' : '/';
    size_t start = 0;

    variant->segments = bondy_calloc(BONDY_PATTERN_MAX_SEGMENTS, sizeof *variant->segments);
    if (is_host && bondy_slice_starts(text, REST)) {
        if (add_segment(variant, (struct bondy_slice){text.data, REST.len}, true, err) < 0)
            return BONDY_EINVAL;
        start = REST.len;
    }
    for (size_t i = start; i <= text.len; i++) {
        if (i < text.len && text.data[i] != separator)
            continue;
        if (add_segment(variant, (struct bondy_slice){text.data + start, i - start}, is_host, err) <
            0)
            return BONDY_EINVAL;
        start = i + 1;
    }
    return BONDY_OK;
}

static void reverse(struct bondy_variant *variant)
{
    for (size_t i = 0; i < variant->count / 2; i++) {
        struct bondy_segment moved = variant->segments[i];

        variant->segments[i] = variant->segments[variant->count - 1 - i];
        variant->segments[variant->count - 1 - i] = moved;
    }
}

static int check_order(const struct bondy_variant *variant, bool is_host, struct bondy_error *err)
{
    size_t names = 0;

    for (size_t i = 0; i < variant->count; i++) {
        names += variant->segments[i].kind == BONDY_SEGMENT_NAMED;
        if (variant->segments[i].kind == BONDY_SEGMENT_REST && i + 1 != variant->count)
            return bondy_fail(err, BONDY_EINVAL, "[...] must stand at the %s",
                              is_host ? "left end" : "end");
    }
    if (names > MAX_NAMES)
        return bondy_fail(err, BONDY_EINVAL, "more than %d names", MAX_NAMES);
    return BONDY_OK;
}

static int finish(struct bondy_pattern *pattern, struct expansion *expansion, bool is_host,
                  struct bondy_error *err)
{
    pattern->variants = bondy_calloc(expansion->count, sizeof *pattern->variants);
    pattern->variant_count = expansion->count;
    for (size_t i = 0; i < expansion->count; i++)
        pattern->variants[i].text = BONDY_MOVE(expansion->texts[i]);
    for (size_t i = 0; i < pattern->variant_count; i++) {
        struct bondy_variant *variant = &pattern->variants[i];

        if (cut(variant, is_host, err) < 0)
            return BONDY_EINVAL;
        if (is_host)
            reverse(variant);
        if (check_order(variant, is_host, err) < 0)
            return BONDY_EINVAL;
        variant->segments =
            bondy_realloc(variant->segments, (variant->count + 1) * sizeof *variant->segments);
    }
    return BONDY_OK;
}

static int parse(struct bondy_slice text, bool is_host, struct bondy_pattern **out,
                 struct bondy_error *err)
{
    struct bondy_pattern *pattern = bondy_zalloc(sizeof *pattern);
    struct expansion expansion = {{NULL}, 0};
    int rc;

    pattern->text = bondy_memdup0(text.data, text.len);
    if (text.len > BONDY_PATTERN_MAX_LEN)
        rc = bondy_fail(err, BONDY_EINVAL, "longer than %d octets", BONDY_PATTERN_MAX_LEN);
    else if (memchr(text.data, 0, text.len) != NULL)
        rc = bondy_fail(err, BONDY_EINVAL, "octet 0x00 cannot stand in a pattern");
    else
        rc = expand(&expansion, text, err);
    if (rc == BONDY_OK)
        rc = finish(pattern, &expansion, is_host, err);
    for (size_t i = 0; i < expansion.count; i++)
        bondy_free(expansion.texts[i]);
    if (rc < 0)
        bondy_pattern_destroy(pattern);
    else
        *out = pattern;
    return rc;
}

int bondy_pattern_parse_path(struct bondy_slice text, struct bondy_pattern **out,
                             struct bondy_error *err)
{
    if (text.len == 0 || text.data[0] != '/')
        return bondy_fail(err, BONDY_EINVAL, "a path starts with '/'");
    return parse(text, false, out, err);
}

/* Host names do not tell upper from lower case, the names of bindings do. */
static void lower_labels(struct bondy_buf *text)
{
    bool is_name = false;

    for (size_t i = 0; i < text->len; i++) {
        char c = text->data[i];

        if (c == ':')
            is_name = true;
        else if (c == '.' || c == '[' || c == ']')
            is_name = false;
        else if (!is_name && c >= 'A' && c <= 'Z')
            text->data[i] = (char)(c - 'A' + 'a');
    }
}

int bondy_pattern_parse_host(struct bondy_slice text, struct bondy_pattern **out,
                             struct bondy_error *err)
{
    struct bondy_buf lower = BONDY_BUF_EMPTY;
    int rc;

    if (text.len == 0)
        return bondy_fail(err, BONDY_EINVAL, "a host is a name, a pattern, or \"_\" for any");
    if (bondy_slice_is(text, "_"))
        return parse(REST, true, out, err);
    bondy_buf_append_slice(&lower, text);
    lower_labels(&lower);
    rc = parse(bondy_buf_slice(&lower), true, out, err);
    bondy_buf_fini(&lower);
    return rc;
}

void bondy_pattern_destroy(struct bondy_pattern *pattern)
{
    if (pattern == NULL)
        return;
    for (size_t i = 0; i < pattern->variant_count; i++) {
        bondy_free(pattern->variants[i].text);
        bondy_free(pattern->variants[i].segments);
    }
    bondy_free(pattern->variants);
    bondy_free(pattern->text);
    bondy_free(pattern);
}

bool bondy_pattern_is_reserved(const struct bondy_pattern *path)
{
    for (size_t i = 0; i < path->variant_count; i++) {
        const struct bondy_variant *variant = &path->variants[i];

        if (variant->count == 0 || variant->segments[0].kind != BONDY_SEGMENT_LITERAL)
            continue;
        if (bondy_slice_is(variant->segments[0].text, "wamp") ||
            (variant->count == 1 && bondy_slice_is(variant->segments[0].text, "ws")))
            return true;
    }
    return false;
}

bool bondy_pattern_binds(const struct bondy_pattern *pattern, struct bondy_slice name)
{
    for (size_t i = 0; i < pattern->variant_count; i++)
        for (size_t k = 0; k < pattern->variants[i].count; k++)
            if (pattern->variants[i].segments[k].kind == BONDY_SEGMENT_NAMED &&
                bondy_slice_eq(pattern->variants[i].segments[k].text, name))
                return true;
    return false;
}

static struct bondy_slice repeated_in(const struct bondy_variant *variant)
{
    for (size_t i = 0; i < variant->count; i++) {
        if (variant->segments[i].kind != BONDY_SEGMENT_NAMED)
            continue;
        for (size_t k = 0; k < i; k++)
            if (variant->segments[k].kind == BONDY_SEGMENT_NAMED &&
                bondy_slice_eq(variant->segments[k].text, variant->segments[i].text))
                return variant->segments[i].text;
    }
    return BONDY_SLICE_EMPTY;
}

struct bondy_slice bondy_pattern_repeated(const struct bondy_pattern *pattern)
{
    struct bondy_slice name = BONDY_SLICE_EMPTY;

    for (size_t i = 0; name.len == 0 && i < pattern->variant_count; i++)
        name = repeated_in(&pattern->variants[i]);
    return name;
}

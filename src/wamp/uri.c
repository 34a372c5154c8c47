/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/uri.h"

#include "src/base/utf8.h"

static const char *const match_names[BONDY_MATCHES] = {
    [BONDY_MATCH_EXACT] = "exact",
    [BONDY_MATCH_PREFIX] = "prefix",
    [BONDY_MATCH_WILDCARD] = "wildcard",
};

/* What one octet is. This runs for every message: all but a few URIs are ASCII, so the table
 * decides and only octets of longer characters are decoded. */
enum octet { REFUSED, PLAIN, DOT, LONG };

static const uint8_t octets[2][256] = {
    [BONDY_URI_LOOSE] = {[0 ... 8] = PLAIN,
                         [14 ... 31] = PLAIN,
                         ['!' ... '"'] = PLAIN,
                         ['$' ... '-'] = PLAIN,
                         ['.'] = DOT,
                         ['/' ... 127] = PLAIN,
                         [128 ... 255] = LONG},
    [BONDY_URI_STRICT] = {['0' ... '9'] = PLAIN, ['a' ... 'z'] = PLAIN, ['_'] = PLAIN, ['.'] = DOT},
};

bool bondy_uri_is_valid(struct bondy_slice text, enum bondy_match match, enum bondy_uri_rule rule)
{
    const char *at = text.data, *end = at + text.len, *start = at; /* of the component */
    const uint8_t *of = octets[rule];
    uint32_t character;

    if (text.len == 0)
        return false;
    while (at < end) {
        while (at < end && of[(uint8_t)*at] == PLAIN)
            at++;
        if (at == end)
            break;
        switch (of[(uint8_t)*at]) {
        case DOT:
            if (match == BONDY_MATCH_EXACT && at == start)
                return false;
            start = ++at;
            break;
        case LONG:
            at += bondy_utf8_decode(bondy_slice_of(at, (size_t)(end - at)), &character);
            if (bondy_utf8_is_space(character))
                return false;
            break;
        default:
            return false;
        }
    }
    return match != BONDY_MATCH_EXACT || at > start;
}

static bool is_below(struct bondy_slice uri, struct bondy_slice name)
{
    return bondy_slice_starts(uri, name) && (uri.len == name.len || uri.data[name.len] == '.');
}

bool bondy_uri_is_wamp(struct bondy_slice uri)
{
    return is_below(uri, BONDY_SLICE("wamp"));
}

bool bondy_uri_is_ours(struct bondy_slice uri)
{
    return is_below(uri, BONDY_SLICE("bondy")) || is_below(uri, BONDY_SLICE("com.bondy")) ||
           is_below(uri, BONDY_SLICE("com.leapsight.bondy"));
}

bool bondy_match_parse(struct bondy_slice text, enum bondy_match *out)
{
    for (int match = 0; match < BONDY_MATCHES; match++) {
        if (!bondy_slice_is(text, match_names[match]))
            continue;
        *out = (enum bondy_match)match;
        return true;
    }
    return false;
}

const char *bondy_match_name(enum bondy_match match)
{
    return match_names[match];
}

/* Cuts the first component off; false when there was no dot behind it. */
static bool cut_component(struct bondy_slice *text, struct bondy_slice *component)
{
    const char *dot = text->len == 0 ? NULL : memchr(text->data, '.', text->len);

    *component = *text;
    if (dot == NULL)
        return false;
    component->len = (size_t)(dot - text->data);
    *text = bondy_slice_skip(*text, component->len + 1);
    return true;
}

static bool matches_wildcard(struct bondy_slice uri, struct bondy_slice pattern)
{
    struct bondy_slice mine;
    struct bondy_slice theirs;
    bool more = true;

    while (more) {
        more = cut_component(&uri, &mine);
        if (cut_component(&pattern, &theirs) != more)
            return false;
        if (theirs.len > 0 && !bondy_slice_eq(mine, theirs))
            return false;
    }
    return true;
}

bool bondy_uri_matches(struct bondy_slice uri, struct bondy_slice pattern, enum bondy_match match)
{
    switch (match) {
    case BONDY_MATCH_PREFIX:
        return bondy_slice_starts(uri, pattern);
    case BONDY_MATCH_WILDCARD:
        return matches_wildcard(uri, pattern);
    default:
        return bondy_slice_eq(uri, pattern);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/uri.h"

#include "src/base/utf8.h"

static const char *const match_names[BONDY_MATCHES] = {
    [BONDY_MATCH_EXACT] = "exact",
    [BONDY_MATCH_PREFIX] = "prefix",
    [BONDY_MATCH_WILDCARD] = "wildcard",
};

static bool is_strict(uint32_t character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           character == '_';
}

static bool is_allowed(uint32_t character, enum bondy_uri_rule rule)
{
    if (rule == BONDY_URI_STRICT)
        return is_strict(character);
    return character != '#' && !bondy_utf8_is_space(character);
}

bool bondy_uri_is_valid(struct bondy_slice text, enum bondy_match match, enum bondy_uri_rule rule)
{
    size_t component = 0; /* octets of the current one */
    uint32_t character;
    size_t len;

    if (text.len == 0)
        return false;
    for (; text.len > 0; text = bondy_slice_skip(text, len)) {
        len = bondy_utf8_decode(text, &character);
        if (character != '.') {
            if (!is_allowed(character, rule))
                return false;
            component += len;
            continue;
        }
        if (match == BONDY_MATCH_EXACT && component == 0)
            return false;
        component = 0;
    }
    return match != BONDY_MATCH_EXACT || component > 0;
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

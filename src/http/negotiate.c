/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/negotiate.h"

#include <string.h>
#include <strings.h>

/* Cuts what stands in front of the next `mark` that is not in quotes; false at the end. */
static bool cut(struct bondy_slice *rest, char mark, struct bondy_slice *out)
{
    bool in_quotes = false;
    size_t i = 0;

    if (rest->data == NULL)
        return false;
    for (; i < rest->len; i++) {
        char c = rest->data[i];

        if (in_quotes && c == '\\')
            i++;
        else if (c == '"')
            in_quotes = !in_quotes;
        else if (c == mark && !in_quotes)
            break;
    }
    if (i > rest->len)
        i = rest->len;
    *out = bondy_slice_trim((struct bondy_slice){rest->data, i});
    if (i == rest->len)
        *rest = BONDY_SLICE_EMPTY;
    else
        *rest = bondy_slice_skip(*rest, i + 1);
    return true;
}

static bool same(struct bondy_slice a, const char *b, size_t b_len)
{
    return a.len == b_len && strncasecmp(a.data, b, b_len) == 0;
}

/* RFC 9110, 12.4.2, in thousandths; a weight that is none counts as 1. */
static unsigned weight(struct bondy_slice text)
{
    unsigned value = 0, unit = 1000;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (i == 1 && c == '.')
            continue;
        if (c < '0' || c > '9' || i > 4)
            return 1000;
        value += (unsigned)(c - '0') * unit;
        unit /= 10;
    }
    return text.len == 0 || value > 1000 ? 1000 : value;
}

/* One element of a list header: its value and q. Other parameters of a media range are passed over:
 * what we offer has none. */
struct range {
    struct bondy_slice value;
    unsigned q;
};

static bool next_range(struct bondy_slice *rest, struct range *out)
{
    struct bondy_slice item, part;

    while (cut(rest, ',', &item)) {
        if (item.len == 0)
            continue;
        cut(&item, ';', &out->value);
        out->q = 1000;
        while (cut(&item, ';', &part)) {
            if (part.len >= 2 && (part.data[0] == 'q' || part.data[0] == 'Q') &&
                part.data[1] == '=') {
                out->q = weight(bondy_slice_skip(part, 2));
                break;
            }
        }
        return true;
    }
    return false;
}

/* ---- media types ----------------------------------------------------------------------------- */

size_t bondy_media_type(struct bondy_slice content_type, char out[BONDY_MEDIA_TYPE_MAX])
{
    struct bondy_slice type;
    unsigned slashes = 0;

    if (!cut(&content_type, ';', &type) || type.len >= BONDY_MEDIA_TYPE_MAX)
        return 0;
    for (size_t i = 0; i < type.len; i++) {
        char c = type.data[i];

        if (c == '/')
            slashes++;
        if (c <= ' ' || c >= 0x7f)
            return 0;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    }
    out[type.len] = '\0';
    return slashes == 1 && out[0] != '/' && out[type.len - 1] != '/' ? type.len : 0;
}

struct bondy_slice bondy_media_parameter(struct bondy_slice content_type, const char *name)
{
    struct bondy_slice part, key;

    cut(&content_type, ';', &part);
    while (cut(&content_type, ';', &part)) {
        if (!cut(&part, '=', &key) || !same(key, name, strlen(name)) || part.data == NULL)
            continue;
        part = bondy_slice_trim(part);
        if (part.len >= 2 && part.data[0] == '"' && part.data[part.len - 1] == '"')
            part = (struct bondy_slice){part.data + 1, part.len - 2};
        return part;
    }
    return BONDY_SLICE_EMPTY;
}

/* 0: the range does not cover the offer; 1..3: how specific it is. */
static unsigned media_fit(struct bondy_slice range, const char *offer)
{
    const char *slash = strchr(offer, '/');

    if (same(range, "*/*", 3) || same(range, "*", 1))
        return 1;
    if (slash != NULL && range.len == (size_t)(slash - offer) + 2 &&
        range.data[range.len - 1] == '*' && strncasecmp(range.data, offer, range.len - 1) == 0)
        return 2;
    return same(range, offer, strlen(offer)) ? 3 : 0;
}

/* RFC 4647: a range covers what starts with its subtags (filtering), and what it itself starts with
 * (look-up): a reader of "en-US" is served "en" rather than nothing. */
static unsigned language_fit(struct bondy_slice range, const char *offer)
{
    size_t offer_len = strlen(offer);

    if (same(range, "*", 1))
        return 1;
    if (range.len == offer_len)
        return strncasecmp(range.data, offer, offer_len) == 0 ? 4 : 0;
    if (range.len < offer_len)
        return offer[range.len] == '-' && strncasecmp(range.data, offer, range.len) == 0 ? 3 : 0;
    return range.data[offer_len] == '-' && strncasecmp(range.data, offer, offer_len) == 0 ? 2 : 0;
}

static int choose(struct bondy_slice accept, const char *const offers[], size_t count,
                  unsigned (*fit)(struct bondy_slice range, const char *offer))
{
    unsigned best_q = 0, best_range = 0;
    int best = -1;

    if (bondy_slice_trim(accept).len == 0)
        return count > 0 ? 0 : -1;
    for (size_t i = 0; i < count; i++) {
        struct bondy_slice rest = accept;
        struct range range;
        unsigned best_fit = 0, q = 0;

        while (next_range(&rest, &range)) {
            unsigned how = fit(range.value, offers[i]);

            if (how > best_fit) {
                best_fit = how;
                q = range.q;
            }
        }
        if (q > best_q || (q == best_q && q > 0 && best_fit > best_range)) {
            best_q = q;
            best_range = best_fit;
            best = (int)i;
        }
    }
    return best;
}

int bondy_accept_choose(struct bondy_slice accept, const char *const offers[], size_t count)
{
    return choose(accept, offers, count, media_fit);
}

int bondy_language_choose(struct bondy_slice accept, const char *const offers[], size_t count)
{
    return choose(accept, offers, count, language_fit);
}

bool bondy_accept_names(struct bondy_slice accept, const char *type)
{
    struct range range;

    while (next_range(&accept, &range)) {
        if (range.q > 0 && media_fit(range.value, type) == 3)
            return true;
    }
    return false;
}

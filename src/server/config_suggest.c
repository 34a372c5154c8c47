/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/config_schema.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/nearest.h"

/* Which keys a person may have meant: Damerau-Levenshtein distance (optimal string alignment) of at
 * most max(2, length / 5), letters of any case equal; or the same last two segments.
 * configuration.md 2. */

struct candidate {
    char *name;
    size_t distance;
};

/* Segments from the end; NULL data when there are not that many. */
static struct bondy_slice last_two(struct bondy_slice name)
{
    unsigned dots = 0;

    for (size_t i = name.len; i > 0; i--) {
        if (name.data[i - 1] == '.' && ++dots == 2)
            return bondy_slice_skip(name, i);
    }
    return BONDY_SLICE_EMPTY;
}

static struct bondy_slice segment_at(struct bondy_slice name, unsigned index)
{
    for (size_t start = 0, i = 0; i <= name.len; i++) {
        if (i < name.len && name.data[i] != '.')
            continue;
        if (index-- == 0)
            return bondy_slice_of(name.data + start, i - start);
        start = i + 1;
    }
    return BONDY_SLICE_EMPTY;
}

/* The pattern with its wildcards filled from the same places of `name`. */
static char *fill(const char *pattern, struct bondy_slice name)
{
    struct bondy_slice rest = bondy_slice_text(pattern);
    struct bondy_buf out = BONDY_BUF_EMPTY;
    unsigned count = 0;
    struct bondy_slice segment;

    for (;; count++) {
        segment = segment_at(rest, count);
        if (segment.data == NULL)
            break;
        if (count > 0)
            bondy_buf_append_byte(&out, '.');
        if (segment.len > 0 && segment.data[0] == '$' && segment_at(name, count).len > 0)
            segment = segment_at(name, count);
        bondy_buf_append_slice(&out, segment);
    }
    return bondy_buf_take_text(&out);
}

/* Keeps `found` sorted by distance, three at most. */
static void keep(struct candidate found[3], size_t *count, char *name, size_t how_far)
{
    size_t place = *count;

    while (place > 0 && found[place - 1].distance > how_far)
        place--;
    if (place == 3) {
        bondy_free(name);
        return;
    }
    if (*count == 3)
        bondy_free(found[2].name);
    else
        ++*count;
    for (size_t i = *count - 1; i > place; i--)
        found[i] = found[i - 1];
    found[place] = (struct candidate){name, how_far};
}

size_t bondy_config_suggest(struct bondy_slice name, char *out[3])
{
    size_t limit = name.len / 5 > 2 ? name.len / 5 : 2;
    struct bondy_slice tail = last_two(name);
    struct candidate found[3];
    size_t count = 0, key_count;
    const struct bondy_config_key *keys = bondy_config_keys(&key_count);

    for (size_t i = 0; i < key_count; i++) {
        char *filled = keys[i].is_pattern ? fill(keys[i].name, name) : bondy_strdup(keys[i].name);
        struct bondy_slice text = bondy_slice_text(filled);
        size_t how_far = bondy_nearest_distance(name, text, true);

        if (how_far > limit && tail.data != NULL && bondy_slice_eq(last_two(text), tail))
            how_far = limit + 1; /* a wrong beginning: behind the slips of the finger */
        else if (how_far > limit)
            how_far = SIZE_MAX;
        if (how_far != SIZE_MAX)
            keep(found, &count, filled, how_far);
        else
            bondy_free(filled);
    }
    for (size_t i = 0; i < count; i++)
        out[i] = found[i].name;
    return count;
}

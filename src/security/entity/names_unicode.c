/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/names_unicode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>
#include <unictype.h>

#include "src/base/alloc.h"
#include "src/base/utf8.h"

#define ROUNDS_MAX 4
/* NFKC makes at most 18 characters of one. */
#define ROOM (18 * (BONDY_NAME_MAX + 1))

/* ---- mapping --------------------------------------------------------------------------------- */

/* The mapped text is written to `out`, which has ROOM; its length, 0 when there is none. */
static size_t map(const uint8_t *text, size_t len, uint8_t *out)
{
    uint8_t normal[ROOM];
    size_t normal_len = sizeof normal, out_len = ROOM;
    uint8_t *first = u8_normalize(UNINORM_NFKC, text, len, normal, &normal_len), *second;

    if (first == NULL)
        return 0;
    second = u8_casefold(first, normal_len, NULL, UNINORM_NFKC, out, &out_len);
    if (first != normal)
        free(first);
    if (second == out)
        return out_len;
    free(second);
    return 0;
}

/* A name that is folded again must stay, or it would not be found. */
static bool map_until_it_stays(struct bondy_slice text, struct bondy_name *out)
{
    uint8_t now[ROOM], next[ROOM];
    size_t len = map((const uint8_t *)text.data, text.len, now), next_len;

    for (int round = 0; round < ROUNDS_MAX && len > 0 && len <= BONDY_NAME_MAX; round++) {
        next_len = map(now, len, next);
        if (next_len == len && memcmp(now, next, len) == 0) {
            memcpy(out->text, now, len);
            out->text[len] = '\0';
            out->len = len;
            return true;
        }
        memcpy(now, next, next_len);
        len = next_len;
    }
    return false;
}

/* ---- characters (RFC 8264, 9) ---------------------------------------------------------------- */

struct range {
    ucs4_t first, last;
};

static bool is_in(ucs4_t point, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

static bool is_exception(ucs4_t point)
{
    static const struct range ranges[] = {{0x06FD, 0x06FE}, {0x0F0B, 0x0F0B}, {0x3007, 0x3007}};

    return is_in(point, ranges, BONDY_COUNT(ranges));
}

/* Letters and marks by category that are not to be used: tatweel and its like, tone and repeat
 * marks, Jamo that stayed alone. */
static bool is_refused(ucs4_t point)
{
    static const struct range ranges[] = {{0x0640, 0x0640}, {0x07FA, 0x07FA}, {0x302E, 0x302F},
                                          {0x3031, 0x3035}, {0x303B, 0x303B}, {0x1100, 0x11FF},
                                          {0xA960, 0xA97F}, {0xD7B0, 0xD7FF}};

    return is_in(point, ranges, BONDY_COUNT(ranges));
}

static bool is_letter_or_digit(ucs4_t point)
{
    return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Ll | UC_CATEGORY_MASK_Lu |
                                                       UC_CATEGORY_MASK_Lo | UC_CATEGORY_MASK_Lm |
                                                       UC_CATEGORY_MASK_Nd | UC_CATEGORY_MASK_Mn |
                                                       UC_CATEGORY_MASK_Mc);
}

static bool is_mark(ucs4_t point)
{
    return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_M);
}

static bool has_script(ucs4_t point, const char *name)
{
    const uc_script_t *script = uc_script_byname(name);

    return script != NULL && uc_is_script(point, script);
}

struct points {
    ucs4_t list[BONDY_NAME_MAX];
    size_t count;
};

static bool has_japanese(const struct points *points)
{
    for (size_t i = 0; i < points->count; i++)
        if (has_script(points->list[i], "Hiragana") || has_script(points->list[i], "Katakana") ||
            has_script(points->list[i], "Han"))
            return true;
    return false;
}

/* RFC 5892, appendix A: signs that are right beside certain letters only. */
static bool is_right_here(const struct points *points, size_t at)
{
    ucs4_t before = at > 0 ? points->list[at - 1] : 0;
    ucs4_t after = at + 1 < points->count ? points->list[at + 1] : 0;

    switch (points->list[at]) {
    case 0x00B7: /* middle dot, between two l of Catalan */
        return before == 'l' && after == 'l';
    case 0x0375: /* keraia */
        return has_script(after, "Greek");
    case 0x05F3: /* geresh, gershayim */
    case 0x05F4:
        return has_script(before, "Hebrew");
    case 0x30FB: /* middle dot of Katakana */
        return has_japanese(points);
    default:
        return false;
    }
}

static bool may_stand(const struct points *points, size_t at)
{
    ucs4_t point = points->list[at];

    if (point < 0x80)
        return bondy_name_may_hold(point);
    if (is_refused(point) || uc_is_property_default_ignorable_code_point(point) ||
        uc_is_property_not_a_character(point) || (at == 0 && is_mark(point)))
        return false;
    return is_letter_or_digit(point) || is_exception(point) || is_right_here(points, at);
}

/* Two kinds of Arabic digits look alike and are not the same. */
static bool mixes_digits(const struct points *points)
{
    bool has_arabic = false, has_extended = false;

    for (size_t i = 0; i < points->count; i++) {
        has_arabic |= points->list[i] >= 0x0660 && points->list[i] <= 0x0669;
        has_extended |= points->list[i] >= 0x06F0 && points->list[i] <= 0x06F9;
    }
    return has_arabic && has_extended;
}

/* ---- direction (RFC 5893, 2) ----------------------------------------------------------------- */

#define BIDI(name) (1u << UC_BIDI_##name)

static bool obeys_bidi_rule(const struct points *points)
{
    static const unsigned neutral =
        BIDI(EN) | BIDI(ES) | BIDI(CS) | BIDI(ET) | BIDI(ON) | BIDI(BN) | BIDI(NSM);
    unsigned first = 1u << uc_bidi_class(points->list[0]), last = 0, seen = 0;
    bool is_rtl = (first & (BIDI(R) | BIDI(AL))) != 0;

    for (size_t i = 0; i < points->count; i++) {
        unsigned one = 1u << uc_bidi_class(points->list[i]);

        seen |= one;
        last = one == BIDI(NSM) ? last : one;
    }
    if ((seen & (BIDI(R) | BIDI(AL) | BIDI(AN))) == 0)
        return true;
    if (!is_rtl)
        return first == BIDI(L) && (seen & ~(neutral | BIDI(L))) == 0 &&
               (last & (BIDI(L) | BIDI(EN))) != 0;
    return (seen & ~(neutral | BIDI(R) | BIDI(AL) | BIDI(AN))) == 0 &&
           (last & (BIDI(R) | BIDI(AL) | BIDI(EN) | BIDI(AN))) != 0 &&
           (seen & (BIDI(EN) | BIDI(AN))) != (BIDI(EN) | BIDI(AN));
}

/* ---- both ------------------------------------------------------------------------------------ */

static void split(const struct bondy_name *name, struct points *out)
{
    struct bondy_slice rest = bondy_name_slice(name);
    size_t taken;

    for (out->count = 0; (taken = bondy_utf8_decode(rest, &out->list[out->count])) > 0;
         out->count++)
        rest = bondy_slice_skip(rest, taken);
}

bool bondy_name_fold_unicode(struct bondy_slice text, struct bondy_name *out)
{
    struct points points;

    if (text.len == 0 || text.len > BONDY_NAME_MAX || !bondy_utf8_is_valid(text) ||
        memchr(text.data, '\0', text.len) != NULL || !map_until_it_stays(text, out))
        return false;
    split(out, &points);
    for (size_t i = 0; i < points.count; i++)
        if (!may_stand(&points, i))
            return false;
    return !mixes_digits(&points) && obeys_bidi_rule(&points);
}

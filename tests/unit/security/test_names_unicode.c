/* SPDX-License-Identifier: Apache-2.0 */

/* security.names.unicode: what names become, and which are none. The vectors are our own, made with
 * Python's unicodedata and by hand from the tables of RFC 8264, 5892 and 5893. */
#include "tests/lib/test.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/names.h"

static int on(void **state)
{
    (void)state;
    bondy_names_set_unicode(true);
    return 0;
}

static int off(void **state)
{
    (void)state;
    bondy_names_set_unicode(false);
    return 0;
}

#define UNICODE_TEST(name) cmocka_unit_test_setup_teardown(name, on, off)

static const struct one {
    const char *text, *folded; /* NULL: no name */
    const char *why;
} names[] = {
    /* ASCII is what it was. */
    {"Mona", "mona", "ASCII"},
    {"A@B/c", "a@b/c", "ASCII"},
    {"a b", NULL, "white space"},
    {"a<b", NULL, "less"},
    {"a=b", NULL, "equals"},
    {"", NULL, "empty"},
    /* case */
    {"JOSÉ", "josé", "upper case"},
    {"Straße", "strasse", "sharp s"},
    {"STRASSE", "strasse", "the same"},
    {"ΣΊΣΥΦΟΣ", "σίσυφοσ", "Greek, final sigma"},
    {"σίσυφος", "σίσυφοσ", "the same"},
    {"Ольга", "ольга", "Cyrillic"},
    {"İpek", "i\xcc\x87pek", "dotted I"},
    {"ǅ", "dž", "title case"},
    /* one form */
    {"jose\xcc\x81", "josé", "composed"},
    {"Ａｌｉｃｅ", "alice", "full width"},
    {"ﬁona", "fiona", "ligature"},
    {"ｶﾞ", "ガ", "half width, with its mark"},
    {"Ⅳan", "ivan", "Roman numeral"},
    {"\xe2\x84\xab", "å", "Angstrom sign"},
    {"x²", "x2", "superscript"},
    {"각", "각", "Hangul syllable"},
    {"\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "각", "Hangul of parts"},
    /* scripts */
    {"山田太郎", "山田太郎", "Han"},
    {"さくら", "さくら", "Hiragana"},
    {"मोना", "मोना", "Devanagari with marks"},
    {"สมชาย", "สมชาย", "Thai"},
    {"מונה", "מונה", "Hebrew"},
    {"منى", "منى", "Arabic"},
    {"منى٣", "منى٣", "Arabic with a digit"},
    {"urn:usr:josé", "urn:usr:josé", "with ASCII signs"},
    {"josé@example.com", "josé@example.com", "an address"},
    /* right in their places */
    {"col·lega", "col·lega", "middle dot of Catalan"},
    {"a·b", NULL, "middle dot elsewhere"},
    {"͵αβ", "͵αβ", "keraia"},
    {"a͵b", NULL, "keraia among Latin letters"},
    {"א׳", "א׳", "geresh"},
    {"a׳", NULL, "geresh behind a Latin letter"},
    {"ジョン・スミス", "ジョン・スミス", "Katakana middle dot"},
    {"a・b", NULL, "Katakana middle dot among Latin letters"},
    {"〇一", "〇一", "ideographic zero"},
    {"١٢", NULL, "digits alone do not begin a name of that direction"},
    {"م١۲", NULL, "two kinds of digits"},
    /* direction */
    {"aמ", NULL, "Hebrew inside a Latin name"},
    {"מa", NULL, "Latin inside a Hebrew name"},
    {"מ-", NULL, "ends with a sign"},
    {"מ1", "מ1", "ends with a digit"},
    {"1מ", NULL, "begins with a digit"},
    {"م1٣", NULL, "European and Arabic digits"},
    /* what is not seen */
    {"jos\xc2\xad"
     "e",
     NULL, "soft hyphen"},
    {"mo\xe2\x80\x8bna", NULL, "zero width space"},
    {"mo\xe2\x80\x8cna", NULL, "zero width non-joiner"},
    {"mo\xe2\x80\x8dna", NULL, "zero width joiner"},
    {"mo\xe2\x80\xaena", NULL, "right-to-left override"},
    {"mo\xe2\x80\xaana", NULL, "left-to-right embedding"},
    {"mo\xe2\x81\xa6na", NULL, "left-to-right isolate"},
    {"mo\xe2\x80\x8ena", NULL, "left-to-right mark"},
    {"mo\xd8\x9cna", NULL, "Arabic letter mark"},
    {"\xef\xbb\xbfmona", NULL, "byte order mark"},
    {"mona\xef\xb8\x8f", NULL, "variation selector"},
    {"mo\xcd\x8fna", NULL, "grapheme joiner"},
    {"\xe3\x85\xa4", NULL, "Hangul filler"},
    {"mo\xf3\xa0\x81\xa1na", NULL, "tag"},
    {"mo\xc2\xa0na", NULL, "no-break space"},
    {"mo\xe3\x80\x80na", NULL, "ideographic space"},
    {"mo\xe2\x80\xa8na", NULL, "line separator"},
    {"mo\xc2\x85na", NULL, "control"},
    /* what is no letter */
    {"mona😀", NULL, "symbol"},
    {"10€", NULL, "currency"},
    {"mona\xe2\x80\x93"
     "1",
     NULL, "dash"},
    {"«mona»", NULL, "quotes"},
    {"¨a", NULL, "a space in disguise"},
    {"a＜b", NULL, "less in full width"},
    {"a＝b", NULL, "equals in full width"},
    {"\xcd\xb8", NULL, "unassigned"},
    {"a\xef\xb7\x90", NULL, "not a character"},
    {"a\xee\x80\x80", NULL, "private use"},
    {"\xcc\x81"
     "a",
     NULL, "begins with a mark"},
    {"مـن", NULL, "tatweel"},
    {"\xe1\x84\x80", NULL, "a Jamo alone"},
    /* no text */
    {"a\xff", NULL, "no UTF-8"},
    {"a\xc3", NULL, "cut off"},
    {"a\xed\xa0\x80", NULL, "surrogate"},
    {"a\xc0\xaf", NULL, "longer form"},
};

static void names_become_one_form_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        struct bondy_name name = {.len = 0};
        bool is_name = bondy_name_fold(bondy_slice_text(names[i].text), &name);

        if (is_name != (names[i].folded != NULL) ||
            (is_name && strcmp(name.text, names[i].folded) != 0))
            fail_msg("%s: '%s' became '%s'", names[i].why, names[i].text,
                     is_name ? name.text : "no name");
    }
}

/* Otherwise what is stored would not be found. */
static void what_is_folded_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        struct bondy_name once, twice;

        if (!bondy_name_fold(bondy_slice_text(names[i].text), &once))
            continue;
        assert_true(bondy_name_fold(bondy_name_slice(&once), &twice));
        assert_string_equal(once.text, twice.text);
    }
}

/* Each character of Unicode, alone and behind a letter. */
static void no_character_breaks_it(void **state)
{
    size_t count = 0;

    (void)state;
    for (uint32_t point = 0x80; point < 0x110000; point++) {
        struct bondy_name once, twice;
        char text[8] = "x";
        size_t len;

        if (point >= 0xD800 && point < 0xE000)
            continue;
        text[1] = text[2] = '\0';
        /* UTF-8 by hand, so that the code is not its own witness. */
        if (point < 0x800) {
            text[1] = (char)(0xC0 | point >> 6);
            len = 3;
        } else if (point < 0x10000) {
            text[1] = (char)(0xE0 | point >> 12);
            text[2] = (char)(0x80 | (point >> 6 & 0x3F));
            len = 4;
        } else {
            text[1] = (char)(0xF0 | point >> 18);
            text[2] = (char)(0x80 | (point >> 12 & 0x3F));
            text[3] = (char)(0x80 | (point >> 6 & 0x3F));
            len = 5;
        }
        text[len - 1] = (char)(0x80 | (point & 0x3F));
        for (size_t from = 0; from < 2; from++) {
            if (!bondy_name_fold(bondy_slice_of(text + from, len - from), &once))
                continue;
            count++;
            assert_true(bondy_name_fold(bondy_name_slice(&once), &twice));
            assert_string_equal(once.text, twice.text);
        }
    }
    assert_in_range(count, 100000, 400000);
}

static void length_counts_before_and_after(void **state)
{
    char text[400];
    struct bondy_name name;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    assert_true(bondy_name_fold(bondy_slice_of(text, 254), &name));
    assert_int_equal(name.len, 254);
    assert_false(bondy_name_fold(bondy_slice_of(text, 256), &name));
    /* U+0149 becomes two characters of three octets; U+FDFA would become eighteen. */
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "ŉ", 2);
    assert_false(bondy_name_fold(bondy_slice_of(text, 200), &name));
    assert_false(bondy_name_fold(bondy_slice_text("\xef\xb7\xba"), &name));
}

static void reserved_names_are_reserved_in_disguise(void **state)
{
    static const char *const texts[] = {"ａｌｌ", "ＡＬＬ", "ⓐⓝⓨ", "ａnonymous", "ｆrom"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(texts); i++)
        assert_true(bondy_name_is_reserved(bondy_slice_text(texts[i])));
    assert_false(bondy_name_is_reserved(bondy_slice_text("añy")));
}

static void off_is_ascii_alone(void **state)
{
    struct bondy_name name;

    (void)state;
    assert_false(bondy_name_fold(bondy_slice_text("josé"), &name));
    assert_false(bondy_name_fold(bondy_slice_text("ａｌｌ"), &name));
    assert_non_null(strstr(bondy_name_rule(true), "ASCII characters"));
    bondy_names_set_unicode(true);
    assert_true(bondy_name_fold(bondy_slice_text("josé"), &name));
    assert_non_null(strstr(bondy_name_rule(true), "any script"));
    bondy_names_set_unicode(false);
    /* What is stored can be listed still. */
    bondy_name_keep(bondy_slice_text("josé"), &name);
    assert_string_equal(name.text, "josé");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNICODE_TEST(names_become_one_form_or_none),
        UNICODE_TEST(what_is_folded_stays),
        UNICODE_TEST(no_character_breaks_it),
        UNICODE_TEST(length_counts_before_and_after),
        UNICODE_TEST(reserved_names_are_reserved_in_disguise),
        cmocka_unit_test(off_is_ascii_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/utf8.h"

#define CASE(name_, bytes_)                                                                        \
    {                                                                                              \
        (name_), BONDY_SLICE(bytes_)                                                               \
    }

struct text_case {
    const char *name;
    struct bondy_slice text;
};

static const struct text_case invalid[] = {
    CASE("first continuation byte alone", "\x80"),
    CASE("last continuation byte alone", "\xBF"),
    CASE("two continuation bytes", "\x80\xBF"),
    CASE("lead of two alone", "\xC2"),
    CASE("lead of two before ASCII", "\xC2 "),
    CASE("lead of three alone", "\xE1"),
    CASE("lead of three and one byte", "\xE1\x80"),
    CASE("lead of three, one byte, ASCII", "\xE1\x80 "),
    CASE("lead of four alone", "\xF1"),
    CASE("lead of four and one byte", "\xF1\x80"),
    CASE("lead of four and two bytes", "\xF1\x80\x80"),
    CASE("lead of four, two bytes, ASCII", "\xF1\x80\x80 "),
    CASE("FE", "\xFE"),
    CASE("FF", "\xFF"),
    CASE("F5, beyond U+10FFFF", "\xF5\x80\x80\x80"),
    CASE("lead of five", "\xF8\x88\x80\x80\x80"),
    CASE("lead of six", "\xFC\x84\x80\x80\x80\x80"),
    CASE("slash in two bytes", "\xC0\xAF"),
    CASE("slash in three bytes", "\xE0\x80\xAF"),
    CASE("slash in four bytes", "\xF0\x80\x80\xAF"),
    CASE("longest overlong of two", "\xC1\xBF"),
    CASE("longest overlong of three", "\xE0\x9F\xBF"),
    CASE("longest overlong of four", "\xF0\x8F\xBF\xBF"),
    CASE("NUL in two bytes", "\xC0\x80"),
    CASE("surrogate D800", "\xED\xA0\x80"),
    CASE("surrogate DFFF", "\xED\xBF\xBF"),
    CASE("surrogate pair", "\xED\xA1\x8C\xED\xBE\xB4"),
    CASE("U+110000", "\xF4\x90\x80\x80"),
};

static const struct text_case valid[] = {
    CASE("nothing", ""),
    CASE("NUL", "\0"),
    CASE("ASCII", "com.example.time"),
    CASE("U+007F", "\x7F"),
    CASE("U+0080", "\xC2\x80"),
    CASE("U+07FF", "\xDF\xBF"),
    CASE("U+0800", "\xE0\xA0\x80"),
    CASE("U+D7FF", "\xED\x9F\xBF"),
    CASE("U+E000", "\xEE\x80\x80"),
    CASE("U+FFFF", "\xEF\xBF\xBF"),
    CASE("U+10000", "\xF0\x90\x80\x80"),
    CASE("U+10FFFF", "\xF4\x8F\xBF\xBF"),
};

static void invalid_sequences_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    assert_int_equal(BONDY_COUNT(invalid), 28);
    for (size_t i = 0; i < BONDY_COUNT(invalid); i++) {
        /* At every offset, so that the step over eight ASCII bytes meets each of them. */
        for (size_t before = 0; before < 18; before++) {
            char text[32];

            memset(text, 'a', sizeof text);
            memcpy(text + before, invalid[i].text.data, invalid[i].text.len);
            if (bondy_utf8_is_valid(bondy_slice_of(text, sizeof text)) ||
                bondy_utf8_is_valid(bondy_slice_of(text, before + invalid[i].text.len)))
                fail_msg("%s at %zu", invalid[i].name, before);
        }
    }
}

static void valid_text_is_accepted_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(valid); i++) {
        for (size_t before = 0; before < 12; before++) {
            char text[40];

            memset(text, 'a', sizeof text);
            memcpy(text + before, valid[i].text.data, valid[i].text.len);
            if (!bondy_utf8_is_valid(bondy_slice_of(text, sizeof text)))
                fail_msg("%s at %zu", valid[i].name, before);
        }
    }
}

static void every_character_survives_encoding_and_decoding(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        uint32_t back = 0;
        char bytes[4];
        size_t len = bondy_utf8_encode(c, bytes);
        bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;

        assert_true(bondy_utf8_is_valid(bondy_slice_of(bytes, len)) == !is_surrogate);
        assert_int_equal(bondy_utf8_decode(bondy_slice_of(bytes, len), &back), len);
        assert_int_equal(back, c);
    }
}

static void nothing_decodes_to_nothing(void **state)
{
    uint32_t c = 7;

    (void)state;
    assert_int_equal(bondy_utf8_decode(BONDY_SLICE_EMPTY, &c), 0);
}

static void white_space_is_what_unicode_lists(void **state)
{
    uint32_t count = 0;

    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++)
        count += bondy_utf8_is_space(c);
    assert_int_equal(count, 25);
    assert_true(bondy_utf8_is_space(' '));
    assert_true(bondy_utf8_is_space(0x3000));
    assert_false(bondy_utf8_is_space(0x200B)); /* ZERO WIDTH SPACE is not White_Space */
    assert_false(bondy_utf8_is_space('_'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalid_sequences_are_refused_wherever_they_stand),
        cmocka_unit_test(valid_text_is_accepted_wherever_it_stands),
        cmocka_unit_test(every_character_survives_encoding_and_decoding),
        cmocka_unit_test(nothing_decodes_to_nothing),
        cmocka_unit_test(white_space_is_what_unicode_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

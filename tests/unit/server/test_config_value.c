/* SPDX-License-Identifier: Apache-2.0 */
/* configuration.md 9, F2: every type. */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/server/config_value.h"

static const struct bondy_config_row flag_row = {.type = BONDY_KEY_FLAG};
static const struct bondy_config_row level_row = {
    .type = BONDY_KEY_FLAG, .max = 9, .flags = BONDY_KEY_IS_NUMBER};
static const struct bondy_config_row int_row = {.type = BONDY_KEY_INT, .min = 1, .max = 2000};
static const struct bondy_config_row signed_row = {.type = BONDY_KEY_INT, .min = -5, .max = 5};
static const struct bondy_config_row port_row = {.type = BONDY_KEY_PORT};
static const struct bondy_config_row ms_row = {.type = BONDY_KEY_MS};
static const struct bondy_config_row seconds_row = {.type = BONDY_KEY_SECONDS};
static const struct bondy_config_row endless_row = {.type = BONDY_KEY_MS,
                                                    .flags = BONDY_KEY_IS_INFINITE};
static const struct bondy_config_row bytes_row = {.type = BONDY_KEY_BYTES};
static const struct bondy_config_row word_row = {.type = BONDY_KEY_WORD, .words = "loose|strict"};
static const struct bondy_config_row ip_row = {.type = BONDY_KEY_IP};
static const struct bondy_config_row address_row = {.type = BONDY_KEY_ADDRESS};

#define DAY INT64_C(86400000)

static void values_have_their_number(void **state)
{
    static const struct {
        const struct bondy_config_row *row;
        const char *text;
        int64_t expected;
    } cases[] = {
        {&flag_row, "on", 1},        {&flag_row, "off", 0},
        {&flag_row, "true", 1},      {&flag_row, "no", 0},
        {&flag_row, "1", 1},         {&level_row, "7", 7},
        {&level_row, "on", 1},       {&int_row, "1_000", 1000},
        {&int_row, " 12 ", 12},      {&signed_row, "-5", -5},
        {&port_row, "0", 0},         {&port_row, "65535", 65535},
        {&ms_row, "1s", 1000},       {&ms_row, "1.5s", 1500},
        {&ms_row, "250ms", 250},     {&ms_row, "1w2d", 9 * DAY},
        {&ms_row, "1f", 14 * DAY},   {&ms_row, "2h30m", 9000000},
        {&ms_row, "1m500ms", 60500}, {&ms_row, "40", 40},
        {&seconds_row, "40", 40000}, {&seconds_row, "0", 0},
        {&bytes_row, "64KB", 65536}, {&bytes_row, "1gb", 1 << 30},
        {&bytes_row, "17", 17},      {&endless_row, "infinity", BONDY_CONFIG_INFINITE},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_config_value value;

        print_message("%s\n", cases[i].text);
        assert_int_equal(
            bondy_config_value_parse(cases[i].row, bondy_slice_text(cases[i].text), &value, NULL),
            BONDY_OK);
        assert_true(value.is_set);
        assert_int_equal(value.number, cases[i].expected);
        bondy_config_value_fini(&value);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        const struct bondy_config_row *row;
        const char *text;
        int expected;
    } cases[] = {
        {&flag_row, "On", BONDY_EINVAL},
        {&flag_row, "2", BONDY_EINVAL},
        {&level_row, "10", BONDY_ELIMIT},
        {&int_row, "0", BONDY_ELIMIT},
        {&int_row, "2001", BONDY_ELIMIT},
        {&int_row, "1x", BONDY_EINVAL},
        {&int_row, "_1", BONDY_EINVAL},
        {&int_row, "1__0", BONDY_EINVAL},
        {&int_row, "-1", BONDY_ELIMIT},
        {&int_row, "99999999999999999999", BONDY_EINVAL},
        {&port_row, "65536", BONDY_ELIMIT},
        {&ms_row, "10 sec", BONDY_EINVAL},
        {&ms_row, "1s1m", BONDY_EINVAL},
        {&ms_row, "1s1s", BONDY_EINVAL},
        {&ms_row, "-1s", BONDY_EINVAL},
        {&ms_row, "s", BONDY_EINVAL},
        {&ms_row, "infinity", BONDY_EINVAL},
        {&ms_row, "99999999999999f", BONDY_EINVAL},
        {&bytes_row, "1Kb", BONDY_EINVAL},
        {&bytes_row, "1.5MB", BONDY_EINVAL},
        {&bytes_row, "9999999999999GB", BONDY_EINVAL},
        {&word_row, "Strict", BONDY_ELIMIT},
        {&word_row, "loose|strict", BONDY_ELIMIT},
        {&ip_row, "localhost", BONDY_EINVAL},
        {&ip_row, "300.1.1.1", BONDY_EINVAL},
        {&address_row, "somewhere", BONDY_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_config_value value;
        struct bondy_error err;

        print_message("%s\n", cases[i].text);
        assert_int_equal(
            bondy_config_value_parse(cases[i].row, bondy_slice_text(cases[i].text), &value, &err),
            cases[i].expected);
        assert_false(value.is_set);
    }
}

static void bare_durations_are_noticed(void **state)
{
    struct bondy_config_value value;

    (void)state;
    assert_int_equal(bondy_config_value_parse(&ms_row, BONDY_SLICE("40"), &value, NULL), BONDY_OK);
    assert_true(value.is_bare_duration);
    bondy_config_value_fini(&value);
    assert_int_equal(bondy_config_value_parse(&ms_row, BONDY_SLICE("0"), &value, NULL), BONDY_OK);
    assert_false(value.is_bare_duration);
    bondy_config_value_fini(&value);
}

static void lists_take_commas_and_brackets(void **state)
{
    static const struct bondy_config_row row = {.type = BONDY_KEY_LIST};
    static const char *const texts[] = {"a, b ,c", "[a,b,c]", "[ a, b, c, ]"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(texts); i++) {
        struct bondy_config_value value;

        assert_int_equal(bondy_config_value_parse(&row, bondy_slice_text(texts[i]), &value, NULL),
                         BONDY_OK);
        assert_int_equal(value.list_count, 3);
        assert_string_equal(value.list[1], "b");
        assert_string_equal(value.list[2], "c");
        bondy_config_value_fini(&value);
    }
}

static void numbers_are_shown_with_the_largest_units(void **state)
{
    static const struct {
        int64_t number;
        const char *duration, *bytes;
    } cases[] = {{0, "0s", "0"},
                 {1500, "1s500ms", "1500"},
                 {9 * DAY, "1w2d", "759375KB"},
                 {65536, "1m5s536ms", "64KB"},
                 {BONDY_CONFIG_INFINITE, "infinity", "infinity"}};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf out = BONDY_BUF_EMPTY;

        bondy_config_format_duration(cases[i].number, &out);
        assert_slice_is(bondy_buf_slice(&out), cases[i].duration);
        bondy_buf_clear(&out, 64);
        bondy_config_format_bytes(cases[i].number, &out);
        assert_slice_is(bondy_buf_slice(&out), cases[i].bytes);
        bondy_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_number),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(bare_durations_are_noticed),
        cmocka_unit_test(lists_take_commas_and_brackets),
        cmocka_unit_test(numbers_are_shown_with_the_largest_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

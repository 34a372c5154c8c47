/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/wamp/number.h"

static void floats_are_written_short_and_stay_floats(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.05, "0.05"},
        {0.00001, "0.00001"},
        {0.000001, "1e-6"},
        {1.5e-7, "1.5e-7"},
        {3.14159, "3.14159"},
        {100.0, "100.0"},
        {123456789.125, "123456789.125"},
        {1e15, "1000000000000000.0"},
        {1e16, "10000000000000000.0"},
        {1e17, "1e17"},
        {9007199254740992.0, "9007199254740992.0"},
        {1e300, "1e300"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {0.30000000000000004, "0.30000000000000004"},
        {2.0 / 3, "0.6666666666666666"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };
    char text[BONDY_NUMBER_LEN];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
        size_t len = bondy_number_format_float(rows[i].value, text);

        assert_slice_is(bondy_slice_of(text, len), rows[i].text);
    }
}

static void floats_read_back_as_they_were(void **state)
{
    uint64_t seed = 7;
    char text[BONDY_NUMBER_LEN + 1];

    (void)state;
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = next_random(&seed);
        double value;
        double read;
        size_t len;

        if (i % 4 == 0)
            value = (double)(bits % 10000000) / 1000;
        else
            memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        len = bondy_number_format_float(value, text);
        assert_in_range(len, 3, BONDY_NUMBER_LEN);
        text[len] = '\0';
        read = bondy_number_parse(bondy_slice_of(text, len));
        if (memcmp(&read, &value, sizeof value) != 0 || strtod(text, NULL) != value)
            fail_msg("%s for %.17g", text, value);
    }
}

static void decimals_are_rounded_as_the_c_library_rounds(void **state)
{
    static const char *const rows[] = {
        "0",
        "-0",
        "0.0",
        "1",
        "1e0",
        "1E+2",
        "1e-2",
        "123.456e5",
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740993.0000000000000000000000000000000000000000001",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "4.9e-324",
        "2.4e-324",
        "2.5e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e308",
        "1e309",
        "1e999",
        "-1e999",
        "1e-400",
        "0e999999999999999999999",
        "1e-999999999999999999999",
        "0.000000000000000000000000000000000000000001e42",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "0.1234567890123456789012345678901234567890",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042880"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
        double wanted = strtod(rows[i], NULL);
        double read = bondy_number_parse(bondy_slice_text(rows[i]));

        if (memcmp(&read, &wanted, sizeof read) != 0)
            fail_msg("%s: %.17g instead of %.17g", rows[i], read, wanted);
        assert_int_equal(bondy_number_is_finite(bondy_slice_text(rows[i])), isfinite(wanted));
    }
}

static void random_decimals_are_rounded_as_the_c_library_rounds(void **state)
{
    uint64_t seed = 11;
    char text[64];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = next_random(&seed);
        uint64_t b = next_random(&seed) >> (a % 60);
        int len = snprintf(text, sizeof text, "%s%llu.%llue%d", a & 1 ? "-" : "",
                           (unsigned long long)(a >> (b % 60)), (unsigned long long)b,
                           (int)(a % 640) - 330);
        double wanted = strtod(text, NULL);
        double read = bondy_number_parse(bondy_slice_of(text, (size_t)len));

        if (read != wanted)
            fail_msg("%s: %.17g instead of %.17g", text, read, wanted);
        assert_int_equal(bondy_number_is_finite(bondy_slice_of(text, (size_t)len)),
                         isfinite(wanted));
    }
}

/* Digits beyond those that are kept still decide which way a tie goes. */
static void very_long_decimals_are_rounded_right(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    bondy_buf_append_text(&text, "9007199254740993.");
    for (int i = 0; i < 5000; i++)
        bondy_buf_append_byte(&text, '0');
    assert_true(bondy_number_parse(bondy_buf_slice(&text)) == 9007199254740992.0);
    bondy_buf_append_byte(&text, '1');
    assert_true(bondy_number_parse(bondy_buf_slice(&text)) == 9007199254740994.0);
    bondy_buf_fini(&text);
}

static void integers_are_written_with_all_digits(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {{0, "0"},
                {-1, "-1"},
                {10, "10"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    char text[BONDY_NUMBER_LEN];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++)
        assert_slice_is(bondy_slice_of(text, bondy_number_format_int(rows[i].value, text)),
                        rows[i].text);
    assert_slice_is(bondy_slice_of(text, bondy_number_format_uint(UINT64_MAX, text)),
                    "18446744073709551615");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_written_short_and_stay_floats),
        cmocka_unit_test(floats_read_back_as_they_were),
        cmocka_unit_test(decimals_are_rounded_as_the_c_library_rounds),
        cmocka_unit_test(random_decimals_are_rounded_as_the_c_library_rounds),
        cmocka_unit_test(very_long_decimals_are_rounded_right),
        cmocka_unit_test(integers_are_written_with_all_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

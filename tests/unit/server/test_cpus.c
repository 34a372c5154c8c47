/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/server/cpus.h"

static void a_quota_is_rounded_up(void **state)
{
    static const struct {
        const char *text;
        unsigned expected;
    } cases[] = {{"max 100000\n", 0},   {"100000 100000\n", 1}, {"150000 100000\n", 2},
                 {"50000 100000\n", 1}, {"400000 100000", 4},   {"", 0},
                 {"-1 100000\n", 0},    {"100000 0\n", 0},      {"nonsense", 0}};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        assert_int_equal(bondy_cpus_of_quota(bondy_slice_text(cases[i].text)), cases[i].expected);
}

static void there_is_always_one(void **state)
{
    (void)state;
    assert_true(bondy_cpus_usable() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_is_rounded_up),
        cmocka_unit_test(there_is_always_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

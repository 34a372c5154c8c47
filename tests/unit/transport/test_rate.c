/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"

#include "src/transport/rate.h"

/* ROB-4: `count` messages at `at_ms`; the last is followed by a wait of `wait_ms`, none before. */
static void a_bucket_empties_and_fills_with_time(void **state)
{
    static const struct {
        uint32_t rate, burst;
        uint64_t at_ms;
        unsigned count;
        uint64_t wait_ms;
        bool is_new; /* a full bucket */
    } cases[] = {
        {50, 10, 1000, 10, 20, true}, /* the burst */
        {50, 10, 1020, 1, 20, false}, /* what the wait brought */
        {50, 10, 1020, 1, 40, false}, /* a debt is paid later */
        {50, 10, 1060, 1, 20, false},
        {50, 10, 1160, 5, 20, false},   /* 100 ms: five */
        {50, 10, 90000, 10, 20, false}, /* never more than the burst */
        {1, 1, 0, 1, 1000, true},
        {1, 1, 1000, 1, 1000, false},
        {1000, 1, 5, 1, 1, true},
        {1000, 100, 5, 100, 10, true}, /* ten are worth a wake-up */
        {1000, 100, 15, 10, 10, false},
        {2000000000, 1, 5, 1000, 0, true},
        {UINT32_MAX, UINT32_MAX, 5, 1000, 0, true},
        {1, UINT32_MAX, 5, 1000, 0, true},
    };
    struct bondy_rate bucket = {0};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (cases[i].is_new)
            bucket = (struct bondy_rate){0};
        for (unsigned j = 1; j <= cases[i].count; j++)
            assert_int_equal(
                bondy_rate_spend(&bucket, cases[i].rate, cases[i].burst, cases[i].at_ms),
                j == cases[i].count ? cases[i].wait_ms : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills_with_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

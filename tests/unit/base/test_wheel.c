/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/wheel.h"

enum { TIMERS = 200 };

struct probe {
    struct bondy_timer timer;
    bool runs;       /* in the model */
    uint64_t due_ms; /* in the model */
    unsigned fired;
    uint64_t again_ms; /* restart itself in the callback with this delay; 0: do not */
};

static struct bondy_wheel wheel;
static struct probe probes[TIMERS];
static uint64_t last_due;
static uint64_t state_of_random;

static uint64_t draw(uint64_t below)
{
    state_of_random = state_of_random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (state_of_random >> 20) % below;
}

static void start(struct probe *probe, uint64_t delay_ms)
{
    bondy_timer_start(&wheel, &probe->timer, delay_ms);
    probe->runs = true;
    probe->due_ms = delay_ms > UINT64_MAX - wheel.clock_ms ? UINT64_MAX : wheel.clock_ms + delay_ms;
}

static void on_probe(struct bondy_timer *timer)
{
    struct probe *probe = BONDY_CONTAINER(timer, struct probe, timer);

    assert_true(probe->runs);
    assert_true(probe->due_ms <= wheel.now_ms);
    assert_true(probe->due_ms >= last_due);
    last_due = probe->due_ms;
    probe->runs = false;
    probe->fired++;
    if (probe->again_ms > 0)
        start(probe, probe->again_ms);
}

static void set_up(uint64_t now_ms)
{
    bondy_wheel_init(&wheel, now_ms);
    memset(probes, 0, sizeof probes);
    for (int i = 0; i < TIMERS; i++)
        bondy_timer_init(&probes[i].timer, on_probe);
    last_due = 0;
}

/* What a list of all timers would say. */
static uint64_t first_due(void)
{
    uint64_t first = UINT64_MAX;

    for (int i = 0; i < TIMERS; i++)
        if (probes[i].runs && probes[i].due_ms < first)
            first = probes[i].due_ms;
    return first;
}

static void check_against_model(void)
{
    uint64_t first = first_due();
    uint64_t next = bondy_wheel_next(&wheel);

    for (int i = 0; i < TIMERS; i++) {
        assert_true(bondy_timer_runs(&probes[i].timer) == probes[i].runs);
        assert_true(!probes[i].runs || probes[i].due_ms >= wheel.now_ms);
    }
    if (first == UINT64_MAX)
        return;
    assert_true(next <= first - wheel.now_ms);
    assert_true(next > 0 || first == wheel.now_ms);
}

static void timers_agree_with_a_plain_list_over_random_operations(void **state)
{
    static const uint64_t starts[] = {
        0, 63, 4095, (UINT64_C(1) << 36) - 3, (UINT64_C(1) << 42) - 100, UINT64_C(1234567890123)};

    (void)state;
    for (size_t s = 0; s < BONDY_COUNT(starts); s++) {
        state_of_random = s;
        set_up(starts[s]);
        for (int step = 0; step < 20000; step++) {
            struct probe *probe = &probes[draw(TIMERS)];
            /* Any order of magnitude is as likely as any other. */
            uint64_t span = draw(UINT64_C(1) << draw(46));

            switch (draw(4)) {
            case 0:
            case 1:
                probe->again_ms = draw(4) == 0 ? draw(100) : 0;
                start(probe, span);
                break;
            case 2:
                bondy_timer_stop(&wheel, &probe->timer);
                probe->runs = false;
                break;
            case 3:
                last_due = 0;
                bondy_wheel_advance(&wheel, wheel.now_ms + (draw(8) == 0 ? span : draw(300)));
                break;
            }
            check_against_model();
        }
    }
}

static void sleeping_as_long_as_the_wheel_says_meets_every_timer_on_time(void **state)
{
    int fired = 0;

    (void)state;
    state_of_random = 42;
    set_up(1000);
    for (int i = 0; i < TIMERS; i++)
        start(&probes[i], draw(UINT64_C(1) << draw(40)));
    while (bondy_wheel_next(&wheel) != UINT64_MAX) {
        uint64_t first = first_due();

        bondy_wheel_advance(&wheel, wheel.now_ms + bondy_wheel_next(&wheel));
        assert_true(wheel.now_ms <= first);
    }
    for (int i = 0; i < TIMERS; i++)
        fired += (int)probes[i].fired;
    assert_int_equal(fired, TIMERS);
}

static void one_long_jump_calls_in_order_of_time(void **state)
{
    (void)state;
    set_up(5);
    for (int i = 0; i < TIMERS; i++)
        start(&probes[i], (uint64_t)((i * 7919) % 100003));
    bondy_wheel_advance(&wheel, 5 + 100003);
    for (int i = 0; i < TIMERS; i++)
        assert_int_equal(probes[i].fired, 1);
}

static void a_timer_fires_once_and_a_stopped_one_never(void **state)
{
    (void)state;
    set_up(0);
    start(&probes[0], 10);
    start(&probes[1], 10);
    bondy_timer_stop(&wheel, &probes[1].timer);
    bondy_timer_stop(&wheel, &probes[1].timer);
    bondy_wheel_advance(&wheel, 9);
    assert_int_equal(probes[0].fired, 0);
    bondy_wheel_advance(&wheel, 10);
    bondy_wheel_advance(&wheel, 1000);
    assert_int_equal(probes[0].fired, 1);
    assert_int_equal(probes[1].fired, 0);
    assert_true(bondy_wheel_next(&wheel) == UINT64_MAX);
}

static void starting_again_moves_a_timer(void **state)
{
    (void)state;
    set_up(0);
    start(&probes[0], 10);
    start(&probes[0], 5000);
    bondy_wheel_advance(&wheel, 4999);
    assert_int_equal(probes[0].fired, 0);
    bondy_wheel_advance(&wheel, 5000);
    assert_int_equal(probes[0].fired, 1);
}

static void restart_at_once(struct bondy_timer *timer)
{
    struct probe *probe = BONDY_CONTAINER(timer, struct probe, timer);

    probe->fired++;
    bondy_timer_start(&wheel, timer, 0);
}

static void a_timer_of_no_delay_fires_in_the_next_advance_only(void **state)
{
    (void)state;
    set_up(100);
    bondy_timer_init(&probes[0].timer, restart_at_once);
    bondy_timer_start(&wheel, &probes[0].timer, 0);
    assert_int_equal(bondy_wheel_next(&wheel), 0);
    bondy_wheel_advance(&wheel, 100);
    assert_int_equal(probes[0].fired, 1);
    bondy_wheel_advance(&wheel, 100);
    assert_int_equal(probes[0].fired, 2);
    bondy_timer_stop(&wheel, &probes[0].timer);
    bondy_wheel_advance(&wheel, 200);
    assert_int_equal(probes[0].fired, 2);
}

static void stop_the_next(struct bondy_timer *timer)
{
    struct probe *probe = BONDY_CONTAINER(timer, struct probe, timer);

    probe->fired++;
    bondy_timer_stop(&wheel, &(probe + 1)->timer);
}

static void a_callback_may_stop_another_timer_that_is_due_too(void **state)
{
    (void)state;
    set_up(0);
    bondy_timer_init(&probes[0].timer, stop_the_next);
    bondy_timer_start(&wheel, &probes[0].timer, 5);
    start(&probes[1], 6);
    bondy_wheel_advance(&wheel, 50);
    assert_int_equal(probes[0].fired, 1);
    assert_int_equal(probes[1].fired, 0);
}

static void delays_count_from_the_clock_that_was_told(void **state)
{
    (void)state;
    set_up(0);
    start(&probes[0], 10);
    bondy_wheel_set_clock(&wheel, 5000);
    start(&probes[1], 10);
    start(&probes[2], 0);
    bondy_wheel_advance(&wheel, 5000);
    assert_int_equal(probes[0].fired, 1);
    assert_int_equal(probes[1].fired, 0);
    assert_int_equal(probes[2].fired, 1);
    bondy_wheel_advance(&wheel, 5010);
    assert_int_equal(probes[1].fired, 1);
}

static void the_wheel_never_goes_back(void **state)
{
    (void)state;
    set_up(1000);
    start(&probes[0], 10);
    bondy_wheel_advance(&wheel, 1005);
    bondy_wheel_advance(&wheel, 900);
    assert_int_equal(wheel.now_ms, 1005);
    bondy_wheel_advance(&wheel, 1010);
    assert_int_equal(probes[0].fired, 1);
}

static void a_delay_beyond_all_time_waits_and_harms_nothing(void **state)
{
    (void)state;
    set_up(UINT64_MAX - (UINT64_C(1) << 43));
    start(&probes[0], UINT64_MAX);
    start(&probes[1], UINT64_C(1) << 42);
    bondy_wheel_advance(&wheel, wheel.now_ms + (UINT64_C(1) << 42));
    assert_int_equal(probes[0].fired, 0);
    assert_int_equal(probes[1].fired, 1);
    bondy_timer_stop(&wheel, &probes[0].timer);
    assert_true(bondy_wheel_next(&wheel) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_agree_with_a_plain_list_over_random_operations),
        cmocka_unit_test(sleeping_as_long_as_the_wheel_says_meets_every_timer_on_time),
        cmocka_unit_test(one_long_jump_calls_in_order_of_time),
        cmocka_unit_test(a_timer_fires_once_and_a_stopped_one_never),
        cmocka_unit_test(starting_again_moves_a_timer),
        cmocka_unit_test(a_timer_of_no_delay_fires_in_the_next_advance_only),
        cmocka_unit_test(a_callback_may_stop_another_timer_that_is_due_too),
        cmocka_unit_test(delays_count_from_the_clock_that_was_told),
        cmocka_unit_test(the_wheel_never_goes_back),
        cmocka_unit_test(a_delay_beyond_all_time_waits_and_harms_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metric.h"

static json_t *told; /* [[is_set, item]] */

static void note(void *context, bool is_set, json_t *item)
{
    assert_ptr_equal(context, &told);
    json_array_append_new(told, json_pack("[b, o]", is_set, item));
}

static int start(void **state)
{
    (void)state;
    atomic_store(&bondy_log_threshold, BONDY_LOG_ERROR);
    told = json_array();
    bondy_alarm_listen(note, &told);
    return 0;
}

static int end(void **state)
{
    json_t *list = bondy_alarm_list(), *item;
    size_t i;

    (void)state;
    bondy_alarm_listen(NULL, NULL);
    json_array_foreach(list, i, item)
    {
        const char *subject = json_string_value(
            json_object_iter_value(json_object_iter(json_object_get(item, "data"))));

        for (unsigned alarm = 0; alarm < BONDY_ALARM_COUNT; alarm++)
            bondy_alarm_clear(alarm, bondy_slice_text(subject == NULL ? "" : subject));
    }
    json_decref(list);
    json_decref(told);
    bondy_clock_replace(NULL);
    return 0;
}

static void check_list(const char *expected)
{
    json_t *list = bondy_alarm_list();
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(list, &text);
    bondy_buf_append_byte(&text, 0);
    assert_string_equal(text.data, expected);
    bondy_buf_fini(&text);
    json_decref(list);
}

static void an_alarm_is_listed_while_it_is_set(void **state)
{
    const struct bondy_clock_source clock = {.wall_ms = 1000};

    (void)state;
    bondy_clock_replace(&clock);
    check_list("[]");
    bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRING, BONDY_SLICE("wamp.tls"), "ends in %d days",
                    3);
    bondy_alarm_set(BONDY_ALARM_STORE_FULL, BONDY_SLICE_EMPTY, "full");
    check_list(
        "[{\"id\":\"certificate_expiring\",\"severity\":\"warning\","
        "\"since\":\"1970-01-01T00:00:01.000Z\",\"description\":\"ends in 3 days\","
        "\"data\":{\"listener\":\"wamp.tls\"}},"
        "{\"id\":\"store_full\",\"severity\":\"critical\",\"since\":\"1970-01-01T00:00:01.000Z\","
        "\"description\":\"full\",\"data\":{}}]");
    bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRING, BONDY_SLICE("wamp.tls"));
    bondy_alarm_clear(BONDY_ALARM_STORE_FULL, BONDY_SLICE_EMPTY);
    check_list("[]");
}

static void only_a_change_is_told_and_once(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    bondy_alarm_clear(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY);
    assert_int_equal(json_array_size(told), 0);
    bondy_alarm_set(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY, "10 are free");
    bondy_alarm_set(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY, "5 are free");
    assert_int_equal(json_array_size(told), 1);
    bondy_alarm_clear(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY);
    bondy_alarm_clear(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY);
    assert_int_equal(json_array_size(told), 2);
    assert_true(json_is_true(json_array_get(json_array_get(told, 0), 0)));
    assert_true(json_is_false(json_array_get(json_array_get(told, 1), 0)));
    /* What is cleared is told with what it said last. */
    bondy_json_format(json_array_get(told, 1), &text);
    bondy_buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "5 are free"));
    bondy_buf_fini(&text);
}

static void alarms_of_several_subjects_are_several(void **state)
{
    (void)state;
    bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("a"), "x");
    bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("b"), "x");
    bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("c"));
    bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("a"));
    assert_int_equal(json_array_size(told), 3);
    assert_true(bondy_alarm_is_degraded());
    bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("b"));
    assert_false(bondy_alarm_is_degraded());
}

static void a_warning_does_not_degrade(void **state)
{
    (void)state;
    bondy_alarm_set(BONDY_ALARM_LOG_DROPPING, BONDY_SLICE_EMPTY, "x");
    assert_false(bondy_alarm_is_degraded());
    bondy_alarm_set(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY, "x");
    assert_true(bondy_alarm_is_degraded());
}

static void texts_are_cut_and_made_utf8(void **state)
{
    char text[2000];
    json_t *list;

    (void)state;
    memset(text, 0xC3, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    bondy_alarm_set(BONDY_ALARM_DISK_LOW, bondy_slice_text(text), "%s", text);
    bondy_alarm_set(BONDY_ALARM_DISK_LOW, bondy_slice_text(text), "%s", text);
    list = bondy_alarm_list();
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(bondy_json_text(json_array_get(list, 0), "description").len, 512);
    json_decref(list);
    bondy_alarm_clear(BONDY_ALARM_DISK_LOW, bondy_slice_text(text));
    check_list("[]");
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
    char name[16];

    (void)state;
    for (unsigned i = 0; i < BONDY_ALARMS_MAX + 3; i++) {
        snprintf(name, sizeof name, "l%u", i);
        bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRING, bondy_slice_text(name), "x");
    }
    assert_int_equal(json_array_size(told), BONDY_ALARMS_MAX);
    bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRING, bondy_slice_text(name));
    assert_int_equal(json_array_size(told), BONDY_ALARMS_MAX);
    bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRING, BONDY_SLICE("l0"));
    bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRING, bondy_slice_text(name), "x");
    assert_int_equal(json_array_size(told), BONDY_ALARMS_MAX + 2);
}

static void the_gauge_counts_each_row(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    bondy_alarm_metrics();
    bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("a"), "x");
    bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRED, BONDY_SLICE("b"), "x");
    bondy_metric_format(&text);
    bondy_buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "bondy_alarms{alarm=\"certificate_expired\"} 2\n"));
    assert_non_null(strstr(text.data, "bondy_alarms{alarm=\"store_full\"} 0\n"));
    bondy_buf_fini(&text);
}

static void every_row_is_complete(void **state)
{
    (void)state;
    for (unsigned alarm = 0; alarm < BONDY_ALARM_COUNT; alarm++) {
        assert_non_null(bondy_alarm_row(alarm)->id);
        assert_non_null(bondy_alarm_row(alarm)->help);
        if (alarm > 0)
            assert_true(strcmp(bondy_alarm_row(alarm - 1)->id, bondy_alarm_row(alarm)->id) < 0);
    }
}

static void *toggle(void *argument)
{
    for (unsigned i = 0; i < 1000; i++) {
        bondy_alarm_set(BONDY_ALARM_DISK_LOW, bondy_slice_text(argument), "x");
        bondy_alarm_clear(BONDY_ALARM_DISK_LOW, bondy_slice_text(argument));
    }
    return NULL;
}

static void threads_may_set_and_clear_at_once(void **state)
{
    static const char *const names[] = {"same", "same", "other"};
    pthread_t threads[BONDY_COUNT(names)];
    size_t i;
    int balance = 0;
    json_t *one;

    (void)state;
    for (i = 0; i < BONDY_COUNT(names); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, toggle, (void *)names[i]), 0);
    for (i = 0; i < BONDY_COUNT(names); i++)
        pthread_join(threads[i], NULL);
    json_array_foreach(told, i, one)
    {
        balance += json_is_true(json_array_get(one, 0)) ? 1 : -1;
        assert_in_range(balance, 0, 2);
    }
    assert_int_equal(balance, 0);
    check_list("[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_alarm_is_listed_while_it_is_set, start, end),
        cmocka_unit_test_setup_teardown(only_a_change_is_told_and_once, start, end),
        cmocka_unit_test_setup_teardown(alarms_of_several_subjects_are_several, start, end),
        cmocka_unit_test_setup_teardown(a_warning_does_not_degrade, start, end),
        cmocka_unit_test_setup_teardown(texts_are_cut_and_made_utf8, start, end),
        cmocka_unit_test_setup_teardown(there_is_room_for_so_many_and_no_more, start, end),
        cmocka_unit_test_setup_teardown(the_gauge_counts_each_row, start, end),
        cmocka_unit_test_setup_teardown(threads_may_set_and_clear_at_once, start, end),
        cmocka_unit_test(every_row_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

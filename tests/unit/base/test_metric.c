/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/metric.h"

static const char *const labels[] = {"realm", "transport", NULL};
static const double bounds[] = {0, 0.5, 1, 10};

static const struct bondy_metric_family messages = {
    .name = "test_messages_total",
    .help = "Messages\nseen \\ \"so far\"",
    .type = BONDY_METRIC_COUNTER,
    .labels = labels,
};
static const struct bondy_metric_family latency = {
    .name = "test_latency_seconds",
    .help = "Latency",
    .type = BONDY_METRIC_HISTOGRAM,
    .buckets = bounds,
    .bucket_count = BONDY_COUNT(bounds),
};
static const struct bondy_metric_family sockets = {
    .name = "test_sockets",
    .help = "Open sockets",
    .type = BONDY_METRIC_GAUGE,
};
static const struct bondy_metric_family depth = {
    .name = "test_depth",
    .help = "Asked for when read",
    .type = BONDY_METRIC_GAUGE,
};

static bondy_metric_id series(const char *realm, const char *transport)
{
    const char *const values[] = {realm, transport};

    return bondy_metric_series(&messages, values);
}

static double give_depth(void *context)
{
    return *(double *)context;
}

static void the_same_values_are_the_same_series(void **state)
{
    (void)state;
    assert_int_equal(series("a", "ws"), series("a", "ws"));
    assert_int_not_equal(series("a", "ws"), series("a", "tcp"));
    assert_int_not_equal(series("ab", "c"), series("a", "bc"));
    assert_int_not_equal(series("a", "ws"), 0);
}

static void exposition_is_sorted_and_escaped(void **state)
{
    static double current = 2.5;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    bondy_metric_id gauge = bondy_metric_series(&sockets, NULL);
    bondy_metric_id histogram = bondy_metric_series(&latency, NULL);

    (void)state;
    bondy_metric_add(series("z", "tcp"), 2);
    bondy_metric_add(series("a\"b\\c\nd", "ws"), 7);
    bondy_metric_add(series("\xFF\xC3", "ws"), 1);
    bondy_metric_add(gauge, 5);
    bondy_metric_add(gauge, -2);
    bondy_metric_observe(histogram, 0);
    bondy_metric_observe(histogram, 0.5);
    bondy_metric_observe(histogram, 0.6);
    bondy_metric_observe(histogram, 99);
    bondy_metric_read(&depth, NULL, give_depth, &current);
    bondy_metric_format(&out);
    assert_slice_is(bondy_buf_slice(&out),
                    "# HELP test_depth Asked for when read\n"
                    "# TYPE test_depth gauge\n"
                    "test_depth 2.5\n"
                    "# HELP test_latency_seconds Latency\n"
                    "# TYPE test_latency_seconds histogram\n"
                    "test_latency_seconds_bucket{le=\"0\"} 1\n"
                    "test_latency_seconds_bucket{le=\"0.5\"} 2\n"
                    "test_latency_seconds_bucket{le=\"1\"} 3\n"
                    "test_latency_seconds_bucket{le=\"10\"} 3\n"
                    "test_latency_seconds_bucket{le=\"+Inf\"} 4\n"
                    "test_latency_seconds_sum 100.1\n"
                    "test_latency_seconds_count 4\n"
                    "# HELP test_messages_total Messages\\nseen \\\\ \"so far\"\n"
                    "# TYPE test_messages_total counter\n"
                    "test_messages_total{realm=\"a\",transport=\"bc\"} 0\n"
                    "test_messages_total{realm=\"a\",transport=\"tcp\"} 0\n"
                    "test_messages_total{realm=\"a\",transport=\"ws\"} 0\n"
                    "test_messages_total{realm=\"a\\\"b\\\\c\\nd\",transport=\"ws\"} 7\n"
                    "test_messages_total{realm=\"ab\",transport=\"c\"} 0\n"
                    "test_messages_total{realm=\"z\",transport=\"tcp\"} 2\n"
                    "test_messages_total{realm=\"??\",transport=\"ws\"} 1\n"
                    "# HELP test_sockets Open sockets\n"
                    "# TYPE test_sockets gauge\n"
                    "test_sockets 3\n");
    bondy_buf_fini(&out);
    assert_int_equal(bondy_metric_value(histogram), 4);
    assert_int_equal(bondy_metric_value(gauge), 3);
}

enum { THREADS = 4, ROUNDS = 50000 };

static bondy_metric_id shared_counter, shared_gauge, shared_histogram;
static atomic_int running;

static void *count_up(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        bondy_metric_add(shared_counter, 3);
        bondy_metric_add(shared_gauge, i % 2 == 0 ? 1 : -1);
        bondy_metric_observe(shared_histogram, i % 3);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

/* Reading meanwhile never goes back, and nothing is lost when the threads have ended. */
static void counts_of_all_threads_are_summed_and_survive_them(void **state)
{
    static const struct bondy_metric_family counter = {.name = "test_shared_total"};
    static const struct bondy_metric_family gauge = {.name = "test_shared_now",
                                                     .type = BONDY_METRIC_GAUGE};
    static const struct bondy_metric_family histogram = {.name = "test_shared_seconds",
                                                         .type = BONDY_METRIC_HISTOGRAM,
                                                         .buckets = bounds,
                                                         .bucket_count = BONDY_COUNT(bounds)};
    struct bondy_buf out = BONDY_BUF_EMPTY;
    pthread_t threads[THREADS];
    int64_t last = 0;

    (void)state;
    shared_counter = bondy_metric_series(&counter, NULL);
    shared_gauge = bondy_metric_series(&gauge, NULL);
    shared_histogram = bondy_metric_series(&histogram, NULL);
    atomic_store(&running, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    while (atomic_load(&running) > 0) {
        int64_t now = bondy_metric_value(shared_counter);

        assert_true(now >= last);
        last = now;
        bondy_buf_clear(&out, 999999);
        bondy_metric_format(&out);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(bondy_metric_value(shared_counter), 3 * THREADS * ROUNDS);
    assert_int_equal(bondy_metric_value(shared_gauge), 0);
    assert_int_equal(bondy_metric_value(shared_histogram), THREADS * ROUNDS);
    bondy_buf_clear(&out, 999999);
    bondy_metric_format(&out);
    bondy_buf_append_byte(&out, '\0');
    /* 0+1+2 for each three rounds; 50000 = 3 * 16666 + 2 */
    assert_non_null(strstr(out.data, "test_shared_seconds_sum 199996\n"));
    bondy_buf_fini(&out);
}

static void more_series_than_allowed_fold_into_one(void **state)
{
    static const char *const one_label[] = {"uri", NULL};
    static const struct bondy_metric_family calls = {.name = "test_calls_total",
                                                     .labels = one_label};
    struct bondy_buf out = BONDY_BUF_EMPTY;
    bondy_metric_id other = 0;

    (void)state;
    bondy_metric_limit(10);
    for (int i = 0; i < 5000; i++) {
        char uri[32];
        const char *const values[] = {uri};
        bondy_metric_id id;

        snprintf(uri, sizeof uri, "com.example.%d", i);
        id = bondy_metric_series(&calls, values);
        bondy_metric_add(id, 1);
        if (i >= 10 && other != 0)
            assert_int_equal(id, other);
        if (i >= 10)
            other = id;
    }
    bondy_metric_limit(20000);
    bondy_metric_format(&out);
    bondy_buf_append_byte(&out, '\0');
    assert_non_null(strstr(out.data, "test_calls_total{uri=\"__other__\"} 4990\n"));
    assert_non_null(strstr(out.data, "bondy_metrics_overflow_total 4990\n"));
    bondy_buf_fini(&out);
}

static void many_series_find_their_own_cells(void **state)
{
    static const char *const one_label[] = {"n", NULL};
    static const struct bondy_metric_family histogram = {.name = "test_many_seconds",
                                                         .type = BONDY_METRIC_HISTOGRAM,
                                                         .labels = one_label,
                                                         .buckets = bounds,
                                                         .bucket_count = BONDY_COUNT(bounds)};
    static bondy_metric_id ids[3000];
    char text[16];
    const char *const values[] = {text};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "%d", i);
        ids[i] = bondy_metric_series(&histogram, values);
        for (int n = 0; n < i % 5; n++)
            bondy_metric_observe(ids[i], n);
    }
    for (int i = 0; i < 3000; i++)
        assert_int_equal(bondy_metric_value(ids[i]), i % 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_values_are_the_same_series),
        cmocka_unit_test(exposition_is_sorted_and_escaped),
        cmocka_unit_test(counts_of_all_threads_are_summed_and_survive_them),
        cmocka_unit_test(more_series_than_allowed_fold_into_one),
        cmocka_unit_test(many_series_find_their_own_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

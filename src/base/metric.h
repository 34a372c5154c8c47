/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_METRIC_H
#define BONDY_BASE_METRIC_H

/* metric: counters, gauges and histograms, kept per thread and summed when somebody reads them.
 *
 * A family (name, help, label names) is declared once at start. A series, the family with label
 * values, is interned to a small number; adding to it touches only the calling thread's shard: no
 * lock, no atomic read-modify-write. Names follow Prometheus: base units, `_total` for counters. */

#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/slice.h"

enum bondy_metric_type { BONDY_METRIC_COUNTER, BONDY_METRIC_GAUGE, BONDY_METRIC_HISTOGRAM };

struct bondy_metric_family {
    const char *name;
    const char *help;
    enum bondy_metric_type type;
    const char *const *labels; /* NULL-terminated names, or NULL */
    const double *buckets;     /* histograms: ascending upper bounds without +Inf */
    size_t bucket_count;
};

typedef uint32_t bondy_metric_id;

/* Interns a series; the same family and values give the same id. `values` has one text per label.
 * `family` must live as long as the process. At most `metrics.max_series` a family; what is beyond
 * folds into the series whose values are all "__other__" and counts in
 * bondy_metrics_overflow_total. Takes a lock: call it at start or when a
 * connection opens, never per message. */
bondy_metric_id bondy_metric_series(const struct bondy_metric_family *family,
                                    const char *const *values);
/* Counters: adds. Gauges: adds, `delta` may be negative. Any thread, no lock. */
void bondy_metric_add(bondy_metric_id id, int64_t delta);
/* Histograms. */
void bondy_metric_observe(bondy_metric_id id, double value);
/* Many values at once, for who counts them by bucket itself: `counts` of each bucket and of +Inf
 * behind the last, and the sum of the values. */
void bondy_metric_observe_all(bondy_metric_id id, const uint32_t *counts, double sum);
/* A gauge (or counter) whose value is asked for at read time, on the reading thread. `fn` must not
 * call functions of this header. Asked again for the same series, the later `fn` counts. */
typedef double (*bondy_metric_read_fn)(void *context);
void bondy_metric_read(const struct bondy_metric_family *family, const char *const *values,
                       bondy_metric_read_fn fn, void *context);
/* The sum over all threads, for tests and health; of a histogram the number of observations. */
int64_t bondy_metric_value(bondy_metric_id id);
/* `metrics.max_series`, 20000 unless told. */
void bondy_metric_limit(size_t max_series);
/* Prometheus text format 0.0.4 of everything, sorted by name. */
void bondy_metric_format(struct bondy_buf *out);

#endif

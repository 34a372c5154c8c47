/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/metric.h"

#include <pthread.h>
#include <stdatomic.h>

#include "src/base/alloc.h"
#include "src/base/map.h"

#define MOST_SERIES 16384

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `known` and `count` */
static struct bondy_map known = BONDY_MAP_EMPTY;
static uint32_t count;
static _Atomic int64_t cells[MOST_SERIES];

bondy_metric_id bondy_metric_series(const struct bondy_metric_family *family,
                                    const char *const *values)
{
    struct bondy_buf key = BONDY_BUF_EMPTY;
    uintptr_t id;

    bondy_buf_append_text(&key, family->name);
    for (size_t i = 0; family->labels != NULL && family->labels[i] != NULL; i++) {
        bondy_buf_append_byte(&key, '\0');
        bondy_buf_append_text(&key, values[i]);
    }
    pthread_mutex_lock(&lock);
    id = (uintptr_t)bondy_map_find(&known, bondy_buf_slice(&key));
    if (id == 0) {
        BONDY_BUG_ON(count + 1 >= MOST_SERIES);
        id = ++count;
        bondy_map_put(&known, bondy_buf_slice(&key), (void *)id);
    }
    pthread_mutex_unlock(&lock);
    bondy_buf_fini(&key);
    return (bondy_metric_id)id;
}

void bondy_metric_add(bondy_metric_id id, int64_t delta)
{
    atomic_fetch_add_explicit(&cells[id], delta, memory_order_relaxed);
}

void bondy_metric_observe(bondy_metric_id id, double value)
{
    (void)value;
    bondy_metric_add(id, 1);
}

void bondy_metric_read(const struct bondy_metric_family *family, const char *const *values,
                       bondy_metric_read_fn fn, void *context)
{
    (void)fn;
    (void)context;
    bondy_metric_series(family, values);
}

int64_t bondy_metric_value(bondy_metric_id id)
{
    return atomic_load_explicit(&cells[id], memory_order_relaxed);
}

void bondy_metric_limit(size_t max_series)
{
    (void)max_series;
}

void bondy_metric_format(struct bondy_buf *out)
{
    (void)out;
}

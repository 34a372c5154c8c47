/* SPDX-License-Identifier: Apache-2.0 */

/* metrics: what operations.md 2.4 asks for. Series are interned when first needed and kept by the
 * server; the labels are closed sets, so there are few. */

#include "src/base/clock.h"
#include "src/base/metric.h"
#include "src/http/internal.h"

static const char *const labels[] = {"method", "reason", "status_class", NULL};
static const double micros[] = {10,     25,      50,      100,     250,     500,    1000,
                                2500,   5000,    10000,   25000,   50000,   100000, 250000,
                                500000, 1000000, 2500000, 5000000, 10000000};

static const struct bondy_metric_family requests = {
    .name = "bondy_http_requests_total",
    .help = "Requests that were answered (reason normal) or whose client left (gone).",
    .type = BONDY_METRIC_COUNTER,
    .labels = labels,
};
static const struct bondy_metric_family durations = {
    .name = "bondy_http_request_duration_microseconds",
    .help = "From the request line to the end of the answer.",
    .type = BONDY_METRIC_HISTOGRAM,
    .labels = labels,
    .buckets = micros,
    .bucket_count = sizeof micros / sizeof micros[0],
};
static const struct bondy_metric_family early_errors = {
    .name = "bondy_http_early_errors_total",
    .help = "Requests refused because of their head.",
    .type = BONDY_METRIC_COUNTER,
};

void bondy_http_count_early(struct bondy_http_server *server)
{
    if (!server->knows_early) {
        server->early = bondy_metric_series(&early_errors, NULL);
        server->knows_early = true;
    }
    bondy_metric_add(server->early, 1);
}

static struct bondy_http_series *find_series(struct bondy_http_server *server,
                                             enum bondy_method method, unsigned class)
{
    static const char *const classes[BONDY_HTTP_CLASSES] = {"none", "1xx", "2xx",
                                                            "3xx",  "4xx", "5xx"};
    struct bondy_http_series *series = &server->series[method][class];
    const char *values[] = {bondy_method_name(method), class == 0 ? "gone" : "normal",
                            classes[class]};

    if (!series->is_known) {
        series->count = bondy_metric_series(&requests, values);
        series->duration = bondy_metric_series(&durations, values);
        series->is_known = true;
    }
    return series;
}

void bondy_http_count_request(const struct bondy_request *request)
{
    unsigned class = request->status / 100 < BONDY_HTTP_CLASSES ? request->status / 100 : 0;
    struct bondy_http_series *series =
        find_series(request->connection->server, request->method, class);

    bondy_metric_add(series->count, 1);
    bondy_metric_observe(series->duration,
                         (double)(bondy_clock_mono_ns() - request->started_ns) / 1000);
}

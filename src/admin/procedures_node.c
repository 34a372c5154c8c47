/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_node: bondy.ping, bondy.status, bondy.telemetry.metrics. */
#include "src/admin/exposition.h"
#include "src/admin/health.h"
#include "src/admin/procedures_local.h"
#include "src/base/problem.h"

static void run_ping(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, json_string("pong"), NULL);
}

static void run_status(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, bondy_health_status(call->node), NULL);
}

static void run_metrics(struct bondy_admin_call *call)
{
    struct bondy_slice format = bondy_admin_kwarg(call, "format");
    struct bondy_slice prefix = bondy_admin_kwarg(call, "prefix");
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *problem;

    if (format.len == 0 || bondy_slice_is(format, "json")) {
        bondy_admin_answer(call, bondy_exposition_json(prefix), NULL);
    } else if (bondy_slice_is(format, "prometheus")) {
        bondy_exposition_text(prefix, &text);
        bondy_admin_answer(call, bondy_json_slice(bondy_buf_slice(&text)), NULL);
        bondy_buf_fini(&text);
    } else {
        problem = bondy_problem("bondy.error.invalid_value",
                                "'format' is \"json\" or \"prometheus\".", "");
        json_object_set_new(problem, "key", json_string("format"));
        bondy_admin_refuse(call, problem);
    }
}

const struct bondy_procedure_row bondy_procedures_node[] = {
    {.info = {"bondy.ping", NULL, 0, 0, 'A', "", "answers \"pong\": a heartbeat for clients", "0.1"}, .run = run_ping},
    {.info = {"bondy.status", NULL, 0, 0, 'M', "", "version, node, status, uptime and checks", "0.1"}, .run = run_status},
    {.info = {"bondy.telemetry.metrics", NULL, 0, 0, 'M',
      "format=, prefix=", "all metrics, as a list or as Prometheus text", "0.1"}, .run = run_metrics},
    {.info = {.uri = NULL}}};

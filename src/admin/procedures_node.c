/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_node: the node itself, and what there is to call. wamp-admin-api.md 2.1 and 6. */
#include <string.h>

#include "src/admin/api.h"
#include "src/admin/exposition.h"
#include "src/admin/health.h"
#include "src/admin/procedures_local.h"
#include "src/admin/openapi.h"
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
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

static void run_alarms(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, bondy_alarm_list(), NULL);
}

/* ---- what there is to call --------------------------------------------------------------------*/

/* "realm, data, dry_run=" to arguments and keyword arguments. */
static void split_args(const char *text, json_t *args, json_t *kwargs)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        struct bondy_slice word = bondy_slice_of(text, len);
        bool is_kwarg = len > 0 && text[len - 1] == '=';

        if (is_kwarg)
            word.len--;
        if (word.len > 0)
            json_array_append_new(is_kwarg ? kwargs : args, bondy_json_slice(word));
        text += len;
        text += strspn(text, ", ");
    }
}

static json_t *describe(const struct bondy_procedure_info *info, const char *name)
{
    json_t *args = json_array(), *kwargs = json_array(), *out;

    split_args(info->args, args, kwargs);
    out = json_pack("{s:s, s:o, s:o, s:s#, s:s, s:s}", "procedure", name, "args", args, "kwargs",
                    kwargs, "scope", &info->mark, 1, "help", info->help, "since", info->since);
    if (name != info->uri)
        json_object_set_new(out, "deprecated_by", json_string(info->uri));
    return out;
}

static bool describe_each(void *context, const struct bondy_procedure_info *info)
{
    json_array_append_new(context, describe(info, info->uri));
    for (const char *const *old = info->aliases; old != NULL && *old != NULL; old++)
        json_array_append_new(context, describe(info, *old));
    return true;
}

static void run_describe(struct bondy_admin_call *call)
{
    json_t *list = json_array();

    bondy_procedures_each(describe_each, list);
    bondy_admin_answer(call, list, NULL);
}

/* Made once: nothing of it changes while the program runs. */
static void run_openapi(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, json_incref(bondy_admin_openapi(call->procedures)), NULL);
}

/* ---- log --------------------------------------------------------------------------------------*/

/* For a week at most: what somebody forgets must not fill the disk. */
#define MOST_LEVEL_S 604800

/* 0 when there is none; false: it cannot be one. A number, or its text from a query. */
static bool read_duration(const struct bondy_admin_call *call, uint64_t *seconds)
{
    const json_t *given = json_object_get(call->kwargs, "duration_secs");

    *seconds = 0;
    if (given == NULL || json_is_null(given))
        return true;
    *seconds = bondy_admin_read_id(given);
    return *seconds > 0 && *seconds <= MOST_LEVEL_S;
}

static void run_log_level(struct bondy_admin_call *call)
{
    struct bondy_slice text = bondy_admin_text(call, 0);
    char *word = bondy_memdup0(text.data, text.len);
    enum bondy_log_level level;
    uint64_t seconds;
    struct bondy_error err;
    int rc = bondy_log_level_parse(word, &level, &err);

    bondy_free(word);
    if (rc < 0) {
        bondy_admin_refuse(call, bondy_admin_invalid("level", "This is no level of the log."));
        return;
    }
    if (!read_duration(call, &seconds)) {
        bondy_admin_refuse(call, bondy_admin_invalid("duration_secs",
                                                     "A whole number from 1 to 604800 (a week) is "
                                                     "expected."));
        return;
    }
    if (call->node->set_log_level != NULL)
        call->node->set_log_level(call->node->context, level, seconds * 1000);
    bondy_admin_audit(call, NULL);
    bondy_admin_answer_nothing(call);
}

static const struct bondy_admin_kind logs = {.noun = "log"};

const struct bondy_procedure_row bondy_procedures_node[] = {
    {.info = {"bondy.ping", NULL, 0, 0, 'A', "", "answers \"pong\": a heartbeat for clients",
              "0.1"},
     .run = run_ping},
    {.info = {"bondy.status", NULL, 0, 0, 'M', "", "version, node, status, uptime and checks",
              "0.1"},
     .run = run_status},
    {.info = {"bondy.telemetry.metrics", NULL, 0, 0, 'M',
              "format=, prefix=", "all metrics, as a list or as Prometheus text", "0.1"},
     .run = run_metrics},
    {.info = {"bondy.alarm.list", NULL, 0, 0, 'M', "",
              "what is wrong with the node now: alarms that are set, the oldest first", "0.1"},
     .run = run_alarms},
    {.info = {"bondy.log.level.set", NULL, 1, 1, 'M', "level, duration_secs=",
              "the least level that is logged, for some seconds or until the next start or reload",
              "0.1"},
     .kind = &logs,
     .run = run_log_level},
    {.info = {"bondy.api.describe", NULL, 0, 0, 'A', "",
              "all procedures with their arguments, old names too", "0.1"},
     .run = run_describe},
    {.info = {"bondy.api.openapi", NULL, 0, 0, 'M', "",
              "the admin REST API as an OpenAPI 3.1 document", "0.1"},
     .run = run_openapi},
    {.info = {.uri = NULL}}};

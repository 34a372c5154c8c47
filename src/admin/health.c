/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/health.h"

#include <sodium.h>
#include <string.h>

#include "src/admin/exposition.h"
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/http/negotiate.h"
#include "src/http/response.h"
#include "src/security/login/auth.h"

typedef void answer_fn(const struct bondy_admin_node *node, struct bondy_request *request);

static const char *check_text(bool ok)
{
    return ok ? "ok" : "failed";
}

/* Only what exists is checked: there is no cluster in the list before there is one. */
static json_t *checks(const struct bondy_admin_node *node)
{
    bool listeners = node->listeners_ok == NULL || node->listeners_ok(node->context);

    return json_pack("{s:s, s:s}", "store", check_text(bondy_store_is_healthy(node->store)),
                     "listeners", check_text(listeners));
}

static bool is_ready(const struct bondy_admin_node *node)
{
    if (strcmp(node->status(node->context), "ready") != 0)
        return false;
    return node->ready_requires_all == NULL || !node->ready_requires_all(node->context) ||
           !bondy_alarm_is_degraded();
}

json_t *bondy_health_status(const struct bondy_admin_node *node)
{
    uint64_t uptime_ms = bondy_clock_mono_ms() - node->started_mono_ms;
    char key[2 * BONDY_ROUTER_KEY_LEN + 1];
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:b, s:I, s:o}", "version", node->version, "node", node->name,
                  "status", node->status(node->context), "degraded", bondy_alarm_is_degraded(),
                  "uptime_ms", (json_int_t)uptime_ms, "checks", checks(node));

    if (node->router_key != NULL) {
        sodium_bin2hex(key, sizeof key, node->router_key, BONDY_ROUTER_KEY_LEN);
        json_object_set_new(status, "router_pubkey", json_string(key));
    }
    return status;
}

static void send_json(struct bondy_request *request, unsigned status, json_t *body)
{
    struct bondy_response *response = bondy_response_create(status);
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(body, &text);
    bondy_response_body(response, &text, "application/json; charset=utf-8");
    bondy_response_header(response, "cache-control", BONDY_SLICE("no-store"), NULL);
    json_decref(body);
    bondy_response_send(request, response);
}

static void answer_alive(const struct bondy_admin_node *node, struct bondy_request *request)
{
    (void)node;
    bondy_response_empty(request, 204);
}

/* Whether the query has this key, alone or with any value but "false". */
static bool query_says(struct bondy_slice query, const char *key)
{
    while (query.len > 0) {
        const char *end = memchr(query.data, '&', query.len);
        size_t len = end == NULL ? query.len : (size_t)(end - query.data);
        struct bondy_slice pair = bondy_slice_of(query.data, len);
        struct bondy_slice rest = bondy_slice_skip(pair, strlen(key));

        if (bondy_slice_starts(pair, bondy_slice_text(key)) &&
            (rest.len == 0 || (rest.data[0] == '=' && !bondy_slice_is(rest, "=false"))))
            return true;
        query = bondy_slice_skip(query, len + 1);
    }
    return false;
}

static void answer_ready(const struct bondy_admin_node *node, struct bondy_request *request)
{
    unsigned status = is_ready(node) ? 204 : 503;

    if (!bondy_accept_names(bondy_request_header(request, "accept"), "application/json") &&
        !query_says(bondy_request_query(request), "verbose")) {
        bondy_response_empty(request, status);
        return;
    }
    send_json(request, status == 204 ? 200 : 503,
              json_pack("{s:s, s:b, s:o}", "status", node->status(node->context), "degraded",
                        bondy_alarm_is_degraded(), "checks", checks(node)));
}

static void answer_status(const struct bondy_admin_node *node, struct bondy_request *request)
{
    send_json(request, 200, bondy_health_status(node));
}

static void answer_metrics(const struct bondy_admin_node *node, struct bondy_request *request)
{
    struct bondy_response *response = bondy_response_create(200);
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)node;
    bondy_exposition_text(BONDY_SLICE_EMPTY, &text);
    bondy_response_body(response, &text, BONDY_EXPOSITION_TYPE);
    bondy_response_send(request, response);
}

static const struct row {
    const char *path;
    answer_fn *answer;
    bool any_method;
    bool is_probe;
} rows[] = {
    {"/ping", answer_alive, true, true},
    {"/livez", answer_alive, true, true},
    {"/ready", answer_ready, false, true},
    {"/readyz", answer_ready, false, true},
    {"/status", answer_status, false, false},
    {"/metrics", answer_metrics, false, false},
    {"/metrics/default", answer_metrics, false, false},
};

static const struct row *find_row(struct bondy_slice path)
{
    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++)
        if (bondy_slice_is(path, rows[i].path))
            return &rows[i];
    return NULL;
}

bool bondy_health_is_probe(struct bondy_slice path)
{
    const struct row *row = find_row(path);

    return row != NULL && row->is_probe;
}

static void refuse_method(struct bondy_request *request)
{
    struct bondy_response *response =
        bondy_response_create(bondy_request_method(request) == BONDY_METHOD_OPTIONS ? 204 : 405);

    bondy_response_header(response, "allow", BONDY_SLICE("GET, HEAD, OPTIONS"), NULL);
    bondy_response_send(request, response);
}

bool bondy_health_answer(const struct bondy_admin_node *node, struct bondy_request *request)
{
    const struct row *row = find_row(bondy_request_path(request));
    enum bondy_method method = bondy_request_method(request);

    if (row == NULL)
        return false;
    if (row->any_method || method == BONDY_METHOD_GET || method == BONDY_METHOD_HEAD)
        row->answer(node, request);
    else
        refuse_method(request);
    return true;
}

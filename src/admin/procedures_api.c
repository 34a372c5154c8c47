/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_api: bondy.http_gateway.api.*. wamp-admin-api.md 2.9; http-gateway.md 8.1. */
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

static json_t *no_such_api(struct bondy_slice id)
{
    json_t *problem =
        bondy_problem_format(BONDY_ERR_NOT_FOUND, BONDY_SLICE_FMT, BONDY_SLICE_ARG(id));

    json_object_set_new(problem, "description", json_string("There is no such API specification."));
    return problem;
}

/* ---- reading ----------------------------------------------------------------------------------*/

static void run_list(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, bondy_catalog_list(call->node->catalog), NULL);
}

static void run_get(struct bondy_admin_call *call)
{
    struct bondy_slice id = bondy_admin_text(call, 0);
    json_t *entry = bondy_catalog_get(call->node->catalog, id);

    if (entry == NULL)
        bondy_admin_refuse(call, no_such_api(id));
    else
        bondy_admin_answer(call, entry,
                           bondy_admin_etag(json_string_value(json_object_get(entry, "etag"))));
}

static void run_routes(struct bondy_admin_call *call)
{
    struct bondy_slice id = bondy_admin_text(call, 0);
    json_t *routes = bondy_catalog_routes(call->node->catalog, id);

    if (routes == NULL)
        bondy_admin_refuse(call, no_such_api(id));
    else
        bondy_admin_answer(call, routes, NULL);
}

/* ---- writing ----------------------------------------------------------------------------------*/

static char *text_or_null(struct bondy_slice text)
{
    return text.len == 0 ? NULL : bondy_memdup0(text.data, text.len);
}

/* The answer to a refused request; true when it was one. */
static bool was_refused(struct bondy_catalog_request *request, struct bondy_admin_call *call)
{
    if (request->rc == BONDY_OK)
        return false;
    bondy_admin_refuse(call, BONDY_MOVE(request->problem));
    bondy_catalog_request_destroy(request);
    return true;
}

/* An entry of the audit log and an event for each document that changed. */
static void tell(struct bondy_admin_call *call, const char *id, const char *topic)
{
    bondy_free(call->target);
    call->target = bondy_memdup0(id, strlen(id));
    bondy_admin_audit(call, NULL);
    bondy_admin_publish(call, BONDY_SLICE(BONDY_MASTER_REALM), topic, json_pack("[s]", id));
}

static void tell_loaded(struct bondy_admin_call *call, const json_t *result)
{
    const char *id = json_string_value(json_object_get(result, "id"));

    if (call->is_dry_run)
        return;
    if (id != NULL)
        tell(call, id, "bondy.http_gateway.api.loaded");
    for (size_t i = 0; i < json_array_size(result); i++)
        tell_loaded(call, json_array_get(result, i));
}

/* No positional result (2.9); what REST shows is in kwargs: {result, created}. */
static void loaded(struct bondy_catalog_request *request)
{
    struct bondy_admin_call *call = request->context;

    if (was_refused(request, call))
        return;
    tell_loaded(call, request->result);
    bondy_admin_answer(
        call, NULL,
        json_pack("{s:O, s:b}", "result", request->result, "created", request->has_created));
    bondy_catalog_request_destroy(request);
}

static void checked(struct bondy_catalog_request *request)
{
    struct bondy_admin_call *call = request->context;

    if (was_refused(request, call))
        return;
    bondy_admin_answer(call, json_incref(request->result), NULL);
    bondy_catalog_request_destroy(request);
}

static void deleted(struct bondy_catalog_request *request)
{
    struct bondy_admin_call *call = request->context;

    if (was_refused(request, call))
        return;
    tell(call, request->id, "bondy.http_gateway.api.deleted");
    bondy_admin_answer_nothing(call);
    bondy_catalog_request_destroy(request);
}

static struct bondy_catalog_request *make_request(struct bondy_admin_call *call,
                                                  void (*done)(struct bondy_catalog_request *))
{
    struct bondy_catalog_request *request = bondy_catalog_request_create(call->node->catalog);

    request->if_match = text_or_null(bondy_admin_kwarg(call, "if_version"));
    request->done = done;
    request->context = call;
    return request;
}

static void submit_load(struct bondy_admin_call *call, bool is_dry_run,
                        void (*done)(struct bondy_catalog_request *))
{
    struct bondy_catalog_request *request = make_request(call, done);

    /* A copy of its own: the control thread reads it. */
    request->body = json_deep_copy(json_array_get(call->args, 0));
    request->id = text_or_null(bondy_admin_kwarg(call, "id"));
    request->is_dry_run = is_dry_run;
    bondy_catalog_load(request, call->node->store, bondy_loop_current());
}

static void run_load(struct bondy_admin_call *call)
{
    call->is_dry_run = bondy_admin_flag(call, "dry_run");
    submit_load(call, call->is_dry_run, loaded);
}

static void run_check(struct bondy_admin_call *call)
{
    submit_load(call, true, checked);
}

static void run_delete(struct bondy_admin_call *call)
{
    struct bondy_slice id = bondy_admin_text(call, 0);
    struct bondy_catalog_request *request;

    if (id.len == 0) {
        bondy_admin_refuse(call, no_such_api(id));
        return;
    }
    request = make_request(call, deleted);
    request->id = bondy_memdup0(id.data, id.len);
    bondy_catalog_delete(request, call->node->store, bondy_loop_current());
}

static const struct bondy_admin_kind apis = {.noun = "api_specs", .name_key = "id"};

static const char *const old_load[] = {"bondy.api_gateway.load", "bondy.http_gateway.api.add",
                                       NULL};
static const char *const old_list[] = {"bondy.api_gateway.list", NULL};
static const char *const old_get[] = {"bondy.api_gateway.lookup", NULL};
static const char *const also_check[] = {"bondy.http_gateway.api.validate", NULL};

const struct bondy_procedure_row bondy_procedures_api[] = {
    {.info = {"bondy.http_gateway.api.load", old_load, 1, 1, 'M',
              "spec, id=, if_version=, dry_run=",
              "loads an API specification, or all of a list or none", "0.1"},
     .kind = &apis,
     .run = run_load},
    {.info = {"bondy.http_gateway.api.list", old_list, 0, 0, 'M', "", "all API specifications",
              "0.1"},
     .run = run_list},
    {.info = {"bondy.http_gateway.api.get", old_get, 1, 1, 'M', "id", "one API specification",
              "0.1"},
     .run = run_get},
    {.info = {"bondy.http_gateway.api.delete", NULL, 1, 1, 'M',
              "id, if_version=", "deletes an API specification and its routes", "0.1"},
     .kind = &apis,
     .run = run_delete},
    {.info = {"bondy.http_gateway.api.check", also_check, 1, 1, 'M', "spec",
              "checks without loading: routes and warnings", "0.1"},
     .run = run_check},
    {.info = {"bondy.http_gateway.api.routes", NULL, 1, 1, 'M', "id", "the routes it brings",
              "0.1"},
     .run = run_routes},
    {.info = {.uri = NULL}}};

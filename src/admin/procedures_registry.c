/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_registry: bondy.registration.*, bondy.subscription.*: what the sessions of a realm
 * have registered and subscribed to. wamp-admin-api.md 2.14; admin-http-api.md 5.7. */
#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/router/sessions.h"
#include "src/wamp/errors.h"

#define LIST_MAX 100000

static void ask(struct bondy_admin_call *call, struct bondy_session_query *query,
                void (*answer)(void *context, size_t count, json_t *list))
{
    query->realm = bondy_slice_text(call->realm->uri);
    query->with_local = true;
    query->limit = LIST_MAX;
    query->answer = answer;
    query->context = call;
    bondy_sessions_query(bondy_invocation_thread(call->invocation), query);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Only those with this policy, when one was asked for. */
static void keep_policy(json_t *list, struct bondy_slice policy)
{
    size_t i = 0;

    while (policy.len > 0 && i < json_array_size(list)) {
        struct bondy_slice own = bondy_json_text(json_array_get(list, i), "match_policy");

        if (bondy_slice_eq(own, policy))
            i++;
        else
            json_array_remove(list, i);
    }
}

static void listed(void *context, size_t count, json_t *list)
{
    static const char *const keys[] = {"uri", "match_policy", "session_id", NULL};
    struct bondy_admin_call *call = context;

    (void)count;
    keep_policy(list, bondy_admin_kwarg(call, "match"));
    bondy_admin_list_finish(call, list, keys);
    bondy_admin_answer(call, BONDY_MOVE(call->value), BONDY_MOVE(call->extra));
}

static void run_registrations(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_REGISTRATIONS,
                                        .uri = bondy_admin_kwarg(call, "uri")};

    ask(call, &query, listed);
}

static void run_subscriptions(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_SUBSCRIPTIONS,
                                        .uri = bondy_admin_kwarg(call, "uri")};

    ask(call, &query, listed);
}

/* ---- callees --------------------------------------------------------------------------------- */

/* Each session once, whatever it has registered. Takes the list; the caller owns the result. */
static json_t *callees_of(json_t *list)
{
    json_t *callees = json_array(), *seen = json_object(), *entry;
    size_t index;

    json_array_foreach(list, index, entry)
    {
        const char *ref = json_string_value(json_object_get(entry, "ref"));

        if (json_object_get(seen, ref) != NULL)
            continue;
        json_object_set_new(seen, ref, json_true());
        json_array_append_new(callees,
                              json_pack("{s:O, s:O, s:O}", "node", json_object_get(entry, "node"),
                                        "session_id", json_object_get(entry, "session_id"),
                                        "authid", json_object_get(entry, "authid")));
    }
    json_decref(seen);
    json_decref(list);
    return callees;
}

static void callees_listed(void *context, size_t count, json_t *list)
{
    static const char *const keys[] = {"session_id", NULL};
    struct bondy_admin_call *call = context;

    (void)count;
    bondy_admin_list_finish(call, callees_of(list), keys);
    bondy_admin_answer(call, BONDY_MOVE(call->value), BONDY_MOVE(call->extra));
}

static void run_callees(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_REGISTRATIONS,
                                        .uri = bondy_admin_text(call, 1)};

    const json_t *session = json_object_get(call->kwargs, "session");

    if (query.uri.len == 0)
        query.uri = bondy_admin_kwarg(call, "uri");
    if (session != NULL && !json_is_null(session) &&
        (query.session = bondy_admin_read_id(session)) == 0)
        bondy_admin_refuse(call, bondy_admin_invalid("session", "A session is its id."));
    else
        ask(call, &query, callees_listed);
}

static void callee_found(void *context, size_t count, json_t *list)
{
    struct bondy_admin_call *call = context;
    json_t *callees = callees_of(list), *one = json_incref(json_array_get(callees, 0));

    (void)count;
    json_decref(callees);
    if (one != NULL)
        bondy_admin_answer(call, one, NULL);
    else
        bondy_admin_refuse(call,
                           bondy_problem(BONDY_ERR_NOT_FOUND,
                                         "No session of this id has registered anything.", ""));
}

static void run_callee(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_REGISTRATIONS};

    query.session = bondy_admin_read_id(json_array_get(call->args, 1));
    if (query.session == 0)
        bondy_admin_refuse(call, bondy_admin_invalid("session", "A session is its id."));
    else
        ask(call, &query, callee_found);
}

static const char *const old_list[] = {"bondy.registry.list", NULL};
static const char *const old_callee[] = {"bondy.callee.get", NULL};
static const char *const old_callees[] = {"bondy.callee.list", NULL};

const struct bondy_procedure_row bondy_procedures_registry[] = {
    {.info = {"bondy.registration.list", old_list, 1, 1, 'R',
              "realm, uri=, match=, limit=, cursor=, q=, fields=, sort=",
              "what sessions have registered, one entry for each session", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .run = run_registrations},
    {.info = {"bondy.registration.callee.list", old_callees, 1, 2, 'R',
              "realm, procedure?, uri=, session=, limit=, cursor=, fields=, sort=",
              "the sessions that have registered something, or a procedure", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .run = run_callees},
    {.info = {"bondy.registration.callee.get", old_callee, 2, 2, 'R', "realm, session",
              "a session that has registered something", "0.1"},
     .flags = BONDY_ROW_REALM,
     .run = run_callee},
    {.info = {"bondy.subscription.list", NULL, 1, 1, 'R',
              "realm, uri=, match=, limit=, cursor=, q=, fields=, sort=",
              "what sessions have subscribed to, one entry for each session", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .run = run_subscriptions},
    {.info = {.uri = NULL}}};

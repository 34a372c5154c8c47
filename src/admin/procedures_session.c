/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_session: bondy.session.*, and what else looks at or ends sessions.
 * wamp-admin-api.md 2.1 and 6; admin-http-api.md 8 "Sessions". */
#include <string.h>

#include "src/admin/procedures_realm.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/router/sessions.h"
#include "src/wamp/errors.h"
#include "src/wamp/uri.h"

#define LIST_MAX 100000
#define KILLED "wamp.close.killed"

/* ---- asking -----------------------------------------------------------------------------------*/

static void ask(struct bondy_admin_call *call, struct bondy_session_query *query,
                void (*answer)(void *context, size_t count, json_t *list))
{
    query->realm = bondy_slice_text(call->realm->uri);
    query->answer = answer;
    query->context = call;
    bondy_sessions_query(bondy_invocation_thread(call->invocation), query);
}

/* Admin views say which node it is. */
static void add_node(const struct bondy_admin_call *call, json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        json_object_set_new(json_array_get(list, i), "node", json_string(call->node->name));
}

static void listed(void *context, size_t count, json_t *list)
{
    static const char *const keys[] = {"session", NULL};
    struct bondy_admin_call *call = context;

    (void)count;
    add_node(call, list);
    bondy_admin_list_finish(call, list, keys);
    bondy_admin_answer(call, BONDY_MOVE(call->value), BONDY_MOVE(call->extra));
}

static void run_list(struct bondy_admin_call *call)
{
    struct bondy_slice node = bondy_admin_kwarg(call, "node");
    struct bondy_session_query query = {.authid = bondy_admin_kwarg(call, "authid"),
                                        .authrole = bondy_admin_kwarg(call, "authrole"),
                                        .limit = LIST_MAX};

    if (node.len > 0 && !bondy_slice_is(node, call->node->name))
        listed(call, 0, json_array());
    else
        ask(call, &query, listed);
}

static void run_of_user(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.authid = bondy_admin_text(call, 1), .limit = LIST_MAX};

    ask(call, &query, listed);
}

static uint64_t session_id(const struct bondy_admin_call *call)
{
    return bondy_admin_read_id(json_array_get(call->args, 1));
}

static json_t *no_such_session(void)
{
    return bondy_problem(BONDY_ERR_NO_SUCH_SESSION, "There is no such session.", "");
}

static void got(void *context, size_t count, json_t *list)
{
    struct bondy_admin_call *call = context;

    (void)count;
    add_node(call, list);
    if (json_array_size(list) == 0)
        bondy_admin_refuse(call, no_such_session());
    else
        bondy_admin_answer(call, json_incref(json_array_get(list, 0)), NULL);
    json_decref(list);
}

static void run_get(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.session = session_id(call), .limit = 1};

    if (query.session == 0)
        bondy_admin_refuse(call, no_such_session());
    else
        ask(call, &query, got);
}

static void run_self(struct bondy_admin_call *call)
{
    json_t *info = bondy_invocation_session_info(call->invocation);

    if (info == NULL)
        bondy_admin_refuse(call,
                           bondy_problem(BONDY_ERR_NOT_FOUND, "There is no session any more.", ""));
    else
        bondy_admin_answer(call, info, NULL);
}

/* ---- ending -----------------------------------------------------------------------------------*/

static bool read_reason(struct bondy_admin_call *call, size_t index, char **out)
{
    struct bondy_slice reason = bondy_admin_text(call, index);

    if (reason.len == 0)
        reason = bondy_admin_kwarg(call, "reason");
    if (reason.len == 0)
        reason = BONDY_SLICE(KILLED);
    *out = NULL;
    if (!bondy_uri_is_valid(reason, BONDY_MATCH_EXACT, BONDY_URI_LOOSE))
        return false;
    *out = bondy_memdup0(reason.data, reason.len);
    return true;
}

static void ended_one(void *context, size_t count, json_t *list)
{
    struct bondy_admin_call *call = context;

    json_decref(list);
    if (count == 0) {
        bondy_admin_refuse(call, no_such_session());
        return;
    }
    bondy_admin_audit(call, NULL);
    bondy_admin_answer_nothing(call);
}

static void ended_some(void *context, size_t count, json_t *list)
{
    struct bondy_admin_call *call = context;

    json_decref(list);
    bondy_admin_audit(call, NULL);
    bondy_admin_answer(call, json_integer((json_int_t)count), NULL);
}

static void end(struct bondy_admin_call *call, struct bondy_session_query *query,
                size_t reason_index, void (*answer)(void *context, size_t count, json_t *list))
{
    struct bondy_slice message = bondy_admin_kwarg(call, "message");
    char *reason, *text = message.len == 0 ? NULL : bondy_memdup0(message.data, message.len);

    if (read_reason(call, reason_index, &reason)) {
        query->reason = reason;
        query->message = text;
        query->but = bondy_invocation_session(call->invocation);
        ask(call, query, answer);
    } else {
        bondy_admin_refuse(call, bondy_admin_invalid("reason", "The reason is a URI."));
    }
    bondy_free(reason);
    bondy_free(text);
}

static void run_close(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.session = session_id(call)};

    if (query.session == 0)
        bondy_admin_refuse(call, no_such_session());
    else
        end(call, &query, 2, ended_one);
}

/* Somebody has to be meant: all of a realm are closed by bondy.realm.close_sessions. */
static void run_close_many(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.authid = bondy_admin_kwarg(call, "authid"),
                                        .authrole = bondy_admin_kwarg(call, "authrole")};

    if (query.authid.len == 0 && query.authrole.len == 0)
        bondy_admin_refuse(call, bondy_json_with(bondy_problem("bondy.error.missing_required_value",
                                                               "Missing required value.",
                                                               "authid or authrole is required."),
                                                 "key", json_string("authid")));
    else
        end(call, &query, 1, ended_some);
}

static void run_close_realm(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {0};

    end(call, &query, 1, ended_some);
}

/* ---- answers of authorizers -------------------------------------------------------------------*/

static void purged(void *context, size_t count, json_t *list)
{
    struct bondy_admin_call *call = context;

    (void)count;
    json_decref(list);
    bondy_admin_audit(call, NULL);
    bondy_admin_answer_nothing(call);
}

static void run_purge(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {
        .authid = bondy_admin_text(call, 1), .with_local = true, .forgets = true};

    ask(call, &query, purged);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const struct bondy_admin_kind sessions = {.noun = "sessions"};
static const struct bondy_admin_kind authorizers = {.noun = "authorizer"};

const struct bondy_procedure_row bondy_procedures_session[] = {
    {.info = {"bondy.session.self", NULL, 0, 0, 'A', "", "what WELCOME told about this session",
              "0.1"},
     .run = run_self},
    {.info = {"bondy.session.list", NULL, 1, 1, 'R',
              "realm, authid=, authrole=, node=, limit=, cursor=, fields=, sort=",
              "the sessions of a realm", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .run = run_list},
    {.info = {"bondy.session.get", NULL, 2, 2, 'R', "realm, session", "one session", "0.1"},
     .flags = BONDY_ROW_REALM,
     .run = run_get},
    {.info = {"bondy.session.close", NULL, 2, 3, 'R',
              "realm, session, reason?, reason=, message=", "ends a session", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &sessions,
     .run = run_close},
    {.info = {"bondy.session.close_many", NULL, 1, 1, 'R',
              "realm, authid=, authrole=, reason=, message=",
              "ends all other sessions of a user or a role, and says how many", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &sessions,
     .run = run_close_many},
    {.info = {"bondy.realm.close_sessions", NULL, 1, 2, 'M', "uri, reason?, reason=, message=",
              "ends all sessions of a realm but one's own, and says how many", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_IS_TARGET,
     .kind = &bondy_admin_realms,
     .run = run_close_realm},
    {.info = {"bondy.rbac.cache.purge", NULL, 1, 2, 'R', "realm, authid?",
              "what the realm's authorizer answered is asked again, about all or one user", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &authorizers,
     .run = run_purge},
    {.info = {"bondy.user.sessions", NULL, 2, 2, 'R',
              "realm, username, limit=, cursor=, fields=, sort=", "the sessions of a user", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .run = run_of_user},
    {.info = {.uri = NULL}}};

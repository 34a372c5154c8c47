/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_meta_session: wamp.session.*: the standard's view of the sessions of a realm.
 * WAMP, Session Meta API; wamp.md META-SESS, META-KILL; wamp-admin-api.md 3. */
#include <stdio.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/router/sessions.h"
#include "src/wamp/errors.h"
#include "src/wamp/uri.h"

#define LIST_MAX 100000
#define KILLED "wamp.close.killed"

typedef void (*answer_fn)(void *context, size_t count, json_t *list);

static void ask(struct bondy_admin_call *call, struct bondy_session_query *query, answer_fn answer)
{
    query->realm = bondy_slice_text(call->realm->uri);
    query->answer = answer;
    query->context = call;
    bondy_sessions_query(bondy_invocation_thread(call->invocation), query);
}

static void answer_ids(void *context, size_t count, json_t *list)
{
    (void)count;
    bondy_admin_answer(context, list, NULL);
}

static void answer_count(void *context, size_t count, json_t *list)
{
    json_decref(list);
    bondy_admin_answer(context, json_integer((json_int_t)count), NULL);
}

static void refuse_unknown(struct bondy_admin_call *call)
{
    bondy_admin_refuse(call,
                       bondy_problem(BONDY_ERR_NO_SUCH_SESSION, "There is no such session.", ""));
}

/* ---- looking --------------------------------------------------------------------------------- */

static bool is_list_of_texts(const json_t *list)
{
    const json_t *one;
    size_t index;

    json_array_foreach(list, index, one)
    {
        if (!json_is_string(one))
            return false;
    }
    return json_is_array(list);
}

/* authroles, when there are any. False: they are something else, and the call was refused. */
static bool take_roles(struct bondy_admin_call *call, struct bondy_session_query *query)
{
    const json_t *roles = json_array_get(call->args, 1);

    if (roles == NULL || json_is_null(roles))
        return true;
    if (!is_list_of_texts(roles)) {
        bondy_admin_wrong_argument(call, "authroles", "authroles are a list of names.");
        return false;
    }
    query->authroles = roles;
    return true;
}

static void run_count(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_SESSION_IDS};

    if (take_roles(call, &query))
        ask(call, &query, answer_count);
}

static void run_list(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_SESSION_IDS, .limit = LIST_MAX};

    if (take_roles(call, &query))
        ask(call, &query, answer_ids);
}

/* What everybody with a grant learns about others: neither their addresses nor what their logins
 * brought along (threat-model.md Z4); administrators have bondy.session.get. */
static json_t *shown(const json_t *info)
{
    static const char *const keys[] = {"session", "authid", "authrole", "authmethod",
                                       "authprovider"};
    const json_t *type = json_object_get(json_object_get(info, "transport"), "type");
    json_t *out = json_object();

    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        json_object_set(out, keys[i], json_object_get(info, keys[i]));
    json_object_set_new(out, "transport", json_pack("{s:O}", "type", type));
    return out;
}

static void got(void *context, size_t count, json_t *list)
{
    if (count == 0)
        refuse_unknown(context);
    else
        bondy_admin_answer(context, shown(json_array_get(list, 0)), NULL);
    json_decref(list);
}

static void run_get(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.limit = 1};

    if (!bondy_admin_id(call, 1, &query.session))
        return;
    if (query.session == 0)
        refuse_unknown(call);
    else
        ask(call, &query, got);
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* Nothing is ended when the reason is no URI. */
static bool has_good_reason(struct bondy_admin_call *call)
{
    const json_t *reason = json_object_get(call->kwargs, "reason");
    const json_t *message = json_object_get(call->kwargs, "message");

    if (reason != NULL && !json_is_null(reason) &&
        !bondy_uri_is_valid(bondy_admin_kwarg(call, "reason"), BONDY_MATCH_EXACT,
                            BONDY_URI_LOOSE)) {
        bondy_admin_refuse(
            call, bondy_json_with(bondy_problem(BONDY_ERR_INVALID_URI, "The reason is a URI.", ""),
                                  "key", json_string("reason")));
        return false;
    }
    if (message != NULL && !json_is_null(message) && !json_is_string(message)) {
        bondy_admin_wrong_argument(call, "message", "The message is a text.");
        return false;
    }
    return true;
}

static void end(struct bondy_admin_call *call, struct bondy_session_query *query, answer_fn answer)
{
    const char *reason = json_string_value(json_object_get(call->kwargs, "reason"));

    if (!has_good_reason(call))
        return;
    query->reason = reason == NULL ? KILLED : reason;
    query->message = json_string_value(json_object_get(call->kwargs, "message"));
    query->but = bondy_invocation_session(call->invocation);
    ask(call, query, answer);
}

static void ended_one(void *context, size_t count, json_t *list)
{
    struct bondy_admin_call *call = context;

    json_decref(list);
    if (count == 0) {
        refuse_unknown(call);
        return;
    }
    bondy_admin_audit(call, NULL);
    bondy_admin_answer_nothing(call);
}

static void ended_ids(void *context, size_t count, json_t *list)
{
    bondy_admin_audit(context, NULL);
    answer_ids(context, count, list);
}

static void ended_count(void *context, size_t count, json_t *list)
{
    bondy_admin_audit(context, NULL);
    answer_count(context, count, list);
}

/* What the audit log names; takes the text. */
static void set_target(struct bondy_admin_call *call, struct bondy_slice text)
{
    call->target = bondy_memdup0(text.data, text.len);
}

static void run_kill(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.session = 0};
    char text[24];

    if (!bondy_admin_id(call, 1, &query.session))
        return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)query.session);
    set_target(call, bondy_slice_text(text));
    if (query.session == 0)
        refuse_unknown(call);
    else
        end(call, &query, ended_one);
}

/* The name of a user or a role. False: it is none, and the call was refused. */
static bool take_name(struct bondy_admin_call *call, const char *key)
{
    if (bondy_admin_text(call, 1).len == 0) {
        bondy_admin_wrong_argument(call, key, "A name is expected.");
        return false;
    }
    set_target(call, bondy_admin_text(call, 1));
    return true;
}

static void run_kill_by_authid(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {
        .view = BONDY_VIEW_SESSION_IDS, .authid = bondy_admin_text(call, 1), .limit = LIST_MAX};

    if (take_name(call, "authid"))
        end(call, &query, ended_ids);
}

static void run_kill_by_authrole(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_SESSION_IDS};
    json_t *roles = json_pack("[O]", json_array_get(call->args, 1));

    query.authroles = roles;
    if (take_name(call, "authrole"))
        end(call, &query, ended_count);
    json_decref(roles);
}

static void run_kill_all(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.view = BONDY_VIEW_SESSION_IDS};

    end(call, &query, ended_count);
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define META (BONDY_ROW_REALM | BONDY_ROW_META)

static const struct bondy_admin_kind sessions = {.noun = "sessions"};

const struct bondy_procedure_row bondy_procedures_meta_session[] = {
    {.info = {"wamp.session.count", NULL, 1, 2, 'R', "realm, authroles?",
              "how many sessions there are, or of these roles", "0.1"},
     .flags = META,
     .run = run_count},
    {.info = {"wamp.session.list", NULL, 1, 2, 'R', "realm, authroles?",
              "the ids of the sessions, or of those of these roles", "0.1"},
     .flags = META,
     .run = run_list},
    {.info = {"wamp.session.get", NULL, 2, 2, 'R', "realm, session",
              "one session: session, authid, authrole, authmethod, authprovider, transport.type",
              "0.1"},
     .flags = META,
     .run = run_get},
    {.info = {"wamp.session.kill", NULL, 2, 2, 'R',
              "realm, session, reason=, message=", "ends another session", "0.1"},
     .flags = META,
     .kind = &sessions,
     .run = run_kill},
    {.info = {"wamp.session.kill_by_authid", NULL, 2, 2, 'R', "realm, authid, reason=, message=",
              "ends all other sessions of a user; their ids", "0.1"},
     .flags = META,
     .kind = &sessions,
     .run = run_kill_by_authid},
    {.info = {"wamp.session.kill_by_authrole", NULL, 2, 2, 'R',
              "realm, authrole, reason=, message=", "ends all other sessions of a role; how many",
              "0.1"},
     .flags = META,
     .kind = &sessions,
     .run = run_kill_by_authrole},
    {.info = {"wamp.session.kill_all", NULL, 1, 1, 'R',
              "realm, reason=, message=", "ends all sessions but one's own; how many", "0.1"},
     .flags = META,
     .kind = &sessions,
     .run = run_kill_all},
    {.info = {.uri = NULL}}};

/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_meta: wamp.registration.*, wamp.subscription.*: the standard's view of what is there.
 * WAMP, Registration Meta API and Subscription Meta API; wamp-admin-api.md 3. */
#include "src/admin/procedures_local.h"
#include "src/base/problem.h"
#include "src/router/meta.h"
#include "src/router/sessions.h"
#include "src/wamp/errors.h"

#define LIST_MAX 100000

/* The rows of both kinds are the same but for their names. */
static struct bondy_meta meta_of(const struct bondy_admin_call *call)
{
    struct bondy_slice name = bondy_slice_text(call->row->info.uri);

    return (struct bondy_meta){bondy_invocation_thread(call->invocation), call->realm,
                               bondy_slice_starts(name, BONDY_SLICE("wamp.registration."))
                                   ? BONDY_REGISTRATIONS
                                   : BONDY_SUBSCRIPTIONS};
}

static void refuse_unknown(struct bondy_admin_call *call)
{
    if (meta_of(call).kind == BONDY_REGISTRATIONS)
        bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NO_SUCH_REGISTRATION,
                                               "There is no such registration.", ""));
    else
        bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NO_SUCH_SUBSCRIPTION,
                                               "There is no such subscription.", ""));
}

/* Takes the value; NULL: what was asked about is not there. */
static void answer_known(struct bondy_admin_call *call, json_t *value)
{
    if (value == NULL)
        refuse_unknown(call);
    else
        bondy_admin_answer(call, value, NULL);
}

static void answer_id(struct bondy_admin_call *call, uint64_t id)
{
    bondy_admin_answer(call, id == 0 ? json_null() : json_integer((json_int_t)id), NULL);
}

/* ---- all, or by id --------------------------------------------------------------------------- */

static void run_list(struct bondy_admin_call *call)
{
    struct bondy_meta meta = meta_of(call);

    bondy_admin_answer(call, bondy_meta_list(&meta), NULL);
}

static void run_get(struct bondy_admin_call *call)
{
    struct bondy_meta meta = meta_of(call);
    uint64_t id;

    if (bondy_admin_id(call, 1, &id))
        answer_known(call, bondy_meta_get(&meta, id));
}

static void run_count(struct bondy_admin_call *call)
{
    struct bondy_meta meta = meta_of(call);
    unsigned count;
    uint64_t id;

    if (bondy_admin_id(call, 1, &id))
        answer_known(call, bondy_meta_count(&meta, id, &count) ? json_integer(count) : NULL);
}

static void run_callees(struct bondy_admin_call *call)
{
    struct bondy_meta meta = meta_of(call);
    uint64_t id;

    if (bondy_admin_id(call, 1, &id))
        answer_known(call, bondy_meta_callees(&meta, id));
}

/* The last one may have left while the threads were asked. */
static void subscribers_listed(void *context, size_t count, json_t *list)
{
    if (count == 0) {
        json_decref(list);
        list = NULL;
    }
    answer_known(context, list);
}

/* Who has subscribed is known to the sessions' threads. */
static void run_subscribers(struct bondy_admin_call *call)
{
    struct bondy_session_query query = {.realm = bondy_slice_text(call->realm->uri),
                                        .view = BONDY_VIEW_SESSION_IDS,
                                        .with_local = true,
                                        .limit = LIST_MAX,
                                        .answer = subscribers_listed,
                                        .context = call};

    if (!bondy_admin_id(call, 1, &query.subscription))
        return;
    if (query.subscription == 0)
        refuse_unknown(call);
    else
        bondy_sessions_query(bondy_invocation_thread(call->invocation), &query);
}

/* ---- by URI ---------------------------------------------------------------------------------- */

/* A URI and options. False: they are something else, and the call was refused. */
static bool has_uri_and_options(struct bondy_admin_call *call)
{
    const json_t *options = json_array_get(call->args, 2);

    if (bondy_admin_text(call, 1).len == 0) {
        bondy_admin_wrong_argument(call, "uri", "A URI is expected.");
        return false;
    }
    if (options != NULL && !json_is_null(options) && !json_is_object(options)) {
        bondy_admin_wrong_argument(call, "options", "Options are an object.");
        return false;
    }
    return true;
}

static void run_lookup(struct bondy_admin_call *call)
{
    const json_t *given = json_object_get(json_array_get(call->args, 2), "match");
    struct bondy_meta meta = meta_of(call);
    enum bondy_match match = BONDY_MATCH_EXACT;

    if (!has_uri_and_options(call))
        return;
    if (given != NULL && (!json_is_string(given) ||
                          !bondy_match_parse(bondy_slice_text(json_string_value(given)), &match)))
        bondy_admin_wrong_argument(call, "match", "match is exact, prefix or wildcard.");
    else
        answer_id(call, bondy_meta_lookup(&meta, bondy_admin_text(call, 1), match));
}

static void answer_all(struct bondy_admin_call *call)
{
    struct bondy_meta meta = meta_of(call);
    json_t *ids = bondy_meta_match(&meta, bondy_admin_text(call, 1));

    if (json_array_size(ids) == 0) {
        json_decref(ids);
        ids = json_null();
    }
    bondy_admin_answer(call, ids, NULL);
}

static void run_match_procedure(struct bondy_admin_call *call)
{
    struct bondy_meta meta = meta_of(call);

    if (!has_uri_and_options(call))
        return;
    if (json_is_true(json_object_get(json_array_get(call->args, 2), "all")))
        answer_all(call);
    else
        answer_id(call, bondy_meta_best(&meta, bondy_admin_text(call, 1)));
}

static void run_match_topic(struct bondy_admin_call *call)
{
    if (has_uri_and_options(call))
        answer_all(call);
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define META (BONDY_ROW_REALM | BONDY_ROW_META)

static const char *const old_match[] = {"bondy.registry.match", NULL};

const struct bondy_procedure_row bondy_procedures_meta[] = {
    {.info = {"wamp.registration.list", NULL, 1, 1, 'R', "realm",
              "the ids of all registrations, by match policy", "0.1"},
     .flags = META,
     .run = run_list},
    {.info = {"wamp.registration.lookup", NULL, 2, 3, 'R', "realm, procedure, options?",
              "the id of the registration of just this URI and `match`, or null", "0.1"},
     .flags = META,
     .run = run_lookup},
    {.info = {"wamp.registration.match", old_match, 2, 3, 'R', "realm, procedure, options?",
              "the id of the registration that a call goes to, or null; with `all` those of all "
              "that match",
              "0.1"},
     .flags = META,
     .run = run_match_procedure},
    {.info = {"wamp.registration.get", NULL, 2, 2, 'R', "realm, registration",
              "one registration: id, created, uri, match, invoke", "0.1"},
     .flags = META,
     .run = run_get},
    {.info = {"wamp.registration.list_callees", NULL, 2, 2, 'R', "realm, registration",
              "the ids of the sessions that answer its calls", "0.1"},
     .flags = META,
     .run = run_callees},
    {.info = {"wamp.registration.count_callees", NULL, 2, 2, 'R', "realm, registration",
              "how many sessions answer its calls", "0.1"},
     .flags = META,
     .run = run_count},
    {.info = {"wamp.subscription.list", NULL, 1, 1, 'R', "realm",
              "the ids of all subscriptions, by match policy", "0.1"},
     .flags = META,
     .run = run_list},
    {.info = {"wamp.subscription.lookup", NULL, 2, 3, 'R', "realm, topic, options?",
              "the id of the subscription of just this URI and `match`, or null", "0.1"},
     .flags = META,
     .run = run_lookup},
    {.info = {"wamp.subscription.match", NULL, 2, 3, 'R', "realm, topic, options?",
              "the ids of the subscriptions that get an event of this topic, or null", "0.1"},
     .flags = META,
     .run = run_match_topic},
    {.info = {"wamp.subscription.get", NULL, 2, 2, 'R', "realm, subscription",
              "one subscription: id, created, uri, match", "0.1"},
     .flags = META,
     .run = run_get},
    {.info = {"wamp.subscription.list_subscribers", NULL, 2, 2, 'R', "realm, subscription",
              "the ids of the sessions that have subscribed", "0.1"},
     .flags = META,
     .run = run_subscribers},
    {.info = {"wamp.subscription.count_subscribers", NULL, 2, 2, 'R', "realm, subscription",
              "how many sessions have subscribed", "0.1"},
     .flags = META,
     .run = run_count},
    {.info = {.uri = NULL}}};

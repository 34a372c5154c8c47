/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/dealer.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/router/authorize.h"
#include "src/router/builtin.h"
#include "src/router/remote.h"
#include "src/router/stats.h"
#include "src/wamp/errors.h"

static bool refuse(struct bondy_session *session, const struct bondy_message *message,
                   const char *uri, const char *text)
{
    bondy_deliver_error(session, message->type, message->id, uri, text);
    return true;
}

/* ---- REGISTER, UNREGISTER ---------------------------------------------------------------- */

/* NULL, or the error for a procedure nobody may register. */
static const char *procedure_error(const struct bondy_router *router, struct bondy_slice procedure,
                                   enum bondy_match match)
{
    if (!bondy_uri_is_valid(procedure, match, router->options.uri_rule) ||
        bondy_uri_is_wamp(procedure))
        return BONDY_ERR_INVALID_URI;
    return bondy_uri_is_ours(procedure) ? BONDY_ERR_NOT_AUTHORIZED : NULL;
}

bool bondy_dealer_on_register(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_callee callee = {thread->index, session->id, session};
    struct bondy_registration *registration;
    struct bondy_options options;
    struct bondy_refusal refusal;
    const char *error;

    if (!bondy_options_read(message, &thread->option_scratch, &options, &refusal))
        return refuse(session, message, refusal.uri, refusal.text);
    error = procedure_error(thread->router, message->uri, options.match);
    if (error != NULL)
        return refuse(session, message, error, NULL);
    if (!bondy_authorize_pattern(session, message,
                                 &(struct bondy_demand){.permission = BONDY_PERMISSION_REGISTER,
                                                        .uri = message->uri,
                                                        .match = options.match}))
        return true;
    if (session->registrations.count >= thread->router->options.max_registrations)
        return refuse(session, message, BONDY_ERR_OPTION_NOT_ALLOWED,
                      "the session has as many registrations as it may");
    if (!session->takes_timeouts)
        options.forward_timeout = false;
    registration = bondy_registry_register(
        session->realm->registry, message->uri, options.match, &callee,
        &(struct bondy_registration_options){options.disclose_caller, options.forward_timeout,
                                             thread->is_by_authorizer});
    if (registration == NULL)
        return refuse(session, message, BONDY_ERR_PROCEDURE_ALREADY_EXISTS, NULL);
    bondy_idmap_put(&session->registrations, registration->entry.id, registration);
    bondy_deliver_ids(session, BONDY_REGISTERED, message->id, registration->entry.id);
    return true;
}

bool bondy_dealer_on_unregister(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_registration *registration =
        bondy_idmap_find(&session->registrations, message->id2);

    if (registration == NULL)
        return refuse(session, message, BONDY_ERR_NO_SUCH_REGISTRATION, NULL);
    if (!bondy_authorize_pattern(session, message,
                                 &(struct bondy_demand){.permission = BONDY_PERMISSION_UNREGISTER,
                                                        .uri = registration->entry.uri,
                                                        .match = registration->entry.match}))
        return true;
    bondy_idmap_remove(&session->registrations, message->id2);
    bondy_registry_unregister(session->realm->registry, registration);
    bondy_deliver_ids(session, BONDY_UNREGISTERED, message->id, 0);
    return true;
}

/* WAMP, Registration Revocation. Who did not announce it is not told. */
static void revoke_registration(struct bondy_session *session,
                                struct bondy_registration *registration)
{
    const struct bondy_field_out fields[] = {
        {.key = "registration", .type = BONDY_VALUE_UINT, .u64 = registration->entry.id},
        {.key = "reason", .type = BONDY_VALUE_TEXT, .text = BONDY_SLICE(BONDY_ERR_NOT_AUTHORIZED)}};
    const struct bondy_message message = {
        .type = BONDY_UNREGISTERED, .fields = fields, .field_count = BONDY_COUNT(fields)};

    bondy_idmap_remove(&session->registrations, registration->entry.id);
    bondy_registry_unregister(session->realm->registry, registration);
    if (session->takes_revoked_registrations)
        bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

void bondy_dealer_revoke_illegal(struct bondy_session *session)
{
    size_t cursor = 0;
    uint64_t id;
    void *value;

    while (bondy_idmap_next(&session->registrations, &cursor, &id, &value)) {
        struct bondy_registration *registration = value;

        if (!registration->is_by_authorizer &&
            !bondy_access_covers(session, BONDY_PERMISSION_REGISTER, registration->entry.uri,
                                 registration->entry.match))
            revoke_registration(session, registration);
    }
}

/* ---- the life of a call ------------------------------------------------------------------ */

/* Takes the call out of everything and frees it; returns the session that waited. */
static struct bondy_session *end_call(struct bondy_call *call)
{
    struct bondy_session *caller = call->caller;
    struct bondy_router_thread *thread = caller->thread;

    bondy_timer_stop(thread->wheel, &call->timer);
    bondy_pending_take(&caller->calls, call->link.id);
    if (call->token != 0)
        bondy_idmap_remove(&thread->away, call->token);
    if (call->invoked != NULL)
        call->invoked->call = NULL;
    if (call->procedure.data != call->text)
        bondy_free((char *)(uintptr_t)call->procedure.data);
    bondy_slab_free(thread->call_slab, call);
    return caller;
}

/* Tells the callee that nobody waits any more. */
static void drop_callee(struct bondy_call *call, bool interrupt)
{
    struct bondy_router_thread *thread = call->caller->thread;

    if (call->invoked != NULL)
        bondy_dealer_drop_invoked(call->invoked, interrupt);
    else if (call->token != 0)
        bondy_remote_abandon(thread, call->callee_thread, call->token, interrupt);
}

static void observe_latency(const struct bondy_call *call)
{
    bondy_stats_latency(call->caller->stats,
                        call->caller->thread->wheel->now_ms - call->started_ms);
}

void bondy_dealer_abandon(struct bondy_call *call)
{
    drop_callee(call, true);
    end_call(call);
}

void bondy_dealer_fail(struct bondy_call *call, const char *uri, const char *text)
{
    uint64_t request = call->link.id;

    observe_latency(call);
    bondy_deliver_error(end_call(call), BONDY_CALL, request, uri, text);
}

void bondy_dealer_answer(struct bondy_call *call, struct bondy_message *answer)
{
    struct bondy_session *caller = call->caller;
    uint64_t request = call->link.id;

    observe_latency(call);
    end_call(call);
    answer->id = request;
    answer->request_type = BONDY_CALL;
    if (!bondy_deliver(caller, answer, BONDY_SEND_REPLY))
        bondy_deliver_error(caller, BONDY_CALL, request, BONDY_ERR_PAYLOAD_SIZE_EXCEEDED, NULL);
}

static void on_timeout(struct bondy_timer *timer)
{
    struct bondy_call *call = BONDY_CONTAINER(timer, struct bondy_call, timer);

    drop_callee(call, true);
    bondy_dealer_fail(call, BONDY_ERR_TIMEOUT, "the call took longer than its timeout");
}

/* CANCEL asks again for the procedure, with the permissions of that time. */
static void keep_procedure(struct bondy_call *call, struct bondy_slice procedure)
{
    char *text = procedure.len <= sizeof call->text ? call->text : bondy_alloc(procedure.len);

    memcpy(text, procedure.data, procedure.len);
    call->procedure = bondy_slice_of(text, procedure.len);
}

static struct bondy_call *begin_call(struct bondy_session *session,
                                     const struct bondy_message *message)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_call *call = bondy_slab_alloc(thread->call_slab);

    memset(call, 0, sizeof *call);
    call->link.id = message->id;
    call->caller = session;
    keep_procedure(call, message->uri);
    call->started_ms = thread->wheel->now_ms;
    bondy_timer_init(&call->timer, on_timeout);
    bondy_pending_add(&session->calls, &call->link);
    return call;
}

/* ---- CALL -------------------------------------------------------------------------------- */

/* 0: none. */
static uint64_t timeout_of(const struct bondy_router_options *limits, uint64_t asked_ms)
{
    uint64_t timeout = asked_ms != 0 ? asked_ms : limits->call_timeout_ms;

    if (limits->max_call_timeout_ms != 0 && (timeout == 0 || timeout > limits->max_call_timeout_ms))
        timeout = limits->max_call_timeout_ms;
    return timeout;
}

/* Sends the call to its callee, which decides about a forwarded timeout: the router then has no
 * timer of its own (wamp.md RPC-TMO-4). */
static void route(struct bondy_session *session, const struct bondy_message *message,
                  const struct bondy_options *options, struct bondy_registration *registration)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_callee *callee = &bondy_publish_get(registration->callees)->items[0];
    bool discloses = options->disclose_me || registration->discloses_caller;
    struct bondy_invoke invoke = {
        .registration_id = registration->entry.id,
        .procedure =
            registration->entry.match == BONDY_MATCH_EXACT ? BONDY_SLICE_EMPTY : message->uri,
        .caller = discloses ? session->id : 0,
        .caller_authid = session->authid,
        .caller_authrole = session->authrole,
        .timeout_ms = registration->forwards_timeout ? options->timeout_ms : 0,
        .payload = message->payload};
    struct bondy_call *call = begin_call(session, message);
    const char *error = NULL;

    if (invoke.timeout_ms == 0) {
        uint64_t timeout = timeout_of(&thread->router->options, options->timeout_ms);

        if (timeout > 0)
            bondy_timer_start(thread->wheel, &call->timer, timeout);
    }
    if (callee->thread != thread->index) {
        call->callee_thread = callee->thread;
        call->token = ++thread->last_token;
        bondy_idmap_put(&thread->away, call->token, call);
        bondy_remote_invoke(thread, callee, call->token, &invoke);
        return;
    }
    call->invoked = bondy_dealer_invoke(callee->session, &invoke, &error);
    if (call->invoked != NULL)
        call->invoked->call = call;
    else
        bondy_dealer_fail(call, error, NULL);
}

/* A procedure of ours may be granted under its own name or under the alias it was called by; the
 * heartbeat of clients is for everybody (wamp-admin-api.md 1.2). */
static bool may_call_ours(struct bondy_session *session, struct bondy_slice uri)
{
    const struct bondy_router_options *options = &session->thread->router->options;
    struct bondy_slice name = uri;

    if (options->canonical_procedure != NULL)
        name = options->canonical_procedure(options->context, uri);
    return bondy_slice_is(name, "bondy.ping") ||
           (!bondy_slice_eq(name, uri) && bondy_access_allows(session, BONDY_PERMISSION_CALL, name,
                                                              bondy_hash(name.data, name.len)));
}

static bool may_call(struct bondy_session *session, const struct bondy_message *message,
                     uint64_t hash)
{
    const struct bondy_demand demand = {.permission = BONDY_PERMISSION_CALL, .uri = message->uri};

    if (bondy_access_allows(session, BONDY_PERMISSION_CALL, message->uri, hash))
        return true;
    return (bondy_builtin_is_name(message->uri) && may_call_ours(session, message->uri)) ||
           bondy_authorize_dynamic(session, message, &demand);
}

void bondy_dealer_call(struct bondy_session *session, const struct bondy_message *message,
                       const struct bondy_options *options)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_router_options *limits = &thread->router->options;
    struct bondy_registration *registration;
    uint64_t hash;
    bool is_known = bondy_match_recall(thread, session->realm, message->uri, &hash, &registration);

    if (!is_known && !bondy_uri_is_valid(message->uri, BONDY_MATCH_EXACT, limits->uri_rule)) {
        refuse(session, message, BONDY_ERR_INVALID_URI, NULL);
        return;
    }
    thread->current_options = options;
    if (!may_call(session, message, hash))
        return;
    if (!bondy_access_may_disclose(session, BONDY_PERMISSION_DISCLOSE_CALLER, options->disclose_me,
                                   message->uri, hash)) {
        refuse(session, message, BONDY_ERR_DISCLOSE_ME, NULL);
        return;
    }
    if (session->calls.count >= limits->max_inflight_calls) {
        refuse(session, message, BONDY_ERR_UNAVAILABLE, "too many calls wait for their answers");
        return;
    }
    if (!is_known && bondy_builtin_is_name(message->uri)) {
        uint64_t timeout = timeout_of(limits, options->timeout_ms);
        struct bondy_call *call = begin_call(session, message);

        if (timeout > 0)
            bondy_timer_start(thread->wheel, &call->timer, timeout);
        bondy_builtin_call(call, message);
        return;
    }
    if (!is_known)
        registration = bondy_match_procedure(thread, session->realm, message->uri, hash);
    if (registration == NULL)
        refuse(session, message, BONDY_ERR_NO_SUCH_PROCEDURE, NULL);
    else
        route(session, message, options, registration);
}

bool bondy_dealer_on_call(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_options options;
    struct bondy_refusal refusal;

    if (!bondy_options_read(message, &session->thread->option_scratch, &options, &refusal))
        return refuse(session, message, refusal.uri, refusal.text);
    bondy_dealer_call(session, message, &options);
    return true;
}

/* Every mode acts as "skip" (call canceling is not announced): the caller is answered at once, the
 * callee is not told, its answer is dropped. */
bool bondy_dealer_on_cancel(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_pending *link = bondy_pending_find(&session->calls, message->id);
    struct bondy_call *call;
    struct bondy_options options;
    struct bondy_refusal refusal;

    if (link == NULL)
        return true;
    call = BONDY_CONTAINER(link, struct bondy_call, link);
    if (!bondy_authorize(
            session, message,
            &(struct bondy_demand){.permission = BONDY_PERMISSION_CANCEL, .uri = call->procedure},
            bondy_hash(call->procedure.data, call->procedure.len)))
        return true;
    drop_callee(call, false);
    if (bondy_options_read(message, &session->thread->option_scratch, &options, &refusal))
        bondy_dealer_fail(call, BONDY_ERR_CANCELED, NULL);
    else
        bondy_dealer_fail(call, refusal.uri, refusal.text);
    return true;
}

/* ---- the callee's side ------------------------------------------------------------------- */

static uint64_t next_invocation(struct bondy_session *callee)
{
    do
        callee->last_invocation =
            callee->last_invocation == BONDY_ID_MAX ? 1 : callee->last_invocation + 1;
    while (bondy_pending_find(&callee->invocations, callee->last_invocation) != NULL);
    return callee->last_invocation;
}

static size_t invocation_fields(const struct bondy_invoke *invoke, bool forwards_timeout,
                                struct bondy_field_out fields[5])
{
    size_t count = 0;

    if (invoke->procedure.len > 0)
        fields[count++] = (struct bondy_field_out){
            .key = "procedure", .type = BONDY_VALUE_TEXT, .text = invoke->procedure};
    if (invoke->caller != 0) {
        fields[count++] = (struct bondy_field_out){
            .key = "caller", .type = BONDY_VALUE_INT, .i64 = (int64_t)invoke->caller};
        fields[count++] = (struct bondy_field_out){
            .key = "caller_authid", .type = BONDY_VALUE_TEXT, .text = invoke->caller_authid};
        fields[count++] = (struct bondy_field_out){
            .key = "caller_authrole", .type = BONDY_VALUE_TEXT, .text = invoke->caller_authrole};
    }
    if (forwards_timeout)
        fields[count++] = (struct bondy_field_out){
            .key = "timeout", .type = BONDY_VALUE_INT, .i64 = (int64_t)invoke->timeout_ms};
    return count;
}

struct bondy_invoked *bondy_dealer_invoke(struct bondy_session *callee,
                                          const struct bondy_invoke *invoke, const char **error)
{
    struct bondy_router_thread *thread = callee->thread;
    struct bondy_invoked *invoked = bondy_slab_alloc(thread->invoked_slab);
    struct bondy_field_out fields[5];
    struct bondy_message message = {.type = BONDY_INVOCATION,
                                    .id2 = invoke->registration_id,
                                    .fields = fields,
                                    .payload = invoke->payload};

    memset(invoked, 0, sizeof *invoked);
    message.field_count = invocation_fields(invoke, invoke->timeout_ms != 0, fields);
    message.id = next_invocation(callee);
    invoked->link.id = message.id;
    invoked->callee = callee;
    bondy_pending_add(&callee->invocations, &invoked->link);
    if (bondy_deliver(callee, &message, BONDY_SEND_REPLY))
        return invoked;
    /* The callee never saw this number: it is the next one again. */
    bondy_pending_take(&callee->invocations, message.id);
    callee->last_invocation = message.id - 1;
    bondy_slab_free(thread->invoked_slab, invoked);
    *error = BONDY_ERR_PAYLOAD_SIZE_EXCEEDED;
    return NULL;
}

/* Takes the invocation out of everything and frees it. */
static void end_invoked(struct bondy_invoked *invoked)
{
    struct bondy_router_thread *thread = invoked->callee->thread;

    bondy_pending_take(&invoked->callee->invocations, invoked->link.id);
    if (invoked->token != 0)
        bondy_idmap_remove(&thread->visiting,
                           bondy_remote_key(thread, invoked->caller_thread, invoked->token));
    if (invoked->call != NULL)
        invoked->call->invoked = NULL;
    bondy_slab_free(thread->invoked_slab, invoked);
}

void bondy_dealer_drop_invoked(struct bondy_invoked *invoked, bool interrupt)
{
    struct bondy_session *callee = invoked->callee;
    const struct bondy_field_out field = {
        .key = "mode", .type = BONDY_VALUE_TEXT, .text = BONDY_SLICE("killnowait")};
    const struct bondy_message message = {
        .type = BONDY_INTERRUPT, .id = invoked->link.id, .fields = &field, .field_count = 1};

    end_invoked(invoked);
    if (interrupt && callee->takes_interrupts)
        bondy_deliver(callee, &message, BONDY_SEND_REPLY);
}

/* Ends the invocation and gives the answer to whoever waits for it. */
static void pass_on(struct bondy_invoked *invoked, struct bondy_message *answer)
{
    struct bondy_router_thread *thread = invoked->callee->thread;
    struct bondy_call *call = invoked->call;
    unsigned caller_thread = invoked->caller_thread;
    uint64_t token = invoked->token;

    end_invoked(invoked);
    if (call != NULL)
        bondy_dealer_answer(call, answer);
    else if (token != 0)
        bondy_remote_answer(thread, caller_thread, token, answer);
}

static bool was_issued(const struct bondy_session *callee, uint64_t invocation)
{
    return invocation <= callee->last_invocation;
}

/* The invocation an answer is for. NULL: there is none, and *is_alive says whether it was ever
 * issued to this session (late answers are dropped) or not (a protocol violation). */
static struct bondy_invoked *find_invoked(struct bondy_session *callee, uint64_t invocation,
                                          bool *is_alive)
{
    struct bondy_pending *link = bondy_pending_find(&callee->invocations, invocation);

    *is_alive = true;
    if (link != NULL)
        return BONDY_CONTAINER(link, struct bondy_invoked, link);
    if (!was_issued(callee, invocation)) {
        bondy_session_violate(callee, "there was no INVOCATION with this request id");
        *is_alive = false;
    }
    return NULL;
}

bool bondy_dealer_on_yield(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_message answer = {.type = BONDY_RESULT, .payload = message->payload};
    struct bondy_invoked *invoked;
    struct bondy_options options;
    struct bondy_refusal refusal;
    bool is_alive;

    if (!bondy_options_read(message, &session->thread->option_scratch, &options, &refusal)) {
        bondy_session_violate(session, refusal.text);
        return false;
    }
    invoked = find_invoked(session, message->id, &is_alive);
    /* Nobody can have asked for progressive results: such a one is dropped, the call stays open. */
    if (invoked != NULL && !options.progress)
        pass_on(invoked, &answer);
    return is_alive;
}

bool bondy_dealer_on_error(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_message answer = {
        .type = BONDY_ERROR, .uri = message->uri, .payload = message->payload};
    struct bondy_invoked *invoked;
    bool is_alive;

    if (message->request_type != BONDY_INVOCATION) {
        bondy_session_violate(session, "a client sends ERROR only for an INVOCATION");
        return false;
    }
    invoked = find_invoked(session, message->id, &is_alive);
    if (!is_alive)
        return false;
    if (!bondy_uri_is_valid(message->uri, BONDY_MATCH_EXACT, BONDY_URI_LOOSE)) {
        answer =
            (struct bondy_message){.type = BONDY_ERROR, .uri = BONDY_SLICE(BONDY_ERR_INVALID_URI)};
        if (invoked != NULL)
            pass_on(invoked, &answer);
        bondy_session_violate(session, "ERROR with an invalid error URI");
        return false;
    }
    if (invoked != NULL)
        pass_on(invoked, &answer);
    return true;
}

/* ---- leaving ----------------------------------------------------------------------------- */

void bondy_dealer_fail_all(struct bondy_session *session)
{
    struct bondy_pending *link;
    uint32_t cursor = 0;

    while ((link = bondy_pending_any(&session->calls, &cursor)) != NULL) {
        struct bondy_call *call = BONDY_CONTAINER(link, struct bondy_call, link);

        drop_callee(call, true);
        bondy_dealer_fail(call, BONDY_ERR_CANCELED, NULL);
    }
}

static void leave_registrations(struct bondy_session *session)
{
    size_t cursor = 0;
    uint64_t id;
    void *registration;

    while (bondy_idmap_next(&session->registrations, &cursor, &id, &registration))
        bondy_registry_unregister(session->realm->registry, registration);
    bondy_idmap_fini(&session->registrations);
}

/* Its calls first: those to itself are then nobody's, and no answer comes back to it. */
void bondy_dealer_leave(struct bondy_session *session)
{
    struct bondy_message canceled = {.type = BONDY_ERROR, .uri = BONDY_SLICE(BONDY_ERR_CANCELED)};
    struct bondy_pending *link;
    uint32_t cursor = 0;

    leave_registrations(session);
    session->takes_interrupts = false; /* it is told nothing any more */
    while ((link = bondy_pending_any(&session->calls, &cursor)) != NULL)
        bondy_dealer_abandon(BONDY_CONTAINER(link, struct bondy_call, link));
    cursor = 0;
    while ((link = bondy_pending_any(&session->invocations, &cursor)) != NULL)
        pass_on(BONDY_CONTAINER(link, struct bondy_invoked, link), &canceled);
    bondy_pending_fini(&session->calls);
    bondy_pending_fini(&session->invocations);
}

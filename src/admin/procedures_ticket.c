/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_ticket: bondy.ticket.*. wamp-admin-api.md 2.7; realms-and-security.md 4. */
#include <sodium.h>
#include <string.h>

#include "src/admin/procedures_user.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/problem.h"
#include "src/security/token/tickets.h"
#include "src/wamp/errors.h"

#define SCOPES 4u

/* ---- issue ------------------------------------------------------------------------------------*/

static void free_jws(void *state)
{
    sodium_memzero(state, strlen(state));
    bondy_free(state);
}

/* Which scope it is depends on the user, who is looked up elsewhere: all are asked for. */
static void run_issue(struct bondy_admin_call *call)
{
    if (!bondy_admin_may_be_given_tokens(call)) {
        bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED,
                                               "A session that authenticated so may have no "
                                               "ticket.",
                                               ""));
        return;
    }
    for (unsigned scope = 0; scope < SCOPES; scope++)
        if (bondy_admin_may(call, BONDY_PERMISSION_ISSUE,
                            bondy_ticket_scope_resource((enum bondy_ticket_scope)scope),
                            BONDY_SLICE_EMPTY))
            call->may |= 1u << scope;
    bondy_admin_go_on(call);
}

static int fail_request(struct bondy_admin_call *call, const char *message)
{
    return bondy_admin_fail(call, bondy_problem("bondy.error.invalid_request", message, ""));
}

/* What the ticket is bound to; `client` keeps the texts of a client's ticket. */
static int read_client(struct bondy_admin_call *call, const struct bondy_store_view *view,
                       struct bondy_ticket_issue *issue, struct bondy_ticket_checked *client)
{
    struct bondy_slice jws = bondy_admin_kwarg(call, "client_ticket"), device;
    const struct bondy_ticket_question question = {.realms = call->node->realms,
                                                   .realm = call->realm,
                                                   .jws = jws,
                                                   .takes_unknown =
                                                       call->node->tickets.takes_unknown,
                                                   .leeway_s = call->node->tickets.leeway_s};

    issue->client_id = bondy_admin_kwarg(call, "client_id");
    issue->device_id = bondy_admin_kwarg(call, "device_id");
    if (issue->device_id.len == 0)
        issue->device_id = bondy_admin_kwarg(call, "client_instance_id");
    if (jws.len == 0)
        return BONDY_OK;
    bondy_tickets_check(view, &question, client);
    if (client->reason != NULL)
        return bondy_admin_fail(
            call, bondy_admin_invalid("client_ticket", "This is no ticket that is good here."));
    issue->client_id = bondy_json_text(client->claims, "authid");
    if (bondy_ticket_scope_of(client->claims) == BONDY_TICKET_CLIENT_LOCAL ||
        bondy_ticket_scope_of(client->claims) == BONDY_TICKET_CLIENT_SSO)
        return fail_request(call, "The client's ticket is bound to a client itself.");
    device = bondy_json_text(json_object_get(client->claims, "scope"), "device_id");
    if (device.len == 0 || bondy_slice_is(device, "all"))
        return BONDY_OK;
    if (issue->device_id.len > 0 && !bondy_slice_eq(issue->device_id, device))
        return fail_request(call, "The client's ticket is bound to another device.");
    issue->device_id = device;
    return BONDY_OK;
}

static int check_ids(struct bondy_admin_call *call, const struct bondy_ticket_issue *issue)
{
    if (issue->client_id.len > 0 && !bondy_ticket_id_is_valid(issue->client_id))
        return bondy_admin_fail(call,
                                bondy_admin_invalid("client_id", "This can be no client's id."));
    if (issue->device_id.len > 0 && !bondy_ticket_id_is_valid(issue->device_id))
        return bondy_admin_fail(call,
                                bondy_admin_invalid("device_id", "This can be no device's id."));
    if (issue->client_id.len > 0 && bondy_slice_eq(issue->client_id, issue->authid))
        return fail_request(call, "The client is the user itself.");
    return BONDY_OK;
}

static int read_lifetime(struct bondy_admin_call *call, struct bondy_ticket_issue *issue)
{
    const json_t *asked = json_object_get(call->kwargs, "expiry_time_secs");
    const struct bondy_admin_tickets *tickets = &call->node->tickets;

    issue->lifetime = tickets->lifetime_s;
    if (asked != NULL && !json_is_null(asked)) {
        if (!json_is_integer(asked) || json_integer_value(asked) <= 0)
            return bondy_admin_fail(call, bondy_admin_invalid("expiry_time_secs",
                                                              "A number of seconds above 0 is "
                                                              "expected."));
        issue->lifetime = json_integer_value(asked);
    }
    if (issue->lifetime > tickets->max_lifetime_s)
        issue->lifetime = tickets->max_lifetime_s;
    return BONDY_OK;
}

static int sign(struct bondy_admin_call *call, const struct bondy_store_view *view,
                const struct bondy_user *user, struct bondy_ticket_issue *issue)
{
    struct bondy_realm *authrealm =
        bondy_realm_read(call->node->rules, view, bondy_slice_text(user->authrealm));
    struct bondy_error err = {0};
    enum bondy_ticket_scope scope;
    char *jws = NULL;
    int rc = BONDY_ENOENT;

    if (authrealm != NULL)
        rc = bondy_tickets_make(authrealm, user, issue, &call->prepared, &jws, &err);
    bondy_realm_unref(authrealm);
    if (rc < 0)
        return bondy_admin_fail(call, bondy_problem(BONDY_ERR_UNAVAILABLE,
                                                    "The realm has no signing key yet.",
                                                    "Try again later."));
    call->state = jws;
    call->free_state = free_jws;
    scope = bondy_ticket_scope_of(call->prepared);
    if ((call->may & 1u << scope) != 0)
        return BONDY_OK;
    return bondy_admin_fail(
        call, bondy_problem_format(BONDY_ERR_NOT_AUTHORIZED,
                                   "Permission denied. This needs permission 'bondy.issue' on "
                                   "'%s'",
                                   bondy_ticket_scope_resource(scope)));
}

static bool wants_sso(const struct bondy_admin_call *call)
{
    return !json_is_false(json_object_get(call->kwargs, "allow_sso"));
}

static int prepare_for(struct bondy_admin_call *call, const struct bondy_store_view *view,
                       const struct bondy_user *user)
{
    const struct bondy_caller *caller = bondy_invocation_caller(call->invocation);
    bool is_sso = user->sso_realm_uri != NULL && wants_sso(call);
    struct bondy_ticket_issue issue = {.authrealm = bondy_slice_text(user->authrealm),
                                       .realm = is_sso ? BONDY_SLICE_EMPTY
                                                       : bondy_slice_text(call->realm->uri),
                                       .authid = bondy_slice_text(user->username),
                                       .authmethod = caller->authmethod,
                                       .node = call->node->name,
                                       .now = (int64_t)(bondy_clock_wall_ms() / 1000)};
    struct bondy_ticket_checked client = {0};
    int rc = read_client(call, view, &issue, &client);

    if (rc == BONDY_OK && (rc = check_ids(call, &issue)) == BONDY_OK &&
        (rc = read_lifetime(call, &issue)) == BONDY_OK)
        rc = sign(call, view, user, &issue);
    json_decref(client.claims);
    return rc;
}

static int prepare_issue(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;
    int rc;

    if (call->realm == NULL ||
        !bondy_user_resolve(view, call->realm, bondy_admin_authid(call), &user))
        return bondy_admin_fail(
            call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED, "Only users may have a ticket.", ""));
    rc = prepare_for(call, view, &user);
    bondy_user_fini(&user);
    return rc;
}

static int apply_issue(struct bondy_admin_call *call)
{
    if ((call->node->tickets.kept & 1u << bondy_ticket_scope_of(call->prepared)) == 0)
        return BONDY_OK;
    return bondy_tickets_apply_store(&call->edit, call->prepared);
}

static void finish_issue(struct bondy_admin_call *call)
{
    struct bondy_slice id = bondy_json_text(call->prepared, "id");

    call->value = bondy_ticket_external(call->prepared, call->state);
    bondy_free(call->target);
    call->target = bondy_memdup0(id.data, id.len);
}

/* ---- verify and list --------------------------------------------------------------------------*/

/* A session of the master realm asks about any realm's tickets, where they are good. */
static void find_realm(struct bondy_admin_call *call)
{
    const struct bondy_realm *realm;
    struct bondy_token token;
    struct bondy_slice uri;

    if (bondy_token_peek(bondy_admin_text(call, 0), &token, NULL) < 0)
        return;
    uri = bondy_json_text(json_object_get(token.claims, "scope"), "realm");
    if (uri.len == 0 || bondy_slice_is(uri, "all"))
        uri = bondy_ticket_authrealm(token.claims);
    realm = bondy_realms_find(call->node->realms, uri);
    if (realm != NULL) {
        bondy_realm_ref(realm);
        if (call->realm != NULL)
            bondy_realm_unref(call->realm);
        call->realm = realm;
    }
    bondy_token_fini(&token);
}

static void run_verify(struct bondy_admin_call *call)
{
    if (call->is_master)
        find_realm(call);
    bondy_admin_go_on(call);
}

static int read_verify(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice jws = bondy_admin_text(call, 0);
    const struct bondy_ticket_question question = {.realms = call->node->realms,
                                                   .realm = call->realm,
                                                   .jws = jws,
                                                   .takes_unknown =
                                                       call->node->tickets.takes_unknown,
                                                   .leeway_s = call->node->tickets.leeway_s};
    struct bondy_ticket_checked checked = {0};

    bondy_tickets_check(view, &question, &checked);
    call->value = json_pack("{s:b}", "valid", checked.reason == NULL);
    if (checked.claims != NULL)
        json_object_set_new(call->value, "claims", checked.claims);
    if (checked.reason != NULL)
        json_object_set_new(call->value, "reason", json_string(checked.reason));
    return BONDY_OK;
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice name = bondy_admin_text(call, 1);
    struct bondy_user user;

    if (!bondy_user_resolve(view, call->realm, name, &user))
        return bondy_admin_fail(call, bondy_admin_no_user(BONDY_ERR_NO_SUCH_PRINCIPAL, name));
    call->value = bondy_tickets_list(view, call->realm, &user);
    bondy_user_fini(&user);
    return BONDY_OK;
}

/* ---- revoke -----------------------------------------------------------------------------------*/

static bool is_own(const struct bondy_admin_call *call, struct bondy_slice authid)
{
    return bondy_slice_eq(authid, bondy_admin_authid(call)) &&
           bondy_slice_is(bondy_invocation_realm(call->invocation), call->realm->uri);
}

/* {authid, id}: of a ticket that was given whole, or as they were said. */
static json_t *whose(const struct bondy_admin_call *call)
{
    struct bondy_slice given = bondy_admin_text(call, 1), authid = bondy_admin_text(call, 2);
    struct bondy_token token;
    json_t *out;

    if (authid.len == 0)
        authid = bondy_admin_kwarg(call, "authid");
    if (bondy_token_peek(given, &token, NULL) == BONDY_OK) {
        out = json_pack("{s:o, s:o}", "authid",
                        bondy_json_slice(bondy_json_text(token.claims, "authid")), "id",
                        bondy_json_slice(bondy_json_text(token.claims, "id")));
        bondy_token_fini(&token);
        return out;
    }
    return json_pack("{s:o, s:o}", "authid",
                     bondy_json_slice(authid.len > 0 ? authid : bondy_admin_authid(call)), "id",
                     bondy_json_slice(given));
}

static void start_revoke(struct bondy_admin_call *call)
{
    struct bondy_slice authid = bondy_json_text(call->prepared, "authid");

    bondy_free(call->target);
    call->target = bondy_memdup0(authid.data, authid.len);
    if (is_own(call, authid) ||
        bondy_admin_may(call, BONDY_PERMISSION_REVOKE, "bondy.ticket", BONDY_SLICE_EMPTY)) {
        bondy_admin_go_on(call);
        return;
    }
    bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED,
                                           "Permission denied. This needs permission "
                                           "'bondy.revoke' on 'bondy.ticket'",
                                           ""));
}

static void run_revoke(struct bondy_admin_call *call)
{
    call->prepared = whose(call);
    if (bondy_json_text(call->prepared, "id").len == 0)
        bondy_admin_refuse(call, bondy_admin_invalid("ticket", "A ticket or its id is expected."));
    else
        start_revoke(call);
}

static const char *const members[] = {"realm", "client_id", "device_id"};

/* Takes members of `from` over, texts that are not empty, from the `first` on. NULL, or the
 * problem. */
static json_t *take_members(json_t *to, const json_t *from, size_t first)
{
    for (size_t i = first; i < BONDY_COUNT(members); i++) {
        json_t *value = json_object_get(from, members[i]);

        if (value != NULL && !json_is_string(value))
            return bondy_admin_invalid(members[i], "A text is expected.");
        if (value != NULL && json_string_length(value) > 0)
            json_object_set(to, members[i], value);
    }
    return NULL;
}

static json_t *check_scope_keys(const json_t *scope)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)scope, key, value)
    {
        bool is_known = false;

        for (size_t i = 0; i < BONDY_COUNT(members); i++)
            is_known = is_known || strcmp(members[i], key) == 0;
        if (!is_known)
            return bondy_json_with(
                bondy_problem_format(BONDY_ERR_INVALID_DATA,
                                     "Unknown key '%s' of scope; it has realm, client_id and "
                                     "device_id.",
                                     key),
                "keys", json_pack("[s]", key));
    }
    return NULL;
}

/* {realm?, client_id?, device_id?} as tickets have it, or the name of one of the four kinds. */
static json_t *read_scope(json_t *which, const json_t *scope)
{
    json_t *problem;

    if (scope == NULL || (json_is_string(scope) && json_string_length(scope) == 0))
        return NULL;
    if (json_is_object(scope)) {
        problem = check_scope_keys(scope);
        return problem != NULL ? problem : take_members(which, scope, 0);
    }
    for (int kind = BONDY_TICKET_LOCAL; kind <= BONDY_TICKET_CLIENT_SSO; kind++)
        if (json_is_string(scope) &&
            strcmp(json_string_value(scope), bondy_ticket_scope_name(kind)) == 0) {
            json_object_set_new(which, "kind", json_integer(kind));
            return NULL;
        }
    return bondy_admin_invalid("scope", "'scope' is local, sso, client_local, client_sso, or "
                                        "{realm?, client_id?, device_id?}.");
}

static void run_revoke_all(struct bondy_admin_call *call)
{
    json_t *problem;

    call->prepared =
        json_pack("{s:o, s:s}", "authid", bondy_json_slice(bondy_admin_text(call, 1)), "id", "");
    if ((problem = take_members(call->prepared, call->kwargs, 1)) != NULL ||
        (problem = read_scope(call->prepared, json_object_get(call->kwargs, "scope"))) != NULL)
        bondy_admin_refuse(call, problem);
    else
        start_revoke(call);
}

static int apply_revoke(struct bondy_admin_call *call)
{
    const json_t *kind = json_object_get(call->prepared, "kind");
    const struct bondy_tickets_filter which = {
        .id = bondy_json_text(call->prepared, "id"),
        .has_scope = kind != NULL,
        .scope = (enum bondy_ticket_scope)json_integer_value(kind),
        .realm = bondy_json_text(call->prepared, "realm"),
        .client_id = bondy_json_text(call->prepared, "client_id"),
        .device_id = bondy_json_text(call->prepared, "device_id"),
    };

    return bondy_tickets_apply_revoke(&call->edit, bondy_admin_text(call, 0),
                                      bondy_json_text(call->prepared, "authid"), &which);
}

static void finish_revoke(struct bondy_admin_call *call)
{
    if (!call->is_dry_run && call->edit.writes > 0)
        bondy_admin_publish(
            call, bondy_slice_text(call->realm->uri), "bondy.ticket.revoked",
            json_pack("[s, O]", call->realm->uri, json_object_get(call->prepared, "authid")));
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const struct bondy_admin_kind issued = {.noun = "tickets", .action = "ticket.issue"};
static const struct bondy_admin_kind revoked = {.noun = "tickets", .action = "ticket.revoke"};

const struct bondy_procedure_row bondy_procedures_ticket[] = {
    {.info = {"bondy.ticket.issue", NULL, 0, 0, 'A',
              "expiry_time_secs=, allow_sso=, client_ticket=, client_id=, device_id=",
              "a ticket to log in with later", "0.1"},
     .flags = BONDY_ROW_OWN,
     .kind = &issued,
     .run = run_issue,
     .prepare = prepare_issue,
     .apply = apply_issue,
     .finish = finish_issue},
    {.info = {"bondy.ticket.verify", NULL, 1, 1, 'A', "ticket",
              "whether a ticket is good, and what it says", "0.1"},
     .flags = BONDY_ROW_OWN,
     .run = run_verify,
     .read = read_verify},
    {.info = {"bondy.ticket.list", NULL, 2, 2, 'R', "realm, authid",
              "the tickets of a user, without their text", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_list},
    {.info = {"bondy.ticket.revoke", NULL, 2, 3, 'R',
              "realm, ticket or id, authid?, authid=", "ends a ticket", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &revoked,
     .run = run_revoke,
     .apply = apply_revoke,
     .finish = finish_revoke},
    {.info = {"bondy.ticket.revoke_all", NULL, 2, 2, 'R',
              "realm, authid, scope=, client_id=, device_id=, dry_run=",
              "ends all tickets of a user, or those of a scope, client or device", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &revoked,
     .run = run_revoke_all,
     .apply = apply_revoke,
     .finish = finish_revoke},
    {.info = {.uri = NULL}}};

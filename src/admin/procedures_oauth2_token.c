/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_oauth2_token: bondy.oauth2.token.*: tokens issued, refreshed, listed and ended without
 * the endpoints of the gateway. wamp-admin-api.md 2.8; oauth2-oidc.md 3.7. */
#include <sodium.h>
#include <string.h>

#include "src/admin/procedures_user.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/stored.h"
#include "src/security/token/refresh.h"
#include "src/wamp/errors.h"

#define RESOURCE "bondy.oauth2.token"

/* ---- what issue and refresh share -------------------------------------------------------------*/

struct issuing {
    const struct bondy_token_rules *rules;
    struct bondy_refresh_use use; /* zeroed: there is none */
    struct bondy_name client;
    struct bondy_access_token access;
};

static void free_issuing(void *state)
{
    struct issuing *issuing = state;

    bondy_refresh_use_fini(&issuing->use);
    bondy_access_fini(&issuing->access);
    bondy_free(issuing);
}

static struct issuing *begin_issuing(struct bondy_admin_call *call)
{
    struct issuing *issuing = bondy_zalloc(sizeof *issuing);

    issuing->rules = bondy_token_settings_now(call->node->tokens);
    call->state = issuing;
    call->free_state = free_issuing;
    return issuing;
}

static bool may_issue(struct bondy_admin_call *call)
{
    if (bondy_admin_may(call, BONDY_PERMISSION_ISSUE, RESOURCE, BONDY_SLICE_EMPTY))
        return true;
    bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED,
                                           "Permission denied. This needs permission "
                                           "'bondy.issue' on '" RESOURCE "'",
                                           ""));
    return false;
}

/* The rest of `issue` is filled. */
static int make_access(struct bondy_admin_call *call, const struct bondy_store_view *view,
                       struct bondy_access_issue *issue)
{
    struct issuing *issuing = call->state;
    struct bondy_realm *authrealm =
        bondy_realm_read(call->node->rules, view, bondy_slice_text(issue->user->authrealm));
    int rc = BONDY_ENOENT;

    issue->rules = issuing->rules;
    issue->realm = call->realm;
    issue->authrealm = authrealm;
    issue->lifetime_s = issuing->rules->password_s;
    if (authrealm != NULL)
        rc = bondy_access_make(issue, &issuing->access, NULL);
    bondy_realm_unref(authrealm);
    if (rc == BONDY_OK)
        return BONDY_OK;
    return bondy_admin_fail(call,
                            bondy_problem(BONDY_ERR_UNAVAILABLE,
                                          "The realm has no signing key yet.", "Try again later."));
}

/* As the token endpoint answers (oauth2-oidc.md 3.3). */
static void answer_tokens(struct bondy_admin_call *call)
{
    struct issuing *issuing = call->state;
    struct bondy_buf scope = BONDY_BUF_EMPTY;
    size_t index;
    json_t *group;

    json_array_foreach(issuing->access.groups, index, group)
    {
        bondy_buf_printf(&scope, "%s%s", index > 0 ? "," : "", json_string_value(group));
    }
    call->value =
        json_pack("{s:s, s:s, s:I, s:o}", "token_type", "bearer", "access_token",
                  issuing->access.jws, "expires_in", (json_int_t)issuing->access.lifetime_s,
                  "scope", bondy_json_slice(bondy_buf_slice(&scope)));
    bondy_buf_fini(&scope);
    if (issuing->use.text[0] != '\0')
        json_object_set_new(call->value, "refresh_token", json_string(issuing->use.text));
}

static void set_target(struct bondy_admin_call *call, const char *id)
{
    bondy_free(call->target);
    call->target = bondy_strdup(id);
}

/* ---- get --------------------------------------------------------------------------------------*/

static void run_get(struct bondy_admin_call *call)
{
    json_t *info;

    if (!may_issue(call))
        return;
    if (!bondy_admin_may_be_given_tokens(call)) {
        bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED,
                                               "A session that authenticated so may have no token.",
                                               "security.ticket.authmethods says which may."));
        return;
    }
    begin_issuing(call);
    info = bondy_invocation_session_info(call->invocation);
    call->prepared = json_incref(json_object_get(info, "x_authroles"));
    json_decref(info);
    bondy_admin_go_on(call);
}

/* A session that chose some of its user's groups has a token for these. */
static bool has_fewer(const struct bondy_user *user, const json_t *chosen)
{
    const json_t *group;
    size_t index;

    if (!json_is_array(chosen))
        return false;
    json_array_foreach(user->groups, index, group)
    {
        if (!bondy_stored_list_has(chosen, bondy_slice_text(json_string_value(group))))
            return true;
    }
    return false;
}

static int read_get(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_access_issue issue = {0};
    struct issuing *issuing = call->state;
    struct bondy_user user;
    int rc;

    if (call->realm == NULL ||
        !bondy_user_resolve(view, call->realm, bondy_admin_authid(call), &user))
        return bondy_admin_fail(
            call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED, "Only users may have a token.", ""));
    issue.user = &user;
    if (has_fewer(&user, call->prepared))
        issue.only_groups = call->prepared;
    rc = make_access(call, view, &issue);
    bondy_user_fini(&user);
    if (rc == BONDY_OK)
        set_target(call, issuing->access.id);
    return rc;
}

static void finish_get(struct bondy_admin_call *call)
{
    if (call->problem != NULL)
        return;
    answer_tokens(call);
    bondy_admin_audit(call, NULL);
}

/* ---- refresh ----------------------------------------------------------------------------------*/

static json_t *invalid_grant(void)
{
    return bondy_problem(BONDY_ERR_INVALID_GRANT,
                         "The refresh token is invalid, has expired, was revoked or used, or was "
                         "issued to another client.",
                         "");
}

static void run_refresh(struct bondy_admin_call *call)
{
    struct issuing *issuing;

    if (!may_issue(call))
        return;
    issuing = begin_issuing(call);
    if (!bondy_name_fold(bondy_admin_text(call, 1), &issuing->client)) {
        bondy_admin_refuse(call,
                           bondy_admin_invalid("client_id", "The name of a client is expected."));
        return;
    }
    issuing->use = (struct bondy_refresh_use){.rules = issuing->rules,
                                              .realm = bondy_slice_text(call->realm->uri),
                                              .client_id = bondy_name_slice(&issuing->client),
                                              .given = bondy_admin_text(call, 2)};
    bondy_admin_go_on(call);
}

static int make_next(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct issuing *issuing = call->state;
    struct bondy_refresh_use *use = &issuing->use;
    struct bondy_access_issue issue = {.client_id = use->client_id,
                                       .device_id = bondy_slice_text(use->device_id),
                                       .sid = bondy_slice_text(use->id),
                                       .only_groups = use->only_groups};
    struct bondy_user user;
    int rc;

    if (!bondy_user_resolve(view, call->realm, bondy_slice_text(use->authid), &user))
        return bondy_admin_fail(call, invalid_grant());
    issue.user = &user;
    rc = make_access(call, view, &issue);
    bondy_user_fini(&user);
    use->access_end_ms = issuing->access.end_ms;
    return rc;
}

/* What is no good ends in the job: a reuse is written down. */
static int prepare_refresh(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct issuing *issuing = call->state;

    bondy_refresh_look(view, &issuing->use);
    set_target(call, issuing->use.id);
    return issuing->use.verdict == BONDY_REFRESH_GOOD ? make_next(call, view) : BONDY_OK;
}

static int apply_refresh(struct bondy_admin_call *call)
{
    struct issuing *issuing = call->state;

    return bondy_refresh_apply_rotate(&call->edit, &issuing->use);
}

static void audit_reuse(struct bondy_admin_call *call)
{
    struct bondy_buf target = BONDY_BUF_EMPTY;
    struct bondy_audit_entry entry = {.action = "token.reuse",
                                      .outcome = BONDY_AUDIT_DENIED,
                                      .realm = bondy_slice_text(call->realm->uri),
                                      .actor = bondy_admin_authid(call),
                                      .reason = BONDY_SLICE("reused"),
                                      .source_ip = bondy_admin_source(call),
                                      .request_id = bondy_admin_kwarg(call, "request_id")};

    bondy_buf_printf(&target, "tokens/%s", call->target);
    entry.target = bondy_buf_slice(&target);
    bondy_audit_write(call->node->audit, &entry, NULL);
    bondy_buf_fini(&target);
}

static void finish_refresh(struct bondy_admin_call *call)
{
    struct issuing *issuing = call->state;

    if (issuing->use.verdict == BONDY_REFRESH_REUSED && !call->is_dry_run)
        audit_reuse(call);
    /* Good only in the job: between both, the user came back. */
    if (issuing->use.verdict != BONDY_REFRESH_GOOD || issuing->access.jws == NULL)
        call->problem = invalid_grant();
    else if (!call->is_dry_run)
        answer_tokens(call);
}

/* ---- list and revoke --------------------------------------------------------------------------*/

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice name = bondy_admin_text(call, 1);
    struct bondy_user user;

    if (!bondy_user_resolve(view, call->realm, name, &user))
        return bondy_admin_fail(call, bondy_admin_no_user(BONDY_ERR_NO_SUCH_PRINCIPAL, name));
    call->value = bondy_refresh_list(view, call->realm, &user);
    bondy_user_fini(&user);
    return BONDY_OK;
}

/* The client as it is stored in `prepared`; null: any. False: it can be none. */
static bool read_client(struct bondy_admin_call *call, bool may_be_any)
{
    struct bondy_slice given = bondy_admin_text(call, 1);
    struct bondy_name name;

    if (may_be_any && (given.len == 0 || json_is_null(json_array_get(call->args, 1)))) {
        call->prepared = json_object();
        return true;
    }
    if (!bondy_name_fold(given, &name)) {
        bondy_admin_refuse(call,
                           bondy_admin_invalid("client_id", "The name of a client is expected."));
        return false;
    }
    call->prepared = json_pack("{s:s}", "client_id", name.text);
    return true;
}

/* Then what is given is an id. */
static struct bondy_slice user_of(const struct bondy_admin_call *call)
{
    struct bondy_slice authid = bondy_admin_text(call, 3);

    return authid.len > 0 ? authid : bondy_admin_kwarg(call, "authid");
}

static void run_revoke(struct bondy_admin_call *call)
{
    struct bondy_slice given = bondy_admin_text(call, 2);
    bool has_user = user_of(call).len > 0;
    struct bondy_refresh_parts parts;
    char id[BONDY_REFRESH_ID] = "unknown";

    if (!read_client(call, has_user))
        return;
    if (given.len == 0) {
        bondy_admin_refuse(call,
                           bondy_admin_invalid("refresh_token", "A token, or with authid its id."));
        return;
    }
    if (bondy_refresh_parse(given, &parts))
        bondy_refresh_id(&parts, id);
    set_target(call, id);
    if (has_user) {
        bondy_free(call->target);
        call->target = bondy_memdup0(given.data, given.len);
    }
    bondy_admin_go_on(call);
}

static int apply_revoke(struct bondy_admin_call *call)
{
    struct bondy_slice authid = user_of(call);

    if (authid.len > 0)
        return bondy_refresh_apply_revoke_id(&call->edit, bondy_admin_text(call, 0), authid,
                                             bondy_admin_text(call, 2));
    return bondy_refresh_apply_revoke(&call->edit, bondy_admin_text(call, 0),
                                      bondy_json_text(call->prepared, "client_id"),
                                      bondy_admin_text(call, 2));
}

static void run_revoke_all(struct bondy_admin_call *call)
{
    struct bondy_slice authid = bondy_admin_text(call, 2);

    if (!read_client(call, true))
        return;
    bondy_free(call->target);
    call->target = bondy_memdup0(authid.data, authid.len);
    bondy_admin_go_on(call);
}

static int apply_revoke_all(struct bondy_admin_call *call)
{
    return bondy_refresh_apply_revoke_user(&call->edit, bondy_admin_text(call, 0),
                                           bondy_admin_text(call, 2),
                                           bondy_json_text(call->prepared, "client_id"));
}

static void run_lookup(struct bondy_admin_call *call)
{
    bondy_admin_refuse(call,
                       bondy_problem(BONDY_ERR_DEPRECATED_PROCEDURE, "This procedure is no more.",
                                     "bondy.oauth2.token.list lists the tokens of a user."));
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const struct bondy_admin_kind issued = {.noun = "tokens", .action = "token.issue"};
static const struct bondy_admin_kind revoked = {.noun = "tokens", .action = "token.revoke"};
static const struct bondy_admin_kind revoked_all = {.noun = "users", .action = "token.revoke"};

static const char *const old_revoke[] = {"bondy.oauth2.revoke_token", NULL};
static const char *const old_revoke_all[] = {"bondy.oauth2.revoke_tokens", NULL};
static const char *const old_lookup[] = {"bondy.oauth2.lookup_token", NULL};

const struct bondy_procedure_row bondy_procedures_oauth2_token[] = {
    {.info = {RESOURCE ".get", NULL, 0, 0, 'A', "", "an access token for the session that asks",
              "0.1"},
     .flags = BONDY_ROW_OWN,
     .kind = &issued,
     .run = run_get,
     .read = read_get,
     .finish = finish_get},
    {.info = {RESOURCE ".refresh", NULL, 3, 3, 'R', "realm, client_id, refresh_token",
              "new tokens for a refresh token, which is used up", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &issued,
     .run = run_refresh,
     .prepare = prepare_refresh,
     .apply = apply_refresh,
     .finish = finish_refresh},
    {.info = {RESOURCE ".list", NULL, 2, 2, 'R', "realm, authid",
              "the refresh tokens of a user, without their text", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_list},
    {.info = {RESOURCE ".revoke", old_revoke, 3, 4, 'R',
              "realm, client_id, refresh_token or id, authid?, authid=",
              "ends a refresh token and the access tokens that came with it", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &revoked,
     .run = run_revoke,
     .apply = apply_revoke},
    {.info = {RESOURCE ".revoke_all", old_revoke_all, 3, 3, 'R', "realm, client_id, authid",
              "ends all refresh tokens of a user, or those of one client", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &revoked_all,
     .run = run_revoke_all,
     .apply = apply_revoke_all},
    {.info = {RESOURCE ".lookup", old_lookup, 0, 9, 'A', "", "answers that it is no more", "0.1"},
     .run = run_lookup},
    {.info = {.uri = NULL}}};

/* SPDX-License-Identifier: Apache-2.0 */

/* Logins with a signed token: tickets of the router's own and OAuth2 access tokens.
 * realms-and-security.md 4.2 and 5. On a pool thread. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/security/entity/group.h"
#include "src/security/entity/stored.h"
#include "src/security/login/login_local.h"
#include "src/security/token/access.h"
#include "src/security/token/tickets.h"
#include "src/security/credential/token.h"

#define LIFETIME_MAX 1000000000 /* `exp` below it is a lifetime */
#define ROLES_MAX 1000          /* of a ticket that are looked at */

static struct bondy_store_view *begin_view(const struct bondy_login *login)
{
    struct bondy_store_view *view = NULL;

    return bondy_store_view_begin(login->auth->options.store, &view, NULL) < 0 ? NULL : view;
}

/* Looks at `jws` from all sides. The claims of a good one are the caller's; NULL: it is not. */
static json_t *check_ticket(struct bondy_login *login, struct bondy_slice jws, bool is_cookie)
{
    const struct bondy_ticket_question question = {
        .realms = login->auth->options.realms,
        .realm = login->realm,
        .user = login->has_user ? &login->user : NULL,
        .may_lack_user = is_cookie,
        .takes_any_client = is_cookie,
        .jws = jws,
        .client_id = bondy_login_extra(login, "client_id"),
        .device_id = bondy_login_extra(login, "device_id"),
        .takes_unknown = login->auth->options.takes_unknown_tickets,
        .leeway_s = login->auth->options.leeway_s};
    struct bondy_store_view *view = begin_view(login);
    struct bondy_ticket_checked checked;

    if (view == NULL)
        return NULL;
    bondy_tickets_check(view, &question, &checked);
    bondy_store_view_end(view);
    if (checked.reason == NULL)
        return checked.claims;
    bondy_login_doom(login, checked.reason);
    json_decref(checked.claims);
    return NULL;
}

/* What a session remembers of its ticket. */
static json_t *keep_claims(const json_t *claims, const char *const *keys)
{
    json_t *kept = json_object();

    for (; *keys != NULL; keys++)
        if (json_object_get(claims, *keys) != NULL)
            json_object_set(kept, *keys, json_object_get(claims, *keys));
    return kept;
}

/* Of claims that were checked; those that are too far away to be counted in ms never come. */
static void end_at(struct bondy_login *login, json_int_t seconds)
{
    login->answer.expires_ms =
        seconds > 0 && seconds < INT64_MAX / 1000 ? (uint64_t)seconds * 1000 : 0;
}

bool bondy_login_verify_ticket(struct bondy_login *login)
{
    static const char *const kept[] = {"id", "authrealm", "scope", NULL};
    json_t *claims = check_ticket(login, bondy_login_signature(login), false);

    if (claims == NULL)
        return false;
    login->ticket = keep_claims(claims, kept);
    end_at(login, json_integer_value(json_object_get(claims, "expires_at")));
    json_decref(claims);
    return true;
}

/* The roles that an identity provider gave and the realm has as groups; NULL: the ticket says
 * nothing of roles, and a user's groups count. */
static json_t *read_grant(const struct bondy_login *login, const json_t *claims)
{
    const json_t *roles = json_object_get(claims, "authroles"), *role;
    struct bondy_store_view *view;
    json_t *granted;
    size_t index;

    if (!json_is_array(roles) && login->has_user)
        return NULL;
    granted = json_array();
    if ((view = begin_view(login)) == NULL)
        return granted;
    json_array_foreach((json_t *)(uintptr_t)roles, index, role)
    {
        struct bondy_name name;

        if (index == ROLES_MAX)
            break;
        if (json_is_string(role) &&
            bondy_name_fold(bondy_slice_text(json_string_value(role)), &name) &&
            !bondy_slice_is(bondy_name_slice(&name), "anonymous") &&
            bondy_group_is_known(view, login->realm, bondy_name_slice(&name)))
            json_array_append_new(granted, json_string(name.text));
    }
    bondy_store_view_end(view);
    return granted;
}

bool bondy_login_verify_cookie(struct bondy_login *login)
{
    static const char *const kept[] = {"id",    "authrealm",     "authmethod",
                                       "scope", "oidc_provider", NULL};
    json_t *claims = check_ticket(login, login->cookie, true);

    if (claims == NULL)
        return false;
    login->ticket = keep_claims(claims, kept);
    login->granted = read_grant(login, claims);
    json_decref(claims);
    return true;
}

/* A token that is limited to some groups gives no others, whatever was chosen. */
static void limit_groups(struct bondy_login *login, const json_t *claims)
{
    size_t index = 0;

    login->granted = bondy_access_groups(&login->user, claims);
    while (login->granted != NULL && index < json_array_size(login->chosen)) {
        json_t *role = json_array_get(login->chosen, index);

        if (bondy_stored_list_has(login->granted, bondy_slice_text(json_string_value(role)))) {
            index++;
            continue;
        }
        json_array_append(login->bad_roles, role);
        json_array_remove(login->chosen, index);
    }
}

static const char *check_token(struct bondy_login *login, const struct bondy_realm *authrealm,
                               const struct bondy_token *token)
{
    const struct bondy_token_expect expect = {.realm = bondy_slice_text(login->realm->uri),
                                              .authrealm = bondy_slice_text(authrealm->uri),
                                              .authid = bondy_slice_text(login->user.username),
                                              .now = (int64_t)(bondy_clock_wall_ms() / 1000),
                                              .leeway = login->auth->options.leeway_s};
    struct bondy_token_verdict verdict = bondy_token_check_access(token, &expect);
    struct bondy_store_view *view;
    const char *wrong;

    if (verdict.reason != BONDY_TOKEN_OK)
        return "invalid_token";
    if ((view = begin_view(login)) == NULL)
        return "store";
    wrong = bondy_access_standing(view, login->realm, &login->user, token->claims);
    bondy_store_view_end(view);
    if (wrong == NULL)
        limit_groups(login, token->claims);
    return wrong;
}

/* http-gateway.md 2.4: before version 1.1 the issuer was the client. */
static struct bondy_slice client_of(const json_t *claims)
{
    const json_t *scope = json_object_get(json_object_get(claims, "auth"), "scope");
    struct bondy_slice client = bondy_json_text(claims, "client_id");

    if (client.len == 0)
        client = bondy_json_text(scope, "client_id");
    if (client.len == 0 && json_object_get(claims, "auth") == NULL)
        client = bondy_json_text(claims, "iss");
    return client;
}

/* What is asked of it later. */
static void keep_token(struct bondy_login *login, const json_t *claims)
{
    static const char *const keys[] = {"client_device_id", NULL};
    const json_t *auth = json_object_get(claims, "auth");
    json_t *roles = json_object_get(auth, "roles");
    json_int_t end = json_integer_value(json_object_get(claims, "exp"));

    if (roles == NULL)
        roles = json_object_get(claims, "groups");
    login->token = keep_claims(json_object_get(claims, "meta"), keys);
    if (client_of(claims).len > 0)
        json_object_set_new(login->token, "client_id", bondy_json_slice(client_of(claims)));
    if (json_is_array(roles))
        json_object_set_new(login->token, "roles", json_deep_copy(roles));
    if (end < LIFETIME_MAX)
        end += json_integer_value(json_object_get(claims, "iat"));
    end_at(login, end);
}

bool bondy_login_verify_token(struct bondy_login *login)
{
    const struct bondy_realm *authrealm = NULL;
    const struct bondy_key *key = NULL;
    struct bondy_token peeked, token;
    const char *wrong = "bad_signature";

    if (bondy_token_peek(bondy_login_signature(login), &peeked, NULL) < 0)
        return false;
    authrealm =
        bondy_realms_find(login->auth->options.realms, bondy_json_text(peeked.claims, "aud"));
    if (authrealm != NULL)
        key = bondy_realm_find_key(authrealm, peeked.kid, bondy_clock_wall_ms());
    bondy_token_fini(&peeked);
    if (key == NULL || bondy_token_verify(bondy_login_signature(login), key, &token, NULL) < 0) {
        bondy_login_doom(login, key == NULL ? "unknown_key" : "bad_signature");
        return false;
    }
    /* Only now: a signature that takes no time to check would tell who does not exist. */
    wrong = login->has_user ? check_token(login, authrealm, &token) : "unknown_user";
    if (wrong == NULL)
        keep_token(login, token.claims);
    bondy_token_fini(&token);
    if (wrong != NULL)
        bondy_login_doom(login, wrong);
    return wrong == NULL;
}

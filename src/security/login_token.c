/* SPDX-License-Identifier: Apache-2.0 */

/* Logins with a signed token: tickets of the router's own and OAuth2 access tokens.
 * realms-and-security.md 4.2 and 5. On a pool thread. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/security/login_local.h"
#include "src/security/tickets.h"
#include "src/security/token.h"

static struct bondy_store_view *begin_view(const struct bondy_login *login)
{
    struct bondy_store_view *view = NULL;

    return bondy_store_view_begin(login->auth->options.store, &view, NULL) < 0 ? NULL : view;
}

bool bondy_login_verify_ticket(struct bondy_login *login)
{
    const struct bondy_ticket_question question = {
        .realms = login->auth->options.realms,
        .realm = login->realm,
        .user = login->has_user ? &login->user : NULL,
        .jws = bondy_login_signature(login),
        .client_id = bondy_login_extra(login, "client_id"),
        .device_id = bondy_login_extra(login, "device_id"),
        .takes_unknown = login->auth->options.takes_unknown_tickets,
        .leeway_s = login->auth->options.leeway_s};
    struct bondy_store_view *view = begin_view(login);
    struct bondy_ticket_checked checked;

    if (view == NULL)
        return false;
    bondy_tickets_check(view, &question, &checked);
    bondy_store_view_end(view);
    if (checked.reason != NULL)
        bondy_login_doom(login, checked.reason);
    else
        login->ticket = json_pack("{s:O, s:O, s:O}", "id", json_object_get(checked.claims, "id"),
                                  "authrealm", json_object_get(checked.claims, "authrealm"),
                                  "scope", json_object_get(checked.claims, "scope"));
    json_decref(checked.claims);
    return checked.reason == NULL;
}

/* `iat` is whole seconds: a token of the second in which credentials changed is none. */
static const char *check_token(struct bondy_login *login, const struct bondy_realm *authrealm,
                               const struct bondy_token *token)
{
    const struct bondy_token_expect expect = {.realm = bondy_slice_text(login->realm->uri),
                                              .authrealm = bondy_slice_text(authrealm->uri),
                                              .authid = bondy_slice_text(login->user.username),
                                              .now = (int64_t)(bondy_clock_wall_ms() / 1000),
                                              .leeway = login->auth->options.leeway_s};
    struct bondy_token_verdict verdict = bondy_token_check_access(token, &expect);
    uint64_t issued_ms =
        (uint64_t)json_integer_value(json_object_get(token->claims, "iat")) * 1000 + 999;
    struct bondy_store_view *view;
    bool is_revoked;

    if (verdict.reason != BONDY_TOKEN_OK)
        return "invalid_token";
    if (strcmp(login->user.authrealm, authrealm->uri) != 0)
        return "wrong_realm";
    if ((view = begin_view(login)) == NULL)
        return "store";
    is_revoked = issued_ms < bondy_tickets_valid_since(view, login->realm, &login->user);
    bondy_store_view_end(view);
    return is_revoked ? "revoked" : NULL;
}

bool bondy_login_verify_token(struct bondy_login *login)
{
    const struct bondy_realm *authrealm = NULL;
    const struct bondy_key *key = NULL;
    struct bondy_token peeked, token;
    const char *wrong = "bad_signature";

    if (!login->has_user || bondy_token_peek(bondy_login_signature(login), &peeked, NULL) < 0)
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
    wrong = check_token(login, authrealm, &token);
    bondy_token_fini(&token);
    if (wrong != NULL)
        bondy_login_doom(login, wrong);
    return wrong == NULL;
}

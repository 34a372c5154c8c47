/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/access.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/security/credential/token.h"
#include "src/security/entity/stored.h"
#include "src/security/token/denied.h"
#include "src/security/token/record.h"
#include "src/security/token/tickets.h"

#define VERSION "1.1"
#define TYP_BONDY "JWT"
#define TYP_RFC9068 "at+jwt"

/* ---- claims ---------------------------------------------------------------------------------- */

static json_t *or_all(struct bondy_slice text)
{
    return text.len == 0 ? json_string("all") : bondy_json_slice(text);
}

/* Those of `groups` that are in `only` too; the caller owns it. */
static json_t *intersect(const json_t *groups, const json_t *only)
{
    json_t *out = json_array();
    const json_t *group;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)groups, index, group)
    {
        if (only == NULL || bondy_stored_list_has(only, bondy_slice_of(json_string_value(group),
                                                                       json_string_length(group))))
            json_array_append_new(out, json_string(json_string_value(group)));
    }
    return out;
}

static json_t *joined(const json_t *groups)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const json_t *group;
    json_t *out;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)groups, index, group)
    {
        bondy_buf_printf(&text, "%s%s", index > 0 ? " " : "", json_string_value(group));
    }
    out = bondy_json_slice(bondy_buf_slice(&text));
    bondy_buf_fini(&text);
    return out;
}

static json_t *issuer(const struct bondy_access_issue *issue)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *out;

    if (issue->host.len == 0)
        return json_string(issue->authrealm->uri);
    bondy_buf_printf(&text, BONDY_SLICE_FMT "/%s", BONDY_SLICE_ARG(issue->host),
                     issue->authrealm->uri);
    out = bondy_json_slice(bondy_buf_slice(&text));
    bondy_buf_fini(&text);
    return out;
}

static json_t *meta_of(const struct bondy_access_issue *issue)
{
    json_t *meta = json_is_object(issue->user->meta) ? json_copy(issue->user->meta) : json_object();

    if (issue->device_id.len > 0)
        json_object_set_new(meta, "client_device_id", bondy_json_slice(issue->device_id));
    return meta;
}

/* Who is authenticated by another realm may go to all that it authenticates for. */
static json_t *auth_of(const struct bondy_access_issue *issue, json_t *groups)
{
    bool is_sso = strcmp(issue->authrealm->uri, issue->realm->uri) != 0;
    json_t *auth =
        json_pack("{s:{s:s, s:o, s:o}, s:O}", "scope", "realm", is_sso ? "all" : issue->realm->uri,
                  "client_id", or_all(issue->client_id), "device_id", or_all(issue->device_id),
                  "roles", groups);

    if (issue->only_groups != NULL)
        json_object_set_new(auth, "limited", json_true());
    if (issue->rules->is_bondy_format)
        json_object_set_new(auth, "grants", json_array());
    return auth;
}

/* Both forms have these; `ugen` and `iat_ms` are what checks of standing are made with. */
static json_t *common_claims(const struct bondy_access_issue *issue,
                             const struct bondy_access_token *out, const struct bondy_key *key,
                             uint64_t now_ms)
{
    json_t *claims = json_pack(
        "{s:s, s:s, s:I, s:s, s:s, s:o, s:s, s:s, s:o, s:O, s:o, s:I, s:I}", "id", out->id, "vsn",
        VERSION, "iat", (json_int_t)(now_ms / 1000), "ion", issue->rules->node_name, "kid",
        key->kid, "iss", issuer(issue), "aud", issue->authrealm->uri, "sub", issue->user->username,
        "auth", auth_of(issue, out->groups), "groups", out->groups, "meta", meta_of(issue),
        "iat_ms", (json_int_t)now_ms, "ugen", (json_int_t)issue->user->auth_ugen);

    if (issue->sid.len > 0)
        json_object_set_new(claims, "sid", bondy_json_slice(issue->sid));
    return claims;
}

static json_t *make_claims(const struct bondy_access_issue *issue,
                           const struct bondy_access_token *out, const struct bondy_key *key,
                           uint64_t now_ms)
{
    json_t *claims = common_claims(issue, out, key, now_ms);
    json_int_t start = (json_int_t)(now_ms / 1000);

    if (issue->rules->is_bondy_format) {
        json_object_set_new(claims, "exp", json_integer(issue->lifetime_s));
        return claims;
    }
    json_object_set_new(claims, "exp", json_integer(start + issue->lifetime_s));
    json_object_set_new(claims, "nbf", json_integer(start));
    json_object_set_new(claims, "jti", json_string(out->id));
    json_object_set_new(claims, "client_id", or_all(issue->client_id));
    json_object_set_new(claims, "scope", joined(out->groups));
    return claims;
}

int bondy_access_make(const struct bondy_access_issue *issue, struct bondy_access_token *out,
                      struct bondy_error *err)
{
    const struct bondy_key *key = bondy_realm_signing_key(issue->authrealm);
    uint64_t now_ms = bondy_clock_wall_ms();
    json_t *claims;
    int rc;

    *out = (struct bondy_access_token){.lifetime_s = issue->lifetime_s};
    if (key == NULL)
        return bondy_fail(err, BONDY_ENOENT, "realm %s has no signing key yet",
                          issue->authrealm->uri);
    bondy_id_uuid7(out->id);
    out->groups = intersect(issue->user->groups, issue->only_groups);
    out->end_ms = (now_ms / 1000 + issue->lifetime_s + BONDY_TOKEN_LEEWAY_MAX) * 1000;
    claims = make_claims(issue, out, key, now_ms);
    rc = bondy_token_sign(claims, issue->rules->is_bondy_format ? TYP_BONDY : TYP_RFC9068, key,
                          &out->jws, err);
    json_decref(claims);
    if (rc < 0)
        bondy_access_fini(out);
    return rc;
}

void bondy_access_fini(struct bondy_access_token *access)
{
    bondy_stored_wipe(BONDY_MOVE(access->jws));
    json_decref(BONDY_MOVE(access->groups));
}

/* ---- checking -------------------------------------------------------------------------------- */

/* Whole seconds count to the end of that second, so that a token is good that was got right after
 * the password was changed. */
static uint64_t issued_ms(const json_t *claims)
{
    const json_t *exact = json_object_get(claims, "iat_ms");

    return json_is_integer(exact)
               ? (uint64_t)json_integer_value(exact)
               : (uint64_t)json_integer_value(json_object_get(claims, "iat")) * 1000 + 999;
}

static bool is_denied(const struct bondy_store_view *view, const struct bondy_realm *realm,
                      const struct bondy_user *user, const json_t *claims)
{
    struct bondy_realm *authrealm;
    bool is_it = true;

    if (strcmp(realm->uri, user->authrealm) == 0)
        return bondy_denied_has(view, realm, claims);
    authrealm = bondy_realm_read_plain(NULL, view, bondy_slice_text(user->authrealm));
    if (authrealm != NULL)
        is_it = bondy_denied_has(view, authrealm, claims);
    bondy_realm_unref(authrealm);
    return is_it;
}

const char *bondy_access_standing(const struct bondy_store_view *view,
                                  const struct bondy_realm *realm, const struct bondy_user *user,
                                  const json_t *claims)
{
    const json_t *ugen = json_object_get(claims, "ugen");

    if (!bondy_slice_is(bondy_json_text(claims, "aud"), user->authrealm))
        return "wrong_realm";
    if (json_is_integer(ugen) && json_integer_value(ugen) != (json_int_t)user->auth_ugen)
        return "revoked";
    if (issued_ms(claims) < bondy_tickets_valid_since(view, realm, user) ||
        is_denied(view, realm, user, claims))
        return "revoked";
    return NULL;
}

json_t *bondy_access_groups(const struct bondy_user *user, const json_t *claims)
{
    const json_t *auth = json_object_get(claims, "auth");

    if (!json_is_true(json_object_get(auth, "limited")))
        return NULL;
    return intersect(user->groups, json_object_get(auth, "roles"));
}

static const char *check_verified(const struct bondy_store_view *view,
                                  const struct bondy_access_question *question,
                                  const struct bondy_realm *authrealm,
                                  const struct bondy_token *token)
{
    const struct bondy_token_expect expect = {.realm = bondy_slice_text(question->realm->uri),
                                              .authrealm = bondy_slice_text(authrealm->uri),
                                              .now = (int64_t)(bondy_clock_wall_ms() / 1000),
                                              .leeway = question->leeway_s};
    struct bondy_slice subject = bondy_json_text(token->claims, "sub");
    struct bondy_user user;
    const char *reason;

    if (bondy_token_check_access(token, &expect).reason != BONDY_TOKEN_OK)
        return "invalid_token";
    if (!bondy_user_resolve(view, question->realm, subject, &user))
        return "unknown_user";
    if (!bondy_slice_is(subject, user.username))
        reason = "unknown_user";
    else if (!user.is_enabled)
        reason = "disabled_user";
    else
        reason = bondy_access_standing(view, question->realm, &user, token->claims);
    bondy_user_fini(&user);
    return reason;
}

void bondy_access_check(const struct bondy_store_view *view,
                        const struct bondy_access_question *question,
                        struct bondy_access_checked *out)
{
    const struct bondy_realm *authrealm;
    const struct bondy_key *key;
    struct bondy_token peeked, token;

    *out = (struct bondy_access_checked){.reason = "malformed"};
    if (bondy_token_peek(question->jws, &peeked, NULL) < 0)
        return;
    authrealm = bondy_realms_find(question->realms, bondy_json_text(peeked.claims, "aud"));
    key = authrealm == NULL ? NULL
                            : bondy_realm_find_key(authrealm, peeked.kid, bondy_clock_wall_ms());
    bondy_token_fini(&peeked);
    out->reason = "unknown_key";
    if (key == NULL)
        return;
    out->reason = "bad_signature";
    if (bondy_token_verify(question->jws, key, &token, NULL) < 0)
        return;
    out->reason = check_verified(view, question, authrealm, &token);
    out->claims = json_incref(token.claims);
    bondy_token_fini(&token);
}

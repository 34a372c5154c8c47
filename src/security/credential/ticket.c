/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/ticket.h"

#include <sodium.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/base/utf8.h"
#include "src/security/credential/kdf.h"
#include "src/security/credential/token_read.h"

#define ALL "all"

/* ---- scopes ------------------------------------------------------------------------------ */

static const struct scope {
    const char *name;
    const char *resource;
} scopes[] = {
    [BONDY_TICKET_LOCAL] = {"local", "bondy.ticket.scope.local"},
    [BONDY_TICKET_SSO] = {"sso", "bondy.ticket.scope.sso"},
    [BONDY_TICKET_CLIENT_LOCAL] = {"client_local", "bondy.ticket.scope.client_local"},
    [BONDY_TICKET_CLIENT_SSO] = {"client_sso", "bondy.ticket.scope.client_sso"},
};

const char *bondy_ticket_scope_name(enum bondy_ticket_scope scope)
{
    return scopes[scope].name;
}

const char *bondy_ticket_scope_resource(enum bondy_ticket_scope scope)
{
    return scopes[scope].resource;
}

/* A member of `scope`; empty for all. */
static struct bondy_slice scope_member(const json_t *claims, const char *key)
{
    struct bondy_slice value = bondy_json_text(json_object_get(claims, "scope"), key);

    return bondy_slice_is(value, ALL) ? BONDY_SLICE_EMPTY : value;
}

enum bondy_ticket_scope bondy_ticket_scope_of(const json_t *claims)
{
    bool is_sso = scope_member(claims, "realm").len == 0;

    if (scope_member(claims, "client_id").len == 0)
        return is_sso ? BONDY_TICKET_SSO : BONDY_TICKET_LOCAL;
    return is_sso ? BONDY_TICKET_CLIENT_SSO : BONDY_TICKET_CLIENT_LOCAL;
}

void bondy_ticket_slot(const json_t *claims, char out[BONDY_TICKET_SLOT_TEXT])
{
    static const char *const members[] = {"realm", "client_id", "device_id"};
    const char *name = bondy_ticket_scope_name(bondy_ticket_scope_of(claims));
    struct bondy_buf all = BONDY_BUF_EMPTY;
    uint8_t digest[BONDY_KDF_LEN];
    char text[sodium_base64_ENCODED_LEN(BONDY_KDF_LEN, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

    /* Hashed, because a realm and two ids can be longer than a store key; with lengths, so that no
     * two sets give the same octets. */
    for (size_t i = 0; i < BONDY_COUNT(members); i++) {
        struct bondy_slice value = scope_member(claims, members[i]);

        bondy_buf_printf(&all, "%zu:", value.len);
        bondy_buf_append_slice(&all, value);
    }
    bondy_sha256(bondy_buf_slice(&all), digest);
    bondy_buf_fini(&all);
    sodium_bin2base64(text, sizeof text, digest, sizeof digest,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out, BONDY_TICKET_SLOT_TEXT, "%s:%s", name, text);
}

/* ---- issuing ----------------------------------------------------------------------------- */

bool bondy_ticket_id_is_valid(struct bondy_slice id)
{
    uint32_t code_point;

    if (id.len == 0 || id.len > BONDY_TICKET_ID_MAX || bondy_slice_is(id, ALL) ||
        !bondy_utf8_is_valid(id))
        return false;
    for (size_t taken; (taken = bondy_utf8_decode(id, &code_point)) > 0;) {
        if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0))
            return false;
        id = bondy_slice_skip(id, taken);
    }
    return true;
}

static json_t *text_or_all(struct bondy_slice text)
{
    return text.len == 0 ? json_string(ALL) : bondy_json_slice(text);
}

json_t *bondy_ticket_claims(const struct bondy_ticket_issue *issue)
{
    json_t *claims = json_object();
    json_t *scope = json_object();
    int64_t expires_at;
    char id[37];

    BONDY_BUG_ON(issue->lifetime <= 0 || issue->now < 0);
    if (__builtin_add_overflow(issue->now, issue->lifetime, &expires_at))
        expires_at = INT64_MAX;
    bondy_id_uuid4(id);
    bondy_json_with(scope, "realm", text_or_all(issue->realm));
    bondy_json_with(scope, "client_id", text_or_all(issue->client_id));
    bondy_json_with(scope, "device_id", text_or_all(issue->device_id));
    bondy_json_with(claims, "id", json_string(id));
    bondy_json_with(claims, "authrealm", bondy_json_slice(issue->authrealm));
    bondy_json_with(claims, "authid", bondy_json_slice(issue->authid));
    bondy_json_with(claims, "authmethod", bondy_json_slice(issue->authmethod));
    bondy_json_with(claims, "issued_by",
                    bondy_json_slice(issue->client_id.len > 0 ? issue->client_id : issue->authid));
    bondy_json_with(claims, "issued_on", json_string(issue->node));
    bondy_json_with(claims, "issued_at", json_integer(issue->now));
    bondy_json_with(claims, "expires_at", json_integer(expires_at));
    bondy_json_with(claims, "scope", scope);
    return bondy_json_with(claims, "kid", json_string(issue->kid));
}

json_t *bondy_ticket_external(const json_t *claims, const char *jws)
{
    static const char *const keys[] = {"id", "issued_at", "expires_at", "scope"};
    json_t *external = bondy_json_with(json_object(), "ticket", json_string(jws));

    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        bondy_json_with(external, keys[i], json_deep_copy(json_object_get(claims, keys[i])));
    return external;
}

struct bondy_slice bondy_ticket_authrealm(const json_t *claims)
{
    return bondy_json_text(claims, "authrealm");
}

/* ---- checking ---------------------------------------------------------------------------- */

static struct bondy_token_verdict check_form(const struct bondy_token *token,
                                             const struct bondy_token_expect *expect)
{
    static const char *const texts[] = {"id", "authrealm", "authid", "authmethod", "kid"};

    (void)expect;
    if (!bondy_slice_is(token->typ, BONDY_TICKET_TYP))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_TYPE, "typ");
    for (size_t i = 0; i < BONDY_COUNT(texts); i++)
        if (bondy_json_text(token->claims, texts[i]).len == 0)
            return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, texts[i]);
    /* The key is named by the header and again by what it signs. */
    if (!bondy_slice_eq(bondy_json_text(token->header, "kid"),
                        bondy_json_text(token->claims, "kid")))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "kid");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

/* Whoever reads a scope takes absent, null and "all" for all; anything else must be text. */
static struct bondy_token_verdict check_scope(const struct bondy_token *token,
                                              const struct bondy_token_expect *expect)
{
    static const char *const members[] = {"realm", "client_id", "device_id"};
    const json_t *scope = json_object_get(token->claims, "scope");

    (void)expect;
    if (!json_is_object(scope))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "scope");
    for (size_t i = 0; i < BONDY_COUNT(members); i++) {
        const json_t *value = json_object_get(scope, members[i]);

        if (value != NULL && !json_is_null(value) &&
            (!json_is_string(value) || json_string_length(value) == 0))
            return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "scope");
    }
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

static struct bondy_token_verdict check_life(const struct bondy_token *token,
                                             const struct bondy_token_expect *expect)
{
    int64_t start, end;

    if (!bondy_claim_seconds(token->claims, "issued_at", &start))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "issued_at");
    if (!bondy_claim_seconds(token->claims, "expires_at", &end) || end <= start)
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "expires_at");
    if (bondy_claim_is_over(end, expect->now, expect->leeway))
        return bondy_claim_refuse(BONDY_TOKEN_EXPIRED, "expires_at");
    if (bondy_claim_is_ahead(start, expect->now, expect->leeway))
        return bondy_claim_refuse(BONDY_TOKEN_NOT_YET, "issued_at");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

/* A member of the scope that binds must be what the login says. */
static bool is_bound_elsewhere(const json_t *claims, const char *key, struct bondy_slice given)
{
    struct bondy_slice bound = scope_member(claims, key);

    return bound.len > 0 && !bondy_slice_eq(bound, given);
}

static struct bondy_token_verdict check_use(const struct bondy_token *token,
                                            const struct bondy_token_expect *expect)
{
    const json_t *claims = token->claims;

    if (!bondy_slice_eq(bondy_ticket_authrealm(claims), expect->authrealm))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_ISSUER, "authrealm");
    if (is_bound_elsewhere(claims, "realm", expect->realm))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_REALM, "scope.realm");
    if (expect->authid.len > 0 &&
        !bondy_slice_eq(bondy_json_text(claims, "authid"), expect->authid))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_SUBJECT, "authid");
    if (is_bound_elsewhere(claims, "client_id", expect->client_id))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_CLIENT, "scope.client_id");
    if (is_bound_elsewhere(claims, "device_id", expect->device_id))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_DEVICE, "scope.device_id");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

struct bondy_token_verdict bondy_ticket_check(const struct bondy_token *token,
                                              const struct bondy_token_expect *expect)
{
    static const bondy_claim_check_fn checks[] = {check_form, check_scope, check_life, check_use};

    return bondy_claim_check_all(checks, BONDY_COUNT(checks), token, expect);
}

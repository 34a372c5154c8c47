/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/security/credential/token.h"
#include "src/security/credential/token_read.h"

/* Below it `exp` is the lifetime of Bondy's own form; as an instant it would be the year 2001. */
#define LIFETIME_MAX 1000000000

const char *bondy_token_reason_text(enum bondy_token_reason reason)
{
    static const char *const texts[] = {
        [BONDY_TOKEN_OK] = "is valid",
        [BONDY_TOKEN_MALFORMED] = "is malformed",
        [BONDY_TOKEN_WRONG_TYPE] = "is of another type",
        [BONDY_TOKEN_EXPIRED] = "has expired",
        [BONDY_TOKEN_NOT_YET] = "is not valid yet",
        [BONDY_TOKEN_WRONG_ISSUER] = "has another issuer",
        [BONDY_TOKEN_WRONG_AUDIENCE] = "is for another audience",
        [BONDY_TOKEN_WRONG_REALM] = "is not for this realm",
        [BONDY_TOKEN_WRONG_SUBJECT] = "belongs to another user",
        [BONDY_TOKEN_WRONG_CLIENT] = "is bound to another client",
        [BONDY_TOKEN_WRONG_DEVICE] = "is bound to another device",
    };

    return texts[reason];
}

/* ---- times ------------------------------------------------------------------------------- */

bool bondy_claim_seconds(const json_t *claims, const char *key, int64_t *out)
{
    const json_t *value = json_object_get(claims, key);

    *out = json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
    return *out >= 0;
}

int64_t bondy_claim_leeway(int64_t leeway)
{
    if (leeway < 0)
        return 0;
    return leeway > BONDY_TOKEN_LEEWAY_MAX ? BONDY_TOKEN_LEEWAY_MAX : leeway;
}

/* Both sides are moved so that nothing can pass 2^63: instants are not negative, leeway is small.
 */
bool bondy_claim_is_over(int64_t end, int64_t now, int64_t leeway)
{
    return end <= (now < 0 ? 0 : now) - bondy_claim_leeway(leeway);
}

bool bondy_claim_is_ahead(int64_t start, int64_t now, int64_t leeway)
{
    return start - bondy_claim_leeway(leeway) > (now < 0 ? 0 : now);
}

struct bondy_token_verdict bondy_claim_refuse(enum bondy_token_reason reason, const char *claim)
{
    return (struct bondy_token_verdict){reason, claim};
}

/* The claims that say from when: optional. */
static struct bondy_token_verdict check_starts(const json_t *claims, int64_t now, int64_t leeway)
{
    static const char *const keys[] = {"nbf", "iat"};
    int64_t start;

    for (size_t i = 0; i < BONDY_COUNT(keys); i++) {
        if (json_object_get(claims, keys[i]) == NULL)
            continue;
        if (!bondy_claim_seconds(claims, keys[i], &start))
            return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, keys[i]);
        if (bondy_claim_is_ahead(start, now, leeway))
            return bondy_claim_refuse(BONDY_TOKEN_NOT_YET, keys[i]);
    }
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

static struct bondy_token_verdict check_all_times(const json_t *claims, int64_t end, int64_t now,
                                                  int64_t leeway)
{
    struct bondy_token_verdict verdict = check_starts(claims, now, leeway);

    if (verdict.reason == BONDY_TOKEN_MALFORMED)
        return verdict;
    if (bondy_claim_is_over(end, now, leeway))
        return bondy_claim_refuse(BONDY_TOKEN_EXPIRED, "exp");
    return verdict;
}

struct bondy_token_verdict bondy_token_check_times(const json_t *claims, int64_t now,
                                                   int64_t leeway)
{
    int64_t end;

    if (!bondy_claim_seconds(claims, "exp", &end))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "exp");
    return check_all_times(claims, end, now, leeway);
}

/* ---- access tokens ----------------------------------------------------------------------- */

static bool is_rfc9068(const struct bondy_token *token)
{
    return bondy_slice_is(token->typ, "at+jwt") || bondy_slice_is(token->typ, "application/at+jwt");
}

/* Bondy's form before 1.1 has no `vsn`, and says less. */
static bool is_first_version(const struct bondy_token *token)
{
    return !is_rfc9068(token) && (json_object_get(token->claims, "vsn") == NULL ||
                                  bondy_slice_is(bondy_json_text(token->claims, "vsn"), "1.0"));
}

static struct bondy_token_verdict check_form(const struct bondy_token *token,
                                             const struct bondy_token_expect *expect)
{
    (void)expect;
    if (token->typ.len > 0 && !bondy_slice_is(token->typ, "JWT") && !is_rfc9068(token))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_TYPE, "typ");
    if (bondy_json_text(token->claims, "id").len == 0 &&
        bondy_json_text(token->claims, "jti").len == 0)
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "id");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

static struct bondy_token_verdict check_life(const struct bondy_token *token,
                                             const struct bondy_token_expect *expect)
{
    int64_t end, start;

    if (!bondy_claim_seconds(token->claims, "iat", &start))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "iat");
    if (!bondy_claim_seconds(token->claims, "exp", &end))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "exp");
    if (end < LIFETIME_MAX && __builtin_add_overflow(start, end, &end))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "exp");
    return check_all_times(token->claims, end, expect->now, expect->leeway);
}

/* `<authrealm>` or `<host>/<authrealm>`; the first version had the client's id there. */
static struct bondy_token_verdict check_issuer(const struct bondy_token *token,
                                               const struct bondy_token_expect *expect)
{
    struct bondy_slice issuer = bondy_json_text(token->claims, "iss");
    struct bondy_slice realm = expect->authrealm;
    struct bondy_slice tail;

    if (issuer.len == 0)
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "iss");
    if (is_first_version(token) || bondy_slice_eq(issuer, realm))
        return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
    if (issuer.len < realm.len + 2)
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_ISSUER, "iss");
    tail = bondy_slice_skip(issuer, issuer.len - realm.len - 1);
    if (tail.data[0] != '/' || !bondy_slice_eq(bondy_slice_skip(tail, 1), realm))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_ISSUER, "iss");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

/* RFC 7519 4.1.3: one or a list of them. */
static struct bondy_token_verdict check_audience(const struct bondy_token *token,
                                                 const struct bondy_token_expect *expect)
{
    json_t *value = json_object_get(token->claims, "aud");
    bool is_listed = false;
    size_t index;
    json_t *item;

    if (json_is_string(value))
        is_listed = bondy_slice_eq(bondy_json_text(token->claims, "aud"), expect->authrealm);
    else if (!json_is_array(value))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "aud");
    json_array_foreach(value, index, item)
    {
        if (!json_is_string(item))
            return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "aud");
        is_listed |= bondy_slice_eq(
            bondy_slice_of(json_string_value(item), json_string_length(item)), expect->authrealm);
    }
    return is_listed ? bondy_claim_refuse(BONDY_TOKEN_OK, NULL)
                     : bondy_claim_refuse(BONDY_TOKEN_WRONG_AUDIENCE, "aud");
}

static struct bondy_token_verdict check_subject(const struct bondy_token *token,
                                                const struct bondy_token_expect *expect)
{
    struct bondy_slice subject = bondy_json_text(token->claims, "sub");

    if (subject.len == 0)
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "sub");
    if (expect->authid.len > 0 && !bondy_slice_eq(subject, expect->authid))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_SUBJECT, "sub");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

/* A token that does not say where it counts does so in the realm that authenticates only. */
static struct bondy_token_verdict check_realm(const struct bondy_token *token,
                                              const struct bondy_token_expect *expect)
{
    const json_t *auth = json_object_get(token->claims, "auth");
    const json_t *scope = json_object_get(auth, "scope");
    struct bondy_slice realm = bondy_json_text(scope, "realm");
    const json_t *value = json_object_get(scope, "realm");

    if (auth != NULL && !json_is_object(auth))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "auth");
    if (scope != NULL && !json_is_object(scope))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "auth.scope");
    if (value == NULL || json_is_null(value))
        realm = expect->authrealm;
    else if (!json_is_string(value))
        return bondy_claim_refuse(BONDY_TOKEN_MALFORMED, "auth.scope.realm");
    if (!bondy_slice_is(realm, "all") && !bondy_slice_eq(realm, expect->realm))
        return bondy_claim_refuse(BONDY_TOKEN_WRONG_REALM, "auth.scope.realm");
    return bondy_claim_refuse(BONDY_TOKEN_OK, NULL);
}

struct bondy_token_verdict bondy_token_check_access(const struct bondy_token *token,
                                                    const struct bondy_token_expect *expect)
{
    static const bondy_claim_check_fn checks[] = {check_form,     check_life,    check_issuer,
                                                  check_audience, check_subject, check_realm};

    return bondy_claim_check_all(checks, BONDY_COUNT(checks), token, expect);
}

struct bondy_token_verdict bondy_claim_check_all(const bondy_claim_check_fn *checks, size_t count,
                                                 const struct bondy_token *token,
                                                 const struct bondy_token_expect *expect)
{
    struct bondy_token_verdict verdict = {BONDY_TOKEN_OK, NULL};

    for (size_t i = 0; i < count && verdict.reason == BONDY_TOKEN_OK; i++)
        verdict = checks[i](token, expect);
    return verdict;
}

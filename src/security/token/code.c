/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/code.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/problem.h"
#include "src/security/credential/base64url.h"
#include "src/security/credential/ticket.h"
#include "src/security/entity/stored.h"
#include "src/security/token/denied.h"
#include "src/security/token/record.h"

#define HEAD "bondy.code\0" /* its own NUL is the second one */
#define HEAD_LEN (sizeof HEAD)
#define HASH_LEN 32u
#define SUBKEY_LEN (HEAD_LEN + HASH_LEN)
#define SECRET_LEN 32u
#define SECRET_TEXT 43u /* base64url */
#define VERIFIER_MAX 128u
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* ---- PKCE ------------------------------------------------------------------------------------ */

bool bondy_code_is_verifier(struct bondy_slice verifier)
{
    if (verifier.len < SECRET_TEXT || verifier.len > VERIFIER_MAX)
        return false;
    for (size_t i = 0; i < verifier.len; i++) {
        char c = verifier.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_' || c == '~'))
            return false;
    }
    return true;
}

static bool is_base64(struct bondy_slice text)
{
    uint8_t bytes[SECRET_LEN];
    size_t len;

    return text.len == SECRET_TEXT && bondy_base64url_decode(text, bytes, sizeof bytes, &len) &&
           len == sizeof bytes;
}

bool bondy_code_is_challenge(struct bondy_slice challenge)
{
    return is_base64(challenge);
}

static bool fits(struct bondy_slice verifier, struct bondy_slice challenge)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char text[SECRET_TEXT + 1];

    if (!bondy_code_is_verifier(verifier) || challenge.len != SECRET_TEXT)
        return false;
    crypto_hash_sha256(hash, (const uint8_t *)verifier.data, verifier.len);
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, VARIANT);
    return sodium_memcmp(text, challenge.data, SECRET_TEXT) == 0;
}

/* ---- making ---------------------------------------------------------------------------------- */

static struct bondy_slice subkey_of(struct bondy_slice client_id, struct bondy_slice code,
                                    uint8_t out[SUBKEY_LEN])
{
    memcpy(out, HEAD, HEAD_LEN);
    bondy_token_name(client_id, code, out + HEAD_LEN);
    return bondy_slice_of(out, SUBKEY_LEN);
}

void bondy_code_prepare(struct bondy_code_issue *issue, const struct bondy_user *user)
{
    uint8_t secret[SECRET_LEN];

    bondy_id_bytes(secret, sizeof secret);
    sodium_bin2base64(issue->text, sizeof issue->text, secret, sizeof secret, VARIANT);
    sodium_memzero(secret, sizeof secret);
    issue->authid = bondy_slice_text(user->username);
    issue->ugen = user->ugen;
    issue->auth_ugen = user->auth_ugen;
    issue->now_ms = bondy_clock_wall_ms();
}

static json_t *body_of(const struct bondy_code_issue *issue, uint64_t end_ms)
{
    json_t *body = json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "client_id", bondy_json_slice(issue->client_id),
        "redirect_uri", bondy_json_slice(issue->redirect_uri), "challenge",
        bondy_json_slice(issue->challenge), "authid", bondy_json_slice(issue->authid), "ugen",
        (json_int_t)issue->ugen, "auth_ugen", (json_int_t)issue->auth_ugen, "issued_ms",
        (json_int_t)issue->now_ms, "end_ms", (json_int_t)end_ms);

    if (issue->device_id.len > 0)
        json_object_set_new(body, "device_id", bondy_json_slice(issue->device_id));
    if (issue->only_groups != NULL)
        json_object_set(body, "only_groups", (json_t *)(uintptr_t)issue->only_groups);
    return body;
}

static const char *wrong_input(const struct bondy_code_issue *issue)
{
    if (issue->redirect_uri.len == 0 || issue->redirect_uri.len > BONDY_CODE_REDIRECT_MAX)
        return "This can be no redirect URI.";
    if (!bondy_code_is_challenge(issue->challenge))
        return "A challenge of PKCE, method S256, is expected.";
    if (issue->device_id.len > 0 && !bondy_ticket_id_is_valid(issue->device_id))
        return "This can be no device's id.";
    return NULL;
}

int bondy_code_apply_make(struct bondy_edit *edit, const struct bondy_code_issue *issue)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    const struct bondy_token_owner owner = {issue->authid, issue->ugen, issue->auth_ugen,
                                            issue->now_ms};
    uint64_t end_ms = issue->now_ms + BONDY_CODE_LIFETIME_S * 1000;
    const char *wrong = wrong_input(issue);
    uint8_t subkey[SUBKEY_LEN];
    struct bondy_realm *realm;
    struct bondy_store_key key;
    json_t *body;
    int rc;

    if (wrong != NULL)
        return bondy_edit_refuse(edit, BONDY_EINVAL,
                                 bondy_problem("bondy.error.invalid_value", wrong, ""));
    realm = bondy_token_realm(view, issue->realm);
    if (realm == NULL || !bondy_token_owner_stands(view, realm, &owner, NULL)) {
        bondy_realm_unref(realm);
        return bondy_token_owner_refuse(edit);
    }
    key = bondy_token_key(
        realm, subkey_of(issue->client_id, bondy_slice_of(issue->text, SECRET_TEXT), subkey));
    body = body_of(issue, end_ms);
    rc = bondy_token_put(edit, &key, body, end_ms);
    json_decref(body);
    bondy_realm_unref(realm);
    return rc;
}

/* ---- redeeming ------------------------------------------------------------------------------- */

void bondy_code_use_fini(struct bondy_code_use *use)
{
    bondy_free(BONDY_MOVE(use->authid));
    bondy_free(BONDY_MOVE(use->device_id));
    json_decref(BONDY_MOVE(use->only_groups));
}

struct shown {
    struct bondy_realm *realm;
    uint8_t subkey[SUBKEY_LEN];
    json_t *stored;
};

static void forget(struct shown *shown)
{
    json_decref(shown->stored);
    bondy_realm_unref(shown->realm);
}

static struct bondy_store_key key_of(const struct shown *shown)
{
    return bondy_token_key(shown->realm, bondy_slice_of(shown->subkey, SUBKEY_LEN));
}

static bool find(const struct bondy_store_view *view, struct bondy_code_use *use,
                 struct shown *shown)
{
    struct bondy_store_key key;

    bondy_code_use_fini(use);
    *shown = (struct shown){0};
    use->verdict = BONDY_CODE_UNKNOWN;
    if (!is_base64(use->given))
        return false;
    shown->realm = bondy_token_realm(view, use->realm);
    if (shown->realm == NULL)
        return false;
    subkey_of(use->client_id, use->given, shown->subkey);
    key = key_of(shown);
    shown->stored = bondy_stored_get(view, &key, NULL);
    if (shown->stored == NULL)
        return false;
    use->authid = bondy_token_text(shown->stored, "authid");
    use->device_id = bondy_token_text(shown->stored, "device_id");
    use->only_groups = json_incref(json_object_get(shown->stored, "only_groups"));
    return true;
}

static enum bondy_code_verdict judge(const struct bondy_store_view *view,
                                     const struct bondy_code_use *use, const struct shown *shown)
{
    const struct bondy_token_owner owner = {
        .authid = bondy_json_text(shown->stored, "authid"),
        .ugen = (uint32_t)bondy_token_ms(shown->stored, "ugen"),
        .auth_ugen = (uint32_t)bondy_token_ms(shown->stored, "auth_ugen"),
        .since_ms = bondy_token_ms(shown->stored, "issued_ms")};

    if (json_is_true(json_object_get(shown->stored, "is_used")))
        return BONDY_CODE_REUSED;
    if (!bondy_slice_eq(bondy_json_text(shown->stored, "redirect_uri"), use->redirect_uri))
        return BONDY_CODE_WRONG_REDIRECT;
    if (!fits(use->verifier, bondy_json_text(shown->stored, "challenge")))
        return BONDY_CODE_WRONG_VERIFIER;
    if (!bondy_token_owner_stands(view, shown->realm, &owner, NULL))
        return BONDY_CODE_ENDED;
    return BONDY_CODE_GOOD;
}

void bondy_code_look(const struct bondy_store_view *view, struct bondy_code_use *use)
{
    struct shown shown;

    if (find(view, use, &shown))
        use->verdict = judge(view, use, &shown);
    forget(&shown);
}

/* What it was for is not needed any more; what it gave is. */
static int use_up(struct bondy_edit *edit, const struct bondy_code_use *use,
                  const struct shown *shown)
{
    struct bondy_store_key key = key_of(shown);
    uint64_t end_ms = bondy_token_ms(shown->stored, "end_ms");
    json_t *body = json_pack("{s:b, s:O}", "is_used", true, "authid",
                             json_object_get(shown->stored, "authid"));
    int rc;

    if (use->verdict == BONDY_CODE_GOOD) {
        json_object_set_new(body, "access_id", bondy_json_slice(use->access_id));
        json_object_set_new(body, "refresh_id", bondy_json_slice(use->refresh_id));
        json_object_set_new(body, "access_end_ms", json_integer((json_int_t)use->access_end_ms));
        if (use->access_end_ms > end_ms)
            end_ms = use->access_end_ms;
    }
    rc = bondy_token_put(edit, &key, body, end_ms);
    json_decref(body);
    return rc;
}

/* The family's end denies its access tokens; without one there is but the first. */
static int take_back(struct bondy_edit *edit, const struct bondy_code_use *use,
                     const struct shown *shown)
{
    struct bondy_slice authid = bondy_json_text(shown->stored, "authid");
    struct bondy_realm *realm = shown->realm;
    struct bondy_user user;
    int rc;

    if (bondy_json_text(shown->stored, "access_id").len == 0)
        return BONDY_OK; /* it gave nothing */
    rc = bondy_refresh_apply_end(edit, bondy_slice_text(realm->uri), use->client_id, authid,
                                 bondy_json_text(shown->stored, "refresh_id"));
    if (rc < 0 || !bondy_user_resolve(bondy_edit_view(edit), realm, authid, &user))
        return rc;
    rc = bondy_denied_apply_add(edit, bondy_slice_text(user.authrealm), BONDY_DENIED_TOKEN,
                                bondy_json_text(shown->stored, "access_id"),
                                bondy_token_ms(shown->stored, "access_end_ms"));
    bondy_user_fini(&user);
    return rc;
}

int bondy_code_apply_redeem(struct bondy_edit *edit, struct bondy_code_use *use)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    struct shown shown;
    int rc = BONDY_OK;

    if (find(view, use, &shown)) {
        use->verdict = judge(view, use, &shown);
        rc = use->verdict == BONDY_CODE_REUSED ? take_back(edit, use, &shown)
                                               : use_up(edit, use, &shown);
    }
    forget(&shown);
    return rc;
}

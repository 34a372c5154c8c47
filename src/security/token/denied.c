/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/denied.h"

#include <sodium.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/security/credential/token.h"
#include "src/security/credential/token_read.h"
#include "src/security/entity/stored.h"
#include "src/security/token/record.h"

#define HEAD "bondy.denied\0" /* its own NUL is the second one */
#define HEAD_LEN (sizeof HEAD)
#define HASH_LEN 32u
#define SUBKEY_LEN (HEAD_LEN + 1 + HASH_LEN)
#define LIFETIME_MAX 1000000000 /* an `exp` below it is one */

/* The id may be anything that a token of another node says: hashed, it is short. */
static struct bondy_slice subkey_of(enum bondy_denied_kind kind, struct bondy_slice id,
                                    uint8_t out[SUBKEY_LEN])
{
    memcpy(out, HEAD, HEAD_LEN);
    out[HEAD_LEN] = kind == BONDY_DENIED_TOKEN ? 'j' : 's';
    crypto_generichash(out + HEAD_LEN + 1, HASH_LEN, (const uint8_t *)id.data, id.len, NULL, 0);
    return bondy_slice_of(out, SUBKEY_LEN);
}

static struct bondy_slice id_of(const json_t *claims)
{
    struct bondy_slice id = bondy_json_text(claims, "jti");

    return id.len > 0 ? id : bondy_json_text(claims, "id");
}

int bondy_denied_apply_add(struct bondy_edit *edit, struct bondy_slice authrealm_uri,
                           enum bondy_denied_kind kind, struct bondy_slice id, uint64_t end_ms)
{
    const struct bondy_realm *authrealm;
    uint8_t subkey[SUBKEY_LEN];
    struct bondy_store_key key;
    json_t *body;
    int rc;

    if (id.len == 0 || end_ms <= bondy_clock_wall_ms())
        return BONDY_OK;
    rc = bondy_edit_realm(edit, authrealm_uri, &authrealm);
    if (rc < 0)
        return rc;
    key = bondy_token_key(authrealm, subkey_of(kind, id, subkey));
    body = json_object();
    rc = bondy_token_put(edit, &key, body, end_ms);
    json_decref(body);
    return rc;
}

int bondy_denied_apply_claims(struct bondy_edit *edit, const json_t *claims)
{
    int64_t start, end;

    if (!bondy_claim_seconds(claims, "exp", &end))
        return BONDY_OK; /* never good */
    if (end < LIFETIME_MAX &&
        (!bondy_claim_seconds(claims, "iat", &start) || __builtin_add_overflow(start, end, &end)))
        return BONDY_OK;
    if (end > INT64_MAX / 1000 - BONDY_TOKEN_LEEWAY_MAX)
        end = INT64_MAX / 1000 - BONDY_TOKEN_LEEWAY_MAX;
    return bondy_denied_apply_add(edit, bondy_json_text(claims, "aud"), BONDY_DENIED_TOKEN,
                                  id_of(claims), (uint64_t)(end + BONDY_TOKEN_LEEWAY_MAX) * 1000);
}

static bool is_denied(const struct bondy_store_view *view, const struct bondy_realm *authrealm,
                      enum bondy_denied_kind kind, struct bondy_slice id)
{
    uint8_t subkey[SUBKEY_LEN];
    struct bondy_store_key key = bondy_token_key(authrealm, subkey_of(kind, id, subkey));

    return id.len > 0 && bondy_stored_has(view, &key);
}

bool bondy_denied_has(const struct bondy_store_view *view, const struct bondy_realm *authrealm,
                      const json_t *claims)
{
    return is_denied(view, authrealm, BONDY_DENIED_TOKEN, id_of(claims)) ||
           is_denied(view, authrealm, BONDY_DENIED_FAMILY, bondy_json_text(claims, "sid"));
}

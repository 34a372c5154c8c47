/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/record.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/token/tickets.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

#define SCHEMA 1

struct bondy_store_key bondy_token_key(const struct bondy_realm *realm, struct bondy_slice subkey)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_TOKEN,
                                    .scope = bondy_slice_text(realm->uri),
                                    .gen = realm->gen,
                                    .subkey = subkey};
}

int bondy_token_put(struct bondy_edit *edit, const struct bondy_store_key *key, const json_t *body,
                    uint64_t expires_ms)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = SCHEMA, .expires_ms = expires_ms};
    struct bondy_error err = {0};
    int rc;

    bondy_value_format(BONDY_CBOR, body, &bytes);
    value.body = bondy_buf_slice(&bytes);
    rc = bondy_store_put(edit->write, key, &value, NULL, &err);
    bondy_buf_fini(&bytes);
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    return BONDY_OK;
}

/* ---- hashes ---------------------------------------------------------------------------------- */

void bondy_token_hash(struct bondy_slice secret, char out[BONDY_TOKEN_HASH_TEXT])
{
    uint8_t hash[32];

    crypto_generichash(hash, sizeof hash, (const uint8_t *)secret.data, secret.len, NULL, 0);
    sodium_bin2hex(out, BONDY_TOKEN_HASH_TEXT, hash, sizeof hash);
}

bool bondy_token_hash_fits(const json_t *stored, const char *key, struct bondy_slice secret)
{
    struct bondy_slice known = bondy_json_text(stored, key);
    char hash[BONDY_TOKEN_HASH_TEXT];

    bondy_token_hash(secret, hash);
    return known.len == sizeof hash - 1 && sodium_memcmp(known.data, hash, known.len) == 0;
}

void bondy_token_name(struct bondy_slice a, struct bondy_slice b, uint8_t out[32])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)a.data, a.len);
    crypto_generichash_update(&state, (const uint8_t *)"", 1);
    crypto_generichash_update(&state, (const uint8_t *)b.data, b.len);
    crypto_generichash_final(&state, out, 32);
}

/* ---- members --------------------------------------------------------------------------------- */

uint64_t bondy_token_ms(const json_t *stored, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(stored, key));

    return value < 0 ? 0 : (uint64_t)value;
}

char *bondy_token_text(const json_t *stored, const char *key)
{
    struct bondy_slice text = bondy_json_text(stored, key);

    return text.len == 0 ? NULL : bondy_memdup0(text.data, text.len);
}

/* ---- users ----------------------------------------------------------------------------------- */

struct bondy_realm *bondy_token_realm(const struct bondy_store_view *view, struct bondy_slice uri)
{
    char canonical[BONDY_REALM_URI_MAX];
    size_t len;

    if (!bondy_realm_canonical(NULL, uri, canonical, sizeof canonical, &len))
        return NULL;
    return bondy_realm_read_plain(NULL, view, bondy_slice_of(canonical, len));
}

bool bondy_token_owner_stands(const struct bondy_store_view *view, const struct bondy_realm *realm,
                              const struct bondy_token_owner *owner, struct bondy_user *out)
{
    struct bondy_user user;
    bool is_good;

    if (!bondy_user_resolve(view, realm, owner->authid, &user))
        return false;
    is_good = user.is_enabled && user.ugen == owner->ugen && user.auth_ugen == owner->auth_ugen &&
              bondy_slice_is(owner->authid, user.username) &&
              owner->since_ms >= bondy_tickets_valid_since(view, realm, &user);
    if (is_good && out != NULL)
        *out = user;
    else
        bondy_user_fini(&user);
    return is_good;
}

int bondy_token_owner_refuse(struct bondy_edit *edit)
{
    return bondy_edit_refuse(edit, BONDY_ENOENT,
                             bondy_problem(BONDY_ERR_NO_SUCH_PRINCIPAL,
                                           "The user is gone, disabled, or has other credentials.",
                                           ""));
}

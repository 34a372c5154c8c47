/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/scram.h"

#include <sodium.h>
#include <stdlib.h>
#include <uninorm.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/json.h"

#define AUTHID_MAX 1024 /* octets; HELLO's limits are lower */

const char *bondy_scram_error_word(enum bondy_scram_error error)
{
    static const char *const words[] = {
        [BONDY_SCRAM_OK] = "",
        [BONDY_SCRAM_INVALID_ENCODING] = "invalid-encoding",
        [BONDY_SCRAM_INVALID_PROOF] = "invalid-proof",
        [BONDY_SCRAM_CHANNEL_BINDINGS_DONT_MATCH] = "channel-bindings-dont-match",
        [BONDY_SCRAM_CHANNEL_BINDING_NOT_SUPPORTED] = "channel-binding-not-supported",
        [BONDY_SCRAM_UNSUPPORTED_CHANNEL_BINDING_TYPE] = "unsupported-channel-binding-type",
        [BONDY_SCRAM_UNKNOWN_USER] = "unknown-user",
        [BONDY_SCRAM_INVALID_USERNAME_ENCODING] = "invalid-username-encoding",
        [BONDY_SCRAM_NO_RESOURCES] = "no-resources",
        [BONDY_SCRAM_OTHER_ERROR] = "other-error",
    };

    return words[error];
}

/* ---- HELLO ------------------------------------------------------------------------------- */

/* RFC 5802, saslname: "=" and "," have a meaning in the message. */
static char *escape(struct bondy_slice name)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '=')
            bondy_buf_append_text(&out, "=3D");
        else if (name.data[i] == ',')
            bondy_buf_append_text(&out, "=2C");
        else
            bondy_buf_append_byte(&out, (unsigned char)name.data[i]);
    }
    return bondy_buf_take_text(&out);
}

/* SASLprep (RFC 4013) as far as names have it: NFKC, which the profile of passwords is not. The
 * caller frees. */
static char *normalize(struct bondy_slice name)
{
    size_t len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFKC, (const uint8_t *)name.data, name.len, NULL, &len);
    char *out = normal == NULL ? NULL : bondy_memdup0(normal, len);

    free(normal);
    return out;
}

static enum bondy_scram_error read_authid(struct bondy_scram *login, struct bondy_slice authid)
{
    size_t len = 0;
    char *prepared = authid.len > AUTHID_MAX ? NULL : bondy_password_prepare(authid, &len);
    char *name = prepared == NULL || len == 0 ? NULL : normalize(bondy_slice_of(prepared, len));

    bondy_free(prepared);
    if (name == NULL)
        return BONDY_SCRAM_INVALID_USERNAME_ENCODING;
    login->authid = escape(bondy_slice_text(name));
    bondy_free(name);
    return BONDY_SCRAM_OK;
}

static enum bondy_scram_error read_nonce(struct bondy_scram *login, const json_t *authextra)
{
    struct bondy_slice nonce = bondy_json_text(authextra, "nonce");

    if (nonce.len == 0)
        return BONDY_SCRAM_OTHER_ERROR;
    if (nonce.len >= sizeof login->client_nonce ||
        sodium_base642bin(login->raw_nonce, sizeof login->raw_nonce, nonce.data, nonce.len, NULL,
                          &login->raw_nonce_len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        login->raw_nonce_len < BONDY_SCRAM_NONCE_MIN)
        return BONDY_SCRAM_INVALID_ENCODING;
    memcpy(login->client_nonce, nonce.data, nonce.len);
    return BONDY_SCRAM_OK;
}

enum bondy_scram_error bondy_scram_start(struct bondy_scram *login, struct bondy_slice authid,
                                         const json_t *authextra)
{
    enum bondy_scram_error wrong;

    memset(login, 0, sizeof *login);
    if ((wrong = read_authid(login, authid)) != BONDY_SCRAM_OK)
        return wrong;
    if ((wrong = read_nonce(login, authextra)) != BONDY_SCRAM_OK)
        return wrong;
    if (!bondy_binding_parse(json_object_get(authextra, "channel_binding"), &login->binding))
        return BONDY_SCRAM_UNSUPPORTED_CHANNEL_BINDING_TYPE;
    return BONDY_SCRAM_OK;
}

enum bondy_scram_error bondy_scram_bind(struct bondy_scram *login, struct bondy_slice data)
{
    if (login->binding == BONDY_BINDING_NONE)
        return BONDY_SCRAM_OK;
    if (data.len == 0 || data.len > sizeof login->binding_data)
        return BONDY_SCRAM_CHANNEL_BINDING_NOT_SUPPORTED;
    memcpy(login->binding_data, data.data, data.len);
    login->binding_len = data.len;
    return BONDY_SCRAM_OK;
}

/* ---- CHALLENGE --------------------------------------------------------------------------- */

json_t *bondy_scram_challenge(struct bondy_scram *login,
                              const struct bondy_password_scram *verifier,
                              const uint8_t random[BONDY_SCRAM_RANDOM_LEN])
{
    uint8_t nonce[BONDY_SCRAM_NONCE_MAX + BONDY_SCRAM_RANDOM_LEN];
    char salt[BONDY_KDF_SALT_TEXT];
    json_t *extra = json_object();

    login->verifier = *verifier;
    memcpy(nonce, login->raw_nonce, login->raw_nonce_len);
    memcpy(nonce + login->raw_nonce_len, random, BONDY_SCRAM_RANDOM_LEN);
    bondy_secret_base64(bondy_slice_of(nonce, login->raw_nonce_len + BONDY_SCRAM_RANDOM_LEN),
                        login->nonce, sizeof login->nonce);
    bondy_secret_base64(bondy_slice_of(verifier->salt, BONDY_KDF_SALT_LEN), salt, sizeof salt);
    bondy_json_with(extra, "nonce", json_string(login->nonce));
    bondy_json_with(extra, "salt", json_string(salt));
    bondy_json_with(extra, "kdf", json_string(bondy_kdf_name(verifier->cost.kind)));
    bondy_json_with(extra, "iterations", json_integer(verifier->cost.iterations));
    return bondy_json_with(extra, "memory",
                           verifier->cost.kind == BONDY_KDF_ARGON2ID13
                               ? json_integer(verifier->cost.memory_kib)
                               : json_null());
}

void bondy_scram_fake(struct bondy_slice secret, struct bondy_slice realm,
                      struct bondy_slice authid, const struct bondy_kdf_cost *cost,
                      struct bondy_password_scram *out)
{
    uint8_t octets[BONDY_KDF_LEN];

    memset(out, 0, sizeof *out);
    out->cost = *cost;
    out->is_fake = true;
    bondy_kdf_fake(secret, "wamp-scram salt", realm, authid, octets);
    memcpy(out->salt, octets, sizeof out->salt);
    bondy_kdf_fake(secret, "wamp-scram stored key", realm, authid, out->stored_key);
    bondy_kdf_fake(secret, "wamp-scram server key", realm, authid, out->server_key);
}

/* ---- AUTHENTICATE ------------------------------------------------------------------------ */

/* base64 of the channel binding input: the GS2 header and, with a binding, the channel's data. */
static void append_binding(const struct bondy_scram *login, struct bondy_buf *out)
{
    char input[64 + BONDY_SCRAM_BINDING_MAX];
    char text[(sizeof input + 2) / 3 * 4 + 1];
    size_t len = 3;

    memcpy(input, "n,,", 3);
    if (login->binding != BONDY_BINDING_NONE)
        len = (size_t)snprintf(input, sizeof input, "p=%s,,", bondy_binding_name(login->binding));
    memcpy(input + len, login->binding_data, login->binding_len);
    bondy_secret_base64(bondy_slice_of(input, len + login->binding_len), text, sizeof text);
    bondy_buf_append_text(out, text);
}

char *bondy_scram_message(const struct bondy_scram *login)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    char salt[BONDY_KDF_SALT_TEXT];

    bondy_secret_base64(bondy_slice_of(login->verifier.salt, BONDY_KDF_SALT_LEN), salt,
                        sizeof salt);
    bondy_buf_printf(&out, "n=%s,r=%s,r=%s,s=%s,i=%u,c=", login->authid, login->client_nonce,
                     login->nonce, salt, login->verifier.cost.iterations);
    append_binding(login, &out);
    bondy_buf_printf(&out, ",r=%s", login->nonce);
    return bondy_buf_take_text(&out);
}

/* The members of AUTHENTICATE.Extra against HELLO, CHALLENGE and the channel. */
static enum bondy_scram_error check_extra(const struct bondy_scram *login, const json_t *extra)
{
    struct bondy_slice nonce = bondy_json_text(extra, "nonce");
    struct bondy_slice data = bondy_json_text(extra, "cbind_data");
    const json_t *data_value = json_object_get(extra, "cbind_data");
    enum bondy_binding binding;
    char expected[(BONDY_SCRAM_BINDING_MAX + 2) / 3 * 4 + 1];

    if (login->nonce[0] == '\0' || nonce.len != strlen(login->nonce) ||
        sodium_memcmp(nonce.data, login->nonce, nonce.len) != 0)
        return BONDY_SCRAM_OTHER_ERROR;
    if (!bondy_binding_parse(json_object_get(extra, "channel_binding"), &binding) ||
        binding != login->binding)
        return BONDY_SCRAM_CHANNEL_BINDINGS_DONT_MATCH;
    if (binding == BONDY_BINDING_NONE)
        return data_value == NULL || json_is_null(data_value)
                   ? BONDY_SCRAM_OK
                   : BONDY_SCRAM_CHANNEL_BINDINGS_DONT_MATCH;
    bondy_secret_base64(bondy_slice_of(login->binding_data, login->binding_len), expected,
                        sizeof expected);
    if (data.len != strlen(expected) || sodium_memcmp(data.data, expected, data.len) != 0)
        return BONDY_SCRAM_CHANNEL_BINDINGS_DONT_MATCH;
    return BONDY_SCRAM_OK;
}

static bool proof_is_right(const struct bondy_scram *login, const uint8_t proof[BONDY_KDF_LEN],
                           struct bondy_slice message)
{
    const struct bondy_password_scram *verifier = &login->verifier;
    uint8_t key[BONDY_KDF_LEN], hash[BONDY_KDF_LEN];
    bool is_right;

    bondy_hmac_sha256(bondy_slice_of(verifier->stored_key, BONDY_KDF_LEN), message, key);
    for (size_t i = 0; i < BONDY_KDF_LEN; i++)
        key[i] ^= proof[i];
    bondy_sha256(bondy_slice_of(key, sizeof key), hash);
    is_right = sodium_memcmp(hash, verifier->stored_key, sizeof hash) == 0;
    sodium_memzero(key, sizeof key);
    return is_right && !verifier->is_fake;
}

static enum bondy_scram_error check_answer(const struct bondy_scram *login,
                                           struct bondy_slice signature, const json_t *extra,
                                           char verifier[BONDY_SCRAM_VERIFIER_TEXT])
{
    uint8_t octets[BONDY_KDF_LEN];
    enum bondy_scram_error wrong = check_extra(login, extra);
    char *message;

    if (wrong != BONDY_SCRAM_OK)
        return wrong;
    if (!bondy_secret_unbase64(signature, octets, sizeof octets))
        return BONDY_SCRAM_INVALID_ENCODING;
    message = bondy_scram_message(login);
    if (!proof_is_right(login, octets, bondy_slice_text(message))) {
        wrong = BONDY_SCRAM_INVALID_PROOF;
    } else {
        bondy_hmac_sha256(bondy_slice_of(login->verifier.server_key, BONDY_KDF_LEN),
                          bondy_slice_text(message), octets);
        memcpy(verifier, "v=", 2);
        bondy_secret_base64(bondy_slice_of(octets, sizeof octets), verifier + 2,
                            BONDY_SCRAM_VERIFIER_TEXT - 2);
    }
    bondy_free(message);
    return wrong;
}

enum bondy_scram_error bondy_scram_finish(struct bondy_scram *login, struct bondy_slice signature,
                                          const json_t *extra,
                                          char verifier[BONDY_SCRAM_VERIFIER_TEXT])
{
    enum bondy_scram_error wrong = check_answer(login, signature, extra, verifier);

    login->nonce[0] = '\0'; /* a challenge is answered once, rightly or not */
    return wrong;
}

void bondy_scram_fini(struct bondy_scram *login)
{
    bondy_free(login->authid);
    sodium_memzero(login, sizeof *login);
}

/* ---- the client's side ------------------------------------------------------------------- */

int bondy_scram_proof_wait(const struct bondy_scram *login, struct bondy_slice password,
                           char out[BONDY_KDF_TEXT], struct bondy_error *err)
{
    uint8_t salted[BONDY_KDF_LEN], client_key[BONDY_KDF_LEN], hash[BONDY_KDF_LEN];
    size_t len = 0;
    char *prepared = bondy_password_prepare(password, &len);
    char *message;
    int rc;

    if (prepared == NULL)
        return bondy_fail(err, BONDY_EINVAL, "a password has characters that it may not have");
    rc = bondy_kdf_wait(&login->verifier.cost, bondy_slice_of(prepared, len),
                        bondy_slice_of(login->verifier.salt, BONDY_KDF_SALT_LEN), salted, err);
    sodium_memzero(prepared, len);
    bondy_free(prepared);
    if (rc < 0)
        return rc;
    message = bondy_scram_message(login);
    bondy_hmac_sha256(bondy_slice_of(salted, sizeof salted), BONDY_SLICE("Client Key"), client_key);
    bondy_sha256(bondy_slice_of(client_key, sizeof client_key), hash);
    bondy_hmac_sha256(bondy_slice_of(hash, sizeof hash), bondy_slice_text(message), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        hash[i] ^= client_key[i];
    bondy_secret_base64(bondy_slice_of(hash, sizeof hash), out, BONDY_KDF_TEXT);
    sodium_memzero(salted, sizeof salted);
    sodium_memzero(client_key, sizeof client_key);
    bondy_free(message);
    return BONDY_OK;
}

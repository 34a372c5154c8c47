/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/cryptosign.h"

#include <sodium.h>

#include "src/base/json.h"
#include "src/security/credential/kdf.h"

#define LEN BONDY_CRYPTOSIGN_LEN
#define SIGNATURE_LEN 64
#define LONG_LEN (SIGNATURE_LEN + LEN)

bool bondy_hex_parse(struct bondy_slice text, uint8_t *out, size_t len)
{
    size_t decoded = 0;

    return text.len == 2 * len &&
           sodium_hex2bin(out, len, text.data, text.len, NULL, &decoded, NULL) == 0 &&
           decoded == len;
}

static json_t *hex_text(const uint8_t *octets, size_t len)
{
    char text[2 * LONG_LEN + 1];

    sodium_bin2hex(text, sizeof text, octets, len);
    return json_string(text);
}

/* A member with 64 hexadecimal digits; null is absent. */
static int read_octets(const json_t *authextra, const char *key, uint8_t out[LEN], bool *is_given,
                       struct bondy_error *err)
{
    const json_t *value = json_object_get(authextra, key);

    *is_given = value != NULL && !json_is_null(value);
    if (!*is_given)
        return BONDY_OK;
    if (!bondy_hex_parse(bondy_json_text(authextra, key), out, LEN))
        return bondy_fail(err, BONDY_EINVAL, "authextra.%s is not 64 hexadecimal digits", key);
    return BONDY_OK;
}

int bondy_cryptosign_start(struct bondy_cryptosign *login, const json_t *authextra,
                           struct bondy_error *err)
{
    int rc;

    memset(login, 0, sizeof *login);
    bondy_binding_parse(json_object_get(authextra, "channel_binding"), &login->binding);
    /* The WAMP specification has no XOR with a certificate's hash. */
    if (login->binding == BONDY_BINDING_TLS_SERVER_END_POINT)
        login->binding = BONDY_BINDING_NONE;
    if ((rc = read_octets(authextra, "pubkey", login->pubkey, &login->has_pubkey, err)) < 0)
        return rc;
    return read_octets(authextra, "challenge", login->client_challenge, &login->wants_router, err);
}

void bondy_cryptosign_bind(struct bondy_cryptosign *login, struct bondy_slice data)
{
    memset(login->channel_id, 0, LEN);
    if (data.len == 0)
        login->binding = BONDY_BINDING_NONE;
    if (login->binding == BONDY_BINDING_NONE)
        return;
    if (data.len == LEN)
        memcpy(login->channel_id, data.data, LEN);
    else
        bondy_sha256(data, login->channel_id);
}

static void mix(const uint8_t challenge[LEN], const uint8_t channel_id[LEN], uint8_t out[LEN])
{
    for (size_t i = 0; i < LEN; i++)
        out[i] = challenge[i] ^ channel_id[i];
}

void bondy_cryptosign_sign(const uint8_t seed[LEN], const uint8_t challenge[LEN],
                           const uint8_t channel_id[LEN], char out[193])
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t private[crypto_sign_SECRETKEYBYTES];
    uint8_t all[LONG_LEN];

    crypto_sign_seed_keypair(public, private, seed);
    mix(challenge, channel_id, all + SIGNATURE_LEN);
    crypto_sign_detached(all, NULL, all + SIGNATURE_LEN, LEN, private);
    sodium_bin2hex(out, 2 * LONG_LEN + 1, all, sizeof all);
    sodium_memzero(private, sizeof private);
}

/* AUTH-CSIGN-4: the router proves itself with its own key over the client's challenge. */
static void answer_client(const struct bondy_cryptosign *login, const uint8_t *seed, json_t *extra)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t private[crypto_sign_SECRETKEYBYTES];
    char signature[2 * LONG_LEN + 1];

    crypto_sign_seed_keypair(public, private, seed);
    sodium_memzero(private, sizeof private);
    bondy_cryptosign_sign(seed, login->client_challenge, login->channel_id, signature);
    bondy_json_with(extra, "pubkey", hex_text(public, sizeof public));
    bondy_json_with(extra, "signature", json_string(signature));
}

json_t *bondy_cryptosign_challenge(struct bondy_cryptosign *login, const uint8_t random[LEN],
                                   const uint8_t seed[LEN])
{
    const char *binding = bondy_binding_name(login->binding);
    json_t *extra = json_object();

    memcpy(login->challenge, random, LEN);
    bondy_json_with(extra, "challenge", hex_text(random, LEN));
    bondy_json_with(extra, "channel_binding", binding == NULL ? json_null() : json_string(binding));
    if (seed != NULL && login->wants_router)
        answer_client(login, seed, extra);
    return extra;
}

bool bondy_cryptosign_verify(const struct bondy_cryptosign *login, struct bondy_slice signature)
{
    uint8_t octets[LONG_LEN];
    uint8_t message[LEN];

    mix(login->challenge, login->channel_id, message);
    if (bondy_hex_parse(signature, octets, LONG_LEN)) {
        if (sodium_memcmp(octets + SIGNATURE_LEN, message, LEN) != 0)
            return false;
    } else if (!bondy_hex_parse(signature, octets, SIGNATURE_LEN)) {
        return false;
    }
    return crypto_sign_verify_detached(octets, message, LEN, login->pubkey) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/kdf.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>

#include "src/base/alloc.h"

const char *bondy_kdf_name(enum bondy_kdf_kind kind)
{
    return kind == BONDY_KDF_ARGON2ID13 ? "argon2id13" : "pbkdf2";
}

bool bondy_kdf_is_allowed(const struct bondy_kdf_cost *cost)
{
    if (cost->kind == BONDY_KDF_PBKDF2)
        return cost->iterations >= 1 && cost->iterations <= BONDY_PBKDF2_MAX;
    return cost->iterations >= 1 && cost->memory_kib >= BONDY_ARGON2_MEMORY_MIN &&
           cost->memory_kib <= BONDY_ARGON2_MEMORY_MAX &&
           (uint64_t)cost->iterations * cost->memory_kib <= BONDY_ARGON2_WORK_MAX;
}

static int derive_pbkdf2(const struct bondy_kdf_cost *cost, struct bondy_slice password,
                         struct bondy_slice salt, uint8_t *out, struct bondy_error *err)
{
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)password.data, (unsigned)password.len};
    gnutls_datum_t salt_datum = {(unsigned char *)(uintptr_t)salt.data, (unsigned)salt.len};
    int rc =
        gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &salt_datum, cost->iterations, out, BONDY_KDF_LEN);

    if (rc < 0)
        return bondy_fail(err, BONDY_EIO, "PBKDF2: %s", gnutls_strerror(rc));
    return BONDY_OK;
}

static int derive_argon2(const struct bondy_kdf_cost *cost, struct bondy_slice password,
                         struct bondy_slice salt, uint8_t *out, struct bondy_error *err)
{
    if (salt.len != crypto_pwhash_SALTBYTES)
        return bondy_fail(err, BONDY_EINVAL, "the salt of argon2id13 has %zu octets, not %u",
                          salt.len, crypto_pwhash_SALTBYTES);
    if (crypto_pwhash(out, BONDY_KDF_LEN, password.len == 0 ? "" : password.data, password.len,
                      (const unsigned char *)salt.data, cost->iterations,
                      (size_t)cost->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return bondy_fail(err, BONDY_ELIMIT, "argon2id13 does not get %u KiB of memory",
                          cost->memory_kib);
    return BONDY_OK;
}

int bondy_kdf_wait(const struct bondy_kdf_cost *cost, struct bondy_slice password,
                   struct bondy_slice salt, uint8_t out[BONDY_KDF_LEN], struct bondy_error *err)
{
    if (!bondy_kdf_is_allowed(cost))
        return bondy_fail(err, BONDY_EINVAL, "%s with %u iterations and %u KiB is not allowed",
                          bondy_kdf_name(cost->kind), cost->iterations, cost->memory_kib);
    if (password.len > UINT32_MAX || salt.len > UINT32_MAX)
        return bondy_fail(err, BONDY_EINVAL, "a password of %zu octets", password.len);
    if (cost->kind == BONDY_KDF_ARGON2ID13)
        return derive_argon2(cost, password, salt, out, err);
    return derive_pbkdf2(cost, password, salt, out, err);
}

void bondy_hmac_sha256(struct bondy_slice key, struct bondy_slice text, uint8_t out[BONDY_KDF_LEN])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.data, key.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.data, text.len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void bondy_sha256(struct bondy_slice text, uint8_t out[BONDY_KDF_LEN])
{
    crypto_hash_sha256(out, (const unsigned char *)text.data, text.len);
}

void bondy_kdf_fake(struct bondy_slice secret, const char *purpose, struct bondy_slice realm,
                    struct bondy_slice name, uint8_t out[BONDY_KDF_LEN])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.data, secret.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)purpose, strlen(purpose) + 1);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)realm.data, realm.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)"", 1);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)name.data, name.len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void bondy_secret_base64(struct bondy_slice octets, char *out, size_t out_size)
{
    sodium_bin2base64(out, out_size, (const unsigned char *)octets.data, octets.len,
                      sodium_base64_VARIANT_ORIGINAL);
}

bool bondy_secret_unbase64(struct bondy_slice text, uint8_t *out, size_t len)
{
    size_t decoded = 0;

    return text.len == sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL) - 1 &&
           sodium_base642bin(out, len, text.data, text.len, NULL, &decoded, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           decoded == len;
}

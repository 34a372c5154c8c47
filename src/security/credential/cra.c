/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/cra.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "src/base/json.h"

#define PROVIDER "com.leapsight.bondy.rbac"

/* ISO 8601, UTC, with microseconds. */
static void format_time(uint64_t wall_us, char *out, size_t out_size)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts;
    size_t len;

    gmtime_r(&seconds, &parts);
    len = strftime(out, out_size, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + len, out_size - len, ".%06uZ", (unsigned)(wall_us % 1000000));
}

void bondy_cra_challenge(const struct bondy_cra_challenge *challenge, struct bondy_buf *out)
{
    char nonce[BONDY_KDF_SALT_TEXT];
    char timestamp[40];
    json_t *object = json_object();

    bondy_secret_base64(bondy_slice_of(challenge->nonce, sizeof challenge->nonce), nonce,
                        sizeof nonce);
    format_time(challenge->wall_us, timestamp, sizeof timestamp);
    bondy_json_with(object, "authid", bondy_json_slice(challenge->authid));
    bondy_json_with(object, "authrole",
                    challenge->authrole.len == 0 ? json_null()
                                                 : bondy_json_slice(challenge->authrole));
    bondy_json_with(object, "authmethod", json_string("wampcra"));
    bondy_json_with(object, "authprovider", json_string(PROVIDER));
    bondy_json_with(object, "nonce", json_string(nonce));
    bondy_json_with(object, "timestamp", json_string(timestamp));
    bondy_json_with(object, "session", json_integer((json_int_t)challenge->session));
    bondy_json_canonical(object, out);
    json_decref(object);
}

json_t *bondy_cra_extra(struct bondy_slice challenge, const struct bondy_password_cra *verifier)
{
    json_t *extra = bondy_json_with(json_object(), "challenge", bondy_json_slice(challenge));

    bondy_json_with(extra, "salt", json_string(verifier->salt));
    bondy_json_with(extra, "keylen", json_integer(BONDY_KDF_LEN));
    return bondy_json_with(extra, "iterations", json_integer(verifier->iterations));
}

void bondy_cra_sign(struct bondy_slice key, struct bondy_slice challenge, char out[BONDY_KDF_TEXT])
{
    uint8_t signature[BONDY_KDF_LEN];

    bondy_hmac_sha256(key, challenge, signature);
    bondy_secret_base64(bondy_slice_of(signature, sizeof signature), out, BONDY_KDF_TEXT);
    sodium_memzero(signature, sizeof signature);
}

bool bondy_cra_verify(const struct bondy_password_cra *verifier, struct bondy_slice challenge,
                      struct bondy_slice signature)
{
    char expected[BONDY_KDF_TEXT];
    bool matches;

    bondy_cra_sign(bondy_slice_text(verifier->key), challenge, expected);
    matches = signature.len == BONDY_KDF_TEXT - 1 &&
              sodium_memcmp(expected, signature.data, BONDY_KDF_TEXT - 1) == 0;
    sodium_memzero(expected, sizeof expected);
    return matches && !verifier->is_fake;
}

void bondy_cra_fake(struct bondy_slice secret, struct bondy_slice realm, struct bondy_slice authid,
                    uint32_t iterations, struct bondy_password_cra *out)
{
    uint8_t octets[BONDY_KDF_LEN];

    memset(out, 0, sizeof *out);
    out->iterations = iterations;
    out->is_fake = true;
    bondy_kdf_fake(secret, "wampcra salt", realm, authid, octets);
    bondy_secret_base64(bondy_slice_of(octets, BONDY_KDF_SALT_LEN), out->salt, sizeof out->salt);
    bondy_kdf_fake(secret, "wampcra key", realm, authid, octets);
    bondy_secret_base64(bondy_slice_of(octets, sizeof octets), out->key, sizeof out->key);
    sodium_memzero(octets, sizeof octets);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_KDF_H
#define BONDY_SECURITY_CREDENTIAL_KDF_H

/* kdf: the functions that make keys of passwords, and the hashes around them. Pure; any thread, but
 * what ends in _wait takes from milliseconds to seconds: never on a loop or the control thread.
 * realms-and-security.md 2.4. */

#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_KDF_LEN 32      /* octets of every key here: SHA-256 */
#define BONDY_KDF_SALT_LEN 16 /* octets of a new salt */
/* Base64 text of those, with a NUL. */
#define BONDY_KDF_TEXT 45
#define BONDY_KDF_SALT_TEXT 25

#define BONDY_PBKDF2_MIN 4096
#define BONDY_PBKDF2_MAX 1000000
#define BONDY_ARGON2_MEMORY_MIN 8          /* KiB */
#define BONDY_ARGON2_MEMORY_MAX 1048576    /* KiB */
#define BONDY_ARGON2_WORK_MAX (4ull << 20) /* iterations times KiB: four passes over 1 GiB */

enum bondy_kdf_kind { BONDY_KDF_PBKDF2, BONDY_KDF_ARGON2ID13 };

/* What one derivation costs. */
struct bondy_kdf_cost {
    enum bondy_kdf_kind kind;
    uint32_t iterations;
    uint32_t memory_kib; /* argon2id13 only, else 0 */
};

/* "pbkdf2" or "argon2id13". */
const char *bondy_kdf_name(enum bondy_kdf_kind kind);
/* Whether a record or a caller may ask for that much work: the limits above. */
bool bondy_kdf_is_allowed(const struct bondy_kdf_cost *cost);
/* PBKDF2-HMAC-SHA256 or Argon2id 1.3 (one lane, which takes a salt of 16 octets only).
 * BONDY_EINVAL: a cost or a salt that is not allowed; BONDY_ELIMIT: no memory for it. */
int bondy_kdf_wait(const struct bondy_kdf_cost *cost, struct bondy_slice password,
                   struct bondy_slice salt, uint8_t out[BONDY_KDF_LEN], struct bondy_error *err);

void bondy_hmac_sha256(struct bondy_slice key, struct bondy_slice text, uint8_t out[BONDY_KDF_LEN]);
void bondy_sha256(struct bondy_slice text, uint8_t out[BONDY_KDF_LEN]);

/* Octets that are always the same for a realm and a name, and that nobody without `secret` can
 * tell from random ones: HMAC-SHA256(secret, purpose NUL realm NUL name). For the verifiers of
 * users who do not exist. */
void bondy_kdf_fake(struct bondy_slice secret, const char *purpose, struct bondy_slice realm,
                    struct bondy_slice name, uint8_t out[BONDY_KDF_LEN]);

/* Base64 (RFC 4648 section 4, padded) in a time that does not depend on the data. `out` has room
 * for the text and a NUL. */
void bondy_secret_base64(struct bondy_slice octets, char *out, size_t out_size);
/* The same backwards: true when `text` is the strict base64 of exactly `len` octets. */
bool bondy_secret_unbase64(struct bondy_slice text, uint8_t *out, size_t len);

#endif

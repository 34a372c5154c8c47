/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_KEYS_H
#define BONDY_SECURITY_CREDENTIAL_KEYS_H

/* keys: the key pairs of a realm. EC P-256 signs tickets and tokens, RSA-2048 is for encryption.
 * Pure; a key does not change and may be read by any thread. realms-and-security.md 1.5. */

#include <jansson.h>

#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_KID_MAX 128 /* octets */
#define BONDY_KEY_PEM_MAX 8192

enum bondy_key_kind { BONDY_KEY_EC_P256, BONDY_KEY_RSA_2048 };

struct bondy_key {
    enum bondy_key_kind kind;
    char kid[BONDY_KID_MAX + 1];
    const char *alg;  /* the one JWS algorithm it may be used with; NULL: not for signatures */
    char *pem;        /* the private key; NULL when only the public one is known */
    char *public_pem; /* SubjectPublicKeyInfo */
    json_t *jwk;      /* public, with kid, use and alg: for key sets and external forms */
};

/* Makes a private key as PKCS #8 PEM text that the caller owns (zero it before freeing). Slow: a
 * millisecond for EC, up to seconds for RSA; a pool thread only. */
int bondy_key_generate_wait(enum bondy_key_kind kind, char **pem, struct bondy_error *err);
/* Parses the PEM of a private key, or of a public one when there is no private one, and checks that
 * it is of that kind. `kid` names it; empty: its RFC 7638 thumbprint. BONDY_EINVAL: none of these.
 * The error never holds the key. */
int bondy_key_parse(struct bondy_slice pem, enum bondy_key_kind kind, struct bondy_slice kid,
                    struct bondy_key **out, struct bondy_error *err);
/* Zeroes the private part. NULL is fine. */
void bondy_key_destroy(struct bondy_key *key);

/* RFC 7638 over SHA-256, base64url, of a JWK of kty EC or RSA. */
int bondy_key_thumbprint(const json_t *jwk, char out[44], struct bondy_error *err);

#endif

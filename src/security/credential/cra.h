/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_CRA_H
#define BONDY_SECURITY_CREDENTIAL_CRA_H

/* cra: WAMP-CRA, challenge and signature. Cheap and pure; any thread.
 * realms-and-security.md 3.5; WAMP, Challenge Response Authentication. */

#include <jansson.h>

#include "src/base/buf.h"
#include "src/security/credential/password.h"

#define BONDY_CRA_NONCE_LEN 16

struct bondy_cra_challenge {
    struct bondy_slice authid;
    struct bondy_slice authrole; /* empty: null */
    uint64_t session;            /* the id that WELCOME will give */
    uint8_t nonce[BONDY_CRA_NONCE_LEN];
    uint64_t wall_us; /* since 1970, UTC */
};

/* Appends the JSON text that the client signs, byte for byte; keep it for the verification. */
void bondy_cra_challenge(const struct bondy_cra_challenge *challenge, struct bondy_buf *out);
/* CHALLENGE.Extra: challenge, salt, keylen, iterations. The caller owns it. */
json_t *bondy_cra_extra(struct bondy_slice challenge, const struct bondy_password_cra *verifier);
/* base64(HMAC-SHA256(key text, challenge)), for clients and tests. */
void bondy_cra_sign(struct bondy_slice key, struct bondy_slice challenge, char out[BONDY_KDF_TEXT]);
/* In constant time; a fake verifier costs the same and is false. */
bool bondy_cra_verify(const struct bondy_password_cra *verifier, struct bondy_slice challenge,
                      struct bondy_slice signature);
/* A verifier for a name that is nobody's: the same salt at every attempt. */
void bondy_cra_fake(struct bondy_slice secret, struct bondy_slice realm, struct bondy_slice authid,
                    uint32_t iterations, struct bondy_password_cra *out);

#endif

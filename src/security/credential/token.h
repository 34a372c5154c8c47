/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_TOKEN_H
#define BONDY_SECURITY_CREDENTIAL_TOKEN_H

/* token: signed tokens (compact JWS, ES256). threat-model.md J1 to J5; oauth2-oidc.md 3.4.
 *
 * The signature itself is GnuTLS's. libjwt 1.10.2, which could have been the one to call, takes no
 * typ but JWT (RFC 9068 and our tickets have their own), writes r and s of ES256 with the length of
 * ES512, takes alg none, binds no key to an algorithm and checks no claim. Should it be called one
 * day, then in token.c only: a test sees to that.
 *
 * Pure; any thread. Verifying takes some hundred microseconds, signing as much. */

#include <jansson.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"
#include "src/security/credential/keys.h"

#define BONDY_TOKEN_MAX 16384     /* octets of a token */
#define BONDY_TOKEN_LEEWAY_MAX 60 /* seconds */

struct bondy_token {
    json_t *header;
    json_t *claims;
    /* Borrowed from the two; empty when absent. */
    struct bondy_slice alg;
    struct bondy_slice typ;
    struct bondy_slice kid; /* of the header, else of the claims (Bondy's access tokens) */
};

/* Takes a token apart without believing anything: strict base64url, exactly two dots, two JSON
 * objects without duplicate keys, kid at most BONDY_KID_MAX octets and the same in both where both
 * have it. On success the caller ends *out with bondy_token_fini(). BONDY_EINVAL, BONDY_ELIMIT. */
int bondy_token_peek(struct bondy_slice jws, struct bondy_token *out, struct bondy_error *err);
/* The same and the signature: the token must name the key and the key's own algorithm. jku, x5u and
 * jwk are not looked at. BONDY_EINVAL: malformed; BONDY_EDENIED: another key or algorithm, or a
 * wrong signature. */
int bondy_token_verify(struct bondy_slice jws, const struct bondy_key *key, struct bondy_token *out,
                       struct bondy_error *err);
void bondy_token_fini(struct bondy_token *token);
/* Signs `claims` with a private EC key: ES256, header typ and kid. *out is NUL-terminated text that
 * the caller owns. */
int bondy_token_sign(const json_t *claims, const char *typ, const struct bondy_key *key, char **out,
                     struct bondy_error *err);

/* ---- claims ------------------------------------------------------------------------------ */

enum bondy_token_reason {
    BONDY_TOKEN_OK,
    BONDY_TOKEN_MALFORMED,  /* a claim is missing or has a wrong type */
    BONDY_TOKEN_WRONG_TYPE, /* another kind of token */
    BONDY_TOKEN_EXPIRED,
    BONDY_TOKEN_NOT_YET,
    BONDY_TOKEN_WRONG_ISSUER,
    BONDY_TOKEN_WRONG_AUDIENCE,
    BONDY_TOKEN_WRONG_REALM,
    BONDY_TOKEN_WRONG_SUBJECT,
    BONDY_TOKEN_WRONG_CLIENT,
    BONDY_TOKEN_WRONG_DEVICE
};

struct bondy_token_verdict {
    enum bondy_token_reason reason;
    const char *claim; /* the first wrong one; NULL when OK */
};

/* "has expired", for log and audit (a client is told less). */
const char *bondy_token_reason_text(enum bondy_token_reason reason);

/* Requires `exp`, an instant; looks at `nbf` and `iat` where they are. Whole seconds from 0 to
 * 2^63 - 1 only. `leeway` is cut to 0..BONDY_TOKEN_LEEWAY_MAX. */
struct bondy_token_verdict bondy_token_check_times(const json_t *claims, int64_t now,
                                                   int64_t leeway);

struct bondy_token_expect {
    struct bondy_slice realm;     /* where it is used */
    struct bondy_slice authrealm; /* whose key signed it */
    struct bondy_slice authid;    /* canonical username; empty: any */
    struct bondy_slice client_id; /* tickets: HELLO authextra; empty when not given */
    struct bondy_slice device_id;
    int64_t now;
    int64_t leeway;
};

/* Checks the claims of a verified access token, of Bondy's form (exp is a lifetime when below
 * 10^9) or of RFC 9068's. */
struct bondy_token_verdict bondy_token_check_access(const struct bondy_token *token,
                                                    const struct bondy_token_expect *expect);

#endif

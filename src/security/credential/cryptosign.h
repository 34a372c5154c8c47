/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_CRYPTOSIGN_H
#define BONDY_SECURITY_CREDENTIAL_CRYPTOSIGN_H

/* cryptosign: login by an Ed25519 signature, the router's side. Cheap and pure; a login belongs to
 * one thread. realms-and-security.md 3.6; wamp.md AUTH-CSIGN.
 *
 *     bondy_cryptosign_start(&login, authextra, err)      HELLO
 *     bondy_cryptosign_bind(&login, tls data)             when login.binding is not none
 *     bondy_cryptosign_challenge(&login, random, key)     -> CHALLENGE
 *     bondy_cryptosign_verify(&login, signature)          <- AUTHENTICATE */

#include <jansson.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"
#include "src/security/credential/binding.h"

#define BONDY_CRYPTOSIGN_LEN 32 /* octets of a public key, of a seed and of a challenge */

/* Exactly `len` octets as hexadecimal digits of either case, nothing else. */
bool bondy_hex_parse(struct bondy_slice text, uint8_t *out, size_t len);

struct bondy_cryptosign {
    bool has_pubkey;            /* readable: authextra named a key (else see pubkey below) */
    bool wants_router;          /* readable: the client sent a challenge for the router */
    enum bondy_binding binding; /* readable: what was asked for; none after a bind without data */
    uint8_t pubkey[BONDY_CRYPTOSIGN_LEN]; /* readable; writable when there is only one candidate */
    uint8_t client_challenge[BONDY_CRYPTOSIGN_LEN];
    uint8_t challenge[BONDY_CRYPTOSIGN_LEN];
    uint8_t channel_id[BONDY_CRYPTOSIGN_LEN]; /* zero without binding */
};

/* Reads authextra {pubkey, channel_binding, challenge}. A binding that is not known is none: WAMP
 * lets the login go on without it. BONDY_EINVAL: a key or a challenge that is not 64 hexadecimal
 * digits. */
int bondy_cryptosign_start(struct bondy_cryptosign *login, const json_t *authextra,
                           struct bondy_error *err);
/* Mixes the channel in: 32 octets are the channel id; data of another length (tls-unique is 12) is
 * hashed to it with SHA-256, as the existing clients do; empty: the login goes on without. */
void bondy_cryptosign_bind(struct bondy_cryptosign *login, struct bondy_slice data);
/* CHALLENGE.Extra, owned by the caller. `random` is new for each login. `seed` is the node's
 * private key, or NULL when it has none; with it a client's challenge is answered. */
json_t *bondy_cryptosign_challenge(struct bondy_cryptosign *login,
                                   const uint8_t random[BONDY_CRYPTOSIGN_LEN],
                                   const uint8_t seed[BONDY_CRYPTOSIGN_LEN]);
/* Hexadecimal of the signature (64 octets), alone or followed by the signed message (32). */
bool bondy_cryptosign_verify(const struct bondy_cryptosign *login, struct bondy_slice signature);
/* The 96-octet form in hexadecimal, for clients and tests. */
void bondy_cryptosign_sign(const uint8_t seed[BONDY_CRYPTOSIGN_LEN],
                           const uint8_t challenge[BONDY_CRYPTOSIGN_LEN],
                           const uint8_t channel_id[BONDY_CRYPTOSIGN_LEN], char out[193]);

#endif

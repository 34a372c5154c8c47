/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_SCRAM_H
#define BONDY_SECURITY_CREDENTIAL_SCRAM_H

/* scram: WAMP-SCRAM, the router's side of one login. Cheap and pure (the client derives the key);
 * a login belongs to one thread. realms-and-security.md 3.7; wamp.md AUTH-SCRAM.
 *
 *     struct bondy_scram login;
 *     if ((wrong = bondy_scram_start(&login, authid, authextra)) == BONDY_SCRAM_OK &&
 *         (wrong = bondy_scram_bind(&login, tls data)) == BONDY_SCRAM_OK)
 *         extra = bondy_scram_challenge(&login, &verifier, random);      -> CHALLENGE
 *     wrong = bondy_scram_finish(&login, signature, extra, verifier);    <- AUTHENTICATE
 *     bondy_scram_fini(&login);
 */

#include <jansson.h>

#include "src/security/credential/binding.h"
#include "src/security/credential/password.h"

#define BONDY_SCRAM_NONCE_MIN 8  /* octets of the client's nonce */
#define BONDY_SCRAM_NONCE_MAX 64 /* the same */
#define BONDY_SCRAM_RANDOM_LEN 16
#define BONDY_SCRAM_VERIFIER_TEXT 47 /* "v=", base64 of 32 octets, NUL */
#define BONDY_SCRAM_BINDING_MAX 128  /* octets of channel binding data */

enum bondy_scram_error {
    BONDY_SCRAM_OK,
    BONDY_SCRAM_INVALID_ENCODING,
    BONDY_SCRAM_INVALID_PROOF,
    BONDY_SCRAM_CHANNEL_BINDINGS_DONT_MATCH,
    BONDY_SCRAM_CHANNEL_BINDING_NOT_SUPPORTED,
    BONDY_SCRAM_UNSUPPORTED_CHANNEL_BINDING_TYPE,
    BONDY_SCRAM_UNKNOWN_USER,
    BONDY_SCRAM_INVALID_USERNAME_ENCODING,
    BONDY_SCRAM_NO_RESOURCES,
    BONDY_SCRAM_OTHER_ERROR /* no nonce, another nonce than that of the challenge */
};

/* The word of RFC 5802 section 7, for ABORT.Details.scram: "invalid-proof". */
const char *bondy_scram_error_word(enum bondy_scram_error error);

/* Fields are read by the caller only where it says so. */
struct bondy_scram {
    enum bondy_binding binding; /* readable: what the client asked for */
    char *authid;               /* prepared and escaped */
    char client_nonce[(BONDY_SCRAM_NONCE_MAX + 2) / 3 * 4 + 1];
    char nonce[(BONDY_SCRAM_NONCE_MAX + BONDY_SCRAM_RANDOM_LEN + 2) / 3 * 4 + 1];
    uint8_t raw_nonce[BONDY_SCRAM_NONCE_MAX];
    size_t raw_nonce_len;
    uint8_t binding_data[BONDY_SCRAM_BINDING_MAX];
    size_t binding_len;
    struct bondy_password_scram verifier;
};

/* HELLO: authid and authextra {nonce, channel_binding}. End it with bondy_scram_fini() also after a
 * failure. */
enum bondy_scram_error bondy_scram_start(struct bondy_scram *login, struct bondy_slice authid,
                                         const json_t *authextra);
/* The channel's binding data of type login->binding; empty when there is none. */
enum bondy_scram_error bondy_scram_bind(struct bondy_scram *login, struct bondy_slice data);
/* CHALLENGE.Extra, owned by the caller; copies the verifier. `random` is new for each login. */
json_t *bondy_scram_challenge(struct bondy_scram *login,
                              const struct bondy_password_scram *verifier,
                              const uint8_t random[BONDY_SCRAM_RANDOM_LEN]);
/* AUTHENTICATE: signature and extra {nonce, channel_binding, cbind_data}. Fills `verifier` with
 * WELCOME.authextra.verifier when it is OK. A fake verifier ends in invalid-proof. A
 * second answer to the same challenge is other-error, whatever it says. */
enum bondy_scram_error bondy_scram_finish(struct bondy_scram *login, struct bondy_slice signature,
                                          const json_t *extra,
                                          char verifier[BONDY_SCRAM_VERIFIER_TEXT]);
void bondy_scram_fini(struct bondy_scram *login);

/* A verifier for a name that is nobody's: the same salt at every attempt. */
void bondy_scram_fake(struct bondy_slice secret, struct bondy_slice realm,
                      struct bondy_slice authid, const struct bondy_kdf_cost *cost,
                      struct bondy_password_scram *out);

/* ---- for clients and tests --------------------------------------------------------------- */

/* What both sides sign, as NUL-terminated text that the caller owns. */
char *bondy_scram_message(const struct bondy_scram *login);
/* The client's answer to a challenge: base64 of ClientKey XOR ClientSignature. */
int bondy_scram_proof_wait(const struct bondy_scram *login, struct bondy_slice password,
                           char out[BONDY_KDF_TEXT], struct bondy_error *err);

#endif

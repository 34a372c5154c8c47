/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_LOGIN_H
#define BONDY_CTL_LOGIN_H

/* login: the client's side of getting into a realm. realms-and-security.md 3.4 to 3.7; wamp.md
 * AUTH.
 *
 *     bondy_ctl_login_hello(&login, details, err)                           HELLO ->
 *     bondy_ctl_login_answer(&login, method, extra, &signature, ...)        <- CHALLENGE
 *     bondy_ctl_login_welcome(&login, details, err)                         <- WELCOME
 *
 * Nothing that the router sends can make it give away more than was offered: a challenge for
 * another method is refused, a password or ticket itself goes out only where nobody can listen, and
 * a SCRAM login counts only when the router proves that it knows the verifier. Pure, one thread. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/json.h"

/* What a person has to log in with; NULL and false: not given. Owned. */
struct bondy_ctl_credentials {
    char *authid;
    char *secret; /* password */
    char *ticket;
    uint8_t seed[32]; /* of an Ed25519 key */
    bool has_seed;
};
/* Overwrites the secrets. */
void bondy_ctl_credentials_fini(struct bondy_ctl_credentials *credentials);

#define BONDY_CTL_NONCE_LEN 16
#define BONDY_CTL_METHODS_MAX 8

struct bondy_ctl_login {
    /* In: borrowed. */
    const struct bondy_ctl_credentials *credentials;
    bool is_private;                    /* nobody can listen: TLS, this machine, a Unix socket */
    uint8_t nonce[BONDY_CTL_NONCE_LEN]; /* random */
    /* Of the login itself. */
    const char *offered[BONDY_CTL_METHODS_MAX];
    size_t offered_count;
    const char *method;   /* of the challenge that was answered; NULL: none */
    uint8_t verifier[32]; /* what the router must prove; SCRAM */
};

/* Adds authid, authmethods and authextra to HELLO.Details. BONDY_EINVAL: a credential that needs a
 * name has none; BONDY_EDENIED: a ticket that somebody could read on its way. */
int bondy_ctl_login_hello(struct bondy_ctl_login *login, json_t *details, struct bondy_error *err);
/* Answers a challenge. The caller ends *signature with bondy_secret_destroy() and owns *answer.
 * May take seconds: keys are derived. BONDY_EPROTO: a challenge that no honest router sends. */
int bondy_ctl_login_answer(struct bondy_ctl_login *login, struct bondy_slice method,
                           const json_t *extra, char **signature, json_t **answer,
                           struct bondy_error *err);
/* BONDY_EDENIED: the router did not prove that it knows the password's verifier. BONDY_EPROTO: it
 * asked for no proof, though all methods that were offered have one. */
int bondy_ctl_login_welcome(const struct bondy_ctl_login *login, const json_t *details,
                            struct bondy_error *err);
/* What a person can do about an ABORT; NULL: nothing to say. */
const char *bondy_ctl_login_advice(struct bondy_slice reason);
/* Whether an ABORT means that this client is not let in. */
bool bondy_ctl_login_is_denial(struct bondy_slice reason);

#endif

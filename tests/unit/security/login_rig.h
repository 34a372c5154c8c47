/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_SECURITY_LOGIN_RIG_H
#define BONDY_TESTS_UNIT_SECURITY_LOGIN_RIG_H

/* login_rig: the login engine on a fixture, without pools: every step is done when it returns. The
 * test is the client: it says HELLO and answers challenges.
 *
 * The realm "org.acme" takes all methods; its users:
 *   mona    password kettle-46-rope (CRA and SCRAM), key KEY1, groups cashiers and staff, alias mo
 *   argo    the same password, SCRAM with argon2id13
 *   keyed   key KEY2 alone
 *   plain   no credentials
 *   off     the password, disabled
 *   far     the password; its only source is 10.0.0.0/8
 * Everybody has a source for every method from 127.0.0.0/8, ::1/128 and 192.0.2.0/24, but
 * `far`-off addresses have none. */

#include "src/security/login/auth.h"
#include "src/security/login/login_local.h"
#include "tests/unit/security/fixture.h"

#define ACME "org.acme"
#define PASSWORD "kettle-46-rope"
/* Of the seeds 00 01 .. 1f and 20 21 .. 3f. */
#define KEY1 "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define KEY2 "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7"

struct login_rig {
    struct fixture *f;
    struct bondy_auth_options options; /* changed before login_rig_start() */
    struct bondy_auth *auth;
    /* What the principals told last. */
    unsigned told_count;
    enum bondy_principal_change told;
    char told_of[100]; /* "realm user" */
    uint64_t spared;
};

/* One attempt. */
struct attempt {
    struct login_rig *rig;
    struct bondy_login *login;
    const struct bondy_login_answer *answer; /* of the last step; NULL: none came */
    unsigned steps;
    json_t *details; /* HELLO.Details */
    char outcome[200];
};

int login_rig_setup(void **state);
int login_rig_teardown(void **state);
/* Makes the engine anew, after the options were changed. */
void login_rig_restart(struct login_rig *rig);
/* Changes that must work. */
void login_rig_do(struct login_rig *rig, enum fixture_what what, const char *realm,
                  const char *name, const char *input);

/* Begins; `hello` is HELLO.Details as JSON text (with ' for "). The outcome: "CHALLENGE method",
 * "WELCOME authid authrole method", "ABORT reason", "ASK procedure" or "" (nothing yet). `from`: an
 * address; NULL: 127.0.0.1. */
const char *hello(struct login_rig *rig, struct attempt *attempt, const char *realm,
                  const char *from, const char *text);
/* The same with a peer that is described in full. */
const char *hello_as(struct login_rig *rig, struct attempt *attempt, const char *realm,
                     const struct bondy_login_peer *peer, const char *text);
/* AUTHENTICATE; `extra` takes. */
const char *answer(struct attempt *attempt, const char *signature, json_t *extra);
/* The right or wrong answer of a client that knows this password, or the key of the seed that
 * begins with `seed` and counts up, to whatever it is challenged with. */
const char *answer_password(struct attempt *attempt, const char *password);
const char *answer_key(struct attempt *attempt, uint8_t seed);
/* Ends it. May be said of one that never began (zeroed). */
void finish(struct attempt *attempt);

/* From HELLO to the end in one: the outcome is kept until the next call. */
const char *log_in(struct login_rig *rig, const char *realm, const char *text,
                   const char *password);

#define LOGIN_TEST(name) cmocka_unit_test_setup_teardown(name, login_rig_setup, login_rig_teardown)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_GATEWAY_LOGIN_H
#define BONDY_TESTS_UNIT_GATEWAY_LOGIN_H

/* gateway_login: logins in the place of src/security/login's: they know who a test says, and write
 * down what they were asked. */

#include "src/security/login/auth.h"

struct gateway_known {
    const char *credential; /* "method authid secret" */
    const char *authid;     /* who that is; NULL: too many logins, come back in 7 s */
    const char *groups[3];
    const char *token; /* JSON of identity.token, ' for "; NULL: none */
};

/* What gateway_login_auth() is; one for each program. */
struct gateway_logins {
    const struct gateway_known *known; /* ends with a row without credential */
    bool holds;                        /* answers come with gateway_login_answer() alone */
    unsigned count;
    char asked[2048]; /* "realm method authid secret[ secure]; ..." since the test began */
};

extern struct gateway_logins gateway_logins;

struct bondy_auth *gateway_login_auth(void);
void gateway_login_reset(void);
/* Answers the login that is held; there must be one. */
void gateway_login_answer(void);
bool gateway_login_is_held(void);

#endif

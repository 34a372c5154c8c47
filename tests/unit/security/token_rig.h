/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_SECURITY_TOKEN_RIG_H
#define BONDY_TESTS_UNIT_SECURITY_TOKEN_RIG_H

/* token_rig: a login rig with signing keys, an SSO realm and a clock that stands: for what OAuth2
 * gives out. Besides org.acme there are org.idp, which authenticates `sam`, and org.shop and
 * org.store, where sam is a clerk. */

#include "src/security/token/access.h"
#include "src/security/token/code.h"
#include "src/security/token/denied.h"
#include "src/security/token/refresh.h"
#include "tests/unit/security/login_rig.h"

#define SHOP "org.shop"
#define STORE "org.store"
#define IDP "org.idp"

struct token_rig {
    struct login_rig *login;
    struct fixture *f;
    struct bondy_token_rules rules;
};

int token_rig_setup(void **state);
int token_rig_teardown(void **state);
void pass_seconds(unsigned seconds);
void pass_a_millisecond(void);
uint64_t now_ms(void);

/* The user as a login resolves it; to be ended with bondy_user_fini(). */
void token_user(struct token_rig *rig, const char *realm, const char *name, struct bondy_user *out);
/* An access token of the user for a client; ended with bondy_access_fini(). `sid` NULL: none. */
void token_access(struct token_rig *rig, const char *realm, const char *user, const char *sid,
                  struct bondy_access_token *out);
/* What bondy_access_check() says of a token in a realm: "" when it is good. */
const char *token_reason(struct token_rig *rig, const char *realm, const char *jws);

struct token_wish {
    const char *realm, *user, *client, *device;
};
/* Issues a refresh token; its text is the caller's, with `id` (room for BONDY_REFRESH_ID). */
char *token_issue(struct token_rig *rig, const struct token_wish *wish, char *id);

#define TOKEN_TEST(name) cmocka_unit_test_setup_teardown(name, token_rig_setup, token_rig_teardown)

#endif

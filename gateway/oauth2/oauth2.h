/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_OAUTH2_OAUTH2_H
#define BONDY_GATEWAY_OAUTH2_OAUTH2_H

/* oauth2: the endpoints of the OAuth2 authorization server that an API version with the security
 * `oauth2` has (gateway/spec/oauth2.c says at which paths). oauth2-oidc.md 3; RFC 6749, 6750, 7009,
 * 7636, 7662, 8414, 9207.
 *
 * The gateway hands requests to the rows of bondy_oauth2_endpoints(); each is answered on its own
 * thread. Passwords are checked as any login (src/security/login); users and tokens are read, and
 * tokens signed, on pool threads; what is stored is written by jobs on the control thread. */

#include <stdbool.h>

#include "gateway/endpoint.h"
#include "src/security/login/auth.h"
#include "src/security/token/access.h"

struct bondy_oauth2;

struct bondy_oauth2_options {
    struct bondy_store *store;
    const struct bondy_realms *realms;
    const struct bondy_security_rules *rules;
    const struct bondy_token_settings *tokens;
    struct bondy_auth *auth;
    struct bondy_pool *readers;
    struct bondy_audit *audit; /* NULL: none */
    unsigned leeway_s;         /* security.max_clock_skew */
    bool has_spaces;           /* `scope` as RFC 6749 has it, not with commas as Bondy */
    bool has_empty_revocation; /* revocation answers nothing instead of Bondy's `true` */
};

/* Made before the gateway; ended after it. */
struct bondy_oauth2 *bondy_oauth2_create(void);
/* Once, before the first request; everything is borrowed. */
void bondy_oauth2_open(struct bondy_oauth2 *oauth2, const struct bondy_oauth2_options *options);
/* No request is under way. NULL is fine. */
void bondy_oauth2_destroy(struct bondy_oauth2 *oauth2);
/* Rows for bondy_gateway_options.endpoints; as long as `oauth2`. */
#define BONDY_OAUTH2_ENDPOINTS 7
void bondy_oauth2_endpoints(struct bondy_oauth2 *oauth2,
                            struct bondy_gateway_endpoint out[BONDY_OAUTH2_ENDPOINTS]);

#endif

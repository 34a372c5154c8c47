/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_TOKEN_READ_H
#define BONDY_SECURITY_CREDENTIAL_TOKEN_READ_H

/* token_read: claims, one by one. Internal to src/security: for access tokens and tickets. Instants
 * are whole seconds from 0 to 2^63 - 1, and no sum of them can pass that. */

#include "src/security/credential/token.h"

/* An integer claim that is not negative; false (and -1) when it is missing or anything else. */
bool bondy_claim_seconds(const json_t *claims, const char *key, int64_t *out);
/* What is allowed of it. */
int64_t bondy_claim_leeway(int64_t leeway);
/* end + leeway <= now, and start > now + leeway. */
bool bondy_claim_is_over(int64_t end, int64_t now, int64_t leeway);
bool bondy_claim_is_ahead(int64_t start, int64_t now, int64_t leeway);

struct bondy_token_verdict bondy_claim_refuse(enum bondy_token_reason reason, const char *claim);

typedef struct bondy_token_verdict (*bondy_claim_check_fn)(const struct bondy_token *token,
                                                           const struct bondy_token_expect *expect);
/* The first verdict that is not OK. */
struct bondy_token_verdict bondy_claim_check_all(const bondy_claim_check_fn *checks, size_t count,
                                                 const struct bondy_token *token,
                                                 const struct bondy_token_expect *expect);

#endif

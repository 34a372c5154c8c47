/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_DENIED_H
#define BONDY_SECURITY_TOKEN_DENIED_H

/* denied: access tokens that count no more although their time is not over: one by its id, or all
 * of a refresh family. oauth2-oidc.md 3.4 and 3.6 (Better).
 *
 * One record (0x0A, scope: the realm whose key signed), subkey `bondy.denied NUL NUL hash`, which
 * ends by itself when the token does. */

#include "src/security/entity/edit.h"
#include "src/security/entity/realm.h"

enum bondy_denied_kind { BONDY_DENIED_TOKEN /* jti or id */, BONDY_DENIED_FAMILY /* sid */ };

/* [in a store job] Until `end_ms` (milliseconds since 1970); what is over is not written. */
int bondy_denied_apply_add(struct bondy_edit *edit, struct bondy_slice authrealm,
                           enum bondy_denied_kind kind, struct bondy_slice id, uint64_t end_ms);
/* [in a store job] The token that has these (verified) claims. */
int bondy_denied_apply_claims(struct bondy_edit *edit, const json_t *claims);
/* [in views] Whether a token with these claims was denied, alone or with its family. */
bool bondy_denied_has(const struct bondy_store_view *view, const struct bondy_realm *authrealm,
                      const json_t *claims);

/* What the subkeys of these records begin with: for the feed. */
#define BONDY_DENIED_HEAD BONDY_SLICE("bondy.denied\0")

#endif

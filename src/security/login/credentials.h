/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_CREDENTIALS_H
#define BONDY_SECURITY_LOGIN_CREDENTIALS_H

/* credentials: what an HTTP request carries to say who asks: read here, checked by
 * bondy_auth_check(), and remembered for a moment once it was found right, so that a script with
 * Basic credentials pays for the key derivation once and not with every request.
 *
 * What is remembered is a keyed hash, with a key of this process, of everything that the verdict
 * depended on: the realm, the kind of credential, where the client is, and the secret. It counts
 * for ten seconds, not longer than the credential itself, and only as long as nothing in the user's
 * record changes and nothing was revoked (bondy_auth_revocations()). After the ten seconds one
 * request asks anew, and the others go on for five more at most meanwhile, so that a crowd does not
 * derive the same key all at once. Each I/O thread has a table of its own. */

#include <stdint.h>

#include "src/security/login/auth.h"

/* ---- reading ----------------------------------------------------------------------------------*/

/* Names may have colons where passwords do not (gateway, clients of OAuth2); RFC 7617 has it the
 * other way round (admin API). */
enum bondy_colon { BONDY_COLON_FIRST, BONDY_COLON_LAST };

#define BONDY_BASIC_MAX 2048

/* Whether an Authorization header is of this scheme (in any case); *rest: what follows, may be the
 * header itself. */
bool bondy_credentials_scheme(struct bondy_slice header, const char *scheme,
                              struct bondy_slice *rest);
/* What follows "Basic": fills method, authid and secret, which lie in `bytes`; the caller zeroes
 * those after use. False: it is malformed. */
bool bondy_credentials_basic(struct bondy_slice encoded, enum bondy_colon colon,
                             char bytes[BONDY_BASIC_MAX], struct bondy_auth_check *out);

/* ---- remembering ------------------------------------------------------------------------------*/

struct bondy_credentials;

/* What was asked, made before the question: an answer that was overtaken by a revocation is not
 * kept. */
struct bondy_credentials_mark {
    uint8_t fingerprint[32];
    uint64_t revocations;
};

/* `auth` is borrowed and outlives it. */
struct bondy_credentials *bondy_credentials_create(const struct bondy_auth *auth);
/* No thread uses it any more. NULL is fine. */
void bondy_credentials_destroy(struct bondy_credentials *credentials);

/* Of realm, method, authid, secret and peer. */
void bondy_credentials_mark(const struct bondy_credentials *credentials,
                            const struct bondy_auth_check *check,
                            struct bondy_credentials_mark *out);
/* Of the thread whose loop has this index; borrowed until its next call. NULL: not known. */
const struct bondy_identity *bondy_credentials_find(struct bondy_credentials *credentials,
                                                    unsigned thread,
                                                    const struct bondy_credentials_mark *mark,
                                                    uint64_t now_ms);
/* A WELCOME. Only identities with a principal are kept: others nobody would take back. */
void bondy_credentials_keep(struct bondy_credentials *credentials, unsigned thread,
                            const struct bondy_credentials_mark *mark,
                            const struct bondy_login_answer *answer, uint64_t now_ms);
/* It was asked again and found wrong. */
void bondy_credentials_drop(struct bondy_credentials *credentials, unsigned thread,
                            const struct bondy_credentials_mark *mark);
/* On each thread, or when none runs: lets go of its principals. */
void bondy_credentials_forget(struct bondy_credentials *credentials, unsigned thread);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_CREDENTIALS_H
#define BONDY_ADMIN_CREDENTIALS_H

/* credentials: Authorization headers that were found right a moment ago, so that a script with
 * Basic credentials pays for the key derivation once and not with every request.
 *
 * What is kept is a keyed hash of the header, with a key of this process, for ten seconds, and only
 * as long as nothing in the user's record changes. Each I/O thread has a table of its own. */

#include <stdint.h>

#include "src/security/login/identity.h"

#define BONDY_CREDENTIALS_FINGERPRINT 32

struct bondy_credentials;

struct bondy_credentials *bondy_credentials_create(void);
/* No thread uses it any more. NULL is fine. */
void bondy_credentials_destroy(struct bondy_credentials *credentials);

void bondy_credentials_fingerprint(const struct bondy_credentials *credentials,
                                   struct bondy_slice header,
                                   uint8_t out[BONDY_CREDENTIALS_FINGERPRINT]);
/* Of the thread whose loop has this index; borrowed until its next call. NULL: not known. */
const struct bondy_identity *
bondy_credentials_find(struct bondy_credentials *credentials, unsigned thread,
                       const uint8_t fingerprint[BONDY_CREDENTIALS_FINGERPRINT], uint64_t now_ms);
/* Only identities with a principal are kept: others nobody would take back. */
void bondy_credentials_keep(struct bondy_credentials *credentials, unsigned thread,
                            const uint8_t fingerprint[BONDY_CREDENTIALS_FINGERPRINT],
                            const struct bondy_identity *identity, uint64_t now_ms);
/* On each thread, or when none runs: lets go of its principals. */
void bondy_credentials_forget(struct bondy_credentials *credentials, unsigned thread);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_SECRET_H
#define BONDY_SECURITY_ENTITY_SECRET_H

/* secret: which records hold what nobody may read from a stolen disk, so that the store seals them
 * (src/store/seal.h; cluster.md B9, rule 5):
 *
 *   0x02 realm element `k` and `c`   private keys of a realm
 *   0x04 user element `p`            password verifiers
 *   0x0C, 0x0D                       bridges, which hold credentials of other systems
 *   0x0F setting security.login      what made-up verifiers and the router's key come from
 *
 * Tickets, API keys and tokens are stored as hashes of random secrets, or signed with a key that is
 * sealed: there is nothing to guess. */

#include <stdbool.h>

#include "src/store/store.h"

/* For struct bondy_seal_options. Any thread. */
bool bondy_record_is_secret(const struct bondy_store_key *key);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_RESEAL_H
#define BONDY_STORE_RESEAL_H

/* reseal: a store whose secrets are not sealed as they should be, brought into order while it is
 * opened: under a new master key, under the first one, or, with only the previous key, not at all.
 *
 * What a store is sealed with stands in its meta table ("seal": stage(1), then the ids of the keys
 * that records may be sealed under, 8 octets each), before the first record is: whatever ends the
 * program, the next start knows which keys it needs and goes on. Versions stay, so nobody sees a
 * change. Internal to src/store. */

#include "src/store/lmdb.h"
#include "src/store/seal.h"

/* BONDY_EDENIED: sealed with a key that is not here; nothing was changed. *is_stale: the file may
 * hold what was there before, and should be written anew. May block for long. */
int bondy_reseal_wait(struct bondy_lmdb *db, const struct bondy_seal *seal, bool *is_stale,
                      struct bondy_error *err);
/* The key that all secrets of a store are sealed with, as its meta table says; NULL: none, or not
 * all. Borrows from the transaction. */
const uint8_t *bondy_reseal_key_id(struct bondy_lmdb_txn *txn);

/* Writes what lives in the store to another file beside it, with nothing of what is not any more;
 * the store is only read. */
int bondy_rewrite_wait(struct bondy_lmdb *db, const char *path, struct bondy_error *err);
/* Puts it in the place of the old file, which is not open. */
int bondy_rewrite_finish_wait(const char *path, struct bondy_error *err);

#endif

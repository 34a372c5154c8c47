/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_MIGRATE_H
#define BONDY_STORE_MIGRATE_H

/* migrate: the format of the store, brought forward one step at a time, never back. Internal to
 * src/store. */

#include "src/base/error.h"
#include "src/store/lmdb.h"

#define BONDY_STORE_FORMAT 2

/* Inside the first write transaction after opening. BONDY_EUNSUPPORTED: a newer program wrote it.
 */
int bondy_migrate(struct bondy_lmdb_txn *txn, struct bondy_error *err);

#endif

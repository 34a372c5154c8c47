/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_WRITE_H
#define BONDY_STORE_WRITE_H

/* write: what a job sees of the store: one transaction, and the changes it has noted. Control
 * thread. Internal to src/store. */

#include "src/store/key.h"
#include "src/store/lmdb.h"
#include "src/store/store.h"

/* Something that was written, as envelopes; told to the change feed after the commit. */
struct bondy_noted_change {
    struct bondy_noted_change *next;
    struct bondy_key_bytes key;
    char *now, *before; /* before may be NULL */
    size_t now_len, before_len;
};

/* What can be read: the records as one transaction sees them, at one time. */
struct bondy_store_view {
    struct bondy_lmdb_txn *txn;
    uint64_t now_ms;
};

struct bondy_store_write {
    struct bondy_store_view view; /* of the job's own transaction */
    struct bondy_store *store;
    struct bondy_hlc *hlc; /* of the store */
    struct bondy_noted_change *first, **last;
    bool is_full; /* LMDB had no room: worth another try in a greater map */
};

/* A stored key and envelope as a record that borrows from both; false when they are damaged. */
bool bondy_record_fill(struct bondy_slice key, struct bondy_slice value, struct bondy_record *out);
/* Frees a chain. */
void bondy_noted_change_free(struct bondy_noted_change *change);

#endif

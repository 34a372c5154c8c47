/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_WRITE_H
#define BONDY_STORE_WRITE_H

/* write: what a job sees of the store: one transaction, and the changes it has noted. Control
 * thread. Internal to src/store. */

#include "src/store/key.h"
#include "src/store/lmdb.h"
#include "src/store/store.h"

/* The greatest record: what a block of a backup can hold. */
#define BONDY_ENVELOPE_MAX (32u << 20)
#define BONDY_META_HLC "hlc"
#define BONDY_META_NODE "node_uuid"

/* Something that was written, as envelopes; told to the change feed after the commit. One piece of
 * memory of its exact size: a large job has a million of them. */
struct bondy_noted_change {
    struct bondy_noted_change *next;
    uint32_t key_len, now_len, before_len; /* before: 0 when there was nothing */
    char bytes[];                          /* key, now, before */
};

/* What can be read: the records as one transaction sees them, at one time. */
struct bondy_store_view {
    struct bondy_lmdb_txn *txn;
    uint64_t now_ms;
    const struct bondy_seal *seal;
};

struct bondy_store_write {
    struct bondy_store_view view; /* of the job's own transaction */
    struct bondy_store *store;
    struct bondy_hlc *hlc; /* of the store */
    struct bondy_noted_change *first, **last;
    bool is_dirty; /* something has to be committed, a change or not */
    bool is_full;  /* LMDB had no room: worth another try in a greater map */
};

/* The indexes of purge.h, kept with every write. */
struct bondy_index {
    struct bondy_lmdb_txn *txn;
    uint64_t now_ms;
    struct bondy_error *err;
};
/* `before` (NULL: nothing) under `key` becomes `now` (NULL: nothing). */
int bondy_index_update(const struct bondy_index *index, struct bondy_slice key,
                       const struct bondy_envelope *before, const struct bondy_envelope *now);
/* Makes sure that the children of a container are looked at by the purge. */
int bondy_index_add_hidden(const struct bondy_index *index, struct bondy_slice key);
/* Splits an index key into its time and the record's key; false when it is none. */
bool bondy_index_decode(struct bondy_slice bytes, uint64_t *ms, struct bondy_slice *key);

/* What became of an envelope from elsewhere. */
enum bondy_merge {
    BONDY_MERGE_FRESH, /* the key was not known: written */
    BONDY_MERGE_NEWER, /* than what was there: written */
    BONDY_MERGE_OLDER, /* than what is there: left out */
    BONDY_MERGE_EQUAL
};
/* Compares by the rule of cluster.md B2.1 and B2.4: the generation first, then the version. */
enum bondy_merge bondy_merge_compare(const struct bondy_envelope *there,
                                     const struct bondy_envelope *from_elsewhere);
/* Writes an envelope from elsewhere under its own version when it wins, and lets the clock observe
 * it. *is_drifted: it is stamped further ahead than the clock may drift. The caller has checked key
 * and envelope. */
int bondy_store_merge(struct bondy_store_write *write, struct bondy_slice key,
                      struct bondy_slice envelope, enum bondy_merge *merge, bool *is_drifted,
                      struct bondy_error *err);
/* Takes a record away without a tombstone and without telling the change feed: what nobody can read
 * any more. One that is not there is fine. */
int bondy_store_remove(struct bondy_store_write *write, struct bondy_slice key,
                       struct bondy_error *err);
/* Writes an envelope as it is but for its version, which becomes a new one: mode force of a
 * restore. A sealed one was opened. */
int bondy_store_rewrite(struct bondy_store_write *write, struct bondy_slice key,
                        struct bondy_envelope *envelope, struct bondy_error *err);
/* What is stored under a key, tombstones and expired ones included. BONDY_ENOENT. */
int bondy_store_find_raw(const struct bondy_store_view *view, struct bondy_slice key,
                         struct bondy_slice *raw, struct bondy_envelope *envelope,
                         struct bondy_error *err);

/* A stored key and envelope as a record that borrows from both; false when they are damaged. */
bool bondy_record_fill(struct bondy_slice key, struct bondy_slice value,
                       const struct bondy_seal *seal, struct bondy_record *out);
/* Frees a chain. */
void bondy_noted_change_free(struct bondy_noted_change *change);

#endif

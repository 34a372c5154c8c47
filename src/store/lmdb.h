/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_LMDB_H
#define BONDY_STORE_LMDB_H

/* lmdb: the only place that knows LMDB. Raw keys and values, transactions, growth of the map.
 *
 * No WRITEMAP, no NOSYNC, no DUPSORT: a commit that returned is on the disk. One writer at a time
 * (the control thread); readers from any thread. Internal to src/store. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"

struct bondy_lmdb;
struct bondy_lmdb_txn;

enum bondy_lmdb_table {
    BONDY_LMDB_RECORDS,
    BONDY_LMDB_META,
    BONDY_LMDB_EXPIRY, /* expires_ms(8, big endian), record key -> nothing (cluster.md B2.3) */
    BONDY_LMDB_HIDDEN, /* since ms(8, big endian), container key -> where its purge goes on */
    BONDY_LMDB_TABLES
};

/* `path` is an existing folder. Clears stale readers. */
int bondy_lmdb_open(const char *path, uint64_t map_size, uint64_t map_size_max,
                    struct bondy_lmdb **out, struct bondy_error *err);
void bondy_lmdb_close(struct bondy_lmdb *db);

/* A write transaction inside `parent` (NULL: an outer one). */
int bondy_lmdb_begin_write(struct bondy_lmdb *db, struct bondy_lmdb_txn *parent,
                           struct bondy_lmdb_txn **out, struct bondy_error *err);
int bondy_lmdb_begin_read(struct bondy_lmdb *db, struct bondy_lmdb_txn **out,
                          struct bondy_error *err);
/* Ends the transaction, also when it fails. BONDY_ELIMIT: the map is full. */
int bondy_lmdb_commit(struct bondy_lmdb_txn *txn, struct bondy_error *err);
void bondy_lmdb_abort(struct bondy_lmdb_txn *txn);

/* BONDY_ENOENT when there is none (err is not filled then). `out` is borrowed until the next write
 * or the end of the transaction. */
int bondy_lmdb_get(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table, struct bondy_slice key,
                   struct bondy_slice *out, struct bondy_error *err);
int bondy_lmdb_put(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table, struct bondy_slice key,
                   struct bondy_slice value, struct bondy_error *err);
/* One that is not there is fine. */
int bondy_lmdb_delete(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table,
                      struct bondy_slice key, struct bondy_error *err);
/* Removes everything of a table. */
int bondy_lmdb_clear(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table,
                     struct bondy_error *err);
/* In key order, those that start with `prefix`, from the key `from` on when it is not empty, until
 * `fn` returns non-zero, which is returned. */
int bondy_lmdb_scan(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table,
                    struct bondy_slice prefix, struct bondy_slice from,
                    int (*fn)(void *context, struct bondy_slice key, struct bondy_slice value),
                    void *context, struct bondy_error *err);

/* Doubles the map when more than 80 % of it is used, or in any case with `now`. No write
 * transaction may be open; waits for readers. BONDY_ELIMIT: it is as large as it may be. */
int bondy_lmdb_grow_wait(struct bondy_lmdb *db, bool now, struct bondy_error *err);
/* Whether somebody waits for readers to grow the map: a long reader should end. Any thread. */
bool bondy_lmdb_is_growing(const struct bondy_lmdb_txn *txn);
uint64_t bondy_lmdb_map_size(const struct bondy_lmdb *db);
/* Share of the map in use, 0..1. */
double bondy_lmdb_used(struct bondy_lmdb *db);
/* Share of map_size_max that records take, 0..1: pages that can be used again do not count. Any
 * thread; reads from the disk. */
double bondy_lmdb_filled_wait(struct bondy_lmdb *db);

#endif

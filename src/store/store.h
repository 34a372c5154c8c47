/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_STORE_H
#define BONDY_STORE_STORE_H

/* store: the durable state: ordered keys to small versioned records, one writer, a change feed.
 *
 * One thread, the control thread, owns all write transactions and runs jobs one after the other;
 * what waits together is committed together (group commit) and synced before any of it is reported
 * done. After a commit, on the control thread and in commit order, every change is given to the
 * hooks (the change feed), and only then the jobs' `done` run. Keys, envelope and versions:
 * cluster.md B2. Reads outside jobs may touch the disk: not on an I/O loop (those read published
 * snapshots). */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/base/slice.h"
#include "src/store/version.h"
#include "src/sys/loop.h"

/* cluster.md B2.3; types of later parts keep their numbers. */
enum bondy_record_type {
    BONDY_RECORD_REALM = 0x01,
    BONDY_RECORD_REALM_ELEMENT = 0x02,
    BONDY_RECORD_USER = 0x03,
    BONDY_RECORD_USER_ELEMENT = 0x04,
    BONDY_RECORD_GROUP = 0x05,
    BONDY_RECORD_GROUP_ELEMENT = 0x06,
    BONDY_RECORD_GRANT = 0x07,
    BONDY_RECORD_SOURCE = 0x08,
    BONDY_RECORD_TICKET = 0x09,
    BONDY_RECORD_TOKEN = 0x0A,
    BONDY_RECORD_API_SPEC = 0x0B,
    BONDY_RECORD_BRIDGE_RELAY = 0x0C,
    BONDY_RECORD_BROKER_BRIDGE = 0x0D,
    BONDY_RECORD_RETAINED = 0x0E,
    BONDY_RECORD_SETTING = 0x0F,
    BONDY_RECORD_APPLIED = 0x10,
    BONDY_RECORD_EVICTED = 0x11,
    BONDY_RECORD_LEASE = 0x12
};

struct bondy_store_key {
    enum bondy_record_type type;
    struct bondy_slice scope; /* realm URI, or empty for global types; hashed by the store */
    uint32_t gen;             /* of the container it belongs to; 0 for containers without one */
    struct bondy_slice subkey;
};

#define BONDY_SCOPE_HASH_LEN 16

/* A record as read; borrowed until the end of the job, callback or read transaction. */
struct bondy_record {
    struct bondy_store_key key;               /* scope is empty: only its hash is stored */
    uint8_t scope_hash[BONDY_SCOPE_HASH_LEN]; /* zero for global types */
    bool is_tombstone;
    uint32_t gen; /* its own, when it is a container */
    uint8_t version[BONDY_VERSION_LEN];
    uint64_t expires_ms; /* 0 = never */
    uint32_t schema;
    struct bondy_slice body;   /* CBOR; empty when it is sealed: see bondy_record_open() */
    struct bondy_slice sealed; /* empty: it is not */
    const struct bondy_seal *seal;
};

/* The body, whether it is sealed or not: of the record, or of `room` (empty before), which the
 * caller ends with bondy_record_close(). BONDY_EPROTO, BONDY_EDENIED: it cannot be opened. */
int bondy_record_open(const struct bondy_record *record, struct bondy_buf *room,
                      struct bondy_slice *body, struct bondy_error *err);
/* Zeroes and frees. */
void bondy_record_close(struct bondy_buf *room);

struct bondy_change {
    struct bondy_record now;           /* a tombstone when it was deleted */
    const struct bondy_record *before; /* NULL when the key was unknown or a tombstone */
};

struct bondy_store_options {
    const char *path; /* folder, made with mode 0700 */
    const char *node_name;
    uint64_t map_size; /* bytes at first, grown as needed */
    uint64_t map_size_max;
    unsigned commit_batch; /* most jobs of one commit (256) */
    /* What seals secrets, as long as the store; NULL: nothing is sealed. */
    const struct bondy_seal *seal;
    /* The change feed: after each commit, on the control thread. */
    void (*on_change)(void *context, const struct bondy_change *change);
    /* After the changes of one commit: the place to publish snapshots. */
    void (*on_commit)(void *context);
    void *context;
};

struct bondy_store;
struct bondy_seal;

/* Opens (or makes) the store and takes its lock file. Does not start the writer.
 * BONDY_EEXIST: another process has it open; BONDY_EUNSUPPORTED: written by a newer
 * version of this program; BONDY_EDENIED: it is sealed with a master key that is not here. When
 * records are not sealed as options->seal would seal them, all of them are, and the file is written
 * anew without what was there before: that takes long once. May block. */
int bondy_store_open(const struct bondy_store_options *options, struct bondy_store **out,
                     struct bondy_error *err);
/* Starts the control thread. */
int bondy_store_start(struct bondy_store *store, struct bondy_error *err);
/* Finishes queued jobs, stops the thread, closes. NULL is fine. */
void bondy_store_close(struct bondy_store *store);

/* A unit of serial work on the control thread. `run` may read and write through `write`; when it
 * fails, nothing of it is kept (other jobs of the same commit are not touched). It may be run again
 * after everything it wrote was taken back (the store grew, or the batch did not fit): it starts
 * from nothing each time. `done` runs after
 * the commit is on disk and the feed has been given its changes: on `loop` when given, else on the
 * control thread; it takes the job back. The result is in `rc` and `err` by then. */
struct bondy_store_write;
struct bondy_store_job {
    struct bondy_mail mail; /* the store's */
    struct bondy_loop *loop;
    int (*run)(struct bondy_store_job *job, struct bondy_store_write *write,
               struct bondy_error *err);
    void (*done)(struct bondy_store_job *job);
    int rc;
    struct bondy_error err;
};
/* Any thread; takes the job until `done`. Never blocks. */
void bondy_store_submit(struct bondy_store *store, struct bondy_store_job *job);
/* Submits and waits: start-up, helper threads, tests; never on a loop or the control thread. */
int bondy_store_run_wait(struct bondy_store *store, struct bondy_store_job *job,
                         struct bondy_error *err);

/* ---- reading ------------------------------------------------------------------------------
 * A view shows the records as they are at one moment, however long it is kept. Jobs have one of
 * their own transaction (what they wrote included); others begin one: start-up, control thread,
 * pool. Records borrow from it. */
struct bondy_store_view;

/* The caller ends it, soon, on the same thread: pages that a view still shows cannot be used again,
 * and the store cannot grow meanwhile. */
int bondy_store_view_begin(struct bondy_store *store, struct bondy_store_view **out,
                           struct bondy_error *err);
void bondy_store_view_end(struct bondy_store_view *view); /* NULL is fine */
/* Whether writers wait for this view, since the store has to grow: who keeps one for longer than a
 * moment asks now and then, and ends it and starts again when it is so. */
bool bondy_store_view_is_in_the_way(const struct bondy_store_view *view);
const struct bondy_store_view *bondy_store_write_view(const struct bondy_store_write *write);

/* Live records only (no tombstones, nothing expired); false when there is none. `gen` of the key is
 * part of what is looked up. out->key.subkey borrows from `key`. */
bool bondy_store_view_get(const struct bondy_store_view *view, const struct bondy_store_key *key,
                          struct bondy_record *out);

struct bondy_store_range {
    enum bondy_record_type type;
    struct bondy_slice scope; /* realm URI, or empty for global types */
    bool is_any_scope;        /* all scopes and generations of the type */
    bool is_any_gen;
    uint32_t gen;
    struct bondy_slice prefix; /* of the subkey; at most 448 octets */
    /* What the subkey ends with; empty: anything. Others are passed over without being looked into,
     * but for those of 480 octets or more, whose end is not known before. */
    struct bondy_slice suffix;
    struct bondy_slice after; /* the subkey to go on behind; empty: from the beginning */
    bool with_tombstones;     /* those too; what is expired never */
};
/* Calls `fn` with each record in key order until it returns non-zero, which is returned. `fn` may
 * not write in this range. */
int bondy_store_view_scan(const struct bondy_store_view *view,
                          const struct bondy_store_range *range,
                          int (*fn)(void *context, const struct bondy_record *record),
                          void *context);

/* ---- writing ------------------------------------------------------------------------------ */

/* Inside a job. Get gives live records only (no tombstones, nothing expired); false when there is
 * none. `gen` of the key is part of what is looked up. */
bool bondy_store_get(struct bondy_store_write *write, const struct bondy_store_key *key,
                     struct bondy_record *out);
/* What is written: `body` is CBOR of schema `schema`; `gen` is the generation of a container
 * (realm, user, group: B2.4), 0 for everything else. */
struct bondy_store_value {
    uint32_t schema;
    uint32_t gen;
    uint64_t expires_ms; /* 0 = never */
    struct bondy_slice body;
};

/* Writes under a version greater than the one it replaces. `expected`: NULL, or the version the
 * caller read: BONDY_ECONFLICT when it is another one by now. */
int bondy_store_put(struct bondy_store_write *write, const struct bondy_store_key *key,
                    const struct bondy_store_value *value, const uint8_t *expected,
                    struct bondy_error *err);
/* Like put with the version of built-in defaults (cluster.md B2.5): loses to any other write.
 * `revision` counts the revisions of the defaults. */
int bondy_store_put_builtin(struct bondy_store_write *write, const struct bondy_store_key *key,
                            const struct bondy_store_value *value, uint16_t revision,
                            struct bondy_error *err);
/* Leaves a tombstone. BONDY_ENOENT when there is no live record. */
int bondy_store_delete(struct bondy_store_write *write, const struct bondy_store_key *key,
                       const uint8_t *expected, struct bondy_error *err);
/* The generation a container gets when it is created now (B2.4): 0 when it was never known, one
 * more than its tombstone's, the current one when it is alive. */
uint32_t bondy_store_next_gen(struct bondy_store_write *write, const struct bondy_store_key *key);
/* Calls `fn` with each live record of a type as this job sees it, like bondy_store_scan_wait(). */
int bondy_store_scan(struct bondy_store_write *write, enum bondy_record_type type,
                     struct bondy_slice scope,
                     int (*fn)(void *context, const struct bondy_record *record), void *context);

/* Calls `fn` with each live record of a type (and scope, when not empty) in key order until it
 * returns non-zero, which is returned. A read transaction of its own: start-up, control thread,
 * pool. */
int bondy_store_scan_wait(struct bondy_store *store, enum bondy_record_type type,
                          struct bondy_slice scope,
                          int (*fn)(void *context, const struct bondy_record *record),
                          void *context);

/* What a record of this scope has as scope_hash. */
void bondy_store_scope_hash(struct bondy_slice scope, uint8_t out[BONDY_SCOPE_HASH_LEN]);

/* NULL: there is none. As long as the store. */
const struct bondy_seal *bondy_store_seal(const struct bondy_store *store);

/* Whether writes work: false after a failed commit until one succeeds (health). While it is so an
 * alarm is set: store_full or store_not_written. Any thread. */
bool bondy_store_is_healthy(const struct bondy_store *store);
/* The share of map_size_max that records take, 0..1. Any thread; reads from the disk. */
double bondy_store_filled_wait(const struct bondy_store *store);

#endif

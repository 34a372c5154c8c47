/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_BACKUP_H
#define BONDY_STORE_BACKUP_H

/* backup: a hot copy of the store as one file, and back. operations.md 6.2; threat-model D1, D2,
 * A8.
 *
 * A copy is made from one view while writes go on: it shows one moment. Only when the store's map
 * has to grow meanwhile the copy starts again from a later moment, since growth waits for views and
 * writers must not wait for a copy. A file is read twice to be restored: everything in it is
 * checked before the first record is applied. Memory is bounded by one block, whatever the file
 * says.
 *
 * All functions with `_wait` read and write files: pool or helper threads only. Progress may be
 * read and a task cancelled from any thread. */

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"
#include "src/store/store.h"

#define BONDY_BACKUP_SUFFIX ".bdyb"
#define BONDY_BACKUP_KEY_LEN 32
#define BONDY_BACKUP_RECIPIENTS_MAX 16
#define BONDY_BACKUP_REALMS_MAX 1024

/* What others may look at while a task runs, and the way to stop it. Zero it before. */
struct bondy_backup_progress {
    atomic_uint_least64_t read;    /* records read, of the store or of the file */
    atomic_uint_least64_t merged;  /* restore: records written */
    atomic_uint_least64_t skipped; /* by filters, expired, or older than what is there */
    atomic_uint_least64_t errors;  /* create: damaged records of the store, left out */
    atomic_uint_least64_t bytes;   /* of the file so far */
    atomic_uint restarts;     /* create: how often it began again because the store had to grow */
    atomic_bool is_cancelled; /* set it: the task ends with BONDY_ESTATE */
};

/* Which records. Zeroed: all. */
struct bondy_backup_filter {
    const struct bondy_slice *realms; /* URIs; their records, and nothing that is of no realm */
    size_t realm_count;               /* 0: all realms, and what is of none */
    uint32_t types;                   /* bit n: type n; 0: all */
};

/* The word for a record type in filters and reports ("user", "user_element"); NULL: unknown type.
 */
const char *bondy_backup_type_name(enum bondy_record_type type);
/* The bit for filter.types; 0 when there is no such word. */
uint32_t bondy_backup_type_bit(struct bondy_slice name);

/* 64 hex digits, or base64 (with or without padding, either alphabet), to 32 octets.
 * BONDY_EINVAL. */
int bondy_backup_key_parse(struct bondy_slice text, uint8_t out[BONDY_BACKUP_KEY_LEN],
                           struct bondy_error *err);

/* ---- create --------------------------------------------------------------------------------- */

struct bondy_backup_options {
    const char *dir;         /* backup.dir, absolute; made when it is not there */
    struct bondy_slice path; /* the folder in it that was asked for; empty: `dir` itself */
    const char *node_name;
    const char *cluster_name; /* NULL: none */
    struct bondy_backup_filter filter;
    bool include_retained;
    bool without_tickets, without_tokens;
    uint64_t max_duration_ms; /* 0: an hour */
    /* X25519 public keys; each of them alone can open the file. None: not encrypted. */
    const uint8_t (*recipients)[BONDY_BACKUP_KEY_LEN];
    size_t recipient_count;
};

struct bondy_backup;

/* Checks the place, picks the name and makes the file, still as `*.part`, mode 0600. Borrows what
 * the options point to until destroy. The caller ends it with bondy_backup_destroy().
 * BONDY_EINVAL: `path` leaves `dir`, or an option cannot be right. */
int bondy_backup_begin_wait(struct bondy_store *store, const struct bondy_backup_options *options,
                            struct bondy_backup **out, struct bondy_error *err);
/* The whole name it will have, and the unix seconds in it. */
const char *bondy_backup_path(const struct bondy_backup *backup);
uint64_t bondy_backup_created_s(const struct bondy_backup *backup);
/* Writes it, syncs it, gives it its name. BONDY_ESTATE: cancelled; BONDY_ELIMIT: took too long, or
 * a record of more than 32 MiB. */
int bondy_backup_run_wait(struct bondy_backup *backup, struct bondy_backup_progress *progress,
                          struct bondy_error *err);
/* Removes the `*.part` of one that did not finish. NULL is fine. */
void bondy_backup_destroy(struct bondy_backup *backup);

/* ---- look ----------------------------------------------------------------------------------- */

/* Names (`filename`) are relative to `dir`, or absolute inside it; everything else, `..` and links
 * on the way included, is BONDY_EINVAL. BONDY_ENOENT: no such file. BONDY_EPROTO: not a backup, or
 * a damaged one; the text says what and where. */

/* The header alone: what the file says about itself, nothing of it proved but its checksum. The
 * caller owns *out. */
int bondy_backup_header_wait(const char *dir, struct bondy_slice filename, json_t **out,
                             struct bondy_error *err);

/* What is in a file, from the point of view of its records: compared with the store. */
#define BONDY_BACKUP_TYPES (BONDY_RECORD_LEASE + 1)
struct bondy_backup_counts {
    uint64_t fresh; /* "new": the store knows nothing of the key */
    uint64_t newer; /* than what the store has: replaces it */
    uint64_t older; /* than what the store has: which stays (not in mode force) */
    uint64_t equal;
};
struct bondy_backup_report {
    uint64_t records;  /* in the file, all of them */
    uint64_t bytes;    /* of the file's content, unpacked */
    uint64_t filtered; /* left out by the filter */
    uint64_t expired;  /* left out: nobody could read them any more */
    uint64_t hidden;   /* mode force: of a container that was deleted or made again, left out */
    uint64_t drifted;  /* stamped further ahead than the clock may drift (kept; raise an alarm) */
    struct bondy_backup_counts types[BONDY_BACKUP_TYPES];
};

/* {"records", "filtered", ..., "types": {"user": {"new", "newer", "older", "equal"}}}, types
 * without records left out. The caller owns it. */
json_t *bondy_backup_report_tree(const struct bondy_backup_report *report);

/* How to open and look through a file. */
struct bondy_backup_source {
    const char *dir;
    struct bondy_slice filename;
    const uint8_t *secret_key; /* X25519; NULL: the file must not be encrypted */
    /* An upper floor's look at each record of the first pass, so that a body it cannot use refuses
     * the whole file. NULL: none. */
    int (*check)(void *context, const struct bondy_record *record, struct bondy_error *err);
    void *context;
};

/* Reads the whole file and checks all of it: framing, checksums, keys, envelopes, bodies, order,
 * count, hash. Fills report->records and ->bytes only. */
int bondy_backup_verify_wait(const struct bondy_backup_source *source,
                             struct bondy_backup_progress *progress,
                             struct bondy_backup_report *report, struct bondy_error *err);

/* ---- restore -------------------------------------------------------------------------------- */

enum bondy_backup_mode {
    BONDY_BACKUP_MERGE, /* versions kept, the greatest wins */
    BONDY_BACKUP_FORCE, /* written again under new versions: the backup wins */
    BONDY_BACKUP_EMPTY  /* like merge, but only when nothing except built-in defaults is there */
};

struct bondy_backup_restore {
    struct bondy_backup_source source;
    enum bondy_backup_mode mode;
    bool is_dry_run;
    struct bondy_backup_filter filter;
};

/* Verifies, then applies in batches through the control thread, each record with its change in the
 * feed; other writes go on between. Records that the file does not have are left alone. Cancelling
 * keeps the batches that were written. In mode force a realm, user or group that was deleted
 * meanwhile comes back as the next generation with its children (cluster.md B2.4).
 * BONDY_ESTATE: cancelled, or mode empty and the store is not. */
int bondy_backup_restore_wait(struct bondy_store *store, const struct bondy_backup_restore *restore,
                              struct bondy_backup_progress *progress,
                              struct bondy_backup_report *report, struct bondy_error *err);

/* ---- take in -------------------------------------------------------------------------------- */

struct bondy_backup_intake;

/* A file that somebody brings, as `name` right in `dir`: "bondy_backup.<unix seconds>.bdyb", or
 * with
 * ".<n>" behind the seconds, as this program names its own. It is there when all of it was checked
 * and is on disk, mode 0600; before that it is a `*.part`. */

/* Whether it could be brought now. BONDY_EINVAL: no such name, or one from the future;
 * BONDY_EEXIST. */
int bondy_backup_intake_check_wait(const char *dir, struct bondy_slice name,
                                   struct bondy_error *err);
/* The same, and begins; the caller ends *out with destroy. BONDY_ESTATE: somebody else writes it.
 */
int bondy_backup_intake_begin_wait(const char *dir, struct bondy_slice name,
                                   struct bondy_backup_intake **out, struct bondy_error *err);
/* BONDY_ELIMIT: the disk is full. */
int bondy_backup_intake_append_wait(struct bondy_backup_intake *intake, struct bondy_slice bytes,
                                    struct bondy_error *err);
/* Reads all of it, syncs it, gives it its name. *header is what the file says of itself, the
 * caller's. Of an encrypted file the frames are checked, not what is sealed in them. BONDY_EPROTO:
 * not a backup, or a damaged one; BONDY_EEXIST: one came before it; BONDY_ESTATE: cancelled. */
int bondy_backup_intake_finish_wait(struct bondy_backup_intake *intake,
                                    struct bondy_backup_progress *progress, json_t **header,
                                    struct bondy_error *err);
uint64_t bondy_backup_intake_size(const struct bondy_backup_intake *intake);
/* Removes what did not finish. NULL is fine. */
void bondy_backup_intake_destroy_wait(struct bondy_backup_intake *intake);

/* ---- keep ----------------------------------------------------------------------------------- */

/* Opens a backup right in `dir` for reading, to be sent to somebody. The caller closes *fd.
 * BONDY_EINVAL: it is no name of a backup, or no plain file; BONDY_ENOENT. */
int bondy_backup_open_wait(const char *dir, struct bondy_slice filename, int *fd,
                           struct bondy_error *err);
/* Removes what copies that were killed left right in `dir`: at start, before one can run. */
int bondy_backup_clean_wait(const char *dir, struct bondy_error *err);
/* The unix seconds in such a name; 0: it is none. */
uint64_t bondy_backup_name_seconds(struct bondy_slice name);
/* The finished backups right in `dir`, newest first: [{"name", "timestamp", "size"}]. The caller
 * owns *out. */
int bondy_backup_list_wait(const char *dir, json_t **out, struct bondy_error *err);
/* Removes all but the newest `keep`; *removed may be NULL. */
int bondy_backup_keep_wait(const char *dir, size_t keep, size_t *removed, struct bondy_error *err);

#endif

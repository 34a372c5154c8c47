/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_BACKUPS_H
#define BONDY_ADMIN_BACKUPS_H

/* backups: the desk where copies of the store are asked for: one job at a time, on a thread of its
 * own, as it may take an hour. operations.md 6.2; admin-http-api.md 5.8.
 *
 * Any thread. What ends in _wait touches files: pool threads. Results and problems (error objects
 * of admin-http-api.md 7) are the caller's. */

#include "src/base/json.h"
#include "src/router/router.h"
#include "src/store/store.h"

struct bondy_backup_desk;

struct bondy_backup_desk_options {
    struct bondy_store *store;
    const char *dir; /* backup.dir, absolute */
    const char *node_name;
    unsigned keep;            /* backup.keep: older ones are removed after a new one; 0: none is */
    uint64_t max_duration_ms; /* backup.max_duration; 0: an hour */
    uint64_t max_size;        /* backup.upload_max_size */
};

/* Texts are borrowed and outlive it. */
struct bondy_backup_desk *bondy_backup_desk_create(const struct bondy_backup_desk_options *options);
/* Cancels what runs, waits for it, and begins nothing more. Before the loops go. NULL is fine. */
void bondy_backup_desk_stop(struct bondy_backup_desk *desk);
/* Stops it, unless that was done. After the pools whose threads may be in here. NULL is fine. */
void bondy_backup_desk_destroy(struct bondy_backup_desk *desk);

/* Where the end of a job is told, as events of the master realm: on this loop. */
struct bondy_backup_teller {
    struct bondy_loop *loop;
    struct bondy_router_thread *thread;
};

/* Both begin a job and return when it can be said what it is: *result is {filename, timestamp}.
 * `input` is {path?, realms?, include_retained?, include_tickets?, include_tokens?, encrypt?:
 * {recipients}}, or {filename, mode?, realms?, types?, dry_run?}. BONDY_EINVAL, BONDY_ENOENT,
 * BONDY_ESTATE (a job runs already), BONDY_EIO. */
int bondy_backup_desk_make_wait(struct bondy_backup_desk *desk, const json_t *input,
                                const struct bondy_backup_teller *teller, json_t **result,
                                json_t **problem);
int bondy_backup_desk_restore_wait(struct bondy_backup_desk *desk, const json_t *input,
                                   const struct bondy_backup_teller *teller, json_t **result,
                                   json_t **problem);
/* Without filename: the job that runs, or null. Of the job's file: {status, elapsed_time_secs,
 * ...}. Of another file: what its header says. */
int bondy_backup_desk_status_wait(struct bondy_backup_desk *desk, struct bondy_slice filename,
                                  json_t **result, json_t **problem);
/* What may be downloaded: {name, timestamp, size}. */
int bondy_backup_desk_find_wait(struct bondy_backup_desk *desk, struct bondy_slice name,
                                json_t **result, json_t **problem);
/* Whether a file of that name and of `size` octets (negative: not known) could be uploaded: {name,
 * max_size, path}, the path being where to. BONDY_EEXIST, BONDY_ELIMIT, BONDY_EINVAL. */
int bondy_backup_desk_expect_wait(struct bondy_backup_desk *desk, struct bondy_slice name,
                                  json_int_t size, json_t **result, json_t **problem);
/* {name, timestamp, size}, as the list has it. */
json_t *bondy_backup_desk_entry(struct bondy_slice name, uint64_t size);
/* backup.dir; as long as the desk. */
const char *bondy_backup_desk_dir(const struct bondy_backup_desk *desk);
/* backup.upload_max_size. */
uint64_t bondy_backup_desk_max_size(const struct bondy_backup_desk *desk);
/* [{name, timestamp, size}], newest first. */
int bondy_backup_desk_list_wait(struct bondy_backup_desk *desk, json_t **result, json_t **problem);
/* Reads a whole file and checks it: {valid: true, records, bytes}. */
int bondy_backup_desk_verify_wait(struct bondy_backup_desk *desk, struct bondy_slice filename,
                                  json_t **result, json_t **problem);

#endif

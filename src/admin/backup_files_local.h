/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_BACKUP_FILES_LOCAL_H
#define BONDY_ADMIN_BACKUP_FILES_LOCAL_H

/* backup_files_local: what the files of backup_files share; nobody else includes it. */

#include <pthread.h>

#include "src/admin/backup_files.h"
#include "src/admin/backups.h"
#include "src/http/problem.h"
#include "src/store/backup.h"

struct bondy_upload;

struct bondy_backup_files {
    const struct bondy_admin_node *node;
    struct bondy_pool *writers;
    pthread_mutex_t lock; /* guards what is below */
    struct bondy_upload *uploads[BONDY_UPLOADS_MAX];
    bool is_stopping;
};

/* Ends the call with a refusal. */
void bondy_backup_files_problem(struct bondy_gateway_call *call,
                                const struct bondy_problem *problem);
/* Ends the call with a refusal that fits what a function of src/store/backup.h returned. */
void bondy_backup_files_refuse(struct bondy_gateway_call *call, int rc,
                               const struct bondy_error *err);
/* The entity tag of a file, with its quotes. */
#define BONDY_FILE_TAG 40
struct stat;
void bondy_backup_files_tag(const struct stat *info, char out[BONDY_FILE_TAG]);

void bondy_download_begin(void *context, struct bondy_gateway_call *call);
void bondy_upload_begin(void *context, struct bondy_gateway_call *call);
void bondy_upload_serve(void *context, struct bondy_gateway_call *call);
void bondy_upload_gone(void *context, struct bondy_gateway_call *call);
/* Any thread, with the lock: its check ends soon. */
void bondy_upload_cancel(struct bondy_upload *upload);

#endif

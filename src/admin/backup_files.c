/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "src/admin/backup_files_local.h"
#include "src/base/alloc.h"
#include "src/wamp/errors.h"

#define WRITERS 2
#define NICE 5 /* checking unpacks and hashes; those who serve connections go first */

/* ---- answers ----------------------------------------------------------------------------------*/

void bondy_backup_files_problem(struct bondy_gateway_call *call,
                                const struct bondy_problem *problem)
{
    struct bondy_request *request = bondy_gateway_call_request(call);
    struct bondy_response *response = NULL;

    if (request != NULL) {
        response = bondy_problem_create(request, problem);
        bondy_response_header(response, "cache-control", BONDY_SLICE("no-store"), NULL);
    }
    bondy_gateway_call_answer(call, response);
}

void bondy_backup_files_refuse(struct bondy_gateway_call *call, int rc,
                               const struct bondy_error *err)
{
    static const struct {
        int rc;
        struct bondy_problem problem;
    } rows[] = {
        {BONDY_EINVAL, {.status = 400, .code = "bondy.error.invalid_value"}},
        {BONDY_ENOENT, {.status = 404, .code = BONDY_ERR_NOT_FOUND}},
        {BONDY_EEXIST, {.status = 409, .code = BONDY_ERR_ALREADY_EXISTS}},
        {BONDY_ESTATE, {.status = 409, .code = "bondy.error.backup_in_progress"}},
        {BONDY_EPROTO, {.status = 400, .code = BONDY_ERR_INVALID_DATA}},
        {BONDY_ELIMIT, {.status = 507, .code = "insufficient_storage"}},
        {BONDY_EAGAIN, {.status = 503, .code = BONDY_ERR_UNAVAILABLE}},
    };
    struct bondy_problem problem = {.status = 500, .code = BONDY_ERR_INTERNAL};

    for (size_t i = 0; i < BONDY_COUNT(rows); i++)
        if (rows[i].rc == rc)
            problem = rows[i].problem;
    problem.message = err->text;
    bondy_backup_files_problem(call, &problem);
}

void bondy_backup_files_tag(const struct stat *info, char out[BONDY_FILE_TAG])
{
    snprintf(out, BONDY_FILE_TAG, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)info->st_size,
             (uint64_t)info->st_mtim.tv_sec * 1000000000u + (uint64_t)info->st_mtim.tv_nsec);
}

/* A download is answered before anything is sent: there is nothing to serve. */
static void nothing_left(void *context, struct bondy_gateway_call *call)
{
    (void)context;
    bondy_backup_files_refuse(call, BONDY_EIO, &(struct bondy_error){.text = "not answered"});
}

/* ---- life -------------------------------------------------------------------------------------*/

int bondy_backup_files_create(const struct bondy_admin_node *node, struct bondy_backup_files **out,
                              struct bondy_error *err)
{
    struct bondy_backup_files *files = bondy_zalloc(sizeof *files);
    int rc;

    files->node = node;
    pthread_mutex_init(&files->lock, NULL);
    rc = bondy_pool_create(WRITERS, BONDY_UPLOADS_MAX, NICE, &files->writers, err);
    if (rc < 0)
        bondy_backup_files_destroy(files);
    else
        *out = files;
    return rc;
}

void bondy_backup_files_endpoints(struct bondy_backup_files *files,
                                  struct bondy_gateway_endpoint out[BONDY_BACKUP_ENDPOINTS])
{
    out[0] = (struct bondy_gateway_endpoint){.name = "backup_download",
                                             .serve = nothing_left,
                                             .context = files,
                                             .begin = bondy_download_begin};
    out[1] = (struct bondy_gateway_endpoint){.name = "backup_upload",
                                             .serve = bondy_upload_serve,
                                             .context = files,
                                             .begin = bondy_upload_begin,
                                             .gone = bondy_upload_gone};
}

void bondy_backup_files_stop(struct bondy_backup_files *files)
{
    if (files == NULL)
        return;
    pthread_mutex_lock(&files->lock);
    files->is_stopping = true;
    for (size_t i = 0; i < BONDY_UPLOADS_MAX; i++)
        if (files->uploads[i] != NULL)
            bondy_upload_cancel(files->uploads[i]);
    pthread_mutex_unlock(&files->lock);
    bondy_pool_stop(files->writers);
}

void bondy_backup_files_destroy(struct bondy_backup_files *files)
{
    if (files == NULL)
        return;
    bondy_pool_destroy(files->writers);
    pthread_mutex_destroy(&files->lock);
    bondy_free(files);
}

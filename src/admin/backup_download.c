/* SPDX-License-Identifier: Apache-2.0 */

/* backup_download: a copy of the store on its way out. Opening it touches the disk and is done by a
 * reader; what is sent comes from the file as the client takes it, read ahead by the system. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/admin/backup_files_local.h"
#include "src/base/alloc.h"
#include "src/http/range.h"

#define TYPE "application/octet-stream"

struct download {
    struct bondy_work work;
    struct bondy_backup_files *files;
    struct bondy_gateway_call *call;
    struct bondy_slice name; /* the call's */
    int fd;
    struct stat info;
    int rc;
    struct bondy_error err;
};

/* ---- the answer -------------------------------------------------------------------------------*/

static void put(struct bondy_response *response, const char *name, const char *text)
{
    bondy_response_header(response, name, bondy_slice_text(text), NULL);
}

/* A part is what the client has not got yet, so it must be of the same file. */
static enum bondy_range_outcome choose_part(const struct bondy_request *request, const char *tag,
                                            uint64_t size, uint64_t *first, uint64_t *len)
{
    struct bondy_slice condition = bondy_request_header(request, "if-range");

    *first = 0;
    *len = size;
    if (bondy_request_method(request) != BONDY_METHOD_GET ||
        (condition.data != NULL && !bondy_slice_is(condition, tag)))
        return BONDY_RANGE_WHOLE;
    return bondy_range_parse(bondy_request_header(request, "range"), size, first, len);
}

static void describe(const struct download *download, const char *tag,
                     struct bondy_response *response)
{
    char text[128];

    snprintf(text, sizeof text, "attachment; filename=\"%.*s\"", (int)download->name.len,
             download->name.data);
    put(response, "content-disposition", text);
    put(response, "accept-ranges", "bytes");
    put(response, "cache-control", "no-store");
    put(response, "etag", tag);
}

static struct bondy_response *make_part(struct download *download, enum bondy_range_outcome outcome,
                                        uint64_t first, uint64_t len)
{
    uint64_t size = (uint64_t)download->info.st_size;
    struct bondy_response *response;
    char text[96];

    if (outcome == BONDY_RANGE_NONE) {
        response = bondy_response_create(416);
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        put(response, "content-range", text);
        return response;
    }
    response = bondy_response_create(outcome == BONDY_RANGE_PART ? 206 : 200);
    if (outcome == BONDY_RANGE_PART) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
                 first + len - 1, size);
        put(response, "content-range", text);
    }
    posix_fadvise(download->fd, (off_t)first, (off_t)len, POSIX_FADV_SEQUENTIAL);
    bondy_response_file(response, download->fd, first, len, TYPE);
    download->fd = -1;
    return response;
}

static struct bondy_response *make(struct download *download, const struct bondy_request *request)
{
    struct bondy_slice known = bondy_request_header(request, "if-none-match");
    struct bondy_response *response;
    char tag[BONDY_FILE_TAG];
    uint64_t first, len;
    enum bondy_range_outcome outcome;

    bondy_backup_files_tag(&download->info, tag);
    outcome = choose_part(request, tag, (uint64_t)download->info.st_size, &first, &len);
    if (known.data != NULL && bondy_range_has_tag(known, bondy_slice_text(tag)))
        response = bondy_response_create(304);
    else
        response = make_part(download, outcome, first, len);
    describe(download, tag, response);
    return response;
}

/* ---- the way ----------------------------------------------------------------------------------*/

static void open_it(struct bondy_work *work)
{
    struct download *download = BONDY_CONTAINER(work, struct download, work);
    const char *dir = bondy_backup_desk_dir(download->files->node->backups);

    download->rc = bondy_backup_open_wait(dir, download->name, &download->fd, &download->err);
    if (download->rc == BONDY_OK && fstat(download->fd, &download->info) < 0)
        download->rc = bondy_fail(&download->err, BONDY_EIO, "the backup cannot be read");
}

static void opened(struct bondy_work *work)
{
    struct download *download = BONDY_CONTAINER(work, struct download, work);
    struct bondy_request *request = bondy_gateway_call_request(download->call);

    if (request == NULL)
        bondy_gateway_call_answer(download->call, NULL);
    else if (download->rc < 0)
        bondy_backup_files_refuse(download->call, download->rc, &download->err);
    else
        bondy_gateway_call_answer(download->call, make(download, request));
    if (download->fd >= 0)
        close(download->fd);
    bondy_free(download);
}

void bondy_download_begin(void *context, struct bondy_gateway_call *call)
{
    struct bondy_backup_files *files = context;
    struct bondy_request *request = bondy_gateway_call_request(call);
    struct download *download;
    struct bondy_error err;

    if (bondy_request_has_body(request)) {
        bondy_fail(&err, BONDY_EINVAL, "a download takes no body");
        bondy_backup_files_refuse(call, BONDY_EINVAL, &err);
        return;
    }
    download = bondy_zalloc(sizeof *download);
    download->work.run = open_it;
    download->work.done = opened;
    download->files = files;
    download->call = call;
    download->name = bondy_gateway_call_binding(call, "name");
    download->fd = -1;
    if (files->node->readers == NULL) {
        open_it(&download->work);
        opened(&download->work);
    } else if (bondy_pool_submit(files->node->readers, bondy_request_loop(request), &download->work,
                                 NULL) < 0) {
        download->rc = bondy_fail(&download->err, BONDY_EAGAIN, "too much is waiting already");
        opened(&download->work);
    }
}

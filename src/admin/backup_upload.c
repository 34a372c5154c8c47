/* SPDX-License-Identifier: Apache-2.0 */

/* backup_upload: a copy of the store on its way in.
 *
 *   begin -> OPEN -> pieces: fill one buffer while a writer has the other (WRITE) -> serve ->
 * FINISH
 *                    |
 *                    both full: the request is paused
 *
 * One step at a time is with the writers; all else is on the request's loop. A step that fails
 * removes what there is; a client that leaves has it removed by DROP, or by the step that runs. */

#include <stdio.h>

#include "src/admin/backup_files_local.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/http/negotiate.h"
#include "src/wamp/errors.h"

#define BUFFER ((size_t)256 << 10)

enum step { OPEN, WRITE, FINISH, DROP };

struct bondy_upload {
    struct bondy_work work;
    struct bondy_backup_files *files;
    struct bondy_gateway_call *call;
    struct bondy_loop *loop;
    struct bondy_slice name; /* the call's */
    enum step step;
    bool is_busy;  /* a step is with the writers */
    bool is_whole; /* the body is */
    bool is_gone;  /* the client is */
    struct bondy_buf filling;

    /* The writers', while it is busy. */
    struct bondy_backup_intake *intake; /* NULL: not made, given its name, or removed */
    struct bondy_buf writing;
    json_t *header;
    uint64_t size;
    int rc;
    struct bondy_error err;
    struct bondy_backup_progress progress; /* any thread may cancel */
};

void bondy_upload_cancel(struct bondy_upload *upload)
{
    atomic_store(&upload->progress.is_cancelled, true);
}

/* ---- how many ---------------------------------------------------------------------------------*/

static bool take_place(struct bondy_upload *upload)
{
    struct bondy_backup_files *files = upload->files;
    bool is_taken = false;

    pthread_mutex_lock(&files->lock);
    for (size_t i = 0; i < BONDY_UPLOADS_MAX && !is_taken && !files->is_stopping; i++) {
        is_taken = files->uploads[i] == NULL;
        if (is_taken)
            files->uploads[i] = upload;
    }
    pthread_mutex_unlock(&files->lock);
    return is_taken;
}

static void leave_place(struct bondy_upload *upload)
{
    struct bondy_backup_files *files = upload->files;

    pthread_mutex_lock(&files->lock);
    for (size_t i = 0; i < BONDY_UPLOADS_MAX; i++)
        if (files->uploads[i] == upload)
            files->uploads[i] = NULL;
    pthread_mutex_unlock(&files->lock);
}

/* ---- the end ----------------------------------------------------------------------------------*/

static void audit(const struct bondy_upload *upload, const struct bondy_request *request)
{
    const struct bondy_identity *identity = bondy_gateway_call_identity(upload->call);
    struct bondy_buf target = BONDY_BUF_EMPTY;
    char source[BONDY_ADDRESS_TEXT];
    struct bondy_audit_entry entry = {
        .action = "bondy.backup.upload",
        .outcome = upload->rc == BONDY_OK ? BONDY_AUDIT_OK : BONDY_AUDIT_ERROR,
        .actor = identity == NULL ? BONDY_SLICE_EMPTY : identity->authid,
    };

    if (request != NULL) {
        entry.source_ip = bondy_slice_text(
            bondy_address_format_host(&bondy_request_peer(request)->address, source));
        entry.request_id = bondy_request_id(request);
    }
    if (upload->rc < 0)
        entry.reason =
            upload->is_gone ? BONDY_SLICE("the client left") : bondy_slice_text(upload->err.text);
    bondy_buf_printf(&target, "backups/%.*s", (int)upload->name.len, upload->name.data);
    entry.target = bondy_buf_slice(&target);
    bondy_audit_write(upload->files->node->audit, &entry, NULL);
    bondy_buf_fini(&target);
}

static void answer_made(struct bondy_upload *upload)
{
    struct bondy_response *response = bondy_response_create(201);
    json_t *entry = bondy_backup_desk_entry(upload->name, upload->size);
    struct bondy_buf body = BONDY_BUF_EMPTY;
    char location[128];

    if (json_object_get(upload->header, "encryption") != NULL)
        json_object_set_new(entry, "encrypted", json_true());
    bondy_json_format(entry, &body);
    json_decref(entry);
    snprintf(location, sizeof location, "/backups/%.*s", (int)upload->name.len, upload->name.data);
    bondy_response_header(response, "location", bondy_slice_text(location), NULL);
    bondy_response_header(response, "cache-control", BONDY_SLICE("no-store"), NULL);
    bondy_response_body(response, &body, "application/json");
    bondy_gateway_call_answer(upload->call, response);
}

static void end(struct bondy_upload *upload)
{
    struct bondy_request *request = bondy_gateway_call_request(upload->call);

    audit(upload, request);
    leave_place(upload);
    if (upload->rc == BONDY_OK)
        bondy_log(BONDY_LOG_INFO, "backup_uploaded", BONDY_F_SLICE("name", upload->name),
                  BONDY_F_U64("size", upload->size));
    if (request == NULL)
        bondy_gateway_call_answer(upload->call, NULL);
    else if (upload->rc < 0)
        bondy_backup_files_refuse(upload->call, upload->rc, &upload->err);
    else
        answer_made(upload);
    json_decref(upload->header);
    bondy_buf_fini(&upload->filling);
    bondy_buf_fini(&upload->writing);
    bondy_free(upload);
}

/* ---- on a writer's thread ---------------------------------------------------------------------*/

static int finish(struct bondy_upload *upload)
{
    struct bondy_slice rest = bondy_buf_slice(&upload->writing);
    int rc = bondy_backup_intake_append_wait(upload->intake, rest, &upload->err);

    if (rc == BONDY_OK)
        rc = bondy_backup_intake_finish_wait(upload->intake, &upload->progress, &upload->header,
                                             &upload->err);
    upload->size = bondy_backup_intake_size(upload->intake);
    if (rc == BONDY_ESTATE) /* cancelled: the node stops */
        rc = bondy_fail(&upload->err, BONDY_EAGAIN, "the node is shutting down");
    return rc;
}

static int take_step(struct bondy_upload *upload)
{
    const char *dir = bondy_backup_desk_dir(upload->files->node->backups);

    switch (upload->step) {
    case OPEN:
        return bondy_backup_intake_begin_wait(dir, upload->name, &upload->intake, &upload->err);
    case WRITE:
        return bondy_backup_intake_append_wait(upload->intake, bondy_buf_slice(&upload->writing),
                                               &upload->err);
    case FINISH:
        return finish(upload);
    case DROP:
        break;
    }
    return bondy_fail(&upload->err, BONDY_EAGAIN, "given up");
}

static void drop(struct bondy_upload *upload)
{
    bondy_backup_intake_destroy_wait(BONDY_MOVE(upload->intake));
}

static void run(struct bondy_work *work)
{
    struct bondy_upload *upload = BONDY_CONTAINER(work, struct bondy_upload, work);

    upload->rc = take_step(upload);
    if (upload->rc < 0 || upload->step == FINISH)
        drop(upload);
}

/* ---- on the loop ------------------------------------------------------------------------------*/

static void done(struct bondy_work *work);

/* May end the upload. */
static void start(struct bondy_upload *upload, enum step step)
{
    struct bondy_buf empty = upload->writing;

    if (step == WRITE || step == FINISH) {
        upload->writing = upload->filling;
        upload->filling = empty;
        upload->filling.len = 0;
    }
    upload->step = step;
    upload->is_busy = true;
    upload->work.run = run;
    upload->work.done = done;
    if (bondy_pool_submit(upload->files->writers, upload->loop, &upload->work, NULL) == BONDY_OK)
        return;
    /* The node stops: there is nobody else to do it. */
    upload->rc = bondy_fail(&upload->err, BONDY_EAGAIN, "the node is shutting down");
    drop(upload);
    done(&upload->work);
}

static void take_piece(void *context, struct bondy_request *request, struct bondy_slice piece)
{
    struct bondy_upload *upload = context;

    bondy_buf_append_slice(&upload->filling, piece);
    if (upload->filling.len < BUFFER)
        return;
    if (upload->is_busy)
        bondy_request_pause(request);
    else
        start(upload, WRITE);
}

static void go_on(struct bondy_upload *upload)
{
    const struct bondy_body_sink sink = {take_piece, upload};

    if (upload->step == OPEN) {
        bondy_gateway_call_read(upload->call, &sink,
                                bondy_backup_desk_max_size(upload->files->node->backups));
        return;
    }
    bondy_request_resume(bondy_gateway_call_request(upload->call));
    if (upload->is_whole)
        start(upload, FINISH);
    else if (upload->filling.len >= BUFFER)
        start(upload, WRITE);
}

static void done(struct bondy_work *work)
{
    struct bondy_upload *upload = BONDY_CONTAINER(work, struct bondy_upload, work);

    upload->is_busy = false;
    if (upload->intake == NULL)
        end(upload);
    else if (upload->is_gone)
        start(upload, DROP);
    else
        go_on(upload);
}

void bondy_upload_serve(void *context, struct bondy_gateway_call *call)
{
    struct bondy_upload *upload = bondy_gateway_call_user(call);

    (void)context;
    upload->is_whole = true;
    if (!upload->is_busy)
        start(upload, FINISH);
}

void bondy_upload_gone(void *context, struct bondy_gateway_call *call)
{
    struct bondy_upload *upload = bondy_gateway_call_user(call);

    (void)context;
    upload->is_gone = true;
    bondy_upload_cancel(upload);
    if (!upload->is_busy)
        start(upload, DROP);
}

/* ---- the beginning ----------------------------------------------------------------------------*/

/* A file is sent as it is, by many programs without a word about its type. */
static bool is_acceptable(const struct bondy_request *request)
{
    struct bondy_slice given = bondy_request_header(request, "content-type");
    char type[BONDY_MEDIA_TYPE_MAX];

    return given.data == NULL ||
           (bondy_media_type(given, type) > 0 && strcmp(type, "application/octet-stream") == 0);
}

static bool is_too_long(const struct bondy_upload *upload, const struct bondy_request *request)
{
    uint64_t len = bondy_request_content_length(request);

    return len != UINT64_MAX && len > bondy_backup_desk_max_size(upload->files->node->backups);
}

void bondy_upload_begin(void *context, struct bondy_gateway_call *call)
{
    struct bondy_request *request = bondy_gateway_call_request(call);
    struct bondy_upload *upload;

    if (!is_acceptable(request)) {
        bondy_backup_files_problem(
            call,
            &(struct bondy_problem){.status = 415,
                                    .code = "unsupported_media_type",
                                    .message = "A backup is sent as application/octet-stream.",
                                    .description = "curl -T FILE does so; --data-binary needs -H "
                                                   "'content-type: application/octet-stream'."});
        return;
    }
    upload = bondy_zalloc(sizeof *upload);
    upload->files = context;
    upload->call = call;
    upload->loop = bondy_request_loop(request);
    upload->name = bondy_gateway_call_binding(call, "name");
    if (is_too_long(upload, request) || !take_place(upload)) {
        bool is_long = is_too_long(upload, request);

        bondy_free(upload);
        bondy_backup_files_problem(
            call, &(struct bondy_problem){
                      .status = is_long ? 413 : 503,
                      .code = is_long ? "body_max_bytes_exceeded" : BONDY_ERR_UNAVAILABLE,
                      .message = is_long ? "The backup is larger than one that may come in."
                                         : "Other backups are coming in.",
                      .description = is_long ? "See backup.upload_max_size."
                                             : "Try again when one of them is here."});
        return;
    }
    bondy_gateway_call_set_user(call, upload);
    start(upload, OPEN);
}

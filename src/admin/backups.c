/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/backups.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/admin/tell.h"
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/problem.h"
#include "src/security/entity/realm.h"
#include "src/store/backup.h"
#include "src/wamp/errors.h"

enum job_kind { JOB_NONE, JOB_CREATE, JOB_RESTORE };

/* One copy or restore, from its beginning to its thread's end. Owns what its options point to. */
struct job {
    enum job_kind kind;
    char *filename;
    uint64_t timestamp_s, started_ms;
    struct bondy_backup *backup;
    struct bondy_backup_options create;
    struct bondy_backup_restore restore;
    json_t *input; /* texts of the options lie in it */
    struct bondy_slice *realms;
    uint8_t (*recipients)[BONDY_BACKUP_KEY_LEN];
    struct bondy_backup_progress progress;
    struct bondy_backup_teller teller;
};

struct bondy_backup_desk {
    struct bondy_backup_desk_options options;
    pthread_mutex_t lock; /* guards everything below */
    struct job *job;      /* the one that runs */
    bool is_reserved;     /* one is beginning */
    bool is_stopping;
    bool has_thread; /* `thread` is to be joined */
    pthread_t thread;
    json_t *last; /* {filename, status, ...} of the one before */
};

/* ---- problems ---------------------------------------------------------------------------------*/

static int refuse(json_t **problem, int code, const char *uri, const char *message)
{
    *problem = bondy_problem(uri, message, "");
    return code;
}

static int invalid(json_t **problem, const char *key, const char *message)
{
    *problem = bondy_json_with(bondy_problem("bondy.error.invalid_value", message, ""), "key",
                               json_string(key));
    return BONDY_EINVAL;
}

/* What the store's files said. */
static int fail(json_t **problem, int rc, const struct bondy_error *err)
{
    switch (rc) {
    case BONDY_EINVAL:
        return invalid(problem, "filename", err->text);
    case BONDY_ENOENT:
        return refuse(problem, rc, BONDY_ERR_NOT_FOUND, err->text);
    case BONDY_EEXIST:
        return refuse(problem, rc, BONDY_ERR_ALREADY_EXISTS, err->text);
    case BONDY_EPROTO:
        return refuse(problem, rc, BONDY_ERR_INVALID_DATA, err->text);
    default:
        return refuse(problem, rc, BONDY_ERR_INTERNAL, err->text);
    }
}

static int busy(json_t **problem, enum job_kind kind)
{
    return kind == JOB_RESTORE ? refuse(problem, BONDY_ESTATE, "bondy.error.restore_in_progress",
                                        "A restore is in progress.")
                               : refuse(problem, BONDY_ESTATE, "bondy.error.backup_in_progress",
                                        "A backup is in progress.");
}

/* ---- the job's thread -------------------------------------------------------------------------*/

static void free_job(struct job *job)
{
    if (job == NULL)
        return;
    bondy_backup_destroy(job->backup);
    json_decref(job->input);
    bondy_free(job->realms);
    bondy_free(job->recipients);
    bondy_free(job->filename);
    bondy_free(job);
}

/* An event on its way to the loop that publishes it. */
struct telling {
    struct bondy_mail mail;
    struct bondy_router_thread *thread;
    const char *topic;
    char *filename;
};

static void tell_now(struct bondy_mail *mail)
{
    struct telling *telling = BONDY_CONTAINER(mail, struct telling, mail);

    bondy_admin_tell_on(telling->thread, BONDY_SLICE(BONDY_MASTER_REALM), telling->topic,
                        json_pack("[s]", telling->filename), NULL);
    bondy_free(telling->filename);
    bondy_free(telling);
}

/* With the lock: nothing is told when the loops may be gone. */
static void tell(const struct bondy_backup_desk *desk, const struct job *job, const char *topic)
{
    struct telling *telling;

    if (desk->is_stopping || job->teller.loop == NULL)
        return;
    telling = bondy_zalloc(sizeof *telling);
    telling->mail.run = tell_now;
    telling->thread = job->teller.thread;
    telling->topic = topic;
    telling->filename = bondy_memdup0(job->filename, strlen(job->filename));
    bondy_loop_post(job->teller.loop, &telling->mail);
}

static const char *topic_of(enum job_kind kind, bool is_started, bool is_well)
{
    if (kind == JOB_CREATE)
        return is_started ? "bondy.backup.started"
               : is_well  ? "bondy.backup.finished"
                          : "bondy.backup.failed";
    return is_started ? "bondy.backup.restore_started"
           : is_well  ? "bondy.backup.restore_finished"
                      : "bondy.backup.restore_failed";
}

static json_t *progress_of(const struct bondy_backup_progress *progress)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "read", (json_int_t)atomic_load(&progress->read),
                     "merged", (json_int_t)atomic_load(&progress->merged), "skipped",
                     (json_int_t)atomic_load(&progress->skipped), "errors",
                     (json_int_t)atomic_load(&progress->errors), "bytes",
                     (json_int_t)atomic_load(&progress->bytes));
}

static void remember(struct bondy_backup_desk *desk, const struct job *job, int rc,
                     const struct bondy_error *err, const struct bondy_backup_report *report)
{
    json_t *last =
        json_pack("{s:s, s:I, s:s, s:o}", "filename", job->filename, "timestamp",
                  (json_int_t)job->timestamp_s, "status", rc == BONDY_OK ? "finished" : "failed",
                  "progress", progress_of(&job->progress));

    if (rc < 0)
        json_object_set_new(last, "reason", json_string(err->text));
    else if (job->kind == JOB_RESTORE)
        json_object_set_new(last, "report", bondy_backup_report_tree(report));
    json_decref(desk->last);
    desk->last = last;
}

static void log_end(const struct job *job, int rc, const struct bondy_error *err)
{
    if (rc < 0)
        bondy_log(BONDY_LOG_ERROR, job->kind == JOB_CREATE ? "backup_failed" : "restore_failed",
                  BONDY_F_STR("filename", job->filename), BONDY_F_STR("reason", err->text));
    else
        bondy_log(
            BONDY_LOG_INFO, job->kind == JOB_CREATE ? "backup_made" : "backup_restored",
            BONDY_F_STR("filename", job->filename),
            BONDY_F_U64("records", atomic_load(job->kind == JOB_CREATE ? &job->progress.read
                                                                       : &job->progress.merged)));
}

/* With the lock. What ended since the server does is no failure. */
static void alarm_end(const struct bondy_backup_desk *desk, const struct job *job, int rc,
                      const struct bondy_error *err)
{
    if (job->kind != JOB_CREATE || desk->is_stopping)
        return;
    if (rc == BONDY_OK)
        bondy_alarm_clear(BONDY_ALARM_BACKUP_FAILED, BONDY_SLICE_EMPTY);
    else
        bondy_alarm_set(BONDY_ALARM_BACKUP_FAILED, BONDY_SLICE_EMPTY, "%s: %s", job->filename,
                        err->text);
}

static void *run(void *context)
{
    struct bondy_backup_desk *desk = context;
    struct job *job = desk->job;
    struct bondy_backup_report report = {0};
    struct bondy_error err = {0};
    int rc;

    if (job->kind == JOB_CREATE) {
        rc = bondy_backup_run_wait(job->backup, &job->progress, &err);
        if (rc == BONDY_OK && desk->options.keep > 0)
            bondy_backup_keep_wait(desk->options.dir, desk->options.keep, NULL, NULL);
    } else {
        rc = bondy_backup_restore_wait(desk->options.store, &job->restore, &job->progress, &report,
                                       &err);
    }
    log_end(job, rc, &err);
    pthread_mutex_lock(&desk->lock);
    remember(desk, job, rc, &err, &report);
    alarm_end(desk, job, rc, &err);
    tell(desk, job, topic_of(job->kind, false, rc == BONDY_OK));
    desk->job = NULL;
    pthread_mutex_unlock(&desk->lock);
    free_job(job);
    return NULL;
}

/* ---- beginning --------------------------------------------------------------------------------*/

static bool reserve(struct bondy_backup_desk *desk, enum job_kind *running)
{
    bool is_free;

    pthread_mutex_lock(&desk->lock);
    is_free = desk->job == NULL && !desk->is_reserved && !desk->is_stopping;
    *running = desk->job != NULL ? desk->job->kind : JOB_CREATE;
    if (is_free)
        desk->is_reserved = true;
    pthread_mutex_unlock(&desk->lock);
    return is_free;
}

static void give_back(struct bondy_backup_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->is_reserved = false;
    pthread_mutex_unlock(&desk->lock);
}

/* Takes the job when it could be started. */
static int start(struct bondy_backup_desk *desk, struct job *job, json_t **result, json_t **problem)
{
    bool is_started;

    if (desk->has_thread)
        pthread_join(desk->thread, NULL); /* it has ended: there is no job */
    desk->has_thread = false;
    *result = json_pack("{s:s, s:I}", "filename", job->filename, "timestamp",
                        (json_int_t)job->timestamp_s);
    pthread_mutex_lock(&desk->lock);
    desk->is_reserved = false;
    desk->job = job;
    job->started_ms = bondy_clock_mono_ms();
    tell(desk, job, topic_of(job->kind, true, true));
    is_started = pthread_create(&desk->thread, NULL, run, desk) == 0;
    desk->has_thread = is_started;
    if (!is_started)
        desk->job = NULL;
    pthread_mutex_unlock(&desk->lock);
    if (is_started)
        return BONDY_OK;
    json_decref(*result);
    *result = NULL;
    return refuse(problem, BONDY_EIO, BONDY_ERR_INTERNAL, "No thread could be started.");
}

/* ---- inputs -----------------------------------------------------------------------------------*/

static int read_realms(struct job *job, struct bondy_backup_filter *filter, json_t **problem)
{
    const json_t *realms = json_object_get(job->input, "realms");
    size_t count = json_array_size(realms);

    if (realms == NULL || (json_is_string(realms) && strcmp(json_string_value(realms), "all") == 0))
        return BONDY_OK;
    if (count == 0 || count > BONDY_BACKUP_REALMS_MAX)
        return invalid(problem, "realms", "A list of realms is expected.");
    job->realms = bondy_calloc(count, sizeof *job->realms);
    for (size_t i = 0; i < count; i++) {
        const char *uri = json_string_value(json_array_get(realms, i));

        if (uri == NULL)
            return invalid(problem, "realms", "A list of realms is expected.");
        job->realms[i] = bondy_slice_text(uri);
    }
    filter->realms = job->realms;
    filter->realm_count = count;
    return BONDY_OK;
}

static int read_types(const struct job *job, struct bondy_backup_filter *filter, json_t **problem)
{
    const json_t *types = json_object_get(job->input, "types");

    for (size_t i = 0; i < json_array_size(types); i++) {
        const char *word = json_string_value(json_array_get(types, i));
        uint32_t bit = word == NULL ? 0 : bondy_backup_type_bit(bondy_slice_text(word));

        if (bit == 0)
            return invalid(problem, "types", "There is no such type of record.");
        filter->types |= bit;
    }
    return BONDY_OK;
}

static int read_recipients(struct job *job, json_t **problem)
{
    const json_t *list = json_object_get(json_object_get(job->input, "encrypt"), "recipients");
    size_t count = json_array_size(list);

    if (json_object_get(job->input, "encrypt") == NULL)
        return BONDY_OK;
    if (count == 0 || count > BONDY_BACKUP_RECIPIENTS_MAX)
        return invalid(problem, "encrypt", "One to 16 recipients are expected.");
    job->recipients = bondy_calloc(count, sizeof *job->recipients);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (text == NULL ||
            bondy_backup_key_parse(bondy_slice_text(text), job->recipients[i], NULL) < 0)
            return invalid(problem, "encrypt", "A recipient is a public key of 32 octets.");
    }
    job->create.recipients = (const uint8_t(*)[BONDY_BACKUP_KEY_LEN])job->recipients;
    job->create.recipient_count = count;
    return BONDY_OK;
}

static struct job *make_job(enum job_kind kind, const json_t *input,
                            const struct bondy_backup_teller *teller)
{
    struct job *job = bondy_zalloc(sizeof *job);

    job->kind = kind;
    job->input = json_is_object(input) ? json_deep_copy(input) : json_object();
    job->teller = *teller;
    return job;
}

static int fill_create(const struct bondy_backup_desk *desk, struct job *job, json_t **problem)
{
    struct bondy_backup_options *options = &job->create;
    int rc;

    *options = (struct bondy_backup_options){
        .dir = desk->options.dir,
        .path = bondy_json_text(job->input, "path"),
        .node_name = desk->options.node_name,
        .include_retained = json_is_true(json_object_get(job->input, "include_retained")),
        .without_tickets = json_is_false(json_object_get(job->input, "include_tickets")),
        .without_tokens = json_is_false(json_object_get(job->input, "include_tokens")),
        .max_duration_ms = desk->options.max_duration_ms};
    rc = read_realms(job, &options->filter, problem);
    return rc < 0 ? rc : read_recipients(job, problem);
}

static int begin_create(struct bondy_backup_desk *desk, struct job *job, json_t **problem)
{
    struct bondy_error err = {0};
    const char *path;
    int rc = fill_create(desk, job, problem);

    if (rc < 0)
        return rc;
    rc = bondy_backup_begin_wait(desk->options.store, &job->create, &job->backup, &err);
    if (rc == BONDY_EINVAL)
        return invalid(problem, "path", err.text);
    if (rc < 0)
        return fail(problem, rc, &err);
    path = bondy_backup_path(job->backup);
    job->filename = bondy_memdup0(path, strlen(path));
    job->timestamp_s = bondy_backup_created_s(job->backup);
    return BONDY_OK;
}

static int read_mode(struct job *job, json_t **problem)
{
    struct bondy_slice word = bondy_json_text(job->input, "mode");

    job->restore.mode = BONDY_BACKUP_MERGE;
    if (word.len == 0 || bondy_slice_is(word, "merge"))
        return BONDY_OK;
    job->restore.mode = BONDY_BACKUP_FORCE;
    if (bondy_slice_is(word, "force"))
        return BONDY_OK;
    job->restore.mode = BONDY_BACKUP_EMPTY;
    if (bondy_slice_is(word, "empty"))
        return BONDY_OK;
    return invalid(problem, "mode", "'mode' is merge, force or empty.");
}

/* The header is read first, so that a name that is none is refused at once. */
static int begin_restore(struct bondy_backup_desk *desk, struct job *job, json_t **problem)
{
    struct bondy_slice filename = bondy_json_text(job->input, "filename");
    struct bondy_error err = {0};
    json_t *header = NULL;
    int rc;

    if (filename.len == 0)
        return invalid(problem, "filename", "The name of a backup is expected.");
    if ((rc = bondy_backup_header_wait(desk->options.dir, filename, &header, &err)) < 0)
        return fail(problem, rc, &err);
    job->filename = bondy_memdup0(filename.data, filename.len);
    job->timestamp_s = bondy_clock_wall_ms() / 1000;
    json_decref(header);
    job->restore.source.dir = desk->options.dir;
    job->restore.source.filename = bondy_slice_text(job->filename);
    job->restore.is_dry_run = json_is_true(json_object_get(job->input, "dry_run"));
    if ((rc = read_mode(job, problem)) < 0 ||
        (rc = read_realms(job, &job->restore.filter, problem)) < 0)
        return rc;
    return read_types(job, &job->restore.filter, problem);
}

static int begin(struct bondy_backup_desk *desk, struct job *job,
                 int (*prepare)(struct bondy_backup_desk *desk, struct job *job, json_t **problem),
                 json_t **result, json_t **problem)
{
    enum job_kind running;
    int rc;

    if (!reserve(desk, &running)) {
        free_job(job);
        return busy(problem, running);
    }
    rc = prepare(desk, job, problem);
    if (rc < 0)
        give_back(desk);
    else
        rc = start(desk, job, result, problem);
    if (rc < 0)
        free_job(job);
    return rc;
}

int bondy_backup_desk_make_wait(struct bondy_backup_desk *desk, const json_t *input,
                                const struct bondy_backup_teller *teller, json_t **result,
                                json_t **problem)
{
    return begin(desk, make_job(JOB_CREATE, input, teller), begin_create, result, problem);
}

int bondy_backup_desk_restore_wait(struct bondy_backup_desk *desk, const json_t *input,
                                   const struct bondy_backup_teller *teller, json_t **result,
                                   json_t **problem)
{
    return begin(desk, make_job(JOB_RESTORE, input, teller), begin_restore, result, problem);
}

/* ---- looking ----------------------------------------------------------------------------------*/

static const char *status_word(const struct job *job)
{
    return job->kind == JOB_CREATE ? "backup_in_progress" : "restore_in_progress";
}

/* The part of a path behind its last slash. */
static struct bondy_slice last_part(struct bondy_slice path)
{
    size_t len = path.len;

    while (len > 0 && path.data[len - 1] != '/')
        len--;
    return bondy_slice_skip(path, len);
}

/* True: it was about the job that runs, or the one before. */
static bool status_of_job(struct bondy_backup_desk *desk, struct bondy_slice filename,
                          json_t **result)
{
    struct bondy_slice name = last_part(filename);
    const struct job *job;
    bool is_known = true;

    pthread_mutex_lock(&desk->lock);
    job = desk->job;
    if (filename.len == 0)
        *result = job == NULL ? json_null() : json_string(status_word(job));
    else if (job != NULL && bondy_slice_eq(name, last_part(bondy_slice_text(job->filename))))
        *result = json_pack("{s:s, s:I, s:o}", "status", status_word(job), "elapsed_time_secs",
                            (json_int_t)((bondy_clock_mono_ms() - job->started_ms) / 1000),
                            "progress", progress_of(&job->progress));
    else
        is_known = false;
    pthread_mutex_unlock(&desk->lock);
    return is_known;
}

/* A file's header, and how the last job about it ended. */
static void add_last(struct bondy_backup_desk *desk, struct bondy_slice filename, json_t *result)
{
    pthread_mutex_lock(&desk->lock);
    if (desk->last != NULL &&
        bondy_slice_eq(last_part(filename), last_part(bondy_json_text(desk->last, "filename"))))
        json_object_set(result, "last", desk->last);
    pthread_mutex_unlock(&desk->lock);
}

int bondy_backup_desk_status_wait(struct bondy_backup_desk *desk, struct bondy_slice filename,
                                  json_t **result, json_t **problem)
{
    struct bondy_error err = {0};
    int rc;

    if (status_of_job(desk, filename, result))
        return BONDY_OK;
    rc = bondy_backup_header_wait(desk->options.dir, filename, result, &err);
    if (rc < 0)
        return fail(problem, rc, &err);
    add_last(desk, filename, *result);
    return BONDY_OK;
}

int bondy_backup_desk_find_wait(struct bondy_backup_desk *desk, struct bondy_slice name,
                                json_t **result, json_t **problem)
{
    struct bondy_error err = {0};
    struct stat info;
    int fd = -1;
    int rc = bondy_backup_open_wait(desk->options.dir, name, &fd, &err);

    if (rc < 0)
        return fail(problem, rc, &err);
    rc = fstat(fd, &info);
    close(fd);
    if (rc < 0)
        return refuse(problem, BONDY_EIO, BONDY_ERR_INTERNAL, "The backup cannot be read.");
    *result = bondy_backup_desk_entry(name, (uint64_t)info.st_size);
    return BONDY_OK;
}

json_t *bondy_backup_desk_entry(struct bondy_slice name, uint64_t size)
{
    return json_pack("{s:o, s:I, s:I}", "name", bondy_json_slice(name), "timestamp",
                     (json_int_t)bondy_backup_name_seconds(name), "size", (json_int_t)size);
}

int bondy_backup_desk_expect_wait(struct bondy_backup_desk *desk, struct bondy_slice name,
                                  json_int_t size, json_t **result, json_t **problem)
{
    uint64_t max_size = desk->options.max_size;
    struct bondy_error err = {0};
    int rc;

    if (size > 0 && (uint64_t)size > max_size) {
        *problem = bondy_json_with(bondy_problem("bondy.error.body_max_bytes_exceeded",
                                                 "The backup is larger than one that may come in.",
                                                 "See backup.upload_max_size."),
                                   "limit", json_integer((json_int_t)max_size));
        return BONDY_ELIMIT;
    }
    rc = bondy_backup_intake_check_wait(desk->options.dir, name, &err);
    if (rc < 0)
        return fail(problem, rc, &err);
    *result = json_pack("{s:o, s:I, s:o}", "name", bondy_json_slice(name), "max_size",
                        (json_int_t)max_size, "path",
                        json_sprintf("/backups/%.*s", (int)name.len, name.data));
    return BONDY_OK;
}

const char *bondy_backup_desk_dir(const struct bondy_backup_desk *desk)
{
    return desk->options.dir;
}

uint64_t bondy_backup_desk_max_size(const struct bondy_backup_desk *desk)
{
    return desk->options.max_size;
}

int bondy_backup_desk_list_wait(struct bondy_backup_desk *desk, json_t **result, json_t **problem)
{
    struct bondy_error err = {0};
    int rc = bondy_backup_list_wait(desk->options.dir, result, &err);

    if (rc == BONDY_ENOENT) {
        *result = json_array();
        return BONDY_OK;
    }
    return rc < 0 ? fail(problem, rc, &err) : BONDY_OK;
}

int bondy_backup_desk_verify_wait(struct bondy_backup_desk *desk, struct bondy_slice filename,
                                  json_t **result, json_t **problem)
{
    const struct bondy_backup_source source = {.dir = desk->options.dir, .filename = filename};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report = {0};
    struct bondy_error err = {0};
    int rc = bondy_backup_verify_wait(&source, &progress, &report, &err);

    if (rc < 0)
        return fail(problem, rc, &err);
    *result = json_pack("{s:b, s:I, s:I}", "valid", 1, "records", (json_int_t)report.records,
                        "bytes", (json_int_t)report.bytes);
    return BONDY_OK;
}

/* ---- life -------------------------------------------------------------------------------------*/

struct bondy_backup_desk *bondy_backup_desk_create(const struct bondy_backup_desk_options *options)
{
    struct bondy_backup_desk *desk = bondy_zalloc(sizeof *desk);

    desk->options = *options;
    pthread_mutex_init(&desk->lock, NULL);
    return desk;
}

void bondy_backup_desk_stop(struct bondy_backup_desk *desk)
{
    if (desk == NULL)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->is_stopping = true;
    if (desk->job != NULL)
        atomic_store(&desk->job->progress.is_cancelled, true);
    pthread_mutex_unlock(&desk->lock);
    if (desk->has_thread)
        pthread_join(desk->thread, NULL);
    desk->has_thread = false;
}

void bondy_backup_desk_destroy(struct bondy_backup_desk *desk)
{
    if (desk == NULL)
        return;
    bondy_backup_desk_stop(desk);
    pthread_mutex_destroy(&desk->lock);
    json_decref(desk->last);
    bondy_free(desk);
}

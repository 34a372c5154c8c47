/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/store.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/store/migrate.h"
#include "src/store/reseal.h"
#include "src/store/write.h"
#include "src/sys/file.h"
#include "src/sys/publish.h"

/* One batch of jobs is one LMDB transaction; each job is a transaction inside it, so that a job
 * that fails takes back only its own writes. What was written is noted as changes, in order; they
 * become true, and are told, with the outer commit. */

#define MAX_DRIFT_MS 10000
#define DEFAULT_BATCH 256

struct bondy_store {
    struct bondy_lmdb *db;
    const struct bondy_seal *seal;
    struct bondy_hlc hlc;
    int lock_fd;
    unsigned commit_batch;
    void (*on_change)(void *context, const struct bondy_change *change);
    void (*on_commit)(void *context);
    void *context;
    atomic_bool is_healthy;

    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t has_work;
    struct bondy_mail *queue_first, *queue_last;
    size_t queued;
    bool stops;
};

/* ---- batches ----------------------------------------------------------------------------- */

static struct bondy_store_job *job_of(struct bondy_mail *mail)
{
    return BONDY_CONTAINER(mail, struct bondy_store_job, mail);
}

/* In a transaction of its own inside the batch's; one that is alone needs none. */
static int run_inside(struct bondy_store_write *write, struct bondy_store_job *job)
{
    struct bondy_lmdb_txn *outer = write->view.txn, *inner = NULL;
    int rc = bondy_lmdb_begin_write(write->store->db, outer, &inner, &job->err);

    if (rc < 0)
        return rc;
    write->view.txn = inner;
    rc = job->run(job, write, &job->err);
    if (rc == BONDY_OK)
        rc = bondy_lmdb_commit(inner, &job->err);
    else
        bondy_lmdb_abort(inner);
    write->view.txn = outer;
    return rc;
}

static void run_job(struct bondy_store_write *write, struct bondy_store_job *job, bool is_alone)
{
    struct bondy_noted_change **mark = write->last;
    bool was_dirty = write->is_dirty;

    job->rc = is_alone ? job->run(job, write, &job->err) : run_inside(write, job);
    if (job->rc != BONDY_OK) {
        bondy_noted_change_free(*mark);
        *mark = NULL;
        write->last = mark;
        write->is_dirty = was_dirty;
    }
}

static int save_clock(struct bondy_store_write *write, struct bondy_error *err)
{
    uint8_t hlc[BONDY_VERSION_LEN];

    bondy_hlc_save(&write->store->hlc, hlc);
    return bondy_lmdb_put(write->view.txn, BONDY_LMDB_META, BONDY_SLICE(BONDY_META_HLC),
                          bondy_slice_of(hlc, sizeof hlc), err);
}

/* One try at a batch: every job, the clock, the commit. */
static int try_batch(struct bondy_store_write *write, struct bondy_mail *jobs,
                     struct bondy_error *err)
{
    struct bondy_store *store = write->store;
    int rc = bondy_lmdb_begin_write(store->db, NULL, &write->view.txn, err);

    write->first = NULL;
    write->last = &write->first;
    write->is_full = false;
    write->is_dirty = false;
    write->view.now_ms = bondy_clock_wall_ms();
    if (rc < 0)
        return rc;
    for (struct bondy_mail *mail = jobs; mail != NULL; mail = mail->next)
        run_job(write, job_of(mail), jobs->next == NULL);
    if (write->is_full) {
        bondy_lmdb_abort(write->view.txn);
        return bondy_fail(err, BONDY_ELIMIT, "the store is full (store.map_size_max)");
    }
    if (!write->is_dirty) {
        bondy_lmdb_abort(write->view.txn);
        return BONDY_OK;
    }
    if ((rc = save_clock(write, err)) < 0) {
        bondy_lmdb_abort(write->view.txn);
        return rc;
    }
    return bondy_lmdb_commit(write->view.txn, err);
}

static void tell_changes(struct bondy_store *store, const struct bondy_noted_change *change)
{
    for (; change != NULL && store->on_change != NULL; change = change->next) {
        struct bondy_slice key = bondy_slice_of(change->bytes, change->key_len);
        struct bondy_slice now = bondy_slice_of(change->bytes + key.len, change->now_len);
        struct bondy_slice then = bondy_slice_of(now.data + now.len, change->before_len);
        struct bondy_record before;
        struct bondy_change told = {.before = NULL};

        BONDY_BUG_ON(!bondy_record_fill(key, now, store->seal, &told.now));
        if (then.len > 0 && bondy_record_fill(key, then, store->seal, &before) &&
            !before.is_tombstone)
            told.before = &before;
        store->on_change(store->context, &told);
    }
    if (store->on_commit != NULL)
        store->on_commit(store->context);
}

static void done_on_loop(struct bondy_mail *mail)
{
    struct bondy_store_job *job = job_of(mail);

    job->done(job);
}

static void finish(struct bondy_mail *jobs)
{
    while (jobs != NULL) {
        struct bondy_store_job *job = job_of(jobs);

        jobs = jobs->next;
        job->mail.next = NULL;
        job->mail.run = done_on_loop;
        if (job->loop != NULL)
            bondy_loop_post(job->loop, &job->mail);
        else
            job->done(job);
    }
}

static void fail_all(struct bondy_mail *jobs, int rc, const struct bondy_error *err)
{
    for (; jobs != NULL; jobs = jobs->next)
        if (job_of(jobs)->rc == BONDY_OK) {
            job_of(jobs)->rc = rc;
            job_of(jobs)->err = *err;
        }
}

/* Tries until it is committed, or failed for another reason than room that can still be made. */
static int commit_batch(struct bondy_store_write *write, struct bondy_mail *jobs,
                        struct bondy_error *err)
{
    struct bondy_store *store = write->store;
    struct bondy_hlc clock = store->hlc;
    struct bondy_error growth;
    int rc;

    while ((rc = try_batch(write, jobs, err)) == BONDY_ELIMIT &&
           bondy_lmdb_grow_wait(store->db, true, &growth) == BONDY_OK) {
        bondy_noted_change_free(write->first);
        write->first = NULL;
        store->hlc = clock;
    }
    return rc;
}

/* What had nothing to write says nothing about the disk. */
static void note_health(struct bondy_store *store, const struct bondy_store_write *write, int rc,
                        const struct bondy_error *err)
{
    if (rc == BONDY_OK && !write->is_dirty)
        return;
    atomic_store(&store->is_healthy, rc == BONDY_OK);
    if (rc == BONDY_OK) {
        bondy_alarm_clear(BONDY_ALARM_STORE_FULL, BONDY_SLICE_EMPTY);
        bondy_alarm_clear(BONDY_ALARM_STORE_NOT_WRITTEN, BONDY_SLICE_EMPTY);
        return;
    }
    bondy_log(BONDY_LOG_ERROR, "store_commit_failed", BONDY_F_STR("reason", err->text));
    bondy_alarm_set(rc == BONDY_ELIMIT ? BONDY_ALARM_STORE_FULL : BONDY_ALARM_STORE_NOT_WRITTEN,
                    BONDY_SLICE_EMPTY, "%s", err->text);
}

static void run_batch(struct bondy_store *store, struct bondy_mail *jobs);

/* The batch does not fit: each job alone, so that only what is too large is refused. */
static void run_apart(struct bondy_store *store, struct bondy_mail *jobs)
{
    while (jobs != NULL) {
        struct bondy_mail *one = jobs;

        jobs = jobs->next;
        one->next = NULL;
        run_batch(store, one);
    }
}

static void run_batch(struct bondy_store *store, struct bondy_mail *jobs)
{
    struct bondy_store_write write = {
        .store = store, .hlc = &store->hlc, .view = {.seal = store->seal}};
    struct bondy_error err, growth;
    int rc = commit_batch(&write, jobs, &err);

    if (rc == BONDY_ELIMIT && jobs->next != NULL) {
        bondy_noted_change_free(write.first);
        run_apart(store, jobs);
        return;
    }
    note_health(store, &write, rc, &err);
    if (rc == BONDY_OK) {
        if (write.first != NULL)
            tell_changes(store, write.first);
        (void)bondy_lmdb_grow_wait(store->db, false, &growth);
    } else {
        fail_all(jobs, rc, &err);
    }
    bondy_noted_change_free(write.first);
    finish(jobs);
}

/* ---- the control thread ------------------------------------------------------------------ */

/* Takes what waits, up to a batch: while one batch is being synced the next one gathers. */
static struct bondy_mail *take_batch(struct bondy_store *store)
{
    struct bondy_mail *first = store->queue_first, *mail = first;
    unsigned count = 1;

    for (; mail->next != NULL && count < store->commit_batch; count++)
        mail = mail->next;
    store->queue_first = mail->next;
    if (store->queue_first == NULL)
        store->queue_last = NULL;
    store->queued -= count;
    mail->next = NULL;
    return first;
}

static void *control(void *context)
{
    struct bondy_store *store = context;

    pthread_setname_np(pthread_self(), "control");
    bondy_publish_thread_start();
    pthread_mutex_lock(&store->lock);
    for (;;) {
        struct bondy_mail *jobs;

        while (store->queue_first == NULL && !store->stops) {
            bondy_publish_idle();
            pthread_cond_wait(&store->has_work, &store->lock);
            bondy_publish_busy();
        }
        if (store->queue_first == NULL)
            break;
        jobs = take_batch(store);
        pthread_mutex_unlock(&store->lock);
        run_batch(store, jobs);
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    bondy_publish_thread_stop();
    return NULL;
}

void bondy_store_submit(struct bondy_store *store, struct bondy_store_job *job)
{
    job->mail.next = NULL;
    job->rc = BONDY_OK;
    pthread_mutex_lock(&store->lock);
    if (store->queue_last != NULL)
        store->queue_last->next = &job->mail;
    else
        store->queue_first = &job->mail;
    store->queue_last = &job->mail;
    store->queued++;
    pthread_cond_signal(&store->has_work);
    pthread_mutex_unlock(&store->lock);
}

struct waiter {
    struct bondy_store_job job;
    struct bondy_store_job *inner;
    pthread_mutex_t lock; /* guards is_done */
    pthread_cond_t changed;
    bool is_done;
};

static int run_waiter(struct bondy_store_job *job, struct bondy_store_write *write,
                      struct bondy_error *err)
{
    struct bondy_store_job *inner = BONDY_CONTAINER(job, struct waiter, job)->inner;

    return inner->run(inner, write, err);
}

static void wake_waiter(struct bondy_store_job *job)
{
    struct waiter *waiter = BONDY_CONTAINER(job, struct waiter, job);

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

int bondy_store_run_wait(struct bondy_store *store, struct bondy_store_job *job,
                         struct bondy_error *err)
{
    struct waiter waiter = {.job = {.run = run_waiter, .done = wake_waiter}, .inner = job};

    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.changed, NULL);
    bondy_store_submit(store, &waiter.job);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done)
        pthread_cond_wait(&waiter.changed, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.changed);
    pthread_mutex_destroy(&waiter.lock);
    job->rc = waiter.job.rc;
    job->err = waiter.job.err;
    if (job->rc < 0 && err != NULL)
        *err = job->err;
    return job->rc;
}

int bondy_store_view_begin(struct bondy_store *store, struct bondy_store_view **out,
                           struct bondy_error *err)
{
    struct bondy_store_view *view = bondy_alloc(sizeof *view);
    int rc = bondy_lmdb_begin_read(store->db, &view->txn, err);

    view->now_ms = bondy_clock_wall_ms();
    view->seal = store->seal;
    if (rc < 0)
        bondy_free(view);
    else
        *out = view;
    return rc;
}

void bondy_store_view_end(struct bondy_store_view *view)
{
    if (view == NULL)
        return;
    bondy_lmdb_abort(view->txn);
    bondy_free(view);
}

int bondy_store_scan_wait(struct bondy_store *store, enum bondy_record_type type,
                          struct bondy_slice scope,
                          int (*fn)(void *context, const struct bondy_record *record),
                          void *context)
{
    const struct bondy_store_range range = {
        .type = type, .scope = scope, .is_any_scope = scope.len == 0, .is_any_gen = true};
    struct bondy_store_view *view;
    int rc = bondy_store_view_begin(store, &view, NULL);

    if (rc < 0)
        return rc;
    rc = bondy_store_view_scan(view, &range, fn, context);
    bondy_store_view_end(view);
    return rc;
}

/* ---- open and close ---------------------------------------------------------------------- */

static int read_identity(struct bondy_store *store, struct bondy_lmdb_txn *txn,
                         struct bondy_error *err)
{
    struct bondy_slice stored;
    uint8_t uuid[16], hlc[BONDY_VERSION_LEN];
    bool has_hlc;
    int rc = bondy_lmdb_get(txn, BONDY_LMDB_META, BONDY_SLICE(BONDY_META_NODE), &stored, err);

    if (rc == BONDY_OK && stored.len == sizeof uuid) {
        memcpy(uuid, stored.data, sizeof uuid);
    } else {
        bondy_id_bytes(uuid, sizeof uuid);
        rc = bondy_lmdb_put(txn, BONDY_LMDB_META, BONDY_SLICE(BONDY_META_NODE),
                            bondy_slice_of(uuid, sizeof uuid), err);
        if (rc < 0)
            return rc;
    }
    has_hlc = bondy_lmdb_get(txn, BONDY_LMDB_META, BONDY_SLICE(BONDY_META_HLC), &stored, NULL) ==
                  BONDY_OK &&
              stored.len == sizeof hlc;
    if (has_hlc)
        memcpy(hlc, stored.data, sizeof hlc);
    memcpy(store->hlc.writer, uuid, BONDY_WRITER_LEN);
    store->hlc.max_drift_ms = MAX_DRIFT_MS;
    bondy_hlc_start(&store->hlc, has_hlc ? hlc : NULL, bondy_clock_wall_ms());
    return BONDY_OK;
}

static int prepare_once(struct bondy_store *store, struct bondy_error *err)
{
    struct bondy_lmdb_txn *txn;
    int rc = bondy_lmdb_begin_write(store->db, NULL, &txn, err);

    if (rc < 0)
        return rc;
    if ((rc = bondy_migrate(txn, err)) < 0 || (rc = read_identity(store, txn, err)) < 0) {
        bondy_lmdb_abort(txn);
        return rc;
    }
    return bondy_lmdb_commit(txn, err);
}

/* A migration may need more room than there is. */
static int prepare(struct bondy_store *store, struct bondy_error *err)
{
    struct bondy_error growth;
    int rc;

    while ((rc = prepare_once(store, err)) == BONDY_ELIMIT &&
           bondy_lmdb_grow_wait(store->db, true, &growth) == BONDY_OK)
        continue;
    return rc;
}

/* The file is written anew where secrets were in it. When there is no room for that the store is as
 * good as it was, and the next start tries again. */
static int seal_all(struct bondy_store *store, const struct bondy_store_options *options,
                    struct bondy_error *err)
{
    bool is_stale = false;
    struct bondy_error why;
    int rc = bondy_reseal_wait(store->db, store->seal, &is_stale, err);

    if (rc < 0 || !is_stale)
        return rc;
    rc = bondy_rewrite_wait(store->db, options->path, &why);
    if (rc < 0) {
        bondy_log(BONDY_LOG_WARN, "store_not_rewritten", BONDY_F_STR("reason", why.text),
                  BONDY_F_STR("description", "its file still holds secrets from before they were "
                                             "sealed; the next start tries again"));
        return BONDY_OK;
    }
    bondy_lmdb_close(BONDY_MOVE(store->db));
    if ((rc = bondy_rewrite_finish_wait(options->path, err)) < 0)
        return rc;
    return bondy_lmdb_open(options->path, options->map_size, options->map_size_max, &store->db,
                           err);
}

int bondy_store_open(const struct bondy_store_options *options, struct bondy_store **out,
                     struct bondy_error *err)
{
    struct bondy_store *store = bondy_zalloc(sizeof *store);
    struct bondy_buf path = BONDY_BUF_EMPTY;
    int rc;

    store->lock_fd = -1;
    store->seal = options->seal;
    store->commit_batch = options->commit_batch == 0 ? DEFAULT_BATCH : options->commit_batch;
    store->on_change = options->on_change;
    store->on_commit = options->on_commit;
    store->context = options->context;
    atomic_init(&store->is_healthy, true);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->has_work, NULL);
    bondy_buf_printf(&path, "%s/bondy.lock", options->path);
    bondy_buf_append_byte(&path, '\0');
    if ((rc = bondy_file_mkdir(options->path, err)) < 0 ||
        (rc = bondy_file_lock(path.data, &store->lock_fd, err)) < 0 ||
        (rc = bondy_lmdb_open(options->path, options->map_size, options->map_size_max, &store->db,
                              err)) < 0 ||
        (rc = prepare(store, err)) < 0 || (rc = seal_all(store, options, err)) < 0)
        goto out;
    *out = BONDY_MOVE(store);
out:
    if (rc < 0)
        bondy_wrap(err, "store %s", options->path);
    bondy_store_close(store);
    bondy_buf_fini(&path);
    return rc;
}

int bondy_store_start(struct bondy_store *store, struct bondy_error *err)
{
    int rc = pthread_create(&store->thread, NULL, control, store);

    if (rc != 0)
        return bondy_fail(err, BONDY_EIO, "starting the control thread: %s", strerror(rc));
    store->is_started = true;
    return BONDY_OK;
}

void bondy_store_close(struct bondy_store *store)
{
    if (store == NULL)
        return;
    if (store->is_started) {
        pthread_mutex_lock(&store->lock);
        store->stops = true;
        pthread_cond_signal(&store->has_work);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
    }
    bondy_lmdb_close(store->db);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_cond_destroy(&store->has_work);
    pthread_mutex_destroy(&store->lock);
    bondy_free(store);
}

bool bondy_store_view_is_in_the_way(const struct bondy_store_view *view)
{
    return bondy_lmdb_is_growing(view->txn);
}

const struct bondy_seal *bondy_store_seal(const struct bondy_store *store)
{
    return store->seal;
}

bool bondy_store_is_healthy(const struct bondy_store *store)
{
    return atomic_load(&store->is_healthy);
}

double bondy_store_filled_wait(const struct bondy_store *store)
{
    return bondy_lmdb_filled_wait(store->db);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/server/server.h"
#include "src/server/wire.h"
#include "src/sys/file.h"

#define DOCUMENT_MAX ((size_t)16 * 1024 * 1024)
#define DOCUMENT_DEPTH 32

/* The store, its change feed, and the realms that are there from the start. */

/* ---- feed: control thread ---- */

/* A realm that is gone, on its way to one thread. */
struct closing {
    struct bondy_mail mail;
    struct bondy_server_thread *thread;
    struct bondy_slice uri; /* behind the struct */
};

static void run_closing(struct bondy_mail *mail)
{
    struct closing *closing = BONDY_CONTAINER(mail, struct closing, mail);

    if (closing->thread->router != NULL)
        bondy_router_thread_close_realm(closing->thread->router, closing->uri);
    bondy_free(closing);
}

/* Its sessions are told on their own threads, once the table without it is visible. Before the
 * server is ready, and when it shuts down, there is nobody to tell. */
static void close_realm(struct bondy_server *server, struct bondy_slice uri)
{
    if (atomic_load(&server->status) != BONDY_SERVER_READY)
        return;
    for (unsigned i = 0; i < server->thread_count; i++) {
        struct closing *closing = bondy_alloc(sizeof *closing + uri.len);

        memcpy(closing + 1, uri.data, uri.len);
        *closing = (struct closing){.mail.run = run_closing,
                                    .thread = &server->threads[i],
                                    .uri = bondy_slice_of(closing + 1, uri.len)};
        bondy_loop_post(server->threads[i].loop, &closing->mail);
    }
}

static void on_change(void *context, const struct bondy_change *change)
{
    struct bondy_server *server = context;

    bondy_realms_on_change(server->realms, change);
    bondy_server_gateway_on_change(server, change);
    if (change->now.key.type == BONDY_RECORD_REALM && change->now.is_tombstone) {
        bondy_realms_publish(server->realms);
        close_realm(server, change->now.key.subkey);
    }
}

static void on_commit(void *context)
{
    struct bondy_server *server = context;

    bondy_realms_publish(server->realms);
    bondy_server_gateway_on_commit(server);
}

/* ---- opening ---- */

static void sleep_ms(int64_t ms)
{
    struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&wait, &wait) != 0 && errno == EINTR)
        continue;
}

/* Another process may be on its way out: tries for a while. */
static int open_patiently(struct bondy_server *server, const struct bondy_store_options *options,
                          struct bondy_error *err)
{
    int64_t attempts = bondy_config_number(server->config, "store.open_retry_limit");
    int64_t delay_ms = bondy_config_number(server->config, "store.open_retries_delay");
    int rc;

    for (;;) {
        rc = bondy_store_open(options, &server->store, err);
        if (rc != BONDY_EEXIST || --attempts <= 0)
            return rc;
        bondy_log(BONDY_LOG_WARN, "store_in_use", BONDY_F_STR("path", options->path),
                  BONDY_F_I64("attempts_left", attempts));
        sleep_ms(delay_ms);
    }
}

int bondy_server_open_store(struct bondy_server *server, struct bondy_error *err)
{
    const struct bondy_config *config = server->config;
    struct bondy_store_options options = {
        .path = bondy_config_text(config, "store.data_dir"),
        .node_name = server->node_name,
        .map_size = (uint64_t)bondy_config_number(config, "store.map_size"),
        .map_size_max = (uint64_t)bondy_config_number(config, "store.map_size_max"),
        .commit_batch = (unsigned)bondy_config_number(config, "store.commit_batch"),
        .on_change = on_change,
        .on_commit = on_commit,
        .context = server,
    };
    int rc;

    if ((rc = open_patiently(server, &options, err)) < 0)
        return rc;
    if ((rc = bondy_realms_load_wait(server->realms, server->store, err)) < 0)
        return rc;
    if ((rc = bondy_server_load_catalog(server, err)) < 0)
        return rc;
    return bondy_store_start(server->store, err);
}

/* ---- realms ---- */

struct realm_job {
    struct bondy_store_job job;
    struct bondy_server *server;
    json_t *input; /* NULL: the built-in ones */
    json_t *problem;
    struct bondy_router_thread *thread; /* HELLO that waits on it */
    uint64_t waiter;
};

static int run_builtin(struct bondy_store_job *job, struct bondy_store_write *write,
                       struct bondy_error *err)
{
    (void)job;
    return bondy_realm_apply_builtin(write, err);
}

/* A realm that is there already is what was wanted. */
static int run_create(struct bondy_store_job *job, struct bondy_store_write *write,
                      struct bondy_error *err)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);
    char *uri = NULL;
    int rc;

    json_decref(BONDY_MOVE(self->problem));
    rc = bondy_realm_apply_create(write, self->input, &uri, &self->problem);
    bondy_free(uri);
    if (rc == BONDY_OK || rc == BONDY_EEXIST)
        return BONDY_OK;
    return bondy_fail(err, rc, "%s", json_string_value(json_object_get(self->problem, "message")));
}

static void append_problem(const json_t *problem, struct bondy_buf *out)
{
    const json_t *errors = json_object_get(problem, "errors"), *one;
    size_t i;

    bondy_buf_append_slice(out, bondy_json_text(problem, "message"));
    json_array_foreach(errors, i, one)
    {
        bondy_buf_append_text(out, i == 0 ? ": " : "; ");
        bondy_json_format(one, out);
    }
}

static int run_file(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc;

    json_decref(BONDY_MOVE(self->problem));
    rc = bondy_realm_apply_file(write, self->input, &self->problem);
    if (rc == BONDY_OK)
        return BONDY_OK;
    append_problem(self->problem, &text);
    bondy_fail(err, rc, BONDY_SLICE_FMT, BONDY_SLICE_ARG(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
    return rc;
}

static void free_realm_job(struct realm_job *self)
{
    json_decref(self->input);
    json_decref(self->problem);
    bondy_free(self);
}

static json_t *open_realm(struct bondy_slice uri, const char *description)
{
    return json_pack("{s:o, s:s, s:[s], s:b}", "uri", bondy_json_slice(uri), "description",
                     description, "authmethods", "anonymous", "security_enabled", 0);
}

static int run_job_wait(struct bondy_server *server, json_t *input,
                        int (*run)(struct bondy_store_job *job, struct bondy_store_write *write,
                                   struct bondy_error *err),
                        struct bondy_error *err)
{
    struct realm_job *self = bondy_zalloc(sizeof *self);
    int rc;

    self->job.run = run;
    self->input = input;
    rc = bondy_store_run_wait(server->store, &self->job, err);
    free_realm_job(self);
    return rc;
}

int bondy_server_apply_realm_file(struct bondy_server *server, const char *path,
                                  struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *file = NULL;
    int rc = bondy_file_read(path, DOCUMENT_MAX, &text, err);

    if (rc == BONDY_OK) {
        file = bondy_json_parse(bondy_buf_slice(&text), DOCUMENT_DEPTH, err);
        rc = file == NULL ? BONDY_EINVAL : run_job_wait(server, file, run_file, err);
    }
    bondy_buf_fini(&text);
    return rc < 0 ? bondy_wrap(err, "%s", path) : rc;
}

int bondy_server_make_realms(struct bondy_server *server, struct bondy_error *err)
{
    const char *file = bondy_config_text(server->config, "security.config_file");
    int rc;

    if ((rc = run_job_wait(server, NULL, run_builtin, err)) < 0)
        return rc;
    if (file != NULL && access(file, F_OK) == 0 &&
        (rc = bondy_server_apply_realm_file(server, file, err)) < 0)
        return rc;
    if (!server->options->dev)
        return BONDY_OK;
    return run_job_wait(server,
                        open_realm(BONDY_SLICE("dev"), "For trying things out; made by --dev"),
                        run_create, err);
}

static void on_realm_made(struct bondy_store_job *job)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);

    if (job->rc < 0)
        bondy_log(BONDY_LOG_INFO, "realm_not_created", BONDY_F_STR("reason", job->err.text));
    bondy_router_thread_realm_made(self->thread, self->waiter);
    free_realm_job(self);
}

void bondy_server_create_realm(void *context, struct bondy_slice realm,
                               struct bondy_router_thread *thread, uint64_t waiter)
{
    struct bondy_server *server = context;
    struct realm_job *self = bondy_zalloc(sizeof *self);

    self->job.run = run_create;
    self->job.done = on_realm_made;
    self->job.loop = server->threads[bondy_router_thread_index(thread)].loop;
    self->input = open_realm(realm, "Created automatically");
    self->thread = thread;
    self->waiter = waiter;
    bondy_store_submit(server->store, &self->job);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "gateway/gateway.h"
#include "src/base/log.h"
#include "src/security/entity/security_file.h"
#include "src/server/master_key.h"
#include "src/server/server.h"
#include "src/server/wire.h"
#include "src/sys/file.h"
#include "src/sys/publish.h"

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
    bondy_server_identity_on_change(server, change);
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
    bondy_server_identity_on_commit(server);
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

    if ((rc = bondy_server_make_seal(server, err)) < 0)
        return rc;
    options.seal = server->seal;
    if ((rc = open_patiently(server, &options, err)) < 0)
        return rc;
    if ((rc = bondy_realms_load_wait(server->realms, server->store, err)) < 0)
        return rc;
    if ((rc = bondy_server_load_catalog(server, err)) < 0)
        return rc;
    bondy_server_make_logins(server);
    bondy_gateway_set_auth(server->gateway, server->identity.auth);
    bondy_server_open_oauth2(server);
    return bondy_store_start(server->store, err);
}

/* ---- realms ---- */

struct realm_job {
    struct bondy_store_job job;
    struct bondy_server *server;
    struct bondy_edit edit;
    json_t *input;                      /* of a realm, prepared */
    struct bondy_file file;             /* or of all of them */
    struct bondy_router_thread *thread; /* HELLO that waits on it */
    uint64_t waiter;
};

static struct realm_job *realm_job_create(struct bondy_server *server)
{
    struct realm_job *self = bondy_zalloc(sizeof *self);

    self->server = server;
    self->edit.rules = &server->identity.rules;
    return self;
}

static void realm_job_destroy(struct realm_job *self)
{
    bondy_edit_fini(&self->edit);
    bondy_file_fini(&self->file);
    json_decref(self->input);
    bondy_free(self);
}

static void append_problem(const json_t *problem, struct bondy_buf *out)
{
    const json_t *errors = json_object_get(problem, "errors"), *one;
    const json_t *names = json_object_get(json_object_get(problem, "details"), "names");
    struct bondy_slice pointer = bondy_json_text(problem, "pointer");
    size_t i;

    if (pointer.len > 0)
        bondy_buf_printf(out, BONDY_SLICE_FMT ": ", BONDY_SLICE_ARG(pointer));
    bondy_buf_append_slice(out, bondy_json_text(problem, "message"));
    json_array_foreach(names, i, one)
    {
        bondy_buf_printf(out, "%s '%.64s'", i == 0 ? "" : ",", json_string_value(one));
    }
    json_array_foreach(errors, i, one)
    {
        bondy_buf_append_text(out, i == 0 ? ": " : "; ");
        append_problem(one, out);
    }
}

/* What the edit refused, as the error of its job. */
static int fail_edit(int rc, const json_t *problem, struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    append_problem(problem, &text);
    bondy_fail(err, rc, BONDY_SLICE_FMT, BONDY_SLICE_ARG(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
    return rc;
}

static int end_edit(struct realm_job *self, int rc, struct bondy_error *err)
{
    rc = bondy_edit_end(&self->edit, rc);
    return rc < 0 ? fail_edit(rc, self->edit.problem, err) : rc;
}

static int run_builtin(struct bondy_store_job *job, struct bondy_store_write *write,
                       struct bondy_error *err)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);

    bondy_edit_start(&self->edit, write);
    return end_edit(self, bondy_realm_apply_builtin(&self->edit, NULL, false), err);
}

/* A realm that is there already is what was wanted. */
static int run_create(struct bondy_store_job *job, struct bondy_store_write *write,
                      struct bondy_error *err)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);
    int rc;

    bondy_edit_start(&self->edit, write);
    rc = bondy_realm_apply_create(&self->edit, self->input);
    return rc == BONDY_EEXIST ? BONDY_OK : end_edit(self, rc, err);
}

static int run_file(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);

    bondy_edit_start(&self->edit, write);
    return end_edit(self, bondy_file_apply(&self->edit, &self->file), err);
}

static int run_job_wait(struct realm_job *self,
                        int (*run)(struct bondy_store_job *job, struct bondy_store_write *write,
                                   struct bondy_error *err),
                        struct bondy_error *err)
{
    int rc;

    self->job.run = run;
    rc = bondy_store_run_wait(self->server->store, &self->job, err);
    realm_job_destroy(self);
    return rc;
}

/* ---- security.config_file ---- */

static int read_document(const char *path, json_t **out, struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc = bondy_file_read(path, DOCUMENT_MAX, &text, err);

    if (rc == BONDY_OK) {
        *out = bondy_json_parse(bondy_buf_slice(&text), DOCUMENT_DEPTH, err);
        rc = *out == NULL ? BONDY_EINVAL : BONDY_OK;
    }
    bondy_buf_fini(&text);
    return rc;
}

/* Main thread: passwords are hashed here. */
static int prepare_file(struct realm_job *self, const json_t *document, struct bondy_error *err)
{
    struct bondy_store_view *view = NULL;
    json_t *problem = NULL;
    int rc = bondy_store_view_begin(self->server->store, &view, err);

    if (rc < 0)
        return rc;
    bondy_publish_thread_start();
    rc = bondy_file_prepare(&self->edit, view, document, BONDY_FILE_CONFIG, &self->file, &problem);
    bondy_publish_thread_stop();
    bondy_store_view_end(view);
    if (rc < 0)
        fail_edit(rc, problem, err);
    json_decref(problem);
    return rc;
}

int bondy_server_apply_realm_file(struct bondy_server *server, const char *path,
                                  struct bondy_error *err)
{
    struct realm_job *self = realm_job_create(server);
    json_t *document = NULL;
    int rc;

    self->edit.is_file = self->edit.is_lenient = self->edit.is_rebase = true;
    if ((rc = read_document(path, &document, err)) < 0 ||
        (rc = prepare_file(self, document, err)) < 0)
        realm_job_destroy(self);
    else
        rc = run_job_wait(self, run_file, err);
    json_decref(document);
    return rc < 0 ? bondy_wrap(err, "%s", path) : rc;
}

/* ---- realms made by the server ---- */

static int prepare_realm(struct realm_job *self, json_t *input, struct bondy_error *err)
{
    json_t *problem = NULL;
    int rc;

    self->input = input;
    rc = bondy_realm_prepare(&self->edit, NULL, NULL, self->input, false, &problem);
    if (rc < 0)
        fail_edit(rc, problem, err);
    json_decref(problem);
    return rc;
}

static int make_dev_realm(struct bondy_server *server, struct bondy_error *err)
{
    struct realm_job *self = realm_job_create(server);
    int rc = prepare_realm(self,
                           json_pack("{s:s, s:s, s:[s], s:b}", "uri", "dev", "description",
                                     "For trying things out; made by --dev", "authmethods",
                                     "anonymous", "security_enabled", 0),
                           err);

    if (rc == BONDY_OK)
        return run_job_wait(self, run_create, err);
    realm_job_destroy(self);
    return rc;
}

int bondy_server_make_realms(struct bondy_server *server, struct bondy_error *err)
{
    const char *file = bondy_config_text(server->config, "security.config_file");
    int rc;

    if ((rc = run_job_wait(realm_job_create(server), run_builtin, err)) < 0)
        return rc;
    if (file != NULL && access(file, F_OK) == 0 &&
        (rc = bondy_server_apply_realm_file(server, file, err)) < 0)
        return rc;
    return server->options->dev ? make_dev_realm(server, err) : BONDY_OK;
}

static void on_realm_made(struct bondy_store_job *job)
{
    struct realm_job *self = BONDY_CONTAINER(job, struct realm_job, job);

    if (job->rc < 0)
        bondy_log(BONDY_LOG_INFO, "realm_not_created", BONDY_F_STR("reason", job->err.text));
    bondy_router_thread_realm_made(self->thread, self->waiter);
    realm_job_destroy(self);
}

/* With all defaults, or those of a prototype (1.10): without sources and grants nobody can use it.
 */
static json_t *automatic_realm(const struct bondy_server *server, struct bondy_slice uri)
{
    const char *prototype = server->identity.rules.auto_realm_prototype;
    json_t *input = json_pack("{s:o, s:s}", "uri", bondy_json_slice(uri), "description",
                              "Created automatically");

    if (prototype != NULL && *prototype != '\0')
        json_object_set_new(input, "prototype_uri", json_string(prototype));
    return input;
}

void bondy_server_create_realm(void *context, struct bondy_slice realm,
                               struct bondy_router_thread *thread, uint64_t waiter)
{
    struct bondy_server *server = context;
    struct realm_job *self = realm_job_create(server);
    struct bondy_error err;

    self->job.run = run_create;
    self->job.done = on_realm_made;
    self->job.loop = server->threads[bondy_router_thread_index(thread)].loop;
    self->thread = thread;
    self->waiter = waiter;
    if (prepare_realm(self, automatic_realm(server, realm), &err) < 0)
        bondy_log(BONDY_LOG_INFO, "realm_not_created", BONDY_F_STR("reason", err.text));
    /* A refused one is refused by the job too: the answer never comes from inside this call. */
    bondy_store_submit(server->store, &self->job);
}

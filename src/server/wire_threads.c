/* SPDX-License-Identifier: Apache-2.0 */
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/security/login/auth.h"
#include "src/server/server.h"
#include "src/server/wire.h"

#include <config.h>

/* The I/O threads: each makes its parts itself, tells the main thread, runs its loop, and takes the
 * parts down again. */

/* ---- tasks: main thread to I/O thread and back ---- */

struct task {
    struct bondy_mail mail;
    struct bondy_server_thread *thread;
    bondy_server_task_fn fn;
    void *context;
    int rc;
    struct bondy_error err;
    sem_t done;
};

static void run_task(struct bondy_mail *mail)
{
    struct task *task = BONDY_CONTAINER(mail, struct task, mail);

    task->rc = task->fn(task->thread, task->context, &task->err);
    sem_post(&task->done);
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

int bondy_server_run_on(struct bondy_server_thread *thread, bondy_server_task_fn fn, void *context,
                        struct bondy_error *err)
{
    struct task task = {.mail.run = run_task, .thread = thread, .fn = fn, .context = context};

    sem_init(&task.done, 0, 0);
    bondy_loop_post(thread->loop, &task.mail);
    wait_for(&task.done);
    sem_destroy(&task.done);
    if (task.rc < 0 && err != NULL)
        *err = task.err;
    return task.rc;
}

int bondy_server_run_on_each(struct bondy_server *server, bondy_server_task_fn fn, void *context,
                             struct bondy_error *err)
{
    for (unsigned i = 0; i < server->thread_count; i++) {
        int rc;

        if (!server->threads[i].is_started)
            continue;
        rc = bondy_server_run_on(&server->threads[i], fn, context, err);
        if (rc < 0)
            return rc;
    }
    return BONDY_OK;
}

/* ---- router ---- */

static void post_to_thread(void *context, unsigned from, unsigned to, struct bondy_mail *first,
                           struct bondy_mail *last)
{
    struct bondy_server *server = context;

    (void)from;
    bondy_loop_post_chain(server->threads[to].loop, first, last);
}

static int standing_of(const char *word)
{
    return strcmp(word, "off") == 0             ? BONDY_STANDING_STAYS
           : strcmp(word, "subscriptions") == 0 ? BONDY_STANDING_SUBSCRIPTIONS
                                                : BONDY_STANDING_ALL;
}

int bondy_server_start_router(struct bondy_server *server, struct bondy_error *err)
{
    const struct bondy_config *config = server->config;
    const char *strictness = bondy_config_text(config, "wamp.uri.strictness");
    struct bondy_router_options options = {
        .thread_count = server->thread_count,
        .realms = server->realms,
        .uri_rule = strcmp(strictness, "strict") == 0 ? BONDY_URI_STRICT : BONDY_URI_LOOSE,
        .codec_limits = {(unsigned)bondy_config_number(config, "wamp.max_depth"),
                         (size_t)bondy_config_number(config, "wamp.uri.max_length")},
        .max_preauth_message = (size_t)bondy_config_number(config, "wamp.max_preauth_message"),
        .max_message = (size_t)bondy_config_number(config, "wamp.tcp.max_frame_size"),
        .call_timeout_ms = (uint64_t)bondy_config_number(config, "wamp.call_timeout"),
        .max_call_timeout_ms = (uint64_t)bondy_config_number(config, "wamp.max_call_timeout"),
        .goodbye_timeout_ms = 5000,
        .max_subscriptions = (size_t)bondy_config_number(config, "wamp.session.max_subscriptions"),
        .max_registrations = (size_t)bondy_config_number(config, "wamp.session.max_registrations"),
        .max_inflight_calls =
            (size_t)bondy_config_number(config, "wamp.session.max_inflight_calls"),
        .agent = "bondy-" PACKAGE_VERSION,
        .node_name = server->node_name,
        .post = post_to_thread,
        .find_procedure = bondy_server_find_procedure,
        .auto_create = bondy_config_flag(config, "security.automatically_create_realms")
                           ? bondy_server_create_realm
                           : NULL,
        .canonical_procedure = bondy_server_canonical_procedure,
        .context = server,
        .login = bondy_auth_ops(server->identity.auth),
        .enforces_disclose = bondy_config_flag(config, "security.rbac.enforce_disclose"),
        .on_joined = bondy_server_on_joined,
        .on_denied = bondy_server_on_denied,
        .standing = standing_of(bondy_config_text(config, "security.rbac.enforce_standing")),
    };

    return bondy_router_create(&options, &server->router, err);
}

/* ---- one thread ---- */

static bool flush_router(struct bondy_flush *flush)
{
    struct bondy_server_thread *thread =
        BONDY_CONTAINER(flush, struct bondy_server_thread, router_flush);

    bondy_router_flush(thread->router);
    return false;
}

static int make_parts(struct bondy_server_thread *thread, struct bondy_error *err)
{
    struct bondy_server *server = thread->server;
    const struct bondy_config *config = server->config;
    struct bondy_door_options door = {
        .loop = thread->loop,
        .reserved_fds = (unsigned)bondy_config_number(config, "runtime.reserved_fds"),
        .node_name = server->node_name,
    };
    int64_t most = bondy_config_number(config, "api_gateway.http.max_connections") +
                   bondy_config_number(config, "api_gateway.https.max_connections") +
                   bondy_config_number(config, "admin_api.http.max_connections") +
                   bondy_config_number(config, "admin_api.https.max_connections");
    int rc;

    thread->router =
        bondy_router_thread_create(server->router, thread->index, bondy_loop_wheel(thread->loop));
    thread->router_flush = (struct bondy_flush){.rank = BONDY_FLUSH_ROUTER, .fn = flush_router};
    bondy_list_init(&thread->router_flush.link);
    bondy_loop_add_flush(thread->loop, &thread->router_flush);
    rc = bondy_http_server_create(thread->loop, (unsigned)most, &thread->http, err);
    if (rc < 0)
        return rc;
    bondy_server_join_gateway(thread);
    door.router = thread->router;
    door.http = thread->http;
    return bondy_door_create(&door, &thread->door, err);
}

/* architecture 9.6: HTTP first, since a request that waits may still need the router; then the
 * connections; then the router's part. */
static void free_parts(struct bondy_server_thread *thread)
{
    bondy_http_server_destroy(BONDY_MOVE(thread->http));
    bondy_server_leave_gateway(thread);
    bondy_door_destroy(BONDY_MOVE(thread->door));
    if (thread->router == NULL)
        return;
    bondy_router_flush(thread->router);
    bondy_loop_remove_flush(thread->loop, &thread->router_flush);
    bondy_router_thread_destroy(BONDY_MOVE(thread->router));
}

struct birth {
    struct bondy_server_thread *thread;
    int rc;
    struct bondy_error *err;
    sem_t done;
};

static void *live(void *argument)
{
    struct birth *birth = argument;
    struct bondy_server_thread *thread = birth->thread;
    int rc;

    bondy_log_name_thread(thread->name);
    rc = make_parts(thread, birth->err);
    birth->rc = rc;
    sem_post(&birth->done);
    if (rc == BONDY_OK)
        bondy_loop_run(thread->loop);
    free_parts(thread);
    return NULL;
}

/* Signals are the main thread's. */
static int spawn(struct bondy_server_thread *thread, struct birth *birth, struct bondy_error *err)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    rc = pthread_create(&thread->pthread, NULL, live, birth);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? BONDY_OK : bondy_fail(err, BONDY_EIO, "pthread_create: %s", strerror(rc));
}

static int start_thread(struct bondy_server_thread *thread, struct bondy_error *err)
{
    struct birth birth = {.thread = thread, .err = err};
    int rc;

    sem_init(&birth.done, 0, 0);
    rc = spawn(thread, &birth, err);
    if (rc == BONDY_OK) {
        wait_for(&birth.done);
        rc = birth.rc;
        if (rc < 0)
            pthread_join(thread->pthread, NULL);
        thread->is_started = rc == BONDY_OK;
    }
    sem_destroy(&birth.done);
    return rc;
}

/* All loops before any thread: they post to each other. */
int bondy_server_start_threads(struct bondy_server *server, struct bondy_error *err)
{
    int rc;

    for (unsigned i = 0; i < server->thread_count; i++) {
        struct bondy_server_thread *thread = &server->threads[i];

        thread->server = server;
        thread->index = i;
        snprintf(thread->name, sizeof thread->name, "w%u", i);
        if ((rc = bondy_loop_create(i, &thread->loop, err)) < 0)
            return rc;
    }
    for (unsigned i = 0; i < server->thread_count; i++) {
        if ((rc = start_thread(&server->threads[i], err)) < 0)
            return rc;
    }
    return BONDY_OK;
}

/* A thread's last mail to another may still be under way: all parts are freed before any loop is.
 */
void bondy_server_stop_threads(struct bondy_server *server)
{
    for (unsigned i = 0; i < server->thread_count; i++) {
        if (server->threads[i].is_started)
            bondy_loop_stop(server->threads[i].loop);
    }
    for (unsigned i = 0; i < server->thread_count; i++) {
        if (server->threads[i].is_started)
            pthread_join(server->threads[i].pthread, NULL);
        server->threads[i].is_started = false;
    }
    for (unsigned i = 0; i < server->thread_count; i++) {
        if (server->threads[i].loop != NULL)
            bondy_loop_destroy(BONDY_MOVE(server->threads[i].loop));
    }
}

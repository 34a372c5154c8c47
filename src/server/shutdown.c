/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "gateway/gateway.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/server/server.h"
#include "src/server/log_level.h"
#include "src/server/monitor.h"
#include "src/server/realm_keys.h"
#include "src/server/schedule.h"
#include "src/server/watchdog.h"
#include "src/server/wire.h"
#include "src/store/purge.h"
#include "src/store/seal.h"
#include "src/sys/notify.h"
#include "src/sys/publish.h"

/* The order of stop (cluster.md B12.4, architecture 9.6): not ready; listeners closed; sessions are
 * told and wait for; then threads, router, store. Everything works on a server that was built only
 * in part. */

#define LOOK_AGAIN_MS 20

/* ---- tasks on each thread ---- */

static int stop_listening(struct bondy_server_thread *thread, void *context,
                          struct bondy_error *err)
{
    (void)context;
    (void)err;
    bondy_door_stop_listening(thread->door);
    return BONDY_OK;
}

static int say_goodbye(struct bondy_server_thread *thread, void *context, struct bondy_error *err)
{
    (void)context;
    (void)err;
    bondy_http_server_drain(thread->http);
    bondy_router_thread_drain(thread->router);
    return BONDY_OK;
}

/* Sessions of transports and requests that wait for an answer or are still worked on. */
static int count_work(struct bondy_server_thread *thread, void *context, struct bondy_error *err)
{
    size_t *count = context;

    (void)err;
    *count += bondy_door_session_count(thread->door) + bondy_http_server_pending(thread->http) +
              bondy_gateway_pending_count(thread->server->gateway, thread->loop);
    return BONDY_OK;
}

/* ---- the main thread ---- */

/* Runs the main loop, so that a second signal is seen, which ends the process. */
static void wait_ms(struct bondy_server *server, uint64_t ms)
{
    uint64_t end_ms = bondy_clock_mono_ms() + ms;

    for (;;) {
        uint64_t now_ms = bondy_clock_mono_ms();

        if (now_ms >= end_ms)
            return;
        bondy_loop_turn(server->main_loop, end_ms - now_ms);
    }
}

static void drain(struct bondy_server *server)
{
    uint64_t grace_ms = (uint64_t)bondy_config_number(server->live, "shutdown.grace_period");
    uint64_t delay_ms = (uint64_t)bondy_config_number(server->live, "shutdown.drain_delay");
    uint64_t started_ms;
    size_t left;

    wait_ms(server, delay_ms);
    bondy_server_run_on_each(server, stop_listening, NULL, NULL);
    bondy_server_run_on_each(server, say_goodbye, NULL, NULL);
    started_ms = bondy_clock_mono_ms();
    for (;;) {
        left = 0;
        bondy_server_run_on_each(server, count_work, &left, NULL);
        if (left == 0 || bondy_clock_mono_ms() - started_ms >= grace_ms)
            break;
        wait_ms(server, LOOK_AGAIN_MS);
    }
    bondy_log(left == 0 ? BONDY_LOG_INFO : BONDY_LOG_WARN, "drained", BONDY_F_U64("left", left),
              BONDY_F_U64("drain_ms", bondy_clock_mono_ms() - started_ms));
}

/* The writer's last commit may have posted to the main loop, and nobody posts after it: what came
 * is read while all that it may look at is still there. */
static void close_store(struct bondy_server *server)
{
    bondy_purge_stop(BONDY_MOVE(server->purge));
    bondy_store_close(BONDY_MOVE(server->store));
    bondy_seal_destroy(BONDY_MOVE(server->seal));
    if (server->main_loop != NULL)
        bondy_loop_run_mail(server->main_loop);
}

static void free_rest(struct bondy_server *server)
{
    bondy_publish_thread_start();
    bondy_server_free_listeners(server);
    close_store(server);
    bondy_server_free_admin(server);
    bondy_server_free_gateway(server);
    if (server->router != NULL)
        bondy_router_destroy(BONDY_MOVE(server->router));
    if (server->realms != NULL)
        bondy_realms_destroy(BONDY_MOVE(server->realms));
    bondy_server_free_identity(server);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    bondy_free(BONDY_MOVE(server->threads));
    bondy_signals_stop(BONDY_MOVE(server->signals));
    if (server->main_loop != NULL)
        bondy_loop_destroy(BONDY_MOVE(server->main_loop));
    /* Mail of theirs may have been under way. */
    bondy_server_schedule_destroy(BONDY_MOVE(server->schedule));
    bondy_server_realm_keys_destroy(BONDY_MOVE(server->realm_keys));
    bondy_server_monitor_destroy(BONDY_MOVE(server->monitor));
    bondy_server_log_level_destroy(BONDY_MOVE(server->log_level));
}

int bondy_server_stop(struct bondy_server *server)
{
    bool was_ready = atomic_load(&server->status) == BONDY_SERVER_READY;

    atomic_store(&server->status, BONDY_SERVER_SHUTTING_DOWN);
    if (was_ready) {
        bondy_log(BONDY_LOG_INFO, "stopping");
        bondy_notify_send("STOPPING=1\nSTATUS=draining", NULL);
        drain(server);
    }
    bondy_server_watchdog_stop(server->watchdog);
    bondy_server_schedule_stop(server->schedule);
    bondy_server_monitor_stop(server->monitor);
    bondy_server_tell_alarms(server, false);
    bondy_server_stop_admin(server);
    bondy_server_stop_pools(server);
    if (server->threads != NULL)
        bondy_server_stop_threads(server);
    bondy_server_watchdog_destroy(BONDY_MOVE(server->watchdog));
    free_rest(server);
    if (was_ready)
        bondy_log(BONDY_LOG_INFO, "stopped");
    return BONDY_SERVER_EXIT_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metric.h"
#include "src/server/server.h"
#include "src/server/log_level.h"
#include "src/server/monitor.h"
#include "src/server/realm_keys.h"
#include "src/server/schedule.h"
#include "src/server/watchdog.h"
#include "src/server/wire.h"
#include "src/store/purge.h"
#include "src/sys/file.h"
#include "src/sys/notify.h"
#include "src/sys/process.h"

#include <config.h>

/* The order of start (cluster.md B12.3, for a cluster of one): store, realms, router, threads,
 * admin listeners, documents, public listeners, ready. One row a step; a step that fails ends the
 * start with its exit status. */

static int prepare_folders(struct bondy_server *server, struct bondy_error *err)
{
    return bondy_file_mkdir(bondy_config_text(server->config, "platform_data_dir"), err);
}

static int make_tables(struct bondy_server *server, struct bondy_error *err)
{
    int64_t wanted = bondy_config_number(server->config, "io_threads");

    (void)err;
    server->thread_count = wanted > 0 ? (unsigned)wanted : bondy_process_cpus();
    server->threads = bondy_calloc(server->thread_count, sizeof *server->threads);
    server->realms = bondy_realms_create(&server->identity.rules);
    bondy_metric_limit((size_t)bondy_config_number(server->config, "metrics.max_series"));
    bondy_process_metrics();
    bondy_alarm_metrics();
    server->monitor = bondy_server_monitor_create(server);
    server->realm_keys = bondy_server_realm_keys_create(server);
    server->log_level = bondy_server_log_level_create(server);
    return BONDY_OK;
}

static int open_admin(struct bondy_server *server, struct bondy_error *err)
{
    return bondy_server_open_listeners(server, BONDY_SERVER_ADMIN_LISTENERS, err);
}

static int open_public(struct bondy_server *server, struct bondy_error *err)
{
    return bondy_server_open_listeners(server, BONDY_SERVER_PUBLIC_LISTENERS, err);
}

static int write_ports(struct bondy_server *server, struct bondy_error *err)
{
    return bondy_server_write_ports(server, err);
}

static const struct {
    const char *name;
    int (*run)(struct bondy_server *server, struct bondy_error *err);
    int exit_status;
    /* For the service manager. Few: it may be slow to take them, and READY=1 must not be lost. */
    const char *phase;
} steps[] = {
    {"folders", prepare_folders, BONDY_SERVER_EXIT_STORE, NULL},
    {"identities", bondy_server_make_identity, BONDY_SERVER_EXIT_FAILURE, NULL},
    {"tables", make_tables, BONDY_SERVER_EXIT_FAILURE, NULL},
    {"gateway", bondy_server_make_gateway, BONDY_SERVER_EXIT_FAILURE, NULL},
    {"store", bondy_server_open_store, BONDY_SERVER_EXIT_STORE, "STATUS=opening the store"},
    {"realms", bondy_server_make_realms, BONDY_SERVER_EXIT_CONFIG, NULL},
    {"admin", bondy_server_make_admin_user, BONDY_SERVER_EXIT_CONFIG, NULL},
    {"admin API", bondy_server_make_admin, BONDY_SERVER_EXIT_CONFIG, NULL},
    {"router", bondy_server_start_router, BONDY_SERVER_EXIT_FAILURE, NULL},
    {"I/O threads", bondy_server_start_threads, BONDY_SERVER_EXIT_FAILURE, "STATUS=starting"},
    {"listeners", bondy_server_make_listeners, BONDY_SERVER_EXIT_CONFIG, NULL},
    {"admin listeners", open_admin, BONDY_SERVER_EXIT_PORT, NULL},
    {"API specifications", bondy_server_load_specs, BONDY_SERVER_EXIT_CONFIG, NULL},
    {"public listeners", open_public, BONDY_SERVER_EXIT_PORT, NULL},
    {"ports file", write_ports, BONDY_SERVER_EXIT_CONFIG, NULL},
};

static void announce(struct bondy_server *server, uint64_t started_ms)
{
    atomic_store(&server->status, BONDY_SERVER_READY);
    bondy_log_always(BONDY_LOG_INFO, "bondy_ready", BONDY_F_STR("bondy_version", PACKAGE_VERSION),
                     BONDY_F_U64("io_threads", server->thread_count),
                     BONDY_F_U64("start_ms", bondy_clock_mono_ms() - started_ms),
                     BONDY_F_BOOL("dev", server->options->dev));
    bondy_notify_send("READY=1\nSTATUS=serving", NULL);
    server->watchdog = bondy_server_watchdog_start(server);
    server->schedule = bondy_server_schedule_start(server);
    bondy_server_tell_alarms(server, true);
    bondy_server_monitor_start(server->monitor);
    bondy_server_realm_keys_start(server->realm_keys);
    server->purge =
        bondy_purge_start(server->store, server->main_loop,
                          &(struct bondy_purge_options){.delay_ms = (uint64_t)bondy_config_number(
                                                            server->config, "store.purge_delay")});
}

int bondy_server_start(struct bondy_server *server)
{
    uint64_t started_ms = bondy_clock_mono_ms();
    struct bondy_error err = {0};

    for (size_t i = 0; i < BONDY_COUNT(steps); i++) {
        if (steps[i].phase != NULL)
            bondy_notify_send(steps[i].phase, NULL);
        if (steps[i].run(server, &err) == BONDY_OK)
            continue;
        bondy_log_always(BONDY_LOG_ERROR, "start_failed", BONDY_F_STR("step", steps[i].name),
                         BONDY_F_STR("reason", err.text));
        return steps[i].exit_status;
    }
    announce(server, started_ms);
    return BONDY_SERVER_EXIT_OK;
}

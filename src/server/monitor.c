/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/monitor.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/server/certificates.h"
#include "src/server/wire.h"
#include "src/sys/pool.h"
#include "src/sys/process.h"

#define LOG_QUIET_MS 60000
#define DAY_S INT64_C(86400)

/* What was told of a certificate already. */
struct told {
    int64_t ends_s;
    unsigned step;
};

struct bondy_server_monitor {
    struct bondy_server *server;
    struct bondy_timer timer;
    struct bondy_work work; /* on its way while is_looking */
    struct bondy_mail mail; /* on its way while is_asked */
    atomic_bool is_asked;
    _Atomic int64_t expiry_warning_s;
    /* Main loop's thread. */
    bool is_started, is_stopped, is_looking, looks_again;
    /* Of the look that is taken. */
    struct told told[BONDY_SERVER_MOST_LISTENERS];
    uint64_t log_dropped;
    uint64_t log_dropped_ms; /* when that last changed; monotonic, 0: never */
};

/* ---- disk, store, descriptors, log ------------------------------------------------------------*/

static void look_at_volume(const char *path)
{
    struct statvfs info;
    double share;

    if (statvfs(path, &info) != 0 || info.f_blocks == 0)
        return;
    share = (double)info.f_bavail / (double)info.f_blocks;
    if (share < 0.05)
        bondy_alarm_set(BONDY_ALARM_DISK_LOW, bondy_slice_text(path),
                        "%.1f %% of the volume of %s is free", share * 100, path);
    else if (share > 0.07)
        bondy_alarm_clear(BONDY_ALARM_DISK_LOW, bondy_slice_text(path));
}

/* Folders on one volume are one alarm. */
static void look_at_disks(const struct bondy_config *config)
{
    static const char *const keys[] = {"platform_data_dir", "store.data_dir", "backup.dir"};
    dev_t seen[BONDY_COUNT(keys)];
    size_t seen_count = 0, i;

    for (size_t k = 0; k < BONDY_COUNT(keys); k++) {
        const char *path = bondy_config_text(config, keys[k]);
        struct stat info;

        if (path == NULL || stat(path, &info) != 0)
            continue;
        for (i = 0; i < seen_count && seen[i] != info.st_dev; i++)
            continue;
        if (i < seen_count)
            continue;
        seen[seen_count++] = info.st_dev;
        look_at_volume(path);
    }
}

static void look_at_store(const struct bondy_store *store)
{
    double share = bondy_store_filled_wait(store);

    if (share >= 0.8)
        bondy_alarm_set(BONDY_ALARM_STORE_MAP_80, BONDY_SLICE_EMPTY,
                        "%.0f %% of store.map_size_max is used", share * 100);
    else if (share < 0.75)
        bondy_alarm_clear(BONDY_ALARM_STORE_MAP_80, BONDY_SLICE_EMPTY);
}

static void look_at_descriptors(void)
{
    double most = bondy_process_max_files(), left = most - bondy_process_open_files();

    if (left < 200 || left < most * 0.05)
        bondy_alarm_set(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY,
                        "%.0f of %.0f file descriptors are free (runtime.nofile)", left, most);
    else if (left > 300 && left > most * 0.07)
        bondy_alarm_clear(BONDY_ALARM_FDS_LOW, BONDY_SLICE_EMPTY);
}

static void look_at_log(struct bondy_server_monitor *monitor)
{
    uint64_t dropped = bondy_log_dropped(), now_ms = bondy_clock_mono_ms();

    if (dropped != monitor->log_dropped) {
        monitor->log_dropped = dropped;
        monitor->log_dropped_ms = now_ms;
        bondy_alarm_set(BONDY_ALARM_LOG_DROPPING, BONDY_SLICE_EMPTY,
                        "%" PRIu64 " log records were dropped since the start", dropped);
    } else if (now_ms - monitor->log_dropped_ms >= LOG_QUIET_MS) {
        bondy_alarm_clear(BONDY_ALARM_LOG_DROPPING, BONDY_SLICE_EMPTY);
    }
}

/* ---- certificates -----------------------------------------------------------------------------*/

unsigned bondy_server_expiry_step(int64_t left_s)
{
    static const unsigned steps[] = {1, 7, 30};

    for (size_t i = 0; i < BONDY_COUNT(steps) && left_s > 0; i++)
        if (left_s <= steps[i] * DAY_S)
            return steps[i];
    return 0;
}

/* Once for each step, and again for another certificate. */
static void tell_step(struct bondy_server_monitor *monitor, size_t index,
                      const struct bondy_server_certificate *certificate, int64_t left_s)
{
    struct told *told = &monitor->told[index];
    unsigned step = bondy_server_expiry_step(left_s);
    char until[25];

    if (told->ends_s == certificate->ends_s && told->step == step)
        return;
    *told = (struct told){.ends_s = certificate->ends_s, .step = step};
    if (step == 0)
        return;
    bondy_clock_format((uint64_t)certificate->ends_s * 1000, until);
    bondy_server_tell(monitor->server, "bondy.cert_manager.expiring",
                      json_pack("[s]", certificate->name),
                      json_pack("{s:s, s:i, s:I}", "valid_until", until, "days", (int)step,
                                "seconds_left", (json_int_t)left_s));
}

static void look_at_certificate(struct bondy_server_monitor *monitor, size_t index,
                                const struct bondy_server_certificate *certificate)
{
    struct bondy_slice name = bondy_slice_text(certificate->name);
    int64_t left_s = certificate->ends_s - (int64_t)(bondy_clock_wall_ms() / 1000);
    char until[25];

    bondy_clock_format((uint64_t)certificate->ends_s * 1000, until);
    if (left_s <= 0) {
        bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRED, name, "the certificate of %s ended at %s",
                        certificate->name, until);
    } else {
        bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRED, name);
    }
    if (left_s > 0 && left_s <= atomic_load(&monitor->expiry_warning_s))
        bondy_alarm_set(BONDY_ALARM_CERTIFICATE_EXPIRING, name, "the certificate of %s ends at %s",
                        certificate->name, until);
    else
        bondy_alarm_clear(BONDY_ALARM_CERTIFICATE_EXPIRING, name);
    tell_step(monitor, index, certificate, left_s);
}

/* ---- looking ----------------------------------------------------------------------------------*/

/* On a pool thread. */
static void look(struct bondy_work *work)
{
    struct bondy_server_monitor *monitor = BONDY_CONTAINER(work, struct bondy_server_monitor, work);
    struct bondy_server *server = monitor->server;
    struct bondy_server_certificate certificate;

    look_at_disks(server->config);
    look_at_store(server->store);
    look_at_descriptors();
    look_at_log(monitor);
    for (size_t i = 0; bondy_server_certificate_at_wait(server, i, &certificate); i++)
        if (certificate.ends_s != 0)
            look_at_certificate(monitor, i, &certificate);
}

/* The next look; a reload may have changed when. */
static void plan_next(struct bondy_server_monitor *monitor)
{
    struct bondy_server *server = monitor->server;

    bondy_timer_start(bondy_loop_wheel(server->main_loop), &monitor->timer,
                      (uint64_t)bondy_config_number(server->live, "health.check_interval"));
}

static void submit(struct bondy_server_monitor *monitor)
{
    struct bondy_server *server = monitor->server;

    monitor->looks_again = monitor->is_looking;
    if (monitor->is_looking || !monitor->is_started || monitor->is_stopped)
        return;
    bondy_timer_stop(bondy_loop_wheel(server->main_loop), &monitor->timer);
    monitor->is_looking = bondy_pool_submit(server->identity.readers, server->main_loop,
                                            &monitor->work, NULL) == BONDY_OK;
    if (!monitor->is_looking)
        plan_next(monitor);
}

static void looked(struct bondy_work *work)
{
    struct bondy_server_monitor *monitor = BONDY_CONTAINER(work, struct bondy_server_monitor, work);

    monitor->is_looking = false;
    if (monitor->is_stopped)
        return;
    plan_next(monitor);
    if (monitor->looks_again)
        submit(monitor);
}

static void on_time(struct bondy_timer *timer)
{
    submit(BONDY_CONTAINER(timer, struct bondy_server_monitor, timer));
}

static void on_asked(struct bondy_mail *mail)
{
    struct bondy_server_monitor *monitor = BONDY_CONTAINER(mail, struct bondy_server_monitor, mail);

    atomic_store(&monitor->is_asked, false);
    submit(monitor);
}

void bondy_server_monitor_look(struct bondy_server_monitor *monitor)
{
    if (!atomic_exchange(&monitor->is_asked, true))
        bondy_loop_post(monitor->server->main_loop, &monitor->mail);
}

/* ---- life -------------------------------------------------------------------------------------*/

struct bondy_server_monitor *bondy_server_monitor_create(struct bondy_server *server)
{
    struct bondy_server_monitor *monitor = bondy_zalloc(sizeof *monitor);

    monitor->server = server;
    monitor->work.run = look;
    monitor->work.done = looked;
    monitor->mail.run = on_asked;
    monitor->log_dropped = bondy_log_dropped();
    bondy_timer_init(&monitor->timer, on_time);
    bondy_server_monitor_configure(monitor, server->config);
    return monitor;
}

void bondy_server_monitor_configure(struct bondy_server_monitor *monitor,
                                    const struct bondy_config *config)
{
    atomic_store(&monitor->expiry_warning_s,
                 bondy_config_number(config, "cert_manager.expiry_warning") / 1000);
}

void bondy_server_monitor_start(struct bondy_server_monitor *monitor)
{
    monitor->is_started = true;
    submit(monitor);
}

void bondy_server_monitor_stop(struct bondy_server_monitor *monitor)
{
    if (monitor == NULL)
        return;
    monitor->is_stopped = true;
    bondy_timer_stop(bondy_loop_wheel(monitor->server->main_loop), &monitor->timer);
}

void bondy_server_monitor_destroy(struct bondy_server_monitor *monitor)
{
    bondy_free(monitor);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/schedule.h"

#include "src/admin/backups.h"
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/server/wire.h"
#include "src/sys/pool.h"

/* Somebody may have made one by hand meanwhile, or removed the newest: it is looked up this often.
 */
#define LOOK_MS 60000

struct bondy_server_schedule {
    struct bondy_server *server;
    struct bondy_timer timer;
    struct bondy_work work; /* on its way while the timer is stopped */
    uint64_t interval_s;
    uint64_t next_ms; /* until the next look */
    bool is_stopped;
};

static uint64_t newest_s(struct bondy_backup_desk *desk)
{
    json_t *list = NULL, *problem = NULL;
    uint64_t timestamp = 0;

    if (bondy_backup_desk_list_wait(desk, &list, &problem) == BONDY_OK)
        timestamp =
            (uint64_t)json_integer_value(json_object_get(json_array_get(list, 0), "timestamp"));
    json_decref(list);
    json_decref(problem);
    return timestamp;
}

static void make(struct bondy_backup_desk *desk)
{
    static const struct bondy_backup_teller nobody;
    json_t *input = json_object(), *result = NULL, *problem = NULL;
    int rc = bondy_backup_desk_make_wait(desk, input, &nobody, &result, &problem);
    struct bondy_slice reason = bondy_json_text(problem, "message");

    if (rc < 0)
        bondy_log(BONDY_LOG_WARN, "backup_not_begun", BONDY_F_SLICE("reason", reason));
    /* A job that runs already is no mistake: the next look sees what came of it. */
    if (rc < 0 && rc != BONDY_ESTATE)
        bondy_alarm_set(BONDY_ALARM_BACKUP_FAILED, BONDY_SLICE_EMPTY,
                        "the backup that is due cannot begin: " BONDY_SLICE_FMT,
                        BONDY_SLICE_ARG(reason));
    json_decref(input);
    json_decref(result);
    json_decref(problem);
}

/* On a pool thread. */
static void look(struct bondy_work *work)
{
    struct bondy_server_schedule *schedule =
        BONDY_CONTAINER(work, struct bondy_server_schedule, work);
    struct bondy_backup_desk *desk = bondy_server_backups(schedule->server);
    uint64_t now_s = bondy_clock_wall_ms() / 1000;
    uint64_t due_s = newest_s(desk) + schedule->interval_s;

    if (due_s <= now_s) {
        make(desk);
        due_s = now_s + schedule->interval_s;
    }
    schedule->next_ms = (due_s - now_s) * 1000 < LOOK_MS ? (due_s - now_s) * 1000 : LOOK_MS;
}

static void looked(struct bondy_work *work)
{
    struct bondy_server_schedule *schedule =
        BONDY_CONTAINER(work, struct bondy_server_schedule, work);

    if (!schedule->is_stopped)
        bondy_timer_start(bondy_loop_wheel(schedule->server->main_loop), &schedule->timer,
                          schedule->next_ms);
}

static void on_time(struct bondy_timer *timer)
{
    struct bondy_server_schedule *schedule =
        BONDY_CONTAINER(timer, struct bondy_server_schedule, timer);
    struct bondy_server *server = schedule->server;

    if (bondy_pool_submit(server->identity.readers, server->main_loop, &schedule->work, NULL) < 0)
        bondy_timer_start(bondy_loop_wheel(server->main_loop), timer, LOOK_MS);
}

struct bondy_server_schedule *bondy_server_schedule_start(struct bondy_server *server)
{
    uint64_t interval_ms = (uint64_t)bondy_config_number(server->config, "backup.schedule");
    struct bondy_server_schedule *schedule;

    if (interval_ms == 0)
        return NULL;
    schedule = bondy_zalloc(sizeof *schedule);
    schedule->server = server;
    schedule->interval_s = (interval_ms + 999) / 1000;
    schedule->work.run = look;
    schedule->work.done = looked;
    bondy_timer_init(&schedule->timer, on_time);
    bondy_timer_start(bondy_loop_wheel(server->main_loop), &schedule->timer, 1);
    return schedule;
}

void bondy_server_schedule_stop(struct bondy_server_schedule *schedule)
{
    if (schedule == NULL)
        return;
    schedule->is_stopped = true;
    bondy_timer_stop(bondy_loop_wheel(schedule->server->main_loop), &schedule->timer);
}

void bondy_server_schedule_destroy(struct bondy_server_schedule *schedule)
{
    bondy_free(schedule);
}

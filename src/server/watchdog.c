/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/watchdog.h"

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/server/server.h"
#include "src/sys/notify.h"

struct question {
    struct bondy_mail mail;
    struct bondy_server_watchdog *watchdog;
};

struct bondy_server_watchdog {
    struct bondy_server *server;
    struct bondy_timer timer;
    uint64_t interval_ms;
    atomic_uint unanswered;
    struct question questions[]; /* one a thread; on its way while unanswered */
};

/* On the thread that was asked. */
static void answer(struct bondy_mail *mail)
{
    struct question *question = BONDY_CONTAINER(mail, struct question, mail);

    atomic_fetch_sub(&question->watchdog->unanswered, 1);
}

static void ask(struct bondy_server_watchdog *watchdog)
{
    struct bondy_server *server = watchdog->server;

    atomic_store(&watchdog->unanswered, server->thread_count);
    for (unsigned i = 0; i < server->thread_count; i++) {
        watchdog->questions[i].mail.run = answer;
        watchdog->questions[i].watchdog = watchdog;
        bondy_loop_post(server->threads[i].loop, &watchdog->questions[i].mail);
    }
}

static void on_time(struct bondy_timer *timer)
{
    struct bondy_server_watchdog *watchdog =
        BONDY_CONTAINER(timer, struct bondy_server_watchdog, timer);
    unsigned unanswered = atomic_load(&watchdog->unanswered);

    if (unanswered == 0) {
        bondy_notify_send("WATCHDOG=1", NULL);
        ask(watchdog);
    } else {
        bondy_log(BONDY_LOG_WARN, "threads_silent", BONDY_F_U64("threads", unanswered));
    }
    bondy_timer_start(bondy_loop_wheel(watchdog->server->main_loop), timer, watchdog->interval_ms);
}

struct bondy_server_watchdog *bondy_server_watchdog_start(struct bondy_server *server)
{
    uint64_t wanted_ms = bondy_notify_watchdog_ms();
    struct bondy_server_watchdog *watchdog;

    if (wanted_ms == 0)
        return NULL;
    watchdog = bondy_zalloc(sizeof *watchdog + server->thread_count * sizeof(struct question));
    watchdog->server = server;
    /* A third: one look that finds a thread busy is not the end. */
    watchdog->interval_ms = wanted_ms / 3 > 0 ? wanted_ms / 3 : 1;
    bondy_timer_init(&watchdog->timer, on_time);
    ask(watchdog);
    bondy_timer_start(bondy_loop_wheel(server->main_loop), &watchdog->timer, watchdog->interval_ms);
    return watchdog;
}

void bondy_server_watchdog_stop(struct bondy_server_watchdog *watchdog)
{
    if (watchdog != NULL)
        bondy_timer_stop(bondy_loop_wheel(watchdog->server->main_loop), &watchdog->timer);
}

void bondy_server_watchdog_destroy(struct bondy_server_watchdog *watchdog)
{
    bondy_free(watchdog);
}

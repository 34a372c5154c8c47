/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/log_level.h"

#include <pthread.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/server/server.h"

struct bondy_server_log_level {
    struct bondy_server *server;
    struct bondy_timer timer; /* of the main loop */
    struct bondy_mail mail;   /* on its way while is_posted */
    pthread_mutex_t lock;     /* guards what follows */
    bool is_posted;
    enum bondy_log_level back; /* what holds again at `until_ms` */
    uint64_t until_ms;         /* monotonic; 0: what holds stays */
};

enum bondy_log_level bondy_server_configured_log_level(const struct bondy_config *config)
{
    const char *level = bondy_config_text(config, "log.handlers.default.level");
    enum bondy_log_level threshold = BONDY_LOG_INFO;

    if (level == NULL)
        level = bondy_config_text(config, "log.level");
    bondy_log_level_parse(level, &threshold, NULL);
    return threshold;
}

/* Main loop: goes back when it is time, else waits for it. */
static void look(struct bondy_server_log_level *self)
{
    uint64_t now_ms = bondy_clock_mono_ms(), wait_ms = 0;
    bool is_over;

    pthread_mutex_lock(&self->lock);
    is_over = self->until_ms != 0 && self->until_ms <= now_ms;
    if (is_over) {
        atomic_store(&bondy_log_threshold, self->back);
        self->until_ms = 0;
    } else if (self->until_ms != 0) {
        wait_ms = self->until_ms - now_ms;
    }
    pthread_mutex_unlock(&self->lock);
    if (is_over)
        bondy_log(BONDY_LOG_INFO, "log_level_back");
    bondy_timer_stop(bondy_loop_wheel(self->server->main_loop), &self->timer);
    if (wait_ms > 0)
        bondy_timer_start(bondy_loop_wheel(self->server->main_loop), &self->timer, wait_ms);
}

static void on_time(struct bondy_timer *timer)
{
    look(BONDY_CONTAINER(timer, struct bondy_server_log_level, timer));
}

static void on_mail(struct bondy_mail *mail)
{
    struct bondy_server_log_level *self =
        BONDY_CONTAINER(mail, struct bondy_server_log_level, mail);

    pthread_mutex_lock(&self->lock);
    self->is_posted = false;
    pthread_mutex_unlock(&self->lock);
    look(self);
}

struct bondy_server_log_level *bondy_server_log_level_create(struct bondy_server *server)
{
    struct bondy_server_log_level *self = bondy_zalloc(sizeof *self);

    self->server = server;
    self->mail.run = on_mail;
    bondy_timer_init(&self->timer, on_time);
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void bondy_server_log_level_set(struct bondy_server_log_level *self, enum bondy_log_level level,
                                uint64_t duration_ms)
{
    bool was_posted;

    pthread_mutex_lock(&self->lock);
    if (self->until_ms == 0)
        self->back = atomic_load(&bondy_log_threshold);
    self->until_ms = duration_ms == 0 ? 0 : bondy_clock_mono_ms() + duration_ms;
    atomic_store(&bondy_log_threshold, level);
    was_posted = self->is_posted;
    self->is_posted = true;
    pthread_mutex_unlock(&self->lock);
    if (!was_posted)
        bondy_loop_post(self->server->main_loop, &self->mail);
}

void bondy_server_log_level_destroy(struct bondy_server_log_level *self)
{
    if (self == NULL)
        return;
    pthread_mutex_destroy(&self->lock);
    bondy_free(self);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/map.h"
#include "src/base/metric.h"

#define BATCH_RECORDS 256
#define BATCH_BYTES (64 * 1024)
#define WINDOW_MS 1000
#define MOST_REPEATS 10
#define LAST_WORDS_NS 200000000
#define SITES 256 /* power of two; two that meet in one entry end each other's window */

/* A line that was written lately, and how often it came again. */
struct site {
    uint64_t hash;
    uint64_t window_ms; /* wall time of the first in this window */
    uint64_t count;
    struct bondy_log_record record; /* without its fields: for the summary */
};

struct logger {
    pthread_t thread;
    enum bondy_log_format format;
    char *path; /* NULL: standard error */
    int fd;
    atomic_bool stops;
    atomic_bool reopens;
    struct bondy_buf batch;
    uint64_t burst_most; /* records in a window; 0: no limit */
    uint64_t burst_window_ms;
    uint64_t burst_began_ms; /* wall time of the window's first record */
    uint64_t burst_count;    /* records in this window */
    uint64_t sync_ms;
    uint64_t synced_ms; /* monotonic */
    bool is_dirty;
    uint64_t dropped; /* as told last */
    uint64_t repeats; /* held back now, over all sites */
    struct site sites[SITES];
};

static const struct bondy_metric_family dropped_family = {
    .name = "bondy_log_dropped_total",
    .help = "Log records dropped because a thread's ring was full",
    .type = BONDY_METRIC_COUNTER,
};

static struct logger *the_logger;
/* Stays open when the logger stops: another thread may be about to write to it. */
static atomic_int wake_fd = -1;

static void wake(void)
{
    uint64_t one = 1;

    while (write(atomic_load(&wake_fd), &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* The process is about to end by our own mistake. What led there may be in the rings: the logger
 * gets a moment to write it. No lock is taken, since this thread may hold any of them. */
static void save_last_words_wait(void)
{
    wake();
    nanosleep(&(struct timespec){.tv_nsec = LAST_WORDS_NS}, NULL);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_batch(struct logger *logger)
{
    struct bondy_slice rest = bondy_buf_slice(&logger->batch);
    int fd = logger->fd;

    while (rest.len > 0) {
        ssize_t written = write(fd, rest.data, rest.len);

        if (written > 0) {
            rest = bondy_slice_skip(rest, (size_t)written);
        } else if (errno == EAGAIN) {
            /* Somebody made our standard error non-blocking. */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            if (fd == STDERR_FILENO)
                break;
            fd = STDERR_FILENO; /* a full disk: better there than lost */
        }
    }
    if (logger->batch.len > 0)
        logger->is_dirty = true;
    bondy_buf_clear(&logger->batch, 2 * BATCH_BYTES);
}

static void sync_file(struct logger *logger)
{
    uint64_t now = bondy_clock_mono_ms();

    if (logger->path == NULL || logger->sync_ms == 0 || !logger->is_dirty ||
        now - logger->synced_ms < logger->sync_ms)
        return;
    fdatasync(logger->fd);
    logger->synced_ms = now;
    logger->is_dirty = false;
}

/* A record of the logger's own. */
static void add_own(struct logger *logger, const char *event, enum bondy_log_level level,
                    struct bondy_log_field field)
{
    const struct bondy_log_record record = {
        .level = level,
        .line = __LINE__,
        .wall_ms = bondy_clock_wall_ms(),
        .thread = "logger",
        .file = __FILE__,
        .function = __func__,
        .event = event,
        .fields = &field,
        .count = 1,
    };

    bondy_log_format(logger->format, &record, &logger->batch);
}

static int open_file(const char *path, struct bondy_error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    int code;

    if (fd >= 0)
        return fd;
    code = errno == ENOENT ? BONDY_ENOENT : errno == EACCES ? BONDY_EDENIED : BONDY_EIO;
    return bondy_fail(err, code, "log file %s: %s", path, strerror(errno));
}

static void reopen(struct logger *logger)
{
    struct bondy_error err;
    int fd;

    if (logger->path == NULL)
        return;
    fd = open_file(logger->path, &err);
    if (fd < 0) {
        add_own(logger, "log_reopen_failed", BONDY_LOG_ERROR, BONDY_F_STR("reason", err.text));
        return;
    }
    close(logger->fd);
    logger->fd = fd;
}

/* ---- repetition ------------------------------------------------------------------------------ */

/* Ends a site's window; says how many lines it swallowed. */
static void end_window(struct logger *logger, struct site *site)
{
    if (site->count > MOST_REPEATS) {
        struct bondy_log_field field = BONDY_F_U64("repeated", site->count - MOST_REPEATS);

        logger->repeats -= site->count - MOST_REPEATS;
        site->record.wall_ms = bondy_clock_wall_ms();
        site->record.thread = "logger";
        site->record.fields = &field;
        site->record.count = 1;
        bondy_log_format(logger->format, &site->record, &logger->batch);
    }
    site->count = 0;
}

/* Counts the line at the batch's end; false when it is one too many. */
static bool may_pass(struct logger *logger, const struct bondy_log_record *record,
                     struct bondy_slice line)
{
    struct bondy_slice text = bondy_slice_skip(line, bondy_log_time_len(logger->format));
    uint64_t hash = bondy_hash(text.data, text.len);
    struct site *site = &logger->sites[hash & (SITES - 1)];

    if (site->count > 0 && (site->hash != hash || record->wall_ms - site->window_ms >= WINDOW_MS))
        end_window(logger, site);
    if (site->count == 0) {
        site->hash = hash;
        site->window_ms = record->wall_ms;
        site->record = *record;
    }
    if (++site->count <= MOST_REPEATS)
        return true;
    logger->repeats++;
    return false;
}

static void end_old_windows(struct logger *logger, bool all)
{
    uint64_t now = bondy_clock_wall_ms();

    if (logger->repeats == 0)
        return;
    for (size_t i = 0; i < SITES; i++)
        if (logger->sites[i].count > MOST_REPEATS &&
            (all || now - logger->sites[i].window_ms >= WINDOW_MS))
            end_window(logger, &logger->sites[i]);
}

/* ---- bursts ---------------------------------------------------------------------------------- */

static void end_burst(struct logger *logger)
{
    if (logger->burst_most > 0 && logger->burst_count > logger->burst_most)
        add_own(logger, "log_burst", BONDY_LOG_WARN,
                BONDY_F_U64("dropped", logger->burst_count - logger->burst_most));
    logger->burst_count = 0;
}

/* operations, Overload behaviour of a handler. Errors pass and do not count. */
static bool is_within_burst(struct logger *logger, const struct bondy_log_record *record)
{
    if (logger->burst_most == 0 || record->level == BONDY_LOG_ERROR)
        return true;
    if (record->wall_ms - logger->burst_began_ms >= logger->burst_window_ms) {
        end_burst(logger);
        logger->burst_began_ms = record->wall_ms;
    }
    return ++logger->burst_count <= logger->burst_most;
}

/* ---- thread ---------------------------------------------------------------------------------- */

static void take(const struct bondy_log_record *record, void *context)
{
    struct logger *logger = context;
    struct bondy_buf line = BONDY_BUF_EMPTY;

    if (!is_within_burst(logger, record))
        return;
    bondy_log_format(logger->format, record, &line);
    /* A summary that this line sets free comes before it. */
    if (may_pass(logger, record, bondy_buf_slice(&line)))
        bondy_buf_append_slice(&logger->batch, bondy_buf_slice(&line));
    bondy_buf_fini(&line);
}

static void tell_dropped(struct logger *logger)
{
    uint64_t dropped = bondy_log_dropped();

    if (dropped == logger->dropped)
        return;
    add_own(logger, "log_dropped", BONDY_LOG_WARN,
            BONDY_F_U64("dropped", dropped - logger->dropped));
    logger->dropped = dropped;
}

static void drain_all(struct logger *logger)
{
    while (bondy_log_drain(BATCH_RECORDS, take, logger) > 0)
        if (logger->batch.len >= BATCH_BYTES)
            write_batch(logger);
    tell_dropped(logger);
    end_old_windows(logger, false);
    if (bondy_clock_wall_ms() - logger->burst_began_ms >= logger->burst_window_ms)
        end_burst(logger);
    write_batch(logger);
    sync_file(logger);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something has to be done though nobody logs: the end of a window, a sync; -1 for never. */
static int next_duty_ms(const struct logger *logger)
{
    uint64_t wait = UINT64_MAX;

    if (logger->repeats > 0)
        wait = WINDOW_MS;
    if (logger->burst_most > 0 && logger->burst_count > logger->burst_most)
        wait = least(wait, logger->burst_window_ms);
    if (logger->is_dirty && logger->sync_ms > 0)
        wait = least(wait, logger->sync_ms);
    return wait == UINT64_MAX ? -1 : (int)least(wait, INT_MAX);
}

static void sleep_until_woken(struct logger *logger)
{
    struct pollfd wake_up = {.fd = atomic_load(&wake_fd), .events = POLLIN};
    uint64_t count;

    poll(&wake_up, 1, next_duty_ms(logger));
    if (read(wake_up.fd, &count, sizeof count) < 0)
        BONDY_BUG_ON(errno != EAGAIN && errno != EINTR);
}

static void *serve(void *context)
{
    struct logger *logger = context;

    bondy_log_name_thread("logger");
    while (!atomic_load(&logger->stops)) {
        drain_all(logger);
        if (atomic_exchange(&logger->reopens, false))
            reopen(logger);
        if (bondy_log_may_sleep() && !atomic_load(&logger->stops) && !atomic_load(&logger->reopens))
            sleep_until_woken(logger);
    }
    return NULL;
}

/* Signals are for the loops: this thread takes none. */
static int start_thread(struct logger *logger)
{
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&logger->thread, NULL, serve, logger);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_setname_np(logger->thread, "logger");
    return rc;
}

static void free_logger(struct logger *logger)
{
    if (logger->path != NULL && logger->fd >= 0)
        close(logger->fd);
    bondy_buf_fini(&logger->batch);
    bondy_free(logger->path);
    bondy_free(logger);
}

static double read_dropped(void *context)
{
    (void)context;
    return (double)bondy_log_dropped();
}

int bondy_logger_start(const struct bondy_logger_options *options, struct bondy_error *err)
{
    struct logger *logger;
    int rc;

    if (the_logger != NULL)
        return bondy_fail(err, BONDY_ESTATE, "the logger runs already");
    if (atomic_load(&wake_fd) < 0)
        atomic_store(&wake_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (atomic_load(&wake_fd) < 0)
        return bondy_fail(err, BONDY_EIO, "logger: eventfd: %s", strerror(errno));
    logger = bondy_zalloc(sizeof *logger);
    logger->format = options->format;
    logger->fd = STDERR_FILENO;
    logger->burst_most = options->burst_count;
    logger->burst_window_ms = options->burst_window_ms == 0 ? 1000 : options->burst_window_ms;
    logger->sync_ms = options->path == NULL ? 0 : options->sync_ms;
    logger->dropped = bondy_log_dropped();
    if (options->path != NULL && options->path[0] != '\0') {
        logger->path = bondy_strdup(options->path);
        logger->fd = open_file(options->path, err);
    }
    if (logger->fd < 0) {
        rc = logger->fd;
        free_logger(logger);
        return rc;
    }
    the_logger = logger;
    bondy_metric_read(&dropped_family, NULL, read_dropped, NULL);
    bondy_log_attach(wake);
    bondy_bug_last(save_last_words_wait);
    rc = start_thread(logger);
    if (rc != 0) {
        bondy_log_detach();
        bondy_bug_last(NULL);
        the_logger = NULL;
        free_logger(logger);
        return bondy_fail(err, BONDY_EIO, "cannot start the logger thread: %s", strerror(rc));
    }
    return BONDY_OK;
}

void bondy_logger_stop(void)
{
    struct logger *logger = the_logger;

    if (logger == NULL)
        return;
    atomic_store(&logger->stops, true);
    wake();
    pthread_join(logger->thread, NULL);
    bondy_log_detach();
    bondy_bug_last(NULL);
    drain_all(logger);
    end_old_windows(logger, true);
    end_burst(logger);
    write_batch(logger);
    the_logger = NULL;
    free_logger(logger);
}

void bondy_logger_reopen(void)
{
    if (the_logger == NULL)
        return;
    atomic_store(&the_logger->reopens, true);
    wake();
}

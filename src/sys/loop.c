/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/sys/publish.h"

#define MOST_FLUSH_ROUNDS 8

/* The inbox is a stack of mail, newest on top, that the loop takes whole and turns around.
 *
 * Nobody is woken who is awake: the loop says `sleeps` and then looks into the inbox once more, a
 * sender pushes and then looks at `sleeps`; with both sequentially consistent, at least one of them
 * sees the other. The wake-up is a handle of the uv loop, so the loop is never without one and
 * uv_backend_timeout() never answers 0 for want of handles. */
struct bondy_loop {
    uv_loop_t uv;
    uv_poll_t wake;
    int wake_fd;
    unsigned index;
    uint64_t now_ms;
    struct bondy_wheel wheel;
    struct bondy_list flushes;      /* by rank */
    struct bondy_list *flush_after; /* the hook to run next, while hooks run */
    bool again;
    atomic_bool stops;
    atomic_bool sleeps;
    _Atomic(struct bondy_mail *) inbox;
};

static _Thread_local struct bondy_loop *current;

static void on_wake(uv_poll_t *handle, int status, int events)
{
    struct bondy_loop *loop = handle->data;
    uint64_t count;

    (void)status;
    (void)events;
    if (read(loop->wake_fd, &count, sizeof count) < 0)
        BONDY_BUG_ON(errno != EAGAIN && errno != EINTR);
}

int bondy_loop_create(unsigned index, struct bondy_loop **out, struct bondy_error *err)
{
    struct bondy_loop *loop = bondy_zalloc(sizeof *loop);
    int rc;

    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        rc = bondy_fail(err, BONDY_EIO, "event loop %u: eventfd: %s", index, strerror(errno));
        goto no_eventfd;
    }
    if ((rc = uv_loop_init(&loop->uv)) < 0) {
        rc = bondy_fail(err, BONDY_EIO, "event loop %u: %s", index, uv_strerror(rc));
        goto no_loop;
    }
    BONDY_BUG_ON(uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd) < 0);
    loop->wake.data = loop;
    BONDY_BUG_ON(uv_poll_start(&loop->wake, UV_READABLE, on_wake) < 0);
    loop->index = index;
    loop->now_ms = bondy_clock_mono_ms();
    bondy_wheel_init(&loop->wheel, loop->now_ms);
    bondy_list_init(&loop->flushes);
    *out = loop;
    return BONDY_OK;
no_loop:
    close(loop->wake_fd);
no_eventfd:
    bondy_free(loop);
    return rc;
}

/* ---- inbox ----------------------------------------------------------------------------------- */

static void wake_up(struct bondy_loop *loop)
{
    uint64_t one = 1;

    if (!atomic_exchange(&loop->sleeps, false))
        return;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void bondy_loop_post(struct bondy_loop *loop, struct bondy_mail *mail)
{
    mail->next = NULL;
    bondy_loop_post_chain(loop, mail, mail);
}

void bondy_loop_post_chain(struct bondy_loop *loop, struct bondy_mail *first,
                           struct bondy_mail *last)
{
    struct bondy_mail *before = NULL;
    struct bondy_mail *top;

    for (struct bondy_mail *mail = first; before != last;) {
        struct bondy_mail *next = mail->next;

        mail->next = before;
        before = mail;
        mail = next;
    }
    top = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do
        first->next = top;
    while (!atomic_compare_exchange_weak(&loop->inbox, &top, last));
    if (top == NULL)
        wake_up(loop);
}

/* Runs what is there now; what comes meanwhile waits for the next turn. */
static void empty_inbox(struct bondy_loop *loop)
{
    struct bondy_mail *newest = NULL;
    struct bondy_mail *oldest = NULL;

    if (atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL)
        newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    while (newest != NULL) {
        struct bondy_mail *older = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    while (oldest != NULL) {
        struct bondy_mail *mail = oldest;

        oldest = mail->next;
        mail->next = NULL;
        mail->run(mail);
    }
}

/* ---- turn ------------------------------------------------------------------------------------ */

static bool run_flushes_once(struct bondy_loop *loop)
{
    bool made_work = false;

    loop->flush_after = loop->flushes.next;
    while (loop->flush_after != &loop->flushes) {
        struct bondy_flush *flush = BONDY_LIST_ENTRY(loop->flush_after, struct bondy_flush, link);

        loop->flush_after = flush->link.next;
        if (flush->fn(flush))
            made_work = true;
    }
    loop->flush_after = NULL;
    return made_work;
}

static void run_flushes(struct bondy_loop *loop)
{
    for (int round = 0; round < MOST_FLUSH_ROUNDS; round++)
        if (!run_flushes_once(loop))
            return;
    loop->again = true;
}

/* How long poll may wait: 0 for not at all, -1 for ever. */
static int allowed_sleep(struct bondy_loop *loop, uint64_t max_wait_ms)
{
    int uv_wait = uv_backend_timeout(&loop->uv);
    uint64_t wait = uv_wait < 0 ? UINT64_MAX : (uint64_t)uv_wait;
    uint64_t timer = bondy_wheel_next(&loop->wheel);

    if (timer != UINT64_MAX) {
        uint64_t spent = bondy_clock_mono_ms() - loop->now_ms;

        timer = timer > spent ? timer - spent : 0;
    }
    if (timer < wait)
        wait = timer;
    if (max_wait_ms < wait)
        wait = max_wait_ms;
    if (wait == UINT64_MAX)
        return -1;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

static bool has_reason_to_stay_awake(struct bondy_loop *loop)
{
    return atomic_load(&loop->stops) || atomic_load(&loop->inbox) != NULL;
}

/* architecture 9.1: nothing but poll() may stand between offline and online. */
static void sleep_until_called(struct bondy_loop *loop, uint64_t max_wait_ms)
{
    struct pollfd backend = {.fd = uv_backend_fd(&loop->uv), .events = POLLIN};
    int wait = allowed_sleep(loop, max_wait_ms);

    if (wait == 0)
        return;
    atomic_store(&loop->sleeps, true);
    if (!has_reason_to_stay_awake(loop)) {
        bondy_publish_idle();
        poll(&backend, 1, wait);
        bondy_publish_busy();
    }
    atomic_store(&loop->sleeps, false);
}

static void turn(struct bondy_loop *loop, uint64_t max_wait_ms)
{
    loop->now_ms = bondy_clock_mono_ms();
    bondy_wheel_set_clock(&loop->wheel, loop->now_ms);
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    empty_inbox(loop);
    bondy_wheel_advance(&loop->wheel, loop->now_ms);
    run_flushes(loop);
    bondy_publish_quiesce();
    if (!loop->again)
        sleep_until_called(loop, max_wait_ms);
    loop->again = false;
}

void bondy_loop_turn(struct bondy_loop *loop, uint64_t max_wait_ms)
{
    struct bondy_loop *before = current;

    current = loop;
    bondy_publish_thread_start();
    turn(loop, max_wait_ms);
    bondy_publish_thread_stop();
    current = before;
}

void bondy_loop_run(struct bondy_loop *loop)
{
    struct bondy_loop *before = current;

    current = loop;
    bondy_publish_thread_start();
    while (!atomic_load(&loop->stops))
        turn(loop, UINT64_MAX);
    atomic_store(&loop->stops, false);
    bondy_publish_thread_stop();
    current = before;
}

void bondy_loop_stop(struct bondy_loop *loop)
{
    atomic_store(&loop->stops, true);
    wake_up(loop);
}

void bondy_loop_run_mail(struct bondy_loop *loop)
{
    struct bondy_loop *before = current;

    current = loop;
    while (atomic_load(&loop->inbox) != NULL)
        empty_inbox(loop);
    current = before;
}

void bondy_loop_destroy(struct bondy_loop *loop)
{
    struct bondy_loop *before = current;

    if (loop == NULL)
        return;
    bondy_loop_run_mail(loop);
    current = loop;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    BONDY_BUG_ON(uv_loop_close(&loop->uv) < 0);
    close(loop->wake_fd);
    current = before;
    bondy_free(loop);
}

/* ---- what callers ask for -------------------------------------------------------------------- */

uv_loop_t *bondy_loop_uv(struct bondy_loop *loop)
{
    return &loop->uv;
}

unsigned bondy_loop_index(const struct bondy_loop *loop)
{
    return loop->index;
}

uint64_t bondy_loop_now_ms(const struct bondy_loop *loop)
{
    return loop->now_ms;
}

struct bondy_wheel *bondy_loop_wheel(struct bondy_loop *loop)
{
    return &loop->wheel;
}

struct bondy_loop *bondy_loop_current(void)
{
    return current;
}

void bondy_loop_add_flush(struct bondy_loop *loop, struct bondy_flush *flush)
{
    struct bondy_list *after = &loop->flushes;

    BONDY_LIST_EACH(link, &loop->flushes)
    {
        if (BONDY_LIST_ENTRY(link, struct bondy_flush, link)->rank > flush->rank) {
            after = link;
            break;
        }
    }
    bondy_list_append(after, &flush->link);
}

void bondy_loop_remove_flush(struct bondy_loop *loop, struct bondy_flush *flush)
{
    if (loop->flush_after == &flush->link)
        loop->flush_after = flush->link.next;
    bondy_list_remove(&flush->link);
}

void bondy_loop_again(struct bondy_loop *loop)
{
    loop->again = true;
}

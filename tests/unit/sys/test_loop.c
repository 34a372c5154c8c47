/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/sys/loop.h"
#include "src/sys/pool.h"
#include "src/sys/publish.h"
#include "src/sys/signals.h"

static struct bondy_loop *make_loop(void)
{
    struct bondy_loop *loop = NULL;

    assert_int_equal(bondy_loop_create(3, &loop, NULL), BONDY_OK);
    return loop;
}

/* ---- mail ------------------------------------------------------------------------------------ */

enum { SENDERS = 4, LETTERS = 20000 };

struct letter {
    struct bondy_mail mail;
    unsigned sender;
    unsigned number;
};

struct post_office {
    struct bondy_loop *loop;
    unsigned next[SENDERS]; /* the number expected from each; the loop's thread only */
    unsigned received;
};

static struct post_office office;

static void receive(struct bondy_mail *mail)
{
    struct letter *letter = BONDY_CONTAINER(mail, struct letter, mail);

    assert_ptr_equal(bondy_loop_current(), office.loop);
    assert_int_equal(letter->number, office.next[letter->sender]);
    office.next[letter->sender]++;
    office.received++;
    bondy_free(letter);
    if (office.received == SENDERS * LETTERS)
        bondy_loop_stop(office.loop);
}

static struct letter *write_letter(unsigned sender, unsigned number)
{
    struct letter *letter = bondy_zalloc(sizeof *letter);

    letter->mail.run = receive;
    letter->sender = sender;
    letter->number = number;
    return letter;
}

/* Single letters and chains of up to four in turns. */
static void *send_letters(void *context)
{
    unsigned sender = (unsigned)(uintptr_t)context;
    unsigned number = 0;

    while (number < LETTERS) {
        struct letter *first = write_letter(sender, number++);
        struct letter *last = first;

        if (number % 3 == 0) {
            bondy_loop_post(office.loop, &first->mail);
            continue;
        }
        while (number < LETTERS && number % 4 != 0) {
            struct letter *more = write_letter(sender, number++);

            last->mail.next = &more->mail;
            last = more;
        }
        bondy_loop_post_chain(office.loop, &first->mail, &last->mail);
    }
    return NULL;
}

static void mail_of_several_threads_arrives_in_each_sender_s_order(void **state)
{
    pthread_t threads[SENDERS];

    (void)state;
    memset(&office, 0, sizeof office);
    office.loop = make_loop();
    for (uintptr_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, (void *)i), 0);
    bondy_loop_run(office.loop);
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(office.next[i], LETTERS);
    }
    bondy_loop_destroy(office.loop);
}

/* Two loops throw one letter back and forth: each is asleep when it comes, so a lost wake-up would
 * hang here. */
static struct bondy_loop *courts[2];
static int rallies_left;

static void throw_back(struct bondy_mail *mail)
{
    struct bondy_loop *other = bondy_loop_current() == courts[0] ? courts[1] : courts[0];

    if (--rallies_left > 0) {
        bondy_loop_post(other, mail);
        return;
    }
    bondy_loop_stop(courts[0]);
    bondy_loop_stop(courts[1]);
}

static void *run_court(void *context)
{
    bondy_loop_run(context);
    return NULL;
}

static void a_sleeping_loop_is_always_woken(void **state)
{
    struct bondy_mail ball = {.run = throw_back};
    pthread_t threads[2];

    (void)state;
    rallies_left = 20000;
    for (int i = 0; i < 2; i++)
        courts[i] = make_loop();
    bondy_loop_post(courts[0], &ball);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_court, courts[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        bondy_loop_destroy(courts[i]);
}

static void a_stop_that_comes_before_run_ends_it_at_once(void **state)
{
    struct bondy_loop *loop = make_loop();

    (void)state;
    bondy_loop_stop(loop);
    bondy_loop_run(loop);
    bondy_loop_destroy(loop);
}

static int undelivered;
static struct bondy_loop *mail_loop;

static void count_delivery(struct bondy_mail *mail)
{
    (void)mail;
    undelivered--;
}

static void post_again_once(struct bondy_mail *mail)
{
    mail->run = count_delivery;
    bondy_loop_post(mail_loop, mail);
}

static void count_early_timer(struct bondy_timer *timer)
{
    (void)timer;
    undelivered = -1;
}

static void mail_alone_can_be_run_to_the_last(void **state)
{
    struct bondy_mail mails[2] = {{NULL, count_delivery}, {NULL, post_again_once}};
    struct bondy_timer timer;

    (void)state;
    mail_loop = make_loop();
    undelivered = 2;
    bondy_timer_init(&timer, count_early_timer);
    bondy_timer_start(bondy_loop_wheel(mail_loop), &timer, 0);
    bondy_loop_post(mail_loop, &mails[0]);
    bondy_loop_post(mail_loop, &mails[1]);
    bondy_loop_run_mail(mail_loop);
    assert_int_equal(undelivered, 0);
    bondy_timer_stop(bondy_loop_wheel(mail_loop), &timer);
    bondy_loop_destroy(mail_loop);
}

static void destroying_a_loop_runs_the_mail_that_is_left(void **state)
{
    struct bondy_mail mails[3] = {
        {NULL, count_delivery}, {NULL, count_delivery}, {NULL, count_delivery}};
    struct bondy_loop *loop = make_loop();

    (void)state;
    undelivered = 3;
    for (int i = 0; i < 3; i++)
        bondy_loop_post(loop, &mails[i]);
    bondy_loop_destroy(loop);
    assert_int_equal(undelivered, 0);
}

/* ---- turn ------------------------------------------------------------------------------------ */

static char story[64];

static void tell(char c)
{
    size_t len = strlen(story);

    assert_true(len + 1 < sizeof story);
    story[len] = c;
    story[len + 1] = '\0';
}

struct hook {
    struct bondy_flush flush;
    char letter;
    int busy; /* how often it will say that it made work */
};

static bool on_flush(struct bondy_flush *flush)
{
    struct hook *hook = BONDY_CONTAINER(flush, struct hook, flush);

    tell(hook->letter);
    return hook->busy-- > 0;
}

static void on_story_timer(struct bondy_timer *timer)
{
    (void)timer;
    tell('t');
}

static void on_story_mail(struct bondy_mail *mail)
{
    (void)mail;
    tell('m');
}

static void on_story_uv(uv_timer_t *handle)
{
    (void)handle;
    tell('u');
}

static void a_turn_runs_callbacks_then_mail_then_timers_then_hooks_by_rank(void **state)
{
    struct hook http = {{.rank = BONDY_FLUSH_HTTP, .fn = on_flush}, 'h', 0};
    struct hook router = {{.rank = BONDY_FLUSH_ROUTER, .fn = on_flush}, 'r', 0};
    struct hook transport = {{.rank = BONDY_FLUSH_TRANSPORT, .fn = on_flush}, 'x', 1};
    struct bondy_mail mail = {.run = on_story_mail};
    struct bondy_loop *loop = make_loop();
    struct bondy_timer timer;
    uv_timer_t uv_timer;

    (void)state;
    story[0] = '\0';
    bondy_loop_add_flush(loop, &http.flush);
    bondy_loop_add_flush(loop, &transport.flush);
    bondy_loop_add_flush(loop, &router.flush);
    bondy_timer_init(&timer, on_story_timer);
    bondy_timer_start(bondy_loop_wheel(loop), &timer, 0);
    bondy_loop_post(loop, &mail);
    uv_timer_init(bondy_loop_uv(loop), &uv_timer);
    uv_timer_start(&uv_timer, on_story_uv, 0, 0);
    bondy_loop_turn(loop, 0);
    assert_string_equal(story, "umtrhxrhx");
    uv_close((uv_handle_t *)&uv_timer, NULL);
    bondy_loop_destroy(loop);
}

static bool always_busy(struct bondy_flush *flush)
{
    (void)flush;
    tell('b');
    return true;
}

static void hooks_that_never_rest_get_eight_rounds_and_the_next_turn(void **state)
{
    struct bondy_flush busy = {.rank = 1, .fn = always_busy};
    struct bondy_loop *loop = make_loop();

    (void)state;
    story[0] = '\0';
    bondy_loop_add_flush(loop, &busy);
    bondy_loop_turn(loop, UINT64_MAX); /* would hang if it slept */
    assert_string_equal(story, "bbbbbbbb");
    bondy_loop_remove_flush(loop, &busy);
    bondy_loop_destroy(loop);
}

static struct bondy_loop *leaving_loop;
static struct bondy_flush leaving, left_too;

static bool leave_with_the_next(struct bondy_flush *flush)
{
    tell('l');
    bondy_loop_remove_flush(leaving_loop, flush);
    bondy_loop_remove_flush(leaving_loop, &left_too);
    return true;
}

static void a_hook_may_remove_itself_and_the_next(void **state)
{
    struct hook last = {{.rank = 9, .fn = on_flush}, 'z', 0};

    (void)state;
    story[0] = '\0';
    leaving_loop = make_loop();
    leaving = (struct bondy_flush){.rank = 1, .fn = leave_with_the_next};
    left_too = (struct bondy_flush){.rank = 2, .fn = always_busy};
    bondy_loop_add_flush(leaving_loop, &leaving);
    bondy_loop_add_flush(leaving_loop, &left_too);
    bondy_loop_add_flush(leaving_loop, &last.flush);
    bondy_loop_turn(leaving_loop, 0);
    assert_string_equal(story, "lzz");
    bondy_loop_destroy(leaving_loop);
}

static void asking_for_another_turn_skips_one_sleep(void **state)
{
    struct bondy_loop *loop = make_loop();

    (void)state;
    bondy_loop_again(loop);
    bondy_loop_turn(loop, UINT64_MAX); /* would hang if it slept */
    bondy_loop_destroy(loop);
}

struct pipe_watch {
    uv_poll_t poll;
    struct bondy_flush flush;
    int fds[2];
    bool is_armed;
    bool is_read;
};

static void on_pipe(uv_poll_t *handle, int status, int events)
{
    struct pipe_watch *watch = handle->data;

    (void)status;
    (void)events;
    watch->is_read = true;
    uv_poll_stop(handle);
    bondy_loop_again(bondy_loop_current());
}

static bool arm_in_flush(struct bondy_flush *flush)
{
    struct pipe_watch *watch = BONDY_CONTAINER(flush, struct pipe_watch, flush);

    if (!watch->is_armed)
        uv_poll_start(&watch->poll, UV_READABLE, on_pipe);
    watch->is_armed = true;
    return false;
}

/* libuv tells epoll about a new watcher only in uv_run(): the turn must not sleep in between. */
static void a_watcher_started_in_the_flush_is_heard(void **state)
{
    struct bondy_loop *loop = make_loop();
    struct pipe_watch watch = {.flush = {.rank = 1, .fn = arm_in_flush}};

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, watch.fds), 0);
    assert_int_equal(write(watch.fds[1], "x", 1), 1);
    uv_poll_init(bondy_loop_uv(loop), &watch.poll, watch.fds[0]);
    watch.poll.data = &watch;
    bondy_loop_add_flush(loop, &watch.flush);
    for (int i = 0; i < 3 && !watch.is_read; i++)
        bondy_loop_turn(loop, UINT64_MAX); /* would hang if it slept deaf */
    assert_true(watch.is_read);
    bondy_loop_remove_flush(loop, &watch.flush);
    uv_close((uv_handle_t *)&watch.poll, NULL);
    bondy_loop_destroy(loop);
    close(watch.fds[0]);
    close(watch.fds[1]);
}

static int fired;

static void on_fire(struct bondy_timer *timer)
{
    (void)timer;
    fired++;
}

static void timers_follow_the_clock(void **state)
{
    struct bondy_clock_source clock = {.mono_ns = UINT64_C(5000000000), .wall_ms = 1};
    struct bondy_loop *loop;
    struct bondy_timer timer;

    (void)state;
    bondy_clock_replace(&clock);
    loop = make_loop();
    fired = 0;
    bondy_timer_init(&timer, on_fire);
    bondy_timer_start(bondy_loop_wheel(loop), &timer, 600000);
    bondy_loop_turn(loop, 0);
    clock.mono_ns += UINT64_C(599999000000);
    bondy_loop_turn(loop, 0);
    assert_int_equal(fired, 0);
    clock.mono_ns += UINT64_C(1000000);
    bondy_loop_turn(loop, 0);
    assert_int_equal(fired, 1);
    assert_int_equal(bondy_loop_now_ms(loop), 605000);
    bondy_loop_destroy(loop);
    bondy_clock_replace(NULL);
}

static struct bondy_loop *sleepy_loop;

static void stop_sleepy(struct bondy_timer *timer)
{
    (void)timer;
    bondy_loop_stop(sleepy_loop);
}

static void a_timer_ends_the_sleep(void **state)
{
    uint64_t before = bondy_clock_mono_ms();
    struct bondy_timer timer;

    (void)state;
    sleepy_loop = make_loop();
    bondy_timer_init(&timer, stop_sleepy);
    bondy_timer_start(bondy_loop_wheel(sleepy_loop), &timer, 20);
    bondy_loop_run(sleepy_loop);
    assert_true(bondy_clock_mono_ms() - before >= 20);
    bondy_loop_destroy(sleepy_loop);
}

/* ---- published snapshots --------------------------------------------------------------------- */

struct snapshot {
    struct bondy_retired retired;
    int number;
    int check;
};

static struct snapshot *published;
static atomic_int snapshots_alive;
static atomic_bool readers_stop;

static struct snapshot *make_snapshot(int number)
{
    struct snapshot *snapshot = bondy_alloc(sizeof *snapshot);

    snapshot->number = number;
    snapshot->check = ~number;
    atomic_fetch_add(&snapshots_alive, 1);
    return snapshot;
}

static void free_snapshot(struct bondy_retired *retired)
{
    struct snapshot *snapshot = BONDY_CONTAINER(retired, struct snapshot, retired);

    snapshot->check = 0;
    bondy_free(snapshot);
    atomic_fetch_sub(&snapshots_alive, 1);
}

static bool read_snapshot(struct bondy_flush *flush)
{
    struct snapshot *snapshot = bondy_publish_get(published);

    (void)flush;
    for (int i = 0; i < 100; i++)
        assert_int_equal(snapshot->check, ~snapshot->number);
    bondy_loop_again(bondy_loop_current());
    return false;
}

static void *read_on_a_loop(void *context)
{
    struct bondy_flush reader = {.rank = 1, .fn = read_snapshot};
    struct bondy_loop *loop = context;

    bondy_loop_add_flush(loop, &reader);
    bondy_loop_run(loop);
    bondy_loop_remove_flush(loop, &reader);
    return NULL;
}

static void *read_on_a_plain_thread(void *context)
{
    (void)context;
    bondy_publish_thread_start();
    while (!atomic_load(&readers_stop)) {
        struct snapshot *snapshot = bondy_publish_get(published);

        assert_int_equal(snapshot->check, ~snapshot->number);
        bondy_publish_quiesce();
    }
    bondy_publish_thread_stop();
    return NULL;
}

static void a_snapshot_lives_until_its_last_reader_is_quiet(void **state)
{
    struct bondy_loop *loops[2] = {make_loop(), make_loop()};
    struct bondy_loop *idle = make_loop();
    pthread_t threads[4];

    (void)state;
    bondy_publish_thread_start();
    bondy_publish_set(published, make_snapshot(0));
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, read_on_a_loop, loops[i]);
    pthread_create(&threads[2], NULL, read_on_a_plain_thread, NULL);
    /* One loop sleeps all the time: it must not hold anything back. */
    pthread_create(&threads[3], NULL, run_court, idle);
    for (int i = 1; i <= 300; i++) {
        struct snapshot *old = published;

        bondy_publish_set(published, make_snapshot(i));
        bondy_publish_retire(&old->retired, free_snapshot);
        if (i % 50 == 0)
            bondy_publish_barrier_wait();
        bondy_publish_quiesce();
    }
    atomic_store(&readers_stop, true);
    for (int i = 0; i < 2; i++)
        bondy_loop_stop(loops[i]);
    bondy_loop_stop(idle);
    bondy_publish_idle();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    bondy_publish_busy();
    bondy_publish_barrier_wait();
    assert_int_equal(atomic_load(&snapshots_alive), 1);
    free_snapshot(&published->retired);
    bondy_publish_thread_stop();
    for (int i = 0; i < 2; i++)
        bondy_loop_destroy(loops[i]);
    bondy_loop_destroy(idle);
}

/* ---- pool ------------------------------------------------------------------------------------ */

struct sum {
    struct bondy_work work;
    pthread_t worker;
    int in;
    int out;
};

static struct bondy_loop *pool_loop;
static int sums_done;

static void add_up(struct bondy_work *work)
{
    struct sum *sum = BONDY_CONTAINER(work, struct sum, work);

    sum->worker = pthread_self();
    for (int i = 1; i <= sum->in; i++)
        sum->out += i;
}

static void check_sum(struct bondy_work *work)
{
    struct sum *sum = BONDY_CONTAINER(work, struct sum, work);

    assert_ptr_equal(bondy_loop_current(), pool_loop);
    assert_false(pthread_equal(sum->worker, pthread_self()));
    assert_int_equal(sum->out, sum->in * (sum->in + 1) / 2);
    if (++sums_done == 50)
        bondy_loop_stop(pool_loop);
}

static void work_is_done_elsewhere_and_comes_back(void **state)
{
    struct bondy_pool *pool = NULL;
    struct sum sums[50] = {0};

    (void)state;
    sums_done = 0;
    pool_loop = make_loop();
    assert_int_equal(bondy_pool_create(2, 100, 0, &pool, NULL), BONDY_OK);
    for (int i = 0; i < 50; i++) {
        sums[i].in = i;
        sums[i].work.run = add_up;
        sums[i].work.done = check_sum;
        assert_int_equal(bondy_pool_submit(pool, pool_loop, &sums[i].work, NULL), BONDY_OK);
    }
    bondy_loop_run(pool_loop);
    assert_int_equal(sums_done, 50);
    bondy_pool_destroy(pool);
    bondy_loop_destroy(pool_loop);
}

static void a_full_pool_refuses_and_takes_nothing(void **state)
{
    struct bondy_pool *pool = NULL;
    struct bondy_error err;
    struct sum sums[3] = {0};

    (void)state;
    sums_done = 0;
    pool_loop = make_loop();
    /* Without threads nothing is ever taken out of the queue. */
    assert_int_equal(bondy_pool_create(0, 2, 0, &pool, NULL), BONDY_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bondy_pool_submit(pool, pool_loop, &sums[i].work, &err),
                         i < 2 ? BONDY_OK : BONDY_ELIMIT);
    assert_null(sums[2].work.next);
    bondy_pool_destroy(pool);
    bondy_loop_destroy(pool_loop);
}

static void destroying_a_pool_finishes_what_is_queued(void **state)
{
    struct bondy_pool *pool = NULL;
    struct sum sums[20] = {0};

    (void)state;
    sums_done = 0;
    pool_loop = make_loop();
    assert_int_equal(bondy_pool_create(1, 100, 5, &pool, NULL), BONDY_OK);
    for (int i = 0; i < 20; i++) {
        sums[i].in = 1000;
        sums[i].work.run = add_up;
        sums[i].work.done = check_sum;
        bondy_pool_submit(pool, pool_loop, &sums[i].work, NULL);
    }
    bondy_pool_destroy(pool);
    bondy_loop_turn(pool_loop, 0);
    assert_int_equal(sums_done, 20);
    bondy_loop_destroy(pool_loop);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_signal(int number, void *context)
{
    tell(number == SIGHUP ? 'h' : number == SIGUSR1 ? '1' : '?');
    bondy_loop_stop(context);
}

static void signals_come_as_events_of_the_loop(void **state)
{
    static const int numbers[] = {SIGHUP, SIGUSR1};
    struct bondy_loop *loop = make_loop();
    struct bondy_signals *signals = NULL;

    (void)state;
    story[0] = '\0';
    bondy_signals_ignore_pipe();
    raise(SIGPIPE);
    assert_int_equal(
        bondy_signals_start(loop, numbers, BONDY_COUNT(numbers), on_signal, loop, &signals, NULL),
        BONDY_OK);
    raise(SIGUSR1);
    bondy_loop_run(loop);
    raise(SIGHUP);
    bondy_loop_run(loop);
    assert_string_equal(story, "1h");
    bondy_signals_stop(signals);
    bondy_loop_destroy(loop);
}

static void a_signal_that_cannot_be_caught_is_an_error(void **state)
{
    static const int numbers[] = {SIGHUP, SIGKILL};
    struct bondy_loop *loop = make_loop();
    struct bondy_signals *signals = NULL;

    (void)state;
    assert_int_equal(bondy_signals_start(loop, numbers, 2, on_signal, loop, &signals, NULL),
                     BONDY_EIO);
    bondy_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_of_several_threads_arrives_in_each_sender_s_order),
        cmocka_unit_test(a_sleeping_loop_is_always_woken),
        cmocka_unit_test(a_stop_that_comes_before_run_ends_it_at_once),
        cmocka_unit_test(mail_alone_can_be_run_to_the_last),
        cmocka_unit_test(destroying_a_loop_runs_the_mail_that_is_left),
        cmocka_unit_test(a_turn_runs_callbacks_then_mail_then_timers_then_hooks_by_rank),
        cmocka_unit_test(hooks_that_never_rest_get_eight_rounds_and_the_next_turn),
        cmocka_unit_test(a_hook_may_remove_itself_and_the_next),
        cmocka_unit_test(asking_for_another_turn_skips_one_sleep),
        cmocka_unit_test(a_watcher_started_in_the_flush_is_heard),
        cmocka_unit_test(timers_follow_the_clock),
        cmocka_unit_test(a_timer_ends_the_sleep),
        cmocka_unit_test(a_snapshot_lives_until_its_last_reader_is_quiet),
        cmocka_unit_test(work_is_done_elsewhere_and_comes_back),
        cmocka_unit_test(a_full_pool_refuses_and_takes_nothing),
        cmocka_unit_test(destroying_a_pool_finishes_what_is_queued),
        cmocka_unit_test(signals_come_as_events_of_the_loop),
        cmocka_unit_test(a_signal_that_cannot_be_caught_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

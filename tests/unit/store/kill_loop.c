/* SPDX-License-Identifier: Apache-2.0 */
/* kill_loop: what was acknowledged survives kill -9 at any moment.
 *
 * A child process writes numbered records, several in flight, and reports each acknowledged one
 * through a pipe. The parent kills it after a random number of reports, opens the store itself and
 * looks for every record that was reported. BONDY_KILL_ROUNDS says how often (60), BONDY_KILL_SEED
 * repeats a run. */
#include "tests/lib/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/store/store.h"

#define ROUNDS 60
#define IN_FLIGHT 8
#define RECORDS_A_ROUND 200

struct numbered {
    struct bondy_store_job job;
    uint32_t number;
    int pipe_fd;
};

static uint64_t seed;

static unsigned draw(unsigned limit)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % limit;
}

static struct bondy_store *open_at(const char *path)
{
    struct bondy_store_options options = {
        .path = path, .map_size = 1 << 20, .map_size_max = 1 << 28};
    struct bondy_store *store = NULL;
    struct bondy_error err;

    if (bondy_store_open(&options, &store, &err) < 0 || bondy_store_start(store, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return store;
}

static struct bondy_store_key key_of(const uint32_t *number)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_SETTING,
                                    .subkey = bondy_slice_of(number, sizeof *number)};
}

static int run_numbered(struct bondy_store_job *job, struct bondy_store_write *write,
                        struct bondy_error *err)
{
    struct numbered *numbered = BONDY_CONTAINER(job, struct numbered, job);
    struct bondy_store_key key = key_of(&numbered->number);
    struct bondy_store_value value = {.schema = 1, .body = BONDY_SLICE("\xf6")};

    return bondy_store_put(write, &key, &value, NULL, err);
}

static void report(struct bondy_store_job *job)
{
    struct numbered *numbered = BONDY_CONTAINER(job, struct numbered, job);

    if (job->rc == BONDY_OK &&
        write(numbered->pipe_fd, &numbered->number, sizeof numbered->number) < 0)
        _exit(1);
    bondy_free(numbered);
}

static void write_until_killed(const char *path, uint32_t first, int pipe_fd)
{
    struct bondy_store *store = open_at(path);

    for (uint32_t number = first; number < first + RECORDS_A_ROUND * 100; number++) {
        struct numbered *numbered = bondy_zalloc(sizeof *numbered);

        numbered->job.run = run_numbered;
        numbered->job.done = report;
        numbered->number = number;
        numbered->pipe_fd = pipe_fd;
        if (number % IN_FLIGHT != 0) {
            bondy_store_submit(store, &numbered->job);
            continue;
        }
        bondy_store_run_wait(store, &numbered->job, NULL);
        report(&numbered->job);
    }
    for (;;)
        pause();
}

static int read_all(int fd, uint32_t *number)
{
    ssize_t got;

    do
        got = read(fd, number, sizeof *number);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *number;
}

struct check {
    struct bondy_store_job job;
    const uint32_t *numbers;
    size_t count, missing;
};

static int run_check(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct check *check = BONDY_CONTAINER(job, struct check, job);
    struct bondy_record record;

    (void)err;
    for (size_t i = 0; i < check->count; i++) {
        struct bondy_store_key key = key_of(&check->numbers[i]);

        check->missing += !bondy_store_get(write, &key, &record);
    }
    return BONDY_OK;
}

/* Appends what the child reported until it died; returns the new count. */
static size_t one_round(const char *path, uint32_t first, uint32_t *reported, size_t count)
{
    unsigned wanted = 1 + draw(RECORDS_A_ROUND);
    int fds[2];
    pid_t child;
    uint32_t number;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        close(fds[0]);
        write_until_killed(path, first, fds[1]);
    }
    close(fds[1]);
    for (unsigned i = 0; i < wanted && read_all(fds[0], &number); i++)
        reported[count++] = number;
    kill(child, SIGKILL);
    while (read_all(fds[0], &number))
        reported[count++] = number;
    close(fds[0]);
    waitpid(child, NULL, 0);
    return count;
}

static void nothing_acknowledged_is_lost_by_kill_9(void **state)
{
    const char *rounds_text = getenv("BONDY_KILL_ROUNDS");
    unsigned rounds = rounds_text == NULL ? ROUNDS : (unsigned)strtoul(rounds_text, NULL, 10);
    uint32_t *reported = bondy_calloc((size_t)rounds * RECORDS_A_ROUND * 101, sizeof *reported);
    char *folder = bondy_test_mkdir();
    char path[512];
    size_t count = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/store", folder);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < rounds; round++) {
        struct check check = {.job = {.run = run_check}, .numbers = reported};
        struct bondy_store *store;

        count = one_round(path, round * RECORDS_A_ROUND * 100, reported, count);
        store = open_at(path);
        check.count = count;
        assert_int_equal(bondy_store_run_wait(store, &check.job, NULL), BONDY_OK);
        bondy_store_close(store);
        assert_int_equal(check.missing, 0);
    }
    print_message("%u rounds, %zu acknowledged records, none lost\n", rounds, count);
    assert_true(count >= rounds);
    bondy_free(reported);
    bondy_test_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_kill_9),
    };
    const char *text = getenv("BONDY_KILL_SEED");

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    seed = text == NULL ? bondy_id_random() : strtoull(text, NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

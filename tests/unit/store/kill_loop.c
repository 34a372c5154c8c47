/* SPDX-License-Identifier: Apache-2.0 */
/* kill_loop: what was acknowledged survives kill -9 at any moment, and what is one job is there
 * whole or not at all.
 *
 * A child process runs numbered jobs, several in flight, and reports each acknowledged one through
 * a pipe. Most are like an admin call: a user, its elements and grants in one job; the others write
 * one record. The parent kills the child after a random number of reports, opens the store itself,
 * looks for every job that was reported, and for jobs of which only a part is there.
 * BONDY_KILL_ROUNDS says how often (60), BONDY_KILL_SEED repeats a run. */
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
#define JOBS_A_ROUND 200
#define NUMBERS_A_ROUND (JOBS_A_ROUND * 100) /* a child is dead long before it runs out of them */
#define PARTS_MAX 12
#define WHOLE_CHECK_EVERY 100 /* rounds between two looks at everything that was ever reported */

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

/* How many records a job of this number writes. */
static unsigned parts_of(uint32_t number)
{
    return number % 4 == 0 ? 1 : 3 + number % (PARTS_MAX - 3);
}

static uint32_t round_of(uint32_t number)
{
    return number / NUMBERS_A_ROUND;
}

struct part_key {
    char realm[16], subkey[64];
    struct bondy_store_key key;
};

/* Part 0 is the user, the last is a grant, those between are elements. */
static void make_key(uint32_t number, unsigned part, struct part_key *out)
{
    int len;

    snprintf(out->realm, sizeof out->realm, "r%u", round_of(number));
    out->key =
        (struct bondy_store_key){.type = BONDY_RECORD_USER, .scope = bondy_slice_text(out->realm)};
    if (part == 0) {
        len = snprintf(out->subkey, sizeof out->subkey, "u%u", number);
    } else if (part + 1 == parts_of(number)) {
        out->key.type = BONDY_RECORD_GRANT;
        len = snprintf(out->subkey, sizeof out->subkey, "u_u%u_0000_exact_com", number);
    } else {
        out->key.type = BONDY_RECORD_USER_ELEMENT;
        len = snprintf(out->subkey, sizeof out->subkey, "u%u_0000_g_%u", number, part);
    }
    for (int i = 0; i < len; i++)
        if (out->subkey[i] == '_')
            out->subkey[i] = '\0';
    out->key.subkey = bondy_slice_of(out->subkey, (size_t)len);
}

static int run_numbered(struct bondy_store_job *job, struct bondy_store_write *write,
                        struct bondy_error *err)
{
    struct numbered *numbered = BONDY_CONTAINER(job, struct numbered, job);
    struct bondy_store_value value = {.schema = 1, .body = BONDY_SLICE("\xf6")};
    struct part_key part;
    int rc = BONDY_OK;

    for (unsigned i = 0; i < parts_of(numbered->number) && rc == BONDY_OK; i++) {
        make_key(numbered->number, i, &part);
        rc = bondy_store_put(write, &part.key, &value, NULL, err);
    }
    return rc;
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

    for (uint32_t number = first; number < first + NUMBERS_A_ROUND; number++) {
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

/* ---- afterwards -------------------------------------------------------------------------------
 */

static size_t count_missing(const struct bondy_store_view *view, const uint32_t *numbers,
                            size_t count)
{
    struct bondy_record record;
    struct part_key part;
    size_t missing = 0;

    for (size_t i = 0; i < count; i++)
        for (unsigned j = 0; j < parts_of(numbers[i]); j++) {
            make_key(numbers[i], j, &part);
            missing += !bondy_store_view_get(view, &part.key, &record);
        }
    return missing;
}

struct census {
    uint32_t first;
    uint8_t parts[NUMBERS_A_ROUND];
};

static int count_part(void *context, const struct bondy_record *record)
{
    struct census *census = context;
    const char *digits = record->key.subkey.data + (record->key.type == BONDY_RECORD_GRANT ? 3 : 1);
    char text[16] = "";
    size_t room = record->key.subkey.len - (size_t)(digits - record->key.subkey.data);

    memcpy(text, digits, room < sizeof text - 1 ? room : sizeof text - 1);
    census->parts[(uint32_t)strtoul(text, NULL, 10) - census->first]++;
    return 0;
}

/* Jobs of a round of which a part is there and a part is not; *whole: jobs that are there. */
static size_t count_torn(const struct bondy_store_view *view, uint32_t round, size_t *whole)
{
    static const enum bondy_record_type types[] = {BONDY_RECORD_USER, BONDY_RECORD_USER_ELEMENT,
                                                   BONDY_RECORD_GRANT};
    struct census *census = bondy_zalloc(sizeof *census);
    char realm[16];
    size_t torn = 0;

    *whole = 0;
    census->first = round * NUMBERS_A_ROUND;
    snprintf(realm, sizeof realm, "r%u", round);
    for (size_t i = 0; i < BONDY_COUNT(types); i++) {
        const struct bondy_store_range range = {
            .type = types[i], .scope = bondy_slice_text(realm), .is_any_gen = true};

        bondy_store_view_scan(view, &range, count_part, census);
    }
    for (uint32_t i = 0; i < NUMBERS_A_ROUND; i++) {
        torn += census->parts[i] != 0 && census->parts[i] != parts_of(census->first + i);
        *whole += census->parts[i] == parts_of(census->first + i);
    }
    bondy_free(census);
    return torn;
}

struct tally {
    uint32_t *reported;
    size_t count;      /* of them */
    size_t unreported; /* jobs that were on disk when the child died before it could say so */
    size_t records;
};

/* Opens the store as a daemon would after a crash, and looks. */
static void check_round(const char *path, struct tally *tally, uint32_t round, size_t first)
{
    bool is_whole_check = round % WHOLE_CHECK_EVERY == WHOLE_CHECK_EVERY - 1;
    struct bondy_store *store = open_at(path);
    struct bondy_store_view *view;
    size_t whole, from = is_whole_check ? 0 : first;

    assert_int_equal(bondy_store_view_begin(store, &view, NULL), BONDY_OK);
    assert_int_equal(count_missing(view, tally->reported + from, tally->count - from), 0);
    assert_int_equal(count_torn(view, round, &whole), 0);
    bondy_store_view_end(view);
    bondy_store_close(store);
    tally->unreported += whole - (tally->count - first);
    for (size_t i = first; i < tally->count; i++)
        tally->records += parts_of(tally->reported[i]);
}

/* Appends what the child reported until it died; returns the new count. */
static size_t one_round(const char *path, uint32_t first, uint32_t *reported, size_t count)
{
    unsigned wanted = 1 + draw(JOBS_A_ROUND);
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

static void nothing_acknowledged_is_lost_or_torn_by_kill_9(void **state)
{
    const char *rounds_text = getenv("BONDY_KILL_ROUNDS");
    unsigned rounds = rounds_text == NULL ? ROUNDS : (unsigned)strtoul(rounds_text, NULL, 10);
    struct tally tally = {.reported =
                              bondy_calloc((size_t)rounds * NUMBERS_A_ROUND, sizeof(uint32_t))};
    char *folder = bondy_test_mkdir();
    struct bondy_store *store;
    struct bondy_store_view *view;
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/store", folder);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < rounds; round++) {
        size_t first = tally.count;

        tally.count = one_round(path, round * NUMBERS_A_ROUND, tally.reported, tally.count);
        check_round(path, &tally, round, first);
    }
    store = open_at(path);
    assert_int_equal(bondy_store_view_begin(store, &view, NULL), BONDY_OK);
    assert_int_equal(count_missing(view, tally.reported, tally.count), 0);
    bondy_store_view_end(view);
    bondy_store_close(store);
    print_message(
        "%u rounds, %zu acknowledged jobs of %zu records, none lost; %zu more were there, "
        "none torn\n",
        rounds, tally.count, tally.records, tally.unreported);
    assert_true(tally.count >= rounds);
    bondy_free(tally.reported);
    bondy_test_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_or_torn_by_kill_9),
    };
    const char *text = getenv("BONDY_KILL_SEED");

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    seed = text == NULL ? bondy_id_random() : strtoull(text, NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

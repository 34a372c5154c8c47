/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/store/backup.h"

/* operations.md, O7: copies and restores while writes go on, in a store that grows meanwhile. */

#define PAIRS 1500
#define RESTORED 3000
#define BACKUPS_MAX 64

struct load {
    struct store_rig *rig;
    unsigned written; /* by the thread; read when it has ended */
    atomic_bool is_done, stops;
};

static int setup(void **state)
{
    struct store_rig *rig = bondy_alloc(sizeof *rig);

    store_rig_init(rig, 1 << 18);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_fini(*state);
    bondy_free(*state);
    return 0;
}

static char *make_backup(struct store_rig *rig)
{
    struct bondy_backup_options options = {.dir = rig->dir};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup *backup = NULL;
    struct bondy_error err = {0};
    char *path;

    if (bondy_backup_begin_wait(rig->store, &options, &backup, &err) < 0 ||
        bondy_backup_run_wait(backup, &progress, &err) < 0)
        fail_msg("%s", err.text);
    path = bondy_strdup(bondy_backup_path(backup));
    bondy_backup_destroy(backup);
    return path;
}

static void restore(struct store_rig *rig, const char *path)
{
    struct bondy_backup_restore options = {
        .source = {.dir = rig->dir, .filename = bondy_slice_text(path)}};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;
    struct bondy_error err = {0};

    if (bondy_backup_restore_wait(rig->store, &options, &progress, &report, &err) < 0)
        fail_msg("%s", err.text);
}

static void *write_pairs(void *context)
{
    struct load *load = context;
    char left[16], right[16], text[600];

    memset(text, 'p', sizeof text);
    text[sizeof text - 1] = '\0';
    for (unsigned i = 0; i < PAIRS; i++) {
        snprintf(left, sizeof left, "a%u", i * 7919 % PAIRS);
        snprintf(right, sizeof right, "b%u", i * 7919 % PAIRS);
        if (store_rig_write(
                load->rig,
                (const struct store_word[]){
                    {BONDY_RECORD_SETTING, .subkey = bondy_slice_text(left), .text = text},
                    {BONDY_RECORD_SETTING, .subkey = bondy_slice_text(right), .text = text}},
                2) == BONDY_OK)
            load->written++;
    }
    atomic_store(&load->is_done, true);
    return NULL;
}

static int count_side(void *context, const struct bondy_record *record)
{
    unsigned *sides = context;

    sides[record->key.subkey.data[0] == 'a' ? 0 : record->key.subkey.data[0] == 'b' ? 1 : 2]++;
    return 0;
}

static void count_sides(struct store_rig *rig, unsigned sides[3])
{
    memset(sides, 0, 3 * sizeof *sides);
    bondy_store_scan_wait(rig->store, BONDY_RECORD_SETTING, BONDY_SLICE_EMPTY, count_side, sides);
}

static void a_copy_shows_one_moment_while_writes_go_on(void **state)
{
    struct store_rig *rig = *state;
    struct load load = {.rig = rig};
    char *paths[BACKUPS_MAX];
    unsigned count = 0, sides[3], last = 0;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, write_pairs, &load), 0);
    while (!atomic_load(&load.is_done) && count < BACKUPS_MAX - 1)
        paths[count++] = make_backup(rig);
    pthread_join(thread, NULL);
    assert_int_equal(load.written, PAIRS);
    paths[count++] = make_backup(rig);
    for (unsigned i = 0; i < count; i++) {
        store_rig_wipe(rig);
        restore(rig, paths[i]);
        count_sides(rig, sides);
        assert_int_equal(sides[0], sides[1]);
        assert_true(sides[0] >= last);
        last = sides[0];
        bondy_free(paths[i]);
    }
    assert_int_equal(last, PAIRS);
}

static void *write_until_stopped(void *context)
{
    struct load *load = context;
    char name[16];

    while (!atomic_load(&load->stops)) {
        snprintf(name, sizeof name, "w%u", load->written);
        if (store_rig_write(
                load->rig,
                (const struct store_word[]){
                    {BONDY_RECORD_SETTING, .subkey = bondy_slice_text(name), .text = "written"}},
                1) == BONDY_OK)
            load->written++;
    }
    return NULL;
}

static void a_restore_under_load_loses_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct load load = {.rig = rig};
    struct bondy_buf names = BONDY_BUF_EMPTY;
    struct store_word *words = bondy_calloc(RESTORED, sizeof *words);
    unsigned sides[3];
    pthread_t thread;
    char *path;

    for (unsigned i = 0; i < RESTORED; i++)
        bondy_buf_printf(&names, "a%05u", i);
    for (unsigned i = 0; i < RESTORED; i++)
        words[i] = (struct store_word){BONDY_RECORD_SETTING,
                                       .subkey = bondy_slice_of(names.data + (size_t)i * 6, 6),
                                       .text = "restored"};
    assert_int_equal(store_rig_write(rig, words, RESTORED), BONDY_OK);
    path = make_backup(rig);
    store_rig_wipe(rig);
    assert_int_equal(pthread_create(&thread, NULL, write_until_stopped, &load), 0);
    for (int i = 0; i < 3; i++)
        restore(rig, path);
    atomic_store(&load.stops, true);
    pthread_join(thread, NULL);
    store_rig_reopen(rig);
    count_sides(rig, sides);
    assert_int_equal(sides[0], RESTORED);
    assert_int_equal(sides[2], load.written);
    bondy_free(words);
    bondy_buf_fini(&names);
    bondy_free(path);
}

struct flood {
    struct bondy_store_job job;
    unsigned count; /* records of 4 KiB */
    atomic_bool is_done;
};

static int run_flood(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    char body[4100] = "\x59\x10";
    int rc = BONDY_OK;

    for (unsigned i = 0; i < BONDY_CONTAINER(job, struct flood, job)->count && rc == BONDY_OK;
         i++) {
        const struct bondy_store_key key = {.type = BONDY_RECORD_SETTING,
                                            .subkey = bondy_slice_of(&i, sizeof i)};
        const struct bondy_store_value value = {.schema = 1,
                                                .body = bondy_slice_of(body, 3 + 4096)};

        rc = bondy_store_put(write, &key, &value, NULL, err);
    }
    return rc;
}

static void flood_is_done(struct bondy_store_job *job)
{
    atomic_store(&BONDY_CONTAINER(job, struct flood, job)->is_done, true);
}

static void *end_other_views(void *context)
{
    struct store_rig *rig = context;
    struct bondy_store_view *view;

    assert_int_equal(bondy_store_view_begin(rig->store, &view, NULL), BONDY_OK);
    bondy_store_view_end(view);
    return NULL;
}

/* The store has to grow: a view that is open is told, new ones of other threads wait for the growth
 * and not the other way round, a second one of the same thread does not. */
static void a_view_is_told_when_writers_wait_for_it(void **state)
{
    struct store_rig *rig = *state;
    struct flood flood = {.job = {.run = run_flood, .done = flood_is_done}, .count = 200};
    struct bondy_store_view *view, *second;
    pthread_t thread;

    assert_int_equal(bondy_store_view_begin(rig->store, &view, NULL), BONDY_OK);
    assert_false(bondy_store_view_is_in_the_way(view));
    bondy_store_submit(rig->store, &flood.job);
    while (!bondy_store_view_is_in_the_way(view))
        sched_yield();
    assert_false(atomic_load(&flood.is_done));
    assert_int_equal(pthread_create(&thread, NULL, end_other_views, rig), 0);
    assert_int_equal(bondy_store_view_begin(rig->store, &second, NULL), BONDY_OK);
    bondy_store_view_end(second);
    bondy_store_view_end(view);
    pthread_join(thread, NULL);
    while (!atomic_load(&flood.is_done))
        sched_yield();
    assert_int_equal(flood.job.rc, BONDY_OK);
}

static void put_many(struct store_rig *rig, unsigned count)
{
    struct bondy_buf names = BONDY_BUF_EMPTY;
    struct store_word *words = bondy_calloc(count, sizeof *words);

    for (unsigned i = 0; i < count; i++)
        bondy_buf_printf(&names, "m%07u", i);
    for (unsigned i = 0; i < count; i++)
        words[i] = (struct store_word){BONDY_RECORD_SETTING,
                                       .subkey = bondy_slice_of(names.data + (size_t)i * 8, 8),
                                       .text = "one of many"};
    assert_int_equal(store_rig_write(rig, words, count), BONDY_OK);
    bondy_free(words);
    bondy_buf_fini(&names);
}

struct copying {
    struct bondy_backup *backup;
    struct bondy_backup_progress progress;
    int rc;
};

static void *run_copy(void *context)
{
    struct copying *copying = context;

    copying->rc = bondy_backup_run_wait(copying->backup, &copying->progress, NULL);
    return NULL;
}

/* The flood needs a greater map, and comes when the copy has begun. On a machine that stalls the
 * copy may be over first: then once more, with a flood that needs more. */
static void a_copy_starts_again_when_the_store_has_to_grow(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_options options = {.dir = rig->dir};
    unsigned restarts = 0;

    put_many(rig, 60000);
    for (unsigned count = 8000; restarts == 0 && count <= 64000; count *= 2) {
        struct flood flood = {.job = {.run = run_flood, .done = flood_is_done}, .count = count};
        struct copying copying = {.rc = 1};
        struct bondy_backup_source source = {.dir = rig->dir};
        struct bondy_backup_report report;
        struct bondy_backup_progress progress = {0};
        pthread_t thread;

        assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &copying.backup, NULL),
                         BONDY_OK);
        assert_int_equal(pthread_create(&thread, NULL, run_copy, &copying), 0);
        while (atomic_load(&copying.progress.read) == 0)
            sched_yield();
        bondy_store_submit(rig->store, &flood.job);
        pthread_join(thread, NULL);
        while (!atomic_load(&flood.is_done))
            sched_yield();
        assert_int_equal(copying.rc, BONDY_OK);
        assert_int_equal(flood.job.rc, BONDY_OK);
        source.filename = bondy_slice_text(bondy_backup_path(copying.backup));
        assert_int_equal(bondy_backup_verify_wait(&source, &progress, &report, NULL), BONDY_OK);
        assert_true(report.records >= 60000);
        restarts = atomic_load(&copying.progress.restarts);
        bondy_backup_destroy(copying.backup);
    }
    assert_true(restarts > 0);
}

/* This thread has a view that the growth waits for all the time, so that each try is in the way. */
static void a_copy_that_is_always_in_the_way_gives_up(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_options options = {.dir = rig->dir};
    struct bondy_backup_progress progress = {0};
    struct flood flood = {.job = {.run = run_flood, .done = flood_is_done}, .count = 2000};
    struct bondy_store_view *view;
    struct bondy_backup *backup;
    json_t *list;

    put_many(rig, 1000);
    assert_int_equal(bondy_store_view_begin(rig->store, &view, NULL), BONDY_OK);
    bondy_store_submit(rig->store, &flood.job);
    while (!bondy_store_view_is_in_the_way(view))
        sched_yield();
    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &backup, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_run_wait(backup, &progress, NULL), BONDY_ESTATE);
    assert_true(atomic_load(&progress.restarts) > 1);
    bondy_backup_destroy(backup);
    bondy_store_view_end(view);
    while (!atomic_load(&flood.is_done))
        sched_yield();
    assert_int_equal(flood.job.rc, BONDY_OK);
    assert_int_equal(bondy_backup_list_wait(rig->dir, &list, NULL), BONDY_OK);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_shows_one_moment_while_writes_go_on),
        TEST(a_restore_under_load_loses_nothing),
        TEST(a_view_is_told_when_writers_wait_for_it),
        TEST(a_copy_starts_again_when_the_store_has_to_grow),
        TEST(a_copy_that_is_always_in_the_way_gives_up),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

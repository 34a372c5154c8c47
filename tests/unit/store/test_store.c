/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/store/store.h"
#include "src/sys/publish.h"

struct fixture {
    char *folder;
    struct bondy_store *store;
    struct bondy_store_options options;
    struct bondy_buf feed; /* what the change feed was told, as text */
};

static void on_change(void *context, const struct bondy_change *change)
{
    struct fixture *f = context;

    bondy_buf_printf(&f->feed, "%s%s:" BONDY_SLICE_FMT "=" BONDY_SLICE_FMT " ",
                     change->before == NULL ? "+" : "~", change->now.is_tombstone ? "gone" : "put",
                     BONDY_SLICE_ARG(change->now.key.subkey), BONDY_SLICE_ARG(change->now.body));
}

static void on_commit(void *context)
{
    bondy_buf_append_text(&((struct fixture *)context)->feed, "| ");
}

static void open_store(struct fixture *f)
{
    struct bondy_error err = {0};

    if (bondy_store_open(&f->options, &f->store, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(bondy_store_start(f->store, &err), BONDY_OK);
}

static int setup(void **state)
{
    struct fixture *f = bondy_zalloc(sizeof *f);
    char path[512];

    f->folder = bondy_test_mkdir();
    snprintf(path, sizeof path, "%s/store", f->folder);
    f->options = (struct bondy_store_options){.path = bondy_strdup(path),
                                              .map_size = 1 << 20,
                                              .map_size_max = 1 << 26,
                                              .on_change = on_change,
                                              .on_commit = on_commit,
                                              .context = f};
    open_store(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    bondy_store_close(f->store);
    bondy_test_rmdir(f->folder);
    bondy_free((char *)(uintptr_t)f->options.path);
    bondy_buf_fini(&f->feed);
    bondy_free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    bondy_store_close(f->store);
    f->store = NULL;
    open_store(f);
}

/* One job that does one of the things below. */
struct step {
    struct bondy_store_job job;
    enum { STEP_PUT, STEP_DELETE, STEP_GET, STEP_FAIL, STEP_NEXT_GEN, STEP_BUILTIN } what;
    struct bondy_store_key key;
    const char *body;
    uint32_t gen;
    uint64_t expires_ms;
    const uint8_t *expected;
    char found[256];
    uint8_t version[BONDY_VERSION_LEN];
    bool has_found;
};

static int run_step(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct step *step = BONDY_CONTAINER(job, struct step, job);
    struct bondy_store_value value = {.schema = 1,
                                      .gen = step->gen,
                                      .expires_ms = step->expires_ms,
                                      .body = bondy_slice_text(step->body)};
    struct bondy_record record;
    int rc;

    switch (step->what) {
    case STEP_PUT:
        return bondy_store_put(write, &step->key, &value, step->expected, err);
    case STEP_BUILTIN:
        return bondy_store_put_builtin(write, &step->key, &value, 1, err);
    case STEP_DELETE:
        return bondy_store_delete(write, &step->key, step->expected, err);
    case STEP_NEXT_GEN:
        step->gen = bondy_store_next_gen(write, &step->key);
        return BONDY_OK;
    case STEP_FAIL:
        rc = bondy_store_put(write, &step->key, &value, NULL, err);
        assert_int_equal(rc, BONDY_OK);
        return bondy_fail(err, BONDY_EINVAL, "changed its mind");
    case STEP_GET:
        step->has_found = bondy_store_get(write, &step->key, &record);
        if (step->has_found) {
            snprintf(step->found, sizeof step->found, BONDY_SLICE_FMT,
                     BONDY_SLICE_ARG(record.body));
            memcpy(step->version, record.version, BONDY_VERSION_LEN);
            step->gen = record.gen;
        }
        return BONDY_OK;
    }
    return BONDY_EINVAL;
}

static struct bondy_store_key key_of(const char *subkey)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_SETTING,
                                    .subkey = bondy_slice_text(subkey)};
}

static int do_step(struct fixture *f, struct step *step)
{
    step->job.run = run_step;
    return bondy_store_run_wait(f->store, &step->job, NULL);
}

static int put(struct fixture *f, const char *subkey, const char *body)
{
    struct step step = {.what = STEP_PUT, .key = key_of(subkey), .body = body};

    return do_step(f, &step);
}

static struct step get(struct fixture *f, const char *subkey)
{
    struct step step = {.what = STEP_GET, .key = key_of(subkey)};

    assert_int_equal(do_step(f, &step), BONDY_OK);
    return step;
}

static void what_was_acknowledged_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, "a", "one"), BONDY_OK);
    assert_int_equal(put(f, "a", "two"), BONDY_OK);
    reopen(f);
    assert_string_equal(get(f, "a").found, "two");
    assert_slice_is(bondy_buf_slice(&f->feed), "+put:a=one | ~put:a=two | ");
}

static void a_failed_job_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = STEP_FAIL, .key = key_of("x"), .body = "never"};

    assert_int_equal(do_step(f, &step), BONDY_EINVAL);
    assert_string_equal(step.job.err.text, "changed its mind");
    assert_false(get(f, "x").has_found);
    assert_int_equal(f->feed.len, 0);
}

static void a_write_that_expects_another_version_conflicts(void **state)
{
    struct fixture *f = *state;
    struct step seen, late = {.what = STEP_PUT, .key = key_of("a"), .body = "late"};
    struct step gone = {.what = STEP_DELETE, .key = key_of("a")};

    put(f, "a", "one");
    seen = get(f, "a");
    late.expected = seen.version;
    put(f, "a", "two");
    assert_int_equal(do_step(f, &late), BONDY_ECONFLICT);
    gone.expected = seen.version;
    assert_int_equal(do_step(f, &gone), BONDY_ECONFLICT);
    seen = get(f, "a");
    late.expected = seen.version;
    assert_int_equal(do_step(f, &late), BONDY_OK);
}

/* cluster.md B2.4: what is created again is a new generation. */
static void recreation_after_deletion_gives_the_next_generation(void **state)
{
    struct fixture *f = *state;
    struct step next = {.what = STEP_NEXT_GEN, .key = key_of("realm")};
    struct step gone = {.what = STEP_DELETE, .key = key_of("realm")};
    struct step made = {.what = STEP_PUT, .key = key_of("realm"), .body = "again", .gen = 1};

    do_step(f, &next);
    assert_int_equal(next.gen, 0);
    put(f, "realm", "first");
    do_step(f, &next);
    assert_int_equal(next.gen, 0);
    assert_int_equal(do_step(f, &gone), BONDY_OK);
    assert_int_equal(do_step(f, &gone), BONDY_ENOENT);
    do_step(f, &next);
    assert_int_equal(next.gen, 1);
    assert_int_equal(do_step(f, &made), BONDY_OK);
    assert_int_equal(get(f, "realm").gen, 1);
}

static void what_is_expired_is_hidden(void **state)
{
    struct fixture *f = *state;
    struct step soon = {.what = STEP_PUT, .key = key_of("t"), .body = "ticket", .expires_ms = 1};
    struct step later = {
        .what = STEP_PUT, .key = key_of("u"), .body = "ticket", .expires_ms = UINT64_C(1) << 45};

    do_step(f, &soon);
    do_step(f, &later);
    assert_false(get(f, "t").has_found);
    assert_true(get(f, "u").has_found);
}

/* cluster.md B2.5: built-in defaults lose to any write. */
static void a_builtin_record_has_the_least_version(void **state)
{
    struct fixture *f = *state;
    struct step builtin = {.what = STEP_BUILTIN, .key = key_of("b"), .body = "default"};
    static const uint8_t least[BONDY_VERSION_LEN] = {0, 0, 0, 0, 0, 1, 0, 1};

    do_step(f, &builtin);
    assert_memory_equal(get(f, "b").version, least, sizeof least);
}

static int count_one(void *context, const struct bondy_record *record)
{
    struct bondy_buf *names = context;

    bondy_buf_printf(names, BONDY_SLICE_FMT " ", BONDY_SLICE_ARG(record->key.subkey));
    return 0;
}

static void scan_gives_live_records_of_a_scope_in_order(void **state)
{
    struct fixture *f = *state;
    struct bondy_buf names = BONDY_BUF_EMPTY;
    static const char *const subkeys[] = {"b", "a", "c", "gone"};
    struct step step = {.what = STEP_PUT, .body = "x"};

    for (int scope = 0; scope < 2; scope++)
        for (size_t i = 0; i < BONDY_COUNT(subkeys); i++) {
            step.key = (struct bondy_store_key){.type = BONDY_RECORD_GRANT,
                                                .scope = bondy_slice_text(scope ? "one" : "two"),
                                                .subkey = bondy_slice_text(subkeys[i])};
            do_step(f, &step);
        }
    step.what = STEP_DELETE;
    do_step(f, &step);
    bondy_store_scan_wait(f->store, BONDY_RECORD_GRANT, BONDY_SLICE("one"), count_one, &names);
    assert_slice_is(bondy_buf_slice(&names), "a b c ");
    bondy_buf_fini(&names);
}

static void a_long_subkey_comes_back_whole(void **state)
{
    struct fixture *f = *state;
    struct bondy_buf names = BONDY_BUF_EMPTY;
    char name[601];

    memset(name, 'n', 600);
    name[600] = '\0';
    assert_int_equal(put(f, name, "long"), BONDY_OK);
    name[599] = 'm';
    assert_false(get(f, name).has_found);
    name[599] = 'n';
    assert_string_equal(get(f, name).found, "long");
    bondy_store_scan_wait(f->store, BONDY_RECORD_SETTING, BONDY_SLICE_EMPTY, count_one, &names);
    assert_int_equal(names.len, 601);
    bondy_buf_fini(&names);
}

struct parallel {
    struct step step;
    bool is_done; /* read after the store is closed */
};

static void note_done(struct bondy_store_job *job)
{
    BONDY_CONTAINER(job, struct parallel, step.job)->is_done = true;
}

/* A job that does not fit loses only itself, whatever was committed together with it. */
static void a_job_that_does_not_fit_leaves_its_batch_alone(void **state)
{
    struct fixture *f = *state;
    struct parallel jobs[9] = {0};
    char *huge = bondy_alloc((8 << 20) + 1);
    char names[9][8];

    memset(huge, 'x', 8 << 20);
    huge[8 << 20] = '\0';
    bondy_store_close(f->store);
    f->options.map_size_max = 4 << 20;
    assert_int_equal(bondy_store_open(&f->options, &f->store, NULL), BONDY_OK);
    for (int i = 0; i < 9; i++) {
        snprintf(names[i], sizeof names[i], "job%d", i);
        jobs[i].step = (struct step){.what = STEP_PUT, .key = key_of(names[i])};
        jobs[i].step.body = i == 4 ? huge : "small";
        jobs[i].step.job.run = run_step;
        jobs[i].step.job.done = note_done;
        bondy_store_submit(f->store, &jobs[i].step.job);
    }
    /* They waited for the writer, so they are one batch. */
    assert_int_equal(bondy_store_start(f->store, NULL), BONDY_OK);
    reopen(f);
    for (int i = 0; i < 9; i++) {
        assert_true(jobs[i].is_done);
        assert_int_equal(jobs[i].step.job.rc, i == 4 ? BONDY_ELIMIT : BONDY_OK);
        assert_true(get(f, names[i]).has_found == (i != 4));
    }
    bondy_free(huge);
}

static void a_failed_job_leaves_its_batch_alone(void **state)
{
    struct fixture *f = *state;
    struct parallel jobs[3] = {0};
    static const char *const names[] = {"one", "two", "three"};

    bondy_store_close(f->store);
    assert_int_equal(bondy_store_open(&f->options, &f->store, NULL), BONDY_OK);
    for (int i = 0; i < 3; i++) {
        jobs[i].step = (struct step){
            .what = i == 1 ? STEP_FAIL : STEP_PUT, .key = key_of(names[i]), .body = "body"};
        jobs[i].step.job.run = run_step;
        jobs[i].step.job.done = note_done;
        bondy_store_submit(f->store, &jobs[i].step.job);
    }
    assert_int_equal(bondy_store_start(f->store, NULL), BONDY_OK);
    reopen(f);
    /* One commit for all, and the feed was told in order. */
    assert_slice_is(bondy_buf_slice(&f->feed), "+put:one=body +put:three=body | ");
    assert_int_equal(jobs[1].step.job.rc, BONDY_EINVAL);
    assert_false(get(f, "two").has_found);
    assert_true(get(f, "three").has_found);
}

/* The id of the only alarm that is set, or NULL for none. */
static void check_alarm(const char *id)
{
    json_t *list = bondy_alarm_list();

    assert_int_equal(json_array_size(list), id == NULL ? 0 : 1);
    if (id != NULL)
        assert_slice_is(bondy_json_text(json_array_get(list, 0), "id"), id);
    json_decref(list);
}

/* Pages that can be used again are not in use, though the file does not shrink. */
static void what_was_deleted_leaves_room(void **state)
{
    struct fixture *f = *state;
    char *big = bondy_alloc(100001);
    char name[32];
    double filled;

    memset(big, 'x', 100000);
    big[100000] = '\0';
    f->options.map_size_max = 8 << 20;
    reopen(f);
    assert_true(bondy_store_filled_wait(f->store) < 0.05);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "big%d", i);
        assert_int_equal(put(f, name, big), BONDY_OK);
    }
    filled = bondy_store_filled_wait(f->store);
    assert_true(filled > 0.45 && filled < 0.7);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "big%d", i);
        assert_int_equal(put(f, name, "small"), BONDY_OK);
    }
    assert_true(bondy_store_filled_wait(f->store) < 0.1);
    bondy_free(big);
}

/* R8: full is an error to the writer; nothing acknowledged is lost; the store goes on. */
static void a_full_store_refuses_and_keeps_what_it_has(void **state)
{
    struct fixture *f = *state;
    char *big = bondy_alloc(100001);
    struct step nothing = {.what = STEP_FAIL, .key = key_of("small"), .body = "never"};
    char name[32];
    int rc = BONDY_OK, count = 0;

    memset(big, 'x', 100000);
    big[100000] = '\0';
    f->options.map_size_max = 4 << 20;
    reopen(f);
    for (; rc == BONDY_OK && count < 1000; count++) {
        snprintf(name, sizeof name, "big%d", count);
        rc = put(f, name, big);
    }
    assert_int_equal(rc, BONDY_ELIMIT);
    assert_true(count > 10 && count < 1000); /* it grew from 1 MiB first */
    assert_false(bondy_store_is_healthy(f->store));
    check_alarm("store_full");
    assert_true(bondy_store_filled_wait(f->store) > 0.8);
    assert_true(bondy_store_filled_wait(f->store) <= 1);
    assert_true(get(f, "big0").has_found);
    assert_int_equal(do_step(f, &nothing), BONDY_EINVAL);
    assert_false(bondy_store_is_healthy(f->store));
    assert_int_equal(put(f, "small", "fits"), BONDY_OK);
    assert_true(bondy_store_is_healthy(f->store));
    check_alarm(NULL);
    reopen(f);
    assert_true(get(f, "big0").has_found);
    assert_true(get(f, "small").has_found);
    bondy_free(big);
}

static void a_second_process_is_kept_out(void **state)
{
    struct fixture *f = *state;
    struct bondy_store *second = NULL;
    struct bondy_error err;

    assert_int_equal(bondy_store_open(&f->options, &second, &err), BONDY_EEXIST);
    assert_non_null(strstr(err.text, "lock"));
}

/* D1 */
static void files_are_private(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"", "/data.mdb", "/bondy.lock"};
    char path[600];
    struct stat info;

    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s%s", f->options.path, names[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 077, 0);
    }
}

#define THREADS 4
#define WRITES 100

static void *write_many(void *context)
{
    struct fixture *f = context;
    char name[64];

    for (int i = 0; i < WRITES; i++) {
        snprintf(name, sizeof name, "%lx-%d", (unsigned long)pthread_self(), i);
        assert_int_equal(put(f, name, "v"), BONDY_OK);
    }
    return NULL;
}

static void writers_of_several_threads_share_commits(void **state)
{
    struct fixture *f = *state;
    struct bondy_buf names = BONDY_BUF_EMPTY;
    pthread_t threads[THREADS];
    size_t count = 0, commits = 0;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_many, f);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    bondy_store_scan_wait(f->store, BONDY_RECORD_SETTING, BONDY_SLICE_EMPTY, count_one, &names);
    for (size_t i = 0; i < names.len; i++)
        count += names.data[i] == ' ';
    for (size_t i = 0; i < f->feed.len; i++)
        commits += f->feed.data[i] == '|';
    assert_int_equal(count, THREADS * WRITES);
    assert_true(commits <= THREADS * WRITES);
    bondy_buf_fini(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_acknowledged_is_there_after_reopening, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failed_job_leaves_nothing_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(a_write_that_expects_another_version_conflicts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(recreation_after_deletion_gives_the_next_generation, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_expired_is_hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(a_builtin_record_has_the_least_version, setup, teardown),
        cmocka_unit_test_setup_teardown(scan_gives_live_records_of_a_scope_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_long_subkey_comes_back_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_deleted_leaves_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_store_refuses_and_keeps_what_it_has, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_job_that_does_not_fit_leaves_its_batch_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failed_job_leaves_its_batch_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_process_is_kept_out, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_private, setup, teardown),
        cmocka_unit_test_setup_teardown(writers_of_several_threads_share_commits, setup, teardown),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

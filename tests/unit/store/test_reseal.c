/* SPDX-License-Identifier: Apache-2.0 */

/* Stores whose secrets are sealed: what is on the disk, changes of keys, stores that cannot be
 * opened, ends in the middle, backups. */

#include "tests/unit/store/store_rig.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/store/backup.h"
#include "src/store/lmdb.h"
#include "src/store/seal.h"
#include "src/store/write.h"
#include "src/sys/file.h"

#define REALM "com.acme"
#define ANN BONDY_SLICE("ann\0\0\0\0\0\0p\0")
#define BOB BONDY_SLICE("bob\0\0\0\0\0\0p\0")
#define MARK "kettle-46-verifier"

static const struct bondy_master_key key1 = {{1}}, key2 = {{2}}, key3 = {{3}};
static struct bondy_seal *first, *second, *moved, *taken_off, *stranger;

static bool is_secret(const struct bondy_store_key *key)
{
    return key->type == BONDY_RECORD_USER_ELEMENT;
}

static struct bondy_seal *seal_with(const struct bondy_master_key *key,
                                    const struct bondy_master_key *previous)
{
    return bondy_seal_create(
        &(struct bondy_seal_options){.key = key, .previous = previous, .is_secret = is_secret});
}

static int make_seals(void **state)
{
    (void)state;
    first = seal_with(&key1, NULL);
    second = seal_with(&key2, NULL);
    moved = seal_with(&key2, &key1);
    taken_off = seal_with(NULL, &key1);
    stranger = seal_with(&key3, NULL);
    return 0;
}

static int end_seals(void **state)
{
    (void)state;
    bondy_seal_destroy(first);
    bondy_seal_destroy(second);
    bondy_seal_destroy(moved);
    bondy_seal_destroy(taken_off);
    bondy_seal_destroy(stranger);
    return 0;
}

static const struct store_word some[] = {
    {BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .text = "realm"},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .text = "ann"},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .text = "bob"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, ANN, .text = MARK " of ann"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BOB, .text = MARK " of bob"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("cid\0\0\0\0\0\0p\0"), .text = "gone"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("cid\0\0\0\0\0\0p\0"), .is_gone = true},
};

static const char plain_text[] = "1/0/com.acme=realm 3/0/ann=ann 3/0/bob=bob "
                                 "4/0/ann......p.=" MARK " of ann 4/0/bob......p.=" MARK " of bob "
                                 "-4/0/cid......p. ";
static const char sealed_text[] =
    "1/0/com.acme=realm 3/0/ann=ann 3/0/bob=bob "
    "~4/0/ann......p.=" MARK " of ann ~4/0/bob......p.=" MARK " of bob -4/0/cid......p. ";

static int setup(void **state)
{
    struct store_rig *rig = bondy_alloc(sizeof *rig);

    store_rig_init(rig, 1 << 20);
    assert_int_equal(store_rig_write(rig, some, BONDY_COUNT(some)), BONDY_OK);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_fini(*state);
    bondy_free(*state);
    return 0;
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void assert_store(struct store_rig *rig, const char *expected)
{
    char *text = store_rig_text(rig);

    assert_string_equal(text, expected);
    free(text);
}

static void reopen(struct store_rig *rig, const struct bondy_seal *seal)
{
    rig->seal = seal;
    store_rig_reopen(rig);
}

static size_t count_in_file(struct store_rig *rig, const char *what)
{
    struct bondy_buf content = BONDY_BUF_EMPTY;
    struct bondy_error err;
    char path[300];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/data.mdb", rig->path);
    assert_int_equal(bondy_file_read(path, (size_t)1 << 30, &content, &err), BONDY_OK);
    for (size_t i = 0; i + strlen(what) <= content.len; i++)
        count += memcmp(content.data + i, what, strlen(what)) == 0;
    bondy_buf_fini(&content);
    return count;
}

static void assert_refused(struct store_rig *rig, const struct bondy_seal *seal, const char *why)
{
    struct bondy_error err = {0};

    store_rig_close(rig);
    rig->seal = seal;
    assert_int_equal(store_rig_try_open(rig, &err), BONDY_EDENIED);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" not in: %s", why, err.text);
}

/* ---- sealing --------------------------------------------------------------------------------- */

static void a_plain_store_is_sealed_when_there_is_a_key(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_store_view *view;
    struct bondy_record before, after;
    const struct bondy_store_key ann = {BONDY_RECORD_USER_ELEMENT, BONDY_SLICE(REALM), 0, ANN};
    size_t changes = rig->changes;

    assert_store(rig, plain_text);
    assert_true(count_in_file(rig, MARK) > 0);
    bondy_store_view_begin(rig->store, &view, NULL);
    assert_true(bondy_store_view_get(view, &ann, &before));
    bondy_store_view_end(view);
    reopen(rig, first);
    assert_store(rig, sealed_text);
    /* Nobody sees a change. */
    bondy_store_view_begin(rig->store, &view, NULL);
    assert_true(bondy_store_view_get(view, &ann, &after));
    assert_int_equal(after.body.len, 0);
    bondy_store_view_end(view);
    assert_memory_equal(before.version, after.version, BONDY_VERSION_LEN);
    assert_int_equal(rig->changes, changes);
    assert_int_equal(count_in_file(rig, MARK), 0);
    assert_true(count_in_file(rig, "realm") > 0);
    reopen(rig, first);
    assert_store(rig, sealed_text);
}

static void what_is_written_is_sealed_from_the_beginning(void **state)
{
    struct store_rig *rig = *state;

    rig->seal = first;
    store_rig_wipe(rig);
    assert_int_equal(store_rig_write(rig, some, BONDY_COUNT(some)), BONDY_OK);
    assert_store(rig, sealed_text);
    assert_int_equal(count_in_file(rig, MARK), 0);
    store_rig_put(rig, BONDY_RECORD_USER_ELEMENT, REALM, 0, ANN, .text = "another " MARK);
    store_rig_put(rig, BONDY_RECORD_USER_ELEMENT, REALM, 0, BOB, .is_gone = true);
    assert_store(rig, "1/0/com.acme=realm 3/0/ann=ann 3/0/bob=bob ~4/0/ann......p.=another " MARK
                      " -4/0/bob......p. -4/0/cid......p. ");
    assert_int_equal(count_in_file(rig, MARK), 0);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void without_its_key_a_store_is_not_opened_and_stays_as_it_is(void **state)
{
    struct store_rig *rig = *state;
    char *before, *after;

    reopen(rig, first);
    before = store_rig_dump(rig);
    assert_refused(rig, NULL, "set security.master_key_file");
    assert_refused(rig, second, "security.master_key_file.previous");
    assert_refused(rig, stranger, "security.master_key_file.previous");
    rig->seal = moved; /* the right one is the previous one: it goes on */
    assert_int_equal(store_rig_try_open(rig, NULL), BONDY_OK);
    assert_store(rig, sealed_text);
    reopen(rig, second);
    assert_refused(rig, first, "security.master_key_file.previous");
    rig->seal = second;
    assert_int_equal(store_rig_try_open(rig, NULL), BONDY_OK);
    assert_store(rig, sealed_text);
    after = store_rig_dump(rig);
    assert_string_not_equal(before, after);
    free(before);
    free(after);
}

static void an_error_names_the_key_that_is_needed(void **state)
{
    struct store_rig *rig = *state;
    char id[BONDY_MASTER_KEY_ID_TEXT];

    bondy_master_key_id_text(bondy_seal_key_id(first), id);
    reopen(rig, first);
    assert_refused(rig, NULL, id);
    assert_refused(rig, second, id);
    rig->seal = first;
    assert_int_equal(store_rig_try_open(rig, NULL), BONDY_OK);
}

static void with_only_the_previous_key_the_seals_come_off(void **state)
{
    struct store_rig *rig = *state;

    reopen(rig, first);
    reopen(rig, taken_off);
    assert_store(rig, plain_text);
    reopen(rig, NULL);
    assert_store(rig, plain_text);
    reopen(rig, stranger);
    assert_store(rig, sealed_text);
}

/* ---- attacks --------------------------------------------------------------------------------- */

static void put_raw(struct store_rig *rig, struct bondy_slice from, struct bondy_slice to,
                    size_t changed_at)
{
    const struct bondy_store_key keys[] = {{BONDY_RECORD_USER_ELEMENT, BONDY_SLICE(REALM), 0, from},
                                           {BONDY_RECORD_USER_ELEMENT, BONDY_SLICE(REALM), 0, to}};
    struct bondy_key_bytes bytes[2];
    struct bondy_envelope envelope;
    struct bondy_buf body = BONDY_BUF_EMPTY, out = BONDY_BUF_EMPTY;
    struct bondy_lmdb *db = NULL;
    struct bondy_lmdb_txn *txn;
    struct bondy_slice raw;

    store_rig_close(rig);
    assert_int_equal(bondy_lmdb_open(rig->path, 1 << 20, 1 << 30, &db, NULL), BONDY_OK);
    assert_int_equal(bondy_lmdb_begin_write(db, NULL, &txn, NULL), BONDY_OK);
    for (size_t i = 0; i < 2; i++)
        bondy_key_encode(&keys[i], &bytes[i]);
    assert_int_equal(bondy_lmdb_get(txn, BONDY_LMDB_RECORDS,
                                    bondy_slice_of(bytes[0].bytes, bytes[0].len), &raw, NULL),
                     BONDY_OK);
    assert_int_equal(bondy_envelope_decode(raw, &envelope, NULL), BONDY_OK);
    bondy_buf_append_slice(&body, envelope.body);
    if (changed_at != 0)
        body.data[changed_at] ^= 1;
    envelope.body = bondy_buf_slice(&body);
    bondy_envelope_encode(&envelope, &out);
    assert_int_equal(bondy_lmdb_put(txn, BONDY_LMDB_RECORDS,
                                    bondy_slice_of(bytes[1].bytes, bytes[1].len),
                                    bondy_buf_slice(&out), NULL),
                     BONDY_OK);
    assert_int_equal(bondy_lmdb_commit(txn, NULL), BONDY_OK);
    bondy_lmdb_close(db);
    bondy_buf_fini(&body);
    bondy_buf_fini(&out);
    assert_int_equal(store_rig_try_open(rig, NULL), BONDY_OK);
}

/* Right checksums and all: only the seal tells. */
static void a_verifier_of_one_user_is_none_of_another(void **state)
{
    struct store_rig *rig = *state;

    reopen(rig, first);
    put_raw(rig, ANN, BOB, 0);
    assert_store(rig, "1/0/com.acme=realm 3/0/ann=ann 3/0/bob=bob ~4/0/ann......p.=" MARK
                      " of ann ~4/0/bob......p. -4/0/cid......p. ");
    /* What nobody can read is no reason not to change keys. */
    reopen(rig, moved);
    assert_store(rig, "1/0/com.acme=realm 3/0/ann=ann 3/0/bob=bob ~4/0/ann......p.=" MARK
                      " of ann ~4/0/bob......p. -4/0/cid......p. ");
}

static void a_changed_body_is_not_read(void **state)
{
    struct store_rig *rig = *state;

    reopen(rig, first);
    put_raw(rig, ANN, ANN, BONDY_SEAL_OVERHEAD);
    assert_store(rig, "1/0/com.acme=realm 3/0/ann=ann 3/0/bob=bob ~4/0/ann......p. "
                      "~4/0/bob......p.=" MARK " of bob -4/0/cid......p. ");
}

/* ---- an end in the middle -------------------------------------------------------------------- */

#define MANY 20000

static void put_many(struct store_rig *rig)
{
    struct store_word *words = bondy_calloc(MANY, sizeof *words);
    char(*names)[16] = bondy_calloc(MANY, sizeof *names);

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "u%05u.p", i);
        words[i] = (struct store_word){BONDY_RECORD_USER_ELEMENT, REALM, 0,
                                       bondy_slice_text(names[i]), .text = MARK};
    }
    assert_int_equal(store_rig_write(rig, words, MANY), BONDY_OK);
    bondy_free(words);
    bondy_free(names);
}

/* A child opens the store with `seal` and is killed after that long; false: it was ready first. */
static bool open_and_kill(struct store_rig *rig, const struct bondy_seal *seal, uint32_t after_us)
{
    uint64_t until_ns = bondy_clock_mono_ns() + (uint64_t)after_us * 1000;
    struct store_rig child = *rig;
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        child.store = NULL;
        child.seal = seal;
        _exit(store_rig_try_open(&child, NULL) == BONDY_OK ? 0 : 1);
    }
    while (bondy_clock_mono_ns() < until_ns)
        continue;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void nothing_is_lost_when_it_ends_in_the_middle(void **state)
{
    struct store_rig *rig = *state;
    char *before, *after;
    unsigned killed = 0;

    put_many(rig);
    before = store_rig_text(rig);
    store_rig_close(rig);
    for (uint32_t us = 500; open_and_kill(rig, first, us); us = us + us / 3)
        killed++;
    assert_true(killed > 3);
    reopen(rig, first);
    assert_int_equal(count_in_file(rig, MARK), 0);
    store_rig_close(rig);
    /* On to another key, and off. */
    for (uint32_t us = 500; open_and_kill(rig, moved, us); us = us + us / 3)
        killed++;
    reopen(rig, second);
    store_rig_close(rig);
    rig->seal = seal_with(NULL, &key2);
    for (uint32_t us = 500; open_and_kill(rig, rig->seal, us); us = us + us / 3)
        killed++;
    bondy_seal_destroy((struct bondy_seal *)(uintptr_t)rig->seal);
    reopen(rig, NULL);
    after = store_rig_text(rig);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* ---- backups --------------------------------------------------------------------------------- */

static char *make_backup(struct store_rig *rig)
{
    struct bondy_backup_options options = {.dir = rig->dir, .node_name = "n1"};
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

static int restore(struct store_rig *rig, const char *path, enum bondy_backup_mode mode,
                   struct bondy_error *err)
{
    struct bondy_backup_restore options = {
        .source = {.dir = rig->dir, .filename = bondy_slice_text(path)}, .mode = mode};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;

    return bondy_backup_restore_wait(rig->store, &options, &progress, &report, err);
}

static void wipe(struct store_rig *rig, const struct bondy_seal *seal)
{
    rig->seal = seal;
    store_rig_wipe(rig);
}

static void a_backup_stays_sealed_and_says_with_what(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_source source = {.dir = rig->dir};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;
    char id[BONDY_MASTER_KEY_ID_TEXT], *path;
    json_t *header;

    path = make_backup(rig);
    assert_int_equal(bondy_backup_header_wait(rig->dir, bondy_slice_text(path), &header, NULL), 0);
    assert_true(json_is_null(json_object_get(header, "sealed_key_id")));
    json_decref(header);
    bondy_free(path);
    reopen(rig, first);
    path = make_backup(rig);
    assert_int_equal(bondy_backup_header_wait(rig->dir, bondy_slice_text(path), &header, NULL), 0);
    bondy_master_key_id_text(bondy_seal_key_id(first), id);
    assert_string_equal(json_string_value(json_object_get(header, "sealed_key_id")), id);
    json_decref(header);
    /* It can be verified without the key. */
    source.filename = bondy_slice_text(path);
    assert_int_equal(bondy_backup_verify_wait(&source, &progress, &report, NULL), BONDY_OK);
    assert_int_equal(report.records, BONDY_COUNT(some) - 1);
    bondy_free(path);
}

static void a_sealed_backup_goes_nowhere_without_its_key(void **state)
{
    const struct bondy_seal *others[] = {NULL, second, stranger};
    struct store_rig *rig = *state;
    struct bondy_error err;
    char *path;

    reopen(rig, first);
    path = make_backup(rig);
    for (size_t i = 0; i < BONDY_COUNT(others); i++) {
        wipe(rig, others[i]);
        for (int mode = BONDY_BACKUP_MERGE; mode <= BONDY_BACKUP_EMPTY; mode++) {
            assert_int_equal(restore(rig, path, (enum bondy_backup_mode)mode, &err), BONDY_EDENIED);
            assert_non_null(strstr(err.text, "the backup is sealed with master key"));
            assert_store(rig, "");
        }
    }
    bondy_free(path);
}

static void a_backup_is_sealed_as_the_store_is_that_takes_it(void **state)
{
    const struct {
        const struct bondy_seal *from, *to;
        const char *text;
    } cases[] = {{first, first, sealed_text},
                 {first, moved, sealed_text},
                 {NULL, first, sealed_text},
                 {first, taken_off, plain_text}};
    struct store_rig *rig = *state;
    struct bondy_error err;

    for (size_t i = 0; i < 2 * BONDY_COUNT(cases); i++) {
        bool is_forced = i % 2 == 1;
        char *path;

        wipe(rig, cases[i / 2].from);
        assert_int_equal(store_rig_write(rig, some, BONDY_COUNT(some) - 2), BONDY_OK);
        path = make_backup(rig);
        wipe(rig, cases[i / 2].to);
        if (restore(rig, path, is_forced ? BONDY_BACKUP_FORCE : BONDY_BACKUP_MERGE, &err) < 0)
            fail_msg("%s", err.text);
        store_rig_put(rig, BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("cid\0\0\0\0\0\0p\0"),
                      .text = "gone");
        store_rig_put(rig, BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("cid\0\0\0\0\0\0p\0"),
                      .is_gone = true);
        assert_store(rig, cases[i / 2].text);
        if (cases[i / 2].text == sealed_text)
            assert_int_equal(count_in_file(rig, MARK), 0);
        bondy_free(path);
    }
}

/* Mode force brings a deleted user back as the next generation: another place. */
static void what_comes_back_elsewhere_is_sealed_for_there(void **state)
{
    static const struct store_word gone[] = {
        {BONDY_RECORD_USER_ELEMENT, REALM, 0, ANN, .is_gone = true},
        {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .is_gone = true}};
    struct store_rig *rig = *state;
    struct bondy_error err;
    char *path, *text;

    reopen(rig, first);
    path = make_backup(rig);
    assert_int_equal(store_rig_write(rig, gone, BONDY_COUNT(gone)), BONDY_OK);
    if (restore(rig, path, BONDY_BACKUP_FORCE, &err) < 0)
        fail_msg("%s", err.text);
    text = store_rig_text(rig);
    assert_non_null(strstr(text, "3/0/ann=ann#1 "));
    assert_non_null(strstr(text, "~4/0/ann......p.=" MARK " of ann "));
    free(text);
    assert_int_equal(count_in_file(rig, MARK), 0);
    bondy_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_plain_store_is_sealed_when_there_is_a_key),
        STORE_TEST(what_is_written_is_sealed_from_the_beginning),
        STORE_TEST(without_its_key_a_store_is_not_opened_and_stays_as_it_is),
        STORE_TEST(an_error_names_the_key_that_is_needed),
        STORE_TEST(with_only_the_previous_key_the_seals_come_off),
        STORE_TEST(a_verifier_of_one_user_is_none_of_another),
        STORE_TEST(a_changed_body_is_not_read),
        STORE_TEST(nothing_is_lost_when_it_ends_in_the_middle),
        STORE_TEST(a_backup_stays_sealed_and_says_with_what),
        STORE_TEST(a_sealed_backup_goes_nowhere_without_its_key),
        STORE_TEST(a_backup_is_sealed_as_the_store_is_that_takes_it),
        STORE_TEST(what_comes_back_elsewhere_is_sealed_for_there),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, make_seals, end_seals);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_rig.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/store/lmdb.h"
#include "src/store/purge.h"
#include "src/store/write.h"
#include "src/sys/loop.h"

#define REALM "com.acme"
#define LATE (UINT64_C(1) << 44)

static int setup(void **state)
{
    struct store_rig *rig = bondy_alloc(sizeof *rig);

    store_rig_init(rig, 1 << 20);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_fini(*state);
    bondy_free(*state);
    return 0;
}

static void expect_text(struct store_rig *rig, const char *expected)
{
    char *text = store_rig_text(rig);

    assert_string_equal(text, expected);
    bondy_free(text);
}

/* Steps until nothing is left; returns how many there were. */
static unsigned purge(struct store_rig *rig, struct bondy_purge_options options, uint64_t *total)
{
    uint64_t removed, sum = 0;
    unsigned steps = 0;
    bool has_more;

    do {
        assert_int_equal(bondy_purge_step_wait(rig->store, &options, &removed, &has_more, NULL),
                         BONDY_OK);
        sum += removed;
        steps++;
    } while (has_more && steps < 10000);
    if (total != NULL)
        *total = sum;
    return steps;
}

static const struct store_word records[] = {
    {BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .text = "realm"},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .text = "ann"},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("anna"), .text = "anna"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0g\0a"), .text = "1"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0g\0b"), .text = "2"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("anna\0\0\0\0\0\0g\0a"), .text = "3"},
    {BONDY_RECORD_GROUP, REALM, 0, BONDY_SLICE("ann"), .text = "a group"},
    {BONDY_RECORD_GROUP_ELEMENT, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0g\0a"), .text = "4"},
    {BONDY_RECORD_GRANT, REALM, 0, BONDY_SLICE("g\0ann\0\0\0\0\0\0any\0"), .text = "5"},
    {BONDY_RECORD_GRANT, REALM, 0, BONDY_SLICE("u\0ann\0\0\0\0\0\0any\0"), .text = "6"},
    {BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0x"), .text = "7",
     .expires_ms = LATE},
};

static void what_expired_an_hour_ago_is_removed(void **state)
{
    struct store_rig *rig = *state;
    uint64_t removed;

    store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("old"), .text = "1",
                  .expires_ms = 1);
    store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("late"), .text = "2",
                  .expires_ms = LATE);
    store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("longer"), .text = "3",
                  .expires_ms = 2);
    store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("longer"), .text = "4",
                  .expires_ms = LATE);
    rig->changes = 0;
    purge(rig, (struct bondy_purge_options){.delay_ms = 0}, &removed);
    assert_int_equal(removed, 1);
    assert_int_equal(rig->changes, 0);
    expect_text(rig, "9/0/late=2 9/0/longer=4 ");
}

static void what_expired_just_now_is_kept(void **state)
{
    struct store_rig *rig = *state;
    uint64_t removed;

    store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("old"), .text = "1",
                  .expires_ms = 1);
    purge(rig, (struct bondy_purge_options){.expired_ms = LATE}, &removed);
    assert_int_equal(removed, 0);
    expect_text(rig, "9/0/old=1 ");
}

static void children_of_a_deleted_user_go_and_those_of_others_stay(void **state)
{
    struct store_rig *rig = *state;

    store_rig_write(rig, records, BONDY_COUNT(records));
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .is_gone = true);
    purge(rig, (struct bondy_purge_options){.delay_ms = LATE}, NULL);
    purge(rig, (struct bondy_purge_options){.delay_ms = 0, .batch = 1}, NULL);
    expect_text(rig, "1/0/com.acme=realm -3/0/ann 3/0/anna=anna 4/0/anna......g.a=3 "
                     "5/0/ann=a group 6/0/ann......g.a=4 7/0/g.ann......any.=5 ");
}

static void children_of_a_deleted_group_go(void **state)
{
    struct store_rig *rig = *state;

    store_rig_write(rig, records, BONDY_COUNT(records));
    store_rig_put(rig, BONDY_RECORD_GROUP, REALM, 0, BONDY_SLICE("ann"), .is_gone = true);
    purge(rig, (struct bondy_purge_options){.delay_ms = 0}, NULL);
    expect_text(rig, "1/0/com.acme=realm 3/0/ann=ann 3/0/anna=anna 4/0/ann......g.a=1 "
                     "4/0/ann......g.b=2 4/0/anna......g.a=3 -5/0/ann 7/0/u.ann......any.=6 "
                     "9/0/ann......x=7 ");
}

static void what_was_made_again_stays(void **state)
{
    struct store_rig *rig = *state;

    store_rig_write(rig, records, 5);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .is_gone = true);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .text = "again", .gen = 1);
    store_rig_put(rig, BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("ann\0\0\0\0\1\0g\0c"),
                  .text = "new");
    purge(rig, (struct bondy_purge_options){.delay_ms = 0, .batch = 2}, NULL);
    expect_text(rig, "1/0/com.acme=realm 3/0/ann=again#1 3/0/anna=anna 4/0/ann......g.c=new ");
}

static void children_of_a_deleted_realm_go_in_small_steps(void **state)
{
    struct store_rig *rig = *state;
    uint64_t removed;
    unsigned steps;

    store_rig_write(rig, records, BONDY_COUNT(records));
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("anna"), .is_gone = true);
    store_rig_put(rig, BONDY_RECORD_USER, "com.other", 0, BONDY_SLICE("ann"), .text = "theirs");
    store_rig_put(rig, BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .is_gone = true);
    store_rig_put(rig, BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .text = "again", .gen = 1);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 1, BONDY_SLICE("ann"), .text = "new");
    steps = purge(rig, (struct bondy_purge_options){.delay_ms = 0, .batch = 3}, &removed);
    assert_int_equal(removed, BONDY_COUNT(records) - 2);
    assert_true(steps >= 4);
    expect_text(rig, "1/0/com.acme=again#1 3/0/ann=theirs -3/0/anna 3/1/ann=new ");
    assert_int_equal(purge(rig, (struct bondy_purge_options){.delay_ms = 0}, NULL), 1);
}

/* A store of the format before the indexes. */
static void indexes_are_made_for_an_older_store(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_lmdb_txn *txn;
    struct bondy_lmdb *db;
    const enum bondy_lmdb_table indexes[] = {BONDY_LMDB_EXPIRY, BONDY_LMDB_HIDDEN};
    uint64_t removed;

    store_rig_write(rig, records, 5);
    store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("old"), .text = "1",
                  .expires_ms = 1);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .is_gone = true);
    bondy_store_close(rig->store);
    assert_int_equal(bondy_lmdb_open(rig->path, 1 << 20, 1 << 26, &db, NULL), BONDY_OK);
    assert_int_equal(bondy_lmdb_begin_write(db, NULL, &txn, NULL), BONDY_OK);
    for (size_t i = 0; i < BONDY_COUNT(indexes); i++)
        assert_int_equal(bondy_lmdb_clear(txn, indexes[i], NULL), BONDY_OK);
    assert_int_equal(
        bondy_lmdb_put(txn, BONDY_LMDB_META, BONDY_SLICE("format"), BONDY_SLICE("\1"), NULL),
        BONDY_OK);
    assert_int_equal(bondy_lmdb_commit(txn, NULL), BONDY_OK);
    bondy_lmdb_close(db);
    rig->store = NULL;
    store_rig_reopen(rig);
    purge(rig, (struct bondy_purge_options){.delay_ms = 0}, &removed);
    assert_int_equal(removed, 3);
    expect_text(rig, "1/0/com.acme=realm -3/0/ann 3/0/anna=anna ");
}

static void rounds_run_from_a_timer_until_they_are_stopped(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_purge *purge_of_loop;
    struct bondy_loop *loop;
    char *text;

    store_rig_write(rig, records, BONDY_COUNT(records));
    store_rig_put(rig, BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .is_gone = true);
    assert_int_equal(bondy_loop_create(0, &loop, NULL), BONDY_OK);
    purge_of_loop = bondy_purge_start(rig->store, loop,
                                      &(struct bondy_purge_options){.every_ms = 1, .batch = 2});
    do {
        bondy_loop_turn(loop, 50);
        text = store_rig_text(rig);
        if (strcmp(text, "-1/0/com.acme ") == 0)
            break;
        bondy_free(text);
    } while (true);
    bondy_free(text);
    bondy_purge_stop(purge_of_loop);
    bondy_purge_stop(NULL);
    bondy_store_close(BONDY_MOVE(rig->store));
    bondy_loop_turn(loop, 0);
    bondy_loop_destroy(loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_expired_an_hour_ago_is_removed),
        TEST(what_expired_just_now_is_kept),
        TEST(children_of_a_deleted_user_go_and_those_of_others_stay),
        TEST(children_of_a_deleted_group_go),
        TEST(what_was_made_again_stays),
        TEST(children_of_a_deleted_realm_go_in_small_steps),
        TEST(indexes_are_made_for_an_older_store),
        TEST(rounds_run_from_a_timer_until_they_are_stopped),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

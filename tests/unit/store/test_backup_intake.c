/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_rig.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/store/backup.h"
#include "src/sys/file.h"

/* Backups that somebody brings. */

#define NAME "bondy_backup.1700000000.bdyb"

static int setup(void **state)
{
    static const struct store_word words[] = {
        {BONDY_RECORD_REALM, .subkey = BONDY_SLICE("com.acme"), .text = "realm"},
        {BONDY_RECORD_USER, "com.acme", 0, BONDY_SLICE("ann"), .text = "ann"},
    };
    struct store_rig *rig = bondy_alloc(sizeof *rig);

    store_rig_init(rig, 1 << 20);
    assert_int_equal(store_rig_write(rig, words, BONDY_COUNT(words)), BONDY_OK);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_fini(*state);
    bondy_free(*state);
    return 0;
}

/* The octets of a backup of the rig's store. */
static void make(struct store_rig *rig, const uint8_t (*recipient)[BONDY_BACKUP_KEY_LEN],
                 struct bondy_buf *out)
{
    const struct bondy_backup_options options = {
        .dir = rig->dir, .recipients = recipient, .recipient_count = recipient == NULL ? 0 : 1};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup *backup;

    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &backup, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_run_wait(backup, &progress, NULL), BONDY_OK);
    assert_int_equal(bondy_file_read(bondy_backup_path(backup), 1 << 20, out, NULL), BONDY_OK);
    unlink(bondy_backup_path(backup));
    bondy_backup_destroy(backup);
}

static bool is_there(const struct store_rig *rig, const char *name, struct stat *info)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", rig->dir, name);
    return lstat(path, info) == 0;
}

static int bring(struct store_rig *rig, const char *name, struct bondy_slice octets,
                 json_t **header, struct bondy_error *err)
{
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_intake *intake = NULL;
    int rc = bondy_backup_intake_begin_wait(rig->dir, bondy_slice_text(name), &intake, err);

    if (rc == BONDY_OK)
        rc = bondy_backup_intake_append_wait(intake, octets, err);
    if (rc == BONDY_OK)
        rc = bondy_backup_intake_finish_wait(intake, &progress, header, err);
    bondy_backup_intake_destroy_wait(intake);
    return rc;
}

static void a_backup_is_there_when_it_is_whole(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_buf octets = BONDY_BUF_EMPTY, copy = BONDY_BUF_EMPTY;
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_intake *intake;
    json_t *header = NULL, *list;
    struct stat info;
    char path[512];

    make(rig, NULL, &octets);
    assert_int_equal(bondy_backup_intake_check_wait(rig->dir, BONDY_SLICE(NAME), NULL), BONDY_OK);
    assert_int_equal(bondy_backup_intake_begin_wait(rig->dir, BONDY_SLICE(NAME), &intake, NULL),
                     BONDY_OK);
    for (size_t at = 0; at < octets.len; at++)
        assert_int_equal(
            bondy_backup_intake_append_wait(intake, bondy_slice_of(octets.data + at, 1), NULL),
            BONDY_OK);
    assert_false(is_there(rig, NAME, &info));
    assert_true(is_there(rig, NAME ".part", &info));
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(bondy_backup_list_wait(rig->dir, &list, NULL), BONDY_OK);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    assert_int_equal(bondy_backup_intake_finish_wait(intake, &progress, &header, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_intake_size(intake), octets.len);
    bondy_backup_intake_destroy_wait(intake);
    assert_int_equal(json_integer_value(json_object_get(header, "format")), 1);
    assert_true(is_there(rig, NAME, &info));
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_false(is_there(rig, NAME ".part", &info));
    snprintf(path, sizeof path, "%s/" NAME, rig->dir);
    assert_int_equal(bondy_file_read(path, 1 << 20, &copy, NULL), BONDY_OK);
    assert_true(bondy_slice_eq(bondy_buf_slice(&copy), bondy_buf_slice(&octets)));
    json_decref(header);
    bondy_buf_fini(&octets);
    bondy_buf_fini(&copy);
}

static void what_is_none_leaves_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_buf octets = BONDY_BUF_EMPTY;
    json_t *header = NULL;
    struct stat info;

    make(rig, NULL, &octets);
    for (size_t len = 0; len < octets.len; len++)
        if (bring(rig, NAME, bondy_slice_of(octets.data, len), &header, NULL) != BONDY_EPROTO)
            fail_msg("cut at %zu", len);
    for (size_t at = 0; at < octets.len; at++) {
        octets.data[at] ^= 4;
        if (bring(rig, NAME, bondy_buf_slice(&octets), &header, NULL) != BONDY_EPROTO)
            fail_msg("changed at %zu", at);
        octets.data[at] ^= 4;
    }
    bondy_buf_append_byte(&octets, 0);
    assert_int_equal(bring(rig, NAME, bondy_buf_slice(&octets), &header, NULL), BONDY_EPROTO);
    assert_null(header);
    assert_false(is_there(rig, NAME, &info));
    assert_false(is_there(rig, NAME ".part", &info));
    bondy_buf_fini(&octets);
}

static void of_an_encrypted_one_the_frames_are_checked(void **state)
{
    struct store_rig *rig = *state;
    uint8_t public_key[1][BONDY_BACKUP_KEY_LEN], secret_key[BONDY_BACKUP_KEY_LEN];
    struct bondy_buf octets = BONDY_BUF_EMPTY;
    json_t *header = NULL;
    size_t refused = 0;

    crypto_box_keypair(public_key[0], secret_key);
    make(rig, (const uint8_t(*)[BONDY_BACKUP_KEY_LEN])public_key, &octets);
    for (size_t at = 8; at < octets.len; at++) {
        octets.data[at] ^= 4;
        refused += bring(rig, NAME, bondy_buf_slice(&octets), &header, NULL) == BONDY_EPROTO;
        octets.data[at] ^= 4;
    }
    assert_int_equal(refused, octets.len - 8);
    assert_int_equal(bring(rig, NAME, bondy_slice_of(octets.data, octets.len - 1), &header, NULL),
                     BONDY_EPROTO);
    assert_int_equal(bring(rig, NAME, bondy_buf_slice(&octets), &header, NULL), BONDY_OK);
    assert_non_null(json_object_get(header, "encryption"));
    json_decref(header);
    bondy_buf_fini(&octets);
}

static void one_name_is_brought_once(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_intake *first, *second;
    struct bondy_buf octets = BONDY_BUF_EMPTY;
    struct bondy_slice name = BONDY_SLICE(NAME);
    json_t *header = NULL;
    char path[512];
    FILE *file;

    make(rig, NULL, &octets);
    assert_int_equal(bondy_backup_intake_begin_wait(rig->dir, name, &first, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_intake_begin_wait(rig->dir, name, &second, NULL), BONDY_ESTATE);
    bondy_backup_intake_append_wait(first, bondy_buf_slice(&octets), NULL);
    /* Somebody else makes a file of that name meanwhile: it stays what it is. */
    snprintf(path, sizeof path, "%s/" NAME, rig->dir);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("other", file);
    fclose(file);
    assert_int_equal(bondy_backup_intake_finish_wait(first, &progress, &header, NULL),
                     BONDY_EEXIST);
    bondy_backup_intake_destroy_wait(first);
    octets.len = 0;
    assert_int_equal(bondy_file_read(path, 100, &octets, NULL), BONDY_OK);
    assert_true(bondy_slice_is(bondy_buf_slice(&octets), "other"));
    assert_int_equal(bondy_backup_intake_begin_wait(rig->dir, name, &second, NULL), BONDY_EEXIST);
    assert_int_equal(bondy_backup_intake_check_wait(rig->dir, name, NULL), BONDY_EEXIST);
    bondy_buf_fini(&octets);
}

static void a_check_can_be_cancelled(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_progress progress = {.is_cancelled = true};
    struct bondy_backup_intake *intake;
    struct bondy_buf octets = BONDY_BUF_EMPTY;
    json_t *header = NULL;
    struct stat info;

    make(rig, NULL, &octets);
    assert_int_equal(bondy_backup_intake_begin_wait(rig->dir, BONDY_SLICE(NAME), &intake, NULL),
                     BONDY_OK);
    bondy_backup_intake_append_wait(intake, bondy_buf_slice(&octets), NULL);
    assert_int_equal(bondy_backup_intake_finish_wait(intake, &progress, &header, NULL),
                     BONDY_ESTATE);
    bondy_backup_intake_destroy_wait(intake);
    assert_false(is_there(rig, NAME, &info));
    assert_false(is_there(rig, NAME ".part", &info));
    bondy_buf_fini(&octets);
}

static void names_are_written_in_one_way(void **state)
{
    static const struct {
        struct bondy_slice name;
        uint64_t seconds; /* 0: it is none */
    } cases[] = {
        {BONDY_SLICE("bondy_backup.1.bdyb"), 1},
        {BONDY_SLICE("bondy_backup.1700000000.bdyb"), 1700000000},
        {BONDY_SLICE("bondy_backup.7.2.bdyb"), 7},
        {BONDY_SLICE("bondy_backup.7.1000.bdyb"), 7},
        {BONDY_SLICE("bondy_backup.7.1001.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.7.1.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.7.02.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.07.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.+7.bdyb"), 0},
        {BONDY_SLICE("bondy_backup. 7.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.7.bdyb.part"), 0},
        {BONDY_SLICE("bondy_backup.7.bdyb\0"), 0},
        {BONDY_SLICE("bondy_backup.7\0.bdyb"), 0},
        {BONDY_SLICE("./bondy_backup.7.bdyb"), 0},
        {BONDY_SLICE("../bondy_backup.7.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.99999999999999999999.bdyb"), 0},
        {BONDY_SLICE("bondy_backup.bdyb"), 0},
        {BONDY_SLICE("x"), 0},
        {BONDY_SLICE_EMPTY, 0},
    };
    struct store_rig *rig = *state;
    struct bondy_backup_intake *intake;
    char future[64];
    int fd;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (bondy_backup_name_seconds(cases[i].name) != cases[i].seconds)
            fail_msg("%s", cases[i].name.data);
        if (cases[i].seconds == 0 &&
            (bondy_backup_intake_begin_wait(rig->dir, cases[i].name, &intake, NULL) !=
                 BONDY_EINVAL ||
             bondy_backup_open_wait(rig->dir, cases[i].name, &fd, NULL) != BONDY_EINVAL))
            fail_msg("%s", cases[i].name.data);
    }
    snprintf(future, sizeof future, "bondy_backup.%llu.bdyb",
             (unsigned long long)bondy_clock_wall_ms() / 1000 + 3600);
    assert_int_equal(
        bondy_backup_intake_begin_wait(rig->dir, bondy_slice_text(future), &intake, NULL),
        BONDY_EINVAL);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_there_when_it_is_whole),
        TEST(what_is_none_leaves_nothing),
        TEST(of_an_encrypted_one_the_frames_are_checked),
        TEST(one_name_is_brought_once),
        TEST(a_check_can_be_cancelled),
        TEST(names_are_written_in_one_way),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_rig.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/store/backup.h"

#define REALM "com.acme"
#define LATE (UINT64_C(1) << 44)

/* Some of everything: two realms, users with elements, a deleted one, tickets, a long subkey. */
static const struct store_word everything[] = {
    {BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .text = "realm"},
    {BONDY_RECORD_REALM, .subkey = BONDY_SLICE("com.other"), .text = "other"},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("ann"), .text = "ann"},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .text = "bob"},
    {BONDY_RECORD_USER, "com.other", 0, BONDY_SLICE("ann"), .text = "their ann"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0g\0staff"), .text = "in"},
    {BONDY_RECORD_USER_ELEMENT, REALM, 0, BONDY_SLICE("bob\0\0\0\0\0\0g\0staff"), .text = "in"},
    {BONDY_RECORD_GRANT, REALM, 0, BONDY_SLICE("u\0bob\0\0\0\0\0\0prefix\0com."), .text = "call"},
    {BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0x"), .text = "ticket",
     .expires_ms = LATE},
    {BONDY_RECORD_TICKET, REALM, 0, BONDY_SLICE("ann\0\0\0\0\0\0y"), .text = "old",
     .expires_ms = 1},
    {BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("colour"), .text = "blue"},
    {BONDY_RECORD_RETAINED, REALM, 0, BONDY_SLICE("topic"), .text = "event", .expires_ms = LATE},
    {BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .is_gone = true},
};

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

static void put_everything(struct store_rig *rig)
{
    assert_int_equal(store_rig_write(rig, everything, BONDY_COUNT(everything)), BONDY_OK);
}

/* Makes a backup; the caller frees its path. */
static char *make_backup(struct store_rig *rig, struct bondy_backup_options options)
{
    struct bondy_backup_progress progress = {0};
    struct bondy_backup *backup = NULL;
    struct bondy_error err = {0};
    char *path;

    options.dir = rig->dir;
    if (bondy_backup_begin_wait(rig->store, &options, &backup, &err) < 0 ||
        bondy_backup_run_wait(backup, &progress, &err) < 0)
        fail_msg("%s", err.text);
    path = bondy_strdup(bondy_backup_path(backup));
    bondy_backup_destroy(backup);
    return path;
}

static const struct bondy_backup_options plain = {.node_name = "n1", .include_retained = true};

static int restore_with(struct store_rig *rig, const char *path,
                        struct bondy_backup_restore options, struct bondy_backup_report *report,
                        struct bondy_error *err)
{
    struct bondy_backup_progress progress = {0};

    options.source.dir = rig->dir;
    options.source.filename = bondy_slice_text(path);
    return bondy_backup_restore_wait(rig->store, &options, &progress, report, err);
}

static void restore(struct store_rig *rig, const char *path, struct bondy_backup_restore options,
                    struct bondy_backup_report *report)
{
    struct bondy_backup_report unused;
    struct bondy_error err = {0};

    if (restore_with(rig, path, options, report == NULL ? &unused : report, &err) < 0)
        fail_msg("%s", err.text);
}

static int verify(struct store_rig *rig, const char *path, const uint8_t *secret_key,
                  struct bondy_error *err)
{
    struct bondy_backup_source source = {
        .dir = rig->dir, .filename = bondy_slice_text(path), .secret_key = secret_key};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;

    return bondy_backup_verify_wait(&source, &progress, &report, err);
}

static void expect_text(struct store_rig *rig, const char *expected)
{
    char *text = store_rig_text(rig);

    assert_string_equal(text, expected);
    bondy_free(text);
}

/* ---- there and back ---------------------------------------------------------------------------
 */

static void backup_wipe_and_restore_give_the_same_octets(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    char *before, *after, *path;

    put_everything(rig);
    path = make_backup(rig, plain);
    /* What is expired is in no backup. */
    assert_int_equal(store_rig_put(rig, BONDY_RECORD_TICKET, REALM, 0,
                                   BONDY_SLICE("ann\0\0\0\0\0\0y"), .is_gone = true),
                     BONDY_ENOENT);
    before = store_rig_dump(rig);
    store_rig_wipe(rig);
    rig->changes = 0;
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, &report);
    assert_int_equal(report.records, BONDY_COUNT(everything) - 2);
    /* bob was deleted: what he had is not brought back, that nobody could read. */
    assert_int_equal(report.hidden, 2);
    assert_int_equal(rig->changes, report.records - report.hidden);
    after = store_rig_dump(rig);
    for (char *rest = NULL, *line = strtok_r(after, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        assert_non_null(strstr(before, line));
    bondy_free(before);
    bondy_free(after);
    bondy_free(path);
}

static void a_backup_without_hidden_records_comes_back_whole(void **state)
{
    struct store_rig *rig = *state;
    char *before, *after, *path, subkey[600];

    memset(subkey, 'k', sizeof subkey);
    store_rig_write(rig, everything, 6);
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = bondy_slice_of(subkey, sizeof subkey),
                  .text = "long");
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .is_gone = true);
    path = make_backup(rig, plain);
    before = store_rig_dump(rig);
    store_rig_wipe(rig);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_EMPTY}, NULL);
    after = store_rig_dump(rig);
    assert_string_equal(before, after);
    bondy_free(before);
    bondy_free(after);
    bondy_free(path);
}

/* More than one block, and batches of more than one job. */
static void many_records_come_back(void **state)
{
    struct store_rig *rig = *state;
    char *before, *after, *path, name[16], text[400];

    memset(text, 't', sizeof text);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 9000; i++) {
        snprintf(name, sizeof name, "n%06d", i);
        text[i % 300] = (char)('a' + i % 26);
        store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = bondy_slice_text(name), .text = text);
    }
    path = make_backup(rig, plain);
    before = store_rig_dump(rig);
    store_rig_wipe(rig);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, NULL);
    after = store_rig_dump(rig);
    assert_true(strcmp(before, after) == 0);
    bondy_free(before);
    bondy_free(after);
    bondy_free(path);
}

static void the_versions_of_a_restore_are_not_passed_by_later_writes(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    char *path;

    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("a"), .text = "first");
    path = make_backup(rig, plain);
    store_rig_wipe(rig);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, NULL);
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("a"), .text = "second");
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, &report);
    assert_int_equal(report.types[BONDY_RECORD_SETTING].older, 1);
    expect_text(rig, "15/0/a=second ");
    bondy_free(path);
}

/* ---- modes ------------------------------------------------------------------------------------
 */

/* What a store looks like that went on after its backup: b changed, c deleted, d new. */
static char *go_on_after_backup(struct store_rig *rig)
{
    char *path;

    for (const char *name = "abc"; *name != '\0'; name++)
        store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = bondy_slice_of(name, 1), .text = "old");
    path = make_backup(rig, plain);
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("b"), .text = "new");
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("c"), .is_gone = true);
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("d"), .text = "new");
    return path;
}

static void merge_keeps_what_is_newer_and_what_was_deleted(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    char *path = go_on_after_backup(rig);

    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, &report);
    expect_text(rig, "15/0/a=old 15/0/b=new -15/0/c 15/0/d=new ");
    assert_int_equal(report.types[BONDY_RECORD_SETTING].equal, 1);
    assert_int_equal(report.types[BONDY_RECORD_SETTING].older, 2);
    bondy_free(path);
}

static void force_writes_the_backup_over_everything(void **state)
{
    struct store_rig *rig = *state;
    char *path = go_on_after_backup(rig);

    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_FORCE}, NULL);
    expect_text(rig, "15/0/a=old 15/0/b=old 15/0/c=old 15/0/d=new ");
    bondy_free(path);
}

static void empty_refuses_a_store_with_anything_but_defaults(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    struct bondy_error err = {0};
    char *path = go_on_after_backup(rig);

    assert_int_equal(restore_with(rig, path,
                                  (struct bondy_backup_restore){.mode = BONDY_BACKUP_EMPTY},
                                  &report, &err),
                     BONDY_ESTATE);
    store_rig_wipe(rig);
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("a"), .text = "default",
                  .is_builtin = true);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_EMPTY}, NULL);
    expect_text(rig, "15/0/a=old 15/0/b=old 15/0/c=old ");
    bondy_free(path);
}

static void a_dry_run_counts_and_changes_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    char *path = go_on_after_backup(rig), *text;
    json_t *tree;

    for (int mode = BONDY_BACKUP_MERGE; mode <= BONDY_BACKUP_FORCE; mode++) {
        restore(
            rig, path,
            (struct bondy_backup_restore){.mode = (enum bondy_backup_mode)mode, .is_dry_run = true},
            &report);
        expect_text(rig, "15/0/a=old 15/0/b=new -15/0/c 15/0/d=new ");
    }
    tree = bondy_backup_report_tree(&report);
    text = json_dumps(json_object_get(tree, "types"), JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, "{\"setting\":{\"equal\":1,\"new\":0,\"newer\":0,\"older\":2}}");
    free(text);
    json_decref(tree);
    bondy_free(path);
}

/* operations.md 6.2, cluster.md B2.4: what was deleted comes back as the next generation. */
static void force_brings_a_deleted_realm_back_as_the_next_generation(void **state)
{
    struct store_rig *rig = *state;
    char *path;

    store_rig_write(rig, (const struct store_word[]){everything[0], everything[2], everything[5]},
                    3);
    path = make_backup(rig, plain);
    store_rig_put(rig, BONDY_RECORD_REALM, .subkey = BONDY_SLICE(REALM), .is_gone = true);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, NULL);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_FORCE}, NULL);
    expect_text(rig, "1/0/com.acme=realm#1 3/0/ann=ann 3/1/ann=ann 4/0/ann......g.staff=in "
                     "4/1/ann......g.staff=in ");
    bondy_free(path);
}

static void force_brings_a_deleted_user_back_with_what_it_had(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    char *path;

    store_rig_write(rig, everything, 8);
    path = make_backup(rig, plain);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .is_gone = true);
    restore(
        rig, path,
        (struct bondy_backup_restore){.mode = BONDY_BACKUP_FORCE,
                                      .filter = {.realms = &BONDY_SLICE(REALM), .realm_count = 1}},
        &report);
    assert_int_equal(report.filtered, 2);
    expect_text(rig, "1/0/com.acme=realm 1/0/com.other=other 3/0/ann=their ann 3/0/ann=ann "
                     "3/0/bob=bob#1 4/0/ann......g.staff=in 4/0/bob......g.staff=in "
                     "4/0/bob......g.staff=in 7/0/u.bob......prefix.com.=call "
                     "7/0/u.bob......prefix.com.=call ");
    bondy_free(path);
}

/* A user that was made again before the backup: the elements of the first one stay dead. */
static void force_does_not_bring_hidden_records_to_life(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_report report;
    char *path;

    store_rig_write(rig, (const struct store_word[]){everything[0], everything[3], everything[6]},
                    3);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .is_gone = true);
    store_rig_put(rig, BONDY_RECORD_USER, REALM, 0, BONDY_SLICE("bob"), .text = "again", .gen = 1);
    path = make_backup(rig, plain);
    store_rig_wipe(rig);
    restore(rig, path, (struct bondy_backup_restore){.mode = BONDY_BACKUP_FORCE}, &report);
    assert_int_equal(report.hidden, 1);
    expect_text(rig, "1/0/com.acme=realm 3/0/bob=again#1 ");
    bondy_free(path);
}

/* ---- filters ----------------------------------------------------------------------------------
 */

static void filters_choose_realms_and_types(void **state)
{
    static const struct bondy_slice realms[] = {{"com.other", 9}};
    const struct bondy_backup_filter one_realm = {.realms = realms, .realm_count = 1};
    struct store_rig *rig = *state;
    char *whole, *part, *bare;

    put_everything(rig);
    whole = make_backup(rig, plain);
    part = make_backup(rig, (struct bondy_backup_options){.filter = one_realm});
    bare = make_backup(rig, (struct bondy_backup_options){.without_tickets = true});
    store_rig_wipe(rig);
    restore(rig, part, (struct bondy_backup_restore){.mode = BONDY_BACKUP_MERGE}, NULL);
    expect_text(rig, "1/0/com.other=other 3/0/ann=their ann ");
    store_rig_wipe(rig);
    restore(rig, whole, (struct bondy_backup_restore){.filter = one_realm}, NULL);
    expect_text(rig, "1/0/com.other=other 3/0/ann=their ann ");
    store_rig_wipe(rig);
    restore(rig, whole,
            (struct bondy_backup_restore){
                .filter = {.types = bondy_backup_type_bit(BONDY_SLICE("setting"))}},
            NULL);
    expect_text(rig, "15/0/colour=blue ");
    store_rig_wipe(rig);
    restore(rig, bare,
            (struct bondy_backup_restore){
                .filter = {.types = bondy_backup_type_bit(BONDY_SLICE("ticket")) |
                                    bondy_backup_type_bit(BONDY_SLICE("retained"))}},
            NULL);
    expect_text(rig, "");
    assert_int_equal(bondy_backup_type_bit(BONDY_SLICE("seting")), 0);
    bondy_free(whole);
    bondy_free(part);
    bondy_free(bare);
}

/* ---- places -----------------------------------------------------------------------------------
 */

static mode_t mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static void a_backup_is_private_and_gets_its_name_at_the_end(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_options options = {.dir = rig->dir, .path = BONDY_SLICE("sub/folder")};
    struct bondy_backup *first, *second, *third;
    struct bondy_backup_progress progress = {0};
    char part[600];

    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &first, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &second, NULL), BONDY_OK);
    assert_string_not_equal(bondy_backup_path(first), bondy_backup_path(second));
    snprintf(part, sizeof part, "%s.part", bondy_backup_path(first));
    assert_int_equal(mode_of(part), 0600);
    assert_int_equal(access(bondy_backup_path(first), F_OK), -1);
    assert_int_equal(bondy_backup_run_wait(first, &progress, NULL), BONDY_OK);
    assert_int_equal(mode_of(bondy_backup_path(first)), 0600);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &third, NULL), BONDY_OK);
    assert_string_not_equal(bondy_backup_path(first), bondy_backup_path(third));
    snprintf(part, sizeof part, "%s.part", bondy_backup_path(second));
    bondy_backup_destroy(second);
    assert_int_equal(access(part, F_OK), -1);
    snprintf(part, sizeof part, "%s/sub", rig->dir);
    assert_int_equal(mode_of(part), 0700);
    bondy_backup_destroy(third);
    bondy_backup_destroy(first);
}

/* threat-model D1: names that leave the folder, by themselves or over a link. */
static void names_outside_the_folder_are_refused(void **state)
{
    static const struct {
        const char *name;
        int rc;
    } cases[] = {
        {"../store/data.mdb", BONDY_EINVAL},
        {"sub/../x.bdyb", BONDY_EINVAL},
        {"..", BONDY_EINVAL},
        {"", BONDY_EINVAL},
        {".", BONDY_EINVAL},
        {"/etc/passwd", BONDY_EINVAL},
        {"link.bdyb", BONDY_EINVAL},
        {"folder_link/x.bdyb", BONDY_EINVAL},
        {"sub", BONDY_EINVAL},
        {"x.bdyb/y", BONDY_EINVAL},
        {"not_there.bdyb", BONDY_ENOENT},
        {"no_folder/x.bdyb", BONDY_ENOENT},
        {"sub/./x.bdyb", BONDY_EPROTO},
        {"x.bdyb", BONDY_EPROTO},
        {"@/x.bdyb", BONDY_EPROTO},
        {"@//sub//x.bdyb", BONDY_EPROTO},
        {"@/../store/data.mdb", BONDY_EINVAL},
        {"@x/x.bdyb", BONDY_EINVAL},
        {"pipe", BONDY_EINVAL},
    };
    struct store_rig *rig = *state;
    struct bondy_error err;
    char path[1024], target[1024];
    json_t *header;

    snprintf(path, sizeof path, "%s/sub", rig->dir);
    assert_int_equal(mkdir(rig->dir, 0700) + mkdir(path, 0700), 0);
    snprintf(target, sizeof target, "%s/sub/x.bdyb", rig->dir);
    fclose(fopen(target, "w"));
    snprintf(path, sizeof path, "%s/x.bdyb", rig->dir);
    fclose(fopen(path, "w"));
    snprintf(path, sizeof path, "%s/link.bdyb", rig->dir);
    assert_int_equal(symlink(target, path), 0);
    snprintf(path, sizeof path, "%s/folder_link", rig->dir);
    assert_int_equal(symlink("sub", path), 0);
    snprintf(path, sizeof path, "%s/pipe", rig->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *rest = cases[i].name[0] == '@' ? cases[i].name + 1 : cases[i].name;
        int rc;

        snprintf(path, sizeof path, "%s%s", rest == cases[i].name ? "" : rig->dir, rest);
        err.text[0] = '\0';
        rc = bondy_backup_header_wait(rig->dir, bondy_slice_text(path), &header, &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %s (%s)", cases[i].name, bondy_code_name(rc), err.text);
        assert_true(err.text[0] != '\0');
    }
    assert_int_equal(bondy_backup_header_wait(rig->dir, BONDY_SLICE("x\0.bdyb"), &header, &err),
                     BONDY_EINVAL);
}

static void a_backup_is_not_made_outside_the_folder(void **state)
{
    static const char *const paths[] = {"..", "/tmp", "a/../../b", "link"};
    struct store_rig *rig = *state;
    struct bondy_backup *backup = NULL;
    char link[600];

    assert_int_equal(mkdir(rig->dir, 0700), 0);
    snprintf(link, sizeof link, "%s/link", rig->dir);
    assert_int_equal(symlink("/tmp", link), 0);
    for (size_t i = 0; i < BONDY_COUNT(paths); i++) {
        struct bondy_backup_options options = {.dir = rig->dir, .path = bondy_slice_text(paths[i])};

        assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &backup, NULL),
                         BONDY_EINVAL);
    }
}

static void the_header_says_what_is_inside(void **state)
{
    struct store_rig *rig = *state;
    char *path;
    json_t *header;

    put_everything(rig);
    path = make_backup(rig, plain);
    assert_int_equal(bondy_backup_header_wait(rig->dir, bondy_slice_text(path), &header, NULL),
                     BONDY_OK);
    assert_int_equal(json_integer_value(json_object_get(header, "format")), 1);
    assert_string_equal(json_string_value(json_object_get(header, "node")), "n1");
    assert_string_equal(json_string_value(json_object_get(header, "realms")), "all");
    assert_int_equal(json_string_length(json_object_get(header, "uuid")), 32);
    assert_int_equal(json_string_length(json_object_get(header, "hlc")), 32);
    assert_true(json_integer_value(json_object_get(header, "created")) > 1700000000);
    json_decref(header);
    bondy_free(path);
}

static void only_the_newest_are_kept(void **state)
{
    struct store_rig *rig = *state;
    json_t *list;
    size_t removed;
    char path[600];

    assert_int_equal(bondy_backup_list_wait(rig->dir, &list, NULL), BONDY_OK);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    for (int i = 0; i < 5; i++)
        bondy_free(make_backup(rig, plain));
    assert_int_equal(bondy_backup_keep_wait(rig->dir, 2, &removed, NULL), BONDY_OK);
    assert_int_equal(removed, 3);
    assert_int_equal(bondy_backup_list_wait(rig->dir, &list, NULL), BONDY_OK);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    snprintf(path, sizeof path, "%s/bondy_backup.1.7.bdyb.part", rig->dir);
    fclose(fopen(path, "w"));
    assert_int_equal(bondy_backup_clean_wait(rig->dir, NULL), BONDY_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(bondy_backup_list_wait(rig->dir, &list, NULL), BONDY_OK);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
}

/* ---- encrypted --------------------------------------------------------------------------------
 */

static void an_encrypted_backup_opens_for_each_recipient_and_nobody_else(void **state)
{
    struct store_rig *rig = *state;
    uint8_t public_keys[3][BONDY_BACKUP_KEY_LEN], secret_keys[3][BONDY_BACKUP_KEY_LEN];
    struct bondy_error err = {0};
    char *path, *before, *after;

    for (int i = 0; i < 3; i++)
        crypto_box_keypair(public_keys[i], secret_keys[i]);
    store_rig_write(rig, everything, 6);
    before = store_rig_dump(rig);
    path = make_backup(rig, (struct bondy_backup_options){
                                .recipients = (const uint8_t(*)[BONDY_BACKUP_KEY_LEN])public_keys,
                                .recipient_count = 2});
    assert_int_equal(verify(rig, path, secret_keys[0], &err), BONDY_OK);
    assert_int_equal(verify(rig, path, secret_keys[1], &err), BONDY_OK);
    assert_int_equal(verify(rig, path, secret_keys[2], &err), BONDY_EDENIED);
    assert_int_equal(verify(rig, path, NULL, &err), BONDY_EDENIED);
    store_rig_wipe(rig);
    restore(rig, path, (struct bondy_backup_restore){.source = {.secret_key = secret_keys[1]}},
            NULL);
    after = store_rig_dump(rig);
    assert_string_equal(before, after);
    bondy_free(before);
    bondy_free(after);
    bondy_free(path);
}

static void keys_are_read_as_hex_and_base64(void **state)
{
    uint8_t key[BONDY_BACKUP_KEY_LEN], read[BONDY_BACKUP_KEY_LEN];
    char text[70];

    (void)state;
    memset(key, 0xfb, sizeof key);
    sodium_bin2hex(text, sizeof text, key, sizeof key);
    assert_int_equal(bondy_backup_key_parse(bondy_slice_text(text), read, NULL), BONDY_OK);
    assert_memory_equal(read, key, sizeof key);
    for (int variant = 1; variant <= 7; variant++) {
        if (variant == 2 || variant == 4 || variant == 6)
            continue;
        sodium_bin2base64(text, sizeof text, key, sizeof key, variant);
        assert_int_equal(bondy_backup_key_parse(bondy_slice_text(text), read, NULL), BONDY_OK);
        assert_memory_equal(read, key, sizeof key);
    }
    assert_int_equal(bondy_backup_key_parse(BONDY_SLICE("abc"), read, NULL), BONDY_EINVAL);
    assert_int_equal(bondy_backup_key_parse(BONDY_SLICE_EMPTY, read, NULL), BONDY_EINVAL);
}

static void a_cancelled_task_ends_and_leaves_no_file(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_options options = {.dir = rig->dir};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;
    struct bondy_backup *backup;
    char name[16], *path;
    json_t *list;

    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "n%d", i);
        store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = bondy_slice_text(name), .text = "x");
    }
    atomic_store(&progress.is_cancelled, true);
    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &backup, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_run_wait(backup, &progress, NULL), BONDY_ESTATE);
    bondy_backup_destroy(backup);
    assert_int_equal(bondy_backup_list_wait(rig->dir, &list, NULL), BONDY_OK);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    path = make_backup(rig, plain);
    assert_int_equal(bondy_backup_restore_wait(
                         rig->store,
                         &(struct bondy_backup_restore){
                             .source = {.dir = rig->dir, .filename = bondy_slice_text(path)}},
                         &progress, &report, NULL),
                     BONDY_ESTATE);
    bondy_free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(backup_wipe_and_restore_give_the_same_octets),
        TEST(a_backup_without_hidden_records_comes_back_whole),
        TEST(many_records_come_back),
        TEST(the_versions_of_a_restore_are_not_passed_by_later_writes),
        TEST(merge_keeps_what_is_newer_and_what_was_deleted),
        TEST(force_writes_the_backup_over_everything),
        TEST(empty_refuses_a_store_with_anything_but_defaults),
        TEST(a_dry_run_counts_and_changes_nothing),
        TEST(force_brings_a_deleted_realm_back_as_the_next_generation),
        TEST(force_brings_a_deleted_user_back_with_what_it_had),
        TEST(force_does_not_bring_hidden_records_to_life),
        TEST(filters_choose_realms_and_types),
        TEST(a_backup_is_private_and_gets_its_name_at_the_end),
        TEST(names_outside_the_folder_are_refused),
        TEST(a_backup_is_not_made_outside_the_folder),
        TEST(the_header_says_what_is_inside),
        TEST(only_the_newest_are_kept),
        TEST(an_encrypted_backup_opens_for_each_recipient_and_nobody_else),
        TEST(keys_are_read_as_hex_and_base64),
        TEST(a_cancelled_task_ends_and_leaves_no_file),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: realms-and-security.md 6, admin-http-api.md 8. */
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/security/login/audit.h"
#include "src/sys/file.h"

struct rig {
    char *folder;
    char path[512];
    struct bondy_audit *audit;
    struct bondy_audit_options options;
    char cursor[37];
};

static void open_audit(struct rig *rig)
{
    rig->options.folder = rig->path;
    assert_int_equal(bondy_audit_create(&rig->options, &rig->audit, NULL), BONDY_OK);
}

static int start(void **state)
{
    struct rig *rig = bondy_zalloc(sizeof *rig);

    rig->folder = bondy_test_mkdir();
    snprintf(rig->path, sizeof rig->path, "%s/audit", rig->folder);
    rig->options = (struct bondy_audit_options){
        .max_bytes = 1 << 20, .max_files = 3, .buffer_len = 1 << 20, .denials_per_second = 5};
    open_audit(rig);
    *state = rig;
    return 0;
}

static int stop(void **state)
{
    struct rig *rig = *state;

    bondy_audit_destroy(rig->audit);
    bondy_test_rmdir(rig->folder);
    bondy_free(rig);
    return 0;
}

static void say(struct rig *rig, const char *action, const char *realm, const char *actor)
{
    const struct bondy_audit_entry entry = {.action = action,
                                            .realm = bondy_slice_text(realm),
                                            .actor = bondy_slice_text(actor),
                                            .target = BONDY_SLICE("users/mona"),
                                            .request_id = BONDY_SLICE("r-1")};

    bondy_audit_write(rig->audit, &entry, NULL);
}

static json_t *query(struct rig *rig, struct bondy_audit_query query)
{
    json_t *entries = NULL;

    if (query.limit == 0)
        query.limit = 1000;
    assert_int_equal(bondy_audit_query_wait(rig->audit, &query, &entries, rig->cursor, NULL),
                     BONDY_OK);
    return entries;
}

static size_t count(struct rig *rig, struct bondy_audit_query which)
{
    json_t *entries = query(rig, which);
    size_t size = json_array_size(entries);

    json_decref(entries);
    return size;
}

static void what_was_written_is_found_newest_first(void **state)
{
    struct rig *rig = *state;
    json_t *entries;
    struct stat status;
    char path[600];

    say(rig, "bondy.user.add", "org.acme", "admin");
    say(rig, "bondy.user.delete", "org.acme", "admin");
    entries = query(rig, (struct bondy_audit_query){0});
    assert_int_equal(json_array_size(entries), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 0), "action")),
                        "bondy.user.delete");
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 1), "outcome")),
                        "ok");
    assert_null(json_object_get(json_array_get(entries, 1), "reason"));
    assert_string_equal(rig->cursor, "");
    json_decref(entries);
    snprintf(path, sizeof path, "%s/audit.jsonl", rig->path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void filters_are_joined(void **state)
{
    static const struct {
        struct bondy_audit_query query;
        size_t count;
    } cases[] = {
        {{.realm = BONDY_SLICE("org.acme")}, 2},
        {{.realm = BONDY_SLICE("org.acme"), .actor = BONDY_SLICE("ben")}, 1},
        {{.action = BONDY_SLICE("bondy.user.add")}, 2},
        {{.action = BONDY_SLICE("bondy.user.")}, 3},
        {{.action = BONDY_SLICE("bondy.user")}, 0},
        {{.outcome = BONDY_SLICE("ok")}, 3},
        {{.outcome = BONDY_SLICE("denied")}, 0},
        {{.since = BONDY_SLICE("2020-01-01")}, 3},
        {{.since = BONDY_SLICE("2999-01-01T00:00:00Z")}, 0},
        {{.until = BONDY_SLICE("2020-01")}, 0},
        {{.until = BONDY_SLICE("2999-01-01T00:00:00.000Z")}, 3},
    };
    struct rig *rig = *state;

    say(rig, "bondy.user.add", "org.acme", "ann");
    say(rig, "bondy.user.add", "org.other", "ann");
    say(rig, "bondy.user.delete", "org.acme", "ben");
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        if (count(rig, cases[i].query) != cases[i].count)
            fail_msg("case %zu", i);
}

static void seconds_and_milliseconds_compare_as_times(void **state)
{
    static const struct bondy_clock_source at = {1000000000, 1793181600500}; /* ...10:00:00.500Z */
    struct rig *rig = *state;
    char time[25];

    bondy_clock_replace(&at);
    say(rig, "x", "r", "a");
    bondy_clock_format(at.wall_ms, time);
    bondy_clock_replace(NULL);
    time[19] = 'Z'; /* the second it is in */
    time[20] = '\0';
    assert_int_equal(count(rig, (struct bondy_audit_query){.since = bondy_slice_text(time)}), 1);
    assert_int_equal(count(rig, (struct bondy_audit_query){.until = bondy_slice_text(time)}), 0);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    static const struct bondy_audit_query cases[] = {
        {.since = BONDY_SLICE("yesterday")},
        {.until = BONDY_SLICE("2026-01-01T00:00:00+02:00")},
        {.cursor = BONDY_SLICE("1")},
        {.cursor = BONDY_SLICE("../../../../../../../etc/passwd-0000")},
    };
    struct rig *rig = *state;
    json_t *entries = NULL;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        assert_int_equal(bondy_audit_query_wait(rig->audit, &cases[i], &entries, rig->cursor, NULL),
                         BONDY_EINVAL);
    assert_null(entries);
}

/* Pages over several files, each entry exactly once, also while others come. */
static void pages_cover_everything_once(void **state)
{
    struct rig *rig = *state;
    bool seen[300] = {false};
    char cursor[37] = "", name[16];
    size_t pages = 0;

    bondy_audit_destroy(rig->audit);
    rig->options.max_bytes = 8000;
    rig->options.max_files = 100;
    open_audit(rig);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "%d", i);
        say(rig, "bondy.user.add", "org.acme", name);
        if (i % 10 == 0)
            count(rig, (struct bondy_audit_query){.limit = 1}); /* so that files are rotated */
    }
    do {
        json_t *entries =
            query(rig, (struct bondy_audit_query){.limit = 37, .cursor = bondy_slice_text(cursor)});
        json_t *entry;
        size_t i;

        json_array_foreach(entries, i, entry)
        {
            const char *actor = json_string_value(json_object_get(entry, "actor"));
            long number = strtol(actor, NULL, 10);

            if (strcmp(actor, "new") == 0)
                continue;
            assert_false(seen[number]);
            seen[number] = true;
        }
        json_decref(entries);
        memcpy(cursor, rig->cursor, sizeof cursor);
        say(rig, "bondy.user.add", "org.acme", "new");
        pages++;
    } while (cursor[0] != '\0');
    assert_int_equal(pages, 9);
    for (int i = 0; i < 300; i++)
        assert_true(seen[i]);
}

static void full_files_are_put_aside_and_some_are_kept(void **state)
{
    struct rig *rig = *state;
    char command[600];
    FILE *list;
    int files = 0;

    bondy_audit_destroy(rig->audit);
    rig->options.max_bytes = 1000;
    open_audit(rig);
    for (int i = 0; i < 100; i++) {
        say(rig, "bondy.user.add", "org.acme", "ann");
        count(rig, (struct bondy_audit_query){.limit = 1});
    }
    snprintf(command, sizeof command, "ls '%s'", rig->path);
    list = popen(command, "r");
    while (fgets(command, sizeof command, list) != NULL)
        files++;
    pclose(list);
    assert_int_equal(files, 4); /* three and the current one */
    assert_in_range(count(rig, (struct bondy_audit_query){0}), 10, 30);
}

/* When a file is full and its folder is gone, nothing can be written until there is one again. */
static void what_cannot_be_written_is_an_alarm_until_it_can(void **state)
{
    struct rig *rig = *state;
    char aside[600];
    json_t *alarms;

    bondy_audit_destroy(rig->audit);
    rig->options.max_bytes = 200;
    open_audit(rig);
    say(rig, "bondy.user.add", "org.acme", "ann");
    count(rig, (struct bondy_audit_query){0});
    snprintf(aside, sizeof aside, "%s.aside", rig->path);
    assert_int_equal(rename(rig->path, aside), 0);
    say(rig, "bondy.user.add", "org.acme", "ann");
    count(rig, (struct bondy_audit_query){0});
    alarms = bondy_alarm_list();
    assert_int_equal(json_array_size(alarms), 1);
    assert_slice_is(bondy_json_text(json_array_get(alarms, 0), "id"), "audit_not_written");
    json_decref(alarms);
    assert_int_equal(rename(aside, rig->path), 0);
    say(rig, "bondy.user.add", "org.acme", "ann");
    count(rig, (struct bondy_audit_query){0});
    assert_false(bondy_alarm_is_degraded());
}

static void nothing_in_an_entry_can_end_a_line_or_be_taken_for_a_control(void **state)
{
    struct rig *rig = *state;
    const struct bondy_audit_entry entry = {
        .action = "auth.fail",
        .outcome = BONDY_AUDIT_DENIED,
        .actor = BONDY_SLICE("a\nb\x1b[31m\x7f\"}"),
        .reason = BONDY_SLICE("\xff\xfe"),
    };
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char path[600];
    json_t *entries;

    bondy_audit_write(rig->audit, &entry, NULL);
    entries = query(rig, (struct bondy_audit_query){0});
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 0), "actor")),
                        "a\nb\x1b[31m\x7f\"}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 0), "reason")),
                        "??");
    json_decref(entries);
    snprintf(path, sizeof path, "%s/audit.jsonl", rig->path);
    assert_int_equal(bondy_file_read(path, 1 << 20, &text, NULL), BONDY_OK);
    for (size_t i = 0; i + 1 < text.len; i++)
        assert_in_range((unsigned char)text.data[i], 0x20, 0x7e);
    bondy_buf_fini(&text);
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct rig *rig = *state;
    struct bondy_buf name = BONDY_BUF_EMPTY;
    struct bondy_audit_entry entry = {.action = "x"};
    json_t *entries;

    bondy_buf_append_text(&name, "a");
    for (int i = 0; i < 2000; i++)
        bondy_buf_append_text(&name, "\xc3\xa9");
    entry.actor = bondy_buf_slice(&name);
    bondy_audit_write(rig->audit, &entry, NULL);
    entries = query(rig, (struct bondy_audit_query){0});
    assert_int_equal(json_string_length(json_object_get(json_array_get(entries, 0), "actor")),
                     1023);
    json_decref(entries);
    bondy_buf_fini(&name);
}

static void a_line_that_a_crash_cut_off_is_passed_over(void **state)
{
    struct rig *rig = *state;
    char path[600];
    FILE *file;

    say(rig, "bondy.user.add", "org.acme", "ann");
    bondy_audit_destroy(rig->audit);
    snprintf(path, sizeof path, "%s/audit.jsonl", rig->path);
    file = fopen(path, "a");
    fputs("{\"id\":\"0190", file);
    fclose(file);
    open_audit(rig);
    say(rig, "bondy.user.add", "org.acme", "ben");
    assert_int_equal(count(rig, (struct bondy_audit_query){0}), 2);
}

static void samples_are_limited_and_the_rest_is_not(void **state)
{
    static const struct bondy_clock_source at = {5000000000, 1793181600500};
    struct rig *rig = *state;

    bondy_clock_replace(&at);
    for (int i = 0; i < 50; i++) {
        bondy_audit_write(rig->audit,
                          &(struct bondy_audit_entry){.action = "authz.deny",
                                                      .outcome = BONDY_AUDIT_DENIED,
                                                      .is_sample = true},
                          NULL);
        say(rig, "bondy.user.add", "org.acme", "ann");
    }
    bondy_clock_replace(NULL);
    assert_int_equal(count(rig, (struct bondy_audit_query){.action = BONDY_SLICE("authz.deny")}),
                     5);
    assert_int_equal(
        count(rig, (struct bondy_audit_query){.action = BONDY_SLICE("bondy.user.add")}), 50);
}

static void *write_many(void *context)
{
    struct rig *rig = context;

    for (int i = 0; i < 500; i++)
        say(rig, "bondy.user.add", "org.acme", "ann");
    return NULL;
}

static void many_threads_may_write(void **state)
{
    struct rig *rig = *state;
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, rig), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count(rig, (struct bondy_audit_query){0}), 1000); /* one page */
    assert_string_not_equal(rig->cursor, "");
}

static void a_hash_tells_objects_apart_and_not_their_order(void **state)
{
    json_t *a = json_pack("{s:i,s:i}", "x", 1, "y", 2), *b = json_pack("{s:i,s:i}", "y", 2, "x", 1);
    char one[BONDY_AUDIT_HASH], two[BONDY_AUDIT_HASH];

    (void)state;
    bondy_audit_hash(a, one);
    bondy_audit_hash(b, two);
    assert_string_equal(one, two);
    json_object_set_new(b, "x", json_integer(3));
    bondy_audit_hash(b, two);
    assert_string_not_equal(one, two);
    bondy_audit_hash(NULL, two);
    assert_string_equal(two, "");
    json_decref(a);
    json_decref(b);
    bondy_audit_write(NULL, &(struct bondy_audit_entry){.action = "x"}, NULL);
}

#define AUDIT(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT(what_was_written_is_found_newest_first),
        AUDIT(filters_are_joined),
        AUDIT(seconds_and_milliseconds_compare_as_times),
        AUDIT(what_cannot_be_asked_is_refused),
        AUDIT(pages_cover_everything_once),
        AUDIT(full_files_are_put_aside_and_some_are_kept),
        AUDIT(what_cannot_be_written_is_an_alarm_until_it_can),
        AUDIT(nothing_in_an_entry_can_end_a_line_or_be_taken_for_a_control),
        AUDIT(long_texts_are_cut_between_characters),
        AUDIT(a_line_that_a_crash_cut_off_is_passed_over),
        AUDIT(samples_are_limited_and_the_rest_is_not),
        AUDIT(many_threads_may_write),
        cmocka_unit_test(a_hash_tells_objects_apart_and_not_their_order),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

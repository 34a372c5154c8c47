/* SPDX-License-Identifier: Apache-2.0 */
/* Files, the service manager's socket and what /proc says. */
#include "tests/lib/test.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/metric.h"
#include "src/sys/file.h"
#include "src/sys/notify.h"
#include "src/sys/process.h"

static char *folder;
static char path[256];

static int set_up(void **state)
{
    (void)state;
    folder = bondy_test_mkdir();
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bondy_test_rmdir(folder);
    return 0;
}

static unsigned mode_of(const char *name)
{
    struct stat info;

    assert_int_equal(stat(name, &info), 0);
    return info.st_mode & 0777;
}

static int files_in_folder(void)
{
    DIR *listing = opendir(folder);
    int count = -2;

    while (readdir(listing) != NULL)
        count++;
    closedir(listing);
    return count;
}

static void what_was_written_is_read_with_the_mode_asked_for(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    assert_int_equal(bondy_file_write(path, BONDY_SLICE("one\0two"), 0600, NULL), BONDY_OK);
    assert_int_equal(mode_of(path), 0600);
    bondy_buf_append_text(&text, "> ");
    assert_int_equal(bondy_file_read(path, 7, &text, NULL), BONDY_OK);
    assert_true(bondy_slice_eq(bondy_buf_slice(&text), BONDY_SLICE("> one\0two")));
    /* Replaced whole, with the new mode, and no temporary file stays behind. */
    assert_int_equal(bondy_file_write(path, BONDY_SLICE("x"), 0644, NULL), BONDY_OK);
    assert_int_equal(mode_of(path), 0644);
    assert_int_equal(files_in_folder(), 1);
    bondy_buf_fini(&text);
}

static void reading_has_a_limit_and_says_what_is_missing(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_error err;

    (void)state;
    assert_int_equal(bondy_file_write(path, BONDY_SLICE("12345678"), 0600, NULL), BONDY_OK);
    assert_int_equal(bondy_file_read(path, 7, &text, &err), BONDY_ELIMIT);
    assert_int_equal(text.len, 0);
    assert_int_equal(bondy_file_read(path, 8, &text, &err), BONDY_OK);
    strncat(path, ".absent", sizeof path - strlen(path) - 1);
    assert_int_equal(bondy_file_read(path, 8, &text, &err), BONDY_ENOENT);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(bondy_file_read(folder, 8, &text, &err), BONDY_EIO);
    bondy_buf_fini(&text);
}

static atomic_bool writer_ended;

static void *write_in_turns(void *context)
{
    static char content[2][50000];

    (void)context;
    memset(content[0], 'a', sizeof content[0]);
    memset(content[1], 'b', sizeof content[1]);
    for (int i = 0; i < 60; i++)
        bondy_file_write(path, bondy_slice_of(content[i % 2], sizeof content[0] / (1 + i % 2)),
                         0600, NULL);
    atomic_store(&writer_ended, true);
    return NULL;
}

static void a_reader_sees_the_old_or_the_new_content_and_nothing_between(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    pthread_t thread;

    (void)state;
    assert_int_equal(bondy_file_write(path, BONDY_SLICE(""), 0600, NULL), BONDY_OK);
    atomic_store(&writer_ended, false);
    pthread_create(&thread, NULL, write_in_turns, NULL);
    while (!atomic_load(&writer_ended)) {
        bondy_buf_clear(&text, SIZE_MAX);
        assert_int_equal(bondy_file_read(path, 99999, &text, NULL), BONDY_OK);
        if (text.len > 0)
            assert_int_equal(text.len, text.data[0] == 'a' ? 50000 : 25000);
        for (size_t i = 0; i < text.len; i++)
            if (text.data[i] != text.data[0])
                fail();
    }
    pthread_join(thread, NULL);
    bondy_buf_fini(&text);
}

static void writing_where_one_may_not_leaves_nothing_behind(void **state)
{
    struct bondy_error err;
    char inside[300];

    (void)state;
    snprintf(inside, sizeof inside, "%s/absent/file", folder);
    assert_int_equal(bondy_file_write(inside, BONDY_SLICE("x"), 0600, &err), BONDY_ENOENT);
    snprintf(inside, sizeof inside, "%s/sub", folder);
    assert_int_equal(bondy_file_mkdir(inside, NULL), BONDY_OK);
    /* A folder stands where the file should go: the rename fails. */
    assert_int_equal(bondy_file_write(inside, BONDY_SLICE("x"), 0600, &err), BONDY_EIO);
    assert_int_equal(files_in_folder(), 1);
}

static void folders_are_made_with_their_parents_and_private(void **state)
{
    struct bondy_error err;
    char inside[300];

    (void)state;
    snprintf(inside, sizeof inside, "%s/a/b/c/", folder);
    assert_int_equal(bondy_file_mkdir(inside, &err), BONDY_OK);
    assert_int_equal(mode_of(inside), 0700);
    assert_int_equal(bondy_file_mkdir(inside, &err), BONDY_OK);
    assert_int_equal(bondy_file_write(path, BONDY_SLICE("x"), 0600, NULL), BONDY_OK);
    assert_int_equal(bondy_file_mkdir(path, &err), BONDY_EEXIST);
    if (geteuid() != 0)
        assert_int_equal(bondy_file_mkdir("/", &err), BONDY_EDENIED);
}

static void a_file_that_others_may_read_is_not_private(void **state)
{
    static const unsigned modes[] = {0640, 0604, 0660, 0666, 0610};

    (void)state;
    bondy_file_write(path, BONDY_SLICE("secret"), 0600, NULL);
    assert_int_equal(bondy_file_check_private(path, NULL), BONDY_OK);
    for (size_t i = 0; i < BONDY_COUNT(modes); i++) {
        struct bondy_error err;

        chmod(path, modes[i]);
        assert_int_equal(bondy_file_check_private(path, &err), BONDY_EDENIED);
        assert_non_null(strstr(err.text, path));
    }
}

static void a_lock_is_held_by_one_until_it_lets_go(void **state)
{
    struct bondy_error err;
    int held = -1;
    int other = -1;

    (void)state;
    assert_int_equal(bondy_file_lock(path, &held, NULL), BONDY_OK);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(bondy_file_lock(path, &other, &err), BONDY_EEXIST);
    close(held);
    assert_int_equal(bondy_file_lock(path, &other, &err), BONDY_OK);
    close(other);
}

/* ---- service manager ------------------------------------------------------------------------- */

static void the_service_manager_is_told_when_it_listens(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct bondy_error err;
    char text[64] = "";

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(bondy_notify_send("READY=1", NULL), BONDY_OK);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    assert_int_equal(bondy_notify_send("READY=1", &err), BONDY_EIO);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(bondy_notify_send("READY=1\nSTATUS=serving", &err), BONDY_OK);
    assert_int_equal(recv(fd, text, sizeof text - 1, 0), 22);
    assert_string_equal(text, "READY=1\nSTATUS=serving");
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_int_equal(bondy_notify_send("READY=1", &err), BONDY_EINVAL);
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

static void the_watchdog_s_time_is_read_when_it_is_meant_for_us(void **state)
{
    char pid[32];

    (void)state;
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(bondy_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(bondy_notify_watchdog_ms(), 30000);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(bondy_notify_watchdog_ms(), 30000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(bondy_notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void the_limit_of_open_files_is_raised_as_far_as_allowed(void **state)
{
    struct rlimit limit;
    uint64_t got = 0;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(bondy_notify_raise_nofile(256, &got, NULL), BONDY_OK);
    assert_int_equal(got, 256);
    assert_int_equal(bondy_notify_raise_nofile(0, &got, NULL), BONDY_OK);
    assert_int_equal(got, limit.rlim_max);
    if (limit.rlim_max != RLIM_INFINITY)
        assert_int_equal(bondy_notify_raise_nofile(limit.rlim_max + 1, &got, NULL), BONDY_ELIMIT);
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void a_quota_of_cpus_is_rounded_up(void **state)
{
    static const struct {
        const char *text;
        unsigned expected;
    } cases[] = {{"max 100000\n", 0},   {"100000 100000\n", 1}, {"150000 100000\n", 2},
                 {"50000 100000\n", 1}, {"400000 100000", 4},   {"", 0},
                 {"-1 100000\n", 0},    {"100000 0\n", 0},      {"nonsense", 0}};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        assert_int_equal(bondy_process_cpus_of_quota(bondy_slice_text(cases[i].text)),
                         cases[i].expected);
}

static void the_process_knows_its_cpus_and_gauges(void **state)
{
    static const char *const names[] = {
        "\nprocess_cpu_seconds_total ",
        "\nprocess_open_fds ",
        "\nprocess_max_fds ",
        "\nprocess_resident_memory_bytes ",
        "\nprocess_start_time_seconds ",
        "\nprocess_virtual_memory_bytes ",
    };
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    assert_true(bondy_process_cpus() >= 1);
    bondy_process_metrics();
    bondy_metric_format(&out);
    bondy_buf_append_byte(&out, '\0');
    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        const char *line = strstr(out.data, names[i]);

        assert_non_null(line);
        assert_true(strtod(line + strlen(names[i]), NULL) > 0 || i == 0);
    }
    assert_true(strtod(strstr(out.data, names[4]) + strlen(names[4]), NULL) > 1.6e9);
    bondy_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read_with_the_mode_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reading_has_a_limit_and_says_what_is_missing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_reader_sees_the_old_or_the_new_content_and_nothing_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writing_where_one_may_not_leaves_nothing_behind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents_and_private, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_not_private, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lock_is_held_by_one_until_it_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_service_manager_is_told_when_it_listens, set_up,
                                        tear_down),
        cmocka_unit_test(the_watchdog_s_time_is_read_when_it_is_meant_for_us),
        cmocka_unit_test(the_limit_of_open_files_is_raised_as_far_as_allowed),
        cmocka_unit_test(a_quota_of_cpus_is_rounded_up),
        cmocka_unit_test(the_process_knows_its_cpus_and_gauges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

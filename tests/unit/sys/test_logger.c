/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/sys/file.h"
#include "src/sys/logger.h"

static char *folder;
static char path[200];
static char moved[210];

static int set_up(void **state)
{
    (void)state;
    folder = bondy_test_mkdir();
    snprintf(path, sizeof path, "%s/bondy.log", folder);
    snprintf(moved, sizeof moved, "%s.1", path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bondy_test_rmdir(folder);
    return 0;
}

static void start(void)
{
    const struct bondy_logger_options options = {.path = path};

    assert_int_equal(bondy_logger_start(&options, NULL), BONDY_OK);
}

static char *content(const char *name)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    assert_int_equal(bondy_file_read(name, 100000000, &text, NULL), BONDY_OK);
    return bondy_buf_take_text(&text);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

static void *write_some(void *context)
{
    bondy_log_name_thread(context);
    for (int i = 0; i < 1000; i++)
        bondy_log(BONDY_LOG_INFO, "line", BONDY_F_STR("by", context), BONDY_F_I64("n", i));
    return NULL;
}

static void stopping_writes_everything_that_was_logged(void **state)
{
    pthread_t threads[3];
    char *names[] = {"w0", "w1", "w2"};
    char *text;
    struct stat info;

    (void)state;
    start();
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, write_some, names[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    bondy_logger_stop();
    text = content(path);
    assert_int_equal(count_of(text, " event=line by=w"), 3000);
    assert_int_equal(count_of(text, "pid=w2 at=test_logger:write_some/"), 1000);
    assert_int_equal(count_of(text, "\n"), 3000);
    bondy_free(text);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0007, 0);
}

static void lines_repeated_too_often_are_summed_up(void **state)
{
    char *text;

    (void)state;
    start();
    for (int i = 0; i < 500; i++)
        bondy_log(BONDY_LOG_WARN, "same", BONDY_F_STR("why", "disk full"));
    for (int i = 0; i < 50; i++)
        bondy_log(BONDY_LOG_WARN, "different", BONDY_F_I64("n", i));
    bondy_logger_stop();
    text = content(path);
    /* A slow machine may need more than a second for the loop: then there are more windows. */
    assert_true(count_of(text, "event=same why=") <= 40);
    assert_true(count_of(text, "event=same why=") >= 10);
    assert_true(count_of(text, "event=same repeated=") >= 1);
    assert_int_equal(count_of(text, "event=different"), 50);
    bondy_free(text);
}

static void a_burst_is_bounded_and_counted_but_errors_pass(void **state)
{
    const struct bondy_logger_options options = {
        .path = path, .burst_count = 20, .burst_window_ms = 3600000, .sync_ms = 1};
    char *text;

    (void)state;
    assert_int_equal(bondy_logger_start(&options, NULL), BONDY_OK);
    for (int i = 0; i < 100; i++)
        bondy_log(BONDY_LOG_INFO, "chatter", BONDY_F_I64("n", i));
    bondy_log(BONDY_LOG_ERROR, "serious");
    bondy_logger_stop();
    text = content(path);
    assert_int_equal(count_of(text, "event=chatter"), 20);
    assert_int_equal(count_of(text, "event=serious"), 1);
    assert_int_equal(count_of(text, "event=log_burst dropped=80"), 1);
    bondy_free(text);
}

static void a_file_that_was_moved_away_is_opened_again(void **state)
{
    char *text;

    (void)state;
    start();
    bondy_log(BONDY_LOG_INFO, "before");
    assert_int_equal(rename(path, moved), 0);
    bondy_logger_reopen();
    while (access(path, F_OK) != 0)
        sched_yield();
    bondy_log(BONDY_LOG_INFO, "after");
    bondy_logger_stop();
    text = content(path);
    assert_int_equal(count_of(text, "event=after"), 1);
    bondy_free(text);
}

static void what_led_to_a_bug_is_written_before_the_end(void **state)
{
    pid_t child = fork();
    int status = 0;
    char *text;

    (void)state;
    if (child == 0) {
        struct bondy_logger_options options = {.path = path};

        signal(SIGABRT, SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (freopen("/dev/null", "w", stderr) == NULL || bondy_logger_start(&options, NULL) < 0)
            _exit(9);
        for (int i = 0; i < 200; i++)
            bondy_log(BONDY_LOG_INFO, "led_there", BONDY_F_I64("n", i));
        BONDY_BUG_ON(child == 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    text = content(path);
    assert_int_equal(count_of(text, "event=led_there"), 200);
    bondy_free(text);
}

static void a_second_logger_and_a_bad_path_are_refused(void **state)
{
    struct bondy_logger_options options = {.path = "/nonexistent/folder/x.log"};
    struct bondy_error err;

    (void)state;
    assert_int_equal(bondy_logger_start(&options, &err), BONDY_ENOENT);
    assert_non_null(strstr(err.text, options.path));
    start();
    options.path = NULL;
    assert_int_equal(bondy_logger_start(&options, &err), BONDY_ESTATE);
    bondy_logger_stop();
    bondy_logger_stop();
    bondy_logger_reopen();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stopping_writes_everything_that_was_logged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lines_repeated_too_often_are_summed_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_burst_is_bounded_and_counted_but_errors_pass, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_opened_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_led_to_a_bug_is_written_before_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_second_logger_and_a_bad_path_are_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <signal.h>
#include <sys/wait.h>

#include "src/base/alloc.h"
#include "src/ctl/program.h"

static struct bondy_program *start(const char *script, const char *text)
{
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    struct bondy_buf input = BONDY_BUF_EMPTY;
    struct bondy_program *program;

    bondy_buf_append_text(&input, text);
    assert_int_equal(bondy_program_start(argv, &input, &program, NULL), BONDY_OK);
    return program;
}

static void run(struct bondy_program *program)
{
    while (!program->is_done) {
        struct pollfd polls[BONDY_PROGRAM_POLLS];

        bondy_program_poll(program, polls);
        assert_true(poll(polls, BONDY_PROGRAM_POLLS, 60000) > 0);
        bondy_program_turn(program, polls);
    }
}

static void input_goes_in_and_output_comes_out(void **state)
{
    struct bondy_program *program = start("cat", "hello");

    (void)state;
    run(program);
    assert_slice_is(bondy_buf_slice(&program->output), "hello");
    assert_true(WIFEXITED(program->status) && WEXITSTATUS(program->status) == 0);
    bondy_program_destroy(program);
}

static void more_than_a_pipe_holds_passes(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_program *program;

    (void)state;
    memset(bondy_buf_reserve(&text, 1 << 20), 'x', 1 << 20);
    text.len = 1 << 20;
    bondy_buf_append_byte(&text, 0);
    program = start("cat", text.data);
    run(program);
    assert_int_equal(program->output.len, 1 << 20);
    bondy_program_destroy(program);
    bondy_buf_fini(&text);
}

static void the_last_line_of_errors_is_kept(void **state)
{
    struct bondy_program *program = start("printf 'one\\ntwo\\n\\n' >&2; exit 4", "ignored");

    (void)state;
    run(program);
    assert_slice_is(bondy_buf_slice(&program->last_line), "two");
    assert_int_equal(WEXITSTATUS(program->status), 4);
    bondy_program_destroy(program);
    program = start("printf 'no newline' >&2", "");
    run(program);
    assert_slice_is(bondy_buf_slice(&program->last_line), "no newline");
    bondy_program_destroy(program);
}

static void its_own_end_counts_not_that_of_what_it_started(void **state)
{
    struct bondy_program *program = start("sleep 3 & echo started", "");

    (void)state;
    run(program);
    assert_slice_is(bondy_buf_slice(&program->output), "started\n");
    bondy_program_destroy(program);
}

static void too_much_output_ends_it(void **state)
{
    struct bondy_program *program = start("exec cat /dev/zero", "");

    (void)state;
    run(program);
    assert_true(program->is_over_limit);
    assert_true(program->output.len < BONDY_PROGRAM_OUTPUT_MAX + 65536);
    bondy_program_destroy(program);
}

static void a_kill_ends_it(void **state)
{
    struct bondy_program *program = start("exec sleep 600", "");

    (void)state;
    bondy_program_kill(program);
    run(program);
    assert_true(WIFSIGNALED(program->status));
    bondy_program_destroy(program);
}

static void what_cannot_be_run_is_an_error(void **state)
{
    char *argv[] = {"/nowhere/program", NULL};
    struct bondy_buf input = BONDY_BUF_EMPTY;
    struct bondy_program *program;
    struct bondy_error err;

    (void)state;
    bondy_buf_append_text(&input, "x");
    assert_int_equal(bondy_program_start(argv, &input, &program, &err), BONDY_EIO);
    assert_non_null(strstr(err.text, "/nowhere/program"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_goes_in_and_output_comes_out),
        cmocka_unit_test(more_than_a_pipe_holds_passes),
        cmocka_unit_test(the_last_line_of_errors_is_kept),
        cmocka_unit_test(its_own_end_counts_not_that_of_what_it_started),
        cmocka_unit_test(too_much_output_ends_it),
        cmocka_unit_test(a_kill_ends_it),
        cmocka_unit_test(what_cannot_be_run_is_an_error),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

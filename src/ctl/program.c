/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/alloc.h"

enum { READ_END = 0, WRITE_END = 1 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Hands it over: it is not closed with the others. */
static int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* In the child: only calls that are safe there. */
static void become(char *const *argv, int in, int out, int err, int failure)
{
    sigset_t none;
    int why;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setpgid(0, 0); /* a kill reaches what it starts, too */
    if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(err, 2) >= 0)
        execvp(argv[0], argv);
    why = errno;
    if (write(failure, &why, sizeof why) < 0)
        _exit(126);
    _exit(127);
}

static int open_pipes(int pipes[4][2], struct bondy_error *err)
{
    for (int i = 0; i < 4; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) < 0)
            return bondy_fail(err, BONDY_EIO, "pipe: %s", strerror(errno));
    }
    return BONDY_OK;
}

static int spawn(struct bondy_program *program, char *const *argv, struct bondy_error *err)
{
    int pipes[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}, why = 0, rc;

    if ((rc = open_pipes(pipes, err)) < 0)
        goto out;
    program->pid = fork();
    if (program->pid == 0)
        become(argv, pipes[0][READ_END], pipes[1][WRITE_END], pipes[2][WRITE_END],
               pipes[3][WRITE_END]);
    if (program->pid < 0) {
        rc = bondy_fail(err, BONDY_EIO, "fork: %s", strerror(errno));
        goto out;
    }
    close_fd(&pipes[3][WRITE_END]);
    if (read(pipes[3][READ_END], &why, sizeof why) > 0) {
        waitpid(program->pid, NULL, 0);
        program->pid = 0;
        rc = bondy_fail(err, BONDY_EIO, "%s: %s", argv[0], strerror(why));
        goto out;
    }
    program->in = take_fd(&pipes[0][WRITE_END]);
    program->out = take_fd(&pipes[1][READ_END]);
    program->err = take_fd(&pipes[2][READ_END]);
    program->pid_fd = pidfd_open(program->pid, 0);
    fcntl(program->in, F_SETFL, O_NONBLOCK);
    fcntl(program->out, F_SETFL, O_NONBLOCK);
    fcntl(program->err, F_SETFL, O_NONBLOCK);
out:
    for (int i = 0; i < 4; i++) {
        close_fd(&pipes[i][READ_END]);
        close_fd(&pipes[i][WRITE_END]);
    }
    return rc;
}

int bondy_program_start(char *const *argv, struct bondy_buf *input, struct bondy_program **out,
                        struct bondy_error *err)
{
    struct bondy_program *program = bondy_zalloc(sizeof *program);
    int rc;

    bondy_list_init(&program->link);
    program->in = program->out = program->err = program->pid_fd = -1;
    program->input = *input;
    *input = (struct bondy_buf)BONDY_BUF_EMPTY;
    rc = spawn(program, argv, err);
    if (rc < 0)
        bondy_program_destroy(program);
    else
        *out = program;
    return rc;
}

void bondy_program_poll(const struct bondy_program *program, struct pollfd polls[])
{
    polls[0] = (struct pollfd){program->in, POLLOUT, 0};
    polls[1] = (struct pollfd){program->out, POLLIN, 0};
    polls[2] = (struct pollfd){program->err, POLLIN, 0};
    polls[3] = (struct pollfd){program->pid_fd, POLLIN, 0};
}

static void feed(struct bondy_program *program)
{
    ssize_t written = write(program->in, program->input.data, program->input.len);

    if (written > 0)
        bondy_buf_consume(&program->input, (size_t)written);
    /* A program that does not read its input is fine. */
    if (program->input.len == 0 || (written < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&program->in);
}

/* Reads what is there; closes the descriptor at the end. */
static void drain(int *fd, struct bondy_buf *into)
{
    while (*fd >= 0 && into->len <= BONDY_PROGRAM_OUTPUT_MAX) {
        char *room = bondy_buf_reserve(into, 16384);
        ssize_t got = read(*fd, room, 16384);

        if (got > 0)
            into->len += (size_t)got;
        else if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        else
            close_fd(fd);
    }
}

/* Passes standard error on and keeps the last line that is not empty. */
static void watch_errors(struct bondy_program *program)
{
    size_t before = program->line.len;
    char *end;

    drain(&program->err, &program->line);
    fwrite(program->line.data + before, 1, program->line.len - before, stderr);
    while ((end = program->line.len == 0
                      ? NULL
                      : memchr(program->line.data, '\n', program->line.len)) != NULL) {
        size_t len = (size_t)(end - program->line.data);

        if (len > 0) {
            bondy_buf_clear(&program->last_line, 4096);
            bondy_buf_append(&program->last_line, program->line.data, len < 1000 ? len : 1000);
        }
        bondy_buf_consume(&program->line, len + 1);
    }
    if (program->line.len > 65536)
        bondy_buf_clear(&program->line, 4096);
}

/* What it started may hold the pipes open: its own end counts. */
static void finish(struct bondy_program *program)
{
    if (waitpid(program->pid, &program->status, WNOHANG) != program->pid)
        return;
    program->pid = 0;
    drain(&program->out, &program->output);
    watch_errors(program);
    if (program->line.len > 0) {
        bondy_buf_clear(&program->last_line, 4096);
        bondy_buf_append(&program->last_line, program->line.data,
                         program->line.len < 1000 ? program->line.len : 1000);
    }
    program->is_done = true;
}

void bondy_program_turn(struct bondy_program *program, const struct pollfd polls[])
{
    if (program->in >= 0 && polls[0].revents != 0)
        feed(program);
    if (program->out >= 0 && polls[1].revents != 0)
        drain(&program->out, &program->output);
    if (program->err >= 0 && polls[2].revents != 0)
        watch_errors(program);
    if (program->output.len > BONDY_PROGRAM_OUTPUT_MAX && !program->is_over_limit) {
        program->is_over_limit = true;
        close_fd(&program->out);
        bondy_program_kill(program);
    }
    if (polls[3].revents != 0 && !program->is_done)
        finish(program);
}

void bondy_program_kill(struct bondy_program *program)
{
    if (program->pid > 0)
        kill(-program->pid, SIGTERM);
}

void bondy_program_destroy(struct bondy_program *program)
{
    if (program == NULL)
        return;
    if (program->pid > 0) {
        kill(-program->pid, SIGTERM);
        kill(-program->pid, SIGKILL);
        waitpid(program->pid, NULL, 0);
    }
    close_fd(&program->in);
    close_fd(&program->out);
    close_fd(&program->err);
    close_fd(&program->pid_fd);
    bondy_buf_fini(&program->input);
    bondy_buf_fini(&program->output);
    bondy_buf_fini(&program->line);
    bondy_buf_fini(&program->last_line);
    bondy_free(program);
}

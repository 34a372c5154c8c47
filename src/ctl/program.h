/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_PROGRAM_H
#define BONDY_CTL_PROGRAM_H

/* program: a program that runs for one call: input on standard input, output collected, standard
 * error passed on with its last line remembered. Driven by poll(). */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/base/list.h"

#define BONDY_PROGRAM_POLLS 4
#define BONDY_PROGRAM_OUTPUT_MAX ((size_t)15 * 1024 * 1024)

struct bondy_program {
    struct bondy_list link; /* the caller's */
    uint64_t request;       /* the caller's */
    int pid_fd;             /* readable when the program has ended */
    int in, out, err;       /* pipes; -1: closed */
    int pid;
    struct bondy_buf input; /* what is still to write */
    struct bondy_buf output;
    struct bondy_buf line; /* of standard error, unfinished */
    struct bondy_buf last_line;
    bool is_over_limit;
    bool is_done;
    int status; /* as of waitpid(), once done */
};

/* Starts `argv` (found by PATH). Takes `input`. The caller owns *out. BONDY_EIO: it cannot be run.
 */
int bondy_program_start(char *const *argv, struct bondy_buf *input, struct bondy_program **out,
                        struct bondy_error *err);
/* Fills BONDY_PROGRAM_POLLS entries; those without work get descriptor -1. */
void bondy_program_poll(const struct bondy_program *program, struct pollfd polls[]);
/* Does what the entries filled above ask for. Afterwards is_done may be set. */
void bondy_program_turn(struct bondy_program *program, const struct pollfd polls[]);
/* Ends it (SIGTERM to it and what it started). */
void bondy_program_kill(struct bondy_program *program);
/* A program that still runs is killed. */
void bondy_program_destroy(struct bondy_program *program);

#endif

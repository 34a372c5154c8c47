/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/sys/file.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* One octet at a time: what follows the line is somebody else's. */
static int read_line(int fd, struct bondy_buf *out, struct bondy_error *err)
{
    char octet;

    while (out->len <= BONDY_SECRET_MAX) {
        ssize_t got = read(fd, &octet, 1);

        if (got < 0 && errno == EINTR && !interrupted)
            continue;
        if (got < 0 && errno == EINTR)
            return bondy_fail(err, BONDY_ESTATE, "stopped by a signal");
        if (got < 0)
            return bondy_fail(err, BONDY_EIO, "%s", strerror(errno));
        if (got == 0 || octet == '\n')
            return BONDY_OK;
        bondy_buf_append_byte(out, (unsigned char)octet);
    }
    return bondy_fail(err, BONDY_ELIMIT, "the line has more than %d octets", BONDY_SECRET_MAX);
}

/* Asks when nothing is shown any more: what is typed from the prompt on counts. The echo comes back
 * whatever ends the line: signals that would end the program are caught until then, and it may not
 * be stopped meanwhile. */
static int read_hidden(int fd, const char *prompt, struct bondy_buf *out, struct bondy_error *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP};
    struct sigaction action = {.sa_handler = on_signal}, before[BONDY_COUNT(numbers)];
    struct termios shown, hidden;
    int rc;

    if (tcgetattr(fd, &shown) < 0)
        return bondy_fail(err, BONDY_EIO, "the terminal: %s", strerror(errno));
    hidden = shown;
    hidden.c_lflag = (hidden.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
    interrupted = 0;
    for (size_t i = 0; i < BONDY_COUNT(numbers); i++)
        sigaction(numbers[i], &action, &before[i]);
    tcsetattr(fd, TCSAFLUSH, &hidden);
    if (write(fd, prompt, strlen(prompt)) < 0)
        rc = bondy_fail(err, BONDY_EIO, "/dev/tty: %s", strerror(errno));
    else
        rc = read_line(fd, out, err);
    tcsetattr(fd, TCSADRAIN, &shown);
    for (size_t i = 0; i < BONDY_COUNT(numbers); i++)
        sigaction(numbers[i], &before[i], NULL);
    return rc;
}

static int ask(const char *prompt, struct bondy_buf *out, struct bondy_error *err)
{
    int fd, rc;

    if (!isatty(STDIN_FILENO))
        return read_line(STDIN_FILENO, out, err);
    fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return bondy_fail(err, BONDY_EIO, "/dev/tty: %s", strerror(errno));
    rc = read_hidden(fd, prompt, out, err);
    close(fd);
    return rc;
}

static int read_file(const char *path, struct bondy_buf *out, struct bondy_error *err)
{
    const char *end;
    int rc = bondy_file_check_private(path, err);

    if (rc == BONDY_OK)
        rc = bondy_file_read(path, BONDY_SECRET_MAX, out, err);
    if (rc == BONDY_OK && out->len > 0 && (end = memchr(out->data, '\n', out->len)) != NULL)
        out->len = (size_t)(end - out->data);
    return rc;
}

int bondy_secret_read(const char *option, const char *where, const char *prompt, char **out,
                      struct bondy_error *err)
{
    struct bondy_buf line = BONDY_BUF_EMPTY;
    int rc = strcmp(where, "-") == 0 ? ask(prompt, &line, err) : read_file(where, &line, err);

    if (rc == BONDY_OK && line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (rc == BONDY_OK && (line.len == 0 || memchr(line.data, 0, line.len) != NULL))
        rc = bondy_fail(err, BONDY_EINVAL, "%s", line.len == 0 ? "nothing is there" : "no text");
    if (rc == BONDY_OK)
        *out = bondy_memdup0(line.data, line.len);
    else
        bondy_wrap(err, "%s", option);
    if (line.data != NULL)
        sodium_memzero(line.data, line.cap);
    bondy_buf_fini(&line);
    return rc;
}

int bondy_secret_choose(const char *option, const char *where, const char *prompt, char **out,
                        struct bondy_error *err)
{
    for (;;) {
        char *again = NULL;
        bool is_same;
        int rc = bondy_secret_read(option, where, prompt, out, err);

        if (rc < 0 || strcmp(where, "-") != 0 || !isatty(STDIN_FILENO))
            return rc;
        rc = bondy_secret_read(option, where, "The same once more: ", &again, err);
        is_same = rc == BONDY_OK && strcmp(again, *out) == 0;
        bondy_secret_destroy(again);
        if (is_same)
            return BONDY_OK;
        bondy_secret_destroy(BONDY_MOVE(*out));
        if (rc < 0)
            return rc;
        fputs("The two differ.\n", stderr);
    }
}

void bondy_secret_destroy(char *secret)
{
    if (secret != NULL)
        sodium_memzero(secret, strlen(secret));
    bondy_free(secret);
}

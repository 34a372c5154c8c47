/* SPDX-License-Identifier: Apache-2.0 */

/* cmd_backup: copies of the store to this machine and from it. A download is written beside its
 * file, which gets its name when all of it is there; nothing is ever written over. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/ctl/admin.h"
#include "src/ctl/call.h"
#include "src/ctl/commands.h"

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* So that it is one segment of a path and nothing else; whether it is a name the daemon says. */
static int make_path(const char *name, char out[128], struct bondy_error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (*name == '\0' || *name == '.' || strspn(name, allowed) != strlen(name) || strlen(name) > 64)
        return bondy_fail(err, BONDY_EINVAL,
                          "\"%.64s\" is no name of a backup, such as bondy_backup.1767225600.bdyb",
                          name);
    snprintf(out, 128, "/backups/%s", name);
    return BONDY_OK;
}

static int check_count(const struct bondy_ctl_options *options, struct bondy_error *err)
{
    if (options->argument_count >= 1 && options->argument_count <= 2)
        return BONDY_OK;
    return bondy_fail(err, BONDY_EINVAL, "usage: bondy %s [options] %s", options->verb->name,
                      options->verb->usage);
}

static int cannot(const char *path, struct bondy_error *err)
{
    return bondy_fail(err, BONDY_EINVAL, "%s: %s", path, strerror(errno));
}

/* ---- download -------------------------------------------------------------------------------- */

struct target {
    const char *path; /* "-": standard output */
    char *part;       /* NULL: none was made */
    int fd;
};

static int open_target(struct target *target, struct bondy_error *err)
{
    struct bondy_buf part = BONDY_BUF_EMPTY;
    struct stat info;

    target->fd = -1;
    if (strcmp(target->path, "-") == 0) {
        target->fd = STDOUT_FILENO;
        if (isatty(STDOUT_FILENO) == 1)
            return bondy_fail(err, BONDY_EINVAL, "a backup is not written to a terminal");
        return BONDY_OK;
    }
    if (lstat(target->path, &info) == 0)
        return bondy_fail(err, BONDY_EINVAL, "%s is there already", target->path);
    bondy_buf_printf(&part, "%s.part", target->path);
    bondy_buf_append_byte(&part, 0);
    target->fd = open(part.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (target->fd < 0)
        cannot(part.data, err);
    else
        target->part = bondy_strdup(part.data);
    bondy_buf_fini(&part);
    return target->fd < 0 ? BONDY_EINVAL : BONDY_OK;
}

static int name_target(struct target *target, struct bondy_error *err)
{
    int rc;

    if (target->part == NULL)
        return BONDY_OK;
    rc = fsync(target->fd);
    if (rc == 0)
        rc = renameat2(AT_FDCWD, target->part, AT_FDCWD, target->path, RENAME_NOREPLACE);
    if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
        rc = rename(target->part, target->path); /* it was not there a moment ago */
    return rc < 0 ? cannot(target->path, err) : BONDY_OK;
}

static void close_target(struct target *target)
{
    if (target->part == NULL)
        return;
    close(target->fd);
    unlink(target->part);
    bondy_free(target->part);
}

int bondy_ctl_run_download(const struct bondy_ctl_options *options)
{
    struct target target = {.fd = -1};
    struct bondy_http_answer answer;
    struct bondy_http_file file = {.in = -1};
    struct bondy_error err;
    json_t *body;
    char path[128];
    int status, rc = check_count(options, &err);

    if (rc == BONDY_OK)
        rc = make_path(options->arguments[0], path, &err);
    if (rc == BONDY_OK) {
        target.path = options->arguments[options->argument_count - 1];
        rc = open_target(&target, &err);
    }
    if (rc < 0)
        return bondy_ctl_misuse(&err);
    file.out = target.fd;
    status = bondy_admin_ask(options, &(struct bondy_admin_request){.path = path, .file = &file},
                             &answer, &body);
    if (status == BONDY_EXIT_OK && name_target(&target, &err) < 0)
        status = bondy_ctl_fail(BONDY_EINVAL, &err);
    close_target(&target);
    bondy_http_answer_fini(&answer);
    json_decref(body);
    return status;
}

/* ---- upload ---------------------------------------------------------------------------------- */

static int open_source(const char *path, struct bondy_http_file *file, struct bondy_error *err)
{
    struct stat info;

    file->in = open(path, O_RDONLY | O_CLOEXEC);
    if (file->in < 0 || fstat(file->in, &info) < 0)
        return cannot(path, err);
    if (!S_ISREG(info.st_mode))
        return bondy_fail(err, BONDY_EINVAL, "%s is not a plain file", path);
    file->in_len = (uint64_t)info.st_size;
    return BONDY_OK;
}

int bondy_ctl_run_upload(const struct bondy_ctl_options *options)
{
    struct bondy_http_file file = {.in = -1, .out = -1};
    struct bondy_http_answer answer;
    struct bondy_error err;
    json_t *body;
    char path[128];
    int status, rc = check_count(options, &err);

    if (rc == BONDY_OK)
        rc = make_path(options->argument_count == 2 ? options->arguments[1]
                                                    : last_part(options->arguments[0]),
                       path, &err);
    if (rc == BONDY_OK)
        rc = open_source(options->arguments[0], &file, &err);
    if (rc < 0) {
        if (file.in >= 0)
            close(file.in);
        return bondy_ctl_misuse(&err);
    }
    status = bondy_admin_ask(options, &(struct bondy_admin_request){.path = path, .file = &file},
                             &answer, &body);
    close(file.in);
    if (status == BONDY_EXIT_OK)
        bondy_admin_print(options, body);
    bondy_http_answer_fini(&answer);
    json_decref(body);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"

#define READ_STEP 16384

static int system_failure(struct bondy_error *err, const char *path)
{
    int code = errno == ENOENT                     ? BONDY_ENOENT
               : errno == EACCES || errno == EPERM ? BONDY_EDENIED
                                                   : BONDY_EIO;

    return bondy_fail(err, code, "%s: %s", path, strerror(errno));
}

static int read_all(int fd, const char *path, size_t max_bytes, struct bondy_buf *out,
                    struct bondy_error *err)
{
    size_t total = 0;

    for (;;) {
        char *at = bondy_buf_reserve(out, READ_STEP);
        ssize_t got = read(fd, at, READ_STEP);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_failure(err, path);
        if (got == 0)
            return BONDY_OK;
        total += (size_t)got;
        if (total > max_bytes)
            return bondy_fail(err, BONDY_ELIMIT, "%s: more than %zu bytes", path, max_bytes);
        out->len += (size_t)got;
    }
}

int bondy_file_read(const char *path, size_t max_bytes, struct bondy_buf *out,
                    struct bondy_error *err)
{
    size_t len = out->len;
    int rc;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return system_failure(err, path);
    rc = read_all(fd, path, max_bytes, out, err);
    if (rc < 0)
        out->len = len;
    close(fd);
    return rc;
}

static int write_all(int fd, struct bondy_slice content)
{
    while (content.len > 0) {
        ssize_t written = write(fd, content.data, content.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        content = bondy_slice_skip(content, (size_t)written);
    }
    return 0;
}

/* The rename is durable only when its folder is on disk too. */
static int sync_folder(const char *path)
{
    char *copy = bondy_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    bondy_free(copy);
    return rc;
}

int bondy_file_write(const char *path, struct bondy_slice content, unsigned mode,
                     struct bondy_error *err)
{
    struct bondy_buf name = BONDY_BUF_EMPTY;
    char *temporary;
    int rc = BONDY_OK;
    int fd;

    bondy_buf_printf(&name, "%s.XXXXXX", path);
    temporary = bondy_buf_take_text(&name);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        rc = system_failure(err, path);
        bondy_free(temporary);
        return rc;
    }
    if (write_all(fd, content) < 0 || fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0 ||
        rename(temporary, path) < 0) {
        rc = system_failure(err, path);
        unlink(temporary);
    } else if (sync_folder(path) < 0) {
        rc = system_failure(err, path);
    }
    close(fd);
    bondy_free(temporary);
    return rc;
}

static int make_one(const char *path, bool must_be_ours, struct bondy_error *err)
{
    struct stat info;

    if (mkdir(path, 0700) == 0)
        return BONDY_OK;
    if (errno != EEXIST || stat(path, &info) < 0)
        return system_failure(err, path);
    if (!S_ISDIR(info.st_mode))
        return bondy_fail(err, BONDY_EEXIST, "%s: there already, and not a folder", path);
    if (must_be_ours && info.st_uid != geteuid())
        return bondy_fail(err, BONDY_EDENIED, "%s: belongs to user %u, not to us (%u)", path,
                          (unsigned)info.st_uid, (unsigned)geteuid());
    return BONDY_OK;
}

int bondy_file_mkdir(const char *path, struct bondy_error *err)
{
    char *copy = bondy_strdup(path);
    int rc = BONDY_OK;

    for (char *slash = strchr(copy + 1, '/'); rc == BONDY_OK && slash != NULL && slash[1] != '\0';
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        rc = make_one(copy, false, err);
        *slash = '/';
    }
    if (rc == BONDY_OK)
        rc = make_one(path, true, err);
    bondy_free(copy);
    return rc;
}

int bondy_file_check_private(const char *path, struct bondy_error *err)
{
    struct stat info;

    if (stat(path, &info) < 0)
        return system_failure(err, path);
    if ((info.st_mode & 077) != 0)
        return bondy_fail(err, BONDY_EDENIED, "%s: mode %03o lets others in, expected 600", path,
                          (unsigned)(info.st_mode & 0777));
    return BONDY_OK;
}

int bondy_file_lock(const char *path, int *held, struct bondy_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc;

    if (fd < 0)
        return system_failure(err, path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *held = fd;
        return BONDY_OK;
    }
    if (errno == EWOULDBLOCK)
        rc = bondy_fail(err, BONDY_EEXIST, "%s: another process holds this lock", path);
    else
        rc = system_failure(err, path);
    close(fd);
    return rc;
}

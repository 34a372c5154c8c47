/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/backup_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/store/backup.h"
#include "src/sys/file.h"

#define NAMES_A_SECOND 1000
#define PREFIX "bondy_backup."
#define PART BONDY_BACKUP_PART

static int refuse(struct bondy_error *err, struct bondy_slice name, const char *why)
{
    return bondy_fail(err, BONDY_EINVAL, "\"%.*s\" %s", (int)(name.len > 256 ? 256 : name.len),
                      name.data == NULL ? "" : name.data, why);
}

/* Takes `dir` and its slash off an absolute name. */
static bool strip(struct bondy_slice *name, const char *dir)
{
    struct bondy_slice folder = bondy_slice_text(dir);

    while (folder.len > 1 && folder.data[folder.len - 1] == '/')
        folder.len--;
    if (!bondy_slice_starts(*name, folder) ||
        (name->len > folder.len && name->data[folder.len] != '/'))
        return false;
    *name = bondy_slice_skip(*name, folder.len);
    return true;
}

/* As a name relative to `dir`, with its syntax checked. */
static int make_relative(const char *dir, struct bondy_slice *name, struct bondy_error *err)
{
    struct bondy_slice whole = *name;
    char *real;
    bool is_inside;

    if (name->len >= PATH_MAX || (name->len > 0 && memchr(name->data, '\0', name->len) != NULL))
        return refuse(err, whole, "cannot be a name of a file");
    if (name->len == 0 || name->data[0] != '/' || strip(name, dir))
        return BONDY_OK;
    real = realpath(dir, NULL);
    is_inside = real != NULL && strip(name, real);
    free(real);
    if (!is_inside)
        return refuse(err, whole, "is not inside the folder for backups (backup.dir)");
    return BONDY_OK;
}

/* The next part between slashes; false at the end. */
static bool next_part(struct bondy_slice *rest, struct bondy_slice *part)
{
    const char *slash;

    while (rest->len > 0 && rest->data[0] == '/')
        *rest = bondy_slice_skip(*rest, 1);
    if (rest->len == 0)
        return false;
    slash = memchr(rest->data, '/', rest->len);
    *part = bondy_slice_of(rest->data, slash == NULL ? rest->len : (size_t)(slash - rest->data));
    *rest = bondy_slice_skip(*rest, part->len);
    return true;
}

static int fail_open(struct bondy_error *err, struct bondy_slice name, int folder, const char *part)
{
    struct stat info;
    int code = errno;

    if (fstatat(folder, part, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode))
        return refuse(err, name, "leads over a link: not allowed in the folder for backups");
    if (code == ENOTDIR || code == ELOOP)
        return refuse(err, name, "has a part that is not a folder");
    return bondy_fail(err, code == ENOENT ? BONDY_ENOENT : BONDY_EIO, "%.*s: %s", (int)name.len,
                      name.data, strerror(code));
}

/* One step down: *folder is replaced. */
static int enter(int *folder, struct bondy_slice name, const char *part, bool make,
                 struct bondy_error *err)
{
    int next;

    if (make && mkdirat(*folder, part, 0700) < 0 && errno != EEXIST)
        return fail_open(err, name, *folder, part);
    next = openat(*folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return fail_open(err, name, *folder, part);
    close(*folder);
    *folder = next;
    return BONDY_OK;
}

/* Walks all parts but the last, or all of them when `last` is NULL. */
static int walk(int *folder, struct bondy_slice name, struct bondy_slice relative, bool make,
                char *last, struct bondy_buf *full, struct bondy_error *err)
{
    struct bondy_slice part, rest = relative;
    char text[NAME_MAX + 1];
    bool is_known = false;
    int rc;

    while (next_part(&rest, &part)) {
        if (bondy_slice_is(part, "."))
            continue;
        if (bondy_slice_is(part, ".."))
            return refuse(err, name, "has a \"..\": not allowed in the folder for backups");
        if (part.len > NAME_MAX)
            return refuse(err, name, "has a part that is too long for a file");
        if (is_known && (rc = enter(folder, name, text, make, err)) < 0)
            return rc;
        memcpy(text, part.data, part.len);
        text[part.len] = '\0';
        is_known = true;
        bondy_buf_printf(full, "/%s", text);
    }
    if (last == NULL)
        return is_known ? enter(folder, name, text, make, err) : BONDY_OK;
    if (!is_known)
        return refuse(err, name, "names no file");
    memcpy(last, text, strlen(text) + 1);
    return BONDY_OK;
}

static int open_dir(const char *dir, int *fd, struct bondy_error *err)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return bondy_fail(err, errno == ENOENT ? BONDY_ENOENT : BONDY_EIO, "%s: %s", dir,
                          strerror(errno));
    return BONDY_OK;
}

int bondy_backup_open_folder(const char *dir, struct bondy_slice path, int *fd,
                             struct bondy_buf *full, struct bondy_error *err)
{
    struct bondy_slice relative = path;
    int folder = -1;
    int rc;

    if ((rc = make_relative(dir, &relative, err)) < 0 || (rc = bondy_file_mkdir(dir, err)) < 0 ||
        (rc = open_dir(dir, &folder, err)) < 0)
        return rc;
    bondy_buf_append_text(full, dir);
    while (full->len > 1 && full->data[full->len - 1] == '/')
        full->len--;
    rc = walk(&folder, path, relative, true, NULL, full, err);
    if (rc < 0)
        close(folder);
    else
        *fd = folder;
    return rc;
}

int bondy_backup_open_file(const char *dir, struct bondy_slice filename, int *fd,
                           struct bondy_error *err)
{
    struct bondy_slice relative = filename;
    struct bondy_buf full = BONDY_BUF_EMPTY;
    char last[NAME_MAX + 1];
    struct stat info;
    int folder = -1, file = -1;
    int rc;

    if ((rc = make_relative(dir, &relative, err)) < 0 || (rc = open_dir(dir, &folder, err)) < 0)
        return rc;
    if ((rc = walk(&folder, filename, relative, false, last, &full, err)) < 0)
        goto out;
    /* Not waiting, should it be a pipe. */
    file = openat(folder, last, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        rc = fail_open(err, filename, folder, last);
    else if (fstat(file, &info) < 0 || !S_ISREG(info.st_mode))
        rc = refuse(err, filename, "is not a plain file");
    else
        *fd = file;
out:
    if (rc < 0 && file >= 0)
        close(file);
    close(folder);
    bondy_buf_fini(&full);
    return rc;
}

static void write_name(uint64_t seconds, unsigned number, char out[BONDY_BACKUP_NAME_MAX])
{
    if (number == 1)
        snprintf(out, BONDY_BACKUP_NAME_MAX, PREFIX "%" PRIu64 BONDY_BACKUP_SUFFIX, seconds);
    else
        snprintf(out, BONDY_BACKUP_NAME_MAX, PREFIX "%" PRIu64 ".%u" BONDY_BACKUP_SUFFIX, seconds,
                 number);
}

int bondy_backup_make_file(int folder, uint64_t seconds, char name[64], int *fd,
                           struct bondy_error *err)
{
    char part[80];
    struct stat info;

    for (unsigned i = 1; i <= NAMES_A_SECOND; i++) {
        write_name(seconds, i, name);
        if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        snprintf(part, sizeof part, "%s" PART, name);
        *fd = openat(folder, part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (*fd >= 0)
            return BONDY_OK;
        if (errno != EEXIST)
            return bondy_fail(err, BONDY_EIO, "%s: %s", part, strerror(errno));
    }
    return bondy_fail(err, BONDY_ELIMIT, "there are %d backups of this second", NAMES_A_SECOND);
}

bool bondy_backup_name_parse(const char *name, uint64_t *seconds, unsigned *number)
{
    const char *at = name + strlen(PREFIX);
    char *end;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || *at < '0' || *at > '9')
        return false;
    *seconds = strtoull(at, &end, 10);
    *number = 1;
    if (end[0] == '.' && end[1] >= '0' && end[1] <= '9')
        *number = (unsigned)strtoul(end + 1, &end, 10);
    return strcmp(end, BONDY_BACKUP_SUFFIX) == 0;
}

bool bondy_backup_name_take(struct bondy_slice name, char out[BONDY_BACKUP_NAME_MAX],
                            uint64_t *seconds)
{
    char text[BONDY_BACKUP_NAME_MAX];
    unsigned number;

    if (name.len == 0 || name.len >= sizeof text || memchr(name.data, '\0', name.len) != NULL)
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    if (!bondy_backup_name_parse(text, seconds, &number) || number > NAMES_A_SECOND)
        return false;
    write_name(*seconds, number, out);
    return strcmp(text, out) == 0;
}

bool bondy_backup_name_is_part(const char *name)
{
    char whole[64];
    size_t len = strlen(name);
    uint64_t seconds;
    unsigned number;

    if (len < strlen(PART) || len - strlen(PART) >= sizeof whole ||
        strcmp(name + len - strlen(PART), PART) != 0)
        return false;
    memcpy(whole, name, len - strlen(PART));
    whole[len - strlen(PART)] = '\0';
    return bondy_backup_name_parse(whole, &seconds, &number);
}

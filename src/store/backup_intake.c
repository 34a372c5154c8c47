/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/store/backup_file.h"
#include "src/store/backup_name.h"

/* A backup that somebody brings. It grows as NAME.part, which nobody takes for a backup, and gets
 * its name when all of it was checked and is on disk: what was brought half, or is none, leaves
 * nothing. The .part is made by whoever is first, so that one name is not brought twice at once,
 * nor while a copy of this node is about to get it. */

/* A newest backup from the future would keep `backup.schedule` waiting for it; clocks differ a
 * little. */
#define AHEAD_MAX_S 300
#define NO_FILE (-1)

struct bondy_backup_intake {
    int folder, fd; /* fd: NO_FILE when it has its name */
    char name[BONDY_BACKUP_NAME_MAX];
    char part[BONDY_BACKUP_NAME_MAX + 8];
    uint64_t size;
};

static int check_name(struct bondy_slice name, char out[BONDY_BACKUP_NAME_MAX],
                      struct bondy_error *err)
{
    uint64_t seconds;

    if (!bondy_backup_name_take(name, out, &seconds))
        return bondy_fail(err, BONDY_EINVAL, BONDY_BACKUP_NO_NAME);
    if (seconds > bondy_clock_wall_ms() / 1000 + AHEAD_MAX_S)
        return bondy_fail(err, BONDY_EINVAL, "%s is a name of a backup from the future", out);
    return BONDY_OK;
}

static int fail(const struct bondy_backup_intake *intake, struct bondy_error *err)
{
    int code = errno;

    if (code == ENOSPC || code == EDQUOT)
        return bondy_fail(err, BONDY_ELIMIT, "%s: %s", intake->name, strerror(code));
    return bondy_fail(err, BONDY_EIO, "%s: %s", intake->name, strerror(code));
}

static int is_there(struct bondy_error *err, const char *name)
{
    return bondy_fail(err, BONDY_EEXIST, "there is a backup %s already", name);
}

static int make_part(struct bondy_backup_intake *intake, struct bondy_error *err)
{
    struct stat info;

    if (fstatat(intake->folder, intake->name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        return is_there(err, intake->name);
    snprintf(intake->part, sizeof intake->part, "%s" BONDY_BACKUP_PART, intake->name);
    intake->fd = openat(intake->folder, intake->part,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (intake->fd >= 0)
        return BONDY_OK;
    if (errno == EEXIST)
        return bondy_fail(err, BONDY_ESTATE, "%s is being written by somebody else", intake->name);
    return fail(intake, err);
}

int bondy_backup_intake_check_wait(const char *dir, struct bondy_slice name,
                                   struct bondy_error *err)
{
    char text[BONDY_BACKUP_NAME_MAX];
    int fd = NO_FILE;
    int rc = check_name(name, text, err);

    if (rc < 0)
        return rc;
    rc = bondy_backup_open_file(dir, name, &fd, NULL);
    if (fd >= 0)
        close(fd);
    return rc == BONDY_ENOENT ? BONDY_OK : is_there(err, text);
}

int bondy_backup_intake_begin_wait(const char *dir, struct bondy_slice name,
                                   struct bondy_backup_intake **out, struct bondy_error *err)
{
    struct bondy_backup_intake *intake = bondy_zalloc(sizeof *intake);
    struct bondy_buf full = BONDY_BUF_EMPTY;
    int rc;

    intake->folder = intake->fd = NO_FILE;
    if ((rc = check_name(name, intake->name, err)) < 0 ||
        (rc = bondy_backup_open_folder(dir, BONDY_SLICE_EMPTY, &intake->folder, &full, err)) < 0 ||
        (rc = make_part(intake, err)) < 0)
        goto out;
    *out = BONDY_MOVE(intake);
out:
    bondy_backup_intake_destroy_wait(intake);
    bondy_buf_fini(&full);
    return rc;
}

int bondy_backup_intake_append_wait(struct bondy_backup_intake *intake, struct bondy_slice bytes,
                                    struct bondy_error *err)
{
    while (bytes.len > 0) {
        ssize_t written = write(intake->fd, bytes.data, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail(intake, err);
        bytes = bondy_slice_skip(bytes, (size_t)written);
        intake->size += (uint64_t)written;
    }
    return BONDY_OK;
}

/* ---- the check ------------------------------------------------------------------------------- */

static int look_around(struct bondy_backup_progress *progress,
                       const struct bondy_backup_reader *reader, struct bondy_error *err)
{
    atomic_store(&progress->bytes, reader->at);
    if (atomic_load(&progress->is_cancelled))
        return bondy_fail(err, BONDY_ESTATE, "cancelled");
    return BONDY_OK;
}

static int read_records(struct bondy_backup_reader *reader, struct bondy_backup_progress *progress,
                        struct bondy_error *err)
{
    struct bondy_slice key, envelope;
    bool has_record = true;
    int rc = BONDY_OK;

    while (rc == BONDY_OK && has_record) {
        rc = bondy_backup_read_record(reader, &key, &envelope, &has_record, err);
        if (rc == BONDY_OK)
            rc = look_around(progress, reader, err);
    }
    return rc;
}

/* What is sealed shows its frames only; its seal is proved by who has the key, when it is restored.
 */
static int read_frames(struct bondy_backup_reader *reader, struct bondy_backup_progress *progress,
                       struct bondy_error *err)
{
    bool has_block = true;
    int rc = BONDY_OK;

    while (rc == BONDY_OK && has_block) {
        rc = bondy_backup_read_frame(reader, &has_block, err);
        if (rc == BONDY_OK)
            rc = look_around(progress, reader, err);
    }
    return rc;
}

static int check_content(const struct bondy_backup_intake *intake,
                         struct bondy_backup_progress *progress, json_t **header,
                         struct bondy_error *err)
{
    struct bondy_backup_reader reader;
    int rc = bondy_backup_reader_init(&reader, intake->fd, false, NULL, err);

    if (rc == BONDY_OK)
        rc = json_object_get(reader.header, "encryption") != NULL
                 ? read_frames(&reader, progress, err)
                 : read_records(&reader, progress, err);
    if (rc == BONDY_OK)
        *header = BONDY_MOVE(reader.header);
    bondy_backup_reader_fini(&reader);
    return rc;
}

/* Never over something that is there: where the file system cannot rename like that, by a link. */
static int put_in_place(const struct bondy_backup_intake *intake)
{
    if (renameat2(intake->folder, intake->part, intake->folder, intake->name, RENAME_NOREPLACE) ==
        0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(intake->folder, intake->part, intake->folder, intake->name, 0) < 0)
        return -1;
    return unlinkat(intake->folder, intake->part, 0);
}

static int give_name(struct bondy_backup_intake *intake, struct bondy_error *err)
{
    if (fsync(intake->fd) < 0)
        return fail(intake, err);
    if (put_in_place(intake) < 0)
        return errno == EEXIST ? is_there(err, intake->name) : fail(intake, err);
    close(intake->fd);
    intake->fd = NO_FILE;
    return fsync(intake->folder) < 0 ? fail(intake, err) : BONDY_OK;
}

int bondy_backup_intake_finish_wait(struct bondy_backup_intake *intake,
                                    struct bondy_backup_progress *progress, json_t **header,
                                    struct bondy_error *err)
{
    json_t *found = NULL;
    int rc = check_content(intake, progress, &found, err);

    if (rc == BONDY_OK)
        rc = give_name(intake, err);
    if (rc == BONDY_OK)
        *header = BONDY_MOVE(found);
    json_decref(found);
    return rc;
}

uint64_t bondy_backup_intake_size(const struct bondy_backup_intake *intake)
{
    return intake->size;
}

void bondy_backup_intake_destroy_wait(struct bondy_backup_intake *intake)
{
    if (intake == NULL)
        return;
    if (intake->fd >= 0) {
        unlinkat(intake->folder, intake->part, 0);
        close(intake->fd);
    }
    if (intake->folder >= 0)
        close(intake->folder);
    bondy_free(intake);
}

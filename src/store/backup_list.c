/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/store/backup.h"
#include "src/store/backup_name.h"

/* What lies in the folder, and the small conversions of backup.h. */

struct found {
    char name[64];
    uint64_t seconds;
    unsigned number;
    uint64_t size;
};

struct listing {
    struct found *items;
    size_t count, cap;
};

static int newest_first(const void *a, const void *b)
{
    const struct found *left = a, *right = b;

    if (left->seconds != right->seconds)
        return left->seconds > right->seconds ? -1 : 1;
    return left->number > right->number ? -1 : left->number < right->number;
}

static void add_entry(struct listing *listing, int folder, const char *name)
{
    struct found found = {.seconds = 0};
    struct stat info;

    if (strlen(name) >= sizeof found.name ||
        !bondy_backup_name_parse(name, &found.seconds, &found.number) ||
        fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(info.st_mode))
        return;
    memcpy(found.name, name, strlen(name) + 1);
    found.size = (uint64_t)info.st_size;
    if (listing->count == listing->cap) {
        listing->cap = listing->cap == 0 ? 16 : listing->cap * 2;
        listing->items = bondy_realloc(listing->items, listing->cap * sizeof *listing->items);
    }
    listing->items[listing->count++] = found;
}

/* `*folder` stays open with the listing. A folder that is not there is an empty one. */
static int read_folder(const char *dir, struct listing *listing, DIR **folder,
                       struct bondy_error *err)
{
    struct dirent *entry;

    *folder = opendir(dir);
    if (*folder == NULL && errno == ENOENT)
        return BONDY_OK;
    if (*folder == NULL)
        return bondy_fail(err, BONDY_EIO, "%s: %s", dir, strerror(errno));
    while ((entry = readdir(*folder)) != NULL)
        add_entry(listing, dirfd(*folder), entry->d_name);
    if (listing->count > 0)
        qsort(listing->items, listing->count, sizeof *listing->items, newest_first);
    return BONDY_OK;
}

int bondy_backup_list_wait(const char *dir, json_t **out, struct bondy_error *err)
{
    struct listing listing = {.count = 0};
    DIR *folder;
    int rc = read_folder(dir, &listing, &folder, err);

    if (rc < 0)
        return rc;
    *out = json_array();
    for (size_t i = 0; i < listing.count; i++)
        json_array_append_new(*out, json_pack("{s:s, s:I, s:I}", "name", listing.items[i].name,
                                              "timestamp", (json_int_t)listing.items[i].seconds,
                                              "size", (json_int_t)listing.items[i].size));
    if (folder != NULL)
        closedir(folder);
    bondy_free(listing.items);
    return BONDY_OK;
}

int bondy_backup_keep_wait(const char *dir, size_t keep, size_t *removed, struct bondy_error *err)
{
    struct listing listing = {.count = 0};
    size_t gone = 0;
    DIR *folder;
    int rc = read_folder(dir, &listing, &folder, err);

    if (rc < 0)
        return rc;
    for (size_t i = keep; i < listing.count && rc == BONDY_OK; i++) {
        if (unlinkat(dirfd(folder), listing.items[i].name, 0) < 0 && errno != ENOENT)
            rc = bondy_fail(err, BONDY_EIO, "%s/%s: %s", dir, listing.items[i].name,
                            strerror(errno));
        else
            gone++;
    }
    if (folder != NULL)
        closedir(folder);
    bondy_free(listing.items);
    if (removed != NULL)
        *removed = gone;
    return rc;
}

int bondy_backup_clean_wait(const char *dir, struct bondy_error *err)
{
    DIR *folder = opendir(dir);
    struct dirent *entry;
    int rc = BONDY_OK;

    if (folder == NULL)
        return errno == ENOENT ? BONDY_OK
                               : bondy_fail(err, BONDY_EIO, "%s: %s", dir, strerror(errno));
    while (rc == BONDY_OK && (entry = readdir(folder)) != NULL)
        if (bondy_backup_name_is_part(entry->d_name) &&
            unlinkat(dirfd(folder), entry->d_name, 0) < 0)
            rc = bondy_fail(err, BONDY_EIO, "%s/%s: %s", dir, entry->d_name, strerror(errno));
    closedir(folder);
    return rc;
}

uint64_t bondy_backup_name_seconds(struct bondy_slice name)
{
    char text[BONDY_BACKUP_NAME_MAX];
    uint64_t seconds;

    return bondy_backup_name_take(name, text, &seconds) ? seconds : 0;
}

int bondy_backup_open_wait(const char *dir, struct bondy_slice filename, int *fd,
                           struct bondy_error *err)
{
    char name[BONDY_BACKUP_NAME_MAX];
    uint64_t seconds;

    if (!bondy_backup_name_take(filename, name, &seconds))
        return bondy_fail(err, BONDY_EINVAL, BONDY_BACKUP_NO_NAME);
    return bondy_backup_open_file(dir, filename, fd, err);
}

int bondy_backup_key_parse(struct bondy_slice text, uint8_t out[BONDY_BACKUP_KEY_LEN],
                           struct bondy_error *err)
{
    static const int variants[] = {
        sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    size_t len = 0;

    if (text.len == (size_t)BONDY_BACKUP_KEY_LEN * 2 &&
        sodium_hex2bin(out, BONDY_BACKUP_KEY_LEN, text.data, text.len, NULL, &len, NULL) == 0 &&
        len == BONDY_BACKUP_KEY_LEN)
        return BONDY_OK;
    for (size_t i = 0; i < BONDY_COUNT(variants) && text.len <= 44; i++)
        if (sodium_base642bin(out, BONDY_BACKUP_KEY_LEN, text.data, text.len, NULL, &len, NULL,
                              variants[i]) == 0 &&
            len == BONDY_BACKUP_KEY_LEN)
            return BONDY_OK;
    return bondy_fail(err, BONDY_EINVAL,
                      "a key has to be 32 octets, as 64 hex digits or in base64");
}

static json_t *counts_tree(const struct bondy_backup_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "new", (json_int_t)counts->fresh, "newer",
                     (json_int_t)counts->newer, "older", (json_int_t)counts->older, "equal",
                     (json_int_t)counts->equal);
}

json_t *bondy_backup_report_tree(const struct bondy_backup_report *report)
{
    json_t *types = json_object();

    for (int type = BONDY_RECORD_REALM; type < BONDY_BACKUP_TYPES; type++) {
        const struct bondy_backup_counts *counts = &report->types[type];

        if (counts->fresh + counts->newer + counts->older + counts->equal > 0)
            json_object_set_new(types, bondy_backup_type_name((enum bondy_record_type)type),
                                counts_tree(counts));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "records", (json_int_t)report->records,
                     "bytes", (json_int_t)report->bytes, "filtered", (json_int_t)report->filtered,
                     "expired", (json_int_t)report->expired, "hidden", (json_int_t)report->hidden,
                     "drifted", (json_int_t)report->drifted, "types", types);
}

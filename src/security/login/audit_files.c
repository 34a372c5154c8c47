/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/login/audit_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"

#define CURRENT "audit.jsonl"
#define CHUNK ((size_t)64 * 1024)
#define LINE_MAX_LEN ((size_t)64 * 1024)
#define LINE_DEPTH 4
/* A line is {"id":"<36>","time":"<24>",... */
#define ID_AT 7u
#define ID_LEN 36u
#define ID_TIME_LEN 13u /* of a UUIDv7: its milliseconds and the dash between */
#define TIME_AT (ID_AT + ID_LEN + 10u)
#define TIME_LEN 24u

/* ---- names ------------------------------------------------------------------------------------*/

static char *path_of(const char *folder, const char *name)
{
    struct bondy_buf path = BONDY_BUF_EMPTY;

    bondy_buf_printf(&path, "%s/%s", folder, name);
    return bondy_buf_take_text(&path);
}

static bool is_full_name(const char *name)
{
    size_t len = strlen(name);

    return strncmp(name, "audit-", 6) == 0 && len > 12 && strcmp(name + len - 6, ".jsonl") == 0;
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(char *const *)b, *(char *const *)a);
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bondy_free(names[i]);
    bondy_free(names);
}

/* Names of full files, newest first. */
static size_t list_names(const char *folder, char ***out)
{
    DIR *dir = opendir(folder);
    size_t count = 0, cap = 0;
    const struct dirent *entry;
    char **names = NULL;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (!is_full_name(entry->d_name))
            continue;
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            names = bondy_realloc(names, cap * sizeof *names);
        }
        names[count++] = bondy_memdup0(entry->d_name, strlen(entry->d_name));
    }
    if (dir != NULL)
        closedir(dir);
    if (count > 0)
        qsort(names, count, sizeof *names, newest_first);
    *out = names;
    return count;
}

/* ---- writing ----------------------------------------------------------------------------------*/

int bondy_audit_files_open(const char *folder, uint64_t *len, struct bondy_error *err)
{
    char *path = path_of(folder, CURRENT);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status;
    char last = '\n';

    *len = 0;
    if (fd < 0 || fstat(fd, &status) < 0) {
        bondy_fail(err, BONDY_EIO, "%s cannot be opened", path);
    } else {
        *len = (uint64_t)status.st_size;
        if (*len > 0 && pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n' &&
            write(fd, "\n", 1) == 1)
            ++*len;
    }
    bondy_free(path);
    return fd;
}

void bondy_audit_files_rotate(const char *folder, unsigned kept)
{
    char *from = path_of(folder, CURRENT), *to, **names;
    char time[25], name[48];
    size_t count;

    /* The time without its colons; two within one millisecond would be one file. */
    bondy_clock_format(bondy_clock_wall_ms(), time);
    for (char *at = time; *at != '\0'; at++)
        *at = *at == ':' ? '-' : *at;
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof name, "audit-%s-%04u.jsonl", time, i);
        to = path_of(folder, name);
        if (link(from, to) == 0 || i == 9999)
            break;
        bondy_free(to);
    }
    unlink(from);
    bondy_free(from);
    bondy_free(to);
    count = list_names(folder, &names);
    for (size_t i = kept; i < count; i++) {
        char *old = path_of(folder, names[i]);

        unlink(old);
        bondy_free(old);
    }
    free_names(names, count);
}

/* ---- reading ----------------------------------------------------------------------------------*/

size_t bondy_audit_files_list(const char *folder, int fds[BONDY_AUDIT_FILES_MAX])
{
    char *path = path_of(folder, CURRENT), **names;
    size_t count = list_names(folder, &names), opened = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    bondy_free(path);
    if (fd >= 0)
        fds[opened++] = fd;
    for (size_t i = 0; i < count && opened < BONDY_AUDIT_FILES_MAX; i++) {
        path = path_of(folder, names[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        bondy_free(path);
        if (fd >= 0)
            fds[opened++] = fd;
    }
    free_names(names, count);
    return opened;
}

/* A file as lines from its end: `bytes` holds what was read and not given out yet. */
struct backward {
    int fd;
    off_t rest; /* octets before `bytes` */
    char *bytes;
    size_t len;
};

/* False: nothing is left before, or the line is longer than any we write. */
static bool read_more(struct backward *file)
{
    size_t count = file->rest < (off_t)CHUNK ? (size_t)file->rest : CHUNK;

    if (count == 0 || file->len > LINE_MAX_LEN)
        return false;
    file->bytes = bondy_realloc(file->bytes, file->len + count);
    memmove(file->bytes + count, file->bytes, file->len);
    file->rest -= (off_t)count;
    if (pread(file->fd, file->bytes, count, file->rest) != (ssize_t)count)
        return false;
    file->len += count;
    return true;
}

/* The line before the ones that were given out; borrowed until the next call. */
static bool line_before(struct backward *file, struct bondy_slice *line)
{
    const char *end;

    do {
        while (file->len > 0 && file->bytes[file->len - 1] == '\n')
            file->len--;
        end = file->len == 0 ? NULL : memrchr(file->bytes, '\n', file->len);
        if (end != NULL) {
            size_t start = (size_t)(end - file->bytes) + 1;

            *line = bondy_slice_of(file->bytes + start, file->len - start);
            file->len = start;
            return true;
        }
    } while (read_more(file));
    *line = bondy_slice_of(file->bytes, file->len);
    file->len = 0;
    return line->len > 0 && file->rest == 0;
}

struct reading {
    const struct bondy_audit_query *query;
    struct bondy_slice cursor; /* empty once it was found */
    json_t *entries;
    bool is_over; /* before `since`, or the page is full */
    bool has_more;
};

static bool is_entry(struct bondy_slice line)
{
    return line.len > TIME_AT + TIME_LEN && memcmp(line.data, "{\"id\":\"", ID_AT) == 0;
}

/* The cursor names the last entry of the page before. Entries of one millisecond stand in the order
 * in which they came, which is not that of their ids: hence by time, then by equality. */
static bool is_behind_cursor(struct reading *reading, struct bondy_slice line)
{
    struct bondy_slice id = bondy_slice_of(line.data + ID_AT, ID_LEN);
    int order;

    if (reading->cursor.len == 0)
        return true;
    order = memcmp(id.data, reading->cursor.data, ID_TIME_LEN);
    if (order < 0) { /* it is not there any more */
        reading->cursor = BONDY_SLICE_EMPTY;
        return true;
    }
    if (order == 0 && bondy_slice_eq(id, reading->cursor))
        reading->cursor = BONDY_SLICE_EMPTY;
    return false;
}

static int compare_time(struct bondy_slice time, struct bondy_slice with)
{
    size_t len = with.len < time.len ? with.len : time.len;

    if (with.len == 20) /* its Z stands where we have milliseconds */
        len = 19;
    return memcmp(time.data, with.data, len);
}

static bool has_text(const json_t *entry, const char *key, struct bondy_slice wanted)
{
    return wanted.len == 0 || bondy_slice_eq(bondy_json_text(entry, key), wanted);
}

static bool has_action(const json_t *entry, struct bondy_slice wanted)
{
    if (wanted.len > 0 && wanted.data[wanted.len - 1] == '.')
        return bondy_slice_starts(bondy_json_text(entry, "action"), wanted);
    return has_text(entry, "action", wanted);
}

static void take_line(struct reading *reading, struct bondy_slice line)
{
    const struct bondy_audit_query *query = reading->query;
    struct bondy_slice time;
    json_t *entry;

    if (!is_entry(line))
        return;
    time = bondy_slice_of(line.data + TIME_AT, TIME_LEN);
    if (query->since.len > 0 && compare_time(time, query->since) < 0) {
        reading->is_over = true;
        return;
    }
    if (!is_behind_cursor(reading, line) ||
        (query->until.len > 0 && compare_time(time, query->until) >= 0))
        return;
    entry = bondy_json_parse(line, LINE_DEPTH, NULL);
    if (entry != NULL && has_text(entry, "realm", query->realm) &&
        has_text(entry, "actor", query->actor) && has_text(entry, "outcome", query->outcome) &&
        has_action(entry, query->action)) {
        reading->has_more = json_array_size(reading->entries) == query->limit;
        reading->is_over = reading->has_more;
        if (!reading->is_over)
            json_array_append(reading->entries, entry);
    }
    json_decref(entry);
}

/* A whole file that is newer than the cursor need not be walked: its first line tells. */
static bool is_before_cursor(const struct reading *reading, int fd)
{
    char head[ID_AT + ID_LEN];

    return reading->cursor.len > 0 && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head + ID_AT, reading->cursor.data, ID_TIME_LEN) > 0;
}

static void read_file(struct reading *reading, int fd)
{
    struct backward file = {.fd = fd};
    struct bondy_slice line;
    struct stat status;

    if (fstat(fd, &status) < 0 || is_before_cursor(reading, fd))
        return;
    file.rest = status.st_size;
    while (!reading->is_over && line_before(&file, &line))
        take_line(reading, line);
    bondy_free(file.bytes);
}

void bondy_audit_files_read(const int *fds, size_t count, const struct bondy_audit_query *query,
                            json_t *entries, char cursor[37])
{
    struct reading reading = {.query = query, .cursor = query->cursor, .entries = entries};
    const json_t *last;

    for (size_t i = 0; i < count && !reading.is_over; i++)
        read_file(&reading, fds[i]);
    last = json_array_get(entries, json_array_size(entries) - 1);
    if (reading.has_more && last != NULL)
        snprintf(cursor, 37, "%s", json_string_value(json_object_get(last, "id")));
}

/* ---- queries ----------------------------------------------------------------------------------*/

static bool has_only(struct bondy_slice text, size_t max, const char *octets)
{
    if (text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (strchr(octets, text.data[i]) == NULL || text.data[i] == '\0')
            return false;
    return true;
}

static bool is_time(struct bondy_slice text)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";

    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';

        if (i >= TIME_LEN || (form[i] == '0' ? !is_digit : text.data[i] != form[i])) {
            /* without milliseconds */
            if (i == 19 && text.len == 20 && text.data[i] == 'Z')
                return true;
            return false;
        }
    }
    return true;
}

int bondy_audit_query_check(const struct bondy_audit_query *query, struct bondy_error *err)
{
    if (!is_time(query->since))
        return bondy_fail(err, BONDY_EINVAL, "since is no time");
    if (!is_time(query->until))
        return bondy_fail(err, BONDY_EINVAL, "until is no time");
    if (query->cursor.len != 0 &&
        (query->cursor.len != ID_LEN || !has_only(query->cursor, ID_LEN, "0123456789abcdef-")))
        return bondy_fail(err, BONDY_EINVAL, "cursor is none of ours");
    return BONDY_OK;
}

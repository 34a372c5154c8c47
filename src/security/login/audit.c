/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/login/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/base/metric.h"
#include "src/base/utf8.h"
#include "src/security/login/audit_files.h"
#include "src/sys/file.h"

#define TEXT_MAX 1024
#define FLUSH_PATIENCE_MS 1000

struct bondy_audit {
    struct bondy_audit_options options;
    char *folder;
    pthread_t thread;
    pthread_cond_t has_work, is_written;
    pthread_mutex_t lock;     /* guards everything below but the writer's own */
    struct bondy_buf waiting; /* lines */
    bool is_stopping, is_writing;
    uint64_t sample_second; /* of which `samples` were kept */
    unsigned samples;
    pthread_mutex_t files_lock; /* names of files do not change while it is held */
    /* The writer's own. */
    int fd;
    uint64_t file_len;
    bool has_failed;
    bondy_metric_id entries, full, failed, sampled;
};

static const char *const outcomes[] = {
    [BONDY_AUDIT_OK] = "ok", [BONDY_AUDIT_DENIED] = "denied", [BONDY_AUDIT_ERROR] = "error"};

/* ---- metrics ----------------------------------------------------------------------------------*/

static const char *const reason_label[] = {"reason", NULL};

static const struct bondy_metric_family entries_family = {.name = "bondy_audit_entries_total",
                                                          .help = "Entries of the audit log",
                                                          .type = BONDY_METRIC_COUNTER};
static const struct bondy_metric_family dropped_family = {.name = "bondy_audit_dropped_total",
                                                          .help = "Entries not in the audit log",
                                                          .type = BONDY_METRIC_COUNTER,
                                                          .labels = reason_label};

static bondy_metric_id dropped(const char *reason)
{
    const char *const values[] = {reason};

    return bondy_metric_series(&dropped_family, values);
}

/* ---- the writer's thread ----------------------------------------------------------------------*/

static int open_file(struct bondy_audit *audit, struct bondy_error *err)
{
    audit->fd = bondy_audit_files_open(audit->folder, &audit->file_len, err);
    return audit->fd < 0 ? BONDY_EIO : BONDY_OK;
}

static void rotate(struct bondy_audit *audit)
{
    pthread_mutex_lock(&audit->files_lock);
    close(audit->fd);
    bondy_audit_files_rotate(audit->folder, audit->options.max_files);
    open_file(audit, NULL);
    pthread_mutex_unlock(&audit->files_lock);
}

static bool put(struct bondy_audit *audit, struct bondy_slice bytes)
{
    if (audit->fd < 0 && open_file(audit, NULL) < 0)
        return false;
    while (bytes.len > 0) {
        ssize_t count = write(audit->fd, bytes.data, bytes.len);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        audit->file_len += (uint64_t)count;
        bytes = bondy_slice_skip(bytes, (size_t)count);
    }
    return true;
}

static void tell_failing(const struct bondy_audit *audit, bool is_well)
{
    bondy_log(is_well ? BONDY_LOG_INFO : BONDY_LOG_ERROR,
              is_well ? "audit_written_again" : "audit_not_written",
              BONDY_F_STR("folder", audit->folder));
    if (is_well)
        bondy_alarm_clear(BONDY_ALARM_AUDIT_NOT_WRITTEN, BONDY_SLICE_EMPTY);
    else
        bondy_alarm_set(BONDY_ALARM_AUDIT_NOT_WRITTEN, BONDY_SLICE_EMPTY,
                        "entries of the audit log cannot be written to %s and are lost",
                        audit->folder);
}

static void write_lines(struct bondy_audit *audit, struct bondy_slice lines)
{
    int64_t count = 0;
    bool is_well;

    for (size_t i = 0; i < lines.len; i++)
        count += lines.data[i] == '\n';
    if (audit->fd >= 0 && audit->file_len > 0 &&
        audit->file_len + lines.len > audit->options.max_bytes)
        rotate(audit);
    is_well = put(audit, lines);
    bondy_metric_add(is_well ? audit->entries : audit->failed, count);
    if (is_well == audit->has_failed)
        tell_failing(audit, is_well);
    audit->has_failed = !is_well;
}

static void *run(void *context)
{
    struct bondy_audit *audit = context;
    struct bondy_buf lines = BONDY_BUF_EMPTY;

    pthread_mutex_lock(&audit->lock);
    for (;;) {
        struct bondy_buf empty = lines;

        while (audit->waiting.len == 0 && !audit->is_stopping)
            pthread_cond_wait(&audit->has_work, &audit->lock);
        if (audit->waiting.len == 0)
            break;
        lines = audit->waiting;
        audit->waiting = empty;
        audit->is_writing = true;
        pthread_mutex_unlock(&audit->lock);
        write_lines(audit, bondy_buf_slice(&lines));
        bondy_buf_clear(&lines, 64 << 10);
        pthread_mutex_lock(&audit->lock);
        audit->is_writing = false;
        pthread_cond_broadcast(&audit->is_written);
    }
    pthread_mutex_unlock(&audit->lock);
    bondy_buf_fini(&lines);
    return NULL;
}

/* What was given before now is in the files, or the disk is slow. */
static void wait_for_writer(struct bondy_audit *audit)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FLUSH_PATIENCE_MS / 1000;
    pthread_mutex_lock(&audit->lock);
    while (audit->waiting.len > 0 || audit->is_writing)
        if (pthread_cond_timedwait(&audit->is_written, &audit->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&audit->lock);
}

/* ---- entries ----------------------------------------------------------------------------------*/

static json_t *clean_text(struct bondy_slice text)
{
    char copy[TEXT_MAX];

    if (text.len > TEXT_MAX) {
        text.len = TEXT_MAX;
        while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0) == 0x80)
            text.len--;
    }
    if (bondy_utf8_is_valid(text))
        return bondy_json_slice(text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (unsigned char)text.data[i] < 0x80 ? text.data[i] : '?';
    return json_stringn(copy, text.len);
}

static void add(json_t *object, const char *key, struct bondy_slice text)
{
    if (text.len > 0)
        json_object_set_new(object, key, clean_text(text));
}

/* JSON escapes what is below the space; DEL is a control octet too. */
static void append_line(const json_t *object, struct bondy_buf *out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(object, &text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == 0x7f)
            bondy_buf_append_text(out, "\\u007f");
        else
            bondy_buf_append_byte(out, text.data[i]);
    }
    bondy_buf_append_byte(out, '\n');
    bondy_buf_fini(&text);
}

/* Readers rely on the order: id and time stand first, and have a fixed length. */
static void format_entry(const struct bondy_audit_entry *entry, const char *id,
                         struct bondy_buf *out)
{
    json_t *object = json_object();
    char time[25];

    bondy_clock_format(bondy_clock_wall_ms(), time);
    json_object_set_new(object, "id", json_string(id));
    json_object_set_new(object, "time", json_string(time));
    add(object, "action", bondy_slice_text(entry->action));
    add(object, "realm", entry->realm);
    add(object, "actor", entry->actor);
    add(object, "target", entry->target);
    json_object_set_new(object, "outcome", json_string(outcomes[entry->outcome]));
    add(object, "reason", entry->reason);
    add(object, "source_ip", entry->source_ip);
    add(object, "request_id", entry->request_id);
    add(object, "before", entry->before);
    add(object, "after", entry->after);
    append_line(object, out);
    json_decref(object);
}

/* With the lock. */
static bool is_sample_kept(struct bondy_audit *audit)
{
    uint64_t second = bondy_clock_mono_ms() / 1000;

    if (second != audit->sample_second) {
        audit->sample_second = second;
        audit->samples = 0;
    }
    return audit->samples++ < audit->options.denials_per_second;
}

void bondy_audit_write(struct bondy_audit *audit, const struct bondy_audit_entry *entry,
                       char *out_id)
{
    struct bondy_buf line = BONDY_BUF_EMPTY;
    bool is_kept, has_room;
    char id[37];

    if (audit == NULL)
        return;
    pthread_mutex_lock(&audit->lock);
    is_kept = !entry->is_sample || is_sample_kept(audit);
    pthread_mutex_unlock(&audit->lock);
    if (!is_kept) {
        bondy_metric_add(audit->sampled, 1);
        return;
    }
    bondy_id_uuid7(id);
    if (out_id != NULL)
        memcpy(out_id, id, sizeof id);
    format_entry(entry, id, &line);
    pthread_mutex_lock(&audit->lock);
    has_room = audit->waiting.len + line.len <= audit->options.buffer_len;
    if (has_room) {
        if (audit->waiting.len == 0)
            pthread_cond_signal(&audit->has_work);
        bondy_buf_append_slice(&audit->waiting, bondy_buf_slice(&line));
    }
    pthread_mutex_unlock(&audit->lock);
    if (!has_room)
        bondy_metric_add(audit->full, 1);
    bondy_buf_fini(&line);
}

void bondy_audit_hash(const json_t *object, char out[BONDY_AUDIT_HASH])
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    uint8_t hash[crypto_hash_sha256_BYTES];

    out[0] = '\0';
    if (object == NULL)
        return;
    bondy_json_canonical(object, &text);
    crypto_hash_sha256(hash, (const uint8_t *)text.data, text.len);
    sodium_bin2hex(out, BONDY_AUDIT_HASH, hash, sizeof hash);
    bondy_buf_fini(&text);
}

/* ---- life -------------------------------------------------------------------------------------*/

int bondy_audit_create(const struct bondy_audit_options *options, struct bondy_audit **out,
                       struct bondy_error *err)
{
    struct bondy_audit *audit = bondy_zalloc(sizeof *audit);
    int rc;

    audit->options = *options;
    audit->folder = bondy_memdup0(options->folder, strlen(options->folder));
    audit->fd = -1;
    audit->entries = bondy_metric_series(&entries_family, NULL);
    audit->full = dropped("buffer_full");
    audit->failed = dropped("not_written");
    audit->sampled = dropped("sampled");
    pthread_mutex_init(&audit->lock, NULL);
    pthread_mutex_init(&audit->files_lock, NULL);
    pthread_cond_init(&audit->has_work, NULL);
    pthread_cond_init(&audit->is_written, NULL);
    if ((rc = bondy_file_mkdir(audit->folder, err)) == BONDY_OK &&
        (rc = open_file(audit, err)) == 0)
        if (pthread_create(&audit->thread, NULL, run, audit) != 0)
            rc = bondy_fail(err, BONDY_EIO, "no thread for the audit log");
    if (rc < 0) {
        audit->options.folder = NULL; /* there is no thread to wait for */
        bondy_audit_destroy(audit);
        return rc;
    }
    *out = audit;
    return BONDY_OK;
}

void bondy_audit_destroy(struct bondy_audit *audit)
{
    if (audit == NULL)
        return;
    if (audit->options.folder != NULL) {
        pthread_mutex_lock(&audit->lock);
        audit->is_stopping = true;
        pthread_cond_signal(&audit->has_work);
        pthread_mutex_unlock(&audit->lock);
        pthread_join(audit->thread, NULL);
    }
    if (audit->fd >= 0)
        close(audit->fd);
    pthread_cond_destroy(&audit->has_work);
    pthread_cond_destroy(&audit->is_written);
    pthread_mutex_destroy(&audit->files_lock);
    pthread_mutex_destroy(&audit->lock);
    bondy_buf_fini(&audit->waiting);
    bondy_free(audit->folder);
    bondy_free(audit);
}

/* ---- reading ----------------------------------------------------------------------------------*/

int bondy_audit_query_wait(struct bondy_audit *audit, const struct bondy_audit_query *query,
                           json_t **entries, char cursor[37], struct bondy_error *err)
{
    int fds[BONDY_AUDIT_FILES_MAX];
    size_t count;
    int rc = bondy_audit_query_check(query, err);

    cursor[0] = '\0';
    if (rc < 0)
        return rc;
    wait_for_writer(audit);
    pthread_mutex_lock(&audit->files_lock);
    count = bondy_audit_files_list(audit->folder, fds);
    pthread_mutex_unlock(&audit->files_lock);
    *entries = json_array();
    bondy_audit_files_read(fds, count, query, *entries, cursor);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    return BONDY_OK;
}

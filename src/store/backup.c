/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/reseal.h"
#include "src/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/store/backup_file.h"
#include "src/store/backup_filter.h"
#include "src/store/backup_name.h"
#include "src/store/write.h"

/* Making a copy. */

#define DEFAULT_DURATION_MS (UINT64_C(3600) * 1000)
#define LOOK_EVERY 256 /* records between two looks at the clock and at who waits */
#define UUID_LEN 16
#define RESTARTS_MAX 40 /* the map doubles each time */

struct bondy_backup {
    struct bondy_store *store;
    struct bondy_backup_options options;
    struct bondy_filter filter;
    int folder, fd; /* fd: of the .part; -1 when it has its name */
    char name[64];
    char *path;
    uint64_t created_s;
};

/* ---- begin ----------------------------------------------------------------------------------- */

static int check_options(const struct bondy_backup_options *options, struct bondy_error *err)
{
    if (options->dir == NULL || options->dir[0] != '/')
        return bondy_fail(err, BONDY_EINVAL, "backup.dir has to be an absolute path");
    if (options->recipient_count > BONDY_BACKUP_RECIPIENTS_MAX)
        return bondy_fail(err, BONDY_EINVAL, "%zu recipients, at most %d are possible",
                          options->recipient_count, BONDY_BACKUP_RECIPIENTS_MAX);
    return BONDY_OK;
}

static uint32_t excluded_types(const struct bondy_backup_options *options)
{
    return (options->include_retained ? 0 : 1u << BONDY_RECORD_RETAINED) |
           (options->without_tickets ? 1u << BONDY_RECORD_TICKET : 0) |
           (options->without_tokens ? 1u << BONDY_RECORD_TOKEN : 0);
}

int bondy_backup_begin_wait(struct bondy_store *store, const struct bondy_backup_options *options,
                            struct bondy_backup **out, struct bondy_error *err)
{
    struct bondy_backup *backup = bondy_zalloc(sizeof *backup);
    struct bondy_buf full = BONDY_BUF_EMPTY;
    int rc;

    backup->store = store;
    backup->options = *options;
    backup->folder = backup->fd = -1;
    backup->created_s = bondy_clock_wall_ms() / 1000;
    if ((rc = check_options(options, err)) < 0 ||
        (rc = bondy_backup_filter_init(&backup->filter, &options->filter, excluded_types(options),
                                       err)) < 0 ||
        (rc = bondy_backup_open_folder(options->dir, options->path, &backup->folder, &full, err)) <
            0 ||
        (rc = bondy_backup_make_file(backup->folder, backup->created_s, backup->name, &backup->fd,
                                     err)) < 0)
        goto out;
    bondy_buf_printf(&full, "/%s", backup->name);
    backup->path = bondy_buf_take_text(&full);
    *out = BONDY_MOVE(backup);
out:
    bondy_backup_destroy(backup);
    bondy_buf_fini(&full);
    return rc;
}

const char *bondy_backup_path(const struct bondy_backup *backup)
{
    return backup->path;
}

uint64_t bondy_backup_created_s(const struct bondy_backup *backup)
{
    return backup->created_s;
}

static void part_name(const struct bondy_backup *backup, char out[80])
{
    snprintf(out, 80, "%s.part", backup->name);
}

void bondy_backup_destroy(struct bondy_backup *backup)
{
    char part[80];

    if (backup == NULL)
        return;
    if (backup->fd >= 0) {
        part_name(backup, part);
        unlinkat(backup->folder, part, 0);
        close(backup->fd);
    }
    if (backup->folder >= 0)
        close(backup->folder);
    bondy_backup_filter_fini(&backup->filter);
    bondy_free(backup->path);
    bondy_free(backup);
}

/* ---- header ---------------------------------------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text == NULL ? json_null() : json_string(text));
}

/* What the store keeps about itself, as hex. */
static json_t *meta_hex(const struct bondy_store_view *view, const char *name, size_t len)
{
    struct bondy_slice stored;
    char text[64 + 1];

    if (bondy_lmdb_get(view->txn, BONDY_LMDB_META, bondy_slice_text(name), &stored, NULL) < 0 ||
        stored.len != len || len > 32)
        return json_null();
    sodium_bin2hex(text, sizeof text, (const unsigned char *)stored.data, stored.len);
    return json_string(text);
}

static json_t *realms_tree(const struct bondy_backup_filter *filter)
{
    json_t *realms = json_array();

    if (filter->realm_count == 0) {
        json_decref(realms);
        return json_string("all");
    }
    for (size_t i = 0; i < filter->realm_count; i++)
        json_array_append_new(realms, json_stringn(filter->realms[i].data, filter->realms[i].len));
    return realms;
}

static json_t *types_tree(uint32_t types)
{
    json_t *names = json_array();

    for (int type = BONDY_RECORD_REALM; type < BONDY_BACKUP_TYPES; type++)
        if (types >> type & 1)
            json_array_append_new(
                names, json_string(bondy_backup_type_name((enum bondy_record_type)type)));
    return names;
}

/* Which master key it takes to restore it. */
static json_t *sealed_key_id(const struct bondy_store_view *view)
{
    const uint8_t *id = bondy_reseal_key_id(view->txn);
    char text[BONDY_MASTER_KEY_ID_TEXT];

    if (id == NULL)
        return json_null();
    bondy_master_key_id_text(id, text);
    return json_string(text);
}

static json_t *make_header(const struct bondy_backup *backup, const struct bondy_store_view *view)
{
    const struct bondy_backup_options *options = &backup->options;
    json_t *header =
        json_pack("{s:i, s:s, s:I, s:n, s:[s]}", "format", 1, "software", "bondy " PACKAGE_VERSION,
                  "created", (json_int_t)backup->created_s, "cluster_id", "classes", "D");

    set_text(header, "node", options->node_name);
    set_text(header, "cluster_name", options->cluster_name);
    json_object_set_new(header, "uuid", meta_hex(view, BONDY_META_NODE, UUID_LEN));
    json_object_set_new(header, "hlc", meta_hex(view, BONDY_META_HLC, BONDY_VERSION_LEN));
    json_object_set_new(header, "sealed_key_id", sealed_key_id(view));
    json_object_set_new(header, "realms", realms_tree(&options->filter));
    json_object_set_new(header, "types", types_tree(backup->filter.types));
    if (options->include_retained)
        json_array_append_new(json_object_get(header, "classes"), json_string("R"));
    return header;
}

/* ---- run ------------------------------------------------------------------------------------- */

struct copy {
    struct bondy_backup *backup;
    struct bondy_backup_writer writer;
    struct bondy_backup_progress *progress;
    const struct bondy_store_view *view;
    uint64_t until_ms;
    uint64_t seen;
    bool is_in_the_way; /* has to start again */
    int rc;
    struct bondy_error *err;
};

static int look_around(struct copy *copy)
{
    if (atomic_load(&copy->progress->is_cancelled))
        return bondy_fail(copy->err, BONDY_ESTATE, "the backup was cancelled");
    if (bondy_clock_mono_ms() >= copy->until_ms)
        return bondy_fail(copy->err, BONDY_ELIMIT,
                          "the backup took longer than it may (backup.max_duration)");
    copy->is_in_the_way = bondy_store_view_is_in_the_way(copy->view);
    atomic_store(&copy->progress->bytes, copy->writer.file_bytes);
    return BONDY_OK;
}

static int copy_record(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct copy *copy = context;
    struct bondy_envelope envelope;

    if (++copy->seen % LOOK_EVERY == 0) {
        copy->rc = look_around(copy);
        if (copy->rc < 0 || copy->is_in_the_way)
            return 1;
    }
    atomic_fetch_add(&copy->progress->read, 1);
    if (bondy_envelope_decode(value, &envelope, NULL) < 0) {
        atomic_fetch_add(&copy->progress->errors, 1);
        bondy_log(BONDY_LOG_ERROR, "store_record_damaged",
                  BONDY_F_U64("type", key.len == 0 ? 0 : (uint8_t)key.data[0]));
        return 0;
    }
    if (!bondy_backup_filter_passes(&copy->backup->filter, key) ||
        (envelope.expires_ms != 0 && envelope.expires_ms <= copy->view->now_ms)) {
        atomic_fetch_add(&copy->progress->skipped, 1);
        return 0;
    }
    copy->rc = bondy_backup_write_record(&copy->writer, key, value, copy->err);
    return copy->rc < 0;
}

static int write_content(struct copy *copy)
{
    const struct bondy_backup_options *options = &copy->backup->options;
    json_t *header = make_header(copy->backup, copy->view);
    int rc = bondy_backup_write_header(&copy->writer, header, options->recipients,
                                       options->recipient_count, copy->err);

    json_decref(header);
    if (rc < 0)
        return rc;
    rc = bondy_lmdb_scan(copy->view->txn, BONDY_LMDB_RECORDS, BONDY_SLICE_EMPTY, BONDY_SLICE_EMPTY,
                         copy_record, copy, copy->err);
    if (rc < 0 || copy->rc < 0)
        return rc < 0 ? rc : copy->rc;
    return copy->is_in_the_way ? BONDY_OK : bondy_backup_write_trailer(&copy->writer, copy->err);
}

/* One view, one file; *is_in_the_way: it has to be done again. */
static int copy_once(struct bondy_backup *backup, struct bondy_backup_progress *progress,
                     uint64_t until_ms, bool *is_in_the_way, struct bondy_error *err)
{
    struct copy copy = {.backup = backup, .progress = progress, .until_ms = until_ms, .err = err};
    struct bondy_store_view *view;
    int rc = bondy_store_view_begin(backup->store, &view, err);

    if (rc < 0)
        return rc;
    copy.view = view;
    atomic_store(&progress->read, 0);
    atomic_store(&progress->skipped, 0);
    atomic_store(&progress->errors, 0);
    bondy_backup_writer_init(&copy.writer, backup->fd);
    if (ftruncate(backup->fd, 0) < 0 || lseek(backup->fd, 0, SEEK_SET) < 0)
        rc = bondy_fail(err, BONDY_EIO, "%s: %s", backup->path, strerror(errno));
    else
        rc = write_content(&copy);
    bondy_store_view_end(view);
    atomic_store(&progress->bytes, copy.writer.file_bytes);
    *is_in_the_way = copy.is_in_the_way;
    bondy_backup_writer_fini(&copy.writer);
    return rc;
}

/* On disk first, then under its name, which nobody has: the .part kept it. */
static int give_name(struct bondy_backup *backup, struct bondy_error *err)
{
    char part[80];
    int rc;

    part_name(backup, part);
    if (fsync(backup->fd) < 0)
        return bondy_fail(err, BONDY_EIO, "%s: %s", backup->path, strerror(errno));
    rc = renameat2(backup->folder, part, backup->folder, backup->name, RENAME_NOREPLACE);
    if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
        rc = renameat(backup->folder, part, backup->folder, backup->name);
    if (rc < 0)
        return bondy_fail(err, BONDY_EIO, "%s: %s", backup->path, strerror(errno));
    close(backup->fd);
    backup->fd = -1;
    if (fsync(backup->folder) < 0)
        return bondy_fail(err, BONDY_EIO, "%s: %s", backup->path, strerror(errno));
    return BONDY_OK;
}

int bondy_backup_run_wait(struct bondy_backup *backup, struct bondy_backup_progress *progress,
                          struct bondy_error *err)
{
    uint64_t limit_ms = backup->options.max_duration_ms;
    uint64_t until_ms = bondy_clock_mono_ms() + (limit_ms == 0 ? DEFAULT_DURATION_MS : limit_ms);
    bool is_in_the_way = true;
    int rc = BONDY_OK;

    BONDY_BUG_ON(backup->fd < 0);
    for (int i = 0; i < RESTARTS_MAX && rc == BONDY_OK && is_in_the_way; i++) {
        rc = copy_once(backup, progress, until_ms, &is_in_the_way, err);
        if (rc == BONDY_OK && is_in_the_way)
            atomic_fetch_add(&progress->restarts, 1);
    }
    if (rc == BONDY_OK && is_in_the_way)
        rc = bondy_fail(err, BONDY_ESTATE, "the store grows all the time");
    if (rc == BONDY_OK)
        rc = give_name(backup, err);
    return rc;
}

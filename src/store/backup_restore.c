/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/store/backup_apply.h"
#include "src/store/backup_file.h"
#include "src/store/backup_filter.h"
#include "src/store/backup_name.h"
#include "src/store/seal.h"
#include "src/wamp/codec.h"

/* Two passes over one open file: the first checks everything, the second checks again while it
 * applies. A batch of the second pass lies within one block, so its records need no copy. */

#define BATCH 512
#define BATCH_BYTES ((size_t)1 << 20)
#define BODY_DEPTH 32

struct restore {
    struct bondy_store *store;
    const struct bondy_backup_restore *options; /* NULL: only verify */
    const struct bondy_backup_source *source;
    struct bondy_backup_progress *progress;
    struct bondy_backup_report *report;
    struct bondy_backup_reader reader;
    struct bondy_filter filter;
    struct bondy_apply apply;
    const struct bondy_seal *seal; /* of the store; NULL: none */

    struct bondy_store_job job; /* of a batch */
    struct bondy_slice keys[BATCH], envelopes[BATCH];
    struct bondy_applied applied[BATCH];
    bool is_looked_at[BATCH]; /* only: a container that the filter leaves out still places children
                               */
    size_t count, bytes;
};

/* ---- first pass ------------------------------------------------------------------------------ */

static int look_around(const struct restore *restore, struct bondy_error *err)
{
    if (atomic_load(&restore->progress->is_cancelled))
        return bondy_fail(err, BONDY_ESTATE, "cancelled");
    return BONDY_OK;
}

static int open_pass(struct restore *restore, int fd, struct bondy_error *err)
{
    bondy_backup_reader_fini(&restore->reader);
    return bondy_backup_reader_init(&restore->reader, fd, true, restore->source->secret_key, err);
}

/* Says which key is missing before the file is gone through. */
static int check_header(const struct restore *restore, struct bondy_error *err)
{
    const char *text = json_string_value(json_object_get(restore->reader.header, "sealed_key_id"));
    const uint8_t *own = bondy_seal_key_id(restore->seal);
    uint8_t id[BONDY_MASTER_KEY_ID_LEN];
    size_t len = 0;
    char here[BONDY_MASTER_KEY_ID_TEXT] = "none";

    if (text == NULL || restore->options == NULL)
        return BONDY_OK;
    if (sodium_hex2bin(id, sizeof id, text, strlen(text), NULL, &len, NULL) == 0 &&
        len == sizeof id && bondy_seal_knows(restore->seal, id))
        return BONDY_OK;
    if (own != NULL)
        bondy_master_key_id_text(own, here);
    return bondy_fail(err, BONDY_EDENIED,
                      "the backup is sealed with master key %.32s, this node has %s "
                      "(security.master_key_file, security.master_key_file.previous)",
                      text, here);
}

/* Whether a sealed body can be opened here, and has something in it. */
static int open_body(const struct bondy_record *record, struct bondy_error *err)
{
    struct bondy_buf room = BONDY_BUF_EMPTY;
    struct bondy_slice body;
    int rc = bondy_record_open(record, &room, &body, err);

    if (rc == BONDY_OK && bondy_value_check(BONDY_CBOR, body, BODY_DEPTH, true, NULL) < 0)
        rc = bondy_fail(err, BONDY_EPROTO, "the backup is damaged: a sealed body is no CBOR");
    bondy_record_close(&room);
    return rc;
}

static int check_record(const struct restore *restore, struct bondy_slice key,
                        struct bondy_slice envelope, struct bondy_error *err)
{
    struct bondy_record record;
    int rc = BONDY_OK;

    BONDY_BUG_ON(!bondy_record_fill(key, envelope, restore->seal, &record));
    /* Without a store there may be no key; the second pass does not happen then. */
    if (record.sealed.len > 0 && restore->options == NULL)
        return BONDY_OK;
    if (record.sealed.len > 0)
        rc = open_body(&record, err);
    if (rc == BONDY_OK && restore->source->check != NULL)
        rc = restore->source->check(restore->source->context, &record, err);
    return rc;
}

static int verify(struct restore *restore, int fd, struct bondy_error *err)
{
    struct bondy_slice key, envelope;
    bool has_record = true;
    int rc = open_pass(restore, fd, err);

    if (rc == BONDY_OK)
        rc = check_header(restore, err);
    while (rc == BONDY_OK) {
        rc = bondy_backup_read_record(&restore->reader, &key, &envelope, &has_record, err);
        if (rc < 0 || !has_record)
            break;
        if ((rc = check_record(restore, key, envelope, err)) < 0)
            break;
        atomic_fetch_add(&restore->progress->read, 1);
        atomic_store(&restore->progress->bytes, restore->reader.at);
        rc = look_around(restore, err);
    }
    restore->report->records = restore->reader.records;
    restore->report->bytes = restore->reader.bytes;
    return rc;
}

/* ---- second pass ----------------------------------------------------------------------------- */

static int apply_batch(struct restore *restore, const struct bondy_store_view *view,
                       struct bondy_store_write *write, struct bondy_error *err)
{
    int rc = BONDY_OK;

    for (size_t i = 0; i < restore->count && rc == BONDY_OK; i++)
        rc = bondy_apply_record(&restore->apply, view, restore->is_looked_at[i] ? NULL : write,
                                restore->keys[i], restore->envelopes[i], &restore->applied[i], err);
    return rc;
}

static int run_batch(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct restore *restore = BONDY_CONTAINER(job, struct restore, job);

    return apply_batch(restore, bondy_store_write_view(write), write, err);
}

static int look_at_batch(struct restore *restore, struct bondy_error *err)
{
    struct bondy_store_view *view;
    int rc = bondy_store_view_begin(restore->store, &view, err);

    if (rc < 0)
        return rc;
    rc = apply_batch(restore, view, NULL, err);
    bondy_store_view_end(view);
    return rc;
}

static void count_batch(struct restore *restore)
{
    struct bondy_backup_report *report = restore->report;

    for (size_t i = 0; i < restore->count; i++) {
        const struct bondy_applied *applied = &restore->applied[i];
        struct bondy_backup_counts *counts = &report->types[(uint8_t)restore->keys[i].data[0]];
        uint64_t *const by_merge[] = {[BONDY_MERGE_FRESH] = &counts->fresh,
                                      [BONDY_MERGE_NEWER] = &counts->newer,
                                      [BONDY_MERGE_OLDER] = &counts->older,
                                      [BONDY_MERGE_EQUAL] = &counts->equal};

        if (restore->is_looked_at[i])
            continue;
        report->hidden += applied->is_hidden;
        report->drifted += applied->is_drifted;
        if (!applied->is_hidden)
            (*by_merge[applied->merge])++;
        atomic_fetch_add(
            applied->is_written ? &restore->progress->merged : &restore->progress->skipped, 1);
    }
}

static int flush_batch(struct restore *restore, struct bondy_error *err)
{
    int rc;

    if (restore->count == 0)
        return BONDY_OK;
    if ((rc = look_around(restore, err)) < 0)
        return rc;
    restore->job = (struct bondy_store_job){.run = run_batch};
    rc = restore->options->is_dry_run ? look_at_batch(restore, err)
                                      : bondy_store_run_wait(restore->store, &restore->job, err);
    if (rc == BONDY_OK)
        count_batch(restore);
    restore->count = restore->bytes = 0;
    return rc;
}

/* Whether a record takes part; counts it when it does not. *is_looked_at: only so that its children
 * find their generation. */
static bool is_wanted(struct restore *restore, struct bondy_slice key, struct bondy_slice bytes,
                      bool *is_looked_at)
{
    struct bondy_envelope envelope;
    bool is_container = key.data[0] == BONDY_RECORD_REALM || key.data[0] == BONDY_RECORD_USER ||
                        key.data[0] == BONDY_RECORD_GROUP;

    *is_looked_at = false;
    if (!bondy_backup_filter_passes(&restore->filter, key)) {
        restore->report->filtered++;
        *is_looked_at = is_container && restore->options->mode == BONDY_BACKUP_FORCE;
    } else if (bondy_envelope_decode(bytes, &envelope, NULL) == BONDY_OK &&
               envelope.expires_ms != 0 && envelope.expires_ms <= bondy_clock_wall_ms()) {
        restore->report->expired++;
    } else {
        return true;
    }
    atomic_fetch_add(&restore->progress->skipped, 1);
    return *is_looked_at;
}

static int apply(struct restore *restore, int fd, struct bondy_error *err)
{
    struct bondy_slice key, envelope;
    bool has_record, is_looked_at;
    int rc = open_pass(restore, fd, err);

    while (rc == BONDY_OK) {
        /* A new block would take away what the batch borrows. */
        if (bondy_backup_reader_is_drained(&restore->reader) || restore->count == BATCH ||
            restore->bytes > BATCH_BYTES) {
            if ((rc = flush_batch(restore, err)) < 0)
                break;
        }
        rc = bondy_backup_read_record(&restore->reader, &key, &envelope, &has_record, err);
        if (rc < 0 || !has_record)
            break;
        if (!is_wanted(restore, key, envelope, &is_looked_at))
            continue;
        restore->is_looked_at[restore->count] = is_looked_at;
        restore->keys[restore->count] = key;
        restore->envelopes[restore->count++] = envelope;
        restore->bytes += key.len + envelope.len;
    }
    return rc;
}

/* ---- the store that should be empty ---------------------------------------------------------- */

/* Built-in defaults have the first millisecond there is (cluster.md B2.5). */
static int find_written(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct bondy_envelope envelope;

    (void)context;
    (void)key;
    return bondy_envelope_decode(value, &envelope, NULL) < 0 ||
           bondy_version_wall_ms(envelope.version) > 1;
}

static int prepare(struct restore *restore, struct bondy_error *err)
{
    enum bondy_backup_mode mode = restore->options->mode;
    struct bondy_store_view *view;
    int rc = bondy_store_view_begin(restore->store, &view, err);

    if (rc < 0)
        return rc;
    if (mode == BONDY_BACKUP_EMPTY)
        rc = bondy_lmdb_scan(view->txn, BONDY_LMDB_RECORDS, BONDY_SLICE_EMPTY, BONDY_SLICE_EMPTY,
                             find_written, NULL, err);
    if (rc > 0)
        rc = bondy_fail(err, BONDY_ESTATE,
                        "mode \"empty\" needs a store with nothing but built-in defaults");
    if (rc == BONDY_OK)
        bondy_apply_init(&restore->apply, mode == BONDY_BACKUP_FORCE, view);
    bondy_store_view_end(view);
    return rc;
}

/* ---- outside --------------------------------------------------------------------------------- */

static int run(struct restore *restore, struct bondy_error *err)
{
    int fd = -1;
    int rc;

    memset(restore->report, 0, sizeof *restore->report);
    rc = bondy_backup_open_file(restore->source->dir, restore->source->filename, &fd, err);
    if (rc < 0)
        return rc;
    rc = verify(restore, fd, err);
    if (rc == BONDY_OK && restore->options != NULL) {
        atomic_store(&restore->progress->read, 0);
        rc = prepare(restore, err);
        if (rc == BONDY_OK)
            rc = apply(restore, fd, err);
    }
    bondy_apply_fini(&restore->apply);
    bondy_backup_reader_fini(&restore->reader);
    close(fd);
    return rc;
}

int bondy_backup_verify_wait(const struct bondy_backup_source *source,
                             struct bondy_backup_progress *progress,
                             struct bondy_backup_report *report, struct bondy_error *err)
{
    struct restore *restore = bondy_zalloc(sizeof *restore);
    int rc;

    restore->source = source;
    restore->progress = progress;
    restore->report = report;
    rc = run(restore, err);
    bondy_free(restore);
    return rc;
}

int bondy_backup_restore_wait(struct bondy_store *store, const struct bondy_backup_restore *options,
                              struct bondy_backup_progress *progress,
                              struct bondy_backup_report *report, struct bondy_error *err)
{
    struct restore *restore = bondy_zalloc(sizeof *restore);
    int rc = bondy_backup_filter_init(&restore->filter, &options->filter, 0, err);

    restore->store = store;
    restore->seal = bondy_store_seal(store);
    restore->options = options;
    restore->source = &options->source;
    restore->progress = progress;
    restore->report = report;
    if (rc == BONDY_OK)
        rc = run(restore, err);
    bondy_backup_filter_fini(&restore->filter);
    bondy_free(restore);
    return rc;
}

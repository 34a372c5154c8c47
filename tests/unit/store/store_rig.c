/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_rig.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/store/head.h"
#include "src/store/write.h"

#define MAP_MAX ((uint64_t)1 << 30)

static uint64_t map_size_of_rig = 1 << 20;
static const struct bondy_seal *seal_of_rig;

static char *join(const char *folder, const char *name)
{
    struct bondy_buf path = BONDY_BUF_EMPTY;

    bondy_buf_printf(&path, "%s/%s", folder, name);
    return bondy_buf_take_text(&path);
}

static void on_change(void *context, const struct bondy_change *change)
{
    (void)change;
    ((struct store_rig *)context)->changes++;
}

int store_rig_try_open(struct store_rig *rig, struct bondy_error *err)
{
    struct bondy_store_options options = {.path = rig->path,
                                          .map_size = map_size_of_rig,
                                          .map_size_max = MAP_MAX,
                                          .on_change = on_change,
                                          .seal = rig->seal,
                                          .context = rig};
    int rc = bondy_store_open(&options, &rig->store, err);

    return rc < 0 ? rc : bondy_store_start(rig->store, err);
}

static void open_store(struct store_rig *rig)
{
    struct bondy_error err = {0};

    if (store_rig_try_open(rig, &err) < 0)
        fail_msg("%s", err.text);
}

void store_rig_close(struct store_rig *rig)
{
    bondy_store_close(BONDY_MOVE(rig->store));
}

void store_rig_init(struct store_rig *rig, uint64_t map_size)
{
    memset(rig, 0, sizeof *rig);
    map_size_of_rig = map_size;
    rig->folder = bondy_test_mkdir();
    rig->path = join(rig->folder, "store");
    rig->dir = join(rig->folder, "backup");
    open_store(rig);
}

void store_rig_fini(struct store_rig *rig)
{
    bondy_store_close(rig->store);
    bondy_test_rmdir(rig->folder);
    bondy_free(rig->path);
    bondy_free(rig->dir);
}

void store_rig_reopen(struct store_rig *rig)
{
    bondy_store_close(rig->store);
    open_store(rig);
}

void store_rig_wipe(struct store_rig *rig)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "bondy.lock"};

    bondy_store_close(rig->store);
    for (size_t i = 0; i < BONDY_COUNT(files); i++) {
        char *name = join(rig->path, files[i]);

        remove(name);
        bondy_free(name);
    }
    open_store(rig);
}

struct words_job {
    struct bondy_store_job job;
    const struct store_word *words;
    size_t count;
};

static int write_word(struct bondy_store_write *write, const struct store_word *word,
                      struct bondy_error *err)
{
    struct bondy_buf body = BONDY_BUF_EMPTY;
    const struct bondy_store_key key = {.type = word->type,
                                        .scope = bondy_slice_text(word->realm),
                                        .gen = word->key_gen,
                                        .subkey = word->subkey};
    struct bondy_store_value value = {
        .schema = 1, .gen = word->gen, .expires_ms = word->expires_ms};
    int rc;

    if (word->is_gone)
        return bondy_store_delete(write, &key, NULL, err);
    bondy_head_put_bytes(&body, bondy_slice_text(word->text));
    value.body = bondy_buf_slice(&body);
    rc = word->is_builtin ? bondy_store_put_builtin(write, &key, &value, 1, err)
                          : bondy_store_put(write, &key, &value, NULL, err);
    bondy_buf_fini(&body);
    return rc;
}

static int run_words(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct words_job *words = BONDY_CONTAINER(job, struct words_job, job);
    int rc = BONDY_OK;

    for (size_t i = 0; i < words->count && rc == BONDY_OK; i++)
        rc = write_word(write, &words->words[i], err);
    return rc;
}

int store_rig_write(struct store_rig *rig, const struct store_word *words, size_t count)
{
    struct words_job job = {.job = {.run = run_words}, .words = words, .count = count};

    return bondy_store_run_wait(rig->store, &job.job, NULL);
}

static int dump_one(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct bondy_buf *out = context;
    char *hex = bondy_alloc(key.len * 2 + value.len * 2 + 2);

    bondy_buf_append_text(
        out, sodium_bin2hex(hex, key.len * 2 + 1, (const unsigned char *)key.data, key.len));
    bondy_buf_append_text(out, " ");
    bondy_buf_append_text(
        out, sodium_bin2hex(hex, value.len * 2 + 1, (const unsigned char *)value.data, value.len));
    bondy_buf_append_text(out, "\n");
    bondy_free(hex);
    return 0;
}

static char *scan_all(struct store_rig *rig,
                      int (*fn)(void *context, struct bondy_slice key, struct bondy_slice value))
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_store_view *view;

    seal_of_rig = rig->seal;
    assert_int_equal(bondy_store_view_begin(rig->store, &view, NULL), BONDY_OK);
    assert_int_equal(bondy_lmdb_scan(view->txn, BONDY_LMDB_RECORDS, BONDY_SLICE_EMPTY,
                                     BONDY_SLICE_EMPTY, fn, &out, NULL),
                     0);
    bondy_store_view_end(view);
    return bondy_buf_take_text(&out);
}

char *store_rig_dump(struct store_rig *rig)
{
    return scan_all(rig, dump_one);
}

static void append_printable(struct bondy_buf *out, struct bondy_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        bondy_buf_append_byte(out, text.data[i] >= ' ' && text.data[i] < 127 ? text.data[i] : '.');
}

static int text_one(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct bondy_buf *out = context;
    struct bondy_record record;
    struct bondy_buf room = BONDY_BUF_EMPTY;
    struct bondy_slice rest, text;

    assert_true(bondy_record_fill(key, value, seal_of_rig, &record));
    bondy_buf_printf(out, "%s%s%d/%u/", record.is_tombstone ? "-" : "",
                     record.sealed.len > 0 ? "~" : "", record.key.type, record.key.gen);
    append_printable(out, record.key.subkey);
    if (bondy_record_open(&record, &room, &rest, NULL) < 0)
        rest = BONDY_SLICE_EMPTY;
    if (!record.is_tombstone && bondy_head_take_bytes(&rest, &text)) {
        bondy_buf_append_text(out, "=");
        append_printable(out, text);
    }
    if (record.gen != 0)
        bondy_buf_printf(out, "#%u", record.gen);
    bondy_buf_append_text(out, " ");
    bondy_record_close(&room);
    return 0;
}

char *store_rig_text(struct store_rig *rig)
{
    return scan_all(rig, text_one);
}

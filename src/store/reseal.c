/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/reseal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/store/envelope_seal.h"
#include "src/sys/file.h"

#define META_SEAL "seal"
#define IDS_MAX 2
#define ID_LEN BONDY_MASTER_KEY_ID_LEN
#define BATCH_RECORDS 4096     /* looked at in one transaction */
#define BATCH_BYTES (4u << 20) /* written in one */
#define KEY_MAX 511            /* of LMDB */
#define REWRITE_FOLDER "rewrite"

enum stage {
    STAGE_SEALING = 0, /* some records are not sealed yet, or under another key */
    STAGE_STALE = 1,   /* all are; free pages of the file may hold what was before */
    STAGE_DONE = 2
};

struct state {
    enum stage stage;
    size_t count; /* of ids; 0: nothing is sealed */
    uint8_t ids[IDS_MAX][ID_LEN];
};

/* ---- what the store says --------------------------------------------------------------------- */

static int read_state(struct bondy_lmdb_txn *txn, struct state *out, struct bondy_error *err)
{
    struct bondy_slice stored;
    int rc = bondy_lmdb_get(txn, BONDY_LMDB_META, BONDY_SLICE(META_SEAL), &stored, err);

    *out = (struct state){.stage = STAGE_DONE};
    if (rc == BONDY_ENOENT)
        return BONDY_OK;
    if (rc < 0)
        return rc;
    if (stored.len < 1 || (stored.len - 1) % ID_LEN != 0 || (stored.len - 1) / ID_LEN > IDS_MAX ||
        (uint8_t)stored.data[0] > STAGE_DONE)
        return bondy_fail(err, BONDY_EIO, "what it says of its master key cannot be read");
    out->stage = (enum stage)(uint8_t)stored.data[0];
    out->count = (stored.len - 1) / ID_LEN;
    memcpy(out->ids, stored.data + 1, stored.len - 1);
    return BONDY_OK;
}

static int put_state(struct bondy_lmdb_txn *txn, const struct state *state, struct bondy_error *err)
{
    uint8_t bytes[1 + IDS_MAX * ID_LEN];

    if (state->count == 0 && state->stage == STAGE_DONE)
        return bondy_lmdb_delete(txn, BONDY_LMDB_META, BONDY_SLICE(META_SEAL), err);
    bytes[0] = (uint8_t)state->stage;
    memcpy(bytes + 1, state->ids, state->count * ID_LEN);
    return bondy_lmdb_put(txn, BONDY_LMDB_META, BONDY_SLICE(META_SEAL),
                          bondy_slice_of(bytes, 1 + state->count * ID_LEN), err);
}

const uint8_t *bondy_reseal_key_id(struct bondy_lmdb_txn *txn)
{
    struct bondy_slice stored;

    if (bondy_lmdb_get(txn, BONDY_LMDB_META, BONDY_SLICE(META_SEAL), &stored, NULL) < 0 ||
        stored.len != 1 + ID_LEN || stored.data[0] == STAGE_SEALING)
        return NULL;
    return (const uint8_t *)stored.data + 1;
}

static int refuse(const struct bondy_seal *seal, const uint8_t *id, struct bondy_error *err)
{
    const uint8_t *own = bondy_seal_key_id(seal);
    char wanted[BONDY_MASTER_KEY_ID_TEXT], here[BONDY_MASTER_KEY_ID_TEXT];

    bondy_master_key_id_text(id, wanted);
    if (own == NULL)
        return bondy_fail(err, BONDY_EDENIED,
                          "its secrets are sealed with master key %s, and there is none: set "
                          "security.master_key_file",
                          wanted);
    bondy_master_key_id_text(own, here);
    return bondy_fail(err, BONDY_EDENIED,
                      "its secrets are sealed with master key %s; the key of "
                      "security.master_key_file is %s. After a change of keys the old one is "
                      "security.master_key_file.previous for one start",
                      wanted, here);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* A write transaction, again in a greater map when it does not fit. */
static int in_transaction(struct bondy_lmdb *db,
                          int (*fn)(struct bondy_lmdb_txn *txn, void *context,
                                    struct bondy_error *err),
                          void *context, struct bondy_error *err)
{
    struct bondy_error growth;
    int rc;

    do {
        struct bondy_lmdb_txn *txn;

        if ((rc = bondy_lmdb_begin_write(db, NULL, &txn, err)) < 0)
            return rc;
        if ((rc = fn(txn, context, err)) < 0)
            bondy_lmdb_abort(txn);
        else
            rc = bondy_lmdb_commit(txn, err);
    } while (rc == BONDY_ELIMIT && bondy_lmdb_grow_wait(db, true, &growth) == BONDY_OK);
    return rc;
}

struct beginning {
    const struct bondy_seal *seal;
    struct state state; /* after it */
    bool is_empty;
};

static int see_one(void *context, struct bondy_slice key, struct bondy_slice value)
{
    (void)context;
    (void)key;
    (void)value;
    return 1;
}

static bool has_id(const struct state *state, const uint8_t *id)
{
    for (size_t i = 0; i < state->count; i++)
        if (memcmp(state->ids[i], id, ID_LEN) == 0)
            return true;
    return false;
}

/* Notes the key before anything is sealed with it. */
static int begin(struct bondy_lmdb_txn *txn, void *context, struct bondy_error *err)
{
    struct beginning *beginning = context;
    const uint8_t *own = bondy_seal_key_id(beginning->seal);
    struct state *state = &beginning->state;
    int rc = read_state(txn, state, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < state->count; i++)
        if (!bondy_seal_knows(beginning->seal, state->ids[i]))
            return refuse(beginning->seal, state->ids[i], err);
    if (own == NULL ? state->count == 0 : state->count == 1 && has_id(state, own))
        return BONDY_OK;
    rc = bondy_lmdb_scan(txn, BONDY_LMDB_RECORDS, BONDY_SLICE_EMPTY, BONDY_SLICE_EMPTY, see_one,
                         NULL, err);
    if (rc < 0)
        return rc;
    beginning->is_empty = rc == 0;
    if (own != NULL && !has_id(state, own)) {
        BONDY_BUG_ON(state->count == IDS_MAX); /* both known, so one of them is the own */
        memcpy(state->ids[state->count++], own, ID_LEN);
    }
    state->stage = STAGE_SEALING;
    return put_state(txn, state, err);
}

/* The records of a batch, each with its envelope sealed anew: a scan must not write. */
struct batch {
    const struct bondy_seal *seal;
    uint8_t from[KEY_MAX], next[KEY_MAX]; /* where it begins, and where the next one does */
    size_t from_len, next_len;
    unsigned seen;
    uint64_t sealed;
    struct bondy_buf found; /* key length, envelope length (4 each), key, envelope */
    bool is_last;
    int rc;
    struct bondy_error *err;
};

static void put_length(struct bondy_buf *out, size_t len)
{
    uint32_t number = (uint32_t)len;

    bondy_buf_append(out, &number, sizeof number);
}

static int gather(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct batch *batch = context;
    struct bondy_buf anew = BONDY_BUF_EMPTY;
    struct bondy_envelope envelope;
    bool is_other = false;

    if (batch->seen++ == BATCH_RECORDS || batch->found.len > BATCH_BYTES) {
        memcpy(batch->next, key.data, key.len);
        batch->next_len = key.len;
        batch->is_last = false;
        return 1;
    }
    if (bondy_envelope_decode(value, &envelope, NULL) < 0)
        return 0; /* damaged: reported whenever it is read */
    batch->rc = bondy_envelope_reseal(batch->seal, key, &envelope, &anew, &is_other, batch->err);
    if (batch->rc == BONDY_EPROTO) { /* nobody can read it, with whatever key */
        bondy_log(BONDY_LOG_ERROR, "store_record_not_opened",
                  BONDY_F_U64("type", (uint8_t)key.data[0]),
                  BONDY_F_STR("reason", batch->err == NULL ? "" : batch->err->text));
        batch->rc = BONDY_OK;
    } else if (batch->rc == BONDY_OK && is_other) {
        put_length(&batch->found, key.len);
        put_length(&batch->found, anew.len);
        bondy_buf_append_slice(&batch->found, key);
        bondy_buf_append_slice(&batch->found, bondy_buf_slice(&anew));
    }
    bondy_buf_fini(&anew);
    return batch->rc < 0;
}

static size_t take_length(struct bondy_slice *rest)
{
    uint32_t number;

    memcpy(&number, rest->data, sizeof number);
    *rest = bondy_slice_skip(*rest, sizeof number);
    return number;
}

static int seal_batch(struct bondy_lmdb_txn *txn, void *context, struct bondy_error *err)
{
    struct batch *batch = context;
    struct bondy_slice rest;
    int rc;

    batch->found.len = 0;
    batch->seen = 0;
    batch->sealed = 0;
    batch->is_last = true;
    batch->rc = BONDY_OK;
    batch->err = err;
    rc = bondy_lmdb_scan(txn, BONDY_LMDB_RECORDS, BONDY_SLICE_EMPTY,
                         bondy_slice_of(batch->from, batch->from_len), gather, batch, err);
    rc = batch->rc < 0 ? batch->rc : rc < 0 ? rc : BONDY_OK;
    rest = bondy_buf_slice(&batch->found);
    while (rc == BONDY_OK && rest.len > 0) {
        size_t key_len = take_length(&rest), value_len = take_length(&rest);

        rc = bondy_lmdb_put(txn, BONDY_LMDB_RECORDS, bondy_slice_of(rest.data, key_len),
                            bondy_slice_of(rest.data + key_len, value_len), err);
        rest = bondy_slice_skip(rest, key_len + value_len);
        batch->sealed++;
    }
    return rc;
}

static int end(struct bondy_lmdb_txn *txn, void *context, struct bondy_error *err)
{
    return put_state(txn, context, err);
}

static int seal_records(struct bondy_lmdb *db, const struct bondy_seal *seal,
                        struct bondy_error *err)
{
    struct batch *batch = bondy_zalloc(sizeof *batch);
    uint64_t sealed = 0;
    int rc;

    bondy_log(BONDY_LOG_INFO, "store_sealing",
              BONDY_F_BOOL("is_sealed_after", bondy_seal_key_id(seal) != NULL));
    batch->seal = seal;
    do {
        rc = in_transaction(db, seal_batch, batch, err);
        sealed += batch->sealed;
        memcpy(batch->from, batch->next, batch->next_len);
        batch->from_len = batch->next_len;
    } while (rc == BONDY_OK && !batch->is_last);
    if (rc == BONDY_OK)
        bondy_log(BONDY_LOG_INFO, "store_sealed", BONDY_F_U64("records", sealed));
    bondy_buf_fini(&batch->found);
    bondy_free(batch);
    return rc;
}

int bondy_reseal_wait(struct bondy_lmdb *db, const struct bondy_seal *seal, bool *is_stale,
                      struct bondy_error *err)
{
    struct beginning beginning = {.seal = seal};
    const uint8_t *own = bondy_seal_key_id(seal);
    struct state *state = &beginning.state;
    int rc = in_transaction(db, begin, &beginning, err);

    *is_stale = false;
    if (rc < 0)
        return rc;
    if (state->stage == STAGE_SEALING) {
        if (!beginning.is_empty && (rc = seal_records(db, seal, err)) < 0)
            return rc;
        *state =
            (struct state){.count = own != NULL,
                           .stage = own == NULL || beginning.is_empty ? STAGE_DONE : STAGE_STALE};
        if (own != NULL)
            memcpy(state->ids[0], own, ID_LEN);
        if ((rc = in_transaction(db, end, state, err)) < 0)
            return rc;
    }
    *is_stale = state->stage == STAGE_STALE;
    return BONDY_OK;
}

/* ---- another file ---------------------------------------------------------------------------- */

/* Records that were replaced stay in free pages and in the gaps of others until something else is
 * written there. A new file gets nothing but what lives. */

static void format_path(const char *path, const char *rest, struct bondy_buf *out)
{
    out->len = 0;
    bondy_buf_printf(out, "%s/%s", path, rest);
    bondy_buf_append_byte(out, '\0');
}

/* What an earlier attempt has left. */
static void remove_leftover(const char *path)
{
    static const char *const names[] = {REWRITE_FOLDER "/data.mdb", REWRITE_FOLDER "/lock.mdb"};
    struct bondy_buf text = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        format_path(path, names[i], &text);
        unlink(text.data);
    }
    format_path(path, REWRITE_FOLDER, &text);
    rmdir(text.data);
    bondy_buf_fini(&text);
}

struct copying {
    struct bondy_lmdb *to;
    struct bondy_lmdb_txn *txn; /* of `to` */
    enum bondy_lmdb_table table;
    size_t bytes; /* in this transaction */
    int rc;
    struct bondy_error *err;
};

static int copy_one(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct copying *copying = context;

    if (copying->bytes > BATCH_BYTES) {
        copying->bytes = 0;
        if ((copying->rc = bondy_lmdb_commit(BONDY_MOVE(copying->txn), copying->err)) < 0 ||
            (copying->rc = bondy_lmdb_begin_write(copying->to, NULL, &copying->txn, copying->err)) <
                0)
            return 1;
    }
    copying->bytes += key.len + value.len;
    copying->rc = bondy_lmdb_put(copying->txn, copying->table, key, value, copying->err);
    return copying->rc < 0;
}

static int copy_tables(struct bondy_lmdb_txn *from, struct copying *copying)
{
    int rc = bondy_lmdb_begin_write(copying->to, NULL, &copying->txn, copying->err);
    struct state state;

    for (int i = 0; i < BONDY_LMDB_TABLES && rc == BONDY_OK; i++) {
        copying->table = (enum bondy_lmdb_table)i;
        rc = bondy_lmdb_scan(from, copying->table, BONDY_SLICE_EMPTY, BONDY_SLICE_EMPTY, copy_one,
                             copying, copying->err);
        rc = copying->rc < 0 ? copying->rc : rc < 0 ? rc : BONDY_OK;
    }
    if (rc == BONDY_OK && (rc = read_state(copying->txn, &state, copying->err)) == BONDY_OK) {
        state.stage = STAGE_DONE;
        rc = put_state(copying->txn, &state, copying->err);
    }
    if (rc == BONDY_OK)
        return bondy_lmdb_commit(copying->txn, copying->err);
    bondy_lmdb_abort(copying->txn);
    return rc;
}

int bondy_rewrite_wait(struct bondy_lmdb *db, const char *path, struct bondy_error *err)
{
    struct copying copying = {.err = err};
    struct bondy_lmdb_txn *from = NULL;
    struct bondy_buf folder = BONDY_BUF_EMPTY;
    int rc;

    remove_leftover(path);
    format_path(path, REWRITE_FOLDER, &folder);
    if ((rc = bondy_file_mkdir(folder.data, err)) == BONDY_OK &&
        (rc = bondy_lmdb_open(folder.data, bondy_lmdb_map_size(db), bondy_lmdb_map_size(db),
                              &copying.to, err)) == BONDY_OK &&
        (rc = bondy_lmdb_begin_read(db, &from, err)) == BONDY_OK)
        rc = copy_tables(from, &copying);
    bondy_lmdb_abort(from);
    bondy_lmdb_close(copying.to);
    bondy_buf_fini(&folder);
    if (rc < 0)
        remove_leftover(path);
    return rc;
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

int bondy_rewrite_finish_wait(const char *path, struct bondy_error *err)
{
    struct bondy_buf from = BONDY_BUF_EMPTY, to = BONDY_BUF_EMPTY;
    int rc = BONDY_OK;

    format_path(path, REWRITE_FOLDER "/data.mdb", &from);
    format_path(path, "data.mdb", &to);
    if (rename(from.data, to.data) < 0 || sync_folder(path) < 0)
        rc = bondy_fail(err, BONDY_EIO, "%s: %s", to.data, strerror(errno));
    remove_leftover(path);
    bondy_buf_fini(&from);
    bondy_buf_fini(&to);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/write.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/store/envelope_seal.h"

static bool is_live(const struct bondy_envelope *envelope, uint64_t now_ms)
{
    return !(envelope->flags & BONDY_ENVELOPE_TOMBSTONE) &&
           (envelope->expires_ms == 0 || envelope->expires_ms > now_ms);
}

static bool fill(struct bondy_slice key, const struct bondy_envelope *envelope,
                 const struct bondy_seal *seal, struct bondy_record *out)
{
    bool is_sealed = (envelope->flags & BONDY_ENVELOPE_SEALED) != 0;

    if (!bondy_key_decode(key, &out->key))
        return false;
    if (envelope->subkey.len > 0)
        out->key.subkey = envelope->subkey;
    memcpy(out->scope_hash, key.data + 1, BONDY_SCOPE_HASH_LEN);
    out->is_tombstone = (envelope->flags & BONDY_ENVELOPE_TOMBSTONE) != 0;
    out->gen = envelope->gen;
    memcpy(out->version, envelope->version, BONDY_VERSION_LEN);
    out->expires_ms = envelope->expires_ms;
    out->schema = envelope->schema;
    out->body = is_sealed ? BONDY_SLICE_EMPTY : envelope->body;
    out->sealed = is_sealed ? envelope->body : BONDY_SLICE_EMPTY;
    out->seal = seal;
    return true;
}

bool bondy_record_fill(struct bondy_slice key, struct bondy_slice value,
                       const struct bondy_seal *seal, struct bondy_record *out)
{
    struct bondy_envelope envelope;

    return bondy_envelope_decode(value, &envelope, NULL) == BONDY_OK &&
           fill(key, &envelope, seal, out);
}

/* A damaged record counts as an I/O error, since its version is not known. */
int bondy_store_find_raw(const struct bondy_store_view *view, struct bondy_slice key,
                         struct bondy_slice *raw, struct bondy_envelope *envelope,
                         struct bondy_error *err)
{
    int rc = bondy_lmdb_get(view->txn, BONDY_LMDB_RECORDS, key, raw, err);

    if (rc < 0)
        return rc;
    if (bondy_envelope_decode(*raw, envelope, err) < 0) {
        bondy_log(BONDY_LOG_ERROR, "store_record_damaged",
                  BONDY_F_U64("type", (uint8_t)key.data[0]));
        return bondy_fail(err, BONDY_EIO, "the stored record is damaged (wrong checksum)");
    }
    return BONDY_OK;
}

static int find_raw(const struct bondy_store_view *view, const struct bondy_key_bytes *key,
                    struct bondy_slice *raw, struct bondy_envelope *envelope,
                    struct bondy_error *err)
{
    return bondy_store_find_raw(view, bondy_slice_of(key->bytes, key->len), raw, envelope, err);
}

bool bondy_store_view_get(const struct bondy_store_view *view, const struct bondy_store_key *key,
                          struct bondy_record *out)
{
    struct bondy_key_bytes bytes;
    struct bondy_slice raw;
    struct bondy_envelope envelope;

    bondy_key_encode(key, &bytes);
    if (find_raw(view, &bytes, &raw, &envelope, NULL) < 0 || !is_live(&envelope, view->now_ms))
        return false;
    if (!fill(bondy_slice_of(bytes.bytes, bytes.len), &envelope, view->seal, out))
        return false;
    if (!bytes.is_hashed) /* the key's own octets go away with `bytes` */
        out->key.subkey = key->subkey;
    return true;
}

const struct bondy_store_view *bondy_store_write_view(const struct bondy_store_write *write)
{
    return &write->view;
}

bool bondy_store_get(struct bondy_store_write *write, const struct bondy_store_key *key,
                     struct bondy_record *out)
{
    return bondy_store_view_get(&write->view, key, out);
}

int bondy_record_open(const struct bondy_record *record, struct bondy_buf *room,
                      struct bondy_slice *body, struct bondy_error *err)
{
    uint8_t head[BONDY_KEY_HEAD];
    struct bondy_seal_place place = {.key = bondy_slice_of(head, sizeof head),
                                     .subkey = record->key.subkey,
                                     .schema = record->schema};
    int rc = BONDY_OK;

    *body = record->body;
    if (record->sealed.len == 0)
        return BONDY_OK;
    bondy_key_head(record->key.type, record->scope_hash, record->key.gen, head);
    if ((rc = bondy_seal_open(record->seal, &place, record->sealed, room, err)) < 0)
        bondy_log(BONDY_LOG_ERROR, "store_record_not_opened",
                  BONDY_F_U64("type", (uint64_t)record->key.type));
    else
        *body = bondy_buf_slice(room);
    return rc;
}

void bondy_record_close(struct bondy_buf *room)
{
    if (room->data != NULL)
        sodium_memzero(room->data, room->len);
    bondy_buf_fini(room);
}

static void note_change(struct bondy_store_write *write, struct bondy_slice key,
                        struct bondy_slice now, struct bondy_slice before)
{
    struct bondy_noted_change *change =
        bondy_alloc(sizeof *change + key.len + now.len + before.len);

    *change = (struct bondy_noted_change){.key_len = (uint32_t)key.len,
                                          .now_len = (uint32_t)now.len,
                                          .before_len = (uint32_t)before.len};
    memcpy(change->bytes, key.data, key.len);
    memcpy(change->bytes + key.len, now.data, now.len);
    if (before.len > 0)
        memcpy(change->bytes + key.len + now.len, before.data, before.len);
    *write->last = change;
    write->last = &change->next;
}

void bondy_noted_change_free(struct bondy_noted_change *change)
{
    while (change != NULL) {
        struct bondy_noted_change *next = change->next;

        bondy_free(change);
        change = next;
    }
}

/* Puts an envelope and its octets, notes the change, keeps the indexes. `before` is empty when
 * there was nothing. */
static int store_envelope(struct bondy_store_write *write, struct bondy_slice key,
                          const struct bondy_envelope *now, struct bondy_slice bytes,
                          struct bondy_slice before, struct bondy_error *err)
{
    const struct bondy_index index = {write->view.txn, write->view.now_ms, err};
    struct bondy_envelope then;
    bool is_known = before.len > 0 && bondy_envelope_decode(before, &then, NULL) == BONDY_OK;
    int rc;

    if (bytes.len > BONDY_ENVELOPE_MAX)
        return bondy_fail(err, BONDY_ELIMIT, "a record of %zu octets, at most %u are possible",
                          bytes.len, BONDY_ENVELOPE_MAX);
    note_change(write, key, bytes, before);
    write->is_dirty = true;
    /* The indexes first: a write makes `before` invalid. */
    rc = bondy_index_update(&index, key, is_known ? &then : NULL, now);
    if (rc == BONDY_OK)
        rc = bondy_lmdb_put(write->view.txn, BONDY_LMDB_RECORDS, key, bytes, err);
    write->is_full |= rc == BONDY_ELIMIT;
    return rc;
}

/* Puts an envelope; its version is filled in here unless it is a built-in one. */
static int write_envelope(struct bondy_store_write *write, const struct bondy_store_key *key,
                          struct bondy_envelope *envelope, const uint8_t *expected,
                          const uint8_t *builtin_version, struct bondy_error *err)
{
    struct bondy_key_bytes bytes;
    struct bondy_slice before = BONDY_SLICE_EMPTY;
    struct bondy_envelope current;
    struct bondy_buf buf = BONDY_BUF_EMPTY, room = BONDY_BUF_EMPTY;
    int rc;

    bondy_key_encode(key, &bytes);
    rc = find_raw(&write->view, &bytes, &before, &current, err);
    if (rc < 0 && rc != BONDY_ENOENT)
        return rc;
    if (expected != NULL &&
        (rc == BONDY_ENOENT || memcmp(expected, current.version, BONDY_VERSION_LEN) != 0))
        return bondy_fail(err, BONDY_ECONFLICT, "somebody else changed it meanwhile");
    if (builtin_version != NULL)
        memcpy(envelope->version, builtin_version, BONDY_VERSION_LEN);
    else
        bondy_hlc_next(write->hlc, write->view.now_ms, rc == BONDY_OK ? current.version : NULL,
                       envelope->version);
    if (bytes.is_hashed)
        envelope->subkey = key->subkey;
    bondy_envelope_seal(write->view.seal, bondy_slice_of(bytes.bytes, bytes.len), envelope, &room);
    bondy_envelope_encode(envelope, &buf);
    rc = store_envelope(write, bondy_slice_of(bytes.bytes, bytes.len), envelope,
                        bondy_buf_slice(&buf), before, err);
    bondy_buf_fini(&buf);
    bondy_buf_fini(&room);
    return rc;
}

enum bondy_merge bondy_merge_compare(const struct bondy_envelope *there,
                                     const struct bondy_envelope *from_elsewhere)
{
    int order = memcmp(from_elsewhere->version, there->version, BONDY_VERSION_LEN);

    if (from_elsewhere->gen != there->gen)
        return from_elsewhere->gen > there->gen ? BONDY_MERGE_NEWER : BONDY_MERGE_OLDER;
    return order == 0 ? BONDY_MERGE_EQUAL : order > 0 ? BONDY_MERGE_NEWER : BONDY_MERGE_OLDER;
}

/* An envelope from elsewhere, sealed as it is here: anew when it was not, or with another key. */
static int store_from_elsewhere(struct bondy_store_write *write, struct bondy_slice key,
                                struct bondy_envelope *envelope, struct bondy_slice bytes,
                                struct bondy_slice before, struct bondy_error *err)
{
    struct bondy_buf anew = BONDY_BUF_EMPTY;
    bool is_other;
    int rc = bondy_envelope_reseal(write->view.seal, key, envelope, &anew, &is_other, err);

    if (rc == BONDY_OK)
        rc = store_envelope(write, key, envelope, is_other ? bondy_buf_slice(&anew) : bytes, before,
                            err);
    bondy_buf_fini(&anew);
    return rc;
}

int bondy_store_merge(struct bondy_store_write *write, struct bondy_slice key,
                      struct bondy_slice envelope, enum bondy_merge *merge, bool *is_drifted,
                      struct bondy_error *err)
{
    struct bondy_slice before = BONDY_SLICE_EMPTY;
    struct bondy_envelope there, here;
    int rc = bondy_envelope_decode(envelope, &here, err);

    *is_drifted = false;
    if (rc < 0)
        return rc;
    rc = bondy_store_find_raw(&write->view, key, &before, &there, err);
    if (rc < 0 && rc != BONDY_ENOENT)
        return rc;
    *merge = rc == BONDY_ENOENT ? BONDY_MERGE_FRESH : bondy_merge_compare(&there, &here);
    if (*merge == BONDY_MERGE_OLDER || *merge == BONDY_MERGE_EQUAL)
        return BONDY_OK;
    *is_drifted = !bondy_hlc_observe(write->hlc, write->view.now_ms, here.version);
    return store_from_elsewhere(write, key, &here, envelope, before, err);
}

int bondy_store_rewrite(struct bondy_store_write *write, struct bondy_slice key,
                        struct bondy_envelope *envelope, struct bondy_error *err)
{
    struct bondy_slice before = BONDY_SLICE_EMPTY;
    struct bondy_envelope there;
    struct bondy_buf buf = BONDY_BUF_EMPTY, room = BONDY_BUF_EMPTY;
    int rc = bondy_store_find_raw(&write->view, key, &before, &there, err);

    if (rc < 0 && rc != BONDY_ENOENT)
        return rc;
    bondy_hlc_next(write->hlc, write->view.now_ms, rc == BONDY_OK ? there.version : NULL,
                   envelope->version);
    bondy_envelope_seal(write->view.seal, key, envelope, &room);
    bondy_envelope_encode(envelope, &buf);
    rc = store_envelope(write, key, envelope, bondy_buf_slice(&buf), before, err);
    bondy_buf_fini(&buf);
    bondy_buf_fini(&room);
    return rc;
}

int bondy_store_remove(struct bondy_store_write *write, struct bondy_slice key,
                       struct bondy_error *err)
{
    const struct bondy_index index = {write->view.txn, write->view.now_ms, err};
    struct bondy_slice raw;
    struct bondy_envelope envelope;
    int rc = bondy_store_find_raw(&write->view, key, &raw, &envelope, err);

    if (rc == BONDY_ENOENT)
        return BONDY_OK;
    if (rc < 0)
        return rc;
    write->is_dirty = true;
    rc = bondy_index_update(&index, key, &envelope, NULL);
    if (rc == BONDY_OK)
        rc = bondy_lmdb_delete(write->view.txn, BONDY_LMDB_RECORDS, key, err);
    write->is_full |= rc == BONDY_ELIMIT;
    return rc;
}

int bondy_store_put(struct bondy_store_write *write, const struct bondy_store_key *key,
                    const struct bondy_store_value *value, const uint8_t *expected,
                    struct bondy_error *err)
{
    struct bondy_envelope envelope = {.gen = value->gen,
                                      .expires_ms = value->expires_ms,
                                      .schema = value->schema,
                                      .body = value->body};

    return write_envelope(write, key, &envelope, expected, NULL, err);
}

int bondy_store_put_builtin(struct bondy_store_write *write, const struct bondy_store_key *key,
                            const struct bondy_store_value *value, uint16_t revision,
                            struct bondy_error *err)
{
    static const uint8_t nobody[BONDY_WRITER_LEN];
    struct bondy_envelope envelope = {.gen = value->gen,
                                      .expires_ms = value->expires_ms,
                                      .schema = value->schema,
                                      .body = value->body};
    uint8_t version[BONDY_VERSION_LEN];

    bondy_version_make(BONDY_BUILTIN_WALL_MS, revision, nobody, version);
    return write_envelope(write, key, &envelope, NULL, version, err);
}

int bondy_store_delete(struct bondy_store_write *write, const struct bondy_store_key *key,
                       const uint8_t *expected, struct bondy_error *err)
{
    struct bondy_record record;
    struct bondy_envelope envelope = {.flags = BONDY_ENVELOPE_TOMBSTONE};

    if (!bondy_store_get(write, key, &record))
        return bondy_fail(err, BONDY_ENOENT, "there is no such record");
    envelope.gen = record.gen;
    envelope.schema = record.schema;
    return write_envelope(write, key, &envelope, expected, NULL, err);
}

uint32_t bondy_store_next_gen(struct bondy_store_write *write, const struct bondy_store_key *key)
{
    struct bondy_key_bytes bytes;
    struct bondy_slice raw;
    struct bondy_envelope envelope;

    bondy_key_encode(key, &bytes);
    if (find_raw(&write->view, &bytes, &raw, &envelope, NULL) < 0)
        return 0;
    return envelope.gen + (envelope.flags & BONDY_ENVELOPE_TOMBSTONE ? 1 : 0);
}

struct scan {
    const struct bondy_seal *seal;
    int (*fn)(void *context, const struct bondy_record *record);
    void *context;
    struct bondy_slice after; /* a whole key, to be left out */
    struct bondy_slice suffix;
    uint64_t now_ms;
    bool with_tombstones;
};

/* Of a subkey that was too long the key has a hash at the end. */
static bool may_end_so(struct bondy_slice key, struct bondy_slice suffix)
{
    if (suffix.len == 0 || key.len >= BONDY_KEY_MAX)
        return true;
    return key.len >= BONDY_KEY_HEAD + suffix.len &&
           memcmp(key.data + key.len - suffix.len, suffix.data, suffix.len) == 0;
}

static int scan_one(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct scan *scan = context;
    struct bondy_record record;

    if (scan->after.len > 0 && bondy_slice_eq(key, scan->after))
        return 0;
    if (!may_end_so(key, scan->suffix))
        return 0;
    if (!bondy_record_fill(key, value, scan->seal, &record)) {
        bondy_log(BONDY_LOG_ERROR, "store_record_damaged",
                  BONDY_F_U64("type", key.len == 0 ? 0 : (uint8_t)key.data[0]));
        return 0;
    }
    if (record.expires_ms != 0 && record.expires_ms <= scan->now_ms)
        return 0;
    if (record.is_tombstone && !scan->with_tombstones)
        return 0;
    return scan->fn(scan->context, &record);
}

int bondy_store_view_scan(const struct bondy_store_view *view,
                          const struct bondy_store_range *range,
                          int (*fn)(void *context, const struct bondy_record *record),
                          void *context)
{
    struct scan scan = {.seal = view->seal,
                        .fn = fn,
                        .context = context,
                        .suffix = range->suffix,
                        .now_ms = view->now_ms,
                        .with_tombstones = range->with_tombstones};
    struct bondy_key_bytes prefix, after;

    bondy_key_prefix(range, &prefix);
    if (range->after.len > 0) {
        bondy_key_encode(
            &(struct bondy_store_key){range->type, range->scope, range->gen, range->after}, &after);
        scan.after = bondy_slice_of(after.bytes, after.len);
    }
    return bondy_lmdb_scan(view->txn, BONDY_LMDB_RECORDS, bondy_slice_of(prefix.bytes, prefix.len),
                           scan.after, scan_one, &scan, NULL);
}

int bondy_store_scan(struct bondy_store_write *write, enum bondy_record_type type,
                     struct bondy_slice scope,
                     int (*fn)(void *context, const struct bondy_record *record), void *context)
{
    const struct bondy_store_range range = {
        .type = type, .scope = scope, .is_any_scope = scope.len == 0, .is_any_gen = true};

    return bondy_store_view_scan(&write->view, &range, fn, context);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/write.h"

#include <string.h>

#define TIME_LEN 8

/* Both indexes have keys that begin with a time, so that what is due stands in front. */

struct index_key {
    uint8_t bytes[TIME_LEN + BONDY_KEY_MAX];
    size_t len;
};

static struct bondy_slice encode(uint64_t ms, struct bondy_slice key, struct index_key *out)
{
    for (int i = 0; i < TIME_LEN; i++)
        out->bytes[i] = (uint8_t)(ms >> (56 - 8 * i));
    memcpy(out->bytes + TIME_LEN, key.data, key.len);
    out->len = TIME_LEN + key.len;
    return bondy_slice_of(out->bytes, out->len);
}

bool bondy_index_decode(struct bondy_slice bytes, uint64_t *ms, struct bondy_slice *key)
{
    if (bytes.len < TIME_LEN + BONDY_KEY_HEAD)
        return false;
    *ms = 0;
    for (int i = 0; i < TIME_LEN; i++)
        *ms = *ms << 8 | (uint8_t)bytes.data[i];
    *key = bondy_slice_skip(bytes, TIME_LEN);
    return true;
}

static uint64_t expiry_of(const struct bondy_envelope *envelope)
{
    if (envelope == NULL || envelope->flags & BONDY_ENVELOPE_TOMBSTONE)
        return 0;
    return envelope->expires_ms;
}

static bool is_container(struct bondy_slice key)
{
    return key.data[0] == BONDY_RECORD_REALM || key.data[0] == BONDY_RECORD_USER ||
           key.data[0] == BONDY_RECORD_GROUP;
}

int bondy_index_add_hidden(const struct bondy_index *index, struct bondy_slice key)
{
    struct index_key entry;

    return bondy_lmdb_put(index->txn, BONDY_LMDB_HIDDEN, encode(index->now_ms, key, &entry),
                          BONDY_SLICE_EMPTY, index->err);
}

int bondy_index_update(const struct bondy_index *index, struct bondy_slice key,
                       const struct bondy_envelope *before, const struct bondy_envelope *now)
{
    uint64_t expires_before = expiry_of(before), expires_now = expiry_of(now);
    uint32_t gen_before = before == NULL ? 0 : before->gen;
    /* Read first: writing makes what `before` borrows from invalid. */
    bool may_hide = now != NULL && is_container(key) &&
                    (now->flags & BONDY_ENVELOPE_TOMBSTONE || now->gen > gen_before);
    struct index_key entry;
    int rc = BONDY_OK;

    if (expires_before != 0 && expires_before != expires_now)
        rc = bondy_lmdb_delete(index->txn, BONDY_LMDB_EXPIRY, encode(expires_before, key, &entry),
                               index->err);
    if (rc == BONDY_OK && expires_now != 0 && expires_before != expires_now)
        rc = bondy_lmdb_put(index->txn, BONDY_LMDB_EXPIRY, encode(expires_now, key, &entry),
                            BONDY_SLICE_EMPTY, index->err);
    if (rc == BONDY_OK && may_hide)
        rc = bondy_index_add_hidden(index, key);
    return rc;
}

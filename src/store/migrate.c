/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/migrate.h"

#include "src/base/alloc.h"
#include "src/store/write.h"

#define META_FORMAT "format"

/* steps[n] brings format n to n + 1; format 0 is an empty store. */
static int from_nothing(struct bondy_lmdb_txn *txn, struct bondy_error *err)
{
    (void)txn;
    (void)err;
    return BONDY_OK;
}

/* Format 2 has the indexes of what expires and of containers that may hide children. */
static int index_one(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct bondy_index *index = context;
    struct bondy_envelope envelope;

    if (bondy_envelope_decode(value, &envelope, NULL) < 0)
        return 0; /* damaged: reported whenever it is read */
    return bondy_index_update(index, key, NULL, &envelope);
}

static int add_indexes(struct bondy_lmdb_txn *txn, struct bondy_error *err)
{
    struct bondy_index index = {.txn = txn, .now_ms = 0, .err = err};
    int rc;

    if ((rc = bondy_lmdb_clear(txn, BONDY_LMDB_EXPIRY, err)) < 0 ||
        (rc = bondy_lmdb_clear(txn, BONDY_LMDB_HIDDEN, err)) < 0)
        return rc;
    return bondy_lmdb_scan(txn, BONDY_LMDB_RECORDS, BONDY_SLICE_EMPTY, BONDY_SLICE_EMPTY, index_one,
                           &index, err);
}

static int (*const steps[])(struct bondy_lmdb_txn *txn, struct bondy_error *err) = {from_nothing,
                                                                                    add_indexes};

_Static_assert(BONDY_COUNT(steps) == BONDY_STORE_FORMAT, "one step for each format");

int bondy_migrate(struct bondy_lmdb_txn *txn, struct bondy_error *err)
{
    struct bondy_slice stored;
    uint8_t format = 0;
    int rc = bondy_lmdb_get(txn, BONDY_LMDB_META, BONDY_SLICE(META_FORMAT), &stored, err);

    if (rc < 0 && rc != BONDY_ENOENT)
        return rc;
    if (rc == BONDY_OK && stored.len > 0)
        format = (uint8_t)stored.data[0];
    if (format > BONDY_STORE_FORMAT)
        return bondy_fail(
            err, BONDY_EUNSUPPORTED,
            "its format is %u, this program knows up to %u: use the program that wrote it", format,
            BONDY_STORE_FORMAT);
    for (; format < BONDY_STORE_FORMAT; format++)
        if ((rc = steps[format](txn, err)) < 0)
            return rc;
    return bondy_lmdb_put(txn, BONDY_LMDB_META, BONDY_SLICE(META_FORMAT),
                          bondy_slice_of(&format, 1), err);
}

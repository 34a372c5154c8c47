/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/lmdb.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "src/base/alloc.h"

#define FILE_MODE 0600
#define GROW_ABOVE 0.8

struct bondy_lmdb {
    MDB_env *env;
    MDB_dbi tables[BONDY_LMDB_TABLES];
    uint64_t map_size;
    uint64_t map_size_max;
    /* The map must not be resized under read transactions. Who wants to resize it lets no new one
     * begin, so that many short ones in turn cannot keep it waiting; a thread that has one already
     * may begin another, or both would wait for ever. */
    pthread_mutex_t lock; /* guards reader_count, and is_growing where it is set */
    pthread_cond_t changed;
    size_t reader_count;
    atomic_bool is_growing;
};

/* Of this thread, in all stores of the process. */
static _Thread_local size_t own_readers;

struct bondy_lmdb_txn {
    struct bondy_lmdb *db;
    MDB_txn *txn;
    bool is_reader;
};

static int fail(struct bondy_error *err, const char *what, int rc)
{
    /* A full disk is not a full map: a greater map would not help. */
    if (rc == MDB_MAP_FULL)
        return bondy_fail(err, BONDY_ELIMIT, "%s: the store is full (store.map_size_max)", what);
    return bondy_fail(err, BONDY_EIO, "%s: %s", what, mdb_strerror(rc));
}

static int open_tables(struct bondy_lmdb *db, struct bondy_error *err)
{
    static const char *const names[] = {"kv", "meta", "exp", "hidden"};
    MDB_txn *txn;
    int rc = mdb_txn_begin(db->env, NULL, 0, &txn);

    if (rc != 0)
        return fail(err, "starting the first transaction", rc);
    for (int i = 0; i < BONDY_LMDB_TABLES && rc == 0; i++)
        rc = mdb_dbi_open(txn, names[i], MDB_CREATE, &db->tables[i]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return fail(err, "opening the tables", rc);
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? BONDY_OK : fail(err, "making the tables", rc);
}

int bondy_lmdb_open(const char *path, uint64_t map_size, uint64_t map_size_max,
                    struct bondy_lmdb **out, struct bondy_error *err)
{
    struct bondy_lmdb *db = bondy_zalloc(sizeof *db);
    MDB_envinfo info;
    int rc, dead;

    db->map_size = map_size;
    db->map_size_max = map_size_max;
    pthread_mutex_init(&db->lock, NULL);
    pthread_cond_init(&db->changed, NULL);
    if ((rc = mdb_env_create(&db->env)) != 0 ||
        (rc = mdb_env_set_mapsize(db->env, map_size)) != 0 ||
        (rc = mdb_env_set_maxdbs(db->env, BONDY_LMDB_TABLES)) != 0 ||
        (rc = mdb_env_open(db->env, path, MDB_NOTLS, FILE_MODE)) != 0) {
        rc = fail(err, path, rc);
        goto out;
    }
    /* An existing store may be larger than what is configured. */
    mdb_env_info(db->env, &info);
    if (info.me_mapsize > db->map_size)
        db->map_size = info.me_mapsize;
    mdb_reader_check(db->env, &dead);
    rc = open_tables(db, err);
    if (rc == BONDY_OK)
        *out = BONDY_MOVE(db);
out:
    bondy_lmdb_close(db);
    return rc;
}

void bondy_lmdb_close(struct bondy_lmdb *db)
{
    if (db == NULL)
        return;
    if (db->env != NULL)
        mdb_env_close(db->env);
    pthread_cond_destroy(&db->changed);
    pthread_mutex_destroy(&db->lock);
    bondy_free(db);
}

static void enter_as_reader(struct bondy_lmdb *db)
{
    pthread_mutex_lock(&db->lock);
    while (atomic_load(&db->is_growing) && own_readers == 0)
        pthread_cond_wait(&db->changed, &db->lock);
    db->reader_count++;
    own_readers++;
    pthread_mutex_unlock(&db->lock);
}

static void leave_as_reader(struct bondy_lmdb *db)
{
    pthread_mutex_lock(&db->lock);
    own_readers--;
    if (--db->reader_count == 0)
        pthread_cond_broadcast(&db->changed);
    pthread_mutex_unlock(&db->lock);
}

static int begin(struct bondy_lmdb *db, MDB_txn *parent, bool is_reader,
                 struct bondy_lmdb_txn **out, struct bondy_error *err)
{
    struct bondy_lmdb_txn *txn = bondy_zalloc(sizeof *txn);
    int rc;

    txn->db = db;
    txn->is_reader = is_reader;
    if (is_reader)
        enter_as_reader(db);
    rc = mdb_txn_begin(db->env, parent, is_reader ? MDB_RDONLY : 0, &txn->txn);
    if (rc != 0) {
        if (is_reader)
            leave_as_reader(db);
        bondy_free(txn);
        return fail(err, "starting a transaction", rc);
    }
    *out = txn;
    return BONDY_OK;
}

int bondy_lmdb_begin_write(struct bondy_lmdb *db, struct bondy_lmdb_txn *parent,
                           struct bondy_lmdb_txn **out, struct bondy_error *err)
{
    return begin(db, parent == NULL ? NULL : parent->txn, false, out, err);
}

int bondy_lmdb_begin_read(struct bondy_lmdb *db, struct bondy_lmdb_txn **out,
                          struct bondy_error *err)
{
    return begin(db, NULL, true, out, err);
}

static void end(struct bondy_lmdb_txn *txn)
{
    if (txn->is_reader)
        leave_as_reader(txn->db);
    bondy_free(txn);
}

int bondy_lmdb_commit(struct bondy_lmdb_txn *txn, struct bondy_error *err)
{
    int rc = mdb_txn_commit(txn->txn);

    end(txn);
    return rc == 0 ? BONDY_OK : fail(err, "writing to the disk", rc);
}

void bondy_lmdb_abort(struct bondy_lmdb_txn *txn)
{
    if (txn == NULL)
        return;
    mdb_txn_abort(txn->txn);
    end(txn);
}

static MDB_val value_of(struct bondy_slice slice)
{
    return (MDB_val){slice.len, (void *)(uintptr_t)slice.data};
}

int bondy_lmdb_get(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table, struct bondy_slice key,
                   struct bondy_slice *out, struct bondy_error *err)
{
    MDB_val raw_key = value_of(key), value;
    int rc = mdb_get(txn->txn, txn->db->tables[table], &raw_key, &value);

    if (rc == MDB_NOTFOUND)
        return BONDY_ENOENT;
    if (rc != 0)
        return fail(err, "reading a record", rc);
    *out = bondy_slice_of(value.mv_data, value.mv_size);
    return BONDY_OK;
}

int bondy_lmdb_put(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table, struct bondy_slice key,
                   struct bondy_slice value, struct bondy_error *err)
{
    MDB_val raw_key = value_of(key), raw_value = value_of(value);
    int rc = mdb_put(txn->txn, txn->db->tables[table], &raw_key, &raw_value, 0);

    return rc == 0 ? BONDY_OK : fail(err, "writing a record", rc);
}

int bondy_lmdb_delete(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table,
                      struct bondy_slice key, struct bondy_error *err)
{
    MDB_val raw_key = value_of(key);
    int rc = mdb_del(txn->txn, txn->db->tables[table], &raw_key, NULL);

    return rc == 0 || rc == MDB_NOTFOUND ? BONDY_OK : fail(err, "removing a record", rc);
}

int bondy_lmdb_clear(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table,
                     struct bondy_error *err)
{
    int rc = mdb_drop(txn->txn, txn->db->tables[table], 0);

    return rc == 0 ? BONDY_OK : fail(err, "clearing a table", rc);
}

int bondy_lmdb_scan(struct bondy_lmdb_txn *txn, enum bondy_lmdb_table table,
                    struct bondy_slice prefix, struct bondy_slice from,
                    int (*fn)(void *context, struct bondy_slice key, struct bondy_slice value),
                    void *context, struct bondy_error *err)
{
    MDB_val key = value_of(from.len > 0 ? from : prefix), value;
    MDB_cursor *cursor;
    int result = 0;
    int rc = mdb_cursor_open(txn->txn, txn->db->tables[table], &cursor);

    if (rc != 0)
        return fail(err, "opening a cursor", rc);
    rc = mdb_cursor_get(cursor, &key, &value, key.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
    while (rc == 0 && result == 0) {
        struct bondy_slice found = bondy_slice_of(key.mv_data, key.mv_size);

        if (!bondy_slice_starts(found, prefix))
            break;
        result = fn(context, found, bondy_slice_of(value.mv_data, value.mv_size));
        if (result == 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return fail(err, "walking through the records", rc);
    return result;
}

bool bondy_lmdb_is_growing(const struct bondy_lmdb_txn *txn)
{
    return atomic_load(&txn->db->is_growing);
}

uint64_t bondy_lmdb_map_size(const struct bondy_lmdb *db)
{
    return db->map_size;
}

double bondy_lmdb_used(struct bondy_lmdb *db)
{
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(db->env, &info);
    mdb_env_stat(db->env, &stat);
    return (double)(info.me_last_pgno + 1) * stat.ms_psize / (double)info.me_mapsize;
}

/* The environment's own table of pages that are free: lists, each with its length in front. */
#define FREE_TABLE 0

static size_t count_free_pages(struct bondy_lmdb *db)
{
    struct bondy_lmdb_txn *txn = NULL;
    MDB_cursor *cursor;
    MDB_val key, value;
    size_t count = 0;

    if (bondy_lmdb_begin_read(db, &txn, NULL) < 0)
        return 0;
    if (mdb_cursor_open(txn->txn, FREE_TABLE, &cursor) == 0) {
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            size_t listed = 0;

            memcpy(&listed, value.mv_data,
                   value.mv_size < sizeof listed ? value.mv_size : sizeof listed);
            count += listed;
        }
        mdb_cursor_close(cursor);
    }
    bondy_lmdb_abort(txn);
    return count;
}

double bondy_lmdb_filled_wait(struct bondy_lmdb *db)
{
    size_t free_pages = count_free_pages(db);
    double pages, max;
    MDB_envinfo info;
    MDB_stat stat;

    pthread_mutex_lock(&db->lock);
    mdb_env_info(db->env, &info);
    pthread_mutex_unlock(&db->lock);
    mdb_env_stat(db->env, &stat);
    /* A store may be larger than what is configured by now. */
    max = (double)(info.me_mapsize > db->map_size_max ? info.me_mapsize : db->map_size_max);
    pages = (double)(info.me_last_pgno + 1) - (double)free_pages;
    return pages < 0 ? 0 : pages * stat.ms_psize / max;
}

int bondy_lmdb_grow_wait(struct bondy_lmdb *db, bool now, struct bondy_error *err)
{
    uint64_t size = db->map_size * 2;
    int rc;

    if (!now && bondy_lmdb_used(db) < GROW_ABOVE)
        return BONDY_OK;
    if (size > db->map_size_max)
        size = db->map_size_max;
    if (size <= db->map_size)
        return bondy_fail(err, BONDY_ELIMIT,
                          "the store has reached its limit of %llu octets (store.map_size_max)",
                          (unsigned long long)db->map_size_max);
    pthread_mutex_lock(&db->lock);
    atomic_store(&db->is_growing, true);
    while (db->reader_count > 0)
        pthread_cond_wait(&db->changed, &db->lock);
    rc = mdb_env_set_mapsize(db->env, size);
    atomic_store(&db->is_growing, false);
    pthread_cond_broadcast(&db->changed);
    pthread_mutex_unlock(&db->lock);
    if (rc != 0)
        return fail(err, "growing the store", rc);
    db->map_size = size;
    return BONDY_OK;
}

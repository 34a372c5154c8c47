/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/purge.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/wheel.h"
#include "src/store/write.h"
#include "src/sys/loop.h"

#define DEFAULT_BATCH 256
#define DEFAULT_EXPIRED_MS (UINT64_C(3600) * 1000)
#define DEFAULT_EVERY_MS (UINT64_C(60) * 1000)
#define GEN_LEN 4
#define SCOPE_END 17 /* of a key: type and scope */
#define RANGES_MAX 12

/* A step first removes what expired, then goes on with the first container that is due. Keys are
 * gathered by a scan and removed after it. A container's entry in the index has as its value the
 * key where its purge goes on, so that steps need not remember anything. */

struct step {
    struct bondy_store_job job;
    struct bondy_purge_options options;
    struct bondy_store_write *write; /* while it runs */
    struct bondy_error *err;
    unsigned budget; /* records that may still be looked at */
    uint64_t removed;
    bool has_more;
};

/* ---- keys of one scan ------------------------------------------------------------------------ */

struct keys {
    struct bondy_buf bytes; /* each with its length (2) in front */
};

static void push_key(struct keys *keys, struct bondy_slice key)
{
    bondy_buf_append_byte(&keys->bytes, (unsigned)(key.len >> 8));
    bondy_buf_append_byte(&keys->bytes, key.len & 0xff);
    bondy_buf_append_slice(&keys->bytes, key);
}

static bool next_key(const struct keys *keys, size_t *at, struct bondy_slice *key)
{
    const uint8_t *bytes = (const uint8_t *)keys->bytes.data + *at;

    if (*at >= keys->bytes.len)
        return false;
    *key = bondy_slice_of(bytes + 2, (size_t)(bytes[0] << 8 | bytes[1]));
    *at += 2 + key->len;
    return true;
}

/* ---- expired --------------------------------------------------------------------------------- */

struct expired_scan {
    struct step *step;
    uint64_t until_ms;
    struct keys keys;
};

static int gather_expired(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct expired_scan *scan = context;
    struct bondy_slice record;
    uint64_t ms;

    (void)value;
    if (bondy_index_decode(key, &ms, &record) && ms > scan->until_ms)
        return 1;
    if (scan->step->budget == 0) {
        scan->step->has_more = true;
        return 1;
    }
    scan->step->budget--;
    push_key(&scan->keys, key);
    return 0;
}

/* The entry and, when the record is still the one that expired, the record. */
static int remove_expired(struct step *step, struct bondy_slice entry)
{
    struct bondy_slice key, raw;
    struct bondy_envelope envelope;
    uint64_t ms;
    int rc = bondy_lmdb_delete(step->write->view.txn, BONDY_LMDB_EXPIRY, entry, step->err);

    step->write->is_dirty = true;
    if (rc < 0 || !bondy_index_decode(entry, &ms, &key))
        return rc;
    if (bondy_store_find_raw(&step->write->view, key, &raw, &envelope, NULL) < 0 ||
        envelope.expires_ms != ms)
        return BONDY_OK;
    rc = bondy_store_remove(step->write, key, step->err);
    step->removed += rc == BONDY_OK;
    return rc;
}

static int purge_expired(struct step *step)
{
    uint64_t now_ms = step->write->view.now_ms, keep_ms = step->options.expired_ms;
    struct expired_scan scan = {.step = step, .until_ms = now_ms > keep_ms ? now_ms - keep_ms : 0};
    struct bondy_slice key;
    size_t at = 0;
    int rc = bondy_lmdb_scan(step->write->view.txn, BONDY_LMDB_EXPIRY, BONDY_SLICE_EMPTY,
                             BONDY_SLICE_EMPTY, gather_expired, &scan, step->err);

    while (rc >= 0 && next_key(&scan.keys, &at, &key))
        rc = remove_expired(step, key);
    bondy_buf_fini(&scan.keys.bytes);
    return rc < 0 ? rc : BONDY_OK;
}

/* ---- hidden by generations ------------------------------------------------------------------- */

/* Where children of a container stand: keys that start with `prefix`, then their generation. */
struct child_range {
    uint8_t bytes[BONDY_KEY_MAX];
    size_t len;
};

struct children {
    struct child_range ranges[RANGES_MAX];
    unsigned count;
    uint32_t limit; /* generations below it are hidden */
};

static void add_range(struct children *children, enum bondy_record_type type,
                      const void *scope_and_gen, size_t len)
{
    struct child_range *range = &children->ranges[children->count++];

    BONDY_BUG_ON(children->count > RANGES_MAX);
    range->bytes[0] = (uint8_t)type;
    memcpy(range->bytes + 1, scope_and_gen, len);
    range->len = 1 + len;
}

/* The last range goes on with the container's name and a NUL. False: such a key would be hashed. */
static bool add_name(struct children *children, const char *kind, size_t kind_len,
                     struct bondy_slice name)
{
    struct child_range *range = &children->ranges[children->count - 1];

    if (range->len + kind_len + name.len + 1 + GEN_LEN > BONDY_KEY_HEAD + BONDY_SUBKEY_KEPT)
        return false;
    memcpy(range->bytes + range->len, kind, kind_len);
    memcpy(range->bytes + range->len + kind_len, name.data, name.len);
    range->len += kind_len + name.len;
    range->bytes[range->len++] = 0;
    return true;
}

static bool children_of_realm(struct children *children, struct bondy_slice uri)
{
    static const uint8_t types[] = {BONDY_RECORD_REALM_ELEMENT, BONDY_RECORD_USER,
                                    BONDY_RECORD_USER_ELEMENT,  BONDY_RECORD_GROUP,
                                    BONDY_RECORD_GROUP_ELEMENT, BONDY_RECORD_GRANT,
                                    BONDY_RECORD_SOURCE,        BONDY_RECORD_TICKET,
                                    BONDY_RECORD_TOKEN,         BONDY_RECORD_RETAINED};
    uint8_t scope[BONDY_SCOPE_HASH_LEN];

    bondy_store_scope_hash(uri, scope);
    for (size_t i = 0; i < sizeof types; i++)
        add_range(children, types[i], scope, sizeof scope);
    return true;
}

/* `head` is the container's scope and its realm's generation, which its children share. */
static bool children_of_user(struct children *children, const char *head, struct bondy_slice name)
{
    size_t len = BONDY_KEY_HEAD - 1;

    add_range(children, BONDY_RECORD_USER_ELEMENT, head, len);
    if (!add_name(children, "", 0, name))
        return false;
    add_range(children, BONDY_RECORD_GRANT, head, len);
    if (!add_name(children, "u", 2, name))
        return false;
    add_range(children, BONDY_RECORD_TICKET, head, len);
    return add_name(children, "", 0, name);
}

static bool children_of_group(struct children *children, const char *head, struct bondy_slice name)
{
    size_t len = BONDY_KEY_HEAD - 1;

    add_range(children, BONDY_RECORD_GROUP_ELEMENT, head, len);
    if (!add_name(children, "", 0, name))
        return false;
    add_range(children, BONDY_RECORD_GRANT, head, len);
    return add_name(children, "g", 2, name);
}

static bool find_children(struct bondy_slice key, const struct bondy_envelope *container,
                          struct children *out)
{
    struct bondy_slice name =
        container->subkey.len > 0 ? container->subkey : bondy_slice_skip(key, BONDY_KEY_HEAD);

    out->count = 0;
    out->limit = container->gen + (container->flags & BONDY_ENVELOPE_TOMBSTONE ? 1 : 0);
    switch (key.data[0]) {
    case BONDY_RECORD_REALM:
        return children_of_realm(out, name);
    case BONDY_RECORD_USER:
        return children_of_user(out, key.data + 1, name);
    case BONDY_RECORD_GROUP:
        return children_of_group(out, key.data + 1, name);
    default:
        return false;
    }
}

struct child_scan {
    struct step *step;
    const struct child_range *range;
    uint32_t limit;
    struct keys keys;
    struct bondy_buf next; /* where the next step goes on; empty: the range is done */
};

static int gather_child(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct child_scan *scan = context;
    const uint8_t *gen = (const uint8_t *)key.data + scan->range->len;
    struct bondy_envelope envelope;

    if (key.len < scan->range->len + GEN_LEN)
        return 0;
    if (((uint32_t)gen[0] << 24 | gen[1] << 16 | gen[2] << 8 | gen[3]) >= scan->limit)
        return 1;
    if (scan->step->budget == 0) {
        bondy_buf_append_slice(&scan->next, key);
        return 1;
    }
    scan->step->budget--;
    if (bondy_envelope_decode(value, &envelope, NULL) == BONDY_OK &&
        !(envelope.flags & BONDY_ENVELOPE_TOMBSTONE))
        push_key(&scan->keys, key);
    return 0;
}

/* Goes through one range from `from` on; fills `next` when the budget ends before the range. */
static int purge_range(struct step *step, const struct children *children,
                       const struct child_range *range, struct bondy_slice from,
                       struct bondy_buf *next)
{
    struct child_scan scan = {.step = step, .range = range, .limit = children->limit};
    struct bondy_slice key;
    size_t at = 0;
    int rc = bondy_lmdb_scan(step->write->view.txn, BONDY_LMDB_RECORDS,
                             bondy_slice_of(range->bytes, range->len), from, gather_child, &scan,
                             step->err);

    while (rc >= 0 && next_key(&scan.keys, &at, &key)) {
        rc = bondy_store_remove(step->write, key, step->err);
        step->removed += rc == BONDY_OK;
    }
    bondy_buf_fini(&scan.keys.bytes);
    *next = scan.next;
    return rc < 0 ? rc : BONDY_OK;
}

static int purge_children(struct step *step, const struct children *children,
                          struct bondy_slice from, struct bondy_buf *next)
{
    int rc = BONDY_OK;

    for (unsigned i = 0; i < children->count && rc == BONDY_OK && next->len == 0; i++) {
        const struct child_range *range = &children->ranges[i];
        bool is_here =
            from.len > 0 && bondy_slice_starts(from, bondy_slice_of(range->bytes, range->len));

        if (from.len > 0 && !is_here && (uint8_t)from.data[0] != range->bytes[0])
            continue; /* done in an earlier step */
        rc = purge_range(step, children, range, is_here ? from : BONDY_SLICE_EMPTY, next);
        from = BONDY_SLICE_EMPTY;
    }
    return rc;
}

/* The container that is due: its entry, and where to go on. */
struct due {
    uint64_t until_ms;
    struct bondy_buf entry, from;
};

static int find_due(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct due *due = context;
    struct bondy_slice record;
    uint64_t ms;

    if (bondy_index_decode(key, &ms, &record) && ms > due->until_ms)
        return 1;
    bondy_buf_append_slice(&due->entry, key);
    bondy_buf_append_slice(&due->from, value);
    return 1;
}

static int purge_container(struct step *step, const struct due *due)
{
    struct bondy_lmdb_txn *txn = step->write->view.txn;
    struct bondy_slice key, raw, entry = bondy_buf_slice(&due->entry);
    struct bondy_buf next = BONDY_BUF_EMPTY;
    struct bondy_envelope container;
    struct children children;
    uint64_t ms;
    int rc = BONDY_OK;

    if (bondy_index_decode(entry, &ms, &key) &&
        bondy_store_find_raw(&step->write->view, key, &raw, &container, NULL) == BONDY_OK &&
        find_children(key, &container, &children))
        rc = purge_children(step, &children, bondy_buf_slice(&due->from), &next);
    step->write->is_dirty = true;
    if (rc == BONDY_OK && next.len > 0)
        rc = bondy_lmdb_put(txn, BONDY_LMDB_HIDDEN, entry, bondy_buf_slice(&next), step->err);
    else if (rc == BONDY_OK)
        rc = bondy_lmdb_delete(txn, BONDY_LMDB_HIDDEN, entry, step->err);
    bondy_buf_fini(&next);
    return rc;
}

/* An entry costs one of the budget too, so that many of them without children end the step. */
static int purge_hidden(struct step *step)
{
    uint64_t now_ms = step->write->view.now_ms, keep_ms = step->options.delay_ms;
    struct due due = {.until_ms = now_ms > keep_ms ? now_ms - keep_ms : 0};
    int rc;

    do {
        due.entry.len = due.from.len = 0;
        rc = bondy_lmdb_scan(step->write->view.txn, BONDY_LMDB_HIDDEN, BONDY_SLICE_EMPTY,
                             BONDY_SLICE_EMPTY, find_due, &due, step->err);
        if (rc < 0 || due.entry.len == 0)
            break;
        if (step->budget == 0) {
            step->has_more = true;
            break;
        }
        step->budget--;
        rc = purge_container(step, &due);
    } while (rc == BONDY_OK);
    bondy_buf_fini(&due.entry);
    bondy_buf_fini(&due.from);
    return rc < 0 ? rc : BONDY_OK;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int run_step(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct step *step = BONDY_CONTAINER(job, struct step, job);
    int rc;

    step->write = write;
    step->err = err;
    step->budget = step->options.batch;
    step->removed = 0;
    step->has_more = false;
    rc = purge_expired(step);
    if (rc == BONDY_OK)
        rc = purge_hidden(step);
    write->is_full |= rc == BONDY_ELIMIT;
    return rc;
}

static void init_step(struct step *step, const struct bondy_purge_options *options)
{
    *step = (struct step){.job = {.run = run_step}, .options = *options};
    if (step->options.batch == 0)
        step->options.batch = DEFAULT_BATCH;
    if (step->options.batch < 2) /* a container costs one, so one would lead nowhere */
        step->options.batch = 2;
    if (step->options.expired_ms == 0)
        step->options.expired_ms = DEFAULT_EXPIRED_MS;
    if (step->options.every_ms == 0)
        step->options.every_ms = DEFAULT_EVERY_MS;
}

int bondy_purge_step_wait(struct bondy_store *store, const struct bondy_purge_options *options,
                          uint64_t *removed, bool *has_more, struct bondy_error *err)
{
    struct step step;
    int rc;

    init_step(&step, options);
    rc = bondy_store_run_wait(store, &step.job, err);
    if (removed != NULL)
        *removed = rc == BONDY_OK ? step.removed : 0;
    if (has_more != NULL)
        *has_more = rc == BONDY_OK && step.has_more;
    return rc;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

struct bondy_purge {
    struct step step;
    struct bondy_store *store;
    struct bondy_loop *loop;
    struct bondy_timer timer;
    uint64_t removed; /* in this round */
    bool is_running;  /* the step is with the store */
    bool is_stopped;
};

static void submit(struct bondy_purge *purge)
{
    purge->is_running = true;
    bondy_store_submit(purge->store, &purge->step.job);
}

static void step_is_done(struct bondy_store_job *job)
{
    struct step *step = BONDY_CONTAINER(job, struct step, job);
    struct bondy_purge *purge = BONDY_CONTAINER(step, struct bondy_purge, step);

    purge->is_running = false;
    if (purge->is_stopped) {
        bondy_free(purge);
        return;
    }
    if (job->rc < 0)
        bondy_log(BONDY_LOG_WARN, "store_purge_failed", BONDY_F_STR("reason", job->err.text));
    else
        purge->removed += step->removed;
    if (job->rc == BONDY_OK && step->has_more) {
        submit(purge);
        return;
    }
    if (purge->removed > 0)
        bondy_log(BONDY_LOG_INFO, "store_purged", BONDY_F_U64("records", purge->removed));
    purge->removed = 0;
    bondy_timer_start(bondy_loop_wheel(purge->loop), &purge->timer, step->options.every_ms);
}

static void begin_round(struct bondy_timer *timer)
{
    submit(BONDY_CONTAINER(timer, struct bondy_purge, timer));
}

struct bondy_purge *bondy_purge_start(struct bondy_store *store, struct bondy_loop *loop,
                                      const struct bondy_purge_options *options)
{
    struct bondy_purge *purge = bondy_zalloc(sizeof *purge);

    init_step(&purge->step, options);
    purge->step.job.loop = loop;
    purge->step.job.done = step_is_done;
    purge->store = store;
    purge->loop = loop;
    bondy_timer_init(&purge->timer, begin_round);
    bondy_timer_start(bondy_loop_wheel(loop), &purge->timer, purge->step.options.every_ms);
    return purge;
}

void bondy_purge_stop(struct bondy_purge *purge)
{
    if (purge == NULL)
        return;
    bondy_timer_stop(bondy_loop_wheel(purge->loop), &purge->timer);
    purge->is_stopped = true;
    if (!purge->is_running)
        bondy_free(purge);
}

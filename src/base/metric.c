/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/map.h"
#include "src/base/utf8.h"

/* A series has one cell, a histogram one for each bucket, one for +Inf and one for the sum; its id
 * is the number of its first cell. Every thread that adds has a shard: its own copy of the cells,
 * in chunks that it makes when it first touches them. Only that thread writes them, so a plain
 * load, add and store do; readers sum over the shards. What a thread counted stays when it ends:
 * its shard is added to `past`. */

#define CHUNK_BITS 10
#define CHUNK_CELLS (1U << CHUNK_BITS)
#define MOST_CHUNKS 4096
#define CACHE_LINE 64
#define DEFAULT_MAX_SERIES 20000
#define OTHER "__other__"
#define SEPARATOR '\x1F'

struct chunk {
    _Atomic int64_t cells[CHUNK_CELLS];
};

struct shard {
    struct shard *next;
    struct chunk *_Atomic chunks[MOST_CHUNKS];
};

struct series {
    const struct family *family;
    char **values;
    bondy_metric_id id;
    bondy_metric_read_fn read; /* NULL: the cells say it */
    void *context;
};

struct family {
    const struct bondy_metric_family *facts;
    size_t label_count;
    size_t series_count;
    struct bondy_map series; /* by its values, joined by SEPARATOR */
};

/* Guards everything below, and the list of shards; not what the cells hold. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bondy_map families = BONDY_MAP_EMPTY; /* by name */
static struct shard *shards;
static struct shard past;
static uint32_t next_cell = 1; /* 0 is no series */
static size_t max_series = DEFAULT_MAX_SERIES;

/* The series of each first cell. An entry is written before its id is handed out. */
static struct series **_Atomic series_of[MOST_CHUNKS];

static pthread_once_t shard_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t shard_key;
static _Thread_local struct shard *own_shard;

/* ---- shards ---------------------------------------------------------------------------------- */

static inline struct chunk *get_chunk(struct shard *shard, uint32_t index)
{
    struct chunk *chunk = atomic_load_explicit(&shard->chunks[index], memory_order_acquire);

    if (__builtin_expect(chunk == NULL, 0)) {
        chunk = aligned_alloc(CACHE_LINE, sizeof *chunk);
        BONDY_BUG_ON(chunk == NULL);
        memset(chunk, 0, sizeof *chunk);
        atomic_store_explicit(&shard->chunks[index], chunk, memory_order_release);
    }
    return chunk;
}

static bool is_sum_cell(uint32_t cell);

static double real_of(int64_t bits)
{
    double real;

    memcpy(&real, &bits, sizeof real);
    return real;
}

static void add_to_cell(struct shard *shard, uint32_t cell, int64_t delta)
{
    _Atomic int64_t *at = &get_chunk(shard, cell >> CHUNK_BITS)->cells[cell & (CHUNK_CELLS - 1)];

    atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + delta,
                          memory_order_relaxed);
}

static void add_to_sum(struct shard *shard, uint32_t cell, double delta)
{
    _Atomic int64_t *at = &get_chunk(shard, cell >> CHUNK_BITS)->cells[cell & (CHUNK_CELLS - 1)];
    double sum = real_of(atomic_load_explicit(at, memory_order_relaxed)) + delta;
    int64_t bits;

    memcpy(&bits, &sum, sizeof bits);
    atomic_store_explicit(at, bits, memory_order_relaxed);
}

static int64_t load_cell(struct shard *shard, uint32_t cell)
{
    struct chunk *chunk =
        atomic_load_explicit(&shard->chunks[cell >> CHUNK_BITS], memory_order_acquire);

    if (chunk == NULL)
        return 0;
    return atomic_load_explicit(&chunk->cells[cell & (CHUNK_CELLS - 1)], memory_order_relaxed);
}

/* A thread ends: what it counted goes to `past`. */
static void fold_shard(void *context)
{
    struct shard *shard = context;

    own_shard = NULL;
    pthread_mutex_lock(&lock);
    for (uint32_t cell = 1; cell < next_cell; cell++) {
        int64_t value = load_cell(shard, cell);

        if (value == 0)
            continue;
        if (is_sum_cell(cell))
            add_to_sum(&past, cell, real_of(value));
        else
            add_to_cell(&past, cell, value);
    }
    for (struct shard **at = &shards; *at != NULL; at = &(*at)->next) {
        if (*at == shard) {
            *at = shard->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < MOST_CHUNKS; i++)
        free(atomic_load(&shard->chunks[i]));
    bondy_free(shard);
}

static void make_shard_key(void)
{
    BONDY_BUG_ON(pthread_key_create(&shard_key, fold_shard) != 0);
}

static struct shard *make_shard(void)
{
    struct shard *shard = bondy_zalloc(sizeof *shard);

    pthread_once(&shard_key_once, make_shard_key);
    pthread_setspecific(shard_key, shard);
    own_shard = shard;
    pthread_mutex_lock(&lock);
    shard->next = shards;
    shards = shard;
    pthread_mutex_unlock(&lock);
    return shard;
}

static inline struct shard *get_shard(void)
{
    struct shard *shard = own_shard;

    return __builtin_expect(shard != NULL, 1) ? shard : make_shard();
}

static int64_t sum_cells(uint32_t cell)
{
    int64_t sum = load_cell(&past, cell);

    for (struct shard *shard = shards; shard != NULL; shard = shard->next)
        sum += load_cell(shard, cell);
    return sum;
}

static double sum_reals(uint32_t cell)
{
    double sum = real_of(load_cell(&past, cell));

    for (struct shard *shard = shards; shard != NULL; shard = shard->next)
        sum += real_of(load_cell(shard, cell));
    return sum;
}

/* ---- series ---------------------------------------------------------------------------------- */

static const struct bondy_metric_family overflow_facts = {
    .name = "bondy_metrics_overflow_total",
    .help = "Label values folded into __other__ because their metric had metrics.max_series series",
    .type = BONDY_METRIC_COUNTER,
};

static uint32_t cells_needed(const struct bondy_metric_family *facts)
{
    if (facts->type != BONDY_METRIC_HISTOGRAM)
        return 1;
    return (uint32_t)facts->bucket_count + 2;
}

/* Cells of one series lie in one chunk. */
static bondy_metric_id reserve_cells(struct series *series)
{
    uint32_t count = cells_needed(series->family->facts);
    uint32_t index;

    BONDY_BUG_ON(count > CHUNK_CELLS);
    if ((next_cell & (CHUNK_CELLS - 1)) + count > CHUNK_CELLS)
        next_cell = (next_cell | (CHUNK_CELLS - 1)) + 1;
    series->id = next_cell;
    next_cell += count;
    index = series->id >> CHUNK_BITS;
    BONDY_BUG_ON(index >= MOST_CHUNKS);
    if (atomic_load(&series_of[index]) == NULL)
        atomic_store(&series_of[index], bondy_calloc(CHUNK_CELLS, sizeof(struct series *)));
    for (uint32_t i = 0; i < count; i++)
        atomic_load(&series_of[index])[(series->id + i) & (CHUNK_CELLS - 1)] = series;
    return series->id;
}

static struct series *series_at(uint32_t cell)
{
    struct series **of_chunk =
        atomic_load_explicit(&series_of[cell >> CHUNK_BITS], memory_order_acquire);

    return of_chunk == NULL ? NULL : of_chunk[cell & (CHUNK_CELLS - 1)];
}

static bool is_sum_cell(uint32_t cell)
{
    const struct series *series = series_at(cell);

    return series != NULL && series->family->facts->type == BONDY_METRIC_HISTOGRAM &&
           cell == series->id + series->family->facts->bucket_count + 1;
}

static struct family *get_family(const struct bondy_metric_family *facts)
{
    struct bondy_slice name = bondy_slice_text(facts->name);
    struct family *family = bondy_map_find(&families, name);
    size_t label_count = 0;

    while (facts->labels != NULL && facts->labels[label_count] != NULL)
        label_count++;
    if (family == NULL) {
        family = bondy_zalloc(sizeof *family);
        family->facts = facts;
        family->label_count = label_count;
        bondy_map_put(&families, name, family);
    }
    BONDY_BUG_ON(family->label_count != label_count || family->facts->type != facts->type);
    return family;
}

static struct series *find_series(struct family *family, const char *const *values,
                                  struct bondy_buf *key)
{
    bondy_buf_clear(key, SIZE_MAX);
    for (size_t i = 0; i < family->label_count; i++) {
        bondy_buf_append_text(key, values == NULL ? OTHER : values[i]);
        bondy_buf_append_byte(key, SEPARATOR);
    }
    return bondy_map_find(&family->series, bondy_buf_slice(key));
}

static struct series *add_series(struct family *family, const char *const *values,
                                 const struct bondy_buf *key)
{
    struct series *series = bondy_zalloc(sizeof *series);

    series->family = family;
    series->values = bondy_calloc(family->label_count, sizeof *series->values);
    for (size_t i = 0; i < family->label_count; i++)
        series->values[i] = bondy_strdup(values == NULL ? OTHER : values[i]);
    reserve_cells(series);
    bondy_map_put(&family->series, bondy_buf_slice(key), series);
    return series;
}

/* Called with the lock held. What is over the limit gets the series of all `__other__` (values ==
 * NULL here), which itself does not count; *folded says so. */
static struct series *intern(const struct bondy_metric_family *facts, const char *const *values,
                             bool *folded)
{
    struct family *family = get_family(facts);
    struct bondy_buf key = BONDY_BUF_EMPTY;
    struct series *series = find_series(family, values, &key);

    *folded = false;
    if (series == NULL && family->series_count >= max_series && family->label_count > 0) {
        *folded = true;
        values = NULL;
        series = find_series(family, values, &key);
    }
    if (series == NULL) {
        series = add_series(family, values, &key);
        if (!*folded)
            family->series_count++;
    }
    bondy_buf_fini(&key);
    return series;
}

bondy_metric_id bondy_metric_series(const struct bondy_metric_family *family,
                                    const char *const *values)
{
    static const char *const none[] = {NULL};
    bondy_metric_id overflow = 0;
    struct series *series;
    bool folded;

    pthread_mutex_lock(&lock);
    series = intern(family, values == NULL ? none : values, &folded);
    if (folded) {
        bool ignored;

        overflow = intern(&overflow_facts, none, &ignored)->id;
    }
    pthread_mutex_unlock(&lock);
    if (overflow != 0)
        bondy_metric_add(overflow, 1);
    return series->id;
}

void bondy_metric_read(const struct bondy_metric_family *family, const char *const *values,
                       bondy_metric_read_fn fn, void *context)
{
    bondy_metric_id id = bondy_metric_series(family, values);
    struct series *series = series_at(id);

    pthread_mutex_lock(&lock);
    series->read = fn;
    series->context = context;
    pthread_mutex_unlock(&lock);
}

void bondy_metric_limit(size_t most)
{
    pthread_mutex_lock(&lock);
    max_series = most;
    pthread_mutex_unlock(&lock);
}

/* ---- counting -------------------------------------------------------------------------------- */

void bondy_metric_add(bondy_metric_id id, int64_t delta)
{
    add_to_cell(get_shard(), id, delta);
}

void bondy_metric_observe(bondy_metric_id id, double value)
{
    const struct bondy_metric_family *facts = series_at(id)->family->facts;
    struct shard *shard = get_shard();
    uint32_t bucket = 0;

    while (bucket < facts->bucket_count && value > facts->buckets[bucket])
        bucket++;
    add_to_cell(shard, id + bucket, 1);
    add_to_sum(shard, id + (uint32_t)facts->bucket_count + 1, value);
}

void bondy_metric_observe_all(bondy_metric_id id, const uint32_t *counts, double sum)
{
    const struct bondy_metric_family *facts = series_at(id)->family->facts;
    struct shard *shard = get_shard();

    for (uint32_t bucket = 0; bucket <= facts->bucket_count; bucket++)
        if (counts[bucket] > 0)
            add_to_cell(shard, id + bucket, counts[bucket]);
    add_to_sum(shard, id + (uint32_t)facts->bucket_count + 1, sum);
}

int64_t bondy_metric_value(bondy_metric_id id)
{
    const struct series *series = series_at(id);
    uint32_t count;
    int64_t sum = 0;

    if (series == NULL)
        return 0;
    pthread_mutex_lock(&lock);
    count = series->family->facts->type == BONDY_METRIC_HISTOGRAM
                ? (uint32_t)series->family->facts->bucket_count + 1
                : 1;
    for (uint32_t i = 0; i < count; i++)
        sum += sum_cells(id + i);
    pthread_mutex_unlock(&lock);
    return sum;
}

/* ---- exposition ------------------------------------------------------------------------------ */

static void append_escaped(struct bondy_buf *out, const char *text, bool is_label)
{
    bool is_valid = bondy_utf8_is_valid(bondy_slice_text(text));

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '\\')
            bondy_buf_append_text(out, "\\\\");
        else if (c == '\n')
            bondy_buf_append_text(out, "\\n");
        else if (c == '"' && is_label)
            bondy_buf_append_text(out, "\\\"");
        else
            bondy_buf_append_byte(out, c >= 0x80 && !is_valid ? '?' : c);
    }
}

static void append_number(struct bondy_buf *out, double number)
{
    bondy_buf_printf(out, "%.15g", number);
}

/* `le` is the bucket's bound as text, or NULL. */
static void append_name(struct bondy_buf *out, const struct series *series, const char *suffix,
                        const char *le)
{
    const struct family *family = series->family;
    const char *before = "{";

    bondy_buf_printf(out, "%s%s", family->facts->name, suffix);
    for (size_t i = 0; i < family->label_count; i++) {
        bondy_buf_printf(out, "%s%s=\"", before, family->facts->labels[i]);
        append_escaped(out, series->values[i], true);
        bondy_buf_append_byte(out, '"');
        before = ",";
    }
    if (le != NULL) {
        bondy_buf_printf(out, "%sle=\"%s\"", before, le);
        before = ",";
    }
    bondy_buf_append_text(out, *before == ',' ? "} " : " ");
}

static void append_histogram(struct bondy_buf *out, const struct series *series)
{
    const struct bondy_metric_family *facts = series->family->facts;
    int64_t sum = 0;

    for (uint32_t i = 0; i <= facts->bucket_count; i++) {
        char le[32] = "+Inf";

        if (i < facts->bucket_count)
            snprintf(le, sizeof le, "%.15g", facts->buckets[i]);
        sum += sum_cells(series->id + i);
        append_name(out, series, "_bucket", le);
        bondy_buf_printf(out, "%lld\n", (long long)sum);
    }
    append_name(out, series, "_sum", NULL);
    append_number(out, sum_reals(series->id + (uint32_t)facts->bucket_count + 1));
    bondy_buf_append_byte(out, '\n');
    append_name(out, series, "_count", NULL);
    bondy_buf_printf(out, "%lld\n", (long long)sum);
}

static void append_series(struct bondy_buf *out, const struct series *series)
{
    if (series->family->facts->type == BONDY_METRIC_HISTOGRAM) {
        append_histogram(out, series);
        return;
    }
    append_name(out, series, "", NULL);
    if (series->read != NULL)
        append_number(out, series->read(series->context));
    else
        bondy_buf_printf(out, "%lld", (long long)sum_cells(series->id));
    bondy_buf_append_byte(out, '\n');
}

struct entry {
    struct bondy_slice key;
    void *value;
};

static int compare_entries(const void *a, const void *b)
{
    return bondy_slice_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* What a map holds, sorted by key; the caller frees the array. */
static struct entry *sorted(const struct bondy_map *map)
{
    struct entry *entries = bondy_calloc(map->count, sizeof *entries);
    size_t cursor = 0;

    for (size_t i = 0; bondy_map_next(map, &cursor, &entries[i].key, &entries[i].value);)
        if (++i == map->count)
            break;
    if (map->count > 0)
        qsort(entries, map->count, sizeof *entries, compare_entries);
    return entries;
}

static void append_family(struct bondy_buf *out, const struct family *family)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const struct bondy_metric_family *facts = family->facts;
    struct entry *entries = sorted(&family->series);

    bondy_buf_printf(out, "# HELP %s ", facts->name);
    append_escaped(out, facts->help == NULL ? "" : facts->help, false);
    bondy_buf_printf(out, "\n# TYPE %s %s\n", facts->name, types[facts->type]);
    for (size_t i = 0; i < family->series.count; i++)
        append_series(out, entries[i].value);
    bondy_free(entries);
}

void bondy_metric_format(struct bondy_buf *out)
{
    struct entry *entries;

    pthread_mutex_lock(&lock);
    entries = sorted(&families);
    for (size_t i = 0; i < families.count; i++)
        append_family(out, entries[i].value);
    bondy_free(entries);
    pthread_mutex_unlock(&lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"

/* Each thread writes into a ring of its own. A record lies in it in one piece: a `packed_record`,
 * then its fields, each a `packed_field` with the bytes of a text behind it; everything starts at a
 * multiple of 8. `head` and `tail` count bytes and never wrap; a record that would pass the end of
 * the memory starts at the front, and the rest before it is skipped.
 *
 * A record that is pushed while the consumer sleeps wakes it: the consumer says `asleep` and looks
 * at the rings once more, the producer pushes and looks at `asleep`, both sequentially consistent,
 * so one of them sees the other. */

#define RING_BYTES (256 * 1024)
#define MOST_FIELDS 48
#define MOST_TEXT_BYTES 8192 /* of all fields of one record together */
#define THREAD_NAME_BYTES 16

struct packed_record {
    uint32_t size; /* with its fields; 0: skip to the front */
    uint8_t level;
    uint8_t count;
    bool is_cut;
    int line;
    uint64_t wall_ms;
    const char *file;
    const char *function;
    const char *event;
    char thread[THREAD_NAME_BYTES];
};

struct packed_field {
    const char *name;
    uint64_t value; /* the bits of the number */
    uint32_t len;   /* of the text that follows */
    uint32_t type;
};

struct ring {
    struct ring *next;
    _Atomic uint64_t head; /* written by the producer */
    _Atomic uint64_t tail; /* written by the consumer */
    _Atomic uint64_t dropped;
    atomic_bool is_orphan; /* its thread has ended */
    _Alignas(8) char bytes[RING_BYTES];
};

_Atomic(enum bondy_log_level) bondy_log_threshold = BONDY_LOG_INFO;

static _Atomic(enum bondy_log_format) direct_format = BONDY_LOG_LOGFMT;
static atomic_bool attached;
static atomic_bool asleep;
static void (*_Atomic wake_consumer)(void);

static pthread_mutex_t rings_lock = PTHREAD_MUTEX_INITIALIZER; /* guards rings, dropped_before */
static struct ring *rings;
static uint64_t dropped_before; /* by rings that are gone */

static pthread_once_t ring_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t ring_key;
static _Thread_local struct ring *own_ring;
static _Thread_local char thread_name[THREAD_NAME_BYTES];

/* ---- producer -------------------------------------------------------------------------------- */

static void orphan_ring(void *context)
{
    struct ring *ring = context;

    own_ring = NULL;
    atomic_store(&ring->is_orphan, true);
}

static void make_ring_key(void)
{
    BONDY_BUG_ON(pthread_key_create(&ring_key, orphan_ring) != 0);
}

static struct ring *get_ring(void)
{
    struct ring *ring = own_ring;

    if (ring != NULL)
        return ring;
    pthread_once(&ring_key_once, make_ring_key);
    ring = bondy_zalloc(sizeof *ring);
    pthread_setspecific(ring_key, ring);
    pthread_mutex_lock(&rings_lock);
    ring->next = rings;
    rings = ring;
    pthread_mutex_unlock(&rings_lock);
    own_ring = ring;
    return ring;
}

static const char *get_thread_name(void)
{
    if (thread_name[0] == '\0') {
        long id = syscall(SYS_gettid);

        if (id == getpid())
            snprintf(thread_name, sizeof thread_name, "main");
        else
            snprintf(thread_name, sizeof thread_name, "t%ld", id);
    }
    return thread_name;
}

void bondy_log_name_thread(const char *name)
{
    snprintf(thread_name, sizeof thread_name, "%s", name);
}

static uint32_t round_up(uint32_t size)
{
    return (size + 7) & ~UINT32_C(7);
}

/* How many bytes of each text are kept, so that the whole stays within MOST_TEXT_BYTES. */
static uint32_t measure(const struct bondy_log_field *fields, size_t count, uint32_t *lens,
                        bool *is_cut)
{
    uint32_t size = sizeof(struct packed_record);
    size_t room = MOST_TEXT_BYTES;

    *is_cut = false;
    for (size_t i = 0; i < count; i++) {
        size_t len = fields[i].type == BONDY_FIELD_SLICE ? fields[i].value.slice.len : 0;

        if (len > room) {
            len = room;
            *is_cut = true;
        }
        room -= len;
        lens[i] = (uint32_t)len;
        size += (uint32_t)sizeof(struct packed_field) + round_up((uint32_t)len);
    }
    return size;
}

/* Room for `size` bytes in one piece, or NULL; *head is where the ring's head goes afterwards. */
static char *reserve(struct ring *ring, uint32_t size, uint64_t *head)
{
    uint64_t at = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    uint64_t to_end = RING_BYTES - at % RING_BYTES;
    uint64_t skipped = size > to_end ? to_end : 0;

    if (at + skipped + size - tail > RING_BYTES)
        return NULL;
    if (skipped > 0)
        memset(ring->bytes + at % RING_BYTES, 0, sizeof(uint32_t));
    *head = at + skipped + size;
    return ring->bytes + (at + skipped) % RING_BYTES;
}

static void pack_fields(char *at, const struct bondy_log_field *fields, size_t count,
                        const uint32_t *lens)
{
    for (size_t i = 0; i < count; i++) {
        struct packed_field *field = (struct packed_field *)(void *)at;

        field->name = fields[i].name;
        field->type = fields[i].type;
        field->len = lens[i];
        field->value = fields[i].type == BONDY_FIELD_BOOL    ? fields[i].value.flag
                       : fields[i].type == BONDY_FIELD_SLICE ? 0
                                                             : fields[i].value.u64;
        at += sizeof *field;
        if (lens[i] > 0)
            memcpy(at, fields[i].value.slice.data, lens[i]);
        at += round_up(lens[i]);
    }
}

static void push(const struct bondy_log_record *record)
{
    size_t count = record->count < MOST_FIELDS ? record->count : MOST_FIELDS;
    struct ring *ring = get_ring();
    struct packed_record *packed;
    uint32_t lens[MOST_FIELDS];
    bool is_cut;
    uint32_t size = measure(record->fields, count, lens, &is_cut);
    uint64_t head;

    packed = (struct packed_record *)(void *)reserve(ring, size, &head);
    if (packed == NULL) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return;
    }
    packed->size = size;
    packed->level = (uint8_t)record->level;
    packed->count = (uint8_t)count;
    packed->is_cut = is_cut || count < record->count;
    packed->line = record->line;
    packed->wall_ms = record->wall_ms;
    packed->file = record->file;
    packed->function = record->function;
    packed->event = record->event;
    memcpy(packed->thread, record->thread, THREAD_NAME_BYTES);
    pack_fields((char *)(packed + 1), record->fields, count, lens);
    atomic_store(&ring->head, head);
    if (atomic_load(&asleep) && atomic_exchange(&asleep, false))
        atomic_load (&wake_consumer)();
}

static void write_directly(const struct bondy_log_record *record)
{
    struct bondy_buf line = BONDY_BUF_EMPTY;

    bondy_log_format(atomic_load(&direct_format), record, &line);
    if (write(STDERR_FILENO, line.data, line.len) < 0) {
        /* Nobody is left who could be told. */
    }
    bondy_buf_fini(&line);
}

void bondy_log_write(enum bondy_log_level level, const char *file, const char *function, int line,
                     const char *event, const struct bondy_log_field *fields, size_t count)
{
    const struct bondy_log_record record = {
        .level = level,
        .line = line,
        .wall_ms = bondy_clock_wall_ms(),
        .thread = get_thread_name(),
        .file = file,
        .function = function,
        .event = event,
        .fields = fields,
        .count = count,
    };

    if (atomic_load_explicit(&attached, memory_order_acquire))
        push(&record);
    else
        write_directly(&record);
}

/* ---- consumer -------------------------------------------------------------------------------- */

void bondy_log_set_format(enum bondy_log_format format)
{
    atomic_store(&direct_format, format);
}

void bondy_log_attach(void (*wake)(void))
{
    atomic_store(&wake_consumer, wake);
    atomic_store(&attached, true);
}

void bondy_log_detach(void)
{
    atomic_store(&attached, false);
    atomic_store(&asleep, false);
}

/* The oldest record of a ring, or NULL; what is skipped is given back at once. */
static const struct packed_record *peek(struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    const struct packed_record *packed;

    if (tail == atomic_load(&ring->head))
        return NULL;
    packed = (const struct packed_record *)(const void *)(ring->bytes + tail % RING_BYTES);
    if (packed->size != 0)
        return packed;
    tail += RING_BYTES - tail % RING_BYTES;
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
    return (const struct packed_record *)(const void *)ring->bytes;
}

static void deliver(const struct packed_record *packed, bondy_log_sink_fn sink, void *context)
{
    const char *at = (const char *)(packed + 1);
    struct bondy_log_field fields[MOST_FIELDS];

    for (size_t i = 0; i < packed->count; i++) {
        const struct packed_field *field = (const struct packed_field *)(const void *)at;

        fields[i].name = field->name;
        fields[i].type = (enum bondy_field_type)field->type;
        at += sizeof *field;
        if (fields[i].type == BONDY_FIELD_SLICE)
            fields[i].value.slice = bondy_slice_of(at, field->len);
        else if (fields[i].type == BONDY_FIELD_BOOL)
            fields[i].value.flag = field->value != 0;
        else
            fields[i].value.u64 = field->value;
        at += round_up(field->len);
    }
    sink(
        &(struct bondy_log_record){
            .level = (enum bondy_log_level)packed->level,
            .line = packed->line,
            .wall_ms = packed->wall_ms,
            .thread = packed->thread,
            .file = packed->file,
            .function = packed->function,
            .event = packed->event,
            .fields = fields,
            .count = packed->count,
            .is_cut = packed->is_cut,
        },
        context);
}

/* The ring whose first record is the oldest, or NULL. */
static struct ring *oldest_ring(const struct packed_record **record)
{
    struct ring *oldest = NULL;

    for (struct ring *ring = rings; ring != NULL; ring = ring->next) {
        const struct packed_record *first = peek(ring);

        if (first != NULL && (oldest == NULL || first->wall_ms < (*record)->wall_ms)) {
            oldest = ring;
            *record = first;
        }
    }
    return oldest;
}

static void free_orphans(void)
{
    for (struct ring **at = &rings; *at != NULL;) {
        struct ring *ring = *at;

        if (!atomic_load(&ring->is_orphan) || peek(ring) != NULL) {
            at = &ring->next;
            continue;
        }
        *at = ring->next;
        dropped_before += atomic_load(&ring->dropped);
        bondy_free(ring);
    }
}

size_t bondy_log_drain(size_t max, bondy_log_sink_fn sink, void *context)
{
    const struct packed_record *record = NULL;
    struct ring *ring;
    size_t count = 0;

    pthread_mutex_lock(&rings_lock);
    for (; count < max && (ring = oldest_ring(&record)) != NULL; count++) {
        deliver(record, sink, context);
        atomic_store_explicit(&ring->tail, atomic_load(&ring->tail) + record->size,
                              memory_order_release);
    }
    free_orphans();
    pthread_mutex_unlock(&rings_lock);
    return count;
}

bool bondy_log_may_sleep(void)
{
    const struct packed_record *record;
    bool is_empty;

    atomic_store(&asleep, true);
    pthread_mutex_lock(&rings_lock);
    is_empty = oldest_ring(&record) == NULL;
    pthread_mutex_unlock(&rings_lock);
    if (!is_empty)
        atomic_store(&asleep, false);
    return is_empty;
}

uint64_t bondy_log_dropped(void)
{
    uint64_t sum;

    pthread_mutex_lock(&rings_lock);
    sum = dropped_before;
    for (struct ring *ring = rings; ring != NULL; ring = ring->next)
        sum += atomic_load_explicit(&ring->dropped, memory_order_relaxed);
    pthread_mutex_unlock(&rings_lock);
    return sum;
}

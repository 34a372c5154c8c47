/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/outq.h"

#include <string.h>

#include "src/base/alloc.h"

#define CHUNK_BYTES 4096

/* A peer that keeps up has less than this waiting. Beyond it a copied event gets a run of its own,
 * so that dropping it frees its memory. */
#define KEEPING_UP_BYTES (64 * 1024)

struct run {
    struct bondy_list link;
    struct bondy_list event_link; /* in no list unless the run may be dropped */
    struct bondy_shared *shared;  /* NULL: the bytes are this run's own, behind it */
    const uint8_t *bytes;
    uint32_t start; /* written already */
    uint32_t end;
    uint32_t messages;
    uint32_t cap; /* own bytes */
    bool is_chunk;
};

#define CHUNK_ROOM (CHUNK_BYTES - sizeof(struct run))

void bondy_outq_pool_init(struct bondy_outq_pool *pool)
{
    pool->references = bondy_slab_create(sizeof(struct run), 0);
    pool->chunks = bondy_slab_create(CHUNK_BYTES, 16 * CHUNK_BYTES);
}

void bondy_outq_pool_fini(struct bondy_outq_pool *pool)
{
    bondy_slab_destroy(pool->references);
    bondy_slab_destroy(pool->chunks);
    pool->references = NULL;
    pool->chunks = NULL;
}

void bondy_outq_init(struct bondy_outq *queue, struct bondy_outq_pool *pool, size_t max_bytes,
                     size_t max_messages)
{
    *queue = (struct bondy_outq){
        .pool = pool,
        .max_bytes = max_bytes,
        .max_messages = max_messages > UINT32_MAX ? UINT32_MAX : (uint32_t)max_messages,
    };
    bondy_list_init(&queue->runs);
    bondy_list_init(&queue->events);
}

static void free_run(struct bondy_outq *queue, struct run *run)
{
    if (!bondy_list_is_empty(&run->event_link)) {
        queue->event_bytes -= run->end - run->start;
        bondy_list_remove(&run->event_link);
    }
    queue->bytes -= run->end - run->start;
    queue->messages -= run->messages;
    bondy_list_remove(&run->link);
    if (run->shared != NULL) {
        bondy_shared_unref(run->shared);
        bondy_slab_free(queue->pool->references, run);
    } else if (run->is_chunk) {
        bondy_slab_free(queue->pool->chunks, run);
    } else {
        bondy_free(run);
    }
}

void bondy_outq_clear(struct bondy_outq *queue)
{
    while (!bondy_list_is_empty(&queue->runs))
        free_run(queue, BONDY_LIST_ENTRY(queue->runs.next, struct run, link));
}

static bool has_room(const struct bondy_outq *queue, size_t len)
{
    return queue->bytes + len <= queue->max_bytes && queue->messages < queue->max_messages;
}

enum verdict { TAKE, DROP, OVERFLOW };

static enum verdict make_room(struct bondy_outq *queue, size_t len, enum bondy_send_kind kind)
{
    while (!has_room(queue, len) && !bondy_list_is_empty(&queue->events)) {
        free_run(queue, BONDY_LIST_ENTRY(queue->events.next, struct run, event_link));
        queue->dropped++;
    }
    if (has_room(queue, len) || queue->bytes == 0)
        return TAKE;
    if (kind == BONDY_SEND_EVENT) {
        queue->dropped++;
        return DROP;
    }
    return queue->bytes < queue->max_bytes && queue->messages < queue->max_messages ? TAKE
                                                                                    : OVERFLOW;
}

static void append_run(struct bondy_outq *queue, struct run *run, bool droppable)
{
    bondy_list_append(&queue->runs, &run->link);
    bondy_list_init(&run->event_link);
    if (droppable) {
        bondy_list_append(&queue->events, &run->event_link);
        queue->event_bytes += run->end - run->start;
    }
    queue->bytes += run->end - run->start;
    queue->messages += run->messages;
}

static struct run *add_own_run(struct bondy_outq *queue, size_t len, bool droppable)
{
    struct run *run;

    if (len <= CHUNK_ROOM && !droppable) {
        run = bondy_slab_alloc(queue->pool->chunks);
        *run = (struct run){.cap = CHUNK_ROOM, .is_chunk = true};
    } else {
        run = bondy_alloc(sizeof *run + len);
        *run = (struct run){.cap = (uint32_t)len};
    }
    run->bytes = (uint8_t *)(run + 1);
    return run;
}

/* Room for `len` bytes at the end: in the last chunk when it fits there. */
static uint8_t *room_for(struct bondy_outq *queue, size_t len, enum bondy_send_kind kind)
{
    bool droppable = kind == BONDY_SEND_EVENT && queue->bytes > KEEPING_UP_BYTES;
    struct run *run = NULL;

    if (!bondy_list_is_empty(&queue->runs))
        run = BONDY_LIST_ENTRY(queue->runs.prev, struct run, link);
    if (!droppable && run != NULL && run->shared == NULL && bondy_list_is_empty(&run->event_link) &&
        run->cap - run->end >= len) {
        uint8_t *at = (uint8_t *)(run + 1) + run->end;

        run->end += (uint32_t)len;
        run->messages++;
        queue->bytes += len;
        queue->messages++;
        return at;
    }
    run = add_own_run(queue, len, droppable);
    run->end = (uint32_t)len;
    run->messages = 1;
    append_run(queue, run, droppable);
    return (uint8_t *)(run + 1);
}

bool bondy_outq_push(struct bondy_outq *queue, const uint8_t *head, size_t head_len,
                     const struct bondy_encoded *message, enum bondy_send_kind kind)
{
    enum verdict verdict = make_room(queue, head_len + message->len, kind);
    uint8_t *at;

    if (verdict != TAKE)
        return verdict == DROP;
    at = room_for(queue, head_len + message->len, kind);
    if (head_len > 0)
        memcpy(at, head, head_len);
    at += head_len;
    for (unsigned i = 0; i < message->part_count; i++) {
        if (message->parts[i].len == 0)
            continue;
        memcpy(at, message->parts[i].data, message->parts[i].len);
        at += message->parts[i].len;
    }
    return true;
}

bool bondy_outq_push_bytes(struct bondy_outq *queue, const void *bytes, size_t len)
{
    struct bondy_encoded none = {.part_count = 0, .len = 0};

    return bondy_outq_push(queue, bytes, len, &none, BONDY_SEND_REPLY);
}

bool bondy_outq_push_shared(struct bondy_outq *queue, struct bondy_shared *message,
                            enum bondy_send_kind kind)
{
    enum verdict verdict = make_room(queue, message->len, kind);
    struct run *run;

    if (verdict != TAKE)
        return verdict == DROP;
    run = bondy_slab_alloc(queue->pool->references);
    *run = (struct run){
        .shared = message, .bytes = message->bytes, .end = message->len, .messages = 1};
    message->refs++;
    append_run(queue, run, kind == BONDY_SEND_EVENT);
    return true;
}

unsigned bondy_outq_peek(const struct bondy_outq *queue, struct iovec *vectors, unsigned max)
{
    unsigned count = 0;

    BONDY_LIST_EACH(link, &queue->runs)
    {
        const struct run *run = BONDY_LIST_ENTRY(link, struct run, link);

        if (count == max)
            break;
        vectors[count].iov_base = (void *)(uintptr_t)(run->bytes + run->start);
        vectors[count].iov_len = run->end - run->start;
        count++;
    }
    return count;
}

size_t bondy_outq_gather(const struct bondy_outq *queue, uint8_t *out, size_t cap)
{
    size_t len = 0;

    BONDY_LIST_EACH(link, &queue->runs)
    {
        const struct run *run = BONDY_LIST_ENTRY(link, struct run, link);
        size_t piece = run->end - run->start;

        if (piece > cap - len)
            piece = cap - len;
        if (piece == 0)
            break;
        memcpy(out + len, run->bytes + run->start, piece);
        len += piece;
    }
    return len;
}

void bondy_outq_consume(struct bondy_outq *queue, size_t count)
{
    while (count > 0) {
        struct run *run;
        size_t len;

        BONDY_BUG_ON(bondy_list_is_empty(&queue->runs));
        run = BONDY_LIST_ENTRY(queue->runs.next, struct run, link);
        len = run->end - run->start;
        if (count >= len) {
            count -= len;
            free_run(queue, run);
            continue;
        }
        /* Half of a message is out: it can no longer be dropped. */
        if (!bondy_list_is_empty(&run->event_link)) {
            queue->event_bytes -= len;
            bondy_list_remove(&run->event_link);
        }
        run->start += (uint32_t)count;
        queue->bytes -= count;
        return;
    }
}

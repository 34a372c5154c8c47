/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_OUTQ_H
#define BONDY_TRANSPORT_OUTQ_H

/* outq: what one connection still has to send, bounded in octets and messages (architecture 3,
 * points 4 to 6; WAMP ROB-2).
 *
 * A list of runs of bytes. Messages for one receiver are copied behind each other into the last
 * chunk; messages for many are referenced. The transport asks for the first bytes, writes them, and
 * says how many went. An empty queue holds no memory.
 *
 * At the limit the oldest EVENTs give way; when no EVENT is left that could go, a new EVENT is
 * dropped and a new reply makes the queue overflow: its owner closes. Since a reply is taken as
 * long as what waits is below the limit, the queue is bounded by the limit plus one message.
 *
 * One thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "src/base/list.h"
#include "src/base/slab.h"
#include "src/router/session.h"

/* Memory for the queues of one thread. */
struct bondy_outq_pool {
    struct bondy_slab *references;
    struct bondy_slab *chunks;
};
void bondy_outq_pool_init(struct bondy_outq_pool *pool);
/* Every queue must be empty. */
void bondy_outq_pool_fini(struct bondy_outq_pool *pool);

struct bondy_outq {
    struct bondy_list runs;
    struct bondy_list events; /* runs that may be dropped, oldest first */
    struct bondy_outq_pool *pool;
    size_t max_bytes;
    size_t bytes;
    size_t event_bytes; /* of the runs in `events` */
    uint32_t max_messages;
    uint32_t messages;
    uint32_t dropped; /* events; the owner reads it and sets it to 0 */
};

void bondy_outq_init(struct bondy_outq *queue, struct bondy_outq_pool *pool, size_t max_bytes,
                     size_t max_messages);
/* Forgets everything that waits. */
void bondy_outq_clear(struct bondy_outq *queue);

/* Copies head and message to the end. False: overflow (see above), nothing was queued. A dropped
 * event is no overflow. */
bool bondy_outq_push(struct bondy_outq *queue, const uint8_t *head, size_t head_len,
                     const struct bondy_encoded *message, enum bondy_send_kind kind);
/* The same for one run of bytes. */
bool bondy_outq_push_bytes(struct bondy_outq *queue, const void *bytes, size_t len);
/* By reference: takes one of its own. */
bool bondy_outq_push_shared(struct bondy_outq *queue, struct bondy_shared *message,
                            enum bondy_send_kind kind);

/* The first bytes, as up to `max` vectors that stay valid until the queue is next changed. Returns
 * how many vectors were filled. */
unsigned bondy_outq_peek(const struct bondy_outq *queue, struct iovec *vectors, unsigned max);
/* Copies up to `cap` of the first bytes to `out`; returns how many. */
size_t bondy_outq_gather(const struct bondy_outq *queue, uint8_t *out, size_t cap);
/* The first `count` bytes were written. */
void bondy_outq_consume(struct bondy_outq *queue, size_t count);

static inline bool bondy_outq_is_empty(const struct bondy_outq *queue)
{
    return queue->bytes == 0;
}
/* Octets that no event's end would free: what a peer that does not read owes us. */
static inline size_t bondy_outq_reply_bytes(const struct bondy_outq *queue)
{
    return queue->bytes - queue->event_bytes;
}

#endif

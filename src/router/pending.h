/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_PENDING_H
#define BONDY_ROUTER_PENDING_H

/* pending: what a session waits for, by id: its calls, and its running invocations.
 *
 * A hash table whose hash is the id itself: request ids count up, so ids in use at one time fall
 * into different buckets, and neither a hash function nor an allocation is needed for a call. A
 * link lives inside the record. */

#include <stddef.h>
#include <stdint.h>

struct bondy_pending {
    struct bondy_pending *next;
    uint64_t id;
};

struct bondy_pending_table {
    struct bondy_pending **buckets;
    uint32_t cap; /* power of two, or 0 */
    uint32_t count;
};

void bondy_pending_fini(struct bondy_pending_table *table);
/* Makes room for more. */
void bondy_pending_grow(struct bondy_pending_table *table);

static inline struct bondy_pending **bondy_pending_bucket(const struct bondy_pending_table *table,
                                                          uint64_t id)
{
    return &table->buckets[id & (table->cap - 1)];
}

/* The id must not be there. */
static inline void bondy_pending_add(struct bondy_pending_table *table, struct bondy_pending *link)
{
    if (table->count >= table->cap)
        bondy_pending_grow(table);
    link->next = *bondy_pending_bucket(table, link->id);
    *bondy_pending_bucket(table, link->id) = link;
    table->count++;
}

static inline struct bondy_pending *bondy_pending_find(const struct bondy_pending_table *table,
                                                       uint64_t id)
{
    struct bondy_pending *link = table->count == 0 ? NULL : *bondy_pending_bucket(table, id);

    while (link != NULL && link->id != id)
        link = link->next;
    return link;
}

/* Removes and returns it, or NULL. */
static inline struct bondy_pending *bondy_pending_take(struct bondy_pending_table *table,
                                                       uint64_t id)
{
    struct bondy_pending **at;

    if (table->count == 0)
        return NULL;
    for (at = bondy_pending_bucket(table, id); *at != NULL; at = &(*at)->next) {
        struct bondy_pending *link = *at;

        if (link->id == id) {
            *at = link->next;
            table->count--;
            return link;
        }
    }
    return NULL;
}

/* Any record, or NULL when there is none: start with *cursor = 0 and take each before asking for
 * the next. */
struct bondy_pending *bondy_pending_any(const struct bondy_pending_table *table, uint32_t *cursor);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/pending.h"

#include "src/base/alloc.h"

#define SMALLEST_CAP 4

void bondy_pending_fini(struct bondy_pending_table *table)
{
    BONDY_BUG_ON(table->count != 0);
    bondy_free(table->buckets);
    *table = (struct bondy_pending_table){NULL, 0, 0};
}

void bondy_pending_grow(struct bondy_pending_table *table)
{
    struct bondy_pending_table old = *table;

    table->cap = old.cap == 0 ? SMALLEST_CAP : old.cap * 2;
    table->buckets = bondy_calloc(table->cap, sizeof(struct bondy_pending *));
    for (uint32_t i = 0; i < old.cap; i++) {
        for (struct bondy_pending *link = old.buckets[i], *next; link != NULL; link = next) {
            next = link->next;
            link->next = *bondy_pending_bucket(table, link->id);
            *bondy_pending_bucket(table, link->id) = link;
        }
    }
    bondy_free(old.buckets);
}

struct bondy_pending *bondy_pending_any(const struct bondy_pending_table *table, uint32_t *cursor)
{
    if (table->count == 0)
        return NULL;
    while (*cursor < table->cap && table->buckets[*cursor] == NULL)
        (*cursor)++;
    return *cursor < table->cap ? table->buckets[*cursor] : NULL;
}

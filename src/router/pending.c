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

static struct bondy_pending **bucket_of(const struct bondy_pending_table *table, uint64_t id)
{
    return &table->buckets[id & (table->cap - 1)];
}

static void grow(struct bondy_pending_table *table)
{
    struct bondy_pending_table old = *table;

    table->cap = old.cap == 0 ? SMALLEST_CAP : old.cap * 2;
    table->buckets = bondy_calloc(table->cap, sizeof(struct bondy_pending *));
    for (uint32_t i = 0; i < old.cap; i++) {
        for (struct bondy_pending *link = old.buckets[i], *next; link != NULL; link = next) {
            next = link->next;
            link->next = *bucket_of(table, link->id);
            *bucket_of(table, link->id) = link;
        }
    }
    bondy_free(old.buckets);
}

void bondy_pending_add(struct bondy_pending_table *table, struct bondy_pending *link)
{
    if (table->count >= table->cap)
        grow(table);
    link->next = *bucket_of(table, link->id);
    *bucket_of(table, link->id) = link;
    table->count++;
}

struct bondy_pending *bondy_pending_find(const struct bondy_pending_table *table, uint64_t id)
{
    struct bondy_pending *link = table->count == 0 ? NULL : *bucket_of(table, id);

    while (link != NULL && link->id != id)
        link = link->next;
    return link;
}

struct bondy_pending *bondy_pending_take(struct bondy_pending_table *table, uint64_t id)
{
    struct bondy_pending **at;

    if (table->count == 0)
        return NULL;
    for (at = bucket_of(table, id); *at != NULL; at = &(*at)->next) {
        struct bondy_pending *link = *at;

        if (link->id == id) {
            *at = link->next;
            table->count--;
            return link;
        }
    }
    return NULL;
}

struct bondy_pending *bondy_pending_any(const struct bondy_pending_table *table, uint32_t *cursor)
{
    if (table->count == 0)
        return NULL;
    while (*cursor < table->cap && table->buckets[*cursor] == NULL)
        (*cursor)++;
    return *cursor < table->cap ? table->buckets[*cursor] : NULL;
}

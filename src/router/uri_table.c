/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/uri_table.h"

#include "src/base/alloc.h"
#include "src/sys/publish.h"

#define SMALLEST_CAP 8

struct node {
    struct bondy_retired retired;
    struct node *next;
    uint64_t hash;
    struct bondy_slice uri;
    void *value;
};

struct bondy_uri_buckets {
    struct bondy_retired retired;
    size_t cap; /* power of two */
    struct node *heads[];
};

static struct bondy_uri_buckets *buckets_create(size_t cap)
{
    struct bondy_uri_buckets *buckets =
        bondy_zalloc(sizeof *buckets + cap * sizeof buckets->heads[0]);

    buckets->cap = cap;
    return buckets;
}

static void buckets_destroy(struct bondy_uri_buckets *buckets)
{
    for (size_t i = 0; i < buckets->cap; i++) {
        struct node *node = buckets->heads[i];

        while (node != NULL) {
            struct node *next = node->next;

            bondy_free(node);
            node = next;
        }
    }
    bondy_free(buckets);
}

static void free_buckets(struct bondy_retired *retired)
{
    buckets_destroy(BONDY_CONTAINER(retired, struct bondy_uri_buckets, retired));
}

static void free_node(struct bondy_retired *retired)
{
    bondy_free(BONDY_CONTAINER(retired, struct node, retired));
}

/* Links a new node in front; its own fields are written before readers can see it. */
static void link_node(struct bondy_uri_buckets *buckets, struct bondy_slice uri, uint64_t hash,
                      void *value)
{
    struct node **head = &buckets->heads[hash & (buckets->cap - 1)];
    struct node *node = bondy_alloc(sizeof *node);

    node->next = *head;
    node->hash = hash;
    node->uri = uri;
    node->value = value;
    bondy_publish_set(*head, node);
}

/* Readers of the old buckets walk the old nodes: nothing of them is changed. */
static void grow(struct bondy_uri_table *table)
{
    struct bondy_uri_buckets *old = table->buckets;
    struct bondy_uri_buckets *buckets = buckets_create(old == NULL ? SMALLEST_CAP : old->cap * 2);

    for (size_t i = 0; old != NULL && i < old->cap; i++) {
        for (struct node *node = old->heads[i]; node != NULL; node = node->next)
            link_node(buckets, node->uri, node->hash, node->value);
    }
    bondy_publish_set(table->buckets, buckets);
    if (old != NULL)
        bondy_publish_retire(&old->retired, free_buckets);
}

void bondy_uri_table_add(struct bondy_uri_table *table, struct bondy_slice uri, uint64_t hash,
                         void *value)
{
    if (table->buckets == NULL || table->count >= table->buckets->cap)
        grow(table);
    link_node(table->buckets, uri, hash, value);
    table->count++;
}

void bondy_uri_table_remove(struct bondy_uri_table *table, struct bondy_slice uri, uint64_t hash)
{
    struct node **at = &table->buckets->heads[hash & (table->buckets->cap - 1)];
    struct node *node;

    while ((node = *at) != NULL && (node->hash != hash || !bondy_slice_eq(node->uri, uri)))
        at = &node->next;
    BONDY_BUG_ON(node == NULL);
    bondy_publish_set(*at, node->next);
    bondy_publish_retire(&node->retired, free_node);
    table->count--;
}

void bondy_uri_table_fini(struct bondy_uri_table *table)
{
    if (table->buckets != NULL)
        buckets_destroy(table->buckets);
    *table = (struct bondy_uri_table){NULL, 0};
}

void *bondy_uri_table_find(const struct bondy_uri_table *table, struct bondy_slice uri,
                           uint64_t hash)
{
    const struct bondy_uri_buckets *buckets = bondy_publish_get(table->buckets);
    const struct node *node;

    if (buckets == NULL)
        return NULL;
    for (node = bondy_publish_get(buckets->heads[hash & (buckets->cap - 1)]); node != NULL;
         node = bondy_publish_get(node->next)) {
        if (node->hash == hash && bondy_slice_eq(node->uri, uri))
            return node->value;
    }
    return NULL;
}

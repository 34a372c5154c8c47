/* SPDX-License-Identifier: Apache-2.0 */
/* pool: memory of compiled expressions. They are made together and die together, so nodes
 * point at each other freely and nothing is counted. */
#include "gateway/expr/local.h"

#include "src/base/alloc.h"

#define CHUNK_SIZE 4096

struct chunk {
    struct chunk *next;
    size_t used;
    size_t cap;
    char data[];
};

struct held {
    struct held *next;
    json_t *value;
    struct expr_regex *regex;
};

struct expr_pool {
    struct chunk *chunks;
    struct held *held;
    size_t size;
};

struct expr_pool *bondy_expr_pool_create(void)
{
    return bondy_zalloc(sizeof(struct expr_pool));
}

void bondy_expr_pool_destroy(struct expr_pool *pool)
{
    if (pool == NULL)
        return;
    for (struct held *held = pool->held; held != NULL; held = held->next) {
        json_decref(held->value);
        bondy_expr_regex_destroy(held->regex);
    }
    while (pool->chunks != NULL) {
        struct chunk *next = pool->chunks->next;

        bondy_free(pool->chunks);
        pool->chunks = next;
    }
    bondy_free(pool);
}

void *bondy_expr_pool_alloc(struct expr_pool *pool, size_t size)
{
    struct chunk *chunk = pool->chunks;
    size_t wanted = (size + 15) & ~(size_t)15;

    if (chunk == NULL || chunk->cap - chunk->used < wanted) {
        size_t cap = wanted > CHUNK_SIZE ? wanted : CHUNK_SIZE;

        chunk = bondy_zalloc(sizeof *chunk + cap);
        chunk->cap = cap;
        chunk->next = pool->chunks;
        pool->chunks = chunk;
        pool->size += cap;
    }
    chunk->used += wanted;
    return chunk->data + chunk->used - wanted;
}

char *bondy_expr_pool_text(struct expr_pool *pool, struct bondy_slice text)
{
    char *copy = bondy_expr_pool_alloc(pool, text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

json_t *bondy_expr_pool_keep(struct expr_pool *pool, json_t *value)
{
    struct held *held = bondy_expr_pool_alloc(pool, sizeof *held);

    held->value = json_incref(value);
    held->next = pool->held;
    pool->held = held;
    return value;
}

void bondy_expr_pool_keep_regex(struct expr_pool *pool, struct expr_regex *regex)
{
    struct held *held = bondy_expr_pool_alloc(pool, sizeof *held);

    held->regex = regex;
    held->next = pool->held;
    pool->held = held;
}

size_t bondy_expr_pool_size(const struct expr_pool *pool)
{
    return pool->size;
}

static uint32_t add_up(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void bondy_expr_absorb(struct bondy_expr *parent, const struct bondy_expr *child)
{
    parent->fields |= child->fields;
    parent->weight = add_up(parent->weight, child->weight);
    parent->repeats = add_up(parent->repeats, child->repeats);
    if (child->depth >= parent->depth)
        parent->depth = child->depth < UINT8_MAX ? (uint8_t)(child->depth + 1) : UINT8_MAX;
}

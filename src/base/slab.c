/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/list.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define ONE_BY_ONE true
#else
#define ONE_BY_ONE false
#endif

/* A block is aligned to its size, a power of two, so the block of an object is found by masking its
 * address. Blocks with room are listed, the one freed into last at the front; full ones are not. */

#define DEFAULT_BLOCK_BYTES 65536
#define FEWEST_OBJECTS 8
#define ALIGNMENT 16

struct free_object {
    struct free_object *next;
};

struct block {
    struct bondy_list link;
    struct free_object *free;
    size_t used;   /* objects handed out */
    size_t carved; /* objects that were handed out at least once */
};

struct bondy_slab {
    size_t size;
    size_t block_bytes;
    size_t per_block;
    size_t count;
    struct bondy_list roomy;
    struct block *spare;
};

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

#define HEADER_BYTES ((sizeof(struct block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

struct bondy_slab *bondy_slab_create(size_t size, size_t block_bytes)
{
    struct bondy_slab *slab = bondy_zalloc(sizeof *slab);
    size_t wanted = block_bytes == 0 ? DEFAULT_BLOCK_BYTES : block_bytes;

    slab->size =
        round_up(size < sizeof(struct free_object) ? sizeof(struct free_object) : size, ALIGNMENT);
    slab->block_bytes = 4096;
    while (slab->block_bytes < wanted ||
           slab->block_bytes < HEADER_BYTES + FEWEST_OBJECTS * slab->size)
        slab->block_bytes *= 2;
    slab->per_block = (slab->block_bytes - HEADER_BYTES) / slab->size;
    bondy_list_init(&slab->roomy);
    return slab;
}

void bondy_slab_destroy(struct bondy_slab *slab)
{
    if (slab == NULL)
        return;
    BONDY_BUG_ON(slab->count != 0);
    free(slab->spare);
    bondy_free(slab);
}

static struct block *add_block(struct bondy_slab *slab)
{
    struct block *block = BONDY_MOVE(slab->spare);

    if (block == NULL)
        block = aligned_alloc(slab->block_bytes, slab->block_bytes);
    BONDY_BUG_ON(block == NULL);
    block->free = NULL;
    block->used = 0;
    block->carved = 0;
    bondy_list_init(&block->link);
    bondy_list_prepend(&slab->roomy, &block->link);
    return block;
}

void *bondy_slab_alloc(struct bondy_slab *slab)
{
    struct block *block;
    void *object;

    slab->count++;
    if (ONE_BY_ONE)
        return bondy_alloc(slab->size);
    if (bondy_list_is_empty(&slab->roomy))
        block = add_block(slab);
    else
        block = BONDY_LIST_ENTRY(slab->roomy.next, struct block, link);
    if (block->free != NULL) {
        object = block->free;
        block->free = block->free->next;
    } else {
        object = (char *)block + HEADER_BYTES + block->carved * slab->size;
        block->carved++;
    }
    block->used++;
    if (block->used == slab->per_block)
        bondy_list_remove(&block->link);
    return object;
}

void bondy_slab_free(struct bondy_slab *slab, void *object)
{
    struct free_object *freed = object;
    struct block *block;

    if (object == NULL)
        return;
    BONDY_BUG_ON(slab->count == 0);
    slab->count--;
    if (ONE_BY_ONE) {
        bondy_free(object);
        return;
    }
    block = (struct block *)((uintptr_t)object & ~(uintptr_t)(slab->block_bytes - 1));
    freed->next = block->free;
    block->free = freed;
    block->used--;
    if (block->used > 0) {
        if (slab->roomy.next != &block->link) {
            bondy_list_remove(&block->link);
            bondy_list_prepend(&slab->roomy, &block->link);
        }
        return;
    }
    bondy_list_remove(&block->link);
    free(slab->spare);
    slab->spare = block;
}

size_t bondy_slab_count(const struct bondy_slab *slab)
{
    return slab->count;
}

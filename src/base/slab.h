/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_SLAB_H
#define BONDY_BASE_SLAB_H

/* slab: fixed-size objects of one thread, carved from blocks; freed objects are reused first, and a
 * block that is wholly free goes back to the system (one spare is kept). Under sanitizers each
 * object is an allocation of its own, so that use after free is seen. */

#include <stddef.h>

struct bondy_slab;

/* `size` bytes an object, about `block_bytes` a block (0 = 64 KiB). The caller owns the slab. */
struct bondy_slab *bondy_slab_create(size_t size, size_t block_bytes);
/* Every object must have been freed. */
void bondy_slab_destroy(struct bondy_slab *slab);
/* Uninitialised. */
void *bondy_slab_alloc(struct bondy_slab *slab) __attribute__((returns_nonnull));
void bondy_slab_free(struct bondy_slab *slab, void *object);
size_t bondy_slab_count(const struct bondy_slab *slab);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_REF_H
#define BONDY_BASE_REF_H

/* ref: an atomic reference count. Starts at 1 for the maker; who drops the last one destroys. */

#include <stdatomic.h>
#include <stdbool.h>

struct bondy_ref {
    atomic_uint count;
};

static inline void bondy_ref_init(struct bondy_ref *ref)
{
    atomic_init(&ref->count, 1);
}

static inline void bondy_ref_take(struct bondy_ref *ref)
{
    atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
}

/* True when this was the last reference: destroy now. */
static inline bool bondy_ref_drop(struct bondy_ref *ref)
{
    return atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_PUBLISH_H
#define BONDY_SYS_PUBLISH_H

/* publish: snapshots that every thread reads and few write, swapped whole (liburcu, QSBR).
 *
 * Readers are the loop threads (online between sleeps) and any thread that called
 * bondy_publish_thread_start(). A reader loads the pointer with bondy_publish_get() and may use
 * what it points to until its thread's next sleep (loops) or bondy_publish_quiesce(); to keep it
 * longer it takes a reference of the object's own. Writers are serial: they swap and retire the old
 * one. */

#include <stdbool.h>

#include <stddef.h>

/* Include the flavour the same way everywhere. */
#ifndef URCU_API_MAP
#define URCU_API_MAP
#endif
#include <urcu/urcu-qsbr.h>

struct bondy_retired {
    struct rcu_head head;
};

#define bondy_publish_get(slot) rcu_dereference(slot)
#define bondy_publish_set(slot, value) rcu_assign_pointer(slot, value)

/* Calls `free_fn` when no reader can hold the object any more; on liburcu's own thread, so it may
 * free memory and nothing else. Any registered thread, never blocks. `retired` lies inside the
 * object. */
void bondy_publish_retire(struct bondy_retired *retired,
                          void (*free_fn)(struct bondy_retired *retired));
/* For threads that are not loops (pool, control): register before the first read. While a
 * registered thread blocks it must be offline: bracket waits with idle/busy. */
void bondy_publish_thread_start(void);
void bondy_publish_thread_stop(void);
void bondy_publish_idle(void);
void bondy_publish_busy(void);
/* Waits until everything retired so far was freed; at shutdown and in tests. Calling thread must be
 * registered. */
void bondy_publish_barrier_wait(void);

#endif

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

#include <stddef.h>

/* Include the flavour the same way everywhere. */
#ifndef URCU_API_MAP
#define URCU_API_MAP
#endif
#include <urcu/urcu-qsbr.h>

struct bondy_retired {
    struct rcu_head head;
    void (*free_fn)(struct bondy_retired *retired);
};

/* `slot` is a plain pointer variable. Acquire and release are what liburcu's own macros come to on
 * x86 and what the thread sanitizer understands. */
#define bondy_publish_get(slot) __atomic_load_n(&(slot), __ATOMIC_ACQUIRE)
#define bondy_publish_set(slot, value) __atomic_store_n(&(slot), (value), __ATOMIC_RELEASE)

/* Calls `free_fn` when no reader can hold the object any more; on liburcu's own thread, so it may
 * free memory and nothing else. Any registered thread, never blocks. `retired` lies inside the
 * object. */
void bondy_publish_retire(struct bondy_retired *retired,
                          void (*free_fn)(struct bondy_retired *retired));
/* For threads that are not loops (pool, control): register before the first read. While a
 * registered thread blocks it must be offline: bracket waits with idle/busy. Starts may be nested;
 * the last stop counts. */
void bondy_publish_thread_start(void);
void bondy_publish_thread_stop(void);
/* What this thread got so far it uses no more. */
void bondy_publish_quiesce(void);
void bondy_publish_idle(void);
void bondy_publish_busy(void);
/* Waits until everything retired so far was freed; at shutdown and in tests. Calling thread must be
 * registered. */
void bondy_publish_barrier_wait(void);

#endif

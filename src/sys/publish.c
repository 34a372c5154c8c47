/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/publish.h"

#include "src/base/alloc.h"

/* The thread sanitizer does not know liburcu, so a grace period is told to it by hand: whatever a
 * reader did before it was quiescent happened before what runs after the grace period. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:liburcu-qsbr.so\nrace:liburcu-qsbr.so\nmutex:liburcu-qsbr.so\n";
}
static char grace_period;
#define SAY_READ() __tsan_release(&grace_period)
#define SAY_UNREAD() __tsan_acquire(&grace_period)
#else
#define SAY_READ() ((void)0)
#define SAY_UNREAD() ((void)0)
#endif

/* How often this thread was started and not yet stopped. */
static _Thread_local unsigned starts;

static void run_retired(struct rcu_head *head)
{
    struct bondy_retired *retired = BONDY_CONTAINER(head, struct bondy_retired, head);

    SAY_UNREAD();
    retired->free_fn(retired);
}

void bondy_publish_retire(struct bondy_retired *retired,
                          void (*free_fn)(struct bondy_retired *retired))
{
    retired->free_fn = free_fn;
    SAY_READ();
    call_rcu(&retired->head, run_retired);
}

void bondy_publish_thread_start(void)
{
    if (starts++ == 0)
        rcu_register_thread();
}

void bondy_publish_thread_stop(void)
{
    BONDY_BUG_ON(starts == 0);
    SAY_READ();
    if (--starts == 0)
        rcu_unregister_thread();
}

void bondy_publish_quiesce(void)
{
    SAY_READ();
    rcu_quiescent_state();
}

void bondy_publish_idle(void)
{
    SAY_READ();
    rcu_thread_offline();
}

void bondy_publish_busy(void)
{
    rcu_thread_online();
}

void bondy_publish_barrier_wait(void)
{
    SAY_READ();
    rcu_barrier();
    SAY_UNREAD();
}

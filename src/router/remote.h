/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_REMOTE_H
#define BONDY_ROUTER_REMOTE_H

/* remote: operations for sessions of other threads. Each is one piece of mail that owns copies of
 * all it needs; it is collected in the outbox of its target and posted by bondy_router_flush(), so
 * that order between two threads is kept. */

#include "src/router/broker.h"
#include "src/router/dealer.h"

/* An INVOCATION for `callee`, which is on another thread; `token` names the call. */
void bondy_remote_invoke(struct bondy_router_thread *thread, const struct bondy_callee *callee,
                         uint64_t token, const struct bondy_invoke *invoke);
/* The answer to it, back to the caller's thread. */
void bondy_remote_answer(struct bondy_router_thread *thread, unsigned caller_thread, uint64_t token,
                         const struct bondy_message *answer);
/* The caller does not wait any more. */
void bondy_remote_abandon(struct bondy_router_thread *thread, unsigned callee_thread,
                          uint64_t token, bool interrupt);
/* A publication for receivers on thread `to`, by subscription id. `lists` as received (NULL:
 * none). */
void bondy_remote_publish(struct bondy_router_thread *thread, unsigned to,
                          const struct bondy_publication *publication,
                          const struct bondy_slice *lists, const uint64_t *subscriptions,
                          size_t count);

/* Any other mail for thread `to`, in order with the rest. */
void bondy_remote_post(struct bondy_router_thread *thread, unsigned to, struct bondy_mail *mail);

/* The key of a visiting invocation in thread->visiting. */
static inline uint64_t bondy_remote_key(const struct bondy_router_thread *thread,
                                        unsigned caller_thread, uint64_t token)
{
    return token * thread->router->options.thread_count + caller_thread;
}

#endif

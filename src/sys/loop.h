/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_LOOP_H
#define BONDY_SYS_LOOP_H

/* loop: one I/O thread's event loop (libuv), turned by our own function (architecture 2 and 9.1):
 *
 *   uv_run(NOWAIT)  ->  inbox  ->  timers (wheel)  ->  flush hooks  ->  quiescent state  ->  sleep
 *
 * The thread is an RCU reader (QSBR) that is offline exactly while it sleeps. Unless said otherwise
 * a function is called on the loop's own thread only. */

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "src/base/error.h"
#include "src/base/list.h"
#include "src/base/wheel.h"

struct bondy_loop;

/* Makes a loop; `index` is its number among the I/O threads (0..). The caller owns it. */
int bondy_loop_create(unsigned index, struct bondy_loop **out, struct bondy_error *err);
/* Every handle on it must be closed; runs the loop until close callbacks are done. Mail that is
 * still in the inbox is run first, so its objects must be there; nobody may post any more. */
void bondy_loop_destroy(struct bondy_loop *loop);
/* Runs all mail there is, and nothing else: no timers, no descriptors. For a loop that does not
 * turn any more, before what its mail looks at is freed. */
void bondy_loop_run_mail(struct bondy_loop *loop);
/* Turns until bondy_loop_stop(), which may come first; registers the calling thread as RCU reader
 * for that time. */
void bondy_loop_run(struct bondy_loop *loop);
/* Any thread. */
void bondy_loop_stop(struct bondy_loop *loop);
/* One turn that sleeps at most `max_wait_ms`; for shutdown sequences and tests. */
void bondy_loop_turn(struct bondy_loop *loop, uint64_t max_wait_ms);

uv_loop_t *bondy_loop_uv(struct bondy_loop *loop);
unsigned bondy_loop_index(const struct bondy_loop *loop);
/* Monotonic milliseconds, read once a turn. Any use on the loop's thread. */
uint64_t bondy_loop_now_ms(const struct bondy_loop *loop);
/* The wheel is advanced by the loop. */
struct bondy_wheel *bondy_loop_wheel(struct bondy_loop *loop);
/* The loop of the calling thread, or NULL. */
struct bondy_loop *bondy_loop_current(void);

/* Flush hooks run in every turn after all callbacks, in order of `rank` (low first), and once more
 * when one of them returned true ("I made work for the others"; at most 8 rounds, the rest happens
 * in the next turn, which then does not sleep). The struct stays the caller's. */
struct bondy_flush {
    struct bondy_list link;
    int rank;
    bool (*fn)(struct bondy_flush *flush);
};
enum { BONDY_FLUSH_ROUTER = 10, BONDY_FLUSH_HTTP = 20, BONDY_FLUSH_TRANSPORT = 30 };
void bondy_loop_add_flush(struct bondy_loop *loop, struct bondy_flush *flush);
void bondy_loop_remove_flush(struct bondy_loop *loop, struct bondy_flush *flush);
/* The next sleep does not happen. */
void bondy_loop_again(struct bondy_loop *loop);

/* Messages from other threads: many producers, one consumer, one wake-up when the inbox was empty.
 * A message owns its data; `run` is called on the loop's thread and takes the message (frees it).
 * Order from one thread is kept. */
struct bondy_mail {
    struct bondy_mail *next;
    void (*run)(struct bondy_mail *mail);
};
/* Any thread. Takes `mail`. */
void bondy_loop_post(struct bondy_loop *loop, struct bondy_mail *mail);
/* Any thread. Takes a chain linked by `next`, in order: one push and at most one wake-up for all.
 */
void bondy_loop_post_chain(struct bondy_loop *loop, struct bondy_mail *first,
                           struct bondy_mail *last);

#endif

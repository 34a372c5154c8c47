/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_POOL_H
#define BONDY_SYS_POOL_H

/* pool: a few threads for slow work (hashing, files). Work is submitted from a loop and comes back
 * to that loop as mail. */

#include <stddef.h>

#include "src/base/error.h"
#include "src/sys/loop.h"

struct bondy_pool;

struct bondy_work {
    struct bondy_work *next;
    struct bondy_mail mail;                /* the way back */
    struct bondy_loop *loop;               /* set by submit: where `done` runs */
    void (*run)(struct bondy_work *work);  /* on a pool thread */
    void (*done)(struct bondy_work *work); /* on the loop; takes the work back */
};

/* `nice` is added to the threads' niceness, so that work nobody waits for at the moment leaves the
 * processors to those who serve connections (0: as everybody). */
int bondy_pool_create(unsigned threads, size_t max_queue, int nice, struct bondy_pool **out,
                      struct bondy_error *err);
/* Finishes what is queued and waits for the threads; the loops must still be there, and turn once
 * more to get the last answers. Nothing is taken from then on. NULL is fine. */
void bondy_pool_stop(struct bondy_pool *pool);
/* Stops it, unless that was done. */
void bondy_pool_destroy(struct bondy_pool *pool);
/* On a loop's thread. BONDY_ELIMIT: the queue is full or the pool was stopped, nothing was taken.
 */
int bondy_pool_submit(struct bondy_pool *pool, struct bondy_loop *loop, struct bondy_work *work,
                      struct bondy_error *err);

#endif

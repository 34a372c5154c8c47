/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_PURGE_H
#define BONDY_STORE_PURGE_H

/* purge: removes in the background what nobody can read any more: records an hour behind their
 * expiry (cluster.md B3.6), and the children of containers that were deleted or made again (B2.4).
 * Tombstones stay.
 *
 * Nothing is searched: two indexes in the store, kept with every write, say what is due. The work
 * is done in small jobs on the control thread, one after the other, so that writers get in between.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/store/store.h"

struct bondy_loop;
struct bondy_purge;

struct bondy_purge_options {
    uint64_t delay_ms;   /* store.purge_delay: how long hidden records are kept */
    uint64_t expired_ms; /* how long expired ones are kept; 0: an hour */
    uint64_t every_ms;   /* between two rounds; 0: a minute */
    unsigned batch;      /* records looked at by one job; 0: 256 */
};

/* One bounded step, waited for. *removed: how many records went away; *has_more: another step has
 * something to do now. Either may be NULL. Never on a loop. */
int bondy_purge_step_wait(struct bondy_store *store, const struct bondy_purge_options *options,
                          uint64_t *removed, bool *has_more, struct bondy_error *err);

/* Runs rounds from a timer of `loop`, on whose thread this and stop are called. */
struct bondy_purge *bondy_purge_start(struct bondy_store *store, struct bondy_loop *loop,
                                      const struct bondy_purge_options *options);
/* No step begins any more; one that is with the store ends by itself, so the loop has to turn once
 * more after the store is closed. NULL is fine. */
void bondy_purge_stop(struct bondy_purge *purge);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_SIGNALS_H
#define BONDY_SYS_SIGNALS_H

/* signals: signals as events of one loop. All on that loop's thread, except
 * bondy_signals_ignore_pipe(). */

#include <stddef.h>

#include "src/base/error.h"

struct bondy_loop;
struct bondy_signals;

typedef void (*bondy_signals_fn)(int number, void *context);

/* From now on `fn` is called on the loop for each of `numbers`. The caller owns *out. */
int bondy_signals_start(struct bondy_loop *loop, const int *numbers, size_t count,
                        bondy_signals_fn fn, void *context, struct bondy_signals **out,
                        struct bondy_error *err);
/* `fn` is not called again; the memory goes when the loop has closed the handles (turn it until
 * then, or destroy it). NULL is fine. */
void bondy_signals_stop(struct bondy_signals *signals);
/* SIGPIPE does nothing from now on; at start, before other threads. */
void bondy_signals_ignore_pipe(void);

#endif

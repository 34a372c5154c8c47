/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_WHEEL_H
#define BONDY_BASE_WHEEL_H

/* wheel: the timers of one thread, in milliseconds, hierarchical (Varghese and Lauck 1987): start
 * and stop in constant time, no allocation. The caller gives the time; nothing here reads a clock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/list.h"

struct bondy_timer;
typedef void (*bondy_timer_fn)(struct bondy_timer *timer);

/* Lives inside the object it serves; that object is found with BONDY_CONTAINER. */
struct bondy_timer {
    struct bondy_list link;
    uint64_t due_ms;
    bondy_timer_fn fn;
};

#define BONDY_WHEEL_BITS 6
#define BONDY_WHEEL_SLOTS (1 << BONDY_WHEEL_BITS)
/* 2^42 ms: what lies beyond waits in the last slot and is put again. */
#define BONDY_WHEEL_LEVELS 7

struct bondy_wheel {
    uint64_t now_ms;        /* up to here everything was called */
    uint64_t clock_ms;      /* delays count from here; not before now_ms */
    struct bondy_list soon; /* due now: called by the next advance, whatever its time */
    uint64_t occupied[BONDY_WHEEL_LEVELS];
    struct bondy_list slots[BONDY_WHEEL_LEVELS][BONDY_WHEEL_SLOTS];
};

void bondy_wheel_init(struct bondy_wheel *wheel, uint64_t now_ms);
void bondy_timer_init(struct bondy_timer *timer, bondy_timer_fn fn);
/* Tells the time without calling anybody, for timers that are started before the next advance. */
void bondy_wheel_set_clock(struct bondy_wheel *wheel, uint64_t clock_ms);
/* Due `delay_ms` after the wheel's clock; a timer that runs already is moved. It fires once. With 0
 * it fires in the next advance, never in the one that is calling back now. */
void bondy_timer_start(struct bondy_wheel *wheel, struct bondy_timer *timer, uint64_t delay_ms);
/* Harmless when it does not run. */
void bondy_timer_stop(struct bondy_wheel *wheel, struct bondy_timer *timer);
bool bondy_timer_runs(const struct bondy_timer *timer);
/* Moves the wheel's now (and clock) to `now_ms` (which never goes back) and then calls what became
 * due, in order of time; callbacks may start and stop any timer, their own too. */
void bondy_wheel_advance(struct bondy_wheel *wheel, uint64_t now_ms);
/* Milliseconds from the wheel's now until something may be due (never later than the first due
 * timer, perhaps earlier); UINT64_MAX when nothing runs. */
uint64_t bondy_wheel_next(const struct bondy_wheel *wheel);

#endif

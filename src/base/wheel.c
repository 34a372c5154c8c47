/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/wheel.h"

#include "src/base/alloc.h"

/* A timer lies on the level of the highest six-bit digit in which its due time differs from the
 * wheel's now, in the slot of that digit; so every slot of a level comes after all of the level
 * below, and the first occupied slot of the lowest occupied level is the next thing to do. When now
 * reaches a slot above level 0 its timers are put again and fall to lower levels. Only the highest
 * level wraps around. */

#define TOP (BONDY_WHEEL_LEVELS - 1)
#define SHIFT(level) ((unsigned)(level)*BONDY_WHEEL_BITS)
#define SLOT_MASK ((uint64_t)BONDY_WHEEL_SLOTS - 1)
#define FARTHEST (SLOT_MASK << SHIFT(TOP))

void bondy_wheel_init(struct bondy_wheel *wheel, uint64_t now_ms)
{
    wheel->now_ms = now_ms;
    wheel->clock_ms = now_ms;
    bondy_list_init(&wheel->soon);
    for (int level = 0; level < BONDY_WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (int slot = 0; slot < BONDY_WHEEL_SLOTS; slot++)
            bondy_list_init(&wheel->slots[level][slot]);
    }
}

void bondy_timer_init(struct bondy_timer *timer, bondy_timer_fn fn)
{
    bondy_list_init(&timer->link);
    timer->due_ms = 0;
    timer->fn = fn;
}

/* Where the timer waits; its due time lies after the wheel's now. */
static void put(struct bondy_wheel *wheel, struct bondy_timer *timer)
{
    uint64_t due = timer->due_ms;
    uint64_t difference;
    int level;
    unsigned slot;

    if (due - wheel->now_ms > FARTHEST)
        due = wheel->now_ms + FARTHEST;
    difference = due ^ wheel->now_ms;
    level = (63 - __builtin_clzll(difference)) / BONDY_WHEEL_BITS;
    if (level > TOP)
        level = TOP;
    slot = (unsigned)(due >> SHIFT(level) & SLOT_MASK);
    bondy_list_append(&wheel->slots[level][slot], &timer->link);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

void bondy_wheel_set_clock(struct bondy_wheel *wheel, uint64_t clock_ms)
{
    if (clock_ms > wheel->clock_ms)
        wheel->clock_ms = clock_ms;
}

void bondy_timer_start(struct bondy_wheel *wheel, struct bondy_timer *timer, uint64_t delay_ms)
{
    bondy_timer_stop(wheel, timer);
    timer->due_ms =
        delay_ms > UINT64_MAX - wheel->clock_ms ? UINT64_MAX : wheel->clock_ms + delay_ms;
    if (timer->due_ms == wheel->now_ms)
        bondy_list_append(&wheel->soon, &timer->link);
    else
        put(wheel, timer);
}

void bondy_timer_stop(struct bondy_wheel *wheel, struct bondy_timer *timer)
{
    struct bondy_list *head = timer->link.next;
    struct bondy_list *first = &wheel->slots[0][0];
    bool was_alone = head == timer->link.prev;
    size_t index;

    bondy_list_remove(&timer->link);
    if (!was_alone || head < first || head >= first + BONDY_WHEEL_LEVELS * BONDY_WHEEL_SLOTS)
        return;
    index = (size_t)(head - first);
    wheel->occupied[index / BONDY_WHEEL_SLOTS] &= ~(UINT64_C(1) << index % BONDY_WHEEL_SLOTS);
}

bool bondy_timer_runs(const struct bondy_timer *timer)
{
    return !bondy_list_is_empty(&timer->link);
}

/* The next occupied slot: its level and number, and how far its beginning is from now. */
static bool next_slot(const struct bondy_wheel *wheel, int *level, unsigned *slot, uint64_t *wait)
{
    for (*level = 0; *level < BONDY_WHEEL_LEVELS; (*level)++) {
        uint64_t bits = wheel->occupied[*level];
        unsigned here = (unsigned)(wheel->now_ms >> SHIFT(*level) & SLOT_MASK);
        unsigned ahead;

        if (bits == 0)
            continue;
        if (here > 0)
            bits = bits >> here | bits << (BONDY_WHEEL_SLOTS - here);
        ahead = (unsigned)__builtin_ctzll(bits);
        *slot = (here + ahead) & SLOT_MASK;
        *wait = ((uint64_t)ahead << SHIFT(*level)) -
                (wheel->now_ms & ((UINT64_C(1) << SHIFT(*level)) - 1));
        return true;
    }
    return false;
}

/* Moves now to the beginning of a slot; what is due there goes to `due`, the rest is put again. */
static void empty_slot(struct bondy_wheel *wheel, int level, unsigned slot, struct bondy_list *due)
{
    struct bondy_list waiting;

    bondy_list_init(&waiting);
    bondy_list_splice(&waiting, &wheel->slots[level][slot]);
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    BONDY_LIST_EACH_SAFE(link, &waiting)
    {
        struct bondy_timer *timer = BONDY_LIST_ENTRY(link, struct bondy_timer, link);

        bondy_list_remove(link);
        if (timer->due_ms == wheel->now_ms)
            bondy_list_append(due, link);
        else
            put(wheel, timer);
    }
}

void bondy_wheel_advance(struct bondy_wheel *wheel, uint64_t now_ms)
{
    struct bondy_list due;
    uint64_t wait;
    unsigned slot;
    int level;

    if (now_ms < wheel->now_ms)
        now_ms = wheel->now_ms;
    bondy_list_init(&due);
    bondy_list_splice(&due, &wheel->soon);
    while (next_slot(wheel, &level, &slot, &wait) && wait <= now_ms - wheel->now_ms) {
        wheel->now_ms += wait;
        empty_slot(wheel, level, slot, &due);
    }
    wheel->now_ms = now_ms;
    bondy_wheel_set_clock(wheel, now_ms);
    while (!bondy_list_is_empty(&due)) {
        struct bondy_timer *timer = BONDY_LIST_ENTRY(due.next, struct bondy_timer, link);

        bondy_list_remove(&timer->link);
        timer->fn(timer);
    }
}

uint64_t bondy_wheel_next(const struct bondy_wheel *wheel)
{
    uint64_t wait;
    unsigned slot;
    int level;

    if (!bondy_list_is_empty(&wheel->soon))
        return 0;
    return next_slot(wheel, &level, &slot, &wait) ? wait : UINT64_MAX;
}

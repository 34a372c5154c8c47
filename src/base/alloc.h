/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_ALLOC_H
#define BONDY_BASE_ALLOC_H

/* alloc: memory that is there, or the process ends.
 *
 * Small internal allocations cannot fail here. What is sized by a peer is checked against a limit
 * before it gets here. Safe in every thread. */

#include <stddef.h>

/* Uninitialised memory; the caller owns it and ends it with bondy_free(). `size` 0 is allowed. */
void *bondy_alloc(size_t size) __attribute__((malloc, returns_nonnull));
/* The same, zeroed. */
void *bondy_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* `count` zeroed elements of `size` bytes; the product is checked for overflow. */
void *bondy_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *bondy_realloc(void *memory, size_t size) __attribute__((returns_nonnull));
char *bondy_strdup(const char *text) __attribute__((malloc, returns_nonnull));
/* Copies `len` bytes and adds a NUL behind them. */
char *bondy_memdup0(const void *data, size_t len) __attribute__((malloc, returns_nonnull));
void bondy_free(void *memory);

/* Hands a pointer over and leaves NULL behind. */
#define BONDY_MOVE(pointer)                                                                        \
    ({                                                                                             \
        __typeof__(pointer) moved_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        moved_;                                                                                    \
    })

#define BONDY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define BONDY_CONTAINER(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Our own mistake: says where and ends the process, in release builds too. */
#define BONDY_BUG_ON(condition)                                                                    \
    do {                                                                                           \
        if (__builtin_expect(!!(condition), 0))                                                    \
            bondy_bug(#condition, __FILE__, __LINE__);                                             \
    } while (0)
void bondy_bug(const char *condition, const char *file, int line) __attribute__((noreturn, cold));
/* `last` is called once before the process ends that way: the logger saves what is in the rings. It
 * may be any thread's call, so it must not take locks. NULL takes it back. */
void bondy_bug_last(void (*last)(void));

#endif

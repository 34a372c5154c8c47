/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alloc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *have(void *memory, size_t size)
{
    if (__builtin_expect(memory == NULL, 0)) {
        fprintf(stderr, "bondy: out of memory (%zu bytes)\n", size);
        abort();
    }
    return memory;
}

void *bondy_alloc(size_t size)
{
    return have(malloc(size == 0 ? 1 : size), size);
}

void *bondy_zalloc(size_t size)
{
    return bondy_calloc(1, size);
}

void *bondy_calloc(size_t count, size_t size)
{
    return have(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size), size);
}

void *bondy_realloc(void *memory, size_t size)
{
    return have(realloc(memory, size == 0 ? 1 : size), size);
}

char *bondy_strdup(const char *text)
{
    return bondy_memdup0(text, strlen(text));
}

char *bondy_memdup0(const void *data, size_t len)
{
    char *copy = bondy_alloc(len + 1);

    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void bondy_free(void *memory)
{
    free(memory);
}

static void (*_Atomic last_call)(void);

void bondy_bug_last(void (*last)(void))
{
    atomic_store(&last_call, last);
}

void bondy_bug(const char *condition, const char *file, int line)
{
    void (*last)(void) = atomic_exchange(&last_call, NULL);

    fprintf(stderr, "bondy: bug at %s:%d: %s\n", file, line, condition);
    if (last != NULL)
        last();
    abort();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/clock.h"

#include <stdio.h>
#include <time.h>

static const struct bondy_clock_source *replaced;

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t bondy_clock_mono_ns(void)
{
    return replaced != NULL ? replaced->mono_ns : read_ns(CLOCK_MONOTONIC);
}

uint64_t bondy_clock_mono_ms(void)
{
    return bondy_clock_mono_ns() / 1000000;
}

uint64_t bondy_clock_wall_ms(void)
{
    return replaced != NULL ? replaced->wall_ms : read_ns(CLOCK_REALTIME) / 1000000;
}

void bondy_clock_format(uint64_t wall_ms, char out[25])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    size_t len;

    gmtime_r(&seconds, &utc);
    len = strftime(out, 25, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, 25 - len, ".%03uZ", (unsigned)(wall_ms % 1000));
}

void bondy_clock_replace(const struct bondy_clock_source *source)
{
    replaced = source;
}

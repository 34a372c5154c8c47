/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_CLOCK_H
#define BONDY_BASE_CLOCK_H

/* clock: monotonic and wall time, replaceable in tests. All timeouts use the monotonic clock; the
 * wall clock serves logs, tokens and versions only. */

#include <stddef.h>
#include <stdint.h>

uint64_t bondy_clock_mono_ns(void);
uint64_t bondy_clock_mono_ms(void);
/* Milliseconds since 1970-01-01 UTC. */
uint64_t bondy_clock_wall_ms(void);
/* RFC 3339 UTC with milliseconds: 2031-05-02T10:15:03.120Z. `out` has room for 25 bytes. */
void bondy_clock_format(uint64_t wall_ms, char out[25]);

/* Tests: from here on all three read this source; NULL goes back to the system's clocks. Not while
 * other threads read the time. */
struct bondy_clock_source {
    uint64_t mono_ns;
    uint64_t wall_ms;
};
void bondy_clock_replace(const struct bondy_clock_source *source);

#endif

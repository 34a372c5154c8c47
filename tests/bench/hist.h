/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_BENCH_HIST_H
#define BONDY_TESTS_BENCH_HIST_H

/* hist: latencies in nanoseconds, log-linear: 64 steps to an octave (error below 1.6 %). */

#include <stdint.h>
#include <string.h>

#define HIST_STEP_BITS 6
#define HIST_STEPS (1u << HIST_STEP_BITS)
#define HIST_OCTAVES 40

struct hist {
    uint64_t count;
    uint64_t max;
    uint32_t bins[HIST_OCTAVES * HIST_STEPS];
};

static inline unsigned hist_bin(uint64_t ns)
{
    unsigned octave;

    if (ns < HIST_STEPS)
        return (unsigned)ns;
    octave = 63u - (unsigned)__builtin_clzll(ns) - HIST_STEP_BITS + 1;
    if (octave >= HIST_OCTAVES)
        return HIST_OCTAVES * HIST_STEPS - 1;
    return octave * HIST_STEPS + (unsigned)((ns >> (octave - 1)) & (HIST_STEPS - 1));
}

static inline uint64_t hist_low(unsigned bin)
{
    unsigned octave = bin / HIST_STEPS;

    if (octave == 0)
        return bin;
    return ((uint64_t)HIST_STEPS + bin % HIST_STEPS) << (octave - 1);
}

static inline void hist_add(struct hist *hist, uint64_t ns)
{
    hist->bins[hist_bin(ns)]++;
    hist->count++;
    if (ns > hist->max)
        hist->max = ns;
}

static inline uint64_t hist_quantile(const struct hist *hist, double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)hist->count + 0.5);
    uint64_t seen = 0;

    for (unsigned bin = 0; bin < HIST_OCTAVES * HIST_STEPS; bin++) {
        seen += hist->bins[bin];
        if (seen >= wanted && seen > 0)
            return hist_low(bin);
    }
    return hist->max;
}

#endif

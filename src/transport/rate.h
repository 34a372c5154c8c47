/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_RATE_H
#define BONDY_TRANSPORT_RATE_H

/* rate: how many messages one session may send (WAMP ROB-4; wamp.session.rate and .burst). A bucket
 * of `burst` tokens gets `rate` tokens a second, and each message takes one. Who has none left is
 * not refused anything, only not read from for a while. The bucket is kept as the one time at which
 * it will be full again. The caller gives the time; nothing here reads a clock. */

#include <stdint.h>

struct bondy_rate {
    uint64_t full_ns;
};

#define BONDY_RATE_MS 1000000u
/* Waits are at least this long where the burst allows it, so that few tokens are not one wake-up
 * each. */
#define BONDY_RATE_BATCH_NS (10u * BONDY_RATE_MS)

/* Takes one token, also from an empty bucket (a debt). Returns for how many milliseconds nothing
 * more may be taken, 0: there is another token. `rate` and `burst` are at least 1. */
static inline uint64_t bondy_rate_spend(struct bondy_rate *bucket, uint32_t rate, uint32_t burst,
                                        uint64_t now_ms)
{
    uint64_t now = now_ms * BONDY_RATE_MS;
    uint64_t interval = 1000000000u / rate;
    uint64_t depth = burst * interval;
    uint64_t batch = BONDY_RATE_BATCH_NS > interval ? BONDY_RATE_BATCH_NS : interval;
    uint64_t used;

    bucket->full_ns = (bucket->full_ns > now ? bucket->full_ns : now) + interval;
    used = bucket->full_ns - now;
    if (used + interval <= depth)
        return 0;
    batch = batch < depth ? batch : depth;
    return (used + batch - depth + BONDY_RATE_MS - 1) / BONDY_RATE_MS;
}

#endif

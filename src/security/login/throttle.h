/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_THROTTLE_H
#define BONDY_SECURITY_LOGIN_THROTTLE_H

/* throttle: slows down who guesses passwords. realms-and-security.md 6, "Login throttling".
 *
 * Failed logins are counted in token buckets: of a source (an IPv4 address, an IPv6 /64), of an
 * authid in a realm, and of the whole node. A source over its limit is refused for 1 s, then 2, 4
 * ... 60 s, whatever it sends; over the other two limits an answer only comes later, by 2 s at
 * most, so that nobody can lock an account from elsewhere. Memory is fixed: a full table forgets
 * who failed least. Names enter the tables as keyed hashes, never as texts.
 *
 * Any thread (one lock: logins are rare). Times are monotonic milliseconds that the caller passes.
 */

#include <stdint.h>

#include "src/base/slice.h"
#include "src/sys/net.h"

struct bondy_throttle;

/* Failures a minute; 0: no limit. */
struct bondy_throttle_options {
    unsigned source_rate; /* security.auth_rate (10) */
    unsigned authid_rate; /* 20 */
    unsigned global_rate; /* 1000 */
    unsigned room;        /* sources, and authids, that are remembered; 0: 8192 */
};

#define BONDY_THROTTLE_DEFAULT                                                                     \
    {                                                                                              \
        10, 20, 1000, 0                                                                            \
    }

/* One attempt to log in. Texts are borrowed during a call. */
struct bondy_throttle_login {
    const struct bondy_address *source; /* NULL, or a Unix socket: no limit for the source */
    struct bondy_slice realm;
    struct bondy_slice authid; /* as it will be looked up; empty: none is known */
};

struct bondy_throttle_verdict {
    uint32_t retry_after_ms; /* not 0: refuse now, without looking at the credentials */
    uint32_t delay_ms;       /* else: how long the answer, right or wrong, has to wait */
};

struct bondy_throttle *bondy_throttle_create(const struct bondy_throttle_options *options);
/* NULL is fine. */
void bondy_throttle_destroy(struct bondy_throttle *throttle);

/* Before credentials are looked at. Costs nothing. */
struct bondy_throttle_verdict bondy_throttle_ask(struct bondy_throttle *throttle,
                                                 const struct bondy_throttle_login *login,
                                                 uint64_t now_ms);
/* After they were found wrong; a refused attempt is not counted again. */
void bondy_throttle_failed(struct bondy_throttle *throttle,
                           const struct bondy_throttle_login *login, uint64_t now_ms);
/* After they were found right: the authid starts afresh, the source does not. */
void bondy_throttle_succeeded(struct bondy_throttle *throttle,
                              const struct bondy_throttle_login *login, uint64_t now_ms);

/* Seconds for Retry-After and details.retry_after, rounded up. */
uint32_t bondy_throttle_seconds(uint32_t ms);

#endif

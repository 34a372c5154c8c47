/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_SOURCES_H
#define BONDY_TRANSPORT_SOURCES_H

/* sources: how many connections each source address has at each listener, over all threads. Small
 * shards, each with a lock that is held for one look-up, when a connection comes and goes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts one more, unless there are `max` already. Any thread. */
bool bondy_sources_enter(const void *listener, const uint8_t host[16], size_t max);
void bondy_sources_leave(const void *listener, const uint8_t host[16]);

#endif

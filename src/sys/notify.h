/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_NOTIFY_H
#define BONDY_SYS_NOTIFY_H

/* notify: what the service manager is told (the datagrams of sd_notify(3)) and what it allows. */

#include <stdint.h>

#include "src/base/error.h"

/* Sends lines such as "READY=1\nSTATUS=serving" to the socket that NOTIFY_SOCKET names; without
 * that variable nothing happens and all is well. Never blocks. BONDY_EIO: nobody took it. */
int bondy_notify_send(const char *lines, struct bondy_error *err);
/* The time within which WATCHDOG=1 is wanted (WATCHDOG_USEC), 0 for never. */
uint64_t bondy_notify_watchdog_ms(void);
/* Raises the number of open files to `wanted` (0: to what the system allows this process at most)
 * and says what it is now. BONDY_ELIMIT: `wanted` is more than allowed; it was raised to that. */
int bondy_notify_raise_nofile(uint64_t wanted, uint64_t *got, struct bondy_error *err);

#endif

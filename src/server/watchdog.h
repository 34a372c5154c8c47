/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_WATCHDOG_H
#define BONDY_SERVER_WATCHDOG_H

/* watchdog: tells the service manager that this process lives, only while every I/O thread turns:
 * each is sent a message, and WATCHDOG=1 goes out when all have answered. A loop that is stuck is
 * not vouched for. operations.md 7. Main thread. */

struct bondy_server;
struct bondy_server_watchdog;

/* NULL when the service manager does not want it (WATCHDOG_USEC). The caller owns it. */
struct bondy_server_watchdog *bondy_server_watchdog_start(struct bondy_server *server);
/* No message is sent any more. NULL is fine. */
void bondy_server_watchdog_stop(struct bondy_server_watchdog *watchdog);
/* After the threads are gone. NULL is fine. */
void bondy_server_watchdog_destroy(struct bondy_server_watchdog *watchdog);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_MONITOR_H
#define BONDY_SERVER_MONITOR_H

/* monitor: looks every few seconds at what nobody notices by itself, and sets and clears the alarms
 * of it: disk, store, descriptors, the log, certificates. operations.md 8 and 5.1.
 *
 * The thresholds have a gap between set and cleared, so that nothing flickers. Of a certificate
 * that ends soon subscribers are told 30, 7 and 1 days before, too: bondy.cert_manager.expiring
 * (wamp-admin-api.md 2.13). Looks are taken on a reader thread. */

#include "src/server/config.h"

struct bondy_server;
struct bondy_server_monitor;

/* Main thread, before other threads are. */
struct bondy_server_monitor *bondy_server_monitor_create(struct bondy_server *server);
/* Takes the keys that a reload may change. Any time; main thread. */
void bondy_server_monitor_configure(struct bondy_server_monitor *monitor,
                                    const struct bondy_config *config);
/* The first look; the certificates and the pools are there. Main loop's thread. */
void bondy_server_monitor_start(struct bondy_server_monitor *monitor);
/* Somebody changed something: the next look is now. Any thread while the main loop is there. */
void bondy_server_monitor_look(struct bondy_server_monitor *monitor);
/* Takes no further look. Before the pools stop. NULL is fine. */
void bondy_server_monitor_stop(struct bondy_server_monitor *monitor);
/* After the main loop is gone. NULL is fine. */
void bondy_server_monitor_destroy(struct bondy_server_monitor *monitor);

/* The step that a certificate with so many seconds left has come to: 30, 7 or 1 (days); 0: it has
 * come to none yet, or has ended. */
unsigned bondy_server_expiry_step(int64_t left_s);

#endif

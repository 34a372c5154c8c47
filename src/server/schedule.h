/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_SCHEDULE_H
#define BONDY_SERVER_SCHEDULE_H

/* schedule: makes a backup whenever the newest one is as old as `backup.schedule` says, counted
 * over restarts too. operations.md 6.2. Main loop's thread. */

struct bondy_server;
struct bondy_server_schedule;

/* After the backups' desk and the pools were made. NULL: no schedule is configured. */
struct bondy_server_schedule *bondy_server_schedule_start(struct bondy_server *server);
/* Begins no further backup. Before the pools stop. NULL is fine. */
void bondy_server_schedule_stop(struct bondy_server_schedule *schedule);
/* After the main loop is gone. NULL is fine. */
void bondy_server_schedule_destroy(struct bondy_server_schedule *schedule);

#endif

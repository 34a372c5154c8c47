/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_LOG_LEVEL_H
#define BONDY_SERVER_LOG_LEVEL_H

/* log_level: the least level that is logged: what the configuration says, or for a while what the
 * admin API said last. wamp-admin-api.md 6. */

#include "src/base/log.h"
#include "src/server/config.h"

struct bondy_server;
struct bondy_server_log_level;

/* The level of the configuration: log.handlers.default.level, else log.level. Any thread. */
enum bondy_log_level bondy_server_configured_log_level(const struct bondy_config *config);

/* Main thread, before other threads are. */
struct bondy_server_log_level *bondy_server_log_level_create(struct bondy_server *server);
/* Holds at once. With a duration the level that held without one is back after it; 0: the new one
 * stays. Any thread while the main loop is there. */
void bondy_server_log_level_set(struct bondy_server_log_level *self, enum bondy_log_level level,
                                uint64_t duration_ms);
/* After the main loop is gone. NULL is fine. */
void bondy_server_log_level_destroy(struct bondy_server_log_level *self);

#endif

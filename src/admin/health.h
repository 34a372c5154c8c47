/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_HEALTH_H
#define BONDY_ADMIN_HEALTH_H

/* health: the fixed endpoints of the admin listeners: /ping /livez /ready /readyz /metrics /status.
 * No authentication. admin-http-api.md 4; operations.md 1. */

#include "src/admin/node.h"
#include "src/http/request.h"

/* Answers when the path is one of these; false: it is not ours. Loop thread. */
bool bondy_health_answer(const struct bondy_admin_node *node, struct bondy_request *request);
/* Whether the path is a probe (/ping, /livez, /ready, /readyz), which any Host may ask. */
bool bondy_health_is_probe(struct bondy_slice path);
/* {version, node, status, degraded, uptime_ms, checks}; the caller owns it. */
json_t *bondy_health_status(const struct bondy_admin_node *node);

#endif

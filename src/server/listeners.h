/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_LISTENERS_H
#define BONDY_SERVER_LISTENERS_H

/* listeners: what an HTTP listener does with requests: the seam between wire_listeners.c, which
 * knows addresses and limits, and wire_gateway.c, which knows gateway and admin API. */

#include "src/server/server.h"

struct bondy_gateway_listener;

struct bondy_server_listener_context {
    const struct bondy_http_handler *handler;
    struct bondy_gateway_listener *listener; /* the handler's context; owned */
};

/* `prefix` is that of its keys. BONDY_EINVAL: the rules for other origins. */
int bondy_server_listener_fill(struct bondy_server *server,
                               struct bondy_server_listener_context *out, const char *prefix,
                               bool is_admin, bool is_tls, struct bondy_error *err);
void bondy_server_listener_clear(struct bondy_server_listener_context *context);
/* Reads the certificates of all TLS listeners that are switched on; a finding C005 for each that
 * cannot be used. */
void bondy_server_check_certificates(const struct bondy_config *config,
                                     struct bondy_config_diag *diag);

#endif

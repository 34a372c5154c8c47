/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_LISTENERS_H
#define BONDY_SERVER_LISTENERS_H

/* listeners: what an HTTP listener does with requests: the seam between wire_listeners.c, which
 * knows addresses and limits, and wire_gateway.c, which knows gateway and admin API. */

#include "src/server/server.h"

struct bondy_server_listener_context {
    const struct bondy_http_handler *handler;
    void *handler_context;
    bool (*allow_upgrade)(void *context, struct bondy_slice host, struct bondy_slice origin);
    void *upgrade_context;
    void *owned; /* of wire_gateway.c */
};

void bondy_server_listener_fill(struct bondy_server *server,
                                struct bondy_server_listener_context *out, bool is_admin,
                                bool is_tls);
void bondy_server_listener_clear(struct bondy_server_listener_context *context);

#endif

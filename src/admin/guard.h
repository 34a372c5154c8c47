/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_GUARD_H
#define BONDY_ADMIN_GUARD_H

/* guard: who may pass the admin listeners. admin-http-api.md 3.
 *
 * Immutable after it is made; its hooks run on every I/O thread. Health and metrics (health.h) come
 * first and need no credentials; then Host and Origin are checked, so that no page in a browser can
 * drive the node; then somebody must be let in: whoever has credentials of the master realm (Basic:
 * password; Bearer: ticket or access token; a checked client certificate whose common name is a
 * user's name or alias, by the method `tls`), a local peer of the daemon's own user or root, or
 * anybody on this machine where anonymous access is allowed; the last two as an administrator. What
 * they may do is decided by grants, call by call.
 *
 * A Host is looked at where the client is on this machine: there a page could use what a browser
 * may reach, by a name of its own. Elsewhere credentials decide. */

#include "gateway/gateway.h"
#include "src/admin/node.h"

struct bondy_admin_guard;

struct bondy_admin_guard_options {
    const struct bondy_admin_node *node; /* borrowed */
    struct bondy_auth *auth;             /* borrowed: who may log in to the master realm */
    bool allow_anonymous;                /* admin_api.allow_anonymous; loopback peers only */
    bool allow_cleartext;                /* admin_api.allow_cleartext: passwords without TLS */
    /* admin_api.allowed_hosts, a comma list; NULL or "": localhost, 127.0.0.1, [::1] and the node's
     * name with and without what stands before '@'. */
    const char *allowed_hosts;
};

struct bondy_admin_guard *bondy_admin_guard_create(const struct bondy_admin_guard_options *options);
/* NULL is fine. */
void bondy_admin_guard_destroy(struct bondy_admin_guard *guard);
/* A request to upgrade to WebSocket: a page of another site must not open one either. Any thread.
 */
struct bondy_admin_knock {
    const struct bondy_address *peer;
    const char *scheme;        /* of the listener */
    struct bondy_slice host;   /* with its port */
    struct bondy_slice origin; /* empty: none */
};
bool bondy_admin_guard_allows(const struct bondy_admin_guard *guard,
                              const struct bondy_admin_knock *knock);
/* For struct bondy_gateway_listener; lives as long as the guard. */
const struct bondy_gateway_guard *bondy_admin_guard_hooks(const struct bondy_admin_guard *guard);

#endif

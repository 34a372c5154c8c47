/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CLIENT_AUTH_H
#define BONDY_SERVER_CLIENT_AUTH_H

/* client_auth: whether a listener asks clients for a certificate, as far as
 * bondy.cert_manager.set_client_auth was told to keep it (persist: true).
 *
 * A record of this node and listener in the store, {verify, fail_if_no_peer_cert, cacertfile?} as
 * get_client_auth shows it; it goes before what the configuration says. wamp-admin-api.md 2.13. */

#include "src/base/json.h"
#include "src/server/server.h"

/* NULL: nothing is kept. The caller owns it. May block. */
json_t *bondy_server_client_auth_load_wait(struct bondy_server *server, const char *listener);
/* NULL forgets what was kept. BONDY_EIO, BONDY_ELIMIT: the store. Not on a loop or the control
 * thread. */
int bondy_server_client_auth_keep_wait(struct bondy_server *server, const char *listener,
                                       const json_t *auth, struct bondy_error *err);

#endif

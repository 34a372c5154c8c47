/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_MASTER_KEY_H
#define BONDY_SERVER_MASTER_KEY_H

/* master_key: the key that seals secrets of the store, from security.master_key_file or
 * security.master_key (BONDY_MASTER_KEY), and the one before it from the same names with .previous.
 * Main thread. */

#include "src/server/server.h"

/* server->seal; NULL when there is no key, which a record of the log says. May block. Errors name
 * the key and what is wrong with it, never what is in it. */
int bondy_server_make_seal(struct bondy_server *server, struct bondy_error *err);
/* A finding C005 for each key that cannot be used. */
void bondy_server_check_master_key(const struct bondy_config *config,
                                   struct bondy_config_diag *diag);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_REALM_KEYS_H
#define BONDY_SERVER_REALM_KEYS_H

/* realm_keys: makes the signing keys of realms that came without (from a file, by themselves, or
 * built in). realms-and-security.md 1.6. Keys are made on a hashing thread and stored realm by
 * realm, in one run at a time: what is asked for meanwhile is looked at once more when it is done.
 */

struct bondy_server;
struct bondy_server_realm_keys;

/* Before the store is open. */
struct bondy_server_realm_keys *bondy_server_realm_keys_create(struct bondy_server *server);
/* The first look, at all realms. Main loop's thread. */
void bondy_server_realm_keys_start(struct bondy_server_realm_keys *keys);
/* A realm may have none: looks soon. Any thread while the main loop is there. */
void bondy_server_realm_keys_ask(struct bondy_server_realm_keys *keys);
/* After the main loop is gone. NULL is fine. */
void bondy_server_realm_keys_destroy(struct bondy_server_realm_keys *keys);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_WIRE_H
#define BONDY_SERVER_WIRE_H

/* wire: how gateway (wire_gateway.c) admin API (wire_admin.c) and identities
 * (wire_identity.c) hang together with the rest. */

#include "src/base/json.h"
#include "src/server/server.h"

/* wire_alarms.c: publishes an event in the master realm, in the order of the calls. Takes the trees
 * (kwargs may be NULL). Any thread, while the I/O threads run. */
void bondy_server_tell(struct bondy_server *server, const char *topic, json_t *args,
                       json_t *kwargs);
/* Alarms that are set and cleared from now on are told as events, or no longer. */
void bondy_server_tell_alarms(struct bondy_server *server, bool is_on);

/* wire_identity.c, in this order: rules, pools, audit log; logins, after the store was opened; the
 * admin's record, when the master realm is there (in the background). */
int bondy_server_make_identity(struct bondy_server *server, struct bondy_error *err);
void bondy_server_make_logins(struct bondy_server *server);
int bondy_server_make_admin_user(struct bondy_server *server, struct bondy_error *err);
/* The change feed, control thread; on_commit after the realms were published. */
void bondy_server_identity_on_change(struct bondy_server *server,
                                     const struct bondy_change *change);
void bondy_server_identity_on_commit(struct bondy_server *server);
/* The keys oauth2.* as they are in `config`: at start and at reload. */
void bondy_server_apply_token_rules(struct bondy_server *server, const struct bondy_config *config);
void bondy_server_stop_pools(struct bondy_server *server);
void bondy_server_free_identity(struct bondy_server *server);

/* Before the store is opened: its feed goes there. */
int bondy_server_make_gateway(struct bondy_server *server, struct bondy_error *err);
/* After the logins were made. */
void bondy_server_open_oauth2(struct bondy_server *server);
/* What is stored, after the realms were read and before the store's writer runs. */
int bondy_server_load_catalog(struct bondy_server *server, struct bondy_error *err);
/* health.ready_requires of what is live now. Main thread. */
void bondy_server_apply_health(struct bondy_server *server);
/* After the realms are there: procedures, guard and routes of the admin API. */
int bondy_server_make_admin(struct bondy_server *server, struct bondy_error *err);
/* api_gateway.config_file and config_dir. BONDY_EINVAL with api_gateway.on_error = fail. */
int bondy_server_load_specs(struct bondy_server *server, struct bondy_error *err);
/* The change feed, control thread. */
void bondy_server_gateway_on_change(struct bondy_server *server, const struct bondy_change *change);
void bondy_server_gateway_on_commit(struct bondy_server *server);
/* Router hook: built-in procedures. */
bool bondy_server_find_procedure(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                                 void **fn_context);
struct bondy_slice bondy_server_canonical_procedure(void *context, struct bondy_slice uri);
/* Router hooks: a session may not do something; a user logged in. */
void bondy_server_on_denied(void *context, const struct bondy_denial *denial);
void bondy_server_on_joined(void *context, struct bondy_router_thread *thread,
                            const struct bondy_session *session);
/* On each I/O thread: after its parts were made; after its HTTP server is gone. */
void bondy_server_join_gateway(struct bondy_server_thread *thread);
void bondy_server_leave_gateway(struct bondy_server_thread *thread);
/* What stands in front of the admin routes. */
const struct bondy_gateway_guard *bondy_server_admin_guard(const struct bondy_server *server);
/* For struct bondy_door_listener; the context is the server. */
struct bondy_door_knock;
bool bondy_server_admin_allows(void *context, const struct bondy_door_knock *knock);
/* While the threads still run: a backup that is made is given up. */
void bondy_server_stop_admin(struct bondy_server *server);
struct bondy_backup_desk *bondy_server_backups(const struct bondy_server *server);
/* After all threads and the store are gone, in this order. */
void bondy_server_free_admin(struct bondy_server *server);
void bondy_server_free_gateway(struct bondy_server *server);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_ADMIN_HOUSE_H
#define BONDY_TESTS_UNIT_ADMIN_HOUSE_H

/* house: a node without its sockets on one thread: store, realms, catalog, router, gateway with the
 * admin API, and an HTTP server that clients of the test connect to. */

#include "src/admin/backup_files.h"
#include "src/admin/api.h"
#include "src/admin/backups.h"
#include "src/admin/guard.h"
#include "src/admin/procedures.h"
#include "src/security/login/auth.h"
#include "src/security/login/principal.h"
#include "src/security/entity/user.h"
#include "src/security/token/rules.h"
#include "tests/lib/http_client.h"

struct house_options {
    bool allow_anonymous;
    const char *password;
    const char *allowed_hosts;
};

struct house {
    char *folder;
    char path[512];
    struct bondy_loop *loop;
    char audit_path[512], backup_path[512];
    struct bondy_store *store;
    struct bondy_security_rules rules;
    struct bondy_audit *audit;
    struct bondy_principals *principals;
    struct bondy_auth *auth;
    struct bondy_token_settings *tokens;
    struct bondy_backup_desk *backups;
    struct bondy_backup_files *files;
    struct bondy_gateway_endpoint endpoints[BONDY_BACKUP_ENDPOINTS + 1];
    struct bondy_realms *realms;
    struct bondy_catalog *catalog;
    struct bondy_procedures *procedures;
    struct bondy_router *router;
    struct bondy_router_thread *router_thread;
    struct bondy_flush flush;
    struct bondy_gateway *gateway;
    struct bondy_admin_guard *guard;
    struct bondy_http_server *http;
    struct bondy_admin_node node;
    struct bondy_gateway_listener admin, public;
    struct bondy_http_listener admin_http, public_http;
    const char *status; /* of the node */
};

struct house *house_open(const struct house_options *options);
/* Closes everything and opens it again over the same store. */
struct house *house_reopen(struct house *house, const struct house_options *options);
void house_close(struct house *house);

/* One request on a connection of its own; returns the status. `headers` and `body` may be NULL. */
unsigned house_ask(struct house *house, const char *method, const char *path, const char *headers,
                   const char *body, struct http_reply *reply);
/* The same on a public listener. */
unsigned house_ask_public(struct house *house, const char *method, const char *path,
                          const char *body, struct http_reply *reply);
/* house_ask() whose status must be `status`; the body as a tree that the caller owns (NULL: none).
 */
json_t *house_expect(struct house *house, unsigned status, const char *method, const char *path,
                     const char *body);

#endif

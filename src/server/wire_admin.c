/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/catalog.h"
#include "gateway/gateway.h"
#include "src/admin/api.h"
#include "src/admin/guard.h"
#include "src/admin/password.h"
#include "src/admin/procedures.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/security/ticket.h"
#include "src/server/wire.h"
#include "src/sys/publish.h"

#include <config.h>

/* The admin API: its procedures, the guard in front of it, its routes. */

struct bondy_server_admin {
    struct bondy_admin_node node;
    const char **ticket_methods; /* of the configuration */
    struct bondy_procedures *procedures;
    struct bondy_admin_guard *guard;
};

/* operations.md 8. */
static const char *status_text(void *context)
{
    static const char *const texts[] = {
        [BONDY_SERVER_INITIALISING] = "initialising",
        [BONDY_SERVER_READY] = "ready",
        [BONDY_SERVER_SHUTTING_DOWN] = "shutting_down",
    };
    struct bondy_server *server = context;

    return texts[atomic_load(&server->status)];
}

static int publish_admin(struct bondy_server *server, struct bondy_error *err)
{
    struct bondy_route_table *table = NULL;
    int rc = bondy_admin_api_build(0, &table, err);

    if (rc < 0)
        return rc;
    bondy_publish_thread_start();
    bondy_gateway_publish(server->gateway, BONDY_GATEWAY_ADMIN, table);
    bondy_publish_thread_stop();
    return BONDY_OK;
}

/* A comma list, as the guard wants it. */
static void join_hosts(const struct bondy_config *config, struct bondy_buf *out)
{
    const struct bondy_config_value *hosts =
        &bondy_config_find(config, "admin_api.allowed_hosts")->value;

    for (size_t i = 0; i < hosts->list_count; i++)
        bondy_buf_printf(out, "%s%s", i == 0 ? "" : ",", hosts->list[i]);
    bondy_buf_append_byte(out, 0);
}

static int make_guard(struct bondy_server *server, struct bondy_error *err)
{
    const struct bondy_config *config = server->config;
    struct bondy_admin_guard_options options = {
        .node = &server->admin->node,
        .allow_anonymous = bondy_config_flag(config, "admin_api.allow_anonymous"),
    };
    struct bondy_buf hosts = BONDY_BUF_EMPTY;
    char *password = NULL;
    int rc =
        bondy_admin_password_read(bondy_config_text(config, "security.admin.password_file"),
                                  bondy_config_text(config, "platform_data_dir"), &password, err);

    if (rc == BONDY_OK) {
        join_hosts(config, &hosts);
        options.password = password;
        options.allowed_hosts = hosts.data;
        server->admin->guard = bondy_admin_guard_create(&options);
    }
    bondy_admin_password_free(password);
    bondy_buf_fini(&hosts);
    return rc;
}

/* security.ticket.* */
static void fill_tickets(struct bondy_server_admin *admin, const struct bondy_config *config)
{
    static const char *const kept[] = {
        [BONDY_TICKET_LOCAL] = "security.ticket.scope.local.persistence",
        [BONDY_TICKET_SSO] = "security.ticket.scope.sso.persistence",
        [BONDY_TICKET_CLIENT_LOCAL] = "security.ticket.scope.client_local.persistence",
        [BONDY_TICKET_CLIENT_SSO] = "security.ticket.scope.client_sso.persistence",
    };
    const struct bondy_config_value *methods =
        &bondy_config_find(config, "security.ticket.authmethods")->value;
    struct bondy_admin_tickets *tickets = &admin->node.tickets;

    admin->ticket_methods = bondy_calloc(methods->list_count + 1, sizeof admin->ticket_methods[0]);
    for (size_t i = 0; i < methods->list_count; i++)
        admin->ticket_methods[i] = methods->list[i];
    tickets->authmethods = admin->ticket_methods;
    for (unsigned scope = 0; scope < BONDY_COUNT(kept); scope++)
        if (bondy_config_flag(config, kept[scope]))
            tickets->kept |= 1u << scope;
    tickets->lifetime_s = bondy_config_number(config, "security.ticket.expiry_time") / 1000;
    tickets->max_lifetime_s = bondy_config_number(config, "security.ticket.max_expiry_time") / 1000;
    tickets->takes_unknown = bondy_config_flag(config, "security.ticket.allow_not_found");
    tickets->leeway_s = (unsigned)(bondy_config_number(config, "security.ticket.leeway") / 1000);
}

int bondy_server_make_admin(struct bondy_server *server, struct bondy_error *err)
{
    struct bondy_server_admin *admin = bondy_zalloc(sizeof *admin);
    int rc;

    server->admin = admin;
    admin->node = (struct bondy_admin_node){
        .store = server->store,
        .realms = server->realms,
        .catalog = server->catalog,
        .rules = &server->identity.rules,
        .readers = server->identity.readers,
        .hashers = server->identity.hashers,
        .audit = server->identity.audit,
        .principals = server->identity.principals,
        .name = server->node_name,
        .version = PACKAGE_VERSION,
        .started_mono_ms = bondy_clock_mono_ms(),
        .status = status_text,
        .context = server,
    };
    fill_tickets(admin, server->config);
    admin->procedures = bondy_procedures_create(&admin->node);
    if ((rc = make_guard(server, err)) < 0)
        return rc;
    return publish_admin(server, err);
}

bool bondy_server_find_procedure(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                                 void **fn_context)
{
    struct bondy_server *server = context;

    return bondy_procedures_find(server->admin->procedures, uri, fn, fn_context);
}

struct bondy_slice bondy_server_canonical_procedure(void *context, struct bondy_slice uri)
{
    struct bondy_server *server = context;

    return bondy_procedures_canonical(server->admin->procedures, uri);
}

const struct bondy_gateway_guard *bondy_server_admin_guard(const struct bondy_server *server)
{
    return bondy_admin_guard_hooks(server->admin->guard);
}

void bondy_server_free_admin(struct bondy_server *server)
{
    struct bondy_server_admin *admin = BONDY_MOVE(server->admin);

    if (admin == NULL)
        return;
    bondy_procedures_destroy(admin->procedures);
    bondy_admin_guard_destroy(admin->guard);
    bondy_free(admin->ticket_methods);
    bondy_free(admin);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/catalog/catalog.h"
#include "gateway/gateway.h"
#include "gateway/oauth2/oauth2.h"
#include "src/admin/api.h"
#include "src/admin/backup_files.h"
#include "src/admin/backups.h"
#include "src/admin/guard.h"
#include "src/admin/procedures.h"
#include "src/admin/tell.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/security/credential/ticket.h"
#include "src/security/login/auth.h"
#include "src/server/certificates.h"
#include "src/server/log_level.h"
#include "src/server/wire.h"
#include "src/store/backup.h"
#include "src/sys/net.h"
#include "src/sys/publish.h"

#include <config.h>

/* The admin API: its procedures, the guard in front of it, its routes. */

struct bondy_server_admin {
    struct bondy_admin_node node;
    struct bondy_procedures *procedures;
    struct bondy_admin_guard *guard;
    struct bondy_backup_desk *backups;
    struct bondy_backup_files *files;
    const char **ticket_methods; /* texts of the configuration */
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

void bondy_server_apply_health(struct bondy_server *server)
{
    const char *word = bondy_config_text(server->live, "health.ready_requires");

    atomic_store(&server->ready_requires_all, strcmp(word, "all") == 0);
}

static void set_log_level(void *context, enum bondy_log_level level, uint64_t duration_ms)
{
    const struct bondy_server *server = context;

    bondy_server_log_level_set(server->log_level, level, duration_ms);
}

static bool ready_requires_all(void *context)
{
    const struct bondy_server *server = context;

    return atomic_load(&server->ready_requires_all);
}

static int publish_admin(struct bondy_server *server, struct bondy_error *err)
{
    struct bondy_route_table *table = NULL;
    int rc = bondy_admin_api_build(
        (int)bondy_config_number(server->config, "admin_api.compat.already_exists_status"), &table,
        err);

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

static void make_guard(struct bondy_server *server)
{
    const struct bondy_config *config = server->config;
    struct bondy_admin_guard_options options = {
        .node = &server->admin->node,
        .auth = server->identity.auth,
        .allow_anonymous = bondy_config_flag(config, "admin_api.allow_anonymous"),
        .allow_cleartext = bondy_config_flag(config, "admin_api.allow_cleartext"),
    };
    struct bondy_buf hosts = BONDY_BUF_EMPTY;

    join_hosts(config, &hosts);
    options.allowed_hosts = hosts.data;
    server->admin->guard = bondy_admin_guard_create(&options);
    bondy_buf_fini(&hosts);
}

/* ---- what procedures need -------------------------------------------------------------------- */

static char *security_file(void *context)
{
    const struct bondy_server *server = context;
    const char *path = bondy_config_text(server->live, "security.config_file");

    return path == NULL ? NULL : bondy_strdup(path);
}

static void fill_tickets(struct bondy_server *server)
{
    static const struct {
        const char *key;
        enum bondy_ticket_scope scope;
    } scopes[] = {
        {"security.ticket.scope.local.persistence", BONDY_TICKET_LOCAL},
        {"security.ticket.scope.sso.persistence", BONDY_TICKET_SSO},
        {"security.ticket.scope.client_local.persistence", BONDY_TICKET_CLIENT_LOCAL},
        {"security.ticket.scope.client_sso.persistence", BONDY_TICKET_CLIENT_SSO},
    };
    const struct bondy_config *config = server->config;
    const struct bondy_config_value *methods =
        &bondy_config_find(config, "security.ticket.authmethods")->value;
    struct bondy_admin_tickets *tickets = &server->admin->node.tickets;

    tickets->lifetime_s = bondy_config_number(config, "security.ticket.expiry_time") / 1000;
    tickets->max_lifetime_s = bondy_config_number(config, "security.ticket.max_expiry_time") / 1000;
    server->admin->ticket_methods =
        bondy_calloc(methods->list_count + 1, sizeof server->admin->ticket_methods[0]);
    for (size_t i = 0; i < methods->list_count; i++)
        server->admin->ticket_methods[i] = methods->list[i];
    tickets->authmethods = server->admin->ticket_methods;
    for (size_t i = 0; i < BONDY_COUNT(scopes); i++)
        if (bondy_config_flag(config, scopes[i].key))
            tickets->kept |= 1u << scopes[i].scope;
    tickets->takes_unknown = bondy_config_flag(config, "security.ticket.allow_not_found");
    tickets->leeway_s = (unsigned)(bondy_config_number(config, "security.ticket.leeway") / 1000);
}

static int make_backups(struct bondy_server *server, struct bondy_error *err)
{
    const struct bondy_config *config = server->config;
    const struct bondy_backup_desk_options options = {
        .store = server->store,
        .dir = bondy_config_text(config, "backup.dir"),
        .node_name = server->node_name,
        .keep = (unsigned)bondy_config_number(config, "backup.keep"),
        .max_duration_ms = (uint64_t)bondy_config_number(config, "backup.max_duration"),
        .max_size = (uint64_t)bondy_config_number(config, "backup.upload_max_size"),
    };
    int rc;

    server->admin->backups = bondy_backup_desk_create(&options);
    server->admin->node.backups = server->admin->backups;
    if (bondy_backup_clean_wait(options.dir, err) < 0)
        bondy_log(BONDY_LOG_WARN, "backup_folder_not_cleaned", BONDY_F_STR("reason", err->text));
    rc = bondy_backup_files_create(&server->admin->node, &server->admin->files, err);
    if (rc == BONDY_OK)
        bondy_backup_files_endpoints(server->admin->files,
                                     server->endpoints + BONDY_OAUTH2_ENDPOINTS);
    return rc;
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
        .router_key = bondy_auth_router_key(server->identity.auth),
        .principals = server->identity.principals,
        .tokens = server->identity.tokens,
        .name = server->node_name,
        .version = PACKAGE_VERSION,
        .started_mono_ms = bondy_clock_mono_ms(),
        .needs_versions = bondy_config_flag(server->config, "admin_api.require_if_match"),
        .certificates = &bondy_server_certificate_hooks,
        .security_file = security_file,
        .status = status_text,
        .ready_requires_all = ready_requires_all,
        .set_log_level = set_log_level,
        .context = server,
    };
    bondy_server_apply_health(server);
    fill_tickets(server);
    if ((rc = make_backups(server, err)) < 0)
        return rc;
    admin->procedures = bondy_procedures_create(&admin->node);
    make_guard(server);
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

void bondy_server_on_joined(void *context, struct bondy_router_thread *thread,
                            const struct bondy_session *session)
{
    json_t *info = bondy_session_info(session);
    json_t *transport = json_object_get(info, "transport");
    json_t *meta = json_object_get(json_object_get(info, "authextra"), "meta");

    (void)context;
    bondy_admin_tell_on(
        thread, bondy_session_realm(session), "bondy.user.logged_in",
        json_pack("[O, O]", json_object_get(info, "authid"), meta == NULL ? json_null() : meta),
        json_pack("{s:O, s:O, s:O}", "authmethod", json_object_get(info, "authmethod"), "session",
                  json_object_get(info, "session"), "peername",
                  json_object_get(transport, "peername")));
    json_decref(info);
}

void bondy_server_on_denied(void *context, const struct bondy_denial *denial)
{
    struct bondy_server *server = context;
    struct bondy_address address;
    char source[BONDY_ADDRESS_TEXT];
    struct bondy_audit_entry entry = {
        .action = "authz.deny",
        .outcome = BONDY_AUDIT_DENIED,
        .realm = denial->realm,
        .actor = denial->authid,
        .target = denial->uri,
        .reason = bondy_slice_text(bondy_permission_name(denial->permission)),
        .is_sample = true,
    };

    bondy_address_read(denial->peername, &address);
    entry.source_ip = bondy_slice_text(bondy_address_format_host(&address, source));
    bondy_audit_write(server->identity.audit, &entry, NULL);
}

bool bondy_server_admin_allows(void *context, const struct bondy_door_knock *knock)
{
    const struct bondy_server *server = context;
    const struct bondy_admin_knock ask = {.peer = knock->peer,
                                          .scheme = knock->is_tls ? "https" : "http",
                                          .host = knock->host,
                                          .origin = knock->origin};

    return bondy_admin_guard_allows(server->admin->guard, &ask);
}

const struct bondy_gateway_guard *bondy_server_admin_guard(const struct bondy_server *server)
{
    return bondy_admin_guard_hooks(server->admin->guard);
}

void bondy_server_stop_admin(struct bondy_server *server)
{
    if (server->admin == NULL)
        return;
    bondy_backup_desk_stop(server->admin->backups);
    bondy_backup_files_stop(server->admin->files);
}

struct bondy_backup_desk *bondy_server_backups(const struct bondy_server *server)
{
    return server->admin->backups;
}

void bondy_server_free_admin(struct bondy_server *server)
{
    struct bondy_server_admin *admin = BONDY_MOVE(server->admin);

    if (admin == NULL)
        return;
    bondy_procedures_destroy(admin->procedures);
    bondy_admin_guard_destroy(admin->guard);
    bondy_backup_files_destroy(admin->files);
    bondy_backup_desk_destroy(admin->backups);
    bondy_free(admin->ticket_methods);
    bondy_free(admin);
}

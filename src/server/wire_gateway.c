/* SPDX-License-Identifier: Apache-2.0 */
#include <glob.h>
#include <stdio.h>

#include "gateway/catalog.h"
#include "gateway/gateway.h"
#include "src/admin/api.h"
#include "src/admin/guard.h"
#include "src/admin/password.h"
#include "src/admin/procedures.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/server/listeners.h"
#include "src/server/wire.h"
#include "src/sys/publish.h"

#include <config.h>

/* Gateway, catalog of API specifications, and the admin API, joined to the store's feed, the
 * router's hook for built-in procedures, and the HTTP listeners. */

struct bondy_server_gateway {
    struct bondy_gateway *gateway;
    struct bondy_catalog *catalog;
    struct bondy_admin_node node;
    struct bondy_procedures *procedures;
    struct bondy_admin_guard *guard;
};

/* ---- making ---- */

static void publish_routes(void *context, struct bondy_route_table *table)
{
    struct bondy_server_gateway *gateway = context;

    bondy_gateway_publish(gateway->gateway, BONDY_GATEWAY_PUBLIC, table);
}

static unsigned schemes_of(const struct bondy_config *config)
{
    unsigned schemes = 0;

    if (bondy_config_flag(config, "api_gateway.http.enabled"))
        schemes |= BONDY_SCHEME_HTTP;
    if (bondy_config_flag(config, "api_gateway.https.enabled"))
        schemes |= BONDY_SCHEME_HTTPS;
    return schemes;
}

int bondy_server_make_gateway(struct bondy_server *server, struct bondy_error *err)
{
    struct bondy_server_gateway *gateway = bondy_zalloc(sizeof *gateway);
    struct bondy_gateway_options options = {
        .thread_count = server->thread_count,
        .realms = server->realms,
        .call_timeout_ms = (uint64_t)bondy_config_number(server->config, "wamp.call_timeout"),
        .max_call_timeout_ms =
            (uint64_t)bondy_config_number(server->config, "wamp.max_call_timeout"),
    };
    struct bondy_catalog_options catalog = {
        .realms = server->realms,
        .listeners = schemes_of(server->config),
        .publish = publish_routes,
        .context = gateway,
    };

    (void)err;
    server->gateway = gateway;
    gateway->gateway = bondy_gateway_create(&options);
    gateway->catalog = bondy_catalog_create(&catalog);
    return BONDY_OK;
}

int bondy_server_load_catalog(struct bondy_server *server, struct bondy_error *err)
{
    int rc;

    bondy_publish_thread_start();
    rc = bondy_catalog_load_wait(server->gateway->catalog, server->store, err);
    bondy_publish_thread_stop();
    return rc;
}

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
    bondy_gateway_publish(server->gateway->gateway, BONDY_GATEWAY_ADMIN, table);
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
        .node = &server->gateway->node,
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
        server->gateway->guard = bondy_admin_guard_create(&options);
    }
    bondy_admin_password_free(password);
    bondy_buf_fini(&hosts);
    return rc;
}

int bondy_server_make_admin(struct bondy_server *server, struct bondy_error *err)
{
    struct bondy_server_gateway *gateway = server->gateway;
    int rc;

    gateway->node = (struct bondy_admin_node){
        .store = server->store,
        .realms = server->realms,
        .catalog = gateway->catalog,
        .name = server->node_name,
        .version = PACKAGE_VERSION,
        .started_mono_ms = bondy_clock_mono_ms(),
        .status = status_text,
        .context = server,
    };
    gateway->procedures = bondy_procedures_create(&gateway->node);
    if ((rc = make_guard(server, err)) < 0)
        return rc;
    return publish_admin(server, err);
}

bool bondy_server_find_procedure(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                                 void **fn_context)
{
    struct bondy_server *server = context;

    return bondy_procedures_find(server->gateway->procedures, uri, fn, fn_context);
}

/* ---- documents ---- */

static int load_file(struct bondy_server *server, const char *path, unsigned *failed,
                     struct bondy_error *err)
{
    unsigned count = 0;
    int rc =
        bondy_catalog_apply_file_wait(server->gateway->catalog, server->store, path, &count, err);

    *failed += count;
    if (rc == BONDY_ENOENT) { /* said when the configuration was checked */
        return BONDY_OK;
    }
    if (rc < 0) {
        bondy_log(BONDY_LOG_ERROR, "api_file_refused", BONDY_F_STR("path", path),
                  BONDY_F_STR("reason", err->text));
        ++*failed;
    }
    return BONDY_OK;
}

static void load_folder(struct bondy_server *server, const char *folder, unsigned *failed,
                        struct bondy_error *err)
{
    struct bondy_buf pattern = BONDY_BUF_EMPTY;
    glob_t found;

    bondy_buf_printf(&pattern, "%s/*.json", folder);
    bondy_buf_append_byte(&pattern, 0);
    if (glob(pattern.data, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            load_file(server, found.gl_pathv[i], failed, err);
        globfree(&found);
    }
    bondy_buf_fini(&pattern);
}

int bondy_server_load_specs(struct bondy_server *server, struct bondy_error *err)
{
    const char *file = bondy_config_text(server->live, "api_gateway.config_file");
    const char *folder = bondy_config_text(server->live, "api_gateway.config_dir");
    unsigned failed = 0;

    if (file != NULL)
        load_file(server, file, &failed, err);
    if (folder != NULL)
        load_folder(server, folder, &failed, err);
    if (failed > 0 && strcmp(bondy_config_text(server->live, "api_gateway.on_error"), "fail") == 0)
        return bondy_fail(err, BONDY_EINVAL, "%u API specifications have mistakes", failed);
    return BONDY_OK;
}

/* ---- feed ---- */

void bondy_server_gateway_on_change(struct bondy_server *server, const struct bondy_change *change)
{
    bondy_catalog_on_change(server->gateway->catalog, change);
}

void bondy_server_gateway_on_commit(struct bondy_server *server)
{
    bondy_catalog_publish(server->gateway->catalog);
}

/* ---- threads and listeners ---- */

void bondy_server_join_gateway(struct bondy_server_thread *thread)
{
    bondy_gateway_join(thread->server->gateway->gateway, thread->loop, thread->router);
}

void bondy_server_leave_gateway(struct bondy_server_thread *thread)
{
    bondy_gateway_leave(thread->server->gateway->gateway, thread->loop);
}

/* Values were checked with the configuration's other ones, but for what only gateway/guard knows.
 */
static int fill_cors(const struct bondy_config *config, const char *prefix, struct bondy_cors *out,
                     struct bondy_error *err)
{
    int rc;

    out->headers = bondy_config_at(config, prefix, "cors.allowed_headers")->value.text;
    out->max_age_s = (unsigned)bondy_config_at(config, prefix, "cors.max_age")->value.number;
    rc = bondy_cors_parse_methods(
        bondy_config_at(config, prefix, "cors.allowed_methods")->value.text, &out->methods, err);
    if (rc == BONDY_OK && bondy_config_at(config, prefix, "cors.enabled")->value.number != 0)
        rc = bondy_cors_parse(bondy_config_at(config, prefix, "cors.allowed_origins")->value.text,
                              out, err);
    return rc < 0 ? bondy_wrap(err, "%s.cors", prefix) : rc;
}

int bondy_server_listener_fill(struct bondy_server *server,
                               struct bondy_server_listener_context *out, const char *prefix,
                               bool is_admin, bool is_tls, struct bondy_error *err)
{
    struct bondy_gateway_listener *listener = bondy_zalloc(sizeof *listener);

    listener->gateway = server->gateway->gateway;
    listener->table = is_admin ? BONDY_GATEWAY_ADMIN : BONDY_GATEWAY_PUBLIC;
    listener->scheme = is_tls ? BONDY_SCHEME_HTTPS : BONDY_SCHEME_HTTP;
    listener->guard = is_admin ? bondy_admin_guard_hooks(server->gateway->guard) : NULL;
    out->handler = &bondy_gateway_handler;
    out->listener = listener;
    return fill_cors(server->config, prefix, &listener->cors, err);
}

void bondy_server_listener_clear(struct bondy_server_listener_context *context)
{
    bondy_free(BONDY_MOVE(context->listener));
}

void bondy_server_free_gateway(struct bondy_server *server)
{
    struct bondy_server_gateway *gateway = BONDY_MOVE(server->gateway);

    if (gateway == NULL)
        return;
    bondy_procedures_destroy(gateway->procedures);
    bondy_admin_guard_destroy(gateway->guard);
    bondy_catalog_destroy(gateway->catalog);
    if (gateway->gateway != NULL)
        bondy_gateway_destroy(gateway->gateway);
    bondy_free(gateway);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <glob.h>
#include <stdio.h>

#include "gateway/catalog/catalog.h"
#include "gateway/gateway.h"
#include "gateway/oauth2/oauth2.h"
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/server/listeners.h"
#include "src/server/wire.h"
#include "src/sys/publish.h"

/* Gateway and catalog of API specifications, joined to the store's feed and the HTTP listeners. */

/* ---- making ---- */

static void publish_routes(void *context, struct bondy_route_table *table)
{
    struct bondy_server *server = context;

    bondy_gateway_publish(server->gateway, BONDY_GATEWAY_PUBLIC, table);
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
    struct bondy_gateway_options options = {
        .thread_count = server->thread_count,
        .realms = server->realms,
        .call_timeout_ms = (uint64_t)bondy_config_number(server->config, "wamp.call_timeout"),
        .max_call_timeout_ms =
            (uint64_t)bondy_config_number(server->config, "wamp.max_call_timeout"),
        .max_body_values =
            (uint64_t)bondy_config_number(server->config, "api_gateway.max_body_values"),
        .endpoints = server->endpoints,
    };
    struct bondy_catalog_options catalog = {
        .realms = server->realms,
        .rules = &server->identity.rules,
        .listeners = schemes_of(server->config),
        .publish = publish_routes,
        .context = server,
    };

    (void)err;
    server->oauth2 = bondy_oauth2_create();
    bondy_oauth2_endpoints(server->oauth2, server->endpoints);
    server->gateway = bondy_gateway_create(&options);
    server->catalog = bondy_catalog_create(&catalog);
    return BONDY_OK;
}

void bondy_server_open_oauth2(struct bondy_server *server)
{
    const struct bondy_config *config = server->config;
    const struct bondy_oauth2_options options = {
        .store = server->store,
        .realms = server->realms,
        .rules = &server->identity.rules,
        .tokens = server->identity.tokens,
        .auth = server->identity.auth,
        .readers = server->identity.readers,
        .audit = server->identity.audit,
        .leeway_s = (unsigned)(bondy_config_number(config, "security.max_clock_skew") / 1000),
        .has_spaces = strcmp(bondy_config_text(config, "oauth2.scope_separator"), "space") == 0,
        .has_empty_revocation =
            strcmp(bondy_config_text(config, "oauth2.revocation_answer"), "empty") == 0,
    };

    bondy_oauth2_open(server->oauth2, &options);
}

int bondy_server_load_catalog(struct bondy_server *server, struct bondy_error *err)
{
    int rc;

    bondy_publish_thread_start();
    rc = bondy_catalog_load_wait(server->catalog, server->store, err);
    bondy_publish_thread_stop();
    return rc;
}

/* ---- documents ---- */

static int load_file(struct bondy_server *server, const char *path, unsigned *failed,
                     struct bondy_error *err)
{
    unsigned count = 0;
    int rc = bondy_catalog_apply_file_wait(server->catalog, server->store, path, &count, err);

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
    if (failed == 0)
        bondy_alarm_clear(BONDY_ALARM_API_SPECS_REFUSED, BONDY_SLICE_EMPTY);
    else
        bondy_alarm_set(BONDY_ALARM_API_SPECS_REFUSED, BONDY_SLICE_EMPTY,
                        "%u API specifications of files were refused; the log says why", failed);
    if (failed > 0 && strcmp(bondy_config_text(server->live, "api_gateway.on_error"), "fail") == 0)
        return bondy_fail(err, BONDY_EINVAL, "%u API specifications have mistakes", failed);
    return BONDY_OK;
}

/* ---- feed ---- */

void bondy_server_gateway_on_change(struct bondy_server *server, const struct bondy_change *change)
{
    bondy_catalog_on_change(server->catalog, change);
}

void bondy_server_gateway_on_commit(struct bondy_server *server)
{
    bondy_catalog_publish(server->catalog);
}

/* ---- threads and listeners ---- */

void bondy_server_join_gateway(struct bondy_server_thread *thread)
{
    bondy_gateway_join(thread->server->gateway, thread->loop, thread->router);
}

void bondy_server_leave_gateway(struct bondy_server_thread *thread)
{
    bondy_gateway_leave(thread->server->gateway, thread->loop);
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

    listener->gateway = server->gateway;
    listener->table = is_admin ? BONDY_GATEWAY_ADMIN : BONDY_GATEWAY_PUBLIC;
    listener->scheme = is_tls ? BONDY_SCHEME_HTTPS : BONDY_SCHEME_HTTP;
    listener->guard = is_admin ? bondy_server_admin_guard(server) : NULL;
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
    bondy_catalog_destroy(BONDY_MOVE(server->catalog));
    if (server->gateway != NULL)
        bondy_gateway_destroy(BONDY_MOVE(server->gateway));
    bondy_oauth2_destroy(BONDY_MOVE(server->oauth2));
}

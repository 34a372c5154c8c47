/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "gateway/cors.h"
#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/base/log.h"
#include "src/server/certificates.h"
#include "src/server/listeners.h"
#include "src/server/wire.h"
#include "src/sys/file.h"
#include "src/sys/net.h"

/* The listeners: what is fixed about each stands in one table, the rest comes from the keys below
 * its prefix. */

enum { IS_TLS = 1, IS_ADMIN = 2, IS_UNIX = 4 };

static const struct kind {
    const char *name;
    unsigned accepts;
    unsigned flags;
    const char *wamp; /* prefix of the RawSocket keys, NULL: no RawSocket */
} kinds[] = {
    {"admin_api.http", BONDY_DOOR_HTTP | BONDY_DOOR_WEBSOCKET, IS_ADMIN, NULL},
    {"admin_api.https", BONDY_DOOR_HTTP | BONDY_DOOR_WEBSOCKET, IS_ADMIN | IS_TLS, NULL},
    {"admin_api.unix", BONDY_DOOR_HTTP, IS_ADMIN | IS_UNIX, NULL},
    {"api_gateway.http", BONDY_DOOR_HTTP | BONDY_DOOR_WEBSOCKET | BONDY_DOOR_RAWSOCKET, 0,
     "wamp.tcp"},
    {"api_gateway.https", BONDY_DOOR_HTTP | BONDY_DOOR_WEBSOCKET | BONDY_DOOR_RAWSOCKET, IS_TLS,
     "wamp.tls"},
    {"wamp.tcp", BONDY_DOOR_RAWSOCKET, 0, "wamp.tcp"},
    {"wamp.tls", BONDY_DOOR_RAWSOCKET, IS_TLS, "wamp.tls"},
    {"wamp.unix", BONDY_DOOR_RAWSOCKET, IS_UNIX, "wamp.unix"},
};

struct listener {
    const struct kind *kind;
    struct bondy_door_listener door;
    struct bondy_http_listener http;
    const char **headers;
    struct bondy_server_listener_context context;
    bool is_open;
};

struct bondy_server_listeners {
    struct listener list[BONDY_COUNT(kinds)];
    size_t count;
    const char **cookie_origins; /* NULL-terminated; texts of the configuration */
};

/* ---- values ---- */

static int64_t number(const struct bondy_config *config, const char *prefix, const char *suffix)
{
    return bondy_config_at(config, prefix, suffix)->value.number;
}

static const char *text(const struct bondy_config *config, const char *prefix, const char *suffix)
{
    return bondy_config_at(config, prefix, suffix)->value.text;
}

static uint64_t duration(const struct bondy_config *config, const char *prefix, const char *suffix)
{
    int64_t ms = number(config, prefix, suffix);

    return ms == BONDY_CONFIG_INFINITE ? 0 : (uint64_t)ms;
}

/* 0: not set. */
static uint32_t count_at(const struct bondy_config *config, const char *name)
{
    const struct bondy_config_entry *entry = bondy_config_find(config, name);

    if (!entry->value.is_set)
        return 0;
    return entry->value.number < UINT32_MAX ? (uint32_t)entry->value.number : UINT32_MAX;
}

static struct bondy_door_wamp_limits websocket_limits(const struct bondy_config *config)
{
    static const char prefix[] = "wamp.websocket";
    uint32_t rate = count_at(config, "wamp.session.rate");
    uint32_t burst = count_at(config, "wamp.session.burst");

    return (struct bondy_door_wamp_limits){
        .max_message = (size_t)number(config, prefix, "max_frame_size"),
        .auth_timeout_ms = duration(config, prefix, "auth_timeout"),
        .idle_timeout_ms = duration(config, prefix, "idle_timeout"),
        .ping_enabled = number(config, prefix, "ping.enabled") != 0,
        .ping_idle_ms = duration(config, prefix, "ping.idle_timeout"),
        .ping_timeout_ms = duration(config, prefix, "ping.timeout"),
        .ping_attempts = (unsigned)number(config, prefix, "ping.max_attempts"),
        .queue_bytes = (size_t)bondy_config_number(config, "wamp.session.send_queue.max_bytes"),
        .queue_messages =
            (size_t)bondy_config_number(config, "wamp.session.send_queue.max_messages"),
        .message_rate = rate,
        .message_burst = burst > 0 ? burst : rate,
    };
}

/* wamp.unix has no keys of its own for pings: those of wamp.tcp. */
static struct bondy_door_wamp_limits rawsocket_limits(const struct bondy_config *config,
                                                      const char *prefix)
{
    const char *ping = strcmp(prefix, "wamp.unix") == 0 ? "wamp.tcp" : prefix;
    struct bondy_door_wamp_limits limits = websocket_limits(config);

    limits.max_message = (size_t)number(config, prefix, "max_frame_size");
    limits.auth_timeout_ms = duration(config, prefix, "auth_timeout");
    limits.idle_timeout_ms = duration(config, ping, "idle_timeout");
    limits.ping_enabled = number(config, ping, "ping.enabled") != 0;
    limits.ping_idle_ms = duration(config, ping, "ping.idle_timeout");
    limits.ping_timeout_ms = duration(config, ping, "ping.timeout");
    limits.ping_attempts = (unsigned)number(config, ping, "ping.max_attempts");
    return limits;
}

static struct bondy_http_limits http_limits(const struct bondy_config *config, const char *prefix)
{
    return (struct bondy_http_limits){
        .max_header_size = (size_t)number(config, prefix, "max_header_size"),
        .max_headers = (unsigned)number(config, prefix, "max_headers"),
        .max_body_size = (size_t)number(config, prefix, "max_body_size"),
        .request_timeout_ms = duration(config, prefix, "request_timeout"),
        .idle_timeout_ms = duration(config, prefix, "idle_timeout"),
        .body_timeout_ms = duration(config, prefix, "body_timeout"),
        .max_keepalive = (unsigned)number(config, prefix, "max_keepalive"),
    };
}

/* The admin socket has the limits of the admin listener. */
static const char *http_prefix(const struct kind *kind)
{
    return (kind->flags & IS_UNIX) ? "admin_api.http" : kind->name;
}

/* ---- making ---- */

static const char **make_headers(const struct bondy_config *config, const char *prefix)
{
    struct bondy_security_headers headers = {
        .server = text(config, prefix, "server_header"),
        .hsts = text(config, prefix, "security_headers.hsts"),
        .frame_options = text(config, prefix, "security_headers.frame_options"),
        .content_type_options = text(config, prefix, "security_headers.content_type_options"),
        .content_security_policy = text(config, prefix, "security_headers.content_security_policy"),
        .enabled = number(config, prefix, "security_headers.enabled") != 0,
    };

    return bondy_security_headers_make(&headers);
}

static int fill_http(struct bondy_server *server, struct listener *listener,
                     struct bondy_error *err)
{
    const char *prefix = http_prefix(listener->kind);
    bool is_tls = listener->kind->flags & IS_TLS;
    int rc = bondy_server_listener_fill(server, &listener->context, prefix,
                                        (listener->kind->flags & IS_ADMIN) != 0, is_tls, err);

    if (rc < 0)
        return rc;
    listener->headers = make_headers(server->config, prefix);
    listener->http = (struct bondy_http_listener){
        .name = listener->kind->name,
        .scheme = is_tls ? "https" : "http",
        .limits = http_limits(server->config, prefix),
        .handler = listener->context.handler,
        .context = listener->context.listener,
        .response_headers = listener->headers,
    };
    listener->door.http = &listener->http;
    return BONDY_OK;
}

static int fill_tcp(struct bondy_door_listener *door, const struct bondy_config *config,
                    struct bondy_error *err)
{
    const char *ip = text(config, door->name, "ip");
    const char *version = text(config, door->name, "ip_version");

    if (ip == NULL)
        ip = strcmp(version, "4") == 0 ? "0.0.0.0" : "::";
    door->reuseport = number(config, door->name, "reuseport") != 0;
    door->dual_stack = strcmp(version, "46") == 0;
    door->backlog = (int)number(config, door->name, "backlog");
    door->nodelay = number(config, door->name, "nodelay") != 0;
    door->keepalive = number(config, door->name, "keepalive") != 0;
    door->max_connections = (size_t)number(config, door->name, "max_connections");
    door->max_connections_per_ip = (size_t)number(config, door->name, "max_connections_per_ip");
    door->handshake_timeout_ms = duration(config, door->name, "handshake_timeout");
    return bondy_address_parse(ip, (uint16_t)number(config, door->name, "port"), &door->address,
                               err);
}

static int fill_unix(struct listener *listener, const struct bondy_config *config,
                     struct bondy_error *err)
{
    struct bondy_door_listener *door = &listener->door;
    bool is_admin = listener->kind->flags & IS_ADMIN;
    struct bondy_buf path = BONDY_BUF_EMPTY;
    int rc;

    door->is_admin_local = is_admin;
    door->unix_mode = 0600;
    door->backlog = 1024;
    door->max_connections = (size_t)bondy_config_number(
        config, is_admin ? "admin_api.http.max_connections" : "wamp.unix.max_connections");
    door->handshake_timeout_ms =
        duration(config, is_admin ? "admin_api.http" : "wamp.unix", "handshake_timeout");
    if (!is_admin)
        door->unix_mode = (unsigned)strtoul(bondy_config_text(config, "wamp.unix.mode"), NULL, 8);
    bondy_buf_printf(&path, "unix:%s", text(config, door->name, "path"));
    bondy_buf_append_byte(&path, 0);
    rc = bondy_address_parse(path.data, 0, &door->address, err);
    bondy_buf_fini(&path);
    return rc;
}

static int make(struct bondy_server *server, const struct kind *kind, struct bondy_error *err)
{
    struct listener *listener = &server->listeners->list[server->listeners->count++];
    struct bondy_door_listener *door = &listener->door;
    int rc;

    listener->kind = kind;
    door->name = kind->name;
    door->accepts = kind->accepts;
    door->websocket_path = "/ws";
    door->websocket = websocket_limits(server->config);
    door->compression = bondy_config_flag(server->config, "wamp.websocket.compression_enabled");
    door->cookie_origins = server->listeners->cookie_origins;
    if (kind->flags & IS_ADMIN) {
        door->allow_upgrade = bondy_server_admin_allows;
        door->context = server;
    }
    if (kind->wamp != NULL)
        door->rawsocket = rawsocket_limits(server->config, kind->wamp);
    if ((kind->accepts & BONDY_DOOR_HTTP) && (rc = fill_http(server, listener, err)) < 0)
        return rc;
    rc = (kind->flags & IS_UNIX) ? fill_unix(listener, server->config, err)
                                 : fill_tcp(door, server->config, err);
    if (rc < 0)
        return bondy_wrap(err, "%s", kind->name);
    return bondy_server_certificates_add(server, kind->name,
                                         (kind->flags & IS_TLS) ? &door->tls : NULL, err);
}

/* A default path that does not fit into a socket address is left out with a warning, one that
 * somebody chose is an error (admin-http-api.md 3). */
static bool wants_admin_socket(const struct bondy_config *config)
{
    const struct bondy_config_entry *path = bondy_config_find(config, "admin_api.unix.path");

    if (path->value.text == NULL)
        return false;
    if (strlen(path->value.text) < sizeof((struct sockaddr_un *)0)->sun_path ||
        path->origin.source != NULL)
        return true;
    bondy_log(BONDY_LOG_WARN, "admin_socket_left_out",
              BONDY_F_STR("description", "the path is too long for a socket; admin_api.unix.path "
                                         "chooses another"),
              BONDY_F_STR("path", path->value.text));
    return false;
}

static const char **list_of(const struct bondy_config_value *value)
{
    const char **list = bondy_calloc(value->list_count + 1, sizeof list[0]);

    for (size_t i = 0; i < value->list_count; i++)
        list[i] = value->list[i];
    return list;
}

int bondy_server_make_listeners(struct bondy_server *server, struct bondy_error *err)
{
    server->certificates = bondy_server_certificates_create();
    server->listeners = bondy_zalloc(sizeof *server->listeners);
    server->listeners->cookie_origins =
        list_of(&bondy_config_find(server->config, "wamp.websocket.allowed_origins")->value);
    for (size_t i = 0; i < BONDY_COUNT(kinds); i++) {
        bool is_wanted = strcmp(kinds[i].name, "admin_api.unix") == 0
                             ? wants_admin_socket(server->config)
                             : number(server->config, kinds[i].name, "enabled") != 0;
        int rc;

        if (is_wanted && (rc = make(server, &kinds[i], err)) < 0)
            return rc;
    }
    return BONDY_OK;
}

/* ---- opening ---- */

static int open_on_thread(struct bondy_server_thread *thread, void *context,
                          struct bondy_error *err)
{
    return bondy_door_listen(thread->door, context, err);
}

int bondy_server_open_listeners(struct bondy_server *server, enum bondy_server_listener_set set,
                                struct bondy_error *err)
{
    for (size_t i = 0; i < server->listeners->count; i++) {
        struct listener *listener = &server->listeners->list[i];
        bool is_admin = listener->kind->flags & IS_ADMIN;
        char address[BONDY_ADDRESS_TEXT];
        int rc;

        if (is_admin != (set == BONDY_SERVER_ADMIN_LISTENERS))
            continue;
        if (!(listener->kind->flags & IS_UNIX) &&
            (rc = bondy_net_check_free(&listener->door.address, !listener->door.dual_stack, err)) <
                0)
            return bondy_wrap(err, "%s", listener->door.name);
        rc = bondy_server_run_on_each(server, open_on_thread, &listener->door, err);
        if (rc < 0)
            return rc;
        listener->is_open = true;
        bondy_log(BONDY_LOG_INFO, "listener_open", BONDY_F_STR("listener", listener->door.name),
                  BONDY_F_STR("address", bondy_address_format(&listener->door.address, address)));
    }
    return BONDY_OK;
}

int bondy_server_write_ports(const struct bondy_server *server, struct bondy_error *err)
{
    const char *path = bondy_config_text(server->config, "ports_file");
    json_t *ports;
    struct bondy_buf content = BONDY_BUF_EMPTY;
    int rc;

    if (path == NULL)
        return BONDY_OK;
    ports = json_object();
    for (size_t i = 0; i < server->listeners->count; i++) {
        const struct listener *listener = &server->listeners->list[i];

        if (!(listener->kind->flags & IS_UNIX))
            json_object_set_new(ports, listener->door.name,
                                json_integer(bondy_address_port(&listener->door.address)));
    }
    bondy_json_format(ports, &content);
    bondy_buf_append_byte(&content, '\n');
    rc = bondy_file_write(path, bondy_buf_slice(&content), 0644, err);
    bondy_buf_fini(&content);
    json_decref(ports);
    return rc < 0 ? bondy_wrap(err, "ports_file") : rc;
}

/* ---- certificates and end ---- */

void bondy_server_check_certificates(const struct bondy_config *config,
                                     struct bondy_config_diag *diag)
{
    for (size_t i = 0; i < BONDY_COUNT(kinds); i++) {
        struct bondy_error err;

        if (!(kinds[i].flags & IS_TLS) || number(config, kinds[i].name, "enabled") == 0)
            continue;
        if (bondy_server_certificate_check(config, kinds[i].name, &err) < 0)
            bondy_config_report(diag, "C005", NULL, 0, 0, "%s", err.text);
    }
}

void bondy_server_free_listeners(struct bondy_server *server)
{
    struct bondy_server_listeners *listeners = BONDY_MOVE(server->listeners);

    bondy_server_certificates_destroy(BONDY_MOVE(server->certificates));
    for (size_t i = 0; listeners != NULL && i < listeners->count; i++) {
        struct listener *listener = &listeners->list[i];

        bondy_server_listener_clear(&listener->context);
        bondy_free(listener->headers);
        if ((listener->kind->flags & IS_UNIX) && listener->is_open)
            remove(listener->door.address.local.sun_path);
    }
    if (listeners != NULL)
        bondy_free(listeners->cookie_origins);
    bondy_free(listeners);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "tests/unit/admin/house.h"

#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/sys/publish.h"

static void on_change(void *context, const struct bondy_change *change)
{
    struct house *house = context;

    bondy_realms_on_change(house->realms, change);
    if (house->principals != NULL)
        bondy_principals_on_change(house->principals, change);
    bondy_catalog_on_change(house->catalog, change);
}

static void on_commit(void *context)
{
    struct house *house = context;

    bondy_realms_publish(house->realms);
    if (house->principals != NULL)
        bondy_principals_on_commit(house->principals);
    bondy_catalog_publish(house->catalog);
}

static void publish(void *context, struct bondy_route_table *table)
{
    struct house *house = context;

    bondy_gateway_publish(house->gateway, BONDY_GATEWAY_PUBLIC, table);
}

static const char *status_of(void *context)
{
    return ((struct house *)context)->status;
}

struct builtin {
    struct bondy_store_job job;
    struct bondy_edit edit;
    json_t *password;
};

static int run_builtin(struct bondy_store_job *job, struct bondy_store_write *write,
                       struct bondy_error *err)
{
    struct builtin *builtin = BONDY_CONTAINER(job, struct builtin, job);

    (void)err;
    bondy_edit_start(&builtin->edit, write);
    return bondy_edit_end(
        &builtin->edit,
        bondy_realm_apply_builtin(&builtin->edit, builtin->password, builtin->password != NULL));
}

static void must(int rc, const struct bondy_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

static void open_state(struct house *house, const char *password)
{
    struct bondy_store_options options = {.path = house->path,
                                          .map_size = 1 << 20,
                                          .map_size_max = 1 << 26,
                                          .on_change = on_change,
                                          .on_commit = on_commit,
                                          .context = house};
    struct bondy_gateway_options gateway = {.thread_count = 1, .call_timeout_ms = 60000};
    struct bondy_catalog_options catalog = {.publish = publish, .context = house};
    struct builtin builtin = {.job.run = run_builtin, .edit.rules = &house->rules};
    struct bondy_password_opts opts = {.cra = true, .cra_iterations = 4096};
    struct bondy_error err = {0};
    json_t *problem = NULL;

    bondy_security_rules_init(&house->rules);
    house->rules.pbkdf2_iterations = 4096;
    house->realms = bondy_realms_create(&house->rules);
    gateway.realms = house->realms;
    gateway.endpoints = house->endpoints;
    house->gateway = bondy_gateway_create(&gateway);
    catalog.realms = house->realms;
    house->catalog = bondy_catalog_create(&catalog);
    must(bondy_store_open(&options, &house->store, &err), &err);
    must(bondy_realms_load_wait(house->realms, house->store, &err), &err);
    must(bondy_catalog_load_wait(house->catalog, house->store, &err), &err);
    must(bondy_store_start(house->store, &err), &err);
    if (password != NULL)
        must(bondy_user_prepare_password(&house->rules, &opts, bondy_slice_text(password),
                                         &builtin.password, &problem),
             &err);
    bondy_publish_idle();
    must(bondy_store_run_wait(house->store, &builtin.job, &err), &err);
    bondy_publish_busy();
    bondy_edit_fini(&builtin.edit);
    json_decref(builtin.password);
}

static void heard_of_user(void *context, const char *realm, const char *username,
                          enum bondy_principal_change change, uint64_t spared)
{
    (void)context, (void)realm, (void)username, (void)change, (void)spared;
}

static void open_auth(struct house *house)
{
    const struct bondy_principals_options principals = {.store = house->store,
                                                        .realms = house->realms,
                                                        .on_change = heard_of_user,
                                                        .context = house};
    struct bondy_auth_options auth = {.store = house->store,
                                      .realms = house->realms,
                                      .rules = &house->rules,
                                      .audit = house->audit,
                                      .node_name = "test@node.example",
                                      .hides_unknown_users = true};

    house->principals = bondy_principals_create(&principals);
    auth.principals = house->principals;
    house->auth = bondy_auth_create(&auth);
    house->tokens = bondy_token_settings_create();
}

static void open_audit(struct house *house)
{
    const struct bondy_audit_options options = {.folder = house->audit_path,
                                                .max_bytes = 1 << 20,
                                                .max_files = 3,
                                                .buffer_len = 1 << 20,
                                                .denials_per_second = 10};
    const struct bondy_backup_desk_options backups = {.store = house->store,
                                                      .dir = house->backup_path,
                                                      .node_name = "test@node.example",
                                                      .max_size = 1 << 20};
    struct bondy_error err = {0};

    must(bondy_audit_create(&options, &house->audit, &err), &err);
    house->backups = bondy_backup_desk_create(&backups);
}

static bool flush_router(struct bondy_flush *flush)
{
    bondy_router_flush(BONDY_CONTAINER(flush, struct house, flush)->router_thread);
    return false;
}

static void post_nowhere(void *context, unsigned from, unsigned to, struct bondy_mail *first,
                         struct bondy_mail *last)
{
    (void)context, (void)from, (void)to, (void)first, (void)last;
    fail_msg("there is one thread only");
}

static void open_router(struct house *house)
{
    struct bondy_router_options options = {.thread_count = 1,
                                           .realms = house->realms,
                                           .codec_limits = BONDY_CODEC_LIMITS_DEFAULT,
                                           .max_preauth_message = 1 << 16,
                                           .max_message = 1 << 24,
                                           .call_timeout_ms = 60000,
                                           .goodbye_timeout_ms = 1000,
                                           .max_subscriptions = 1000,
                                           .max_registrations = 1000,
                                           .max_inflight_calls = 1000,
                                           .agent = "test",
                                           .node_name = "test@127.0.0.1",
                                           .post = post_nowhere,
                                           .find_procedure = bondy_procedures_find,
                                           .context = house->procedures};
    struct bondy_error err = {0};

    must(bondy_router_create(&options, &house->router, &err), &err);
    house->router_thread =
        bondy_router_thread_create(house->router, 0, bondy_loop_wheel(house->loop));
    house->flush = (struct bondy_flush){.rank = BONDY_FLUSH_ROUTER, .fn = flush_router};
    bondy_loop_add_flush(house->loop, &house->flush);
}

static void open_http(struct house *house)
{
    static const struct bondy_http_limits limits = {.max_header_size = 1 << 15,
                                                    .max_headers = 100,
                                                    .max_body_size = 1 << 23,
                                                    .request_timeout_ms = 10000,
                                                    .idle_timeout_ms = 60000,
                                                    .body_timeout_ms = 30000,
                                                    .max_keepalive = 1000};
    struct bondy_route_table *table = NULL;
    struct bondy_error err = {0};

    must(bondy_admin_api_build(0, &table, &err), &err);
    bondy_gateway_publish(house->gateway, BONDY_GATEWAY_ADMIN, table);
    house->admin = (struct bondy_gateway_listener){.gateway = house->gateway,
                                                   .table = BONDY_GATEWAY_ADMIN,
                                                   .scheme = BONDY_SCHEME_HTTP,
                                                   .guard = bondy_admin_guard_hooks(house->guard)};
    house->public = (struct bondy_gateway_listener){
        .gateway = house->gateway, .table = BONDY_GATEWAY_PUBLIC, .scheme = BONDY_SCHEME_HTTP};
    house->admin_http = (struct bondy_http_listener){.name = "admin_api.http",
                                                     .scheme = "http",
                                                     .limits = limits,
                                                     .handler = &bondy_gateway_handler,
                                                     .context = &house->admin};
    house->public_http = house->admin_http;
    house->public_http.name = "api_gateway.http";
    house->public_http.context = &house->public;
    must(bondy_http_server_create(house->loop, 100, &house->http, &err), &err);
    bondy_gateway_join(house->gateway, house->loop, house->router_thread);
}

static const char *const ticket_methods[] = {"password", "wampcra", NULL};

static void fill(struct house *house, const struct house_options *options)
{
    struct bondy_admin_guard_options guard = {.node = &house->node,
                                              .allow_anonymous = options->allow_anonymous,
                                              .allowed_hosts = options->allowed_hosts};
    struct bondy_error err = {0};

    must(bondy_loop_create(0, &house->loop, &err), &err);
    house->status = "ready";
    open_state(house, options->password);
    open_audit(house);
    open_auth(house);
    guard.auth = house->auth;
    house->node = (struct bondy_admin_node){.store = house->store,
                                            .realms = house->realms,
                                            .catalog = house->catalog,
                                            .rules = &house->rules,
                                            .audit = house->audit,
                                            .backups = house->backups,
                                            .principals = house->principals,
                                            .tokens = house->tokens,
                                            .tickets = {.lifetime_s = 3600,
                                                        .max_lifetime_s = 86400,
                                                        .authmethods = ticket_methods,
                                                        .kept = 15,
                                                        .takes_unknown = true},
                                            .name = "test@node.example",
                                            .version = "0.1.0",
                                            .started_mono_ms = bondy_clock_mono_ms(),
                                            .status = status_of,
                                            .context = house};
    must(bondy_backup_files_create(&house->node, &house->files, &err), &err);
    bondy_backup_files_endpoints(house->files, house->endpoints);
    house->procedures = bondy_procedures_create(&house->node);
    house->guard = bondy_admin_guard_create(&guard);
    open_router(house);
    open_http(house);
}

struct house *house_open(const struct house_options *options)
{
    struct house *house = bondy_zalloc(sizeof *house);

    bondy_publish_thread_start();
    house->folder = bondy_test_mkdir();
    snprintf(house->path, sizeof house->path, "%s/store", house->folder);
    snprintf(house->audit_path, sizeof house->audit_path, "%s/audit", house->folder);
    snprintf(house->backup_path, sizeof house->backup_path, "%s/backup", house->folder);
    fill(house, options);
    return house;
}

/* The order of the real shutdown: no new requests, store, then what its answers go to. */
static void empty(struct house *house)
{
    bondy_backup_files_stop(house->files);
    bondy_http_server_destroy(house->http);
    bondy_publish_idle();
    bondy_backup_desk_destroy(house->backups);
    bondy_store_close(house->store);
    bondy_publish_busy();
    bondy_loop_turn(house->loop, 0);
    bondy_gateway_leave(house->gateway, house->loop);
    bondy_backup_files_destroy(house->files);
    bondy_loop_remove_flush(house->loop, &house->flush);
    bondy_router_thread_destroy(house->router_thread);
    bondy_loop_destroy(house->loop);
    bondy_router_destroy(house->router);
    bondy_gateway_destroy(house->gateway);
    bondy_admin_guard_destroy(house->guard);
    bondy_token_settings_destroy(house->tokens);
    bondy_auth_destroy(BONDY_MOVE(house->auth));
    bondy_principals_destroy(BONDY_MOVE(house->principals));
    bondy_procedures_destroy(house->procedures);
    bondy_publish_barrier_wait();
    bondy_catalog_destroy(house->catalog);
    bondy_realms_destroy(house->realms);
    bondy_audit_destroy(house->audit);
}

struct house *house_reopen(struct house *house, const struct house_options *options)
{
    empty(house);
    fill(house, options);
    return house;
}

void house_close(struct house *house)
{
    empty(house);
    bondy_publish_thread_stop();
    bondy_test_rmdir(house->folder);
    bondy_free(house);
}

static unsigned ask(struct house *house, const struct bondy_http_listener *listener,
                    const char *method, const char *path, const char *headers, const char *body,
                    struct http_reply *reply)
{
    struct http_client client;
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text, "%s %s HTTP/1.1\r\n", method, path);
    if (headers == NULL || strstr(headers, "Host:") == NULL)
        bondy_buf_append_text(&text, "Host: localhost:18081\r\n");
    if (headers != NULL)
        bondy_buf_append_text(&text, headers);
    if (body != NULL && (headers == NULL || strstr(headers, "Content-Type:") == NULL))
        bondy_buf_append_text(&text, "Content-Type: application/json\r\n");
    if (body != NULL)
        bondy_buf_printf(&text, "Content-Length: %zu\r\n", strlen(body));
    bondy_buf_printf(&text, "\r\n%s", body == NULL ? "" : body);
    memset(reply, 0, sizeof *reply);
    http_client_open_tcp(&client, house->http, house->loop, listener);
    if (!http_client_send(&client, text.data, text.len) ||
        !http_client_read(&client, strcmp(method, "HEAD") == 0, reply))
        fail_msg("no answer to %s %s", method, path);
    http_client_close(&client);
    bondy_buf_fini(&text);
    return reply->status;
}

unsigned house_ask(struct house *house, const char *method, const char *path, const char *headers,
                   const char *body, struct http_reply *reply)
{
    return ask(house, &house->admin_http, method, path, headers, body, reply);
}

unsigned house_ask_public(struct house *house, const char *method, const char *path,
                          const char *body, struct http_reply *reply)
{
    return ask(house, &house->public_http, method, path, NULL, body, reply);
}

json_t *house_expect(struct house *house, unsigned status, const char *method, const char *path,
                     const char *body)
{
    struct http_reply reply;
    json_t *tree = NULL;

    if (house_ask(house, method, path, NULL, body, &reply) != status)
        fail_msg("%s %s: %u, expected %u: %s", method, path, reply.status, status,
                 reply.body.data == NULL ? "" : reply.body.data);
    if (reply.body.len > 0)
        tree = bondy_json_parse(bondy_buf_slice(&reply.body), 64, NULL);
    http_reply_fini(&reply);
    return tree;
}

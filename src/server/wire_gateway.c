/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/listeners.h"
#include "src/server/wire.h"
#include "src/http/response.h"

static void on_head(void *context, struct bondy_request *request)
{
    (void)context;
    bondy_response_problem(request, 501, "bondy.error.not_implemented", "Not implemented",
                           "the gateway and the admin API are not part of this build yet", NULL);
}
static void on_other(void *context, struct bondy_request *request)
{
    (void)context;
    (void)request;
}
static const struct bondy_http_handler handler = {on_head, on_other, on_other};

int bondy_server_make_gateway(struct bondy_server *server, struct bondy_error *err)
{
    (void)server;
    (void)err;
    return BONDY_OK;
}
int bondy_server_make_admin(struct bondy_server *server, struct bondy_error *err)
{
    (void)server;
    (void)err;
    return BONDY_OK;
}
int bondy_server_load_specs(struct bondy_server *server, struct bondy_error *err)
{
    (void)server;
    (void)err;
    return BONDY_OK;
}
void bondy_server_gateway_on_change(struct bondy_server *server, const struct bondy_change *change)
{
    (void)server;
    (void)change;
}
void bondy_server_gateway_on_commit(struct bondy_server *server)
{
    (void)server;
}
bool bondy_server_find_procedure(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                                 void **fn_context)
{
    (void)context;
    (void)uri;
    (void)fn;
    (void)fn_context;
    return false;
}
void bondy_server_join_gateway(struct bondy_server_thread *thread)
{
    (void)thread;
}
void bondy_server_leave_gateway(struct bondy_server_thread *thread)
{
    (void)thread;
}
void bondy_server_free_gateway(struct bondy_server *server)
{
    (void)server;
}
void bondy_server_listener_fill(struct bondy_server *server,
                                struct bondy_server_listener_context *out, bool is_admin,
                                bool is_tls)
{
    (void)server;
    (void)is_admin;
    (void)is_tls;
    out->handler = &handler;
}
void bondy_server_listener_clear(struct bondy_server_listener_context *context)
{
    (void)context;
}

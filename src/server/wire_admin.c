/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"
#include "src/http/response.h"
#include "src/server/wire.h"

/* The admin listeners are there; until src/admin is linked every request to them is refused. */

static bool refuse(void *context, struct bondy_request *request)
{
    (void)context;
    bondy_response_problem(request, 501, "bondy.error.not_implemented", "Not implemented",
                           "the admin API is not part of this build yet", NULL);
    return true;
}

static const struct bondy_gateway_guard closed = {.fixed = refuse};

int bondy_server_make_admin(struct bondy_server *server, struct bondy_error *err)
{
    (void)server;
    (void)err;
    return BONDY_OK;
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

const struct bondy_gateway_guard *bondy_server_admin_guard(const struct bondy_server *server)
{
    (void)server;
    return &closed;
}

void bondy_server_free_admin(struct bondy_server *server)
{
    (void)server;
}

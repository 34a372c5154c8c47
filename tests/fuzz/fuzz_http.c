/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/http/response.h"

/* The octets of one connection, against the real server. What reaches a handler is a sound request
 * (threat-model H1); everything is given back at the end. */

static void on_head(void *context, struct bondy_request *request)
{
    struct bondy_slice path = bondy_request_path(request);

    (void)context;
    BONDY_BUG_ON(path.len == 0 || (path.data[0] != '/' && !bondy_slice_is(path, "*")));
    BONDY_BUG_ON(bondy_request_header(request, "content-length").data != NULL &&
                 bondy_request_header(request, "transfer-encoding").data != NULL);
    bondy_request_expect_body(request, 1000, 0);
}

static void on_request(void *context, struct bondy_request *request)
{
    (void)context;
    BONDY_BUG_ON(bondy_request_body(request).len > 1000);
    bondy_response_empty(request, 204);
}

static void on_gone(void *context, struct bondy_request *request)
{
    (void)context;
    (void)request;
}

static const struct bondy_http_handler handler = {on_head, on_request, on_gone};
static const struct bondy_http_listener listener = {
    .name = "fuzz",
    .scheme = "http",
    .limits = {4096, 20, 1000, 10000, 10000, 10000, 100},
    .handler = &handler,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bondy_loop *loop;
    struct bondy_http_peer peer = {.address.len = sizeof(struct sockaddr_in)};
    struct bondy_http_server *server;
    int fds[2];

    if (loop == NULL) {
        BONDY_BUG_ON(bondy_id_start(NULL) < 0 || bondy_loop_create(0, &loop, NULL) < 0);
    }
    peer.address.any.sa_family = AF_INET;
    if (size > 60000)
        size = 60000; /* fits the socket's buffer */
    BONDY_BUG_ON(bondy_http_server_create(loop, 10, &server, NULL) < 0);
    BONDY_BUG_ON(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0);
    BONDY_BUG_ON(bondy_http_server_adopt(server, fds[1], &listener, &peer, NULL) < 0);
    if (size > 0)
        BONDY_BUG_ON(send(fds[0], data, size, MSG_NOSIGNAL) < 0);
    for (unsigned i = 0; i < 4; i++)
        bondy_loop_turn(loop, 0);
    close(fds[0]);
    bondy_loop_turn(loop, 0);
    BONDY_BUG_ON(bondy_http_server_pending(server) != 0);
    bondy_http_server_destroy(server);
    bondy_loop_turn(loop, 0);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* anchor_http: the least that libmicrohttpd does: a fixed answer, external epoll, one thread.
 *
 *   anchor_http PORT      listens on 127.0.0.1, prints "ready" */

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static struct MHD_Response *hello;

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **request)
{
    (void)context;
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    if (*request == NULL) {
        *request = hello;
        return MHD_YES;
    }
    *data_len = 0;
    return MHD_queue_response(connection, 200, hello);
}

int main(int argc, char **argv)
{
    static char body[] = "{\"result\":\"hello from the anchor\"}";
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct MHD_Daemon *daemon;
    int poller;

    address.sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    hello = MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(hello, "content-type", "application/json; charset=utf-8");
    MHD_add_response_header(hello, "server", "anchor");
    MHD_add_response_header(hello, "x-content-type-options", "nosniff");
    MHD_add_response_header(hello, "x-frame-options", "SAMEORIGIN");
    daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR,
                              (struct sockaddr *)&address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              (size_t)8192, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "anchor_http: cannot listen\n");
        return 1;
    }
    poller = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd wait = {poller, POLLIN, 0};

        poll(&wait, 1, 1000);
        MHD_run(daemon);
    }
}

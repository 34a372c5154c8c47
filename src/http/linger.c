/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/http/internal.h"

/* Turns of reading in one callback: a fast sender must not hold the loop. */
#define READS_AT_ONCE 4

struct lingerer {
    struct bondy_list link;
    struct bondy_http_server *server;
    uv_poll_t poll;
    struct bondy_timer timer;
    int fd; /* our own, a duplicate */
};

static void closed(uv_handle_t *handle)
{
    bondy_free(handle->data);
}

static void stop(struct lingerer *lingerer)
{
    bondy_list_remove(&lingerer->link);
    lingerer->server->linger_count--;
    bondy_timer_stop(bondy_loop_wheel(lingerer->server->loop), &lingerer->timer);
    /* Closing the handle looks at the descriptor once more: it may be another thread's by then. */
    uv_close((uv_handle_t *)&lingerer->poll, closed);
    close(lingerer->fd);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    static _Thread_local char waste[16 << 10];
    struct lingerer *lingerer = poll->data;
    ssize_t len = -1;

    (void)events;
    for (unsigned i = 0; i < READS_AT_ONCE; i++) {
        len = recv(lingerer->fd, waste, sizeof waste, MSG_DONTWAIT);
        if (len <= 0)
            break;
    }
    if (status < 0 || len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
        stop(lingerer);
}

static void too_long(struct bondy_timer *timer)
{
    stop(BONDY_CONTAINER(timer, struct lingerer, timer));
}

void bondy_linger_start(struct bondy_http_connection *connection)
{
    struct bondy_http_server *server = connection->server;
    struct lingerer *lingerer;
    int fd;

    if (server->is_stopping || server->linger_count >= BONDY_LINGER_MAX)
        return;
    fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return;
    lingerer = bondy_zalloc(sizeof *lingerer);
    lingerer->server = server;
    lingerer->fd = fd;
    if (uv_poll_init(bondy_loop_uv(server->loop), &lingerer->poll, fd) < 0) {
        close(fd);
        bondy_free(lingerer);
        return;
    }
    lingerer->poll.data = lingerer;
    bondy_timer_init(&lingerer->timer, too_long);
    bondy_list_append(&server->lingerers, &lingerer->link);
    server->linger_count++;
    uv_poll_start(&lingerer->poll, UV_READABLE, readable);
    bondy_timer_start(bondy_loop_wheel(server->loop), &lingerer->timer, BONDY_LINGER_MS);
}

void bondy_linger_stop_all(struct bondy_http_server *server)
{
    while (!bondy_list_is_empty(&server->lingerers))
        stop(BONDY_LIST_ENTRY(server->lingerers.next, struct lingerer, link));
}

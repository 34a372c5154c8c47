/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/front_door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/transport/door.h"
#include "src/transport/sources.h"

/* Accepted in one turn from one listening socket: a flood must not starve the connections there are
 * (threat-model R1). */
#define ACCEPT_BUDGET 64
/* Connections over a limit that are told so in their own protocol; the rest is only closed. */
#define REFUSALS_AT_ONCE 64
/* Without descriptors: how long a listening socket is left alone. */
#define ACCEPT_PAUSE_MS 100
/* One publication that reaches more connections than this is written out at once. */
#define DIRTY_MAX 256

/* One listening socket of this thread. */
struct entrance {
    struct bondy_list link;
    struct bondy_door *door;
    struct bondy_door_listener *listener;
    uv_poll_t poll;
    struct bondy_timer pause;
    int fd;
    bool is_unix;
};

/* ---- handles --------------------------------------------------------------------------------- */

void bondy_door_poll_open(struct bondy_door *door, uv_poll_t *poll, int fd, void *owner)
{
    /* It fails only for descriptors that epoll cannot watch or that are watched already. */
    BONDY_BUG_ON(uv_poll_init(bondy_loop_uv(door->loop), poll, fd) != 0);
    poll->data = owner;
    door->handle_count++;
}

void bondy_door_poll_close(struct bondy_door *door, uv_poll_t *poll, uv_close_cb on_closed)
{
    (void)door;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, on_closed);
}

/* ---- flush ----------------------------------------------------------------------------------- */

static void flush_dirty(struct bondy_door *door)
{
    while (!bondy_list_is_empty(&door->dirty)) {
        struct bondy_door_sender *sender =
            BONDY_LIST_ENTRY(door->dirty.next, struct bondy_door_sender, link);

        bondy_list_remove(&sender->link);
        sender->flush(sender);
    }
    door->dirty_count = 0;
}

void bondy_door_dirty(struct bondy_door *door, struct bondy_door_sender *sender)
{
    if (!bondy_list_is_empty(&sender->link))
        return;
    bondy_list_append(&door->dirty, &sender->link);
    if (++door->dirty_count > DIRTY_MAX)
        flush_dirty(door);
}

void bondy_door_failed(struct bondy_door *door, struct bondy_door_sender *sender)
{
    bondy_list_remove(&sender->link);
    bondy_list_append(&door->failed, &sender->link);
    bondy_loop_again(door->loop);
}

void bondy_door_forget(struct bondy_door *door, struct bondy_door_sender *sender)
{
    (void)door;
    bondy_list_remove(&sender->link);
}

/* True when messages came or sessions ended: the router may have something for other threads. */
static bool on_flush(struct bondy_flush *flush)
{
    struct bondy_door *door = BONDY_CONTAINER(flush, struct bondy_door, flush);
    bool has_news = bondy_websocket_read_more(door);

    flush_dirty(door);
    while (!bondy_list_is_empty(&door->failed)) {
        struct bondy_door_sender *sender =
            BONDY_LIST_ENTRY(door->failed.next, struct bondy_door_sender, link);

        bondy_list_remove(&sender->link);
        sender->fail(sender);
        has_news = true;
    }
    return has_news;
}

/* ---- limits ---------------------------------------------------------------------------------- */

void bondy_door_ticket_return(struct bondy_door_ticket *ticket)
{
    if (ticket->listener == NULL)
        return;
    atomic_fetch_sub_explicit(&ticket->listener->connections, 1, memory_order_relaxed);
    if (ticket->has_host)
        bondy_sources_leave(ticket->listener, ticket->host);
    ticket->listener = NULL;
}

static bool host_of(const struct bondy_address *peer, uint8_t host[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (peer->any.sa_family == AF_INET) {
        memcpy(host, mapped, sizeof mapped);
        memcpy(host + 12, &((const struct sockaddr_in *)&peer->storage)->sin_addr, 4);
        return true;
    }
    if (peer->any.sa_family == AF_INET6) {
        memcpy(host, &((const struct sockaddr_in6 *)&peer->storage)->sin6_addr, 16);
        return true;
    }
    return false;
}

/* Counts the connection. False: a limit is reached; the ticket then counts nothing. */
static bool take_ticket(struct bondy_door *door, struct bondy_door_listener *listener,
                        const struct bondy_address *peer, struct bondy_door_ticket *ticket)
{
    *ticket = (struct bondy_door_ticket){.listener = NULL};
    if (atomic_fetch_add_explicit(&listener->connections, 1, memory_order_relaxed) >=
        listener->max_connections) {
        atomic_fetch_sub_explicit(&listener->connections, 1, memory_order_relaxed);
        bondy_metric_add(door->traffic.refused[BONDY_REFUSAL_LISTENER], 1);
        return false;
    }
    if (listener->max_connections_per_ip > 0 && host_of(peer, ticket->host)) {
        if (!bondy_sources_enter(listener, ticket->host, listener->max_connections_per_ip)) {
            atomic_fetch_sub_explicit(&listener->connections, 1, memory_order_relaxed);
            bondy_metric_add(door->traffic.refused[BONDY_REFUSAL_SOURCE], 1);
            return false;
        }
        ticket->has_host = true;
    }
    ticket->listener = listener;
    return true;
}

/* ---- accept ---------------------------------------------------------------------------------- */

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_pause_over(struct bondy_timer *timer)
{
    struct entrance *entrance = BONDY_CONTAINER(timer, struct entrance, pause);

    uv_poll_start(&entrance->poll, UV_READABLE, on_acceptable);
}

/* Nothing left to accept with: one connection is refused by means of the spare descriptor, so that
 * its client knows, and the socket rests, since it would stay readable (threat-model R2). */
static void shed(struct entrance *entrance)
{
    struct bondy_door *door = entrance->door;
    int fd;

    bondy_metric_add(door->traffic.refused[BONDY_REFUSAL_DESCRIPTORS], 1);
    if (door->spare_fd >= 0) {
        close(door->spare_fd);
        fd = accept4(entrance->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            close(fd);
    }
    door->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_poll_stop(&entrance->poll);
    bondy_timer_start(bondy_loop_wheel(door->loop), &entrance->pause, ACCEPT_PAUSE_MS);
}

static void set_socket_options(const struct bondy_door_listener *listener, int fd,
                               const struct bondy_address *peer)
{
    int on = 1;

    if (peer->any.sa_family == AF_UNIX)
        return;
    /* Failing is harmless: the connection is slower, or found dead later. */
    if (listener->nodelay)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (listener->keepalive)
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static void receive_guest(struct entrance *entrance, int fd, const struct bondy_address *peer)
{
    struct bondy_door *door = entrance->door;
    struct bondy_door_listener *listener = entrance->listener;
    struct bondy_door_ticket ticket;
    bool has_room = take_ticket(door, listener, peer, &ticket);

    if (!has_room && door->refusal_count >= REFUSALS_AT_ONCE) {
        close(fd);
        return;
    }
    set_socket_options(listener, fd, peer);
    bondy_greeting_start(door, listener, fd, peer, ticket,
                         has_room ? BONDY_DOOR_WELCOME : BONDY_DOOR_FULL);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    struct entrance *entrance = poll->data;

    (void)status;
    (void)events;
    for (unsigned i = 0; i < ACCEPT_BUDGET; i++) {
        struct bondy_address peer = {.len = sizeof peer.storage};
        int fd = accept4(entrance->fd, &peer.any, &peer.len, SOCK_CLOEXEC | SOCK_NONBLOCK);

        /* An unnamed Unix peer may come without any address. */
        if (entrance->is_unix)
            peer.any.sa_family = AF_UNIX;
        if (fd >= 0 && fd < entrance->door->max_fd) {
            receive_guest(entrance, fd, &peer);
            continue;
        }
        if (fd >= 0) {
            close(fd);
            errno = EMFILE;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            shed(entrance);
            return;
        }
        if (errno == EAGAIN)
            return;
        /* ECONNABORTED and the like: that one is gone, the next may be fine. */
    }
}

/* ---- listening sockets ----------------------------------------------------------------------- */

/* Guards the address of listeners while the first thread has the system choose a port. */
static pthread_mutex_t listen_lock = PTHREAD_MUTEX_INITIALIZER;

int bondy_door_listen(struct bondy_door *door, struct bondy_door_listener *listener,
                      struct bondy_error *err)
{
    const struct bondy_listen_options options = {.backlog = listener->backlog,
                                                 .reuseport = listener->reuseport,
                                                 .v6only = !listener->dual_stack,
                                                 .mode = listener->unix_mode};
    struct entrance *entrance;
    bool is_unix;
    int fd = -1;
    int rc = BONDY_OK;

    pthread_mutex_lock(&listen_lock);
    is_unix = listener->address.any.sa_family == AF_UNIX;
    if ((listener->reuseport && !is_unix) || bondy_loop_index(door->loop) == 0)
        rc = bondy_net_listen(&listener->address, &options, &fd, err);
    pthread_mutex_unlock(&listen_lock);
    if (rc == BONDY_OK && fd < 0)
        return BONDY_OK;
    if (rc < 0)
        return bondy_wrap(err, "listener %s", listener->name);
    entrance = bondy_zalloc(sizeof *entrance);
    entrance->door = door;
    entrance->listener = listener;
    entrance->fd = fd;
    entrance->is_unix = is_unix;
    bondy_list_append(&door->entrances, &entrance->link);
    bondy_timer_init(&entrance->pause, on_pause_over);
    bondy_door_poll_open(door, &entrance->poll, fd, entrance);
    uv_poll_start(&entrance->poll, UV_READABLE, on_acceptable);
    return BONDY_OK;
}

static void on_entrance_closed(uv_handle_t *handle)
{
    struct entrance *entrance = handle->data;

    entrance->door->handle_count--;
    close(entrance->fd);
    bondy_free(entrance);
}

void bondy_door_stop_listening(struct bondy_door *door)
{
    while (!bondy_list_is_empty(&door->entrances)) {
        struct entrance *entrance = BONDY_LIST_ENTRY(door->entrances.next, struct entrance, link);

        bondy_list_remove(&entrance->link);
        bondy_timer_stop(bondy_loop_wheel(door->loop), &entrance->pause);
        bondy_door_poll_close(door, &entrance->poll, on_entrance_closed);
    }
}

size_t bondy_door_session_count(const struct bondy_door *door)
{
    return door->session_count;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int highest_fd(unsigned reserved)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur > INT32_MAX)
        return INT32_MAX;
    return reserved < limit.rlim_cur ? (int)(limit.rlim_cur - reserved) : 0;
}

int bondy_door_create(const struct bondy_door_options *options, struct bondy_door **out,
                      struct bondy_error *err)
{
    struct bondy_door *door = bondy_zalloc(sizeof *door);
    int rc;

    door->loop = options->loop;
    door->router = options->router;
    door->http = options->http;
    bondy_list_init(&door->entrances);
    bondy_list_init(&door->greetings);
    bondy_list_init(&door->rawsockets);
    bondy_list_init(&door->relays);
    bondy_list_init(&door->websockets);
    bondy_list_init(&door->dirty);
    bondy_list_init(&door->fed);
    bondy_list_init(&door->failed);
    bondy_outq_pool_init(&door->queues);
    bondy_traffic_init(&door->traffic, options->node_name);
    door->buffer = bondy_alloc(BONDY_DOOR_BUFFER);
    door->outgoing = (uint8_t *)bondy_alloc(LWS_PRE + BONDY_DOOR_BUFFER) + LWS_PRE;
    door->ahead = bondy_alloc(sizeof *door->ahead);
    door->max_fd = highest_fd(options->reserved_fds);
    door->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bondy_rawsocket_init(door);
    if ((rc = bondy_websocket_open(door, err)) < 0)
        goto out;
    door->flush = (struct bondy_flush){.rank = BONDY_FLUSH_TRANSPORT, .fn = on_flush};
    bondy_list_init(&door->flush.link);
    bondy_loop_add_flush(door->loop, &door->flush);
    *out = BONDY_MOVE(door);
out:
    bondy_door_destroy(door);
    return rc;
}

void bondy_door_destroy(struct bondy_door *door)
{
    if (door == NULL)
        return;
    door->is_closing = true;
    bondy_door_stop_listening(door);
    bondy_greeting_destroy_all(door);
    bondy_websocket_close(door);
    bondy_rawsocket_destroy_all(door);
    bondy_relay_destroy_all(door);
    while (door->handle_count > 0)
        bondy_loop_turn(door->loop, 0);
    if (door->flush.fn != NULL)
        bondy_loop_remove_flush(door->loop, &door->flush);
    bondy_websocket_fini(door);
    bondy_rawsocket_fini(door);
    bondy_outq_pool_fini(&door->queues);
    if (door->spare_fd >= 0)
        close(door->spare_fd);
    bondy_free(door->ahead);
    bondy_free(door->outgoing - LWS_PRE);
    bondy_free(door->buffer);
    bondy_free(door);
}

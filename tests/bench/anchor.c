/* SPDX-License-Identifier: Apache-2.0 */
/* anchor: the least that a router must do, as the bound that the router is measured against.
 *
 * One epoll thread. Frames are those of RawSocket: 4 octets of length, then at least 8: the number
 * of the connection it goes to (big endian) and of the one it comes from. The first frame of a
 * connection is answered with its number. To oneself that is an echo, to another connection a
 * relay; to FAN it goes to all connections but the sender's. Reads what there is, copies whole
 * frames to the end of the receiver's queue, writes each queue once a turn: batched by destination,
 * so it is a true bound.
 *
 *   anchor PORT      listens on 127.0.0.1, prints "ready" */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAN UINT32_MAX
#define READ_BYTES (256 * 1024)
#define MAX_CONNECTIONS 65536

struct connection {
    int fd;
    uint32_t number;
    bool has_number, is_dirty, wants_out;
    char *in, *out;
    size_t in_len, in_cap, out_len, out_cap;
};

static struct connection *connections[MAX_CONNECTIONS];
static uint32_t connection_count;
static uint32_t dirty[MAX_CONNECTIONS], dirty_count;
static int poller;

static void *grow(char **data, size_t *cap, size_t need)
{
    if (need > *cap) {
        *cap = need * 2;
        *data = realloc(*data, *cap);
        if (*data == NULL)
            abort();
    }
    return *data;
}

static void queue(struct connection *to, const char *bytes, size_t len)
{
    grow(&to->out, &to->out_cap, to->out_len + len);
    memcpy(to->out + to->out_len, bytes, len);
    to->out_len += len;
    if (!to->is_dirty) {
        to->is_dirty = true;
        dirty[dirty_count++] = to->number;
    }
}

static void watch(struct connection *c, bool out)
{
    struct epoll_event event = {EPOLLIN | (out ? EPOLLOUT : 0u), {.ptr = c}};

    if (c->wants_out == out)
        return;
    c->wants_out = out;
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static void flush(struct connection *c)
{
    ssize_t sent = c->fd < 0 ? 0 : send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

    if (sent < 0)
        sent = 0;
    c->out_len -= (size_t)sent;
    if (c->out_len > 0)
        memmove(c->out, c->out + sent, c->out_len);
    if (c->fd >= 0)
        watch(c, c->out_len > 0);
}

static void route(struct connection *from, const char *frame, size_t len)
{
    uint32_t to;

    if (!from->has_number) {
        char reply[12] = {0, 0, 0, 8};
        uint32_t number = htonl(from->number);

        memcpy(reply + 4, &number, 4);
        memcpy(reply + 8, &number, 4);
        from->has_number = true;
        queue(from, reply, sizeof reply);
        return;
    }
    memcpy(&to, frame + 4, 4);
    to = ntohl(to);
    if (to == FAN) {
        for (uint32_t i = 0; i < connection_count; i++)
            if (connections[i] != from && connections[i]->fd >= 0)
                queue(connections[i], frame, len);
        return;
    }
    if (to < connection_count && connections[to]->fd >= 0)
        queue(connections[to], frame, len);
}

static size_t frame_len(const char *at, size_t left)
{
    uint32_t len;

    if (left < 4)
        return 0;
    memcpy(&len, at, 4);
    len = ntohl(len) + 4;
    return left < len ? 0 : len;
}

static void drop(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    c->out_len = 0;
}

static void receive(struct connection *c)
{
    static char buffer[READ_BYTES];
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    const char *at = buffer;
    size_t left, len;

    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            drop(c);
        return;
    }
    left = (size_t)got;
    if (c->in_len > 0) {
        grow(&c->in, &c->in_cap, c->in_len + left);
        memcpy(c->in + c->in_len, buffer, left);
        at = c->in;
        left = c->in_len += left;
    }
    while ((len = frame_len(at, left)) > 0) {
        route(c, at, len);
        at += len;
        left -= len;
    }
    grow(&c->in, &c->in_cap, left);
    memmove(c->in, at, left);
    c->in_len = left;
}

static void welcome(int listener)
{
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    int one = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct connection *c;

    if (fd < 0 || connection_count == MAX_CONNECTIONS)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    c->fd = fd;
    c->number = connection_count;
    connections[connection_count++] = c;
    event.data.ptr = c;
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static int start(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    struct rlimit limit;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0) {
        perror("anchor");
        exit(1);
    }
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[256];
    int listener = start((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));

    puts("ready");
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poller, events, 256, -1);

        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;

            if (c == NULL) {
                welcome(listener);
                continue;
            }
            if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                receive(c);
            if (c->fd >= 0 && (events[i].events & EPOLLOUT))
                flush(c);
        }
        for (uint32_t i = 0; i < dirty_count; i++) {
            connections[dirty[i]]->is_dirty = false;
            flush(connections[dirty[i]]);
        }
        dirty_count = 0;
    }
}

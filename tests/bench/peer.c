/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (1024 * 1024)
#define DIRTY_MAX 200000

static int poller = -1;
static peer_message_fn deliver;
static peer_closed_fn closed;
static struct peer *dirty[DIRTY_MAX];
static unsigned dirty_count;
static unsigned next_source;

void peers_start(peer_message_fn on_message, peer_closed_fn on_closed)
{
    deliver = on_message;
    closed = on_closed;
    poller = epoll_create1(0);
}

static void die(const char *what)
{
    fprintf(stderr, "wampload: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void room(uint8_t **data, size_t *cap, size_t need)
{
    if (need <= *cap)
        return;
    *cap = need * 2;
    *data = realloc(*data, *cap);
    if (*data == NULL)
        abort();
}

static void send_bytes(struct peer *peer, const void *bytes, size_t len)
{
    room(&peer->out, &peer->out_cap, peer->out_len + len);
    memcpy(peer->out + peer->out_len, bytes, len);
    peer->out_len += len;
    if (!peer->is_dirty && dirty_count < DIRTY_MAX) {
        peer->is_dirty = true;
        dirty[dirty_count++] = peer;
    }
}

void peer_send(struct peer *peer, const struct frame *frame)
{
    send_bytes(peer, frame->bytes, frame->len);
}

static void shake_hands(struct peer *peer, const struct target *target)
{
    static const char *const names[] = {"", "json", "msgpack", "cbor"};
    char text[512];
    uint8_t octets[4] = {0x7f, (uint8_t)(0xf0 | peer->serializer), 0, 0};
    struct frame hello;

    switch (peer->transport) {
    case TRANSPORT_RS:
        send_bytes(peer, octets, sizeof octets);
        break;
    case TRANSPORT_WS:
        snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Protocol: wamp.2.%s\r\n\r\n",
                 target->path, target->host, target->port, names[peer->serializer]);
        send_bytes(peer, text, strlen(text));
        break;
    case TRANSPORT_RAW:
        hello = wire_raw(RAW_HEAD, 0, 0);
        peer_send(peer, &hello);
        wire_free(&hello);
        break;
    case TRANSPORT_HTTP:
        break;
    }
}

struct peer *peer_open(const struct target *target, enum transport transport,
                       enum serializer serializer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target->port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    struct peer *peer = calloc(1, sizeof *peer);
    int one = 1;

    if (peer == NULL)
        abort();
    peer->transport = transport;
    peer->serializer = serializer;
    inet_pton(AF_INET, target->host, &to.sin_addr);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + next_source++ % target->sources);
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (peer->fd < 0)
        die("socket");
    setsockopt(peer->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(peer->fd, (struct sockaddr *)&from, sizeof from) < 0)
        die("bind");
    if (connect(peer->fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    event.data.ptr = peer;
    epoll_ctl(poller, EPOLL_CTL_ADD, peer->fd, &event);
    shake_hands(peer, target);
    return peer;
}

void peer_close(struct peer *peer)
{
    struct linger now = {1, 0};

    if (peer->fd < 0)
        return;
    /* No TIME_WAIT: ports are few. */
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(peer->fd);
    peer->fd = -1;
    free(peer->in);
    free(peer->out);
    peer->in = peer->out = NULL;
    peer->in_len = peer->out_len = peer->in_cap = peer->out_cap = 0;
}

static void watch(struct peer *peer)
{
    struct epoll_event event = {0, {.ptr = peer}};

    event.events = (peer->is_deaf ? 0u : EPOLLIN) | (peer->wants_out ? EPOLLOUT : 0u);
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
}

void peer_deafen(struct peer *peer)
{
    peer->is_deaf = true;
    watch(peer);
}

static void flush(struct peer *peer)
{
    ssize_t sent;
    bool wants;

    if (peer->fd < 0)
        return;
    sent = send(peer->fd, peer->out, peer->out_len, MSG_NOSIGNAL);
    if (sent < 0)
        sent = 0;
    peer->out_len -= (size_t)sent;
    if (peer->out_len > 0)
        memmove(peer->out, peer->out + sent, peer->out_len);
    wants = peer->out_len > 0;
    if (wants != peer->wants_out) {
        peer->wants_out = wants;
        watch(peer);
    }
}

static void got_message(struct peer *peer, const uint8_t *bytes, size_t len)
{
    unsigned type;
    uint64_t id, id2;

    if (!wire_scan(peer->serializer, bytes, len, &type, &id, &id2)) {
        fprintf(stderr, "wampload: a message that is none\n");
        exit(1);
    }
    deliver(peer, type, id, id2, bytes, len);
}

/* Each take_* returns how many octets it used, 0 when it needs more. */
static size_t take_rawsocket(struct peer *peer, const uint8_t *at, size_t left)
{
    uint32_t head, len;

    if (left < 4)
        return 0;
    if (!peer->is_upgraded) {
        if (at[0] != 0x7f || (at[1] & 0x0f) == 0)
            die("RawSocket handshake refused");
        peer->is_upgraded = true;
        deliver(peer, 0, 0, 0, NULL, 0);
        return 4;
    }
    memcpy(&head, at, 4);
    head = ntohl(head);
    len = head & 0x00ffffff;
    if (left < 4 + (size_t)len)
        return 0;
    if (head >> 24 == 0)
        got_message(peer, at + 4, len);
    return 4 + (size_t)len;
}

static size_t take_raw(struct peer *peer, const uint8_t *at, size_t left)
{
    uint32_t head[4] = {0, 0, 0, 0};
    size_t len;

    if (left < 12)
        return 0;
    memcpy(head, at, left < RAW_HEAD ? 12 : RAW_HEAD);
    len = 4 + (size_t)ntohl(head[0]);
    if (left < len)
        return 0;
    if (!peer->is_upgraded) {
        peer->is_upgraded = true;
        peer->number = ntohl(head[1]);
        deliver(peer, 0, 0, 0, NULL, 0);
    } else {
        deliver(peer, 1, ntohl(head[3]), ntohl(head[2]), at, len);
    }
    return len;
}

static size_t take_upgrade(struct peer *peer, const uint8_t *at, size_t left)
{
    const uint8_t *end = memmem(at, left, "\r\n\r\n", 4);

    if (end == NULL)
        return 0;
    if (left < 12 || memcmp(at + 9, "101", 3) != 0) {
        fprintf(stderr, "wampload: upgrade refused: %.40s\n", (const char *)at);
        exit(1);
    }
    peer->is_upgraded = true;
    deliver(peer, 0, 0, 0, NULL, 0);
    return (size_t)(end - at) + 4;
}

static size_t take_websocket(struct peer *peer, const uint8_t *at, size_t left)
{
    size_t head = 2, len;

    if (!peer->is_upgraded)
        return take_upgrade(peer, at, left);
    if (left < 2)
        return 0;
    len = at[1] & 0x7f;
    if (len >= 126) {
        size_t wide = len == 126 ? 2 : 8;

        if (left < 2 + wide)
            return 0;
        len = 0;
        for (size_t i = 0; i < wide; i++)
            len = len << 8 | at[2 + i];
        head += wide;
    }
    if (left < head + len)
        return 0;
    if ((at[0] & 0x0f) <= 2)
        got_message(peer, at + head, len);
    return head + len;
}

static size_t take_http(struct peer *peer, const uint8_t *at, size_t left)
{
    const uint8_t *end = memmem(at, left, "\r\n\r\n", 4);
    const char *length;
    size_t body = 0, head;
    char text[4096];

    if (end == NULL)
        return 0;
    head = (size_t)(end - at) + 4;
    if (head >= sizeof text)
        die("HTTP head too long");
    memcpy(text, at, head);
    text[head] = '\0';
    length = strcasestr(text, "content-length:");
    if (length != NULL)
        body = strtoul(length + 15, NULL, 10);
    if (left < head + body)
        return 0;
    deliver(peer, (unsigned)strtoul(text + 9, NULL, 10), 0, 0, at + head, body);
    return head + body;
}

static size_t take(struct peer *peer, const uint8_t *at, size_t left)
{
    static size_t (*const takers[])(struct peer *, const uint8_t *, size_t) = {
        [TRANSPORT_RS] = take_rawsocket,
        [TRANSPORT_WS] = take_websocket,
        [TRANSPORT_RAW] = take_raw,
        [TRANSPORT_HTTP] = take_http,
    };

    return takers[peer->transport](peer, at, left);
}

static void receive(struct peer *peer)
{
    static uint8_t buffer[READ_BYTES];
    ssize_t got = recv(peer->fd, buffer, sizeof buffer, 0);
    const uint8_t *at = buffer;
    size_t left, used;

    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        peer_close(peer);
        closed(peer);
        return;
    }
    left = (size_t)got;
    if (peer->in_len > 0) {
        room(&peer->in, &peer->in_cap, peer->in_len + left);
        memcpy(peer->in + peer->in_len, buffer, left);
        at = peer->in;
        left = peer->in_len += left;
    }
    while (left > 0 && (used = take(peer, at, left)) > 0) {
        if (peer->fd < 0)
            return;
        at += used;
        left -= used;
    }
    if (left > 0) {
        room(&peer->in, &peer->in_cap, left);
        memmove(peer->in, at, left);
    }
    peer->in_len = left;
}

void peers_turn(int wait_ms)
{
    struct epoll_event events[512];
    int count;

    for (unsigned i = 0; i < dirty_count; i++) {
        dirty[i]->is_dirty = false;
        flush(dirty[i]);
    }
    dirty_count = 0;
    count = epoll_wait(poller, events, 512, wait_ms);
    for (int i = 0; i < count; i++) {
        struct peer *peer = events[i].data.ptr;

        if (peer->fd >= 0 && (events[i].events & EPOLLOUT))
            flush(peer);
        if (peer->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) &&
            !(peer->is_deaf && !(events[i].events & (EPOLLHUP | EPOLLERR))))
            receive(peer);
    }
    for (unsigned i = 0; i < dirty_count; i++) {
        dirty[i]->is_dirty = false;
        flush(dirty[i]);
    }
    dirty_count = 0;
}

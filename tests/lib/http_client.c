/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "tests/lib/test.h"

#define PATIENCE_MS 10000u

static void adopt(struct http_client *client, struct bondy_http_server *server,
                  struct bondy_loop *loop, const struct bondy_http_listener *listener,
                  const int fds[2])
{
    struct bondy_http_peer peer = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&peer.address.storage;

    in->sin_family = AF_INET;
    in->sin_port = htons(40000);
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.address.len = sizeof *in;
    *client = (struct http_client){.loop = loop, .fd = fds[0]};
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(bondy_http_server_adopt(server, fds[1], listener, &peer, NULL), BONDY_OK);
}

void http_client_open(struct http_client *client, struct bondy_http_server *server,
                      struct bondy_loop *loop, const struct bondy_http_listener *listener)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    adopt(client, server, loop, listener, fds);
}

void http_client_open_tcp(struct http_client *client, struct bondy_http_server *server,
                          struct bondy_loop *loop, const struct bondy_http_listener *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    int fds[2];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &len), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&address, len), 0);
    fds[1] = accept(listening, NULL, NULL);
    assert_true(fds[1] >= 0);
    close(listening);
    adopt(client, server, loop, listener, fds);
}

void http_client_close(struct http_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    bondy_buf_fini(&client->in);
}

bool http_client_send(struct http_client *client, const void *bytes, size_t len)
{
    const char *at = bytes;
    uint64_t deadline_ms = bondy_clock_mono_ms() + PATIENCE_MS;

    while (len > 0) {
        ssize_t sent = send(client->fd, at, len, MSG_NOSIGNAL);

        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        } else if (errno != EAGAIN || bondy_clock_mono_ms() > deadline_ms) {
            return false;
        }
        bondy_loop_turn(client->loop, len > 0 ? 1 : 0);
    }
    return true;
}

bool http_client_say(struct http_client *client, const char *text)
{
    return http_client_send(client, text, strlen(text));
}

void http_client_poll(struct http_client *client)
{
    while (!client->at_end) {
        char *room = bondy_buf_reserve(&client->in, 65536);
        ssize_t len = recv(client->fd, room, 65536, 0);

        if (len > 0)
            client->in.len += (size_t)len;
        else if (len == 0 || errno != EAGAIN)
            client->at_end = true;
        else
            return;
    }
}

bool http_client_wait_end(struct http_client *client)
{
    uint64_t deadline_ms = bondy_clock_mono_ms() + PATIENCE_MS;

    for (http_client_poll(client); !client->at_end; http_client_poll(client)) {
        if (bondy_clock_mono_ms() > deadline_ms)
            return false;
        bondy_loop_turn(client->loop, 5);
    }
    return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

static const char *find_header(const char *head, const char *name, size_t *len)
{
    size_t name_len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *value = line + name_len + 1;

            while (*value == ' ')
                value++;
            *len = strcspn(value, "\r\n");
            return value;
        }
    }
    return NULL;
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    static char copies[8][4096];
    static unsigned turn;
    size_t len;
    const char *value = find_header(reply->head.data, name, &len);
    char *copy = copies[turn++ % 8];

    if (value == NULL)
        return NULL;
    assert_true(len < sizeof copies[0]);
    memcpy(copy, value, len);
    copy[len] = '\0';
    return copy;
}

unsigned http_reply_header_count(const struct http_reply *reply, const char *name)
{
    const char *at = reply->head.data;
    unsigned count = 0;
    size_t len;

    while ((at = find_header(at, name, &len)) != NULL)
        count++;
    return count;
}

void http_reply_fini(struct http_reply *reply)
{
    bondy_buf_fini(&reply->head);
    bondy_buf_fini(&reply->body);
}

/* 1: whole; 0: more is needed. */
static int take_chunks(struct bondy_buf *in, size_t at, struct bondy_buf *body)
{
    for (;;) {
        char *end;
        size_t len;

        if (at >= in->len || memchr(in->data + at, '\n', in->len - at) == NULL)
            return 0;
        len = strtoul(in->data + at, &end, 16);
        at = (size_t)(end - in->data) + 2;
        if (at + len + 2 > in->len)
            return 0;
        bondy_buf_append(body, in->data + at, len);
        at += len + 2;
        if (len == 0) {
            bondy_buf_consume(in, at);
            return 1;
        }
    }
}

static int try_read(struct http_client *client, bool to_head, struct http_reply *reply)
{
    struct bondy_buf *in = &client->in;
    const char *end = in->len == 0 ? NULL : memmem(in->data, in->len, "\r\n\r\n", 4);
    size_t head_len, body_len = 0, len;
    const char *value;

    if (end == NULL)
        return 0;
    head_len = (size_t)(end - in->data) + 4;
    bondy_buf_clear(&reply->head, SIZE_MAX);
    bondy_buf_clear(&reply->body, SIZE_MAX);
    bondy_buf_append(&reply->head, in->data, head_len);
    bondy_buf_append_byte(&reply->head, 0);
    assert_true(strncmp(reply->head.data, "HTTP/1.", 7) == 0);
    reply->status = (unsigned)strtoul(reply->head.data + 9, NULL, 10);
    value = find_header(reply->head.data, "content-length", &len);
    if (value != NULL && !to_head && reply->status != 304)
        body_len = strtoul(value, NULL, 10);
    if (value == NULL && find_header(reply->head.data, "transfer-encoding", &len) != NULL) {
        if (take_chunks(in, head_len, &reply->body) == 0)
            return 0;
    } else {
        if (in->len < head_len + body_len)
            return 0;
        bondy_buf_append(&reply->body, in->data + head_len, body_len);
        bondy_buf_consume(in, head_len + body_len);
    }
    bondy_buf_append_byte(&reply->body, 0);
    reply->body.len--;
    return 1;
}

bool http_client_read(struct http_client *client, bool to_head, struct http_reply *reply)
{
    uint64_t deadline_ms = bondy_clock_mono_ms() + PATIENCE_MS;

    for (;;) {
        http_client_poll(client);
        if (try_read(client, to_head, reply) == 1)
            return true;
        if (client->at_end || bondy_clock_mono_ms() > deadline_ms)
            return false;
        bondy_loop_turn(client->loop, 5);
    }
}

unsigned http_client_ask(struct http_client *client, const char *text, struct http_reply *reply)
{
    if (!http_client_say(client, text) ||
        !http_client_read(client, strncmp(text, "HEAD ", 5) == 0, reply))
        fail_msg("no answer to: %.60s", text);
    return reply->status;
}

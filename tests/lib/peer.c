/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

#define TURNS_MAX 10000
#define TURN_MS 1

void bondy_test_turn(struct bondy_loop *loop, unsigned *turns, const char *what, const char *file,
                     int line)
{
    if (++*turns > TURNS_MAX) {
        print_error("waited in vain for %s\n", what);
        _fail(file, line);
    }
    bondy_loop_turn(loop, TURN_MS);
}

void bondy_peer_connect(struct bondy_peer *peer, struct bondy_loop *loop,
                        const struct bondy_address *address)
{
    int rc;

    *peer = (struct bondy_peer){.loop = loop};
    peer->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(peer->fd >= 0);
    rc = connect(peer->fd, &address->any, address->len);
    assert_true(rc == 0 || errno == EINPROGRESS);
}

bool bondy_peer_start_tls(struct bondy_peer *peer, gnutls_certificate_credentials_t credentials)
{
    return bondy_peer_start_tls_with(peer, &(struct bondy_peer_tls){.credentials = credentials});
}

bool bondy_peer_start_tls_with(struct bondy_peer *peer, const struct bondy_peer_tls *options)
{
    unsigned turns = 0;
    int rc;

    assert_int_equal(gnutls_init(&peer->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL),
                     0);
    if (options->priority == NULL)
        gnutls_set_default_priority(peer->tls);
    else
        assert_int_equal(gnutls_priority_set_direct(peer->tls, options->priority, NULL), 0);
    if (options->resume != NULL)
        assert_int_equal(
            gnutls_session_set_data(peer->tls, options->resume->data, options->resume->size), 0);
    gnutls_credentials_set(peer->tls, GNUTLS_CRD_CERTIFICATE, options->credentials);
    gnutls_transport_set_int(peer->tls, peer->fd);
    gnutls_handshake_set_timeout(peer->tls, 0);
    while ((rc = gnutls_handshake(peer->tls)) == GNUTLS_E_AGAIN)
        bondy_test_turn(peer->loop, &turns, "TLS handshake", __FILE__, __LINE__);
    return rc == 0;
}

void bondy_peer_close(struct bondy_peer *peer)
{
    if (peer->tls != NULL)
        gnutls_deinit(peer->tls);
    peer->tls = NULL;
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    bondy_buf_fini(&peer->in);
    peer->in = (struct bondy_buf)BONDY_BUF_EMPTY;
}

static ssize_t write_some(struct bondy_peer *peer, const char *bytes, size_t len)
{
    ssize_t sent;

    if (peer->tls == NULL)
        return send(peer->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    sent = gnutls_record_send(peer->tls, bytes, len);
    if (sent == GNUTLS_E_AGAIN)
        errno = EAGAIN;
    return sent < 0 ? -1 : sent;
}

void bondy_peer_write(struct bondy_peer *peer, const void *bytes, size_t len)
{
    const char *at = bytes;
    unsigned turns = 0;

    while (len > 0) {
        ssize_t sent = write_some(peer, at, len);

        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            peer->was_reset = true;
            return;
        }
        if (sent < 0) {
            bondy_test_turn(peer->loop, &turns, "room to write", __FILE__, __LINE__);
            continue;
        }
        turns = 0;
        at += sent;
        len -= (size_t)sent;
    }
}

void bondy_peer_say(struct bondy_peer *peer, const char *text)
{
    bondy_peer_write(peer, text, strlen(text));
}

void bondy_peer_read(struct bondy_peer *peer)
{
    char *room = bondy_buf_reserve(&peer->in, 65536);
    ssize_t got;

    if (peer->tls != NULL) {
        got = gnutls_record_recv(peer->tls, room, 65536);
        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            return;
        if (got < 0)
            got = 0;
    } else {
        got = recv(peer->fd, room, 65536, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
    }
    if (got <= 0) {
        peer->at_end = true;
        peer->was_reset |= got < 0;
        return;
    }
    peer->in.len += (size_t)got;
}

bool bondy_peer_wait(struct bondy_peer *peer, size_t len)
{
    unsigned turns = 0;

    for (;;) {
        bondy_peer_read(peer);
        if (peer->in.len >= len)
            return true;
        if (peer->at_end)
            return false;
        bondy_test_turn(peer->loop, &turns, "octets from the server", __FILE__, __LINE__);
    }
}

void bondy_peer_wait_end(struct bondy_peer *peer)
{
    unsigned turns = 0;

    for (bondy_peer_read(peer); !peer->at_end; bondy_peer_read(peer))
        bondy_test_turn(peer->loop, &turns, "the end of the connection", __FILE__, __LINE__);
}

bool bondy_peer_has(const struct bondy_peer *peer, const char *text)
{
    return peer->in.len > 0 && memmem(peer->in.data, peer->in.len, text, strlen(text)) != NULL;
}

void bondy_peer_drop(struct bondy_peer *peer, size_t len)
{
    bondy_buf_consume(&peer->in, len);
}

/* ---- RawSocket ------------------------------------------------------------------------------- */

void bondy_peer_raw_open(struct bondy_peer *peer, unsigned serializer)
{
    const uint8_t octets[4] = {0x7f, (uint8_t)(0xf0 | serializer), 0, 0};

    bondy_peer_write(peer, octets, sizeof octets);
    assert_true(bondy_peer_wait(peer, 4));
    assert_int_equal((uint8_t)peer->in.data[0], 0x7f);
    assert_int_equal(peer->in.data[1] & 0x0f, serializer);
    bondy_peer_drop(peer, 4);
}

void bondy_peer_raw_send(struct bondy_peer *peer, unsigned type, const void *body, size_t len)
{
    const uint8_t head[4] = {(uint8_t)type, (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                             (uint8_t)len};

    bondy_peer_write(peer, head, sizeof head);
    bondy_peer_write(peer, body, len);
}

bool bondy_peer_raw_frame(struct bondy_peer *peer, unsigned *type, size_t *len)
{
    const uint8_t *head;

    if (!bondy_peer_wait(peer, 4))
        return false;
    head = (const uint8_t *)peer->in.data;
    *type = head[0];
    *len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if ((*type & 8) != 0 && *len == 0)
        *len = 1 << 24;
    return bondy_peer_wait(peer, 4 + *len);
}

/* ---- WebSocket ------------------------------------------------------------------------------- */

void bondy_peer_ws_ask(struct bondy_peer *peer, const char *path, const char *protocols)
{
    struct bondy_buf head = BONDY_BUF_EMPTY;

    bondy_buf_printf(&head,
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                     "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Protocol: %s\r\n\r\n",
                     path, protocols);
    bondy_peer_write(peer, head.data, head.len);
    bondy_buf_fini(&head);
}

void bondy_peer_ws_open(struct bondy_peer *peer, const char *path, const char *protocols)
{
    char *end = NULL;
    size_t len = 1;

    bondy_peer_ws_ask(peer, path, protocols);
    while (end == NULL) {
        assert_true(bondy_peer_wait(peer, len));
        end = memmem(peer->in.data, peer->in.len, "\r\n\r\n", 4);
        len = peer->in.len + 1;
    }
    assert_true(bondy_peer_has(peer, "HTTP/1.1 101 "));
    /* RFC 6455, 1.3: the accept value of the sample key. */
    assert_true(bondy_peer_has(peer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    bondy_peer_drop(peer, (size_t)(end + 4 - peer->in.data));
}

void bondy_peer_ws_send(struct bondy_peer *peer, unsigned first, const void *body, size_t len)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    struct bondy_buf frame = BONDY_BUF_EMPTY;
    const uint8_t *bytes = body;

    bondy_buf_append_byte(&frame, first);
    if (len < 126) {
        bondy_buf_append_byte(&frame, 0x80 | (unsigned)len);
    } else if (len <= UINT16_MAX) {
        bondy_buf_append_byte(&frame, 0x80 | 126);
        bondy_buf_append_byte(&frame, (unsigned)(len >> 8));
        bondy_buf_append_byte(&frame, (unsigned)(len & 0xff));
    } else {
        bondy_buf_append_byte(&frame, 0x80 | 127);
        for (unsigned i = 0; i < 8; i++)
            bondy_buf_append_byte(&frame, (unsigned)((uint64_t)len >> 8 * (7 - i) & 0xff));
    }
    bondy_buf_append(&frame, mask, sizeof mask);
    for (size_t i = 0; i < len; i++)
        bondy_buf_append_byte(&frame, bytes[i] ^ mask[i & 3]);
    bondy_peer_write(peer, frame.data, frame.len);
    bondy_buf_fini(&frame);
}

bool bondy_peer_ws_frame(struct bondy_peer *peer, unsigned *first, size_t *head, size_t *len)
{
    const uint8_t *bytes;
    size_t octets;

    if (!bondy_peer_wait(peer, 2))
        return false;
    bytes = (const uint8_t *)peer->in.data;
    *first = bytes[0];
    /* A server never masks. */
    assert_int_equal(bytes[1] & 0x80, 0);
    octets = bytes[1] < 126 ? 0 : bytes[1] == 126 ? 2 : 8;
    *head = 2 + octets;
    if (!bondy_peer_wait(peer, *head))
        return false;
    bytes = (const uint8_t *)peer->in.data;
    *len = octets == 0 ? bytes[1] : 0;
    for (size_t i = 0; i < octets; i++)
        *len = *len << 8 | bytes[2 + i];
    return bondy_peer_wait(peer, *head + *len);
}

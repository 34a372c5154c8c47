/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_PEER_H
#define BONDY_TESTS_LIB_PEER_H

/* peer: a client of the transports under test, on the same thread: it writes and reads sockets
 * without blocking and turns the loop until what it waits for is there. Knows just enough of
 * RawSocket and WebSocket framing to say right and wrong things. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "src/base/buf.h"
#include "src/sys/loop.h"
#include "src/sys/net.h"

struct bondy_peer {
    struct bondy_loop *loop;
    int fd;
    gnutls_session_t tls; /* NULL: plain */
    struct bondy_buf in;  /* received and not yet used */
    bool at_end;          /* the server ended its side */
    bool was_reset;
};

/* Turns the loop until `condition` holds; fails the test after about ten seconds. */
#define bondy_until(loop_, condition_)                                                             \
    do {                                                                                           \
        unsigned turns_ = 0;                                                                       \
        while (!(condition_))                                                                      \
            bondy_test_turn((loop_), &turns_, #condition_, __FILE__, __LINE__);                    \
    } while (0)
void bondy_test_turn(struct bondy_loop *loop, unsigned *turns, const char *what, const char *file,
                     int line);

void bondy_peer_connect(struct bondy_peer *peer, struct bondy_loop *loop,
                        const struct bondy_address *address);
/* After connecting: client side of a TLS handshake, any certificate will do. */
bool bondy_peer_start_tls(struct bondy_peer *peer, gnutls_certificate_credentials_t credentials);
struct bondy_peer_tls {
    gnutls_certificate_credentials_t credentials;
    const char *priority;         /* NULL: the default */
    const gnutls_datum_t *resume; /* what an earlier connection left; NULL: none */
};
bool bondy_peer_start_tls_with(struct bondy_peer *peer, const struct bondy_peer_tls *options);
void bondy_peer_close(struct bondy_peer *peer);
/* Writes all of it, turning the loop when the socket is full. */
void bondy_peer_write(struct bondy_peer *peer, const void *bytes, size_t len);
void bondy_peer_say(struct bondy_peer *peer, const char *text);
/* Reads what is there, one attempt. */
void bondy_peer_read(struct bondy_peer *peer);
/* Waits until `len` octets are in peer->in; false when the connection ended before. */
bool bondy_peer_wait(struct bondy_peer *peer, size_t len);
/* Waits for the end; what came before stays in peer->in. */
void bondy_peer_wait_end(struct bondy_peer *peer);
/* Whether the octets received so far contain `text`. */
bool bondy_peer_has(const struct bondy_peer *peer, const char *text);

/* RawSocket. */
void bondy_peer_raw_open(struct bondy_peer *peer, unsigned serializer);
void bondy_peer_raw_send(struct bondy_peer *peer, unsigned type, const void *body, size_t len);
/* Waits for a frame; its body is at peer->in.data + 4, `len` long, until bondy_peer_drop(). */
bool bondy_peer_raw_frame(struct bondy_peer *peer, unsigned *type, size_t *len);
void bondy_peer_drop(struct bondy_peer *peer, size_t len);

/* WebSocket. */
void bondy_peer_ws_ask(struct bondy_peer *peer, const char *path, const char *protocols);
/* Asks and waits for 101; the response head is dropped. */
void bondy_peer_ws_open(struct bondy_peer *peer, const char *path, const char *protocols);
/* `first` is the first octet of the frame (FIN, RSV, opcode). */
void bondy_peer_ws_send(struct bondy_peer *peer, unsigned first, const void *body, size_t len);
/* Waits for a frame: *first is its first octet; the body is at peer->in.data + *head. */
bool bondy_peer_ws_frame(struct bondy_peer *peer, unsigned *first, size_t *head, size_t *len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_BENCH_PEER_H
#define BONDY_TESTS_BENCH_PEER_H

/* peer: one connection of the load generator: its framing, what it has to send, what it received.
 */

#include "tests/bench/wire.h"

struct peer {
    int fd;
    enum transport transport;
    enum serializer serializer;
    unsigned role;    /* the mode's */
    unsigned index;   /* the mode's: number within its role */
    uint32_t number;  /* at the anchor */
    uint32_t next_id; /* WAMP request ids: 1, 2, 3 ... */
    unsigned in_flight;
    bool is_upgraded; /* WebSocket: the HTTP answer has been seen */
    bool is_dirty, wants_out, is_deaf;
    uint8_t *in, *out;
    size_t in_len, in_cap, out_len, out_cap;
    uint64_t *sent_ns;    /* by request id, modulo PEER_SENT */
    struct frame request; /* what it sends again and again */
};

#define PEER_SENT 4096

struct target {
    const char *host;
    uint16_t port;
    const char *path; /* of the WebSocket */
    unsigned sources; /* spread over 127.0.0.1 .. 127.0.0.N */
};

/* The one handler of everything received: a WAMP message (type and ids), a frame of the anchor
 * (type 0, id its id, id2 the sender) or an HTTP answer (type = status). */
typedef void (*peer_message_fn)(struct peer *peer, unsigned type, uint64_t id, uint64_t id2,
                                const uint8_t *bytes, size_t len);
typedef void (*peer_closed_fn)(struct peer *peer);

void peers_start(peer_message_fn on_message, peer_closed_fn on_closed);
/* Connects (blocking) and starts the transport's handshake; exits with a message when it cannot. */
struct peer *peer_open(const struct target *target, enum transport transport,
                       enum serializer serializer);
void peer_close(struct peer *peer);
void peer_send(struct peer *peer, const struct frame *frame);
/* Stops reading. */
void peer_deafen(struct peer *peer);
/* Waits up to `wait_ms`, reads what there is, then flushes every peer that has something to send.
 */
void peers_turn(int wait_ms);

#endif

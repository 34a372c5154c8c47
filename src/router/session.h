/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_SESSION_H
#define BONDY_ROUTER_SESSION_H

/* session: everything that talks to the router: a WebSocket, a RawSocket, a gateway request, a
 * bridge.
 *
 * A session lives on one router thread from open to close and is touched only there. The router
 * knows its peer through one function table. There are two kinds of peer:
 *
 *   - a transport (struct bondy_session_out): gets encoded bytes; gives received bytes to
 *     bondy_session_receive(). The whole WAMP conversation, HELLO included, is the session's.
 *   - a local one (struct bondy_session_local): code of this process on the same thread, already
 *     joined; gets decoded messages and uses the calls in local.h.
 *
 * WAMP, Basic Profile: Sessions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/ref.h"
#include "src/base/slice.h"
#include "src/security/login/login.h"
#include "src/wamp/codec.h"
#include "src/wamp/message.h"

struct bondy_router_thread;
struct bondy_session;

/* One encoded message with its frame head in front, shared by all receivers that have the same
 * framing and serializer. Immutable; counted, since receivers let go of it whenever they have
 * written it. One thread only. */
struct bondy_shared {
    unsigned refs;
    uint32_t len; /* of bytes: frame head and message */
    uint8_t bytes[];
};
void bondy_shared_unref(struct bondy_shared *shared);

enum bondy_send_kind {
    BONDY_SEND_REPLY, /* must not be lost: when the queue is full the transport closes */
    BONDY_SEND_EVENT  /* may be dropped (and counted) when the queue is full */
};

#define BONDY_FRAME_HEAD_MAX 14

/* A transport's side. All functions are called on the session's thread, possibly from inside
 * bondy_session_receive() and from flushes; none may call back into the session. */
struct bondy_session_out {
    /* Transports with the same number build the same frame heads: small, < BONDY_FRAMINGS. */
    unsigned framing;
    /* Writes the frame head for a message of `len` bytes, returns its length. */
    size_t (*frame_head)(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                         size_t len);
    /* Queues one message (parts follow each other; copied). The transport frames it. */
    void (*send)(void *transport, const struct bondy_encoded *message, enum bondy_send_kind kind);
    /* Queues a framed message by reference: takes one reference of its own when it keeps it. */
    void (*send_shared)(void *transport, struct bondy_shared *message, enum bondy_send_kind kind);
    /* The conversation is over (ABORT or GOODBYE were queued): write what is queued, then close.
     * The session is gone: its pointer must not be used any more. */
    void (*close)(void *transport);
    /* What binds a login to the TLS channel (RFC 5929, RFC 9266): its octets to `out`, which has
     * room for BONDY_CHANNEL_ID_MAX; how many, 0 when it is not to be had. NULL: never. */
    size_t (*channel_id)(void *transport, enum bondy_binding kind, uint8_t *out);
    /* The common name of the client's certificate, which this connection's handshake has checked,
     * to `out` with room for BONDY_CERTIFICATE_NAME_MAX; "": none. NULL: there never is one. */
    void (*certificate)(void *transport, char *out);
};

#define BONDY_FRAMINGS 4
enum { BONDY_FRAMING_RAWSOCKET = 0, BONDY_FRAMING_WEBSOCKET = 1, BONDY_FRAMING_MESSAGE = 2 };

/* What is known of a peer before it says HELLO. Texts are copied. */
struct bondy_session_peer {
    enum bondy_serializer serializer;
    const char *transport;       /* "ws", "wss", "tcp", "tls", "unix": static text */
    struct bondy_slice peername; /* "127.0.0.1:4711" */
    size_t max_message;          /* octets of a message that the peer takes; 0 = no limit */
    uint64_t auth_timeout_ms;
    /* The Cookie header of the request that opened the transport, when it may log its client in
     * (AUTH-COOKIE-1); empty: none. Kept until the login is through. */
    struct bondy_slice cookies;
};

/* Opens a session that waits for HELLO. `out` must outlive it; `transport` is handed to its
 * functions. The transport ends it with bondy_session_lost(), unless `close` was called before. */
struct bondy_session *bondy_session_open(struct bondy_router_thread *thread,
                                         const struct bondy_session_peer *peer,
                                         const struct bondy_session_out *out, void *transport);
/* One whole WAMP message; `bytes` are borrowed during the call. False: the session is over (close
 * was called, do not use the pointer again) and what follows must not be processed. */
bool bondy_session_receive(struct bondy_session *session, struct bondy_slice bytes);
/* What the peer may send now: 64 KiB before WELCOME, the configured limit after. For transports
 * that must refuse by length before they read. */
size_t bondy_session_receive_max(const struct bondy_session *session);
/* A message of the wrong kind for the serializer (WS-TYPE-1, -2): as bytes nobody can decode: ABORT
 * protocol_violation, close is called, the session is gone. */
void bondy_session_violate(struct bondy_session *session, const char *what);
/* The transport is gone: disposes of everything of the session; no function of `out` is called. */
void bondy_session_lost(struct bondy_session *session);
/* Router-initiated close (shutdown, kill, realm removed): GOODBYE with `reason`, waits for the
 * peer's answer or a timeout, then close is called. */
void bondy_session_goodbye(struct bondy_session *session, const char *reason, const char *message);

/* {session, authid, authrole, authmethod, authprovider, authextra, transport, ...}: the caller owns
 * it. Of a joined session. */
json_t *bondy_session_info(const struct bondy_session *session);
uint64_t bondy_session_id(const struct bondy_session *session); /* 0 before WELCOME */
struct bondy_slice bondy_session_realm(const struct bondy_session *session);
bool bondy_session_has_joined(const struct bondy_session *session);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_DOOR_H
#define BONDY_TRANSPORT_DOOR_H

/* door: what the files of this folder share about one thread's front door. Private to the folder;
 * everybody else includes front_door.h.
 *
 * Life of a connection: front_door.c accepts and counts it (ticket), greeting.c looks at its first
 * octets, then exactly one of rawsocket.c, websocket.c, relay.c or the HTTP server owns it and its
 * ticket. */

#include <libwebsockets.h>

#include "src/base/buf.h"
#include "src/base/slab.h"
#include "src/transport/front_door.h"
#include "src/transport/outq.h"
#include "src/transport/rate.h"
#include "src/transport/traffic.h"
#include "src/transport/wire.h"

#define BONDY_DOOR_BUFFER (64 * 1024)
/* A head that asks for an upgrade is read up to here. */
#define BONDY_DOOR_HEAD_MAX (16 * 1024)
/* What a RawSocket handshake begins with, and no HTTP request. */
#define BONDY_DOOR_RAWSOCKET_OCTET 0x7f

/* A connection's place in the counters of its listener and its source address. */
struct bondy_door_ticket {
    struct bondy_door_listener *listener;
    uint8_t host[16]; /* IPv4 as IPv4-mapped */
    bool has_host;
};

/* Why a connection is not read from; bits. */
enum bondy_door_pause {
    BONDY_DOOR_OWES_READING = 1, /* until the peer takes its answers */
    BONDY_DOOR_OVER_RATE = 2     /* until it has tokens again */
};

struct bondy_door {
    struct bondy_loop *loop;
    struct bondy_router_thread *router;
    struct bondy_http_server *http;
    const char *node_name;
    struct bondy_flush flush;
    struct bondy_list entrances; /* listening sockets: front_door.c */
    struct bondy_list greetings;
    struct bondy_list rawsockets;
    struct bondy_list websockets;
    struct bondy_list relays;
    struct bondy_list dirty;  /* of both kinds: they have something to send */
    struct bondy_list fed;    /* WebSockets that received in this turn */
    struct bondy_list failed; /* found broken where the session could not be told */
    unsigned dirty_count;
    size_t session_count;
    size_t handle_count; /* our libuv handles that are not yet closed */
    unsigned refusal_count;
    int spare_fd;
    int max_fd; /* stop accepting on descriptors at or above this one */
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct bondy_websocket *adopting;
    struct bondy_outq_pool queues;
    struct bondy_slab *rawsocket_slab;
    struct bondy_slab *websocket_slab;
    struct bondy_traffic traffic;
    uint8_t *buffer;   /* BONDY_DOOR_BUFFER octets: received */
    uint8_t *outgoing; /* the same, to send; LWS_PRE octets in front are there too */
    struct bondy_wire_ahead *ahead;
    bool is_closing;
};

/* A libuv poll handle that is counted, so that the door knows when its last one is gone. `owner` is
 * its handle.data; `on_closed` frees it. */
void bondy_door_poll_open(struct bondy_door *door, uv_poll_t *poll, int fd, void *owner);
void bondy_door_poll_close(struct bondy_door *door, uv_poll_t *poll, uv_close_cb on_closed);

/* A connection that waits for the flush. */
struct bondy_door_sender {
    struct bondy_list link; /* in dirty or failed, or in none */
    void (*flush)(struct bondy_door_sender *sender);
    /* Ends the connection and tells the session; called from the turn only. */
    void (*fail)(struct bondy_door_sender *sender);
};
void bondy_door_dirty(struct bondy_door *door, struct bondy_door_sender *sender);
void bondy_door_failed(struct bondy_door *door, struct bondy_door_sender *sender);
void bondy_door_forget(struct bondy_door *door, struct bondy_door_sender *sender);

void bondy_door_ticket_return(struct bondy_door_ticket *ticket);

/* ---- greeting.c ---- */
enum bondy_door_refusal { BONDY_DOOR_WELCOME, BONDY_DOOR_FULL };
/* Takes `fd` and the ticket. */
void bondy_greeting_start(struct bondy_door *door, struct bondy_door_listener *listener, int fd,
                          const struct bondy_address *peer, struct bondy_door_ticket ticket,
                          enum bondy_door_refusal refusal);
void bondy_greeting_destroy_all(struct bondy_door *door);

/* ---- relay.c ---- */
struct bondy_relay;
/* Takes `fd` and `wire`: decrypted octets go to the other end of a socket pair, which is returned
 * and is the caller's; `first` goes before all else. Negative: failed, both are closed. `out` (may
 * be NULL) gets the relay, which is there until the next turn at least. */
int bondy_relay_start(struct bondy_door *door, int fd, struct bondy_wire *wire,
                      struct bondy_slice first, struct bondy_relay **out);
/* *holder names the relay from now on, and is emptied when the relay ends: either may end first.
 * One holder for a relay; it lets go with detach. */
void bondy_relay_attach(struct bondy_relay *relay, struct bondy_relay **holder);
void bondy_relay_detach(struct bondy_relay **holder);
/* Of the TLS connection behind it. */
const struct bondy_wire *bondy_relay_wire(const struct bondy_relay *relay);
void bondy_relay_destroy_all(struct bondy_door *door);

/* ---- rawsocket.c ---- */
struct bondy_rawsocket_start {
    struct bondy_door_listener *listener;
    struct bondy_door_ticket ticket;
    const struct bondy_address *peer;
    int fd;                   /* taken */
    struct bondy_wire *wire;  /* TLS, taken; NULL: plain */
    struct bondy_slice early; /* octets that were read from the wire already */
    bool is_full;             /* answer the handshake with error 4 */
};
void bondy_rawsocket_init(struct bondy_door *door);
void bondy_rawsocket_fini(struct bondy_door *door);
void bondy_rawsocket_start(struct bondy_door *door, const struct bondy_rawsocket_start *start);
void bondy_rawsocket_destroy_all(struct bondy_door *door);

/* ---- websocket.c ---- */
struct bondy_upgrade;
struct bondy_websocket_start {
    struct bondy_door_listener *listener;
    struct bondy_door_ticket ticket;
    const struct bondy_address *peer;
    int fd; /* taken; the request head was read off it */
    const struct bondy_upgrade *upgrade;
    struct bondy_slice cookies; /* that may log the client in */
    struct bondy_relay *relay;  /* TLS; NULL: plain */
};
void bondy_websocket_start(struct bondy_door *door, const struct bondy_websocket_start *start);
/* In the turn, before the flush. True when something was received. */
bool bondy_websocket_read_more(struct bondy_door *door);
int bondy_websocket_open(struct bondy_door *door, struct bondy_error *err);
/* Steps 4 and 7 of architecture 9.6; the first turns the loop until its handles are closed. */
void bondy_websocket_close(struct bondy_door *door);
void bondy_websocket_fini(struct bondy_door *door);

#endif

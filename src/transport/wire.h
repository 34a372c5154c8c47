/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_WIRE_H
#define BONDY_TRANSPORT_WIRE_H

/* wire: one TLS connection: a GnuTLS session over a non-blocking socket, with read-ahead
 * (architecture 9.3): one recv fetches many records into the thread's buffer; what is left when the
 * reader stops early is kept by the connection. So after a readiness event a reader reads until
 * -EAGAIN, or comes back without an event. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/security/login/login.h"
#include "src/sys/tls.h"

#define BONDY_WIRE_RECORD (16 * 1024)
#define BONDY_WIRE_AHEAD (64 * 1024)

struct bondy_wire;

/* The thread's read-ahead; in use during one call only. */
struct bondy_wire_ahead {
    uint8_t bytes[BONDY_WIRE_AHEAD];
};

/* Does not take `fd`: it must outlive the wire. */
int bondy_wire_create(struct bondy_tls *tls, int fd, struct bondy_wire_ahead *ahead,
                      struct bondy_wire **out, struct bondy_error *err);
void bondy_wire_destroy(struct bondy_wire *wire);

/* 1: done, 0: wait for bondy_wire_events(), negative: failed. */
int bondy_wire_handshake(struct bondy_wire *wire);
/* What a handshake that is not done waits for: UV_READABLE or UV_WRITABLE. */
int bondy_wire_events(const struct bondy_wire *wire);

/* What binds a login to this connection, after the handshake: its octets to `out`, how many; 0 when
 * this connection has none of that kind. tls-unique is of TLS 1.2, and like tls-exporter there only
 * with the extended master secret (RFC 7627): without it another connection may have the same. */
size_t bondy_wire_channel_id(const struct bondy_wire *wire, enum bondy_binding kind,
                             uint8_t out[BONDY_CHANNEL_ID_MAX]);
/* The common name of the client's certificate, which was checked; "" without one. */
void bondy_wire_client_name(const struct bondy_wire *wire, char out[BONDY_TLS_NAME_MAX]);

/* The socket may have something to read again. */
void bondy_wire_is_readable(struct bondy_wire *wire);
/* Reads decrypted octets; `cap` is BONDY_WIRE_RECORD or more. 0: the peer ended; -EAGAIN: nothing
 * now; other negative: broken. */
ssize_t bondy_wire_read(struct bondy_wire *wire, void *out, size_t cap);
/* The reader stops before -EAGAIN: keeps what is in the thread's buffer. */
void bondy_wire_pause(struct bondy_wire *wire);

/* Takes all of up to BONDY_WIRE_RECORD octets, unless it is blocked: -EAGAIN. Other negative:
 * broken. */
ssize_t bondy_wire_write(struct bondy_wire *wire, const void *bytes, size_t len);
/* The last record is not out yet: call bondy_wire_flush() when the socket is writable. */
bool bondy_wire_is_blocked(const struct bondy_wire *wire);
/* 0: no longer blocked; -EAGAIN; other negative: broken. */
int bondy_wire_flush(struct bondy_wire *wire);
/* Says that nothing more comes. Tried once. */
void bondy_wire_bye(struct bondy_wire *wire);

#endif

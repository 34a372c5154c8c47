/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_WEBSOCKET_H
#define BONDY_CTL_WEBSOCKET_H

/* websocket: the client's side of RFC 6455: handshake and frames. Pure: bytes in, bytes out. */

#include <stdbool.h>

#include "src/base/buf.h"
#include "src/base/error.h"

enum bondy_websocket_opcode {
    BONDY_WEBSOCKET_CONTINUATION = 0,
    BONDY_WEBSOCKET_TEXT = 1,
    BONDY_WEBSOCKET_BINARY = 2,
    BONDY_WEBSOCKET_CLOSE = 8,
    BONDY_WEBSOCKET_PING = 9,
    BONDY_WEBSOCKET_PONG = 10
};

/* Appends the request; `key` receives the 24 characters of Sec-WebSocket-Key and a NUL. */
void bondy_websocket_request(const char *host, const char *path, const char *subprotocol,
                             char key[25], struct bondy_buf *out);
/* Looks at the answer, up to 16 KiB. *used is its length. BONDY_EAGAIN: more is needed.
 * BONDY_EPROTO: not a WebSocket, or not with this subprotocol; the text holds the status line. */
int bondy_websocket_accept(struct bondy_slice bytes, const char *key, const char *subprotocol,
                           size_t *used, struct bondy_error *err);
/* Appends one whole masked frame. */
void bondy_websocket_write(enum bondy_websocket_opcode opcode, struct bondy_slice payload,
                           struct bondy_buf *out);

struct bondy_websocket_frame {
    enum bondy_websocket_opcode opcode;
    bool is_final;
    struct bondy_slice payload; /* borrowed from the bytes */
    size_t used;                /* whole frame */
};
/* BONDY_EAGAIN: more is needed. BONDY_EPROTO: a frame no server may send, or one over `max`. */
int bondy_websocket_read(struct bondy_slice bytes, size_t max, struct bondy_websocket_frame *out,
                         struct bondy_error *err);

#endif

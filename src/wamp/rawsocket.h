/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_RAWSOCKET_H
#define BONDY_WAMP_RAWSOCKET_H

/* rawsocket: handshake and frame heads of the RawSocket transport. Pure. WAMP, RawSocket Transport.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/wamp/message.h"

#define BONDY_RAWSOCKET_MAGIC 0x7F
#define BONDY_RAWSOCKET_HEAD_LEN 4
#define BONDY_RAWSOCKET_LEN_MAX (UINT32_C(1) << 24)

enum bondy_rawsocket_error {
    BONDY_RAWSOCKET_ERR_SERIALIZER = 1, /* serializer unsupported */
    BONDY_RAWSOCKET_ERR_LENGTH = 2,     /* maximum message length unacceptable */
    BONDY_RAWSOCKET_ERR_RESERVED = 3,   /* use of reserved bits */
    BONDY_RAWSOCKET_ERR_CONNECTIONS = 4 /* maximum connection count reached */
};

/* Looks at the four octets of a client's handshake. 0: *serializer and *peer_max (octets of a
 * message that the client takes, 2^9..2^24) are set; -1: the first octet is not ours, say nothing;
 * otherwise the error number to reply with. */
int bondy_rawsocket_accept(const uint8_t octets[4], enum bondy_serializer *serializer,
                           uint32_t *peer_max);
/* The reply that accepts; `max_len` is rounded down to a power of two from 2^9 to 2^24. */
void bondy_rawsocket_reply(enum bondy_serializer serializer, uint32_t max_len, uint8_t out[4]);
void bondy_rawsocket_reply_error(enum bondy_rawsocket_error error, uint8_t out[4]);
/* A client's request. */
void bondy_rawsocket_request(enum bondy_serializer serializer, uint32_t max_len, uint8_t out[4]);

enum bondy_frame_type { BONDY_FRAME_MESSAGE = 0, BONDY_FRAME_PING = 1, BONDY_FRAME_PONG = 2 };

/* Reads a frame head. False: reserved bits or type, or zero length with the X bit misused: the
 * connection fails. A length of 2^24 is sent with the X bit and zero length. */
static inline bool bondy_rawsocket_head(const uint8_t octets[4], enum bondy_frame_type *type,
                                        uint32_t *len)
{
    enum { RESERVED_BITS = 0xF0, EXTENDED_BIT = 0x08, TYPE_BITS = 0x07 };
    uint32_t number = (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
    unsigned kind = octets[0] & TYPE_BITS;

    if ((octets[0] & RESERVED_BITS) != 0 || kind > BONDY_FRAME_PONG)
        return false;
    if ((octets[0] & EXTENDED_BIT) != 0) {
        if (number != 0)
            return false;
        number = BONDY_RAWSOCKET_LEN_MAX;
    }
    *type = (enum bondy_frame_type)kind;
    *len = number;
    return true;
}

static inline void bondy_rawsocket_write_head(enum bondy_frame_type type, uint32_t len,
                                              uint8_t out[4])
{
    out[0] = (uint8_t)((unsigned)type | (len == BONDY_RAWSOCKET_LEN_MAX ? 0x08 : 0));
    out[1] = (uint8_t)(len >> 16); /* 0 of the longest, too */
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
}

#endif

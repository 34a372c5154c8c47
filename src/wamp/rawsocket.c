/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/rawsocket.h"

#define LEN_EXPONENT_MIN 9
#define LEN_EXPONENT_MAX 24

/* Second octet of the handshake: length and serializer; of a frame: reserved, X, type. */
#define RESERVED_BITS 0xF0
#define EXTENDED_BIT 0x08
#define TYPE_BITS 0x07

int bondy_rawsocket_accept(const uint8_t octets[4], enum bondy_serializer *serializer,
                           uint32_t *peer_max)
{
    unsigned number = octets[1] & 0x0F;

    if (octets[0] != BONDY_RAWSOCKET_MAGIC)
        return -1;
    if (octets[2] != 0 || octets[3] != 0)
        return BONDY_RAWSOCKET_ERR_RESERVED;
    if (number == 0 || number >= BONDY_SERIALIZERS)
        return BONDY_RAWSOCKET_ERR_SERIALIZER;
    *serializer = (enum bondy_serializer)number;
    *peer_max = UINT32_C(1) << ((octets[1] >> 4) + LEN_EXPONENT_MIN);
    return 0;
}

void bondy_rawsocket_reply(enum bondy_serializer serializer, uint32_t max_len, uint8_t out[4])
{
    unsigned exponent = LEN_EXPONENT_MIN;

    while (exponent < LEN_EXPONENT_MAX && UINT32_C(2) << exponent <= max_len)
        exponent++;
    out[0] = BONDY_RAWSOCKET_MAGIC;
    out[1] = (uint8_t)((exponent - LEN_EXPONENT_MIN) << 4 | (unsigned)serializer);
    out[2] = 0;
    out[3] = 0;
}

void bondy_rawsocket_reply_error(enum bondy_rawsocket_error error, uint8_t out[4])
{
    out[0] = BONDY_RAWSOCKET_MAGIC;
    out[1] = (uint8_t)((unsigned)error << 4);
    out[2] = 0;
    out[3] = 0;
}

void bondy_rawsocket_request(enum bondy_serializer serializer, uint32_t max_len, uint8_t out[4])
{
    bondy_rawsocket_reply(serializer, max_len, out);
}

bool bondy_rawsocket_head(const uint8_t octets[4], enum bondy_frame_type *type, uint32_t *len)
{
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

void bondy_rawsocket_write_head(enum bondy_frame_type type, uint32_t len, uint8_t out[4])
{
    out[0] = (uint8_t)((unsigned)type | (len == BONDY_RAWSOCKET_LEN_MAX ? EXTENDED_BIT : 0));
    out[1] = (uint8_t)(len >> 16);
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
    if (len == BONDY_RAWSOCKET_LEN_MAX)
        out[1] = 0;
}

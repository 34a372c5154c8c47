/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/rawsocket.h"

#define LEN_EXPONENT_MIN 9
#define LEN_EXPONENT_MAX 24

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

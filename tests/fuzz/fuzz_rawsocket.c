/* SPDX-License-Identifier: Apache-2.0 */
/* A handshake, then frame heads. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/wamp/rawsocket.h"

static void check_handshake(const uint8_t octets[4])
{
    enum bondy_serializer serializer = 0;
    uint32_t peer_max = 0;
    int verdict = bondy_rawsocket_accept(octets, &serializer, &peer_max);
    uint8_t again[4];

    BONDY_BUG_ON(verdict < -1 || verdict > BONDY_RAWSOCKET_ERR_CONNECTIONS);
    if (verdict != 0)
        return;
    bondy_rawsocket_request(serializer, peer_max, again);
    BONDY_BUG_ON(memcmp(again, octets, 4) != 0);
}

static void check_head(const uint8_t octets[4])
{
    enum bondy_frame_type type = 0;
    uint32_t len = 0;
    uint8_t again[4];

    if (!bondy_rawsocket_head(octets, &type, &len))
        return;
    BONDY_BUG_ON(len > BONDY_RAWSOCKET_LEN_MAX);
    bondy_rawsocket_write_head(type, len, again);
    BONDY_BUG_ON(memcmp(again, octets, 4) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 4)
        check_handshake(data);
    for (size_t at = 4; at + 4 <= size; at += 4)
        check_head(data + at);
    return 0;
}

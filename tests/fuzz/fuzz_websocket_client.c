/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may send to the command-line client: the answer to its handshake, and frames. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/ctl/websocket.h"

#define FRAME_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice bytes = bondy_slice_of(data, size);
    struct bondy_websocket_frame frame;
    struct bondy_error err;
    size_t used = 0;

    if (bondy_websocket_accept(bytes, "AAAAAAAAAAAAAAAAAAAAAA==", "wamp.2.json", &used, &err) ==
        BONDY_OK)
        BONDY_BUG_ON(used == 0 || used > size);
    while (bondy_websocket_read(bytes, FRAME_MAX, &frame, &err) == BONDY_OK) {
        BONDY_BUG_ON(frame.used < 2 || frame.used > bytes.len || frame.payload.len > FRAME_MAX);
        bytes = bondy_slice_skip(bytes, frame.used);
    }
    return 0;
}

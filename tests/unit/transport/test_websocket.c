/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "tests/unit/transport/house.h"

#define TEXT 0x81
#define BINARY 0x82

static void expect_frame(struct bondy_peer *peer, unsigned first, const char *text)
{
    unsigned got_first;
    size_t head, len;

    assert_true(bondy_peer_ws_frame(peer, &got_first, &head, &len));
    assert_int_equal(got_first, first);
    assert_slice_is(bondy_slice_of(peer->in.data + head, len), text);
    bondy_peer_drop(peer, head + len);
}

static void a_message_goes_both_ways(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_ws_open(&peer, "/ws", "wamp.2.json");
    bondy_peer_ws_send(&peer, TEXT, "[1]", 3);
    expect_frame(&peer, TEXT, "[1]");
    bondy_peer_close(&peer);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

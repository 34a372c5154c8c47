/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "tests/unit/transport/house.h"

#define MESSAGE 0
#define PING 1
#define PONG 2

static void expect_frame(struct bondy_peer *peer, unsigned type, const char *text)
{
    unsigned got_type;
    size_t len;

    assert_true(bondy_peer_raw_frame(peer, &got_type, &len));
    assert_int_equal(got_type, type);
    assert_slice_is(bondy_slice_of(peer->in.data + 4, len), text);
    bondy_peer_drop(peer, 4 + len);
}

static void expect_end(struct bondy_peer *peer, const void *last_octets, size_t len)
{
    bondy_peer_wait_end(peer);
    assert_int_equal(peer->in.len, len);
    if (len > 0)
        assert_memory_equal(peer->in.data, last_octets, len);
    bondy_peer_close(peer);
}

/* ---- handshake ------------------------------------------------------------------------------- */

/* RAW-HS-1 */
static void each_serializer_is_answered_with_its_own_number(void **state)
{
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (unsigned serializer = 1; serializer <= 3; serializer++) {
        struct bondy_peer peer;

        house_connect(&house, &peer);
        bondy_peer_raw_open(&peer, serializer);
        bondy_until(house.loop, fake_sessions != NULL);
        assert_int_equal(fake_sessions->serializer, serializer);
        assert_string_equal(fake_sessions->transport_name, "tcp");
        bondy_peer_raw_send(&peer, MESSAGE, "hello", 5);
        expect_frame(&peer, MESSAGE, "hello");
        bondy_peer_close(&peer);
        bondy_until(house.loop, fake_sessions == NULL);
    }
    assert_int_equal(fake_lost, 3);
    house_close(&house);
}

/* RAW-HS-2, RAW-HS-3, RAW-HS-4, RAW-HS-5 */
static void a_broken_handshake_gets_its_error_and_the_end(void **state)
{
    static const struct {
        uint8_t octets[4];
        uint8_t reply[4];
        unsigned reply_len;
    } cases[] = {
        {{0x7f, 0xf0, 0, 0}, {0x7f, 0x10, 0, 0}, 4},
        {{0x7f, 0xf4, 0, 0}, {0x7f, 0x10, 0, 0}, 4},
        {{0x7f, 0xf5, 0, 0}, {0x7f, 0x10, 0, 0}, 4},
        {{0x7f, 0xff, 0, 0}, {0x7f, 0x10, 0, 0}, 4},
        {{0x7f, 0xf1, 1, 0}, {0x7f, 0x30, 0, 0}, 4},
        {{0x7f, 0xf1, 0, 1}, {0x7f, 0x30, 0, 0}, 4},
        {{0x7e, 0xf1, 0, 0}, {0}, 0},
        {{0x00, 0xf1, 0, 0}, {0}, 0},
    };
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.accepts = BONDY_DOOR_RAWSOCKET;
    house_open(&house);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_peer peer;

        house_connect(&house, &peer);
        bondy_peer_write(&peer, cases[i].octets, 4);
        expect_end(&peer, cases[i].reply, cases[i].reply_len);
    }
    assert_int_equal(fake_opened, 0);
    house_close(&house);
}

/* RAW-HS-6 */
static void every_length_is_accepted_and_known_to_the_session(void **state)
{
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        const uint8_t octets[4] = {0x7f, (uint8_t)(nibble << 4 | 1), 0, 0};
        /* 1 MiB, as the listener says: nibble 11. */
        const uint8_t reply[4] = {0x7f, 0xb1, 0, 0};
        struct bondy_peer peer;

        house_connect(&house, &peer);
        bondy_peer_write(&peer, octets, 4);
        assert_true(bondy_peer_wait(&peer, 4));
        assert_memory_equal(peer.in.data, reply, 4);
        assert_int_equal(fake_sessions->peer_max, 512u << nibble);
        bondy_peer_close(&peer);
        bondy_until(house.loop, fake_sessions == NULL);
    }
    house_close(&house);
}

/* RAW-HS-7, RAW-FRAME-1: handshake and messages in single octets, and all in one segment. */
static void octets_may_come_one_by_one_or_all_at_once(void **state)
{
    static const uint8_t all[] = {0x7f, 0xf1, 0, 0, 0, 0, 0, 2, 'h', 'i',
                                  0,    0,    0, 0, 0, 0, 0, 1, 'x'};
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (size_t step = 1; step <= sizeof all; step++) {
        struct bondy_peer peer;

        house_connect(&house, &peer);
        for (size_t i = 0; i < sizeof all; i += step) {
            bondy_peer_write(&peer, all + i, sizeof all - i < step ? sizeof all - i : step);
            bondy_loop_turn(house.loop, 1);
        }
        assert_true(bondy_peer_wait(&peer, 4));
        bondy_peer_drop(&peer, 4);
        expect_frame(&peer, MESSAGE, "hi");
        expect_frame(&peer, MESSAGE, "");
        expect_frame(&peer, MESSAGE, "x");
        bondy_peer_close(&peer);
        bondy_until(house.loop, fake_sessions == NULL);
    }
    house_close(&house);
}

/* RAW-HS-7: no handshake in time. */
static void a_silent_client_is_closed_in_time(void **state)
{
    struct house house;

    (void)state;
    for (unsigned accepts = BONDY_DOOR_RAWSOCKET; accepts <= 7; accepts += 3) {
        struct bondy_peer silent, slow;

        house_prepare(&house);
        house.listener.accepts = accepts;
        house.listener.handshake_timeout_ms = 50;
        house_open(&house);
        house_connect(&house, &silent);
        house_connect(&house, &slow);
        bondy_peer_write(&slow, "\x7f\xf1", 2);
        expect_end(&silent, "", 0);
        expect_end(&slow, "", 0);
        house_close(&house);
    }
}

/* RAW-HS-8 */
static void a_full_listener_says_error_4(void **state)
{
    static const uint8_t error[4] = {0x7f, 0x40, 0, 0};
    struct bondy_peer first, second;
    struct house house;

    (void)state;
    for (unsigned accepts = BONDY_DOOR_RAWSOCKET; accepts <= 7; accepts += 3) {
        house_prepare(&house);
        house.listener.accepts = accepts;
        house.listener.max_connections = 1;
        house_open(&house);
        house_connect(&house, &first);
        bondy_peer_raw_open(&first, 1);
        house_connect(&house, &second);
        bondy_peer_write(&second, "\x7f\xf1\0\0", 4);
        expect_end(&second, error, 4);
        bondy_peer_close(&first);
        bondy_until(house.loop, fake_sessions == NULL);
        house_connect(&house, &second);
        bondy_peer_raw_open(&second, 1);
        bondy_peer_close(&second);
        house_close(&house);
    }
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* RAW-FRAME-2, RAW-FRAME-3 */
static void reserved_types_and_bits_fail_the_connection(void **state)
{
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (unsigned first = 0; first < 256; first++) {
        struct bondy_peer peer;
        unsigned type;
        size_t len;

        /* Length 0; bit 3 makes it 2^24 and too long for this listener. */
        if (first <= 2)
            continue;
        house_connect(&house, &peer);
        bondy_peer_raw_open(&peer, 1);
        bondy_peer_raw_send(&peer, first, "", 0);
        assert_true(bondy_peer_raw_frame(&peer, &type, &len));
        assert_true(bondy_peer_has(&peer, "violated: "));
        bondy_peer_wait_end(&peer);
        bondy_peer_close(&peer);
        bondy_until(house.loop, fake_sessions == NULL);
    }
    assert_int_equal(fake_violated, 253);
    assert_int_equal(fake_lost, 0);
    house_close(&house);
}

/* RAW-FRAME-4 */
static void a_message_of_2_to_24_octets_goes_both_ways(void **state)
{
    size_t size = 1 << 24;
    char *big = bondy_alloc(size);
    struct bondy_peer peer;
    struct house house;
    unsigned type;
    size_t len;

    (void)state;
    memset(big, 'x', size);
    house_prepare(&house);
    house.listener.rawsocket.max_message = size;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    bondy_peer_write(&peer, "\x08\0\0\0", 4);
    bondy_peer_write(&peer, big, size);
    assert_true(bondy_peer_raw_frame(&peer, &type, &len));
    assert_int_equal(type, 8);
    assert_int_equal(len, size);
    assert_memory_equal(peer.in.data + 4, big, size);
    bondy_peer_close(&peer);
    house_close(&house);
    bondy_free(big);
}

/* RAW-PING-1, RAW-PING-2 */
static void each_ping_gets_one_pong_and_a_pong_gets_nothing(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 2);
    bondy_peer_raw_send(&peer, PONG, "unasked", 7);
    bondy_peer_raw_send(&peer, PING, "a", 1);
    bondy_peer_raw_send(&peer, PING, "", 0);
    bondy_peer_raw_send(&peer, PING, "bb", 2);
    expect_frame(&peer, PONG, "a");
    expect_frame(&peer, PONG, "");
    expect_frame(&peer, PONG, "bb");
    assert_int_equal(fake_sessions->received, 0);
    bondy_peer_close(&peer);
    house_close(&house);
}

/* RAW-LEN-1: refused when its head is there; nothing was sent of its body. */
static void a_frame_over_the_limit_fails_before_its_body(void **state)
{
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (unsigned pass = 0; pass < 2; pass++) {
        struct bondy_peer peer;
        unsigned type;
        size_t len;

        /* What the listener announced, and what the session allows before WELCOME. */
        fake_receive_max = pass == 0 ? 1 << 24 : 65536;
        house_connect(&house, &peer);
        bondy_peer_raw_open(&peer, 1);
        bondy_peer_write(&peer, pass == 0 ? "\0\x10\0\1" : "\0\1\0\1", 4);
        assert_true(bondy_peer_raw_frame(&peer, &type, &len));
        assert_true(bondy_peer_has(&peer, "violated: "));
        bondy_peer_wait_end(&peer);
        bondy_peer_close(&peer);
    }
    house_close(&house);
}

/* RAW-CLOSE-1: what the session said last arrives, what came behind its end is not used. */
static void the_last_word_arrives_and_nothing_behind_it_is_used(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    bondy_peer_write(&peer, "\0\0\0\3end\0\0\0\1x\xff\xff\xff\xff", 16);
    expect_frame(&peer, MESSAGE, "ended");
    expect_end(&peer, "", 0);
    assert_int_equal(fake_lost, 0);
    assert_int_equal(fake_violated, 0);
    house_close(&house);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* WS-PING-1 for RawSocket. */
static void a_peer_that_misses_its_pings_is_dropped(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.rawsocket.ping_enabled = true;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    expect_frame(&peer, PING, "bondy");
    bondy_peer_raw_send(&peer, PONG, "bondy", 5);
    expect_frame(&peer, PING, "bondy");
    expect_frame(&peer, PING, "bondy");
    expect_end(&peer, "", 0);
    bondy_until(house.loop, fake_sessions == NULL);
    assert_int_equal(fake_lost, 1);
    house_close(&house);
}

static void a_peer_that_says_nothing_is_closed_when_idle_for_too_long(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.rawsocket.idle_timeout_ms = 50;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    expect_end(&peer, "", 0);
    assert_int_equal(fake_lost, 1);
    house_close(&house);
}

/* ---- slow receivers -------------------------------------------------------------------------- */

/* R3, ROB-2: 64 MiB to one that does not read; the other gets all of it. */
static void a_subscriber_that_stops_reading_costs_only_itself(void **state)
{
    enum { SIZE = 65536, COUNT = 1024 };
    static char event[SIZE];
    struct bondy_peer deaf, good;
    struct house house;
    size_t got = 0;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &deaf);
    bondy_peer_raw_open(&deaf, 1);
    house_connect(&house, &good);
    bondy_peer_raw_open(&good, 1);
    memset(event, 'e', sizeof event);
    for (unsigned i = 0; i < COUNT; i++) {
        fake_publish(event, sizeof event);
        while (got < (size_t)(i + 1) * (SIZE + 4)) {
            assert_true(bondy_peer_wait(&good, 1));
            got += good.in.len;
            bondy_buf_clear(&good.in, 1 << 20);
        }
    }
    assert_int_equal(got, (size_t)COUNT * (SIZE + 4));
    /* Its RPC goes on: the reply is behind the events that are left (operations.md O5). */
    assert_int_equal(fake_count(), 2);
    bondy_peer_raw_send(&deaf, MESSAGE, "reply", 5);
    bondy_until(house.loop, (bondy_peer_read(&deaf), bondy_peer_has(&deaf, "reply")));
    /* Sockets of the system hold some; of ours at most the queue's limit. */
    assert_true(deaf.in.len < 16 << 20);
    bondy_peer_close(&deaf);
    bondy_peer_close(&good);
    house_close(&house);
}

static void a_caller_that_does_not_take_its_answers_is_not_read_from(void **state)
{
    enum { SIZE = 65536, COUNT = 512 };
    static char request[SIZE];
    struct bondy_peer peer;
    struct house house;
    size_t written = 0, total = (size_t)COUNT * (SIZE + 4), got = 0;
    unsigned turns = 0;

    (void)state;
    memset(request, 'q', sizeof request);
    request[0] = 0;
    request[1] = (SIZE - 4) >> 16;
    request[2] = (char)((SIZE - 4) >> 8);
    request[3] = (char)(SIZE - 4);
    total = (size_t)COUNT * SIZE;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    while (written < total && turns < 50) {
        size_t left = SIZE - written % SIZE;
        ssize_t sent = send(peer.fd, request + written % SIZE, left, MSG_NOSIGNAL | MSG_DONTWAIT);

        turns = sent > 0 ? 0 : turns + 1;
        written += sent > 0 ? (size_t)sent : 0;
        bondy_loop_turn(house.loop, 1);
    }
    /* It was stopped by back-pressure, not dropped. */
    assert_true(written < total);
    assert_int_equal(fake_count(), 1);
    /* When it reads, everything goes on and nothing is missing. */
    while (got < total) {
        if (written < total) {
            size_t left = SIZE - written % SIZE;
            ssize_t sent =
                send(peer.fd, request + written % SIZE, left, MSG_NOSIGNAL | MSG_DONTWAIT);

            written += sent > 0 ? (size_t)sent : 0;
        }
        bondy_loop_turn(house.loop, 1);
        bondy_peer_read(&peer);
        assert_false(peer.at_end);
        got += peer.in.len;
        bondy_buf_clear(&peer.in, 1 << 20);
    }
    assert_int_equal(got, total);
    bondy_peer_close(&peer);
    house_close(&house);
}

/* ---- others ---------------------------------------------------------------------------------- */

/* RAW-TLS-1: the Unix socket, with its mode. */
static void a_unix_socket_works_the_same(void **state)
{
    char *folder = bondy_test_mkdir();
    struct bondy_buf path = BONDY_BUF_EMPTY;
    struct bondy_peer peer;
    struct house house;

    (void)state;
    bondy_buf_printf(&path, "unix:%s/bondy.sock", folder);
    bondy_buf_append_byte(&path, 0);
    for (unsigned accepts = BONDY_DOOR_RAWSOCKET; accepts <= 7; accepts += 3) {
        house_prepare(&house);
        house.listener.accepts = accepts;
        house.listener.unix_mode = 0600;
        assert_int_equal(bondy_address_parse(path.data, 0, &house.listener.address, NULL),
                         BONDY_OK);
        house_open(&house);
        house_connect(&house, &peer);
        bondy_peer_raw_open(&peer, 3);
        assert_string_equal(fake_sessions->transport_name, "unix");
        bondy_peer_raw_send(&peer, MESSAGE, "hello", 5);
        expect_frame(&peer, MESSAGE, "hello");
        bondy_peer_close(&peer);
        house_close(&house);
        unlink(path.data + 5);
    }
    bondy_buf_fini(&path);
    bondy_test_rmdir(folder);
}

/* ROB-4: 12 messages in one segment; what is over the burst waits, here and in the socket. */
static void a_session_over_its_rate_waits_and_loses_nothing(void **state)
{
    enum { BURST = 10, SENT = 12 };
    struct bondy_buf all = BONDY_BUF_EMPTY;
    struct fake_session *fast;
    struct bondy_peer peer, other;
    struct house house;
    uint64_t start_ms;

    (void)state;
    house_prepare(&house);
    house.listener.rawsocket.message_rate = 2; /* slow: a stalled machine must not matter */
    house.listener.rawsocket.message_burst = BURST;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    bondy_until(house.loop, fake_sessions != NULL);
    fast = fake_sessions;
    house_connect(&house, &other);
    bondy_peer_raw_open(&other, 1);
    for (unsigned i = 0; i < SENT; i++)
        bondy_buf_printf(&all, "%c%c%c%cm%02u", MESSAGE, 0, 0, 3, i);
    start_ms = bondy_loop_now_ms(house.loop);
    bondy_peer_write(&peer, all.data, all.len);
    bondy_until(house.loop, fast->received > 0);
    assert_int_equal(fast->received, BURST);
    bondy_peer_raw_send(&other, MESSAGE, "hello", 5);
    expect_frame(&other, MESSAGE, "hello");
    assert_true(fast->received < SENT);
    for (unsigned i = 0; i < SENT; i++) {
        char text[4];

        snprintf(text, sizeof text, "m%02u", i);
        expect_frame(&peer, MESSAGE, text);
    }
    assert_true(bondy_loop_now_ms(house.loop) - start_ms >= 900); /* two more, 500 ms each */
    /* Ended while it waits. */
    bondy_peer_write(&peer, all.data, all.len);
    bondy_until(house.loop, fast->received > SENT);
    fake_send(fast, "bye", 3, BONDY_SEND_REPLY);
    fake_close(fast);
    bondy_peer_wait_end(&peer);
    assert_true(bondy_peer_has(&peer, "bye"));
    bondy_peer_close(&peer);
    bondy_peer_close(&other);
    bondy_buf_fini(&all);
    house_close(&house);
}

/* ROB-1 */
static void leaving_at_any_point_leaks_nothing(void **state)
{
    static const uint8_t all[] = {0x7f, 0xf1, 0, 0, 0, 0, 0, 2, 'h', 'i', 0, 0, 1, 0, 'x', 'y'};
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (size_t len = 0; len <= sizeof all; len++) {
        for (unsigned reset = 0; reset < 2; reset++) {
            const struct linger hard = {1, 0};
            struct bondy_peer peer;

            house_connect(&house, &peer);
            bondy_peer_write(&peer, all, len);
            bondy_loop_turn(house.loop, 1);
            if (reset != 0)
                setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            bondy_peer_close(&peer);
        }
    }
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    assert_int_equal(fake_opened, fake_lost);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_serializer_is_answered_with_its_own_number),
        cmocka_unit_test(a_broken_handshake_gets_its_error_and_the_end),
        cmocka_unit_test(every_length_is_accepted_and_known_to_the_session),
        cmocka_unit_test(octets_may_come_one_by_one_or_all_at_once),
        cmocka_unit_test(a_silent_client_is_closed_in_time),
        cmocka_unit_test(a_full_listener_says_error_4),
        cmocka_unit_test(reserved_types_and_bits_fail_the_connection),
        cmocka_unit_test(a_message_of_2_to_24_octets_goes_both_ways),
        cmocka_unit_test(each_ping_gets_one_pong_and_a_pong_gets_nothing),
        cmocka_unit_test(a_frame_over_the_limit_fails_before_its_body),
        cmocka_unit_test(the_last_word_arrives_and_nothing_behind_it_is_used),
        cmocka_unit_test(a_peer_that_misses_its_pings_is_dropped),
        cmocka_unit_test(a_peer_that_says_nothing_is_closed_when_idle_for_too_long),
        cmocka_unit_test(a_subscriber_that_stops_reading_costs_only_itself),
        cmocka_unit_test(a_caller_that_does_not_take_its_answers_is_not_read_from),
        cmocka_unit_test(a_session_over_its_rate_waits_and_loses_nothing),
        cmocka_unit_test(a_unix_socket_works_the_same),
        cmocka_unit_test(leaving_at_any_point_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The door's TLS: wire.c, relay.c and what greeting.c and rawsocket.c make of them. RAW-TLS-1. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "tests/lib/cert.h"
#include "tests/unit/transport/house.h"

static struct {
    char *folder;
    char authority[256], server[256], server_key[256];
    gnutls_certificate_credentials_t nobody, somebody, foreigner;
} world;

static gnutls_certificate_credentials_t credentials_of(const char *name)
{
    gnutls_certificate_credentials_t credentials;
    char certificate[256], key[256];

    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    if (name != NULL) {
        snprintf(certificate, sizeof certificate, "%s/%s.pem", world.folder, name);
        snprintf(key, sizeof key, "%s/%s.key", world.folder, name);
        assert_int_equal(gnutls_certificate_set_x509_key_file(credentials, certificate, key,
                                                              GNUTLS_X509_FMT_PEM),
                         0);
    }
    return credentials;
}

static int make_world(void **state)
{
    (void)state;
    world.folder = bondy_test_mkdir();
    bondy_test_certificate(world.folder, "authority", NULL);
    bondy_test_certificate(world.folder, "server", "authority");
    bondy_test_certificate(world.folder, "client", "authority");
    bondy_test_certificate(world.folder, "stranger", NULL);
    snprintf(world.authority, sizeof world.authority, "%s/authority.pem", world.folder);
    snprintf(world.server, sizeof world.server, "%s/server.pem", world.folder);
    snprintf(world.server_key, sizeof world.server_key, "%s/server.key", world.folder);
    world.nobody = credentials_of(NULL);
    world.somebody = credentials_of("client");
    world.foreigner = credentials_of("stranger");
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    gnutls_certificate_free_credentials(world.nobody);
    gnutls_certificate_free_credentials(world.somebody);
    gnutls_certificate_free_credentials(world.foreigner);
    bondy_test_rmdir(world.folder);
    return 0;
}

static struct bondy_tls *load_tls(bool verify)
{
    struct bondy_tls_options options = {
        .certfile = world.server, .keyfile = world.server_key, .versions = "1.2,1.3"};
    struct bondy_error err = {0};
    struct bondy_tls *tls;

    if (verify) {
        options.cacertfile = world.authority;
        options.verify = options.fail_if_no_peer_cert = true;
    }
    if (bondy_tls_create(&options, &tls, &err) != BONDY_OK)
        fail_msg("%s", err.text);
    return tls;
}

static void open_tls_house(struct house *house, bool verify)
{
    house->listener.tls = load_tls(verify);
    house_open(house);
}

static void close_tls_house(struct house *house)
{
    house_close(house);
    bondy_tls_unref(house->listener.tls);
}

static void connect_tls(struct house *house, struct bondy_peer *peer)
{
    house_connect(house, peer);
    assert_true(bondy_peer_start_tls(peer, world.nobody));
}

static void expect_raw(struct bondy_peer *peer, const char *text)
{
    unsigned type;
    size_t len;

    assert_true(bondy_peer_raw_frame(peer, &type, &len));
    assert_slice_is(bondy_slice_of(peer->in.data + 4, len), text);
    bondy_peer_drop(peer, 4 + len);
}

/* ---- all three ------------------------------------------------------------------------------- */

static void one_tls_port_speaks_https_wss_and_rawsocket(void **state)
{
    struct bondy_peer http, ws, raw;
    struct house house;
    unsigned first;
    size_t head, len;

    (void)state;
    house_prepare(&house);
    open_tls_house(&house, false);
    connect_tls(&house, &raw);
    bondy_peer_raw_open(&raw, 2);
    assert_string_equal(fake_sessions->transport_name, "tls");
    bondy_peer_raw_send(&raw, 0, "hello", 5);
    expect_raw(&raw, "hello");
    connect_tls(&house, &ws);
    bondy_peer_ws_open(&ws, "/ws", "wamp.2.json");
    assert_string_equal(fake_sessions->transport_name, "wss");
    assert_memory_equal(fake_sessions->peername, "127.0.0.1:", 10);
    bondy_peer_ws_send(&ws, 0x81, "hello", 5);
    assert_true(bondy_peer_ws_frame(&ws, &first, &head, &len));
    assert_slice_is(bondy_slice_of(ws.in.data + head, len), "hello");
    connect_tls(&house, &http);
    for (unsigned i = 0; i < 3; i++) {
        bondy_peer_say(&http, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        bondy_until(house.loop, (bondy_peer_read(&http), bondy_peer_has(&http, "hello\n")));
        assert_true(bondy_peer_has(&http, "HTTP/1.1 200 "));
        bondy_peer_drop(&http, http.in.len);
    }
    assert_int_equal(atomic_load(&house.listener.connections), 3);
    bondy_peer_close(&http);
    bondy_peer_close(&ws);
    bondy_peer_close(&raw);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    assert_int_equal(fake_lost, 2);
    close_tls_house(&house);
}

static void a_handshake_head_may_come_in_many_records(void **state)
{
    static const char head[] =
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n\x81\x82\0\0\0\0hi";
    struct bondy_peer peer;
    struct house house;
    char *end;

    (void)state;
    house_prepare(&house);
    open_tls_house(&house, false);
    connect_tls(&house, &peer);
    for (size_t i = 0; i < sizeof head - 1; i += 7) {
        bondy_peer_write(&peer, head + i, sizeof head - 1 - i < 7 ? sizeof head - 1 - i : 7);
        bondy_loop_turn(house.loop, 0);
    }
    bondy_until(house.loop, (bondy_peer_read(&peer), bondy_peer_has(&peer, "\x81\x02hi")));
    end = memmem(peer.in.data, peer.in.len, "\r\n\r\n", 4);
    assert_non_null(end);
    bondy_peer_close(&peer);
    /* All at once, the first message behind it too. */
    connect_tls(&house, &peer);
    bondy_peer_write(&peer, head, sizeof head - 1);
    bondy_until(house.loop, (bondy_peer_read(&peer), bondy_peer_has(&peer, "\x81\x02hi")));
    bondy_peer_close(&peer);
    /* RawSocket the same. */
    connect_tls(&house, &peer);
    bondy_peer_write(&peer, "\x7f\xf1\0\0\0\0\0\2hi\0\0\0\1x", 15);
    bondy_until(house.loop, (bondy_peer_read(&peer), peer.in.len == 4 + 6 + 5));
    bondy_peer_close(&peer);
    close_tls_house(&house);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void octets_that_are_no_tls_end_the_connection(void **state)
{
    static const char *const cases[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x7f\xf1",
                                        "\x16\x03\x01\x40\x01zzzzzzzzzzzzzzzzzzzzzzz",
                                        "\x16\x03\x01\x00\x05hello"};
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.handshake_timeout_ms = 300;
    open_tls_house(&house, false);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_peer peer;

        house_connect(&house, &peer);
        bondy_peer_say(&peer, cases[i]);
        bondy_peer_wait_end(&peer);
        bondy_peer_close(&peer);
    }
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    assert_int_equal(fake_opened, 0);
    close_tls_house(&house);
}

static void a_client_that_stops_inside_the_handshake_is_closed_in_time(void **state)
{
    struct bondy_peer silent, half;
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.handshake_timeout_ms = 60;
    open_tls_house(&house, false);
    house_connect(&house, &silent);
    house_connect(&house, &half);
    bondy_peer_write(&half, "\x16\x03\x01", 3);
    bondy_peer_wait_end(&silent);
    bondy_peer_wait_end(&half);
    bondy_peer_close(&silent);
    bondy_peer_close(&half);
    /* Through the handshake, and then nothing. */
    connect_tls(&house, &silent);
    bondy_peer_wait_end(&silent);
    bondy_peer_close(&silent);
    close_tls_house(&house);
}

static bool is_let_in(struct house *house, gnutls_certificate_credentials_t credentials)
{
    struct bondy_peer peer;
    bool is_in;

    house_connect(house, &peer);
    is_in = bondy_peer_start_tls(&peer, credentials);
    if (is_in) {
        /* TLS 1.3: the server's refusal comes after the client's side is through. */
        bondy_peer_write(&peer, "\x7f\xf1\0\0", 4);
        is_in = bondy_peer_wait(&peer, 4);
    }
    bondy_peer_close(&peer);
    return is_in;
}

static void with_mtls_only_certificates_of_the_authority_come_in(void **state)
{
    struct house house;

    (void)state;
    house_prepare(&house);
    open_tls_house(&house, true);
    assert_true(is_let_in(&house, world.somebody));
    assert_false(is_let_in(&house, world.nobody));
    assert_false(is_let_in(&house, world.foreigner));
    assert_int_equal(fake_opened, 1);
    close_tls_house(&house);
}

/* O6: a reload swaps the listener's pointer; who is there stays. */
static void a_reload_keeps_the_sessions(void **state)
{
    struct bondy_peer before, after;
    struct bondy_tls *old;
    struct house house;

    (void)state;
    house_prepare(&house);
    open_tls_house(&house, false);
    connect_tls(&house, &before);
    bondy_peer_raw_open(&before, 1);
    old = atomic_exchange(&house.listener.tls, load_tls(false));
    bondy_tls_unref(old);
    connect_tls(&house, &after);
    bondy_peer_raw_open(&after, 1);
    bondy_peer_raw_send(&before, 0, "before", 6);
    expect_raw(&before, "before");
    bondy_peer_raw_send(&after, 0, "after", 5);
    expect_raw(&after, "after");
    bondy_peer_close(&before);
    bondy_peer_close(&after);
    close_tls_house(&house);
}

/* ---- pressure -------------------------------------------------------------------------------- */

/* Large messages both ways, through read-ahead and blocked records. */
static void large_messages_pass_through_tls(void **state)
{
    enum { SIZE = 900 * 1000 };
    char *big = bondy_alloc(SIZE);
    struct bondy_peer raw, ws;
    struct house house;
    unsigned first;
    size_t head, len;

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        big[i] = (char)('a' + i % 23);
    house_prepare(&house);
    open_tls_house(&house, false);
    connect_tls(&house, &raw);
    bondy_peer_raw_open(&raw, 1);
    connect_tls(&house, &ws);
    bondy_peer_ws_open(&ws, "/ws", "wamp.2.json");
    for (unsigned i = 0; i < 4; i++) {
        bondy_peer_raw_send(&raw, 0, big, SIZE);
        bondy_peer_ws_send(&ws, 0x81, big, SIZE);
        assert_true(bondy_peer_raw_frame(&raw, &first, &len));
        assert_int_equal(len, SIZE);
        assert_memory_equal(raw.in.data + 4, big, SIZE);
        bondy_peer_drop(&raw, 4 + len);
        assert_true(bondy_peer_ws_frame(&ws, &first, &head, &len));
        assert_int_equal(len, SIZE);
        assert_memory_equal(ws.in.data + head, big, SIZE);
        bondy_peer_drop(&ws, head + len);
    }
    bondy_peer_close(&raw);
    bondy_peer_close(&ws);
    close_tls_house(&house);
    bondy_free(big);
}

/* R3 through TLS: 64 MiB to one that does not read. */
static void a_deaf_subscriber_behind_tls_costs_only_itself(void **state)
{
    enum { SIZE = 65536, COUNT = 512 };
    static char event[SIZE];
    struct house house;

    (void)state;
    memset(event, 'e', sizeof event);
    for (unsigned pass = 0; pass < 2; pass++) {
        struct bondy_peer deaf, good;
        size_t got = 0;

        house_prepare(&house);
        open_tls_house(&house, false);
        connect_tls(&house, &deaf);
        connect_tls(&house, &good);
        if (pass == 0) {
            bondy_peer_raw_open(&deaf, 1);
            bondy_peer_raw_open(&good, 1);
        } else {
            bondy_peer_ws_open(&deaf, "/ws", "wamp.2.json");
            bondy_peer_ws_open(&good, "/ws", "wamp.2.json");
        }
        for (unsigned i = 0; i < COUNT; i++) {
            fake_publish(event, sizeof event);
            while (got < (size_t)(i + 1) * SIZE) {
                assert_true(bondy_peer_wait(&good, 1));
                got += good.in.len;
                bondy_buf_clear(&good.in, 1 << 20);
            }
        }
        assert_int_equal(fake_count(), 2);
        for (got = 0; got < 100 * 1024; got += deaf.in.len, bondy_buf_clear(&deaf.in, 0))
            assert_true(bondy_peer_wait(&deaf, 1));
        bondy_peer_close(&deaf);
        bondy_peer_close(&good);
        close_tls_house(&house);
    }
}

static void a_caller_that_stops_reading_is_not_read_and_goes_on_later(void **state)
{
    enum { SIZE = 20000, COUNT = 1500 };
    static char body[SIZE];
    struct bondy_peer peer;
    struct house house;
    unsigned sent = 0, turns = 0, got = 0;
    size_t written = SIZE;

    (void)state;
    memset(body, 'q', sizeof body);
    memcpy(body, "\0\0\x4e\x1c", 4); /* 19 996 octets */
    house_prepare(&house);
    open_tls_house(&house, false);
    connect_tls(&house, &peer);
    bondy_peer_raw_open(&peer, 1);
    while (got < COUNT) {
        if (written < SIZE || sent < COUNT) {
            ssize_t n;

            if (written == SIZE) {
                written = 0;
                sent++;
            }
            n = gnutls_record_send(peer.tls, body + written, SIZE - written);
            if (n > 0)
                written += (size_t)n;
            turns = n > 0 ? 0 : turns + 1;
        }
        bondy_loop_turn(house.loop, 0);
        /* Reads nothing until it is stuck, then everything. */
        if (turns < 50 && sent < COUNT)
            continue;
        bondy_peer_read(&peer);
        assert_false(peer.at_end);
        while (peer.in.len >= SIZE) {
            assert_memory_equal(peer.in.data, body, SIZE);
            bondy_peer_drop(&peer, SIZE);
            got++;
        }
    }
    bondy_peer_close(&peer);
    close_tls_house(&house);
}

static void a_client_that_leaves_without_a_word_leaks_nothing(void **state)
{
    struct house house;

    (void)state;
    house_prepare(&house);
    open_tls_house(&house, false);
    for (unsigned i = 0; i < 12; i++) {
        const struct linger hard = {1, 0};
        struct bondy_peer peer;

        connect_tls(&house, &peer);
        if (i % 3 == 0)
            bondy_peer_raw_open(&peer, 1);
        else if (i % 3 == 1)
            bondy_peer_ws_open(&peer, "/ws", "wamp.2.json");
        else
            bondy_peer_say(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
        if (i % 2 == 0)
            setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        if (i % 4 == 1)
            gnutls_bye(peer.tls, GNUTLS_SHUT_WR);
        bondy_loop_turn(house.loop, 1);
        bondy_peer_close(&peer);
    }
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    assert_int_equal(fake_opened, fake_lost);
    close_tls_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_tls_port_speaks_https_wss_and_rawsocket),
        cmocka_unit_test(a_handshake_head_may_come_in_many_records),
        cmocka_unit_test(octets_that_are_no_tls_end_the_connection),
        cmocka_unit_test(a_client_that_stops_inside_the_handshake_is_closed_in_time),
        cmocka_unit_test(with_mtls_only_certificates_of_the_authority_come_in),
        cmocka_unit_test(a_reload_keeps_the_sessions),
        cmocka_unit_test(large_messages_pass_through_tls),
        cmocka_unit_test(a_deaf_subscriber_behind_tls_costs_only_itself),
        cmocka_unit_test(a_caller_that_stops_reading_is_not_read_and_goes_on_later),
        cmocka_unit_test(a_client_that_leaves_without_a_word_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, make_world, end_world);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "tests/unit/transport/house.h"

/* How often the loop comes round while it has nothing to do. */
static unsigned turns_in(struct house *house, uint64_t ms)
{
    uint64_t end = bondy_clock_mono_ms() + ms;
    unsigned turns = 0;

    while (bondy_clock_mono_ms() < end) {
        bondy_loop_turn(house->loop, ms);
        turns++;
    }
    return turns;
}

static void expect_answer(struct bondy_peer *peer, const char *status)
{
    bondy_until(peer->loop, (bondy_peer_read(peer), bondy_peer_has(peer, "\r\n\r\n")));
    if (!bondy_peer_has(peer, status))
        fail_msg("expected %s, got:\n%.*s", status, (int)peer->in.len, peer->in.data);
}

/* ---- one port ------------------------------------------------------------------------------- */

/* WS-HTTP-1 */
static void one_port_speaks_http_websocket_and_rawsocket(void **state)
{
    struct bondy_peer http, ws, raw;
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &http);
    bondy_peer_say(&http, "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_answer(&http, "HTTP/1.1 200 ");
    house_connect(&house, &raw);
    bondy_peer_raw_open(&raw, 1);
    house_connect(&house, &ws);
    bondy_peer_ws_open(&ws, "/ws", "wamp.2.json");
    assert_int_equal(atomic_load(&house.listener.connections), 3);
    assert_int_equal(bondy_door_session_count(house.door), 2);
    /* The HTTP connection goes on, and gives its place back. */
    bondy_peer_drop(&http, http.in.len);
    bondy_peer_say(&http, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    expect_answer(&http, "HTTP/1.1 200 ");
    bondy_peer_close(&http);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 2);
    bondy_peer_close(&raw);
    bondy_peer_close(&ws);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    house_close(&house);
}

#define GOOD_REST                                                                                  \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n"

/* WS-SUB-2, H1; the router is unharmed by all of them (ROB-3). */
static void broken_handshakes_get_an_answer_and_the_end(void **state)
{
    static const struct {
        const char *octets;
        const char *status;
    } cases[] = {
        {"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "426"},
        {"GET /ws HTTP/1.1\r\nHost: a\r\nHost: b\r\n" GOOD_REST, "400"},
        {"GET /ws HTTP/1.1\r\n" GOOD_REST, "400"},
        {"GET /ws HTTP/1.0\r\nHost: a\r\n" GOOD_REST, "400"},
        {"GET /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" GOOD_REST "abc", "400"},
        {"GET /ws HTTP/1.1\nHost: a\nUpgrade: websocket\n\n", "400"},
        {"GET /other HTTP/1.1\r\nHost: a\r\n" GOOD_REST, "404"},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", NULL},
        {"\r\n\r\nnonsense\r\n\r\n", NULL},
        {"NONSENSE\r\n\r\n", NULL},
    };
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char status[32];
        struct bondy_peer peer;

        house_connect(&house, &peer);
        bondy_peer_write(&peer, cases[i].octets,
                         cases[i].octets[0] == 0x16 ? 13 : strlen(cases[i].octets));
        bondy_peer_wait_end(&peer);
        /* To what is no HTTP at all nothing, or 400. */
        snprintf(status, sizeof status, "HTTP/1.1 %s ",
                 cases[i].status == NULL ? "400" : cases[i].status);
        if (!bondy_peer_has(&peer, status) && (cases[i].status != NULL || peer.in.len > 0))
            fail_msg("case %zu: %.*s", i, (int)peer.in.len, peer.in.data);
        bondy_peer_close(&peer);
    }
    assert_int_equal(fake_opened, 0);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    house_close(&house);
}

static void a_listener_speaks_only_what_it_accepts(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.accepts = BONDY_DOOR_HTTP;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_write(&peer, "\x7f\xf1\0\0", 4);
    bondy_peer_wait_end(&peer);
    assert_false(bondy_peer_has(&peer, "\x7f"));
    bondy_peer_close(&peer);
    house_close(&house);

    house_prepare(&house);
    house.listener.accepts = BONDY_DOOR_WEBSOCKET;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_answer(&peer, "HTTP/1.1 426 ");
    bondy_peer_close(&peer);
    house_close(&house);
    assert_int_equal(fake_opened, 0);
}

static bool allow_none(void *context, const struct bondy_door_knock *knock)
{
    unsigned *asked = context;

    assert_slice_is(knock->host, "localhost");
    assert_slice_is(knock->origin, "");
    assert_true(bondy_address_is_loopback(knock->peer));
    assert_false(knock->is_tls);
    (*asked)++;
    return false;
}

static void an_upgrade_that_is_not_allowed_gets_403(void **state)
{
    struct bondy_peer peer;
    struct house house;
    unsigned asked = 0;

    (void)state;
    house_prepare(&house);
    house.listener.allow_upgrade = allow_none;
    house.listener.context = &asked;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_ws_ask(&peer, "/ws", "wamp.2.json");
    expect_answer(&peer, "HTTP/1.1 403 ");
    assert_int_equal(asked, 1);
    bondy_peer_close(&peer);
    house_close(&house);
}

/* AUTH-COOKIE-1, oauth2-oidc.md 4.4: what a page of another site opens brings no ticket. */
static void tickets_in_cookies_come_from_pages_of_the_own_host_only(void **state)
{
    static const char *const listed[] = {"https://app.example.com", NULL};
    static const struct {
        const char *headers;
        const char *answer;
        const char *kept;
    } cases[] = {
        {"", "HTTP/1.1 101 ", ""},
        {"Cookie: a=b\r\nOrigin: http://evil\r\n", "HTTP/1.1 101 ", ""},
        {"Cookie: bondy_ticket_dev=x\r\n", "HTTP/1.1 101 ", "bondy_ticket_dev=x"},
        {"Cookie: a=b; bondy_ticket_dev=x\r\nOrigin: http://localhost\r\n", "HTTP/1.1 101 ",
         "a=b; bondy_ticket_dev=x"},
        {"Cookie: bondy_ticket_dev=x\r\nOrigin: https://app.example.com\r\n", "HTTP/1.1 101 ",
         "bondy_ticket_dev=x"},
        {"Cookie: bondy_ticket_dev=x\r\nOrigin: http://evil\r\n", "HTTP/1.1 403 ", NULL},
        {"Cookie: bondy_ticket_dev=x\r\nOrigin: null\r\n", "HTTP/1.1 403 ", NULL},
        {"Cookie: bondy_ticket_dev=x\r\nCookie: a=b\r\n", "HTTP/1.1 400 ", NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_peer peer;
        struct house house;

        house_prepare(&house);
        house.listener.cookie_origins = listed;
        house_open(&house);
        house_connect(&house, &peer);
        bondy_peer_say(&peer, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Protocol: wamp.2.json\r\n");
        bondy_peer_say(&peer, cases[i].headers);
        bondy_peer_say(&peer, "\r\n");
        if (cases[i].kept == NULL) {
            expect_answer(&peer, cases[i].answer);
        } else {
            bondy_until(house.loop, (bondy_peer_read(&peer), bondy_peer_has(&peer, "\r\n\r\n")));
            assert_true(bondy_peer_has(&peer, cases[i].answer));
            bondy_until(house.loop, fake_sessions != NULL);
            assert_string_equal(fake_sessions->cookies, cases[i].kept);
        }
        bondy_peer_close(&peer);
        bondy_until(house.loop, fake_sessions == NULL);
        house_close(&house);
    }
}

static void an_ipv6_listener_takes_ipv4_clients_only_when_it_says_so(void **state)
{
    for (unsigned dual_stack = 0; dual_stack < 2; dual_stack++) {
        struct bondy_address ipv4;
        struct bondy_peer peer;
        struct house house;
        int probe = socket(AF_INET6, SOCK_STREAM, 0);

        (void)state;
        if (probe < 0)
            skip();
        close(probe);
        house_prepare(&house);
        house.listener.dual_stack = dual_stack != 0;
        assert_int_equal(bondy_address_parse("::", 0, &house.listener.address, NULL), BONDY_OK);
        house_open(&house);
        assert_int_equal(bondy_address_parse(
                             "127.0.0.1", bondy_address_port(&house.listener.address), &ipv4, NULL),
                         BONDY_OK);
        bondy_peer_connect(&peer, house.loop, &ipv4);
        bondy_loop_turn(house.loop, 10);
        if (dual_stack != 0) {
            bondy_peer_raw_open(&peer, 1);
            assert_int_equal(fake_count(), 1);
        } else {
            bondy_peer_wait_end(&peer);
        }
        bondy_peer_close(&peer);
        house_close(&house);
    }
}

/* ---- slow and large heads -------------------------------------------------------------------- */

/* architecture 9.2: SO_RCVLOWAT; peeked octets do not wake the loop again and again. */
static void a_slow_head_costs_no_processor_time(void **state)
{
    static const char head[] = "GET /ws HTTP/1.1\r\nHost: a\r\n" GOOD_REST;
    struct bondy_peer slow, waiting;
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &waiting);
    bondy_peer_say(&waiting, "GET /ws HTTP/1.1\r\nHost: ");
    house_connect(&house, &slow);
    for (size_t i = 0; i < sizeof head - 1; i++) {
        bondy_peer_write(&slow, head + i, 1);
        bondy_loop_turn(house.loop, 1);
    }
    expect_answer(&slow, "HTTP/1.1 101 ");
    turns_in(&house, 20);
    assert_true(turns_in(&house, 200) < 20);
    bondy_peer_close(&slow);
    /* A client that ends its side inside of a head does not wake it either. */
    shutdown(waiting.fd, SHUT_WR);
    bondy_peer_wait_end(&waiting);
    bondy_peer_close(&waiting);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    house_close(&house);
}

static void a_head_that_takes_too_long_gets_408(void **state)
{
    struct bondy_peer peer;
    struct house house;

    (void)state;
    house_prepare(&house);
    house.listener.handshake_timeout_ms = 50;
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_say(&peer, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n");
    expect_answer(&peer, "HTTP/1.1 408 ");
    bondy_peer_wait_end(&peer);
    bondy_peer_close(&peer);
    house_close(&house);
}

static void a_head_without_end_is_refused(void **state)
{
    static char filler[1000];
    struct bondy_peer peer;
    struct house house;

    (void)state;
    memset(filler, 'x', sizeof filler);
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &peer);
    bondy_peer_say(&peer, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX: ");
    for (unsigned i = 0; i < 64 && !peer.was_reset; i++)
        bondy_peer_write(&peer, filler, sizeof filler);
    bondy_peer_wait_end(&peer);
    if (peer.in.len > 0)
        assert_true(bondy_peer_has(&peer, "HTTP/1.1 431 "));
    bondy_peer_close(&peer);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    house_close(&house);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void over_a_limit_each_protocol_is_told_in_its_own_words(void **state)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        struct bondy_peer first, peer;
        struct house house;

        (void)state;
        house_prepare(&house);
        if (pass == 0)
            house.listener.max_connections = 1;
        else
            house.listener.max_connections_per_ip = 1;
        house_open(&house);
        house_connect(&house, &first);
        bondy_peer_ws_open(&first, "/ws", "wamp.2.json");
        house_connect(&house, &peer);
        bondy_peer_ws_ask(&peer, "/ws", "wamp.2.json");
        expect_answer(&peer, "HTTP/1.1 503 ");
        bondy_peer_close(&peer);
        house_connect(&house, &peer);
        bondy_peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_answer(&peer, "HTTP/1.1 503 ");
        bondy_peer_close(&peer);
        house_connect(&house, &peer);
        bondy_peer_write(&peer, "\x7f\xf1\0\0", 4);
        bondy_peer_wait_end(&peer);
        assert_memory_equal(peer.in.data, "\x7f\x40\0\0", 4);
        bondy_peer_close(&peer);
        bondy_peer_close(&first);
        bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
        house_connect(&house, &peer);
        bondy_peer_raw_open(&peer, 1);
        bondy_peer_close(&peer);
        house_close(&house);
    }
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* R1: 5 000 clients that say nothing; a good one is served at once. */
static void silent_connections_do_not_keep_a_good_one_out(void **state)
{
    enum { MOST = 5000 };
    static struct bondy_peer silent[MOST];
    struct rlimit limit;
    struct bondy_peer good;
    struct house house;
    uint64_t start;
    unsigned count = MOST;

    (void)state;
    raise_descriptor_limit();
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2 * MOST + 200)
        count = (unsigned)(limit.rlim_cur - 200) / 2;
    print_message("%u silent connections\n", count);
    house_prepare(&house);
    house_open(&house);
    for (unsigned i = 0; i < count; i++) {
        house_connect(&house, &silent[i]);
        if (i % 100 == 99)
            bondy_loop_turn(house.loop, 0);
    }
    bondy_until(house.loop, atomic_load(&house.listener.connections) == count);
    start = bondy_clock_mono_ms();
    house_connect(&house, &good);
    bondy_peer_ws_open(&good, "/ws", "wamp.2.json");
    bondy_peer_ws_send(&good, 0x81, "x", 1);
    assert_true(bondy_peer_wait(&good, 3));
    assert_true(bondy_clock_mono_ms() - start < 1000);
    assert_true(turns_in(&house, 100) < 20);
    bondy_peer_close(&good);
    for (unsigned i = 0; i < count; i++)
        bondy_peer_close(&silent[i]);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    house_close(&house);
}

/* R2: no descriptor left. The loop rests, and service comes back when there are some again. */
static void a_process_without_descriptors_rests_and_recovers(void **state)
{
    enum { MOST = 64 };
    struct bondy_peer peers[MOST];
    struct rlimit limit, before;
    struct bondy_peer good;
    struct house house;
    unsigned count = 0;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = MOST;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    house_prepare(&house);
    house_open(&house);
    /* All descriptors go to clients, which the listener's backlog holds. */
    for (; count < MOST; count++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        if (fd < 0)
            break;
        close(fd);
        house_connect(&house, &peers[count]);
    }
    assert_true(count > 10);
    turns_in(&house, 20);
    assert_true(turns_in(&house, 300) < 30);
    for (unsigned i = 0; i < count; i++)
        bondy_peer_close(&peers[i]);
    house_connect(&house, &good);
    bondy_peer_raw_open(&good, 1);
    bondy_peer_close(&good);
    bondy_until(house.loop, atomic_load(&house.listener.connections) == 0);
    house_close(&house);
    setrlimit(RLIMIT_NOFILE, &before);
}

/* Descriptors in reserve are never given to a connection. */
static void reserved_descriptors_stay_free(void **state)
{
    struct bondy_door_options options = {.reserved_fds = 0};
    struct bondy_peer peer;
    struct rlimit limit;
    struct house house;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    bondy_door_destroy(house.door);
    getrlimit(RLIMIT_NOFILE, &limit);
    options.loop = house.loop;
    options.http = house.http;
    options.reserved_fds = (unsigned)limit.rlim_cur - 3;
    house.listener.address = (struct bondy_address){.len = 0};
    assert_int_equal(bondy_address_parse("127.0.0.1", 0, &house.listener.address, NULL), 0);
    assert_int_equal(bondy_door_create(&options, &house.door, NULL), BONDY_OK);
    assert_int_equal(bondy_door_listen(house.door, &house.listener, NULL), BONDY_OK);
    house_connect(&house, &peer);
    bondy_peer_wait_end(&peer);
    bondy_peer_close(&peer);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_port_speaks_http_websocket_and_rawsocket),
        cmocka_unit_test(broken_handshakes_get_an_answer_and_the_end),
        cmocka_unit_test(a_listener_speaks_only_what_it_accepts),
        cmocka_unit_test(an_upgrade_that_is_not_allowed_gets_403),
        cmocka_unit_test(tickets_in_cookies_come_from_pages_of_the_own_host_only),
        cmocka_unit_test(an_ipv6_listener_takes_ipv4_clients_only_when_it_says_so),
        cmocka_unit_test(a_slow_head_costs_no_processor_time),
        cmocka_unit_test(a_head_that_takes_too_long_gets_408),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(over_a_limit_each_protocol_is_told_in_its_own_words),
        cmocka_unit_test(a_process_without_descriptors_rests_and_recovers),
        cmocka_unit_test(reserved_descriptors_stay_free),
        cmocka_unit_test(silent_connections_do_not_keep_a_good_one_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

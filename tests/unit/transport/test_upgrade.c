/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/transport/upgrade.h"

#define LINE "GET /ws?a=b HTTP/1.1\r\n"
#define HOST "Host: example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: wamp.2.json\r\n"
#define END "\r\n"

/* RFC 6455, 4.2.1; the handshakes of architecture decision 5 that libwebsockets takes, and others
 * (WS-SUB-2). */
static void heads_are_taken_or_refused_with_a_status(void **state)
{
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {LINE HOST UPGRADE VERSION KEY PROTOCOL END, 0},
        {LINE "host:\texample.com \r\n" UPGRADE VERSION KEY PROTOCOL END, 0},
        {LINE HOST
         "UPGRADE: WebSocket\r\nCONNECTION: keep-alive , upgrade\r\n" VERSION KEY PROTOCOL END,
         0},
        {LINE HOST
         "Upgrade: h2c, websocket\r\nConnection: foo\r\nConnection: Upgrade\r\n" VERSION KEY
             PROTOCOL END,
         0},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "Origin: http://a\r\nX-Other: \x80\r\n" END, 0},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "Content-Length: 0\r\n" END, 0},
        /* request line */
        {"POST /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"GET /ws HTTP/1.0\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"GET /ws HTTP/2.0\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"GET  /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"GET /w s HTTP/1.1\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"GET http://a/ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"GET /ws HTTP/1.1 \r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"get /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {"\r\n" LINE HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        /* lines */
        {"GET /ws HTTP/1.1\n" HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        {LINE "Host: a\n" UPGRADE VERSION KEY PROTOCOL END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "\n", 400},
        {LINE HOST " folded\r\n" UPGRADE VERSION KEY PROTOCOL END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "no colon\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "Space : x\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL ": x\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "A: b\rc\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "A: \x01\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "A: \x7f\r\n" END, 400},
        /* Host */
        {LINE UPGRADE VERSION KEY PROTOCOL END, 400},
        {LINE "Host:\r\n" UPGRADE VERSION KEY PROTOCOL END, 400},
        {LINE HOST HOST UPGRADE VERSION KEY PROTOCOL END, 400},
        /* a body that could hide a request */
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "Content-Length: 5\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY PROTOCOL "Transfer-Encoding: chunked\r\n" END, 400},
        /* Upgrade and Connection */
        {LINE HOST "Upgrade: websockets\r\nConnection: Upgrade\r\n" VERSION KEY PROTOCOL END, 400},
        {LINE HOST "Upgrade: websocket\r\n" VERSION KEY PROTOCOL END, 400},
        {LINE HOST "Upgrade: websocket\r\nConnection: close\r\n" VERSION KEY PROTOCOL END, 400},
        /* version */
        {LINE HOST UPGRADE KEY PROTOCOL END, 426},
        {LINE HOST UPGRADE "Sec-WebSocket-Version: 8\r\n" KEY PROTOCOL END, 426},
        {LINE HOST UPGRADE "Sec-WebSocket-Version: 13, 8\r\n" KEY PROTOCOL END, 426},
        {LINE HOST UPGRADE VERSION VERSION KEY PROTOCOL END, 426},
        /* key: 15, 17 octets, not base64, twice, none, unused bits */
        {LINE HOST UPGRADE VERSION PROTOCOL END, 400},
        {LINE HOST UPGRADE VERSION KEY KEY PROTOCOL END, 400},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1\r\n" PROTOCOL END, 400},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Njc=\r\n" PROTOCOL END,
         400},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n" PROTOCOL END,
         400},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n" PROTOCOL END,
         400},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key:\r\n" PROTOCOL END, 400},
        /* subprotocols */
        {LINE HOST UPGRADE VERSION KEY END, 400},
        {LINE HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol:\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol: wamp.2.nope\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol: WAMP.2.JSON\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol: (none), wamp.2.json\r\n" END, 400},
        {LINE HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol: wamp.2.json,,\r\n" END, 400},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_upgrade upgrade;
        const char *why = "";
        int status = bondy_upgrade_parse(bondy_slice_text(cases[i].head), &upgrade, &why);

        if (status != cases[i].status)
            fail_msg("%d (%s), expected %d, for:\n%s", status, why, cases[i].status, cases[i].head);
        if (status == 0) {
            assert_slice_is(upgrade.path, "/ws");
            assert_slice_is(upgrade.host, "example.com");
            assert_int_equal(upgrade.serializer, BONDY_JSON);
        }
    }
}

static void a_head_cut_anywhere_is_not_whole_and_breaks_nothing(void **state)
{
    static const char head[] = LINE HOST UPGRADE VERSION KEY PROTOCOL END;

    (void)state;
    for (size_t len = 0; len < sizeof head - 1; len++) {
        struct bondy_upgrade upgrade;
        const char *why;
        char *exact = bondy_alloc(len + 1);

        memcpy(exact, head, len);
        assert_int_equal(bondy_upgrade_head_len(bondy_slice_of(exact, len)), 0);
        assert_int_not_equal(bondy_upgrade_parse(bondy_slice_of(exact, len), &upgrade, &why), 0);
        bondy_upgrade_is_wanted(bondy_slice_of(exact, len));
        bondy_free(exact);
    }
    assert_int_equal(bondy_upgrade_head_len(bondy_slice_of(head, sizeof head - 1)),
                     sizeof head - 1);
    assert_int_equal(bondy_upgrade_head_len(BONDY_SLICE("GET / HTTP/1.1\n\nrest")), 16);
}

static void a_hundred_headers_are_too_many_only_from_the_next_on(void **state)
{
    (void)state;
    for (unsigned extra = 100 - 6; extra <= 100 - 6 + 1; extra++) {
        struct bondy_buf head = BONDY_BUF_EMPTY;
        struct bondy_upgrade upgrade;
        const char *why;

        bondy_buf_append_text(&head, LINE HOST UPGRADE VERSION KEY PROTOCOL);
        for (unsigned i = 0; i < extra; i++)
            bondy_buf_append_text(&head, "X: y\r\n");
        bondy_buf_append_text(&head, END);
        assert_int_equal(bondy_upgrade_parse(bondy_buf_slice(&head), &upgrade, &why),
                         extra == 94 ? 0 : 431);
        bondy_buf_fini(&head);
    }
}

static void only_a_websocket_upgrade_is_wanted(void **state)
{
    static const struct {
        const char *head;
        bool is_wanted;
    } cases[] = {
        {LINE HOST UPGRADE END, true},
        {LINE HOST "upgrade : a, WEBSOCKET\r\n" END, true},
        {LINE HOST END, false},
        {LINE HOST "Upgrade: h2c\r\n" END, false},
        {LINE HOST "X-Upgrade: websocket\r\n" END, false},
        {LINE HOST END "Upgrade: websocket\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        assert_int_equal(bondy_upgrade_is_wanted(bondy_slice_text(cases[i].head)),
                         cases[i].is_wanted);
}

/* RFC 7692, 7.1 */
static void an_offer_is_taken_when_all_it_asks_for_can_be_kept(void **state)
{
    static const struct {
        const char *offer;
        bool is_taken;
    } cases[] = {
        {"permessage-deflate", true},
        {"permessage-deflate; client_max_window_bits", true},
        {"permessage-deflate;client_max_window_bits=10; server_no_context_takeover", true},
        {"permessage-deflate; server_max_window_bits=10", false},
        {"permessage-deflate; server_max_window_bits=10, permessage-deflate", true},
        {"x-webkit-deflate-frame", false},
        {"permessage-deflate; nonsense", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf head = BONDY_BUF_EMPTY;
        struct bondy_upgrade upgrade;
        const char *why;

        bondy_buf_printf(
            &head, LINE HOST UPGRADE VERSION KEY PROTOCOL "Sec-WebSocket-Extensions: %s\r\n" END,
            cases[i].offer);
        assert_int_equal(bondy_upgrade_parse(bondy_buf_slice(&head), &upgrade, &why), 0);
        if (upgrade.offers_deflate != cases[i].is_taken)
            fail_msg("%s", cases[i].offer);
        bondy_buf_fini(&head);
    }
}

/* What the library is given is a head that we would take ourselves, with the same key. */
static void the_head_for_the_library_holds_the_choice_alone(void **state)
{
    static const char head[] = LINE HOST UPGRADE VERSION KEY
        "Sec-WebSocket-Protocol: a, wamp.2.cbor, wamp.2.json\r\nCookie: secret\r\n" END;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_upgrade upgrade, again;
    const char *why;

    (void)state;
    assert_int_equal(bondy_upgrade_parse(bondy_slice_text(head), &upgrade, &why), 0);
    bondy_upgrade_format(&upgrade, false, &out);
    assert_int_equal(bondy_upgrade_parse(bondy_buf_slice(&out), &again, &why), 0);
    assert_int_equal(again.serializer, BONDY_CBOR);
    assert_true(bondy_slice_eq(again.key, upgrade.key));
    assert_null(memmem(out.data, out.len, "secret", 6));
    bondy_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_taken_or_refused_with_a_status),
        cmocka_unit_test(a_head_cut_anywhere_is_not_whole_and_breaks_nothing),
        cmocka_unit_test(a_hundred_headers_are_too_many_only_from_the_next_on),
        cmocka_unit_test(only_a_websocket_upgrade_is_wanted),
        cmocka_unit_test(an_offer_is_taken_when_all_it_asks_for_can_be_kept),
        cmocka_unit_test(the_head_for_the_library_holds_the_choice_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

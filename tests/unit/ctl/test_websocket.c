/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/ctl/websocket.h"

/* The key and its answer are the example of RFC 6455, 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ANSWER "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define HEAD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"

static void an_answer_is_accepted_only_when_all_of_it_is_right(void **state)
{
    static const struct {
        const char *text;
        int expected;
    } cases[] = {
        {HEAD ANSWER "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n", BONDY_OK},
        {HEAD "sec-websocket-ACCEPT:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"
              "sec-websocket-protocol: wamp.2.json\r\n\r\nrest",
         BONDY_OK},
        {"", BONDY_EAGAIN},
        {HEAD ANSWER, BONDY_EAGAIN},
        {HEAD ANSWER "\r\n", BONDY_EPROTO},
        {HEAD ANSWER "Sec-WebSocket-Protocol: wamp.2.cbor\r\n\r\n", BONDY_EPROTO},
        {HEAD "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n",
         BONDY_EPROTO},
        {"HTTP/1.1 200 OK\r\n\r\n", BONDY_EPROTO},
        {"SSH-2.0\r\n\r\n", BONDY_EPROTO},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_error err;
        size_t used = 0;

        print_message("%s\n", cases[i].text);
        assert_int_equal(bondy_websocket_accept(bondy_slice_text(cases[i].text), KEY, "wamp.2.json",
                                                &used, &err),
                         cases[i].expected);
        if (cases[i].expected == BONDY_OK)
            assert_memory_equal(cases[i].text + used - 4, "\r\n\r\n", 4);
    }
}

static void a_refusal_names_the_status_line(void **state)
{
    struct bondy_error err;
    size_t used;

    (void)state;
    bondy_websocket_accept(BONDY_SLICE("HTTP/1.1 404 Not Found\r\n\r\n"), KEY, "x", &used, &err);
    assert_non_null(strstr(err.text, "HTTP/1.1 404 Not Found"));
}

/* What was written, read back: the mask taken off by hand, since servers do not mask. */
static void frames_of_every_size_are_masked_and_whole(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 200000};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(sizes); i++) {
        struct bondy_buf payload = BONDY_BUF_EMPTY, frame = BONDY_BUF_EMPTY;
        size_t head = sizes[i] < 126 ? 2 : sizes[i] < 65536 ? 4 : 10;
        struct bondy_websocket_frame out;
        const char *mask;

        memset(bondy_buf_reserve(&payload, sizes[i] + 1), 'a' + (int)i, sizes[i]);
        payload.len = sizes[i];
        bondy_websocket_write(BONDY_WEBSOCKET_BINARY, bondy_buf_slice(&payload), &frame);
        assert_int_equal(frame.len, head + 4 + sizes[i]);
        assert_int_equal((unsigned char)frame.data[0], 0x82);
        assert_true((frame.data[1] & 0x80) != 0);
        mask = frame.data + head;
        for (size_t j = 0; j < sizes[i]; j++)
            frame.data[head + 4 + j] = (char)(frame.data[head + 4 + j] ^ mask[j % 4]);
        frame.data[1] = (char)(frame.data[1] & 0x7F);
        memmove(frame.data + head, frame.data + head + 4, sizes[i]);
        assert_int_equal(
            bondy_websocket_read(bondy_slice_of(frame.data, head + sizes[i]), 1 << 20, &out, NULL),
            BONDY_OK);
        assert_true(out.is_final);
        assert_int_equal(out.opcode, BONDY_WEBSOCKET_BINARY);
        assert_int_equal(out.used, head + sizes[i]);
        assert_true(bondy_slice_eq(out.payload, bondy_buf_slice(&payload)));
        if (sizes[i] > 0)
            assert_int_equal(bondy_websocket_read(bondy_slice_of(frame.data, head + sizes[i] - 1),
                                                  1 << 20, &out, NULL),
                             BONDY_EAGAIN);
        bondy_buf_fini(&payload);
        bondy_buf_fini(&frame);
    }
}

static void frames_no_server_may_send_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int expected;
    } cases[] = {
        {"\x81", 1, BONDY_EAGAIN},
        {"\xc1\x00", 2, BONDY_EPROTO},                                  /* reserved bit */
        {"\x81\x81", 2, BONDY_EPROTO},                                  /* masked */
        {"\x82\x7e\x01", 3, BONDY_EAGAIN},                              /* half a length */
        {"\x82\x7e\x04\x01", 4, BONDY_EPROTO},                          /* over the limit */
        {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, BONDY_EPROTO}, /* far over it */
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_websocket_frame out;

        assert_int_equal(
            bondy_websocket_read(bondy_slice_of(cases[i].bytes, cases[i].len), 1024, &out, NULL),
            cases[i].expected);
    }
}

static void a_request_asks_for_what_it_should(void **state)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    char key[25], expected[500];

    (void)state;
    bondy_websocket_request("host:80", "/ws", "wamp.2.json", key, &out);
    assert_int_equal(strlen(key), 24);
    snprintf(expected, sizeof expected,
             "GET /ws HTTP/1.1\r\nHost: host:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n",
             key);
    assert_slice_is(bondy_buf_slice(&out), expected);
    bondy_buf_fini(&out);
}

static int start(void **state)
{
    (void)state;
    return bondy_id_start(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_accepted_only_when_all_of_it_is_right),
        cmocka_unit_test(a_refusal_names_the_status_line),
        cmocka_unit_test(frames_of_every_size_are_masked_and_whole),
        cmocka_unit_test(frames_no_server_may_send_are_refused),
        cmocka_unit_test(a_request_asks_for_what_it_should),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}

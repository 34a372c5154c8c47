/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/http/range.h"
#include "src/http/response.h"
#include "tests/lib/http_client.h"

/* Bodies by the piece, and answers from files. A handler that does what the path says:
 *   /hold...    is paused when its head is there, until the test goes on
 *   /stream...  gives its body to a sink at once
 *   /file       answers with the rig's file, /part with the middle of it */
struct rig {
    struct bondy_loop *loop;
    struct bondy_http_server *server;
    struct bondy_http_listener listener;
    struct bondy_request *request; /* the one there is; NULL: answered or gone */
    struct bondy_buf seen;
    size_t pause_at;  /* octets after which the sink pauses; 0: never */
    size_t answer_at; /* octets after which the sink answers; 0: never */
    bool is_paused;
    unsigned heads, requests, gone;
    char path[64];
    int file;
    size_t file_len;
};

static void answer(struct rig *rig, unsigned status)
{
    struct bondy_request *request = BONDY_MOVE(rig->request);
    struct bondy_response *response = bondy_response_create(status);
    struct bondy_buf out = BONDY_BUF_EMPTY;

    bondy_buf_printf(&out, "%zu", rig->seen.len);
    bondy_response_body(response, &out, "text/plain");
    bondy_response_send(request, response);
}

static void take(void *context, struct bondy_request *request, struct bondy_slice piece)
{
    struct rig *rig = context;

    assert_true(piece.len > 0);
    assert_false(rig->is_paused);
    bondy_buf_append_slice(&rig->seen, piece);
    if (rig->answer_at > 0 && rig->seen.len >= rig->answer_at) {
        answer(rig, 507);
    } else if (rig->pause_at > 0 && rig->seen.len >= rig->pause_at) {
        rig->pause_at = 0;
        rig->is_paused = true;
        bondy_request_pause(request);
    }
}

static bool begins(struct bondy_request *request, const char *text)
{
    return bondy_slice_starts(bondy_request_path(request), bondy_slice_text(text));
}

static void send_file(struct rig *rig, size_t offset, size_t len)
{
    struct bondy_response *response = bondy_response_create(200);

    bondy_response_file(response, dup(rig->file), offset, len, "application/octet-stream");
    bondy_response_send(BONDY_MOVE(rig->request), response);
}

static void on_head(void *context, struct bondy_request *request)
{
    const struct bondy_body_sink sink = {take, context};
    struct rig *rig = context;

    rig->heads++;
    rig->request = request;
    if (begins(request, "/hold"))
        bondy_request_pause(request);
    if (begins(request, "/hold") || begins(request, "/stream"))
        bondy_request_stream(request, &sink);
    if (begins(request, "/stream"))
        bondy_request_expect_body(request, 1 << 30, 0);
    if (begins(request, "/file"))
        send_file(rig, 0, rig->file_len);
    else if (begins(request, "/part"))
        send_file(rig, 1000, 5000);
}

static void on_request(void *context, struct bondy_request *request)
{
    struct rig *rig = context;

    rig->requests++;
    assert_int_equal(bondy_request_body(request).len, 0);
    answer(rig, 200);
}

static void on_gone(void *context, struct bondy_request *request)
{
    struct rig *rig = context;

    assert_ptr_equal(rig->request, request);
    rig->request = NULL;
    rig->gone++;
}

static const struct bondy_http_handler handler = {on_head, on_request, on_gone};

static int rig_start(void **state)
{
    struct rig *rig = bondy_zalloc(sizeof *rig);

    rig->listener = (struct bondy_http_listener){
        .name = "test",
        .scheme = "http",
        .limits = {32 << 10, 100, 8 << 20, 10000, 60000, 30000, 1000},
        .handler = &handler,
        .context = rig,
    };
    snprintf(rig->path, sizeof rig->path, "/tmp/bondy-test-bodies-XXXXXX");
    rig->file = mkstemp(rig->path);
    assert_true(rig->file >= 0);
    assert_int_equal(bondy_loop_create(0, &rig->loop, NULL), BONDY_OK);
    assert_int_equal(bondy_http_server_create(rig->loop, 100, &rig->server, NULL), BONDY_OK);
    *state = rig;
    return 0;
}

static int rig_stop(void **state)
{
    struct rig *rig = *state;

    bondy_http_server_destroy(rig->server);
    bondy_loop_destroy(rig->loop);
    bondy_buf_fini(&rig->seen);
    close(rig->file);
    unlink(rig->path);
    bondy_free(rig);
    return 0;
}

static void open_client(struct rig *rig, struct http_client *client)
{
    http_client_open(client, rig->server, rig->loop, &rig->listener);
}

static void turn_until(struct rig *rig, const unsigned *count, unsigned wanted)
{
    for (unsigned i = 0; i < 2000 && *count < wanted; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_int_equal(*count, wanted);
}

static void say_length(struct http_client *client, const char *path, size_t len, const char *more)
{
    char head[256];

    snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n%s\r\n", path,
             len, more);
    assert_true(http_client_say(client, head));
}

static char *make_octets(size_t len)
{
    char *octets = bondy_alloc(len);
    uint32_t number = 1;

    for (size_t i = 0; i < len; i++) {
        number = number * 1664525u + 1013904223u;
        octets[i] = (char)(number >> 24);
    }
    return octets;
}

/* ---- held ------------------------------------------------------------------------------------ */

static void nothing_of_a_body_is_seen_before_its_request_goes_on(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    for (unsigned round = 1; round <= 2; round++) { /* and the connection stays */
        rig->seen.len = 0;
        say_length(&client, "/hold", 5, "");
        http_client_say(&client, "hello");
        turn_until(rig, &rig->heads, round);
        for (unsigned i = 0; i < 20; i++)
            bondy_loop_turn(rig->loop, 1);
        assert_int_equal(rig->seen.len, 0);
        assert_int_equal(rig->requests, round - 1);
        assert_int_equal(bondy_http_server_pending(rig->server), 1);
        bondy_request_resume(rig->request);
        bondy_request_resume(rig->request); /* harmless */
        assert_true(http_client_read(&client, false, &reply));
        assert_int_equal(reply.status, 200);
        assert_memory_equal(rig->seen.data, "hello", 5);
        assert_int_equal(bondy_http_server_pending(rig->server), 0);
    }
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_held_request_without_body_goes_on_too(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    http_client_say(&client, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    turn_until(rig, &rig->heads, 1);
    bondy_request_resume(rig->request);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 200);
    http_client_say(&client, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    turn_until(rig, &rig->heads, 2);
    answer(rig, 403);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 403);
    assert_int_equal(rig->requests, 1);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void who_asks_whether_to_send_is_told_when_it_is_known(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    say_length(&client, "/hold", 2, "Expect: 100-continue\r\n");
    turn_until(rig, &rig->heads, 1);
    http_client_poll(&client);
    assert_int_equal(client.in.len, 0);
    bondy_request_resume(rig->request);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 100);
    assert_int_equal(http_client_ask(&client, "ok", &reply), 200);

    say_length(&client, "/hold", 2000000, "Expect: 100-continue\r\n");
    turn_until(rig, &rig->heads, 2);
    answer(rig, 403);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 403); /* and no 100 */
    assert_true(http_client_wait_end(&client));
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_refusal_spares_the_connection_a_long_body_and_keeps_it_for_a_short_one(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    for (unsigned round = 1; round <= 3; round++) {
        say_length(&client, "/hold", 5, "");
        turn_until(rig, &rig->heads, round);
        answer(rig, 401);
        http_client_say(&client, "hello");
        assert_true(http_client_read(&client, false, &reply));
        assert_int_equal(reply.status, 401);
        assert_null(http_reply_header(&reply, "connection"));
    }
    say_length(&client, "/hold", 200000, "");
    turn_until(rig, &rig->heads, 4);
    answer(rig, 401);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 401);
    assert_string_equal(http_reply_header(&reply, "connection"), "close");
    assert_int_equal(rig->seen.len, 0);
    assert_int_equal(rig->gone, 0);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_length_over_the_limit_is_refused_when_the_request_goes_on(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    say_length(&client, "/hold", 100, "");
    turn_until(rig, &rig->heads, 1);
    bondy_request_expect_body(rig->request, 99, 0);
    bondy_request_resume(rig->request);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 413);
    assert_int_equal(rig->gone, 1);
    assert_int_equal(rig->seen.len, 0);
    http_reply_fini(&reply);
    http_client_close(&client);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static void a_body_comes_by_pieces_whatever_its_framing(void **state)
{
    struct rig *rig = *state;
    size_t len = 3 << 20;
    char *octets = make_octets(len), line[32];
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    say_length(&client, "/stream", len, "");
    assert_true(http_client_send(&client, octets, len));
    assert_true(http_client_read(&client, false, &reply));
    assert_string_equal(reply.body.data, "3145728");
    assert_memory_equal(rig->seen.data, octets, len);

    rig->seen.len = 0;
    http_client_say(&client,
                    "PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0, part = 1; at < len; at += part, part = part * 7 % 99991 + 1) {
        if (part > len - at)
            part = len - at;
        snprintf(line, sizeof line, "%zx\r\n", part);
        http_client_say(&client, line);
        http_client_send(&client, octets + at, part);
        http_client_say(&client, "\r\n");
    }
    http_client_say(&client, "0\r\n\r\n");
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 200);
    assert_int_equal(rig->seen.len, len);
    assert_memory_equal(rig->seen.data, octets, len);
    bondy_free(octets);
    http_reply_fini(&reply);
    http_client_close(&client);
}

/* Chunks that came together: the library must not go on with the second when the first paused. */
static void a_pause_between_chunks_loses_nothing(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    rig->pause_at = 3;
    http_client_say(&client, "PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n");
    for (unsigned i = 0; i < 2000 && !rig->is_paused; i++)
        bondy_loop_turn(rig->loop, 5);
    for (unsigned i = 0; i < 20; i++)
        bondy_loop_turn(rig->loop, 1);
    assert_int_equal(rig->seen.len, 3);
    rig->is_paused = false;
    bondy_request_resume(rig->request);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 200);
    assert_memory_equal(rig->seen.data, "abcdef", 6);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_pause_holds_the_client_back_and_runs_no_time(void **state)
{
    struct rig *rig = *state;
    size_t len = 8 << 20, sent = 0;
    char *octets = make_octets(len);
    struct http_client client;
    struct http_reply reply = {0};

    rig->listener.limits.body_timeout_ms = 500;
    rig->pause_at = 100000;
    open_client(rig, &client);
    say_length(&client, "/stream", len, "");
    for (uint64_t since_ms = bondy_loop_now_ms(rig->loop);
         bondy_loop_now_ms(rig->loop) < since_ms + 1200;) {
        ssize_t now = write(client.fd, octets + sent, len - sent);

        sent += now > 0 ? (size_t)now : 0;
        bondy_loop_turn(rig->loop, 1);
    }
    assert_true(rig->is_paused);
    assert_true(rig->seen.len >= 100000 && rig->seen.len < 200000);
    assert_true(sent < 4 << 20);
    assert_int_equal(rig->gone, 0);
    rig->is_paused = false;
    bondy_request_expect_body(rig->request, len, 30000);
    bondy_request_resume(rig->request);
    assert_true(http_client_send(&client, octets + sent, len - sent));
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 200);
    assert_memory_equal(rig->seen.data, octets, len);
    bondy_free(octets);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void silence_in_a_streamed_body_ends_it(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    rig->listener.limits.body_timeout_ms = 40;
    open_client(rig, &client);
    say_length(&client, "/hold", 10, "");
    turn_until(rig, &rig->heads, 1);
    bondy_request_resume(rig->request);
    assert_int_equal(http_client_ask(&client, "half", &reply), 408);
    turn_until(rig, &rig->gone, 1);
    assert_int_equal(rig->requests, 0);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void too_many_chunks_are_refused_in_their_middle(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    http_client_say(&client, "PUT /hold HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    turn_until(rig, &rig->heads, 1);
    bondy_request_expect_body(rig->request, 8, 0);
    bondy_request_resume(rig->request);
    assert_int_equal(http_client_ask(&client, "6\r\nabcdef\r\n6\r\nghijkl\r\n", &reply), 413);
    assert_int_equal(rig->gone, 1);
    assert_int_equal(rig->seen.len, 6);
    http_reply_fini(&reply);
    http_client_close(&client);
}

/* ---- answers in the middle ------------------------------------------------------------------- */

static void a_sink_may_answer_and_sees_nothing_more(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    size_t len = 1 << 20;
    char *octets = make_octets(len);

    rig->answer_at = 4;
    http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
    say_length(&client, "/stream", 10, "");
    assert_int_equal(http_client_ask(&client, "0123456789", &reply), 507);
    assert_null(http_reply_header(&reply, "connection")); /* little was left */
    rig->seen.len = 0;
    say_length(&client, "/stream", len, "");
    assert_true(http_client_send(&client, octets, len));
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 507);
    assert_string_equal(http_reply_header(&reply, "connection"), "close");
    assert_true(http_client_wait_end(&client));
    assert_true(rig->seen.len < 100000);
    assert_int_equal(rig->requests, 0);
    bondy_free(octets);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void an_answer_may_come_while_the_body_does_or_is_paused(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    for (unsigned is_paused = 0; is_paused < 2; is_paused++) {
        http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
        rig->seen.len = 0;
        rig->pause_at = is_paused ? 3 : 0;
        say_length(&client, "/stream", 1000000, "");
        http_client_say(&client, "abc");
        for (unsigned i = 0; i < 2000 && rig->seen.len < 3; i++)
            bondy_loop_turn(rig->loop, 5);
        bondy_loop_turn(rig->loop, 1);
        rig->is_paused = false;
        answer(rig, 500);
        assert_true(http_client_read(&client, false, &reply));
        assert_int_equal(reply.status, 500);
        assert_true(http_client_wait_end(&client));
        http_client_close(&client);
    }
    assert_int_equal(rig->gone, 0);
    assert_int_equal(rig->requests, 0);
    assert_int_equal(bondy_http_server_pending(rig->server), 0);
    http_reply_fini(&reply);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void a_client_that_leaves_is_noticed_wherever_it_is(void **state)
{
    static const struct {
        const char *name, *path;
        size_t pause_at;
    } cases[] = {{"held", "/hold", 0}, {"reading", "/stream", 0}, {"paused", "/stream", 2}};
    struct rig *rig = *state;

    for (unsigned i = 0; i < BONDY_COUNT(cases); i++) {
        struct http_client client;

        rig->seen.len = 0;
        rig->pause_at = cases[i].pause_at;
        rig->is_paused = false;
        http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
        say_length(&client, cases[i].path, 1000, "");
        http_client_say(&client, "abc");
        turn_until(rig, &rig->heads, i + 1);
        for (unsigned k = 0; k < 2000 && i > 0 && rig->seen.len < 3; k++)
            bondy_loop_turn(rig->loop, 5);
        http_client_close(&client);
        turn_until(rig, &rig->gone, i + 1);
        assert_int_equal(bondy_http_server_pending(rig->server), 0);
    }
    assert_int_equal(rig->requests, 0);
}

/* Before the watch of the pause saw it: the library finds it when it goes on. */
static void a_client_that_left_is_noticed_when_its_request_goes_on(void **state)
{
    static const char *const bodies[] = {"", "abc"};
    struct rig *rig = *state;
    unsigned count = 0;

    for (unsigned tcp = 0; tcp < 2; tcp++)
        for (unsigned i = 0; i < BONDY_COUNT(bodies); i++) {
            struct http_client client;

            if (tcp)
                http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
            else
                open_client(rig, &client);
            say_length(&client, "/hold", 1000, "");
            http_client_say(&client, bodies[i]);
            turn_until(rig, &rig->heads, ++count);
            bondy_loop_turn(rig->loop, 1);
            http_client_close(&client);
            bondy_request_resume(rig->request);
            turn_until(rig, &rig->gone, count);
        }
    assert_int_equal(rig->requests, 0);
}

/* Its octets and its end came together: one event, and the octets are read first. */
static void a_client_that_left_at_once_is_noticed(void **state)
{
    static const char *const paths[] = {"/stream", "/kept"};
    struct rig *rig = *state;
    unsigned count = 0;

    for (unsigned is_chunked = 0; is_chunked < 2; is_chunked++)
        for (size_t i = 0; i < BONDY_COUNT(paths); i++)
            for (size_t len = 3; len < 400000; len = len * 50 + 1) {
                char *octets = make_octets(len), head[160];
                struct http_client client;

                http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
                snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: h\r\n%s\r\n", paths[i],
                         is_chunked ? "Transfer-Encoding: chunked\r\n\r\nfffff"
                                    : "Content-Length: 1000000\r\n");
                http_client_say(&client, head);
                http_client_send(&client, octets, len);
                http_client_close(&client);
                turn_until(rig, &rig->gone, ++count);
                bondy_free(octets);
            }
    assert_int_equal(rig->requests, 0);
}

static void a_server_that_stops_gives_up_what_is_held_and_paused(void **state)
{
    struct rig *rig = *state;
    struct http_client held, paused;
    struct bondy_request *first;
    struct http_reply reply = {0};

    open_client(rig, &held);
    say_length(&held, "/hold", 1000000, "");
    turn_until(rig, &rig->heads, 1);
    first = rig->request;
    open_client(rig, &paused);
    rig->pause_at = 1;
    say_length(&paused, "/stream", 1000000, "");
    http_client_say(&paused, "abc");
    for (unsigned k = 0; k < 2000 && !rig->is_paused; k++)
        bondy_loop_turn(rig->loop, 5);
    bondy_loop_turn(rig->loop, 1);
    answer(rig, 200); /* one handler has one request: this one gets its answer */
    rig->request = first;
    bondy_http_server_destroy(rig->server);
    assert_int_equal(rig->gone, 1);
    assert_true(http_client_read(&held, false, &reply));
    assert_int_equal(reply.status, 503);
    assert_int_equal(bondy_http_server_create(rig->loop, 100, &rig->server, NULL), BONDY_OK);
    http_client_close(&held);

    open_client(rig, &held);
    rig->seen.len = 0;
    rig->pause_at = 1;
    rig->is_paused = false;
    say_length(&held, "/stream", 1000000, "");
    http_client_say(&held, "abc");
    for (unsigned k = 0; k < 2000 && !rig->is_paused; k++)
        bondy_loop_turn(rig->loop, 5);
    bondy_loop_turn(rig->loop, 1);
    bondy_http_server_destroy(rig->server);
    assert_int_equal(rig->gone, 2);
    assert_true(http_client_read(&held, false, &reply));
    assert_int_equal(reply.status, 503);
    assert_int_equal(bondy_http_server_create(rig->loop, 100, &rig->server, NULL), BONDY_OK);
    http_client_close(&held);
    http_client_close(&paused);
    http_reply_fini(&reply);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void an_answer_may_be_a_file_or_a_part_of_it(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    char *octets;

    rig->file_len = 3 << 20;
    octets = make_octets(rig->file_len);
    assert_int_equal(write(rig->file, octets, rig->file_len), rig->file_len);
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        if (tcp)
            http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
        else
            open_client(rig, &client);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(
                http_client_ask(&client, "GET /file HTTP/1.1\r\nHost: h\r\n\r\n", &reply), 200);
            assert_int_equal(reply.body.len, rig->file_len);
            assert_memory_equal(reply.body.data, octets, rig->file_len);
            assert_string_equal(http_reply_header(&reply, "content-type"),
                                "application/octet-stream");
            assert_int_equal(
                http_client_ask(&client, "GET /part HTTP/1.1\r\nHost: h\r\n\r\n", &reply), 200);
            assert_int_equal(reply.body.len, 5000);
            assert_memory_equal(reply.body.data, octets + 1000, 5000);
        }
        http_client_say(&client, "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_true(http_client_read(&client, true, &reply));
        assert_string_equal(http_reply_header(&reply, "content-length"), "3145728");
        http_client_close(&client);
    }
    bondy_free(octets);
    http_reply_fini(&reply);
}

static void an_empty_file_is_an_empty_body(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    assert_int_equal(http_client_ask(&client, "GET /file HTTP/1.1\r\nHost: h\r\n\r\n", &reply),
                     200);
    assert_string_equal(http_reply_header(&reply, "content-length"), "0");
    /* A body nobody asked for: it is read, when it is short. */
    assert_int_equal(http_client_ask(&client,
                                     "GET /file HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
                                     &reply),
                     200);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static unsigned open_files(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_file_is_closed_when_its_reader_leaves(void **state)
{
    struct rig *rig = *state;
    unsigned before;
    struct http_client client;

    rig->file_len = 64 << 20;
    assert_int_equal(ftruncate(rig->file, (off_t)rig->file_len), 0);
    open_client(rig, &client);
    bondy_loop_turn(rig->loop, 1);
    before = open_files() - 2; /* without this connection */
    http_client_say(&client, "GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
    turn_until(rig, &rig->heads, 1);
    bondy_loop_turn(rig->loop, 5);
    assert_true(open_files() > before + 2);
    http_client_close(&client);
    for (unsigned i = 0; i < 2000 && open_files() != before; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_int_equal(open_files(), before);
}

/* ---- ranges and tags ------------------------------------------------------------------------- */

static void ranges_are_read_or_ignored(void **state)
{
    static const struct {
        const char *header;
        enum bondy_range_outcome outcome;
        uint64_t first, len;
    } cases[] = {
        {"bytes=0-0", BONDY_RANGE_PART, 0, 1},
        {"bytes=0-", BONDY_RANGE_PART, 0, 100},
        {"Bytes= 10-19 ", BONDY_RANGE_PART, 10, 10},
        {"bytes=90-1000", BONDY_RANGE_PART, 90, 10},
        {"bytes=99-", BONDY_RANGE_PART, 99, 1},
        {"bytes=-1", BONDY_RANGE_PART, 99, 1},
        {"bytes=-100", BONDY_RANGE_PART, 0, 100},
        {"bytes=-1000", BONDY_RANGE_PART, 0, 100},
        {"bytes=0-999999999999999999", BONDY_RANGE_PART, 0, 100},
        {"bytes=100-", BONDY_RANGE_NONE, 0, 0},
        {"bytes=100-200", BONDY_RANGE_NONE, 0, 0},
        {"bytes=-0", BONDY_RANGE_NONE, 0, 0},
        {"", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=-", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=1", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=5-4", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=0-1,3-4", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=0-1 2", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=0--1", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", BONDY_RANGE_WHOLE, 0, 0},
        {"bytes=18446744073709551616-", BONDY_RANGE_WHOLE, 0, 0},
        {"items=0-1", BONDY_RANGE_WHOLE, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        uint64_t first = 0, len = 0;

        if (bondy_range_parse(bondy_slice_text(cases[i].header), 100, &first, &len) !=
            cases[i].outcome)
            fail_msg("%s", cases[i].header);
        if (cases[i].outcome == BONDY_RANGE_PART &&
            (first != cases[i].first || len != cases[i].len))
            fail_msg("%s: %zu octets from %zu", cases[i].header, (size_t)len, (size_t)first);
    }
}

static void tags_are_compared_weakly_in_a_list(void **state)
{
    static const struct {
        const char *list;
        bool has_it;
    } cases[] = {
        {"\"a\"", true},           {"W/\"a\"", true}, {"*", true},  {"\"b\", \"a\"", true},
        {"\"b\" ,W/\"a\" ", true}, {"\"b\"", false},  {"a", false}, {"", false},
        {"\"aa\"", false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        if (bondy_range_has_tag(bondy_slice_text(cases[i].list), BONDY_SLICE("\"a\"")) !=
            cases[i].has_it)
            fail_msg("%s", cases[i].list);
}

int main(void)
{
#define RIGGED(test) cmocka_unit_test_setup_teardown(test, rig_start, rig_stop)
    const struct CMUnitTest tests[] = {
        RIGGED(nothing_of_a_body_is_seen_before_its_request_goes_on),
        RIGGED(a_held_request_without_body_goes_on_too),
        RIGGED(who_asks_whether_to_send_is_told_when_it_is_known),
        RIGGED(a_refusal_spares_the_connection_a_long_body_and_keeps_it_for_a_short_one),
        RIGGED(a_length_over_the_limit_is_refused_when_the_request_goes_on),
        RIGGED(a_body_comes_by_pieces_whatever_its_framing),
        RIGGED(a_pause_between_chunks_loses_nothing),
        RIGGED(a_pause_holds_the_client_back_and_runs_no_time),
        RIGGED(silence_in_a_streamed_body_ends_it),
        RIGGED(too_many_chunks_are_refused_in_their_middle),
        RIGGED(a_sink_may_answer_and_sees_nothing_more),
        RIGGED(an_answer_may_come_while_the_body_does_or_is_paused),
        RIGGED(a_client_that_leaves_is_noticed_wherever_it_is),
        RIGGED(a_client_that_left_is_noticed_when_its_request_goes_on),
        RIGGED(a_client_that_left_at_once_is_noticed),
        RIGGED(a_server_that_stops_gives_up_what_is_held_and_paused),
        RIGGED(an_answer_may_be_a_file_or_a_part_of_it),
        RIGGED(an_empty_file_is_an_empty_body),
        RIGGED(a_file_is_closed_when_its_reader_leaves),
        cmocka_unit_test(ranges_are_read_or_ignored),
        cmocka_unit_test(tags_are_compared_weakly_in_a_list),
    };

    signal(SIGPIPE, SIG_IGN); /* as in the daemon: a file is sent without a word against it */
    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

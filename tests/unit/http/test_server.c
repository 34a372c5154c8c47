/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/metric.h"
#include "src/http/response.h"
#include "tests/lib/http_client.h"

/* A handler that does what the path says:
 *   /early    answers 403 when the head is there
 *   /small    takes 10 octets of body
 *   /wait     answers when the test says so
 *   /inject   tries a header with what the body holds
 *   else      echoes method, path, query and body */
struct rig {
    struct bondy_loop *loop;
    struct bondy_http_server *server;
    struct bondy_http_listener listener;
    struct bondy_request *waiting;
    unsigned heads, requests, gone;
};

static void on_head(void *context, struct bondy_request *request)
{
    struct rig *rig = context;

    rig->heads++;
    if (bondy_slice_is(bondy_request_path(request), "/early"))
        bondy_response_problem(request, 403, "no", "not you", "", NULL);
    else if (bondy_slice_is(bondy_request_path(request), "/small"))
        bondy_request_expect_body(request, 10, 0);
}

static void echo(struct bondy_request *request)
{
    struct bondy_response *response = bondy_response_create(200);
    struct bondy_buf out = BONDY_BUF_EMPTY;

    bondy_buf_printf(&out, "%s ", bondy_method_name(bondy_request_method(request)));
    bondy_buf_append_slice(&out, bondy_request_host(request));
    bondy_buf_printf(&out, ":%u ", bondy_request_port(request));
    bondy_buf_append_slice(&out, bondy_request_path(request));
    bondy_buf_append_text(&out, " ");
    bondy_buf_append_slice(&out, bondy_request_query(request));
    bondy_buf_append_text(&out, " ");
    bondy_buf_append_slice(&out, bondy_request_body(request));
    bondy_response_body(response, &out, "text/plain");
    bondy_response_send(request, response);
}

static void inject(struct bondy_request *request)
{
    struct bondy_response *response = bondy_response_create(204);
    struct bondy_error err;

    if (bondy_response_header(response, "X-Test", bondy_request_body(request), &err) < 0)
        response = (bondy_response_destroy(response), bondy_response_create(500));
    bondy_response_send(request, response);
}

static void on_request(void *context, struct bondy_request *request)
{
    struct rig *rig = context;

    rig->requests++;
    if (bondy_slice_is(bondy_request_path(request), "/wait"))
        rig->waiting = request;
    else if (bondy_slice_is(bondy_request_path(request), "/inject"))
        inject(request);
    else
        echo(request);
}

static void on_gone(void *context, struct bondy_request *request)
{
    struct rig *rig = context;

    rig->gone++;
    if (rig->waiting == request)
        rig->waiting = NULL;
}

static const struct bondy_http_handler handler = {on_head, on_request, on_gone};
static const char *const always[] = {"server", "bondy", "x-content-type-options", "nosniff", NULL};

static int rig_start(void **state)
{
    struct rig *rig = bondy_zalloc(sizeof *rig);

    rig->listener = (struct bondy_http_listener){
        .name = "test",
        .scheme = "http",
        .limits = {32 << 10, 100, 8 << 20, 10000, 60000, 30000, 1000},
        .handler = &handler,
        .context = rig,
        .response_headers = always,
    };
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
    bondy_free(rig);
    return 0;
}

static void open_client(struct rig *rig, struct http_client *client)
{
    http_client_open(client, rig->server, rig->loop, &rig->listener);
}

/* ---- what works ------------------------------------------------------------------------------ */

static void a_request_is_answered_and_the_connection_stays(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(http_client_ask(&client,
                                         "GET /a/%62?x=1&y=%20 HTTP/1.1\r\nHost: "
                                         "Example.ORG:8080\r\n\r\n",
                                         &reply),
                         200);
        assert_string_equal(reply.body.data, "GET example.org:8080 /a/%62 x=1&y=%20 ");
    }
    assert_string_equal(http_reply_header(&reply, "server"), "bondy");
    assert_string_equal(http_reply_header(&reply, "x-content-type-options"), "nosniff");
    assert_string_equal(http_reply_header(&reply, "content-type"), "text/plain");
    assert_int_equal(strlen(http_reply_header(&reply, "x-request-id")), 36);
    assert_non_null(http_reply_header(&reply, "date"));
    assert_null(http_reply_header(&reply, "connection"));
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void requests_in_one_packet_are_answered_in_order(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    char expected[64];

    open_client(rig, &client);
    http_client_say(&client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                             "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                             "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(http_client_read(&client, false, &reply));
        snprintf(expected, sizeof expected, "%s h:0 /%u  %s", i == 2 ? "POST" : "GET", i,
                 i == 2 ? "abc" : "");
        assert_string_equal(reply.body.data, expected);
    }
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void bodies_come_by_length_and_by_chunks(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    assert_int_equal(http_client_ask(&client,
                                     "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                     "Chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                                     &reply),
                     200);
    assert_string_equal(reply.body.data, "POST h:0 /b  abcde");
    assert_int_equal(http_client_ask(&client,
                                     "PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nwxyz",
                                     &reply),
                     200);
    assert_string_equal(reply.body.data, "PUT h:0 /b  wxyz");
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_large_body_arrives_whole(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    size_t len = 3 << 20;
    char *body = malloc(len);

    memset(body, 'x', len);
    open_client(rig, &client);
    http_client_say(&client, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\n\r\n");
    assert_true(http_client_send(&client, body, len));
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, len + strlen("POST h:0 /b  "));
    free(body);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void head_gets_headers_only(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    assert_int_equal(http_client_ask(&client, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", &reply), 200);
    assert_string_equal(http_reply_header(&reply, "content-length"), "13");
    assert_int_equal(http_client_ask(&client, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", &reply), 200);
    assert_string_equal(reply.body.data, "GET h:0 /x  ");
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void expect_100_is_told_to_go_on_or_not(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    assert_int_equal(http_client_ask(&client,
                                     "POST /b HTTP/1.1\r\nHost: h\r\nExpect: "
                                     "100-continue\r\nContent-Length: 2\r\n\r\n",
                                     &reply),
                     100);
    assert_int_equal(http_client_ask(&client, "ok", &reply), 200);
    assert_string_equal(reply.body.data, "POST h:0 /b  ok");
    assert_int_equal(http_client_ask(&client,
                                     "POST /early HTTP/1.1\r\nHost: h\r\nExpect: "
                                     "100-continue\r\nContent-Length: 2\r\n\r\n",
                                     &reply),
                     403);
    assert_string_equal(http_reply_header(&reply, "connection"), "close");
    assert_true(http_client_wait_end(&client));
    http_client_close(&client);
    open_client(rig, &client);
    assert_int_equal(http_client_ask(&client,
                                     "POST /b HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n"
                                     "Content-Length: 2\r\n\r\nok",
                                     &reply),
                     417);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void an_early_answer_keeps_the_connection_when_the_body_is_short(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    assert_int_equal(
        http_client_ask(
            &client, "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", &reply),
        403);
    assert_null(http_reply_header(&reply, "connection"));
    assert_string_equal(reply.body.data,
                        "{\"code\":\"no\",\"message\":\"not you\",\"description\":\"\"}");
    assert_int_equal(http_client_ask(&client, "GET /early HTTP/1.1\r\nHost: h\r\n\r\n", &reply),
                     403);
    assert_null(http_reply_header(&reply, "connection"));
    assert_int_equal(http_client_ask(&client, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", &reply), 200);
    assert_int_equal(rig->gone, 0);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void the_request_id_of_the_client_is_kept_when_it_is_a_token(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    http_client_ask(&client, "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\n\r\n", &reply);
    assert_string_equal(http_reply_header(&reply, "x-request-id"), "abc-1");
    http_client_ask(&client, "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b\r\n\r\n", &reply);
    assert_int_equal(strlen(http_reply_header(&reply, "x-request-id")), 36);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void problems_are_rfc_9457_when_asked_for(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    http_client_ask(&client,
                    "GET /early HTTP/1.1\r\nHost: h\r\nAccept: application/problem+json\r\n\r\n",
                    &reply);
    assert_string_equal(http_reply_header(&reply, "content-type"), "application/problem+json");
    assert_non_null(strstr(reply.body.data, "\"type\":\"urn:wamp:error:no\",\"title\":\"not you\","
                                            "\"status\":403,"));
    assert_non_null(strstr(reply.body.data, "\"instance\":\"urn:uuid:"));
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void the_last_request_allowed_closes_the_connection(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    rig->listener.limits.max_keepalive = 2;
    open_client(rig, &client);
    http_client_ask(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", &reply);
    assert_null(http_reply_header(&reply, "connection"));
    http_client_ask(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", &reply);
    assert_string_equal(http_reply_header(&reply, "connection"), "close");
    assert_true(http_client_wait_end(&client));
    http_reply_fini(&reply);
    http_client_close(&client);
}

/* ---- H1: smuggling --------------------------------------------------------------------------- */

struct head_case {
    const char *name;
    const char *bytes;
    size_t len;
    unsigned status; /* 0: the connection just closes */
};

#define HEAD_CASE(name_, bytes_, status_)                                                          \
    {                                                                                              \
        name_, bytes_, sizeof(bytes_) - 1, status_                                                 \
    }
/* Behind each: a request that must not be answered. */
#define NEXT "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

static const struct head_case smuggling[] = {
    HEAD_CASE("length and chunks",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
              "chunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("chunks and length",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
              "5\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("two equal lengths",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx" NEXT,
              400),
    HEAD_CASE("two lengths",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy" NEXT,
              400),
    HEAD_CASE("a list of lengths",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx" NEXT, 400),
    HEAD_CASE("a signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx" NEXT,
              400),
    HEAD_CASE("a negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nx" NEXT,
              400),
    HEAD_CASE("a hexadecimal length",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\nx" NEXT, 400),
    HEAD_CASE("an empty length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\nx" NEXT,
              400),
    HEAD_CASE("a length of 20 digits",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\nx" NEXT,
              413),
    HEAD_CASE("an unknown coding",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE(
        "a list of codings",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT,
        400),
    HEAD_CASE("identity",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("two codings",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
              "chunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("a coding behind a vertical tab",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("chunks in HTTP/1.0",
              "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("space before the colon",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("a tab before the colon",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length\t: 1\r\n\r\nx" NEXT, 400),
    HEAD_CASE("a folded coding",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" NEXT,
              400),
    HEAD_CASE("a folded last header", "GET / HTTP/1.1\r\nHost: h\r\nX-A: a\r\n b\r\n\r\n" NEXT,
              400),
    HEAD_CASE("a folded header in the middle",
              "GET / HTTP/1.1\r\nX-A: a\r\n\tb\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("space before the first header", "GET / HTTP/1.1\r\n Host: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n" NEXT, 400),
    HEAD_CASE("NUL in a name", "GET / HTTP/1.1\r\nHost: h\r\nX\0A: a\r\n\r\n" NEXT, 400),
    HEAD_CASE("NUL at the start of a line",
              "GET / HTTP/1.1\r\nHost: h\r\n\0X-A: a\r\nContent-Length: 9\r\n\r\n" NEXT, 400),
    HEAD_CASE("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("a lone CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nX-A: a\rb\r\n\r\n" NEXT, 400),
    HEAD_CASE("bare line feeds", "GET / HTTP/1.1\nHost: h\n\n" NEXT, 400),
    HEAD_CASE("one bare line feed", "GET / HTTP/1.1\r\nHost: h\nX-A: b\r\n\r\n" NEXT, 400),
    HEAD_CASE("no Host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n" NEXT, 400),
    HEAD_CASE("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" NEXT, 400),
    HEAD_CASE("two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" NEXT, 400),
    HEAD_CASE("a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" NEXT, 400),
    HEAD_CASE("a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" NEXT, 400),
    HEAD_CASE("a user in Host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n" NEXT, 400),
    HEAD_CASE("a port that is none", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n" NEXT, 400),
    HEAD_CASE("a port too great", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n" NEXT, 400),
    HEAD_CASE("an open IP literal", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" NEXT, 400),
    HEAD_CASE("no name", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n" NEXT, 400),
    HEAD_CASE("a name with an octet above 127",
              "GET / HTTP/1.1\r\nHost: h\r\nX-\xc3\xa4: a\r\n\r\n" NEXT, 400),
    HEAD_CASE("no colon", "GET / HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n" NEXT, 400),
    HEAD_CASE("two spaces before the target", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("two spaces before the version", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 0),
    HEAD_CASE("a space behind the version", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("a space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 0),
    HEAD_CASE("an octet above 127 in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n" NEXT,
              400),
    HEAD_CASE("a fragment", "GET /#x HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("a target without slash", "GET a HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("a foreign scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("an asterisk", "GET * HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("a method with a colon", "G:T / HTTP/1.1\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("no target", "GET\r\nHost: h\r\n\r\n" NEXT, 0),
    HEAD_CASE("HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n" NEXT, 505),
    HEAD_CASE("HTTP/1.1x", "GET / HTTP/1.1x\r\nHost: h\r\n\r\n" NEXT, 400),
    HEAD_CASE("compressed body",
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: "
              "1\r\n\r\nx" NEXT,
              415),
    HEAD_CASE("a chunk size that is none",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" NEXT, 400),
    HEAD_CASE("a chunk size of 17 digits",
              "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
              "chunked\r\n\r\n10000000000000000\r\n" NEXT,
              413),
    HEAD_CASE(
        "WebSocket on a used connection",
        "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n" NEXT,
        426),
};

static void smuggling_heads_get_one_refusal_and_the_connection_ends(void **state)
{
    struct rig *rig = *state;
    struct http_reply reply = {0};

    for (size_t i = 0; i < BONDY_COUNT(smuggling); i++) {
        const struct head_case *one = &smuggling[i];
        struct http_client client;

        rig->requests = 0;
        open_client(rig, &client);
        http_client_send(&client, one->bytes, one->len);
        reply.status = 0;
        if (!http_client_read(&client, false, &reply) && one->status != 0)
            fail_msg("%s: no answer", one->name);
        if (reply.status != one->status && !(one->status == 0 && reply.status == 400))
            fail_msg("%s: %u instead of %u", one->name, reply.status, one->status);
        if (!http_client_wait_end(&client) || client.in.len > 0)
            fail_msg("%s: the connection goes on", one->name);
        if (rig->requests != 0)
            fail_msg("%s: a handler got a request", one->name);
        http_client_close(&client);
    }
    http_reply_fini(&reply);
}

static void sound_heads_pass(void **state)
{
    static const struct {
        const char *bytes, *body;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET :0 /  "},
        {"GET / HTTP/1.1\r\nHost:   \t a.b:  \r\n\r\n", "GET a.b:0 /  "},
        {"GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", "GET [::1]:81 /  "},
        {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET h:0 /  "},
        {"GET http://Other:7/p?q HTTP/1.1\r\nHost: h\r\n\r\n", "GET other:7 /p q "},
        {"GET http://other HTTP/1.1\r\nHost: h\r\n\r\n", "GET other:0 /  "},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS h:0 *  "},
        {"BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "other h:0 /pot  "},
        {"GET /a?? HTTP/1.1\r\nHost: h\r\n\r\n", "GET h:0 /a ? "},
        {"GET / HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-B: \xc3\xa4\r\n\r\n", "GET h:0 /  "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0001\r\n\r\nx", "POST h:0 /  x"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: identity\r\nContent-Length: "
         "1\r\n\r\nx",
         "POST h:0 /  x"},
        {"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n", "GET h:0 /  "},
        {"GET / HTTP/1.0\r\n\r\n", "GET :0 /  "},
    };
    struct rig *rig = *state;
    struct http_reply reply = {0};

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct http_client client;

        open_client(rig, &client);
        if (http_client_ask(&client, cases[i].bytes, &reply) != 200)
            fail_msg("%s: %u %s", cases[i].bytes, reply.status, reply.body.data);
        assert_string_equal(reply.body.data, cases[i].body);
        http_client_close(&client);
    }
    http_reply_fini(&reply);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void heads_over_the_limit_are_refused(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    struct bondy_buf head = BONDY_BUF_EMPTY;
    static const struct {
        size_t target, value;
        unsigned headers, status;
    } cases[] = {
        {10, 16 << 10, 1, 200}, {10, 30 << 10, 1, 200},  {30 << 10, 1, 1, 200},
        {10, 33 << 10, 1, 431}, {10, 200 << 10, 1, 431}, {33 << 10, 1, 1, 414},
        {200 << 10, 1, 1, 414}, {10, 10, 99, 200},       {10, 10, 100, 431},
        {10, 300, 99, 200},     {10, 10, 5000, 431},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        bondy_buf_clear(&head, SIZE_MAX);
        bondy_buf_append_text(&head, "GET /");
        memset(bondy_buf_reserve(&head, cases[i].target), 'a', cases[i].target);
        head.len += cases[i].target;
        bondy_buf_append_text(&head, " HTTP/1.1\r\nHost: h\r\n");
        for (unsigned k = 0; k < cases[i].headers; k++) {
            bondy_buf_printf(&head, "X-%u: ", k);
            memset(bondy_buf_reserve(&head, cases[i].value), 'b', cases[i].value);
            head.len += cases[i].value;
            bondy_buf_append_text(&head, "\r\n");
        }
        bondy_buf_append_text(&head, "\r\n");
        open_client(rig, &client);
        http_client_send(&client, head.data, head.len);
        if (!http_client_read(&client, false, &reply) || reply.status != cases[i].status)
            fail_msg("case %zu: %u instead of %u", i, reply.status, cases[i].status);
        http_client_close(&client);
    }
    bondy_buf_fini(&head);
    http_reply_fini(&reply);
}

static void bodies_over_the_limit_are_refused_before_they_are_read(void **state)
{
    static const char *const cases[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10737418240\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8388609\r\n\r\nabc",
        "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n",
    };
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        open_client(rig, &client);
        if (http_client_ask(&client, cases[i], &reply) != 413)
            fail_msg("%s: %u", cases[i], reply.status);
        assert_non_null(strstr(reply.body.data, "\"code\":\"body_max_bytes_exceeded\""));
        assert_string_equal(http_reply_header(&reply, "connection"), "close");
        assert_string_equal(http_reply_header(&reply, "server"), "bondy");
        assert_true(http_client_wait_end(&client));
        http_client_close(&client);
    }
    assert_int_equal(rig->requests, 0);
    assert_int_equal(rig->gone, 5);
    open_client(rig, &client);
    assert_int_equal(
        http_client_ask(&client,
                        "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789",
                        &reply),
        200);
    http_client_close(&client);
    http_reply_fini(&reply);
}

/* The answer must arrive although the client goes on sending: over TCP a close with octets unread
 * resets the connection. */
static void a_refused_upload_still_reads_its_answer(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    static char block[64 << 10];

    http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
    http_client_say(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n");
    for (unsigned i = 0; i < 100; i++) {
        if (!http_client_send(&client, block, sizeof block))
            fail_msg("reset after %u blocks", i);
    }
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 413);
    http_client_close(&client);
    http_reply_fini(&reply);
}

/* ---- H6: slow clients ------------------------------------------------------------------------ */

static void slow_heads_and_bodies_and_idle_connections_end(void **state)
{
    static const struct {
        const char *name, *bytes;
        unsigned status;
    } cases[] = {
        {"nothing", "", 0},
        {"half a request line", "GET / HT", 0},
        {"half a head", "GET / HTTP/1.1\r\nHost: h\r\n", 408},
        {"half a body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 408},
        {"no body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", 408},
        {"half a chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
         408},
        {"half a body that nobody wants",
         "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 403},
        {"silence after a request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
    };
    struct rig *rig = *state;
    struct http_client clients[BONDY_COUNT(cases)];
    struct http_reply reply = {0};

    rig->listener.limits.request_timeout_ms = 60;
    rig->listener.limits.body_timeout_ms = 50;
    rig->listener.limits.idle_timeout_ms = 40;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        open_client(rig, &clients[i]);
        http_client_say(&clients[i], cases[i].bytes);
    }
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (!http_client_wait_end(&clients[i]))
            fail_msg("%s: still there", cases[i].name);
        reply.status = 0;
        http_client_read(&clients[i], false, &reply);
        if (reply.status != cases[i].status)
            fail_msg("%s: %u instead of %u", cases[i].name, reply.status, cases[i].status);
        http_client_close(&clients[i]);
    }
    http_reply_fini(&reply);
}

/* One octet at a time, each in good time: the head as a whole has a deadline. */
static void a_head_that_drips_ends_too(void **state)
{
    struct rig *rig = *state;
    struct http_client client;

    rig->listener.limits.request_timeout_ms = 80;
    open_client(rig, &client);
    http_client_say(&client, "GET / HTTP/1.1\r\nHost: h\r\nX-A: ");
    for (unsigned i = 0; i < 4000 && !client.at_end; i++) {
        http_client_say(&client, "a");
        bondy_loop_turn(rig->loop, 1);
        http_client_poll(&client);
    }
    assert_true(client.at_end);
    http_client_close(&client);
}

/* ---- answers that take time ------------------------------------------------------------------ */

static void wait_for_handler(struct rig *rig)
{
    for (unsigned i = 0; i < 2000 && rig->waiting == NULL; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_non_null(rig->waiting);
}

static void an_answer_may_come_later(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    for (unsigned i = 0; i < 3; i++) {
        http_client_say(&client, "POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
        wait_for_handler(rig);
        assert_int_equal(bondy_http_server_pending(rig->server), 1);
        echo(rig->waiting);
        rig->waiting = NULL;
        assert_int_equal(bondy_http_server_pending(rig->server), 0);
        assert_true(http_client_read(&client, false, &reply));
        assert_string_equal(reply.body.data, "POST h:0 /wait  hi");
    }
    assert_int_equal(rig->gone, 0);
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_client_that_leaves_while_it_waits_is_noticed(void **state)
{
    struct rig *rig = *state;
    struct http_client client;

    open_client(rig, &client);
    http_client_say(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for_handler(rig);
    http_client_close(&client);
    for (unsigned i = 0; i < 2000 && rig->gone == 0; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_int_equal(rig->gone, 1);
    assert_int_equal(bondy_http_server_pending(rig->server), 0);
}

/* Before it is suspended: libmicrohttpd still watches the connection. */
static void a_client_that_resets_at_once_is_noticed(void **state)
{
    struct rig *rig = *state;
    const struct linger at_once = {.l_onoff = 1};
    struct http_client client;

    http_client_open_tcp(&client, rig->server, rig->loop, &rig->listener);
    http_client_say(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for_handler(rig);
    assert_int_equal(setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    http_client_close(&client);
    for (unsigned i = 0; i < 2000 && rig->gone == 0; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_int_equal(rig->gone, 1);
    assert_int_equal(bondy_http_server_pending(rig->server), 0);
}

static void a_request_that_waits_long_is_answered_too(void **state)
{
    struct rig *rig = *state;
    struct http_client client, other;
    struct http_reply reply = {0};

    open_client(rig, &client);
    open_client(rig, &other);
    http_client_say(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for_handler(rig);
    for (uint64_t start = bondy_loop_now_ms(rig->loop);
         bondy_loop_now_ms(rig->loop) < start + 10;) /* it is suspended by then */
        bondy_loop_turn(rig->loop, 1);
    assert_int_equal(http_client_ask(&other, "GET /else HTTP/1.1\r\nHost: h\r\n\r\n", &reply), 200);
    assert_int_equal(bondy_http_server_pending(rig->server), 1);
    echo(rig->waiting);
    assert_true(http_client_read(&client, false, &reply));
    assert_string_equal(reply.body.data, "GET h:0 /wait  ");
    assert_int_equal(rig->gone, 0);
    http_reply_fini(&reply);
    http_client_close(&other);
    http_client_close(&client);
}

/* Answers of the same form are the same object: nothing of one may be in the other. */
static void answers_of_the_same_form_keep_apart(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    char ask[160], id[24];

    open_client(rig, &client);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "id-%u", i * 37 % 101);
        snprintf(ask, sizeof ask, "%s /%03u HTTP/1.1\r\nHost: h\r\n%s%s%s\r\n",
                 i % 7 == 3 ? "HEAD" : "GET", i, i % 3 != 0 ? "X-Request-Id: " : "",
                 i % 3 != 0 ? id : "", i % 3 != 0 ? "\r\n" : "");
        http_client_say(&client, ask);
        assert_true(http_client_read(&client, i % 7 == 3, &reply));
        assert_int_equal(http_reply_header_count(&reply, "x-request-id"), 1);
        if (i % 3 != 0)
            assert_string_equal(http_reply_header(&reply, "x-request-id"), id);
        else
            assert_int_equal(strlen(http_reply_header(&reply, "x-request-id")), 36);
        snprintf(ask, sizeof ask, "GET h:0 /%03u  ", i);
        assert_int_equal(strtol(http_reply_header(&reply, "content-length"), NULL, 10),
                         strlen(ask) + (i % 7 == 3)); /* of HEAD */
        if (i % 7 != 3)
            assert_string_equal(reply.body.data, ask);
        if (i % 50 == 49) { /* the limit of requests a connection */
            http_client_close(&client);
            open_client(rig, &client);
        }
    }
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_client_that_leaves_in_its_body_is_noticed(void **state)
{
    struct rig *rig = *state;
    struct http_client client;

    open_client(rig, &client);
    http_client_say(&client, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
    bondy_loop_turn(rig->loop, 5);
    http_client_close(&client);
    for (unsigned i = 0; i < 2000 && rig->gone == 0; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_int_equal(rig->heads, 1);
    assert_int_equal(rig->gone, 1);
}

static void a_server_that_stops_answers_what_waits(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};

    open_client(rig, &client);
    http_client_say(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for_handler(rig);
    bondy_http_server_destroy(rig->server);
    rig->server = NULL;
    assert_int_equal(rig->gone, 1);
    assert_true(http_client_read(&client, false, &reply));
    assert_int_equal(reply.status, 503);
    assert_string_equal(http_reply_header(&reply, "connection"), "close");
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void a_drained_server_closes_after_each_answer(void **state)
{
    struct rig *rig = *state;
    struct http_client idle, busy;
    struct http_reply reply = {0};

    open_client(rig, &idle);
    http_client_ask(&idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", &reply);
    open_client(rig, &busy);
    http_client_say(&busy, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for_handler(rig);
    bondy_http_server_drain(rig->server);
    assert_true(http_client_wait_end(&idle));
    echo(rig->waiting);
    assert_true(http_client_read(&busy, false, &reply));
    assert_string_equal(http_reply_header(&reply, "connection"), "close");
    assert_true(http_client_wait_end(&busy));
    http_reply_fini(&reply);
    http_client_close(&idle);
    http_client_close(&busy);
}

static void headers_cannot_be_injected(void **state)
{
    static const struct {
        const char *body;
        unsigned len, status;
    } cases[] = {
        {"a", 1, 204},         {"a b\tc", 5, 204}, {"\xc3\xa4", 2, 204},
        {"a\r\nX: y", 7, 500}, {"a\nb", 3, 500},   {"a\rb", 3, 500},
        {"a\0b", 3, 500},      {"a\x7f", 2, 500},  {"\x1b[31m", 5, 500},
    };
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    char head[128];

    open_client(rig, &client);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        snprintf(head, sizeof head,
                 "POST /inject HTTP/1.1\r\nHost: h\r\nContent-Length: %u\r\n\r\n", cases[i].len);
        http_client_say(&client, head);
        http_client_send(&client, cases[i].body, cases[i].len);
        assert_true(http_client_read(&client, false, &reply));
        if (reply.status != cases[i].status)
            fail_msg("case %zu: %u", i, reply.status);
        assert_int_equal(http_reply_header_count(&reply, "x"), 0);
    }
    http_reply_fini(&reply);
    http_client_close(&client);
}

static void requests_are_counted_by_method_and_class(void **state)
{
    struct rig *rig = *state;
    struct http_client client;
    struct http_reply reply = {0};
    struct bondy_buf text = BONDY_BUF_EMPTY;

    open_client(rig, &client);
    http_client_ask(&client, "PATCH / HTTP/1.1\r\nHost: h\r\n\r\n", &reply);
    http_client_ask(&client, "PATCH /early HTTP/1.1\r\nHost: h\r\n\r\n", &reply);
    http_client_close(&client);
    bondy_metric_format(&text);
    bondy_buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "bondy_http_requests_total{method=\"PATCH\",reason="
                                      "\"normal\",status_class=\"2xx\"} 1\n"));
    assert_non_null(strstr(text.data, "bondy_http_requests_total{method=\"PATCH\",reason="
                                      "\"normal\",status_class=\"4xx\"} 1\n"));
    assert_non_null(strstr(text.data, "bondy_http_request_duration_microseconds_count{method="
                                      "\"PATCH\""));
    bondy_buf_fini(&text);
    http_reply_fini(&reply);
}

static void response_headers_are_checked_and_replaced(void **state)
{
    struct bondy_response *response = bondy_response_create(200);
    struct bondy_error err;

    (void)state;
    assert_int_equal(bondy_response_header(response, "", BONDY_SLICE("x"), &err), BONDY_EINVAL);
    assert_int_equal(bondy_response_header(response, "a b", BONDY_SLICE("x"), &err), BONDY_EINVAL);
    assert_int_equal(bondy_response_header(response, "a:", BONDY_SLICE("x"), &err), BONDY_EINVAL);
    assert_int_equal(bondy_response_header(response, "a\n", BONDY_SLICE("x"), &err), BONDY_EINVAL);
    assert_int_equal(bondy_response_header(response, "Vary", BONDY_SLICE("a"), &err), BONDY_OK);
    assert_int_equal(bondy_response_header(response, "x", BONDY_SLICE("1"), &err), BONDY_OK);
    assert_int_equal(bondy_response_header(response, "vary", BONDY_SLICE("b"), &err), BONDY_OK);
    assert_int_equal(bondy_response_set_header(response, "VARY", BONDY_SLICE("c"), &err), BONDY_OK);
    assert_true(bondy_response_has_header(response, "vary"));
    assert_true(bondy_response_has_header(response, "X"));
    assert_false(bondy_response_has_header(response, "y"));
    bondy_response_destroy(response);
}

int main(void)
{
#define RIGGED(test) cmocka_unit_test_setup_teardown(test, rig_start, rig_stop)
    const struct CMUnitTest tests[] = {
        RIGGED(a_request_is_answered_and_the_connection_stays),
        RIGGED(requests_in_one_packet_are_answered_in_order),
        RIGGED(bodies_come_by_length_and_by_chunks),
        RIGGED(a_large_body_arrives_whole),
        RIGGED(head_gets_headers_only),
        RIGGED(expect_100_is_told_to_go_on_or_not),
        RIGGED(an_early_answer_keeps_the_connection_when_the_body_is_short),
        RIGGED(the_request_id_of_the_client_is_kept_when_it_is_a_token),
        RIGGED(problems_are_rfc_9457_when_asked_for),
        RIGGED(the_last_request_allowed_closes_the_connection),
        RIGGED(smuggling_heads_get_one_refusal_and_the_connection_ends), /* H1 */
        RIGGED(sound_heads_pass),
        RIGGED(heads_over_the_limit_are_refused),
        RIGGED(bodies_over_the_limit_are_refused_before_they_are_read),
        RIGGED(a_refused_upload_still_reads_its_answer),
        RIGGED(slow_heads_and_bodies_and_idle_connections_end), /* H6 */
        RIGGED(a_head_that_drips_ends_too),                     /* H6 */
        RIGGED(an_answer_may_come_later),
        RIGGED(a_client_that_leaves_while_it_waits_is_noticed),
        RIGGED(a_client_that_resets_at_once_is_noticed),
        RIGGED(a_request_that_waits_long_is_answered_too),
        RIGGED(answers_of_the_same_form_keep_apart),
        RIGGED(a_client_that_leaves_in_its_body_is_noticed),
        RIGGED(a_server_that_stops_answers_what_waits),
        RIGGED(a_drained_server_closes_after_each_answer),
        RIGGED(headers_cannot_be_injected), /* H3 */
        RIGGED(requests_are_counted_by_method_and_class),
        cmocka_unit_test(response_headers_are_checked_and_replaced),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/transport/house.h"

#include "src/base/id.h"
#include "src/http/request.h"
#include "src/http/response.h"
#include "tests/lib/test.h"

static void answer(void *context, struct bondy_request *request)
{
    struct bondy_response *response = bondy_response_create(200);
    struct bondy_buf body = BONDY_BUF_EMPTY;

    (void)context;
    bondy_buf_append_text(&body, "hello\n");
    bondy_response_body(response, &body, "text/plain");
    bondy_response_send(request, response);
}

static void ignore(void *context, struct bondy_request *request)
{
    (void)context;
    (void)request;
}

static const struct bondy_http_handler handler = {
    .on_head = ignore, .on_request = answer, .on_gone = ignore};

void house_prepare(struct house *house)
{
    static const struct bondy_door_wamp_limits limits = {
        .max_message = 1 << 20,
        .auth_timeout_ms = 10000,
        .idle_timeout_ms = 0,
        .ping_enabled = false,
        .ping_idle_ms = 50,
        .ping_timeout_ms = 50,
        .ping_attempts = 2,
        .queue_bytes = 1 << 20,
        .queue_messages = 10000,
    };

    *house = (struct house){
        .http_listener = {.name = "test.http",
                          .scheme = "http",
                          .limits = {.max_header_size = 32768,
                                     .max_headers = 100,
                                     .max_body_size = 1 << 20,
                                     .request_timeout_ms = 10000,
                                     .idle_timeout_ms = 60000,
                                     .body_timeout_ms = 30000,
                                     .max_keepalive = 1000},
                          .handler = &handler},
        .listener = {.name = "test.http",
                     .accepts = BONDY_DOOR_HTTP | BONDY_DOOR_WEBSOCKET | BONDY_DOOR_RAWSOCKET,
                     .reuseport = true,
                     .backlog = 1024,
                     .nodelay = true,
                     .keepalive = true,
                     .max_connections = 50000,
                     .max_connections_per_ip = 0,
                     .handshake_timeout_ms = 10000,
                     .rawsocket = limits,
                     .websocket = limits,
                     .websocket_path = "/ws"},
    };
    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    assert_int_equal(bondy_address_parse("127.0.0.1", 0, &house->listener.address, NULL), BONDY_OK);
    fake_reset();
}

void house_open(struct house *house)
{
    struct bondy_door_options options = {.node_name = "test"};
    struct bondy_error err = {0};

    house->listener.http = &house->http_listener;
    assert_int_equal(bondy_loop_create(0, &house->loop, &err), BONDY_OK);
    assert_int_equal(bondy_http_server_create(house->loop, 1000, &house->http, &err), BONDY_OK);
    options.loop = house->loop;
    options.http = house->http;
    if (bondy_door_create(&options, &house->door, &err) != BONDY_OK)
        fail_msg("%s", err.text);
    if (bondy_door_listen(house->door, &house->listener, &err) != BONDY_OK)
        fail_msg("%s", err.text);
}

void house_close(struct house *house)
{
    bondy_door_stop_listening(house->door);
    bondy_http_server_destroy(house->http);
    bondy_door_destroy(house->door);
    bondy_loop_destroy(house->loop);
    assert_int_equal(atomic_load(&house->listener.connections), 0);
    assert_int_equal(fake_count(), 0);
}

void house_connect(struct house *house, struct bondy_peer *peer)
{
    bondy_peer_connect(peer, house->loop, &house->listener.address);
}

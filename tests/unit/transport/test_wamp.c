/* SPDX-License-Identifier: Apache-2.0 */

/* The transports with the real router behind them: what only both together can show. */

#include <stdio.h>

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/transport/front_door.h"
#include "tests/lib/peer.h"
#include "tests/lib/rig.h"

struct inn {
    struct bondy_rig rig;
    struct bondy_loop *loop;
    struct bondy_door *door;
    struct bondy_door_listener listener;
    struct bondy_flush flush;
};

static bool settle(struct bondy_flush *flush)
{
    bondy_rig_settle(&BONDY_CONTAINER(flush, struct inn, flush)->rig);
    return false;
}

static void open_inn(struct inn *inn)
{
    static const struct bondy_door_wamp_limits limits = {
        .max_message = 1 << 20,
        .auth_timeout_ms = 10000,
        .queue_bytes = 1 << 20,
        .queue_messages = 10000,
    };
    struct bondy_door_options options = {.node_name = "test"};
    struct bondy_error err = {0};

    *inn = (struct inn){
        .listener = {.name = "test",
                     .accepts = BONDY_DOOR_WEBSOCKET | BONDY_DOOR_RAWSOCKET,
                     .backlog = 100,
                     .nodelay = true,
                     .max_connections = 1000,
                     .handshake_timeout_ms = 10000,
                     .rawsocket = limits,
                     .websocket = limits,
                     .websocket_path = "/ws"},
    };
    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    bondy_rig_init(&inn->rig, 1);
    inn->rig.options.max_message = 1 << 20;
    bondy_rig_start(&inn->rig);
    assert_int_equal(bondy_address_parse("127.0.0.1", 0, &inn->listener.address, NULL), BONDY_OK);
    assert_int_equal(bondy_loop_create(0, &inn->loop, &err), BONDY_OK);
    options.loop = inn->loop;
    options.router = inn->rig.threads[0];
    if (bondy_door_create(&options, &inn->door, &err) != BONDY_OK ||
        bondy_door_listen(inn->door, &inn->listener, &err) != BONDY_OK)
        fail_msg("%s", err.text);
    inn->flush = (struct bondy_flush){.rank = BONDY_FLUSH_ROUTER, .fn = settle};
    bondy_list_init(&inn->flush.link);
    bondy_loop_add_flush(inn->loop, &inn->flush);
}

static void close_inn(struct inn *inn)
{
    bondy_door_destroy(inn->door);
    bondy_loop_remove_flush(inn->loop, &inn->flush);
    bondy_loop_destroy(inn->loop);
    bondy_rig_stop(&inn->rig);
    assert_int_equal(atomic_load(&inn->listener.connections), 0);
}

/* ---- clients that talk JSON ------------------------------------------------------------------ */

struct guest {
    struct bondy_peer peer;
    bool is_ws;
};

static void say(struct guest *guest, const char *message)
{
    if (guest->is_ws)
        bondy_peer_ws_send(&guest->peer, 0x81, message, strlen(message));
    else
        bondy_peer_raw_send(&guest->peer, 0, message, strlen(message));
}

/* The next message as a tree; NULL at the end of the connection. */
static json_t *hear(struct guest *guest)
{
    json_t *message;
    unsigned first;
    size_t head = 4, len;

    if (!(guest->is_ws ? bondy_peer_ws_frame(&guest->peer, &first, &head, &len)
                       : bondy_peer_raw_frame(&guest->peer, &first, &len)))
        return NULL;
    if (guest->is_ws && first == 0x88)
        return NULL;
    message = json_loadb(guest->peer.in.data + head, len, JSON_ALLOW_NUL, NULL);
    assert_non_null(message);
    bondy_peer_drop(&guest->peer, head + len);
    return message;
}

static void expect(struct guest *guest, int64_t type, size_t uri_at, const char *uri)
{
    json_t *message = hear(guest);

    assert_non_null(message);
    assert_int_equal(json_integer_value(json_array_get(message, 0)), type);
    if (uri != NULL)
        assert_string_equal(json_string_value(json_array_get(message, uri_at)), uri);
    json_decref(message);
}

static void arrive(struct inn *inn, struct guest *guest, bool is_ws, const uint8_t octets[4])
{
    guest->is_ws = is_ws;
    bondy_peer_connect(&guest->peer, inn->loop, &inn->listener.address);
    if (is_ws) {
        bondy_peer_ws_open(&guest->peer, "/ws", "wamp.2.json");
    } else {
        bondy_peer_write(&guest->peer, octets, 4);
        assert_true(bondy_peer_wait(&guest->peer, 4));
        bondy_peer_drop(&guest->peer, 4);
    }
}

static const uint8_t large[4] = {0x7f, 0xf1, 0, 0};
static const uint8_t small[4] = {0x7f, 0x11, 0, 0}; /* takes 1024 octets */

static void join(struct inn *inn, struct guest *guest, bool is_ws, const uint8_t octets[4])
{
    arrive(inn, guest, is_ws, octets);
    say(guest, "[1,\"dev\",{\"roles\":{\"caller\":{},\"callee\":{},\"publisher\":{},"
               "\"subscriber\":{}}}]");
    expect(guest, 2, 0, NULL);
}

static void leave(struct guest *guest)
{
    bondy_peer_close(&guest->peer);
}

/* "[<front>, [\"xxx...\"]]" with an argument of `len` octets. */
static void say_long(struct guest *guest, const char *front, size_t len)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text, "[%s,[\"", front);
    memset(bondy_buf_reserve(&text, len), 'x', len);
    text.len += len;
    bondy_buf_append_text(&text, "\"]]");
    bondy_buf_append_byte(&text, 0);
    say(guest, text.data);
    bondy_buf_fini(&text);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* SESS-CLOSE-1, RAW-CLOSE-1 */
static void a_session_lives_and_ends_on_each_transport(void **state)
{
    struct inn inn;

    (void)state;
    open_inn(&inn);
    for (unsigned is_ws = 0; is_ws < 2; is_ws++) {
        struct guest guest;

        join(&inn, &guest, is_ws != 0, large);
        say(&guest, "[48,1,{},\"bondy.echo\",[1,2]]");
        expect(&guest, 50, 0, NULL);
        say(&guest, "[6,{},\"wamp.close.normal\"]");
        expect(&guest, 6, 2, "wamp.close.goodbye_and_out");
        leave(&guest);
    }
    bondy_until(inn.loop, bondy_door_session_count(inn.door) == 0);
    close_inn(&inn);
}

/* PROTO-PRE-2, RAW-LEN-1, WS-TYPE-1: ABORT arrives, then the end. */
static void a_violation_is_answered_with_abort_and_the_end(void **state)
{
    static const char pv[] = "wamp.error.protocol_violation";
    struct inn inn;

    (void)state;
    open_inn(&inn);
    for (unsigned is_ws = 0; is_ws < 2; is_ws++) {
        struct guest guest;

        arrive(&inn, &guest, is_ws != 0, large);
        say(&guest, "nonsense");
        expect(&guest, 3, 2, pv);
        assert_null(hear(&guest));
        leave(&guest);
        join(&inn, &guest, is_ws != 0, large);
        if (is_ws)
            bondy_peer_ws_send(&guest.peer, 0x82, "[]", 2);
        else
            bondy_peer_write(&guest.peer, "\0\xff\xff\xff", 4);
        expect(&guest, 3, 2, pv);
        assert_null(hear(&guest));
        leave(&guest);
    }
    bondy_until(inn.loop, atomic_load(&inn.listener.connections) == 0);
    close_inn(&inn);
}

/* RAW-LEN-2: others get it. */
static void an_event_over_a_subscribers_limit_is_not_sent_to_it(void **state)
{
    struct guest narrow, wide, publisher;
    struct inn inn;

    (void)state;
    open_inn(&inn);
    join(&inn, &narrow, false, small);
    join(&inn, &wide, true, large);
    join(&inn, &publisher, false, large);
    say(&narrow, "[32,1,{},\"com.x\"]");
    expect(&narrow, 33, 0, NULL);
    say(&wide, "[32,1,{},\"com.x\"]");
    expect(&wide, 33, 0, NULL);
    say_long(&publisher, "16,1,{\"acknowledge\":true},\"com.x\"", 2000);
    expect(&publisher, 17, 0, NULL);
    expect(&wide, 36, 0, NULL);
    say(&publisher, "[16,2,{},\"com.x\",[\"short\"]]");
    expect(&narrow, 36, 0, NULL);
    expect(&wide, 36, 0, NULL);
    leave(&narrow);
    leave(&wide);
    leave(&publisher);
    close_inn(&inn);
}

/* RAW-LEN-3, RAW-LEN-4 */
static void a_call_over_a_limit_is_an_error_for_the_caller(void **state)
{
    struct guest narrow, wide;
    struct inn inn;

    (void)state;
    open_inn(&inn);
    join(&inn, &narrow, false, small);
    join(&inn, &wide, true, large);
    say(&narrow, "[64,1,{},\"com.narrow\"]");
    expect(&narrow, 65, 0, NULL);
    say(&wide, "[64,1,{},\"com.wide\"]");
    expect(&wide, 65, 0, NULL);
    say_long(&wide, "48,2,{},\"com.narrow\"", 2000);
    expect(&wide, 8, 4, "wamp.error.payload_size_exceeded");
    say(&narrow, "[48,2,{},\"com.wide\"]");
    expect(&wide, 68, 0, NULL);
    say_long(&wide, "70,1,{}", 2000);
    expect(&narrow, 8, 4, "wamp.error.payload_size_exceeded");
    leave(&narrow);
    leave(&wide);
    close_inn(&inn);
}

/* threat-model 4: 64 KiB before WELCOME. */
static void before_welcome_a_message_is_at_most_64_kib(void **state)
{
    struct inn inn;

    (void)state;
    open_inn(&inn);
    for (unsigned is_ws = 0; is_ws < 2; is_ws++) {
        struct guest guest;

        arrive(&inn, &guest, is_ws != 0, large);
        say_long(&guest, "1,\"dev\",{\"roles\":{\"caller\":{}}}", 70000);
        if (is_ws)
            assert_null(hear(&guest));
        else
            expect(&guest, 3, 2, "wamp.error.protocol_violation");
        bondy_peer_wait_end(&guest.peer);
        leave(&guest);
        join(&inn, &guest, is_ws != 0, large);
        say_long(&guest, "48,1,{},\"bondy.echo\"", 200000);
        expect(&guest, 50, 0, NULL);
        leave(&guest);
    }
    close_inn(&inn);
}

/* R3: events of a topic go past one that does not read. */
static void a_deaf_subscriber_leaves_others_their_events(void **state)
{
    struct guest deaf, good, publisher;
    struct inn inn;

    (void)state;
    open_inn(&inn);
    join(&inn, &deaf, true, large);
    join(&inn, &good, false, large);
    join(&inn, &publisher, false, large);
    say(&deaf, "[32,1,{},\"com.x\"]");
    expect(&deaf, 33, 0, NULL);
    say(&good, "[32,1,{},\"com.x\"]");
    expect(&good, 33, 0, NULL);
    for (unsigned i = 1; i <= 200; i++) {
        char front[64];

        snprintf(front, sizeof front, "16,%u,{},\"com.x\"", i);
        say_long(&publisher, front, 100000);
        expect(&good, 36, 0, NULL);
    }
    assert_int_equal(bondy_door_session_count(inn.door), 3);
    leave(&deaf);
    leave(&good);
    leave(&publisher);
    close_inn(&inn);
}

/* SESS-CLOSE-8 */
static void a_drain_says_goodbye_and_closes(void **state)
{
    struct guest guests[2];
    struct inn inn;

    (void)state;
    open_inn(&inn);
    join(&inn, &guests[0], false, large);
    join(&inn, &guests[1], true, large);
    bondy_router_thread_drain(inn.rig.threads[0]);
    for (unsigned i = 0; i < 2; i++) {
        expect(&guests[i], 6, 2, "wamp.close.system_shutdown");
        say(&guests[i], "[6,{},\"wamp.close.goodbye_and_out\"]");
        assert_null(hear(&guests[i]));
    }
    bondy_until(inn.loop, bondy_door_session_count(inn.door) == 0);
    leave(&guests[0]);
    leave(&guests[1]);
    close_inn(&inn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_lives_and_ends_on_each_transport),
        cmocka_unit_test(a_violation_is_answered_with_abort_and_the_end),
        cmocka_unit_test(an_event_over_a_subscribers_limit_is_not_sent_to_it),
        cmocka_unit_test(a_call_over_a_limit_is_an_error_for_the_caller),
        cmocka_unit_test(before_welcome_a_message_is_at_most_64_kib),
        cmocka_unit_test(a_deaf_subscriber_leaves_others_their_events),
        cmocka_unit_test(a_drain_says_goodbye_and_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

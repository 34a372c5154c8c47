/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <malloc.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/sys/publish.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"
#include "tests/lib/rig.h"

static struct bondy_rig rig;

static int set_up(void **state)
{
    (void)state;
    bondy_rig_init(&rig, 3);
    bondy_rig_start(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bondy_rig_stop(&rig);
    return 0;
}

static void say(struct bondy_rig_peer *peer, json_t *message)
{
    assert_non_null(message);
    bondy_rig_send(peer, message);
    json_decref(message);
}

static struct bondy_rig_peer *join(const char *name, enum bondy_serializer serializer)
{
    struct bondy_rig_peer *peer = bondy_rig_peer(&rig, name, serializer);

    bondy_rig_connect(peer);
    say(peer,
        json_pack("[i,s,{s:{s:{},s:{s:{s:b}},s:{},s:{}}}]", BONDY_HELLO, "dev", "roles", "caller",
                  "callee", "features", "call_canceling", 1, "publisher", "subscriber"));
    assert_true(bondy_session_has_joined(peer->session));
    json_array_clear(peer->received);
    return peer;
}

static json_int_t number(struct bondy_rig_peer *peer, size_t message, size_t field)
{
    return json_integer_value(json_array_get(json_array_get(peer->received, message), field));
}

/* J12, SESS-OPEN-7, ID-GLOB-1: every bit of an id is set about half of the time, ids of
 * successive sessions differ in about half of their bits, none comes twice. */
static void session_ids_are_random_over_the_whole_range(void **state)
{
    enum { COUNT = 30000, BITS = 53 };
    struct bondy_rig_peer *peer = bondy_rig_peer(&rig, "a", BONDY_MSGPACK);
    struct bondy_idmap seen = BONDY_IDMAP_EMPTY;
    unsigned ones[BITS] = {0};
    unsigned changes = 0;
    uint64_t last = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        const struct bondy_identity identity = {.authrole = BONDY_SLICE("anonymous")};
        static const struct bondy_session_local local = {NULL, NULL};
        struct bondy_session *session = bondy_session_open_local(
            rig.threads[i % 3], BONDY_SLICE("dev"), &identity, &local, peer, NULL);
        uint64_t id = bondy_session_id(session);

        assert_in_range(id, 1, BONDY_ID_MAX);
        assert_null(bondy_idmap_put(&seen, id, peer));
        for (unsigned bit = 0; bit < BITS; bit++)
            ones[bit] += (unsigned)(id >> bit) & 1;
        changes += (unsigned)__builtin_popcountll(id ^ last);
        last = id;
        bondy_session_lost(session);
    }
    for (unsigned bit = 0; bit < BITS; bit++)
        assert_in_range(ones[bit], COUNT * 47 / 100, COUNT * 53 / 100);
    assert_in_range(changes, COUNT * BITS / 2 * 97 / 100, COUNT * BITS / 2 * 103 / 100);
    bondy_idmap_fini(&seen);
}

static uint32_t dice = 3;

static unsigned roll(unsigned sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

/* Bytes that begin like messages, so that not all of them end at the first octet. */
static void make_garbage(struct bondy_buf *out, enum bondy_serializer serializer)
{
    static const char *const json[] = {"[48,1,{},\"p\"",
                                       "[16,1,{\"acknowledge\":true",
                                       "[70,1,{}",
                                       "[1,\"dev\",{\"roles\":{\"callee\":{}",
                                       "[",
                                       "{",
                                       "]",
                                       "]",
                                       "}",
                                       ",",
                                       "\"",
                                       "1",
                                       "null",
                                       "\\u00",
                                       "64"};
    unsigned pieces = 1 + roll(12);

    out->len = 0;
    if (serializer != BONDY_JSON)
        bondy_buf_append_byte(out, (serializer == BONDY_CBOR ? 0x80 : 0x90) + roll(8));
    for (unsigned i = 0; i < pieces; i++) {
        if (serializer == BONDY_JSON && roll(4) > 0)
            bondy_buf_append_text(out, json[roll(BONDY_COUNT(json))]);
        else
            bondy_buf_append_byte(out, roll(2) == 0 ? roll(256) : roll(80));
    }
}

/* ROB-3, ROB-1 */
static void whatever_bytes_come_the_router_goes_on(void **state)
{
    struct bondy_rig_peer *witness = join("witness", BONDY_JSON);
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    (void)state;
    for (int round = 0; round < 6000; round++) {
        enum bondy_serializer serializer = (enum bondy_serializer)(1 + round % 3);
        char name[8] = {'g', (char)('0' + serializer), '\0'};
        struct bondy_rig_peer *peer = bondy_rig_peer(&rig, name, serializer);

        if (peer->session == NULL && round % 2 == 0)
            join(name, serializer);
        else if (peer->session == NULL)
            bondy_rig_connect(peer);
        make_garbage(&bytes, serializer);
        bondy_rig_send_bytes(peer, bondy_buf_slice(&bytes));
        json_array_clear(peer->received);
    }
    say(witness, json_pack("[i,i,{},s]", BONDY_CALL, 1, "bondy.ping"));
    assert_int_equal(number(witness, 0, 0), BONDY_RESULT);
    bondy_buf_fini(&bytes);
}

/* R5 */
static void all_calls_to_a_callee_that_goes_are_answered(void **state)
{
    enum { CALLS = 20000 };
    struct bondy_rig_peer *deaf = join("deaf", BONDY_MSGPACK);
    struct bondy_rig_peer *callers[4] = {join("a", BONDY_JSON), join("b", BONDY_CBOR),
                                         join("c", BONDY_MSGPACK), join("d", BONDY_JSON)};

    (void)state;
    say(deaf, json_pack("[i,i,{},s]", BONDY_REGISTER, 1, "p"));
    for (int i = 0; i < CALLS; i++)
        say(callers[i % 4], json_pack("[i,i,{},s]", BONDY_CALL, i / 4 + 1, "p"));
    assert_int_equal(json_array_size(deaf->received), CALLS + 1);
    bondy_rig_lose(deaf);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(json_array_size(callers[i]->received), CALLS / 4);
        for (size_t j = 0; j < CALLS / 4; j++)
            assert_int_equal(number(callers[i], j, 0), BONDY_ERROR);
    }
}

/* The other way round: RPC-CALL-8 for many. */
static void a_callee_is_told_of_all_calls_of_a_caller_that_goes(void **state)
{
    enum { CALLS = 5000 };
    struct bondy_rig_peer *callee = join("callee", BONDY_MSGPACK);
    struct bondy_rig_peer *caller = join("caller", BONDY_JSON);

    (void)state;
    say(callee, json_pack("[i,i,{},s]", BONDY_REGISTER, 1, "p"));
    for (int i = 0; i < CALLS; i++)
        say(caller, json_pack("[i,i,{},s]", BONDY_CALL, i + 1, "p"));
    json_array_clear(callee->received);
    bondy_rig_lose(caller);
    assert_int_equal(json_array_size(callee->received), CALLS);
    for (size_t j = 0; j < CALLS; j++)
        assert_int_equal(number(callee, j, 0), BONDY_INTERRUPT);
}

static size_t memory_in_use(void)
{
    bondy_publish_barrier_wait();
    return mallinfo2().uordblks;
}

static void come_and_go(struct bondy_rig_peer *peer, const char *match)
{
    enum { ENTRIES = 2000 };

    bondy_rig_connect(peer);
    say(peer,
        json_pack("[i,s,{s:{s:{},s:{}}}]", BONDY_HELLO, "dev", "roles", "callee", "subscriber"));
    for (int i = 0; i < ENTRIES; i++) {
        char uri[40];

        snprintf(uri, sizeof uri, "com.example.%d%s.x", i, strcmp(match, "wildcard") ? "" : ".");
        say(peer, json_pack("[i,i,{s:s},s]", BONDY_SUBSCRIBE, 2 * i + 1, "match", match, uri));
        say(peer, json_pack("[i,i,{s:s},s]", BONDY_REGISTER, 2 * i + 2, "match", match, uri));
    }
    assert_int_equal(json_array_size(peer->received), 2 * ENTRIES + 1);
    json_array_clear(peer->received);
    bondy_rig_lose(peer);
}

/* R6 */
static void memory_returns_when_sessions_with_many_entries_leave(void **state)
{
    static const char *const matches[] = {"exact", "prefix", "wildcard"};
    struct bondy_rig_peer *peers[3] = {bondy_rig_peer(&rig, "a", BONDY_JSON),
                                       bondy_rig_peer(&rig, "b", BONDY_MSGPACK),
                                       bondy_rig_peer(&rig, "c", BONDY_CBOR)};
    size_t before, after;

    (void)state;
    for (int i = 0; i < 3; i++)
        come_and_go(peers[i], matches[i]);
    before = memory_in_use();
    for (int round = 0; round < 9; round++)
        come_and_go(peers[round % 3], matches[round / 3]);
    after = memory_in_use();
    assert_true(after < before + before / 20 + 65536);
}

/* R4: receivers of one framing and serializer share the bytes. */
static void an_event_for_many_is_given_by_reference(void **state)
{
    struct bondy_rig_peer *publisher = join("p", BONDY_CBOR);
    struct bondy_rig_peer *peers[12];

    (void)state;
    for (int i = 0; i < 12; i++) {
        char name[8];

        snprintf(name, sizeof name, "s%d", i);
        peers[i] = join(name, (enum bondy_serializer)(1 + i / 3 % 3));
        say(peers[i], json_pack("[i,i,{},s]", BONDY_SUBSCRIBE, 1, "t"));
    }
    say(publisher, json_pack("[i,i,{},s,[s]]", BONDY_PUBLISH, 1, "t", "payload"));
    for (int i = 0; i < 12; i++) {
        assert_int_equal(json_array_size(peers[i]->received), 2);
        assert_int_equal(number(peers[i], 1, 0), BONDY_EVENT);
        assert_int_equal(peers[i]->shared, 1);
    }
}

/* A list costs memory that its sender does not pay for. */
static void a_list_of_receivers_has_an_end(void **state)
{
    struct bondy_rig_peer *peer = join("a", BONDY_MSGPACK);
    json_t *list = json_array();

    (void)state;
    for (int i = 1; i <= 10000; i++)
        json_array_append_new(list, json_integer(i));
    say(peer,
        json_pack("[i,i,{s:b,s:O},s]", BONDY_PUBLISH, 1, "acknowledge", 1, "exclude", list, "t"));
    json_array_append_new(list, json_integer(1));
    say(peer,
        json_pack("[i,i,{s:b,s:o},s]", BONDY_PUBLISH, 2, "acknowledge", 1, "exclude", list, "t"));
    assert_int_equal(number(peer, 0, 0), BONDY_PUBLISHED);
    assert_int_equal(number(peer, 1, 0), BONDY_ERROR);
    assert_string_equal(json_string_value(json_array_get(json_array_get(peer->received, 1), 4)),
                        BONDY_ERR_INVALID_ARGUMENT);
}

/* What transports read before they receive. */
static void a_peer_may_send_more_after_welcome(void **state)
{
    struct bondy_rig_peer *peer = bondy_rig_peer(&rig, "a", BONDY_JSON);

    (void)state;
    bondy_rig_connect(peer);
    assert_int_equal(bondy_session_receive_max(peer->session), 64 * 1024);
    assert_int_equal(bondy_session_id(peer->session), 0);
    assert_slice_is(bondy_session_realm(peer->session), "");
    say(peer, json_pack("[i,s,{s:{s:{}}}]", BONDY_HELLO, "dev", "roles", "caller"));
    assert_int_equal(bondy_session_receive_max(peer->session), 16 * 1024 * 1024);
    assert_int_equal(bondy_session_id(peer->session), number(peer, 0, 1));
    assert_slice_is(bondy_session_realm(peer->session), "dev");
}

static void a_message_too_long_before_welcome_breaks_the_protocol(void **state)
{
    struct bondy_rig_peer *peer = bondy_rig_peer(&rig, "a", BONDY_JSON);
    char *text = bondy_alloc(70000);

    (void)state;
    memset(text, ' ', 70000);
    memcpy(text, "[1,\"dev\",{\"roles\":{\"caller\":{}}}]", 32);
    bondy_rig_connect(peer);
    bondy_rig_send_bytes(peer, bondy_slice_of(text, 70000));
    assert_true(peer->is_closed);
    assert_int_equal(number(peer, 0, 0), BONDY_ABORT);
    bondy_free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(session_ids_are_random_over_the_whole_range, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(whatever_bytes_come_the_router_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_calls_to_a_callee_that_goes_are_answered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_callee_is_told_of_all_calls_of_a_caller_that_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(memory_returns_when_sessions_with_many_entries_leave,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_for_many_is_given_by_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_receivers_has_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_may_send_more_after_welcome, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_too_long_before_welcome_breaks_the_protocol,
                                        set_up, tear_down),
    };

    if (bondy_id_start(NULL) != BONDY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

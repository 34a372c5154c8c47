/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"
#include "tests/lib/rig.h"

/* A local peer that keeps what it was told, and can end its session when it is. */
struct guest {
    struct bondy_session *session;
    unsigned messages;
    enum bondy_message_type type;
    enum bondy_message_type request_type;
    uint64_t id;
    char uri[100];
    json_t *args;
    bool leaves_at_once;
    char closed[100];
};

static struct bondy_rig rig;

static void on_message(void *peer, const struct bondy_message *message)
{
    struct guest *guest = peer;

    guest->messages++;
    guest->type = message->type;
    guest->request_type = message->request_type;
    guest->id = message->id;
    snprintf(guest->uri, sizeof guest->uri, BONDY_SLICE_FMT, BONDY_SLICE_ARG(message->uri));
    json_decref(guest->args);
    guest->args = bondy_payload_args(&message->payload);
    if (guest->leaves_at_once)
        bondy_session_lost(BONDY_MOVE(guest->session));
}

static void on_closed(void *peer, const char *reason)
{
    struct guest *guest = peer;

    guest->session = NULL;
    snprintf(guest->closed, sizeof guest->closed, "%s", reason);
}

static const struct bondy_session_local local = {on_message, on_closed};

static void open_in(struct guest *guest, unsigned thread, const char *realm)
{
    const struct bondy_identity identity = {.authid = BONDY_SLICE("curl"),
                                            .authrole = BONDY_SLICE("anonymous"),
                                            .authmethod = BONDY_SLICE("anonymous")};

    memset(guest, 0, sizeof *guest);
    guest->session = bondy_session_open_local(rig.threads[thread], bondy_slice_text(realm),
                                              &identity, &local, guest, NULL);
}

static void end_guest(struct guest *guest)
{
    if (guest->session != NULL)
        bondy_session_lost(guest->session);
    json_decref(guest->args);
    bondy_rig_settle(&rig);
}

static int set_up(void **state)
{
    (void)state;
    bondy_rig_init(&rig, 2);
    bondy_rig_start(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bondy_rig_stop(&rig);
    return 0;
}

/* A callee on the thread after that of the last peer, offering `procedure`. */
static struct bondy_rig_peer *callee(const char *name, const char *procedure, bool can_cancel)
{
    struct bondy_rig_peer *peer = bondy_rig_peer(&rig, name, BONDY_JSON);
    json_t *message;

    bondy_rig_connect(peer);
    message = json_pack("[i,s,{s:{s:{s:{s:b}}}}]", BONDY_HELLO, "dev", "roles", "callee",
                        "features", "call_canceling", can_cancel);
    bondy_rig_send(peer, message);
    json_decref(message);
    message = json_pack("[i,i,{},s]", BONDY_REGISTER, 1, procedure);
    bondy_rig_send(peer, message);
    json_decref(message);
    json_array_clear(peer->received);
    return peer;
}

static void yield(struct bondy_rig_peer *peer, int invocation, const char *result)
{
    json_t *message = json_pack("[i,i,{},[s]]", BONDY_YIELD, invocation, result);

    bondy_rig_send(peer, message);
    json_decref(message);
}

static json_int_t type_of(struct bondy_rig_peer *peer, size_t at)
{
    return json_integer_value(json_array_get(json_array_get(peer->received, at), 0));
}

static void opening_says_why_it_cannot(void **state)
{
    const struct bondy_identity identity = {.authrole = BONDY_SLICE("anonymous")};
    struct bondy_error err;

    (void)state;
    bondy_rig_add_realm(&rig, "proto", BONDY_RIG_NO_CONNECTIONS);
    assert_null(bondy_session_open_local(rig.threads[0], BONDY_SLICE("none"), &identity, &local,
                                         NULL, &err));
    assert_int_equal(err.code, BONDY_ENOENT);
    assert_null(bondy_session_open_local(rig.threads[0], BONDY_SLICE("proto"), &identity, &local,
                                         NULL, &err));
    assert_int_equal(err.code, BONDY_EDENIED);
}

static void a_call_is_answered(void **state)
{
    struct bondy_rig_peer *peers[2] = {callee("near", "near", false), callee("far", "far", false)};
    const char *procedures[2] = {"near", "far"};
    struct guest guest;
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    json_t *args = json_pack("[i]", 7);

    (void)state;
    open_in(&guest, 0, "dev");
    for (int i = 0; i < 2; i++) {
        struct bondy_payload payload = bondy_payload_make(BONDY_CBOR, args, NULL, &bytes);
        uint64_t request =
            bondy_session_call(guest.session, bondy_slice_text(procedures[i]), NULL, &payload);

        bondy_rig_settle(&rig);
        assert_int_equal(request, i + 1);
        assert_int_equal(type_of(peers[i], 0), BONDY_INVOCATION);
        yield(peers[i], 1, procedures[i]);
        assert_int_equal(guest.type, BONDY_RESULT);
        assert_int_equal(guest.id, request);
        assert_string_equal(json_string_value(json_array_get(guest.args, 0)), procedures[i]);
        bytes.len = 0;
    }
    bondy_buf_fini(&bytes);
    json_decref(args);
    end_guest(&guest);
}

static void a_peer_may_end_its_session_when_the_answer_comes(void **state)
{
    struct bondy_rig_peer *peers[2] = {callee("near", "near", false), callee("far", "far", false)};
    const char *procedures[] = {"near", "far", "bondy.ping", "bondy.fail", "nobody.has"};
    struct guest guest;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(procedures); i++) {
        open_in(&guest, 0, "dev");
        guest.leaves_at_once = true;
        bondy_session_call(guest.session, bondy_slice_text(procedures[i]), NULL, NULL);
        bondy_rig_settle(&rig);
        if (i < 2)
            yield(peers[i], 1, "x");
        assert_int_equal(guest.messages, 1);
        assert_null(guest.session);
        end_guest(&guest);
    }
    assert_int_equal(bondy_router_thread_session_count(rig.threads[0]), 1);
}

static void every_failure_of_a_call_comes_as_a_message(void **state)
{
    static const struct {
        const char *procedure;
        const char *options;
        const char *error;
    } cases[] = {{"no procedure", NULL, BONDY_ERR_INVALID_URI},
                 {"nobody.has", NULL, BONDY_ERR_NO_SUCH_PROCEDURE},
                 {"x", "{\"timeout\": \"long\"}", BONDY_ERR_INVALID_ARGUMENT},
                 {"x", "{\"progress\": true}", BONDY_ERR_FEATURE_NOT_SUPPORTED},
                 {"bondy.fail", NULL, BONDY_ERR_NOT_FOUND}};
    struct guest guest;

    (void)state;
    open_in(&guest, 0, "dev");
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_call_options options = {0};
        uint64_t request;

        options.extra = cases[i].options == NULL ? NULL : json_loads(cases[i].options, 0, NULL);
        request =
            bondy_session_call(guest.session, bondy_slice_text(cases[i].procedure), &options, NULL);
        assert_int_equal(guest.type, BONDY_ERROR);
        assert_int_equal(guest.request_type, BONDY_CALL);
        assert_int_equal(guest.id, request);
        assert_string_equal(guest.uri, cases[i].error);
        json_decref(options.extra);
    }
    end_guest(&guest);
}

/* RPC-TMO-1 */
static void a_call_ends_at_its_timeout(void **state)
{
    struct bondy_call_options options = {.timeout_ms = 300};
    struct bondy_rig_peer *peer = callee("far", "p", true);
    struct guest guest;

    (void)state;
    open_in(&guest, 1, "dev");
    bondy_session_call(guest.session, BONDY_SLICE("p"), &options, NULL);
    bondy_rig_settle(&rig);
    bondy_rig_advance(&rig, 299);
    assert_int_equal(guest.messages, 0);
    bondy_rig_advance(&rig, 1);
    assert_string_equal(guest.uri, BONDY_ERR_TIMEOUT);
    assert_int_equal(type_of(peer, 1), BONDY_INTERRUPT);
    end_guest(&guest);
}

/* RPC-CALL-8 */
static void canceling_and_leaving_interrupt_the_callee(void **state)
{
    struct bondy_rig_peer *peer = callee("far", "p", true);
    struct guest guest;
    uint64_t request;

    (void)state;
    open_in(&guest, 1, "dev");
    request = bondy_session_call(guest.session, BONDY_SLICE("p"), NULL, NULL);
    bondy_session_call(guest.session, BONDY_SLICE("p"), NULL, NULL);
    bondy_rig_settle(&rig);
    assert_int_equal(json_array_size(peer->received), 2);
    bondy_session_cancel(guest.session, request);
    bondy_session_cancel(guest.session, request);
    bondy_rig_settle(&rig);
    assert_int_equal(json_array_size(peer->received), 3);
    assert_int_equal(type_of(peer, 2), BONDY_INTERRUPT);
    end_guest(&guest);
    assert_int_equal(type_of(peer, 3), BONDY_INTERRUPT);
    yield(peer, 1, "late");
    yield(peer, 2, "late");
    assert_int_equal(guest.messages, 0);
}

static void a_publication_is_acknowledged_when_asked(void **state)
{
    json_t *options = json_pack("{s:b}", "acknowledge", 1);
    struct guest guest;
    uint64_t publication, request;

    (void)state;
    open_in(&guest, 0, "dev");
    bondy_session_publish(guest.session, BONDY_SLICE("t"), NULL, NULL, &publication);
    assert_int_not_equal(publication, 0);
    assert_int_equal(guest.messages, 0);
    request = bondy_session_publish(guest.session, BONDY_SLICE("t"), options, NULL, &publication);
    assert_int_equal(guest.type, BONDY_PUBLISHED);
    assert_int_equal(guest.id, request);
    bondy_session_publish(guest.session, BONDY_SLICE("not a topic"), options, NULL, &publication);
    assert_int_equal(publication, 0);
    assert_int_equal(guest.request_type, BONDY_PUBLISH);
    assert_string_equal(guest.uri, BONDY_ERR_INVALID_URI);
    bondy_session_publish(guest.session, BONDY_SLICE("wamp.x"), NULL, NULL, &publication);
    assert_int_equal(publication, 0);
    assert_int_equal(guest.messages, 2);
    json_decref(options);
    end_guest(&guest);
}

/* SESS-CLOSE-8 */
static void a_removed_realm_ends_its_local_sessions(void **state)
{
    struct guest guest;

    (void)state;
    bondy_rig_add_realm(&rig, "two", 0);
    open_in(&guest, 1, "two");
    bondy_session_call(guest.session, BONDY_SLICE("bondy.later"), NULL, NULL);
    bondy_rig_remove_realm(&rig, "two");
    assert_string_equal(guest.closed, BONDY_CLOSE_REALM);
    assert_int_equal(guest.messages, 0);
    end_guest(&guest);
}

static void who_calls_is_known_to_built_in_procedures(void **state)
{
    const struct bondy_identity identity = {.authrole = BONDY_SLICE("admin"), .is_trusted = true};
    struct guest guest = {0};

    (void)state;
    bondy_rig_add_realm(&rig, "com.leapsight.bondy", BONDY_RIG_MASTER);
    guest.session = bondy_session_open_local(rig.threads[1], BONDY_SLICE("com.leapsight.bondy"),
                                             &identity, &local, &guest, NULL);
    bondy_session_call(guest.session, BONDY_SLICE("bondy.later"), NULL, NULL);
    assert_true(bondy_invocation_is_master(rig.later));
    assert_slice_is(bondy_invocation_realm(rig.later), "com.leapsight.bondy");
    assert_slice_is(bondy_invocation_procedure(rig.later), "bondy.later");
    assert_int_equal(bondy_invocation_session(rig.later), bondy_session_id(guest.session));
    assert_ptr_equal(bondy_invocation_thread(rig.later), rig.threads[1]);
    bondy_invocation_result(BONDY_MOVE(rig.later), NULL, json_pack("{s:i}", "a", 1));
    assert_int_equal(guest.type, BONDY_RESULT);
    end_guest(&guest);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening_says_why_it_cannot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_may_end_its_session_when_the_answer_comes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_failure_of_a_call_comes_as_a_message, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_call_ends_at_its_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(canceling_and_leaving_interrupt_the_callee, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_publication_is_acknowledged_when_asked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_removed_realm_ends_its_local_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_calls_is_known_to_built_in_procedures, set_up,
                                        tear_down),
    };

    if (bondy_id_start(NULL) != BONDY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

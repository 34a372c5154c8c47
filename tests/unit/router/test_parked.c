/* SPDX-License-Identifier: Apache-2.0 */

/* Messages that wait for the dynamic authorizer: those of sessions of this process, and how many of
 * a client's may wait. What else there is about it: tests/script/authorizer.wts. */

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"
#include "tests/lib/rig.h"

/* A local peer that keeps the last message it was told. */
struct guest {
    struct bondy_session *session;
    unsigned messages;
    enum bondy_message_type type;
    uint64_t id;
    char uri[100];
    json_t *args, *kwargs;
    bool leaves_at_once;
    char closed[100];
};

static struct bondy_rig rig;
static struct bondy_rig_peer *judge, *callee;

static void on_message(void *peer, const struct bondy_message *message)
{
    struct guest *guest = peer;

    guest->messages++;
    guest->type = message->type;
    guest->id = message->id;
    snprintf(guest->uri, sizeof guest->uri, BONDY_SLICE_FMT, BONDY_SLICE_ARG(message->uri));
    json_decref(guest->args);
    json_decref(guest->kwargs);
    guest->args = bondy_payload_args(&message->payload);
    guest->kwargs = bondy_payload_kwargs(&message->payload);
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

static void open_guest(struct guest *guest)
{
    memset(guest, 0, sizeof *guest);
    guest->session = bondy_session_open_local(rig.threads[0], BONDY_SLICE("sec"),
                                              &bondy_identity_anonymous, &local, guest, NULL);
    assert_non_null(guest->session);
}

static void end_guest(struct guest *guest)
{
    if (guest->session != NULL)
        bondy_session_lost(guest->session);
    json_decref(guest->args);
    json_decref(guest->kwargs);
    bondy_rig_settle(&rig);
}

static void say(struct bondy_rig_peer *peer, json_t *message)
{
    bondy_rig_send(peer, message);
    json_decref(message);
}

static json_int_t number(struct bondy_rig_peer *peer, size_t message, size_t field)
{
    return json_integer_value(json_array_get(json_array_get(peer->received, message), field));
}

/* A peer with all roles that has registered `procedure`. */
static struct bondy_rig_peer *join(const char *name, const char *procedure)
{
    struct bondy_rig_peer *peer = bondy_rig_peer(&rig, name, BONDY_JSON);

    bondy_rig_connect(peer);
    say(peer,
        json_pack("[i,s,{s:{s:{s:{s:b}},s:{},s:{},s:{}}}]", BONDY_HELLO, "sec", "roles", "callee",
                  "features", "call_canceling", 1, "caller", "publisher", "subscriber"));
    say(peer, json_pack("[i,i,{},s]", BONDY_REGISTER, 1, procedure));
    assert_int_equal(number(peer, 1, 0), BONDY_REGISTERED);
    json_array_clear(peer->received);
    return peer;
}

static void grant(const char *name, const char *permission, const char *uri)
{
    struct bondy_policy *policy = bondy_rig_realm(&rig, "sec")->policy;
    const struct bondy_grant_key key = {.kind = BONDY_ROLE_GROUP,
                                        .name = bondy_slice_text(name),
                                        .match = BONDY_GRANT_PREFIX,
                                        .uri = bondy_slice_text(uri)};
    json_t *permissions = json_pack("[s]", permission);

    bondy_policy_put_grant(policy, &key, permissions);
    json_decref(permissions);
    bondy_rig_publish(&rig, "sec");
}

static int set_up(void **state)
{
    (void)state;
    bondy_rig_init(&rig, 2);
    bondy_rig_start(&rig);
    bondy_rig_add_realm(&rig, "sec", BONDY_RIG_SECURE);
    bondy_rig_realm(&rig, "sec")->authorizer = json_pack("{s:s}", "procedure", "com.judge");
    grant("all", "wamp.register", "com");
    judge = join("judge", "com.judge");
    callee = join("callee", "com.work");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bondy_rig_stop(&rig);
    return 0;
}

/* The judge answers what it was asked. */
static void decide(bool allows)
{
    json_int_t invocation;

    bondy_rig_settle(&rig);
    assert_int_equal(number(judge, 0, 0), BONDY_INVOCATION);
    invocation = number(judge, 0, 1);
    json_array_clear(judge->received);
    say(judge, json_pack("[i,I,{},[b]]", BONDY_YIELD, invocation, allows));
}

/* A call with payload whose bytes are gone when it returns. */
static uint64_t call(struct guest *guest, const char *procedure,
                     const struct bondy_call_options *options)
{
    json_t *args = json_pack("[s,i]", "payload that is long enough not to be inline", 7);
    json_t *kwargs = json_pack("{s:s}", "key", "value");
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_payload payload = bondy_payload_make(BONDY_MSGPACK, args, kwargs, &bytes);
    char *uri = bondy_strdup(procedure);
    uint64_t request = bondy_session_call(guest->session, bondy_slice_text(uri), options, &payload);

    memset(uri, 'x', strlen(uri));
    memset(bytes.data, 0xff, bytes.len);
    bondy_free(uri);
    bondy_buf_fini(&bytes);
    json_decref(args);
    json_decref(kwargs);
    return request;
}

static void a_call_waits_and_goes_on_with_all_it_had(void **state)
{
    json_t *extra = json_pack("{s:b}", "disclose_me", 1);
    const struct bondy_call_options options = {.timeout_ms = 300, .extra = extra};
    struct guest guest;
    uint64_t request;

    (void)state;
    open_guest(&guest);
    request = call(&guest, "com.work", &options);
    json_decref(extra);
    assert_int_equal(guest.messages, 0);
    decide(true);
    assert_int_equal(json_array_size(callee->received), 1);
    assert_int_equal(number(callee, 0, 0), BONDY_INVOCATION);
    assert_true(json_object_get(json_array_get(json_array_get(callee->received, 0), 3), "caller") !=
                NULL);
    assert_int_equal(json_integer_value(
                         json_array_get(json_array_get(json_array_get(callee->received, 0), 4), 1)),
                     7);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_array_get(callee->received, 0), 5), "key")),
                        "value");
    say(callee, json_pack("[i,i,{},[s]]", BONDY_YIELD, 1, "done"));
    assert_int_equal(guest.type, BONDY_RESULT);
    assert_int_equal(guest.id, request);
    assert_string_equal(json_string_value(json_array_get(guest.args, 0)), "done");
    /* The next one, with its timeout. */
    request = call(&guest, "com.work", &options);
    decide(true);
    bondy_rig_advance(&rig, 299);
    assert_int_equal(guest.messages, 1);
    bondy_rig_advance(&rig, 1);
    assert_int_equal(guest.type, BONDY_ERROR);
    assert_int_equal(guest.id, request);
    assert_string_equal(guest.uri, BONDY_ERR_TIMEOUT);
    end_guest(&guest);
}

static void a_denied_or_unanswered_call_comes_back_as_an_error(void **state)
{
    struct guest guest;

    (void)state;
    open_guest(&guest);
    call(&guest, "com.work", NULL);
    decide(false);
    assert_string_equal(guest.uri, BONDY_ERR_NOT_AUTHORIZED);
    assert_non_null(json_object_get(guest.kwargs, "message"));
    call(&guest, "com.work", NULL);
    bondy_rig_settle(&rig);
    bondy_rig_advance(&rig, 5000);
    assert_string_equal(guest.uri, BONDY_ERR_AUTHORIZATION_FAILED);
    assert_int_equal(json_array_size(callee->received), 0);
    end_guest(&guest);
}

static void a_peer_may_end_its_session_when_the_denial_comes(void **state)
{
    struct guest guest;

    (void)state;
    open_guest(&guest);
    guest.leaves_at_once = true;
    call(&guest, "com.work", NULL);
    decide(false);
    assert_null(guest.session);
    assert_int_equal(guest.messages, 1);
    end_guest(&guest);
    /* The same when nobody can be asked and the answer comes at once. */
    bondy_rig_lose(judge);
    open_guest(&guest);
    guest.leaves_at_once = true;
    call(&guest, "com.work", NULL);
    assert_null(guest.session);
    assert_string_equal(guest.uri, BONDY_ERR_AUTHORIZATION_FAILED);
    end_guest(&guest);
}

static void a_call_that_was_canceled_while_it_waited_is_not_made(void **state)
{
    struct guest guest;
    uint64_t request;

    (void)state;
    open_guest(&guest);
    request = call(&guest, "com.work", NULL);
    bondy_rig_settle(&rig);
    bondy_session_cancel(guest.session, request + 1); /* another one */
    bondy_session_cancel(guest.session, request);
    bondy_rig_settle(&rig);
    assert_int_equal(json_array_size(judge->received), 2);
    assert_int_equal(number(judge, 1, 0), BONDY_INTERRUPT);
    say(judge, json_pack("[i,I,{},[b]]", BONDY_YIELD, number(judge, 0, 1), 1));
    assert_int_equal(guest.messages, 0);
    assert_int_equal(json_array_size(callee->received), 0);
    end_guest(&guest);
}

static void one_message_waits_at_a_time(void **state)
{
    struct guest guest;

    (void)state;
    open_guest(&guest);
    call(&guest, "com.work", NULL);
    call(&guest, "com.other", NULL);
    assert_int_equal(guest.messages, 1);
    assert_string_equal(guest.uri, BONDY_ERR_AUTHORIZATION_FAILED);
    decide(true);
    assert_int_equal(json_array_size(callee->received), 1);
    end_guest(&guest);
}

static void a_publication_waits_and_keeps_its_receivers(void **state)
{
    json_t *options;
    struct guest guest;
    uint64_t publication;

    (void)state;
    grant("all", "wamp.subscribe", "com");
    say(judge, json_pack("[i,i,{},s]", BONDY_SUBSCRIBE, 2, "com.t"));
    say(callee, json_pack("[i,i,{},s]", BONDY_SUBSCRIBE, 2, "com.t"));
    json_array_clear(judge->received);
    json_array_clear(callee->received);
    open_guest(&guest);
    options = json_pack("{s:b,s:[I]}", "acknowledge", 1, "eligible",
                        (json_int_t)bondy_session_id(callee->session));
    bondy_session_publish(guest.session, BONDY_SLICE("com.t"), options, NULL, &publication);
    json_decref(options);
    assert_int_equal(guest.messages, 0);
    decide(true);
    assert_int_equal(guest.type, BONDY_PUBLISHED);
    assert_int_equal(json_array_size(callee->received), 1);
    assert_int_equal(number(callee, 0, 0), BONDY_EVENT);
    assert_int_equal(json_array_size(judge->received), 0);
    end_guest(&guest);
}

static void a_session_that_ends_while_it_waits_hears_no_more(void **state)
{
    struct guest guest;

    (void)state;
    open_guest(&guest);
    call(&guest, "com.work", NULL);
    bondy_rig_settle(&rig);
    bondy_session_lost(BONDY_MOVE(guest.session));
    decide(true);
    assert_int_equal(guest.messages, 0);
    end_guest(&guest);
}

/* SESS-CLOSE-8 */
static void a_removed_realm_ends_sessions_that_wait(void **state)
{
    struct guest guest;

    (void)state;
    open_guest(&guest);
    call(&guest, "com.work", NULL);
    bondy_rig_settle(&rig);
    bondy_rig_remove_realm(&rig, "sec");
    assert_null(guest.session);
    assert_string_equal(guest.closed, BONDY_CLOSE_REALM);
    end_guest(&guest);
}

static struct bondy_rig_peer *flood(const char *name, unsigned count, size_t len)
{
    struct bondy_rig_peer *peer = join(name, name);
    char *text = bondy_zalloc(len + 1);

    memset(text, 'x', len);
    say(peer, json_pack("[i,i,{},s]", BONDY_CALL, 2, "com.work"));
    for (unsigned i = 0; i < count && !peer->is_closed; i++)
        say(peer, json_pack("[i,i,{},s,[s]]", BONDY_CALL, 3 + i, "bondy.ping", text));
    bondy_free(text);
    json_array_clear(judge->received);
    return peer;
}

static void what_may_wait_behind_a_message_is_limited(void **state)
{
    struct bondy_rig_peer *peer;

    (void)state;
    peer = flood("com.few", 4096, 1);
    assert_false(peer->is_closed);
    peer = flood("com.many", 4097, 1);
    assert_true(peer->is_closed);
    assert_int_equal(number(peer, 0, 0), BONDY_ABORT);
    peer = flood("com.big", 5, 1 << 20);
    assert_true(peer->is_closed);
    assert_string_equal(json_string_value(json_array_get(json_array_get(peer->received, 0), 2)),
                        BONDY_ERR_UNAVAILABLE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_waits_and_goes_on_with_all_it_had, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_denied_or_unanswered_call_comes_back_as_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_peer_may_end_its_session_when_the_denial_comes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_was_canceled_while_it_waited_is_not_made,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_message_waits_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_publication_waits_and_keeps_its_receivers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_session_that_ends_while_it_waits_hears_no_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_removed_realm_ends_sessions_that_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_wait_behind_a_message_is_limited, set_up,
                                        tear_down),
    };

    if (bondy_id_start(NULL) != BONDY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

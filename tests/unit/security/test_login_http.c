/* SPDX-License-Identifier: Apache-2.0 */

/* What HTTP requests log in with: API keys, tokens of either kind, and what of it is remembered.
 * http-gateway.md 1.6, admin-http-api.md 3 and 8. */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/security/login/credentials.h"
#include "src/security/login/throttle.h"
#include "src/security/token/api_key.h"
#include "src/sys/publish.h"
#include "tests/lib/test.h"
#include "tests/unit/security/login_rig.h"

#define OTHER "org.other"

/* ---- keys ------------------------------------------------------------------------------------ */

struct key {
    const char *realm;
    json_t *prepared;
    char text[BONDY_API_KEY_TEXT];
};

static int add_key(struct bondy_edit *edit, void *context)
{
    const struct key *key = context;

    return bondy_api_key_apply_add(edit, bondy_slice_text(key->realm), key->prepared);
}

/* `expires_in_ms`: 0: never; may have been. */
static void make_key(struct login_rig *rig, const char *realm, const char *input,
                     int64_t expires_in_ms, struct key *out)
{
    const struct bondy_edit edit = {.rules = &rig->f->rules};
    json_t *tree = json_loads(input, 0, NULL), *problem = NULL;

    out->realm = realm;
    assert_int_equal(bondy_api_key_prepare(&edit, tree, &out->prepared, out->text, &problem),
                     BONDY_OK);
    if (expires_in_ms != 0)
        json_object_set_new(out->prepared, "expires_ms",
                            json_integer((json_int_t)bondy_clock_wall_ms() + expires_in_ms));
    assert_int_equal(fixture_job(rig->f, add_key, out), BONDY_OK);
    json_decref(tree);
}

static int delete_key(struct bondy_edit *edit, void *context)
{
    const struct key *key = context;

    return bondy_api_key_apply_delete(edit, bondy_slice_text(key->realm),
                                      bondy_json_text(key->prepared, "id"));
}

static void drop_key(struct key *key)
{
    json_decref(BONDY_MOVE(key->prepared));
}

/* ---- checks ---------------------------------------------------------------------------------- */

struct asked {
    struct bondy_login_peer peer;
    struct bondy_auth_check check;
    struct bondy_login *login;
};

/* Without pools the answer is there when bondy_auth_check() returns. */
static void on_checked(struct bondy_login *login, void *context)
{
    assert_non_null(bondy_auth_ops(((struct login_rig *)context)->auth)->answer(login));
}

static void prepare(struct login_rig *rig, struct asked *asked, const char *realm, const char *from,
                    const char *method, const char *authid, const char *secret)
{
    char address[64];

    memset(asked, 0, sizeof *asked);
    asked->peer.is_secure = true;
    snprintf(address, sizeof address, "%s:1", from);
    bondy_address_read(bondy_slice_text(address), &asked->peer.address);
    asked->check = (struct bondy_auth_check){.realm = fixture_realm(rig->f, realm),
                                             .method = method,
                                             .authid = bondy_slice_text(authid),
                                             .secret = bondy_slice_text(secret),
                                             .peer = &asked->peer,
                                             .done = on_checked,
                                             .context = rig};
}

static const struct bondy_login_answer *run(struct login_rig *rig, struct asked *asked)
{
    bondy_auth_check(rig->auth, &asked->check, &asked->login);
    return bondy_auth_ops(rig->auth)->answer(asked->login);
}

static void finish_asked(struct login_rig *rig, struct asked *asked)
{
    bondy_auth_ops(rig->auth)->end(asked->login);
    bondy_publish_quiesce();
}

/* "WELCOME authid role method" or "ABORT reason". */
static const char *ask(struct login_rig *rig, const char *realm, const char *from,
                       const char *method, const char *secret)
{
    static char outcome[200];
    const struct bondy_login_answer *said;
    struct asked asked;

    prepare(rig, &asked, realm, from, method, "", secret);
    said = run(rig, &asked);
    if (said->step == BONDY_LOGIN_WELCOME)
        snprintf(outcome, sizeof outcome,
                 "WELCOME " BONDY_SLICE_FMT " " BONDY_SLICE_FMT " " BONDY_SLICE_FMT,
                 BONDY_SLICE_ARG(said->identity.authid), BONDY_SLICE_ARG(said->identity.authrole),
                 BONDY_SLICE_ARG(said->identity.authmethod));
    else
        snprintf(outcome, sizeof outcome, "ABORT %s", said->reason);
    finish_asked(rig, &asked);
    return outcome;
}

#define HERE "127.0.0.1"
#define DENIED "ABORT " BONDY_ERR_AUTHENTICATION_DENIED
#define MONA "WELCOME mona cashiers,staff api_key"

/* ---- API keys -------------------------------------------------------------------------------- */

static void a_key_is_its_user_where_it_was_made(void **state)
{
    struct login_rig *rig = *state;
    struct key key;
    char wrong[BONDY_API_KEY_TEXT];

    login_rig_do(rig, CREATE_REALM, NULL, NULL,
                 "{'uri':'" OTHER "','authmethods':['wampcra'],"
                 "'users':[{'username':'mona','password':'kettle-46-rope'}]}");
    make_key(rig, ACME, "{\"authid\":\"mona\"}", 0, &key);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", key.text), MONA);
    assert_string_equal(ask(rig, ACME, "203.0.113.9", "api_key", key.text), MONA);
    assert_string_equal(ask(rig, OTHER, HERE, "api_key", key.text), DENIED);
    snprintf(wrong, sizeof wrong, "%s", key.text);
    wrong[strlen(wrong) - 2] ^= 1;
    assert_string_equal(ask(rig, ACME, HERE, "api_key", wrong), DENIED);
    snprintf(wrong, sizeof wrong, "%s", key.text);
    wrong[8] ^= 1;
    assert_string_equal(ask(rig, ACME, HERE, "api_key", wrong), DENIED);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", "bondy_"), DENIED);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", ""), DENIED);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", PASSWORD), DENIED);
    drop_key(&key);
}

/* A realm that takes nothing but WAMP-CRA, and no source: the key's own networks decide. */
static void a_key_needs_no_method_of_the_realm_and_no_source(void **state)
{
    struct login_rig *rig = *state;
    struct key key;

    login_rig_do(rig, CREATE_REALM, NULL, NULL,
                 "{'uri':'" OTHER "','authmethods':['wampcra'],'users':[{'username':'joe'}]}");
    make_key(rig, OTHER, "{\"authid\":\"joe\",\"cidrs\":[\"10.0.0.0/8\",\"::1/128\"]}", 0, &key);
    assert_string_equal(ask(rig, OTHER, "10.9.8.7", "api_key", key.text), "WELCOME joe  api_key");
    assert_string_equal(ask(rig, OTHER, "[::1]", "api_key", key.text), "WELCOME joe  api_key");
    assert_string_equal(ask(rig, OTHER, HERE, "api_key", key.text), DENIED);
    drop_key(&key);
}

static void a_key_ends_with_its_time_its_record_and_its_user(void **state)
{
    struct login_rig *rig = *state;
    struct key keys[4];

    make_key(rig, ACME, "{\"authid\":\"mona\"}", -1, &keys[0]);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[0].text), DENIED);
    make_key(rig, ACME, "{\"authid\":\"mona\"}", 60000, &keys[1]);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[1].text), MONA);
    assert_int_equal(fixture_job(rig->f, delete_key, &keys[1]), BONDY_OK);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[1].text), DENIED);
    make_key(rig, ACME, "{\"authid\":\"off\"}", 0, &keys[2]);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[2].text), DENIED);
    login_rig_do(rig, ENABLE_USER, ACME, "off", NULL);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[2].text), "WELCOME off  api_key");
    make_key(rig, ACME, "{\"authid\":\"plain\"}", 0, &keys[3]);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[3].text), "WELCOME plain  api_key");
    login_rig_do(rig, DELETE_USER, ACME, "plain", NULL);
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[3].text), DENIED);
    login_rig_do(rig, ADD_USER, ACME, NULL, "{'username':'plain'}");
    assert_string_equal(ask(rig, ACME, HERE, "api_key", keys[3].text), DENIED);
    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        drop_key(&keys[i]);
}

static void a_key_is_nothing_for_wamp(void **state)
{
    struct login_rig *rig = *state;
    struct attempt attempt;

    assert_string_equal(
        hello(rig, &attempt, ACME, NULL, "{'authid':'mona','authmethods':['api_key']}"),
        "ABORT " BONDY_ERR_NO_MATCHING_AUTH_METHOD);
    finish(&attempt);
}

static void guessed_keys_are_counted(void **state)
{
    const struct bondy_throttle_options limits = {3, 100, 1000, 0};
    struct login_rig *rig = *state;
    struct bondy_throttle *throttle = bondy_throttle_create(&limits);
    unsigned denied = 0;
    struct key key;

    make_key(rig, ACME, "{\"authid\":\"mona\"}", 0, &key);
    rig->options.throttle = throttle;
    login_rig_restart(rig);
    while (strcmp(ask(rig, ACME, "192.0.2.1", "api_key", "bondy_guess"), DENIED) == 0 &&
           denied < 100)
        denied++;
    assert_in_range(denied, 1, 10);
    /* Whatever it sends. */
    assert_string_not_equal(ask(rig, ACME, "192.0.2.1", "api_key", key.text), MONA);
    assert_string_equal(ask(rig, ACME, "192.0.2.2", "api_key", key.text), MONA);
    drop_key(&key);
    rig->options.throttle = NULL;
    login_rig_restart(rig);
    bondy_throttle_destroy(throttle);
}

/* ---- bearers --------------------------------------------------------------------------------- */

static void a_bearer_that_is_no_token_is_denied(void **state)
{
    static const char *const TEXTS[] = {"", "x", "a.b.c", "e30.e30.", "bondy_1_2", "...."};
    struct login_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(TEXTS); i++)
        for (unsigned is_hiding = 0; is_hiding < 2; is_hiding++) {
            rig->options.hides_unknown_users = is_hiding;
            login_rig_restart(rig);
            assert_memory_equal(ask(rig, ACME, HERE, "bearer", TEXTS[i]), "ABORT ", 6);
        }
}

/* ---- what is remembered ---------------------------------------------------------------------- */

struct memory {
    struct login_rig *rig;
    struct bondy_credentials *credentials;
    struct asked asked;
    struct bondy_credentials_mark mark;
};

static void keep(struct memory *memory, struct asked *asked, uint64_t now_ms)
{
    const struct bondy_login_answer *said;

    bondy_credentials_mark(memory->credentials, &asked->check, &memory->mark);
    said = run(memory->rig, asked);
    assert_int_equal(said->step, BONDY_LOGIN_WELCOME);
    bondy_credentials_keep(memory->credentials, 0, &memory->mark, said, now_ms);
    finish_asked(memory->rig, asked);
}

static bool is_known(const struct memory *memory, const struct asked *asked, uint64_t now_ms)
{
    struct bondy_credentials_mark mark;
    const struct bondy_identity *identity;

    bondy_credentials_mark(memory->credentials, &asked->check, &mark);
    identity = bondy_credentials_find(memory->credentials, 0, &mark, now_ms);
    assert_true(identity == NULL || identity->authid.len > 0);
    return identity != NULL;
}

static void start_memory(struct login_rig *rig, struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->rig = rig;
    memory->credentials = bondy_credentials_create(rig->auth);
    prepare(rig, &memory->asked, ACME, HERE, "password", "mona", PASSWORD);
}

static void end_memory(struct memory *memory)
{
    bondy_credentials_destroy(memory->credentials);
    bondy_publish_quiesce();
}

static void what_was_right_is_known_for_ten_seconds(void **state)
{
    struct memory memory;

    start_memory(*state, &memory);
    assert_false(is_known(&memory, &memory.asked, 1000));
    keep(&memory, &memory.asked, 1000);
    assert_true(is_known(&memory, &memory.asked, 1000));
    assert_true(is_known(&memory, &memory.asked, 10999));
    assert_false(is_known(&memory, &memory.asked, 11000)); /* who asks this asks anew */
    assert_true(is_known(&memory, &memory.asked, 11000));  /* the others go on */
    assert_true(is_known(&memory, &memory.asked, 15999));
    assert_false(is_known(&memory, &memory.asked, 16000));
    assert_false(is_known(&memory, &memory.asked, 16000)); /* thrown away */
    keep(&memory, &memory.asked, 20000);
    assert_false(is_known(&memory, &memory.asked, 30000));
    keep(&memory, &memory.asked, 30100); /* right again */
    assert_true(is_known(&memory, &memory.asked, 40099));
    assert_false(is_known(&memory, &memory.asked, 40100));
    bondy_credentials_drop(memory.credentials, 0, &memory.mark); /* or wrong */
    assert_false(is_known(&memory, &memory.asked, 40100));
    end_memory(&memory);
}

static void everything_that_decided_is_part_of_what_is_known(void **state)
{
    struct login_rig *rig = *state;
    struct memory memory;
    struct asked other;

    login_rig_do(rig, CREATE_REALM, NULL, NULL, "{'uri':'" OTHER "','authmethods':['password']}");
    start_memory(rig, &memory);
    keep(&memory, &memory.asked, 1000);
    prepare(rig, &other, OTHER, HERE, "password", "mona", PASSWORD);
    assert_false(is_known(&memory, &other, 1000));
    prepare(rig, &other, ACME, "127.0.0.2", "password", "mona", PASSWORD);
    assert_false(is_known(&memory, &other, 1000));
    prepare(rig, &other, ACME, HERE, "ticket", "mona", PASSWORD);
    assert_false(is_known(&memory, &other, 1000));
    prepare(rig, &other, ACME, HERE, "password", "mo", PASSWORD);
    assert_false(is_known(&memory, &other, 1000));
    prepare(rig, &other, ACME, HERE, "password", "monak", "ettle-46-rope");
    assert_false(is_known(&memory, &other, 1000));
    prepare(rig, &other, ACME, HERE, "password", "mona", "kettle-46-rop");
    assert_false(is_known(&memory, &other, 1000));
    prepare(rig, &other, ACME, HERE, "password", "mona", PASSWORD);
    other.peer.is_secure = false;
    assert_false(is_known(&memory, &other, 1000));
    other.peer.is_secure = true;
    assert_true(is_known(&memory, &other, 1000));
    end_memory(&memory);
}

static void do_disable(struct login_rig *rig)
{
    login_rig_do(rig, DISABLE_USER, ACME, "mona", NULL);
}

static void do_delete(struct login_rig *rig)
{
    login_rig_do(rig, DELETE_USER, ACME, "mona", NULL);
}

static void do_regroup(struct login_rig *rig)
{
    login_rig_do(rig, REMOVE_USER_GROUPS, ACME, "mona", "['staff']");
}

static void do_remove_source(struct login_rig *rig)
{
    login_rig_do(rig, DELETE_SOURCE, ACME, "[\"mona\"]",
                 "{'cidr':'127.0.0.0/8','authmethod':'password'}");
}

static void do_take_method(struct login_rig *rig)
{
    login_rig_do(rig, UPDATE_REALM, ACME, NULL, "{'authmethods':['wampcra']}");
}

static void nothing_outlives_what_it_was_found_by(void **state)
{
    static void (*const CHANGES[])(struct login_rig * rig) = {
        do_regroup, do_remove_source, do_take_method, do_disable, do_delete};
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(CHANGES); i++) {
        void *fresh = NULL;
        struct memory memory;

        login_rig_setup(&fresh);
        start_memory(fresh, &memory);
        keep(&memory, &memory.asked, 1000);
        assert_true(is_known(&memory, &memory.asked, 1001));
        CHANGES[i](fresh);
        memory.asked.check.realm = fixture_realm(((struct login_rig *)fresh)->f, ACME);
        if (is_known(&memory, &memory.asked, 1002))
            fail_msg("change %zu is not noticed", i);
        end_memory(&memory);
        login_rig_teardown(&fresh);
    }
}

/* A key that is deleted between the answer and its being kept, or during the check. */
static void an_answer_that_was_overtaken_is_not_kept(void **state)
{
    struct login_rig *rig = *state;
    const struct bondy_login_answer *said;
    struct memory memory;
    struct asked asked;
    struct key key;

    start_memory(rig, &memory);
    make_key(rig, ACME, "{\"authid\":\"mona\"}", 0, &key);
    prepare(rig, &asked, ACME, HERE, "api_key", "", key.text);
    bondy_credentials_mark(memory.credentials, &asked.check, &memory.mark);
    said = run(rig, &asked);
    assert_int_equal(said->step, BONDY_LOGIN_WELCOME);
    assert_int_equal(fixture_job(rig->f, delete_key, &key), BONDY_OK);
    bondy_credentials_keep(memory.credentials, 0, &memory.mark, said, 1000);
    finish_asked(rig, &asked);
    assert_false(is_known(&memory, &asked, 1000));
    drop_key(&key);
    end_memory(&memory);
}

static void a_credential_is_not_known_past_its_own_end(void **state)
{
    struct login_rig *rig = *state;
    struct memory memory;
    struct asked asked;
    struct key key;

    start_memory(rig, &memory);
    make_key(rig, ACME, "{\"authid\":\"mona\"}", 5000, &key);
    prepare(rig, &asked, ACME, HERE, "api_key", "", key.text);
    keep(&memory, &asked, 1000);
    assert_true(is_known(&memory, &asked, 1000));
    assert_false(is_known(&memory, &asked, 1000 + 5001));
    drop_key(&key);
    end_memory(&memory);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void basic_credentials_are_split_at_the_colon_that_was_asked_for(void **state)
{
    static const struct {
        const char *text;
        enum bondy_colon colon;
        const char *authid, *secret; /* NULL: malformed */
    } CASES[] = {
        {"a:b", BONDY_COLON_FIRST, "a", "b"},    {"a:b:c", BONDY_COLON_FIRST, "a", "b:c"},
        {"a:b:c", BONDY_COLON_LAST, "a:b", "c"}, {"a:", BONDY_COLON_LAST, "a", ""},
        {"a::", BONDY_COLON_LAST, "a:", ""},     {":b", BONDY_COLON_LAST, NULL, NULL},
        {"a", BONDY_COLON_LAST, NULL, NULL},     {"", BONDY_COLON_LAST, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(CASES); i++) {
        struct bondy_auth_check check = {0};
        char encoded[64], bytes[BONDY_BASIC_MAX];
        bool is_read;

        sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)CASES[i].text,
                          strlen(CASES[i].text), sodium_base64_VARIANT_ORIGINAL);
        is_read = bondy_credentials_basic(bondy_slice_text(encoded), CASES[i].colon, bytes, &check);
        assert_int_equal(is_read, CASES[i].authid != NULL);
        if (!is_read)
            continue;
        assert_true(bondy_slice_is(check.authid, CASES[i].authid));
        assert_true(bondy_slice_is(check.secret, CASES[i].secret));
        assert_string_equal(check.method, "password");
    }
}

static void a_scheme_is_a_word_of_its_own(void **state)
{
    static const struct {
        const char *header, *rest;
    } CASES[] = {
        {"Basic abc", "abc"}, {"bASIC   abc", "abc"}, {"Basic", NULL},
        {"Basicabc", NULL},   {"Bearer abc", NULL},   {"Basic ", ""},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(CASES); i++) {
        struct bondy_slice rest;
        bool is_it = bondy_credentials_scheme(bondy_slice_text(CASES[i].header), "Basic", &rest);

        assert_int_equal(is_it, CASES[i].rest != NULL);
        if (is_it)
            assert_true(bondy_slice_is(rest, CASES[i].rest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOGIN_TEST(a_key_is_its_user_where_it_was_made),
        LOGIN_TEST(a_key_needs_no_method_of_the_realm_and_no_source),
        LOGIN_TEST(a_key_ends_with_its_time_its_record_and_its_user),
        LOGIN_TEST(a_key_is_nothing_for_wamp),
        LOGIN_TEST(guessed_keys_are_counted),
        LOGIN_TEST(a_bearer_that_is_no_token_is_denied),
        LOGIN_TEST(what_was_right_is_known_for_ten_seconds),
        LOGIN_TEST(everything_that_decided_is_part_of_what_is_known),
        cmocka_unit_test(nothing_outlives_what_it_was_found_by),
        LOGIN_TEST(an_answer_that_was_overtaken_is_not_kept),
        LOGIN_TEST(a_credential_is_not_known_past_its_own_end),
        cmocka_unit_test(basic_credentials_are_split_at_the_colon_that_was_asked_for),
        cmocka_unit_test(a_scheme_is_a_word_of_its_own),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

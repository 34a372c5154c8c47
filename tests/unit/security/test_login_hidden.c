/* SPDX-License-Identifier: Apache-2.0 */

/* What a login tells to somebody who guesses: names that look alike whether they exist or not,
 * failures that are counted, the older router's error URIs, and logins in one step. */

#include "tests/unit/security/login_rig.h"

#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/security/login/throttle.h"

#define NONCE "oKGio6SlpqeoqaqrrK2urw=="
#define DENIED "ABORT wamp.error.authentication_denied"

static int hide(void **state)
{
    struct login_rig *rig;

    login_rig_setup(state);
    rig = *state;
    rig->options.hides_unknown_users = true;
    login_rig_restart(rig);
    return 0;
}

#define HIDING_TEST(name) cmocka_unit_test_setup_teardown(name, hide, login_rig_teardown)

/* ---- hiding ---------------------------------------------------------------------------------- */

/* What can be told from one another without knowing a secret: the members of an object, and the
 * values that are not random. */
static void describe(const json_t *extra, struct bondy_buf *out)
{
    static const char *const shown[] = {"keylen", "iterations", "kdf",
                                        "memory", "scram",      "channel_binding"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)extra, key, value)
    {
        /* The challenge of CRA holds the name. */
        bondy_buf_printf(out, " %s(%zu)", key,
                         strcmp(key, "challenge") == 0 ? 0 : json_string_length(value));
        for (size_t i = 0; i < BONDY_COUNT(shown); i++)
            if (strcmp(key, shown[i]) == 0) {
                char *text = json_dumps(value, JSON_ENCODE_ANY);

                bondy_buf_printf(out, "=%s", text);
                free(text);
            }
    }
}

static void describe_step(const struct attempt *attempt, struct bondy_buf *out)
{
    bondy_buf_printf(out, "%s", attempt->outcome);
    if (attempt->answer->message != NULL)
        bondy_buf_printf(out, " '%s'", attempt->answer->message);
    describe(attempt->answer->extra, out);
    bondy_buf_printf(out, "\n");
}

/* The whole conversation of somebody who does not know the secret. */
static char *transcript(struct login_rig *rig, const char *authid, const char *method)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct attempt attempt;
    char text[300];

    snprintf(text, sizeof text,
             "{'authid':'%s','authmethods':['%s'],'authextra':{'nonce':'" NONCE "'}}", authid,
             method);
    hello(rig, &attempt, ACME, NULL, text);
    describe_step(&attempt, &out);
    if (attempt.answer->step == BONDY_LOGIN_CHALLENGE) {
        if (strcmp(method, "cryptosign") == 0)
            answer_key(&attempt, 77);
        else
            answer_password(&attempt, "not-the-password");
        describe_step(&attempt, &out);
    }
    finish(&attempt);
    return bondy_buf_take_text(&out);
}

/* Acceptance row 16; AUTH-GEN-3. */
static void nobody_can_tell_an_unknown_user_from_a_wrong_password(void **state)
{
    static const char *const methods[] = {"password", "ticket",     "oauth2",
                                          "wampcra",  "wamp-scram", "cryptosign"};
    static const char *const names[] = {"nobody", "off", "far",        "plain",
                                        "Nobody", "a b", "no\\u00fcn", "all"};
    struct login_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(methods); i++) {
        char *expected = transcript(rig, "mona", methods[i]);

        assert_non_null(strstr(expected, DENIED));
        for (size_t k = 0; k < BONDY_COUNT(names); k++) {
            char *got = transcript(rig, names[k], methods[i]);

            if (strcmp(got, expected) != 0 && strcmp(names[k], "a b") != 0 &&
                strcmp(names[k], "no\\u00fcn") != 0)
                fail_msg("%s of %s:\n%s\nexpected\n%s", methods[i], names[k], got, expected);
            assert_non_null(strstr(got, DENIED));
            bondy_free(got);
        }
        bondy_free(expected);
    }
}

static void who_may_not_be_trusted_from_here_is_challenged_like_nobody(void **state)
{
    struct login_rig *rig = *state;
    struct attempt attempt;

    login_rig_do(rig, DELETE_SOURCE, ACME, "[\"mona\"]",
                 "{'cidr':'127.0.0.0/8','authmethod':'trust'}");
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(hello(rig, &attempt, ACME, NULL,
                                  i == 0 ? "{'authid':'mona','authmethods':['trust','wampcra']}"
                                         : "{'authid':'nobody','authmethods':['trust','wampcra']}"),
                            "CHALLENGE wampcra");
        assert_string_equal(answer_password(&attempt, "wrong"), DENIED);
        finish(&attempt);
    }
    assert_string_equal(log_in(rig, ACME, "{'authid':'nobody','authmethods':['trust']}", ""),
                        DENIED);
}

/* What depends on the realm alone may be said. */
static void what_does_not_depend_on_the_user_is_told_apart(void **state)
{
    assert_string_equal(log_in(*state, ACME, "{'authid':'nobody','authmethods':['tls']}", ""),
                        "ABORT wamp.error.no_matching_auth_method");
    assert_string_equal(log_in(*state, ACME, "{'authid':'nobody'}", ""),
                        "ABORT wamp.error.authentication_required");
    assert_string_equal(log_in(*state, ACME, "{'authid':'mona','authmethods':['tls']}", ""),
                        "ABORT wamp.error.no_matching_auth_method");
}

static void the_right_password_is_enough_when_names_are_hidden(void **state)
{
    assert_string_equal(
        log_in(*state, ACME, "{'authid':'mona','authmethods':['wampcra']}", PASSWORD),
        "WELCOME mona cashiers,staff wampcra");
    /* The role is looked at after the proof. */
    assert_string_equal(log_in(*state, ACME,
                               "{'authid':'mona','authmethods':['wampcra'],'authrole':'admins'}",
                               PASSWORD),
                        "ABORT wamp.error.no_such_role");
    assert_string_equal(log_in(*state, ACME,
                               "{'authid':'mona','authmethods':['wampcra'],'authrole':'admins'}",
                               "wrong"),
                        DENIED);
    /* The right password of who is disabled or far off is as good as a wrong one. */
    assert_string_equal(
        log_in(*state, ACME, "{'authid':'off','authmethods':['wampcra']}", PASSWORD), DENIED);
    assert_string_equal(
        log_in(*state, ACME, "{'authid':'far','authmethods':['wampcra']}", PASSWORD), DENIED);
}

/* A text of CHALLENGE.Extra, or of the JSON text that is to be signed. */
static void challenge_text(struct login_rig *rig, const char *authid, const char *method,
                           const char *key, char out[200])
{
    struct attempt attempt;
    char text[300];
    json_t *inner;

    snprintf(text, sizeof text,
             "{'authid':'%s','authmethods':['%s'],'authextra':{'nonce':'" NONCE "'}}", authid,
             method);
    hello(rig, &attempt, ACME, NULL, text);
    inner = bondy_json_parse(bondy_json_text(attempt.answer->extra, "challenge"), 8, NULL);
    snprintf(out, 200, BONDY_SLICE_FMT,
             BONDY_SLICE_ARG(
                 bondy_json_text(strcmp(key, "salt") == 0 ? attempt.answer->extra : inner, key)));
    json_decref(inner);
    finish(&attempt);
}

/* AUTH-SCRAM-8 */
static void a_made_up_salt_is_always_the_same_for_a_name(void **state)
{
    static const char *const methods[] = {"wampcra", "wamp-scram"};
    char first[200], second[200];

    for (size_t i = 0; i < BONDY_COUNT(methods); i++) {
        challenge_text(*state, "nobody", methods[i], "salt", first);
        challenge_text(*state, "nobody", methods[i], "salt", second);
        assert_string_equal(first, second);
        /* As that of a user, who has one salt whatever the spelling. */
        challenge_text(*state, "NoBody", methods[i], "salt", second);
        assert_string_equal(first, second);
        challenge_text(*state, "nobody2", methods[i], "salt", second);
        assert_string_not_equal(first, second);
        challenge_text(*state, "mona", methods[i], "salt", first);
        challenge_text(*state, "MONA", methods[i], "salt", second);
        assert_string_equal(first, second);
    }
}

static void a_made_up_salt_outlives_a_restart(void **state)
{
    struct login_rig *rig = *state;
    char first[200], second[200];

    challenge_text(rig, "nobody", "wampcra", "salt", first);
    login_rig_do(rig, ENABLE_USER, ACME, "mona", NULL); /* whatever waits in the store is done */
    login_rig_restart(rig);
    challenge_text(rig, "nobody", "wampcra", "salt", second);
    assert_string_equal(first, second);
}

static void a_challenge_shows_the_name_that_was_asked_for(void **state)
{
    static const struct {
        const char *typed, *shown;
    } cases[] = {
        {"mona", "mona"},     {"MONA", "mona"},     {"mo-1", "mo-1"},
        {"nobody", "nobody"}, {"NOBODY", "nobody"}, {"no-1", "no-1"},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char shown[200];

        challenge_text(*state, cases[i].typed, "wampcra", "authid", shown);
        assert_string_equal(shown, cases[i].shown);
    }
}

/* ---- error URIs ------------------------------------------------------------------------------ */

/* 3.9, the table of both kinds. */
static void the_older_routers_reasons_can_be_had(void **state)
{
    static const struct {
        const char *hello, *password, *outcome;
    } cases[] = {
        {"{'authid':'mona','authmethods':['wampcra']}", "wrong",
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'mona'}", "", "ABORT wamp.error.not_auth_method"},
        {"{'authid':'mona','authmethods':['tls']}", "", "ABORT wamp.error.not_auth_method"},
        {"{'authmethods':['wampcra']}", "", "ABORT wamp.error.authentication_failed"},
        {"{'authid':'nobody','authmethods':['wampcra']}", "", "ABORT wamp.error.no_such_principal"},
    };
    struct login_rig *rig = *state;
    struct attempt attempt;

    rig->options.has_bondy_errors = true;
    login_rig_restart(rig);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *outcome = log_in(rig, ACME, cases[i].hello, cases[i].password);

        if (strcmp(outcome, cases[i].outcome) != 0)
            fail_msg("%s: %s, expected %s", cases[i].hello, outcome, cases[i].outcome);
    }
    assert_string_equal(hello(rig, &attempt, ACME, "192.0.2.1:1", "{}"),
                        "ABORT wamp.error.authentication_failed");
    finish(&attempt);
}

/* ---- throttling ------------------------------------------------------------------------------ */

static struct bondy_clock_source now;

static int throttle(void **state)
{
    const struct bondy_throttle_options options = BONDY_THROTTLE_DEFAULT;
    struct login_rig *rig;

    login_rig_setup(state);
    rig = *state;
    rig->options.throttle = bondy_throttle_create(&options);
    login_rig_restart(rig);
    now = (struct bondy_clock_source){bondy_clock_mono_ns(), bondy_clock_wall_ms()};
    bondy_clock_replace(&now);
    return 0;
}

static int unthrottle(void **state)
{
    struct bondy_throttle *throttle = ((struct login_rig *)*state)->options.throttle;

    bondy_clock_replace(NULL);
    login_rig_teardown(state);
    bondy_throttle_destroy(throttle);
    return 0;
}

#define THROTTLE_TEST(name) cmocka_unit_test_setup_teardown(name, throttle, unthrottle)

static void pass(uint64_t ms)
{
    now.mono_ns += ms * 1000000;
    now.wall_ms += ms;
}

/* "put off" for what is refused without being looked at. */
static const char *guess(struct login_rig *rig, const char *from, const char *text,
                         const char *password)
{
    static char outcome[200];
    struct attempt attempt;

    hello(rig, &attempt, ACME, from, text);
    if (attempt.answer->step == BONDY_LOGIN_CHALLENGE)
        answer_password(&attempt, password);
    snprintf(outcome, sizeof outcome, "%s", attempt.outcome);
    if (json_object_get(attempt.answer->extra, "retry_after") != NULL) {
        assert_string_equal(outcome, "ABORT wamp.error.authentication_failed");
        snprintf(outcome, sizeof outcome, "put off");
    }
    finish(&attempt);
    return outcome;
}

static const char mona[] = "{'authid':'mona','authmethods':['wampcra']}";

/* Acceptance row 17; AUTH-GEN-6. */
static void many_failures_of_one_address_put_it_off_and_no_other(void **state)
{
    struct login_rig *rig = *state;
    unsigned looked_at = 0, put_off = 0;

    for (unsigned i = 0; i < 50; i++) {
        const char *outcome = guess(rig, "192.0.2.1:1", mona, "wrong");

        looked_at += strcmp(outcome, DENIED) == 0;
        put_off += strcmp(outcome, "put off") == 0;
    }
    assert_int_equal(looked_at + put_off, 50);
    assert_in_range(looked_at, 10, 12);
    /* The right password is refused too; from elsewhere it is not. */
    assert_string_equal(guess(rig, "192.0.2.1:2", mona, PASSWORD), "put off");
    assert_string_equal(guess(rig, "192.0.2.2:1", mona, PASSWORD),
                        "WELCOME mona cashiers,staff wampcra");
    pass(1000);
    assert_string_equal(guess(rig, "192.0.2.1:2", mona, PASSWORD),
                        "WELCOME mona cashiers,staff wampcra");
    /* One more failure, and the pause is longer. */
    assert_string_equal(guess(rig, "192.0.2.1:2", mona, "wrong"), DENIED);
    pass(1000);
    assert_string_equal(guess(rig, "192.0.2.1:2", mona, PASSWORD), "put off");
    pass(1000);
    assert_string_equal(guess(rig, "192.0.2.1:2", mona, PASSWORD),
                        "WELCOME mona cashiers,staff wampcra");
}

static void what_is_no_guess_is_not_counted(void **state)
{
    struct login_rig *rig = *state;
    static const struct {
        const char *hello, *outcome;
    } cases[] = {
        {"{'authid':'mona','authmethods':['tls']}", "ABORT wamp.error.no_matching_auth_method"},
        {"{'authid':'mona'}", "ABORT wamp.error.authentication_required"},
        {"{}", "ABORT wamp.error.authentication_required"},
        {"{'authid':'plain','authmethods':['wampcra']}",
         "ABORT wamp.error.no_matching_auth_method"},
        {"{'authid':'mona','authmethods':['trust'],'authrole':'admins'}",
         "ABORT wamp.error.no_such_role"},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        for (unsigned k = 0; k < 20; k++)
            assert_string_equal(guess(rig, "192.0.2.1:1", cases[i].hello, ""), cases[i].outcome);
    assert_string_equal(guess(rig, "192.0.2.1:1", mona, PASSWORD),
                        "WELCOME mona cashiers,staff wampcra");
}

static void guessed_names_are_counted_with_every_method(void **state)
{
    struct login_rig *rig = *state;
    static const char *const hellos[] = {
        "{'authid':'nobody','authmethods':['wampcra']}",
        "{'authid':'nobody','authmethods':['trust']}",
        "{'authid':'off','authmethods':['trust']}",
    };

    for (unsigned is_hiding = 0; is_hiding < 2; is_hiding++) {
        rig->options.hides_unknown_users = is_hiding;
        login_rig_restart(rig);
        for (size_t i = 0; i < BONDY_COUNT(hellos); i++) {
            char from[40];

            snprintf(from, sizeof from, "192.0.2.%zu:1", 10 + i + 100 * is_hiding);
            for (unsigned k = 0; k < 12; k++)
                guess(rig, from, hellos[i], "wrong");
            assert_string_equal(guess(rig, from, mona, PASSWORD), "put off");
        }
    }
}

static void a_login_that_is_put_off_says_for_how_long(void **state)
{
    struct attempt attempt;

    for (unsigned i = 0; i < 12; i++)
        guess(*state, "192.0.2.1:1", mona, "wrong");
    hello(*state, &attempt, ACME, "192.0.2.1:1", mona);
    assert_int_equal(json_integer_value(json_object_get(attempt.answer->extra, "retry_after")), 1);
    finish(&attempt);
}

/* ---- in one step ----------------------------------------------------------------------------- */

static char checked[200];

static void on_checked(struct bondy_login *login, void *context)
{
    struct login_rig *rig = context;
    const struct bondy_login_answer *said = bondy_auth_ops(rig->auth)->answer(login);

    snprintf(checked, sizeof checked, "%s %.*s",
             said->step == BONDY_LOGIN_WELCOME ? "in" : said->reason,
             (int)said->identity.authid.len,
             said->identity.authid.len == 0 ? "" : said->identity.authid.data);
}

static const char *check(struct login_rig *rig, const char *method, const char *authid,
                         const char *secret)
{
    struct bondy_login_peer peer = {.is_secure = true};
    const struct bondy_auth_check question = {.realm = fixture_realm(rig->f, ACME),
                                              .method = method,
                                              .authid = bondy_slice_text(authid),
                                              .secret = bondy_slice_text(secret),
                                              .peer = &peer,
                                              .done = on_checked,
                                              .context = rig};
    struct bondy_login *login = NULL;

    bondy_address_read(BONDY_SLICE("127.0.0.1:1"), &peer.address);
    checked[0] = '\0';
    bondy_auth_check(rig->auth, &question, &login);
    bondy_auth_ops(rig->auth)->end(login);
    bondy_publish_quiesce();
    return checked;
}

static void a_password_can_be_checked_in_one_step(void **state)
{
    struct login_rig *rig = *state;

    for (unsigned is_hiding = 0; is_hiding < 2; is_hiding++) {
        rig->options.hides_unknown_users = is_hiding;
        login_rig_restart(rig);
        assert_string_equal(check(rig, "password", "mona", PASSWORD), "in mona");
        assert_string_equal(check(rig, "password", "mo-1", PASSWORD), "in mona");
        assert_string_equal(check(rig, "password", "mona", "wrong"),
                            "wamp.error.authentication_denied ");
        assert_string_equal(check(rig, "password", "nobody", PASSWORD),
                            is_hiding ? "wamp.error.authentication_denied "
                                      : "wamp.error.no_such_principal ");
        assert_string_equal(check(rig, "password", "", PASSWORD),
                            is_hiding ? "wamp.error.authentication_denied "
                                      : "wamp.error.no_such_principal ");
        assert_string_equal(check(rig, "ticket", "", "no.to.ken"),
                            is_hiding ? "wamp.error.authentication_denied "
                                      : "wamp.error.no_such_principal ");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        HIDING_TEST(nobody_can_tell_an_unknown_user_from_a_wrong_password),
        HIDING_TEST(who_may_not_be_trusted_from_here_is_challenged_like_nobody),
        HIDING_TEST(what_does_not_depend_on_the_user_is_told_apart),
        HIDING_TEST(the_right_password_is_enough_when_names_are_hidden),
        HIDING_TEST(a_made_up_salt_is_always_the_same_for_a_name),
        HIDING_TEST(a_made_up_salt_outlives_a_restart),
        HIDING_TEST(a_challenge_shows_the_name_that_was_asked_for),
        LOGIN_TEST(the_older_routers_reasons_can_be_had),
        THROTTLE_TEST(many_failures_of_one_address_put_it_off_and_no_other),
        THROTTLE_TEST(what_is_no_guess_is_not_counted),
        THROTTLE_TEST(guessed_names_are_counted_with_every_method),
        THROTTLE_TEST(a_login_that_is_put_off_says_for_how_long),
        LOGIN_TEST(a_password_can_be_checked_in_one_step),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Logins that a procedure of the realm decides (AUTH-DYN-1), as the engine sees them: what is asked
 * and what each answer means. The router's part: tests/script/login.wts. */

#include "tests/unit/security/login_rig.h"

#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/security/login/throttle.h"

#define DYN "org.dyn"

static int set_up(void **state)
{
    login_rig_setup(state);
    login_rig_do(
        *state, CREATE_REALM, NULL, NULL,
        "{'uri':'org.dyn','authmethods':['anonymous','trust','password','ticket',"
        "'wampcra','wamp-scram','cryptosign'],'authenticator':{'procedure':'com.door',"
        "'authmethods':['anonymous','trust','ticket','wampcra','wamp-scram','cryptosign']},"
        "'sources':[{'usernames':'all','authmethod':'password','cidr':'127.0.0.0/8'}],"
        "'users':[{'username':'mona','password':'" PASSWORD "'}]}");
    return 0;
}

#define DYN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, login_rig_teardown)

/* What the procedure said; JSON text with ' for ", or NULL and an error URI. */
static const char *tell(struct attempt *attempt, const char *result, const char *error)
{
    json_t *tree = NULL;
    char *copy = result == NULL ? NULL : bondy_strdup(result);

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    if (copy != NULL) {
        tree = json_loads(copy, JSON_DECODE_ANY, NULL);
        assert_non_null(tree);
    }
    assert_int_equal(attempt->answer->step, BONDY_LOGIN_ASK);
    bondy_auth_ops(attempt->rig->auth)->told(attempt->login, tree, error);
    json_decref(tree);
    bondy_free(copy);
    return attempt->outcome;
}

static void the_procedure_is_told_who_comes_and_how(void **state)
{
    struct attempt attempt;
    json_t *args, *details;

    assert_string_equal(
        hello(*state, &attempt, DYN, "192.0.2.1:1",
              "{'authid':'Joe','authmethods':['cryptosign'],'authrole':'staff','authextra':"
              "{'pubkey':'" KEY1 "','more':1}}"),
        "ASK com.door");
    args = (json_t *)(uintptr_t)attempt.answer->extra;
    assert_int_equal(json_array_size(args), 3);
    assert_string_equal(json_string_value(json_array_get(args, 0)), DYN);
    assert_string_equal(json_string_value(json_array_get(args, 1)), "Joe");
    details = json_array_get(args, 2);
    assert_slice_is(bondy_json_text(details, "authmethod"), "cryptosign");
    assert_slice_is(bondy_json_text(details, "authrole"), "staff");
    assert_slice_is(bondy_json_text(details, "pubkey"), KEY1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(details, "authextra"), "more")), 1);
    assert_int_equal(json_integer_value(json_object_get(details, "session")), 3545138187643908);
    assert_slice_is(bondy_json_text(json_object_get(details, "transport"), "peername"),
                    "192.0.2.1");
    finish(&attempt);
}

static void each_answer_means_something(void **state)
{
    static const struct {
        const char *hello, *result, *error, *outcome;
    } cases[] = {
        {"{'authid':'joe','authmethods':['trust']}", "'staff'", NULL, "WELCOME joe staff trust"},
        {"{'authid':'joe','authmethods':['trust']}", "{'role':'Staff'}", NULL,
         "WELCOME joe staff trust"},
        {"{'authid':'joe','authmethods':['trust']}", "{'role':['a','b'],'authid':'joe.2'}", NULL,
         "WELCOME joe.2 a,b trust"},
        {"{'authid':'joe','authmethods':['trust']}", "{'role':[]}", NULL, "WELCOME joe  trust"},
        {"{'authid':'joe','authmethods':['trust']}", "null", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['trust']}", "{}", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['trust']}", "''", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['trust']}", "['staff','a']", NULL,
         "WELCOME joe staff,a trust"},
        {"{'authid':'joe','authmethods':['trust']}", "{'role':['a',7]}", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['trust']}", "{'role':'a','authid':'a b'}", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['trust']}", NULL, "com.error.not_today",
         "ABORT com.error.not_today"},
        {"{'authid':'joe','authmethods':['trust']}", NULL, "wamp.error.no_such_procedure",
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['trust']}", NULL, "wamp.error.timeout",
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['wamp-scram'],'authextra':{'nonce':'AAAAAAAAAAAAAAAA'}}",
         "'staff'", NULL, "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['wampcra']}", "'staff'", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['wampcra']}", "{'role':'staff','secret':''}", NULL,
         "ABORT wamp.error.authentication_failed"},
        {"{'authid':'joe','authmethods':['wampcra']}",
         "{'role':'staff','secret':'s','iterations':-1}", NULL,
         "ABORT wamp.error.authentication_failed"},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct attempt attempt;

        assert_string_equal(hello(*state, &attempt, DYN, NULL, cases[i].hello), "ASK com.door");
        tell(&attempt, cases[i].result, cases[i].error);
        if (strcmp(attempt.outcome, cases[i].outcome) != 0)
            fail_msg("%s: %s, expected %s",
                     cases[i].result == NULL ? cases[i].error : cases[i].result, attempt.outcome,
                     cases[i].outcome);
        finish(&attempt);
    }
}

static void anonymous_gets_a_name_and_a_role(void **state)
{
    struct attempt attempt;

    assert_string_equal(hello(*state, &attempt, DYN, NULL, "{}"), "ASK com.door");
    assert_true(json_is_null(json_array_get(attempt.answer->extra, 1)));
    tell(&attempt, "{'role':'guest','extra':{'table':5}}", NULL);
    assert_int_equal(attempt.answer->step, BONDY_LOGIN_WELCOME);
    assert_int_equal(attempt.answer->identity.authid.len, 36);
    assert_slice_is(attempt.answer->identity.authrole, "guest");
    assert_true(attempt.answer->identity.groups_are_chosen);
    assert_null(attempt.answer->identity.principal);
    assert_text(fixture_text(json_object_get(
                    json_object_get(attempt.answer->identity.extra, "authextra"), "meta")),
                "{\"table\":5}");
    finish(&attempt);
}

static void a_ticket_is_asked_about_once_it_is_there(void **state)
{
    struct attempt attempt;

    assert_string_equal(
        hello(*state, &attempt, DYN, NULL, "{'authid':'joe','authmethods':['ticket']}"),
        "CHALLENGE ticket");
    assert_string_equal(answer(&attempt, "my ticket", json_object()), "ASK com.door");
    assert_slice_is(bondy_json_text(json_array_get(attempt.answer->extra, 2), "ticket"),
                    "my ticket");
    assert_string_equal(tell(&attempt, "'staff'", NULL), "WELCOME joe staff ticket");
    finish(&attempt);
}

static void a_secret_from_the_procedure_is_proved(void **state)
{
    static const struct {
        const char *result, *password;
        bool is_right;
    } cases[] = {
        {"{'role':'staff','secret':'s3cret'}", "s3cret", true},
        {"{'role':'staff','secret':'s3cret'}", "other", false},
        /* The derived key of 3.5. */
        {"{'role':'staff','secret':'y/BvFWWlc3e2LKCTyN6/XwYIKEw6baPby2ScakYe4+k=',"
         "'salt':'AAECAwQFBgcICQoLDA0ODw==','iterations':10000,'keylen':32}",
         PASSWORD, true},
        {"{'role':'staff','secret':'y/BvFWWlc3e2LKCTyN6/XwYIKEw6baPby2ScakYe4+k=',"
         "'salt':'AAECAwQFBgcICQoLDA0ODw==','iterations':10000,'keylen':32}",
         "other", false},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct attempt attempt;

        hello(*state, &attempt, DYN, NULL, "{'authid':'joe','authmethods':['wampcra']}");
        assert_string_equal(tell(&attempt, cases[i].result, NULL), "CHALLENGE wampcra");
        assert_string_equal(answer_password(&attempt, cases[i].password),
                            cases[i].is_right ? "WELCOME joe staff wampcra"
                                              : "ABORT wamp.error.authentication_denied");
        finish(&attempt);
    }
}

static void a_key_from_the_procedure_is_proved(void **state)
{
    static const char named[] = "{'authid':'joe','authmethods':['cryptosign'],'authextra':"
                                "{'pubkey':'" KEY1 "'}}";
    static const char unnamed[] = "{'authid':'joe','authmethods':['cryptosign']}";
    static const struct {
        const char *hello, *result;
        uint8_t seed;
        bool is_right;
    } cases[] = {
        {named, "{'role':'staff','pubkey':'" KEY1 "'}", 0, true},
        /* It says that the key that was named is the one. */
        {named, "'staff'", 0, true},
        {named, "'staff'", 32, false},
        {named, "{'role':'staff','pubkey':'" KEY2 "'}", 0, false},
        {named, "{'role':'staff','pubkey':'" KEY2 "'}", 32, false},
        {unnamed, "{'role':'staff','pubkey':'" KEY2 "'}", 32, true},
        {unnamed, "{'role':'staff','pubkey':'" KEY2 "'}", 0, false},
        {unnamed, "'staff'", 0, false},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct attempt attempt;

        hello(*state, &attempt, DYN, NULL, cases[i].hello);
        assert_string_equal(tell(&attempt, cases[i].result, NULL), "CHALLENGE cryptosign");
        answer_key(&attempt, cases[i].seed);
        if ((attempt.answer->step == BONDY_LOGIN_WELCOME) != cases[i].is_right)
            fail_msg("case %zu: %s", i, attempt.outcome);
        finish(&attempt);
    }
}

/* The client's first usable choice decides who does. */
static void methods_that_are_not_the_procedures_are_the_users(void **state)
{
    struct attempt attempt;

    assert_string_equal(
        log_in(*state, DYN, "{'authid':'mona','authmethods':['password']}", PASSWORD),
        "WELCOME mona  password");
    assert_string_equal(
        hello(*state, &attempt, DYN, NULL, "{'authid':'mona','authmethods':['password','trust']}"),
        "CHALLENGE password");
    finish(&attempt);
    assert_string_equal(
        hello(*state, &attempt, DYN, NULL, "{'authid':'mona','authmethods':['trust','password']}"),
        "ASK com.door");
    finish(&attempt);
}

/* An outage of the procedure must not shut out everybody afterwards; its refusals are guesses. */
static void only_refusals_of_the_procedure_count_as_failures(void **state)
{
    static const struct {
        const char *error;
        bool is_counted;
    } cases[] = {{"wamp.error.timeout", false}, {"com.error.no", true}};
    const struct bondy_throttle_options options = BONDY_THROTTLE_DEFAULT;
    struct login_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct attempt attempt;

        rig->options.throttle = bondy_throttle_create(&options);
        login_rig_restart(rig);
        for (unsigned k = 0; k < 15; k++) {
            hello(rig, &attempt, DYN, NULL, "{'authid':'joe','authmethods':['trust']}");
            if (attempt.answer->step == BONDY_LOGIN_ASK)
                tell(&attempt, NULL, cases[i].error);
            finish(&attempt);
        }
        hello(rig, &attempt, DYN, NULL, "{'authid':'joe','authmethods':['trust']}");
        assert_int_equal(attempt.answer->step == BONDY_LOGIN_ABORT, cases[i].is_counted);
        finish(&attempt);
        bondy_throttle_destroy(BONDY_MOVE(rig->options.throttle));
    }
    login_rig_restart(rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        DYN_TEST(the_procedure_is_told_who_comes_and_how),
        DYN_TEST(each_answer_means_something),
        DYN_TEST(anonymous_gets_a_name_and_a_role),
        DYN_TEST(a_ticket_is_asked_about_once_it_is_there),
        DYN_TEST(a_secret_from_the_procedure_is_proved),
        DYN_TEST(a_key_from_the_procedure_is_proved),
        DYN_TEST(methods_that_are_not_the_procedures_are_the_users),
        DYN_TEST(only_refusals_of_the_procedure_count_as_failures),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

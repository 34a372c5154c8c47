/* SPDX-License-Identifier: Apache-2.0 */

/* `tls`: the certificate that the client showed says who it is (AUTH-TLS-1). */

#include "tests/unit/security/login_rig.h"

#include <stdio.h>
#include <string.h>

#define HOUSE "org.house"
#define DENIED "ABORT wamp.error.authentication_denied"
#define NO_METHOD "ABORT wamp.error.no_matching_auth_method"
#define NO_PRINCIPAL "ABORT wamp.error.no_such_principal"

static void make_house(struct login_rig *rig)
{
    login_rig_do(
        rig, CREATE_REALM, NULL, NULL,
        "{'uri':'org.house','authmethods':['tls','trust','wampcra','anonymous','cryptosign'],"
        "'users':[{'username':'mona','aliases':['mona@house'],'password':'kettle-46-rope'},"
        "{'username':'zoe'},{'username':'off','enabled':false},{'username':'sourceless'}],"
        "'sources':["
        "{'usernames':['mona','zoe','off'],'authmethod':'tls','cidr':'127.0.0.0/8'},"
        "{'usernames':['mona'],'authmethod':'wampcra','cidr':'0.0.0.0/0'},"
        "{'usernames':['anonymous'],'authmethod':'anonymous','cidr':'0.0.0.0/0'}]}");
}

static int setup(void **state)
{
    login_rig_setup(state);
    make_house(*state);
    return 0;
}

static int setup_hidden(void **state)
{
    struct login_rig *rig;

    setup(state);
    rig = *state;
    rig->options.hides_unknown_users = true;
    login_rig_restart(rig);
    return 0;
}

#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, login_rig_teardown)
#define HIDDEN_TEST(name) cmocka_unit_test_setup_teardown(name, setup_hidden, login_rig_teardown)

/* HELLO from `address` over a connection with that certificate; "": none. */
static const char *show(struct login_rig *rig, const char *realm, const char *address,
                        const char *certificate, const char *text)
{
    static char outcome[200];
    struct bondy_login_peer peer = {.is_secure = true};
    struct attempt attempt;

    bondy_address_read(bondy_slice_text(address), &peer.address);
    snprintf(peer.certificate, sizeof peer.certificate, "%s", certificate);
    snprintf(outcome, sizeof outcome, "%s", hello_as(rig, &attempt, realm, &peer, text));
    finish(&attempt);
    return outcome;
}

struct one {
    const char *certificate, *hello, *outcome;
};

static void check(struct login_rig *rig, const struct one *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *outcome = show(rig, HOUSE, "127.0.0.1:1", cases[i].certificate, cases[i].hello);

        if (strcmp(outcome, cases[i].outcome) != 0)
            fail_msg("\"%s\" %s: %s, expected %s", cases[i].certificate, cases[i].hello, outcome,
                     cases[i].outcome);
    }
}

static void a_certificate_lets_in_whom_it_names(void **state)
{
    static const struct one cases[] = {
        {"mona", "{'authid':'mona','authmethods':['tls']}", "WELCOME mona  tls"},
        {"Mona", "{'authid':'MONA','authmethods':['tls']}", "WELCOME mona  tls"},
        /* By name or alias, on either side. */
        {"mona@house", "{'authid':'mona','authmethods':['tls']}", "WELCOME mona  tls"},
        {"mona", "{'authid':'mona@house','authmethods':['tls']}", "WELCOME mona  tls"},
        {"mona@house", "{'authid':'mona@house','authmethods':['tls']}", "WELCOME mona  tls"},
        /* Without authid it says whose it is. */
        {"zoe", "{'authmethods':['tls']}", "WELCOME zoe  tls"},
        {"mona@house", "{'authmethods':['tls']}", "WELCOME mona  tls"},
        {"zoe", "{'authid':'anonymous','authmethods':['tls']}", "WELCOME zoe  tls"},
        {"stranger", "{'authmethods':['tls']}", NO_PRINCIPAL},
        {"a b", "{'authmethods':['tls']}", NO_PRINCIPAL},
        {"anonymous", "{'authmethods':['tls']}", NO_PRINCIPAL},
        {"all", "{'authmethods':['tls']}", NO_PRINCIPAL},
        {"off", "{'authmethods':['tls']}", NO_PRINCIPAL},
        {"off", "{'authid':'off','authmethods':['tls']}", NO_PRINCIPAL},
        {"sourceless", "{'authmethods':['tls']}", NO_METHOD},
    };

    check(*state, cases, BONDY_COUNT(cases));
}

static void a_certificate_of_somebody_else_counts_for_nothing(void **state)
{
    static const struct one cases[] = {
        {"zoe", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"mona", "{'authid':'zoe','authmethods':['tls']}", NO_METHOD},
        {"stranger", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"mon", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"monaa", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"mona,zoe", "{'authid':'zoe','authmethods':['tls']}", NO_METHOD},
        {"*", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"zoe", "{'authid':'nobody','authmethods':['tls']}", NO_PRINCIPAL},
    };

    check(*state, cases, BONDY_COUNT(cases));
}

/* SESS-AUTH-2 */
static void tls_is_skipped_where_it_cannot_be_used(void **state)
{
    static const struct one cases[] = {
        {"", "{'authid':'mona','authmethods':['tls','wampcra']}", "CHALLENGE wampcra"},
        {"zoe", "{'authid':'mona','authmethods':['tls','wampcra']}", "CHALLENGE wampcra"},
        {"mona", "{'authid':'mona','authmethods':['wampcra','tls']}", "CHALLENGE wampcra"},
        {"mona", "{'authid':'mona','authmethods':['trust','tls']}", "WELCOME mona  tls"},
        {"", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"", "{'authmethods':['tls']}", NO_METHOD},
        {"", "{'authmethods':['tls','anonymous']}", "WELCOME  anonymous anonymous"},
        /* The client's order decides. */
        {"mona", "{'authmethods':['tls','anonymous']}", "WELCOME mona  tls"},
        {"mona", "{'authmethods':['anonymous','tls']}", "WELCOME  anonymous anonymous"},
        /* What is not asked for is not used. */
        {"mona", "{}", "WELCOME  anonymous anonymous"},
        {"mona", "{'authid':'mona'}", "ABORT wamp.error.authentication_required"},
    };

    check(*state, cases, BONDY_COUNT(cases));
}

static void realm_and_source_must_allow_it(void **state)
{
    struct login_rig *rig = *state;
    const char *text = "{'authid':'mona','authmethods':['tls']}";

    assert_string_equal(show(rig, HOUSE, "127.0.0.1:1", "mona", text), "WELCOME mona  tls");
    assert_string_equal(show(rig, HOUSE, "192.0.2.1:1", "mona", text), NO_METHOD);
    assert_string_equal(show(rig, ACME, "127.0.0.1:1", "mona", text), NO_METHOD);
}

/* Whoever has a certificate of one name learns nothing about the others. */
static void with_hidden_users_all_refusals_are_alike(void **state)
{
    static const struct one cases[] = {
        {"zoe", "{'authid':'mona','authmethods':['tls']}", DENIED},
        {"zoe", "{'authid':'nobody','authmethods':['tls']}", DENIED},
        {"zoe", "{'authid':'off','authmethods':['tls']}", DENIED},
        {"zoe", "{'authid':'sourceless','authmethods':['tls']}", DENIED},
        {"off", "{'authmethods':['tls']}", DENIED},
        {"stranger", "{'authmethods':['tls']}", DENIED},
        {"sourceless", "{'authmethods':['tls']}", DENIED},
        {"", "{'authid':'mona','authmethods':['tls']}", NO_METHOD},
        {"", "{'authid':'nobody','authmethods':['tls']}", NO_METHOD},
        {"mona", "{'authid':'mona','authmethods':['tls']}", "WELCOME mona  tls"},
    };

    check(*state, cases, BONDY_COUNT(cases));
}

/* Its users are nobody that we know; the certificate must name whoever wants in all the same. */
static void an_authenticator_is_asked_for_whom_the_certificate_names(void **state)
{
    struct login_rig *rig = *state;
    struct bondy_login_peer peer = {.is_secure = true, .certificate = "guest-7"};
    struct attempt attempt;
    const json_t *details;

    login_rig_do(rig, CREATE_REALM, NULL, NULL,
                 "{'uri':'org.door','authmethods':['tls'],"
                 "'authenticator':{'procedure':'com.door','authmethods':['tls']}}");
    bondy_address_read(bondy_slice_text("127.0.0.1:1"), &peer.address);
    assert_string_equal(hello_as(rig, &attempt, "org.door", &peer, "{'authmethods':['tls']}"),
                        "ASK com.door");
    assert_string_equal(json_string_value(json_array_get(attempt.answer->extra, 1)), "guest-7");
    details = json_array_get(attempt.answer->extra, 2);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(details, "transport"), "certificate")),
        "guest-7");
    finish(&attempt);
    assert_string_equal(show(rig, "org.door", "127.0.0.1:1", "guest-7",
                             "{'authid':'guest-7','authmethods':['tls']}"),
                        "ASK com.door");
    assert_string_equal(show(rig, "org.door", "127.0.0.1:1", "guest-7",
                             "{'authid':'guest-8','authmethods':['tls']}"),
                        NO_METHOD);
    assert_string_equal(show(rig, "org.door", "127.0.0.1:1", "", "{'authmethods':['tls']}"),
                        NO_METHOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(a_certificate_lets_in_whom_it_names),
        HOUSE_TEST(a_certificate_of_somebody_else_counts_for_nothing),
        HOUSE_TEST(tls_is_skipped_where_it_cannot_be_used),
        HOUSE_TEST(realm_and_source_must_allow_it),
        HIDDEN_TEST(with_hidden_users_all_refusals_are_alike),
        HOUSE_TEST(an_authenticator_is_asked_for_whom_the_certificate_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

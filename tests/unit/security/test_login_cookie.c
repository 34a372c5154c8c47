/* SPDX-License-Identifier: Apache-2.0 */

/* Logins with a ticket cookie: realms-and-security.md 3.8, oauth2-oidc.md 4.5. The tickets are
 * signed here with the realm's key, as the part that speaks with identity providers will. */
#include "tests/unit/security/fixture.h"

#include "src/base/clock.h"
#include "src/security/login/auth.h"
#include "src/security/login/principal.h"
#include "src/security/credential/ticket.h"
#include "src/security/credential/token.h"
#include "src/wamp/errors.h"

#define REALM "com.example.dev"
#define SOURCE(user, method)                                                                       \
    "{\"usernames\":[\"" user "\"],\"authmethod\":\"" method "\",\"cidr\":\"127.0.0.0/8\"}"

static void create_realm(struct fixture *f, const char *uri, const char *methods)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(
        &text,
        "{\"uri\":\"%s\",\"authmethods\":%s,\"groups\":[{\"name\":\"staff\",\"meta\":{\"a\":1}},"
        "{\"name\":\"managers\"}],\"users\":[{\"username\":\"mona\",\"groups\":[\"staff\"]},"
        "{\"username\":\"zoe\"}],\"sources\":[" SOURCE("mona", "cookie") "]}",
        uri, methods);
    bondy_buf_append_byte(&text, '\0');
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL, text.data), "");
    bondy_buf_fini(&text);
    fixture_keys(f, uri);
}

/* A ticket as an identity provider's login would have it, with `changes` laid over its claims. */
static char *sign(struct fixture *f, const char *uri, const char *changes)
{
    const struct bondy_key *key = bondy_realm_signing_key(fixture_realm(f, uri));
    json_int_t now = (json_int_t)(bondy_clock_wall_ms() / 1000);
    json_t *claims = json_pack(
        "{s:s, s:s, s:s, s:s, s:[s,s], s:s, s:I, s:I, s:{s:s,s:s,s:s}, s:s, s:s}", "id",
        "2a6b3c5e-0c4d-4f0b-9d54-3c2e9f1b7a10", "authrealm", uri, "authid", "alice@example.com",
        "authmethod", "oidcrp", "authroles", "Staff", "no-such-group", "issued_by", "alice",
        "issued_at", now - 10, "expires_at", now + 600, "scope", "realm", uri, "client_id", "spa",
        "device_id", "all", "kid", key->kid, "oidc_provider", "example");
    json_t *more = json_loads(changes, 0, NULL);
    struct bondy_error err = {0};
    char *jws;

    assert_non_null(claims);
    assert_non_null(more);
    json_object_update(claims, more);
    json_decref(more);
    if (bondy_token_sign(claims, BONDY_TICKET_TYP, key, &jws, &err) != BONDY_OK)
        fail_msg("%s", err.text);
    json_decref(claims);
    return jws;
}

struct desk {
    struct fixture *f;
    struct bondy_principals *principals;
    struct bondy_auth *auth;
    struct bondy_login *login; /* the last one */
};

static void on_done(struct bondy_login *login, void *context)
{
    (void)login;
    (*(unsigned *)context)++;
}

static void open_desk(struct desk *desk, struct fixture *f, bool takes_unknown)
{
    const struct bondy_principals_options principals = {.store = f->store, .realms = f->realms};
    struct bondy_auth_options options = {.store = f->store,
                                         .realms = f->realms,
                                         .rules = &f->rules,
                                         .node_name = "node@example",
                                         .hides_unknown_users = true,
                                         .takes_unknown_tickets = takes_unknown};

    *desk = (struct desk){.f = f};
    options.principals = desk->principals = bondy_principals_create(&principals);
    desk->auth = bondy_auth_create(&options);
}

static void end_login(struct desk *desk)
{
    bondy_auth_ops(desk->auth)->end(BONDY_MOVE(desk->login));
}

static void close_desk(struct desk *desk)
{
    end_login(desk);
    bondy_auth_destroy(desk->auth);
    bondy_principals_destroy(desk->principals);
}

/* One login; the answer is borrowed until the next. */
static const struct bondy_login_answer *log_in(struct desk *desk, const char *uri,
                                               const char *details, const char *cookies)
{
    const struct bondy_login_ops *ops = bondy_auth_ops(desk->auth);
    struct bondy_login_peer peer = {.cookies = bondy_slice_text(cookies)};
    json_t *tree = json_loads(details, 0, NULL);
    unsigned done = 0;
    const struct bondy_login_request request = {.realm = fixture_realm(desk->f, uri),
                                                .session_id = 4711,
                                                .details = tree,
                                                .peer = &peer,
                                                .done = on_done,
                                                .context = &done};

    end_login(desk);
    assert_non_null(tree);
    assert_int_equal(bondy_address_parse("127.0.0.1", 4711, &peer.address, NULL), BONDY_OK);
    ops->begin(ops->context, &request, &desk->login);
    assert_int_equal(done, 1);
    json_decref(tree);
    return ops->answer(desk->login);
}

static const struct bondy_login_answer *log_in_with(struct desk *desk, const char *changes)
{
    char *jws = sign(desk->f, REALM, changes);
    struct bondy_buf cookies = BONDY_BUF_EMPTY;
    const struct bondy_login_answer *answer;

    bondy_buf_printf(&cookies, "a=b; bondy_ticket_" REALM "=%s; c=d", jws);
    bondy_buf_append_byte(&cookies, '\0');
    answer = log_in(desk, REALM, "{}", cookies.data);
    bondy_buf_fini(&cookies);
    bondy_free(jws);
    return answer;
}

static void expect_groups(const struct bondy_identity *identity, const char *first)
{
    assert_int_equal(identity->group_count, first == NULL ? 0 : 1);
    if (first != NULL)
        assert_slice_is(identity->groups[0], first);
}

/* ---- who is only known to an identity provider ----------------------------------------------- */

static void somebody_without_a_record_gets_the_roles_of_the_ticket_that_are_groups(void **state)
{
    const struct bondy_login_answer *answer;
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\"]");
    open_desk(&desk, *state, true);
    answer = log_in_with(&desk, "{}");
    assert_int_equal(answer->step, BONDY_LOGIN_WELCOME);
    assert_slice_is(answer->identity.authid, "alice@example.com");
    assert_slice_is(answer->identity.authmethod, "oidcrp");
    assert_slice_is(answer->identity.authrole, "staff");
    assert_true(answer->identity.groups_are_chosen);
    assert_null(answer->identity.principal);
    assert_false(answer->identity.is_trusted);
    expect_groups(&answer->identity, "staff");
    assert_string_equal(
        json_string_value(json_object_get(answer->identity.ticket, "oidc_provider")), "example");
    assert_int_equal(
        json_integer_value(json_object_get(
            json_object_get(json_object_get(answer->identity.extra, "authextra"), "meta"), "a")),
        1);
    close_desk(&desk);
}

static void roles_that_are_no_groups_give_nothing(void **state)
{
    static const char *const cases[] = {
        "{\"authroles\":[]}", "{\"authroles\":null}", "{\"authroles\":\"staff\"}",
        "{\"authroles\":[1,null,{},[],\"\",\"all\",\"anonymous\",\"bondy.administrators\"]}"};
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\"]");
    open_desk(&desk, *state, true);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const struct bondy_login_answer *answer = log_in_with(&desk, cases[i]);

        print_message("- %s\n", cases[i]);
        assert_int_equal(answer->step, BONDY_LOGIN_WELCOME);
        assert_slice_is(answer->identity.authid, "alice@example.com");
        assert_slice_is(answer->identity.authrole, "");
        expect_groups(&answer->identity, NULL);
    }
    close_desk(&desk);
}

static void only_a_ticket_made_for_nobody_does_without_a_record(void **state)
{
    static const char *const cases[] = {
        "{\"ugen\":1}", /* its user was deleted */
        "{\"ugen\":0}",
        "{\"authid\":\"\"}",
        "{\"authid\":\"anonymous\"}",
        "{\"authid\":7}",
        "{\"expires_at\":1000,\"issued_at\":900}",
        "{\"scope\":{\"realm\":\"com.example.other\"}}",
        "{\"scope\":7}",
        "{\"authrealm\":\"com.example.other\"}",
        "{\"authrealm\":\"com.example.nowhere\"}",
        "{\"kid\":\"other\"}",
        "{\"authmethod\":\"\"}",
    };
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\"]");
    create_realm(*state, "com.example.other", "[\"cookie\"]");
    open_desk(&desk, *state, true);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const struct bondy_login_answer *answer = log_in_with(&desk, cases[i]);

        print_message("- %s\n", cases[i]);
        assert_int_equal(answer->step, BONDY_LOGIN_ABORT);
        assert_string_equal(answer->reason, BONDY_ERR_AUTHENTICATION_DENIED);
    }
    close_desk(&desk);
}

/* security.ticket.allow_not_found = off */
static void a_ticket_that_is_not_stored_is_refused_where_that_matters(void **state)
{
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\"]");
    open_desk(&desk, *state, false);
    assert_int_equal(log_in_with(&desk, "{}")->step, BONDY_LOGIN_ABORT);
    close_desk(&desk);
}

/* ---- who has a record ------------------------------------------------------------------------ */

static void a_user_has_the_roles_of_the_ticket_or_else_its_own(void **state)
{
    const struct bondy_login_answer *answer;
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\"]");
    open_desk(&desk, *state, true);
    answer = log_in_with(&desk, "{\"authid\":\"MONA\",\"authroles\":[\"managers\"]}");
    assert_int_equal(answer->step, BONDY_LOGIN_ABORT); /* names are canonical in tickets */
    answer = log_in_with(&desk, "{\"authid\":\"mona\",\"authroles\":[\"managers\"]}");
    assert_int_equal(answer->step, BONDY_LOGIN_WELCOME);
    assert_slice_is(answer->identity.authid, "mona");
    assert_non_null(answer->identity.principal);
    assert_true(answer->identity.groups_are_chosen);
    expect_groups(&answer->identity, "managers");
    answer = log_in_with(&desk, "{\"authid\":\"mona\",\"authroles\":null}");
    assert_int_equal(answer->step, BONDY_LOGIN_WELCOME);
    assert_false(answer->identity.groups_are_chosen);
    expect_groups(&answer->identity, "staff");
    close_desk(&desk);
}

static void sources_and_the_switch_hold_for_who_has_a_record(void **state)
{
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\"]");
    open_desk(&desk, *state, true);
    assert_int_equal(log_in_with(&desk, "{\"authid\":\"mona\"}")->step, BONDY_LOGIN_WELCOME);
    assert_int_equal(log_in_with(&desk, "{\"authid\":\"zoe\"}")->step, BONDY_LOGIN_ABORT);
    assert_string_equal(fixture_do(*state, DISABLE_USER, REALM, "mona", NULL), "");
    assert_int_equal(log_in_with(&desk, "{\"authid\":\"mona\"}")->step, BONDY_LOGIN_ABORT);
    /* Switched on again: the ticket is older than that. */
    assert_string_equal(fixture_do(*state, ENABLE_USER, REALM, "mona", NULL), "");
    assert_int_equal(log_in_with(&desk, "{\"authid\":\"mona\"}")->step, BONDY_LOGIN_ABORT);
    close_desk(&desk);
}

/* ---- when a cookie counts -------------------------------------------------------------------- */

static void hello_and_realm_decide_whether_a_cookie_counts(void **state)
{
    static const struct {
        const char *realm, *details;
        bool counts;
    } cases[] = {
        {REALM, "{}", true},
        {REALM, "{\"authmethods\":[]}", true},
        {REALM, "{\"authid\":\"anonymous\"}", true},
        {REALM, "{\"authmethods\":[\"cookie\"]}", true},
        {REALM, "{\"authmethods\":[\"wampcra\",\"cookie\"],\"authid\":\"zoe\"}", true},
        {REALM, "{\"authmethods\":[\"wampcra\"],\"authid\":\"zoe\"}", false},
        {REALM, "{\"authid\":\"zoe\"}", false},
        {REALM, "{\"authmethods\":[\"anonymous\"]}", false},
        {"com.example.closed", "{}", false},
        {"com.example.closed", "{\"authmethods\":[\"cookie\"]}", false},
    };
    struct desk desk;

    create_realm(*state, REALM, "[\"cookie\",\"wampcra\"]");
    create_realm(*state, "com.example.closed", "[\"wampcra\"]");
    open_desk(&desk, *state, true);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char *jws = sign(*state, cases[i].realm, "{}");
        struct bondy_buf cookies = BONDY_BUF_EMPTY;
        const struct bondy_login_answer *answer;

        print_message("- %s %s\n", cases[i].realm, cases[i].details);
        bondy_buf_printf(&cookies, "bondy_ticket_%s=%s", cases[i].realm, jws);
        bondy_buf_append_byte(&cookies, '\0');
        answer = log_in(&desk, cases[i].realm, cases[i].details, cookies.data);
        assert_int_equal(answer->step == BONDY_LOGIN_WELCOME, cases[i].counts);
        bondy_buf_fini(&cookies);
        bondy_free(jws);
    }
    close_desk(&desk);
}

/* `tls` is for callers that have seen the certificate; a client that only says so has proved
 * nothing. */
static void nobody_logs_in_over_wamp_by_saying_tls(void **state)
{
    const struct bondy_login_answer *answer;
    struct bondy_login_peer peer = {.is_secure = true};
    struct bondy_auth_check check = {
        .method = "tls", .authid = BONDY_SLICE("zoe"), .peer = &peer, .done = on_done};
    unsigned done = 0;
    struct desk desk;

    create_realm(*state, REALM, "[\"tls\",\"wampcra\"]");
    assert_string_equal(fixture_do(*state, ADD_SOURCE, REALM, NULL, SOURCE("zoe", "tls")), "");
    open_desk(&desk, *state, true);
    answer = log_in(&desk, REALM, "{\"authid\":\"zoe\",\"authmethods\":[\"tls\"]}", "");
    assert_int_equal(answer->step, BONDY_LOGIN_ABORT);
    assert_string_equal(answer->reason, BONDY_ERR_NO_MATCHING_AUTH_METHOD);
    end_login(&desk);
    assert_int_equal(bondy_address_parse("127.0.0.1", 4711, &peer.address, NULL), BONDY_OK);
    check.realm = fixture_realm(*state, REALM);
    check.context = &done;
    bondy_auth_check(desk.auth, &check, &desk.login);
    assert_int_equal(bondy_auth_ops(desk.auth)->answer(desk.login)->step, BONDY_LOGIN_WELCOME);
    end_login(&desk);
    check.authid = BONDY_SLICE("mona"); /* no source */
    bondy_auth_check(desk.auth, &check, &desk.login);
    assert_int_equal(bondy_auth_ops(desk.auth)->answer(desk.login)->step, BONDY_LOGIN_ABORT);
    close_desk(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(somebody_without_a_record_gets_the_roles_of_the_ticket_that_are_groups),
        TEST(roles_that_are_no_groups_give_nothing),
        TEST(only_a_ticket_made_for_nobody_does_without_a_record),
        TEST(a_ticket_that_is_not_stored_is_refused_where_that_matters),
        TEST(a_user_has_the_roles_of_the_ticket_or_else_its_own),
        TEST(sources_and_the_switch_hold_for_who_has_a_record),
        TEST(hello_and_realm_decide_whether_a_cookie_counts),
        TEST(nobody_logs_in_over_wamp_by_saying_tls),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

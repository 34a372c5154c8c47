/* SPDX-License-Identifier: Apache-2.0 */

/* Tickets as they are kept: issued, shown at a login, replaced, revoked. Acceptance rows 13 and 14
 * of realms-and-security.md 7. */

#include "tests/unit/security/login_rig.h"

#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/security/token/tickets.h"

#define DENIED "ABORT wamp.error.authentication_denied"
#define IN "WELCOME mona cashiers,staff ticket"
#define IN_SHOP "WELCOME sam clerks ticket"

/* ---- keys and tickets ------------------------------------------------------------------------ */

static int set_up(void **state)
{
    struct login_rig *rig;

    login_rig_setup(state);
    rig = *state;
    fixture_keys(rig->f, ACME);
    login_rig_do(rig, CREATE_REALM, NULL, NULL,
                 "{'uri':'org.idp','is_sso_realm':true,'authmethods':['password','ticket'],"
                 "'users':[{'username':'sam','password':'" PASSWORD "'}]}");
    for (unsigned i = 0; i < 2; i++)
        login_rig_do(rig, CREATE_REALM, NULL, NULL,
                     i == 0
                         ? "{'uri':'org.shop','sso_realm_uri':'org.idp','authmethods':['ticket'],"
                           "'groups':[{'name':'clerks'}],'sources':[{'usernames':'all',"
                           "'authmethod':'ticket','cidr':'127.0.0.0/8'}],'users':[{'username':"
                           "'sam','sso_realm_uri':'org.idp','groups':['clerks']}]}"
                         : "{'uri':'org.store','sso_realm_uri':'org.idp','authmethods':['ticket'],"
                           "'groups':[{'name':'clerks'}],'sources':[{'usernames':'all',"
                           "'authmethod':'ticket','cidr':'127.0.0.0/8'}],'users':[{'username':"
                           "'sam','sso_realm_uri':'org.idp','groups':['clerks']}]}");
    fixture_keys(rig->f, "org.idp");
    return 0;
}

#define TICKET_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, login_rig_teardown)

struct ticket {
    char *jws;
    json_t *claims;
};

struct wish {
    const char *realm, *user; /* where the session is */
    bool for_all;             /* SSO */
    const char *client, *device;
};

static int apply_store(struct bondy_edit *edit, void *claims)
{
    return bondy_tickets_apply_store(edit, claims);
}

static void issue(struct login_rig *rig, const struct wish *wish, bool is_stored,
                  struct ticket *out)
{
    struct bondy_ticket_issue issue = {.authid = bondy_slice_text(wish->user),
                                       .authmethod = BONDY_SLICE("password"),
                                       .client_id = bondy_slice_text(wish->client),
                                       .device_id = bondy_slice_text(wish->device),
                                       .node = "node1",
                                       .lifetime = 600};
    struct bondy_user user;

    assert_true(bondy_user_resolve(fixture_view(rig->f), fixture_realm(rig->f, wish->realm),
                                   bondy_slice_text(wish->user), &user));
    issue.authrealm = bondy_slice_text(user.authrealm);
    issue.realm = wish->for_all ? BONDY_SLICE_EMPTY : bondy_slice_text(wish->realm);
    assert_int_equal(bondy_tickets_make(fixture_realm(rig->f, user.authrealm), &user, &issue,
                                        &out->claims, &out->jws, NULL),
                     BONDY_OK);
    bondy_user_fini(&user);
    if (is_stored)
        assert_int_equal(fixture_job(rig->f, apply_store, out->claims), BONDY_OK);
}

static void drop(struct ticket *ticket)
{
    bondy_free(ticket->jws);
    json_decref(ticket->claims);
    memset(ticket, 0, sizeof *ticket);
}

static const char *show(struct login_rig *rig, const char *realm, const char *user,
                        const char *extra, const struct ticket *ticket)
{
    char text[300];

    snprintf(text, sizeof text, "{'authid':'%s','authmethods':['ticket'],'authextra':{%s}}", user,
             extra);
    return log_in(rig, realm, text, ticket->jws);
}

static const struct wish mona = {.realm = ACME, .user = "mona"};

/* The reason that only the audit log tells. */
static const char *reason(struct login_rig *rig, const struct ticket *ticket)
{
    const struct bondy_ticket_question question = {.realms = rig->f->realms,
                                                   .realm = fixture_realm(rig->f, ACME),
                                                   .jws = bondy_slice_text(ticket->jws),
                                                   .leeway_s = 60};
    struct bondy_ticket_checked checked;

    bondy_tickets_check(fixture_view(rig->f), &question, &checked);
    json_decref(checked.claims);
    return checked.reason == NULL ? "" : checked.reason;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

static void each_scope_is_good_where_it_says(void **state)
{
    static const struct {
        struct wish wish;
        const char *realm, *extra;
        bool is_good;
    } cases[] = {
        {{"org.shop", "sam", false, NULL, NULL}, "org.shop", "", true},
        {{"org.shop", "sam", false, NULL, NULL}, "org.store", "", false},
        {{"org.shop", "sam", false, NULL, NULL}, "org.shop", "'client_id':'till'", true},
        {{"org.shop", "sam", true, NULL, NULL}, "org.shop", "", true},
        {{"org.shop", "sam", true, NULL, NULL}, "org.store", "", true},
        {{"org.shop", "sam", false, "till", NULL}, "org.shop", "'client_id':'till'", true},
        {{"org.shop", "sam", false, "till", NULL}, "org.shop", "", false},
        {{"org.shop", "sam", false, "till", NULL}, "org.shop", "'client_id':'tool'", false},
        {{"org.shop", "sam", false, "till", NULL}, "org.store", "'client_id':'till'", false},
        {{"org.shop", "sam", true, "till", NULL}, "org.store", "'client_id':'till'", true},
        {{"org.shop", "sam", true, "till", NULL}, "org.store", "", false},
        {{"org.shop", "sam", false, NULL, "d1"}, "org.shop", "'device_id':'d1'", true},
        {{"org.shop", "sam", false, NULL, "d1"}, "org.shop", "'device_id':'d2'", false},
        {{"org.shop", "sam", false, NULL, "d1"}, "org.shop", "", false},
        {{"org.shop", "sam", true, "till", "d1"},
         "org.store",
         "'client_id':'till','device_id':'d1'",
         true},
        {{"org.shop", "sam", true, "till", "d1"}, "org.store", "'client_id':'till'", false},
    };
    struct login_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct ticket ticket;
        const char *outcome;

        issue(rig, &cases[i].wish, true, &ticket);
        outcome = show(rig, cases[i].realm, "sam", cases[i].extra, &ticket);
        if (strcmp(outcome, cases[i].is_good ? IN_SHOP : DENIED) != 0)
            fail_msg("case %zu: %s", i, outcome);
        drop(&ticket);
    }
}

static void a_session_opened_with_a_ticket_says_which(void **state)
{
    struct login_rig *rig = *state;
    struct attempt attempt;
    struct ticket ticket;

    issue(rig, &mona, true, &ticket);
    hello(rig, &attempt, ACME, NULL, "{'authid':'mo-1','authmethods':['ticket']}");
    assert_string_equal(answer(&attempt, ticket.jws, json_object()), IN);
    assert_true(json_equal(json_object_get(attempt.answer->identity.ticket, "id"),
                           json_object_get(ticket.claims, "id")));
    assert_slice_is(bondy_json_text(attempt.answer->identity.ticket, "authrealm"), ACME);
    finish(&attempt);
    drop(&ticket);
}

static void a_ticket_is_good_for_its_owner_alone(void **state)
{
    struct login_rig *rig = *state;
    struct ticket ticket;
    char *octet;

    issue(rig, &mona, true, &ticket);
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), IN);
    assert_string_equal(show(rig, ACME, "MONA", "", &ticket), IN);
    assert_string_equal(show(rig, ACME, "argo", "", &ticket), DENIED);
    assert_string_equal(reason(rig, &ticket), "");
    /* One letter of the signature, for another one of base64url. */
    octet = &ticket.jws[strlen(ticket.jws) - 5];
    *octet = *octet == 'A' ? 'B' : 'A';
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), DENIED);
    assert_string_equal(reason(rig, &ticket), "bad_signature");
    drop(&ticket);
}

static void a_ticket_ends(void **state)
{
    struct login_rig *rig = *state;
    struct ticket ticket;
    json_int_t now;

    issue(rig, &mona, true, &ticket);
    bondy_free(BONDY_MOVE(ticket.jws));
    now = json_integer_value(json_object_get(ticket.claims, "issued_at"));
    json_object_set_new(ticket.claims, "issued_at", json_integer(now - 1000));
    json_object_set_new(ticket.claims, "expires_at", json_integer(now - 100));
    assert_int_equal(bondy_token_sign(ticket.claims, BONDY_TICKET_TYP,
                                      bondy_realm_signing_key(fixture_realm(rig->f, ACME)),
                                      &ticket.jws, NULL),
                     BONDY_OK);
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), DENIED);
    assert_string_equal(reason(rig, &ticket), "expired");
    drop(&ticket);
}

/* ---- what is stored -------------------------------------------------------------------------- */

static void another_ticket_of_the_slot_replaces_the_first(void **state)
{
    static const struct wish of_device = {.realm = ACME, .user = "mona", .device = "d1"};
    struct login_rig *rig = *state;
    struct ticket first, second, other;

    issue(rig, &mona, true, &first);
    issue(rig, &of_device, true, &other);
    issue(rig, &mona, true, &second);
    assert_string_equal(show(rig, ACME, "mona", "", &first), DENIED);
    assert_string_equal(reason(rig, &first), "replaced");
    assert_string_equal(show(rig, ACME, "mona", "", &second), IN);
    assert_string_equal(show(rig, ACME, "mona", "'device_id':'d1'", &other), IN);
    drop(&first);
    drop(&second);
    drop(&other);
}

struct revoking {
    const char *realm, *user;
    struct bondy_tickets_filter which;
};

static int apply_revoke(struct bondy_edit *edit, void *context)
{
    const struct revoking *what = context;

    return bondy_tickets_apply_revoke(edit, bondy_slice_text(what->realm),
                                      bondy_slice_text(what->user), &what->which);
}

static int revoke_of(struct login_rig *rig, const char *realm, const char *user, const char *id)
{
    struct revoking what = {realm, user, {.id = bondy_slice_text(id == NULL ? "" : id)}};

    return fixture_job(rig->f, apply_revoke, &what);
}

static size_t count_listed(struct login_rig *rig, const char *realm, const char *name)
{
    struct bondy_user user;
    json_t *list;
    size_t count;

    assert_true(bondy_user_resolve(fixture_view(rig->f), fixture_realm(rig->f, realm),
                                   bondy_slice_text(name), &user));
    list = bondy_tickets_list(rig->f->view, fixture_realm(rig->f, realm), &user);
    count = json_array_size(list);
    json_decref(list);
    bondy_user_fini(&user);
    return count;
}

static void a_ticket_that_is_revoked_is_good_no_more(void **state)
{
    static const struct wish of_device = {.realm = ACME, .user = "mona", .device = "d1"};
    struct login_rig *rig = *state;
    struct ticket ticket, other;
    const char *id;

    issue(rig, &mona, true, &ticket);
    issue(rig, &of_device, true, &other);
    id = json_string_value(json_object_get(ticket.claims, "id"));
    assert_int_equal(count_listed(rig, ACME, "mona"), 2);
    assert_int_equal(revoke_of(rig, ACME, "mona", "no-such-id"), BONDY_ENOENT);
    assert_string_equal(bondy_problem_code(rig->f->problem), "bondy.error.not_found");
    assert_int_equal(revoke_of(rig, ACME, "nobody", id), BONDY_ENOENT);
    assert_int_equal(revoke_of(rig, ACME, "argo", id), BONDY_ENOENT);
    assert_int_equal(revoke_of(rig, ACME, "mona", id), BONDY_OK);
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), DENIED);
    assert_string_equal(reason(rig, &ticket), "revoked");
    assert_string_equal(show(rig, ACME, "mona", "'device_id':'d1'", &other), IN);
    assert_int_equal(count_listed(rig, ACME, "mona"), 1);
    /* Also when what is not stored is taken. */
    rig->options.takes_unknown_tickets = true;
    login_rig_restart(rig);
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), DENIED);
    drop(&ticket);
    drop(&other);
}

static void unknown_tickets_are_taken_when_the_configuration_says_so(void **state)
{
    struct login_rig *rig = *state;
    struct ticket ticket;

    issue(rig, &mona, false, &ticket);
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), DENIED);
    assert_string_equal(reason(rig, &ticket), "unknown_ticket");
    rig->options.takes_unknown_tickets = true;
    login_rig_restart(rig);
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), IN);
    drop(&ticket);
}

/* Until the clock shows another millisecond, so that versions are later than the ticket. */
static void pass_a_millisecond(void)
{
    uint64_t now = bondy_clock_wall_ms();

    while (bondy_clock_wall_ms() == now)
        ;
}

static void all_tickets_of_a_user_can_be_revoked_the_unknown_ones_too(void **state)
{
    static const struct wish of_device = {.realm = ACME, .user = "mona", .device = "d1"};
    static const struct wish plain = {.realm = ACME, .user = "argo"};
    struct login_rig *rig = *state;
    struct ticket stored, unknown, later, others;

    rig->options.takes_unknown_tickets = true;
    login_rig_restart(rig);
    issue(rig, &mona, true, &stored);
    issue(rig, &of_device, false, &unknown);
    issue(rig, &plain, true, &others);
    assert_string_equal(show(rig, ACME, "mona", "'device_id':'d1'", &unknown), IN);
    pass_a_millisecond();
    assert_int_equal(revoke_of(rig, ACME, "mona", NULL), BONDY_OK);
    assert_int_equal(json_integer_value(rig->f->result), 1);
    assert_string_equal(show(rig, ACME, "mona", "", &stored), DENIED);
    assert_string_equal(show(rig, ACME, "mona", "'device_id':'d1'", &unknown), DENIED);
    assert_int_equal(count_listed(rig, ACME, "mona"), 0);
    assert_string_equal(show(rig, ACME, "argo", "", &others), "WELCOME argo  ticket");
    pass_a_millisecond();
    issue(rig, &mona, true, &later);
    assert_string_equal(show(rig, ACME, "mona", "", &later), IN);
    drop(&stored);
    drop(&unknown);
    drop(&later);
    drop(&others);
}

/* ---- what happens to the user ---------------------------------------------------------------- */

/* Which of sam's eight tickets (and one of argo's realm) a filter takes. */
static void a_scope_says_which_tickets_are_revoked(void **state)
{
    static const struct wish wishes[] = {
        {"org.shop", "sam", false, NULL, NULL},   {"org.shop", "sam", true, NULL, NULL},
        {"org.shop", "sam", false, "till", NULL}, {"org.shop", "sam", true, "till", NULL},
        {"org.shop", "sam", false, NULL, "d1"},   {"org.store", "sam", false, NULL, NULL},
        {"org.shop", "sam", false, "tool", "d1"}, {"org.shop", "sam", true, "till", "d1"},
    };
    static const struct {
        struct bondy_tickets_filter which;
        const char *left; /* numbers of those that stay */
    } cases[] = {
        {{.has_scope = true, .scope = BONDY_TICKET_LOCAL}, "12367"},
        {{.has_scope = true, .scope = BONDY_TICKET_SSO}, "0234567"},
        {{.has_scope = true, .scope = BONDY_TICKET_CLIENT_LOCAL}, "013457"},
        {{.has_scope = true, .scope = BONDY_TICKET_CLIENT_SSO}, "012456"},
        {{.client_id = BONDY_SLICE("till")}, "01456"},
        {{.client_id = BONDY_SLICE("all")}, "2367"},
        {{.device_id = BONDY_SLICE("d1")}, "01235"},
        {{.realm = BONDY_SLICE("org.store")}, "0123467"},
        {{.realm = BONDY_SLICE("all")}, "02456"},
        {{.client_id = BONDY_SLICE("till"), .device_id = BONDY_SLICE("d1")}, "0123456"},
        {{.has_scope = true, .scope = BONDY_TICKET_LOCAL, .device_id = BONDY_SLICE("d1")},
         "0123567"},
        {{.client_id = BONDY_SLICE("nobody")}, "01234567"},
        {{.has_scope = false}, ""},
    };
    struct login_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct ticket tickets[BONDY_COUNT(wishes)];
        struct revoking what = {"org.shop", "sam", cases[i].which};
        char left[BONDY_COUNT(wishes) + 1] = "";

        pass_a_millisecond();
        for (size_t t = 0; t < BONDY_COUNT(wishes); t++)
            issue(rig, &wishes[t], true, &tickets[t]);
        pass_a_millisecond();
        assert_int_equal(fixture_job(rig->f, apply_revoke, &what), BONDY_OK);
        for (size_t t = 0; t < BONDY_COUNT(wishes); t++) {
            char extra[80];

            snprintf(extra, sizeof extra, "'x':0%s%s%s%s%s%s",
                     wishes[t].client != NULL ? ",'client_id':'" : "",
                     wishes[t].client != NULL ? wishes[t].client : "",
                     wishes[t].client != NULL ? "'" : "",
                     wishes[t].device != NULL ? ",'device_id':'" : "",
                     wishes[t].device != NULL ? wishes[t].device : "",
                     wishes[t].device != NULL ? "'" : "");
            if (strcmp(show(rig, wishes[t].realm, "sam", extra, &tickets[t]), IN_SHOP) == 0)
                left[strlen(left)] = (char)('0' + t);
            drop(&tickets[t]);
        }
        if (strcmp(left, cases[i].left) != 0)
            fail_msg("case %zu: %s are left", i, left);
        assert_int_equal(count_listed(rig, "org.shop", "sam"), strlen(left));
    }
}

/* What is not stored ends by time, with its scope. */
static void unknown_tickets_of_a_scope_are_revoked_too(void **state)
{
    static const struct wish of_till = {.realm = ACME, .user = "mona", .client = "till"};
    struct revoking local = {ACME, "mona", {.has_scope = true, .scope = BONDY_TICKET_LOCAL}};
    struct login_rig *rig = *state;
    struct ticket unknown, other, later;

    rig->options.takes_unknown_tickets = true;
    login_rig_restart(rig);
    issue(rig, &mona, false, &unknown);
    issue(rig, &of_till, false, &other);
    pass_a_millisecond();
    assert_int_equal(fixture_job(rig->f, apply_revoke, &local), BONDY_OK);
    assert_string_equal(show(rig, ACME, "mona", "", &unknown), DENIED);
    assert_string_equal(show(rig, ACME, "mona", "'client_id':'till'", &other), IN);
    pass_a_millisecond();
    issue(rig, &mona, false, &later);
    assert_string_equal(show(rig, ACME, "mona", "", &later), IN);
    drop(&unknown);
    drop(&other);
    drop(&later);
}

static void a_ticket_from_before_a_change_of_its_user_is_good_no_more(void **state)
{
    static const struct {
        enum fixture_what what;
        const char *input;
        bool is_good;
    } cases[] = {
        {UPDATE_USER, "{'meta':{'till':9}}", true},
        {REMOVE_USER_GROUPS, "['no-such-group']", true},
        {ADD_ALIAS, "mo-9", true},
        {SET_PASSWORD, "another-47-rope", false},
        {ADD_KEY, KEY2, false},
        {REMOVE_KEY, KEY2, false},
        {DISABLE_USER, NULL, false},
        {ENABLE_USER, NULL, false},
    };
    struct login_rig *rig = *state;

    /* Not hidden: a disabled user is told so. */
    rig->options.takes_unknown_tickets = true;
    login_rig_restart(rig);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct ticket ticket;
        const char *outcome;

        pass_a_millisecond();
        issue(rig, &mona, true, &ticket);
        pass_a_millisecond();
        fixture_do(rig->f, cases[i].what, ACME, "mona",
                   cases[i].what == UPDATE_USER          ? "{\"meta\":{\"till\":9}}"
                   : cases[i].what == REMOVE_USER_GROUPS ? "[\"no-such-group\"]"
                                                         : cases[i].input);
        outcome = show(rig, ACME, "mona", "", &ticket);
        if ((strcmp(outcome, IN) == 0) != cases[i].is_good)
            fail_msg("case %zu: %s", i, outcome);
        drop(&ticket);
    }
}

static void a_ticket_of_a_deleted_user_is_not_that_of_the_next_one(void **state)
{
    struct login_rig *rig = *state;
    struct ticket ticket;

    rig->options.takes_unknown_tickets = true;
    login_rig_restart(rig);
    issue(rig, &mona, true, &ticket);
    login_rig_do(rig, DELETE_USER, ACME, "mona", NULL);
    assert_string_equal(reason(rig, &ticket), "unknown_user");
    login_rig_do(rig, ADD_USER, ACME, NULL, "{'username':'mona','password':'" PASSWORD "'}");
    login_rig_do(rig, ADD_SOURCE, ACME, NULL,
                 "{'usernames':['mona'],'authmethod':'ticket','cidr':'127.0.0.0/8'}");
    assert_string_equal(show(rig, ACME, "mona", "", &ticket), DENIED);
    assert_string_equal(reason(rig, &ticket), "revoked");
    assert_int_equal(count_listed(rig, ACME, "mona"), 0);
    drop(&ticket);
}

/* The record that authenticates, and that of the realm. */
static void a_change_in_the_sso_realm_ends_tickets_of_linked_users(void **state)
{
    static const struct wish sam = {.realm = "org.shop", .user = "sam", .for_all = true};
    struct login_rig *rig = *state;
    struct ticket ticket;

    issue(rig, &sam, true, &ticket);
    assert_string_equal(show(rig, "org.store", "sam", "", &ticket), IN_SHOP);
    assert_int_equal(count_listed(rig, "org.shop", "sam"), 1);
    pass_a_millisecond();
    login_rig_do(rig, SET_PASSWORD, "org.idp", "sam", "another-47-rope");
    assert_string_equal(show(rig, "org.store", "sam", "", &ticket), DENIED);
    assert_string_equal(show(rig, "org.shop", "sam", "", &ticket), DENIED);
    drop(&ticket);
    pass_a_millisecond();
    issue(rig, &sam, true, &ticket);
    pass_a_millisecond();
    login_rig_do(rig, DISABLE_USER, "org.store", "sam", NULL);
    login_rig_do(rig, ENABLE_USER, "org.store", "sam", NULL);
    assert_string_equal(show(rig, "org.store", "sam", "", &ticket), DENIED);
    assert_string_equal(show(rig, "org.shop", "sam", "", &ticket), IN_SHOP);
    drop(&ticket);
}

static void a_realm_without_key_issues_none(void **state)
{
    struct login_rig *rig = *state;
    struct bondy_ticket_issue issue = {.lifetime = 600};
    struct bondy_user user = {0};
    json_t *claims = NULL;
    char *jws = NULL;

    assert_int_equal(
        bondy_tickets_make(fixture_realm(rig->f, "org.shop"), &user, &issue, &claims, &jws, NULL),
        BONDY_ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TICKET_TEST(each_scope_is_good_where_it_says),
        TICKET_TEST(a_session_opened_with_a_ticket_says_which),
        TICKET_TEST(a_ticket_is_good_for_its_owner_alone),
        TICKET_TEST(a_ticket_ends),
        TICKET_TEST(another_ticket_of_the_slot_replaces_the_first),
        TICKET_TEST(a_ticket_that_is_revoked_is_good_no_more),
        TICKET_TEST(unknown_tickets_are_taken_when_the_configuration_says_so),
        TICKET_TEST(all_tickets_of_a_user_can_be_revoked_the_unknown_ones_too),
        TICKET_TEST(a_scope_says_which_tickets_are_revoked),
        TICKET_TEST(unknown_tickets_of_a_scope_are_revoked_too),
        TICKET_TEST(a_ticket_from_before_a_change_of_its_user_is_good_no_more),
        TICKET_TEST(a_ticket_of_a_deleted_user_is_not_that_of_the_next_one),
        TICKET_TEST(a_change_in_the_sso_realm_ends_tickets_of_linked_users),
        TICKET_TEST(a_realm_without_key_issues_none),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

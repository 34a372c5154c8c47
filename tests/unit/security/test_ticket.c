/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/ticket.h"

#define NOW 1767322800

static struct bondy_key *key;

static struct bondy_ticket_issue issue_for(const char *realm, const char *client,
                                           const char *device)
{
    return (struct bondy_ticket_issue){.authrealm = BONDY_SLICE("org.acme.sso"),
                                       .realm = bondy_slice_text(realm),
                                       .authid = BONDY_SLICE("mona"),
                                       .authmethod = BONDY_SLICE("password"),
                                       .client_id = bondy_slice_text(client),
                                       .device_id = bondy_slice_text(device),
                                       .node = "node1",
                                       .kid = key->kid,
                                       .now = NOW,
                                       .lifetime = 3600};
}

static struct bondy_token_expect expect_in(const char *realm)
{
    return (struct bondy_token_expect){.realm = bondy_slice_text(realm),
                                       .authrealm = BONDY_SLICE("org.acme.sso"),
                                       .authid = BONDY_SLICE("mona"),
                                       .now = NOW + 10};
}

/* Signs and verifies the claims (taken); the caller ends the token. */
static struct bondy_token present(json_t *claims, const char *typ)
{
    struct bondy_token token;
    char *jws;

    assert_int_equal(bondy_token_sign(claims, typ, key, &jws, NULL), BONDY_OK);
    assert_int_equal(bondy_token_verify(bondy_slice_text(jws), key, &token, NULL), BONDY_OK);
    bondy_free(jws);
    json_decref(claims);
    return token;
}

static enum bondy_token_reason check(const struct bondy_ticket_issue *issue,
                                     const struct bondy_token_expect *expect)
{
    struct bondy_token token = present(bondy_ticket_claims(issue), BONDY_TICKET_TYP);
    struct bondy_token_verdict verdict = bondy_ticket_check(&token, expect);

    assert_int_equal(verdict.claim == NULL, verdict.reason == BONDY_TOKEN_OK);
    bondy_token_fini(&token);
    return verdict.reason;
}

static void claims_say_all_that_the_table_says(void **state)
{
    struct bondy_ticket_issue issue = issue_for("org.acme.shop", NULL, "till4");
    json_t *claims = bondy_ticket_claims(&issue), *external, *scope;

    (void)state;
    assert_int_equal(bondy_json_text(claims, "id").len, 36);
    assert_slice_is(bondy_json_text(claims, "authrealm"), "org.acme.sso");
    assert_slice_is(bondy_json_text(claims, "authid"), "mona");
    assert_slice_is(bondy_json_text(claims, "authmethod"), "password");
    assert_slice_is(bondy_json_text(claims, "issued_by"), "mona");
    assert_slice_is(bondy_json_text(claims, "issued_on"), "node1");
    assert_slice_is(bondy_json_text(claims, "kid"), key->kid);
    assert_int_equal(json_integer_value(json_object_get(claims, "issued_at")), NOW);
    assert_int_equal(json_integer_value(json_object_get(claims, "expires_at")), NOW + 3600);
    scope = json_object_get(claims, "scope");
    assert_slice_is(bondy_json_text(scope, "realm"), "org.acme.shop");
    assert_slice_is(bondy_json_text(scope, "client_id"), "all");
    assert_slice_is(bondy_json_text(scope, "device_id"), "till4");
    external = bondy_ticket_external(claims, "a.b.c");
    assert_int_equal(json_object_size(external), 5);
    assert_slice_is(bondy_json_text(external, "ticket"), "a.b.c");
    assert_true(json_equal(json_object_get(external, "scope"), scope));
    json_decref(external);
    json_decref(claims);
    issue.client_id = BONDY_SLICE("webshop");
    issue.lifetime = INT64_MAX;
    claims = bondy_ticket_claims(&issue);
    assert_slice_is(bondy_json_text(claims, "issued_by"), "webshop");
    assert_true(json_integer_value(json_object_get(claims, "expires_at")) == INT64_MAX);
    json_decref(claims);
}

static void a_scope_follows_from_realm_and_client(void **state)
{
    static const struct {
        const char *scope;
        enum bondy_ticket_scope expected;
        const char *name;
    } cases[] = {
        {"{\"realm\":\"org.a\",\"client_id\":\"all\"}", BONDY_TICKET_LOCAL, "local"},
        {"{\"realm\":\"org.a\",\"client_id\":null}", BONDY_TICKET_LOCAL, "local"},
        {"{\"realm\":\"org.a\"}", BONDY_TICKET_LOCAL, "local"},
        {"{\"realm\":\"all\",\"client_id\":\"all\"}", BONDY_TICKET_SSO, "sso"},
        {"{\"realm\":null}", BONDY_TICKET_SSO, "sso"},
        {"{}", BONDY_TICKET_SSO, "sso"},
        {"{\"realm\":\"org.a\",\"client_id\":\"c\"}", BONDY_TICKET_CLIENT_LOCAL, "client_local"},
        {"{\"realm\":null,\"client_id\":\"c\"}", BONDY_TICKET_CLIENT_SSO, "client_sso"},
        {"{\"realm\":\"all\",\"client_id\":\"c\"}", BONDY_TICKET_CLIENT_SSO, "client_sso"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *claims = json_pack("{s:o}", "scope",
                                   bondy_json_parse(bondy_slice_text(cases[i].scope), 4, NULL));
        enum bondy_ticket_scope scope = bondy_ticket_scope_of(claims);
        char slot[BONDY_TICKET_SLOT_TEXT], resource[64];

        assert_int_equal(scope, cases[i].expected);
        assert_string_equal(bondy_ticket_scope_name(scope), cases[i].name);
        snprintf(resource, sizeof resource, "bondy.ticket.scope.%s", cases[i].name);
        assert_string_equal(bondy_ticket_scope_resource(scope), resource);
        bondy_ticket_slot(claims, slot);
        assert_memory_equal(slot, cases[i].name, strlen(cases[i].name));
        assert_int_equal(strlen(slot), strlen(cases[i].name) + 44);
        json_decref(claims);
    }
}

static void a_slot_is_one_scope_realm_client_and_device(void **state)
{
    static const struct {
        const char *realm, *client, *device;
    } places[] = {
        {"org.a", NULL, NULL}, {"org.b", NULL, NULL},  {NULL, NULL, NULL},
        {"org.a", "c", NULL},  {"org.a", NULL, "c"},   {"org.a", "c", "d"},
        {"org.a", "cd", NULL}, {"org.a", "c1:d", "e"}, {"org.a", "c", "1:de"},
        {"org.a1", ":c", "d"}, {NULL, "c", NULL},      {NULL, NULL, "c"},
        {"org.a", "C", NULL},  {NULL, "org.a", NULL},
    };
    char slots[BONDY_COUNT(places)][BONDY_TICKET_SLOT_TEXT];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(places); i++) {
        struct bondy_ticket_issue issue =
            issue_for(places[i].realm, places[i].client, places[i].device);
        json_t *claims = bondy_ticket_claims(&issue), *later;
        char again[BONDY_TICKET_SLOT_TEXT];

        bondy_ticket_slot(claims, slots[i]);
        issue.now += 1000;
        later = bondy_ticket_claims(&issue);
        bondy_ticket_slot(later, again);
        assert_string_equal(slots[i], again);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(slots[i], slots[j]);
        json_decref(later);
        json_decref(claims);
    }
}

static void a_ticket_counts_where_its_scope_says(void **state)
{
    static const struct {
        const char *scope_realm, *client, *device;       /* of the ticket */
        const char *realm, *given_client, *given_device; /* of the login */
        enum bondy_token_reason reason;
    } cases[] = {
        {"org.acme.shop", NULL, NULL, "org.acme.shop", NULL, NULL, BONDY_TOKEN_OK},
        {"org.acme.shop", NULL, NULL, "org.acme.hq", NULL, NULL, BONDY_TOKEN_WRONG_REALM},
        {"org.acme.shop", NULL, NULL, "org.acme.shop", "any", "any", BONDY_TOKEN_OK},
        {NULL, NULL, NULL, "org.acme.shop", NULL, NULL, BONDY_TOKEN_OK},
        {NULL, NULL, NULL, "org.acme.hq", NULL, NULL, BONDY_TOKEN_OK},
        {"org.acme.shop", "web", NULL, "org.acme.shop", "web", NULL, BONDY_TOKEN_OK},
        {"org.acme.shop", "web", NULL, "org.acme.shop", NULL, NULL, BONDY_TOKEN_WRONG_CLIENT},
        {"org.acme.shop", "web", NULL, "org.acme.shop", "Web", NULL, BONDY_TOKEN_WRONG_CLIENT},
        {"org.acme.shop", "web", NULL, "org.acme.shop", "all", NULL, BONDY_TOKEN_WRONG_CLIENT},
        {NULL, "web", NULL, "org.acme.hq", "web", NULL, BONDY_TOKEN_OK},
        {NULL, "web", NULL, "org.acme.hq", "app", NULL, BONDY_TOKEN_WRONG_CLIENT},
        {"org.acme.shop", NULL, "t4", "org.acme.shop", NULL, "t4", BONDY_TOKEN_OK},
        {"org.acme.shop", NULL, "t4", "org.acme.shop", NULL, "t5", BONDY_TOKEN_WRONG_DEVICE},
        {"org.acme.shop", NULL, "t4", "org.acme.shop", NULL, NULL, BONDY_TOKEN_WRONG_DEVICE},
        {"org.acme.shop", "web", "t4", "org.acme.shop", "web", "t4", BONDY_TOKEN_OK},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_ticket_issue issue =
            issue_for(cases[i].scope_realm, cases[i].client, cases[i].device);
        struct bondy_token_expect expect = expect_in(cases[i].realm);
        enum bondy_token_reason reason;

        expect.client_id = bondy_slice_text(cases[i].given_client);
        expect.device_id = bondy_slice_text(cases[i].given_device);
        reason = check(&issue, &expect);
        if (reason != cases[i].reason)
            fail_msg("case %zu: it %s", i, bondy_token_reason_text(reason));
    }
}

static void a_ticket_belongs_to_one_user_of_one_realm(void **state)
{
    struct bondy_ticket_issue issue = issue_for("org.acme.shop", NULL, NULL);
    struct bondy_token_expect expect = expect_in("org.acme.shop");

    (void)state;
    expect.authid = BONDY_SLICE("lisa");
    assert_int_equal(check(&issue, &expect), BONDY_TOKEN_WRONG_SUBJECT);
    expect.authid = BONDY_SLICE_EMPTY;
    assert_int_equal(check(&issue, &expect), BONDY_TOKEN_OK);
    expect.authrealm = BONDY_SLICE("org.acme.shop");
    assert_int_equal(check(&issue, &expect), BONDY_TOKEN_WRONG_ISSUER);
}

/* Not two minutes early. */
static void a_ticket_lives_to_its_last_second(void **state)
{
    static const struct {
        int64_t now, leeway;
        enum bondy_token_reason reason;
    } cases[] = {
        {NOW - 1, 0, BONDY_TOKEN_NOT_YET},       {NOW, 0, BONDY_TOKEN_OK},
        {NOW - 30, 30, BONDY_TOKEN_OK},          {NOW - 31, 30, BONDY_TOKEN_NOT_YET},
        {NOW + 3599, 0, BONDY_TOKEN_OK},         {NOW + 3600, 0, BONDY_TOKEN_EXPIRED},
        {NOW + 3629, 30, BONDY_TOKEN_OK},        {NOW + 3630, 30, BONDY_TOKEN_EXPIRED},
        {NOW + 3661, 3600, BONDY_TOKEN_EXPIRED}, {INT64_MAX, 60, BONDY_TOKEN_EXPIRED},
    };
    struct bondy_ticket_issue issue = issue_for("org.acme.shop", NULL, NULL);
    struct bondy_token_expect expect = expect_in("org.acme.shop");

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        expect.now = cases[i].now;
        expect.leeway = cases[i].leeway;
        assert_int_equal(check(&issue, &expect), cases[i].reason);
    }
}

static void malformed_claims_are_refused_by_name(void **state)
{
    static const struct {
        const char *change;
        const char *claim;
    } cases[] = {
        {"{\"id\":7}", "id"},
        {"{\"id\":\"\"}", "id"},
        {"{\"authid\":null}", "authid"},
        {"{\"authrealm\":[]}", "authrealm"},
        {"{\"authmethod\":7}", "authmethod"},
        {"{\"scope\":null}", "scope"},
        {"{\"scope\":\"all\"}", "scope"},
        {"{\"scope\":{\"realm\":7}}", "scope"},
        {"{\"scope\":{\"realm\":\"\"}}", "scope"},
        {"{\"scope\":{\"client_id\":[]}}", "scope"},
        {"{\"scope\":{\"device_id\":true}}", "scope"},
        {"{\"issued_at\":\"now\"}", "issued_at"},
        {"{\"issued_at\":-1}", "issued_at"},
        {"{\"expires_at\":1767326400.0}", "expires_at"},
        {"{\"expires_at\":null}", "expires_at"},
        {"{\"expires_at\":1767322800}", "expires_at"},
        {"{\"expires_at\":5}", "expires_at"},
        {"{\"issued_at\":9223372036854775807,\"expires_at\":9223372036854775807}", "expires_at"},
    };
    struct bondy_ticket_issue issue = issue_for("org.acme.shop", NULL, NULL);
    struct bondy_token_expect expect = expect_in("org.acme.shop");

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *claims = bondy_ticket_claims(&issue);
        json_t *change = bondy_json_parse(bondy_slice_text(cases[i].change), 4, NULL);
        struct bondy_token_verdict verdict;
        struct bondy_token token;

        json_object_update(claims, change);
        token = present(claims, BONDY_TICKET_TYP);
        verdict = bondy_ticket_check(&token, &expect);
        assert_int_equal(verdict.reason, BONDY_TOKEN_MALFORMED);
        assert_string_equal(verdict.claim, cases[i].claim);
        bondy_token_fini(&token);
        json_decref(change);
    }
}

/* An access token of the same realm is no ticket, nor is a ticket without its key's name. */
static void other_tokens_are_no_tickets(void **state)
{
    static const char *const types[] = {"JWT", "at+jwt", "BONDY-TICKET+JWT", "bondy-ticket"};
    struct bondy_ticket_issue issue = issue_for("org.acme.shop", NULL, NULL);
    struct bondy_token_expect expect = expect_in("org.acme.shop");
    json_t *claims = bondy_ticket_claims(&issue);
    struct bondy_token token;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(types); i++) {
        token = present(json_incref(claims), types[i]);
        assert_int_equal(bondy_ticket_check(&token, &expect).reason, BONDY_TOKEN_WRONG_TYPE);
        bondy_token_fini(&token);
    }
    json_object_del(claims, "kid");
    token = present(claims, BONDY_TICKET_TYP);
    assert_int_equal(bondy_ticket_check(&token, &expect).reason, BONDY_TOKEN_MALFORMED);
    bondy_token_fini(&token);
}

static void ids_are_short_text_and_not_all(void **state)
{
    char long_id[BONDY_TICKET_ID_MAX + 1];

    (void)state;
    memset(long_id, 'i', sizeof long_id);
    assert_true(bondy_ticket_id_is_valid(BONDY_SLICE("till 4")));
    assert_true(bondy_ticket_id_is_valid(BONDY_SLICE("caf\xc3\xa9")));
    assert_true(bondy_ticket_id_is_valid(bondy_slice_of(long_id, BONDY_TICKET_ID_MAX)));
    assert_false(bondy_ticket_id_is_valid(bondy_slice_of(long_id, BONDY_TICKET_ID_MAX + 1)));
    assert_false(bondy_ticket_id_is_valid(BONDY_SLICE("")));
    assert_false(bondy_ticket_id_is_valid(BONDY_SLICE("all")));
    assert_false(bondy_ticket_id_is_valid(BONDY_SLICE("a\nb")));
    assert_false(bondy_ticket_id_is_valid(bondy_slice_of("a\0b", 3)));
    assert_false(bondy_ticket_id_is_valid(BONDY_SLICE("a\xff")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_say_all_that_the_table_says),
        cmocka_unit_test(a_scope_follows_from_realm_and_client),
        cmocka_unit_test(a_slot_is_one_scope_realm_client_and_device),
        cmocka_unit_test(a_ticket_counts_where_its_scope_says),
        cmocka_unit_test(a_ticket_belongs_to_one_user_of_one_realm),
        cmocka_unit_test(a_ticket_lives_to_its_last_second),
        cmocka_unit_test(malformed_claims_are_refused_by_name),
        cmocka_unit_test(other_tokens_are_no_tickets),
        cmocka_unit_test(ids_are_short_text_and_not_all),
    };
    char *pem;
    int failed;

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    assert_int_equal(bondy_key_generate_wait(BONDY_KEY_EC_P256, &pem, NULL), BONDY_OK);
    assert_int_equal(
        bondy_key_parse(bondy_slice_text(pem), BONDY_KEY_EC_P256, BONDY_SLICE_EMPTY, &key, NULL),
        BONDY_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bondy_key_destroy(key);
    bondy_free(pem);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Access tokens of both forms (oauth2-oidc.md 3.4), the list of those that are denied, and the
 * number that tells caches. */

#include "tests/unit/security/token_rig.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/security/credential/token.h"
#include "src/security/token/api_key.h"
#include "src/security/token/tickets.h"

/* ---- claims ---------------------------------------------------------------------------------- */

static void make(struct token_rig *rig, struct bondy_access_issue *issue, const char *realm,
                 const char *name, struct bondy_user *user, struct bondy_access_token *out)
{
    token_user(rig, realm, name, user);
    issue->rules = &rig->rules;
    issue->realm = fixture_realm(rig->f, realm);
    issue->authrealm = fixture_realm(rig->f, user->authrealm);
    issue->user = user;
    issue->lifetime_s = 900;
    assert_int_equal(bondy_access_make(issue, out, NULL), BONDY_OK);
}

static void verify(struct token_rig *rig, const char *authrealm, const char *jws,
                   struct bondy_token *out)
{
    const struct bondy_key *key = bondy_realm_signing_key(fixture_realm(rig->f, authrealm));

    assert_int_equal(bondy_token_verify(bondy_slice_text(jws), key, out, NULL), BONDY_OK);
    assert_true(bondy_slice_is(out->kid, key->kid));
    assert_true(bondy_slice_is(bondy_json_text(out->header, "kid"), key->kid));
    assert_true(bondy_slice_is(bondy_json_text(out->claims, "kid"), key->kid));
}

static void is_good_from_its_issue_to_its_end(const struct bondy_token *token, const char *realm,
                                              const char *authrealm)
{
    int64_t start = (int64_t)(now_ms() / 1000);
    const struct {
        int64_t now;
        enum bondy_token_reason expected;
    } clocks[] = {{start - 1, BONDY_TOKEN_NOT_YET},
                  {start, BONDY_TOKEN_OK},
                  {start + 899, BONDY_TOKEN_OK},
                  {start + 900, BONDY_TOKEN_EXPIRED}};

    for (size_t i = 0; i < BONDY_COUNT(clocks); i++) {
        const struct bondy_token_expect expect = {.realm = bondy_slice_text(realm),
                                                  .authrealm = bondy_slice_text(authrealm),
                                                  .now = clocks[i].now};

        assert_int_equal(bondy_token_check_access(token, &expect).reason, clocks[i].expected);
    }
}

/* Takes away what is never the same. */
static char *stable(const struct bondy_token *token, const struct bondy_access_token *access)
{
    json_t *claims = json_deep_copy(token->claims);
    json_int_t start = (json_int_t)(now_ms() / 1000);
    char *text;

    assert_string_equal(json_string_value(json_object_get(claims, "id")), access->id);
    assert_int_equal(json_integer_value(json_object_get(claims, "iat")), start);
    assert_int_equal(json_integer_value(json_object_get(claims, "iat_ms")), now_ms());
    if (bondy_slice_is(token->typ, "at+jwt")) {
        assert_string_equal(json_string_value(json_object_get(claims, "jti")), access->id);
        assert_int_equal(json_integer_value(json_object_get(claims, "nbf")), start);
        assert_int_equal(json_integer_value(json_object_get(claims, "exp")), start + 900);
        json_object_del(claims, "jti");
        json_object_del(claims, "nbf");
        json_object_del(claims, "exp");
    }
    json_object_del(claims, "id");
    json_object_del(claims, "iat");
    json_object_del(claims, "iat_ms");
    json_object_del(claims, "kid");
    text = fixture_text(claims);
    json_decref(claims);
    return text;
}

static void a_token_of_rfc_9068_has_bondys_claims_too(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_access_issue issue = {.client_id = BONDY_SLICE("till"),
                                       .device_id = BONDY_SLICE("phone"),
                                       .sid = BONDY_SLICE("f00d")};
    struct bondy_access_token access;
    struct bondy_user user;
    struct bondy_token token;

    make(rig, &issue, ACME, "mona", &user, &access);
    verify(rig, ACME, access.jws, &token);
    assert_true(bondy_slice_is(token.typ, "at+jwt"));
    is_good_from_its_issue_to_its_end(&token, ACME, ACME);
    assert_text(stable(&token, &access),
                "{\"aud\":\"org.acme\",\"auth\":{\"roles\":[\"cashiers\",\"staff\"],\"scope\":"
                "{\"client_id\":\"till\",\"device_id\":\"phone\",\"realm\":\"org.acme\"}},"
                "\"client_id\":\"till\",\"groups\":[\"cashiers\",\"staff\"],\"ion\":\"node1\","
                "\"iss\":\"org.acme\",\"meta\":{\"client_device_id\":\"phone\",\"till\":4},"
                "\"scope\":\"cashiers staff\",\"sid\":\"f00d\",\"sub\":\"mona\",\"ugen\":0,"
                "\"vsn\":\"1.1\"}");
    assert_int_equal(access.lifetime_s, 900);
    assert_true(access.end_ms >= now_ms() + 900000);
    assert_string_equal(token_reason(rig, ACME, access.jws), "");
    bondy_token_fini(&token);
    bondy_access_fini(&access);
    bondy_user_fini(&user);
}

static void a_token_of_bondys_form_ends_after_its_lifetime(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_access_issue issue = {.host = BONDY_SLICE("api.example")};
    struct bondy_access_token access;
    struct bondy_user user;
    struct bondy_token token;

    rig->rules.is_bondy_format = true;
    make(rig, &issue, SHOP, "sam", &user, &access);
    verify(rig, IDP, access.jws, &token);
    assert_true(bondy_slice_is(token.typ, "JWT"));
    is_good_from_its_issue_to_its_end(&token, SHOP, IDP);
    is_good_from_its_issue_to_its_end(&token, STORE, IDP); /* authenticated for all of them */
    assert_text(stable(&token, &access),
                "{\"aud\":\"org.idp\",\"auth\":{\"grants\":[],\"roles\":[\"clerks\"],\"scope\":"
                "{\"client_id\":\"all\",\"device_id\":\"all\",\"realm\":\"all\"}},\"exp\":900,"
                "\"groups\":[\"clerks\"],\"ion\":\"node1\",\"iss\":\"api.example/org.idp\","
                "\"meta\":{},\"sub\":\"sam\",\"ugen\":0,\"vsn\":\"1.1\"}");
    assert_string_equal(token_reason(rig, SHOP, access.jws), "");
    assert_string_equal(token_reason(rig, STORE, access.jws), "");
    assert_string_equal(token_reason(rig, ACME, access.jws), "unknown_user");
    pass_seconds(930);
    assert_string_equal(token_reason(rig, SHOP, access.jws), "invalid_token");
    bondy_token_fini(&token);
    bondy_access_fini(&access);
    bondy_user_fini(&user);
}

static void groups_are_those_of_the_moment(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_access_issue issue = {0};
    struct bondy_access_token access;
    struct bondy_user user;

    login_rig_do(rig->login, REMOVE_USER_GROUPS, ACME, "mona", "['staff']");
    make(rig, &issue, ACME, "mona", &user, &access);
    assert_text(fixture_text(access.groups), "[\"cashiers\"]");
    bondy_access_fini(&access);
    bondy_user_fini(&user);
}

static void a_realm_without_key_issues_none(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_user user = {.username = "sam"};
    const struct bondy_access_issue issue = {.rules = &rig->rules,
                                             .realm = fixture_realm(rig->f, SHOP),
                                             .authrealm = fixture_realm(rig->f, SHOP),
                                             .user = &user};
    struct bondy_access_token access;

    assert_int_equal(bondy_access_make(&issue, &access, NULL), BONDY_ENOENT);
    bondy_access_fini(&access);
}

/* ---- sessions -------------------------------------------------------------------------------- */

#define HELLO "{'authid':'mona','authmethods':['oauth2']}"
#define DENIED "ABORT wamp.error.authentication_denied"

static void both_forms_let_their_user_in(void **state)
{
    struct token_rig *rig = *state;

    for (unsigned i = 0; i < 2; i++) {
        struct bondy_access_token access;

        rig->rules.is_bondy_format = i == 1;
        token_access(rig, ACME, "mona", NULL, &access);
        assert_string_equal(log_in(rig->login, ACME, HELLO, access.jws),
                            "WELCOME mona cashiers,staff oauth2");
        bondy_access_fini(&access);
    }
}

static void a_limited_token_gives_no_other_groups(void **state)
{
    struct token_rig *rig = *state;
    json_t *only = json_pack("[s, s]", "staff", "no-such-group");
    struct bondy_access_issue issue = {.only_groups = only};
    struct bondy_access_token access;
    struct bondy_user user;

    make(rig, &issue, ACME, "mona", &user, &access);
    assert_text(fixture_text(access.groups), "[\"staff\"]");
    assert_string_equal(log_in(rig->login, ACME, HELLO, access.jws), "WELCOME mona staff oauth2");
    assert_string_equal(log_in(rig->login, ACME,
                               "{'authid':'mona','authmethods':['oauth2'],'authrole':'staff'}",
                               access.jws),
                        "WELCOME mona staff oauth2");
    assert_string_equal(log_in(rig->login, ACME,
                               "{'authid':'mona','authmethods':['oauth2'],'authrole':'cashiers'}",
                               access.jws),
                        "ABORT wamp.error.no_such_role");
    /* Lost meanwhile. */
    login_rig_do(rig->login, REMOVE_USER_GROUPS, ACME, "mona", "['staff']");
    assert_string_equal(log_in(rig->login, ACME, HELLO, access.jws), "WELCOME mona  oauth2");
    bondy_access_fini(&access);
    bondy_user_fini(&user);
    json_decref(only);
}

static void what_ends_the_user_ends_its_tokens(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_access_token access;

    token_access(rig, ACME, "mona", NULL, &access);
    assert_string_equal(token_reason(rig, ACME, "no.to.ken"), "malformed");
    pass_a_millisecond();
    login_rig_do(rig->login, DISABLE_USER, ACME, "mona", NULL);
    assert_string_equal(token_reason(rig, ACME, access.jws), "disabled_user");
    login_rig_do(rig->login, ENABLE_USER, ACME, "mona", NULL);
    assert_string_equal(token_reason(rig, ACME, access.jws), "revoked");
    login_rig_do(rig->login, DELETE_USER, ACME, "mona", NULL);
    assert_string_equal(token_reason(rig, ACME, access.jws), "unknown_user");
    /* Without credentials nothing tells when it began: its generation does. */
    login_rig_do(rig->login, ADD_USER, ACME, NULL, "{'username':'mona'}");
    assert_string_equal(token_reason(rig, ACME, access.jws), "revoked");
    bondy_access_fini(&access);
}

/* ---- denied ---------------------------------------------------------------------------------- */

struct denial {
    const json_t *claims; /* NULL: the family */
    const char *sid;
    uint64_t end_ms;
};

static int apply_deny(struct bondy_edit *edit, void *context)
{
    const struct denial *denial = context;

    if (denial->claims != NULL)
        return bondy_denied_apply_claims(edit, denial->claims);
    return bondy_denied_apply_add(edit, BONDY_SLICE(ACME), BONDY_DENIED_FAMILY,
                                  bondy_slice_text(denial->sid), denial->end_ms);
}

static int count_one(void *context, const struct bondy_record *record)
{
    unsigned *count = context;

    *count += bondy_slice_starts(record->key.subkey, BONDY_DENIED_HEAD);
    return 0;
}

static unsigned count_denied(struct token_rig *rig)
{
    static const struct bondy_store_range all = {.type = BONDY_RECORD_TOKEN, .is_any_scope = true};
    unsigned count = 0;

    bondy_store_view_scan(fixture_view(rig->f), &all, count_one, &count);
    return count;
}

static void a_denied_token_lets_nobody_in_until_it_ends_by_itself(void **state)
{
    struct token_rig *rig = *state;

    for (unsigned i = 0; i < 2; i++) {
        struct bondy_access_token access, other;
        struct bondy_token token;
        struct denial denial = {0};
        uint64_t before = bondy_auth_revocations(rig->login->auth);

        rig->rules.is_bondy_format = i == 1;
        token_access(rig, ACME, "mona", NULL, &access);
        token_access(rig, ACME, "mona", NULL, &other);
        verify(rig, ACME, access.jws, &token);
        denial.claims = token.claims;
        assert_int_equal(fixture_job(rig->f, apply_deny, &denial), BONDY_OK);
        assert_true(bondy_auth_revocations(rig->login->auth) > before);
        assert_string_equal(log_in(rig->login, ACME, HELLO, access.jws), DENIED);
        assert_string_equal(token_reason(rig, ACME, access.jws), "revoked");
        assert_string_equal(log_in(rig->login, ACME, HELLO, other.jws),
                            "WELCOME mona cashiers,staff oauth2");
        /* To the last second that any leeway gives it. */
        pass_seconds(900 + BONDY_TOKEN_LEEWAY_MAX - 1);
        assert_int_equal(count_denied(rig), 1);
        pass_seconds(1);
        assert_int_equal(count_denied(rig), 0);
        bondy_token_fini(&token);
        bondy_access_fini(&access);
        bondy_access_fini(&other);
    }
}

static void a_denied_family_ends_all_its_tokens(void **state)
{
    struct token_rig *rig = *state;
    struct denial denial = {.sid = "f00d", .end_ms = now_ms() + 900000};
    struct bondy_access_token access, other;

    token_access(rig, ACME, "mona", "f00d", &access);
    token_access(rig, ACME, "mona", "beef", &other);
    assert_int_equal(fixture_job(rig->f, apply_deny, &denial), BONDY_OK);
    assert_string_equal(token_reason(rig, ACME, access.jws), "revoked");
    assert_string_equal(log_in(rig->login, ACME, HELLO, access.jws), DENIED);
    assert_string_equal(token_reason(rig, ACME, other.jws), "");
    bondy_access_fini(&access);
    bondy_access_fini(&other);
}

static void what_is_over_is_not_written_down(void **state)
{
    static const char *const texts[] = {
        "{\"aud\":\"org.acme\",\"jti\":\"a\",\"exp\":1700000000}",
        "{\"aud\":\"org.acme\",\"id\":\"a\",\"iat\":1700000000,\"exp\":900}",
        "{\"aud\":\"org.acme\",\"id\":\"a\",\"exp\":900}",
        "{\"aud\":\"org.acme\",\"id\":\"a\"}",
        "{\"aud\":\"org.acme\",\"exp\":99999999999}",
    };
    struct token_rig *rig = *state;
    struct denial denial = {.sid = "f00d", .end_ms = now_ms()};

    assert_int_equal(fixture_job(rig->f, apply_deny, &denial), BONDY_OK);
    for (size_t i = 0; i < BONDY_COUNT(texts); i++) {
        json_t *claims = json_loads(texts[i], 0, NULL);

        denial.claims = claims;
        assert_int_equal(fixture_job(rig->f, apply_deny, &denial), BONDY_OK);
        json_decref(claims);
    }
    assert_int_equal(count_denied(rig), 0);
    /* The latest time that there is. */
    {
        json_t *claims =
            json_pack("{s:s, s:s, s:I}", "aud", ACME, "jti", "a", "exp", (json_int_t)INT64_MAX);

        denial.claims = claims;
        assert_int_equal(fixture_job(rig->f, apply_deny, &denial), BONDY_OK);
        json_decref(claims);
    }
    assert_int_equal(count_denied(rig), 1);
}

/* ---- the number ------------------------------------------------------------------------------ */

struct key_step {
    json_t *prepared;
    const char *id;
};

static int apply_key(struct bondy_edit *edit, void *context)
{
    struct key_step *step = context;

    return step->id == NULL
               ? bondy_api_key_apply_add(edit, BONDY_SLICE(ACME), step->prepared)
               : bondy_api_key_apply_delete(edit, BONDY_SLICE(ACME), bondy_slice_text(step->id));
}

static int apply_revoke_tickets(struct bondy_edit *edit, void *context)
{
    return bondy_tickets_apply_revoke(edit, BONDY_SLICE(ACME), BONDY_SLICE("mona"), context);
}

static void what_ends_credentials_moves_the_number(void **state)
{
    struct token_rig *rig = *state;
    const struct bondy_edit edit = {.rules = &rig->f->rules};
    struct bondy_tickets_filter all = {.has_scope = false};
    char text[BONDY_API_KEY_TEXT], id[33];
    json_t *input = json_pack("{s:s}", "authid", "mona"), *problem;
    struct key_step step = {0};
    uint64_t before = bondy_auth_revocations(rig->login->auth);

    /* What only gives leaves it alone. */
    bondy_free(token_issue(rig, &(struct token_wish){ACME, "mona", "till", NULL}, NULL));
    login_rig_do(rig->login, UPDATE_USER, ACME, "mona", "{'meta':{}}");
    assert_int_equal(bondy_auth_revocations(rig->login->auth), before);
    assert_int_equal(bondy_api_key_prepare(&edit, input, &step.prepared, text, &problem), BONDY_OK);
    assert_int_equal(fixture_job(rig->f, apply_key, &step), BONDY_OK);
    memcpy(id, bondy_json_text(step.prepared, "id").data, 33);
    before = bondy_auth_revocations(rig->login->auth);
    step.id = id;
    assert_int_equal(fixture_job(rig->f, apply_key, &step), BONDY_OK);
    assert_true(bondy_auth_revocations(rig->login->auth) > before);
    before = bondy_auth_revocations(rig->login->auth);
    assert_int_equal(fixture_job(rig->f, apply_revoke_tickets, &all), BONDY_OK);
    assert_true(bondy_auth_revocations(rig->login->auth) > before);
    json_decref(step.prepared);
    json_decref(input);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void who_keeps_rules_keeps_them_through_a_reload(void **state)
{
    struct bondy_token_settings *settings = bondy_token_settings_create();
    const struct bondy_token_rules *first = bondy_token_settings_now(settings), *second;
    struct bondy_token_rules rules = *first;

    (void)state;
    assert_int_equal(first->password_s, 900);
    assert_int_equal(first->refresh_limit, 25);
    bondy_token_settings_put(settings, &rules);
    assert_ptr_equal(bondy_token_settings_now(settings), first);
    rules.refresh_grace_s = 5;
    bondy_token_settings_put(settings, &rules);
    second = bondy_token_settings_now(settings);
    assert_int_equal(second->refresh_grace_s, 5);
    assert_int_equal(first->refresh_grace_s, 0);
    bondy_token_settings_destroy(settings);
    bondy_token_settings_destroy(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TOKEN_TEST(a_token_of_rfc_9068_has_bondys_claims_too),
        TOKEN_TEST(a_token_of_bondys_form_ends_after_its_lifetime),
        TOKEN_TEST(groups_are_those_of_the_moment),
        TOKEN_TEST(a_realm_without_key_issues_none),
        TOKEN_TEST(both_forms_let_their_user_in),
        TOKEN_TEST(a_limited_token_gives_no_other_groups),
        TOKEN_TEST(what_ends_the_user_ends_its_tokens),
        TOKEN_TEST(a_denied_token_lets_nobody_in_until_it_ends_by_itself),
        TOKEN_TEST(a_denied_family_ends_all_its_tokens),
        TOKEN_TEST(what_is_over_is_not_written_down),
        TOKEN_TEST(what_ends_credentials_moves_the_number),
        cmocka_unit_test(who_keeps_rules_keeps_them_through_a_reload),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

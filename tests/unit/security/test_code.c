/* SPDX-License-Identifier: Apache-2.0 */

/* Authorization codes: threat-model.md J7. Verifier and challenge are those of RFC 7636, B. */

#include "tests/unit/security/token_rig.h"

#include <string.h>

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define BACK "https://till.example/back?a=1"

/* ---- steps ----------------------------------------------------------------------------------- */

static int apply_make(struct bondy_edit *edit, void *issue)
{
    return bondy_code_apply_make(edit, issue);
}

static void fill(struct token_rig *rig, const char *realm, const char *name,
                 struct bondy_code_issue *issue, struct bondy_user *user)
{
    *issue = (struct bondy_code_issue){.realm = bondy_slice_text(realm),
                                       .client_id = BONDY_SLICE("till"),
                                       .redirect_uri = BONDY_SLICE(BACK),
                                       .challenge = BONDY_SLICE(CHALLENGE)};
    token_user(rig, realm, name, user);
    bondy_code_prepare(issue, user);
}

static char *make(struct token_rig *rig, const char *realm, const char *name)
{
    struct bondy_code_issue issue;
    struct bondy_user user;

    fill(rig, realm, name, &issue, &user);
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_OK);
    bondy_user_fini(&user);
    return bondy_strdup(issue.text);
}

/* What a code is exchanged for, in one job. */
struct exchange {
    struct bondy_code_use use;
    struct bondy_refresh_issue refresh;
    struct bondy_access_token access;
    struct bondy_user user;
};

static int apply_exchange(struct bondy_edit *edit, void *context)
{
    struct exchange *it = context;
    int rc = bondy_code_apply_redeem(edit, &it->use);

    if (rc == BONDY_OK && it->use.verdict == BONDY_CODE_GOOD && it->refresh.rules != NULL)
        rc = bondy_refresh_apply_issue(edit, &it->refresh);
    return rc;
}

static void begin(const char *realm, const char *code, struct exchange *it)
{
    *it = (struct exchange){.use = {.realm = bondy_slice_text(realm),
                                    .client_id = BONDY_SLICE("till"),
                                    .redirect_uri = BONDY_SLICE(BACK),
                                    .verifier = BONDY_SLICE(VERIFIER),
                                    .given = bondy_slice_text(code)}};
}

/* As the token endpoint does it; an access token is made when it looks good, with a refresh token
 * when that is wanted. */
static enum bondy_code_verdict redeem(struct token_rig *rig, struct exchange *it, bool with_refresh)
{
    enum bondy_code_verdict seen;

    bondy_code_look(fixture_view(rig->f), &it->use);
    seen = it->use.verdict;
    if (seen == BONDY_CODE_GOOD) {
        const char *realm = it->use.realm.data;

        token_user(rig, realm, it->use.authid, &it->user);
        it->refresh = (struct bondy_refresh_issue){
            .rules = &rig->rules, .realm = it->use.realm, .client_id = it->use.client_id};
        bondy_refresh_prepare(&it->refresh, &it->user);
        token_access(rig, realm, it->use.authid, with_refresh ? it->refresh.id : NULL, &it->access);
        it->refresh.access_end_ms = it->use.access_end_ms = it->access.end_ms;
        it->use.access_id = bondy_slice_text(it->access.id);
        it->use.refresh_id = with_refresh ? bondy_slice_text(it->refresh.id) : BONDY_SLICE_EMPTY;
        if (!with_refresh)
            it->refresh.rules = NULL;
    }
    assert_int_equal(fixture_job(rig->f, apply_exchange, it), BONDY_OK);
    assert_int_equal(it->use.verdict, seen);
    return seen;
}

static void end(struct exchange *it)
{
    bondy_code_use_fini(&it->use);
    bondy_access_fini(&it->access);
    if (it->user.username != NULL)
        bondy_user_fini(&it->user);
}

static enum bondy_code_verdict redeem_plainly(struct token_rig *rig, const char *code)
{
    struct exchange it;
    enum bondy_code_verdict verdict;

    begin(ACME, code, &it);
    verdict = redeem(rig, &it, true);
    end(&it);
    return verdict;
}

/* ---- PKCE ------------------------------------------------------------------------------------ */

static void verifiers_and_challenges_have_one_form(void **state)
{
    char longest[130];

    (void)state;
    memset(longest, '~', sizeof longest);
    assert_true(bondy_code_is_verifier(bondy_slice_of(longest, 43)));
    assert_true(bondy_code_is_verifier(bondy_slice_of(longest, 128)));
    assert_false(bondy_code_is_verifier(bondy_slice_of(longest, 42)));
    assert_false(bondy_code_is_verifier(bondy_slice_of(longest, 129)));
    for (unsigned c = 0; c < 256; c++) {
        bool is_good = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789-._~",
                                        (int)c) != NULL;

        longest[20] = (char)c;
        assert_int_equal(bondy_code_is_verifier(bondy_slice_of(longest, 50)), is_good);
    }
    assert_true(bondy_code_is_challenge(BONDY_SLICE(CHALLENGE)));
    assert_false(bondy_code_is_challenge(BONDY_SLICE(CHALLENGE "=")));
    assert_false(
        bondy_code_is_challenge(BONDY_SLICE("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")));
    assert_false(
        bondy_code_is_challenge(BONDY_SLICE("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")));
    assert_false(bondy_code_is_challenge(BONDY_SLICE_EMPTY));
}

/* ---- one use --------------------------------------------------------------------------------- */

static void a_code_is_good_once_and_its_second_use_ends_what_it_gave(void **state)
{
    struct token_rig *rig = *state;

    for (unsigned with_refresh = 0; with_refresh < 2; with_refresh++) {
        char *code = make(rig, ACME, "mona");
        struct bondy_refresh_use use = {
            .rules = &rig->rules, .realm = BONDY_SLICE(ACME), .client_id = BONDY_SLICE("till")};
        struct exchange first, second;

        begin(ACME, code, &first);
        assert_int_equal(redeem(rig, &first, with_refresh == 1), BONDY_CODE_GOOD);
        assert_string_equal(first.use.authid, "mona");
        assert_string_equal(token_reason(rig, ACME, first.access.jws), "");
        /* Longer than the code itself would have lived. */
        pass_seconds(120);
        begin(ACME, code, &second);
        assert_int_equal(redeem(rig, &second, with_refresh == 1), BONDY_CODE_REUSED);
        assert_string_equal(token_reason(rig, ACME, first.access.jws), "revoked");
        use.given = bondy_slice_text(first.refresh.text);
        bondy_refresh_look(fixture_view(rig->f), &use);
        assert_int_equal(use.verdict, BONDY_REFRESH_UNKNOWN);
        bondy_refresh_use_fini(&use);
        end(&first);
        end(&second);
        bondy_free(code);
    }
}

static void of_two_uses_at_the_same_time_one_comes_first(void **state)
{
    struct token_rig *rig = *state;
    char *code = make(rig, ACME, "mona");
    struct exchange both[2];

    for (unsigned i = 0; i < 2; i++) {
        begin(ACME, code, &both[i]);
        bondy_code_look(fixture_view(rig->f), &both[i].use);
        assert_int_equal(both[i].use.verdict, BONDY_CODE_GOOD);
        both[i].use.access_id = BONDY_SLICE("some");
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(fixture_job(rig->f, apply_exchange, &both[i]), BONDY_OK);
    assert_int_equal(both[0].use.verdict, BONDY_CODE_GOOD);
    assert_int_equal(both[1].use.verdict, BONDY_CODE_REUSED);
    end(&both[0]);
    end(&both[1]);
    bondy_free(code);
}

static void what_is_wrong_uses_a_code_up(void **state)
{
    static const struct {
        const char *redirect, *verifier;
        enum bondy_code_verdict expected;
    } cases[] = {
        {"https://till.example/back", VERIFIER, BONDY_CODE_WRONG_REDIRECT},
        {BACK "&b=2", VERIFIER, BONDY_CODE_WRONG_REDIRECT},
        {"HTTPS://till.example/back?a=1", VERIFIER, BONDY_CODE_WRONG_REDIRECT},
        {NULL, VERIFIER, BONDY_CODE_WRONG_REDIRECT},
        {BACK, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", BONDY_CODE_WRONG_VERIFIER},
        {BACK, CHALLENGE, BONDY_CODE_WRONG_VERIFIER},
        {BACK, NULL, BONDY_CODE_WRONG_VERIFIER},
        {BACK, VERIFIER "\n", BONDY_CODE_WRONG_VERIFIER},
    };
    struct token_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char *code = make(rig, ACME, "mona");
        struct exchange it;

        begin(ACME, code, &it);
        it.use.redirect_uri = bondy_slice_text(cases[i].redirect);
        it.use.verifier = bondy_slice_text(cases[i].verifier);
        if (redeem(rig, &it, true) != cases[i].expected)
            fail_msg("case %zu", i);
        end(&it);
        assert_int_equal(redeem_plainly(rig, code), BONDY_CODE_REUSED);
        bondy_free(code);
    }
}

static void another_client_or_realm_has_no_such_code(void **state)
{
    struct token_rig *rig = *state;
    char *code = make(rig, ACME, "mona");
    struct exchange it;

    begin(ACME, code, &it);
    it.use.client_id = BONDY_SLICE("kiosk");
    assert_int_equal(redeem(rig, &it, true), BONDY_CODE_UNKNOWN);
    end(&it);
    begin(SHOP, code, &it);
    assert_int_equal(redeem(rig, &it, true), BONDY_CODE_UNKNOWN);
    end(&it);
    assert_int_equal(redeem_plainly(rig, ""), BONDY_CODE_UNKNOWN);
    assert_int_equal(redeem_plainly(rig, CHALLENGE), BONDY_CODE_UNKNOWN);
    /* It was not theirs to use up. */
    assert_int_equal(redeem_plainly(rig, code), BONDY_CODE_GOOD);
    bondy_free(code);
}

static void a_code_lives_for_a_minute(void **state)
{
    struct token_rig *rig = *state;
    char *late = make(rig, ACME, "mona"), *in_time;

    pass_seconds(30);
    in_time = make(rig, ACME, "mona");
    pass_seconds(30);
    assert_int_equal(redeem_plainly(rig, late), BONDY_CODE_UNKNOWN);
    pass_seconds(29);
    assert_int_equal(redeem_plainly(rig, in_time), BONDY_CODE_GOOD);
    bondy_free(late);
    bondy_free(in_time);
}

/* ---- the user -------------------------------------------------------------------------------- */

static void a_code_is_for_the_user_as_it_was(void **state)
{
    struct token_rig *rig = *state;
    char *code = make(rig, ACME, "mona");

    pass_a_millisecond();
    login_rig_do(rig->login, DELETE_USER, ACME, "mona", NULL);
    login_rig_do(rig->login, ADD_USER, ACME, NULL, "{'username':'mona'}");
    assert_int_equal(redeem_plainly(rig, code), BONDY_CODE_ENDED);
    bondy_free(code);
    pass_a_millisecond();
    code = make(rig, ACME, "mona");
    pass_a_millisecond();
    login_rig_do(rig->login, DISABLE_USER, ACME, "mona", NULL);
    assert_int_equal(redeem_plainly(rig, code), BONDY_CODE_ENDED);
    bondy_free(code);
}

static void a_code_remembers_device_and_groups(void **state)
{
    struct token_rig *rig = *state;
    json_t *only = json_pack("[s]", "staff");
    struct bondy_code_issue issue;
    struct bondy_user user;
    struct exchange it;

    fill(rig, ACME, "mona", &issue, &user);
    issue.device_id = BONDY_SLICE("phone");
    issue.only_groups = only;
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_OK);
    begin(ACME, issue.text, &it);
    bondy_code_look(fixture_view(rig->f), &it.use);
    assert_int_equal(it.use.verdict, BONDY_CODE_GOOD);
    assert_string_equal(it.use.device_id, "phone");
    assert_true(json_equal(it.use.only_groups, only));
    end(&it);
    bondy_user_fini(&user);
    json_decref(only);
}

static void a_code_of_an_sso_user_takes_back_what_it_gave(void **state)
{
    struct token_rig *rig = *state;
    char *code = make(rig, SHOP, "sam");
    struct exchange first, second;

    begin(SHOP, code, &first);
    assert_int_equal(redeem(rig, &first, true), BONDY_CODE_GOOD);
    assert_string_equal(token_reason(rig, STORE, first.access.jws), "");
    begin(SHOP, code, &second);
    assert_int_equal(redeem(rig, &second, true), BONDY_CODE_REUSED);
    assert_string_equal(token_reason(rig, STORE, first.access.jws), "revoked");
    end(&first);
    end(&second);
    bondy_free(code);
}

static void what_can_be_no_code_is_refused(void **state)
{
    static char endless[BONDY_CODE_REDIRECT_MAX + 1];
    struct token_rig *rig = *state;
    struct bondy_code_issue issue;
    struct bondy_user user;

    fill(rig, ACME, "mona", &issue, &user);
    issue.redirect_uri = BONDY_SLICE_EMPTY;
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_EINVAL);
    memset(endless, 'x', sizeof endless);
    issue.redirect_uri = bondy_slice_of(endless, sizeof endless);
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_EINVAL);
    issue.redirect_uri = bondy_slice_of(endless, sizeof endless - 1);
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_OK);
    issue.challenge = BONDY_SLICE("plain");
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_EINVAL);
    issue.challenge = BONDY_SLICE(CHALLENGE);
    issue.device_id = BONDY_SLICE("all");
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_EINVAL);
    issue.device_id = BONDY_SLICE_EMPTY;
    pass_a_millisecond();
    login_rig_do(rig->login, SET_PASSWORD, ACME, "mona", "another-47-rope");
    assert_int_equal(fixture_job(rig->f, apply_make, &issue), BONDY_ENOENT);
    bondy_user_fini(&user);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifiers_and_challenges_have_one_form),
        TOKEN_TEST(a_code_is_good_once_and_its_second_use_ends_what_it_gave),
        TOKEN_TEST(of_two_uses_at_the_same_time_one_comes_first),
        TOKEN_TEST(what_is_wrong_uses_a_code_up),
        TOKEN_TEST(another_client_or_realm_has_no_such_code),
        TOKEN_TEST(a_code_lives_for_a_minute),
        TOKEN_TEST(a_code_is_for_the_user_as_it_was),
        TOKEN_TEST(a_code_remembers_device_and_groups),
        TOKEN_TEST(a_code_of_an_sso_user_takes_back_what_it_gave),
        TOKEN_TEST(what_can_be_no_code_is_refused),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

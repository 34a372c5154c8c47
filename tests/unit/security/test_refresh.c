/* SPDX-License-Identifier: Apache-2.0 */

/* Refresh tokens and their families: threat-model.md J6, oauth2-oidc.md 3.5 and 3.8. */

#include "tests/unit/security/token_rig.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct token_wish mona = {ACME, "mona", "till", NULL};

/* ---- steps ----------------------------------------------------------------------------------- */

static const char *const verdicts[] = {
    [BONDY_REFRESH_GOOD] = "good",       [BONDY_REFRESH_MALFORMED] = "malformed",
    [BONDY_REFRESH_UNKNOWN] = "unknown", [BONDY_REFRESH_ENDED] = "ended",
    [BONDY_REFRESH_REUSED] = "reused",
};

static int apply_rotate(struct bondy_edit *edit, void *use)
{
    return bondy_refresh_apply_rotate(edit, use);
}

static void begin_use(struct token_rig *rig, const struct token_wish *wish, const char *text,
                      struct bondy_refresh_use *use)
{
    *use = (struct bondy_refresh_use){.rules = &rig->rules,
                                      .realm = bondy_slice_text(wish->realm),
                                      .client_id = bondy_slice_text(wish->client),
                                      .given = bondy_slice_text(text),
                                      .access_end_ms = now_ms() + 900000};
    bondy_refresh_look(fixture_view(rig->f), use);
}

/* Looks and rotates, as a refresh does; both must say the same. *next is the caller's, NULL when
 * there is none. */
static const char *use_it(struct token_rig *rig, const struct token_wish *wish, const char *text,
                          char **next)
{
    struct bondy_refresh_use use;
    enum bondy_refresh_verdict seen;

    begin_use(rig, wish, text, &use);
    seen = use.verdict;
    assert_int_equal(fixture_job(rig->f, apply_rotate, &use), BONDY_OK);
    assert_int_equal(use.verdict, seen);
    if (seen == BONDY_REFRESH_GOOD) {
        assert_string_equal(use.authid, wish->user);
        assert_int_equal(use.device_id == NULL, wish->device == NULL);
    } else {
        assert_string_equal(use.text, "");
    }
    if (next != NULL)
        *next = seen == BONDY_REFRESH_GOOD ? bondy_strdup(use.text) : NULL;
    bondy_refresh_use_fini(&use);
    return verdicts[seen];
}

static size_t count_of(struct token_rig *rig, const char *realm, const char *name)
{
    struct bondy_user user;
    json_t *list;
    size_t count;

    token_user(rig, realm, name, &user);
    list = bondy_refresh_list(fixture_view(rig->f), fixture_realm(rig->f, realm), &user);
    count = json_array_size(list);
    json_decref(list);
    bondy_user_fini(&user);
    return count;
}

struct revoking {
    const char *realm, *user, *client, *text; /* `text`: a token or an id */
    bool is_id;
};

static int apply_revoke(struct bondy_edit *edit, void *context)
{
    const struct revoking *it = context;
    struct bondy_slice realm = bondy_slice_text(it->realm);

    if (it->is_id)
        return bondy_refresh_apply_revoke_id(edit, realm, bondy_slice_text(it->user),
                                             bondy_slice_text(it->text));
    if (it->text != NULL)
        return bondy_refresh_apply_revoke(edit, realm, bondy_slice_text(it->client),
                                          bondy_slice_text(it->text));
    return bondy_refresh_apply_revoke_user(edit, realm, bondy_slice_text(it->user),
                                           bondy_slice_text(it->client));
}

/* How many, or the code. */
static int end_those(struct token_rig *rig, struct revoking it)
{
    int rc = fixture_job(rig->f, apply_revoke, &it);

    return rc < 0 ? rc : (int)json_integer_value(rig->f->result);
}

/* ---- the text -------------------------------------------------------------------------------- */

static void a_token_says_whose_it_is_by_a_hash_alone(void **state)
{
    struct token_rig *rig = *state;
    char id[BONDY_REFRESH_ID], again[BONDY_REFRESH_TEXT], named[BONDY_REFRESH_ID];
    char *text = token_issue(rig, &mona, id);
    struct bondy_refresh_parts parts;
    uint8_t owner[32];

    assert_true(bondy_refresh_parse(bondy_slice_text(text), &parts));
    crypto_hash_sha256(owner, (const uint8_t *)"mona", 4);
    assert_memory_equal(parts.owner, owner, sizeof owner);
    assert_int_equal(parts.family[6] >> 4, 7); /* UUIDv7 */
    bondy_refresh_format(&parts, again);
    assert_string_equal(again, text);
    bondy_refresh_id(&parts, named);
    assert_string_equal(named, id);
    bondy_free(text);
}

static void other_texts_are_no_tokens(void **state)
{
    struct token_rig *rig = *state;
    char *text = token_issue(rig, &mona, NULL);
    struct bondy_refresh_parts parts;
    size_t len = strlen(text);
    /* Where a text is hurt, and by what. */
    static const struct {
        size_t at;
        char by;
    } hurt[] = {{0, 'x'},  {13, '2'}, {15, '+'}, {15, '/'},  {15, '='},
                {78, '.'}, {79, 'A'}, {80, ' '}, {122, '='}, {122, '_'}};

    assert_int_equal(len, 123);
    for (size_t i = 0; i < BONDY_COUNT(hurt); i++) {
        char *copy = bondy_strdup(text);

        copy[hurt[i].at] = hurt[i].by;
        if (bondy_refresh_parse(bondy_slice_text(copy), &parts))
            fail_msg("%zu: %s", i, copy);
        assert_string_equal(use_it(rig, &mona, copy, NULL), "malformed");
        bondy_free(copy);
    }
    assert_false(bondy_refresh_parse(bondy_slice_of(text, len - 1), &parts));
    assert_false(bondy_refresh_parse(BONDY_SLICE_EMPTY, &parts));
    assert_string_equal(use_it(rig, &mona, text, NULL), "good");
    bondy_free(text);
}

struct hunt {
    const struct bondy_refresh_parts *parts;
    char secret_text[44], family_hex[33];
    unsigned seen;
};

static bool has(struct bondy_slice where, const void *what, size_t len)
{
    return memmem(where.data, where.len, what, len) != NULL;
}

static int look_for_it(void *context, const struct bondy_record *record)
{
    struct hunt *hunt = context;
    const struct bondy_slice both[] = {record->key.subkey, record->body};

    hunt->seen++;
    for (size_t i = 0; i < BONDY_COUNT(both); i++) {
        assert_false(has(both[i], hunt->parts->secret, 32));
        assert_false(has(both[i], hunt->parts->family, 16));
        assert_false(has(both[i], hunt->secret_text, 43));
        assert_false(has(both[i], hunt->family_hex, 32));
    }
    return 0;
}

static void nothing_stored_is_good_for_anything(void **state)
{
    static const struct bondy_store_range all = {.type = BONDY_RECORD_TOKEN, .is_any_scope = true};
    struct token_rig *rig = *state;
    char *text, *next;
    struct bondy_refresh_parts parts;
    struct hunt hunt = {.parts = &parts};

    rig->rules.refresh_grace_s = 5;
    text = token_issue(rig, &mona, NULL);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(bondy_refresh_parse(bondy_slice_text(text), &parts));
        sodium_bin2base64(hunt.secret_text, sizeof hunt.secret_text, parts.secret, 32,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        sodium_bin2hex(hunt.family_hex, sizeof hunt.family_hex, parts.family, 16);
        bondy_store_view_scan(fixture_view(rig->f), &all, look_for_it, &hunt);
        assert_int_equal(hunt.seen, i + 1);
        assert_string_equal(use_it(rig, &mona, text, &next), "good");
        bondy_store_view_scan(fixture_view(rig->f), &all, look_for_it, &hunt);
        hunt.seen = i + 1;
        bondy_free(text);
        text = next;
    }
    bondy_free(text);
}

/* ---- replay ---------------------------------------------------------------------------------- */

static void a_used_up_token_ends_its_family_and_the_access_tokens(void **state)
{
    static const struct token_wish phone = {ACME, "mona", "till", "phone"};
    struct token_rig *rig = *state;
    char id[BONDY_REFRESH_ID], other_id[BONDY_REFRESH_ID];
    char *first = token_issue(rig, &mona, id), *other = token_issue(rig, &phone, other_id);
    struct bondy_access_token access, others;
    char *second, *third;

    token_access(rig, ACME, "mona", id, &access);
    token_access(rig, ACME, "mona", other_id, &others);
    assert_string_equal(use_it(rig, &mona, first, &second), "good");
    assert_string_not_equal(first, second);
    assert_string_equal(use_it(rig, &mona, second, &third), "good");
    assert_string_equal(token_reason(rig, ACME, access.jws), "");
    /* Two back: as bad as one back. */
    assert_string_equal(use_it(rig, &mona, first, NULL), "reused");
    assert_string_equal(use_it(rig, &mona, third, NULL), "unknown");
    assert_string_equal(use_it(rig, &mona, second, NULL), "unknown");
    assert_string_equal(token_reason(rig, ACME, access.jws), "revoked");
    assert_string_equal(token_reason(rig, ACME, others.jws), "");
    assert_string_equal(use_it(rig, &phone, other, NULL), "good");
    bondy_access_fini(&access);
    bondy_access_fini(&others);
    bondy_free(first);
    bondy_free(second);
    bondy_free(third);
    bondy_free(other);
}

/* Both looked before either decided, as on two threads. */
static void of_two_uses_at_the_same_time_one_comes_first(void **state)
{
    struct token_rig *rig = *state;

    for (unsigned order = 0; order < 2; order++) {
        struct bondy_refresh_use uses[2];
        char *text = token_issue(rig, &mona, NULL);

        begin_use(rig, &mona, text, &uses[0]);
        begin_use(rig, &mona, text, &uses[1]);
        assert_int_equal(uses[0].verdict, BONDY_REFRESH_GOOD);
        assert_int_equal(uses[1].verdict, BONDY_REFRESH_GOOD);
        assert_int_equal(fixture_job(rig->f, apply_rotate, &uses[order]), BONDY_OK);
        assert_int_equal(fixture_job(rig->f, apply_rotate, &uses[1 - order]), BONDY_OK);
        assert_int_equal(uses[order].verdict, BONDY_REFRESH_GOOD);
        assert_int_equal(uses[1 - order].verdict, BONDY_REFRESH_REUSED);
        assert_string_equal(uses[1 - order].text, "");
        assert_string_equal(use_it(rig, &mona, uses[order].text, NULL), "unknown");
        bondy_refresh_use_fini(&uses[0]);
        bondy_refresh_use_fini(&uses[1]);
        bondy_free(text);
    }
}

static void another_client_or_realm_has_no_such_token(void **state)
{
    static const struct token_wish sam = {SHOP, "sam", "till", NULL};
    static const struct token_wish wrong[] = {
        {SHOP, "sam", "kiosk", NULL}, {SHOP, "sam", "", NULL},
        {STORE, "sam", "till", NULL}, {IDP, "sam", "till", NULL},
        {ACME, "sam", "till", NULL},  {"org.nowhere", "sam", "till", NULL}};
    struct token_rig *rig = *state;
    char *text = token_issue(rig, &sam, NULL), *next;

    for (size_t i = 0; i < BONDY_COUNT(wrong); i++)
        if (strcmp(use_it(rig, &wrong[i], text, NULL), "unknown") != 0)
            fail_msg("case %zu", i);
    assert_string_equal(use_it(rig, &sam, text, &next), "good");
    /* Used up, it is still nobody else's, and ends nothing for them. */
    for (size_t i = 0; i < BONDY_COUNT(wrong); i++)
        assert_string_equal(use_it(rig, &wrong[i], text, NULL), "unknown");
    assert_string_equal(use_it(rig, &sam, next, NULL), "good");
    bondy_free(text);
    bondy_free(next);
}

static void within_the_grace_an_answer_that_was_lost_comes_again(void **state)
{
    struct token_rig *rig = *state;
    char *first, *second, *again, *third;

    rig->rules.refresh_grace_s = 5;
    first = token_issue(rig, &mona, NULL);
    assert_string_equal(use_it(rig, &mona, first, &second), "good");
    pass_seconds(4);
    assert_string_equal(use_it(rig, &mona, first, &again), "good");
    assert_string_equal(again, second);
    bondy_free(again);
    /* Once the next one was used, the answer had not been lost. */
    assert_string_equal(use_it(rig, &mona, second, &third), "good");
    assert_string_equal(use_it(rig, &mona, second, &again), "good");
    assert_string_equal(again, third);
    assert_string_equal(use_it(rig, &mona, first, NULL), "reused");
    assert_string_equal(use_it(rig, &mona, third, NULL), "unknown");
    bondy_free(first);
    bondy_free(second);
    bondy_free(again);
    bondy_free(third);
    /* And not for longer. */
    first = token_issue(rig, &mona, NULL);
    assert_string_equal(use_it(rig, &mona, first, &second), "good");
    pass_seconds(5);
    assert_string_equal(use_it(rig, &mona, first, NULL), "reused");
    assert_string_equal(use_it(rig, &mona, second, NULL), "unknown");
    bondy_free(first);
    bondy_free(second);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void each_use_gives_the_full_lifetime_again(void **state)
{
    struct token_rig *rig = *state;
    char *text, *next;

    rig->rules.refresh_s = 100;
    text = token_issue(rig, &mona, NULL);
    for (unsigned i = 0; i < 5; i++) {
        pass_seconds(99);
        assert_string_equal(use_it(rig, &mona, text, &next), "good");
        bondy_free(text);
        text = next;
    }
    pass_seconds(100);
    assert_string_equal(use_it(rig, &mona, text, NULL), "unknown");
    assert_int_equal(count_of(rig, ACME, "mona"), 0);
    bondy_free(text);
}

static void a_family_ends_when_its_time_is_over(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_refresh_use use;
    uint64_t start = now_ms();
    char *text;

    rig->rules.refresh_s = 100;
    rig->rules.refresh_max_s = 150;
    text = token_issue(rig, &mona, NULL);
    pass_seconds(90);
    begin_use(rig, &mona, text, &use);
    assert_int_equal(fixture_job(rig->f, apply_rotate, &use), BONDY_OK);
    assert_int_equal(use.verdict, BONDY_REFRESH_GOOD);
    assert_int_equal(use.end_ms, start + 150000);
    bondy_free(text);
    text = bondy_strdup(use.text);
    bondy_refresh_use_fini(&use);
    pass_seconds(59);
    /* A stricter configuration counts for what is there. */
    rig->rules.refresh_max_s = 149;
    begin_use(rig, &mona, text, &use);
    assert_int_equal(use.verdict, BONDY_REFRESH_UNKNOWN);
    bondy_refresh_use_fini(&use);
    rig->rules.refresh_max_s = 150;
    pass_seconds(1);
    assert_string_equal(use_it(rig, &mona, text, NULL), "unknown");
    bondy_free(text);
}

/* ---- scopes and the limit -------------------------------------------------------------------- */

static void a_second_login_of_the_same_device_ends_the_first_token(void **state)
{
    static const struct token_wish phone = {ACME, "mona", "till", "phone"};
    static const struct token_wish kiosk = {ACME, "mona", "kiosk", NULL};
    struct token_rig *rig = *state;
    char id[BONDY_REFRESH_ID];
    char *first = token_issue(rig, &mona, id), *other = token_issue(rig, &phone, NULL);
    char *third = token_issue(rig, &kiosk, NULL), *second;
    struct bondy_access_token access;

    token_access(rig, ACME, "mona", id, &access);
    second = token_issue(rig, &mona, NULL);
    assert_int_equal(count_of(rig, ACME, "mona"), 3);
    assert_string_equal(use_it(rig, &mona, first, NULL), "unknown");
    assert_string_equal(token_reason(rig, ACME, access.jws), "");
    assert_string_equal(use_it(rig, &mona, second, NULL), "good");
    assert_string_equal(use_it(rig, &phone, other, NULL), "good");
    assert_string_equal(use_it(rig, &kiosk, third, NULL), "good");
    bondy_access_fini(&access);
    bondy_free(first);
    bondy_free(second);
    bondy_free(other);
    bondy_free(third);
}

static void the_26th_device_takes_the_place_of_the_token_that_ends_first(void **state)
{
    struct token_rig *rig = *state;
    char *texts[26], *next, device[8];
    struct token_wish wish = {ACME, "mona", "till", device};

    for (unsigned i = 0; i < 25; i++) {
        snprintf(device, sizeof device, "d%u", i);
        texts[i] = token_issue(rig, &wish, NULL);
        pass_seconds(1);
    }
    /* The oldest one is used, so that the second one ends first. */
    snprintf(device, sizeof device, "d0");
    assert_string_equal(use_it(rig, &wish, texts[0], &next), "good");
    bondy_free(texts[0]);
    texts[0] = next;
    snprintf(device, sizeof device, "d25");
    texts[25] = token_issue(rig, &wish, NULL);
    assert_int_equal(count_of(rig, ACME, "mona"), 25);
    for (unsigned i = 0; i < 26; i++) {
        snprintf(device, sizeof device, "d%u", i);
        assert_string_equal(use_it(rig, &wish, texts[i], NULL), i == 1 ? "unknown" : "good");
        bondy_free(texts[i]);
    }
}

/* ---- what happens to the user ---------------------------------------------------------------- */

static void a_change_of_credentials_ends_what_was_before(void **state)
{
    static const struct {
        enum fixture_what what;
        const char *input, *expected;
    } cases[] = {
        {UPDATE_USER, "{\"meta\":{\"till\":9}}", "good"},
        {REMOVE_USER_GROUPS, "[\"cashiers\"]", "good"},
        {SET_PASSWORD, "another-47-rope", "ended"},
        {ADD_KEY, KEY2, "ended"},
        {DISABLE_USER, NULL, "ended"},
        {ENABLE_USER, NULL, "ended"},
    };
    struct token_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char *text;

        fixture_do(rig->f, ENABLE_USER, ACME, "mona", NULL);
        pass_a_millisecond();
        if (cases[i].what == ENABLE_USER)
            fixture_do(rig->f, DISABLE_USER, ACME, "mona", NULL);
        fixture_do(rig->f, ENABLE_USER, ACME, "mona", NULL);
        pass_a_millisecond();
        text = token_issue(rig, &mona, NULL);
        pass_a_millisecond();
        if (cases[i].what == ENABLE_USER)
            fixture_do(rig->f, DISABLE_USER, ACME, "mona", NULL);
        assert_string_equal(fixture_do(rig->f, cases[i].what, ACME, "mona", cases[i].input), "");
        if (strcmp(use_it(rig, &mona, text, NULL), cases[i].expected) != 0)
            fail_msg("case %zu", i);
        bondy_free(text);
    }
}

static void a_user_of_the_same_name_is_another_one(void **state)
{
    struct token_rig *rig = *state;
    char *text = token_issue(rig, &mona, NULL);

    pass_a_millisecond();
    login_rig_do(rig->login, DELETE_USER, ACME, "mona", NULL);
    login_rig_do(rig->login, ADD_USER, ACME, NULL, "{'username':'mona'}");
    assert_int_equal(count_of(rig, ACME, "mona"), 0);
    assert_string_equal(use_it(rig, &mona, text, NULL), "ended");
    bondy_free(text);
    pass_a_millisecond();
    text = token_issue(rig, &mona, NULL);
    login_rig_do(rig->login, DELETE_USER, ACME, "mona", NULL);
    assert_string_equal(use_it(rig, &mona, text, NULL), "ended");
    bondy_free(text);
    /* What the first one left counts for nothing. */
    login_rig_do(rig->login, ADD_USER, ACME, NULL, "{'username':'mona'}");
    pass_a_millisecond();
    bondy_free(token_issue(rig, &mona, NULL));
    login_rig_do(rig->login, DELETE_USER, ACME, "mona", NULL);
    login_rig_do(rig->login, ADD_USER, ACME, NULL, "{'username':'mona'}");
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", NULL, NULL, false}), 0);
}

/* The record that authenticates is the same one. */
static void a_linked_user_that_was_made_anew_is_another_one_too(void **state)
{
    static const struct token_wish sam = {SHOP, "sam", "till", NULL};
    struct token_rig *rig = *state;
    char *text = token_issue(rig, &sam, NULL);

    login_rig_do(rig->login, DELETE_USER, SHOP, "sam", NULL);
    login_rig_do(rig->login, ADD_USER, SHOP, NULL, "{'username':'sam','sso_realm_uri':'" IDP "'}");
    assert_int_equal(count_of(rig, SHOP, "sam"), 0);
    assert_string_equal(use_it(rig, &sam, text, NULL), "ended");
    bondy_free(text);
}

static int apply_issue_refused(struct bondy_edit *edit, void *issue)
{
    return bondy_refresh_apply_issue(edit, issue);
}

/* Between the password and the store, the password changed. */
static void who_is_changed_during_a_login_gets_no_token(void **state)
{
    struct token_rig *rig = *state;
    struct bondy_refresh_issue issue = {
        .rules = &rig->rules, .realm = BONDY_SLICE(ACME), .client_id = BONDY_SLICE("till")};
    struct bondy_user user;

    token_user(rig, ACME, "mona", &user);
    bondy_refresh_prepare(&issue, &user);
    pass_a_millisecond();
    login_rig_do(rig->login, SET_PASSWORD, ACME, "mona", "another-47-rope");
    assert_int_equal(fixture_job(rig->f, apply_issue_refused, &issue), BONDY_ENOENT);
    bondy_refresh_prepare(&issue, &user);
    assert_int_equal(fixture_job(rig->f, apply_issue_refused, &issue), BONDY_OK);
    issue.device_id = BONDY_SLICE("all");
    assert_int_equal(fixture_job(rig->f, apply_issue_refused, &issue), BONDY_EINVAL);
    issue.device_id = BONDY_SLICE_EMPTY;
    login_rig_do(rig->login, DISABLE_USER, ACME, "mona", NULL);
    pass_a_millisecond();
    bondy_refresh_prepare(&issue, &user);
    assert_int_equal(fixture_job(rig->f, apply_issue_refused, &issue), BONDY_ENOENT);
    bondy_user_fini(&user);
}

/* ---- revoking and listing -------------------------------------------------------------------- */

static void a_token_is_revoked_by_its_own_client_alone(void **state)
{
    struct token_rig *rig = *state;
    char id[BONDY_REFRESH_ID];
    char *text = token_issue(rig, &mona, id), *next;
    struct bondy_access_token access;

    token_access(rig, ACME, "mona", id, &access);
    assert_int_equal(end_those(rig, (struct revoking){ACME, NULL, "kiosk", text, false}), 0);
    assert_int_equal(end_those(rig, (struct revoking){SHOP, NULL, "till", text, false}), 0);
    assert_int_equal(end_those(rig, (struct revoking){ACME, NULL, "till", "no token", false}), 0);
    assert_string_equal(use_it(rig, &mona, text, &next), "good");
    assert_string_equal(token_reason(rig, ACME, access.jws), "");
    assert_int_equal(end_those(rig, (struct revoking){ACME, NULL, "till", next, false}), 1);
    assert_int_equal(end_those(rig, (struct revoking){ACME, NULL, "till", next, false}), 0);
    assert_string_equal(use_it(rig, &mona, next, NULL), "unknown");
    assert_string_equal(token_reason(rig, ACME, access.jws), "revoked");
    bondy_access_fini(&access);
    bondy_free(text);
    bondy_free(next);
}

static void a_users_tokens_are_revoked_by_client_by_id_and_all(void **state)
{
    static const struct token_wish wishes[] = {{ACME, "mona", "till", "a"},
                                               {ACME, "mona", "till", "b"},
                                               {ACME, "mona", "kiosk", "a"},
                                               {ACME, "argo", "till", "a"}};
    struct token_rig *rig = *state;
    char ids[4][BONDY_REFRESH_ID];

    for (unsigned i = 0; i < 4; i++)
        bondy_free(token_issue(rig, &wishes[i], ids[i]));
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", "bench", NULL, false}), 0);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", "kiosk", NULL, false}), 1);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", NULL, ids[3], true}),
                     BONDY_ENOENT);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", NULL, "", true}), BONDY_ENOENT);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", NULL, ids[0], true}), 1);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", NULL, ids[0], true}),
                     BONDY_ENOENT);
    assert_int_equal(count_of(rig, ACME, "mona"), 1);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "mona", NULL, NULL, false}), 1);
    assert_int_equal(count_of(rig, ACME, "mona"), 0);
    assert_int_equal(count_of(rig, ACME, "argo"), 1);
    assert_int_equal(end_those(rig, (struct revoking){ACME, "nobody", NULL, NULL, false}),
                     BONDY_ENOENT);
}

/* The realm of the tokens, another one with the same user, and the one that authenticates it. */
static void a_realm_sees_its_own_tokens_and_the_sso_realm_all_of_them(void **state)
{
    static const struct token_wish shop = {SHOP, "sam", "till", NULL};
    static const struct token_wish store = {STORE, "sam", "till", NULL};
    struct token_rig *rig = *state;
    char *first = token_issue(rig, &shop, NULL), *second = token_issue(rig, &store, NULL);

    assert_int_equal(count_of(rig, SHOP, "sam"), 1);
    assert_int_equal(count_of(rig, STORE, "sam"), 1);
    assert_int_equal(count_of(rig, IDP, "sam"), 2);
    assert_int_equal(end_those(rig, (struct revoking){STORE, "sam", NULL, NULL, false}), 1);
    assert_int_equal(count_of(rig, IDP, "sam"), 1);
    assert_string_equal(use_it(rig, &store, second, NULL), "unknown");
    pass_a_millisecond();
    login_rig_do(rig->login, SET_PASSWORD, IDP, "sam", "another-47-rope");
    assert_int_equal(count_of(rig, IDP, "sam"), 0);
    assert_string_equal(use_it(rig, &shop, first, NULL), "ended");
    bondy_free(first);
    bondy_free(second);
}

static void a_list_tells_all_but_the_token(void **state)
{
    static const struct token_wish phone = {ACME, "mona", "till", "phone"};
    struct token_rig *rig = *state;
    char id[BONDY_REFRESH_ID], expected[500];
    char *text = token_issue(rig, &phone, id), *next, *got;
    struct bondy_user user;
    json_t *list;

    token_user(rig, ACME, "mona", &user);
    list = bondy_refresh_list(fixture_view(rig->f), fixture_realm(rig->f, ACME), &user);
    assert_int_equal(json_array_size(list), 1);
    assert_true(json_is_null(json_object_get(json_array_get(list, 0), "last_used_at")));
    json_decref(list);
    pass_seconds(3);
    assert_string_equal(use_it(rig, &phone, text, &next), "good");
    list = bondy_refresh_list(fixture_view(rig->f), fixture_realm(rig->f, ACME), &user);
    assert_true(json_equal(json_object_get(json_array_get(list, 0), "last_used_at"),
                           json_object_get(json_array_get(list, 0), "issued_at")));
    for (unsigned i = 0; i < 3; i++) {
        static const char *const times[] = {"issued_at", "expires_at", "last_used_at"};

        assert_int_equal(json_string_length(json_object_get(json_array_get(list, 0), times[i])),
                         24);
        json_object_del(json_array_get(list, 0), times[i]);
    }
    snprintf(expected, sizeof expected,
             "[{\"client_id\":\"till\",\"device_id\":\"phone\",\"id\":\"%s\",\"realm\":\"" ACME
             "\"}]",
             id);
    got = fixture_text(list);
    assert_string_equal(got, expected);
    bondy_free(got);
    json_decref(list);
    bondy_user_fini(&user);
    bondy_free(text);
    bondy_free(next);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TOKEN_TEST(a_token_says_whose_it_is_by_a_hash_alone),
        TOKEN_TEST(other_texts_are_no_tokens),
        TOKEN_TEST(nothing_stored_is_good_for_anything),
        TOKEN_TEST(a_used_up_token_ends_its_family_and_the_access_tokens),
        TOKEN_TEST(of_two_uses_at_the_same_time_one_comes_first),
        TOKEN_TEST(another_client_or_realm_has_no_such_token),
        TOKEN_TEST(within_the_grace_an_answer_that_was_lost_comes_again),
        TOKEN_TEST(each_use_gives_the_full_lifetime_again),
        TOKEN_TEST(a_family_ends_when_its_time_is_over),
        TOKEN_TEST(a_second_login_of_the_same_device_ends_the_first_token),
        TOKEN_TEST(the_26th_device_takes_the_place_of_the_token_that_ends_first),
        TOKEN_TEST(a_change_of_credentials_ends_what_was_before),
        TOKEN_TEST(a_user_of_the_same_name_is_another_one),
        TOKEN_TEST(a_linked_user_that_was_made_anew_is_another_one_too),
        TOKEN_TEST(who_is_changed_during_a_login_gets_no_token),
        TOKEN_TEST(a_token_is_revoked_by_its_own_client_alone),
        TOKEN_TEST(a_users_tokens_are_revoked_by_client_by_id_and_all),
        TOKEN_TEST(a_realm_sees_its_own_tokens_and_the_sso_realm_all_of_them),
        TOKEN_TEST(a_list_tells_all_but_the_token),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

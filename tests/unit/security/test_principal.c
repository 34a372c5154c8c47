/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/login_rig.h"

#include <stdio.h>
#include <string.h>

#include "src/security/policy/policy.h"

static struct bondy_principal *get(struct login_rig *rig, const char *realm, const char *name,
                                   uint64_t *seq)
{
    return bondy_principals_get(rig->f->principals, bondy_slice_text(realm), bondy_slice_text(name),
                                seq);
}

static void drop(struct bondy_principal *principal)
{
    bondy_principal_unref(principal);
    bondy_publish_quiesce();
}

/* "a,b" */
static const char *groups_of(const struct bondy_principal *principal)
{
    static char text[200];
    size_t count = 0, len = 0;
    const struct bondy_slice *groups = bondy_principal_groups(principal, &count);

    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s" BONDY_SLICE_FMT,
                                i == 0 ? "" : ",", BONDY_SLICE_ARG(groups[i]));
    return text;
}

static void forget(struct login_rig *rig)
{
    rig->told_count = 0;
    rig->told_of[0] = '\0';
    rig->spared = 0;
}

static void a_user_has_one_principal_as_long_as_somebody_holds_it(void **state)
{
    struct login_rig *rig = *state;
    uint64_t seq;
    struct bondy_principal *one = get(rig, ACME, "mona", &seq), *two = get(rig, ACME, "mona", &seq);
    struct bondy_principal *other = get(rig, ACME, "argo", &seq);

    assert_ptr_equal(one, two);
    assert_ptr_not_equal(one, other);
    drop(one);
    drop(other);
    assert_ptr_equal(get(rig, ACME, "mona", &seq), two);
    drop(two);
    drop(two);
    assert_null(bondy_principal_ref(NULL));
    bondy_principal_unref(NULL);
}

static void what_was_read_before_a_change_is_read_again(void **state)
{
    struct login_rig *rig = *state;
    json_t *old = json_pack("[s,s]", "cashiers", "staff"), *new = json_pack("[s]", "cashiers");
    uint64_t seq;
    struct bondy_principal *mona = get(rig, ACME, "mona", &seq);

    login_rig_do(rig, REMOVE_USER_GROUPS, ACME, "mona", "['staff']");
    assert_false(bondy_principal_fill(mona, &seq, old));
    assert_string_equal(groups_of(mona), "cashiers");
    assert_true(bondy_principal_fill(mona, &seq, new));
    assert_string_equal(groups_of(mona), "cashiers");
    /* A change of somebody else is none. */
    login_rig_do(rig, SET_PASSWORD, ACME, "argo", "another-47-rope");
    assert_true(bondy_principal_fill(mona, &seq, new));
    drop(mona);
    json_decref(old);
    json_decref(new);
}

static void sessions_of_a_user_are_told_what_happened(void **state)
{
    static const struct {
        enum fixture_what what;
        const char *input;
        unsigned told_count;
        enum bondy_principal_change told;
        bool is_ended;
    } cases[] = {
        {SET_PASSWORD, "another-47-rope", 1, BONDY_PRINCIPAL_CREDENTIALS_CHANGED, true},
        {ADD_KEY, KEY2, 1, BONDY_PRINCIPAL_CREDENTIALS_CHANGED, true},
        {REMOVE_KEY, KEY2, 1, BONDY_PRINCIPAL_CREDENTIALS_CHANGED, true},
        {REMOVE_USER_GROUPS, "['staff']", 1, BONDY_PRINCIPAL_GROUPS_CHANGED, false},
        {REMOVE_USER_GROUPS, "['staff']", 0, 0, false},
        {UPDATE_USER, "{'meta':{'till':5}}", 0, 0, false},
        {ADD_ALIAS, "mo-2", 0, 0, false},
        {ENABLE_USER, NULL, 0, 0, false},
        {DISABLE_USER, NULL, 1, BONDY_PRINCIPAL_DISABLED, true},
        {ENABLE_USER, NULL, 0, 0, false},
        {DELETE_USER, NULL, 1, BONDY_PRINCIPAL_DELETED, true},
    };
    struct login_rig *rig = *state;
    struct attempt session;

    hello(rig, &session, ACME, NULL, "{'authid':'mona','authmethods':['trust']}");
    assert_int_equal(session.answer->step, BONDY_LOGIN_WELCOME);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        uint64_t seq = bondy_principal_seq(session.answer->identity.principal);

        forget(rig);
        login_rig_do(rig, cases[i].what, ACME, "mona", cases[i].input);
        if (rig->told_count != cases[i].told_count ||
            (rig->told_count > 0 && rig->told != cases[i].told))
            fail_msg("case %zu: told %u times, %d", i, rig->told_count, (int)rig->told);
        if (rig->told_count > 0)
            assert_string_equal(rig->told_of, ACME " mona");
        assert_int_equal(bondy_principal_was_ended(session.answer->identity.principal, seq),
                         cases[i].is_ended);
    }
    finish(&session);
    forget(rig);
    login_rig_do(rig, DELETE_USER, ACME, "argo", NULL);
    assert_int_equal(rig->told_count, 0);
}

/* 2.9: the next message is decided with the new groups. */
static void other_groups_move_the_realms_epoch(void **state)
{
    struct login_rig *rig = *state;
    const struct bondy_policy *policy = fixture_realm(rig->f, ACME)->policy;
    struct attempt session;
    uint64_t before;

    hello(rig, &session, ACME, NULL, "{'authid':'mona','authmethods':['trust']}");
    assert_string_equal(groups_of(session.answer->identity.principal), "cashiers,staff");
    before = bondy_policy_epoch(policy);
    login_rig_do(rig, REMOVE_USER_GROUPS, ACME, "mona", "['staff']");
    assert_true(bondy_policy_epoch(policy) > before);
    assert_string_equal(groups_of(session.answer->identity.principal), "cashiers");
    before = bondy_policy_epoch(policy);
    login_rig_do(rig, ADD_USER_GROUPS, ACME, "mona", "['staff']");
    assert_true(bondy_policy_epoch(policy) > before);
    assert_string_equal(groups_of(session.answer->identity.principal), "cashiers,staff");
    before = bondy_policy_epoch(policy);
    login_rig_do(rig, UPDATE_USER, ACME, "mona", "{'meta':{'till':6}}");
    assert_int_equal(bondy_policy_epoch(policy), before);
    finish(&session);
}

/* Acceptance row 6. */
static void a_change_in_the_sso_realm_ends_the_sessions_of_linked_users(void **state)
{
    struct login_rig *rig = *state;
    struct attempt session, other;

    login_rig_do(rig, CREATE_REALM, NULL, NULL,
                 "{'uri':'org.idp','is_sso_realm':true,'authmethods':['password'],"
                 "'users':[{'username':'sam','password':'" PASSWORD "'},"
                 "{'username':'mona','password':'" PASSWORD "'}]}");
    login_rig_do(rig, CREATE_REALM, NULL, NULL,
                 "{'uri':'org.shop','sso_realm_uri':'org.idp','authmethods':['password','trust'],"
                 "'sources':[{'usernames':'all','authmethod':'trust','cidr':'127.0.0.0/8'}],"
                 "'users':[{'username':'sam','sso_realm_uri':'org.idp'},"
                 "{'username':'mona','password':'" PASSWORD "'}]}");
    hello(rig, &session, "org.shop", NULL, "{'authid':'sam','authmethods':['trust']}");
    hello(rig, &other, "org.shop", NULL, "{'authid':'mona','authmethods':['trust']}");
    assert_int_equal(session.answer->step, BONDY_LOGIN_WELCOME);
    assert_int_equal(other.answer->step, BONDY_LOGIN_WELCOME);
    forget(rig);
    login_rig_do(rig, SET_PASSWORD, "org.idp", "sam", "another-47-rope");
    assert_int_equal(rig->told_count, 1);
    assert_int_equal(rig->told, BONDY_PRINCIPAL_CREDENTIALS_CHANGED);
    assert_string_equal(rig->told_of, "org.shop sam");
    forget(rig);
    login_rig_do(rig, DISABLE_USER, "org.idp", "sam", NULL);
    assert_int_equal(rig->told, BONDY_PRINCIPAL_DISABLED);
    assert_string_equal(rig->told_of, "org.shop sam");
    /* A user of the same name who is not linked is somebody else. */
    forget(rig);
    login_rig_do(rig, SET_PASSWORD, "org.idp", "mona", "another-47-rope");
    login_rig_do(rig, DELETE_USER, "org.idp", "mona", NULL);
    login_rig_do(rig, ADD_USER, "org.idp", NULL, "{'username':'mona'}");
    assert_int_equal(rig->told_count, 0);
    rig->f->force = true;
    login_rig_do(rig, DELETE_USER, "org.idp", "sam", NULL);
    assert_int_equal(rig->told, BONDY_PRINCIPAL_DELETED);
    assert_string_equal(rig->told_of, "org.shop sam");
    finish(&session);
    finish(&other);
}

struct own {
    struct login_rig *rig;
    bool spares_all;
    json_t *verifiers;
};

static int change_own(struct bondy_edit *edit, void *context)
{
    struct own *own = context;
    struct bondy_slice realm = BONDY_SLICE(ACME), name = BONDY_SLICE("mona");

    if (own->spares_all)
        bondy_principals_spare_all(own->rig->f->principals, realm, name);
    else
        bondy_principals_spare(own->rig->f->principals, realm, name, 4711);
    return bondy_user_apply_set_password(edit, realm, name, own->verifiers, NULL);
}

static void who_changes_its_own_password_keeps_that_session(void **state)
{
    struct login_rig *rig = *state;
    const struct bondy_password_opts opts = fixture_realm(rig->f, ACME)->password_opts;
    struct own own = {.rig = rig};
    struct attempt session;
    uint64_t seq;

    hello(rig, &session, ACME, NULL, "{'authid':'mona','authmethods':['trust']}");
    own.verifiers = bondy_password_make_wait(BONDY_SLICE("another-47-rope"), &opts, NULL);
    forget(rig);
    assert_int_equal(fixture_job(rig->f, change_own, &own), BONDY_OK);
    assert_int_equal(rig->told, BONDY_PRINCIPAL_CREDENTIALS_CHANGED);
    assert_int_equal(rig->spared, 4711);
    json_decref(own.verifiers);
    /* It counts for that change alone. */
    forget(rig);
    login_rig_do(rig, SET_PASSWORD, ACME, "mona", "third-48-rope");
    assert_int_equal(rig->told_count, 1);
    assert_int_equal(rig->spared, 0);
    /* The same password in another form ends nothing, and no login that is under way. */
    own.spares_all = true;
    own.verifiers = bondy_password_make_wait(BONDY_SLICE("third-48-rope"), &opts, NULL);
    seq = bondy_principal_seq(session.answer->identity.principal);
    forget(rig);
    assert_int_equal(fixture_job(rig->f, change_own, &own), BONDY_OK);
    assert_int_equal(rig->told_count, 0);
    assert_false(bondy_principal_was_ended(session.answer->identity.principal, seq));
    json_decref(own.verifiers);
    finish(&session);
}

static void sessions_of_a_deleted_realm_are_not_told_one_by_one(void **state)
{
    struct login_rig *rig = *state;
    struct attempt session;

    hello(rig, &session, ACME, NULL, "{'authid':'mona','authmethods':['trust']}");
    forget(rig);
    rig->f->force = true;
    login_rig_do(rig, DELETE_REALM, ACME, NULL, NULL);
    assert_int_equal(rig->told_count, 0);
    finish(&session);
}

/* A user that is made again under the same name is another one. */
static int delete_and_add(struct bondy_edit *edit, void *context)
{
    json_t *input = json_pack("{s:s,s:[s,s]}", "username", "plain", "groups", "staff", "cashiers");
    int rc;

    (void)context;
    rc = bondy_user_apply_delete(edit, BONDY_SLICE(ACME), BONDY_SLICE("plain"), false);
    if (rc == BONDY_OK)
        rc = bondy_user_apply_add(edit, BONDY_SLICE(ACME), input);
    json_decref(input);
    return rc;
}

static void a_user_made_again_in_the_same_commit_is_somebody_else(void **state)
{
    struct login_rig *rig = *state;
    struct attempt session;

    login_rig_do(rig, ADD_USER_GROUPS, ACME, "plain", "['cashiers','staff']");
    hello(rig, &session, ACME, NULL, "{'authid':'plain','authmethods':['trust']}");
    assert_int_equal(session.answer->step, BONDY_LOGIN_WELCOME);
    forget(rig);
    assert_int_equal(fixture_job(rig->f, delete_and_add, NULL), BONDY_OK);
    assert_int_equal(rig->told_count, 1);
    assert_int_equal(rig->told, BONDY_PRINCIPAL_DELETED);
    /* And whoever logs in now is that one. */
    finish(&session);
    hello(rig, &session, ACME, NULL, "{'authid':'plain','authmethods':['wampcra','trust']}");
    forget(rig);
    login_rig_do(rig, UPDATE_USER, ACME, "plain", "{'meta':{'a':1}}");
    assert_int_equal(rig->told_count, 0);
    finish(&session);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LOGIN_TEST(a_user_has_one_principal_as_long_as_somebody_holds_it),
        LOGIN_TEST(what_was_read_before_a_change_is_read_again),
        LOGIN_TEST(sessions_of_a_user_are_told_what_happened),
        LOGIN_TEST(other_groups_move_the_realms_epoch),
        LOGIN_TEST(a_change_in_the_sso_realm_ends_the_sessions_of_linked_users),
        LOGIN_TEST(who_changes_its_own_password_keeps_that_session),
        LOGIN_TEST(sessions_of_a_deleted_realm_are_not_told_one_by_one),
        LOGIN_TEST(a_user_made_again_in_the_same_commit_is_somebody_else),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

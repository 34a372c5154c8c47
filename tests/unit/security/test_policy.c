/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/policy/policy.h"
#include "src/security/policy/rbac.h"
#include "src/sys/publish.h"

static struct bondy_policy *policy;

static int create_policy(void **state)
{
    (void)state;
    policy = bondy_policy_create(BONDY_SLICE("org.acme.shop7"));
    return 0;
}

static int drop_policy(void **state)
{
    (void)state;
    bondy_policy_unref(policy);
    return 0;
}

/* `role` as "group/staff" or "user/mona"; permissions separated by one space, "" removes. */
static void grant(struct bondy_policy *of, const char *role, enum bondy_grant_match match,
                  const char *uri, const char *permissions)
{
    bool is_user = role[0] == 'u';
    struct bondy_grant_key key = {is_user ? BONDY_ROLE_USER : BONDY_ROLE_GROUP,
                                  bondy_slice_text(role + (is_user ? 5 : 6)), match,
                                  bondy_slice_text(uri)};
    json_t *array = json_array();

    while (*permissions != '\0') {
        size_t len = strcspn(permissions, " ");

        json_array_append_new(array, json_stringn(permissions, len));
        permissions += len + (permissions[len] == ' ');
    }
    bondy_policy_put_grant(of, &key, array);
    json_decref(array);
}

static void assert_json(json_t *value, const char *text)
{
    struct bondy_buf found = BONDY_BUF_EMPTY;

    bondy_json_canonical(value, &found);
    assert_slice_is(bondy_buf_slice(&found), text);
    bondy_buf_fini(&found);
    json_decref(value);
}

static bool may_call(const char *user, const char *uri)
{
    struct bondy_rbac_subject subject = {.username = bondy_slice_text(user)};
    struct bondy_rbac *rbac = bondy_rbac_create(policy, &subject);
    bool answer = bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, bondy_slice_text(uri));

    bondy_rbac_destroy(rbac);
    return answer;
}

static void changes_are_seen_with_the_publish_and_all_at_once(void **state)
{
    uint64_t before = bondy_policy_epoch(policy);

    (void)state;
    bondy_policy_put_group(policy, BONDY_SLICE("staff"));
    grant(policy, "user/mona", BONDY_GRANT_EXACT, "org.acme.ping", "wamp.call");
    assert_false(bondy_policy_has_group(policy, BONDY_SLICE("staff"), false));
    assert_false(may_call("mona", "org.acme.ping"));
    assert_int_equal(bondy_policy_epoch(policy), before);
    assert_true(bondy_policy_publish(policy));
    assert_true(bondy_policy_epoch(policy) > before);
    assert_true(bondy_policy_has_group(policy, BONDY_SLICE("staff"), false));
    assert_true(may_call("mona", "org.acme.ping"));
    before = bondy_policy_epoch(policy);
    assert_false(bondy_policy_publish(policy));
    assert_int_equal(bondy_policy_epoch(policy), before);
}

static void a_grant_is_replaced_and_removed_by_its_resource(void **state)
{
    struct bondy_grant_key key = {BONDY_ROLE_USER, BONDY_SLICE("mona"), BONDY_GRANT_PREFIX,
                                  BONDY_SLICE("org.acme")};

    (void)state;
    grant(policy, "user/mona", BONDY_GRANT_PREFIX, "org.acme", "wamp.call wamp.publish");
    grant(policy, "user/mona", BONDY_GRANT_EXACT, "org.acme", "wamp.register");
    grant(policy, "user/mona", BONDY_GRANT_PREFIX, "org.acme", "acme.paint wamp.call acme.paint");
    bondy_policy_publish(policy);
    assert_json(bondy_policy_grants(policy),
                "[{\"permissions\":[\"wamp.register\"],\"resource\":{\"match\":\"exact\",\"uri\":"
                "\"org.acme\"},\"roles\":[\"user/mona\"]},"
                "{\"permissions\":[\"acme.paint\",\"wamp.call\"],\"resource\":{\"match\":"
                "\"prefix\",\"uri\":\"org.acme\"},\"roles\":[\"user/mona\"]}]");
    bondy_policy_remove_grant(policy, &key);
    bondy_policy_publish(policy);
    assert_json(bondy_policy_grants(policy),
                "[{\"permissions\":[\"wamp.register\"],\"resource\":{\"match\":\"exact\",\"uri\":"
                "\"org.acme\"},\"roles\":[\"user/mona\"]}]");
    grant(policy, "user/mona", BONDY_GRANT_EXACT, "org.acme", "");
    bondy_policy_publish(policy);
    assert_json(bondy_policy_grants(policy), "[]");
}

static void grants_are_listed_as_stored_by_role_and_resource(void **state)
{
    (void)state;
    grant(policy, "user/mona", BONDY_GRANT_ANY, "ignored", "wamp.call");
    grant(policy, "group/all", BONDY_GRANT_PREFIX, "", "wamp.call");
    grant(policy, "group/anonymous", BONDY_GRANT_WILDCARD, "a..b", "wamp.call");
    bondy_policy_publish(policy);
    assert_json(
        bondy_policy_grants(policy),
        "[{\"permissions\":[\"wamp.call\"],\"resource\":{\"match\":\"prefix\",\"uri\":\"\"},"
        "\"roles\":[\"all\"]},"
        "{\"permissions\":[\"wamp.call\"],\"resource\":{\"match\":\"wildcard\",\"uri\":\"a..b\"},"
        "\"roles\":[\"anonymous\"]},"
        "{\"permissions\":[\"wamp.call\"],\"resource\":{\"uri\":\"any\"},"
        "\"roles\":[\"user/mona\"]}]");
}

static void a_removed_group_leaves_no_parents_and_no_grants(void **state)
{
    (void)state;
    bondy_policy_put_group(policy, BONDY_SLICE("staff"));
    bondy_policy_put_parent(policy, BONDY_SLICE("staff"), BONDY_SLICE("people"));
    grant(policy, "group/staff", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_publish(policy);
    bondy_policy_remove_group(policy, BONDY_SLICE("staff"));
    bondy_policy_publish(policy);
    assert_false(bondy_policy_has_group(policy, BONDY_SLICE("staff"), true));
    assert_json(bondy_policy_grants(policy), "[]");

    /* Made again before the publish, only what comes after the removal is there. */
    bondy_policy_put_group(policy, BONDY_SLICE("staff"));
    grant(policy, "group/staff", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_remove_group(policy, BONDY_SLICE("staff"));
    bondy_policy_put_group(policy, BONDY_SLICE("staff"));
    bondy_policy_publish(policy);
    assert_true(bondy_policy_has_group(policy, BONDY_SLICE("staff"), false));
    assert_json(bondy_policy_grants(policy), "[]");
}

static void a_removed_user_leaves_no_grants(void **state)
{
    (void)state;
    grant(policy, "user/mona", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    grant(policy, "user/zoe", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_publish(policy);
    bondy_policy_remove_user(policy, BONDY_SLICE("mona"));
    bondy_policy_publish(policy);
    assert_false(may_call("mona", "a.b"));
    assert_true(may_call("zoe", "a.b"));
}

/* Replication brings records in any order. */
static void a_grant_that_comes_before_its_group_waits_for_it(void **state)
{
    struct bondy_slice staff = BONDY_SLICE("staff");
    struct bondy_rbac_subject subject = {BONDY_SLICE("mona"), &staff, 1, false};
    struct bondy_rbac *rbac;

    (void)state;
    grant(policy, "group/staff", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_publish(policy);
    assert_false(bondy_policy_has_group(policy, staff, false));
    rbac = bondy_rbac_create(policy, &subject);
    assert_false(bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, BONDY_SLICE("a.b")));
    assert_false(bondy_rbac_has_group(rbac, staff));
    bondy_policy_put_group(policy, staff);
    bondy_policy_publish(policy);
    assert_false(bondy_rbac_is_current(rbac));
    bondy_rbac_destroy(rbac);
    rbac = bondy_rbac_create(policy, &subject);
    assert_true(bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, BONDY_SLICE("a.b")));
    bondy_rbac_destroy(rbac);
}

static void the_epoch_moves_with_the_prototype_too(void **state)
{
    struct bondy_policy *base = bondy_policy_create(BONDY_SLICE("org.acme.base"));
    struct bondy_policy_settings settings = bondy_policy_defaults;
    uint64_t before = bondy_policy_epoch(policy);

    (void)state;
    settings.prototype = base;
    bondy_policy_configure(policy, &settings);
    assert_int_equal(bondy_policy_epoch(policy), before);
    bondy_policy_publish(policy);
    assert_true(bondy_policy_epoch(policy) > before);

    before = bondy_policy_epoch(policy);
    bondy_policy_put_group(base, BONDY_SLICE("staff"));
    bondy_policy_publish(base);
    assert_true(bondy_policy_epoch(policy) > before);
    assert_true(bondy_policy_has_group(policy, BONDY_SLICE("staff"), true));
    assert_false(bondy_policy_has_group(policy, BONDY_SLICE("staff"), false));

    before = bondy_policy_epoch(policy);
    bondy_policy_configure(policy, &settings); /* the same as it is */
    assert_false(bondy_policy_publish(policy));
    bondy_policy_touch(base);
    assert_true(bondy_policy_epoch(policy) > before);

    settings.prototype = NULL;
    bondy_policy_configure(policy, &settings);
    bondy_policy_publish(policy);
    before = bondy_policy_epoch(policy);
    bondy_policy_touch(base);
    assert_int_equal(bondy_policy_epoch(policy), before);
    assert_false(bondy_policy_has_group(policy, BONDY_SLICE("staff"), true));
    bondy_policy_unref(base);
}

static void a_prototype_lives_as_long_as_what_depends_on_it(void **state)
{
    struct bondy_policy *base = bondy_policy_create(BONDY_SLICE("org.acme.base"));
    struct bondy_policy_settings settings = bondy_policy_defaults;
    struct bondy_rbac_subject subject = {.username = BONDY_SLICE("mona")};
    struct bondy_rbac *rbac;

    (void)state;
    grant(base, "group/all", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_publish(base);
    settings.prototype = base;
    bondy_policy_configure(policy, &settings);
    bondy_policy_unref(base); /* not published yet */
    bondy_policy_publish(policy);
    rbac = bondy_rbac_create(policy, &subject);
    settings.prototype = NULL;
    bondy_policy_configure(policy, &settings);
    bondy_policy_publish(policy);
    bondy_publish_barrier_wait();
    assert_false(bondy_rbac_is_current(rbac));
    assert_true(bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, BONDY_SLICE("a.b")));
    bondy_rbac_destroy(rbac);
}

static bool note_name(void *context, struct bondy_slice name)
{
    bondy_buf_append_slice(context, name);
    bondy_buf_append_byte(context, ' ');
    return name.data[0] != 'x';
}

static void parents_are_told_sorted_until_the_visitor_has_enough(void **state)
{
    static const char *const parents[] = {"people", "humans", "zebras", "x-ray", "people"};
    struct bondy_slice staff = BONDY_SLICE("staff");
    struct bondy_buf names = BONDY_BUF_EMPTY;

    (void)state;
    bondy_policy_put_group(policy, staff);
    for (size_t i = 0; i < BONDY_COUNT(parents); i++)
        bondy_policy_put_parent(policy, staff, bondy_slice_text(parents[i]));
    bondy_policy_remove_parent(policy, staff, BONDY_SLICE("humans"));
    bondy_policy_remove_parent(policy, staff, BONDY_SLICE("nobody"));
    bondy_policy_publish(policy);
    bondy_policy_parents(policy, staff, note_name, &names);
    bondy_policy_parents(policy, BONDY_SLICE("nobody"), note_name, &names);
    assert_slice_is(bondy_buf_slice(&names), "people x-ray ");
    bondy_buf_fini(&names);
}

static void built_in_groups_are_in_every_realm(void **state)
{
    (void)state;
    assert_true(bondy_policy_has_group(policy, BONDY_SLICE("all"), false));
    assert_true(bondy_policy_has_group(policy, BONDY_SLICE("anonymous"), false));
    assert_false(bondy_policy_has_group(policy, BONDY_SLICE("alle"), false));
}

/* What never was, and changes that nobody publishes, cost nothing and leak nothing. */
static void removing_what_is_not_there_changes_nothing(void **state)
{
    struct bondy_grant_key key = {BONDY_ROLE_GROUP, BONDY_SLICE("nobody"), BONDY_GRANT_EXACT,
                                  BONDY_SLICE("a.b")};

    (void)state;
    bondy_policy_remove_group(policy, BONDY_SLICE("nobody"));
    bondy_policy_remove_user(policy, BONDY_SLICE("nobody"));
    bondy_policy_remove_grant(policy, &key);
    bondy_policy_remove_parent(policy, BONDY_SLICE("nobody"), BONDY_SLICE("people"));
    bondy_policy_publish(policy);
    assert_json(bondy_policy_grants(policy), "[]");
    assert_false(bondy_policy_has_group(policy, BONDY_SLICE("nobody"), true));
    grant(policy, "group/staff", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_put_parent(policy, BONDY_SLICE("staff"), BONDY_SLICE("people"));
}

/* Many rules in one role, changed a few at a time: the merge keeps what was not touched. */
static void a_big_role_keeps_its_other_grants_when_some_change(void **state)
{
    char uri[40];

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = round; i < 400; i += round + 1) {
            snprintf(uri, sizeof uri, "org.acme.%u", i);
            grant(policy, "user/mona", BONDY_GRANT_EXACT, uri,
                  (i + round) % 2 == 0 ? "wamp.call" : "");
        }
        bondy_policy_publish(policy);
        bondy_publish_quiesce();
    }
    for (unsigned i = 0; i < 400; i++) {
        unsigned last = 0;

        for (unsigned round = 1; round < 4; round++) {
            if (i >= round && (i - round) % (round + 1) == 0)
                last = round;
        }
        snprintf(uri, sizeof uri, "org.acme.%u", i);
        assert_int_equal(may_call("mona", uri), (i + last) % 2 == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_seen_with_the_publish_and_all_at_once),
        cmocka_unit_test(a_grant_is_replaced_and_removed_by_its_resource),
        cmocka_unit_test(grants_are_listed_as_stored_by_role_and_resource),
        cmocka_unit_test(a_removed_group_leaves_no_parents_and_no_grants),
        cmocka_unit_test(a_removed_user_leaves_no_grants),
        cmocka_unit_test(a_grant_that_comes_before_its_group_waits_for_it),
        cmocka_unit_test(the_epoch_moves_with_the_prototype_too),
        cmocka_unit_test(a_prototype_lives_as_long_as_what_depends_on_it),
        cmocka_unit_test(parents_are_told_sorted_until_the_visitor_has_enough),
        cmocka_unit_test(built_in_groups_are_in_every_realm),
        cmocka_unit_test(removing_what_is_not_there_changes_nothing),
        cmocka_unit_test(a_big_role_keeps_its_other_grants_when_some_change),
    };
    struct CMUnitTest each[BONDY_COUNT(tests)];
    int failed;

    for (size_t i = 0; i < BONDY_COUNT(tests); i++) {
        each[i] = tests[i];
        each[i].setup_func = create_policy;
        each[i].teardown_func = drop_policy;
    }
    if (bondy_id_start(NULL) < 0)
        return 1;
    bondy_publish_thread_start();
    failed = cmocka_run_group_tests(each, NULL, NULL);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/wamp/codec.h"
#include "src/wamp/features.h"

static int parse(const char *details, struct bondy_features *out)
{
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    int rc = bondy_features_parse(BONDY_JSON, bondy_slice_text(details), BONDY_ROLES_CLIENT,
                                  &scratch, out, NULL);

    bondy_buf_fini(&scratch);
    return rc;
}

static void roles_and_their_features_are_read(void **state)
{
    struct bondy_features features;

    (void)state;
    assert_int_equal(
        parse("{\"x\":1,\"roles\":{\"caller\":{\"features\":{\"call_timeout\":true,"
              "\"caller_identification\":false}},\"subscriber\":{},\"other\":3,\"dealer\":{}}}",
              &features),
        BONDY_OK);
    assert_int_equal(features.roles,
                     BONDY_ROLE_BIT(BONDY_ROLE_CALLER) | BONDY_ROLE_BIT(BONDY_ROLE_SUBSCRIBER));
    assert_true(bondy_features_have(&features, BONDY_ROLE_CALLER, BONDY_FEATURE_CALL_TIMEOUT));
    assert_false(
        bondy_features_have(&features, BONDY_ROLE_CALLER, BONDY_FEATURE_CALLER_IDENTIFICATION));
    /* SESS-OPEN-9 */
    assert_int_equal(features.of_role[BONDY_ROLE_SUBSCRIBER], 0);
}

/* FEAT-2 */
static void misspellings_of_the_specification_are_understood(void **state)
{
    struct bondy_features features;

    (void)state;
    assert_int_equal(parse("{\"roles\":{\"callee\":{\"features\":{\"call_cancelling\":true}},"
                           "\"subscriber\":{\"features\":{\"shareded_subscriptions\":true}}}}",
                           &features),
                     BONDY_OK);
    assert_true(bondy_features_have(&features, BONDY_ROLE_CALLEE, BONDY_FEATURE_CALL_CANCELING));
    assert_true(
        bondy_features_have(&features, BONDY_ROLE_SUBSCRIBER, BONDY_FEATURE_SHARDED_SUBSCRIPTION));
    for (unsigned i = 0; i < BONDY_FEATURES; i++) {
        assert_string_not_equal(bondy_feature_name(i), "call_cancelling");
        assert_string_not_equal(bondy_feature_name(i), "shareded_subscriptions");
    }
}

/* SESS-OPEN-6 */
static void details_without_usable_roles_are_refused(void **state)
{
    static const char *const rows[] = {
        "{}",
        "{\"roles\":{}}",
        "{\"roles\":[]}",
        "{\"roles\":1}",
        "{\"roles\":{\"other\":{}}}",
        "{\"roles\":{\"dealer\":{}}}",
        "{\"roles\":{\"caller\":true}}",
        "{\"roles\":{\"caller\":{\"features\":[]}}}",
        "{\"roles\":{\"caller\":{\"features\":{\"call_timeout\":1}}}}",
    };
    struct bondy_features features;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++)
        if (parse(rows[i], &features) != BONDY_EPROTO)
            fail_msg("%s", rows[i]);
}

/* SESS-OPEN-8 */
static void unknown_features_are_ignored(void **state)
{
    struct bondy_features features;

    (void)state;
    assert_int_equal(
        parse("{\"roles\":{\"caller\":{\"features\":{\"new\":[1],\"x\":2},\"y\":3}}}", &features),
        BONDY_OK);
    assert_int_equal(features.of_role[BONDY_ROLE_CALLER], 0);
}

/* FEAT-1 */
static void what_is_built_is_announced(void **state)
{
    struct bondy_features features = {BONDY_ROLES_ROUTER, {0}};
    struct bondy_features read;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    json_t *roles;

    (void)state;
    features.of_role[BONDY_ROLE_DEALER] = BONDY_FEATURES_OF_DEALER;
    features.of_role[BONDY_ROLE_BROKER] = BONDY_FEATURES_OF_BROKER;
    roles = bondy_features_tree(&features);
    assert_true(json_is_true(json_object_get(
        json_object_get(json_object_get(roles, "broker"), "features"), "publisher_exclusion")));
    roles = bondy_json_with(json_object(), "roles", roles);
    for (int serializer = 1; serializer < BONDY_SERIALIZERS; serializer++) {
        text.len = 0;
        bondy_value_format(serializer, roles, &text);
        assert_int_equal(bondy_features_parse(serializer, bondy_buf_slice(&text),
                                              BONDY_ROLES_ROUTER, &scratch, &read, NULL),
                         BONDY_OK);
        assert_memory_equal(&read, &features, sizeof read);
    }
    json_decref(roles);
    bondy_buf_fini(&text);
    bondy_buf_fini(&scratch);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_and_their_features_are_read),
        cmocka_unit_test(misspellings_of_the_specification_are_understood),
        cmocka_unit_test(details_without_usable_roles_are_refused),
        cmocka_unit_test(unknown_features_are_ignored),
        cmocka_unit_test(what_is_built_is_announced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

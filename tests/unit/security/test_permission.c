/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/security/policy/permission.h"
#include "src/security/policy/policy.h"

static void every_permission_is_found_by_its_name(void **state)
{
    uint32_t bits = 0;

    (void)state;
    for (int i = 0; i < BONDY_PERMISSIONS; i++) {
        enum bondy_permission permission = (enum bondy_permission)i;
        const char *name = bondy_permission_name(permission);

        assert_non_null(name);
        assert_int_equal(bondy_permission_of(bondy_slice_text(name)), permission);
        assert_int_equal(bits & bondy_permission_bit(permission), 0);
        bits |= bondy_permission_bit(permission);
    }
}

static void names_of_the_specification_are_those_of_the_table(void **state)
{
    static const struct {
        const char *name;
        enum bondy_permission permission;
    } cases[] = {
        {"wamp.call", BONDY_PERMISSION_CALL},
        {"wamp.cancel", BONDY_PERMISSION_CANCEL},
        {"wamp.register", BONDY_PERMISSION_REGISTER},
        {"wamp.unregister", BONDY_PERMISSION_UNREGISTER},
        {"wamp.publish", BONDY_PERMISSION_PUBLISH},
        {"wamp.subscribe", BONDY_PERMISSION_SUBSCRIBE},
        {"wamp.unsubscribe", BONDY_PERMISSION_UNSUBSCRIBE},
        {"wamp.disclose_caller", BONDY_PERMISSION_DISCLOSE_CALLER},
        {"wamp.disclose_publisher", BONDY_PERMISSION_DISCLOSE_PUBLISHER},
        {"wamp.disclose_session_info", BONDY_PERMISSION_DISCLOSE_SESSION_INFO},
        {"bondy.issue", BONDY_PERMISSION_ISSUE},
        {"bondy.revoke", BONDY_PERMISSION_REVOKE},
        {"bondy.authenticate", BONDY_PERMISSION_AUTHENTICATE},
        {"bondy.user.set_password", BONDY_PERMISSION_SET_PASSWORD},
        {"bondy.realm.export_keys", BONDY_PERMISSION_EXPORT_KEYS},
        /* Not of the table: allowed in grants, asked for by text. */
        {"wamp.cal", BONDY_PERMISSIONS},
        {"wamp.calls", BONDY_PERMISSIONS},
        {"WAMP.CALL", BONDY_PERMISSIONS},
        {"", BONDY_PERMISSIONS},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (bondy_permission_of(bondy_slice_text(cases[i].name)) != cases[i].permission)
            fail_msg("\"%s\" is another permission", cases[i].name);
    }
    assert_int_equal(BONDY_COUNT(cases), BONDY_PERMISSIONS + 4);
}

static void matches_of_grants_have_four_names(void **state)
{
    enum bondy_grant_match match;

    (void)state;
    for (int i = 0; i < BONDY_GRANT_MATCHES; i++) {
        const char *name = bondy_grant_match_name((enum bondy_grant_match)i);

        assert_true(bondy_grant_match_parse(bondy_slice_text(name), &match));
        assert_int_equal(match, i);
    }
    assert_false(bondy_grant_match_parse(BONDY_SLICE("regex"), &match));
    assert_false(bondy_grant_match_parse(BONDY_SLICE_EMPTY, &match));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_permission_is_found_by_its_name),
        cmocka_unit_test(names_of_the_specification_are_those_of_the_table),
        cmocka_unit_test(matches_of_grants_have_four_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

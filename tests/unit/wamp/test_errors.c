/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/wamp/errors.h"
#include "src/wamp/uri.h"

/* As peers compare them: a slip in one of these is a bug that no compiler finds. */
static const struct {
    const char *id;
    const char *uri;
    const char *wanted;
} rows[] = {
    {"ERR-1", BONDY_ERR_INVALID_URI, "wamp.error.invalid_uri"},
    {"ERR-2", BONDY_ERR_NO_SUCH_PROCEDURE, "wamp.error.no_such_procedure"},
    {"ERR-3", BONDY_ERR_PROCEDURE_ALREADY_EXISTS, "wamp.error.procedure_already_exists"},
    {"ERR-3", BONDY_ERR_DIFFERENT_INVOCATION_POLICY,
     "wamp.error.procedure_exists_with_different_invocation_policy"},
    {"ERR-4", BONDY_ERR_NO_SUCH_REGISTRATION, "wamp.error.no_such_registration"},
    {"ERR-4", BONDY_ERR_NO_SUCH_SUBSCRIPTION, "wamp.error.no_such_subscription"},
    {"ERR-5", BONDY_ERR_INVALID_ARGUMENT, "wamp.error.invalid_argument"},
    {"ERR-6", BONDY_ERR_CANCELED, "wamp.error.canceled"},
    {"ERR-7", BONDY_ERR_TIMEOUT, "wamp.error.timeout"},
    {"ERR-8", BONDY_ERR_PAYLOAD_SIZE_EXCEEDED, "wamp.error.payload_size_exceeded"},
    {"ERR-9", BONDY_ERR_NOT_AUTHORIZED, "wamp.error.not_authorized"},
    {"ERR-9", BONDY_ERR_AUTHORIZATION_FAILED, "wamp.error.authorization_failed"},
    {"ERR-10", BONDY_ERR_NO_SUCH_REALM, "wamp.error.no_such_realm"},
    {"ERR-10", BONDY_ERR_NO_SUCH_ROLE, "wamp.error.no_such_role"},
    {"ERR-10", BONDY_ERR_NO_SUCH_PRINCIPAL, "wamp.error.no_such_principal"},
    {"ERR-10", BONDY_ERR_NO_SUCH_SESSION, "wamp.error.no_such_session"},
    {"ERR-11", BONDY_ERR_NO_MATCHING_AUTH_METHOD, "wamp.error.no_matching_auth_method"},
    {"ERR-11", BONDY_ERR_AUTHENTICATION_DENIED, "wamp.error.authentication_denied"},
    {"ERR-11", BONDY_ERR_AUTHENTICATION_FAILED, "wamp.error.authentication_failed"},
    {"ERR-11", BONDY_ERR_AUTHENTICATION_REQUIRED, "wamp.error.authentication_required"},
    {"ERR-12", BONDY_ERR_OPTION_NOT_ALLOWED, "wamp.error.option_not_allowed"},
    {"ERR-12", BONDY_ERR_DISCLOSE_ME, "wamp.error.option_disallowed.disclose_me"},
    {"ERR-13", BONDY_ERR_UNAVAILABLE, "wamp.error.unavailable"},
    {"ERR-13", BONDY_ERR_NO_AVAILABLE_CALLEE, "wamp.error.no_available_callee"},
    {"ERR-14", BONDY_ERR_FEATURE_NOT_SUPPORTED, "wamp.error.feature_not_supported"},
    {"ERR-15", BONDY_ERR_NETWORK_FAILURE, "wamp.error.network_failure"},
    {"ERR-16", BONDY_ERR_PROTOCOL_VIOLATION, "wamp.error.protocol_violation"},
    {"ERR-17", BONDY_CLOSE_NORMAL, "wamp.close.normal"},
    {"ERR-17", BONDY_CLOSE_REALM, "wamp.close.close_realm"},
    {"ERR-17", BONDY_CLOSE_GOODBYE_AND_OUT, "wamp.close.goodbye_and_out"},
    {"ERR-17", BONDY_CLOSE_SYSTEM_SHUTDOWN, "wamp.close.system_shutdown"},
    {"ERR-17", BONDY_CLOSE_KILLED, "wamp.close.killed"},
    {"ERR-17", BONDY_CLOSE_LOGOUT, "wamp.close.logout"},
};

static void error_uris_are_those_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
        if (strcmp(rows[i].uri, rows[i].wanted) != 0)
            fail_msg("%s: %s", rows[i].id, rows[i].uri);
        assert_true(
            bondy_uri_is_valid(bondy_slice_text(rows[i].uri), BONDY_MATCH_EXACT, BONDY_URI_STRICT));
        assert_true(bondy_uri_is_wamp(bondy_slice_text(rows[i].uri)));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_uris_are_those_of_the_specification),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

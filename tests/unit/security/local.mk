# SPDX-License-Identifier: Apache-2.0
SECURITY_TESTS = \
	tests/unit/security/test_permission \
	tests/unit/security/test_policy \
	tests/unit/security/test_rbac \
	tests/unit/security/test_rbac_property \
	tests/unit/security/test_rbac_threads \
	tests/unit/security/test_realm
check_PROGRAMS += $(SECURITY_TESTS)
TESTS += $(SECURITY_TESTS)
THREAD_TESTS += tests/unit/security/test_rbac_threads

tests_unit_security_test_permission_SOURCES = tests/unit/security/test_permission.c
tests_unit_security_test_permission_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_permission_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

tests_unit_security_test_policy_SOURCES = tests/unit/security/test_policy.c
tests_unit_security_test_policy_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_policy_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

tests_unit_security_test_rbac_SOURCES = tests/unit/security/test_rbac.c
tests_unit_security_test_rbac_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_rbac_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

tests_unit_security_test_rbac_property_SOURCES = tests/unit/security/test_rbac_property.c
tests_unit_security_test_rbac_property_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_rbac_property_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

tests_unit_security_test_rbac_threads_SOURCES = tests/unit/security/test_rbac_threads.c
tests_unit_security_test_rbac_threads_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_rbac_threads_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

tests_unit_security_test_realm_SOURCES = tests/unit/security/test_realm.c $(SECURITY_FIXTURE)
tests_unit_security_test_realm_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_realm_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_throttle
TESTS += tests/unit/security/test_throttle
tests_unit_security_test_throttle_SOURCES = tests/unit/security/test_throttle.c
tests_unit_security_test_throttle_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_throttle_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_audit
TESTS += tests/unit/security/test_audit
THREAD_TESTS += tests/unit/security/test_audit
tests_unit_security_test_audit_SOURCES = tests/unit/security/test_audit.c
tests_unit_security_test_audit_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_audit_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_cookie
TESTS += tests/unit/security/test_cookie
tests_unit_security_test_cookie_SOURCES = tests/unit/security/test_cookie.c
tests_unit_security_test_cookie_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_cookie_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_cra
TESTS += tests/unit/security/test_cra
tests_unit_security_test_cra_SOURCES = tests/unit/security/test_cra.c
tests_unit_security_test_cra_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_cra_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_cryptosign
TESTS += tests/unit/security/test_cryptosign
tests_unit_security_test_cryptosign_SOURCES = tests/unit/security/test_cryptosign.c
tests_unit_security_test_cryptosign_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_cryptosign_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_keys
TESTS += tests/unit/security/test_keys
tests_unit_security_test_keys_SOURCES = tests/unit/security/test_keys.c
tests_unit_security_test_keys_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_keys_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_password
TESTS += tests/unit/security/test_password
tests_unit_security_test_password_SOURCES = tests/unit/security/test_password.c
tests_unit_security_test_password_CFLAGS = $(TEST_CFLAGS)
# Between the verifiers and the libraries, so that a test can count key derivations.
tests_unit_security_test_password_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=gnutls_pbkdf2 -Wl,--wrap=crypto_pwhash
tests_unit_security_test_password_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_scram
TESTS += tests/unit/security/test_scram
tests_unit_security_test_scram_SOURCES = tests/unit/security/test_scram.c
tests_unit_security_test_scram_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_scram_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_ticket
TESTS += tests/unit/security/test_ticket
tests_unit_security_test_ticket_SOURCES = tests/unit/security/test_ticket.c
tests_unit_security_test_ticket_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_ticket_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_token
TESTS += tests/unit/security/test_token
tests_unit_security_test_token_SOURCES = tests/unit/security/test_token.c
tests_unit_security_test_token_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_token_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

SECURITY_FIXTURE = tests/unit/security/fixture.c tests/unit/security/fixture.h
check_PROGRAMS += tests/unit/security/test_names
TESTS += tests/unit/security/test_names
tests_unit_security_test_names_SOURCES = tests/unit/security/test_names.c
tests_unit_security_test_names_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_names_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_order
TESTS += tests/unit/security/test_order
tests_unit_security_test_order_SOURCES = tests/unit/security/test_order.c
tests_unit_security_test_order_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_order_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_user
TESTS += tests/unit/security/test_user
tests_unit_security_test_user_SOURCES = tests/unit/security/test_user.c $(SECURITY_FIXTURE)
tests_unit_security_test_user_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_user_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_group
TESTS += tests/unit/security/test_group
tests_unit_security_test_group_SOURCES = tests/unit/security/test_group.c $(SECURITY_FIXTURE)
tests_unit_security_test_group_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_group_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_source
TESTS += tests/unit/security/test_source
tests_unit_security_test_source_SOURCES = tests/unit/security/test_source.c $(SECURITY_FIXTURE)
tests_unit_security_test_source_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_source_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_grant
TESTS += tests/unit/security/test_grant
tests_unit_security_test_grant_SOURCES = tests/unit/security/test_grant.c $(SECURITY_FIXTURE)
tests_unit_security_test_grant_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_grant_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_security_file
TESTS += tests/unit/security/test_security_file
tests_unit_security_test_security_file_SOURCES = tests/unit/security/test_security_file.c $(SECURITY_FIXTURE)
tests_unit_security_test_security_file_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_security_file_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_export
TESTS += tests/unit/security/test_export
tests_unit_security_test_export_SOURCES = tests/unit/security/test_export.c $(SECURITY_FIXTURE)
tests_unit_security_test_export_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_export_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_input
TESTS += tests/unit/security/test_input
tests_unit_security_test_input_SOURCES = tests/unit/security/test_input.c $(SECURITY_FIXTURE)
tests_unit_security_test_input_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_input_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_stored
TESTS += tests/unit/security/test_stored
tests_unit_security_test_stored_SOURCES = tests/unit/security/test_stored.c $(SECURITY_FIXTURE)
tests_unit_security_test_stored_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_stored_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

# The login engine on a fixture.
LOGIN_RIG = $(SECURITY_FIXTURE) tests/unit/security/login_rig.c tests/unit/security/login_rig.h
check_PROGRAMS += tests/unit/security/test_login
TESTS += tests/unit/security/test_login
tests_unit_security_test_login_SOURCES = tests/unit/security/test_login.c $(LOGIN_RIG)
tests_unit_security_test_login_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_login_cookie
TESTS += tests/unit/security/test_login_cookie
tests_unit_security_test_login_cookie_SOURCES = tests/unit/security/test_login_cookie.c $(SECURITY_FIXTURE)
tests_unit_security_test_login_cookie_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_cookie_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_login_http
TESTS += tests/unit/security/test_login_http
tests_unit_security_test_login_http_SOURCES = tests/unit/security/test_login_http.c $(LOGIN_RIG)
tests_unit_security_test_login_http_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_http_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_login_hidden
TESTS += tests/unit/security/test_login_hidden
tests_unit_security_test_login_hidden_SOURCES = tests/unit/security/test_login_hidden.c $(LOGIN_RIG)
tests_unit_security_test_login_hidden_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_hidden_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_login_dynamic
TESTS += tests/unit/security/test_login_dynamic
tests_unit_security_test_login_dynamic_SOURCES = tests/unit/security/test_login_dynamic.c $(LOGIN_RIG)
tests_unit_security_test_login_dynamic_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_dynamic_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_principal
TESTS += tests/unit/security/test_principal
tests_unit_security_test_principal_SOURCES = tests/unit/security/test_principal.c $(LOGIN_RIG)
tests_unit_security_test_principal_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_principal_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_tickets
TESTS += tests/unit/security/test_tickets
tests_unit_security_test_tickets_SOURCES = tests/unit/security/test_tickets.c $(LOGIN_RIG)
tests_unit_security_test_tickets_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_tickets_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_login_threads
TESTS += tests/unit/security/test_login_threads
THREAD_TESTS += tests/unit/security/test_login_threads
tests_unit_security_test_login_threads_SOURCES = tests/unit/security/test_login_threads.c $(LOGIN_RIG)
tests_unit_security_test_login_threads_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_threads_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

# The same with keys and a clock that stands: what OAuth2 gives out.
TOKEN_RIG = $(LOGIN_RIG) tests/unit/security/token_rig.c tests/unit/security/token_rig.h
check_PROGRAMS += tests/unit/security/test_refresh
TESTS += tests/unit/security/test_refresh
tests_unit_security_test_refresh_SOURCES = tests/unit/security/test_refresh.c $(TOKEN_RIG)
tests_unit_security_test_refresh_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_refresh_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_code
TESTS += tests/unit/security/test_code
tests_unit_security_test_code_SOURCES = tests/unit/security/test_code.c $(TOKEN_RIG)
tests_unit_security_test_code_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_code_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_access
TESTS += tests/unit/security/test_access
tests_unit_security_test_access_SOURCES = tests/unit/security/test_access.c $(TOKEN_RIG)
tests_unit_security_test_access_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_access_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/security/test_login_certificate
TESTS += tests/unit/security/test_login_certificate
tests_unit_security_test_login_certificate_SOURCES = tests/unit/security/test_login_certificate.c \
	$(LOGIN_RIG)
tests_unit_security_test_login_certificate_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_login_certificate_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/security/test_names_unicode
TESTS += tests/unit/security/test_names_unicode
tests_unit_security_test_names_unicode_SOURCES = tests/unit/security/test_names_unicode.c
tests_unit_security_test_names_unicode_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_names_unicode_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

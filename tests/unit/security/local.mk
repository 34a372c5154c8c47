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

tests_unit_security_test_realm_SOURCES = tests/unit/security/test_realm.c
tests_unit_security_test_realm_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_realm_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/security/test_realm
TESTS += tests/unit/security/test_realm
tests_unit_security_test_realm_SOURCES = tests/unit/security/test_realm.c
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

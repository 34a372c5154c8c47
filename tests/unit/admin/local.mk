# SPDX-License-Identifier: Apache-2.0
ADMIN_HOUSE = tests/unit/admin/house.c tests/unit/admin/house.h
ADMIN_CALLER = $(ADMIN_HOUSE) tests/unit/admin/caller.c tests/unit/admin/caller.h
check_PROGRAMS += tests/unit/admin/test_rest tests/unit/admin/test_guard
TESTS += tests/unit/admin/test_rest tests/unit/admin/test_guard
THREAD_TESTS += tests/unit/admin/test_rest
tests_unit_admin_test_rest_SOURCES = tests/unit/admin/test_rest.c $(ADMIN_HOUSE)
tests_unit_admin_test_rest_CFLAGS = $(TEST_CFLAGS)
tests_unit_admin_test_rest_LDADD = $(TEST_LIBS) $(ADMIN_LIBS) $(CMOCKA_LIBS)
tests_unit_admin_test_guard_SOURCES = tests/unit/admin/test_guard.c $(ADMIN_HOUSE)
tests_unit_admin_test_guard_CFLAGS = $(TEST_CFLAGS)
tests_unit_admin_test_guard_LDADD = $(TEST_LIBS) $(ADMIN_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/admin/test_procedures
TESTS += tests/unit/admin/test_procedures
tests_unit_admin_test_procedures_SOURCES = tests/unit/admin/test_procedures.c $(ADMIN_HOUSE)
tests_unit_admin_test_procedures_CFLAGS = $(TEST_CFLAGS)
tests_unit_admin_test_procedures_LDADD = $(TEST_LIBS) $(ADMIN_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/admin/test_rest_identities
TESTS += tests/unit/admin/test_rest_identities
THREAD_TESTS += tests/unit/admin/test_rest_identities
tests_unit_admin_test_rest_identities_SOURCES = tests/unit/admin/test_rest_identities.c \
	$(ADMIN_HOUSE)
tests_unit_admin_test_rest_identities_CFLAGS = $(TEST_CFLAGS)
tests_unit_admin_test_rest_identities_LDADD = $(TEST_LIBS) $(ADMIN_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/admin/test_procedures_identities
TESTS += tests/unit/admin/test_procedures_identities
tests_unit_admin_test_procedures_identities_SOURCES = \
	tests/unit/admin/test_procedures_identities.c $(ADMIN_CALLER)
tests_unit_admin_test_procedures_identities_CFLAGS = $(TEST_CFLAGS)
tests_unit_admin_test_procedures_identities_LDADD = $(TEST_LIBS) $(ADMIN_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/admin/test_procedures_tokens
TESTS += tests/unit/admin/test_procedures_tokens
tests_unit_admin_test_procedures_tokens_SOURCES = \
	tests/unit/admin/test_procedures_tokens.c $(ADMIN_CALLER)
tests_unit_admin_test_procedures_tokens_CFLAGS = $(TEST_CFLAGS)
tests_unit_admin_test_procedures_tokens_LDADD = $(TEST_LIBS) $(ADMIN_LIBS) $(CMOCKA_LIBS)

# SPDX-License-Identifier: Apache-2.0

check_PROGRAMS += tests/unit/gateway/test_expr
tests_unit_gateway_test_expr_SOURCES = tests/unit/gateway/test_expr.c
tests_unit_gateway_test_expr_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_expr_LDADD = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/gateway/test_expr

check_PROGRAMS += tests/unit/gateway/test_pattern
tests_unit_gateway_test_pattern_SOURCES = tests/unit/gateway/test_pattern.c
tests_unit_gateway_test_pattern_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_pattern_LDADD = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/gateway/test_pattern

check_PROGRAMS += tests/unit/gateway/test_spec
tests_unit_gateway_test_spec_SOURCES = tests/unit/gateway/test_spec.c
tests_unit_gateway_test_spec_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_spec_LDADD = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/gateway/test_spec
check_PROGRAMS += tests/unit/gateway/test_gateway tests/unit/gateway/test_gateway_body \
	tests/unit/gateway/test_gateway_security tests/unit/gateway/test_gateway_status
# The rig has realms and logins of its own in the place of src/security's.
GATEWAY_TEST_LIBS = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_test_gateway_SOURCES = tests/unit/gateway/test_gateway.c \
	tests/unit/gateway/gateway_rig.c tests/unit/gateway/gateway_rig.h \
	tests/unit/gateway/gateway_login.c tests/unit/gateway/gateway_login.h
tests_unit_gateway_test_gateway_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_gateway_LDADD = $(GATEWAY_TEST_LIBS)
tests_unit_gateway_test_gateway_body_SOURCES = tests/unit/gateway/test_gateway_body.c \
	tests/unit/gateway/gateway_rig.c tests/unit/gateway/gateway_rig.h \
	tests/unit/gateway/gateway_login.c tests/unit/gateway/gateway_login.h
tests_unit_gateway_test_gateway_body_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_gateway_body_LDADD = $(GATEWAY_TEST_LIBS)
tests_unit_gateway_test_gateway_status_SOURCES = tests/unit/gateway/test_gateway_status.c \
	tests/unit/gateway/gateway_rig.c tests/unit/gateway/gateway_rig.h \
	tests/unit/gateway/gateway_login.c tests/unit/gateway/gateway_login.h
tests_unit_gateway_test_gateway_status_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_gateway_status_LDADD = $(GATEWAY_TEST_LIBS)
tests_unit_gateway_test_gateway_security_SOURCES = tests/unit/gateway/test_gateway_security.c \
	tests/unit/gateway/gateway_rig.c tests/unit/gateway/gateway_rig.h \
	tests/unit/gateway/gateway_login.c tests/unit/gateway/gateway_login.h
tests_unit_gateway_test_gateway_security_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_gateway_security_LDADD = $(GATEWAY_TEST_LIBS)
TESTS += tests/unit/gateway/test_gateway tests/unit/gateway/test_gateway_body \
	tests/unit/gateway/test_gateway_security tests/unit/gateway/test_gateway_status


check_PROGRAMS += tests/unit/gateway/test_table
tests_unit_gateway_test_table_SOURCES = tests/unit/gateway/test_table.c
tests_unit_gateway_test_table_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_table_LDADD = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/gateway/test_table

check_PROGRAMS += tests/unit/gateway/test_reference
tests_unit_gateway_test_reference_SOURCES = tests/unit/gateway/test_reference.c
tests_unit_gateway_test_reference_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_reference_LDADD = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/gateway/test_reference

check_PROGRAMS += tests/unit/gateway/test_catalog
TESTS += tests/unit/gateway/test_catalog
THREAD_TESTS += tests/unit/gateway/test_catalog
tests_unit_gateway_test_catalog_SOURCES = tests/unit/gateway/test_catalog.c
tests_unit_gateway_test_catalog_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_catalog_LDADD = $(TEST_LIBS) $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/test_gateway_endpoint
tests_unit_gateway_test_gateway_endpoint_SOURCES = tests/unit/gateway/test_gateway_endpoint.c \
	tests/unit/gateway/gateway_rig.c tests/unit/gateway/gateway_rig.h \
	tests/unit/gateway/gateway_login.c tests/unit/gateway/gateway_login.h
tests_unit_gateway_test_gateway_endpoint_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_gateway_endpoint_LDADD = $(GATEWAY_TEST_LIBS)
TESTS += tests/unit/gateway/test_gateway_endpoint

check_PROGRAMS += tests/unit/gateway/test_oauth2
tests_unit_gateway_test_oauth2_SOURCES = tests/unit/gateway/test_oauth2.c
tests_unit_gateway_test_oauth2_CFLAGS = $(TEST_CFLAGS)
tests_unit_gateway_test_oauth2_LDADD = $(TEST_LIBS) $(OAUTH2_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/gateway/test_oauth2

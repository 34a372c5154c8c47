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

# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/http/test_negotiate tests/unit/http/test_server
tests_unit_http_test_negotiate_SOURCES = tests/unit/http/test_negotiate.c
tests_unit_http_test_negotiate_CFLAGS = $(TEST_CFLAGS)
tests_unit_http_test_negotiate_LDADD = $(TEST_LIBS) $(HTTP_LIBS) $(CMOCKA_LIBS)
tests_unit_http_test_server_SOURCES = tests/unit/http/test_server.c
tests_unit_http_test_server_CFLAGS = $(TEST_CFLAGS)
tests_unit_http_test_server_LDADD = $(TEST_LIBS) $(HTTP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/http/test_negotiate tests/unit/http/test_server
check_PROGRAMS += tests/unit/http/test_bodies
tests_unit_http_test_bodies_SOURCES = tests/unit/http/test_bodies.c
tests_unit_http_test_bodies_CFLAGS = $(TEST_CFLAGS)
tests_unit_http_test_bodies_LDADD = $(TEST_LIBS) $(HTTP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/http/test_bodies

# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/wamp/test_rawsocket
tests_unit_wamp_test_rawsocket_SOURCES = tests/unit/wamp/test_rawsocket.c
tests_unit_wamp_test_rawsocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_rawsocket_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_rawsocket

check_PROGRAMS += tests/unit/wamp/test_uri
tests_unit_wamp_test_uri_SOURCES = tests/unit/wamp/test_uri.c
tests_unit_wamp_test_uri_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_uri_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_uri

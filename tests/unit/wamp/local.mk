# SPDX-License-Identifier: Apache-2.0
WAMP_TEST_SAMPLES = tests/unit/wamp/samples.c tests/unit/wamp/samples.h

check_PROGRAMS += tests/unit/wamp/test_base64
tests_unit_wamp_test_base64_SOURCES = tests/unit/wamp/test_base64.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_base64_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_base64_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_base64

check_PROGRAMS += tests/unit/wamp/test_features
tests_unit_wamp_test_features_SOURCES = tests/unit/wamp/test_features.c
tests_unit_wamp_test_features_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_features_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_features

check_PROGRAMS += tests/unit/wamp/test_number
tests_unit_wamp_test_number_SOURCES = tests/unit/wamp/test_number.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_number_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_number_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_number

check_PROGRAMS += tests/unit/wamp/test_rawsocket
tests_unit_wamp_test_rawsocket_SOURCES = tests/unit/wamp/test_rawsocket.c
tests_unit_wamp_test_rawsocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_rawsocket_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_rawsocket

check_PROGRAMS += tests/unit/wamp/test_recode
tests_unit_wamp_test_recode_SOURCES = tests/unit/wamp/test_recode.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_recode_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_recode_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_recode

check_PROGRAMS += tests/unit/wamp/test_uri
tests_unit_wamp_test_uri_SOURCES = tests/unit/wamp/test_uri.c
tests_unit_wamp_test_uri_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_uri_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_uri

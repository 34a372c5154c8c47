# SPDX-License-Identifier: Apache-2.0
WAMP_TEST_SAMPLES = tests/unit/wamp/samples.c tests/unit/wamp/samples.h
EXTRA_DIST += tests/vectors/messages.json

check_PROGRAMS += tests/unit/wamp/test_base64
tests_unit_wamp_test_base64_SOURCES = tests/unit/wamp/test_base64.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_base64_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_base64_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_base64

check_PROGRAMS += tests/unit/wamp/test_decode
tests_unit_wamp_test_decode_SOURCES = tests/unit/wamp/test_decode.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_decode_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_decode_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_decode

check_PROGRAMS += tests/unit/wamp/test_depth
tests_unit_wamp_test_depth_SOURCES = tests/unit/wamp/test_depth.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_depth_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_depth_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_depth

check_PROGRAMS += tests/unit/wamp/test_encode
tests_unit_wamp_test_encode_SOURCES = tests/unit/wamp/test_encode.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_encode_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_encode_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_encode

check_PROGRAMS += tests/unit/wamp/test_errors
tests_unit_wamp_test_errors_SOURCES = tests/unit/wamp/test_errors.c
tests_unit_wamp_test_errors_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_errors_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_errors

check_PROGRAMS += tests/unit/wamp/test_features
tests_unit_wamp_test_features_SOURCES = tests/unit/wamp/test_features.c
tests_unit_wamp_test_features_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_features_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_features

check_PROGRAMS += tests/unit/wamp/test_malformed
tests_unit_wamp_test_malformed_SOURCES = tests/unit/wamp/test_malformed.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_malformed_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_malformed_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_malformed

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

check_PROGRAMS += tests/unit/wamp/test_value
tests_unit_wamp_test_value_SOURCES = tests/unit/wamp/test_value.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_value_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_value_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_value

check_PROGRAMS += tests/unit/wamp/test_vectors
tests_unit_wamp_test_vectors_SOURCES = tests/unit/wamp/test_vectors.c $(WAMP_TEST_SAMPLES)
tests_unit_wamp_test_vectors_CFLAGS = $(TEST_CFLAGS)
tests_unit_wamp_test_vectors_LDADD = $(TEST_LIBS) $(WAMP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/wamp/test_vectors

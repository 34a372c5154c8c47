# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/security/test_realm
TESTS += tests/unit/security/test_realm
tests_unit_security_test_realm_SOURCES = tests/unit/security/test_realm.c
tests_unit_security_test_realm_CFLAGS = $(TEST_CFLAGS)
tests_unit_security_test_realm_LDADD = $(TEST_LIBS) $(SECURITY_LIBS) $(CMOCKA_LIBS)

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

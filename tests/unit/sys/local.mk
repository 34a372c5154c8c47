# SPDX-License-Identifier: Apache-2.0
SYS_TESTS = \
	tests/unit/sys/test_certificate \
	tests/unit/sys/test_file \
	tests/unit/sys/test_logger \
	tests/unit/sys/test_loop \
	tests/unit/sys/test_net \
	tests/unit/sys/test_tls
check_PROGRAMS += $(SYS_TESTS)
TESTS += $(SYS_TESTS)

tests_unit_sys_test_certificate_SOURCES = tests/unit/sys/test_certificate.c
tests_unit_sys_test_certificate_CFLAGS = $(TEST_CFLAGS)
tests_unit_sys_test_certificate_LDADD = $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_sys_test_file_SOURCES = tests/unit/sys/test_file.c
tests_unit_sys_test_file_CFLAGS = $(TEST_CFLAGS)
tests_unit_sys_test_file_LDADD = $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_sys_test_logger_SOURCES = tests/unit/sys/test_logger.c
tests_unit_sys_test_logger_CFLAGS = $(TEST_CFLAGS)
tests_unit_sys_test_logger_LDADD = $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_sys_test_loop_SOURCES = tests/unit/sys/test_loop.c
tests_unit_sys_test_loop_CFLAGS = $(TEST_CFLAGS)
tests_unit_sys_test_loop_LDADD = $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_sys_test_net_SOURCES = tests/unit/sys/test_net.c
tests_unit_sys_test_net_CFLAGS = $(TEST_CFLAGS)
tests_unit_sys_test_net_LDADD = $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_sys_test_tls_SOURCES = tests/unit/sys/test_tls.c
tests_unit_sys_test_tls_CFLAGS = $(TEST_CFLAGS)
tests_unit_sys_test_tls_LDADD = $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)

THREAD_TESTS += tests/unit/sys/test_loop
THREAD_TESTS += tests/unit/sys/test_logger
THREAD_TESTS += tests/unit/sys/test_file

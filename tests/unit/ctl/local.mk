# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/ctl/test_options
tests_unit_ctl_test_options_SOURCES = tests/unit/ctl/test_options.c
tests_unit_ctl_test_options_CFLAGS = $(TEST_CFLAGS)
tests_unit_ctl_test_options_LDADD = src/ctl/libctl.a $(TEST_LIBS) $(WAMP_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/ctl/test_options
check_PROGRAMS += tests/unit/ctl/test_program
tests_unit_ctl_test_program_SOURCES = tests/unit/ctl/test_program.c
tests_unit_ctl_test_program_CFLAGS = $(TEST_CFLAGS)
tests_unit_ctl_test_program_LDADD = src/ctl/libctl.a $(TEST_LIBS) $(WAMP_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/ctl/test_program
check_PROGRAMS += tests/unit/ctl/test_websocket
tests_unit_ctl_test_websocket_SOURCES = tests/unit/ctl/test_websocket.c
tests_unit_ctl_test_websocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_ctl_test_websocket_LDADD = src/ctl/libctl.a $(TEST_LIBS) $(WAMP_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/ctl/test_websocket

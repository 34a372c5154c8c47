# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/server/test_config_parse
tests_unit_server_test_config_parse_SOURCES = tests/unit/server/test_config_parse.c
tests_unit_server_test_config_parse_CFLAGS = $(TEST_CFLAGS)
tests_unit_server_test_config_parse_LDADD = src/server/libserver.a $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/server/test_config_parse
check_PROGRAMS += tests/unit/server/test_config_value
tests_unit_server_test_config_value_SOURCES = tests/unit/server/test_config_value.c
tests_unit_server_test_config_value_CFLAGS = $(TEST_CFLAGS)
tests_unit_server_test_config_value_LDADD = src/server/libserver.a $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/server/test_config_value
check_PROGRAMS += tests/unit/server/test_config
tests_unit_server_test_config_SOURCES = tests/unit/server/test_config.c
tests_unit_server_test_config_CFLAGS = $(TEST_CFLAGS)
tests_unit_server_test_config_LDADD = src/server/libserver.a $(TEST_LIBS) $(SYS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/server/test_config

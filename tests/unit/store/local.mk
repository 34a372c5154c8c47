# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/store/test_version tests/unit/store/test_store
TESTS += tests/unit/store/test_version tests/unit/store/test_store
THREAD_TESTS += tests/unit/store/test_store
tests_unit_store_test_version_SOURCES = tests/unit/store/test_version.c
tests_unit_store_test_version_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_version_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
tests_unit_store_test_store_SOURCES = tests/unit/store/test_store.c
tests_unit_store_test_store_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_store_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/store/kill_loop
TESTS += tests/unit/store/kill_loop
tests_unit_store_kill_loop_SOURCES = tests/unit/store/kill_loop.c
tests_unit_store_kill_loop_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_kill_loop_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)

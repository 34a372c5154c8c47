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
STORE_RIG = tests/unit/store/store_rig.c tests/unit/store/store_rig.h
check_PROGRAMS += tests/unit/store/test_backup tests/unit/store/test_purge tests/unit/store/test_backup_hostile \
	tests/unit/store/test_backup_load
TESTS += tests/unit/store/test_backup tests/unit/store/test_purge tests/unit/store/test_backup_hostile \
	tests/unit/store/test_backup_load
THREAD_TESTS += tests/unit/store/test_backup_load tests/unit/store/test_purge
tests_unit_store_test_backup_SOURCES = tests/unit/store/test_backup.c $(STORE_RIG)
tests_unit_store_test_backup_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_backup_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
tests_unit_store_test_backup_hostile_SOURCES = tests/unit/store/test_backup_hostile.c $(STORE_RIG)
tests_unit_store_test_backup_hostile_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_backup_hostile_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
tests_unit_store_test_backup_load_SOURCES = tests/unit/store/test_backup_load.c $(STORE_RIG)
tests_unit_store_test_backup_load_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_backup_load_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
tests_unit_store_test_purge_SOURCES = tests/unit/store/test_purge.c $(STORE_RIG)
tests_unit_store_test_purge_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_purge_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/store/test_backup_intake
TESTS += tests/unit/store/test_backup_intake
tests_unit_store_test_backup_intake_SOURCES = tests/unit/store/test_backup_intake.c $(STORE_RIG)
tests_unit_store_test_backup_intake_CFLAGS = $(TEST_CFLAGS)
tests_unit_store_test_backup_intake_LDADD = $(TEST_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)

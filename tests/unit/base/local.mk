# SPDX-License-Identifier: Apache-2.0
BASE_TESTS = \
	tests/unit/base/test_alarm \
	tests/unit/base/test_base \
	tests/unit/base/test_json \
	tests/unit/base/test_log \
	tests/unit/base/test_map \
	tests/unit/base/test_metric \
	tests/unit/base/test_slab \
	tests/unit/base/test_trie \
	tests/unit/base/test_utf8 \
	tests/unit/base/test_wheel
check_PROGRAMS += $(BASE_TESTS)
TESTS += $(BASE_TESTS)

tests_unit_base_test_alarm_SOURCES = tests/unit/base/test_alarm.c
tests_unit_base_test_alarm_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_alarm_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_base_SOURCES = tests/unit/base/test_base.c
tests_unit_base_test_base_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_base_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_json_SOURCES = tests/unit/base/test_json.c
tests_unit_base_test_json_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_json_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c
tests_unit_base_test_log_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_log_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_map_SOURCES = tests/unit/base/test_map.c
tests_unit_base_test_map_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_map_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_metric_SOURCES = tests/unit/base/test_metric.c
tests_unit_base_test_metric_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_metric_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_slab_SOURCES = tests/unit/base/test_slab.c
tests_unit_base_test_slab_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_slab_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_utf8_SOURCES = tests/unit/base/test_utf8.c
tests_unit_base_test_utf8_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_utf8_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_base_test_wheel_SOURCES = tests/unit/base/test_wheel.c
tests_unit_base_test_wheel_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_wheel_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

THREAD_TESTS += tests/unit/base/test_alarm
THREAD_TESTS += tests/unit/base/test_log
THREAD_TESTS += tests/unit/base/test_metric

tests_unit_base_test_trie_SOURCES = tests/unit/base/test_trie.c
tests_unit_base_test_trie_CFLAGS = $(TEST_CFLAGS)
tests_unit_base_test_trie_LDADD = $(TEST_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)

# SPDX-License-Identifier: Apache-2.0
ROUTER_TESTS = \
	tests/unit/router/test_local \
	tests/unit/router/test_parked \
	tests/unit/router/test_registry \
	tests/unit/router/test_session \
	tests/unit/router/test_threads
check_PROGRAMS += $(ROUTER_TESTS)
TESTS += $(ROUTER_TESTS)
THREAD_TESTS += tests/unit/router/test_threads

# Realms are those of tests/lib/rig, not of src/security.
ROUTER_TEST_LIBS = $(TEST_LIBS) src/router/librouter.a $(SECURITY_LIBS) $(CMOCKA_LIBS)

tests_unit_router_test_local_SOURCES = tests/unit/router/test_local.c
tests_unit_router_test_local_CFLAGS = $(TEST_CFLAGS)
tests_unit_router_test_local_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)

tests_unit_router_test_parked_SOURCES = tests/unit/router/test_parked.c
tests_unit_router_test_parked_CFLAGS = $(TEST_CFLAGS)
tests_unit_router_test_parked_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)

tests_unit_router_test_registry_SOURCES = tests/unit/router/test_registry.c
tests_unit_router_test_registry_CFLAGS = $(TEST_CFLAGS)
tests_unit_router_test_registry_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)

tests_unit_router_test_session_SOURCES = tests/unit/router/test_session.c
tests_unit_router_test_session_CFLAGS = $(TEST_CFLAGS)
tests_unit_router_test_session_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)

tests_unit_router_test_threads_SOURCES = tests/unit/router/test_threads.c
tests_unit_router_test_threads_CFLAGS = $(TEST_CFLAGS)
tests_unit_router_test_threads_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += tests/lib/libtest.a
tests_lib_libtest_a_SOURCES = tests/lib/test.h tests/lib/test.c tests/lib/cert.h tests/lib/cert.c \
	tests/lib/http_client.h tests/lib/http_client.c \
	tests/lib/peer.h tests/lib/peer.c
tests_lib_libtest_a_CFLAGS = $(TEST_CFLAGS)

# The router without loops, and scripts for it.
noinst_LIBRARIES += tests/lib/librig.a
tests_lib_librig_a_SOURCES = tests/lib/pattern.h tests/lib/pattern.c tests/lib/rig.h \
	tests/lib/rig.c tests/lib/rig_login.h tests/lib/rig_login.c \
	tests/lib/script.h tests/lib/script.c
tests_lib_librig_a_CFLAGS = $(TEST_CFLAGS)

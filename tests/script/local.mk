# SPDX-License-Identifier: Apache-2.0
# What tests of the router link: no security, whose realms tests/lib/rig makes up.
ROUTER_TEST_LIBS = tests/lib/libtest.a src/router/librouter.a src/wamp/libwamp.a src/sys/libsys.a \
	$(BASE_LIBS) $(UV_LIBS) $(MSGPACK_LIBS) $(CBOR_LIBS) $(GNUTLS_LIBS) $(CURL_LIBS)

check_PROGRAMS += tests/script/run_scripts
tests_script_run_scripts_SOURCES = tests/script/run_scripts.c
tests_script_run_scripts_CPPFLAGS = $(AM_CPPFLAGS) -DBONDY_TOP='"$(abs_top_srcdir)"'
tests_script_run_scripts_CFLAGS = $(TEST_CFLAGS)
tests_script_run_scripts_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)
TESTS += tests/script/run_scripts

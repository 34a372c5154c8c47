# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/script/run_scripts
tests_script_run_scripts_SOURCES = tests/script/run_scripts.c
tests_script_run_scripts_CPPFLAGS = $(AM_CPPFLAGS) -DBONDY_TOP='"$(abs_top_srcdir)"'
tests_script_run_scripts_CFLAGS = $(TEST_CFLAGS)
tests_script_run_scripts_LDADD = tests/lib/librig.a $(ROUTER_TEST_LIBS)
TESTS += tests/script/run_scripts
EXTRA_DIST += tests/script/README.md tests/script/covered $(wildcard $(srcdir)/tests/script/*.wts)

# SPDX-License-Identifier: Apache-2.0
bench_names = tests/bench/anchor tests/bench/anchor_http tests/bench/logins tests/bench/rbac \
	tests/bench/storeload tests/bench/wampload
EXTRA_PROGRAMS += $(bench_names)
BENCH_TARGETS += $(bench_names) bondyd
tests_bench_anchor_SOURCES = tests/bench/anchor.c
tests_bench_anchor_http_SOURCES = tests/bench/anchor_http.c
tests_bench_anchor_http_LDADD = $(MHD_LIBS)
tests_bench_logins_SOURCES = tests/bench/logins.c tests/bench/hist.h
tests_bench_logins_LDADD = $(SECURITY_LIBS)
tests_bench_rbac_SOURCES = tests/bench/rbac.c
tests_bench_rbac_LDADD = $(SECURITY_LIBS)
tests_bench_storeload_SOURCES = tests/bench/storeload.c
tests_bench_storeload_LDADD = $(STORE_LIBS)
tests_bench_wampload_SOURCES = tests/bench/wampload.c tests/bench/peer.c tests/bench/peer.h \
	tests/bench/wire.c tests/bench/wire.h tests/bench/hist.h tests/bench/modes.c tests/bench/modes.h
EXTRA_DIST += tests/bench/README.md tests/bench/run tests/bench/permissions tests/bench/credentials \
	tests/bench/logins.py \
	$(wildcard $(srcdir)/tests/bench/peers/*)

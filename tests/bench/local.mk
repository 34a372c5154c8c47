# SPDX-License-Identifier: Apache-2.0
EXTRA_PROGRAMS += tests/bench/anchor tests/bench/anchor_http tests/bench/wampload
BENCH_TARGETS += tests/bench/anchor tests/bench/anchor_http tests/bench/wampload bondyd
EXTRA_PROGRAMS += tests/bench/rbac
tests_bench_rbac_SOURCES = tests/bench/rbac.c
tests_bench_rbac_LDADD = $(SECURITY_LIBS)
tests_bench_anchor_SOURCES = tests/bench/anchor.c
tests_bench_anchor_http_SOURCES = tests/bench/anchor_http.c
tests_bench_anchor_http_LDADD = $(MHD_LIBS)
tests_bench_wampload_SOURCES = tests/bench/wampload.c tests/bench/peer.c tests/bench/peer.h \
	tests/bench/wire.c tests/bench/wire.h tests/bench/hist.h tests/bench/modes.c tests/bench/modes.h
EXTRA_DIST += tests/bench/README.md tests/bench/run $(wildcard $(srcdir)/tests/bench/peers/*)
EXTRA_PROGRAMS += tests/bench/storeload
BENCH_TARGETS += tests/bench/storeload
tests_bench_storeload_SOURCES = tests/bench/storeload.c
tests_bench_storeload_LDADD = $(STORE_LIBS)

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/alarm.c src/base/alarm.h \
	src/base/alloc.c src/base/alloc.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/error.c src/base/error.h \
	src/base/id.c src/base/id.h \
	src/base/json.c src/base/json.h \
	src/base/list.h \
	src/base/log.c src/base/log_format.c src/base/log.h \
	src/base/map.c src/base/map.h \
	src/base/metric.c src/base/metric.h \
	src/base/nearest.c src/base/nearest.h \
	src/base/problem.c src/base/problem.h \
	src/base/ref.h \
	src/base/slab.c src/base/slab.h \
	src/base/slice.h \
	src/base/trie.c src/base/trie.h \
	src/base/utf8.c src/base/utf8.h \
	src/base/wheel.c src/base/wheel.h

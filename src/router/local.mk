# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/router/librouter.a
src_router_librouter_a_SOURCES = \
	src/router/access.c src/router/access.h \
	src/router/ask.c src/router/ask.h \
	src/router/authorize.c src/router/authorize.h \
	src/router/broker.c src/router/broker.h \
	src/router/builtin.c src/router/builtin.h \
	src/router/core.h \
	src/router/dealer.c src/router/dealer.h \
	src/router/deliver.c \
	src/router/event.c \
	src/router/filter.c \
	src/router/join.c \
	src/router/local.c src/router/local.h \
	src/router/match.c \
	src/router/meta.c src/router/meta.h \
	src/router/options.c src/router/options.h \
	src/router/pending.c src/router/pending.h \
	src/router/receivers.c \
	src/router/registry.c src/router/registry.h \
	src/router/remote.c src/router/remote.h \
	src/router/router.c src/router/router.h \
	src/router/session.c src/router/session.h \
	src/router/sessions.c src/router/sessions.h \
	src/router/stats.c src/router/stats.h \
	src/router/uri_table.c src/router/uri_table.h

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += gateway/libgateway.a
gateway_libgateway_a_SOURCES = \
	gateway/action_call.c \
	gateway/action_publish.c \
	gateway/action_static.c \
	gateway/answer.c \
	gateway/body.c \
	gateway/context.c \
	gateway/exchange.h \
	gateway/gateway.c gateway/gateway.h \
	gateway/guard.c gateway/guard.h \
	gateway/session.c \
	gateway/catalog.c gateway/catalog.h \
	gateway/catalog_file.c \
	gateway/catalog_load.c \
	gateway/catalog_record.c gateway/catalog_record.h \
	gateway/expr.h \
	gateway/pattern.h \
	gateway/spec.h \
	gateway/status.h \
	gateway/table.h

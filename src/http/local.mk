# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/http/libhttp.a
src_http_libhttp_a_SOURCES = \
	src/http/body.c \
	src/http/connection.c \
	src/http/head.c \
	src/http/internal.h \
	src/http/linger.c \
	src/http/metrics.c \
	src/http/negotiate.c src/http/negotiate.h \
	src/http/prepared.c \
	src/http/problem.c src/http/problem.h \
	src/http/range.c src/http/range.h \
	src/http/request.c src/http/request.h \
	src/http/response.c src/http/response.h \
	src/http/server.c src/http/server.h \
	src/http/status.c src/http/status.h

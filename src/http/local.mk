# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/http/libhttp.a
src_http_libhttp_a_SOURCES = src/http/request.h src/http/response.h src/http/server.h

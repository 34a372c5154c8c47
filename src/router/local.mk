# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/router/librouter.a
src_router_librouter_a_SOURCES = src/router/local.h src/router/router.h src/router/session.h

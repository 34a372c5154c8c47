# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += gateway/libgateway.a
gateway_libgateway_a_SOURCES = \
	gateway/catalog.h \
	gateway/expr.h \
	gateway/pattern.h \
	gateway/spec.h \
	gateway/status.h \
	gateway/table.h

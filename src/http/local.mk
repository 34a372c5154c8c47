# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/http/libhttp.a
src_http_libhttp_a_SOURCES =

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/server/libserver.a
src_server_libserver_a_SOURCES =

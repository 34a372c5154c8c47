# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/sys/libsys.a
src_sys_libsys_a_SOURCES = \
	src/sys/file.h \
	src/sys/loop.h \
	src/sys/net.h \
	src/sys/pool.h \
	src/sys/publish.h

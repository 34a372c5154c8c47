# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/sys/libsys.a
src_sys_libsys_a_SOURCES = \
	src/sys/certificate.c src/sys/certificate.h \
	src/sys/file.c src/sys/file.h \
	src/sys/logger.c src/sys/logger.h \
	src/sys/loop.c src/sys/loop.h \
	src/sys/net.c src/sys/net.h \
	src/sys/notify.c src/sys/notify.h \
	src/sys/pool.c src/sys/pool.h \
	src/sys/process.c src/sys/process.h \
	src/sys/publish.c src/sys/publish.h \
	src/sys/signals.c src/sys/signals.h \
	src/sys/tls.c src/sys/tls.h

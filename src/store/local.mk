# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = \
	src/store/key.c src/store/key.h \
	src/store/lmdb.c src/store/lmdb.h \
	src/store/migrate.c src/store/migrate.h \
	src/store/store.c src/store/store.h \
	src/store/version.c src/store/version.h \
	src/store/write.c src/store/write.h

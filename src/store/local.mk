# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = \
	src/store/backup.c src/store/backup.h \
	src/store/backup_apply.c src/store/backup_apply.h \
	src/store/backup_file.c src/store/backup_file.h \
	src/store/backup_filter.c src/store/backup_filter.h \
	src/store/backup_intake.c \
	src/store/backup_list.c \
	src/store/backup_name.c src/store/backup_name.h \
	src/store/backup_read.c \
	src/store/backup_restore.c \
	src/store/envelope_seal.c src/store/envelope_seal.h \
	src/store/head.c src/store/head.h \
	src/store/index.c \
	src/store/key.c src/store/key.h \
	src/store/lmdb.c src/store/lmdb.h \
	src/store/migrate.c src/store/migrate.h \
	src/store/purge.c src/store/purge.h \
	src/store/reseal.c src/store/reseal.h \
	src/store/seal.c src/store/seal.h \
	src/store/store.c src/store/store.h \
	src/store/version.c src/store/version.h \
	src/store/write.c src/store/write.h

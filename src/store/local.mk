# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = src/store/store.h

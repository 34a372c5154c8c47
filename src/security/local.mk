# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/edit.c src/security/edit.h \
	src/security/grant.c src/security/grant.h \
	src/security/grant_write.c \
	src/security/group.c src/security/group.h \
	src/security/group_local.h \
	src/security/group_write.c \
	src/security/input.c src/security/input.h \
	src/security/names.c src/security/names.h \
	src/security/order.c src/security/order.h \
	src/security/realm.c src/security/realm.h \
	src/security/realm_builtin.c \
	src/security/realm_entry.c src/security/realm_entry.h \
	src/security/realm_input.c \
	src/security/realm_local.h \
	src/security/realm_nested.c \
	src/security/realm_table.c \
	src/security/realm_write.c \
	src/security/source.c src/security/source.h \
	src/security/source_write.c \
	src/security/stored.c src/security/stored.h \
	src/security/user.c src/security/user.h \
	src/security/user_elements.c src/security/user_elements.h \
	src/security/user_input.c \
	src/security/user_local.h \
	src/security/user_write.c

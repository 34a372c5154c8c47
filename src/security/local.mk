# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/audit.c src/security/audit.h \
	src/security/audit_files.c src/security/audit_files.h \
	src/security/realm.c src/security/realm.h \
	src/security/realm_input.c src/security/realm_input.h \
	src/security/realm_write.c \
	src/security/throttle.c src/security/throttle.h

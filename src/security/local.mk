# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/binding.c src/security/binding.h \
	src/security/cra.c src/security/cra.h \
	src/security/cryptosign.c src/security/cryptosign.h \
	src/security/kdf.c src/security/kdf.h \
	src/security/keys.c src/security/keys.h \
	src/security/password.c src/security/password.h \
	src/security/password_opts.c \
	src/security/realm.c src/security/realm.h \
	src/security/realm_input.c src/security/realm_input.h \
	src/security/realm_write.c \
	src/security/scram.c src/security/scram.h \
	src/security/ticket.c src/security/ticket.h \
	src/security/token.c src/security/token.h \
	src/security/token_claims.c

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/binding.c \
	src/security/binding.h \
	src/security/cra.c \
	src/security/cra.h \
	src/security/cryptosign.c \
	src/security/cryptosign.h \
	src/security/kdf.c \
	src/security/kdf.h \
	src/security/keys.c \
	src/security/keys.h \
	src/security/password.c \
	src/security/password.h \
	src/security/password_form.c \
	src/security/password_form.h \
	src/security/password_opts.c \
	src/security/permission.c \
	src/security/permission.h \
	src/security/policy.c \
	src/security/policy.h \
	src/security/policy_edit.c \
	src/security/policy_edit.h \
	src/security/policy_view.h \
	src/security/rbac.c \
	src/security/rbac.h \
	src/security/rbac_cache.c \
	src/security/rbac_cache.h \
	src/security/rbac_explain.c \
	src/security/rbac_roles.h \
	src/security/realm.c \
	src/security/realm.h \
	src/security/realm_input.c \
	src/security/realm_input.h \
	src/security/realm_write.c \
	src/security/role.c \
	src/security/role.h \
	src/security/rule.c \
	src/security/scram.c \
	src/security/scram.h \
	src/security/ticket.c \
	src/security/ticket.h \
	src/security/token.c \
	src/security/token.h \
	src/security/token_claims.c \
	src/security/token_read.h

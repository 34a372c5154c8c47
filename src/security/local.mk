# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/permission.c src/security/permission.h \
	src/security/policy.c src/security/policy.h \
	src/security/policy_edit.c src/security/policy_edit.h \
	src/security/policy_view.h \
	src/security/rbac.c src/security/rbac.h \
	src/security/rbac_cache.c src/security/rbac_cache.h \
	src/security/rbac_explain.c \
	src/security/rbac_roles.h \
	src/security/realm.c src/security/realm.h \
	src/security/realm_input.c src/security/realm_input.h \
	src/security/realm_write.c \
	src/security/role.c src/security/role.h \
	src/security/rule.c

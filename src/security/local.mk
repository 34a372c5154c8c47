# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/api_key.c src/security/api_key.h \
	src/security/audit.c src/security/audit.h \
	src/security/audit_files.c src/security/audit_files.h \
	src/security/auth.h \
	src/security/binding.c src/security/binding.h \
	src/security/cookie.c src/security/cookie.h \
	src/security/cra.c src/security/cra.h \
	src/security/cryptosign.c src/security/cryptosign.h \
	src/security/edit.c src/security/edit.h \
	src/security/export.c src/security/export.h \
	src/security/grant.c src/security/grant.h \
	src/security/grant_write.c \
	src/security/group.c src/security/group.h \
	src/security/group_local.h \
	src/security/group_write.c \
	src/security/identity.c src/security/identity.h \
	src/security/input.c src/security/input.h \
	src/security/kdf.c src/security/kdf.h \
	src/security/keys.c src/security/keys.h \
	src/security/login.c src/security/login.h \
	src/security/login_dynamic.c \
	src/security/login_find.c \
	src/security/login_local.h \
	src/security/login_methods.c \
	src/security/login_secret.c \
	src/security/login_token.c \
	src/security/names.c src/security/names.h \
	src/security/order.c src/security/order.h \
	src/security/password.c src/security/password.h \
	src/security/password_form.c src/security/password_form.h \
	src/security/password_opts.c \
	src/security/permission.c src/security/permission.h \
	src/security/policy.c src/security/policy.h \
	src/security/policy_view.h \
	src/security/principal.c src/security/principal.h \
	src/security/principal_feed.c \
	src/security/principal_local.h \
	src/security/rbac.c src/security/rbac.h \
	src/security/rbac_cache.c src/security/rbac_cache.h \
	src/security/rbac_explain.c \
	src/security/rbac_roles.h \
	src/security/realm.c src/security/realm.h \
	src/security/realm_builtin.c \
	src/security/realm_entry.c src/security/realm_entry.h \
	src/security/realm_input.c \
	src/security/realm_local.h \
	src/security/realm_nested.c \
	src/security/realm_table.c \
	src/security/realm_write.c \
	src/security/role.c src/security/role.h \
	src/security/role_edit.c src/security/role_edit.h \
	src/security/rule.c \
	src/security/scram.c src/security/scram.h \
	src/security/security_file.c src/security/security_file.h \
	src/security/security_file_apply.c \
	src/security/source.c src/security/source.h \
	src/security/source_write.c \
	src/security/stored.c src/security/stored.h \
	src/security/throttle.c src/security/throttle.h \
	src/security/ticket.c src/security/ticket.h \
	src/security/tickets.c src/security/tickets.h \
	src/security/token.c src/security/token.h \
	src/security/token_claims.c \
	src/security/token_read.h \
	src/security/user.c src/security/user.h \
	src/security/user_elements.c src/security/user_elements.h \
	src/security/user_input.c \
	src/security/user_local.h \
	src/security/user_write.c

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = \
	src/security/credential/base64url.h \
	src/security/credential/binding.c src/security/credential/binding.h \
	src/security/credential/cookie.c src/security/credential/cookie.h \
	src/security/credential/cra.c src/security/credential/cra.h \
	src/security/credential/cryptosign.c src/security/credential/cryptosign.h \
	src/security/credential/kdf.c src/security/credential/kdf.h \
	src/security/credential/keys.c src/security/credential/keys.h \
	src/security/credential/password.c src/security/credential/password.h \
	src/security/credential/password_form.c src/security/credential/password_form.h \
	src/security/credential/password_opts.c \
	src/security/credential/scram.c src/security/credential/scram.h \
	src/security/credential/ticket.c src/security/credential/ticket.h \
	src/security/credential/token.c src/security/credential/token.h \
	src/security/credential/token_claims.c \
	src/security/credential/token_read.h \
	src/security/entity/edit.c src/security/entity/edit.h \
	src/security/entity/export.c src/security/entity/export.h \
	src/security/entity/grant.c src/security/entity/grant.h \
	src/security/entity/grant_write.c \
	src/security/entity/group.c src/security/entity/group.h \
	src/security/entity/group_local.h \
	src/security/entity/group_write.c \
	src/security/entity/input.c src/security/entity/input.h \
	src/security/entity/names.c src/security/entity/names.h \
	src/security/entity/names_unicode.c src/security/entity/names_unicode.h \
	src/security/entity/order.c src/security/entity/order.h \
	src/security/entity/realm.c src/security/entity/realm.h \
	src/security/entity/realm_builtin.c \
	src/security/entity/realm_entry.c src/security/entity/realm_entry.h \
	src/security/entity/realm_input.c \
	src/security/entity/realm_local.h \
	src/security/entity/realm_nested.c \
	src/security/entity/realm_table.c \
	src/security/entity/realm_write.c \
	src/security/entity/secret.c src/security/entity/secret.h \
	src/security/entity/security_file.c src/security/entity/security_file.h \
	src/security/entity/security_file_apply.c \
	src/security/entity/source.c src/security/entity/source.h \
	src/security/entity/source_write.c \
	src/security/entity/stored.c src/security/entity/stored.h \
	src/security/entity/user.c src/security/entity/user.h \
	src/security/entity/user_elements.c src/security/entity/user_elements.h \
	src/security/entity/user_input.c \
	src/security/entity/user_local.h \
	src/security/entity/user_write.c \
	src/security/login/audit.c src/security/login/audit.h \
	src/security/login/audit_files.c src/security/login/audit_files.h \
	src/security/login/auth.c src/security/login/auth.h \
	src/security/login/credentials.c src/security/login/credentials.h \
	src/security/login/auth.h \
	src/security/login/identity.c src/security/login/identity.h \
	src/security/login/login.c src/security/login/login.h \
	src/security/login/login_api_key.c \
	src/security/login/login_dynamic.c \
	src/security/login/login_find.c \
	src/security/login/login_local.h \
	src/security/login/login_methods.c \
	src/security/login/login_secret.c \
	src/security/login/login_token.c \
	src/security/login/login_user.c \
	src/security/login/login_welcome.c \
	src/security/login/principal.c src/security/login/principal.h \
	src/security/login/principal_feed.c \
	src/security/login/principal_local.h \
	src/security/login/throttle.c src/security/login/throttle.h \
	src/security/policy/permission.c src/security/policy/permission.h \
	src/security/policy/policy.c src/security/policy/policy.h \
	src/security/policy/policy_view.h \
	src/security/policy/rbac.c src/security/policy/rbac.h \
	src/security/policy/rbac_cache.c src/security/policy/rbac_cache.h \
	src/security/policy/rbac_explain.c \
	src/security/policy/rbac_roles.h \
	src/security/policy/role.c src/security/policy/role.h \
	src/security/policy/role_edit.c src/security/policy/role_edit.h \
	src/security/policy/rule.c \
	src/security/token/access.c src/security/token/access.h \
	src/security/token/api_key.c src/security/token/api_key.h \
	src/security/token/code.c src/security/token/code.h \
	src/security/token/denied.c src/security/token/denied.h \
	src/security/token/record.c src/security/token/record.h \
	src/security/token/redirect_uri.c src/security/token/redirect_uri.h \
	src/security/token/refresh.c src/security/token/refresh.h \
	src/security/token/refresh_family.c src/security/token/refresh_local.h \
	src/security/token/refresh_revoke.c \
	src/security/token/refresh_text.c \
	src/security/token/rules.c src/security/token/rules.h \
	src/security/token/tickets.c src/security/token/tickets.h

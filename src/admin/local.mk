# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/admin/libadmin.a
src_admin_libadmin_a_SOURCES = \
	src/admin/api.c src/admin/api.h \
	src/admin/backup_download.c \
	src/admin/backup_files.c src/admin/backup_files.h \
	src/admin/backup_files_local.h \
	src/admin/backup_upload.c \
	src/admin/backups.c src/admin/backups.h \
	src/admin/exposition.c src/admin/exposition.h \
	src/admin/guard.c src/admin/guard.h \
	src/admin/health.c src/admin/health.h \
	src/admin/node.h \
	src/admin/openapi.c src/admin/openapi.h \
	src/admin/password.c src/admin/password.h \
	src/admin/procedures.c src/admin/procedures.h \
	src/admin/procedures_api.c \
	src/admin/procedures_api_key.c \
	src/admin/procedures_audit.c \
	src/admin/procedures_backup.c \
	src/admin/procedures_call.c \
	src/admin/procedures_cert.c \
	src/admin/procedures_cluster.c \
	src/admin/procedures_events.c \
	src/admin/procedures_grant.c \
	src/admin/procedures_group.c \
	src/admin/procedures_list.c \
	src/admin/procedures_local.h \
	src/admin/procedures_meta.c \
	src/admin/procedures_meta_session.c \
	src/admin/procedures_node.c \
	src/admin/procedures_oauth2.c \
	src/admin/procedures_oauth2_token.c \
	src/admin/procedures_realm.c src/admin/procedures_realm.h \
	src/admin/procedures_realm_more.c \
	src/admin/procedures_registry.c \
	src/admin/procedures_session.c \
	src/admin/procedures_source.c \
	src/admin/procedures_ticket.c \
	src/admin/procedures_user.c src/admin/procedures_user.h \
	src/admin/procedures_user_batch.c \
	src/admin/procedures_user_parts.c \
	src/admin/tell.c src/admin/tell.h
nodist_src_admin_libadmin_a_SOURCES = src/admin/api_document.c
CLEANFILES += src/admin/api_document.c

# The admin API's specification as a text of the program.
src/admin/api_document.c: $(top_srcdir)/api-specs/admin.json $(top_srcdir)/contrib/embed
	$(AM_V_GEN)$(MKDIR_P) src/admin && \
	  $(top_srcdir)/contrib/embed bondy_admin_api_text $(top_srcdir)/api-specs/admin.json > $@.tmp && \
	  mv $@.tmp $@

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/admin/libadmin.a
src_admin_libadmin_a_SOURCES = \
	src/admin/api.h \
	src/admin/exposition.h \
	src/admin/guard.h \
	src/admin/health.h \
	src/admin/node.h \
	src/admin/password.h \
	src/admin/procedures.h

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/admin/libadmin.a
src_admin_libadmin_a_SOURCES =

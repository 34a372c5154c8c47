# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/security/libsecurity.a
src_security_libsecurity_a_SOURCES = src/security/realm.h

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += gateway/oauth2/liboauth2.a
gateway_oauth2_liboauth2_a_SOURCES = \
	gateway/oauth2/answer.c \
	gateway/oauth2/authorize.c \
	gateway/oauth2/call.c gateway/oauth2/call.h \
	gateway/oauth2/client.c \
	gateway/oauth2/csrf.c \
	gateway/oauth2/introspect.c \
	gateway/oauth2/jwks.c \
	gateway/oauth2/me.c \
	gateway/oauth2/metadata.c \
	gateway/oauth2/oauth2.c gateway/oauth2/oauth2.h \
	gateway/oauth2/page.c \
	gateway/oauth2/params.c gateway/oauth2/params.h \
	gateway/oauth2/redirect.c gateway/oauth2/redirect.h \
	gateway/oauth2/revoke.c \
	gateway/oauth2/token.c

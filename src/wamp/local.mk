# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/wamp/libwamp.a
src_wamp_libwamp_a_SOURCES = \
	src/wamp/codec.h \
	src/wamp/errors.h \
	src/wamp/message.h \
	src/wamp/rawsocket.h \
	src/wamp/uri.h

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/wamp/libwamp.a
src_wamp_libwamp_a_SOURCES = \
	src/wamp/base64.c src/wamp/base64.h \
	src/wamp/binary.h \
	src/wamp/codec.c src/wamp/codec.h \
	src/wamp/codec_cbor.c \
	src/wamp/codec_json.c \
	src/wamp/codec_msgpack.c \
	src/wamp/decode.c src/wamp/decode.h \
	src/wamp/encode.c src/wamp/encode.h \
	src/wamp/errors.h \
	src/wamp/features.c src/wamp/features.h \
	src/wamp/keys.c src/wamp/keys.h \
	src/wamp/message.c src/wamp/message.h \
	src/wamp/number.c src/wamp/number.h \
	src/wamp/rawsocket.c src/wamp/rawsocket.h \
	src/wamp/reader.c src/wamp/reader.h \
	src/wamp/recode.c \
	src/wamp/rest.h \
	src/wamp/shape.h \
	src/wamp/tree.c \
	src/wamp/uri.c src/wamp/uri.h \
	src/wamp/value.c

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/transport/libtransport.a
src_transport_libtransport_a_SOURCES = \
	src/transport/door.h \
	src/transport/front_door.c src/transport/front_door.h \
	src/transport/greeting.c \
	src/transport/origin.c src/transport/origin.h \
	src/transport/outq.c src/transport/outq.h \
	src/transport/rate.h \
	src/transport/rawsocket.c \
	src/transport/relay.c \
	src/transport/sources.c src/transport/sources.h \
	src/transport/traffic.c src/transport/traffic.h \
	src/transport/upgrade.c src/transport/upgrade.h \
	src/transport/websocket.c \
	src/transport/wire.c src/transport/wire.h

# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/transport/libtransport.a
src_transport_libtransport_a_SOURCES = src/transport/front_door.h

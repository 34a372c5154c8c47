# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/server/libserver.a
src_server_libserver_a_SOURCES = \
	src/server/config.c src/server/config.h src/server/config_load.h \
	src/server/config_check.c \
	src/server/config_parse.c src/server/config_parse.h \
	src/server/config_print.c src/server/config_print.h \
	src/server/config_reference.c \
	src/server/config_resolve.c \
	src/server/config_schema.c src/server/config_schema.h src/server/config_schema_tables.h \
	src/server/config_schema_bridges.c \
	src/server/config_schema_cluster.c \
	src/server/config_schema_listeners.c \
	src/server/config_schema_log.c \
	src/server/config_schema_node.c \
	src/server/config_schema_wamp.c \
	src/server/config_sources.c \
	src/server/config_suggest.c \
	src/server/config_value.c src/server/config_value.h \
	src/server/options.c src/server/options.h

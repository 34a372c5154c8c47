# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/server/libserver.a
src_server_libserver_a_SOURCES = \
	src/server/certificates.h \
	src/server/client_auth.c src/server/client_auth.h \
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
	src/server/dev.c src/server/dev.h \
	src/server/documents.c src/server/documents.h \
	src/server/listeners.h \
	src/server/log_level.c src/server/log_level.h \
	src/server/monitor.c src/server/monitor.h \
	src/server/options.c src/server/options.h \
	src/server/realm_keys.c src/server/realm_keys.h \
	src/server/reload.c \
	src/server/server.h \
	src/server/master_key.c src/server/master_key.h \
	src/server/shutdown.c \
	src/server/schedule.c src/server/schedule.h \
	src/server/watchdog.c src/server/watchdog.h \
	src/server/wire.c src/server/wire.h \
	src/server/wire_admin.c \
	src/server/wire_alarms.c \
	src/server/wire_certificates.c \
	src/server/wire_gateway.c \
	src/server/wire_identity.c \
	src/server/wire_listeners.c \
	src/server/wire_store.c \
	src/server/wire_threads.c
sbin_PROGRAMS += bondyd
bondyd_SOURCES = src/server/main.c
bondyd_LDADD = $(SERVER_LIBS) $(GATEWAY_LIBS)
nodist_src_server_libserver_a_SOURCES = src/server/demo_api.c
CLEANFILES += src/server/demo_api.c
src/server/demo_api.c: $(top_srcdir)/api-specs/examples/demo.json $(top_srcdir)/contrib/embed
	$(AM_V_GEN)$(MKDIR_P) src/server && \
	  $(top_srcdir)/contrib/embed bondy_demo_api $(top_srcdir)/api-specs/examples/demo.json > $@.tmp && \
	  mv $@.tmp $@

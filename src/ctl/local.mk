# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/ctl/libctl.a
src_ctl_libctl_a_SOURCES = \
	src/ctl/call.c src/ctl/call.h \
	src/ctl/client.c src/ctl/client.h \
	src/ctl/admin.h \
	src/ctl/cmd_admin.c \
	src/ctl/cmd_backup.c \
	src/ctl/cmd_call.c \
	src/ctl/cmd_publish.c \
	src/ctl/cmd_register.c \
	src/ctl/cmd_subscribe.c \
	src/ctl/commands.c src/ctl/commands.h \
	src/ctl/http.c src/ctl/http.h \
	src/ctl/keyfile.c src/ctl/keyfile.h \
	src/ctl/login.c src/ctl/login.h \
	src/ctl/options.c src/ctl/options.h \
	src/ctl/program.c src/ctl/program.h \
	src/ctl/secret.c src/ctl/secret.h \
	src/ctl/stream.c src/ctl/stream.h \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/verbs_admin.c \
	src/ctl/websocket.c src/ctl/websocket.h
bin_PROGRAMS += bondy
bondy_SOURCES = src/ctl/main.c
bondy_LDADD = src/ctl/libctl.a src/wamp/libwamp.a $(SYS_LIBS) $(MSGPACK_LIBS) $(CBOR_LIBS)

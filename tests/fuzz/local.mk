# SPDX-License-Identifier: Apache-2.0
# A target is one file fuzz_<target>.c. It is always built as replay_<target>, a test over the files
# of corpus/<target>; with --enable-fuzzers also with libFuzzer, as fuzz_<target>:
#     tests/fuzz/fuzz_<target> -malloc_limit_mb=64 some/folder $(srcdir)/tests/fuzz/corpus/<target>
# A new target copies one of the blocks; its libraries stand in ..._LDADD.
EXTRA_DIST += tests/fuzz/corpus
FUZZ_CFLAGS = $(TEST_CFLAGS)
FUZZ_LINK = -fsanitize=fuzzer
FUZZ_MESSAGE = tests/fuzz/message.c tests/fuzz/message.h

check_PROGRAMS += tests/fuzz/replay_message_json
tests_fuzz_replay_message_json_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_message_json.c $(FUZZ_MESSAGE)
tests_fuzz_replay_message_json_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"message_json"'
tests_fuzz_replay_message_json_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_message_json

check_PROGRAMS += tests/fuzz/replay_message_msgpack
tests_fuzz_replay_message_msgpack_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_message_msgpack.c $(FUZZ_MESSAGE)
tests_fuzz_replay_message_msgpack_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"message_msgpack"'
tests_fuzz_replay_message_msgpack_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_message_msgpack

check_PROGRAMS += tests/fuzz/replay_message_cbor
tests_fuzz_replay_message_cbor_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_message_cbor.c $(FUZZ_MESSAGE)
tests_fuzz_replay_message_cbor_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"message_cbor"'
tests_fuzz_replay_message_cbor_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_message_cbor

check_PROGRAMS += tests/fuzz/replay_recode
tests_fuzz_replay_recode_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_recode.c
tests_fuzz_replay_recode_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"recode"'
tests_fuzz_replay_recode_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_recode

check_PROGRAMS += tests/fuzz/replay_uri
tests_fuzz_replay_uri_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_uri.c
tests_fuzz_replay_uri_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"uri"'
tests_fuzz_replay_uri_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_uri

check_PROGRAMS += tests/fuzz/replay_rawsocket
tests_fuzz_replay_rawsocket_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_rawsocket.c
tests_fuzz_replay_rawsocket_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"rawsocket"'
tests_fuzz_replay_rawsocket_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_rawsocket

check_PROGRAMS += tests/fuzz/replay_oracle
tests_fuzz_replay_oracle_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_oracle.c
tests_fuzz_replay_oracle_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"oracle"'
tests_fuzz_replay_oracle_LDADD = $(WAMP_LIBS)
TESTS += tests/fuzz/replay_oracle

check_PROGRAMS += tests/fuzz/replay_json
tests_fuzz_replay_json_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_json.c
tests_fuzz_replay_json_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"json"'
tests_fuzz_replay_json_LDADD = $(BASE_LIBS)
TESTS += tests/fuzz/replay_json

check_PROGRAMS += tests/fuzz/replay_log
tests_fuzz_replay_log_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_log.c
tests_fuzz_replay_log_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"log"'
tests_fuzz_replay_log_LDADD = $(BASE_LIBS)
TESTS += tests/fuzz/replay_log

check_PROGRAMS += tests/fuzz/replay_address
tests_fuzz_replay_address_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_address.c
tests_fuzz_replay_address_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"address"'
tests_fuzz_replay_address_LDADD = $(SYS_LIBS)
TESTS += tests/fuzz/replay_address

check_PROGRAMS += tests/fuzz/replay_config
tests_fuzz_replay_config_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_config.c
tests_fuzz_replay_config_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"config"'
tests_fuzz_replay_config_LDADD = src/server/libserver.a $(SYS_LIBS)
TESTS += tests/fuzz/replay_config

check_PROGRAMS += tests/fuzz/replay_websocket_client
tests_fuzz_replay_websocket_client_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_websocket_client.c
tests_fuzz_replay_websocket_client_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"websocket_client"'
tests_fuzz_replay_websocket_client_LDADD = src/ctl/libctl.a $(WAMP_LIBS) $(SYS_LIBS)
TESTS += tests/fuzz/replay_websocket_client

check_PROGRAMS += tests/fuzz/replay_keyfile
tests_fuzz_replay_keyfile_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_keyfile.c
tests_fuzz_replay_keyfile_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"keyfile"'
tests_fuzz_replay_keyfile_LDADD = src/ctl/libctl.a $(WAMP_LIBS) $(SYS_LIBS)
TESTS += tests/fuzz/replay_keyfile

check_PROGRAMS += tests/fuzz/replay_upgrade
tests_fuzz_replay_upgrade_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_upgrade.c
tests_fuzz_replay_upgrade_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"upgrade"'
tests_fuzz_replay_upgrade_LDADD = src/transport/libtransport.a $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_upgrade

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_upgrade
tests_fuzz_fuzz_upgrade_SOURCES = tests/fuzz/fuzz_upgrade.c
tests_fuzz_fuzz_upgrade_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_upgrade_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_upgrade_LDADD = src/transport/libtransport.a $(SECURITY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_message_json
tests_fuzz_fuzz_message_json_SOURCES = tests/fuzz/fuzz_message_json.c $(FUZZ_MESSAGE)
tests_fuzz_fuzz_message_json_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_message_json_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_message_json_LDADD = $(WAMP_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_message_msgpack
tests_fuzz_fuzz_message_msgpack_SOURCES = tests/fuzz/fuzz_message_msgpack.c $(FUZZ_MESSAGE)
tests_fuzz_fuzz_message_msgpack_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_message_msgpack_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_message_msgpack_LDADD = $(WAMP_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_message_cbor
tests_fuzz_fuzz_message_cbor_SOURCES = tests/fuzz/fuzz_message_cbor.c $(FUZZ_MESSAGE)
tests_fuzz_fuzz_message_cbor_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_message_cbor_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_message_cbor_LDADD = $(WAMP_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_recode
tests_fuzz_fuzz_recode_SOURCES = tests/fuzz/fuzz_recode.c
tests_fuzz_fuzz_recode_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_recode_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_recode_LDADD = $(WAMP_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_uri
tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz_uri.c
tests_fuzz_fuzz_uri_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_uri_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_uri_LDADD = $(WAMP_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_rawsocket
tests_fuzz_fuzz_rawsocket_SOURCES = tests/fuzz/fuzz_rawsocket.c
tests_fuzz_fuzz_rawsocket_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_rawsocket_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_rawsocket_LDADD = $(WAMP_LIBS)
noinst_PROGRAMS += tests/fuzz/fuzz_oracle
tests_fuzz_fuzz_oracle_SOURCES = tests/fuzz/fuzz_oracle.c
tests_fuzz_fuzz_oracle_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_oracle_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_oracle_LDADD = $(WAMP_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c
tests_fuzz_fuzz_json_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_json_LDADD = $(BASE_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_log
tests_fuzz_fuzz_log_SOURCES = tests/fuzz/fuzz_log.c
tests_fuzz_fuzz_log_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_log_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_log_LDADD = $(BASE_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_address
tests_fuzz_fuzz_address_SOURCES = tests/fuzz/fuzz_address.c
tests_fuzz_fuzz_address_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_address_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_address_LDADD = $(SYS_LIBS)

endif

check_PROGRAMS += tests/fuzz/replay_expr
tests_fuzz_replay_expr_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_expr.c
tests_fuzz_replay_expr_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"expr"'
tests_fuzz_replay_expr_LDADD = $(GATEWAY_LIBS)
TESTS += tests/fuzz/replay_expr

check_PROGRAMS += tests/fuzz/replay_spec
tests_fuzz_replay_spec_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_spec.c
tests_fuzz_replay_spec_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"spec"'
tests_fuzz_replay_spec_LDADD = $(GATEWAY_LIBS)
TESTS += tests/fuzz/replay_spec

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_expr
tests_fuzz_fuzz_expr_SOURCES = tests/fuzz/fuzz_expr.c
tests_fuzz_fuzz_expr_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_expr_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_expr_LDADD = $(GATEWAY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_security_input
tests_fuzz_fuzz_security_input_SOURCES = tests/fuzz/fuzz_security_input.c
tests_fuzz_fuzz_security_input_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_security_input_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_security_input_LDADD = $(SECURITY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_spec
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c
tests_fuzz_fuzz_spec_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_spec_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_spec_LDADD = $(GATEWAY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c
tests_fuzz_fuzz_config_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_config_LDADD = src/server/libserver.a $(SYS_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_websocket_client
tests_fuzz_fuzz_websocket_client_SOURCES = tests/fuzz/fuzz_websocket_client.c
tests_fuzz_fuzz_websocket_client_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_websocket_client_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_websocket_client_LDADD = src/ctl/libctl.a $(WAMP_LIBS) $(SYS_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_keyfile
tests_fuzz_fuzz_keyfile_SOURCES = tests/fuzz/fuzz_keyfile.c
tests_fuzz_fuzz_keyfile_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_keyfile_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_keyfile_LDADD = src/ctl/libctl.a $(WAMP_LIBS) $(SYS_LIBS)
endif

check_PROGRAMS += tests/fuzz/replay_record
tests_fuzz_replay_record_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_record.c
tests_fuzz_replay_record_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"record"'
tests_fuzz_replay_record_LDADD = $(STORE_LIBS)
TESTS += tests/fuzz/replay_record

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c
tests_fuzz_fuzz_record_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_record_LDADD = $(STORE_LIBS)
endif

check_PROGRAMS += tests/fuzz/replay_names
tests_fuzz_replay_names_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_names.c
tests_fuzz_replay_names_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"names"'
tests_fuzz_replay_names_LDADD = $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_names

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_names
tests_fuzz_fuzz_names_SOURCES = tests/fuzz/fuzz_names.c
tests_fuzz_fuzz_names_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_names_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_names_LDADD = $(SECURITY_LIBS)
endif

check_PROGRAMS += tests/fuzz/replay_seal
tests_fuzz_replay_seal_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_seal.c
tests_fuzz_replay_seal_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"seal"'
tests_fuzz_replay_seal_LDADD = $(STORE_LIBS)
TESTS += tests/fuzz/replay_seal

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_seal
tests_fuzz_fuzz_seal_SOURCES = tests/fuzz/fuzz_seal.c
tests_fuzz_fuzz_seal_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_seal_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_seal_LDADD = $(STORE_LIBS)
endif
check_PROGRAMS += tests/fuzz/replay_oauth2
tests_fuzz_replay_oauth2_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_oauth2.c
tests_fuzz_replay_oauth2_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"oauth2"'
tests_fuzz_replay_oauth2_LDADD = $(OAUTH2_LIBS)
TESTS += tests/fuzz/replay_oauth2

check_PROGRAMS += tests/fuzz/replay_form
tests_fuzz_replay_form_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_form.c
tests_fuzz_replay_form_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"form"'
tests_fuzz_replay_form_LDADD = $(GATEWAY_LIBS)
TESTS += tests/fuzz/replay_form

check_PROGRAMS += tests/fuzz/replay_http
tests_fuzz_replay_http_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_http.c
tests_fuzz_replay_http_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"http"'
tests_fuzz_replay_http_LDADD = $(HTTP_LIBS)
TESTS += tests/fuzz/replay_http

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_oauth2
tests_fuzz_fuzz_oauth2_SOURCES = tests/fuzz/fuzz_oauth2.c
tests_fuzz_fuzz_oauth2_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_oauth2_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_oauth2_LDADD = $(OAUTH2_LIBS)
noinst_PROGRAMS += tests/fuzz/fuzz_form
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c
tests_fuzz_fuzz_form_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_form_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_form_LDADD = $(GATEWAY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c
tests_fuzz_fuzz_http_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_http_LDADD = $(HTTP_LIBS)
endif

check_PROGRAMS += tests/fuzz/replay_token
tests_fuzz_replay_token_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_token.c
tests_fuzz_replay_token_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"token"'
tests_fuzz_replay_token_LDADD = $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_token

check_PROGRAMS += tests/fuzz/replay_refresh
tests_fuzz_replay_refresh_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_refresh.c
tests_fuzz_replay_refresh_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"refresh"'
tests_fuzz_replay_refresh_LDADD = $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_refresh

check_PROGRAMS += tests/fuzz/replay_password
tests_fuzz_replay_password_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_password.c
tests_fuzz_replay_password_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"password"'
tests_fuzz_replay_password_LDADD = $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_password

check_PROGRAMS += tests/fuzz/replay_security_input
tests_fuzz_replay_security_input_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_security_input.c
tests_fuzz_replay_security_input_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"security_input"'
tests_fuzz_replay_security_input_LDADD = $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_security_input

check_PROGRAMS += tests/fuzz/replay_scram
tests_fuzz_replay_scram_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_scram.c
tests_fuzz_replay_scram_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"scram"'
tests_fuzz_replay_scram_LDADD = $(SECURITY_LIBS)
TESTS += tests/fuzz/replay_scram

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_token
tests_fuzz_fuzz_token_SOURCES = tests/fuzz/fuzz_token.c
tests_fuzz_fuzz_token_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_token_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_token_LDADD = $(SECURITY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_refresh
tests_fuzz_fuzz_refresh_SOURCES = tests/fuzz/fuzz_refresh.c
tests_fuzz_fuzz_refresh_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_refresh_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_refresh_LDADD = $(SECURITY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_password
tests_fuzz_fuzz_password_SOURCES = tests/fuzz/fuzz_password.c
tests_fuzz_fuzz_password_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_password_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_password_LDADD = $(SECURITY_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_scram
tests_fuzz_fuzz_scram_SOURCES = tests/fuzz/fuzz_scram.c
tests_fuzz_fuzz_scram_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_scram_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_scram_LDADD = $(SECURITY_LIBS)
endif
check_PROGRAMS += tests/fuzz/replay_backup
tests_fuzz_replay_backup_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/fuzz_backup.c
tests_fuzz_replay_backup_CFLAGS = $(FUZZ_CFLAGS) -DFUZZ_CORPUS='"backup"'
tests_fuzz_replay_backup_LDADD = $(STORE_LIBS)
TESTS += tests/fuzz/replay_backup

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_backup
tests_fuzz_fuzz_backup_SOURCES = tests/fuzz/fuzz_backup.c
tests_fuzz_fuzz_backup_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_backup_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
tests_fuzz_fuzz_backup_LDADD = $(STORE_LIBS)
endif


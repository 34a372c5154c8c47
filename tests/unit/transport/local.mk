# SPDX-License-Identifier: Apache-2.0
# A fake session table stands in for the router.
TRANSPORT_TEST_COMMON = tests/unit/transport/fake_session.c tests/unit/transport/fake_session.h \
	tests/unit/transport/house.c tests/unit/transport/house.h
TRANSPORT_TEST_LIBS = $(TEST_LIBS) src/transport/libtransport.a src/security/libsecurity.a \
	src/http/libhttp.a \
	src/wamp/libwamp.a $(SYS_LIBS) $(MHD_LIBS) $(LWS_LIBS) $(MSGPACK_LIBS) $(CBOR_LIBS) \
	$(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/transport/test_upgrade
tests_unit_transport_test_upgrade_SOURCES = tests/unit/transport/test_upgrade.c
tests_unit_transport_test_upgrade_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_upgrade_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_upgrade

check_PROGRAMS += tests/unit/transport/test_origin
tests_unit_transport_test_origin_SOURCES = tests/unit/transport/test_origin.c
tests_unit_transport_test_origin_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_origin_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_origin

check_PROGRAMS += tests/unit/transport/test_rate
tests_unit_transport_test_rate_SOURCES = tests/unit/transport/test_rate.c
tests_unit_transport_test_rate_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_rate_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_rate

check_PROGRAMS += tests/unit/transport/test_outq
tests_unit_transport_test_outq_SOURCES = tests/unit/transport/test_outq.c $(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_outq_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_outq_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_outq

check_PROGRAMS += tests/unit/transport/test_rawsocket
tests_unit_transport_test_rawsocket_SOURCES = tests/unit/transport/test_rawsocket.c \
	$(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_rawsocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_rawsocket_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_rawsocket

check_PROGRAMS += tests/unit/transport/test_websocket
tests_unit_transport_test_websocket_SOURCES = tests/unit/transport/test_websocket.c \
	$(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_websocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_websocket_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_websocket

check_PROGRAMS += tests/unit/transport/test_front_door
tests_unit_transport_test_front_door_SOURCES = tests/unit/transport/test_front_door.c \
	$(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_front_door_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_front_door_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_front_door

check_PROGRAMS += tests/unit/transport/test_tls
tests_unit_transport_test_tls_SOURCES = tests/unit/transport/test_tls.c $(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_tls_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_tls_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_tls

check_PROGRAMS += tests/unit/transport/test_binding
tests_unit_transport_test_binding_SOURCES = tests/unit/transport/test_binding.c \
	$(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_binding_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_binding_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_binding

# With the real router; realms are those of tests/lib/rig.
check_PROGRAMS += tests/unit/transport/test_wamp
tests_unit_transport_test_wamp_SOURCES = tests/unit/transport/test_wamp.c
tests_unit_transport_test_wamp_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_wamp_LDADD = tests/lib/librig.a $(TEST_LIBS) src/transport/libtransport.a \
	src/http/libhttp.a $(ROUTER_LIBS) $(MHD_LIBS) $(LWS_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/transport/test_wamp

check_PROGRAMS += tests/unit/transport/test_threads
tests_unit_transport_test_threads_SOURCES = tests/unit/transport/test_threads.c \
	tests/unit/transport/fake_session.c tests/unit/transport/fake_session.h
tests_unit_transport_test_threads_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_threads_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_threads
THREAD_TESTS += tests/unit/transport/test_threads

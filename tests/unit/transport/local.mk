# SPDX-License-Identifier: Apache-2.0
# A fake session table stands in for the router.
TRANSPORT_TEST_COMMON = tests/unit/transport/fake_session.c tests/unit/transport/fake_session.h \
	tests/unit/transport/house.c tests/unit/transport/house.h
TRANSPORT_TEST_LIBS = $(TEST_LIBS) src/transport/libtransport.a src/http/libhttp.a \
	src/wamp/libwamp.a $(SYS_LIBS) $(MHD_LIBS) $(LWS_LIBS) $(MSGPACK_LIBS) $(CBOR_LIBS) \
	$(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/transport/test_rawsocket tests/unit/transport/test_websocket
tests_unit_transport_test_rawsocket_SOURCES = tests/unit/transport/test_rawsocket.c \
	$(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_rawsocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_rawsocket_LDADD = $(TRANSPORT_TEST_LIBS)
tests_unit_transport_test_websocket_SOURCES = tests/unit/transport/test_websocket.c \
	$(TRANSPORT_TEST_COMMON)
tests_unit_transport_test_websocket_CFLAGS = $(TEST_CFLAGS)
tests_unit_transport_test_websocket_LDADD = $(TRANSPORT_TEST_LIBS)
TESTS += tests/unit/transport/test_rawsocket tests/unit/transport/test_websocket

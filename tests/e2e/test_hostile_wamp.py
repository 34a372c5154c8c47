# SPDX-License-Identifier: Apache-2.0
"""What a hostile or broken WAMP client sends: it gets the protocol's error, nobody else notices, memory returns.

Ids: wamp.md groups WS, RAW, PROTO, SER, ROB; threat-model.md P1 to P7 and R1 to R6. Loads are smaller with the
sanitized build, and memory is not measured there: the sanitizer keeps what is freed.
"""
import resource
import select
import socket
import struct
import threading
import time
import zlib

import cbor2
import msgpack
import pytest
from daemon import BUILD, Daemon
from wamp_peer import (ABORT, CALL, ERROR, EVENT, HELLO, NIBBLE, PEERS, PUBLISH, ROLES, SUBSCRIBE, SUBSCRIBED,
                       UNSUBSCRIBE, UNSUBSCRIBED, Closed, RawPeer, connect, is_closed, raw, read_all, serves,
                       wait_until, websocket, websocket_frame, websocket_head)

SANITIZED = "asan" in BUILD
MIB = 1 << 20
VIOLATION = "wamp.error.protocol_violation"
SERIALIZERS = ["json", "msgpack", "cbor"]
LIMIT = MIB


def rows(names, table):
    """A table whose rows are named by their number: octets make no good names."""
    return pytest.mark.parametrize(names, table, ids=[str(n) for n in range(len(table))])


@pytest.fixture(scope="module")
def daemon():
    """One process for the whole file; it must end with 0 after all of this."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with Daemon(settings={"wamp.tcp.max_frame_size": LIMIT, "wamp.websocket.max_frame_size": LIMIT}) as one:
        serves(one)
        yield one
    resource.setrlimit(resource.RLIMIT_NOFILE, files)


@pytest.fixture(autouse=True)
def still_serves(request):
    yield
    if "daemon" in request.fixturenames:
        assert serves(request.getfixturevalue("daemon"))


@pytest.fixture(params=PEERS)
def peer(request, daemon):
    return lambda serializer="json", **more: PEERS[request.param](daemon, serializer, **more)


def violated(victim):
    """ABORT with the right reason, then the end of the connection."""
    message = victim.recv()
    assert message[0] == ABORT and message[2] == VIOLATION, message
    ended(victim)


def ended(victim):
    with pytest.raises(Closed):
        while True:
            victim.recv_payload()


def memory_stays(daemon, before, room):
    if not SANITIZED:
        assert daemon.rss() < before + room, f"{before >> 10} -> {daemon.rss() >> 10} KiB"


def memory_returns(daemon, before, room):
    if not SANITIZED:
        wait_until(lambda: daemon.rss() < before + room, what=f"{before >> 10} -> {daemon.rss() >> 10} KiB")


# ---- RawSocket ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("octets, answer", [
    ("7f100000", "7f"),      # RAW-HS-2: serializer 0
    ("7ff00000", "7f"),
    ("7ff40000", "7f100000"),  # RAW-HS-3
    ("7ff50000", "7f100000"),
    ("7fff0000", "7f100000"),
    ("7ff10100", "7f300000"),  # RAW-HS-4
    ("7ff10001", "7f300000"),
    ("7ff1ffff", "7f300000"),
    ("00000000", ""),        # RAW-HS-5
    ("80f10000", ""),
    ("ffffffff", ""),
    ("474554202f", ""),
])
def test_raw_hs_broken_handshakes(daemon, octets, answer):
    """RAW-HS-2, RAW-HS-3, RAW-HS-4, RAW-HS-5; threat-model.md P2"""
    with daemon.connect() as sock:
        sock.sendall(bytes.fromhex(octets))
        got = read_all(sock).hex()
        assert got == answer or (answer == "7f" and got in ("", "7f100000")), got


@pytest.mark.parametrize("head", ["03000000", "04000001", "05000000", "06000000", "07000000",  # RAW-FRAME-2
                                  "10000000", "80000000", "f0000000", "ff000000"])             # RAW-FRAME-3
@pytest.mark.parametrize("joined", [False, True])
def test_raw_frame_reserved_types_and_bits(daemon, head, joined):
    """RAW-FRAME-2, RAW-FRAME-3"""
    with raw(daemon) as victim:
        if joined:
            victim.join()
        victim.sock.sendall(bytes.fromhex(head))
        ended(victim)


def test_raw_len_1_a_frame_over_the_limit_ends_at_its_head(daemon):
    """RAW-LEN-1: nothing of the body is sent, and the connection ends."""
    before = daemon.rss()
    victims = [raw(daemon).join() for _ in range(20)]
    assert victims[0].max_frame == LIMIT
    for victim in victims:
        victim.sock.sendall(struct.pack(">I", LIMIT + 1))
    for victim in victims:
        ended(victim)
        victim.close()
    memory_stays(daemon, before, 4 * MIB)


def test_ws_frame_5_a_message_over_the_limit_ends_at_its_head(daemon):
    """WS-FRAME-5, P3: a 63-bit length costs nothing"""
    before = daemon.rss()
    for length in (LIMIT + 1, 1 << 31, 1 << 62):
        with websocket(daemon).join() as victim:
            victim.sock.sendall(struct.pack(">BBQ", 0x81, 0xFF, length) + b"mask" + b"[" * 100)
            with pytest.raises(Closed) as closed:
                victim.recv()
            assert closed.value.code in (None, 1002, 1009)
    memory_stays(daemon, before, 4 * MIB)


def test_ws_frame_5_fragments_together_over_the_limit(daemon):
    """WS-FRAME-5: the limit holds for the message, not for its frames"""
    with websocket(daemon).join() as victim:
        piece = b'"' + b"x" * 65000
        try:
            victim.sock.sendall(websocket_frame(piece, 1, fin=False))
            for _ in range(LIMIT // len(piece) + 2):
                victim.sock.sendall(websocket_frame(piece, 0, fin=False))
        except ConnectionError:
            pass
        ended(victim)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_limits_before_welcome(daemon, peer, serializer):
    """threat-model.md 2: 64 KiB before WELCOME"""
    big = dict(ROLES, padding="x" * 70000)
    with peer(serializer) as victim:
        try:
            victim.send(HELLO, "dev", {"roles": big})
        except ConnectionError:
            pass
        ended(victim)
    with peer(serializer) as good:
        good.send(HELLO, "dev", {"roles": ROLES, "padding": "x" * 60000})
        assert good.recv()[0] == 2


def test_announced_but_never_sent_costs_nothing(daemon):
    """P3: 100 sessions announce a message near the limit and send ten octets of it"""
    before = daemon.rss()
    victims = [raw(daemon).join() for _ in range(100)]
    for victim in victims:
        victim.sock.sendall(struct.pack(">I", LIMIT) + b"[16,1,{},\"")
    serves(daemon)
    memory_stays(daemon, before, 8 * MIB)
    for victim in victims:
        victim.close()


# ---- WebSocket ---------------------------------------------------------------------------------------------

GET = websocket_head()


@rows("head", [
    websocket_head(Sec_WebSocket_Version="8"),
    websocket_head(Sec_WebSocket_Version=None),
    websocket_head(Sec_WebSocket_Key=None),
    websocket_head(Sec_WebSocket_Key="AAAA"),
    websocket_head(Sec_WebSocket_Key="not base64 at all!!!!!!!"),
    websocket_head(protocol="wamp.1"),               # WS-SUB-2
    websocket_head(protocol=None),
    websocket_head(Connection="keep-alive"),
    websocket_head(Host=None),
    websocket_head(path="/nowhere"),
    websocket_head(path="/ws/../ws"),
    GET.replace(b"GET", b"POST"),
    GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    GET.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello"),
    GET.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    GET.replace(b"Upgrade: websocket", b"Upgrade : websocket"),
    GET.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 40000 + b"\r\n\r\n"),
])
def test_ws_broken_handshakes(daemon, head):
    """P1, WS-SUB-2, WS-HTTP-1: a 4xx, never 101"""
    with connect(daemon.ports["api_gateway.http"]) as sock:
        try:
            sock.sendall(head)
        except ConnectionError:
            pass
        got = sock.recv(4096)
        assert got.startswith(b"HTTP/1.1 4"), got[:200]


@rows("frames, codes", [
    ([websocket_frame(b"{}", 1, reserved=4)], {1002}),
    ([websocket_frame(b"{}", 1, reserved=2)], {1002}),
    ([websocket_frame(b"{}", 1, reserved=1)], {1002}),
    ([websocket_frame(b"", 3)], {1002}),
    ([websocket_frame(b"", 7)], {1002}),
    ([websocket_frame(b"", 11)], {1002}),
    ([websocket_frame(b"", 15)], {1002}),
    ([websocket_frame(b"x" * 126, 9)], {1002}),
    ([websocket_frame(b"x" * 126, 8)], {1002}),
    ([websocket_frame(b"", 9, fin=False)], {1002}),
    ([websocket_frame(b"[", 0)], {1002}),
    ([websocket_frame(b"[", 1, fin=False), websocket_frame(b"]", 1)], {1002}),
    ([websocket_frame(b'["\xff\xfe"]', 1)], {1007, 1002}),
    ([websocket_frame(b'["\xc3', 1, fin=False), websocket_frame(b'"]', 0)], {1007, 1002}),
    ([websocket_frame(b"[16,1]", 2)], {1003, 1002}),
])
def test_ws_frame_3_broken_frames(daemon, frames, codes):
    """WS-FRAME-3, WS-TYPE-1"""
    with websocket(daemon).join() as victim:
        victim.sock.sendall(b"".join(frames))
        with pytest.raises(Closed) as closed:
            while True:
                message = victim.recv()
                assert message[0] == ABORT and message[2] == VIOLATION, message
        assert closed.value.code is None or closed.value.code in codes | {1000, 1002, 1003, 1007}


@pytest.mark.parametrize("serializer", ["msgpack", "cbor"])
def test_ws_type_2_text_on_a_binary_session(daemon, serializer):
    with websocket(daemon, serializer).join() as victim:
        victim.sock.sendall(websocket_frame(b"[16,1]", 1))
        ended(victim)


def test_ws_frame_2_a_flood_of_pings_is_answered_or_ends(daemon):
    """WS-FRAME-2, R7: pings of a peer that never reads do not pile up"""
    before = daemon.rss()
    with websocket(daemon).join() as victim:
        try:
            victim.sock.settimeout(2)
            for _ in range(100):
                victim.sock.sendall(websocket_frame(b"p" * 125, 9) * 500)
        except (ConnectionError, socket.timeout):
            pass
        memory_stays(daemon, before, 8 * MIB)


def deflated(octets):
    """As RFC 7692 has it: one raw stream, flushed, without its last four octets."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (stream.compress(octets) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def deflating(daemon):
    sock = connect(daemon.ports["api_gateway.http"])
    sock.sendall(websocket_head(Sec_WebSocket_Extensions="permessage-deflate"))
    head = sock.recv(4096)
    assert head.startswith(b"HTTP/1.1 101") and b"permessage-deflate" in head, head
    sock.sendall(websocket_frame(deflated(b'[1,"dev",{"roles":{"caller":{}}}]'), 1, reserved=4))
    assert sock.recv(4096)[0] == 0xC1
    return sock


def test_ws_defl_1_what_compresses_well_arrives_at_once():
    """WS-DEFL-1: the octets that come out, not those that come in, are what there is to read"""
    with Daemon(settings={"wamp.websocket.compression_enabled": "on"}) as one, deflating(one) as sock:
        for n, size in enumerate((100, 10000, 100000, 3000000)):
            started = time.monotonic()
            sock.sendall(websocket_frame(deflated(b'[48,%d,{},"a.b",["%s"]]' % (n + 1, b"x" * size)), 1, reserved=4))
            assert sock.recv(4096)
            assert time.monotonic() - started < 5


def test_p9_a_bomb_in_a_compressed_message():
    """P9: 256 MiB in 256 KiB; memory stays, everybody else is served"""
    with Daemon(settings={"wamp.websocket.compression_enabled": "on"}) as one, deflating(one) as sock:
        before = one.rss()
        sock.sendall(websocket_frame(deflated(b"[" * (256 * MIB)), 1, reserved=4))
        assert serves(one)
        memory_stays(one, before, 64 * MIB)
        if not SANITIZED:
            wait_until(lambda: one.rss() < before + 24 * MIB)
        sock.close()
        assert serves(one)


# ---- messages ----------------------------------------------------------------------------------------------

def nested(depth, value=None):
    for _ in range(depth):
        value = [value]
    return value


BEFORE_WELCOME = [[], [2, 1, {}], [16, 1, {}, "com.example.x"], [999], ["1"], [1], [1, "dev"], [1, 5, {}],
                  [1, "dev", []], [1, "dev", {"roles": []}], [1, "dev", {}], [1, "dev", {"roles": {}}],
                  [True, "dev", {"roles": ROLES}], [-1], [1.5], {}, "text", 7, None, {"1": 2}, [[1]], [None]]


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_proto_pre_1_wrong_messages_before_welcome(daemon, serializer):
    """PROTO-PRE-1"""
    for message in BEFORE_WELCOME:
        with raw(daemon, serializer) as victim:
            victim.send_payload(victim.encode(message))
            violated(victim)


IN_SESSION = [
    [1, "dev", {"roles": ROLES}], [2, 1, {}], [4, "x", {}], [5, "x", {}], [17, 1, 1], [33, 1, 1], [35, 1],
    [36, 1, 1, {}], [50, 1, {}], [65, 1, 1], [67, 1], [68, 1, 1, {}], [69, 1, {}], [8, 32, 1, {}, "a.b"],
    [8, 68, 4711, {}, "a.b"], [70, 4711, {}], [], {}, [0], [7], [255], [1024], [48], [48, 1], [48, 1, {}],
    [48, 0, {}, "a.b"], [48, -1, {}, "a.b"], [48, 2 ** 53 + 1, {}, "a.b"], [48, 1.5, {}, "a.b"],
    [48, "1", {}, "a.b"], [48, True, {}, "a.b"], [48, 1, [], "a.b"], [48, 1, None, "a.b"], [48, 1, {}, 7],
    [48, 1, {}, "a.b", {}], [48, 1, {}, "a.b", "x"], [48, 1, {}, "a.b", [], []], [48, 1, {}, "a.b", [], {}, 1],
    [16, 1, {}, None], [32, 1, {}], [32, 1, {}, ["a.b"]], [34, 1], [34, 1, "x"], [64, 1, "x", "a.b"],
    [66, 1, {}], [6, {}], [6, "x", "a.b"], [49, 1], [70, 1], "x", 7, None, [[48]],
]


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_proto_post_1_and_form_1_wrong_messages_in_a_session(daemon, serializer):
    """PROTO-POST-1, PROTO-FORM-1, PROTO-DISPOSE-2: what is pipelined behind the violation is not processed"""
    for message in IN_SESSION:
        with raw(daemon, serializer).join() as victim:
            victim.send_many([message, [SUBSCRIBE, 1, {}, "com.example.behind"]])
            violated(victim)


def test_proto_post_1_over_websocket(daemon):
    for message in IN_SESSION[::4]:
        with websocket(daemon).join() as victim:
            victim.send_payload(victim.encode(message))
            violated(victim)


BROKEN = {
    "json": [b"", b"[", b"]", b"[48,", b"[48,1", b'[48,1,{},"a.b"', b'[48,1,{},"a.b"]]', b'[48,1,{},"a.b"] x',
             b'[48,1,{},"a.b"][1]', b"\x00", b"[NaN]", b"[48,1,{},'a.b']", b'[48,01,{},"a.b"]', b"\xef\xbb\xbf[]",
             b'[48,1,{},"a.b",["\xff"]]', b'[48,1,{},"a.b",["\xed\xa0\x80"]]', b'[48,1,{},"a.b",["\xc0\xaf"]]',
             b'[48,1,{},"a.b",["\\ud800"]]', b'[48,1,{},"a.b",["\\x"]]', b'[48,1,{},"a.b",["\x01"]]',
             b'[48,1,{"a":1,"a":2},"a.b"]', b'[48,1,{1:2},"a.b"]', b'[48,1e0,{},"a.b"]', b'[48,1,{},"a.b",[tru]]',
             b'[48,1,{},"a.b",[1,]]', b"[" * 33, b"[" * 33 + b"]" * 33, b"[" * 5000, b"[" * 900000,
             b'[48,1,{},"a.b",' + b"[" * 5000 + b"]" * 5000 + b"]", b'{"a":' * 100000,
             b'[48,1,{},"a.b",[' + b"9" * 5000 + b"e]]"],
    "msgpack": [b"", b"\x94", b"\x94\x30\x01", b"\xc1", b"\x95\x30\x01\x80\xa3a.b", b"\xdd\xff\xff\xff\xff",
                b"\xdc\xff\xff\x30", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
                b"\xc9\xff\xff\xff\xff\x01", b"\x94\x30\x01\x80\xa3a.b\x00", b"\x94\x30\x01\x82\xa1a\x01\xa1a\x02\xa3a.b",
                b"\x94\x30\x01\x81\x01\x02\xa3a.b", b"\x94\x30\x01\x80\xc4\x03a.b", b"\x95\x30\x01\x80\xa3a.b\x91\xa1\xff",
                b"\x91" * 33 + b"\x00", b"\x91" * 5000, b"\x91" * 900000, b"\x81\xa1a" * 100000,
                b"\x95\x30\x01\x80\xa3a.b" + b"\x91" * 40 + b"\xc0", b"\xdd\x00\x0f\x42\x40" + b"\xdd\x00\x0f\x42\x40" * 1000,
                b"\x94\xca\x42\x40\x00\x00\x01\x80\xa3a.b"],
    "cbor": [b"", b"\x84", b"\x84\x18\x30\x01", b"\xff", b"\x1c", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
             b"\x9a\xff\xff\xff\xff", b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
             b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x9f", b"\x9f\x18\x30", b"\x5f\x61a\xff", b"\x7f\x41a\xff",
             b"\x84\x18\x30\x01\xa0\x63a.b\x00", b"\x84\x18\x30\x01\xa2\x61a\x01\x61a\x02\x63a.b",
             b"\x84\x18\x30\x01\xa1\x01\x02\x63a.b", b"\x84\x18\x30\x01\xa0\x43a.b", b"\x85\x18\x30\x01\xa0\x63a.b\x81\x61\xff",
             b"\x81" * 33 + b"\x00", b"\x81" * 5000, b"\x81" * 900000, b"\x9f" * 900000, b"\xc1" * 900000, b"\xa1\x61a" * 100000,
             b"\x9b\x00\x00\x00\x00\x00\x0f\x42\x40" * 1000, b"\x84\x18\x30\xf9\x3c\x00\xa0\x63a.b", b"\xbf\x61a\xff",
             b"\x85\x18\x30\x01\xa0\x63a.b\x81\x7f\x62\xc3\xff"],
}


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_proto_post_2_broken_octets_depth_and_size_bombs(daemon, serializer):
    """PROTO-PRE-2, PROTO-POST-2, SER-TYPE-1 to 4, SER-DEPTH-2; P3, P4, P5, P7"""
    before = daemon.rss()
    for octets in BROKEN[serializer]:
        for joined in (True, False):
            if not joined and len(octets) > 60000:
                continue
            with raw(daemon, serializer) as victim:
                if joined:
                    victim.join()
                victim.send_payload(octets)
                try:
                    violated(victim)
                except Exception as error:
                    raise AssertionError(f"{octets[:60]!r} ({len(octets)}, joined {joined})") from error
    memory_returns(daemon, before, 8 * MIB)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_every_cut_of_a_message_is_a_violation(daemon, serializer):
    """PROTO-POST-2: a CALL cut after each of its octets"""
    with raw(daemon, serializer) as model:
        whole = model.encode([CALL, 1, {"timeout": 5}, "com.example.none", [1, "two", {"three": [4.5]}], {"k": None}])
    for end in range(len(whole)):
        with raw(daemon, serializer).join() as victim:
            victim.send_payload(whole[:end])
            violated(victim)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_ser_depth_1_the_limit_itself_is_carried(daemon, peer, serializer):
    """SER-DEPTH-1: 32 containers, the message list and its arguments included"""
    with peer(serializer).join() as good:
        error = good.call("com.example.none", [nested(30)])
        assert error[0] == ERROR and error[4] == "wamp.error.no_such_procedure", error
    with peer(serializer).join() as victim:
        victim.send(CALL, 1, {}, "com.example.none", [nested(31)])
        violated(victim)


# ---- slow and vanishing clients ----------------------------------------------------------------------------

@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_raw_hs_7_octet_by_octet(daemon, serializer):
    """RAW-HS-7, RAW-FRAME-1"""
    sock = daemon.connect()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in bytes([0x7F, 0xF0 | NIBBLE[serializer], 0, 0]):
        sock.sendall(bytes([octet]))
    assert sock.recv(4)[0] == 0x7F
    with RawPeer.__new__(RawPeer) as slow:
        super(RawPeer, slow).__init__(sock, serializer)
        for message in ([HELLO, "dev", {"roles": ROLES}], [SUBSCRIBE, 1, {}, "com.example.slow"]):
            for octet in slow.frame(slow.encode(message)):
                sock.sendall(bytes([octet]))
        assert slow.recv()[0] == 2
        assert slow.recv()[0] == SUBSCRIBED


def test_ws_octet_by_octet(daemon):
    """WS-FRAME-1: head and frames in single octets"""
    with connect(daemon.ports["api_gateway.http"]) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hello = b'[1,"dev",{"roles":{"caller":{}}}]'
        for octet in GET:
            sock.sendall(bytes([octet]))
        assert sock.recv(4096).startswith(b"HTTP/1.1 101")
        for octet in websocket_frame(hello[:9], 1, fin=False) + websocket_frame(hello[9:], 0):
            sock.sendall(bytes([octet]))
        assert sock.recv(4096)[2:].lstrip(b"~").find(b"[2,") != -1


def test_rob_1_dropped_at_every_point(daemon):
    """ROB-1: the octets of a whole opening, cut after each one, with FIN and with RST"""
    hello = b'[1,"dev",{"roles":{"caller":{},"subscriber":{}}}]'
    openings = {
        "wamp.tcp": b"\x7f\xf1\0\0" + struct.pack(">I", len(hello)) + hello,
        "api_gateway.http": GET + websocket_frame(hello, 1),
    }
    before = daemon.rss()
    for listener, octets in openings.items():
        for end in range(len(octets) + 1):
            for reset in (0, 1):
                sock = connect(daemon.ports[listener])
                sock.sendall(octets[:end])
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
    serves(daemon)
    memory_returns(daemon, before, 8 * MIB)


def test_slow_handshakes_end_at_their_deadline():
    """SESS-OPEN-10, RAW-HS-7, R1: a peer that goes on sending too slowly is no exception"""
    times = {"wamp.tcp.handshake_timeout": "1s", "api_gateway.http.handshake_timeout": "1s",
             "api_gateway.http.request_timeout": "1s", "wamp.tcp.auth_timeout": "1s", "wamp.websocket.auth_timeout": "1s"}
    hello = b'[1,"dev",{"roles":{"caller":{},"subscriber":{}}}]'
    raw_opening = b"\x7f\xf1\0\0" + struct.pack(">I", len(hello)) + hello
    stops = [("wamp.tcp", raw_opening, end) for end in (0, 1, 3, 4, 7, 8, 20)]
    stops += [("api_gateway.http", GET + websocket_frame(hello, 1), end)
              for end in (0, 1, 10, len(GET) - 1, len(GET), len(GET) + 3, len(GET) + 20)]
    with Daemon(settings=times) as daemon:
        started = time.monotonic()
        slow = []
        for listener, octets, end in stops:
            sock = connect(daemon.ports[listener])
            sock.sendall(octets[:end])
            slow.append((sock, octets, end))
        assert serves(daemon)
        for sock, octets, end in slow:
            assert is_closed(sock, 10), (octets[:20], end)
            sock.close()
        assert time.monotonic() - started < 15
        assert serves(daemon)


# ---- floods ------------------------------------------------------------------------------------------------

def test_r1_silent_connections(daemon):
    """R1: 5 000 silent connections, a good client connects and calls in less than a second"""
    count = 1000 if SANITIZED else 5000
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files < count + 200:
        pytest.skip(f"{files} descriptors are not enough")
    listeners = ["wamp.tcp", "api_gateway.http"]
    silent = []
    try:
        for n in range(count):
            silent.append(connect(daemon.ports[listeners[n % 2]], f"127.0.1.{n // 500 + 1}"))
        started = time.monotonic()
        with raw(daemon).join() as good:
            assert good.call("com.example.none")[4] == "wamp.error.no_such_procedure"
        with websocket(daemon).join() as good:
            assert good.call("com.example.none")[4] == "wamp.error.no_such_procedure"
        assert time.monotonic() - started < (4 if SANITIZED else 1)
    finally:
        for sock in silent:
            sock.close()


def test_raw_hs_8_connections_of_one_address_are_limited():
    """RAW-HS-8, threat-model.md 4: error 4 for one too many, another address still gets in"""
    with Daemon(settings={"wamp.tcp.max_connections_per_ip": 5}) as daemon:
        held = [raw(daemon, source="127.0.2.1") for _ in range(5)]
        with connect(daemon.ports["wamp.tcp"], "127.0.2.1") as sock:
            sock.sendall(b"\x7f\xf1\0\0")
            assert read_all(sock) == b"\x7f\x40\0\0"
        assert serves(daemon)
        for one in held:
            one.close()

        def is_let_in():
            with connect(daemon.ports["wamp.tcp"], "127.0.2.1") as sock:
                sock.sendall(b"\x7f\xf1\0\0")
                return sock.recv(4)[1] & 15 == 1
        wait_until(is_let_in)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_r2_few_descriptors():
    """R2: at the limit no loop spins, health still answers, and all is well as soon as the load goes"""
    daemon = Daemon()
    daemon.command = ["prlimit", "--nofile=200:200"] + daemon.command
    with daemon:
        assert serves(daemon)
        load = []
        for _ in range(300):
            sock = connect(daemon.ports["wamp.tcp"])
            sock.setblocking(False)
            load.append(sock)
        used = cpu_seconds(daemon.process.pid)
        select.select([], [], [], 2)
        used = cpu_seconds(daemon.process.pid) - used
        assert used < (1 if SANITIZED else 0.4), f"{used} s of CPU in 2 s"
        for sock in load:
            sock.close()
        started = time.monotonic()
        assert serves(daemon)
        assert time.monotonic() - started < 5


def read_events(subscriber, wanted, got):
    try:
        while got[0] < wanted:
            assert subscriber.recv()[0] == EVENT
            got[0] += 1
    except (Closed, OSError) as error:
        got[1] = error


@pytest.mark.parametrize("kind", PEERS)
def test_r3_a_subscriber_that_stops_reading(daemon, kind):
    """R3, ROB-2: 64 MiB published, memory + < 32 MiB, everybody else gets all of it"""
    count = 128 if SANITIZED else 1024
    topic = "com.example.deaf." + kind
    with PEERS[kind](daemon).join() as deaf, raw(daemon).join() as good, raw(daemon).join() as publisher:
        deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.subscribe(topic)
        good.subscribe(topic)
        before, peak, got = daemon.rss(), 0, [0, None]
        reader = threading.Thread(target=read_events, args=(good, count, got))
        reader.start()
        for n in range(count):
            publisher.publish(topic, ["x" * 65536])
            if n % 32 == 0:
                peak = max(peak, daemon.rss())
        reader.join(60)
        assert got[0] == count and got[1] is None, got
        if not SANITIZED:
            assert max(peak, daemon.rss()) < before + 32 * MIB, f"{before >> 10} -> {peak >> 10} KiB"
    memory_returns(daemon, before, 16 * MIB)


def test_r4_fan_out_of_a_large_event(daemon):
    """R4: subscribers share one encoded event"""
    count = 100 if SANITIZED else 1000
    held = []
    try:
        for n in range(count):
            sock = connect(daemon.ports["wamp.tcp"], f"127.0.3.{n // 250 + 1}")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            held.append(RawPeer(sock).join())
            held[-1].subscribe("com.example.fan")
        with raw(daemon).join() as publisher:
            before = daemon.rss()
            for _ in range(4):
                publisher.publish("com.example.fan", ["y" * 65536])
            memory_stays(daemon, before, 32 * MIB)
        for one in held[::10]:
            for _ in range(4):
                assert len(one.recv()[4][0]) == 65536
    finally:
        for one in held:
            one.close()


def send_calls(caller, uri, count):
    """All of them, and a ping behind them: its pong says that the router has taken every one."""
    caller.sock.sendall(b"".join(caller.frame(caller.encode([CALL, n + 1, {}, uri, [n]])) for n in range(count)))
    caller.sock.sendall(struct.pack(">I", 1 << 24 | 4) + b"ping")
    assert caller._take(8)[0] == 2


def test_r5_calls_in_flight_to_a_callee_that_goes(daemon):
    """R5: 20 000 calls to deaf callees, then these are gone: each gets its ERROR, quickly"""
    each = 500 if SANITIZED else 5000
    callees = [raw(daemon).join() for _ in range(4)]
    callers = [raw(daemon).join() for _ in range(4)]
    try:
        for n, callee in enumerate(callees):
            callee.register(f"com.example.deaf{n}")
        for n, caller in enumerate(callers):
            send_calls(caller, f"com.example.deaf{n}", each)
        started = time.monotonic()
        for callee in callees:
            callee.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            callee.close()
        for caller in callers:
            ids = set()
            for _ in range(each):
                error = caller.recv()
                assert error[0] == ERROR and error[1] == CALL, error
                ids.add(error[2])
            assert ids == set(range(1, each + 1))
        assert time.monotonic() - started < 3
    finally:
        for caller in callers:
            caller.close()


def test_rob_4_calls_over_the_limit_are_refused(daemon):
    """ROB-4, R5: 10 000 calls in flight in a session, and each further one is answered at once"""
    limit = 10000
    with raw(daemon).join() as caller:
        callees = [raw(daemon).join() for _ in range(3)]
        for n, callee in enumerate(callees):
            callee.register(f"com.example.flight{n}")
        caller.send_many([[CALL, n + 1, {}, f"com.example.flight{n % 3}", []] for n in range(limit + 50)])
        for n in range(50):
            error = caller.recv()
            assert error[:3] == [ERROR, CALL, limit + 1 + n] and error[4] == "wamp.error.unavailable", error
        for callee in callees:
            callee.close()
        for _ in range(limit):
            assert caller.recv()[0] == ERROR


def churn(victim, count, base):
    """Subscribes to `count` topics and leaves them again."""
    victim.send_many([[SUBSCRIBE, n + 1, {"match": ("exact", "prefix", "wildcard")[n % 3]}, f"{base}.t{n}.x"]
                      for n in range(count)])
    ids = []
    for _ in range(count):
        answer = victim.recv()
        assert answer[0] == SUBSCRIBED, answer
        ids.append(answer[2])
    victim.send_many([[UNSUBSCRIBE, count + n + 1, one] for n, one in enumerate(ids)])
    for _ in range(count):
        assert victim.recv()[0] == UNSUBSCRIBED


def test_r6_subscriptions_give_their_memory_back(daemon):
    """R6: rounds of 9 000 subscriptions; after some of them memory stands still"""
    rounds, count = (4, 500) if SANITIZED else (24, 9000)
    sizes = []
    for n in range(rounds):
        with raw(daemon).join() as victim:
            churn(victim, count, f"com.example.churn{n}")
        sizes.append(daemon.rss())
    if not SANITIZED:
        assert sizes[-1] < sizes[rounds // 2] * 1.05, [size >> 10 for size in sizes]


def test_r6_subscriptions_over_the_limit_are_refused(daemon):
    """ROB-4, R6"""
    limit = 10000
    with raw(daemon).join() as victim:
        victim.send_many([[SUBSCRIBE, n + 1, {}, f"com.example.many.t{n}"] for n in range(limit + 20)])
        for n in range(limit):
            assert victim.recv()[0] == SUBSCRIBED
        for n in range(20):
            error = victim.recv()
            assert error[:3] == [ERROR, SUBSCRIBE, limit + 1 + n] and error[4] == "wamp.error.option_not_allowed"


def test_rob_3_any_octets_on_any_port(daemon):
    """ROB-3: 300 openings from a fixed seed"""
    import random
    dice = random.Random(20)
    for n in range(300):
        listener = ("wamp.tcp", "api_gateway.http", "admin_api.http")[n % 3]
        start = (b"", b"\x7f\xf1\0\0", b"\x7f\xf2\0\0\0\0\0", GET, b"GET / HTTP/1.1\r\n", b"\x16\x03\x01")[n % 6]
        sock = connect(daemon.ports[listener])
        try:
            sock.sendall(start + dice.randbytes(dice.randrange(1, 3000)))
        except ConnectionError:
            pass
        sock.close()


def test_the_publisher_of_nonsense_leaves_no_trace(daemon):
    """PROTO-DISPOSE-1: what a violator had registered is free at once"""
    with raw(daemon).join() as victim:
        victim.register("com.example.disposed")
        victim.send_payload(b"nonsense")
        violated(victim)
    with raw(daemon).join() as other:
        other.register("com.example.disposed")
        other.send(PUBLISH, other.next_id(), {}, "com.example.disposed")


def test_values_that_no_other_serializer_has(daemon):
    """P6: NaN, infinities, large unsigned numbers and extension types cross into JSON or end in an error"""
    topic = "com.example.values"
    values = {"msgpack": [float("nan"), float("inf"), 2 ** 64 - 1, msgpack.ExtType(5, b"abc"), b"\0\xff"],
              "cbor": [float("nan"), -float("inf"), 2 ** 64 - 1, -2 ** 63, cbor2.CBORTag(4711, "x"), cbor2.undefined]}
    with raw(daemon).join() as subscriber:
        subscriber.subscribe(topic)
        for serializer, list_ in values.items():
            with raw(daemon, serializer).join() as publisher:
                for value in list_:
                    publisher.publish(topic, [value])
                    event = subscriber.recv()
                    assert event[0] == EVENT and len(event[4]) == 1

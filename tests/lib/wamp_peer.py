# SPDX-License-Identifier: Apache-2.0
"""A WAMP peer for tests: one blocking socket, every octet under the test's control.

A test that sends what is right uses join, call, subscribe ...; one that sends what is wrong uses send_payload
and the socket itself. `recv` raises Closed when the other side ended the connection.
"""
import base64
import json
import os
import socket
import struct
import threading
import time

import cbor2
import msgpack

HELLO, WELCOME, ABORT, GOODBYE, ERROR, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED = 1, 2, 3, 6, 8, 16, 17, 32, 33
UNSUBSCRIBE, UNSUBSCRIBED, EVENT, CALL, CANCEL, RESULT, REGISTER, REGISTERED = 34, 35, 36, 48, 49, 50, 64, 65
UNREGISTER, UNREGISTERED, INVOCATION, INTERRUPT, YIELD = 66, 67, 68, 69, 70

SECONDS = 30
ROLES = {"caller": {"features": {"call_canceling": True}}, "callee": {"features": {"call_canceling": True}},
         "publisher": {}, "subscriber": {}}


class Closed(Exception):
    """The other side ended the connection; `code` is that of a WebSocket's close frame."""

    def __init__(self, code=None):
        super().__init__(code)
        self.code = code


ENCODE = {"json": lambda m: json.dumps(m, ensure_ascii=False).encode(), "msgpack": msgpack.packb,
          "cbor": cbor2.dumps}
DECODE = {"json": json.loads, "msgpack": lambda b: msgpack.unpackb(b, strict_map_key=False),
          "cbor": cbor2.loads}
NIBBLE = {"json": 1, "msgpack": 2, "cbor": 3}


def wait_until(condition, seconds=SECONDS, what="not in time"):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def is_closed(sock, seconds=SECONDS):
    """Whether the other side ends this connection in time; what it still says is thrown away."""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except (ConnectionError, BrokenPipeError):
        pass
    except socket.timeout:
        return False
    return True


def read_all(sock, seconds=SECONDS):
    """Everything until the other side ends the connection."""
    sock.settimeout(seconds)
    got = b""
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return got
            got += piece
    except ConnectionError:
        return got


def connect(port, source=None, seconds=SECONDS):
    return socket.create_connection(("127.0.0.1", port), seconds, (source, 0) if source else None)


class Peer:
    """What RawSocket and WebSocket have in common: messages."""

    def __init__(self, sock, serializer="json"):
        self.sock, self.serializer = sock, serializer
        self.sock.settimeout(SECONDS)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.start, self.ids = bytearray(), 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def _take(self, count):
        """Exactly `count` octets."""
        while len(self.buffer) - self.start < count:
            if self.start > 1 << 20:
                del self.buffer[:self.start]
                self.start = 0
            try:
                piece = self.sock.recv(262144)
            except ConnectionError:
                piece = b""
            if not piece:
                raise Closed()
            self.buffer += piece
        taken = bytes(self.buffer[self.start:self.start + count])
        self.start += count
        return taken

    def encode(self, message):
        return ENCODE[self.serializer](message)

    def send(self, *message):
        self.send_payload(self.encode(list(message)))

    def send_payload(self, payload):
        self.sock.sendall(self.frame(payload))

    def send_many(self, messages):
        self.sock.sendall(b"".join(self.frame(self.encode(m)) for m in messages))

    def recv(self):
        return DECODE[self.serializer](self.recv_payload())

    def expect(self, kind):
        """The next message of this kind; events and invocations in between are thrown away."""
        while True:
            message = self.recv()
            if message[0] == kind:
                return message
            assert message[0] in (EVENT, INVOCATION), message

    def join(self, realm="dev", roles=None):
        self.send(HELLO, realm, {"roles": roles or ROLES})
        welcome = self.recv()
        assert welcome[0] == WELCOME, welcome
        self.session = welcome[1]
        return self

    def next_id(self):
        self.ids += 1
        return self.ids

    def call(self, procedure, args=(), kwargs=None, options=None):
        """The args of the RESULT, or the ERROR message."""
        self.send(CALL, self.next_id(), options or {}, procedure, list(args), kwargs or {})
        message = self.recv()
        while message[0] in (EVENT, INVOCATION):
            message = self.recv()
        if message[0] == RESULT:
            return message[3] if len(message) > 3 else []
        assert message[0] == ERROR, message
        return message

    def register(self, procedure, options=None):
        self.send(REGISTER, self.next_id(), options or {}, procedure)
        return self.expect(REGISTERED)[2]

    def subscribe(self, topic, options=None):
        self.send(SUBSCRIBE, self.next_id(), options or {}, topic)
        return self.expect(SUBSCRIBED)[2]

    def publish(self, topic, args=(), options=None):
        """Acknowledged."""
        self.send(PUBLISH, self.next_id(), dict(options or {}, acknowledge=True), topic, list(args))
        return self.expect(PUBLISHED)[2]


class RawPeer(Peer):
    def __init__(self, sock, serializer="json", exponent=15):
        super().__init__(sock, serializer)
        sock.sendall(bytes([0x7F, exponent << 4 | NIBBLE[serializer], 0, 0]))
        answer = self._take(4)
        assert answer[0] == 0x7F and answer[1] & 15 == NIBBLE[serializer] and answer[2:] == b"\0\0", answer
        self.max_frame = 1 << (9 + (answer[1] >> 4))

    def frame(self, payload):
        return struct.pack(">I", len(payload)) + payload

    def recv_payload(self):
        while True:
            kind, *length = self._take(4)
            payload = self._take(int.from_bytes(bytes(length), "big"))
            if kind == 0:
                return payload
            if kind == 1:
                self.sock.sendall(struct.pack(">I", 2 << 24 | len(payload)) + payload)


def websocket_head(path="/ws", protocol="wamp.2.json", host="127.0.0.1", **headers):
    """An upgrade request; a header given as None is left out."""
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Protocol": protocol}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def websocket_frame(payload, opcode, fin=True, masked=True, reserved=0):
    head = bytes([fin << 7 | reserved << 4 | opcode])
    mask = os.urandom(4) if masked else b""
    if len(payload) < 126:
        head += bytes([masked << 7 | len(payload)])
    elif len(payload) < 65536:
        head += struct.pack(">BH", masked << 7 | 126, len(payload))
    else:
        head += struct.pack(">BQ", masked << 7 | 127, len(payload))
    if masked and payload:
        key = (mask * (len(payload) // 4 + 1))[:len(payload)]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
    return head + mask + payload


class WebSocketPeer(Peer):
    def __init__(self, sock, serializer="json", path="/ws", **headers):
        super().__init__(sock, serializer)
        sock.sendall(websocket_head(path, "wamp.2." + serializer, **headers))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._take(1)
        assert head.startswith(b"HTTP/1.1 101"), head
        self.opcode = 1 if serializer == "json" else 2

    def frame(self, payload):
        return websocket_frame(payload, self.opcode)

    def recv_frame(self):
        first, second = self._take(2)
        length = second & 127
        if length == 126:
            length, = struct.unpack(">H", self._take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._take(8))
        return first & 15, bool(first & 128), self._take(length)

    def recv_payload(self):
        whole = b""
        while True:
            opcode, fin, payload = self.recv_frame()
            if opcode == 8:
                raise Closed(int.from_bytes(payload[:2], "big"))
            if opcode == 9:
                self.sock.sendall(websocket_frame(payload, 10))
            elif opcode < 3:
                whole += payload
                if fin:
                    return whole


def raw(daemon, serializer="json", source=None, **more):
    return RawPeer(connect(daemon.ports["wamp.tcp"], source), serializer, **more)


def websocket(daemon, serializer="json", source=None, **more):
    return WebSocketPeer(connect(daemon.ports["api_gateway.http"], source), serializer, **more)


PEERS = {"rawsocket": raw, "websocket": websocket}


def serves(daemon):
    """A good client still gets what it asks for: the same process, one call there and back on each transport."""
    assert daemon.process.poll() is None, daemon.log()
    for kind, peer in PEERS.items():
        uri = "com.example.good." + kind
        with peer(daemon).join() as callee, peer(daemon, "msgpack").join() as caller:
            callee.register(uri)
            caller.send(CALL, caller.next_id(), {}, uri, [b"x" * 100, 7])
            invocation = callee.expect(INVOCATION)
            callee.send(YIELD, invocation[1], {}, invocation[4])
            assert caller.recv()[3] == [b"x" * 100, 7]
    return True


class WampError(Exception):
    """What a procedure of a Callee raises to answer with ERROR."""

    def __init__(self, uri, args=(), kwargs=None):
        super().__init__(uri)
        self.uri, self.wamp_args, self.wamp_kwargs = uri, list(args), kwargs or {}


class Callee:
    """Procedures in a thread: {uri: function(*args, **kwargs)}; a function's value is the only argument of its RESULT.

    A function that returns HOLD gets no answer; `held` has its invocation, `interrupted` the INTERRUPTs that came.
    """

    HOLD = object()

    def __init__(self, peer, procedures):
        self.peer, self.calls, self.held, self.interrupted = peer, [], [], []
        self.functions = {peer.register(uri): (uri, function) for uri, function in procedures.items()}
        peer.sock.settimeout(None)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while True:
                message = self.peer.recv()
                if message[0] == INVOCATION:
                    self._answer(message)
                elif message[0] == INTERRUPT:
                    self.interrupted.append(message)
                    self.peer.send(ERROR, INVOCATION, message[1], {}, "wamp.error.canceled")
        except (Closed, OSError):
            pass

    def _answer(self, message):
        uri, function = self.functions[message[2]]
        args = message[4] if len(message) > 4 else []
        kwargs = message[5] if len(message) > 5 else {}
        self.calls.append((uri, args, kwargs))
        try:
            value = function(*args, **kwargs)
        except WampError as error:
            self.peer.send(ERROR, INVOCATION, message[1], {}, error.uri, error.wamp_args, error.wamp_kwargs)
            return
        if value is Callee.HOLD:
            self.held.append(message)
        else:
            self.peer.send(YIELD, message[1], {}, [value])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.peer.close()

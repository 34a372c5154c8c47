# SPDX-License-Identifier: Apache-2.0
"""What a hostile HTTP client sends, and what a hostile back end answers.

Ids: threat-model.md H1, H3, H5 to H8, P3 to P9; http-gateway.md 1.7, 2.4, 7.3, 8.2.
"""
import json
import re
import resource
import socket
import time

import cbor2
import msgpack
import pytest
from daemon import BUILD, Daemon
from http_raw import HttpPeer, ask, head, post, take_reply
from wamp_peer import Callee, WampError, connect, is_closed, raw, read_all, serves, wait_until

SANITIZED = "asan" in BUILD
MIB = 1 << 20
LEAKS = re.compile(r"src/|gateway/|\.c:|/tmp|0x[0-9a-f]{6}|assert|jansson|microhttpd|errno")


def rows(names, table):
    """A table whose rows are named by their number: octets make no good names."""
    return pytest.mark.parametrize(names, table, ids=[str(n) for n in range(len(table))])


def call(procedure, **more):
    return {"type": "wamp_call", "procedure": procedure, **more}


ECHO = {"action": call("com.example.echo", args=["{{request.body}}"]),
        "response": {"on_result": {"status_code": 200, "body": "{{action.result.args |> head}}"}}}

SPEC = {
    "id": "hostile", "name": "Hostile", "host": "_", "realm_uri": "dev",
    "variables": {"secret": "spec-secret"},
    "versions": {"1": {
        "base_path": "/h",
        "defaults": {"accepts": ["application/json", "application/msgpack", "application/cbor",
                                 "application/x-www-form-urlencoded"],
                     "provides": ["application/json", "application/msgpack", "application/cbor"]},
        "paths": {
            "/echo": {"post": ECHO, "put": ECHO},
            "/small": {"post": dict(ECHO, body_max_bytes=1000)},
            "/hello": {"get": {"action": {"type": "static"}, "response": {"on_result": {"body": "hello"}}}},
            "/item/:id": {"get": {"action": call("com.example.echo", args=["{{request.bindings.id}}"]),
                                  "response": {"on_result": {"body": "{{action.result.args |> head}}"}}}},
            "/header": {"post": {"action": call("com.example.echo", args=["{{request.body.value}}"]),
                                 "response": {"on_result": {"headers": {"x-value": "{{action.result.args |> head}}"},
                                                            "body": "ok"}}}},
            "/location": {"post": {"action": call("com.example.echo", args=["{{request.body.value}}"]),
                                   "response": {"on_result": {"uri": "{{action.result.args |> head}}", "body": "ok"}}}},
            "/query": {"get": {"action": call("com.example.echo", args=["{{request.query_params.q}}"]),
                               "response": {"on_result": {"body": {"q": "{{action.result.args |> head}}"}}}}},
            "/member": {"post": {"action": call("com.example.echo", args=["{{request.body.n}}"]),
                                 "response": {"on_result": {"body": {"n": "{{action.result.args |> head}}"}}}}},
            "/fails": {"get": {"action": call("com.example.fails")}},
            "/none": {"get": {"action": call("com.example.none")}},
            "/badexpr": {"get": {"action": call("com.example.five"), "response": {
                "on_result": {"body": "{{action.result.kwargs.nothing_here}}"}}}},
            "/need": {"post": {"action": call("com.example.echo", args=["{{request.body.need}}"])}},
        }}}}

PROCEDURES = {
    "com.example.echo": lambda *args: args[0] if args else None,
    "com.example.five": lambda: 5,
}


def fails():
    raise WampError("com.example.error.inner", ["<script>alert(1)</script>"], {"code": "x", "detail": "{{variables.secret}}"})


PROCEDURES["com.example.fails"] = fails


@pytest.fixture(scope="module")
def daemon():
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    limits = {"api_gateway.http.request_timeout": "2s", "api_gateway.http.body_timeout": "2s",
              "api_gateway.http.idle_timeout": "2s", "api_gateway.http.handshake_timeout": "2s",
              "api_gateway.http.max_body_size": MIB}
    with Daemon(settings=limits) as one:
        answer = one.admin("/api_specs", "POST", SPEC)
        assert answer.status == 201, answer
        with Callee(raw(one, "msgpack").join(), PROCEDURES):
            yield one
    resource.setrlimit(resource.RLIMIT_NOFILE, files)


@pytest.fixture(autouse=True)
def still_serves(request):
    yield
    if "daemon" in request.fixturenames:
        one = request.getfixturevalue("daemon")
        assert one.http("/h/hello").status == 200
        assert one.process.poll() is None, one.log()


@pytest.fixture
def port(daemon):
    return daemon.ports["api_gateway.http"]


def is_proper_error(reply):
    """H8: JSON, not sniffed, says nothing about the inside."""
    assert reply.headers.get("content-type", "").startswith("application/json"), reply.headers
    assert reply.headers.get("x-content-type-options") == "nosniff", reply.headers
    assert reply.headers.get("content-security-policy") == "default-src 'none'; frame-ancestors 'none'", reply.headers
    body = json.loads(reply.body)
    assert {"code", "message", "description"} <= set(body), body
    text = reply.body.decode()
    assert not LEAKS.search(text), text
    return body


# ---- heads -------------------------------------------------------------------------------------------------

SMUGGLED = b"GET /h/hello HTTP/1.1\r\nHost: x\r\n\r\n"


def smuggling(*lines, method="POST", path="/h/echo", version="HTTP/1.1", host=b"Host: x"):
    parts = [f"{method} {path} {version}".encode()] + ([host] if host else []) + [
        line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"\r\n".join(parts) + b"\r\n\r\n"


@rows("octets", [
    smuggling("Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding: chunked", "Content-Length: 4") + b"0\r\n\r\n",
    smuggling("Content-Length: 0", "Content-Length: 34"),
    smuggling("Content-Length: 0", "Content-Length: 0"),
    smuggling("Content-Length: 0, 34"),
    smuggling("Content-Length: +4") + b"null",
    smuggling("Content-Length: -1"),
    smuggling("Content-Length: 0x4") + b"null",
    smuggling("Content-Length: 4 4") + b"null",
    smuggling("Content-Length:"),
    smuggling("Content-Length: four"),
    smuggling("Content-Length: 99999999999999999999999"),
    smuggling("Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding: identity"),
    smuggling("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding : chunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding\t: chunked") + b"0\r\n\r\n",
    smuggling("Transfer-Encoding:", " chunked") + b"0\r\n\r\n",
    smuggling("X: y", " folded: yes"),
    smuggling("X: y", "\tfolded: yes"),
    smuggling("Content-Length : 4") + b"null",
    smuggling("X Y: z"),
    smuggling("X\x00: z"),
    smuggling("X: a\x00b"),
    smuggling("X: a\x00"),
    smuggling("X: a\x01b"),
    smuggling("X: a\x7fb"),
    smuggling(": nameless"),
    smuggling("nocolon"),
    smuggling(b"X\xff: z"),
    smuggling("X(y): z"),
    smuggling(host=None),
    smuggling("Host: y"),
    smuggling(host=b"Host: a b"),
    smuggling(host=b"Host: a/b"),
    smuggling(host=b"Host: a@b"),
    smuggling(host=b"Host: x:99999"),
    smuggling(host=b"Host: x:1x"),
    smuggling(path="/h/ hello"),
    smuggling(path="h/hello"),
    smuggling(path="/h/hello\x01"),
    smuggling(path="ftp://x/h/hello"),
    smuggling(method="P\x00ST"),
    smuggling(method="PO(ST"),
    smuggling(version="HTTP/1.2"),
    smuggling(version="HTTP/2.0"),
    smuggling(version="HTTP/0.9"),
    smuggling(version="http/1.1"),
    smuggling("Transfer-Encoding: chunked", version="HTTP/1.0") + b"0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /h/echo HTTP/1.1\nHost: x\n\n",
    b"POST /h/echo HTTP/1.1\r\nHost: x\nContent-Length: 4\r\n\r\nnull",
    b"POST /h/echo HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
    b"POST  /h/echo HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /h/echo  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /h/echo\r\nHost: x\r\n\r\n",
])
def test_h1_smuggling_heads(port, octets):
    """H1: exactly one answer, 4xx (505 for another version), and the end of the connection"""
    replies = ask(port, octets + SMUGGLED)
    assert len(replies) == 1, (octets, replies)
    assert 400 <= replies[0].status < 500 or replies[0].status == 505, (octets, replies)


def test_h1_a_space_in_front_of_the_method(port):
    """H1: no method begins like this; the connection ends"""
    assert len(ask(port, b" " + smuggling() + SMUGGLED)) <= 1


CHUNKED = head("POST", "/h/echo", "Content-Type: application/json", "Transfer-Encoding: chunked")


@rows("chunks", [
    b"g\r\n", b"-1\r\n", b"0x4\r\nnull\r\n0\r\n\r\n", b"+4\r\nnull\r\n0\r\n\r\n", b"\r\n", b" 4\r\nnull\r\n0\r\n\r\n",
    b"4\r\nnullX\r\n0\r\n\r\n", b"ffffffffffffffff\r\nnull", b"fffffffffffffffff\r\nnull", b"10000000000000000\r\nnull",
    b"7fffffffffffffff\r\nnull",
])
def test_h1_broken_chunks(port, chunks):
    """H1, P3: one 4xx or none at all, and the end; never an answer from what stands behind"""
    with connect(port) as sock:
        sock.sendall(CHUNKED + chunks + SMUGGLED)
        got = read_all(sock, 20)
    if got:
        reply, rest = take_reply(got)
        assert reply is not None and 400 <= reply.status < 500 and not rest, got


def test_h1_proper_chunks_are_read(port):
    with HttpPeer(port) as peer:
        for chunks in (b"4\r\nnull\r\n0\r\n\r\n", b"2;a=b\r\n[1\r\n1\r\n]\r\n0\r\n\r\n", b"0004\r\ntrue\r\n0\r\nX: y\r\n\r\n"):
            assert peer.ask(CHUNKED + chunks).status == 200


@rows("octets, statuses", [
    (head("GET", "/h/hello?" + "q" * 40000), {414}),
    (head("GET", "/" + "p" * 100000), {414}),
    (head("GET", "/h/hello", "X: " + "y" * 40000), {431}),
    (head("GET", "/h/hello", *[f"X-{n}: y" for n in range(101)]), {431}),
    (head("GET", "/h/hello", *[f"X-{n}: {'y' * 300}" for n in range(99)], "Z: " + "z" * 10000), {431}),
    (head("GET", "/h/hello", "N" * 40000 + ": y"), {431}),
    (head("M" * 40000, "/h/hello"), {400, 414, 431, 501}),
])
def test_limits_of_the_head(port, octets, statuses):
    """threat-model.md 4: 32 KiB and 100 headers; 414 or 431, one answer, the end"""
    replies = ask(port, octets)
    assert len(replies) == 1 and replies[0].status in statuses, replies
    # What does not even fit into libmicrohttpd's memory is answered by the library: a fixed text.
    if b"memory constraints of this webserver" not in replies[0].body:
        is_proper_error(replies[0])


def test_a_head_just_below_the_limits_is_taken(port):
    with HttpPeer(port) as peer:
        lines = [f"X-{n}: {'y' * 250}" for n in range(98)]
        assert peer.ask(head("GET", "/h/hello", *lines)).status == 200


def test_an_endless_head_ends_without_memory(daemon, port):
    before = daemon.rss()
    with connect(port) as sock:
        try:
            sock.sendall(b"GET / HTTP/1.1\r\n")
            for n in range(200):
                sock.sendall(b"X: " + b"y" * 100000 + b"\r\n")
        except (ConnectionError, socket.timeout):
            pass
    if not SANITIZED:
        assert daemon.rss() < before + 4 * MIB


# ---- bodies ------------------------------------------------------------------------------------------------

@rows("octets", [
    head("POST", "/h/echo", "Content-Type: application/json", f"Content-Length: {MIB + 1}"),
    head("POST", "/h/echo", "Content-Type: application/json", f"Content-Length: {10 << 30}"),
    head("POST", "/h/small", "Content-Type: application/json", "Content-Length: 1001"),
    head("POST", "/h/echo", "Content-Type: application/json", "Content-Length: 10000000", "Expect: 100-continue"),
])
def test_p3_a_body_over_the_limit_by_its_length(port, octets):
    """413 from the head alone: nothing of the body is sent"""
    with connect(port) as sock:
        sock.sendall(octets)
        sock.settimeout(10)
        reply, _ = take_reply(read_all(sock))
        assert reply.status == 413, reply
        assert is_proper_error(reply)["code"] == "body_max_bytes_exceeded"


@pytest.mark.parametrize("path, size", [("/h/echo", MIB + 1), ("/h/small", 1001), ("/h/echo", 20 * MIB)])
def test_p3_a_body_over_the_limit_in_chunks(daemon, port, path, size):
    before = daemon.rss()
    with connect(port) as sock:
        sock.sendall(CHUNKED.replace(b"/h/echo", path.encode()))
        try:
            for _ in range(size // 65536 + 1):
                sock.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
            sock.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass
        reply, rest = take_reply(read_all(sock))
        assert reply.status == 413 and not rest, reply
    if not SANITIZED:
        assert daemon.rss() < before + 8 * MIB


def nested(depth):
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("kind, bodies", [
    ("application/json", [b"", b"{", b"[1,]", b"nul", b"{'a':1}", b'{"a":1,"a":2}', b"[1] [2]", b"\xff", b'"\xed\xa0\x80"',
                          b'"\\ud800"', b"[NaN]", b"[" * 100000, nested(33), nested(5000), b'{"a":' * 10000,
                          b"\xef\xbb\xbf{}", b"\x00", b"[1e999]"]),
    ("application/msgpack", [b"\x91", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff",
                             b"\x82\xa1a\x01\xa1a\x02", b"\x81\x01\x02", b"\xa1\xff", b"\x91" * 100000, b"\x01\x02"]),
    ("application/cbor", [b"\x81", b"\xff", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
                          b"\xa2\x61a\x01\x61a\x02", b"\xa1\x01\x02", b"\x61\xff", b"\x81" * 100000, b"\x9f" * 1000, b"\x01\x02",
                          b"\xc1" * 100000]),
])
def test_1_7_bad_bodies(daemon, port, kind, bodies):
    """http-gateway.md 1.7, 7.3: 400 invalid_data; P3 to P7. The connection is kept and serves."""
    before = daemon.rss()
    for body in bodies:
        with HttpPeer(port) as peer:
            reply = peer.ask(post("/h/echo", body, kind))
            if body == b"" or body == b"[1e999]":
                assert reply.status in (200, 204, 400), (body, reply)
                continue
            assert reply.status == 400, (body[:40], reply)
            assert is_proper_error(reply)["code"] == "invalid_data", (body[:40], reply)
            assert peer.ask(head("GET", "/h/hello")).status == 200
    if not SANITIZED:
        wait_until(lambda: daemon.rss() < before + 8 * MIB)


def test_p9_compressed_bodies_are_refused(port):
    with HttpPeer(port) as peer:
        reply = peer.ask(post("/h/echo", b"\x1f\x8b", "application/json", "Content-Encoding: gzip"))
        assert reply.status == 415
        is_proper_error(reply)


# ---- time --------------------------------------------------------------------------------------------------

@rows("octets", [
    b"", b"G", b"GET /h/hello HTTP/1.1\r\n", b"GET /h/hello HTTP/1.1\r\nHost: x\r\n", head("GET", "/h/hello")[:-1],
    head("POST", "/h/echo", "Content-Type: application/json", "Content-Length: 10"),
    head("POST", "/h/echo", "Content-Type: application/json", "Content-Length: 10") + b"[1,2,3",
    CHUNKED, CHUNKED + b"4\r\nnu",
])
def test_h6_slow_heads_and_bodies(port, octets):
    """H6, threat-model.md 4: 408 or the end of the connection, in time"""
    started = time.monotonic()
    with connect(port) as sock:
        sock.sendall(octets)
        got = read_all(sock, 20)
    assert time.monotonic() - started < 10
    if got:
        reply, rest = take_reply(got)
        assert reply.status == 408 and not rest, got


def test_h6_a_head_that_trickles_ends(port):
    """Each octet is in time, the head is not"""
    started = time.monotonic()
    with connect(port) as sock:
        sock.sendall(b"GET /h/hello HTTP/1.1\r\nHost: x\r\nX: ")
        sock.settimeout(0.1)
        got = None
        while got is None and time.monotonic() - started < 15:
            try:
                sock.sendall(b"y")
                got = sock.recv(4096)
            except socket.timeout:
                pass
            except ConnectionError:
                got = b""
    assert got is not None and (got == b"" or b" 408 " in got[:20]), got


def test_h6_an_idle_connection_is_closed(port):
    with HttpPeer(port) as peer:
        assert peer.ask(head("GET", "/h/hello")).status == 200
        assert is_closed(peer.sock, 10)


SLOW = {
    "heads": b"GET /h/hello HTTP/1.1\r\nHost: x\r\n",
    "bodies": head("POST", "/h/echo", "Content-Type: application/json", "Content-Length: 1000") + b"[",
    "silence": b"",
    "readers": head("GET", "/h/hello") * 50,
}


@pytest.mark.parametrize("kind", SLOW)
def test_h6_300_slow_clients(daemon, port, kind):
    """H6: 300 slow connections, a good client is served in under 2 s, the slow ones go"""
    slow = []
    try:
        for _ in range(300):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", port))
            sock.sendall(SLOW[kind])
            slow.append(sock)
        started = time.monotonic()
        assert daemon.http("/h/item/7").json() == 7
        assert time.monotonic() - started < (6 if SANITIZED else 2)
        if kind != "readers":
            for sock in slow:
                assert is_closed(sock, 20)
    finally:
        for sock in slow:
            sock.close()


# ---- paths -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path, statuses", [
    ("/h/../h/hello", {200, 400, 404}), ("/h/%2e%2e/h/hello", {200, 400, 404}), ("/../../etc/passwd", {400, 404}),
    ("/h/item/..%2f..%2fetc%2fpasswd", {200, 400, 404}), ("/h/item/%00", {400}), ("/h/item/a%00b", {400}),
    ("/h/item/%", {400}), ("/h/item/%4", {400}), ("/h/item/%zz", {400}), ("/h/item/%ff", {400}),
    ("/h/item/%c0%af", {400}), ("/h/item/%c0%ae%c0%ae", {400}), ("/h/item/%e0%80%af", {400}),
    ("/h/item/%ed%a0%80", {400}), ("/h/item/%f8%80%80%80%80", {400}), ("/h/item/%u002f", {400}),
    ("/h/%5c..%5chello", {400, 404}), ("/h\\hello", {400, 404}), ("/H/hello", {404}), ("/h;/hello", {404}),
    ("/h/hello;x=y", {404}), ("/h/hello%20", {404}), ("/h/item", {404}), ("//h//hello", {200, 404}),
])
def test_h5_paths(port, path, statuses):
    """H5: 24 vectors; what is served is the normalised route, never a file"""
    with HttpPeer(port) as peer:
        reply = peer.ask(head("GET", path))
        assert reply.status in statuses, reply
        assert b"root:" not in reply.body
        if reply.status >= 400:
            is_proper_error(reply)


@pytest.mark.parametrize("segment, value", [
    ("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("a+b", "a+b"), ("a%20b", "a b"), ("%C3%BC", "\u00fc"), ("%7B%7Bx%7D%7D", "{{x}}"),
    ("%25", "%"), ("a:b", "a:b"),
])
def test_h5_a_segment_is_decoded_once(daemon, segment, value):
    """http-gateway.md 1.4"""
    assert daemon.http("/h/item/" + segment).json() == value


# ---- headers of answers, origins ---------------------------------------------------------------------------

@pytest.mark.parametrize("path, field", [("/h/header", "x-value"), ("/h/location", "location")])
@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=y", "a\nb", "a\rb", "a\0b", "\x01", "\x7f", "a\r\n\r\n<html>"])
def test_h3_header_injection(port, path, field, value):
    """H3: a result with control octets never reaches a header"""
    with HttpPeer(port) as peer:
        reply = peer.ask(post(path, json.dumps({"value": value}).encode()))
        assert reply.status == 500, reply
        assert field not in reply.headers and "set-cookie" not in reply.headers
        is_proper_error(reply)
        assert not peer.rest


def test_h3_harmless_values_pass(port):
    with HttpPeer(port) as peer:
        assert peer.ask(post("/h/header", b'{"value":"a\\tb; c=\\"d\\""}')).headers["x-value"] == 'a\tb; c="d"'
        assert peer.ask(post("/h/location", b'{"value":"/h/item/1"}')).headers["location"] == "/h/item/1"


def test_h7_the_wildcard_has_no_credentials(port):
    """H7"""
    with HttpPeer(port) as peer:
        for octets in (head("GET", "/h/hello", "Origin: https://evil.example"),
                       head("OPTIONS", "/h/echo", "Origin: https://evil.example", "Access-Control-Request-Method: POST")):
            reply = peer.ask(octets)
            assert reply.status in (200, 204)
            if reply.headers.get("access-control-allow-origin") == "*":
                assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize("origin, allowed", [
    ("https://good.example", True), ("https://good.example.evil.example", False), ("https://evilgood.example", False),
    ("http://good.example", False), ("https://good.example:8443", False), ("null", False),
    ("https://good.example/", False), ("https://good.example@evil.example", False), ("", False),
])
def test_h7_origins_are_compared_whole(origins, origin, allowed):
    """H7: an exact list, Vary: Origin"""
    with HttpPeer(origins.ports["api_gateway.http"]) as peer:
        for octets in (head("GET", "/demo/hello", f"Origin: {origin}"),
                       head("OPTIONS", "/demo/echo", f"Origin: {origin}", "Access-Control-Request-Method: POST")):
            reply = peer.ask(octets)
            assert reply.headers.get("access-control-allow-origin") == (origin if allowed else None), reply.headers
            assert "origin" in reply.headers.get("vary", "").lower()


@pytest.fixture(scope="module")
def origins():
    with Daemon(settings={"api_gateway.http.cors.allowed_origins": "https://good.example"}) as one:
        yield one


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"])
def test_h7_a_browser_cannot_drive_the_admin_api(daemon, origin):
    """H7, H9, admin-http-api.md 3: a page of another site changes nothing and reads nothing"""
    port = daemon.ports["admin_api.http"]
    before = daemon.admin("/api_specs").json()
    line = f"Origin: {origin}"
    host = f"127.0.0.1:{port}"
    for octets in (head("POST", "/api_specs", "Content-Type: text/plain", "Content-Length: 2", line, host=host) + b"{}",
                   head("DELETE", "/api_specs/hostile", line, host=host),
                   head("POST", "/services/call", "Content-Type: application/json", "Content-Length: 2", line, host=host) + b"{}",
                   head("PUT", "/api_specs/hostile", "Content-Type: application/json", "Content-Length: 2", line, host=host) + b"{}"):
        with HttpPeer(port) as peer:
            reply = peer.ask(octets)
            assert reply.status == 403, reply
            is_proper_error(reply)
    for octets in (head("GET", "/api_specs", line, host=host),
                   head("OPTIONS", "/api_specs", line, "Access-Control-Request-Method: POST", host=host)):
        with HttpPeer(port) as peer:
            assert "access-control-allow-origin" not in peer.ask(octets).headers
    assert daemon.admin("/api_specs").json() == before


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "169.254.169.254"])
def test_h9_dns_rebinding(daemon, host):
    """H9: the admin API answers to its own names only"""
    with HttpPeer(daemon.ports["admin_api.http"]) as peer:
        assert peer.ask(head("GET", "/api_specs", host=host)).status in (400, 403, 421)


# ---- errors ------------------------------------------------------------------------------------------------

@rows("octets, status, code", [
    (head("GET", "/nothing"), 404, "bondy.error.not_found"),
    (head("GET", "/<script>alert(1)</script>"), 404, None),
    (head("DELETE", "/h/hello"), 405, None),
    (head("BREW", "/h/hello"), 501, None),
    (head("GET", "/h/hello", "Accept: text/html"), 406, None),
    (post("/h/echo", b"x", "text/plain"), 415, None),
    (head("POST", "/h/echo", "Content-Length: 2") + b"{}", 415, None),
    (head("GET", "/h/none"), 501, "wamp.error.no_such_procedure"),
    (head("GET", "/h/fails"), 500, "com.example.error.inner"),
    (head("GET", "/h/badexpr"), 500, "bondy.error.http_gateway.invalid_expression"),
    (post("/h/need", b"{}"), 400, "wamp.error.invalid_argument"),
    (post("/h/need", b"[]"), 400, "wamp.error.invalid_argument"),
    (head("GET", "/h/query"), 400, "wamp.error.invalid_argument"),
    (head("GET", "/h/query?q=%ff"), 400, None),
    (head("GET", "/h/query?q=%zz"), 400, None),
    (head("GET", "/wamp/nothing"), 404, None),
    (head("GET", "/ws"), 404, None),
])
def test_h8_errors(port, octets, status, code):
    """H8, http-gateway.md 7.3"""
    with HttpPeer(port) as peer:
        reply = peer.ask(octets)
        assert reply.status == status, reply
        body = is_proper_error(reply)
        assert code is None or body["code"] == code, body
        if status == 405:
            assert "GET" in reply.headers["allow"]


@pytest.mark.parametrize("text", ["{{variables.secret}}", "{{request.headers}}", "'tis", "\"quoted\"", "{{", "}}", "{{1 |> nope}}",
                                  "{{{{variables.secret}}}}", "a {{variables.secret}} b", "<<x>>"])
def test_2_4_data_is_never_an_expression(daemon, port, text):
    """http-gateway.md 2.4: from the body, the query, a path segment, and a result"""
    assert daemon.http("/h/member", "POST", {"n": text}).json() == {"n": text}
    assert daemon.http("/h/echo", "POST", {"a": [text], text: text}).json() == {"a": [text], text: text}
    quoted = "".join(f"%{octet:02x}" for octet in text.encode())
    assert daemon.http("/h/query?q=" + quoted).json() == {"q": text}
    assert daemon.http("/h/item/" + quoted).json() == (json.loads(text) if text.startswith('"') else text)


# ---- API specifications ------------------------------------------------------------------------------------

def spec(**changes):
    document = json.loads(json.dumps(SPEC))
    document["id"] = "bad"
    document["versions"]["1"]["base_path"] = "/bad"
    document["versions"]["1"]["paths"] = {"/x": {"get": {"action": call("com.example.x"), "response": {}}}}
    document.update(changes)
    return document


def with_path(path, value):
    document = spec()
    document["versions"]["1"]["paths"] = {path: value}
    return document


def with_get(action, **more):
    return with_path("/x", {"get": {"action": action, **more}})


GET_X = "/versions/1/paths/~1x/get"
NESTED = {"a": 1}
for _ in range(25):
    NESTED = {"a": NESTED}


@rows("document, pointers", [
    ({}, ["/id", "/realm_uri"]),
    (spec(id=7), ["/id"]),
    (spec(host=7), ["/host"]),
    (spec(unknown=1), ["/unknown"]),
    (spec(versions=[]), ["/versions"]),
    (with_path("x", {"get": {"action": {"type": "static"}}}), ["/versions/1/paths/x"]),
    (with_path("/x", {}), ["/versions/1/paths/~1x"]),
    (with_path("/:a/:a", {"get": "x"}), None),
    (with_path("/x[", {"get": {"action": {"type": "static"}}}), ["/versions/1/paths/~1x["]),
    (with_get({}), [GET_X + "/action/type"]),
    (with_get({"type": "nope"}), [GET_X + "/action/type"]),
    (with_get({"type": "forward", "host": "http://169.254.169.254"}), [GET_X + "/action/type"]),
    (with_get(call("not a uri!")), [GET_X + "/action/procedure"]),
    (with_get({"type": "wamp_call"}), [GET_X + "/action/procedure"]),
    (with_get(call("a.b", args=[], arguments=[])), None),
    (with_get(call("a.b", args=["{{action.result.args}}"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{variables.none}}"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{request.body |> nope}}"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{request.body"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{nowhere.x}}"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{" * 20 + "request.body" + "}}" * 20])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{request.body" + " |> head" * 40 + "}}"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b", args=["{{request.body." + "a" * 5000 + "}}"])), [GET_X + "/action/args/0"]),
    (with_get(call("a.b"), response={"on_result": {"status_code": 42}}), [GET_X + "/response/on_result/status_code"]),
    (with_get(call("a.b"), response={"on_result": {"headers": {"x": "a\r\nb"}}}), [GET_X + "/response/on_result/headers/x"]),
    (with_get(call("a.b"), response={"on_result": {"headers": {"content-length": "1"}}}),
     [GET_X + "/response/on_result/headers/content-length"]),
    (with_get(call("a.b"), response={"on_result": {"headers": {"x y": "1"}}}), [GET_X + "/response/on_result/headers/x y"]),
    (spec(variables={"a": "{{variables.b}}", "b": "{{variables.a}}"}), None),
    (spec(variables={"a": "{{variables.a}}"}), ["/variables/a"]),
    (with_path("/x", {"security": {"type": "oidc", "provider": "p"}, "get": {"action": {"type": "static"}}}),
     ["/versions/1/paths/~1x/security/type"]),
    (with_path("/x", {"security": {"type": "nope"}, "get": {"action": {"type": "static"}}}),
     ["/versions/1/paths/~1x/security/type"]),
])
def test_8_2_mistakes_in_a_specification(daemon, document, pointers):
    """http-gateway.md 8.2: 422 with pointers, nothing stored, nothing activated, what ran goes on"""
    for path, method in (("/api_specs", "POST"), ("/api_specs?dry_run=true", "POST")):
        answer = daemon.admin(path, method, document)
        assert answer.status == 422, answer
        body = answer.json()
        assert body["code"] == "bondy.error.invalid_data" and body["errors"], body
        for error in body["errors"]:
            assert {"pointer", "code", "message"} <= set(error), error
        found = [error["pointer"] for error in body["errors"]]
        assert pointers is None or set(pointers) <= set(found), found
    assert daemon.admin("/api_specs/bad").status == 404
    assert daemon.http("/bad/x").status == 404
    assert daemon.http("/h/hello").status == 200


def test_8_2_all_mistakes_at_once(daemon):
    document = spec(host=7, unknown=1)
    document["versions"]["1"]["paths"] = {
        f"/p{n}": {"get": {"action": call("a.b", args=["{{request.nope |> nope}}"])}} for n in range(10)}
    answer = daemon.admin("/api_specs", "POST", document)
    assert answer.status == 422 and len(answer.json()["errors"]) >= 12, answer


@rows("body", [b"", b"{", b'{"id":"a","id":"b"}', b"[" * 100000, nested(40), b"\xff\xfe", b'"text"', b"7", b"null"])
def test_8_1_a_specification_that_is_no_document(daemon, body):
    """http-gateway.md 8.1: 400 invalid_data, or 422 for what is JSON but no object"""
    answer = daemon.admin("/api_specs", "POST", body, headers={"content-type": "application/json"})
    assert answer.status in (400, 422), answer


def test_8_2_a_bad_replacement_changes_nothing(daemon):
    before = daemon.admin("/api_specs/hostile").json()
    broken = json.loads(json.dumps(SPEC))
    broken["versions"]["1"]["paths"]["/hello"]["get"]["action"]["type"] = "nope"
    assert daemon.admin("/api_specs/hostile", "PUT", broken).status == 422
    assert daemon.admin("/api_specs/hostile").json() == before
    assert daemon.http("/h/hello").json() == "hello"


def test_8_1_an_array_is_all_or_nothing(daemon):
    good = spec(id="good-half")
    answer = daemon.admin("/api_specs", "POST", [good, spec(unknown=1)])
    assert answer.status == 422, answer
    assert all(error["pointer"].startswith("/1/") for error in answer.json()["errors"]), answer
    assert daemon.admin("/api_specs/good-half").status == 404


def test_p10_a_large_specification_in_bounded_time(daemon):
    """P10: a thousand paths, and expressions that double, within a second and 64 MiB"""
    before = daemon.rss()
    variables = {"v0": "x" * 10}
    for n in range(1, 30):
        variables[f"v{n}"] = f"{{{{variables.v{n - 1}}}}}{{{{variables.v{n - 1}}}}}"
    started = time.monotonic()
    answer = daemon.admin("/api_specs?dry_run=true", "POST", spec(variables=variables))
    assert answer.status in (200, 422), answer
    answer = daemon.admin("/api_specs?dry_run=true", "POST", spec(variables={"deep": NESTED}))
    assert answer.status in (200, 400, 422), answer
    many = spec()
    many["versions"]["1"]["paths"] = {f"/p{n}/:a/[:b]": {"get": {"action": {"type": "static"}}} for n in range(1000)}
    answer = daemon.admin("/api_specs?dry_run=true", "POST", many)
    assert answer.status == 200, answer
    assert time.monotonic() - started < (15 if SANITIZED else 3)
    if not SANITIZED:
        assert daemon.rss() < before + 64 * MIB


def test_wamp_still_works_beside_all_this(daemon):
    assert serves(daemon)
    assert cbor2.loads(daemon.http("/h/echo", "POST", cbor2.dumps([1]), headers={
        "content-type": "application/cbor", "accept": "application/cbor"}).body) == [1]
    assert msgpack.unpackb(daemon.http("/h/echo", "POST", msgpack.packb([1]), headers={
        "content-type": "application/msgpack", "accept": "application/msgpack"}).body) == [1]

# SPDX-License-Identifier: Apache-2.0
"""APIs as they are used: real callees, replaced under load, clients that leave, connections that are kept.

Ids: http-gateway.md sections; threat-model.md where named.
"""
import http.client
import json
import threading
import time

import cbor2
import msgpack
import pytest
from daemon import BUILD, Daemon
from http_raw import HttpPeer, head, post
from wamp_peer import EVENT, Callee, WampError, connect, raw, wait_until, websocket

SANITIZED = "asan" in BUILD


def call(procedure, **more):
    return {"type": "wamp_call", "procedure": procedure, **more}


FIRST = {"on_result": {"body": "{{action.result.args |> head}}"}}


def api(name, base, paths, **more):
    defaults = {"accepts": ["application/json", "application/msgpack", "application/cbor",
                            "application/x-www-form-urlencoded"],
                "provides": ["application/json", "application/msgpack", "application/cbor"]}
    return {"id": name, "name": name, "host": "_", "realm_uri": "dev", "defaults": defaults,
            "versions": {"1": {"base_path": base, "paths": paths}}, **more}


LIVE = api("live", "/live", {
    "/echo": {"post": {"action": call("com.example.echo", args=["{{request.body}}"]),
                       "response": {"on_result": {"status_code": 200, "body": "{{action.result.args |> head}}"}}},
              "get": {"action": call("com.example.echo", args=["{{request.query_params}}"]), "response": FIRST}},
    "/hold": {"get": {"action": call("com.example.hold"), "response": FIRST}},
    "/brief": {"get": {"action": call("com.example.hold", options={"timeout": 300}), "response": FIRST}},
    "/static": {"get": {"action": {"type": "static"}, "response": {"on_result": {"body": {"n": 1}}}}},
    "/slow/:ms": {"get": {"action": call("com.example.slow", args=["{{request.bindings.ms |> integer}}"]),
                          "response": FIRST}},
    "/about": {"get": {"action": {"type": "static"}, "response": {"on_result": {"body": {
        "method": "{{request.method}}", "scheme": "{{request.scheme}}", "host": "{{request.host}}",
        "path": "{{request.path}}", "query": "{{request.query_string}}", "language": "{{request.language}}"}}}}},
    "/all/:a/[:b/[...]]": {"get": {"action": {"type": "static"}, "response": {"on_result": {"body": "{{request.bindings}}"}}}},
})


def slow(milliseconds):
    threading.Event().wait(milliseconds / 1000)
    return milliseconds


PROCEDURES = {"com.example.echo": lambda *args: args[0] if args else None,
              "com.example.hold": lambda: Callee.HOLD, "com.example.slow": slow}


@pytest.fixture(scope="module")
def daemon():
    with Daemon(settings={"io_threads": 2}) as one:
        answer = one.admin("/api_specs", "POST", LIVE)
        assert answer.status == 201, answer
        with Callee(websocket(one, "cbor").join(), PROCEDURES) as callee:
            one.callee = callee
            yield one


@pytest.fixture
def port(daemon):
    return daemon.ports["api_gateway.http"]


# ---- replaced while it serves ------------------------------------------------------------------------------

class Load(threading.Thread):
    """One kept connection that asks until it is told to stop; remembers every answer that was not right."""

    def __init__(self, port, path, stop, wanted):
        super().__init__(daemon=True)
        self.port, self.path, self.stop, self.wanted, self.count, self.wrong = port, path, stop, wanted, 0, []

    def run(self):
        try:
            with HttpPeer(self.port) as peer:
                while not self.stop.is_set():
                    reply = peer.ask(head("GET", self.path))
                    self.count += 1
                    if reply.status != 200 or not self.wanted(json.loads(reply.body)):
                        self.wrong.append(reply)
                    if reply.headers.get("connection") == "close":
                        peer.sock.close()
                        peer.sock, peer.rest = connect(self.port), b""
        except Exception as error:
            self.wrong.append(error)


def replaced(n):
    return api("swap", "/swap", {
        "/static": {"get": {"action": {"type": "static"}, "response": {"on_result": {"body": {"n": n}}}}},
        "/call": {"get": {"action": call("com.example.echo", args=[n]),
                          "response": {"on_result": {"body": {"n": "{{action.result.args |> head}}"}}}}},
        f"/only{n}": {"get": {"action": {"type": "static"}}}})


def test_8_4_a_replaced_api_keeps_serving(daemon, port):
    """http-gateway.md 8.3, 8.4 item 4: 50 replacements under load, no answer but the old or the new one"""
    assert daemon.admin("/api_specs/swap", "PUT", replaced(0)).status == 201
    stop = threading.Event()
    loads = [Load(port, path, stop, lambda body: isinstance(body["n"], int))
             for path in ("/swap/static", "/swap/call", "/swap/static", "/swap/call")]
    for load in loads:
        load.start()
    try:
        for n in range(1, 51):
            assert daemon.admin("/api_specs/swap", "PUT", replaced(n)).status == 200
            # 8.3: what was answered is served by every thread; a new connection may land on any of them
            for _ in range(3):
                assert daemon.http("/swap/static").json() == {"n": n}
            assert daemon.http(f"/swap/only{n - 1}").status == 404
        wait_until(lambda: sum(load.count for load in loads) > (200 if SANITIZED else 3000))
    finally:
        stop.set()
        for load in loads:
            load.join(30)
    assert all(load.count > 0 and not load.wrong for load in loads), [load.wrong[:2] for load in loads]
    assert daemon.admin("/api_specs/swap", "DELETE").status == 204
    assert daemon.http("/swap/static").status == 404


def test_8_3_a_request_in_flight_ends_on_the_old_table(daemon, port):
    """http-gateway.md 8.3"""
    document = replaced(0)
    document["versions"]["1"]["paths"]["/wait"] = {"get": {"action": call("com.example.hold"), "response": {
        "on_result": {"body": {"old": "{{action.result.args |> head}}"}}}}}
    assert daemon.admin("/api_specs/swap", "PUT", document).status == 201
    held = len(daemon.callee.held)
    with HttpPeer(port) as peer:
        peer.send(head("GET", "/swap/wait"))
        wait_until(lambda: len(daemon.callee.held) > held)
        assert daemon.admin("/api_specs/swap", "DELETE").status == 204
        daemon.callee.peer.send(70, daemon.callee.held[-1][1], {}, ["done"])
        assert json.loads(peer.reply().body) == {"old": "done"}


# ---- clients that leave, calls that take too long ----------------------------------------------------------

def test_1_11_a_client_that_leaves_cancels_its_call(daemon, port):
    """http-gateway.md 1.11: the callee, which announced call_canceling, gets INTERRUPT"""
    callee = daemon.callee
    held, interrupted = len(callee.held), len(callee.interrupted)
    with HttpPeer(port) as peer:
        peer.send(head("GET", "/live/hold"))
        wait_until(lambda: len(callee.held) > held)
    wait_until(lambda: len(callee.interrupted) > interrupted)
    assert callee.interrupted[-1][1] == callee.held[-1][1]


def test_many_clients_that_leave(daemon, port):
    """ROB-1 at the gateway"""
    callee = daemon.callee
    held, interrupted = len(callee.held), len(callee.interrupted)
    peers = [HttpPeer(port) for _ in range(50)]
    for peer in peers:
        peer.send(head("GET", "/live/hold"))
    wait_until(lambda: len(callee.held) >= held + 50)
    for peer in peers:
        peer.sock.close()
    wait_until(lambda: len(callee.interrupted) >= interrupted + 50)
    assert daemon.http("/live/static").status == 200


def test_7_3_a_call_that_takes_too_long(daemon):
    """http-gateway.md 7.3: 504"""
    started = time.monotonic()
    answer = daemon.http("/live/brief")
    assert answer.status == 504 and answer.json()["code"] == "wamp.error.timeout", answer
    assert 0.25 < time.monotonic() - started < 5


def test_a_callee_that_leaves_during_a_call(daemon, port):
    """R5 at the gateway: an error at once, not after the call's timeout"""
    with Callee(raw(daemon).join(), {"com.example.leaves": lambda: Callee.HOLD}) as leaving:
        document = api("leaves", "/leaves", {"/x": {"get": {"action": call("com.example.leaves")}}})
        assert daemon.admin("/api_specs", "POST", document).status == 201
        peer = HttpPeer(port)
        peer.send(head("GET", "/leaves/x"))
        wait_until(lambda: leaving.held)
        started = time.monotonic()
    with peer:
        assert peer.reply().status in (500, 502, 503)
        assert time.monotonic() - started < 5
    assert daemon.admin("/api_specs/leaves", "DELETE").status == 204


# ---- connections -------------------------------------------------------------------------------------------

def test_keep_alive_and_its_limit():
    with Daemon(settings={"api_gateway.http.max_keepalive": 5}) as one:
        with HttpPeer(one.ports["api_gateway.http"]) as peer:
            for n in range(5):
                reply = peer.ask(head("GET", "/demo/hello"))
                assert (reply.headers.get("connection", "").lower() == "close") == (n == 4)
            assert peer.sock.recv(1) == b""


def test_pipelined_requests_are_answered_in_order(port):
    """RFC 9112 9.3.2; some suspended for a call, some not"""
    paths = ["/live/slow/50", "/live/static", "/live/slow/1", "/live/none", "/live/echo?x=1"] * 10
    with HttpPeer(port) as peer:
        peer.send(b"".join(head("GET", path) for path in paths))
        for path in paths:
            reply = peer.reply()
            if path.endswith("none"):
                assert reply.status == 404
            elif "slow" in path:
                assert json.loads(reply.body) == int(path.rsplit("/", 1)[1])
            else:
                assert reply.status == 200


def test_the_connection_is_kept_after_errors(port):
    with HttpPeer(port) as peer:
        for octets, status in ((head("GET", "/nothing"), 404), (post("/live/echo", b"{"), 400),
                               (post("/live/echo", b"x", "text/plain"), 415), (head("DELETE", "/live/echo"), 405),
                               (head("GET", "/live/brief"), 504), (post("/nothing", b"x" * 1000), 404),
                               (head("GET", "/live/static"), 200)):
            assert peer.ask(octets).status == status


def test_connection_close_and_http_1_0(port):
    for octets in (head("GET", "/live/static", "Connection: close"), b"GET /live/static HTTP/1.0\r\n\r\n",
                   b"GET /live/echo HTTP/1.0\r\nHost: x\r\n\r\n"):
        with HttpPeer(port) as peer:
            assert peer.ask(octets).status == 200
            assert peer.sock.recv(1) == b""


def test_expect_100_continue(port):
    with HttpPeer(port) as peer:
        body = b'{"a":1}'
        octets = post("/live/echo", body, "application/json", "Expect: 100-continue")
        peer.send(octets[:-len(body)])
        assert peer.reply().status == 100
        assert json.loads(peer.ask(body).body) == {"a": 1}


def test_many_connections_on_two_threads(daemon, port):
    """architecture.md 2: the callee lives on one of the threads, requests come in on both"""
    peers = [HttpPeer(port) for _ in range(40)]
    for n, peer in enumerate(peers):
        peer.send(post("/live/echo", json.dumps({"n": n}).encode()) * 5)
    for n, peer in enumerate(peers):
        for _ in range(5):
            assert json.loads(peer.reply().body) == {"n": n}
        peer.sock.close()
    with raw(daemon).join() as other:
        for n in range(50):
            assert other.call("com.example.echo", [n]) == [n]


def test_large_bodies_both_ways(daemon):
    text = "ü漢\U0001F600" * 100000
    assert daemon.http("/live/echo", "POST", {"text": text}).json() == {"text": text}


# ---- bodies and media types --------------------------------------------------------------------------------

VALUE = {"null": None, "true": True, "int": -7, "big": 2 ** 53, "float": 1.5, "text": "grüße", "list": [1, [2]], "map": {"a": {}}}


@pytest.mark.parametrize("sent", ["json", "msgpack", "cbor"])
@pytest.mark.parametrize("accepted", ["json", "msgpack", "cbor"])
def test_1_7_bodies_in_and_out(daemon, sent, accepted):
    """http-gateway.md 1.7, 8.4 item 8"""
    encode = {"json": lambda v: json.dumps(v).encode(), "msgpack": msgpack.packb, "cbor": cbor2.dumps}
    decode = {"json": json.loads, "msgpack": msgpack.unpackb, "cbor": cbor2.loads}
    answer = daemon.http("/live/echo", "POST", encode[sent](VALUE), headers={
        "content-type": "application/" + sent, "accept": "application/" + accepted})
    assert answer.status == 200, answer
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["content-type"].startswith("application/" + accepted)
    assert decode[accepted](answer.body) == VALUE


def test_1_7_forms(daemon):
    answer = daemon.http("/live/echo", "POST", b"a=1&b=x+y&b=%C3%BC&c=&d", headers={
        "content-type": "application/x-www-form-urlencoded"})
    body = answer.json()
    assert body["a"] == "1" and body["b"] == ["x y", "ü"] and body["c"] == "", body


@pytest.mark.parametrize("accept, status, kind", [
    ("*/*", 200, "application/json"), ("application/*", 200, "application/json"),
    ("application/json;q=0.1, application/msgpack", 200, "application/msgpack"),
    ("application/msgpack;q=0, */*", 200, "application/json"), ("text/html, application/cbor;q=0.5", 200, "application/cbor"),
    ("text/html", 406, "application/json"), ("application/json;q=0", 406, "application/json"),
    ("", 200, "application/json"),
])
def test_content_negotiation(port, accept, status, kind):
    """http-gateway.md 1.7, 8.4 item 9"""
    with HttpPeer(port) as peer:
        reply = peer.ask(head("GET", "/live/static", f"Accept: {accept}"))
        assert reply.status == status, reply
        assert reply.headers["content-type"].startswith(kind), reply.headers


@pytest.mark.parametrize("kind, status", [
    ("application/json", 200), ("application/json; charset=utf-8", 200), ("APPLICATION/JSON", 200),
    ("application/jsonx", 415), ("text/json", 415), ("", 415), ("application", 415), ("*/*", 415)])
def test_content_types(port, kind, status):
    """http-gateway.md 1.7"""
    with HttpPeer(port) as peer:
        assert peer.ask(post("/live/echo", b"{}", kind)).status == status


def test_head_and_options(port):
    """http-gateway.md 1.9: HEAD falls back to GET, OPTIONS is answered by the gateway; 8.4 item 10"""
    with HttpPeer(port) as peer:
        get = peer.ask(head("GET", "/live/static"))
        alike = peer.ask(head("HEAD", "/live/static"), to_head=True)
        assert alike.status == 200 and alike.headers["content-length"] == str(len(get.body))
        called = peer.ask(head("HEAD", "/live/echo?a=b"), to_head=True)
        assert called.status == 200
        options = peer.ask(head("OPTIONS", "/live/echo"))
        assert options.status == 204
        assert {method.strip() for method in options.headers["allow"].split(",")} == {"GET", "HEAD", "POST", "OPTIONS"}
        preflight = peer.ask(head("OPTIONS", "/live/echo", "Origin: https://a.example", "Access-Control-Request-Method: POST",
                                  "Access-Control-Request-Headers: content-type"))
        assert preflight.status == 204 and preflight.headers["access-control-allow-origin"] == "*"
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert peer.ask(head("OPTIONS", "/live/nothing")).status == 404


def test_2_4_what_a_request_shows(port):
    with HttpPeer(port) as peer:
        reply = peer.ask(head("GET", "/live/about/?a=b&c", host="Some.Example:8080"))
        assert json.loads(reply.body) == {"method": "get", "scheme": "http", "host": "some.example", "path": "/live/about",
                                          "query": "a=b&c", "language": "en"}


@pytest.mark.parametrize("path, bindings", [
    ("/live/all/1", {"a": "1"}), ("/live/all/1/2", {"a": "1", "b": "2"}), ("/live/all/1/2/3/4", {"a": "1", "b": "2"}),
    ("/live//all///1/", {"a": "1"}), ("/live/all/%C3%BC", {"a": "ü"})])
def test_1_4_path_patterns(daemon, path, bindings):
    assert daemon.http(path).json() == bindings


def test_1_4_host_patterns(daemon, port):
    """http-gateway.md 1.4: most specific first, whatever the order of loading"""
    hosts = {"_": ["other.net", "x.y.z.example.org.evil.net"], "www.example.org": ["www.example.org", "WWW.Example.Org:80"],
             ":tenant.example.org": ["acme.example.org"], "[...]example.org": ["a.b.example.org", "example.org"]}
    for n, host in enumerate(hosts):
        document = api(f"host{n}", "/host", {"/x": {"get": {"action": {"type": "static"}, "response": {
            "on_result": {"body": {"host": host, "bindings": "{{request.bindings}}"}}}}}}, host=host)
        assert daemon.admin("/api_specs", "POST", document).status == 201
    with HttpPeer(port) as peer:
        for pattern, names in hosts.items():
            for name in names:
                body = json.loads(peer.ask(head("GET", "/host/x", host=name)).body)
                assert body["host"] == pattern, (name, body)
                assert body["bindings"] == ({"tenant": "acme"} if pattern.startswith(":") else {})
    for n in range(len(hosts)):
        assert daemon.admin(f"/api_specs/host{n}", "DELETE").status == 204


def test_8_4_an_inactive_version_is_not_there(daemon):
    """http-gateway.md 8.4 item 7"""
    document = api("inactive", "/inactive", {"/x": {"get": {"action": {"type": "static"}}}})
    document["versions"]["1"]["is_active"] = False
    assert daemon.admin("/api_specs", "POST", document).status == 201
    assert daemon.http("/inactive/x").status == 404
    document["versions"]["1"]["is_active"] = True
    assert daemon.admin("/api_specs/inactive", "PUT", document).status == 200
    assert daemon.http("/inactive/x").status == 200


# ---- http-gateway.md 1.10, the worked example, less what is refused at load --------------------------------

GAUGES = {
    "id": "org.rivermap.api", "name": "River gauges", "host": "_", "realm_uri": "org.rivermap",
    "meta": {"owner": "hydrology"},
    "variables": {
        "schemes": ["http", "https"],
        "err_status": "{{status_codes |> get({{action.error.error_uri}}, 500) |> integer}}",
        "err_body": "{{action.error.kwargs |> put(code, {{action.error.error_uri}})}}"},
    "defaults": {"schemes": "{{variables.schemes}}", "timeout": 10000, "connect_timeout": 2000,
                 "headers": {"cache-control": "no-store"}},
    "status_codes": {"org.rivermap.error.no_such_gauge": 404},
    "versions": {"1.0.0": {
        "base_path": "/[v1]", "status_codes": {"org.rivermap.error.stale": 409}, "languages": ["en", "fr"],
        "paths": {
            "/gauges": {
                "is_collection": True,
                "get": {
                    "action": call("org.rivermap.gauge.list", kwargs="{{request.query_params |> without([page])}}"),
                    "response": {"on_result": {"body": "{{action.result.args |> head}}"},
                                 "on_error": {"status_code": "{{variables.err_status}}", "body": "{{variables.err_body}}"}}},
                "post": {
                    "body_max_bytes": 65536,
                    "action": call("org.rivermap.gauge.add", args=["{{request.body}}", "{{security.authid}}"],
                                   options={"timeout": 5000}),
                    "response": {"on_result": {"uri": "\"{{request.path}}/{{action.result.args |> head |> get('id')}}\"",
                                               "body": "{{action.result.args |> head}}"},
                                 "on_error": {"status_code": "{{variables.err_status}}", "body": "{{variables.err_body}}"}}}},
            "/gauges/:gauge_id/readings": {"post": {
                "action": {"type": "wamp_publish", "topic": "\"org.rivermap.gauge.{{request.bindings.gauge_id}}.reading\"",
                           "args": ["{{request.body}}"], "options": {"acknowledge": True}},
                "response": {"on_result": {"body": {"id": "{{action.result.publication_id}}"}}}}},
            "/about": {"security": {}, "get": {"action": {"type": "static"}, "response": {"on_result": {
                "body": {"service": "gauges", "lang": "{{request.language}}"}}}}}}}}}


def find_gauges(**kwargs):
    if kwargs.get("basin") == "none":
        raise WampError("org.rivermap.error.no_such_gauge", [], {"message": "x"})
    if kwargs.get("basin") == "stale":
        raise WampError("org.rivermap.error.stale", [], {"message": "old"})
    return kwargs


@pytest.fixture(scope="module")
def gauges(daemon):
    answer = daemon.admin("/realms", "POST", {"uri": "org.rivermap", "authmethods": ["anonymous"], "security_enabled": False})
    assert answer.status in (200, 201), answer
    answer = daemon.admin("/api_specs", "POST", GAUGES)
    assert answer.status == 201, answer
    with Callee(raw(daemon, "msgpack").join("org.rivermap"),
                {"org.rivermap.gauge.list": find_gauges, "org.rivermap.gauge.add": lambda body, who: body}) as callee:
        daemon.gauges = callee
        yield daemon


def test_1_10_about(gauges, port):
    assert gauges.http("/v1/about").json() == gauges.http("/about").json() == {"service": "gauges", "lang": "en"}
    with HttpPeer(port) as peer:
        reply = peer.ask(head("GET", "/about", "Accept-Language: fr-CH, fr;q=0.9, en;q=0.8"))
        assert json.loads(reply.body)["lang"] == "fr" and reply.headers["cache-control"] == "no-store"
        assert peer.ask(head("GET", "/about", "Accept-Language: de")).status == 406


def test_1_10_list(gauges):
    assert gauges.http("/gauges?page=2&basin=loire").json() == {"basin": "loire"}
    assert gauges.gauges.calls[-1] == ("org.rivermap.gauge.list", [], {"basin": "loire"})


def test_1_10_add(gauges, port):
    with HttpPeer(port) as peer:
        reply = peer.ask(post("/gauges", b'{"id":"g7"}'))
        assert reply.status == 201 and reply.headers["location"] == "/gauges/g7", reply
        assert json.loads(reply.body) == {"id": "g7"}
        assert peer.ask(post("/v1/gauges", b'{"id":"g8"}')).headers["location"] == "/v1/gauges/g8"
        assert peer.ask(post("/gauges", b"x", "text/plain")).status == 415
    assert isinstance(gauges.gauges.calls[-1][1][1], str)
    with HttpPeer(port) as peer:
        assert peer.ask(head("POST", "/gauges", "Content-Type: application/json", "Content-Length: 65537")).status == 413


def test_1_10_errors(gauges, port):
    answer = gauges.http("/gauges?basin=none")
    assert answer.status == 404 and answer.json() == {"message": "x", "code": "org.rivermap.error.no_such_gauge"}
    answer = gauges.http("/gauges?basin=stale")
    assert answer.status == 409 and answer.json()["code"] == "org.rivermap.error.stale"
    with HttpPeer(port) as peer:
        reply = peer.ask(head("DELETE", "/gauges"))
        assert reply.status == 405
        assert {method.strip() for method in reply.headers["allow"].split(",")} == {"GET", "HEAD", "POST", "OPTIONS"}


def test_1_10_reading(gauges):
    with raw(gauges).join("org.rivermap") as subscriber:
        subscriber.subscribe("org.rivermap.gauge", {"match": "prefix"})
        answer = gauges.http("/gauges/g7/readings", "POST", {"level": 1.25})
        assert answer.status in (200, 201) and isinstance(answer.json()["id"], int), answer
        event = subscriber.recv()
        assert event[0] == EVENT and event[3]["topic"] == "org.rivermap.gauge.g7.reading"
        assert event[2] == answer.json()["id"] and event[4] == [{"level": 1.25}]


def test_1_10_no_callee(daemon):
    """The last row: nobody has registered; and what is not built yet is refused at load"""
    document = json.loads(json.dumps(GAUGES).replace("org.rivermap.gauge", "org.rivermap.other").replace("/[v1]", "/other"))
    document["id"] = "other"
    assert daemon.admin("/realms", "POST", {"uri": "org.rivermap", "authmethods": ["anonymous"],
                                            "security_enabled": False}).status in (200, 201, 409)
    assert daemon.admin("/api_specs", "POST", document).status == 201
    answer = daemon.http("/other/gauges")
    assert answer.status == 501 and answer.json()["code"] == "wamp.error.no_such_procedure", answer
    document["variables"]["auth"] = {"type": "oidc", "provider": "acme"}
    document["defaults"]["security"] = "{{variables.auth}}"
    assert daemon.admin("/api_specs/other", "PUT", document).status == 422
    assert daemon.http("/other/gauges").status == 501
    document["variables"]["auth"] = {"type": "oauth2", "flow": "resource_owner_password_credentials"}
    assert daemon.admin("/api_specs/other", "PUT", document).status in (200, 204)
    assert daemon.http("/other/gauges").status == 401


def test_a_client_of_the_standard_library(port):
    """http.client keeps its connection over all kinds of answers"""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(20):
        for method, path, body in (("GET", "/live/static", None), ("POST", "/live/echo", b"[1]"), ("GET", "/nothing", None)):
            client.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = client.getresponse()
            answer.read()
            assert answer.status == (404 if path == "/nothing" else 200)
    client.close()

# SPDX-License-Identifier: Apache-2.0
"""Bad clients against the real daemon: it stays, memory comes back, good clients notice nothing.

threat-model.md 5.1 and 5.5 (R1 to R3), wamp.md ROB-1 to ROB-3, architecture.md 9.2 and 9.3.
"""
import json
import os
import random
import resource
import select
import socket
import ssl
import subprocess
import time

import pytest

from daemon import BONDYD, Daemon

HELLO = b'[1,"dev",{"roles":{"caller":{},"callee":{},"publisher":{},"subscriber":{}}}]'
UPGRADE = (b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           b"Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n")
SETTINGS = {"wamp.tls.enabled": "on", "wamp.tls.port": "0", "api_gateway.https.enabled": "on",
            "api_gateway.https.port": "0", "io_threads": "2", "wamp.tcp.max_connections_per_ip": "20000",
            "api_gateway.http.max_connections_per_ip": "20000"}


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost"],
                   check=True, capture_output=True)
    key.chmod(0o600)
    settings = dict(SETTINGS)
    for listener in ("wamp.tls", "api_gateway.https"):
        settings[listener + ".certfile"], settings[listener + ".keyfile"] = str(certificate), str(key)
    with Daemon(settings=settings) as daemon:
        yield daemon


def raw_send(connection, message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    connection.sendall(len(body).to_bytes(4, "big") + body)


def receive(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        assert more, "the connection ended"
        data += more
    return data


def raw_receive(connection):
    length = int.from_bytes(receive(connection, 4), "big")
    return json.loads(receive(connection, length))


def raw_join(daemon, listener="wamp.tcp"):
    connection = daemon.connect(listener)
    connection.sendall(b"\x7f\xf1\0\0")
    assert receive(connection, 4)[:2] == b"\x7f\xf1"
    raw_send(connection, HELLO)
    assert raw_receive(connection)[0] == 2
    return connection


def still_serves(daemon):
    started = time.monotonic()
    with raw_join(daemon) as connection:
        raw_send(connection, [48, 1, {}, "bondy.ping"])
        assert raw_receive(connection)[0] == 50
    assert daemon.admin("/ping").status < 300
    return time.monotonic() - started


def is_sanitized():
    """Shadow memory and quarantine make resident memory and processor time say nothing."""
    with open(BONDYD, "rb") as program:
        return b"__asan_init" in program.read()


def cpu_seconds(daemon):
    with open(f"/proc/{daemon.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_any_octets_on_any_port_leave_the_router_running(victim):
    """ROB-3: noise, and true beginnings with noise behind them."""
    dice = random.Random(4711)
    beginnings = [b"", b"\x7f\xf1\0\0", b"\x7f\xf2\0\0", b"\x7f\xf3\0\0\0\0\0\4", b"GET / HTTP/1.1\r\nHost: a\r\n",
                  UPGRADE, UPGRADE + b"\x81\xfe", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                  b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"]
    for listener in ("wamp.tcp", "wamp.tls", "api_gateway.http", "api_gateway.https", "admin_api.http"):
        for beginning in beginnings:
            for _ in range(6):
                with victim.connect(listener) as connection:
                    try:
                        connection.sendall(beginning + dice.randbytes(dice.choice([1, 40, 3000])))
                        if dice.random() < 0.5:
                            connection.shutdown(socket.SHUT_WR)
                        connection.settimeout(0.02)
                        connection.recv(65536)
                    except OSError:
                        pass
    still_serves(victim)


def test_noise_inside_of_tls_leaves_the_router_running(victim):
    dice = random.Random(815)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for listener in ("wamp.tls", "api_gateway.https"):
        for beginning in (b"", b"\x7f\xf1\0\0", UPGRADE, b"GET /"):
            for _ in range(3):
                try:
                    with context.wrap_socket(victim.connect(listener)) as connection:
                        connection.sendall(beginning + dice.randbytes(2000))
                        connection.settimeout(0.05)
                        connection.recv(65536)
                except OSError:
                    pass
    still_serves(victim)


def test_silent_connections_keep_nobody_out(victim):
    """R1: silent ones, some inside of a head or handshake; nothing spins."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(2000, hard // 2 - 200)
    silent = []
    for i in range(count):
        connection = victim.connect(("wamp.tcp", "api_gateway.http", "wamp.tls")[i % 3])
        connection.sendall((b"", b"\x7f", b"GET /ws HT", b"\x16\x03\x01")[i % 4])
        silent.append(connection)
    assert still_serves(victim) < 2
    before = cpu_seconds(victim)
    select.select([], [], [], 1)
    assert is_sanitized() or cpu_seconds(victim) - before < 0.3
    for connection in silent:
        connection.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_subscriber_that_stops_reading_costs_its_queue_only(victim):
    """R3: 64 MiB past a deaf subscriber; the other gets all of it and memory stays."""
    with raw_join(victim) as deaf, raw_join(victim) as good, raw_join(victim) as publisher:
        for subscriber in (deaf, good):
            raw_send(subscriber, [32, 1, {}, "com.example.flood"])
            assert raw_receive(subscriber)[0] == 33
        payload = "x" * 65536
        before = victim.rss()
        for i in range(1, 1025):
            raw_send(publisher, [16, i, {}, "com.example.flood", [i, payload]])
            event = raw_receive(good)
            assert event[0] == 36 and event[4][0] == i
        assert is_sanitized() or victim.rss() - before < 32 << 20
        raw_send(deaf, [48, 2, {}, "bondy.ping"])
        while raw_receive(deaf)[0] != 50:
            pass
    still_serves(victim)


def test_announced_lengths_cost_nothing(victim):
    """P3: 200 clients that announce 16 MiB and send a little of it."""
    before = victim.rss()
    liars = []
    for _ in range(200):
        connection = raw_join(victim)
        connection.sendall(b"\0\xff\xff\xff[48,1,{},\"com.x\",[\"")
        liars.append(connection)
    still_serves(victim)
    assert is_sanitized() or victim.rss() - before < 16 << 20
    for connection in liars:
        connection.close()


def test_without_descriptors_the_daemon_rests_and_recovers():
    """R2: RLIMIT_NOFILE small; the processor rests, and service is back when the load is gone."""
    with Daemon(settings={"io_threads": "1", "runtime.reserved_fds": "8"}) as probe:
        # The limit is set from outside, on a daemon that is there.
        subprocess.run(["prlimit", f"--pid={probe.process.pid}", "--nofile=96:96"], check=True)
        crowd = [probe.connect("wamp.tcp") for _ in range(150)]
        select.select([], [], [], 0.5)
        before = cpu_seconds(probe)
        select.select([], [], [], 1)
        assert is_sanitized() or cpu_seconds(probe) - before < 0.2
        for connection in crowd:
            connection.close()
        deadline = time.monotonic() + 5
        while True:
            try:
                still_serves(probe)
                break
            except (OSError, AssertionError):
                assert time.monotonic() < deadline

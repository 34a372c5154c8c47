# SPDX-License-Identifier: Apache-2.0
"""TLS listeners under abuse: versions, client certificates, nonsense, and certificates that change under load.

Ids: wamp.md RAW-TLS-1; threat-model.md P1, J14, H6, R1; issue 2, point 6.
"""
import json
import os
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from daemon import BUILD, Daemon
from http_raw import HttpPeer, head, post
from wamp_peer import (GOODBYE, Callee, Closed, RawPeer, WebSocketPeer, connect, is_closed, raw, read_all, serves,
                       wait_until)

SANITIZED = "asan" in BUILD
MIB = 1 << 20
LISTENERS = ["api_gateway.https", "wamp.tls"]
TEMPLATE = 'cn = "{name}"\nserial = {serial}\nexpiration_days = 30\n{more}\n'


class Authority:
    """Makes certificates in a folder: `leaf(name)` gives the paths of certificate and key."""

    def __init__(self, folder, name="ca"):
        self.folder, self.serial, self.name = str(folder), 1, name
        self.key = self._key(name)
        self.cert = self._sign(name, "ca\ncert_signing_key", "--generate-self-signed", "--load-privkey", self.key)

    def _key(self, name):
        path = os.path.join(self.folder, name + "-key.pem")
        self._certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", path)
        os.chmod(path, 0o600)
        return path

    def _sign(self, name, more, *arguments):
        template, path = os.path.join(self.folder, name + ".txt"), os.path.join(self.folder, name + ".pem")
        with open(template, "w") as f:
            f.write(TEMPLATE.format(name=name, serial=self.serial, more=more))
        self._certtool(*arguments, "--template", template, "--outfile", path)
        return path

    @staticmethod
    def _certtool(*arguments):
        subprocess.run(["certtool", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def leaf(self, name, client=False):
        self.serial += 1
        key = self._key(name)
        use = "tls_www_client" if client else "dns_name = localhost\nip_address = 127.0.0.1\ntls_www_server"
        cert = self._sign(name, use + "\nsigning_key", "--generate-certificate", "--load-privkey", key,
                          "--load-ca-certificate", self.cert, "--load-ca-privkey", self.key)
        return cert, key


def settings(cert, key, **more):
    keys = {"io_threads": 2}
    for prefix in LISTENERS:
        keys.update({f"{prefix}.enabled": "on", f"{prefix}.port": 0, f"{prefix}.certfile": cert, f"{prefix}.keyfile": key})
        keys.update({f"{prefix}.{name}": value for name, value in more.items()})
    return keys


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    one = Authority(tmp_path_factory.mktemp("tls"))
    one.server = one.leaf("server")
    one.client = one.leaf("client", client=True)
    return one


@pytest.fixture(scope="module")
def daemon(authority):
    with Daemon(settings=settings(*authority.server, versions="1.2,1.3", handshake_timeout="2s")) as one:
        yield one


@pytest.fixture(autouse=True)
def still_serves(request):
    yield
    if "daemon" in request.fixturenames:
        one, authority = request.getfixturevalue("daemon"), request.getfixturevalue("authority")
        assert serves(one)
        assert https(one, authority).ask(head("GET", "/demo/hello")).status == 200
        with over_tls(one, authority).join():
            pass


def context(authority, version=None, client=None):
    one = ssl.create_default_context(cafile=authority.cert)
    if version:
        one.minimum_version = one.maximum_version = version
    if client:
        one.load_cert_chain(*client)
    return one


def wrap(daemon, authority, listener="wamp.tls", source=None, **more):
    return context(authority, **more).wrap_socket(connect(daemon.ports[listener], source), server_hostname="localhost")


def https(daemon, authority, **more):
    return HttpPeer(0, sock=wrap(daemon, authority, "api_gateway.https", **more))


def over_tls(daemon, authority, listener="wamp.tls", serializer="json", **more):
    return RawPeer(wrap(daemon, authority, listener, **more), serializer)


def wss(daemon, authority, serializer="json", **more):
    return WebSocketPeer(wrap(daemon, authority, "api_gateway.https", **more), serializer)


# ---- what works --------------------------------------------------------------------------------------------

def test_one_port_speaks_everything_over_tls(daemon, authority):
    """RAW-TLS-1: https, wss and RawSocket on api_gateway.https, RawSocket on wamp.tls, all in one realm"""
    callers = [wss(daemon, authority, "msgpack"), over_tls(daemon, authority, "api_gateway.https", "cbor"),
               over_tls(daemon, authority), raw(daemon)]
    with Callee(wss(daemon, authority).join(), {"com.example.echo": lambda *args: args[0]}):
        for caller in callers:
            with caller.join():
                for size in (0, 1, 1000, 16384, 16385, 100000, 3000000):
                    assert caller.call("com.example.echo", ["x" * size]) == ["x" * size]
        with https(daemon, authority) as peer:
            body = json.dumps("y" * 2000000).encode()
            assert peer.ask(post("/demo/echo", body)).body == body
            peer.send(head("GET", "/demo/hello") * 30)
            for _ in range(30):
                assert peer.reply().status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("allowed", ["1.2", "1.3", "1.2,1.3"])
def test_j14_versions(authority, version, allowed):
    """J14: the versions key, and no other version"""
    with Daemon(settings=settings(*authority.server, versions=allowed)) as one:
        wanted = "1.2" if version == ssl.TLSVersion.TLSv1_2 else "1.3"
        if wanted in allowed:
            with wrap(one, authority, version=version) as sock:
                assert sock.version() == "TLSv" + wanted
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                wrap(one, authority, version=version)
        assert serves(one)


def test_j14_old_versions_are_refused(daemon):
    """J14: a ClientHello of TLS 1.0 and 1.1 gets an alert or the end"""
    for minor in (0, 1, 2):
        hello = bytes([1, 0, 0, 43, 3, minor]) + bytes(32) + bytes([0, 0, 4, 0, 47, 0, 53, 1, 0])
        with daemon.connect("wamp.tls") as sock:
            sock.sendall(bytes([22, 3, 1, 0, len(hello)]) + hello)
            got = read_all(sock)
            assert got == b"" or got[0] == 21, got


@pytest.mark.parametrize("listener", LISTENERS)
def test_client_certificates_required(authority, listener, tmp_path):
    """RAW-TLS-1: none, one of somebody else, the right one"""
    stranger = Authority(tmp_path, "stranger").leaf("other", client=True)
    mutual = settings(*authority.server, verify="verify_peer", fail_if_no_peer_cert="on", cacertfile=authority.cert)
    with Daemon(settings=mutual) as one:
        for client in (None, stranger):
            # With TLS 1.3 the client hears of it only when it reads.
            with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
                with answered(one, authority, listener, client):
                    pass
        with answered(one, authority, listener, authority.client):
            pass
        assert serves(one)


@pytest.mark.parametrize("listener", LISTENERS)
def test_client_certificates_optional(authority, listener, tmp_path):
    """RAW-TLS-1: none and the right one pass, one of somebody else does not"""
    stranger = Authority(tmp_path, "stranger").leaf("other", client=True)
    asked = settings(*authority.server, verify="verify_peer", fail_if_no_peer_cert="off", cacertfile=authority.cert)
    with Daemon(settings=asked) as one:
        for client in (None, authority.client):
            with answered(one, authority, listener, client):
                pass
        with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
            with answered(one, authority, listener, stranger):
                pass


def answered(daemon, authority, listener, client):
    """A connection that has had an answer."""
    if listener == "wamp.tls":
        return over_tls(daemon, authority, client=client).join()
    peer = https(daemon, authority, client=client)
    assert peer.ask(head("GET", "/demo/hello")).status == 200
    return peer


# ---- nonsense ----------------------------------------------------------------------------------------------

NONSENSE = [b"\0", b"\xff" * 100, b"\x7f\xf1\0\0", head("GET", "/demo/hello"), b"\x16\x03\x01", b"\x16\x03\x01\xff\xff" + b"x" * 1000,
            b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x01\x00\x02\x02\x28", b"\x17\x03\x03\x40\x00" + b"y" * 20000,
            b"\x14\x03\x03\x00\x01\x01" * 1000, b"\x16\x03\x01\x00\x00" * 5000, b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"z" * 60000,
            b"\x80\x2e\x01\x00\x02" + b"0" * 50]


@pytest.mark.parametrize("listener", LISTENERS)
def test_p1_nonsense_on_a_tls_port(daemon, authority, listener):
    """Nothing in clear text comes back, and the connection ends"""
    socks = []
    for octets in NONSENSE:
        socks.append(daemon.connect(listener))
        try:
            socks[-1].sendall(octets)
        except ConnectionError:
            pass
    for octets, sock in zip(NONSENSE, socks):
        got = read_all(sock, 20)
        sock.close()
        assert not got.startswith((b"HTTP", b"\x7f")), (octets[:20], got[:50])


def test_tls_on_a_plain_port(daemon, authority):
    """A ClientHello on the plain ports ends at once, whatever answer it gets"""
    for listener in ("wamp.tcp", "api_gateway.http"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context(authority).wrap_socket(daemon.connect(listener), server_hostname="localhost")


def recorded_hello(authority):
    """What a client sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("listener", LISTENERS)
def test_rob_1_dropped_at_every_octet_of_the_client_hello(daemon, authority, listener):
    """ROB-1: and memory returns"""
    hello = recorded_hello(authority)
    before = daemon.rss()
    for end in range(0, len(hello) + 1, 3 if SANITIZED else 1):
        with daemon.connect(listener) as sock:
            sock.sendall(hello[:end])
    assert serves(daemon)
    if not SANITIZED:
        wait_until(lambda: daemon.rss() < before + 8 * MIB)


@pytest.mark.parametrize("listener", LISTENERS)
def test_h6_slow_tls_handshakes_end(daemon, authority, listener):
    """H6, R1: silence at each stage ends with handshake_timeout, a good client is not held up"""
    hello = recorded_hello(authority)
    slow = []
    for n in range(100):
        sock = daemon.connect(listener)
        sock.sendall(hello[:(0, 1, 5, 100, len(hello))[n % 5]])
        slow.append(sock)
    slow += [wrap(daemon, authority, listener, source="127.0.4.1") for _ in range(5)]  # done, and silent after it
    with over_tls(daemon, authority).join():
        pass
    for n, sock in enumerate(slow[:100]):
        assert is_closed(sock, 15), n
        sock.close()
    for sock in slow[100:]:
        assert is_closed(sock, 20)
        sock.close()


def test_tampered_records_end_the_connection(daemon, authority):
    """C2 for clients: octets that were changed on the way are no message"""
    with connect(daemon.ports["wamp.tls"]) as plain:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        tls.write(b"\x7f\xf1\0\0")
        record = bytearray(outgoing.read())
        record[-1] ^= 1
        plain.sendall(record)
        assert is_closed(plain)


def cut(sock):
    """Closes the descriptor below TLS."""
    socket.socket(fileno=sock.detach()).close()


def test_truncated_by_a_plain_end(daemon, authority):
    """The peer's TCP end without close_notify, in a session and in the middle of a request"""
    with raw(daemon).join() as watcher:
        for opened in (over_tls(daemon, authority).join(), wss(daemon, authority).join()):
            opened.register("com.example.truncated")
            cut(opened.sock)
            wait_until(lambda: watcher.call("com.example.truncated")[4] == "wamp.error.no_such_procedure")
    peer = https(daemon, authority)
    peer.send(head("POST", "/demo/echo", "Content-Length: 100") + b"{")
    cut(peer.sock)


def test_r3_deaf_clients_over_tls(daemon, authority):
    """R3 over TLS: 16 MiB published to deaf wss and TLS subscribers costs no more than their queues"""
    count = 64 if SANITIZED else 256
    deaf = [wss(daemon, authority).join(), over_tls(daemon, authority).join()]
    for one in deaf:
        one.subscribe("com.example.deaf")
    with raw(daemon).join() as publisher:
        before = daemon.rss()
        for _ in range(count):
            publisher.publish("com.example.deaf", ["x" * 65536])
        if not SANITIZED:
            assert daemon.rss() < before + 32 * MIB
    for one in deaf:
        one.close()


# ---- certificates that change ------------------------------------------------------------------------------

def serial(daemon, authority, listener):
    with wrap(daemon, authority, listener) as sock:
        return int(sock.getpeercert()["serialNumber"], 16)


def test_reload_under_load(authority):
    """Issue 2, point 6: 10 certificates, one after the other, while sessions on all transports go on calling"""
    cert, key = authority.leaf("changing")
    with Daemon(settings=settings(cert, key)) as one:
        wrong, stop, counts = [], threading.Event(), [0, 0, 0]

        def go_on(n, peer):
            try:
                while not stop.is_set():
                    if peer.call("com.example.echo", [n]) != [n]:
                        wrong.append(n)
                    counts[n] += 1
                peer.send(GOODBYE, {}, "wamp.close.close_realm")
                assert peer.recv()[0] == GOODBYE
            except Exception as error:
                wrong.append(error)

        peers = [wss(one, authority).join(), over_tls(one, authority).join(), over_tls(one, authority, "api_gateway.https").join()]
        with Callee(wss(one, authority).join(), {"com.example.echo": lambda n: n}):
            threads = [threading.Thread(target=go_on, args=(n, peer)) for n, peer in enumerate(peers)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(10):
                    authority.leaf("changing")
                    reloads = one.log().count("event=reloaded")
                    one.signal(signal.SIGHUP)
                    wait_until(lambda: one.log().count("event=reloaded") > reloads, what=one.log())
                    for listener in LISTENERS:
                        for _ in range(4):
                            assert serial(one, authority, listener) == authority.serial
                wait_until(lambda: min(counts) > 50)
            finally:
                stop.set()
                for thread in threads:
                    thread.join(30)
        assert not wrong, wrong
        for peer in peers:
            peer.close()


@pytest.mark.parametrize("broken", ["nothing", "text", "cut", "gone", "other key"])
def test_a_bad_new_certificate_keeps_the_old_one(authority, broken):
    """Issue 2, point 6: refused and logged; the old one goes on"""
    cert, key = authority.leaf("breaking")
    with Daemon(settings=settings(cert, key)) as one, over_tls(one, authority).join() as session:
        before = serial(one, authority, "wamp.tls")
        with open(cert) as f:
            good = f.read()
        if broken == "gone":
            os.unlink(cert)
        elif broken == "other key":
            authority.leaf("somebody")
            with open(os.path.join(authority.folder, "somebody-key.pem")) as other, open(key, "w") as f:
                f.write(other.read())
        else:
            with open(cert, "w") as f:
                f.write({"nothing": "", "text": "no certificate\n", "cut": good[:len(good) // 2]}[broken])
        one.signal(signal.SIGHUP)
        wait_until(lambda: "event=reload_refused" in one.log(), what=one.log())
        assert any("event=reload_refused" in line or "level=error" in line for line in one.lines)
        for listener in LISTENERS:
            assert serial(one, authority, listener) == before
        assert session.call("com.example.none")[4] == "wamp.error.no_such_procedure"
        authority.leaf("breaking")
        one.signal(signal.SIGHUP)
        wait_until(lambda: "event=reloaded" in one.log(), what=one.log())
        assert serial(one, authority, "wamp.tls") == authority.serial

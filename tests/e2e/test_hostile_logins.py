# SPDX-License-Identifier: Apache-2.0
"""Clients that do not finish their login, or do it in a way of their own: SESS-OPEN-10, SESS-AUTH, PROTO-PRE-1.

On both transports; the daemon serves others meanwhile and ends with 0.
"""
import time

import pytest

from daemon import BUILD, Daemon
from identities import CHEAP, PASSWORD, enter, shop
from wamp_login import AUTHENTICATE, CHALLENGE, Cra, Password
from wamp_peer import ABORT, HELLO, PEERS, ROLES, WELCOME, Closed, serves, wait_until

SHOP = "com.example.shop"
VIOLATION = "wamp.error.protocol_violation"
DENIED = "wamp.error.authentication_denied"
SERIALIZERS = ("json", "msgpack", "cbor")
TIMEOUT = 0.4


def settings(timeout):
    keys = dict(CHEAP)
    for listener in ("wamp.tcp", "wamp.websocket"):
        keys[listener + ".auth_timeout"] = timeout
    return keys


@pytest.fixture(scope="module")
def node():
    with Daemon(settings=settings("20s")) as daemon:
        daemon.call("bondy.realm.create", shop())
        yield daemon


@pytest.fixture(scope="module")
def hasty():
    with Daemon(settings=settings("400ms")) as daemon:
        daemon.call("bondy.realm.create", shop())
        yield daemon


@pytest.fixture(autouse=True)
def still_serves(request):
    yield
    for name in ("node", "hasty"):
        if name in request.fixturenames:
            assert serves(request.getfixturevalue(name))


@pytest.fixture(params=PEERS)
def kind(request):
    return request.param


def hello(method="wampcra", authid="mona"):
    return [HELLO, SHOP, {"roles": ROLES, "authid": authid, "authmethods": [method]}]


def challenged(daemon, kind, method="wampcra", serializer="json"):
    peer = PEERS[kind](daemon, serializer)
    peer.send(*hello(method))
    message = peer.recv()
    assert message[0] == CHALLENGE and message[1] == method, message
    peer.challenge = message[2]
    return peer


def answer(peer):
    signature, extra = Cra("mona", PASSWORD).answer(peer.challenge)
    return [AUTHENTICATE, signature, extra]


def ends_with(peer, reason, before=()):
    """ABORT with this reason, then the end of the connection; `before` may come first."""
    message = peer.recv()
    while message[0] in before:
        message = peer.recv()
    assert message[0] == ABORT and message[2] == reason, message
    with pytest.raises(Closed):
        peer.recv()


# ---- too late (SESS-OPEN-10) ---------------------------------------------------------------------

@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_who_says_nothing_is_aborted_in_time(hasty, kind, serializer):
    started = time.monotonic()
    with PEERS[kind](hasty, serializer) as peer:
        ends_with(peer, "wamp.error.authentication_failed")
    assert TIMEOUT - 0.1 < time.monotonic() - started < 20


@pytest.mark.parametrize("method", ("wampcra", "password", "ticket", "wamp-scram", "cryptosign"))
def test_who_is_silent_after_challenge_is_aborted_in_time(hasty, kind, method):
    with PEERS[kind](hasty) as peer:
        started = time.monotonic()
        message = hello(method)
        message[2]["authextra"] = {"nonce": "AAAAAAAAAAAAAAAAAAAAAA=="} if method == "wamp-scram" else {}
        peer.send(*message)
        assert peer.recv()[0] == CHALLENGE
        ends_with(peer, "wamp.error.authentication_failed")
        assert TIMEOUT - 0.1 < time.monotonic() - started < 20


def test_half_a_message_after_challenge_does_not_help(hasty, kind):
    peer = challenged(hasty, kind)
    with peer:
        peer.sock.sendall(peer.frame(peer.encode(answer(peer)))[:-3])
        ends_with(peer, "wamp.error.authentication_failed")


def test_pings_do_not_help(hasty, kind):
    """Only AUTHENTICATE counts."""
    ping = b"\x01\0\0\x01x" if kind == "rawsocket" else b"\x89\x81\0\0\0\0x"
    peer = challenged(hasty, kind)
    with peer:
        started = time.monotonic()
        message = None
        peer.sock.settimeout(0.05)
        while message is None and time.monotonic() < started + 20:
            try:
                peer.sock.sendall(ping)
                message = peer.recv()
            except TimeoutError:
                pass
        assert message[0] == ABORT and message[2] == "wamp.error.authentication_failed", message


def test_who_is_in_time_stays(hasty, kind):
    with enter(hasty, Cra("mona", PASSWORD), SHOP, kind) as peer:
        end = time.monotonic() + 3 * TIMEOUT
        wait_until(lambda: time.monotonic() > end)
        assert peer.subscribe("com.example.later") > 0


# ---- out of turn ---------------------------------------------------------------------------------

@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_authenticate_before_hello(node, kind, serializer):
    with PEERS[kind](node, serializer) as peer:
        peer.send(AUTHENTICATE, "x", {})
        ends_with(peer, VIOLATION)


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_authenticate_before_challenge(node, kind, serializer):
    with PEERS[kind](node, serializer) as peer:
        peer.send_many([hello(), [AUTHENTICATE, "x", {}]])
        ends_with(peer, VIOLATION, before=(CHALLENGE,))


@pytest.mark.parametrize("method", ("wampcra", "password"))
def test_two_answers_at_once(node, kind, method):
    """The second is one too many, whether the first is still looked at (password) or was right (wampcra)."""
    peer = challenged(node, kind, method)
    with peer:
        first = answer(peer) if method == "wampcra" else [AUTHENTICATE, PASSWORD, {}]
        peer.send_many([first, first])
        ends_with(peer, VIOLATION, before=(WELCOME,))


def test_a_wrong_answer_has_no_second_try(node, kind):
    peer = challenged(node, kind)
    with peer:
        peer.send_many([[AUTHENTICATE, "wrong", {}], answer(peer)])
        ends_with(peer, DENIED)


OUT_OF_TURN = [hello(), [2, 1, {}], [4, "wampcra", {}], [6, {}, "wamp.close.close_realm"], [16, 1, {}, "com.example.x"],
               [32, 1, {}, "com.example.x"], [48, 1, {}, "com.example.x"], [64, 1, {}, "com.example.x"], [5], [5, "x"],
               [5, 7, {}], [5, "x", []], [5, None, {}], [999], [], {}, "text"]


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_anything_but_an_answer_to_a_challenge(node, kind, serializer):
    for message in OUT_OF_TURN:
        peer = challenged(node, kind, serializer=serializer)
        with peer:
            peer.send_payload(peer.encode(message))
            ends_with(peer, VIOLATION)


def test_abort_after_challenge_ends_without_a_word(node, kind):
    peer = challenged(node, kind)
    with peer:
        peer.send(ABORT, {}, "wamp.close.normal")
        with pytest.raises(Closed):
            peer.recv()


# ---- too long ------------------------------------------------------------------------------------

@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_an_answer_has_64_kib(node, kind, serializer):
    peer = challenged(node, kind, "password", serializer)
    with peer:
        peer.send(AUTHENTICATE, "x" * 60000, {})
        ends_with(peer, DENIED)
    peer = challenged(node, kind, "password", serializer)
    with peer:
        try:
            peer.send(AUTHENTICATE, "x" * 70000, {})
            while True:
                message = peer.recv()
                assert message[0] == ABORT and message[2] == VIOLATION, message
        except Closed as closed:
            assert closed.code in (None, 1000, 1009)
        except ConnectionError:
            pass


def test_announced_answers_cost_nothing(node):
    """P3: 200 challenged clients announce an answer of 16 MiB less one octet"""
    before = node.rss()
    peers = [challenged(node, "rawsocket") for _ in range(200)]
    for peer in peers:
        peer.sock.sendall(b"\0\xff\xff\xff" + b"[5,")
    for peer in peers:
        ends_with(peer, VIOLATION)
        peer.close()
    if "asan" not in BUILD:
        assert node.rss() < before + (16 << 20)


# ---- gone ----------------------------------------------------------------------------------------

def test_clients_that_leave_inside_a_login(node, kind):
    """At every step, also while a pool looks the user up or derives a key."""
    count = 20 if "asan" in BUILD else 100
    for n in range(count):
        peer = PEERS[kind](node)
        if n % 4 > 0:
            peer.send(*hello("password"))
        if n % 4 > 1:
            assert peer.recv()[0] == CHALLENGE
        if n % 4 > 2:
            peer.send(AUTHENTICATE, PASSWORD, {})
        peer.close()
    wait_until(lambda: node.call("bondy.session.list", SHOP) == [])

# SPDX-License-Identifier: Apache-2.0
"""Logins that are bound to their TLS connection: RFC 5929, and what WAMP makes of it.

AUTH-SCRAM-6 and -7, AUTH-CSIGN-3, threat-model.md J11. tls-exporter is not to be had from Python: it is compared with
GnuTLS' own in tests/unit/transport/test_binding.c.
"""
import hashlib
import ssl
import tempfile

import pytest

from daemon import Daemon
from identities import CHEAP, PASSWORD, SEED, shop
from test_tls import Authority, settings
from wamp_login import Cryptosign, Scram
from wamp_peer import ABORT, WELCOME, RawPeer, WebSocketPeer, connect

SHOP = "com.example.shop"
DENIED = "wamp.error.authentication_denied"
LISTENERS = {"rawsocket": ("wamp.tls", RawPeer), "websocket": ("api_gateway.https", WebSocketPeer),
             "one port": ("api_gateway.https", RawPeer)}
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(scope="module")
def node():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        keys = dict(CHEAP, **settings(*authority.issue()))
        keys.update({"api_gateway.https.versions": "1.2,1.3", "wamp.tls.versions": "1.2,1.3"})
        with Daemon(settings=keys) as daemon:
            daemon.authority = authority
            daemon.call("bondy.realm.create", shop())
            yield daemon


def open_peer(node, kind, version):
    """A peer over TLS, with what each binding is on its connection."""
    listener, peer = LISTENERS[kind]
    context = ssl.create_default_context(cafile=node.authority.cert)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    sock = context.wrap_socket(connect(node.ports[listener]), server_hostname="localhost")
    bindings = {None: b"", "tls-server-end-point": hashlib.sha256(sock.getpeercert(True)).digest()}
    if version == "1.2":
        bindings["tls-unique"] = sock.get_channel_binding("tls-unique")
    return peer(sock), bindings


def scram(binding):
    return Scram("mona", PASSWORD, binding=binding)


def cryptosign(binding):
    name, octets = binding
    # WAMP signs 32 octets; clients hash what is shorter.
    return Cryptosign("mona", SEED, binding=(name, hashlib.sha256(octets).digest()))


CASES = [(scram, "1.2", "tls-unique"), (scram, "1.2", "tls-server-end-point"), (scram, "1.3", "tls-server-end-point"),
         (cryptosign, "1.2", "tls-unique")]
NAMES = [f"{method.__name__}-{version}-{name}" for method, version, name in CASES]


@pytest.mark.parametrize("kind", LISTENERS)
@pytest.mark.parametrize("method, version, name", CASES, ids=NAMES)
def test_a_login_is_bound_to_its_connection(node, method, version, name, kind):
    peer, bindings = open_peer(node, kind, version)
    with peer:
        reply = method((name, bindings[name])).login(peer, SHOP)
        assert reply[0] == WELCOME, reply


@pytest.mark.parametrize("kind", LISTENERS)
@pytest.mark.parametrize("method", (scram, cryptosign), ids=("scram", "cryptosign"))
def test_what_was_made_for_another_connection_is_refused(node, method, kind):
    """J11: somebody in the middle passes on what the client says"""
    other, elsewhere = open_peer(node, kind, "1.2")
    peer, bindings = open_peer(node, kind, "1.2")
    assert elsewhere["tls-unique"] != bindings["tls-unique"]
    with other, peer:
        reply = method(("tls-unique", elsewhere["tls-unique"])).login(peer, SHOP)
        assert reply[0] == ABORT and reply[2] == DENIED, reply
    peer, bindings = open_peer(node, kind, "1.2")
    with peer:
        reply = scram(("tls-server-end-point", bytes(32))).login(peer, SHOP)
        assert reply[0] == ABORT and reply[1].get("scram") == "channel-bindings-dont-match", reply


@pytest.mark.parametrize("kind", LISTENERS)
def test_tls_1_3_has_no_tls_unique(node, kind):
    """AUTH-SCRAM-7: ABORT; AUTH-CSIGN-3: the login goes on without"""
    peer, _ = open_peer(node, kind, "1.3")
    with peer:
        reply = scram(("tls-unique", b"x" * 12)).login(peer, SHOP)
        assert reply[0] == ABORT and reply[2] == "wamp.error.authentication_failed", reply
    peer, _ = open_peer(node, kind, "1.3")
    with peer:
        method = Cryptosign("mona", SEED)
        method.authextra = lambda: {"pubkey": method.pubkey, "channel_binding": "tls-unique"}
        reply = method.login(peer, SHOP)
        assert reply[0] == WELCOME and peer.challenge[2]["channel_binding"] is None, reply


def test_without_tls_there_is_nothing_to_bind_to(node):
    for name in ("tls-unique", "tls-server-end-point", "tls-exporter"):
        with RawPeer(connect(node.ports["wamp.tcp"])) as peer:
            reply = scram((name, bytes(32))).login(peer, SHOP)
            assert reply[0] == ABORT and reply[2] == "wamp.error.authentication_failed", reply

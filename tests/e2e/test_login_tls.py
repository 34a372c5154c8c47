# SPDX-License-Identifier: Apache-2.0
"""Logins by client certificate over WAMP: AUTH-TLS-1, SESS-AUTH-2."""
import os
import ssl
import tempfile

import pytest

from daemon import Daemon
from identities import CHEAP, METHODS, PASSWORD, is_welcome, shop, source
from test_admin_listeners import client_certificate
from test_tls import TEMPLATE, Authority, certtool, settings, write
from wamp_login import Cra, Method
from wamp_peer import ABORT, RawPeer, WebSocketPeer, connect

SHOP = "com.example.shop"
LISTENERS = {"rawsocket": ("wamp.tls", RawPeer), "websocket": ("api_gateway.https", WebSocketPeer),
             "one port": ("api_gateway.https", RawPeer)}
NO_METHOD = "wamp.error.no_matching_auth_method"
DENIED = "wamp.error.authentication_denied"


class Tls(Method):
    name = "tls"


@pytest.fixture(scope="module")
def house():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as elsewhere:
        authority = Authority(folder)
        keys = dict(CHEAP, **settings(*authority.issue()))
        keys["security.names.unicode"] = "on"
        for listener in ("wamp.tls", "api_gateway.https"):
            keys.update({f"{listener}.verify": "verify_peer", f"{listener}.cacertfile": authority.cert})
        with Daemon(settings=keys) as daemon:
            daemon.authority, daemon.stranger = authority, Authority(elsewhere)
            realm = shop(authmethods=[*METHODS, "tls"])
            realm["users"].append({"username": "gone", "enabled": False})
            realm["sources"] = [source("tls", ["mona", "gone"]), source("wampcra"), source("anonymous", ["anonymous"])]
            daemon.call("bondy.realm.create", realm)
            for alias in ("mona@example.com", "mönä"):
                daemon.call("bondy.user.add_alias", SHOP, "mona", alias)
            yield daemon


def certificate(authority, name, known={}):
    if (authority.folder, name) not in known:
        known[authority.folder, name] = client_certificate(authority, name)
    return known[authority.folder, name]


def open_peer(house, kind, client=None):
    listener, peer = LISTENERS[kind]
    context = ssl.create_default_context(cafile=house.authority.cert)
    if client:
        context.load_cert_chain(*client)
    return peer(context.wrap_socket(connect(house.ports[listener]), server_hostname="localhost"))


def login(house, kind, client, method):
    with open_peer(house, kind, client) as peer:
        return method.login(peer, SHOP)


@pytest.mark.parametrize("kind", LISTENERS)
def test_the_certificates_name_is_the_users(house, kind):
    for name in ("mona", "mona@example.com", "MÖNÄ"):
        for authid in ("mona", "mona@example.com", None):
            reply = login(house, kind, certificate(house.authority, name), Tls(authid))
            assert is_welcome(reply), reply
            assert (reply[2]["authid"], reply[2]["authmethod"], reply[2]["authrole"]) == ("mona", "tls", "staff")


@pytest.mark.parametrize("kind", LISTENERS)
@pytest.mark.parametrize("name, authid", [("zoe", "mona"), ("zoe", "zoe"), ("zoe", None), ("stranger", "mona"),
                                          ("stranger", None), ("gone", "gone"), ("gone", None), ("mona", "nobody")])
def test_no_other_name_is_and_nobody_learns_why(house, kind, name, authid):
    reply = login(house, kind, certificate(house.authority, name), Tls(authid))
    assert reply[0] == ABORT and reply[2] == DENIED, reply


@pytest.mark.parametrize("kind", LISTENERS)
@pytest.mark.parametrize("authid", ["mona", "nobody", None])
def test_without_a_certificate_there_is_no_such_method(house, kind, authid):
    reply = login(house, kind, None, Tls(authid))
    assert reply[0] == ABORT and reply[2] == NO_METHOD, reply


@pytest.mark.parametrize("kind", LISTENERS)
def test_a_certificate_says_only_what_its_own_connection_may(house, kind):
    with open_peer(house, kind, certificate(house.authority, "mona")) as one, open_peer(house, kind) as other:
        assert Tls("mona").login(other, SHOP)[2] == NO_METHOD
        assert is_welcome(Tls("mona").login(one, SHOP))
        with open_peer(house, kind) as later:
            assert Tls("mona").login(later, SHOP)[2] == NO_METHOD


@pytest.mark.parametrize("kind", LISTENERS)
def test_without_a_certificate_the_next_method_is_used(house, kind):
    method = Cra("mona", PASSWORD, authmethods=["tls", "wampcra"])
    reply = login(house, kind, None, method)
    assert is_welcome(reply) and reply[2]["authmethod"] == "wampcra", reply
    reply = login(house, kind, certificate(house.authority, "mona"), method)
    assert is_welcome(reply) and reply[2]["authmethod"] == "tls", reply


def expired(authority, name):
    key, cert = (os.path.join(authority.folder, f"expired-{name}-{part}.pem") for part in ("key", "cert"))
    template = os.path.join(authority.folder, "expired.txt")
    authority.serial += 1
    write(template, TEMPLATE.format(name=name, serial=authority.serial).replace("expiration_days = 30", "") +
          'activation_date = "2020-01-01 00:00:00"\nexpiration_date = "2020-02-01 00:00:00"\n'
          "tls_www_client\nsigning_key\n")
    certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", key)
    certtool("--generate-certificate", "--load-privkey", key, "--load-ca-certificate", authority.cert,
             "--load-ca-privkey", authority.key, "--template", template, "--outfile", cert)
    return cert, key


@pytest.mark.parametrize("kind", LISTENERS)
@pytest.mark.parametrize("which", ["of another authority", "expired", "of a server"])
def test_a_bad_certificate_ends_in_the_handshake(house, kind, which):
    client = {"of another authority": lambda: certificate(house.stranger, "mona"),
              "expired": lambda: expired(house.authority, "mona"),
              "of a server": house.authority.issue}[which]()
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError, AssertionError)) as caught:
        login(house, kind, client, Tls("mona"))
    assert "WELCOME" not in str(caught.value)
    assert is_welcome(login(house, kind, certificate(house.authority, "mona"), Tls("mona")))


def test_a_change_of_the_user_counts_at_once(house):
    client = certificate(house.authority, "mona")
    with open_peer(house, "rawsocket", client) as peer:
        assert is_welcome(Tls().login(peer, SHOP))
        house.call("bondy.user.disable", SHOP, "mona")
        try:
            assert peer.recv()[0] == 6  # GOODBYE
            assert login(house, "rawsocket", client, Tls())[2] == DENIED
        finally:
            house.call("bondy.user.enable", SHOP, "mona")
    assert is_welcome(login(house, "rawsocket", client, Tls()))


def test_roles_are_the_users_and_nobody_elses(house):
    client = certificate(house.authority, "mona")
    assert login(house, "rawsocket", client, Tls("mona", authrole="managers"))[2] == "wamp.error.no_such_role"
    with open_peer(house, "rawsocket", client) as peer:
        reply = Tls("mona", authrole="staff").login(peer, SHOP)
        assert is_welcome(reply) and reply[2]["authrole"] == "staff", reply

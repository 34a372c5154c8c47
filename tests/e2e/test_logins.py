# SPDX-License-Identifier: Apache-2.0
"""Logins on the real daemon: every method over RawSocket and WebSocket, sources, roles, SSO, aliases, tickets.

realms-and-security.md 3 and 7 (rows 5 to 10, 13 and 14); wamp-admin-api.md 5.
"""
import json
import socket

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from daemon import Daemon
from identities import (ARGO, CHEAP, OTHER_SEED, PASSWORD, SEED, attempt, enter, grant, is_welcome, shop, source)
from wamp_login import (AUTHENTICATE, CHALLENGE, Anonymous, Cra, Cryptosign, Password, Scram, Ticket, Trust,
                        public_key)
from wamp_peer import ABORT, ERROR, GOODBYE, HELLO, WELCOME, PEERS, RawPeer, ROLES, raw, wait_until

SHOP = "com.example.shop"
DENIED = "wamp.error.authentication_denied"
KINDS = tuple(PEERS)


@pytest.fixture(scope="module")
def node():
    with Daemon(settings=dict(CHEAP, **{"security.auth.hide_unknown_users": "off"})) as daemon:
        daemon.call("bondy.realm.create", shop())
        daemon.call("bondy.user.add", SHOP, ARGO)
        yield daemon


RIGHT = {
    "anonymous": lambda: Anonymous(),
    "anonymous-by-name": lambda: Anonymous("anonymous"),
    "trust": lambda: Trust("mona"),
    "password": lambda: Password("mona", PASSWORD),
    "wampcra": lambda: Cra("mona", PASSWORD),
    "wamp-scram-pbkdf2": lambda: Scram("mona", PASSWORD),
    "wamp-scram-argon2id13": lambda: Scram("argo", PASSWORD),
    "cryptosign": lambda: Cryptosign("mona", SEED),
    "cryptosign-upper-case": lambda: Cryptosign("mona", SEED, pubkey=public_key(SEED).upper()),
    "cryptosign-signature-alone": lambda: Cryptosign("mona", SEED, sends_message=False),
    "cryptosign-without-authid": lambda: Cryptosign(None, SEED),
    "other-case-of-the-name": lambda: Cra("MONA", PASSWORD),
}


@pytest.mark.parametrize("serializer", ("json", "msgpack", "cbor"))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RIGHT)
def test_right_credentials_are_let_in(node, name, kind, serializer):
    method = RIGHT[name]()
    reply = attempt(node, method, SHOP, kind, serializer=serializer)
    assert is_welcome(reply), reply
    details = reply[2]
    assert 1 <= reply[1] <= 1 << 53
    assert (details["realm"], details["authmethod"]) == (SHOP, method.name)
    assert details["authprovider"] == "com.leapsight.bondy"
    if method.name == "anonymous":
        assert details["authrole"] == "anonymous" and len(details["authid"]) == 36
    else:
        assert details["authid"] == (method.authid or "mona").lower()
        assert details["authrole"] == ("staff" if details["authid"] == "mona" else None)
    if method.name == "wamp-scram":
        assert details["authextra"]["verifier"] == method.verifier


WRONG = {
    "password": lambda: Password("mona", "kettle-46-ropes"),
    "password-empty": lambda: Password("mona", ""),
    "wampcra": lambda: Cra("mona", "kettle-46-ropes"),
    "wamp-scram-pbkdf2": lambda: Scram("mona", "kettle-46-ropes"),
    "wamp-scram-argon2id13": lambda: Scram("argo", "kettle-46-ropes"),
    "cryptosign-key-of-somebody-else": lambda: Cryptosign("mona", OTHER_SEED),
    "cryptosign-signed-with-another-key": lambda: Cryptosign("mona", OTHER_SEED, pubkey=public_key(SEED)),
    "ticket-of-nobody": lambda: Ticket("mona", "a.b.c"),
    "ticket-is-the-password": lambda: Ticket("mona", PASSWORD),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WRONG)
def test_wrong_credentials_are_refused(node, name, kind):
    reply = attempt(node, WRONG[name](), SHOP, kind)
    assert (reply[0], reply[2]) == (ABORT, DENIED), reply


class Flipped:
    """A method whose answer has one bit changed."""

    def __init__(self, method, position):
        self.method, self.position = method, position

    def __getattr__(self, name):
        return getattr(self.method, name)

    def login(self, peer, realm):
        reply = self.method.hello(peer, realm)
        signature, extra = self.method.answer(reply[2])
        at = self.position % len(signature)
        other = "A" if signature[at] not in "Aa" else "B"
        peer.send(AUTHENTICATE, signature[:at] + other + signature[at + 1:], extra)
        return peer.recv()


@pytest.mark.parametrize("position", (0, 17, -3))
@pytest.mark.parametrize("name", ("wampcra", "wamp-scram-pbkdf2", "cryptosign-signature-alone"))
def test_a_changed_signature_is_refused(node, name, position):
    """Row 9."""
    reply = attempt(node, Flipped(RIGHT[name](), position), SHOP)
    assert (reply[0], reply[2]) == (ABORT, DENIED), reply


def test_challenges_say_what_the_methods_need(node):
    """AUTH-CRA-1, AUTH-CRA-3, AUTH-SCRAM-2, AUTH-CSIGN-1."""
    method = Cra("mona", PASSWORD)
    reply = attempt(node, method, SHOP)
    extra = method.challenge[2]
    challenge = json.loads(extra["challenge"])
    assert set(extra) == {"challenge", "salt", "keylen", "iterations"} and extra["keylen"] == 32
    assert set(challenge) == {"authid", "authrole", "authmethod", "authprovider", "nonce", "timestamp", "session"}
    assert (challenge["session"], challenge["authid"]) == (reply[1], "mona")
    assert challenge["timestamp"].endswith("Z")
    method = Scram("mona", PASSWORD)
    attempt(node, method, SHOP)
    assert set(method.challenge[2]) == {"nonce", "salt", "kdf", "iterations", "memory"}
    method = Scram("argo", PASSWORD)
    attempt(node, method, SHOP)
    assert (method.challenge[2]["kdf"], method.challenge[2]["memory"]) == ("argon2id13", 8192)
    method = Cryptosign("mona", SEED)
    attempt(node, method, SHOP)
    assert len(method.challenge[2]["challenge"]) == 64 and method.challenge[2]["channel_binding"] is None


@pytest.mark.parametrize("extra", ({}, {"nonce": 7}, {"nonce": "***"}, {"nonce": "", "channel_binding": None},
                                   {"nonce": "oKGio6SlpqeoqaqrrK2urw==", "channel_binding": "carrier-pigeon"},
                                   {"nonce": "oKGio6SlpqeoqaqrrK2urw==", "channel_binding": "tls-exporter"}))
def test_scram_needs_a_nonce_and_a_binding_that_can_be_had(node, extra):
    """AUTH-SCRAM-1 and -7: over plain TCP there is no channel to bind to."""
    method = Scram("mona", PASSWORD)
    method.authextra = lambda: extra
    reply = attempt(node, method, SHOP)
    assert reply[0] == ABORT and reply[2] == "wamp.error.authentication_failed", reply


@pytest.mark.parametrize("pubkey", ("", "03a1", "zz" * 32, 7))
def test_a_key_that_is_none_is_refused(node, pubkey):
    reply = attempt(node, Cryptosign("mona", SEED, pubkey=pubkey), SHOP)
    assert reply[0] == ABORT, reply


@pytest.mark.parametrize("details,reason", (
    ({"authid": "mona"}, "wamp.error.authentication_required"),
    ({"authid": "mona", "authmethods": []}, "wamp.error.authentication_required"),
    ({"authid": "mona", "authmethods": ["tls", "cookie"]}, "wamp.error.no_matching_auth_method"),
    ({"authid": "mona", "authmethods": ["anonymous"]}, "wamp.error.no_matching_auth_method"),
    ({"authmethods": ["wampcra"]}, "wamp.error.no_matching_auth_method"),
    ({"authid": "nobody", "authmethods": ["wampcra"]}, "wamp.error.no_such_principal"),
    ({"authid": "mona", "authmethods": ["trust"], "authrole": "owners"}, "wamp.error.no_such_role"),
    ({"authid": "mona", "authmethods": ["trust"], "authrole": "managers"}, "wamp.error.no_such_role"),
    ({"authid": "mona", "authmethods": ["trust"], "x_authroles": ["staff", "managers"]}, "wamp.error.no_such_role"),
    ({"authid": "mona", "authmethods": ["trust"], "x_authroles": "staff"}, "wamp.error.protocol_violation"),
    ({"authid": 7, "authmethods": ["trust"]}, "wamp.error.protocol_violation"),
    ({"authid": "mona", "authmethods": "trust"}, "wamp.error.protocol_violation"),
))
def test_refusals_before_any_challenge(node, details, reason):
    """3.9, with hide_unknown_users off."""
    with raw(node) as peer:
        peer.send(HELLO, SHOP, dict(details, roles=ROLES))
        reply = peer.recv()
        assert (reply[0], reply[2]) == (ABORT, reason), reply


def test_the_first_usable_method_of_the_client_is_taken(node):
    """SESS-AUTH-2"""
    with raw(node) as peer:
        peer.send(HELLO, SHOP, {"roles": ROLES, "authid": "argo",
                                "authmethods": ["tls", "cryptosign", "wamp-scram", "wampcra", "password"],
                                "authextra": {"nonce": "oKGio6SlpqeoqaqrrK2urw=="}})
        reply = peer.recv()
        assert reply[0] == CHALLENGE and reply[1] == "wamp-scram", reply


@pytest.mark.parametrize("messages,reason", (
    ([[AUTHENTICATE, "x", {}]], "wamp.error.protocol_violation"),
    ([[HELLO, SHOP, {"roles": ROLES, "authid": "mona", "authmethods": ["password"]}],
      [HELLO, SHOP, {"roles": ROLES}]], "wamp.error.protocol_violation"),
    ([[HELLO, SHOP, {"roles": ROLES, "authid": "mona", "authmethods": ["password"]}],
      [48, 1, {}, "com.example.x"]], "wamp.error.protocol_violation"),
    ([[HELLO, SHOP, {"roles": ROLES, "authid": "mona", "authmethods": ["password"]}],
      [AUTHENTICATE, 7, {}]], "wamp.error.protocol_violation"),
    ([[HELLO, SHOP, {"roles": ROLES, "authid": "mona", "authmethods": ["trust"]}],
      [AUTHENTICATE, "x", {}]], "wamp.error.protocol_violation"),
))
def test_messages_out_of_order_end_the_attempt(node, messages, reason):
    """AUTH-GEN-5"""
    with raw(node) as peer:
        peer.send_many(messages)
        reply = peer.recv()
        while reply[0] in (CHALLENGE, WELCOME):
            reply = peer.recv()
        assert (reply[0], reply[2]) == (ABORT, reason), reply


def test_one_attempt_for_each_connection(node):
    with raw(node) as peer:
        assert Cra("mona", "wrong").login(peer, SHOP)[2] == DENIED
        peer.sock.settimeout(10)
        assert peer.sock.recv(1) == b""


# ---- sources -------------------------------------------------------------------------------------

def test_a_login_needs_a_source_for_the_user_the_address_and_the_method():
    """Row 8."""
    uri = "com.example.doors"
    with Daemon(settings=dict(CHEAP, **{"security.auth.hide_unknown_users": "off", "wamp.tcp.ip_version": "46"})) \
            as node:
        node.call("bondy.realm.create", shop(uri, sources=[
            source("wampcra", cidr="127.0.0.2/32"), source("password", ["mona"], "127.1.0.0/16"),
            source("trust", ["zoe"], "::1/128"), source("anonymous", ["anonymous"], "127.0.0.3/32")]))

        def outcome(method, address):
            reply = attempt(node, method, uri, source=address)
            return "in" if is_welcome(reply) else reply[2]

        no_match = "wamp.error.no_matching_auth_method"
        assert outcome(Cra("mona", PASSWORD), "127.0.0.2") == "in"
        assert outcome(Cra("zoe", PASSWORD), "127.0.0.2") == "in"
        assert outcome(Cra("mona", PASSWORD), "127.0.0.1") == no_match
        assert outcome(Password("mona", PASSWORD), "127.0.0.2") == no_match
        assert outcome(Password("mona", PASSWORD), "127.1.2.3") == "in"
        assert outcome(Password("zoe", PASSWORD), "127.1.2.3") == no_match
        assert outcome(Anonymous(), "127.0.0.3") == "in"
        assert outcome(Anonymous(), "127.0.0.2") == no_match
        assert outcome(Trust("zoe"), "127.0.0.1") == no_match
        # What is added or taken away counts from the next login on.
        node.call("bondy.source.add", uri, source("trust", ["mona"], "127.0.0.0/8"))
        assert outcome(Trust("mona"), "127.0.0.1") == "in"
        node.call("bondy.source.delete", uri, "mona", "127.0.0.0/8")
        assert outcome(Trust("mona"), "127.0.0.1") == no_match
        try:
            connection = socket.create_connection(("::1", node.ports["wamp.tcp"]), 10)
        except OSError:
            return
        with RawPeer(connection) as peer:
            assert is_welcome(Trust("zoe").login(peer, uri))


# ---- roles, aliases, SSO -------------------------------------------------------------------------

def test_an_authrole_leaves_the_grants_of_that_group_alone():
    """Row 10; 2.12, row 12."""
    uri = "com.example.roles"
    with Daemon(settings=CHEAP) as node:
        node.call("bondy.realm.create", shop(uri, grants=[
            grant("staff", "wamp.call", "com.example.staff"), grant("managers", "wamp.call", "com.example.managers"),
            grant("mona", "wamp.call", "com.example.mona"), grant("all", "wamp.call", "com.example.all")]))
        node.call("bondy.user.add_group", uri, "mona", "managers")

        def allowed(peer):
            return {name for name in ("staff", "managers", "mona", "all")
                    if peer.call("com.example." + name)[4] == "wamp.error.no_such_procedure"}

        for details, expected in (({}, {"staff", "managers", "mona", "all"}),
                                  ({"authrole": "staff"}, {"staff", "mona", "all"}),
                                  ({"authrole": "managers"}, {"managers", "mona", "all"}),
                                  ({"x_authroles": ["staff", "managers"]}, {"staff", "managers", "mona", "all"}),
                                  ({"authrole": "default"}, {"staff", "managers", "mona", "all"})):
            with enter(node, Trust("mona", **details), uri) as peer:
                assert allowed(peer) == expected, details
                assert peer.welcome["authrole"] == details.get("authrole", "").replace("default", "") or \
                    set(peer.welcome["authrole"].split(",")) == {"staff", "managers"}


def test_who_logs_in_by_alias_has_the_canonical_name(node):
    """Row 7."""
    node.call("bondy.user.add_alias", SHOP, "mona", "mona@acme.example")
    for method in (Cra("mona@acme.example", PASSWORD), Scram("mona@acme.example", PASSWORD),
                   Cryptosign("Mona@Acme.Example", SEED), Trust("mona@acme.example")):
        reply = attempt(node, method, SHOP)
        assert is_welcome(reply) and reply[2]["authid"] == "mona", reply
    assert node.try_call("bondy.user.add_alias", SHOP, "zoe", "mona@acme.example").json()["error_uri"] == \
        "bondy.error.already_exists"
    assert node.try_call("bondy.user.add_alias", SHOP, "zoe", "mona").json()["error_uri"] == \
        "bondy.error.already_exists"
    for number in range(4):
        node.call("bondy.user.add_alias", SHOP, "mona", f"mona-{number}")
    sixth = node.try_call("bondy.user.add_alias", SHOP, "mona", "mona-5").json()
    assert sixth["error_uri"] == "bondy.error.property_range_limit", sixth
    for alias in ["mona@acme.example"] + [f"mona-{number}" for number in range(4)]:
        node.call("bondy.user.remove_alias", SHOP, "mona", alias)
    assert attempt(node, Trust("mona-1"), SHOP)[2] == "wamp.error.no_such_principal"


def test_one_password_for_all_realms_of_a_same_sign_on_realm():
    """Row 6."""
    idp, one, two = "com.example.idp", "com.example.one", "com.example.two"
    with Daemon(settings=CHEAP) as node:
        node.call("bondy.realm.create", {"uri": idp, "is_sso_realm": True, "allow_connections": False,
                                         "authmethods": []})
        for uri in (one, two):
            node.call("bondy.realm.create", shop(uri, sso_realm_uri=idp, users=[]))
            node.call("bondy.user.add", uri, {"username": "mona", "groups": ["staff"], "sso_realm_uri": idp,
                                              "password": PASSWORD})
        with enter(node, Cra("mona", PASSWORD), one) as first, enter(node, Cra("mona", PASSWORD), two) as second:
            node.call("bondy.user.change_password", two, "mona", "new-secret-9")
            for peer in (first, second):
                goodbye = peer.recv()
                assert (goodbye[0], goodbye[2]) == (GOODBYE, "bondy.user.credentials_changed")
        for uri in (one, two):
            assert attempt(node, Cra("mona", PASSWORD), uri)[2] == DENIED
            assert is_welcome(attempt(node, Cra("mona", "new-secret-9"), uri))
        # Who is disabled there is disabled everywhere; one's own switch counts for one's own realm.
        node.call("bondy.user.disable", one, "mona")
        assert not is_welcome(attempt(node, Cra("mona", "new-secret-9"), one))
        assert is_welcome(attempt(node, Cra("mona", "new-secret-9"), two))
        node.call("bondy.user.disable", idp, "mona")
        assert not is_welcome(attempt(node, Cra("mona", "new-secret-9"), two))
        assert attempt(node, Cra("mona", "new-secret-9"), idp)[0] == ABORT


# ---- the life of a realm and of users ------------------------------------------------------------

def test_a_realm_with_users_is_deleted_by_force_only(node):
    """Row 5."""
    uri = "com.example.closing"
    node.call("bondy.realm.create", shop(uri))
    refusal = node.try_call("bondy.realm.delete", uri).json()
    assert refusal["error_uri"] == "bondy.error.active_users", refusal
    with enter(node, Cra("mona", PASSWORD), uri) as peer:
        node.call("bondy.realm.delete", uri, force=True)
        goodbye = peer.recv()
        assert (goodbye[0], goodbye[2]) == (GOODBYE, "wamp.close.close_realm")
    assert attempt(node, Cra("mona", PASSWORD), uri)[2] == "wamp.error.no_such_realm"
    # A realm of the same name is another one: nobody of the old one is in it.
    node.call("bondy.realm.create", shop(uri, users=[]))
    assert attempt(node, Trust("mona"), uri)[2] == "wamp.error.no_such_principal"
    node.call("bondy.realm.delete", uri)


@pytest.mark.parametrize("change,reason", (
    (lambda node: node.call("bondy.user.disable", SHOP, "temp"), "bondy.user.disabled"),
    (lambda node: node.call("bondy.user.delete", SHOP, "temp"), "bondy.user.deleted"),
    (lambda node: node.call("bondy.user.change_password", SHOP, "temp", "new-secret-9"),
     "bondy.user.credentials_changed"),
    (lambda node: node.call("bondy.user.update", SHOP, "temp", {"authorized_keys": [public_key(SEED)]}),
     "bondy.user.credentials_changed"),
    (lambda node: node.call("bondy.user.update", SHOP, "temp", {"enabled": False}), "bondy.user.disabled"),
))
def test_a_change_of_the_user_ends_its_sessions_and_its_tickets(node, change, reason):
    """Row 14; 2.3."""
    node.call("bondy.user.add", SHOP, {"username": "temp", "password": PASSWORD, "groups": ["staff"]})
    try:
        with enter(node, Cra("temp", PASSWORD), SHOP) as first, \
                enter(node, Trust("temp"), SHOP, "websocket") as second, enter(node, Trust("mona"), SHOP) as other:
            ticket = first.call("bondy.ticket.issue")[0]["ticket"]
            assert is_welcome(attempt(node, Ticket("temp", ticket), SHOP))
            change(node)
            for peer in (first, second):
                goodbye = peer.recv()
                assert (goodbye[0], goodbye[2]) == (GOODBYE, reason), goodbye
            assert other.call("com.example.none")[4] == "wamp.error.no_such_procedure"
            assert not is_welcome(attempt(node, Ticket("temp", ticket), SHOP))
    finally:
        node.try_call("bondy.user.delete", SHOP, "temp")


def test_a_change_of_groups_or_meta_ends_nothing(node):
    node.call("bondy.user.add", SHOP, {"username": "temp", "password": PASSWORD, "groups": ["staff"]})
    with enter(node, Cra("temp", PASSWORD), SHOP) as peer:
        node.call("bondy.user.update", SHOP, "temp", {"meta": {"floor": 3}})
        node.call("bondy.user.add_group", SHOP, "temp", "managers")
        assert peer.call("com.example.none")[4] == "wamp.error.no_such_procedure"
    with enter(node, Cra("temp", PASSWORD), SHOP) as peer:
        assert peer.welcome["authextra"]["meta"] == {"floor": 3}
    node.call("bondy.user.delete", SHOP, "temp")


# ---- tickets -------------------------------------------------------------------------------------

def issue(node, realm=SHOP, method=None, **kwargs):
    with enter(node, method or Cra("mona", PASSWORD), realm) as peer:
        result = peer.call("bondy.ticket.issue", (), kwargs)
        assert result[0] != ERROR, result
        return result[0]


def opens(node, ticket, realm=SHOP, authid="mona", **authextra):
    method = Ticket(authid, ticket["ticket"])
    method.authextra = lambda: authextra
    reply = attempt(node, method, realm)
    assert is_welcome(reply) or reply[2] == DENIED, reply
    return is_welcome(reply)


def test_a_ticket_opens_its_realm_to_its_user(node):
    """Row 13, local."""
    ticket = issue(node, expiry_time_secs=600)
    assert set(ticket) >= {"ticket", "id", "issued_at", "expires_at", "scope"}
    assert ticket["expires_at"] - ticket["issued_at"] == 600
    assert opens(node, ticket)
    assert not opens(node, ticket, authid="zoe")
    assert not opens(node, dict(ticket, ticket=ticket["ticket"][:-4] + "AAAA"))
    other = "com.example.ticket-other"
    node.call("bondy.realm.create", shop(other))
    assert not opens(node, ticket, other)
    # Issued again: the newer one has its place.
    newer = issue(node)
    assert opens(node, newer) and not opens(node, ticket)
    node.call("bondy.ticket.revoke", SHOP, newer["id"], authid="mona")
    assert not opens(node, newer)
    one = issue(node)
    node.call("bondy.ticket.revoke_all", SHOP, "mona")
    assert not opens(node, one)


def test_the_tickets_of_a_scope_can_be_ended_alone(node):
    path = f"/realms/{SHOP}/users/mona/tickets"
    plain, device, client = issue(node), issue(node, device_id="d9"), issue(node, client_id="tool")
    wrong = node.admin(path + "?scope=locl", "DELETE")
    assert (wrong.status, wrong.json()["code"], wrong.json()["key"]) == (400, "bondy.error.invalid_value", "scope")
    wrong = node.try_call("bondy.ticket.revoke_all", SHOP, "mona", scope={"clientid": "x"}).json()
    assert wrong["error_uri"] == "bondy.error.invalid_data" and "clientid" in wrong["args"][0]
    assert node.admin(path + "?scope=local&device_id=d9&dry_run=true", "DELETE").status in (200, 204)
    assert opens(node, device, device_id="d9")
    assert node.admin(path + "?scope=local&device_id=d9", "DELETE").status == 204
    assert not opens(node, device, device_id="d9")
    assert opens(node, plain) and opens(node, client, client_id="tool")
    node.call("bondy.ticket.revoke_all", SHOP, "mona", scope={"client_id": "tool"})
    assert opens(node, plain) and not opens(node, client, client_id="tool")
    node.call("bondy.ticket.revoke_all", SHOP, "mona", scope="local")
    assert not opens(node, plain)
    again = issue(node)
    assert node.admin(path, "DELETE").status == 204
    assert not opens(node, again)


def test_a_ticket_expires(node):
    ticket = issue(node, expiry_time_secs=1, device_id="clock")
    wait_until(lambda: not opens(node, ticket, device_id="clock"))


def test_tickets_bound_to_a_client_or_a_device(node):
    """Row 13, client_local."""
    node.call("bondy.user.add", SHOP, {"username": "till", "password": PASSWORD})
    device = issue(node, device_id="scanner-7")
    assert opens(node, device, device_id="scanner-7")
    assert not opens(node, device, device_id="scanner-8") and not opens(node, device)
    client = issue(node, client_id="till")
    assert opens(node, client, client_id="till")
    assert not opens(node, client, client_id="other") and not opens(node, client)


def test_who_may_have_a_ticket(node):
    """4.1: neither anonymous nor trust nor ticket sessions; the permission bondy.issue is needed."""
    ticket = issue(node)
    for method in (Anonymous(), Trust("mona"), Ticket("mona", ticket["ticket"]), Cra("zoe", PASSWORD)):
        with enter(node, method, SHOP) as peer:
            assert peer.call("bondy.ticket.issue")[4] == "wamp.error.not_authorized", method.name


def test_a_ticket_of_a_same_sign_on_realm_opens_all_its_realms():
    """Row 13, sso and client_sso."""
    idp, one, two = "com.example.idp", "com.example.one", "com.example.two"
    with Daemon(settings=CHEAP) as node:
        node.call("bondy.realm.create", {"uri": idp, "is_sso_realm": True, "allow_connections": False,
                                         "authmethods": []})
        for uri in (one, two):
            node.call("bondy.realm.create", shop(uri, sso_realm_uri=idp, users=[]))
            node.call("bondy.user.add", uri, {"username": "mona", "groups": ["staff"], "sso_realm_uri": idp,
                                              "password": PASSWORD})
        sso, local = issue(node, one), issue(node, one, allow_sso=False)
        client = issue(node, one, client_id="till")
        assert opens(node, sso, one) and opens(node, sso, two)
        assert opens(node, local, one) and not opens(node, local, two)
        assert opens(node, client, two, client_id="till") and not opens(node, client, two)
        node.call("bondy.ticket.revoke_all", one, "mona")
        assert not opens(node, sso, two) and not opens(node, client, two, client_id="till")


# ---- who the router is ---------------------------------------------------------------------------

class Asking(Cryptosign):
    def authextra(self):
        return dict(super().authextra(), challenge="ab" * 32)


def test_the_router_proves_itself_to_who_asks(node):
    """AUTH-CSIGN-4"""
    key = node.admin("/status").json()["router_pubkey"]
    with raw(node) as peer:
        extra = Asking("mona", SEED).hello(peer, SHOP)[2]
    signature = bytes.fromhex(extra["signature"])
    assert extra["pubkey"] == key and signature[64:] == b"\xab" * 32
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature[:64], signature[64:])
    assert is_welcome(attempt(node, Asking("mona", SEED), SHOP))
    assert "pubkey" not in Cryptosign("mona", SEED).hello(raw(node), SHOP)[2]


def test_the_routers_key_stays():
    with Daemon(dev=False, settings=CHEAP) as daemon:
        key = daemon.admin("/status").json()["router_pubkey"]
        assert daemon.stop() == 0
        daemon.start()
        assert daemon.admin("/status").json()["router_pubkey"] == key

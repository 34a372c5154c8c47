# SPDX-License-Identifier: Apache-2.0
"""Who may do what, on connected sessions of the real daemon.

realms-and-security.md 2 and 7 (rows 3, 4, 11, 12); wamp-admin-api.md 5 (its traces); threat-model.md 5.3, Z1 to Z9.
"""
import threading

import pytest

from daemon import Daemon
from identities import ARGO, BASIC, CHEAP, METHODS, PASSWORD, SEED, attempt, enter, grant, shop, source
from wamp_login import Anonymous, Cra, Cryptosign, Trust, public_key
from wamp_peer import (ABORT, CALL, CANCEL, ERROR, EVENT, GOODBYE, INVOCATION, PUBLISH, PUBLISHED, REGISTER, REGISTERED,
                       RESULT, ROLES, SUBSCRIBE, SUBSCRIBED, UNREGISTER, UNSUBSCRIBE, UNSUBSCRIBED, YIELD, raw,
                       wait_until, websocket)

SHOP = "com.example.shop"
MASTER = "com.leapsight.bondy"
REFUSED = "wamp.error.not_authorized"
REVOKING = {role: {"features": {"subscription_revocation": True, "registration_revocation": True}}
            for role in ROLES}


@pytest.fixture(scope="module")
def node():
    with Daemon(settings=CHEAP) as daemon:
        daemon.call("bondy.realm.create", shop())
        yield daemon


@pytest.fixture
def realm(node, request):
    """A realm of its own for a test: no grants but what the test gives."""
    uri = "com.example." + request.node.name.split("[")[0].replace("test_", "")
    node.call("bondy.realm.create", shop(uri, grants=[]))
    yield uri
    node.call("bondy.realm.delete", uri, force=True)


def ask(peer, kind, uri, options=None):
    """None, or the URI of the ERROR."""
    request = peer.next_id()
    message = {"call": [CALL, request, options or {}, uri], "subscribe": [SUBSCRIBE, request, options or {}, uri],
               "register": [REGISTER, request, options or {}, uri],
               "publish": [PUBLISH, request, dict(options or {}, acknowledge=True), uri]}[kind]
    peer.send(*message)
    reply = peer.recv()
    while reply[0] in (EVENT, INVOCATION, UNSUBSCRIBED) and reply[1] != request:
        reply = peer.recv()
    if reply[0] == ERROR:
        assert reply[2] == request, reply
        return None if reply[4] == "wamp.error.no_such_procedure" else reply[4]
    assert reply[0] in (RESULT, SUBSCRIBED, REGISTERED, PUBLISHED) and reply[1] == request, reply
    return None


# ---- every message ------------------------------------------------------------------------------

@pytest.mark.parametrize("connect", (raw, websocket))
@pytest.mark.parametrize("kind", ("call", "subscribe", "register", "publish"))
def test_nothing_is_allowed_without_a_grant_and_a_grant_counts_at_once(node, realm, kind, connect):
    """Row 11, Z8: grant -> the next message is allowed; revoke -> the next one is denied."""
    method = Cra("mona", PASSWORD)
    permission, uri = "wamp." + kind, "com.example.x"
    with connect(node) as peer:
        assert method.login(peer, realm)[0] == 2
        assert ask(peer, kind, uri) == REFUSED
        for give in (grant("mona", permission, uri), grant("staff", permission, "com.example", "prefix"),
                     grant("all", permission, "com..x", "wildcard"), grant("all", permission, "any")):
            node.call("bondy.grant.create", realm, give)
            assert ask(peer, kind, uri) is None, give
            for other in {"call", "subscribe", "register", "publish"} - {kind}:
                assert ask(peer, other, uri) == REFUSED, (other, give)
            node.call("bondy.grant.revoke", realm, give)
            assert ask(peer, kind, uri) == REFUSED


def test_a_group_given_and_taken_counts_at_once(node, realm):
    node.call("bondy.grant.create", realm, grant("managers", "wamp.call", "com.example.x"))
    with enter(node, Cra("mona", PASSWORD), realm) as peer:
        assert ask(peer, "call", "com.example.x") == REFUSED
        node.call("bondy.user.add_group", realm, "mona", "managers")
        assert ask(peer, "call", "com.example.x") is None
        node.call("bondy.user.remove_group", realm, "mona", "managers")
        assert ask(peer, "call", "com.example.x") == REFUSED
        node.call("bondy.group.add_group", realm, "staff", "managers")
        assert ask(peer, "call", "com.example.x") is None
        node.call("bondy.group.delete", realm, "managers")
        assert ask(peer, "call", "com.example.x") == REFUSED


def test_a_denial_says_who_may_not_do_what(node, realm):
    with enter(node, Cra("mona", PASSWORD), realm) as peer:
        text = "Permission denied. User 'mona' does not have permission 'wamp.call' on 'com.example.x'"
        reply = peer.call("com.example.x")
        assert reply[4:6] == [REFUSED, [text]] and reply[6]["message"] == text, reply
    with enter(node, Anonymous(), realm) as peer:
        reply = peer.call("com.example.x")
        assert reply[5] == [f"Permission denied. Anonymous user '{peer.welcome['authid']}' does not have permission "
                            "'wamp.call' on 'com.example.x'"], reply


def test_a_forbidden_publication_without_acknowledgement_is_dropped(node, realm):
    """AUTHZ-2"""
    node.call("bondy.grant.create", realm, grant("zoe", "wamp.subscribe", "com.example.news"))
    with enter(node, Trust("zoe"), realm) as zoe, enter(node, Trust("mona"), realm) as mona:
        zoe.subscribe("com.example.news")
        mona.send(PUBLISH, mona.next_id(), {}, "com.example.news", [1])
        assert mona.call("com.example.x")[4] == REFUSED  # the next answer is not about the publication
        node.call("bondy.grant.create", realm, grant("mona", "wamp.publish", "com.example.news"))
        mona.publish("com.example.news", [2])
        event = zoe.expect(EVENT)
        assert event[4] == [2]


def test_ping_needs_no_grant(node, realm):
    with enter(node, Anonymous(), realm) as peer:
        assert peer.call("bondy.ping") == ["pong"]


@pytest.mark.parametrize("match,uri,allowed", (
    ("exact", "com.example.orders", True), ("prefix", "com.example.orders", False),
    ("wildcard", "com..orders", False)))
def test_an_exact_grant_does_not_cover_a_pattern(node, match, uri, allowed):
    """Row 12, Z2."""
    name = f"com.example.cover-{match}"
    node.call("bondy.realm.create", shop(name, grants=[grant("mona", ["wamp.subscribe", "wamp.register"],
                                                             "com.example.orders")]))
    with enter(node, Trust("mona"), name) as peer:
        for kind in ("subscribe", "register"):
            assert (ask(peer, kind, uri, {"match": match}) is None) == allowed, kind
    node.call("bondy.realm.delete", name, force=True)


def test_the_literal_switch_lets_a_prefix_subscription_pass():
    with Daemon(settings=dict(CHEAP, **{"security.rbac.pattern_coverage": "literal"})) as node:
        node.call("bondy.realm.create", shop(grants=[grant("mona", "wamp.subscribe", "com.example.orders")]))
        with enter(node, Trust("mona"), SHOP) as peer:
            assert ask(peer, "subscribe", "com.example.orders", {"match": "prefix"}) is None


# ---- prototypes ----------------------------------------------------------------------------------

def test_what_a_realm_has_from_its_prototype(node):
    """Rows 3 and 4; the worked example of 2.12."""
    base, uri = "org.acme.base", "org.acme.shop7"
    node.call("bondy.realm.create", {
        "uri": base, "is_prototype": True, "authmethods": list(METHODS),
        "groups": [{"name": "staff"}, {"name": "cashiers", "groups": ["staff"]}],
        "sources": [source(method) for method in METHODS],
        "grants": [grant("staff", "wamp.call", "org.acme.pub.", "prefix"),
                   grant("all", "wamp.subscribe", "org.acme.news"),
                   grant("anonymous", "wamp.call", "org.acme.hello")]})
    node.call("bondy.realm.create", {
        "uri": uri, "prototype_uri": base,
        "users": [{"username": "mona", "groups": ["cashiers"]}, {"username": "zoe"}],
        "grants": [grant("mona", "wamp.publish", "org.acme..temp", "wildcard"),
                   grant("all", "wamp.call", "org.acme.ping")]})
    with enter(node, Trust("mona"), uri) as mona, enter(node, Trust("zoe"), uri) as zoe, \
            enter(node, Anonymous(), uri) as nobody:
        assert ask(mona, "call", "org.acme.pub.x") is None
        assert ask(mona, "call", "org.acme.pub") == REFUSED
        assert ask(mona, "publish", "org.acme.room1.temp") is None
        assert ask(mona, "publish", "org.acme.a.b.temp") == REFUSED
        assert ask(zoe, "subscribe", "org.acme.news") is None
        assert ask(zoe, "subscribe", "org.acme.news", {"match": "prefix"}) == REFUSED
        assert ask(zoe, "call", "org.acme.ping") is None
        assert ask(nobody, "call", "org.acme.ping") is None
        assert ask(nobody, "call", "org.acme.hello") is None
        node.call("bondy.group.add", uri, {"name": "staff"})
        assert ask(mona, "call", "org.acme.pub.x") == REFUSED
        node.call("bondy.group.delete", uri, "staff")
        assert ask(mona, "call", "org.acme.pub.x") is None
        node.call("bondy.group.add", uri, {"name": "cashiers"})
        assert ask(mona, "call", "org.acme.pub.x") == REFUSED
    assert attempt(node, Anonymous(), base)[0] == ABORT
    node.call("bondy.realm.delete", uri, force=True)
    node.call("bondy.realm.delete", base)


def test_security_switched_off_and_on_counts_for_open_sessions(node, realm):
    """1.8"""
    with enter(node, Trust("mona"), realm) as mona:
        assert ask(mona, "call", "com.example.x") == REFUSED
        node.call("bondy.realm.security.disable", realm)
        assert ask(mona, "call", "com.example.x") is None
        assert attempt(node, Trust("mona"), realm)[0] == ABORT
        with enter(node, Anonymous(), realm) as nobody:
            assert ask(nobody, "call", "com.example.x") is None
            node.call("bondy.realm.security.enable", realm)
            assert ask(mona, "call", "com.example.x") == REFUSED


# ---- standing subscriptions and registrations ----------------------------------------------------

def test_a_revoked_subscription_is_told_to_clients_that_announced_it(node, realm):
    """AUTHZ-8, PS-REVOKE-1 and -2."""
    give = grant("staff", BASIC, "com.example.", "prefix")
    node.call("bondy.grant.create", realm, give)
    node.call("bondy.grant.create", realm, grant("zoe", BASIC, "com.example.", "prefix"))
    with enter(node, Trust("mona", roles=REVOKING), realm) as told, enter(node, Trust("mona"), realm) as silent, \
            enter(node, Trust("zoe"), realm) as zoe:
        subscription = told.subscribe("com.example.news")
        silent.subscribe("com.example.news")
        zoe.publish("com.example.news", [1])
        assert told.expect(EVENT)[4] == [1] and silent.expect(EVENT)[4] == [1]
        node.call("bondy.grant.revoke", realm, give)
        message = told.recv()
        assert message[:2] == [UNSUBSCRIBED, 0] and message[2]["subscription"] == subscription, message
        zoe.publish("com.example.news", [2])
        for peer in (told, silent):
            assert peer.call("bondy.ping") == ["pong"]  # and no EVENT before it
        node.call("bondy.grant.create", realm, give)
        told.subscribe("com.example.news")
        zoe.publish("com.example.news", [3])
        assert told.expect(EVENT)[4] == [3]


def test_a_revoked_registration_is_told_and_answers_no_more(node, realm):
    """RPC-REVOKE-1"""
    give = grant("staff", BASIC, "com.example.", "prefix")
    node.call("bondy.grant.create", realm, give)
    node.call("bondy.grant.create", realm, grant("zoe", BASIC, "com.example.", "prefix"))
    with enter(node, Trust("mona", roles=REVOKING), realm) as callee, enter(node, Trust("zoe"), realm) as caller:
        registration = callee.register("com.example.add")
        node.call("bondy.grant.revoke", realm, give)
        message = callee.recv()
        assert message[:2] == [66 + 1, 0] and message[2]["registration"] == registration, message
        assert caller.call("com.example.add")[4] == "wamp.error.no_such_procedure"


# ---- the traces of wamp-admin-api.md 5 -----------------------------------------------------------

@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A node as it comes, with its administrator's password from a file."""
    secret = tmp_path_factory.mktemp("secrets") / "admin"
    secret.write_text("correct-horse-battery\n")
    secret.chmod(0o600)
    with Daemon(dev=False, settings=dict(CHEAP, **{"security.admin.password_file": str(secret),
                                                   "security.auth.hide_unknown_users": "off"})) as daemon:
        yield daemon


def admin(node):
    return enter(node, Cra("admin", "correct-horse-battery"), MASTER)


def ok(peer, procedure, args):
    request = peer.next_id()
    peer.send(CALL, request, {}, procedure, args)
    reply = peer.recv()
    assert reply[:2] == [RESULT, request], reply
    return reply[3][0] if len(reply) > 3 and reply[3] else None


def test_trace_create_a_realm_and_watch_the_event(guarded):
    with admin(guarded) as peer:
        peer.send(SUBSCRIBE, 1, {}, "bondy.realm.created")
        kind, request, subscription = peer.recv()
        assert (kind, request) == (SUBSCRIBED, 1)
        peer.send(CALL, 2, {}, "bondy.realm.create", [{"uri": "org.acme.traced", "authmethods": ["cryptosign"]}])
        seen = {message[0]: message for message in (peer.recv(), peer.recv())}
        assert set(seen) == {RESULT, EVENT}
        created = seen[RESULT][3][0]
        assert (created["uri"], created["description"], created["security_status"]) == ("org.acme.traced", "", "enabled")
        assert created["authmethods"] == ["cryptosign"] and not created["is_prototype"] and not created["is_sso_realm"]
        assert seen[EVENT][1] == subscription and seen[EVENT][4] == ["org.acme.traced"]
        peer.send(CALL, 3, {}, "bondy.realm.create", [{"uri": "org.acme.traced"}])
        reply = peer.recv()
        assert reply[:2] + [reply[2], reply[4]] == [ERROR, CALL, 3, "bondy.error.already_exists"], reply
        assert reply[6]["code"] == "bondy.error.already_exists"


def test_a_realm_from_create_to_delete_with_its_events(guarded):
    """Row 1."""
    topics = ["bondy.realm." + what for what in ("created", "updated", "deleted")]
    with admin(guarded) as peer, admin(guarded) as watcher:
        for topic in topics:
            watcher.subscribe(topic)
        made = ok(peer, "bondy.realm.create", [{"uri": "org.row.one"}])
        assert ok(peer, "bondy.realm.get", ["org.row.one"])["uri"] == made["uri"] == "org.row.one"
        assert "org.row.one" in [realm["uri"] for realm in ok(peer, "bondy.realm.list", [])]
        ok(peer, "bondy.realm.update", ["org.row.one", {"description": "One"}])
        assert ok(peer, "bondy.realm.get", ["org.row.one"])["description"] == "One"
        ok(peer, "bondy.realm.delete", ["org.row.one"])
        assert peer.call("bondy.realm.get", ["org.row.one"])[4] == "bondy.error.not_found"
        for _ in topics:
            assert watcher.recv()[4] == ["org.row.one"]


def test_trace_device_with_a_key_and_immediate_revocation(guarded):
    lab, key = "org.acme.lab", public_key(SEED)
    with admin(guarded) as peer:
        ok(peer, "bondy.realm.create", [{"uri": lab, "authmethods": ["cryptosign"]}])
        user = ok(peer, "bondy.user.add", [lab, {"username": "probe-1", "groups": [], "authorized_keys": [key]}])
        assert (user["type"], user["version"], user["username"]) == ("user", "1.1", "probe-1")
        assert user["enabled"] is True and user["groups"] == [] and user["meta"] == {} and user["sso_realm_uri"] is None
        assert user["authorized_keys"] == [key.upper()]
        assert user["has_authorized_keys"] is True and user["has_password"] is False
        made = ok(peer, "bondy.source.add", [lab, {"usernames": ["probe-1"], "authmethod": "cryptosign",
                                                      "cidr": "127.2.0.0/16"}])
        assert (made["type"], made["cidr"], made["authmethod"]) == ("source", "127.2.0.0/16", "cryptosign")
        assert "username" not in made
        give = {"roles": ["probe-1"], "permissions": ["wamp.publish"],
                "resources": [{"uri": lab + ".t.", "match": "prefix"}]}
        assert ok(peer, "bondy.grant.create", [lab, give]) is None

        with raw(guarded, source="127.2.3.4") as device:
            welcome = Cryptosign("probe-1", SEED, roles={"publisher": {}}).login(device, lab)
            assert device.challenge[2]["channel_binding"] is None
            assert (welcome[2]["realm"], welcome[2]["authid"], welcome[2]["authmethod"], welcome[2]["authrole"]) == \
                (lab, "probe-1", "cryptosign", None)
            refusal = attempt(guarded, Cryptosign("probe-1", SEED), lab, source="127.0.0.9")
            assert refusal[2] == "wamp.error.no_matching_auth_method"
            assert refusal[1]["requested_methods"] == ["cryptosign"]

            device.send(PUBLISH, 1, {"acknowledge": True}, lab + ".t.1", [20.5])
            assert device.recv()[:2] == [PUBLISHED, 1]
            assert ok(peer, "bondy.grant.revoke", [lab, {"roles": ["probe-1"], "permissions": ["wamp.publish"],
                                                             "uri": lab + ".t.", "match": "prefix"}]) is None
            device.send(PUBLISH, 2, {"acknowledge": True}, lab + ".t.1", [20.6])
            reply = device.recv()
            assert reply[:3] == [ERROR, PUBLISH, 2] and reply[4] == REFUSED, reply
            assert reply[5] == ["Permission denied. User 'probe-1' does not have permission 'wamp.publish' on "
                                "'org.acme.lab.t.1'"]


def test_trace_password_change_closes_other_sessions(guarded):
    shop3 = "org.acme.shop3"
    with admin(guarded) as peer:
        ok(peer, "bondy.realm.create", [shop(shop3, grants=[
            grant("mona", "wamp.call", "bondy.user.change_password"),
            grant("zoe", "wamp.subscribe", "bondy.user.", "prefix")])])
    with enter(guarded, Cra("mona", PASSWORD), shop3) as s1, enter(guarded, Cra("mona", PASSWORD), shop3) as s2, \
            enter(guarded, Trust("zoe"), shop3) as watcher:
        subscription = watcher.subscribe("bondy.user.credentials_changed")
        s1.send(CALL, s1.next_id(), {}, "bondy.user.change_password", [shop3, "mona", "new-secret-9"])
        assert s1.recv()[4] == "bondy.error.missing_required_value"
        s1.send(CALL, s1.next_id(), {}, "bondy.user.change_password", [shop3, "mona", "new-secret-9", "wrong-one"])
        assert s1.recv()[4] == "bondy.error.bad_signature"
        s1.send(CALL, s1.next_id(), {}, "bondy.user.change_password", [shop3, "mona", "new-secret-9", PASSWORD])
        assert s1.recv()[:2] == [RESULT, 3]
        goodbye = s2.recv()
        assert (goodbye[0], goodbye[2]) == (GOODBYE, "bondy.user.credentials_changed")
        event = watcher.recv()
        assert event[:2] == [EVENT, subscription] and event[4] == [shop3, "mona"], event
        assert s1.call("bondy.ping") == ["pong"]
        assert attempt(guarded, Cra("mona", PASSWORD), shop3)[0] == ABORT
        # Somebody else's password needs a permission of its own.
        s1.send(CALL, s1.next_id(), {}, "bondy.user.change_password", [shop3, "zoe", "new-secret-9"])
        assert s1.recv()[4] == REFUSED


def test_trace_realm_scoping(guarded):
    """Z3: the session's realm, and no other."""
    own, other = "org.acme.own", "org.acme.other"
    with admin(guarded) as peer:
        for uri in (own, other):
            ok(peer, "bondy.realm.create", [shop(uri, grants=[grant("mona", "any-permission", "any"),
                                                                      grant("mona", BASIC, "", "prefix")])])
    with enter(guarded, Cra("mona", PASSWORD), own) as peer:
        user = ok(peer, "bondy.user.get", ["mona"])
        assert (user["type"], user["username"]) == ("user", "mona")
        assert ok(peer, "bondy.user.get", [own, "mona"])["username"] == "mona"
        for request, (procedure, args) in enumerate((
                ("bondy.user.get", [other, "mona"]), ("bondy.user.list", [other]), ("bondy.group.list", [other]),
                ("bondy.grant.create", [other, grant("all", "wamp.call", "any")]), ("bondy.realm.list", []),
                ("bondy.realm.get", [other]), ("bondy.realm.create", [{"uri": "org.acme.mine"}]),
                ("bondy.realm.delete", [other]), ("bondy.session.list", [other]), ("bondy.user.list", [MASTER]),
                ("bondy.ticket.revoke_all", [other, "mona"])), 3):
            peer.send(CALL, request, {}, procedure, args)
            reply = peer.recv()
            assert reply[:3] == [ERROR, CALL, request] and reply[4] == REFUSED, (procedure, reply)


def test_sessions_of_two_realms_share_nothing(guarded):
    """Z3, Z5."""
    here, there = "org.acme.here", "org.acme.there"
    with admin(guarded) as peer:
        for uri in (here, there):
            ok(peer, "bondy.realm.create", [shop(uri, grants=[grant("mona", BASIC, "com.", "prefix")])])
    with enter(guarded, Trust("mona"), here) as one, enter(guarded, Trust("mona"), there) as two, \
            enter(guarded, Trust("mona"), here) as third:
        registration = one.register("com.example.add")
        subscription = one.subscribe("com.example.news")
        assert two.call("com.example.add")[4] == "wamp.error.no_such_procedure"
        two.publish("com.example.news", [1])
        for peer in (two, third):
            peer.send(UNREGISTER, peer.next_id(), registration)
            assert peer.recv()[4] == "wamp.error.no_such_registration"
            peer.send(UNSUBSCRIBE, peer.next_id(), subscription)
            assert peer.recv()[4] == "wamp.error.no_such_subscription"
        third.send(CALL, third.next_id(), {}, "com.example.add")
        invocation = one.expect(INVOCATION)
        # Nobody else answers it.
        for uri in (here, there):
            with enter(guarded, Trust("mona"), uri) as forger:
                forger.send(YIELD, invocation[1], {}, ["forged"])
                assert forger.recv()[2] == "wamp.error.protocol_violation"
        two.send(CANCEL, 1, {})
        one.send(YIELD, invocation[1], {}, ["true"])
        assert third.expect(RESULT)[3] == ["true"]


@pytest.mark.parametrize("kind,uri,error", (
    ("register", "bondy.realm.create", REFUSED), ("register", "com.leapsight.bondy.x", REFUSED),
    ("register", "wamp.session.get", "wamp.error.invalid_uri"), ("register", "bondy.", None),
    ("publish", "bondy.user.added", REFUSED), ("publish", "bondy.user.other", REFUSED),
    ("publish", "wamp.session.on_join", "wamp.error.invalid_uri")))
def test_reserved_names_are_the_routers(node, kind, uri, error):
    """Z6; wamp-admin-api.md 1.1."""
    name = "com.example.reserved"
    if node.try_call("bondy.realm.get", name).status != 200:
        node.call("bondy.realm.create", shop(name, grants=[grant("mona", BASIC, "", "prefix")]))
        node.call("bondy.user.add", name, {"username": "event-1"})  # the router's own are no way in
    with enter(node, Trust("mona"), name) as peer:
        got = ask(peer, kind, uri)
        assert got == error if error else got is not None, got


def test_disclosed_identities_are_the_routers_word(node):
    """Z7"""
    with enter(node, Cra("mona", PASSWORD), SHOP) as callee, enter(node, Cra("mona", PASSWORD), SHOP) as caller:
        callee.register("com.example.who")
        caller.send(CALL, 1, {"disclose_me": True, "caller": 1, "caller_authid": "admin", "x_caller": "admin",
                              "caller_authrole": "owners"}, "com.example.who")
        details = callee.expect(INVOCATION)[3]
        assert details["caller"] == caller.session and details.get("caller_authid", "mona") == "mona", details
        assert "admin" not in str(details) and "owners" not in str(details)


# ---- gateway -------------------------------------------------------------------------------------

def api(uri, name, procedure):
    return {"id": "com.example.api." + name, "name": name, "host": "_", "realm_uri": uri, "versions": {"1": {
        "base_path": "/" + name, "paths": {"/x": {"get": {
            "action": {"type": "wamp_call", "procedure": procedure},
            "response": {"on_result": {"body": "{{action.result.args |> head}}"}}}}}}}}


@pytest.mark.parametrize("procedure", ("com.example.add", "bondy.realm.list", "bondy.user.list"))
def test_a_public_route_is_anonymous_of_its_realm(node, realm, procedure):
    """Z9: never the router, never an administrator."""
    name = realm.rsplit(".", 1)[1] + procedure.rsplit(".", 2)[1]
    spec = api(realm, name, procedure)
    node.call("bondy.http_gateway.api.load", spec)
    node.call("bondy.grant.create", realm, grant("staff", BASIC, "com.example.", "prefix"))
    with enter(node, Trust("mona"), realm) as callee:
        callee.register("com.example.add")
        assert node.http(f"/{name}/x").status in (401, 403)
        node.call("bondy.grant.create", realm, grant("anonymous", "wamp.call", procedure))
        if procedure == "com.example.add":
            answers = []
            client = threading.Thread(target=lambda: answers.append(node.http(f"/{name}/x")))
            client.start()
            invocation = callee.expect(INVOCATION)
            callee.send(YIELD, invocation[1], {}, ["sum"])
            client.join()
            assert answers[0].status == 200, answers
        elif procedure == "bondy.realm.list":
            assert node.http(f"/{name}/x").status in (401, 403)  # the master realm's alone, whatever is granted
        node.call("bondy.grant.revoke", realm, grant("anonymous", "wamp.call", procedure))
        assert node.http(f"/{name}/x").status in (401, 403)
    node.call("bondy.http_gateway.api.delete", spec["id"])


# ---- what procedures tell about others -----------------------------------------------------------

SESSION = {"session", "realm", "authid", "authrole", "authmethod", "authprovider", "authextra", "x_authroles",
           "transport", "node", "created"}
ENTRY = {"type", "realm_uri", "entry_id", "uri", "match_policy", "ref", "session_id", "authid", "node", "created"}
TOLD = {
    "bondy.session.list": SESSION,
    "bondy.registration.list": ENTRY,
    "bondy.registration.callee.list": {"node", "session_id", "authid"},
    "bondy.subscription.list": ENTRY,
}


# Of one object each; whatever else the meta API answers is ids and counts.
TOLD_BY_META = {
    "wamp.session.get": {"session", "authid", "authrole", "authmethod", "authprovider", "transport"},
    "wamp.registration.get": {"id", "created", "uri", "match", "invoke"},
    "wamp.subscription.get": {"id", "created", "uri", "match"},
}
META_OF_ALL = ("wamp.session.count", "wamp.session.list", "wamp.registration.list", "wamp.subscription.list")
META_OF_ONE = (*TOLD_BY_META, "wamp.registration.list_callees", "wamp.registration.count_callees",
               "wamp.subscription.list_subscribers", "wamp.subscription.count_subscribers", "wamp.session.kill")
META_OF_NAME = ("wamp.registration.lookup", "wamp.registration.match", "wamp.subscription.lookup",
                "wamp.subscription.match", "wamp.session.kill_by_authid", "wamp.session.kill_by_authrole")


@pytest.mark.parametrize("procedure", TOLD)
def test_details_of_sessions_are_told_to_whom_it_was_granted_and_no_more(node, realm, procedure):
    """Z4: the whole list of fields, for an administrator, with a grant, and without."""
    node.call("bondy.grant.create", realm, grant("staff", BASIC, "com.example.", "prefix"))
    with enter(node, Cra("mona", PASSWORD), realm) as peer, enter(node, Cra("zoe", PASSWORD), realm) as other:
        peer.register("com.example.x")
        peer.subscribe("com.example.t")
        for entry in node.call(procedure, realm):
            assert set(entry) == TOLD[procedure]
            assert PASSWORD not in str(entry) and set(entry.get("authextra", ())) <= {"meta", "session_guid", "node"}
            assert set(entry.get("transport", ())) <= {"type", "peername"}
        for grantee in (peer, other):
            assert grantee.call(procedure, [realm])[4] == REFUSED
        node.call("bondy.grant.create", realm, grant("zoe", "wamp.call", procedure))
        assert all(set(entry) == TOLD[procedure] for entry in other.call(procedure, [realm])[0])
        assert peer.call(procedure, [realm])[4] == REFUSED
        assert other.call(procedure, [MASTER])[4] == REFUSED  # its own realm's alone


@pytest.mark.parametrize("procedure", TOLD_BY_META)
def test_the_meta_api_tells_a_documented_list_of_fields(node, realm, procedure):
    """Z4: the same for an administrator and for whom it was granted; nothing without a grant."""
    node.call("bondy.grant.create", realm, grant("staff", BASIC, "com.example.", "prefix"))
    with enter(node, Cra("mona", PASSWORD), realm) as peer, enter(node, Cra("zoe", PASSWORD), realm) as other:
        ids = {"wamp.registration.get": peer.register("com.example.x"),
               "wamp.subscription.get": peer.subscribe("com.example.t"),
               "wamp.session.get": peer.session}
        told = node.call(procedure, realm, ids[procedure])
        assert set(told) == TOLD_BY_META[procedure] and set(told.get("transport", ())) <= {"type"}
        for grantee in (peer, other):
            assert grantee.call(procedure, [ids[procedure]])[4] == REFUSED
        node.call("bondy.grant.create", realm, grant("zoe", "wamp.call", procedure))
        assert other.call(procedure, [ids[procedure]])[0] == told
        assert peer.call(procedure, [ids[procedure]])[4] == REFUSED
        assert other.call(procedure, [MASTER, ids[procedure]])[4] == REFUSED  # its own realm's alone


@pytest.mark.parametrize("procedure", (*META_OF_ALL, *META_OF_ONE, *META_OF_NAME, "wamp.session.kill_all"))
def test_the_meta_api_needs_a_grant_and_knows_one_realm(node, realm, procedure):
    """Z3, Z4"""
    args = [] if procedure in META_OF_ALL or procedure == "wamp.session.kill_all" else \
        [1] if procedure in META_OF_ONE else ["x"]
    with enter(node, Cra("zoe", PASSWORD), realm) as peer:
        assert peer.call(procedure, args)[4] == REFUSED
        node.call("bondy.grant.create", realm, grant("zoe", "wamp.call", procedure))
        answer = peer.call(procedure, args)
        assert len(answer) < 5 or answer[4].startswith("wamp.error.no_such_"), answer
        for other in (MASTER, SHOP):
            assert peer.call(procedure, [other, *args])[4] == REFUSED
            assert peer.call(procedure, args, {"realm_uri": other})[4] == REFUSED
        peer.send(REGISTER, peer.next_id(), {}, procedure)
        assert peer.recv()[4] == "wamp.error.invalid_uri"


def test_a_session_knows_of_itself_what_welcome_told(node, realm):
    node.call("bondy.grant.create", realm, grant("mona", "wamp.call", "bondy.session.self"))
    with enter(node, Cra("mona", PASSWORD), realm) as peer:
        assert set(peer.call("bondy.session.self")[0]) == SESSION
        assert set(peer.welcome) == {"agent", "authextra", "authid", "authmethod", "authprovider", "authrole", "realm",
                                     "roles", "x_authroles"}

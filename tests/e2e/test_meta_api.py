# SPDX-License-Identifier: Apache-2.0
"""The procedures of the WAMP meta API on the real daemon, with sessions on all its threads.

wamp.md 9 (META-SESS, META-KILL, META-REG, META-SUB); wamp-admin-api.md 3; threat-model.md Z3.
"""
import datetime

import pytest

from daemon import Daemon
from identities import BASIC, CHEAP, PASSWORD, enter, grant, shop
from wamp_login import Anonymous, Cra, Trust
from wamp_peer import CALL, ERROR, GOODBYE, INVOCATION, RESULT, YIELD, wait_until

HERE, THERE = "com.example.here", "com.example.there"
SESSION, REGISTRATION, SUBSCRIPTION = (f"wamp.error.no_such_{what}" for what in
                                       ("session", "registration", "subscription"))


@pytest.fixture(scope="module")
def daemon():
    with Daemon(settings=CHEAP) as node:
        yield node


@pytest.fixture
def node(daemon):
    """Two realms with the same users and grants."""
    for uri in (HERE, THERE):
        daemon.call("bondy.realm.create", shop(uri, grants=[grant("all", BASIC, "any")]))
    yield daemon
    for uri in (HERE, THERE):
        daemon.call("bondy.realm.delete", uri, force=True)


def mona(node, realm=HERE, **more):
    return enter(node, Cra("mona", PASSWORD), realm, **more)


def zoe(node, realm=HERE, **more):
    return enter(node, Trust("zoe"), realm, **more)


def one(peer, procedure, *args, **kwargs):
    """The only argument of the RESULT."""
    answer = peer.call(procedure, args, kwargs)
    assert len(answer) == 1, (procedure, answer)
    return answer[0]


def error(peer, procedure, *args, **kwargs):
    answer = peer.call(procedure, args, kwargs)
    assert answer[:2] == [ERROR, CALL], (procedure, answer)
    assert answer[6]["code"] == answer[4] and answer[5] == [answer[6]["message"]], answer
    return answer[4]


def test_sessions_are_counted_listed_and_shown(node):
    """META-SESS-1 to -3"""
    with mona(node) as first, mona(node, kind="websocket") as second, zoe(node) as third, \
            enter(node, Anonymous(), HERE) as guest, mona(node, THERE) as foreign:
        ids = [peer.session for peer in (first, second, third, guest)]
        assert one(first, "wamp.session.count") == 4 and sorted(one(guest, "wamp.session.list")) == sorted(ids)
        assert sorted(one(third, "wamp.session.list", ["staff"])) == sorted(ids[:2])
        assert one(third, "wamp.session.count", ["staff", "anonymous"]) == 3
        assert one(third, "wamp.session.list", ["managers"]) == []
        assert one(third, "wamp.session.list", []) == []
        assert one(foreign, "wamp.session.list") == [foreign.session]
        assert one(third, "wamp.session.get", ids[1]) == {
            "session": ids[1], "authid": "mona", "authrole": "staff", "authmethod": "wampcra",
            "authprovider": second.welcome["authprovider"], "transport": {"type": "ws"}}
        second.close()
        wait_until(lambda: one(third, "wamp.session.count") == 3)
        assert error(third, "wamp.session.get", ids[1]) == SESSION


def test_a_session_is_killed_with_reason_and_message(node):
    """META-KILL-1 to -4, -7"""
    with mona(node) as killer, zoe(node) as first, zoe(node, kind="websocket") as second:
        victims = [peer.session for peer in (first, second)]
        assert error(killer, "wamp.session.kill", killer.session) == SESSION
        assert error(killer, "wamp.session.kill", 1) == SESSION
        assert error(killer, "wamp.session.kill", victims[0], reason="no uri") == "wamp.error.invalid_uri"
        first.register("com.example.x")
        first.subscribe("com.example.t")
        assert killer.call("wamp.session.kill", [victims[0]]) == []
        assert one(killer, "wamp.registration.lookup", "com.example.x") is None
        assert one(killer, "wamp.subscription.lookup", "com.example.t") is None
        assert first.recv() == [GOODBYE, {}, "wamp.close.killed"]
        assert error(killer, "wamp.session.kill", victims[0]) == SESSION
        assert killer.call("wamp.session.kill", [victims[1]], {"reason": "com.example.bye", "message": "closing"}) == []
        assert second.recv() == [GOODBYE, {"message": "closing"}, "com.example.bye"]
        assert one(killer, "wamp.session.list") == [killer.session]


def test_sessions_of_a_user_a_role_and_all_are_killed_but_the_caller(node):
    """META-KILL-5, -6"""
    with mona(node) as killer, mona(node, THERE) as foreign:
        with mona(node) as peer, zoe(node) as other:
            killed = peer.session
            assert one(killer, "wamp.session.kill_by_authid", "mona") == [killed]
            assert peer.recv() == [GOODBYE, {}, "wamp.close.killed"]
            assert one(other, "wamp.session.count") == 2
        with mona(node) as peer, zoe(node) as other:
            assert one(killer, "wamp.session.kill_by_authrole", "staff", reason="com.example.out") == 1
            assert peer.recv() == [GOODBYE, {}, "com.example.out"]
            assert one(killer, "wamp.session.kill_by_authrole", "managers") == 0
            count = one(killer, "wamp.session.count") - 1
            assert one(killer, "wamp.session.kill_all", message="all of you") == count >= 1
            assert other.recv() == [GOODBYE, {"message": "all of you"}, "wamp.close.killed"]
        assert one(killer, "wamp.session.list") == [killer.session]
        assert one(foreign, "wamp.session.count") == 1


def test_registrations_are_told_as_they_come_and_go(node):
    """META-REG-1 to -6"""
    with mona(node) as callee, zoe(node) as caller:
        exact = callee.register("com.example.a.b")
        prefix = callee.register("com.example.a", {"match": "prefix"})
        wildcard = callee.register("com..a.b", {"match": "wildcard"})
        assert one(caller, "wamp.registration.list") == {"exact": [exact], "prefix": [prefix], "wildcard": [wildcard]}
        told = one(caller, "wamp.registration.get", wildcard)
        assert datetime.datetime.fromisoformat(told.pop("created").replace("Z", "+00:00")).tzinfo is not None
        assert told == {"id": wildcard, "uri": "com..a.b", "match": "wildcard", "invoke": "single"}
        assert one(caller, "wamp.registration.lookup", "com.example.a") is None
        assert one(caller, "wamp.registration.lookup", "com.example.a", {"match": "prefix"}) == prefix
        assert one(caller, "wamp.registration.match", "com.example.a.b") == exact
        assert one(caller, "wamp.registration.match", "com.example.a.c") == prefix
        assert one(caller, "wamp.registration.match", "com.other.a.b") == wildcard
        assert one(caller, "wamp.registration.match", "net.a") is None
        assert sorted(one(caller, "wamp.registration.match", "com.example.a.b", {"all": True})) == \
            sorted([exact, prefix, wildcard])
        assert one(caller, "wamp.registration.list_callees", exact) == [callee.session]
        assert one(caller, "wamp.registration.count_callees", exact) == 1
        caller.send(CALL, caller.next_id(), {}, "com.example.a.b")
        invocation = callee.expect(INVOCATION)
        assert invocation[2] == exact
        callee.send(YIELD, invocation[1], {})
        caller.expect(RESULT)
        callee.close()
        wait_until(lambda: one(caller, "wamp.registration.list") == {"exact": [], "prefix": [], "wildcard": []})
        for what in ("get", "list_callees", "count_callees"):
            assert error(caller, "wamp.registration." + what, exact) == REGISTRATION


def test_subscriptions_are_told_with_all_their_subscribers(node):
    """META-SUB-1 to -6; subscribers on several threads share an id."""
    with mona(node) as first, zoe(node) as second, zoe(node, kind="websocket") as third:
        exact = {peer.subscribe("com.example.t") for peer in (first, second, third)}
        prefix = second.subscribe("com.example", {"match": "prefix"})
        assert len(exact) == 1
        exact = exact.pop()
        assert one(first, "wamp.subscription.list") == {"exact": [exact], "prefix": [prefix], "wildcard": []}
        told = one(first, "wamp.subscription.get", exact)
        assert told.pop("created").endswith("Z") and told == {"id": exact, "uri": "com.example.t", "match": "exact"}
        assert one(first, "wamp.subscription.lookup", "com.example", {"match": "prefix"}) == prefix
        assert one(first, "wamp.subscription.lookup", "com.example") is None
        assert sorted(one(first, "wamp.subscription.match", "com.example.t")) == sorted([exact, prefix])
        assert one(first, "wamp.subscription.match", "net.t") is None
        assert sorted(one(first, "wamp.subscription.list_subscribers", exact)) == \
            sorted(peer.session for peer in (first, second, third))
        assert one(first, "wamp.subscription.count_subscribers", exact) == 3
        second.close()
        wait_until(lambda: one(first, "wamp.subscription.count_subscribers", exact) == 2)
        for what in ("get", "list_subscribers", "count_subscribers"):
            assert error(first, "wamp.subscription." + what, prefix) == SUBSCRIPTION


def test_nothing_of_another_realm_is_told_or_ended(node):
    """Z3: ids, names and counts of one realm are nobody's in another."""
    with mona(node, HERE) as here, mona(node, THERE) as there:
        other, session = there.session, here.session
        registration, subscription = there.register("com.example.x"), there.subscribe("com.example.t")
        assert one(here, "wamp.session.list") == [session] and one(here, "wamp.session.count") == 1
        for kind in ("registration", "subscription"):
            assert one(here, f"wamp.{kind}.list") == {"exact": [], "prefix": [], "wildcard": []}
            assert one(here, f"wamp.{kind}.lookup", "com.example.x" if kind == "registration" else "com.example.t") is None
            assert one(here, f"wamp.{kind}.match", "com.example.x" if kind == "registration" else "com.example.t") is None
        for what in ("get", "kill"):
            assert error(here, "wamp.session." + what, other) == SESSION
        for what in ("get", "list_callees", "count_callees"):
            assert error(here, "wamp.registration." + what, registration) == REGISTRATION
        for what in ("get", "list_subscribers", "count_subscribers"):
            assert error(here, "wamp.subscription." + what, subscription) == SUBSCRIPTION
        assert one(here, "wamp.session.kill_by_authid", "mona") == []
        assert one(here, "wamp.session.kill_by_authrole", "staff") == 0
        assert one(here, "wamp.session.kill_all") == 0
        assert error(here, "wamp.session.kill", THERE, other) == "wamp.error.not_authorized"
        assert error(here, "wamp.session.kill_all", realm_uri=THERE) == "wamp.error.not_authorized"
        assert one(there, "wamp.session.list") == [other]
        # The same in the administration's API, where the realm is in the path.
        rest = "/realms/" + THERE
        assert node.admin(rest + "/registrations_summary").json()["exact"] == [registration]
        assert node.admin(rest + "/subscriptions_summary").json()["exact"] == [subscription]
        assert node.admin(f"{rest}/registrations/{registration}").json()["uri"] == "com.example.x"
        assert node.admin(f"{rest}/registrations/{registration}/callees").json() == [other]
        assert [entry["session_id"] for entry in node.admin(f"{rest}/callees/{other}").json()] == [other]
        rest = "/realms/" + HERE
        assert node.admin(rest + "/registrations_summary").json()["exact"] == []
        assert node.admin(f"{rest}/registrations/{registration}").status == 404
        assert node.admin(f"{rest}/registrations/{registration}/callees").status == 404
        assert node.admin(f"{rest}/callees/{other}").json() == []
        assert node.admin(f"/realms/{THERE}/callees/{session}").json() == []


def test_the_meta_api_is_not_announced_without_its_events(node):
    """FEAT-1"""
    with mona(node) as peer:
        features = str(peer.welcome["roles"])
        assert "pattern_based" in features and "meta_api" not in features


@pytest.mark.parametrize("old, new", [("bondy.registry.list", "bondy.registration.list"),
                                      ("bondy.registry.match", "wamp.registration.match"),
                                      ("bondy.callee.list", "bondy.registration.callee.list"),
                                      ("bondy.callee.get", "bondy.registration.callee.get")])
def test_old_names_of_the_registry_answer_as_the_new_ones(node, old, new):
    """wamp-admin-api.md 1.1, 7.3."""
    with mona(node) as peer:
        peer.register("com.example.x")
        args = {"bondy.registry.match": ["com.example.x"], "bondy.callee.get": [peer.session]}.get(old, [])
        wanted = peer.call(new, args)
        assert len(wanted) == 1 and wanted[0], wanted
        for name in (old, "com.leapsight." + old):
            request = peer.next_id()
            peer.send(CALL, request, {}, name, args)
            assert peer.recv()[:4] == [RESULT, request, {"deprecated": new}, wanted]


def test_a_callee_is_found_by_its_session(node):
    with mona(node) as peer, zoe(node) as other:
        peer.register("com.example.x")
        peer.register("com.example.y")
        assert one(other, "bondy.registration.callee.get", peer.session) == \
            {"node": "bondy@127.0.0.1", "session_id": peer.session, "authid": "mona"}
        assert other.call("bondy.registration.callee.get", [other.session])[4] == "bondy.error.not_found"
        assert other.call("bondy.registration.callee.get", ["x"])[4] == "bondy.error.invalid_value"

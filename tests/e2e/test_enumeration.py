# SPDX-License-Identifier: Apache-2.0
"""What somebody without credentials can find out, or reach by trying: nothing.

threat-model.md J8 to J12 and D3; realms-and-security.md 3.9 (hide_unknown_users), 6 and 7 (rows 16 and 17).
With BONDY_LOGIN_TIMES=N the medians of N logins of unknown users and of wrong passwords are printed.
"""
import json
import os
import select
import statistics
import time

import pytest

from daemon import Daemon
from identities import CHEAP, METHODS, OTHER_SEED, PASSWORD, SEED, attempt, enter, is_welcome, shop
from wamp_login import AUTHENTICATE, CHALLENGE, Cra, Cryptosign, Password, Scram, Ticket, Token, Trust, public_key
from wamp_peer import ABORT, CALL, WELCOME, raw, websocket

SHOP = "com.example.shop"
DENIED = "wamp.error.authentication_denied"


@pytest.fixture(scope="module")
def node():
    """The defaults: unknown users are hidden."""
    with Daemon(settings=CHEAP) as daemon:
        daemon.call("bondy.realm.create", shop(authmethods=[m for m in METHODS if m != "oauth2"]))
        daemon.call("bondy.user.add", SHOP, {"username": "disabled", "password": PASSWORD, "enabled": False,
                                             "authorized_keys": [public_key(SEED)]})
        daemon.call("bondy.user.add", SHOP, {"username": "bare"})  # no credentials at all
        daemon.call("bondy.realm.create", shop("com.example.closed", sources=[]))
        yield daemon


SECRETS = {
    "password": lambda authid, right: Password(authid, PASSWORD if right else "wrong-one"),
    "ticket": lambda authid, right: Ticket(authid, "a.b.c"),
    "wampcra": lambda authid, right: Cra(authid, PASSWORD if right else "wrong-one"),
    "wamp-scram": lambda authid, right: Scram(authid, PASSWORD if right else "wrong-one"),
    "cryptosign": lambda authid, right: Cryptosign(authid, SEED if right else OTHER_SEED),
}


def shape(challenge):
    """A CHALLENGE without what is different each time: its keys, kinds, lengths and costs."""
    if challenge is None:
        return None
    kind, method, extra = challenge
    out = {}
    for key, value in extra.items():
        if key == "challenge" and value.startswith("{"):
            inner = json.loads(value)
            out[key] = sorted((k, type(v).__name__) for k, v in inner.items())
        elif isinstance(value, str):
            out[key] = value if key == "kdf" else len(value)
        else:
            out[key] = value
    return [kind, method, out]


@pytest.mark.parametrize("name", SECRETS)
def test_answers_do_not_tell_who_exists(node, name):
    """Row 16, J9: unknown, wrong, disabled, without credentials, without source: the same, whatever is sent."""
    make = SECRETS[name]
    seen = {}
    for label, realm, authid, right in (
            ("wrong", SHOP, "mona", False), ("unknown", SHOP, "nobody", True), ("disabled", SHOP, "disabled", True),
            ("bare", SHOP, "bare", True), ("no source", "com.example.closed", "mona", True),
            ("no name at all", SHOP, "a<b", True), ("long", SHOP, "n" * 500, True)):
        method = make(authid, right)
        reply = attempt(node, method, realm)
        assert reply[0] == ABORT, (label, reply)
        seen[label] = (reply, shape(method.challenge))
    for label, answer in seen.items():
        assert answer == seen["wrong"], (label, answer, seen["wrong"])
    assert seen["wrong"][0][2] == DENIED


@pytest.mark.parametrize("method", ("anonymous", "tls", "cookie"))
def test_methods_are_told_apart_by_the_realm_alone(node, method):
    for authid in ("mona", "nobody", "disabled"):
        probe = Trust(authid)
        probe.name = method
        reply = attempt(node, probe, SHOP)
        assert reply[2] == "wamp.error.no_matching_auth_method", (authid, reply)


def test_trust_is_denied_in_one_way(node):
    replies = [attempt(node, Trust(authid), SHOP) for authid in ("nobody", "disabled", "a<b")]
    replies.append(attempt(node, Trust("mona"), "com.example.closed"))
    assert all(reply == replies[0] for reply in replies) and replies[0][2] == DENIED, replies


def test_roles_are_not_told_before_the_proof(node):
    for authid in ("mona", "nobody"):
        assert attempt(node, Cra(authid, "wrong-one", authrole="owners"), SHOP)[2] == DENIED
    assert attempt(node, Cra("mona", PASSWORD, authrole="owners"), SHOP)[2] == "wamp.error.no_such_role"


def test_made_up_challenges_are_stable(node):
    """AUTH-SCRAM-8: asking twice shows nothing; two names have two salts; so have two realms."""
    def salt(kind, authid, realm=SHOP):
        method = kind(authid, "wrong-one")
        attempt(node, method, realm)
        return method.challenge[2]["salt"]

    for kind in (Cra, Scram):
        for authid in ("mona", "nobody"):
            assert salt(kind, authid) == salt(kind, authid)
        assert len({salt(kind, authid) for authid in ("mona", "nobody", "nobody2")}) == 3
        assert salt(kind, "nobody") != salt(kind, "nobody", "com.example.closed")


def test_http_does_not_tell_either():
    with Daemon(dev=False, settings=CHEAP) as node:
        with open(os.path.join(node.data, "admin.password")) as file:
            password = file.read().strip()
        answers = [node.admin("/realms", user=user) for user in (
            "admin:wrong-one", "nobody:wrong-one", "nobody:" + password, "admin:", ":", "admin:" + password + "x")]
        answers += [node.admin("/realms", headers={"authorization": value}) for value in (
            "Bearer a.b.c", "Basic !!!", "Basic", "Bearer", "Digest x", "Basic " + "A" * 3000)]
        for answer in answers:
            assert answer.status == 401, answer
            assert answer.headers["www-authenticate"], answer.headers
            assert {k: v for k, v in answer.json().items() if "id" not in k} == \
                {k: v for k, v in answers[0].json().items() if "id" not in k}, (answer, answers[0])
        assert node.admin("/realms", user="admin:" + password).status == 200


# ---- replay -------------------------------------------------------------------------------------

@pytest.mark.parametrize("make", (lambda: Cra("mona", PASSWORD), lambda: Scram("mona", PASSWORD),
                                  lambda: Cryptosign("mona", SEED),
                                  lambda: Cryptosign("mona", SEED, sends_message=False)))
def test_a_signature_is_good_once(node, make):
    """J11: an answer that was right is wrong on a second connection."""
    method = make()
    with raw(node) as first, raw(node) as second:
        challenge = method.hello(first, SHOP)
        answer = method.answer(challenge[2])
        assert method.hello(second, SHOP)[2] != challenge[2]
        first.send(AUTHENTICATE, *answer)
        assert first.recv()[0] == WELCOME
        second.send(AUTHENTICATE, *answer)
        reply = second.recv()
        assert (reply[0], reply[2]) == (ABORT, DENIED), reply


def test_a_signature_is_no_answer_in_another_realm_or_for_another_user(node):
    node.call("bondy.user.add", SHOP, {"username": "twin", "authorized_keys": [public_key(SEED)]})
    with raw(node) as first, raw(node) as second:
        one, other = Cryptosign("mona", SEED), Cryptosign("twin", SEED)
        answer = one.answer(one.hello(first, SHOP)[2])
        other.hello(second, SHOP)
        second.send(AUTHENTICATE, *answer)
        assert second.recv()[2] == DENIED


def test_challenges_never_repeat(node):
    nonces = set()
    for _ in range(50):
        with raw(node) as peer:
            nonces.add(Cryptosign("mona", OTHER_SEED).hello(peer, SHOP)[2]["challenge"])
    assert len(nonces) == 50


def test_session_ids_cannot_be_guessed(node):
    """J12: at random over the whole range, and an id alone is nothing."""
    ids = []
    for _ in range(200):
        with raw(node) as peer:
            assert is_welcome(Trust("mona").login(peer, SHOP))
            ids.append(peer.session)
    assert len(set(ids)) == 200 and all(1 <= n <= 1 << 53 for n in ids)
    assert statistics.mean(ids) / (1 << 53) == pytest.approx(0.5, abs=0.12)
    assert sum(b > a for a, b in zip(ids, ids[1:])) in range(70, 131)
    with enter(node, Trust("mona"), SHOP) as victim, raw(node) as thief:
        thief.send(1, SHOP, {"roles": {"caller": {}}, "session": victim.session, "resume-session": victim.session,
                             "resume-token": str(victim.session), "authid": "mona", "authmethods": ["wampcra"]})
        assert thief.recv()[0] == 4
        assert victim.call("bondy.ping") == ["pong"]


# ---- throttling ---------------------------------------------------------------------------------

def test_who_guesses_is_slowed_down_and_nobody_else():
    """Row 17."""
    with Daemon(settings=dict(CHEAP, **{"security.auth_rate": "10"})) as node:
        node.call("bondy.realm.create", shop())
        outcomes = [attempt(node, Cra("zoe", "wrong-one"), SHOP, source="127.0.0.66") for _ in range(50)]
        assert all(reply[0] == ABORT for reply in outcomes)
        refused = [reply for reply in outcomes if reply[2] == "wamp.error.authentication_failed"]
        assert outcomes[0][2] == DENIED and len(refused) >= 30, [reply[2] for reply in outcomes]
        assert 1 <= refused[0][1]["retry_after"] <= 60
        # Right or wrong makes no difference there, also over the other transport ...
        assert not is_welcome(attempt(node, Cra("mona", PASSWORD), SHOP, source="127.0.0.66"))
        assert not is_welcome(attempt(node, Cra("mona", PASSWORD), SHOP, "websocket", source="127.0.0.66"))
        # ... and who comes from elsewhere notices nothing.
        assert is_welcome(attempt(node, Cra("mona", PASSWORD), SHOP, source="127.0.0.67"))
        assert is_welcome(attempt(node, Cra("zoe", PASSWORD), SHOP, source="127.0.0.67"))


def test_a_flood_of_logins_waits_for_itself_alone():
    """J10: derivations are done by threads of their own; who is in is served meanwhile."""
    # One thread that derives and one for all connections: if that one derived, or waited for it, the neighbour
    # would come last. The order says it, on any machine: some calls against hundreds of derivations.
    with Daemon(settings={"security.auth_rate": "100000", "security.password.pbkdf2.iterations": "16384",
                          "security.hash_threads": "1", "io_threads": "1",
                          "wamp.tcp.auth_timeout": "120s"}) as daemon:
        daemon.call("bondy.realm.create", shop())
        flood = [raw(daemon) for _ in range(500)]
        with enter(daemon, Trust("mona"), SHOP) as neighbour:
            method = Password("mona", PASSWORD)
            for peer in flood:
                assert method.hello(peer, SHOP)[0] == CHALLENGE
            for peer in flood:
                peer.send(AUTHENTICATE, PASSWORD, {})
            for _ in range(20):
                neighbour.call("bondy.session.self")
            waiting = [peer for peer in flood if not select.select([peer.sock], [], [], 0)[0]]
            assert waiting, "the neighbour came last"
        replies = [peer.recv() for peer in flood]
        for peer in flood:
            peer.close()
        # In, or told to come back later: nobody is forgotten.
        assert all(is_welcome(reply) or reply[1]["retry_after"] > 0 for reply in replies), replies
        assert any(is_welcome(reply) for reply in replies)
        print(f"{len(waiting)} of {len(flood)} waited, {sum(map(is_welcome, replies))} got in")


def test_stored_costs_have_a_limit(node):
    """J10: a record that would keep a thread busy for hours is not taken."""
    for costs in ({"kdf": "pbkdf2", "iterations": 1000001},
                  {"kdf": "argon2id13", "iterations": 1000, "memory": 1 << 30}):
        answer = node.try_call("bondy.user.add", SHOP, {
            "username": "slow", "password": PASSWORD, "password_opts": {"protocol": "scram", "params": costs}})
        assert answer.status == 400, answer


def test_the_admin_listener_counts_too():
    with Daemon(dev=False, settings=dict(CHEAP, **{"security.auth_rate": "5"})) as node:
        statuses = [node.admin("/realms", user="admin:wrong-one").status for _ in range(12)]
        assert statuses[0] == 401 and statuses[-1] == 429, statuses
        answer = node.admin("/realms", user="admin:wrong-one")
        assert answer.status == 429 and int(answer.headers["retry-after"]) >= 1
        assert node.admin("/ping").status == 204


# ---- secrets ------------------------------------------------------------------------------------

def test_secrets_are_nowhere_but_in_the_request():
    """J8, D3: after logins of all kinds, right and wrong, and changes, no output has a marker."""
    marks = {"password": "mark-password-7f3a", "new": "mark-newpass-91bc", "wrong": "mark-wrongpass-55aa",
             "ticket": "mark-ticket-33cd"}
    answers = []
    with Daemon(settings=dict(CHEAP, **{"log.level": "debug"})) as node:
        def call(procedure, *args, **kwargs):
            answers.append(node.try_call(procedure, *args, **kwargs).body.decode())

        node.call("bondy.realm.create", shop())
        call("bondy.user.add", SHOP, {"username": "temp", "password": marks["password"], "groups": ["staff"]})
        call("bondy.user.add", SHOP, {"username": "temp", "password": marks["password"]})
        call("bondy.user.add", SHOP, {"username": "temp2", "password": marks["wrong"], "pasword": marks["wrong"]})
        call("bondy.user.add", SHOP, {"username": "temp2", "password": [marks["wrong"]]})
        call("bondy.user.add", SHOP, {"username": "temp2", "password": marks["wrong"] + " " * 300})
        call("bondy.user.get", SHOP, "temp")
        call("bondy.user.list", SHOP)
        call("bondy.realm.export", SHOP)
        for kind in (raw, websocket):
            for make in (Password, Cra, Scram, Ticket, Token):
                for secret in (marks["password"], marks["wrong"], marks["ticket"]):
                    with kind(node) as peer:
                        answers.append(repr(make("temp", secret).login(peer, SHOP)))
        with enter(node, Cra("temp", marks["password"]), SHOP) as peer:
            issued = peer.call("bondy.ticket.issue")[0]["ticket"]
            peer.send(CALL, peer.next_id(), {}, "bondy.user.change_password",
                      [SHOP, "temp", marks["new"], marks["wrong"]])
            answers.append(repr(peer.recv()))
            peer.send(CALL, peer.next_id(), {}, "bondy.user.change_password",
                      [SHOP, "temp", marks["new"], marks["password"]])
            answers.append(repr(peer.recv()))
        answers.append(repr(attempt(node, Ticket("temp", issued), SHOP)))
        answers.append(node.admin("/realms", user="admin:" + marks["wrong"]).body.decode())
        answers.append(node.admin("/realms", headers={"authorization": "Bearer " + marks["ticket"]}).body.decode())
        call("bondy.ticket.list", SHOP, "temp")
        call("bondy.audit.query", SHOP)
        answers.append(node.admin("/metrics").body.decode())
        folder = os.path.dirname(next(word.split("=", 1)[1] for word in node.log().split()
                                      if word.startswith("path=") and word.endswith("admin.password")))
        audit = ""
        for path, _, names in os.walk(os.path.join(folder, "audit")):
            for name in names:
                with open(os.path.join(path, name)) as file:
                    audit += file.read()
        assert "auth.fail" in audit and "auth.login" in audit
        with open(os.path.join(folder, "admin.password")) as file:
            marks["admin"] = file.read().strip()
        with open(f"/proc/{node.process.pid}/cmdline") as file:
            answers.append(file.read())
        log = node.log()
    marks["jws"] = issued
    marks["hashed"] = "kettle-46-rope"
    for name, mark in marks.items():
        assert mark not in log, name
        assert mark not in audit, name
        assert not [answer for answer in answers if mark in answer], name


def seconds_of(node, method):
    """What a login took the router: without what the client computes."""
    with raw(node) as peer:
        started = time.perf_counter()
        challenge = method.hello(peer, SHOP)
        first = time.perf_counter() - started
        answer = method.answer(challenge[2])
        started = time.perf_counter()
        peer.send(AUTHENTICATE, *answer)
        assert peer.recv()[0] == ABORT
        return first + time.perf_counter() - started


def test_medians_of_logins():
    """J9, informational: whether time tells who exists. Printed when asked for, never judged. A name fails once only:
    more would be slowed down."""
    count = int(os.environ.get("BONDY_LOGIN_TIMES", "0"))
    if count == 0:
        return
    with Daemon(settings={"security.auth_rate": "100000", "security.auth.hide_unknown_users": "on"}) as node:
        node.call("bondy.realm.create", shop())
        for name, make in SECRETS.items():
            for number in range(count):
                node.call("bondy.user.add", SHOP, {"username": f"{name}-{number}", "password": PASSWORD,
                                                   "authorized_keys": [public_key(SEED)]})
            times = {"wrong": [], "unknown": []}
            for number in range(count):
                times["wrong"].append(seconds_of(node, make(f"{name}-{number}", False)))
                times["unknown"].append(seconds_of(node, make(f"{name}-x{number}", False)))
            print(f"\n{name}: " + ", ".join(f"{label} {statistics.median(taken) * 1e3:.3f} ms"
                                            for label, taken in times.items()))

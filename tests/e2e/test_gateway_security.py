# SPDX-License-Identifier: Apache-2.0
"""Paths with a security: http-gateway.md 1.6 and 2.4; threat-model.md J4, J8, Z9.

Every way is tried with what is right, wrong, missing, over, taken back, and somebody else's; the callee says who called.
"""
import base64
import json
import os
import time

import pytest
from daemon import TOP, Daemon
from identities import CHEAP, PASSWORD, enter, grant, shop, source
from tokens import claims, new_key, pem, sign
from wamp_login import Cra
from wamp_peer import YIELD, Callee, WampError, connect, wait_until

SHOP, OTHER, BARE, MASTER = "com.example.shop", "com.example.other", "com.example.bare", "com.leapsight.bondy"
KEY, OTHER_KEY, STRANGE_KEY = new_key(), new_key(), new_key()
WHO = "com.example.who"
ADMIN_PASSWORD = "harbour-91-lamp"

OAUTH2 = {"type": "oauth2", "flow": "client_credentials"}
SECURITY = {
    "/open": {},
    "/basic": {"type": "basic"},
    "/key": {"type": "api_key", "name": "X-API-Key"},
    "/prefixed": {"type": "api_key", "prefix": "ApiKey "},
    "/query": {"type": "api_key", "in": "query", "name": "key"},
    "/cookie": {"type": "api_key", "in": "cookie", "name": "key"},
    "/token": OAUTH2,
    "/managers": dict(OAUTH2, scopes=["managers"]),
    "/staff": dict(OAUTH2, scopes=["Staff"]),
    "/any": {"any_of": [{"type": "basic"}, OAUTH2, {"type": "api_key", "name": "x-api-key"}]},
}


def who(security):
    """What expressions and the callee know of the caller."""
    call = {"action": {"type": "wamp_call", "procedure": WHO, "options": {"disclose_me": True},
                       "args": ["{{security}}", "{{request.headers}}", "{{request.cookies}}", "{{request.query_string}}"]},
            "response": {"on_result": {"status_code": 200, "body": "{{action.result.args |> head}}"},
                         "on_error": {"body": {"code": "{{action.error.error_uri}}"}}}}
    return {"security": security, "get": call, "post": call}


def document(realm, base):
    return {"id": base, "name": base, "host": "_", "realm_uri": realm,
            "versions": {"1": {"base_path": "/" + base, "paths": {path: who(s) for path, s in SECURITY.items()}}}}


class Witness(Callee):
    """Answers with what the router says of the caller, and what the document sent along."""

    def _answer(self, message):
        _, number, _, details, args = message[:5]
        self.calls.append(args)
        self.peer.send(YIELD, number, {}, [{"authid": details.get("caller_authid"), "authrole": details.get("caller_authrole"),
                                            "security": args[0], "sent": args[1:]}])


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    secret = tmp_path_factory.mktemp("admin") / "password"
    secret.write_text(ADMIN_PASSWORD)
    secret.chmod(0o600)
    settings = dict(CHEAP, **{"io_threads": "1", "security.admin.password_file": str(secret)})
    with Daemon(settings=settings) as daemon:
        more = [grant(["anonymous"], "wamp.call", WHO)]
        for realm, key in ((SHOP, KEY), (OTHER, OTHER_KEY)):
            value = shop(realm, private_keys=[pem(key)])
            value["grants"] += more
            daemon.call("bondy.realm.create", value)
        daemon.call("bondy.realm.create", shop(BARE, authmethods=["wampcra"], sources=[source("wampcra")]))
        daemon.call("bondy.user.add", OTHER, {"username": "olaf", "password": PASSWORD, "groups": ["staff", "managers"]})
        for realm, base in ((SHOP, "shop"), (OTHER, "other"), (BARE, "bare")):
            answer = daemon.admin("/api_specs", "POST", document(realm, base))
            assert answer.status == 201, answer
        with Witness(enter(daemon, Cra("mona", PASSWORD), SHOP), {WHO: None}) as callee:
            daemon.witness = callee
            yield daemon


def basic(user, password=PASSWORD):
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token):
    return {"authorization": "Bearer " + token}


def api_key(node, authid="mona", realm=SHOP, **more):
    answer = node.admin(f"/realms/{realm}/api_keys", "POST", {"authid": authid, **more})
    assert answer.status == 201, answer
    return answer.json()


def token(authid="mona", realm=SHOP, key=KEY, **more):
    return sign(key, claims(realm, authid, **more))


def ticket(node, realm=SHOP, authid="mona"):
    with enter(node, Cra(authid, PASSWORD), realm) as peer:
        results = []
        wait_until(lambda: results.append(peer.call("bondy.ticket.issue")) or isinstance(results[-1][0], dict))
        return results[-1][0]["ticket"]


def ask(node, path, headers=None, base="shop", **more):
    return node.http(f"/{base}{path}", headers=headers or {}, **more)


def assert_401(answer, scheme):
    assert answer.status == 401, answer
    assert answer.json()["code"] == "invalid_token"
    assert scheme in answer.headers["www-authenticate"], answer.headers


def assert_who(answer, authid, authmethod):
    assert answer.status == 200, answer
    body = answer.json()
    assert (body["authid"], body["security"]["authid"], body["security"]["username"]) == (authid,) * 3, body
    assert body["security"]["authmethod"] == authmethod


# ---- each way: right, wrong, none --------------------------------------------------------------------------

def test_basic(node):
    answer = ask(node, "/basic", basic("mona"))
    assert_who(answer, "mona", "password")
    security = answer.json()["security"]
    assert (security["realm_uri"], security["groups"], security["locale"], security["meta"]) == (SHOP, ["staff"], "en", {})
    assert isinstance(security["session"], int) and "client_id" not in security
    assert answer.json()["authrole"] == "staff"
    challenge = f'Basic realm="{SHOP}", charset="UTF-8"'
    for headers in ({}, basic("mona", "wrong"), basic("nobody"), basic("mona", ""), basic("", PASSWORD),
                    {"authorization": "Basic ????"}, {"authorization": "Basic"}, bearer(token())):
        answer = ask(node, "/basic", headers)
        assert_401(answer, "Basic")
        assert answer.headers["www-authenticate"] == challenge


def test_a_name_may_have_colons_where_a_password_has_none(node):
    node.call("bondy.user.add", SHOP, {"username": "urn:user:1", "password": PASSWORD, "groups": ["staff"]})
    assert_who(ask(node, "/basic", basic("urn:user:1")), "urn:user:1", "password")
    node.call("bondy.user.add", SHOP, {"username": "colon", "password": "kettle:46:rope", "groups": ["staff"]})
    assert_401(ask(node, "/basic", basic("colon", "kettle:46:rope")), "Basic")


def test_bearer(node):
    for value in (token(), token(client_id=None), sign(KEY, claims(SHOP, "mona", vsn="1.1", id="x", exp=900, jti=None), typ="JWT")):
        answer = ask(node, "/token", bearer(value))
        assert_who(answer, "mona", "oauth2")
        assert answer.json()["security"]["client_id"] == "webapp"
    assert_who(ask(node, "/token", bearer(ticket(node))), "mona", "ticket")


def test_a_token_knows_its_client_and_device(node):
    answer = ask(node, "/token", bearer(token(meta={"client_device_id": "tablet-4", "x": 1}, client_id="pos")))
    assert answer.json()["security"]["client_id"] == "pos"
    assert answer.json()["security"]["meta"] == {"client_device_id": "tablet-4"}


BAD_TOKENS = {
    "none": lambda: None,
    "nothing": lambda: "",
    "short": lambda: "x",
    "garbage": lambda: "a.b.c",
    "expired": lambda: token(iat=int(time.time()) - 1000, nbf=None, exp=int(time.time()) - 100),
    "lifetime over": lambda: sign(KEY, claims(SHOP, "mona", iat=int(time.time()) - 1000, nbf=None, exp=100), typ="JWT"),
    "not yet": lambda: token(nbf=int(time.time()) + 1000),
    "before the user": lambda: token(iat=int(time.time()) - 100, iat_ms=None, nbf=None),
    "other realm": lambda: token("olaf", OTHER, OTHER_KEY),
    "other realm, same name": lambda: token("mona", OTHER, OTHER_KEY),
    "of this realm by another's key": lambda: token("mona", SHOP, OTHER_KEY),
    "unknown key": lambda: token("mona", SHOP, STRANGE_KEY),
    "unknown key with a known name": lambda: sign(STRANGE_KEY, claims(SHOP, "mona"), kid=json.loads(base64.urlsafe_b64decode(
        token().split(".")[0] + "=="))["kid"]),
    "scope of another realm": lambda: token(auth={"scope": {"realm": OTHER}, "roles": []}),
    "unknown user": lambda: token("nobody"),
    "alg none": lambda: ".".join(sign(KEY, claims(SHOP, "mona"), alg="none").split(".")[:2]) + ".",
    "changed": lambda: token()[:-6] + "AAAAAA",
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token(node, name):
    value = BAD_TOKENS[name]()
    answer = ask(node, "/token", {} if value is None else bearer(value))
    assert_401(answer, "Bearer")
    assert answer.headers["www-authenticate"].startswith(f'Bearer realm="{SHOP}"')
    assert ('error="invalid_token"' in answer.headers["www-authenticate"]) == (value not in (None, "")), answer.headers


def test_scopes(node):
    """the token's roles must include at least one"""
    node.call("bondy.user.add", SHOP, {"username": "boss", "password": PASSWORD, "groups": ["staff", "managers"]})
    both = {"scope": {"realm": SHOP}, "roles": ["staff", "managers"]}
    assert_who(ask(node, "/staff", bearer(token())), "mona", "oauth2")
    assert_who(ask(node, "/managers", bearer(token("boss", auth=both))), "boss", "oauth2")
    for value in (token(), token("boss"), token(auth=both), ticket(node)):
        answer = ask(node, "/managers", bearer(value))
        assert answer.status == 403 and answer.json()["code"] == "insufficient_scope", answer
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert 'scope="managers"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path,send", [
    ("/key", lambda key: ("", {"x-api-key": key})),
    ("/prefixed", lambda key: ("", {"authorization": "apikey " + key})),
    ("/query", lambda key: ("?a=1&key=" + key, {})),
    ("/cookie", lambda key: ("", {"cookie": "a=1; key=" + key})),
])
def test_an_api_key(node, path, send):
    key = api_key(node)["key"]
    more, headers = send(key)
    answer = ask(node, path + more, headers)
    assert_who(answer, "mona", "api_key")
    assert key not in answer.body.decode(), "the callee has seen the key"
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), "x", "bondy_" + "0" * 32 + "_x", api_key(node, "mona", OTHER)["key"]):
        more, headers = send(wrong)
        assert_401(ask(node, path + more, headers), "ApiKey")
    assert_401(ask(node, path), "ApiKey")


def test_an_api_key_is_good_from_its_networks_until_its_end(node):
    here, elsewhere = api_key(node, cidrs=["127.0.0.0/8"]), api_key(node, cidrs=["10.0.0.0/8", "::1/128"])
    assert ask(node, "/key", {"x-api-key": here["key"]}).status == 200
    assert_401(ask(node, "/key", {"x-api-key": elsewhere["key"]}), "ApiKey")
    end = int(time.time()) + 2
    brief = api_key(node, expires_at=end)["key"]
    assert ask(node, "/key", {"x-api-key": brief}).status == 200
    wait_until(lambda: time.time() > end and ask(node, "/key", {"x-api-key": brief}).status == 401)


def test_a_token_is_not_remembered_past_its_end(node):
    """the leeway of security.max_clock_skew is 30 s at most; a lifetime shorter than what is remembered"""
    end = int(time.time()) + 1
    value = token(exp=end)
    answers = []
    wait_until(lambda: answers.append(ask(node, "/token", bearer(value)).status) or answers[-1] == 401, seconds=60)
    assert answers[0] == 200


# ---- taken back --------------------------------------------------------------------------------------------

WAYS = {
    "/basic": lambda node, user: basic(user),
    "/token": lambda node, user: bearer(token(user)),
    "/any": lambda node, user: bearer(ticket(node, SHOP, user)),
    "/key": lambda node, user: {"x-api-key": api_key(node, user)["key"]},
}
ENDS = {
    "disabled": lambda node, user: node.call("bondy.user.disable", SHOP, user),
    "deleted": lambda node, user: node.call("bondy.user.delete", SHOP, user),
    "made again": lambda node, user: (node.call("bondy.user.delete", SHOP, user), node.call(
        "bondy.user.add", SHOP, {"username": user, "password": "another-77-word", "groups": ["staff"]})),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("path", WAYS)
def test_who_was_taken_out_is_out_at_once(node, path, end):
    """while the last answers are still remembered"""
    user = f"temp-{path[1:]}-{end.replace(' ', '-')}"
    node.call("bondy.user.add", SHOP, {"username": user, "password": PASSWORD, "groups": ["staff"]})
    headers = WAYS[path](node, user)
    for _ in range(3):
        assert ask(node, path, headers).status == 200
    ENDS[end](node, user)
    assert ask(node, path, headers).status == 401
    assert ask(node, path, headers).status == 401


def test_a_deleted_key_a_revoked_ticket_and_a_changed_password_are_worth_nothing_at_once(node):
    made = api_key(node)
    headers = {"x-api-key": made["key"]}
    assert ask(node, "/key", headers).status == 200
    assert node.admin(f"/realms/{SHOP}/api_keys/{made['id']}", "DELETE").status == 204
    assert_401(ask(node, "/key", headers), "ApiKey")
    node.call("bondy.user.add", SHOP, {"username": "changing", "password": PASSWORD, "groups": ["staff"]})
    value, issued = bearer(ticket(node, SHOP, "changing")), bearer(token("changing"))
    assert [ask(node, "/token", headers).status for headers in (value, issued)] == [200, 200]
    node.call("bondy.ticket.revoke_all", SHOP, "changing")
    assert_401(ask(node, "/token", value), "Bearer")
    assert ask(node, "/basic", basic("changing")).status == 200
    node.call("bondy.user.change_password", SHOP, "changing", "another-77-word", PASSWORD)
    assert_401(ask(node, "/basic", basic("changing")), "Basic")
    assert ask(node, "/basic", basic("changing", "another-77-word")).status == 200
    assert_401(ask(node, "/token", issued), "Bearer")


def test_groups_are_those_of_now(node):
    node.call("bondy.user.add", SHOP, {"username": "moving", "password": PASSWORD, "groups": ["staff"]})
    assert ask(node, "/basic", basic("moving")).json()["security"]["groups"] == ["staff"]
    node.call("bondy.user.remove_group", SHOP, "moving", "staff")
    answer = ask(node, "/basic", basic("moving"))
    assert answer.status == 403 and answer.json() == {"code": "wamp.error.not_authorized"}, answer


# ---- where from --------------------------------------------------------------------------------------------

def ask_from(node, source_address, path, header):
    """The whole answer to a request from another address of this machine."""
    with connect(node.ports["api_gateway.http"], source_address) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n".encode())
        return b"".join(iter(lambda: sock.recv(65536), b""))


def test_what_is_remembered_is_remembered_for_an_address(node):
    """a source rule or the key's own list is asked anew from elsewhere"""
    key = api_key(node, cidrs=["127.0.0.1/32"])["key"]
    assert ask_from(node, "127.0.0.1", "/shop/key", "x-api-key: " + key).startswith(b"HTTP/1.1 200 ")
    assert ask_from(node, "127.0.0.2", "/shop/key", "x-api-key: " + key).startswith(b"HTTP/1.1 401 ")
    assert ask_from(node, "127.0.0.1", "/shop/key", "x-api-key: " + key).startswith(b"HTTP/1.1 200 ")


def test_a_realm_without_the_method_lets_nobody_in_by_it(node):
    """API keys count where they were made; passwords and tokens where the realm takes them"""
    answer = node.admin("/api_specs?dry_run=true", "POST", document(BARE, "bare2"))
    assert "authmethod_off" in answer.body.decode(), answer
    assert_401(ask(node, "/basic", basic("mona"), "bare"), "Basic")
    assert_401(ask(node, "/token", bearer(ticket(node)), "bare"), "Bearer")
    key = api_key(node, "mona", BARE)["key"]
    assert ask(node, "/key", {"x-api-key": key}, "bare").status == 501


# ---- Z9 ----------------------------------------------------------------------------------------------------

def callers(node):
    admin = basic("admin", ADMIN_PASSWORD)
    assert node.admin("/realms", headers=admin).status == 200  # right where it belongs
    return {
        "nobody": {"open": {}},
        "a user": {"basic": basic("mona"), "key": {"x-api-key": api_key(node)["key"]}, "token": bearer(token())},
        "a user of another realm": {"basic": basic("olaf"), "key": {"x-api-key": api_key(node, "olaf", OTHER)["key"]},
                                    "token": bearer(token("olaf", OTHER, OTHER_KEY))},
        "the administrator": {"basic": admin, "key": {"x-api-key": api_key(node, "admin", MASTER)["key"]},
                              "token": bearer(token("admin", MASTER, KEY))},
    }


ROUTES = {"/open": "open", "/basic": "basic", "/key": "key", "/token": "token", "/any": None}


def test_the_callee_sees_the_caller_and_nobody_else(node):
    """Z9: route x role; an open route is anonymous whatever is sent, the others are the caller or closed"""
    seen = 0
    for role, sent in callers(node).items():
        for route, kind in ROUTES.items():
            for sent_kind, headers in sent.items():
                before = len(node.witness.calls)
                answer = ask(node, route, headers)
                if route == "/open":
                    assert answer.status == 200, (role, answer)
                    body = answer.json()
                    assert body["authrole"] == "anonymous" and body["security"]["authmethod"] == "anonymous", (role, body)
                    assert body["authid"] not in ("mona", "olaf", "admin"), (role, body)
                elif role == "a user" and kind in (sent_kind, None):
                    assert answer.status == 200, (role, route, sent_kind, answer)
                    assert (answer.json()["authid"], answer.json()["authrole"]) == ("mona", "staff")
                else:
                    assert answer.status == 401, (role, route, sent_kind, answer)
                    assert len(node.witness.calls) == before, "the callee was called"
                seen += 1
    assert seen == 50


# ---- the rest ----------------------------------------------------------------------------------------------

def test_several_ways(node):
    """any_of: first that succeeds; nothing sent: every challenge"""
    key = {"x-api-key": api_key(node)["key"]}
    answer = ask(node, "/any")
    assert_401(answer, "Basic")
    assert answer.headers["www-authenticate"] == (
        f'Basic realm="{SHOP}", charset="UTF-8", Bearer realm="{SHOP}", ApiKey realm="{SHOP}"')
    assert_who(ask(node, "/any", dict(basic("mona", "wrong"), **key)), "mona", "api_key")
    assert_who(ask(node, "/any", dict(bearer(token()), **key)), "mona", "oauth2")


def test_options_and_bodies(node):
    """OPTIONS is never asked; a body that comes before the verdict is not lost"""
    answer = ask(node, "/basic", method="OPTIONS")
    assert answer.status == 204, answer
    assert_who(ask(node, "/basic", basic("mona"), method="POST", body={"n": 1}), "mona", "password")
    assert_401(ask(node, "/basic", basic("mona", "nope"), method="POST", body={"n": 1}), "Basic")


def test_credentials_are_seen_by_nobody_behind_the_gateway(node):
    """J8: neither callee nor log"""
    key = api_key(node)["key"]
    for path, headers in (("/basic", basic("mona")), ("/token", bearer(token())), ("/key", {"x-api-key": key}),
                          ("/query?key=" + key, {}), ("/cookie", {"cookie": "key=" + key})):
        answer = ask(node, path, headers)
        assert answer.status == 200
        for value in headers.values():
            assert value.split("=", 1)[-1].split(" ")[-1] not in answer.body.decode(), path
        assert key not in answer.body.decode(), path
    assert key not in node.log() and PASSWORD not in node.log() and basic("mona")["authorization"].split()[1] not in node.log()


def test_guesses_are_slowed_down():
    with Daemon(settings=dict(CHEAP, **{"security.auth_rate": "5"})) as daemon:
        daemon.call("bondy.realm.create", shop(SHOP))
        assert daemon.admin("/api_specs", "POST", document(SHOP, "shop")).status == 201
        answers = []
        wait_until(lambda: answers.append(ask(daemon, "/basic", basic("mona", "wrong"))) or answers[-1].status == 429)
        assert {answer.status for answer in answers} == {401, 429}
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert answers[-1].json()["code"] == "bondy.error.too_many_requests"
        # Keys are guesses too.
        assert ask(daemon, "/key", {"x-api-key": "bondy_" + "0" * 32 + "_x"}).status == 429


def test_the_admin_api_takes_no_api_keys_of_the_gateway(node):
    """admin-http-api.md 3 has Basic, Bearer and certificates"""
    key = api_key(node)["key"]
    for headers in ({"authorization": "Bearer " + key}, {"authorization": "ApiKey " + key}):
        assert node.admin("/realms", headers=headers).status == 401


def test_the_example_is_what_it_says(node):
    """api-specs/examples/secured.json"""
    with open(os.path.join(TOP, "api-specs/examples/secured.json")) as f:
        example = json.load(f)
    example["host"] = "shop.example"  # beside the document of the other tests, which has the same base path
    answer = node.admin("/api_specs", "POST", example)
    assert answer.status == 201, answer
    at = {"host": "shop.example"}
    assert node.http("/shop/hours", headers=at).json() == {"open": "08:00", "close": "18:00"}
    assert node.http("/shop/me", headers=at).status == 401
    assert node.http("/shop/me", headers=dict(at, **basic("mona"))).json() == {
        "name": "mona", "groups": ["staff"], "by": "password"}
    key = {"x-api-key": api_key(node)["key"]}
    assert node.http("/shop/me", headers=dict(at, **key)).json() == {"name": "mona", "groups": ["staff"], "by": "api_key"}
    with Callee(enter(node, Cra("mona", PASSWORD), SHOP), {"com.example.order.get": lambda id: {"id": id}}):
        assert node.http("/shop/orders/7", headers=dict(at, **key)).json() == {"id": "7"}
        zoe = node.http("/shop/orders/7", headers=dict(at, **basic("zoe")))
        assert zoe.status == 403 and zoe.json()["code"] == "wamp.error.not_authorized", zoe


def test_who_may_log_in_is_asked_anew_when_the_realm_changes(node):
    uri = "com.example.changing"
    value = shop(uri)
    value["grants"] += [grant("staff", "wamp.call", WHO)]
    node.call("bondy.realm.create", value)
    assert node.admin("/api_specs", "POST", document(uri, "changing")).status == 201
    # Nobody has registered here: 501 is what somebody gets who was let in.
    assert [ask(node, "/basic", basic("mona"), "changing").status for _ in range(2)] == [501, 501]
    node.call("bondy.source.delete", uri, "all", "127.0.0.0/8", "password")
    assert ask(node, "/basic", basic("mona"), "changing").status == 401
    node.call("bondy.source.add", uri, source("password"))
    assert ask(node, "/basic", basic("mona"), "changing").status == 501
    node.call("bondy.realm.update", uri, {"authmethods": ["wampcra"]})
    assert ask(node, "/basic", basic("mona"), "changing").status == 401
    node.call("bondy.realm.delete", uri, force=True)
    assert ask(node, "/basic", basic("mona"), "changing").status == 404


def test_a_realm_may_have_somebody_else_look_at_passwords(node):
    """AUTH-DYN-1 for Basic: the authenticator decides, each time, and nobody without it"""
    uri = "com.example.asked"
    value = shop(uri, authenticator={"procedure": "com.example.authenticate", "authmethods": ["password"]})
    node.call("bondy.realm.create", value)
    assert node.admin("/api_specs", "POST", document(uri, "asked")).status == 201
    assert ask(node, "/basic", basic("dora", "sesame"), "asked").status == 401
    asked = []

    def authenticate(realm, authid, details):
        asked.append((realm, authid))
        if details.get("password") != "sesame":
            raise WampError("com.example.error.no")
        return {"role": "staff"}
    with Callee(enter(node, Cra("mona", PASSWORD), uri), {"com.example.authenticate": authenticate}):
        answers = [ask(node, "/basic", basic("dora", secret), "asked").status for secret in ("sesame", "wrong", "sesame")]
        # Nobody serves the path itself here.
        assert answers == [501, 401, 501] and asked == [(uri, "dora")] * 3, (answers, asked)
    assert ask(node, "/basic", basic("dora", "sesame"), "asked").status == 401


def test_a_token_of_the_router_is_good_until_it_is_taken_back(node):
    """bondy.oauth2.token.get, until everything of the user is revoked"""
    node.call("bondy.user.add", SHOP, {"username": "bearer", "password": PASSWORD, "groups": ["staff"]})
    assert node.admin(f"/realms/{SHOP}/grants", "POST", grant(["staff"], "bondy.issue", "bondy.oauth2.token")).status in (200, 201)
    with enter(node, Cra("bearer", PASSWORD), SHOP) as peer:
        made = peer.call("bondy.oauth2.token.get")[0]
    headers = bearer(made["access_token"])
    for _ in range(2):
        assert_who(ask(node, "/staff", headers), "bearer", "oauth2")
    assert_401(ask(node, "/token", headers, "other"), "Bearer")
    node.call("bondy.ticket.revoke_all", SHOP, "bearer")
    assert_401(ask(node, "/staff", headers), "Bearer")
    assert ask(node, "/basic", basic("bearer")).status == 200

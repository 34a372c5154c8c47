# SPDX-License-Identifier: Apache-2.0
"""security.names.unicode: realms-and-security.md 2.1."""
import json
import signal
from urllib.parse import quote

import pytest

from daemon import Daemon
from identities import BASIC, CHEAP, PASSWORD, SEED, attempt, enter, grant, is_welcome, shop
from wamp_login import Cra, Cryptosign, Password, Scram, Trust, public_key
from wamp_peer import ABORT, wait_until

SHOP = "com.example.shop"
NAME, TYPED = "josé", ("josé", "JOSÉ", "jose\u0301", "ＪＯＳÉ")
OTHERS = ["山田太郎", "ольга", "منى", "strasse", "मोना"]


def realm():
    return shop(groups=[{"name": "équipe"}, {"name": "staff"}],
                users=[{"username": "José", "password": PASSWORD, "authorized_keys": [public_key(SEED)],
                        "groups": ["ÉQUIPE"], "aliases": ["ペペ"]},
                       *({"username": name, "password": PASSWORD} for name in OTHERS)],
                grants=[grant("équipe", BASIC, "com.example.", "prefix"), grant("user/JOSÉ", BASIC, "com.only", "exact")])


@pytest.fixture(scope="module")
def node():
    with Daemon(settings=dict(CHEAP, **{"security.names.unicode": "on", "security.password.protocol": "scram"})) as daemon:
        daemon.call("bondy.realm.create", realm())
        yield daemon


@pytest.mark.parametrize("method", (Cra, Scram, Password))
def test_logins_by_any_spelling(node, method):
    for typed in (*TYPED, "ペペ", "ﾍﾟﾍﾟ"):
        reply = attempt(node, method(typed, PASSWORD), SHOP)
        assert is_welcome(reply) and reply[2]["authid"] == NAME and reply[2]["authrole"] == "équipe", (typed, reply)
    for name in OTHERS:
        assert is_welcome(attempt(node, method(name, PASSWORD), SHOP)), name
        assert attempt(node, method(name, PASSWORD + "x"), SHOP)[0] == ABORT
    assert is_welcome(attempt(node, method("Straße", PASSWORD), SHOP))


def test_logins_by_key_and_by_address(node):
    assert is_welcome(attempt(node, Cryptosign("JOSÉ", SEED), SHOP))
    assert attempt(node, Cryptosign(None, SEED), SHOP)[2]["authid"] == NAME
    assert is_welcome(attempt(node, Trust("ОЛЬГА"), SHOP))


@pytest.mark.parametrize("name", ["mo\u202ena", "mo\u200bna", "jos\u00ade", "mona\u2066", "a\u0378", "mo\u3164na", "mona😀",
                                  "\u0301abc", "abc\u05d0", "ａｌｌ"])
def test_what_only_looks_like_a_name_is_refused(node, name):
    answer = node.try_call("bondy.user.add", SHOP, {"username": name})
    assert answer.status == 400 and answer.json()["error_uri"] in ("bondy.error.invalid_value", "bondy.error.reserved_name")
    assert node.try_call("bondy.user.add_alias", SHOP, NAME, name).status == 400
    assert node.try_call("bondy.group.add", SHOP, {"name": name}).status == 400
    assert attempt(node, Cra(name, PASSWORD), SHOP)[0] == ABORT


def test_one_name_has_one_owner(node):
    for typed in TYPED:
        answer = node.try_call("bondy.user.add", SHOP, {"username": typed})
        assert answer.json()["error_uri"] == "bondy.error.already_exists", answer


def test_over_rest_names_are_percent_encoded(node):
    users = f"/realms/{SHOP}/users"
    for typed in TYPED:
        user = node.admin(f"{users}/{quote(typed)}").json()
        assert user["username"] == NAME and user["groups"] == ["équipe"] and user["aliases"] == ["ペペ"], user
    made = node.admin(users, "POST", {"username": "Čeněk"})
    assert made.status == 201 and made.headers["location"].endswith(quote("čeněk")), made.headers
    assert node.admin(made.headers["location"]).json()["username"] == "čeněk"
    names = [user["username"] for user in node.admin(users).json()]
    assert set(names) >= {NAME, "čeněk", *OTHERS} and names == sorted(names, key=str.encode)
    found = [user["username"] for user in node.admin(f"{users}?q={quote('ОЛ')}").json()]
    assert found == ["ольга"], found
    assert node.admin(f"{users}/{quote('Čeněk')}", "DELETE").status == 204
    assert node.admin(f"{users}/{quote('čeněk')}").status == 404
    assert node.admin(f"{users}/%ff%fe").status in (400, 404)


def test_grants_and_groups_are_found_by_any_spelling(node):
    allowed = node.call("bondy.rbac.explain", SHOP, "JOSÉ", "wamp.call", "com.only")
    assert allowed["allowed"] is True, allowed
    assert node.call("bondy.rbac.explain", SHOP, "ольга", "wamp.call", "com.only")["allowed"] is False
    node.call("bondy.user.add_group", SHOP, "ОЛЬГА", "E\u0301quipe")
    with enter(node, Cra("ольга", PASSWORD), SHOP) as peer:
        assert peer.welcome["authrole"] == "équipe"
        peer.subscribe("com.example.news")


def test_the_command_line_takes_them(node, bondy):
    done = bondy("user", "get", SHOP, "JOSÉ", "--admin-url", node.url("admin_api.http"))
    assert done.returncode == 0 and json.loads(done.stdout)["username"] == NAME, done


def test_off_is_the_default_and_a_reload_turns_it(tmp_path):
    path = tmp_path / "bondy.conf"

    def turn(daemon, word):
        reloads = daemon.log().count("event=reloaded")
        path.write_text(f"security.names.unicode = {word}\n")
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: daemon.log().count("event=reloaded") > reloads)

    path.write_text("# nothing\n")
    with Daemon("-c", str(path), settings=CHEAP) as daemon:
        refused = daemon.try_call("bondy.realm.create", realm())
        assert refused.status == 400 and "ASCII" in str(refused.body)
        turn(daemon, "on")
        daemon.call("bondy.realm.create", realm())
        assert is_welcome(attempt(daemon, Cra("JOSÉ", PASSWORD), SHOP))
        turn(daemon, "off")
        assert attempt(daemon, Cra("JOSÉ", PASSWORD), SHOP)[0] == ABORT
        # Who is there is listed still.
        assert NAME in [user["username"] for user in daemon.admin(f"/realms/{SHOP}/users").json()]
        assert is_welcome(attempt(daemon, Cra("strasse", PASSWORD), SHOP))
        turn(daemon, "on")
        assert is_welcome(attempt(daemon, Cra("JOSÉ", PASSWORD), SHOP))

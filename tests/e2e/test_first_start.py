# SPDX-License-Identifier: Apache-2.0
"""A node as it comes: who administers it, and realms from a file.

realms-and-security.md 1.4, 1.11 and 7 (row 15); admin-http-api.md 3.
"""
import json
import os
import re
import signal

import pytest

from daemon import Daemon
from identities import CHEAP, PASSWORD, attempt, enter, grant, is_welcome, shop, source
from wamp_login import Anonymous, Cra, Cryptosign, Password, Scram, Trust
from wamp_peer import ABORT, wait_until

MASTER = "com.leapsight.bondy"
FREE = ["--set", "admin_api.http.port=0", "--set", "api_gateway.http.port=0", "--set", "wamp.tcp.port=0"]


def fresh(**settings):
    return Daemon(dev=False, settings=dict(CHEAP, **settings))


def password_of(node):
    with open(os.path.join(node.data, "admin.password")) as file:
        return file.read().rstrip("\n")


def secret_file(tmp_path, text, mode=0o600):
    path = tmp_path / "admin-secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


# ---- the administrator ---------------------------------------------------------------------------

def test_the_password_is_made_up_and_told_by_path_alone():
    with fresh() as node:
        password = password_of(node)
        assert len(password) >= 20 and os.stat(os.path.join(node.data, "admin.password")).st_mode & 0o777 == 0o600
        assert os.path.join(node.data, "admin.password") in node.log() and password not in node.log()
        with fresh() as other:
            assert password_of(other) != password
        assert node.admin("/realms", user="admin:" + password).status == 200
        for method in (Cra("admin", password), Password("admin", password)):
            for kind in ("rawsocket", "websocket"):
                with enter(node, method, MASTER, kind) as peer:
                    assert peer.welcome["authrole"] == "bondy.administrators"
                    assert isinstance(peer.call("bondy.realm.list")[0], list)
        # An alias of the master realm's name is the same realm.
        assert attempt(node, Cra("admin", password), "bondy")[2]["realm"] == MASTER


def test_nobody_else_administers_a_fresh_node():
    with fresh() as node:
        for user in (None, "admin:bondy-admin", "admin:admin", "admin:", "admin:password", "root:root", "bondy:bondy"):
            for method, path in (("GET", "/realms"), ("POST", "/services/call"), ("DELETE", "/v1.0/realms/a.b")):
                assert node.admin(path, method, b"{}", user=user).status == 401, (user, path)
        assert node.admin("/realms").headers["www-authenticate"].startswith("Basic")
        for path in ("/ping", "/ready", "/metrics"):
            assert node.admin(path).status < 300
        for method in (Anonymous(), Trust("admin"), Cra("admin", "bondy-admin"), Password("admin", "bondy-admin"),
                       Scram("admin", "bondy-admin"), Cryptosign("admin", bytes(32))):
            reply = attempt(node, method, MASTER)
            if is_welcome(reply):  # anonymous may come in from this machine, and do nothing
                with enter(node, method, MASTER) as peer:
                    for procedure in ("bondy.realm.list", "bondy.user.list", "bondy.session.list"):
                        assert peer.call(procedure)[4] == "wamp.error.not_authorized"
            else:
                assert reply[0] == ABORT


def test_a_file_names_the_password_and_a_new_one_counts_after_a_restart(tmp_path):
    path = secret_file(tmp_path, "correct-horse-battery\n")
    node = fresh(**{"security.admin.password_file": path})
    with node:
        assert not os.path.exists(os.path.join(node.data, "admin.password"))
        assert node.admin("/realms", user="admin:correct-horse-battery").status == 200
        assert is_welcome(attempt(node, Cra("admin", "correct-horse-battery"), MASTER))
        assert node.stop() == 0
        secret_file(tmp_path, "staple-of-another-kind\n")
        node.start()
        assert node.admin("/realms", user="admin:staple-of-another-kind").status == 200
        assert node.admin("/realms", user="admin:correct-horse-battery").status == 401
        assert is_welcome(attempt(node, Cra("admin", "staple-of-another-kind"), MASTER))
        assert not is_welcome(attempt(node, Cra("admin", "correct-horse-battery"), MASTER))
        assert "correct-horse-battery" not in node.log() and "staple-of-another-kind" not in node.log()


def test_the_generated_file_may_be_deleted_and_the_password_changed():
    with fresh() as node:
        old, path = password_of(node), os.path.join(node.data, "admin.password")
        os.unlink(path)
        with enter(node, Cra("admin", old), MASTER) as peer:
            peer.call("bondy.user.change_password", [MASTER, "admin", "new-secret-9", old])
        assert node.admin("/realms", user="admin:" + old).status == 401
        assert node.admin("/realms", user="admin:new-secret-9").status == 200
        assert node.stop() == 0
        node.start()
        assert node.admin("/realms", user="admin:new-secret-9").status == 200
        assert not os.path.exists(path)


@pytest.mark.parametrize("mode", (0o640, 0o604, 0o644))
def test_a_password_file_that_others_can_read_is_refused(bondyd, tmp_path, mode):
    path = secret_file(tmp_path, "correct-horse-battery\n", mode)
    done = bondyd("--set", f"platform_data_dir={tmp_path}/data", "--set", f"security.admin.password_file={path}", *FREE)
    assert done.returncode == 2 and path in done.stderr and "correct-horse" not in done.stderr, done.stderr


@pytest.mark.parametrize("text", ("", "\n", "short\n"))
def test_a_password_file_without_a_password_is_refused(bondyd, tmp_path, text):
    path = secret_file(tmp_path, text)
    done = bondyd("--set", f"platform_data_dir={tmp_path}/data", "--set", f"security.admin.password_file={path}", *FREE)
    assert done.returncode == 2 and "password" in done.stderr, done.stderr


# ---- realms from a file --------------------------------------------------------------------------

def realm_file(tmp_path, realms):
    path = tmp_path / "realms.json"
    path.write_text(json.dumps(realms))
    path.chmod(0o600)
    return str(path)


def everything(node, user):
    """What the store has of the realms, with versions."""
    def call(procedure, *args):
        answer = node.admin("/services/call", "POST", {"procedure": procedure, "args": args}, user=user)
        assert answer.status == 200, answer
        return answer.json()["args"][0]

    return {uri: [call(procedure, uri) for procedure in
                  ("bondy.realm.get", "bondy.user.list", "bondy.group.list", "bondy.source.list", "bondy.realm.grants")]
            for uri in [realm["uri"] for realm in call("bondy.realm.list")]}


FILE = [
    {"uri": "org.acme.shop7", "prototype_uri": "org.acme.base", "sso_realm_uri": "org.acme.idp", "comment": "ours",
     "users": [{"username": "mona", "groups": ["cashiers"], "sso_realm_uri": "org.acme.idp", "password": PASSWORD}]},
    {"uri": "org.acme.base", "is_prototype": True, "authmethods": ["cryptosign", "wampcra", "ticket"],
     "groups": [{"name": "cashiers", "groups": ["staff"]}, {"name": "staff"}],
     "sources": [source("wampcra")], "grants": [grant("staff", "wamp.call", "org.acme.pub.", "prefix")]},
    {"uri": "org.acme.idp", "is_sso_realm": True, "allow_connections": False, "authmethods": []},
]


def test_a_file_applied_twice_changes_nothing(tmp_path):
    """Row 15, in the order in which realms need each other."""
    node = fresh(**{"security.config_file": realm_file(tmp_path, FILE)})
    with node:
        user = "admin:" + password_of(node)
        with enter(node, Cra("mona", PASSWORD), "org.acme.shop7") as peer:
            assert peer.call("org.acme.pub.x")[4] == "wamp.error.no_such_procedure"
            assert peer.call("org.acme.other")[4] == "wamp.error.not_authorized"
            wait_until(lambda: all(realm[0]["public_keys"] for realm in everything(node, user).values()))
            before = everything(node, user)
            reloads = node.log().count("event=reloaded")
            node.signal(signal.SIGHUP)
            wait_until(lambda: node.log().count("event=reloaded") > reloads)
            assert everything(node, user) == before
            assert peer.call("org.acme.pub.x")[4] == "wamp.error.no_such_procedure"
        assert node.stop() == 0
        node.start()
        assert everything(node, user) == before
        assert is_welcome(attempt(node, Cra("mona", PASSWORD), "org.acme.shop7"))
        # What the file takes away from a user counts for who is connected.
        changed = json.loads(json.dumps(FILE))
        changed[0]["users"][0]["groups"] = []
        with enter(node, Cra("mona", PASSWORD), "org.acme.shop7") as peer:
            reloads = node.log().count("event=reloaded")
            realm_file(tmp_path, changed)
            node.signal(signal.SIGHUP)
            wait_until(lambda: node.log().count("event=reloaded") > reloads)
            assert peer.call("org.acme.pub.x")[4] == "wamp.error.not_authorized"


@pytest.mark.parametrize("realms,word", (
    ([{"uri": "a.b", "prototype_uri": "a.c", "is_prototype": False}], "a.c"),
    ([{"uri": "a.b", "groups": [{"name": "one", "groups": ["two"]}]}], "two"),
    ([{"uri": "a.b", "groups": [{"name": "one", "groups": ["two"]}, {"name": "two", "groups": ["one"]}]}], "one"),
    ([{"uri": "a.b", "users": [{"username": "mona", "groups": ["none"]}]}], "none"),
    ([{"uri": "a.b", "grants": [grant("nobody", "wamp.call", "a.c")]}], "nobody"),
    ([{"uri": "a.b", "authmethods": ["telepathy"]}], "/0/authmethods/0"),
    ([{"uri": "a.b", "users": [{"username": "mona", "password": "MARK"}]}], "password"),
    ([{"uri": "a b"}], "uri"),
    ({"uri": "a.b"}, "")))
def test_a_wrong_file_stops_the_start(bondyd, tmp_path, realms, word):
    """Row 15: and what is wrong is named, but no password."""
    done = bondyd("--set", f"platform_data_dir={tmp_path}/data", "--set",
                  f"security.config_file={realm_file(tmp_path, realms)}", *FREE)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr and not re.search(r"\bMARK\b", done.stderr), done.stderr


def test_secrets_of_a_file_come_from_where_it_says(bondyd, tmp_path):
    """1.11, Better 3."""
    secret = secret_file(tmp_path, PASSWORD + "\n")
    realms = [shop(users=[{"username": "mona", "password": {"$file": secret}, "groups": ["staff"]},
                          {"username": "zoe", "password": "${ENV:ZOES_PASSWORD}"}])]
    path = realm_file(tmp_path, realms)
    node = Daemon(dev=False, settings=dict(CHEAP, **{"security.config_file": path}),
                  environment={"ZOES_PASSWORD": "from-the-env-9"})
    with node:
        assert is_welcome(attempt(node, Cra("mona", PASSWORD), "com.example.shop"))
        assert is_welcome(attempt(node, Cra("zoe", "from-the-env-9"), "com.example.shop"))
        assert "from-the-env-9" not in node.log() and PASSWORD not in node.log()
    os.chmod(secret, 0o644)
    done = bondyd("--set", f"platform_data_dir={tmp_path}/data2", "--set", f"security.config_file={path}", *FREE,
                  environment={"ZOES_PASSWORD": "from-the-env-9"})
    assert done.returncode == 2 and secret in done.stderr, done.stderr


def test_a_realm_that_made_itself_is_secured():
    """1.10: it has no sources, so nobody gets in; with a prototype, who that lets in."""
    with fresh(**{"security.automatically_create_realms": "on"}) as node:
        for method in (Anonymous(), Trust("mona"), Cra("mona", PASSWORD)):
            assert attempt(node, method, "com.example.auto")[0] == ABORT
        user = "admin:" + password_of(node)
        assert node.admin("/realms/com.example.auto", user=user).json()["security_status"] == "enabled"
    with fresh() as node:
        assert attempt(node, Anonymous(), "com.example.auto")[2] == "wamp.error.no_such_realm"


def test_what_every_node_has_does_not_claim_to_be_from_1970():
    with Daemon() as daemon:
        path = "/realms/" + MASTER
        for shown in daemon.admin(path + "/groups").json():
            assert "etag" in shown and not {"created_at", "updated_at"} & set(shown)
        shown = daemon.admin(path).json()  # its keys may have been made meanwhile: that is an update
        assert "etag" in shown and "created_at" not in shown and shown.get("updated_at", "now") > "2026"
        assert daemon.admin(path, "PATCH", {"description": "ours"}).status == 200
        shown = daemon.admin(path).json()
        assert "created_at" not in shown and shown["updated_at"] > "2026"
        shown = daemon.admin("/realms/dev").json()
        assert "2026" < shown["created_at"] <= shown["updated_at"]


def test_the_keys_of_each_realm_are_made_once(tmp_path):
    """Each commit says that others have none yet: what is under way is not begun again."""
    realms = [{"uri": f"com.example.tenant{n}", "authmethods": ["anonymous"]} for n in range(40)]
    with fresh(**{"security.config_file": realm_file(tmp_path, realms)}) as node:
        user = "admin:" + password_of(node)
        uris = [realm["uri"] for realm in realms] + [MASTER]
        for uri in uris:
            wait_until(lambda: node.admin("/realms/" + uri, user=user).json()["public_keys"])
        wait_until(lambda: "event=realm_keys_made" in node.log())
        assert node.stop() == 0
        made = re.findall(r"event=realm_keys_made .*\brealms=(\d+)", node.log())
        assert sum(map(int, made)) == len(uris), made

# SPDX-License-Identifier: Apache-2.0
"""The verbs of administration of `bondy`, on the Unix socket and over HTTP with a password."""
import json
import os
import subprocess
import tempfile

import pytest

from daemon import BONDY, Daemon
from terminal import at_terminal

PASSWORD = "kettle-46-rope"
KEY = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"


def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


@pytest.fixture(scope="module")
def node():
    with tempfile.TemporaryDirectory() as folder:
        password = write(folder, "admin", "correct-horse\n")
        socket = os.path.join(folder, "admin.sock")
        with Daemon(settings={"admin_api.unix.path": socket, "admin_api.allow_anonymous": "off",
                              "security.admin.password_file": password}) as daemon:
            daemon.files = folder
            daemon.secret = write(folder, "secret", PASSWORD + "\n")
            http = daemon.url("admin_api.http")
            daemon.places = {
                "socket": ["--admin-url", "unix:" + socket],
                "http": ["--admin-url", http, "--admin-user", "admin", "--admin-password-file", password],
                "nobody": ["--admin-url", http],
                "stranger": ["--admin-url", http, "--admin-password-file", daemon.secret],
            }
            yield daemon


@pytest.fixture(params=["socket", "http"])
def admin(request, node, bondy):
    """Runs a verb and gives back what it prints as JSON; it must succeed."""
    def run(*words, status=0):
        done = bondy(*words, *node.places[request.param])
        assert done.returncode == status, (words, done)
        return done.stderr if status else json.loads(done.stdout) if done.stdout else None
    run.place = request.param
    return run


@pytest.fixture
def realm(admin):
    uri = f"com.example.{admin.place}"
    admin("realm", "create", uri, "--authmethods", "wampcra,password,cryptosign", "--description", "For a test")
    yield uri
    admin("realm", "delete", uri, "--force")


def names(rows, key="username"):
    return [row[key] for row in rows]


def test_realms(admin, realm, node):
    assert realm in names(admin("realm", "list"), "uri")
    assert admin("realm", "get", realm)["description"] == "For a test"
    assert admin("realm", "update", realm, "--description", "Else")["description"] == "Else"
    assert admin("realm", "update", realm, "--description", "Not", "--dry-run")["description"] == "Not"
    exported = admin("realm", "export", realm)
    assert exported["description"] == "Else"
    path = write(node.files, "export.json", json.dumps(exported))
    assert admin("realm", "import", path, "--dry-run")["errors"] == []
    assert admin("realm", "stats", realm)["users"] == 0
    assert admin("realm", "suspend", realm) is None
    assert admin("realm", "get", realm)["effective"]["allow_connections"]["value"] is False
    assert admin("realm", "resume", realm) is None
    assert admin("realm", "close-sessions", realm) == 0
    admin("realm", "rotate-keys", realm)


def test_users(admin, realm, node):
    assert admin("user", "add", realm, "mona", "--password-file", node.secret, "--meta", '{"till": 4}',
                 "--authorized-keys", KEY)["has_password"] is True
    admin("group", "add", realm, "staff")
    assert "already_exists" in admin("user", "add", realm, "mona", status=1)
    assert admin("user", "get", realm, "mona")["meta"] == {"till": 4}
    assert names(admin("user", "list", realm)) == ["mona"]
    assert admin("user", "update", realm, "mona", "--groups", "staff", "--enabled", "on")["groups"] == ["staff"]
    for verb in (["passwd", "--password-file", node.secret], ["add-alias", "mona@example.com"],
                 ["remove-alias", "mona@example.com"], ["remove-group", "staff"], ["add-group", "staff"],
                 ["remove-key", KEY], ["add-key", KEY], ["disable"], ["enable"]):
        admin("user", verb[0], realm, "mona", *verb[1:])
    user = admin("user", "get", realm, "mona")
    assert (user["enabled"], user["groups"], user["authorized_keys"]) == (True, ["staff"], [KEY.upper()])
    assert admin("user", "sessions", realm, "mona") == []
    methods = {row["authmethod"]: row["available"] for row in admin("user", "authmethods", realm, "mona")}
    assert methods["wampcra"] is False  # no source yet
    admin("user", "delete", realm, "mona")
    assert "not_found" in admin("user", "get", realm, "mona", status=1)


def test_groups(admin, realm):
    admin("group", "add", realm, "staff", "--meta", '{"a": 1}')
    admin("group", "add", realm, "crew", "--groups", "staff")
    assert set(names(admin("group", "list", realm), "name")) >= {"crew", "staff"}
    assert admin("group", "get", realm, "crew")["groups"] == ["staff"]
    assert admin("group", "update", realm, "crew", "--meta", '{"b": 2}')["meta"] == {"b": 2}
    assert admin("group", "members", realm, "staff")["groups"] == ["crew"]
    admin("group", "remove-group", realm, "crew", "staff")
    admin("group", "add-group", realm, "crew", "staff")
    assert admin("group", "grants", realm, "crew") == []
    admin("group", "delete", realm, "crew")
    assert "not_found" in admin("group", "get", realm, "crew", status=1)


def test_sources_and_grants(admin, realm):
    admin("user", "add", realm, "mona", "--groups=")
    admin("source", "add", realm, "--usernames", "all", "--authmethod", "wampcra", "--cidr", "10.0.0.0/8")
    admin("source", "add", realm, "--usernames", "mona", "--authmethod", "password")
    assert {row["authmethod"] for row in admin("source", "list", realm)} == {"wampcra", "password"}
    assert names(admin("source", "match", realm, "mona", "10.1.1.1"), "authmethod")[0] == "wampcra"
    admin("source", "delete", realm, "all", "10.0.0.0/8", "wampcra")
    assert names(admin("source", "list", realm)) == ["mona"]

    request = ["--roles", "mona", "--permissions", "wamp.call,wamp.cancel", "--uri", "com.example.", "--match", "prefix"]
    admin("grant", "add", realm, *request)
    assert admin("grant", "list", realm)[0]["resource"] == {"uri": "com.example.", "match": "prefix"}
    assert admin("user", "grants", realm, "mona")[0]["permissions"] == ["wamp.call", "wamp.cancel"]
    assert admin("explain", realm, "mona", "wamp.call", "com.example.x")["allowed"] is True
    assert admin("explain", realm, "mona", "wamp.publish", "com.example.x")["allowed"] is False
    admin("grant", "revoke", realm, *request)
    assert admin("grant", "list", realm) == []


def test_sessions_and_tickets(admin, realm, node, bondy):
    subscriber = subprocess.Popen([BONDY, "subscribe", "--url", node.tcp_url(), "com.example.news"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "subscribed" in subscriber.stderr.readline()
    session = admin("session", "list", "dev")[-1]["session"]
    assert admin("session", "get", "dev", str(session))["realm"] == "dev"
    admin("session", "kill", "dev", str(session), "--message", "for a test")
    assert "wamp.close.killed" in subscriber.communicate(timeout=60)[1]
    assert admin("session", "kill-many", realm, "--authid", "mona") == 0

    admin("user", "add", realm, "mona")
    assert admin("ticket", "list", realm, "mona") == []
    assert "not_found" in admin("ticket", "revoke", realm, "mona", "none", status=1)
    admin("ticket", "revoke-all", realm, "mona")
    ticket = write(node.files, "ticket", "e30.e30.e30")
    assert admin("ticket", "verify", "--ticket-file", ticket)["valid"] is False
    key = admin("api-key", "add", realm, "mona", "--cidrs", "10.0.0.0/8")
    assert names(admin("api-key", "list", realm), "id") == [key["id"]]
    admin("api-key", "delete", realm, key["id"])


def test_the_node(admin, node):
    assert admin("status")["status"] == "ready"
    assert names(admin("api", "list"), "id") == ["demo"]
    spec = {key: value for key, value in admin("api", "get", "demo").items()
            if key not in ("ts", "loaded_at", "revision", "hash", "status")}
    path = write(node.files, "spec.json", json.dumps(dict(spec, id="other", name="Other", host="other.example")))
    assert admin("api", "check", path)["valid"] is True
    admin("api", "load", path)
    admin("api", "delete", "other")
    assert admin("audit", "--action", "bondy.realm.create", "--limit", "1")[0]["action"] == "bondy.realm.create"


def test_backups(admin):
    made = admin("backup", "create")["filename"]
    while admin("backup", "status") is not None:
        pass
    assert os.path.basename(made) in names(admin("backup", "list"), "name")
    admin("backup", "status", made)
    admin("backup", "verify", made)
    admin("backup", "restore", made, "--mode", "merge")
    while admin("backup", "status") is not None:
        pass


def test_anything_else(admin, realm):
    assert admin("admin", "call", "bondy.realm.security.status", realm) == "enabled"
    assert admin("admin", "GET", f"/realms/{realm}")["uri"] == realm
    assert admin("admin", "POST", f"/realms/{realm}/groups", '{"name": "crew"}')["name"] == "crew"
    assert "no_such_procedure" in admin("admin", "call", "bondy.none", status=1)
    assert "not_found" in admin("admin", "GET", "/none", status=1)


def test_an_error_tells_what_and_where(admin, realm):
    told = admin("grant", "add", realm, "--roles", "x", status=1)
    assert "bondy.error.invalid_data" in told and "permissions: " in told and "uri: " in told
    assert "bondy.error.no_such_groups" in admin("user", "add", realm, "mona", "--groups", "ghosts", status=1)


def test_a_user_of_the_master_realm_administers_what_the_grants_allow(node, bondy):
    place, master = node.places["socket"], "com.leapsight.bondy"
    groups = {"ops": "bondy.administrators", "guest": ""}
    for name, group in groups.items():
        done = bondy("user", "add", master, name, "--password-file", node.secret, f"--groups={group}", *place)
        assert done.returncode == 0, done.stderr
    for name, status in (("ops", 0), ("guest", 4)):
        done = bondy("realm", "list", "--admin-url", node.url("admin_api.http"), "--admin-user", name,
                     "--admin-password-file", node.secret)
        assert done.returncode == status, done.stderr


@pytest.mark.parametrize("place", ["nobody", "stranger"])
def test_who_is_not_an_administrator_is_told_so(node, bondy, place):
    done = bondy("realm", "list", *node.places[place])
    assert done.returncode == 4 and "--admin-password-file" in done.stderr and PASSWORD not in done.stderr


def test_a_node_that_is_not_there_is_told_so(bondy):
    for url in ("unix:/nowhere/admin.sock", "http://127.0.0.1:1"):
        assert bondy("realm", "list", "--admin-url", url).returncode == 3
    done = bondy("realm", "list")  # no daemon of the system
    assert done.returncode == 3 and "--admin-url" in done.stderr


@pytest.mark.parametrize("url, status", [("http://192.0.2.1:18081", 4), ("gopher://x", 2), ("https://me:pw@x", 2)])
def test_a_password_goes_only_where_nobody_can_read_it(node, bondy, url, status):
    done = bondy("realm", "list", "--admin-url", url, "--admin-password-file", node.secret, "--timeout", "5s")
    assert done.returncode == status, done.stderr


def test_an_object_comes_from_a_file_or_from_standard_input(node):
    document = json.dumps({"uri": "com.example.piped", "authmethods": ["wampcra"]})
    path = write(node.files, "realm.json", document)
    for data, given in (("-", document), (path, None)):
        for words in (["realm", "create", "--data", data], ["realm", "delete", "com.example.piped"]):
            done = subprocess.run([BONDY, *words, *node.places["socket"]], input=given, capture_output=True, text=True,
                                  timeout=60)
            assert done.returncode == 0, done.stderr


def test_people_see_tables_and_are_asked_for_passwords(node, bondy):
    place = node.places["socket"]
    assert bondy("realm", "create", "com.example.people", *place).returncode == 0
    assert bondy("user", "add", "com.example.people", "mona", *place).returncode == 0
    shown = at_terminal(BONDY, "user", "passwd", "com.example.people", "mona", *place,
                        answers=[("New password: ", PASSWORD), ("once more: ", PASSWORD)])
    assert PASSWORD not in shown
    lines = at_terminal(BONDY, "user", "list", "com.example.people", *place).splitlines()
    assert lines[0].split()[:2] == ["USERNAME", "ENABLED"] and lines[1].split()[:2] == ["mona", "true"]
    assert json.loads(at_terminal(BONDY, "user", "list", "com.example.people", "--output", "json", *place))[0]["has_password"]
    assert bondy("user", "list", "com.example.people", "--output", "text", *place).stdout.startswith("USERNAME")


def test_long_lists_come_in_pieces(node, bondy):
    place = node.places["socket"]
    assert bondy("realm", "create", "com.example.long", *place).returncode == 0
    for i in range(3):
        assert bondy("user", "add", "com.example.long", f"user{i}", *place).returncode == 0
    done = bondy("user", "list", "com.example.long", "--limit", "2", "--fields", "username", *place)
    assert json.loads(done.stdout) == [{"username": "user0"}, {"username": "user1"}]
    cursor = done.stderr.split("--cursor ")[1].strip()
    done = bondy("user", "list", "com.example.long", "--limit", "2", "--cursor", cursor, *place)
    assert names(json.loads(done.stdout)) == ["user2"]

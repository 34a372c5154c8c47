# SPDX-License-Identifier: Apache-2.0
"""The client `bondy` against a daemon: every verb of WAMP, every transport, logins, exit statuses."""
import base64
import json
import os
import subprocess
import tempfile

import pytest

from daemon import BONDY, Backend, Daemon
from terminal import at_terminal


@pytest.fixture(scope="module")
def daemon():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bondy.sock")
        with Daemon(settings={"wamp.unix.enabled": "on", "wamp.unix.path": path}) as d:
            d.urls = {"tcp": d.tcp_url(), "ws": d.ws_url(), "unix": "unix:" + path,
                      "one port": d.tcp_url().replace(str(d.ports["wamp.tcp"]), str(d.ports["api_gateway.http"]))}
            yield d


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
@pytest.mark.parametrize("transport", ["tcp", "ws", "unix", "one port"])
def test_a_call_reaches_a_program_and_its_result_comes_back(daemon, bondy, transport, serializer):
    url = daemon.urls[transport]
    with Backend(daemon, "com.example.echo", "cat", url=url, arguments=["--serializer", serializer]):
        done = bondy("call", "--url", url, "--serializer", serializer, "--output", "json", "com.example.echo",
                     "1", "word", '{"a": [true, null]}', "--kwargs", '{"k": "\u00e9"}')
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "args": [{"args": [1, "word", {"a": [True, None]}], "kwargs": {"k": "\u00e9"}}], "kwargs": {}}


def test_serializers_of_both_sides_may_differ(daemon, bondy):
    with Backend(daemon, "com.example.echo", "cat", arguments=["--serializer", "cbor"]):
        for serializer in ("json", "msgpack"):
            done = bondy("call", "--url", daemon.ws_url(), "--serializer", serializer, "com.example.echo",
                         "9007199254740993")
            assert json.loads(done.stdout)["args"] == [9007199254740993]


def test_text_is_printed_as_it_is(daemon, bondy):
    with Backend(daemon, "com.example.text", "echo", "plain text"):
        assert bondy("call", "--url", daemon.tcp_url(), "com.example.text").stdout == "plain text\n"


def test_arguments_never_reach_a_command_line(daemon, bondy):
    with Backend(daemon, "com.example.words", "sh", "-c", "echo $#"):
        done = bondy("call", "--url", daemon.tcp_url(), "com.example.words", "$(touch /tmp/no)", ";", "`id`")
        assert done.stdout == "0\n"


def test_a_program_that_fails_is_an_error_with_its_last_line(daemon, bondy):
    with Backend(daemon, "com.example.bad", "sh", "-c", "echo first >&2; echo last >&2; exit 3"):
        done = bondy("call", "--url", daemon.tcp_url(), "com.example.bad")
        assert done.returncode == 1
        assert "bondy.error.internal_error" in done.stderr and "last" in done.stderr
        assert "first" not in done.stderr


def test_a_program_that_is_not_there_is_an_error(daemon, bondy):
    with Backend(daemon, "com.example.none", "/nowhere/program"):
        done = bondy("call", "--url", daemon.tcp_url(), "com.example.none")
        assert done.returncode == 1 and "bondy.error.internal_error" in done.stderr


def test_calls_run_at_once_up_to_the_limit(daemon):
    """Each program waits for its own call to be let go: two are in there together, the third is not."""
    with tempfile.TemporaryDirectory() as folder:
        script = f'i=$(cat); touch {folder}/in.$$; while [ ! -e {folder}/go ]; do sleep 0.02; done; echo done'
        with Backend(daemon, "com.example.wait", "sh", "-c", script, arguments=["--concurrency", "2"]):
            calls = [subprocess.Popen([BONDY, "call", "--url", daemon.tcp_url(), "com.example.wait"],
                                      stdout=subprocess.PIPE, text=True) for _ in range(3)]
            while len(os.listdir(folder)) < 2:
                pass
            assert len(os.listdir(folder)) == 2
            open(os.path.join(folder, "go"), "w").close()
            assert [c.communicate(timeout=60)[0] for c in calls] == ["done\n"] * 3


def test_a_call_times_out(daemon, bondy):
    with Backend(daemon, "com.example.slow", "sleep", "60"):
        done = bondy("call", "--url", daemon.tcp_url(), "--timeout", "200ms", "com.example.slow")
        assert done.returncode == 1 and "wamp.error.timeout" in done.stderr


def test_patterns_tell_the_procedure(daemon, bondy):
    with Backend(daemon, "com.example.files.", "cat", arguments=["--match", "prefix"]):
        done = bondy("call", "--url", daemon.tcp_url(), "com.example.files.list")
        assert json.loads(done.stdout)["procedure"] == "com.example.files.list"


@pytest.mark.parametrize("transport", ["tcp", "ws", "unix"])
def test_events_are_lines_of_json(daemon, bondy, transport):
    url = daemon.urls[transport]
    subscriber = subprocess.Popen([BONDY, "subscribe", "--url", url, "--count", "2", "--match", "prefix",
                                   "com.example.news"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "subscribed" in subscriber.stderr.readline()
    done = bondy("publish", "--url", url, "--acknowledge", "com.example.news.one", "1", "--kwargs", '{"a": "b"}')
    assert done.returncode == 0
    publication = int(done.stdout)
    assert bondy("publish", "--url", url, "com.example.news.two", "hello").returncode == 0
    first, second = [json.loads(line) for line in subscriber.communicate(timeout=60)[0].splitlines()]
    assert subscriber.returncode == 0
    assert first == {"topic": "com.example.news.one", "publication": publication, "args": [1], "kwargs": {"a": "b"}}
    assert second["topic"] == "com.example.news.two" and second["args"] == ["hello"]


def test_exit_statuses(daemon, bondy):
    """operations.md 10"""
    url = daemon.tcp_url()
    assert bondy("--help").returncode == 0
    assert bondy("call", "--help").returncode == 0
    assert bondy("--version").stdout.startswith("bondy ")
    assert bondy("call", "--url", url, "com.example.nothing").returncode == 1
    assert bondy().returncode == 2
    assert bondy("call").returncode == 2
    assert bondy("dance", "x").returncode == 2
    assert bondy("call", "--url", "gopher://x", "com.example.x").returncode == 2
    assert bondy("register", "--url", url, "com.example.x").returncode == 2
    assert bondy("call", "--url", "tcp://127.0.0.1:1", "com.example.x").returncode == 3
    assert bondy("call", "--url", "unix:/nowhere/sock", "com.example.x").returncode == 3
    assert bondy("call", "--url", url, "--realm", "com.example.none", "com.example.x").returncode == 1


def test_the_master_realm_lets_nobody_in_without_a_login(daemon, bondy):
    """SESS-AUTH-1"""
    done = bondy("call", "--url", daemon.tcp_url(), "--realm", "com.leapsight.bondy", "bondy.realm.list")
    assert done.returncode == 4 and "wamp.error.no_matching_auth_method" in done.stderr


# ---- logins --------------------------------------------------------------------------------------

SHOP = "com.example.shop"
PASSWORD = "kettle-46-rope"
SEED = bytes(range(32)).hex()
PUBKEY = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
METHODS = ["wamp-scram", "wampcra", "password", "cryptosign", "ticket", "trust"]


def user(name, method, **more):
    """A user who can log in with one method only."""
    return ({"username": name, "groups": ["staff"], **more},
            {"usernames": [name], "authmethod": method, "cidr": "127.0.0.0/8"})


def scram(kdf, **params):
    return {"password": PASSWORD, "password_opts": {"protocol": "scram", "params": {"kdf": kdf, **params}}}


@pytest.fixture(scope="module")
def shop(daemon):
    """A realm with a user for each method."""
    cra = {"password": PASSWORD, "password_opts": {"protocol": "cra", "params": {"kdf": "pbkdf2", "iterations": 5000}}}
    users = [user("scram", "wamp-scram", **scram("pbkdf2", iterations=5000)),
             user("argon", "wamp-scram", **scram("argon2id13", iterations=3, memory=8192 * 1024)),
             user("cra", "wampcra", **cra), user("pass", "password", **cra),
             user("key", "cryptosign", authorized_keys=[PUBKEY]), user("trust", "trust"),
             user("tick", "ticket", **cra)]
    realm = {"uri": SHOP, "authmethods": METHODS, "groups": [{"name": "staff"}], "users": [u for u, _ in users],
             "sources": [s for _, s in users] + [{"usernames": ["tick"], "authmethod": "wampcra", "cidr": "127.0.0.0/8"}],
             "grants": [{"roles": ["staff"], "permissions": ["wamp.call", "wamp.register"], "uri": "", "match": "prefix"},
                        {"roles": ["tick"], "permissions": ["bondy.issue"], "uri": "any"}]}
    answer = daemon.admin("/services/call", "POST", {"procedure": "bondy.realm.create", "args": [realm]})
    assert answer.status == 200, answer
    return daemon


@pytest.fixture
def secret(tmp_path):
    """Writes a file that nobody else may read."""
    def write(text, name="secret", mode=0o600):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)
    return write


def whoami(bondy, daemon, *arguments, url=None, environment=None):
    done = bondy("call", "--url", url or daemon.tcp_url(), "--realm", SHOP, *arguments, "bondy.session.self",
                 environment=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("transport", ["tcp", "ws", "unix"])
@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
@pytest.mark.parametrize("name, method", [("scram", "wamp-scram"), ("argon", "wamp-scram"), ("cra", "wampcra"),
                                          ("pass", "password")])
def test_a_password_logs_in_with_the_method_that_there_is(shop, bondy, secret, name, method, serializer, transport):
    me = whoami(bondy, shop, "--authid", name, "--secret-file", secret(PASSWORD + "\n"), "--serializer", serializer,
                url=shop.urls[transport])
    assert (me["authid"], me["authmethod"]) == (name, method)


@pytest.mark.parametrize("authid", [["--authid", "key"], []])
def test_a_key_logs_in_with_and_without_a_name(shop, bondy, secret, authid):
    me = whoami(bondy, shop, *authid, "--key-file", secret(SEED, "key"))
    assert (me["authid"], me["authmethod"]) == ("key", "cryptosign")


def test_a_key_of_ssh_keygen_logs_in(shop, bondy, tmp_path):
    path = str(tmp_path / "id")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", path], check=True)
    public = base64.b64decode(open(path + ".pub").read().split()[1])[-32:].hex()
    shop.admin("/services/call", "POST", {"procedure": "bondy.user.add_authorized_key", "args": [SHOP, "key", public]})
    assert whoami(bondy, shop, "--authid", "key", "--key-file", path)["authmethod"] == "cryptosign"
    shop.admin("/services/call", "POST", {"procedure": "bondy.user.remove_authorized_key",
                                          "args": [SHOP, "key", public]})


def test_a_ticket_is_issued_and_logs_in(shop, bondy, secret):
    done = bondy("call", "--url", shop.tcp_url(), "--realm", SHOP, "--authid", "tick", "--secret-file",
                 secret(PASSWORD), "bondy.ticket.issue")
    assert done.returncode == 0, done.stderr
    ticket = json.loads(done.stdout)["ticket"]
    path, admin = secret(ticket, "ticket"), ["--admin-url", shop.url("admin_api.http")]
    me = whoami(bondy, shop, "--authid", "tick", "--ticket-file", path)
    assert (me["authid"], me["authmethod"]) == ("tick", "ticket")
    listed = json.loads(bondy("ticket", "list", SHOP, "tick", *admin).stdout)
    assert json.loads(bondy("ticket", "verify", "--ticket-file", path, *admin).stdout)["valid"] is True
    assert bondy("ticket", "revoke", SHOP, "tick", listed[0]["id"], *admin).returncode == 0
    done = bondy("call", "--url", shop.tcp_url(), "--realm", SHOP, "--authid", "tick", "--ticket-file", path,
                 "bondy.session.self")
    assert done.returncode == 4 and "authentication_denied" in done.stderr


def test_a_name_alone_is_enough_where_the_realm_trusts(shop, bondy):
    assert whoami(bondy, shop, "--authid", "trust")["authmethod"] == "trust"


def test_variables_log_in_and_programs_do_not_inherit_the_secrets(shop, bondy):
    me = whoami(bondy, shop, environment={"BONDY_AUTHID": "cra", "BONDY_SECRET": PASSWORD})
    assert me["authid"] == "cra"
    os.environ.update({"BONDY_AUTHID": "cra", "BONDY_SECRET": PASSWORD, "BONDY_REALM": SHOP})
    try:
        backend = Backend(shop, "com.example.env", "env")
    finally:
        for name in ("BONDY_AUTHID", "BONDY_SECRET", "BONDY_REALM"):
            del os.environ[name]
    with backend:
        done = bondy("call", "--url", shop.tcp_url(), "--realm", SHOP, "--authid", "cra", "--secret", PASSWORD,
                     "com.example.env")
        assert "BONDY_AUTHID=cra" in done.stdout and "BONDY_SECRET" not in done.stdout


def test_a_secret_is_read_from_standard_input(shop):
    done = subprocess.run([BONDY, "call", "--url", shop.tcp_url(), "--realm", SHOP, "--authid", "cra", "--secret-file",
                           "-", "bondy.session.self"], input=PASSWORD + "\nmore\n", capture_output=True, text=True,
                          timeout=60)
    assert json.loads(done.stdout)["authid"] == "cra"


def test_a_secret_typed_at_the_terminal_is_not_shown(shop):
    shown = at_terminal(BONDY, "call", "--url", shop.tcp_url(), "--realm", SHOP, "--authid", "cra", "--secret-file", "-",
                        "bondy.session.self", answers=[("Password: ", PASSWORD)])
    assert PASSWORD not in shown and '"authid":"cra"' in shown


@pytest.mark.parametrize("arguments, told", [
    (["--authid", "scram", "--secret", "wrong"], "authentication_denied"),
    (["--authid", "cra", "--secret", "wrong"], "authentication_denied"),
    (["--authid", "pass", "--secret", "wrong"], "authentication_denied"),
    (["--authid", "tick", "--ticket", "wrong"], "authentication_denied"),
    (["--authid", "nobody", "--secret", PASSWORD], "--ip ADDRESS"),
    ([], "--secret-file"),
])
def test_who_is_not_let_in_is_told_what_to_do(shop, bondy, arguments, told):
    done = bondy("call", "--url", shop.tcp_url(), "--realm", SHOP, *arguments, "bondy.session.self")
    assert done.returncode == 4 and told in done.stderr
    assert PASSWORD not in done.stderr


def test_a_wrong_key_is_not_let_in(shop, bondy, secret):
    done = bondy("call", "--url", shop.tcp_url(), "--realm", SHOP, "--authid", "key", "--key-file", secret("00" * 32),
                 "bondy.session.self")
    assert done.returncode == 4 and "authentication_denied" in done.stderr


def test_a_realm_that_is_not_there_is_said_so_with_what_to_do(shop, bondy):
    done = bondy("call", "--url", shop.tcp_url(), "--realm", "com.example.none", "--authid", "x", "--secret", "y", "a.b")
    assert done.returncode == 1 and "no_such_realm" in done.stderr and "bondy realm list" in done.stderr


@pytest.mark.parametrize("option, text", [("--secret-file", PASSWORD), ("--ticket-file", "e30.e30.e30"), ("--key-file", SEED)])
def test_a_secret_that_others_may_read_is_refused(shop, bondy, secret, option, text):
    done = bondy("call", "--url", shop.tcp_url(), "--authid", "x", option, secret(text, mode=0o644), "a.b")
    assert done.returncode == 2 and option in done.stderr and "lets others in" in done.stderr
    assert text not in done.stderr


def test_a_password_without_a_name_is_a_mistake(shop, bondy):
    done = bondy("call", "--url", shop.tcp_url(), "--secret", "x", "a.b")
    assert done.returncode == 2 and "--authid" in done.stderr


# ---- more ----------------------------------------------------------------------------------------

def test_variables_stand_for_options(daemon, bondy):
    with Backend(daemon, "com.example.text", "echo", "here"):
        done = bondy("call", "com.example.text", environment={"BONDY_URL": daemon.ws_url(), "BONDY_REALM": "dev",
                                                              "BONDY_OUTPUT": "json"})
        assert json.loads(done.stdout)["args"] == ["here"]


def test_a_server_that_is_no_router_is_said_so(daemon, bondy):
    done = bondy("call", "--url", f"ws://127.0.0.1:{daemon.ports['api_gateway.http']}/elsewhere", "com.example.x")
    assert done.returncode == 1 and "no WebSocket there" in done.stderr


@pytest.mark.parametrize("words, hint", [
    (["cal", "a.b"], 'did you mean "call"?'),
    (["dance"], "bondy --help lists them"),
    (["--realm", "dev", "call", "a.b"], "options stand behind the verb"),
    (["call", "--ream", "dev", "a.b"], 'did you mean "--realm"?'),
    (["user", "lst"], 'did you mean "user list"?'),
    (["usr", "list"], 'did you mean "user"?'),
    (["user", "dance"], "bondy user --help lists them"),
    (["user"], "add-group"),
    (["user", "get", "a.b"], "usage: bondy user get"),
    (["realm", "list", "--authid", "x"], "has no option"),
])
def test_a_slip_on_the_command_line_is_refused_with_a_hint(bondy, words, hint):
    done = bondy(*words)
    assert (done.returncode, done.stdout) == (2, "") and hint in done.stderr

# SPDX-License-Identifier: Apache-2.0
"""The client `bondy` against a daemon: every verb, every transport, exit statuses."""
import json
import os
import subprocess
import tempfile

import pytest

from daemon import BONDY, Backend, Daemon


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


def test_the_master_realm_lets_nobody_in(daemon, bondy):
    """SESS-AUTH-1; design/names.md, master realm"""
    done = bondy("call", "--url", daemon.tcp_url(), "--realm", "com.leapsight.bondy", "bondy.realm.list")
    assert done.returncode == 4 and "wamp.error.no_matching_auth_method" in done.stderr


@pytest.mark.parametrize("option", ["--authid", "--secret", "--ticket", "--key-file"])
def test_logins_are_refused_by_name(daemon, bondy, option):
    done = bondy("call", "--url", daemon.tcp_url(), option, "x", "com.example.x")
    assert done.returncode == 2 and option in done.stderr
    variable = "BONDY_" + option[2:].replace("-", "_").upper()
    assert bondy("call", "com.example.x", environment={variable: "x"}).returncode == 2


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
])
def test_a_slip_on_the_command_line_is_refused_with_a_hint(bondy, words, hint):
    done = bondy(*words)
    assert (done.returncode, done.stdout) == (2, "") and hint in done.stderr

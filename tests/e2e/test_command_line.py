# SPDX-License-Identifier: Apache-2.0
"""bondyd's options that end at once, and the exit statuses of operations.md 7."""
import glob
import json
import os
import socket

import pytest

from daemon import TOP, Daemon


def config(tmp_path, text):
    path = tmp_path / "bondy.conf"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_help_and_version_say_what_they_should(bondyd):
    done = bondyd("--help")
    assert done.returncode == 0 and "--check-config" in done.stdout
    done = bondyd("--version")
    assert done.returncode == 0 and done.stdout.startswith("bondyd ")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["-c"], ["--set", "novalue"],
                                       ["--set", "wamp.tpc.port=1"], ["-c", "/nowhere/bondy.conf"],
                                       ["--print-config-reference", "pdf"]])
def test_a_wrong_command_line_ends_with_2(bondyd, arguments):
    assert bondyd(*arguments, "--check-config").returncode == 2


def test_check_config_tells_right_from_wrong(bondyd, tmp_path):
    assert bondyd("-c", config(tmp_path, "io_threads = 1\n"), "--check-config").returncode == 0
    warned = config(tmp_path, "cluster.name = prod\n")
    assert bondyd("-c", warned, "--check-config").returncode == 0
    assert bondyd("-c", warned, "--check-config", "--strict").returncode == 1
    done = bondyd("-c", config(tmp_path, "wamp.tcp.max_conections = 5\nio_threads = x\n"), "--check-config")
    assert done.returncode == 2
    assert "C002" in done.stderr and 'did you mean "wamp.tcp.max_connections"' in done.stderr
    assert "C003" in done.stderr


def test_a_wrong_configuration_does_not_start(bondyd, tmp_path):
    done = bondyd("-c", config(tmp_path, "io_threads = x\n"))
    assert done.returncode == 2 and "C003" in done.stderr


def test_print_config_names_the_origin_and_hides_secrets(bondyd, tmp_path):
    path = config(tmp_path, "cluster.secret = MARKER\nwamp.tcp.port = 18090\n")
    done = bondyd("-c", path, "--print-config", "--diff", "--origin", "--set", "io_threads=3",
                  environment={"BONDY__WAMP__CALL_TIMEOUT": "5s"})
    lines = [line.split("    # ") for line in done.stdout.splitlines()]
    assert ["wamp.tcp.port = 18090", path + ":2"] in lines
    assert ["io_threads = 3", "--set"] in lines
    assert ["wamp.call_timeout = 5s", "environment BONDY__WAMP__CALL_TIMEOUT"] in lines
    assert "MARKER" not in done.stdout + done.stderr
    as_json = json.loads(bondyd("-c", path, "--print-config", "--json").stdout)
    assert as_json["wamp.tcp.port"] == "18090" and as_json["cluster.secret"] == "********"


def test_the_sample_is_a_valid_configuration(bondyd, tmp_path):
    sample = bondyd("--print-config-sample").stdout
    done = bondyd("-c", config(tmp_path, sample), "--check-config", "--strict")
    assert done.returncode == 0, done.stderr


def test_a_slip_in_a_variable_is_found(bondyd):
    done = bondyd("--check-config", environment={"BONDY__WAMP__TPC__PORT": "1"})
    assert done.returncode == 2 and '"wamp.tcp.port"' in done.stderr


@pytest.mark.parametrize("setting", ["admin_api.http.ip=0.0.0.0", "admin_api.http.ip=::"])
def test_the_admin_api_stays_on_this_machine(bondyd, tmp_path, setting):
    """threat-model.md H9"""
    done = bondyd("--set", f"platform_data_dir={tmp_path}", "--set", setting)
    assert done.returncode == 2 and "loopback" in done.stderr


def test_dev_stays_on_this_machine(bondyd):
    done = bondyd("--dev", "--set", "wamp.tcp.ip=0.0.0.0")
    assert done.returncode == 2 and "loopback" in done.stderr


def test_a_store_in_use_ends_with_3(tmp_path, bondyd):
    with Daemon(dev=False) as first:
        done = bondyd("--set", "platform_data_dir=" + first.data, "--set", "store.open_retry_limit=1",
                      *[word for key in ("api_gateway.http.port", "admin_api.http.port", "wamp.tcp.port")
                        for word in ("--set", key + "=0")])
        assert done.returncode == 3, done.stderr


def test_a_port_in_use_ends_with_4(bondyd, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = bondyd("--dev", "--set", "api_gateway.http.port=0", "--set", "admin_api.http.port=0",
                      "--set", f"wamp.tcp.port={port}")
        assert done.returncode == 4, done.stderr
        assert str(port) in done.stderr


def test_a_realm_file_with_a_mistake_stops_the_start(bondyd, tmp_path):
    """realms-and-security.md 1.11: refused whole, with the place of each mistake"""
    realms = tmp_path / "realms.json"
    realms.write_text(json.dumps([{"uri": "com.example.a", "authmethods": ["wampcra"],
                                   "users": [{"username": "mona", "groups": ["ghosts"]}, {"username": 7}]}]))
    done = bondyd("--set", f"platform_data_dir={tmp_path}/data", "--set", f"security.config_file={realms}",
                  "--set", "admin_api.http.port=0", "--set", "api_gateway.http.port=0", "--set", "wamp.tcp.port=0")
    assert done.returncode == 2 and "/0/users/1" in done.stderr and "username" in done.stderr, done.stderr
    assert os.stat(tmp_path / "data").st_mode & 0o777 == 0o700


def test_every_key_that_is_said_to_work_is_used(bondyd):
    """configuration.md 4: a key without effect says so in the table."""
    keys = json.loads(bondyd("--print-config-reference", "json").stdout)
    source = "".join(open(path).read() for path in glob.glob(os.path.join(TOP, "src/server/*.c"))
                     if "config_schema" not in path)
    # Nobody has to look at a key that can only be what it is.
    for key in (k["key"] for k in keys if k["state"] == "" and k["type"] != k["default"]):
        parts = key.split(".")
        names = [".".join(parts[i:]) for i in (0, 2)]
        assert any(f'"{name}"' in source for name in names if name), key


@pytest.mark.parametrize("format, path", [("md", "docs/reference/configuration.md"),
                                          ("man", "docs/man/bondy.conf.5")])
def test_the_checked_in_reference_is_what_the_table_says(bondyd, format, path):
    """configuration.md 9, F9"""
    with open(os.path.join(TOP, path)) as f:
        assert bondyd("--print-config-reference", format).stdout == f.read(), f"{path}: make docs-update"

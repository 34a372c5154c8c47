# SPDX-License-Identifier: Apache-2.0
"""Secrets of the store under a master key: cluster.md B9, rule 5; docs/guides/secrets-at-rest.md."""
import base64
import hashlib
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from daemon import BONDYD, Daemon
from identities import CHEAP, PASSWORD, SEED, attempt, is_welcome, shop
from wamp_login import Cra, Cryptosign, Password
from wamp_peer import wait_until

SHOP = "com.example.shop"
SALT = base64.b64encode(bytes(range(16))).decode()
VERIFIER = base64.b64encode(hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT.encode(), 4096)).decode()
SECRETS = (VERIFIER, "PRIVATE KEY", "salted_password")
KNOWN = {"type": "password", "version": "1.2", "protocol": "cra",
         "params": {"kdf": "pbkdf2", "iterations": 4096, "hash_function": "sha256", "hash_length": 32, "salt_length": 16},
         "data": {"salt": SALT, "salted_password": VERIFIER}}
REFUSED = 3


def make_key(path):
    done = subprocess.run([BONDYD, "--make-master-key", str(path)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and str(path) in done.stdout, done
    return done.stdout.split()[-1]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    keys = {name: str(folder / name) for name in ("one", "two", "three")}
    return keys, {name: make_key(path) for name, path in keys.items()}


def admin(node):
    with open(os.path.join(node.data, "admin.password")) as file:
        return "admin:" + file.read().strip()


def call(node, procedure, *args, **kwargs):
    answer = node.admin("/services/call", "POST", {"procedure": procedure, "args": args, "kwargs": kwargs},
                        user=admin(node))
    assert answer.status == 200, (procedure, answer)
    return answer.json()["args"]


def daemon(data=None, current=None, previous=None, environment=None, wait=True):
    """A daemon on a copy of `data`, or on nothing."""
    settings = dict(CHEAP)
    if current:
        settings["security.master_key_file"] = current
    if previous:
        settings["security.master_key_file.previous"] = previous
    node = Daemon(dev=False, settings=settings, environment=environment, wait=wait)
    if data:
        shutil.copytree(data, node.data, ignore=shutil.ignore_patterns("*.sock"))  # of one that was killed
    return node


def fill(node):
    realm = shop()
    realm["users"].append({"username": "known", "password": KNOWN})
    call(node, "bondy.realm.create", realm)


def holds(node, *words):
    found = []
    for folder, _, files in os.walk(node.data):
        for name in files:
            path = os.path.join(folder, name)
            if name == "admin.password" or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            found += [(name, word) for word in words if word.encode() in content]
    return found


def assert_all_there(node):
    for method in (Cra("mona", PASSWORD), Password("known", PASSWORD), Cra("known", PASSWORD), Cryptosign("mona", SEED)):
        assert is_welcome(attempt(node, method, SHOP)), node.log()
    assert node.admin("/realms", user=admin(node)).status == 200


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The data of a node without a master key."""
    folder = str(tmp_path_factory.mktemp("plain") / "data")
    with daemon() as node:
        assert node.log().count("event=secrets_not_sealed") == 1
        fill(node)
        assert_all_there(node)
        node.stop()
        assert {word for _, word in holds(node, *SECRETS)} == set(SECRETS)
        shutil.copytree(node.data, folder)
    return folder


@pytest.fixture(scope="module")
def sealed(plain, keys, tmp_path_factory):
    """The same, sealed with key one."""
    folder = str(tmp_path_factory.mktemp("sealed") / "data")
    with daemon(plain, keys[0]["one"]) as node:
        assert_all_there(node)
        node.stop()
        assert "secrets_not_sealed" not in node.log() and keys[1]["one"] in node.log()
        shutil.copytree(node.data, folder)
    return folder


def test_nothing_secret_is_left_on_the_disk(sealed, keys):
    with daemon(sealed, keys[0]["one"]) as node:
        assert holds(node, *SECRETS) == []
        assert [word for _, word in holds(node, SHOP)]
        call(node, "bondy.user.change_password", SHOP, "mona", "another-46-rope")
        assert is_welcome(attempt(node, Cra("mona", "another-46-rope"), SHOP))
        call(node, "bondy.realm.create", shop(uri="com.example.second"))
        assert is_welcome(attempt(node, Cra("mona", PASSWORD), "com.example.second"))
        node.stop()
        assert holds(node, *SECRETS) == []


def test_a_fresh_node_is_sealed_from_the_first_write(keys):
    with daemon(None, keys[0]["one"]) as node:
        fill(node)
        assert_all_there(node)
        assert holds(node, *SECRETS) == []


def refused(node):
    node.start()
    assert node.process.wait(timeout=20) == REFUSED, node.log()
    node.reader.join(5)
    return node.log()


@pytest.mark.parametrize("current, previous", [(None, None), ("two", None), ("two", "three")])
def test_without_its_key_it_does_not_start_and_says_which_one_it_needs(sealed, keys, current, previous):
    node = daemon(sealed, keys[0].get(current), keys[0].get(previous), wait=False)
    log = refused(node)
    assert keys[1]["one"] in log and "security.master_key_file" in log, log
    assert holds(node, *SECRETS) == []
    with daemon(node.data, keys[0]["one"]) as again:
        assert_all_there(again)
    node.folder.cleanup()


def test_keys_can_be_changed(sealed, keys):
    with daemon(sealed, keys[0]["two"], keys[0]["one"]) as node:
        assert_all_there(node)
        node.stop()
        data = node.data
        with daemon(data, keys[0]["two"]) as after:
            assert_all_there(after)
        log = refused(daemon(data, keys[0]["one"], wait=False))
        assert keys[1]["two"] in log


def test_seals_can_be_taken_off(sealed, keys):
    with daemon(sealed, None, keys[0]["one"]) as node:
        assert_all_there(node)
        node.stop()
        with daemon(node.data) as after:
            assert_all_there(after)


def test_the_key_may_come_from_the_environment(sealed, keys):
    with open(keys[0]["one"]) as file:
        key = file.read().splitlines()[-1]
    with daemon(sealed, environment={"BONDY_MASTER_KEY": key}) as node:
        assert_all_there(node)
        assert key not in node.log()
    done = subprocess.run([BONDYD, "--check-config", "--set", "security.master_key_file=" + keys[0]["one"]],
                          env=dict(os.environ, BONDY_MASTER_KEY=key), capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "only one of them" in done.stderr and key not in done.stderr


def test_a_key_that_cannot_be_used_is_a_finding(keys, tmp_path):
    def check(path):
        return subprocess.run([BONDYD, "--check-config", "--set", f"security.master_key_file={path}"],
                              capture_output=True, text=True, timeout=20)

    assert check(keys[0]["one"]).returncode == 0
    wrong = tmp_path / "wrong"
    for text, mode, why in (("x" * 64, 0o600, "hexadecimal"), ("", 0o600, "--make-master-key"),
                            ("0" * 63 + "1", 0o644, "mode 644")):
        wrong.write_text(text)
        wrong.chmod(mode)
        done = check(wrong)
        assert done.returncode == 2 and "C005" in done.stderr and why in done.stderr, done
        assert "xxxx" not in done.stderr
    assert "C005" in check(tmp_path / "nothing").stderr
    again = subprocess.run([BONDYD, "--make-master-key", keys[0]["one"]], capture_output=True, text=True, timeout=20)
    assert again.returncode == 1 and "there already" in again.stderr


def test_killed_while_it_seals_nothing_is_lost(plain, keys):
    dice = random.Random(46)
    for turn in range(12):
        node = daemon(plain, keys[0]["one"], wait=False)
        node.start()
        end = time.monotonic() + 20
        while "event=store_sealing" not in node.log():
            assert time.monotonic() < end and node.process.poll() is None, node.log()
        pause = time.monotonic() + dice.uniform(0, 0.02)
        while time.monotonic() < pause:
            pass
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
        # Further on, with a new key; the end of one kill is the beginning of the next.
        both = (keys[0]["two"], keys[0]["one"]) if turn % 2 else (keys[0]["one"], None)
        with daemon(node.data, *both) as after:
            assert_all_there(after)
            after.stop()
            assert holds(after, *SECRETS) == []
        node.folder.cleanup()


def backup(node):
    """Makes one; its whole name."""
    name = call(node, "bondy.backup.create")[0]["filename"]
    wait_until(lambda: os.path.exists(name), what="no backup")
    return name


def restore(node, name):
    """Tries to, and waits until the log says how it went."""
    folder = os.path.join(node.data, "backup")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    call(node, "bondy.backup.restore", {"filename": shutil.copy(name, folder)})
    wait_until(lambda: "event=backup_restored" in node.log() or "event=restore_failed" in node.log(), what="no end")
    return node.log()


def test_a_backup_says_which_key_it_needs_and_goes_nowhere_else(sealed, keys):
    with daemon(sealed, keys[0]["one"]) as node:
        name = backup(node)
        header = call(node, "bondy.backup.status", {"filename": name})[0]
        assert header["sealed_key_id"] == keys[1]["one"], header
        assert holds(node, *SECRETS) == []
        for current in ("two", None):
            with daemon(None, keys[0].get(current)) as other:
                log = restore(other, name)
                assert keys[1]["one"] in log
                assert SHOP not in str(call(other, "bondy.realm.list"))
        with daemon(None, keys[0]["two"], keys[0]["one"]) as other:
            restore(other, name)
            for method in (Cra("mona", PASSWORD), Cra("known", PASSWORD), Cryptosign("mona", SEED)):
                assert is_welcome(attempt(other, method, SHOP)), other.log()
            assert holds(other, *SECRETS) == []

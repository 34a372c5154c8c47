# SPDX-License-Identifier: Apache-2.0
"""Alarms, and the event of certificates that end soon: operations.md 8 and 5.1, wamp-admin-api.md 2.13."""
import json
import os
import re
import signal
import tempfile

import pytest

from daemon import TOP, Daemon
from identities import CHEAP, enter
from test_tls import Authority, settings, write
from wamp_login import Cra
from wamp_peer import EVENT, wait_until

MASTER = "com.leapsight.bondy"
ADMIN = "correct-horse-battery"


def guarded(folder, **more):
    """Settings of a node whose administrator can log in over WAMP."""
    secret = os.path.join(folder, "admin.secret")
    write(secret, ADMIN + "\n")
    os.chmod(secret, 0o600)
    return dict(CHEAP, **{"security.admin.password_file": secret}, **more)


def admin(node):
    return enter(node, Cra("admin", ADMIN), MASTER)


class Watcher:
    """The events of some topics, in order."""

    def __init__(self, node, *topics):
        self.peer = admin(node)
        self.topics = {self.peer.subscribe(topic): topic for topic in topics}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()

    def next(self):
        message = self.peer.recv()
        assert message[0] == EVENT, message
        return self.topics[message[1]], message[4][0], message[5] if len(message) > 5 else {}


def alarms(node):
    return {(alarm["id"], *alarm["data"].values()): alarm for alarm in node.admin("/alarms").json()}


def ids(node):
    """Without those that this machine may have by itself."""
    return {alarm[0] for alarm in alarms(node)} - {"disk_low", "fds_low"}


@pytest.fixture
def node():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        keys = guarded(folder, **settings(*authority.issue("expiration_days = 200")))
        with Daemon(settings=keys) as daemon:
            daemon.authority = authority
            yield daemon


def test_a_certificate_that_ends_soon_is_an_alarm_and_events_until_another_is_served(node):
    topics = "bondy.alarm.set", "bondy.alarm.cleared", "bondy.cert_manager.expiring"
    with Watcher(node, *topics) as watcher:
        node.authority.issue("expiration_days = 25")
        assert node.admin("/listeners/wamp_tls:rotate", "POST").status == 204
        topic, listener, facts = watcher.next()  # more than 21 days: no alarm, but less than 30
        assert (topic, listener, facts["days"]) == ("bondy.cert_manager.expiring", "wamp.tls", 30)
        assert 24 * 86400 < facts["seconds_left"] <= 25 * 86400 and facts["valid_until"].endswith("Z")

        node.authority.issue("expiration_days = 5")
        assert node.admin("/listeners/wamp_tls:rotate", "POST").status == 204
        topic, alarm, _ = watcher.next()
        assert topic == "bondy.alarm.set"
        assert set(alarm) == {"id", "severity", "since", "description", "data"}
        assert (alarm["id"], alarm["severity"], alarm["data"]) == ("certificate_expiring", "warning",
                                                                   {"listener": "wamp.tls"})
        topic, listener, facts = watcher.next()
        assert (topic, listener, facts["days"]) == ("bondy.cert_manager.expiring", "wamp.tls", 7)
        assert alarms(node)["certificate_expiring", "wamp.tls"] == alarm == node.call("bondy.alarm.list")[-1]
        assert 'bondy_alarms{alarm="certificate_expiring"} 1' in node.admin("/metrics").body.decode()
        assert "degraded" in node.admin("/status").json()

        node.authority.issue("expiration_days = 1")
        assert node.admin("/listeners/wamp_tls:rotate", "POST").status == 204
        topic, listener, facts = watcher.next()  # the alarm was set already
        assert (topic, listener, facts["days"]) == ("bondy.cert_manager.expiring", "wamp.tls", 1)
        alarm = alarms(node)["certificate_expiring", "wamp.tls"]

        node.authority.issue()  # 30 days
        assert node.admin("/listeners:rotate", "POST").status == 200
        seen = [watcher.next() for _ in range(3)]
        cleared = [event for event in seen if event[0] == "bondy.alarm.cleared"]
        assert [event[1] for event in cleared] == [alarm]
        assert {event[1] for event in seen if event[0] == topics[2]} == {"wamp.tls", "api_gateway.https"}
    assert "certificate_expiring" not in ids(node)


def test_a_certificate_that_has_ended_is_a_grave_alarm_from_the_start():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        keys = settings(*authority.issue('activation_date = "2020-01-01 00:00:00 UTC"\n'
                                         'expiration_date = "2020-02-01 00:00:00 UTC"'))
        keys["health.ready_requires"] = "all"
        with Daemon(settings=keys) as daemon:
            wait_until(lambda: {"certificate_expired"} <= ids(daemon))
            alarm = alarms(daemon)["certificate_expired", "wamp.tls"]
            assert alarm["severity"] == "critical" and "2020-02-01" in alarm["description"]
            assert daemon.admin("/status").json()["degraded"] is True
            assert daemon.admin("/ready").status == 503
            assert daemon.admin("/ready?verbose").json()["degraded"] is True
            authority.issue("expiration_days = 200")
            assert daemon.admin("/listeners:rotate", "POST").status == 200
            wait_until(lambda: "certificate_expired" not in ids(daemon))


def test_a_reload_that_is_refused_is_an_alarm_until_one_is_taken():
    with tempfile.TemporaryDirectory() as folder:
        realms = os.path.join(folder, "realms.json")
        write(realms, "[]")
        with Daemon(settings={"security.config_file": realms}) as daemon:
            write(realms, '[{"uri": "com.example.x", "authmethods": ["no-such-method"]}]')
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: ids(daemon) == {"config_refused"})
            assert "/0/authmethods/0" in alarms(daemon)["config_refused",]["description"]
            write(realms, '[{"uri": "com.example.x"}]')
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: ids(daemon) == set())


def test_specifications_that_are_refused_are_an_alarm_until_all_are_good():
    good = {"id": "x", "name": "X", "host": "_", "realm_uri": "dev", "versions": {}}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.json")
        write(path, json.dumps(dict(good, no_such_key=1)))
        with Daemon(settings={"api_gateway.config_dir": folder, "api_gateway.on_error": "ignore"}) as daemon:
            assert ids(daemon) == {"api_specs_refused"}
            write(path, json.dumps(good))
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: ids(daemon) == set())


def test_a_backup_that_cannot_be_made_is_an_alarm_until_one_is():
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "backup")
        write(place, "no folder")
        with Daemon(settings={"backup.dir": place, "backup.schedule": "1s"}) as daemon:
            wait_until(lambda: ids(daemon) == {"backup_failed"})
            assert place in alarms(daemon)["backup_failed",]["description"]
            os.unlink(place)
            os.mkdir(place, 0o700)
            assert daemon.admin("/services/create_backup", "POST", {}).status == 200
            wait_until(lambda: ids(daemon) == set())


def test_a_store_that_is_nearly_full_is_an_alarm_until_it_is_not():
    settings_ = {"store.map_size": "2MB", "store.map_size_max": "4MB", "health.check_interval": "1s"}
    with tempfile.TemporaryDirectory() as folder, Daemon(settings=guarded(folder, **settings_)) as daemon:
        daemon.call("bondy.realm.create", {"uri": "com.example.big"})
        answer, names = None, []
        while answer is None or answer.status == 200:
            name = "user%d" % len(names)
            answer = daemon.try_call("bondy.user.add", "com.example.big",
                                     {"username": name, "meta": {"x": "y" * 60000}})
            names.append(name)
            assert len(names) < 200
        wait_until(lambda: {"store_full", "store_map_80"} <= ids(daemon))
        assert daemon.admin("/status").json()["degraded"] is True
        for name in names[:-1]:
            daemon.call("bondy.user.update", "com.example.big", name, {"meta": {}})
        wait_until(lambda: not {"store_full", "store_map_80"} & ids(daemon))


def test_the_page_of_alarms_names_all_of_them():
    with open(os.path.join(TOP, "docs", "reference", "alarms.md")) as file:
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w*) ?\|", file.read(), re.M)
    with Daemon() as daemon:
        shown = re.findall(r'bondy_alarms\{alarm="(\w+)"\}', daemon.admin("/metrics").body.decode())
    assert [row[0] for row in rows] == sorted(shown)
    with open(os.path.join(TOP, "src", "base", "alarm.c")) as file:
        table = re.findall(r'\{"(\w+)",\s+BONDY_ALARM_(\w+),\s+(?:"(\w+)"|NULL)', file.read())
    assert [(name, severity.lower(), subject) for name, severity, subject in table] == rows

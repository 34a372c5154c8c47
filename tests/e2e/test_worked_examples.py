# SPDX-License-Identifier: Apache-2.0
"""The worked examples of admin-http-api.md 6, curl line by curl line; realms-and-security.md 7, row 2."""
import json
import subprocess

import pytest

from daemon import Daemon


@pytest.fixture(scope="module")
def node():
    with Daemon() as daemon:
        yield daemon


# The line after `curl`, the status, and what the answer has in it; a value of ... is there, whatever it is.
LINES = [
    ("""-i -X POST http://localhost:18081/realms -H 'content-type: application/json'
        -d '{"uri":"org.acme.shop","description":"Shop","authmethods":["wampcra","cryptosign"],
             "groups":[{"name":"staff"}],
             "sources":[{"usernames":"all","authmethod":"wampcra","cidr":"10.0.0.0/8"}],
             "grants":[{"roles":["staff"],"permissions":["wamp.call","wamp.cancel"],"uri":"org.acme.","match":"prefix"}]}'""",
     201, {"uri": "org.acme.shop", "description": "Shop", "is_prototype": False, "is_sso_realm": False,
           "authmethods": ["wampcra", "cryptosign"], "password_opts": ..., "security_status": "enabled",
           "public_keys": ...}),
    ("""-i -X POST http://localhost:18081/realms/org.acme.shop/users -H 'content-type: application/json'
        -d '{"username":"Mona","password":"kettle-46-rope","groups":["staff"],"meta":{"till":4}}'""",
     201, {"type": "user", "version": "1.1", "username": "mona", "enabled": True, "groups": ["staff"],
           "meta": {"till": 4}, "sso_realm_uri": None, "authorized_keys": [], "has_authorized_keys": False,
           "has_password": True}),
    ("""-i -X POST http://localhost:18081/realms/org.acme.shop/users -H 'content-type: application/json'
        -d '{"username":"zed","groups":["ghosts"]}'""",
     400, {"code": "bondy.error.no_such_groups", "message": ..., "description": ...}),
    ("""-i http://localhost:18081/realms/org.acme.shop/users/mona/grants""",
     200, [{"permissions": ["wamp.call", "wamp.cancel"], "resource": {"uri": "org.acme.", "match": "prefix"}}]),
    ("""-i -X PUT http://localhost:18081/realms/org.acme.shop/grants -H 'content-type: application/json'
        -d '{"roles":["staff"],"permissions":["wamp.cancel"],"resources":[{"uri":"org.acme.","match":"prefix"}]}'""",
     204, None),
    ("""-i http://localhost:18081/realms/org.acme.shop/users/mona/grants""",
     200, [{"permissions": ["wamp.call"], "resource": {"uri": "org.acme.", "match": "prefix"}}]),
    ("""-i http://localhost:18081/realms/no.such""",
     404, {"code": "bondy.error.not_found", "message": "no.such", "description": ...}),
    ("""-i -X POST http://localhost:18081/services/call -H 'content-type: application/json'
        -d '{"procedure":"bondy.user.is_enabled","args":["org.acme.shop","mona"],"kwargs":{},"options":{}}'""",
     200, {"args": [True], "kwargs": {}, "details": {}}),
    ("""-i -X POST http://localhost:18081/realms -H 'content-type: application/json' -d '{"uri":'""",
     400, {"code": ..., "message": ..., "description": ...}),
]


def has(answer, expected):
    if expected is ...:
        return True
    if isinstance(expected, dict):
        return all(key in answer and has(answer[key], value) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        return all(map(has, answer, expected))
    return answer == expected


def test_every_line_answers_as_it_should(node):
    port = ":%d/" % node.ports["admin_api.http"]
    for line, status, expected in LINES:
        command = "curl -sS " + line.replace(":18081/", port).replace("\n        -d", " -d")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
        head, _, body = done.stdout.partition("\n\n")
        assert head.split()[1] == str(status), f"{command}\n{done.stdout}{done.stderr}"
        assert expected is None and body == "" or has(json.loads(body), expected), f"{command}\n{body}"
        if status == 201 and "/users" not in line:
            assert "location: /realms/org.acme.shop" in head.lower()


@pytest.mark.parametrize("data, error", [
    ({"uri": "com.leapsight.bondy.x"}, "wamp.error.invalid_argument"),
    ({"uri": "org.row.two"}, "bondy.error.already_exists"),
    ({"uri": "org.row.three", "description": "x" * 513}, "bondy.error.invalid_value"),
])
def test_realms_that_cannot_be(node, data, error):
    """Row 2."""
    if node.try_call("bondy.realm.get", "org.row.two").status != 200:
        node.call("bondy.realm.create", {"uri": "org.row.two"})
    answer = node.try_call("bondy.realm.create", data)
    assert answer.json()["error_uri"] == error and 400 <= answer.status < 500, answer

# SPDX-License-Identifier: Apache-2.0
"""OAuth2 clients that others wrote get tokens from us, and a JWT library that we did not write believes them."""
import json
import os
import subprocess

import pytest

from daemon import Daemon
from identities import CHEAP
from oauth2 import CLIENT, REALM, USER, rivermap, specification
from wamp_peer import wait_until

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oauth2_python.py")
OWNER = {"typ": "at+jwt", "sub": USER, "client_id": CLIENT}
ITSELF = {"typ": "at+jwt", "sub": CLIENT, "client_id": CLIENT}
PUBLIC = {"typ": "at+jwt", "sub": USER, "client_id": "spa"}


@pytest.fixture(scope="module")
def issuer():
    with Daemon(settings=dict(CHEAP, **{"security.password.min_length": "6"})) as daemon:
        daemon.call("bondy.realm.create", rivermap())
        assert daemon.admin("/api_specs", "POST", specification()).status == 201
        wait_until(lambda: daemon.admin(f"/realms/{REALM}/jwks").json()["keys"])
        yield daemon.url(path="/v1")


def drive(library, issuer, folder):
    ran = subprocess.run(["/usr/bin/python3", SCRIPT, library, issuer], capture_output=True, text=True, timeout=120,
                         env=dict(os.environ, PYTHONPATH=folder))
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout)


def test_authlib_does_every_grant(issuer, python_packages):
    found = drive("authlib", issuer, python_packages)
    for method in ("client_secret_basic", "client_secret_post"):
        assert found.pop(f"password {method}") == OWNER
        assert found.pop(f"introspect {method}") == [True, USER]
        assert found.pop(f"revoked {method}") == "invalid_grant"
        assert found.pop(f"client {method}") == ITSELF
    assert found == {"code": OWNER, "me": [USER, REALM], "public": PUBLIC, "public refresh": PUBLIC}


def test_requests_oauthlib_does_every_grant(issuer, python_packages):
    assert drive("requests-oauthlib", issuer, python_packages) == {
        "password": OWNER, "refresh": OWNER, "me": [USER, REALM], "client": ITSELF, "code": OWNER}

# SPDX-License-Identifier: Apache-2.0
"""Access tokens without the endpoints of a gateway: bondy.oauth2.token.*, logins with what they give, the keys oauth2.*.

wamp-admin-api.md 2.8; oauth2-oidc.md 3.4 and 3.7.
"""
import base64
import json
import os
import signal
import tempfile
import time

import pytest

from daemon import Daemon
from identities import CHEAP, PASSWORD, attempt, enter, grant, is_welcome, shop
from wamp_login import Cra, Token
from wamp_peer import ERROR, wait_until

SHOP = "com.example.shop"
DENIED = "wamp.error.authentication_denied"
BASE = dict(CHEAP, **{"admin_api.allow_anonymous": "on"})
ISSUE = grant("staff", "bondy.issue", "bondy.oauth2.token")


def with_issue(uri=SHOP, **changes):
    realm = shop(uri, **changes)
    realm["grants"] = realm["grants"] + [ISSUE]
    return realm


@pytest.fixture(scope="module")
def node():
    with Daemon(settings=CHEAP) as daemon:
        daemon.call("bondy.realm.create", with_issue())
        yield daemon


def claims_of(token):
    header, payload, _ = token.split(".")
    decode = lambda text: json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decode(header), decode(payload)


def get(node, realm=SHOP, method=None):
    with enter(node, method or Cra("mona", PASSWORD), realm) as peer:
        result = peer.call("bondy.oauth2.token.get")
        assert result[0] != ERROR, result
        return result[0]


def test_a_token_opens_its_realm_to_its_user(node):
    answer = get(node)
    assert set(answer) == {"token_type", "access_token", "expires_in", "scope"}
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("bearer", 900, "staff")
    header, claims = claims_of(answer["access_token"])
    keys = {key["kid"] for key in node.admin(f"/realms/{SHOP}/jwks").json()["keys"]}
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256") and header["kid"] in keys
    assert claims["exp"] == claims["iat"] + 900 and abs(claims["iat"] - time.time()) < 60
    assert claims["jti"] == claims["id"] and (claims["iss"], claims["aud"]) == (SHOP, SHOP)
    with enter(node, Token("mona", answer["access_token"]), SHOP) as peer:
        assert peer.welcome["authmethod"] == "oauth2" and peer.welcome["x_authroles"] == ["staff"]
    for wrong in (Token("zoe", answer["access_token"]), Token("mona", answer["access_token"][:-4] + "AAAA")):
        assert attempt(node, wrong, SHOP)[2] == DENIED


def test_who_may_have_a_token(node):
    """Not without permission, and not a new one for an old one."""
    with enter(node, Cra("zoe", PASSWORD), SHOP) as peer:
        assert peer.call("bondy.oauth2.token.get")[4] == "wamp.error.not_authorized"
    with enter(node, Token("mona", get(node)["access_token"]), SHOP) as peer:
        assert peer.call("bondy.oauth2.token.get")[4] == "wamp.error.not_authorized"


def test_a_change_of_the_password_ends_tokens(node):
    token = Token("mona", get(node)["access_token"])
    assert is_welcome(attempt(node, token, SHOP))
    node.call("bondy.user.change_password", SHOP, "mona", "another-47-rope")
    assert attempt(node, token, SHOP)[2] == DENIED
    entry = node.call("bondy.audit.query", action="auth.fail", realm=SHOP, limit=1)[0]
    assert (entry["actor"], entry["reason"]) == ("mona", "revoked")
    node.call("bondy.user.change_password", SHOP, "mona", PASSWORD)


def test_what_rest_says_of_tokens(node):
    assert node.admin(f"/realms/{SHOP}/users/mona/tokens").json() == []
    assert node.admin(f"/realms/{SHOP}/users/mona/tokens", "DELETE").status == 204
    assert node.admin(f"/realms/{SHOP}/users/mona/tokens/00ff", "DELETE").status == 404
    answer = node.try_call("bondy.oauth2.token.lookup", "x")
    assert (answer.status, answer.json()["error_uri"]) == (410, "bondy.error.deprecated_procedure")
    answer = node.try_call("bondy.oauth2.token.refresh", SHOP, "till", "bondy:rtoken:1:x.y")
    assert (answer.status, answer.json()["error_uri"]) == (403, "wamp.error.not_authorized")


def test_a_reload_changes_form_and_life_of_tokens():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bondy.conf")

        def write(**keys):
            with open(path, "w") as f:
                f.write("".join(f"{key} = {value}\n" for key, value in dict(BASE, **keys).items()))

        write(**{"oauth2.password_grant.duration": "1m"})
        with Daemon("-c", path, dev=False) as node:
            node.call("bondy.realm.create", with_issue())
            wait_until(lambda: node.admin(f"/realms/{SHOP}/jwks").json()["keys"])
            before = get(node)
            assert before["expires_in"] == 60
            write(**{"oauth2.password_grant.duration": "2m", "oauth2.token_format": "bondy"})
            node.signal(signal.SIGHUP)
            wait_until(lambda: "event=reloaded" in node.log())
            after = get(node)
            header, claims = claims_of(after["access_token"])
            assert (header["typ"], claims["exp"], after["expires_in"]) == ("JWT", 120, 120)
            assert "jti" not in claims and claims["auth"]["grants"] == []
            for answer in (before, after):
                assert is_welcome(attempt(node, Token("mona", answer["access_token"]), SHOP))

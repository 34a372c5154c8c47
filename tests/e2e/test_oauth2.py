# SPDX-License-Identifier: Apache-2.0
"""The OAuth2 server as a client sees it: oauth2-oidc.md 3, its worked example, threat-model J6 to J8."""
import socket
import ssl
import subprocess
import threading

import pytest

from daemon import Daemon
from identities import CHEAP
from oauth2 import (CALLBACK, CLIENT, GRANTS, PASSWORD, REALM, SECRET, USER, Form, OAuth2, claims, landed, pkce,
                    rivermap, specification)
from wamp_peer import wait_until

BASIC = f"{CLIENT}:{SECRET}"
# The example's own password is a short one.
SETTINGS = dict(CHEAP, **{"security.password.min_length": "6", "log.level": "debug"})


def started(daemon, document=None, realm=None):
    daemon.call("bondy.realm.create", realm or rivermap())
    answer = daemon.admin("/api_specs", "POST", document or specification())
    assert answer.status == 201, answer
    wait_until(lambda: daemon.admin(f"/realms/{REALM}/jwks").json()["keys"])
    return OAuth2(daemon)


@pytest.fixture(scope="module")
def server():
    """One node for the tests of this file; at the end nothing secret is in its log, audit or metrics (J8)."""
    with Daemon(settings=SETTINGS) as daemon:
        oauth2 = started(daemon)
        yield oauth2
        written = daemon.log() + "".join(daemon.admin(path).body.decode() for path in ("/metrics", "/audit?limit=1000"))
        assert "auth.login" in written and "token.issue" in written
        secrets = oauth2.secrets | {SECRET, PASSWORD, "water%3A1", "other-secret", "wrong-one"}
        assert len(secrets) > 6  # tokens are among them
        assert [secret for secret in secrets if secret in written] == []


def error_of(answer, status, code):
    """A refusal in both forms: Bondy's members and those of RFC 6749."""
    body = answer.json()
    assert (answer.status, body["code"]) == (status, code), answer
    assert body["error"] == code and body["error_description"] == body["message"] != ""
    assert "description" in body
    assert answer.headers["cache-control"] == "no-store"
    return body


def dies(server, refresh=None, access=None):
    if refresh:
        error_of(server.refresh(refresh), 400, "invalid_grant")
    if access:
        assert server.bearer(access).status == 401


# ---- the worked example (3.8) -----------------------------------------------------------------------


def test_the_worked_example_line_by_line(server):
    answer = server.form("/oauth/token", "grant_type=password&username=ines&password=water%3A1"
                         "&client_device_id=tablet-4")
    body = answer.json()
    server.secrets |= {body["access_token"], body["refresh_token"]}
    assert answer.status == 200 and set(body) == {"token_type", "expires_in", "scope", "access_token",
                                                  "refresh_token"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("bearer", 900, "hydrologists,resource_owners")
    assert body["refresh_token"].startswith("bondy:rtoken:1:")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    said = claims(body["access_token"])
    assert (said["vsn"], said["aud"], said["sub"], said["client_id"]) == ("1.1", REALM, USER, CLIENT)
    assert said["groups"] == ["hydrologists", "resource_owners"] == said["auth"]["roles"]
    assert said["meta"] == {"client_device_id": "tablet-4"}
    assert said["auth"]["scope"] == {"realm": REALM, "client_id": CLIENT, "device_id": "tablet-4"}
    assert server.bearer(body["access_token"]).json() == "ines"
    # A refresh gives a new pair; the old one is used up.
    second = server.refresh(body["refresh_token"]).json()
    assert second["refresh_token"] != body["refresh_token"] and second["access_token"] != body["access_token"]
    assert server.bearer(second["access_token"]).json() == "ines"
    error_of(server.refresh(body["refresh_token"]), 400, "invalid_grant")
    # The same device again ends the login before; another device does not.
    first = server.password(client_device_id="tablet-4").json()
    again = server.password(client_device_id="tablet-4").json()
    phone = server.password(client_device_id="phone").json()
    error_of(server.refresh(first["refresh_token"]), 400, "invalid_grant")
    assert server.refresh(again["refresh_token"]).status == 200
    phone = server.refresh(phone["refresh_token"]).json()
    # Revoking, twice.
    for _ in range(2):
        gone = server.form("/oauth/revoke", {"token": phone["refresh_token"], "token_type_hint": "refresh_token"})
        assert (gone.status, gone.json()) == (200, True)
    dies(server, phone["refresh_token"], phone["access_token"])
    # A wrong secret.
    wrong = server.password(user=f"{CLIENT}:wrong-one")
    error_of(wrong, 401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith(f'Basic realm="{REALM}"')
    # The keys.
    keys = server.send("GET", "/v1/oauth/jwks")
    assert (keys.status, keys.headers["content-type"]) == (200, "application/jwk-set+json")
    assert keys.headers["cache-control"] == "public, max-age=300"
    assert [(key["kty"], key["crv"]) for key in keys.json()["keys"]] == [("EC", "P-256")] * 3
    assert all({"x", "y", "kid"} <= set(key) and "d" not in key for key in keys.json()["keys"])


def test_the_twenty_sixth_device_ends_the_one_that_expires_first(server):
    server.daemon.call("bondy.oauth2.resource_owner.add", REALM, {"username": "rosa", "password": "rosa-pass"})
    tokens = [server.password(username="rosa", password="rosa-pass", client_device_id=f"d{i}").json()
              for i in range(26)]
    dies(server, tokens[0]["refresh_token"])
    assert server.refresh(tokens[1]["refresh_token"]).status == 200
    assert server.refresh(tokens[25]["refresh_token"]).status == 200


def test_a_bearer_ends_with_its_time_and_with_its_user():
    settings = dict(SETTINGS, **{"oauth2.password_grant.duration": "1s", "security.max_clock_skew": "0s"})
    with Daemon(settings=settings) as daemon:
        server = started(daemon)
        token = server.password().json()
        assert token["expires_in"] == 1
        wait_until(lambda: server.bearer(token["access_token"]).status == 401)
        late = server.bearer(token["access_token"])
        assert 'error="invalid_token"' in late.headers["www-authenticate"]
        fresh = server.token(grant_type="client_credentials").json()
        assert fresh["expires_in"] == 900 and server.bearer(fresh["access_token"]).json() == CLIENT
        daemon.call("bondy.user.delete", REALM, CLIENT)
        assert server.bearer(fresh["access_token"]).status == 401


# ---- grants and failures (3.3) ----------------------------------------------------------------------


def test_client_credentials_give_an_access_token_alone(server):
    answer = server.token(grant_type="client_credentials", scope="all")
    body = answer.json()
    assert set(body) == {"token_type", "expires_in", "scope", "access_token"}
    assert claims(body["access_token"])["sub"] == CLIENT and body["scope"] == "api_clients"
    assert server.bearer(body["access_token"]).json() == CLIENT


@pytest.mark.parametrize("fields, status, code, key", [
    ({"password": "wrong-one"}, 400, "invalid_grant", None),
    ({"username": "nobody"}, 400, "invalid_grant", None),
    ({"username": "guest", "password": "guest-pass"}, 400, "invalid_resource_owner", None),
    ({"username": ""}, 400, "invalid_request", "username"),
    ({"password": ""}, 400, "invalid_request", "password"),
    ({"grant_type": ""}, 400, "invalid_request", "grant_type"),
    ({"grant_type": "urn:x"}, 400, "unsupported_grant_type", "grant_type"),
    ({"grant_type": "Password"}, 400, "unsupported_grant_type", "grant_type"),
    ({"client_device_id": "all"}, 400, "invalid_request", "client_device_id"),
    ({"client_device_id": "a\nb"}, 400, "invalid_request", "client_device_id"),
    ({"username": "u" * 256}, 400, "invalid_request", "username"),
    ({"password": "p" * 1025}, 400, "invalid_request", "password"),
    ({"grant_type": "refresh_token"}, 400, "invalid_request", "refresh_token"),
    ({"grant_type": "refresh_token", "refresh_token": "garbage"}, 400, "invalid_grant", None),
    ({"grant_type": "refresh_token", "refresh_token": "bondy:rtoken:1:AAAA.AAAA"}, 400, "invalid_grant", None),
    ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_request", "redirect_uri"),
    ({"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK}, 400, "invalid_request",
     "code_verifier"),
    ({"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": "v" * 43}, 400,
     "invalid_grant", None),
])
def test_each_failure_has_its_status_and_code(server, fields, status, code, key):
    assert error_of(server.password(**fields), status, code).get("key") == key


@pytest.mark.parametrize("body, key", [
    ("grant_type=password&grant_type=password&username=ines&password=water%3A1", "grant_type"),
    ("grant_type=password&username=ines&username=zoe&password=water%3A1", "username"),
    ("grant_type=password&username=%ff&password=water%3A1", None),
    ("grant_type=password&username=%zz&password=water%3A1", None),
    ("", "grant_type"),
])
def test_a_malformed_or_doubled_parameter_is_refused(server, body, key):
    assert error_of(server.form("/oauth/token", body), 400, "invalid_request").get("key") == key


def test_only_forms_of_a_sane_size_are_read(server):
    json_body = server.form("/oauth/token", "{}", headers={"content-type": "application/json"})
    assert (json_body.status, json_body.json()["code"]) == (415, "unsupported_media_type")
    assert server.form("/oauth/token", "grant_type=password&x=" + "y" * 20000).status == 413
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect"):
        assert server.send("GET", "/v1" + path).status == 405
        assert server.send("OPTIONS", "/v1" + path).status == 204
    for path in ("/oauth/jwks", "/oauth/me", "/.well-known/oauth-authorization-server", "/oauth/authorize"):
        assert server.send("OPTIONS", "/v1" + path).status == 204


@pytest.mark.parametrize("user, fields, status, code", [
    (None, {}, 401, "invalid_client"),
    ("webapp:wrong-one", {}, 401, "invalid_client"),
    ("nobody:wrong-one", {}, 401, "invalid_client"),
    ("ines:water:1", {}, 401, "invalid_client"),  # split at the last colon: nobody is called "ines:water"
    ("guest:guest-pass", {}, 401, "invalid_client"),  # no client
    (None, {"client_id": CLIENT, "client_secret": "wrong-one"}, 401, "invalid_client"),
    (None, {"client_id": "guest", "client_secret": "guest-pass"}, 401, "invalid_client"),
    (None, {"client_secret": SECRET}, 401, "invalid_client"),
    (None, {"client_id": CLIENT}, 401, "invalid_client"),  # not a public one
    (None, {"client_id": "nobody"}, 401, "invalid_client"),
    (None, {"client_id": "spa"}, 400, "unauthorized_client"),
    (BASIC, {"client_id": CLIENT, "client_secret": SECRET}, 400, "invalid_request"),  # two ways at once
    (BASIC, {"client_id": "other"}, 400, "invalid_request"),
    ("other:other-secret", {"client_id": "other"}, 200, None),
    (None, {"client_id": CLIENT, "client_secret": SECRET}, 200, None),
])
def test_clients_authenticate_or_are_refused(server, user, fields, status, code):
    answer = server.token(user=user, grant_type="client_credentials", **fields)
    if status == 200:
        assert answer.status == 200, answer
    else:
        error_of(answer, status, code)
        assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_malformed_authorization_header_is_an_invalid_client(server):
    for header in ("Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Digest x", "Basic " + "QUFB" * 1000):
        answer = server.form("/oauth/token", {"grant_type": "client_credentials"}, None, {"authorization": header})
        error_of(answer, 401, "invalid_client")


def test_a_client_uses_only_the_grants_that_its_meta_lists(server):
    reader = "reader:reader-secret"
    assert server.token(user=reader, grant_type="client_credentials").status == 200
    error_of(server.password(user=reader), 400, "unauthorized_client")
    assert landed(server.ask(client_id="reader"))["error"] == "unauthorized_client"


def test_the_password_grant_is_served_only_when_asked_for():
    with Daemon(settings=SETTINGS) as daemon:
        server = started(daemon, specification(grants=None))
        error_of(server.password(), 400, "unsupported_grant_type")
        assert server.token(grant_type="client_credentials").status == 200
        assert daemon.admin("/api_specs", "POST", specification(grants=["password"])).status in (200, 201)
        body = server.password().json()
        assert "refresh_token" not in body  # as that grant is not served
        error_of(server.token(grant_type="client_credentials"), 400, "unsupported_grant_type")
        metadata = server.send("GET", "/v1/.well-known/oauth-authorization-server").json()
        assert metadata["grant_types_supported"] == ["password"] and "authorization_endpoint" not in metadata
        assert server.ask().status == 404


def test_a_realm_that_takes_no_tokens_says_so():
    with Daemon(settings=SETTINGS) as daemon:
        server = started(daemon, realm=rivermap(authmethods=["password"]))
        body = error_of(server.password(), 400, "unauthorized_client")
        assert "authmethods" in body["description"]


def test_too_many_wrong_passwords_are_put_off():
    with Daemon(settings=dict(SETTINGS, **{"security.auth_rate": "3"})) as daemon:
        server = started(daemon)
        page = server.ask()
        wait_until(lambda: server.password(user=f"{CLIENT}:wrong-one").status == 429)
        late = server.password()
        error_of(late, 429, "temporarily_unavailable")
        assert int(late.headers["retry-after"]) >= 1
        form = server.submit(page, username=USER, password=PASSWORD)
        assert form.status == 429 and int(form.headers["retry-after"]) >= 1


def test_two_options_bring_the_answers_of_the_rfcs():
    settings = dict(SETTINGS, **{"oauth2.scope_separator": "space", "oauth2.revocation_answer": "empty"})
    with Daemon(settings=settings) as daemon:
        server = started(daemon)
        token = server.password().json()
        assert token["scope"] == "hydrologists resource_owners"
        gone = server.form("/oauth/revoke", {"token": token["access_token"]})
        assert (gone.status, gone.body) == (200, b"")


# ---- refresh tokens (J6) ----------------------------------------------------------------------------


def test_a_used_refresh_token_ends_the_whole_family(server):
    first = server.password(client_device_id="j6").json()
    second = server.refresh(first["refresh_token"]).json()
    third = server.refresh(second["refresh_token"]).json()
    assert server.bearer(third["access_token"]).status == 200
    error_of(server.refresh(first["refresh_token"]), 400, "invalid_grant")
    dies(server, third["refresh_token"], third["access_token"])
    dies(server, second["refresh_token"], second["access_token"])
    dies(server, access=first["access_token"])
    entries = server.daemon.admin("/audit?action=token.reuse&limit=10").json()
    assert entries[0]["target"] == f"users/{USER}" and entries[0]["outcome"] == "denied"
    assert server.password(client_device_id="j6").status == 200


def test_of_two_refreshes_at_once_exactly_one_wins_and_the_family_is_dead(server):
    for turn in range(5):
        token = server.password(client_device_id="race").json()["refresh_token"]
        gate, answers = threading.Barrier(2), []

        def use():
            gate.wait(10)
            answers.append(server.refresh(token))
        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(answer.status for answer in answers) == [200, 400], turn
        won = next(answer.json() for answer in answers if answer.status == 200)
        dies(server, won["refresh_token"], won["access_token"])


def test_a_refresh_token_is_its_clients_alone(server):
    token = server.password(client_device_id="own").json()
    error_of(server.refresh(token["refresh_token"], user="other:other-secret"), 400, "invalid_grant")
    error_of(server.refresh(token["refresh_token"], user=None, client_id="spa"), 400, "invalid_grant")
    assert server.refresh(token["refresh_token"]).status == 200  # it was not used up


def test_a_refresh_sees_the_groups_of_now_and_ends_with_the_user(server):
    server.daemon.call("bondy.oauth2.resource_owner.add", REALM, {"username": "tom", "password": "tom-pass"})
    token = server.password(username="tom", password="tom-pass").json()
    server.daemon.call("bondy.user.add_group", REALM, "tom", "hydrologists")
    token = server.refresh(token["refresh_token"]).json()
    assert token["scope"] == "hydrologists,resource_owners"
    server.daemon.call("bondy.user.disable", REALM, "tom")
    dies(server, token["refresh_token"], token["access_token"])
    error_of(server.password(username="tom", password="tom-pass"), 400, "invalid_grant")


# ---- the authorization endpoint and codes (J7) ------------------------------------------------------


def test_the_form_says_who_asks_and_leads_back_with_a_code(server):
    page = server.ask()
    form = Form(page.body)
    assert page.status == 200 and CLIENT in form.text and REALM in form.text and CALLBACK in form.text
    assert page.headers["cache-control"] == "no-store" and page.headers["x-frame-options"] == "DENY"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://app.example" in policy and "script" not in policy
    assert not [tag for tag, _ in form.tags if tag in ("script", "iframe", "object", "img", "link")]
    labels = {attrs["for"] for tag, attrs in form.tags if tag == "label"}
    assert labels == {"username", "password"} <= {attrs.get("id") for _, attrs in form.tags}
    assert "HttpOnly" in page.headers["set-cookie"] and "SameSite=Lax" in page.headers["set-cookie"]
    back = landed(server.submit(page, username=USER, password=PASSWORD))
    server.secrets.add(back["code"])
    assert set(back) == {"code", "state", "iss"} and back["state"] == "s-1"
    metadata = server.send("GET", "/v1/.well-known/oauth-authorization-server").json()
    assert back["iss"] == metadata["issuer"]


def test_a_code_gives_tokens_once_and_its_reuse_takes_them_back(server):
    code, verifier = server.code(client_device_id="laptop")
    tokens = server.redeem(code, verifier).json()
    assert tokens["expires_in"] == 600 and claims(tokens["access_token"])["sub"] == USER
    assert claims(tokens["access_token"])["auth"]["scope"]["device_id"] == "laptop"
    tokens = server.refresh(tokens["refresh_token"]).json()
    assert server.bearer(tokens["access_token"]).status == 200
    error_of(server.redeem(code, verifier), 400, "invalid_grant")
    dies(server, tokens["refresh_token"], tokens["access_token"])


@pytest.mark.parametrize("change", [
    {"code_verifier": "v" * 43},
    {"redirect_uri": CALLBACK + "?tenant=1"},  # registered too, but not the one
    {"user": "other:other-secret"},
    {"user": None, "client_id": "spa"},
])
def test_a_code_is_for_its_client_redirect_and_verifier(server, change):
    code, verifier = server.code()
    error_of(server.redeem(code, verifier, **change), 400, "invalid_grant")


def test_a_stolen_code_is_used_up_by_a_wrong_verifier(server):
    code, verifier = server.code()
    error_of(server.redeem(code, "v" * 43), 400, "invalid_grant")
    error_of(server.redeem(code, verifier), 400, "invalid_grant")


def test_a_public_client_gets_and_refreshes_tokens_without_secret(server):
    code, verifier = server.code(client_id="spa")
    tokens = server.redeem(code, verifier, user=None, client_id="spa").json()
    assert claims(tokens["access_token"])["client_id"] == "spa"
    tokens = server.refresh(tokens["refresh_token"], user=None, client_id="spa").json()
    gone = server.form("/oauth/revoke", {"token": tokens["refresh_token"], "client_id": "spa"}, None)
    assert gone.status == 200
    dies(server, access=tokens["access_token"])
    error_of(server.form("/oauth/introspect", {"token": "x", "client_id": "spa"}, None), 401, "invalid_client")


@pytest.mark.parametrize("change", [
    {"redirect_uri": CALLBACK + "/"}, {"redirect_uri": CALLBACK[:-1]}, {"redirect_uri": CALLBACK + "x"},
    {"redirect_uri": CALLBACK.replace("cb", "CB")}, {"redirect_uri": CALLBACK.replace("app.", "APP.")},
    {"redirect_uri": CALLBACK + "?tenant=2"}, {"redirect_uri": CALLBACK + "?tenant=1&x=2"},
    {"redirect_uri": CALLBACK + "#"}, {"redirect_uri": "https://evil.example/cb"}, {"redirect_uri": None},
    {"redirect_uri": ""}, {"client_id": "nobody"}, {"client_id": "guest"}, {"client_id": USER}, {"client_id": None},
    {"client_id": "<script>alert(1)</script>"}, {"redirect_uri": "javascript:alert(1)"},
])
def test_nobody_is_redirected_while_client_or_redirect_are_in_doubt(server, change):
    for answer in (server.ask(**change), server.form("/oauth/authorize", server.query(**change), None)):
        assert answer.status == 400 and "location" not in answer.headers
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert b"<script" not in answer.body and b"<form" not in answer.body
        assert "form-action 'none'" in answer.headers["content-security-policy"]


def test_a_doubled_client_or_redirect_is_no_redirect_either(server):
    for twice in ("client_id=webapp&client_id=webapp", "redirect_uri=x&redirect_uri=y", "state=%ff"):
        answer = server.send("GET", "/v1/oauth/authorize?client_id=webapp&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&"
                             + twice)
        assert answer.status == 400, twice


@pytest.mark.parametrize("change, error", [
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),  # means plain
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "=" * 43}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"client_device_id": "all"}, "invalid_request"),
    ({"scope": "x" * 3000}, "invalid_request"),
])
def test_other_faults_are_told_to_the_client(server, change, error):
    back = landed(server.ask(**change))
    assert back["error"] == error and back["state"] == "s-1" and "iss" in back and "code" not in back


def test_a_wrong_password_shows_the_form_again(server):
    page = server.ask(state='"><script>alert(1)</script>')
    again = server.submit(page, username='<b a="', password="wrong-one")
    form = Form(again.body)
    assert again.status == 401 and "wrong" in form.text and b"<script" not in again.body
    assert form.fields["username"] == '<b a="' and form.fields["password"] == ""
    assert form.fields["state"] == '"><script>alert(1)</script>' and "set-cookie" not in again.headers
    back = landed(server.form("/oauth/authorize", dict(form.fields, username=USER, password=PASSWORD), None,
                              {"cookie": page.headers["set-cookie"].split(";")[0]}))
    assert back["state"] == '"><script>alert(1)</script>'
    server.secrets.add(back["code"])
    assert server.submit(server.ask(), username=USER, password="").status == 400
    back = landed(server.sign_in("guest", "guest-pass"))
    assert back["error"] == "access_denied"


def test_a_form_counts_only_in_the_browser_and_for_the_request_it_was_made_for(server):
    page, other = server.ask(), server.ask()
    filled = {"username": USER, "password": PASSWORD}
    refused = [
        server.submit(page, cookie=False, **filled),
        server.submit(page, headers={"cookie": other.headers["set-cookie"].split(";")[0]}, cookie=False, **filled),
        server.submit(page, csrf=None, **filled),
        server.submit(page, csrf=Form(other.body).fields["csrf"], **filled),
        server.submit(page, csrf="A" * 54, **filled),
        server.submit(page, state="s-2", **filled),
        server.submit(page, code_challenge=pkce()[1], **filled),
        server.submit(page, redirect_uri=CALLBACK + "?tenant=1", **filled),
        server.submit(page, client_id="other", **filled),
        server.submit(page, headers={"sec-fetch-site": "cross-site"}, **filled),
        server.submit(page, headers={"sec-fetch-site": "same-site"}, **filled),
    ]
    assert [answer.status for answer in refused] == [403] * len(refused)
    assert all(b"<form" in answer.body for answer in refused)
    landed(server.submit(page, headers={"sec-fetch-site": "same-origin"}, **filled))


def test_a_query_of_a_redirect_stays(server):
    back = landed(server.sign_in(redirect_uri=CALLBACK + "?tenant=1"), CALLBACK + "?tenant=1&code=")
    server.secrets.add(back["code"])


# ---- revocation and introspection -------------------------------------------------------------------


def test_a_revoked_access_token_is_refused_and_its_client_alone_revokes_it(server):
    token = server.password(client_device_id="revoke").json()
    for user in ("other:other-secret", "reader:reader-secret"):
        for text in (token["access_token"], token["refresh_token"]):
            assert server.form("/oauth/revoke", {"token": text}, user).status == 200
    assert server.bearer(token["access_token"]).status == 200
    assert server.form("/oauth/revoke", {"token": token["access_token"], "token_type_hint": "nonsense"}).status == 200
    assert server.bearer(token["access_token"]).status == 401
    assert server.refresh(token["refresh_token"]).status == 200
    for text in ("garbage", "a.b.c", "bondy:rtoken:1:x.y", token["access_token"][:-4] + "AAAA"):
        assert server.form("/oauth/revoke", {"token": text}).status == 200
    error_of(server.form("/oauth/revoke", {}), 400, "invalid_request")
    error_of(server.form("/oauth/revoke", {"token": "x"}, f"{CLIENT}:wrong-one"), 401, "invalid_client")
    assert server.daemon.admin("/audit?action=token.revoke&limit=10").json()[0]["actor"] == CLIENT


def test_introspection_tells_what_is_active(server):
    token = server.password(client_device_id="look").json()

    def look(text, user=BASIC):
        return server.form("/oauth/introspect", {"token": text}, user).json()
    said, own = look(token["access_token"], "other:other-secret"), claims(token["access_token"])
    assert said == {"active": True, "token_type": "Bearer", "realm": REALM, "scope": "hydrologists resource_owners",
                    "client_id": CLIENT, "username": USER, "sub": USER, "aud": REALM, "iss": own["iss"],
                    "iat": own["iat"], "exp": own["exp"], "jti": own["jti"], "groups": own["groups"]}
    assert look(token["refresh_token"]) == {
        "active": True, "token_type": "refresh_token", "realm": REALM, "client_id": CLIENT, "username": USER, "sub": USER}
    for text, user in (("garbage", BASIC), (token["refresh_token"], "other:other-secret"),
                       (token["access_token"][:-4] + "AAAA", BASIC)):
        assert look(text, user) == {"active": False}
    server.form("/oauth/revoke", {"token": token["refresh_token"]})
    assert look(token["access_token"]) == look(token["refresh_token"]) == {"active": False}
    error_of(server.form("/oauth/introspect", {"token": "x"}, None), 401, "invalid_client")


def test_me_says_who_the_bearer_is(server):
    token = server.password(client_device_id="me").json()["access_token"]
    me = server.bearer(token, "/oauth/me")
    assert me.headers["cache-control"] == "no-store"
    assert me.json()["authid"] == USER and me.json()["realm"] == REALM
    assert me.json()["groups"] == ["hydrologists", "resource_owners"] and isinstance(me.json()["meta"], dict)
    assert server.send("GET", "/v1/oauth/me").status == 401
    assert server.send("GET", "/v1/oauth/me?access_token=" + token).status == 401  # never in a URL


# ---- metadata and routes ----------------------------------------------------------------------------


def test_metadata_is_the_same_in_both_places_and_its_addresses_work(server):
    port = server.daemon.ports["api_gateway.http"]
    below = server.send("GET", "/v1/.well-known/oauth-authorization-server")
    assert below.json() == server.send("GET", "/.well-known/oauth-authorization-server/v1").json()
    said = below.json()
    assert said["issuer"] == f"http://127.0.0.1:{port}/v1" and said["code_challenge_methods_supported"] == ["S256"]
    assert sorted(said["grant_types_supported"]) == sorted(GRANTS)
    assert said["authorization_response_iss_parameter_supported"] is True
    for key in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        path = said[key].removeprefix(f"http://127.0.0.1:{port}")
        assert server.send("POST", path, "", {"content-type": "application/x-www-form-urlencoded"}).status == 401
    assert server.send("GET", said["jwks_uri"].removeprefix(f"http://127.0.0.1:{port}")).status == 200


def test_what_only_clients_have_is_checked_and_changed_alone(server):
    clients = f"/realms/{REALM}/clients"
    admin = server.daemon.admin
    made = {"client_id": "changing", "client_secret": "s3cr3t-app-1", "redirect_uris": ["https://app.example/cb"],
            "meta": {"team": "river"}}
    assert admin(clients, "POST", made).json()["meta"] == {"team": "river", "redirect_uris": ["https://app.example/cb"]}
    for change, meta in (({"public": True}, {"team": "river", "redirect_uris": ["https://app.example/cb"], "public": True}),
                         ({"public": None, "grants": ["refresh_token"]},
                          {"team": "river", "redirect_uris": ["https://app.example/cb"], "grants": ["refresh_token"]}),
                         ({"meta": {"team": "lake"}}, {"team": "lake"}),
                         ({"meta": {"team": "sea"}, "client_name": "Map"}, {"team": "sea", "client_name": "Map"})):
        assert admin(f"{clients}/changing", "PUT", change).json()["meta"] == meta
    for key, wrong in (("redirect_uris", "https://a/"), ("redirect_uris", ["/cb"]), ("redirect_uris", ["https://a/#b"]),
                       ("redirect_uris", ["javascript:alert(1)"]), ("redirect_uris", ["https://a/"] * 51),
                       ("public", "yes"), ("grants", ["implicit"]), ("client_name", "")):
        for document in ({key: wrong}, {"meta": {key: wrong}}):
            refused = admin(f"{clients}/changing", "PUT", document)
            assert refused.status == 400 and refused.json()["key"] == key, (document, refused)
    assert admin(f"{clients}/changing").json()["meta"] == {"team": "sea", "client_name": "Map"}
    for document, keys in (({"client_id": "short", "client_secret": "x"}, ["client_secret"]),
                           ({"client_id": "a b", "client_secret": "x"}, ["client_id", "client_secret"]),
                           ({"username": "short", "password": "x"}, ["password"])):
        refused = admin(clients, "POST", document).json()
        for error in refused.get("errors", [refused]):
            assert error["key"] in keys and error["pointer"] == "/" + error["key"] and error["key"] in error["message"], refused
        assert len(refused.get("errors", [refused])) == len(keys), refused


def test_scripts_of_other_sites_may_use_the_endpoints_but_not_the_page(server):
    """RFC 9700, 2.6"""
    origin = {"origin": "https://spa.example"}
    preflight = {**origin, "access-control-request-method": "POST"}
    for path, method, is_open in (("/oauth/token", "POST", True), ("/oauth/jwks", "GET", True), ("/oauth/authorize", "GET", False),
                                  ("/oauth/authorize", "POST", False)):
        answers = [server.send("OPTIONS", "/v1" + path, None, preflight),
                   server.send(method, "/v1" + path, "" if method == "POST" else None,
                               {**origin, **({"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {})})]
        for answer in answers:
            assert ("access-control-allow-origin" in answer.headers) is is_open, (path, answer, answer.headers)


def test_the_issuer_can_be_said():
    with Daemon(settings=SETTINGS) as daemon:
        started(daemon, specification(issuer="https://api.rivermap.example/v1"))
        said = OAuth2(daemon, "/v1").send("GET", "/v1/.well-known/oauth-authorization-server").json()
        assert said["issuer"] == "https://api.rivermap.example/v1"
        assert said["token_endpoint"] == "https://api.rivermap.example/v1/oauth/token"
        for wrong in ("api.example", "ftp://a", "https://a/", "https://a?b", "https://a#b", "https://u@a", "https://", 7):
            refused = daemon.admin("/api_specs", "POST", specification(issuer=wrong))
            assert refused.status == 422 and refused.json()["errors"][0]["pointer"].endswith("/issuer"), wrong


def test_endpoints_work_with_and_without_an_optional_base_path_and_at_other_paths():
    with Daemon(settings=SETTINGS) as daemon:
        started(daemon, specification(base="/[v1.0]", token_path="/login/", revoke_token_path="/logout"))
        for base in ("", "/v1.0"):
            server = OAuth2(daemon, base)
            token = server.form("/login", {"grant_type": "client_credentials"}).json()["access_token"]
            assert server.form("/logout", {"token": token}).status == 200
            assert server.bearer(token).status == 401
            said = server.send("GET", "/.well-known/oauth-authorization-server" + base).json()
            assert said["issuer"].endswith(str(daemon.ports["api_gateway.http"]) + base)
            assert said["token_endpoint"] == said["issuer"] + "/login"
            assert server.form("/oauth/token", {}).status == server.form("/oauth/revoke", {}).status == 404


def test_a_specification_lists_its_oauth2_routes_and_makes_the_groups():
    with Daemon(settings=SETTINGS) as daemon:
        daemon.call("bondy.realm.create", {"uri": REALM, "authmethods": ["oauth2", "password"],
                                           "groups": [{"name": "api_clients", "meta": {"mine": 1}}]})
        routes = daemon.admin("/api_specs", "POST", specification()).json()["routes"]
        assert {"method": "POST", "path": "/v1/oauth/token", "endpoint": "oauth2_token"}.items() <= routes[1].items()
        groups = {group["name"]: group["meta"] for group in daemon.admin(f"/realms/{REALM}/groups").json()}
        assert groups["api_clients"] == {"mine": 1} and "description" in groups["resource_owners"]


def test_clients_registered_over_the_admin_api_do_all_of_it():
    with Daemon(settings=SETTINGS) as daemon:
        server = started(daemon)
        made = daemon.admin(f"/realms/{REALM}/clients", "POST", {
            "client_id": "mobile", "public": True, "redirect_uris": ["com.example.app:/cb"]})
        assert made.status == 201, made
        made = daemon.admin(f"/realms/{REALM}/resource_owners", "POST", {"username": "eva", "password": "eva-pass"})
        assert made.status == 201, made
        verifier, challenge = pkce()
        page = server.ask(client_id="mobile", redirect_uri="com.example.app:/cb", code_challenge=challenge)
        assert "form-action 'self' com.example.app:" in page.headers["content-security-policy"]
        back = landed(server.submit(page, username="eva", password="eva-pass"), "com.example.app:/cb?code=")
        tokens = server.redeem(back["code"], verifier, user=None, client_id="mobile",
                               redirect_uri="com.example.app:/cb").json()
        assert server.bearer(tokens["access_token"]).json() == "eva"


def test_over_tls_the_cookie_is_the_hosts_alone_and_the_issuer_is_https(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    key.chmod(0o600)
    settings = dict(SETTINGS, **{"api_gateway.https.enabled": "on", "api_gateway.https.port": "0",
                                 "api_gateway.https.certfile": str(cert), "api_gateway.https.keyfile": str(key)})
    with Daemon(settings=settings) as daemon:
        plain = started(daemon, specification(schemes=["https"]))
        assert plain.password().status == 404
        server = OAuth2(daemon, context=ssl.create_default_context(cafile=cert))
        page = server.ask()
        name, *attributes = page.headers["set-cookie"].replace("=", "; ", 1).split("; ")
        assert name == "__Host-bondy_oauth2" and {"Secure", "HttpOnly", "Path=/"} <= set(attributes)
        assert not [a for a in attributes if a.startswith("Domain")]
        back = landed(server.submit(page, username=USER, password=PASSWORD))
        assert back["iss"] == f"https://127.0.0.1:{daemon.ports['api_gateway.https']}/v1"


def test_clients_that_leave_at_once_do_no_harm_and_the_node_stops_cleanly():
    body = f"grant_type=password&username={USER}&password=water%3A1&client_device_id=gone".encode()
    head = (b"POST /v1/oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"
            b"authorization: Basic d2ViYXBwOnMzY3IzdC1hcHA=\r\ncontent-length: %d\r\n\r\n" % len(body))
    page = b"GET /v1/oauth/authorize?client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb HTTP/1.1\r\nhost: x\r\n\r\n"
    with Daemon(settings=SETTINGS) as daemon:
        server = started(daemon)
        for turn in range(2):
            for request in [head + body, page] * 50:
                with socket.create_connection(("127.0.0.1", daemon.ports["api_gateway.http"]), 10) as link:
                    link.sendall(request)
            if turn == 0:
                assert server.password(client_device_id="gone").status == 200
        assert daemon.stop() == 0, daemon.log()  # while passwords are still being checked

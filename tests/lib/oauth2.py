# SPDX-License-Identifier: Apache-2.0
"""A client of the OAuth2 endpoints that tests drive step by step; redirects are never followed."""
import base64
import hashlib
import html.parser
import http.client
import json
import os
import urllib.parse

from daemon import Answer
from identities import source

REALM, BASE = "org.rivermap", "/v1"
CLIENT, SECRET = "webapp", "s3cr3t-app"
USER, PASSWORD = "ines", "water:1"
CALLBACK = "https://app.example/cb"
GRANTS = ["password", "client_credentials", "refresh_token", "authorization_code"]


def rivermap(**changes):
    """The realm of oauth2-oidc.md 3.8, with a few more clients."""
    return dict({
        "uri": REALM, "authmethods": ["oauth2", "password"],
        "groups": [{"name": name} for name in ("api_clients", "resource_owners", "hydrologists")],
        "sources": [source("oauth2"), source("password")],
        "users": [
            {"username": CLIENT, "password": SECRET, "groups": ["api_clients"],
             "meta": {"redirect_uris": [CALLBACK, CALLBACK + "?tenant=1"]}},
            {"username": "other", "password": "other-secret", "groups": ["api_clients"],
             "meta": {"redirect_uris": [CALLBACK]}},
            {"username": "spa", "groups": ["api_clients"], "meta": {"public": True, "redirect_uris": [CALLBACK]}},
            {"username": "reader", "password": "reader-secret", "groups": ["api_clients"],
             "meta": {"grants": ["client_credentials"], "redirect_uris": [CALLBACK]}},
            {"username": USER, "password": PASSWORD, "groups": ["resource_owners", "hydrologists"]},
            {"username": "guest", "password": "guest-pass"}]}, **changes)


def specification(grants=GRANTS, base=BASE, schemes=("http",), **security):
    security = dict({"type": "oauth2", "flow": "authorization_code"}, **security)
    if grants is not None:
        security["grants"] = grants
    return {"id": "rivers", "host": "_", "realm_uri": REALM, "versions": {"1.0": {
        "base_path": base, "defaults": {"security": security, "schemes": list(schemes)},
        "paths": {"/gauges": {"get": {"action": {"type": "static", "body": "{{security.authid}}"}}}}}}}


class Form(html.parser.HTMLParser):
    """The fields of a page's form, and its text."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.text, self.tags = {}, "", []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "input":
            self.fields[attrs["name"]] = attrs.get("value", "")

    def handle_data(self, data):
        self.text += data


def pkce():
    verifier = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class OAuth2:
    def __init__(self, daemon, base=BASE, context=None):
        """`context`: of TLS, for the https listener."""
        self.daemon, self.base, self.context, self.secrets = daemon, base, context, set()

    def link(self):
        if self.context is None:
            return http.client.HTTPConnection("127.0.0.1", self.daemon.ports["api_gateway.http"], timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self.daemon.ports["api_gateway.https"], timeout=30,
                                           context=self.context)

    def send(self, method, path, body=None, headers=None, user=None):
        headers = dict(headers or {})
        if user:
            headers["authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        link = self.link()
        try:
            link.request(method, path, body, headers)
            reply = link.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            link.close()

    def form(self, path, fields, user=f"{CLIENT}:{SECRET}", headers=None):
        body = fields if isinstance(fields, str) else urllib.parse.urlencode(fields)
        headers = dict({"content-type": "application/x-www-form-urlencoded"}, **(headers or {}))
        return self.send("POST", self.base + path, body, headers, user)

    def token(self, user=f"{CLIENT}:{SECRET}", **fields):
        answer = self.form("/oauth/token", fields, user)
        if answer.status == 200:
            self.secrets |= {answer.json()[key] for key in ("access_token", "refresh_token") if key in answer.json()}
        return answer

    def password(self, **more):
        return self.token(**dict({"grant_type": "password", "username": USER, "password": PASSWORD}, **more))

    def refresh(self, token, **more):
        return self.token(grant_type="refresh_token", refresh_token=token, **more)

    def bearer(self, token, path="/gauges"):
        return self.send("GET", self.base + path, headers={"authorization": "Bearer " + token})

    # ---- the authorization endpoint

    def query(self, **changes):
        fields = dict({"response_type": "code", "client_id": CLIENT, "redirect_uri": CALLBACK, "state": "s-1",
                       "code_challenge": pkce()[1], "code_challenge_method": "S256"}, **changes)
        return {key: value for key, value in fields.items() if value is not None}

    def ask(self, headers=None, **changes):
        return self.send("GET", f"{self.base}/oauth/authorize?" + urllib.parse.urlencode(self.query(**changes)),
                         headers=headers)

    def submit(self, page, headers=None, cookie=True, **fields):
        """Fills in the form of a page and sends it as a browser would."""
        headers = dict(headers or {})
        if cookie:
            headers["cookie"] = page.headers["set-cookie"].split(";")[0]
        filled = dict(Form(page.body).fields, **fields)
        self.secrets.add(filled.get("csrf") or SECRET)
        return self.form("/oauth/authorize", {k: v for k, v in filled.items() if v is not None}, None, headers)

    def sign_in(self, username=USER, password=PASSWORD, **changes):
        return self.submit(self.ask(**changes), username=username, password=password)

    def code(self, **changes):
        """A code and the verifier that it wants."""
        verifier, challenge = pkce()
        answer = self.sign_in(code_challenge=challenge, **changes)
        assert answer.status == 302, answer
        code = landed(answer)["code"]
        self.secrets |= {code, verifier}
        return code, verifier

    def redeem(self, code, verifier, **more):
        return self.token(**dict({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
                                  "code_verifier": verifier}, **more))


def landed(answer, callback=CALLBACK):
    """The parameters that a browser is sent back with."""
    assert answer.status == 302, answer
    address = answer.headers["location"]
    assert address.startswith(callback), address
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query, strict_parsing=True))

# SPDX-License-Identifier: Apache-2.0
"""Drives an OAuth2 server with libraries that others wrote: authlib, requests-oauthlib, and PyJWT for the tokens.

usage: oauth2_python.py LIBRARY ISSUER, with the metadata at ISSUER/.well-known/oauth-authorization-server;
prints one JSON object of what was found. The realm is the one of tests/lib/oauth2.py.
"""
import html.parser
import json
import os
import sys
import warnings

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # this is 127.0.0.1
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
warnings.simplefilter("ignore")

import jwt  # noqa: E402
import requests  # noqa: E402

CLIENT, SECRET, USER, PASSWORD, CALLBACK = "webapp", "s3cr3t-app", "ines", "water:1", "https://app.example/cb"


class Fields(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "input":
            self.found[attrs["name"]] = attrs.get("value", "")


def browse(address):
    """A person with a browser: fills in the form; where it leads back to."""
    browser = requests.Session()
    page = browser.get(address)
    page.raise_for_status()
    filled = dict(Fields(page.text).found, username=USER, password=PASSWORD)
    answer = browser.post(page.url.split("?")[0], data=filled, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def verified(token, metadata):
    """The claims, as a resource server gets them: key by kid from the key set, ES256 alone."""
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    header = jwt.get_unverified_header(token)
    said = jwt.decode(token, key, algorithms=["ES256"], audience="org.rivermap",
                      options={"require": ["exp", "iat", "iss", "sub", "jti", "client_id"]})
    return {"typ": header["typ"], "sub": said["sub"], "client_id": said["client_id"]}


def with_authlib(metadata):
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

    found = {}
    AuthorizationServerMetadata(dict(metadata, issuer="https://x")).validate_introspection_endpoint()
    for method in ("client_secret_basic", "client_secret_post"):
        session = OAuth2Session(CLIENT, SECRET, token_endpoint_auth_method=method,
                                revocation_endpoint_auth_method=method)
        token = session.fetch_token(metadata["token_endpoint"], username=USER, password=PASSWORD)
        found["password", method] = verified(token["access_token"], metadata)
        fresh = session.refresh_token(metadata["token_endpoint"], token["refresh_token"])
        assert fresh["refresh_token"] != token["refresh_token"]
        said = session.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()
        found["introspect", method] = [said["active"], said["username"]]
        session.revoke_token(metadata["revocation_endpoint"], token=fresh["refresh_token"],
                             token_type_hint="refresh_token").raise_for_status()
        try:
            session.refresh_token(metadata["token_endpoint"], fresh["refresh_token"])
        except Exception as error:
            found["revoked", method] = error.error
        session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        found["client", method] = verified(session.token["access_token"], metadata)
    session = OAuth2Session(CLIENT, SECRET, redirect_uri=CALLBACK, code_challenge_method="S256")
    verifier = "v" * 64
    address, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=browse(address), state=state,
                                code_verifier=verifier)
    found["code"] = verified(token["access_token"], metadata)
    me = session.get(metadata["issuer"] + "/oauth/me").json()
    found["me"] = [me["authid"], me["realm"]]
    public = OAuth2Session("spa", token_endpoint_auth_method="none", redirect_uri=CALLBACK,
                           code_challenge_method="S256")
    address, state = public.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    token = public.fetch_token(metadata["token_endpoint"], authorization_response=browse(address), state=state,
                               code_verifier=verifier)
    found["public"] = verified(token["access_token"], metadata)
    found["public refresh"] = verified(
        public.refresh_token(metadata["token_endpoint"], token["refresh_token"])["access_token"], metadata)
    return found


def with_requests_oauthlib(metadata):
    from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
    from requests_oauthlib import OAuth2Session

    found = {}
    session = OAuth2Session(client=LegacyApplicationClient(CLIENT))
    token = session.fetch_token(metadata["token_endpoint"], username=USER, password=PASSWORD, client_secret=SECRET)
    found["password"] = verified(token["access_token"], metadata)
    token = session.refresh_token(metadata["token_endpoint"], auth=(CLIENT, SECRET))
    found["refresh"] = verified(token["access_token"], metadata)
    me = session.get(metadata["issuer"] + "/oauth/me").json()
    found["me"] = [me["authid"], me["realm"]]
    session = OAuth2Session(client=BackendApplicationClient(CLIENT))
    token = session.fetch_token(metadata["token_endpoint"], client_secret=SECRET)
    found["client"] = verified(token["access_token"], metadata)
    session = OAuth2Session(CLIENT, redirect_uri=CALLBACK, pkce="S256")
    address, _ = session.authorization_url(metadata["authorization_endpoint"])
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=browse(address),
                                client_secret=SECRET)
    found["code"] = verified(token["access_token"], metadata)
    return found


def main(library, issuer):
    metadata = requests.get(issuer + "/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == issuer
    found = {"authlib": with_authlib, "requests-oauthlib": with_requests_oauthlib}[library](metadata)
    print(json.dumps({" ".join(k) if isinstance(k, tuple) else k: v for k, v in found.items()}))


main(*sys.argv[1:])

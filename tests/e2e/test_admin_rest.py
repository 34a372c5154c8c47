# SPDX-License-Identifier: Apache-2.0
"""The admin REST API on the real daemon: admin-http-api.md 5, 8 and 10; threat-model H9, H10."""
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon import BONDY, Daemon

R = "/realms/org.acme"
KEY = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
PASSWORD = "kettle-46-rope"

# In order: what one row makes the next ones use. method, path, body, status, part of the answer.
ROWS = [
    ("POST", "/realms", {"uri": "org.acme", "description": "Shop",
                         "authmethods": ["wampcra", "cryptosign", "password"],
                         "groups": [{"name": "api_clients"}, {"name": "resource_owners"}, {"name": "staff"}],
                         "sources": [{"usernames": "all", "authmethod": "wampcra", "cidr": "10.0.0.0/8"}],
                         "grants": [{"roles": ["staff"], "permissions": ["wamp.call", "wamp.cancel"],
                                     "uri": "org.acme.", "match": "prefix"}]}, 201, '"uri":"org.acme"'),
    ("GET", "/realms", None, 200, '"org.acme"'),
    ("GET", R, None, 200, '"security_status":"enabled"'),
    ("PUT", R, {"description": "Shop floor"}, 200, '"description":"Shop floor"'),
    ("GET", R + "/security_enabled", None, 200, "true"),
    ("DELETE", R + "/security_enabled", None, 204, ""),
    ("PUT", R + "/security_enabled", None, 204, ""),
    ("POST", R + "/users", {"username": "Mona", "password": PASSWORD, "groups": ["staff"],
                            "meta": {"till": 4}}, 201, '"username":"mona"'),
    ("GET", R + "/users", None, 200, '"has_password":true'),
    ("GET", R + "/users/mona", None, 200, '"till":4'),
    ("PUT", R + "/users/mona", {"meta": {"till": 5}}, 200, '"till":5'),
    ("POST", R + "/users/mona/change_password", {"new_password": PASSWORD + "1"}, 204, ""),
    ("POST", R + "/services/change_password",
     {"username": "mona", "new_password": PASSWORD, "old_password": PASSWORD + "1"}, 204, ""),
    ("POST", R + "/services/change_password",
     {"username": "mona", "new_password": PASSWORD + "2", "old_password": "wrong-46-rope"}, 403,
     "bondy.error.bad_signature"),
    ("GET", R + "/users/mona/enabled", None, 200, "true"),
    ("DELETE", R + "/users/mona/enabled", None, 204, ""),
    ("PUT", R + "/users/mona/enabled", None, 204, ""),
    ("POST", R + "/users/mona/aliases", "mona@acme.example", 201, ""),
    ("GET", R + "/users/mona%40acme.example", None, 200, '"username":"mona"'),
    ("PUT", R + "/users/mona/aliases/second", None, 204, ""),
    ("DELETE", R + "/users/mona/aliases/second", None, 204, ""),
    ("DELETE", R + "/users/mona/groups/staff", None, 204, ""),
    ("PUT", R + "/users/mona/groups/staff", None, 204, ""),
    ("GET", R + "/users/mona/grants", None, 200, '"wamp.cancel"'),
    ("GET", R + "/users/mona/sources", None, 200, '"cidr":"10.0.0.0/8"'),
    ("POST", R + "/groups", {"name": "cashiers", "groups": ["staff"]}, 201, '"name":"cashiers"'),
    ("GET", R + "/groups", None, 200, '"name":"anonymous"'),
    ("GET", R + "/groups/cashiers", None, 200, '"groups":["staff"]'),
    ("PUT", R + "/groups/cashiers", {"meta": {"a": 1}}, 200, '"a":1'),
    ("GET", R + "/groups/cashiers/grants", None, 200, '"wamp.cancel"'),
    ("DELETE", R + "/groups/cashiers", None, 204, ""),
    ("GET", R + "/grants", None, 200, '"roles":["group/staff"]'),
    ("POST", R + "/grants", {"roles": ["mona"], "permissions": ["wamp.publish"],
                             "resources": [{"uri": "org.acme.t", "match": "exact"}]}, 201, ""),
    ("PUT", R + "/grants", {"roles": ["staff"], "permissions": ["wamp.cancel"],
                            "uri": "org.acme.", "match": "prefix"}, 204, ""),
    ("GET", R + "/users/mona/grants", None, 200, '"wamp.publish"'),
    ("GET", R + "/sources", None, 200, '"authmethod":"wampcra"'),
    ("POST", R + "/sources", {"usernames": ["mona"], "authmethod": "cryptosign", "cidr": "10.2.0.0/16"},
     201, '"cidr":"10.2.0.0/16"'),
    ("DELETE", R + "/users/mona/sources?cidr=10.2.0.0/16", None, 204, ""),
    ("POST", R + "/clients", {"client_id": "till4", "client_secret": "till4-secret"}, 201, '"api_clients"'),
    ("PUT", R + "/clients/till4", {"client_secret": "till4-secret-2"}, 200, '"username":"till4"'),
    ("DELETE", R + "/clients/till4", None, 204, ""),
    ("POST", R + "/resource_owners", {"username": "owner"}, 201, '"resource_owners"'),
    ("PUT", R + "/resource_owners/owner", {"meta": {"a": 1}}, 200, '"a":1'),
    ("DELETE", R + "/resource_owners/owner", None, 204, ""),
    ("POST", "/services/call", {"procedure": "bondy.user.is_enabled", "args": ["org.acme", "mona"],
                                "kwargs": {}, "options": {}}, 200, '"args":[true]'),
    ("POST", "/services/create_backup", {}, 200, '"filename"'),
    ("GET", "/services/backup_status", None, 200, ""),
    ("GET", "/backups", None, 200, ""),
    ("GET", "/listeners/wamp_tls/certificate", None, 404, "bondy.error.not_found"),
    ("GET", "/listeners/wamp_tcp/client_auth", None, 404, "bondy.error.not_found"),
    ("POST", "/listeners/wamp_tls:rotate", None, 400, "wamp.error.invalid_argument"),
    ("POST", "/listeners:rotate", None, 200, '"wamp_tcp":"skipped"'),
    ("POST", "/cacerts:reload", None, 204, ""),
    ("POST", R + "/keys:rotate", None, 204, ""),
    ("GET", R + "/jwks", None, 200, '"kty":"EC"'),
    ("GET", R + "/stats", None, 200, '"users":1'),
    ("GET", R + "/export", None, 200, '"username":"mona"'),
    ("POST", R + "/authz/explain", {"authid": "mona", "permission": "wamp.call", "resource": "org.acme.x"},
     200, '"allowed":true'),
    ("GET", R + "/users/mona/authmethods?ip=10.1.2.3", None, 200, '"available":true'),
    ("GET", R + "/sessions", None, 200, "["),
    ("GET", R + "/registrations", None, 200, "["),
    ("GET", R + "/registrations_summary", None, 200, '{"exact":[],"prefix":[],"wildcard":[]}'),
    ("GET", R + "/registrations/1", None, 404, "wamp.error.no_such_registration"),
    ("GET", R + "/registrations/1/callees", None, 404, "wamp.error.no_such_registration"),
    ("GET", R + "/subscriptions", None, 200, "["),
    ("GET", R + "/subscriptions_summary", None, 200, '{"exact":[],"prefix":[],"wildcard":[]}'),
    ("GET", R + "/callees", None, 200, "["),
    ("GET", R + "/callees/1", None, 200, "["),
    ("GET", "/audit?limit=3", None, 200, '"action"'),
    ("GET", "/openapi.json", None, 200, '"3.1.0"'),
    ("DELETE", R + "/users/mona", None, 204, ""),
    ("DELETE", R, None, 204, ""),
]


def walk(daemon, prefix="", suffix=""):
    for method, path, body, status, part in ROWS:
        path, _, query = path.partition("?")
        url = prefix + path + suffix + ("?" + query if query else "")
        answer = daemon.admin(url, method, json.dumps(body).encode() if body is not None else None,
                              headers={"content-type": "application/json"} if body is not None else None)
        assert answer.status == status, (method, url, answer)
        assert part in answer.body.decode().replace('": ', '":'), (method, url, answer)
        if status == 204:
            assert answer.body == b""


def test_every_row_has_its_status():
    with Daemon() as daemon:
        walk(daemon)
        walk(daemon, "/v1.0")
        walk(daemon, "", "/")


def routes(daemon):
    document = daemon.admin("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "security" not in operation:
                yield method.upper(), re.sub(r"\{realm_uri\}", "org.acme", re.sub(r"\{(?!realm)\w+\}", "x", path))


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A daemon that lets nobody in without credentials, with a user of the master realm who may nothing."""
    file = tmp_path_factory.mktemp("admin") / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    with Daemon(settings={"admin_api.allow_anonymous": "off", "security.admin.password_file": str(file),
                          "security.auth_rate": "1000000"}) as daemon:
        made = daemon.admin("/realms/bondy/users", "POST", {"username": "nobody-much", "password": PASSWORD},
                            user="admin:" + PASSWORD)
        assert made.status == 201, made
        made = daemon.admin("/realms/bondy/sources", "POST",
                            {"usernames": ["nobody-much"], "authmethod": "password", "cidr": "127.0.0.0/8"},
                            user="admin:" + PASSWORD)
        assert made.status == 201, made
        yield daemon


def routes_of(daemon):
    answer = daemon.admin("/openapi.json", user="admin:" + PASSWORD)
    assert answer.status == 200, answer
    for path, item in answer.json()["paths"].items():
        for method, operation in item.items():
            if "security" not in operation:
                yield method.upper(), re.sub(r"\{\w+\}", "x", path)


def test_no_route_answers_without_credentials_or_without_permission(locked):
    """H9: all admin routes x {no credential, user credential, admin credential}."""
    def body_of(method):
        return {} if method in ("POST", "PUT", "PATCH") else None

    def with_wrong_password(route):
        return locked.admin(route[1], route[0], body_of(route[0]), user="admin:wrong-46-rope").status

    seen, found = 0, list(routes_of(locked))
    with ThreadPoolExecutor(16) as pool:  # each of them is made to wait
        assert set(pool.map(with_wrong_password, found)) == {401}
    for method, path in found:
        body = body_of(method)
        assert locked.admin(path, method, body).status == 401, (method, path)
        answer = locked.admin(path, method, body, user="nobody-much:" + PASSWORD)
        # An expression that needs the body may be refused before the call is made.
        assert answer.status == 403 or (answer.status == 400 and b"pointer" in answer.body), (method, path, answer)
        if path != "/services/create_backup":
            assert locked.admin(path, method, body, user="admin:" + PASSWORD).status not in (401, 403, 500), \
                (method, path)
        seen += 1
    assert seen > 90


def test_options_needs_no_credentials(locked):
    answer = locked.admin("/realms", "OPTIONS")
    assert answer.status == 204 and "GET" in answer.headers["allow"]


@pytest.fixture(scope="module")
def open_daemon():
    with Daemon() as daemon:
        assert daemon.admin("/realms", "POST", {"uri": "org.acme"}).status == 201
        yield daemon


@pytest.mark.parametrize("method, path, body, status, code", [
    ("GET", "/realms/no.such", None, 404, "bondy.error.not_found"),
    ("GET", "/realms/no.such/users", None, 404, "wamp.error.no_such_realm"),
    ("POST", "/realms/no.such/users", {"username": "x"}, 404, "wamp.error.no_such_realm"),
    ("GET", R + "/users/nobody", None, 404, "bondy.error.not_found"),
    ("PUT", R + "/users/nobody", {}, 404, "wamp.error.no_such_principal"),
    ("DELETE", R + "/groups/nothing", None, 404, "bondy.error.unknown_group"),
    ("POST", R + "/users", b'{"username":', 400, "invalid_data"),
    ("PATCH", R + "/users", {}, 405, "method_not_allowed"),
    ("POST", R + "/users", {"username": 7}, 400, "bondy.error.invalid_datatype"),
    ("POST", R + "/users", {"username": 7, "groups": 7, "meta": 7}, 400, "bondy.error.invalid_data"),
    ("POST", R + "/users", {"username": "zed", "groups": ["ghosts"]}, 400, "bondy.error.no_such_groups"),
    ("GET", "/nothing", None, 404, "bondy.error.not_found"),
])
def test_errors_have_one_form(open_daemon, method, path, body, status, code):
    answer = open_daemon.admin(path, method, body, headers={"content-type": "application/json"})
    assert answer.status == status, answer
    problem = answer.json()
    assert problem["code"] == code and isinstance(problem["message"], str)
    assert isinstance(problem["description"], str)


def test_other_media_types_are_refused(open_daemon):
    assert open_daemon.admin(R + "/users", "POST", b"<a/>", headers={"content-type": "text/xml"}).status == 415
    assert open_daemon.admin(R + "/users", headers={"accept": "text/html"}).status == 406


def test_msgpack_goes_in_and_out(open_daemon):
    # {"username": "ann"} and [..., "ann", ...]
    body = b"\x81\xa8username\xa3ann"
    answer = open_daemon.admin(R + "/users", "POST", body,
                               headers={"content-type": "application/msgpack", "accept": "application/msgpack"})
    assert answer.status == 201 and answer.headers["content-type"] == "application/msgpack"
    assert b"\xa8username\xa3ann" in answer.body
    answer = open_daemon.admin(R + "/users/nobody", headers={"accept": "application/msgpack"})
    assert answer.status == 404 and b"\xa4code\xb5bondy.error.not_found" in answer.body


def test_a_thousand_mistakes_are_not_a_thousand_times_told(open_daemon):
    users = [{"username": "user%d" % i, "groups": "staff"} for i in range(1000)]
    for answer in (open_daemon.admin("/import", "POST", [{"uri": "org.bulk", "users": users}]),
                   open_daemon.admin("/realms", "POST", {"uri": "org.bulk", "users": users})):
        assert answer.status == 400 and len(answer.json()["errors"]) == 100, answer
        assert "100 validation errors or more" in answer.json()["description"]
    assert open_daemon.admin("/realms/org.bulk").status == 404


def test_etags_guard_and_spare(open_daemon):
    assert open_daemon.admin(R + "/groups", "POST", {"name": "staff"}).status == 201
    tag = open_daemon.admin(R + "/groups/staff").headers["etag"]
    assert open_daemon.admin(R + "/groups/staff", headers={"if-none-match": tag}).status == 304
    assert open_daemon.admin(R + "/groups/staff", "PUT", {"meta": {"a": 1}}, headers={"if-match": tag}).status == 200
    late = open_daemon.admin(R + "/groups/staff", "PUT", {"meta": {}}, headers={"if-match": tag})
    assert late.status == 412 and late.json()["code"] == "bondy.error.precondition_failed"
    assert late.json()["details"]["etag"] not in ("", tag)


def test_a_location_leads_to_what_was_made(open_daemon):
    for path, body in ((R + "/users", {"username": "urn:user:1"}), (R + "/groups", {"name": "others"}),
                       ("/realms", {"uri": "org.more"})):
        made = open_daemon.admin(path, "POST", body)
        assert made.status == 201, made
        assert open_daemon.admin(made.headers["location"]).status == 200, made.headers


def test_pages_cover_everything(open_daemon):
    assert open_daemon.admin("/realms", "POST", {"uri": "org.pages"}).status == 201
    for i in range(23):
        assert open_daemon.admin("/realms/org.pages/users", "POST", {"username": f"user-{i:02}"}).status == 201
    for query in ("limit=5", "limit=5&sort=-username", "limit=5&fields=username"):
        path, seen = "/realms/org.pages/users?" + query, []
        while path:
            answer = open_daemon.admin(path)
            assert answer.status == 200, answer
            seen += [user["username"] for user in answer.json()]
            link = re.match(r'<(.*)>; rel="next"', answer.headers.get("link", ""))
            path = link and link[1]
        assert sorted(seen) == [f"user-{i:02}" for i in range(23)], query


def test_the_audit_log_says_who_and_from_where(open_daemon):
    open_daemon.admin(R + "/users", "POST", {"username": "audited"}, headers={"x-request-id": "q-1"})
    entry = open_daemon.admin("/audit?action=bondy.user.&realm=org.acme&limit=1").json()[0]
    assert entry["target"] == "users/audited" and entry["outcome"] == "ok"
    assert entry["request_id"] == "q-1" and entry["source_ip"] == "127.0.0.1"


def test_a_change_is_an_event(open_daemon):
    heard = subprocess.Popen([BONDY, "subscribe", "--url", open_daemon.tcp_url(), "--realm", "dev",
                              "bondy.user.added", "--count", "1", "--output", "json"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for i in range(200):
            open_daemon.admin("/realms/dev/users", "POST", {"username": f"event-{i}"})
            if heard.poll() is not None:
                break
        out, err = heard.communicate(timeout=30)
        assert "event-" in out, (out, err)
    finally:
        heard.kill()

# SPDX-License-Identifier: Apache-2.0
"""Where the admin API listens, and who comes in there: threat-model.md H9, admin-http-api.md 1 and 3."""
import http.client
import os
import ssl
import tempfile

import pytest

from daemon import FREE_PORTS, Daemon, request
from test_tls import TEMPLATE, Authority, certtool, write
from wamp_peer import WebSocketPeer, connect, websocket_head

MASTER = "com.leapsight.bondy"
LONG = "/a-folder-with-a-very-long-name" * 4


def tls_settings(authority, **more):
    cert, key = authority.issue()
    keys = {"admin_api.https.enabled": "on", "admin_api.https.port": "0", "admin_api.https.certfile": cert,
            "admin_api.https.keyfile": key}
    keys.update({name.replace("__", "."): value for name, value in more.items()})
    return keys


# ---- what is refused at start --------------------------------------------------------------------

@pytest.mark.parametrize("settings, word", [
    ({"admin_api.http.ip": "0.0.0.0"}, "admin_api.allow_cleartext"),
    ({"admin_api.http.ip": "::"}, "admin_api.allow_cleartext"),
    ({"admin_api.http.ip": "0.0.0.0", "admin_api.allow_anonymous": "on"}, "admin_api.allow_anonymous"),
    ({"admin_api.http.ip": "0.0.0.0", "admin_api.allow_anonymous": "on", "admin_api.allow_cleartext": "on"},
     "admin_api.allow_anonymous"),
    ({"admin_api.https.enabled": "on", "admin_api.https.ip": "0.0.0.0", "admin_api.allow_anonymous": "on"},
     "admin_api.allow_anonymous"),
    ({"admin_api.unix.path": f"/tmp{LONG}.sock"}, "too long"),
])
def test_a_start_that_would_expose_the_admin_api_ends_with_2(bondyd, tmp_path, settings, word):
    words = [w for key, value in dict(FREE_PORTS, **settings).items() for w in ("--set", f"{key}={value}")]
    done = bondyd("--set", f"platform_data_dir={tmp_path}/data", *words)
    assert done.returncode == 2 and word in done.stderr, done.stderr


@pytest.mark.parametrize("arguments", [["--set", "admin_api.http.ip=0.0.0.0"],
                                       ["--set", "admin_api.http.ip=0.0.0.0", "--set", "admin_api.allow_cleartext=on"]])
def test_dev_has_its_admin_api_on_this_machine(bondyd, arguments):
    done = bondyd("--dev", *arguments)
    assert done.returncode == 2 and "loopback" in done.stderr


def test_a_default_socket_path_that_is_too_long_is_left_out_with_a_warning():
    with tempfile.TemporaryDirectory() as folder:
        with Daemon(dev=False, settings={"platform_data_dir": folder + LONG}) as daemon:
            line = next(line for line in daemon.lines if "admin_socket_left_out" in line)
            assert "admin_api.unix.path" in line
            assert daemon.admin("/ping").status == 204
        assert not os.path.exists(folder + LONG + "/admin.sock")


# ---- from elsewhere ------------------------------------------------------------------------------

def password(daemon):
    with open(os.path.join(daemon.data, "admin.password")) as f:
        return "admin:" + f.read().strip()


def test_with_allow_cleartext_it_starts_and_says_so():
    settings = {"admin_api.http.ip": "0.0.0.0", "admin_api.allow_cleartext": "on"}
    with Daemon(dev=False, settings=settings) as daemon:
        assert "C104" in daemon.log() and "clear text" in daemon.log()
        assert daemon.admin("/realms").status == 401
        assert daemon.admin("/realms", user=password(daemon)).status == 200


class Client:
    """HTTPS to the admin listener, perhaps with a certificate."""

    def __init__(self, daemon, authority, certificate=None):
        context = ssl.create_default_context(cafile=authority.cert)
        if certificate:
            context.load_cert_chain(*certificate)
        self.connection = http.client.HTTPSConnection("localhost", daemon.ports["admin_api.https"], timeout=30,
                                                      context=context)

    def status(self, path="/realms", method="GET", body=None, **headers):
        try:
            self.connection.request(method, path, body=body, headers=headers)
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except (ssl.SSLError, ConnectionError) as error:
            return type(error).__name__
        finally:
            self.connection.close()


def basic(user):
    import base64
    return {"authorization": "Basic " + base64.b64encode(user.encode()).decode()}


def test_with_tls_it_listens_anywhere_and_wants_credentials():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        settings = tls_settings(authority, admin_api__https__ip="0.0.0.0")
        with Daemon(dev=False, settings=settings) as daemon:
            client = Client(daemon, authority)
            assert client.status("/ping") == 204
            assert client.status() == 401
            assert client.status(**basic("admin:wrong")) == 401
            assert client.status(**basic(password(daemon))) == 200


# ---- client certificates -------------------------------------------------------------------------

def client_certificate(authority, name):
    key, cert = (os.path.join(authority.folder, f"{name.replace('/', '_')}-{part}.pem") for part in ("key", "cert"))
    template = os.path.join(authority.folder, "client.txt")
    authority.serial += 1
    write(template, TEMPLATE.format(name=name, serial=authority.serial) + "tls_www_client\nsigning_key\n")
    certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", key)
    certtool("--generate-certificate", "--load-privkey", key, "--load-ca-certificate", authority.cert,
             "--load-ca-privkey", authority.key, "--template", template, "--outfile", cert)
    return cert, key


@pytest.fixture(scope="module")
def house():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as elsewhere:
        authority = Authority(folder)
        settings = tls_settings(authority, admin_api__https__verify="verify_peer",
                                admin_api__https__cacertfile=authority.cert)
        with Daemon(dev=False, settings=settings) as daemon:
            daemon.authority, daemon.stranger = authority, Authority(elsewhere)
            user = password(daemon)

            def call(procedure, *args):
                answer = request(daemon.url("admin_api.http", "/services/call"), "POST",
                                 {"procedure": procedure, "args": args}, user=user)
                assert answer.status == 200, answer
                return answer.json()["args"]

            daemon.root = call
            for name in ("operator", "guest", "sourceless"):
                call("bondy.user.add", MASTER, {"username": name, "groups": ["bondy.administrators"]
                                                if name != "guest" else []})
            call("bondy.user.add_alias", MASTER, "operator", "ops@example.com")
            yield daemon


def with_certificate(house, name, **headers):
    return Client(house, house.authority, client_certificate(house.authority, name)).status(**headers)


def test_a_client_certificate_is_a_user_where_the_realm_says_so(house):
    # The realm does not list the method: a certificate alone is no credential.
    assert with_certificate(house, "operator") == 401
    house.root("bondy.realm.update", MASTER, {"authmethods": ["password", "ticket", "tls"]})
    # No source lets anybody in by it.
    assert with_certificate(house, "operator") == 401
    house.root("bondy.source.add", MASTER, {"usernames": ["operator", "guest"], "authmethod": "tls",
                                            "cidr": "127.0.0.0/8"})
    assert with_certificate(house, "operator") == 200
    assert with_certificate(house, "ops@example.com") == 200
    assert with_certificate(house, "guest") == 403
    assert with_certificate(house, "sourceless") == 401
    assert with_certificate(house, "nobody") == 401
    assert Client(house, house.authority).status() == 401
    # Credentials in the request come first, right or wrong.
    assert with_certificate(house, "operator", **basic("admin:wrong")) == 401
    assert with_certificate(house, "guest", **basic(password(house))) == 200
    # A change of the user counts at once.
    house.root("bondy.user.disable", MASTER, "operator")
    assert with_certificate(house, "operator") == 401


def test_a_certificate_of_another_authority_does_not_come_in(house):
    certificate = client_certificate(house.stranger, "operator")
    assert Client(house, house.authority, certificate).status() not in range(200, 300)
    assert Client(house, house.authority).status("/ping") == 204


# ---- WebSocket -----------------------------------------------------------------------------------

def test_the_admin_listener_speaks_wamp_over_websocket(dev):
    """admin-http-api.md 1: the same as the public listener"""
    with WebSocketPeer(connect(dev.ports["admin_api.http"])) as peer:
        peer.join("dev")
        assert peer.subscribe("com.example.x") > 0


@pytest.mark.parametrize("headers, expected", [
    ({}, 101), ({"Host": "localhost"}, 101), ({"Host": "LOCALHOST:{port}"}, 101), ({"Host": "[::1]:{port}"}, 101),
    ({"Host": "evil.example"}, 403), ({"Host": "evil.example:{port}"}, 403), ({"Host": "localhost.evil.example"}, 403),
    ({"Host": "localhost:80:80"}, 403), ({"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}, 101),
    ({"Host": "127.0.0.1:{port}", "Origin": "http://127.0.0.1:{port}"}, 101),
    ({"Host": "127.0.0.1:{port}", "Origin": "http://127.0.0.1"}, 403),
    ({"Host": "127.0.0.1", "Origin": "https://127.0.0.1"}, 403),
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403)])
def test_no_page_of_another_site_opens_it(dev, headers, expected):
    port = dev.ports["admin_api.http"]
    fields = {name: value.format(port=port) for name, value in headers.items()}
    fields.setdefault("Host", f"127.0.0.1:{port}")
    host = fields.pop("Host")
    with connect(port) as sock:
        sock.sendall(websocket_head(host=host, **fields))
        assert int(sock.recv(4096).split()[1]) == expected

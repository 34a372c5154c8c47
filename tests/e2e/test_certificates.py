# SPDX-License-Identifier: Apache-2.0
"""bondy.cert_manager.*: certificates that are read again when the admin API says so."""
import hashlib
import os
import signal
import ssl
import subprocess
import tempfile
import time

import pytest

from daemon import Backend, Daemon
from test_tls import TEMPLATE, Authority, certtool, serial, settings, write
from wamp_peer import wait_until

INFO = {"subject", "issuer", "not_before", "not_after", "serial", "valid_from", "valid_until", "sans",
        "fingerprint_sha256"}
PREFIX = "bondy.cert_manager."


@pytest.fixture
def node():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        keys = settings(*authority.issue())
        keys.update({"wamp.tls.verify": "verify_peer", "wamp.tls.cacertfile": authority.cert})
        with Daemon(settings=keys) as daemon:
            daemon.authority = authority
            yield daemon


def certificate(daemon, listener="wamp.tls"):
    context = ssl.create_default_context(cafile=daemon.authority.cert)
    with context.wrap_socket(daemon.connect(listener), server_hostname="localhost") as connection:
        return connection.getpeercert(), connection.getpeercert(binary_form=True)


def issue_for_client(authority, signer):
    """A certificate that `signer` answers for, and its key."""
    folder = authority.folder
    key, cert, template = (os.path.join(folder, name) for name in ("mona-key.pem", "mona.pem", "mona.txt"))
    write(template, TEMPLATE.format(name="mona", serial=77) + "tls_www_client\nsigning_key\n")
    certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", key)
    certtool("--generate-certificate", "--load-privkey", key, "--load-ca-certificate", signer.cert,
             "--load-ca-privkey", signer.key, "--template", template, "--outfile", cert)
    return cert, key


def test_what_is_shown_is_what_is_served(node):
    answer = node.admin("/listeners/wamp_tls/certificate")
    assert answer.status == 200, answer
    shown = answer.json()
    parsed, der = certificate(node)
    assert set(shown) == INFO
    assert (shown["subject"], shown["issuer"]) == ("localhost", "Test authority")
    assert int(shown["serial"]) == int(parsed["serialNumber"], 16) == node.authority.serial
    assert shown["fingerprint_sha256"] == hashlib.sha256(der).hexdigest()
    assert shown["sans"] == ["DNS:localhost", "IP:127.0.0.1"]
    for asn1, iso, name in (("not_before", "valid_from", "notBefore"), ("not_after", "valid_until", "notAfter")):
        text = shown[iso]
        assert shown[asn1] == text[2:19].translate(str.maketrans("", "", "-:T")) + "Z"
        assert text[11:19] in parsed[name]
    assert node.call(PREFIX + "get_server_cert_info", "wamp.tls") == shown


@pytest.mark.parametrize("how", ["rest", "procedure", "all"])
def test_a_rotation_is_for_new_connections_and_old_ones_stay(node, bondy, how):
    url, ca = f"tls://localhost:{node.ports['wamp.tls']}", node.authority.cert
    with Backend(node, "com.example.stay", "echo", "still here", url=url, arguments=["--ca-file", ca]):
        before = serial(node)
        node.authority.issue()
        assert serial(node) == before
        if how == "rest":
            answer = node.admin("/listeners/wamp_tls:rotate", "POST")
            assert (answer.status, answer.body) == (204, b"")
        elif how == "procedure":
            assert node.call(PREFIX + "rotate_listener", "wamp_tls") is None
        else:
            shown = node.admin("/listeners:rotate", "POST").json()
            assert shown["wamp_tls"] == shown["api_gateway_https"] == "rotated"
            assert shown["wamp_tcp"] == shown["admin_api_http"] == "skipped"
        assert serial(node) == node.authority.serial != before
        other = int(certificate(node, "api_gateway.https")[0]["serialNumber"], 16)
        assert other == (node.authority.serial if how == "all" else before)
        assert bondy("call", "--url", url, "--ca-file", ca, "com.example.stay").stdout == "still here\n"
    entry = node.admin("/audit?action=bondy.cert_manager.&limit=1").json()[0]
    assert entry["outcome"] == "ok"
    assert entry.get("target") == (None if how == "all" else "listeners/wamp.tls")


def broken(authority, name):
    folder = authority.folder
    cert = os.path.join(folder, "cert.pem")
    if name == "no certificate":
        write(cert, "no certificate\n")
    elif name == "no file":
        os.unlink(cert)
    elif name == "another key":
        subprocess.run(["cp", authority.key, os.path.join(folder, "key.pem")], check=True)
    else:
        template = os.path.join(folder, "old.txt")
        write(template, 'cn = "localhost"\nserial = 9\nactivation_date = "2020-01-01 00:00:00 UTC"\n'
              'expiration_date = "2020-02-01 00:00:00 UTC"\ntls_www_server\n')
        certtool("--generate-self-signed", "--load-privkey", os.path.join(folder, "key.pem"),
                 "--template", template, "--outfile", cert)


@pytest.mark.parametrize("name, reason", [("no certificate", "PEM"), ("no file", "cert.pem"),
                                          ("another key", "another certificate"), ("expired", "2020-02-01")])
def test_what_cannot_be_used_is_refused_and_the_one_before_stays(node, name, reason):
    before = serial(node)
    broken(node.authority, name)
    answer = node.admin("/listeners/wamp_tls:rotate", "POST")
    problem = answer.json()
    assert (answer.status, problem["code"]) == (400, "bondy.error.invalid_config"), answer
    assert reason in problem["description"] and node.authority.folder in problem["description"]
    every = node.call(PREFIX + "rotate_all")
    assert every["wamp_tls"]["code"] == "bondy.error.invalid_config" and every["wamp_tcp"] == "skipped"
    assert serial(node) == before
    assert node.admin("/listeners/wamp_tls/certificate").json()["serial"] == str(before)
    entries = node.admin("/audit?action=bondy.cert_manager.rotate_listener&limit=1").json()
    assert entries[0]["outcome"] == "error"
    node.authority.issue()
    assert node.admin("/listeners/wamp_tls:rotate", "POST").status == 204
    assert serial(node) == node.authority.serial


def test_client_authentication_is_shown(node):
    shown = node.admin("/listeners/wamp_tls/client_auth").json()
    assert shown == {"verify": "verify_peer", "fail_if_no_peer_cert": False, "cacertfile": node.authority.cert}
    shown = node.call(PREFIX + "get_client_auth", "api_gateway_https")
    assert shown == {"verify": "verify_none", "fail_if_no_peer_cert": False}


def is_let_in(daemon, client=None):
    context = ssl.create_default_context(cafile=daemon.ca)
    if client is not None:
        context.load_cert_chain(*client)
    try:
        with context.wrap_socket(daemon.connect("wamp.tls"), server_hostname="localhost") as connection:
            connection.sendall(b"\x7f\xf1\x00\x00")
            return connection.recv(4)[:1] == b"\x7f"
    except OSError:
        return False


def test_new_authorities_let_their_clients_in(node):
    authority = node.authority
    with tempfile.TemporaryDirectory() as folder:
        other = Authority(folder)
        client = issue_for_client(authority, other)
        node.ca = os.path.join(folder, "server-ca.pem")
        write(node.ca, open(authority.cert).read())
        assert not is_let_in(node, client)
        write(authority.cert, open(other.cert).read())
        assert not is_let_in(node, client)
        answer = node.admin("/cacerts:reload", "POST")
        assert (answer.status, answer.body) == (204, b"")
        assert is_let_in(node, client)


def set_client_auth(daemon, **wanted):
    return daemon.admin("/listeners/wamp_tls/client_auth", "PUT", wanted)


def test_client_authentication_is_switched_until_the_next_reload(node):
    node.ca = node.authority.cert
    client = issue_for_client(node.authority, node.authority)
    assert is_let_in(node)
    answer = set_client_auth(node, fail_if_no_peer_cert=True)
    assert answer.status == 200, answer
    assert answer.json() == {"verify": "verify_peer", "fail_if_no_peer_cert": True,
                             "cacertfile": node.authority.cert, "persistent": False}
    assert not is_let_in(node) and is_let_in(node, client)
    node.authority.issue()
    assert node.admin("/listeners/wamp_tls:rotate", "POST").status == 204
    assert not is_let_in(node), "a rotation changes nothing but the certificate"
    assert set_client_auth(node, verify="verify_none").json()["verify"] == "verify_none"
    assert is_let_in(node)
    assert set_client_auth(node, verify="verify_peer").json()["fail_if_no_peer_cert"] is True
    assert not is_let_in(node)
    node.signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while "event=reloaded" not in node.log():
        assert time.monotonic() < end
    assert is_let_in(node)


def test_client_authentication_is_kept_over_reload_and_restart_until_it_is_forgotten():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        keys = settings(*authority.issue())
        keys.update({"wamp.tls.verify": "verify_peer", "wamp.tls.cacertfile": authority.cert})
        with Daemon(dev=False, settings=dict(keys, **{"admin_api.allow_anonymous": "on"})) as node:
            node.ca, path = authority.cert, "/listeners/wamp_tls/client_auth"
            assert node.admin(path + "?persist=maybe", "PUT", {}).json()["key"] == "persist"
            kept = node.admin(path + "?persist=true", "PUT", {"fail_if_no_peer_cert": True}).json()
            assert kept == {"verify": "verify_peer", "fail_if_no_peer_cert": True, "cacertfile": authority.cert,
                            "persistent": True}
            assert not is_let_in(node)
            # For a while only: what is kept stays.
            assert set_client_auth(node, verify="verify_none").json()["persistent"] is False
            assert is_let_in(node)
            node.signal(signal.SIGHUP)
            wait_until(lambda: "event=reloaded" in node.log())
            assert not is_let_in(node)
            assert node.stop() == 0
            node.start()
            assert not is_let_in(node)
            assert "client_auth_kept" in node.log()
            # What is kept and cannot be used is not passed over.
            os.rename(authority.cert, authority.cert + ".aside")
            node.signal(signal.SIGHUP)
            wait_until(lambda: "reload_refused" in node.log())
            os.rename(authority.cert + ".aside", authority.cert)
            told = node.call(PREFIX + "set_client_auth", "wamp_tls", {"verify": "verify_none"}, persist=False)
            assert told == {"verify": "verify_none", "fail_if_no_peer_cert": False, "persistent": False}
            assert node.stop() == 0
            node.start()
            assert node.admin(path).json() == {"verify": "verify_peer", "fail_if_no_peer_cert": False,
                                               "cacertfile": authority.cert}
            assert is_let_in(node)


@pytest.mark.parametrize("wanted, code, key", [
    ({"verify": "maybe"}, "bondy.error.invalid_value", "verify"),
    ({"fail_if_no_peer_cert": "yes"}, "bondy.error.invalid_value", "fail_if_no_peer_cert"),
    ({"cacertfile": "ca.pem"}, "bondy.error.invalid_value", "cacertfile"),
    ({"verfy": "verify_peer"}, "bondy.error.invalid_data", None),
    ({"cacertfile": "/no/such/file"}, "bondy.error.invalid_config", None),
    ({"verify": 1, "cacertfile": 1}, "bondy.error.invalid_data", None)])
def test_wrong_client_authentication_changes_nothing(node, wanted, code, key):
    before = node.admin("/listeners/wamp_tls/client_auth").json()
    answer = set_client_auth(node, **wanted)
    problem = answer.json()
    assert (answer.status, problem["code"], problem.get("key")) == (400, code, key), answer
    assert node.admin("/listeners/wamp_tls/client_auth").json() == before


@pytest.mark.parametrize("listener", ["wamp_tcp", "no_such", "admin_api_https", "", "wamp-tls", None, 7])
def test_a_listener_without_certificate_is_named_so(node, listener):
    for name, error in (("rotate_listener", "wamp.error.invalid_argument"),
                        ("get_server_cert_info", "bondy.error.not_found"),
                        ("get_client_auth", "bondy.error.not_found")):
        assert node.try_call(PREFIX + name, listener).json()["error_uri"] == error


def test_another_realm_than_the_master_may_not(node, bondy):
    for procedure, *arguments in (("rotate_all",), ("rotate_listener", "wamp_tls"), ("reload_cacerts",),
                                  ("get_server_cert_info", "wamp_tls"), ("get_client_auth", "wamp_tls")):
        done = bondy("call", "--url", node.tcp_url(), PREFIX + procedure, *arguments)
        assert done.returncode == 4 and "not_authorized" in done.stderr, (procedure, done)

# SPDX-License-Identifier: Apache-2.0
"""TLS listeners, and certificates that change while sessions live."""
import os
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.request

import pytest

from daemon import BONDY, Backend, Daemon

TEMPLATE = """cn = "{name}"
serial = {serial}
expiration_days = 30
"""


def certtool(*arguments):
    subprocess.run(["certtool", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


class Authority:
    def __init__(self, folder):
        self.folder, self.serial = folder, 1
        self.key, self.cert = os.path.join(folder, "ca-key.pem"), os.path.join(folder, "ca.pem")
        template = os.path.join(folder, "ca.txt")
        write(template, TEMPLATE.format(name="Test authority", serial=1) + "ca\ncert_signing_key\n")
        certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", self.key)
        certtool("--generate-self-signed", "--load-privkey", self.key, "--template", template,
                 "--outfile", self.cert)

    def issue(self, life="expiration_days = 30"):
        """A certificate for localhost, written over the one before; `life`: lines of certtool's template."""
        self.serial += 1
        key, cert = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "cert.pem")
        template = os.path.join(self.folder, "leaf.txt")
        leaf = TEMPLATE.format(name="localhost", serial=self.serial)
        leaf = leaf.replace("expiration_days = 30", life)
        write(template, leaf + "dns_name = localhost\nip_address = 127.0.0.1\ntls_www_server\nsigning_key\n")
        certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", key + ".new")
        certtool("--generate-certificate", "--load-privkey", key + ".new", "--load-ca-certificate", self.cert,
                 "--load-ca-privkey", self.key, "--template", template, "--outfile", cert + ".new")
        os.chmod(key + ".new", 0o600)
        os.rename(key + ".new", key)
        os.rename(cert + ".new", cert)
        return cert, key


def settings(cert, key):
    keys = {}
    for prefix in ("api_gateway.https", "wamp.tls"):
        keys.update({prefix + ".enabled": "on", prefix + ".port": "0", prefix + ".certfile": cert,
                     prefix + ".keyfile": key})
    return keys


@pytest.fixture(scope="module")
def tls():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        with Daemon(settings=settings(*authority.issue())) as daemon:
            daemon.authority = authority
            daemon.urls = {"tls": f"tls://localhost:{daemon.ports['wamp.tls']}",
                           "wss": f"wss://localhost:{daemon.ports['api_gateway.https']}/ws",
                           "one port": f"tls://127.0.0.1:{daemon.ports['api_gateway.https']}"}
            yield daemon


@pytest.mark.parametrize("transport", ["tls", "wss", "one port"])
def test_calls_travel_over_tls(tls, bondy, transport):
    url, ca = tls.urls[transport], tls.authority.cert
    with Backend(tls, "com.example.echo", "cat", url=url, arguments=["--ca-file", ca]):
        word = "x" * 100000
        done = bondy("call", "--url", url, "--ca-file", ca, "com.example.echo", word)
        assert done.returncode == 0, done.stderr
        assert word in done.stdout


def test_a_certificate_nobody_trusts_is_refused(tls, bondy):
    done = bondy("call", "--url", tls.urls["tls"], "com.example.echo")
    assert done.returncode == 4 and "TLS" in done.stderr


def test_a_certificate_is_not_looked_at_only_when_that_is_said(tls, bondy):
    done = bondy("call", "--url", tls.urls["tls"], "--insecure", "com.example.nothing")
    assert done.returncode == 1 and "no_such_procedure" in done.stderr


def serial(daemon):
    context = ssl.create_default_context(cafile=daemon.authority.cert)
    with context.wrap_socket(daemon.connect("wamp.tls"), server_hostname="localhost") as connection:
        return int(connection.getpeercert()["serialNumber"], 16)


def test_https_serves_the_gateway(tls):
    context = ssl.create_default_context(cafile=tls.authority.cert)
    with urllib.request.urlopen(f"https://localhost:{tls.ports['api_gateway.https']}/demo/hello",
                                context=context, timeout=20) as answer:
        assert answer.status == 200
        assert answer.headers["strict-transport-security"]


def test_a_new_certificate_is_used_after_sighup_and_sessions_stay(tls, bondy):
    url, ca = tls.urls["tls"], tls.authority.cert
    with Backend(tls, "com.example.stay", "echo", "still here", url=url, arguments=["--ca-file", ca]):
        before = serial(tls)
        assert before == tls.authority.serial
        tls.authority.issue()
        reloads = tls.log().count("event=reloaded")
        tls.signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while tls.log().count("event=reloaded") == reloads:
            assert time.monotonic() < end
        assert serial(tls) == tls.authority.serial != before
        assert bondy("call", "--url", url, "--ca-file", ca, "com.example.stay").stdout == "still here\n"


def test_a_broken_certificate_at_sighup_changes_nothing(tls):
    before = serial(tls)
    path = os.path.join(tls.authority.folder, "cert.pem")
    good = open(path).read()
    write(path, "no certificate\n")
    try:
        refusals = tls.log().count("event=reload_refused")
        tls.signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while tls.log().count("event=reload_refused") == refusals:
            assert time.monotonic() < end
        assert serial(tls) == before
    finally:
        write(path, good)


def test_check_config_reads_certificates_and_documents(tls, bondyd, tmp_path):
    folder = tls.authority.folder
    good = [word for key, value in settings(folder + "/cert.pem", folder + "/key.pem").items()
            for word in ("--set", f"{key}={value}")]
    assert bondyd("--check-config", *good).returncode == 0
    done = bondyd("--check-config", *good, "--set", f"wamp.tls.keyfile={folder}/ca-key.pem")
    assert done.returncode == 2 and "C005" in done.stderr
    spec = tmp_path / "api.json"
    spec.write_text('{"id": "x", "host": "_", "realm_uri": "dev", "versions": {"1": {"base_path": "/x", '
                    '"paths": {"/a": {"get": {"action": {"type": "forwrd"}}}}}}}')
    done = bondyd("--check-config", "--set", f"api_gateway.config_file={spec}")
    assert done.returncode == 2 and "/action/type" in done.stderr

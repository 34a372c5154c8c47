# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from daemon import BUILD, Daemon  # noqa: E402
from identities import ARGO, CHEAP, shop  # noqa: E402

NPM = {"autobahn": "22", "wampy": "8", "tweetnacl": "1", "ws": "8"}
PIP = {"xconn": "0.5.1", "wampproto": "0.4.0", "authlib": "1.9.10", "requests-oauthlib": "2.0.0",
       "pyjwt[crypto]": "2.15.1"}
GO = pathlib.Path(__file__).parent / "go"  # its go.mod has the versions


def missing(what):
    """A client that cannot be had: a skip by name, or a failure where nothing may be left out."""
    if os.environ.get("BONDY_REQUIRE_INTEROP") == "1":
        pytest.fail(what)
    pytest.skip(what)


def install(folder, mark, tools, command, **how):
    """Runs an installer once for each build folder and list of versions; `how` is for subprocess.run()."""
    for tool in tools:
        if shutil.which(tool) is None:
            missing(f"{tool} is not installed")
    done = os.path.join(folder, mark)
    if os.path.exists(done):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **how)
    if ran.returncode != 0:
        missing(f"{tools[0]} could not install {mark}: {ran.stderr[-300:]}")
    open(done, "w").close()
    return folder


@pytest.fixture(scope="session")
def bondyd():
    with Daemon() as daemon:
        yield daemon


@pytest.fixture(scope="session")
def autobahn_js():
    """The folder with npm's packages; installed into the build folder once."""
    packages = [f"{name}@{version}" for name, version in NPM.items()]
    folder = os.path.join(BUILD, "interop-js")
    return install(folder, ",".join(packages), ("npm", "node"),
                   ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *packages])


@pytest.fixture(scope="session")
def python_packages():
    """The folder with pip's packages, for PYTHONPATH."""
    packages = [f"{name}=={version}" for name, version in PIP.items()]
    folder = os.path.join(BUILD, "interop-py")
    return install(folder, ",".join(packages), ("pip3",),
                   ["/usr/bin/python3", "-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check",
                    "--target", folder, *packages])


@pytest.fixture(scope="session")
def nexus():
    """The program of go/login_nexus.go, built anew when a file of that folder has changed."""
    sources = b"".join(path.read_bytes() for path in sorted(GO.iterdir()))
    folder = os.path.join(BUILD, "interop-go")
    # Where the makers' own archive puts it; their instructions leave PATH to the user.
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin") or "go"
    program = os.path.join(folder, "login_nexus")
    # No other compiler, no other version of Go and no workspace around us may change what is built.
    settings = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off")
    install(folder, "nexus-" + hashlib.sha256(sources).hexdigest()[:16], (go,),
            [go, "build", "-buildvcs=false", "-o", program, "."], cwd=GO, env=settings)
    return program


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """(folder): a certificate of our own for 127.0.0.1, its own authority."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    (folder / "key.pem").chmod(0o600)
    return folder


@pytest.fixture(scope="session")
def secured(authority):
    """A node with a realm that has users, over TLS too."""
    settings = dict(CHEAP, **{"wamp.tls.enabled": "on", "wamp.tls.port": "0", "api_gateway.https.enabled": "on",
                              "api_gateway.https.port": "0", "security.auth.hide_unknown_users": "on"})
    for listener in ("wamp.tls", "api_gateway.https"):
        settings[listener + ".certfile"] = str(authority / "cert.pem")
        settings[listener + ".keyfile"] = str(authority / "key.pem")
        settings[listener + ".versions"] = "1.2,1.3"  # tls-unique is of 1.2
    with Daemon(settings=settings) as daemon:
        daemon.call("bondy.realm.create", shop())
        daemon.call("bondy.user.add", "com.example.shop", dict(ARGO, groups=["staff"]))
        yield daemon

# SPDX-License-Identifier: Apache-2.0
"""Other people's clients log in with each method that they have, and are held to what they may do.

autobahn for Python (Debian) and for JavaScript (npm), wampy (npm), xconn (PyPI), nexus (Go). All of them do the same:
see login_python.py for what is said on their standard input and output.
"""
import json
import os
import subprocess

import pytest
from conftest import missing
from identities import OTHER_SEED, PASSWORD, SEED, enter, grant
from wamp_login import Cra, Trust
from wamp_peer import Callee, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
SHOP = "com.example.shop"
DENIED = "wamp.error.authentication_denied"
REFUSED = "wamp.error.not_authorized"
SECONDS = 60


class Client:
    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=dict(os.environ, **(environment or {})))

    def __enter__(self):
        self.first = self._read()
        return self

    def _read(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()[-3000:]
        return json.loads(line)

    def tell(self, *line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return self._read()

    def __exit__(self, kind, *_):
        if "joined" in self.first and kind is None:
            self.process.stdin.write('["quit"]\n')
            self.process.stdin.flush()
        elif kind is not None:
            self.process.kill()
        self.process.communicate(timeout=SECONDS)


# client: (program, methods, transports, whether it sees a subscription being revoked)
CLIENTS = {
    "autobahn-python": (("anonymous", "ticket", "wampcra", "wamp-scram", "wamp-scram-argon2id13", "cryptosign"),
                        ("ws", "tcp"), True),
    "autobahn-js": (("anonymous", "ticket", "wampcra", "cryptosign"), ("ws", "tcp"), True),
    "wampy": (("anonymous", "ticket", "wampcra", "cryptosign"), ("ws",), False),
    "xconn": (("anonymous", "ticket", "wampcra", "cryptosign"), ("ws", "tcp"), False),
    "nexus": (("anonymous", "ticket", "wampcra", "cryptosign"), ("ws", "tcp", "wss", "tls"), False),
}
LOGINS = [(client, method, transport) for client, (methods, transports, _) in CLIENTS.items()
          for method in methods for transport in transports]


@pytest.fixture
def start(request, secured, authority):
    """Starts a client: start(name, transport, method, authid, secret, *more)."""
    def command(name):
        if name == "autobahn-python":
            if subprocess.run(["/usr/bin/python3", "-c", "import autobahn, argon2"],
                              capture_output=True).returncode != 0:
                missing("python3-autobahn and python3-argon2 are not installed")
            return ["/usr/bin/python3", os.path.join(HERE, "login_python.py")], {"CA_FILE": str(authority / "cert.pem")}
        if name == "xconn":
            folder = request.getfixturevalue("python_packages")
            return ["/usr/bin/python3", os.path.join(HERE, "login_xconn.py")], {"PYTHONPATH": folder}
        if name == "nexus":
            return [request.getfixturevalue("nexus")], {"CA_FILE": str(authority / "cert.pem")}
        script = {"autobahn-js": "login_js.js", "wampy": "login_wampy.js"}[name]
        return ["node", os.path.join(HERE, script), request.getfixturevalue("autobahn_js")], None

    def url(transport):
        port = {"ws": "api_gateway.http", "tcp": "wamp.tcp", "wss": "api_gateway.https", "tls": "wamp.tls"}[transport]
        return f"{transport}://127.0.0.1:{secured.ports[port]}" + ("/ws" if transport.startswith("ws") else "")

    def run(name, transport, method, authid, secret, *more):
        words, environment = command(name)
        return Client([*words, url(transport), SHOP, method, authid, secret, *more], environment)
    return run


@pytest.fixture(scope="session")
def ticket(secured):
    with enter(secured, Cra("mona", PASSWORD), SHOP) as peer:
        return peer.call("bondy.ticket.issue")[0]["ticket"]


@pytest.fixture(scope="session")
def echo(secured):
    with Callee(enter(secured, Trust("mona"), SHOP), {"com.example.echo": lambda *args: "echoed"}) as callee:
        yield callee


def right(method, ticket):
    """(method, authid, secret)"""
    return {"anonymous": ("anonymous", "", ""), "ticket": ("ticket", "mona", ticket),
            "wampcra": ("wampcra", "mona", PASSWORD), "wamp-scram": ("wamp-scram", "mona", PASSWORD),
            "wamp-scram-argon2id13": ("wamp-scram", "argo", PASSWORD),
            "cryptosign": ("cryptosign", "mona", SEED.hex())}[method]


@pytest.mark.parametrize("client,method,transport", LOGINS)
def test_who_logs_in_may_do_what_is_granted_and_no_more(secured, start, ticket, echo, client, method, transport):
    name, authid, secret = right(method, ticket)
    with start(client, transport, name, authid, secret) as session:
        assert session.first.get("method") == name, session.first
        if name == "anonymous":
            assert session.tell("call", "com.example.echo") == {"error": REFUSED}
            give = grant("anonymous", "wamp.call", "com.example.echo")
        else:
            assert session.first["joined"] == authid
            assert session.tell("call", "com.example.echo") == {"result": "echoed"}
            assert session.tell("call", "org.example.secret") == {"error": REFUSED}
            give = grant(authid, "wamp.call", "org.example.secret")
        # Given and taken while the session is there.
        target = give["uri"]
        allowed = {"result": "echoed"} if name == "anonymous" else {"error": "wamp.error.no_such_procedure"}
        secured.call("bondy.grant.create", SHOP, give)
        assert session.tell("call", target) == allowed
        secured.call("bondy.grant.revoke", SHOP, give)
        assert session.tell("call", target) == {"error": REFUSED}


@pytest.mark.parametrize("client,method", [(client, method) for client, (methods, _, _) in CLIENTS.items()
                                           for method in methods if method != "anonymous"])
def test_wrong_credentials_are_refused(start, ticket, client, method):
    name, authid, secret = right(method, ticket)
    wrong = OTHER_SEED.hex() if name == "cryptosign" else "wrong" + secret
    with start(client, CLIENTS[client][1][0], name, authid, wrong) as session:
        assert session.first == {"refused": DENIED}
    with start(client, CLIENTS[client][1][0], name, "nobody", secret) as session:
        assert session.first == {"refused": DENIED}


@pytest.mark.parametrize("client", CLIENTS)
def test_events_stop_when_the_permission_is_taken(secured, start, client):
    topic, give = "org.example.news." + client, grant("mona", ["wamp.subscribe", "wamp.publish"],
                                                      "org.example.news." + client)
    secured.call("bondy.grant.create", SHOP, give)
    secured.call("bondy.grant.create", SHOP, grant("zoe", "wamp.publish", topic))
    with start(client, "ws", "wampcra", "mona", PASSWORD) as session, enter(secured, Trust("zoe"), SHOP) as zoe:
        assert session.tell("subscribe", "org.example.other") == {"error": REFUSED}
        assert session.tell("subscribe", topic) == {"ok": True}
        zoe.publish(topic, [1])
        wait_until(lambda: session.tell("events") == {"events": 1})
        if CLIENTS[client][2]:
            assert session.tell("active") == {"active": True}
        secured.call("bondy.grant.revoke", SHOP, give)
        if CLIENTS[client][2]:
            wait_until(lambda: session.tell("active") == {"active": False})
        zoe.publish(topic, [2])
        assert session.tell("call", "com.example.none") == {"error": "wamp.error.no_such_procedure"}
        assert session.tell("events") == {"events": 1}


@pytest.mark.parametrize("transport", ("wss", "tls"))
@pytest.mark.parametrize("method,authid,secret,binding", (
    ("wampcra", "mona", PASSWORD, ()), ("cryptosign", "mona", SEED.hex(), ()),
    ("cryptosign", "mona", SEED.hex(), ("tls-unique",))))
def test_over_tls_with_and_without_channel_binding(start, echo, transport, method, authid, secret, binding):
    with start("autobahn-python", transport, method, authid, secret, *binding) as session:
        assert session.first == {"joined": "mona", "method": method}
        assert session.tell("call", "com.example.echo") == {"result": "echoed"}

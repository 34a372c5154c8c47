# SPDX-License-Identifier: Apache-2.0
"""autobahn for Python logs in and does what test_logins.py says, line by line.

usage: login_python.py URL REALM METHOD AUTHID SECRET [BINDING]

Out: {"joined": authid, "method": ...} or {"refused": reason}; then an answer for each line in:
["call", uri] -> {"result": [...]} or {"error": uri}; ["subscribe", uri] -> {"ok": true} or {"error": uri};
["active"] -> whether the last subscription is; ["events"] -> how many came; ["quit"].
The secret of cryptosign is the seed in hex.
"""
import asyncio
import base64
import hashlib
import hmac
import json
import os
import ssl
import sys

from autobahn.asyncio.rawsocket import WampRawSocketClientFactory, WampRawSocketClientProtocol
from autobahn.asyncio.util import transport_channel_id
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp import auth, message
from autobahn.wamp.cryptosign import CryptosignKey
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer
from autobahn.wamp.types import ComponentConfig

# autobahn 22.7 reads this attribute on WELCOME, and its asyncio RawSocket never sets it.
if not hasattr(WampRawSocketClientProtocol, "transport_details"):
    WampRawSocketClientProtocol.transport_details = None


class Session(ApplicationSession):
    method = authid = secret = binding = None

    def onConnect(self):
        extra = {}
        if self.method == "cryptosign":
            self.key = CryptosignKey.from_bytes(bytes.fromhex(self.secret))
            extra = {"pubkey": self.key.public_key(), "channel_binding": self.binding}
        elif self.method == "wamp-scram":
            self.nonce = base64.b64encode(os.urandom(16)).decode()
            extra = {"nonce": self.nonce, "channel_binding": None}
        self.join(self.config.realm, authmethods=[self.method], authid=self.authid or None, authextra=extra)

    def scram(self, extra):
        """What autobahn's own authenticator of that name computes is of a draft; its key derivation is used."""
        secret = self.secret.encode()
        if extra["kdf"] == "pbkdf2":
            salted = auth._hash_pbkdf2_secret(secret, base64.b64decode(extra["salt"]), extra["iterations"])
        else:
            text = auth._hash_argon2id13_secret(secret, extra["salt"], extra["iterations"], extra["memory"])
            salted = base64.b64decode(text + b"=" * (-len(text) % 4))
        message = (f"n={self.authid},r={self.nonce},r={extra['nonce']},s={extra['salt']},i={extra['iterations']},"
                   f"c=biws,r={extra['nonce']}").encode()
        client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
        proof = hmac.new(hashlib.sha256(client).digest(), message, hashlib.sha256).digest()
        return base64.b64encode(bytes(a ^ b for a, b in zip(client, proof))).decode()

    def onChallenge(self, challenge):
        if self.method == "wampcra":
            extra = challenge.extra
            key = auth.derive_key(self.secret, extra["salt"], extra["iterations"], extra["keylen"])
            return auth.compute_wcs(key, extra["challenge"]).decode()
        if self.method == "cryptosign":
            channel = self.binding and transport_channel_id(self._transport.transport, False, self.binding)
            return self.key.sign_challenge(challenge, channel_id=channel, channel_id_type=self.binding)
        if self.method == "wamp-scram":
            # A signature alone is all that autobahn sends of what is returned here.
            extra = {"nonce": challenge.extra["nonce"], "channel_binding": None}
            self._transport.send(message.Authenticate(self.scram(challenge.extra), extra))
            return asyncio.get_running_loop().create_future()
        return self.secret

    def onMessage(self, msg):
        """autobahn announces subscription_revocation, and ends the connection when a subscription is revoked."""
        if isinstance(msg, message.Unsubscribed) and msg.request == 0:
            for subscription in self._subscriptions.pop(msg.subscription):
                subscription.active = False
            return None
        return super().onMessage(msg)

    def onJoin(self, details):
        self.joined.set_result({"joined": details.authid, "method": details.authmethod})

    def onLeave(self, details):
        if not self.joined.done():
            self.joined.set_result({"refused": details.reason})
        super().onLeave(details)

    def onDisconnect(self):
        if not self.gone.done():
            self.gone.set_result(None)


def factory_of(url, session):
    if url.startswith("ws"):
        return WampWebSocketClientFactory(lambda: session, url=url, serializers=[JsonSerializer()])
    return WampRawSocketClientFactory(lambda: session, serializer=CBORSerializer())


def tls_of(url, binding):
    if not url.startswith(("wss", "tls")):
        return None
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    if binding == "tls-unique":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def obey(session, line):
    events = session.events
    try:
        if line[0] == "call":
            result = await session.call(line[1])
            return {"result": result}
        if line[0] == "subscribe":
            session.subscription = await session.subscribe(lambda *args: events.append(args), line[1])
            return {"ok": True}
        if line[0] == "active":
            return {"active": session.subscription.active}
        return {"events": len(events)}
    except ApplicationError as error:
        return {"error": error.error}


async def main(url, realm, method, authid, secret, binding=None):
    loop = asyncio.get_running_loop()
    session = Session(ComponentConfig(realm, {}))
    session.method, session.authid, session.secret, session.binding = method, authid, secret, binding
    session.joined, session.gone, session.events = loop.create_future(), loop.create_future(), []
    factory = factory_of(url, session)
    factory.loop = loop
    host, port = url.split("://")[1].split("/")[0].split(":")
    tls = tls_of(url, binding)
    await loop.create_connection(factory, host, int(port), ssl=tls, server_hostname=host if tls else None)
    answer = await session.joined
    print(json.dumps(answer), flush=True)
    while "joined" in answer:
        line = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
        if line[0] == "quit":
            session.leave()
            await session.gone
            return
        print(json.dumps(await obey(session, line)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

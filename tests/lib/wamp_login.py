# SPDX-License-Identifier: Apache-2.0
"""Logins of a wamp_peer.Peer with every method, step by step: what a client computes is computed here anew.

    welcome = Cra("mona", "kettle-46-rope").login(peer, "com.example.shop")

A login ends with a WELCOME or an ABORT message, which is returned; peer.challenge is the CHALLENGE that came.
"""
import base64
import hashlib
import hmac
import os
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wamp_peer import ABORT, HELLO, ROLES, WELCOME

CHALLENGE, AUTHENTICATE = 4, 5


def b64(octets):
    return base64.b64encode(octets).decode()


def sha256(key, text):
    return hmac.new(key, text if isinstance(text, bytes) else text.encode(), hashlib.sha256).digest()


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


class Method:
    """One way to prove who one is. `details` go into HELLO.Details as they are."""

    name = None

    def __init__(self, authid=None, **details):
        self.authid, self.details = authid, details

    def authextra(self):
        return {}

    def answer(self, extra):
        """(signature, extra) of AUTHENTICATE for a CHALLENGE.Extra."""
        raise AssertionError("nothing to answer")

    def hello(self, peer, realm):
        details = {"roles": ROLES, "authmethods": [self.name], "authextra": self.authextra()}
        if self.authid is not None:
            details["authid"] = self.authid
        details.update(self.details)
        peer.send(HELLO, realm, details)
        reply = peer.recv()
        peer.challenge = reply if reply[0] == CHALLENGE else None
        return reply

    def login(self, peer, realm):
        reply = self.hello(peer, realm)
        if reply[0] == CHALLENGE:
            assert reply[1] == self.name, reply
            signature, extra = self.answer(reply[2])
            peer.send(AUTHENTICATE, signature, extra)
            reply = peer.recv()
        assert reply[0] in (WELCOME, ABORT), reply
        if reply[0] == WELCOME:
            peer.session = reply[1]
        return reply


class Anonymous(Method):
    name = "anonymous"


class Trust(Method):
    name = "trust"


class Secret(Method):
    """The secret itself is sent."""

    def __init__(self, authid, secret, **details):
        super().__init__(authid, **details)
        self.secret = secret

    def answer(self, extra):
        assert extra == {}, extra
        return self.secret, {}


class Password(Secret):
    name = "password"


class Ticket(Secret):
    name = "ticket"


class Token(Secret):
    name = "oauth2"


class Cra(Secret):
    name = "wampcra"

    def answer(self, extra):
        key = hashlib.pbkdf2_hmac("sha256", self.secret.encode(), extra["salt"].encode(), extra["iterations"],
                                  extra["keylen"])
        return b64(sha256(b64(key).encode(), extra["challenge"])), {}


class Scram(Secret):
    """`binding`: a channel binding's name and its octets."""

    name = "wamp-scram"

    def __init__(self, authid, secret, binding=(None, b""), **details):
        super().__init__(authid, secret, **details)
        self.binding, self.channel = binding
        self.nonce = b64(os.urandom(16))

    def authextra(self):
        return {"nonce": self.nonce, "channel_binding": self.binding}

    def _salted(self, extra):
        salt = base64.b64decode(extra["salt"])
        if extra["kdf"] == "pbkdf2":
            assert extra["memory"] is None
            return hashlib.pbkdf2_hmac("sha256", self.secret.encode(), salt, extra["iterations"], 32)
        assert extra["kdf"] == "argon2id13", extra
        return hash_secret_raw(self.secret.encode(), salt, extra["iterations"], extra["memory"], 1, 32, Type.ID)

    def answer(self, extra):
        head = f"p={self.binding},,".encode() + self.channel if self.binding else b"n,,"
        # SASLprep (RFC 4013), as far as names have it.
        name = unicodedata.normalize("NFKC", self.authid).replace("=", "=3D").replace(",", "=2C")
        message = (f"n={name},r={self.nonce},r={extra['nonce']},s={extra['salt']},i={extra['iterations']},"
                   f"c={b64(head)},r={extra['nonce']}")
        salted = self._salted(extra)
        client = sha256(salted, "Client Key")
        self.verifier = "v=" + b64(sha256(sha256(salted, "Server Key"), message))
        proof = xor(client, sha256(hashlib.sha256(client).digest(), message))
        return b64(proof), {"nonce": extra["nonce"], "channel_binding": self.binding,
                            "cbind_data": b64(self.channel) if self.binding else None}


class Cryptosign(Method):
    """`seed`: 32 octets; `binding`: a channel binding's name and its octets."""

    name = "cryptosign"

    def __init__(self, authid, seed, binding=(None, b""), sends_message=True, pubkey=None, **details):
        super().__init__(authid, **details)
        self.key, self.sends_message = Ed25519PrivateKey.from_private_bytes(seed), sends_message
        self.binding, self.channel = binding
        self.pubkey = public_key(seed) if pubkey is None else pubkey

    def authextra(self):
        return {"pubkey": self.pubkey, "channel_binding": self.binding}

    def answer(self, extra):
        assert extra.get("channel_binding") == self.binding, extra
        message = bytes.fromhex(extra["challenge"])
        if self.binding:
            message = xor(message, self.channel)
        signature = self.key.sign(message)
        return (signature + message if self.sends_message else signature).hex(), {}


def public_key(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def joined(method, peer, realm):
    """The peer, logged in."""
    reply = method.login(peer, realm)
    assert reply[0] == WELCOME, reply
    peer.welcome = reply[2]
    return peer

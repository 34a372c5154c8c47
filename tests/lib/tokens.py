# SPDX-License-Identifier: Apache-2.0
"""Access tokens as an authorization server would sign them, for realms whose private key the test has."""
import base64
import json
import os
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def pem(key):
    """What a realm takes in private_keys."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def kid(key):
    """RFC 7638."""
    numbers = key.public_key().public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": b64url(numbers.x.to_bytes(32, "big")), "y": b64url(numbers.y.to_bytes(32, "big"))}
    digest = hashes.Hash(hashes.SHA256())
    digest.update(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode())
    return b64url(digest.finalize())


def sign(key, claims, **header):
    head = dict({"alg": "ES256", "typ": "at+jwt", "kid": kid(key)}, **header)
    signed = b64url(json.dumps(head).encode()) + "." + b64url(json.dumps(claims).encode())
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return signed + "." + b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def claims(realm, authid, lifetime=900, **more):
    now = int(time.time())
    out = {"jti": str(uuid.UUID(bytes=os.urandom(16))), "iat": now, "iat_ms": int(time.time() * 1000), "nbf": now,
           "exp": now + lifetime, "iss": realm,
           "aud": realm, "sub": authid, "client_id": "webapp",
           "auth": {"scope": {"realm": realm, "client_id": "webapp", "device_id": "all"}, "roles": ["staff"]}}
    out.update(more)
    return {name: value for name, value in out.items() if value is not None}

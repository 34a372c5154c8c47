# SPDX-License-Identifier: Apache-2.0
"""A realm with users for tests of logins and permissions, and short ways to log in to it."""
from wamp_login import joined, public_key
from wamp_peer import PEERS, WELCOME

METHODS = ("anonymous", "trust", "password", "ticket", "oauth2", "wampcra", "wamp-scram", "cryptosign")
SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
PASSWORD = "kettle-46-rope"
BASIC = ["wamp.call", "wamp.cancel", "wamp.register", "wamp.unregister", "wamp.publish", "wamp.subscribe",
         "wamp.unsubscribe"]
# Cheap key derivation, where its cost is not what is tested.
CHEAP = {"security.password.pbkdf2.iterations": "4096", "security.auth_rate": "100000"}


def source(method, usernames="all", cidr="127.0.0.0/8"):
    return {"usernames": usernames, "authmethod": method, "cidr": cidr}


def grant(role, permissions, uri, match="exact"):
    roles = role if isinstance(role, list) or role == "all" else [role]
    permissions = permissions if isinstance(permissions, list) else [permissions]
    return {"roles": roles, "permissions": permissions, "uri": uri, "match": match}


def shop(uri="com.example.shop", **changes):
    """mona of the staff may do everything below com.example.; zoe is in no group; argo has argon2id13."""
    realm = {
        "uri": uri, "authmethods": list(METHODS),
        "groups": [{"name": "staff"}, {"name": "managers"}],
        "users": [{"username": "mona", "password": PASSWORD, "authorized_keys": [public_key(SEED)],
                   "groups": ["staff"]},
                  {"username": "zoe", "password": PASSWORD, "authorized_keys": [public_key(OTHER_SEED)]}],
        "sources": [source(method) for method in METHODS],
        "grants": [grant("staff", BASIC, "com.example.", "prefix"),
                   grant("staff", "wamp.call", "bondy.", "prefix"),
                   grant("staff", "bondy.issue", "bondy.ticket.scope.", "prefix")],
    }
    realm.update(changes)
    return realm


ARGO = {"username": "argo", "password": PASSWORD,
        "password_opts": {"protocol": "scram", "params": {"kdf": "argon2id13", "iterations": 2, "memory": 8388608}}}


def attempt(daemon, method, realm, kind="rawsocket", **more):
    """The message that ends a login, on a connection of its own."""
    with PEERS[kind](daemon, **more) as peer:
        reply = method.login(peer, realm)
        method.challenge = peer.challenge
        return reply


def enter(daemon, method, realm, kind="rawsocket", **more):
    """A peer that has logged in."""
    return joined(method, PEERS[kind](daemon, **more), realm)


def is_welcome(reply):
    return reply[0] == WELCOME

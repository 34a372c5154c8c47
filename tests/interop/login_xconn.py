# SPDX-License-Identifier: Apache-2.0
"""xconn (PyPI) logs in and does what test_logins.py says; the lines are those of login_python.py.

usage: login_xconn.py URL REALM METHOD AUTHID SECRET
"""
import json
import os
import sys

from wampproto import auth, serializers
from xconn import Client
from xconn.exception import ApplicationError
from wampproto.exception import ApplicationError as JoinError

EVENTS = []


def say(answer):
    print(json.dumps(answer), flush=True)


def authenticator(method, authid, secret):
    if method == "anonymous":
        return auth.AnonymousAuthenticator(authid)
    kinds = {"ticket": auth.TicketAuthenticator, "wampcra": auth.WAMPCRAAuthenticator,
             "cryptosign": auth.CryptoSignAuthenticator}
    return kinds[method](authid, secret)


def obey(session, line):
    try:
        if line[0] == "call":
            args = session.call(line[1]).args
            return {"result": args[0] if args else None}
        if line[0] == "subscribe":
            session.subscribe(line[1], EVENTS.append)
            return {"ok": True}
        return {"events": len(EVENTS)}
    except ApplicationError as error:
        return {"error": error.message}


def main(url, realm, method, authid, secret):
    serializer = serializers.CBORSerializer() if url.startswith("ws") else serializers.MsgPackSerializer()
    try:
        session = Client(authenticator(method, authid, secret), serializer).connect(url.replace("tcp:", "rs:"), realm)
    except JoinError as error:
        say({"refused": error.message})
        return
    details = session._base_session.session_details if hasattr(session._base_session, "session_details") else None
    say({"joined": details.authid if details else authid, "method": method})
    for text in sys.stdin:
        line = json.loads(text)
        if line[0] == "quit":
            break
        say(obey(session, line))
    session.leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # its reader threads would wait

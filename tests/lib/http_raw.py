# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as octets: requests that no library would send, and answers cut out of what came back."""
import socket

from wamp_peer import connect, read_all


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


def take_reply(octets, to_head=False):
    """The first answer and what stands behind it; None when it is not whole."""
    head, end, rest = octets.partition(b"\r\n\r\n")
    if not end:
        return None, octets
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status = first.split(" ", 2)[:2]
    assert version in ("HTTP/1.1", "HTTP/1.0"), first
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon and name.strip() == name and name, line
        assert name.lower() not in headers or name.lower() in ("vary", "set-cookie"), f"{name} twice"
        headers[name.lower()] = value.strip()
    assert not ("content-length" in headers and "transfer-encoding" in headers), headers
    status = int(status)
    if to_head or status in (204, 304) or status < 200:
        return Reply(status, headers, b""), rest
    length = int(headers.get("content-length", len(rest)))
    if len(rest) < length:
        return None, octets
    return Reply(status, headers, rest[:length]), rest[length:]


def all_replies(octets):
    replies = []
    while octets:
        reply, rest = take_reply(octets)
        assert reply is not None, octets[:200]
        replies.append(reply)
        octets = rest
    return replies


class HttpPeer:
    """One connection that is kept."""

    def __init__(self, port, seconds=30, sock=None):
        self.sock, self.rest = sock or connect(port), b""
        self.sock.settimeout(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, octets):
        self.sock.sendall(octets)

    def reply(self, to_head=False):
        while True:
            reply, self.rest = take_reply(self.rest, to_head)
            if reply is not None:
                return reply
            piece = self.sock.recv(65536)
            if not piece:
                reply = None
                raise ConnectionError(f"ended after {self.rest[:200]!r}")
            self.rest += piece

    def ask(self, octets, to_head=False):
        self.send(octets)
        return self.reply(to_head)


def ask(port, octets, seconds=30, half_close=False):
    """All answers to these octets on a connection that the server must end."""
    with connect(port) as sock:
        try:
            sock.sendall(octets)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        return all_replies(read_all(sock, seconds))


def head(method, path, *lines, host="127.0.0.1"):
    fields = [f"{method} {path} HTTP/1.1"] + ([f"Host: {host}"] if host is not None else []) + list(lines)
    return ("\r\n".join(fields) + "\r\n\r\n").encode("latin-1")


def post(path, body, kind="application/json", *lines):
    return head("POST", path, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *lines) + body

# SPDX-License-Identifier: Apache-2.0
"""GET and PUT /backups/{name}: admin-http-api.md 5.8; threat-model D1, D2, H5, H9."""
import base64
import http.client
import json
import os
import ssl
import stat
import threading
import time
from contextlib import contextmanager

import pytest

from backup_archive import MAGIC, block, packed, sealed
from daemon import Daemon, request
from http_raw import take_reply
from test_tls import Authority
from wamp_peer import wait_until

PASSWORD = "kettle-46-rope"
OCTETS = {"content-type": "application/octet-stream"}
NEW = "/backups/bondy_backup.1700000000.bdyb"
MIB = 1 << 20


def make(daemon):
    """A backup of the node: its name."""
    path = daemon.call("bondy.backup.create", {})["filename"]
    wait_until(lambda: daemon.call("bondy.backup.status") is None)
    daemon.backups = os.path.dirname(path)
    return os.path.basename(path)


def content(daemon, name):
    with open(os.path.join(daemon.backups, name), "rb") as file:
        return file.read()


def names(daemon):
    return sorted(os.listdir(daemon.backups))


def put(daemon, path, octets, **headers):
    return daemon.admin(path, "PUT", octets, headers=dict(OCTETS, **headers))


@pytest.fixture(scope="module")
def node():
    with Daemon() as daemon:
        assert daemon.admin("/realms", "POST", {"uri": "org.acme"}).status == 201
        daemon.made = make(daemon)
        daemon.octets = content(daemon, daemon.made)
        yield daemon


@contextmanager
def unchanged(daemon):
    before = names(daemon)
    yield
    wait_until(lambda: names(daemon) == before)


@contextmanager
def begun(daemon, length, octets=b"", path=NEW, headers=b""):
    """A PUT whose body is not whole yet."""
    with daemon.connect("admin_api.http") as sock:
        sock.sendall(b"PUT %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n" %
                     (path.encode(), headers, length) + octets)
        yield sock


def reply(sock):
    got = b""
    while True:
        answer, _ = take_reply(got)
        if answer is not None:
            return answer
        piece = sock.recv(65536)
        assert piece, got
        got += piece


def part_is_there(daemon, path=NEW):
    wait_until(lambda: os.path.basename(path) + ".part" in names(daemon))


# ---- out and in ----------------------------------------------------------------------------------

def test_a_download_is_the_file_and_says_what_it_is(node):
    answer = node.admin("/backups/" + node.made)
    assert answer.status == 200 and answer.body == node.octets
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{node.made}"'
    assert answer.headers["cache-control"] == "no-store"
    head = node.admin("/backups/" + node.made, "HEAD")
    assert head.status == 200 and head.headers["Content-Length"] == str(len(node.octets)) and head.body == b""
    assert node.admin("/v1.0/backups/" + node.made).body == node.octets


def test_a_download_goes_on_where_it_broke(node):
    path, whole = "/backups/" + node.made, node.octets
    tag = node.admin(path).headers["etag"]
    for given, part in (("bytes=8-", whole[8:]), ("bytes=0-7", whole[:8]), ("bytes=-5", whole[-5:])):
        answer = node.admin(path, headers={"range": given, "if-range": tag})
        assert answer.status == 206 and answer.body == part, given
        first = len(whole) - len(part) if given != "bytes=0-7" else 0
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
    assert node.admin(path, headers={"range": "bytes=8-", "if-range": '"another"'}).status == 200
    beyond = node.admin(path, headers={"range": f"bytes={len(whole)}-"})
    assert beyond.status == 416 and beyond.headers["content-range"] == f"bytes */{len(whole)}"
    assert node.admin(path, headers={"if-none-match": tag}).status == 304


def test_a_backup_goes_to_another_node_and_is_restored_there(node):
    with Daemon() as other:
        made = put(other, "/backups/" + node.made, node.admin("/backups/" + node.made).body)
        assert made.status == 201, made
        assert made.headers["location"] == "/backups/" + node.made
        assert other.admin("/backups").json() == [made.json()]
        assert made.json() == next(e for e in node.admin("/backups").json() if e["name"] == node.made)
        assert other.admin("/realms/org.acme").status == 404
        assert other.call("bondy.backup.verify", {"filename": node.made})["valid"]
        other.call("bondy.backup.restore", {"filename": node.made})
        wait_until(lambda: other.call("bondy.backup.status") is None)
        assert other.admin("/realms/org.acme").status == 200
        path = other.call("bondy.backup.create", {})["filename"]
        mode = os.stat(os.path.join(os.path.dirname(path), node.made)).st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert other.admin(made.headers["location"]).body == node.octets


def test_chunks_come_in_too(node):
    with node.connect("admin_api.http") as sock:
        sock.sendall(b"PUT /backups/bondy_backup.1600000000.2.bdyb HTTP/1.1\r\nHost: localhost\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(node.octets), 1000):
            piece = node.octets[at:at + 1000]
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n\r\n")
        answer = reply(sock)
    assert answer.status == 201, answer
    assert content(node, "bondy_backup.1600000000.2.bdyb") == node.octets


def test_the_command_line_brings_backups_here_and_there(node, bondy, tmp_path):
    place = ["--admin-url", node.url("admin_api.http")]
    here = str(tmp_path / node.made)
    assert bondy("backup", "download", node.made, here, *place).returncode == 0
    with open(here, "rb") as file:
        assert file.read() == node.octets
    assert stat.S_IMODE(os.stat(here).st_mode) == 0o600 and os.listdir(tmp_path) == [node.made]
    again = bondy("backup", "download", node.made, here, *place)
    assert again.returncode == 2 and "is there already" in again.stderr
    missing = bondy("backup", "download", "bondy_backup.7.bdyb", str(tmp_path / "x"), *place)
    assert missing.returncode == 1 and "bondy.error.not_found" in missing.stderr
    assert os.listdir(tmp_path) == [node.made]
    for name in ("../x", "..", "a/b", ""):
        assert bondy("backup", "download", name, str(tmp_path / "x"), *place).returncode == 2, name
    with Daemon() as other:
        there = ["--admin-url", other.url("admin_api.http")]
        done = bondy("backup", "upload", here, *there)
        assert done.returncode == 0 and json.loads(done.stdout)["name"] == node.made, done
        assert other.admin("/backups/" + node.made).body == node.octets
        twice = bondy("backup", "upload", here, *there)
        assert twice.returncode == 1 and "bondy.error.already_exists" in twice.stderr, twice
        renamed = bondy("backup", "upload", here, "bondy_backup.8.bdyb", *there)
        assert renamed.returncode == 0, renamed
    assert bondy("backup", "upload", str(tmp_path), *place).returncode == 2


def test_over_tls_too(tmp_path):
    authority = Authority(str(tmp_path))
    cert, key = authority.issue()
    with Daemon(settings={"admin_api.https.enabled": "on", "admin_api.https.port": "0",
                          "admin_api.https.certfile": cert, "admin_api.https.keyfile": key}) as daemon:
        context = ssl.create_default_context(cafile=authority.cert)
        context.check_hostname = False

        def ask(method, path, body=None, headers=None):
            link = http.client.HTTPSConnection("127.0.0.1", daemon.ports["admin_api.https"], context=context,
                                               timeout=60)
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read()
        large = b"".join(sealed(12))
        status, body = ask("PUT", NEW, large, OCTETS)
        assert status == 201 and json.loads(body)["encrypted"] is True, body
        assert ask("GET", NEW) == (200, large)


# ---- size ----------------------------------------------------------------------------------------

def test_a_large_file_takes_no_memory_and_disturbs_nobody(node):
    blocks, least = 160, 24 * MIB
    size = sum(len(piece) for piece in sealed(blocks))
    peak, slowest, stop = [node.rss()], [0.0], threading.Event()

    def watch():
        while not stop.is_set():
            started = time.monotonic()
            assert node.admin("/ping").status == 204
            slowest[0] = max(slowest[0], time.monotonic() - started)
            peak[0] = max(peak[0], node.rss())

    watcher = threading.Thread(target=watch)
    before = node.rss()
    watcher.start()
    try:
        with begun(node, size, path="/backups/bondy_backup.1500000000.bdyb") as sock:
            sock.settimeout(60)
            for piece in sealed(blocks):
                sock.sendall(piece)
            answer = reply(sock)
            assert answer.status == 201, answer
            assert json.loads(answer.body)["size"] == size
        with node.connect("admin_api.http") as sock:
            sock.sendall(b"GET /backups/bondy_backup.1500000000.bdyb HTTP/1.1\r\nHost: localhost\r\n"
                         b"Connection: close\r\n\r\n")
            got = 0
            while piece := sock.recv(MIB):
                got += len(piece)
            assert got > size
    finally:
        stop.set()
        watcher.join()
        os.unlink(os.path.join(node.backups, "bondy_backup.1500000000.bdyb"))
    assert peak[0] - before < least, (before, peak)
    assert slowest[0] < 5, slowest


def test_slow_clients_disturb_nobody(node):
    name = "bondy_backup.1500000001.bdyb"
    with open(os.path.join(node.backups, name), "wb") as file:
        for piece in sealed(64):
            file.write(piece)
    with begun(node, len(node.octets), node.octets[:100], "/backups/bondy_backup.1500000002.bdyb") as upload, \
            node.connect("admin_api.http") as download:
        download.sendall(b"GET /backups/%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % name.encode())
        assert download.recv(100).startswith(b"HTTP/1.1 200")
        part_is_there(node, "bondy_backup.1500000002.bdyb")
        for _ in range(20):
            assert node.admin("/backups/" + node.made).body == node.octets
        assert put(node, "/backups/bondy_backup.1500000003.bdyb", node.octets).status == 201
        upload.sendall(node.octets[100:])
        assert reply(upload).status == 201
    os.unlink(os.path.join(node.backups, name))


def test_what_is_too_large_is_refused_before_or_while_it_comes():
    with Daemon(settings={"backup.upload_max_size": "1MB"}) as daemon:
        make(daemon)
        with unchanged(daemon):
            with begun(daemon, 2 * MIB) as sock:
                answer = reply(sock)
                assert answer.status == 413 and b"backup.upload_max_size" in answer.body, answer
            with begun(daemon, 10 ** 18) as sock:
                assert reply(sock).status == 413
            with daemon.connect("admin_api.http") as sock:
                sock.sendall(b"PUT %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" %
                             NEW.encode())
                part_is_there(daemon)
                for piece in sealed(2):
                    sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                assert reply(sock).status == 413


# ---- hostile archives ----------------------------------------------------------------------------

def hostile(octets):
    large = b"".join(sealed(2))
    yield "nothing", b""
    yield "one octet", b"B"
    yield "another magic", b"BDYBAK2\n" + octets[8:]
    yield "magic alone", MAGIC
    yield "no backup", b"<html>" * 1000
    yield "something behind it", octets + b"\0"
    yield "twice", octets + octets
    yield "a header that is none", MAGIC + block(packed(b"\x80"), 1)
    yield "another format", MAGIC + block(packed(b"\xa1\x66format\x02"), 9)
    yield "a packed header that lies", MAGIC + block(packed(b"\xa1\x66format\x01"), 2 * MIB)
    yield "a length beyond the file", octets[:8] + b"\0\0\0\0\0\x10\0\0\xff\xff\xff\xff" + octets[20:]
    yield "sealed, cut", large[:-1]
    yield "sealed, flipped", large[:-70] + b"\0" + large[-69:]
    for at in range(0, len(octets), max(1, len(octets) // 40)):
        yield f"cut at {at}", octets[:at]
        yield f"flipped at {at}", octets[:at] + bytes([octets[at] ^ 0x10]) + octets[at + 1:]


def test_hostile_archives_are_refused_and_leave_nothing(node):
    with unchanged(node):
        for what, octets in hostile(node.octets):
            answer = put(node, NEW, octets)
            assert answer.status == 400 and answer.headers["cache-control"] == "no-store", (what, answer)
            problem = answer.json()
            assert problem["code"] == "bondy.error.invalid_data" and "backup" in problem["message"], (what, answer)
            assert node.backups not in problem["message"]


@pytest.mark.parametrize("name", [
    "x", "bondy_backup", "bondy_backup.bdyb", "bondy_backup.1.bak", "bondy_backup..bdyb", "bondy_backup.1.bdyb.part",
    "bondy_backup.01.bdyb", "bondy_backup.+1.bdyb", "bondy_backup.1.1.bdyb", "bondy_backup.1.02.bdyb",
    "bondy_backup.1.9999.bdyb", "bondy_backup.-1.bdyb", "bondy_backup.99999999999999999999999.bdyb",
    "bondy_backup.1.bdyb%20", "bondy_backup.1.bdyb%00", "bondy_backup.1%00.bdyb", "%2e%2e%2fbondy_backup.1.bdyb",
    "..%2f..%2fetc%2fpasswd", "%2e%2e", "%2fetc%2fpasswd", "..%5cbondy_backup.1.bdyb", "sub%2fbondy_backup.1.bdyb",
    "BONDY_BACKUP.1.BDYB", "bondy_backup.1.bdyb/", "bondy_backup.1.bdyb/x", "%c0%ae%c0%ae", "%", "a" * 300,
    "bondy_backup.%s.bdyb" % ("1" * 200)])
def test_other_names_lead_nowhere(node, name):
    with unchanged(node):
        for method in ("GET", "HEAD", "PUT"):
            answer = node.admin("/backups/" + name, method, node.octets if method == "PUT" else None, headers=OCTETS)
            if name == "bondy_backup.1.bdyb/":  # the same resource: nothing has that name yet
                assert method == "PUT" or answer.status == 404
                if answer.status == 201:
                    os.unlink(os.path.join(node.backups, "bondy_backup.1.bdyb"))
                continue
            assert answer.status in (400, 404, 414), (method, answer)
            assert b"root:" not in answer.body


def test_names_from_the_future_are_refused(node):
    with unchanged(node):
        answer = put(node, f"/backups/bondy_backup.{int(time.time()) + 86400}.bdyb", node.octets)
        assert answer.status == 400 and "future" in answer.json()["message"], answer


def test_links_are_not_followed(node, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("root:x")
    link = os.path.join(node.backups, "bondy_backup.3.bdyb")
    part = os.path.join(node.backups, "bondy_backup.4.bdyb.part")
    os.symlink(secret, link)
    os.symlink(secret, part)
    try:
        answer = node.admin("/backups/bondy_backup.3.bdyb")
        assert answer.status == 400 and b"root:" not in answer.body
        assert put(node, "/backups/bondy_backup.3.bdyb", node.octets).status == 409
        assert put(node, "/backups/bondy_backup.4.bdyb", node.octets).status == 409
        assert secret.read_text() == "root:x"
    finally:
        os.unlink(link)
        os.unlink(part)


def test_nothing_is_written_over(node):
    answer = put(node, "/backups/" + node.made, b"other")
    assert answer.status == 409 and answer.json()["code"] == "bondy.error.already_exists"
    assert content(node, node.made) == node.octets


def test_other_types_are_refused(node):
    with unchanged(node):
        for given in ("application/json", "application/x-www-form-urlencoded", "text/plain", "x"):
            answer = put(node, NEW, node.octets, **{"content-type": given})
            assert answer.status == 415 and b"application/octet-stream" in answer.body, answer
        assert node.admin("/backups/" + node.made, headers={"accept": "text/html"}).status == 406
        assert node.admin("/backups/" + node.made, "DELETE").status == 405


# ---- who ------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    file = tmp_path_factory.mktemp("admin") / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    with Daemon(settings={"admin_api.allow_anonymous": "off", "security.admin.password_file": str(file),
                          "security.auth_rate": "1000000"}) as daemon:
        root = {"user": "admin:" + PASSWORD}
        master = "/realms/com.leapsight.bondy"
        for name in ("nobody", "carrier"):
            assert daemon.admin(master + "/users", "POST", {"username": name, "password": PASSWORD}, **root).status \
                == 201
            assert daemon.admin(master + "/sources", "POST", {"usernames": [name], "authmethod": "password",
                                                              "cidr": "127.0.0.0/8"}, **root).status == 201
        granted = daemon.admin(master + "/grants", "POST", {
            "roles": ["carrier"], "permissions": ["wamp.call"],
            "resources": [{"uri": "bondy.backup.upload", "match": "exact"}]}, **root)
        assert granted.status == 201, granted
        made = daemon.admin("/services/call", "POST", {"procedure": "bondy.backup.create", "args": [{}]}, **root)
        daemon.backups = os.path.dirname(made.json()["args"][0]["filename"])
        daemon.made = os.path.basename(made.json()["args"][0]["filename"])
        wait_until(lambda: names(daemon) == [daemon.made])
        daemon.octets = content(daemon, daemon.made)
        yield daemon


def basic(user):
    return b"Authorization: Basic %s\r\n" % base64.b64encode(f"{user}:{PASSWORD}".encode())


@pytest.mark.parametrize("user, password, download, upload", [
    (None, None, 401, 401), ("admin", "wrong-46-rope", 401, 401), ("nobody", PASSWORD, 403, 403),
    ("carrier", PASSWORD, 403, 201), ("admin", PASSWORD, 200, 201)])
def test_only_who_may_call_the_procedures_may_have_the_files(locked, user, password, download, upload):
    user = user and f"{user}:{password}"
    assert locked.admin("/backups/" + locked.made, user=user).status == download
    answer = locked.admin(NEW, "PUT", locked.octets, headers=OCTETS, user=user)
    assert answer.status == upload, answer
    assert names(locked) == sorted([locked.made] + ([os.path.basename(NEW)] if upload == 201 else []))
    if upload == 201:
        os.unlink(os.path.join(locked.backups, os.path.basename(NEW)))


@pytest.mark.parametrize("headers, status", [(b"", 401), (basic("nobody"), 403)])
def test_nothing_is_taken_from_who_may_not(locked, headers, status):
    """The verdict comes after the head: whatever was sent by then, no file is begun, and no 100 is sent."""
    for expect in (b"", b"Expect: 100-continue\r\n"):
        with begun(locked, 50 * MIB, b"" if expect else b"x" * MIB, headers=headers + expect) as sock:
            answer = reply(sock)
            assert answer.status == status, answer
            assert names(locked) == [locked.made]
    with begun(locked, len(locked.octets), headers=basic("carrier") + b"Expect: 100-continue\r\n") as sock:
        assert reply(sock).status == 100
        sock.sendall(locked.octets)
        assert reply(sock).status == 201
    os.unlink(os.path.join(locked.backups, os.path.basename(NEW)))


def test_what_goes_in_and_out_is_in_the_audit_log(locked):
    root = {"user": "admin:" + PASSWORD}
    locked.admin("/backups/" + locked.made, headers={"x-request-id": "one"}, **root)
    locked.admin("/backups/bondy_backup.9.bdyb", headers={"x-request-id": "two"}, **root)
    locked.admin(NEW, "PUT", locked.octets[:-1], headers=dict(OCTETS, **{"x-request-id": "three"}), **root)
    locked.admin(NEW, "PUT", locked.octets, headers=dict(OCTETS, **{"x-request-id": "four"}), **root)
    locked.admin(NEW, "PUT", locked.octets, headers=dict(OCTETS, **{"x-request-id": "five"}), **root)
    os.unlink(os.path.join(locked.backups, os.path.basename(NEW)))
    entries = {e.get("request_id"): e for e in locked.admin("/audit?action=bondy.backup.&limit=100", **root).json()}
    wanted = {"one": ("download", locked.made, "ok"), "two": ("download", "bondy_backup.9.bdyb", "error"),
              "three": ("upload", os.path.basename(NEW), "error"), "four": ("upload", os.path.basename(NEW), "ok"),
              "five": ("upload", os.path.basename(NEW), "error")}
    for key, (what, name, outcome) in wanted.items():
        entry = entries[key]
        assert (entry["action"], entry["target"], entry["outcome"]) == \
            ("bondy.backup." + what, "backups/" + name, outcome), entry
        assert entry["actor"] == "admin" and entry["source_ip"] == "127.0.0.1"


# ---- at once, and half ---------------------------------------------------------------------------

def test_a_client_that_leaves_half_way_leaves_nothing(node):
    large = b"".join(sealed(3))
    with unchanged(node):
        for octets in (b"", node.octets[:1], large[:1000], large[:-1]):
            with begun(node, len(large), octets):
                part_is_there(node)
            wait_until(lambda: os.path.basename(NEW) + ".part" not in names(node))
    assert put(node, NEW, node.octets).status == 201
    os.unlink(os.path.join(node.backups, os.path.basename(NEW)))


def test_one_name_is_not_uploaded_twice_at_once(node):
    with begun(node, len(node.octets), node.octets[:10]) as first:
        part_is_there(node)
        second = put(node, NEW, node.octets)
        assert second.status == 409 and second.json()["code"] == "bondy.error.backup_in_progress", second
        first.sendall(node.octets[10:])
        assert reply(first).status == 201
    os.unlink(os.path.join(node.backups, os.path.basename(NEW)))


def test_only_some_uploads_run_at_once(node):
    path = "/backups/bondy_backup.170000010%d.bdyb"
    with unchanged(node):
        with begun(node, 100, path=path % 0), begun(node, 100, path=path % 1), begun(node, 100, path=path % 2), \
                begun(node, 100, path=path % 3):
            for i in range(4):
                part_is_there(node, path % i)
            answer = put(node, NEW, node.octets)
            assert answer.status == 503 and answer.json()["code"] == "wamp.error.unavailable", answer
            assert node.admin("/backups/" + node.made).status == 200
    assert put(node, NEW, node.octets).status == 201
    os.unlink(os.path.join(node.backups, os.path.basename(NEW)))


def test_a_node_that_stops_leaves_nothing_half():
    settings_ = {"admin_api.allow_anonymous": "on", "shutdown.grace_period": "2s"}
    with Daemon(dev=False, settings=settings_) as daemon:
        make(daemon)
        before = names(daemon)
        with begun(daemon, 1000, b"x" * 500):
            part_is_there(daemon)
            assert daemon.stop() == 0, daemon.log()
        assert names(daemon) == before
        daemon.start()


def test_what_a_killed_node_left_is_removed_at_its_next_start():
    with Daemon(dev=False, settings={"admin_api.allow_anonymous": "on"}) as daemon:
        make(daemon)
        before = names(daemon)
        with begun(daemon, 1000, b"x" * 500):
            part_is_there(daemon)
            daemon.kill()
        assert names(daemon) != before
        daemon.start()
        assert names(daemon) == before

# SPDX-License-Identifier: Apache-2.0
"""A bondyd of its own for a test: ports chosen by the kernel, waits for the ready line, ends cleanly."""
import base64
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD_DIR", os.path.join(TOP, "build")))
BONDYD = os.path.join(BUILD, "bondyd")
BONDY = os.path.join(BUILD, "bondy")
START_SECONDS = 60
STOP_SECONDS = 60

FREE_PORTS = {"api_gateway.http.port": "0", "admin_api.http.port": "0", "wamp.tcp.port": "0"}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def request(url, method="GET", body=None, headers=None, user=None, timeout=30):
    """One HTTP request; an error status is an answer like any other."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("content-type", "application/json")
    if user:
        headers["authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    call = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(call, timeout=timeout) as answer:
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers.items()), error.read())


class Daemon:
    """`with Daemon("--dev") as d: d.http("/demo/hello")`"""

    def __init__(self, *arguments, settings=None, dev=True, environment=None, wait=True):
        self.folder = tempfile.TemporaryDirectory(prefix="bondy-test-")
        self.data = os.path.join(self.folder.name, "data")
        self.ports_file = os.path.join(self.folder.name, "ports.json")
        keys = dict(FREE_PORTS)
        keys.update(settings or {})
        self.command = [BONDYD] + (["--dev"] if dev else ["--set", "platform_data_dir=" + self.data])
        self.command += ["--ports-file", self.ports_file]
        for key, value in keys.items():
            self.command += ["--set", f"{key}={value}"]
        self.command += list(arguments)
        self.environment = dict(os.environ, **(environment or {}))
        self.lines, self.process, self.ports = [], None, {}
        self.wait = wait

    def start(self):
        self.lines, self.ready = [], threading.Event()
        if os.path.exists(self.ports_file):
            os.unlink(self.ports_file)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace",
                                        env=self.environment)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if self.wait:
            self.ready.wait(START_SECONDS)
            if not os.path.exists(self.ports_file):
                self.kill()
                raise AssertionError("bondyd did not become ready:\n" + self.log())
            with open(self.ports_file) as f:
                self.ports = json.load(f)
        return self

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if "bondy_ready" in line:
                self.ready.set()
        self.ready.set()

    def log(self):
        return "".join(self.lines)

    def url(self, listener="api_gateway.http", path=""):
        return f"http://127.0.0.1:{self.ports[listener]}{path}"

    def http(self, path, method="GET", body=None, **more):
        return request(self.url(path=path), method, body, **more)

    def admin(self, path, method="GET", body=None, **more):
        return request(self.url("admin_api.http", path), method, body, **more)

    def call(self, procedure, *args, **kwargs):
        """The first argument of the result of an admin procedure; what is refused raises."""
        answer = self.try_call(procedure, *args, **kwargs)
        assert answer.status == 200, (procedure, answer)
        results = answer.json()["args"]
        return results[0] if results else None

    def try_call(self, procedure, *args, **kwargs):
        return self.admin("/services/call", "POST", {"procedure": procedure, "args": args, "kwargs": kwargs})

    def tcp_url(self):
        return f"tcp://127.0.0.1:{self.ports['wamp.tcp']}"

    def ws_url(self):
        return f"ws://127.0.0.1:{self.ports['api_gateway.http']}/ws"

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) * 1024

    def connect(self, listener="wamp.tcp"):
        return socket.create_connection(("127.0.0.1", self.ports[listener]), 10)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=None):
        """Ends it and returns the exit status; a sanitizer's report is in log()."""
        if self.process.poll() is None:
            self.signal(number or signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("bondyd did not stop:\n" + self.log())
        self.reader.join(10)
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(10)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            status = self.stop()
            if kind is None:
                assert status == 0, f"exit status {status}:\n" + self.log()
        finally:
            self.folder.cleanup()


class Backend:
    """`bondy register URI -- program args…` in the background, ready when the call is registered."""

    def __init__(self, daemon, uri, *program, arguments=(), url=None):
        self.process = subprocess.Popen(
            [BONDY, "register", "--url", url or daemon.tcp_url(), *arguments, uri, "--", *program],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        if "registered" not in line:
            raise AssertionError("bondy register: " + line + self.process.stdout.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

# SPDX-License-Identifier: Apache-2.0
"""What README.md and docs/start.md tell a stranger to type is typed here, line by line."""
import json
import os
import re
import subprocess
import time

import pytest

from daemon import BUILD, TOP, Backend, Daemon

STEPS = re.compile(r"^    (curl .*|build/bondy .*)", re.S)
WAIT_SECONDS = 30


def commands(path, until):
    """The indented commands of a page, with their continuation lines, up to a heading."""
    found, current = [], None
    for line in open(os.path.join(TOP, path)).read().split(until)[0].splitlines():
        if current is not None:
            current += "\n" + line[4:]
        elif STEPS.match(line):
            current = line[4:]
        if current is not None and current.count("'") % 2 == 0:
            found.append(current)
            current = None
    assert current is None, f"{path}: a quote is open: {current}"
    return found


class Shell:
    """Runs commands of the pages against a daemon on other ports than the defaults."""

    def __init__(self, daemon):
        self.daemon, self.background = daemon, []
        self.environment = dict(os.environ, BONDY_URL=daemon.tcp_url(), BONDY_REALM="dev")

    def translate(self, command):
        for port, listener in (("18080", "api_gateway.http"), ("18081", "admin_api.http"),
                               ("18082", "wamp.tcp")):
            command = command.replace(":" + port, ":" + str(self.daemon.ports[listener]))
        return command.replace("build/bondy ", os.path.join(BUILD, "bondy") + " ")

    def run(self, command):
        line = self.translate(command).replace("curl ", "curl -sS --fail-with-body ", 1)
        done = subprocess.run(["bash", "-c", line], env=self.environment, capture_output=True, text=True,
                              timeout=WAIT_SECONDS, cwd=TOP)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, command):
        process = subprocess.Popen(["bash", "-c", "exec " + self.translate(command)], env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP)
        self.background.append(process)
        return process

    def until(self, condition):
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"

    def close(self):
        for process in self.background:
            process.terminate()
            process.wait(WAIT_SECONDS)


@pytest.fixture
def shell():
    with Daemon() as daemon:
        shell = Shell(daemon)
        try:
            yield shell
        finally:
            shell.close()


def walk(shell, page, until):
    """Types every command of a page; what stays running is started, and waited for."""
    answers = {}
    # ./bootstrap run started the back end of /demo/time before; here it is the first to start.
    order = sorted(commands(page, until), key=lambda c: "register com.example.time" not in c)
    for command in order:
        if "bondy register" in command or "bondy subscribe" in command:
            process = shell.start(command)
            assert "ed" in process.stdout.readline(), command  # registered, subscribed
            answers[command] = process
        else:
            answers[command] = shell.run(command)
    return answers


def find(answers, *words):
    return next(answers[c] for c in answers if all(w in c for w in words))


def test_every_command_of_the_start_page_works(shell):
    """docs/start.md up to the section about a real start."""
    with Backend(shell.daemon, "com.example.add", "jq", ".args | add"):
        answers = walk(shell, "docs/start.md", "## 6.")
    assert json.loads(find(answers, "/demo/time"))["time"].startswith("20")
    assert find(answers, "bondy call", "com.example.add").strip() == "42"
    assert json.loads(find(answers, "/calculator/sum")) == {"sum": 42}
    events = find(answers, "bondy subscribe")
    assert "It works" in events.stdout.readline()
    assert "By curl" in events.stdout.readline()


def test_every_command_of_the_readme_works(shell):
    with Backend(shell.daemon, "com.example.time", "date", "-u", "+%FT%TZ"), \
            Backend(shell.daemon, "com.example.add", "jq", ".args | add"):
        for command in commands("README.md", "The same without a library"):
            assert shell.run(command)
        assert json.loads(shell.run(commands("README.md", "The same without")[-1])) == {"sum": 42}


def test_the_python_back_end_of_the_start_page_is_reached_through_rest(shell, tmp_path):
    page = open(os.path.join(TOP, "docs", "start.md")).read()
    code = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    script = tmp_path / "backend.py"
    script.write_text(code.replace(":18080", f":{shell.daemon.ports['api_gateway.http']}"))
    shell.background.append(subprocess.Popen(["/usr/bin/python3", str(script)], stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL))
    define = next(c for c in commands("docs/start.md", "## 6.") if "calculator" in c)
    shell.run(define)
    shell.until(lambda: shell.daemon.http("/calculator/sum", "POST", [40, 2]).status == 200)
    assert shell.daemon.http("/calculator/sum", "POST", [1, 2]).json() == {"sum": 3}


def test_the_demo_shows_the_answer_and_ends():
    """./bootstrap run --once"""
    done = subprocess.run([os.path.join(TOP, "contrib", "demo", "run"), BUILD, "--once"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HTTP/1.1 200" in done.stdout

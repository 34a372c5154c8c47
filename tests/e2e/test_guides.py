# SPDX-License-Identifier: Apache-2.0
"""The guides are typed here, command by command, in a folder of their own."""
import contextlib
import os
import re
import subprocess

import pytest

from daemon import BUILD, TOP, Daemon
from wamp_peer import wait_until

GUIDES = os.path.join(TOP, "docs", "guides")
STEP = re.compile(r"^    (?!#|build/bondyd)(\S.*?)(?:\n    # (.*?))?\n\s*$", re.S | re.M)
WAIT_SECONDS = 30


def steps(page):
    """(command, what its answer has in it) in the order of the page; a blank line ends a command."""
    return [(re.sub(r"\n    ", "\n", m[1]), m[2] or "") for m in STEP.finditer(page)]


class Guide:
    """A shell that knows the page's own function, on the ports and in the folder of this run."""

    def __init__(self, daemon, page, folder):
        self.daemon, self.folder, self.background = daemon, folder, []
        self.prelude = self.translate(re.search(r"```sh\n(.*?)```", page, re.S)[1])
        self.environment = dict(os.environ, BONDY_URL=daemon.tcp_url())

    def translate(self, text):
        for port, listener in (("18080", "api_gateway.http"), ("18081", "admin_api.http")):
            text = text.replace(":" + port, ":%d" % self.daemon.ports[listener])
        return text.replace("/tmp/tenants", self.daemon.data).replace("build/bondy ", os.path.join(BUILD, "bondy") + " ")

    def popen(self, command, prefix=""):
        return subprocess.Popen(["bash", "-c", self.prelude + prefix + self.translate(command)], cwd=self.folder,
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, command):
        return self.popen(command).communicate(timeout=WAIT_SECONDS)[0]

    def start(self, command):
        process = self.popen(command, "exec ")
        assert "subscribed" in process.stdout.readline(), command
        self.background.append(process)
        return process

    def close(self):
        for process in self.background:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def opened(name, folder, **how):
    with open(os.path.join(GUIDES, name)) as file:
        page = file.read()
    with Daemon(**how) as daemon:
        guide = Guide(daemon, page, folder)
        try:
            yield guide, steps(page)
        finally:
            guide.close()


@pytest.fixture
def guide(tmp_path):
    with opened("two-tenants.md", tmp_path, dev=False) as found:
        yield found


def finished_backup(guide):
    """What the page says with "when it is finished" and "a moment later"."""
    wait_until(lambda: guide.run("admin $A/services/backup_status").strip() in ("null", ""))


def test_two_tenants_are_set_up_by_curl_alone(guide):
    guide, typed = guide
    assert len(typed) >= 35
    for command, expected in typed:
        if command.startswith("build/bondy subscribe"):
            guide.start(command)
            continue
        if "/backups" in command or command.startswith("build/bondy call"):
            finished_backup(guide)
        answer = guide.run(command)
        assert expected in answer and (expected or '"code"' not in answer), f"{command}\n{answer}"
        assert expected or "bondy: " not in answer, f"{command}\n{answer}"
    first, second = (process.communicate(timeout=WAIT_SECONDS)[0] for process in guide.background)
    assert "Soup today" in first and "not allowed any more" in first
    assert "bondy.user.disabled" in second


def test_access_tokens_are_got_by_curl_alone(tmp_path):
    with opened("oauth2.md", tmp_path) as (guide, typed):
        assert len(typed) >= 28
        for command, expected in typed:
            answer = guide.run(command)
            assert guide.translate(expected) in answer, f"{command}\n{answer}"
            assert expected or answer == "", f"{command}\n{answer}"

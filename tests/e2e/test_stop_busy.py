# SPDX-License-Identifier: Apache-2.0
"""A node that is stopped in the middle of everything ends cleanly: nothing outlives what it looks at."""
import itertools
import threading

import pytest
from daemon import Daemon
from identities import CHEAP, PASSWORD, attempt, shop
from wamp_login import Anonymous, Password, Scram
from wamp_peer import Closed, wait_until

REALM = "com.example.shop"
ENOUGH = 3  # of each kind, before the node is stopped


class Busy:
    """Does one thing again and again until the node is gone; `count` says how often it was answered."""

    def __init__(self, step):
        self.step, self.count = step, 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        for number in itertools.count():
            try:
                self.step(number)
            except (Closed, OSError):
                return
            self.count += 1


def steps(daemon):
    """What ends on the pools, at the writer, and in mail to other threads."""
    return [
        lambda n: daemon.admin("/realms", "POST", {"uri": f"com.example.made{n}"}),
        lambda n: attempt(daemon, Anonymous(), f"com.example.auto{n}"),  # has no keys yet: asks for them
        lambda n: daemon.admin(f"/realms/{REALM}/users", "POST", {"username": f"user{n}", "password": PASSWORD}),
        lambda n: daemon.admin("/services/backup", "POST", {}),
        lambda n: daemon.admin(f"/realms/{REALM}/sessions"),
        lambda n: attempt(daemon, Password("mona", PASSWORD), REALM),
        lambda n: attempt(daemon, Scram("mona", PASSWORD), REALM),
        lambda n: attempt(daemon, Password("nobody", PASSWORD), REALM),
    ]


@pytest.mark.parametrize("grace", ["10ms", "10s"])
def test_a_busy_node_ends_cleanly(grace):
    settings = dict(CHEAP, **{"security.automatically_create_realms": "on", "shutdown.grace_period": grace})
    with Daemon(settings=settings) as daemon:
        answer = daemon.admin("/realms", "POST", shop())
        assert answer.status == 201, answer
        busy = [Busy(step) for step in steps(daemon)]
        for one in busy:
            one.thread.start()
        wait_until(lambda: all(one.count >= ENOUGH for one in busy))
        assert daemon.stop() == 0, daemon.log()
        assert "event=stopped" in daemon.log()
        for one in busy:
            one.thread.join(30)
            assert not one.thread.is_alive()

# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests: the real programs over real sockets, ports chosen by the kernel."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from daemon import BONDY, BONDYD, Daemon  # noqa: E402


@pytest.fixture(scope="module")
def dev():
    """One `bondyd --dev` for the tests of a file."""
    with Daemon() as daemon:
        yield daemon


@pytest.fixture
def bondyd():
    """Runs bondyd with arguments until it ends by itself."""
    def run(*arguments, environment=None, timeout=60):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BONDY")}
        return subprocess.run([BONDYD, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, env=dict(clean, **(environment or {})))
    return run


@pytest.fixture
def bondy():
    """Runs the client until it ends by itself."""
    def run(*arguments, environment=None, timeout=60):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BONDY")}
        return subprocess.run([BONDY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, env=dict(clean, **(environment or {})))
    return run

# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from daemon import BUILD, Daemon  # noqa: E402


def missing(what):
    """A client that cannot be had: a skip by name, or a failure where nothing may be left out."""
    if os.environ.get("BONDY_REQUIRE_INTEROP") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def bondyd():
    with Daemon() as daemon:
        yield daemon


@pytest.fixture(scope="session")
def autobahn_js():
    """The folder with npm's autobahn; installed into the build folder once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("node and npm are not installed")
    folder = os.path.join(BUILD, "interop-js")
    if not os.path.isdir(os.path.join(folder, "node_modules", "autobahn")):
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder,
                               "autobahn@22"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            missing("npm could not install autobahn: " + done.stderr[-300:])
    return folder

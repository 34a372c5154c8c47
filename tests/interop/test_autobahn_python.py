# SPDX-License-Identifier: Apache-2.0
"""autobahn for Python (Debian's python3-autobahn) against us: SER-ECHO-1, SER-CROSS-1, SER-BIN-1."""
import os
import subprocess

import pytest
from conftest import missing

CLIENT = os.path.join(os.path.dirname(__file__), "python_client.py")
SERIALIZERS = ("json", "msgpack", "cbor")


@pytest.mark.parametrize("transport", ("ws", "rawsocket"))
@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize("callee_serializer", SERIALIZERS)
def test_calls_and_events(bondyd, transport, serializer, callee_serializer):
    if subprocess.run(["/usr/bin/python3", "-c", "import autobahn"], capture_output=True).returncode != 0:
        missing("python3-autobahn is not installed")
    url = bondyd.ws_url() if transport == "ws" else bondyd.tcp_url()
    done = subprocess.run(["/usr/bin/python3", CLIENT, url, transport, serializer, callee_serializer],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.strip() == "ok", done.stdout + done.stderr

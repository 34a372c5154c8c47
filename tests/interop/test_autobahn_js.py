# SPDX-License-Identifier: Apache-2.0
"""autobahn for JavaScript (npm) against us."""
import os
import subprocess

import pytest

CLIENT = os.path.join(os.path.dirname(__file__), "js_client.js")


# Its RawSocket transport speaks JSON only.
@pytest.mark.parametrize("transport,serializer", (("ws", "json"), ("ws", "msgpack"), ("ws", "cbor"),
                                                  ("rawsocket", "json")))
def test_calls_and_events(bondyd, autobahn_js, transport, serializer):
    url = bondyd.ws_url() if transport == "ws" else bondyd.tcp_url()
    done = subprocess.run(["node", CLIENT, autobahn_js, url, transport, serializer],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.strip() == "ok", done.stdout + done.stderr

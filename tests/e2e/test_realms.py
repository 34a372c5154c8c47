# SPDX-License-Identifier: Apache-2.0
"""What happens to sessions when their realm goes."""
import json
import subprocess
import urllib.request

from daemon import BONDY, Daemon


def admin(daemon, method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{daemon.ports['admin_api.http']}{path}",
                                     data=None if body is None else json.dumps(body).encode(),
                                     method=method, headers={"content-type": "application/json"})
    return urllib.request.urlopen(request, timeout=20).status


def subscriber(daemon, realm):
    process = subprocess.Popen([BONDY, "subscribe", "--url", daemon.tcp_url(), "--realm", realm, "com.example.news"],
                               stderr=subprocess.PIPE, text=True)
    assert "subscribed" in process.stderr.readline()
    return process


def test_sessions_of_a_deleted_realm_are_told_to_leave_on_every_thread():
    """SESS-CLOSE-8"""
    realm = {"uri": "com.example.shop", "authmethods": ["anonymous"], "security_enabled": False}
    with Daemon(settings={"io_threads": "2"}) as daemon:
        assert admin(daemon, "POST", "/realms", realm) == 201
        stays = subscriber(daemon, "dev")
        leave = [subscriber(daemon, realm["uri"]) for _ in range(6)]
        assert admin(daemon, "DELETE", "/realms/" + realm["uri"]) == 204
        for process in leave:
            assert "wamp.close.close_realm" in process.communicate(timeout=20)[1]
            assert process.returncode == 1
        assert stays.poll() is None
        stays.terminate()
        stays.communicate(timeout=20)

# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/reference/admin-api.md, in their order, against one fresh daemon."""
import os
import re
import subprocess

from daemon import TOP, Daemon

PAGE = os.path.join(TOP, "docs", "reference", "admin-api.md")
EXAMPLE = re.compile(r"^    (curl .*?)\n    # (\d{3})(?: (.*?))?$", re.S | re.M)


def examples():
    text = open(PAGE).read()
    found = [(re.sub(r"\n    ", "\n", m[1]), int(m[2]), m[3] or "") for m in EXAMPLE.finditer(text)]
    assert len(found) == len(re.findall(r"^    curl ", text, re.M)), "an example without a status"
    return found


def test_every_example_of_the_admin_reference_answers_as_it_says():
    with Daemon() as daemon:
        for command, status, start in examples():
            line = command
            for port, listener in (("18080", "api_gateway.http"), ("18081", "admin_api.http")):
                line = line.replace(":" + port + "/", ":%d/" % daemon.ports[listener])
            line = line.replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)
            body, _, code = done.stdout.rpartition("\n")
            assert (int(code), body[:len(start)]) == (status, start), f"{command}\n{done.stdout}{done.stderr}"

# SPDX-License-Identifier: Apache-2.0
"""docs/reference/metrics.md and docs/reference/errors.md name what there is, and only that."""
import os
import re

from daemon import BONDYD, TOP, Backend, Daemon
from identities import enter, shop
from wamp_login import Trust
from wamp_peer import ABORT, HELLO, ROLES, raw

REFERENCE = os.path.join(TOP, "docs", "reference")
METRIC = re.compile(r"^\| `((?:bondy|process)_\w+)` \| (\w+) \| ([\w, ]*)\|", re.M)
BASE = ["realm_type", "node", "protocol", "transport", "frame_type", "encoding"]


def page(name):
    with open(os.path.join(REFERENCE, name)) as file:
        return file.read()


def source(*path):
    with open(os.path.join(TOP, *path)) as file:
        return file.read()


def documented_metrics():
    rows = {}
    for name, kind, labels in METRIC.findall(page("metrics.md")):
        words = [w.strip() for w in labels.split(",") if w.strip()]
        rows[name] = (kind, (BASE + words[1:]) if words[:1] == ["B"] else words)
    return rows


def shown_metrics(text):
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    labels = {}
    for line in text.splitlines():
        match = re.match(r"(\w+?)(?:\{(.*)\})? \S+$", line)
        if match and not line.startswith("#"):
            name = next(n for n in (match[1], match[1].rpartition("_")[0]) if n in kinds)
            labels[name] = [l for l in re.findall(r'(\w+)="', match[2] or "") if l != "le"]
    return {name: (kinds[name], labels[name]) for name in kinds}


def test_every_metric_is_on_its_page_with_type_and_labels():
    rows = documented_metrics()
    with Daemon() as daemon, Backend(daemon, "com.example.time", "date"):
        assert daemon.http("/demo/time").status == 200
        with raw(daemon) as peer:  # a login that fails, and a request that is denied
            peer.send(HELLO, "com.leapsight.bondy", {"roles": ROLES})
            assert peer.recv()[0] == ABORT
        daemon.call("bondy.realm.create", shop())
        with enter(daemon, Trust("mona"), "com.example.shop") as peer:
            peer.call("org.example.other")
        daemon.admin("/metrics")
        shown = shown_metrics(daemon.admin("/metrics").body.decode())
    assert len(shown) > 40 and {"bondy_auth_failures_total", "bondy_rbac_denials_total"} <= set(shown)
    for name, facts in shown.items():
        assert rows.get(name) == facts, f"docs/reference/metrics.md: {name}"


def test_the_page_of_metrics_names_none_that_does_not_exist():
    with open(BONDYD, "rb") as file:
        program = file.read()
    for name in documented_metrics():
        assert b"\0" + name.encode() + b"\0" in program, name


def documented_errors():
    return dict(re.findall(r"^\| `((?:wamp|bondy)\.[\w.]+)` \| (\d{3}) \|", page("errors.md"), re.M))


def test_every_error_is_on_its_page_with_the_status_of_the_gateway():
    names = dict(re.findall(r'#define (BONDY_\w+)\s+\\?\s*"([\w.]+)"', source("src", "wamp", "errors.h")))
    statuses = {names.get(n, n.strip('"')): s for n, s in
                re.findall(r'\{(BONDY_\w+|"[\w.]+"), (\d{3})\}', source("src", "http", "status.c"))}
    assert len(names) > 35 and len(statuses) > 25
    wanted = {uri: statuses.get(uri, "500") for uri in set(names.values()) | set(statuses)}
    documented = documented_errors()
    for uri, status in wanted.items():
        assert documented.get(uri) == status, f"docs/reference/errors.md: {uri}"
    for uri in documented:
        assert uri in wanted, f"docs/reference/errors.md: {uri}"

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How many logins a second, by method, beside anonymous ones on the same server; and what 500 logins at once, with
keys derived from passwords, cost everybody else: the p99 of calls at half their best rate, without and with them.
See tests/bench/README.md.
"""
import argparse
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import statistics

HERE = os.path.dirname(os.path.abspath(__file__))
REALM, SECRET, SEED = "org.bench.logins", "kettle-46-rope", "00" * 31 + "01"


def load(name):
    loader = importlib.machinery.SourceFileLoader("bench_" + name, os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_" + name, loader))
    loader.exec_module(module)
    return module


def make_realm(server, call):
    methods = ["anonymous", "trust", "wampcra", "wamp-scram", "password", "cryptosign", "ticket"]
    key = "4cb5abf6ad79fbf5abbccafcc269d85cd2651ed4b885b5869f241aedf0a5ba29"  # of SEED
    call(server, "bondy.realm.create", {
        "uri": REALM, "authmethods": methods,
        "sources": [{"usernames": "all", "authmethod": m, "cidr": "127.0.0.0/8"} for m in methods],
        "users": [{"username": "mona", "password": SECRET, "authorized_keys": [key]}],
        "grants": [{"roles": "all", "permissions": ["wamp.call", "wamp.register"], "uri": "com.example.",
                    "match": "prefix"}]})


def logins(bench, server, method, connections, seconds):
    command = ["taskset", "-c", str(bench.load_cpu)] if bench.load_cpu is not None else []
    command += [bench.path("tests/bench/logins"), "--port", str(server.ports["wamp.tcp"]), "--realm", REALM,
                "--authid", "mona", "--method", method, "--secret", SECRET, "--seed", SEED,
                "--connections", str(connections), "--seconds", str(seconds)]
    return command


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def print_rates(bench, server, repetitions):
    methods = ["anonymous", "trust", "wampcra", "wamp-scram", "cryptosign", "password"]
    got = {method: [] for method in methods}
    for _ in range(repetitions):
        for method in methods:
            got[method].append(run(logins(bench, server, method, 16, bench.arguments.seconds)))
    anchor = statistics.median(r["logins"] / r["seconds"] for r in got["anonymous"])
    print(f"{'method':12} {'logins/s':>9} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8}   (16 connections)")
    for method, results in got.items():
        assert not any(r["refused"] for r in results), (method, results)
        rate = statistics.median(r["logins"] / r["seconds"] for r in results)
        print(f"{method:12} {rate:9.0f} {rate / anchor:6.2f} {statistics.median(r['p50_ms'] for r in results):8.2f}"
              f" {statistics.median(r['p99_ms'] for r in results):8.2f}")


def print_neighbours(bench, server, repetitions):
    """Open loop: latency counts from the intended time of each call."""
    calls = ["rpc", "--callers", "16", "--callees", "4", "--depth", "1", "--realm", REALM,
             "--port", str(server.ports["wamp.tcp"])]
    best = statistics.median(bench.load(calls)["ops"] / bench.arguments.seconds for _ in range(repetitions))
    calls += ["--rate", str(int(best / 2))]
    alone, beside = [], []
    for _ in range(repetitions):
        alone.append(bench.load(calls)["p99_us"])
        crowd = subprocess.Popen(logins(bench, server, "password", 500, bench.arguments.seconds + 2),
                                 stdout=subprocess.DEVNULL)
        beside.append(bench.load(calls)["p99_us"])
        crowd.wait()
    a, b = statistics.median(alone), statistics.median(beside)
    print(f"p99 of calls at half rate ({best / 2:.0f}/s): {a:.0f} us alone, {b:.0f} us beside 500 password logins: "
          f"{b / a:.2f} times")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    bench = load("run").Bench(arguments.build, arguments)
    server = bench.bondyd("--set", "security.auth_rate=1000000", "--set", "security.hash_queue=1000")
    make_realm(server, load("permissions").call)
    print_rates(bench, server, arguments.repetitions)
    print_neighbours(bench, server, arguments.repetitions)
    server.stop()


if __name__ == "__main__":
    main()

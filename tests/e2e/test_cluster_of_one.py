# SPDX-License-Identifier: Apache-2.0
"""A node that is alone says so: wamp-admin-api.md 2.11, cluster.md B18."""
from daemon import Daemon

NODE = "bondy@127.0.0.1"


def test_a_node_that_is_alone_is_a_cluster_of_one(bondy):
    with Daemon() as node:
        version = node.admin("/status").json()["version"]
        assert node.admin("/cluster").json() == {"node_spec": {"name": NODE, "listen_addrs": []}, "nodes": [NODE]}
        member, = node.admin("/cluster/members").json()
        assert (member["name"], member["status"], member["version"]) == (NODE, "alive", version)
        assert member["since"] <= member["last_seen"] and set(member) == {"name", "status", "version", "since",
                                                                          "last_seen", "addrs"}
        assert node.admin("/cluster/connections").json() == []
        status = node.admin("/cluster/status").json()
        assert (status["node"], status["status"], status["version"]) == (NODE, "ready", version)
        assert [one["name"] for one in status["members"]] == [NODE] and status["partitions"] == []
        for what in ("info", "members", "connections", "status"):
            assert node.try_call("bondy.cluster." + what).status == 200
            done = bondy("call", "--url", node.tcp_url(), "bondy.cluster." + what)  # another realm
            assert done.returncode == 4 and "not_authorized" in done.stderr
        for absent in ("join", "leave"):
            assert node.try_call("bondy.cluster." + absent).json()["error_uri"] == "wamp.error.no_such_procedure"

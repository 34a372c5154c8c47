#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Another router for the benchmark: nexus (Go), its daemon nexusd found on PATH or in $NEXUSD.
#
#   nexus.sh caps                          prints the transports it has: rs ws; exits 77 when it is not here
#   nexus.sh start RS_PORT WS_PORT FOLDER  runs in the foreground; realm dev, anonymous, no debug log
set -euo pipefail
nexusd=${NEXUSD:-$(command -v nexusd || true)}
[ -n "$nexusd" ] || exit 77

case ${1:-} in
caps) echo rs ws ;;
start)
    cat >"$4/nexus.json" <<JSON
{"websocket": {"address": "127.0.0.1:$3"}, "rawsocket": {"tcp_address": "127.0.0.1:$2"},
 "log_path": "$4/nexus.log",
 "router": {"realms": [{"uri": "dev", "anonymous_auth": true, "allow_disclose": true}], "debug": false}}
JSON
    # One core, like the others: the runner pins it, this keeps its scheduler from spreading.
    export GOMAXPROCS=1
    exec "$nexusd" -c "$4/nexus.json"
    ;;
*) echo "usage: $0 caps | start RS_PORT WS_PORT FOLDER" >&2; exit 2 ;;
esac

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Another router for the benchmark: Crossbar.io (PyPI: crossbar), found on PATH or in $CROSSBAR.
#
#   crossbar.sh caps                          prints the transports it has: rs ws; exits 77 when it is not here
#   crossbar.sh start RS_PORT WS_PORT FOLDER  runs in the foreground; realm dev, anonymous, no log to speak of
set -euo pipefail
crossbar=${CROSSBAR:-$(command -v crossbar || true)}
[ -n "$crossbar" ] || exit 77

case ${1:-} in
caps) echo rs ws ;;
start)
    mkdir -p "$4/.crossbar"
    transport() {
        printf '{"type": "%s", "endpoint": {"type": "tcp", "port": %s, "interface": "127.0.0.1"},
            "serializers": ["msgpack", "json", "cbor"],
            "auth": {"anonymous": {"type": "static", "role": "anonymous"}}}' "$1" "$2"
    }
    cat >"$4/.crossbar/config.json" <<JSON
{"version": 2, "workers": [{"type": "router",
  "realms": [{"name": "dev", "roles": [{"name": "anonymous", "permissions": [{"uri": "", "match": "prefix",
    "allow": {"call": true, "register": true, "publish": true, "subscribe": true},
    "disclose": {"caller": false, "publisher": false}, "cache": true}]}]}],
  "transports": [$(transport rawsocket "$2"), $(transport websocket "$3")]}]}
JSON
    exec "$crossbar" start --cbdir "$4/.crossbar" --loglevel none
    ;;
*) echo "usage: $0 caps | start RS_PORT WS_PORT FOLDER" >&2; exit 2 ;;
esac

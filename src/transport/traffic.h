/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_TRAFFIC_H
#define BONDY_TRANSPORT_TRAFFIC_H

/* traffic: the metrics of sockets and client traffic (operations.md, Sockets and transports). The
 * series are interned once for each thread; counting is an addition. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/metric.h"
#include "src/wamp/message.h"

enum bondy_carrier {
    BONDY_CARRIER_TCP,
    BONDY_CARRIER_TLS,
    BONDY_CARRIER_UNIX,
    BONDY_CARRIER_WS,
    BONDY_CARRIER_WSS,
    BONDY_CARRIER_HTTP,
    BONDY_CARRIER_HTTPS,
    BONDY_CARRIERS
};

struct bondy_traffic {
    bondy_metric_id sockets[BONDY_CARRIERS];
    bondy_metric_id opened[BONDY_CARRIERS];
    bondy_metric_id closed[BONDY_CARRIERS];
    bondy_metric_id errors[BONDY_CARRIERS];
    bondy_metric_id duration[BONDY_CARRIERS];
    bondy_metric_id received[BONDY_CARRIERS][BONDY_SERIALIZERS];
    bondy_metric_id sent[BONDY_CARRIERS][BONDY_SERIALIZERS];
    bondy_metric_id dropped[BONDY_CARRIERS];
    bondy_metric_id refused[4]; /* enum bondy_refusal */
};

enum bondy_refusal {
    BONDY_REFUSAL_LISTENER,    /* the listener has its fill */
    BONDY_REFUSAL_SOURCE,      /* the source address has */
    BONDY_REFUSAL_DESCRIPTORS, /* the process has no descriptor left */
    BONDY_REFUSAL_HANDSHAKE    /* broken or late */
};

void bondy_traffic_init(struct bondy_traffic *traffic, const char *node_name);
/* "ws", "tcp", ...: static. */
const char *bondy_carrier_name(enum bondy_carrier carrier);
void bondy_traffic_opened(const struct bondy_traffic *traffic, enum bondy_carrier carrier);
void bondy_traffic_closed(const struct bondy_traffic *traffic, enum bondy_carrier carrier,
                          uint64_t age_ms);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/traffic.h"

#include "src/base/alloc.h"

static const char *const socket_labels[] = {"node", "protocol", "transport", NULL};
static const char *const byte_labels[] = {"node",       "protocol", "transport",
                                          "frame_type", "encoding", NULL};
static const char *const dropped_labels[] = {"transport", "reason", NULL};
static const char *const refused_labels[] = {"reason", NULL};
static const double durations[] = {1, 10, 60, 600, 3600, 21600, 86400, 604800};

static const struct bondy_metric_family families[] = {
    {"bondy_sockets_total", "open sockets", BONDY_METRIC_GAUGE, socket_labels, NULL, 0},
    {"bondy_sockets_opened_total", "sockets opened", BONDY_METRIC_COUNTER, socket_labels, NULL, 0},
    {"bondy_sockets_closed_total", "sockets closed", BONDY_METRIC_COUNTER, socket_labels, NULL, 0},
    {"bondy_socket_errors_total", "sockets that failed", BONDY_METRIC_COUNTER, socket_labels, NULL,
     0},
    {"bondy_socket_duration_seconds", "life of closed sockets", BONDY_METRIC_HISTOGRAM,
     socket_labels, durations, BONDY_COUNT(durations)},
};
static const struct bondy_metric_family received_family = {"bondy_received_bytes",
                                                           "octets received from clients",
                                                           BONDY_METRIC_COUNTER,
                                                           byte_labels,
                                                           NULL,
                                                           0};
static const struct bondy_metric_family sent_family = {
    "bondy_sent_bytes", "octets sent to clients", BONDY_METRIC_COUNTER, byte_labels, NULL, 0};
static const struct bondy_metric_family dropped_family = {"bondy_transport_queue_dropped_total",
                                                          "messages not sent to slow clients",
                                                          BONDY_METRIC_COUNTER,
                                                          dropped_labels,
                                                          NULL,
                                                          0};
static const struct bondy_metric_family refused_family = {"bondy_connections_refused_total",
                                                          "connections refused at the door",
                                                          BONDY_METRIC_COUNTER,
                                                          refused_labels,
                                                          NULL,
                                                          0};

static const struct {
    const char *name;
    const char *protocol;
    const char *transport;
} carriers[BONDY_CARRIERS] = {
    [BONDY_CARRIER_TCP] = {"tcp", "wamp", "tcp"},
    [BONDY_CARRIER_TLS] = {"tls", "wamp", "tls"},
    [BONDY_CARRIER_UNIX] = {"unix", "wamp", "unix"},
    [BONDY_CARRIER_WS] = {"ws", "wamp", "ws"},
    [BONDY_CARRIER_WSS] = {"wss", "wamp", "wss"},
    [BONDY_CARRIER_HTTP] = {"http", "http", "tcp"},
    [BONDY_CARRIER_HTTPS] = {"https", "http", "tls"},
};

static void init_carrier(struct bondy_traffic *traffic, const char *node, enum bondy_carrier i)
{
    const char *values[] = {node, carriers[i].protocol, carriers[i].transport, NULL, NULL};
    const char *dropped[] = {carriers[i].transport, "queue_full"};

    traffic->sockets[i] = bondy_metric_series(&families[0], values);
    traffic->opened[i] = bondy_metric_series(&families[1], values);
    traffic->closed[i] = bondy_metric_series(&families[2], values);
    traffic->errors[i] = bondy_metric_series(&families[3], values);
    traffic->duration[i] = bondy_metric_series(&families[4], values);
    if (i == BONDY_CARRIER_HTTP || i == BONDY_CARRIER_HTTPS)
        return;
    traffic->dropped[i] = bondy_metric_series(&dropped_family, dropped);
    for (unsigned s = BONDY_JSON; s < BONDY_SERIALIZERS; s++) {
        values[3] = s == BONDY_JSON ? "text" : "binary";
        values[4] = bondy_serializer_name(s);
        traffic->received[i][s] = bondy_metric_series(&received_family, values);
        traffic->sent[i][s] = bondy_metric_series(&sent_family, values);
    }
}

void bondy_traffic_init(struct bondy_traffic *traffic, const char *node_name)
{
    static const char *const reasons[] = {"max_connections", "max_connections_per_ip",
                                          "descriptors", "handshake"};

    for (unsigned i = 0; i < BONDY_CARRIERS; i++)
        init_carrier(traffic, node_name == NULL ? "" : node_name, i);
    for (unsigned i = 0; i < BONDY_COUNT(reasons); i++)
        traffic->refused[i] = bondy_metric_series(&refused_family, &reasons[i]);
}

const char *bondy_carrier_name(enum bondy_carrier carrier)
{
    return carriers[carrier].name;
}

void bondy_traffic_opened(const struct bondy_traffic *traffic, enum bondy_carrier carrier)
{
    bondy_metric_add(traffic->sockets[carrier], 1);
    bondy_metric_add(traffic->opened[carrier], 1);
}

void bondy_traffic_closed(const struct bondy_traffic *traffic, enum bondy_carrier carrier,
                          uint64_t age_ms)
{
    bondy_metric_add(traffic->sockets[carrier], -1);
    bondy_metric_add(traffic->closed[carrier], 1);
    bondy_metric_observe(traffic->duration[carrier], (double)age_ms / 1000);
}

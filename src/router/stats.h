/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_STATS_H
#define BONDY_ROUTER_STATS_H

/* stats: the metrics of sessions and messages (operations.md 2.2, 2.3).
 *
 * A struct holds the interned series of all sessions that share their labels: realm type,
 * transport and serializer. A thread makes each once, when the first such session opens; counting
 * a message is then a few additions to the thread's own shard. */

#include "src/base/metric.h"
#include "src/router/core.h"

/* The transport of local sessions. */
#define BONDY_STATS_LOCAL "local"

struct bondy_stats {
    struct bondy_list link;
    bool is_master;
    const char *transport;
    enum bondy_serializer serializer;
    bondy_metric_id messages;
    bondy_metric_id bytes;
    bondy_metric_id latency;
    bondy_metric_id by_type[BONDY_MESSAGE_TYPES];
    bool has_send_error[BONDY_MESSAGE_TYPES];
    bondy_metric_id send_errors[BONDY_MESSAGE_TYPES];
    bondy_metric_id sessions;
    bondy_metric_id opened;
    bondy_metric_id closed;
    bondy_metric_id duration;
};

/* The series of sessions with these labels; `transport` is static text. */
struct bondy_stats *bondy_stats_get(struct bondy_router_thread *thread, bool is_master,
                                    const char *transport, enum bondy_serializer serializer);
void bondy_stats_fini(struct bondy_router_thread *thread);

/* One message received or sent. */
static inline void bondy_stats_message(const struct bondy_stats *stats,
                                       enum bondy_message_type type, size_t len)
{
    bondy_metric_add(stats->messages, 1);
    bondy_metric_add(stats->by_type[type], 1);
    bondy_metric_observe(stats->bytes, (double)len);
}

/* A message was not sent: longer than the peer takes. */
void bondy_stats_too_long(struct bondy_session *session, enum bondy_message_type type);
void bondy_stats_joined(struct bondy_session *session);
void bondy_stats_left(struct bondy_session *session);
/* An entry of a registry came (1) or went (-1). Any thread. */
void bondy_stats_entry(enum bondy_kind kind, enum bondy_match match, int delta);

#endif

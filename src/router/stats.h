/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_STATS_H
#define BONDY_ROUTER_STATS_H

/* stats: the metrics of sessions and messages (operations.md 2.2, 2.3).
 *
 * A struct holds the interned series of all sessions that share their labels: realm type,
 * transport and serializer. A thread makes each once, when the first such session opens. What comes
 * with every message is tallied here and goes to the series once a turn. */

#include "src/base/metric.h"
#include "src/router/core.h"

/* The transport of local sessions. */
#define BONDY_STATS_LOCAL "local"

#define BONDY_STATS_OCTETS 13       /* buckets without +Inf */
#define BONDY_STATS_MILLISECONDS 24 /* the same */
/* The bounds of the buckets. */
extern const double bondy_stats_octets[BONDY_STATS_OCTETS];
extern const double bondy_stats_milliseconds[BONDY_STATS_MILLISECONDS];

/* What was counted since the last bondy_stats_flush(). */
struct bondy_tally {
    uint32_t by_type[BONDY_MESSAGE_TYPES];
    uint8_t types[BONDY_MESSAGE_TYPES]; /* those in by_type that are not 0 */
    unsigned type_count;
    uint32_t sizes[BONDY_STATS_OCTETS + 1];
    uint64_t octets;
    uint32_t latencies[BONDY_STATS_MILLISECONDS + 1];
    uint64_t milliseconds;
    bool has_latencies;
};

struct bondy_stats {
    struct bondy_list link;
    struct bondy_tally tally;
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
/* Adds to the series what was tallied. Once a turn. */
void bondy_stats_flush(struct bondy_router_thread *thread);

static inline unsigned bondy_stats_bucket(const double *bounds, unsigned count, uint64_t value)
{
    unsigned bucket = 0;

    while (bucket < count && (double)value > bounds[bucket])
        bucket++;
    return bucket;
}

/* One message received or sent. */
static inline void bondy_stats_message(struct bondy_stats *stats, enum bondy_message_type type,
                                       size_t len)
{
    struct bondy_tally *tally = &stats->tally;

    if (tally->by_type[type]++ == 0)
        tally->types[tally->type_count++] = (uint8_t)type;
    tally->sizes[bondy_stats_bucket(bondy_stats_octets, BONDY_STATS_OCTETS, len)]++;
    tally->octets += len;
}

/* A call was answered. */
static inline void bondy_stats_latency(struct bondy_stats *stats, uint64_t ms)
{
    struct bondy_tally *tally = &stats->tally;

    tally->latencies[bondy_stats_bucket(bondy_stats_milliseconds, BONDY_STATS_MILLISECONDS, ms)]++;
    tally->milliseconds += ms;
    tally->has_latencies = true;
}

/* A message was not sent: longer than the peer takes. */
void bondy_stats_too_long(struct bondy_session *session, enum bondy_message_type type);
void bondy_stats_joined(struct bondy_session *session);
void bondy_stats_left(struct bondy_session *session);
/* An entry of a registry came (1) or went (-1). Any thread. */
void bondy_stats_entry(enum bondy_kind kind, enum bondy_match match, int delta);

#endif

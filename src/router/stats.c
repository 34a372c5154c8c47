/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/stats.h"

#include "src/base/alloc.h"

#define SESSION_LABELS "realm_type", "node"
#define BASE_LABELS "realm_type", "node", "protocol", "transport", "frame_type", "encoding"
#define BASE_LABEL_COUNT 6

static const char *const session_labels[] = {SESSION_LABELS, NULL};
static const char *const base_labels[] = {BASE_LABELS, NULL};
static const char *const procedure_labels[] = {BASE_LABELS, "procedure_uri", NULL};
static const char *const topic_labels[] = {BASE_LABELS, "topic_uri", NULL};
static const char *const error_labels[] = {BASE_LABELS, "error_uri", NULL};
static const char *const send_error_labels[] = {BASE_LABELS, "reason", "message_type", NULL};

static const double seconds[] = {0,  1,  2,  3,  4,   5,   10,  15,   20,
                                 25, 30, 60, 90, 180, 300, 600, 1800, 3600};
const double bondy_stats_milliseconds[BONDY_STATS_MILLISECONDS] = {
    0,   1,   2,   5,   10,  15,   25,   50,   75,   100,  150,  200,
    250, 300, 400, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000};
const double bondy_stats_octets[BONDY_STATS_OCTETS] = {
    0, 1024, 4096, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 2097152, 4194304, 8388608};

#define COUNTER(name_, help_, labels_)                                                             \
    {                                                                                              \
        .name = name_, .help = help_, .type = BONDY_METRIC_COUNTER, .labels = labels_              \
    }
#define HISTOGRAM(name_, help_, labels_, buckets_)                                                 \
    {                                                                                              \
        .name = name_, .help = help_, .type = BONDY_METRIC_HISTOGRAM, .labels = labels_,           \
        .buckets = buckets_, .bucket_count = BONDY_COUNT(buckets_)                                 \
    }

static const struct bondy_metric_family sessions_family = {
    .name = "bondy_sessions_total",
    .help = "Sessions that are joined to a realm now.",
    .type = BONDY_METRIC_GAUGE,
    .labels = session_labels};
static const struct bondy_metric_family opened_family =
    COUNTER("bondy_sessions_opened_total", "Sessions that joined a realm.", session_labels);
static const struct bondy_metric_family closed_family =
    COUNTER("bondy_sessions_closed_total", "Sessions that left their realm.", session_labels);
static const struct bondy_metric_family duration_family = HISTOGRAM(
    "bondy_session_duration_seconds", "Time from join to leave.", session_labels, seconds);
static const struct bondy_metric_family messages_family =
    COUNTER("bondy_wamp_messages_total", "WAMP messages received and sent.", base_labels);
static const struct bondy_metric_family bytes_family = HISTOGRAM(
    "bondy_wamp_message_bytes", "Encoded size of WAMP messages.", base_labels, bondy_stats_octets);
static const struct bondy_metric_family latency_family = HISTOGRAM(
    "bondy_wamp_call_latency_milliseconds", "From CALL received to its first RESULT or ERROR sent.",
    procedure_labels, bondy_stats_milliseconds);
static const struct bondy_metric_family send_errors_family =
    COUNTER("bondy_send_errors_total", "Messages that could not be sent to their receiver.",
            send_error_labels);

static const char *const match_labels[] = {"match", NULL};
static const struct bondy_metric_family entry_families[BONDY_KINDS] = {
    [BONDY_SUBSCRIPTIONS] = {.name = "bondy_subscriptions",
                             .help = "Subscriptions: topics and match policies with subscribers.",
                             .type = BONDY_METRIC_GAUGE,
                             .labels = match_labels},
    [BONDY_REGISTRATIONS] = {.name = "bondy_registrations",
                             .help = "Registrations: procedures and match policies with callees.",
                             .type = BONDY_METRIC_GAUGE,
                             .labels = match_labels},
};

#define TYPE(type_, name_, labels_)                                                                \
    [BONDY_##type_] = COUNTER("bondy_wamp_" name_ "_messages_total",                               \
                              "WAMP messages of type " #type_ ".", labels_)

static const struct bondy_metric_family type_families[BONDY_MESSAGE_TYPES] = {
    TYPE(HELLO, "hello", base_labels),
    TYPE(WELCOME, "welcome", base_labels),
    TYPE(ABORT, "abort", base_labels),
    TYPE(CHALLENGE, "challenge", base_labels),
    TYPE(AUTHENTICATE, "authenticate", base_labels),
    TYPE(GOODBYE, "goodbye", base_labels),
    TYPE(ERROR, "error", error_labels),
    TYPE(PUBLISH, "publish", topic_labels),
    TYPE(PUBLISHED, "published", base_labels),
    TYPE(SUBSCRIBE, "subscribe", topic_labels),
    TYPE(SUBSCRIBED, "subscribed", base_labels),
    TYPE(UNSUBSCRIBE, "unsubscribe", base_labels),
    TYPE(UNSUBSCRIBED, "unsubscribed", base_labels),
    TYPE(EVENT, "event", base_labels),
    TYPE(CALL, "call", procedure_labels),
    TYPE(CANCEL, "cancel", base_labels),
    TYPE(RESULT, "result", base_labels),
    TYPE(REGISTER, "register", procedure_labels),
    TYPE(REGISTERED, "registered", base_labels),
    TYPE(UNREGISTER, "unregister", base_labels),
    TYPE(UNREGISTERED, "unregistered", base_labels),
    TYPE(INVOCATION, "invocation", base_labels),
    TYPE(INTERRUPT, "interrupt", base_labels),
    TYPE(YIELD, "yield", base_labels),
};

/* Values for the base labels and up to two more. */
static void fill_values(const char *values[BASE_LABEL_COUNT + 3],
                        struct bondy_router_thread *thread, const struct bondy_stats *stats)
{
    values[0] = stats->is_master ? "master" : "user";
    values[1] = thread->router->node_name;
    values[2] = "wamp";
    values[3] = stats->transport;
    values[4] = stats->serializer == BONDY_JSON ? "text" : "binary";
    values[5] = bondy_serializer_name(stats->serializer);
    values[6] = ""; /* metrics.uri_labels = off */
    values[7] = "";
    values[8] = NULL;
}

/* Local sessions neither join nor send messages: they only call. */
static void intern_peer_series(struct bondy_stats *stats, const char *const *values)
{
    stats->messages = bondy_metric_series(&messages_family, values);
    stats->bytes = bondy_metric_series(&bytes_family, values);
    for (size_t type = 0; type < BONDY_MESSAGE_TYPES; type++) {
        if (type_families[type].name != NULL)
            stats->by_type[type] = bondy_metric_series(&type_families[type], values);
    }
    stats->sessions = bondy_metric_series(&sessions_family, values);
    stats->opened = bondy_metric_series(&opened_family, values);
    stats->closed = bondy_metric_series(&closed_family, values);
    stats->duration = bondy_metric_series(&duration_family, values);
}

static struct bondy_stats *stats_create(struct bondy_router_thread *thread, bool is_master,
                                        const char *transport, enum bondy_serializer serializer)
{
    struct bondy_stats *stats = bondy_zalloc(sizeof *stats);
    const char *values[BASE_LABEL_COUNT + 3];

    stats->is_master = is_master;
    stats->transport = transport;
    stats->serializer = serializer;
    fill_values(values, thread, stats);
    stats->latency = bondy_metric_series(&latency_family, values);
    if (strcmp(transport, BONDY_STATS_LOCAL) != 0)
        intern_peer_series(stats, values);
    bondy_list_append(&thread->stats, &stats->link);
    return stats;
}

struct bondy_stats *bondy_stats_get(struct bondy_router_thread *thread, bool is_master,
                                    const char *transport, enum bondy_serializer serializer)
{
    BONDY_LIST_EACH(link, &thread->stats)
    {
        struct bondy_stats *stats = BONDY_LIST_ENTRY(link, struct bondy_stats, link);

        if (stats->is_master == is_master && stats->serializer == serializer &&
            strcmp(stats->transport, transport) == 0)
            return stats;
    }
    return stats_create(thread, is_master, transport, serializer);
}

static void flush_messages(struct bondy_stats *stats)
{
    struct bondy_tally *tally = &stats->tally;
    int64_t messages = 0;

    for (unsigned i = 0; i < tally->type_count; i++) {
        unsigned type = tally->types[i];

        bondy_metric_add(stats->by_type[type], tally->by_type[type]);
        messages += tally->by_type[type];
        tally->by_type[type] = 0;
    }
    bondy_metric_add(stats->messages, messages);
    bondy_metric_observe_all(stats->bytes, tally->sizes, (double)tally->octets);
    tally->type_count = 0;
    memset(tally->sizes, 0, sizeof tally->sizes);
    tally->octets = 0;
}

static void flush_latencies(struct bondy_stats *stats)
{
    struct bondy_tally *tally = &stats->tally;

    bondy_metric_observe_all(stats->latency, tally->latencies, (double)tally->milliseconds);
    memset(tally->latencies, 0, sizeof tally->latencies);
    tally->milliseconds = 0;
    tally->has_latencies = false;
}

void bondy_stats_flush(struct bondy_router_thread *thread)
{
    BONDY_LIST_EACH(link, &thread->stats)
    {
        struct bondy_stats *stats = BONDY_LIST_ENTRY(link, struct bondy_stats, link);

        if (stats->tally.type_count > 0)
            flush_messages(stats);
        if (stats->tally.has_latencies)
            flush_latencies(stats);
    }
}

void bondy_stats_fini(struct bondy_router_thread *thread)
{
    bondy_stats_flush(thread);
    BONDY_LIST_EACH_SAFE(link, &thread->stats)
    {
        bondy_list_remove(link);
        bondy_free(BONDY_LIST_ENTRY(link, struct bondy_stats, link));
    }
}

void bondy_stats_too_long(struct bondy_session *session, enum bondy_message_type type)
{
    struct bondy_stats *stats = session->stats;
    const char *values[BASE_LABEL_COUNT + 3];

    if (!stats->has_send_error[type]) {
        fill_values(values, session->thread, stats);
        values[6] = "payload_size_exceeded";
        values[7] = bondy_message_name(type);
        stats->send_errors[type] = bondy_metric_series(&send_errors_family, values);
        stats->has_send_error[type] = true;
    }
    bondy_metric_add(stats->send_errors[type], 1);
}

void bondy_stats_joined(struct bondy_session *session)
{
    bondy_metric_add(session->stats->sessions, 1);
    bondy_metric_add(session->stats->opened, 1);
}

void bondy_stats_left(struct bondy_session *session)
{
    bondy_metric_add(session->stats->sessions, -1);
    bondy_metric_add(session->stats->closed, 1);
    bondy_metric_observe(session->stats->duration,
                         (double)(session->thread->wheel->now_ms - session->joined_ms) / 1000.0);
}

static bondy_metric_id entry_series[BONDY_KINDS][BONDY_MATCHES];
static pthread_once_t entry_once = PTHREAD_ONCE_INIT;

static void make_entry_series(void)
{
    for (unsigned kind = 0; kind < BONDY_KINDS; kind++) {
        for (unsigned match = 0; match < BONDY_MATCHES; match++) {
            const char *values[] = {bondy_match_name((enum bondy_match)match), NULL};

            entry_series[kind][match] = bondy_metric_series(&entry_families[kind], values);
        }
    }
}

void bondy_stats_entry(enum bondy_kind kind, enum bondy_match match, int delta)
{
    pthread_once(&entry_once, make_entry_series);
    bondy_metric_add(entry_series[kind][match], delta);
}

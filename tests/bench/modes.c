/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum role { ROLE_CALLER = 1, ROLE_CALLEE, ROLE_SUBSCRIBER, ROLE_PUBLISHER, ROLE_IDLE, ROLE_STORM };
enum { TYPE_READY = 0, TYPE_RAW = 1 };

/* One run at a time: the generator is one thread. */
static struct {
    const struct plan *plan;
    struct result *result;
    struct peer **peers;
    unsigned peer_count, ready;
    bool counts, stops, wants_errors, acknowledges;
    uint32_t *callee_numbers; /* anchor: numbers of the callees */
    unsigned callee_count;
    uint16_t fan_count[PEER_SENT]; /* receivers that have the n-th publication */
} run;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "wampload: %s\n", what);
    exit(1);
}

static void uri_of(char out[64], const char *kind, unsigned index)
{
    snprintf(out, 64, "com.example.bench.%s.%u.%u", kind, run.plan->process, index);
}

static struct peer *add_peer(const struct target *target, enum transport transport,
                             enum serializer serializer, enum role role, unsigned index)
{
    struct peer *peer = peer_open(target, transport, serializer);

    peer->role = role;
    peer->index = index;
    run.peers[run.peer_count++] = peer;
    return peer;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void send_request(struct peer *peer, uint64_t intended_ns)
{
    uint32_t id = ++peer->next_id;

    if (peer->transport != TRANSPORT_HTTP)
        wire_set_id(&peer->request, id);
    peer->sent_ns[id % PEER_SENT] = intended_ns;
    peer->in_flight++;
    peer_send(peer, &peer->request);
}

static void completed(struct peer *peer, uint64_t id)
{
    uint64_t now = now_ns();

    if (peer->in_flight == 0)
        fail("an answer that was not asked for");
    peer->in_flight--;
    if (run.counts) {
        run.result->ops++;
        hist_add(&run.result->latency, now - peer->sent_ns[id % PEER_SENT]);
    }
    if (!run.stops && run.plan->rate <= 0)
        send_request(peer, now);
}

static struct frame http_request(void)
{
    const char *header = run.plan->http_header;
    char text[8192];
    struct frame frame = {0};
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s:%u\r\n%s%s\r\n",
                       run.plan->http_path, run.plan->target.host, run.plan->target.port,
                       header == NULL ? "" : header, header == NULL ? "" : "\r\n");

    frame.bytes = (uint8_t *)strdup(text);
    frame.len = (size_t)len;
    return frame;
}

static void make_request(struct peer *peer)
{
    char uri[64];
    struct frame model;
    unsigned callee = run.plan->callees == 0 ? 0 : peer->index % run.plan->callees;

    peer->sent_ns = calloc(PEER_SENT, sizeof *peer->sent_ns);
    uri_of(uri, run.wants_errors ? "missing" : "call", callee);
    if (peer->transport == TRANSPORT_HTTP) {
        peer->request = http_request();
    } else if (peer->role == ROLE_PUBLISHER) {
        uri_of(uri, "topic", 0);
        peer->request = wire_publish(peer->transport, peer->serializer, uri, run.plan->payload,
                                     run.acknowledges);
    } else {
        peer->request = wire_call(peer->transport, peer->serializer, uri, run.plan->payload);
    }
    if (peer->transport == TRANSPORT_RAW) {
        uint32_t to = peer->role == ROLE_PUBLISHER && !run.acknowledges ? RAW_FAN
                      : run.callee_count == 0                           ? peer->number
                                              : run.callee_numbers[callee];

        /* As many octets as the router's message has. */
        wire_free(&peer->request);
        model = wire_call(TRANSPORT_RS, SERIALIZER_MSGPACK, uri, run.plan->payload);
        peer->request = wire_raw(model.len, to, peer->number);
        wire_free(&model);
    }
}

/* ---- what arrives --------------------------------------------------------------------------- */

static void say_hello(struct peer *peer)
{
    char authid[64];
    struct frame hello;

    snprintf(authid, sizeof authid, "%s%u", run.plan->authid == NULL ? "" : run.plan->authid,
             peer->index);
    hello = wire_hello(peer->transport, peer->serializer, run.plan->realm,
                       run.plan->authid == NULL ? NULL : authid);

    peer_send(peer, &hello);
    wire_free(&hello);
}

static void is_ready(struct peer *peer)
{
    (void)peer;
    run.ready++;
}

static void on_transport_ready(struct peer *peer)
{
    if (peer->transport != TRANSPORT_RAW) {
        say_hello(peer);
        return;
    }
    if (peer->role == ROLE_CALLEE)
        run.callee_numbers[run.callee_count++] = peer->number;
    is_ready(peer);
}

static void on_welcome(struct peer *peer)
{
    char uri[64];
    struct frame frame;

    if (peer->role == ROLE_STORM) {
        run.result->ops += run.counts;
        peer_close(peer);
        return;
    }
    if (peer->role != ROLE_CALLEE && peer->role != ROLE_SUBSCRIBER) {
        is_ready(peer);
        return;
    }
    uri_of(uri, peer->role == ROLE_CALLEE ? "call" : "topic",
           peer->role == ROLE_CALLEE ? peer->index : 0);
    if (peer->role == ROLE_CALLEE && run.plan->http_path != NULL)
        snprintf(uri, sizeof uri, "com.example.bench.http");
    frame = peer->role == ROLE_CALLEE ? wire_register(peer->transport, peer->serializer, uri)
                                      : wire_subscribe(peer->transport, peer->serializer, uri);
    wire_set_id(&frame, ++peer->next_id);
    peer_send(peer, &frame);
    wire_free(&frame);
}

static void on_invocation(struct peer *peer, uint64_t id)
{
    if (peer->request.bytes == NULL)
        peer->request = wire_yield(peer->transport, peer->serializer, run.plan->payload);
    wire_set_id(&peer->request, (uint32_t)id);
    peer_send(peer, &peer->request);
}

/* The n-th EVENT of a subscriber is the n-th publication: order is promised. */
static void on_event(struct peer *peer)
{
    unsigned n = peer->in_flight++ % PEER_SENT;
    struct peer *publisher = run.peers[run.peer_count - 1];

    run.result->messages += run.counts;
    if (++run.fan_count[n] < run.plan->subscribers)
        return;
    run.fan_count[n] = 0;
    completed(publisher, n + 1);
}

static void on_raw(struct peer *peer, uint64_t id, uint64_t sender, size_t len)
{
    if (peer->role == ROLE_CALLEE) {
        struct frame back = wire_raw(len, (uint32_t)sender, peer->number);

        wire_set_id(&back, (uint32_t)id);
        peer_send(peer, &back);
        wire_free(&back);
    } else if (peer->role == ROLE_SUBSCRIBER) {
        on_event(peer);
    } else {
        completed(peer, id);
    }
}

static void on_message(struct peer *peer, unsigned type, uint64_t id, uint64_t id2,
                       const uint8_t *bytes, size_t len)
{
    bool has_payload = run.plan->payload == 0 || type != 50 ||
                       wire_has_payload(peer->serializer, bytes, len, run.plan->payload);

    if (peer->transport == TRANSPORT_HTTP) {
        run.result->errors += type != 200;
        completed(peer, peer->next_id);
        return;
    }
    switch (type) {
    case TYPE_READY:
        on_transport_ready(peer);
        return;
    case TYPE_RAW:
        on_raw(peer, id, id2, len);
        return;
    case 2: /* WELCOME */
        on_welcome(peer);
        return;
    case 33: /* SUBSCRIBED */
    case 65: /* REGISTERED */
        is_ready(peer);
        return;
    case 68: /* INVOCATION */
        on_invocation(peer, id);
        return;
    case 36: /* EVENT */
        on_event(peer);
        return;
    case 50: /* RESULT */
    case 17: /* PUBLISHED */
        run.result->errors += !has_payload;
        completed(peer, id);
        return;
    case 8: /* ERROR */
        run.result->errors += !run.wants_errors;
        completed(peer, id2);
        return;
    default:
        fprintf(stderr, "wampload: message type %u: %.*s\n", type, len > 200 ? 200 : (int)len,
                bytes);
        exit(1);
    }
}

static void on_closed(struct peer *peer)
{
    if (peer->role != ROLE_STORM && !run.stops)
        fail("the server closed a connection");
}

/* ---- running -------------------------------------------------------------------------------- */

static void until_ready(unsigned count)
{
    uint64_t deadline = now_ns() + 60ull * 1000000000u;

    while (run.ready < count) {
        peers_turn(100);
        if (now_ns() > deadline)
            fail("the server does not answer");
    }
}

static void turn_for(double seconds, void (*work)(double elapsed))
{
    uint64_t start = now_ns();
    double elapsed = 0;

    while (elapsed < seconds) {
        if (work != NULL)
            work(elapsed);
        peers_turn(work != NULL ? 1 : 10);
        elapsed = (double)(now_ns() - start) / 1e9;
    }
}

static struct {
    unsigned first, count, next;
    uint64_t sent, start_ns;
} senders;

/* Open loop: sends what is due by now, stamped with when it was due. */
static void send_due(double elapsed)
{
    uint64_t due = (uint64_t)(elapsed * run.plan->rate);

    while (senders.sent < due) {
        struct peer *peer = run.peers[senders.first + senders.next++ % senders.count];
        uint64_t intended =
            senders.start_ns + (uint64_t)((double)senders.sent / run.plan->rate * 1e9);

        if (peer->in_flight < PEER_SENT - 1)
            send_request(peer, intended);
        senders.sent++;
    }
}

static void phase(double seconds, bool counts)
{
    uint64_t start = now_ns();

    run.counts = counts;
    senders.sent = 0;
    senders.start_ns = start;
    turn_for(seconds, run.plan->rate > 0 ? send_due : NULL);
    run.counts = false;
    if (counts)
        run.result->seconds = (double)(now_ns() - start) / 1e9;
}

static void measure(unsigned first, unsigned count)
{
    senders.first = first;
    senders.count = count;
    for (unsigned i = first; i < first + count; i++) {
        make_request(run.peers[i]);
        for (unsigned d = 0; run.plan->rate <= 0 && d < run.plan->depth; d++)
            send_request(run.peers[i], now_ns());
    }
    phase(run.plan->warmup_s, false);
    phase(run.plan->seconds, true);
    run.stops = true;
}

static void open_many(const struct target *target, enum transport transport,
                      enum serializer serializer, enum role role, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        add_peer(target, transport, serializer, role, i);
        if (i % 64 == 63)
            peers_turn(0);
    }
}

static void run_rpc(void)
{
    const struct plan *plan = run.plan;

    run.callee_numbers = calloc(plan->callees + 1, sizeof *run.callee_numbers);
    open_many(&plan->callee, plan->callee_transport, plan->callee_serializer, ROLE_CALLEE,
              plan->callees);
    until_ready(plan->callees);
    open_many(&plan->target, plan->transport, plan->serializer, ROLE_CALLER, plan->callers);
    if (plan->transport != TRANSPORT_HTTP)
        until_ready(plan->callees + plan->callers);
    measure(plan->callees, plan->callers);
}

static void run_errors(void)
{
    run.wants_errors = true;
    open_many(&run.plan->target, run.plan->transport, run.plan->serializer, ROLE_CALLER,
              run.plan->callers);
    until_ready(run.plan->callers);
    measure(0, run.plan->callers);
}

/* One message in, one out, on the same connection. */
static void run_echo(void)
{
    run.acknowledges = true;
    open_many(&run.plan->target, run.plan->transport, run.plan->serializer, ROLE_PUBLISHER,
              run.plan->callers);
    until_ready(run.plan->callers);
    measure(0, run.plan->callers);
}

static void run_pubsub(void)
{
    const struct plan *plan = run.plan;

    open_many(&plan->target, plan->transport, plan->serializer, ROLE_SUBSCRIBER, plan->subscribers);
    until_ready(plan->subscribers);
    open_many(&plan->target, plan->transport, plan->serializer, ROLE_PUBLISHER, 1);
    until_ready(plan->subscribers + 1);
    measure(plan->subscribers, 1);
}

static void keep_storming(double elapsed)
{
    (void)elapsed;
    for (unsigned i = 0; i < run.plan->connections; i++)
        if (run.peers[i] == NULL || run.peers[i]->fd < 0) {
            free(run.peers[i]);
            run.peers[i] = peer_open(&run.plan->target, run.plan->transport, run.plan->serializer);
            run.peers[i]->role = ROLE_STORM;
        }
}

static void run_storm(void)
{
    turn_for(run.plan->warmup_s, keep_storming);
    run.counts = true;
    turn_for(run.plan->seconds, keep_storming);
    run.counts = false;
    run.result->seconds = run.plan->seconds;
    run.stops = true;
}

static double rss_of(long pid)
{
    char path[64], line[256];
    double kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

/* Holds connections; tells the server's memory at half of them and at all. Then says so and stays
 * until standard input ends, so that something else can be measured beside it. */
static void run_idle(void)
{
    const struct plan *plan = run.plan;
    unsigned half = plan->connections / 2;
    char octet;

    open_many(&plan->target, plan->transport, plan->serializer, ROLE_IDLE, half);
    until_ready(half);
    turn_for(plan->warmup_s, NULL);
    run.result->rss_first = rss_of(plan->pid);
    open_many(&plan->target, plan->transport, plan->serializer, ROLE_IDLE,
              plan->connections - half);
    until_ready(plan->connections);
    turn_for(plan->warmup_s, NULL);
    run.result->rss_second = rss_of(plan->pid);
    run.result->ops = plan->connections - half;
    run.stops = true;
    if (plan->seconds <= 0) {
        puts("holding");
        fflush(stdout);
        while (read(STDIN_FILENO, &octet, 1) > 0)
            ;
    }
}

/* Half of the subscribers stop reading; the publisher goes on. Memory of the server before and
 * after. */
static void run_slow(void)
{
    const struct plan *plan = run.plan;
    unsigned deaf = plan->subscribers / 2;

    open_many(&plan->target, plan->transport, plan->serializer, ROLE_SUBSCRIBER, plan->subscribers);
    until_ready(plan->subscribers);
    open_many(&plan->target, plan->transport, plan->serializer, ROLE_PUBLISHER, 1);
    until_ready(plan->subscribers + 1);
    for (unsigned i = 0; i < deaf; i++)
        peer_deafen(run.peers[i]);
    ((struct plan *)plan)->subscribers -= deaf;
    run.result->rss_first = rss_of(plan->pid);
    measure(run.peer_count - 1, 1);
    run.result->rss_second = rss_of(plan->pid);
}

static const struct mode {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"rpc", run_rpc},     {"echo", run_echo},   {"pubsub", run_pubsub}, {"errors", run_errors},
    {"gateway", run_rpc}, {"storm", run_storm}, {"idle", run_idle},     {"slow", run_slow},
};

const char *modes_names(void)
{
    return "rpc echo pubsub errors gateway storm idle slow";
}

bool modes_run(const char *name, const struct plan *plan, struct result *result)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, name) != 0)
            continue;
        run.plan = plan;
        run.result = result;
        run.peers =
            calloc(plan->callers + plan->callees + plan->subscribers + plan->connections + 2,
                   sizeof *run.peers);
        peers_start(on_message, on_closed);
        modes[i].run();
        return true;
    }
    return false;
}

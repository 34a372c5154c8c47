/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_BENCH_MODES_H
#define BONDY_TESTS_BENCH_MODES_H

/* modes: what the load generator can do, and the numbers that come out of it. */

#include "tests/bench/hist.h"
#include "tests/bench/peer.h"

struct plan {
    struct target target; /* of callers, publishers, subscribers */
    struct target callee; /* where callees connect (gateway mode: another port) */
    enum transport transport;
    enum serializer serializer;
    enum transport callee_transport;
    enum serializer callee_serializer;
    unsigned callers, callees, subscribers, connections;
    unsigned depth;
    size_t payload;
    double warmup_s, seconds;
    double rate; /* open loop: operations a second in all; 0 = closed loop */
    const char *realm;
    const char
        *authid; /* the peers are <authid>0, <authid>1, ... (method trust); NULL: anonymous */
    const char *http_path;
    const char *http_header; /* a line without its end; NULL: none */
    long pid;                /* of the server, for its memory */
    unsigned process;        /* number among the forked ones */
};

struct result {
    uint64_t ops, errors, messages;
    double seconds;
    double rss_first, rss_second; /* idle: bytes of the server at half and at all connections */
    struct hist latency;
};

/* Runs the mode named; false when there is none. */
bool modes_run(const char *name, const struct plan *plan, struct result *result);
const char *modes_names(void);

#endif

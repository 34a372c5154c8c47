/* SPDX-License-Identifier: Apache-2.0 */
/* wampload: the load generator. Prints one JSON line with what it measured; see --help. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/modes.h"

static const char *const transports[] = {"rs", "ws", "raw", "http", NULL};
static const char *const serializers[] = {"-", "json", "msgpack", "cbor", NULL};

static void usage(void)
{
    printf("usage: wampload MODE [OPTION...]\n"
           "  modes: %s\n"
           "  --port N --path /ws --transport rs|ws|raw|http --serializer json|msgpack|cbor\n"
           "  --callee-port N --callee-transport T --callee-serializer S\n"
           "  --callers N --callees N --subscribers N --connections N --depth N --payload OCTETS\n"
           "  --rate OPS (open loop) --warmup S --seconds S --realm URI --authid PREFIX "
           "--http-path PATH --http-header LINE\n"
           "  --pid PID (memory of the server) --sources N (client addresses) -j N (processes)\n",
           modes_names());
    exit(2);
}

static unsigned word(const char *text, const char *const *words)
{
    for (unsigned i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    usage();
    return 0;
}

enum {
    OPT_PORT = 256,
    OPT_PATH,
    OPT_TRANSPORT,
    OPT_SERIALIZER,
    OPT_CALLEE_PORT,
    OPT_CALLEE_TRANSPORT,
    OPT_CALLEE_SERIALIZER,
    OPT_CALLERS,
    OPT_CALLEES,
    OPT_SUBSCRIBERS,
    OPT_CONNECTIONS,
    OPT_DEPTH,
    OPT_PAYLOAD,
    OPT_RATE,
    OPT_WARMUP,
    OPT_SECONDS,
    OPT_REALM,
    OPT_AUTHID,
    OPT_HTTP_PATH,
    OPT_HTTP_HEADER,
    OPT_PID,
    OPT_SOURCES
};

static const struct option options[] = {
    {"port", 1, NULL, OPT_PORT},
    {"path", 1, NULL, OPT_PATH},
    {"transport", 1, NULL, OPT_TRANSPORT},
    {"serializer", 1, NULL, OPT_SERIALIZER},
    {"callee-port", 1, NULL, OPT_CALLEE_PORT},
    {"callee-transport", 1, NULL, OPT_CALLEE_TRANSPORT},
    {"callee-serializer", 1, NULL, OPT_CALLEE_SERIALIZER},
    {"callers", 1, NULL, OPT_CALLERS},
    {"callees", 1, NULL, OPT_CALLEES},
    {"subscribers", 1, NULL, OPT_SUBSCRIBERS},
    {"connections", 1, NULL, OPT_CONNECTIONS},
    {"depth", 1, NULL, OPT_DEPTH},
    {"payload", 1, NULL, OPT_PAYLOAD},
    {"rate", 1, NULL, OPT_RATE},
    {"warmup", 1, NULL, OPT_WARMUP},
    {"seconds", 1, NULL, OPT_SECONDS},
    {"realm", 1, NULL, OPT_REALM},
    {"authid", 1, NULL, OPT_AUTHID},
    {"http-path", 1, NULL, OPT_HTTP_PATH},
    {"http-header", 1, NULL, OPT_HTTP_HEADER},
    {"pid", 1, NULL, OPT_PID},
    {"sources", 1, NULL, OPT_SOURCES},
    {NULL, 0, NULL, 0},
};

static bool take_connection_option(struct plan *plan, int option)
{
    switch (option) {
    case OPT_PORT:
        plan->target.port = (uint16_t)strtoul(optarg, NULL, 10);
        return true;
    case OPT_PATH:
        plan->target.path = plan->callee.path = optarg;
        return true;
    case OPT_TRANSPORT:
        plan->transport = word(optarg, transports);
        return true;
    case OPT_SERIALIZER:
        plan->serializer = word(optarg, serializers);
        return true;
    case OPT_CALLEE_PORT:
        plan->callee.port = (uint16_t)strtoul(optarg, NULL, 10);
        return true;
    case OPT_CALLEE_TRANSPORT:
        plan->callee_transport = word(optarg, transports);
        return true;
    case OPT_CALLEE_SERIALIZER:
        plan->callee_serializer = word(optarg, serializers);
        return true;
    case OPT_REALM:
        plan->realm = optarg;
        return true;
    case OPT_AUTHID:
        plan->authid = optarg;
        return true;
    case OPT_HTTP_PATH:
        plan->http_path = optarg;
        return true;
    case OPT_HTTP_HEADER:
        plan->http_header = optarg;
        return true;
    case OPT_PID:
        plan->pid = strtol(optarg, NULL, 10);
        return true;
    case OPT_SOURCES:
        plan->target.sources = plan->callee.sources = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    default:
        return false;
    }
}

static bool take_load_option(struct plan *plan, int option)
{
    unsigned number = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);

    switch (option) {
    case OPT_CALLERS:
        plan->callers = number;
        return true;
    case OPT_CALLEES:
        plan->callees = number;
        return true;
    case OPT_SUBSCRIBERS:
        plan->subscribers = number;
        return true;
    case OPT_CONNECTIONS:
        plan->connections = number;
        return true;
    case OPT_DEPTH:
        plan->depth = number;
        return true;
    case OPT_PAYLOAD:
        plan->payload = number;
        return true;
    case OPT_RATE:
        plan->rate = strtod(optarg, NULL);
        return true;
    case OPT_WARMUP:
        plan->warmup_s = strtod(optarg, NULL);
        return true;
    case OPT_SECONDS:
        plan->seconds = strtod(optarg, NULL);
        return true;
    default:
        return false;
    }
}

static void add_up(struct result *sum, const struct result *one)
{
    sum->ops += one->ops;
    sum->errors += one->errors;
    sum->messages += one->messages;
    sum->rss_first += one->rss_first;
    sum->rss_second += one->rss_second;
    if (one->seconds > sum->seconds)
        sum->seconds = one->seconds;
    sum->latency.count += one->latency.count;
    if (one->latency.max > sum->latency.max)
        sum->latency.max = one->latency.max;
    for (unsigned i = 0; i < HIST_OCTAVES * HIST_STEPS; i++)
        sum->latency.bins[i] += one->latency.bins[i];
}

static void print(const char *mode, const struct result *r)
{
    double seconds = r->seconds > 0 ? r->seconds : 1;
    const struct hist *h = &r->latency;

    printf("{\"mode\":\"%s\",\"ops\":%llu,\"errors\":%llu,\"seconds\":%.3f,\"ops_per_s\":%.1f,"
           "\"messages_per_s\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
           "\"p999_us\":%.1f,\"max_us\":%.1f,\"rss_first\":%.0f,\"rss_second\":%.0f}\n",
           mode, (unsigned long long)r->ops, (unsigned long long)r->errors, r->seconds,
           (double)r->ops / seconds, (double)r->messages / seconds,
           (double)hist_quantile(h, 0.5) / 1e3, (double)hist_quantile(h, 0.9) / 1e3,
           (double)hist_quantile(h, 0.99) / 1e3, (double)hist_quantile(h, 0.999) / 1e3,
           (double)h->max / 1e3, r->rss_first, r->rss_second);
}

/* Each process measures into memory that it shares with the first one, which prints the sum. */
static int run_processes(const char *mode, struct plan *plan, unsigned processes)
{
    struct result *results = mmap(NULL, (processes + 1) * sizeof *results, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status, worst = 0;

    if (results == MAP_FAILED)
        return 1;
    for (unsigned i = 0; i < processes; i++)
        if (fork() == 0) {
            plan->process = i;
            exit(modes_run(mode, plan, &results[i]) ? 0 : 2);
        }
    while (wait(&status) > 0)
        if (status != 0)
            worst = 1;
    for (unsigned i = 0; i < processes; i++)
        add_up(&results[processes], &results[i]);
    print(mode, &results[processes]);
    return worst;
}

int main(int argc, char **argv)
{
    static struct result result;
    static struct plan plan = {
        .target = {"127.0.0.1", 18082, "/ws", 1},
        .callee = {"127.0.0.1", 0, "/ws", 1},
        .transport = TRANSPORT_RS,
        .serializer = SERIALIZER_MSGPACK,
        .callee_serializer = SERIALIZER_MSGPACK,
        .callers = 32,
        .callees = 8,
        .subscribers = 64,
        .connections = 64,
        .depth = 1,
        .payload = 16,
        .warmup_s = 0.7,
        .seconds = 2,
        .realm = "dev",
    };
    struct rlimit limit;
    unsigned processes = 1;
    int option;

    plan.callee_transport = (enum transport) - 1;
    while ((option = getopt_long(argc, argv, "j:", options, NULL)) != -1) {
        if (option == 'j')
            processes = (unsigned)strtoul(optarg, NULL, 10);
        else if (!take_connection_option(&plan, option) && !take_load_option(&plan, option))
            usage();
    }
    if (optind != argc - 1)
        usage();
    if (plan.callee.port == 0)
        plan.callee.port = plan.target.port;
    if (plan.callee_transport == (enum transport) - 1)
        plan.callee_transport = plan.transport == TRANSPORT_HTTP ? TRANSPORT_RS : plan.transport;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (processes > 1)
        return run_processes(argv[optind], &plan, processes);
    if (!modes_run(argv[optind], &plan, &result))
        usage();
    print(argv[optind], &result);
    return 0;
}

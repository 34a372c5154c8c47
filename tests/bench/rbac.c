/* SPDX-License-Identifier: Apache-2.0 */
/* rbac: what permissions cost. A realm with 10 000 users, 1 000 groups and 50 000 grants: time to
 * fill and to change, memory, time to build an identity's context, to evaluate and to find a
 * decision made before; the last beside the least it must do, a hash and a comparison of the URI.
 *
 *   rbac               prints a line each */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/security/policy/rbac.h"
#include "src/security/policy/rbac_cache.h"
#include "src/sys/publish.h"

#define USERS 10000
#define GROUPS 1000
#define GRANTS 50000
#define TURNS 2000000
#define ROUNDS 7

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static struct bondy_slice name(char out[48], const char *head, unsigned number, const char *tail)
{
    return bondy_slice_of(out, (size_t)snprintf(out, 48, "%s%u%s", head, number, tail));
}

/* Every user one grant of its own, the others to groups, a third each exact, prefix, wildcard. */
static void fill(struct bondy_policy *policy)
{
    static const char *const heads[] = {"org.acme.shop.item", "org.acme.shop.room",
                                        "org.acme.device"};
    static const char *const tails[] = {".update", ".", "..state"};
    char role[48], uri[48];
    json_t *permissions = json_pack("[ss]", "wamp.call", "wamp.subscribe");

    for (unsigned i = 0; i < GROUPS; i++) {
        bondy_policy_put_group(policy, name(role, "group", i, ""));
        if (i % 10 != 0)
            bondy_policy_put_parent(policy, name(role, "group", i, ""),
                                    name(uri, "group", i - 1, ""));
    }
    for (unsigned i = 0; i < GRANTS; i++) {
        bool is_user = i < USERS;
        struct bondy_grant_key key = {
            is_user ? BONDY_ROLE_USER : BONDY_ROLE_GROUP,
            is_user ? name(role, "user", i, "") : name(role, "group", i % GROUPS, ""),
            (enum bondy_grant_match)(i % 3), name(uri, heads[i % 3], i, tails[i % 3])};

        bondy_policy_put_grant(policy, &key, permissions);
    }
    json_decref(permissions);
    bondy_policy_publish(policy);
}

static void change_one(struct bondy_policy *policy)
{
    struct bondy_grant_key key = {BONDY_ROLE_GROUP, BONDY_SLICE("group7"), BONDY_GRANT_EXACT,
                                  BONDY_SLICE("org.acme.other")};
    json_t *permissions = json_pack("[s]", "wamp.call");

    bondy_policy_put_grant(policy, &key, permissions);
    bondy_policy_publish(policy);
    bondy_policy_remove_grant(policy, &key);
    bondy_policy_publish(policy);
    json_decref(permissions);
}

/* ---- measured functions: `turns` times the same ------------------------------------------- */

struct bench {
    struct bondy_policy *policy;
    struct bondy_rbac *rbac;
    struct bondy_rbac_cache *cache;
    struct bondy_slice uri;
    uint64_t hash;
    unsigned long sum; /* so that nothing is optimised away */
};

static void anchor(struct bench *bench, unsigned turns)
{
    char copy[64];

    memcpy(copy, bench->uri.data, bench->uri.len);
    while (turns-- > 0) {
        bench->sum += bondy_hash(bench->uri.data, bench->uri.len) == bench->hash &&
                      memcmp(copy, bench->uri.data, bench->uri.len) == 0;
        __asm__ volatile("" ::: "memory");
    }
}

static void hit(struct bench *bench, unsigned turns)
{
    while (turns-- > 0) {
        bench->sum += bondy_rbac_is_current(bench->rbac) &&
                      bondy_rbac_decide(bench->cache, bench->rbac, BONDY_PERMISSION_CALL,
                                        bench->uri, bench->hash);
        __asm__ volatile("" ::: "memory");
    }
}

static void evaluate(struct bench *bench, unsigned turns)
{
    for (turns /= 20; turns > 0; turns--)
        bench->sum += bondy_rbac_allows(bench->rbac, BONDY_PERMISSION_CALL, bench->uri);
}

static void build(struct bench *bench, unsigned turns)
{
    struct bondy_slice groups[] = {BONDY_SLICE("group9"), BONDY_SLICE("group55")};
    struct bondy_rbac_subject subject = {BONDY_SLICE("user77"), groups, 2, false};

    for (turns /= 20; turns > 0; turns--) {
        struct bondy_rbac *rbac = bondy_rbac_create(bench->policy, &subject);

        bench->sum += rbac->id;
        bondy_rbac_destroy(rbac);
    }
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

/* The median of a few rounds. */
static double measure(struct bench *bench, void (*run)(struct bench *, unsigned), unsigned turns,
                      unsigned really)
{
    double each[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = now_ns();

        run(bench, turns);
        each[i] = (double)(now_ns() - start) / really;
    }
    qsort(each, ROUNDS, sizeof each[0], by_value);
    return each[ROUNDS / 2];
}

static void ask(struct bench *bench, const char *what, const char *uri)
{
    bench->uri = bondy_slice_text(uri);
    bench->hash = bondy_hash(bench->uri.data, bench->uri.len);
    printf("%-46s %8.1f ns\n", what, measure(bench, evaluate, TURNS, TURNS / 20));
}

int main(void)
{
    struct bondy_slice groups[] = {BONDY_SLICE("group9"), BONDY_SLICE("group55")};
    struct bondy_rbac_subject subject = {BONDY_SLICE("user77"), groups, 2, false};
    struct bench bench = {.cache = bondy_rbac_cache_create(4096)};
    size_t bytes = heap_bytes();
    uint64_t start;

    if (bondy_id_start(NULL) < 0)
        return 1;
    bondy_publish_thread_start();
    start = now_ns();
    bench.policy = bondy_policy_create(BONDY_SLICE("org.acme.shop7"));
    fill(bench.policy);
    printf("%-46s %8.1f ms\n", "fill: 10 000 users, 1 000 groups, 50 000 grants",
           (double)(now_ns() - start) / 1e6);
    bondy_publish_barrier_wait();
    printf("%-46s %8.1f MiB\n", "memory", (double)(heap_bytes() - bytes) / 1048576);
    start = now_ns();
    for (unsigned i = 0; i < 500; i++)
        change_one(bench.policy);
    printf("%-46s %8.1f us\n", "publish of one grant (role of 41)",
           (double)(now_ns() - start) / 1e6);

    printf("%-46s %8.1f ns\n", "build and end a context (17 roles)",
           measure(&bench, build, TURNS, TURNS / 20));
    bench.rbac = bondy_rbac_create(bench.policy, &subject);
    ask(&bench, "evaluate: exact, allowed", "org.acme.shop.item10005.update");
    ask(&bench, "evaluate: prefix, allowed", "org.acme.shop.room10009.light.on");
    ask(&bench, "evaluate: wildcard, allowed", "org.acme.device10055.x1.state");
    ask(&bench, "evaluate: denied by all roles", "org.acme.shop.item99999.update");
    bench.uri = BONDY_SLICE("org.acme.shop.item10005.update");
    bench.hash = bondy_hash(bench.uri.data, bench.uri.len);
    printf("%-46s %8.1f ns\n", "anchor: hash and compare the URI",
           measure(&bench, anchor, TURNS, TURNS));
    printf("%-46s %8.1f ns\n", "decision found again, epoch compared",
           measure(&bench, hit, TURNS, TURNS));
    bondy_rbac_destroy(bench.rbac);
    bondy_rbac_cache_destroy(bench.cache);
    bondy_policy_unref(bench.policy);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    return bench.sum == 0;
}

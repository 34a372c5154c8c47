/* SPDX-License-Identifier: Apache-2.0 */

/* One thread changes a realm, its prototype and now and then replaces the realm altogether; others
 * ask all the time. Each of them must see every publish as a whole: what a publish moves from one
 * group to another is never in both nor in none, and what was published before somebody asked is
 * what he is told. */

#include "tests/lib/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/security/policy/rbac.h"
#include "src/security/policy/rbac_cache.h"
#include "src/sys/publish.h"

#define READERS 3
#define ROUNDS 1500
#define ROUNDS_OF_A_REALM 50
#define KEPT 16

/* What the table of realms is in the daemon: found by readers, let go of when none can hold it. */
struct realm {
    struct bondy_retired retired;
    struct bondy_policy *policy;
};

static struct bondy_policy *base;
static struct realm *realm;
static _Atomic uint64_t published; /* the last round that is visible */
static atomic_bool is_over;
static atomic_ulong asked;

/* ---- the writer --------------------------------------------------------------------------- */

static void put(struct bondy_policy *policy, enum bondy_role_kind kind, const char *name,
                const char *uri, const char *permission)
{
    struct bondy_grant_key key = {kind, bondy_slice_text(name), BONDY_GRANT_EXACT,
                                  bondy_slice_text(uri)};
    json_t *permissions = permission == NULL ? json_array() : json_pack("[s]", permission);

    bondy_policy_put_grant(policy, &key, permissions);
    json_decref(permissions);
}

static struct realm *realm_create(void)
{
    struct realm *made = bondy_zalloc(sizeof *made);
    struct bondy_policy_settings settings = bondy_policy_defaults;

    made->policy = bondy_policy_create(BONDY_SLICE("org.acme.shop7"));
    settings.prototype = base;
    bondy_policy_configure(made->policy, &settings);
    bondy_policy_put_group(made->policy, BONDY_SLICE("one"));
    bondy_policy_put_group(made->policy, BONDY_SLICE("two"));
    return made;
}

static void free_realm(struct bondy_retired *retired)
{
    struct realm *old = BONDY_CONTAINER(retired, struct realm, retired);

    bondy_policy_unref(old->policy);
    bondy_free(old);
}

/* The round's number is granted to zoe; call and publish change places between the groups. */
static void write_round(struct bondy_policy *policy, uint64_t round)
{
    char uri[32];

    put(policy, BONDY_ROLE_GROUP, "one", "a.b", round % 2 == 0 ? "wamp.call" : "wamp.publish");
    put(policy, BONDY_ROLE_GROUP, "two", "a.b", round % 2 == 0 ? "wamp.publish" : "wamp.call");
    snprintf(uri, sizeof uri, "v.%llu", (unsigned long long)round);
    put(policy, BONDY_ROLE_USER, "zoe", uri, "wamp.call");
    if (round > 0) {
        snprintf(uri, sizeof uri, "v.%llu", (unsigned long long)round - 1);
        put(policy, BONDY_ROLE_USER, "zoe", uri, NULL);
    }
    bondy_policy_publish(policy);
}

static void replace_realm(uint64_t round)
{
    struct realm *old = realm, *next = realm_create();

    write_round(next->policy, round);
    bondy_publish_set(realm, next);
    bondy_publish_retire(&old->retired, free_realm);
}

static void write_base(uint64_t round)
{
    put(base, BONDY_ROLE_GROUP, "all", "b.c", round % 4 == 0 ? "wamp.call" : NULL);
    bondy_policy_publish(base);
}

/* ---- readers ------------------------------------------------------------------------------ */

static bool allows_round(const struct bondy_rbac *rbac, uint64_t first, uint64_t last)
{
    char uri[32];

    for (uint64_t round = first; round <= last; round++) {
        snprintf(uri, sizeof uri, "v.%llu", (unsigned long long)round);
        if (bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, bondy_slice_text(uri)))
            return true;
    }
    return false;
}

static struct bondy_rbac *ask_once(struct bondy_rbac_cache *cache)
{
    static const struct bondy_slice groups[] = {{"one", 3}, {"two", 3}};
    const struct bondy_rbac_subject both = {BONDY_SLICE("zoe"), groups, 2, false};
    const struct bondy_rbac_subject first = {BONDY_SLICE("zoe"), groups, 1, true};
    struct bondy_slice uri = BONDY_SLICE("a.b");
    uint64_t hash = bondy_hash(uri.data, uri.len);
    uint64_t before = atomic_load_explicit(&published, memory_order_acquire);
    struct realm *now = bondy_publish_get(realm);
    struct bondy_rbac *rbac = bondy_rbac_create(now->policy, &both);
    uint64_t after = atomic_load_explicit(&published, memory_order_acquire) + 1;
    struct bondy_rbac *half = bondy_rbac_create(now->policy, &first);

    BONDY_BUG_ON(!allows_round(rbac, before, after));
    BONDY_BUG_ON(!bondy_rbac_decide(cache, rbac, BONDY_PERMISSION_CALL, uri, hash));
    BONDY_BUG_ON(!bondy_rbac_decide(cache, rbac, BONDY_PERMISSION_PUBLISH, uri, hash));
    BONDY_BUG_ON(bondy_rbac_allows(half, BONDY_PERMISSION_CALL, uri) ==
                 bondy_rbac_allows(half, BONDY_PERMISSION_PUBLISH, uri));
    bondy_rbac_destroy(half);
    atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
    return rbac;
}

static void *read_along(void *unused)
{
    struct bondy_rbac_cache *cache = bondy_rbac_cache_create(64);
    struct bondy_rbac *kept[KEPT] = {NULL}; /* longer than their realm is in the table */

    (void)unused;
    bondy_publish_thread_start();
    for (unsigned i = 0; !atomic_load(&is_over); i = (i + 1) % KEPT) {
        if (kept[i] == NULL || !bondy_rbac_is_current(kept[i])) {
            bondy_rbac_destroy(kept[i]);
            kept[i] = ask_once(cache);
        }
        BONDY_BUG_ON(!bondy_rbac_allows(kept[i], BONDY_PERMISSION_CALL, BONDY_SLICE("a.b")));
        bondy_publish_quiesce();
    }
    for (unsigned i = 0; i < KEPT; i++)
        bondy_rbac_destroy(kept[i]);
    bondy_rbac_cache_destroy(cache);
    bondy_publish_thread_stop();
    return NULL;
}

static void readers_see_every_publish_as_a_whole(void **state)
{
    pthread_t readers[READERS];

    (void)state;
    base = bondy_policy_create(BONDY_SLICE("org.acme.base"));
    realm = realm_create();
    write_round(realm->policy, 0);
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_along, NULL), 0);
    /* Some readers may start late: the rounds go on until they have asked often enough. */
    for (uint64_t round = 1; round < ROUNDS || atomic_load(&asked) < ROUNDS; round++) {
        if (round % ROUNDS_OF_A_REALM == 0)
            replace_realm(round);
        else
            write_round(realm->policy, round);
        atomic_store_explicit(&published, round, memory_order_release);
        write_base(round);
        bondy_publish_quiesce();
    }
    atomic_store(&is_over, true);
    bondy_publish_idle();
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    bondy_publish_busy();
    free_realm(&realm->retired);
    bondy_policy_unref(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_every_publish_as_a_whole),
    };
    int failed;

    if (bondy_id_start(NULL) < 0)
        return 1;
    bondy_publish_thread_start();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    return failed;
}

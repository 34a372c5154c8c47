/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/login/throttle.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"

#define WAYS 8u /* entries that one hash can be in */
#define ROOM_DEFAULT 8192u
#define TOKEN 60000 /* a failure, in units that refill at `rate` a millisecond */
#define DELAY_STEP_MS 250u
#define DELAY_MAX_MS 2000u
#define PENALTY_FIRST_MS 1000u
#define PENALTY_MAX_MS 60000u

/* `spent` is what the last failures cost and time has not paid back: a bucket that was never used
 * is all zero, and who failed most has the greatest one. */
struct bucket {
    uint8_t key[crypto_shorthash_siphashx24_BYTES];
    int64_t spent;
    uint64_t paid_ms;    /* until when `spent` is right */
    uint64_t blocked_ms; /* sources: refused before this time */
    uint32_t penalty_ms; /* sources: the last refusal's length */
};

struct table {
    struct bucket *buckets;
    unsigned sets; /* power of two */
    unsigned rate; /* tokens a minute, and the bucket's size */
};

struct bondy_throttle {
    pthread_mutex_t lock; /* guards everything below */
    uint8_t secret[crypto_shorthash_siphashx24_KEYBYTES];
    struct table sources;
    struct table authids;
    struct table global; /* one bucket */
};

/* ---- buckets ----------------------------------------------------------------------------------*/

static void pay(const struct table *table, struct bucket *bucket, uint64_t now_ms)
{
    uint64_t passed;

    if (now_ms <= bucket->paid_ms)
        return;
    passed = now_ms - bucket->paid_ms;
    if (passed > 2 * TOKEN) /* enough for the fullest one; and no overflow below */
        passed = 2 * TOKEN;
    bucket->spent -= (int64_t)passed * table->rate;
    bucket->paid_ms = now_ms;
    if (bucket->spent > 0)
        return;
    bucket->spent = 0;
    bucket->penalty_ms = 0; /* all is forgotten */
}

/* Failures beyond the limit, at least 1 when there is no room for another one; 0: there is. */
static unsigned excess(const struct table *table, const struct bucket *bucket)
{
    int64_t over = bucket->spent - ((int64_t)table->rate - 1) * TOKEN;

    return over <= 0 ? 0 : (unsigned)((over + TOKEN - 1) / TOKEN);
}

static void spend(const struct table *table, struct bucket *bucket)
{
    int64_t most = 2 * (int64_t)table->rate * TOKEN;

    bucket->spent += TOKEN;
    if (bucket->spent > most) /* so that it is paid back within two minutes */
        bucket->spent = most;
}

/* ---- tables -----------------------------------------------------------------------------------*/

static void table_init(struct table *table, unsigned rate, unsigned room)
{
    table->rate = rate;
    for (table->sets = 1; table->sets * WAYS < room;)
        table->sets *= 2;
    table->buckets = bondy_calloc((size_t)table->sets * WAYS, sizeof *table->buckets);
}

static struct bucket *set_of(const struct table *table, const uint8_t *key)
{
    uint64_t hash;

    memcpy(&hash, key, sizeof hash);
    return &table->buckets[(hash & (table->sets - 1)) * WAYS];
}

static struct bucket *find(const struct table *table, const uint8_t *key, uint64_t now_ms)
{
    struct bucket *set = set_of(table, key);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].spent == 0 || memcmp(set[i].key, key, sizeof set[i].key) != 0)
            continue;
        pay(table, &set[i], now_ms);
        return &set[i];
    }
    return NULL;
}

static struct bucket *find_or_make(const struct table *table, const uint8_t *key, uint64_t now_ms)
{
    struct bucket *found = find(table, key, now_ms), *set = set_of(table, key);

    if (found != NULL)
        return found;
    found = set;
    for (unsigned i = 0; i < WAYS; i++) {
        pay(table, &set[i], now_ms);
        if (set[i].spent < found->spent)
            found = &set[i];
    }
    *found = (struct bucket){.paid_ms = now_ms};
    memcpy(found->key, key, sizeof found->key);
    return found;
}

/* ---- keys -------------------------------------------------------------------------------------*/

#define KEY_LEN crypto_shorthash_siphashx24_BYTES

/* False: this source has no limit. */
static bool source_key(const struct bondy_throttle *throttle, const struct bondy_address *source,
                       uint8_t out[KEY_LEN])
{
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

    if (source == NULL || throttle->sources.rate == 0)
        return false;
    if (source->any.sa_family == AF_INET) {
        memcpy(bytes + 12, &((const struct sockaddr_in *)&source->storage)->sin_addr, 4);
    } else if (source->any.sa_family == AF_INET6) {
        const struct in6_addr *ip = &((const struct sockaddr_in6 *)&source->storage)->sin6_addr;

        memcpy(bytes, ip, sizeof bytes);
        if (!IN6_IS_ADDR_V4MAPPED(ip))
            memset(bytes + 8, 0, 8);
    } else {
        return false;
    }
    crypto_shorthash_siphashx24(out, bytes, sizeof bytes, throttle->secret);
    return true;
}

static bool authid_key(const struct bondy_throttle *throttle,
                       const struct bondy_throttle_login *login, uint8_t out[KEY_LEN])
{
    uint8_t halves[2 * KEY_LEN];

    if (login->authid.len == 0 || throttle->authids.rate == 0)
        return false;
    crypto_shorthash_siphashx24(halves, (const uint8_t *)login->realm.data, login->realm.len,
                                throttle->secret);
    crypto_shorthash_siphashx24(halves + KEY_LEN, (const uint8_t *)login->authid.data,
                                login->authid.len, throttle->secret);
    crypto_shorthash_siphashx24(out, halves, sizeof halves, throttle->secret);
    return true;
}

/* ---- asking -----------------------------------------------------------------------------------*/

static uint32_t refusal_of(struct bondy_throttle *throttle,
                           const struct bondy_throttle_login *login, uint64_t now_ms)
{
    uint8_t key[KEY_LEN];
    const struct bucket *bucket;

    if (!source_key(throttle, login->source, key))
        return 0;
    bucket = find(&throttle->sources, key, now_ms);
    return bucket == NULL || bucket->blocked_ms <= now_ms ? 0
                                                          : (uint32_t)(bucket->blocked_ms - now_ms);
}

static uint32_t delay_of(const struct table *table, const struct bucket *bucket)
{
    unsigned over = bucket == NULL ? 0 : excess(table, bucket);

    return over > DELAY_MAX_MS / DELAY_STEP_MS ? DELAY_MAX_MS : over * DELAY_STEP_MS;
}

static struct bucket *global_bucket(struct bondy_throttle *throttle, uint64_t now_ms)
{
    struct bucket *bucket = throttle->global.buckets;

    if (throttle->global.rate == 0)
        return NULL;
    pay(&throttle->global, bucket, now_ms);
    return bucket;
}

struct bondy_throttle_verdict bondy_throttle_ask(struct bondy_throttle *throttle,
                                                 const struct bondy_throttle_login *login,
                                                 uint64_t now_ms)
{
    struct bondy_throttle_verdict verdict = {0};
    uint8_t key[KEY_LEN];
    uint32_t delay_ms;

    pthread_mutex_lock(&throttle->lock);
    verdict.retry_after_ms = refusal_of(throttle, login, now_ms);
    if (verdict.retry_after_ms == 0) {
        verdict.delay_ms = delay_of(&throttle->global, global_bucket(throttle, now_ms));
        if (authid_key(throttle, login, key)) {
            delay_ms = delay_of(&throttle->authids, find(&throttle->authids, key, now_ms));
            if (delay_ms > verdict.delay_ms)
                verdict.delay_ms = delay_ms;
        }
    }
    pthread_mutex_unlock(&throttle->lock);
    return verdict;
}

/* ---- telling ----------------------------------------------------------------------------------*/

static void block(struct bucket *bucket, uint64_t now_ms)
{
    uint32_t next = bucket->penalty_ms * 2;

    if (bucket->penalty_ms == 0)
        next = PENALTY_FIRST_MS;
    bucket->penalty_ms = next > PENALTY_MAX_MS ? PENALTY_MAX_MS : next;
    bucket->blocked_ms = now_ms + bucket->penalty_ms;
    bucket->paid_ms = bucket->blocked_ms; /* what is refused pays nothing back */
}

static void blame_source(struct bondy_throttle *throttle, const uint8_t *key, uint64_t now_ms)
{
    struct bucket *bucket = find_or_make(&throttle->sources, key, now_ms);

    /* Several attempts may have been let in before the first of them failed: one penalty. */
    if (bucket->blocked_ms > now_ms)
        return;
    spend(&throttle->sources, bucket);
    if (excess(&throttle->sources, bucket) > 0)
        block(bucket, now_ms);
}

void bondy_throttle_failed(struct bondy_throttle *throttle,
                           const struct bondy_throttle_login *login, uint64_t now_ms)
{
    struct bucket *global;
    uint8_t key[KEY_LEN];

    pthread_mutex_lock(&throttle->lock);
    if (source_key(throttle, login->source, key))
        blame_source(throttle, key, now_ms);
    if (authid_key(throttle, login, key))
        spend(&throttle->authids, find_or_make(&throttle->authids, key, now_ms));
    global = global_bucket(throttle, now_ms);
    if (global != NULL)
        spend(&throttle->global, global);
    pthread_mutex_unlock(&throttle->lock);
}

void bondy_throttle_succeeded(struct bondy_throttle *throttle,
                              const struct bondy_throttle_login *login, uint64_t now_ms)
{
    struct bucket *bucket;
    uint8_t key[KEY_LEN];

    pthread_mutex_lock(&throttle->lock);
    if (authid_key(throttle, login, key)) {
        bucket = find(&throttle->authids, key, now_ms);
        if (bucket != NULL)
            *bucket = (struct bucket){.paid_ms = now_ms};
    }
    pthread_mutex_unlock(&throttle->lock);
}

uint32_t bondy_throttle_seconds(uint32_t ms)
{
    return ms / 1000 + (ms % 1000 != 0);
}

/* ---- life -------------------------------------------------------------------------------------*/

struct bondy_throttle *bondy_throttle_create(const struct bondy_throttle_options *options)
{
    struct bondy_throttle *throttle = bondy_zalloc(sizeof *throttle);
    unsigned room = options->room == 0 ? ROOM_DEFAULT : options->room;

    pthread_mutex_init(&throttle->lock, NULL);
    bondy_id_bytes(throttle->secret, sizeof throttle->secret);
    table_init(&throttle->sources, options->source_rate, room);
    table_init(&throttle->authids, options->authid_rate, room);
    table_init(&throttle->global, options->global_rate, 1);
    return throttle;
}

void bondy_throttle_destroy(struct bondy_throttle *throttle)
{
    if (throttle == NULL)
        return;
    pthread_mutex_destroy(&throttle->lock);
    bondy_free(throttle->sources.buckets);
    bondy_free(throttle->authids.buckets);
    bondy_free(throttle->global.buckets);
    bondy_free(throttle);
}

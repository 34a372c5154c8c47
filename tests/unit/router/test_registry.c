/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/router/registry.h"

#define ENTRIES 250
#define ROUNDS 2000
#define THREADS 3

static struct bondy_registry_numbers numbers;
static uint32_t dice;

static unsigned roll(unsigned sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

/* Short components of two letters, so that most of what is made meets something. */
static void make_uri(char *out, size_t size, enum bondy_match match)
{
    unsigned components = 1 + roll(4);
    size_t at = 0;

    for (unsigned i = 0; i < components; i++) {
        unsigned letters = match == BONDY_MATCH_WILDCARD && roll(3) == 0 ? 0 : 1 + roll(2);

        at += (size_t)snprintf(out + at, size - at, "%s", i > 0 ? "." : "");
        for (unsigned j = 0; j < letters; j++)
            at += (size_t)snprintf(out + at, size - at, "%c", 'a' + (int)roll(2));
    }
    if (match == BONDY_MATCH_PREFIX && roll(3) == 0)
        snprintf(out + at, size - at, ".");
}

struct made {
    char uri[32];
    enum bondy_match match;
    struct bondy_subscription *subscription;
    struct bondy_registration *registration;
};

static int set_up(void **state)
{
    struct made *made = bondy_calloc(ENTRIES, sizeof *made);

    bondy_publish_thread_start();
    dice = 11;
    for (size_t i = 0; i < ENTRIES; i++) {
        do {
            made[i].match = (enum bondy_match)roll(BONDY_MATCHES);
            make_uri(made[i].uri, sizeof made[i].uri, made[i].match);
        } while (
            !bondy_uri_is_valid(bondy_slice_text(made[i].uri), made[i].match, BONDY_URI_LOOSE));
    }
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    bondy_free(*state);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    return 0;
}

struct seen {
    struct bondy_entry *entries[ENTRIES];
    size_t count;
};

static bool see(void *context, void *value)
{
    struct seen *seen = context;

    assert_true(seen->count < ENTRIES);
    seen->entries[seen->count++] = value;
    return true;
}

static bool has(const struct seen *seen, const struct bondy_subscription *subscription)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->entries[i] == &subscription->entry)
            return true;
    }
    return false;
}

/* Each subscription at most once, and exactly those that the plain definition names. */
static void compare_topics(const struct bondy_registry *registry, const struct made *made,
                           const char *text)
{
    struct bondy_slice topic = bondy_slice_text(text);
    struct seen seen = {.count = 0};

    bondy_registry_match(registry, topic, bondy_hash(topic.data, topic.len), see, &seen);
    for (size_t i = 0; i < seen.count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(seen.entries[i], seen.entries[j]);
        assert_true(bondy_uri_matches(topic, seen.entries[i]->uri, seen.entries[i]->match));
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        if (made[i].subscription == NULL)
            continue;
        assert_int_equal(has(&seen, made[i].subscription),
                         bondy_uri_matches(topic, bondy_slice_text(made[i].uri), made[i].match));
    }
}

static struct made *other_of(struct made *made, size_t at)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (i != at && made[i].subscription != NULL && made[i].match == made[at].match &&
            strcmp(made[i].uri, made[at].uri) == 0)
            return &made[i];
    }
    return NULL;
}

static void toggle_subscription(struct bondy_registry *registry, struct made *made, size_t i)
{
    struct made *other = other_of(made, i);
    uint64_t before = bondy_registry_generation(registry, BONDY_SUBSCRIPTIONS);

    if (made[i].subscription != NULL) {
        bondy_registry_unsubscribe(registry, made[i].subscription, (unsigned)(i % THREADS));
        made[i].subscription = NULL;
    } else {
        made[i].subscription = bondy_registry_subscribe(registry, bondy_slice_text(made[i].uri),
                                                        made[i].match, (unsigned)(i % THREADS));
        if (other != NULL)
            assert_ptr_equal(made[i].subscription, other->subscription);
    }
    /* Subscribers that come to or leave an existing subscription change no index. */
    assert_int_equal(bondy_registry_generation(registry, BONDY_SUBSCRIPTIONS) != before,
                     other == NULL);
}

static void subscriptions_match_as_the_plain_definition_says(void **state)
{
    struct bondy_registry *registry = bondy_registry_create("r", 1, THREADS, &numbers);
    struct made *made = *state;
    char topic[32];

    for (int round = 0; round < ROUNDS; round++) {
        toggle_subscription(registry, made, roll(ENTRIES));
        make_uri(topic, sizeof topic, BONDY_MATCH_EXACT);
        compare_topics(registry, made, topic);
        bondy_publish_quiesce();
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        if (made[i].subscription != NULL)
            toggle_subscription(registry, made, i);
    }
    bondy_registry_destroy(registry);
}

/* ---- best match -------------------------------------------------------------------------- */

/* The length in components of the literal run before each wildcard, compared from the left. */
static int compare_wildcards(const char *a, const char *b)
{
    for (;;) {
        size_t a_len = strcspn(a, ".");
        size_t b_len = strcspn(b, ".");

        if ((a_len == 0) != (b_len == 0))
            return a_len == 0 ? -1 : 1;
        if (a[a_len] == '\0')
            return 0;
        a += a_len + 1;
        b += b_len + 1;
    }
}

static bool is_better(const struct made *candidate, const struct made *best)
{
    if (best == NULL)
        return true;
    if (candidate->match != best->match)
        return candidate->match < best->match; /* exact, prefix, wildcard */
    if (candidate->match == BONDY_MATCH_PREFIX)
        return strlen(candidate->uri) > strlen(best->uri);
    return compare_wildcards(candidate->uri, best->uri) > 0;
}

static void compare_best(const struct bondy_registry *registry, const struct made *made,
                         const char *text)
{
    struct bondy_slice procedure = bondy_slice_text(text);
    const struct made *best = NULL;

    for (size_t i = 0; i < ENTRIES; i++) {
        if (made[i].registration != NULL &&
            bondy_uri_matches(procedure, bondy_slice_text(made[i].uri), made[i].match) &&
            is_better(&made[i], best))
            best = &made[i];
    }
    assert_ptr_equal(
        bondy_registry_best(registry, procedure, bondy_hash(procedure.data, procedure.len)),
        best == NULL ? NULL : best->registration);
}

static void toggle_registration(struct bondy_registry *registry, struct made *made, size_t i)
{
    const struct bondy_callee callee = {1, 42, NULL};
    const struct bondy_registration_options options = {0};
    struct bondy_entry *there = bondy_registry_find(registry, BONDY_REGISTRATIONS,
                                                    bondy_slice_text(made[i].uri), made[i].match);

    if (made[i].registration != NULL) {
        bondy_registry_unregister(registry, made[i].registration);
        made[i].registration = NULL;
        return;
    }
    made[i].registration = bondy_registry_register(registry, bondy_slice_text(made[i].uri),
                                                   made[i].match, &callee, &options);
    assert_int_equal(made[i].registration == NULL, there != NULL);
}

/* RPC-PAT-2, RPC-PAT-3, with whatever patterns there are. */
static void the_best_registration_is_that_of_the_plain_definition(void **state)
{
    struct bondy_registry *registry = bondy_registry_create("r", 1, THREADS, &numbers);
    struct made *made = *state;
    char procedure[32];

    for (int round = 0; round < ROUNDS; round++) {
        toggle_registration(registry, made, roll(ENTRIES));
        make_uri(procedure, sizeof procedure, BONDY_MATCH_EXACT);
        compare_best(registry, made, procedure);
        bondy_publish_quiesce();
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        if (made[i].registration != NULL)
            toggle_registration(registry, made, i);
    }
    bondy_registry_destroy(registry);
}

/* RPC-PAT-2: the table of WAMP, Pattern-based Registrations. By characters, prefix a1.b2.c3 covers
 * the fifth call too. */
static void the_table_of_the_specification(void **state)
{
    static const struct {
        const char *uri;
        enum bondy_match match;
    } registrations[] = {
        {"a1.b2.c3.d4.e55", BONDY_MATCH_EXACT},    {"a1.b2.c3", BONDY_MATCH_PREFIX},
        {"a1.b2.c3.d4", BONDY_MATCH_PREFIX},       {"a1.b2..d4.e5", BONDY_MATCH_WILDCARD},
        {"a1.b2.c33..e5", BONDY_MATCH_WILDCARD},   {"a1.b2..d4.e5..g7", BONDY_MATCH_WILDCARD},
        {"a1.b2..d4..f6.g7", BONDY_MATCH_WILDCARD}};
    static const struct {
        const char *uri;
        int best; /* -1: none */
    } calls[] = {{"a1.b2.c3.d4.e55", 0}, {"a1.b2.c3.d98.e74", 1},      {"a1.b2.c3.d4.e325", 2},
                 {"a1.b2.c55.d4.e5", 3}, {"a1.b2.c33.d4.e5", 1},       {"a1.b2.c88.d4.e5.f6.g7", 5},
                 {"a2.b2.c2.d2.e2", -1}, {"a1.b2.c88.d4.e55.f6.g7", 6}};
    struct bondy_registry *registry = bondy_registry_create("r", 1, THREADS, &numbers);
    struct bondy_registration *made[BONDY_COUNT(registrations)];
    const struct bondy_callee callee = {0, 1, NULL};
    const struct bondy_registration_options options = {0};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(registrations); i++)
        made[i] = bondy_registry_register(registry, bondy_slice_text(registrations[i].uri),
                                          registrations[i].match, &callee, &options);
    for (size_t i = 0; i < BONDY_COUNT(calls); i++) {
        struct bondy_slice uri = bondy_slice_text(calls[i].uri);

        assert_ptr_equal(bondy_registry_best(registry, uri, bondy_hash(uri.data, uri.len)),
                         calls[i].best < 0 ? NULL : made[calls[i].best]);
    }
    for (size_t i = 0; i < BONDY_COUNT(registrations); i++)
        bondy_registry_unregister(registry, made[i]);
    bondy_registry_destroy(registry);
}

/* What a publisher on another thread reads. */
static void a_subscription_counts_its_subscribers_by_thread(void **state)
{
    struct bondy_registry *registry = bondy_registry_create("r", 1, THREADS, &numbers);
    struct bondy_subscription *a, *b;

    (void)state;
    a = bondy_registry_subscribe(registry, BONDY_SLICE("t"), BONDY_MATCH_EXACT, 0);
    b = bondy_registry_subscribe(registry, BONDY_SLICE("t"), BONDY_MATCH_EXACT, 2);
    assert_ptr_equal(a, b);
    assert_int_equal(atomic_load(&a->here[0].count), 1);
    assert_int_equal(atomic_load(&a->here[1].count), 0);
    assert_int_equal(atomic_load(&a->here[2].count), 1);
    bondy_registry_unsubscribe(registry, a, 2);
    assert_int_equal(atomic_load(&a->here[2].count), 0);
    bondy_registry_unsubscribe(registry, a, 0);
    bondy_registry_destroy(registry);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(subscriptions_match_as_the_plain_definition_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_best_registration_is_that_of_the_plain_definition,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_table_of_the_specification, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_subscription_counts_its_subscribers_by_thread, set_up,
                                        tear_down),
    };

    if (bondy_id_start(NULL) != BONDY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_REGISTRY_H
#define BONDY_ROUTER_REGISTRY_H

/* registry: subscriptions and registrations of one realm, by URI.
 *
 * Shared by all router threads. Readers (any RCU reader) never lock: exact URIs are in a hash
 * table, prefixes in a byte radix tree, wildcards in the same kind of tree by component. Writers
 * hold `mutex`. What is removed is freed when no reader can hold it.
 *
 * Each kind has a generation: it changes whenever an entry comes or goes, after the change is
 * visible and before anything is retired. All generations of a process come from one counter, so a
 * number stands for one state of one kind of one realm, and a cached answer that carries it is
 * right as long as the number is current.
 *
 * Subscriptions: one for each topic and match policy, whatever the number of subscribers
 * (wamp.md PS-SUB-3). It knows how many each thread has (written by that thread, read by
 * publishers on any) and which these are (that thread's alone).
 * Registrations: a set of callees, an immutable snapshot. With the policy `single` it has exactly
 * one and never changes; shared registrations will swap it. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/base/map.h"
#include "src/base/trie.h"
#include "src/router/uri_table.h"
#include "src/sys/publish.h"
#include "src/wamp/uri.h"

enum bondy_kind { BONDY_SUBSCRIPTIONS, BONDY_REGISTRATIONS, BONDY_KINDS };

struct bondy_session;
struct bondy_receivers;

/* What both kinds have; the first member of each. */
struct bondy_entry {
    struct bondy_retired retired;
    uint64_t id; /* of the process, never used again */
    uint64_t hash;
    uint64_t created_ms; /* wall clock */
    enum bondy_match match;
    struct bondy_slice uri; /* behind the struct */
};

/* The part of a subscription that concerns one thread. */
struct bondy_subscription_here {
    atomic_uint count;                 /* of subscribers on this thread */
    struct bondy_receivers *receivers; /* touched by this thread only */
};

struct bondy_subscription {
    struct bondy_entry entry;
    unsigned total; /* of subscribers on all threads; under the registry's mutex */
    unsigned thread_count;
    struct bondy_subscription_here here[];
};

struct bondy_callee {
    unsigned thread;
    uint64_t session_id;
    struct bondy_session *session; /* only for its own thread */
};

struct bondy_callees {
    struct bondy_retired retired;
    unsigned count;
    struct bondy_callee items[];
};

struct bondy_registration {
    struct bondy_entry entry;
    bool discloses_caller;
    bool forwards_timeout;
    bool is_by_authorizer;         /* no grant allowed it: changes of grants do not matter to it */
    struct bondy_callees *callees; /* published */
};

struct bondy_index {
    atomic_uint_fast64_t generation;
    struct bondy_uri_table exact;
    struct bondy_trie_node *prefixes;  /* published, never changed */
    struct bondy_trie_node *wildcards; /* the same */
    struct bondy_idmap by_id;          /* all entries; under the registry's mutex */
};

/* Numbers that all registries draw from. */
struct bondy_registry_numbers {
    atomic_uint_fast64_t last_id;
    atomic_uint_fast64_t last_generation;
};

struct bondy_registry {
    struct bondy_registry *next; /* the router's list; with refs under the router's mutex */
    unsigned refs;               /* threads that have sessions of this realm, or look at it now */
    char *realm;
    uint32_t gen; /* a realm made again under the same name is another realm */
    unsigned thread_count;
    struct bondy_registry_numbers *numbers;
    pthread_mutex_t mutex; /* guards writing of `indexes` and of subscriptions' `total` */
    struct bondy_index indexes[BONDY_KINDS];
};

struct bondy_registry *bondy_registry_create(const char *realm, uint32_t gen, unsigned thread_count,
                                             struct bondy_registry_numbers *numbers);
/* Nobody uses it any more; every entry was removed. */
void bondy_registry_destroy(struct bondy_registry *registry);

/* Adds one subscriber of `thread` to the subscription of this topic and policy, which is made when
 * there is none. *is_new says so. The caller's part of `here` is the caller's business. */
struct bondy_subscription *bondy_registry_subscribe(struct bondy_registry *registry,
                                                    struct bondy_slice topic,
                                                    enum bondy_match match, unsigned thread);
/* Takes one away; the subscription may be gone afterwards (usable until the thread's next sleep).
 */
void bondy_registry_unsubscribe(struct bondy_registry *registry,
                                struct bondy_subscription *subscription, unsigned thread);

struct bondy_registration_options {
    bool discloses_caller;
    bool forwards_timeout;
    bool is_by_authorizer;
};
/* NULL when the procedure is taken under this policy. */
struct bondy_registration *
bondy_registry_register(struct bondy_registry *registry, struct bondy_slice procedure,
                        enum bondy_match match, const struct bondy_callee *callee,
                        const struct bondy_registration_options *options);
void bondy_registry_unregister(struct bondy_registry *registry,
                               struct bondy_registration *registration);

/* ---- reading: any RCU reader ------------------------------------------------------------- */

static inline uint64_t bondy_registry_generation(const struct bondy_registry *registry,
                                                 enum bondy_kind kind)
{
    return atomic_load_explicit(&registry->indexes[kind].generation, memory_order_acquire);
}
/* The entry of exactly this text and policy. */
struct bondy_entry *bondy_registry_find(const struct bondy_registry *registry, enum bondy_kind kind,
                                        struct bondy_slice uri, enum bondy_match match);
/* Every subscription that matches: exact, prefixes (shortest first), wildcards. `hash` is that of
 * `topic`. */
void bondy_registry_match(const struct bondy_registry *registry, struct bondy_slice topic,
                          uint64_t hash, bondy_trie_visit_fn visit, void *context);
/* The same for either kind. */
void bondy_registry_match_all(const struct bondy_registry *registry, enum bondy_kind kind,
                              struct bondy_slice uri, bondy_trie_visit_fn visit, void *context);
/* The one registration that is called. WAMP, Pattern-based Registrations, Best Match Rule. */
struct bondy_registration *bondy_registry_best(const struct bondy_registry *registry,
                                               struct bondy_slice procedure, uint64_t hash);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_META_H
#define BONDY_ROUTER_META_H

/* meta: what the meta API tells about the registrations and subscriptions of a realm.
 * WAMP, Registration Meta API and Subscription Meta API; wamp.md META-REG, META-SUB.
 *
 * Answers come from the realm's registry, which every router thread may read; so they are there at
 * once, whatever threads the sessions are on. Ids count in their own realm only. */

#include "src/base/json.h"
#include "src/router/registry.h"
#include "src/security/entity/realm.h"

struct bondy_router_thread;

/* What is asked about; borrowed during the call. The thread is the calling one. */
struct bondy_meta {
    struct bondy_router_thread *thread;
    const struct bondy_realm *realm;
    enum bondy_kind kind;
};

/* Trees are the caller's. */

/* {exact, prefix, wildcard}: the ids of all, oldest first. */
json_t *bondy_meta_list(const struct bondy_meta *meta);
/* {id, created, uri, match}, of a registration {..., invoke} too. NULL: there is none. */
json_t *bondy_meta_get(const struct bondy_meta *meta, uint64_t id);
/* The id of the one with this text and policy; 0: none. */
uint64_t bondy_meta_lookup(const struct bondy_meta *meta, struct bondy_slice uri,
                           enum bondy_match match);
/* The ids of all that match; empty: none. */
json_t *bondy_meta_match(const struct bondy_meta *meta, struct bondy_slice uri);
/* The id of the registration that is called; 0: none. */
uint64_t bondy_meta_best(const struct bondy_meta *meta, struct bondy_slice procedure);
/* The ids of the sessions behind a registration. NULL: there is none. */
json_t *bondy_meta_callees(const struct bondy_meta *meta, uint64_t id);
/* How many sessions are behind one. False: there is none. */
bool bondy_meta_count(const struct bondy_meta *meta, uint64_t id, unsigned *out);

#endif

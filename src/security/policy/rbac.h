/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_RBAC_H
#define BONDY_SECURITY_POLICY_RBAC_H

/* rbac: what one identity may do, from the published policy of its realm
 * (realms-and-security.md 2.8). Grants only add and their order never matters; what no grant gives
 * is denied.
 *
 * An rbac is immutable: a list of the roles that count for the identity, held by reference. It
 * costs a look-up for each group and copies no grant, so it is rebuilt rather than changed: before
 * each use ask bondy_rbac_is_current(), and make a new one when it is not. Made on any RCU reader,
 * then used and destroyed on any thread; one owner. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/base/slice.h"
#include "src/security/policy/permission.h"
#include "src/security/policy/policy.h"
#include "src/wamp/uri.h"

struct bondy_rbac_subject {
    struct bondy_slice username; /* canonical; empty or "anonymous": the anonymous user */
    /* The groups the identity is a direct member of: those that the session chose (authrole,
     * x_authroles, claims of a token) or, when it chose none, those of the user's record. The
     * caller has checked that it may choose them. */
    const struct bondy_slice *groups;
    size_t group_count;
    bool groups_are_chosen; /* only told by explain: nothing else is added in either case */
};

struct bondy_rbac {
    uint64_t id;    /* of this object, never used again in this process */
    uint64_t epoch; /* of the policy when this was built */
    const struct bondy_policy *policy;
    bool is_open; /* security is disabled: everything is allowed */
};

/* Roles that count: `all`; `anonymous` for the anonymous user and for nobody else; the groups and
 * what they are members of, transitively; the grants made to the username in this realm. A group of
 * the realm hides the prototype's of the same name. The caller owns it. */
struct bondy_rbac *bondy_rbac_create(const struct bondy_policy *policy,
                                     const struct bondy_rbac_subject *subject);
void bondy_rbac_destroy(struct bondy_rbac *rbac);

/* False: something changed, make a new one. */
static inline bool bondy_rbac_is_current(const struct bondy_rbac *rbac)
{
    return bondy_policy_epoch(rbac->policy) == rbac->epoch;
}

bool bondy_rbac_allows(const struct bondy_rbac *rbac, enum bondy_permission permission,
                       struct bondy_slice uri);
/* For any permission. */
bool bondy_rbac_allows_text(const struct bondy_rbac *rbac, struct bondy_slice permission,
                            struct bondy_slice uri);
/* Whether one grant covers all that the pattern of a SUBSCRIBE or REGISTER stands for; with
 * `exact` the same as allows. */
bool bondy_rbac_covers(const struct bondy_rbac *rbac, enum bondy_permission permission,
                       struct bondy_slice pattern, enum bondy_match match);
/* Whether the group counts for the identity, directly or through others. */
bool bondy_rbac_has_group(const struct bondy_rbac *rbac, struct bondy_slice name);

/* ---- for people and programs that ask why (src/security/policy/rbac_explain.c)
 * ------------------- */

/* Effective grants in the external form of 2.6, merged by resource, sorted. The caller owns it. */
json_t *bondy_rbac_grants(const struct bondy_rbac *rbac);
/* The object of 2.11: allowed, authid, permission, resource (and match, unless exact),
 * security_enabled, groups, considered, reason. Of the grants that share only the resource or only
 * the permission, at most 100 are told, the nearest first; `omitted` counts the others. The caller
 * owns it. */
json_t *bondy_rbac_explain(const struct bondy_rbac *rbac, struct bondy_slice permission,
                           struct bondy_slice uri, enum bondy_match match);

#endif

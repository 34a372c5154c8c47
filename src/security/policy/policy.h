/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_POLICY_H
#define BONDY_SECURITY_POLICY_POLICY_H

/* policy: the groups and grants of one realm, in memory, and the switches that decide about them
 * (realms-and-security.md 1.6, 2.6 to 2.9). Users are not here: only the grants made to them.
 *
 * One thread writes (control): put and remove collect changes, bondy_policy_publish() makes all of
 * them visible in one swap and moves the epoch. Any RCU reader reads, without a lock; what an
 * identity may do is asked of an rbac (src/security/policy/rbac.h), which is built from a policy
 * and is stale as soon as the epoch moved.
 *
 * Reference counted; holders: the realm, every rbac, and the policies that have it as prototype.
 * Names of groups and users are compared by octets, so the caller folds their case before. Grants
 * to a group that was never put count for nothing until it is. `all` and `anonymous` are groups
 * that are always there. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/base/slice.h"
#include "src/wamp/uri.h"

struct bondy_policy;

enum bondy_role_kind { BONDY_ROLE_GROUP, BONDY_ROLE_USER };

/* How the URI of a grant is meant; the first three as in enum bondy_match. */
enum bondy_grant_match {
    BONDY_GRANT_EXACT = BONDY_MATCH_EXACT,
    BONDY_GRANT_PREFIX = BONDY_MATCH_PREFIX, /* "" is everything */
    BONDY_GRANT_WILDCARD = BONDY_MATCH_WILDCARD,
    BONDY_GRANT_ANY, /* everything; the URI is empty */
    BONDY_GRANT_MATCHES,
};

/* "exact", "prefix", "wildcard", "any". */
const char *bondy_grant_match_name(enum bondy_grant_match match);
/* False for any other text. */
bool bondy_grant_match_parse(struct bondy_slice text, enum bondy_grant_match *out);

struct bondy_policy_settings {
    bool security_enabled;          /* resolved; off: everybody may do everything */
    bool inherits_anonymous;        /* security.rbac.inherit_anonymous */
    bool prefixes_are_bytes;        /* security.rbac.prefix_match = byte: com.a opens com.ab too */
    bool coverage_is_literal;       /* security.rbac.pattern_coverage = literal */
    unsigned max_groups;            /* of one identity, the inherited ones included */
    unsigned max_depth;             /* of groups in groups */
    struct bondy_policy *prototype; /* or NULL; a reference is taken */
};

/* Security on, anonymous inherited, whole components, strict, 1000 groups, depth 32, alone. */
extern const struct bondy_policy_settings bondy_policy_defaults;

/* With the default settings, no groups and no grants, published. The caller owns a reference. Any
 * thread that is an RCU reader. */
struct bondy_policy *bondy_policy_create(struct bondy_slice realm_uri);
void bondy_policy_ref(const struct bondy_policy *policy);
/* Any thread; the last one frees it, when no reader can hold it by the table it came from. */
void bondy_policy_unref(const struct bondy_policy *policy);
struct bondy_slice bondy_policy_realm(const struct bondy_policy *policy);

/* ---- the writer's: nothing of it is seen before the next publish -------------------------- */

/* Part of the next publish too. The prototype must not be the policy itself nor have one. */
void bondy_policy_configure(struct bondy_policy *policy,
                            const struct bondy_policy_settings *settings);
void bondy_policy_put_group(struct bondy_policy *policy, struct bondy_slice name);
/* With its parents and the grants made to it. Names that are not there are passed over, here and
 * below. */
void bondy_policy_remove_group(struct bondy_policy *policy, struct bondy_slice name);
/* The grants made to one user. */
void bondy_policy_remove_user(struct bondy_policy *policy, struct bondy_slice name);
/* `group` becomes a member of `parent` and so gets what that one may; the group need not be put
 * before. Parents `all` and `anonymous` count for nothing. */
void bondy_policy_put_parent(struct bondy_policy *policy, struct bondy_slice group,
                             struct bondy_slice parent);
void bondy_policy_remove_parent(struct bondy_policy *policy, struct bondy_slice group,
                                struct bondy_slice parent);

struct bondy_grant_key {
    enum bondy_role_kind kind;
    struct bondy_slice name; /* of the group or user */
    enum bondy_grant_match match;
    struct bondy_slice uri;
};

/* Replaces the permissions of that role on that resource; `permissions` is an array of texts,
 * copied. An empty one removes. */
void bondy_policy_put_grant(struct bondy_policy *policy, const struct bondy_grant_key *key,
                            const json_t *permissions);
void bondy_policy_remove_grant(struct bondy_policy *policy, const struct bondy_grant_key *key);
/* Makes all changes since the last publish visible at once and moves the epoch, also of the
 * policies that have this one as prototype. False: nothing had changed. */
bool bondy_policy_publish(struct bondy_policy *policy);
/* Moves the epoch alone, for what is decided elsewhere: the groups of a user with open sessions. */
void bondy_policy_touch(struct bondy_policy *policy);

/* ---- any RCU reader ----------------------------------------------------------------------- */

/* A policy starts with this. */
struct bondy_policy_epoch {
    _Atomic uint64_t now;
};

/* Grows with every change of what the policy decides. One load: asked for every message. */
static inline uint64_t bondy_policy_epoch(const struct bondy_policy *policy)
{
    return atomic_load_explicit(&((const struct bondy_policy_epoch *)(const void *)policy)->now,
                                memory_order_acquire);
}

/* A group of the realm, or also of its prototype. The built-in ones are in every realm. */
bool bondy_policy_has_group(const struct bondy_policy *policy, struct bondy_slice name,
                            bool or_in_prototype);
/* Called with each parent of the realm's group, else of the prototype's, sorted; false ends. */
typedef bool (*bondy_policy_name_fn)(void *context, struct bondy_slice name);
void bondy_policy_parents(const struct bondy_policy *policy, struct bondy_slice group,
                          bondy_policy_name_fn visit, void *context);
/* The grants of the realm itself as an array of {permissions, resource, roles: [one]}, sorted by
 * role and resource; a role is group/NAME, user/NAME, all or anonymous. The caller owns it. */
json_t *bondy_policy_grants(const struct bondy_policy *policy);

#endif

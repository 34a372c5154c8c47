/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_POLICY_VIEW_H
#define BONDY_SECURITY_POLICY_POLICY_VIEW_H

/* policy_view: what a policy has published, as its readers find it. Inside src/security.
 *
 * One view is one state of the policy: roles by name in two tries, whose nodes the next view shares
 * where nothing changed. Usable until the reader's next sleep; roles longer with a reference. */

#include "src/base/trie.h"
#include "src/security/policy/policy.h"
#include "src/security/policy/role.h"
#include "src/sys/publish.h"

#define BONDY_ROLE_KINDS 2

struct bondy_policy_view {
    struct bondy_retired retired;
    struct bondy_policy_settings settings; /* holds a reference of the prototype */
    bondy_trie_root roles[BONDY_ROLE_KINDS];
    /* What the next view no longer uses; filled when this one is replaced. */
    struct bondy_trie_node *replaced;
    const struct bondy_role **dropped;
    size_t dropped_count;
};

/* Never NULL. */
const struct bondy_policy_view *bondy_policy_view(const struct bondy_policy *policy);
/* The view of its prototype, or NULL. */
const struct bondy_policy_view *bondy_policy_prototype_view(const struct bondy_policy_view *view);
/* NULL when there is none. Groups that were not put are not found. */
const struct bondy_role *bondy_policy_find_role(const struct bondy_policy_view *view,
                                                enum bondy_role_kind kind, struct bondy_slice name);
/* "group/staff", "user/mona", "all", "anonymous"; the caller owns it. */
json_t *bondy_role_text(const struct bondy_role *role);

#endif

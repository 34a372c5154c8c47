/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_ROLE_EDIT_H
#define BONDY_SECURITY_POLICY_ROLE_EDIT_H

/* role_edit: changes of roles that are not published yet. Inside src/security, the writer's.
 *
 * An edit starts from the published role. Rules are not looked up while changes come in: they are
 * kept in order and merged once with those of the role, the last change of a resource counting. */

#include "src/base/map.h"
#include "src/security/policy/policy.h"
#include "src/security/policy/role.h"

struct bondy_role_edit;

struct bondy_role_edits {
    struct bondy_map by_key;
};

void bondy_role_edits_fini(struct bondy_role_edits *edits);
/* The edit of that role, made when there is none. `before` is borrowed until the edits end. */
struct bondy_role_edit *bondy_role_edits_get(struct bondy_role_edits *edits,
                                             enum bondy_role_kind kind, struct bondy_slice name,
                                             const struct bondy_role *before);

void bondy_role_edit_exists(struct bondy_role_edit *edit);
/* Nothing is left of the role. */
void bondy_role_edit_clear(struct bondy_role_edit *edit);
void bondy_role_edit_put_parent(struct bondy_role_edit *edit, struct bondy_slice parent);
void bondy_role_edit_remove_parent(struct bondy_role_edit *edit, struct bondy_slice parent);
/* Takes the rule. One without permissions removes. */
void bondy_role_edit_add_rule(struct bondy_role_edit *edit, const struct bondy_rule *rule);

enum bondy_role_kind bondy_role_edit_kind(const struct bondy_role_edit *edit);
const struct bondy_role *bondy_role_edit_before(const struct bondy_role_edit *edit);
/* The role that results, or NULL when nothing is left of it. The caller owns it. */
struct bondy_role *bondy_role_edit_finish(struct bondy_role_edit *edit);

#endif

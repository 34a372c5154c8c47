/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_RBAC_ROLES_H
#define BONDY_SECURITY_POLICY_RBAC_ROLES_H

/* rbac_roles: the inside of an rbac. Inside src/security. */

#include "src/security/policy/rbac.h"
#include "src/security/policy/role.h"

/* `via` of roles that no other group led to. */
#define BONDY_RBAC_VIA_NONE UINT32_MAX

struct bondy_rbac_role {
    const struct bondy_role *role; /* a reference */
    uint32_t via;                  /* index of the group that is a member of this one */
    uint32_t level;                /* groups on the way to it */
    bool is_inherited;             /* of the prototype */
};

struct bondy_rbac_inside {
    struct bondy_rbac rbac;               /* first: what others see */
    const struct bondy_policy *prototype; /* a reference, or NULL */
    bool prefixes_are_bytes;
    bool coverage_is_literal;
    bool groups_are_chosen;
    bool is_cut;    /* a limit was met: groups beyond it count for nothing */
    char *username; /* NULL: anonymous */
    struct bondy_rbac_role *roles;
    uint32_t role_count, role_cap;
};

static inline const struct bondy_rbac_inside *bondy_rbac_inside(const struct bondy_rbac *rbac)
{
    return (const struct bondy_rbac_inside *)(const void *)rbac;
}

/* The question as this rbac's realm understands it; ended with bondy_question_fini(). */
void bondy_rbac_ask(const struct bondy_rbac *rbac, struct bondy_question *question);
/* Whether any role gives it, or security is disabled. */
bool bondy_rbac_answer(const struct bondy_rbac *rbac, const struct bondy_question *question);

#endif

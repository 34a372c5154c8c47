/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/policy/rbac.h"

#include "src/base/alloc.h"
#include "src/base/map.h"
#include "src/security/policy/policy_view.h"
#include "src/security/policy/rbac_roles.h"

/* How many memberships are followed for each group that may count: groups that are all members of
 * each other have a million between a thousand of them. */
#define LOOKS_PER_GROUP 32

static _Atomic uint64_t last_id;

/* ---- which roles count -------------------------------------------------------------------- */

struct gathering {
    struct bondy_rbac_inside *rbac;
    const struct bondy_policy_view *view;
    const struct bondy_policy_view *prototype; /* or NULL */
    struct bondy_idmap seen;                   /* groups by their address */
    uint64_t looks_left;
    unsigned group_count;
};

static void add_role(struct bondy_rbac_inside *rbac, const struct bondy_rbac_role *role)
{
    if (rbac->role_count == rbac->role_cap) {
        rbac->role_cap = rbac->role_cap == 0 ? 4 : rbac->role_cap * 2;
        rbac->roles = bondy_realloc(rbac->roles, rbac->role_cap * sizeof rbac->roles[0]);
    }
    bondy_role_ref(role->role);
    rbac->roles[rbac->role_count++] = *role;
}

/* What the realm grants to a built-in group, and what its prototype does: they do not hide each
 * other. */
static void add_builtin(struct gathering *gathering, struct bondy_slice name, bool inherit)
{
    struct bondy_rbac_role found = {.via = BONDY_RBAC_VIA_NONE};

    found.role = bondy_policy_find_role(gathering->view, BONDY_ROLE_GROUP, name);
    if (found.role != NULL)
        add_role(gathering->rbac, &found);
    if (gathering->prototype == NULL || !inherit)
        return;
    found.is_inherited = true;
    found.role = bondy_policy_find_role(gathering->prototype, BONDY_ROLE_GROUP, name);
    if (found.role != NULL)
        add_role(gathering->rbac, &found);
}

/* A group of the realm or, when it has none of that name, of the prototype. */
static void add_group(struct gathering *gathering, struct bondy_slice name, uint32_t via,
                      uint32_t level)
{
    struct bondy_rbac_role found = {.via = via, .level = level};

    if (bondy_role_is_builtin(name)) /* nobody joins these */
        return;
    found.role = bondy_policy_find_role(gathering->view, BONDY_ROLE_GROUP, name);
    if (found.role == NULL && gathering->prototype != NULL) {
        found.is_inherited = true;
        found.role = bondy_policy_find_role(gathering->prototype, BONDY_ROLE_GROUP, name);
    }
    if (found.role == NULL || bondy_idmap_find(&gathering->seen, (uintptr_t)found.role) != NULL)
        return;
    if (gathering->group_count == gathering->view->settings.max_groups) {
        gathering->rbac->is_cut = true;
        return;
    }
    gathering->group_count++;
    bondy_idmap_put(&gathering->seen, (uintptr_t)found.role, (void *)found.role);
    add_role(gathering->rbac, &found);
}

static void follow_parents(struct gathering *gathering, uint32_t at)
{
    const struct bondy_role *role = gathering->rbac->roles[at].role;
    uint32_t level = gathering->rbac->roles[at].level + 1;

    if (role->parent_count > 0 && level >= gathering->view->settings.max_depth) {
        gathering->rbac->is_cut = true;
        return;
    }
    for (size_t i = 0; i < role->parent_count; i++) {
        if (gathering->looks_left == 0) {
            gathering->rbac->is_cut = true;
            return;
        }
        gathering->looks_left--;
        add_group(gathering, role->parents[i], at, level);
    }
}

static void gather_groups(struct gathering *gathering, const struct bondy_rbac_subject *subject)
{
    struct bondy_rbac_inside *rbac = gathering->rbac;
    uint32_t at = rbac->role_count;

    for (size_t i = 0; i < subject->group_count; i++)
        add_group(gathering, subject->groups[i], BONDY_RBAC_VIA_NONE, 0);
    for (; at < rbac->role_count; at++) /* nearest first: it grows while we go */
        follow_parents(gathering, at);
    bondy_idmap_fini(&gathering->seen);
}

static void gather(struct bondy_rbac_inside *rbac, const struct bondy_rbac_subject *subject)
{
    struct gathering gathering = {.rbac = rbac, .view = bondy_policy_view(rbac->rbac.policy)};
    const struct bondy_policy_settings *settings = &gathering.view->settings;
    struct bondy_rbac_role own = {.via = BONDY_RBAC_VIA_NONE};

    rbac->rbac.is_open = !settings->security_enabled;
    rbac->prefixes_are_bytes = settings->prefixes_are_bytes;
    rbac->coverage_is_literal = settings->coverage_is_literal;
    rbac->prototype = settings->prototype;
    bondy_policy_ref(rbac->prototype);
    gathering.prototype = bondy_policy_prototype_view(gathering.view);
    gathering.looks_left = (uint64_t)settings->max_groups * LOOKS_PER_GROUP;

    add_builtin(&gathering, BONDY_SLICE("all"), true);
    if (rbac->username == NULL)
        add_builtin(&gathering, BONDY_SLICE("anonymous"), settings->inherits_anonymous);
    gather_groups(&gathering, subject);
    if (rbac->username == NULL)
        return;
    own.role = bondy_policy_find_role(gathering.view, BONDY_ROLE_USER, subject->username);
    if (own.role != NULL)
        add_role(rbac, &own);
}

/* ---- life --------------------------------------------------------------------------------- */

struct bondy_rbac *bondy_rbac_create(const struct bondy_policy *policy,
                                     const struct bondy_rbac_subject *subject)
{
    struct bondy_rbac_inside *rbac = bondy_zalloc(sizeof *rbac);

    rbac->rbac.id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    rbac->rbac.policy = policy;
    bondy_policy_ref(policy);
    /* First the epoch, then the view: one that is newer than the epoch is only built once more. */
    rbac->rbac.epoch = bondy_policy_epoch(policy);
    rbac->groups_are_chosen = subject->groups_are_chosen;
    if (subject->username.len > 0 && !bondy_slice_is(subject->username, "anonymous"))
        rbac->username = bondy_memdup0(subject->username.data, subject->username.len);
    gather(rbac, subject);
    return &rbac->rbac;
}

void bondy_rbac_destroy(struct bondy_rbac *rbac)
{
    struct bondy_rbac_inside *inside = (struct bondy_rbac_inside *)(void *)rbac;

    if (inside == NULL)
        return;
    for (uint32_t i = 0; i < inside->role_count; i++)
        bondy_role_unref(inside->roles[i].role);
    bondy_free(inside->roles);
    bondy_free(inside->username);
    bondy_policy_unref(inside->prototype);
    bondy_policy_unref(rbac->policy);
    bondy_free(inside);
}

/* ---- questions ---------------------------------------------------------------------------- */

void bondy_rbac_ask(const struct bondy_rbac *rbac, struct bondy_question *question)
{
    const struct bondy_rbac_inside *inside = bondy_rbac_inside(rbac);

    question->prefixes_are_bytes = inside->prefixes_are_bytes;
    /* realms-and-security.md 2.8 point 3, "literal": the pattern's text as if it were a URI. */
    if (inside->coverage_is_literal)
        question->match = BONDY_MATCH_EXACT;
    question->hash = bondy_hash(question->uri.data, question->uri.len);
    bondy_question_init(question);
}

bool bondy_rbac_answer(const struct bondy_rbac *rbac, const struct bondy_question *question)
{
    const struct bondy_rbac_inside *inside = bondy_rbac_inside(rbac);

    if (rbac->is_open)
        return true;
    for (uint32_t i = 0; i < inside->role_count; i++) {
        if (bondy_role_gives(inside->roles[i].role, question))
            return true;
    }
    return false;
}

static bool ask(const struct bondy_rbac *rbac, struct bondy_question *question)
{
    bool answer;

    bondy_rbac_ask(rbac, question);
    answer = bondy_rbac_answer(rbac, question);
    bondy_question_fini(question);
    return answer;
}

bool bondy_rbac_allows(const struct bondy_rbac *rbac, enum bondy_permission permission,
                       struct bondy_slice uri)
{
    return bondy_rbac_covers(rbac, permission, uri, BONDY_MATCH_EXACT);
}

bool bondy_rbac_allows_text(const struct bondy_rbac *rbac, struct bondy_slice permission,
                            struct bondy_slice uri)
{
    struct bondy_question question = {.permission = bondy_permission_of(permission),
                                      .permission_text = permission,
                                      .uri = uri,
                                      .match = BONDY_MATCH_EXACT};

    return ask(rbac, &question);
}

bool bondy_rbac_covers(const struct bondy_rbac *rbac, enum bondy_permission permission,
                       struct bondy_slice pattern, enum bondy_match match)
{
    struct bondy_question question = {.permission = permission, .uri = pattern, .match = match};

    return ask(rbac, &question);
}

bool bondy_rbac_has_group(const struct bondy_rbac *rbac, struct bondy_slice name)
{
    const struct bondy_rbac_inside *inside = bondy_rbac_inside(rbac);

    if (bondy_slice_is(name, "all"))
        return true;
    if (bondy_slice_is(name, "anonymous"))
        return inside->username == NULL;
    for (uint32_t i = 0; i < inside->role_count; i++) {
        const struct bondy_role *role = inside->roles[i].role;

        if (role->kind == BONDY_ROLE_GROUP && bondy_slice_eq(role->name, name))
            return true;
    }
    return false;
}

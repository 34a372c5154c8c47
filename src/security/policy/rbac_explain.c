/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/security/policy/policy_view.h"
#include "src/security/policy/rbac_roles.h"

#define MOST_CONSIDERED 100

/* ---- effective grants --------------------------------------------------------------------- */

/* By URI, then match. */
static int compare_rules(const void *a, const void *b)
{
    const struct bondy_rule *left = *(const struct bondy_rule *const *)a;
    const struct bondy_rule *right = *(const struct bondy_rule *const *)b;
    int order = bondy_slice_cmp(left->uri, right->uri);

    if (order != 0)
        return order;
    return left->match < right->match ? -1 : left->match > right->match;
}

/* All rules that count, sorted by resource; the caller frees the array. */
static const struct bondy_rule **all_rules(const struct bondy_rbac_inside *rbac, size_t *count)
{
    const struct bondy_rule **rules;
    size_t room = 0;

    for (uint32_t i = 0; i < rbac->role_count; i++)
        room += rbac->roles[i].role->rule_count;
    rules = bondy_calloc(room, sizeof(struct bondy_rule *));
    *count = 0;
    for (uint32_t i = 0; i < rbac->role_count; i++) {
        const struct bondy_role *role = rbac->roles[i].role;

        for (size_t k = 0; k < role->rule_count; k++)
            rules[(*count)++] = role->rules[k];
    }
    if (*count > 1)
        qsort(rules, *count, sizeof(struct bondy_rule *), compare_rules);
    return rules;
}

json_t *bondy_rbac_grants(const struct bondy_rbac *rbac)
{
    size_t count, same;
    const struct bondy_rule **rules = all_rules(bondy_rbac_inside(rbac), &count);
    json_t *array = json_array();

    for (size_t i = 0; i < count; i += same) {
        json_t *grant = json_object();

        same = 1;
        while (i + same < count && compare_rules(&rules[i], &rules[i + same]) == 0)
            same++;
        bondy_json_with(grant, "permissions", bondy_rules_permissions(&rules[i], same));
        bondy_json_with(grant, "resource", bondy_rule_resource(rules[i]));
        json_array_append_new(array, grant);
    }
    bondy_free(rules);
    return array;
}

/* ---- why ---------------------------------------------------------------------------------- */

static json_t *realm_of(const struct bondy_rbac_inside *rbac, const struct bondy_rbac_role *role)
{
    return bondy_json_slice(
        bondy_policy_realm(role->is_inherited ? rbac->prototype : rbac->rbac.policy));
}

static json_t *group_entry(struct bondy_slice name, json_t *via, json_t *realm)
{
    json_t *entry = json_object();

    bondy_json_with(entry, "name", bondy_json_slice(name));
    bondy_json_with(entry, "via", via);
    return bondy_json_with(entry, "realm", realm);
}

/* How the identity came to be in it. */
static json_t *via_of(const struct bondy_rbac_inside *rbac, const struct bondy_rbac_role *role)
{
    if (role->via != BONDY_RBAC_VIA_NONE)
        return bondy_json_slice(rbac->roles[role->via].role->name);
    return json_string(rbac->groups_are_chosen ? "session" : "user");
}

/* Without `all`, which everybody is in. */
static json_t *groups_of(const struct bondy_rbac_inside *rbac)
{
    json_t *array = json_array();

    if (rbac->username == NULL)
        json_array_append_new(array,
                              group_entry(BONDY_SLICE("anonymous"), json_string("user"),
                                          bondy_json_slice(bondy_policy_realm(rbac->rbac.policy))));
    for (uint32_t i = 0; i < rbac->role_count; i++) {
        const struct bondy_rbac_role *role = &rbac->roles[i];

        if (role->role->kind == BONDY_ROLE_USER || bondy_slice_is(role->role->name, "all") ||
            bondy_slice_is(role->role->name, "anonymous"))
            continue;
        json_array_append_new(
            array, group_entry(role->role->name, via_of(rbac, role), realm_of(rbac, role)));
    }
    return array;
}

/* What one rule has to do with the question. */
enum nearness { GIVES, SAME_RESOURCE, SAME_PERMISSION, UNRELATED };

static enum nearness nearness_of(const struct bondy_rule *rule,
                                 const struct bondy_question *question)
{
    bool covers = bondy_rule_covers(rule, question);
    bool permits = bondy_rule_permits(rule, question);

    if (covers)
        return permits ? GIVES : SAME_RESOURCE;
    return permits ? SAME_PERMISSION : UNRELATED;
}

static json_t *rule_entry(const struct bondy_rbac_inside *rbac, const struct bondy_rbac_role *role,
                          const struct bondy_rule *rule, enum nearness nearness)
{
    json_t *entry = json_object();

    bondy_json_with(entry, "role", bondy_role_text(role->role));
    bondy_json_with(entry, "realm", realm_of(rbac, role));
    bondy_json_with(entry, "resource", bondy_rule_resource(rule));
    bondy_json_with(entry, "permissions", bondy_rules_permissions(&rule, 1));
    bondy_json_with(entry, "resource_matches", json_boolean(nearness <= SAME_RESOURCE));
    return bondy_json_with(entry, "permission_matches",
                           json_boolean(nearness == GIVES || nearness == SAME_PERMISSION));
}

/* Adds the rules that are that near; returns how many there were no room for. */
static size_t consider(const struct bondy_rbac_inside *rbac, const struct bondy_question *question,
                       enum nearness nearness, json_t *considered)
{
    size_t omitted = 0;

    for (uint32_t i = 0; i < rbac->role_count; i++) {
        const struct bondy_rbac_role *role = &rbac->roles[i];

        for (size_t k = 0; k < role->role->rule_count; k++) {
            const struct bondy_rule *rule = role->role->rules[k];

            if (nearness_of(rule, question) != nearness)
                continue;
            if (json_array_size(considered) < MOST_CONSIDERED)
                json_array_append_new(considered, rule_entry(rbac, role, rule, nearness));
            else
                omitted++;
        }
    }
    return omitted;
}

static json_t *reason_of(const struct bondy_rbac *rbac, const struct bondy_question *question,
                         const json_t *considered, enum bondy_match match)
{
    const char *whole = match == BONDY_MATCH_EXACT    ? ""
                        : match == BONDY_MATCH_PREFIX ? "everything that starts with "
                                                      : "everything that matches ";
    json_t *first = json_array_get(considered, 0);

    if (rbac->is_open)
        return json_string("security is disabled in this realm: everything is allowed");
    if (json_is_true(json_object_get(first, "resource_matches")) &&
        json_is_true(json_object_get(first, "permission_matches")))
        return json_sprintf("a grant to %s gives " BONDY_SLICE_FMT " on %s" BONDY_SLICE_FMT,
                            json_string_value(json_object_get(first, "role")),
                            BONDY_SLICE_ARG(question->permission_text), whole,
                            BONDY_SLICE_ARG(question->uri));
    return json_sprintf(
        "no grant gives " BONDY_SLICE_FMT " on %s" BONDY_SLICE_FMT "%s",
        BONDY_SLICE_ARG(question->permission_text), whole, BONDY_SLICE_ARG(question->uri),
        bondy_rbac_inside(rbac)->is_cut ? "; the identity is in more groups than are followed"
                                        : "");
}

json_t *bondy_rbac_explain(const struct bondy_rbac *rbac, struct bondy_slice permission,
                           struct bondy_slice uri, enum bondy_match match)
{
    const struct bondy_rbac_inside *inside = bondy_rbac_inside(rbac);
    struct bondy_question question = {.permission = bondy_permission_of(permission),
                                      .permission_text = permission,
                                      .uri = uri,
                                      .match = match};
    json_t *result = json_object();
    json_t *considered = json_array();
    size_t omitted = 0;

    bondy_rbac_ask(rbac, &question);
    for (int nearness = GIVES; nearness < UNRELATED; nearness++)
        omitted += consider(inside, &question, (enum nearness)nearness, considered);
    bondy_json_with(result, "allowed", json_boolean(bondy_rbac_answer(rbac, &question)));
    bondy_json_with(result, "authid",
                    json_string(inside->username == NULL ? "anonymous" : inside->username));
    bondy_json_with(result, "permission", bondy_json_slice(permission));
    bondy_json_with(result, "resource", bondy_json_slice(uri));
    if (match != BONDY_MATCH_EXACT)
        bondy_json_with(result, "match", json_string(bondy_match_name(match)));
    bondy_json_with(result, "security_enabled", json_boolean(!rbac->is_open));
    bondy_json_with(result, "groups", groups_of(inside));
    bondy_json_with(result, "considered", considered);
    if (omitted > 0)
        bondy_json_with(result, "omitted", json_integer((json_int_t)omitted));
    bondy_json_with(result, "reason", reason_of(rbac, &question, considered, match));
    bondy_question_fini(&question);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/policy/role.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/map.h"

/* ---- parts of a role ---------------------------------------------------------------------- */

/* The size of the hash table: at most half full; no table for no exact rule. */
static size_t slots_for(const struct bondy_role_parts *parts)
{
    size_t exact = 0, cap = 2;

    while (exact < parts->rule_count && parts->rules[exact]->match == BONDY_GRANT_EXACT)
        exact++;
    if (exact == 0)
        return 0;
    while (cap < exact * 2)
        cap *= 2;
    return cap;
}

static void index_exact(struct bondy_role *role, size_t at)
{
    uint32_t slot = (uint32_t)role->rules[at]->hash & role->slot_mask;

    while (role->slots[slot] != 0)
        slot = (slot + 1) & role->slot_mask;
    role->slots[slot] = (uint32_t)at + 1;
}

/* Nobody reads the role yet, so what an addition replaces is freed at once. */
static void index_pattern(bondy_trie_root *root, struct bondy_slice key,
                          const struct bondy_rule *rule)
{
    struct bondy_trie_node *replaced = NULL;

    *root = bondy_trie_add(*root, key, (void *)rule, &replaced);
    bondy_trie_free_replaced(replaced);
}

/* A text with '#' is not a pattern and stands for nothing; in the tree it would be taken for
 * another one. */
static void index_wildcard(struct bondy_role *role, const struct bondy_rule *rule)
{
    struct bondy_buf key = BONDY_BUF_EMPTY;

    if (bondy_rule_is_void(rule))
        return;
    index_pattern(&role->wildcards, bondy_trie_wildcard_key(rule->uri, &key), rule);
    bondy_buf_fini(&key);
}

static void index_rules(struct bondy_role *role)
{
    for (size_t i = 0; i < role->rule_count; i++) {
        const struct bondy_rule *rule = role->rules[i];

        if (rule->match == BONDY_GRANT_EXACT)
            index_exact(role, i);
        else if (rule->match == BONDY_GRANT_WILDCARD)
            index_wildcard(role, rule);
        else if (rule->uri.len > 0)
            index_pattern(&role->prefixes, rule->uri, rule);
        else
            role->whole[rule->match == BONDY_GRANT_ANY] = rule;
    }
}

char *bondy_role_copy_text(char *at, struct bondy_slice text, struct bondy_slice *copy)
{
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    *copy = bondy_slice_of(at, text.len);
    return at + text.len;
}

bool bondy_role_is_builtin(struct bondy_slice group)
{
    return bondy_slice_is(group, "all") || bondy_slice_is(group, "anonymous");
}

/* ---- role --------------------------------------------------------------------------------- */

struct bondy_role *bondy_role_create(const struct bondy_role_parts *parts)
{
    size_t slot_count = slots_for(parts);
    size_t text_len = parts->name.len;
    struct bondy_slice *parents;
    const struct bondy_rule **rules;
    struct bondy_role *role;
    char *text;

    for (size_t i = 0; i < parts->parent_count; i++)
        text_len += parts->parents[i].len;
    role = bondy_zalloc(sizeof *role + parts->parent_count * sizeof *parents +
                        parts->rule_count * sizeof(struct bondy_rule *) +
                        slot_count * sizeof *role->slots + text_len);
    parents = (struct bondy_slice *)(role + 1);
    rules = (const struct bondy_rule **)(parents + parts->parent_count);
    role->slots = (uint32_t *)(rules + parts->rule_count);
    text = (char *)(role->slots + slot_count);

    bondy_ref_init(&role->ref);
    role->kind = parts->kind;
    role->exists = parts->exists;
    text = bondy_role_copy_text(text, parts->name, &role->name);
    for (size_t i = 0; i < parts->parent_count; i++)
        text = bondy_role_copy_text(text, parts->parents[i], &parents[i]);
    if (parts->rule_count > 0)
        memcpy(rules, parts->rules, parts->rule_count * sizeof(struct bondy_rule *));
    role->parents = parents;
    role->parent_count = parts->parent_count;
    role->rules = rules;
    role->rule_count = parts->rule_count;
    role->slot_mask = slot_count == 0 ? 0 : (uint32_t)slot_count - 1;
    if (slot_count == 0)
        role->slots = NULL;
    index_rules(role);
    return role;
}

const struct bondy_role *bondy_role_ref(const struct bondy_role *role)
{
    bondy_ref_take(&((struct bondy_role *)role)->ref);
    return role;
}

void bondy_role_unref(const struct bondy_role *role)
{
    struct bondy_role *mine = (struct bondy_role *)role;

    if (mine == NULL || !bondy_ref_drop(&mine->ref))
        return;
    bondy_trie_destroy(mine->prefixes);
    bondy_trie_destroy(mine->wildcards);
    for (size_t i = 0; i < mine->rule_count; i++)
        bondy_rule_unref(mine->rules[i]);
    bondy_free(mine);
}

static const struct bondy_rule *find_exact(const struct bondy_role *role,
                                           const struct bondy_question *question)
{
    if (role->slots == NULL)
        return NULL;
    for (uint32_t slot = (uint32_t)question->hash & role->slot_mask; role->slots[slot] != 0;
         slot = (slot + 1) & role->slot_mask) {
        const struct bondy_rule *rule = role->rules[role->slots[slot] - 1];

        if (rule->hash == question->hash && bondy_slice_eq(rule->uri, question->uri))
            return rule;
    }
    return NULL;
}

struct search {
    const struct bondy_question *question;
    bool is_given;
};

/* The trie compares octets; where components end is for the rule to say. */
static bool on_prefix(void *context, void *value)
{
    struct search *search = context;

    search->is_given =
        bondy_rule_permits(value, search->question) && bondy_rule_covers(value, search->question);
    return !search->is_given;
}

static bool on_wildcard(void *context, void *value)
{
    struct search *search = context;

    search->is_given = bondy_rule_permits(value, search->question);
    return !search->is_given;
}

static bool whole_gives(const struct bondy_role *role, const struct bondy_question *question)
{
    for (unsigned i = 0; i < BONDY_COUNT(role->whole); i++) {
        if (role->whole[i] != NULL && bondy_rule_permits(role->whole[i], question))
            return true;
    }
    return false;
}

bool bondy_role_gives(const struct bondy_role *role, const struct bondy_question *question)
{
    struct search search = {question, false};
    const struct bondy_rule *exact;

    if (role->rule_count == 0)
        return false;
    if (question->match == BONDY_MATCH_EXACT) {
        exact = find_exact(role, question);
        if (exact != NULL && bondy_rule_permits(exact, question))
            return true;
    }
    if (whole_gives(role, question))
        return true;
    bondy_trie_prefixes(role->prefixes, question->fixed, on_prefix, &search);
    if (!search.is_given && question->match != BONDY_MATCH_PREFIX)
        bondy_trie_wildcards(role->wildcards, question->key, on_wildcard, &search);
    return search.is_given;
}

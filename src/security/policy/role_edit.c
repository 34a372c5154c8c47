/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/policy/role_edit.h"

#include <stdlib.h>

#include "src/base/alloc.h"

struct change {
    const struct bondy_rule *rule;
    size_t turn; /* of two changes of a resource the later counts */
};

struct bondy_role_edit {
    enum bondy_role_kind kind;
    const struct bondy_role *before; /* as published, or NULL */
    bool is_cleared;                 /* nothing of it is kept */
    bool exists;
    struct bondy_slice name;
    struct bondy_slice *parents; /* sorted, each text owned */
    size_t parent_count;
    struct change *changes;
    size_t change_count, change_cap;
};

/* ---- life --------------------------------------------------------------------------------- */

static void forget_parents(struct bondy_role_edit *edit)
{
    for (size_t i = 0; i < edit->parent_count; i++)
        bondy_free((char *)edit->parents[i].data);
    edit->parent_count = 0;
}

static void forget_changes(struct bondy_role_edit *edit)
{
    for (size_t i = 0; i < edit->change_count; i++)
        bondy_rule_unref(edit->changes[i].rule);
    edit->change_count = 0;
}

static void edit_destroy(struct bondy_role_edit *edit)
{
    forget_parents(edit);
    forget_changes(edit);
    bondy_free(edit->parents);
    bondy_free(edit->changes);
    bondy_free((char *)edit->name.data);
    bondy_free(edit);
}

void bondy_role_edits_fini(struct bondy_role_edits *edits)
{
    size_t cursor = 0;
    void *edit;

    while (bondy_map_next(&edits->by_key, &cursor, NULL, &edit))
        edit_destroy(edit);
    bondy_map_fini(&edits->by_key);
}

static struct bondy_slice own(struct bondy_slice text)
{
    return bondy_slice_of(bondy_memdup0(text.data, text.len), text.len);
}

static struct bondy_role_edit *edit_create(enum bondy_role_kind kind, struct bondy_slice name,
                                           const struct bondy_role *before)
{
    struct bondy_role_edit *edit = bondy_zalloc(sizeof *edit);

    edit->kind = kind;
    edit->before = before;
    edit->name = own(name);
    /* A user is whoever has grants; the built-in groups are always there. */
    edit->exists = kind == BONDY_ROLE_USER || bondy_role_is_builtin(name);
    if (before == NULL)
        return edit;
    edit->exists = before->exists;
    edit->parents = bondy_calloc(before->parent_count, sizeof *edit->parents);
    for (size_t i = 0; i < before->parent_count; i++)
        edit->parents[edit->parent_count++] = own(before->parents[i]);
    return edit;
}

struct bondy_role_edit *bondy_role_edits_get(struct bondy_role_edits *edits,
                                             enum bondy_role_kind kind, struct bondy_slice name,
                                             const struct bondy_role *before)
{
    struct bondy_buf key = BONDY_BUF_EMPTY;
    struct bondy_role_edit *edit;

    bondy_buf_append_byte(&key, kind == BONDY_ROLE_USER ? 'u' : 'g');
    bondy_buf_append_slice(&key, name);
    edit = bondy_map_find(&edits->by_key, bondy_buf_slice(&key));
    if (edit == NULL) {
        edit = edit_create(kind, name, before);
        bondy_map_put(&edits->by_key, bondy_buf_slice(&key), edit);
    }
    bondy_buf_fini(&key);
    return edit;
}

enum bondy_role_kind bondy_role_edit_kind(const struct bondy_role_edit *edit)
{
    return edit->kind;
}

const struct bondy_role *bondy_role_edit_before(const struct bondy_role_edit *edit)
{
    return edit->before;
}

/* ---- changes ------------------------------------------------------------------------------ */

void bondy_role_edit_exists(struct bondy_role_edit *edit)
{
    edit->exists = true;
}

void bondy_role_edit_clear(struct bondy_role_edit *edit)
{
    forget_parents(edit);
    forget_changes(edit);
    edit->is_cleared = true;
    edit->exists = edit->kind == BONDY_ROLE_USER || bondy_role_is_builtin(edit->name);
}

/* Where the parent is or would have to be. */
static size_t parent_position(const struct bondy_role_edit *edit, struct bondy_slice parent)
{
    size_t low = 0, high = edit->parent_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (bondy_slice_cmp(edit->parents[middle], parent) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_parent_at(const struct bondy_role_edit *edit, size_t at, struct bondy_slice parent)
{
    return at < edit->parent_count && bondy_slice_eq(edit->parents[at], parent);
}

void bondy_role_edit_put_parent(struct bondy_role_edit *edit, struct bondy_slice parent)
{
    size_t at = parent_position(edit, parent);

    if (has_parent_at(edit, at, parent))
        return;
    edit->parents =
        bondy_realloc(edit->parents, (edit->parent_count + 1) * sizeof edit->parents[0]);
    memmove(&edit->parents[at + 1], &edit->parents[at],
            (edit->parent_count - at) * sizeof edit->parents[0]);
    edit->parents[at] = own(parent);
    edit->parent_count++;
}

void bondy_role_edit_remove_parent(struct bondy_role_edit *edit, struct bondy_slice parent)
{
    size_t at = parent_position(edit, parent);

    if (!has_parent_at(edit, at, parent))
        return;
    bondy_free((char *)edit->parents[at].data);
    edit->parent_count--;
    memmove(&edit->parents[at], &edit->parents[at + 1],
            (edit->parent_count - at) * sizeof edit->parents[0]);
}

void bondy_role_edit_add_rule(struct bondy_role_edit *edit, const struct bondy_rule *rule)
{
    if (edit->change_count == edit->change_cap) {
        edit->change_cap = edit->change_cap == 0 ? 4 : edit->change_cap * 2;
        edit->changes = bondy_realloc(edit->changes, edit->change_cap * sizeof edit->changes[0]);
    }
    edit->changes[edit->change_count] = (struct change){rule, edit->change_count};
    edit->change_count++;
}

/* ---- result ------------------------------------------------------------------------------- */

static int compare_changes(const void *a, const void *b)
{
    const struct change *left = a, *right = b;
    int order = bondy_rule_order(left->rule, right->rule);

    if (order != 0)
        return order;
    return left->turn < right->turn ? -1 : 1;
}

static bool is_removal(const struct bondy_rule *rule)
{
    return rule->bits == 0 && rule->other_count == 0;
}

/* The rules before and the changes, both sorted, into one. */
static size_t merge_rules(const struct bondy_role_edit *edit, const struct bondy_rule **out)
{
    size_t before_count = edit->before == NULL || edit->is_cleared ? 0 : edit->before->rule_count;
    size_t count = 0, at = 0;

    for (size_t i = 0; i < edit->change_count; i++) {
        const struct bondy_rule *rule = edit->changes[i].rule;

        if (i + 1 < edit->change_count && bondy_rule_order(rule, edit->changes[i + 1].rule) == 0)
            continue;
        while (at < before_count && bondy_rule_order(edit->before->rules[at], rule) < 0)
            out[count++] = bondy_rule_ref(edit->before->rules[at++]);
        if (at < before_count && bondy_rule_order(edit->before->rules[at], rule) == 0)
            at++;
        if (!is_removal(rule))
            out[count++] = bondy_rule_ref(rule);
    }
    while (at < before_count)
        out[count++] = bondy_rule_ref(edit->before->rules[at++]);
    return count;
}

struct bondy_role *bondy_role_edit_finish(struct bondy_role_edit *edit)
{
    size_t most = edit->change_count + (edit->before == NULL ? 0 : edit->before->rule_count);
    const struct bondy_rule **rules = bondy_calloc(most, sizeof(struct bondy_rule *));
    struct bondy_role_parts parts = {.kind = edit->kind,
                                     .exists = edit->exists,
                                     .name = edit->name,
                                     .parents = edit->parents,
                                     .parent_count = edit->parent_count,
                                     .rules = rules};
    struct bondy_role *role = NULL;

    if (edit->change_count > 1)
        qsort(edit->changes, edit->change_count, sizeof edit->changes[0], compare_changes);
    parts.rule_count = merge_rules(edit, rules);
    /* Users and built-in groups need no object to be there. */
    if (parts.rule_count > 0 || parts.parent_count > 0 ||
        (edit->exists && edit->kind == BONDY_ROLE_GROUP && !bondy_role_is_builtin(edit->name)))
        role = bondy_role_create(&parts);
    bondy_free(rules);
    return role;
}

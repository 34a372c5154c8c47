/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/map.h"
#include "src/security/policy/role.h"

static const char *const match_names[BONDY_GRANT_MATCHES] = {
    [BONDY_GRANT_EXACT] = "exact",
    [BONDY_GRANT_PREFIX] = "prefix",
    [BONDY_GRANT_WILDCARD] = "wildcard",
    [BONDY_GRANT_ANY] = "any",
};

const char *bondy_grant_match_name(enum bondy_grant_match match)
{
    return match_names[match];
}

bool bondy_grant_match_parse(struct bondy_slice text, enum bondy_grant_match *out)
{
    for (int match = 0; match < BONDY_GRANT_MATCHES; match++) {
        if (!bondy_slice_is(text, match_names[match]))
            continue;
        *out = (enum bondy_grant_match)match;
        return true;
    }
    return false;
}

/* ---- rule --------------------------------------------------------------------------------- */

static int compare_slices(const void *a, const void *b)
{
    return bondy_slice_cmp(*(const struct bondy_slice *)a, *(const struct bondy_slice *)b);
}

/* Sorts and drops what is there twice; returns how many are left. */
static size_t sort_slices(struct bondy_slice *slices, size_t count)
{
    size_t left = 0;

    if (count > 1)
        qsort(slices, count, sizeof slices[0], compare_slices);
    for (size_t i = 0; i < count; i++) {
        if (left == 0 || !bondy_slice_eq(slices[left - 1], slices[i]))
            slices[left++] = slices[i];
    }
    return left;
}

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static bool is_other(const json_t *value)
{
    return json_is_string(value) && bondy_permission_of(text_of(value)) == BONDY_PERMISSIONS;
}

const struct bondy_rule *bondy_rule_create(enum bondy_grant_match match, struct bondy_slice uri,
                                           const json_t *permissions)
{
    size_t other_count = 0, text_len = uri.len, index;
    struct bondy_rule *rule;
    const json_t *value;
    char *text;

    json_array_foreach(permissions, index, value)
    {
        if (is_other(value)) {
            other_count++;
            text_len += json_string_length(value);
        }
    }
    rule = bondy_zalloc(sizeof *rule + other_count * sizeof rule->others[0] + text_len);
    text = (char *)&rule->others[other_count];
    bondy_ref_init(&rule->ref);
    rule->match = match;
    text = bondy_role_copy_text(text, uri, &rule->uri);
    rule->hash = bondy_hash(rule->uri.data, rule->uri.len);
    json_array_foreach(permissions, index, value)
    {
        if (is_other(value))
            text = bondy_role_copy_text(text, text_of(value), &rule->others[rule->other_count++]);
        else if (json_is_string(value))
            rule->bits |= bondy_permission_bit(bondy_permission_of(text_of(value)));
    }
    rule->other_count = (uint32_t)sort_slices(rule->others, rule->other_count);
    return rule;
}

const struct bondy_rule *bondy_rule_ref(const struct bondy_rule *rule)
{
    bondy_ref_take(&((struct bondy_rule *)rule)->ref);
    return rule;
}

void bondy_rule_unref(const struct bondy_rule *rule)
{
    struct bondy_rule *mine = (struct bondy_rule *)rule;

    if (mine != NULL && bondy_ref_drop(&mine->ref))
        bondy_free(mine);
}

int bondy_rule_order(const struct bondy_rule *a, const struct bondy_rule *b)
{
    if (a->match != b->match)
        return a->match < b->match ? -1 : 1;
    return bondy_slice_cmp(a->uri, b->uri);
}

json_t *bondy_rules_permissions(const struct bondy_rule *const *rules, size_t count)
{
    json_t *array = json_array();
    struct bondy_slice *names;
    size_t room = BONDY_PERMISSIONS, name_count = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        bits |= rules[i]->bits;
        room += rules[i]->other_count;
    }
    names = bondy_calloc(room, sizeof *names);
    for (int i = 0; i < BONDY_PERMISSIONS; i++) {
        if (bits & bondy_permission_bit((enum bondy_permission)i))
            names[name_count++] = bondy_slice_text(bondy_permission_name((enum bondy_permission)i));
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < rules[i]->other_count; k++)
            names[name_count++] = rules[i]->others[k];
    }
    name_count = sort_slices(names, name_count);
    for (size_t i = 0; i < name_count; i++)
        json_array_append_new(array, bondy_json_slice(names[i]));
    bondy_free(names);
    return array;
}

json_t *bondy_rule_resource(const struct bondy_rule *rule)
{
    json_t *resource = json_object();

    if (rule->match == BONDY_GRANT_ANY)
        return bondy_json_with(resource, "uri", json_string("any"));
    bondy_json_with(resource, "uri", bondy_json_slice(rule->uri));
    return bondy_json_with(resource, "match", json_string(match_names[rule->match]));
}

bool bondy_rule_is_void(const struct bondy_rule *rule)
{
    return rule->match == BONDY_GRANT_WILDCARD && rule->uri.len > 0 &&
           memchr(rule->uri.data, '#', rule->uri.len) != NULL;
}

/* ---- question ----------------------------------------------------------------------------- */

static bool has_empty_component(struct bondy_slice uri)
{
    bool at_start = true;

    for (size_t i = 0; i < uri.len; i++) {
        if (at_start && uri.data[i] == '.')
            return true;
        at_start = uri.data[i] == '.';
    }
    return at_start;
}

/* The text in front of the first empty component. */
static struct bondy_slice fixed_head(struct bondy_slice pattern)
{
    bool at_start = true;

    for (size_t i = 0; i < pattern.len; i++) {
        if (at_start && pattern.data[i] == '.')
            return bondy_slice_of(pattern.data, i);
        at_start = pattern.data[i] == '.';
    }
    return pattern;
}

void bondy_question_init(struct bondy_question *question)
{
    question->key_text = (struct bondy_buf)BONDY_BUF_EMPTY;
    question->key = question->uri;
    if (question->match != BONDY_MATCH_PREFIX && has_empty_component(question->uri))
        question->key = bondy_trie_wildcard_key(question->uri, &question->key_text);
    question->fixed =
        question->match == BONDY_MATCH_WILDCARD ? fixed_head(question->uri) : question->uri;
}

void bondy_question_fini(struct bondy_question *question)
{
    bondy_buf_fini(&question->key_text);
}

bool bondy_rule_permits(const struct bondy_rule *rule, const struct bondy_question *question)
{
    if (question->permission < BONDY_PERMISSIONS)
        return (rule->bits & bondy_permission_bit(question->permission)) != 0;
    for (uint32_t i = 0; i < rule->other_count; i++) {
        if (bondy_slice_eq(rule->others[i], question->permission_text))
            return true;
    }
    return false;
}

/* threat-model Z1: `a` opens `a.b`, never `ab`. Of a pattern, everything it stands for must lie
 * behind the dot, or `a` would open a subscription to what starts with `a`. */
static bool prefix_covers(struct bondy_slice prefix, const struct bondy_question *question)
{
    struct bondy_slice fixed = question->fixed;

    if (!bondy_slice_starts(fixed, prefix))
        return false;
    if (question->prefixes_are_bytes || prefix.len == 0 || prefix.data[prefix.len - 1] == '.')
        return true;
    if (fixed.len == prefix.len)
        return question->match == BONDY_MATCH_EXACT;
    return fixed.data[prefix.len] == '.';
}

bool bondy_rule_covers(const struct bondy_rule *rule, const struct bondy_question *question)
{
    switch (rule->match) {
    case BONDY_GRANT_EXACT:
        return question->match == BONDY_MATCH_EXACT && bondy_slice_eq(rule->uri, question->uri);
    case BONDY_GRANT_PREFIX:
        return prefix_covers(rule->uri, question);
    case BONDY_GRANT_WILDCARD:
        /* A component that the question leaves open is only matched where the rule leaves it open
         * too. */
        return question->match != BONDY_MATCH_PREFIX && !bondy_rule_is_void(rule) &&
               bondy_uri_matches(question->uri, rule->uri, BONDY_MATCH_WILDCARD);
    default:
        return rule->match == BONDY_GRANT_ANY;
    }
}

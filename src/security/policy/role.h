/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_ROLE_H
#define BONDY_SECURITY_POLICY_ROLE_H

/* role: a group, or the grants made to one user, as an immutable object that every thread may read.
 * Inside src/security: made by the policy, asked by rbac.
 *
 * A rule is one grant: a resource and its permissions. A role keeps its rules sorted by (match,
 * URI) and finds them by exact URI in a hash table, by prefix and by wildcard in two tries. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/json.h"
#include "src/base/ref.h"
#include "src/base/slice.h"
#include "src/base/trie.h"
#include "src/security/policy/permission.h"
#include "src/security/policy/policy.h"

/* Immutable; one allocation, texts included. Holders: roles, and changes not yet published. */
struct bondy_rule {
    struct bondy_ref ref;
    uint32_t bits; /* permissions of the table */
    enum bondy_grant_match match;
    uint32_t other_count;
    uint64_t hash; /* of the URI */
    struct bondy_slice uri;
    struct bondy_slice others[]; /* permissions that are not in the table, sorted */
};

/* Without permissions it stands for "no such rule". What is not a text is passed over. */
const struct bondy_rule *bondy_rule_create(enum bondy_grant_match match, struct bondy_slice uri,
                                           const json_t *permissions);
const struct bondy_rule *bondy_rule_ref(const struct bondy_rule *rule);
void bondy_rule_unref(const struct bondy_rule *rule);
/* By match, then URI. */
int bondy_rule_order(const struct bondy_rule *a, const struct bondy_rule *b);
/* The permissions of all of them as a sorted array of texts; the caller owns it. */
json_t *bondy_rules_permissions(const struct bondy_rule *const *rules, size_t count);
/* {"uri", "match"} as it was stored; {"uri": "any"} for everything. The caller owns it. */
json_t *bondy_rule_resource(const struct bondy_rule *rule);

/* Its URI is none that anything can match: a wildcard with '#', which no pattern may contain. */
bool bondy_rule_is_void(const struct bondy_rule *rule);

/* What is asked of roles: one permission on one URI, or on all that a pattern stands for. */
struct bondy_question {
    enum bondy_permission permission; /* BONDY_PERMISSIONS: not one of the table, then the text */
    struct bondy_slice permission_text;
    struct bondy_slice uri;
    uint64_t hash;
    enum bondy_match match;
    bool prefixes_are_bytes;
    /* Made by init: */
    struct bondy_slice
        fixed;              /* what all that is asked for starts with: what prefixes are held to */
    struct bondy_slice key; /* the URI with '#' for empty components: what wildcards are held to */
    struct bondy_buf key_text;
};

/* The fields above `fixed` are given. */
void bondy_question_init(struct bondy_question *question);
void bondy_question_fini(struct bondy_question *question);
/* Halves of the answer of one rule, by the plain definition; the roles use indexes. */
bool bondy_rule_permits(const struct bondy_rule *rule, const struct bondy_question *question);
bool bondy_rule_covers(const struct bondy_rule *rule, const struct bondy_question *question);

/* Holders: the policy's published table, and every rbac that counts it. */
struct bondy_role {
    struct bondy_ref ref;
    enum bondy_role_kind kind;
    bool exists; /* a group that was put; grants may come before their group does */
    struct bondy_slice name;
    size_t parent_count;
    const struct bondy_slice *parents; /* sorted */
    size_t rule_count;
    const struct bondy_rule *const *rules; /* sorted */
    /* The rest is for bondy_role_gives(). */
    uint32_t slot_mask;
    uint32_t *slots; /* exact rules by hash: index into rules, one more; 0 is empty */
    bondy_trie_root prefixes, wildcards;
    const struct bondy_rule *whole[2]; /* the empty prefix and `any`, or NULL */
};

struct bondy_role_parts {
    enum bondy_role_kind kind;
    bool exists;
    struct bondy_slice name;
    const struct bondy_slice *parents; /* sorted */
    size_t parent_count;
    const struct bondy_rule *const *rules; /* sorted, each once; their references are taken over */
    size_t rule_count;
};

/* Copies a text to where an object keeps its texts; returns where the next one goes. */
char *bondy_role_copy_text(char *at, struct bondy_slice text, struct bondy_slice *copy);

/* `all` and `anonymous`. */
bool bondy_role_is_builtin(struct bondy_slice group);
struct bondy_role *bondy_role_create(const struct bondy_role_parts *parts);
const struct bondy_role *bondy_role_ref(const struct bondy_role *role);
void bondy_role_unref(const struct bondy_role *role);
/* Whether one of its rules has the permission and covers what is asked. */
bool bondy_role_gives(const struct bondy_role *role, const struct bondy_question *question);

#endif

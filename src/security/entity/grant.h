/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_GRANT_H
#define BONDY_SECURITY_ENTITY_GRANT_H

/* grant: what a role may do with which URIs. realms-and-security.md 2.6.
 *
 * One record (0x07) for each role and resource: u|g NUL name NUL gen(4) NUL match NUL resource, its
 * body {"permissions": [sorted], "meta"?}. gen is the user's or group's, 0 for `all` and
 * `anonymous` (kind g). */

#include "src/security/entity/edit.h"
#include "src/security/entity/user.h"

struct bondy_grant {
    bool is_user;
    struct bondy_slice role; /* "all" and "anonymous" are groups here */
    uint32_t gen;
    struct bondy_slice match;    /* exact, prefix, wildcard, any */
    struct bondy_slice resource; /* empty for any */
    json_t *permissions;         /* sorted names */
    json_t *meta;                /* NULL: none */
    bool is_managed;
};

/* {"permissions":[...],"resource":{"uri","match"}}, with `roles` (one: user/NAME, group/NAME, all,
 * anonymous) when asked for. The caller owns it. */
json_t *bondy_grant_external(const struct bondy_grant *grant, bool with_role);
/* The parts of a subkey, borrowed from it; false when it is none. */
bool bondy_grant_parse_key(struct bondy_slice subkey, struct bondy_grant *out);

/* The realm's own, in order of their keys. */
int bondy_grant_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     int (*fn)(void *context, const struct bondy_grant *grant), void *context);

int bondy_grant_check(const struct bondy_edit *edit, const json_t *request, json_t **problem);
/* [in a store job] Adds to, or takes from, what is there. The result of create is the list of the
 * grants as they are now. */
int bondy_grant_apply_create(struct bondy_edit *edit, struct bondy_slice realm,
                             const json_t *request);
int bondy_grant_apply_revoke(struct bondy_edit *edit, struct bondy_slice realm,
                             const json_t *request);
/* All of a user or group that goes away. */
int bondy_grant_apply_delete_role(struct bondy_edit *edit, const struct bondy_realm *realm,
                                  bool is_user, struct bondy_slice name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_GROUP_H
#define BONDY_SECURITY_ENTITY_GROUP_H

/* group: what users and other groups may be members of. realms-and-security.md 2.2.
 *
 * Stored: the group (0x05: meta) and an element (0x06) for each group it is a member of. `all` and
 * `anonymous` are built in and never stored. Groups of the prototype are seen as if they were of
 * the realm, unless a group of the realm has the same name. */

#include "src/security/entity/edit.h"
#include "src/security/entity/user.h"

struct bondy_group {
    char *name;
    uint32_t ggen;
    bool is_managed;
    json_t *groups; /* names it is a member of, sorted */
    json_t *meta;
    uint64_t created_ms, updated_ms;
    uint8_t version[BONDY_VERSION_LEN];
};

/* Of the realm itself; `anonymous` is found too. out is to be ended with fini when it is true. */
bool bondy_group_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                      struct bondy_slice name, struct bondy_group *out);
void bondy_group_fini(struct bondy_group *group);
json_t *bondy_group_external(const struct bondy_group *group);
/* Like bondy_user_list(); the built-in `anonymous` is among them. */
int bondy_group_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     const struct bondy_list_options *options,
                     int (*fn)(void *context, const struct bondy_group *group), void *context,
                     struct bondy_name *next);
/* Whether it is a group of the realm or of its prototype, or `anonymous`. */
bool bondy_group_is_known(const struct bondy_store_view *view, const struct bondy_realm *realm,
                          struct bondy_slice name);

/* [any] The shape of an input. BONDY_EINVAL with *problem. */
int bondy_group_check(const struct bondy_edit *edit, const json_t *input, bool is_update,
                      json_t **problem);

/* [in a store job] The result of each but delete is the group's external form. */
int bondy_group_apply_add(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input);
int bondy_group_apply_update(struct bondy_edit *edit, struct bondy_slice realm,
                             struct bondy_slice name, const json_t *input);
/* Goes through the realm's users: takes long when there are many. */
int bondy_group_apply_delete(struct bondy_edit *edit, struct bondy_slice realm,
                             struct bondy_slice name);
int bondy_group_apply_add_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                 struct bondy_slice name, const json_t *groups);
int bondy_group_apply_remove_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                    struct bondy_slice name, const json_t *groups);

/* For users and groups: the canonical, sorted names of a list, without `all` and `anonymous`;
 * BONDY_EINVAL with bondy.error.no_such_groups, BONDY_ELIMIT. The caller owns *out. */
int bondy_group_apply_names(struct bondy_edit *edit, const struct bondy_realm *realm,
                            const json_t *names, json_t **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_USER_ELEMENTS_H
#define BONDY_SECURITY_ENTITY_USER_ELEMENTS_H

/* user_elements: writes of the records of one user, wherever it is: in the realm itself, or in the
 * SSO realm for what a linked user has there. In store jobs. Internal to src/security. */

#include "src/security/entity/user_local.h"

/* Where a user's records are. Borrowed texts. */
struct bondy_user_place {
    struct bondy_slice realm_uri;
    uint32_t realm_gen;
    struct bondy_slice username;
    uint32_t ugen;
};

/* Replaces the authorized keys; NULL or null: none. */
int bondy_user_put_keys(struct bondy_edit *edit, const struct bondy_user_place *place,
                        const json_t *keys);
int bondy_user_put_key(struct bondy_edit *edit, const struct bondy_user_place *place,
                       struct bondy_slice folded);
int bondy_user_drop_key(struct bondy_edit *edit, const struct bondy_user_place *place,
                        struct bondy_slice folded);
/* An empty list, NULL or null: no password. */
int bondy_user_put_passwords(struct bondy_edit *edit, const struct bondy_user_place *place,
                             const json_t *verifiers);
int bondy_user_put_enabled(struct bondy_edit *edit, const struct bondy_user_place *place,
                           bool is_enabled);
/* Replaces the groups by the names in a sorted list. */
int bondy_user_put_groups(struct bondy_edit *edit, const struct bondy_user_place *place,
                          const json_t *groups);
int bondy_user_put_group(struct bondy_edit *edit, const struct bondy_user_place *place,
                         struct bondy_slice group);
int bondy_user_drop_group(struct bondy_edit *edit, const struct bondy_user_place *place,
                          struct bondy_slice group);
/* Whether all of a list of aliases can be put: free or the user's own, and not too many. */
int bondy_user_check_aliases(struct bondy_edit *edit, const struct bondy_user_place *place,
                             const json_t *aliases);
/* Checks that the alias is free and that there is room for it. */
int bondy_user_put_alias(struct bondy_edit *edit, const struct bondy_user_place *place,
                         struct bondy_slice alias);
int bondy_user_drop_alias(struct bondy_edit *edit, const struct bondy_user_place *place,
                          struct bondy_slice alias);
/* The user's record and all it has in this realm; not its sources and grants. */
int bondy_user_drop(struct bondy_edit *edit, const struct bondy_user_place *place,
                    const struct bondy_user *user);

#endif

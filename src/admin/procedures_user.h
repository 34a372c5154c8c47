/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_PROCEDURES_USER_H
#define BONDY_ADMIN_PROCEDURES_USER_H

/* procedures_user: what procedures about users share with those about clients and resource owners,
 * who are users too. */

#include "src/admin/procedures_local.h"
#include "src/security/entity/user.h"

extern const struct bondy_admin_kind bondy_admin_users;

json_t *bondy_admin_look_user(struct bondy_admin_call *call, const struct bondy_store_view *view);
json_t *bondy_admin_no_user(const char *code, struct bondy_slice name);
/* The answer of a list of users, of those for which `is_wanted` (NULL: all) holds. */
int bondy_admin_list_users(struct bondy_admin_call *call, const struct bondy_store_view *view,
                           bool (*is_wanted)(const struct bondy_user *user));
/* [pool] Checks an input and hashes its password. */
int bondy_admin_prepare_user(struct bondy_admin_call *call, json_t *input, bool is_update);

#endif

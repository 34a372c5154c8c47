/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_REALM_LOCAL_H
#define BONDY_SECURITY_ENTITY_REALM_LOCAL_H

/* realm_local: between the files of realm. */

#include "src/security/entity/realm.h"

/* The shape of an input; with `is_prepared` passwords and keys are what prepare made of them. */
int bondy_realm_check_input(const struct bondy_edit *edit, const json_t *input, bool is_update,
                            bool is_prepared, json_t **problem);
/* The lists of a realm's input in the order in which they are applied: groups (parents first),
 * users, sources, grants. A problem gets the JSON pointer of what it is about. */
int bondy_realm_apply_nested(struct bondy_edit *edit, struct bondy_slice uri, const json_t *input);
/* The groups of a list, each after those it is a member of; the caller owns *order (indexes).
 * BONDY_EINVAL with *problem: bondy.error.invalid_config with details.path. */
int bondy_realm_sort_groups(const json_t *groups, size_t **order, json_t **problem);
/* Puts `prefix` in front of the JSON pointers of a problem. */
void bondy_realm_locate(json_t *problem, const char *prefix);
/* Makes the PEM texts of private_keys and encryption_keys what apply takes. Slow. */
int bondy_realm_prepare_keys(json_t *input, json_t **problem);
/* Brings signing ("k") or encryption ("c") keys to the list, as prepared. */
int bondy_realm_put_keys(struct bondy_edit *edit, const struct bondy_realm *realm, char kind,
                         const json_t *keys);

#endif

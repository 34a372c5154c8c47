/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_USER_LOCAL_H
#define BONDY_SECURITY_ENTITY_USER_LOCAL_H

/* user_local: keys of a user's records, between the files of user. */

#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"

/* kinds of elements */
#define USER_GROUP 'g'
#define USER_KEY 'k'
#define USER_ALIAS 'a'
#define USER_ENABLED 'e'
#define USER_PASSWORD 'p'

/* A key, hex, as it is stored. */
#define USER_KEY_HEX 64
bool bondy_user_fold_key(struct bondy_slice hex, char out[USER_KEY_HEX]);
/* NUL key NUL [username]: the index of keys. */
void bondy_user_key_index(struct bondy_slice hex, struct bondy_slice username,
                          struct bondy_buf *out);
struct bondy_store_key bondy_user_key(const struct bondy_realm *realm, struct bondy_slice name);
/* The generation of a realm by its canonical URI; false when there is no such realm. */
bool bondy_user_realm_gen(const struct bondy_store_view *view, struct bondy_slice uri,
                          uint32_t *gen);
/* The same as bondy_user_find() in a realm of which only these two are known. */
bool bondy_user_read(const struct bondy_store_view *view, struct bondy_slice realm_uri,
                     uint32_t realm_gen, struct bondy_slice name_or_alias, struct bondy_user *out);

/* The shape of an input. `is_prepared`: a password's text is a mistake. */
int bondy_user_check(const struct bondy_edit *edit, const json_t *input, bool is_update,
                     bool is_prepared, json_t **problem);
/* A range of names by options: false when it is empty. `q` holds the folded prefix. */
bool bondy_list_range(const struct bondy_list_options *options, struct bondy_name *q,
                      struct bondy_store_range *range);

#endif

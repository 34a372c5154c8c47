/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_EXPORT_H
#define BONDY_SECURITY_ENTITY_EXPORT_H

/* export: a realm as an input object, usable as an entry of a security file: users with hashed
 * passwords, groups, sources, grants. admin-http-api.md 8. Pool thread, through a view. */

#include "src/base/json.h"
#include "src/security/entity/edit.h"
#include "src/store/store.h"

struct bondy_realm;

struct bondy_export_options {
    bool with_keys;  /* private keys too */
    bool with_users; /* false: the caller streams them with bondy_export_user() */
};
json_t *bondy_export_realm(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_export_options *options);
struct bondy_user;
/* A user as an input object. */
json_t *bondy_export_user(const struct bondy_user *user);

/* [in a store job] A batch of users of one realm, as prepared by bondy_user_prepare(): adds them or
 * brings them to what the input says. Items stand alone: what is refused is an error object with
 * `pointer` (/index) in *errors, the rest is written. *counts gets {"added","updated","unchanged"}.
 * For streams of a million users: some hundreds of them each time. */
int bondy_import_users(struct bondy_edit *edit, struct bondy_slice realm, const json_t *prepared,
                       json_t **counts, json_t **errors);

#endif

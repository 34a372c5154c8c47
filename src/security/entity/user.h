/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_USER_H
#define BONDY_SECURITY_ENTITY_USER_H

/* user: who may log in to a realm. realms-and-security.md 1.7, 2.3, 2.4.
 *
 * Users are records that are read where they lie; a realm may have a million of them. What is
 * stored: the user (0x03: meta, sso_realm_uri), one record for each alias in the same key space,
 * one element (0x04) for each group, key and alias, one for the switch `enabled` and one for the
 * password verifiers, and, so that cryptosign finds a user by key, an index element whose subkey
 * begins with NUL: NUL key NUL username. The version (ETag) is the greatest of all these. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/security/entity/edit.h"
#include "src/security/entity/names.h"
#include "src/security/credential/password.h"
#include "src/store/store.h"

struct bondy_realm;

/* ---- reading: pool threads and the control thread, through a view ------------------------ */

struct bondy_user {
    char *username; /* canonical */
    uint32_t ugen;
    bool is_enabled;
    bool is_managed;     /* written by the security file */
    json_t *groups;      /* names, sorted */
    json_t *keys;        /* Ed25519 public keys, lower-case hex */
    json_t *passwords;   /* verifiers: one or two password objects of 2.4; empty: none */
    json_t *aliases;     /* names, sorted */
    json_t *meta;        /* an object */
    char *sso_realm_uri; /* NULL: a user of this realm alone */
    uint64_t created_ms, updated_ms;
    uint8_t version[BONDY_VERSION_LEN];
    /* What tickets are kept under: the SSO realm's record after bondy_user_resolve() of a linked
     * user, else the same as above. */
    char *authrealm;
    uint32_t auth_ugen;
};

/* The record of this realm, by username or alias; out is to be ended with fini when it is true. */
bool bondy_user_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     struct bondy_slice name_or_alias, struct bondy_user *out);
/* As a login sees it (1.7): an alias of the SSO realm counts, password and keys come from the SSO
 * record, its meta is under meta.sso, both must be enabled. False: no such user. */
bool bondy_user_resolve(const struct bondy_store_view *view, const struct bondy_realm *realm,
                        struct bondy_slice name_or_alias, struct bondy_user *out);
/* Who holds an authorized key, for cryptosign without authid; resolved like above. Of several the
 * first by name. `hex` may be in any case. */
bool bondy_user_find_by_key(const struct bondy_store_view *view, const struct bondy_realm *realm,
                            struct bondy_slice hex, struct bondy_user *out);
void bondy_user_fini(struct bondy_user *user);
/* 2.3, with etag, created_at and updated_at; never a password. The caller owns it. */
json_t *bondy_user_external(const struct bondy_user *user);

struct bondy_list_options {
    size_t limit;             /* 0: all */
    struct bondy_slice after; /* the name to go on behind; empty: from the first */
    struct bondy_slice q;     /* only names that begin so */
};
/* Calls `fn` with each user in order of name until it returns non-zero, which is returned. `limit`
 * counts users; *next is the name to go on behind (a slice of `buffer`) or empty at the end. */
int bondy_user_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                    const struct bondy_list_options *options,
                    int (*fn)(void *context, const struct bondy_user *user), void *context,
                    struct bondy_name *next);
/* Whether the realm has any user. */
bool bondy_user_exists_any(const struct bondy_store_view *view, const struct bondy_realm *realm);

/* ---- writing ----------------------------------------------------------------------------- */

/* Which verifiers a password gets: those that the methods of a realm (resolved) need, else the
 * node's protocol, at the cost that `opts` (password_opts of 2.4 that was checked; NULL: none) or
 * the configuration says. */
struct bondy_password_opts bondy_user_password_opts(const struct bondy_security_rules *rules,
                                                    const json_t *authmethods, const json_t *opts);

/* [pool thread] Checks the shape and replaces a password's text in `input` by its verifiers (a list
 * of password objects); text that was there is zeroed. What was prepared may be prepared again.
 * `stored`: NULL, or verifiers that the user has: kept when the text still fits them, so that
 * nothing changes. BONDY_EINVAL with *problem. */
int bondy_user_prepare(const struct bondy_edit *edit, const struct bondy_password_opts *opts,
                       json_t *input, bool is_update, const json_t *stored, json_t **problem);
/* The same for a password alone (change_password): *out is the list of verifiers. */
int bondy_user_prepare_password(const struct bondy_security_rules *rules,
                                const struct bondy_password_opts *opts, struct bondy_slice text,
                                json_t **out, json_t **problem);
/* Whether a password's text fits any of the stored verifiers. Slow. */
bool bondy_user_password_fits(const json_t *stored, struct bondy_slice text);

/* [in a store job] The result of each but delete is the user's external form. */
int bondy_user_apply_add(struct bondy_edit *edit, struct bondy_slice realm, const json_t *prepared);
int bondy_user_apply_update(struct bondy_edit *edit, struct bondy_slice realm,
                            struct bondy_slice name, const json_t *prepared);
/* A user that linked records of other realms need is refused (realm_in_use) unless `force`, which
 * deletes the links too. */
int bondy_user_apply_delete(struct bondy_edit *edit, struct bondy_slice realm,
                            struct bondy_slice name, bool force);
/* `verifiers` as prepared. `seen`: NULL, or the verifiers against which the caller checked the old
 * password: BONDY_ECONFLICT when they are others by now. Goes to the SSO realm for linked users. */
int bondy_user_apply_set_password(struct bondy_edit *edit, struct bondy_slice realm,
                                  struct bondy_slice name, const json_t *verifiers,
                                  const json_t *seen);
int bondy_user_apply_set_enabled(struct bondy_edit *edit, struct bondy_slice realm,
                                 struct bondy_slice name, bool is_enabled);
int bondy_user_apply_add_alias(struct bondy_edit *edit, struct bondy_slice realm,
                               struct bondy_slice name, struct bondy_slice alias);
int bondy_user_apply_remove_alias(struct bondy_edit *edit, struct bondy_slice realm,
                                  struct bondy_slice name, struct bondy_slice alias);
/* `groups`: a list of names, a set union or difference with what is there. */
int bondy_user_apply_add_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                struct bondy_slice name, const json_t *groups);
int bondy_user_apply_remove_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                   struct bondy_slice name, const json_t *groups);
int bondy_user_apply_add_key(struct bondy_edit *edit, struct bondy_slice realm,
                             struct bondy_slice name, struct bondy_slice hex);
int bondy_user_apply_remove_key(struct bondy_edit *edit, struct bondy_slice realm,
                                struct bondy_slice name, struct bondy_slice hex);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_PRINCIPAL_H
#define BONDY_SECURITY_LOGIN_PRINCIPAL_H

/* principal: a user who has live sessions, and what of the user's record decides about them.
 *
 * Users are read where they lie, so nobody would hear of a change after the login. Therefore each
 * user with a session (or a login under way) has one principal, found by the store's change feed:
 * it holds the user's groups as they are now, for the contexts of permissions, and through it
 * sessions of a user who was deleted, disabled or got other credentials are ended.
 * realms-and-security.md 2.3 "Effects of changes on live state" and 2.9.
 *
 * Getting, filling and dropping: any thread (a lock; never on the way of a message). Reading the
 * groups: RCU readers. The feed: control thread. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/store/store.h"

struct bondy_principals;
struct bondy_principal;
struct bondy_realms;

enum bondy_principal_change {
    BONDY_PRINCIPAL_DELETED, /* or made again: another one */
    BONDY_PRINCIPAL_DISABLED,
    BONDY_PRINCIPAL_CREDENTIALS_CHANGED,
    BONDY_PRINCIPAL_GROUPS_CHANGED /* the realm's epoch was bumped already */
};

struct bondy_principals_options {
    struct bondy_store *store;
    const struct bondy_realms *realms;
    /* Control thread, after the commit and before its jobs are answered: what happened to a user
     * with live sessions. `spared` is a session that stays all the same (who changed its own
     * password), or 0. */
    void (*on_change)(void *context, const char *realm, const char *username,
                      enum bondy_principal_change change, uint64_t spared);
    void *context;
};

struct bondy_principals *bondy_principals_create(const struct bondy_principals_options *options);
/* Every principal was dropped. NULL is fine. */
void bondy_principals_destroy(struct bondy_principals *principals);

/* The principal of a user (canonical name), made when there is none; one reference is the caller's.
 * A login gets it first, then reads the user in a view begun afterwards, and then fills it. `seq`
 * is for that. */
struct bondy_principal *bondy_principals_get(struct bondy_principals *principals,
                                             struct bondy_slice realm, struct bondy_slice username,
                                             uint64_t *seq);
/* Says which groups the user has (an array of texts). False: the record changed since `seq` was
 * given; *seq is renewed, read again. */
bool bondy_principal_fill(struct bondy_principal *principal, uint64_t *seq, const json_t *groups);
/* Counts the changes of the user's record that were seen: what was found right under another number
 * has to be looked at again. */
uint64_t bondy_principal_seq(const struct bondy_principal *principal);
/* Whether its sessions were ended since `seq`: who was looked up then must not be let in, since
 * nobody would end that session any more. */
bool bondy_principal_was_ended(const struct bondy_principal *principal, uint64_t seq);
/* NULL is fine for both. */
struct bondy_principal *bondy_principal_ref(struct bondy_principal *principal);
void bondy_principal_unref(struct bondy_principal *principal);

/* The groups as they are now, until the thread's next sleep. */
const struct bondy_slice *bondy_principal_groups(const struct bondy_principal *principal,
                                                 size_t *count);

/* Inside a job: this session is not ended by what the job does to this user. May be said again when
 * the job is run again. */
void bondy_principals_spare(struct bondy_principals *principals, struct bondy_slice realm,
                            struct bondy_slice username, uint64_t session);
/* Inside a job: new verifiers of the same password (a stronger derivation) end no session. `realm`
 * is the one that keeps the password. */
void bondy_principals_spare_all(struct bondy_principals *principals, struct bondy_slice realm,
                                struct bondy_slice username);
/* The feed; on_commit after the realms were published. */
void bondy_principals_on_change(struct bondy_principals *principals,
                                const struct bondy_change *change);
void bondy_principals_on_commit(struct bondy_principals *principals);

#endif

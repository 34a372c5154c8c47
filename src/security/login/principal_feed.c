/* SPDX-License-Identifier: Apache-2.0 */

/* The feed: what a change of the store means for users who are here. Control thread. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/policy/policy.h"
#include "src/security/login/principal_local.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/user.h"

#define SPARE_ALL UINT64_MAX /* no session has this id */

#define MADE_ANEW (1u << 4) /* besides those of enum bondy_principal_change */
#define LINKED_SHIFT 8

/* A user that was not there before, or another one of this name. */
static bool is_made(const struct bondy_change *change)
{
    return !change->now.is_tombstone &&
           (change->before == NULL || change->before->gen != change->now.gen);
}

/* What a change of a user's record or of one of its elements may mean for live sessions. */
static unsigned suspect(const struct bondy_change *change, struct bondy_slice *username)
{
    const struct bondy_record *record = &change->now;
    const char *end = memchr(record->key.subkey.data, '\0', record->key.subkey.len);
    struct bondy_slice kind;

    if (record->key.type == BONDY_RECORD_USER) {
        *username = record->key.subkey;
        return 1u << BONDY_PRINCIPAL_DELETED | (is_made(change) ? MADE_ANEW : 0);
    }
    if (end == NULL || end == record->key.subkey.data)
        return 0; /* an index entry */
    *username = bondy_slice_of(record->key.subkey.data, (size_t)(end - record->key.subkey.data));
    kind = bondy_slice_skip(record->key.subkey, username->len + 1 + 4 + 1);
    switch (kind.len == 0 ? '\0' : kind.data[0]) {
    case 'g':
        return 1u << BONDY_PRINCIPAL_GROUPS_CHANGED;
    case 'k':
    case 'p':
        return 1u << BONDY_PRINCIPAL_CREDENTIALS_CHANGED;
    case 'e':
        return 1u << BONDY_PRINCIPAL_DISABLED;
    default:
        return 0;
    }
}

static void mark(struct bondy_principals *principals, struct bondy_slice key, unsigned changes)
{
    struct bondy_principal *principal;

    pthread_mutex_lock(&principals->lock);
    principal = bondy_map_find(&principals->by_key, key);
    if (principal != NULL) {
        principal->seq++;
        principal->changes |= changes;
        if (bondy_list_is_empty(&principal->dirty)) {
            bondy_ref_take(&principal->ref);
            bondy_list_append(&principals->dirty, &principal->dirty);
        }
    }
    pthread_mutex_unlock(&principals->lock);
}

struct linked {
    struct bondy_principals *principals;
    const uint8_t *scope_hash; /* of the SSO realm */
    struct bondy_slice username;
    unsigned changes;
};

/* A change in an SSO realm concerns the users of the same name in its client realms (1.7). */
static bool mark_linked(void *context, const struct bondy_realm *realm)
{
    const struct linked *linked = context;
    uint8_t hash[BONDY_SCOPE_HASH_LEN];
    char key[BONDY_PRINCIPAL_KEY_MAX];

    if (realm->sso_realm_uri == NULL)
        return true;
    bondy_store_scope_hash(bondy_slice_text(realm->sso_realm_uri), hash);
    if (memcmp(hash, linked->scope_hash, sizeof hash) == 0)
        mark(linked->principals,
             bondy_slice_of(
                 key, bondy_principal_key_of(bondy_slice_text(realm->uri), linked->username, key)),
             linked->changes << LINKED_SHIFT);
    return true;
}

void bondy_principals_on_change(struct bondy_principals *principals,
                                const struct bondy_change *change)
{
    const struct bondy_record *record = &change->now;
    struct linked linked = {.principals = principals, .scope_hash = record->scope_hash};
    char key[BONDY_PRINCIPAL_KEY_MAX];

    if (record->key.type != BONDY_RECORD_USER && record->key.type != BONDY_RECORD_USER_ELEMENT)
        return;
    if (atomic_load(&principals->count) == 0)
        return;
    linked.changes = suspect(change, &linked.username);
    if (linked.changes == 0)
        return;
    mark(principals,
         bondy_slice_of(key, bondy_principal_key(record->scope_hash, linked.username, key)),
         linked.changes);
    bondy_realms_each(principals->options.realms, mark_linked, &linked);
}

void bondy_principals_spare(struct bondy_principals *principals, struct bondy_slice realm,
                            struct bondy_slice username, uint64_t session)
{
    struct bondy_spared *spared = bondy_zalloc(sizeof *spared);

    spared->session = session;
    spared->key_len = bondy_principal_key_of(realm, username, spared->key);
    spared->next = principals->spared;
    principals->spared = spared;
}

struct sparing {
    struct bondy_principals *principals;
    struct bondy_slice authrealm;
    struct bondy_slice username;
};

static bool spare_linked(void *context, const struct bondy_realm *realm)
{
    const struct sparing *sparing = context;

    if (realm->sso_realm_uri != NULL && bondy_slice_is(sparing->authrealm, realm->sso_realm_uri))
        bondy_principals_spare(sparing->principals, bondy_slice_text(realm->uri), sparing->username,
                               SPARE_ALL);
    return true;
}

void bondy_principals_spare_all(struct bondy_principals *principals, struct bondy_slice realm,
                                struct bondy_slice username)
{
    struct sparing sparing = {principals, realm, username};

    bondy_principals_spare(principals, realm, username, SPARE_ALL);
    bondy_realms_each(principals->options.realms, spare_linked, &sparing);
}

static uint64_t spared_session(const struct bondy_principals *principals,
                               const struct bondy_principal *principal)
{
    for (const struct bondy_spared *spared = principals->spared; spared != NULL;
         spared = spared->next)
        if (bondy_slice_eq(bondy_slice_of(spared->key, spared->key_len),
                           bondy_slice_of(principal->key, principal->key_len)))
            return spared->session;
    return 0;
}

/* What it was of a user that is there. */
static enum bondy_principal_change gravest(const struct bondy_user *user, unsigned changes)
{
    unsigned own = changes & ((1u << LINKED_SHIFT) - 1);

    /* Somebody of the same name in the SSO realm is another one unless the user is linked. */
    if (user->sso_realm_uri != NULL)
        own |= changes >> LINKED_SHIFT;
    if (own & MADE_ANEW)
        return BONDY_PRINCIPAL_DELETED;
    if (!user->is_enabled)
        return BONDY_PRINCIPAL_DISABLED;
    return own & (1u << BONDY_PRINCIPAL_CREDENTIALS_CHANGED) ? BONDY_PRINCIPAL_CREDENTIALS_CHANGED
                                                             : BONDY_PRINCIPAL_GROUPS_CHANGED;
}

/* Reads the user as it is now and says what became of it; the gravest change is the one told. */
static void settle(struct bondy_principals *principals, const struct bondy_store_view *view,
                   struct bondy_principal *principal, unsigned changes)
{
    const struct bondy_realm *realm =
        bondy_realms_find(principals->options.realms, bondy_slice_text(principal->realm));
    enum bondy_principal_change told = BONDY_PRINCIPAL_DELETED;
    struct bondy_user user;
    bool has_other_groups;

    if (realm == NULL) /* its sessions are ended with the realm */
        return;
    if (bondy_user_resolve(view, realm, bondy_slice_text(principal->username), &user)) {
        pthread_mutex_lock(&principals->lock);
        has_other_groups = bondy_principal_set_groups(principal, user.groups);
        pthread_mutex_unlock(&principals->lock);
        if (has_other_groups && realm->policy != NULL)
            bondy_policy_touch(realm->policy);
        told = gravest(&user, changes);
        bondy_user_fini(&user);
        if (told == BONDY_PRINCIPAL_CREDENTIALS_CHANGED &&
            spared_session(principals, principal) == SPARE_ALL)
            told = BONDY_PRINCIPAL_GROUPS_CHANGED;
        if (told == BONDY_PRINCIPAL_GROUPS_CHANGED && !has_other_groups)
            return;
    }
    if (told != BONDY_PRINCIPAL_GROUPS_CHANGED) {
        pthread_mutex_lock(&principals->lock);
        principal->ended_seq = principal->seq;
        pthread_mutex_unlock(&principals->lock);
    }
    principals->options.on_change(principals->options.context, principal->realm,
                                  principal->username, told, spared_session(principals, principal));
}

void bondy_principals_on_commit(struct bondy_principals *principals)
{
    struct bondy_store_view *view = NULL;

    if (!bondy_list_is_empty(&principals->dirty) &&
        bondy_store_view_begin(principals->options.store, &view, NULL) == BONDY_OK) {
        while (!bondy_list_is_empty(&principals->dirty)) {
            struct bondy_principal *principal =
                BONDY_LIST_ENTRY(principals->dirty.next, struct bondy_principal, dirty);
            unsigned changes = principal->changes;

            bondy_list_remove(&principal->dirty);
            principal->changes = 0;
            settle(principals, view, principal, changes);
            bondy_principal_unref(principal);
        }
        bondy_store_view_end(view);
    }
    bondy_principals_forget_spared(principals);
}

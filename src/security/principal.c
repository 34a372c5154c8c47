/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/principal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/list.h"
#include "src/base/map.h"
#include "src/base/ref.h"
#include "src/security/policy.h"
#include "src/security/user.h"
#include "src/sys/publish.h"

#define KEY_MAX (BONDY_SCOPE_HASH_LEN + BONDY_NAME_MAX)

/* Published; never changed. */
struct groups {
    struct bondy_retired retired;
    size_t count;
    struct bondy_slice items[]; /* the texts lie behind them */
};

struct bondy_principal {
    struct bondy_retired retired;
    struct bondy_ref ref; /* sessions' accesses, logins, the feed */
    struct bondy_principals *table;
    struct groups *groups; /* RCU; NULL: none */
    uint64_t seq;          /* changes of the record seen; under the table's lock */
    struct bondy_list dirty;
    unsigned changes; /* 1 << enum bondy_principal_change that the feed suspects */
    char *realm;
    char *username;
    size_t key_len;
    char key[KEY_MAX];
};

struct spared {
    struct spared *next;
    uint64_t session;
    size_t key_len;
    char key[KEY_MAX];
};

struct bondy_principals {
    struct bondy_principals_options options;
    pthread_mutex_t lock;    /* guards by_key, seq and filling */
    struct bondy_map by_key; /* scope hash and username */
    atomic_size_t count;     /* of them: most changes concern nobody who is here */
    struct bondy_list dirty; /* control thread, with a reference each */
    struct spared *spared;   /* control thread */
};

/* ---- keys ------------------------------------------------------------------------------------ */

static size_t make_key(const uint8_t hash[BONDY_SCOPE_HASH_LEN], struct bondy_slice username,
                       char out[KEY_MAX])
{
    if (username.len > BONDY_NAME_MAX)
        username.len = BONDY_NAME_MAX;
    memcpy(out, hash, BONDY_SCOPE_HASH_LEN);
    memcpy(out + BONDY_SCOPE_HASH_LEN, username.data, username.len);
    return BONDY_SCOPE_HASH_LEN + username.len;
}

static size_t make_key_of(struct bondy_slice realm, struct bondy_slice username, char out[KEY_MAX])
{
    uint8_t hash[BONDY_SCOPE_HASH_LEN];

    bondy_store_scope_hash(realm, hash);
    return make_key(hash, username, out);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct bondy_principals *bondy_principals_create(const struct bondy_principals_options *options)
{
    struct bondy_principals *principals = bondy_zalloc(sizeof *principals);

    principals->options = *options;
    pthread_mutex_init(&principals->lock, NULL);
    bondy_list_init(&principals->dirty);
    return principals;
}

static void forget_spared(struct bondy_principals *principals)
{
    while (principals->spared != NULL) {
        struct spared *spared = principals->spared;

        principals->spared = spared->next;
        bondy_free(spared);
    }
}

void bondy_principals_destroy(struct bondy_principals *principals)
{
    if (principals == NULL)
        return;
    BONDY_BUG_ON(principals->by_key.count > 0);
    forget_spared(principals);
    bondy_map_fini(&principals->by_key);
    pthread_mutex_destroy(&principals->lock);
    bondy_free(principals);
}

static struct bondy_principal *principal_create(struct bondy_principals *principals,
                                                struct bondy_slice realm,
                                                struct bondy_slice username)
{
    struct bondy_principal *principal = bondy_zalloc(sizeof *principal);

    bondy_ref_init(&principal->ref);
    principal->table = principals;
    principal->realm = bondy_memdup0(realm.data, realm.len);
    principal->username = bondy_memdup0(username.data, username.len);
    principal->key_len = make_key_of(realm, username, principal->key);
    bondy_list_init(&principal->dirty);
    return principal;
}

static void free_groups(struct bondy_retired *retired)
{
    bondy_free(BONDY_CONTAINER(retired, struct groups, retired));
}

static void free_principal(struct bondy_retired *retired)
{
    struct bondy_principal *principal = BONDY_CONTAINER(retired, struct bondy_principal, retired);

    bondy_free(principal->groups);
    bondy_free(principal->realm);
    bondy_free(principal->username);
    bondy_free(principal);
}

struct bondy_principal *bondy_principals_get(struct bondy_principals *principals,
                                             struct bondy_slice realm, struct bondy_slice username,
                                             uint64_t *seq)
{
    char key[KEY_MAX];
    struct bondy_slice slice = bondy_slice_of(key, make_key_of(realm, username, key));
    struct bondy_principal *principal;

    pthread_mutex_lock(&principals->lock);
    principal = bondy_map_find(&principals->by_key, slice);
    if (principal == NULL) {
        principal = principal_create(principals, realm, username);
        bondy_map_put(&principals->by_key, slice, principal);
        atomic_fetch_add(&principals->count, 1);
    } else {
        bondy_ref_take(&principal->ref);
    }
    *seq = principal->seq;
    pthread_mutex_unlock(&principals->lock);
    return principal;
}

struct bondy_principal *bondy_principal_ref(struct bondy_principal *principal)
{
    if (principal != NULL)
        bondy_ref_take(&principal->ref);
    return principal;
}

/* The last reference goes under the lock, so that nobody finds what is about to be freed. */
void bondy_principal_unref(struct bondy_principal *principal)
{
    struct bondy_principals *principals;
    bool is_last;

    if (principal == NULL)
        return;
    principals = principal->table;
    pthread_mutex_lock(&principals->lock);
    is_last = bondy_ref_drop(&principal->ref);
    if (is_last) {
        bondy_map_remove(&principals->by_key,
                         bondy_slice_of(principal->key, principal->key_len));
        atomic_fetch_sub(&principals->count, 1);
    }
    pthread_mutex_unlock(&principals->lock);
    if (is_last)
        bondy_publish_retire(&principal->retired, free_principal);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static struct groups *groups_create(const json_t *names)
{
    size_t count = json_array_size(names), len = 0;
    struct groups *groups;
    char *at;

    for (size_t i = 0; i < count; i++)
        len += json_string_length(json_array_get(names, i));
    groups = bondy_zalloc(sizeof *groups + count * sizeof groups->items[0] + len);
    at = (char *)&groups->items[count];
    groups->count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(names, i);

        groups->items[i] = bondy_slice_of(at, json_string_length(name));
        memcpy(at, json_string_value(name), groups->items[i].len);
        at += groups->items[i].len;
    }
    return groups;
}

static bool are_same(const struct groups *a, const struct groups *b)
{
    if (a == NULL || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!bondy_slice_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

/* Under the lock. False: they are what was there. */
static bool set_groups(struct bondy_principal *principal, const json_t *names)
{
    struct groups *made = groups_create(names), *old = principal->groups;

    if (are_same(old, made)) {
        bondy_free(made);
        return false;
    }
    bondy_publish_set(principal->groups, made);
    if (old != NULL)
        bondy_publish_retire(&old->retired, free_groups);
    return true;
}

bool bondy_principal_fill(struct bondy_principal *principal, uint64_t *seq, const json_t *groups)
{
    struct bondy_principals *principals = principal->table;
    bool is_current;

    pthread_mutex_lock(&principals->lock);
    is_current = principal->seq == *seq;
    *seq = principal->seq;
    if (is_current)
        set_groups(principal, groups);
    pthread_mutex_unlock(&principals->lock);
    return is_current;
}

const struct bondy_slice *bondy_principal_groups(const struct bondy_principal *principal,
                                                 size_t *count)
{
    const struct groups *groups = bondy_publish_get(principal->groups);

    *count = groups == NULL ? 0 : groups->count;
    return groups == NULL ? NULL : groups->items;
}

/* ---- the feed -------------------------------------------------------------------------------- */

/* What a change of a user's record or of one of its elements may mean for live sessions. */
static unsigned suspect(const struct bondy_record *record, struct bondy_slice *username)
{
    const char *end = memchr(record->key.subkey.data, '\0', record->key.subkey.len);
    struct bondy_slice kind;

    if (record->key.type == BONDY_RECORD_USER) {
        *username = record->key.subkey;
        return 1u << BONDY_PRINCIPAL_DELETED;
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
    char key[KEY_MAX];

    if (realm->sso_realm_uri == NULL)
        return true;
    bondy_store_scope_hash(bondy_slice_text(realm->sso_realm_uri), hash);
    if (memcmp(hash, linked->scope_hash, sizeof hash) == 0)
        mark(linked->principals,
             bondy_slice_of(key, make_key_of(bondy_slice_text(realm->uri), linked->username, key)),
             linked->changes);
    return true;
}

void bondy_principals_on_change(struct bondy_principals *principals,
                                const struct bondy_change *change)
{
    const struct bondy_record *record = &change->now;
    struct linked linked = {.principals = principals, .scope_hash = record->scope_hash};
    char key[KEY_MAX];

    if (record->key.type != BONDY_RECORD_USER && record->key.type != BONDY_RECORD_USER_ELEMENT)
        return;
    if (atomic_load(&principals->count) == 0)
        return;
    linked.changes = suspect(record, &linked.username);
    if (linked.changes == 0)
        return;
    mark(principals, bondy_slice_of(key, make_key(record->scope_hash, linked.username, key)),
         linked.changes);
    bondy_realms_each(principals->options.realms, mark_linked, &linked);
}

void bondy_principals_spare(struct bondy_principals *principals, struct bondy_slice realm,
                            struct bondy_slice username, uint64_t session)
{
    struct spared *spared = bondy_zalloc(sizeof *spared);

    spared->session = session;
    spared->key_len = make_key_of(realm, username, spared->key);
    spared->next = principals->spared;
    principals->spared = spared;
}

static uint64_t spared_session(const struct bondy_principals *principals,
                               const struct bondy_principal *principal)
{
    for (const struct spared *spared = principals->spared; spared != NULL; spared = spared->next)
        if (bondy_slice_eq(bondy_slice_of(spared->key, spared->key_len),
                           bondy_slice_of(principal->key, principal->key_len)))
            return spared->session;
    return 0;
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
        has_other_groups = set_groups(principal, user.groups);
        pthread_mutex_unlock(&principals->lock);
        if (has_other_groups && realm->policy != NULL)
            bondy_policy_touch(realm->policy);
        told = !user.is_enabled ? BONDY_PRINCIPAL_DISABLED
               : changes & (1u << BONDY_PRINCIPAL_CREDENTIALS_CHANGED)
                   ? BONDY_PRINCIPAL_CREDENTIALS_CHANGED
                   : BONDY_PRINCIPAL_GROUPS_CHANGED;
        bondy_user_fini(&user);
        if (told == BONDY_PRINCIPAL_GROUPS_CHANGED && !has_other_groups)
            return;
    }
    principals->options.on_change(principals->options.context, principal->realm,
                                  principal->username, told,
                                  spared_session(principals, principal));
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
    forget_spared(principals);
}

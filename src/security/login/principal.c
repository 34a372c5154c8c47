/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/base/alloc.h"
#include "src/security/login/principal_local.h"

/* ---- keys ------------------------------------------------------------------------------------ */

size_t bondy_principal_key(const uint8_t hash[BONDY_SCOPE_HASH_LEN], struct bondy_slice username,
                           char out[BONDY_PRINCIPAL_KEY_MAX])
{
    if (username.len > BONDY_NAME_MAX)
        username.len = BONDY_NAME_MAX;
    memcpy(out, hash, BONDY_SCOPE_HASH_LEN);
    memcpy(out + BONDY_SCOPE_HASH_LEN, username.data, username.len);
    return BONDY_SCOPE_HASH_LEN + username.len;
}

size_t bondy_principal_key_of(struct bondy_slice realm, struct bondy_slice username,
                              char out[BONDY_PRINCIPAL_KEY_MAX])
{
    uint8_t hash[BONDY_SCOPE_HASH_LEN];

    bondy_store_scope_hash(realm, hash);
    return bondy_principal_key(hash, username, out);
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

void bondy_principals_forget_spared(struct bondy_principals *principals)
{
    while (principals->spared != NULL) {
        struct bondy_spared *spared = principals->spared;

        principals->spared = spared->next;
        bondy_free(spared);
    }
}

void bondy_principals_destroy(struct bondy_principals *principals)
{
    if (principals == NULL)
        return;
    BONDY_BUG_ON(principals->by_key.count > 0);
    bondy_principals_forget_spared(principals);
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
    principal->key_len = bondy_principal_key_of(realm, username, principal->key);
    bondy_list_init(&principal->dirty);
    return principal;
}

static void free_groups(struct bondy_retired *retired)
{
    bondy_free(BONDY_CONTAINER(retired, struct bondy_principal_groups, retired));
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
    char key[BONDY_PRINCIPAL_KEY_MAX];
    struct bondy_slice slice = bondy_slice_of(key, bondy_principal_key_of(realm, username, key));
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
        bondy_map_remove(&principals->by_key, bondy_slice_of(principal->key, principal->key_len));
        atomic_fetch_sub(&principals->count, 1);
    }
    pthread_mutex_unlock(&principals->lock);
    if (is_last)
        bondy_publish_retire(&principal->retired, free_principal);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static struct bondy_principal_groups *groups_create(const json_t *names)
{
    size_t count = json_array_size(names), len = 0;
    struct bondy_principal_groups *groups;
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

static bool are_same(const struct bondy_principal_groups *a, const struct bondy_principal_groups *b)
{
    if (a == NULL || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!bondy_slice_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

bool bondy_principal_set_groups(struct bondy_principal *principal, const json_t *names)
{
    struct bondy_principal_groups *made = groups_create(names), *old = principal->groups;

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
        bondy_principal_set_groups(principal, groups);
    pthread_mutex_unlock(&principals->lock);
    return is_current;
}

uint64_t bondy_principal_seq(const struct bondy_principal *principal)
{
    uint64_t seq;

    pthread_mutex_lock(&principal->table->lock);
    seq = principal->seq;
    pthread_mutex_unlock(&principal->table->lock);
    return seq;
}

bool bondy_principal_was_ended(const struct bondy_principal *principal, uint64_t seq)
{
    struct bondy_principals *principals = principal->table;
    bool was_ended;

    pthread_mutex_lock(&principals->lock);
    was_ended = principal->ended_seq > seq;
    pthread_mutex_unlock(&principals->lock);
    return was_ended;
}

const struct bondy_slice *bondy_principal_groups(const struct bondy_principal *principal,
                                                 size_t *count)
{
    const struct bondy_principal_groups *groups = bondy_publish_get(principal->groups);

    *count = groups == NULL ? 0 : groups->count;
    return groups == NULL ? NULL : groups->items;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_PRINCIPAL_LOCAL_H
#define BONDY_SECURITY_LOGIN_PRINCIPAL_LOCAL_H

/* principal_local: what the live users (principal.c) and the feed that changes them
 * (principal_feed.c) share; nobody else includes it. */

#include <pthread.h>
#include <stdatomic.h>

#include "src/base/list.h"
#include "src/base/map.h"
#include "src/base/ref.h"
#include "src/security/entity/names.h"
#include "src/security/login/principal.h"
#include "src/sys/publish.h"

#define BONDY_PRINCIPAL_KEY_MAX (BONDY_SCOPE_HASH_LEN + BONDY_NAME_MAX)

/* Published; never changed. */
struct bondy_principal_groups {
    struct bondy_retired retired;
    size_t count;
    struct bondy_slice items[]; /* the texts lie behind them */
};

struct bondy_principal {
    struct bondy_retired retired;
    struct bondy_ref ref; /* sessions' accesses, logins, the feed */
    struct bondy_principals *table;
    struct bondy_principal_groups *groups; /* RCU; NULL: none */
    uint64_t seq;                          /* changes of the record seen; under the table's lock */
    uint64_t ended_seq; /* `seq` when its sessions were ended the last time; likewise */
    struct bondy_list dirty;
    /* 1 << enum bondy_principal_change that the feed suspects; LINKED_SHIFT higher, what it
     * suspects of the user of the same name in the SSO realm. */
    unsigned changes;
    char *realm;
    char *username;
    size_t key_len;
    char key[BONDY_PRINCIPAL_KEY_MAX];
};

struct bondy_spared {
    struct bondy_spared *next;
    uint64_t session;
    size_t key_len;
    char key[BONDY_PRINCIPAL_KEY_MAX];
};

struct bondy_principals {
    struct bondy_principals_options options;
    pthread_mutex_t lock;        /* guards by_key, seq and filling */
    struct bondy_map by_key;     /* scope hash and username */
    atomic_size_t count;         /* of them: most changes concern nobody who is here */
    struct bondy_list dirty;     /* control thread, with a reference each */
    struct bondy_spared *spared; /* control thread */
};

/* The key of a user's principal; returns its length. */
size_t bondy_principal_key(const uint8_t hash[BONDY_SCOPE_HASH_LEN], struct bondy_slice username,
                           char out[BONDY_PRINCIPAL_KEY_MAX]);
size_t bondy_principal_key_of(struct bondy_slice realm, struct bondy_slice username,
                              char out[BONDY_PRINCIPAL_KEY_MAX]);
/* Under the lock. False: they are what was there. */
bool bondy_principal_set_groups(struct bondy_principal *principal, const json_t *names);
void bondy_principals_forget_spared(struct bondy_principals *principals);

#endif

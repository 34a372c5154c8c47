/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_BACKUP_FILTER_H
#define BONDY_STORE_BACKUP_FILTER_H

/* backup_filter: which records a backup or a restore takes. Internal to src/store. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/map.h"
#include "src/store/backup.h"

struct bondy_filter {
    uint32_t types;          /* bit n: type n */
    bool is_for_realms;      /* only those of `realms` */
    struct bondy_map scopes; /* hashes of their URIs */
    struct bondy_map realms; /* their URIs */
};

/* `excluded`: types that are left out even when nothing is said about types. BONDY_EINVAL. */
int bondy_backup_filter_init(struct bondy_filter *filter, const struct bondy_backup_filter *options,
                             uint32_t excluded, struct bondy_error *err);
void bondy_backup_filter_fini(struct bondy_filter *filter);
bool bondy_backup_filter_passes(const struct bondy_filter *filter, struct bondy_slice key);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_BACKUP_APPLY_H
#define BONDY_STORE_BACKUP_APPLY_H

/* backup_apply: what one record of a backup does to the store: by version (merge), or against
 * everything that is there (force), with the generations of cluster.md B2.4 minded in both: nothing
 * comes back to life by itself, and nothing is written that nobody could read. Records come in key
 * order, containers before their children. Internal to src/store. */

#include <stdbool.h>

#include "src/base/map.h"
#include "src/store/write.h"

struct bondy_apply {
    bool is_forced;
    struct bondy_map realms; /* scope hash -> struct generation */
    struct bondy_map
        containers; /* forced: key in the file -> struct generation, where it matters */
};

struct bondy_applied {
    enum bondy_merge merge; /* the file's record compared with the store's */
    bool is_written, is_hidden, is_drifted;
};

/* `view`: the store as it is before. */
void bondy_apply_init(struct bondy_apply *apply, bool is_forced,
                      const struct bondy_store_view *view);
void bondy_apply_fini(struct bondy_apply *apply);
/* `write` NULL: only says what would happen, seen from `view`. May be called again for a record
 * when what was written in between was taken back. BONDY_ELIMIT: more generations than can be
 * remembered. */
int bondy_apply_record(struct bondy_apply *apply, const struct bondy_store_view *view,
                       struct bondy_store_write *write, struct bondy_slice key,
                       struct bondy_slice envelope, struct bondy_applied *out,
                       struct bondy_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_BACKUP_NAME_H
#define BONDY_STORE_BACKUP_NAME_H

/* backup_name: the place of a backup. A name from outside is relative to backup.dir or absolute
 * inside it; it is walked folder by folder without following links, so that nothing that is changed
 * meanwhile leads elsewhere (threat-model D1). Internal to src/store. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_BACKUP_NAME_MAX 64

/* Opens the folder `path` in `dir`, made with mode 0700 when it is not there. `full` gets its whole
 * name, without a slash or NUL at the end. BONDY_EINVAL: it leaves `dir`. */
int bondy_backup_open_folder(const char *dir, struct bondy_slice path, int *fd,
                             struct bondy_buf *full, struct bondy_error *err);
/* Opens an existing plain file for reading. BONDY_EINVAL: as above; BONDY_ENOENT. */
int bondy_backup_open_file(const char *dir, struct bondy_slice filename, int *fd,
                           struct bondy_error *err);
/* Makes `bondy_backup.<seconds>[.<n>].bdyb.part` in a folder; `name` (with a NUL) is without
 * `.part`. */
int bondy_backup_make_file(int folder, uint64_t seconds, char name[64], int *fd,
                           struct bondy_error *err);
/* Whether it is the name of one that is not finished. */
bool bondy_backup_name_is_part(const char *name);
#define BONDY_BACKUP_PART ".part"
/* What is said of others; they are not repeated, as they may be anything. */
#define BONDY_BACKUP_NO_NAME                                                                       \
    "that is no name of a backup: \"bondy_backup.<unix seconds>.bdyb\" is one"
/* A name as this program gives it right in backup.dir, written in the one way it writes it; `out`
 * gets it with a NUL. False: it is another one, whatever it would lead to. */
bool bondy_backup_name_take(struct bondy_slice name, char out[BONDY_BACKUP_NAME_MAX],
                            uint64_t *seconds);
/* Takes the seconds out of such a name (without .part); false when it is another one. */
bool bondy_backup_name_parse(const char *name, uint64_t *seconds, unsigned *number);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_FILE_H
#define BONDY_SYS_FILE_H

/* file: read whole, write atomically. May block: start, control thread, pool, command line only. */

#include <stdbool.h>
#include <stddef.h>

#include "src/base/buf.h"
#include "src/base/error.h"

/* Appends the whole file to `out`. BONDY_ENOENT, BONDY_ELIMIT (over max_bytes), BONDY_EIO. */
int bondy_file_read(const char *path, size_t max_bytes, struct bondy_buf *out,
                    struct bondy_error *err);
/* Writes a temporary file beside `path`, syncs, renames over it. `mode` e.g. 0600. */
int bondy_file_write(const char *path, struct bondy_slice content, unsigned mode,
                     struct bondy_error *err);
/* Makes a folder (and its parents) with mode 0700; one that exists is fine when it is ours. */
int bondy_file_mkdir(const char *path, struct bondy_error *err);
/* BONDY_EDENIED when group or others may read it: for keys and passwords. */
int bondy_file_check_private(const char *path, struct bondy_error *err);
/* An exclusive lock (flock), held until *held is closed or the process ends. BONDY_EEXIST: somebody
 * else holds it. */
int bondy_file_lock(const char *path, int *held, struct bondy_error *err);

#endif

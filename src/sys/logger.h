/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_LOGGER_H
#define BONDY_SYS_LOGGER_H

/* logger: the thread that formats and writes what bondy_log() left in the rings.
 *
 * One per process, started once the configuration is known and stopped last. Only this thread waits
 * for a slow disk or pipe; meanwhile the rings fill, then records are dropped and counted in a
 * record of its own (event=log_dropped). The same line from the same place more than ten times in a
 * second is written ten times and then summed up (field `repeated`). What a burst limit holds back
 * is counted in a record at the window's end (event=log_burst, field `dropped`). */

#include <stdint.h>

#include "src/base/error.h"
#include "src/base/log.h"

struct bondy_logger_options {
    enum bondy_log_format format;
    const char *path;         /* file to append to, mode 0640; NULL or "": standard error */
    uint64_t burst_count;     /* most records in a window, errors apart; 0: any number */
    uint64_t burst_window_ms; /* 0: a second */
    uint64_t sync_ms; /* a file is synced when it was written to and this has passed; 0: never */
};

/* BONDY_ESTATE: there is one already. BONDY_EIO, BONDY_EDENIED, BONDY_ENOENT: the file. */
int bondy_logger_start(const struct bondy_logger_options *options, struct bondy_error *err);
/* Writes what is left and ends the thread; later records go straight to standard error. Harmless
 * when there is none. */
void bondy_logger_stop(void);
/* Opens the file again under its name (SIGUSR1, after somebody renamed it). Any thread, returns at
 * once; when it fails the old file stays and a record says so. */
void bondy_logger_reopen(void);

#endif

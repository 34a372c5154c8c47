/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_PROCESS_H
#define BONDY_SYS_PROCESS_H

/* process: what the operating system knows about this process. */

#include "src/base/slice.h"

/* The CPUs this process may use: its affinity, bounded by the quota of its control group (rounded
 * up). At least 1. Reads files: at start only. */
unsigned bondy_process_cpus(void);
/* CPUs in a text of cpu.max ("150000 100000", "max 100000"): rounded up, 0 for no limit. */
unsigned bondy_process_cpus_of_quota(struct bondy_slice text);
/* File descriptors: open now, and the most there may be. Reads a folder of /proc. */
double bondy_process_open_files(void);
double bondy_process_max_files(void);
/* Registers the process_* gauges (cpu, memory, descriptors, start time) that are read from /proc
 * whenever metrics are formatted. */
void bondy_process_metrics(void);

#endif

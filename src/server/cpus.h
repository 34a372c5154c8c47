/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CPUS_H
#define BONDY_SERVER_CPUS_H

/* cpus: how many CPUs this process may use: its affinity, and the quota of its control group. */

#include "src/base/slice.h"

/* At least 1. May block (files under /sys and /proc); at start only. */
unsigned bondy_cpus_usable(void);
/* CPUs in a text of cpu.max ("150000 100000", "max 100000"): rounded up, 0 for no limit. */
unsigned bondy_cpus_of_quota(struct bondy_slice text);

#endif

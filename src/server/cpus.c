/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/buf.h"
#include "src/sys/file.h"

#define SMALL_FILE 65536

static unsigned cpus_of_affinity(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

static unsigned cpus_of(double quota, double period)
{
    double cpus = quota / period;

    if (quota <= 0 || period <= 0 || cpus > 4096)
        return 0;
    return (unsigned)cpus + (cpus > (double)(unsigned)cpus);
}

unsigned bondy_cpus_of_quota(struct bondy_slice text)
{
    char copy[64];
    long long quota, period;

    if (text.len >= sizeof copy)
        return 0;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (sscanf(copy, "%lld %lld", &quota, &period) != 2)
        return 0;
    return cpus_of((double)quota, (double)period);
}

/* The quota of a group and of every group above it; the smallest counts. */
static unsigned cpus_of_group(char *path)
{
    unsigned least = 0;

    for (;;) {
        char file[4300];
        struct bondy_buf text = BONDY_BUF_EMPTY;
        char *slash;

        snprintf(file, sizeof file, "/sys/fs/cgroup%s/cpu.max", path);
        if (bondy_file_read(file, SMALL_FILE, &text, NULL) == BONDY_OK) {
            unsigned here = bondy_cpus_of_quota(bondy_buf_slice(&text));

            if (here != 0 && (least == 0 || here < least))
                least = here;
        }
        bondy_buf_fini(&text);
        slash = strrchr(path, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

static unsigned cpus_of_control_group(void)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    unsigned cpus = 0;
    char *line, *end;

    if (bondy_file_read("/proc/self/cgroup", SMALL_FILE, &text, NULL) < 0)
        return 0;
    bondy_buf_append_byte(&text, 0);
    /* Version 2 has one line: "0::/path". */
    line = strstr(text.data, "0::");
    if (line != NULL && (line == text.data || line[-1] == '\n')) {
        end = strchrnul(line, '\n');
        *end = '\0';
        if (strlen(line + 3) < 4096)
            cpus = cpus_of_group(line + 3);
    }
    bondy_buf_fini(&text);
    return cpus;
}

unsigned bondy_cpus_usable(void)
{
    unsigned cpus = cpus_of_affinity(), quota = cpus_of_control_group();

    if (quota != 0 && quota < cpus)
        cpus = quota;
    return cpus == 0 ? 1 : cpus;
}

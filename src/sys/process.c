/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/process.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/metric.h"
#include "src/sys/file.h"

#define MOST_PROC_BYTES 65536
#define MOST_CPUS 4096

/* ---- CPUs ------------------------------------------------------------------------------------ */

static unsigned affine_cpus(void)
{
    /* More CPUs than fit into cpu_set_t make the call fail; then all that are online count. */
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    return online < 1 ? 1 : (unsigned)online;
}

unsigned bondy_process_cpus_of_quota(struct bondy_slice text)
{
    char copy[64], *end;
    long long quota, period;

    if (text.len >= sizeof copy)
        return 0;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    quota = strtoll(copy, &end, 10);
    period = strtoll(end, NULL, 10);
    if (quota <= 0 || period <= 0 || quota / period >= MOST_CPUS)
        return 0;
    return (unsigned)(quota / period + (quota % period > 0));
}

static unsigned quota_of(const char *path)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    unsigned cpus = 0;

    if (bondy_file_read(path, MOST_PROC_BYTES, &text, NULL) == BONDY_OK)
        cpus = bondy_process_cpus_of_quota(bondy_buf_slice(&text));
    bondy_buf_fini(&text);
    return cpus;
}

/* The smallest quota from our control group (version 2) up to the root of the hierarchy. */
static unsigned group_cpus(void)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    unsigned least = 0;
    char *group;

    if (bondy_file_read("/proc/self/cgroup", MOST_PROC_BYTES, &text, NULL) < 0)
        return 0;
    bondy_buf_append_byte(&text, '\0');
    group = strstr(text.data, "0::/");
    if (group != NULL) {
        group += strlen("0::");
        group[strcspn(group, "\n")] = '\0';
    }
    while (group != NULL) {
        char path[4096];
        unsigned cpus;
        char *slash = strrchr(group, '/');

        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
        cpus = quota_of(path);
        if (cpus > 0 && (least == 0 || cpus < least))
            least = cpus;
        if (slash == NULL)
            break;
        *slash = '\0';
    }
    bondy_buf_fini(&text);
    return least;
}

unsigned bondy_process_cpus(void)
{
    unsigned cpus = affine_cpus();
    unsigned quota = group_cpus();

    if (quota > 0 && quota < cpus)
        cpus = quota;
    return cpus == 0 ? 1 : cpus;
}

/* ---- gauges ---------------------------------------------------------------------------------- */

/* The number in column `column` (1 is the process id) of /proc/self/stat; the name in brackets may
 * hold anything, so columns count from behind the last bracket. */
static double stat_column(int column)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    double value = 0;
    char *at;

    if (bondy_file_read("/proc/self/stat", MOST_PROC_BYTES, &text, NULL) < 0)
        return 0;
    bondy_buf_append_byte(&text, '\0');
    at = strrchr(text.data, ')');
    for (int i = 2; at != NULL && i < column; i++)
        at = strchr(at + 1, ' ');
    if (at != NULL)
        value = strtod(at + 1, NULL);
    bondy_buf_fini(&text);
    return value;
}

enum { COLUMN_START_TICKS = 22, COLUMN_VIRTUAL_BYTES = 23, COLUMN_RESIDENT_PAGES = 24 };

static double cpu_seconds(void *context)
{
    struct rusage usage;

    (void)context;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double virtual_bytes(void *context)
{
    (void)context;
    return stat_column(COLUMN_VIRTUAL_BYTES);
}

static double resident_bytes(void *context)
{
    (void)context;
    return stat_column(COLUMN_RESIDENT_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

double bondy_process_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -3; /* ".", ".." and the folder itself */

    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

double bondy_process_max_files(void)
{
    struct rlimit limit = {0, 0};

    getrlimit(RLIMIT_NOFILE, &limit);
    return (double)limit.rlim_cur;
}

static double open_files(void *context)
{
    (void)context;
    return bondy_process_open_files();
}

static double most_open_files(void *context)
{
    (void)context;
    return bondy_process_max_files();
}

/* Seconds since 1970: the start in ticks since boot, plus the time of boot. */
static double start_time(void *context)
{
    struct timespec wall, boot;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (double)(wall.tv_sec - boot.tv_sec) + (double)(wall.tv_nsec - boot.tv_nsec) / 1e9 +
           stat_column(COLUMN_START_TICKS) / (double)sysconf(_SC_CLK_TCK);
}

void bondy_process_metrics(void)
{
    static const struct {
        struct bondy_metric_family family;
        bondy_metric_read_fn read;
    } gauges[] = {
        {{.name = "process_cpu_seconds_total",
          .help = "User and system CPU time spent in seconds",
          .type = BONDY_METRIC_COUNTER},
         cpu_seconds},
        {{.name = "process_max_fds",
          .help = "Most file descriptors the process may have open",
          .type = BONDY_METRIC_GAUGE},
         most_open_files},
        {{.name = "process_open_fds",
          .help = "File descriptors open now",
          .type = BONDY_METRIC_GAUGE},
         open_files},
        {{.name = "process_resident_memory_bytes",
          .help = "Resident memory in bytes",
          .type = BONDY_METRIC_GAUGE},
         resident_bytes},
        {{.name = "process_start_time_seconds",
          .help = "When the process started, in seconds since 1970",
          .type = BONDY_METRIC_GAUGE},
         start_time},
        {{.name = "process_virtual_memory_bytes",
          .help = "Virtual memory in bytes",
          .type = BONDY_METRIC_GAUGE},
         virtual_bytes},
    };

    for (size_t i = 0; i < BONDY_COUNT(gauges); i++)
        bondy_metric_read(&gauges[i].family, NULL, gauges[i].read, NULL);
}

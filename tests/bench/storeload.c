/* SPDX-License-Identifier: Apache-2.0 */
/* storeload: what a store with many users costs: importing them, opening and starting it, reading
 * one, a backup and a restore.
 *
 *     storeload FOLDER [USERS [USERS_A_JOB]]
 *
 * Each user is one record and two elements. Prints one line a step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/store/backup.h"
#include "src/store/store.h"

#define REALM "com.example.bench"
#define MAP_FIRST ((uint64_t)16 << 20)
#define MAP_MAX ((uint64_t)64 << 30)
#define JOBS_IN_FLIGHT 4
#define READS 100000

struct import {
    struct bondy_store_job job;
    unsigned first, count;
};

static struct bondy_store *open_at(const char *path)
{
    struct bondy_store_options options = {
        .path = path, .map_size = MAP_FIRST, .map_size_max = MAP_MAX};
    struct bondy_store *store = NULL;
    struct bondy_error err;

    if (bondy_store_open(&options, &store, &err) < 0 || bondy_store_start(store, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return store;
}

static double resident_mib(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL && fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* Without the pages of the file, which the system may drop at any time. */
static double private_mib(void)
{
    unsigned long pages = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL && fscanf(file, "%*u %lu %lu", &pages, &shared) != 2)
        pages = shared = 0;
    if (file != NULL)
        fclose(file);
    return (double)(pages - shared) * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static double peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static double size_mib(const char *path)
{
    struct stat info;

    return stat(path, &info) < 0 ? 0 : (double)info.st_blocks * 512 / (1 << 20);
}

static void say(const char *what, uint64_t since_ns, double count)
{
    double seconds = (double)(bondy_clock_mono_ns() - since_ns) / 1e9;

    printf("%-28s %9.3f s  %10.0f /s   resident %6.0f MiB (private %5.0f, peak %5.0f)\n", what,
           seconds, count / seconds, resident_mib(), private_mib(), peak_mib());
    fflush(stdout);
}

static int put(struct bondy_store_write *write, enum bondy_record_type type,
               struct bondy_slice subkey, struct bondy_slice body, struct bondy_error *err)
{
    const struct bondy_store_key key = {
        .type = type, .scope = BONDY_SLICE(REALM), .subkey = subkey};
    const struct bondy_store_value value = {.schema = 1, .body = body};

    return bondy_store_put(write, &key, &value, NULL, err);
}

/* Names spread over the key space, as those of real users do. */
static int name_of(unsigned number, char out[32])
{
    return snprintf(out, 32, "user%08x", number * 2654435761u);
}

static int put_user(struct bondy_store_write *write, unsigned number, struct bondy_error *err)
{
    static char body[202] = "\x58\xc8"; /* 200 octets, as a password object has */
    char subkey[96];
    int len = name_of(number, subkey);
    int rc = put(write, BONDY_RECORD_USER, bondy_slice_of(subkey, (size_t)len),
                 BONDY_SLICE("\xa1\x64meta\xa1\x64name\x6d"
                             "Somebody Here"),
                 err);

    if (rc < 0)
        return rc;
    memcpy(subkey + len, "\0\0\0\0\0\0g\0staff", 13);
    rc = put(write, BONDY_RECORD_USER_ELEMENT, bondy_slice_of(subkey, (size_t)len + 13),
             BONDY_SLICE("\xa0"), err);
    memcpy(subkey + len, "\0\0\0\0\0\0p\0", 8);
    return rc < 0 ? rc
                  : put(write, BONDY_RECORD_USER_ELEMENT, bondy_slice_of(subkey, (size_t)len + 8),
                        bondy_slice_of(body, sizeof body), err);
}

static int run_import(struct bondy_store_job *job, struct bondy_store_write *write,
                      struct bondy_error *err)
{
    struct import *import = BONDY_CONTAINER(job, struct import, job);
    int rc = BONDY_OK;

    for (unsigned i = 0; i < import->count && rc == BONDY_OK; i++)
        rc = put_user(write, import->first + i, err);
    return rc;
}

static void free_import(struct bondy_store_job *job)
{
    if (job->rc < 0) {
        fprintf(stderr, "%s\n", job->err.text);
        exit(1);
    }
    bondy_free(BONDY_CONTAINER(job, struct import, job));
}

/* Some jobs wait at any time, so that commits are shared as they are with several clients. */
static void import_all(struct bondy_store *store, unsigned users, unsigned users_a_job)
{
    unsigned jobs = 0;

    for (unsigned first = 0; first < users; first += users_a_job) {
        struct import *import = bondy_zalloc(sizeof *import);

        import->job.run = run_import;
        import->job.done = free_import;
        import->first = first;
        import->count = users - first < users_a_job ? users - first : users_a_job;
        if (++jobs % JOBS_IN_FLIGHT != 0) {
            bondy_store_submit(store, &import->job);
            continue;
        }
        bondy_store_run_wait(store, &import->job, NULL);
        free_import(&import->job);
    }
}

static void read_some(struct bondy_store *store, unsigned users)
{
    struct bondy_store_view *view;
    struct bondy_record record;
    char name[32];

    for (unsigned i = 0; i < READS; i++) {
        int len = name_of(i * 7919u % users, name);
        const struct bondy_store_key key = {.type = BONDY_RECORD_USER,
                                            .scope = BONDY_SLICE(REALM),
                                            .subkey = bondy_slice_of(name, (size_t)len)};

        if (bondy_store_view_begin(store, &view, NULL) < 0)
            exit(1);
        BONDY_BUG_ON(!bondy_store_view_get(view, &key, &record));
        bondy_store_view_end(view);
    }
}

static char *back_up(struct bondy_store *store, const char *dir)
{
    struct bondy_backup_options options = {.dir = dir};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup *backup;
    struct bondy_error err;
    char *path;

    if (bondy_backup_begin_wait(store, &options, &backup, &err) < 0 ||
        bondy_backup_run_wait(backup, &progress, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    path = bondy_strdup(bondy_backup_path(backup));
    bondy_backup_destroy(backup);
    return path;
}

static void restore(struct bondy_store *store, const char *dir, const char *path)
{
    struct bondy_backup_restore options = {
        .source = {.dir = dir, .filename = bondy_slice_text(path)}};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;
    struct bondy_error err;

    if (bondy_backup_restore_wait(store, &options, &progress, &report, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    unsigned users = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000000;
    unsigned users_a_job = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1000;
    char path[1024], other[1024], dir[1024], data[1100];
    struct bondy_store *store;
    uint64_t since;
    char *backup;

    if (argc < 2 || users == 0 || users_a_job == 0 || bondy_id_start(NULL) < 0) {
        fprintf(stderr, "storeload FOLDER [USERS [USERS_A_JOB]]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/store", argv[1]);
    snprintf(other, sizeof other, "%s/restored", argv[1]);
    snprintf(dir, sizeof dir, "%s/backup", argv[1]);
    store = open_at(path);
    since = bondy_clock_mono_ns();
    import_all(store, users, users_a_job);
    say("import (users)", since, users);
    bondy_store_close(store);
    snprintf(data, sizeof data, "%s/data.mdb", path);
    printf("%-28s %9.0f MiB, %.0f octets a user\n", "on disk", size_mib(data),
           size_mib(data) * (1 << 20) / users);
    since = bondy_clock_mono_ns();
    store = open_at(path);
    say("open and start", since, 1);
    since = bondy_clock_mono_ns();
    read_some(store, users);
    say("read a user", since, READS);
    since = bondy_clock_mono_ns();
    backup = back_up(store, dir);
    say("backup (records)", since, users * 3.0);
    printf("%-28s %9.0f MiB\n", "backup file", size_mib(backup));
    bondy_store_close(store);
    store = open_at(other);
    since = bondy_clock_mono_ns();
    restore(store, dir, backup);
    say("restore (records)", since, users * 3.0);
    bondy_store_close(store);
    bondy_free(backup);
    return 0;
}

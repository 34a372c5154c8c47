/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alarm.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metric.h"
#include "src/base/utf8.h"

#define SUBJECT_MAX 256
#define DESCRIPTION_MAX 512

static const struct bondy_alarm_row rows[BONDY_ALARM_COUNT] = {
    [BONDY_ALARM_API_SPECS_REFUSED] = {"api_specs_refused", BONDY_ALARM_WARNING, NULL,
                                       "API specifications of files were refused when they were "
                                       "last read"},
    [BONDY_ALARM_AUDIT_NOT_WRITTEN] = {"audit_not_written", BONDY_ALARM_MAJOR, NULL,
                                       "entries of the audit log cannot be written"},
    [BONDY_ALARM_BACKUP_FAILED] = {"backup_failed", BONDY_ALARM_MAJOR, NULL,
                                   "the last backup failed, or could not begin when it was due"},
    [BONDY_ALARM_CERTIFICATE_EXPIRED] = {"certificate_expired", BONDY_ALARM_CRITICAL, "listener",
                                         "a listener's certificate is no longer valid"},
    [BONDY_ALARM_CERTIFICATE_EXPIRING] = {"certificate_expiring", BONDY_ALARM_WARNING, "listener",
                                          "a listener's certificate ends within "
                                          "cert_manager.expiry_warning"},
    [BONDY_ALARM_CONFIG_REFUSED] = {"config_refused", BONDY_ALARM_WARNING, NULL,
                                    "the last reload was refused; what was loaded before is in "
                                    "force"},
    [BONDY_ALARM_DISK_LOW] = {"disk_low", BONDY_ALARM_MAJOR, "folder",
                              "less than 5 % of a volume that is written to is free"},
    [BONDY_ALARM_FDS_LOW] = {"fds_low", BONDY_ALARM_MAJOR, NULL,
                             "less than 5 %, or less than 200, of the file descriptors are free"},
    [BONDY_ALARM_LOG_DROPPING] = {"log_dropping", BONDY_ALARM_WARNING, NULL,
                                  "log records were dropped within the last minute"},
    [BONDY_ALARM_STORE_FULL] = {"store_full", BONDY_ALARM_CRITICAL, NULL,
                                "the store has reached store.map_size_max: changes are refused"},
    [BONDY_ALARM_STORE_MAP_80] = {"store_map_80", BONDY_ALARM_MAJOR, NULL,
                                  "80 % of store.map_size_max is used"},
    [BONDY_ALARM_STORE_NOT_WRITTEN] = {"store_not_written", BONDY_ALARM_CRITICAL, NULL,
                                       "the last write to the store failed: changes are refused"},
};

struct active {
    enum bondy_alarm alarm;
    uint64_t since_ms;
    char subject[SUBJECT_MAX + 1];
    char description[DESCRIPTION_MAX + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct active actives[BONDY_ALARMS_MAX];          /* in the order in which they were set */
static size_t active_count;
static bondy_alarm_fn listener;
static void *listener_context;

static atomic_uint counts[BONDY_ALARM_COUNT]; /* written with the lock */
static atomic_uint grave_count;

/* ---- texts ------------------------------------------------------------------------------------*/

const struct bondy_alarm_row *bondy_alarm_row(enum bondy_alarm alarm)
{
    return &rows[alarm];
}

const char *bondy_alarm_severity_name(enum bondy_alarm_severity severity)
{
    static const char *const names[] = {"warning", "major", "critical"};

    return names[severity];
}

/* In place. What a cut leaves of a character goes too. */
static void clean(char *text)
{
    if (bondy_utf8_is_valid(bondy_slice_text(text)))
        return;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            *text = '?';
}

static void copy_subject(struct bondy_slice subject, char out[SUBJECT_MAX + 1])
{
    snprintf(out, SUBJECT_MAX + 1, BONDY_SLICE_FMT, BONDY_SLICE_ARG(subject));
    clean(out);
}

static json_t *describe(const struct active *active)
{
    const struct bondy_alarm_row *row = &rows[active->alarm];
    json_t *data = json_object();
    char since[25];

    bondy_clock_format(active->since_ms, since);
    if (row->subject != NULL)
        json_object_set_new(data, row->subject, json_string(active->subject));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", row->id, "severity",
                     bondy_alarm_severity_name(row->severity), "since", since, "description",
                     active->description, "data", data);
}

/* ---- changes ----------------------------------------------------------------------------------*/

/* With the lock, as those below. */
static struct active *find(enum bondy_alarm alarm, const char *subject)
{
    for (size_t i = 0; i < active_count; i++)
        if (actives[i].alarm == alarm && strcmp(actives[i].subject, subject) == 0)
            return &actives[i];
    return NULL;
}

static void tell(const struct active *active, bool is_set)
{
    if (listener != NULL)
        listener(listener_context, is_set, describe(active));
}

static void log_set(const struct active *active, bool is_kept)
{
    const struct bondy_alarm_row *row = &rows[active->alarm];

    bondy_log(row->severity == BONDY_ALARM_WARNING ? BONDY_LOG_WARN : BONDY_LOG_ERROR, "alarm_set",
              BONDY_F_STR("alarm", row->id), BONDY_F_STR("subject", active->subject),
              BONDY_F_STR("reason", active->description), BONDY_F_BOOL("listed", is_kept));
}

static bool is_grave(enum bondy_alarm alarm)
{
    return rows[alarm].severity >= BONDY_ALARM_MAJOR;
}

static void add(const struct active *fresh)
{
    bool has_room = active_count < BONDY_ALARMS_MAX;

    if (has_room) {
        actives[active_count++] = *fresh;
        atomic_fetch_add(&counts[fresh->alarm], 1);
        if (is_grave(fresh->alarm))
            atomic_fetch_add(&grave_count, 1);
        tell(fresh, true);
    }
    log_set(fresh, has_room);
}

static void remove_one(struct active *active)
{
    struct active *end = &actives[active_count];

    atomic_fetch_sub(&counts[active->alarm], 1);
    if (is_grave(active->alarm))
        atomic_fetch_sub(&grave_count, 1);
    tell(active, false);
    bondy_log(BONDY_LOG_INFO, "alarm_cleared", BONDY_F_STR("alarm", rows[active->alarm].id),
              BONDY_F_STR("subject", active->subject));
    memmove(active, active + 1, (size_t)(end - active - 1) * sizeof *active);
    active_count--;
}

void bondy_alarm_set(enum bondy_alarm alarm, struct bondy_slice subject, const char *format, ...)
{
    struct active fresh = {.alarm = alarm, .since_ms = bondy_clock_wall_ms()};
    struct active *known;
    va_list args;

    va_start(args, format);
    vsnprintf(fresh.description, sizeof fresh.description, format, args);
    va_end(args);
    clean(fresh.description);
    copy_subject(subject, fresh.subject);
    pthread_mutex_lock(&lock);
    known = find(alarm, fresh.subject);
    if (known != NULL)
        memcpy(known->description, fresh.description, sizeof known->description);
    else
        add(&fresh);
    pthread_mutex_unlock(&lock);
}

void bondy_alarm_clear(enum bondy_alarm alarm, struct bondy_slice subject)
{
    char text[SUBJECT_MAX + 1];
    struct active *known;

    if (atomic_load(&counts[alarm]) == 0)
        return;
    copy_subject(subject, text);
    pthread_mutex_lock(&lock);
    known = find(alarm, text);
    if (known != NULL)
        remove_one(known);
    pthread_mutex_unlock(&lock);
}

/* ---- looking ----------------------------------------------------------------------------------*/

json_t *bondy_alarm_list(void)
{
    json_t *list = json_array();

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < active_count; i++)
        json_array_append_new(list, describe(&actives[i]));
    pthread_mutex_unlock(&lock);
    return list;
}

bool bondy_alarm_is_degraded(void)
{
    return atomic_load(&grave_count) > 0;
}

void bondy_alarm_listen(bondy_alarm_fn fn, void *context)
{
    pthread_mutex_lock(&lock);
    listener = fn;
    listener_context = context;
    pthread_mutex_unlock(&lock);
}

static double read_count(void *context)
{
    return atomic_load((atomic_uint *)context);
}

void bondy_alarm_metrics(void)
{
    static const char *const labels[] = {"alarm", NULL};
    static const struct bondy_metric_family family = {.name = "bondy_alarms",
                                                      .help = "Alarms that are set now",
                                                      .type = BONDY_METRIC_GAUGE,
                                                      .labels = labels};

    for (size_t i = 0; i < BONDY_ALARM_COUNT; i++)
        bondy_metric_read(&family, &rows[i].id, read_count, &counts[i]);
}

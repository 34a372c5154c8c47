/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_ALARM_H
#define BONDY_BASE_ALARM_H

/* alarm: what is wrong with this node now and a person has to know. operations.md 8.
 *
 * An alarm is told apart by its row of the catalogue and by its subject (which listener's
 * certificate), where the row has one. It is set and cleared by whoever sees the condition; doing
 * either twice changes nothing and tells nobody. At most BONDY_ALARMS_MAX are active, a further one
 * is only logged. Like the log this is one for the process. Any thread, never waits for long. */

#include <stdbool.h>

#include "src/base/json.h"
#include "src/base/slice.h"

#define BONDY_ALARMS_MAX 64

enum bondy_alarm {
    BONDY_ALARM_API_SPECS_REFUSED,
    BONDY_ALARM_AUDIT_NOT_WRITTEN,
    BONDY_ALARM_BACKUP_FAILED,
    BONDY_ALARM_CERTIFICATE_EXPIRED,  /* subject: listener */
    BONDY_ALARM_CERTIFICATE_EXPIRING, /* subject: listener */
    BONDY_ALARM_CONFIG_REFUSED,
    BONDY_ALARM_DISK_LOW, /* subject: folder */
    BONDY_ALARM_FDS_LOW,
    BONDY_ALARM_LOG_DROPPING,
    BONDY_ALARM_STORE_FULL,
    BONDY_ALARM_STORE_MAP_80,
    BONDY_ALARM_STORE_NOT_WRITTEN,
    BONDY_ALARM_COUNT
};

enum bondy_alarm_severity { BONDY_ALARM_WARNING, BONDY_ALARM_MAJOR, BONDY_ALARM_CRITICAL };

/* `subject` is empty for rows without one. What the description says may change while the alarm is
 * set. Texts may hold anything: they are cut (subject 256, description 512 octets), what is no
 * UTF-8 becomes '?'. */
void bondy_alarm_set(enum bondy_alarm alarm, struct bondy_slice subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void bondy_alarm_clear(enum bondy_alarm alarm, struct bondy_slice subject);

/* [{id, severity, since, description, data}], the oldest first; data is {} or {<kind of subject>:
 * subject}. The caller owns it. */
json_t *bondy_alarm_list(void);
/* Whether one of severity major or critical is set. */
bool bondy_alarm_is_degraded(void);

/* Who is told of changes, one for the process; NULL ends it, and returns when nobody is being told
 * any more. `fn` gets an item of the list, which it takes, in the order of changes; it may post
 * mail and no more: nothing of this header. */
typedef void (*bondy_alarm_fn)(void *context, bool is_set, json_t *item);
void bondy_alarm_listen(bondy_alarm_fn fn, void *context);

/* Registers the gauge bondy_alarms{alarm}: how many are set, for each row. */
void bondy_alarm_metrics(void);

/* Each row in order of its id, for documentation. `subject` is the kind of subject, or NULL. */
struct bondy_alarm_row {
    const char *id;
    enum bondy_alarm_severity severity;
    const char *subject;
    const char *help; /* when it is set */
};
const struct bondy_alarm_row *bondy_alarm_row(enum bondy_alarm alarm);
const char *bondy_alarm_severity_name(enum bondy_alarm_severity severity);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/server/log_level.h"
#include "src/server/monitor.h"
#include "src/server/server.h"
#include "src/server/wire.h"

/* SIGHUP: everything is read and checked first; a mistake anywhere leaves all as it was. Then class
 * R takes effect: log level, lives of tokens, drain times, certificates, documents. Keys of the
 * other classes that differ from what runs are named as pending until a restart.
 * configuration.md 3.1. */

static void refuse(const char *reason)
{
    bondy_log(BONDY_LOG_ERROR, "reload_refused", BONDY_F_STR("reason", reason));
    bondy_alarm_set(BONDY_ALARM_CONFIG_REFUSED, BONDY_SLICE_EMPTY, "%s", reason);
}

static void report_failure(const struct bondy_config_diag *diag)
{
    const char *first = NULL;

    for (size_t i = 0; i < diag->count; i++) {
        if (diag->findings[i].severity != BONDY_CONFIG_ERROR)
            continue;
        bondy_log(BONDY_LOG_ERROR, "reload_refused", BONDY_F_STR("code", diag->findings[i].code),
                  BONDY_F_STR("reason", diag->findings[i].text));
        if (first == NULL)
            first = diag->findings[i].text;
    }
    bondy_alarm_set(BONDY_ALARM_CONFIG_REFUSED, BONDY_SLICE_EMPTY, "%s",
                    first == NULL ? "the configuration has mistakes" : first);
}

static bool is_same(const struct bondy_config_value *a, const struct bondy_config_value *b)
{
    if (a->is_set != b->is_set || a->number != b->number)
        return false;
    return a->text == NULL || b->text == NULL || strcmp(a->text, b->text) == 0;
}

static void report_pending(const struct bondy_config *old, const struct bondy_config *fresh)
{
    for (size_t i = 0; i < fresh->count; i++) {
        const struct bondy_config_entry *entry = &fresh->entries[i];
        const struct bondy_config_entry *before = bondy_config_find(old, entry->name);
        const struct bondy_config_value unset = {0};

        if (entry->key->row->cls == 'R' || entry->key->row->compat == '0' ||
            (entry->key->row->flags & BONDY_KEY_IS_LATER) ||
            is_same(before == NULL ? &unset : &before->value, &entry->value))
            continue;
        bondy_log(BONDY_LOG_WARN, "config_pending_restart", BONDY_F_STR("key", entry->name));
    }
}

/* What can fail comes first; certificates change nothing unless all are good. */
static int apply(struct bondy_server *server, struct bondy_config *fresh, struct bondy_error *err)
{
    const char *file = bondy_config_text(fresh, "security.config_file");
    int rc = bondy_server_reload_certificates(server, fresh, err);

    if (rc < 0)
        return rc;
    bondy_server_apply_names(fresh); /* the file may have such names */
    if (file != NULL && access(file, F_OK) == 0)
        rc = bondy_server_apply_realm_file(server, file, err);
    if (rc < 0)
        bondy_server_apply_names(server->live);
    return rc;
}

static void take(struct bondy_server *server, struct bondy_config *fresh)
{
    struct bondy_error err;

    report_pending(server->config, fresh);
    if (server->live != server->config)
        bondy_config_destroy(server->live);
    server->live = fresh;
    bondy_server_log_level_set(server->log_level, bondy_server_configured_log_level(fresh), 0);
    bondy_server_apply_health(server);
    bondy_server_monitor_configure(server->monitor, fresh);
    bondy_server_monitor_look(server->monitor);
    bondy_server_apply_token_rules(server, fresh);
    if (bondy_server_load_specs(server, &err) < 0)
        bondy_log(BONDY_LOG_ERROR, "reload_specs_failed", BONDY_F_STR("reason", err.text));
}

void bondy_server_reload(struct bondy_server *server)
{
    struct bondy_config_diag diag = {0};
    struct bondy_config *fresh = NULL;
    struct bondy_error err;
    int rc = bondy_server_load_config(server->options, server->temporary_dir, &fresh, &diag);

    if (rc < 0) {
        report_failure(&diag);
    } else if ((rc = apply(server, fresh, &err)) < 0) {
        refuse(err.text);
    } else {
        bondy_alarm_clear(BONDY_ALARM_CONFIG_REFUSED, BONDY_SLICE_EMPTY);
        take(server, BONDY_MOVE(fresh));
        bondy_log(BONDY_LOG_INFO, "reloaded");
    }
    bondy_config_destroy(fresh);
    bondy_config_diag_fini(&diag);
}

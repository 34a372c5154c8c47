/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_events: what a change is followed by: events for sessions, an entry of the audit log.
 * wamp-admin-api.md 4; realms-and-security.md 6. */
#include <stdio.h>
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/admin/tell.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* ---- events -----------------------------------------------------------------------------------*/

void bondy_admin_publish(struct bondy_admin_call *call, struct bondy_slice realm, const char *topic,
                         json_t *args)
{
    bondy_admin_tell_on(bondy_invocation_thread(call->invocation), realm, topic, args, NULL);
}

void bondy_admin_tell(struct bondy_admin_call *call)
{
    const struct bondy_admin_kind *kind = call->row->kind;
    const char *realm;

    if (kind == NULL || kind->events == NULL || call->edit.writes == 0 || call->target == NULL)
        return;
    realm = kind->is_realm ? BONDY_MASTER_REALM : call->realm->uri;
    for (const struct bondy_admin_event *event = kind->events; event->effect != 0; event++) {
        if ((call->edit.effects & event->effect) == 0)
            continue;
        bondy_admin_tell_on(
            bondy_invocation_thread(call->invocation), bondy_slice_text(realm), event->topic,
            event->has_name_only ? json_pack("[s]", call->target)
                                 : json_pack("[s, s]", realm, call->target),
            event->has_name_only && !kind->is_realm ? json_pack("{s:s}", "realm_uri", realm)
                                                    : NULL);
    }
}

/* ---- audit ------------------------------------------------------------------------------------*/

static enum bondy_audit_outcome outcome_of(const json_t *problem)
{
    static const char *const denials[] = {BONDY_ERR_NOT_AUTHORIZED, BONDY_ERR_AUTHORIZATION_FAILED,
                                          BONDY_ERR_NOT_ALLOWED, "bondy.error.bad_signature"};

    if (problem == NULL)
        return BONDY_AUDIT_OK;
    for (size_t i = 0; i < BONDY_COUNT(denials); i++)
        if (strcmp(bondy_problem_code(problem), denials[i]) == 0)
            return BONDY_AUDIT_DENIED;
    return BONDY_AUDIT_ERROR;
}

void bondy_admin_audit(struct bondy_admin_call *call, const json_t *problem)
{
    const struct bondy_admin_kind *kind = call->row->kind;
    struct bondy_buf target = BONDY_BUF_EMPTY;
    struct bondy_audit_entry entry = {
        .action = kind != NULL && kind->action != NULL ? kind->action : call->row->info.uri,
        .outcome = outcome_of(problem),
        .actor = bondy_admin_authid(call),
        .source_ip = bondy_admin_source(call),
        .request_id = bondy_admin_kwarg(call, "request_id"),
        .before = bondy_slice_text(call->before),
        .after = bondy_slice_text(call->after),
    };

    if (call->node->audit == NULL || call->is_dry_run)
        return;
    if (call->realm != NULL)
        entry.realm = bondy_slice_text(call->realm->uri);
    if (problem != NULL)
        entry.reason = bondy_slice_text(bondy_problem_code(problem));
    if (kind != NULL && call->target != NULL)
        bondy_buf_printf(&target, "%s/%s", kind->noun, call->target);
    entry.target = bondy_buf_slice(&target);
    bondy_audit_write(call->node->audit, &entry, NULL);
    bondy_buf_fini(&target);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/access.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/metric.h"
#include "src/router/authorize.h"
#include "src/router/broker.h"
#include "src/router/dealer.h"
#include "src/security/login/principal.h"
#include "src/wamp/errors.h"

/* Standing entries that are looked at before other work of the thread gets its turn. */
#define SWEEP_BATCH 4096

/* ---- who shares ------------------------------------------------------------------------------ */

/* What tells identities apart: the username, how the groups are known, and these when they are
 * fixed. Username and groups of the access are slices of it. */
static struct bondy_slice make_key(const struct bondy_identity *identity, bool has_fixed_groups)
{
    struct bondy_buf key = BONDY_BUF_EMPTY;
    size_t len;

    if (identity->principal != NULL)
        bondy_buf_append_slice(&key, identity->authid);
    bondy_buf_append_byte(&key, '\0');
    bondy_buf_append_byte(&key, has_fixed_groups ? '=' : '*');
    for (size_t i = 0; has_fixed_groups && i < identity->group_count; i++) {
        bondy_buf_append_byte(&key, '\0');
        bondy_buf_append_slice(&key, identity->groups[i]);
    }
    len = key.len;
    return bondy_slice_of(bondy_buf_take_text(&key), len);
}

static void split_key(struct bondy_access *access)
{
    struct bondy_slice rest = access->key;

    access->username = bondy_slice_of(rest.data, strlen(rest.data));
    rest = bondy_slice_skip(rest, access->username.len + 2);
    access->groups = bondy_calloc(rest.len / 2 + 1, sizeof access->groups[0]);
    while (rest.len > 0) {
        struct bondy_slice name = bondy_slice_text(rest.data + 1);

        access->groups[access->group_count++] = name;
        rest = bondy_slice_skip(rest, name.len + 1);
    }
}

static struct bondy_access *access_create(struct bondy_realm_here *here, struct bondy_slice key,
                                          const struct bondy_identity *identity)
{
    struct bondy_access *access = bondy_zalloc(sizeof *access);

    access->here = here;
    access->key = key;
    access->principal = bondy_principal_ref(identity->principal);
    access->groups_are_chosen = identity->groups_are_chosen;
    bondy_list_init(&access->sessions);
    split_key(access);
    bondy_map_put(&here->accesses, key, access);
    bondy_access_refresh(access);
    return access;
}

static void access_destroy(struct bondy_access *access)
{
    bondy_map_remove(&access->here->accesses, access->key);
    bondy_authorize_forget(access);
    bondy_rbac_destroy(access->rbac);
    bondy_principal_unref(access->principal);
    bondy_free(access->groups);
    bondy_free((char *)(uintptr_t)access->key.data);
    bondy_free(access);
}

void bondy_access_join(struct bondy_session *session, const struct bondy_identity *identity)
{
    struct bondy_realm_here *here = session->realm;
    bool has_fixed_groups = identity->principal == NULL || identity->groups_are_chosen;
    struct bondy_access *access;
    struct bondy_slice key;

    if (identity->is_trusted || here->policy == NULL)
        return;
    key = make_key(identity, has_fixed_groups);
    access = bondy_map_find(&here->accesses, key);
    if (access == NULL)
        access = access_create(here, key, identity);
    else
        bondy_free((char *)(uintptr_t)key.data);
    bondy_list_append(&access->sessions, &session->access_link);
    session->access = access;
}

void bondy_access_leave(struct bondy_session *session)
{
    struct bondy_access *access = session->access;

    if (access == NULL)
        return;
    session->access = NULL;
    bondy_list_remove(&session->access_link);
    if (bondy_list_is_empty(&access->sessions))
        access_destroy(access);
}

/* ---- the context ----------------------------------------------------------------------------- */

void bondy_access_refresh(struct bondy_access *access)
{
    struct bondy_rbac_subject subject = {.username = access->username,
                                         .groups = access->groups,
                                         .group_count = access->group_count,
                                         .groups_are_chosen = access->groups_are_chosen};

    if (access->principal != NULL && !access->groups_are_chosen)
        subject.groups = bondy_principal_groups(access->principal, &subject.group_count);
    bondy_rbac_destroy(access->rbac);
    access->rbac = bondy_rbac_create(access->here->policy, &subject);
}

bool bondy_access_covers(struct bondy_session *session, enum bondy_permission permission,
                         struct bondy_slice uri, enum bondy_match match)
{
    return session->access == NULL ||
           bondy_rbac_covers(bondy_access_rbac(session->access), permission, uri, match);
}

/* ---- denials --------------------------------------------------------------------------------- */

void bondy_access_note_denial(struct bondy_session *session, enum bondy_permission permission,
                              struct bondy_slice uri)
{
    const struct bondy_router_options *options = &session->thread->router->options;
    static const char *const labels[] = {"realm", "permission", NULL};
    static const struct bondy_metric_family family = {
        .name = "bondy_rbac_denials_total",
        .help = "Requests that no grant allows.",
        .type = BONDY_METRIC_COUNTER,
        .labels = labels,
    };
    bondy_metric_id *id = &session->realm->denials[permission];

    if (*id == 0)
        *id =
            bondy_metric_series(&family, (const char *const[]){session->realm->registry->realm,
                                                               bondy_permission_name(permission)});
    bondy_metric_add(*id, 1);
    if (options->on_denied != NULL)
        options->on_denied(options->context, &(struct bondy_denial){
                                                 .realm = bondy_session_realm(session),
                                                 .authid = session->authid,
                                                 .peername = session->peername,
                                                 .permission = permission,
                                                 .uri = uri,
                                             });
}

static void describe(const struct bondy_session *session, enum bondy_permission permission,
                     struct bondy_slice uri, struct bondy_buf *out)
{
    bool is_anonymous = bondy_slice_is(session->authmethod, "anonymous");

    bondy_buf_printf(out,
                     "Permission denied. %s '" BONDY_SLICE_FMT "' does not have permission '%s' "
                     "on '" BONDY_SLICE_FMT "'",
                     is_anonymous ? "Anonymous user" : "User", BONDY_SLICE_ARG(session->authid),
                     bondy_permission_name(permission), BONDY_SLICE_ARG(uri));
}

void bondy_access_deny(struct bondy_session *session, enum bondy_message_type request_type,
                       uint64_t request, enum bondy_permission permission, struct bondy_slice uri)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_access_note_denial(session, permission, uri);
    describe(session, permission, uri, &text);
    bondy_deliver_problem(session, request_type, request, BONDY_ERR_NOT_AUTHORIZED,
                          bondy_buf_slice(&text));
    bondy_buf_fini(&text);
}

/* ---- what stands already --------------------------------------------------------------------- */

/* Revokes what the session may not have any more; returns how many entries it looked at. */
static size_t sweep_session(struct bondy_session *session)
{
    size_t looked_at = session->memberships.count + session->registrations.count;

    bondy_broker_revoke_illegal(session);
    if (session->thread->router->options.standing == BONDY_STANDING_ALL)
        bondy_dealer_revoke_illegal(session);
    return looked_at;
}

/* One batch. Sessions that were looked at go to the end of their list; `sweep_left` of them are
 * still to come. Sessions that come meanwhile were decided by the new rules. */
static void sweep_some(struct bondy_timer *timer)
{
    struct bondy_realm_here *here = BONDY_CONTAINER(timer, struct bondy_realm_here, sweep_timer);
    struct bondy_router_thread *thread = here->thread;
    size_t looked_at = 0;

    while (here->sweep_left > 0 && looked_at < SWEEP_BATCH &&
           !bondy_list_is_empty(&here->sessions)) {
        struct bondy_session *session =
            BONDY_LIST_ENTRY(here->sessions.next, struct bondy_session, realm_link);

        here->sweep_left--;
        bondy_list_remove(&session->realm_link);
        bondy_list_append(&here->sessions, &session->realm_link);
        looked_at += 1 + sweep_session(session);
    }
    if (bondy_list_is_empty(&here->sessions))
        here->sweep_left = 0; /* they left meanwhile */
    if (here->sweep_left > 0)
        bondy_timer_start(thread->wheel, &here->sweep_timer, 1);
}

static void sweep_user(struct bondy_realm_here *here, struct bondy_slice authid)
{
    struct bondy_slice key;
    size_t cursor = 0;
    void *value;

    while (bondy_map_next(&here->accesses, &cursor, &key, &value)) {
        struct bondy_access *access = value;

        if (!bondy_slice_eq(access->username, authid))
            continue;
        for (struct bondy_list *at = access->sessions.next; at != &access->sessions; at = at->next)
            sweep_session(BONDY_LIST_ENTRY(at, struct bondy_session, access_link));
    }
}

void bondy_access_sweep(struct bondy_realm_here *here, struct bondy_slice authid)
{
    if (here->policy == NULL || here->thread->router->options.standing == BONDY_STANDING_STAYS)
        return;
    if (authid.len > 0) {
        sweep_user(here, authid);
        return;
    }
    here->sweep_left = here->session_count;
    bondy_timer_stop(here->thread->wheel, &here->sweep_timer);
    bondy_timer_init(&here->sweep_timer, sweep_some);
    sweep_some(&here->sweep_timer);
}

void bondy_access_stop_sweep(struct bondy_realm_here *here)
{
    here->sweep_left = 0;
    bondy_timer_stop(here->thread->wheel, &here->sweep_timer);
}

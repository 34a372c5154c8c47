/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_ACCESS_H
#define BONDY_ROUTER_ACCESS_H

/* access: what the sessions of one identity on one thread may do.
 *
 * Sessions with the same realm, user and chosen groups share one `struct bondy_access` and with it
 * one context of permissions (security/rbac.h). The context is made anew when the realm's epoch is
 * another than the one it was made at, before the next message is decided: so a change bites at
 * once. Standing subscriptions and registrations are gone through when the change is announced
 * (bondy_access_sweep), some at a time, and revoked when they are not permitted any more.
 * realms-and-security.md 2.8 and 2.9. */

#include "src/router/core.h"
#include "src/security/policy/rbac.h"

struct bondy_access {
    struct bondy_realm_here *here;
    struct bondy_list sessions; /* by access_link */
    struct bondy_rbac *rbac;
    struct bondy_principal *principal; /* NULL: the groups below are all there is */
    bool groups_are_chosen;
    struct bondy_slice username; /* empty: anonymous */
    struct bondy_slice *groups;
    size_t group_count;
    struct bondy_slice key;   /* in here->accesses; owns the texts above */
    struct bondy_map answers; /* of the realm's authorizer (authorize.c) */
};

/* Gives the session the access of its identity, made when it is the first one of it. Trusted
 * sessions, and realms without policy, have none: everything is allowed. */
void bondy_access_join(struct bondy_session *session, const struct bondy_identity *identity);
void bondy_access_leave(struct bondy_session *session);
/* Makes the context anew. */
void bondy_access_refresh(struct bondy_access *access);

static inline struct bondy_rbac *bondy_access_rbac(struct bondy_access *access)
{
    if (!bondy_rbac_is_current(access->rbac))
        bondy_access_refresh(access);
    return access->rbac;
}

/* Whether a grant allows it. `hash` is bondy_hash() of the URI. */
static inline bool bondy_access_allows(struct bondy_session *session,
                                       enum bondy_permission permission, struct bondy_slice uri,
                                       uint64_t hash)
{
    return session->access == NULL ||
           bondy_rbac_decide(session->thread->decisions, bondy_access_rbac(session->access),
                             permission, uri, hash);
}

/* Whether who asks to be disclosed may be; for those who do not ask: yes. */
static inline bool bondy_access_may_disclose(struct bondy_session *session,
                                             enum bondy_permission permission, bool is_asked,
                                             struct bondy_slice uri, uint64_t hash)
{
    return !is_asked || !session->thread->router->options.enforces_disclose ||
           bondy_access_allows(session, permission, uri, hash);
}

/* The same for the pattern of a SUBSCRIBE or REGISTER: a grant has to cover all of it. */
bool bondy_access_covers(struct bondy_session *session, enum bondy_permission permission,
                         struct bondy_slice uri, enum bondy_match match);

/* ERROR wamp.error.not_authorized for a request, with who lacks what in args and kwargs (2.7);
 * counted. */
void bondy_access_deny(struct bondy_session *session, enum bondy_message_type request_type,
                       uint64_t request, enum bondy_permission permission, struct bondy_slice uri);
/* Only counted and told to options.on_denied: what is denied is not answered. */
void bondy_access_note_denial(struct bondy_session *session, enum bondy_permission permission,
                              struct bondy_slice uri);

/* Goes through what sessions of the realm have subscribed and registered: those of one user, at
 * once, or (`authid` empty) of all, some at a time. */
void bondy_access_sweep(struct bondy_realm_here *here, struct bondy_slice authid);
void bondy_access_stop_sweep(struct bondy_realm_here *here);

#endif

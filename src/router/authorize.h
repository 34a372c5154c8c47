/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_AUTHORIZE_H
#define BONDY_ROUTER_AUTHORIZE_H

/* authorize: whether a session may do what its message asks: by grants, and where none allows it,
 * by the realm's own authorizer (realms-and-security.md 1.1 "authorizer"; wamp.md AUTHZ-4, -7).
 *
 * Grants are decided at once. The authorizer is a procedure of the realm, called with [session,
 * uri, action, options]; it answers true, false, or {allow, ttl}, and its answer is kept for `ttl`
 * seconds for all sessions of the same identity on the thread. Meanwhile the message waits, and
 * what the session sends behind it waits too, so that order is kept; what waits is bounded. No
 * answer denies. */

#include "src/router/access.h"

struct bondy_demand {
    enum bondy_permission permission;
    struct bondy_slice uri;
    enum bondy_match match;
    bool is_quiet; /* who asks waits for no answer: a denial is only counted */
};

/* No grant allows it. True: the authorizer does. False: the message was answered, dropped or put
 * aside: nothing is left to do with it. */
bool bondy_authorize_dynamic(struct bondy_session *session, const struct bondy_message *message,
                             const struct bondy_demand *demand);

/* The same for everything: `hash` is bondy_hash() of the URI. */
static inline bool bondy_authorize(struct bondy_session *session,
                                   const struct bondy_message *message,
                                   const struct bondy_demand *demand, uint64_t hash)
{
    return bondy_access_allows(session, demand->permission, demand->uri, hash) ||
           bondy_authorize_dynamic(session, message, demand);
}

/* For patterns, which a grant has to cover. thread->is_by_authorizer says afterwards whether it was
 * the authorizer who allowed it. */
static inline bool bondy_authorize_pattern(struct bondy_session *session,
                                           const struct bondy_message *message,
                                           const struct bondy_demand *demand)
{
    session->thread->is_by_authorizer = false;
    return bondy_access_covers(session, demand->permission, demand->uri, demand->match) ||
           bondy_authorize_dynamic(session, message, demand);
}

/* The session waits for the authorizer (session->parked): puts what came behind what waits. False:
 * it was too much, the session is gone. */
bool bondy_authorize_hold(struct bondy_session *session, struct bondy_slice bytes);
/* Of a session of this process: the call is not made, when it is the one that waits. */
void bondy_authorize_cancel(struct bondy_session *session, uint64_t request);
/* The session leaves: nothing of it waits any more. */
void bondy_authorize_leave(struct bondy_session *session);
/* The answers kept for an identity are forgotten. */
void bondy_authorize_forget(struct bondy_access *access);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_TICKETS_H
#define BONDY_SECURITY_TOKEN_TICKETS_H

/* tickets: tickets as they are kept: issued, found, listed, revoked. realms-and-security.md 4;
 * what is in one and what it is good for is in ticket.h.
 *
 * A ticket is stored in the realm that authenticates its user (0x09), one for each slot of scope,
 * client and device; issuing again replaces. Revoking keeps the record, marked, until the ticket
 * would have ended. What was never stored, or was replaced by nothing, is caught by time: a ticket
 * issued before the user's credentials, its switch `enabled` or its last "revoke all" changed is
 * worth nothing any more, and neither is one of another user of the same name. */

#include "src/security/entity/edit.h"
#include "src/security/entity/realm.h"
#include "src/security/credential/ticket.h"
#include "src/security/entity/user.h"

/* [in views] Since when tickets and tokens of this (resolved) user count, in ms since 1970: the
 * last change of its password, keys, switch, or revocation of all. */
uint64_t bondy_tickets_valid_since(const struct bondy_store_view *view,
                                   const struct bondy_realm *realm, const struct bondy_user *user);

struct bondy_ticket_checked {
    const char *reason; /* NULL: it is good; else "expired", "revoked", "replaced", "bad_signature",
                           "unknown_key", "malformed", "wrong_realm", "unknown_user", ... */
    json_t *claims;     /* when it could be read; the caller owns it */
};
struct bondy_ticket_question {
    const struct bondy_realms *realms;
    const struct bondy_realm *realm; /* where it is shown */
    const struct bondy_user *user;   /* resolved; NULL: found from the claims */
    /* Nobody of the claims' name is fine too, when the ticket was made for nobody: signed by this
     * realm for somebody whom only an identity provider knows (no claim `ugen`). */
    bool may_lack_user;
    struct bondy_slice jws;
    struct bondy_slice client_id, device_id; /* of HELLO.authextra; empty: not given */
    bool takes_any_client; /* when they are not given, the ticket's own count (cookies) */
    bool takes_unknown;    /* security.ticket.allow_not_found */
    unsigned leeway_s;
};
/* [pool thread] Looks at everything: signature, times, scope, what is stored. */
void bondy_tickets_check(const struct bondy_store_view *view,
                         const struct bondy_ticket_question *question,
                         struct bondy_ticket_checked *out);

/* [pool thread] Claims and signature of a new ticket: `issue` without kid; the caller owns both
 * outputs. BONDY_ENOENT: the realm has no signing key yet (bondy_realm_apply_keys). */
int bondy_tickets_make(const struct bondy_realm *authrealm, const struct bondy_user *user,
                       struct bondy_ticket_issue *issue, json_t **claims, char **jws,
                       struct bondy_error *err);
/* [in a store job] Keeps it. */
int bondy_tickets_apply_store(struct bondy_edit *edit, const json_t *claims);
/* Which of a user's tickets are meant: those for which everything holds that is given. Zeroed: all
 * of them. */
struct bondy_tickets_filter {
    struct bondy_slice id;
    bool has_scope;
    enum bondy_ticket_scope scope;
    /* Members of the scope; "all": that is not limited to one. */
    struct bondy_slice realm, client_id, device_id;
};
/* [in a store job] Revokes. `realm` is the user's; its tickets are those of the realm that
 * authenticates it. All tickets, or all of one scope: those too that were issued until now and not
 * stored. BONDY_ENOENT: no ticket has this id. edit->result: how many there were. */
int bondy_tickets_apply_revoke(struct bondy_edit *edit, struct bondy_slice realm,
                               struct bondy_slice name, const struct bondy_tickets_filter *which);
/* [in views] Claims of the tickets that are stored and good, by slot; the caller owns the array. */
json_t *bondy_tickets_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_user *user);

#endif

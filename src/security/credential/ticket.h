/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_TICKET_H
#define BONDY_SECURITY_CREDENTIAL_TICKET_H

/* ticket: the claims of tickets, and where they count. Storage and revocation are elsewhere. Pure;
 * any thread. realms-and-security.md 4.
 *
 * At login: bondy_token_peek() for authrealm and kid, then bondy_token_verify() with that key, then
 * bondy_ticket_check(), then the stored copy under bondy_ticket_slot(). */

#include <jansson.h>

#include "src/security/credential/token.h"

#define BONDY_TICKET_TYP "bondy-ticket+jwt"
#define BONDY_TICKET_ID_MAX 255   /* octets of a client or device id */
#define BONDY_TICKET_SLOT_TEXT 60 /* of a storage slot, with a NUL */

enum bondy_ticket_scope {
    BONDY_TICKET_LOCAL,
    BONDY_TICKET_SSO,
    BONDY_TICKET_CLIENT_LOCAL,
    BONDY_TICKET_CLIENT_SSO
};

/* "local", "sso", "client_local", "client_sso". */
const char *bondy_ticket_scope_name(enum bondy_ticket_scope scope);
/* The resource that `bondy.issue` is needed on: "bondy.ticket.scope.local". */
const char *bondy_ticket_scope_resource(enum bondy_ticket_scope scope);
/* The scope of claims: absent, null and "all" are the same for each member. */
enum bondy_ticket_scope bondy_ticket_scope_of(const json_t *claims);

struct bondy_ticket_issue {
    struct bondy_slice authrealm; /* realm whose key signs */
    struct bondy_slice realm;     /* empty: all realms of the user (SSO) */
    struct bondy_slice authid;
    struct bondy_slice authmethod; /* of the session that asks */
    struct bondy_slice client_id;  /* empty: all */
    struct bondy_slice device_id;  /* empty: all */
    const char *node;
    const char *kid;
    int64_t now;
    int64_t lifetime; /* seconds, above 0 */
};

/* Whether `id` may be a client or device id: 1 to BONDY_TICKET_ID_MAX octets of UTF-8 without
 * control characters, and not "all". */
bool bondy_ticket_id_is_valid(struct bondy_slice id);
/* The claims of a new ticket, with a new id; the caller owns them. Sign them with
 * bondy_token_sign(claims, BONDY_TICKET_TYP, the key called kid). */
json_t *bondy_ticket_claims(const struct bondy_ticket_issue *issue);
/* What the one who asked gets: {ticket, id, issued_at, expires_at, scope}. The caller owns it. */
json_t *bondy_ticket_external(const json_t *claims, const char *jws);

/* Where the ticket is stored below its user, the scope-key of cluster.md B2.3: one ticket per slot.
 * The same for the same scope, realm, client and device; text without NUL. */
void bondy_ticket_slot(const json_t *claims, char out[BONDY_TICKET_SLOT_TEXT]);
/* The claims' realm that authenticates; empty when there is none. Before the signature is checked
 * it is a claim only. */
struct bondy_slice bondy_ticket_authrealm(const json_t *claims);

/* Checks the claims of a verified ticket. */
struct bondy_token_verdict bondy_ticket_check(const struct bondy_token *token,
                                              const struct bondy_token_expect *expect);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_IDENTITY_H
#define BONDY_SECURITY_LOGIN_IDENTITY_H

/* identity: who somebody is, once let in: what a login ends with, and what a session starts with.
 *
 * A view of texts that belong to somebody else (a login, an HTTP request): who keeps an identity
 * copies it. realms-and-security.md 2.8 and 3.10. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/slice.h"

struct bondy_principal;

#define BONDY_AUTHPROVIDER "com.leapsight.bondy"

struct bondy_identity {
    struct bondy_slice authid;     /* canonical; empty: a random one is made */
    struct bondy_slice authrole;   /* of WELCOME; empty: null there */
    struct bondy_slice authmethod; /* "anonymous", "wampcra", ... */
    struct bondy_slice authprovider;
    /* The groups that decide. With a principal, unless they were chosen at the login, these are
     * only those of that moment: the principal knows the current ones. */
    const struct bondy_slice *groups;
    size_t group_count;
    bool groups_are_chosen;
    /* The live user record behind it; NULL: anonymous, or known only to whoever vouched. */
    struct bondy_principal *principal;
    uint64_t principal_seq; /* of the record when it was looked at (principal.h) */
    bool is_trusted;        /* the router itself: no permission is asked */
    const json_t *extra;    /* WELCOME.authextra; NULL: {} */
    const json_t *ticket;   /* {id, authrealm, scope} of a session opened with a ticket, or NULL */
    /* Of who came with an access token: {client_id?, client_device_id?, roles?}, or NULL. */
    const json_t *token;
};

/* Nobody in particular: an authid is made up for it. */
extern const struct bondy_identity bondy_identity_anonymous;

/* A copy with everything it points to; a reference of the principal is taken. The caller owns it.
 */
struct bondy_identity *bondy_identity_dup(const struct bondy_identity *identity);
void bondy_identity_free(struct bondy_identity *identity); /* NULL is fine */

#endif

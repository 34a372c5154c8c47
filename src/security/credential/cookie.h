/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_COOKIE_H
#define BONDY_SECURITY_CREDENTIAL_COOKIE_H

/* cookie: what is in a Cookie header, and the tickets there (RFC 6265, 4.2 and 5.4):
 * `bondy_ticket_<realm>=<ticket>`. realms-and-security.md 3.8. Pure; what is found borrows from the
 * header. */

#include <stdbool.h>

#include "src/base/slice.h"

#define BONDY_COOKIE_TICKET "bondy_ticket_"
/* Octets of a Cookie header that tickets are taken from. */
#define BONDY_COOKIES_MAX 8192

/* Takes a pair off the header; what has no '=' is no cookie. False at the end. */
bool bondy_cookie_next(struct bondy_slice *rest, struct bondy_slice *name,
                       struct bondy_slice *value);
/* Whether a ticket of any realm is among the cookies. */
bool bondy_cookie_has_ticket(struct bondy_slice header);
/* The ticket of a realm: of the first cookie that has exactly its name, without the quotes that may
 * stand around it. Empty: there is none. */
struct bondy_slice bondy_cookie_ticket(struct bondy_slice header, struct bondy_slice realm);

#endif

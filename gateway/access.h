/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_ACCESS_H
#define BONDY_GATEWAY_ACCESS_H

/* access: who may use a path, by its `security`. http-gateway.md 1.6; inside of the gateway.
 *
 * Credentials are taken from the place that the path declares and from nowhere else. They are
 * checked as logins to the API's realm; what was right a moment ago is remembered. Of several ways
 * (any_of) those for which something was sent are tried in order. Everything that is not a clear
 * yes is a refusal: 401 with every challenge of the path, 403 when it was right but not enough, 429
 * when there was too much of it. */

#include "gateway/gateway.h"
#include "src/security/login/credentials.h"

struct bondy_asking;
struct bondy_exchange;
struct bondy_response;

/* Part of an exchange while its credentials are looked at. */
struct bondy_access {
    size_t next;      /* the way to be tried next */
    bool was_sent;    /* there were credentials for one of them */
    bool was_bearer;  /* ... a token */
    bool lacks_scope; /* one was right, but has none of the roles */
    struct bondy_login *login;
    struct bondy_asking *asking;       /* the realm's authenticator, for the login */
    const struct bondy_security *item; /* that the login is for */
    struct bondy_credentials_mark mark;
};

/* From the head. YES: the exchange has its identity, or the path is open; NO: answered, the
 * exchange is over; LATER: bondy_gateway_admitted() or refused() follows. */
enum bondy_admission bondy_access_begin(struct bondy_exchange *exchange);
/* The client has left: true when a login was under way, which is over now. */
bool bondy_access_cancel(struct bondy_exchange *exchange);
/* The user was deleted, disabled or got other credentials since it was let in. */
bool bondy_access_was_taken_back(const struct bondy_exchange *exchange);

/* ---- challenge.c ---- */
/* The ways in, in order: a security that is no list is a list of one. NULL: that was all. */
const struct bondy_security *bondy_access_way(const struct bondy_exchange *exchange, size_t index);
/* "send Basic credentials of a user of the realm, or an API key of the realm"; the caller owns it.
 */
char *bondy_access_describe_ways(const struct bondy_exchange *exchange);
/* 401 and 403: what the path asks for. */
void bondy_access_challenge(const struct bondy_exchange *exchange, struct bondy_response *response);

/* ---- what nobody behind the gateway sees ---- */
/* Whether the path takes credentials from there: such values are for no expression. Names of
 * headers in lower case. */
bool bondy_access_hides(const struct bondy_exchange *exchange, enum bondy_api_key_place place,
                        struct bondy_slice name);
/* Whether it takes any from there. */
bool bondy_access_hides_in(const struct bondy_exchange *exchange, enum bondy_api_key_place place);

#endif

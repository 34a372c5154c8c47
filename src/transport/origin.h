/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_ORIGIN_H
#define BONDY_TRANSPORT_ORIGIN_H

/* origin: whether the cookies of a request to upgrade may log its client in.
 *
 * A browser sends cookies whichever page opens the WebSocket, and no rule of browsers keeps a page
 * of another site from reading what comes: whoever takes cookies has to look at Origin (RFC 6455,
 * 10.2). A request that brings a ticket from a page of elsewhere is refused whole, so that the
 * mistake is seen. What is no browser sends no Origin. oauth2-oidc.md 4.4. Pure. */

#include "src/transport/upgrade.h"

struct bondy_origin_rules {
    bool is_tls;               /* of the listener: then a page of its own came by https */
    const char *const *listed; /* further origins, "https://app.example.com"; NULL-terminated */
};

/* Whether a page of this origin comes from the request's own host. An address without port has that
 * of its scheme. On a listener without TLS both schemes count: a proxy may stand in front of it. */
bool bondy_origin_is_own(struct bondy_slice origin, struct bondy_slice host, bool is_tls);
/* 0: *cookies is the header, or empty when it holds no ticket. Otherwise the HTTP status to refuse
 * with, and *why is a static text. */
int bondy_origin_judge(const struct bondy_upgrade *upgrade, const struct bondy_origin_rules *rules,
                       struct bondy_slice *cookies, const char **why);

#endif

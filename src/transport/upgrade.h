/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TRANSPORT_UPGRADE_H
#define BONDY_TRANSPORT_UPGRADE_H

/* upgrade: reads the request head that asks for a WebSocket, strictly (RFC 6455, 4.2.1; RFC 9112),
 * and writes the plain head that libwebsockets is given in its place.
 *
 * libwebsockets 4.1.6 takes version 8, POST, HTTP/1.0 and keys of any length, refuses lists of
 * subprotocols above 127 octets (WAMP clients send longer ones) and picks among all names it knows.
 * So everything is decided here, and what it parses is ours. Pure. */

#include <stdbool.h>

#include "src/base/buf.h"
#include "src/wamp/message.h"

#define BONDY_UPGRADE_HEADERS_MAX 100

struct bondy_upgrade {
    struct bondy_slice path; /* without the query */
    struct bondy_slice host;
    struct bondy_slice origin; /* empty: none */
    unsigned origin_count;
    struct bondy_slice cookies; /* the Cookie header; empty: none */
    struct bondy_slice key;
    bool offers_deflate; /* permessage-deflate stands among the extensions */
    enum bondy_serializer serializer;
};

/* Length of the request head with its empty line, or 0 when `bytes` do not hold all of it. Lines
 * may end with LF alone here: refusing that is for whoever reads the head. */
size_t bondy_upgrade_head_len(struct bondy_slice bytes);
/* Whether a whole head has an Upgrade header that names websocket. Says nothing else about it. */
bool bondy_upgrade_is_wanted(struct bondy_slice head);
/* Checks a whole head. 0: `out` is filled and borrows from `head`. Otherwise the HTTP status to
 * refuse with, and *why is a static text. */
int bondy_upgrade_parse(struct bondy_slice head, struct bondy_upgrade *out, const char **why);
/* Appends the head for libwebsockets: same key, the one subprotocol chosen. */
void bondy_upgrade_format(const struct bondy_upgrade *upgrade, bool deflate, struct bondy_buf *out);

#endif

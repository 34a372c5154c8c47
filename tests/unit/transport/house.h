/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_TRANSPORT_HOUSE_H
#define BONDY_TESTS_UNIT_TRANSPORT_HOUSE_H

/* house: a loop with an HTTP server, a front door and one listener, with the clients that knock. */

#include "src/transport/front_door.h"
#include "tests/lib/peer.h"
#include "tests/unit/transport/fake_session.h"

struct house {
    struct bondy_loop *loop;
    struct bondy_http_server *http;
    struct bondy_door *door;
    struct bondy_door_listener listener;
    struct bondy_http_listener http_listener;
};

/* A listener for everything on a free port of 127.0.0.1, with short times; tests change what they
 * want before house_open(). */
void house_prepare(struct house *house);
void house_open(struct house *house);
void house_close(struct house *house);
void house_connect(struct house *house, struct bondy_peer *peer);

#endif

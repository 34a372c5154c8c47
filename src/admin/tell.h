/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_TELL_H
#define BONDY_ADMIN_TELL_H

/* tell: events that the router itself publishes. wamp-admin-api.md 4. */

#include "src/base/json.h"
#include "src/router/local.h"

/* On the thread's own loop; takes the trees (kwargs may be NULL). A realm that is not there, or
 * takes no connections, hears nothing. */
void bondy_admin_tell_on(struct bondy_router_thread *thread, struct bondy_slice realm,
                         const char *topic, json_t *args, json_t *kwargs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_BUILTIN_H
#define BONDY_ROUTER_BUILTIN_H

/* builtin: calls of procedures that this process itself offers (local.h). */

#include "src/router/core.h"

/* Whether the name belongs to `wamp.` or to one of ours: nobody can register there, so the router
 * asks its hook and nothing else. */
bool bondy_builtin_is_name(struct bondy_slice uri);
/* Runs the procedure `message->uri`; answers the call now or later. */
void bondy_builtin_call(struct bondy_call *call, const struct bondy_message *message);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_ASK_H
#define BONDY_ROUTER_ASK_H

/* ask: a question of the router itself to a procedure of a realm (dynamic authenticator and
 * authorizer). The call comes from a session of its own that is trusted and lasts as long as the
 * question. */

#include "src/base/json.h"
#include "src/router/core.h"

struct bondy_asking;

struct bondy_question {
    struct bondy_slice realm;
    struct bondy_slice procedure;
    const json_t *args; /* an array; borrowed during the call */
    uint64_t timeout_ms;
    /* Once: the first argument of RESULT (null when there is none), or NULL and the URI of the
     * ERROR. Both are borrowed. */
    void (*answer)(void *context, const json_t *result, const char *error);
    void *context;
};

/* Asks; the answer may come before this returns. *out is set before, and is gone with the answer.
 */
void bondy_ask(struct bondy_router_thread *thread, const struct bondy_question *question,
               struct bondy_asking **out);
/* No answer is wanted any more. NULL is fine. */
void bondy_ask_stop(struct bondy_asking *asking);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_PROCEDURES_H
#define BONDY_ADMIN_PROCEDURES_H

/* procedures: the bondy.* procedures, one table of rows. wamp-admin-api.md 1 and 2.
 *
 * They run on the caller's I/O thread; what writes goes as a job to the control thread and answers
 * when it is durable and published. The admin REST API is nothing but calls of these. */

#include "src/admin/node.h"
#include "src/router/local.h"

struct bondy_procedures;

/* `node` is borrowed and outlives it. */
struct bondy_procedures *bondy_procedures_create(const struct bondy_admin_node *node);
/* No call may be running. NULL is fine. */
void bondy_procedures_destroy(struct bondy_procedures *procedures);

/* The router's hook (router.h): by canonical name, by the prefixes com. and com.leapsight., by old
 * names. `context` is a struct bondy_procedures. Any thread. */
bool bondy_procedures_find(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                           void **fn_context);

/* The name that a procedure has of its own, for an alias; else the URI itself. Static text or
 * `uri`. `procedures` is what find's context is. */
struct bondy_slice bondy_procedures_canonical(const struct bondy_procedures *procedures,
                                              struct bondy_slice uri);

/* For documentation and completion: each row in order until `fn` returns false. `aliases` is a
 * NULL-terminated list of old names, or NULL. */
struct bondy_procedure_info {
    const char *uri;
    const char *const *aliases;
    unsigned min_args, max_args; /* a realm argument included */
    char mark;                   /* 'M', 'R' or 'A': wamp-admin-api.md 1.3 */
    const char *args;            /* "uri, data" */
    const char *help;
    const char *since;
};
void bondy_procedures_each(bool (*fn)(void *context, const struct bondy_procedure_info *info),
                           void *context);

#endif

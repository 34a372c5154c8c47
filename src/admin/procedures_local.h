/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_PROCEDURES_LOCAL_H
#define BONDY_ADMIN_PROCEDURES_LOCAL_H

/* procedures_local: what the files of procedures share; nobody else includes it.
 *
 * A call is made when the router starts a procedure and ends with its answer: at once, or when the
 * job that it submitted is done, on the same I/O thread. */

#include "src/admin/procedures.h"

struct bondy_admin_call {
    struct bondy_procedures *procedures;
    const struct bondy_admin_node *node;
    struct bondy_invocation *invocation;
    const struct bondy_procedure_row *row;
    json_t *args; /* as the row wants them: a realm that was left out is filled in. Owned */
    /* Of calls that write. */
    struct bondy_store_job job;
    json_t *problem;
    char *uri; /* the realm it is about, canonical; owned */
    bool has_condition;
    uint8_t condition[BONDY_VERSION_LEN];
};

struct bondy_procedure_row {
    struct bondy_procedure_info info;
    bool takes_realm; /* the first argument is a realm URI that may be left out */
    /* Ends the call, now or later. */
    void (*run)(struct bondy_admin_call *call);
};

extern const struct bondy_procedure_row bondy_procedures_node[];
extern const struct bondy_procedure_row bondy_procedures_realm[];
extern const struct bondy_procedure_row bondy_procedures_api[];

/* Each ends the call. Values are taken; NULL for none. */
void bondy_admin_answer(struct bondy_admin_call *call, json_t *value, json_t *kwargs);
void bondy_admin_answer_nothing(struct bondy_admin_call *call);
/* The one form of errors: args [message], kwargs the object (wamp-admin-api.md 1.5). */
void bondy_admin_refuse(struct bondy_admin_call *call, json_t *problem);

/* The argument as text, empty when it is none; borrowed. */
struct bondy_slice bondy_admin_text(const struct bondy_admin_call *call, size_t index);
/* A keyword argument: true, "true" and "" of a query that only names it. */
bool bondy_admin_flag(const struct bondy_admin_call *call, const char *key);
/* A keyword argument as text, empty when there is none. */
struct bondy_slice bondy_admin_kwarg(const struct bondy_admin_call *call, const char *key);
/* {etag: "\"...\""}: the tag as HTTP has it; the caller owns it. */
json_t *bondy_admin_etag(const char *tag);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_PROCEDURES_LOCAL_H
#define BONDY_ADMIN_PROCEDURES_LOCAL_H

/* procedures_local: what the files of procedures share; nobody else includes it.
 *
 * A call is made when the router starts a procedure and ends with its answer, on the same I/O
 * thread. Its row says which way it goes:
 *
 *   run                        on the loop, ends the call itself, now or later
 *   read [, finish]            on a pool thread, with a view of the store; then on the loop
 *   [prepare,] apply [,finish] on a pool thread, with a view: what is slow; then in a job on the
 *                              control thread, one transaction: all or nothing; then on the loop
 *
 * What all changes have in common is done here: dry_run, if_version, the audit entry with the
 * hashes of the object before and after, the events. read, prepare and apply touch nothing but the
 * call; they return BONDY_OK, or a code with call->problem (apply: call->edit.problem). */

#include "src/admin/procedures.h"
#include "src/security/entity/edit.h"
#include "src/sys/pool.h"

struct bondy_admin_call;

/* A sort of object, for what is told about changes of it. */
struct bondy_admin_event {
    unsigned effect; /* one of enum bondy_edit_effect */
    const char *topic;
    bool has_name_only; /* args [name], else [realm, name] */
};

struct bondy_admin_kind {
    const char *noun;   /* "users": "users/mona" in the audit log */
    const char *action; /* of the audit log; NULL: the procedure's name */
    /* The member of an input or a result that is the name; NULL: args[1] always is. */
    const char *name_key;
    /* [in a job] The external form of call->target now, or NULL. NULL: none is hashed. */
    json_t *(*look)(struct bondy_admin_call *call, const struct bondy_store_view *view);
    bool is_realm;                          /* events go to the master realm, with [uri] */
    const struct bondy_admin_event *events; /* ends with effect 0; NULL: none */
};

enum bondy_row_flag {
    BONDY_ROW_REALM = 1,     /* the first argument is a realm, which may be left out */
    BONDY_ROW_IS_TARGET = 2, /* that realm is what it is about: unknown is not_found, or `read` and
                                `apply` say so */
    BONDY_ROW_LIST = 4,      /* limit, cursor, q, fields, sort */
    BONDY_ROW_RESULT = 8,    /* the answer of a change is edit.result */
    BONDY_ROW_HASH = 16,     /* prepare needs the pool for hashing */
    BONDY_ROW_META = 64,     /* of wamp.*: what is no realm is an argument of the standard's form */
    BONDY_ROW_OWN = 32       /* call->realm is the caller's, which is no argument */
};

struct bondy_procedure_row {
    struct bondy_procedure_info info;
    unsigned flags;
    const struct bondy_admin_kind *kind;
    void (*run)(struct bondy_admin_call *call);
    int (*read)(struct bondy_admin_call *call, const struct bondy_store_view *view);
    int (*prepare)(struct bondy_admin_call *call, const struct bondy_store_view *view);
    int (*apply)(struct bondy_admin_call *call);
    /* On the loop, after a job that was done or refused (edit.problem): true runs apply in a job of
     * its own once more. It takes over what refusals mean. NULL: one job, done or refused. */
    bool (*again)(struct bondy_admin_call *call, bool is_done);
    /* On the loop, after read or apply: sets call->value and call->extra; or call->problem, when
     * what was done is kept and the answer is an error all the same. NULL: what read set, or as
     * BONDY_ROW_RESULT says. */
    void (*finish)(struct bondy_admin_call *call);
};

/* What a list was asked for. */
struct bondy_admin_list {
    size_t limit; /* 0: all */
    char *q_text; /* names are stored in lower case; owned */
    struct bondy_slice q;
    const char *sort; /* a member, or NULL: in order of the keys */
    bool is_descending;
    json_t *after;  /* what the cursor holds: [sort value, key]; NULL: from the beginning. Owned */
    json_t *fields; /* names; NULL: all. Owned */
};

struct bondy_admin_call {
    struct bondy_procedures *procedures;
    const struct bondy_admin_node *node;
    struct bondy_invocation *invocation;
    const struct bondy_procedure_row *row;
    json_t *args;   /* as the row wants them: a realm that was left out is filled in. Owned */
    json_t *kwargs; /* the invocation's */
    const struct bondy_realm *realm; /* of rows with BONDY_ROW_REALM; a reference, or NULL */
    char *target;                    /* the object's name; owned */
    bool is_master;                  /* the caller is on the master realm */
    bool is_dry_run;
    unsigned may; /* the row's own: what was asked of bondy_admin_may() before it left the loop */
    struct bondy_admin_list list;

    /* The steps. */
    struct bondy_work work;
    struct bondy_store_job job;
    struct bondy_edit edit;
    uint8_t expected[BONDY_VERSION_LEN];
    char before[BONDY_AUDIT_HASH], after[BONDY_AUDIT_HASH];
    json_t *prepared; /* the row's own: what prepare leaves for apply. Owned */
    void *state;      /* the row's own; `free_state` ends it */
    void (*free_state)(void *state);

    /* The answer; taken. */
    json_t *value, *extra, *problem;
};

extern const struct bondy_procedure_row bondy_procedures_meta[];
extern const struct bondy_procedure_row bondy_procedures_meta_session[];
extern const struct bondy_procedure_row bondy_procedures_node[];
extern const struct bondy_procedure_row bondy_procedures_realm[];
extern const struct bondy_procedure_row bondy_procedures_realm_more[];
extern const struct bondy_procedure_row bondy_procedures_user[];
extern const struct bondy_procedure_row bondy_procedures_user_batch[];
extern const struct bondy_procedure_row bondy_procedures_user_parts[];
extern const struct bondy_procedure_row bondy_procedures_group[];
extern const struct bondy_procedure_row bondy_procedures_source[];
extern const struct bondy_procedure_row bondy_procedures_grant[];
extern const struct bondy_procedure_row bondy_procedures_oauth2[];
extern const struct bondy_procedure_row bondy_procedures_oauth2_token[];
extern const struct bondy_procedure_row bondy_procedures_ticket[];
extern const struct bondy_procedure_row bondy_procedures_session[];
extern const struct bondy_procedure_row bondy_procedures_registry[];
extern const struct bondy_procedure_row bondy_procedures_audit[];
extern const struct bondy_procedure_row bondy_procedures_api_key[];
extern const struct bondy_procedure_row bondy_procedures_backup[];
extern const struct bondy_procedure_row bondy_procedures_cert[];
extern const struct bondy_procedure_row bondy_procedures_api[];
extern const struct bondy_procedure_row bondy_procedures_cluster[];

/* ---- procedures.c: arguments ----------------------------------------------------------------- */

/* The argument as text, empty when it is none; borrowed. */
struct bondy_slice bondy_admin_text(const struct bondy_admin_call *call, size_t index);
/* A keyword argument: true, "true" and "" of a query that only names it. */
bool bondy_admin_flag(const struct bondy_admin_call *call, const char *key);
/* A keyword argument as text, empty when there is none. */
struct bondy_slice bondy_admin_kwarg(const struct bondy_admin_call *call, const char *key);

/* An id as a number or, from a path, its text. 0: it is none. */
uint64_t bondy_admin_read_id(const json_t *given);
/* An argument that is an id: a positive number, 0 for one that no id can be. False: it is something
 * else, and the call was refused. */
bool bondy_admin_id(struct bondy_admin_call *call, size_t index, uint64_t *out);
/* Ends the call: an argument of the wrong type (wamp.md META-ARG-1). */
void bondy_admin_wrong_argument(struct bondy_admin_call *call, const char *key,
                                const char *message);

/* The OpenAPI document; borrowed. */
json_t *bondy_admin_openapi(const struct bondy_procedures *procedures);

/* Who calls: authid and address, for the audit log. Borrowed until the answer. */
struct bondy_slice bondy_admin_authid(const struct bondy_admin_call *call);
struct bondy_slice bondy_admin_source(const struct bondy_admin_call *call);
/* [loop] Whether the caller has a permission on the resource `prefix` + `name`. */
bool bondy_admin_may(const struct bondy_admin_call *call, enum bondy_permission permission,
                     const char *prefix, struct bondy_slice name);
/* [loop] Whether the caller authenticated in a way that security.ticket.authmethods lists: who came
 * with a ticket or token gets no other that lasts longer. */
bool bondy_admin_may_be_given_tokens(const struct bondy_admin_call *call);

/* ---- procedures_call.c: the ways of a call --------------------------------------------------- */

/* Takes the call on its row's way; the arguments are in place. */
void bondy_admin_start(struct bondy_admin_call *call);
/* From `run` of a row that has other steps too: goes on there. */
void bondy_admin_go_on(struct bondy_admin_call *call);
/* Each ends the call. Values are taken; NULL for none. */
void bondy_admin_answer(struct bondy_admin_call *call, json_t *value, json_t *kwargs);
void bondy_admin_answer_nothing(struct bondy_admin_call *call);
/* The one form of errors: args [message], kwargs the object (wamp-admin-api.md 1.5). */
void bondy_admin_refuse(struct bondy_admin_call *call, json_t *problem);

/* From read and prepare: takes the problem, returns BONDY_EINVAL. */
int bondy_admin_fail(struct bondy_admin_call *call, json_t *problem);
/* An argument that is wrong: bondy.error.invalid_value with `key`. */
json_t *bondy_admin_invalid(const char *key, const char *message);
/* {etag: "\"...\""}: the tag as HTTP has it; the caller owns it. `tag` NULL gives NULL. */
json_t *bondy_admin_etag(const char *tag);
/* The same from an external form's `etag`. */
json_t *bondy_admin_etag_of(const json_t *external);

/* [pool] BONDY_EINVAL unless the argument is an object. */
int bondy_admin_need_object(struct bondy_admin_call *call, size_t index, const char *name);

/* What `null` in a merge patch makes of a member. */
struct bondy_admin_default {
    const char *key;
    json_type type; /* an empty one of it */
};
/* [in a job] The input of an update at args[index]; with kwarg `patch` merged into what is stored
 * (RFC 7396), as far as the input names it. `defaults` ends with key NULL; other members stay null.
 * The caller owns it. */
json_t *bondy_admin_merged(struct bondy_admin_call *call, size_t index,
                           const struct bondy_admin_default *defaults);

/* ---- procedures_list.c: lists ---------------------------------------------------------------- */

/* Reads limit, cursor, q, fields and sort. NULL, or the problem. */
json_t *bondy_admin_list_read(struct bondy_admin_call *call);
void bondy_admin_list_fini(struct bondy_admin_list *list);
/* The answer of a list: takes `items` (all of them, external forms), keeps what was asked for.
 * `keys`: the members that make an item unlike all others, NULL-terminated; the first is what q is
 * about. */
void bondy_admin_list_finish(struct bondy_admin_call *call, json_t *items, const char *const *keys);
/* For lists that are walked in order of their names: where to go on, and whether that is possible
 * for what was asked. */
bool bondy_admin_list_is_by_name(const struct bondy_admin_call *call, const char *key,
                                 struct bondy_slice *after);
/* Sets the answer from one page in order; `next` empty: the last one. Takes `items`. */
void bondy_admin_list_page(struct bondy_admin_call *call, json_t *items, struct bondy_slice next);

/* ---- procedures_events.c --------------------------------------------------------------------- */

/* What a successful change is followed by. */
void bondy_admin_tell(struct bondy_admin_call *call);
/* Publishes in a realm as the router itself; takes the args. */
void bondy_admin_publish(struct bondy_admin_call *call, struct bondy_slice realm, const char *topic,
                         json_t *args);
/* The entry of a mutation, done or refused (`problem` NULL: done). */
void bondy_admin_audit(struct bondy_admin_call *call, const json_t *problem);

#endif

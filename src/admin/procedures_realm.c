/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_realm: bondy.realm.*. wamp-admin-api.md 2.2; realms-and-security.md 1. */
#include <sodium.h>
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* ---- reading ----------------------------------------------------------------------------------*/

static json_t *no_such_realm(struct bondy_slice uri)
{
    json_t *problem =
        bondy_problem_format(BONDY_ERR_NOT_FOUND, BONDY_SLICE_FMT, BONDY_SLICE_ARG(uri));

    json_object_set_new(problem, "description", json_string("There is no such realm."));
    return problem;
}

/* The realm of the first argument; NULL when the call was refused. */
static const struct bondy_realm *find_realm(struct bondy_admin_call *call)
{
    struct bondy_slice uri = bondy_admin_text(call, 0);
    const struct bondy_realm *realm = bondy_realms_find(call->node->realms, uri);

    if (realm == NULL)
        bondy_admin_refuse(call, no_such_realm(uri));
    return realm;
}

static void answer_realm(struct bondy_admin_call *call, const struct bondy_realm *realm)
{
    json_t *external = bondy_realm_external(realm);
    json_t *etag = bondy_admin_etag(json_string_value(json_object_get(external, "etag")));

    bondy_admin_answer(call, external, etag);
}

static void run_get(struct bondy_admin_call *call)
{
    const struct bondy_realm *realm = find_realm(call);

    if (realm != NULL)
        answer_realm(call, realm);
}

static void run_list(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, bondy_realms_list(call->node->realms), NULL);
}

static void run_is_enabled(struct bondy_admin_call *call)
{
    const struct bondy_realm *realm = find_realm(call);

    if (realm != NULL)
        bondy_admin_answer(call, json_boolean(!realm->allows_anonymous), NULL);
}

static void run_status(struct bondy_admin_call *call)
{
    const struct bondy_realm *realm = find_realm(call);

    if (realm != NULL)
        bondy_admin_answer(call, json_string(realm->allows_anonymous ? "disabled" : "enabled"),
                           NULL);
}

static void run_enable(struct bondy_admin_call *call)
{
    const struct bondy_realm *realm = find_realm(call);

    if (realm == NULL)
        return;
    if (realm->is_master) /* it is and stays enabled */
        bondy_admin_answer_nothing(call);
    else
        bondy_admin_refuse(call, bondy_problem(BONDY_ERR_NOT_IMPLEMENTED,
                                               "Security cannot be enabled yet.",
                                               "Until identities exist every realm is open to "
                                               "anonymous sessions."));
}

/* ---- writing ----------------------------------------------------------------------------------*/

static struct bondy_admin_call *call_of(struct bondy_store_job *job)
{
    return BONDY_CONTAINER(job, struct bondy_admin_call, job);
}

/* A job may run twice: the first run's answer is forgotten. */
static void start_over(struct bondy_admin_call *call)
{
    json_decref(call->problem);
    call->problem = NULL;
    bondy_free(call->uri);
    call->uri = NULL;
}

static const uint8_t *condition_of(const struct bondy_admin_call *call)
{
    return call->has_condition ? call->condition : NULL;
}

static int do_create(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct bondy_admin_call *call = call_of(job);

    (void)err;
    start_over(call);
    return bondy_realm_apply_create(write, json_array_get(call->args, 0), &call->uri,
                                    &call->problem);
}

static int do_update(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct bondy_admin_call *call = call_of(job);

    (void)err;
    start_over(call);
    return bondy_realm_apply_update(write, bondy_admin_text(call, 0), json_array_get(call->args, 1),
                                    condition_of(call), &call->problem);
}

static int do_delete(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct bondy_admin_call *call = call_of(job);

    (void)err;
    start_over(call);
    return bondy_realm_apply_delete(write, bondy_admin_text(call, 0), condition_of(call),
                                    &call->problem);
}

/* The store had the last word: what it refused was not described by anybody else. */
static json_t *take_problem(struct bondy_admin_call *call)
{
    if (call->problem != NULL)
        return BONDY_MOVE(call->problem);
    return bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", call->job.err.text);
}

static void written(struct bondy_store_job *job)
{
    struct bondy_admin_call *call = call_of(job);

    if (job->rc < 0)
        bondy_admin_refuse(call, take_problem(call));
    else
        bondy_admin_answer_nothing(call);
}

/* Create and update answer with the realm as it is now; the table has it already. */
static void written_realm(struct bondy_store_job *job)
{
    struct bondy_admin_call *call = call_of(job);
    struct bondy_slice uri =
        call->uri != NULL ? bondy_slice_text(call->uri) : bondy_admin_text(call, 0);
    const struct bondy_realm *realm;

    if (job->rc < 0)
        bondy_admin_refuse(call, take_problem(call));
    else if ((realm = bondy_realms_find(call->node->realms, uri)) == NULL)
        bondy_admin_refuse(call, no_such_realm(uri)); /* deleted again meanwhile */
    else
        answer_realm(call, realm);
}

/* if_version: a version as GET gives it (etag), as an If-Match header may write it: quoted, weak,
 * or
 * "*" for any. False: it cannot be one. */
static bool read_condition(struct bondy_admin_call *call)
{
    struct bondy_slice text = bondy_admin_kwarg(call, "if_version");
    size_t len;

    if (text.len == 0 || bondy_slice_is(text, "*"))
        return true;
    if (bondy_slice_starts(text, BONDY_SLICE("W/")))
        text = bondy_slice_skip(text, 2);
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
        text = bondy_slice_of(text.data + 1, text.len - 2);
    call->has_condition = true;
    return sodium_hex2bin(call->condition, sizeof call->condition, text.data, text.len, NULL, &len,
                          NULL) == 0 &&
           len == sizeof call->condition;
}

static void submit(struct bondy_admin_call *call,
                   int (*job)(struct bondy_store_job *job, struct bondy_store_write *write,
                              struct bondy_error *err),
                   void (*done)(struct bondy_store_job *job))
{
    if (bondy_admin_flag(call, "dry_run")) {
        /* Never taken for a real one. */
        json_t *problem = bondy_problem(BONDY_ERR_NOT_IMPLEMENTED, "Realms have no dry run yet.",
                                        "Nothing was changed.");

        json_object_set_new(problem, "keys", json_pack("[s]", "dry_run"));
        bondy_admin_refuse(call, problem);
        return;
    }
    if (!read_condition(call)) {
        bondy_admin_refuse(call, bondy_problem("bondy.error.precondition_failed",
                                               "The realm has another version.", ""));
        return;
    }
    call->job.run = job;
    call->job.done = done;
    call->job.loop = bondy_loop_current();
    bondy_store_submit(call->node->store, &call->job);
}

static void run_create(struct bondy_admin_call *call)
{
    submit(call, do_create, written_realm);
}

static void run_update(struct bondy_admin_call *call)
{
    submit(call, do_update, written_realm);
}

static void run_delete(struct bondy_admin_call *call)
{
    submit(call, do_delete, written);
}

static void run_disable(struct bondy_admin_call *call)
{
    json_array_append_new(call->args, json_pack("{s:b}", "security_enabled", 0));
    submit(call, do_update, written);
}

static const char *const old_create[] = {"bondy.security.create_realm", NULL};
static const char *const old_update[] = {"bondy.security.update_realm", NULL};
static const char *const old_delete[] = {"bondy.security.delete_realm", NULL};
static const char *const old_list[] = {"bondy.security.list_realms", NULL};
static const char *const old_is_enabled[] = {"bondy.security.is_enabled", NULL};
static const char *const old_status[] = {"bondy.security.status", NULL};
static const char *const old_enable[] = {"bondy.security.enable", NULL};
static const char *const old_disable[] = {"bondy.security.disable", NULL};

const struct bondy_procedure_row bondy_procedures_realm[] = {
    {{"bondy.realm.create", old_create, 1, 1, 'M', "data", "creates a realm", "0.1"},
     false,
     run_create},
    {{"bondy.realm.get", NULL, 1, 1, 'R', "uri", "one realm", "0.1"}, true, run_get},
    {{"bondy.realm.update", old_update, 2, 2, 'M',
      "uri, data, if_version=", "changes what `data` names", "0.1"},
     true,
     run_update},
    {{"bondy.realm.list", old_list, 0, 0, 'M', "", "all realms, sorted by URI", "0.1"},
     false,
     run_list},
    {{"bondy.realm.delete", old_delete, 1, 1, 'M',
      "uri, if_version=", "deletes a realm and closes its sessions", "0.1"},
     true,
     run_delete},
    {{"bondy.realm.security.is_enabled", old_is_enabled, 1, 1, 'R', "uri",
      "whether sessions need an identity", "0.1"},
     true,
     run_is_enabled},
    {{"bondy.realm.security.status", old_status, 1, 1, 'R', "uri", "\"enabled\" or \"disabled\"",
      "0.1"},
     true,
     run_status},
    {{"bondy.realm.security.enable", old_enable, 1, 1, 'M', "uri", "not implemented yet", "0.1"},
     true,
     run_enable},
    {{"bondy.realm.security.disable", old_disable, 1, 1, 'M', "uri",
      "opens the realm to sessions without identity", "0.1"},
     true,
     run_disable},
    {.run = NULL}};

/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_call: the ways a call goes: loop, pool, control thread, and back. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* ---- ends -------------------------------------------------------------------------------------*/

static void end_call(struct bondy_admin_call *call)
{
    json_decref(call->args);
    json_decref(call->prepared);
    json_decref(call->value);
    json_decref(call->extra);
    json_decref(call->problem);
    if (call->free_state != NULL)
        call->free_state(call->state);
    if (call->realm != NULL)
        bondy_realm_unref(call->realm);
    bondy_admin_list_fini(&call->list);
    bondy_edit_fini(&call->edit);
    bondy_free(call->target);
    bondy_free(call);
}

void bondy_admin_answer(struct bondy_admin_call *call, json_t *value, json_t *kwargs)
{
    json_t *args = json_array();

    if (value != NULL)
        json_array_append_new(args, value);
    bondy_invocation_result(call->invocation, args, kwargs);
    end_call(call);
}

void bondy_admin_answer_nothing(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, NULL, NULL);
}

void bondy_admin_refuse(struct bondy_admin_call *call, json_t *problem)
{
    json_t *args = json_array();

    if (call->row->apply != NULL || call->row->kind != NULL)
        bondy_admin_audit(call, problem);
    json_array_append(args, json_object_get(problem, "message"));
    bondy_invocation_error(call->invocation, bondy_problem_code(problem), args, problem);
    end_call(call);
}

int bondy_admin_fail(struct bondy_admin_call *call, json_t *problem)
{
    json_decref(call->problem);
    call->problem = problem;
    return BONDY_EINVAL;
}

json_t *bondy_admin_invalid(const char *key, const char *message)
{
    return bondy_json_with(bondy_problem("bondy.error.invalid_value", message, ""), "key",
                           json_string(key));
}

json_t *bondy_admin_etag(const char *tag)
{
    char quoted[80];

    if (tag == NULL)
        return NULL;
    snprintf(quoted, sizeof quoted, "\"%s\"", tag);
    return json_pack("{s:s}", "etag", quoted);
}

json_t *bondy_admin_etag_of(const json_t *external)
{
    return bondy_admin_etag(json_string_value(json_object_get(external, "etag")));
}

static json_t *overloaded(void)
{
    return bondy_problem(BONDY_ERR_UNAVAILABLE, "Too much is waiting already.", "Try again later.");
}

/* ---- pool -------------------------------------------------------------------------------------*/

static struct bondy_admin_call *call_of_work(struct bondy_work *work)
{
    return BONDY_CONTAINER(work, struct bondy_admin_call, work);
}

static void look_at_store(struct bondy_admin_call *call,
                          int (*look)(struct bondy_admin_call *call,
                                      const struct bondy_store_view *view))
{
    struct bondy_store_view *view = NULL;
    struct bondy_error err = {0};

    if (bondy_store_view_begin(call->node->store, &view, &err) < 0)
        bondy_admin_fail(call, bondy_problem(BONDY_ERR_INTERNAL, "The store cannot be read.", ""));
    else if (look(call, view) < 0 && call->problem == NULL)
        bondy_admin_fail(call, bondy_problem(BONDY_ERR_INTERNAL, "Something went wrong.", ""));
    bondy_store_view_end(view);
}

/* On a pool thread, or on the loop when there is no pool. */
static void run_work(struct bondy_work *work)
{
    struct bondy_admin_call *call = call_of_work(work);

    look_at_store(call, call->row->read != NULL ? call->row->read : call->row->prepare);
}

static void submit_job(struct bondy_admin_call *call);

static void finish_read(struct bondy_admin_call *call)
{
    if (call->row->finish != NULL)
        call->row->finish(call);
    if (call->problem != NULL)
        bondy_admin_refuse(call, BONDY_MOVE(call->problem));
    else
        bondy_admin_answer(call, BONDY_MOVE(call->value), BONDY_MOVE(call->extra));
}

static void work_done(struct bondy_work *work)
{
    struct bondy_admin_call *call = call_of_work(work);

    if (call->problem != NULL)
        bondy_admin_refuse(call, BONDY_MOVE(call->problem));
    else if (call->row->apply != NULL)
        submit_job(call);
    else
        finish_read(call);
}

static void submit_work(struct bondy_admin_call *call, struct bondy_pool *pool)
{
    call->work.run = run_work;
    call->work.done = work_done;
    if (pool == NULL) {
        run_work(&call->work);
        work_done(&call->work);
    } else if (bondy_pool_submit(pool, bondy_loop_current(), &call->work, NULL) < 0) {
        bondy_admin_refuse(call, overloaded());
    }
}

/* ---- job --------------------------------------------------------------------------------------*/

static struct bondy_admin_call *call_of_job(struct bondy_store_job *job)
{
    return BONDY_CONTAINER(job, struct bondy_admin_call, job);
}

static void hash_object(struct bondy_admin_call *call, struct bondy_store_write *write,
                        char out[BONDY_AUDIT_HASH])
{
    const struct bondy_admin_kind *kind = call->row->kind;
    json_t *object;

    if (call->node->audit == NULL || call->is_dry_run || kind == NULL || kind->look == NULL ||
        call->target == NULL)
        return;
    object = kind->look(call, bondy_store_write_view(write));
    bondy_audit_hash(object, out);
    json_decref(object);
}

static int run_job(struct bondy_store_job *job, struct bondy_store_write *write,
                   struct bondy_error *err)
{
    struct bondy_admin_call *call = call_of_job(job);
    int rc;

    (void)err;
    bondy_edit_start(&call->edit, write);
    hash_object(call, write, call->before);
    rc = call->row->apply(call);
    if (rc == BONDY_OK)
        hash_object(call, write, call->after);
    return bondy_edit_end(&call->edit, rc);
}

static void finish(struct bondy_admin_call *call)
{
    if (call->row->finish != NULL) {
        call->row->finish(call);
    } else if ((call->row->flags & BONDY_ROW_RESULT) != 0) {
        call->value = json_incref(call->edit.result);
        call->extra = bondy_admin_etag_of(call->edit.result);
    }
    if (!call->is_dry_run)
        return;
    if (call->extra == NULL)
        call->extra = json_object();
    json_object_set_new(call->extra, "dry_run", json_true());
}

/* What the store refused was not described by anybody else. */
static json_t *take_problem(struct bondy_admin_call *call)
{
    if (call->edit.problem != NULL)
        return BONDY_MOVE(call->edit.problem);
    return bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", call->job.err.text);
}

static void job_done(struct bondy_store_job *job)
{
    struct bondy_admin_call *call = call_of_job(job);
    bool is_done = job->rc >= 0 || (call->is_dry_run && job->rc == BONDY_EDIT_TAKEN_BACK);

    if (call->row->again != NULL && call->row->again(call, is_done)) {
        submit_job(call);
        return;
    }
    if (!is_done && call->row->again == NULL) {
        bondy_admin_refuse(call, take_problem(call));
        return;
    }
    finish(call);
    if (call->problem != NULL) {
        bondy_admin_refuse(call, BONDY_MOVE(call->problem));
        return;
    }
    if (!call->is_dry_run) {
        bondy_admin_audit(call, NULL);
        bondy_admin_tell(call);
    }
    bondy_admin_answer(call, BONDY_MOVE(call->value), BONDY_MOVE(call->extra));
}

static void submit_job(struct bondy_admin_call *call)
{
    call->job.run = run_job;
    call->job.done = job_done;
    call->job.loop = bondy_loop_current();
    bondy_store_submit(call->node->store, &call->job);
}

/* ---- inputs -----------------------------------------------------------------------------------*/

int bondy_admin_need_object(struct bondy_admin_call *call, size_t index, const char *name)
{
    if (json_is_object(json_array_get(call->args, index)))
        return BONDY_OK;
    return bondy_admin_fail(
        call, bondy_json_with(bondy_problem("bondy.error.invalid_datatype", "Invalid datatype.",
                                            "An object is expected."),
                              "key", json_string(name)));
}

/* RFC 7396, 2; the caller owns it. */
static json_t *merge_patch(const json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value, *out;

    if (!json_is_object(patch))
        return json_incref((json_t *)patch);
    out = json_is_object(target) ? json_copy((json_t *)target) : json_object();
    json_object_foreach((json_t *)patch, key, value)
    {
        if (json_is_null(value))
            json_object_del(out, key);
        else
            json_object_set_new(out, key, merge_patch(json_object_get(out, key), value));
    }
    return out;
}

static json_t *empty_of(json_type type)
{
    return type == JSON_ARRAY ? json_array() : json_object();
}

json_t *bondy_admin_merged(struct bondy_admin_call *call, size_t index,
                           const struct bondy_admin_default *defaults)
{
    json_t *patch = json_array_get(call->args, index), *now, *out, *value;
    const char *key;
    void *next;

    if (!bondy_admin_flag(call, "patch") || !json_is_object(patch))
        return json_incref(patch);
    now = call->row->kind->look(call, bondy_edit_view(&call->edit));
    out = json_copy(patch);
    json_object_foreach_safe(out, next, key, value)
    {
        const struct bondy_admin_default *dflt = defaults;

        while (dflt->key != NULL && strcmp(dflt->key, key) != 0)
            dflt++;
        if (json_is_null(value) && dflt->key != NULL)
            json_object_set_new(out, key, empty_of(dflt->type));
        else if (json_is_object(value))
            json_object_set_new(out, key, merge_patch(json_object_get(now, key), value));
    }
    json_decref(now);
    return out;
}

/* ---- beginning --------------------------------------------------------------------------------*/

/* if_version: a version as GET gives it (etag), as an If-Match header may write it: quoted, weak,
 * or "*" for any. False: it cannot be one. */
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
    call->edit.expected = call->expected;
    return sodium_hex2bin(call->expected, sizeof call->expected, text.data, text.len, NULL, &len,
                          NULL) == 0 &&
           len == sizeof call->expected;
}

static bool lacks_version(const struct bondy_admin_call *call)
{
    return call->node->needs_versions && strstr(call->row->info.args, "if_version=") != NULL &&
           bondy_admin_kwarg(call, "if_version").len == 0;
}

/* The name of the object, if the procedure has not found it itself: the argument behind the realm,
 * or a member of the input there. */
static void find_target(struct bondy_admin_call *call)
{
    const struct bondy_admin_kind *kind = call->row->kind;
    size_t index = kind->is_realm ? 0 : 1;
    const json_t *given = json_array_get(call->args, index);
    struct bondy_slice name = bondy_admin_text(call, index);

    if (call->target != NULL)
        return;
    if (json_is_object(given) && kind->name_key != NULL)
        name = bondy_json_text(given, kind->name_key);
    if (name.len > 0 && call->target == NULL)
        call->target = bondy_memdup0(name.data, name.len);
}

static void start_write(struct bondy_admin_call *call)
{
    const struct bondy_procedure_row *row = call->row;
    bool is_hash = (row->flags & BONDY_ROW_HASH) != 0;

    call->is_dry_run = bondy_admin_flag(call, "dry_run");
    call->edit.rules = call->node->rules;
    call->edit.is_dry_run = call->is_dry_run;
    if (row->kind != NULL)
        find_target(call);
    if (lacks_version(call)) {
        bondy_admin_refuse(call, bondy_problem("bondy.error.precondition_required",
                                               "This change needs the version that it is about.",
                                               "Send the etag as If-Match (if_version)."));
        return;
    }
    if (!read_condition(call)) {
        bondy_admin_refuse(
            call, bondy_problem("bondy.error.precondition_failed", "It has another version.", ""));
        return;
    }
    if (row->prepare == NULL)
        submit_job(call);
    else
        submit_work(call, is_hash ? call->node->hashers : call->node->readers);
}

void bondy_admin_go_on(struct bondy_admin_call *call)
{
    if (call->row->read != NULL)
        submit_work(call, call->node->readers);
    else
        start_write(call);
}

void bondy_admin_start(struct bondy_admin_call *call)
{
    json_t *problem;

    if ((call->row->flags & BONDY_ROW_LIST) != 0 &&
        (problem = bondy_admin_list_read(call)) != NULL) {
        bondy_admin_refuse(call, problem);
        return;
    }
    if (call->row->run != NULL)
        call->row->run(call);
    else
        bondy_admin_go_on(call);
}

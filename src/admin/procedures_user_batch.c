/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_user_batch: bondy.user.batch, many changes of users in one call. admin-http-api.md 8
 * "Bulk". */
#include <string.h>

#include "src/admin/procedures_user.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* All items in one job, which is one commit. An item that was refused after it had written
 * something spoils that: then everything is taken back, and each item has a job of its own. */
struct batch {
    bool is_single;
    size_t index;
    json_t *answers;
};

static void free_batch(void *state)
{
    json_decref(((struct batch *)state)->answers);
    bondy_free(state);
}

/* Items stand alone: each has its own answer, in order. */
static int read_items(struct bondy_admin_call *call)
{
    const json_t *given = json_array_get(call->args, 1);
    const json_t *items = json_is_array(given) ? given : json_object_get(given, "items");
    struct batch *batch;

    if (!json_is_array(items))
        return bondy_admin_fail(call, bondy_admin_invalid("items", "A list of items is expected."));
    if (json_array_size(items) > call->node->rules->max_list)
        return bondy_admin_fail(call, bondy_admin_invalid("items", "There are too many items."));
    batch = bondy_zalloc(sizeof *batch);
    batch->answers = json_array();
    call->state = batch;
    call->free_state = free_batch;
    call->prepared = json_array();
    for (size_t i = 0; i < json_array_size(items); i++)
        json_array_append(call->prepared, json_array_get(items, i));
    return BONDY_OK;
}

static const char *op_of(const json_t *item)
{
    const char *op = json_string_value(json_object_get(item, "op"));

    return op == NULL ? "" : op;
}

/* The data of an item with its username in it. */
static json_t *data_of(json_t *item)
{
    json_t *data = json_object_get(item, "data");
    json_t *name = json_object_get(item, "username");

    if (data == NULL) {
        data = json_object();
        json_object_set_new(item, "data", data);
    }
    if (name != NULL && strcmp(op_of(item), "add") == 0 && json_is_object(data))
        json_object_set(data, "username", name);
    return data;
}

/* [pool] What is wrong with an item is kept with it: it is answered, not refused. */
static int prepare_batch(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (read_items(call) < 0)
        return BONDY_EINVAL;
    for (size_t i = 0; i < json_array_size(call->prepared); i++) {
        json_t *item = json_array_get(call->prepared, i);
        bool is_add = strcmp(op_of(item), "add") == 0,
             is_update = strcmp(op_of(item), "update") == 0;

        if (is_add || is_update)
            bondy_admin_prepare_user(call, data_of(item), is_update);
        else if (strcmp(op_of(item), "delete") != 0)
            bondy_admin_fail(call, bondy_admin_invalid("op", "'op' is add, update or delete."));
        if (call->problem != NULL)
            json_array_set_new(call->prepared, i,
                               json_pack("{s:o}", "problem", BONDY_MOVE(call->problem)));
    }
    return BONDY_OK;
}

static int apply_item(struct bondy_admin_call *call, const json_t *item)
{
    struct bondy_slice realm = bondy_admin_text(call, 0), name = bondy_json_text(item, "username");
    const json_t *data = json_object_get(item, "data");

    if (strcmp(op_of(item), "add") == 0)
        return bondy_user_apply_add(&call->edit, realm, data);
    if (strcmp(op_of(item), "update") == 0)
        return bondy_user_apply_update(&call->edit, realm, name, data);
    return bondy_user_apply_delete(&call->edit, realm, name, false);
}

/* The status that the same change alone has over HTTP. */
static int status_of(const char *code)
{
    static const struct {
        const char *code;
        int status;
    } rows[] = {{BONDY_ERR_NO_SUCH_PRINCIPAL, 404},
                {BONDY_ERR_ALREADY_EXISTS, 409},
                {"bondy.error.property_range_limit", 409},
                {"bondy.error.realm_in_use", 409},
                {BONDY_ERR_NOT_ALLOWED, 403},
                {BONDY_ERR_NOT_AUTHORIZED, 403},
                {BONDY_ERR_INTERNAL, 500}};

    for (size_t i = 0; i < BONDY_COUNT(rows); i++)
        if (strcmp(rows[i].code, code) == 0)
            return rows[i].status;
    return 400;
}

static json_t *refused(json_t *problem)
{
    return json_pack("{s:i, s:o}", "status", status_of(bondy_problem_code(problem)), "error",
                     problem);
}

static json_t *accepted(const json_t *item)
{
    if (strcmp(op_of(item), "add") == 0)
        return json_pack("{s:i}", "status", 201);
    return json_pack("{s:i}", "status", strcmp(op_of(item), "update") == 0 ? 200 : 204);
}

static int apply_one(struct bondy_admin_call *call, size_t index)
{
    struct batch *batch = call->state;
    const json_t *item = json_array_get(call->prepared, index);
    json_t *problem = json_object_get(item, "problem");
    unsigned writes = call->edit.writes;
    int rc = BONDY_OK;

    if (problem != NULL)
        json_incref(problem);
    else if ((rc = apply_item(call, item)) < 0 && (batch->is_single || call->edit.writes != writes))
        return rc;
    else if (rc < 0)
        problem = BONDY_MOVE(call->edit.problem);
    json_array_append_new(batch->answers, problem != NULL ? refused(problem) : accepted(item));
    json_decref(BONDY_MOVE(call->edit.result));
    return BONDY_OK;
}

static int apply_batch(struct bondy_admin_call *call)
{
    struct batch *batch = call->state;
    int rc = BONDY_OK;

    if (batch->is_single && batch->index < json_array_size(call->prepared))
        return apply_one(call, batch->index);
    json_array_clear(batch->answers); /* a job may run twice */
    for (size_t i = 0; rc == BONDY_OK && i < json_array_size(call->prepared); i++)
        rc = apply_one(call, i);
    return rc;
}

static bool next_item(struct bondy_admin_call *call, bool is_done)
{
    struct batch *batch = call->state;

    if (!batch->is_single && is_done)
        return false;
    if (!batch->is_single) {
        batch->is_single = true;
        json_array_clear(batch->answers);
        return true;
    }
    if (!is_done && json_array_size(batch->answers) == batch->index)
        json_array_append_new(
            batch->answers,
            refused(call->edit.problem != NULL
                        ? BONDY_MOVE(call->edit.problem)
                        : bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", "")));
    return ++batch->index < json_array_size(call->prepared);
}

static void tell_item(struct bondy_admin_call *call, const json_t *item)
{
    const char *op = op_of(item), *realm = call->realm->uri;
    json_t *name = json_object_get(item, "username");

    if (name == NULL)
        name = json_object_get(json_object_get(item, "data"), "username");
    if (strcmp(op, "add") == 0)
        bondy_admin_publish(call, bondy_slice_text(realm), "bondy.user.added",
                            json_pack("[O]", name));
    else
        bondy_admin_publish(call, bondy_slice_text(realm),
                            strcmp(op, "update") == 0 ? "bondy.user.updated" : "bondy.user.deleted",
                            json_pack("[s, O]", realm, name));
}

static void finish_batch(struct bondy_admin_call *call)
{
    const struct batch *batch = call->state;

    call->value = json_incref(batch->answers);
    for (size_t i = 0; i < json_array_size(call->value) && !call->is_dry_run; i++)
        if (json_object_get(json_array_get(call->value, i), "error") == NULL)
            tell_item(call, json_array_get(call->prepared, i));
}

const struct bondy_procedure_row bondy_procedures_user_batch[] = {
    {.info = {"bondy.user.batch", NULL, 2, 2, 'R',
              "realm, items, dry_run=", "adds, updates and deletes users, each for itself", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_HASH,
     .prepare = prepare_batch,
     .apply = apply_batch,
     .again = next_item,
     .finish = finish_batch},
    {.info = {.uri = NULL}}};

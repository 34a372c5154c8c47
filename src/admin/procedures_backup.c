/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_backup: bondy.backup.*. wamp-admin-api.md 2.10. */
#include "src/admin/backups.h"
#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* ---- beginning --------------------------------------------------------------------------------*/

/* The loop is known here; the rest is for the pool. */
static void run(struct bondy_admin_call *call)
{
    struct bondy_backup_teller *teller = bondy_zalloc(sizeof *teller);

    *teller = (struct bondy_backup_teller){bondy_loop_current(),
                                           bondy_invocation_thread(call->invocation)};
    call->state = teller;
    call->free_state = bondy_free;
    if (call->node->backups == NULL)
        bondy_admin_refuse(
            call, bondy_problem(BONDY_ERR_NOT_IMPLEMENTED, "This node makes no backups.", ""));
    else
        bondy_admin_go_on(call);
}

/* An object, or text for the one member that matters. */
static json_t *input_of(const struct bondy_admin_call *call, const char *key)
{
    json_t *given = json_array_get(call->args, 0);

    if (json_is_string(given))
        return json_pack("{s:O}", key, given);
    return json_is_object(given) ? json_incref(given) : json_object();
}

static int read_create(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    json_t *input = input_of(call, "path");
    int rc = bondy_backup_desk_make_wait(call->node->backups, input, call->state, &call->value,
                                         &call->problem);

    (void)view;
    json_decref(input);
    return rc;
}

static int read_restore(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    json_t *input = input_of(call, "filename");
    int rc;

    (void)view;
    if (bondy_admin_flag(call, "dry_run")) {
        json_t *copy = json_copy(input);

        json_object_set_new(copy, "dry_run", json_true());
        json_decref(input);
        input = copy;
    }
    rc = bondy_backup_desk_restore_wait(call->node->backups, input, call->state, &call->value,
                                        &call->problem);
    json_decref(input);
    return rc;
}

static void finish_begun(struct bondy_admin_call *call)
{
    struct bondy_slice name = bondy_json_text(call->value, "filename");

    bondy_free(call->target);
    call->target = bondy_memdup0(name.data, name.len);
    bondy_admin_audit(call, NULL);
}

/* ---- looking ----------------------------------------------------------------------------------*/

static int read_status(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    json_t *input = input_of(call, "filename");
    int rc = bondy_backup_desk_status_wait(call->node->backups, bondy_json_text(input, "filename"),
                                           &call->value, &call->problem);

    (void)view;
    json_decref(input);
    return rc;
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return bondy_backup_desk_list_wait(call->node->backups, &call->value, &call->problem);
}

static int read_verify(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    json_t *input = input_of(call, "filename");
    int rc = bondy_backup_desk_verify_wait(call->node->backups, bondy_json_text(input, "filename"),
                                           &call->value, &call->problem);

    (void)view;
    json_decref(input);
    return rc;
}

/* ---- files -------------------------------------------------------------------------------------
 * The procedures decide and are written down; the octets go over HTTP, beside them: GET and PUT of
 * /backups/{name} (backup_files.h). */

static void run_named(struct bondy_admin_call *call)
{
    struct bondy_slice name = bondy_admin_text(call, 0);

    if (name.len > 0)
        call->target = bondy_memdup0(name.data, name.len);
    run(call);
}

static int read_download(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return bondy_backup_desk_find_wait(call->node->backups, bondy_admin_text(call, 0), &call->value,
                                       &call->problem);
}

/* A number, or the text of one from a header; negative: it is not known. */
static json_int_t size_of(const json_t *given)
{
    if (json_is_string(given))
        return (json_int_t)bondy_admin_read_id(given);
    return json_is_integer(given) ? json_integer_value(given) : -1;
}

static int read_upload(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return bondy_backup_desk_expect_wait(call->node->backups, bondy_admin_text(call, 0),
                                         size_of(json_object_get(call->kwargs, "size")),
                                         &call->value, &call->problem);
}

static void finish_found(struct bondy_admin_call *call)
{
    bondy_admin_audit(call, NULL);
}

static const struct bondy_admin_kind backups = {.noun = "backups"};

const struct bondy_procedure_row bondy_procedures_backup[] = {
    {.info = {"bondy.backup.create", NULL, 0, 1, 'M', "options?",
              "begins a copy of the store in backup.dir", "0.1"},
     .kind = &backups,
     .run = run,
     .read = read_create,
     .finish = finish_begun},
    {.info = {"bondy.backup.restore", NULL, 1, 1, 'M',
              "options, dry_run=", "begins to take a copy's records back into the store", "0.1"},
     .kind = &backups,
     .run = run,
     .read = read_restore,
     .finish = finish_begun},
    {.info = {"bondy.backup.status", NULL, 0, 1, 'M', "options?", "what runs, or what a file is",
              "0.1"},
     .run = run,
     .read = read_status},
    {.info = {"bondy.backup.list", NULL, 0, 0, 'M', "", "the copies in backup.dir, newest first",
              "0.1"},
     .run = run,
     .read = read_list},
    {.info = {"bondy.backup.verify", NULL, 1, 1, 'M', "options", "reads a whole copy and checks it",
              "0.1"},
     .run = run,
     .read = read_verify},
    {.info = {"bondy.backup.download", NULL, 1, 1, 'M', "name",
              "what a copy is that GET /backups/{name} sends", "0.1"},
     .kind = &backups,
     .run = run_named,
     .read = read_download,
     .finish = finish_found},
    {.info = {"bondy.backup.upload", NULL, 1, 1, 'M',
              "name, size=", "whether PUT /backups/{name} would take a copy", "0.1"},
     .kind = &backups,
     .run = run_named,
     .read = read_upload},
    {.info = {.uri = NULL}}};

/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_realm_more: keys, numbers, export and import of realms, the security file.
 * wamp-admin-api.md 2.2 and 6; admin-http-api.md 8. */
#include <string.h>

#include "src/admin/procedures_realm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/problem.h"
#include "src/security/entity/export.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/entity/security_file.h"
#include "src/security/entity/source.h"
#include "src/sys/file.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

#define DOCUMENT_MAX ((size_t)256 * 1024 * 1024)
#define DOCUMENT_DEPTH 32
/* How long a retired key verifies: tokens it signed are worth no longer. */
#define RETIRED_MS UINT64_C(2592000000) /* 30 d: security.ticket.max_expiry_time */
#define SIGNING_KEYS 3

/* ---- keys -------------------------------------------------------------------------------------*/

static int prepare_rotate(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_error err = {0};

    (void)view;
    if (bondy_realm_make_keys_wait(SIGNING_KEYS, 0, &call->prepared, &err) == BONDY_OK)
        return BONDY_OK;
    return bondy_admin_fail(call, bondy_problem(BONDY_ERR_INTERNAL, "No keys could be made.", ""));
}

static int apply_rotate(struct bondy_admin_call *call)
{
    uint64_t now_ms = bondy_clock_wall_ms();

    return bondy_realm_apply_rotate(&call->edit, bondy_admin_text(call, 0), call->prepared, now_ms,
                                    now_ms + RETIRED_MS);
}

/* ---- numbers ----------------------------------------------------------------------------------*/

struct counts {
    json_int_t users, aliases, others;
};

static int count_user(void *context, const struct bondy_record *record)
{
    struct counts *counts = context;
    json_t *body = bondy_value_tree(BONDY_CBOR, record->body);

    if (json_object_get(body, "alias_of") != NULL)
        counts->aliases++;
    else
        counts->users++;
    json_decref(body);
    return 0;
}

static int count_other(void *context, const struct bondy_record *record)
{
    (void)record;
    ((struct counts *)context)->others++;
    return 0;
}

static json_int_t count(const struct bondy_admin_call *call, const struct bondy_store_view *view,
                        enum bondy_record_type type)
{
    const struct bondy_store_range range = {
        .type = type, .scope = bondy_slice_text(call->realm->uri), .gen = call->realm->gen};
    struct counts counts = {0};

    bondy_store_view_scan(view, &range, count_other, &counts);
    return counts.others;
}

static int read_stats(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const struct bondy_store_range users = {.type = BONDY_RECORD_USER,
                                            .scope = bondy_slice_text(call->realm->uri),
                                            .gen = call->realm->gen};
    struct counts counts = {0};

    bondy_store_view_scan(view, &users, count_user, &counts);
    call->value = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "uri", call->realm->uri, "users", counts.users,
        "aliases", counts.aliases, "groups", count(call, view, BONDY_RECORD_GROUP), "grants",
        count(call, view, BONDY_RECORD_GRANT), "sources", count(call, view, BONDY_RECORD_SOURCE),
        "tickets", count(call, view, BONDY_RECORD_TICKET));
    return BONDY_OK;
}

/* ---- export -----------------------------------------------------------------------------------*/

static bool wants_keys(const struct bondy_admin_call *call)
{
    return bondy_slice_is(bondy_admin_kwarg(call, "include"), "keys");
}

static void run_export(struct bondy_admin_call *call)
{
    call->may =
        bondy_admin_may(call, BONDY_PERMISSION_EXPORT_KEYS, "", bondy_slice_text(call->realm->uri));
    bondy_admin_go_on(call);
}

static int read_export(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const struct bondy_export_options options = {.with_keys = wants_keys(call), .with_users = true};

    if (options.with_keys && call->may == 0)
        return bondy_admin_fail(call, bondy_problem(BONDY_ERR_NOT_AUTHORIZED,
                                                    "Permission denied. This needs permission "
                                                    "'bondy.realm.export_keys' on the realm.",
                                                    ""));
    call->value = bondy_export_realm(view, call->realm, &options);
    return BONDY_OK;
}

/* All realms: those that were there when the call was made. */
static void run_export_all(struct bondy_admin_call *call)
{
    call->prepared = bondy_realms_list(call->node->realms);
    bondy_admin_go_on(call);
}

static int read_export_all(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const struct bondy_export_options options = {.with_users = true};

    call->value = json_array();
    for (size_t i = 0; i < json_array_size(call->prepared); i++) {
        struct bondy_realm *realm = bondy_realm_read(
            call->node->rules, view, bondy_json_text(json_array_get(call->prepared, i), "uri"));

        if (realm == NULL) /* deleted meanwhile */
            continue;
        json_array_append_new(call->value, bondy_export_realm(view, realm, &options));
        bondy_realm_unref(realm);
    }
    return BONDY_OK;
}

/* ---- documents of realms ----------------------------------------------------------------------*/

static void free_file(void *state)
{
    bondy_file_fini(state);
    bondy_free(state);
}

static struct bondy_file *make_file(struct bondy_admin_call *call)
{
    struct bondy_file *file = bondy_zalloc(sizeof *file);

    call->state = file;
    call->free_state = free_file;
    return file;
}

static int prepare_reload(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    char *path =
        call->node->security_file == NULL ? NULL : call->node->security_file(call->node->context);
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_error err = {0};
    json_t *document = NULL;
    int rc;

    if (path == NULL)
        return bondy_admin_fail(
            call, bondy_problem(BONDY_ERR_NOT_FOUND, "There is no security.config_file.", ""));
    rc = bondy_file_read(path, DOCUMENT_MAX, &text, &err);
    if (rc == BONDY_OK)
        document = bondy_json_parse(bondy_buf_slice(&text), DOCUMENT_DEPTH, &err);
    if (document == NULL)
        rc = bondy_admin_fail(call, bondy_problem("bondy.error.invalid_config",
                                                  "The security file cannot be read.", err.text));
    else
        rc = bondy_file_prepare(&call->edit, view, document, BONDY_FILE_CONFIG, make_file(call),
                                &call->problem);
    json_decref(document);
    bondy_buf_fini(&text);
    bondy_free(path);
    return rc;
}

static int apply_file(struct bondy_admin_call *call)
{
    return bondy_file_apply(&call->edit, call->state);
}

/* ---- import: each realm for itself ------------------------------------------------------------*/

struct import {
    struct bondy_file file;
    size_t index;
    json_t *counts, *deleted, *errors;
    json_int_t unchanged;
};

static void free_import(void *state)
{
    struct import *import = state;

    bondy_file_fini(&import->file);
    json_decref(import->counts);
    json_decref(import->deleted);
    json_decref(import->errors);
    bondy_free(import);
}

static struct import *make_import(struct bondy_admin_call *call)
{
    struct import *import = bondy_zalloc(sizeof *import);

    import->counts = json_pack("{s:i, s:i, s:i, s:i, s:i}", "realms", 0, "users", 0, "groups", 0,
                               "sources", 0, "grants", 0);
    import->deleted = json_array();
    import->errors = json_array();
    call->state = import;
    call->free_state = free_import;
    return import;
}

static int prepare_import(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice mode = bondy_admin_kwarg(call, "mode");
    const json_t *document = json_array_get(call->args, 0);
    bool is_replace = bondy_slice_is(mode, "replace");

    if (mode.len > 0 && !is_replace && !bondy_slice_is(mode, "merge"))
        return bondy_admin_fail(call, bondy_admin_invalid("mode", "'mode' is merge or replace."));
    if (!json_is_array(document))
        return bondy_admin_fail(call, bondy_admin_invalid("data", "A list of realms is expected."));
    return bondy_file_prepare(&call->edit, view, document,
                              is_replace ? BONDY_FILE_REPLACE : BONDY_FILE_MERGE,
                              &make_import(call)->file, &call->problem);
}

/* A dry run is one job: a realm may need another one of the list, which is not kept. */
static int apply_import(struct bondy_admin_call *call)
{
    struct import *import = call->state;

    if (json_array_size(import->file.realms) == 0)
        return BONDY_OK;
    return call->is_dry_run ? bondy_file_apply(&call->edit, &import->file)
                            : bondy_file_apply_realm(&call->edit, &import->file, import->index);
}

/* {"users": 3, ...} of one realm to those before. */
static void add_counts(json_t *counts, const json_t *more)
{
    const char *sort;
    json_t *number;

    json_object_foreach(counts, sort, number)
    {
        json_int_t added = json_integer_value(json_object_get(more, sort));

        json_integer_set(number, json_integer_value(number) + added);
    }
}

static json_t *error_of(const json_t *problem)
{
    json_t *error = json_copy((json_t *)problem);
    json_t *pointer = json_object_get(error, "pointer");

    if (pointer != NULL)
        json_object_set(error, "path", pointer);
    json_object_del(error, "pointer");
    return error;
}

static void take_errors(struct import *import, const json_t *problem)
{
    const json_t *errors = json_object_get(problem, "errors");

    if (errors == NULL)
        json_array_append_new(import->errors, error_of(problem));
    for (size_t i = 0; i < json_array_size(errors); i++)
        json_array_append_new(import->errors, error_of(json_array_get(errors, i)));
}

/* Lines of a plan are "realm org.acme", "user org.acme/mona": of what is in a realm nothing is told
 * one by one. */
static void tell_realms(struct bondy_admin_call *call, const json_t *lines, const char *topic)
{
    const json_t *line;
    size_t i;

    json_array_foreach((json_t *)lines, i, line)
    {
        struct bondy_slice text = bondy_slice_text(json_string_value(line));

        if (!call->is_dry_run && bondy_slice_starts(text, BONDY_SLICE("realm ")))
            bondy_admin_publish(
                call, BONDY_SLICE(BONDY_MASTER_REALM), topic,
                json_pack("[o]", bondy_json_slice(bondy_slice_skip(text, strlen("realm ")))));
    }
}

static bool next_realm(struct bondy_admin_call *call, bool is_done)
{
    struct import *import = call->state;
    const json_t *plan = call->edit.result;

    if (is_done) {
        add_counts(import->counts, json_object_get(plan, "counts"));
        tell_realms(call, json_object_get(plan, "create"), "bondy.realm.created");
        tell_realms(call, json_object_get(plan, "update"), "bondy.realm.updated");
        if (json_is_array(json_object_get(plan, "delete")))
            json_array_extend(import->deleted, json_object_get(plan, "delete"));
        import->unchanged += json_integer_value(json_object_get(plan, "unchanged"));
    } else if (call->edit.problem != NULL) {
        take_errors(import, call->edit.problem);
    } else {
        json_array_append_new(
            import->errors,
            bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", call->job.err.text));
    }
    return !call->is_dry_run && ++import->index < json_array_size(import->file.realms);
}

static void finish_import(struct bondy_admin_call *call)
{
    struct import *import = call->state;

    call->value = json_incref(import->counts);
    json_object_set(call->value, "deleted", import->deleted);
    json_object_set_new(call->value, "unchanged", json_integer(import->unchanged));
    json_object_set(call->value, "errors", import->errors);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const struct bondy_admin_kind files = {.noun = "security_file"};

const struct bondy_procedure_row bondy_procedures_realm_more[] = {
    {.info = {"bondy.realm.keys.rotate", NULL, 1, 1, 'M', "uri, dry_run=",
              "makes new signing keys; the old ones verify for another 30 days", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_IS_TARGET | BONDY_ROW_HASH,
     .kind = &bondy_admin_realms,
     .prepare = prepare_rotate,
     .apply = apply_rotate},
    {.info = {"bondy.realm.stats", NULL, 1, 1, 'R', "uri", "how many users, groups, grants it has",
              "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_IS_TARGET,
     .read = read_stats},
    {.info = {"bondy.realm.export", NULL, 1, 1, 'M', "uri, include=",
              "a realm as an input object, passwords hashed; with include=keys private keys too",
              "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_IS_TARGET,
     .run = run_export,
     .read = read_export},
    {.info = {"bondy.realm.export_all", NULL, 0, 0, 'M', "", "all realms as input objects", "0.1"},
     .run = run_export_all,
     .read = read_export_all},
    {.info =
         {"bondy.realm.import", NULL, 1, 1, 'M', "data, mode=, dry_run=",
          "creates realms, or brings them to what a list of input objects says, each for itself",
          "0.1"},
     .flags = BONDY_ROW_HASH,
     .prepare = prepare_import,
     .apply = apply_import,
     .again = next_realm,
     .finish = finish_import},
    {.info = {"bondy.security.config.reload", NULL, 0, 0, 'M',
              "dry_run=", "applies security.config_file again and says what changes", "0.1"},
     .flags = BONDY_ROW_HASH | BONDY_ROW_RESULT,
     .kind = &files,
     .prepare = prepare_reload,
     .apply = apply_file},
    {.info = {.uri = NULL}}};

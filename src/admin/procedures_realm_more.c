/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_realm_more: keys, numbers, export and import of realms, the security file.
 * wamp-admin-api.md 2.2 and 6; admin-http-api.md 8. */
#include <string.h>

#include "src/admin/procedures_realm.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/problem.h"
#include "src/security/export.h"
#include "src/security/grant.h"
#include "src/security/group.h"
#include "src/security/security_file.h"
#include "src/security/source.h"
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
                              is_replace ? BONDY_FILE_REPLACE : BONDY_FILE_MERGE, make_file(call),
                              &call->problem);
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

/* Lines of a plan are "user org.acme/mona": how many of each sort. */
static void count_lines(json_t *counts, const json_t *lines)
{
    static const char *const sorts[][2] = {{"realm ", "realms"},
                                           {"user ", "users"},
                                           {"group ", "groups"},
                                           {"source ", "sources"},
                                           {"grant ", "grants"}};
    const json_t *line;
    size_t i;

    json_array_foreach((json_t *)lines, i, line)
    {
        for (size_t sort = 0; sort < BONDY_COUNT(sorts); sort++) {
            json_t *number;

            if (strncmp(json_string_value(line), sorts[sort][0], strlen(sorts[sort][0])) != 0)
                continue;
            number = json_object_get(counts, sorts[sort][1]);
            json_object_set_new(counts, sorts[sort][1],
                                json_integer(json_integer_value(number) + 1));
        }
    }
}

static void finish_import(struct bondy_admin_call *call)
{
    const json_t *plan = call->edit.result;

    call->value = json_pack("{s:i, s:i, s:i, s:i, s:i, s:[]}", "realms", 0, "users", 0, "groups", 0,
                            "sources", 0, "grants", 0, "errors");
    count_lines(call->value, json_object_get(plan, "create"));
    count_lines(call->value, json_object_get(plan, "update"));
    json_object_set(call->value, "deleted", json_object_get(plan, "delete"));
    json_object_set(call->value, "unchanged", json_object_get(plan, "unchanged"));
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
    {.info = {"bondy.realm.import", NULL, 1, 1, 'M', "data, mode=, dry_run=",
              "creates realms, or brings them to what a list of input objects says", "0.1"},
     .flags = BONDY_ROW_HASH,
     .prepare = prepare_import,
     .apply = apply_file,
     .finish = finish_import},
    {.info = {"bondy.security.config.reload", NULL, 0, 0, 'M',
              "dry_run=", "applies security.config_file again and says what changes", "0.1"},
     .flags = BONDY_ROW_HASH | BONDY_ROW_RESULT,
     .kind = &files,
     .prepare = prepare_reload,
     .apply = apply_file},
    {.info = {.uri = NULL}}};

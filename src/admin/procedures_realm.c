/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_realm: bondy.realm.*. wamp-admin-api.md 2.2; realms-and-security.md 1. */
#include "src/admin/procedures_realm.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* ---- the kind ---------------------------------------------------------------------------------*/

static json_t *look(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    char uri[BONDY_REALM_URI_MAX];
    struct bondy_realm *realm = NULL;
    json_t *external = NULL;
    size_t len;

    if (bondy_realm_canonical(call->node->rules, bondy_slice_text(call->target), uri, sizeof uri,
                              &len))
        realm = bondy_realm_read(call->node->rules, view, bondy_slice_of(uri, len));
    if (realm != NULL) {
        external = bondy_realm_external(realm);
        bondy_realm_unref(realm);
    }
    return external;
}

static const struct bondy_admin_event events[] = {{BONDY_EDIT_CREATED, "bondy.realm.created", true},
                                                  {BONDY_EDIT_UPDATED, "bondy.realm.updated", true},
                                                  {BONDY_EDIT_DELETED, "bondy.realm.deleted", true},
                                                  {0, NULL, false}};

const struct bondy_admin_kind bondy_admin_realms = {
    .noun = "realms", .name_key = "uri", .look = look, .is_realm = true, .events = events};

/* ---- reading ----------------------------------------------------------------------------------*/

static void run_get(struct bondy_admin_call *call)
{
    json_t *external = bondy_realm_external(call->realm);

    bondy_admin_answer(call, external, bondy_admin_etag_of(external));
}

static void run_list(struct bondy_admin_call *call)
{
    static const char *const keys[] = {"uri", NULL};

    bondy_admin_list_finish(call, bondy_realms_list(call->node->realms), keys);
    bondy_admin_answer(call, BONDY_MOVE(call->value), BONDY_MOVE(call->extra));
}

static void run_is_enabled(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, json_boolean(call->realm->has_security), NULL);
}

static void run_status(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, json_string(call->realm->has_security ? "enabled" : "disabled"), NULL);
}

static void run_jwks(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, bondy_realm_jwks(call->realm, bondy_clock_wall_ms()), NULL);
}

static void run_dependents(struct bondy_admin_call *call)
{
    bondy_admin_answer(
        call, bondy_realms_dependents(call->node->realms, bondy_slice_text(call->realm->uri)),
        NULL);
}

/* ---- creating and updating --------------------------------------------------------------------*/

/* The prototype that an input names, as it is now; the caller ends it. NULL: it names none, or one
 * that apply will find missing. */
static struct bondy_realm *read_prototype(struct bondy_admin_call *call,
                                          const struct bondy_store_view *view, const json_t *input)
{
    struct bondy_slice named = bondy_json_text(input, "prototype_uri");
    char uri[BONDY_REALM_URI_MAX];
    size_t len;

    if (named.len == 0 || !bondy_realm_canonical(call->node->rules, named, uri, sizeof uri, &len))
        return NULL;
    return bondy_realm_read(call->node->rules, view, bondy_slice_of(uri, len));
}

static int prepare_input(struct bondy_admin_call *call, const struct bondy_store_view *view,
                         json_t *input, bool is_update)
{
    struct bondy_realm *prototype = read_prototype(call, view, input);
    int rc = bondy_realm_prepare(&call->edit, is_update ? call->realm : NULL, prototype, input,
                                 is_update, &call->problem);

    if (prototype != NULL)
        bondy_realm_unref(prototype);
    return rc;
}

/* Signing keys are there from the beginning, so that the first who asks for a ticket gets one. */
static int prepare_create(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    json_t *input = json_array_get(call->args, 0);

    if (bondy_admin_need_object(call, 0, "data") < 0)
        return BONDY_EINVAL;
    if (json_object_get(input, "private_keys") == NULL)
        json_object_set_new(input, "private_keys", json_array());
    return prepare_input(call, view, input, false);
}

static int apply_create(struct bondy_admin_call *call)
{
    return bondy_realm_apply_create(&call->edit, json_array_get(call->args, 0));
}

static int prepare_update(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    if (bondy_admin_need_object(call, 1, "data") < 0)
        return BONDY_EINVAL;
    return prepare_input(call, view, json_array_get(call->args, 1), true);
}

/* `null` is what an update says for "inherit" anyway. */
static const struct bondy_admin_default no_defaults[] = {{NULL, 0}};

static int apply_update(struct bondy_admin_call *call)
{
    json_t *input = bondy_admin_merged(call, 1, no_defaults);
    int rc = bondy_realm_apply_update(&call->edit, bondy_admin_text(call, 0), input);

    json_decref(input);
    return rc;
}

static int apply_delete(struct bondy_admin_call *call)
{
    return bondy_realm_apply_delete(&call->edit, bondy_admin_text(call, 0),
                                    bondy_admin_flag(call, "force"));
}

/* ---- switches ---------------------------------------------------------------------------------*/

static int apply_enable(struct bondy_admin_call *call)
{
    return bondy_realm_apply_security(&call->edit, bondy_admin_text(call, 0), true);
}

static int apply_disable(struct bondy_admin_call *call)
{
    return bondy_realm_apply_security(&call->edit, bondy_admin_text(call, 0), false);
}

static int apply_suspend(struct bondy_admin_call *call)
{
    return bondy_realm_apply_connections(&call->edit, bondy_admin_text(call, 0), false);
}

static int apply_resume(struct bondy_admin_call *call)
{
    return bondy_realm_apply_connections(&call->edit, bondy_admin_text(call, 0), true);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const char *const old_create[] = {"bondy.security.create_realm", NULL};
static const char *const old_update[] = {"bondy.security.update_realm", NULL};
static const char *const old_delete[] = {"bondy.security.delete_realm", NULL};
static const char *const old_list[] = {"bondy.security.list_realms", NULL};
static const char *const old_is_enabled[] = {"bondy.security.is_enabled", NULL};
static const char *const old_status[] = {"bondy.security.status", NULL};
static const char *const old_enable[] = {"bondy.security.enable", NULL};
static const char *const old_disable[] = {"bondy.security.disable", NULL};

#define OWN (BONDY_ROW_REALM | BONDY_ROW_IS_TARGET)

#define READ(uri_, old, help_, run_)                                                               \
    {                                                                                              \
        .info = {uri_, old, 1, 1, 'R', "uri", help_, "0.1"}, .flags = OWN, .run = run_             \
    }
#define SWITCH(uri_, old, help_, apply_)                                                           \
    {                                                                                              \
        .info = {uri_, old, 1, 1, 'M', "uri, dry_run=", help_, "0.1"}, .flags = OWN,               \
        .kind = &bondy_admin_realms, .apply = apply_                                               \
    }

const struct bondy_procedure_row bondy_procedures_realm[] = {
    {.info = {"bondy.realm.create", old_create, 1, 1, 'M', "data, dry_run=", "creates a realm",
              "0.1"},
     .flags = BONDY_ROW_RESULT | BONDY_ROW_HASH,
     .kind = &bondy_admin_realms,
     .prepare = prepare_create,
     .apply = apply_create},
    READ("bondy.realm.get", NULL, "one realm", run_get),
    {.info = {"bondy.realm.update", old_update, 2, 2, 'M',
              "uri, data, patch=, if_version=, dry_run=", "changes what `data` names", "0.1"},
     .flags = OWN | BONDY_ROW_RESULT | BONDY_ROW_HASH,
     .kind = &bondy_admin_realms,
     .prepare = prepare_update,
     .apply = apply_update},
    {.info = {"bondy.realm.list", old_list, 0, 0, 'M',
              "limit=, cursor=, q=, fields=, sort=", "all realms, sorted by URI", "0.1"},
     .flags = BONDY_ROW_LIST,
     .run = run_list},
    {.info = {"bondy.realm.delete", old_delete, 1, 1, 'M', "uri, force=, if_version=, dry_run=",
              "deletes a realm and closes its sessions; with users only by force", "0.1"},
     .flags = OWN,
     .kind = &bondy_admin_realms,
     .apply = apply_delete},
    READ("bondy.realm.security.is_enabled", old_is_enabled, "whether permissions are asked for",
         run_is_enabled),
    READ("bondy.realm.security.status", old_status, "\"enabled\" or \"disabled\"", run_status),
    SWITCH("bondy.realm.security.enable", old_enable, "permissions are asked for from now on",
           apply_enable),
    SWITCH("bondy.realm.security.disable", old_disable, "everybody may do everything",
           apply_disable),
    SWITCH("bondy.realm.suspend", NULL, "takes no new sessions", apply_suspend),
    SWITCH("bondy.realm.resume", NULL, "takes new sessions again", apply_resume),
    READ("bondy.realm.dependents", NULL, "the realms that have it as prototype or SSO realm",
         run_dependents),
    READ("bondy.realm.jwks", NULL, "its public keys, those that still verify included", run_jwks),
    {.info = {.uri = NULL}}};

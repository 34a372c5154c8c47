/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_grant: bondy.grant.* and bondy.realm.grants. wamp-admin-api.md 2.2 and 2.6. */
#include "src/admin/procedures_local.h"
#include "src/base/problem.h"
#include "src/security/entity/grant.h"

static const struct bondy_admin_kind grants = {.noun = "grants", .name_key = "uri"};

static int take(void *context, const struct bondy_grant *grant)
{
    json_array_append_new(context, bondy_grant_external(grant, true));
    return 0;
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    static const char *const keys[] = {"roles", "resource", NULL};
    json_t *items = json_array();

    bondy_grant_list(view, call->realm, take, items);
    bondy_admin_list_finish(call, items, keys);
    return BONDY_OK;
}

static int prepare(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (bondy_admin_need_object(call, 1, "request") < 0)
        return BONDY_EINVAL;
    return bondy_grant_check(&call->edit, json_array_get(call->args, 1), &call->problem);
}

static int apply_create(struct bondy_admin_call *call)
{
    return bondy_grant_apply_create(&call->edit, bondy_admin_text(call, 0),
                                    json_array_get(call->args, 1));
}

static int apply_revoke(struct bondy_admin_call *call)
{
    return bondy_grant_apply_revoke(&call->edit, bondy_admin_text(call, 0),
                                    json_array_get(call->args, 1));
}

/* {roles, permissions, resources}, whichever form the request had. */
static json_t *told(const json_t *request)
{
    json_t *resources = json_object_get(request, "resources");

    if (resources != NULL)
        json_incref(resources);
    else
        resources = json_pack("[{s:O*, s:O*}]", "uri", json_object_get(request, "uri"), "match",
                              json_object_get(request, "match"));
    return json_pack("{s:O*, s:O*, s:o}", "roles", json_object_get(request, "roles"), "permissions",
                     json_object_get(request, "permissions"), "resources", resources);
}

static void tell(struct bondy_admin_call *call, const char *topic)
{
    if (!call->is_dry_run && call->edit.writes > 0)
        bondy_admin_publish(
            call, bondy_slice_text(call->realm->uri), topic,
            json_pack("[s, o]", call->realm->uri, told(json_array_get(call->args, 1))));
}

static void finish_create(struct bondy_admin_call *call)
{
    tell(call, "bondy.grant.created");
}

static void finish_revoke(struct bondy_admin_call *call)
{
    tell(call, "bondy.grant.revoked");
}

const struct bondy_procedure_row bondy_procedures_grant[] = {
    {.info = {"bondy.grant.create", NULL, 2, 2, 'R',
              "realm, request, dry_run=", "lets roles do something", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &grants,
     .prepare = prepare,
     .apply = apply_create,
     .finish = finish_create},
    {.info = {"bondy.grant.revoke", NULL, 2, 2, 'R', "realm, request, dry_run=", "takes that back",
              "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &grants,
     .prepare = prepare,
     .apply = apply_revoke,
     .finish = finish_revoke},
    {.info = {"bondy.realm.grants", NULL, 1, 1, 'R', "realm, limit=, cursor=, q=, fields=, sort=",
              "the grants of a realm, one for each role and resource", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_IS_TARGET | BONDY_ROW_LIST,
     .read = read_list},
    {.info = {.uri = NULL}}};

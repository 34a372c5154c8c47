/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_group: bondy.group.*. wamp-admin-api.md 2.4; realms-and-security.md 2.2. */
#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/group.h"
#include "src/security/policy/rbac.h"
#include "src/wamp/errors.h"

static json_t *look(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_group group;
    json_t *external;

    if (!bondy_group_find(view, call->realm, bondy_slice_text(call->target), &group))
        return NULL;
    external = bondy_group_external(&group);
    bondy_group_fini(&group);
    return external;
}

static const struct bondy_admin_event events[] = {
    {BONDY_EDIT_CREATED, "bondy.group.added", false},
    {BONDY_EDIT_UPDATED, "bondy.group.updated", false},
    {BONDY_EDIT_DELETED, "bondy.group.deleted", false},
    {0, NULL, false}};

static const struct bondy_admin_kind groups = {
    .noun = "groups", .name_key = "name", .look = look, .events = events};

/* ---- reading ----------------------------------------------------------------------------------*/

static int read_get(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice name = bondy_admin_text(call, 1);
    struct bondy_group group;

    if (!bondy_group_find(view, call->realm, name, &group))
        return bondy_admin_fail(
            call, bondy_json_with(bondy_problem_format(BONDY_ERR_NOT_FOUND, BONDY_SLICE_FMT,
                                                       BONDY_SLICE_ARG(name)),
                                  "description", json_string("There is no such group.")));
    call->value = bondy_group_external(&group);
    call->extra = bondy_admin_etag_of(call->value);
    bondy_group_fini(&group);
    return BONDY_OK;
}

static int take(void *context, const struct bondy_group *group)
{
    json_array_append_new(context, bondy_group_external(group));
    return 0;
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    static const char *const keys[] = {"name", NULL};
    const struct bondy_list_options all = {.q = call->list.q};
    json_t *items = json_array();
    struct bondy_name next;

    bondy_group_list(view, call->realm, &all, take, items, &next);
    bondy_admin_list_finish(call, items, keys);
    return BONDY_OK;
}

/* The published policy answers: what its members have through it. */
static void run_grants(struct bondy_admin_call *call)
{
    struct bondy_slice name = bondy_admin_text(call, 1);
    const struct bondy_rbac_subject subject = {/* Nobody: no user can be called so. */
                                               .username = BONDY_SLICE("\x01"),
                                               .groups = &name,
                                               .group_count = 1};
    struct bondy_rbac *rbac;

    if (bondy_slice_is(name, "anonymous")) {
        rbac = bondy_rbac_create(call->realm->policy, &(struct bondy_rbac_subject){0});
    } else if (bondy_policy_has_group(call->realm->policy, name, true)) {
        rbac = bondy_rbac_create(call->realm->policy, &subject);
    } else {
        bondy_admin_answer(call, json_array(), NULL);
        return;
    }
    bondy_admin_answer(call, bondy_rbac_grants(rbac), NULL);
    bondy_rbac_destroy(rbac);
}

/* {users, groups} that are direct members. */
struct members {
    struct bondy_slice name;
    json_t *users, *groups;
};

static bool has(const json_t *list, struct bondy_slice name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (bondy_slice_is(name, json_string_value(json_array_get(list, i))))
            return true;
    return false;
}

static int take_user(void *context, const struct bondy_user *user)
{
    struct members *members = context;

    if (has(user->groups, members->name))
        json_array_append_new(members->users, json_string(user->username));
    return 0;
}

static int take_group(void *context, const struct bondy_group *group)
{
    struct members *members = context;

    if (has(group->groups, members->name))
        json_array_append_new(members->groups, json_string(group->name));
    return 0;
}

static int read_members(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const struct bondy_list_options all = {0};
    struct bondy_group group;
    struct bondy_name next;
    struct members members;

    if (!bondy_group_find(view, call->realm, bondy_admin_text(call, 1), &group))
        return read_get(call, view);
    members = (struct members){bondy_slice_text(group.name), json_array(), json_array()};
    bondy_user_list(view, call->realm, &all, take_user, &members, &next);
    bondy_group_list(view, call->realm, &all, take_group, &members, &next);
    bondy_group_fini(&group);
    call->value = json_pack("{s:o, s:o}", "users", members.users, "groups", members.groups);
    return BONDY_OK;
}

/* ---- writing ----------------------------------------------------------------------------------*/

static int prepare_add(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (bondy_admin_need_object(call, 1, "data") < 0)
        return BONDY_EINVAL;
    return bondy_group_check(&call->edit, json_array_get(call->args, 1), false, &call->problem);
}

static int apply_add(struct bondy_admin_call *call)
{
    return bondy_group_apply_add(&call->edit, bondy_admin_text(call, 0),
                                 json_array_get(call->args, 1));
}

static const struct bondy_admin_default defaults[] = {
    {"groups", JSON_ARRAY}, {"meta", JSON_OBJECT}, {NULL, 0}};

static int prepare_update(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (bondy_admin_need_object(call, 2, "data") < 0)
        return BONDY_EINVAL;
    if (bondy_admin_flag(call, "patch"))
        return BONDY_OK; /* what is null is known when it is merged */
    return bondy_group_check(&call->edit, json_array_get(call->args, 2), true, &call->problem);
}

static int apply_update(struct bondy_admin_call *call)
{
    json_t *input = bondy_admin_merged(call, 2, defaults);
    int rc = bondy_group_check(&call->edit, input, true, &call->edit.problem);

    if (rc == BONDY_OK)
        rc = bondy_group_apply_update(&call->edit, bondy_admin_text(call, 0),
                                      bondy_admin_text(call, 1), input);
    json_decref(input);
    return rc;
}

static int apply_delete(struct bondy_admin_call *call)
{
    return bondy_group_apply_delete(&call->edit, bondy_admin_text(call, 0),
                                    bondy_admin_text(call, 1));
}

static int apply_parents(struct bondy_admin_call *call,
                         int (*fn)(struct bondy_edit *edit, struct bondy_slice realm,
                                   struct bondy_slice name, const json_t *groups))
{
    json_t *given = json_array_get(call->args, 2);
    json_t *parents = json_is_array(given) ? json_incref(given) : json_pack("[O]", given);
    int rc = fn(&call->edit, bondy_admin_text(call, 0), bondy_admin_text(call, 1), parents);

    json_decref(parents);
    return rc;
}

static int apply_add_groups(struct bondy_admin_call *call)
{
    return apply_parents(call, bondy_group_apply_add_groups);
}

static int apply_remove_groups(struct bondy_admin_call *call)
{
    return apply_parents(call, bondy_group_apply_remove_groups);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const char *const old_add[] = {"bondy.security.add_group", NULL};
static const char *const old_get[] = {"bondy.security.find_group", NULL};
static const char *const old_list[] = {"bondy.security.list_groups", NULL};
static const char *const old_update[] = {"bondy.security.update_group", NULL};
static const char *const old_delete[] = {"bondy.security.delete_group", NULL};

#define CHANGE(uri_, args_, help_, fn)                                                             \
    {                                                                                              \
        .info = {uri_, NULL, 3, 3, 'R', args_ ", dry_run=", help_, "0.1"},                         \
        .flags = BONDY_ROW_REALM, .kind = &groups, .apply = fn                                     \
    }

const struct bondy_procedure_row bondy_procedures_group[] = {
    {.info = {"bondy.group.add", old_add, 2, 2, 'R', "realm, data, dry_run=", "adds a group",
              "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_RESULT,
     .kind = &groups,
     .prepare = prepare_add,
     .apply = apply_add},
    {.info = {"bondy.group.get", old_get, 2, 2, 'R', "realm, name", "one group", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_get},
    {.info = {"bondy.group.list", old_list, 1, 1, 'R', "realm, limit=, cursor=, q=, fields=, sort=",
              "the groups of a realm, the built-in anonymous among them", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .read = read_list},
    {.info = {"bondy.group.update", old_update, 3, 3, 'R',
              "realm, name, data, patch=, if_version=, dry_run=", "changes what `data` names",
              "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_RESULT,
     .kind = &groups,
     .prepare = prepare_update,
     .apply = apply_update},
    {.info = {"bondy.group.delete", old_delete, 2, 2, 'R', "realm, name, if_version=, dry_run=",
              "deletes a group and its grants, and takes everybody out of it", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &groups,
     .apply = apply_delete},
    CHANGE("bondy.group.add_group", "realm, name, parent", "makes it a member of a group",
           apply_add_groups),
    CHANGE("bondy.group.add_groups", "realm, name, parents", "makes it a member of groups",
           apply_add_groups),
    CHANGE("bondy.group.remove_group", "realm, name, parent", "takes it out of a group",
           apply_remove_groups),
    CHANGE("bondy.group.remove_groups", "realm, name, parents", "takes it out of groups",
           apply_remove_groups),
    {.info = {"bondy.group.grants", NULL, 2, 2, 'R', "realm, name",
              "all that its members may do through it", "0.1"},
     .flags = BONDY_ROW_REALM,
     .run = run_grants},
    {.info = {"bondy.group.members", NULL, 2, 2, 'R', "realm, name",
              "the users and groups that are in it", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_members},
    {.info = {.uri = NULL}}};

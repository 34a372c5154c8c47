/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_oauth2: bondy.oauth2.client.* and bondy.oauth2.resource_owner.*: users who are in a
 * group. wamp-admin-api.md 2.8; admin-http-api.md 5.6. */
#include <string.h>

#include "src/admin/procedures_user.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/token/redirect_uri.h"
#include "src/wamp/errors.h"

#define CLIENTS "api_clients"
#define OWNERS "resource_owners"

/* ---- inputs -----------------------------------------------------------------------------------*/

/* Members that have another name for users; those of a client that users do not have are kept in
 * its meta. */
static void rename_member(json_t *object, const char *from, const char *to)
{
    json_t *value = json_object_get(object, from);

    if (value == NULL)
        return;
    if (json_object_get(object, to) == NULL)
        json_object_set(object, to, value);
    json_object_del(object, from);
}

static void keep_in_meta(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key), *meta = json_object_get(object, "meta");

    if (value == NULL)
        return;
    meta = json_is_object(meta) ? json_copy(meta) : json_object();
    json_object_set(meta, key, value);
    json_object_set_new(object, "meta", meta);
    json_object_del(object, key);
}

static void add_group(json_t *object, const char *group, bool is_update)
{
    json_t *groups = json_object_get(object, "groups");

    if (groups == NULL && is_update) /* it is in the group already */
        return;
    if (groups != NULL && !json_is_array(groups)) /* said to be wrong by the check */
        return;
    groups = groups == NULL ? json_array() : json_copy(groups);
    json_array_append_new(groups, json_string(group));
    json_object_set_new(object, "groups", groups);
}

/* ---- what only clients have ---- */

static bool is_redirect(const json_t *one)
{
    return json_is_string(one) && bondy_redirect_uri_is_sound(bondy_slice_of(
                                      json_string_value(one), json_string_length(one)));
}

static bool is_grant(const json_t *one)
{
    static const char *const GRANTS[] = {"authorization_code", "client_credentials", "password",
                                         "refresh_token", NULL};

    for (const char *const *grant = GRANTS; json_is_string(one) && *grant != NULL; grant++)
        if (strcmp(json_string_value(one), *grant) == 0)
            return true;
    return false;
}

static bool is_list_of(const json_t *list, bool (*is_right)(const json_t *one))
{
    const json_t *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, one)
    {
        if (!is_right(one))
            return false;
    }
    return json_is_array(list) && json_array_size(list) <= BONDY_REDIRECT_URIS_MAX;
}

static bool are_redirects(const json_t *value)
{
    return is_list_of(value, is_redirect);
}

static bool are_grants(const json_t *value)
{
    return is_list_of(value, is_grant);
}

static bool is_flag(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_name(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0;
}

static const struct {
    const char *key;
    bool (*is_right)(const json_t *value);
    const char *expected;
} members[] = {
    {"redirect_uris", are_redirects,
     "redirect_uris is a list of at most 50 absolute URIs without fragment."},
    {"public", is_flag, "public is true or false."},
    {"grants", are_grants,
     "grants is a list of authorization_code, client_credentials, password, refresh_token."},
    {"client_name", is_name, "client_name is a text."},
};

/* They may stand beside the members of a user or in its meta, where they are kept. */
static int keep_members(struct bondy_admin_call *call)
{
    json_t *problems = json_array();

    for (size_t i = 0; i < BONDY_COUNT(members); i++) {
        const json_t *value;

        keep_in_meta(call->prepared, members[i].key);
        value = json_object_get(json_object_get(call->prepared, "meta"), members[i].key);
        if (value != NULL && !json_is_null(value) && !members[i].is_right(value))
            json_array_append_new(problems,
                                  bondy_admin_invalid(members[i].key, members[i].expected));
    }
    if (json_array_size(problems) > 0)
        return bondy_admin_fail(call, bondy_problem_of_list(problems));
    json_decref(problems);
    return BONDY_OK;
}

/* What is wrong is said in the words of the input. */
static void blame_members(const json_t *input, json_t *problem)
{
    static const char *const names[][2] = {{"username", "client_id"},
                                           {"password", "client_secret"}};
    json_t *errors = json_object_get(problem, "errors"), *one;
    size_t i;

    json_array_foreach(errors, i, one)
    {
        blame_members(input, one);
    }
    for (i = 0; i < BONDY_COUNT(names); i++) {
        struct bondy_slice message = bondy_json_text(problem, "message");
        const char *rest;

        if (!bondy_slice_is(bondy_json_text(problem, "key"), names[i][0]) ||
            json_object_get(input, names[i][1]) == NULL)
            continue;
        json_object_set_new(problem, "key", json_string(names[i][1]));
        json_object_set_new(problem, "pointer", json_sprintf("/%s", names[i][1]));
        rest = message.len == 0 ? NULL : strstr(message.data, names[i][0]);
        if (rest != NULL)
            json_object_set_new(problem, "message",
                                json_sprintf("%.*s%s%s", (int)(rest - message.data), message.data,
                                             names[i][1], rest + strlen(names[i][0])));
        return;
    }
}

static int prepare(struct bondy_admin_call *call, size_t index, const char *group, bool is_update)
{
    int rc;

    if (bondy_admin_need_object(call, index, "data") < 0)
        return BONDY_EINVAL;
    call->prepared = json_copy(json_array_get(call->args, index));
    if (strcmp(group, CLIENTS) == 0) {
        rename_member(call->prepared, "client_id", "username");
        rename_member(call->prepared, "client_secret", "password");
        if (keep_members(call) < 0)
            return BONDY_EINVAL;
    }
    add_group(call->prepared, group, is_update);
    rc = bondy_admin_prepare_user(call, call->prepared, is_update);
    if (rc < 0 && strcmp(group, CLIENTS) == 0)
        blame_members(json_array_get(call->args, index), call->problem);
    return rc;
}

static int prepare_add_client(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return prepare(call, 1, CLIENTS, false);
}

static int prepare_add_owner(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return prepare(call, 1, OWNERS, false);
}

static int prepare_update_client(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return prepare(call, 2, CLIENTS, true);
}

static int prepare_update_owner(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    return prepare(call, 2, OWNERS, true);
}

/* ---- which users ------------------------------------------------------------------------------*/

static bool is_in(const struct bondy_user *user, const char *group)
{
    for (size_t i = 0; i < json_array_size(user->groups); i++)
        if (strcmp(json_string_value(json_array_get(user->groups, i)), group) == 0)
            return true;
    return false;
}

static bool is_client(const struct bondy_user *user)
{
    return is_in(user, CLIENTS);
}

static bool is_owner(const struct bondy_user *user)
{
    return is_in(user, OWNERS);
}

/* The user of args[1], when it is of that sort; the external form. */
static json_t *find(struct bondy_admin_call *call, const struct bondy_store_view *view,
                    bool (*is_wanted)(const struct bondy_user *user))
{
    struct bondy_user user;
    json_t *external = NULL;

    if (!bondy_user_find(view, call->realm, bondy_admin_text(call, 1), &user))
        return NULL;
    if (is_wanted(&user))
        external = bondy_user_external(&user);
    bondy_user_fini(&user);
    return external;
}

static int read_one(struct bondy_admin_call *call, const struct bondy_store_view *view,
                    bool (*is_wanted)(const struct bondy_user *user))
{
    call->value = find(call, view, is_wanted);
    if (call->value == NULL)
        return bondy_admin_fail(
            call, bondy_admin_no_user(BONDY_ERR_NOT_FOUND, bondy_admin_text(call, 1)));
    call->extra = bondy_admin_etag_of(call->value);
    return BONDY_OK;
}

static int read_client(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    return read_one(call, view, is_client);
}

static int read_owner(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    return read_one(call, view, is_owner);
}

static int read_clients(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    return bondy_admin_list_users(call, view, is_client);
}

static int read_owners(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    return bondy_admin_list_users(call, view, is_owner);
}

/* ---- writing ----------------------------------------------------------------------------------*/

static int apply_add(struct bondy_admin_call *call)
{
    return bondy_user_apply_add(&call->edit, bondy_admin_text(call, 0), call->prepared);
}

/* A user that is no client is none here: NULL, said. The caller owns the external form. */
static json_t *find_to_change(struct bondy_admin_call *call,
                              bool (*is_wanted)(const struct bondy_user *user))
{
    json_t *external = find(call, bondy_edit_view(&call->edit), is_wanted);

    if (external == NULL)
        call->edit.problem =
            bondy_admin_no_user(BONDY_ERR_NO_SUCH_PRINCIPAL, bondy_admin_text(call, 1));
    return external;
}

/* What only clients have, given without `meta`, is put into the meta that is there; null takes it
 * away. The caller owns the result. */
static json_t *merge_meta(const struct bondy_admin_call *call, const json_t *external)
{
    json_t *input = json_copy(call->prepared), *kept = json_object_get(input, "meta"), *meta,
           *value;
    const char *key;

    if (kept == NULL || json_object_get(json_array_get(call->args, 2), "meta") != NULL)
        return input;
    meta = json_copy(json_object_get(external, "meta"));
    json_object_foreach(kept, key, value)
    {
        if (json_is_null(value))
            json_object_del(meta, key);
        else
            json_object_set(meta, key, value);
    }
    json_object_set_new(input, "meta", meta);
    return input;
}

static int update(struct bondy_admin_call *call, bool (*is_wanted)(const struct bondy_user *user))
{
    json_t *external = find_to_change(call, is_wanted), *input;
    int rc;

    if (external == NULL)
        return BONDY_ENOENT;
    input = merge_meta(call, external);
    json_decref(external);
    rc = bondy_user_apply_update(&call->edit, bondy_admin_text(call, 0), bondy_admin_text(call, 1),
                                 input);
    json_decref(input);
    return rc;
}

static int delete (struct bondy_admin_call *call, bool (*is_wanted)(const struct bondy_user *user))
{
    json_t *external = find_to_change(call, is_wanted);

    if (external == NULL)
        return BONDY_ENOENT;
    json_decref(external);
    return bondy_user_apply_delete(&call->edit, bondy_admin_text(call, 0),
                                   bondy_admin_text(call, 1), false);
}

static int apply_update_client(struct bondy_admin_call *call)
{
    return update(call, is_client);
}

static int apply_update_owner(struct bondy_admin_call *call)
{
    return update(call, is_owner);
}

static int apply_delete_client(struct bondy_admin_call *call)
{
    return delete (call, is_client);
}

static int apply_delete_owner(struct bondy_admin_call *call)
{
    return delete (call, is_owner);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const char *const old_add_client[] = {"bondy.api_gateway.add_client", NULL};
static const char *const old_get_client[] = {"bondy.api_gateway.fetch_client", NULL};
static const char *const old_list_clients[] = {"bondy.api_gateway.list_clients", NULL};
static const char *const old_update_client[] = {"bondy.api_gateway.update_client", NULL};
static const char *const old_delete_client[] = {"bondy.api_gateway.delete_client", NULL};
static const char *const old_add_owner[] = {"bondy.api_gateway.add_resource_owner", NULL};
static const char *const old_get_owner[] = {"bondy.api_gateway.fetch_resource_owner", NULL};
static const char *const old_list_owners[] = {"bondy.api_gateway.list_resource_owners",
                                              "bondy.oauth2.resource_owner.list", NULL};
static const char *const old_update_owner[] = {"bondy.api_gateway.update_resource_owner", NULL};
static const char *const old_delete_owner[] = {"bondy.api_gateway.delete_resource_owner", NULL};

/* They are users: who listens for users hears of them too. */
#define EVENTS(sort)                                                                               \
    {                                                                                              \
        {BONDY_EDIT_CREATED, "bondy.user.added", true},                                            \
            {BONDY_EDIT_UPDATED, "bondy.user.updated", false},                                     \
            {BONDY_EDIT_DELETED, "bondy.user.deleted", false},                                     \
            {BONDY_EDIT_CREDENTIALS, "bondy.user.credentials_changed", false},                     \
            {BONDY_EDIT_CREATED, "bondy.oauth2." sort ".added", false},                            \
            {BONDY_EDIT_UPDATED, "bondy.oauth2." sort ".updated", false},                          \
            {BONDY_EDIT_DELETED, "bondy.oauth2." sort ".deleted", false},                          \
        {                                                                                          \
            0, NULL, false                                                                         \
        }                                                                                          \
    }

static const struct bondy_admin_event client_events[] = EVENTS("client");
static const struct bondy_admin_event owner_events[] = EVENTS("resource_owner");

static const struct bondy_admin_kind clients = {.noun = "clients",
                                                .name_key = "client_id",
                                                .look = bondy_admin_look_user,
                                                .events = client_events};
static const struct bondy_admin_kind owners = {.noun = "resource_owners",
                                               .name_key = "username",
                                               .look = bondy_admin_look_user,
                                               .events = owner_events};

#define ADD(uri_, old, kind_, help_, prepare_)                                                     \
    {                                                                                              \
        .info = {uri_, old, 2, 2, 'R', "realm, data, dry_run=", help_, "0.1"},                     \
        .flags = BONDY_ROW_REALM | BONDY_ROW_RESULT | BONDY_ROW_HASH, .kind = kind_,               \
        .prepare = prepare_, .apply = apply_add                                                    \
    }
#define UPDATE(uri_, old, kind_, help_, prepare_, apply_)                                          \
    {                                                                                              \
        .info = {uri_, old, 3, 3, 'R', "realm, id, data, if_version=, dry_run=", help_, "0.1"},    \
        .flags = BONDY_ROW_REALM | BONDY_ROW_RESULT | BONDY_ROW_HASH, .kind = kind_,               \
        .prepare = prepare_, .apply = apply_                                                       \
    }
#define DELETE(uri_, old, kind_, help_, apply_)                                                    \
    {                                                                                              \
        .info = {uri_, old, 2, 2, 'R', "realm, id, if_version=, dry_run=", help_, "0.1"},          \
        .flags = BONDY_ROW_REALM, .kind = kind_, .apply = apply_                                   \
    }
#define GET(uri_, old, help_, read_)                                                               \
    {                                                                                              \
        .info = {uri_, old, 2, 2, 'R', "realm, id", help_, "0.1"}, .flags = BONDY_ROW_REALM,       \
        .read = read_                                                                              \
    }
#define LIST(uri_, old, help_, read_)                                                              \
    {                                                                                              \
        .info =                                                                                    \
            {uri_, old, 1, 1, 'R', "realm, limit=, cursor=, q=, fields=, sort=", help_, "0.1"},    \
        .flags = BONDY_ROW_REALM | BONDY_ROW_LIST, .read = read_                                   \
    }

const struct bondy_procedure_row bondy_procedures_oauth2[] = {
    ADD("bondy.oauth2.client.add", old_add_client, &clients,
        "adds a client: a user in the group api_clients", prepare_add_client),
    GET("bondy.oauth2.client.get", old_get_client, "one client", read_client),
    LIST("bondy.oauth2.client.list", old_list_clients, "the clients of a realm", read_clients),
    UPDATE("bondy.oauth2.client.update", old_update_client, &clients, "changes a client",
           prepare_update_client, apply_update_client),
    DELETE("bondy.oauth2.client.delete", old_delete_client, &clients, "deletes a client",
           apply_delete_client),
    ADD("bondy.oauth2.resource_owner.add", old_add_owner, &owners,
        "adds a user in the group resource_owners", prepare_add_owner),
    GET("bondy.oauth2.resource_owner.get", old_get_owner, "one resource owner", read_owner),
    LIST("bondy.oauth2.resource_owners.list", old_list_owners, "the resource owners of a realm",
         read_owners),
    UPDATE("bondy.oauth2.resource_owner.update", old_update_owner, &owners,
           "changes a resource owner", prepare_update_owner, apply_update_owner),
    DELETE("bondy.oauth2.resource_owner.delete", old_delete_owner, &owners,
           "deletes a resource owner", apply_delete_owner),
    {.info = {.uri = NULL}}};

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/export.h"

#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/source.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"

/* ---- export ------------------------------------------------------------------------------- */

static void add_some(json_t *object, const char *key, json_t *value)
{
    if (json_array_size(value) > 0 || json_object_size(value) > 0)
        json_object_set(object, key, value);
}

json_t *bondy_export_user(const struct bondy_user *user)
{
    json_t *object = json_pack("{s:s, s:O}", "username", user->username, "groups", user->groups);

    if (!user->is_enabled)
        json_object_set_new(object, "enabled", json_false());
    if (user->sso_realm_uri != NULL)
        json_object_set_new(object, "sso_realm_uri", json_string(user->sso_realm_uri));
    add_some(object, "meta", user->meta);
    add_some(object, "aliases", user->aliases);
    add_some(object, "authorized_keys", user->keys);
    add_some(object, "password", user->passwords);
    return object;
}

static int add_user(void *context, const struct bondy_user *user)
{
    json_array_append_new(context, bondy_export_user(user));
    return 0;
}

static int add_group(void *context, const struct bondy_group *group)
{
    json_t *object;

    if (strcmp(group->name, "anonymous") == 0)
        return 0; /* built in */
    object = json_pack("{s:s, s:O}", "name", group->name, "groups", group->groups);
    add_some(object, "meta", group->meta);
    json_array_append_new(context, object);
    return 0;
}

static int add_source(void *context, const struct bondy_source *source)
{
    json_t *object = json_pack("{s:o, s:o}", "authmethod", bondy_json_slice(source->authmethod),
                               "cidr", bondy_json_slice(source->cidr));
    json_t *username = bondy_json_slice(source->username);

    json_object_set_new(object, "usernames",
                        bondy_slice_is(source->username, "all") ? username
                                                                : json_pack("[o]", username));
    add_some(object, "meta", source->meta);
    json_array_append_new(context, object);
    return 0;
}

/* As requests are: the role prefixed, the resource in the list. */
static int add_grant(void *context, const struct bondy_grant *grant)
{
    json_t *external = bondy_grant_external(grant, true);
    json_t *object = json_pack("{s:O, s:O, s:[O]}", "roles", json_object_get(external, "roles"),
                               "permissions", json_object_get(external, "permissions"), "resources",
                               json_object_get(external, "resource"));

    if (grant->meta != NULL)
        json_object_set(object, "meta", grant->meta);
    json_decref(external);
    json_array_append_new(context, object);
    return 0;
}

/* Keys that are retired are left behind: what they signed runs out. */
static int add_key(void *context, const struct bondy_record *record)
{
    json_t *body = bondy_stored_tree(record);
    json_t *pem = json_object_get(body, "pem");

    if (pem != NULL)
        json_array_append(context, pem);
    json_decref(body);
    return 0;
}

static void add_keys(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     json_t *object)
{
    static const struct {
        const char *key, *prefix;
    } kinds[] = {{"private_keys", "k\0"}, {"encryption_keys", "c\0"}};

    for (size_t i = 0; i < BONDY_COUNT(kinds); i++) {
        const struct bondy_store_range range = {.type = BONDY_RECORD_REALM_ELEMENT,
                                                .scope = bondy_slice_text(realm->uri),
                                                .gen = realm->gen,
                                                .prefix = bondy_slice_of(kinds[i].prefix, 2)};
        json_t *list = json_array();

        bondy_store_view_scan(view, &range, add_key, list);
        add_some(object, kinds[i].key, list);
        json_decref(list);
    }
}

static void add_head(const struct bondy_realm *realm, json_t *object)
{
    static const char *const keys[] = {"description",   "is_prototype",  "prototype_uri",
                                       "is_sso_realm",  "sso_realm_uri", "authmethods",
                                       "authenticator", "authorizer",    "password_opts"};

    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        if (json_object_get(realm->document, keys[i]) != NULL)
            json_object_set(object, keys[i], json_object_get(realm->document, keys[i]));
    if (realm->connections_given >= 0)
        json_object_set_new(object, "allow_connections", json_boolean(realm->connections_given));
    if (realm->security_given >= 0)
        json_object_set_new(object, "security_enabled", json_boolean(realm->security_given));
}

json_t *bondy_export_realm(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_export_options *options)
{
    const struct bondy_list_options all = {.limit = 0};
    json_t *object = json_pack("{s:s}", "uri", realm->uri);
    json_t *groups = json_array(), *users = json_array();
    json_t *sources = json_array(), *grants = json_array();

    add_head(realm, object);
    /* Secrets of identity providers are as secret as keys. */
    if (options->with_keys && realm->info != NULL)
        json_object_set(object, "info", realm->info);
    if (options->with_keys)
        add_keys(view, realm, object);
    bondy_group_list(view, realm, &all, add_group, groups, NULL);
    if (options->with_users)
        bondy_user_list(view, realm, &all, add_user, users, NULL);
    bondy_source_list(view, realm, add_source, sources);
    bondy_grant_list(view, realm, add_grant, grants);
    json_object_set_new(object, "groups", groups);
    json_object_set_new(object, "users", users);
    json_object_set_new(object, "sources", sources);
    json_object_set_new(object, "grants", grants);
    return object;
}

/* ---- import of users ------------------------------------------------------------------------ */

static void count(json_t *counts, const char *key)
{
    json_object_set_new(counts, key,
                        json_integer(json_integer_value(json_object_get(counts, key)) + 1));
}

/* A user is refused before anything of it is written. */
static void import_one(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input,
                       json_t *counts)
{
    unsigned writes = edit->writes;

    edit->effects = 0;
    if (bondy_user_apply_add(edit, realm, input) < 0)
        return;
    if (edit->writes == writes)
        count(counts, "unchanged");
    else
        count(counts, edit->effects & BONDY_EDIT_CREATED ? "added" : "updated");
}

int bondy_import_users(struct bondy_edit *edit, struct bondy_slice realm, const json_t *prepared,
                       json_t **counts, json_t **errors)
{
    const struct bondy_realm *found;
    bool is_rebase = edit->is_rebase;
    char pointer[32];
    size_t i;
    json_t *input;
    int rc = bondy_edit_realm(edit, realm, &found);

    if (rc < 0)
        return rc;
    *counts = json_pack("{s:i, s:i, s:i}", "added", 0, "updated", 0, "unchanged", 0);
    *errors = json_array();
    edit->is_rebase = true;
    json_array_foreach(prepared, i, input)
    {
        import_one(edit, realm, input, *counts);
        if (edit->problem == NULL)
            continue;
        snprintf(pointer, sizeof pointer, "/%zu", i);
        bondy_realm_locate(edit->problem, pointer);
        json_array_append_new(*errors, BONDY_MOVE(edit->problem));
    }
    edit->is_rebase = is_rebase;
    edit->effects = 0;
    return BONDY_OK;
}

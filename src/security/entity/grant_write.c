/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group_local.h"
#include "src/security/entity/input.h"
#include "src/security/entity/realm.h"
#include "src/wamp/errors.h"

#define MAX_RESOURCES 1000
#define MAX_PERMISSIONS 100

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

/* ---- resources ---------------------------------------------------------------------------- */

struct resource {
    const char *match; /* exact, prefix, wildcard, any */
    struct bondy_slice uri;
};

static bool is_everything(struct bondy_slice uri)
{
    return uri.len == 0 || bondy_slice_is(uri, "*");
}

/* The first policy for which it is valid (2.6): "a.b." is a wildcard then. */
static bool guess(struct bondy_slice uri, enum bondy_match *match)
{
    static const enum bondy_match order[] = {BONDY_MATCH_EXACT, BONDY_MATCH_WILDCARD,
                                             BONDY_MATCH_PREFIX};

    for (size_t i = 0; i < BONDY_COUNT(order); i++)
        if (bondy_input_is_uri(uri, order[i])) {
            *match = order[i];
            return true;
        }
    return false;
}

enum verdict { FINE, WRONG_MATCH, WRONG_URI, INCONSISTENT };

/* What a member with `uri` and `match` means; it was checked that they are texts. */
static enum verdict read_resource(const json_t *object, struct resource *out)
{
    struct bondy_slice uri = bondy_json_text(object, "uri");
    struct bondy_slice given = bondy_json_text(object, "match");
    enum bondy_match match = BONDY_MATCH_PREFIX;

    *out = (struct resource){"any", BONDY_SLICE_EMPTY};
    if (bondy_slice_is(uri, "any"))
        return FINE;
    if (given.len > 0 && !bondy_match_parse(given, &match))
        return WRONG_MATCH;
    if (is_everything(uri)) {
        out->match = "prefix";
        return match == BONDY_MATCH_PREFIX ? FINE : INCONSISTENT;
    }
    if (given.len == 0 ? !guess(uri, &match) : !bondy_input_is_uri(uri, match))
        return WRONG_URI;
    out->match = bondy_match_name(match);
    out->uri = uri;
    return FINE;
}

/* ---- input -------------------------------------------------------------------------------- */

static void check_role(struct bondy_input *input, const json_t *value)
{
    struct bondy_slice text = text_of(value);
    struct bondy_name name;

    if (!json_is_string(value)) {
        bondy_input_wrong_type(input, value, "a list of names");
        return;
    }
    if (bondy_slice_is(text, "all")) {
        bondy_input_wrong_value(input, value, "may be \"all\", but not hold it in a list");
        return;
    }
    if (bondy_slice_starts(text, BONDY_SLICE("user/")))
        text = bondy_slice_skip(text, 5);
    else if (bondy_slice_starts(text, BONDY_SLICE("group/")))
        text = bondy_slice_skip(text, 6);
    if (!bondy_name_fold(text, &name))
        bondy_input_wrong_value(input, value, "must hold names of users and groups");
}

/* A list of only "all" is what a listing shows; sent back it means the same. */
static void check_roles(struct bondy_input *input, const json_t *value)
{
    const json_t *first = json_array_get(value, 0);

    if (json_is_string(value) && bondy_slice_is(text_of(value), "all"))
        return;
    if (json_array_size(value) == 1 && json_is_string(first) &&
        bondy_slice_is(text_of(first), "all"))
        return;
    if (json_is_string(value))
        bondy_input_wrong_value(input, value, "must be \"all\" or a list of names");
    else
        bondy_input_list(input, value, check_role);
}

static void check_permission(struct bondy_input *input, const json_t *value)
{
    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a list of permission names");
    else if (!bondy_input_is_uri(text_of(value), BONDY_MATCH_EXACT))
        bondy_input_wrong_value(input, value, "must hold permissions, which are URIs");
}

static void check_permissions(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, check_permission);
    if (json_array_size(value) > MAX_PERMISSIONS)
        bondy_input_wrong_value(input, value, "may have at most 100 items");
}

static void check_text(struct bondy_input *input, const json_t *value)
{
    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a string");
}

/* After the texts of an object were checked one by one. */
static void check_resource(struct bondy_input *input, const json_t *object)
{
    const json_t *uri = json_object_get(object, "uri");
    const json_t *match = json_object_get(object, "match");
    struct resource resource;

    if (!json_is_string(uri) || (match != NULL && !json_is_string(match) && !json_is_null(match)))
        return;
    switch (read_resource(object, &resource)) {
    case FINE:
        break;
    case WRONG_MATCH:
        input->key = "match";
        bondy_input_wrong_value(input, match, "may be exact, prefix or wildcard");
        break;
    case WRONG_URI:
        input->key = "uri";
        bondy_input_wrong_value(input, uri,
                                "must be a URI or pattern that is valid for its match policy");
        break;
    case INCONSISTENT:
        bondy_input_inconsistent(input, "Everything can only be meant as a prefix.", "uri",
                                 "match");
        break;
    }
    input->key = NULL;
}

static const struct bondy_input_row resource_rows[] = {
    {"uri", BONDY_INPUT_REQUIRED, check_text},
    {"match", BONDY_INPUT_NULL, check_text},
};
static const struct bondy_input_table resource_table = {"resource", resource_rows,
                                                        BONDY_COUNT(resource_rows), check_resource};

static void check_resources(struct bondy_input *input, const json_t *value)
{
    bondy_input_list_of(input, value, &resource_table);
    if (json_array_size(value) > MAX_RESOURCES)
        bondy_input_wrong_value(input, value, "may have at most 1000 items");
}

/* The external form has one of them. */
static void check_one_resource(struct bondy_input *input, const json_t *value)
{
    const char *key = input->key;
    bool is_update = input->is_update;

    input->is_update = false;
    bondy_input_object(input, &resource_table, value);
    input->is_update = is_update;
    input->key = key;
}

static void check_whole(struct bondy_input *input, const json_t *object)
{
    bool has_uri = json_object_get(object, "uri") != NULL;
    bool has_list = json_object_get(object, "resources") != NULL;
    bool has_one = json_object_get(object, "resource") != NULL;
    json_t *problem;

    if (has_uri && (has_list || has_one)) {
        bondy_input_inconsistent(input, "Either 'uri' or 'resources', not both.", "uri",
                                 "resources");
    } else if (has_uri) {
        check_resource(input, object);
    } else if (!has_list && !has_one) {
        problem = bondy_problem("bondy.error.missing_required_value",
                                "A value for 'uri' or 'resources' is required.", "");
        json_object_set_new(problem, "key", json_string("uri"));
        bondy_input_add(input, problem);
    }
}

static const struct bondy_input_row rows[] = {
    {"roles", BONDY_INPUT_REQUIRED, check_roles},
    {"permissions", BONDY_INPUT_REQUIRED, check_permissions},
    {"uri", 0, check_text},
    {"match", BONDY_INPUT_NULL, check_text},
    {"resources", 0, check_resources},
    {"resource", 0, check_one_resource},
    {"meta", BONDY_INPUT_NULL, bondy_input_meta},
    {"type", BONDY_INPUT_EXTERNAL, NULL},
    {"version", BONDY_INPUT_EXTERNAL, NULL},
    {"managed_by", BONDY_INPUT_EXTERNAL, NULL},
    {"inherited_from", BONDY_INPUT_EXTERNAL, NULL},
};

const struct bondy_input_table bondy_grant_table = {"grant", rows, BONDY_COUNT(rows), check_whole};

int bondy_grant_check(const struct bondy_edit *edit, const json_t *request, json_t **problem)
{
    struct bondy_input check;

    bondy_input_start(&check, edit, false);
    bondy_input_object(&check, &bondy_grant_table, request);
    return bondy_input_end(&check, problem);
}

/* ---- roles -------------------------------------------------------------------------------- */

struct role {
    bool is_user;
    struct bondy_name name;
    uint32_t gen;
};

struct roles {
    struct role *list;
    size_t count;
    json_t *unknown, *duplicate;
};

/* A user's own record, not an alias. */
static bool find_user(struct bondy_edit *edit, const struct bondy_realm *realm,
                      const struct bondy_name *name, struct role *out)
{
    struct bondy_user user;

    if (!bondy_user_find(bondy_edit_view(edit), realm, bondy_name_slice(name), &user))
        return false;
    *out = (struct role){.is_user = true, .gen = user.ugen};
    bondy_name_keep(bondy_slice_text(user.username), &out->name);
    bondy_user_fini(&user);
    return true;
}

static bool find_group(struct bondy_edit *edit, const struct bondy_realm *realm,
                       const struct bondy_name *name, struct role *out)
{
    const struct bondy_group_place place = bondy_group_place_of(realm);
    struct bondy_store_key key = bondy_group_key(&place, bondy_name_slice(name));
    struct bondy_record record;

    *out = (struct role){.name = *name};
    if (bondy_slice_is(bondy_name_slice(name), "anonymous"))
        return true;
    if (!bondy_store_view_get(bondy_edit_view(edit), &key, &record))
        return false;
    out->gen = record.gen;
    return true;
}

static void find_role(struct bondy_edit *edit, const struct bondy_realm *realm, const json_t *given,
                      struct roles *roles)
{
    struct bondy_slice text = text_of(given);
    bool is_user_meant = bondy_slice_starts(text, BONDY_SLICE("user/"));
    bool is_group_meant = bondy_slice_starts(text, BONDY_SLICE("group/"));
    struct role user, group;
    struct bondy_name name;
    bool is_user, is_group;

    if (!bondy_name_fold(bondy_slice_skip(text, is_user_meant    ? 5
                                                : is_group_meant ? 6
                                                                 : 0),
                         &name)) {
        json_array_append(roles->unknown, (json_t *)(uintptr_t)given);
        return;
    }
    is_user = !is_group_meant && find_user(edit, realm, &name, &user);
    is_group = !is_user_meant && find_group(edit, realm, &name, &group);
    if (is_user && is_group)
        json_array_append(roles->duplicate, (json_t *)(uintptr_t)given);
    else if (is_user || is_group)
        roles->list[roles->count++] = is_user ? user : group;
    else
        json_array_append(roles->unknown, (json_t *)(uintptr_t)given);
}

static int refuse_roles(struct bondy_edit *edit, struct roles *roles)
{
    int rc = BONDY_OK;

    if (json_array_size(roles->unknown) > 0)
        rc = bondy_edit_refuse_names(
            edit, BONDY_EINVAL,
            bondy_problem("bondy.error.unknown_roles",
                          "There are no users or groups of these names in the realm.", ""),
            json_incref(roles->unknown));
    else if (json_array_size(roles->duplicate) > 0)
        rc = bondy_edit_refuse_names(
            edit, BONDY_EINVAL,
            bondy_problem("bondy.error.duplicate_roles",
                          "These are names of a user and of a group: say user/NAME or group/NAME.",
                          ""),
            json_incref(roles->duplicate));
    json_decref(roles->unknown);
    json_decref(roles->duplicate);
    if (rc < 0)
        bondy_free(BONDY_MOVE(roles->list));
    return rc;
}

/* The caller frees out->list. */
static int find_roles(struct bondy_edit *edit, const struct bondy_realm *realm, const json_t *given,
                      struct roles *out)
{
    const json_t *first = json_is_string(given) ? given : json_array_get(given, 0);
    size_t i;
    json_t *one;

    *out = (struct roles){.list = bondy_calloc(json_array_size(given) + 1, sizeof *out->list),
                          .unknown = json_array(),
                          .duplicate = json_array()};
    if (bondy_slice_is(text_of(first), "all")) {
        bondy_name_fold(BONDY_SLICE("all"), &out->list[0].name);
        out->count = 1;
        return refuse_roles(edit, out);
    }
    json_array_foreach(given, i, one)
    {
        find_role(edit, realm, one, out);
    }
    return refuse_roles(edit, out);
}

/* ---- applying ----------------------------------------------------------------------------- */

struct change {
    struct bondy_edit *edit;
    const struct bondy_realm *realm;
    const json_t *request;
    const json_t *permissions;
    bool is_revoke;
    json_t *granted; /* external forms of what is there afterwards */
};

static void format_prefix(const struct role *role, struct bondy_buf *out)
{
    bondy_buf_append_byte(out, role->is_user ? 'u' : 'g');
    bondy_buf_append_byte(out, 0);
    bondy_element_prefix(bondy_name_slice(&role->name), role->gen, out);
}

static int check_limit(struct change *change, const struct role *role)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {.type = BONDY_RECORD_GRANT,
                                      .scope = bondy_slice_text(change->realm->uri),
                                      .gen = change->realm->gen};
    unsigned max = change->edit->rules->max_grants;
    json_t *problem;
    size_t count;

    format_prefix(role, &prefix);
    range.prefix = bondy_buf_slice(&prefix);
    count = bondy_stored_count(bondy_edit_view(change->edit), &range, max);
    bondy_buf_fini(&prefix);
    if (count < max)
        return BONDY_OK;
    problem = bondy_problem_format("bondy.error.property_range_limit",
                                   "A role may have grants on at most %u resources.", max);
    json_object_set_new(problem, "key", json_string("roles"));
    json_object_set_new(problem, "limit", json_integer(max));
    return bondy_edit_refuse(change->edit, BONDY_ELIMIT, problem);
}

/* The permissions afterwards, sorted; the caller owns the list. */
static json_t *combine(const struct change *change, const json_t *stored)
{
    const json_t *there = json_object_get(stored, "permissions");
    json_t *list = json_array(), *sorted, *one;
    size_t i;

    json_array_foreach(there, i, one)
    {
        if (!change->is_revoke || !bondy_stored_list_has(change->permissions, text_of(one)))
            json_array_append(list, one);
    }
    if (!change->is_revoke)
        json_array_extend(list, (json_t *)(uintptr_t)change->permissions);
    sorted = bondy_stored_sorted(list);
    json_decref(list);
    return sorted;
}

static void note_granted(struct change *change, const struct bondy_store_key *key,
                         const json_t *body)
{
    struct bondy_grant grant;

    if (!bondy_grant_parse_key(key->subkey, &grant))
        return;
    grant.permissions = json_object_get(body, "permissions");
    grant.meta = json_object_get(body, "meta");
    json_array_append_new(change->granted, bondy_grant_external(&grant, true));
}

static int put(struct change *change, const struct bondy_store_key *key, json_t *permissions)
{
    json_t *meta = json_object_get(change->request, "meta");
    json_t *body = bondy_stored_get(bondy_edit_view(change->edit), key, NULL);
    int rc;

    if (body == NULL)
        body = json_object();
    json_object_set(body, "permissions", permissions);
    if (!change->is_revoke && json_object_size(meta) > 0)
        json_object_set(body, "meta", meta);
    if (change->edit->is_file && !change->is_revoke)
        json_object_set_new(body, "managed_by", json_string("file"));
    rc = bondy_stored_put(change->edit, key, 0, body);
    if (rc == BONDY_OK && !change->is_revoke)
        note_granted(change, key, body);
    json_decref(body);
    return rc;
}

/* What the first of several inputs says of a grant stands alone, the others add to it. */
static bool is_replaced(const struct change *change, const struct bondy_store_key *key)
{
    const struct bondy_edit *edit = change->edit;

    return edit->is_replace && edit->touched != NULL &&
           !bondy_stored_is_touched(edit, key->type, key->subkey);
}

static void note_effect(struct change *change, bool was_there, unsigned writes_before)
{
    if (change->edit->writes == writes_before)
        return;
    change->edit->effects |= change->is_revoke ? BONDY_EDIT_DELETED
                             : was_there       ? BONDY_EDIT_UPDATED
                                               : BONDY_EDIT_CREATED;
}

static int apply_to(struct change *change, const struct role *role, const struct resource *resource)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key = {.type = BONDY_RECORD_GRANT,
                                  .scope = bondy_slice_text(change->realm->uri),
                                  .gen = change->realm->gen};
    unsigned before = change->edit->writes;
    json_t *stored, *permissions;
    int rc = BONDY_OK;

    format_prefix(role, &subkey);
    bondy_buf_append_text(&subkey, resource->match);
    bondy_buf_append_byte(&subkey, 0);
    bondy_buf_append_slice(&subkey, resource->uri);
    key.subkey = bondy_buf_slice(&subkey);
    stored = bondy_stored_get(bondy_edit_view(change->edit), &key, NULL);
    permissions = combine(change, is_replaced(change, &key) ? NULL : stored);
    if (stored == NULL && !change->is_revoke)
        rc = check_limit(change, role);
    if (rc == BONDY_OK && json_array_size(permissions) == 0)
        rc = bondy_stored_delete(change->edit, &key);
    else if (rc == BONDY_OK)
        rc = put(change, &key, permissions);
    note_effect(change, stored != NULL, before);
    json_decref(permissions);
    json_decref(stored);
    bondy_buf_fini(&subkey);
    return rc;
}

static int apply_resource(struct change *change, const struct roles *roles, const json_t *object)
{
    struct resource resource;
    int rc = BONDY_OK;

    read_resource(object, &resource);
    for (size_t i = 0; rc == BONDY_OK && i < roles->count; i++)
        rc = apply_to(change, &roles->list[i], &resource);
    return rc;
}

static int apply_all(struct change *change, const struct roles *roles)
{
    const json_t *list = json_object_get(change->request, "resources");
    const json_t *single = json_object_get(change->request, "resource");
    int rc = BONDY_OK;
    size_t i;
    json_t *one;

    if (json_object_get(change->request, "uri") != NULL)
        return apply_resource(change, roles, change->request);
    if (single != NULL)
        rc = apply_resource(change, roles, single);
    json_array_foreach(list, i, one)
    {
        if (rc == BONDY_OK)
            rc = apply_resource(change, roles, one);
    }
    return rc;
}

static int apply(struct bondy_edit *edit, struct bondy_slice realm, const json_t *request,
                 bool is_revoke)
{
    struct change change = {.edit = edit,
                            .request = request,
                            .permissions = json_object_get(request, "permissions"),
                            .is_revoke = is_revoke};
    struct roles roles;
    json_t *problem;
    int rc = bondy_grant_check(edit, request, &problem);

    if (rc < 0)
        return bondy_edit_refuse(edit, rc, problem);
    if ((rc = bondy_edit_realm(edit, realm, &change.realm)) < 0 ||
        (rc = find_roles(edit, change.realm, json_object_get(request, "roles"), &roles)) < 0)
        return rc;
    change.granted = json_array();
    rc = apply_all(&change, &roles);
    bondy_free(roles.list);
    json_decref(edit->result);
    edit->result = is_revoke ? NULL : json_incref(change.granted);
    json_decref(change.granted);
    return rc;
}

int bondy_grant_apply_create(struct bondy_edit *edit, struct bondy_slice realm,
                             const json_t *request)
{
    return apply(edit, realm, request, false);
}

int bondy_grant_apply_revoke(struct bondy_edit *edit, struct bondy_slice realm,
                             const json_t *request)
{
    return apply(edit, realm, request, true);
}

int bondy_grant_apply_delete_role(struct bondy_edit *edit, const struct bondy_realm *realm,
                                  bool is_user, struct bondy_slice name)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {
        .type = BONDY_RECORD_GRANT, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};
    int rc;

    bondy_buf_append_byte(&prefix, is_user ? 'u' : 'g');
    bondy_buf_append_byte(&prefix, 0);
    bondy_buf_append_slice(&prefix, name);
    bondy_buf_append_byte(&prefix, 0);
    range.prefix = bondy_buf_slice(&prefix);
    rc = bondy_stored_delete_range(edit, &range, NULL, NULL);
    bondy_buf_fini(&prefix);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group_local.h"
#include "src/security/entity/realm.h"
#include "src/wamp/errors.h"

#define ERR_UNKNOWN_GROUP "bondy.error.unknown_group"

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static int refuse_name(struct bondy_edit *edit, int code, const char *uri, const char *message,
                       struct bondy_slice name)
{
    return bondy_edit_refuse(
        edit, code,
        bondy_problem_format(uri, "%s '" BONDY_SLICE_FMT "'.", message, BONDY_SLICE_ARG(name)));
}

/* ---- names of groups ----------------------------------------------------------------------- */

int bondy_group_apply_names(struct bondy_edit *edit, const struct bondy_realm *realm,
                            const json_t *names, json_t **out)
{
    json_t *known = json_array(), *unknown = json_array(), *one;
    struct bondy_name name;
    size_t i;

    json_array_foreach(names, i, one)
    {
        if (!json_is_string(one) || !bondy_name_fold(text_of(one), &name)) {
            json_array_append(unknown, one);
            continue;
        }
        /* Everybody is in `all`, and only the anonymous user in `anonymous`. */
        if (strcmp(name.text, "all") == 0 || strcmp(name.text, "anonymous") == 0)
            continue;
        json_array_append_new(
            bondy_group_is_known(bondy_edit_view(edit), realm, bondy_name_slice(&name)) ? known
                                                                                        : unknown,
            json_string(name.text));
    }
    if (json_array_size(unknown) > 0) {
        json_decref(known);
        return bondy_edit_refuse_names(
            edit, BONDY_EINVAL,
            bondy_problem("bondy.error.no_such_groups", "There are no groups of these names.", ""),
            unknown);
    }
    json_decref(unknown);
    *out = bondy_stored_sorted(known);
    json_decref(known);
    return BONDY_OK;
}

/* ---- cycles ------------------------------------------------------------------------------- */

/* Walks up from a group's parents to see whether it comes back to it. The names seen are kept, so
 * each group is read once. */
struct walk {
    struct bondy_edit *edit;
    const struct bondy_realm *realm;
    struct bondy_slice start;
    json_t *seen; /* object: name to true */
    json_t *path; /* names from the start to where the walk is */
    bool is_cycle, is_too_deep;
};

static bool read_any(struct walk *walk, struct bondy_slice name, struct bondy_group *out)
{
    const struct bondy_group_place here = bondy_group_place_of(walk->realm);
    const struct bondy_group_place there = bondy_group_place_of_prototype(walk->realm);

    return bondy_group_read(bondy_edit_view(walk->edit), &here, name, out) ||
           bondy_group_read(bondy_edit_view(walk->edit), &there, name, out);
}

static bool climb(struct walk *walk, const json_t *parents)
{
    size_t i;
    json_t *parent;

    json_array_foreach(parents, i, parent)
    {
        struct bondy_group group;
        bool is_found;

        json_array_append(walk->path, parent);
        walk->is_cycle = bondy_slice_eq(text_of(parent), walk->start);
        walk->is_too_deep = json_array_size(walk->path) > walk->edit->rules->group_depth;
        if (walk->is_cycle || walk->is_too_deep)
            return false;
        if (json_object_get(walk->seen, json_string_value(parent)) == NULL &&
            read_any(walk, text_of(parent), &group)) {
            json_object_set_new(walk->seen, json_string_value(parent), json_true());
            is_found = climb(walk, group.groups);
            bondy_group_fini(&group);
            if (!is_found)
                return false;
        }
        json_array_remove(walk->path, json_array_size(walk->path) - 1);
    }
    return true;
}

static int check_cycles(struct bondy_edit *edit, const struct bondy_realm *realm,
                        struct bondy_slice name, const json_t *parents)
{
    struct walk walk = {
        .edit = edit, .realm = realm, .start = name, .seen = json_object(), .path = json_array()};
    json_t *problem = NULL;

    json_array_append_new(walk.path, bondy_json_slice(name));
    climb(&walk, parents);
    if (walk.is_cycle) {
        problem =
            bondy_problem("bondy.error.group_cycle",
                          "A group cannot be a member of itself, through others neither.", "");
        json_object_set_new(problem, "details", json_pack("{s:O}", "path", walk.path));
    } else if (walk.is_too_deep) {
        problem = bondy_problem_format("bondy.error.property_range_limit",
                                       "Groups may be in groups up to a depth of %u.",
                                       edit->rules->group_depth);
        json_object_set_new(problem, "key", json_string("groups"));
        json_object_set_new(problem, "limit", json_integer(edit->rules->group_depth));
    }
    json_decref(walk.seen);
    json_decref(walk.path);
    if (problem == NULL)
        return BONDY_OK;
    return bondy_edit_refuse(edit, walk.is_cycle ? BONDY_ECONFLICT : BONDY_ELIMIT, problem);
}

/* ---- parts of a group ---------------------------------------------------------------------- */

static int put_parent(struct bondy_edit *edit, const struct bondy_realm *realm,
                      struct bondy_slice name, uint32_t ggen, struct bondy_slice parent,
                      bool is_there)
{
    const struct bondy_element element = {name, ggen, 'g', parent};
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key = {.type = BONDY_RECORD_GROUP_ELEMENT,
                                  .scope = bondy_slice_text(realm->uri),
                                  .gen = realm->gen};
    json_t *body = json_object();
    int rc;

    bondy_element_format(&element, &subkey);
    key.subkey = bondy_buf_slice(&subkey);
    rc = is_there ? bondy_stored_put(edit, &key, 0, body) : bondy_stored_delete(edit, &key);
    json_decref(body);
    bondy_buf_fini(&subkey);
    return rc;
}

/* Brings the parents from `there` (NULL: none) to `wanted`. */
static int put_parents(struct bondy_edit *edit, const struct bondy_realm *realm,
                       struct bondy_slice name, uint32_t ggen, const json_t *there,
                       const json_t *wanted)
{
    unsigned before = edit->writes;
    int rc = check_cycles(edit, realm, name, wanted);
    size_t i;
    json_t *parent;

    json_array_foreach(there, i, parent)
    {
        if (rc == BONDY_OK && !bondy_stored_list_has(wanted, text_of(parent)))
            rc = put_parent(edit, realm, name, ggen, text_of(parent), false);
    }
    json_array_foreach(wanted, i, parent)
    {
        if (rc == BONDY_OK)
            rc = put_parent(edit, realm, name, ggen, text_of(parent), true);
    }
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_GROUPS;
    return rc;
}

static int put_record(struct bondy_edit *edit, const struct bondy_realm *realm,
                      struct bondy_slice name, uint32_t ggen, const json_t *input)
{
    const struct bondy_group_place place = bondy_group_place_of(realm);
    struct bondy_store_key key = bondy_group_key(&place, name);
    json_t *body = bondy_stored_get(bondy_edit_view(edit), &key, NULL);
    json_t *meta = json_object_get(input, "meta");
    int rc;

    if (body == NULL)
        body = bondy_stored_body(edit);
    else if (edit->is_file)
        json_object_set_new(body, "managed_by", json_string("file"));
    if (json_object_size(meta) > 0)
        json_object_set(body, "meta", meta);
    else if (meta != NULL)
        json_object_del(body, "meta");
    rc = bondy_stored_put(edit, &key, ggen, body);
    json_decref(body);
    return rc;
}

/* ---- finding what is changed ---------------------------------------------------------------- */

struct target {
    const struct bondy_realm *realm;
    struct bondy_group group;
};

static int find(struct bondy_edit *edit, struct bondy_slice realm, struct bondy_slice name,
                struct target *out)
{
    struct bondy_group_place place;
    int rc = bondy_edit_realm(edit, realm, &out->realm);

    if (rc < 0)
        return rc;
    if (bondy_name_is_reserved(name))
        return refuse_name(edit, BONDY_EINVAL, "bondy.error.reserved_name",
                           "This group is built in:", name);
    place = bondy_group_place_of(out->realm);
    if (!bondy_group_read(bondy_edit_view(edit), &place, name, &out->group))
        return refuse_name(edit, BONDY_ENOENT, ERR_UNKNOWN_GROUP, "There is no group", name);
    rc = bondy_edit_check_version(edit, "group", out->group.version);
    if (rc < 0)
        bondy_group_fini(&out->group);
    return rc;
}

static int finish(struct bondy_edit *edit, const struct bondy_realm *realm, struct bondy_slice name,
                  int rc)
{
    struct bondy_group group;

    if (rc < 0 || !bondy_group_find(bondy_edit_view(edit), realm, name, &group))
        return rc;
    json_decref(edit->result);
    edit->result = bondy_group_external(&group);
    bondy_group_fini(&group);
    return BONDY_OK;
}

static int finish_target(struct bondy_edit *edit, struct target *target, int rc)
{
    rc = finish(edit, target->realm, bondy_slice_text(target->group.name), rc);
    bondy_group_fini(&target->group);
    return rc;
}

static int check_input(struct bondy_edit *edit, const json_t *input, bool is_update)
{
    json_t *problem;
    int rc = bondy_group_check(edit, input, is_update, &problem);

    return rc < 0 ? bondy_edit_refuse(edit, rc, problem) : BONDY_OK;
}

/* ---- adding and changing -------------------------------------------------------------------- */

static int put_given_parents(struct bondy_edit *edit, const struct bondy_realm *realm,
                             const struct bondy_group *group, const json_t *input)
{
    const json_t *given = json_object_get(input, "groups");
    json_t *wanted;
    int rc;

    if (given == NULL)
        return BONDY_OK;
    if ((rc = bondy_group_apply_names(edit, realm, given, &wanted)) < 0)
        return rc;
    rc =
        put_parents(edit, realm, bondy_slice_text(group->name), group->ggen, group->groups, wanted);
    json_decref(wanted);
    return rc;
}

int bondy_group_apply_add(struct bondy_edit *edit, struct bondy_slice realm_uri,
                          const json_t *input)
{
    const struct bondy_realm *realm;
    struct bondy_group_place place;
    struct bondy_group group = {0};
    struct bondy_store_key key;
    struct bondy_name name;
    unsigned before = edit->writes;
    bool is_there;
    int rc = check_input(edit, input, false);

    if (rc < 0 || (rc = bondy_edit_realm(edit, realm_uri, &realm)) < 0 ||
        !bondy_name_fold(bondy_json_text(input, "name"), &name))
        return rc;
    place = bondy_group_place_of(realm);
    is_there = bondy_group_read(bondy_edit_view(edit), &place, bondy_name_slice(&name), &group);
    if (is_there && !edit->is_rebase) {
        bondy_group_fini(&group);
        return refuse_name(edit, BONDY_EEXIST, BONDY_ERR_ALREADY_EXISTS, "There is already a group",
                           bondy_name_slice(&name));
    }
    if (!is_there) {
        key = bondy_group_key(&place, bondy_name_slice(&name));
        group.name = bondy_strdup(name.text);
        group.ggen = bondy_store_next_gen(edit->write, &key);
    }
    rc = put_record(edit, realm, bondy_name_slice(&name), group.ggen, input);
    if (rc == BONDY_OK)
        rc = put_given_parents(edit, realm, &group, input);
    bondy_group_fini(&group);
    if (rc == BONDY_OK && !is_there)
        edit->effects |= BONDY_EDIT_CREATED;
    else if (edit->writes != before)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish(edit, realm, bondy_name_slice(&name), rc);
}

int bondy_group_apply_update(struct bondy_edit *edit, struct bondy_slice realm,
                             struct bondy_slice name, const json_t *input)
{
    struct target target;
    unsigned before = edit->writes;
    int rc = check_input(edit, input, true);

    if (rc < 0 || (rc = find(edit, realm, name, &target)) < 0)
        return rc;
    if (json_object_get(input, "meta") != NULL)
        rc = put_record(edit, target.realm, bondy_slice_text(target.group.name), target.group.ggen,
                        input);
    if (rc == BONDY_OK)
        rc = put_given_parents(edit, target.realm, &target.group, input);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish_target(edit, &target, rc);
}

int bondy_group_apply_add_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                 struct bondy_slice name, const json_t *groups)
{
    struct target target;
    json_t *names, *both;
    int rc = find(edit, realm, name, &target);

    if (rc < 0)
        return rc;
    if ((rc = bondy_group_apply_names(edit, target.realm, groups, &names)) < 0) {
        bondy_group_fini(&target.group);
        return rc;
    }
    json_array_extend(names, target.group.groups);
    both = bondy_stored_sorted(names);
    json_decref(names);
    if (json_array_size(both) > edit->rules->max_groups) {
        json_t *problem =
            bondy_problem_format("bondy.error.property_range_limit",
                                 "A group may be in at most %u groups.", edit->rules->max_groups);

        json_object_set_new(problem, "key", json_string("groups"));
        json_object_set_new(problem, "limit", json_integer(edit->rules->max_groups));
        rc = bondy_edit_refuse(edit, BONDY_ELIMIT, problem);
    } else {
        rc = put_parents(edit, target.realm, bondy_slice_text(target.group.name), target.group.ggen,
                         target.group.groups, both);
    }
    json_decref(both);
    return finish_target(edit, &target, rc);
}

int bondy_group_apply_remove_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                    struct bondy_slice name, const json_t *groups)
{
    struct target target;
    struct bondy_name parent;
    unsigned before = edit->writes;
    size_t i;
    json_t *one;
    int rc = find(edit, realm, name, &target);

    if (rc < 0)
        return rc;
    json_array_foreach(groups, i, one)
    {
        if (rc == BONDY_OK && bondy_name_fold(text_of(one), &parent) &&
            bondy_stored_list_has(target.group.groups, bondy_name_slice(&parent)))
            rc = put_parent(edit, target.realm, bondy_slice_text(target.group.name),
                            target.group.ggen, bondy_name_slice(&parent), false);
    }
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_GROUPS | BONDY_EDIT_UPDATED;
    return finish_target(edit, &target, rc);
}

/* ---- deleting ----------------------------------------------------------------------------- */

static bool is_membership(void *context, const struct bondy_record *record)
{
    const struct bondy_slice *name = context;
    struct bondy_element element;

    return bondy_element_parse(record->key.subkey, &element) && element.kind == 'g' &&
           bondy_slice_eq(element.value, *name);
}

/* The group's own parents, and what is a member of it. */
static int drop_memberships(struct bondy_edit *edit, const struct target *target)
{
    struct bondy_slice name = bondy_slice_text(target->group.name);
    struct bondy_buf prefix = BONDY_BUF_EMPTY, suffix = BONDY_BUF_EMPTY;
    struct bondy_store_range own = {.type = BONDY_RECORD_GROUP_ELEMENT,
                                    .scope = bondy_slice_text(target->realm->uri),
                                    .gen = target->realm->gen};
    struct bondy_store_range members = own;
    int rc;

    bondy_element_prefix(name, target->group.ggen, &prefix);
    bondy_element_suffix('g', name, &suffix);
    own.prefix = bondy_buf_slice(&prefix);
    members.suffix = bondy_buf_slice(&suffix);
    rc = bondy_stored_delete_range(edit, &own, NULL, NULL);
    if (rc == BONDY_OK)
        rc = bondy_stored_delete_range(edit, &members, is_membership, &name);
    members.type = BONDY_RECORD_USER_ELEMENT;
    if (rc == BONDY_OK)
        rc = bondy_stored_delete_range(edit, &members, is_membership, &name);
    bondy_buf_fini(&suffix);
    bondy_buf_fini(&prefix);
    return rc;
}

int bondy_group_apply_delete(struct bondy_edit *edit, struct bondy_slice realm,
                             struct bondy_slice name)
{
    struct target target;
    struct bondy_group_place place;
    struct bondy_store_key key;
    int rc = find(edit, realm, name, &target);

    if (rc < 0)
        return rc;
    place = bondy_group_place_of(target.realm);
    key = bondy_group_key(&place, bondy_slice_text(target.group.name));
    rc = bondy_grant_apply_delete_role(edit, target.realm, false,
                                       bondy_slice_text(target.group.name));
    if (rc == BONDY_OK)
        rc = drop_memberships(edit, &target);
    if (rc == BONDY_OK)
        rc = bondy_stored_delete(edit, &key);
    if (rc == BONDY_OK)
        edit->effects |= BONDY_EDIT_DELETED | BONDY_EDIT_GROUPS;
    bondy_group_fini(&target.group);
    return rc;
}

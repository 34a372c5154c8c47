/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/source.h"
#include "src/security/entity/user_elements.h"
#include "src/wamp/errors.h"

/* Changes of users. A linked user (1.7) has its credentials and aliases in the SSO realm, all else
 * in its own: `place` of a target is here, `home` is where credentials are. */

struct target {
    const struct bondy_realm *realm;
    struct bondy_user user; /* of the realm, as it is before the change */
    struct bondy_user sso;  /* when is_linked */
    bool is_linked;
    struct bondy_user_place place, home;
};

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static int refuse_text(struct bondy_edit *edit, int code, const char *uri, const char *format,
                       struct bondy_slice name)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *problem;

    bondy_buf_append_text(&text, format);
    bondy_buf_append_text(&text, " '");
    bondy_buf_append_slice(&text, name);
    bondy_buf_append_text(&text, "'.");
    problem = bondy_problem_format(uri, BONDY_SLICE_FMT, BONDY_SLICE_ARG(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
    return bondy_edit_refuse(edit, code, problem);
}

static int no_such_user(struct bondy_edit *edit, struct bondy_slice name)
{
    return refuse_text(edit, BONDY_ENOENT, BONDY_ERR_NO_SUCH_PRINCIPAL, "There is no user", name);
}

static void fini(struct target *target)
{
    bondy_user_fini(&target->user);
    if (target->is_linked)
        bondy_user_fini(&target->sso);
}

static struct bondy_user_place place_of(struct bondy_slice realm_uri, uint32_t realm_gen,
                                        const struct bondy_user *user)
{
    return (struct bondy_user_place){realm_uri, realm_gen, bondy_slice_text(user->username),
                                     user->ugen};
}

/* The SSO record of a linked user, when it is there. */
static void find_home(struct bondy_edit *edit, struct target *target)
{
    struct bondy_slice uri = bondy_slice_text(target->user.sso_realm_uri);
    uint32_t gen;

    target->home = target->place;
    if (uri.len == 0 || !bondy_user_realm_gen(bondy_edit_view(edit), uri, &gen) ||
        !bondy_user_read(bondy_edit_view(edit), uri, gen, target->place.username, &target->sso))
        return;
    target->is_linked = true;
    target->home = place_of(uri, gen, &target->sso);
}

/* Finds the user to be changed, by name or alias; the caller ends *out when it is found. */
static int find(struct bondy_edit *edit, struct bondy_slice realm, struct bondy_slice name,
                struct target *out)
{
    int rc;

    *out = (struct target){.is_linked = false};
    if ((rc = bondy_edit_realm(edit, realm, &out->realm)) < 0)
        return rc;
    if (bondy_name_is_reserved(name))
        return refuse_text(edit, BONDY_EDENIED, BONDY_ERR_NOT_ALLOWED,
                           "This user is built in and cannot be changed:", name);
    if (!bondy_user_find(bondy_edit_view(edit), out->realm, name, &out->user))
        return no_such_user(edit, name);
    if ((rc = bondy_edit_check_version(edit, "user", out->user.version)) < 0) {
        bondy_user_fini(&out->user);
        return rc;
    }
    out->place = place_of(bondy_slice_text(out->realm->uri), out->realm->gen, &out->user);
    find_home(edit, out);
    return BONDY_OK;
}

/* Ends a change: the result is the user as it is now. */
static int finish(struct bondy_edit *edit, const struct bondy_realm *realm, struct bondy_slice name,
                  int rc)
{
    struct bondy_user user;

    if (rc < 0)
        return rc;
    if (!bondy_user_find(bondy_edit_view(edit), realm, name, &user))
        return no_such_user(edit, name);
    json_decref(edit->result);
    edit->result = bondy_user_external(&user);
    bondy_user_fini(&user);
    return BONDY_OK;
}

static int finish_target(struct bondy_edit *edit, struct target *target, int rc)
{
    rc = finish(edit, target->realm, target->place.username, rc);
    fini(target);
    return rc;
}

/* ---- the parts of a user -------------------------------------------------------------------- */

static int put_credentials(struct bondy_edit *edit, const struct bondy_user_place *home,
                           const json_t *input)
{
    const json_t *password = json_object_get(input, "password");
    const json_t *keys = json_object_get(input, "authorized_keys");
    unsigned before = edit->writes;
    int rc = BONDY_OK;

    if (password != NULL)
        rc = bondy_user_put_passwords(edit, home, password);
    if (rc == BONDY_OK && keys != NULL)
        rc = bondy_user_put_keys(edit, home, keys);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_CREDENTIALS;
    return rc;
}

static int put_enabled(struct bondy_edit *edit, const struct bondy_user_place *place,
                       bool is_enabled)
{
    unsigned before = edit->writes;
    int rc = bondy_user_put_enabled(edit, place, is_enabled);

    if (edit->writes != before)
        edit->effects |= is_enabled ? BONDY_EDIT_ENABLED : BONDY_EDIT_DISABLED;
    return rc;
}

static int put_groups(struct bondy_edit *edit, const struct bondy_realm *realm,
                      const struct bondy_user_place *place, const json_t *names)
{
    unsigned before = edit->writes;
    json_t *groups;
    int rc = bondy_group_apply_names(edit, realm, names, &groups);

    if (rc < 0)
        return rc;
    rc = bondy_user_put_groups(edit, place, groups);
    json_decref(groups);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_GROUPS;
    return rc;
}

static int put_aliases(struct bondy_edit *edit, const struct bondy_user_place *home,
                       const json_t *aliases)
{
    struct bondy_name name;
    int rc = BONDY_OK;
    size_t i;
    json_t *alias;

    json_array_foreach(aliases, i, alias)
    {
        if (rc == BONDY_OK && bondy_name_fold(text_of(alias), &name))
            rc = bondy_user_put_alias(edit, home, bondy_name_slice(&name));
    }
    return rc;
}

/* The record itself. `user` NULL: a new one. Keeps of an old one what the input does not say. */
static int put_record(struct bondy_edit *edit, const struct bondy_user_place *place,
                      const json_t *input, const char *sso_realm_uri)
{
    struct bondy_store_key key = {.type = BONDY_RECORD_USER,
                                  .scope = place->realm_uri,
                                  .gen = place->realm_gen,
                                  .subkey = place->username};
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
    if (sso_realm_uri != NULL)
        json_object_set_new(body, "sso_realm_uri", json_string(sso_realm_uri));
    rc = bondy_stored_put(edit, &key, place->ugen, body);
    json_decref(body);
    return rc;
}

/* ---- adding ------------------------------------------------------------------------------- */

static int check_input(struct bondy_edit *edit, const json_t *input, bool is_update)
{
    json_t *problem;
    int rc = bondy_user_check(edit, input, is_update, true, &problem);

    return rc < 0 ? bondy_edit_refuse(edit, rc, problem) : BONDY_OK;
}

static int check_link(struct bondy_edit *edit, const struct bondy_realm *realm,
                      struct bondy_slice sso)
{
    char canonical[BONDY_REALM_URI_MAX];
    size_t len;

    if (realm->sso_realm_uri != NULL &&
        bondy_realm_canonical(edit->rules, sso, canonical, sizeof canonical, &len) &&
        bondy_slice_is(bondy_slice_of(canonical, len), realm->sso_realm_uri))
        return BONDY_OK;
    return refuse_text(edit, BONDY_EINVAL, "bondy.error.invalid_sso_realm",
                       "This is not the SSO realm of the realm:", sso);
}

static struct bondy_user_place new_place(struct bondy_edit *edit, struct bondy_slice realm_uri,
                                         uint32_t realm_gen, struct bondy_slice name)
{
    const struct bondy_store_key key = {
        .type = BONDY_RECORD_USER, .scope = realm_uri, .gen = realm_gen, .subkey = name};

    return (struct bondy_user_place){realm_uri, realm_gen, name,
                                     bondy_store_next_gen(edit->write, &key)};
}

/* An addition, after everything that may be wrong with it was looked at: nothing of a user that is
 * refused is written, so that those beside it in an import can stay. */
struct addition {
    const struct bondy_realm *realm;
    const json_t *input;
    json_t *groups; /* canonical; NULL: not said */
    struct bondy_user_place place, home;
    bool is_linked, is_home_there;
};

static int check_home(struct bondy_edit *edit, struct addition *add)
{
    struct bondy_slice uri = bondy_slice_text(add->realm->sso_realm_uri);
    struct bondy_slice name = add->place.username;
    struct bondy_user sso;
    uint32_t gen;
    bool is_same;

    add->home = add->place;
    if (!add->is_linked)
        return BONDY_OK;
    if (!bondy_user_realm_gen(bondy_edit_view(edit), uri, &gen))
        return refuse_text(edit, BONDY_EINVAL, "bondy.error.invalid_sso_realm", "There is no realm",
                           uri);
    add->home = new_place(edit, uri, gen, name);
    if (!bondy_user_read(bondy_edit_view(edit), uri, gen, name, &sso))
        return BONDY_OK;
    add->is_home_there = true;
    is_same = bondy_slice_is(name, sso.username);
    bondy_user_fini(&sso);
    if (is_same)
        return BONDY_OK;
    return refuse_text(edit, BONDY_EEXIST, BONDY_ERR_ALREADY_EXISTS,
                       "In the SSO realm this is an alias of another user:", name);
}

static int check_addition(struct bondy_edit *edit, struct addition *add)
{
    const json_t *groups = json_object_get(add->input, "groups");
    int rc = check_home(edit, add);

    if (rc == BONDY_OK)
        rc = bondy_user_check_aliases(edit, &add->home, json_object_get(add->input, "aliases"));
    if (rc == BONDY_OK && groups != NULL)
        rc = bondy_group_apply_names(edit, add->realm, groups, &add->groups);
    return rc;
}

/* What came along for a user that the SSO realm has already is ignored (1.7), unless a file or
 * import says how things are. The record there is nobody's but the SSO realm's. */
static int put_home(struct bondy_edit *edit, const struct addition *add)
{
    bool is_file = edit->is_file;
    int rc = BONDY_OK;

    if (add->is_linked && !add->is_home_there) {
        edit->is_file = false;
        rc = put_record(edit, &add->home, NULL, NULL);
        edit->is_file = is_file;
    }
    if (rc < 0 || (add->is_home_there && !edit->is_rebase))
        return rc;
    rc = put_credentials(edit, &add->home, add->input);
    return rc < 0 ? rc : put_aliases(edit, &add->home, json_object_get(add->input, "aliases"));
}

static int put_addition(struct bondy_edit *edit, const struct addition *add)
{
    const json_t *enabled = json_object_get(add->input, "enabled");
    unsigned before;
    int rc = put_record(edit, &add->place, add->input,
                        add->is_linked ? add->realm->sso_realm_uri : NULL);

    before = edit->writes;
    if (rc == BONDY_OK && add->groups != NULL)
        rc = bondy_user_put_groups(edit, &add->place, add->groups);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_GROUPS;
    if (rc == BONDY_OK && enabled != NULL)
        rc = put_enabled(edit, &add->place, json_is_true(enabled));
    return rc < 0 ? rc : put_home(edit, add);
}

/* What has that name: BONDY_OK when it is free, or a user that is to be brought to the input. */
static int check_free(struct bondy_edit *edit, const struct bondy_realm *realm,
                      struct bondy_slice name, const struct bondy_user **existing,
                      struct bondy_user *user)
{
    *existing = NULL;
    if (!bondy_user_find(bondy_edit_view(edit), realm, name, user))
        return BONDY_OK;
    if (edit->is_rebase && bondy_slice_is(name, user->username)) {
        *existing = user;
        return BONDY_OK;
    }
    bondy_user_fini(user);
    return refuse_text(edit, BONDY_EEXIST, BONDY_ERR_ALREADY_EXISTS, "There is already a user",
                       name);
}

static int check_realm(struct bondy_edit *edit, const struct bondy_realm *realm)
{
    if (!realm->is_prototype)
        return BONDY_OK;
    return refuse_text(edit, BONDY_EDENIED, BONDY_ERR_NOT_ALLOWED,
                       "A prototype realm has no users:", bondy_slice_text(realm->uri));
}

int bondy_user_apply_add(struct bondy_edit *edit, struct bondy_slice realm_uri,
                         const json_t *prepared)
{
    struct bondy_slice sso = bondy_json_text(prepared, "sso_realm_uri");
    struct addition add = {.input = prepared};
    const struct bondy_user *existing;
    struct bondy_user user;
    struct bondy_name name;
    unsigned before = edit->writes;
    int rc = check_input(edit, prepared, false);

    if (rc < 0 || (rc = bondy_edit_realm(edit, realm_uri, &add.realm)) < 0 ||
        (rc = check_realm(edit, add.realm)) < 0 ||
        !bondy_name_fold(bondy_json_text(prepared, "username"), &name) ||
        (rc = check_free(edit, add.realm, bondy_name_slice(&name), &existing, &user)) < 0)
        return rc;
    add.is_linked = sso.len > 0 || (existing != NULL && user.sso_realm_uri != NULL);
    add.place =
        new_place(edit, bondy_slice_text(add.realm->uri), add.realm->gen, bondy_name_slice(&name));
    if (existing != NULL)
        bondy_user_fini(&user);
    if (sso.len > 0)
        rc = check_link(edit, add.realm, sso);
    if (rc == BONDY_OK)
        rc = check_addition(edit, &add);
    if (rc == BONDY_OK)
        rc = put_addition(edit, &add);
    json_decref(add.groups);
    if (rc == BONDY_OK && existing == NULL)
        edit->effects |= BONDY_EDIT_CREATED;
    else if (rc == BONDY_OK && edit->writes != before)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish(edit, add.realm, bondy_name_slice(&name), rc);
}

/* ---- changing ----------------------------------------------------------------------------- */

static int update(struct bondy_edit *edit, struct target *target, const json_t *input)
{
    const json_t *enabled = json_object_get(input, "enabled");
    const json_t *groups = json_object_get(input, "groups");
    int rc = BONDY_OK;

    if (json_object_get(input, "meta") != NULL)
        rc = put_record(edit, &target->place, input, NULL);
    if (rc == BONDY_OK && groups != NULL)
        rc = put_groups(edit, target->realm, &target->place, groups);
    if (rc == BONDY_OK && enabled != NULL)
        rc = put_enabled(edit, &target->place, json_is_true(enabled));
    return rc < 0 ? rc : put_credentials(edit, &target->home, input);
}

int bondy_user_apply_update(struct bondy_edit *edit, struct bondy_slice realm,
                            struct bondy_slice name, const json_t *prepared)
{
    struct target target;
    unsigned before = edit->writes;
    int rc = check_input(edit, prepared, true);

    if (rc < 0 || (rc = find(edit, realm, name, &target)) < 0)
        return rc;
    rc = update(edit, &target, prepared);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish_target(edit, &target, rc);
}

int bondy_user_apply_set_password(struct bondy_edit *edit, struct bondy_slice realm,
                                  struct bondy_slice name, const json_t *verifiers,
                                  const json_t *seen)
{
    struct target target;
    json_t *input;
    int rc = find(edit, realm, name, &target);

    if (rc < 0)
        return rc;
    if (seen != NULL &&
        !json_equal(seen, target.is_linked ? target.sso.passwords : target.user.passwords)) {
        fini(&target);
        return bondy_edit_refuse(edit, BONDY_ECONFLICT,
                                 bondy_problem("bondy.error.precondition_failed",
                                               "The password was changed by someone else.", ""));
    }
    input = json_pack("{s:O}", "password", (json_t *)(uintptr_t)verifiers);
    rc = put_credentials(edit, &target.home, input);
    json_decref(input);
    if (rc == BONDY_OK)
        edit->effects |= BONDY_EDIT_UPDATED;
    return finish_target(edit, &target, rc);
}

int bondy_user_apply_set_enabled(struct bondy_edit *edit, struct bondy_slice realm,
                                 struct bondy_slice name, bool is_enabled)
{
    struct target target;
    int rc = find(edit, realm, name, &target);

    return rc < 0 ? rc : finish_target(edit, &target, put_enabled(edit, &target.place, is_enabled));
}

/* ---- aliases ------------------------------------------------------------------------------ */

static int check_alias(struct bondy_edit *edit, struct bondy_slice alias, struct bondy_name *out)
{
    if (bondy_name_is_reserved(alias))
        return refuse_text(edit, BONDY_EINVAL, "bondy.error.reserved_name",
                           "This name is reserved:", alias);
    if (alias.len >= BONDY_USERNAME_MIN && bondy_name_fold(alias, out))
        return BONDY_OK;
    return bondy_edit_refuse(
        edit, BONDY_EINVAL,
        bondy_problem_format("bondy.error.invalid_value", "An alias %s.", bondy_name_rule(true)));
}

/* An alias that the SSO realm keeps may not be a user's name in the realm of the link either: it
 * would never be reached. */
static int check_local(struct bondy_edit *edit, const struct target *target,
                       struct bondy_slice alias)
{
    struct bondy_store_key key = bondy_user_key(target->realm, alias);

    if (!target->is_linked || !bondy_stored_has(bondy_edit_view(edit), &key))
        return BONDY_OK;
    return refuse_text(edit, BONDY_EEXIST, BONDY_ERR_ALREADY_EXISTS,
                       "This name is in use in the realm:", alias);
}

int bondy_user_apply_add_alias(struct bondy_edit *edit, struct bondy_slice realm,
                               struct bondy_slice name, struct bondy_slice alias)
{
    struct target target;
    struct bondy_name folded;
    int rc = check_alias(edit, alias, &folded);

    if (rc < 0 || (rc = find(edit, realm, name, &target)) < 0)
        return rc;
    rc = check_local(edit, &target, bondy_name_slice(&folded));
    if (rc == BONDY_OK)
        rc = bondy_user_put_alias(edit, &target.home, bondy_name_slice(&folded));
    return finish_target(edit, &target, rc);
}

int bondy_user_apply_remove_alias(struct bondy_edit *edit, struct bondy_slice realm,
                                  struct bondy_slice name, struct bondy_slice alias)
{
    struct target target;
    struct bondy_name folded;
    int rc = check_alias(edit, alias, &folded);

    if (rc < 0 || (rc = find(edit, realm, name, &target)) < 0)
        return rc;
    rc = bondy_user_drop_alias(edit, &target.home, bondy_name_slice(&folded));
    return finish_target(edit, &target, rc);
}

/* ---- groups ------------------------------------------------------------------------------- */

static int check_group_count(struct bondy_edit *edit, const json_t *groups)
{
    json_t *problem;

    if (json_array_size(groups) <= edit->rules->max_groups)
        return BONDY_OK;
    problem = bondy_problem_format("bondy.error.property_range_limit",
                                   "A user may be in at most %u groups.", edit->rules->max_groups);
    json_object_set_new(problem, "key", json_string("groups"));
    json_object_set_new(problem, "limit", json_integer(edit->rules->max_groups));
    return bondy_edit_refuse(edit, BONDY_ELIMIT, problem);
}

int bondy_user_apply_add_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                struct bondy_slice name, const json_t *groups)
{
    struct target target;
    json_t *names, *both;
    unsigned before = edit->writes;
    int rc = find(edit, realm, name, &target);

    if (rc < 0)
        return rc;
    rc = bondy_group_apply_names(edit, target.realm, groups, &names);
    if (rc < 0) {
        fini(&target);
        return rc;
    }
    json_array_extend(names, target.user.groups);
    both = bondy_stored_sorted(names);
    json_decref(names);
    rc = check_group_count(edit, both);
    if (rc == BONDY_OK)
        rc = bondy_user_put_groups(edit, &target.place, both);
    json_decref(both);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_GROUPS | BONDY_EDIT_UPDATED;
    return finish_target(edit, &target, rc);
}

int bondy_user_apply_remove_groups(struct bondy_edit *edit, struct bondy_slice realm,
                                   struct bondy_slice name, const json_t *groups)
{
    struct target target;
    struct bondy_name group;
    unsigned before = edit->writes;
    size_t i;
    json_t *one;
    int rc = find(edit, realm, name, &target);

    if (rc < 0)
        return rc;
    json_array_foreach(groups, i, one)
    {
        if (rc == BONDY_OK && bondy_name_fold(text_of(one), &group) &&
            bondy_stored_list_has(target.user.groups, bondy_name_slice(&group)))
            rc = bondy_user_drop_group(edit, &target.place, bondy_name_slice(&group));
    }
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_GROUPS | BONDY_EDIT_UPDATED;
    return finish_target(edit, &target, rc);
}

/* ---- keys --------------------------------------------------------------------------------- */

static int check_key(struct bondy_edit *edit, struct bondy_slice hex, char folded[USER_KEY_HEX])
{
    json_t *problem;

    if (bondy_user_fold_key(hex, folded))
        return BONDY_OK;
    problem = bondy_problem("bondy.error.invalid_value",
                            "An authorized key is an Ed25519 key of 64 hex digits.", "");
    json_object_set_new(problem, "key", json_string("authorized_keys"));
    return bondy_edit_refuse(edit, BONDY_EINVAL, problem);
}

static int change_key(struct bondy_edit *edit, struct target *target, struct bondy_slice folded,
                      bool is_there)
{
    unsigned before = edit->writes;
    const json_t *keys = target->is_linked ? target->sso.keys : target->user.keys;
    int rc;

    if (is_there && !bondy_stored_list_has(keys, folded) &&
        json_array_size(keys) >= edit->rules->max_keys) {
        json_t *problem = bondy_problem_format("bondy.error.property_range_limit",
                                               "A user may have at most %u authorized keys.",
                                               edit->rules->max_keys);

        json_object_set_new(problem, "key", json_string("authorized_keys"));
        json_object_set_new(problem, "limit", json_integer(edit->rules->max_keys));
        return bondy_edit_refuse(edit, BONDY_ELIMIT, problem);
    }
    rc = is_there ? bondy_user_put_key(edit, &target->home, folded)
                  : bondy_user_drop_key(edit, &target->home, folded);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_CREDENTIALS | BONDY_EDIT_UPDATED;
    return rc;
}

static int set_key(struct bondy_edit *edit, struct bondy_slice realm, struct bondy_slice name,
                   struct bondy_slice hex, bool is_there)
{
    struct target target;
    char folded[USER_KEY_HEX];
    int rc = check_key(edit, hex, folded);

    if (rc < 0 || (rc = find(edit, realm, name, &target)) < 0)
        return rc;
    rc = change_key(edit, &target, bondy_slice_of(folded, sizeof folded), is_there);
    return finish_target(edit, &target, rc);
}

int bondy_user_apply_add_key(struct bondy_edit *edit, struct bondy_slice realm,
                             struct bondy_slice name, struct bondy_slice hex)
{
    return set_key(edit, realm, name, hex, true);
}

int bondy_user_apply_remove_key(struct bondy_edit *edit, struct bondy_slice realm,
                                struct bondy_slice name, struct bondy_slice hex)
{
    return set_key(edit, realm, name, hex, false);
}

/* ---- deleting ----------------------------------------------------------------------------- */

/* The records of other realms that are linked to a user of an SSO realm. */
struct links {
    struct bondy_edit *edit;
    const struct target *target;
    json_t *realms; /* URIs */
};

static int note_link(void *context, const struct bondy_record *record)
{
    struct links *links = context;
    struct bondy_user user;

    if (!bondy_user_read(bondy_edit_view(links->edit), record->key.subkey, record->gen,
                         links->target->place.username, &user))
        return 0;
    if (user.sso_realm_uri != NULL &&
        bondy_slice_is(links->target->place.realm_uri, user.sso_realm_uri) &&
        bondy_slice_is(links->target->place.username, user.username))
        json_array_append_new(links->realms, bondy_json_slice(record->key.subkey));
    bondy_user_fini(&user);
    return 0;
}

static json_t *find_links(struct bondy_edit *edit, const struct target *target)
{
    const struct bondy_store_range realms = {.type = BONDY_RECORD_REALM};
    struct links links = {edit, target, json_array()};

    if (target->realm->is_sso_realm)
        bondy_store_view_scan(bondy_edit_view(edit), &realms, note_link, &links);
    return links.realms;
}

static int drop(struct bondy_edit *edit, const struct target *target)
{
    int rc = bondy_source_apply_delete_user(edit, target->realm, target->place.username);

    if (rc == BONDY_OK)
        rc = bondy_grant_apply_delete_role(edit, target->realm, true, target->place.username);
    return rc < 0 ? rc : bondy_user_drop(edit, &target->place, &target->user);
}

static int drop_links(struct bondy_edit *edit, const json_t *realms, struct bondy_slice name)
{
    const uint8_t *expected = edit->expected;
    int rc = BONDY_OK;
    size_t i;
    json_t *uri;

    edit->expected = NULL; /* it was meant for the user itself */
    json_array_foreach(realms, i, uri)
    {
        if (rc == BONDY_OK)
            rc = bondy_user_apply_delete(edit, text_of(uri), name, true);
    }
    edit->expected = expected;
    return rc;
}

static int refuse_linked(struct bondy_edit *edit, json_t *realms)
{
    json_t *problem =
        bondy_problem("bondy.error.active_users", "Users of other realms are linked to this one.",
                      "Delete them first, or use force.");

    json_object_set_new(problem, "details", json_pack("{s:o}", "dependents", realms));
    return bondy_edit_refuse(edit, BONDY_ESTATE, problem);
}

int bondy_user_apply_delete(struct bondy_edit *edit, struct bondy_slice realm,
                            struct bondy_slice name, bool force)
{
    struct target target;
    struct bondy_name username;
    json_t *links;
    int rc;

    if (bondy_name_is_reserved(name))
        return refuse_text(edit, BONDY_EDENIED, "bondy.error.reserved_name",
                           "This user is built in and cannot be deleted:", name);
    if ((rc = find(edit, realm, name, &target)) < 0)
        return rc;
    links = find_links(edit, &target);
    if (json_array_size(links) > 0 && !force) {
        fini(&target);
        return refuse_linked(edit, links);
    }
    rc = drop(edit, &target);
    if (rc == BONDY_OK)
        edit->effects |= BONDY_EDIT_DELETED;
    bondy_name_keep(target.place.username, &username);
    fini(&target);
    if (rc == BONDY_OK)
        rc = drop_links(edit, links, bondy_name_slice(&username));
    json_decref(links);
    return rc;
}

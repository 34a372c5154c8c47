/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/user_elements.h"

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

static struct bondy_store_key key_of(const struct bondy_user_place *place,
                                     enum bondy_record_type type, struct bondy_slice subkey)
{
    return (struct bondy_store_key){
        .type = type, .scope = place->realm_uri, .gen = place->realm_gen, .subkey = subkey};
}

/* Takes `body`; NULL deletes. */
static int put(struct bondy_edit *edit, const struct bondy_user_place *place, char kind,
               struct bondy_slice value, json_t *body)
{
    const struct bondy_element element = {place->username, place->ugen, kind, value};
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key;
    int rc;

    bondy_element_format(&element, &subkey);
    key = key_of(place, BONDY_RECORD_USER_ELEMENT, bondy_buf_slice(&subkey));
    rc = body == NULL ? bondy_stored_delete(edit, &key) : bondy_stored_put(edit, &key, 0, body);
    bondy_buf_fini(&subkey);
    json_decref(body);
    return rc;
}

/* ---- what a user has several of ------------------------------------------------------------ */

struct listing {
    char kind;
    json_t *values;
};

static int list_one(void *context, const struct bondy_record *record)
{
    struct listing *listing = context;
    struct bondy_element element;

    if (bondy_element_parse(record->key.subkey, &element) && element.kind == listing->kind)
        json_array_append_new(listing->values, bondy_json_slice(element.value));
    return 0;
}

/* The values of a user's elements of a kind; the caller owns the list. */
static json_t *list(struct bondy_edit *edit, const struct bondy_user_place *place, char kind)
{
    struct listing listing = {kind, json_array()};
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {
        .type = BONDY_RECORD_USER_ELEMENT, .scope = place->realm_uri, .gen = place->realm_gen};

    bondy_element_prefix(place->username, place->ugen, &prefix);
    bondy_buf_append_byte(&prefix, (unsigned char)kind);
    range.prefix = bondy_buf_slice(&prefix);
    bondy_store_view_scan(bondy_edit_view(edit), &range, list_one, &listing);
    bondy_buf_fini(&prefix);
    return listing.values;
}

typedef int (*change_fn)(struct bondy_edit *edit, const struct bondy_user_place *place,
                         struct bondy_slice value);

/* Brings the elements of a kind to what `wanted` holds. */
static int replace(struct bondy_edit *edit, const struct bondy_user_place *place, char kind,
                   const json_t *wanted, change_fn add, change_fn drop)
{
    json_t *there = list(edit, place, kind), *value;
    int rc = BONDY_OK;
    size_t i;

    json_array_foreach(there, i, value)
    {
        if (rc == BONDY_OK && !bondy_stored_list_has(wanted, text_of(value)))
            rc = drop(edit, place, text_of(value));
    }
    json_array_foreach(wanted, i, value)
    {
        if (rc == BONDY_OK)
            rc = add(edit, place, text_of(value));
    }
    json_decref(there);
    return rc;
}

/* ---- keys --------------------------------------------------------------------------------- */

static int put_index(struct bondy_edit *edit, const struct bondy_user_place *place,
                     struct bondy_slice folded, bool is_there)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key;
    json_t *body = json_object();
    int rc;

    bondy_user_key_index(folded, place->username, &subkey);
    key = key_of(place, BONDY_RECORD_USER_ELEMENT, bondy_buf_slice(&subkey));
    rc = is_there ? bondy_stored_put(edit, &key, 0, body) : bondy_stored_delete(edit, &key);
    bondy_buf_fini(&subkey);
    json_decref(body);
    return rc;
}

int bondy_user_put_key(struct bondy_edit *edit, const struct bondy_user_place *place,
                       struct bondy_slice folded)
{
    int rc = put(edit, place, USER_KEY, folded, json_object());

    return rc < 0 ? rc : put_index(edit, place, folded, true);
}

int bondy_user_drop_key(struct bondy_edit *edit, const struct bondy_user_place *place,
                        struct bondy_slice folded)
{
    int rc = put(edit, place, USER_KEY, folded, NULL);

    return rc < 0 ? rc : put_index(edit, place, folded, false);
}

int bondy_user_put_keys(struct bondy_edit *edit, const struct bondy_user_place *place,
                        const json_t *keys)
{
    json_t *wanted = json_array(), *key;
    char folded[USER_KEY_HEX];
    size_t i;
    int rc;

    json_array_foreach(keys, i, key)
    {
        if (bondy_user_fold_key(text_of(key), folded))
            json_array_append_new(wanted, json_stringn(folded, sizeof folded));
    }
    rc = replace(edit, place, USER_KEY, wanted, bondy_user_put_key, bondy_user_drop_key);
    json_decref(wanted);
    return rc;
}

/* ---- groups ------------------------------------------------------------------------------- */

int bondy_user_put_group(struct bondy_edit *edit, const struct bondy_user_place *place,
                         struct bondy_slice group)
{
    return put(edit, place, USER_GROUP, group, json_object());
}

int bondy_user_drop_group(struct bondy_edit *edit, const struct bondy_user_place *place,
                          struct bondy_slice group)
{
    return put(edit, place, USER_GROUP, group, NULL);
}

int bondy_user_put_groups(struct bondy_edit *edit, const struct bondy_user_place *place,
                          const json_t *groups)
{
    return replace(edit, place, USER_GROUP, groups, bondy_user_put_group, bondy_user_drop_group);
}

/* ---- password and switch ------------------------------------------------------------------- */

int bondy_user_put_passwords(struct bondy_edit *edit, const struct bondy_user_place *place,
                             const json_t *verifiers)
{
    bool has_any = json_array_size(verifiers) > 0;

    return put(edit, place, USER_PASSWORD, BONDY_SLICE_EMPTY,
               has_any ? json_deep_copy(verifiers) : NULL);
}

/* Absent is on: what is on already is not written. */
int bondy_user_put_enabled(struct bondy_edit *edit, const struct bondy_user_place *place,
                           bool is_enabled)
{
    const struct bondy_element element = {place->username, place->ugen, USER_ENABLED,
                                          BONDY_SLICE_EMPTY};
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key;
    bool is_there;

    bondy_element_format(&element, &subkey);
    key = key_of(place, BONDY_RECORD_USER_ELEMENT, bondy_buf_slice(&subkey));
    is_there = bondy_stored_has(bondy_edit_view(edit), &key);
    bondy_buf_fini(&subkey);
    if (is_enabled && !is_there)
        return BONDY_OK;
    return put(edit, place, USER_ENABLED, BONDY_SLICE_EMPTY, json_boolean(is_enabled));
}

/* ---- aliases ------------------------------------------------------------------------------ */

/* Whose alias it is; false when there is no record of that name. *owner (NULL for a user's own
 * record) is the caller's. */
static bool find_owner(struct bondy_edit *edit, const struct bondy_user_place *place,
                       struct bondy_slice name, json_t **owner)
{
    struct bondy_store_key key = key_of(place, BONDY_RECORD_USER, name);
    json_t *body = bondy_stored_get(bondy_edit_view(edit), &key, NULL);

    if (body == NULL)
        return false;
    *owner = json_incref(json_object_get(body, "alias_of"));
    json_decref(body);
    return true;
}

static int alias_limit(struct bondy_edit *edit)
{
    json_t *problem =
        bondy_problem_format("bondy.error.property_range_limit",
                             "A user may have at most %u aliases.", edit->rules->max_aliases);

    json_object_set_new(problem, "key", json_string("alias"));
    json_object_set_new(problem, "limit", json_integer(edit->rules->max_aliases));
    return bondy_edit_refuse(edit, BONDY_ELIMIT, problem);
}

/* BONDY_OK with *is_mine when it is the user's already, without when it is free. */
static int check_alias(struct bondy_edit *edit, const struct bondy_user_place *place,
                       struct bondy_slice alias, bool *is_mine)
{
    json_t *owner = NULL;
    bool is_taken = find_owner(edit, place, alias, &owner);

    *is_mine = owner != NULL && bondy_slice_eq(text_of(owner), place->username);
    json_decref(owner);
    if (*is_mine || !is_taken)
        return BONDY_OK;
    return bondy_edit_refuse(edit, BONDY_EEXIST,
                             bondy_problem_format(BONDY_ERR_ALREADY_EXISTS,
                                                  "'" BONDY_SLICE_FMT "' is a name in use.",
                                                  BONDY_SLICE_ARG(alias)));
}

static size_t count_aliases(struct bondy_edit *edit, const struct bondy_user_place *place)
{
    json_t *there = list(edit, place, USER_ALIAS);
    size_t count = json_array_size(there);

    json_decref(there);
    return count;
}

int bondy_user_check_aliases(struct bondy_edit *edit, const struct bondy_user_place *place,
                             const json_t *aliases)
{
    size_t count = json_array_size(aliases) == 0 ? 0 : count_aliases(edit, place), i;
    json_t *alias;

    json_array_foreach(aliases, i, alias)
    {
        struct bondy_name name;
        bool is_mine;
        int rc;

        if (!bondy_name_fold(text_of(alias), &name))
            continue;
        if ((rc = check_alias(edit, place, bondy_name_slice(&name), &is_mine)) < 0)
            return rc;
        /* Its own name is no alias of a user who is only to be made. */
        if (bondy_slice_eq(bondy_name_slice(&name), place->username))
            return bondy_edit_refuse(
                edit, BONDY_EEXIST,
                bondy_problem(BONDY_ERR_ALREADY_EXISTS, "A user's name is no alias of it.", ""));
        count += !is_mine;
    }
    return count > edit->rules->max_aliases ? alias_limit(edit) : BONDY_OK;
}

int bondy_user_put_alias(struct bondy_edit *edit, const struct bondy_user_place *place,
                         struct bondy_slice alias)
{
    struct bondy_store_key key = key_of(place, BONDY_RECORD_USER, alias);
    json_t *body;
    bool is_mine;
    int rc = check_alias(edit, place, alias, &is_mine);

    if (rc < 0 || is_mine)
        return rc;
    if (count_aliases(edit, place) >= edit->rules->max_aliases)
        return alias_limit(edit);
    body = json_pack("{s:o}", "alias_of", bondy_json_slice(place->username));
    rc = bondy_stored_put(edit, &key, bondy_store_next_gen(edit->write, &key), body);
    json_decref(body);
    return rc < 0 ? rc : put(edit, place, USER_ALIAS, alias, json_object());
}

int bondy_user_drop_alias(struct bondy_edit *edit, const struct bondy_user_place *place,
                          struct bondy_slice alias)
{
    struct bondy_store_key key = key_of(place, BONDY_RECORD_USER, alias);
    json_t *owner = NULL;
    bool is_there = find_owner(edit, place, alias, &owner);
    bool is_mine = owner != NULL && bondy_slice_eq(text_of(owner), place->username);
    int rc = BONDY_OK;

    json_decref(owner);
    if (is_there && !is_mine)
        return bondy_edit_refuse(edit, BONDY_EINVAL,
                                 bondy_problem_format("bondy.error.invalid_value",
                                                      "'" BONDY_SLICE_FMT
                                                      "' is not an alias of this user.",
                                                      BONDY_SLICE_ARG(alias)));
    if (is_mine)
        rc = bondy_stored_delete(edit, &key);
    return rc < 0 ? rc : put(edit, place, USER_ALIAS, alias, NULL);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static int drop_each(struct bondy_edit *edit, const struct bondy_user_place *place,
                     const json_t *values, change_fn drop)
{
    int rc = BONDY_OK;
    size_t i;
    json_t *value;

    json_array_foreach(values, i, value)
    {
        if (rc == BONDY_OK)
            rc = drop(edit, place, text_of(value));
    }
    return rc;
}

int bondy_user_drop(struct bondy_edit *edit, const struct bondy_user_place *place,
                    const struct bondy_user *user)
{
    struct bondy_store_key key = key_of(place, BONDY_RECORD_USER, place->username);
    struct bondy_store_range rest = {
        .type = BONDY_RECORD_USER_ELEMENT, .scope = place->realm_uri, .gen = place->realm_gen};
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    int rc = drop_each(edit, place, user->aliases, bondy_user_drop_alias);

    if (rc == BONDY_OK)
        rc = drop_each(edit, place, user->keys, bondy_user_drop_key);
    bondy_element_prefix(place->username, place->ugen, &prefix);
    rest.prefix = bondy_buf_slice(&prefix);
    if (rc == BONDY_OK)
        rc = bondy_stored_delete_range(edit, &rest, NULL, NULL);
    bondy_buf_fini(&prefix);
    return rc < 0 ? rc : bondy_stored_delete(edit, &key);
}

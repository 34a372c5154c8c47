/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/input.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/source.h"
#include "src/security/entity/stored.h"

#define ANYWHERE "0.0.0.0/0"

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

/* ---- input -------------------------------------------------------------------------------- */

static void check_username(struct bondy_input *input, const json_t *value)
{
    /* In a list `all` would hide what the other names say. */
    if (json_is_string(value) && bondy_slice_is(text_of(value), "all"))
        bondy_input_wrong_value(input, value, "may be \"all\", but not hold it in a list");
    else if (!json_is_string(value) || !bondy_slice_is(text_of(value), "anonymous"))
        bondy_input_username(input, value);
}

static void check_usernames(struct bondy_input *input, const json_t *value)
{
    if (json_is_string(value) && bondy_slice_is(text_of(value), "all"))
        return;
    if (json_is_string(value))
        bondy_input_wrong_value(input, value, "must be \"all\" or a list of usernames");
    else
        bondy_input_list(input, value, check_username);
}

static void check_cidr(struct bondy_input *input, const json_t *value)
{
    struct bondy_cidr network;

    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a string");
    else if (bondy_cidr_parse_network(text_of(value), &network, NULL) < 0)
        bondy_input_wrong_value(input, value,
                                "must be a network: an IPv4 address/0 to 32 or an IPv6 address/0 "
                                "to 128");
}

/* A source that was read has `username`: sent back, it means that user. */
static void check_whole(struct bondy_input *input, const json_t *object)
{
    json_t *problem;

    if (json_object_get(object, "usernames") != NULL || json_object_get(object, "username") != NULL)
        return;
    problem = bondy_problem("bondy.error.missing_required_value",
                            "A value for 'usernames' is required.", "");
    json_object_set_new(problem, "key", json_string("usernames"));
    bondy_input_add(input, problem);
}

static void check_one_username(struct bondy_input *input, const json_t *value)
{
    if (!json_is_string(value) || !bondy_slice_is(text_of(value), "all"))
        check_username(input, value);
}

static const struct bondy_input_row rows[] = {
    {"usernames", 0, check_usernames},
    {"username", 0, check_one_username},
    {"authmethod", BONDY_INPUT_REQUIRED, bondy_input_authmethod},
    {"cidr", BONDY_INPUT_NULL, check_cidr},
    {"meta", BONDY_INPUT_NULL, bondy_input_meta},
    {"type", BONDY_INPUT_EXTERNAL, NULL},
    {"version", BONDY_INPUT_EXTERNAL, NULL},
    {"managed_by", BONDY_INPUT_EXTERNAL, NULL},
    {"inherited_from", BONDY_INPUT_EXTERNAL, NULL},
};

const struct bondy_input_table bondy_source_table = {"source", rows, BONDY_COUNT(rows),
                                                     check_whole};

int bondy_source_check(const struct bondy_edit *edit, const json_t *input, json_t **problem)
{
    struct bondy_input check;

    bondy_input_start(&check, edit, false);
    bondy_input_object(&check, &bondy_source_table, input);
    return bondy_input_end(&check, problem);
}

/* ---- usernames ---------------------------------------------------------------------------- */

/* Appends the canonical name of a user, or to `unknown` what is none. */
static void add_name(struct bondy_edit *edit, const struct bondy_realm *realm,
                     const json_t *username, json_t *names, json_t *unknown)
{
    struct bondy_slice text = text_of(username);
    struct bondy_user user;

    if (bondy_slice_is(text, "all") || bondy_slice_is(text, "anonymous")) {
        json_array_append(names, (json_t *)(uintptr_t)username);
    } else if (bondy_user_find(bondy_edit_view(edit), realm, text, &user)) {
        json_array_append_new(names, json_string(user.username));
        bondy_user_fini(&user);
    } else {
        json_array_append(unknown, (json_t *)(uintptr_t)username);
    }
}

/* The canonical names that the input means; the caller owns *out. */
static int find_names(struct bondy_edit *edit, const struct bondy_realm *realm, const json_t *input,
                      json_t **out)
{
    const json_t *given = json_object_get(input, "usernames");
    json_t *names = json_array(), *unknown = json_array(), *one;
    size_t i;

    if (given == NULL)
        given = json_object_get(input, "username");
    if (json_is_string(given))
        add_name(edit, realm, given, names, unknown);
    json_array_foreach(given, i, one)
    {
        add_name(edit, realm, one, names, unknown);
    }
    if (json_array_size(unknown) > 0) {
        json_decref(names);
        return bondy_edit_refuse_names(
            edit, BONDY_EINVAL,
            bondy_problem("bondy.error.no_such_users", "There are no users of these names.", ""),
            unknown);
    }
    json_decref(unknown);
    *out = names;
    return BONDY_OK;
}

/* ---- adding ------------------------------------------------------------------------------- */

static int put(struct bondy_edit *edit, const struct bondy_realm *realm,
               const struct bondy_source *source)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_key key = {
        .type = BONDY_RECORD_SOURCE, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};
    json_t *body = json_pack("{s:O}", "meta", source->meta), *stored;
    int rc;

    bondy_buf_append_slice(&subkey, source->username);
    bondy_buf_append_byte(&subkey, 0);
    bondy_buf_append_slice(&subkey, source->cidr);
    bondy_buf_append_byte(&subkey, 0);
    bondy_buf_append_slice(&subkey, source->authmethod);
    key.subkey = bondy_buf_slice(&subkey);
    stored = bondy_stored_get(bondy_edit_view(edit), &key, NULL);
    if (edit->is_file || bondy_stored_is_managed(stored))
        json_object_set_new(body, "managed_by", json_string("file"));
    if (stored == NULL)
        edit->effects |= BONDY_EDIT_CREATED;
    rc = bondy_stored_put(edit, &key, 0, body);
    json_decref(stored);
    json_decref(body);
    bondy_buf_fini(&subkey);
    return rc;
}

int bondy_source_apply_add(struct bondy_edit *edit, struct bondy_slice realm_uri,
                           const json_t *input)
{
    const struct bondy_realm *realm;
    struct bondy_source source = {.cidr = bondy_json_text(input, "cidr"),
                                  .authmethod = bondy_json_text(input, "authmethod")};
    char cidr[BONDY_ADDRESS_TEXT];
    json_t *problem, *names, *name;
    size_t i;
    int rc = bondy_source_check(edit, input, &problem);

    if (rc < 0)
        return bondy_edit_refuse(edit, rc, problem);
    if ((rc = bondy_edit_realm(edit, realm_uri, &realm)) < 0 ||
        (rc = find_names(edit, realm, input, &names)) < 0)
        return rc;
    if (source.cidr.len == 0)
        source.cidr = BONDY_SLICE(ANYWHERE);
    bondy_cidr_parse_network(source.cidr, &source.network, NULL);
    source.cidr = bondy_slice_text(bondy_cidr_format(&source.network, cidr));
    source.meta = json_object_get(input, "meta");
    source.meta = json_is_object(source.meta) ? json_incref(source.meta) : json_object();
    json_array_foreach(names, i, name)
    {
        source.username = text_of(name);
        if (rc == BONDY_OK)
            rc = put(edit, realm, &source);
    }
    if (rc == BONDY_OK) {
        json_decref(edit->result);
        edit->result = bondy_source_external(&source);
        json_object_del(edit->result, "username");
    }
    json_decref(source.meta);
    json_decref(names);
    return rc;
}

/* ---- deleting ----------------------------------------------------------------------------- */

static int delete_of(struct bondy_edit *edit, const struct bondy_realm *realm,
                     struct bondy_slice username, struct bondy_slice cidr,
                     struct bondy_slice authmethod)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {
        .type = BONDY_RECORD_SOURCE, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};
    unsigned before = edit->writes;
    int rc;

    bondy_buf_append_slice(&prefix, username);
    bondy_buf_append_byte(&prefix, 0);
    if (cidr.len > 0) {
        bondy_buf_append_slice(&prefix, cidr);
        bondy_buf_append_byte(&prefix, 0);
    }
    if (authmethod.len > 0) {
        struct bondy_store_key key = {.type = range.type, .scope = range.scope, .gen = range.gen};

        bondy_buf_append_slice(&prefix, authmethod);
        key.subkey = bondy_buf_slice(&prefix);
        rc = bondy_stored_delete(edit, &key);
    } else {
        range.prefix = bondy_buf_slice(&prefix);
        rc = bondy_stored_delete_range(edit, &range, NULL, NULL);
    }
    bondy_buf_fini(&prefix);
    if (edit->writes != before)
        edit->effects |= BONDY_EDIT_DELETED;
    return rc;
}

int bondy_source_apply_delete_user(struct bondy_edit *edit, const struct bondy_realm *realm,
                                   struct bondy_slice username)
{
    unsigned effects = edit->effects;
    int rc = delete_of(edit, realm, username, BONDY_SLICE_EMPTY, BONDY_SLICE_EMPTY);

    edit->effects = effects;
    return rc;
}

static int refuse_value(struct bondy_edit *edit, const char *key, const char *message)
{
    json_t *problem = bondy_problem("bondy.error.invalid_value", message, "");

    json_object_set_new(problem, "key", json_string(key));
    return bondy_edit_refuse(edit, BONDY_EINVAL, problem);
}

/* A user that is gone has no sources any more, so an unknown name deletes nothing. */
static int delete_name(struct bondy_edit *edit, const struct bondy_realm *realm,
                       const json_t *username, struct bondy_slice cidr,
                       struct bondy_slice authmethod)
{
    struct bondy_name name;
    struct bondy_user user;
    int rc;

    if (!json_is_string(username) || !bondy_name_fold(text_of(username), &name))
        return refuse_value(edit, "usernames", "'usernames' must be names of users.");
    if (!bondy_name_is_reserved(bondy_name_slice(&name)) &&
        bondy_user_find(bondy_edit_view(edit), realm, bondy_name_slice(&name), &user)) {
        rc = delete_of(edit, realm, bondy_slice_text(user.username), cidr, authmethod);
        bondy_user_fini(&user);
        return rc;
    }
    return delete_of(edit, realm, bondy_name_slice(&name), cidr, authmethod);
}

int bondy_source_apply_delete(struct bondy_edit *edit, struct bondy_slice realm_uri,
                              const json_t *usernames, struct bondy_slice cidr,
                              struct bondy_slice authmethod)
{
    const struct bondy_realm *realm;
    struct bondy_cidr network;
    char text[BONDY_ADDRESS_TEXT];
    size_t i;
    json_t *one;
    int rc = bondy_edit_realm(edit, realm_uri, &realm);

    if (rc < 0)
        return rc;
    if (bondy_cidr_parse_network(cidr, &network, NULL) < 0)
        return refuse_value(edit, "cidr", "'cidr' must be a network such as 10.0.0.0/8.");
    if (authmethod.len > 0 && !bondy_name_is_authmethod(authmethod))
        return refuse_value(edit, "authmethod", "'authmethod' must be the name of a method.");
    cidr = bondy_slice_text(bondy_cidr_format(&network, text));
    if (!json_is_array(usernames))
        return delete_name(edit, realm, usernames, cidr, authmethod);
    json_array_foreach(usernames, i, one)
    {
        if (rc == BONDY_OK)
            rc = delete_name(edit, realm, one, cidr, authmethod);
    }
    return rc;
}

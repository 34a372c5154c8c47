/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/input.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"
#include "src/wamp/errors.h"

/* What a realm document may hold (1.1), and the slow part of it: passwords and keys. */

#define DESCRIPTION_MAX 512
#define KEYS_MAX 20
#define NEW_KEYS 3

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

/* ---- values ------------------------------------------------------------------------------- */

static void check_description(struct bondy_input *input, const json_t *value)
{
    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a string");
    else if (json_string_length(value) > DESCRIPTION_MAX)
        bondy_input_wrong_value(input, value, "must have at most 512 octets");
}

static void check_authmethods(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, bondy_input_authmethod);
}

static void check_users(struct bondy_input *input, const json_t *value)
{
    bondy_input_list_of(input, value, &bondy_user_table);
}

static void check_groups(struct bondy_input *input, const json_t *value)
{
    bondy_input_list_of(input, value, &bondy_group_table);
}

static void check_sources(struct bondy_input *input, const json_t *value)
{
    bondy_input_list_of(input, value, &bondy_source_table);
}

static void check_grants(struct bondy_input *input, const json_t *value)
{
    bondy_input_list_of(input, value, &bondy_grant_table);
}

/* A PEM text from outside; inside of a job what prepare made of it. */
static void check_key(struct bondy_input *input, const json_t *value)
{
    if (input->is_prepared ? !json_is_object(value) : !json_is_string(value))
        bondy_input_wrong_type(input, value, "a list of private keys in PEM form");
    else if (json_string_length(value) > BONDY_KEY_PEM_MAX)
        bondy_input_wrong_value(input, value, "must hold keys of at most 8192 octets");
}

static void check_keys(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, check_key);
    if (json_array_size(value) > KEYS_MAX)
        bondy_input_wrong_value(input, value, "may have at most 20 keys");
}

static void check_procedure(struct bondy_input *input, const json_t *value)
{
    if (!json_is_string(value) || !bondy_input_is_uri(text_of(value), BONDY_MATCH_EXACT))
        bondy_input_wrong_value(input, value, "must be the URI of a procedure");
}

static void check_timeout(struct bondy_input *input, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > 3600000)
        bondy_input_wrong_value(input, value, "must be milliseconds, 1 to 3600000");
}

static const struct bondy_input_row authenticator_rows[] = {
    {"procedure", BONDY_INPUT_REQUIRED, check_procedure},
    {"authmethods", BONDY_INPUT_REQUIRED, check_authmethods},
};
static const struct bondy_input_table authenticator_table = {"authenticator", authenticator_rows,
                                                             BONDY_COUNT(authenticator_rows), NULL};

static const struct bondy_input_row authorizer_rows[] = {
    {"procedure", BONDY_INPUT_REQUIRED, check_procedure},
    {"timeout", BONDY_INPUT_NULL, check_timeout},
};
static const struct bondy_input_table authorizer_table = {"authorizer", authorizer_rows,
                                                          BONDY_COUNT(authorizer_rows), NULL};

/* Replaced as a whole, so it is complete in an update too. */
static void check_whole_object(struct bondy_input *input, const json_t *value,
                               const struct bondy_input_table *table)
{
    bool is_update = input->is_update;

    input->is_update = false;
    input->key = NULL;
    bondy_input_object(input, table, value);
    input->is_update = is_update;
}

static void check_authenticator(struct bondy_input *input, const json_t *value)
{
    check_whole_object(input, value, &authenticator_table);
}

static void check_authorizer(struct bondy_input *input, const json_t *value)
{
    check_whole_object(input, value, &authorizer_table);
}

/* ---- what concerns several keys -------------------------------------------------------------- */

static bool is_set(const json_t *object, const char *key)
{
    return json_is_string(json_object_get(object, key));
}

static bool is_same_realm(const json_t *object, const char *key)
{
    struct bondy_slice own = bondy_json_text(object, "uri"), other = bondy_json_text(object, key);
    char a[BONDY_REALM_URI_MAX], b[BONDY_REALM_URI_MAX];
    size_t a_len, b_len;

    return own.len > 0 && bondy_realm_canonical(NULL, own, a, sizeof a, &a_len) &&
           bondy_realm_canonical(NULL, other, b, sizeof b, &b_len) &&
           bondy_slice_eq(bondy_slice_of(a, a_len), bondy_slice_of(b, b_len));
}

static void check_whole(struct bondy_input *input, const json_t *object)
{
    if (json_is_true(json_object_get(object, "is_prototype")) && is_set(object, "prototype_uri"))
        bondy_input_inconsistent(input, "A prototype cannot have a prototype itself.",
                                 "is_prototype", "prototype_uri");
    if (json_is_true(json_object_get(object, "is_sso_realm")) && is_set(object, "sso_realm_uri"))
        bondy_input_inconsistent(input, "An SSO realm cannot use an SSO realm itself.",
                                 "is_sso_realm", "sso_realm_uri");
    if (is_same_realm(object, "prototype_uri"))
        bondy_input_inconsistent(input, "A realm cannot be its own prototype.", "uri",
                                 "prototype_uri");
    if (is_same_realm(object, "sso_realm_uri"))
        bondy_input_inconsistent(input, "A realm cannot be its own SSO realm.", "uri",
                                 "sso_realm_uri");
}

static const struct bondy_input_row rows[] = {
    {"uri", BONDY_INPUT_REQUIRED | BONDY_INPUT_FIXED, bondy_input_realm_uri},
    {"description", BONDY_INPUT_NULL, check_description},
    {"is_prototype", 0, bondy_input_flag},
    {"prototype_uri", BONDY_INPUT_NULL, bondy_input_realm_uri},
    {"is_sso_realm", 0, bondy_input_flag},
    {"sso_realm_uri", BONDY_INPUT_NULL, bondy_input_realm_uri},
    {"allow_connections", BONDY_INPUT_NULL, bondy_input_flag},
    {"authmethods", BONDY_INPUT_NULL, check_authmethods},
    {"security_enabled", BONDY_INPUT_NULL, bondy_input_flag},
    {"users", 0, check_users},
    {"groups", 0, check_groups},
    {"sources", 0, check_sources},
    {"grants", 0, check_grants},
    {"private_keys", BONDY_INPUT_SECRET, check_keys},
    {"encryption_keys", BONDY_INPUT_SECRET, check_keys},
    {"info", BONDY_INPUT_SECRET | BONDY_INPUT_NULL, bondy_input_meta},
    {"authenticator", BONDY_INPUT_NULL, check_authenticator},
    {"authorizer", BONDY_INPUT_NULL, check_authorizer},
    {"password_opts", BONDY_INPUT_NULL, bondy_input_password_opts},
    {"prune", BONDY_INPUT_FILE, bondy_input_flag},
    {"type", BONDY_INPUT_EXTERNAL, NULL},
    {"version", BONDY_INPUT_EXTERNAL, NULL},
    {"etag", BONDY_INPUT_EXTERNAL, NULL},
    {"security_status", BONDY_INPUT_EXTERNAL, NULL},
    {"public_keys", BONDY_INPUT_EXTERNAL, NULL},
    {"effective", BONDY_INPUT_EXTERNAL, NULL},
    {"managed_by", BONDY_INPUT_EXTERNAL, NULL},
    {"created_at", BONDY_INPUT_EXTERNAL, NULL},
    {"updated_at", BONDY_INPUT_EXTERNAL, NULL},
};

const struct bondy_input_table bondy_realm_table = {"realm", rows, BONDY_COUNT(rows), check_whole};

int bondy_realm_check_input(const struct bondy_edit *edit, const json_t *input, bool is_update,
                            bool is_prepared, json_t **problem)
{
    struct bondy_input check;

    bondy_input_start(&check, edit, is_update);
    check.is_prepared = is_prepared;
    bondy_input_object(&check, &bondy_realm_table, input);
    return bondy_input_end(&check, problem);
}

int bondy_realm_check(const struct bondy_edit *edit, const json_t *input, bool is_update,
                      json_t **problem)
{
    size_t *order = NULL;
    int rc = bondy_realm_check_input(edit, input, is_update, false, problem);

    if (rc == BONDY_OK)
        rc = bondy_realm_sort_groups(json_object_get(input, "groups"), &order, problem);
    bondy_free(order);
    return rc;
}

/* ---- preparing ---------------------------------------------------------------------------- */

void bondy_realm_locate(json_t *problem, const char *prefix)
{
    json_t *errors = json_object_get(problem, "errors"), *one;
    struct bondy_buf pointer = BONDY_BUF_EMPTY;
    size_t i;

    json_array_foreach(errors, i, one)
    {
        bondy_realm_locate(one, prefix);
    }
    if (json_array_size(errors) > 0)
        return;
    bondy_buf_append_text(&pointer, prefix);
    bondy_buf_append_slice(&pointer, bondy_json_text(problem, "pointer"));
    json_object_set_new(problem, "pointer", bondy_json_slice(bondy_buf_slice(&pointer)));
    bondy_buf_fini(&pointer);
}

static json_t *key_object(const struct bondy_key *key)
{
    return json_pack("{s:s, s:s, s:s, s:O}", "kid", key->kid, "pem", key->pem, "public_pem",
                     key->public_pem, "jwk", key->jwk);
}

static int make_keys(enum bondy_key_kind kind, size_t count, json_t *list, struct bondy_error *err)
{
    int rc = BONDY_OK;

    for (size_t i = 0; rc == BONDY_OK && i < count; i++) {
        struct bondy_key *key = NULL;
        char *pem = NULL;

        rc = bondy_key_generate_wait(kind, &pem, err);
        if (rc == BONDY_OK)
            rc = bondy_key_parse(bondy_slice_text(pem), kind, BONDY_SLICE_EMPTY, &key, err);
        if (rc == BONDY_OK)
            json_array_append_new(list, key_object(key));
        bondy_key_destroy(key);
        bondy_stored_wipe(pem);
    }
    return rc;
}

int bondy_realm_make_keys_wait(size_t signing, size_t encryption, json_t **out,
                               struct bondy_error *err)
{
    json_t *keys = json_pack("{s:[], s:[]}", "signing", "encryption");
    int rc = make_keys(BONDY_KEY_EC_P256, signing, json_object_get(keys, "signing"), err);

    if (rc == BONDY_OK)
        rc = make_keys(BONDY_KEY_RSA_2048, encryption, json_object_get(keys, "encryption"), err);
    if (rc < 0)
        json_decref(keys);
    else
        *out = keys;
    return rc;
}

/* Replaces the PEM texts of a list; an empty list means: new ones. */
static int prepare_keys(json_t *input, const char *name, enum bondy_key_kind kind, json_t **problem)
{
    json_t *given = json_object_get(input, name), *made, *pem;
    struct bondy_error err = {0};
    char pointer[64];
    size_t i;
    int rc = BONDY_OK;

    if (given == NULL)
        return BONDY_OK;
    made = json_array();
    if (json_array_size(given) == 0)
        rc = make_keys(kind, NEW_KEYS, made, &err);
    json_array_foreach(given, i, pem)
    {
        struct bondy_key *key = NULL;

        if (rc < 0)
            break;
        rc = bondy_key_parse(text_of(pem), kind, BONDY_SLICE_EMPTY, &key, &err);
        if (rc == BONDY_OK && key->pem == NULL)
            rc = bondy_fail(&err, BONDY_EINVAL, "this is a public key");
        if (rc == BONDY_OK)
            json_array_append_new(made, key_object(key));
        snprintf(pointer, sizeof pointer, "/%s/%zu", name, i);
        bondy_key_destroy(key);
    }
    if (rc == BONDY_OK) {
        json_object_set_new(input, name, made);
        return BONDY_OK;
    }
    json_decref(made);
    *problem = bondy_problem_format("bondy.error.invalid_value",
                                    "'%s' must hold private keys in PEM form: %s.", name, err.text);
    json_object_set_new(*problem, "key", json_string(name));
    if (json_array_size(given) > 0)
        bondy_realm_locate(*problem, pointer);
    return BONDY_EINVAL;
}

int bondy_realm_prepare_keys(json_t *input, json_t **problem)
{
    int rc = prepare_keys(input, "private_keys", BONDY_KEY_EC_P256, problem);

    return rc < 0 ? rc : prepare_keys(input, "encryption_keys", BONDY_KEY_RSA_2048, problem);
}

/* What the realm will have: the input says it, else its prototype, else it is as before. */
static const json_t *coming(const json_t *input, const struct bondy_realm *base,
                            const struct bondy_realm *prototype, const char *key)
{
    const json_t *value = json_object_get(input, key);

    if (value == NULL && base != NULL)
        value = json_object_get(base->document, key);
    if ((value == NULL || json_is_null(value)) && prototype != NULL)
        value = json_object_get(prototype->document, key);
    return json_is_null(value) ? NULL : value;
}

static int prepare_users(const struct bondy_edit *edit, const struct bondy_password_opts *opts,
                         json_t *users, json_t **problem)
{
    char pointer[64];
    size_t i;
    json_t *user;

    json_array_foreach(users, i, user)
    {
        int rc = bondy_user_prepare(edit, opts, user, false, NULL, problem);

        if (rc == BONDY_OK)
            continue;
        snprintf(pointer, sizeof pointer, "/users/%zu", i);
        bondy_realm_locate(*problem, pointer);
        return rc;
    }
    return BONDY_OK;
}

int bondy_realm_prepare(const struct bondy_edit *edit, const struct bondy_realm *base,
                        const struct bondy_realm *prototype, json_t *input, bool is_update,
                        json_t **problem)
{
    struct bondy_password_opts opts;
    const json_t *methods;
    int rc = bondy_realm_check(edit, input, is_update, problem);

    if (rc < 0)
        return rc;
    methods = coming(input, base, prototype, "authmethods");
    if (methods == NULL && base != NULL)
        methods = base->authmethods;
    opts = bondy_user_password_opts(edit->rules, methods,
                                    coming(input, base, prototype, "password_opts"));
    if ((rc = bondy_realm_prepare_keys(input, problem)) < 0)
        return rc;
    return prepare_users(edit, &opts, json_object_get(input, "users"), problem);
}

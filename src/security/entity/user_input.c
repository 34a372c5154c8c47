/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/input.h"
#include "src/security/entity/user_local.h"
#include "src/wamp/errors.h"

/* What a user's input may hold (2.3), and the slow part of it: hashing the password. */

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

/* ---- shape -------------------------------------------------------------------------------- */

void bondy_input_username(struct bondy_input *input, const json_t *value)
{
    struct bondy_slice text = text_of(value);
    struct bondy_name name;
    json_t *problem;

    if (!json_is_string(value)) {
        bondy_input_wrong_type(input, value, "a string");
    } else if (bondy_name_is_reserved(text)) {
        problem = bondy_problem_format("bondy.error.reserved_name",
                                       "The name '" BONDY_SLICE_FMT "' is reserved.",
                                       BONDY_SLICE_ARG(text));
        json_object_set_new(problem, "key", json_string(input->key));
        bondy_input_add(input, problem);
    } else if (text.len < BONDY_USERNAME_MIN || !bondy_name_fold(text, &name)) {
        bondy_input_wrong_value(input, value, bondy_name_rule(true));
    }
}

static void check_password(struct bondy_input *input, const json_t *value)
{
    json_t *stored = NULL;
    json_t *problem;

    if (json_is_string(value)) {
        /* Apply may not find text any more: it would have to hash. */
        problem =
            input->is_prepared
                ? bondy_problem(BONDY_ERR_INTERNAL, "The password was not prepared.", "")
                : bondy_password_check(text_of(value), input->rules->password_min,
                                       input->rules->password_max, input->rules->legacy_charset);
    } else if (json_is_array(value) && json_array_size(value) == 0) {
        return;
    } else {
        problem = bondy_password_parse(value, &stored);
    }
    json_decref(stored);
    if (problem == NULL)
        return;
    json_object_set_new(problem, "key", json_string(input->key));
    bondy_input_add(input, problem);
}

static void check_key(struct bondy_input *input, const json_t *value)
{
    char folded[USER_KEY_HEX];

    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a list of texts");
    else if (!bondy_user_fold_key(text_of(value), folded))
        bondy_input_wrong_value(input, value, "must hold Ed25519 keys of 64 hex digits");
}

/* One more than `max` is told by the limit, not by its length. */
static void check_count(struct bondy_input *input, const json_t *value, unsigned max)
{
    json_t *problem;

    if (json_array_size(value) <= max)
        return;
    problem = bondy_problem_format("bondy.error.property_range_limit",
                                   "'%s' may have at most %u items.", input->key, max);
    json_object_set_new(problem, "key", json_string(input->key));
    json_object_set_new(problem, "limit", json_integer(max));
    bondy_input_add(input, problem);
}

static void check_keys(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, check_key);
    check_count(input, value, input->rules->max_keys);
}

static void check_groups(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, bondy_input_name);
    check_count(input, value, input->rules->max_groups);
}

static void check_aliases(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, bondy_input_username);
    check_count(input, value, input->rules->max_aliases);
}

void bondy_input_password_opts(struct bondy_input *input, const json_t *value)
{
    struct bondy_password_opts opts = BONDY_PASSWORD_OPTS_DEFAULT;
    json_t *problem;

    if (!json_is_object(value)) {
        bondy_input_wrong_type(input, value, "an object");
        return;
    }
    problem = bondy_password_opts_parse(value, &opts, &opts);
    if (problem != NULL)
        bondy_input_add(input, problem);
}

/* `aliases` is of the external form; it is taken when a user is made or brought to what a file
 * says, and ignored in updates (there are procedures for it). */
static const struct bondy_input_row rows[] = {
    {"username", BONDY_INPUT_REQUIRED | BONDY_INPUT_FIXED, bondy_input_username},
    {"password", BONDY_INPUT_SECRET | BONDY_INPUT_NULL, check_password},
    {"authorized_keys", BONDY_INPUT_SECRET | BONDY_INPUT_NULL, check_keys},
    {"groups", BONDY_INPUT_NULL, check_groups},
    {"sso_realm_uri", BONDY_INPUT_NULL | BONDY_INPUT_FIXED, bondy_input_realm_uri},
    {"enabled", 0, bondy_input_flag},
    {"meta", BONDY_INPUT_NULL, bondy_input_meta},
    {"password_opts", BONDY_INPUT_NULL, bondy_input_password_opts},
    {"aliases", BONDY_INPUT_NULL | BONDY_INPUT_FIXED, check_aliases},
    {"type", BONDY_INPUT_EXTERNAL, NULL},
    {"version", BONDY_INPUT_EXTERNAL, NULL},
    {"has_authorized_keys", BONDY_INPUT_EXTERNAL, NULL},
    {"has_password", BONDY_INPUT_EXTERNAL, NULL},
    {"managed_by", BONDY_INPUT_EXTERNAL, NULL},
    {"created_at", BONDY_INPUT_EXTERNAL, NULL},
    {"updated_at", BONDY_INPUT_EXTERNAL, NULL},
    {"etag", BONDY_INPUT_EXTERNAL, NULL},
};

const struct bondy_input_table bondy_user_table = {"user", rows, BONDY_COUNT(rows), NULL};

int bondy_user_check(const struct bondy_edit *edit, const json_t *input, bool is_update,
                     bool is_prepared, json_t **problem)
{
    struct bondy_input check;

    bondy_input_start(&check, edit, is_update);
    check.is_prepared = is_prepared;
    bondy_input_object(&check, &bondy_user_table, input);
    return bondy_input_end(&check, problem);
}

/* ---- passwords ---------------------------------------------------------------------------- */

struct bondy_password_opts bondy_user_password_opts(const struct bondy_security_rules *rules,
                                                    const json_t *authmethods, const json_t *given)
{
    /* A realm that says nothing has wampcra among its methods. */
    bool needs_cra =
        authmethods == NULL || bondy_stored_list_has(authmethods, BONDY_SLICE("wampcra"));
    bool needs_scram = bondy_stored_list_has(authmethods, BONDY_SLICE("wamp-scram"));
    bool is_argon = strcmp(rules->scram_kdf, "argon2id13") == 0;
    struct bondy_password_opts opts = {
        .cra = !rules->scram_by_default,
        .scram = rules->scram_by_default,
        .cra_iterations = rules->pbkdf2_iterations,
        .scram_cost = is_argon
                          ? (struct bondy_kdf_cost){BONDY_KDF_ARGON2ID13, 3, 64 * 1024}
                          : (struct bondy_kdf_cost){BONDY_KDF_PBKDF2, rules->pbkdf2_iterations, 0}};

    if (needs_cra || needs_scram) {
        opts.cra = needs_cra;
        opts.scram = needs_scram;
    }
    if (given == NULL || json_is_null(given))
        return opts;
    json_decref(bondy_password_opts_parse(given, &opts, &opts));
    opts.cra |= needs_cra;
    opts.scram |= needs_scram;
    return opts;
}

int bondy_user_prepare_password(const struct bondy_security_rules *rules,
                                const struct bondy_password_opts *opts, struct bondy_slice text,
                                json_t **out, json_t **problem)
{
    struct bondy_error err;

    *problem =
        bondy_password_check(text, rules->password_min, rules->password_max, rules->legacy_charset);
    if (*problem != NULL) {
        json_object_set_new(*problem, "key", json_string("password"));
        return BONDY_EINVAL;
    }
    *out = bondy_password_make_wait(text, opts, &err);
    if (*out != NULL)
        return BONDY_OK;
    *problem = bondy_problem(BONDY_ERR_INTERNAL, "The password could not be hashed.", err.text);
    return BONDY_EIO;
}

bool bondy_user_password_fits(const json_t *stored, struct bondy_slice text)
{
    bool fits = false;

    return json_array_size(stored) > 0 &&
           bondy_password_verify_wait(stored, text, &fits, NULL) == BONDY_OK && fits;
}

/* The tree's own copy of the text; nobody else reads it any more. */
static void wipe(const json_t *text)
{
    sodium_memzero((char *)(uintptr_t)json_string_value(text), json_string_length(text));
}

static int prepare_text(const struct bondy_edit *edit, const struct bondy_password_opts *opts,
                        json_t *input, const json_t *stored, json_t **problem)
{
    json_t *password = json_object_get(input, "password"), *made = NULL;
    json_t *given = json_object_get(input, "password_opts");
    struct bondy_password_opts own = *opts;
    int rc = BONDY_OK;

    if (json_is_object(given))
        json_decref(bondy_password_opts_parse(given, opts, &own));
    own.cra |= opts->cra && opts->scram;
    own.scram |= opts->cra && opts->scram;
    if (json_array_size(stored) > 0 && !bondy_password_is_weaker(stored, &own) &&
        bondy_user_password_fits(stored, text_of(password)))
        made = json_deep_copy(stored);
    else
        rc = bondy_user_prepare_password(edit->rules, &own, text_of(password), &made, problem);
    wipe(password);
    if (made == NULL)
        json_object_del(input, "password");
    else
        json_object_set_new(input, "password", made);
    return rc;
}

int bondy_user_prepare(const struct bondy_edit *edit, const struct bondy_password_opts *opts,
                       json_t *input, bool is_update, const json_t *stored, json_t **problem)
{
    json_t *password, *parsed = NULL;
    int rc = bondy_user_check(edit, input, is_update, false, problem);

    if (rc < 0)
        return rc;
    password = json_object_get(input, "password");
    if (json_is_string(password))
        return prepare_text(edit, opts, input, stored, problem);
    if (json_is_object(password) || json_array_size(password) > 0) {
        *problem = bondy_password_parse(password, &parsed);
        if (*problem != NULL)
            return BONDY_EINVAL;
        json_object_set_new(input, "password", parsed);
    }
    return BONDY_OK;
}

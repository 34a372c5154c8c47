/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/input.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/problem.h"
#include "src/security/entity/names.h"
#include "src/security/entity/realm.h"
#include "src/wamp/errors.h"

#define MAX_PROBLEMS 100
#define MAX_UNKNOWN 20
#define MAX_ECHO 256 /* octets of a wrong text that are repeated */

void bondy_input_start(struct bondy_input *input, const struct bondy_edit *edit, bool is_update)
{
    *input = (struct bondy_input){.rules = edit->rules,
                                  .is_update = is_update,
                                  .is_lenient = edit->is_lenient,
                                  .is_quiet = edit->write != NULL,
                                  .problems = json_array()};
}

int bondy_input_end(struct bondy_input *input, json_t **problem)
{
    bondy_buf_fini(&input->pointer);
    *problem = bondy_problem_of_list(BONDY_MOVE(input->problems));
    return *problem == NULL ? BONDY_OK : BONDY_EINVAL;
}

/* ---- mistakes ----------------------------------------------------------------------------- */

void bondy_input_add(struct bondy_input *input, json_t *problem)
{
    if (json_array_size(input->problems) >= MAX_PROBLEMS) {
        json_decref(problem);
        return;
    }
    if (input->pointer.len > 0)
        json_object_set_new(problem, "pointer", bondy_json_slice(bondy_buf_slice(&input->pointer)));
    json_array_append_new(input->problems, problem);
}

static void add_value(struct bondy_input *input, json_t *problem, const json_t *value)
{
    if (input->key != NULL)
        json_object_set_new(problem, "key", json_string(input->key));
    if (!input->is_secret && !json_is_object(value) && !json_is_array(value) &&
        json_string_length(value) <= MAX_ECHO)
        json_object_set(problem, "value", (json_t *)(uintptr_t)value);
    bondy_input_add(input, problem);
}

void bondy_input_wrong_type(struct bondy_input *input, const json_t *value, const char *expected)
{
    json_t *problem =
        input->key == NULL
            ? bondy_problem_format("bondy.error.invalid_datatype", "This must be %s.", expected)
            : bondy_problem_format("bondy.error.invalid_datatype", "'%s' must be %s.", input->key,
                                   expected);

    add_value(input, problem, value);
}

void bondy_input_wrong_value(struct bondy_input *input, const json_t *value, const char *expected)
{
    add_value(input,
              bondy_problem_format("bondy.error.invalid_value", "'%s' %s.",
                                   input->key == NULL ? "value" : input->key, expected),
              value);
}

void bondy_input_inconsistent(struct bondy_input *input, const char *message, const char *one,
                              const char *other)
{
    json_t *problem = bondy_problem(BONDY_ERR_INVALID_ARGUMENT, message, "");

    json_object_set_new(problem, "keys", json_pack("[s, s]", one, other));
    bondy_input_add(input, problem);
}

/* ---- objects ------------------------------------------------------------------------------ */

static const struct bondy_input_row *find_row(const struct bondy_input_table *table,
                                              const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].key, key) == 0)
            return &table->rows[i];
    return NULL;
}

/* Only what may be given is suggested. */
static const char *nearest(const struct bondy_input_table *table, const char *key)
{
    const char **candidates = bondy_calloc(table->count + 1, sizeof *candidates);
    const char *found;
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        if (!(table->rows[i].flags & (BONDY_INPUT_EXTERNAL | BONDY_INPUT_FILE)))
            candidates[count++] = table->rows[i].key;
    found = bondy_json_nearest(bondy_slice_text(key), candidates);
    bondy_free(candidates);
    return found;
}

/* Takes `names`. */
static void refuse_unknown(struct bondy_input *input, const struct bondy_input_table *table,
                           json_t *names)
{
    const char *name = json_string_value(json_array_get(names, 0));
    const char *meant = nearest(table, name);
    json_t *problem;

    if (input->is_lenient && input->is_quiet) {
        json_decref(names);
        return;
    }
    if (input->is_lenient) {
        bondy_log(BONDY_LOG_WARN, "input_key_dropped", BONDY_F_STR("object", table->noun),
                  BONDY_F_SLICE("at", bondy_buf_slice(&input->pointer)), BONDY_F_STR("key", name));
        json_decref(names);
        return;
    }
    if (meant == NULL)
        problem = bondy_problem_format(BONDY_ERR_INVALID_DATA, "Unknown key '%s' of a %s.", name,
                                       table->noun);
    else
        problem = bondy_problem_format(BONDY_ERR_INVALID_DATA,
                                       "Unknown key '%s' of a %s; did you mean '%s'?", name,
                                       table->noun, meant);
    json_object_set_new(problem, "keys", names);
    bondy_input_add(input, problem);
}

static void check_row(struct bondy_input *input, const struct bondy_input_row *row,
                      const json_t *value)
{
    size_t len = input->pointer.len;

    if (row->flags & BONDY_INPUT_EXTERNAL)
        return;
    if (input->is_update && (row->flags & BONDY_INPUT_FIXED))
        return;
    if (json_is_null(value) && (row->flags & BONDY_INPUT_NULL))
        return;
    input->key = row->key;
    input->is_secret = (row->flags & BONDY_INPUT_SECRET) != 0;
    bondy_json_pointer_push(&input->pointer, bondy_slice_text(row->key));
    row->check(input, value);
    bondy_json_pointer_pop(&input->pointer, len);
    input->key = NULL;
    input->is_secret = false;
}

static void require_rows(struct bondy_input *input, const struct bondy_input_table *table,
                         const json_t *value)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct bondy_input_row *row = &table->rows[i];
        json_t *problem;

        if (!(row->flags & BONDY_INPUT_REQUIRED) || json_object_get(value, row->key) != NULL)
            continue;
        problem = bondy_problem_format("bondy.error.missing_required_value",
                                       "A value for '%s' is required.", row->key);
        json_object_set_new(problem, "key", json_string(row->key));
        bondy_input_add(input, problem);
    }
}

void bondy_input_object(struct bondy_input *input, const struct bondy_input_table *table,
                        const json_t *value)
{
    json_t *unknown, *member;
    const char *name;

    if (!json_is_object(value)) {
        bondy_input_add(input, bondy_problem_format("bondy.error.invalid_datatype",
                                                    "A %s is an object.", table->noun));
        return;
    }
    unknown = json_array();
    if (!input->is_update)
        require_rows(input, table, value);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        const struct bondy_input_row *row = find_row(table, name);

        if (row != NULL && (input->is_lenient || !(row->flags & BONDY_INPUT_FILE)))
            check_row(input, row, member);
        else if (json_array_size(unknown) < MAX_UNKNOWN)
            json_array_append_new(unknown, json_string(name));
    }
    if (json_array_size(unknown) > 0)
        refuse_unknown(input, table, BONDY_MOVE(unknown));
    json_decref(unknown);
    if (table->whole != NULL)
        table->whole(input, value);
}

/* ---- values ------------------------------------------------------------------------------- */

void bondy_input_flag(struct bondy_input *input, const json_t *value)
{
    if (!json_is_boolean(value))
        bondy_input_wrong_type(input, value, "true or false");
}

void bondy_input_meta(struct bondy_input *input, const json_t *value)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    if (!json_is_object(value)) {
        bondy_input_wrong_type(input, value, "an object");
        return;
    }
    bondy_json_format(value, &text);
    if (text.len > input->rules->meta_max) {
        json_t *problem = bondy_problem_format("bondy.error.invalid_value",
                                               "'%s' may take at most %zu octets as JSON.",
                                               input->key, input->rules->meta_max);

        json_object_set_new(problem, "key", json_string(input->key));
        json_object_set_new(problem, "limit", json_integer((json_int_t)input->rules->meta_max));
        bondy_input_add(input, problem);
    }
    bondy_buf_fini(&text);
}

static bool is_list(struct bondy_input *input, const json_t *value)
{
    char text[64];

    if (!json_is_array(value)) {
        bondy_input_wrong_type(input, value, "a list");
        return false;
    }
    if (json_array_size(value) > input->rules->max_list) {
        snprintf(text, sizeof text, "may have at most %u items", input->rules->max_list);
        bondy_input_wrong_value(input, value, text);
        return false;
    }
    return true;
}

void bondy_input_list(struct bondy_input *input, const json_t *value, bondy_input_fn item)
{
    size_t len = input->pointer.len, i;
    json_t *one;

    if (!is_list(input, value))
        return;
    json_array_foreach(value, i, one)
    {
        bondy_json_pointer_push_index(&input->pointer, i);
        item(input, one);
        bondy_json_pointer_pop(&input->pointer, len);
    }
}

void bondy_input_list_of(struct bondy_input *input, const json_t *value,
                         const struct bondy_input_table *table)
{
    bool is_update = input->is_update;
    const char *key = input->key;
    size_t len = input->pointer.len, i;
    json_t *one;

    if (!is_list(input, value))
        return;
    input->is_update = false; /* what a realm names is added to it */
    json_array_foreach(value, i, one)
    {
        bondy_json_pointer_push_index(&input->pointer, i);
        input->key = NULL;
        bondy_input_object(input, table, one);
        bondy_json_pointer_pop(&input->pointer, len);
    }
    input->is_update = is_update;
    input->key = key;
}

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

void bondy_input_name(struct bondy_input *input, const json_t *value)
{
    struct bondy_name name;

    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a name");
    else if (!bondy_name_fold(text_of(value), &name))
        bondy_input_wrong_value(input, value, bondy_name_rule(false));
}

void bondy_input_authmethod(struct bondy_input *input, const json_t *value)
{
    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a method name");
    else if (!bondy_name_is_authmethod(text_of(value)))
        bondy_input_wrong_value(input, value,
                                "may be anonymous, trust, password, ticket, wampcra, wamp-scram, "
                                "cryptosign, oauth2, tls, cookie or oidc");
}

bool bondy_input_is_uri(struct bondy_slice uri, enum bondy_match match)
{
    return uri.len > 0 && uri.len <= BONDY_REALM_URI_MAX &&
           memchr(uri.data, '\0', uri.len) == NULL &&
           bondy_uri_is_valid(uri, match, BONDY_URI_LOOSE);
}

void bondy_input_realm_uri(struct bondy_input *input, const json_t *value)
{
    struct bondy_slice uri = text_of(value);

    if (!json_is_string(value))
        bondy_input_wrong_type(input, value, "a string");
    else if (!bondy_input_is_uri(uri, BONDY_MATCH_EXACT))
        bondy_input_wrong_value(
            input, value, "must be a URI: components between dots, without white space or '#'");
}

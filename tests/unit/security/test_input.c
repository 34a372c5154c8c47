/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <string.h>

#include "src/security/entity/input.h"

/* threat-model.md H10: what may be given is in tables, so every resource is tried with every field:
 * its own, those of the others, and those of the stored forms. */

static const struct resource {
    const struct bondy_input_table *table;
    const char *least; /* an input that is complete */
} resources[] = {
    {&bondy_realm_table, "{\"uri\":\"org.a\"}"},
    {&bondy_user_table, "{\"username\":\"mona\"}"},
    {&bondy_group_table, "{\"name\":\"staff\"}"},
    {&bondy_source_table, "{\"usernames\":\"all\",\"authmethod\":\"ticket\"}"},
    {&bondy_grant_table, "{\"roles\":\"all\",\"permissions\":[\"p\"],\"uri\":\"a\"}"},
};

/* Of stored bodies and of things that must never be given. */
static const char *const hidden[] = {"ugen",       "ggen",
                                     "gen",        "created_ms",
                                     "alias_of",   "is_master",
                                     "jwk",        "pem",
                                     "public_pem", "retired_ms",
                                     "kid",        "permissions_all",
                                     "verifiers",  "salted_password",
                                     "__proto__",  "is_managed"};

static const struct bondy_input_row *find(const struct bondy_input_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].key, key) == 0)
            return &table->rows[i];
    return NULL;
}

static json_t *check(struct fixture *f, const struct bondy_input_table *table, const json_t *value,
                     bool is_update, bool is_lenient)
{
    const struct bondy_edit edit = {.rules = &f->rules, .is_lenient = is_lenient};
    struct bondy_input input;
    json_t *problem;

    bondy_input_start(&input, &edit, is_update);
    bondy_input_object(&input, table, value);
    bondy_input_end(&input, &problem);
    return problem;
}

static bool names_key(const json_t *problem, const char *key)
{
    const json_t *keys = json_object_get(problem, "keys"), *errors, *one;
    size_t i;

    json_array_foreach(keys, i, one)
    {
        if (strcmp(json_string_value(one), key) == 0)
            return true;
    }
    errors = json_object_get(problem, "errors");
    json_array_foreach(errors, i, one)
    {
        if (names_key(one, key))
            return true;
    }
    return false;
}

/* A key with a value that is wrong everywhere it is looked at. */
static void try_key(struct fixture *f, const struct resource *resource, const char *key,
                    bool is_update)
{
    const struct bondy_input_row *row = find(resource->table, key);
    json_t *input = json_loads(resource->least, 0, NULL);
    bool is_known = row != NULL && !(row->flags & BONDY_INPUT_FILE);
    json_t *problem;

    if (json_object_get(input, key) != NULL) {
        json_decref(input);
        return;
    }
    json_object_set_new(input, key, json_pack("{s:{s:s}}", "no", "such", "value"));
    problem = check(f, resource->table, input, is_update, false);
    if (names_key(problem, key) != !is_known && !(is_known && problem != NULL))
        fail_msg("%s.%s: %s", resource->table->noun, key,
                 problem == NULL ? "was taken" : "was refused as unknown");
    if (is_known && (row->flags & BONDY_INPUT_EXTERNAL) && problem != NULL)
        fail_msg("%s.%s is of the external form and was refused", resource->table->noun, key);
    json_decref(problem);
    /* Lenient: what is unknown passes by. */
    problem = check(f, resource->table, input, is_update, true);
    if (row == NULL && problem != NULL)
        fail_msg("%s.%s was not dropped", resource->table->noun, key);
    json_decref(problem);
    json_decref(input);
}

static void every_field_of_every_resource_is_known_or_refused_by_name(void **state)
{
    struct fixture *f = *state;

    for (size_t r = 0; r < BONDY_COUNT(resources); r++) {
        for (int is_update = 0; is_update < 2; is_update++) {
            for (size_t h = 0; h < BONDY_COUNT(hidden); h++) {
                assert_null(find(resources[r].table, hidden[h]));
                try_key(f, &resources[r], hidden[h], is_update);
            }
            for (size_t o = 0; o < BONDY_COUNT(resources); o++)
                for (size_t i = 0; i < resources[o].table->count; i++)
                    try_key(f, &resources[r], resources[o].table->rows[i].key, is_update);
        }
    }
}

/* Each key of its own refuses a value that is of no sensible type, and secrets are not repeated. */
static void every_field_is_checked_and_no_secret_repeated(void **state)
{
    struct fixture *f = *state;

    for (size_t r = 0; r < BONDY_COUNT(resources); r++)
        for (size_t i = 0; i < resources[r].table->count; i++) {
            const struct bondy_input_row *row = &resources[r].table->rows[i];
            json_t *input = json_loads(resources[r].least, 0, NULL), *problem;

            if (row->flags & (BONDY_INPUT_EXTERNAL | BONDY_INPUT_FILE)) {
                json_decref(input);
                continue;
            }
            json_object_set_new(input, row->key, json_real(0.123456789));
            problem = check(f, resources[r].table, input, false, false);
            if (problem == NULL)
                fail_msg("%s.%s takes any number", resources[r].table->noun, row->key);
            if ((row->flags & BONDY_INPUT_SECRET) && json_object_get(problem, "value") != NULL)
                fail_msg("%s.%s repeats a secret", resources[r].table->noun, row->key);
            json_decref(problem);
            json_object_set_new(input, row->key, json_null());
            problem = check(f, resources[r].table, input, false, false);
            if ((row->flags & BONDY_INPUT_NULL) && problem != NULL)
                fail_msg("%s.%s does not take null", resources[r].table->noun, row->key);
            if (!(row->flags & BONDY_INPUT_NULL) && problem == NULL)
                fail_msg("%s.%s takes null", resources[r].table->noun, row->key);
            json_decref(problem);
            json_decref(input);
        }
}

static void an_unknown_key_is_told_with_what_was_meant(void **state)
{
    struct fixture *f = *state;
    json_t *input = json_pack("{s:s, s:[]}", "username", "mona", "gruops");
    json_t *problem = check(f, &bondy_user_table, input, false, false);

    assert_slice_is(bondy_json_text(problem, "message"),
                    "Unknown key 'gruops' of a user; did you mean 'groups'?");
    json_decref(problem);
    json_decref(input);
}

/* NUL ends texts and parts the keys of records: "a NUL b" must not pass for realm "a". */
static void a_nul_is_in_no_name_and_no_uri(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t resource;
        const char *key;
        bool is_list;
    } cases[] = {{0, "uri", false},        {0, "prototype_uri", false}, {0, "sso_realm_uri", false},
                 {1, "username", false},   {1, "groups", true},         {1, "sso_realm_uri", false},
                 {1, "aliases", true},     {2, "name", false},          {2, "groups", true},
                 {3, "usernames", true},   {3, "authmethod", false},    {3, "cidr", false},
                 {4, "roles", true},       {4, "permissions", true},    {4, "uri", false},
                 {0, "authmethods", true}, {1, "authorized_keys", true}};

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *input = json_loads(resources[cases[i].resource].least, 0, NULL), *problem;
        json_t *text = json_stringn("mon\0a", 5);

        json_object_set_new(input, cases[i].key, cases[i].is_list ? json_pack("[o]", text) : text);
        problem = check(f, resources[cases[i].resource].table, input, false, false);
        if (problem == NULL)
            fail_msg("%s.%s", resources[cases[i].resource].table->noun, cases[i].key);
        json_decref(problem);
        json_decref(input);
    }
}

static void the_number_of_problems_is_limited(void **state)
{
    struct fixture *f = *state;
    json_t *input = json_pack("{s:s, s:[]}", "uri", "org.a", "users"), *problem;

    for (int i = 0; i < 1000; i++)
        json_array_append_new(json_object_get(input, "users"), json_integer(i));
    problem = check(f, &bondy_realm_table, input, false, false);
    assert_int_equal(json_array_size(json_object_get(problem, "errors")), 100);
    json_decref(problem);
    f->rules.max_list = 999;
    problem = check(f, &bondy_realm_table, input, false, false);
    assert_string_equal(bondy_problem_code(problem), "bondy.error.invalid_value");
    json_decref(problem);
    json_decref(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_of_every_resource_is_known_or_refused_by_name),
        TEST(every_field_is_checked_and_no_secret_repeated),
        TEST(an_unknown_key_is_told_with_what_was_meant),
        TEST(a_nul_is_in_no_name_and_no_uri),
        TEST(the_number_of_problems_is_limited),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}

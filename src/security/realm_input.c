/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/realm_input.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/problem.h"
#include "src/security/realm.h"
#include "src/wamp/errors.h"
#include "src/wamp/uri.h"

#define DESCRIPTION_MAX 512

/* Checks one member; returns an error object or NULL. */
typedef json_t *(*check_fn)(const char *key, const json_t *value);

enum key_kind {
    KEY_STORED,    /* kept in the document */
    KEY_ELSEWHERE, /* the URI and the switches: records of their own */
    KEY_IGNORED,   /* of the external form: may be sent back */
    KEY_LATER      /* of a part that is not built yet */
};

static json_t *wrong_type(const char *key, const json_t *value, const char *expected)
{
    json_t *problem =
        bondy_problem_format("bondy.error.invalid_datatype", "'%s' must be %s.", key, expected);

    json_object_set_new(problem, "key", json_string(key));
    json_object_set(problem, "value", (json_t *)(uintptr_t)value);
    return problem;
}

static json_t *wrong_value(const char *key, const json_t *value, const char *expected)
{
    json_t *problem = bondy_problem_format("bondy.error.invalid_value", "'%s' %s.", key, expected);

    json_object_set_new(problem, "key", json_string(key));
    json_object_set(problem, "value", (json_t *)(uintptr_t)value);
    return problem;
}

static json_t *not_built(const char *key)
{
    json_t *problem = bondy_problem_format(BONDY_ERR_NOT_IMPLEMENTED,
                                           "'%s' needs identities, which are not built yet.", key);

    json_object_set_new(problem, "keys", json_pack("[s]", key));
    return problem;
}

static json_t *check_description(const char *key, const json_t *value)
{
    if (!json_is_string(value))
        return wrong_type(key, value, "a string");
    if (json_string_length(value) > DESCRIPTION_MAX)
        return wrong_value(key, value, "must have at most 512 octets");
    return NULL;
}

static json_t *check_flag(const char *key, const json_t *value)
{
    if (!json_is_boolean(value) && !json_is_null(value))
        return wrong_type(key, value, "true, false or null (inherit)");
    return NULL;
}

static json_t *check_security(const char *key, const json_t *value)
{
    json_t *problem = check_flag(key, value);

    if (problem != NULL || json_is_false(value))
        return problem;
    return not_built(key);
}

/* True only with what exists: a realm sent back as it was read has false and null here. */
static json_t *check_absent(const char *key, const json_t *value)
{
    return json_is_false(value) || json_is_null(value) ? NULL : not_built(key);
}

static json_t *check_authmethods(const char *key, const json_t *value)
{
    static const char *const known[] = {"anonymous", "trust",      "password",   "ticket",
                                        "wampcra",   "wamp-scram", "cryptosign", "oauth2",
                                        "tls",       "cookie",     NULL};
    bool has_anonymous = false;
    size_t index;
    json_t *item;

    if (json_is_null(value))
        return NULL;
    if (!json_is_array(value))
        return wrong_type(key, value, "a list of method names or null (inherit)");
    json_array_foreach(value, index, item)
    {
        const char *name = json_string_value(item);
        size_t i = 0;

        if (name == NULL)
            return wrong_type(key, value, "a list of method names");
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            return wrong_value(key, item,
                               "may hold anonymous, trust, password, ticket, wampcra, wamp-scram, "
                               "cryptosign, oauth2, tls, cookie");
        has_anonymous |= strcmp(name, "anonymous") == 0;
    }
    return has_anonymous ? NULL : not_built(key);
}

static json_t *check_nothing(const char *key, const json_t *value)
{
    (void)key;
    (void)value;
    return NULL;
}

static json_t *check_later(const char *key, const json_t *value)
{
    (void)value;
    return not_built(key);
}

static const struct key {
    const char *name;
    enum key_kind kind;
    check_fn check;
} keys[] = {
    {"uri", KEY_ELSEWHERE, check_nothing},
    {"description", KEY_STORED, check_description},
    {"allow_connections", KEY_ELSEWHERE, check_flag},
    {"security_enabled", KEY_ELSEWHERE, check_security},
    {"authmethods", KEY_STORED, check_authmethods},
    {"is_prototype", KEY_IGNORED, check_absent},
    {"is_sso_realm", KEY_IGNORED, check_absent},
    {"prototype_uri", KEY_IGNORED, check_absent},
    {"sso_realm_uri", KEY_IGNORED, check_absent},
    {"users", KEY_LATER, check_later},
    {"groups", KEY_LATER, check_later},
    {"sources", KEY_LATER, check_later},
    {"grants", KEY_LATER, check_later},
    {"private_keys", KEY_LATER, check_later},
    {"encryption_keys", KEY_LATER, check_later},
    {"info", KEY_LATER, check_later},
    {"authenticator", KEY_LATER, check_later},
    {"authorizer", KEY_LATER, check_later},
    {"password_opts", KEY_LATER, check_later},
    {"type", KEY_IGNORED, check_nothing},
    {"version", KEY_IGNORED, check_nothing},
    {"etag", KEY_IGNORED, check_nothing},
    {"security_status", KEY_IGNORED, check_nothing},
    {"public_keys", KEY_IGNORED, check_nothing},
    {"effective", KEY_IGNORED, check_nothing},
    {"created_at", KEY_IGNORED, check_nothing},
    {"updated_at", KEY_IGNORED, check_nothing},
};

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static json_t *unknown_keys(json_t *names)
{
    const char *candidates[BONDY_COUNT(keys) + 1] = {NULL};
    const char *name = json_string_value(json_array_get(names, 0));
    const char *nearest;
    json_t *problem;

    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        candidates[i] = keys[i].name;
    nearest = bondy_json_nearest(bondy_slice_text(name), candidates);
    if (nearest == NULL)
        problem = bondy_problem_format(BONDY_ERR_INVALID_DATA, "Unknown key '%s'.", name);
    else
        problem = bondy_problem_format(BONDY_ERR_INVALID_DATA,
                                       "Unknown key '%s'; did you mean '%s'?", name, nearest);
    json_object_set(problem, "keys", names);
    return problem;
}

static void check_uri(const json_t *input, bool is_update, json_t *problems)
{
    const json_t *value = json_object_get(input, "uri");
    struct bondy_slice uri = bondy_json_text(input, "uri");
    json_t *problem = NULL;

    if (is_update)
        return;
    if (value == NULL) {
        problem = bondy_problem("bondy.error.missing_required_value",
                                "A value for 'uri' is required.", "");
        json_object_set_new(problem, "key", json_string("uri"));
    } else if (!json_is_string(value)) {
        problem = wrong_type("uri", value, "a string");
    } else if (!bondy_uri_is_valid(uri, BONDY_MATCH_EXACT, BONDY_URI_LOOSE) || uri.len > 1024) {
        problem = wrong_value("uri", value,
                              "must be a URI: components between dots, without white space or '#'");
    }
    if (problem != NULL)
        json_array_append_new(problems, problem);
}

void bondy_realm_input_check(const json_t *input, bool is_update, bool lenient, json_t *problems)
{
    json_t *unknown = json_array();
    const char *name;
    json_t *value, *problem;

    if (!json_is_object(input)) {
        json_array_append_new(problems, bondy_problem("bondy.error.invalid_datatype",
                                                      "A realm is a JSON object.", ""));
        json_decref(unknown);
        return;
    }
    check_uri(input, is_update, problems);
    json_object_foreach((json_t *)(uintptr_t)input, name, value)
    {
        const struct key *key = find_key(name);

        if (key == NULL)
            json_array_append_new(unknown, json_string(name));
        else if ((problem = key->check(name, value)) != NULL)
            json_array_append_new(problems, problem);
    }
    if (json_array_size(unknown) > 0 && lenient)
        bondy_log(BONDY_LOG_WARN, "realm_keys_dropped",
                  BONDY_F_SLICE("realm", bondy_json_text(input, "uri")),
                  BONDY_F_STR("key", json_string_value(json_array_get(unknown, 0))));
    else if (json_array_size(unknown) > 0)
        json_array_append_new(problems, unknown_keys(unknown));
    json_decref(unknown);
}

json_t *bondy_realm_input_document(const json_t *input)
{
    json_t *document = json_object();
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)input, name, value)
    {
        const struct key *key = find_key(name);

        if (key == NULL || key->kind != KEY_STORED)
            continue;
        /* "" is what a realm without description shows: sent back, it is no description. */
        if (json_is_string(value) && json_string_length(value) == 0)
            json_object_set_new(document, name, json_null());
        else
            json_object_set(document, name, value);
    }
    return document;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/problem.h"
#include "src/security/realm.h"
#include "src/security/realm_input.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

/* A realm is one record for its document and one for each switch that was given (cluster.md B2.3),
 * so that replication can merge a switch with a change of the document. */

#define SCHEMA 1
#define URI_MAX 1024
#define BUILTIN_REVISION 1
#define RESERVED_PREFIX "com.leapsight.bondy"

static const struct {
    const char *key;
    struct bondy_slice subkey;
} switches[] = {
    {"allow_connections", {"s\0allow_connections", 19}},
    {"security_enabled", {"s\0security_enabled", 18}},
};

static struct bondy_store_key realm_key(struct bondy_slice uri)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_REALM, .subkey = uri};
}

/* A store error as an error object; `code` unless it is one of those the store gives. */
static int storage_problem(int rc, const struct bondy_error *err, json_t **problem)
{
    if (rc == BONDY_ECONFLICT)
        *problem = bondy_problem("bondy.error.precondition_failed",
                                 "The realm was changed by someone else.", "");
    else
        *problem = bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", err->text);
    return rc;
}

static int put_tree(struct bondy_store_write *write, const struct bondy_store_key *key,
                    uint32_t gen, const json_t *tree, const uint8_t *expected, json_t **problem)
{
    struct bondy_buf body = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = SCHEMA, .gen = gen};
    struct bondy_error err;
    int rc;

    bondy_value_format(BONDY_CBOR, tree, &body);
    value.body = bondy_buf_slice(&body);
    rc = bondy_store_put(write, key, &value, expected, &err);
    bondy_buf_fini(&body);
    return rc == BONDY_OK ? rc : storage_problem(rc, &err, problem);
}

/* Whether what is stored is the same value, so that nothing needs to be written. */
static bool is_stored(struct bondy_store_write *write, const struct bondy_store_key *key,
                      const json_t *tree)
{
    struct bondy_record record;
    json_t *stored;
    bool equal;

    if (!bondy_store_get(write, key, &record))
        return false;
    stored = bondy_value_tree(BONDY_CBOR, record.body);
    equal = json_equal(stored, tree);
    json_decref(stored);
    return equal;
}

static int put_switches(struct bondy_store_write *write, struct bondy_slice uri, uint32_t gen,
                        const json_t *input, json_t **problem)
{
    struct bondy_error err;

    for (size_t i = 0; i < BONDY_COUNT(switches); i++) {
        const json_t *given = json_object_get(input, switches[i].key);
        struct bondy_store_key key = {.type = BONDY_RECORD_REALM_ELEMENT,
                                      .scope = uri,
                                      .gen = gen,
                                      .subkey = switches[i].subkey};
        int rc = BONDY_OK;

        if (json_is_null(given)) {
            rc = bondy_store_delete(write, &key, NULL, &err);
            if (rc < 0 && rc != BONDY_ENOENT)
                return storage_problem(rc, &err, problem);
        } else if (given != NULL && !is_stored(write, &key, given)) {
            rc = put_tree(write, &key, 0, given, NULL, problem);
            if (rc < 0)
                return rc;
        }
    }
    return BONDY_OK;
}

static bool do_switches_differ(struct bondy_store_write *write, struct bondy_slice uri,
                               uint32_t gen, const json_t *input)
{
    for (size_t i = 0; i < BONDY_COUNT(switches); i++) {
        const json_t *given = json_object_get(input, switches[i].key);
        struct bondy_store_key key = {.type = BONDY_RECORD_REALM_ELEMENT,
                                      .scope = uri,
                                      .gen = gen,
                                      .subkey = switches[i].subkey};
        struct bondy_record record;

        if (json_is_null(given) ? bondy_store_get(write, &key, &record)
                                : given != NULL && !is_stored(write, &key, given))
            return true;
    }
    return false;
}

static int refuse(json_t *problems, json_t **problem)
{
    int code = BONDY_OK;

    for (size_t i = 0; i < json_array_size(problems); i++) {
        const char *uri = bondy_problem_code(json_array_get(problems, i));

        if (strcmp(uri, BONDY_ERR_NOT_IMPLEMENTED) != 0)
            code = BONDY_EINVAL;
        else if (code == BONDY_OK)
            code = BONDY_EUNSUPPORTED;
    }
    *problem = NULL;
    if (code == BONDY_EUNSUPPORTED && json_array_size(problems) > 1) {
        /* One answer that names all of them. */
        json_t *keys = json_array();

        for (size_t i = 0; i < json_array_size(problems); i++)
            json_array_extend(keys, json_object_get(json_array_get(problems, i), "keys"));
        *problem = bondy_problem(BONDY_ERR_NOT_IMPLEMENTED,
                                 "These keys need identities, which are not built yet.", "");
        json_object_set_new(*problem, "keys", keys);
        json_decref(problems);
        return code;
    }
    *problem = bondy_problem_of_list(problems);
    return code;
}

static int check(const json_t *input, bool is_update, bool lenient, json_t **problem)
{
    json_t *problems = json_array();

    bondy_realm_input_check(input, is_update, lenient, problems);
    return refuse(problems, problem);
}

int bondy_realm_check(const json_t *input, bool is_update, json_t **problem)
{
    return check(input, is_update, false, problem);
}

static int canonical_uri(struct bondy_slice uri, char out[URI_MAX], struct bondy_slice *canonical,
                         json_t **problem)
{
    size_t len;

    if (!bondy_realm_canonical(uri, out, URI_MAX, &len)) {
        *problem = bondy_problem(BONDY_ERR_NOT_FOUND, "A realm URI has at most 1024 octets.", "");
        return BONDY_ENOENT;
    }
    *canonical = bondy_slice_of(out, len);
    return BONDY_OK;
}

static int not_found(struct bondy_slice uri, json_t **problem)
{
    *problem = bondy_problem_format(BONDY_ERR_NOT_FOUND, BONDY_SLICE_FMT, BONDY_SLICE_ARG(uri));
    json_object_set_new(*problem, "description", json_string("There is no such realm."));
    return BONDY_ENOENT;
}

/* Present members replace, null clears. */
static void merge(json_t *document, const json_t *input)
{
    json_t *changes = bondy_realm_input_document(input);
    const char *name;
    json_t *value;

    json_object_foreach(changes, name, value)
    {
        if (json_is_null(value))
            json_object_del(document, name);
        else
            json_object_set(document, name, value);
    }
    json_decref(changes);
}

static int create(struct bondy_store_write *write, struct bondy_slice uri, const json_t *input,
                  json_t **problem)
{
    struct bondy_store_key key = realm_key(uri);
    uint32_t gen = bondy_store_next_gen(write, &key);
    json_t *document = json_object();
    int rc;

    merge(document, input);
    json_object_set_new(document, "created_ms", json_integer((json_int_t)bondy_clock_wall_ms()));
    rc = put_tree(write, &key, gen, document, NULL, problem);
    json_decref(document);
    return rc < 0 ? rc : put_switches(write, uri, gen, input, problem);
}

int bondy_realm_apply_create(struct bondy_store_write *write, const json_t *input, char **uri,
                             json_t **problem)
{
    char buffer[URI_MAX];
    struct bondy_slice canonical;
    struct bondy_store_key key;
    struct bondy_record existing;
    int rc = bondy_realm_check(input, false, problem);

    if (rc < 0 ||
        (rc = canonical_uri(bondy_json_text(input, "uri"), buffer, &canonical, problem)) < 0)
        return rc;
    if (bondy_slice_starts(canonical, BONDY_SLICE(RESERVED_PREFIX))) {
        *problem = bondy_problem(BONDY_ERR_INVALID_ARGUMENT,
                                 "This realm URI is reserved for the router itself.", "");
        return BONDY_EINVAL;
    }
    key = realm_key(canonical);
    if (bondy_store_get(write, &key, &existing)) {
        *problem = bondy_problem_format(BONDY_ERR_ALREADY_EXISTS,
                                        "There is a realm '" BONDY_SLICE_FMT "' already.",
                                        BONDY_SLICE_ARG(canonical));
        return BONDY_EEXIST;
    }
    rc = create(write, canonical, input, problem);
    if (rc == BONDY_OK)
        *uri = bondy_memdup0(canonical.data, canonical.len);
    return rc;
}

/* Nothing is written when nothing differs. The realm's record is its version to the outside (ETag),
 * so it gets a new one when only a switch changes. */
static int update(struct bondy_store_write *write, struct bondy_slice uri, const json_t *input,
                  const uint8_t *expected, json_t **problem)
{
    struct bondy_store_key key = realm_key(uri);
    struct bondy_record record;
    json_t *document;
    uint32_t gen;
    int rc = BONDY_OK;

    if (!bondy_store_get(write, &key, &record))
        return not_found(uri, problem);
    gen = record.gen;
    document = bondy_value_tree(BONDY_CBOR, record.body);
    merge(document, input);
    if (expected != NULL || !is_stored(write, &key, document) ||
        do_switches_differ(write, uri, gen, input))
        rc = put_tree(write, &key, gen, document, expected, problem);
    json_decref(document);
    return rc < 0 ? rc : put_switches(write, uri, gen, input, problem);
}

int bondy_realm_apply_update(struct bondy_store_write *write, struct bondy_slice uri,
                             const json_t *input, const uint8_t *expected, json_t **problem)
{
    char buffer[URI_MAX];
    struct bondy_slice canonical;
    int rc = canonical_uri(uri, buffer, &canonical, problem);

    if (rc < 0)
        return rc;
    if (bondy_slice_is(canonical, BONDY_CONTROL_REALM)) {
        *problem = bondy_problem(BONDY_ERR_INVALID_ARGUMENT, "This realm cannot be changed.", "");
        return BONDY_EINVAL;
    }
    /* The master realm takes a description; its switches are fixed (1.4: dropped from updates). */
    if (bondy_slice_is(canonical, BONDY_MASTER_REALM) &&
        (json_object_get(input, "allow_connections") != NULL ||
         json_object_get(input, "security_enabled") != NULL ||
         json_object_get(input, "authmethods") != NULL)) {
        *problem = bondy_problem(BONDY_ERR_INVALID_ARGUMENT,
                                 "Of the master realm only the description can be changed.", "");
        return BONDY_EINVAL;
    }
    if ((rc = bondy_realm_check(input, true, problem)) < 0)
        return rc;
    return update(write, canonical, input, expected, problem);
}

int bondy_realm_apply_delete(struct bondy_store_write *write, struct bondy_slice uri,
                             const uint8_t *expected, json_t **problem)
{
    char buffer[URI_MAX];
    struct bondy_slice canonical;
    struct bondy_store_key key;
    struct bondy_error err;
    int rc = canonical_uri(uri, buffer, &canonical, problem);

    if (rc < 0)
        return rc;
    if (bondy_slice_is(canonical, BONDY_MASTER_REALM) ||
        bondy_slice_is(canonical, BONDY_CONTROL_REALM)) {
        *problem = bondy_problem(BONDY_ERR_INVALID_ARGUMENT, "This realm cannot be deleted.", "");
        return BONDY_EINVAL;
    }
    key = realm_key(canonical);
    rc = bondy_store_delete(write, &key, expected, &err);
    if (rc == BONDY_ENOENT)
        return not_found(canonical, problem);
    return rc == BONDY_OK ? rc : storage_problem(rc, &err, problem);
}

static int apply_one(struct bondy_store_write *write, const json_t *input, json_t **problem)
{
    char buffer[URI_MAX];
    struct bondy_slice canonical;
    struct bondy_store_key key;
    struct bondy_record existing;
    int rc = check(input, false, true, problem);

    if (rc < 0 ||
        (rc = canonical_uri(bondy_json_text(input, "uri"), buffer, &canonical, problem)) < 0)
        return rc;
    key = realm_key(canonical);
    if (bondy_store_get(write, &key, &existing))
        return update(write, canonical, input, NULL, problem);
    return create(write, canonical, input, problem);
}

int bondy_realm_apply_file(struct bondy_store_write *write, const json_t *file, json_t **problem)
{
    json_t *problems = json_array();
    char pointer[32];
    size_t index;
    json_t *input;
    int worst = BONDY_OK;

    if (!json_is_array(file)) {
        json_decref(problems);
        *problem =
            bondy_problem(BONDY_ERR_INVALID_DATA, "A security file is a list of realms.", "");
        return BONDY_EINVAL;
    }
    json_array_foreach(file, index, input)
    {
        json_t *one = NULL;
        int rc = apply_one(write, input, &one);

        if (rc == BONDY_OK)
            continue;
        snprintf(pointer, sizeof pointer, "/%zu", index);
        json_object_set_new(one, "pointer", json_string(pointer));
        json_array_append_new(problems, one);
        worst = rc;
    }
    *problem = bondy_problem_of_list(problems);
    return worst;
}

int bondy_realm_apply_builtin(struct bondy_store_write *write, struct bondy_error *err)
{
    struct bondy_store_key key = realm_key(BONDY_SLICE(BONDY_MASTER_REALM));
    struct bondy_buf body = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = SCHEMA};
    struct bondy_record existing;
    json_t *document;
    int rc;

    if (bondy_store_get(write, &key, &existing))
        return BONDY_OK;
    document = json_pack("{s:s}", "description", "The Bondy Master realm");
    bondy_value_format(BONDY_CBOR, document, &body);
    json_decref(document);
    value.body = bondy_buf_slice(&body);
    rc = bondy_store_put_builtin(write, &key, &value, BUILTIN_REVISION, err);
    bondy_buf_fini(&body);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* load: loads and deletes as jobs of the store. A job may run twice (when the store grew
 * under it), so each run starts from nothing. */
#include <stdio.h>
#include <string.h>

#include "gateway/catalog/catalog.h"
#include "gateway/catalog/record.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

struct bondy_catalog_request *bondy_catalog_request_create(struct bondy_catalog *catalog)
{
    struct bondy_catalog_request *request = bondy_zalloc(sizeof *request);

    request->catalog = catalog;
    return request;
}

static void forget_answer(struct bondy_catalog_request *request)
{
    json_decref(request->result);
    json_decref(request->problem);
    request->result = NULL;
    request->problem = NULL;
    request->has_created = false;
}

void bondy_catalog_request_destroy(struct bondy_catalog_request *request)
{
    if (request == NULL)
        return;
    forget_answer(request);
    json_decref(request->body);
    bondy_free(request->id);
    bondy_free(request->if_match);
    bondy_free(request);
}

/* ---- checking ---------------------------------------------------------------------------------*/

/* One document of a load, from its check to its record. */
struct item {
    json_t *document;
    struct bondy_spec *spec;
    json_t *warnings;
    char hash[BONDY_API_HASH_LEN];
};

/* What only bondy_catalog_get() adds is ignored, so that its result can be sent back. */
static json_t *as_loaded(const json_t *given)
{
    static const char *const added[] = {"ts",   "loaded_at", "updated_at", "revision",
                                        "hash", "etag",      "status",     "problem"};
    json_t *document = json_copy((json_t *)(uintptr_t)given);

    for (size_t i = 0; json_is_object(document) && i < BONDY_COUNT(added); i++)
        json_object_del(document, added[i]);
    return document;
}

static json_t *problem_at(const char *pointer, const char *member, const char *code,
                          const char *message)
{
    char text[64];

    snprintf(text, sizeof text, "%s%s", pointer, member);
    return json_pack("{s:s, s:s, s:s}", "pointer", text, "code", code, "message", message);
}

/* The mistakes that show only between documents, or between a document and its address. */
static void check_ids(const struct bondy_catalog_request *request, const struct item *items,
                      size_t index, const char *pointer, json_t *errors)
{
    struct bondy_slice id = bondy_json_text(items[index].document, "id");

    if (request->id != NULL && !bondy_slice_is(id, request->id))
        json_array_append_new(errors, problem_at(pointer, "/id", "id_mismatch",
                                                 "'id' is not the one in the request's path"));
    for (size_t i = 0; i < index; i++)
        if (id.len > 0 && bondy_slice_eq(id, bondy_json_text(items[i].document, "id")))
            json_array_append_new(errors, problem_at(pointer, "/id", "duplicate_id",
                                                     "an earlier document has the same 'id'"));
}

/* All problems of all documents as one object; BONDY_OK when there are none. */
static int conclude(struct bondy_catalog_request *request, json_t *errors, json_t *first, int rc)
{
    size_t count = json_array_size(errors);
    char message[160];

    if (rc == BONDY_OK) {
        json_decref(errors);
        json_decref(first);
        return rc;
    }
    if (rc == BONDY_ENOENT) {
        request->problem = first; /* the realm that does not exist, in its own words */
        json_decref(errors);
        return rc;
    }
    if (first != NULL && json_is_object(request->body) &&
        json_array_size(json_object_get(first, "errors")) == count) {
        request->problem = first;
        json_decref(errors);
        return rc;
    }
    json_decref(first);
    snprintf(message, sizeof message, "%zu problem%s in API specifications", count,
             count == 1 ? "" : "s");
    request->problem = bondy_problem(BONDY_ERR_INVALID_DATA, message, "Nothing was loaded.");
    json_object_set_new(request->problem, "errors", errors);
    return rc;
}

/* Compiles every document; fills items and, on failure, request->problem. */
static int check_all(struct bondy_catalog_request *request, struct item *items, size_t count)
{
    bool is_array = json_is_array(request->body);
    json_t *errors = json_array(), *first = NULL;
    int worst = BONDY_OK;

    for (size_t i = 0; i < count; i++) {
        struct item *item = &items[i];
        size_t before = json_array_size(errors);
        char pointer[32] = "";
        json_t *problems = NULL;
        int rc;

        if (is_array)
            snprintf(pointer, sizeof pointer, "/%zu", i);
        item->document = as_loaded(is_array ? json_array_get(request->body, i) : request->body);
        rc = bondy_catalog_compile(request->catalog, item->document, pointer, &item->spec,
                                   &problems, &item->warnings);
        if (rc < 0)
            json_array_extend(errors, json_object_get(problems, "errors"));
        check_ids(request, items, i, pointer, errors);
        if (rc == BONDY_OK && json_array_size(errors) > before)
            rc = BONDY_EINVAL;
        /* A missing realm is the answer only when nothing else is wrong. */
        if (rc < 0 && (first == NULL || worst == BONDY_ENOENT) && problems != NULL) {
            json_decref(first);
            first = json_incref(problems);
        }
        if (rc < 0 && worst != BONDY_EINVAL)
            worst = rc;
        json_decref(problems);
        bondy_api_hash(item->document, item->hash);
    }
    return conclude(request, errors, first, worst);
}

/* ---- writing ----------------------------------------------------------------------------------*/

static int storage_problem(struct bondy_catalog_request *request, int rc,
                           const struct bondy_error *err)
{
    request->problem = bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", err->text);
    return rc;
}

static int check_condition(struct bondy_catalog_request *request, bool exists,
                           const struct bondy_record *stored)
{
    char etag[2 * BONDY_VERSION_LEN + 1] = "";

    if (request->if_match == NULL)
        return BONDY_OK;
    if (exists) {
        bondy_api_etag(stored->version, etag);
        if (bondy_api_etag_matches(request->if_match, etag))
            return BONDY_OK;
    }
    request->problem = bondy_problem("bondy.error.precondition_failed",
                                     "The API specification was changed by someone else.", "");
    json_object_set_new(request->problem, "details", json_pack("{s:s}", "etag", etag));
    return BONDY_ECONFLICT;
}

static int put_record(struct bondy_catalog_request *request, struct bondy_store_write *write,
                      const struct bondy_store_key *key, const struct bondy_api_record *record)
{
    struct bondy_store_value value = {.schema = BONDY_API_SCHEMA};
    struct bondy_buf body = BONDY_BUF_EMPTY;
    struct bondy_error err;
    int rc;

    bondy_api_record_encode(record, &body);
    value.body = bondy_buf_slice(&body);
    rc = bondy_store_put(write, key, &value, NULL, &err);
    bondy_buf_fini(&body);
    return rc < 0 ? storage_problem(request, rc, &err) : BONDY_OK;
}

static int make_groups(struct bondy_catalog_request *request, struct bondy_store_write *write,
                       const struct bondy_spec *spec)
{
    struct bondy_error err = {0};
    int rc = bondy_catalog_make_groups(bondy_catalog_rules(request->catalog), write,
                                       bondy_slice_text(spec->realm_uri), &err);

    return rc < 0 ? storage_problem(request, rc, &err) : BONDY_OK;
}

static int store_item(struct bondy_catalog_request *request, struct bondy_store_write *write,
                      struct item *item, uint64_t *revision)
{
    struct bondy_store_key key = bondy_api_key(bondy_json_text(item->document, "id"));
    uint64_t now_ms = bondy_clock_wall_ms();
    struct bondy_api_record record = {.document = item->document, .loaded_ms = now_ms}, old;
    struct bondy_record stored;
    bool exists = bondy_store_get(write, &key, &stored);
    bool is_same = false;
    int rc = check_condition(request, exists, &stored);

    if (rc < 0)
        return rc;
    if (!exists) {
        request->has_created = true;
    } else {
        if (bondy_api_record_decode(&stored, &old)) {
            record.loaded_ms = old.loaded_ms;
            record.revision = old.revision;
            is_same = strcmp(old.hash, item->hash) == 0;
        }
        bondy_api_record_fini(&old);
    }
    if (is_same && request->keeps_same) {
        *revision = record.revision;
        return BONDY_OK;
    }
    *revision = ++record.revision;
    record.updated_ms = now_ms;
    memcpy(record.hash, item->hash, sizeof record.hash);
    if ((rc = put_record(request, write, &key, &record)) < 0 ||
        (rc = make_groups(request, write, item->spec)) < 0)
        return rc;
    bondy_catalog_keep(request->catalog, item->hash, bondy_spec_ref(item->spec));
    return BONDY_OK;
}

static json_t *result_of(const struct bondy_catalog_request *request, const struct item *item,
                         uint64_t revision)
{
    json_t *result = request->is_dry_run ? json_pack("{s:b}", "valid", 1) : json_object();

    if (!request->is_dry_run) {
        json_object_set(result, "id", json_object_get(item->document, "id"));
        json_object_set_new(result, "revision", json_integer((json_int_t)revision));
    }
    json_object_set_new(result, "routes", bondy_spec_routes(item->spec));
    json_object_set(result, "warnings", item->warnings);
    return result;
}

static int store_all(struct bondy_catalog_request *request, struct bondy_store_write *write,
                     struct item *items, size_t count)
{
    json_t *results = json_array();
    int rc = BONDY_OK;

    for (size_t i = 0; i < count && rc == BONDY_OK; i++) {
        uint64_t revision = 0;

        if (!request->is_dry_run)
            rc = store_item(request, write, &items[i], &revision);
        if (rc == BONDY_OK)
            json_array_append_new(results, result_of(request, &items[i], revision));
    }
    if (rc == BONDY_OK)
        request->result =
            json_incref(json_is_array(request->body) ? results : json_array_get(results, 0));
    json_decref(results);
    return rc;
}

static int run_load(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct bondy_catalog_request *request = BONDY_CONTAINER(job, struct bondy_catalog_request, job);
    size_t count = json_is_array(request->body) ? json_array_size(request->body) : 1;
    struct item *items = bondy_calloc(count, sizeof *items);
    int rc;

    forget_answer(request);
    rc = check_all(request, items, count);
    if (rc == BONDY_OK)
        rc = store_all(request, write, items, count);
    for (size_t i = 0; i < count; i++) {
        json_decref(items[i].document);
        json_decref(items[i].warnings);
        bondy_spec_unref(items[i].spec);
    }
    bondy_free(items);
    return rc < 0 ? bondy_fail(err, rc, "%s", bondy_problem_code(request->problem)) : BONDY_OK;
}

static int run_delete(struct bondy_store_job *job, struct bondy_store_write *write,
                      struct bondy_error *err)
{
    struct bondy_catalog_request *request = BONDY_CONTAINER(job, struct bondy_catalog_request, job);
    struct bondy_store_key key = bondy_api_key(bondy_slice_text(request->id));
    struct bondy_record stored;
    int rc;

    forget_answer(request);
    if (!bondy_store_get(write, &key, &stored)) {
        request->problem =
            bondy_problem(BONDY_ERR_NOT_FOUND, request->id, "There is no such API specification.");
        return bondy_fail(err, BONDY_ENOENT, "%s", BONDY_ERR_NOT_FOUND);
    }
    if ((rc = check_condition(request, true, &stored)) < 0)
        return bondy_fail(err, rc, "%s", bondy_problem_code(request->problem));
    rc = bondy_store_delete(write, &key, NULL, err);
    return rc < 0 ? storage_problem(request, rc, err) : BONDY_OK;
}

static void job_done(struct bondy_store_job *job)
{
    struct bondy_catalog_request *request = BONDY_CONTAINER(job, struct bondy_catalog_request, job);

    request->rc = job->rc;
    /* The commit failed after a good run: what run() said is no longer true. */
    if (job->rc < 0 && request->problem == NULL) {
        forget_answer(request);
        storage_problem(request, job->rc, &job->err);
    }
    request->done(request);
}

static void submit(struct bondy_catalog_request *request, struct bondy_store *store,
                   struct bondy_loop *loop,
                   int (*run)(struct bondy_store_job *job, struct bondy_store_write *write,
                              struct bondy_error *err))
{
    request->job.run = run;
    request->job.done = job_done;
    request->job.loop = loop;
    bondy_store_submit(store, &request->job);
}

void bondy_catalog_load(struct bondy_catalog_request *request, struct bondy_store *store,
                        struct bondy_loop *loop)
{
    submit(request, store, loop, run_load);
}

void bondy_catalog_delete(struct bondy_catalog_request *request, struct bondy_store *store,
                          struct bondy_loop *loop)
{
    BONDY_BUG_ON(request->id == NULL);
    submit(request, store, loop, run_delete);
}

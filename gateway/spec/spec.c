/* SPDX-License-Identifier: Apache-2.0 */
/* spec: the document as a whole: size, the API object, the order of steps, the answer. */
#include "gateway/spec/spec.h"
#include "gateway/spec/local.h"

#include <stdio.h>

#include "src/http/status.h"
#include "gateway/spec/table_local.h"
#include "src/base/alloc.h"
#include "src/wamp/errors.h"
#include "src/wamp/uri.h"

static const struct bondy_spec_env NO_ENV = {.realm_exists = NULL};

/* ---- life ---------------------------------------------------------------------------------- */

static struct spec_box *box_of(const struct bondy_spec *spec)
{
    return BONDY_CONTAINER(spec, struct spec_box, spec);
}

struct bondy_spec *bondy_spec_ref(const struct bondy_spec *spec)
{
    bondy_ref_take(&box_of(spec)->ref);
    return (struct bondy_spec *)spec;
}

static void free_media(struct bondy_media_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bondy_free(list->items[i].type);
    bondy_free(list->items);
}

static void free_path(struct bondy_path *path)
{
    for (size_t m = 0; m < BONDY_METHODS; m++) {
        if (path->operations[m] == NULL)
            continue;
        json_decref(path->operations[m]->status_codes);
        json_decref(path->operations[m]->status_overlay);
        json_decref(path->operations[m]->annotations);
        bondy_free(path->operations[m]);
    }
    free_media(&path->accepts);
    free_media(&path->provides);
    bondy_security_fini(&path->security);
    bondy_pattern_destroy(path->pattern);
    bondy_free(path->key);
}

static void free_version(struct bondy_version *version)
{
    for (size_t i = 0; i < version->path_count; i++)
        free_path(&version->paths[i]);
    for (size_t i = 0; i < version->languages.count; i++)
        bondy_free(version->languages.items[i]);
    bondy_free(version->languages.items);
    bondy_free(version->paths);
    bondy_free(version->label);
    bondy_free(version->base_path);
    bondy_free(version->oauth2.token_path);
    bondy_free(version->oauth2.revoke_token_path);
    bondy_free(version->oauth2.issuer);
    bondy_free(version->deprecation);
    bondy_free(version->sunset);
}

void bondy_spec_unref(const struct bondy_spec *spec)
{
    struct spec_box *box;

    if (spec == NULL || !bondy_ref_drop(&box_of(spec)->ref))
        return;
    box = box_of(spec);
    for (size_t i = 0; i < box->spec.version_count; i++)
        free_version(&box->spec.versions[i]);
    bondy_free(box->spec.versions);
    bondy_pattern_destroy(box->spec.host_pattern);
    bondy_free(box->spec.id);
    bondy_free(box->spec.name);
    bondy_free(box->spec.host);
    bondy_free(box->spec.realm_uri);
    bondy_expr_pool_destroy(box->pool);
    bondy_free(box);
}

/* ---- scopes -------------------------------------------------------------------------------- */

/* `defaults` with the keys that were written beside it, which win. */
static json_t *join_defaults(const json_t *source, const char *const *direct)
{
    json_t *joined = NULL;

    for (; direct != NULL && *direct != NULL; direct++) {
        json_t *value = json_object_get(source, *direct);

        if (value == NULL)
            continue;
        if (joined == NULL)
            joined = json_is_object(json_object_get(source, "defaults"))
                         ? json_copy(json_object_get(source, "defaults"))
                         : json_object();
        json_object_set_nocheck(joined, *direct, value);
    }
    return joined;
}

static void mark_direct(struct expr_scope *scope, const json_t *source, const char *const *direct)
{
    for (; direct != NULL && *direct != NULL; direct++) {
        struct expr_entry *entry =
            bondy_map_find(&scope->maps[NAMES_DEFAULTS], bondy_slice_text(*direct));

        if (entry != NULL && json_object_get(source, *direct) != NULL)
            entry->is_direct = true;
    }
}

struct expr_scope *bondy_spec_open_scope(struct spec_loader *loader, struct expr_scope *parent,
                                         const json_t *source, const char *const *direct,
                                         json_t **held)
{
    const json_t *variables = bondy_check_member(loader, source, "variables", T_OBJECT);
    const json_t *defaults = bondy_check_member(loader, source, "defaults", T_OBJECT);
    struct expr_scope *scope;

    *held = join_defaults(source, direct);
    scope = bondy_expr_scope_create(parent, bondy_buf_slice(&loader->compiler.pointer), variables,
                                    *held == NULL ? defaults : *held);
    mark_direct(scope, source, direct);
    return scope;
}

/* ---- the API object ------------------------------------------------------------------------ */

/* A text of the API object, which may be an expression over variables. The caller owns it. */
static char *load_text(struct spec_loader *loader, struct expr_scope *scope, const json_t *source,
                       const char *key, bool is_required)
{
    const json_t *value = json_object_get(source, key);
    size_t mark = bondy_check_enter(loader, key);
    json_t *half = value == NULL ? NULL : bondy_expr_half(&loader->compiler, scope, value);
    char *text = NULL;

    if (value == NULL && is_required)
        bondy_check_fail(loader, "missing_key", "a string", "'%s' is required here", key);
    if (half != NULL && bondy_check_type(loader, half, T_STRING, CHECK_NOW)) {
        if (json_string_length(half) == 0 ||
            strlen(json_string_value(half)) != json_string_length(half))
            bondy_check_fail(loader, "invalid_value", "a string that is not empty",
                             "'%s' is empty or holds NUL", key);
        else
            text = bondy_strdup(json_string_value(half));
    }
    json_decref(half);
    bondy_check_leave(loader, mark);
    return text;
}

static void load_host(struct spec_loader *loader, struct expr_scope *scope, const json_t *document)
{
    struct bondy_spec *spec = loader->spec;
    struct bondy_error err = {0, ""};

    spec->host = load_text(loader, scope, document, "host", true);
    if (spec->host == NULL)
        return;
    if (bondy_pattern_parse_host(bondy_slice_text(spec->host), &spec->host_pattern, &err) < 0) {
        bondy_check_fail_at(loader, "host", "invalid_host", "\"_\" or a host pattern", "%s",
                            err.text);
    } else if (bondy_pattern_repeated(spec->host_pattern).len > 0) {
        size_t mark = bondy_check_enter(loader, "host");

        bondy_check_warn(loader, "duplicate_name",
                         "a name stands twice in the host: both labels "
                         "then have to be equal");
        bondy_check_leave(loader, mark);
    }
}

/* Whether the realm exists is a question of its own (bondy_spec_load). */
static void load_realm(struct spec_loader *loader, struct expr_scope *scope, const json_t *document)
{
    struct bondy_spec *spec = loader->spec;

    spec->realm_uri = load_text(loader, scope, document, "realm_uri", true);
    if (spec->realm_uri != NULL &&
        !bondy_uri_is_valid(bondy_slice_text(spec->realm_uri), BONDY_MATCH_EXACT, BONDY_URI_LOOSE))
        bondy_check_fail_at(loader, "realm_uri", "invalid_uri", "a realm URI",
                            "'%.200s' is not a valid URI", spec->realm_uri);
}

static void load_spec_version(struct spec_loader *loader, const json_t *document)
{
    const json_t *value = json_object_get(document, "spec_version");
    size_t mark = bondy_check_enter(loader, "spec_version");

    loader->spec->spec_version = 1;
    if (value != NULL && bondy_check_type(loader, value, T_INTEGER, CHECK_NOW)) {
        if (json_integer_value(value) != 1 && json_integer_value(value) != 2)
            bondy_check_fail(loader, "invalid_value", "1 or 2", "the format has versions 1 and 2");
        else
            loader->spec->spec_version = (unsigned)json_integer_value(value);
    }
    bondy_check_leave(loader, mark);
}

static void load_versions(struct spec_loader *loader, struct expr_scope *scope,
                          const json_t *document)
{
    struct bondy_spec *spec = loader->spec;
    const json_t *versions = json_object_get(document, "versions");
    size_t outer = bondy_check_enter(loader, "versions");
    const char *label;
    json_t *source;

    if (versions == NULL)
        bondy_check_fail(loader, "missing_key", "an object of versions by label",
                         "'versions' is required here");
    else if (bondy_check_type(loader, versions, T_OBJECT, CHECK_NOW))
        spec->versions = bondy_calloc(json_object_size(versions), sizeof *spec->versions);
    if (spec->versions != NULL) {
        json_object_foreach((json_t *)versions, label, source)
        {
            size_t mark = bondy_check_enter(loader, label);
            struct bondy_version *version = &spec->versions[spec->version_count++];

            version->spec = spec;
            bondy_spec_load_version(loader, scope, label, source, version);
            bondy_check_leave(loader, mark);
        }
    }
    bondy_check_leave(loader, outer);
}

/* The words the server adds are taken back without a look (http-gateway.md part 1). */
static const char *const API_KEYS[] = {
    "id",           "name",     "host",   "realm_uri", "meta",         "variables",  "defaults",
    "status_codes", "versions", "ts",     "loaded_at", "updated_at",   "revision",   "etag",
    "hash",         "author",   "status", "openapi",   "spec_version", "rate_limit", NULL};

static void check_api_later(struct spec_loader *loader, const json_t *document)
{
    json_t *own = json_pack("{}");
    static const char *const KEYS[] = {"openapi", "rate_limit", NULL};

    /* `etag` at this level is what the server said about the document, not the feature. */
    for (const char *const *key = KEYS; *key != NULL; key++)
        if (json_object_get(document, *key) != NULL)
            json_object_set(own, *key, json_object_get(document, *key));
    bondy_check_later(loader, own);
    json_decref(own);
}

static void load_api(struct spec_loader *loader, struct expr_scope *root, const json_t *document)
{
    struct bondy_spec *spec = loader->spec;
    struct expr_scope *scope;
    json_t *held = NULL;

    bondy_check_keys(loader, document, API_KEYS);
    load_spec_version(loader, document);
    bondy_check_member(loader, document, "meta", T_OBJECT);
    check_api_later(loader, document);
    scope = bondy_spec_open_scope(loader, root, document, NULL, &held);
    bondy_check_status_codes(loader, scope, json_object_get(document, "status_codes"));
    bondy_expr_scope_settle(&loader->compiler, scope);
    bondy_check_defaults(loader, scope);
    spec->id = load_text(loader, scope, document, "id", true);
    spec->name = load_text(loader, scope, document, "name", false);
    if (spec->name == NULL && spec->id != NULL)
        spec->name = bondy_strdup(spec->id);
    load_host(loader, scope, document);
    load_realm(loader, scope, document);
    load_versions(loader, scope, document);
    bondy_check_realm_methods(loader);
    bondy_expr_scope_destroy(scope);
    json_decref(held);
}

/* ---- size ---------------------------------------------------------------------------------- */

/* Counts values; false when there are too many, they nest too deep, or a text cannot be one. */
static bool measure(struct spec_loader *loader, const json_t *value, unsigned depth, size_t *count)
{
    const char *key;
    json_t *item;
    size_t i;

    if (++*count > BONDY_SPEC_MAX_NODES) {
        bondy_check_fail(loader, "too_large", NULL, "the document holds more than %d values",
                         BONDY_SPEC_MAX_NODES);
        return false;
    }
    if (depth > BONDY_EXPR_MAX_VALUE_DEPTH) {
        bondy_check_fail(loader, "too_deep", NULL, "the document nests deeper than %d",
                         BONDY_EXPR_MAX_VALUE_DEPTH);
        return false;
    }
    json_array_foreach(value, i, item) if (!measure(loader, item, depth + 1, count)) return false;
    json_object_foreach((json_t *)value, key,
                        item) if (!measure(loader, item, depth + 1, count)) return false;
    return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* A route of the authorization server. */
static void warn_of_hidden(struct spec_loader *loader, const struct bondy_operation *first,
                           const struct bondy_operation *second)
{
    /* Two versions that share their base path share these routes too. */
    if (first->path->is_generated)
        return;
    bondy_findings_add(&loader->findings, bondy_slice_text(first->pointer),
                       &(struct bondy_finding){.code = "hidden_route", .is_warning = true},
                       "this route stands in the place of '%.300s' of the OAuth2 server",
                       second->path->pattern->text);
}

static void report_duplicate(void *context, const struct bondy_operation *first,
                             const struct bondy_operation *second)
{
    struct spec_loader *loader = context;

    if (!bondy_expr_spend(&loader->compiler, 1))
        return;
    if (second->path->is_generated) {
        warn_of_hidden(loader, first, second);
        return;
    }
    bondy_findings_add(&loader->findings, bondy_slice_text(second->pointer),
                       &(struct bondy_finding){.code = "duplicate_route"},
                       "the same scheme, host, method and path as '%.400s'", first->pointer);
}

static void load_document(struct spec_loader *loader, const json_t *document)
{
    json_t *defaults = bondy_check_builtin_defaults();
    struct expr_scope *root = bondy_expr_scope_create(NULL, BONDY_SLICE_EMPTY, NULL, defaults);
    size_t count = 0;

    root->status_codes = bondy_status_builtin();
    bondy_expr_mark_status(&loader->compiler, root->status_codes);
    if (bondy_check_type(loader, document, T_OBJECT, CHECK_NOW) &&
        measure(loader, document, 1, &count))
        load_api(loader, root, document);
    bondy_expr_scope_destroy(root);
    json_decref(defaults);
    if (json_array_size(loader->findings.errors) == 0) {
        const struct bondy_spec *const list[] = {loader->spec};

        bondy_route_table_destroy(bondy_route_table_collect(list, 1, report_duplicate, loader));
    }
}

static json_t *problem_object(const char *code, const char *description, json_t *message,
                              json_t *errors)
{
    return json_pack("{s:s, s:o, s:s, s:O}", "code", code, "message", message, "description",
                     description, "errors", errors);
}

static json_t *describe_errors(struct spec_loader *loader, const json_t *document)
{
    size_t count = json_array_size(loader->findings.errors) + loader->findings.dropped;
    const json_t *id = json_object_get(document, "id");

    if (loader->findings.dropped > 0)
        json_array_append_new(
            loader->findings.errors,
            json_pack("{s:s, s:s, s:o}", "pointer", "", "code", "too_many_problems", "message",
                      json_sprintf("%zu more problems are not listed", loader->findings.dropped)));
    return problem_object(
        BONDY_ERR_INVALID_DATA, "The specification was not changed; each error says where.",
        json_is_string(id) && json_string_length(id) <= 200
            ? json_sprintf("%zu problem%s in API specification '%s'", count, count == 1 ? "" : "s",
                           json_string_value(id))
            : json_sprintf("%zu problem%s in API specification", count, count == 1 ? "" : "s"),
        loader->findings.errors);
}

static bool lacks_realm(struct spec_loader *loader)
{
    const struct bondy_spec *spec = loader->spec;

    if (loader->env->realm_exists == NULL || spec->realm_uri == NULL ||
        loader->env->realm_exists(loader->env->context, bondy_slice_text(spec->realm_uri)))
        return false;
    bondy_check_fail_at(loader, "realm_uri", "no_such_realm", "a realm that exists",
                        "There is no realm named '%.200s'", spec->realm_uri);
    return true;
}

static int conclude(struct spec_loader *loader, const json_t *document, json_t **problems)
{
    bool is_sound = json_array_size(loader->findings.errors) == 0;

    if (lacks_realm(loader) && is_sound) {
        *problems = problem_object(
            BONDY_ERR_INVALID_ARGUMENT, "Create the realm first; nothing else is wrong.",
            json_sprintf("There is no realm named '%s'", loader->spec->realm_uri),
            loader->findings.errors);
        return BONDY_ENOENT;
    }
    if (is_sound)
        return BONDY_OK;
    *problems = describe_errors(loader, document);
    return BONDY_EINVAL;
}

int bondy_spec_load(const json_t *document, const struct bondy_spec_env *env,
                    struct bondy_spec **out, json_t **problems, json_t **warnings)
{
    struct spec_box *box = bondy_zalloc(sizeof *box);
    struct spec_loader loader = {.env = env == NULL ? &NO_ENV : env, .spec = &box->spec};
    int rc;

    bondy_ref_init(&box->ref);
    box->pool = bondy_expr_pool_create();
    bondy_findings_init(&loader.findings);
    bondy_expr_compiler_init(&loader.compiler, box->pool, &loader.findings);
    if (loader.env->pointer != NULL)
        bondy_buf_append_text(&loader.compiler.pointer, loader.env->pointer);
    load_document(&loader, document);
    rc = conclude(&loader, document, problems);
    bondy_expr_compiler_fini(&loader.compiler);
    if (warnings != NULL)
        *warnings = json_incref(loader.findings.warnings);
    bondy_findings_fini(&loader.findings);
    if (rc == BONDY_OK)
        *out = &box->spec;
    else
        bondy_spec_unref(&box->spec);
    return rc;
}

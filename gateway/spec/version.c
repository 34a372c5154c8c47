/* SPDX-License-Identifier: Apache-2.0 */
/* version: versions, paths and operations. http-gateway.md 1.5. */
#include "gateway/spec/local.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "src/base/alloc.h"

/* ---- lists --------------------------------------------------------------------------------- */

static char *lower_text(const char *text, size_t len)
{
    char *copy = bondy_memdup0(text, len);

    for (char *c = copy; *c != 0; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

enum bondy_media_kind bondy_media_kind(struct bondy_slice type)
{
    static const struct {
        const char *type;
        enum bondy_media_kind kind;
    } ROWS[] = {
        {"application/json", BONDY_MEDIA_JSON},
        {"application/merge-patch+json", BONDY_MEDIA_JSON},
        {"application/x-ndjson", BONDY_MEDIA_LINES},
        {"application/msgpack", BONDY_MEDIA_MSGPACK},
        {"application/x-msgpack", BONDY_MEDIA_MSGPACK},
        {"application/cbor", BONDY_MEDIA_CBOR},
        {"application/x-www-form-urlencoded", BONDY_MEDIA_FORM},
        {"multipart/form-data", BONDY_MEDIA_MULTIPART},
    };

    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++)
        if (bondy_slice_is(type, ROWS[i].type))
            return ROWS[i].kind;
    return bondy_slice_starts(type, BONDY_SLICE("text/")) ? BONDY_MEDIA_TEXT : BONDY_MEDIA_OTHER;
}

static void add_media(struct bondy_media_list *list, const char *text)
{
    size_t len = strcspn(text, "; ");
    char *type = lower_text(text, len);

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].type, type) != 0)
            continue;
        bondy_free(type);
        return;
    }
    list->items[list->count++] =
        (struct bondy_media){bondy_media_kind(bondy_slice_text(type)), type};
}

/* 1.7: JSON is offered first, MessagePack second, whatever the order. */
static void prefer(struct bondy_media_list *list, enum bondy_media_kind kind)
{
    for (size_t i = 1; i < list->count; i++) {
        struct bondy_media moved = list->items[i];

        if (moved.kind != kind || list->items[0].kind == kind)
            continue;
        memmove(list->items + 1, list->items, i * sizeof *list->items);
        list->items[0] = moved;
    }
}

static void load_media(struct spec_loader *loader, struct expr_scope *scope, const char *key,
                       struct bondy_media_list *out)
{
    const json_t *list = bondy_check_default(loader, scope, key);
    json_t *item;
    size_t i;

    if (!json_is_array(list))
        return;
    out->items = bondy_calloc(json_array_size(list), sizeof *out->items);
    json_array_foreach(list, i, item)
    {
        if (json_is_string(item))
            add_media(out, json_string_value(item));
    }
    prefer(out, BONDY_MEDIA_MSGPACK);
    prefer(out, BONDY_MEDIA_JSON);
}

static void load_schemes(struct spec_loader *loader, struct expr_scope *scope, unsigned *out)
{
    const json_t *list = bondy_check_default(loader, scope, "schemes");
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);

        if (text != NULL)
            *out |= strcmp(text, "https") == 0 ? BONDY_SCHEME_HTTPS : BONDY_SCHEME_HTTP;
    }
}

/* ---- operations ---------------------------------------------------------------------------- */

static const char *const METHOD_KEYS[BONDY_METHODS] = {
    [BONDY_METHOD_GET] = "get",         [BONDY_METHOD_HEAD] = "head",
    [BONDY_METHOD_POST] = "post",       [BONDY_METHOD_PUT] = "put",
    [BONDY_METHOD_PATCH] = "patch",     [BONDY_METHOD_DELETE] = "delete",
    [BONDY_METHOD_OPTIONS] = "options",
};

bool bondy_method_of_key(const char *key, enum bondy_method *out)
{
    for (size_t m = 0; m < BONDY_METHODS; m++) {
        if (METHOD_KEYS[m] == NULL || strcmp(key, METHOD_KEYS[m]) != 0)
            continue;
        *out = (enum bondy_method)m;
        return true;
    }
    return false;
}

const char *bondy_key_of_method(enum bondy_method method)
{
    return METHOD_KEYS[method];
}

/* An operation's own value, or the default at this place; 0 when neither is there. */
static uint64_t load_limit(struct spec_loader *loader, struct expr_scope *scope,
                           const json_t *operation, const char *key, bool is_duration)
{
    const json_t *value = json_object_get(operation, key);
    uint64_t number = 0;
    size_t mark = bondy_check_enter(loader, key);

    if (value != NULL && !(is_duration ? bondy_check_duration(loader, value, CHECK_NOW)
                                       : bondy_check_integer(loader, value, 1)))
        value = NULL;
    bondy_check_leave(loader, mark);
    if (value == NULL)
        value = bondy_check_default(loader, scope, key);
    if (value == NULL || !bondy_duration_ms(value, &number))
        return 0;
    return number;
}

static void load_limits(struct spec_loader *loader, struct expr_scope *scope,
                        const json_t *operation, struct bondy_operation *out)
{
    out->body_max_bytes = load_limit(loader, scope, operation, "body_max_bytes", false);
    out->body_max_values = load_limit(loader, scope, operation, "body_max_values", false);
    out->body_read_bytes = load_limit(loader, scope, operation, "body_read_bytes", false);
    out->body_read_timeout_ms = load_limit(loader, scope, operation, "body_read_timeout", true);
    if (out->body_read_timeout_ms == 0)
        out->body_read_timeout_ms = load_limit(loader, scope, operation, "body_read_seconds", true);
    if (json_object_get(operation, "body_read_seconds") != NULL) {
        size_t mark = bondy_check_enter(loader, "body_read_seconds");

        bondy_check_warn(loader, "deprecated_key",
                         "'body_read_seconds' is in milliseconds despite its name; write "
                         "'body_read_timeout'");
        bondy_check_leave(loader, mark);
    }
}

static void check_tags(struct spec_loader *loader, const json_t *object)
{
    json_t *tags = bondy_check_member(loader, object, "tags", T_ARRAY);
    size_t outer = bondy_check_enter(loader, "tags");
    json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        bondy_check_type(loader, tag, T_STRING, CHECK_NOW);
        bondy_check_leave(loader, mark);
    }
    bondy_check_leave(loader, outer);
    bondy_check_member(loader, object, "operation_id", T_STRING);
    bondy_check_member(loader, object, "summary", T_STRING);
    bondy_check_member(loader, object, "description", T_STRING);
}

static void take_member(struct spec_loader *loader, struct expr_scope *scope, json_t *half,
                        const char *key,
                        void (*check)(struct spec_loader *, struct expr_scope *, const json_t *,
                                      struct bondy_operation *),
                        struct bondy_operation *out)
{
    size_t mark = bondy_check_enter(loader, key);
    const json_t *value = json_object_get(half, key);

    if (value == NULL || !bondy_expr_is_poison(&loader->compiler, value))
        check(loader, scope, value, out);
    bondy_check_leave(loader, mark);
}

void bondy_check_operation(struct spec_loader *loader, struct expr_scope *scope, json_t *half,
                           struct bondy_operation *out)
{
    static const char *const KEYS[] = {"info",
                                       "body_max_bytes",
                                       "body_max_values",
                                       "body_read_bytes",
                                       "body_read_seconds",
                                       "body_read_timeout",
                                       "action",
                                       "response",
                                       "status_codes",
                                       "schema",
                                       "rate_limit",
                                       "cache",
                                       "etag",
                                       "max_inflight",
                                       "progressive",
                                       "tags",
                                       "operation_id",
                                       "summary",
                                       "description",
                                       NULL};
    const json_t *problem_details;
    struct expr_scope *own;

    if (!bondy_check_type(loader, half, T_OBJECT, CHECK_NOW))
        return;
    bondy_check_keys(loader, half, KEYS);
    bondy_check_member(loader, half, "info", T_OBJECT);
    check_tags(loader, half);
    bondy_check_later(loader, half);
    load_limits(loader, scope, half, out);
    own = bondy_expr_scope_create(scope, bondy_buf_slice(&loader->compiler.pointer), NULL, NULL);
    if (json_object_get(half, "status_codes") != NULL)
        bondy_check_status_codes(loader, own, json_object_get(half, "status_codes"));
    out->status_codes = json_incref(own->status_codes);
    out->status_overlay = json_incref(own->status_overlay);
    problem_details = bondy_check_default(loader, scope, "problem_details");
    out->problem_details = json_is_true(problem_details);
    take_member(loader, own, half, "action", bondy_check_action, out);
    take_member(loader, own, half, "response", bondy_check_response, out);
    bondy_expr_scope_destroy(own);
}

static json_t *collect_annotations(const json_t *path, const json_t *operation)
{
    const json_t *const sources[] = {path, operation};
    json_t *found = json_object();
    const char *key;
    json_t *value;

    for (size_t i = 0; i < BONDY_COUNT(sources); i++)
        json_object_foreach((json_t *)sources[i], key, value) if (strncmp(key, "x-", 2) == 0)
            json_object_set(found, key, value);
    if (json_object_size(found) > 0)
        return found;
    json_decref(found);
    return NULL;
}

static void load_operation(struct spec_loader *loader, struct expr_scope *scope,
                           enum bondy_method method, const json_t *path_source,
                           const json_t *source, struct bondy_path *path)
{
    struct spec_box *box = BONDY_CONTAINER(loader->spec, struct spec_box, spec);
    struct bondy_operation *operation = bondy_zalloc(sizeof *operation);
    json_t *half = bondy_expr_half(&loader->compiler, scope, source);

    operation->path = path;
    operation->method = method;
    operation->pointer =
        bondy_expr_pool_text(box->pool, bondy_buf_slice(&loader->compiler.pointer));
    path->operations[method] = operation;
    path->methods |= 1u << method;
    if (!bondy_expr_is_poison(&loader->compiler, half))
        bondy_check_operation(loader, scope, half, operation);
    operation->annotations = collect_annotations(path_source, half);
    json_decref(half);
}

/* ---- paths --------------------------------------------------------------------------------- */

/* P10: optional parts multiply. */
static void count_segments(struct spec_loader *loader, const struct bondy_path *path)
{
    const struct bondy_pattern *host = loader->spec->host_pattern;
    size_t readings = host == NULL ? 1 : host->variant_count;
    bool was_over = loader->segments > BONDY_SPEC_MAX_SEGMENTS;

    readings *= path->schemes == (BONDY_SCHEME_HTTP | BONDY_SCHEME_HTTPS) ? 2 : 1;
    for (size_t i = 0; path->pattern != NULL && i < path->pattern->variant_count; i++)
        loader->segments += readings * (path->pattern->variants[i].count + 1);
    if (!was_over && loader->segments > BONDY_SPEC_MAX_SEGMENTS)
        bondy_check_fail(loader, "too_many_routes", NULL,
                         "up to here the routes have more than %d segments, every reading of "
                         "optional parts counted",
                         BONDY_SPEC_MAX_SEGMENTS);
}

void bondy_spec_check_route(struct spec_loader *loader, struct bondy_path *path, const char *whole)
{
    struct bondy_error err = {0, ""};

    if (loader->segments > BONDY_SPEC_MAX_SEGMENTS)
        return;
    if (bondy_pattern_parse_path(bondy_slice_text(whole), &path->pattern, &err) < 0)
        bondy_check_fail(loader, "invalid_path", NULL, "%s", err.text);
    else if (bondy_pattern_is_reserved(path->pattern))
        bondy_check_fail(loader, "reserved_path", NULL,
                         "'%.300s' is kept for the server (/ws and everything below /wamp)",
                         path->pattern->text);
    else if (bondy_pattern_repeated(path->pattern).len > 0)
        bondy_check_warn(loader, "duplicate_name",
                         "':" BONDY_SLICE_FMT "' stands twice: both segments then have to be equal",
                         BONDY_SLICE_ARG(bondy_pattern_repeated(path->pattern)));
    count_segments(loader, path);
}

static void check_pattern(struct spec_loader *loader, struct bondy_path *path)
{
    const char *base = path->version->base_path == NULL ? "" : path->version->base_path;
    struct bondy_buf whole = BONDY_BUF_EMPTY;

    if (path->key[0] != '/' || path->key[1] == 0) {
        bondy_check_fail(loader, "invalid_path", "/name",
                         path->key[0] == '/' ? "the path '/' alone cannot be a route"
                                             : "a path starts with '/'");
        return;
    }
    bondy_buf_printf(&whole, "%s%s", base, path->key);
    bondy_spec_check_route(loader, path, whole.data);
    bondy_buf_fini(&whole);
}

/* Keys of `defaults` that a path may have beside it. */
static const char *const DIRECT[] = {"accepts",
                                     "provides",
                                     "schemes",
                                     "security",
                                     "timeout",
                                     "connect_timeout",
                                     "retries",
                                     "retry_timeout",
                                     "headers",
                                     "body_max_bytes",
                                     "body_max_values",
                                     "body_read_bytes",
                                     "body_read_seconds",
                                     "body_read_timeout",
                                     "body_encoding",
                                     "problem_details",
                                     NULL};

static const char *const PATH_KEYS[] = {"is_collection",
                                        "summary",
                                        "description",
                                        "variables",
                                        "defaults",
                                        "accepts",
                                        "provides",
                                        "schemes",
                                        "security",
                                        "timeout",
                                        "connect_timeout",
                                        "retries",
                                        "retry_timeout",
                                        "headers",
                                        "body_max_bytes",
                                        "body_max_values",
                                        "body_read_bytes",
                                        "body_read_seconds",
                                        "body_read_timeout",
                                        "body_encoding",
                                        "problem_details",
                                        "status_codes",
                                        "schema",
                                        "rate_limit",
                                        "cache",
                                        "etag",
                                        "max_inflight",
                                        "tags",
                                        "operation_id",
                                        "get",
                                        "put",
                                        "post",
                                        "patch",
                                        "delete",
                                        "head",
                                        "options",
                                        NULL};

static void load_operations(struct spec_loader *loader, struct expr_scope *scope,
                            const json_t *source, struct bondy_path *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)source, key, value)
    {
        enum bondy_method method;
        size_t mark;

        if (!bondy_method_of_key(key, &method))
            continue;
        mark = bondy_check_enter(loader, key);
        load_operation(loader, scope, method, source, value, out);
        bondy_check_leave(loader, mark);
    }
    if (out->methods == 0)
        bondy_check_fail(loader, "missing_method", "get, put, post, patch, delete, head or options",
                         "At least one request method should be specified");
}

void bondy_spec_load_path(struct spec_loader *loader, struct expr_scope *version, const char *key,
                          const json_t *source, struct bondy_path *out)
{
    struct expr_scope *scope;
    json_t *held = NULL;

    out->key = bondy_strdup(key);
    if (!bondy_check_type(loader, source, T_OBJECT, CHECK_NOW))
        return;
    bondy_check_keys(loader, source, PATH_KEYS);
    out->is_collection =
        json_is_true(bondy_check_member(loader, source, "is_collection", T_BOOLEAN));
    check_tags(loader, source);
    bondy_check_later(loader, source);
    scope = bondy_spec_open_scope(loader, version, source, DIRECT, &held);
    bondy_check_status_codes(loader, scope, json_object_get(source, "status_codes"));
    bondy_expr_scope_settle(&loader->compiler, scope);
    bondy_check_defaults(loader, scope);
    load_media(loader, scope, "accepts", &out->accepts);
    load_media(loader, scope, "provides", &out->provides);
    load_schemes(loader, scope, &out->schemes);
    bondy_security_load(bondy_check_default(loader, scope, "security"), &out->security);
    check_pattern(loader, out);
    load_operations(loader, scope, source, out);
    bondy_expr_scope_destroy(scope);
    json_decref(held);
}

/* ---- versions ------------------------------------------------------------------------------ */

static void add_language(struct spec_loader *loader, struct bondy_text_list *out,
                         const json_t *item)
{
    if (!bondy_check_type(loader, item, T_STRING, CHECK_NOW))
        return;
    for (const char *c = json_string_value(item); *c != 0; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') {
            bondy_check_fail(loader, "invalid_value", "a language tag such as \"en\"",
                             "'%.100s' is not a language tag", json_string_value(item));
            return;
        }
    out->items[out->count++] = lower_text(json_string_value(item), json_string_length(item));
}

static void load_languages(struct spec_loader *loader, struct expr_scope *scope,
                           const json_t *source, struct bondy_text_list *out)
{
    const json_t *given = json_object_get(source, "languages");
    size_t outer = bondy_check_enter(loader, "languages");
    json_t *half =
        given == NULL ? json_pack("[s]", "en") : bondy_expr_half(&loader->compiler, scope, given);
    json_t *item;
    size_t i;

    if (bondy_check_type(loader, half, T_ARRAY, CHECK_NOW)) {
        out->items = bondy_calloc(json_array_size(half), sizeof(char *));
        if (json_array_size(half) == 0)
            bondy_check_fail(loader, "invalid_value", "at least one language", "the list is empty");
        json_array_foreach(half, i, item)
        {
            size_t mark = bondy_check_enter_index(loader, i);

            add_language(loader, out, item);
            bondy_check_leave(loader, mark);
        }
    }
    json_decref(half);
    bondy_check_leave(loader, outer);
}

static void load_base_path(struct spec_loader *loader, struct expr_scope *scope,
                           const json_t *source, struct bondy_version *out)
{
    const json_t *given = json_object_get(source, "base_path");
    size_t mark = bondy_check_enter(loader, "base_path");
    json_t *half = given == NULL ? NULL : bondy_expr_half(&loader->compiler, scope, given);

    if (given == NULL)
        bondy_check_fail(loader, "missing_key", "\"/v1\", \"/[v1]\" or \"\"",
                         "'base_path' is required here");
    if (half != NULL && bondy_check_type(loader, half, T_STRING, CHECK_NOW)) {
        const char *text = json_string_value(half);

        if (text[0] != 0 && text[0] != '/')
            bondy_check_fail(loader, "invalid_path", "\"\" or a path that starts with '/'",
                             "a base path starts with '/'");
        else
            out->base_path = bondy_strdup(text);
    }
    json_decref(half);
    bondy_check_leave(loader, mark);
}

/* RFC 8594 wants the form of HTTP dates; documents have RFC 3339 dates or times. */
static char *format_sunset(const char *text)
{
    static const char *const FORMS[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d",
                                        "%a, %d %b %Y %H:%M:%S GMT"};
    char out[64];

    for (size_t i = 0; i < BONDY_COUNT(FORMS); i++) {
        struct tm when = {.tm_mday = 1};
        const char *end = strptime(text, FORMS[i], &when);
        time_t seconds;

        if (end == NULL || *end != 0)
            continue;
        seconds = timegm(&when);
        gmtime_r(&seconds, &when);
        strftime(out, sizeof out, "%a, %d %b %Y %H:%M:%S GMT", &when);
        return bondy_strdup(out);
    }
    return NULL;
}

static void load_deprecation(struct spec_loader *loader, const json_t *source,
                             struct bondy_version *out)
{
    const json_t *sunset = bondy_check_member(loader, source, "sunset", T_STRING);

    out->is_deprecated =
        json_is_true(bondy_check_member(loader, source, "is_deprecated", T_BOOLEAN));
    if (out->is_deprecated) {
        char text[32];

        snprintf(text, sizeof text, "@%llu",
                 (unsigned long long)(loader->env->loaded_at_ms / 1000));
        out->deprecation = bondy_strdup(text);
    }
    if (sunset == NULL)
        return;
    out->sunset = format_sunset(json_string_value(sunset));
    if (out->sunset == NULL)
        bondy_check_fail_at(loader, "sunset", "invalid_value", "2031-12-31 or 2031-12-31T00:00:00Z",
                            "'%.60s' is not a date", json_string_value(sunset));
}

static void check_info(struct spec_loader *loader, const json_t *source)
{
    static const char *const KEYS[] = {"title", "description", NULL};
    json_t *info = bondy_check_member(loader, source, "info", T_OBJECT);
    size_t mark = bondy_check_enter(loader, "info");

    if (info != NULL) {
        bondy_check_keys(loader, info, KEYS);
        for (const char *const *key = KEYS; *key != NULL; key++) {
            if (json_object_get(info, *key) == NULL)
                bondy_check_fail_at(loader, *key, "missing_key", "a string or null",
                                    "'%s' is required here", *key);
            bondy_check_member(loader, info, *key, T_STRING | T_NULL);
        }
    }
    bondy_check_leave(loader, mark);
}

static void load_paths(struct spec_loader *loader, struct expr_scope *scope, const json_t *source,
                       struct bondy_version *out)
{
    const json_t *paths = json_object_get(source, "paths");
    size_t outer = bondy_check_enter(loader, "paths");
    const char *key;
    json_t *path;

    if (paths == NULL)
        bondy_check_fail(loader, "missing_key", "an object of paths", "'paths' is required here");
    else if (bondy_check_type(loader, paths, T_OBJECT, CHECK_NOW))
        out->paths = bondy_calloc(json_object_size(paths), sizeof *out->paths);
    if (out->paths != NULL) {
        json_object_foreach((json_t *)paths, key, path)
        {
            size_t mark = bondy_check_enter(loader, key);
            struct bondy_path *next = &out->paths[out->path_count++];

            next->version = out;
            bondy_spec_load_path(loader, scope, key, path, next);
            bondy_check_leave(loader, mark);
        }
    }
    bondy_check_leave(loader, outer);
}

void bondy_spec_load_version(struct spec_loader *loader, struct expr_scope *api, const char *label,
                             const json_t *source, struct bondy_version *out)
{
    static const char *const KEYS[] = {
        "base_path", "paths",     "is_active", "is_deprecated", "languages", "info",
        "pool_size", "variables", "defaults",  "status_codes",  "sunset",    "rate_limit",
        "openapi",   NULL};
    struct expr_scope *scope;
    json_t *held = NULL;
    const json_t *active;

    out->label = bondy_strdup(label);
    out->is_active = true;
    if (!bondy_check_type(loader, source, T_OBJECT, CHECK_NOW))
        return;
    bondy_check_keys(loader, source, KEYS);
    check_info(loader, source);
    bondy_check_later(loader, source);
    active = bondy_check_member(loader, source, "is_active", T_BOOLEAN);
    out->is_active = active == NULL || json_is_true(active);
    if (json_object_get(source, "pool_size") != NULL) {
        size_t mark = bondy_check_enter(loader, "pool_size");

        bondy_check_integer(loader, json_object_get(source, "pool_size"), 1);
        bondy_check_leave(loader, mark);
    }
    load_deprecation(loader, source, out);
    scope = bondy_spec_open_scope(loader, api, source, NULL, &held);
    bondy_check_status_codes(loader, scope, json_object_get(source, "status_codes"));
    bondy_expr_scope_settle(&loader->compiler, scope);
    bondy_check_defaults(loader, scope);
    load_base_path(loader, scope, source, out);
    load_languages(loader, scope, source, &out->languages);
    load_paths(loader, scope, source, out);
    bondy_spec_add_oauth2(loader, out);
    bondy_expr_scope_destroy(scope);
    json_decref(held);
}

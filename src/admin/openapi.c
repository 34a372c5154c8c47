/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/admin/procedures.h"
#include "src/base/alloc.h"

#define VARIABLE_DEPTH 8

static const char *const methods[] = {"get", "put", "post", "delete", "options", "head", "patch"};

/* ---- what the templates of an operation mention -----------------------------------------------*/

struct mentions {
    const json_t *scopes[3]; /* variables of the document, the version, the path; the last counts */
    json_t *query, *headers; /* names as keys */
    bool body;
    bool file;        /* what is sent or received is one (x-file) */
    json_t *statuses; /* of results, as keys */
};

static void walk(struct mentions *mentions, const json_t *value, unsigned depth);

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '$';
}

/* The word behind `at`, past white space and one of these marks. */
static struct bondy_slice word_behind(const char *at, const char *marks)
{
    size_t len = 0;

    at += strspn(at, marks);
    while (is_word(at[len]))
        len++;
    return bondy_slice_of(at, len);
}

/* Every "ROOT.name" and "ROOT |> get(name" of a text. */
static void take_names(const char *text, const char *root, json_t *out)
{
    for (const char *at = text; (at = strstr(at, root)) != NULL;) {
        struct bondy_slice name = BONDY_SLICE_EMPTY;
        const char *rest = at + strlen(root);

        at = rest;
        rest += strspn(rest, " ");
        if (*rest == '.')
            name = word_behind(rest + 1, " ");
        else if (strncmp(rest, "|>", 2) == 0 &&
                 strncmp(rest + 2 + strspn(rest + 2, " "), "get(", 4) == 0)
            name = word_behind(strchr(rest, '(') + 1, " '");
        if (name.len > 0)
            json_object_setn_new(out, name.data, name.len, json_true());
    }
}

static const json_t *find_variable(const struct mentions *mentions, struct bondy_slice name)
{
    for (size_t i = BONDY_COUNT(mentions->scopes); i-- > 0;) {
        const json_t *found = json_object_getn(mentions->scopes[i], name.data, name.len);

        if (found != NULL)
            return found;
    }
    return NULL;
}

static void walk_text(struct mentions *mentions, const char *text, unsigned depth)
{
    take_names(text, "request.query_params", mentions->query);
    take_names(text, "request.headers", mentions->headers);
    if (strstr(text, "request.body") != NULL)
        mentions->body = true;
    for (const char *at = text; (at = strstr(at, "variables.")) != NULL;) {
        at += strlen("variables.");
        walk(mentions, find_variable(mentions, word_behind(at, " ")), depth + 1);
    }
}

static void walk(struct mentions *mentions, const json_t *value, unsigned depth)
{
    const char *key;
    json_t *item;
    size_t i;

    if (value == NULL || depth > VARIABLE_DEPTH)
        return;
    if (json_is_string(value))
        walk_text(mentions, json_string_value(value), depth);
    json_array_foreach((json_t *)value, i, item)
    {
        walk(mentions, item, depth);
    }
    json_object_foreach((json_t *)value, key, item)
    {
        walk(mentions, item, depth);
    }
}

/* What a member is after the variables that it is made of; borrowed. */
static const json_t *resolve(const struct mentions *mentions, const json_t *value)
{
    for (unsigned i = 0; i < VARIABLE_DEPTH && json_is_string(value); i++) {
        const char *text = json_string_value(value);
        struct bondy_slice name;

        if (strncmp(text, "{{variables.", 12) != 0)
            break;
        name = word_behind(text + 12, " ");
        if (strcmp(name.data + name.len, "}}") != 0)
            break;
        value = find_variable(mentions, name);
    }
    return value;
}

static const json_t *member(const struct mentions *mentions, const json_t *object, const char *key)
{
    return resolve(mentions, json_object_get(resolve(mentions, object), key));
}

/* ---- statuses ---------------------------------------------------------------------------------*/

static void add_status(json_t *statuses, unsigned status)
{
    char text[8];

    snprintf(text, sizeof text, "%u", status);
    json_object_set_new(statuses, text, json_true());
}

/* Numbers from 200 to 399 that stand in a status_code, whatever decides between them. */
static void add_written(json_t *statuses, const json_t *written)
{
    const char *at = json_string_value(written);

    if (json_is_integer(written))
        add_status(statuses, (unsigned)json_integer_value(written));
    while (at != NULL && *at != '\0') {
        char *end;
        unsigned long number = strtoul(at, &end, 10);

        if (end == at) {
            at++;
            continue;
        }
        if (number >= 200 && number <= 399)
            add_status(statuses, (unsigned)number);
        at = end;
    }
}

static bool is_empty_text(const json_t *value)
{
    return value == NULL || (json_is_string(value) && json_string_length(value) == 0);
}

/* As the gateway chooses them (gateway/answer.c). */
static json_t *result_statuses(const struct mentions *mentions, const char *method,
                               const json_t *operation)
{
    const json_t *rule = member(mentions, member(mentions, operation, "response"), "on_result");
    const json_t *annotated = json_object_get(operation, "x-status");
    json_t *statuses = json_object();

    add_written(statuses, annotated != NULL ? annotated : member(mentions, rule, "status_code"));
    if (json_object_size(statuses) > 0)
        return statuses;
    if (strcmp(method, "post") == 0 && !is_empty_text(json_object_get(rule, "uri")))
        add_status(statuses, 201);
    else if (strcmp(method, "get") == 0 || !is_empty_text(json_object_get(rule, "body")))
        add_status(statuses, 200);
    else
        add_status(statuses, 204);
    return statuses;
}

static bool is_bodyless(const char *status)
{
    return strcmp(status, "204") == 0 || strcmp(status, "304") == 0;
}

/* A merge patch is what PATCH takes. */
static bool is_offered(const char *type, bool is_patch)
{
    return is_patch || strstr(type, "merge-patch") == NULL;
}

static json_t *media(const json_t *types, const json_t *schema, bool is_patch)
{
    json_t *content = json_object();
    const json_t *type;
    size_t i;

    json_array_foreach((json_t *)types, i, type)
    {
        if (is_offered(json_string_value(type), is_patch))
            json_object_set_new(content, json_string_value(type),
                                json_pack("{s:O}", "schema", schema));
    }
    return content;
}

static const char *status_text(const char *status)
{
    static const char *const texts[][2] = {
        {"200", "Done."},
        {"201", "Made."},
        {"204", "Done; there is nothing to show."},
        {"206", "The part of it that was asked for."},
        {"207", "Each item has its own status."},
        {"304", "It is still what the client has."},
    };

    for (size_t i = 0; i < BONDY_COUNT(texts); i++)
        if (strcmp(texts[i][0], status) == 0)
            return texts[i][1];
    return "Done.";
}

static json_t *schema_of(const char *name)
{
    char reference[96];

    if (name == NULL)
        return json_object();
    snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
    return json_pack("{s:s}", "$ref", reference);
}

static const char *const error_responses[][2] = {
    {"400", "The request is wrong; the error says where."},
    {"401", "Credentials are required, or wrong."},
    {"403", "Not permitted."},
    {"404", "There is no such thing."},
    {"406", "Nothing that Accept names can be provided."},
    {"409", "It cannot be done as things are."},
    {"412", "It was changed by somebody else."},
    {"413", "The body is too large."},
    {"415", "The body has a type that is not accepted."},
    {"416", "Nothing of the part that was asked for is there."},
    {"422", "The API specification has mistakes."},
    {"429", "Too many failed logins; see Retry-After."},
    {"500", "Our mistake."},
    {"504", "It took too long."},
    {"507", "There is no room left on the disk."},
};

/* What any operation may answer; the rest depends on what it is. */
static bool may_answer(const struct mentions *mentions, const char *status, bool has_bindings,
                       bool has_422)
{
    if (strcmp(status, "404") == 0)
        return has_bindings;
    if (strcmp(status, "409") == 0 || strcmp(status, "413") == 0 || strcmp(status, "415") == 0)
        return mentions->body;
    if (strcmp(status, "412") == 0)
        return json_object_get(mentions->headers, "if-match") != NULL;
    if (strcmp(status, "416") == 0)
        return mentions->file && !mentions->body;
    if (strcmp(status, "507") == 0)
        return mentions->file && mentions->body;
    return strcmp(status, "422") != 0 || has_422;
}

static json_t *responses(const json_t *results, const json_t *provides, const json_t *operation)
{
    json_t *all = json_object(),
           *schema = schema_of(json_string_value(json_object_get(operation, "x-result")));
    const char *status;
    json_t *ignored;

    json_object_foreach((json_t *)results, status, ignored)
    {
        json_t *one = json_pack("{s:s}", "description", status_text(status));

        if (!is_bodyless(status))
            json_object_set_new(one, "content", media(provides, schema, false));
        json_object_set_new(all, status, one);
    }
    json_decref(schema);
    return all;
}

static void add_errors(json_t *all, const struct mentions *mentions, bool has_bindings,
                       bool has_422)
{
    for (size_t i = 0; i < BONDY_COUNT(error_responses); i++) {
        char reference[64];

        if (!may_answer(mentions, error_responses[i][0], has_bindings, has_422))
            continue;
        snprintf(reference, sizeof reference, "#/components/responses/%s", error_responses[i][0]);
        json_object_set_new(all, error_responses[i][0], json_pack("{s:s}", "$ref", reference));
    }
}

/* ---- operations -------------------------------------------------------------------------------*/

struct help {
    const char *uri, *text, *args;
};

static bool find_help(void *context, const struct bondy_procedure_info *info)
{
    struct help *help = context;

    if (strcmp(info->uri, help->uri) != 0)
        return true;
    help->text = info->help;
    help->args = info->args;
    return false;
}

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {"limit", "integer"}, {"dry_run", "boolean"}, {"force", "boolean"}};

    for (size_t i = 0; i < BONDY_COUNT(types); i++)
        if (strcmp(types[i][0], name) == 0)
            return types[i][1];
    return "string";
}

static json_t *parameter(const char *in, const char *name)
{
    bool is_path = strcmp(in, "path") == 0;
    json_t *one =
        json_pack("{s:s, s:s, s:{s:s}}", "name", name, "in", in, "schema", "type", type_of(name));

    if (is_path)
        json_object_set_new(one, "required", json_true());
    return one;
}

static void add_parameters(json_t *list, const char *in, const json_t *names)
{
    const char *name;
    json_t *ignored;

    json_object_foreach((json_t *)names, name, ignored)
    {
        json_array_append_new(list, parameter(in, name));
    }
}

/* "/realms/:realm_uri" is "/realms/{realm_uri}"; names are kept for the parameters. */
static char *path_of(const char *key, json_t *names)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    char before = '\0';

    for (; *key != '\0'; before = key[-1]) {
        struct bondy_slice name;

        if (*key != ':' || before != '/') {
            bondy_buf_append_byte(&out, (unsigned char)*key++);
            continue;
        }
        name = word_behind(key + 1, "");
        bondy_buf_printf(&out, "{" BONDY_SLICE_FMT "}", BONDY_SLICE_ARG(name));
        json_object_setn_new(names, name.data, name.len, json_true());
        key += 1 + name.len;
    }
    return bondy_buf_take_text(&out);
}

/* The word of the path that says what it is about. */
static json_t *tags_of(const char *path)
{
    const char *last = NULL;
    struct bondy_slice word = word_behind(path, "/");

    if (strncmp(path, "/realms/{realm_uri}/", 20) == 0) {
        last = path + 20;
        word = word_behind(last, "/");
    }
    return json_pack("[o]", bondy_json_slice(word));
}

static json_t *request_body(const json_t *accepts, const json_t *operation, bool is_patch)
{
    json_t *schema = schema_of(json_string_value(json_object_get(operation, "x-body")));
    json_t *body = json_pack("{s:o}", "content", media(accepts, schema, is_patch));

    json_decref(schema);
    return body;
}

struct place {
    const json_t *document, *version, *path;
    const char *key;
};

static const json_t *setting(const struct place *place, const char *key)
{
    const json_t *levels[] = {place->path, json_object_get(place->path, "defaults"),
                              json_object_get(place->version, "defaults"),
                              json_object_get(place->document, "defaults")};

    for (size_t i = 0; i < BONDY_COUNT(levels); i++)
        if (json_object_get(levels[i], key) != NULL)
            return json_object_get(levels[i], key);
    return NULL;
}

static bool has_status(const struct place *place, int status)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(place->path, "status_codes"), key, value)
    {
        if (json_integer_value(value) == status)
            return true;
    }
    return false;
}

/* One set of templates serves many procedures: what this one does not take is not offered. */
static void drop_what_is_not_taken(struct mentions *mentions, const char *args)
{
    static const char *const pairs[][2] = {{"dry_run", "dry_run="}, {"force", "force="}};

    if (args == NULL)
        return;
    for (size_t i = 0; i < BONDY_COUNT(pairs); i++)
        if (strstr(args, pairs[i][1]) == NULL)
            json_object_del(mentions->query, pairs[i][0]);
    if (strstr(args, "if_version=") == NULL)
        json_object_del(mentions->headers, "if-match");
    json_object_del(mentions->headers, "content-length"); /* every client's own affair */
}

static void describe(json_t *out, const struct help *found, const json_t *operation)
{
    const struct help help = *found;
    const char *procedure = help.uri;
    const json_t *summary = json_object_get(operation, "summary");

    if (summary != NULL)
        json_object_set(out, "summary", (json_t *)summary);
    else if (help.text != NULL)
        json_object_set_new(out, "summary", json_string(help.text));
    if (help.text != NULL)
        json_object_set_new(out, "x-procedure", json_string(procedure));
    if (json_is_true(json_object_get(operation, "x-deprecated")))
        json_object_set_new(out, "deprecated", json_true());
}

/* One object of a sort that has an etag; lists are called by the plural. */
static bool has_version(const json_t *operation)
{
    static const char *const sorts[] = {"realm", "user", "group"};
    const char *result = json_string_value(json_object_get(operation, "x-result"));

    for (size_t i = 0; result != NULL && i < BONDY_COUNT(sorts); i++)
        if (strcmp(sorts[i], result) == 0)
            return true;
    return false;
}

/* The types of results: a file goes out as it is, what is told of one that came in is JSON. */
static json_t *provided(const struct mentions *mentions, const json_t *types)
{
    if (!mentions->file)
        return json_incref((json_t *)types);
    return json_pack("[s]", mentions->body ? "application/json" : "application/octet-stream");
}

static json_t *operation_of(const struct place *place, const char *method, const char *path,
                            const json_t *bindings)
{
    struct mentions mentions = {.query = json_object(), .headers = json_object()};
    const json_t *operation;
    json_t *out = json_object(), *parameters = json_array(), *results, *all, *provides;
    struct help help = {0};
    const char *procedure;
    bool is_tagged;

    mentions.scopes[0] = json_object_get(place->document, "variables");
    mentions.scopes[1] = json_object_get(place->version, "variables");
    mentions.scopes[2] = json_object_get(place->path, "variables");
    operation = resolve(&mentions, json_object_get(place->path, method));
    walk(&mentions, operation, 0);
    procedure =
        json_string_value(json_object_get(member(&mentions, operation, "action"), "procedure"));
    help.uri = procedure == NULL ? "" : procedure;
    bondy_procedures_each(find_help, &help);
    drop_what_is_not_taken(&mentions, help.args);
    mentions.file = json_is_true(json_object_get(operation, "x-file"));
    is_tagged = strcmp(method, "get") == 0 && has_version(operation);
    describe(out, &help, operation);
    json_object_set_new(out, "tags", tags_of(path));
    add_parameters(parameters, "path", bindings);
    add_parameters(parameters, "query", mentions.query);
    if (is_tagged)
        json_object_set_new(mentions.headers, "if-none-match", json_true());
    add_parameters(parameters, "header", mentions.headers);
    if (json_array_size(parameters) > 0)
        json_object_set(out, "parameters", parameters);
    mentions.body = (mentions.body || mentions.file) && strcmp(method, "get") != 0;
    if (mentions.body)
        json_object_set_new(
            out, "requestBody",
            request_body(setting(place, "accepts"), operation, strcmp(method, "patch") == 0));
    results = result_statuses(&mentions, method, operation);
    if (is_tagged)
        add_status(results, 304);
    provides = provided(&mentions, setting(place, "provides"));
    all = responses(results, provides, operation);
    json_decref(provides);
    add_errors(all, &mentions, json_object_size(bindings) > 0, has_status(place, 422));
    json_object_set_new(out, "responses", all);
    json_decref(results);
    json_decref(parameters);
    json_decref(mentions.query);
    json_decref(mentions.headers);
    return out;
}

static void add_path(json_t *paths, const struct place *place)
{
    json_t *bindings = json_object();
    char *path = path_of(place->key, bindings);
    json_t *item = json_object();

    for (size_t i = 0; i < BONDY_COUNT(methods); i++)
        if (json_object_get(place->path, methods[i]) != NULL)
            json_object_set_new(item, methods[i], operation_of(place, methods[i], path, bindings));
    json_object_set_new(paths, path, item);
    json_decref(bindings);
    bondy_free(path);
}

/* ---- the whole --------------------------------------------------------------------------------*/

/* Fixed endpoints of the listener: code, not rows of the document (admin-http-api.md 4). */
static void add_fixed(json_t *paths)
{
    static const struct {
        const char *path, *summary, *status, *also;
    } rows[] = {
        {"/ping", "the listener is up", "204", NULL},
        {"/livez", "the listener is up", "204", NULL},
        {"/ready", "the node is ready", "204", "503"},
        {"/readyz", "the node is ready", "204", "503"},
        {"/metrics", "metrics in Prometheus text format", "200", NULL},
        {"/status", "version, node, status, uptime and checks", "200", NULL},
    };

    for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
        json_t *answers = json_pack("{s:{s:s}}", rows[i].status, "description", "Yes.");

        if (rows[i].also != NULL)
            json_object_set_new(answers, rows[i].also,
                                json_pack("{s:s}", "description", "Not yet."));
        json_object_set_new(paths, rows[i].path,
                            json_pack("{s:{s:s, s:[s], s:[], s:o}}", "get", "summary",
                                      rows[i].summary, "tags", "health", "security", "responses",
                                      answers));
    }
}

static json_t *error_schema(void)
{
    json_t *text = json_pack("{s:s}", "type", "string");
    json_t *properties = json_pack(
        "{s:O, s:O, s:O, s:O, s:{s:s, s:O}, s:{}, s:{s:s}, s:{s:s, s:{s:s}}, s:{s:s}, s:O}", "code",
        text, "message", text, "description", text, "key", text, "keys", "type", "array", "items",
        text, "value", "limit", "type", "integer", "errors", "type", "array", "items", "$ref",
        "#/components/schemas/error", "details", "type", "object", "trace_id", text);

    json_decref(text);
    return json_pack("{s:s, s:[s, s, s], s:o}", "type", "object", "required", "code", "message",
                     "description", "properties", properties);
}

static json_t *components(const json_t *document)
{
    json_t *schema = schema_of("error"), *all = json_object(), *schemas;
    const json_t *provides = json_object_get(json_object_get(document, "defaults"), "provides");

    for (size_t i = 0; i < BONDY_COUNT(error_responses); i++)
        json_object_set_new(all, error_responses[i][0],
                            json_pack("{s:s, s:o}", "description", error_responses[i][1], "content",
                                      media(provides, schema, false)));
    json_decref(schema);
    schemas = json_deep_copy(json_object_get(json_object_get(document, "meta"), "schemas"));
    if (schemas == NULL)
        schemas = json_object();
    json_object_set_new(schemas, "error", error_schema());
    return json_pack("{s:o, s:o, s:{s:{s:s, s:s}, s:{s:s, s:s}}}", "schemas", schemas, "responses",
                     all, "securitySchemes", "basic", "type", "http", "scheme", "basic", "bearer",
                     "type", "http", "scheme", "bearer");
}

json_t *bondy_openapi_make(const json_t *document, const char *version)
{
    json_t *paths = json_object();
    const char *label, *key;
    json_t *one, *path;

    add_fixed(paths);
    json_object_foreach(json_object_get(document, "versions"), label, one)
    {
        json_object_foreach(json_object_get(one, "paths"), key, path)
        {
            const struct place place = {document, one, path, key};

            add_path(paths, &place);
        }
    }
    return json_pack("{s:s, s:{s:O, s:s, s:O}, s:[{s:s}, {s:s}], s:[{s:[]}, {s:[]}], s:o, s:o}",
                     "openapi", "3.1.0", "info", "title", json_object_get(document, "name"),
                     "version", version, "description",
                     json_object_get(json_object_get(document, "meta"), "description"), "servers",
                     "url", "/", "url", "/v1.0", "security", "basic", "bearer", "paths", paths,
                     "components", components(document));
}

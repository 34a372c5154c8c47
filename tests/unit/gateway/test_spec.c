/* SPDX-License-Identifier: Apache-2.0 */
/* Loading API specifications: http-gateway.md parts 1, 7 and 8.2. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/spec/spec.h"
#include "src/http/status.h"
#include "src/base/alloc.h"
#include "src/base/id.h"

/* A document around one path "/x"; %s is the path's content, the API's further members. */
static json_t *parse(const char *text)
{
    struct bondy_error err = {0, ""};
    struct bondy_buf buf = BONDY_BUF_EMPTY;
    json_t *value;

    for (const char *c = text; *c != 0; c++)
        bondy_buf_append_byte(&buf, (unsigned char)(*c == '\'' ? '"' : *c == '`' ? '\'' : *c));
    value = bondy_json_parse(bondy_buf_slice(&buf), 32, &err);
    if (value == NULL)
        print_error("%s: %s\n", text, err.text);
    assert_non_null(value);
    bondy_buf_fini(&buf);
    return value;
}

static json_t *around(const char *path, const char *api)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char *whole;
    json_t *document;

    bondy_buf_printf(&text,
                     "{'id': 'a', 'host': '_', 'realm_uri': 'org.a', %s 'versions': {'1': "
                     "{'base_path': '', 'paths': {'/x': %s}}}}",
                     api, path);
    whole = bondy_buf_take_text(&text);
    document = parse(whole);
    bondy_free(whole);
    return document;
}

/* "pointer code; pointer code" in the order found; "" when it loads. */
static char *list_problems(json_t *document, const struct bondy_spec_env *env, json_t **warnings)
{
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *item;
    size_t i;

    if (bondy_spec_load(document, env, &spec, &problems, warnings) == BONDY_OK) {
        bondy_spec_unref(spec);
        return bondy_strdup("");
    }
    json_array_foreach(json_object_get(problems, "errors"), i, item)
        bondy_buf_printf(&text, "%s%s %s", i > 0 ? "; " : "", bondy_json_text(item, "pointer").data,
                         bondy_json_text(item, "code").data);
    json_decref(problems);
    return bondy_buf_take_text(&text);
}

static void check(json_t *document, const char *expected)
{
    json_t *warnings = NULL;
    char *got = list_problems(document, NULL, &warnings);

    assert_string_equal(got, expected);
    bondy_free(got);
    json_decref(warnings);
    json_decref(document);
}

static void check_path(const char *path, const char *expected)
{
    check(around(path, ""), expected);
}

static struct bondy_spec *load(json_t *document)
{
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;

    if (bondy_spec_load(document, NULL, &spec, &problems, NULL) < 0) {
        char *text = json_dumps(problems, JSON_INDENT(1));

        print_error("%s\n", text);
        free(text);
        json_decref(problems);
    }
    assert_non_null(spec);
    json_decref(document);
    return spec;
}

#define CALL "'action': {'type': 'wamp_call', 'procedure': 'org.a.b'}"
#define GET "{'get': {" CALL "}}"
#define X "/versions/1/paths/~1x"

/* ---- the example of 1.10 ------------------------------------------------------------------- */

static const char EXAMPLE[] =
    "{'id': 'org.rivermap.api', 'name': 'River gauges', 'host': '_', 'realm_uri': 'org.rivermap',"
    " 'meta': {'owner': 'hydrology'},"
    " 'variables': {'schemes': ['http', 'https'],"
    "  'auth': {'type': 'oauth2', 'flow': 'resource_owner_password_credentials',"
    "           'schemes': '{{variables.schemes}}'},"
    "  'upstream': 'http://tiles.internal:9000',"
    "  'err_status': '{{status_codes |> get({{action.error.error_uri}}, 500) |> integer}}',"
    "  'err_body': '{{action.error.kwargs |> put(code, {{action.error.error_uri}})}}'},"
    " 'defaults': {'schemes': '{{variables.schemes}}', %s"
    "  'timeout': 10000, 'connect_timeout': 2000, 'headers': {'cache-control': 'no-store'}},"
    " 'status_codes': {'org.rivermap.error.no_such_gauge': 404},"
    " 'versions': {'1.0.0': {'base_path': '/[v1]',"
    "  'status_codes': {'org.rivermap.error.stale': 409}, 'languages': ['en', 'fr'],"
    "  'paths': {'/gauges': {'is_collection': true,"
    "   'get': {'action': {'type': 'wamp_call', 'procedure': 'org.rivermap.gauge.list',"
    "           'kwargs': '{{request.query_params |> without([page])}}'},"
    "    'response': {'on_result': {'body': '{{action.result.args |> head}}'},"
    "     'on_error': {'status_code': '{{variables.err_status}}',"
    "                  'body': '{{variables.err_body}}'}}},"
    "   'post': {'body_max_bytes': 65536,"
    "    'action': {'type': 'wamp_call', 'procedure': 'org.rivermap.gauge.add',"
    "     'args': ['{{request.body}}', '{{security.authid}}'], 'options': {'timeout': 5000}},"
    "    'response': {'on_result': {"
    "      'uri': '\\\"{{request.path}}/{{action.result.args |> head |> get(`id`)}}\\\"',"
    "      'body': '{{action.result.args |> head}}'},"
    "     'on_error': {'status_code': '{{variables.err_status}}',"
    "                  'body': '{{variables.err_body}}'}}}},"
    "   '/gauges/:gauge_id/readings': {'post': {'action': {'type': 'wamp_publish',"
    "     'topic': '\\\"org.rivermap.gauge.{{request.bindings.gauge_id}}.reading\\\"',"
    "     'args': ['{{request.body}}'], 'options': {'acknowledge': true}},"
    "     'response': {'on_result': {'body': {'id': '{{action.result.publication_id}}'}}}}},"
    "   %s"
    "   '/about': {'security': {}, 'get': {'action': {'type': 'static'},"
    "     'response': {'on_result': {'body': {'service': 'gauges',"
    "                                         'lang': '{{request.language}}'}}}}}}}}}";

#define TILES                                                                                      \
    "'/tiles/[...]': {'security': {}, 'get': {'action': {'type': 'forward',"                       \
    " 'host': '{{variables.upstream}}', 'headers': {'accept': 'image/png'}},"                      \
    " 'response': {'on_result': {'status_code': '{{action.result.status_code}}',"                  \
    " 'body': '{{action.result.body}}'}, 'on_error': {'status_code':"                              \
    " '{{action.error.status_code}}', 'body': {'message': 'tile unavailable'}}}}},"

static json_t *example(const char *security, const char *tiles)
{
    char *text = bondy_alloc(sizeof EXAMPLE + 1000);
    json_t *document;

    snprintf(text, sizeof EXAMPLE + 1000, EXAMPLE, security, tiles);
    document = parse(text);
    bondy_free(text);
    return document;
}

static void the_worked_example_loads_without_what_is_not_built(void **state)
{
    struct bondy_spec *spec = load(example("", ""));
    const struct bondy_path *gauges = &spec->versions[0].paths[0];
    const struct bondy_operation *post = gauges->operations[BONDY_METHOD_POST];

    (void)state;
    assert_string_equal(spec->id, "org.rivermap.api");
    assert_int_equal(spec->versions[0].path_count, 3);
    assert_int_equal(spec->versions[0].languages.count, 2);
    assert_true(gauges->is_collection);
    assert_int_equal(gauges->schemes, BONDY_SCHEME_HTTP | BONDY_SCHEME_HTTPS);
    assert_int_equal(gauges->accepts.count, 2);
    assert_int_equal(gauges->methods, 1u << BONDY_METHOD_GET | 1u << BONDY_METHOD_POST);
    assert_int_equal(post->action, BONDY_ACTION_CALL);
    assert_int_equal(post->body_max_bytes, 65536);
    assert_int_equal(post->default_timeout_ms, 10000);
    assert_true(post->on_error.is_given);
    assert_false(post->on_result.has_headers);
    assert_string_equal(json_string_value(json_object_get(
                            bondy_expr_constant(post->on_result.headers), "cache-control")),
                        "no-store");
    assert_int_equal(bondy_operation_status(post, BONDY_SLICE("org.rivermap.error.stale"), false),
                     409);
    bondy_spec_unref(spec);
}

static void the_worked_example_whole_names_exactly_what_is_not_built(void **state)
{
    (void)state;
    check(example("'security': '{{variables.auth}}',", TILES),
          "/versions/1.0.0/paths/~1tiles~1[...]/get/action/type unsupported_action_type");
}

static json_t *error_field(void *context, enum bondy_field field)
{
    const struct bondy_operation *operation = ((void **)context)[0];

    if (field == BONDY_FIELD_STATUS_CODES)
        return operation->status_codes;
    if (field == BONDY_FIELD_ERROR_ERROR_URI)
        return ((void **)context)[1];
    return NULL;
}

/* 1.3: a deferred expression reads the map of the operation where it is used. */
static void status_codes_of_the_version_reach_a_variable_of_the_api(void **state)
{
    struct bondy_spec *spec = load(example("", ""));
    const struct bondy_operation *get = spec->versions[0].paths[0].operations[BONDY_METHOD_GET];
    json_t *uri = json_string("org.rivermap.error.stale");
    const void *context[] = {get, uri};
    struct bondy_expr_source source = {error_field, context};
    json_t *status = NULL;

    (void)state;
    assert_int_equal(bondy_expr_eval(get->on_error.status_code, &source, &status, NULL), BONDY_OK);
    assert_int_equal(json_integer_value(status), 409);
    json_decref(status);
    json_decref(uri);
    bondy_spec_unref(spec);
}

/* ---- inheritance --------------------------------------------------------------------------- */

static json_t *static_body(const struct bondy_spec *spec)
{
    return bondy_expr_constant(
        spec->versions[0].paths[0].operations[BONDY_METHOD_GET]->static_body);
}

#define STATIC(body) "'get': {'action': {'type': 'static', 'body': " body "}}"

/* The table of 1.3. */
static void a_variable_is_evaluated_where_it_is_defined(void **state)
{
    struct bondy_spec *spec = load(around(
        "{'variables': {'a': 2, 'c': '{{variables.b}}'}," STATIC(
            "['{{variables.a}}', '{{variables.b}}', '{{variables.c}}', '{{variables.d}}']") "}",
        "'variables': {'a': '{{variables.b}}', 'b': 1, 'c': 2, 'd': '{{variables.a}}'},"));
    json_t *expected = json_pack("[i,i,i,i]", 2, 1, 1, 1);

    (void)state;
    assert_true(json_equal(static_body(spec), expected));
    json_decref(expected);
    bondy_spec_unref(spec);
}

static void lower_levels_override_key_by_key(void **state)
{
    struct bondy_spec *spec =
        load(around("{'defaults': {'x': 3}, 'timeout': '2s', 'headers': {'X-A': '1'},"
                    "'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b', 'args':"
                    " ['{{defaults.x}}', '{{defaults.y}}', '{{defaults.connect_timeout}}']}}}",
                    "'defaults': {'x': 1, 'y': 2},"));
    const struct bondy_operation *get = spec->versions[0].paths[0].operations[BONDY_METHOD_GET];
    json_t *expected = json_pack("[i,i,i]", 3, 2, 8000);

    (void)state;
    assert_true(json_equal(bondy_expr_constant(get->args), expected));
    assert_int_equal(get->default_timeout_ms, 2000);
    assert_non_null(json_object_get(bondy_expr_constant(get->on_result.headers), "x-a"));
    json_decref(expected);
    bondy_spec_unref(spec);
}

static void a_filled_in_timeout_does_not_count_as_written(void **state)
{
    struct bondy_spec *spec = load(around(GET, ""));

    (void)state;
    assert_int_equal(spec->versions[0].paths[0].operations[BONDY_METHOD_GET]->default_timeout_ms,
                     0);
    bondy_spec_unref(spec);
}

/* 8.4, 3 */
static void an_operation_can_be_an_expression(void **state)
{
    struct bondy_spec *spec =
        load(around("{'get': '{{variables.op |> put(summary, s)}}'}",
                    "'variables': {'op': {'action': {'type': 'wamp_call', 'procedure': 'org.a.b',"
                    " 'args': ['{{request.body}}']}}},"));

    (void)state;
    assert_int_equal(spec->versions[0].paths[0].operations[BONDY_METHOD_GET]->action,
                     BONDY_ACTION_CALL);
    bondy_spec_unref(spec);
}

/* ---- mistakes ------------------------------------------------------------------------------ */

static void the_example_of_the_error_list_is_answered_like_this(void **state)
{
    json_t *document =
        parse("{'id': 'org.rivermap.api', 'host': '_', 'realm_uri': 'org.rivermap', 'variables': {"
              "'err_status': '{{status_codes|>get({{action.error.error_uri}},500)|>intger}}'},"
              "'versions': {'1.0.0': {'base_path': '', 'paths': {'/gauges': {'get': {'action': {"
              "'type': 'wamp_call', 'procedure': 'org..x'}}}}}}}");
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;
    json_t *first;

    (void)state;
    assert_int_equal(bondy_spec_load(document, NULL, &spec, &problems, NULL), BONDY_EINVAL);
    assert_slice_is(bondy_json_text(problems, "code"), "bondy.error.invalid_data");
    assert_slice_is(bondy_json_text(problems, "message"),
                    "2 problems in API specification 'org.rivermap.api'");
    first = json_array_get(json_object_get(problems, "errors"), 0);
    assert_slice_is(bondy_json_text(first, "pointer"), "/variables/err_status");
    assert_slice_is(bondy_json_text(first, "message"),
                    "no operator 'intger'; did you mean 'integer'?");
    assert_int_equal(json_integer_value(json_object_get(first, "column")), 54);
    first = json_array_get(json_object_get(problems, "errors"), 1);
    assert_slice_is(bondy_json_text(first, "pointer"),
                    "/versions/1.0.0/paths/~1gauges/get/action/procedure");
    assert_slice_is(bondy_json_text(first, "code"), "invalid_uri");
    assert_slice_is(bondy_json_text(first, "message"), "'org..x' is not a valid WAMP URI");
    json_decref(problems);
    json_decref(document);
}

struct row {
    const char *path;
    const char *expected;
};

static void each_mistake_of_a_path_has_its_pointer_and_code(void **state)
{
    static const struct row ROWS[] = {
        {GET, ""},
        {"{'gett': {}}", X "/gett unknown_key; " X " missing_method"},
        {"{'x-note': 1, 'get': {'x-y': 2, " CALL "}}", ""},
        {"{'get': {'action': {}}}", X "/get/action/type action_type_missing"},
        {"{'get': {}}", X "/get/action/type action_type_missing"},
        {"{'options': {}, 'get': {" CALL "}}", ""},
        {"{'get': {'action': {'type': 'wamp_cal'}}}", X "/get/action/type unsupported_action_type"},
        {"{'get': {'action': {'type': 'wamp_call'}}}", X "/get/action/procedure missing_key"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 5}}}",
         X "/get/action/procedure invalid_type"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b', 'args': {}}}}",
         X "/get/action/args invalid_type"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b', 'args': [],"
         " 'arguments': []}}}",
         X "/get/action/arguments duplicate_key"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b', 'retries': 2}}}",
         X "/get/action/retries not_implemented"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b', 'progressive': 'sse'}}}",
         X "/get/action/progressive not_implemented"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b',"
         " 'args': ['{{action.result.args}}']}}}",
         X "/get/action/args/0 unavailable_value"},
        {"{'get': {'action': {'type': 'wamp_call', 'procedure': 'a.b', 'timeout': 'soon'}}}",
         X "/get/action/timeout invalid_duration"},
        {"{'get': {" CALL ", 'response': {'on_result': {'status_code': 99}}}}",
         X "/get/response/on_result/status_code invalid_status"},
        {"{'get': {" CALL ", 'response': {'on_result': {'headers': {'content-length': '1'}}}}}",
         X "/get/response/on_result/headers/content-length forbidden_header"},
        {"{'get': {" CALL ", 'response': {'on_result': {'headers': {'x': 'a\\nb'}}}}}",
         X "/get/response/on_result/headers/x invalid_header"},
        {"{'get': {" CALL ", 'response': {'on_result': {'headers': {'x y': 'a'}}}}}",
         X "/get/response/on_result/headers/x y invalid_header"},
        {"{'get': {" CALL ", 'response': {'on_results': {}}}}",
         X "/get/response/on_results unknown_key"},
        {"{'get': {" CALL ", 'response': {'on_timeout': {'body': 'x'}}}}", ""},
        {"{'schemes': ['ftp'], 'get': {" CALL "}}", X "/schemes/0 invalid_value"},
        {"{'accepts': ['json'], 'get': {" CALL "}}", X "/accepts/0 invalid_media_type"},
        {"{'provides': [], 'get': {" CALL "}}", X "/provides invalid_value"},
        {"{'timeout': 'x', 'get': {" CALL "}}", X "/timeout invalid_duration"},
        {"{'get': {'body_max_bytes': 0, " CALL "}}", X "/get/body_max_bytes invalid_value"},
        {"{'get': {'schema': {'body': {'$ref': 'http://x/'}}, " CALL "}}",
         X "/get/schema/body/$ref invalid_schema; " X "/get/schema not_implemented"},
        {"{'get': {'rate_limit': {'limit': 0}, " CALL "}}",
         X "/get/rate_limit/limit invalid_value; " X "/get/rate_limit not_implemented"},
        {"{'get': {'cache': {'ttl': 5}, 'etag': true, 'max_inflight': 4, " CALL "}}",
         X "/get/cache not_implemented; " X "/get/etag not_implemented; " X
           "/get/max_inflight not_implemented"},
        {"{'get': '{{request.body}}'}", X "/get not_constant"},
        {"{'get': '{{variables.op}}'}", X "/get unknown_path"},
        {"{'is_collection': 1, 'get': {" CALL "}}", X "/is_collection invalid_type"},
        {"{'status_codes': {'org.a': 700}, 'get': {" CALL "}}",
         X "/status_codes/org.a invalid_status"},
        {"{'variables': {'a': '{{variables.b}}', 'b': '{{variables.a}}'}, 'get': {" CALL "}}",
         X "/variables/a cycle"},
        {"{'variables': {'a': '{{variables.b}}', 'b': '{{x}}'}, 'get': {'action': {'type':"
         " 'static', 'body': '{{variables.a}}'}}}",
         X "/variables/b unknown_root"},
        {"{'get': {'action': {'type': 'forward', 'host': 'x', 'foo': 1}}}",
         X "/get/action/foo unknown_key; " X "/get/action/host invalid_host; " X
           "/get/action/type unsupported_action_type"},
        {"7", X " invalid_type"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        print_message("%s\n", ROWS[i].path);
        check_path(ROWS[i].path, ROWS[i].expected);
    }
}

static void each_mistake_of_a_document_has_its_pointer_and_code(void **state)
{
    static const struct row ROWS[] = {
        {"{}", "/id missing_key; /host missing_key; /realm_uri missing_key; /versions missing_key"},
        {"[]", " invalid_type"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': []}", "/versions invalid_type"},
        {"{'id': 'a', 'host': 'a:80', 'realm_uri': 'a..b', 'versions': {}}",
         "/host invalid_host; /realm_uri invalid_uri"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {}, 'ts': -5, 'loaded_at': 'x',"
         " 'updated_at': 'x', 'revision': 3, 'etag': 'x', 'hash': 'x', 'author': 'x',"
         " 'status': 'active', 'x-own': {}}",
         ""},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {}, 'relm': 1}",
         "/relm unknown_key"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {}, 'spec_version': 3}",
         "/spec_version invalid_value"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {}, 'openapi': true}",
         "/openapi not_implemented"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {'1': {}}}",
         "/versions/1/base_path missing_key; /versions/1/paths missing_key"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {'1': {'base_path': 'x',"
         " 'paths': {}, 'info': {'title': 't'}, 'languages': ['e n']}}}",
         "/versions/1/info/description missing_key; /versions/1/base_path invalid_path; "
         "/versions/1/languages/0 invalid_value"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {'1': {'base_path': '/[v1]',"
         " 'paths': {'/': " GET ", '/ws': " GET ", '/wamp/x': " GET ", 'x': " GET ", '/:': " GET
         "}}}}",
         "/versions/1/paths/~1 invalid_path; /versions/1/paths/~1ws reserved_path; "
         "/versions/1/paths/~1wamp~1x reserved_path; /versions/1/paths/x invalid_path; "
         "/versions/1/paths/~1: invalid_path"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {'1': {'base_path': '',"
         " 'paths': {'/a/:x': " GET ", '/a/:y': " GET "}}}}",
         "/versions/1/paths/~1a~1:y/get duplicate_route"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {'1': {'base_path': '/[v1]',"
         " 'paths': {'/a': " GET "}}, '2': {'base_path': '', 'paths': {'/v1/a': " GET "}}}}",
         "/versions/2/paths/~1v1~1a/get duplicate_route"},
        {"{'id': 'a', 'host': '_', 'realm_uri': 'a', 'defaults': {'schemes': 'http',"
         " 'timeout': [], 'retries': 1}, 'versions': {}}",
         "/defaults/schemes invalid_type; /defaults/timeout invalid_type; "
         "/defaults/retries not_implemented"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        print_message("%s\n", ROWS[i].path);
        check(parse(ROWS[i].path), ROWS[i].expected);
    }
}

static void a_cycle_names_its_members(void **state)
{
    json_t *document = around(GET, "'variables': {'a': '{{variables.b}}', 'b':"
                                   " ['{{variables.a}}']},");
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;

    (void)state;
    assert_int_equal(bondy_spec_load(document, NULL, &spec, &problems, NULL), BONDY_EINVAL);
    assert_slice_is(
        bondy_json_text(json_array_get(json_object_get(problems, "errors"), 0), "message"),
        "this needs itself: variables.a -> variables.b -> variables.a");
    json_decref(problems);
    json_decref(document);
}

static bool no_realm(void *context, struct bondy_slice uri)
{
    (void)context;
    (void)uri;
    return false;
}

/* 8.1: unknown realm is 400 invalid_argument, unless something else is wrong too. */
static void a_realm_that_is_not_there_is_its_own_answer(void **state)
{
    static const struct bondy_spec_env ENV = {.realm_exists = no_realm, .pointer = "/3"};
    json_t *good = around(GET, "");
    json_t *bad = around("{}", "");
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;
    char *text;

    (void)state;
    assert_int_equal(bondy_spec_load(good, &ENV, &spec, &problems, NULL), BONDY_ENOENT);
    assert_slice_is(bondy_json_text(problems, "code"), "wamp.error.invalid_argument");
    assert_slice_is(bondy_json_text(problems, "message"), "There is no realm named 'org.a'");
    text = list_problems(bad, &ENV, NULL);
    assert_string_equal(text, "/3" X " missing_method; /3/realm_uri no_such_realm");
    bondy_free(text);
    json_decref(problems);
    json_decref(good);
    json_decref(bad);
}

static void warnings_do_not_stop_a_load(void **state)
{
    static const struct bondy_spec_env ENV = {.listeners = BONDY_SCHEME_HTTP};
    json_t *document = around("{'schemes': ['https'], 'get': {'body_read_seconds': 5000,"
                              " 'action': {'type': 'static', 'body': '{{security.authid}}'}}}",
                              "");
    json_t *warnings = NULL;
    char *text = list_problems(document, &ENV, &warnings);

    (void)state;
    assert_string_equal(text, "");
    assert_int_equal(json_array_size(warnings), 3);
    bondy_free(text);
    json_decref(warnings);
    json_decref(document);
}

/* ---- security (1.6) ------------------------------------------------------------------------ */

static json_t *with_security(const char *security)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char *path;
    json_t *document;

    bondy_buf_printf(&text, "{'security': %s, 'get': {" CALL "}}", security);
    path = bondy_buf_take_text(&text);
    document = around(path, "");
    bondy_free(path);
    return document;
}

#define S X "/security"

static void each_mistake_of_a_security_has_its_pointer_and_code(void **state)
{
    static const struct {
        const char *security, *expected;
    } CASES[] = {
        {"{}", ""},
        {"{'type': 'basic'}", ""},
        {"{'type': 'basic', 'schemes': ['https'], 'description': 'x', 'x-own': 1}", ""},
        {"{'type': 'basic', 'realm': 'x'}", S "/realm unknown_key"},
        {"{'type': 'basic', 'schemes': ['ftp']}", S "/schemes/0 invalid_value"},
        {"'basic'", S " invalid_type"},
        {"'{{request.body}}'", S " not_constant"},
        {"{'type': '{{request.body}}'}", S "/type not_constant"},
        {"{'type': 'magic'}", S "/type invalid_value"},
        {"{'type': 'Basic'}", S "/type invalid_value"},
        {"{'type': null}", S "/type invalid_type"},
        {"{'flow': 'client_credentials'}", S "/type missing_key"},
        {"{'schemes': ['http']}", S "/type missing_key"},
        {"{'type': 'oidc', 'provider': 'google'}", S "/type unsupported_security_type"},
        {"{'type': 'oidc'}", S "/provider missing_key; " S "/type unsupported_security_type"},
        {"{'type': 'oauth2'}", S "/flow missing_key"},
        {"{'type': 'oauth2', 'flow': 'none'}", S "/flow invalid_value"},
        {"{'type': 'oauth2', 'flow': 'implicit'}", ""},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'token_path': 'token'}",
         S "/token_path invalid_path"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'token_path': '/'}",
         S "/token_path invalid_path"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'token_path': '/a/:b'}",
         S "/token_path invalid_path"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'revoke_token_path': ''}",
         S "/revoke_token_path invalid_path"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'revoke_token_path': '/[a]'}",
         S "/revoke_token_path invalid_path"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'scopes': 'staff'}",
         S "/scopes invalid_type"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'scopes': []}",
         S "/scopes invalid_value"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'scopes': [1]}",
         S "/scopes/0 invalid_type"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'grants': ['implicit']}",
         S "/grants/0 invalid_value"},
        {"{'type': 'oauth2', 'flow': 'client_credentials', 'grants': []}", ""},
        {"{'type': 'api_key'}", ""},
        {"{'type': 'api_key', 'in': 'body'}", S "/in invalid_value"},
        {"{'type': 'api_key', 'in': 'query'}", S "/name missing_key"},
        {"{'type': 'api_key', 'in': 'cookie', 'name': 'a;b'}", S "/name invalid_value"},
        {"{'type': 'api_key', 'name': ''}", S "/name invalid_value"},
        {"{'type': 'api_key', 'header_name': 'x key'}", S "/header_name invalid_value"},
        {"{'type': 'api_key', 'name': 'a', 'header_name': 'b'}", S "/header_name duplicate_name"},
        {"{'type': 'api_key', 'prefix': 1}", S "/prefix invalid_type"},
        {"{'type': 'any_of'}", S "/any_of missing_key"},
        {"{'any_of': []}", S "/any_of invalid_value"},
        {"{'any_of': {}}", S "/any_of invalid_type"},
        {"{'any_of': [{}]}", S "/any_of/0 invalid_value"},
        {"{'any_of': [{'type': 'basic'}, {'type': 'magic'}]}", S "/any_of/1/type invalid_value"},
        {"{'any_of': [{'type': 'basic'}, {'any_of': [{'type': 'api_key'}]}]}", ""},
        {"{'type': 'any_of', 'any_of': [{'type': 'basic'}, {}]}", S "/any_of/1 invalid_value"},
        {"{'any_of': [{'type': 'basic'},{'type': 'basic'},{'type': 'basic'},{'type': 'basic'},"
         "{'type': 'basic'},{'type': 'basic'},{'type': 'basic'},{'type': 'basic'},"
         "{'type': 'basic'}]}",
         S "/any_of invalid_value"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(CASES); i++)
        check(with_security(CASES[i].security), CASES[i].expected);
}

/* A path without a security of its own has that of the level above. */
static void a_security_is_compiled_for_each_path(void **state)
{
    struct bondy_spec *spec =
        load(parse("{'id': 'a', 'host': '_', 'realm_uri': 'org.a',"
                   " 'defaults': {'security': {'type': 'basic'}}, 'versions': {'1': {"
                   "'base_path': '', 'paths': {"
                   " '/a': {'get': {" CALL "}},"
                   " '/b': {'security': {}, 'get': {" CALL "}},"
                   " '/c': {'security': {'type': 'api_key', 'header_name': 'X-Key',"
                   "        'prefix': 'Key '}, 'get': {" CALL "}},"
                   " '/d': {'security': {'any_of': [{'type': 'basic'}, {'any_of': ["
                   "        {'type': 'api_key', 'in': 'query', 'name': 'Key'}]}]},"
                   "        'get': {" CALL "}},"
                   " '/e': {'security': {'type': 'oauth2', 'flow': 'implicit',"
                   "        'token_path': '/t/', 'scopes': ['staff', 'boss']},"
                   "        'get': {" CALL "}}}}}}"));
    const struct bondy_path *paths = spec->versions[0].paths;

    (void)state;
    assert_int_equal(paths[0].security.kind, BONDY_SECURITY_BASIC);
    assert_int_equal(paths[1].security.kind, BONDY_SECURITY_NONE);
    assert_int_equal(paths[2].security.kind, BONDY_SECURITY_API_KEY);
    assert_int_equal(paths[2].security.place, BONDY_API_KEY_HEADER);
    assert_string_equal(paths[2].security.name, "x-key");
    assert_string_equal(paths[2].security.prefix, "Key");
    assert_int_equal(paths[3].security.kind, BONDY_SECURITY_ANY_OF);
    assert_int_equal(paths[3].security.count, 2);
    assert_int_equal(paths[3].security.items[0].kind, BONDY_SECURITY_BASIC);
    assert_int_equal(paths[3].security.items[1].place, BONDY_API_KEY_QUERY);
    assert_string_equal(paths[3].security.items[1].name, "Key");
    assert_int_equal(paths[4].security.kind, BONDY_SECURITY_OAUTH2);
    assert_string_equal(paths[4].security.token_path, "/t");
    assert_string_equal(paths[4].security.revoke_token_path, "/oauth/revoke");
    assert_int_equal(paths[4].security.scopes.count, 2);
    assert_string_equal(paths[4].security.scopes.items[1], "boss");
    bondy_spec_unref(spec);
}

/* `password` is off unless it was asked for. */
static void grants_follow_the_flow_unless_they_are_written(void **state)
{
    static const struct {
        const char *security;
        unsigned grants;
    } CASES[] = {
        {"'client_credentials'", BONDY_GRANT_CLIENT_CREDENTIALS | BONDY_GRANT_REFRESH_TOKEN},
        {"'resource_owner_password_credentials'",
         BONDY_GRANT_CLIENT_CREDENTIALS | BONDY_GRANT_REFRESH_TOKEN | BONDY_GRANT_PASSWORD},
        {"'authorization_code'", BONDY_GRANT_CLIENT_CREDENTIALS | BONDY_GRANT_REFRESH_TOKEN |
                                     BONDY_GRANT_AUTHORIZATION_CODE},
        {"'implicit'", BONDY_GRANT_CLIENT_CREDENTIALS | BONDY_GRANT_REFRESH_TOKEN |
                           BONDY_GRANT_AUTHORIZATION_CODE},
        {"'authorization_code', 'grants': ['password']", BONDY_GRANT_PASSWORD},
        {"'client_credentials', 'grants': []", 0},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(CASES); i++) {
        struct bondy_spec *spec;

        snprintf(text, sizeof text, "{'type': 'oauth2', 'flow': %s}", CASES[i].security);
        spec = load(with_security(text));
        assert_int_equal(spec->versions[0].paths[0].security.grants, CASES[i].grants);
        assert_string_equal(spec->versions[0].paths[0].security.token_path, "/oauth/token");
        bondy_spec_unref(spec);
    }
}

static bool takes_tickets_alone(void *context, struct bondy_slice uri, const char *method)
{
    (void)context;
    return !bondy_slice_is(uri, "org.a") || strcmp(method, "ticket") == 0;
}

/* "pointer code; ..." of the warnings of a path that is loaded. */
static void check_warnings(const char *path, const char *expected)
{
    static const struct bondy_spec_env ENV = {.realm_takes = takes_tickets_alone};
    json_t *document = around(path, ""), *warnings = NULL, *item;
    char *text = list_problems(document, &ENV, &warnings);
    struct bondy_buf got = BONDY_BUF_EMPTY;
    size_t i;

    assert_string_equal(text, "");
    json_array_foreach(warnings, i, item)
        bondy_buf_printf(&got, "%s%s %s", i > 0 ? "; " : "", bondy_json_text(item, "pointer").data,
                         bondy_json_text(item, "code").data);
    bondy_free(text);
    text = bondy_buf_take_text(&got);
    assert_string_equal(text, expected);
    bondy_free(text);
    json_decref(warnings);
    json_decref(document);
}

static void what_a_security_cannot_do_here_is_warned_of(void **state)
{
#define WHO ", 'get': {'action': {'type': 'static', 'body': '{{security.authid}}'}}}"
    (void)state;
    check_warnings("{'security': {}" WHO, X "/get/action/body anonymous_security");
    check_warnings("{'security': {'type': 'api_key'}" WHO, "");
    check_warnings("{'security': {'type': 'basic'}" WHO, "/realm_uri authmethod_off");
    check_warnings("{'security': {'type': 'oauth2', 'flow': 'implicit'}" WHO,
                   S "/flow deprecated_value; /realm_uri authmethod_off");
    check_warnings("{'security': {'any_of': [{'type': 'basic'}, {'type': 'oauth2',"
                   " 'flow': 'client_credentials'}]}" WHO,
                   "/realm_uri authmethod_off; /realm_uri authmethod_off");
    check_warnings("{'security': {'type': 'api_key', 'in': 'query', 'name': 'k'}" WHO,
                   S "/in key_in_url");
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void routes_are_listed_for_a_dry_run(void **state)
{
    struct bondy_spec *spec = load(example("", ""));
    json_t *routes = bondy_spec_routes(spec);
    json_t *first = json_array_get(routes, 0);

    (void)state;
    assert_int_equal(json_array_size(routes), 8);
    assert_slice_is(bondy_json_text(first, "method"), "GET");
    assert_slice_is(bondy_json_text(first, "scheme"), "http");
    assert_slice_is(bondy_json_text(first, "host"), "_");
    assert_slice_is(bondy_json_text(first, "path"), "/[v1]/gauges");
    assert_slice_is(bondy_json_text(first, "procedure"), "org.rivermap.gauge.list");
    json_decref(routes);
    bondy_spec_unref(spec);
}

static void versions_carry_their_dates_and_media_their_order(void **state)
{
    static const struct bondy_spec_env ENV = {.loaded_at_ms = 1700000000500};
    json_t *document =
        parse("{'id': 'a', 'host': '_', 'realm_uri': 'a', 'versions': {'1': {'base_path': '',"
              " 'is_deprecated': true, 'sunset': '2031-12-31', 'languages': ['FR'],"
              " 'paths': {'/x': {'provides': ['text/plain', 'Application/MsgPack;q=1',"
              " 'application/json'], 'get': {" CALL "}}}}}}");
    struct bondy_spec *spec = NULL;
    const struct bondy_version *version;

    (void)state;
    assert_int_equal(bondy_spec_load(document, &ENV, &spec, NULL, NULL), BONDY_OK);
    version = &spec->versions[0];
    assert_string_equal(version->deprecation, "@1700000000");
    assert_string_equal(version->sunset, "Wed, 31 Dec 2031 00:00:00 GMT");
    assert_string_equal(version->languages.items[0], "fr");
    assert_string_equal(version->paths[0].provides.items[0].type, "application/json");
    assert_string_equal(version->paths[0].provides.items[1].type, "application/msgpack");
    assert_int_equal(version->paths[0].provides.items[2].kind, BONDY_MEDIA_TEXT);
    bondy_spec_unref(spec);
    json_decref(document);
}

static void a_string_body_is_sniffed_only_where_the_format_says_so(void **state)
{
    static const struct {
        const char *api;
        const char *rule;
        bool sniffs;
    } ROWS[] = {
        {"", "{}", true},
        {"'spec_version': 2,", "{}", false},
        {"'spec_version': 2,", "{'body_encoding': 'auto'}", true},
        {"'defaults': {'body_encoding': 'json'},", "{}", false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        char path[300];
        struct bondy_spec *spec;

        snprintf(path, sizeof path, "{'get': {" CALL ", 'response': {'on_result': %s}}}",
                 ROWS[i].rule);
        spec = load(around(path, ROWS[i].api));
        assert_int_equal(
            spec->versions[0].paths[0].operations[BONDY_METHOD_GET]->on_result.sniffs_json,
            ROWS[i].sniffs);
        bondy_spec_unref(spec);
    }
}

/* 7.1 with the changes of 7.2, every row. */
static void each_error_has_its_status(void **state)
{
    static const struct {
        const char *uri;
        int status;
    } ROWS[] = {{"bondy.error.already_exists", 409},
                {"bondy.error.not_found", 404},
                {"bondy.error.bad_gateway", 502},
                {"bondy.error.http_gateway.invalid_expression", 500},
                {"bondy.error.timeout", 504},
                {"bondy.error.too_many_requests", 429},
                {"wamp.error.authorization_failed", 403},
                {"wamp.error.canceled", 503},
                {"wamp.close.close_realm", 500},
                {"wamp.error.disclose_me.not_allowed", 400},
                {"wamp.close.goodbye_and_out", 500},
                {"wamp.error.invalid_argument", 400},
                {"wamp.error.invalid_uri", 400},
                {"wamp.error.not_authorized", 403},
                {"wamp.error.no_eligible_callee", 502},
                {"wamp.error.no_such_procedure", 501},
                {"wamp.error.no_such_realm", 502},
                {"wamp.error.no_such_registration", 502},
                {"wamp.error.no_such_role", 400},
                {"wamp.error.no_such_session", 500},
                {"wamp.error.no_such_subscription", 502},
                {"wamp.error.option_disallowed.disclose_me", 400},
                {"wamp.error.option_not_allowed", 400},
                {"wamp.error.procedure_already_exists", 409},
                {"wamp.close.system_shutdown", 503},
                {"wamp.error.network_failure", 502},
                {"wamp.error.no_such_principal", 404},
                {"wamp.error.no_available_callee", 503},
                {"wamp.error.unavailable", 503},
                {"wamp.error.payload_size_exceeded", 413},
                {"wamp.error.invalid_payload", 400},
                {"wamp.error.type_check_error", 400},
                {"wamp.error.timeout", 504},
                {"wamp.error.not_found", 404},
                {"org.example.unknown", 500}};
    json_t *overlay = json_pack("{s:i}", "wamp.error.not_authorized", 418);
    json_t *builtin = bondy_status_builtin();

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        const json_t *shown = json_object_get(builtin, ROWS[i].uri);

        assert_int_equal(bondy_status_of(bondy_slice_text(ROWS[i].uri), NULL, false),
                         ROWS[i].status);
        assert_int_equal(shown == NULL ? 500 : json_integer_value(shown), ROWS[i].status);
    }
    assert_int_equal(bondy_status_of(BONDY_SLICE("wamp.error.not_authorized"), NULL, true), 401);
    assert_int_equal(bondy_status_of(BONDY_SLICE("wamp.error.not_authorized"), overlay, true), 418);
    json_decref(overlay);
    json_decref(builtin);
}

/* ---- P10 ----------------------------------------------------------------------------------- */

static double seconds_of(json_t *document)
{
    struct timespec a, b;
    json_t *warnings = NULL;
    char *text;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    text = list_problems(document, NULL, &warnings);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    bondy_free(text);
    json_decref(warnings);
    json_decref(document);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static json_t *doubling(const char *leaf)
{
    json_t *document = around(GET, "");
    json_t *variables = json_object();

    for (int i = 0; i < 60; i++) {
        char key[16], text[64];

        snprintf(key, sizeof key, "v%d", i);
        snprintf(text, sizeof text, "{{variables.v%d}}", i + 1);
        json_object_set_new(variables, key,
                            i == 59 ? json_string(leaf) : json_pack("[s,s]", text, text));
    }
    json_object_set_new(document, "variables", variables);
    return document;
}

static json_t *many_operations(void)
{
    json_t *document = around(GET, "");
    json_t *paths =
        json_object_get(json_object_get(json_object_get(document, "versions"), "1"), "paths");

    for (int i = 0; i < 120; i++) {
        char key[32];

        snprintf(key, sizeof key, "/p%d/[a]/[b]/[c]/[d]/[e]/[f]", i);
        json_object_set_new(
            paths, key,
            json_pack("{s:{s:{s:s, s:s, s:[s]}}}", "get", "action", "type", "wamp_call",
                      "procedure", "org.a.b", "args",
                      "{{request.body |> without([a,b,c]) |> put(x, {{request.id}})}}"));
    }
    return document;
}

static json_t *wide_and_slow(void)
{
    json_t *document = around(GET, "");
    json_t *variables = json_object();
    json_t *wide = json_object();
    char key[16];

    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        json_object_set_new(wide, key, json_integer(i));
    }
    json_object_set_new(variables, "wide", wide);
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "u%d", i);
        json_object_set_new(variables, key,
                            json_string("{{variables.wide |> put(a,1) |> put(b,2) |> keys}}"));
    }
    json_object_set_new(document, "variables", variables);
    return document;
}

/* P10: a second for a load, whatever the document is made of. */
static void no_document_takes_longer_than_a_second(void **state)
{
    double budget = getenv("BONDY_SLOW") != NULL ? 30 : 1;

    (void)state;
#if defined(BONDY_SANITIZED) || defined(__SANITIZE_ADDRESS__)
    budget *= 20;
#endif
    assert_true(seconds_of(doubling("x")) < budget);
    assert_true(seconds_of(doubling("{{request.body}}")) < budget);
    assert_true(seconds_of(many_operations()) < budget);
    assert_true(seconds_of(wide_and_slow()) < budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_loads_without_what_is_not_built),
        cmocka_unit_test(the_worked_example_whole_names_exactly_what_is_not_built),
        cmocka_unit_test(status_codes_of_the_version_reach_a_variable_of_the_api),
        cmocka_unit_test(a_variable_is_evaluated_where_it_is_defined),
        cmocka_unit_test(lower_levels_override_key_by_key),
        cmocka_unit_test(a_filled_in_timeout_does_not_count_as_written),
        cmocka_unit_test(an_operation_can_be_an_expression),
        cmocka_unit_test(the_example_of_the_error_list_is_answered_like_this),
        cmocka_unit_test(each_mistake_of_a_path_has_its_pointer_and_code),
        cmocka_unit_test(each_mistake_of_a_document_has_its_pointer_and_code),
        cmocka_unit_test(a_cycle_names_its_members),
        cmocka_unit_test(a_realm_that_is_not_there_is_its_own_answer),
        cmocka_unit_test(warnings_do_not_stop_a_load),
        cmocka_unit_test(each_mistake_of_a_security_has_its_pointer_and_code),
        cmocka_unit_test(a_security_is_compiled_for_each_path),
        cmocka_unit_test(grants_follow_the_flow_unless_they_are_written),
        cmocka_unit_test(what_a_security_cannot_do_here_is_warned_of),
        cmocka_unit_test(routes_are_listed_for_a_dry_run),
        cmocka_unit_test(versions_carry_their_dates_and_media_their_order),
        cmocka_unit_test(a_string_body_is_sniffed_only_where_the_format_says_so),
        cmocka_unit_test(each_error_has_its_status),
        cmocka_unit_test(no_document_takes_longer_than_a_second),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

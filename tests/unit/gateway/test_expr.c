/* SPDX-License-Identifier: Apache-2.0 */
/* The expression language of http-gateway.md part 2: every row of its tables. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/expr/expr.h"
#include "src/base/alloc.h"
#include "src/base/id.h"

/* A request as a JSON object {"request": {...}, "security": {...}, "action": {...}}. */
static json_t *field_of(void *context, enum bondy_field field)
{
    const char *name = bondy_field_name(field);
    json_t *value = context;
    char step[64];

    while (value != NULL && *name != 0) {
        size_t len = strcspn(name, ".");

        snprintf(step, sizeof step, "%.*s", (int)len, name);
        value = json_object_get(value, step);
        name += len + (name[len] == '.');
    }
    return value;
}

static const char REQUEST[] =
    "{'request': {'id': '77', 'method': 'post', 'path': '/a b', 'port': 8080,"
    "  'headers': {'accept': 'x', 'authorization': 'Bearer abc', 'n': ''},"
    "  'query_params': {'page': '2', 'flag': true, 'bad': 'x1'}, 'bindings': {'id': 'abc'},"
    "  'body': {'n': 3, 'name': \"'tis\", 'tag': '{{variables.n}}', 'list': [1, 2, 3],"
    "           'empty': [], 'object': {'k': 7, 'a.b': 8}, 'nothing': null, 'yes': true,"
    "           'f': 2.5, 'text': 'Ab c', 'csv': 'a,b,c', 'password': 'hunter2'}},"
    " 'security': {'authid': 'joe', 'groups': []},"
    " 'action': {'result': {'args': [{'id': 'g7'}], 'kwargs': {'message': 'm'}},"
    "            'error': {'error_uri': 'org.x', 'kwargs': {'message': 'x'}}},"
    " 'status_codes': {'org.x': 404}}";

static const char VARIABLES[] =
    "{'n': 3, 'a': {'k': 7}, 'b': 'k', 'list': [1, 2, 3], 'none': [], 'empty': '', 'f': 3.9,"
    " 'minus': -4, 'text': 'Ab c', 'nil': null, 'yes': true, 'no': false, 'num': '12',"
    " 'object': {'x': 1, 'y': 2, 'dotted.key': 5}, 'late': {'id': '{{request.id}}', 'n': 1},"
    " 'promise': '{{request.body.n}}', 'words': ['b', 'a'], 'big': '9223372036854775807',"
    " 'fn': '1.5e3', 'url': 'a b/c~\\u00e9', 'b64': 'aGk=', 'json_text': '{\\\"a\\\":[1]}',"
    " 'caret': 'order-15', 'zero': 0}";

static json_t *parse(const char *text)
{
    /* Single quotes are easier to read in C; \u0027 is the real one. */
    struct bondy_buf buf = BONDY_BUF_EMPTY;
    struct bondy_error err = {0, ""};
    bool in_double = false;
    json_t *value;

    for (const char *c = text; *c != 0; c++) {
        if (*c == '"' && (c == text || c[-1] != '\\'))
            in_double = !in_double;
        bondy_buf_append_byte(&buf, (unsigned char)(*c == '\'' && !in_double ? '"' : *c));
    }
    value = bondy_json_parse(bondy_buf_slice(&buf), 32, &err);
    if (value == NULL)
        print_error("%s: %s\n", text, err.text);
    assert_non_null(value);
    bondy_buf_fini(&buf);
    return value;
}

/* Expected: JSON text with '...' for strings, or "!code" for a mistake at load, or "?client
 * /pointer" or "?spec" for one at request time. */
struct row {
    const char *text;
    const char *expected;
};

static char *run_eval(const struct bondy_expr *expr)
{
    json_t *request = parse(REQUEST);
    struct bondy_expr_source source = {field_of, request};
    struct bondy_expr_error error = {.message = ""};
    struct bondy_buf out = BONDY_BUF_EMPTY;
    json_t *value = NULL;

    if (bondy_expr_eval(expr, &source, &value, &error) < 0) {
        bondy_buf_printf(&out, "?%s%s%s", error.fault == BONDY_FAULT_CLIENT ? "client" : "spec",
                         error.pointer[0] ? " " : "", error.pointer);
        assert_null(strstr(error.message, "hunter2"));
        assert_null(strstr(error.message, "Bearer abc"));
    } else {
        bondy_json_format(value, &out);
    }
    json_decref(value);
    json_decref(request);
    return bondy_buf_take_text(&out);
}

static char *run(const json_t *value)
{
    json_t *variables = parse(VARIABLES);
    struct bondy_expr_program *program = NULL;
    json_t *problems = NULL;
    char *out;

    if (bondy_expr_program_create(value, variables, &program, &problems) < 0) {
        struct bondy_buf text = BONDY_BUF_EMPTY;

        bondy_buf_printf(&text, "!%s",
                         json_string_value(json_object_get(json_array_get(problems, 0), "code")));
        out = bondy_buf_take_text(&text);
    } else {
        out = run_eval(bondy_expr_program_root(program));
    }
    json_decref(problems);
    json_decref(variables);
    bondy_expr_program_destroy(program);
    return out;
}

static void check_row(const struct row *row)
{
    json_t *text = json_string(row->text);
    char *got = run(text);
    char *wanted = bondy_strdup(row->expected);

    if (wanted[0] != '!' && wanted[0] != '?') {
        json_t *value = parse(wanted);
        struct bondy_buf buf = BONDY_BUF_EMPTY;

        bondy_json_format(value, &buf);
        bondy_free(wanted);
        wanted = bondy_buf_take_text(&buf);
        json_decref(value);
    }
    if (strcmp(got, wanted) != 0)
        print_error("%s\n", row->text);
    assert_string_equal(got, wanted);
    bondy_free(got);
    bondy_free(wanted);
    json_decref(text);
}

static void check_rows(const struct row *rows)
{
    for (; rows->text != NULL; rows++)
        check_row(rows);
}

/* 2.1 */
static void strings_are_plain_bare_or_templates(void **state)
{
    static const struct row ROWS[] = {
        {"plain  text ", "'plain  text '"},
        {"", "''"},
        {"\"quoted\"", "\"\\\"quoted\\\"\""},
        {"{{variables.n}}", "3"},
        {" {{variables.n}}\t", "3"},
        {"\"{{variables.n}}\"", "'3'"},
        {"\"n is {{variables.n}}!\"", "'n is 3!'"},
        {"n is {{variables.n}}", "'n is 3'"},
        {"{{variables.n}}/{{variables.b}}", "'3/k'"},
        {"\"{{variables.a |> get({{variables.b}})}}\"", "'7'"},
        {"{{ variables . a . k }}", "7"},
        {"\\{{no}}", "'{{no}}'"},
        {"a \\{{ and {{variables.n}}", "'a {{ and 3'"},
        {"x {{variables.f}} {{variables.yes}} {{variables.nil}} {{variables.a}} "
         "{{variables.list}}",
         "'x 3.9 true null {\\\"k\\\":7} [1,2,3]'"},
        {"x {{request.body.f}} {{request.body.yes}} {{request.body.nothing}} "
         "{{request.body.list}}",
         "'x 2.5 true null [1,2,3]'"},
        {"{{}}", "!invalid_expression"},
        {"{{ }}", "!invalid_expression"},
        {"{{variables.n", "!invalid_expression"},
        {"a {{variables.n} b", "!invalid_expression"},
        {"{{variables..n}}", "!invalid_expression"},
        {"{{variables.n x}}", "!invalid_expression"},
        {"{{variables.n |> }}", "!invalid_expression"},
        {"{{variables.n | integer}}", "!invalid_expression"},
        {"{{variables.a |> get('k)}}", "!invalid_expression"},
        {"{{variables.a |> get(k}}", "!invalid_expression"},
        {"{{nowhere.n}}", "!unknown_root"},
        {"{{variables.nn}}", "!unknown_path"},
        {"{{variables.a.zz}}", "!unknown_path"},
        {"{{request.boddy}}", "!unknown_path"},
        {"{{action.results.args}}", "!unknown_path"},
        {NULL, NULL}};

    (void)state;
    check_rows(ROWS);
}

/* 2.3, first table. */
static void operators_of_bondy_do_what_the_table_says(void **state)
{
    static const struct row ROWS[] = {
        {"{{variables.n |> integer}}", "3"},
        {"{{variables.f |> integer}}", "3"},
        {"{{variables.num |> integer}}", "12"},
        {"{{variables.big |> integer}}", "9223372036854775807"},
        {"{{variables.text |> integer}}", "!invalid_operand"},
        {"{{variables.list |> integer}}", "!invalid_operand"},
        {"{{variables.n |> float}}", "3.0"},
        {"{{variables.num |> float}}", "12.0"},
        {"{{variables.fn |> float}}", "1500.0"},
        {"{{variables.text |> float}}", "!invalid_operand"},
        {"{{variables.n |> string}}", "'3'"},
        {"{{variables.yes |> string}}", "'true'"},
        {"{{variables.a |> string}}", "!invalid_operand"},
        {"{{variables.minus |> abs}}", "4"},
        {"{{variables.text |> abs}}", "!invalid_operand"},
        {"{{variables.list |> head}}", "1"},
        {"{{variables.none |> head}}", "''"},
        {"{{variables.list |> last}}", "3"},
        {"{{variables.none |> last}}", "''"},
        {"{{variables.list |> tail}}", "[2, 3]"},
        {"{{variables.none |> tail}}", "[]"},
        {"{{variables.list |> length}}", "3"},
        {"{{variables.text |> length}}", "!invalid_operand"},
        {"{{variables.object |> size}}", "3"},
        {"{{variables.list |> size}}", "!invalid_operand"},
        {"{{variables.object |> get(x)}}", "1"},
        {"{{variables.object |> get('dotted.key')}}", "5"},
        {"{{variables.object |> get(zz)}}", "!unknown_path"},
        {"{{variables.object |> get(zz, 500)}}", "'500'"},
        {"{{variables.object |> get(zz, 500) |> integer}}", "500"},
        {"{{variables.object |> get(zz, '')}}", "''"},
        {"{{variables.list |> get(zz)}}", "!invalid_operand"},
        {"{{variables.a |> put(z, {{variables.n}})}}", "{'k': 7, 'z': 3}"},
        {"{{variables.n |> put(z, 1)}}", "!invalid_operand"},
        {"{{variables.a |> merge({{variables.object}}) |> get(x)}}", "1"},
        {"{{variables.a |> put(x, l) |> merge({{variables.object}}) |> get(x)}}", "1"},
        {"{{variables.a |> put(x, l) |> merge(_, {{variables.object}}) |> get(x)}}", "1"},
        {"{{variables.a |> put(x, l) |> merge({{variables.object}}, _) |> get(x)}}", "'l'"},
        {"{{variables.a |> merge({{variables.list}})}}", "!invalid_operand"},
        {"{{variables.object |> with([x, nope])}}", "{'x': 1}"},
        {"{{variables.object |> without([x, 'dotted.key'])}}", "{'y': 2}"},
        {"{{variables.object |> without([{{variables.b}}, x]) |> size}}", "2"},
        {"{{variables.object |> without([{{request.body.tag}}, x]) |> size}}", "2"},
        {"{{variables.list |> with([x])}}", "!invalid_operand"},
        {"{{variables.a |> merge({{variables.object |> with([x])}}) |> size}}", "2"},
        {"{{variables.n |> intger}}", "!unknown_operator"},
        {"{{variables.a |> get}}", "!wrong_arguments"},
        {"{{variables.a |> get(a,b,c)}}", "!wrong_arguments"},
        {"{{variables.a |> with(x)}}", "!wrong_arguments"},
        /* Any of them on "" yields "". */
        {"{{variables.empty |> integer}}", "''"},
        {"{{variables.empty |> head |> get(x) |> size}}", "''"},
        {"{{request.headers.n |> integer}}", "''"},
        {NULL, NULL}};

    (void)state;
    check_rows(ROWS);
}

/* 2.3, second table. */
static void additional_operators_do_what_the_table_says(void **state)
{
    static const struct row ROWS[] = {
        {"{{variables.nope |> default(5)}}", "'5'"},
        {"{{variables.nil |> default(5)}}", "'5'"},
        {"{{variables.no |> default(5)}}", "false"},
        {"{{request.body.nope |> default({{request.body.n}})}}", "3"},
        {"{{request.body.nope.deeper |> default('')}}", "''"},
        {"{{request.body |> get(nope) |> default(x)}}", "'x'"},
        {"{{request.body.nothing |> default(x)}}", "'x'"},
        {"{{variables.text |> lower}}", "'ab c'"},
        {"{{variables.text |> upper}}", "'AB C'"},
        {"{{request.body.text |> lower |> trim}}", "'ab c'"},
        {"{{request.body.csv |> split(',')}}", "['a', 'b', 'c']"},
        {"{{request.body.csv |> split(', ')}}", "['a,b,c']"},
        {"{{variables.empty |> split(',')}}", "[]"},
        {"{{request.body.csv |> split('')}}", "?client /body/csv"},
        {"{{variables.list |> join(', ')}}", "'1, 2, 3'"},
        {"{{variables.list |> at(0)}}", "1"},
        {"{{variables.list |> at(-1)}}", "3"},
        {"{{variables.list |> at(3)}}", "!invalid_operand"},
        {"{{variables.object |> keys}}", "['dotted.key', 'x', 'y']"},
        {"{{variables.object |> values}}", "[5, 1, 2]"},
        {"{{variables.a |> json}}", "'{\\\"k\\\":7}'"},
        {"{{variables.json_text |> parse_json}}", "{'a': [1]}"},
        {"{{variables.text |> parse_json}}", "!invalid_operand"},
        {"{{variables.text |> base64}}", "'QWIgYw=='"},
        {"{{variables.b64 |> unbase64}}", "'hi'"},
        {"{{variables.text |> unbase64}}", "!invalid_operand"},
        {"{{variables.url |> url_encode}}", "'a%20b%2Fc~%C3%A9'"},
        {"{{variables.yes |> boolean}}", "true"},
        {"{{variables.zero |> boolean}}", "false"},
        {"{{variables.text |> boolean}}", "!invalid_operand"},
        {"{{variables.yes |> not}}", "false"},
        {"{{variables.n |> not}}", "!invalid_operand"},
        {"{{variables.n |> eq(3)}}", "true"},
        {"{{variables.n |> eq('3')}}", "true"},
        {"{{variables.n |> eq({{variables.num}})}}", "false"},
        {"{{variables.n |> float |> eq({{variables.n}})}}", "true"},
        {"{{variables.n |> ne(4)}}", "true"},
        {"{{variables.list |> eq({{request.body.list}})}}", "true"},
        {"{{variables.n |> lt(10)}}", "true"},
        {"{{variables.num |> gt(9)}}", "true"},
        {"{{variables.text |> lt(b)}}", "true"},
        {"{{request.method |> in([get, post])}}", "true"},
        {"{{request.method |> in([get, 'put'])}}", "false"},
        {"{{variables.caret |> matches(^order-[0-9]+$)}}", "true"},
        {"{{request.body.text |> matches('^a b, c')}}", "false"},
        {"{{request.body.text |> matches('(')}}", "!invalid_regex"},
        {"{{request.body.text |> matches({{request.path}})}}", "!invalid_regex"},
        {"{{variables.yes |> if(a, b)}}", "'a'"},
        {"{{request.body.yes |> not |> if(a, {{request.body.n}})}}", "3"},
        {"{{request.id |> now |> matches('^20..-..-..T')}}", "true"},
        {"{{request.body.nope |> uuid |> matches('^.{8}-.{4}-4')}}", "true"},
        /* The "" rule is not theirs. */
        {"{{variables.empty |> upper}}", "''"},
        {"{{variables.empty |> eq('')}}", "true"},
        {"{{variables.empty |> json}}", "'\\\"\\\"'"},
        {NULL, NULL}};

    (void)state;
    check_rows(ROWS);
}

/* 2.4: data is data. */
static void what_a_request_brings_is_never_evaluated(void **state)
{
    static const struct row ROWS[] = {
        {"{{request.body.tag}}", "'{{variables.n}}'"},
        {"\"{{request.body.tag}}\"", "'{{variables.n}}'"},
        {"{{request.body |> get(tag)}}", "'{{variables.n}}'"},
        {"{{request.body.name}}", "\"'tis\""},
        {"{{variables.object |> put(v, {{request.body.tag}}) |> get(v)}}", "'{{variables.n}}'"},
        {NULL, NULL}};

    (void)state;
    check_rows(ROWS);
}

static void promises_pass_through_variables(void **state)
{
    static const struct row ROWS[] = {
        {"{{variables.promise}}", "3"},
        {"{{variables.late}}", "{'id': '77', 'n': 1}"},
        {"{{variables.late.id}}", "'77'"},
        {"{{variables.late |> get(id)}}", "'77'"},
        {"{{variables.late |> put(z, {{request.port}})}}", "{'id': '77', 'n': 1, 'z': 8080}"},
        {"{{variables.late |> without([id])}}", "{'n': 1}"},
        {"{{status_codes |> get({{action.error.error_uri}}, 500) |> integer}}", "404"},
        {"{{action.error.kwargs |> put(code, {{action.error.error_uri}})}}",
         "{'message': 'x', 'code': 'org.x'}"},
        {"{{action.result.arguments |> head |> get('id')}}", "'g7'"},
        {"{{action.result.arguments_kw}}", "{'message': 'm'}"},
        {"\"{{request.path}}/{{action.result.args |> head |> get('id')}}\"", "'/a b/g7'"},
        {"{{request.path_params.id}}", "'abc'"},
        {"{{security}}", "{'authid': 'joe', 'groups': []}"},
        {NULL, NULL}};

    (void)state;
    check_rows(ROWS);
}

/* 2.5 */
static void a_missing_or_wrong_member_is_the_clients_or_the_authors_fault(void **state)
{
    static const struct row ROWS[] = {
        {"{{request.body.nope}}", "?client /body/nope"},
        {"{{request.body.object.nope.x}}", "?client /body/object/nope"},
        {"{{request.query_params.page2}}", "?client /query_params/page2"},
        {"{{request.query_params.bad |> integer}}", "?client /query_params/bad"},
        {"{{request.headers.x/y}}", "?client /headers/x~1y"},
        {"{{request.body |> get(nope)}}", "?client /body/nope"},
        {"{{request.body.password |> integer}}", "?client /body/password"},
        {"{{request.headers.authorization |> integer}}", "?client /headers/authorization"},
        {"{{request.bindings.id |> integer}}", "?client /bindings/id"},
        {"{{request.bindings.nope}}", "?spec"},
        {"{{action.result.args |> at(4)}}", "?spec"},
        {"{{action.result.kwargs.nope}}", "?spec"},
        {"{{security.meta}}", "?spec"},
        {"{{request.port |> head}}", "!invalid_operand"},
        {"{{request.port.x}}", "!unknown_path"},
        {NULL, NULL}};

    (void)state;
    check_rows(ROWS);
}

static void mistakes_say_where_and_what_was_meant(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        int column;
    } ROWS[] = {
        {"{{status_codes|>get({{action.error.error_uri}},500)|>intger}}",
         "no operator 'intger'; did you mean 'integer'?", 54},
        {"{{requst.body}}", "an expression cannot start with 'requst'; did you mean 'request'?", 3},
        {"\xc3\xa9 {{request.headrs}}", "'request' has no member 'headrs'; did you mean 'headers'?",
         13},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        json_t *text = json_string(ROWS[i].text);
        struct bondy_expr_program *program = NULL;
        json_t *problems = NULL;
        json_t *problem;

        assert_int_equal(bondy_expr_program_create(text, NULL, &program, &problems), BONDY_EINVAL);
        problem = json_array_get(problems, 0);
        assert_string_equal(json_string_value(json_object_get(problem, "pointer")), "/value");
        assert_string_equal(json_string_value(json_object_get(problem, "message")),
                            ROWS[i].message);
        assert_int_equal(json_integer_value(json_object_get(problem, "column")), ROWS[i].column);
        json_decref(problems);
        json_decref(text);
    }
}

static void repeat(struct bondy_buf *buf, const char *text, size_t count)
{
    while (count-- > 0)
        bondy_buf_append_text(buf, text);
}

static void check_built(struct bondy_buf *text, const char *expected)
{
    json_t *value = json_stringn(text->data, text->len);
    char *got = run(value);

    assert_string_equal(got, expected);
    bondy_free(got);
    json_decref(value);
    bondy_buf_fini(text);
}

/* P10 */
static void length_nesting_and_operators_are_limited(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    repeat(&text, "{{variables.list ", 1);
    repeat(&text, "|> tail ", 32);
    repeat(&text, "}}", 1);
    check_built(&text, "[]");
    repeat(&text, "{{variables.list ", 1);
    repeat(&text, "|> tail ", 33);
    repeat(&text, "}}", 1);
    check_built(&text, "!too_complex");
    repeat(&text, "{{variables.a |> get(", 15);
    repeat(&text, "{{variables.b}}", 1);
    repeat(&text, ", k)}}", 15);
    check_built(&text, "7");
    repeat(&text, "{{variables.a |> get(", 16);
    repeat(&text, "{{variables.b}}", 1);
    repeat(&text, ", k)}}", 16);
    check_built(&text, "!too_complex");
    repeat(&text, "{{variables.a |> get(k, '", 1);
    repeat(&text, "x", 4096);
    repeat(&text, "')}}", 1);
    check_built(&text, "!too_long");
}

/* P10: a = [b, b], b = [c, c], ... */
static void values_that_double_are_refused_or_bounded(void **state)
{
    json_t *variables = json_object();
    json_t *value = json_string("{{variables.v0 |> json |> length}}");
    struct bondy_expr_program *program = NULL;
    json_t *problems = NULL;
    char key[16], text[64];

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "v%d", i);
        snprintf(text, sizeof text, i == 39 ? "{{request.body}}" : "{{variables.v%d}}", i + 1);
        json_object_set_new(variables, key, json_pack("[s, s]", text, text));
    }
    assert_int_equal(bondy_expr_program_create(value, variables, &program, &problems),
                     BONDY_EINVAL);
    json_decref(problems);
    json_decref(variables);
    json_decref(value);
}

static void a_regular_expression_cannot_run_away(void **state)
{
    json_t *value = json_string("{{request.body |> matches('^(a+)+$')}}");
    struct bondy_expr_program *program = NULL;
    json_t *request;
    struct bondy_expr_source source = {field_of, NULL};
    struct bondy_expr_error error = {.message = ""};
    struct bondy_buf body = BONDY_BUF_EMPTY;
    json_t *out = NULL;

    (void)state;
    repeat(&body, "a", 40);
    repeat(&body, "b", 1);
    request = json_pack("{s:{s:s%}}", "request", "body", body.data, body.len);
    source.context = request;
    assert_int_equal(bondy_expr_program_create(value, NULL, &program, NULL), BONDY_OK);
    assert_int_equal(bondy_expr_eval(bondy_expr_program_root(program), &source, &out, &error),
                     BONDY_EINVAL);
    assert_int_equal(error.fault, BONDY_FAULT_CLIENT);
    bondy_expr_program_destroy(program);
    bondy_buf_fini(&body);
    json_decref(request);
    json_decref(value);
}

static void questions_about_an_expression_are_answered(void **state)
{
    json_t *value = json_pack("[s, s]", "{{request.body.x}}", "{{security.authid}}");
    json_t *bare = json_string("{{request.body}}");
    json_t *constant = json_string("{{status_codes |> get('wamp.error.canceled')}}");
    struct bondy_expr_program *program = NULL;
    const struct bondy_expr *root;

    (void)state;
    assert_int_equal(bondy_expr_program_create(value, NULL, &program, NULL), BONDY_OK);
    root = bondy_expr_program_root(program);
    assert_int_equal(bondy_expr_roots(root), BONDY_ROOT_REQUEST | BONDY_ROOT_SECURITY);
    assert_true(bondy_expr_uses(root, BONDY_FIELD_REQUEST_BODY));
    assert_false(bondy_expr_uses(root, BONDY_FIELD_REQUEST_HEADERS));
    assert_null(bondy_expr_constant(root));
    bondy_expr_program_destroy(program);
    assert_int_equal(bondy_expr_program_create(bare, NULL, &program, NULL), BONDY_OK);
    assert_true(bondy_expr_is_field(bondy_expr_program_root(program), BONDY_FIELD_REQUEST_BODY));
    bondy_expr_program_destroy(program);
    assert_int_equal(bondy_expr_program_create(constant, NULL, &program, NULL), BONDY_OK);
    assert_int_equal(json_integer_value(bondy_expr_constant(bondy_expr_program_root(program))),
                     503);
    bondy_expr_program_destroy(program);
    json_decref(value);
    json_decref(bare);
    json_decref(constant);
}

static void durations_are_numbers_or_text_with_a_unit(void **state)
{
    static const struct {
        const char *json;
        bool is_good;
        uint64_t ms;
    } ROWS[] = {{"0", true, 0},         {"1500", true, 1500},
                {"'15s'", true, 15000}, {"'2m'", true, 120000},
                {"'500ms'", true, 500}, {"'1h'", true, 3600000},
                {"'250'", true, 250},   {"'infinity'", true, UINT64_MAX},
                {"-1", false, 0},       {"'x'", false, 0},
                {"''", false, 0},       {"'5 s'", false, 0},
                {"true", false, 0}};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        json_t *value = parse(ROWS[i].json);
        uint64_t ms = 0;

        assert_int_equal(bondy_duration_ms(value, &ms), ROWS[i].is_good);
        if (ROWS[i].is_good)
            assert_int_equal(ms, ROWS[i].ms);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_plain_bare_or_templates),
        cmocka_unit_test(operators_of_bondy_do_what_the_table_says),
        cmocka_unit_test(additional_operators_do_what_the_table_says),
        cmocka_unit_test(what_a_request_brings_is_never_evaluated),
        cmocka_unit_test(promises_pass_through_variables),
        cmocka_unit_test(a_missing_or_wrong_member_is_the_clients_or_the_authors_fault),
        cmocka_unit_test(mistakes_say_where_and_what_was_meant),
        cmocka_unit_test(length_nesting_and_operators_are_limited),
        cmocka_unit_test(values_that_double_are_refused_or_bounded),
        cmocka_unit_test(a_regular_expression_cannot_run_away),
        cmocka_unit_test(questions_about_an_expression_are_answered),
        cmocka_unit_test(durations_are_numbers_or_text_with_a_unit),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of docs/reference/api-specification.md do what the page says. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/spec/spec.h"
#include "src/base/alloc.h"
#include "src/base/id.h"

static char *page;

static int read_page(void **state)
{
    const char *source = getenv("srcdir");
    char path[4096];
    FILE *file;
    size_t len;

    (void)state;
    snprintf(path, sizeof path, "%s/docs/reference/api-specification.md",
             source == NULL ? ".." : source);
    file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    page = bondy_zalloc(1 << 17);
    len = fread(page, 1, (1 << 17) - 1, file);
    fclose(file);
    return len == 0 ? -1 : 0;
}

static int free_page(void **state)
{
    (void)state;
    bondy_free(page);
    return 0;
}

/* The JSON block behind a marker. */
static json_t *block_behind(const char *marker)
{
    const char *start = strstr(page, marker);
    const char *end;
    json_t *value;

    assert_non_null(start);
    start = strstr(start, "```json\n");
    assert_non_null(start);
    start += 8;
    end = strstr(start, "```");
    value = bondy_json_parse((struct bondy_slice){start, (size_t)(end - start)}, 32, NULL);
    assert_non_null(value);
    return value;
}

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

static void check_example(const char *line, size_t len, json_t *context)
{
    const char *arrow = memmem(line, len, "  =>  ", 6);
    struct bondy_expr_source source = {field_of, context};
    struct bondy_expr_program *program = NULL;
    struct bondy_expr_error error = {.message = ""};
    json_t *text, *wanted;
    json_t *got = NULL;

    assert_non_null(arrow);
    text = json_stringn(line, (size_t)(arrow - line));
    wanted = bondy_json_parse((struct bondy_slice){arrow + 6, len - (size_t)(arrow + 6 - line)}, 32,
                              NULL);
    print_message("%.*s\n", (int)len, line);
    assert_int_equal(
        bondy_expr_program_create(text, json_object_get(context, "variables"), &program, NULL),
        BONDY_OK);
    assert_int_equal(bondy_expr_eval(bondy_expr_program_root(program), &source, &got, &error),
                     BONDY_OK);
    assert_true(json_equal(got, wanted));
    bondy_expr_program_destroy(program);
    json_decref(text);
    json_decref(wanted);
    json_decref(got);
}

static void every_expression_yields_what_stands_behind_it(void **state)
{
    json_t *context = block_behind("<!-- context -->");
    size_t count = 0;

    (void)state;
    for (const char *block = page; (block = strstr(block, "```expr\n")) != NULL;) {
        const char *line = block + 8;

        for (; strncmp(line, "```", 3) != 0; line += strcspn(line, "\n") + 1, count++)
            check_example(line, strcspn(line, "\n"), context);
        block = line;
    }
    assert_true(count > 40);
    json_decref(context);
}

static void the_specification_loads(void **state)
{
    json_t *document = block_behind("<!-- spec -->");
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;

    (void)state;
    assert_int_equal(bondy_spec_load(document, NULL, &spec, &problems, NULL), BONDY_OK);
    bondy_spec_unref(spec);
    json_decref(document);
}

static void every_operator_is_on_the_page(void **state)
{
    static const char *const NAMES[] = {
        "integer",    "float",  "string",   "abs",        "head",    "last",    "tail",    "length",
        "size",       "get",    "put",      "merge",      "with",    "without", "default", "lower",
        "upper",      "trim",   "split",    "join",       "at",      "keys",    "values",  "json",
        "parse_json", "base64", "unbase64", "url_encode", "boolean", "not",     "eq",      "ne",
        "lt",         "gt",     "in",       "matches",    "if",      "now",     "uuid"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(NAMES); i++) {
        char code[40], call[40];

        snprintf(code, sizeof code, "`%s`", NAMES[i]);
        snprintf(call, sizeof call, "`%s(", NAMES[i]);
        if (strstr(page, code) == NULL && strstr(page, call) == NULL)
            fail_msg("%s", NAMES[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_expression_yields_what_stands_behind_it),
        cmocka_unit_test(the_specification_loads),
        cmocka_unit_test(every_operator_is_on_the_page),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, read_page, free_page);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* configuration.md 9, F1: the grammar. */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/server/config_parse.h"

static void write_line(void *context, const struct bondy_config_line *line)
{
    bondy_buf_printf(context, "%u:%u %s" BONDY_SLICE_FMT "=<" BONDY_SLICE_FMT ">;", line->line,
                     line->column, line->kind == BONDY_CONFIG_INCLUDE ? "include " : "",
                     BONDY_SLICE_ARG(line->key), BONDY_SLICE_ARG(line->value));
}

static void write_error(void *context, unsigned line, unsigned column, const char *text)
{
    bondy_buf_printf(context, "%u:%u !%s;", line, column, text);
}

static void check(struct bondy_slice text, const char *expected)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_config_handler handler = {write_line, write_error, &out};

    bondy_config_parse(text, &handler);
    assert_slice_is(bondy_buf_slice(&out), expected);
    bondy_buf_fini(&out);
}

static void lines_say_key_and_value(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"# nothing\n\n   \t\n", ""},
        {"a=b", "1:3 a=<b>;"},
        {"  a.b  =   c d  # rest\n", "1:12 a.b=<c d>;"},
        {"a = b#c\n", "1:5 a=<b#c>;"},
        {"a = # nothing\n", "1:5 a=<>;"},
        {"a =\n", "1:4 a=<>;"},
        {"a = b\r\nc = d\r\n", "1:5 a=<b>;2:5 c=<d>;"},
        {"\xEF\xBB\xBF"
         "a = b\n",
         "1:5 a=<b>;"},
        {"a\\.b.c = d\n", "1:10 a\\.b.c=<d>;"},
        {"a = \"b # c\" # d\n", "1:5 a=<b # c>;"},
        {"a = \"\"\n", "1:5 a=<>;"},
        {"a = \"\\\"\\\\\\n\\t\\u00e9\\u20ac\"\n", "1:5 a=<\"\\\n\t\xC3\xA9\xE2\x82\xAC>;"},
        {"include conf.d/*.conf\n", "1:9 include =<conf.d/*.conf>;"},
        {"include = 1\n", "1:11 include=<1>;"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        check(bondy_slice_text(cases[i].text), cases[i].expected);
}

static void a_mistake_is_named_and_ends_its_line_only(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a\nb = c\n", "1:2 !expected '=' after key \"a\";2:5 b=<c>;"},
        {"= c\n", "1:1 !expected a key;"},
        {"a..b = c\n", "1:1 !empty segment in a key;"},
        {".a = c\n", "1:1 !empty segment in a key;"},
        {"a = \"b\n", "1:5 !the quote is not closed;"},
        {"a = \"b\\x\"\n", "1:7 !unknown escape; known are \\\" \\\\ \\n \\t \\e \\uHHHH;"},
        {"a = \"\\ud800\"\n", "1:6 !\\u names no character;"},
        {"a = \"\\u12\"\n", "1:6 !expected four hexadecimal digits after \\u;"},
        {"a = \"b\" c\n", "1:9 !unexpected text behind the closing quote;"},
        {"a = \xff\n", "1:1 !the line is not valid UTF-8;"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        check(bondy_slice_text(cases[i].text), cases[i].expected);
    check(BONDY_SLICE("a = b\0c\n"), "1:1 !the line holds a NUL character;");
}

static void a_line_over_the_limit_is_refused(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    bondy_buf_append_text(&text, "a = ");
    memset(bondy_buf_reserve(&text, BONDY_CONFIG_LINE_MAX), 'x', BONDY_CONFIG_LINE_MAX);
    text.len += BONDY_CONFIG_LINE_MAX;
    bondy_buf_append_text(&text, "\nb = c\n");
    check(bondy_buf_slice(&text), "1:1 !the line is longer than 64 KiB;2:5 b=<c>;");
    bondy_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_say_key_and_value),
        cmocka_unit_test(a_mistake_is_named_and_ends_its_line_only),
        cmocka_unit_test(a_line_over_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
